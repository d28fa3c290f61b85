//! The till: an API that takes transactions and writes them into the database that Debezium watches.
//!
//! What comes in is checked to the last field before anything is written; a transaction is written whole or not at all, and once however often
//! a client that got no answer sends it.

mod api;
mod fake;
mod tables;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use api::{ApiDoc, router};
pub use tables::{Till, TillError};

use crate::{
    money::Currency,
    stock::LARGEST_QUANTITY,
    vat::{Rate, RateError},
};

/// Lines of a transaction.
pub const MOST_LINES: usize = 500;
/// Bytes of a request.
pub const LARGEST_REQUEST: usize = 256 << 10;
/// Letters of a name, a strength, an id.
const LONGEST_TEXT: usize = 200;
/// How far a till's clock may be ahead.
const CLOCK_AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// A transaction to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTransaction {
    /// Whose it is.
    #[schema(example = "pub")]
    pub user_id: String,
    /// When it was, with an offset from UTC; without it, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-01T19:30:00Z")]
    pub created_at: Option<String>,
    pub lines: Vec<NewLine>,
}

/// A unit sold. Of three pints there are three lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLine {
    #[schema(example = "Plain Stout")]
    pub name: String,
    /// Gross, a decimal as text, never a float; negative for a refund.
    #[schema(example = "5.80")]
    pub price: String,
    /// A fraction as text.
    #[schema(example = "0.23")]
    pub tax_rate: String,
    /// What leaves stock; absent or 0: a piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 568)]
    pub millilitre: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "4.2%")]
    pub alcohol: Option<String>,
}

/// A transaction as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Transaction {
    pub transaction_id: String,
    pub user_id: String,
    pub created_at: String,
    /// Gross, the sum of the lines' prices.
    #[schema(example = "5.80")]
    pub total: String,
    /// The VAT in it, the sum of the lines' VAT, each rounded half up to the cent.
    #[schema(example = "1.08")]
    pub tax: String,
    pub lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Line {
    pub product_id: String,
    #[serde(flatten)]
    pub line: NewLine,
}

/// What is wrong with a transaction, and where.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("user_id: give the id of a user")]
    NoUser,
    #[error("user_id: there is no user {0:?}")]
    UnknownUser(String),
    #[error("created_at: {0:?} is no point in time such as 2026-03-01T19:30:00Z")]
    NoTime(String),
    #[error("created_at: {0} lies in the future")]
    Future(Timestamp),
    #[error("lines: there are none")]
    NoLines,
    #[error("lines: {0} are more than {MOST_LINES}")]
    TooManyLines(usize),
    #[error("lines[{line}].{field}: it is empty")]
    Empty { line: usize, field: &'static str },
    #[error("lines[{line}].{field}: it has more than {LONGEST_TEXT} letters")]
    TooLong { line: usize, field: &'static str },
    #[error("lines[{line}].price: {text:?} is no amount such as \"5.80\"")]
    NoPrice { line: usize, text: String },
    #[error("lines[{line}].price: {price} has more decimals than its currency")]
    TooFine { line: usize, price: Decimal },
    #[error("lines[{line}].price: {source}")]
    Price { line: usize, source: crate::money::AmountError },
    #[error("lines[{line}].tax_rate: {text:?} is no fraction such as \"0.23\"")]
    NoRate { line: usize, text: String },
    #[error("lines[{line}].tax_rate: {source}")]
    Rate { line: usize, source: RateError },
    #[error("lines[{line}].millilitre: {millilitre} is not from 0 to {LARGEST_QUANTITY}")]
    Quantity { line: usize, millilitre: i64 },
}

/// A transaction that nothing is wrong with, and what it adds up to.
#[derive(Debug)]
struct Checked {
    created_at: Timestamp,
    total_minor: i64,
    tax_minor: i64,
}

impl NewTransaction {
    fn check(&self, now: Timestamp) -> Result<Checked, Invalid> {
        if self.user_id.trim().is_empty() || self.user_id.chars().count() > LONGEST_TEXT {
            return Err(Invalid::NoUser);
        }
        let created_at = match &self.created_at {
            Some(text) => text.parse::<Timestamp>().map_err(|_| Invalid::NoTime(text.clone()))?,
            None => now,
        };
        if created_at.duration_since(now) > CLOCK_AHEAD {
            return Err(Invalid::Future(created_at));
        }
        match self.lines.len() {
            0 => return Err(Invalid::NoLines),
            1..=MOST_LINES => {}
            lines => return Err(Invalid::TooManyLines(lines)),
        }
        let mut checked = Checked { created_at, total_minor: 0, tax_minor: 0 };
        for (index, line) in self.lines.iter().enumerate() {
            let (gross, vat) = line.check(index)?;
            checked.total_minor += gross;
            checked.tax_minor += vat;
        }
        Ok(checked)
    }
}

impl NewLine {
    /// Gross and the VAT in it, in cents.
    fn check(&self, line: usize) -> Result<(i64, i64), Invalid> {
        check_text(line, "name", &self.name)?;
        if let Some(alcohol) = &self.alcohol {
            check_text(line, "alcohol", alcohol)?;
        }
        let price: Decimal = self.price.parse().map_err(|_| Invalid::NoPrice { line, text: self.price.clone() })?;
        if price.normalize().scale() > Currency::EUR.minor_digits() {
            return Err(Invalid::TooFine { line, price });
        }
        let gross = Currency::EUR.minor_units(price).map_err(|source| Invalid::Price { line, source })?;
        let fraction: Decimal = self.tax_rate.parse().map_err(|_| Invalid::NoRate { line, text: self.tax_rate.clone() })?;
        let rate = Rate::from_fraction(fraction).map_err(|source| Invalid::Rate { line, source })?;
        match self.millilitre {
            Some(millilitre) if !(0..=LARGEST_QUANTITY).contains(&millilitre) => Err(Invalid::Quantity { line, millilitre }),
            _ => Ok((gross, rate.vat_inside(gross))),
        }
    }
}

fn check_text(line: usize, field: &'static str, text: &str) -> Result<(), Invalid> {
    if text.trim().is_empty() || text.contains('\0') {
        return Err(Invalid::Empty { line, field });
    }
    if text.chars().count() > LONGEST_TEXT { Err(Invalid::TooLong { line, field }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pint() -> NewLine {
        NewLine { name: "Stout".into(), price: "5.80".into(), tax_rate: "0.23".into(), millilitre: Some(568), alcohol: None }
    }

    fn checked(transaction: &NewTransaction) -> Result<(i64, i64), String> {
        let now = "2026-03-01T20:00:00Z".parse().unwrap();
        transaction.check(now).map(|checked| (checked.total_minor, checked.tax_minor)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_wrong_is_named() {
        let round =
            NewTransaction { user_id: "pub".into(), created_at: Some("2026-03-01T19:30:00+00:00".into()), lines: vec![pint(), pint()] };
        assert_eq!(checked(&round), Ok((1160, 216)));
        let with = |change: fn(&mut NewTransaction)| {
            let mut changed = round.clone();
            change(&mut changed);
            checked(&changed).unwrap_err()
        };
        for (said, named) in [
            (with(|round| round.user_id = " ".into()), "user_id: give the id of a user"),
            (with(|round| round.created_at = Some("yesterday".into())), "created_at: \"yesterday\" is no point in time"),
            (with(|round| round.created_at = Some("2036-03-01T19:30:00Z".into())), "created_at: 2036-03-01T19:30:00Z lies in the future"),
            (with(|round| round.lines.clear()), "lines: there are none"),
            (with(|round| round.lines = vec![pint(); 501]), "lines: 501 are more than 500"),
            (with(|round| round.lines[1].name = String::new()), "lines[1].name: it is empty"),
            (with(|round| round.lines[1].price = "NaN".into()), "lines[1].price: \"NaN\" is no amount"),
            (with(|round| round.lines[0].price = "5.805".into()), "lines[0].price: 5.805 has more decimals"),
            (with(|round| round.lines[0].price = "99999999999999".into()), "lines[0].price: 99999999999999 is more than"),
            (with(|round| round.lines[0].tax_rate = "23".into()), "lines[0].tax_rate: the VAT rate 23 is no fraction"),
            (with(|round| round.lines[0].millilitre = Some(-1)), "lines[0].millilitre: -1 is not from 0 to"),
        ] {
            assert!(said.starts_with(named), "{said}");
        }
    }
}
