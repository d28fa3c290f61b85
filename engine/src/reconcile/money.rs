//! Amounts of money: whole minor units (cents, sen) of a currency; decimal strings only at the edges.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};

use super::number::{self, DecimalMark, Reading};

/// A currency that documents are read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Currency {
    Aud,
    Cad,
    Chf,
    Czk,
    Dkk,
    Eur,
    Gbp,
    Huf,
    Jpy,
    Myr,
    Nok,
    Nzd,
    Pln,
    Sek,
    Sgd,
    Usd,
}

/// Currency, ISO 4217 code, digits after the mark, how it is printed beside amounts. A print that is the start of another comes after it.
const CURRENCIES: [(Currency, &str, u32, &[&str]); 16] = [
    (Currency::Aud, "AUD", 2, &["A$"]),
    (Currency::Cad, "CAD", 2, &["C$"]),
    (Currency::Chf, "CHF", 2, &["SFR", "FR."]),
    (Currency::Czk, "CZK", 2, &["KČ"]),
    (Currency::Dkk, "DKK", 2, &["KR"]),
    (Currency::Eur, "EUR", 2, &["€", "EURO"]),
    (Currency::Gbp, "GBP", 2, &["£"]),
    (Currency::Huf, "HUF", 2, &["FT"]),
    (Currency::Jpy, "JPY", 0, &["¥"]),
    (Currency::Myr, "MYR", 2, &["RM"]),
    (Currency::Nok, "NOK", 2, &["KR"]),
    (Currency::Nzd, "NZD", 2, &["NZ$"]),
    (Currency::Pln, "PLN", 2, &["ZŁ"]),
    (Currency::Sek, "SEK", 2, &["KR"]),
    (Currency::Sgd, "SGD", 2, &["S$"]),
    (Currency::Usd, "USD", 2, &["US$"]),
];
/// Says that an amount is money, not of which country.
const SHARED_SIGNS: [&str; 2] = ["$", "KR"];
/// An amount without decimals whose point may have been lost (`1250` for `12.50`).
const LOST_POINT: f32 = 0.05;
/// More decimals than the currency has, in an amount that should be rounded already.
const EXTRA_DECIMALS: f32 = 0.3;

impl Currency {
    fn row(self) -> &'static (Self, &'static str, u32, &'static [&'static str]) {
        &CURRENCIES[self as usize]
    }

    /// ISO 4217.
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// Digits after the decimal mark.
    pub fn decimals(self) -> u32 {
        self.row().2
    }

    /// A print of a currency alone: `EUR`, `€`, `RM`. Signs that several countries share tell nothing.
    pub fn from_print(text: &str) -> Option<Self> {
        let text = text.trim().trim_matches(|c| matches!(c, '(' | ')' | ':' | '[' | ']')).to_uppercase();
        if SHARED_SIGNS.contains(&text.as_str()) {
            return None;
        }
        CURRENCIES.iter().find(|(_, code, _, signs)| *code == text || signs.contains(&text.as_str())).map(|row| row.0)
    }
}

/// An amount in whole minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    pub minor_units: i64,
    pub currency: Currency,
}

impl Money {
    /// Rounded half away from zero to the currency's decimals; `None` beyond an `i64`.
    pub fn round(value: Decimal, currency: Currency) -> Option<Self> {
        let mut scaled = value.round_dp_with_strategy(currency.decimals(), RoundingStrategy::MidpointAwayFromZero);
        scaled.rescale(currency.decimals());
        Some(Self { minor_units: i64::try_from(scaled.mantissa()).ok()?, currency })
    }

    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.minor_units, self.currency.decimals())
    }
}

/// The decimal string of the contracts: `-1234.50`, no grouping, no currency.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_decimal().fmt(f)
    }
}

/// An amount as printed: the number, and the currency where it is printed with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Print {
    pub currency: Option<Currency>,
    pub readings: Vec<Reading<Decimal>>,
}

/// Reads a number with a currency before or after it. `RM9.00`, `9,00 EUR`, `-$4.50`, `$ 12`, `9.00`.
pub fn read(text: &str, mark: Option<DecimalMark>) -> Print {
    let (currency, number) = cut_currency(text);
    Print { currency, readings: number::readings(&number, mark) }
}

/// Reads an amount that is rounded to the currency's minor units, in minor units.
pub fn minor_units(text: &str, mark: Option<DecimalMark>, currency: Currency) -> Vec<Reading<i64>> {
    let in_minor_units = |value: Decimal, certainty: f32| {
        let money = Money::round(value, currency)?;
        let certainty = if money.to_decimal() == value { certainty } else { certainty * EXTRA_DECIMALS };
        Some(Reading { value: money.minor_units, certainty })
    };
    let read = read(text, mark).readings;
    let lost_points = read.iter().filter(|_| may_have_lost_its_point(text, currency)).filter_map(|r| {
        let value = Decimal::try_from_i128_with_scale(r.value.mantissa(), currency.decimals()).ok()?;
        in_minor_units(value, r.certainty * LOST_POINT)
    });
    number::best(read.iter().filter_map(|r| in_minor_units(r.value, r.certainty)).chain(lost_points).collect())
}

/// Whether digits would stand on both sides of the point: `1250`, and `010` for `0.10`.
fn may_have_lost_its_point(text: &str, currency: Currency) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    currency.decimals() > 0 && digits > currency.decimals() as usize && !text.contains(['.', ','])
}

/// The currency printed at either end, and the rest with its sign.
fn cut_currency(text: &str) -> (Option<Currency>, String) {
    let text = text.trim().trim_start_matches([':', '=', '*', '#', '~']).trim().to_owned();
    let in_brackets = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let (minus, body) = match in_brackets.or(text.strip_prefix(['-', '\u{2212}'])) {
        Some(rest) => ("-", rest.trim()),
        None => ("", text.as_str()),
    };
    let prints = CURRENCIES.iter().flat_map(|&(currency, code, _, signs)| {
        std::iter::once(code).chain(signs.iter().copied()).map(move |print| (Currency::from_print(print).map(|_| currency), print))
    });
    // The longest print wins: `US$` before `$`, `EURO` before `EUR`.
    let mut prints: Vec<_> = prints.chain(SHARED_SIGNS.map(|sign| (None, sign))).collect();
    prints.sort_by_key(|(_, print)| std::cmp::Reverse(print.len()));
    for (currency, print) in prints {
        if let Some(rest) = strip_prefix_ignoring_case(body, print) {
            return (currency, format!("{minus}{}", rest.trim_start_matches([':', '.', ' '])));
        }
        if let Some(rest) = strip_suffix_ignoring_case(body, print) {
            return (currency, format!("{minus}{}", rest.trim_end()));
        }
    }
    (None, text)
}

/// What follows `prefix`, unless that cuts a word in two.
fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let end = text.char_indices().nth(prefix.chars().count()).map_or(text.len(), |(i, _)| i);
    let rest = &text[end..];
    (text[..end].to_uppercase() == prefix && !rest.starts_with(char::is_alphabetic)).then_some(rest)
}

/// What precedes `suffix`, unless that cuts a word in two.
fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let letters = suffix.chars().count();
    let start = text.char_indices().rev().nth(letters - 1).map(|(i, _)| i)?;
    let rest = &text[..start];
    (text[start..].to_uppercase() == suffix && !rest.ends_with(char::is_alphabetic)).then_some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (i, row) in CURRENCIES.iter().enumerate() {
            assert_eq!(row.0 as usize, i);
            assert_eq!(Currency::from_print(row.1), Some(row.0));
        }
    }

    #[test]
    fn prints() {
        use Currency::{Eur, Gbp, Myr, Usd};
        let cases = [
            ("RM 9.00", Some(Myr), "9.00"),
            ("RM9.00", Some(Myr), "9.00"),
            ("rm 9.00", Some(Myr), "9.00"),
            ("$7.20", None, "7.20"),
            ("US$7.20", Some(Usd), "7.20"),
            ("-£4.50", Some(Gbp), "-4.50"),
            ("£-4.50", Some(Gbp), "-4.50"),
            ("(£47.60)", Some(Gbp), "-47.60"),
            ("(39.67)", None, "-39.67"),
            ("1.234,50 €", Some(Eur), "1234.50"),
            ("1.234,50EUR", Some(Eur), "1234.50"),
            ("EURO 3,10", Some(Eur), "3.10"),
            ("9.00 SR", None, "9.00"),
            (": 9.00", None, "9.00"),
        ];
        for (text, currency, value) in cases {
            let print = read(text, None);
            assert_eq!((print.currency, print.readings[0].value.to_string().as_str()), (currency, value), "{text}");
        }
        assert!(read("RM", None).readings.is_empty());
    }

    #[test]
    fn minor_units_of_prints() {
        let cases: [(&str, &[i64]); 6] = [
            ("9.00", &[900]),
            ("9", &[900]),
            ("1250", &[125_000, 1250]),
            ("9.000", &[900, 900_000]),
            ("9.005", &[900_500, 901]),
            ("abc", &[]),
        ];
        for (text, expected) in cases {
            let units: Vec<_> = minor_units(text, Some(DecimalMark::Point), Currency::Eur).iter().map(|r| r.value).collect();
            assert_eq!(units, expected, "{text}");
        }
        assert_eq!(minor_units("1250", None, Currency::Jpy)[0].value, 1250);
    }

    #[test]
    fn halves_round_away_from_zero() {
        for (value, minor_units) in [("0.005", 1), ("-0.005", -1), ("0.0049", 0), ("1.115", 112)] {
            let money = Money::round(value.parse().unwrap(), Currency::Eur).unwrap();
            assert_eq!(money.minor_units, minor_units, "{value}");
        }
        assert_eq!(Money::round(Decimal::MAX, Currency::Eur), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(minor_units in -1_000_000_000i64..1_000_000_000, i in 0..CURRENCIES.len()) {
            let money = Money { minor_units, currency: CURRENCIES[i].0 };
            for print in [money.to_string(), format!("{} {money}", money.currency.code()), format!("{money} {}", money.currency.code())] {
                let readings = super::minor_units(&print, Some(DecimalMark::Point), money.currency);
                prop_assert_eq!(readings[0].value, minor_units, "{}", print);
            }
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,24}") {
            minor_units(&text, None, Currency::Eur);
        }
    }
}
