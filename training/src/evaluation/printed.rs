//! What stands on the pages of a labelled document: a label that does not (a price that the page rounds, a quantity that it leaves out)
//! cannot be read.

use std::collections::BTreeSet;

use engine::text::TextLine;
use rust_decimal::Decimal;
use unicode_normalization::UnicodeNormalization;

/// Numbers and letters of a text layer, however they are grouped and set.
pub struct Printed {
    /// Without signs and needless zeros.
    numbers: BTreeSet<Decimal>,
    /// Letters and digits, upper-cased, in one.
    letters: String,
}

impl Printed {
    pub fn of(lines: &[TextLine]) -> Self {
        let words = || lines.iter().flat_map(|line| line.text.split_whitespace());
        Self { numbers: words().flat_map(numbers).collect(), letters: words().map(letters).collect() }
    }

    /// Whether a value stands there: a number as such, of a text each word.
    pub fn holds(&self, value: &str) -> bool {
        match value.parse::<Decimal>() {
            Ok(number) => self.numbers.contains(&number.abs().normalize()),
            Err(_) => value.split_whitespace().all(|word| self.letters.contains(&letters(word))),
        }
    }
}

/// Letters and digits of a text after NFKC, upper-cased; a multiplication sign is an `x`.
pub fn letters(text: &str) -> String {
    text.replace('×', "x").nfkc().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// What a word may say as a number: its last sign the decimal one, or all of them between thousands.
fn numbers(word: &str) -> impl Iterator<Item = Decimal> + use<> {
    let is_sign = |c: char| matches!(c, '.' | ',');
    let bare: String = word.chars().filter(|c| c.is_ascii_digit() || is_sign(*c)).collect();
    let digits = |text: &str| text.replace(is_sign, "");
    let split = bare.rsplit_once(is_sign).map(|(whole, fraction)| format!("{}.{fraction}", digits(whole)));
    [Some(digits(&bare)), split].into_iter().flatten().filter_map(|number| Some(number.parse::<Decimal>().ok()?.normalize()))
}

#[cfg(test)]
mod tests {
    use engine::geometry::Quad;

    use super::*;

    #[test]
    fn values_stand_on_the_page_in_any_form() {
        let line = |text: &str| TextLine { page: 0, quad: Quad::from_edges(0.0, 0.0, 9.0, 9.0), text: text.into(), confidence: 1.0 };
        let printed = Printed::of(&[line("Gelierzucker 10.000,00 kg"), line("Extra 0,05 EUR -2 7% 1,234")]);
        for (value, holds) in [
            ("Gelierzucker Extra", true),
            ("Gelier-Zucker", true),
            ("Zitronensäure", false),
            ("10000", true),
            ("0.0500", true),
            ("0.052", false),
            ("-2.00", true),
            ("7", true),
            ("1234", true),
            ("1.234", true),
        ] {
            assert_eq!(printed.holds(value), holds, "{value}");
        }
    }
}
