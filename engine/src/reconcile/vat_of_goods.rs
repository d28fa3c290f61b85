//! What the VAT summary leaves unsaid and the rest of the document proves: the nets of rows that print none, and the whole summary where only
//! the goods print their rates.

use crate::pattern::pattern;
use std::{collections::BTreeMap, sync::LazyLock};

use regex::Regex;
use rust_decimal::Decimal;

use super::{
    Customs, fields,
    rows::{self, Known, Row},
    totals::{Total, Totals},
    vat_rows::{VAT_TOLERANCE, VatReading, vat_of},
};
use crate::understand::draft::{Column, Item};

/// The goods' totals in minor units by the rate that is printed beside them, in percent; `None` where one prints no rate or has no total.
pub fn by_rate(items: &[Item], rows: &[&Row], customs: &Customs) -> Option<BTreeMap<Decimal, i64>> {
    let mut sums = BTreeMap::new();
    for (item, row) in items.iter().zip(rows) {
        let rate = customs.rate(&rows::cell(item, Column::VatRate)?.text)?.normalize();
        *sums.entry(rate).or_default() += row.total?.value();
    }
    (!sums.is_empty()).then_some(sums)
}

/// Nets of rows that print rate and tax alone: what the other rows leave of the document's net, or what the goods at that rate sum to. Only
/// where the printed tax follows from it.
pub fn fill_nets(summary: &mut [VatReading], goods: Option<&BTreeMap<Decimal, i64>>, net: Option<i64>) {
    let missing: Vec<usize> = (0..summary.len()).filter(|&at| summary[at].net.is_none()).collect();
    let others: i64 = summary.iter().filter_map(|row| row.net).map(Known::value).sum();
    let left = net.filter(|_| missing.len() == 1).map(|net| net - others);
    for at in missing {
        let row = &mut summary[at];
        let (Some(rate), Some(amount)) = (row.rate.map(Known::value), row.amount.map(Known::value)) else { continue };
        let of_goods = goods.and_then(|goods| goods.get(&rate.normalize())).copied();
        let proven = |net: &i64| vat_of(*net, rate).is_some_and(|vat| (vat.abs() - amount.abs()).abs() <= VAT_TOLERANCE);
        row.net = left.into_iter().chain(of_goods).find(proven).map(Known::Computed);
    }
}

/// The summary of one rate: the only rate printed in percent anywhere on the document of which the net makes the VAT.
pub fn of_one_rate<'a>(texts: impl Iterator<Item = &'a str>, totals: &Totals, customs: &Customs) -> Option<Vec<proto::Vat>> {
    let (net, vat) = (totals.net?, totals.vat?);
    let printed =
        texts.flat_map(|text| PERCENT.captures_iter(text).filter_map(|found| found["rate"].replace(',', ".").parse::<Decimal>().ok()));
    let makes = |rate: &Decimal| {
        // Nothing is made by no rate alone.
        let is_exact = !rate.is_zero() || vat.minor_units() == 0;
        is_exact && vat_of(net.minor_units(), *rate).is_some_and(|made| (made - vat.minor_units()).abs() <= VAT_TOLERANCE)
    };
    let mut rates: Vec<Decimal> = printed.filter(makes).map(|rate| rate.normalize()).collect();
    rates.dedup();
    let [rate] = rates.as_slice() else { return None };
    let computed = |value: String| Some(fields::computed(value, net.confidence() * vat.confidence()));
    let amount = |total: Total| computed(customs.decimal(total.minor_units()).to_string());
    Some(vec![proto::Vat { rate: computed(rate.to_string()), net: amount(net), amount: amount(vat) }])
}

/// `20 %`, `13,5%`.
static PERCENT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|[^\d.,])(?P<rate>\d{1,2}(?:[.,]\d{1,2})?) ?%"));

/// The summary that the goods make: their totals by rate, where these and the tax on them are the document's net and VAT.
pub fn summary(goods: &BTreeMap<Decimal, i64>, totals: &Totals, customs: &Customs) -> Option<Vec<proto::Vat>> {
    let (net, vat) = (totals.net?, totals.vat?);
    let rows: Vec<(Decimal, i64, i64)> =
        goods.iter().map(|(rate, net)| Some((*rate, *net, vat_of(*net, *rate)?))).collect::<Option<_>>()?;
    let tolerance = VAT_TOLERANCE * rows.len() as i64;
    let is_sum = |whole: i64, part: fn(&(Decimal, i64, i64)) -> i64| (whole - rows.iter().map(part).sum::<i64>()).abs() <= tolerance;
    if !is_sum(net.minor_units(), |row| row.1) || !is_sum(vat.minor_units(), |row| row.2) {
        return None;
    }
    let computed = |value: String| Some(fields::computed(value, net.confidence() * vat.confidence()));
    let amount = |minor: i64| computed(customs.decimal(minor).to_string());
    Some(
        rows.into_iter()
            .map(|(rate, net, vat)| proto::Vat { rate: computed(rate.to_string()), net: amount(net), amount: amount(vat) })
            .collect(),
    )
}
