//! Where on the pages a value is printed.

use std::ops::Range;

use jiff::civil::Date;
use proto::TextLine;
use rust_decimal::Decimal;

use crate::geometry::Quad;
use crate::text;
use crate::understand::candidates::{self, Candidate, Kind};
use crate::understand::rows::part_of;

/// A stretch of the text that prints a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub page: u32,
    pub quad: Quad,
    /// As printed.
    pub text: String,
}

/// The text of a document's pages, with the amounts and dates in it.
pub(super) struct Places {
    lines: Vec<text::TextLine>,
    candidates: Vec<Candidate>,
}

impl Places {
    pub fn new(lines: &[TextLine]) -> Self {
        let line = |line: &TextLine| text::TextLine {
            page: line.page as usize,
            quad: Quad::from_coordinates(std::array::from_fn(|i| line.quad.get(i).map_or(0.0, |c| *c as f32))),
            text: line.text.clone(),
            confidence: line.confidence,
        };
        let lines: Vec<_> = lines.iter().map(line).collect();
        let candidates = lines.iter().enumerate().flat_map(|(i, line)| candidates::find(i, &line.text)).collect();
        Self { lines, candidates }
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Of an amount with two decimals, signs aside: a credit note may print them or not.
    pub fn amount(&self, amount: Decimal) -> Option<Place> {
        let hundredths = amount.checked_mul(Decimal::ONE_HUNDRED).filter(Decimal::is_integer)?;
        let hundredths: i64 = hundredths.try_into().ok()?;
        self.candidate(|c| c.kind == Kind::Amount && c.value.unsigned_abs() == hundredths.unsigned_abs())
    }

    pub fn date(&self, date: Date) -> Option<Place> {
        let value = i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day());
        self.candidate(|c| c.kind == Kind::Date && c.value == value).or_else(|| self.text(&value.to_string()))
    }

    /// Of a text within one line, by its letters and digits; none where there are none.
    pub fn text(&self, text: &str) -> Option<Place> {
        let wanted: Vec<char> = letters_and_digits(text).map(|(_, c)| c).collect();
        self.lines.iter().find_map(|line| Some(place(line, stretch(&line.text, &wanted)?)))
    }

    fn candidate(&self, is: impl Fn(&Candidate) -> bool) -> Option<Place> {
        let found = self.candidates.iter().find(|c| is(c))?;
        Some(place(&self.lines[found.line], found.range.clone()))
    }
}

fn place(line: &text::TextLine, range: Range<usize>) -> Place {
    Place { page: line.page as u32, quad: part_of(line, &range), text: line.text[range].to_owned() }
}

/// The bytes of `text` whose letters and digits are the `wanted` ones.
fn stretch(text: &str, wanted: &[char]) -> Option<Range<usize>> {
    let characters: Vec<(Range<usize>, char)> = letters_and_digits(text).collect();
    let starts = characters.windows(wanted.len().max(1));
    let found = starts.filter(|_| !wanted.is_empty()).find(|window| window.iter().map(|(_, c)| c).eq(wanted))?;
    Some(found[0].0.start..found[found.len() - 1].0.end)
}

/// In lower case, each with its bytes.
fn letters_and_digits(text: &str) -> impl Iterator<Item = (Range<usize>, char)> {
    let alphanumeric = text.char_indices().filter(|(_, c)| c.is_alphanumeric());
    alphanumeric.flat_map(|(at, c)| c.to_lowercase().map(move |lower| (at..at + c.len_utf8(), lower)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_in_other_prints() {
        let line =
            |y: i32, text: &str| TextLine { page: 1, quad: vec![0, y, 100, y, 100, y + 10, 0, y + 10], text: text.into(), confidence: 1.0 };
        let places =
            Places::new(&[line(0, "Rechnung Nr. RE-20 17/1 vom 5.3.2024"), line(20, "Gesamt 1.234,50 EUR"), line(40, "ÄPFEL & Co.")]);
        let text = |place: Option<Place>| place.map(|place| (place.page, place.text));
        let found = |text: &str| Some((1, text.to_owned()));
        assert_eq!(text(places.text("re2017-1")), found("RE-20 17/1"));
        assert_eq!(text(places.text("Äpfel")), found("ÄPFEL"));
        assert_eq!(text(places.text("-")), None);
        assert_eq!(text(places.date(Date::constant(2024, 3, 5))), found("5.3.2024"));
        assert_eq!(text(places.date(Date::constant(2024, 5, 3))), None);
        assert_eq!(text(places.amount(Decimal::new(-123_450, 2))), found("1.234,50"));
        assert_eq!(text(places.amount(Decimal::new(1_234_501, 3))), None);
        assert_eq!(places.text("Co").unwrap().quad.top(), 40.0);
    }
}
