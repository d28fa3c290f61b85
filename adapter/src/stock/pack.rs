//! What a supplier's description says that a pack holds: `Case 24x330ml`, `50L Keg`, `6.35kg`.

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};

use super::{LARGEST_QUANTITY, Unit};

/// Words for a measure, its base unit and how many of those it is. A pint is the imperial one, 568.26 ml.
const MEASURES: [(&[&str], Unit, i64); 8] = [
    (&["ml", "mls"], Unit::Ml, 1),
    (&["cl"], Unit::Ml, 10),
    (&["l", "lt", "ltr", "ltrs", "litre", "litres", "liter", "liters"], Unit::Ml, 1000),
    (&["hl"], Unit::Ml, 100_000),
    (&["pint", "pints", "pt"], Unit::Ml, 568),
    (&["g", "gr", "gm", "gms", "gram", "grams"], Unit::G, 1),
    (&["kg", "kgs", "kilo", "kilos"], Unit::G, 1000),
    (&["t", "tonne"], Unit::G, 1_000_000),
];
/// Words that say "this many together".
const GROUPS: [&str; 12] = ["case", "cs", "pack", "pk", "pck", "crate", "tray", "box", "multipack", "carton", "ctn", "bx"];
/// Words for what holds a drink; with the groups they are no part of a product's name.
const VESSELS: [&str; 14] = ["keg", "kegs", "bottle", "bottles", "btl", "btls", "can", "cans", "nrb", "pet", "of", "x", "barrel", "cask"];
/// Units of a quantity that count single pieces, also where the description tells of a case.
const PIECES: [&str; 8] = ["bottle", "bottles", "btl", "btls", "can", "cans", "piece", "pieces"];

/// What one unit of an invoice line holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pack {
    /// Pieces in it, at least 1.
    pub pieces: i64,
    /// Base units in a piece, where the description says.
    pub content: Option<(i64, Unit)>,
}

impl Pack {
    pub const SINGLE: Self = Self { pieces: 1, content: None };

    /// Reads a description; a single piece where it says nothing.
    pub fn parse(description: &str) -> Self {
        let tokens = tokens(description);
        let measured = (0..tokens.len()).rev().find_map(|at| measured(&tokens, at));
        measured.or_else(|| counted(&tokens).map(|pieces| Self { pieces, content: None })).unwrap_or(Self::SINGLE)
    }

    /// The unit that such goods are best counted in.
    pub fn unit(self) -> Unit {
        self.content.map_or(Unit::Each, |(_, unit)| unit)
    }

    /// Base units of `unit` in `quantity` of what the line's own unit (`kg`, `case`, `bottle`) counts; `None` where that can't be known.
    pub fn base_quantity(self, quantity: Decimal, line_unit: &str, unit: Unit) -> Option<i64> {
        let line_unit = line_unit.trim().to_lowercase();
        let base = match (measure(&line_unit), self.content) {
            (Some((factor, measured)), None) => (measured == unit).then_some(factor)?,
            _ => {
                let pieces = if PIECES.contains(&line_unit.as_str()) { 1 } else { self.pieces };
                pieces.checked_mul(self.in_piece(unit)?)?
            }
        };
        let total = quantity.checked_mul(base.into())?.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        total.to_i64().filter(|total| total.abs() <= LARGEST_QUANTITY)
    }

    fn in_piece(self, unit: Unit) -> Option<i64> {
        match (unit, self.content) {
            (Unit::Each, _) => Some(1),
            (unit, Some((content, measured))) => (unit == measured).then_some(content),
            (_, None) => None,
        }
    }
}

/// A quantity as people write it, in base units of `unit`: `37500`, `37.5 l`, `3 x 50L Keg`; `None` where it can't be had from that.
pub fn quantity(text: &str, unit: Unit) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<Decimal>() {
        return Pack { pieces: 1, content: Some((1, unit)) }.base_quantity(number, "", unit);
    }
    if text.starts_with('-') {
        return None;
    }
    let pack = Pack::parse(text);
    // Words alone count nothing.
    (pack != Pack::SINGLE).then(|| pack.base_quantity(Decimal::ONE, "", unit))?
}

/// The unit that a quantity in `line_unit` of such a pack is best counted in.
pub fn best_unit(pack: Pack, line_unit: &str) -> Unit {
    match (pack.content, measure(&line_unit.trim().to_lowercase())) {
        (None, Some((_, unit))) => unit,
        _ => pack.unit(),
    }
}

/// A description's words without those of packs and measures: what two descriptions of one product share. All of them where none is left.
pub fn bare_name(description: &str) -> String {
    let tokens = tokens(description);
    let is_pack = |at: usize| {
        let measure_at = |at: usize| tokens.get(at).and_then(Token::word).is_some_and(|word| measure(word).is_some());
        match &tokens[at] {
            Token::Number(_) => {
                let x = |at: Option<usize>| at.and_then(|at| tokens.get(at)).and_then(Token::word) == Some("x");
                let group =
                    |at: Option<usize>| at.and_then(|at| tokens.get(at)).and_then(Token::word).is_some_and(|word| GROUPS.contains(&word));
                measure_at(at + 1) || x(Some(at + 1)) || x(at.checked_sub(1)) || group(Some(at + 1)) || group(at.checked_sub(1))
            }
            Token::Word(word) => {
                GROUPS.contains(&word.as_str())
                    || VESSELS.contains(&word.as_str())
                    || (at > 0 && tokens[at - 1].number().is_some() && measure_at(at))
            }
        }
    };
    let words = |keep: &dyn Fn(&usize) -> bool| {
        let kept = (0..tokens.len()).filter(keep).map(|at| tokens[at].to_string());
        kept.collect::<Vec<_>>().join(" ")
    };
    let bare = words(&|at| !is_pack(*at));
    if bare.is_empty() { words(&|_| true) } else { bare }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(Decimal),
    Word(String),
}

impl Token {
    fn number(&self) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Word(_) => None,
        }
    }

    fn word(&self) -> Option<&str> {
        match self {
            Self::Number(_) => None,
            Self::Word(word) => Some(word),
        }
    }

    /// A whole number of pieces.
    fn count(&self) -> Option<i64> {
        let number = self.number()?;
        (number.is_integer() && number >= Decimal::ONE).then(|| number.to_i64())?.filter(|count| *count <= LARGEST_QUANTITY)
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// Numbers (with `.` or `,` inside) and words of letters, in lower case; everything else parts them.
fn tokens(text: &str) -> Vec<Token> {
    let lower = text.to_lowercase().replace('×', "x");
    let mut tokens = Vec::new();
    let mut rest = lower.as_str();
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_digit() { number_length(rest) } else { word_length(rest) };
        let (token, after) = rest.split_at(length.max(first.len_utf8()));
        if first.is_ascii_digit() {
            tokens.extend(token.replace(',', ".").parse().ok().map(Token::Number));
        } else if length > 0 {
            tokens.push(Token::Word(token.to_owned()));
        }
        rest = after;
    }
    tokens
}

fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut length = 0;
    let mut pointed = false;
    while digit(length) || (!pointed && matches!(bytes.get(length), Some(b'.' | b',')) && digit(length + 1)) {
        pointed |= !digit(length);
        length += 1;
    }
    length
}

fn word_length(text: &str) -> usize {
    text.find(|letter: char| !letter.is_alphabetic()).unwrap_or(text.len())
}

fn measure(word: &str) -> Option<(i64, Unit)> {
    MEASURES.iter().find(|(words, ..)| words.contains(&word)).map(|(_, unit, factor)| (*factor, *unit))
}

/// `24 x 330 ml`, `4 x 6 x 330 ml`, `330 ml x 24`, `case of 24 330 ml`: the number of the measure stands at `at`.
fn measured(tokens: &[Token], at: usize) -> Option<Pack> {
    let (factor, unit) = measure(tokens.get(at + 1)?.word()?)?;
    let content =
        tokens[at].number()?.checked_mul(factor.into())?.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero).to_i64()?;
    if content <= 0 || content > LARGEST_QUANTITY {
        return None;
    }
    let is_x = |at: usize| tokens.get(at).and_then(Token::word) == Some("x");
    let mut pieces = 1_i64;
    let mut first = at;
    while first >= 2 && is_x(first - 1) {
        let Some(count) = tokens[first - 2].count() else { break };
        pieces = pieces.checked_mul(count)?;
        first -= 2;
    }
    if first == at {
        let after = if is_x(at + 2) { tokens.get(at + 3).and_then(Token::count) } else { None };
        pieces = after.or_else(|| counted(&tokens[..at])).unwrap_or(1);
    }
    pieces.checked_mul(content).filter(|total| *total <= LARGEST_QUANTITY)?;
    Some(Pack { pieces, content: Some((content, unit)) })
}

/// `case of 24`, `24 pack`, `x 24`.
fn counted(tokens: &[Token]) -> Option<i64> {
    let group = |at: usize| tokens.get(at).and_then(Token::word).is_some_and(|word| GROUPS.contains(&word));
    let word = |at: usize, expected: &str| tokens.get(at).and_then(Token::word) == Some(expected);
    (0..tokens.len()).find_map(|at| {
        let after_group = at >= 1 && (group(at - 1) || (at >= 2 && word(at - 1, "of") && group(at - 2)));
        let before_group = group(at + 1);
        let times = at >= 1 && word(at - 1, "x");
        if after_group || before_group || times { tokens[at].count() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn descriptions_of_packs() {
        for (description, pieces, content) in [
            ("Case 24x330ml", 24, Some((330, Unit::Ml))),
            ("Heineken 24 x 33cl NRB", 24, Some((330, Unit::Ml))),
            ("50L Keg", 1, Some((50_000, Unit::Ml))),
            ("Guinness Draught 50 Ltr keg 4.2%", 1, Some((50_000, Unit::Ml))),
            ("Tayto 48x40g", 48, Some((40, Unit::G))),
            ("Tomatoes 6.35kg", 1, Some((6350, Unit::G))),
            ("Tomaten 6,35 kg", 1, Some((6350, Unit::G))),
            ("Coca-Cola 330ml x 24", 24, Some((330, Unit::Ml))),
            ("7UP Free 0.0 4×6×330ml", 24, Some((330, Unit::Ml))),
            ("Case of 24 Corona 330 ml", 24, Some((330, Unit::Ml))),
            ("Jameson 70cl 40%", 1, Some((700, Unit::Ml))),
            ("Stout 11 pints", 1, Some((6248, Unit::Ml))),
            ("Napkins case of 500", 500, None),
            ("Crisps 32 pack", 32, None),
            ("Beer mats x100", 100, None),
            ("Delivery", 1, None),
            ("", 1, None),
            ("99999999999999999999l", 1, None),
        ] {
            assert_eq!(Pack::parse(description), Pack { pieces, content }, "{description}");
        }
    }

    #[test]
    fn quantities_in_base_units() {
        for (description, quantity, line_unit, unit, expected) in [
            ("Heineken 24x330ml", "2", "case", Unit::Ml, Some(15_840)),
            ("Heineken 24x330ml", "2", "", Unit::Each, Some(48)),
            ("Heineken 24x330ml", "48", "bottles", Unit::Each, Some(48)),
            ("Heineken 24x330ml", "-1", "", Unit::Ml, Some(-7920)),
            ("50L Keg", "3", "keg", Unit::Ml, Some(150_000)),
            ("Tomatoes", "6.35", "kg", Unit::G, Some(6350)),
            ("Tomatoes", "6.35", "kg", Unit::Ml, None),
            ("Limes", "40", "", Unit::Each, Some(40)),
            ("Limes", "40", "", Unit::Ml, None),
            ("50L Keg", "99999999999", "", Unit::Ml, None),
        ] {
            assert_eq!(
                Pack::parse(description).base_quantity(quantity.parse().unwrap(), line_unit, unit),
                expected,
                "{quantity} {line_unit} {description}"
            );
        }
    }

    #[test]
    fn names_without_their_packs() {
        for (description, name) in [
            ("Guinness Draught 50L Keg", "guinness draught"),
            ("GUINNESS  DRAUGHT", "guinness draught"),
            ("Case 24x330ml Heineken", "heineken"),
            ("7UP 24 x 33cl cans", "7 up"),
            ("Jameson 12", "jameson 12"),
            ("50L Keg", "50 l keg"),
        ] {
            assert_eq!(bare_name(description), name, "{description}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_pack_or_none(text in ".{0,60}", quantity in -1_000_000_i64..1_000_000) {
            let pack = Pack::parse(&text);
            prop_assert!(pack.pieces >= 1);
            let _ = (pack.base_quantity(quantity.into(), &text, Unit::Ml), bare_name(&text));
        }

        #[test]
        fn a_case_of_bottles_reads_back(pieces in 1_i64..200, content in 1_i64..5000) {
            let written = Pack { pieces, content: Some((content, Unit::Ml)) };
            prop_assert_eq!(Pack::parse(&format!("Lager 4.3% {pieces}x{content}ml NRB")), written);
        }
    }
}
