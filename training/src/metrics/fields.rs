//! Task 3: the four key strings of a receipt.
//!
//! Raw: a field counts only if the string equals the label exactly. Normalised: compared by what it says, so that a different space or
//! comma in an address is no error, a wrong letter is. Precision is over non-empty predictions, recall over non-empty labels.

use std::collections::BTreeMap;

use engine::reconcile::{
    date::{self, DateOrder},
    money,
    number::DecimalMark,
};
use unicode_normalization::UnicodeNormalization;

use super::Tally;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyField {
    Company,
    Date,
    Address,
    Total,
}

impl KeyField {
    pub const ALL: [Self; 4] = [Self::Company, Self::Date, Self::Address, Self::Total];

    pub fn name(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Date => "date",
            Self::Address => "address",
            Self::Total => "total",
        }
    }
}

/// What a string says: an ISO date, a decimal without currency, else the letters and digits after NFKC, upper-cased. A date or a total
/// that can't be read is compared by its letters and digits too.
pub fn normalise(field: KeyField, text: &str) -> String {
    let text: String = text.nfkc().collect();
    let typed = match field {
        KeyField::Company | KeyField::Address => None,
        KeyField::Date => date::readings(&text, DateOrder::DayFirst).first().map(|r| r.value.to_string()),
        KeyField::Total => money::read(&text, Some(DecimalMark::Point)).readings.first().map(|r| r.value.normalize().to_string()),
    };
    typed.unwrap_or_else(|| text.to_uppercase().chars().filter(|c| c.is_alphanumeric()).collect())
}

/// Raw and normalised tallies of each field.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FieldTallies {
    raw: BTreeMap<KeyField, Tally>,
    normalised: BTreeMap<KeyField, Tally>,
}

/// How one prediction stands to its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    pub raw: bool,
    pub normalised: bool,
}

impl FieldTallies {
    /// Counts one field of one receipt; an empty string is no label and no prediction.
    pub fn add(&mut self, field: KeyField, truth: &str, predicted: &str) -> Agreement {
        let both = !truth.is_empty() && !predicted.is_empty();
        let agreement =
            Agreement { raw: both && truth == predicted, normalised: both && normalise(field, truth) == normalise(field, predicted) };
        let tally = |right: bool| Tally::of_pairs(right.into(), (!predicted.is_empty()).into(), (!truth.is_empty()).into());
        *self.raw.entry(field).or_default() += tally(agreement.raw);
        *self.normalised.entry(field).or_default() += tally(agreement.normalised);
        agreement
    }

    pub fn raw(&self, field: KeyField) -> Tally {
        self.raw.get(&field).copied().unwrap_or_default()
    }

    pub fn normalised(&self, field: KeyField) -> Tally {
        self.normalised.get(&field).copied().unwrap_or_default()
    }

    /// Micro sums over the four fields.
    pub fn raw_total(&self) -> Tally {
        self.raw.values().copied().sum()
    }

    /// Micro sums over the four fields.
    pub fn normalised_total(&self) -> Tally {
        self.normalised.values().copied().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_by_hand() {
        use KeyField::{Address, Company, Date, Total};
        let cases = [
            (Company, "ABC SDN BHD", "ABC SDN BHD", true, true),
            (Company, "ABC SDN. BHD.", "ABC SDN BHD", false, true),
            (Company, "ABC SDN BND", "ABC SDN BHD", false, false),
            (Company, "CAFE\u{301} A", "Caf\u{e9} A", false, true),
            (Address, "NO.53 55,57, JOHOR.", "NO. 53 55, 57,JOHOR", false, true),
            (Address, "81750 JOHOR", "81760 JOHOR", false, false),
            (Date, "25/12/2018", "25-12-18", false, true),
            (Date, "25 DEC 2018", "25/12/2018", false, true),
            (Date, "25/12/2018", "26/12/2018", false, false),
            (Date, "NOT A DATE", "NOT A-DATE", false, true),
            (Total, "RM9.00", "9.00", false, true),
            (Total, "$7.20", "7.2", false, true),
            (Total, "1,007.50", "1007.50", false, true),
            (Total, "9.00", "900", false, false),
            (Total, "9.00", "-9.00", false, false),
        ];
        for (field, truth, predicted, raw, normalised) in cases {
            let agreement = FieldTallies::default().add(field, truth, predicted);
            assert_eq!(agreement, Agreement { raw, normalised }, "{truth} / {predicted}");
        }
    }

    #[test]
    fn empty_strings_are_neither_labels_nor_predictions() {
        let mut tallies = FieldTallies::default();
        tallies.add(KeyField::Total, "", "9.00"); // no label: costs precision
        tallies.add(KeyField::Total, "9.00", ""); // no answer: costs recall
        tallies.add(KeyField::Total, "", "");
        tallies.add(KeyField::Date, "2018-12-25", "2018-12-25");
        assert_eq!(tallies.raw(KeyField::Total), Tally::of_pairs(0, 1, 1));
        let sum = tallies.raw_total();
        assert_eq!((sum.precision(), sum.recall(), sum.f1()), (0.5, 0.5, 0.5));
    }
}
