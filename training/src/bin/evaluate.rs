//! `evaluate`: measures the engine on labelled documents.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};
use engine::engine::Engine;
use serde_json::json;
use training::evaluation::{
    in_parallel, invoices, report,
    sroie::{self, Prediction, Scores, TextSource},
};

#[derive(Parser)]
#[command(version, about = "Measures the engine on labelled documents")]
struct Cli {
    #[command(subcommand)]
    data: Data,
}

#[derive(Subcommand)]
enum Data {
    /// Scanned receipts: lines (task 1), words (task 2) and key fields (task 3), as ICDAR 2019 measures them
    Sroie(Sroie),
    /// Supplier invoices of the ZUGFeRD corpus: fields, VAT by rate, line items
    Invoices(Common),
}

#[derive(Args)]
struct Common {
    /// Folder of the data set
    #[arg(long, env = "CELLARBOOK_ROOT")]
    root: PathBuf,
    /// Folder to write predictions to
    #[arg(long, env = "CELLARBOOK_PREDICTIONS")]
    predictions: Option<PathBuf>,
    /// Folder of the weights; without it those that are part of the program
    #[arg(long, env = "CELLARBOOK_MODELS")]
    models: Option<PathBuf>,
    /// Documents read at the same time; times are undisturbed with one
    #[arg(long, env = "CELLARBOOK_THREADS", default_value_t = 1)]
    threads: usize,
    /// Print JSON instead of a table
    #[arg(long, env = "CELLARBOOK_JSON")]
    json: bool,
}

#[derive(Args)]
struct Sroie {
    #[command(flatten)]
    common: Common,
    /// Take fields from the engine's own reading, or from the transcripts of the data set
    #[arg(long, env = "CELLARBOOK_TEXT", value_enum, default_value_t = TextSource::Own)]
    text: TextSource,
    /// File of receipt ids, one a line; without it the committed validation split where the set holds more, else every receipt
    #[arg(long, env = "CELLARBOOK_IDS")]
    ids: Option<PathBuf>,
    /// List what was wrong, with its cause
    #[arg(long, env = "CELLARBOOK_ERRORS")]
    errors: bool,
}

fn main() -> Result<ExitCode> {
    match Cli::parse().data {
        Data::Sroie(options) => evaluate_sroie(&options),
        Data::Invoices(options) => evaluate_invoices(&options),
    }
}

impl Common {
    fn engine(&self) -> Result<Engine> {
        Ok(self.models.as_deref().map_or_else(Engine::built_in, Engine::load)?)
    }
}

fn read_ids(path: &Path) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(path).with_context(|| format!("{}: the list of ids can't be read", path.display()))?;
    let ids = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(ids.map(str::to_owned).collect())
}

fn evaluate_sroie(options: &Sroie) -> Result<ExitCode> {
    let Common { root, predictions: folder, threads, json, .. } = &options.common;
    let ids = options.ids.as_deref().map(read_ids).transpose()?;
    let receipts = sroie::select(datasets::sroie::read(root)?, ids.as_ref()).with_context(|| root.display().to_string())?;
    ensure!(
        options.text == TextSource::Own || receipts.iter().all(|r| !r.lines.is_empty()),
        "{}: --text given needs boxes and transcripts, which this data set lacks",
        root.display()
    );
    let engine = options.common.engine()?;
    let read = in_parallel(&receipts, *threads, |receipt| sroie::predict(&engine, receipt, options.text))?;
    let (mut scores, mut predictions, mut failed) = (Scores::default(), Vec::new(), 0);
    for (receipt, prediction) in receipts.iter().zip(read) {
        let prediction = prediction.unwrap_or_else(|error| {
            eprintln!("{:#}", anyhow::Error::from(error));
            failed += 1;
            Prediction::default()
        });
        if let Some(folder) = folder {
            sroie::write_prediction(folder, &receipt.id, &prediction)
                .with_context(|| format!("{}: predictions can't be written", folder.display()))?;
        }
        scores.add(receipt, &prediction);
        predictions.push(prediction);
    }
    if *json {
        println!("{:#}", report::sroie_json(&scores, options.text, &predictions, options.errors));
    } else {
        print_sroie(&scores, options, &predictions);
    }
    Ok(exit_code(failed))
}

fn print_sroie(scores: &Scores, options: &Sroie, predictions: &[Prediction]) {
    let (rows, remarks) = report::sroie_rows(scores, options.text);
    let source = if options.text == TextSource::Own { "read from the pictures" } else { "text given" };
    println!("{} receipts, {source}", scores.receipts);
    println!("{}", report::table(&rows));
    remarks.iter().for_each(|remark| println!("{remark}"));
    if scores.characters.characters > 0 && options.text == TextSource::Own {
        println!("characters of found lines: {:.2} % wrong", scores.characters.rate() * 100.0);
    }
    let times: Vec<String> = report::times(predictions).iter().map(|(name, ms)| format!("{name} {ms:.0} ms")).collect();
    println!("median time: {}", times.join(", "));
    if options.errors {
        scores.errors.iter().for_each(|e| println!("{} {} {:?}: {:?} instead of {:?}", e.id, e.what, e.cause, e.predicted, e.truth));
    }
}

fn evaluate_invoices(options: &Common) -> Result<ExitCode> {
    let labelled: Vec<_> = datasets::zugferd::read(&options.root)?.into_iter().filter(|invoice| invoice.trusted).collect();
    let engine = options.engine()?;
    let read = in_parallel(&labelled, options.threads, |invoice| invoices::predict(&engine, invoice))?;
    let (mut scores, mut failed) = (invoices::Scores::default(), 0);
    for (invoice, prediction) in labelled.iter().zip(read) {
        let prediction = prediction.unwrap_or_else(|error| {
            eprintln!("{:#}", anyhow::Error::from(error));
            failed += 1;
            proto::Invoice::default()
        });
        if let Some(folder) = &options.predictions {
            invoices::write_prediction(folder, &invoice.id, &prediction)
                .with_context(|| format!("{}: predictions can't be written", folder.display()))?;
        }
        scores.add(invoice, &prediction);
    }
    if options.json {
        println!("{:#}", json!({"invoices": labelled.len(), "scores": report::rows_json(&scores.rows())}));
    } else {
        println!("{} invoices whose labels stand on the page\n{}", labelled.len(), report::table(&scores.rows()));
    }
    Ok(exit_code(failed))
}

/// A document that was not read is told on stderr and counts as an empty answer.
fn exit_code(failed: usize) -> ExitCode {
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
