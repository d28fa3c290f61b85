//! Quantities and their units as printed in a row of goods.

use rust_decimal::Decimal;

use super::number::{self, DecimalMark, Reading};

/// Prints of units and the code that stands for them.
const UNITS: &[(&str, &[&str])] = &[
    (
        "each",
        &["EA", "EACH", "PC", "PCS", "PCE", "PIECE", "PIECES", "UNIT", "UNITS", "UN", "NO", "ST", "STK", "STCK", "STÜCK", "PZ", "U", "QTY"],
    ),
    ("case", &["CS", "CASE", "CASES", "CTN", "CARTON", "BOX", "BX", "KARTON", "CARTON(S)", "CRT", "CRATE", "TRAY"]),
    ("bottle", &["BT", "BTL", "BOT", "BOTTLE", "BOTTLES", "FL", "FLASCHE", "FLASCHEN", "BTLS"]),
    ("keg", &["KEG", "KEGS", "FASS", "FUT", "FÛT"]),
    ("can", &["CAN", "CANS", "DOSE", "DOSEN"]),
    ("pack", &["PK", "PKT", "PACK", "PACKS", "PKG", "PAKET"]),
    ("kg", &["KG", "KGS", "KILO"]),
    ("g", &["G", "GR", "GM", "GRAM"]),
    ("l", &["L", "LT", "LTR", "LTRS", "LITRE", "LITRES", "LITER"]),
    ("cl", &["CL"]),
    ("ml", &["ML"]),
    ("hour", &["H", "HR", "HRS", "HOUR", "HOURS", "STD", "STUNDE", "STUNDEN", "HUR"]),
];

/// The unit's code: `each`, `case`, `kg`; of an unknown unit its print in lower case.
pub fn unit(text: &str) -> String {
    let print = text.trim().trim_end_matches(['.', ',']).to_uppercase();
    let known = UNITS.iter().find(|(_, prints)| prints.contains(&print.as_str()));
    known.map_or_else(|| print.to_lowercase(), |(code, _)| (*code).to_owned())
}

/// Codes of UN/ECE Recommendations 20 (units) and 21 (packages, with an X before) and the code that stands for them here.
const RECOMMENDATION_CODES: &[(&str, &[&str])] = &[
    ("each", &["C62", "H87", "EA", "XPP", "NAR", "PCE"]),
    ("case", &["XCS", "CS", "XBX", "XCT", "XCR", "CR", "XCA"]),
    ("bottle", &["XBO", "BO", "XBQ"]),
    ("keg", &["XKG", "XBA", "XDR"]),
    ("can", &["XCX", "CA", "XCI"]),
    ("pack", &["XPK", "PK", "XPA", "XPC"]),
    ("kg", &["KGM"]),
    ("g", &["GRM"]),
    ("l", &["LTR"]),
    ("cl", &["CLT"]),
    ("ml", &["MLT"]),
    ("hour", &["HUR"]),
    ("day", &["DAY"]),
    ("month", &["MON"]),
];

/// The unit's code, as [`unit`] gives it, of a code of UN/ECE Recommendation 20 or 21; an unknown code stays as it is.
pub fn of_recommendation(code: &str) -> String {
    let known = RECOMMENDATION_CODES.iter().find(|(_, codes)| codes.contains(&code));
    known.map_or_else(|| code.to_owned(), |(unit, _)| (*unit).to_owned())
}

/// Reads `2`, `2.000`, `2 x`, `x2`, `12 PCS`, `-1`.
pub fn read(text: &str, mark: Option<DecimalMark>) -> Vec<Reading<Decimal>> {
    let text = text.trim().trim_matches(|c| matches!(c, 'x' | 'X' | '*' | '@' | '\u{d7}')).trim();
    let readings = number::readings(text, mark);
    if !readings.is_empty() {
        return readings;
    }
    let end = text.char_indices().find(|(_, c)| c.is_alphabetic()).map_or(text.len(), |(i, _)| i);
    let unit: String = text[end..].trim().to_owned();
    if unit.chars().all(|c| c.is_alphabetic() || matches!(c, '.' | '(' | ')')) { number::readings(&text[..end], mark) } else { Vec::new() }
}

/// What bottles and glasses hold, in litres.
const VOLUMES: [&str; 21] = [
    "0.1", "0.2", "0.25", "0.275", "0.3", "0.33", "0.35", "0.375", "0.4", "0.5", "0.6", "0.7", "0.75", "0.9", "1.0", "1.2", "1.5", "2.0",
    "2.5", "3.0", "5.0",
];

/// ... and what kegs, canisters and cartons hold.
const WHOLE_VOLUMES: [&str; 12] = ["1", "2", "3", "5", "6", "10", "15", "20", "25", "30", "50", "60"];

/// What litres are sold in.
const CONTAINERS: [&str; 20] = [
    "EIMER",
    "FASS",
    "KANISTER",
    "DOPPLER",
    "GLAS",
    "FLASCHE",
    "BIB",
    "KEG",
    "MW",
    "DOSE",
    "KARTON",
    "BAG-IN-BOX",
    "FUT",
    "FÛT",
    "BIDON",
    "BRICK",
    "TETRA",
    "TIN",
    "TUB",
    "DRUM",
];

/// A description with single spaces, and with the litres that readers take for a digit: `Riesling 0,751` is one of `0,75 l`.
pub fn with_litres(text: &str) -> String {
    let word = |word: &str| {
        let volume = word.strip_suffix(['1', '|', 'I']).filter(|volume| VOLUMES.contains(&volume.replace(',', ".").as_str()));
        volume.map_or_else(|| word.to_owned(), |volume| format!("{volume} l"))
    };
    let mut words: Vec<String> = text.split_whitespace().map(word).collect();
    // `Sahne 32 % 5 1 Eimer`: behind what canisters hold stands no digit.
    for at in 2..words.len() {
        let is_volume = |word: &str| VOLUMES.contains(&word.replace(',', ".").as_str()) || WHOLE_VOLUMES.contains(&word);
        let is_one = matches!(words[at].as_str(), "1" | "|" | "I");
        let is_held = words.get(at + 1).is_none_or(|next| CONTAINERS.contains(&next.to_uppercase().as_str()));
        if is_one && is_held && is_volume(&words[at - 1]) && !words[at - 2].contains(|c: char| c.is_ascii_digit()) {
            words[at] = "l".to_owned();
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints() {
        let cases = [
            ("2", Some("2")),
            ("2.000", Some("2")),
            ("2 x", Some("2")),
            ("X2", Some("2")),
            ("12 PCS", Some("12")),
            ("12PCS", Some("12")),
            ("1.5 KG", Some("1.5")),
            ("-1", Some("-1")),
            ("KG", None),
            ("6x330ml", None),
        ];
        for (text, expected) in cases {
            let read = read(text, Some(DecimalMark::Point));
            assert_eq!(read.first().map(|r| r.value.normalize().to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn units() {
        for (text, code) in [("PCS", "each"), ("Stk.", "each"), ("Case", "case"), ("KEG", "keg"), ("Pallet", "pallet"), ("ml", "ml")] {
            assert_eq!(unit(text), code, "{text}");
        }
    }

    #[test]
    fn litres_are_no_digits() {
        for (text, expected) in [
            ("Riesling  trocken 0,751", "Riesling trocken 0,75 l"),
            ("Spätburgunder 0,75|", "Spätburgunder 0,75 l"),
            ("Traubensaft 1,01", "Traubensaft 1,0 l"),
            ("Cola 0.33l", "Cola 0.33l"),
            ("Schraube 0,761", "Schraube 0,761"),
            ("Kabel 11,01", "Kabel 11,01"),
            ("Sahne 32 % 5 1 Eimer", "Sahne 32 % 5 l Eimer"),
            ("Olivenöl nativ extra 5 1", "Olivenöl nativ extra 5 l"),
            ("Tisch 4 1", "Tisch 4 1"),
            ("Set 12 5 1", "Set 12 5 1"),
        ] {
            assert_eq!(with_litres(text), expected);
        }
    }
}
