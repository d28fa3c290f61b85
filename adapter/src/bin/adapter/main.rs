//! Events and documents into books: `run`, `ingest`, `import`, `count`, `waste`, `yield`, `report`, `verify`, `counter`,
//! `deliver`, `dead-letters`.

mod counter;
mod dead_letters;
mod deliver;
mod import;
mod ingest;
mod report;
mod run;
mod stock;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Keeps stock, sales, purchases, cash and VAT from the till's events and suppliers' documents.
#[derive(Parser)]
#[command(version)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Run(run::Run),
    Ingest(ingest::Ingest),
    Count(stock::Count),
    Waste(stock::Waste),
    Yield(stock::Yield),
    Report(report::Report),
    Verify(verify::Verify),
    Import(import::Import),
    Counter(counter::Counter),
    Deliver(deliver::Deliver),
    DeadLetters(dead_letters::DeadLetters),
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let done = match Command::parse().action {
        Action::Run(run) => run.execute().await,
        Action::Ingest(ingest) => ingest.execute().await,
        Action::Count(count) => count.execute().await,
        Action::Waste(waste) => waste.execute().await,
        Action::Yield(yields) => yields.execute().await,
        Action::Report(report) => report.execute().await,
        Action::Verify(verify) => verify.execute().await,
        Action::Import(import) => import.execute().await,
        Action::Counter(counter) => counter.execute().await,
        Action::Deliver(deliver) => deliver.execute().await,
        Action::DeadLetters(letters) => letters.execute().await,
    };
    done.unwrap_or_else(|error| {
        eprintln!("adapter: {error:#}");
        ExitCode::FAILURE
    })
}
