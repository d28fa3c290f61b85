//! A document as a person reads it: header, lines, VAT, totals, checks, what to review.

use std::fmt::{self, Display, Write};

use comfy_table::{Cell, CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use proto::{Field, Invoice, Line, Totals, Vat, field};

/// A column of a table of fields: its heading, its alignment, and where its field stands in a row.
type Column<Row> = (&'static str, CellAlignment, fn(&Row) -> &Option<Field>);

const LINE_COLUMNS: [Column<Line>; 8] = [
    ("Code", CellAlignment::Left, |line| &line.code),
    ("Description", CellAlignment::Left, |line| &line.description),
    ("Quantity", CellAlignment::Right, |line| &line.quantity),
    ("Unit", CellAlignment::Left, |line| &line.unit),
    ("Price", CellAlignment::Right, |line| &line.unit_price),
    ("Discount", CellAlignment::Right, |line| &line.discount),
    ("VAT %", CellAlignment::Right, |line| &line.vat_rate),
    ("Total", CellAlignment::Right, |line| &line.line_total),
];

const VAT_COLUMNS: [Column<Vat>; 3] = [
    ("VAT %", CellAlignment::Right, |vat| &vat.rate),
    ("Net", CellAlignment::Right, |vat| &vat.net),
    ("VAT", CellAlignment::Right, |vat| &vat.amount),
];

const TOTAL_COLUMNS: [Column<Totals>; 3] = [
    ("Net", CellAlignment::Right, |totals| &totals.net),
    ("VAT", CellAlignment::Right, |totals| &totals.vat),
    ("Gross", CellAlignment::Right, |totals| &totals.gross),
];

/// Displays a document as tables of text.
pub struct DocumentTable<'a>(pub &'a Invoice);

impl Display for DocumentTable<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let invoice = self.0;
        let (kind, status) = (invoice.document_type().as_str_name(), invoice.status().as_str_name());
        writeln!(out, "{}: {} ({} p.), {}", invoice.source, words(kind), invoice.pages.len(), words(status))?;
        write_header(out, invoice)?;
        write_rows(out, "Lines", &LINE_COLUMNS, &invoice.lines)?;
        write_rows(out, "VAT by rate", &VAT_COLUMNS, &invoice.vat)?;
        write_rows(out, "Totals", &TOTAL_COLUMNS, invoice.totals.as_slice())?;
        for check in &invoice.checks {
            let mark = if check.passed { "✓" } else { "✗" };
            writeln!(out, "{mark} {}: {}", check.name, check.detail)?;
        }
        for reason in &invoice.review_reasons {
            writeln!(out, "→ to review: {reason}")?;
        }
        if invoice.fields().iter().any(|(_, field)| !mark(field).is_empty()) {
            writeln!(out, "  = computed from other fields, * corrected by a person")?;
        }
        Ok(())
    }
}

/// What stands once in a document, with what the reader believes of it.
fn write_header(out: &mut impl Write, invoice: &Invoice) -> fmt::Result {
    let is_row = |path: &str| path.contains('[') || path.starts_with("totals.");
    let header = invoice.fields().into_iter().filter(|(path, _)| !is_row(path));
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["Field", "Value", "Confidence"]);
    for (path, field) in header {
        let confidence = Cell::new(format!("{:.0} %", 100.0 * field.confidence)).set_alignment(CellAlignment::Right);
        table.add_row([Cell::new(words(&path)), Cell::new(shown(field)), confidence]);
    }
    if table.is_empty() { Ok(()) } else { writeln!(out, "{table}") }
}

/// Rows of fields; columns without any field are left out.
fn write_rows<Row>(out: &mut impl Write, title: &str, columns: &[Column<Row>], rows: &[Row]) -> fmt::Result {
    let used: Vec<_> = columns.iter().filter(|(_, _, field)| rows.iter().any(|row| field(row).is_some())).collect();
    if used.is_empty() {
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(used.iter().map(|(heading, alignment, _)| Cell::new(heading).set_alignment(*alignment)));
    for row in rows {
        let cell =
            |(_, alignment, field): &&Column<Row>| Cell::new(field(row).as_ref().map(shown).unwrap_or_default()).set_alignment(*alignment);
        table.add_row(used.iter().map(cell));
    }
    writeln!(out, "{title}\n{table}")
}

/// The typed value, or the print where it has none.
fn shown(field: &Field) -> String {
    let value = if field.value.is_empty() { &field.text } else { &field.value };
    format!("{value}{}", mark(field))
}

fn mark(field: &Field) -> &'static str {
    match field.status() {
        field::Status::Read => "",
        field::Status::Computed => " =",
        field::Status::Corrected => " *",
    }
}

/// `supplier.vat_id` and `NEEDS_REVIEW` as words.
fn words(name: &str) -> String {
    name.to_lowercase().replace(['.', '_'], " ").replace("vat", "VAT")
}

#[cfg(test)]
mod tests {
    use proto::{Check, Customer, Page, Supplier, invoice};

    use super::*;

    fn field(text: &str, value: &str, confidence: f32) -> Option<Field> {
        Some(Field { text: text.into(), value: value.into(), confidence, ..Field::default() })
    }

    fn document() -> Invoice {
        let computed = Some(Field { value: "6.50".into(), confidence: 0.9, status: field::Status::Computed.into(), ..Field::default() });
        Invoice {
            source: "keg-and-co.pdf".into(),
            document_type: invoice::DocumentType::Invoice.into(),
            pages: vec![Page::default()],
            supplier: Some(Supplier {
                name: field("Keg & Co. Ltd", "Keg & Co. Ltd", 0.98),
                vat_id: field("IE 6388047V", "IE6388047V", 0.93),
                ..Supplier::default()
            }),
            customer: Some(Customer { name: field("The Cross Keys", "", 0.71) }),
            issue_date: field("12 March 2026", "2026-03-12", 0.99),
            lines: vec![
                Line {
                    description: field("Stout keg 50L", "Stout keg 50L", 0.97),
                    quantity: field("2", "2", 0.96),
                    line_total: field("28.26", "28.26", 0.95),
                    ..Line::default()
                },
                Line { description: field("Delivery", "Delivery", 0.9), ..Line::default() },
            ],
            vat: vec![Vat { rate: field("23%", "23", 0.9), net: field("28.26", "28.26", 0.9), amount: computed.clone() }],
            totals: Some(Totals { net: field("28.26", "28.26", 0.99), vat: computed, gross: field("34.76", "34.76", 0.99) }),
            checks: vec![
                Check { name: "totals".into(), passed: true, detail: "28.26 + 6.50 = 34.76".into() },
                Check { name: "lines".into(), passed: false, detail: "line 2 has no total".into() },
            ],
            review_reasons: vec!["lines: line 2 has no total".into()],
            ..Invoice::default()
        }
    }

    #[test]
    fn document_as_on_paper() {
        insta::assert_snapshot!(DocumentTable(&document()));
    }

    #[test]
    fn empty_document() {
        insta::assert_snapshot!(DocumentTable(&Invoice { source: "blank.png".into(), ..Invoice::default() }));
    }
}
