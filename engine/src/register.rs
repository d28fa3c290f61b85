//! The register of suppliers: what confirmed documents say of whom we buy from.
//!
//! A supplier seen before is read better: among the candidates for a name the known one is likelier, and letters that were misread are
//! spelt as they are known. Clear evidence on the page stands: other digits (of a house, a lot, a postcode) are another address, and a
//! name that merely resembles a known one is another name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::reconcile::vat_id::within_country;

/// From this similarity on (1 minus the edit distance over the longer length, of letters and digits by their shapes), two prints are one name or one
/// address. On 100 receipts of suppliers that are not in the register nothing is taken for a known one.
const NAME_SIMILARITY_MIN: f64 = 0.88;
const ADDRESS_SIMILARITY_MIN: f64 = 0.92;
/// Shorter names resemble each other by chance.
const NAME_LETTERS_MIN: usize = 6;

/// What one document says of its supplier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KnownSupplier {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat_id: Option<String>,
    /// How many documents say so.
    #[serde(default = "one")]
    pub documents: usize,
}

fn one() -> usize {
    1
}

/// Why a register cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "line {line} of the register of suppliers is no supplier: {{\"name\": \"...\", \"address\": \"...\", \"vat_id\": \"...\"}} is expected"
)]
pub struct RegisterError {
    pub line: usize,
    pub source: serde_json::Error,
}

/// Suppliers by their names, addresses and tax numbers.
#[derive(Debug, Clone, Default)]
pub struct Register {
    known: Vec<KnownSupplier>,
    names: Vec<Spelling>,
    addresses: Vec<Spelling>,
    /// The name that most documents with this number bear; numbers without their countries.
    by_vat_id: BTreeMap<String, String>,
}

/// One way in which something is printed.
#[derive(Debug, Clone)]
struct Spelling {
    text: String,
    letters: String,
    /// Letters and digits, those that readers take for each other made one.
    shape: String,
    digits: String,
    documents: usize,
}

impl Register {
    /// Knows more: a JSON object a line, each of confirmed documents. Empty lines are passed over.
    pub fn and(self, json_lines: &str) -> Result<Self, RegisterError> {
        let lines = json_lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let read = |(i, line)| serde_json::from_str(line).map_err(|source| RegisterError { line: i + 1, source });
        let more: Vec<KnownSupplier> = lines.map(read).collect::<Result<_, _>>()?;
        Ok(Self::learn(self.known.into_iter().chain(more).collect()))
    }

    pub fn learn(known: Vec<KnownSupplier>) -> Self {
        let mut by_vat_id: BTreeMap<String, Vec<(&str, usize)>> = BTreeMap::new();
        for supplier in &known {
            if let Some(number) = supplier.vat_id.clone() {
                by_vat_id.entry(within_country(&number).to_owned()).or_default().push((&supplier.name, supplier.documents));
            }
        }
        let most_frequent = |names: Vec<(&str, usize)>| spellings(names.into_iter()).into_iter().next().map(|spelling| spelling.text);
        Self {
            names: spellings(known.iter().map(|supplier| (supplier.name.as_str(), supplier.documents))),
            addresses: spellings(known.iter().filter_map(|supplier| Some((supplier.address.as_deref()?, supplier.documents)))),
            by_vat_id: by_vat_id.into_iter().filter_map(|(number, names)| Some((number, most_frequent(names)?))).collect(),
            known,
        }
    }

    /// The known name that this print is, misread letters put right; `None` where it is no known one. A print that says the same keeps
    /// its signs and spaces.
    pub fn name(&self, printed: &str) -> Option<String> {
        let found = nearest(&self.names, printed, NAME_SIMILARITY_MIN).filter(|known| known.letters.len() >= NAME_LETTERS_MIN)?;
        Some(if found.letters == letters(printed) { even_spaces(printed) } else { found.text.clone() })
    }

    /// The known address that this print is, as it is known.
    pub fn address(&self, printed: &str) -> Option<String> {
        nearest(&self.addresses, printed, ADDRESS_SIMILARITY_MIN).map(|known| known.text.clone())
    }

    /// The name of the supplier with this tax number.
    pub fn name_of(&self, vat_id: &str) -> Option<&str> {
        self.by_vat_id.get(within_country(vat_id)).map(String::as_str)
    }
}

/// Distinct prints, the most frequent first.
fn spellings<'a>(texts: impl Iterator<Item = (&'a str, usize)>) -> Vec<Spelling> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    texts.for_each(|(text, documents)| *counts.entry(even_spaces(text)).or_default() += documents);
    let spelling = |(text, documents): (String, usize)| Spelling {
        letters: letters(&text),
        shape: shape(&text),
        digits: digits(&text),
        text,
        documents,
    };
    let mut all: Vec<Spelling> = counts.into_iter().map(spelling).collect();
    all.sort_by_key(|spelling| std::cmp::Reverse(spelling.documents));
    all
}

/// The most similar spelling, the more frequent one of equals.
fn nearest<'a>(spellings: &'a [Spelling], printed: &str, similarity_min: f64) -> Option<&'a Spelling> {
    let (printed, printed_digits) = (shape(printed), digits(printed));
    let may_be = |known: &&Spelling| {
        let (shorter, longer) = (known.shape.len().min(printed.len()), known.shape.len().max(printed.len()));
        shorter as f64 >= similarity_min * longer as f64 && known.digits == printed_digits
    };
    let similar = spellings.iter().filter(may_be).map(|known| (known, strsim::normalized_levenshtein(&known.shape, &printed)));
    // Reversed, for `max_by` takes the last of equals.
    let best = similar.rev().max_by(|a, b| a.1.total_cmp(&b.1))?;
    (best.1 >= similarity_min).then_some(best.0)
}

/// Letters and digits alone, in upper case.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

fn shape(text: &str) -> String {
    letters(text).chars().map(as_digit).collect()
}

/// Digits of numbers, with letters that readers take for digits there (`4O1OO`).
fn digits(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| is_number(word));
    words.flat_map(|word| word.chars().map(as_digit).filter(char::is_ascii_digit)).collect()
}

/// Whether a word is a number (`118B`, `4O1OO`), and no word with a digit misread into it (`R0AD`): a third of it are digits, or all of it
/// may be.
fn is_number(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let may_be = word.chars().map(as_digit).filter(char::is_ascii_digit).count();
    let characters = word.chars().count();
    digits > 0 && (3 * digits >= characters || may_be == characters)
}

fn as_digit(c: char) -> char {
    match c.to_ascii_uppercase() {
        'O' | 'Q' => '0',
        'I' | 'L' => '1',
        'Z' => '2',
        'S' => '5',
        'B' => '8',
        _ => c,
    }
}

fn even_spaces(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register() -> Register {
        let known = |name: &str, address: &str, vat_id: &str| KnownSupplier {
            name: name.into(),
            address: Some(address.into()),
            vat_id: (!vat_id.is_empty()).then(|| vat_id.into()),
            documents: 1,
        };
        Register::learn(vec![
            known("POPULAR BOOK CO. (M) SDN BHD", "NO 8, JALAN 7/118B, DESA TUN RAZAK 56000 KUALA LUMPUR, MALAYSIA", ""),
            known("POPULAR BOOK CO. (M) SDN BHD", "NO 8, JALAN 7/118B, DESA TUN RAZAK 56000 KUALA LUMPUR, MALAYSIA", ""),
            known("POPULAR BOOL CO. (M) SDN BHD", "NO 8, JALAN 7/118B, DESA TUN RAZAH 56000 KUALA LUMPUR, MALAYSIA", ""),
            known("Orchard Lane Cider Ltd", "12 Quay Road, Cork", "IE6388047V"),
        ])
    }

    #[test]
    fn misread_names_are_spelt_as_known() {
        for (printed, expected) in [
            ("POPULAR B0OK CO. (M) SDN BHD", Some("POPULAR BOOK CO. (M) SDN BHD")),
            ("POPULAR BOOK CO.(M)  SDN BHD", Some("POPULAR BOOK CO.(M) SDN BHD")),
            ("ORCHARD LANE CIDER LTO", Some("Orchard Lane Cider Ltd")),
            ("ORCHARD HILL CIDER LTD", None),
            ("POPULAR", None),
            ("", None),
        ] {
            assert_eq!(register().name(printed).as_deref(), expected, "{printed}");
        }
    }

    #[test]
    fn an_address_with_other_digits_is_another_address() {
        let known = "NO 8, JALAN 7/118B, DESA TUN RAZAK 56000 KUALA LUMPUR, MALAYSIA";
        for (printed, is_known) in [
            ("NO 8, JALAN 7/118B, DESA TUN RAZAK 56OOO KUALA LUMPUR, MALAYS1A", true),
            ("NO 8, JALAN 7/11BB, DESA TUN RAZAK S6OOO KUALA LUMPUR, MALAYSIA", true),
            ("NO 8, JALAN 7/119B, DESA TUN RAZAK 56000 KUALA LUMPUR, MALAYSIA", false),
            ("NO 8, JALAN 7/118B, DESA TUN RAZAK 56OOO KUALA LUMPUR, MALAYSLA", true),
            ("NO 8,JALAN 7/118B,DESA TUN RAZAK 56000 KUALA LUMPUR,MALAYSIA", true),
            ("NO 9, JALAN 7/118B, DESA TUN RAZAK 56000 KUALA LUMPUR, MALAYSIA", false),
            ("NO 8, JALAN 7/118B, DESA TUN RAZAK 56000 KUALA LUMPUR, MALAYSIA SUNWAY VELOCITY", false),
        ] {
            assert_eq!(register().address(printed).as_deref() == Some(known), is_known, "{printed}");
        }
    }

    #[test]
    fn numbers_name_their_supplier() {
        assert_eq!(register().name_of("IE6388047V"), Some("Orchard Lane Cider Ltd"));
        assert_eq!(register().name_of("6388047V"), Some("Orchard Lane Cider Ltd"), "its country left out");
        assert_eq!(register().name_of("IE0000000A"), None);
    }

    #[test]
    fn a_register_is_a_supplier_a_line() {
        let text = "{\"name\":\"Acme Wines\"}\n\n{\"name\":\"Acme Wines\",\"address\":\"1 High Street\",\"vat_id\":\"IE6388047V\"}\n";
        let register = Register::default().and(text).unwrap();
        assert_eq!(register.name("ACME W1NES").as_deref(), Some("Acme Wines"));
        assert_eq!(register.name("ACME WINES 2").as_deref(), None, "another number is another shop");
        assert_eq!(register.and("{\"name\":\"A\"}\n{\"nam\":1}").unwrap_err().line, 2);
    }
}
