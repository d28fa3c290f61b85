//! An e-invoice and the pages that came with it become one document.

use std::error::Error;

use jiff::civil::Date;
use proto::{Check, Customer, Field, Invoice, Supplier, invoice::Status};
use rust_decimal::Decimal;

use super::places::{Place, Places};
use super::{EInvoice, EInvoiceError, Line, Party, Tax, rules};
use crate::reconcile::{
    checks::{self, check},
    quantity,
};

/// The sender wrote the value as data.
const CONFIDENCE: f32 = 0.99;
/// Amounts are written with at least so many decimals.
const AMOUNT_DECIMALS: u32 = 2;

/// What the e-invoice says takes the place of what was read on the pages of `read` (which has none where only XML came); what it
/// leaves out stays as read. The pages must print the number, the date and the total that the e-invoice says.
pub fn merge(read: Invoice, e_invoice: &EInvoice) -> Invoice {
    let places = Places::new(&read.text);
    let against_pages = against_pages(&read, e_invoice, &places);
    let mut merged = Invoice { document_type: e_invoice.document_type.into(), ..read };
    merge_header(&mut merged, e_invoice, &places);
    // Profiles without lines leave those of the page, and what was tested of them.
    if e_invoice.lines.is_empty() {
        merged.checks.retain(|check| check.name.starts_with("lines["));
    } else {
        merged.checks.clear();
        merged.lines = e_invoice.lines.iter().map(|item| line(item, &places)).collect();
    }
    if !e_invoice.taxes.is_empty() {
        merged.vat = e_invoice.taxes.iter().map(|row| tax(row, &places)).collect();
    }
    merged.checks.extend(rules::checks(e_invoice));
    merged.checks.extend(against_pages);
    // Its kind is said as data, with a page or without.
    checks::conclude(&mut merged, None);
    merged
}

/// A document whose e-invoice cannot be read waits for a person.
pub fn unreadable(mut read: Invoice, error: &EInvoiceError) -> Invoice {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let reason = format!("the PDF holds an e-invoice that can't be read: {error}{cause}");
    read.checks.push(check("e_invoice", false, reason.clone()));
    read.set_status(Status::NeedsReview);
    read.review_reasons.push(reason);
    read
}

fn merge_header(merged: &mut Invoice, e_invoice: &EInvoice, places: &Places) {
    let Party { name, address, vat_id, phone } = &e_invoice.seller;
    let Supplier { name: read_name, address: read_address, vat_id: read_vat_id, phone: read_phone } =
        merged.supplier.take().unwrap_or_default();
    let seller = Supplier {
        name: text(name, places).or(read_name),
        address: text(address, places).or(read_address),
        vat_id: text(vat_id, places).or(read_vat_id),
        phone: text(phone, places).or(read_phone),
    };
    merged.supplier = (seller != Supplier::default()).then_some(seller);
    if let Some(name) = text(&e_invoice.buyer.name, places) {
        merged.customer = Some(Customer { name: Some(name) });
    }
    let totals = merged.totals.get_or_insert_default();
    let sums = &e_invoice.totals;
    let said = [
        (&mut merged.invoice_number, text(&e_invoice.number, places)),
        (&mut merged.issue_date, e_invoice.issued.map(|day| date(day, places))),
        (&mut merged.due_date, e_invoice.due.map(|day| date(day, places))),
        (&mut merged.currency, e_invoice.currency.clone().map(|code| field(code, None))),
        (&mut totals.net, amount(sums.net, places)),
        (&mut totals.vat, amount(sums.vat, places)),
        (&mut totals.gross, amount(sums.gross, places)),
    ];
    for (field, said) in said {
        *field = said.or(field.take());
    }
}

fn line(line: &Line, places: &Places) -> proto::Line {
    let plain = |value: Option<Decimal>| value.map(|value| field(value.normalize().to_string(), None));
    proto::Line {
        code: text(&line.code, places),
        description: text(&line.description, places),
        quantity: plain(line.quantity),
        unit: line.unit.as_ref().map(|code| Field { text: code.clone(), ..field(quantity::of_recommendation(code), None) }),
        unit_price: amount(line.price, places),
        discount: amount(line.discount.filter(|off| !off.is_zero()), places),
        vat_rate: plain(line.vat_rate),
        line_total: amount(line.total, places),
    }
}

fn tax(tax: &Tax, places: &Places) -> proto::Vat {
    proto::Vat {
        rate: tax.rate.map(|rate| field(rate.normalize().to_string(), None)),
        net: amount(tax.net, places),
        amount: amount(tax.amount, places),
    }
}

/// That the pages print what makes the document: its number, date and total.
fn against_pages(read: &Invoice, e_invoice: &EInvoice, places: &Places) -> Vec<Check> {
    if read.pages.is_empty() {
        return Vec::new();
    }
    if places.is_empty() {
        return vec![check("e_invoice", false, "no text was found on the pages that the e-invoice could be checked against")];
    }
    let gross = e_invoice.totals.gross;
    let seen = [
        (
            "invoice_number",
            "number",
            e_invoice.number.clone(),
            e_invoice.number.as_ref().and_then(|n| places.text(n)),
            &read.invoice_number,
        ),
        ("issue_date", "date", e_invoice.issued.map(|d| d.to_string()), e_invoice.issued.and_then(|d| places.date(d)), &read.issue_date),
        (
            "totals.gross",
            "total",
            gross.map(two_decimals),
            gross.and_then(|gross| places.amount(gross)),
            read.totals.as_ref().map_or(&None, |totals| &totals.gross),
        ),
    ];
    let checks = seen.into_iter().filter_map(|(name, what, said, place, read)| {
        let said = said?;
        let detail = match (&place, read) {
            (Some(_), _) => format!("the e-invoice's {what} {said} is printed on the page"),
            (None, Some(read)) => format!("the e-invoice's {what} {said} is not printed on the page, where {:?} was read", read.text),
            (None, None) => format!("the e-invoice's {what} {said} is not printed on the page"),
        };
        Some(check(format!("e_invoice.{name}"), place.is_some(), detail))
    });
    checks.collect()
}

fn text(value: &Option<String>, places: &Places) -> Option<Field> {
    value.as_ref().map(|value| field(value.clone(), places.text(value)))
}

fn date(date: Date, places: &Places) -> Field {
    field(date.to_string(), places.date(date))
}

fn amount(amount: Option<Decimal>, places: &Places) -> Option<Field> {
    amount.map(|amount| field(two_decimals(amount), places.amount(amount)))
}

/// With the decimals of most currencies, or more.
pub(super) fn two_decimals(amount: Decimal) -> String {
    let mut amount = amount.normalize();
    amount.rescale(amount.scale().max(AMOUNT_DECIMALS));
    amount.to_string()
}

/// A value, as printed at its place or as the XML has it.
fn field(value: String, place: Option<Place>) -> Field {
    let (text, page, quad) = match place {
        Some(Place { page, quad, text }) => (text, Some(page), quad.to_pixels()),
        None => (value.clone(), None, Vec::new()),
    };
    Field { text, value, confidence: CONFIDENCE, page, quad, ..Field::default() }
}
