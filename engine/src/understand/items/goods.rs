//! An item in the making: its cells, what they prove, and what of them belongs to another column.

use crate::pattern::pattern;
use std::sync::LazyLock;

use regex::Regex;

use super::cells::{Cell, Word, is_discounted_product, is_product};
use super::split_code;
use super::uncaptioned::is_code_alone;
use crate::understand::draft::{Column, Item};
use crate::understand::rows::ReadingOrder;

/// How far an item is believed whose arithmetic holds.
const PROVEN_PROBABILITY: f32 = 0.97;

/// What parts a note from a description.
static SIGN: LazyLock<Regex> = LazyLock::new(|| pattern(r"[—–·|]|\s-\s"));

/// A batch or a date before which goods are good, behind a description: `lot 0415`, `L. 0503)`, `IE 2214 · lot 0412`, `made 05/05`.
static BATCH: LazyLock<Regex> = LazyLock::new(|| {
    let said = r"lot|lote|lotto|charge|batch|best before|bbe?|use by|mhd|dlc|ddm|tht|made|packed|exp";
    pattern(&format!(r"(?i)^(?:[(—–·|]\s*)?(?:\w{{1,3}} \d+ (?:[·|] )?)?(?:(?:{said})\b[.:]?\s*\S*\d|l\. ?\S*\d)"))
});

/// The caption of a code that ends a description.
static CODE_CAPTION: LazyLock<Regex> = LazyLock::new(|| {
    let words =
        r"art|article|artikel|art\.?-?n[ro]|artikelnr|artikelnummer|réf|ref|sku|code|mpn|item|asin|ean|gtin|kód|código|codice|cod|part";
    pattern(&format!(r"(?i)^[^\p{{L}}]*(?:{words})[.:]*$"))
});

/// What may stand between such a caption and the code.
const OF_NUMBERS: [&str; 7] = ["nr", "no", "n°", "nº", "number", "nummer", "num"];

/// An item in the making.
#[derive(Clone)]
pub(super) struct Goods<'a> {
    pub(super) cells: Vec<Cell<'a>>,
    pub(super) probability: f32,
    pub(super) page: usize,
    pub(super) captioned: bool,
    /// The words of the row above, where they describe it.
    pub(super) above: Vec<Word<'a>>,
}

impl<'a> Goods<'a> {
    pub(super) fn cell(&self, column: Column) -> Option<&Cell<'a>> {
        self.cells.iter().find(|cell| cell.column == column)
    }

    pub(super) fn has(&self, column: Column) -> bool {
        self.cell(column).is_some()
    }

    pub(super) fn value(&self, column: Column) -> Option<i64> {
        self.cell(column)?.millionths()
    }

    /// Whether it is what these totals, at least two, come to.
    pub(super) fn is_sum_of(&self, totals: &[i64]) -> bool {
        let is_bare = !self.has(Column::UnitPrice) && !self.has(Column::Code);
        is_bare && totals.len() > 1 && self.value(Column::LineTotal) == Some(totals.iter().sum())
    }

    /// Whether this row only repeats the last item's total as quantity x price, without words of its own.
    pub(super) fn restates(&self, last: Option<&Self>) -> bool {
        let total = last.filter(|last| !last.has(Column::Quantity)).and_then(|last| last.value(Column::LineTotal));
        let (Some(total), Some(quantity), Some(price)) = (total, self.value(Column::Quantity), self.value(Column::UnitPrice)) else {
            return false;
        };
        let own = self.value(Column::LineTotal);
        !self.has(Column::Description) && is_product(quantity, price, total) && own.is_none_or(|own| own == total)
    }

    /// `14 hours x 68.00`, `5.25 x 22.93 VAT 23%` below an item whose total that makes: its quantity and price, maybe its rate.
    pub(super) fn factors_below(&self, words: &[Word<'a>]) -> Option<Vec<Cell<'a>>> {
        const WORDS_MAX: usize = 7;
        let total = self.value(Column::LineTotal).filter(|_| !self.has(Column::Quantity) && !self.has(Column::UnitPrice))?;
        let quantity = words.first().filter(|_| words.len() <= WORDS_MAX)?;
        let makes = |price: &Word| {
            let product = |quantity: i64| price.millionths().any(|price| is_product(quantity, price, total));
            price.number().is_some_and(|price| price.decimals > 1) && quantity.millionths().any(product)
        };
        let price = words[1..].iter().find(|word| makes(word))?;
        let rate = words.iter().find(|word| word.text.ends_with('%')).filter(|_| !self.has(Column::VatRate));
        let found = [(Column::Quantity, Some(quantity)), (Column::UnitPrice, Some(price)), (Column::VatRate, rate)];
        Some(found.into_iter().filter_map(|(column, word)| Some(Cell { column, words: vec![word?.clone()] })).collect())
    }

    /// The total below a row that seemed to end with one: that was the price. `3 hrs x 113.00`, and below it `339.00`.
    pub(super) fn total_below(&self, words: &[Word<'a>]) -> Option<[Cell<'a>; 3]> {
        let [total] = words else { return None };
        let amount = total.amount()?;
        let price = self.cell(Column::LineTotal).filter(|_| !self.captioned && !self.has(Column::UnitPrice))?;
        let numbers =
            self.cells.iter().filter(|cell| matches!(cell.column, Column::Description | Column::Quantity)).flat_map(|cell| &cell.words);
        let makes = |word: &&Word| {
            word.number().is_some_and(|quantity| price.readings().any(|price| is_product(quantity.millionths, price, amount)))
        };
        let quantity = numbers.into_iter().find(makes)?;
        let cell = |column: Column, word: &Word<'a>| Cell { column, words: vec![word.clone()] };
        Some([cell(Column::Quantity, quantity), cell(Column::UnitPrice, price.words.first()?), cell(Column::LineTotal, total)])
    }

    /// Takes cells in the place of those that held their words; the unit behind a quantity is no description.
    pub(super) fn reassign(&mut self, found: impl IntoIterator<Item = Cell<'a>>) {
        for found in found {
            let is_found = |word: &Word| {
                found
                    .words
                    .iter()
                    .any(|found| found.line == word.line && word.range.start <= found.range.start && found.range.end <= word.range.end)
            };
            self.cells.iter_mut().for_each(|cell| cell.words.retain(|word| !is_found(word)));
            self.set(found);
        }
        let quantity = self.cell(Column::Quantity).and_then(|cell| cell.words.last()).cloned();
        let description = self.cells.iter_mut().find(|cell| cell.column == Column::Description);
        let unit = description.and_then(|cell| cell.words.pop_if(|word| quantity.as_ref().is_some_and(|quantity| word.follows(quantity))));
        self.cells.extend(unit.map(|unit| Cell { column: Column::Unit, words: vec![unit] }));
        self.cells.retain(|cell| !cell.words.is_empty());
    }

    /// Takes these for its quantity and its price, wherever they stood.
    pub(super) fn take_factors(&mut self, (quantity, price): (Word<'a>, Word<'a>)) {
        let found = [(Column::Quantity, quantity), (Column::UnitPrice, price)];
        self.reassign(found.map(|(column, word)| Cell { column, words: vec![word] }));
    }

    /// Takes a quantity and a price from the row above, if they make the total; a number before the description then counts nothing.
    pub(super) fn take_factors_above(&mut self, factors: Vec<Cell<'a>>) {
        let readings = |column: Column| factors.iter().filter(move |cell| cell.column == column).flat_map(Cell::readings);
        let Some(total) = self.value(Column::LineTotal) else { return };
        let makes = |quantity: i64| readings(Column::UnitPrice).any(|price| is_product(quantity, price, total));
        if !readings(Column::Quantity).any(makes) {
            return;
        }
        let counted: Vec<Word> =
            self.cells.extract_if(.., |cell| matches!(cell.column, Column::Quantity | Column::Unit)).flat_map(|cell| cell.words).collect();
        if let Some(description) = self.cells.iter_mut().find(|cell| cell.column == Column::Description) {
            description.words.splice(0..0, counted);
        }
        self.cells.extend(factors);
    }

    /// Adds the cells that are missing.
    pub(super) fn take(&mut self, other: Self) {
        for cell in other.cells {
            if !self.has(cell.column) {
                self.cells.push(cell);
            }
        }
    }

    /// Takes the words of a row above: a code first, the rest describes.
    pub(super) fn describe(&mut self, words: Option<Vec<Word<'a>>>) {
        let Some(words) = words else { return };
        self.above.clone_from(&words);
        let (code, rest) = split_code(words);
        let texts = [(Column::Code, code), (Column::Description, rest)];
        for (column, words) in texts {
            if !words.is_empty() && !self.has(column) {
                self.cells.push(Cell { column, words });
            }
        }
    }

    /// Takes other words to describe it than those of the row above.
    pub(super) fn describe_anew(&mut self, words: Vec<Word<'a>>) {
        let is_above = |word: &Word| self.above.iter().any(|above| above.line == word.line);
        self.cells.retain(|cell| cell.column != Column::Description && !cell.words.iter().any(is_above));
        self.describe(Some(words));
    }

    /// A code within a description, behind its caption, is no part of that: `Terras pot Capri (art. 440118)`.
    pub(super) fn part_code(&mut self) {
        if self.has(Column::Code) {
            return;
        }
        let Some(description) = self.cells.iter_mut().find(|cell| cell.column == Column::Description) else { return };
        let is_code = |word: &Word| word.text.bytes().filter(u8::is_ascii_digit).count() >= 2;
        let [_, .., caption, code] = description.words.as_slice() else { return };
        if !is_caption_of_code(caption) || !is_code(code) {
            return;
        }
        let code = code.without_bracket();
        description.words.truncate(description.words.len() - 2);
        self.cells.push(Cell { column: Column::Code, words: vec![code] });
    }

    /// A description that is but a code behind its caption, or but the unit of the quantity before it, is none: that stands in the row above.
    /// `Art.-Nr. SE-784 | 10 Fl | 4.90`, `2 st x 24,97`.
    pub(super) fn undescribe(&mut self) {
        const UNIT_WORDS_MAX: usize = 1;
        const UNIT_LETTERS_MAX: usize = 3;
        let Some(at) = self.cells.iter().position(|cell| cell.column == Column::Description) else { return };
        let words = without_signs(&self.cells[at].words);
        if words.is_empty() {
            self.cells.remove(at);
            return;
        }
        let is_unit = |word: &Word| {
            let behind = word.whole[word.range.end..].trim_start();
            let is_sign = |c: char| c.is_ascii_digit() || matches!(c, 'x' | '×' | 'à' | '@' | '*');
            word.is_measure() || word.text.trim_end_matches('.').chars().count() <= UNIT_LETTERS_MAX || behind.starts_with(is_sign)
        };
        let of_quantity = |unit: &Word| {
            self.cell(Column::Quantity).and_then(|cell| cell.words.last()).is_some_and(|quantity| is_unit(unit) && unit.follows(quantity))
        };
        let (code, unit) = match code_behind_caption(words) {
            Some(code) if words.len() - code - 1 <= UNIT_WORDS_MAX && !self.has(Column::Code) => {
                (Some(words[code].clone()), words.get(code + 1).cloned())
            }
            None if words.len() == 1 && of_quantity(&words[0]) => (None, Some(words[0].clone())),
            _ => return,
        };
        self.cells.remove(at);
        let found = [(Column::Code, code), (Column::Unit, unit)];
        self.cells.extend(found.into_iter().filter_map(|(column, word)| Some(Cell { column, words: vec![word?] })));
    }

    /// A description that is but a number counts what the row above names.
    pub(super) fn count_by_description(&mut self) {
        let is_number = |cell: &Cell| matches!(cell.words.as_slice(), [word] if word.number().is_some());
        if self.has(Column::LineTotal) && !self.has(Column::Quantity) {
            let counts = self.cells.iter_mut().find(|cell| cell.column == Column::Description && is_number(cell));
            counts.into_iter().for_each(|cell| cell.column = Column::Quantity);
        } else if self.has(Column::LineTotal) && self.has(Column::Quantity) {
            // A code stands below a description, or above it.
            let is_code =
                |cell: &&mut Cell| cell.column == Column::Description && matches!(cell.words.as_slice(), [word] if is_code_alone(word));
            if !self.has(Column::Code) && self.is_proven() {
                self.cells.iter_mut().find(is_code).into_iter().for_each(|cell| cell.column = Column::Code);
            }
            // A number of packages describes nothing.
            self.cells.retain(|cell| cell.column != Column::Description || !is_number(cell));
        }
    }

    /// Puts a cell in the place of the one of its column.
    pub(super) fn set(&mut self, cell: Cell<'a>) {
        self.cells.retain(|other| other.column != cell.column);
        self.cells.push(cell);
    }

    /// Whether the total is the product of these, maybe less the discount: in percent, of the row, or of each.
    pub(super) fn makes_total(&self, quantity: i64, price: i64) -> bool {
        let Some(total) = self.value(Column::LineTotal) else { return false };
        let printed = self.value(Column::Discount).unwrap_or_default();
        // Some print a minus before it.
        let makes = |discount: i64| {
            is_discounted_product(quantity, price, discount, total)
                || is_product(quantity, price, total + discount)
                || is_product(quantity, price - discount, total)
        };
        is_product(quantity, price, total) || makes(printed) || printed < 0 && makes(-printed)
    }

    pub(super) fn is_proven(&self) -> bool {
        let (Some(quantity), Some(price)) = (self.cell(Column::Quantity), self.cell(Column::UnitPrice)) else { return false };
        // Nothing of anything proves nothing.
        let some = |quantity: &i64| *quantity != 0;
        quantity.readings().filter(some).any(|quantity| price.readings().any(|price| self.makes_total(quantity, price)))
    }

    /// `[KEG30-PA] Pale Ale`, `Extintor polvo 6 kg [EX06]`: a code in brackets before the description, or behind it.
    pub(super) fn part_bracketed_code(&mut self) {
        if self.has(Column::Code) {
            return;
        }
        let Some(description) = self.cells.iter_mut().find(|cell| cell.column == Column::Description && cell.words.len() > 1) else {
            return;
        };
        let bracketed = |word: &Word<'a>| {
            let inner = word.text.strip_prefix('[').and_then(|text| text.strip_suffix(']'))?;
            let start = word.range.start + 1;
            let code = Word { text: inner, range: start..start + inner.len(), ..word.clone() };
            (!inner.is_empty() && !inner.contains(char::is_lowercase)).then_some(code)
        };
        let ends = [0, description.words.len() - 1];
        let Some((at, code)) = ends.into_iter().find_map(|at| Some((at, bracketed(&description.words[at])?))) else { return };
        description.words.remove(at);
        self.cells.push(Cell { column: Column::Code, words: vec![code] });
    }

    /// Numbers and measures that stand alone in lines behind the description are none of its words: those of the days of a week, or of a
    /// pack that no caption explains.
    pub(super) fn drop_numbers_behind(&mut self) {
        /// From the words before, in heights of a line: a number of its own is closer, `Abrechnungskreis 1`.
        const GAP_MIN: f32 = 2.0;
        let Some(description) = self.cells.iter_mut().find(|cell| cell.column == Column::Description) else { return };
        let is_alone = |word: &Word| word.number().is_some() && word.whole.trim() == word.text;
        let numbers = description.words.iter().rev().take_while(|word| is_alone(word)).count();
        if numbers > 1 && numbers < description.words.len() {
            description.words.truncate(description.words.len() - numbers);
        }
        while let Some(last) = description.words.last() {
            let start = description.words.iter().position(|word| word.line == last.line).unwrap_or(0);
            let Some(before) = start.checked_sub(1).map(|before| &description.words[before]) else { return };
            let (quad, first) = (before.quad, &description.words[start]);
            let is_beside = first.quad.left() - quad.right() > GAP_MIN * quad.height() && first.quad.top() < quad.bottom();
            if !is_beside || !is_pack(last.whole) {
                return;
            }
            description.words.truncate(start);
        }
    }

    /// What a description says of a batch or of a date behind a sign is a note: `Beef mince 10% fat - lot 0415`, `Chorizo (L. 0503)`.
    pub(super) fn drop_batch(&mut self) {
        let Some(description) = self.cells.iter_mut().find(|cell| cell.column == Column::Description) else { return };
        let is_sign = |at: usize| !description.words[at].text.contains(char::is_alphanumeric);
        let is_parted = |at: usize| {
            let (before, word) = (&description.words[at - 1], &description.words[at]);
            let between = word.whole.get(before.range.end..word.range.start).filter(|_| before.line == word.line);
            let sign = between.is_some_and(|between| SIGN.is_match(between));
            sign || is_sign(at - 1) || word.text.starts_with('(')
        };
        let says_batch = |at: &usize| {
            let word = &description.words[*at];
            is_parted(*at) && BATCH.is_match(&word.whole[word.range.start..])
        };
        let note = (1..description.words.len()).find(says_batch).map(|note| note - usize::from(is_sign(note - 1)));
        if let Some(note) = note.filter(|note| *note > 0) {
            description.words.truncate(note);
        }
    }

    /// A code in one line with the item's number or quantity, or with a customs code or a code of tax: `1 COM700`, `PRD-0873 2107.11`, `G65/52 A`.
    pub(super) fn part_numbers_from_code(&mut self) {
        const DIGITS_MAX: usize = 3;
        let Some(code) = self.cells.iter_mut().find(|cell| cell.column == Column::Code && cell.words.len() > 1) else { return };
        let has_digit = |word: &Word| word.text.contains(|c: char| c.is_ascii_digit());
        let is_whole = |word: &Word| word.text.len() > DIGITS_MAX && has_digit(word);
        let is_count = code.words[0].is_digits() && code.words[0].text.len() <= DIGITS_MAX && is_whole(&code.words[1]);
        let before = is_count.then(|| code.words.remove(0));
        if is_whole(&code.words[0]) {
            code.words.truncate(1);
        }
        let Some(number) = before.filter(|_| !self.has(Column::Quantity)) else { return };
        let factors = self.value(Column::UnitPrice).zip(number.number());
        if factors.is_some_and(|(price, number)| self.makes_total(number.millionths, price)) {
            self.cells.push(Cell { column: Column::Quantity, words: vec![number] });
        }
    }

    /// What stands alone in a line before or behind the words of a description, or in their place, may be a unit: `hrs | Event photography`, `drum`.
    pub(super) fn part_unit(&mut self) {
        let has_unit = self.has(Column::Unit);
        let Some(description) = self.cells.iter_mut().find(|cell| cell.column == Column::Description) else { return };
        let alone = |words: &[Word], at: usize| {
            let line = words[at].line;
            words[at].is_measure() && words[at].whole.trim() == words[at].text && words.iter().filter(|word| word.line == line).count() == 1
        };
        let last = description.words.len() - 1;
        let Some(at) = [0, last].into_iter().find(|at| alone(&description.words, *at)) else { return };
        let unit = description.words.remove(at);
        self.cells.retain(|cell| !cell.words.is_empty());
        if !has_unit {
            self.cells.push(Cell { column: Column::Unit, words: vec![unit] });
        }
    }

    /// `Lachsforelle à | 4,50`: what stands before a price is no part of the description.
    pub(super) fn trim_description(&mut self) {
        let Some(description) = self.cells.iter_mut().find(|cell| cell.column == Column::Description) else { return };
        description.words.truncate(without_signs(&description.words).len().max(1));
    }

    /// `(je 57,33)`: a number within brackets has none of its own.
    fn printed(cell: &Cell<'a>) -> Cell<'a> {
        let is_text = matches!(cell.column, Column::Code | Column::Description | Column::Unit);
        let bare = |word: &Word<'a>| if is_text || word.text.starts_with('(') { word.clone() } else { word.without_bracket() };
        Cell { column: cell.column, words: cell.words.iter().map(bare).collect() }
    }

    pub(super) fn item(&self, order: &ReadingOrder) -> Item {
        let probability = if self.is_proven() { self.probability.max(PROVEN_PROBABILITY) } else { self.probability };
        let spans = self.cells.iter().map(Self::printed).filter_map(|cell| Some((cell.column, cell.span(order, probability)?)));
        Item { cells: spans.collect() }
    }
}

/// Words without the signs behind them that stand before a price.
fn without_signs<'w, 'a>(words: &'w [Word<'a>]) -> &'w [Word<'a>] {
    const BEFORE_PRICE: [&str; 12] = ["less", "à", "zu", "je", "a", "@", "(à", "(zu", "(je", "x", "×", "="];
    let signs = words.iter().rev().take_while(|word| BEFORE_PRICE.contains(&word.text)).count();
    &words[..words.len() - signs]
}

pub(super) fn is_caption_of_code(word: &Word) -> bool {
    CODE_CAPTION.is_match(word.text)
}

/// The place of the code that words begin with, behind its caption: `Ref. QMAN-3M · Lote Q8841`, `Art. / Code: AL-274`, `Nr. P-3614`.
pub(super) fn code_behind_caption(words: &[Word]) -> Option<usize> {
    let is_of_numbers = |word: &Word| OF_NUMBERS.contains(&word.text.trim_end_matches(['.', ':']).to_lowercase().as_str());
    let says_what = |word: &&Word| is_caption_of_code(word) || is_of_numbers(word) || !word.text.contains(char::is_alphanumeric);
    let at = words.iter().take_while(says_what).count();
    let code = words.get(at).filter(|_| at > 0)?;
    let is_code = code.text.contains(|c: char| c.is_ascii_digit()) || code.text.contains('-') && !code.text.contains(char::is_lowercase);
    is_code.then_some(at)
}

/// Whether a line is a pack or a number alone: `240`, `50 L`, `6 x 75cl`.
fn is_pack(line: &str) -> bool {
    static PACK: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?i)^(?:\d+\s*[x×]\s*)?\d+(?:[.,]\d+)?\s*(?:k?g|[cm]?l|ltr|litres?|oz|lb|pcs?|er)?$|^[–·-]$"));
    PACK.is_match(line.trim())
}

/// Leaves out the numbers of items that stand before all descriptions: of three and more, also by groups, `A.1`, `A.2`, `B.1`; of fewer with a point behind
/// them or in a line of their own, `1. Pale Ale`.
pub(super) fn drop_positions<'a>(items: &mut [&mut Goods<'a>]) {
    const TELLING: usize = 3;
    const GAP_MAX: u32 = 3;
    let number = |word: &Word| -> Option<u32> {
        let digits = word.text.trim_start_matches(|c: char| c.is_ascii_uppercase()).trim_start_matches('.').trim_end_matches(['.', ')']);
        // `1.1`, `1.2`, `2.1`.
        let digits = digits.split_once('.').filter(|(group, _)| group.len() == 1).map_or(digits, |(_, number)| number);
        (word.text.len() - digits.len() <= 3).then(|| digits.parse().ok()).flatten()
    };
    let first = |goods: &&mut Goods<'a>| {
        let described = goods.cell(Column::Description).filter(|cell| cell.words.len() > 1);
        described.map(|cell| cell.words[0].clone())
    };
    let words: Vec<Option<Word>> = items.iter().map(first).collect();
    let stands_apart = |word: &Word| word.text.ends_with(['.', ')']) || word.whole.trim() == word.text;
    let are_apart = words.iter().flatten().all(stands_apart);
    let numbers: Vec<Option<u32>> = words.iter().map(|word| number(word.as_ref()?)).collect();
    // A row that was not read leaves a gap.
    let gap_max = if are_apart { GAP_MAX } else { 1 };
    let follows = |pair: &[Option<u32>]| {
        pair[1] == Some(1) || pair[0].zip(pair[1]).is_some_and(|(a, b)| (1..=gap_max).contains(&b.saturating_sub(a)))
    };
    if (numbers.len() >= TELLING || are_apart) && numbers.first() == Some(&Some(1)) && numbers.windows(2).all(follows) {
        let descriptions = items.iter_mut().flat_map(|goods| &mut goods.cells).filter(|cell| cell.column == Column::Description);
        descriptions.for_each(|cell| cell.words = cell.words.split_off(1));
    }
}
