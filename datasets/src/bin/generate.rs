//! Makes what the repository and training need from scratch: splits, text lines, documents, samples.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};
use datasets::{splits, sroie};

#[derive(Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prints the ids of SROIE's validation split: `splits/sroie-validation.txt`.
    Split {
        /// The SROIE folder.
        #[arg(long, env = "CELLARBOOK_SROIE")]
        root: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Split { root } => split(&root),
    }
}

fn split(root: &std::path::Path) -> anyhow::Result<()> {
    let receipts = sroie::read(root)?;
    let duplicates = sroie::read_duplicates(root)?;
    let drawn = splits::draw_validation(&receipts, &duplicates, splits::SROIE_VALIDATION_RECEIPTS);
    let mut out = std::io::stdout().lock();
    writeln!(out, "# SROIE receipts to measure on, whole suppliers: made by `generate split`.")?;
    for id in drawn {
        writeln!(out, "{id}").context("standard output")?;
    }
    Ok(())
}
