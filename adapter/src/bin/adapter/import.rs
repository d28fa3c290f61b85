use std::{fs, path::PathBuf, process::ExitCode};

use adapter::{
    clock::Clock,
    sales,
    source::{Batch, Step},
    square,
    store::{DEFAULT_DATABASE, DatabaseUrl, Store},
    till::Mapping,
};
use anyhow::Context;
use clap::{Args, Subcommand};

/// Records in one database transaction.
const BATCH: usize = 2000;

/// Sales that another till kept.
#[derive(Args)]
pub struct Import {
    #[command(subcommand)]
    from: From,
}

#[derive(Subcommand)]
enum From {
    /// Orders of Square's Orders API, as JSON; the same or a newer export again changes only what differs.
    Square {
        file: PathBuf,
        /// Where the books are: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.
        #[arg(long, env = "CELLARBOOK_DATABASE", default_value = DEFAULT_DATABASE)]
        database: DatabaseUrl,
    },
}

impl Import {
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let From::Square { file, database } = self.from;
        let name = file.display().to_string();
        let text = fs::read_to_string(&file).with_context(|| format!("can't read {name}"))?;
        let export = square::read(&text, &name).with_context(|| name.clone())?;
        let store = Store::open(&database).await?;
        let mut tally = sales::Tally::default();
        let removed = square::removed(&mut *store.read().await?, &export.orders).await?;
        let records: Vec<_> = export.batch.records.into_iter().chain(removed.into_iter().map(Ok)).collect();
        for records in records.chunks(BATCH) {
            let batch = Batch { records: records.to_vec(), steps: Vec::<Step>::new() };
            tally.add(sales::post(&store, &Mapping::default(), Clock::System, &batch).await?);
        }
        for refused in &export.refused {
            eprintln!("{name}: {refused}");
        }
        eprintln!(
            "{} orders: {} sales posted, {} reversed; {} orders not completed, {} refused",
            export.orders.len() - export.unfinished,
            tally.journals,
            tally.reversals,
            export.unfinished,
            export.refused.len()
        );
        Ok(if export.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
