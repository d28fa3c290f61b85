use std::{
    fs::File as OpenFile,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use adapter::{
    clock::Clock,
    corrections,
    documents::{
        self, File, Incoming, Received,
        extractor::{Extractor, InProcess, Remote},
    },
    store::{Connection, DEFAULT_DATABASE, DatabaseUrl, Store},
};
use anyhow::{Context, bail};
use clap::Args;

/// Bytes of a file; the engine's own limit is not above it.
const LARGEST_FILE: u64 = 64 << 20;

/// Reads documents and posts what is beyond doubt; the rest waits for `correct`.
#[derive(Args)]
pub struct Ingest {
    /// Whose documents they are.
    #[arg(long, env = "CELLARBOOK_BUSINESS")]
    business: String,
    /// Where the books are: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, env = "CELLARBOOK_DATABASE", default_value = DEFAULT_DATABASE)]
    database: DatabaseUrl,
    /// A running engine, such as http://127.0.0.1:50051; without it the documents are read in this process.
    #[arg(long, env = "CELLARBOOK_ENGINE")]
    engine: Option<String>,
    /// Documents: JPEG, PNG, TIFF, WebP or PDF; each file is one document.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Ingest {
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let store = Store::open(&self.database).await?;
        match &self.engine {
            Some(address) => self.ingest_all(&store, &Remote::connect(address).await?).await,
            None => self.ingest_all(&store, &InProcess::knowing(&corrections::suppliers(&store).await?)?).await,
        }
    }

    async fn ingest_all(&self, store: &Store, extractor: &impl Extractor) -> anyhow::Result<ExitCode> {
        let mut code = ExitCode::SUCCESS;
        for path in &self.files {
            match self.ingest(store, extractor, path).await {
                Ok(received) => println!("{}: {}", path.display(), told(&received)),
                Err(error) => {
                    eprintln!("{}: {error:#}", path.display());
                    code = ExitCode::FAILURE;
                }
            }
        }
        Ok(code)
    }

    async fn ingest(&self, store: &Store, extractor: &impl Extractor, path: &Path) -> anyhow::Result<Received> {
        let content = read(path)?;
        let digest = documents::digest([content.as_slice()]);
        let known = {
            let mut db = store.read().await?;
            documents::known(&mut db, &self.business, &digest).await?
        };
        if let Some(document_id) = known {
            return Ok(Received::Known { document_id });
        }
        let source = path.display().to_string();
        let invoice = extractor.extract(&source, vec![content.clone()]).await?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let files = vec![File { name, content }];
        let incoming = Incoming { business: self.business.clone(), source, digest, files, invoice };
        let receive = async |db: &mut Connection| documents::receive(db, &incoming, Clock::System.now()).await;
        Ok(store.transact(receive).await?)
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let file = OpenFile::open(path).context("can't be opened")?;
    let metadata = file.metadata().context("can't be read")?;
    if metadata.is_dir() {
        bail!("it is a folder: name the files in it");
    }
    let mut content = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut content).context("can't be read")?;
    if content.len() as u64 > LARGEST_FILE {
        bail!("it is larger than {LARGEST_FILE} bytes");
    }
    Ok(content)
}

fn told(received: &Received) -> String {
    match received {
        Received::Posted { document_id } => format!("posted as document {document_id}"),
        Received::Review { document_id, reasons } => format!("waits for review as document {document_id}: {}", reasons.join("; ")),
        Received::Duplicate { document_id, of } => format!("kept as document {document_id}, not posted: it is document {of} again"),
        Received::Known { document_id } => format!("is document {document_id} already, not posted again"),
    }
}
