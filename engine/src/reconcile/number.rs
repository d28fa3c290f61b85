//! Printed numbers into decimals. A print may be read in more than one way (`1.234` with a decimal or a grouping point, a digit that the
//! recogniser took for a letter), so reading yields candidates with certainties and arithmetic decides among them.

use rust_decimal::Decimal;

/// What separates the decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalMark {
    Point,
    Comma,
}

/// One way to read a print.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading<T> {
    pub value: T,
    /// 0 to 1: how plain the print is, apart from how sure the recogniser was of its characters.
    pub certainty: f32,
}

/// Ways to read one number that are handed on.
pub const READINGS_MAX: usize = 3;
/// Digits that an amount, a quantity or a rate may have; longer ones are article numbers and the like.
const DIGITS_MAX: usize = 12;
/// Letters of a tax code that may be glued to an amount (`9.00SR`, `4.50ZRL`).
const TAX_CODE_LETTERS_MAX: usize = 3;

/// A letter stands where a digit should be.
const CONFUSED_DIGIT: f32 = 0.6;
/// A space beside or instead of a mark.
const STRAY_SPACE: f32 = 0.8;
/// The other mark than the document's.
const UNUSUAL_MARK: f32 = 0.9;
/// Groups that are not of three digits.
const ODD_GROUPS: f32 = 0.5;
/// A mark without decimals after it.
const BARE_MARK: f32 = 0.7;

impl DecimalMark {
    fn sign(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }

    /// By the amounts with two decimals in a document's text; `None` if they are few or disagree.
    pub fn of_text<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let (mut points, mut commas) = (0, 0);
        for word in lines.into_iter().flat_map(str::split_whitespace) {
            match two_decimals_after(word) {
                Some('.') => points += 1,
                Some(',') => commas += 1,
                _ => {}
            }
        }
        match (points, commas) {
            (0, 0) => None,
            (points, commas) if points > 2 * commas => Some(Self::Point),
            (points, commas) if commas > 2 * points => Some(Self::Comma),
            _ => None,
        }
    }
}

/// The mark of a word that ends in a mark and exactly two digits, signs around it aside.
fn two_decimals_after(word: &str) -> Option<char> {
    let mut backwards = word.trim_end_matches(|c: char| !c.is_ascii_digit()).chars().rev();
    let decimals = backwards.by_ref().take(2).filter(char::is_ascii_digit).count();
    let mark = backwards.next()?;
    let before = backwards.next()?;
    (decimals == 2 && matches!(mark, '.' | ',') && before.is_ascii_digit()).then_some(mark)
}

/// The digit that a recogniser may have taken for this letter.
pub fn confused_digit(letter: char) -> Option<char> {
    Some(match letter {
        'O' | 'o' | 'D' | 'Q' => '0',
        'I' | 'l' | 'L' | 'i' | '|' | '!' => '1',
        'Z' | 'z' => '2',
        'S' | 's' => '5',
        'G' | 'b' => '6',
        'B' => '8',
        _ => return None,
    })
}

/// Reads a number that stands alone: sign, digits, marks, perhaps a tax code glued to its end. Currency and percent signs are cut by the
/// caller. The most certain reading first, at most [`READINGS_MAX`]; none if the text is no number.
pub fn readings(text: &str, mark: Option<DecimalMark>) -> Vec<Reading<Decimal>> {
    let (negative, body) = cut_sign(text);
    let Some((body, certainty)) = numerals(cut_tax_code(body)) else { return Vec::new() };
    let mut readings = separate(&body, mark);
    for reading in &mut readings {
        reading.certainty *= certainty;
        if negative {
            reading.value.set_sign_negative(!reading.value.is_zero());
        }
    }
    best(readings)
}

/// The most certain readings, one for each value.
pub fn best<T: PartialEq>(mut readings: Vec<Reading<T>>) -> Vec<Reading<T>> {
    readings.sort_by(|a, b| b.certainty.total_cmp(&a.certainty));
    let mut kept: Vec<Reading<T>> = Vec::with_capacity(READINGS_MAX);
    for reading in readings {
        if kept.len() < READINGS_MAX && kept.iter().all(|k| k.value != reading.value) {
            kept.push(reading);
        }
    }
    kept
}

/// `-9.00`, `9.00-`, `(9.00)` and `9.00CR` are negative.
fn cut_sign(text: &str) -> (bool, &str) {
    let text = text.trim().trim_matches(|c| matches!(c, ':' | '=' | '*' | '#' | '~' | '+' | '"')).trim();
    let minus = |c| matches!(c, '-' | '\u{2212}' | '\u{2013}');
    if let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        return (true, inner.trim().trim_start_matches(minus));
    }
    if let Some(rest) = text.strip_suffix("CR").or_else(|| text.strip_suffix("cr")) {
        return (true, rest.trim());
    }
    let body = text.trim_matches(minus);
    (body.len() != text.len(), body.trim())
}

/// `9.00 SR` -> `9.00`: letters after two decimals say how a line is taxed.
fn cut_tax_code(text: &str) -> &str {
    let body = text.trim_end_matches(|c: char| c.is_ascii_uppercase() || matches!(c, '*' | '#'));
    let body = body.trim_end();
    let letters = text.len() - body.len();
    let is_code = letters > 0 && text[body.len()..].trim().len() <= TAX_CODE_LETTERS_MAX;
    if is_code && two_decimals_after(body).is_some() { body } else { text }
}

/// Digits, marks and grouping signs only, and how sure that is; look-alike letters become digits, stray spaces go.
fn numerals(text: &str) -> Option<(String, f32)> {
    let mut certainty = 1.0;
    let mut body = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '0'..='9' | '.' | ',' => body.push(c),
            '\'' | '\u{2019}' => body.push('\''),
            c if c.is_whitespace() => body.push(' '),
            c => {
                body.push(confused_digit(c)?);
                certainty *= CONFUSED_DIGIT;
            }
        }
    }
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    if digits == 0 || letters > digits || body.chars().filter(char::is_ascii_digit).count() > DIGITS_MAX {
        return None;
    }
    let tight = [" .", ". ", " ,", ", "].iter().fold(body.clone(), |body, loose| body.replace(loose, loose.trim()));
    if tight != body {
        certainty *= STRAY_SPACE;
    }
    Some((tight, certainty))
}

/// Decides which signs group digits and which one marks the decimals.
fn separate(body: &str, mark: Option<DecimalMark>) -> Vec<Reading<Decimal>> {
    let groups: Vec<&str> = body.split(|c: char| !c.is_ascii_digit()).collect();
    let signs: Vec<char> = body.chars().filter(|c| !c.is_ascii_digit()).collect();
    let Some(&last) = signs.last() else { return reading(body, "", 1.0).into_iter().collect() };
    let decimals = groups[groups.len() - 1];
    let grouped = || reading(&groups.concat(), "", grouping_certainty(&groups, &signs));
    let split = |certainty: f32| {
        let (whole, signs) = (&groups[..groups.len() - 1], &signs[..signs.len() - 1]);
        reading(&whole.concat(), decimals, certainty * grouping_certainty(whole, signs))
    };
    let usual = if mark.is_some_and(|m| m.sign() != last) { UNUSUAL_MARK } else { 1.0 };
    let readings = match (last, decimals.len()) {
        ('.' | ',', 0) => vec![split(BARE_MARK)],
        ('.' | ',', 3) if signs.contains(&last) && may_group(&groups, &signs) => {
            let decimal_share = match mark {
                _ if signs.len() > 1 => 0.02,
                Some(m) if m.sign() == last => 0.7,
                Some(_) => 0.05,
                None => 0.5,
            };
            let weigh = |r: Option<Reading<Decimal>>, share: f32| r.map(|r| Reading { certainty: r.certainty * share, ..r });
            vec![weigh(split(1.0), decimal_share), weigh(grouped(), 1.0 - decimal_share)]
        }
        ('.' | ',', _) => vec![split(usual)],
        (_, 3) => vec![grouped()],
        (' ', 2) => vec![split(STRAY_SPACE * ODD_GROUPS)],
        _ => Vec::new(),
    };
    readings.into_iter().flatten().collect()
}

/// Whether all signs could group digits: one kind of sign, a first group of one to three digits that is not zero.
fn may_group(groups: &[&str], signs: &[char]) -> bool {
    signs.iter().all(|s| *s == signs[0]) && (1..=3).contains(&groups[0].len()) && !groups[0].starts_with('0')
}

fn grouping_certainty(groups: &[&str], signs: &[char]) -> f32 {
    if signs.is_empty() || (may_group(groups, signs) && groups[1..].iter().all(|g| g.len() == 3)) { 1.0 } else { ODD_GROUPS }
}

fn reading(whole: &str, decimals: &str, certainty: f32) -> Option<Reading<Decimal>> {
    if whole.is_empty() && decimals.is_empty() {
        return None;
    }
    let mantissa: i64 = format!("0{whole}{decimals}").parse().ok()?;
    let scale = u32::try_from(decimals.len()).ok()?;
    Decimal::try_new(mantissa, scale).ok().map(|value| Reading { value, certainty })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, mark: Option<DecimalMark>) -> Vec<String> {
        readings(text, mark).iter().map(|r| r.value.to_string()).collect()
    }

    #[test]
    fn prints() {
        use DecimalMark::{Comma, Point};
        let cases: &[(&str, Option<DecimalMark>, &[&str])] = &[
            ("9.00", Some(Point), &["9.00"]),
            ("1,234.50", Some(Point), &["1234.50"]),
            ("1.234,50", Some(Comma), &["1234.50"]),
            ("1 234,50", None, &["1234.50"]),
            ("1'234.50", None, &["1234.50"]),
            ("1.234.567", None, &["1234567", "1234.567"]),
            ("1,234", Some(Point), &["1234", "1.234"]),
            ("9.000", Some(Point), &["9.000", "9000"]),
            ("0.123", Some(Comma), &["0.123"]),
            (".50", None, &["0.50"]),
            ("12", None, &["12"]),
            ("-5.59", None, &["-5.59"]),
            ("5.59-", None, &["-5.59"]),
            ("(5.59)", None, &["-5.59"]),
            ("5.59 CR", None, &["-5.59"]),
            ("0.00-", None, &["0.00"]),
            ("9.00 SR", None, &["9.00"]),
            ("9.00S", None, &["9.00"]),
            ("*9.00", None, &["9.00"]),
            ("9. 00", None, &["9.00"]),
            ("l2.5O", None, &["12.50"]),
            ("12 50", None, &["12.50"]),
            ("TOTAL", None, &[]),
            ("", None, &[]),
            (".", None, &[]),
            ("12:30", None, &[]),
            ("9556939040116", None, &[]),
        ];
        for (text, mark, expected) in cases {
            assert_eq!(read(text, *mark), *expected, "{text}");
        }
    }

    #[test]
    fn repaired_prints_are_less_certain() {
        let certainty = |text: &str| readings(text, Some(DecimalMark::Point))[0].certainty;
        assert_eq!(certainty("12.50"), 1.0);
        for doubtful in ["l2.50", "12. 50", "12,50", "12 50", "12."] {
            assert!(certainty(doubtful) < 1.0, "{doubtful}");
        }
    }

    #[test]
    fn marks_of_documents() {
        let cases: [(&[&str], _); 4] = [
            (&["A 9.00", "10.50 SR"], Some(DecimalMark::Point)),
            (&["9,00 €", "1.234,50"], Some(DecimalMark::Comma)),
            (&["9,00", "9.00"], None),
            (&["no amounts 12"], None),
        ];
        for (lines, mark) in cases {
            assert_eq!(DecimalMark::of_text(lines.iter().copied()), mark, "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(cents in 0i64..1_000_000_000, negative: bool) {
            let value = Decimal::new(if negative { -cents } else { cents }, 2);
            let digits = (cents / 100).to_string();
            let grouped: Vec<String> = digits.as_bytes().rchunks(3).rev().map(|g| String::from_utf8_lossy(g).into_owned()).collect();
            let sign = if negative && cents != 0 { "-" } else { "" };
            for (print, mark) in [
                (format!("{sign}{digits}.{:02}", cents % 100), DecimalMark::Point),
                (format!("{sign}{}.{:02}", grouped.join(","), cents % 100), DecimalMark::Point),
                (format!("{sign}{},{:02}", grouped.join("."), cents % 100), DecimalMark::Comma),
            ] {
                prop_assert_eq!(readings(&print, Some(mark)).first().map(|r| r.value), Some(value), "{}", print);
            }
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,24}") {
            let found = readings(&text, None);
            prop_assert!(found.len() <= READINGS_MAX);
            prop_assert!(found.iter().all(|r| r.certainty > 0.0 && r.certainty <= 1.0));
        }
    }
}
