//! Signs of runs of lines: where a name or an address begins and ends.

use crate::pattern::pattern;
use std::sync::LazyLock;

use regex::Regex;

use crate::geometry::Quad;
use crate::understand::keywords::{Keyword, KeywordSet};
use crate::understand::legal_form;
use crate::understand::rows::ReadingOrder;
use crate::understand::runs::Run;

use super::line::is_postcode;
use super::party::{self, PARTY_SIGNS};

/// Numbers that describe a run.
pub const RUN_SIGNS: usize = 4 + 4 * LINE_SIGNS + 8;
/// Of its first and last line and of those around it.
const LINE_SIGNS: usize = 10 + PARTY_SIGNS;

/// Where an address begins: a number, or a word for one.
static ADDRESS_START: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^\W*(?:N[O0]\b|L[O0]T|UNIT|BLO?C?K|LEVEL|SUITE|G[- ]?\d|\w{0,3}\d)"));

/// Of each run. What lines say and how high they are is asked once: there are seven runs and more a line.
pub(super) fn signs(order: &ReadingOrder, keywords: &[KeywordSet], runs: &[Run]) -> Vec<[f32; RUN_SIGNS]> {
    let parties = party::signs(order, keywords);
    let lines: Vec<_> =
        order.lines.iter().zip(keywords).zip(&parties).map(|((line, keywords), party)| line_signs(&line.text, *keywords, party)).collect();
    let height = order.line_height();
    runs.iter().map(|run| of_run(order, &lines, height, run)).collect()
}

/// `lines` are the signs of all lines, `height` is that of a typical one.
fn of_run(order: &ReadingOrder, lines: &[[f32; LINE_SIGNS]], height: f32, run: &Run) -> [f32; RUN_SIGNS] {
    let (first, last) = (run.lines[0], run.lines[run.lines.len() - 1]);
    let ends = [Some(first), Some(last), run.before, run.after];
    let length = [1, 2, 3, 5].map(|n| f32::from(run.lines.len() >= n));
    let lines = ends.into_iter().flat_map(|line| line.map_or([0.0; LINE_SIGNS], |line| lines[line]));
    let mut signs = [0.0; RUN_SIGNS];
    signs.iter_mut().zip(length.into_iter().chain(lines).chain(form(order, height, run))).for_each(|(sign, value)| *sign = value);
    signs
}

fn line_signs(text: &str, keywords: KeywordSet, party: &[f32; PARTY_SIGNS]) -> [f32; LINE_SIGNS] {
    // None where a line only ends the name that the line above began.
    let own_words = legal_form::own_words(text);
    let own = [
        1.0,
        f32::from(own_words.is_some()),
        f32::from(own_words.is_some_and(|words| words >= 1)),
        f32::from(own_words.is_some_and(|words| words >= 2)),
        f32::from(own_words == Some(0)),
        f32::from(ADDRESS_START.is_match(text)),
        f32::from(text.contains(|c: char| c.is_ascii_digit())),
        f32::from(text.split(|c: char| !c.is_alphanumeric()).any(is_postcode)),
        f32::from(text.trim_end().ends_with([',', '&', '-'])),
        f32::from(keywords.has(Keyword::Place)),
    ];
    let mut signs = [0.0; LINE_SIGNS];
    signs.iter_mut().zip(own.into_iter().chain(*party)).for_each(|(sign, value)| *sign = value);
    signs
}

/// How the run stands on the page: its gaps and heights beside those around it, and how its lines lie below each other.
fn form(order: &ReadingOrder, height: f32, run: &Run) -> [f32; 8] {
    let quad = |line: usize| &order.lines[line].quad;
    let gap = |above: usize, below: usize| ((quad(below).centre().y - quad(above).centre().y) / height / 4.0).clamp(0.0, 1.0);
    let inner = run.lines.windows(2).map(|pair| gap(pair[0], pair[1])).fold(0.0, f32::max);
    let (first, last) = (run.lines[0], run.lines[run.lines.len() - 1]);
    let heights = run.lines.iter().map(|line| quad(*line).height().max(1.0));
    let (low, high) = (heights.clone().fold(f32::INFINITY, f32::min), heights.fold(0.0, f32::max));
    let ratio = |other: Option<usize>, line: usize| {
        other.map_or(0.5, |other| (quad(line).height().max(1.0) / quad(other).height().max(1.0)).clamp(0.5, 2.0) / 2.0)
    };
    let shift = |at: fn(&Quad) -> f32| {
        let shifts = run.lines.windows(2).map(|pair| (at(quad(pair[0])) - at(quad(pair[1]))).abs() / height / 4.0);
        shifts.fold(0.0, f32::max).min(1.0)
    };
    [
        run.before.map_or(1.0, |before| gap(before, first)),
        inner,
        run.after.map_or(1.0, |after| gap(last, after)),
        low / high,
        ratio(run.before, first),
        ratio(run.after, last),
        shift(Quad::left),
        shift(|quad| quad.centre().x),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_begin_with_numbers() {
        for (text, expected) in
            [("NO. 1 JALAN", true), ("LOT 2685", true), ("12A, HIGH ST", true), ("IKEA CHERAS", false), ("NORTH ST", false)]
        {
            assert_eq!(ADDRESS_START.is_match(text), expected, "{text}");
        }
    }
}
