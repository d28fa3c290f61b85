use std::{path::PathBuf, process::ExitCode, time::Duration};

use adapter::{
    clock::Clock,
    documents::Received,
    extractions, sales,
    source::{Batch, FileSource, Source, SourceUrl, Unreadable},
    store::{DEFAULT_DATABASE, DatabaseUrl, Store, inbox},
    till::Mapping,
};
use anyhow::{Context, bail};
use clap::Args;

/// How long to wait for more at the end of the sources.
const IDLE: Duration = Duration::from_millis(500);

/// Posts the till's events, and documents that were extracted elsewhere, as they come.
#[derive(Args)]
pub struct Run {
    /// The till's change events: file:PATH, lines of {"topic","key","value"}.
    #[arg(long, env = "CELLARBOOK_EVENTS", required_unless_present = "extractions")]
    events: Option<SourceUrl>,
    /// Extracted documents: file:PATH, lines of {"topic","key","value"} with the business as key and the Invoice's JSON as value.
    #[arg(long, env = "CELLARBOOK_EXTRACTIONS")]
    extractions: Option<SourceUrl>,
    /// Where the books are: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, env = "CELLARBOOK_DATABASE", default_value = DEFAULT_DATABASE)]
    database: DatabaseUrl,
    /// The till's tables and columns, as JSON; the default is users, transactions, beers.
    #[arg(long, env = "CELLARBOOK_MAPPING")]
    mapping: Option<PathBuf>,
    /// Stop at the end of the sources rather than wait for more.
    #[arg(long, env = "CELLARBOOK_UNTIL_END")]
    until_end: bool,
}

impl Run {
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let mapping = self.mapping()?;
        if self.events == self.extractions {
            bail!("--events and --extractions name the same source");
        }
        let mut events = self.open(self.events.as_ref())?;
        let mut documents = self.open(self.extractions.as_ref())?;
        let store = Store::open(&self.database).await?;
        resume(&store, events.as_mut()).await?;
        resume(&store, documents.as_mut()).await?;
        let (mut sold, mut bought) = (sales::Tally::default(), extractions::Tally::default());
        loop {
            let (till, papers) = (next(events.as_mut()).await?, next(documents.as_mut()).await?);
            let idle = till.is_empty() && papers.is_empty();
            if !till.is_empty() {
                sold.add(tell_sales(sales::post(&store, &mapping, Clock::System, &till).await?));
            }
            if !papers.is_empty() {
                bought.add(tell_documents(extractions::post(&store, Clock::System, &papers).await?));
            }
            if idle && (self.until_end || stopped_while_waiting().await?) {
                break;
            }
        }
        eprintln!("{}", summary(&sold, &bought));
        Ok(ExitCode::SUCCESS)
    }

    fn open(&self, url: Option<&SourceUrl>) -> anyhow::Result<Option<FileSource>> {
        Ok(url.map(|SourceUrl(path)| FileSource::open(path, !self.until_end)).transpose()?)
    }

    fn mapping(&self) -> anyhow::Result<Mapping> {
        let Some(path) = &self.mapping else { return Ok(Mapping::default()) };
        let text = std::fs::read(path).with_context(|| format!("can't read the mapping {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is no mapping", path.display()))
    }
}

/// Sets the source to where the store says it was left.
async fn resume(store: &Store, source: Option<&mut FileSource>) -> anyhow::Result<()> {
    let Some(source) = source else { return Ok(()) };
    let (topic, partition) = source.log();
    let position = {
        let mut db = store.read().await?;
        inbox::position(&mut db, &topic, partition).await?
    };
    if let Some(position) = position {
        source.seek(&position).await?;
    }
    Ok(())
}

async fn next(source: Option<&mut FileSource>) -> anyhow::Result<Batch> {
    match source {
        Some(source) => Ok(source.next().await?),
        None => Ok(Batch::default()),
    }
}

/// Whether the process was asked to stop before it was time to look again.
async fn stopped_while_waiting() -> anyhow::Result<bool> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Ok(true),
        _ = terminate.recv() => Ok(true),
        () = tokio::time::sleep(IDLE) => Ok(false),
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
