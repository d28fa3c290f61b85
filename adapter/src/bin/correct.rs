//! A person's word on documents: `list`, `show`, `set`, `accept`, `suppliers`, `export`.

use std::{path::PathBuf, process::ExitCode};

use adapter::{
    clock::Clock,
    corrections::{self, Assignment, Corrector, text},
    documents::{self, Document, Status},
    store::{DEFAULT_DATABASE, DatabaseUrl, Store},
};
use anyhow::Context;
use clap::{Parser, Subcommand};

/// Looks through documents, corrects them, and mends the books with them.
#[derive(Parser)]
#[command(version)]
struct Command {
    /// Where the books are: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, env = "CELLARBOOK_DATABASE", global = true, default_value = DEFAULT_DATABASE)]
    database: DatabaseUrl,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Documents, those that wait first.
    List {
        /// Only of this business.
        #[arg(long, env = "CELLARBOOK_BUSINESS")]
        business: Option<String>,
    },
    /// A document's fields in order of doubt.
    Show { document: i64 },
    /// Corrects fields: totals.gross=123.00, lines[2].quantity=24, lines[0].product=Guinness, document_type=INVOICE.
    Set {
        document: i64,
        #[arg(required = true, value_name = "FIELD=VALUE")]
        assignments: Vec<Assignment>,
        /// Who says so, for the audit.
        #[arg(long, env = "USER", default_value = "owner")]
        by: String,
    },
    /// Posts documents as they are.
    Accept {
        #[arg(required = true)]
        documents: Vec<i64>,
        /// Who says so, for the audit.
        #[arg(long, env = "USER", default_value = "owner")]
        by: String,
    },
    /// Prints the suppliers of corrected and accepted documents, for `extract --register` and `serve --register`.
    Suppliers,
    /// Writes corrected and accepted documents with their pages, for training.
    Export {
        #[arg(long)]
        out: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match execute(Command::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("correct: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn execute(command: Command) -> anyhow::Result<()> {
    let store = Store::open_existing(&command.database).await?;
    match command.action {
        Action::List { business } => {
            let mut db = store.read().await?;
            println!("{}", text::list(&documents::list(&mut db, business.as_deref()).await?));
        }
        Action::Show { document } => {
            let found = {
                let mut db = store.read().await?;
                documents::find(&mut db, document).await?
            };
            let found = found.with_context(|| format!("there is no document {document}: `correct list` shows them"))?;
            println!("{}", text::show(&store, &found).await?);
        }
        Action::Set { document, assignments, by } => {
            let corrector = Corrector { name: &by, clock: Clock::System };
            println!("{}", told(&corrections::set(&store, document, &assignments, corrector).await?));
        }
        Action::Accept { documents, by } => {
            for document in documents {
                let corrector = Corrector { name: &by, clock: Clock::System };
                println!("{}", told(&corrections::accept(&store, document, corrector).await?));
            }
        }
        Action::Suppliers => print!("{}", corrections::suppliers(&store).await?),
        Action::Export { out } => {
            let count = corrections::export(&store, &out).await?;
            println!("{count} documents in {}", out.display());
        }
    }
    Ok(())
}

fn told(document: &Document) -> String {
    let id = document.document_id;
    match document.status {
        Status::Posted => format!("document {id} is in the books"),
        Status::Review => format!("document {id} waits: {}", document.reasons.join("; ")),
        Status::Duplicate => format!("document {id} is not posted: {}", document.reasons.join("; ")),
    }
}
