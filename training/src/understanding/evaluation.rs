//! Figures of a trained model on documents it never saw, from the draft alone: what reconciliation mends is not counted here.

use std::fmt::Write as _;

use anyhow::Result;
use datasets::sroie::Keys;
use engine::understand::Understander;
use engine::understand::draft::{Column, Draft, HeaderField, Item};
use proto::{Field, Invoice};

use super::labels::letters_and_digits;
use super::sources::Document;
use crate::metrics::Tally;
use crate::metrics::fields::{FieldTallies, KeyField};

/// The four key strings as the draft's best candidates have them, against the labels: raw and normalised F1 in percent, and what was
/// wrong.
pub fn receipts(understander: &Understander, documents: &[(Document, Keys)]) -> Result<String> {
    let mut tallies = FieldTallies::default();
    let mut report = String::new();
    for (document, keys) in documents {
        let draft = understander.draft(&document.lines, &document.pages)?;
        for field in KeyField::ALL {
            let (truth, header) = match field {
                KeyField::Company => (&keys.company, HeaderField::SupplierName),
                KeyField::Date => (&keys.date, HeaderField::IssueDate),
                KeyField::Address => (&keys.address, HeaderField::SupplierAddress),
                KeyField::Total => (&keys.total, HeaderField::Gross),
            };
            let found = best(&draft, header);
            if !tallies.add(field, truth, &found).normalised && !truth.is_empty() {
                writeln!(report, "{} {}: {truth:?}, read {found:?}", document.id, field.name())?;
            }
        }
    }
    for field in KeyField::ALL {
        writeln!(
            report,
            "{:8} raw {:5.1} normalised {:5.1}",
            field.name(),
            percent(tallies.raw(field)),
            percent(tallies.normalised(field))
        )?;
    }
    write!(report, "all      raw {:5.1} normalised {:5.1}", percent(tallies.raw_total()), percent(tallies.normalised_total()))?;
    Ok(report)
}

/// F1 in percent of each header field, of the document type, and of the cells of line items, compared by letters and digits. Items are
/// paired in order by their totals.
pub fn invoices(understander: &Understander, documents: &[(Document, Invoice)]) -> Result<String> {
    let mut fields = HEADER.map(|_| Tally::default());
    let mut columns = COLUMNS.map(|_| Tally::default());
    let (mut items, mut types) = (Tally::default(), Tally::default());
    for (document, truth) in documents {
        let draft = understander.draft(&document.lines, &document.pages)?;
        types += Tally::of_pairs((draft.document_type == truth.document_type()).into(), 1, 1);
        for (tally, (_, header, field)) in fields.iter_mut().zip(HEADER) {
            *tally += compare(field(truth).map_or("", |field| &field.text), &best(&draft, header));
        }
        let pairs = paired(truth, &draft);
        items += Tally::of_pairs(pairs.len(), draft.items.len(), truth.lines.len());
        for (line, item) in pairs {
            for (tally, (_, column, field)) in columns.iter_mut().zip(COLUMNS) {
                *tally += compare(field(line).map_or("", |field| &field.text), cell(item, column));
            }
        }
    }
    let mut report = format!("{} synthetic documents in layouts never seen: type {:.1}", documents.len(), percent(types));
    for (tally, (name, ..)) in fields.iter().zip(HEADER) {
        write!(report, ", {name} {:.1}", percent(*tally))?;
    }
    write!(report, "; items {:.1}", percent(items))?;
    for (tally, (name, ..)) in columns.iter().zip(COLUMNS) {
        write!(report, ", {name} {:.1}", percent(*tally))?;
    }
    Ok(report)
}

type OfInvoice = fn(&Invoice) -> Option<&Field>;

const HEADER: [(&str, HeaderField, OfInvoice); 11] = [
    ("supplier", HeaderField::SupplierName, |i| i.supplier.as_ref()?.name.as_ref()),
    ("address", HeaderField::SupplierAddress, |i| i.supplier.as_ref()?.address.as_ref()),
    ("vat id", HeaderField::SupplierVatId, |i| i.supplier.as_ref()?.vat_id.as_ref()),
    ("phone", HeaderField::SupplierPhone, |i| i.supplier.as_ref()?.phone.as_ref()),
    ("customer", HeaderField::CustomerName, |i| i.customer.as_ref()?.name.as_ref()),
    ("number", HeaderField::InvoiceNumber, |i| i.invoice_number.as_ref()),
    ("issued", HeaderField::IssueDate, |i| i.issue_date.as_ref()),
    ("due", HeaderField::DueDate, |i| i.due_date.as_ref()),
    ("net", HeaderField::Net, |i| i.totals.as_ref()?.net.as_ref()),
    ("vat", HeaderField::Vat, |i| i.totals.as_ref()?.vat.as_ref()),
    ("gross", HeaderField::Gross, |i| i.totals.as_ref()?.gross.as_ref()),
];

type OfLine = fn(&proto::Line) -> Option<&Field>;

const COLUMNS: [(&str, Column, OfLine); 5] = [
    ("code", Column::Code, |l| l.code.as_ref()),
    ("description", Column::Description, |l| l.description.as_ref()),
    ("quantity", Column::Quantity, |l| l.quantity.as_ref()),
    ("unit price", Column::UnitPrice, |l| l.unit_price.as_ref()),
    ("vat rate", Column::VatRate, |l| l.vat_rate.as_ref()),
];

fn best(draft: &Draft, field: HeaderField) -> String {
    draft.header.iter().find(|(of, _)| *of == field).map(|(_, span)| span.text.clone()).unwrap_or_default()
}

fn cell(item: &Item, column: Column) -> &str {
    item.cells.iter().find(|(of, _)| *of == column).map_or("", |(_, span)| span.text.as_str())
}

fn compare(truth: &str, found: &str) -> Tally {
    let (truth, found) = (letters_and_digits(truth), letters_and_digits(found));
    Tally::of_pairs((!truth.is_empty() && truth == found).into(), (!found.is_empty()).into(), (!truth.is_empty()).into())
}

/// Items of the truth and of the draft with equal totals, each taken once, in order.
fn paired<'a>(truth: &'a Invoice, draft: &'a Draft) -> Vec<(&'a proto::Line, &'a Item)> {
    let mut pairs = Vec::new();
    let mut next = 0;
    for line in &truth.lines {
        let Some(total) = line.line_total.as_ref().map(|total| letters_and_digits(&total.text)) else { continue };
        let found = draft.items[next..].iter().position(|item| letters_and_digits(cell(item, Column::LineTotal)) == total);
        if let Some(ahead) = found {
            pairs.push((line, &draft.items[next + ahead]));
            next += ahead + 1;
        }
    }
    pairs
}

fn percent(tally: Tally) -> f64 {
    100.0 * tally.f1()
}
