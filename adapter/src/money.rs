//! Amounts of money: whole minor units (cents) of a currency. Exact arithmetic only; decimal strings at the edges.

use std::{fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Ten thousand million euro: no line or document of a pub or shop is larger, and sums of such amounts stay far inside `i64`.
pub const LARGEST_AMOUNT_MINOR: i64 = 1_000_000_000_000;

/// An ISO 4217 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no currency code: three capital letters such as EUR")]
pub struct CurrencyError(String);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    #[error("{0} is more than {limit} minor units", limit = LARGEST_AMOUNT_MINOR)]
    TooLarge(Decimal),
}

impl Currency {
    pub const EUR: Self = Self(*b"EUR");

    /// Decimal digits of the minor unit, ISO 4217.
    pub fn minor_digits(self) -> u32 {
        match &self.0 {
            b"CLP" | b"ISK" | b"JPY" | b"KRW" | b"PYG" | b"UGX" | b"VND" | b"XAF" | b"XOF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }

    /// `amount` in minor units, half a unit rounded away from zero.
    pub fn minor_units(self, amount: Decimal) -> Result<i64, AmountError> {
        let scale = 10_i128.pow(amount.scale());
        let scaled = amount.mantissa().checked_mul(10_i128.pow(self.minor_digits())).ok_or(AmountError::TooLarge(amount))?;
        let minor = i64::try_from(divide_half_up(scaled, scale)).map_err(|_| AmountError::TooLarge(amount))?;
        if minor.unsigned_abs() > LARGEST_AMOUNT_MINOR.unsigned_abs() { Err(AmountError::TooLarge(amount)) } else { Ok(minor) }
    }

    /// `123456` minor units of EUR as `1234.56`.
    pub fn decimal(self, minor: i64) -> String {
        Decimal::new(minor, self.minor_digits()).to_string()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.0).expect("three ASCII letters"))
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(code: &str) -> Result<Self, CurrencyError> {
        match <[u8; 3]>::try_from(code.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Self(letters)),
            _ => Err(CurrencyError(code.to_owned())),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;

    fn try_from(code: String) -> Result<Self, CurrencyError> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.to_string()
    }
}

/// `numerator / denominator` to the nearest whole number, halves away from zero: the commercial "half up", alike for sales and their refunds.
/// `denominator` is positive.
pub fn divide_half_up(numerator: i128, denominator: i128) -> i128 {
    let magnitude = (numerator.unsigned_abs() + denominator.unsigned_abs() / 2) / denominator.unsigned_abs();
    // An odd denominator has no exact half: the floor of its half rounds to nearest.
    i128::try_from(magnitude).expect("smaller than the numerator") * numerator.signum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (amount, minor) in [
            ("1.005", 101),
            ("1.0049999999999999999", 100),
            ("-1.005", -101),
            ("4.80", 480),
            ("0", 0),
            ("2.4249", 242),
            ("0.005", 1),
            ("-0.004", 0),
            ("100", 10_000),
        ] {
            assert_eq!(Currency::EUR.minor_units(amount.parse().unwrap()), Ok(minor), "{amount}");
        }
        let yen: Currency = "JPY".parse().unwrap();
        assert_eq!(yen.minor_units("149.5".parse().unwrap()), Ok(150));
        assert_eq!(yen.decimal(150), "150");
        assert_eq!(Currency::EUR.decimal(-5), "-0.05");
    }

    #[test]
    fn what_is_no_pub_s_money_is_refused() {
        for amount in ["100000000000000000000", "10000000000.01", "79228162514264337593543950335"] {
            assert!(Currency::EUR.minor_units(amount.parse().unwrap()).is_err(), "{amount}");
        }
        for code in ["eur", "EURO", "", "E R"] {
            assert!(code.parse::<Currency>().is_err(), "{code}");
        }
    }

    proptest! {
        #[test]
        fn division_is_nearest(numerator in -1_000_000_i128..1_000_000, denominator in 1_i128..10_000) {
            let quotient = divide_half_up(numerator, denominator);
            let remainder = numerator - quotient * denominator;
            prop_assert!(2 * remainder.abs() <= denominator);
            prop_assert!(2 * remainder.abs() < denominator || quotient.abs() * denominator > numerator.abs());
        }
    }
}
