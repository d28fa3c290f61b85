//! Invoices of the ZUGFeRD / Factur-X corpus (<https://github.com/ZUGFeRD/corpus>): pages as pictures, the words of the PDF's text
//! layer, and labels taken from the embedded XML.
//!
//! The folder holds `json/ID.json` (labels), `words/ID.json` and `img/ID.pN.jpg`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use engine::geometry::Quad;
use engine::text::TextLine;
use proto::invoice::DocumentType;
use proto::{Customer, Field, Invoice, Line, Supplier, Totals, Vat};
use serde::Deserialize;

/// Words further apart than this, in heights of the row, belong to different columns.
const WORD_GAP_MAX: f32 = 0.8;
/// Words of one line overlap at most by this, and the lower edges of neighbours differ at most by this, in heights of the lower one.
const OVERLAP_MAX: f32 = 0.5;
const BASELINE_STEP_MAX: f32 = 0.35;

/// An invoice with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledInvoice {
    /// The file name without extension.
    pub id: String,
    /// The pictures that exist (at most three pages), in order.
    pub images: Vec<PathBuf>,
    /// The text layer's words, joined to lines, in pixels of the pictures.
    pub lines: Vec<TextLine>,
    /// What the XML says; fields have no place on the page, and what the XML leaves out is unknown, not absent.
    pub truth: Invoice,
    /// Number, seller and grand total are visible on the pages.
    pub trusted: bool,
    /// In addition every item's name and total are.
    pub lines_trusted: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ZugferdError {
    #[error("{}: no folder json/ with labels", .0.display())]
    NotZugferd(PathBuf),
    #[error("{}: cannot read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: not the JSON that was expected", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    #[error("{}: {field} is {text:?}, not a decimal number", path.display())]
    Number { path: PathBuf, field: &'static str, text: String },
}

#[derive(Deserialize)]
struct Labels {
    label: Label,
    trusted: bool,
    lines_trusted: bool,
}

#[derive(Deserialize)]
struct Label {
    invoice_number: Option<String>,
    type_code: Option<String>,
    issue_date: Option<String>,
    due_date: Option<String>,
    currency: Option<String>,
    seller: Option<LabelParty>,
    buyer: Option<LabelParty>,
    #[serde(default)]
    tax: Vec<LabelTax>,
    totals: Option<LabelTotals>,
    #[serde(default)]
    lines: Vec<LabelLine>,
}

#[derive(Deserialize)]
struct LabelParty {
    name: Option<String>,
    #[serde(default)]
    address: LabelAddress,
    #[serde(default)]
    tax_ids: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LabelAddress {
    line1: String,
    line2: String,
    line3: String,
    postcode: String,
    city: String,
}

#[derive(Deserialize)]
struct LabelTax {
    rate: Option<String>,
    basis: Option<String>,
    amount: Option<String>,
}

#[derive(Deserialize)]
struct LabelTotals {
    tax_basis_total: Option<String>,
    tax_total: Option<String>,
    grand_total: Option<String>,
}

#[derive(Deserialize)]
struct LabelLine {
    seller_id: Option<String>,
    name: Option<String>,
    quantity: Option<String>,
    net_price: Option<String>,
    tax_rate: Option<String>,
    line_total: Option<String>,
}

#[derive(Deserialize)]
struct Words {
    pages: Vec<WordsPage>,
}

#[derive(Deserialize)]
struct WordsPage {
    width: u32,
    height: u32,
    /// Text and left, top, right, bottom.
    words: Vec<(String, [f32; 4])>,
}

/// All labelled invoices under `root`, the corpus or a folder `zugferd-corpus` in it, ordered by id.
pub fn read(root: &Path) -> Result<Vec<LabelledInvoice>, ZugferdError> {
    let inner = root.join("zugferd-corpus");
    let root = if inner.is_dir() { &inner } else { root };
    let folder = root.join("json");
    let entries = fs::read_dir(&folder).map_err(|_| ZugferdError::NotZugferd(root.to_path_buf()))?;
    let mut ids = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| ZugferdError::Read { path: folder.clone(), source })?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            ids.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    ids.sort();
    ids.into_iter().map(|id| read_invoice(root, id)).collect()
}

fn read_invoice(root: &Path, id: String) -> Result<LabelledInvoice, ZugferdError> {
    let path = root.join("json").join(format!("{id}.json"));
    let labels: Labels = read_json(&path)?;
    let words: Words = read_json(&root.join("words").join(format!("{id}.json")))?;
    let images =
        (1..=words.pages.len()).map(|page| root.join("img").join(format!("{id}.p{page}.jpg"))).filter(|path| path.is_file()).collect();
    let lines = words.pages.iter().enumerate().flat_map(|(page, words)| join_words(page, &words.words)).collect();
    let mut truth = truth(&path, &id, labels.label)?;
    truth.pages = words.pages.iter().map(|page| proto::Page { width: page.width, height: page.height, rotation_degrees: 0 }).collect();
    Ok(LabelledInvoice { id, images, lines, truth, trusted: labels.trusted, lines_trusted: labels.lines_trusted })
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, ZugferdError> {
    let text = fs::read_to_string(path).map_err(|source| ZugferdError::Read { path: path.to_path_buf(), source })?;
    serde_json::from_str(&text).map_err(|source| ZugferdError::Json { path: path.to_path_buf(), source })
}

fn truth(path: &Path, id: &str, label: Label) -> Result<Invoice, ZugferdError> {
    let number = |field: &'static str, text: &Option<String>| decimal(path, field, text);
    let text = |value: Option<String>| value.filter(|text| !text.is_empty()).map(labelled);
    let document_type = match label.type_code.as_deref() {
        Some("381" | "384" | "261") => DocumentType::CreditNote,
        // No e-invoice is one, but drawn documents in the corpus' form are.
        Some("receipt") => DocumentType::Receipt,
        _ => DocumentType::Invoice,
    };
    let line = |line: LabelLine| {
        Ok::<_, ZugferdError>(Line {
            code: text(line.seller_id),
            description: text(line.name),
            quantity: number("quantity", &line.quantity)?,
            unit_price: number("net_price", &line.net_price)?,
            vat_rate: number("tax_rate", &line.tax_rate)?,
            line_total: number("line_total", &line.line_total)?,
            ..Line::default()
        })
    };
    let vat = |tax: LabelTax| {
        Ok::<_, ZugferdError>(Vat {
            rate: number("rate", &tax.rate)?,
            net: number("basis", &tax.basis)?,
            amount: number("amount", &tax.amount)?,
        })
    };
    let totals = |totals: LabelTotals| {
        Ok::<_, ZugferdError>(Totals {
            net: number("tax_basis_total", &totals.tax_basis_total)?,
            vat: number("tax_total", &totals.tax_total)?,
            gross: number("grand_total", &totals.grand_total)?,
        })
    };
    Ok(Invoice {
        source: id.to_owned(),
        document_type: document_type.into(),
        supplier: label.seller.map(supplier),
        customer: label.buyer.and_then(|buyer| text(buyer.name)).map(|name| Customer { name: Some(name) }),
        invoice_number: text(label.invoice_number),
        issue_date: text(label.issue_date),
        due_date: text(label.due_date),
        currency: text(label.currency),
        lines: label.lines.into_iter().map(line).collect::<Result<_, _>>()?,
        vat: label.tax.into_iter().map(vat).collect::<Result<_, _>>()?,
        totals: label.totals.map(totals).transpose()?,
        status: proto::invoice::Status::Ready.into(),
        ..Invoice::default()
    })
}

fn supplier(seller: LabelParty) -> Supplier {
    let LabelAddress { line1, line2, line3, postcode, city } = seller.address;
    let place = format!("{postcode} {city}").trim().to_owned();
    let address = [line1, line2, line3, place].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    Supplier {
        name: seller.name.filter(|name| !name.is_empty()).map(labelled),
        address: (!address.is_empty()).then(|| labelled(address)),
        vat_id: seller.tax_ids.get("VA").cloned().map(labelled),
        phone: None,
    }
}

/// A field known from the XML alone.
fn labelled(value: String) -> Field {
    Field { text: value.clone(), value, confidence: 1.0, ..Field::default() }
}

/// `text` as the contracts write decimals: `20.0000` is `20`, `9.90` is `9.90`.
fn decimal(path: &Path, field: &'static str, text: &Option<String>) -> Result<Option<Field>, ZugferdError> {
    let Some(text) = text.as_ref().filter(|text| !text.is_empty()) else { return Ok(None) };
    let number: rust_decimal::Decimal =
        text.parse().map_err(|_| ZugferdError::Number { path: path.to_path_buf(), field, text: text.clone() })?;
    let value = match field {
        "quantity" | "tax_rate" | "rate" => number.normalize().to_string(),
        _ if number.normalize().scale() <= 2 => format!("{number:.2}"),
        _ => number.normalize().to_string(),
    };
    Ok(Some(Field { text: text.clone(), value, confidence: 1.0, ..Field::default() }))
}

/// Joins words that stand close behind each other on one baseline to lines of text, top to bottom and left to right.
fn join_words(page: usize, words: &[(String, [f32; 4])]) -> Vec<TextLine> {
    let mut sorted: Vec<_> = words.iter().filter(|(text, _)| !text.trim().is_empty()).collect();
    sorted.sort_by(|(_, a), (_, b)| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let mut lines: Vec<Vec<&(String, [f32; 4])>> = Vec::new();
    for word in sorted {
        let step = |line: &Vec<&(String, [f32; 4])>| line.last().and_then(|last| baseline_step(last.1, word.1));
        let nearest = lines.iter().enumerate().filter_map(|(at, line)| Some((at, step(line)?))).min_by(|(_, a), (_, b)| a.total_cmp(b));
        match nearest {
            Some((line, _)) => lines[line].push(word),
            None => lines.push(vec![word]),
        }
    }
    let mut lines: Vec<TextLine> = lines.iter().map(|words| to_line(page, words)).collect();
    lines.sort_by(|a, b| a.quad.top().total_cmp(&b.quad.top()).then(a.quad.left().total_cmp(&b.quad.left())));
    lines
}

/// How far apart the baselines of a word and of the one right behind it are; `None` where they stand in different lines or columns.
fn baseline_step([_, above, right, below]: [f32; 4], [left, top, _, bottom]: [f32; 4]) -> Option<f32> {
    let (lower, gap, step) = ((below - above).min(bottom - top), left - right, (below - bottom).abs());
    let is_close = (-OVERLAP_MAX * lower..=WORD_GAP_MAX * (bottom - top)).contains(&gap);
    (is_close && step <= BASELINE_STEP_MAX * lower).then_some(step)
}

fn to_line(page: usize, words: &[&(String, [f32; 4])]) -> TextLine {
    let edge = |pick: fn(f32, f32) -> f32, i: usize| words.iter().map(|(_, edges)| edges[i]).reduce(pick).unwrap_or_default();
    let quad = Quad::from_edges(edge(f32::min, 0), edge(f32::min, 1), edge(f32::max, 2), edge(f32::max, 3));
    // As the engine reads a text layer: a minus is a hyphen.
    let text = words.iter().map(|(text, _)| text.trim()).collect::<Vec<_>>().join(" ").replace('\u{2212}', "-");
    TextLine { page, quad, text, confidence: 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined_on_their_baseline_and_parted_at_wide_gaps() {
        let word = |text: &str, left: f32, top: f32| (text.to_owned(), [left, top, left + 10.0 * text.len() as f32, top + 10.0]);
        let words = [word("9.90", 200.0, 11.0), word("Stout", 0.0, 10.0), word("Keg", 55.0, 10.5), word("Total", 0.0, 30.0)];
        let lines = join_words(1, &words);
        assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["Stout Keg", "9.90", "Total"]);
        let beside = [word("Brewery", 0.0, 10.0), word("Invoice", 75.0, 15.0), word("Cork", 75.0, 10.0)];
        assert_eq!(join_words(1, &beside).iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["Brewery Cork", "Invoice"]);
        assert_eq!(lines[0].quad.to_pixels(), [0, 10, 85, 10, 85, 21, 0, 21]);
        assert!(lines.iter().all(|line| line.page == 1));
    }

    #[test]
    fn decimals_take_the_form_of_the_contracts() {
        let path = Path::new("a.json");
        for (field, text, expected) in
            [("quantity", "20.0000", "20"), ("rate", "19.00", "19"), ("amount", "37.6", "37.60"), ("net_price", "0.125", "0.125")]
        {
            assert_eq!(decimal(path, field, &Some(text.into())).unwrap().unwrap().value, expected);
        }
        assert_eq!(decimal(path, "rate", &None).unwrap(), None);
        let error = decimal(path, "amount", &Some("1,5".into())).unwrap_err();
        assert_eq!(error.to_string(), "a.json: amount is \"1,5\", not a decimal number");
    }

    #[test]
    fn a_folder_without_labels_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(read(root.path()), Err(ZugferdError::NotZugferd(_))));
        fs::create_dir(root.path().join("json")).unwrap();
        fs::write(root.path().join("json/a.json"), "{}").unwrap();
        assert!(matches!(read(root.path()), Err(ZugferdError::Json { path, .. }) if path.ends_with("json/a.json")));
    }

    #[test]
    fn reads_the_corpus() {
        let Some(root) = crate::shared_data("data/invoices/zugferd-corpus") else { return };
        let invoices = read(&root).unwrap();
        assert!(invoices.len() > 40);
        assert!(
            invoices
                .iter()
                .filter(|invoice| invoice.trusted)
                .all(|invoice| invoice.truth.invoice_number.is_some() && !invoice.images.is_empty())
        );
        let simple = invoices.iter().find(|invoice| invoice.id == "zugferd_2p1_BASIC_Einfach").unwrap();
        assert_eq!(simple.truth.totals.as_ref().unwrap().gross.as_ref().unwrap().value, "235.62");
        assert!(simple.lines.iter().any(|line| line.text.contains("ZUGFeRD-Version: 2.1")));
    }

    /// Values as the labels have them, `None` where the label is left out and so not compared.
    fn said(field: &Option<Field>) -> Option<String> {
        field.as_ref().map(|field| field.value.clone())
    }

    /// The engine's reading of the XML, in the words of the contracts, against the labels that were taken from it.
    #[test]
    fn the_engine_reads_the_xml_of_the_corpus_as_it_is_labelled() {
        let Some(root) = crate::shared_data("data/invoices/zugferd-corpus") else { return };
        let mut count = 0;
        for labelled in read(&root).unwrap() {
            let Ok(xml) = fs::read(root.join("xml").join(format!("{}.xml", labelled.id))) else { continue };
            let e_invoice = engine::e_invoice::read(&xml).unwrap_or_else(|error| panic!("{}: {error}", labelled.id));
            let merged = engine::e_invoice::merge(Invoice::default(), &e_invoice);
            count += 1;
            let header = |invoice: &Invoice| {
                let totals = invoice.totals.clone().unwrap_or_default();
                let supplier = invoice.supplier.clone().unwrap_or_default();
                let customer = invoice.customer.clone().and_then(|customer| customer.name);
                [
                    said(&invoice.invoice_number),
                    said(&invoice.issue_date),
                    said(&invoice.currency),
                    said(&supplier.name),
                    said(&supplier.vat_id),
                    said(&customer),
                    said(&totals.net),
                    said(&totals.vat),
                    said(&totals.gross),
                ]
            };
            let squeeze = |text: &String| text.split_whitespace().collect::<Vec<_>>().join(" ");
            for (label, found) in header(&labelled.truth).iter().zip(header(&merged)).filter(|(label, _)| label.is_some()) {
                assert_eq!(label.as_ref().map(squeeze), found, "{}", labelled.id);
            }
            let totals = |invoice: &Invoice| invoice.lines.iter().filter_map(|line| said(&line.line_total)).collect::<Vec<_>>();
            assert_eq!(totals(&labelled.truth), totals(&merged), "{}", labelled.id);
        }
        assert!(count > 40, "{count}");
    }

    #[test]
    fn the_e_invoice_inside_a_pdf_is_found() {
        let Some(root) = crate::shared_data("data/invoices/zugferd-corpus") else { return };
        let mut found = 0;
        for entry in fs::read_dir(root.join("pdf")).unwrap() {
            let path = entry.unwrap().path();
            let document = engine::page::read(&[fs::read(&path).unwrap()]).unwrap();
            found += usize::from(matches!(document.e_invoice, Some(Ok(_))));
            assert!(!matches!(document.e_invoice, Some(Err(_))), "{}", path.display());
        }
        assert!(found >= 8, "{found}");
    }
}
