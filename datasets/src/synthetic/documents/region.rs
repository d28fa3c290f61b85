//! Where a document comes from: its money, its taxes, its tax numbers, its language.

use crate::synthetic::dice::Dice;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    English,
    German,
    French,
}

impl Language {
    /// The prefix of its rules in `wording.txt`.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Country {
    Ireland,
    Britain,
    Malaysia,
    Germany,
    France,
}

/// How heavily goods are taxed; each country has its own rates for the classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateClass {
    Standard,
    Reduced,
    SecondReduced,
    Zero,
}

/// A tax rate in tenths of a percent: 23 % is 230.
pub type RatePermille = i64;

impl Country {
    /// Ireland most often: that is where the first users are; Malaysia for SROIE's sake.
    pub fn draw(dice: &mut Dice) -> Self {
        *dice.pick_weighted(&[(9, Self::Ireland), (2, Self::Britain), (4, Self::Malaysia), (2, Self::Germany), (1, Self::France)])
    }

    pub fn language(self) -> Language {
        match self {
            Self::Germany => Language::German,
            Self::France => Language::French,
            _ => Language::English,
        }
    }

    /// ISO 4217.
    pub fn currency(self) -> &'static str {
        match self {
            Self::Britain => "GBP",
            Self::Malaysia => "MYR",
            _ => "EUR",
        }
    }

    pub fn currency_sign(self) -> &'static str {
        match self {
            Self::Britain => "£",
            Self::Malaysia => "RM",
            _ => "€",
        }
    }

    pub fn decimal_comma(self) -> bool {
        matches!(self, Self::Germany | Self::France)
    }

    pub fn rate(self, class: RateClass) -> RatePermille {
        let [standard, reduced, second] = match self {
            Self::Ireland => [230, 135, 90],
            Self::Britain => [200, 50, 50],
            Self::Malaysia => [60, 60, 60],
            Self::Germany => [190, 70, 70],
            Self::France => [200, 100, 55],
        };
        match class {
            RateClass::Standard => standard,
            RateClass::Reduced => reduced,
            RateClass::SecondReduced => second,
            RateClass::Zero => 0,
        }
    }

    /// What the tax is called.
    pub fn tax_name(self) -> &'static str {
        match self {
            Self::Malaysia => "GST",
            Self::Germany => "MwSt.",
            Self::France => "TVA",
            _ => "VAT",
        }
    }

    /// A tax number with right check digits, without spaces.
    pub fn tax_number(self, dice: &mut Dice) -> String {
        match self {
            Self::Ireland => irish_vat_number(dice),
            Self::Britain => british_vat_number(dice),
            Self::Malaysia => format!("00{}{}", dice.within(1..=9), dice.digits(9)),
            Self::Germany => german_vat_number(dice),
            Self::France => french_vat_number(dice),
        }
    }

    pub fn phone(self, dice: &mut Dice) -> String {
        let template = match self {
            Self::Ireland => *dice.pick(&["01 ### ####", "(01) ### ####", "+353 1 ### ####", "021 ### ####", "061 ######", "091 ######"]),
            Self::Britain => *dice.pick(&["020 #### ####", "0161 ### ####", "+44 20 #### ####"]),
            Self::Malaysia => *dice.pick(&["03-#### ####", "07-### ####", "03-########", "+603-#### ####"]),
            Self::Germany => *dice.pick(&["+49 30 ######", "089 ######", "0221/######"]),
            Self::France => *dice.pick(&["01 ## ## ## ##", "+33 4 ## ## ## ##"]),
        };
        template.chars().map(|c| if c == '#' { dice.digit() } else { c }).collect()
    }
}

fn digits_of(number: &str) -> Vec<u32> {
    number.chars().filter_map(|c| c.to_digit(10)).collect()
}

/// IE, seven digits, a check letter and `A`-`I` on companies' numbers: the digits weigh 8 to 2, the last letter 9, modulo 23.
fn irish_vat_number(dice: &mut Dice) -> String {
    let number = dice.digits(7);
    let suffix = dice.chance(0.5).then(|| dice.within(1..=9u32));
    let weighted: u32 = digits_of(&number).iter().zip((2..=8).rev()).map(|(digit, weight)| digit * weight).sum();
    let letter = |index: u32| if index == 0 { 'W' } else { char::from(b'A' + (index - 1) as u8) };
    let check = letter((weighted + 9 * suffix.unwrap_or(0)) % 23);
    format!("IE{number}{check}{}", suffix.map(letter).into_iter().collect::<String>())
}

/// GB and nine digits: the first seven weigh 8 to 2, the last two are 97 less the sum modulo 97.
fn british_vat_number(dice: &mut Dice) -> String {
    let number = dice.digits(7);
    let weighted: u32 = digits_of(&number).iter().zip((2..=8).rev()).map(|(digit, weight)| digit * weight).sum();
    format!("GB{number}{:02}", 97 - weighted % 97)
}

/// DE and nine digits, the last by ISO 7064 MOD 11, 10.
fn german_vat_number(dice: &mut Dice) -> String {
    let number = format!("{}{}", dice.within(1..=9), dice.digits(7));
    let product = digits_of(&number).into_iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        2 * if sum == 0 { 10 } else { sum } % 11
    });
    format!("DE{number}{}", (11 - product) % 10)
}

/// FR, a key and the nine digits of the SIREN: key = (12 + 3 (siren mod 97)) mod 97. The SIREN ends in a Luhn digit.
fn french_vat_number(dice: &mut Dice) -> String {
    let base = dice.digits(8);
    let luhn: u32 = digits_of(&base).iter().rev().enumerate().map(|(i, d)| if i % 2 == 0 { d * 2 / 10 + d * 2 % 10 } else { *d }).sum();
    let siren = format!("{base}{}", (10 - luhn % 10) % 10);
    let value = digits_of(&siren).into_iter().fold(0, |value, digit| (value * 10 + digit) % 97);
    format!("FR{:02}{siren}", (12 + 3 * value) % 97)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tax_numbers_pass_their_checks() {
        let mut dice = Dice::new(1, 0);
        for _ in 0..200 {
            let german = digits_of(&german_vat_number(&mut dice));
            let remainder = german[..8].iter().fold(10, |p, d| (2 * if (d + p) % 10 == 0 { 10 } else { (d + p) % 10 }) % 11);
            assert_eq!((remainder + german[8]) % 10, 1, "{german:?}");
            let british = digits_of(&british_vat_number(&mut dice));
            let sum: u32 = british[..7].iter().zip((2..=8).rev()).map(|(d, w)| d * w).sum();
            assert_eq!((sum + british[7] * 10 + british[8]) % 97, 0, "{british:?}");
            let irish = irish_vat_number(&mut dice);
            assert!(irish.len() == 10 || irish.len() == 11, "{irish}");
        }
        assert_eq!(Country::Malaysia.tax_number(&mut dice).len(), 12);
    }
}
