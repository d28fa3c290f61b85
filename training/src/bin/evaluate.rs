//! `evaluate sroie`: the figures of SROIE's three tasks on receipts held back from training.

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use comfy_table::Table;
use datasets::sroie::{self, Receipt};
use engine::engine::Engine;
use engine::geometry::Quad;
use engine::page::{self, Page};
use engine::text::TextLine;
use proto::{Field, Invoice};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use training::metrics::Tally;
use training::metrics::fields::{FieldTallies, KeyField};
use training::metrics::localisation::{at_iou, deteval};
use training::metrics::recognition::{Form, bag_of_words, words};

/// Measures the engine on documents with truth.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    set: Set,
}

#[derive(Subcommand)]
enum Set {
    /// Receipts in SROIE's layout (img/, box/, key/).
    Sroie(SroieArgs),
}

#[derive(Args)]
struct SroieArgs {
    #[arg(long, env = "CELLARBOOK_ROOT")]
    root: PathBuf,
    /// Understand the labelled text instead of what our own reader reads.
    #[arg(long, value_enum, default_value = "own")]
    text: Text,
    /// A file of ids, one a line; by default the committed validation split, or all where the folder holds none of it.
    #[arg(long)]
    ids: Option<PathBuf>,
    /// Folder for task1/ID.txt, task2/ID.txt and task3/ID.json.
    #[arg(long)]
    predictions: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Text {
    Own,
    Given,
}

fn main() -> Result<()> {
    match Cli::parse().set {
        Set::Sroie(args) => evaluate_sroie(&args),
    }
}

/// The sums over the receipts.
#[derive(Default)]
struct Figures {
    deteval: Tally,
    iou: Tally,
    words_exact: Tally,
    words: Tally,
    fields: FieldTallies,
    read: Vec<Duration>,
}

fn evaluate_sroie(args: &SroieArgs) -> Result<()> {
    let receipts = chosen(sroie::read(&args.root)?, args.ids.as_deref())?;
    let engine = Engine::built_in()?;
    let mut figures = Figures::default();
    for receipt in &receipts {
        let bytes = fs::read(&receipt.image).with_context(|| format!("{}: cannot read", receipt.image.display()))?;
        let started = Instant::now();
        let pages = page::read(&[bytes]).with_context(|| format!("{}", receipt.image.display()))?;
        let [page] = pages.as_slice() else { bail!("{}: a receipt is one page", receipt.image.display()) };
        // The frame of the labels is that of the file: pages are not turned.
        let lines = engine.read_text(page).with_context(|| format!("{}", receipt.image.display()))?;
        figures.read.push(started.elapsed());
        let understood = if args.text == Text::Own { &lines } else { &receipt.lines };
        let invoice = understand(&engine, receipt, understood, page)?;
        figures.add(receipt, &lines, &invoice);
        if let Some(out) = &args.predictions {
            write_predictions(out, &receipt.id, &lines, &invoice)?;
        }
    }
    figures.print(receipts.len(), args);
    Ok(())
}

fn chosen(receipts: Vec<Receipt>, ids: Option<&Path>) -> Result<Vec<Receipt>> {
    let ids: BTreeSet<String> = match ids {
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| format!("{}: cannot read the ids", path.display()))?;
            text.split_whitespace().map(str::to_owned).collect()
        }
        None => datasets::splits::sroie_validation().into_iter().map(str::to_owned).collect(),
    };
    if receipts.iter().any(|r| ids.contains(&r.id)) {
        return Ok(receipts.into_iter().filter(|r| ids.contains(&r.id)).collect());
    }
    // Another set than the one that we trained on: all of it.
    Ok(receipts)
}

fn understand(engine: &Engine, receipt: &Receipt, lines: &[TextLine], page: &Page) -> Result<Invoice> {
    engine.understand_lines(&receipt.id, lines, std::slice::from_ref(page)).with_context(|| receipt.id.clone())
}

/// The four strings of task 3.
fn strings(invoice: &Invoice) -> [(KeyField, String); 4] {
    let text = |field: Option<&Field>| field.map_or(String::new(), |f| f.text.clone());
    let supplier = invoice.supplier.as_ref();
    [
        (KeyField::Company, text(supplier.and_then(|s| s.name.as_ref()))),
        (KeyField::Date, text(invoice.issue_date.as_ref())),
        (KeyField::Address, text(supplier.and_then(|s| s.address.as_ref()))),
        (KeyField::Total, text(invoice.totals.as_ref().and_then(|t| t.gross.as_ref()))),
    ]
}

impl Figures {
    fn add(&mut self, receipt: &Receipt, lines: &[TextLine], invoice: &Invoice) {
        let quads = |lines: &[TextLine]| lines.iter().map(|l| l.quad).collect::<Vec<Quad>>();
        let (truth, found) = (quads(&receipt.lines), quads(lines));
        self.deteval += deteval(&truth, &found);
        self.iou += at_iou(&truth, &found, 0.5);
        fn texts(lines: &[TextLine]) -> impl Iterator<Item = &str> {
            lines.iter().map(|l| l.text.as_str())
        }
        self.words_exact += bag_of_words(texts(&receipt.lines), texts(lines), Form::Exact);
        self.words += bag_of_words(texts(&receipt.lines), texts(lines), Form::LettersAndDigits);
        for (field, predicted) in strings(invoice) {
            let truth = match field {
                KeyField::Company => &receipt.keys.company,
                KeyField::Date => &receipt.keys.date,
                KeyField::Address => &receipt.keys.address,
                KeyField::Total => &receipt.keys.total,
            };
            self.fields.add(field, truth, &predicted);
        }
    }

    fn rows(&self) -> Vec<(String, Tally)> {
        let mut rows = vec![
            ("task 1 DetEval".to_owned(), self.deteval),
            ("task 1 IoU 0.5".to_owned(), self.iou),
            ("task 2 exact".to_owned(), self.words_exact),
            ("task 2 letters and digits".to_owned(), self.words),
            ("task 3 raw".to_owned(), self.fields.raw_total()),
            ("task 3 normalised".to_owned(), self.fields.normalised_total()),
        ];
        for field in KeyField::ALL {
            rows.push((format!("{} raw", field.name()), self.fields.raw(field)));
            rows.push((format!("{} normalised", field.name()), self.fields.normalised(field)));
        }
        rows
    }

    fn print(&self, receipts: usize, args: &SroieArgs) {
        let mut read = self.read.clone();
        read.sort();
        let median_ms = read.get(read.len() / 2).map_or(0.0, |d| d.as_secs_f64() * 1e3);
        let percent = |share: f64| (share * 1e4).round() / 1e2;
        if args.json {
            let figures: serde_json::Map<String, serde_json::Value> = self
                .rows()
                .into_iter()
                .map(|(name, t)| {
                    let value =
                        serde_json::json!({"precision": percent(t.precision()), "recall": percent(t.recall()), "f1": percent(t.f1())});
                    (name, value)
                })
                .collect();
            println!("{}", serde_json::json!({"receipts": receipts, "read_ms_median": median_ms, "figures": figures}));
            return;
        }
        let mut table = Table::new();
        table.set_header(["", "precision", "recall", "F1"]);
        for (name, t) in self.rows() {
            table.add_row([
                name,
                format!("{:.1}", percent(t.precision())),
                format!("{:.1}", percent(t.recall())),
                format!("{:.1}", percent(t.f1())),
            ]);
        }
        println!("{table}\n{receipts} receipts, read in {median_ms:.0} ms (median)");
    }
}

fn write_predictions(out: &Path, id: &str, lines: &[TextLine], invoice: &Invoice) -> Result<()> {
    let write = |folder: &str, extension: &str, text: String| {
        let folder = out.join(folder);
        fs::create_dir_all(&folder).with_context(|| format!("{}: cannot make the folder", folder.display()))?;
        let path = folder.join(format!("{id}.{extension}"));
        fs::write(&path, text).with_context(|| format!("{}: cannot write", path.display()))
    };
    let boxes = lines.iter().map(|l| l.quad.to_pixels().iter().map(i32::to_string).collect::<Vec<_>>().join(",") + "\n").collect();
    write("task1", "txt", boxes)?;
    let read = words(lines.iter().map(|l| l.text.as_str()), Form::Exact);
    write("task2", "txt", read.into_iter().map(|w| w + "\n").collect())?;
    let strings: serde_json::Map<String, serde_json::Value> =
        strings(invoice).into_iter().map(|(field, text)| (field.name().to_owned(), text.into())).collect();
    write("task3", "json", serde_json::to_string_pretty(&strings)? + "\n")
}
