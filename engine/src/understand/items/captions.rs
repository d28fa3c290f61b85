//! Captions of the columns of a table of goods: what each announces, and what may stand below it.

use super::cells::{ONE, Word};
use crate::geometry::Quad;
use crate::understand::draft::Column;
use crate::understand::keywords::{Keyword, KeywordSet};

/// A number is near its caption within this, in heights of a line.
const NEAR_MAX: f32 = 1.0;

/// Captions that mean something else elsewhere, or nothing, whatever words stand beside them.
#[rustfmt::skip]
const OWN_WORDS: [(Column, &[&str]); 8] = [
    (Column::Code, &[
        "ART.", "BEST.-NR", "BESTELL-NR", "CAT", "CAT.NO", "COD", "COD.", "COD. ARTICOLO", "CODICE", "CÓD", "CÓDIGO", "CODIGO", "PART", "PROD.NO", "REFERENCIA", "RIF", "STOCK CODE",
        "VARENR",
    ]),
    (Column::Description, &[
        "ACTIVITY", "ARTICOLO", "BENAMING", "BESKRIVELSE", "DETALLE", "TEKST", "WERKZAAMHEDEN", "ARTÍCULO", "ARTICULO", "ARTIKELBEZEICHNUNG", "CONCEPTO", "DENOMINAZIONE", "DENOMINACIÓN", "DÉNOMINATION", "DESCRIPCIÓN",
        "DESCRIPCION", "DESCRIZIONE", "INTITULÉ", "LEISTUNGEN", "MATERIAL", "MATÉRIEL", "MERCE", "PRODUCTO", "PRODOTTO", "PRODUIT", "PRODUITS", "PRODUKT",
        "PRODUKTE", "SERVICE", "SERVICES", "TEXT", "WARE", "WARENBEZEICHNUNG", "WHAT",
    ]),
    (Column::Quantity, &[
        "AANT", "ANTAL", "ANZ", "CANT", "CANTIDAD", "DEL", "DEL'D", "DELD", "DELIVERED", "DESP", "DESPATCHED", "HOEVEELHEID", "MGE", "NBRE", "NOMBRE", "ORD", "ORDERED",
        "Q.TA", "Q.TÀ", "Q.TA'", "Q.TÉ", "QTA", "QTÀ", "QTA'", "QUAN", "QUANT", "QUANTITA", "QUANTITÀ", "SHIPPED", "STUKS", "SUPPLIED", "UDS", "UNIDADES", "USAGE",
    ]),
    (Column::UnitPrice, &[
        "EACH", "EP", "E-PR", "LIST", "STK.PRIS", "@", "P", "P.U", "U/PR", "U/P", "P.UNIT", "PER", "PR", "PR.UNIT", "PRECIO", "PREZZO", "PRIJS/EENH", "PVP", "PX", "STÜCK-PR", "TARIF", "TARIFA",
        "TARIEF", "UNIT.PREIS", "UNITARIO",
    ]),
    (Column::Discount, &["D%", "DTO", "SC", "SCONTO", "SC.%"]),
    (Column::LineTotal, &[
        "AMMONTARE", "BELØB", "CHARGE", "CHARGES", "FEE", "FEES", "IMP", "IMPONIBILE", "IMPORTE", "IMPORTO", "MT", "SUBTOTAL", "TOT", "TOTALE",
    ]),
    (Column::Unit, &["EENH", "EH", "EHD", "ENHED", "ME", "PACKING", "UD", "UDM", "UM", "U.M", "UV", "VERP"]),
    (Column::VatRate, &["%IVA", "TAXES"]),
];

/// The number of an item in its table has captions like these.
const POSITION: [&str; 13] = ["POS", "POSITION", "LINE", "LN", "LFD", "LP", "NR", "NO", "REGEL", "RGL", "#", "S/N", "SL"];

/// What stands between two words of one caption: `Name of goods / service`.
const CONNECTORS: [&str; 8] = ["/", "&", "AND", "UND", "ET", "OF", "OU", "ODER"];

/// Captions that share this much of the narrower one's width name one column, in several rows.
const STACKED_OVERLAP_MIN: f32 = 0.3;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Caption {
    /// `None`: a caption of something that no column of ours holds, such as the amount of tax, or one that we don't know.
    pub column: Option<Column>,
    pub known: bool,
    pub left: f32,
    pub right: f32,
    /// Of descriptions: a code stands above each, or below.
    pub code_above: bool,
    pub code_below: bool,
    /// One of [`OWN_WORDS`].
    own_word: bool,
}

impl Caption {
    /// `announced` as [`caption`] has it.
    pub(super) fn new(announced: Option<Option<Column>>, quad: &Quad) -> Self {
        let (column, known) = (announced.flatten(), announced.is_some());
        Self { column, known, left: quad.left(), right: quad.right(), code_above: false, code_below: false, own_word: false }
    }

    /// Takes a caption below it; `keywords` are those of both.
    pub(super) fn stack(&mut self, below: Self, keywords: KeywordSet) {
        self.left = self.left.min(below.left);
        self.right = self.right.max(below.right);
        self.known |= below.known;
        // "Each / incl. VAT" says nothing of a rate.
        let says_included = keywords.has_any(&[Keyword::Included, Keyword::Excluded]);
        (self.column, self.code_above) = match (self.column, below.column) {
            (Some(_), Some(Column::VatRate)) if says_included => (self.column, self.code_above),
            (Some(Column::Code), Some(Column::Description)) => (Some(Column::Description), true),
            (Some(Column::Description), _) => (self.column, self.code_above),
            (None, below) => (below, false),
            (_, Some(_)) if below.own_word => (below.column, below.code_above),
            (_, None) => (self.column, false),
            (Some(_), Some(_)) => (caption("", keywords).flatten(), false),
        };
    }

    pub(super) fn takes(&self, word: &Word) -> bool {
        self.column.is_none_or(|column| accepts(column, word))
    }

    pub(super) fn is_of_codes_without_digits(&self, word: &Word) -> bool {
        self.column == Some(Column::Code) && self.distance(&word.quad) <= 0.0 && is_in_capitals(word.text)
    }

    /// Whether a word is a small number, alone and left of the descriptions that the caption announces: `1.`.
    pub(super) fn is_left_by_position(&self, word: &Word) -> bool {
        let digits = word.text.trim_end_matches('.');
        let is_small = (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        self.column == Some(Column::Description) && is_small && word.quad.right() <= self.left
    }

    /// Whether a line reaches below the caption.
    pub(super) fn meets(&self, line: &Quad) -> bool {
        line.left() < self.right && line.right() > self.left
    }

    pub(super) fn is_near(&self, word: &Word) -> bool {
        self.distance(&word.quad) <= NEAR_MAX * word.quad.height()
    }

    /// Pixels between the caption and a quad: 0 or less where they overlap, the less the more.
    pub(super) fn distance(&self, quad: &Quad) -> f32 {
        (quad.left() - self.right).max(self.left - quad.right())
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let narrower = (self.right - self.left).min(other.right - other.left);
        self.right.min(other.right) - self.left.max(other.left) >= STACKED_OVERLAP_MIN * narrower
    }
}

/// Whether a line reaches below the caption of this index and no other.
pub(super) fn meets_only<'a>(captions: impl Iterator<Item = &'a Caption>, at: usize, line: &Quad) -> bool {
    captions.enumerate().filter(|(_, caption)| caption.meets(line)).map(|(at, _)| at).eq([at])
}

fn is_in_capitals(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_uppercase() || b"-/.".contains(&c)) && text.bytes().any(|c| c.is_ascii_uppercase())
}

pub(super) fn accepts(column: Column, word: &Word) -> bool {
    const UNIT_CHARACTERS_MAX: usize = 8;
    const RATE_MAX: i64 = 100 * ONE;
    match column {
        Column::Description => true,
        // `A 10422`: a letter before a number belongs to it.
        Column::Code => {
            word.text.contains(|c: char| c.is_ascii_digit()) && !word.text.ends_with('%')
                || is_in_capitals(word.text) && word.text.len() <= 2
        }
        Column::Unit => word.text.chars().count() <= UNIT_CHARACTERS_MAX,
        Column::LineTotal => word.number().is_some_and(|number| number.decimals >= 2),
        // `31,900` may be a price with three decimals.
        Column::UnitPrice => word.number().is_some_and(|number| number.decimals >= 2) || word.millionths().count() > 1,
        Column::Quantity => word.number().is_some(),
        Column::Discount => word.number().is_some() || word.text.ends_with('%'),
        Column::VatRate => word.number().is_some_and(|n| (0..RATE_MAX).contains(&n.millionths)) || word.text.ends_with('%'),
    }
}

/// Whether a caption is one of prices, or a mere "rate", which may be one.
pub(super) fn is_price((keywords, caption): &(KeywordSet, Caption)) -> bool {
    caption.column == Some(Column::UnitPrice) || caption.column == Some(Column::VatRate) && !keywords.has(Keyword::Tax)
}

pub(super) fn is_caption(word: &Word) -> bool {
    caption(word.text, KeywordSet::find(word.text)).is_some()
}

/// Captions of a row; neighbouring words of one line may make up one caption ("UNIT PRICE", "List Price").
pub(super) fn captions(words: &[Word]) -> Vec<(KeywordSet, Caption)> {
    let mut captions: Vec<(usize, KeywordSet, Caption)> = Vec::new();
    let (mut connected, mut behind_percents) = (false, false);
    for word in words {
        let found = KeywordSet::find(word.text);
        let announced = caption(word.text, found);
        // `Product / Cod. art.`
        let of_both = |caption: &Caption| (caption.code_above || caption.code_below) && announced.flatten() == Some(Column::Code);
        let goes_on = |before: KeywordSet, caption: &Caption| {
            // `Descrizione merce`.
            let describes = caption.column == Some(Column::Description) && announced.flatten() == Some(Column::Description);
            // `Price each`, `Prezzo unit.`
            let is_price = caption.column == Some(Column::UnitPrice) && (found.has(Keyword::Unit) || is_each(word.text));
            // `Cat. No.`
            let is_what = |word: &str| {
                is_of_positions(word)
                    || ["ARTICOLO", "ART", "ARTIKEL", "ARTICLE"].contains(&word.trim_end_matches('.').to_uppercase().as_str())
            };
            let numbers = caption.own_word && caption.column == Some(Column::Code) && is_what(word.text);
            // `Amount VAT%`: a column of its own.
            let is_rate =
                word.text.ends_with('%') && word.text.len() > 1 && found.has(Keyword::Tax) && caption.column == Some(Column::LineTotal);
            // `Cod. IVA`: of tax.
            let of_tax = caption.own_word && caption.column == Some(Column::Code) && found.has(Keyword::Tax);
            // `% code`: of two columns, the one of percents.
            let is_beside_percents = behind_percents && announced.flatten() == Some(Column::Code);
            !is_rate
                && !is_beside_percents
                && (!caption.known
                    || of_tax
                    || connected
                    || describes
                    || is_price
                    || numbers
                    || of_both(caption)
                    || joins(before, word.text, found))
        };
        match captions.last_mut().filter(|(line, before, caption)| *line == word.line && goes_on(*before, caption)) {
            Some((_, keywords, last)) => {
                *keywords = keywords.union(found);
                // `Product / code`: both stand in one column, the one below the other.
                let pair = (last.column, announced.flatten());
                let are_both =
                    connected && [pair.0, pair.1].iter().flatten().all(|column| matches!(column, Column::Code | Column::Description));
                let stacked = are_both && pair.0.is_some() && pair.1.is_some() && pair.0 != pair.1;
                last.code_above |= stacked && pair.0 == Some(Column::Code);
                last.code_below |= stacked && pair.1 == Some(Column::Code);
                last.column = match (last.known, last.own_word) {
                    _ if stacked || of_both(last) => Some(Column::Description),
                    // `Goods / Services`.
                    _ if connected && announced.flatten() == Some(Column::Description) => Some(Column::Description),
                    (true, true) if last.column == Some(Column::Code) && found.has(Keyword::Tax) => None,
                    (true, true) => last.column,
                    (true, false) => caption("", *keywords).flatten(),
                    (false, _) => caption(word.text, *keywords).flatten(),
                };
                last.own_word = if last.known { last.own_word } else { own_word(word.text).is_some() };
                last.known |= announced.is_some();
                last.right = word.quad.right();
            }
            None => {
                let (code_above, own_word) = (is_of_code_above(word.text), own_word(word.text).is_some());
                captions.push((word.line, found, Caption { code_above, own_word, ..Caption::new(announced, &word.quad) }));
            }
        }
        behind_percents = word.text == "%";
        connected = CONNECTORS.contains(&word.text.to_uppercase().as_str());
    }
    captions.into_iter().map(|(_, keywords, caption)| (keywords, caption)).collect()
}

fn is_each(text: &str) -> bool {
    ["EACH", "PER"].contains(&text.to_uppercase().as_str())
}

fn is_of_positions(text: &str) -> bool {
    POSITION.contains(&text.trim_end_matches(['.', ':']).to_uppercase().as_str())
}

/// Whether a word goes on with the caption before it.
fn joins(before: KeywordSet, text: &str, word: KeywordSet) -> bool {
    use Keyword::*;
    let pair = |a: &[Keyword], b: &[Keyword]| before.has_any(a) && word.has_any(b);
    caption(text, word).is_none()
        || pair(&[Description, Items], &[Code, Number, Description, Items])
        // "Description of goods".
        || pair(&[Description], &[Net])
        || pair(&[Unit], &[Price])
        || pair(&[Net, Gross], &[Price, Amount, Total])
        || pair(&[Tax], &[Rate, Amount, Total, Code])
        || pair(&[Discount], &[Rate, Amount, Total])
        // "Charge ex VAT".
        || pair(&[Included, Excluded], &[Tax])
        || pair(&[Amount, Total, Price], &[Tax, Net, Gross, Included, Excluded, Currency])
        || pair(&[Total], &[Amount, Price])
}

/// The column that a word announces in a table, though it says nothing of the kind elsewhere.
fn own_word(text: &str) -> Option<Column> {
    let upper = text.to_uppercase();
    let bare = upper.trim_end_matches(['.', ':']);
    let announces = |captions: &[&str]| captions.contains(&bare) || captions.contains(&upper.as_str());
    OWN_WORDS.iter().find(|(_, captions)| announces(captions)).map(|(column, _)| *column)
}

/// `Material/Description`, `Art.Nr./Bezeichnung`: the code stands above the description.
fn is_of_code_above(text: &str) -> bool {
    let announced = |text: &str| caption(text, KeywordSet::find(text)).flatten();
    let is_of_codes = |text: &str| announced(text) == Some(Column::Code) || text.eq_ignore_ascii_case("material");
    text.split_once('/').is_some_and(|(above, below)| is_of_codes(above) && announced(below) == Some(Column::Description))
}

/// What a caption announces: `None` no caption, `Some(None)` one that is of no use.
fn caption(text: &str, words: KeywordSet) -> Option<Option<Column>> {
    use Keyword::*;
    let column = if words.has(Tax) && words.has(Code) {
        None
    } else if let Some(column) = own_word(text) {
        Some(column)
    } else if words.has_any(&[Code, Reference]) {
        Some(Column::Code)
    } else if words.has_any(&[Description, Items]) {
        Some(Column::Description)
    } else if words.has(Quantity) {
        Some(Column::Quantity)
    } else if words.has(Discount) {
        Some(Column::Discount)
    } else if words.has(Price) && !words.has(Total) {
        Some(Column::UnitPrice)
    } else if words.has(Tax) && words.has_any(&[Included, Excluded]) && !words.has(Rate) {
        // `Ex VAT`: what the row comes to.
        Some(Column::LineTotal)
    } else if words.has(Tax) && words.has_any(&[Amount, Total]) && !words.has_any(&[Included, Excluded]) {
        None
    } else if words.has_any(&[Amount, Total, Net, Gross]) {
        Some(Column::LineTotal)
    } else if words.has_any(&[Tax, Rate]) {
        Some(Column::VatRate)
    } else if words.has(Unit) {
        Some(Column::Unit)
    } else if words.has(Date) || is_of_positions(text) {
        None
    } else {
        return None;
    };
    Some(column)
}
