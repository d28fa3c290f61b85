//! Printed dates into civil dates: the many forms of receipts and invoices in English, German, French, Malay, Dutch, Italian, Spanish and Portuguese.

use jiff::civil::Date;
use unicode_normalization::UnicodeNormalization;

use super::number::{self, Reading, confused_digit};

/// Which comes first where both day and month could be either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateOrder {
    #[default]
    DayFirst,
    MonthFirst,
}

/// Years that a document may be of; anything else is no date.
const YEARS: std::ops::RangeInclusive<i16> = 1990..=2099;
/// Two-digit years belong to this century.
const CENTURY: i16 = 2000;
/// Shortest abbreviation of a month.
const MONTH_LETTERS_MIN: usize = 3;

/// The usual order contradicts the numbers, or the unusual order fits too.
const OTHER_ORDER: f32 = 0.85;
const UNUSUAL_ORDER: f32 = 0.05;
/// Separated by spaces only: `25 12 2018`.
const SPACED: f32 = 0.8;
/// Without separators: `20181225`.
const COMPACT: f32 = 0.6;
/// A time glued to the year: `25/12/201808:13`.
const GLUED_TIME: f32 = 0.7;
/// A letter stands where a digit should be.
const CONFUSED_DIGIT: f32 = 0.7;

/// English, German, French, Malay, Dutch, Italian, Spanish, Portuguese; without accents.
const MONTHS: [&[&str]; 12] = [
    &["JANUARY", "JANUAR", "JANVIER", "JANUARI", "JAENNER", "GENNAIO", "ENERO", "JANEIRO"],
    &["FEBRUARY", "FEBRUAR", "FEVRIER", "FEBRUARI", "FEBBRAIO", "FEBRERO", "FEVEREIRO"],
    &["MARCH", "MARZ", "MAERZ", "MARS", "MRZ", "MAC", "MAART", "MARZO", "MARCO"],
    &["APRIL", "AVRIL", "APRILE", "ABRIL"],
    &["MAY", "MAI", "MEI", "MAGGIO", "MAYO", "MAIO"],
    &["JUNE", "JUNI", "JUIN", "JUN", "GIUGNO", "JUNIO", "JUNHO"],
    &["JULY", "JULI", "JUILLET", "JULAI", "LUGLIO", "JULIO", "JULHO"],
    &["AUGUST", "AOUT", "OGOS", "AUGUSTUS", "AGOSTO"],
    &["SEPTEMBER", "SEPTEMBRE", "SETTEMBRE", "SEPTIEMBRE", "SETEMBRO"],
    &["OCTOBER", "OKTOBER", "OCTOBRE", "OTTOBRE", "OCTUBRE", "OUTUBRO"],
    &["NOVEMBER", "NOVEMBRE", "NOVIEMBRE", "NOVEMBRO"],
    &["DECEMBER", "DEZEMBER", "DECEMBRE", "DISEMBER", "DICEMBRE", "DICIEMBRE", "DEZEMBRO"],
];
/// What stands between the parts of a date: `2 de abril del 2026`.
const BETWEEN: [&str; 2] = ["DE", "DEL"];
const ORDINALS: [&str; 5] = ["ST", "ND", "RD", "TH", "ER"];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token {
    /// Value, digits, certainty.
    Number(u32, usize, f32),
    Month(i8),
    Separator(char),
    Word,
}

/// The ways to read the date in `text`, the most certain first; other text around it (a caption, a time) is passed over.
pub fn readings(text: &str, order: DateOrder) -> Vec<Reading<Date>> {
    let tokens = tokens(text);
    let found = (0..tokens.len()).flat_map(|start| {
        let rest = &tokens[start..];
        let follows_number = start >= 2 && matches!(tokens[start - 2..start], [Token::Number(..), Token::Separator('/' | '-' | '.' | ':')]);
        if follows_number { Vec::new() } else { [named_month(rest), numeric(rest, order), compact(rest)].concat() }
    });
    number::best(found.collect())
}

fn tokens(text: &str) -> Vec<Token> {
    let text: String = text.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).collect::<String>().to_uppercase();
    let mut tokens = Vec::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        if end == 0 {
            // A run of signs counts as its strongest: ". " and ", " as a space.
            let end = rest.find(char::is_alphanumeric).unwrap_or(rest.len());
            let signs = rest[..end].trim();
            tokens.push(Token::Separator(if signs.chars().count() == 1 && end == first.len_utf8() { first } else { ' ' }));
            rest = &rest[end..];
        } else {
            word(&rest[..end], &mut tokens);
            rest = &rest[end..];
        }
    }
    tokens
}

/// Splits a run of letters and digits: `25DEC2018`, `1ST`, `2O18`.
fn word(run: &str, tokens: &mut Vec<Token>) {
    if let Some(number) = number(run) {
        return tokens.push(number);
    }
    if BETWEEN.contains(&run) {
        return tokens.push(Token::Separator(' '));
    }
    let mut rest = run;
    while let Some(first) = rest.chars().next() {
        let is_digit = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(rest.len());
        let part = &rest[..end];
        if is_digit {
            tokens.push(number(part).unwrap_or(Token::Word));
        } else if !(ORDINALS.contains(&part) && matches!(tokens.last(), Some(Token::Number(..)))) {
            tokens.push(month(part).map_or(Token::Word, Token::Month));
        }
        rest = &rest[end..];
    }
}

/// Digits, or digits and a few letters that look like digits.
fn number(run: &str) -> Option<Token> {
    let letters = run.chars().filter(|c| !c.is_ascii_digit()).count();
    let digits: String = run.chars().map(|c| if c.is_ascii_digit() { Some(c) } else { confused_digit(c) }).collect::<Option<_>>()?;
    (letters * 2 <= digits.len() && letters < digits.len()).then_some(())?;
    let certainty = CONFUSED_DIGIT.powi(i32::try_from(letters).ok()?);
    Some(Token::Number(digits.parse().ok()?, digits.len(), certainty))
}

/// The month that a name or its abbreviation stands for, 1 to 12.
fn month(name: &str) -> Option<i8> {
    let is_abbreviation = |full: &&str| name.len() >= MONTH_LETTERS_MIN && full.starts_with(name);
    let mut months = (1..).zip(MONTHS).filter(|(_, names)| names.iter().any(is_abbreviation));
    match (months.next(), months.next()) {
        (Some((month, _)), None) => Some(month),
        _ => None,
    }
}

/// `25 Dec 2018`, `25-DEC-18`, `Dec 25, 2018`.
fn named_month(tokens: &[Token]) -> Vec<Reading<Date>> {
    let parts: Vec<Token> = tokens.iter().filter(|t| !matches!(t, Token::Separator(_))).take(3).copied().collect();
    let (day, month, year) = match parts[..] {
        [day @ Token::Number(..), Token::Month(month), year @ Token::Number(..)] => (day, month, year),
        [Token::Month(month), day @ Token::Number(..), year @ Token::Number(..)] => (day, month, year),
        _ => return Vec::new(),
    };
    let starts_here = !matches!(tokens[0], Token::Separator(_));
    let date = || {
        let (Token::Number(day, ..), (year, certainty)) = (day, self::year(year)?) else { return None };
        date(year, u32::try_from(month).ok()?, day, certainty * certainty_of(&parts))
    };
    if starts_here { date().into_iter().collect() } else { Vec::new() }
}

/// Three numbers with the same separator between them.
fn numeric(tokens: &[Token], order: DateOrder) -> Vec<Reading<Date>> {
    let [
        a @ Token::Number(first, first_digits, _),
        Token::Separator(s),
        b @ Token::Number(second, second_digits, _),
        Token::Separator(t),
        c,
        ..,
    ] = *tokens
    else {
        return Vec::new();
    };
    let spaced = if s == ' ' { SPACED } else { 1.0 };
    if s != t || !matches!(s, '/' | '-' | '.' | ' ') || second_digits > 2 {
        return Vec::new();
    }
    let certainty = spaced * certainty_of(&[a, b, c]);
    if first_digits == 4 {
        let Token::Number(day, 1..=2, _) = c else { return Vec::new() };
        return year(a).and_then(|(y, sure)| date(y, second, day, certainty * sure)).into_iter().collect();
    }
    let Some((year, sure)) = year(c).filter(|_| first_digits <= 2) else { return Vec::new() };
    let certainty = certainty * sure;
    let (day_first, month_first) = (date(year, second, first, certainty), date(year, first, second, certainty));
    let (usual, unusual) = if order == DateOrder::DayFirst { (day_first, month_first) } else { (month_first, day_first) };
    let share = if usual.is_some() { UNUSUAL_ORDER } else { OTHER_ORDER };
    usual.into_iter().chain(unusual.map(|r| Reading { certainty: r.certainty * share, ..r })).collect()
}

/// `20181225` and `25122018`.
fn compact(tokens: &[Token]) -> Vec<Reading<Date>> {
    let Some(&Token::Number(n, 8, certainty)) = tokens.first() else { return Vec::new() };
    let certainty = certainty * COMPACT;
    let year_of = |year: u32| i16::try_from(year).ok().filter(|y| YEARS.contains(y));
    let year_first = year_of(n / 10_000).and_then(|y| date(y, n / 100 % 100, n % 100, certainty));
    let day_first = || year_of(n % 10_000).and_then(|y| date(y, n / 10_000 % 100, n / 1_000_000, certainty));
    year_first.or_else(day_first).into_iter().collect()
}

/// A year of two or four digits, or of four with a time glued to it.
fn year(token: Token) -> Option<(i16, f32)> {
    let Token::Number(value, digits, _) = token else { return None };
    let value = i16::try_from(if digits > 4 { value / 10u32.checked_pow(u32::try_from(digits).ok()? - 4)? } else { value }).ok()?;
    let (year, certainty) = match digits {
        2 => (CENTURY + value, 1.0),
        4 => (value, 1.0),
        5..=8 => (value, GLUED_TIME),
        _ => return None,
    };
    YEARS.contains(&year).then_some((year, certainty))
}

fn date(year: i16, month: u32, day: u32, certainty: f32) -> Option<Reading<Date>> {
    let value = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some(Reading { value, certainty })
}

fn certainty_of(tokens: &[Token]) -> f32 {
    tokens.iter().map(|t| if let Token::Number(_, _, certainty) = t { *certainty } else { 1.0 }).product()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, order: DateOrder) -> Option<String> {
        readings(text, order).first().map(|r| r.value.to_string())
    }

    #[test]
    fn prints() {
        let cases = [
            ("25/12/2018", "2018-12-25"),
            ("25-12-18", "2018-12-25"),
            ("12-01-19", "2019-01-12"),
            ("25.12.2018", "2018-12-25"),
            ("2018-12-25", "2018-12-25"),
            ("2018/12/25", "2018-12-25"),
            ("20181225", "2018-12-25"),
            ("25122018", "2018-12-25"),
            ("25 12 2018", "2018-12-25"),
            ("(25/12/2018)", "2018-12-25"),
            ("12/25/2018", "2018-12-25"),
            ("1/2/2018", "2018-02-01"),
            ("01/2/2018", "2018-02-01"),
            ("25 DEC 2018", "2018-12-25"),
            ("25-Dec-18", "2018-12-25"),
            ("25DEC2018", "2018-12-25"),
            ("DEC 25, 2018", "2018-12-25"),
            ("1st March 2020", "2020-03-01"),
            ("5. März 2013", "2013-03-05"),
            ("5 août 2021", "2021-08-05"),
            ("1er février 2021", "2021-02-01"),
            ("14 Juillet 2021", "2021-07-14"),
            ("3 OGOS 2017", "2017-08-03"),
            ("2 de abril de 2026", "2026-04-02"),
            ("29 gennaio 2026", "2026-01-29"),
            ("16 sett. 2026", "2026-09-16"),
            ("7 maart 2026", "2026-03-07"),
            ("DATE: 25/12/2018 8:13:39 PM", "2018-12-25"),
            ("8:13 25/12/2018", "2018-12-25"),
            ("25/12/201808:13", "2018-12-25"),
            ("25/12/2O18", "2018-12-25"),
            ("l5/12/2018", "2018-12-15"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text, DateOrder::DayFirst).as_deref(), Some(expected), "{text}");
        }
        for none in ["", "TOTAL", "12.50", "31/02/2018", "01/01/1850", "8:13:39", "03-7955 1234", "1.2.3", "25/12-2018", "192.168.1.10"] {
            assert_eq!(read(none, DateOrder::DayFirst), None, "{none}");
        }
    }

    #[test]
    fn the_order_is_only_asked_where_it_is_open() {
        assert_eq!(read("03/04/2018", DateOrder::DayFirst).as_deref(), Some("2018-04-03"));
        assert_eq!(read("03/04/2018", DateOrder::MonthFirst).as_deref(), Some("2018-03-04"));
        assert_eq!(read("25/04/2018", DateOrder::MonthFirst).as_deref(), Some("2018-04-25"));
        let both = readings("03/04/2018", DateOrder::DayFirst);
        assert_eq!(both.len(), 2);
        assert!(both[1].certainty < both[0].certainty);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(days in 0i32..36_000) {
            let date = jiff::civil::date(2000, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            for form in ["%d/%m/%Y", "%d-%m-%y", "%Y-%m-%d", "%d.%m.%Y", "%d %b %Y", "%B %d, %Y", "%d%b%Y", "%Y%m%d", "%d/%m/%Y %H:%M"] {
                let print = date.strftime(form).to_string();
                prop_assert_eq!(readings(&print, DateOrder::DayFirst).first().map(|r| r.value), Some(date), "{}", print);
            }
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,32}") {
            readings(&text, DateOrder::DayFirst);
        }
    }
}
