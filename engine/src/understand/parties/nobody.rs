//! What names nobody: captions, titles, numbers, trades without a name.

use crate::pattern::pattern;
use std::sync::LazyLock;

use regex::Regex;

use crate::understand::candidates::{self, Kind};
use crate::understand::keywords::{Keyword, KeywordSet};
use crate::understand::legal_form;
use crate::understand::letters;

/// Titles of documents: `Fattura differita`, `Factuur 103319`, `Invoice no. 4711`.
static TITLE: LazyLock<Regex> = LazyLock::new(|| {
    let title = r"(?:tax |sales |vat |korrektur|handels|verzamel|verkoop)?(?:invoice|rechnung|facture|factuur|fattura|factura|faktura|credit note|gutschrift|creditnota|nota di credito|avoir|statement|receipt|ricevuta)";
    pattern(&format!(
        r"(?i)^\W*{title}(?:\W+(?:no|nr|n°|nummer|number|differita|de vente|de venta|di vendita|fiscale|simplificada|accompagnatoria)\b\.?)?[\s:#\d/-]*(?:[A-Z]{{0,3}}[-/.]?\d[\d/.-]*)?$"
    ))
});

/// Whether a text is a caption, a title, a salutation or a telephone: nobody's name.
pub(in crate::understand) fn names_nobody(text: &str) -> bool {
    text.trim_end().ends_with(':')
        || text.contains('%')
        || TITLE.is_match(text)
        || letters::is_salutation(text)
        || super::announces(text)
        || is_caption_alone(text)
        || letters::is_contact(text)
        || CLOSING.is_match(text)
        || says_number(text)
        || is_date_alone(text)
}

/// What begins or ends a letter, or stands where a slip is to be cut off.
static CLOSING: LazyLock<Regex> = LazyLock::new(|| {
    let thanks = r"(?:many |with )?thanks|thank you|kind regards|yours (?:sincerely|faithfully)|(?:mit )?(?:freundlichen|beste[n]?) gr(?:ü|ue)(?:ß|ss)en?|(?:herzlichen|vielen) dank|cordialement|dear|sehr geehrte|geachte|estimad[oa]|gentile";
    pattern(&format!(
        r"(?i)^\W*(?:✂|(?:{thanks})\b|p\.? ?h\.? ?g\b|komplement[äa]r|gesch[äa]ftsf[üu]hr|directors?\s*:|please (?:detach|return)|remittance (?:advice|slip)\W*$|copy\W*$)"
    ))
});

/// `Kd.-Nr./Customer No.: 5040`, `A/C: PLUM516`: a number and its caption.
fn says_number(text: &str) -> bool {
    let Some((caption, number)) = text.split_once(':') else { return false };
    let is_account = || caption.trim().eq_ignore_ascii_case("a/c");
    has_digit(number) && number.split_whitespace().count() <= 2 && !has_digit(caption) && (is_caption_alone(caption) || is_account())
}

/// `27MAR26`, `3rd March 2026`.
fn is_date_alone(text: &str) -> bool {
    const LENGTH_MAX: usize = 24;
    let text = text.trim();
    has_digit(text)
        && text.len() <= LENGTH_MAX
        && candidates::find(0, text).iter().any(|candidate| candidate.kind == Kind::Date && candidate.range == (0..text.len()))
}

/// A captioned number, or its caption alone: `Kunden-Nr. : 009420`, `Globale Nummer: 1234567890128 (GTIN)`, `Nummer`.
pub(super) fn is_number(text: &str) -> bool {
    let captions: Vec<&str> = text.split_whitespace().filter(|word| !has_digit(word)).collect();
    let is_captioned = |(caption, number): (&str, &str)| has_digit(number) && KeywordSet::find(caption).has(Keyword::Number);
    is_caption_alone(&captions.join(" ")) || text.split_once(':').is_some_and(is_captioned)
}

/// `VAT no. IE9716402BA`.
pub(super) fn says_tax_number(text: &str) -> bool {
    const DIGITS_MIN: usize = 6;
    KeywordSet::find(text).has(Keyword::Tax)
        && text.bytes().filter(u8::is_ascii_digit).count() >= DIGITS_MIN
        && legal_form::find(text).is_none()
}

pub(super) fn has_digit(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit())
}

/// Captions of numbers, dates and sums, none of whose words names anybody: `Invoice Number`, `Reference`.
pub(in crate::understand) fn is_caption_alone(print: &str) -> bool {
    use Keyword::*;
    const BETWEEN: [&str; 12] = ["BY", "OF", "ON", "THE", "YOUR", "OUR", "UW", "ONZE", "IHRE", "UNSERE", "VOTRE", "DE"];
    const CAPTIONS: [Keyword; 24] = [
        Tender,
        Delivery,
        Total,
        Subtotal,
        Net,
        Gross,
        Amount,
        Due,
        Tax,
        Quantity,
        Price,
        Rate,
        Description,
        Code,
        Invoice,
        Receipt,
        Number,
        Document,
        Reference,
        Order,
        Customer,
        Date,
        Terms,
        Time,
    ];
    #[rustfmt::skip]
    const OTHERS: [&str; 34] = [
        "PAGE", "PAGINA", "SEITE", "BLATT", "BLAD", "TOUR", "ROUTE", "REP", "FILIALE", "VERTRETER", "FAHRER", "DRIVER", "VAN", "DEPOT", "KD", "KDNR",
        "KUNDENR", "KLANT", "KLANTNR", "CLIENTE", "CODICE", "COD", "N", "CUENTA", "DEL", "FOR", "NO", "Nº", "PRINTED", "KONTAKT", "SPEDITION", "EUR", "GBP", "ANBIETER",
    ];
    let is_caption = |word: &str| KeywordSet::find(word).has_any(&CAPTIONS) || OTHERS.contains(&word.to_uppercase().as_str());
    all_words(print, |word| is_caption(word) || BETWEEN.contains(&word.to_uppercase().as_str()))
        && print.split(|c: char| !c.is_alphanumeric()).any(is_caption)
}

/// Trades and legal forms, or an article: the rest of a name that stands in two rows (`STATIONERY SDN. BHD`, `THE`).
pub(super) fn is_trade_alone(print: &str) -> bool {
    const ARTICLES: [&str; 7] = ["THE", "LE", "LA", "LES", "DER", "DIE", "DAS"];
    all_words(print, |word| ARTICLES.contains(&word.to_uppercase().as_str()) || KeywordSet::find(word).has(Keyword::Legal))
}

/// Whether all words are such, and there is one.
pub(super) fn all_words(print: &str, is_such: impl FnMut(&str) -> bool) -> bool {
    let mut words = print.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(is_such)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_numbers_dates_and_closings_name_nobody() {
        for (text, nobody) in [
            ("Kd.-Nr./Customer No.: 5040", true),
            ("N° client : 07239", true),
            ("Nº cliente : 07824", true),
            ("A/C: PLUM516", true),
            ("Printed", true),
            ("27MAR26", true),
            ("FACTURA A-2026/4423", true),
            ("RICEVUTA FISCALE", true),
            ("De heer/mevrouw", true),
            ("Sr./Sra.", true),
            ("Fa.", true),
            ("Afnemer", true),
            ("\u{2702} REMITTANCE ADVICE", true),
            ("Many thanks,", true),
            ("p.h.G. Brandhuber Verwaltungs-GmbH", true),
            ("Dear Maeve Phelan,", true),
            ("For", true),
            ("Del.", true),
            ("Invoice Solutions Ltd", false),
            ("Copy Corner Ltd", false),
            ("Thanksgiving Bakery", false),
            ("March Street Deli", false),
            ("Unit: 5th Avenue Bar", false),
            ("Fab Foods", false),
        ] {
            assert_eq!(names_nobody(text), nobody, "{text}");
        }
    }
}
