//! Makes what the repository and training need from scratch: splits, text lines, documents, samples.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Parser, Subcommand};
use datasets::synthetic::lines::LineGenerator;
use datasets::synthetic::typefaces::SYSTEM_FONTS;
use datasets::{splits, sroie};
use rayon::prelude::*;

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
    /// Writes synthetic lines as PNG pictures and a list of what they say, to look at.
    Lines {
        #[arg(long, default_value = SYSTEM_FONTS, env = "CELLARBOOK_FONTS")]
        fonts: PathBuf,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[arg(long, default_value_t = 100)]
        count: u64,
        #[arg(long)]
        out: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Split { root } => split(&root),
        Command::Lines { fonts, seed, count, out } => lines(&LineGenerator::new(&fonts, seed)?, count, &out),
    }
}

fn split(root: &Path) -> anyhow::Result<()> {
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

fn lines(generator: &LineGenerator, count: u64, out: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    let texts: Vec<String> = (0..count)
        .into_par_iter()
        .map(|index| {
            let line = generator.line(index);
            let name = format!("{index:06}.png");
            line.image.save(out.join(&name)).with_context(|| name.clone())?;
            Ok(format!("{name}\t{}\n", line.text))
        })
        .collect::<anyhow::Result<_>>()?;
    fs::write(out.join("lines.tsv"), texts.concat()).context("lines.tsv")
}
