//! What was handed over at the till, and what was given back.

use super::candidates::{Candidate, Kind};
use super::draft::{Payment, Span};
use super::keywords::{Keyword, KeywordSet};
use super::rows::ReadingOrder;

/// Rows between what was handed over and the change, at most.
const ROWS_MAX: usize = 4;

/// Words beside what was handed over.
const HANDED_OVER: [Keyword; 3] = [Keyword::Cash, Keyword::Tender, Keyword::Card];

/// The change with what was handed over above it; `span` says where a candidate stands.
pub(super) fn find(order: &ReadingOrder, candidates: &[Candidate], span: impl Fn(&Candidate) -> Span) -> Option<Payment> {
    let says = |row: usize, keywords: &[Keyword]| KeywordSet::find(&order.text(order.rows[row].clone())).has_any(keywords);
    let amount = |row: usize| candidates.iter().rfind(|c| c.kind == Kind::Amount && order.rows[row].contains(&c.line));
    let (row, change) =
        (0..order.rows.len()).rev().filter(|row| says(*row, &[Keyword::Change])).find_map(|row| Some((row, amount(row)?)))?;
    let above = (row.saturating_sub(ROWS_MAX)..row).rev().filter(|row| says(*row, &HANDED_OVER));
    let handed_over = above.filter_map(amount).find(|amount| amount.value >= change.value)?;
    Some(Payment { handed_over: span(handed_over), change: span(change) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Quad;
    use crate::text::{PageSize, TextLine};
    use crate::understand::find_candidates;

    fn found(texts: &[&str]) -> Option<(String, String)> {
        let line = |(i, text): (usize, &&str)| {
            let top = 30.0 * i as f32;
            TextLine { page: 0, quad: Quad::from_edges(0.0, top, 200.0, top + 20.0), text: text.to_string(), confidence: 1.0 }
        };
        let lines: Vec<TextLine> = texts.iter().enumerate().map(line).collect();
        let order = ReadingOrder::new(&lines, &[PageSize { width: 600, height: 600 }]);
        let candidates = find_candidates(&order);
        let span =
            |c: &Candidate| Span { text: lines[c.line].text[c.range.clone()].into(), page: 0, quad: lines[c.line].quad, probability: 1.0 };
        find(&order, &candidates, span).map(|payment| (payment.handed_over.text, payment.change.text))
    }

    #[test]
    fn change_and_what_was_handed_over() {
        let some = |handed_over: &str, change: &str| Some((handed_over.to_owned(), change.to_owned()));
        assert_eq!(found(&["TOTAL 9.00", "CASH 10.00", "CHANGE 1.00", "GST 0.51"]), some("10.00", "1.00"));
        assert_eq!(found(&["AMOUNT 5.00", "ACCEPTED TOTAL 10.00", "CHANGE 5.00"]), some("10.00", "5.00"));
        assert_eq!(found(&["TOTAL 15.15", "VISA 100.15", "BAKI 85.00"]), some("100.15", "85.00"));
        assert_eq!(found(&["TOTAL 9.00", "CHANGE 1.00"]), None);
        assert_eq!(found(&["TOTAL 9.00", "CASH 0.50", "CHANGE 1.00"]), None, "less than the change");
    }
}
