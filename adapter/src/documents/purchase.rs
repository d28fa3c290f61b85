//! What a document means in the books: a purchase of a day, its gross and VAT, and the goods.

use jiff::civil::Date;
use proto::{Field, Invoice, Line, invoice::DocumentType};
use rust_decimal::Decimal;

use crate::{
    ledger::{GrossAmount, Settlement},
    money::{AmountError, Currency},
    stock::pack::Pack,
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
        let goods: Vec<_> = invoice.lines.iter().enumerate().map(|(at, line)| goods(at, line, credit)).collect::<Result<_, _>>()?;
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

/// `None` for a line that is no goods.
fn goods(at: usize, line: &Line, credit: bool) -> Result<Option<Goods>, Obstacle> {
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
