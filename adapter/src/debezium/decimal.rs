//! Decimals as Debezium writes them: strings, or `{"scale", "value"}` with the unscaled number in base64. Doubles are refused.

use base64::{Engine, engine::general_purpose::STANDARD};
use rust_decimal::Decimal;
use serde_json::Value;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    #[error("{0} came as a floating-point number, which does not keep money: set decimal.handling.mode to string or precise")]
    Double(String),
    #[error("{0:?} is not a number")]
    NotANumber(String),
    #[error("{0:?} is no decimal; a bare base64 number needs its schema (schemas.enable=true) or decimal.handling.mode=string")]
    NoDecimal(String),
    #[error("{0} has more digits than can be kept exactly")]
    TooLong(String),
}

/// The exact decimal of a column; `None` for null.
pub fn decimal(value: &Value) -> Result<Option<Decimal>, DecimalError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => from_text(text).map(Some),
        Value::Number(number) if number.is_f64() => Err(DecimalError::Double(number.to_string())),
        Value::Number(number) => from_text(&number.to_string()).map(Some),
        Value::Object(fields) => match (fields.get("scale").and_then(Value::as_i64), fields.get("value").and_then(Value::as_str)) {
            (Some(scale), Some(unscaled)) => from_unscaled(scale, unscaled).map(Some),
            _ => Err(DecimalError::NoDecimal(value.to_string())),
        },
        Value::Bool(_) | Value::Array(_) => Err(DecimalError::NoDecimal(value.to_string())),
    }
}

fn from_text(text: &str) -> Result<Decimal, DecimalError> {
    let upper = text.trim().to_ascii_uppercase();
    if matches!(upper.trim_start_matches(['+', '-']), "NAN" | "INFINITY" | "POSITIVE_INFINITY" | "NEGATIVE_INFINITY") {
        return Err(DecimalError::NotANumber(text.to_owned()));
    }
    if !upper.bytes().all(|byte| byte.is_ascii_digit() || b"+-.E".contains(&byte)) {
        return Err(DecimalError::NoDecimal(text.to_owned()));
    }
    let exact = if upper.contains('E') { Decimal::from_scientific(&upper) } else { Decimal::from_str_exact(&upper) };
    exact.map_err(|error| match error {
        rust_decimal::Error::ErrorString(_) => DecimalError::NoDecimal(text.to_owned()),
        _ => DecimalError::TooLong(text.to_owned()),
    })
}

/// Big-endian two's complement.
fn from_unscaled(scale: i64, base64: &str) -> Result<Decimal, DecimalError> {
    let bytes = STANDARD.decode(base64).map_err(|_| DecimalError::NoDecimal(base64.to_owned()))?;
    let too_long = || DecimalError::TooLong(format!("{base64:?} with scale {scale}"));
    let Some(first) = bytes.first() else { return Err(DecimalError::NoDecimal(base64.to_owned())) };
    let mut extended = [if first & 0x80 == 0 { 0x00 } else { 0xff }; 16];
    let start = extended.len().checked_sub(bytes.len()).ok_or_else(too_long)?;
    extended[start..].copy_from_slice(&bytes);
    let unscaled = i128::from_be_bytes(extended);
    let (unscaled, scale) = match u32::try_from(scale) {
        Ok(scale) => (unscaled, scale),
        // A negative scale counts zeros before the point.
        Err(_) => {
            let zeros = u32::try_from(scale.unsigned_abs()).map_err(|_| too_long())?;
            let factor = 10_i128.checked_pow(zeros).ok_or_else(too_long)?;
            (unscaled.checked_mul(factor).ok_or_else(too_long)?, 0)
        }
    };
    Decimal::try_from_i128_with_scale(unscaled, scale).map_err(|_| too_long())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_way_of_writing() {
        for (value, expected) in [
            (json!({"scale": 2, "value": "B3A="}), Some("19.04")),
            (json!({"scale": 0, "value": "ZA=="}), Some("100")),
            (json!({"scale": 0, "value": "AP8="}), Some("255")),
            (json!({"scale": 2, "value": "/iQ="}), Some("-4.76")),
            (json!({"scale": 2, "value": "7Q=="}), Some("-0.19")),
            (json!({"scale": 0, "value": "AA=="}), Some("0")),
            (json!({"scale": -2, "value": "AQ=="}), Some("100")),
            (json!({"scale": 2, "value": "Ado="}), Some("4.74")),
            (json!("4.80"), Some("4.80")),
            (json!("1E+3"), Some("1000")),
            (json!("-0.5"), Some("-0.5")),
            (json!(7), Some("7")),
            (Value::Null, None),
        ] {
            assert_eq!(decimal(&value), Ok(expected.map(|text| text.parse().unwrap())), "{value}");
        }
    }

    #[test]
    fn what_is_refused_says_why() {
        for (value, reason) in [
            (json!(1.2), "floating-point"),
            (json!(5.0), "floating-point"),
            (json!("NAN"), "not a number"),
            (json!("POSITIVE_INFINITY"), "not a number"),
            (json!("NaN"), "not a number"),
            (json!("JwY="), "schemas.enable=true"),
            (json!(""), "no decimal"),
            (json!("1,20"), "no decimal"),
            (json!({"scale": 2, "value": "%"}), "no decimal"),
            (json!({"scale": 2}), "no decimal"),
            (json!(true), "no decimal"),
            (json!("0.12345678901234567890123456789012345"), "more digits"),
            (json!({"scale": 30, "value": "AQ=="}), "more digits"),
            (json!({"scale": 0, "value": "AQAAAAAAAAAAAAAAAAAAAAAAAAAA"}), "more digits"),
        ] {
            let error = decimal(&value).unwrap_err().to_string();
            assert!(error.contains(reason), "{value}: {error}");
        }
    }

    proptest! {
        #[test]
        fn precise_and_string_are_the_same_number(unscaled in -(1_i128 << 90)..(1_i128 << 90), scale in 0_u32..=28) {
            let text = Decimal::from_i128_with_scale(unscaled, scale).to_string();
            let precise = json!({"scale": scale, "value": STANDARD.encode(unscaled.to_be_bytes())});
            prop_assert_eq!(decimal(&precise), decimal(&json!(text)));
        }
    }
}
