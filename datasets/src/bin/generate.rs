//! Makes what the repository and training need from scratch: splits, text lines, documents, samples.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Parser, Subcommand};
use datasets::synthetic::documents::DocumentGenerator;
use datasets::synthetic::lines::LineGenerator;
use datasets::synthetic::typefaces::SYSTEM_FONTS;
use datasets::{drawn, samples, splits, sroie, zugferd};
use image::codecs::jpeg::JpegEncoder;
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
    /// Gathers drawn documents, folders in the form of the ZUGFeRD corpus, without their pictures into one file: `drawn/`.
    Drawn {
        #[arg(long, required = true, num_args = 1.., env = "CELLARBOOK_ROOT")]
        root: Vec<PathBuf>,
        #[arg(long)]
        out: PathBuf,
    },
    /// Writes the documents and till events that the repository ships, and their truth: `samples/`.
    Samples {
        #[arg(long, default_value = SYSTEM_FONTS, env = "CELLARBOOK_FONTS")]
        fonts: PathBuf,
        #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/samples"))]
        out: PathBuf,
    },
    /// Writes synthetic documents: a PNG a page and the truth as JSON.
    Documents {
        #[arg(long, default_value = SYSTEM_FONTS, env = "CELLARBOOK_FONTS")]
        fonts: PathBuf,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[arg(long, default_value_t = 20)]
        count: u64,
        #[arg(long)]
        out: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Split { root } => split(&root),
        Command::Lines { fonts, seed, count, out } => lines(&LineGenerator::new(&fonts, seed)?, count, &out),
        Command::Drawn { root, out } => gather(&root, &out),
        Command::Samples { fonts, out } => write_samples(&DocumentGenerator::new(&fonts, 0)?, &out),
        Command::Documents { fonts, seed, count, out } => documents(&DocumentGenerator::new(&fonts, seed)?, count, &out),
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

fn gather(folders: &[PathBuf], out: &Path) -> anyhow::Result<()> {
    let documents = folders.iter().map(|folder| zugferd::read(folder)).collect::<Result<Vec<_>, _>>()?.concat();
    Ok(drawn::write(out, &documents)?)
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

fn documents(generator: &DocumentGenerator, count: u64, out: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    (0..count).into_par_iter().try_for_each(|index| {
        let document = generator.document(index);
        for (page, picture) in document.pages.iter().enumerate() {
            let path = out.join(format!("{index:05}.p{}.png", page + 1));
            picture.save(&path).with_context(|| path.display().to_string())?;
        }
        let path = out.join(format!("{index:05}.json"));
        fs::write(&path, serde_json::to_string_pretty(&document.truth)?).with_context(|| path.display().to_string())
    })
}

/// JPEG of what a scanner or camera would store.
const SAMPLE_JPEG_QUALITY: u8 = 72;

fn write_samples(generator: &DocumentGenerator, out: &Path) -> anyhow::Result<()> {
    let documents =
        samples::documents(generator).context("the fonts that the samples are set in are missing; fonts.txt lists their packages")?;
    fs::create_dir_all(out.join("truth")).with_context(|| out.display().to_string())?;
    for (file, document) in documents {
        let path = out.join(file);
        let [page] = document.pages.as_slice() else { anyhow::bail!("{file}: a sample has one page") };
        if path.extension().is_some_and(|extension| extension == "jpg") {
            let target = fs::File::create(&path).with_context(|| path.display().to_string())?;
            JpegEncoder::new_with_quality(target, SAMPLE_JPEG_QUALITY).encode_image(page).with_context(|| path.display().to_string())?;
        } else {
            page.save(&path).with_context(|| path.display().to_string())?;
        }
        let truth = out.join("truth").join(file).with_extension("json");
        fs::write(&truth, serde_json::to_string_pretty(&document.truth)? + "\n").with_context(|| truth.display().to_string())?;
    }
    for (file, xml) in samples::e_invoices() {
        fs::write(out.join(file), xml).context(file)?;
    }
    let events: String = samples::events().into_iter().map(|line| line + "\n").collect();
    fs::write(out.join("events.ndjson"), events).context("events.ndjson")
}
