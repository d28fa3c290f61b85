//! What regular expressions and a list of words make of the same lines: the measure of what the network is worth.

use datasets::sroie::Keys;
use engine::text::{PageSize, TextLine};
use engine::understand::candidates::{Candidate, Kind};
use engine::understand::find_candidates;
use engine::understand::keywords::{Keyword, KeywordSet};
use engine::understand::rows::ReadingOrder;

/// Rows from the top that may name the company, and from the company on that may be its address.
const HEAD_ROWS: usize = 6;

/// The four strings of a receipt.
pub fn keys(lines: &[TextLine], page: PageSize) -> Keys {
    let pages = [page];
    let order = ReadingOrder::new(lines, &pages);
    let candidates = find_candidates(&order);
    let rows: Vec<(String, KeywordSet)> =
        order.rows.iter().map(|row| order.text(row.clone())).map(|text| (text.to_uppercase(), KeywordSet::find(&text))).collect();
    let company = company(&rows);
    Keys {
        company: company.map(|row| rows[row].0.clone()).unwrap_or_default(),
        address: company.map(|row| address(&rows[row + 1..])).unwrap_or_default(),
        date: candidates.iter().find(|c| c.kind == Kind::Date).map(|c| text(&order, c)).unwrap_or_default(),
        total: total(&order, &rows, &candidates).map(|c| text(&order, c)).unwrap_or_default(),
    }
}

/// The first row that names a legal form or a trade, else the first of words.
fn company(rows: &[(String, KeywordSet)]) -> Option<usize> {
    let head = || rows.iter().take(HEAD_ROWS);
    let legal = head().position(|(_, words)| words.has(Keyword::Legal));
    legal.or_else(|| head().position(|(text, _)| text.chars().filter(|c| c.is_alphabetic()).count() > 3))
}

/// From the first row with a word of places to the last one.
fn address(rows: &[(String, KeywordSet)]) -> String {
    let head = &rows[..rows.len().min(HEAD_ROWS)];
    let is_place = |(_, words): &(String, KeywordSet)| words.has(Keyword::Place) && !words.has_any(&[Keyword::Phone, Keyword::Fax]);
    let Some(first) = head.iter().position(is_place) else { return String::new() };
    let last = head.iter().rposition(is_place).unwrap_or(first);
    head[first..=last].iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(" ")
}

/// The largest amount in a row of totals, else the largest of all.
fn total<'a>(order: &ReadingOrder, rows: &[(String, KeywordSet)], candidates: &'a [Candidate]) -> Option<&'a Candidate> {
    let amounts = || candidates.iter().filter(|c| c.kind == Kind::Amount);
    let of_total = |c: &&Candidate| {
        let words = rows[order.row_of[c.line]].1;
        words.has(Keyword::Total) && !words.has_any(&[Keyword::Subtotal, Keyword::Tax, Keyword::Discount, Keyword::Excluded])
    };
    amounts().filter(of_total).max_by_key(|c| c.value).or_else(|| amounts().max_by_key(|c| c.value))
}

fn text(order: &ReadingOrder, candidate: &Candidate) -> String {
    order.lines[candidate.line].text[candidate.range.clone()].to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::geometry::Quad;

    #[test]
    fn a_plain_receipt() {
        let texts = [
            "TAX INVOICE",
            "ACME TRADING SDN BHD",
            "NO. 1, JALAN DUA",
            "50000 KUALA LUMPUR",
            "TEL 03-1234 5678",
            "01/02/2018",
            "SUBTOTAL 99.00",
            "TOTAL 9.00",
            "CASH 10.00",
        ];
        let line = |(i, text): (usize, &&str)| TextLine {
            page: 0,
            quad: Quad::from_edges(0.0, 30.0 * i as f32, 200.0, 30.0 * i as f32 + 20.0),
            text: text.to_string(),
            confidence: 1.0,
        };
        let lines: Vec<_> = texts.iter().enumerate().map(line).collect();
        let keys = keys(&lines, PageSize { width: 300, height: 300 });
        assert_eq!((keys.company.as_str(), keys.address.as_str()), ("ACME TRADING SDN BHD", "NO. 1, JALAN DUA 50000 KUALA LUMPUR"));
        assert_eq!((keys.date.as_str(), keys.total.as_str()), ("01/02/2018", "9.00"));
        assert_eq!(super::keys(&[], PageSize { width: 1, height: 1 }), Keys::default());
    }
}
