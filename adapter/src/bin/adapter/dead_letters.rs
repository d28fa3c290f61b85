use std::process::ExitCode;

use adapter::{
    clock::Clock,
    retry::{Retried, retry},
    store::{
        DEFAULT_DATABASE, DatabaseUrl, Store,
        dead_letters::{self, DeadLetter},
    },
};
use clap::{Args, Subcommand};
use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use jiff::Timestamp;

use super::run::MappingFile;

/// Letters of a payload that the list shows.
const SHOWN: usize = 60;

/// Records that nobody could read: look at them, or read them again when what was wrong is mended.
#[derive(Args)]
pub struct DeadLetters {
    #[command(subcommand)]
    action: Action,
    /// Where the books are: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, env = "CELLARBOOK_DATABASE", default_value = DEFAULT_DATABASE, global = true)]
    database: DatabaseUrl,
}

#[derive(Subcommand)]
enum Action {
    /// Shows where each came from and why it can't be read.
    List {
        /// Print JSON lines with whole payloads instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Reads them again; what can't be read still stays.
    Retry {
        /// Numbers of dead letters; without them all.
        ids: Vec<i64>,
        #[command(flatten)]
        mapping: MappingFile,
    },
}

impl DeadLetters {
    pub async fn execute(self) -> anyhow::Result<ExitCode> {
        let store = Store::open_existing(&self.database).await?;
        let letters = dead_letters::list(&mut *store.read().await?).await?;
        match self.action {
            Action::List { json: true } => {
                for letter in &letters {
                    println!("{}", serde_json::to_string(letter)?);
                }
                Ok(ExitCode::SUCCESS)
            }
            Action::List { json: false } => {
                println!("{}", table(&letters));
                Ok(ExitCode::SUCCESS)
            }
            Action::Retry { ids, mapping } => retry_all(&store, &letters, &ids, &mapping).await,
        }
    }
}

async fn retry_all(store: &Store, letters: &[DeadLetter], ids: &[i64], mapping: &MappingFile) -> anyhow::Result<ExitCode> {
    let mapping = mapping.read()?;
    if let Some(unknown) = ids.iter().find(|id| letters.iter().all(|letter| letter.dead_letter_id != **id)) {
        anyhow::bail!("there is no dead letter {unknown}: `adapter dead-letters list` shows them");
    }
    let mut code = ExitCode::SUCCESS;
    for letter in letters.iter().filter(|letter| ids.is_empty() || ids.contains(&letter.dead_letter_id)) {
        match retry(store, &mapping, Clock::System, letter).await? {
            Retried::Read => println!("{}: read", place(letter)),
            Retried::Dead { reason } => {
                println!("{}: {reason}", place(letter));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

fn table(letters: &[DeadLetter]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["number", "from", "came", "reason", "record"]);
    for letter in letters {
        let came = Timestamp::from_microsecond(letter.recorded_at).map(|time| time.strftime("%F %T").to_string()).unwrap_or_default();
        let start: String = letter.payload.chars().take(SHOWN).collect();
        table.add_row([letter.dead_letter_id.to_string(), place(letter), came, letter.reason.clone(), start]);
    }
    table
}

fn place(letter: &DeadLetter) -> String {
    match letter.topic.strip_prefix("file:") {
        Some(path) => format!("{path} line {}", letter.position),
        None => format!("{} {}/{}", letter.topic, letter.partition, letter.position),
    }
}
