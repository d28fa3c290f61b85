//! Letters and digits that look alike, told by the word that they stand in: `Z00M` is a word, `I9,40` a number, `12 0Z` a measure.
//!
//! The language model counts digits as one symbol, so it can't weigh these; and no print of a 0 in `ZOOM` is ever meant.

use crate::pattern::pattern;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Letters that a word of zeros and letters has at least.
const WORD_LETTERS_MIN: usize = 3;
/// Characters of a word of digits that is no lone sign and no tax number.
const FIGURES_MIN: usize = 3;
const FIGURES_MAX: usize = 6;

static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"[\p{L}\p{N}]+"));
/// A number with decimals in which some digits are letters.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|[\s€£$])(?P<number>[\dIlOo]{1,6}[.,][\dIlOo]{2,3})(?:$|[\s%€])"));
/// Ounces behind their number.
static OUNCES: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?P<number>\b(?:[1-9]|[1-7]\d) ?)0(?P<z>[Zz])\b"));
/// `11 Itr`, `2 ITR`.
static LITRES: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?P<number>\d ?)I(?P<tr>[tT][rR](?:es?|s|ES?|S)?)\b"));
/// Litres of a pack: `20 x 0,501`, `12 x 0,70 | Glas`, `20er 0,51`, `24 x 0,33 1`, `30|`. No price has three decimals, or a stroke behind it.
static LITRES_OF_PACK: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?P<number>[xX×] ?[01],\d\d|\der [01],\d{1,2}?|[xX×] ?[01],\d{1,2} )1(?P<end> |$)"));
static LITRES_AS_STROKE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?P<number>\d ?)\|(?P<end> |$)"));
/// `1okg`, `95o ml`.
static ZEROS_OF_MEASURE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?P<number>\d+o[\do]{0,3})(?P<unit> ?(?:kg|g|ml|cl|lb|mm|cm|oz)\b)"));
/// The number of an article in a marketplace: `B0C7TR41QX`.
static ASIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bBO(?P<rest>[A-Z\d]{8})\b"));
/// Stems of German words whose next letter is an ß: `StraBe`, `GroBhandel`, `weiB`, `FuBball`.
static SHARP_S: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?P<stem>\b(?:\p{L}*(?:[Ss]tra|[Gg]r[oö]|[Ss]t[oö]|[Ww]ei|[Ff][uü]|[Mm][aä]|[Aa]u|[äÄ]u|[Hh]ei|[Ss]pa|[Gg]r[uü]|[Ff]l(?:ie|ei|o)|[Ss]chl(?:ie|o)|[Gg]ie|[Ss][uü]|[Dd]rei|[Kk]l[oö]|[Mm]ei|[Rr]ei|[Bb]ei|[Bb]l(?:o|ä)|[Ss]ch(?:ie|o|ö)|[Gg]r[aä]|[Gg]e(?:nie|fä|mä)|[Nn]ü)))B(?P<rest>[a-zäöü]*\b)",
    )
});
static CARBON_DIOXIDE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bC02\b"));

/// The text with such characters put right.
pub fn mend(text: &str) -> String {
    let text = WORD.replace_all(text, |word: &Captures| figures(&letters(&word[0])));
    let text = NUMBER.replace_all(&text, |found: &Captures| found[0].replace(&found["number"], &digits(&found["number"])));
    let text = OUNCES.replace_all(&text, |found: &Captures| {
        format!("{}{}{}", &found["number"], if &found["z"] == "Z" { 'O' } else { 'o' }, &found["z"])
    });
    let text = LITRES.replace_all(&text, |found: &Captures| {
        let small = found["tr"].starts_with('t');
        format!("{}{}{}", &found["number"], if small { 'l' } else { 'L' }, &found["tr"])
    });
    let text = LITRES_OF_PACK.replace_all(&text, "${number}l${end}");
    let text = LITRES_AS_STROKE.replace_all(&text, "${number}l${end}");
    let text = ZEROS_OF_MEASURE.replace_all(&text, |found: &Captures| format!("{}{}", found["number"].replace('o', "0"), &found["unit"]));
    let text = ASIN.replace_all(&text, |found: &Captures| {
        let is_number = found["rest"].bytes().any(|c| c.is_ascii_digit());
        if is_number { format!("B0{}", &found["rest"]) } else { found[0].to_owned() }
    });
    let text = SHARP_S.replace_all(&text, "${stem}ß${rest}");
    CARBON_DIOXIDE.replace_all(&text, "CO2").into_owned()
}

/// Zeros between the letters of a word without other digits are letters, and so is one behind small letters.
fn letters(word: &str) -> String {
    let count = |is: fn(char) -> bool| word.chars().filter(|c| is(*c)).count();
    let others = count(|c| c.is_numeric() && c != '0');
    let ends = |word: &str| word.ends_with(char::is_alphabetic);
    let behind = |word: &str| count(char::is_lowercase) > 1 && word.strip_suffix('0').is_some_and(ends);
    let within = word.starts_with(char::is_alphabetic) && (ends(word) || behind(word));
    if others > 0 || !within || !word.contains('0') || count(char::is_alphabetic) < WORD_LETTERS_MIN {
        return word.to_owned();
    }
    let small = count(char::is_lowercase) > count(char::is_uppercase);
    word.replace('0', if small { "o" } else { "O" })
}

/// Letters within a short word of digits, as old forms of 1 and 0 are read. A longer one may be a tax number, which ends in a letter.
fn figures(word: &str) -> String {
    let is_short = (FIGURES_MIN..=FIGURES_MAX).contains(&word.len()) && word.starts_with(|c: char| c.is_ascii_digit());
    let is_number = word.bytes().all(|c| c.is_ascii_digit() || b"IOo".contains(&c)) && word.bytes().filter(u8::is_ascii_digit).count() > 1;
    if is_short && is_number { word.replace('I', "1").replace(['O', 'o'], "0") } else { word.to_owned() }
}

/// Letters within a number that is mostly one.
fn digits(number: &str) -> String {
    let (of_digits, all) = (number.bytes().filter(u8::is_ascii_digit).count(), number.len() - 1);
    if 2 * of_digits < all {
        return number.to_owned();
    }
    number.replace(['I', 'l'], "1").replace(['O', 'o'], "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_and_measures() {
        for (read, meant) in [
            ("Z00MCOLA ZERO CAN", "ZOOMCOLA ZERO CAN"),
            ("ch0colate", "chocolate"),
            ("PrezZ0", "PrezZo"),
            ("I9,40", "19,40"),
            ("RM 1O.5O", "RM 10.50"),
            ("3,0oo", "3,000"),
            ("120Z Double Wall", "12OZ Double Wall"),
            ("12 0z cup", "12 oz cup"),
            ("C02 cylinder", "CO2 cylinder"),
            ("Gas 11 Itr cylinder", "Gas 11 ltr cylinder"),
            ("MILK 2 ITR", "MILK 2 LTR"),
            ("Hell 20 x 0,50 1 MW", "Hell 20 x 0,50 l MW"),
            ("Pfand Kasten 20 x 0,501", "Pfand Kasten 20 x 0,50l"),
            ("Pfand Kasten 20er 0,51", "Pfand Kasten 20er 0,5l"),
            ("Pfand Fass 30|", "Pfand Fass 30l"),
            ("Rooster potatoes 1okg", "Rooster potatoes 10kg"),
            ("Seifencreme 95o ml", "Seifencreme 950 ml"),
            ("Riesling 202I", "Riesling 2021"),
            ("119o Bruxelles", "1190 Bruxelles"),
            ("BO9MKW82LD", "B09MKW82LD"),
            ("StoBfänger, GroBhandel, Lagerstr. weiB", "Stoßfänger, Großhandel, Lagerstr. weiß"),
            ("HauptstraBe 7, FuBball", "Hauptstraße 7, Fußball"),
            // As they are.
            ("AutoBild, AdBlue, eBay, SoBe, GrOB", "AutoBild, AdBlue, eBay, SoBe, GrOB"),
            ("BOTTLETOPS", "BOTTLETOPS"),
            ("NIF 7916188O", "NIF 7916188O"),
            ("1OO", "1OO"),
            ("75l 10o", "75l 100"),
            ("2 x 0,51", "2 x 0,51"),
            ("3 X 2.51", "3 X 2.51"),
            ("A0", "A0"),
            ("B0B", "B0B"),
            ("SO-331704", "SO-331704"),
            ("IE0N12", "IE0N12"),
            ("Il.oo", "Il.oo"),
            ("BR330Z", "BR330Z"),
            ("IOI CITY", "IOI CITY"),
            ("1.00", "1.00"),
        ] {
            assert_eq!(mend(read), meant, "{read}");
        }
    }
}
