//! Features of candidates: the keywords around them, their shape, and arithmetic. No absolute position: a total is known by
//! its words and its sums, not by where it stands.

use super::amounts::{AMOUNT_SIGNS, Arithmetic};
use crate::understand::candidates::{Candidate, Kind};
use crate::understand::keywords::{Keyword, KeywordSet};
use crate::understand::rows::ReadingOrder;

/// Where keywords are looked for: just before, left in the row, right in the row, the rows above and below, the caption of
/// the column.
const SURROUNDINGS: usize = 6;

const SHAPE_SIGNS: usize = 14;

/// Numbers a candidate.
pub const CANDIDATE_SIGNS: usize = Kind::ALL.len() + SHAPE_SIGNS + AMOUNT_SIGNS + SURROUNDINGS * Keyword::COUNT;

/// Characters before a candidate that count as just before it.
const NEAR_CHARACTERS: usize = 18;

/// A caption holds at least this share of letters.
const CAPTION_LETTERS_MIN: f32 = 0.5;

pub(super) fn signs(order: &ReadingOrder, candidates: &[Candidate]) -> Vec<Vec<f32>> {
    let rows: Vec<KeywordSet> = order.rows.iter().map(|row| KeywordSet::find(&order.text(row.clone()))).collect();
    let arithmetic = Arithmetic::new(order, candidates, &rows);
    let one = |(i, candidate): (usize, &Candidate)| {
        let kinds = Kind::ALL.map(|kind| f32::from(kind == candidate.kind));
        let mut signs = Vec::with_capacity(CANDIDATE_SIGNS);
        signs.extend(kinds);
        signs.extend(shape_signs(order, candidates, i));
        signs.extend(arithmetic.signs(candidate));
        signs.extend(surroundings(order, &rows, candidate).into_iter().flat_map(KeywordSet::indicators));
        signs
    };
    candidates.iter().enumerate().map(one).collect()
}

fn surroundings(order: &ReadingOrder, rows: &[KeywordSet], candidate: &Candidate) -> [KeywordSet; SURROUNDINGS] {
    let (row, text) = (order.row(candidate.line), &order.lines[candidate.line].text);
    let before = format!("{} {}", order.text(row.start..candidate.line), &text[..candidate.range.start]);
    let after = format!("{} {}", &text[candidate.range.end..], order.text(candidate.line + 1..row.end));
    let near: String = before.chars().rev().take(NEAR_CHARACTERS).collect::<Vec<_>>().into_iter().rev().collect();
    let neighbour =
        |offset| order.row_at(order.row_of[candidate.line], offset).map_or(KeywordSet::default(), |row| rows[order.row_of[row.start]]);
    let caption = order.in_column(candidate.line, -1).map(|line| order.lines[line].text.as_str()).find(|text| is_caption(text));
    [
        KeywordSet::find(&near),
        KeywordSet::find(&before),
        KeywordSet::find(&after),
        neighbour(-1),
        neighbour(1),
        caption.map_or(KeywordSet::default(), KeywordSet::find),
    ]
}

fn is_caption(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count() as f32;
    letters >= CAPTION_LETTERS_MIN * text.chars().count() as f32
}

fn shape_signs(order: &ReadingOrder, candidates: &[Candidate], index: usize) -> [f32; SHAPE_SIGNS] {
    let candidate = &candidates[index];
    let line = order.lines[candidate.line];
    let text = &line.text[candidate.range.clone()];
    let length = text.chars().count() as f32;
    let count = |accept: fn(char) -> bool| text.chars().filter(|c| accept(*c)).count() as f32;
    let before = line.text[..candidate.range.start].trim_end();
    let same_kind = || candidates.iter().filter(|other| other.kind == candidate.kind);
    let same_value = same_kind().filter(|other| other.value == candidate.value).count();
    let earlier = candidates[..index].iter().filter(|other| other.kind == candidate.kind && other.value != candidate.value).count();
    let latest = same_kind().map(|other| other.value).max() == Some(candidate.value);
    let earliest = same_kind().map(|other| other.value).min() == Some(candidate.value);
    let row_text = order.text(order.row(candidate.line));
    [
        (length / 24.0).min(1.0),
        count(|c| c.is_ascii_digit()) / length.max(1.0),
        (count(|c| c.is_alphabetic()) / 6.0).min(1.0),
        f32::from(text.contains(['-', '/'])),
        f32::from(before.is_empty()),
        f32::from(before.ends_with([':', '#', '.'])),
        f32::from(candidate.range.end == line.text.trim_end().len()),
        f32::from(candidate.line + 1 == order.row(candidate.line).end),
        (same_value as f32 / 4.0).min(1.0),
        (earlier as f32 / 4.0).min(1.0),
        f32::from(earlier == 0),
        f32::from(latest),
        f32::from(earliest),
        f32::from(row_text.contains('%')),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::PageSize;
    use crate::understand::{candidates, testing};

    #[test]
    fn an_amount_knows_its_words_and_its_sums() {
        let line = |left: f32, top: f32, text: &str| testing::line(left, top, 60.0, text);
        let lines = [
            line(10.0, 0.0, "STOUT"),
            line(300.0, 0.0, "10.00"),
            line(10.0, 30.0, "LAGER"),
            line(300.0, 30.0, "2.50"),
            line(10.0, 60.0, "TOTAL"),
            line(300.0, 60.0, "12.50"),
        ];
        let pages = [PageSize { width: 400, height: 400 }];
        let order = ReadingOrder::new(&lines, &pages);
        let found: Vec<_> = order.lines.iter().enumerate().flat_map(|(i, line)| candidates::find(i, &line.text)).collect();
        let amounts: Vec<Vec<f32>> =
            signs(&order, &found).into_iter().zip(&found).filter(|(_, c)| c.kind == Kind::Amount).map(|(s, _)| s).collect();
        let arithmetic = |signs: &[f32]| signs[Kind::ALL.len() + SHAPE_SIGNS..][..AMOUNT_SIGNS].to_vec();
        let just_before = |signs: &[f32], keyword: Keyword| signs[CANDIDATE_SIGNS - SURROUNDINGS * Keyword::COUNT + keyword as usize];
        let total = &amounts[2];
        assert_eq!(total.len(), CANDIDATE_SIGNS);
        // largest, sum of two others, sum of the column above
        assert_eq!([0, 13, 16].map(|i| arithmetic(total)[i]), [1.0, 1.0, 1.0]);
        assert_eq!([0, 13, 16].map(|i| arithmetic(&amounts[0])[i]), [0.0, 0.0, 0.0]);
        assert_eq!(just_before(total, Keyword::Total), 1.0);
        assert_eq!(just_before(&amounts[0], Keyword::Total), 0.0);
    }
}
