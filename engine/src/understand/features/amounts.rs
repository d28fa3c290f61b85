//! What arithmetic says of an amount: rank, repetition, sums and differences with the other amounts of the document.

use std::collections::{BTreeMap, BTreeSet};

use crate::understand::candidates::{Candidate, Kind};
use crate::understand::keywords::{Keyword, KeywordSet};
use crate::understand::rows::{ReadingOrder, part_of};

/// Numbers that arithmetic gives an amount.
pub(super) const AMOUNT_SIGNS: usize = 18;

/// A rounded total differs from the exact one by less than this, in hundredths (Malaysia rounds to five sen).
const ROUNDING_MAX: i64 = 3;

/// Rows of sums that may stand between the goods and an amount that adds them up.
const ROWS_SKIPPED_MAX: usize = 4;

/// Right edges of a column of amounts differ by less than this many line heights.
const COLUMN_EDGE_HEIGHTS: f32 = 1.5;

struct Amount {
    value: i64,
    row: usize,
    right: f32,
    page: usize,
}

/// The amounts of a document and what depends on all of them.
pub(super) struct Arithmetic<'a> {
    order: &'a ReadingOrder<'a>,
    amounts: Vec<Amount>,
    /// How often each value stands in the document.
    counts: BTreeMap<i64, usize>,
    /// Distinct positive values, the largest first.
    ranked: Vec<i64>,
    /// Values that are money handed over minus change.
    paid: BTreeSet<i64>,
    height: f32,
}

impl<'a> Arithmetic<'a> {
    pub(super) fn new(order: &'a ReadingOrder<'a>, candidates: &[Candidate], rows: &[KeywordSet]) -> Self {
        let amount = |c: &Candidate| Amount {
            value: c.value,
            row: order.row_of[c.line],
            right: part_of(order.lines[c.line], &c.range).right(),
            page: order.lines[c.line].page,
        };
        let amounts: Vec<Amount> = candidates.iter().filter(|c| c.kind == Kind::Amount).map(amount).collect();
        let mut counts = BTreeMap::new();
        for amount in &amounts {
            *counts.entry(amount.value).or_insert(0) += 1;
        }
        let ranked = counts.keys().rev().copied().filter(|value| *value > 0).collect();
        let paid = paid(&amounts, rows);
        Self { order, amounts, counts, ranked, paid, height: order.line_height() }
    }

    /// The signs of one amount; `None` for candidates of other kinds.
    pub(super) fn signs(&self, candidate: &Candidate) -> [f32; AMOUNT_SIGNS] {
        if candidate.kind != Kind::Amount {
            return [0.0; AMOUNT_SIGNS];
        }
        let value = candidate.value;
        let count = self.counts.get(&value).copied().unwrap_or(0);
        let largest = self.ranked.first().copied().unwrap_or(1).max(1);
        let rank = self.ranked.iter().position(|other| *other == value);
        let same_before = self.amounts.iter().filter(|a| a.value == value && a.row < self.order.row_of[candidate.line]).count();
        let flag = f32::from;
        [
            flag(rank == Some(0)),
            flag(rank == Some(1)),
            flag(rank == Some(2)),
            rank.map_or(0.0, |rank| 1.0 / (1.0 + rank as f32)),
            flag(count >= 2),
            flag(count >= 3),
            (count as f32 / 6.0).min(1.0),
            (value.unsigned_abs() as f32).ln_1p() / 14.0,
            (value as f32 / largest as f32).clamp(-1.0, 1.0),
            flag(value == 0),
            flag(value < 0),
            flag(same_before == 0),
            flag(same_before + 1 == count),
            flag(self.is_sum_of_two(value)),
            flag(self.adds_up_to(value, largest)),
            flag(self.paid.contains(&value)),
            flag(self.sums_column_above(candidate)),
            flag(self.rounds_another(value)),
        ]
    }

    fn is_sum_of_two(&self, value: i64) -> bool {
        self.ranked.iter().any(|a| value > *a && self.counts.contains_key(&(value - a)))
    }

    /// Whether another amount makes up the difference to the largest one.
    fn adds_up_to(&self, value: i64, largest: i64) -> bool {
        value > 0 && value < largest && self.counts.contains_key(&(largest - value))
    }

    fn rounds_another(&self, value: i64) -> bool {
        value > 0
            && value % 5 == 0
            && (1..ROUNDING_MAX).any(|d| self.counts.contains_key(&(value + d)) || self.counts.contains_key(&(value - d)))
    }

    /// Whether two or more amounts above in the same column, up to some row, make this sum.
    fn sums_column_above(&self, candidate: &Candidate) -> bool {
        let line = self.order.lines[candidate.line];
        let (row, right) = (self.order.row_of[candidate.line], part_of(line, &candidate.range).right());
        let aligned = |a: &&Amount| a.page == line.page && a.row < row && (a.right - right).abs() < COLUMN_EDGE_HEIGHTS * self.height;
        let above: Vec<i64> = self.amounts.iter().filter(aligned).map(|a| a.value).rev().collect();
        let sums_from = |skipped: usize| {
            let mut sum = 0;
            above.iter().skip(skipped).enumerate().any(|(i, value)| {
                sum += value;
                i > 0 && sum == candidate.value
            })
        };
        candidate.value > 0 && (0..=ROWS_SKIPPED_MAX).any(sums_from)
    }
}

fn paid(amounts: &[Amount], rows: &[KeywordSet]) -> BTreeSet<i64> {
    let with = |keywords: &'static [Keyword]| amounts.iter().filter(move |a| rows[a.row].has_any(keywords));
    let tendered = || with(&[Keyword::Cash, Keyword::Tender, Keyword::Card]);
    with(&[Keyword::Change]).flat_map(|change| tendered().map(move |cash| cash.value - change.value)).filter(|value| *value > 0).collect()
}
