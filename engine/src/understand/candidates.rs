//! Stretches of text that may be a value: amounts, dates, rates, numbers of documents, of taxpayers, of telephones.
//!
//! Here only the shape decides; which candidate is the total or the invoice's date is for the network to say.

use crate::pattern::pattern;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What a candidate looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Amount,
    Date,
    /// A percentage, with its sign.
    Rate,
    /// The number of a document.
    Identifier,
    TaxNumber,
    Phone,
}

impl Kind {
    pub const ALL: [Self; 6] = [Self::Amount, Self::Date, Self::Rate, Self::Identifier, Self::TaxNumber, Self::Phone];
}

/// A stretch of one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub kind: Kind,
    /// Index of the line in reading order.
    pub line: usize,
    /// Bytes of the line's text.
    pub range: Range<usize>,
    /// Amounts in hundredths, rates in hundredths of a percent, dates as `yyyymmdd` (day before month where both would do);
    /// of the others a number of their digits and letters, equal where they are. Only for comparing: typed values are
    /// reconciliation's work.
    pub value: i64,
}

/// All candidates of one line's text, kind by kind, from left to right.
pub fn find(line: usize, text: &str) -> Vec<Candidate> {
    let digits = with_digits_restored(text);
    let candidate = |kind| move |(range, value)| Candidate { kind, line, range, value };
    let dates = dates(&digits);
    let rates = rates(&digits);
    let amounts: Vec<_> = amounts(&digits).into_iter().filter(|(range, _)| !overlaps(range, &dates) && !overlaps(range, &rates)).collect();
    // Spanish ones begin with a letter that may look like a digit.
    let as_printed = tax_numbers(text);
    let restored = if digits == text { Found::new() } else { tax_numbers(&digits) };
    let restored: Found = restored.into_iter().filter(|(range, _)| !overlaps(range, &as_printed)).collect();
    let phones: Vec<_> = phones(&digits).into_iter().filter(|(range, _)| !overlaps(range, &dates) && !overlaps(range, &amounts)).collect();
    let identifiers: Vec<_> =
        identifiers(&digits).into_iter().filter(|(range, _)| !overlaps(range, &dates) && !overlaps(range, &amounts)).collect();
    let mut found: Vec<Candidate> = amounts.into_iter().map(candidate(Kind::Amount)).collect();
    found.extend(dates.into_iter().chain(compact_dates(&digits)).map(candidate(Kind::Date)));
    found.extend(rates.into_iter().map(candidate(Kind::Rate)));
    found.extend(identifiers.into_iter().map(candidate(Kind::Identifier)));
    found.extend(as_printed.into_iter().chain(restored).map(candidate(Kind::TaxNumber)));
    found.extend(phones.into_iter().map(candidate(Kind::Phone)));
    found
}

type Found = Vec<(Range<usize>, i64)>;

fn overlaps(range: &Range<usize>, others: &Found) -> bool {
    others.iter().any(|(other, _)| range.start < other.end && other.start < range.end)
}

/// The text with letters that stand for digits (`O`, `l`, `S`, `B` ...) replaced where a word otherwise holds only digits and
/// signs. The length in bytes stays the same.
fn with_digits_restored(text: &str) -> String {
    text.split_inclusive(' ')
        .map(|word| if is_misread_number(word) { word.chars().map(as_digit).collect() } else { word.to_string() })
        .collect()
}

fn is_misread_number(word: &str) -> bool {
    let body = word.trim_start_matches("RM").trim_start_matches("EUR");
    let (mut digits, mut lookalikes) = (0, 0);
    for c in body.chars().filter(|c| c.is_alphanumeric()) {
        match c {
            _ if c.is_ascii_digit() => digits += 1,
            _ if as_digit(c).is_ascii_digit() => lookalikes += 1,
            _ => return false,
        }
    }
    lookalikes > 0 && digits >= lookalikes
}

fn as_digit(c: char) -> char {
    match c {
        'O' | 'o' | 'Q' | 'D' => '0',
        'I' | 'l' | 'i' | '|' => '1',
        'Z' | 'z' => '2',
        'S' | 's' => '5',
        'B' => '8',
        _ => c,
    }
}

static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)(?P<sign>-\s?)?(?P<currency>(?:RM|EUR|€|£|\$)\s?)?-?(?P<number>\d{1,3}(?:[.,' ]\d{3})+[.,]\d{2}|\d+[.,] ?\d{2})")
});
static WHOLE_AMOUNT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)(?:RM|EUR|€|£|\$) ?(?P<number>\d{1,6})"));

fn amounts(text: &str) -> Found {
    let mut found = Found::new();
    for captures in AMOUNT.captures_iter(text) {
        let (Some(all), Some(number)) = (captures.get(0), captures.name("number")) else { continue };
        if !stands_alone(text, number.range()) {
            continue;
        }
        let (before, after) = (&text[all.start()..number.start()], &text[number.end()..]);
        let apart = captures.name("currency").is_some_and(|currency| currency.as_str().ends_with(' '));
        // A minus belongs to the number, and so do brackets that mean one.
        let start = if apart { number.start() - usize::from(before.ends_with('-')) } else { all.start() };
        let bracketed = text[..start].ends_with('(');
        let in_brackets = bracketed && after.starts_with(')');
        let range = start - usize::from(in_brackets)..number.end() + usize::from(in_brackets || after.starts_with('-'));
        let negative = before.contains('-') || after.starts_with('-') || bracketed;
        if let Some(value) = hundredths(number.as_str()) {
            found.push((range, if negative { -value } else { value }));
        }
    }
    for captures in WHOLE_AMOUNT.captures_iter(text) {
        let (Some(all), Some(number)) = (captures.get(0), captures.name("number")) else { continue };
        let glued = text[..all.start()].ends_with(|c: char| c.is_alphabetic());
        if glued || !stands_alone(text, number.range()) || overlaps(&all.range(), &found) {
            continue;
        }
        let start = if all.as_str().contains(' ') { number.start() } else { all.start() };
        if let Ok(value) = number.as_str().parse::<i64>() {
            found.push((start..number.end(), 100 * value));
        }
    }
    found
}

/// Neither a part of a longer number, date or telephone number, nor a percentage.
fn stands_alone(text: &str, range: Range<usize>) -> bool {
    let mut before = text[..range.start].chars().rev();
    let glued_before = match before.next() {
        Some(c) if c.is_ascii_digit() => true,
        Some('.' | ',' | '/' | ':') => before.next().is_some_and(|c| c.is_ascii_digit()),
        _ => false,
    };
    let mut after = text[range.end..].chars();
    let glued_after = match after.next() {
        Some(c) if c.is_ascii_digit() || c == '%' => true,
        Some('.' | ',' | '/' | '-' | ':') => after.next().is_some_and(|c| c.is_ascii_digit()),
        Some(' ') => after.next() == Some('%'),
        _ => false,
    };
    !glued_before && !glued_after
}

/// The value of a printed number with two decimals; the last separator is the decimal one.
fn hundredths(number: &str) -> Option<i64> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

static RATE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?P<number>\d{1,2}(?:[.,] ?\d{1,2}0?)?) ?%"));

fn rates(text: &str) -> Found {
    let rate = |captures: regex::Captures| {
        let (all, number) = (captures.get(0)?, captures.name("number")?);
        let (whole, fraction) = number.as_str().split_once(['.', ',']).unwrap_or((number.as_str(), ""));
        let hundredths = format!("{:0<2}", fraction.trim_start())[..2].parse::<i64>().ok()?;
        Some((all.range(), whole.parse::<i64>().ok()? * 100 + hundredths))
    };
    RATE.captures_iter(text).filter_map(rate).collect()
}

const MONTHS: [&[&str]; 12] = [
    &["JAN", "GEN", "ENE"],
    &["FEB", "FEV", "FÉV"],
    &["MAR", "MRZ", "MÄR", "MAC", "MAA"],
    &["APR", "AVR", "ABR"],
    &["MAY", "MAI", "MEI", "MAG"],
    &["JUN", "JUIN", "GIU"],
    &["JUL", "JUIL", "LUG"],
    &["AUG", "AOU", "AOÛ", "OGO", "AGO"],
    &["SEP", "SET"],
    &["OCT", "OKT", "OTT", "OUT"],
    &["NOV"],
    &["DEC", "DEZ", "DÉC", "DIS", "DIC"],
];

/// The beginning of a month's name, and its rest.
const MONTH: &str = r"(?P<name>JAN|F[EÉ][BV]|MAR|MRZ|MÄR|MAC|MAAR|APR|AVR|ABRI|MA[IY]|MEI|JUI[NL]|JUN|JUL|AUG|OGO|AO[UÛ]|SEP|O[CK]T|NOV|D[EÉ][CZ]|DIS|GENN|ENER|MAGG|GIUG|LUGL|AGOS|SETT|SETE|OTTO|OUTU|DICE|DICI)[A-ZÉÛ]*";

/// ... and Italian and Spanish ones cut short, which mean other things where no whole year follows: `1 SET`.
const SHORT_MONTH: &str = r"(?P<name>GEN|ENE|ABR|MAG|GIU|LUG|AGO|SET|OTT|OUT|DIC)";

static DATES: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    [
        pattern(r"(?P<year>(?:19|20)\d{2})(?P<s> ?[-/.] ?)(?P<month>\d{1,2})(?P<t> ?[-/.] ?)(?P<day>\d{1,2})"),
        pattern(r"(?P<day>\d{1,2})(?P<s> ?[-/.] ?)(?P<month>\d{1,2})(?P<t> ?[-/.] ?)(?P<year>(?:19|20)\d{2}|\d{2})"),
        pattern(&format!(
            r"(?i)(?P<day>\d{{1,2}})(?:ST|ND|RD|TH)?[ ./,-]{{0,3}}(?:DE )?{MONTH}[ ./,'-]{{0,3}}(?:DEL? )?(?P<year>(?:19|20)\d{{2}}|\d{{2}})"
        )),
        pattern(&format!(r"(?i){MONTH}[ ./-]{{0,2}}(?P<day>\d{{1,2}})(?:ST|ND|RD|TH)?[ ./,-]{{1,3}}(?P<year>(?:19|20)\d{{2}})")),
        pattern(&format!(r"(?i)(?P<day>\d{{1,2}})[ ./-]{{1,2}}{SHORT_MONTH}[ ./-]{{1,2}}(?P<year>(?:19|20)\d{{2}})")),
    ]
});

fn dates(text: &str) -> Found {
    let mut found = Found::new();
    for form in DATES.iter() {
        let mut from = 0;
        while let Some(captures) = form.captures_at(text, from) {
            let Some(all) = captures.get(0) else { break };
            let is_date = date_stands_alone(text, all.range(), &captures) && !overlaps(&all.range(), &found);
            match date_value(&captures).filter(|_| is_date) {
                Some(value) => {
                    found.push((all.range(), value));
                    from = all.end();
                }
                // What only looked like one may hold the beginning of one: `REG #19- 18/01/2018`.
                None => from = all.start() + text[all.start()..].chars().next().map_or(1, char::len_utf8),
            }
        }
    }
    found
}

/// A time that is glued to a year: `17/01/201816:21`, `17/01/20184 21:53`.
static GLUED_TIME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d{1,2}(?::| ?[0-5]\d:)[0-5]\d"));

/// A time may be glued to a four-digit year; other digits may not, nor a fourth number (`05.22.95.66` is the beginning of a telephone
/// number), and two digits before a month are its day (`1 Jan - 28 Feb 2026`).
fn date_stands_alone(text: &str, range: Range<usize>, captures: &regex::Captures) -> bool {
    let separator = captures.name("s").map_or("", |s| s.as_str());
    let is_glued = |outwards: &mut dyn Iterator<Item = char>| match outwards.next() {
        Some(c) if separator.starts_with(c) => outwards.next().is_some_and(|c| c.is_ascii_digit()),
        next => next.is_some_and(|c| c.is_ascii_digit()),
    };
    let after = &text[range.end..];
    let glued_after = match captures["year"].len() {
        4 => after.starts_with(|c: char| c.is_ascii_digit()) && !GLUED_TIME.is_match(after),
        _ => is_glued(&mut after.chars()) || MONTH_NEXT.is_match(after),
    };
    !glued_after && !is_glued(&mut text[..range.start].chars().rev()) && !is_within_number(text, range)
}

/// `SP-18/06/09-1018481`: hyphens tie what looks like a date to letters or digits on both sides.
fn is_within_number(text: &str, range: Range<usize>) -> bool {
    let is_tied =
        |outwards: &mut dyn Iterator<Item = char>| outwards.next() == Some('-') && outwards.next().is_some_and(char::is_alphanumeric);
    is_tied(&mut text[..range.start].chars().rev()) && is_tied(&mut text[range.end..].chars())
}

static MONTH_NEXT: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"(?i)^(?:ST|ND|RD|TH)?[ .]{{0,2}}{MONTH}\b")));

static COMPACT_DATE: LazyLock<Regex> = LazyLock::new(|| {
    let (year, month, day) = (r"20[0-4]\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])");
    pattern(&format!(r"\b(?:(?P<year>{year})(?P<month>{month})(?P<day>{day})|(?P<d>{day})(?P<m>{month})(?P<y>{year}))\b"))
});

/// Without separators: `20181225`, `25122018`. Numbers of documents look like this too, so they are both.
fn compact_dates(text: &str) -> Found {
    let value = |captures: regex::Captures| {
        let number = |name: &str, other: &str| captures.name(name).or(captures.name(other))?.as_str().parse::<i64>().ok();
        Some((captures.get(0)?.range(), number("year", "y")? * 10_000 + number("month", "m")? * 100 + number("day", "d")?))
    };
    COMPACT_DATE.captures_iter(text).filter_map(value).collect()
}

/// `yyyymmdd`, day first unless only month first is a date.
fn date_value(captures: &regex::Captures) -> Option<i64> {
    // `03-7 - 15` is the beginning of a telephone number.
    if let (Some(s), Some(t)) = (captures.name("s"), captures.name("t"))
        && s.as_str() != t.as_str()
    {
        return None;
    }
    let number = |name: &str| captures.name(name)?.as_str().parse::<i64>().ok();
    let year = number("year").map(|year| if year < 100 { 2000 + year } else { year })?;
    let day = number("day")?;
    let (day, month) = match captures.name("name") {
        Some(name) => {
            let name = name.as_str().to_uppercase();
            (day, MONTHS.iter().position(|names| names.iter().any(|n| name.starts_with(n)))? as i64 + 1)
        }
        None => (day, number("month")?),
    };
    let (day, month) = if month > 12 && captures.name("name").is_none() { (month, day) } else { (day, month) };
    ((1..=31).contains(&day) && (1..=12).contains(&month)).then_some(year * 10_000 + month * 100 + day)
}

static IDENTIFIER: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z0-9][A-Za-z0-9/\-_.]{1,23}"));

/// Numbers of documents hold at least this many digits, or half as many and letters.
const IDENTIFIER_DIGITS_MIN: usize = 3;

fn identifiers(text: &str) -> Found {
    let identifier = |found: regex::Match| {
        let trimmed = found.as_str().trim_end_matches(['.', '-', '/']);
        let range = found.start()..found.start() + trimmed.len();
        let digits = trimmed.bytes().filter(u8::is_ascii_digit).count();
        let letters = trimmed.bytes().filter(u8::is_ascii_alphabetic).count();
        let enough = digits >= IDENTIFIER_DIGITS_MIN || (letters > 0 && trimmed.len() > 3 && 2 * digits >= IDENTIFIER_DIGITS_MIN);
        (enough && letters <= trimmed.len() / 2 + 2).then(|| (range, name_of(trimmed)))
    };
    IDENTIFIER.find_iter(text).filter_map(identifier).collect()
}

static TAX_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:NL[ -]?(?:\d[. ]?){9}[ -]?B[ .-]?\d{2}|(?:IE|GB|XI|DE|FR|NL|BE|ES|IT|AT|DK|PL|PT|LU|SE|FI|HU|RO|CZ|SK|SI|EE|LT|LV|CY|MT|EL|BG|HR)[ -]?[0-9A-Z][0-9A-Z+*]?[0-9 .-]{4,12}[0-9][A-Z]{0,2}|CHE[ -]?\d{3}[. ]?\d{3}[. ]?\d{3}(?: (?:MWST|TVA|IVA))?|\d{12}|\d{3} \d{4} \d{2}|[A-Z]\d{2}-\d{4}-\d{8}|\d{2,3}/\d{3}/\d{5})\b",
    )
});

/// Without its country: behind a caption, or alone in its line. `VAT Number 902643195`, `VAT Reg. No. 8878278TH`.
static BARE_TAX_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    let caption = r"(?i:\b(?:VAT|V\.A\.T\.?|TVA|BTW|MwSt|USt|IVA|NIF|N\.I\.F|CIF|C\.I\.F|NIP|CVR|UID|GST|ABN)\b[^\d]{0,24}?\b)";
    let anywhere = r"\d{7}[A-Z]{1,2}|\d{9}|\d{11}|[A-HJNP-SUVW]-?\d{7}[0-9A-J]";
    let behind_caption = r"\d{8}-?[A-Z]|\d{9}B\d{2}|\d{8}|\d{10}|\d{2} \d{3} \d{3} \d{3}|\d{3}-\d{3}-\d{2}-\d{2}|\d{2} \d{2} \d{2} \d{2}";
    let ends = r"\s*(?:$|[,;·|–])";
    pattern(&format!(r"^\s*(?P<alone>{anywhere}){ends}|{caption}(?P<number>{anywhere}|{behind_caption})(?:{ends}|\.?\s+\p{{L}}|\.$)"))
});

fn tax_numbers(text: &str) -> Found {
    let bare = BARE_TAX_NUMBER.captures_iter(text).filter_map(|found| found.name("number").or(found.name("alone")));
    let mut found = with_country(text);
    for number in bare {
        if !overlaps(&number.range(), &found) {
            found.push((number.range(), name_of(number.as_str())));
        }
    }
    found
}

fn with_country(text: &str) -> Found {
    TAX_NUMBER
        .find_iter(text)
        .filter(|found| {
            // Old Irish numbers have six: `8Z49289F`.
            let digits_min = if found.as_str().starts_with("IE") { 6 } else { 7 };
            found.as_str().bytes().filter(u8::is_ascii_digit).count() >= digits_min
        })
        .map(|found| (found.range(), name_of(found.as_str())))
        .collect()
}

static PHONE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\+?\(?\d[\d \-()/.]{5,18}\d"));

fn phones(text: &str) -> Found {
    let dialled = |found: &regex::Match| (7..=15).contains(&found.as_str().bytes().filter(u8::is_ascii_digit).count());
    PHONE.find_iter(text).filter(dialled).map(|found| (found.range(), name_of(found.as_str()))).collect()
}

/// A number for a name: equal names have equal numbers (FNV-1a of the letters and digits).
fn name_of(text: &str) -> i64 {
    let signs = text.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_uppercase());
    signs.fold(0xcbf2_9ce4_8422_2325_u64, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(kind: Kind, text: &str) -> Vec<&str> {
        find(0, text).into_iter().filter(|c| c.kind == kind).map(|c| &text[c.range]).collect()
    }

    #[test]
    fn candidates_by_kind() {
        use Kind::*;
        let cases: &[(Kind, &str, &[&str])] = &[
            (Amount, "TOTAL RM 39.80", &["39.80"]),
            (Amount, "RM9.00", &["RM9.00"]),
            (Amount, "$ 1,234.50 (1.20) 6.00%", &["1,234.50", "(1.20)"]),
            (Amount, "1.234,56 EUR", &["1.234,56"]),
            (Amount, "DATE 12.03.2018 14.25", &["14.25"]),
            (Amount, "RM 50", &["50"]),
            (Amount, "9.O0 l2.50", &["9.O0", "l2.50"]),
            (Amount, "-4.40", &["-4.40"]),
            (Amount, "€12", &["€12"]),
            (Date, "BILL DATE : 20/11/2017 03:55", &["20/11/2017"]),
            (Date, "SP-NULL-18/06/09-1018481", &[]),
            (Date, "Madrid, 2 de abril de 2026", &["2 de abril de 2026"]),
            (Date, "del 29 gennaio 2026, 10 LUG 2026", &["29 gennaio 2026", "10 LUG 2026"]),
            (Date, "1 SET 20", &[]),
            (Date, "18/01/201810:27:03", &["18/01/2018"]),
            (Date, "17/01/20184 21:53", &["17/01/2018"]),
            (Date, "2018-06-01 / 01-JUL-17", &["2018-06-01", "01-JUL-17"]),
            (Date, "5. März 2018, MAR 25, 2018", &["5. März 2018", "MAR 25, 2018"]),
            (Date, "31/13/2018 12/34.56 1234-56-78", &[]),
            (Date, "ORD #50 -REG #19- 18/01/2018 10:27:03", &["18/01/2018"]),
            (Date, "TEL. : 05.22.95.66.66, 30/03/18.", &["30/03/18"]),
            (Date, "1 Jan - 28 Feb 2026, 3 Jan 26 to 4 MAR 26", &["28 Feb 2026", "3 Jan 26", "4 MAR 26"]),
            (Date, "TEL 03-7 - 15 77 88, 192.16.1.10", &[]),
            (Date, ": 20180428/191204 OR 25032018", &["20180428", "25032018"]),
            (Date, "99182018 120180428 20181328", &[]),
            (Rate, "GST 6% VAT 13.5 %", &["6%", "13.5 %"]),
            (Rate, "Output tax 20.000 %", &["20.000 %"]),
            (Identifier, "INV# 003281900229170", &["003281900229170"]),
            (Identifier, "C/N NO: LCN00211.", &["LCN00211"]),
            (Identifier, "TOTAL 12.50", &[]),
            (Identifier, "No. F-2024/0017", &["F-2024/0017"]),
            (TaxNumber, "VAT IE1234567T", &["IE1234567T"]),
            (TaxNumber, "VAT Number 902643195", &["902643195"]),
            (TaxNumber, "VAT Reg. No. 8878278TH", &["8878278TH"]),
            (TaxNumber, "V.A.T. Reg. No. 3948579FH", &["3948579FH"]),
            (TaxNumber, "VAT Registration No: 9703094SA. Directors: Colm Deasy", &["9703094SA"]),
            (TaxNumber, "Our VAT No: 8878278TH Registered in Ireland No. 638551", &["8878278TH"]),
            (TaxNumber, "365091787 Pale Ale", &[]),
            (TaxNumber, "Btw-nr. NL 844522636.B01 – KvK nr. 23910332", &["NL 844522636.B01"]),
            (TaxNumber, "Btw nr : NL3520.48.554.B01", &["NL3520.48.554.B01"]),
            (TaxNumber, "365091787", &["365091787"]),
            (TaxNumber, "Account 365091787", &[]),
            (TaxNumber, "USt-ID DE 123456789", &["DE 123456789"]),
            (TaxNumber, "GST NO. : 000584089600", &["000584089600"]),
            (TaxNumber, "NIF A36620888 – R.M. tomo 1530", &["A36620888"]),
            (TaxNumber, "C.I.F.: B-50242049", &["B-50242049"]),
            (TaxNumber, "CHE-165.832.236 MWST", &["CHE-165.832.236 MWST"]),
            (TaxNumber, "ABN 55 206 406 707", &["55 206 406 707"]),
            (Phone, "TEL:03-3362 4395 FAX:03-3362 4396", &["03-3362 4395", "03-3362 4396"]),
            (Phone, "+353 1 234 5678", &["+353 1 234 5678"]),
        ];
        for &(kind, text, expected) in cases {
            assert_eq!(found(kind, text), expected, "{kind:?} in {text:?}");
        }
    }

    #[test]
    fn values_compare() {
        let value = |text: &str| find(0, text)[0].value;
        let cases = [
            ("1.234,56", 123_456),
            ("RM9.00", 900),
            ("-4.40", -440),
            ("(4.40)", -440),
            ("20/11/2017", 20_171_120),
            ("12/25/2017", 20_171_225),
            ("13.5%", 1350),
        ];
        for (text, expected) in cases {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn ranges_lie_within_any_text(text in "\\PC{0,60}") {
            for candidate in find(0, &text) {
                prop_assert!(!text[candidate.range].is_empty());
            }
        }
    }
}
