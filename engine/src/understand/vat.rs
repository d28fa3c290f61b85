//! Rows of a VAT summary, found where a rate, a net amount and its tax stand in one row and agree.

use std::ops::Range;

use super::beliefs::Beliefs;
use super::candidates::{Candidate, Kind};
use super::draft::{Span, VatRow};
use super::keywords::{Keyword, KeywordSet};
use super::labels::Tag;
use super::rows::ReadingOrder;

/// Rates that a bare number may be, in hundredths of a percent: those of Ireland, Britain, Germany, France, Malaysia and neighbours.
const RATES_BARE: [i64; 19] = [0, 210, 480, 500, 550, 600, 700, 800, 900, 1000, 1200, 1300, 1350, 1900, 2000, 2100, 2200, 2300, 2500];

/// A printed tax may differ from net x rate by this much, in hundredths of the currency.
const TAX_TOLERANCE: i64 = 1;

/// A rate is in hundredths of a percent.
const RATE_SCALE: i64 = 10_000;

/// One row a rate, in reading order; `span` says where a candidate stands.
pub(super) fn rows(
    order: &ReadingOrder,
    candidates: &[Candidate],
    beliefs: &Beliefs,
    span: impl Fn(&Candidate, f32) -> Span,
) -> Vec<VatRow> {
    let mut found: Vec<(i64, VatRow)> = Vec::new();
    for row in &order.rows {
        // A row that says so is one of VAT, whatever its neighbours are; then nothing may be taxed too.
        let says_tax = KeywordSet::find(&order.text(row.clone())).has(Keyword::Tax);
        let whole: Vec<Candidate> = row.clone().flat_map(|line| whole_rates(line, &order.lines[line].text, says_tax)).collect();
        let in_row: Vec<&Candidate> = candidates.iter().filter(|c| row.contains(&c.line)).chain(&whole).collect();
        let summary = row.clone().map(|line| beliefs.tags[line][Tag::Summary as usize]).fold(0.0, f32::max);
        let item = row.clone().map(|line| beliefs.tags[line][Tag::Item as usize]).fold(0.0, f32::max);
        if item > summary && !says_tax {
            continue;
        }
        if let Some((rate, net, tax)) = agreeing(&in_row)
            && found.iter().all(|(known, _)| *known != rate.value)
        {
            let cell = |candidate: &Candidate| Some(span(candidate, summary.max(0.5)));
            found.push((rate.value, VatRow { rate: cell(rate), net: cell(net), amount: cell(tax) }));
        }
    }
    found.into_iter().map(|(_, row)| row).collect()
}

/// Whole numbers that may be a rate whose sign stands in the column's caption. 0 is too frequent to be one everywhere.
fn whole_rates(line: usize, text: &str, with_zero: bool) -> Vec<Candidate> {
    let words = text.split(' ').scan(0, |next, word| {
        let start = std::mem::replace(next, *next + word.len() + 1);
        Some((start..start + word.len(), word))
    });
    let rate = |(range, word): (Range<usize>, &str)| {
        let value = 100 * word.parse::<u8>().ok().map(i64::from).filter(|_| word.len() <= 2)?;
        ((value > 0 || with_zero) && RATES_BARE.contains(&value)).then_some(Candidate { kind: Kind::Rate, line, range, value })
    };
    words.filter_map(rate).collect()
}

/// Rate, net and tax of one row with tax = net x rate; a rate with its sign is tried before a bare number.
fn agreeing<'a>(row: &[&'a Candidate]) -> Option<(&'a Candidate, &'a Candidate, &'a Candidate)> {
    let signed = row.iter().filter(|c| c.kind == Kind::Rate);
    let bare = row.iter().filter(|c| c.kind == Kind::Amount && RATES_BARE.contains(&c.value));
    let amounts = || row.iter().filter(|c| c.kind == Kind::Amount);
    for rate in signed.chain(bare) {
        for net in amounts().filter(|net| net.value > 0 && *net != rate) {
            let tax = amounts().find(|tax| *tax != net && *tax != rate && agrees(rate.value, net.value, tax.value));
            if let Some(tax) = tax {
                return Some((rate, net, tax));
            }
        }
    }
    None
}

fn agrees(rate: i64, net: i64, tax: i64) -> bool {
    let exact = net.saturating_mul(rate);
    (exact - tax.saturating_mul(RATE_SCALE)).abs() <= TAX_TOLERANCE * RATE_SCALE + RATE_SCALE / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understand::candidates;

    #[test]
    fn a_row_agrees_when_tax_is_net_times_rate() {
        let cases = [
            ("VAT 23% 100.00 23.00", Some(["23%", "100.00", "23.00"])),
            ("A 13.50 200.00 27.00", Some(["13.50", "200.00", "27.00"])),
            ("SR @ 6% 37.55 2.25", Some(["6%", "37.55", "2.25"])),
            ("ZR 0% 12.00 0.00", Some(["0%", "12.00", "0.00"])),
            ("VAT 23% 100.00 24.00", None),
            ("TOTAL 100.00 23.00", None),
            ("VAT (S) 275,00 7 19,25", Some(["7", "275,00", "19,25"])),
            ("3 ITEMS 0 12.00 0.00", None),
            ("VAT (E) 50,00 0 0,00", Some(["0", "50,00", "0,00"])),
        ];
        for (text, expected) in cases {
            let (all, whole) = (candidates::find(0, text), whole_rates(0, text, text.contains("VAT")));
            let row: Vec<&Candidate> = all.iter().chain(&whole).collect();
            let found = agreeing(&row).map(|(rate, net, tax)| [rate, net, tax].map(|c| &text[c.range.clone()]));
            assert_eq!(found, expected, "{text}");
        }
    }
}
