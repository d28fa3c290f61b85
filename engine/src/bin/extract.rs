//! Documents to JSON lines, tables and annotated pictures.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::Parser;
use engine::{
    arguments::EngineArgs,
    engine::{Cancel, Engine, ExtractError, Extraction, Timings},
    overlay,
    page::{self, PageError},
    table::DocumentTable,
};
use serde_json::{Map, Value, json};

/// Reads invoices and receipts: JPEG, PNG, TIFF, WebP, BMP and PDF files and e-invoices in XML (CII, UBL), each a document. Prints a
/// JSON object a line; a file that cannot be read is reported on stderr, the others are still read, and the exit status is 1.
#[derive(Parser)]
#[command(name = "extract", version)]
struct Args {
    /// Print documents as tables instead of JSON
    #[arg(long, env = "CELLARBOOK_TABLE")]
    table: bool,
    /// Write the pages with what was read drawn on them: DIR/NAME.pN.png
    #[arg(long, value_name = "DIR", env = "CELLARBOOK_OVERLAY")]
    overlay: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
    /// Print the milliseconds that each document took as a JSON object on stderr: in all, and in each stage
    #[arg(long, env = "CELLARBOOK_TIMINGS")]
    timings: bool,
    /// Documents to read
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    page::silence_panics();
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever reads our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("extract: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all files were read.
fn run(args: &Args) -> Result<bool> {
    if let Some(folder) = &args.overlay {
        fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
    }
    let engine = args.engine.engine()?;
    let mut all_read = true;
    for file in &args.files {
        let start = Instant::now();
        match extract(&engine, file) {
            Ok(extraction) => {
                if args.timings {
                    eprintln!("{}", timings(file, start.elapsed(), &extraction.timings));
                }
                output(args, file, &extraction)?;
            }
            Err(error) => {
                eprintln!("extract: {}: {error:#}", file.display());
                all_read = false;
            }
        }
    }
    Ok(all_read)
}

fn extract(engine: &Engine, file: &Path) -> Result<Extraction> {
    let bytes = read(file)?;
    engine.extract_with_pages(&file.to_string_lossy(), &[bytes], &Cancel::default()).map_err(|error| match error {
        // There is only this file; its name stands in the message already.
        ExtractError::Document(error) => error.source.into(),
        error => error.into(),
    })
}

/// `all` is from the file on the disk to the document, before anything is printed.
fn timings(file: &Path, all: Duration, timings: &Timings) -> Value {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let stages: Map<_, _> = timings.stages().into_iter().map(|(stage, time)| (stage.to_owned(), ms(time).into())).collect();
    json!({"source": file.to_string_lossy(), "ms": ms(all), "stages": stages})
}

/// One byte more than the limit is enough to see that a file is too large.
fn read(file: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(page::MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > page::MAX_FILE_BYTES {
        let size = fs::metadata(file).map_or(bytes.len() as u64, |metadata| metadata.len());
        return Err(PageError::FileTooLarge { bytes: size }.into());
    }
    Ok(bytes)
}

fn output(args: &Args, file: &Path, extraction: &Extraction) -> Result<()> {
    let mut out = io::stdout().lock();
    if args.table {
        writeln!(out, "{}", DocumentTable(&extraction.invoice))?;
    } else {
        writeln!(out, "{}", serde_json::to_string(&extraction.invoice)?)?;
    }
    out.flush()?;
    match &args.overlay {
        Some(folder) => write_overlays(folder, file, extraction),
        None => Ok(()),
    }
}

fn write_overlays(folder: &Path, file: &Path, extraction: &Extraction) -> Result<()> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    for (index, page) in (0..).zip(&extraction.pages) {
        let path = folder.join(format!("{name}.p{}.png", index + 1));
        let picture = overlay::annotate(&page.image, index, &extraction.invoice);
        picture.save(&path).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
