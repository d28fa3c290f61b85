//! Value added tax: what is inside a gross amount, the rates of a country by category and tax point, the return.

use std::{fmt, str::FromStr, sync::LazyLock};

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::money::divide_half_up;

/// Digits after the point of a rate as a fraction; with [`crate::money::LARGEST_AMOUNT_MINOR`] every product stays inside `i128`.
pub const MOST_RATE_DECIMALS: u32 = 9;

const IRISH_RATES: &str = include_str!("../data/vat-rates-ie.tsv");

/// A VAT rate as a fraction of the net amount (`0.23`), from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(Decimal);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    #[error("the VAT rate {0} is no fraction from 0 to 1, such as 0.23")]
    NoFraction(Decimal),
    #[error("the VAT rate {0} has more than {limit} decimals", limit = MOST_RATE_DECIMALS)]
    TooFine(Decimal),
}

impl Rate {
    pub fn from_fraction(fraction: Decimal) -> Result<Self, RateError> {
        let fraction = fraction.normalize();
        if fraction < Decimal::ZERO || fraction > Decimal::ONE {
            return Err(RateError::NoFraction(fraction));
        }
        if fraction.scale() > MOST_RATE_DECIMALS { Err(RateError::TooFine(fraction)) } else { Ok(Self(fraction)) }
    }

    pub fn from_percent(percent: Decimal) -> Result<Self, RateError> {
        Self::from_fraction(percent / Decimal::ONE_HUNDRED)
    }

    /// The VAT inside a gross amount: gross x rate / (1 + rate), half a minor unit rounded away from zero.
    pub fn vat_inside(self, gross_minor: i64) -> i64 {
        let one = 10_i128.pow(self.0.scale());
        let vat = divide_half_up(i128::from(gross_minor) * self.0.mantissa(), one + self.0.mantissa());
        i64::try_from(vat).expect("not above the gross")
    }
}

impl fmt::Display for Rate {
    /// As a fraction: `0.23`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A rate of a country's table, in force from `from` to the day before `until`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TableRate {
    category: String,
    rate: Rate,
    from: Date,
    until: Option<Date>,
}

impl TableRate {
    fn in_force(&self, tax_point: Date) -> bool {
        self.from <= tax_point && self.until.is_none_or(|until| tax_point < until)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.category == other.category && (self.in_force(other.from) || other.in_force(self.from))
    }
}

/// The rates of a country by category and tax point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateTable(Vec<TableRate>);

/// Why a table can't be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateTableError {
    #[error("line {line} is no rate: category, percent, first day and the day after the last (or nothing), with tabs between them")]
    NoRate { line: usize },
    #[error("{category} has two rates on {day}")]
    TwoRates { category: String, day: Date },
    #[error("it has no rates")]
    Empty,
}

impl Default for RateTable {
    /// Ireland's, from `data/vat-rates-ie.tsv`.
    fn default() -> Self {
        static IRISH: LazyLock<RateTable> = LazyLock::new(|| IRISH_RATES.parse().expect("the shipped table is tested"));
        IRISH.clone()
    }
}

impl RateTable {
    /// The rate of a category on a day.
    pub fn rate(&self, category: &str, tax_point: Date) -> Option<Rate> {
        self.0.iter().find(|row| row.category == category && row.in_force(tax_point)).map(|row| row.rate)
    }
}

impl FromStr for RateTable {
    type Err = RateTableError;

    /// Lines of `category<TAB>percent<TAB>from<TAB>until` below a line of captions; lines that begin with `#` are passed over.
    fn from_str(text: &str) -> Result<Self, RateTableError> {
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty()).skip(1);
        let rates = lines.map(|(number, line)| table_rate(line).ok_or(RateTableError::NoRate { line: number }));
        let rates: Vec<TableRate> = rates.collect::<Result<_, _>>()?;
        for (at, row) in rates.iter().enumerate() {
            if let Some(other) = rates[..at].iter().find(|other| other.overlaps(row)) {
                return Err(RateTableError::TwoRates { category: row.category.clone(), day: row.from.max(other.from) });
            }
        }
        if rates.is_empty() { Err(RateTableError::Empty) } else { Ok(Self(rates)) }
    }
}

fn table_rate(line: &str) -> Option<TableRate> {
    let mut cells = line.split('\t').map(str::trim);
    let category = cells.next()?.to_owned();
    let rate = Rate::from_percent(cells.next()?.parse().ok()?).ok()?;
    let from = cells.next()?.parse().ok()?;
    let until = match cells.next().unwrap_or_default() {
        "" => None,
        day => Some(day.parse().ok()?),
    };
    let ends_after_its_begin = until.is_none_or(|until| from < until);
    (!category.is_empty() && ends_after_its_begin).then_some(TableRate { category, rate, from, until })
}

/// The VAT3 return: T1 VAT on sales, T2 VAT on purchases, T3 payable, T4 repayable; minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vat3 {
    pub t1: i64,
    pub t2: i64,
}

impl Vat3 {
    pub fn t3(self) -> i64 {
        (self.t1 - self.t2).max(0)
    }

    pub fn t4(self) -> i64 {
        (self.t2 - self.t1).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fraction(text: &str) -> Rate {
        Rate::from_fraction(text.parse().unwrap()).unwrap()
    }

    #[test]
    fn vat_inside_gross() {
        // 5.50 x 0.23 / 1.23 = 1.02845...; 0.03 x 0.2 / 1.2 = 0.005 is a half cent.
        for (gross, rate, vat) in [
            (550, "0.23", 103),
            (1200, "0.135", 143),
            (1, "0.23", 0),
            (3, "0.2", 1),
            (-3, "0.2", -1),
            (100, "0", 0),
            (-550, "0.23", -103),
            (10_000, "1", 5000),
        ] {
            assert_eq!(fraction(rate).vat_inside(gross), vat, "{gross} at {rate}");
        }
    }

    #[test]
    fn a_percent_is_no_fraction() {
        assert_eq!(Rate::from_fraction(Decimal::new(23, 0)), Err(RateError::NoFraction(Decimal::new(23, 0))));
        assert_eq!(Rate::from_fraction(Decimal::new(-19, 2)), Err(RateError::NoFraction(Decimal::new(-19, 2))));
        assert!(matches!(Rate::from_fraction("0.1234567891".parse().unwrap()), Err(RateError::TooFine(_))));
        assert_eq!(Rate::from_percent(Decimal::new(135, 1)).unwrap(), fraction("0.135"));
    }

    #[test]
    fn irish_table_by_category_and_day() {
        for (category, day, rate) in [
            ("standard", "2026-03-01", Some("0.23")),
            ("standard", "2020-12-24", Some("0.21")),
            ("standard", "2021-03-01", Some("0.23")),
            ("alcohol", "2026-07-01", Some("0.23")),
            ("catering", "2026-06-30", Some("0.135")),
            ("catering", "2026-07-01", Some("0.09")),
            ("accommodation", "2026-07-01", Some("0.135")),
            ("livestock", "2026-03-01", Some("0.048")),
            ("zero", "2026-03-01", Some("0")),
            ("standard", "1960-01-01", None),
            ("no such", "2026-03-01", None),
        ] {
            assert_eq!(RateTable::default().rate(category, day.parse().unwrap()), rate.map(fraction), "{category} on {day}");
        }
    }

    #[test]
    fn tables_of_other_countries() {
        const CAPTIONS: &str = "category\tpercent\tfrom\tuntil\n";
        let read = |rows: &str| format!("# Germany\n{CAPTIONS}{rows}").parse::<RateTable>();
        let german = read("standard\t19\t2007-01-01\t2020-07-01\nstandard\t16\t2020-07-01\t2021-01-01\nstandard\t19\t2021-01-01").unwrap();
        assert_eq!(german.rate("standard", "2020-12-31".parse().unwrap()), Some(fraction("0.16")));
        assert_eq!(german.rate("standard", "2026-01-01".parse().unwrap()), Some(fraction("0.19")));
        for (rows, error) in [
            ("", RateTableError::Empty),
            ("standard\t19 %\t2007-01-01\t", RateTableError::NoRate { line: 3 }),
            ("standard\t19\t2007-01-01\t2006-01-01", RateTableError::NoRate { line: 3 }),
            (
                "standard\t19\t2007-01-01\t\nstandard\t16\t2020-07-01\t2021-01-01",
                RateTableError::TwoRates { category: "standard".into(), day: "2020-07-01".parse().unwrap() },
            ),
        ] {
            assert_eq!(read(rows), Err(error), "{rows}");
        }
    }

    #[test]
    fn return_is_payable_or_repayable() {
        let payable = Vat3 { t1: 500, t2: 200 };
        assert_eq!((payable.t3(), payable.t4()), (300, 0));
        let repayable = Vat3 { t1: 200, t2: 500 };
        assert_eq!((repayable.t3(), repayable.t4()), (0, 300));
    }
}
