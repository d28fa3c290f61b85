//! VAT rates by country and time.

use jiff::civil::{Date, date};
use rust_decimal::Decimal;

use super::{
    country::Country as C,
    number::{self, Reading},
};

/// A rate while it is law. Rates that changed long ago are left out: documents that old are not read here.
struct RatePeriod {
    country: C,
    /// Hundredths of a percent.
    basis_points: u32,
    from: Option<Date>,
    /// The last day.
    until: Option<Date>,
}

const fn always(country: C, basis_points: u32) -> RatePeriod {
    RatePeriod { country, basis_points, from: None, until: None }
}

const fn since(country: C, basis_points: u32, from: Date) -> RatePeriod {
    RatePeriod { country, basis_points, from: Some(from), until: None }
}

const fn until(country: C, basis_points: u32, until: Date) -> RatePeriod {
    RatePeriod { country, basis_points, from: None, until: Some(until) }
}

const fn between(country: C, basis_points: u32, from: Date, until: Date) -> RatePeriod {
    RatePeriod { country, basis_points, from: Some(from), until: Some(until) }
}

/// Zero is legal everywhere (exports, exempt goods) and not listed.
#[rustfmt::skip]
const RATES: &[RatePeriod] = &[
    always(C::Austria, 2000), always(C::Austria, 1300), always(C::Austria, 1000), between(C::Austria, 500, date(2020, 7, 1), date(2021, 12, 31)),
    always(C::Australia, 1000),
    always(C::Belgium, 2100), always(C::Belgium, 1200), always(C::Belgium, 600),
    always(C::Denmark, 2500),
    until(C::Finland, 2400, date(2024, 8, 31)), since(C::Finland, 2550, date(2024, 9, 1)), always(C::Finland, 1400), always(C::Finland, 1350), always(C::Finland, 1000),
    always(C::France, 2000), always(C::France, 1000), always(C::France, 550), always(C::France, 210),
    always(C::Germany, 1900), always(C::Germany, 700), between(C::Germany, 1600, date(2020, 7, 1), date(2020, 12, 31)), between(C::Germany, 500, date(2020, 7, 1), date(2020, 12, 31)),
    always(C::Ireland, 2300), between(C::Ireland, 2100, date(2020, 9, 1), date(2021, 2, 28)), always(C::Ireland, 1350), always(C::Ireland, 900), always(C::Ireland, 480),
    always(C::Italy, 2200), always(C::Italy, 1000), always(C::Italy, 500), always(C::Italy, 400),
    always(C::Luxembourg, 1700), between(C::Luxembourg, 1600, date(2023, 1, 1), date(2023, 12, 31)), always(C::Luxembourg, 1400), always(C::Luxembourg, 800), always(C::Luxembourg, 300),
    // GST from April 2015 to August 2018 (at zero from June), sales and service tax before and after.
    always(C::Malaysia, 600), since(C::Malaysia, 800, date(2024, 3, 1)), always(C::Malaysia, 1000), always(C::Malaysia, 500),
    always(C::Netherlands, 2100), always(C::Netherlands, 900), until(C::Netherlands, 600, date(2018, 12, 31)),
    always(C::Poland, 2300), always(C::Poland, 800), always(C::Poland, 500),
    always(C::Portugal, 2300), always(C::Portugal, 1300), always(C::Portugal, 600),
    until(C::Singapore, 700, date(2022, 12, 31)), between(C::Singapore, 800, date(2023, 1, 1), date(2023, 12, 31)), since(C::Singapore, 900, date(2024, 1, 1)),
    always(C::Spain, 2100), always(C::Spain, 1000), always(C::Spain, 400),
    always(C::Sweden, 2500), always(C::Sweden, 1200), always(C::Sweden, 600),
    until(C::Switzerland, 770, date(2023, 12, 31)), until(C::Switzerland, 250, date(2023, 12, 31)), until(C::Switzerland, 370, date(2023, 12, 31)),
    since(C::Switzerland, 810, date(2024, 1, 1)), since(C::Switzerland, 260, date(2024, 1, 1)), since(C::Switzerland, 380, date(2024, 1, 1)),
    always(C::UnitedKingdom, 2000), always(C::UnitedKingdom, 500), between(C::UnitedKingdom, 1250, date(2021, 10, 1), date(2022, 3, 31)),
];

/// A fraction printed for a percentage: `0.23`.
const FRACTION: f32 = 0.1;

/// The rates in percent that are law in `country` on `day` (on any day, if that is unknown), zero among them. `None`: the country's
/// rates are not known here.
pub fn legal(country: C, day: Option<Date>) -> Option<Vec<Decimal>> {
    let of_country: Vec<_> = RATES.iter().filter(|p| p.country == country).collect();
    if of_country.is_empty() {
        return None;
    }
    let in_force = |p: &&&RatePeriod| day.is_none_or(|d| p.from.is_none_or(|from| from <= d) && p.until.is_none_or(|until| d <= until));
    let rates = of_country.iter().filter(in_force).map(|p| Decimal::new(i64::from(p.basis_points), 2).normalize());
    Some(rates.chain([Decimal::ZERO]).collect())
}

/// Reads a percentage: `23%`, `VAT 13,5 %`, `23.00`.
pub fn read(text: &str) -> Vec<Reading<Decimal>> {
    let number = text.split('%').next().unwrap_or(text);
    let number = number.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_end_matches(|c: char| !c.is_ascii_digit());
    let percent = |r: Reading<Decimal>| {
        let is_fraction = r.value > Decimal::ZERO && r.value < Decimal::ONE && !text.contains('%');
        match is_fraction {
            true => Reading { value: (r.value * Decimal::ONE_HUNDRED).normalize(), certainty: r.certainty * FRACTION },
            false => Reading { value: r.value.normalize(), certainty: r.certainty },
        }
    };
    let readings = number::readings(number, None).into_iter().map(percent);
    number::best(readings.filter(|r| (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&r.value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages() {
        let cases = [
            ("23%", Some("23")),
            ("23.00", Some("23")),
            ("VAT 13,5 %", Some("13.5")),
            ("VAT @ 13.5%", Some("13.5")),
            ("0%", Some("0")),
            ("0.23", Some("23")),
            ("0.5%", Some("0.5")),
            ("SR", None),
            ("123", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).first().map(|r| r.value.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_rate_is_law_in_its_country_and_time() {
        let is_legal = |country, rate: &str, day| legal(country, day).is_some_and(|rates| rates.contains(&rate.parse().unwrap()));
        let cases = [
            (C::Ireland, "23", None, true),
            (C::Ireland, "13.5", None, true),
            (C::Ireland, "0", None, true),
            (C::Ireland, "20", None, false),
            (C::Ireland, "21", Some(date(2020, 12, 1)), true),
            (C::Ireland, "21", Some(date(2021, 3, 1)), false),
            (C::Germany, "16", Some(date(2020, 8, 1)), true),
            (C::Germany, "16", Some(date(2024, 8, 1)), false),
            (C::UnitedKingdom, "20", None, true),
        ];
        for (country, rate, day, expected) in cases {
            assert_eq!(is_legal(country, rate, day), expected, "{country:?} {rate}");
        }
        assert_eq!(legal(C::UnitedStates, None), None);
    }
}
