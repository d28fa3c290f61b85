//! How a document prints its numbers and dates; and the plain form of the truth.

use jiff::civil::Date;

use super::region::Country;
use crate::synthetic::dice::Dice;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SignPlace {
    None,
    Before,
    BeforeWithSpace,
    After,
}

/// The number and date forms of one document.
#[derive(Debug, Clone)]
pub struct Figures {
    decimal: char,
    thousands: Option<char>,
    sign: &'static str,
    totals_sign: SignPlace,
    quantity_decimals: usize,
    rate_decimals: usize,
    rate_sign: &'static str,
    date: &'static str,
}

const ENGLISH_DATES: [(u32, &str); 10] = [
    (8, "%d/%m/%Y"),
    (4, "%d/%m/%y"),
    (3, "%d-%m-%Y"),
    (2, "%d-%m-%y"),
    (2, "%d.%m.%Y"),
    (3, "%d %b %Y"),
    (2, "%-d %B %Y"),
    (2, "%d-%b-%y"),
    (1, "%Y-%m-%d"),
    (1, "%b %d, %Y"),
];

impl Figures {
    pub fn draw(dice: &mut Dice, country: Country) -> Self {
        let comma = country.decimal_comma();
        let signs =
            [(5, SignPlace::None), (4, SignPlace::Before), (1, SignPlace::BeforeWithSpace), (u32::from(comma) * 6, SignPlace::After)];
        let whole = dice.chance(0.6);
        Self {
            decimal: if comma { ',' } else { '.' },
            thousands: dice.chance(0.75).then_some(if comma { '.' } else { ',' }),
            sign: country.currency_sign(),
            totals_sign: *dice.pick_weighted(&signs),
            quantity_decimals: if whole { 0 } else { *dice.pick(&[1, 2, 2, 3]) },
            rate_decimals: if dice.chance(0.6) { 0 } else { 2 },
            rate_sign: *dice.pick_weighted(&[(4, "%"), (1, " %"), (1, "")]),
            date: if comma { *dice.pick(&["%d.%m.%Y", "%d.%m.%Y", "%d/%m/%Y", "%d.%m.%y"]) } else { *dice.pick_weighted(&ENGLISH_DATES) },
        }
    }

    /// What most documents of the country look like.
    pub fn usual(country: Country) -> Self {
        let comma = country.decimal_comma();
        Self {
            decimal: if comma { ',' } else { '.' },
            thousands: Some(if comma { '.' } else { ',' }),
            sign: country.currency_sign(),
            totals_sign: if comma { SignPlace::After } else { SignPlace::Before },
            quantity_decimals: 0,
            rate_decimals: 0,
            rate_sign: "%",
            date: if comma { "%d.%m.%Y" } else { "%d/%m/%Y" },
        }
    }

    /// An amount among others of its kind: no currency sign.
    pub fn money(&self, cents: i64) -> String {
        let digits = format!("{:03}", cents.abs());
        let (whole, fraction) = digits.split_at(digits.len() - 2);
        format!("{}{}{}{fraction}", if cents < 0 { "-" } else { "" }, self.group(whole), self.decimal)
    }

    /// An amount that counts: with the currency sign, if the document prints any.
    pub fn total(&self, cents: i64) -> String {
        let (minus, amount) = (if cents < 0 { "-" } else { "" }, self.money(cents.abs()));
        match self.totals_sign {
            SignPlace::None => format!("{minus}{amount}"),
            SignPlace::Before => format!("{minus}{}{amount}", self.sign),
            SignPlace::BeforeWithSpace => format!("{minus}{} {amount}", self.sign),
            SignPlace::After => format!("{minus}{amount} {}", self.sign),
        }
    }

    /// Whether [`Figures::total`] shows the currency.
    pub fn shows_currency(&self) -> bool {
        self.totals_sign != SignPlace::None
    }

    pub fn quantity(&self, milli: i64) -> String {
        if milli % 1000 == 0 { self.fixed(milli, 3, self.quantity_decimals) } else { self.fixed(milli, 3, 3) }
    }

    pub fn rate(&self, permille: i64) -> String {
        let decimals = if permille % 10 == 0 { self.rate_decimals } else { self.rate_decimals.max(1) };
        format!("{}{}", self.fixed(permille, 1, decimals), self.rate_sign)
    }

    pub fn date(&self, date: Date) -> String {
        date.strftime(self.date).to_string()
    }

    /// `value / 10^scale` with `decimals` places, those beyond the scale being zeros; digits that are cut must be zeros.
    fn fixed(&self, value: i64, scale: usize, decimals: usize) -> String {
        let digits = format!("{:0width$}", value.abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let fraction: String = fraction.chars().chain(std::iter::repeat('0')).take(decimals).collect();
        let sign = if value < 0 { "-" } else { "" };
        if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}{}{fraction}", self.decimal) }
    }

    fn group(&self, whole: &str) -> String {
        let Some(separator) = self.thousands else { return whole.to_owned() };
        let mut grouped = String::new();
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) {
                grouped.push(separator);
            }
            grouped.push(digit);
        }
        grouped
    }
}

/// `value / 10^scale` as the contracts write decimals: a point, no grouping, `scale` places or, trimmed, as few as are needed.
pub fn decimal(value: i64, scale: usize, trimmed: bool) -> String {
    let digits = format!("{:0width$}", value.abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let fraction = if trimmed { fraction.trim_end_matches('0') } else { fraction };
    let sign = if value < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(decimal: char, thousands: Option<char>, totals_sign: SignPlace) -> Figures {
        Figures { decimal, thousands, totals_sign, quantity_decimals: 2, ..Figures::usual(Country::Ireland) }
    }

    #[test]
    fn amounts_are_printed_by_the_documents_form() {
        let english = figures('.', Some(','), SignPlace::Before);
        assert_eq!(english.money(123_456_789), "1,234,567.89");
        assert_eq!(english.total(-1_005), "-€10.05");
        assert_eq!(english.quantity(24_000), "24.00");
        assert_eq!(english.quantity(1_250), "1.250");
        assert_eq!((english.rate(230), english.rate(135)), ("23%".into(), "13.5%".into()));
        let german = figures(',', Some('.'), SignPlace::After);
        assert_eq!(german.total(123_450), "1.234,50 €");
        assert_eq!(figures('.', None, SignPlace::None).total(5), "0.05");
    }

    #[test]
    fn decimals_of_the_truth_are_plain() {
        for (value, scale, trimmed, expected) in
            [(123_450, 2, false, "1234.50"), (-5, 2, false, "-0.05"), (135, 1, true, "13.5"), (230, 1, true, "23"), (24_000, 3, true, "24")]
        {
            assert_eq!(decimal(value, scale, trimmed), expected);
        }
    }
}
