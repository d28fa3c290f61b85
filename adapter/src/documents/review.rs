//! Why a document waits for a person.

use proto::{Field, Invoice, invoice::Status};
use rust_decimal::Decimal;

use super::purchase::{Obstacle, Purchase, value};
use crate::{business::Terms, source::chain};

/// Cents by which the sum of the lines may miss a total, for each line.
const LINE_TOLERANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// What keeps a document from posting by itself; empty: nothing.
pub fn reasons(invoice: &Invoice, purchase: &Result<Purchase, Obstacle>, terms: &Terms) -> Vec<String> {
    let mut reasons = match invoice.status() {
        Status::Ready => Vec::new(),
        Status::NeedsReview if invoice.review_reasons.is_empty() => vec!["the reader is not sure of it".to_owned()],
        Status::NeedsReview => invoice.review_reasons.clone(),
    };
    match purchase {
        Err(obstacle) => reasons.push(chain(obstacle)),
        Ok(purchase) => {
            reasons.extend(uncertain(invoice, terms.posting_confidence_ppm));
            let gross = purchase.amount.gross_minor.abs();
            let limit = terms.posting_limit_minor.filter(|limit| gross > *limit);
            let amount = |minor| purchase.amount.currency.decimal(minor);
            reasons.extend(limit.map(|limit| format!("{} is more than {}, which posts by itself", amount(gross), amount(limit))));
        }
    }
    reasons.dedup();
    reasons
}

/// What a person's corrections have left in doubt: the reader's own reasons are about what it read, not about what stands there now.
pub fn doubts(invoice: &Invoice) -> Vec<String> {
    let supplier = invoice.supplier.as_ref().is_some_and(|supplier| value(&supplier.name).is_some());
    let mut doubts = Vec::new();
    if !supplier {
        doubts.push("supplier.name is missing".to_owned());
    }
    doubts.extend(lines_miss_totals(invoice));
    doubts
}

/// Figures that are posted, but were read with too little confidence (parts per million).
fn uncertain(invoice: &Invoice, least_ppm: i64) -> Vec<String> {
    let totals = invoice.totals.as_ref();
    let posted: [(&str, Option<&Field>); 3] = [
        ("issue_date", invoice.issue_date.as_ref()),
        ("totals.gross", totals.and_then(|totals| totals.gross.as_ref())),
        ("totals.vat", totals.and_then(|totals| totals.vat.as_ref())),
    ];
    let doubtful = posted.into_iter().filter_map(|(name, field)| Some((name, field?)));
    let doubtful = doubtful.filter(|(_, field)| f64::from(field.confidence) * 1e6 < least_ppm as f64);
    doubtful.map(|(name, field)| format!("{name} {} is uncertain ({:.0} %)", field.value, field.confidence * 100.0)).collect()
}

/// The lines, where all have a total, sum to the net or to the gross.
fn lines_miss_totals(invoice: &Invoice) -> Option<String> {
    let number = |field: &Option<Field>| value(field).and_then(|text| text.parse::<Decimal>().ok());
    let amounts: Vec<Decimal> = invoice.lines.iter().map(|line| number(&line.line_total)).collect::<Option<_>>()?;
    let totals = invoice.totals.as_ref()?;
    let targets: Vec<Decimal> = [number(&totals.net), number(&totals.gross)].into_iter().flatten().collect();
    let sum: Decimal = amounts.iter().sum();
    let tolerance = LINE_TOLERANCE * Decimal::from(amounts.len());
    let first = targets.first()?;
    let misses = !amounts.is_empty() && targets.iter().all(|target| (target.abs() - sum.abs()).abs() > tolerance);
    misses.then(|| format!("the lines sum to {sum}, not to {first}"))
}
