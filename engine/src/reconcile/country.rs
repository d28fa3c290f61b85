//! Which country a document is from, by what its text says, and what follows from that: currency, date order, decimal mark.

use crate::pattern::pattern;
use std::sync::LazyLock;

use regex::Regex;

use super::{date::DateOrder, money::Currency, number::DecimalMark};

/// A country whose documents are known well enough to draw conclusions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Country {
    Austria,
    Australia,
    Belgium,
    Denmark,
    Finland,
    France,
    Germany,
    Ireland,
    Italy,
    Luxembourg,
    Malaysia,
    Netherlands,
    Poland,
    Portugal,
    Singapore,
    Spain,
    Sweden,
    Switzerland,
    UnitedKingdom,
    UnitedStates,
}

/// Customs of a country.
struct Customs {
    country: Country,
    /// ISO 3166; with "XI" for Northern Ireland these are the prefixes of VAT ids.
    code: &'static str,
    currency: Currency,
    mark: DecimalMark,
    /// Upper-case words and phrases that its documents bear: places, company forms, telephone prefixes.
    words: &'static [&'static str],
}

use Country as C;
use DecimalMark::{Comma, Point};

#[rustfmt::skip]
const CUSTOMS: [Customs; 20] = [
    Customs { country: C::Austria, code: "AT", currency: Currency::Eur, mark: Comma, words: &["AUSTRIA", "ÖSTERREICH", "WIEN", "+43"] },
    Customs { country: C::Australia, code: "AU", currency: Currency::Aud, mark: Point, words: &["AUSTRALIA", "PTY LTD", "ABN", "+61"] },
    Customs { country: C::Belgium, code: "BE", currency: Currency::Eur, mark: Comma, words: &["BELGIUM", "BELGIË", "BELGIQUE", "BVBA", "+32"] },
    Customs { country: C::Denmark, code: "DK", currency: Currency::Dkk, mark: Comma, words: &["DANMARK", "DENMARK", "APS", "CVR", "+45"] },
    Customs { country: C::Finland, code: "FI", currency: Currency::Eur, mark: Comma, words: &["FINLAND", "SUOMI", "OY", "HELSINKI", "+358"] },
    Customs { country: C::France, code: "FR", currency: Currency::Eur, mark: Comma, words: &["FRANCE", "SARL", "TVA", "SIRET", "PARIS", "+33"] },
    Customs { country: C::Germany, code: "DE", currency: Currency::Eur, mark: Comma,
        words: &["DEUTSCHLAND", "GERMANY", "GMBH", "RECHNUNG", "MWST", "UST-IDNR", "+49"] },
    Customs { country: C::Ireland, code: "IE", currency: Currency::Eur, mark: Point,
        words: &["IRELAND", "ÉIRE", "DUBLIN", "CORK", "GALWAY", "LIMERICK", "WATERFORD", "KILKENNY", "EIRCODE", "+353"] },
    Customs { country: C::Italy, code: "IT", currency: Currency::Eur, mark: Comma, words: &["ITALIA", "ITALY", "S.R.L", "SRL", "P.IVA", "+39"] },
    Customs { country: C::Luxembourg, code: "LU", currency: Currency::Eur, mark: Comma, words: &["LUXEMBOURG", "LUXEMBURG", "+352"] },
    Customs { country: C::Malaysia, code: "MY", currency: Currency::Myr, mark: Point,
        words: &["MALAYSIA", "SDN BHD", "SDN. BHD", "JALAN", "SELANGOR", "KUALA LUMPUR", "JOHOR", "TAMAN", "RM", "+60"] },
    Customs { country: C::Netherlands, code: "NL", currency: Currency::Eur, mark: Comma, words: &["NEDERLAND", "NETHERLANDS", "B.V", "BTW", "KVK", "+31"] },
    Customs { country: C::Poland, code: "PL", currency: Currency::Pln, mark: Comma, words: &["POLSKA", "POLAND", "SP. Z O.O", "NIP", "+48"] },
    Customs { country: C::Portugal, code: "PT", currency: Currency::Eur, mark: Comma, words: &["PORTUGAL", "LISBOA", "LDA", "NIF", "+351"] },
    Customs { country: C::Singapore, code: "SG", currency: Currency::Sgd, mark: Point, words: &["SINGAPORE", "PTE LTD", "+65"] },
    Customs { country: C::Spain, code: "ES", currency: Currency::Eur, mark: Comma, 
        words: &["ESPAÑA", "SPAIN", "MADRID", "BARCELONA", "CIF", "NIF", "FACTURA", "S.L", "S.L.U", "+34"] },
    Customs { country: C::Sweden, code: "SE", currency: Currency::Sek, mark: Comma, words: &["SVERIGE", "SWEDEN", "STOCKHOLM", "MOMS", "+46"] },
    Customs { country: C::Switzerland, code: "CH", currency: Currency::Chf, mark: Point, words: &["SCHWEIZ", "SUISSE", "SWITZERLAND", "CHF", "+41"] },
    Customs { country: C::UnitedKingdom, code: "GB", currency: Currency::Gbp, mark: Point,
        words: &["UNITED KINGDOM", "ENGLAND", "SCOTLAND", "WALES", "LONDON", "BELFAST", "£", "+44"] },
    Customs { country: C::UnitedStates, code: "US", currency: Currency::Usd, mark: Point, words: &["USA", "UNITED STATES", "US$", "ZIP"] },
];

/// A state and its code behind a place: `BOSTON, MA 02127`.
static ZIP_CODE: LazyLock<Regex> = LazyLock::new(|| {
    let states = "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]";
    pattern(&format!(r"[A-Z], (?:{states}) \d{{5}}(?:-\d{{4}})?\b"))
});

/// What a VAT id's prefix counts, in mentions.
const VAT_ID_VOTES: usize = 3;

/// A country and how many times the document speaks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    pub country: Country,
    pub votes: usize,
}

impl Country {
    fn customs(self) -> &'static Customs {
        &CUSTOMS[self as usize]
    }

    /// ISO 3166, two letters.
    pub fn code(self) -> &'static str {
        self.customs().code
    }

    pub fn currency(self) -> Currency {
        self.customs().currency
    }

    pub fn decimal_mark(self) -> DecimalMark {
        self.customs().mark
    }

    pub fn date_order(self) -> DateOrder {
        if self == Self::UnitedStates { DateOrder::MonthFirst } else { DateOrder::DayFirst }
    }

    /// From an ISO 3166 code or the prefix of a VAT id.
    pub fn from_code(code: &str) -> Option<Self> {
        let code = match code {
            "XI" | "UK" => "GB",
            code => code,
        };
        CUSTOMS.iter().find(|c| c.code == code).map(|c| c.country)
    }
}

/// The country that most of the text speaks for. The supplier's VAT id counts more than a mention: a customer's address may lie abroad.
pub fn of_text<'a>(lines: impl IntoIterator<Item = &'a str>, supplier: Option<Country>) -> Option<Evidence> {
    let mut votes = [0; CUSTOMS.len()];
    if let Some(country) = supplier {
        votes[country as usize] += VAT_ID_VOTES;
    }
    for line in lines {
        let line = line.to_uppercase();
        votes[Country::UnitedStates as usize] += usize::from(ZIP_CODE.is_match(&line));
        for (i, customs) in CUSTOMS.iter().enumerate() {
            votes[i] += customs.words.iter().filter(|word| stands_in(&line, word)).count();
        }
    }
    let (winner, &votes) = votes.iter().enumerate().rev().max_by_key(|(_, votes)| **votes)?;
    (votes > 0).then(|| Evidence { country: CUSTOMS[winner].country, votes })
}

/// Whether `word` stands in `line` as a word of its own; a telephone prefix or a currency sign may be followed by digits.
fn stands_in(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        let takes_digits = !word.ends_with(char::is_alphabetic) || word == "RM";
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(|c| c.is_alphabetic() || (c.is_numeric() && !takes_digits))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (i, customs) in CUSTOMS.iter().enumerate() {
            assert_eq!(customs.country as usize, i, "{}", customs.code);
            assert_eq!(Country::from_code(customs.code), Some(customs.country));
        }
    }

    #[test]
    fn evidence() {
        let cases: [(&[&str], Option<Country>, Option<Country>); 8] = [
            (&["480 Dorchester Ave", "Boston, MA 02127"], None, Some(C::UnitedStates)),
            (&["12 Main Street", "Dublin 2, Ireland"], None, Some(C::Ireland)),
            (&["ABC SDN BHD", "NO 1 JALAN ABC"], None, Some(C::Malaysia)),
            (&["TOTAL RM9.00"], None, Some(C::Malaysia)),
            (&["Lieferant GmbH", "Rechnung"], None, Some(C::Germany)),
            (&["The Anchor, London"], Some(C::Ireland), Some(C::Ireland)),
            (&["Corkscrew 4.50"], None, None),
            (&[], None, None),
        ];
        for (lines, supplier, expected) in cases {
            assert_eq!(of_text(lines.iter().copied(), supplier).map(|e| e.country), expected, "{lines:?}");
        }
    }
}
