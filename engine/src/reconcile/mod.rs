//! Candidate fields into typed values that agree with each other.
//!
//! Every print can be read in one or more ways ([`number`], [`money`], [`date`], [`quantity`], [`vat_rates`], [`vat_id`]). Rows of goods
//! ([`rows`]) and of the VAT summary ([`vat_rows`]) prefer the readings that add up; net, VAT and gross are chosen jointly with what
//! the rows sum to ([`totals`]). What was not printed but follows is marked as computed, and what does not add up becomes a failed
//! check and a reason for a review ([`checks`]): nothing is corrected silently and nothing is dropped.

pub mod checks;
pub mod country;
pub mod date;
mod fields;
mod header;
mod line_sums;
pub mod money;
pub mod number;
pub mod quantity;
mod rows;
mod totals;
pub mod vat_id;
mod vat_of_goods;
pub mod vat_rates;
mod vat_rows;

use proto::{Customer, Invoice, Page, Supplier};
use rust_decimal::Decimal;

use self::{country::Country, date::DateOrder, money::Currency, number::DecimalMark, rows::Row, totals::Total, vat_rows::VatReading};
use crate::{
    register::Register,
    text::TextLine,
    understand::draft::{DocumentType, Draft, HeaderField},
};

/// A tax number from which on a supplier whose name was not found is the one that bears it.
const CERTAIN_NUMBER: f32 = 0.9;

/// How a document writes its values.
#[derive(Debug, Clone)]
pub struct Customs {
    country: Option<Country>,
    /// Of all amounts; where the document names none, one with two decimals.
    currency: Currency,
    mark: Option<DecimalMark>,
    date_order: DateOrder,
    /// The codes that stand for rates of VAT, and the rates in percent.
    rate_codes: Vec<(String, Decimal)>,
}

impl Customs {
    /// Minor units as a decimal of the document's currency.
    fn decimal(&self, minor_units: i64) -> Decimal {
        Decimal::new(minor_units, self.currency.decimals())
    }

    /// A rate of VAT in percent, printed as such or as a code that the document explains.
    fn rate(&self, print: &str) -> Option<Decimal> {
        let code = print.trim_matches(['(', ')', '[', ']']);
        let explained = self.rate_codes.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)).map(|(_, rate)| *rate);
        explained.or_else(|| vat_rates::read(print).first().map(|rate| rate.value))
    }
}

#[cfg(test)]
impl Default for Customs {
    fn default() -> Self {
        Self {
            country: None,
            currency: Currency::Eur,
            mark: Some(DecimalMark::Point),
            date_order: DateOrder::DayFirst,
            rate_codes: Vec::new(),
        }
    }
}

/// Types and chooses the fields of `draft`. `lines` are the document's text, which tells country, currency and decimal mark; `pages` its
/// pages; `register` knows suppliers seen before. `source` and pages are handed on in the result, whose `model` is left to the caller.
pub fn reconcile(source: &str, draft: &Draft, lines: &[TextLine], pages: &[Page], register: &Register) -> Invoice {
    let texts = || lines.iter().map(|line| line.text.as_str());
    let of_supplier = header::vat_id(draft, None).and_then(|(id, _)| id.country);
    let country = country::of_text(texts(), of_supplier);
    let currency = header::currency(draft, lines, country);
    let customs = Customs {
        country: country.map(|c| c.country),
        currency: currency.as_ref().map_or(Currency::Eur, |c| c.0),
        mark: DecimalMark::of_text(texts()).or(country.map(|c| c.country.decimal_mark())),
        date_order: country.map(|c| c.country.date_order()).unwrap_or_default(),
        rate_codes: draft
            .rate_codes
            .iter()
            .filter_map(|known| Some((known.code.clone(), vat_rates::read(&known.rate).first()?.value)))
            .collect(),
    };

    let readings: Vec<Vec<Row>> = draft.items.iter().map(|item| rows::readings(item, &customs)).collect();
    let mut summary: Vec<VatReading> = draft.vat.iter().map(|row| VatReading::of(row, &customs)).collect();
    let totals = totals::choose(draft, &readings, &summary, totals::rounds(texts(), &customs), &customs);
    let rows: Vec<&Row> = readings.iter().zip(&totals.picks).map(|(readings, &pick)| &readings[pick]).collect();
    let goods = vat_of_goods::by_rate(&draft.items, &rows, &customs);
    vat_of_goods::fill_nets(&mut summary, goods.as_ref(), totals.net.map(|net| net.minor_units()));
    let printed_vat = || draft.vat.iter().zip(&summary).map(|(row, reading)| reading.to_vat(row, &customs)).collect();
    let of_goods = || goods.as_ref().and_then(|goods| vat_of_goods::summary(goods, &totals, &customs));
    let unprinted = || of_goods().or_else(|| vat_of_goods::of_one_rate(texts(), &totals, &customs));
    let inferred = if summary.is_empty() { unprinted() } else { None };
    let vat_id = header::vat_id(draft, customs.country);
    let (issued, due) = header::dates(draft, &customs);
    let (issue_day, due_day) = (issued.as_ref().and_then(|d| d.0), due.as_ref().and_then(|d| d.0));

    let mut invoice = Invoice {
        source: source.to_owned(),
        document_type: draft.document_type.into(),
        pages: pages.to_vec(),
        supplier: supplier(draft, vat_id.as_ref().map(|(_, field)| field.clone()), register),
        customer: header::optional_text(draft, HeaderField::CustomerName).map(|name| Customer { name: Some(name) }),
        invoice_number: header::invoice_number(draft),
        issue_date: issued.map(|d| d.1),
        due_date: due.map(|d| d.1),
        currency: currency.map(|c| c.1),
        lines: draft.items.iter().zip(&rows).map(|(item, row)| row.to_line(item, &customs)).collect(),
        vat: inferred.unwrap_or_else(printed_vat),
        // What is no bill has no total, whatever its numbers are.
        totals: if draft.document_type == DocumentType::Other { None } else { to_totals(draft, &totals, &customs) },
        text: lines.iter().map(to_text).collect(),
        ..Invoice::default()
    };
    invoice.checks = checks::of_rows(&rows, &customs);
    invoice.checks.extend(checks::of_summary(&summary, &customs));
    invoice.checks.extend(checks::of_rates(&invoice, &customs, issue_day));
    invoice.checks.extend(checks::of_totals(&totals, &rows, &summary, &customs));
    invoice.checks.extend(checks::of_vat_id(vat_id.as_ref().map(|(id, _)| id)));
    invoice.checks.extend(checks::of_dates(issue_day, due_day));
    let doubt = checks::doubt_of_kind(&invoice, draft.document_type_probability);
    checks::conclude(&mut invoice, doubt);
    invoice
}

/// The gross total of a document that has one, however unlikely, stays: the confidence says how much it is worth.
fn to_totals(draft: &Draft, totals: &totals::Totals, customs: &Customs) -> Option<proto::Totals> {
    let field = |total: Total| {
        let value = customs.decimal(total.minor_units()).to_string();
        match total {
            Total::Read { span, confidence, .. } => fields::read(span, Some(value), confidence),
            Total::Summed { confidence, .. } | Total::Computed { confidence, .. } => fields::computed(value, confidence),
        }
    };
    let unreadable = || header::best(draft, HeaderField::Gross).map(|span| fields::read(span, None, span.probability));
    let [net, vat, gross] = [totals.net, totals.vat, totals.gross].map(|total| total.map(field));
    let found = proto::Totals { net, vat, gross: gross.or_else(unreadable) };
    (found != proto::Totals::default()).then_some(found)
}

fn supplier(draft: &Draft, vat_id: Option<proto::Field>, register: &Register) -> Option<Supplier> {
    let of_number = || vat_id.as_ref().filter(|id| id.confidence >= CERTAIN_NUMBER).and_then(|id| register.name_of(&id.value));
    let named = || of_number().map(|name| fields::computed(name.to_owned(), vat_id.as_ref().map_or(0.0, |id| id.confidence)));
    let found = Supplier {
        name: header::known_text(draft, HeaderField::SupplierName, &draft.longer_names, |print| register.name(print)).or_else(named),
        address: header::known_text(draft, HeaderField::SupplierAddress, &[], |print| register.address(print)),
        vat_id,
        phone: header::phone(draft),
    };
    (found != Supplier::default()).then_some(found)
}

fn to_text(line: &TextLine) -> proto::TextLine {
    proto::TextLine {
        page: u32::try_from(line.page).unwrap_or(u32::MAX),
        quad: line.quad.to_pixels(),
        text: line.text.clone(),
        confidence: line.confidence,
    }
}

#[cfg(test)]
mod tests;
