use std::{fs::File, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use adapter::{
    clock::Clock,
    documents::Received,
    extractions, sales,
    source::{AnySource, Batch, Source, SourceUrl, Unreadable},
    store::{DEFAULT_DATABASE, DatabaseUrl, Store, StoreError},
    till::Mapping,
};
use anyhow::{Context, bail};
use clap::Args;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::spawn_blocking,
};

/// How long to wait for more at the end of the sources.
const IDLE: Duration = Duration::from_millis(500);
/// Of a broker whose address names no topics.
const EXTRACTION_TOPICS: &str = r"^(.*\.)?extractions$";

/// Posts the till's events, and documents that were extracted elsewhere, as they come.
#[derive(Args)]
pub struct Run {
    /// The till's change events: file:PATH, lines of {"topic","key","value"}, or
    /// kafka://HOST:PORT?group=NAME&topics=NAME,NAME (without topics: those of the mapping's tables; any other setting is the client's).
    #[arg(long, env = "CELLARBOOK_EVENTS", required_unless_present = "extractions")]
    events: Option<SourceUrl>,
    /// Extracted documents: file:PATH or kafka://..., as above, with the business as key and the Invoice's JSON as value.
    #[arg(long, env = "CELLARBOOK_EXTRACTIONS")]
    extractions: Option<SourceUrl>,
    /// Where the books are: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, env = "CELLARBOOK_DATABASE", default_value = DEFAULT_DATABASE)]
    database: DatabaseUrl,
    #[command(flatten)]
    mapping: MappingFile,
    /// Stop at the end of the sources rather than wait for more.
    #[arg(long, env = "CELLARBOOK_UNTIL_END")]
    until_end: bool,
}

impl Run {
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let mapping = Arc::new(self.mapping.read()?);
        if self.events == self.extractions {
            bail!("--events and --extractions name the same source");
        }
        // A slip of the pen makes no database.
        for url in self.events.iter().chain(&self.extractions) {
            if let SourceUrl::File(path) = url {
                File::open(path).with_context(|| format!("can't open the event file {}", path.display()))?;
            }
        }
        let store = Store::open(&self.database).await?;
        let mut events = self.open(self.events.as_ref(), &mapping.topics(), &store).await?;
        let mut documents = self.open(self.extractions.as_ref(), &[EXTRACTION_TOPICS.to_owned()], &store).await?;
        // `ingest` may have made businesses known.
        sales::release(&store, &mapping, Clock::System).await?;
        let (mut sold, mut bought) = (sales::Tally::default(), extractions::Tally::default());
        let mut stop = Stop::new()?;
        let mut till = next_decoded(events.as_mut(), &mapping).await?;
        loop {
            let papers = next(documents.as_mut()).await?;
            if let Some(events) = &mut events {
                // The next batch is read and decoded while the database takes this one.
                let (posted, ahead) = tokio::join!(till.post(&store, &mapping, Clock::System), next_decoded(Some(events), &mapping));
                let posted = settled(events, &store, &till.batch, posted).await?;
                let is_fenced = posted.is_none();
                sold.add(tell_sales(posted.unwrap_or_default()));
                till = if is_fenced { next_decoded(Some(events), &mapping).await? } else { ahead? };
            }
            let idle = till.batch.is_empty() && papers.is_empty();
            if let Some(documents) = &mut documents {
                let posted = extractions::post(&store, Clock::System, &papers).await;
                let posted = settled(documents, &store, &papers, posted).await?.unwrap_or_default();
                if !posted.received.is_empty() {
                    sales::release(&store, &mapping, Clock::System).await?;
                }
                bought.add(tell_documents(posted));
            }
            if stop.is_asked_within(Duration::ZERO).await || (idle && self.is_done(&mut events, &mut documents, &mut stop).await?) {
                break;
            }
        }
        eprintln!("{}", summary(&sold, &bought));
        Ok(ExitCode::SUCCESS)
    }

    async fn open(&self, url: Option<&SourceUrl>, topics: &[String], store: &Store) -> anyhow::Result<Option<AnySource>> {
        let Some(url) = url else { return Ok(None) };
        Ok(Some(AnySource::open(url, !self.until_end, topics, store).await?))
    }

    /// With nothing at hand: whether that is the end, or a person ended the wait.
    async fn is_done(&self, events: &mut Option<AnySource>, documents: &mut Option<AnySource>, stop: &mut Stop) -> anyhow::Result<bool> {
        if !self.until_end {
            return Ok(stop.is_asked_within(IDLE).await);
        }
        for source in [events, documents].into_iter().flatten() {
            if !source.is_at_end().await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// How the till names what the books are made from.
#[derive(Args)]
pub struct MappingFile {
    /// The till's tables and columns, as JSON; the default is users, transactions, beers.
    #[arg(long = "mapping", env = "CELLARBOOK_MAPPING")]
    path: Option<PathBuf>,
    /// VAT rates by category and day, for tills that send categories rather than rates: lines of category, percent, first day, day after the
    /// last, with tabs between them, below a line of captions; the default is Ireland's.
    #[arg(long, env = "CELLARBOOK_VAT_RATES")]
    vat_rates: Option<PathBuf>,
}

impl MappingFile {
    pub fn read(&self) -> anyhow::Result<Mapping> {
        let mut mapping = Mapping::default();
        if let Some(path) = &self.path {
            let text = std::fs::read(path).with_context(|| format!("can't read the mapping {}", path.display()))?;
            mapping = serde_json::from_slice(&text).with_context(|| format!("{} is no mapping", path.display()))?;
        }
        if let Some(path) = &self.vat_rates {
            let text = std::fs::read_to_string(path).with_context(|| format!("can't read the VAT rates {}", path.display()))?;
            mapping.rates = text.parse().with_context(|| format!("{} is no table of VAT rates", path.display()))?;
        }
        Ok(mapping)
    }
}

/// Tells the source what became of its batch. What another adapter posted meanwhile is left to it (`None`), and the source goes on where the
/// database says.
async fn settled<T>(source: &mut AnySource, store: &Store, batch: &Batch, posted: Result<T, StoreError>) -> anyhow::Result<Option<T>> {
    match posted {
        Ok(tally) => {
            source.posted(&batch.steps);
            Ok(Some(tally))
        }
        Err(fenced @ StoreError::Fenced { .. }) => {
            eprintln!("warning: {fenced}: going on where it left off");
            source.resume(store).await?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

async fn next(source: Option<&mut AnySource>) -> anyhow::Result<Batch> {
    match source {
        Some(source) => Ok(source.next().await?),
        None => Ok(Batch::default()),
    }
}

async fn next_decoded(source: Option<&mut AnySource>, mapping: &Arc<Mapping>) -> anyhow::Result<sales::Decoded> {
    let (batch, mapping) = (next(source).await?, Arc::clone(mapping));
    Ok(spawn_blocking(move || sales::Decoded::new(batch, &mapping)).await?)
}

/// Whether a person or the machine asked the process to stop. It then finishes its batch.
pub struct Stop {
    terminate: Signal,
    interrupt: Signal,
    asked: bool,
}

impl Stop {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())?, asked: false })
    }

    pub async fn is_asked_within(&mut self, time: Duration) -> bool {
        self.asked |= tokio::select! {
            biased;
            _ = self.terminate.recv() => true,
            _ = self.interrupt.recv() => true,
            () = tokio::time::sleep(time) => false,
        };
        self.asked
    }
}

/// Says on stderr what a person should know of a batch.
fn tell_sales(tally: sales::Tally) -> sales::Tally {
    tell_dead_letters(&tally.dead_letters);
    for table in &tally.truncated {
        eprintln!("warning: table {table} was truncated: its books stay as they are, later changes of it wait");
    }
    tally
}

fn tell_documents(tally: extractions::Tally) -> extractions::Tally {
    tell_dead_letters(&tally.dead_letters);
    for (source, received) in &tally.received {
        match received {
            Received::Review { document_id, reasons } => {
                eprintln!("{source}: waits for review as document {document_id}: {}", reasons.join("; "));
            }
            Received::Duplicate { document_id, of } => {
                eprintln!("warning: {source}: kept as document {document_id}, not posted: it is document {of} again");
            }
            Received::Posted { .. } | Received::Known { .. } => {}
        }
    }
    tally
}

fn tell_dead_letters(letters: &[Unreadable]) {
    for letter in letters {
        let place = &letter.coordinates;
        let unit = if place.topic.starts_with("file:") { "line" } else { "offset" };
        eprintln!("{} {unit} {}: {} (kept as a dead letter)", place.topic, place.offset, letter.reason);
    }
}

fn summary(sold: &sales::Tally, bought: &extractions::Tally) -> String {
    let posted = bought.received.iter().filter(|(_, received)| matches!(received, Received::Posted { .. })).count();
    format!(
        "{} events: {} sales posted, {} reversed, {} changes known already, {} held, {} of other tables; {} extractions: {posted} posted; \
         {} dead letters",
        sold.records,
        sold.journals,
        sold.reversals,
        sold.stale,
        sold.held,
        sold.other_tables,
        bought.records,
        sold.dead_letters.len() + bought.dead_letters.len()
    )
}
