//! Supplier invoices: fields, VAT by rate and line items against the labels of e-invoices, words against the PDF's text layer.
//!
//! Values are compared, not prints: dates as ISO, numbers as numbers, names and codes by their letters and digits. Lines and VAT rows
//! are paired one to one so that most cells agree, and cells are counted (the line item metric of DocILE, Simsa et al. 2023, by value).

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use datasets::zugferd::LabelledInvoice;
use engine::{
    engine::{Engine, ExtractError},
    page::Page,
};
use image::GrayImage;
use proto::{Field, Invoice};
use rust_decimal::Decimal;

use super::{
    calibration::Calibration,
    printed::{Printed, letters},
    sroie::TextSource,
};
use crate::metrics::{
    Tally,
    recognition::{Form, bag_of_words},
};

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{}: cannot be read", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{id}: its pictures cannot be written")]
    Encode { id: String, source: image::ImageError },
    #[error("{id}: no fields")]
    Extract { id: String, source: ExtractError },
}

/// Reads one invoice from its page pictures, or from the words of its text layer.
pub fn predict(engine: &Engine, invoice: &LabelledInvoice, text: TextSource) -> Result<Invoice, ReadError> {
    let failed = |source| ReadError::Extract { id: invoice.id.clone(), source };
    match text {
        TextSource::Given => {
            // Only their sizes count.
            let blank =
                |page: &proto::Page| Page { image: GrayImage::new(page.width, page.height), rotation_degrees: 0, native_text: None };
            let pages: Vec<Page> = invoice.truth.pages.iter().map(blank).collect();
            engine.understand_lines(&invoice.id, &invoice.lines, &pages).map_err(failed)
        }
        TextSource::Own => {
            let read = |path: &PathBuf| fs::read(path).map_err(|source| ReadError::File { path: path.clone(), source });
            let files = invoice.images.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            engine.extract(&invoice.id, &files).map_err(failed)
        }
    }
}

/// Tallies by name, in the order of the report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scores {
    header: BTreeMap<(usize, &'static str), Tally>,
    vat: Tally,
    lines: Tally,
    /// Lines of which every labelled cell is right; the same where only labels that stand on the page count.
    whole_lines: Tally,
    printed_lines: Tally,
    words: Tally,
    words_exact: Tally,
    document_types: Tally,
    /// Of the header fields that were read and have a label.
    pub calibration: Calibration,
}

type Cell<'a> = (&'static str, Option<&'a Field>);

impl Scores {
    /// Adds an invoice: its words; its fields only if the corpus trusts its labels, and its lines only where those are trusted.
    pub fn add(&mut self, labelled: &LabelledInvoice, predicted: &Invoice) {
        let bag = |form| {
            let truth = labelled.lines.iter().map(|line| line.text.as_str());
            bag_of_words(truth, predicted.text.iter().map(|line| line.text.as_str()), form)
        };
        self.words += bag(Form::LettersAndDigits);
        self.words_exact += bag(Form::Exact);
        if !labelled.trusted {
            return;
        }
        for (i, ((name, truth), (_, predicted))) in header(&labelled.truth).into_iter().zip(header(predicted)).enumerate() {
            // A field without a label may stand on the page all the same.
            if truth.is_some() {
                let tally = cell_tally(truth, predicted);
                if let Some(predicted) = predicted {
                    self.calibration.add(predicted.confidence, tally.right_predictions > 0.0);
                }
                *self.header.entry((i, name)).or_default() += tally;
            }
        }
        self.document_types += Tally::of_pairs((labelled.truth.document_type == predicted.document_type).into(), 1, 1);
        let rows = |invoice: &Invoice| invoice.vat.iter().map(vat_cells).map(values).collect::<Vec<_>>();
        self.vat += rows_tally(&rows(&labelled.truth), &rows(predicted)).0;
        if labelled.lines_trusted {
            let rows = |invoice: &Invoice| invoice.lines.iter().map(line_cells).map(values).collect::<Vec<_>>();
            let predicted = rows(predicted);
            let (cells, whole) = rows_tally(&rows(&labelled.truth), &predicted);
            self.lines += cells;
            self.whole_lines += whole;
            let printed = Printed::of(&labelled.lines);
            let stands = |value: &&Field| !value.value.is_empty() && printed.holds(&value.value);
            let on_page = |cell: Option<&Field>| cell.filter(stands).map(normalise);
            let truth: Vec<_> = labelled.truth.lines.iter().map(|line| line_cells(line).into_iter().map(on_page).collect()).collect();
            self.printed_lines += rows_tally(&truth, &predicted).1;
        }
    }

    /// Sums first, then each header field.
    pub fn rows(&self) -> Vec<(String, Tally)> {
        let header: Tally = self.header.values().copied().sum();
        let sums = [
            ("header fields", header),
            ("VAT rows, cells", self.vat),
            ("lines, cells", self.lines),
            ("lines, whole", self.whole_lines),
            ("lines, whole, of what stands on the page", self.printed_lines),
            ("words, letters and digits", self.words),
            ("words, exact", self.words_exact),
            ("document type", self.document_types),
        ];
        let fields = self.header.iter().map(|((_, name), tally)| (format!("  {name}"), *tally));
        sums.into_iter().map(|(name, tally)| (name.to_owned(), tally)).chain(fields).collect()
    }
}

fn header(invoice: &Invoice) -> [Cell<'_>; 10] {
    let supplier = invoice.supplier.as_ref();
    let totals = invoice.totals.as_ref();
    [
        ("supplier.name", supplier.and_then(|s| s.name.as_ref())),
        ("supplier.vat_id", supplier.and_then(|s| s.vat_id.as_ref())),
        ("customer.name", invoice.customer.as_ref().and_then(|c| c.name.as_ref())),
        ("invoice_number", invoice.invoice_number.as_ref()),
        ("issue_date", invoice.issue_date.as_ref()),
        ("due_date", invoice.due_date.as_ref()),
        ("currency", invoice.currency.as_ref()),
        ("totals.net", totals.and_then(|t| t.net.as_ref())),
        ("totals.vat", totals.and_then(|t| t.vat.as_ref())),
        ("totals.gross", totals.and_then(|t| t.gross.as_ref())),
    ]
}

fn vat_cells(row: &proto::Vat) -> Vec<Option<&Field>> {
    vec![row.rate.as_ref(), row.net.as_ref(), row.amount.as_ref()]
}

/// Units are left out: the labels have codes of UN/ECE Recommendation 20, the page has words.
fn line_cells(line: &proto::Line) -> Vec<Option<&Field>> {
    vec![
        line.code.as_ref(),
        line.description.as_ref(),
        line.quantity.as_ref(),
        line.unit_price.as_ref(),
        line.vat_rate.as_ref(),
        line.line_total.as_ref(),
    ]
}

fn values(cells: Vec<Option<&Field>>) -> Vec<Option<String>> {
    cells.into_iter().map(|cell| cell.map(normalise).filter(|value| !value.is_empty())).collect()
}

/// A number without needless zeros, else its [`letters`].
fn normalise(field: &Field) -> String {
    match field.value.parse::<Decimal>() {
        Ok(number) => number.normalize().to_string(),
        Err(_) => letters(&field.value),
    }
}

fn cell_tally(truth: Option<&Field>, predicted: Option<&Field>) -> Tally {
    let [truth, predicted] = [truth, predicted].map(|field| field.map(normalise).filter(|value| !value.is_empty()));
    let right = truth.is_some() && truth == predicted;
    Tally::of_pairs(right.into(), predicted.is_some().into(), truth.is_some().into())
}

/// Tallies of cells and of whole rows, rows paired greedily by how many cells agree. A cell without a label is neither right nor wrong.
fn rows_tally(truth: &[Vec<Option<String>>], predicted: &[Vec<Option<String>>]) -> (Tally, Tally) {
    let agreeing = |t: usize, p: usize| truth[t].iter().zip(&predicted[p]).filter(|(t, p)| t.is_some() && t == p).count();
    let mut pairs: Vec<(usize, usize, usize)> =
        (0..truth.len()).flat_map(|t| (0..predicted.len()).map(move |p| (agreeing(t, p), t, p))).filter(|(n, ..)| *n > 0).collect();
    pairs.sort_by_key(|&(n, t, p)| (std::cmp::Reverse(n), t, p));
    let (mut paired_truth, mut paired_predicted) = (vec![false; truth.len()], vec![None; predicted.len()]);
    let mut cells = Tally { truths: truth.iter().flatten().flatten().count(), ..Tally::default() };
    let mut whole = Tally { truths: truth.len(), predictions: predicted.len(), ..Tally::default() };
    for (right, t, p) in pairs {
        if paired_truth[t] || paired_predicted[p].is_some() {
            continue;
        }
        (paired_truth[t], paired_predicted[p]) = (true, Some(t));
        cells += Tally::of_pairs(right, 0, 0);
        whole += Tally::of_pairs((right == truth[t].iter().flatten().count()).into(), 0, 0);
    }
    let counts = |p: usize| match paired_predicted[p] {
        Some(t) => truth[t].iter().zip(&predicted[p]).filter(|(t, p)| t.is_some() && p.is_some()).count(),
        None => predicted[p].iter().flatten().count(),
    };
    cells.predictions = (0..predicted.len()).map(counts).sum();
    (cells, whole)
}

/// Writes `ID.json`.
pub fn write_prediction(folder: &Path, id: &str, invoice: &Invoice) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(format!("{id}.json")), serde_json::to_string_pretty(invoice)?)
}

#[cfg(test)]
mod tests {
    use engine::{geometry::Quad, text::TextLine};

    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<Option<String>>> {
        rows.iter().map(|row| row.iter().map(|cell| (!cell.is_empty()).then(|| (*cell).to_owned())).collect()).collect()
    }

    #[test]
    fn rows_by_hand() {
        type Rows<'a> = &'a [&'a [&'a str]];
        type Case<'a> = (&'a str, Rows<'a>, Rows<'a>, (usize, usize, usize), usize);
        let cases: &[Case] = &[
            ("the same", &[&["A", "1"]], &[&["A", "1"]], (2, 2, 2), 1),
            ("in another order", &[&["A", "1"], &["B", "2"]], &[&["B", "2"], &["A", "1"]], (4, 4, 4), 2),
            ("one cell wrong", &[&["A", "1"]], &[&["A", "2"]], (1, 2, 2), 0),
            ("one cell missing", &[&["A", "1"]], &[&["A", ""]], (1, 1, 2), 0),
            ("a cell without a label", &[&["A", ""]], &[&["A", "2"]], (1, 1, 1), 1),
            ("a false row", &[&["A", "1"]], &[&["A", "1"], &["X", "9"]], (2, 4, 2), 1),
            ("none found", &[&["A", "1"]], &[], (0, 0, 2), 0),
            ("the fuller agreement is paired", &[&["A", "1"], &["A", "2"]], &[&["A", "2"]], (2, 2, 4), 1),
        ];
        for (name, truth, predicted, (right, predictions, truths), whole_rows) in cases {
            let (cells, whole) = rows_tally(&rows(truth), &rows(predicted));
            assert_eq!(cells, Tally::of_pairs(*right, *predictions, *truths), "{name}");
            assert_eq!(whole, Tally::of_pairs(*whole_rows, predicted.len(), truth.len()), "{name}");
        }
    }

    fn field(value: &str) -> Option<Field> {
        Some(Field { value: value.into(), ..Field::default() })
    }

    #[test]
    fn values_are_compared_by_what_they_say() {
        for (truth, predicted, right) in
            [("198.00", "198", 1), ("Kunden AG", "KUNDEN-AG", 1), ("2013-03-05", "2013-03-06", 0), ("A", "", 0)]
        {
            let tally = cell_tally(field(truth).as_ref(), field(predicted).as_ref());
            assert_eq!(tally, Tally::of_pairs(right, usize::from(!predicted.is_empty()), 1), "{truth}");
        }
    }

    #[test]
    fn what_the_corpus_does_not_trust_is_not_counted() {
        let truth = Invoice {
            invoice_number: field("17"),
            lines: vec![proto::Line { quantity: field("2"), ..Default::default() }],
            ..Default::default()
        };
        let labelled = |trusted, lines_trusted| LabelledInvoice {
            id: "A".into(),
            images: Vec::new(),
            lines: vec![TextLine { page: 0, quad: Quad::from_edges(0.0, 0.0, 9.0, 9.0), text: "Menge 2".into(), confidence: 1.0 }],
            truth: truth.clone(),
            trusted,
            lines_trusted,
        };
        for (trusted, lines_trusted, header, lines) in [(true, true, 1, 1), (true, false, 1, 0), (false, false, 0, 0)] {
            let mut scores = Scores::default();
            scores.add(&labelled(trusted, lines_trusted), &truth);
            let rows: BTreeMap<_, _> = scores.rows().into_iter().collect();
            assert_eq!((rows["header fields"].truths, rows["lines, cells"].truths), (header, lines));
            assert_eq!(rows["words, exact"].truths, 2, "words are those of the text layer, whatever the labels are worth");
        }
    }
}
