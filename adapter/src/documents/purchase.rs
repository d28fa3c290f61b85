//! What a document means in the books: a purchase of a day, its gross and VAT, and the goods.

use jiff::civil::Date;
use proto::{Field, Invoice, Line, invoice::DocumentType};
use rust_decimal::Decimal;

use crate::{
    ledger::{GrossAmount, Settlement},
    money::{AmountError, Currency, divide_half_up},
    stock::pack::Pack,
    vat::Rate,
};

/// Minor units by which net + VAT may miss the gross: suppliers round by line and by rate, some the total to the next coin.
pub const TOTAL_TOLERANCE_MINOR: i64 = 5;
/// Descriptions that begin so are no goods.
const CHARGES: [&str; 14] = [
    "delivery",
    "carriage",
    "freight",
    "shipping",
    "postage",
    "deposit",
    "keg deposit",
    "container deposit",
    "discount",
    "rebate",
    "surcharge",
    "rounding",
    "service charge",
    "levy",
];

/// A document that can be posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Purchase {
    pub date: Date,
    pub amount: GrossAmount,
    pub settlement: Settlement,
    pub line_count: i64,
    pub goods: Vec<Goods>,
}

/// A line of goods; a credit note's quantities are negative.
#[derive(Debug, Clone, PartialEq)]
pub struct Goods {
    /// Index of the line in the document.
    pub line: usize,
    pub code: Option<String>,
    pub description: Option<String>,
    pub quantity: Decimal,
    pub unit: String,
    pub pack: Pack,
    /// What the line costs without VAT, where the document's lines make its net or its gross.
    pub value_minor: Option<i64>,
}

/// Why a document can't be posted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    #[error("a {0} is not posted: correct document_type where it is an invoice, a credit note or a receipt")]
    Type(String),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{field} {value:?} is no {expected}")]
    Unreadable { field: String, value: String, expected: &'static str },
    #[error("it is in {document}, the books are kept in {books}")]
    Currency { document: String, books: Currency },
    #[error("{field}")]
    Amount { field: String, source: AmountError },
    #[error("net {net} and VAT {vat} do not make {gross}")]
    Sum { net: String, vat: String, gross: String },
    #[error("VAT {vat} does not fit {gross}")]
    Vat { vat: String, gross: String },
}

impl Purchase {
    /// Reads the document for books kept in `currency`.
    pub fn of(invoice: &Invoice, currency: Currency) -> Result<Self, Obstacle> {
        let settlement = match invoice.document_type() {
            DocumentType::Invoice | DocumentType::CreditNote => Settlement::Owed,
            DocumentType::Receipt => Settlement::Paid,
            other => return Err(Obstacle::Type(other.as_str_name().to_lowercase().replace('_', " "))),
        };
        let printed = value(&invoice.currency).unwrap_or_default();
        if !printed.is_empty() && printed != currency.to_string() {
            return Err(Obstacle::Currency { document: printed.to_owned(), books: currency });
        }
        let date = value(&invoice.issue_date).ok_or(Obstacle::Missing("issue_date"))?;
        let date = date.parse().map_err(|_| unreadable("issue_date", date, "date YYYY-MM-DD"))?;
        let credit = invoice.document_type() == DocumentType::CreditNote;
        let sign = |amount: i64| if credit { -amount.abs() } else { amount };
        let (gross, vat) = totals(invoice, currency)?;
        let values = net_values(&invoice.lines, gross, vat, currency)?;
        let lines = invoice.lines.iter().zip(values).enumerate();
        let goods: Vec<_> = lines.map(|(at, (line, value))| goods(at, line, value, credit)).collect::<Result<_, _>>()?;
        Ok(Self {
            date,
            amount: GrossAmount { currency, gross_minor: sign(gross), vat_minor: sign(vat) },
            settlement,
            line_count: i64::try_from(invoice.lines.len()).unwrap_or(i64::MAX),
            goods: goods.into_iter().flatten().collect(),
        })
    }
}

/// Gross and VAT: as printed, else from what is.
fn totals(invoice: &Invoice, currency: Currency) -> Result<(i64, i64), Obstacle> {
    let totals = invoice.totals.clone().unwrap_or_default();
    let net = amount("totals.net", &totals.net, currency)?;
    let printed_gross = amount("totals.gross", &totals.gross, currency)?;
    let mut vat = amount("totals.vat", &totals.vat, currency)?;
    if vat.is_none() && !invoice.vat.is_empty() {
        let by_rate = invoice.vat.iter().map(|row| amount("vat.amount", &row.amount, currency));
        vat = by_rate.collect::<Result<Option<Vec<_>>, _>>()?.map(|amounts| amounts.into_iter().sum());
    }
    let gross = match (printed_gross, net) {
        (Some(gross), _) => gross,
        (None, Some(net)) => net + vat.ok_or(Obstacle::Missing("totals.gross"))?,
        (None, None) => return Err(Obstacle::Missing("totals.gross")),
    };
    // A document that shows no VAT gives none to reclaim.
    let vat = vat.or_else(|| net.map(|net| gross - net)).unwrap_or(0);
    let text = |minor| currency.decimal(minor);
    if let Some(net) = net
        && (net + vat - gross).abs() > TOTAL_TOLERANCE_MINOR
    {
        return Err(Obstacle::Sum { net: text(net), vat: text(vat), gross: text(gross) });
    }
    if vat.abs() > gross.abs() || vat.signum() * gross.signum() < 0 {
        return Err(Obstacle::Vat { vat: text(vat), gross: text(gross) });
    }
    Ok((gross, vat))
}

/// What each line costs without VAT. Lines that sum to the net are without VAT; of lines that sum to the gross each holds VAT as the document
/// does, or by its own rate where every line prints one. Lines that make neither prove nothing.
fn net_values(lines: &[Line], gross: i64, vat: i64, currency: Currency) -> Result<Vec<Option<i64>>, Obstacle> {
    let total = |(at, line): (usize, &Line)| amount(&format!("lines[{at}].line_total"), &line.line_total, currency);
    let totals: Option<Vec<i64>> = lines.iter().enumerate().map(total).collect::<Result<_, _>>()?;
    let Some(totals) = totals else { return Ok(vec![None; lines.len()]) };
    let sum = totals.iter().map(|total| i128::from(*total)).sum::<i128>();
    let makes = |whole: i64| (sum - i128::from(whole)).abs() <= i128::from(TOTAL_TOLERANCE_MINOR);
    if makes(gross - vat) {
        return Ok(totals.into_iter().map(Some).collect());
    }
    if !makes(gross) || gross == 0 {
        return Ok(vec![None; lines.len()]);
    }
    let rates: Option<Vec<Rate>> = lines.iter().map(rate).collect();
    let share = |total: i64| i64::try_from(divide_half_up(i128::from(total) * i128::from(gross - vat), gross.into())).ok();
    Ok(match rates {
        Some(rates) => totals.iter().zip(rates).map(|(total, rate)| Some(total - rate.vat_inside(*total))).collect(),
        None => totals.into_iter().map(share).collect(),
    })
}

fn rate(line: &Line) -> Option<Rate> {
    Rate::from_percent(Decimal::from_str_exact(value(&line.vat_rate)?).ok()?).ok()
}

/// `None` for a line that is no goods.
fn goods(at: usize, line: &Line, value_minor: Option<i64>, credit: bool) -> Result<Option<Goods>, Obstacle> {
    let (code, description) = (words(&line.code), words(&line.description));
    let is_charge = description.is_some_and(|description| {
        let description = description.trim().to_lowercase();
        CHARGES.iter().any(|charge| description.strip_prefix(charge).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)))
    });
    if is_charge || (code.is_none() && description.is_none()) {
        return Ok(None);
    }
    // Receipts seldom print the quantity of a single piece.
    let quantity = decimal(&format!("lines[{at}].quantity"), &line.quantity)?.unwrap_or(Decimal::ONE);
    Ok(Some(Goods {
        line: at,
        code: code.map(str::to_owned),
        description: description.map(str::to_owned),
        quantity: if credit { -quantity.abs() } else { quantity },
        unit: words(&line.unit).unwrap_or_default().to_owned(),
        pack: description.map_or(Pack::SINGLE, Pack::parse),
        value_minor: value_minor.map(|value| if credit { -value.abs() } else { value }),
    }))
}

/// The typed value of a field; `None` where the document has none.
pub(crate) fn value(field: &Option<Field>) -> Option<&str> {
    field.as_ref().map(|field| field.value.as_str()).filter(|value| !value.trim().is_empty())
}

/// The value of a field that is text anyway: as printed where nothing better is known.
pub(crate) fn words(field: &Option<Field>) -> Option<&str> {
    value(field).or_else(|| field.as_ref().map(|field| field.text.as_str()).filter(|text| !text.trim().is_empty()))
}

fn decimal(name: &str, field: &Option<Field>) -> Result<Option<Decimal>, Obstacle> {
    let number = value(field).map(|text| Decimal::from_str_exact(text.trim()).map_err(|_| unreadable(name, text, "decimal such as 12.50")));
    number.transpose()
}

pub(crate) fn amount(name: &str, field: &Option<Field>, currency: Currency) -> Result<Option<i64>, Obstacle> {
    let minor = |amount| currency.minor_units(amount).map_err(|source| Obstacle::Amount { field: name.to_owned(), source });
    decimal(name, field)?.map(minor).transpose()
}

fn unreadable(field: &str, value: &str, expected: &'static str) -> Obstacle {
    Obstacle::Unreadable { field: field.to_owned(), value: value.to_owned(), expected }
}
