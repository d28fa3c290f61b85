//! Invoices, credit notes and a receipt in 24 layouts that no generator of ours draws: pages as accounting programs, wholesalers and small firms
//! of several countries print them, written by hand as HTML and printed to PDF. Beside each stands what it says, as JSON.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{collections::BTreeMap, fs, path::Path};

use engine::engine::Engine;
use proto::{Field, Invoice};
use serde_json::Value;

/// Header fields that may be wrong, of 250: a customer whom no caption names stands beside the supplier, a number has a space in it.
const HEADER_ERRORS_MAX: usize = 3;

fn value(field: &Option<Field>) -> String {
    field.as_ref().map(|field| field.value.clone()).unwrap_or_default()
}

/// Amounts as amounts, texts by their letters and digits.
fn same(read: &str, truth: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    match (read.parse::<f64>(), truth.parse::<f64>()) {
        (Ok(read), Ok(truth)) => (read - truth).abs() < 1e-9,
        _ => letters(read) == letters(truth),
    }
}

fn header(invoice: &Invoice) -> BTreeMap<&'static str, String> {
    let supplier = invoice.supplier.clone().unwrap_or_default();
    let totals = invoice.totals.clone().unwrap_or_default();
    BTreeMap::from([
        ("type", invoice.document_type().as_str_name().to_owned()),
        ("supplier", value(&supplier.name)),
        ("vat_id", value(&supplier.vat_id)),
        ("customer", invoice.customer.as_ref().map(|customer| value(&customer.name)).unwrap_or_default()),
        ("number", value(&invoice.invoice_number)),
        ("date", value(&invoice.issue_date)),
        ("due", value(&invoice.due_date)),
        ("currency", value(&invoice.currency)),
        ("net", value(&totals.net)),
        ("vat", value(&totals.vat)),
        ("gross", value(&totals.gross)),
    ])
}

/// What differs: header fields; rows of the VAT summary and of goods.
fn compare(name: &str, invoice: &Invoice, truth: &Value) -> (Vec<String>, Vec<String>) {
    let read = header(invoice);
    let fields = truth.as_object().unwrap().iter().filter_map(|(field, value)| Some((field, value.as_str()?)));
    let wrong = fields.filter(|(field, value)| !same(&read[field.as_str()], value));
    let header = wrong.map(|(field, value)| format!("{name} {field}: {:?} instead of {value:?}", read[field.as_str()])).collect();
    let rates = invoice.vat.iter().map(|row| vec![value(&row.rate), value(&row.net), value(&row.amount)]).collect();
    let lines = invoice.lines.iter();
    let lines = lines.map(|line| vec![value(&line.description), value(&line.quantity), value(&line.unit_price), value(&line.line_total)]);
    let tables = [("rates", rates), ("lines", lines.collect::<Vec<_>>())];
    let rows = tables.into_iter().flat_map(|(table, read)| missing(name, table, &read, truth)).collect();
    (header, rows)
}

/// Rows of a table that were not read, or more than it has.
fn missing(name: &str, table: &str, read: &[Vec<String>], truth: &Value) -> Vec<String> {
    let Some(rows) = truth[table].as_array() else { return Vec::new() };
    let cells = |row: &Value| row.as_array().unwrap().iter().map(|cell| cell.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let is_read = |row: &[String]| read.iter().any(|read| read.iter().zip(row).all(|(read, cell)| same(read, cell)));
    let mut missing: Vec<String> =
        rows.iter().map(cells).filter(|row| !is_read(row)).map(|row| format!("{name} {table}: {row:?}")).collect();
    if missing.is_empty() && read.len() != rows.len() {
        missing.push(format!("{name} {table}: {read:?}"));
    }
    missing
}

#[test]
fn layouts_of_others_are_understood() {
    let engine = Engine::built_in().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/layouts");
    let (mut header, mut rows, mut documents) = (Vec::new(), Vec::new(), 0);
    for file in
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "pdf"))
    {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let truth = serde_json::from_slice(&fs::read(file.with_extension("json")).unwrap()).unwrap();
        let invoice = engine.extract(&name, &[fs::read(&file).unwrap()]).unwrap();
        let (wrong, missing) = compare(&name, &invoice, &truth);
        header.extend(wrong);
        rows.extend(missing);
        documents += 1;
    }
    assert!(documents >= 24, "{documents} documents in {}", folder.display());
    assert!(rows.is_empty(), "{rows:#?}");
    assert!(header.len() <= HEADER_ERRORS_MAX, "{header:#?}");
}
