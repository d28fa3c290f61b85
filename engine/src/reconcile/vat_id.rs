//! VAT identification numbers and their check digits.
//!
//! Formats as in the European Commission's VIES; the check digits as the tax offices publish them.

use super::{country::Country, number::confused_digit};

/// What the check digits say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    Passed,
    Failed,
    /// The country's numbers bear none, or none known here.
    Unknown,
}

/// A tax number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VatId {
    /// Without spaces and signs, with its country's prefix where that is printed: `IE6388047V`, `6388047V`.
    pub value: String,
    pub country: Option<Country>,
    pub check: Check,
    /// Letters were read as the digits they look like, to satisfy the check digits.
    pub repaired: bool,
}

/// The number's form in one country.
struct Form {
    prefix: &'static str,
    /// Characters after the prefix.
    lengths: &'static [usize],
    /// Positions of letters from the end, or a fixed letter: everything else is a digit.
    letters: Letters,
    check: Option<fn(&[u32], &str) -> bool>,
}

#[derive(Clone, Copy)]
enum Letters {
    None,
    /// One or two after seven digits.
    AtEnd,
    /// After the first digit and after the last: Irish numbers given out before 1999, some of which are still in use.
    SecondAndLast,
    /// `U` before the digits.
    Leading,
    /// Two that may be letters before the digits.
    Key,
    /// `B` before the last two digits.
    BeforeLastTwo,
    Anywhere,
}

#[rustfmt::skip]
const FORMS: [Form; 18] = [
    Form { prefix: "AT", lengths: &[9], letters: Letters::Leading, check: Some(austria) },
    Form { prefix: "BE", lengths: &[10], letters: Letters::None, check: Some(|d, _| (97 - number(&d[..8]) % 97) == number(&d[8..])) },
    Form { prefix: "CHE", lengths: &[9], letters: Letters::None, check: Some(|d, _| switzerland(d)) },
    Form { prefix: "DE", lengths: &[9], letters: Letters::None, check: Some(|d, _| germany(d)) },
    Form { prefix: "DK", lengths: &[8], letters: Letters::None, check: Some(|d, _| weighted(d, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)) },
    Form { prefix: "ES", lengths: &[9], letters: Letters::Anywhere, check: Some(spain) },
    Form { prefix: "FI", lengths: &[8], letters: Letters::None, check: Some(|d, _| (weighted(d, &[7, 9, 10, 5, 8, 4, 2]) + d[7]).is_multiple_of(11)) },
    Form { prefix: "FR", lengths: &[11], letters: Letters::Key, check: Some(france) },
    Form { prefix: "GB", lengths: &[9, 12], letters: Letters::None, check: Some(|d, _| britain(d)) },
    Form { prefix: "IE", lengths: &[8, 9], letters: Letters::AtEnd, check: Some(ireland) },
    Form { prefix: "IE", lengths: &[8], letters: Letters::SecondAndLast, check: Some(old_ireland) },
    Form { prefix: "IT", lengths: &[11], letters: Letters::None, check: Some(|d, _| luhn(d)) },
    Form { prefix: "LU", lengths: &[8], letters: Letters::None, check: Some(|d, _| number(&d[..6]) % 89 == number(&d[6..])) },
    Form { prefix: "NL", lengths: &[12], letters: Letters::BeforeLastTwo, check: Some(netherlands) },
    Form { prefix: "PL", lengths: &[10], letters: Letters::None, check: Some(|d, _| weighted(d, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == d[9]) },
    Form { prefix: "PT", lengths: &[9], letters: Letters::None, check: Some(portugal) },
    Form { prefix: "SE", lengths: &[12], letters: Letters::None, check: Some(|d, _| luhn(&d[..10])) },
    Form { prefix: "XI", lengths: &[9, 12], letters: Letters::None, check: Some(|d, _| britain(d)) },
];

/// Digits that a tax number has at least; without a known form, what has fewer is none.
const DIGITS_MIN: usize = 6;

/// The number within its country: what is printed with the country's prefix and without it is one number.
pub fn within_country(value: &str) -> &str {
    let bare = |form: &Form| value.strip_prefix(form.prefix).filter(|body| form.lengths.contains(&body.len()));
    FORMS.iter().find_map(bare).unwrap_or(value)
}

/// Reads a number that may stand behind a caption. Where its prefix is left out, `home` says which country's it should be.
pub fn read(text: &str, home: Option<Country>) -> Option<VatId> {
    let compact = text.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_uppercase()).collect::<String>();
    // Swiss numbers may end with the tax's name.
    let compact = ["MWST", "TVA", "IVA"].iter().find_map(|tax| compact.strip_suffix(tax)).unwrap_or(&compact);
    let prefixed =
        FORMS.iter().flat_map(|form| compact.match_indices(form.prefix).map(move |(i, _)| (form, &compact[i + form.prefix.len()..])));
    let with_prefix: Vec<VatId> = prefixed.filter_map(|(form, body)| form.read(body)).collect();
    let passed = with_prefix.iter().find(|id| id.check == Check::Passed);
    passed.or(with_prefix.first()).cloned().or_else(|| without_prefix(text, home))
}

/// The words with digits, as `home` writes its numbers, or as printed. Spanish numbers are known by their letters.
fn without_prefix(text: &str, home: Option<Country>) -> Option<VatId> {
    let after_caption = text.rsplit(':').next().unwrap_or(text);
    let plain = |text: &str| text.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_uppercase()).collect::<String>();
    let of_country = |code: &str, body: &str| {
        let form = FORMS.iter().find(|form| form.prefix == code)?;
        let read = (0..body.len()).find_map(|start| form.read(&body[start..]));
        read.map(|id| VatId { value: id.value[form.prefix.len()..].to_owned(), ..id })
    };
    let has_digit = |word: &&str| word.contains(|c: char| c.is_ascii_digit());
    let printed: String = after_caption.split_whitespace().skip_while(|word| !has_digit(word)).map(plain).collect();
    let whole = plain(after_caption);
    let spanish = of_country("ES", &printed).filter(|id| id.check == Check::Passed && !id.repaired);
    if let Some(id) = spanish.or_else(|| of_country(home?.code(), &whole)) {
        return Some(id);
    }
    let has_digits = printed.chars().filter(char::is_ascii_digit).count() >= DIGITS_MIN;
    has_digits.then_some(VatId { value: printed, country: home, check: Check::Unknown, repaired: false })
}

/// The letter that a recogniser may have taken for this digit.
fn confused_letter(digit: char) -> Option<char> {
    Some(match digit {
        '0' => 'O',
        '1' => 'I',
        '2' => 'Z',
        '5' => 'S',
        '8' => 'B',
        _ => return None,
    })
}

impl Form {
    /// `body` is what follows the prefix, all of it.
    fn read(&self, body: &str) -> Option<VatId> {
        if !self.lengths.contains(&body.len()) {
            return None;
        }
        let repair = |(i, c): (usize, char)| match (self.must_be_letter(i), self.may_be_letter(i, body.len())) {
            (true, _) => confused_letter(c).unwrap_or(c),
            (_, true) => c,
            _ => confused_digit(c).unwrap_or(c),
        };
        let repaired: String = body.char_indices().map(repair).collect();
        let fits = repaired.char_indices().all(|(i, c)| c.is_ascii_digit() || self.may_be_letter(i, body.len()));
        if !fits || !self.has_its_letters(&repaired) {
            return None;
        }
        let digits: Vec<u32> = repaired.chars().filter_map(|c| c.to_digit(10)).collect();
        let check = match self.check {
            None => Check::Unknown,
            Some(_) if matches!(self.letters, Letters::Key) && digits.len() < body.len() => Check::Unknown,
            Some(check) if check(&digits, &repaired) => Check::Passed,
            Some(_) => Check::Failed,
        };
        let value = format!("{}{repaired}", self.prefix);
        Some(VatId { value, country: Country::from_code(self.prefix), check, repaired: repaired != body })
    }

    fn must_be_letter(&self, index: usize) -> bool {
        matches!(self.letters, Letters::AtEnd) && index >= 7
    }

    fn may_be_letter(&self, index: usize, length: usize) -> bool {
        match self.letters {
            Letters::None => false,
            Letters::AtEnd => index >= 7,
            Letters::SecondAndLast => index == 1 || index == 7,
            Letters::Leading => index == 0,
            Letters::Key => index < 2,
            Letters::BeforeLastTwo => index + 3 == length,
            Letters::Anywhere => true,
        }
    }

    fn has_its_letters(&self, body: &str) -> bool {
        match self.letters {
            Letters::AtEnd => body[7..].chars().all(|c| c.is_ascii_uppercase()),
            Letters::SecondAndLast => [1, 7].iter().all(|&at| body.as_bytes()[at].is_ascii_uppercase()),
            Letters::Leading => body.starts_with('U'),
            Letters::BeforeLastTwo => body[..body.len() - 2].ends_with('B'),
            Letters::None | Letters::Key => true,
            Letters::Anywhere => body.chars().filter(char::is_ascii_digit).count() >= DIGITS_MIN,
        }
    }
}

fn number(digits: &[u32]) -> u32 {
    digits.iter().fold(0, |n, d| n * 10 + d)
}

fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(d, w)| d * w).sum()
}

/// H. P. Luhn, US patent 2950048: every second digit from the right doubled, digits summed, a multiple of ten.
fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits.iter().rev().enumerate().map(|(i, d)| if i % 2 == 1 { d * 2 / 10 + d * 2 % 10 } else { *d }).sum();
    sum.is_multiple_of(10)
}

fn austria(digits: &[u32], _: &str) -> bool {
    let sum: u32 = digits[..7].iter().enumerate().map(|(i, d)| if i % 2 == 1 { d * 2 / 10 + d * 2 % 10 } else { *d }).sum();
    (96 - sum) % 10 == digits[7]
}

/// Modulus 97, or 97 less 55 for numbers since 2010.
fn britain(digits: &[u32]) -> bool {
    let sum = weighted(&digits[..7], &[8, 7, 6, 5, 4, 3, 2]) + number(&digits[7..9]);
    sum.is_multiple_of(97) || (sum + 55).is_multiple_of(97)
}

/// The SIREN's remainder makes the key.
fn france(digits: &[u32], _: &str) -> bool {
    let siren = number(&digits[2..]);
    (12 + 3 * (siren % 97)) % 97 == number(&digits[..2])
}

/// ISO 7064, MOD 11,10.
fn germany(digits: &[u32]) -> bool {
    let product = digits[..8].iter().fold(10, |product, d| {
        let sum = (product + d) % 10;
        2 * if sum == 0 { 10 } else { sum } % 11
    });
    (11 - product) % 10 == digits[8]
}

/// Modulus 23 gives the letter; a second letter counts nine times its place in the alphabet, `W` as none.
fn ireland(digits: &[u32], body: &str) -> bool {
    let mut letters = body[7..].bytes();
    let place = |letter: u8| u32::from(letter - b'A') + 1;
    let Some(check) = letters.next() else { return false };
    let extra = letters.next().filter(|l| *l != b'W').map_or(0, |l| 9 * place(l));
    (weighted(digits, &[8, 7, 6, 5, 4, 3, 2]) + extra) % 23 == place(check) % 23
}

/// As the newer ones, with a zero before the five digits and the first digit behind them.
fn old_ireland(digits: &[u32], body: &str) -> bool {
    let newer: Vec<u32> = [0].into_iter().chain(digits[1..6].iter().copied()).chain([digits[0]]).collect();
    ireland(&newer, &format!("0000000{}", &body[7..]))
}

/// Of companies the digits' sum, every second one doubled from the first, gives a digit or the letter of that place; of persons modulus 23 gives
/// the letter.
fn spain(digits: &[u32], body: &str) -> bool {
    const OF_PERSONS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    const OF_COMPANIES: &[u8] = b"JABCDEFGHI";
    let (first, last) = (body.as_bytes()[0], body.as_bytes()[body.len() - 1]);
    if first.is_ascii_digit() || matches!(first, b'X' | b'Y' | b'Z') {
        let kind = if first.is_ascii_digit() { 0 } else { u32::from(first - b'X') };
        let inner = &digits[..digits.len().min(8)];
        return last.is_ascii_uppercase() && OF_PERSONS[((kind * 10_000_000 + number(inner)) % 23) as usize] == last;
    }
    if digits.len() < 7 {
        return false;
    }
    let sum: u32 = digits[..7].iter().enumerate().map(|(i, d)| if i % 2 == 0 { d * 2 / 10 + d * 2 % 10 } else { *d }).sum();
    let check = (10 - sum % 10) % 10;
    u32::from(last) == u32::from(b'0') + check || last == OF_COMPANIES[check as usize]
}

/// Modulus 11 of the enterprise's number.
fn switzerland(digits: &[u32]) -> bool {
    (11 - weighted(&digits[..8], &[5, 4, 3, 2, 7, 6, 5, 4]) % 11) % 11 == digits[8]
}

/// Modulus 11 of companies, or ISO 7064 MOD 97-10 of sole traders since 2020.
fn netherlands(digits: &[u32], body: &str) -> bool {
    let modulus_11 = weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == digits[8];
    let modulus_97 = format!("NL{body}").chars().filter_map(|c| c.to_digit(36)).fold(0, |n, v| (n * if v > 9 { 100 } else { 10 } + v) % 97);
    modulus_11 || modulus_97 == 1
}

fn portugal(digits: &[u32], _: &str) -> bool {
    let check = 11 - weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    digits[8] == if check >= 10 { 0 } else { check }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_of_record() {
        // Published numbers of large firms, and each with one digit changed.
        let cases = [
            ("IE6388047V", Check::Passed),
            ("IE 6388047 V", Check::Passed),
            ("IE 8Z49289F", Check::Passed),
            ("IE 8Z49288F", Check::Failed),
            ("IE6388048V", Check::Failed),
            ("IE3336483DH", Check::Passed),
            ("GB 980 7806 84", Check::Passed),
            ("GB 980 7806 85", Check::Failed),
            ("DE136695976", Check::Passed),
            ("DE136695970", Check::Failed),
            ("FR40303265045", Check::Passed),
            ("FR41303265045", Check::Failed),
            ("NL004495445B01", Check::Passed),
            ("BE0428759497", Check::Passed),
            ("ATU13585627", Check::Passed),
            ("IT00743110157", Check::Passed),
            ("LU15027442", Check::Passed),
            ("DK13585628", Check::Passed),
            ("FI20774740", Check::Passed),
            ("PL8567346215", Check::Passed),
            ("PT501964843", Check::Passed),
            ("SE123456789701", Check::Passed),
            ("ESA28015865", Check::Passed),
            ("A28015866", Check::Unknown),
            ("CHE-116.281.710 MWST", Check::Passed),
            ("CHE-116.281.711", Check::Failed),
        ];
        for (text, check) in cases {
            assert_eq!(read(text, None).map(|id| id.check), Some(check), "{text}");
        }
    }

    #[test]
    fn captions_prefixes_and_look_alikes() {
        let cases = [
            ("VAT No: IE6388047V", None, Some(("IE6388047V", Check::Passed))),
            ("USt-IdNr.: DE 136 695 976", None, Some(("DE136695976", Check::Passed))),
            ("VAT Reg No. 6388047V", Some(Country::Ireland), Some(("6388047V", Check::Passed))),
            ("VAT Reg No. 638BO47V", Some(Country::Ireland), Some(("6388047V", Check::Passed))),
            ("980780684", Some(Country::UnitedKingdom), Some(("980780684", Check::Passed))),
            ("IE638BO47V", None, Some(("IE6388047V", Check::Passed))),
            ("NIF A28015865", None, Some(("A28015865", Check::Passed))),
            ("SST ID J31-1885-87672520", Some(Country::Malaysia), Some(("J31188587672520", Check::Unknown))),
            ("GST NO: 000512237568", Some(Country::Malaysia), Some(("000512237568", Check::Unknown))),
            ("VAT NO:", None, None),
            ("", None, None),
        ];
        for (text, home, expected) in cases {
            let id = read(text, home);
            assert_eq!(id.as_ref().map(|id| (id.value.as_str(), id.check)), expected, "{text}");
        }
        assert!(read("IE638BO47V", None).unwrap().repaired);
    }

    #[test]
    fn one_number_with_and_without_its_country() {
        for (printed, within) in [
            ("IE6388047V", "6388047V"),
            ("6388047V", "6388047V"),
            ("GB980780684", "980780684"),
            ("ESA28015865", "A28015865"),
            ("CHE116281710", "116281710"),
            ("ATU13585627", "U13585627"),
            ("DE1", "DE1"),
            ("", ""),
        ] {
            assert_eq!(within_country(printed), within);
        }
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_found(position in 0usize..7, change in 1u32..10) {
            let mut body: Vec<u32> = vec![6, 3, 8, 8, 0, 4, 7];
            body[position] = (body[position] + change) % 10;
            let text = format!("IE{}V", body.iter().map(u32::to_string).collect::<String>());
            prop_assert_eq!(read(&text, None).unwrap().check, Check::Failed);
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,32}|(IE|NL|AT|FR|GB)[A-Z0-9]{6,13}") {
            read(&text, Some(Country::Ireland));
        }
    }
}
