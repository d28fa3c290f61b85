//! The sign before the decimals of an amount, told by the page: at the size of an invoice's print a point is three pixels, and so is a
//! comma, but a page writes its amounts one way.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::decode::Reading;
use crate::pattern::pattern;
use crate::text::words_in_place;

/// Amounts of the sign that the page writes, at least, and for each one of the other.
const VOTES_MIN: usize = 3;
const VOTES_EACH: usize = 2;

/// A word that is an amount of two decimals, with currency signs or brackets around it.
static AMOUNT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[^\d.,]{0,4}(?P<whole>\d{1,3}(?:[.,']\d{3})+|\d+)(?P<sign>[.,])(?P<decimals>\d{2})[^\d.,]{0,4}$"));
/// `14.00 Uhr`
static HOURS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^\W*(?:uhr|h|hrs|am|pm)\b"));

/// What stands before the decimals of an amount, and where.
struct Sign {
    at: usize,
    sign: char,
    /// Between its thousands.
    thousands: Option<char>,
}

/// Writes the amounts of one page with the sign that by far the most of them have.
pub fn mend(readings: &mut [Reading]) {
    // `1.234.50` speaks for neither.
    let all = || readings.iter().flat_map(|reading| signs(&reading.text)).filter(|sign| sign.thousands != Some(sign.sign));
    let [commas, points] = [',', '.'].map(|sign| all().filter(|found| found.sign == sign).count());
    let is_usual = |most: usize, rest: usize| most >= VOTES_MIN.max(VOTES_EACH * rest);
    let usual = match (is_usual(commas, points), is_usual(points, commas)) {
        (true, _) => ',',
        (_, true) => '.',
        _ => return,
    };
    for reading in readings {
        let strays: Vec<Sign> = signs(&reading.text).filter(|sign| sign.sign != usual && sign.thousands != Some(usual)).collect();
        for Sign { at, .. } in strays {
            reading.text.replace_range(at..=at, usual.encode_utf8(&mut [0; 1]));
        }
    }
}

/// Those of the amounts of a line that can be neither a day nor an hour.
fn signs(text: &str) -> impl Iterator<Item = Sign> {
    words_in_place(text).filter_map(move |(Range { start, end }, word)| {
        let found = AMOUNT.captures(word)?;
        let (whole, sign) = (&found["whole"], found.name("sign")?);
        let is_hour = HOURS.is_match(&text[end..]) || whole.starts_with('0') && whole.len() > 1;
        let first = |text: &str| text.chars().next();
        let thousands = whole.find(|c: char| !c.is_ascii_digit()).and_then(|at| first(&whole[at..]));
        (!is_hour && !is_day(&found)).then_some(Sign { at: start + sign.start(), sign: first(sign.as_str())?, thousands })
    })
}

/// `12.03`: a day of March.
fn is_day(found: &Captures) -> bool {
    let number = |name: &str| found[name].parse::<u32>().unwrap_or(u32::MAX);
    &found["sign"] == "." && (1..=31).contains(&number("whole")) && (1..=12).contains(&number("decimals"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_pages_sign() {
        for (lines, expected) in [
            (["12,50 € 3,99", "10.00", "EUR 1.250,75"], ["12,50 € 3,99", "10,00", "EUR 1.250,75"]),
            (["RM 109,70 RM9.00", "4.50 SR", "(1,250.00) 3.30"], ["RM 109.70 RM9.00", "4.50 SR", "(1,250.00) 3.30"]),
            (["12,50 3,99 7,00", "1.234.50 € 1,234.50", ""], ["12,50 3,99 7,00", "1.234,50 € 1,234.50", ""]),
            // Days and hours stay, and so do quantities and what too few amounts speak for.
            (
                ["12,50 3,99 7,00", "vom 12.03 bis 18.03 um 14.00 Uhr, 08.30", "10.00"],
                ["12,50 3,99 7,00", "vom 12.03 bis 18.03 um 14.00 Uhr, 08.30", "10,00"],
            ),
            (["12,50 3,99 7,00", "2.150 kg v2.1 3.25.1", "5.75% 9.9"], ["12,50 3,99 7,00", "2.150 kg v2.1 3.25.1", "5,75% 9.9"]),
            (["12,50 3,99 7,00", "10.00 20.00", ""], ["12,50 3,99 7,00", "10.00 20.00", ""]),
            (["12,50", "10.00", ""], ["12,50", "10.00", ""]),
        ] {
            let mut readings = lines.map(|text| Reading { text: text.into(), confidence: 1.0 });
            mend(&mut readings);
            assert_eq!(readings.map(|reading| reading.text), expected.map(String::from));
        }
    }
}
