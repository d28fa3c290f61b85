use std::{
    io::{ErrorKind, Write},
    process::ExitCode,
};

use adapter::{
    clock::Clock,
    report::{Period, report},
    store::{DEFAULT_DATABASE, DatabaseUrl, Store},
};
use anyhow::Context;
use clap::Args;
use jiff::civil::Date;

/// Prints the books of a business.
#[derive(Args)]
pub struct Report {
    #[arg(long, env = "CELLARBOOK_BUSINESS")]
    business: String,
    /// Where the books are: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, env = "CELLARBOOK_DATABASE", default_value = DEFAULT_DATABASE)]
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

impl Report {
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let store = Store::open_existing(&self.database).await?;
        let period = Period { from: self.from, to: self.to };
        let report = report(&store, &self.business, period, Clock::System).await?;
        let text = if self.json { serde_json::to_string_pretty(&report)? + "\n" } else { report.to_string() };
        match std::io::stdout().write_all(text.as_bytes()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
            done => done.map(|()| ExitCode::SUCCESS).context("can't print the report"),
        }
    }
}
