//! Events and documents into books: `run`, `ingest`, `report`.

use std::{io::Write, path::PathBuf, process::ExitCode, time::Duration};

use adapter::{
    clock::Clock,
    report::{self, Period},
    sales::{self, Tally},
    source::{FileSource, Source, SourceUrl},
    store::{DatabaseUrl, Store, inbox},
    till::Mapping,
};
use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use jiff::civil::Date;

/// How long `run` waits for more at the end of its sources.
const IDLE: Duration = Duration::from_millis(500);

/// Keeps stock, sales, purchases, cash and VAT from the till's events and suppliers' documents.
#[derive(Parser)]
#[command(version)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Run(Run),
    Report(Report),
}

/// Posts events, and documents that were already extracted, as they come.
#[derive(Args)]
struct Run {
    /// The till's change events: file:PATH, lines of {"topic","key","value"}.
    #[arg(long, env = "CELLARBOOK_EVENTS")]
    events: Option<SourceUrl>,
    /// Where the books are: sqlite:PATH.
    #[arg(long, env = "CELLARBOOK_DATABASE")]
    database: DatabaseUrl,
    /// The till's tables and columns, as JSON; the default is users, transactions, beers.
    #[arg(long, env = "CELLARBOOK_MAPPING")]
    mapping: Option<PathBuf>,
    /// Stop at the end of the sources rather than wait for more.
    #[arg(long, env = "CELLARBOOK_UNTIL_END")]
    until_end: bool,
}

/// Prints the books of a business.
#[derive(Args)]
struct Report {
    #[arg(long, env = "CELLARBOOK_BUSINESS")]
    business: String,
    /// Where the books are: sqlite:PATH.
    #[arg(long, env = "CELLARBOOK_DATABASE")]
    database: DatabaseUrl,
    /// First day, YYYY-MM-DD; the books' first where absent.
    #[arg(long, env = "CELLARBOOK_FROM")]
    from: Option<Date>,
    /// Last day, YYYY-MM-DD; the books' last where absent.
    #[arg(long, env = "CELLARBOOK_TO")]
    to: Option<Date>,
    /// As JSON.
    #[arg(long, env = "CELLARBOOK_JSON")]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let done = match Command::parse().action {
        Action::Run(run) => run.execute().await,
        Action::Report(report) => report.execute().await,
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("adapter: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Run {
    async fn execute(self) -> anyhow::Result<ExitCode> {
        let mapping = self.mapping()?;
        let store = Store::open(&self.database).await?;
        let mut events = match &self.events {
            Some(SourceUrl(path)) => Some(resumed(&store, FileSource::open(path, !self.until_end)?).await?),
            None => None,
        };
        let mut tally = Tally::default();
        loop {
            let mut idle = true;
            if let Some(events) = &mut events {
                let batch = events.next().await?;
                if !batch.is_empty() {
                    idle = false;
                    tally.add(told(sales::post(&store, &mapping, Clock::System, batch).await?));
                }
            }
            if idle && (self.until_end || stopped_while_waiting().await?) {
                break;
            }
        }
        eprintln!("{}", summary(&tally));
        Ok(ExitCode::SUCCESS)
    }

    fn mapping(&self) -> anyhow::Result<Mapping> {
        let Some(path) = &self.mapping else { return Ok(Mapping::default()) };
        let text = std::fs::read(path).with_context(|| format!("can't read the mapping {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is no mapping", path.display()))
    }
}

/// The source, set to where the store says it was left.
async fn resumed<S: Source>(store: &Store, mut source: S) -> anyhow::Result<S> {
    let (topic, partition) = source.log();
    let position = {
        let mut db = store.read().await?;
        inbox::position(&mut db, &topic, partition).await?
    };
    if let Some(position) = position {
        source.seek(&position).await?;
    }
    Ok(source)
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
fn told(tally: Tally) -> Tally {
    for letter in &tally.dead_letters {
        let place = &letter.coordinates;
        let unit = if place.topic.starts_with("file:") { "line" } else { "offset" };
        eprintln!("{} {unit} {}: {} (kept as a dead letter)", place.topic, place.offset, letter.reason);
    }
    for table in &tally.truncated {
        eprintln!("warning: table {table} was truncated: its books stay as they are, later changes of it wait");
    }
    tally
}

fn summary(tally: &Tally) -> String {
    let Tally { records, journals, reversals, stale, other_tables, held, dead_letters, .. } = tally;
    format!(
        "{records} records: {journals} journals posted, {reversals} reversed, {stale} changes known already, {other_tables} of other tables, \
         {held} held, {} dead letters",
        dead_letters.len()
    )
}

impl Report {
    async fn execute(self) -> anyhow::Result<ExitCode> {
        let store = Store::open(&self.database).await?;
        let period = Period { from: self.from, to: self.to };
        let report = report::report(&store, &self.business, period, Clock::System).await?;
        let text = if self.json { serde_json::to_string_pretty(&report)? + "\n" } else { report.to_string() };
        match std::io::stdout().write_all(text.as_bytes()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
            done => done.map(|()| ExitCode::SUCCESS).context("can't print the report"),
        }
    }
}
