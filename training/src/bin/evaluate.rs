//! `evaluate`: measures the engine on labelled documents.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};
use datasets::{
    sroie::Receipt,
    synthetic::{documents::DocumentGenerator, typefaces::SYSTEM_FONTS},
    zugferd::LabelledInvoice,
};
use engine::engine::Engine;
use serde_json::json;
use training::evaluation::{
    causes, in_parallel, invoices, predictions, report,
    sroie::{self, Prediction, Scores, TextSource},
    synthetic,
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
    /// Receipts as another program read them, from files as `sroie --predictions` writes them: task1/ID.txt (eight integers a line)
    /// and task2/ID.txt (a word a line)
    Predictions(Predictions),
    /// Supplier invoices of the ZUGFeRD corpus: fields, VAT by rate, line items; those of sellers that training never saw, if there are any. Or a
    /// file of drawn documents, `datasets/drawn/held-out.ndjson.gz`
    Invoices(Invoices),
    /// Synthetic documents in layouts that training never saw: the same measures
    Synthetic(Synthetic),
}

/// Documents of a folder.
#[derive(Args)]
struct Common {
    /// Folder of the data set
    #[arg(long, env = "CELLARBOOK_ROOT")]
    root: PathBuf,
    #[command(flatten)]
    run: Run,
}

/// How documents are read and what is made of the results.
#[derive(Args)]
struct Run {
    /// Folder to write predictions to
    #[arg(long, env = "CELLARBOOK_PREDICTIONS")]
    predictions: Option<PathBuf>,
    /// Folder of the weights; without it those that are part of the program
    #[arg(long, env = "CELLARBOOK_MODELS")]
    models: Option<PathBuf>,
    /// PNG picture to draw: how often answers of each confidence are right
    #[arg(long, env = "CELLARBOOK_RELIABILITY", value_name = "FILE")]
    reliability: Option<PathBuf>,
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
    /// List what was wrong, with its cause, and how many words each cause cost
    #[arg(long, env = "CELLARBOOK_ERRORS")]
    errors: bool,
}

#[derive(Args)]
struct Invoices {
    #[command(flatten)]
    common: Common,
    /// Take fields from the engine's own reading, or from the words of the PDF's text layer
    #[arg(long, env = "CELLARBOOK_TEXT", value_enum, default_value_t = TextSource::Own)]
    text: TextSource,
}

#[derive(Args)]
struct Synthetic {
    /// How many documents
    #[arg(long, env = "CELLARBOOK_DOCUMENTS", default_value_t = 150)]
    documents: usize,
    #[arg(long, env = "CELLARBOOK_SEED", default_value_t = 2)]
    seed: u64,
    /// Fonts that they are set in
    #[arg(long, env = "CELLARBOOK_FONTS", default_value = SYSTEM_FONTS)]
    fonts: PathBuf,
    /// Take fields from the engine's own reading, or from what is printed
    #[arg(long, env = "CELLARBOOK_TEXT", value_enum, default_value_t = TextSource::Own)]
    text: TextSource,
    #[command(flatten)]
    run: Run,
}

#[derive(Args)]
struct Predictions {
    /// Folder of the data set
    #[arg(long, env = "CELLARBOOK_ROOT")]
    root: PathBuf,
    /// Folder of the predictions
    #[arg(long, env = "CELLARBOOK_PREDICTIONS")]
    predictions: PathBuf,
    /// File of receipt ids, one a line; without it the committed validation split where the set holds more, else every receipt
    #[arg(long, env = "CELLARBOOK_IDS")]
    ids: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long, env = "CELLARBOOK_JSON")]
    json: bool,
}

fn main() -> Result<ExitCode> {
    match Cli::parse().data {
        Data::Sroie(options) => evaluate_sroie(&options),
        Data::Predictions(options) => evaluate_predictions(&options),
        Data::Invoices(options) => evaluate_invoices(&options),
        Data::Synthetic(options) => evaluate_synthetic(&options),
    }
}

impl Run {
    fn engine(&self) -> Result<Engine> {
        Ok(self.models.as_deref().map_or_else(Engine::built_in, Engine::load)?)
    }
}

fn read_ids(path: &Path) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(path).with_context(|| format!("{}: the list of ids can't be read", path.display()))?;
    let ids = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(ids.map(str::to_owned).collect())
}

/// Those listed in the file `ids`, else as [`sroie::select`] chooses.
fn read_receipts(root: &Path, ids: Option<&Path>) -> Result<Vec<Receipt>> {
    let ids = ids.map(read_ids).transpose()?;
    sroie::select(datasets::sroie::read(root)?, ids.as_ref()).with_context(|| root.display().to_string())
}

fn evaluate_sroie(options: &Sroie) -> Result<ExitCode> {
    let Common { root, run } = &options.common;
    let Run { predictions: folder, reliability, threads, json, .. } = run;
    let receipts = read_receipts(root, options.ids.as_deref())?;
    ensure!(
        options.text == TextSource::Own || receipts.iter().all(|r| !r.lines.is_empty()),
        "{}: --text given needs boxes and transcripts, which this data set lacks",
        root.display()
    );
    let engine = run.engine()?;
    let read = in_parallel(&receipts, *threads, |receipt| sroie::predict(&engine, receipt, options.text))?;
    let (mut scores, mut losses, mut predictions, mut failed) = (Scores::default(), causes::Losses::new(), Vec::new(), 0);
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
        if options.errors && options.text == TextSource::Own {
            let page = image::open(&receipt.image).with_context(|| format!("{}: cannot be read", receipt.image.display()))?.into_luma8();
            causes::add(&mut losses, &page, &receipt.lines, &prediction.lines);
        }
        predictions.push(prediction);
    }
    if *json {
        let mut report = report::sroie_json(&scores, options.text, &predictions, options.errors);
        report["lost_words"] = json!(losses);
        report["calibration"] = report::calibration_json(&scores.calibration);
        println!("{report:#}");
    } else {
        print_sroie(&scores, options, &predictions);
        if !losses.is_empty() {
            println!("words lost, by cause\n{}", report::losses_table(&losses));
        }
    }
    if let Some(path) = reliability {
        scores.calibration.draw(path)?;
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
    if scores.calibration.answers() > 0 {
        println!("{}", report::calibration(&scores.calibration));
    }
    let times: Vec<String> = report::times(predictions).iter().map(|(name, ms)| format!("{name} {ms:.0} ms")).collect();
    println!("median time: {}", times.join(", "));
    if options.errors {
        scores.errors.iter().for_each(|e| println!("{} {} {:?}: {:?} instead of {:?}", e.id, e.what, e.cause, e.predicted, e.truth));
    }
}

fn evaluate_predictions(options: &Predictions) -> Result<ExitCode> {
    let receipts = read_receipts(&options.root, options.ids.as_deref())?;
    ensure!(
        receipts.iter().all(|receipt| !receipt.lines.is_empty()),
        "{}: predictions are measured against boxes and transcripts, which this data set lacks",
        options.root.display()
    );
    let mut scores = Scores::default();
    for receipt in &receipts {
        scores.add_written(receipt, &predictions::read(&options.predictions, &receipt.id)?);
    }
    if options.json {
        println!("{:#}", report::predictions_json(&scores));
    } else {
        println!("{} receipts\n{}", scores.receipts, report::table(&report::reading_rows(&scores)));
    }
    Ok(ExitCode::SUCCESS)
}

fn evaluate_invoices(Invoices { common: Common { root, run }, text }: &Invoices) -> Result<ExitCode> {
    let is_drawn = root.is_file();
    ensure!(
        !is_drawn || *text == TextSource::Given,
        "{}: drawn documents have no pictures; --text given reads their lines",
        root.display()
    );
    let labelled = if is_drawn { datasets::drawn::read(root)? } else { held_out(datasets::zugferd::read(root)?) };
    let engine = run.engine()?;
    let read = in_parallel(&labelled, run.threads, |invoice| invoices::predict(&engine, invoice, *text))?;
    report_invoices(&labelled, read, run)
}

fn evaluate_synthetic(options: &Synthetic) -> Result<ExitCode> {
    let generator = DocumentGenerator::new(&options.fonts, options.seed)?;
    let documents = synthetic::documents(&generator, options.documents);
    let engine = options.run.engine()?;
    let read = in_parallel(&documents, options.run.threads, |document| synthetic::predict(&engine, document, options.text))?;
    let labelled: Vec<LabelledInvoice> = documents.iter().map(synthetic::labelled).collect();
    if let Some(folder) = &options.run.predictions {
        for document in &documents {
            invoices::write_prediction(folder, &format!("{}.truth", document.truth.source), &document.truth)
                .with_context(|| format!("{}: truths can't be written", folder.display()))?;
        }
    }
    report_invoices(&labelled, read, &options.run)
}

/// Scores and prints; what could not be read is named and counts as empty.
fn report_invoices(labelled: &[LabelledInvoice], read: Vec<Result<proto::Invoice, invoices::ReadError>>, run: &Run) -> Result<ExitCode> {
    let trusted = labelled.iter().filter(|invoice| invoice.trusted).count();
    let (mut scores, mut failed) = (invoices::Scores::default(), 0);
    for (invoice, prediction) in labelled.iter().zip(read) {
        let prediction = prediction.unwrap_or_else(|error| {
            eprintln!("{:#}", anyhow::Error::from(error));
            failed += 1;
            proto::Invoice::default()
        });
        if let Some(folder) = &run.predictions {
            invoices::write_prediction(folder, &invoice.id, &prediction)
                .with_context(|| format!("{}: predictions can't be written", folder.display()))?;
        }
        scores.add(invoice, &prediction);
    }
    if run.json {
        let calibration = report::calibration_json(&scores.calibration);
        let rows = report::rows_json(&scores.rows());
        println!("{:#}", json!({"invoices": labelled.len(), "trusted": trusted, "scores": rows, "calibration": calibration}));
    } else {
        println!("{} invoices, the labels of {trusted} stand on the page\n{}", labelled.len(), report::table(&scores.rows()));
        println!("{}", report::calibration(&scores.calibration));
    }
    if let Some(path) = &run.reliability {
        scores.calibration.draw(path)?;
    }
    Ok(exit_code(failed))
}

/// The invoices that are only measured on, where there are others beside them.
fn held_out(all: Vec<LabelledInvoice>) -> Vec<LabelledInvoice> {
    let validation = datasets::splits::zugferd_validation();
    let (held_out, learnt): (Vec<_>, Vec<_>) = all.into_iter().partition(|invoice| validation.contains(invoice.id.as_str()));
    if held_out.is_empty() { learnt } else { held_out }
}

/// A document that was not read is told on stderr and counts as an empty answer.
fn exit_code(failed: usize) -> ExitCode {
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
