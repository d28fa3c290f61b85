//! Words with their places, the numbers they print, and the cells that they make up.

use crate::pattern::pattern;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::geometry::Quad;
use crate::understand::candidates::{self, Kind};
use crate::understand::draft::{Column, Span};
use crate::understand::rows::{ReadingOrder, around, part_of};

/// A word of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word<'a> {
    /// Index in reading order.
    pub line: usize,
    /// Bytes of the line's text.
    pub range: Range<usize>,
    pub text: &'a str,
    /// Text of the line.
    pub whole: &'a str,
    pub quad: Quad,
}

impl<'a> Word<'a> {
    /// This word and the next one as one number whose thousands stand apart: `14 230`, `1 653,42`.
    pub fn joined(&self, next: &Self) -> Option<Self> {
        let range = self.range.start..next.range.end;
        let text = self.whole.get(range.clone()).filter(|text| next.follows(self) && text.contains(' ') && Number::read(text).is_some())?;
        let quad = around(&[self.quad, next.quad])?;
        Some(Self { line: self.line, range, text, whole: self.whole, quad })
    }

    /// Whether it stands right behind another word, in one line with it.
    pub fn follows(&self, before: &Self) -> bool {
        self.line == before.line && self.range.start == before.range.end + 1
    }

    /// Without the bracket or the stop behind it.
    pub fn without_bracket(&self) -> Self {
        let text = self.text.trim_end_matches([')', ']', ',', ';', '.']);
        let range = self.range.start..self.range.start + text.len();
        Self { text, range, ..self.clone() }
    }

    /// Without brackets around it: `(2.10)` in a description is no negative amount.
    pub fn unbracketed(&self) -> Self {
        match self.text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
            Some(inner) => Self { text: inner, range: self.range.start + 1..self.range.end - 1, ..self.clone() },
            None => self.clone(),
        }
    }

    pub fn number(&self) -> Option<Number> {
        Number::read(self.text)
    }

    /// A number, maybe with the sign of percent behind it.
    pub fn percentage(&self) -> Option<Number> {
        Number::of_percentage(self.text)
    }

    pub fn without_percent(&self) -> &'a str {
        without_percent(self.text)
    }

    /// What the number may be in millionths: `2,294` is so many thousands, or so many and a bit; so is `18.460`.
    pub fn millionths(&self) -> impl Iterator<Item = i64> + use<> {
        let number = self.number();
        let signs = self.text.matches([',', '.']).count();
        let decimal = number.filter(|n| n.decimals == 0 && signs == 1).map(|n| n.millionths / 1000);
        let grouped = number.filter(|n| n.decimals == 3 && signs == 1).map(|n| n.millionths.saturating_mul(1000));
        number.map(|number| number.millionths).into_iter().chain(decimal).chain(grouped)
    }

    /// An amount of money: a number with two decimals.
    pub fn amount(&self) -> Option<i64> {
        self.number().filter(|number| number.decimals == 2).map(|number| number.millionths)
    }

    /// A measure such as `PCS`, that stands between a quantity and a price.
    pub fn is_measure(&self) -> bool {
        MEASURES.contains(&self.text.trim_end_matches('.').to_uppercase().as_str())
    }

    pub fn is_digits(&self) -> bool {
        self.text.bytes().all(|byte| byte.is_ascii_digit())
    }

    pub fn is_date(&self) -> bool {
        candidates::find(0, self.text).iter().any(|candidate| candidate.kind == Kind::Date)
    }

    pub fn has_letters(&self) -> bool {
        self.text.chars().filter(|c| c.is_alphabetic()).count() > 1
    }
}

/// One piece, euro or percent, in millionths; prices of a kilowatt-hour have five decimals.
pub(super) const ONE: i64 = 1_000_000;
pub(super) const CENT: i64 = ONE / 100;

/// What goods are counted, weighed and poured in, as tills print it.
const MEASURES: [&str; 79] = [
    "PC", "PCS", "PCE", "PIECE", "PIECES", "EA", "EACH", "UNIT", "UNITS", "NOS", "SET", "SETS", "PAIR", "PAIRS", "PKT", "PKTS", "PACK",
    "PACKS", "BOX", "BOXES", "CTN", "CASE", "CASES", "BTL", "BTLS", "KEG", "KEGS", "ROLL", "ROLLS", "KG", "G", "L", "M", "STK", "SACK",
    "SACKS", "TUB", "TUBS", "TIN", "TINS", "JAR", "JARS", "DRUM", "DRUMS", "DRM", "PUN", "PUNNET", "HR", "HRS", "HOUR", "HOURS", "STD",
    "MTH", "KM", "DOZ", "DOZEN", "BAG", "BAGS", "TRAY", "TRAYS", "BUNCH", "HEAD", "LB", "LTR", "LITRE", "ST", "STÜCK", "FL", "KI", "KISTE",
    "KASTEN", "SACHET", "CAN", "CANS", "CRATE", "CRATES", "YR", "DAY", "DAYS",
];

/// `2X3.50`, `2X`, `@3.50`: numbers joined by a multiplication sign.
static PRODUCT: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?P<left>\d+(?:[.,]\d+)?)?[xX*@](?P<right>\d+(?:[.,]\d+)?)?$"));

/// The words of a row from left to right; multiplication signs and lone currency signs are no words.
pub(super) fn words<'a>(order: &ReadingOrder<'a>, row: Range<usize>) -> Vec<Word<'a>> {
    split(order, row, word_ranges)
}

/// The words of a row from left to right as they are printed; lone currency signs are none.
pub(super) fn plain_words<'a>(order: &ReadingOrder<'a>, row: Range<usize>) -> Vec<Word<'a>> {
    split(order, row, plain_word_ranges)
}

fn split<'a>(order: &ReadingOrder<'a>, row: Range<usize>, ranges: fn(&str) -> Vec<Range<usize>>) -> Vec<Word<'a>> {
    let mut words = Vec::new();
    for line in row {
        let whole = order.lines[line];
        for range in ranges(&whole.text) {
            let text = &whole.text[range.clone()];
            words.push(Word { line, quad: part_of(whole, &range), range, text, whole: &whole.text });
        }
    }
    words
}

/// A number and the percent sign behind it are one word.
fn plain_word_ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for word in text.split_whitespace().filter(|word| !is_currency(word)) {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        match ranges.last_mut().filter(|last| word == "%" && Number::read(&text[(**last).clone()]).is_some()) {
            Some(number) => number.end = start + word.len(),
            None => ranges.push(start..start + word.len()),
        }
    }
    ranges
}

fn word_ranges(text: &str) -> Vec<Range<usize>> {
    let factors = |range: Range<usize>| match PRODUCT.captures(&text[range.clone()]) {
        Some(product) => {
            let factors = [product.name("left"), product.name("right")].into_iter().flatten();
            factors.map(|factor| range.start + factor.start()..range.start + factor.end()).collect()
        }
        None => vec![range],
    };
    plain_word_ranges(text).into_iter().flat_map(factors).collect()
}

/// Also of one piece: `€/kg`.
fn is_currency(word: &str) -> bool {
    let sign = word.split('/').next().unwrap_or(word);
    matches!(sign.trim_end_matches([':', '.']), "RM" | "EUR" | "GBP" | "USD" | "€" | "£" | "$")
}

/// A printed number in [`ONE`]s; decimals behind the sixth are cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    pub millionths: i64,
    pub decimals: usize,
}

static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    let grouped = r"(?P<whole>\d{1,3}(?:[,.' ]\d{3})+|\d+)(?:[.,](?P<fraction>\d{1,6}))?";
    pattern(&format!(r"^(?P<sign>[-(])?(?:RM|EUR|€|£|\$)?(?P<minus>-)?{grouped}\)?-?(?:€|£|\$|EUR)?(?P<mark>[A-Z*])?$"))
});

fn without_percent(text: &str) -> &str {
    text.trim_end_matches(['%', ' '])
}

impl Number {
    /// Reads a whole word, maybe with the sign of percent behind it.
    pub fn of_percentage(word: &str) -> Option<Self> {
        Self::read(without_percent(word))
    }

    /// Reads a whole word.
    pub fn read(word: &str) -> Option<Self> {
        let captures = NUMBER.captures(word)?;
        let fraction = captures.name("fraction").map_or("", |fraction| fraction.as_str());
        let (whole, fraction) = match captures["whole"].split_once(['.', ',']) {
            Some((whole, thousandths)) if fraction.is_empty() && is_decimal(&captures["whole"]) => {
                (whole.to_string(), thousandths.to_string())
            }
            _ => (captures["whole"].replace([',', '.', '\'', ' '], ""), fraction.to_string()),
        };
        // A letter behind an amount is its tax code; behind another number it is a unit.
        if captures.name("mark").is_some() && fraction.len() != 2 {
            return None;
        }
        let whole: i64 = whole.parse().ok()?;
        let part: i64 = format!("{fraction:0<6}")[..6].parse().ok()?;
        let value = whole.checked_mul(ONE)?.checked_add(part)?;
        let negative = captures.name("sign").is_some() || captures.name("minus").is_some() || word.ends_with('-');
        Some(Self { millionths: if negative { -value } else { value }, decimals: fraction.len() })
    }
}

/// Whether the one sign in a number such as `1.250` or `0,755` is a decimal one: a point, or after a lone zero.
fn is_decimal(number: &str) -> bool {
    let signs = number.matches(['.', ',', '\'']).count();
    signs == 1 && (number.contains('.') || number.starts_with("0,"))
}

/// Whether quantity x price is the total, all in millionths, to a cent.
pub(super) fn is_product(quantity: i64, price: i64, total: i64) -> bool {
    let product = i128::from(quantity) * i128::from(price);
    (product - i128::from(ONE) * i128::from(total)).abs() <= i128::from(ONE * CENT)
}

/// The same, less a discount in percent.
pub(super) fn is_discounted_product(quantity: i64, price: i64, percent: i64, total: i64) -> bool {
    const WHOLE: i64 = 100 * ONE;
    // A percentage may be any number.
    let product = (i128::from(quantity) * i128::from(price)).saturating_mul(i128::from(WHOLE.saturating_sub(percent)));
    (product - i128::from(ONE) * i128::from(WHOLE) * i128::from(total)).abs() <= i128::from(ONE) * i128::from(WHOLE) * i128::from(CENT)
}

/// One cell of a row in the making.
#[derive(Debug, Clone)]
pub(super) struct Cell<'a> {
    pub column: Column,
    pub words: Vec<Word<'a>>,
}

impl Cell<'_> {
    /// The cell's value in millionths, where it is a single number, maybe with the sign of percent.
    pub fn millionths(&self) -> Option<i64> {
        match self.words.as_slice() {
            [word] => word.percentage().map(|number| number.millionths),
            [word, unit] if !unit.text.starts_with(|c: char| c.is_ascii_digit()) => word.number().map(|number| number.millionths),
            _ => None,
        }
    }

    /// All that the number may be.
    pub fn readings(&self) -> impl Iterator<Item = i64> + use<> {
        let others =
            self.words.first().filter(|_| self.words.len() == 1).into_iter().flat_map(|word| word.millionths().collect::<Vec<_>>());
        self.millionths().into_iter().chain(others).collect::<Vec<_>>().into_iter()
    }

    pub fn quad(&self) -> Option<Quad> {
        around_words(&self.words)
    }

    /// Mean width of a letter, in pixels.
    pub fn letter_width(&self) -> f32 {
        let letters: usize = self.words.iter().map(|word| word.text.chars().count()).sum();
        let width: f32 = self.words.iter().map(|word| word.quad.width()).sum();
        width / letters.max(1) as f32
    }

    /// The words as printed, with the multiplication signs between them.
    fn text(&self, order: &ReadingOrder) -> String {
        let mut text = String::new();
        let mut before: Option<&Word> = None;
        for word in &self.words {
            let same_line = before.filter(|before| before.line == word.line && before.range.end <= word.range.start);
            let between = same_line.map_or(" ", |before| &order.lines[word.line].text[before.range.end..word.range.start]);
            let is_sign = |c: char| c.is_whitespace() || matches!(c, 'x' | 'X' | '*' | '@');
            text.push_str(if between.chars().all(is_sign) { between } else { " " });
            text.push_str(word.text);
            before = Some(word);
        }
        text.trim_start().to_owned()
    }

    pub fn span(&self, order: &ReadingOrder, probability: f32) -> Option<Span> {
        let first = self.words.first()?;
        let text = self.text(order);
        let confidence = self.words.iter().map(|word| order.lines[word.line].confidence).sum::<f32>() / self.words.len() as f32;
        Some(Span { text, page: order.lines[first.line].page, quad: self.quad()?, probability: probability * confidence })
    }
}

/// The smallest quad around words.
pub(super) fn around_words(words: &[Word]) -> Option<Quad> {
    around(&words.iter().map(|word| word.quad).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_words() {
        let cases = [
            ("2", Some((2_000_000, 0))),
            ("2.00", Some((2_000_000, 2))),
            ("1,234.50", Some((1_234_500_000, 2))),
            ("1.234,50", Some((1_234_500_000, 2))),
            ("RM9.00", Some((9_000_000, 2))),
            ("11.32T", Some((11_320_000, 2))),
            ("-4.40", Some((-4_400_000, 2))),
            ("(4.40)", Some((-4_400_000, 2))),
            ("0.755", Some((755_000, 3))),
            ("1,0000", Some((1_000_000, 4))),
            ("0,0105", Some((10_500, 4))),
            ("1,250", Some((1_250_000_000, 0))),
            ("14 230", Some((14_230_000_000, 0))),
            ("1 653,42", Some((1_653_420_000, 2))),
            ("24 33", None),
            ("50L", None),
            ("24x330ml", None),
            ("A", None),
        ];
        for (word, expected) in cases {
            assert_eq!(Number::read(word).map(|n| (n.millionths, n.decimals)), expected, "{word}");
        }
    }

    #[test]
    fn products_come_apart_and_rates_keep_their_sign() {
        let text = "2X3.50 PALE @4.00 3 X RM 5.00 19 % %";
        let split = |ranges: Vec<Range<usize>>| ranges.into_iter().map(|range| &text[range]).collect::<Vec<_>>();
        assert_eq!(split(plain_word_ranges(text)), ["2X3.50", "PALE", "@4.00", "3", "X", "5.00", "19 %", "%"]);
        let words: Vec<&str> = word_ranges(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(words, ["2", "3.50", "PALE", "4.00", "3", "5.00", "19 %", "%"]);
    }
}
