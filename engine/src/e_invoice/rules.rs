//! The rules of EN 16931 that tie an e-invoice's amounts together. What the invoice leaves out is not tested.

use proto::Check;
use rust_decimal::{Decimal, RoundingStrategy};

use super::merge::two_decimals;
use super::{EInvoice, Line, Tax};
use crate::reconcile::checks::check;

/// Products may be rounded differently by this, in units of the currency.
const TOLERANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// What is lost at most when a price is rounded.
const HALF_A_CENT: Decimal = Decimal::from_parts(5, 0, 0, false, 3);

/// Each rule that can be tested, named as the same test of a page is.
pub(super) fn checks(invoice: &EInvoice) -> Vec<Check> {
    let lines = invoice.lines.iter().enumerate().filter_map(|(i, line)| of_line(i, line));
    let taxes = invoice.taxes.iter().enumerate().filter_map(|(i, tax)| of_tax(i, tax));
    let sums = [of_line_sum(invoice), of_net(invoice), of_tax_sum(invoice), of_gross(invoice), of_dates(invoice)];
    lines.chain(taxes).chain(sums.into_iter().flatten()).collect()
}

fn rounded(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// A check that `computed` is `stated`.
fn agree(name: impl Into<String>, what: &str, computed: Decimal, stated: Decimal) -> Check {
    agree_within(TOLERANCE, name, what, computed, stated)
}

fn agree_within(tolerance: Decimal, name: impl Into<String>, what: &str, computed: Decimal, stated: Decimal) -> Check {
    let passed = rounded(computed).checked_sub(stated).is_some_and(|off| off.abs() <= tolerance);
    let relation = if passed { "is" } else { "is not" };
    check(name, passed, format!("{what} = {}, which {relation} {}", two_decimals(rounded(computed)), two_decimals(stated)))
}

/// quantity x price - discount = total. A price in whole cents may have been rounded before it was multiplied.
fn of_line(index: usize, line: &Line) -> Option<Check> {
    let (quantity, price, total) = (line.quantity?, line.price?, line.total?);
    let off = line.discount.unwrap_or_default();
    let discount = if off.is_zero() { String::new() } else { format!(" - {}", two_decimals(off)) };
    let what = format!("line {}: {} x {}{discount}", index + 1, quantity.normalize(), two_decimals(price));
    let rounding = if price.normalize().scale() <= 2 { quantity.abs().checked_mul(HALF_A_CENT)? } else { Decimal::ZERO };
    let computed = quantity.checked_mul(price)?.checked_sub(off)?;
    Some(agree_within(TOLERANCE + rounding, format!("lines[{index}].line_total"), &what, computed, total))
}

/// BR-CO-17
fn of_tax(index: usize, tax: &Tax) -> Option<Check> {
    let (rate, net, amount) = (tax.rate?, tax.net?, tax.amount?);
    let what = format!("{} % of {}", rate.normalize(), two_decimals(net));
    Some(agree(format!("vat[{index}].amount"), &what, net.checked_mul(rate)? / Decimal::ONE_HUNDRED, amount))
}

/// BR-CO-10
fn of_line_sum(invoice: &EInvoice) -> Option<Check> {
    let stated = invoice.totals.lines?;
    let totals = invoice.lines.iter().map(|line| line.total).collect::<Option<Vec<_>>>()?;
    let sum = sum(&totals)?;
    (!totals.is_empty()).then(|| agree("lines_sum", "the sum of the lines", sum, stated))
}

/// BR-CO-13
fn of_net(invoice: &EInvoice) -> Option<Check> {
    let totals = &invoice.totals;
    let (lines, net) = (totals.lines?, totals.net?);
    let (allowances, charges) = (totals.allowances.unwrap_or_default(), totals.charges.unwrap_or_default());
    let what = format!("{} - allowances {} + charges {}", two_decimals(lines), two_decimals(allowances), two_decimals(charges));
    Some(agree("net", &what, lines.checked_sub(allowances)?.checked_add(charges)?, net))
}

/// BR-CO-14
fn of_tax_sum(invoice: &EInvoice) -> Option<Check> {
    let stated = invoice.totals.vat?;
    let amounts = invoice.taxes.iter().map(|tax| tax.amount).collect::<Option<Vec<_>>>()?;
    let sum = sum(&amounts)?;
    (!amounts.is_empty()).then(|| agree("vat_sum", "the sum of VAT by rate", sum, stated))
}

/// BR-CO-15
fn of_gross(invoice: &EInvoice) -> Option<Check> {
    let totals = &invoice.totals;
    let (net, vat, gross) = (totals.net?, totals.vat?, totals.gross?);
    Some(agree("gross", &format!("{} + VAT {}", two_decimals(net), two_decimals(vat)), net.checked_add(vat)?, gross))
}

fn of_dates(invoice: &EInvoice) -> Option<Check> {
    crate::reconcile::checks::of_dates(invoice.issued, invoice.due)
}

fn sum(amounts: &[Decimal]) -> Option<Decimal> {
    amounts.iter().try_fold(Decimal::ZERO, |sum, amount| sum.checked_add(*amount))
}
