//! An item in the making: its cells, what they prove, and what of them belongs to another column.

use std::sync::LazyLock;

use regex::Regex;

use super::cells::{Cell, Word, is_discounted_product, is_product};
use super::split_code;
use crate::understand::draft::{Column, Item};
use crate::understand::rows::ReadingOrder;

/// How far an item is believed whose arithmetic holds.
const PROVEN_PROBABILITY: f32 = 0.97;

/// The caption of a code that ends a description.
static CODE_CAPTION: LazyLock<Regex> = LazyLock::new(|| {
    let words = r"art|artikel|art-?nr|artikelnr|artikelnummer|réf|ref|sku|code|mpn|item|asin|ean|gtin|kód|código|codice|cod|part";
    Regex::new(&format!(r"(?i)^[^\p{{L}}]*(?:{words})[.:]*$")).expect("the pattern is a constant that a test compiles")
});

/// An item in the making.
pub(super) struct Goods<'a> {
    pub(super) cells: Vec<Cell<'a>>,
    pub(super) probability: f32,
    pub(super) page: usize,
    pub(super) captioned: bool,
}

impl<'a> Goods<'a> {
    pub(super) fn cell(&self, column: Column) -> Option<&Cell<'a>> {
        self.cells.iter().find(|cell| cell.column == column)
    }

    pub(super) fn has(&self, column: Column) -> bool {
        self.cell(column).is_some()
    }

    pub(super) fn value(&self, column: Column) -> Option<i64> {
        self.cell(column)?.thousandths()
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

    /// `14 hours x 68.00` below an item whose total that makes: its quantity and price.
    pub(super) fn factors_below(&self, words: &[Word<'a>]) -> Option<[Cell<'a>; 2]> {
        const WORDS_MAX: usize = 5;
        let total = self.value(Column::LineTotal).filter(|_| !self.has(Column::Quantity) && !self.has(Column::UnitPrice))?;
        let (first, last) = (words.first()?, words.last()?);
        let makes = words.len() <= WORDS_MAX && first != last && is_product(first.number()?.thousandths, last.amount()?, total);
        let cell = |column: Column, word: &Word<'a>| Cell { column, words: vec![word.clone()] };
        makes.then(|| [cell(Column::Quantity, first), cell(Column::UnitPrice, last)])
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
        let (code, rest) = split_code(words);
        let texts = [(Column::Code, code), (Column::Description, rest)];
        for (column, words) in texts {
            if !words.is_empty() && !self.has(column) {
                self.cells.push(Cell { column, words });
            }
        }
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

    /// Puts a cell in the place of the one of its column.
    pub(super) fn set(&mut self, cell: Cell<'a>) {
        self.cells.retain(|other| other.column != cell.column);
        self.cells.push(cell);
    }

    /// Whether the total is the product of these, maybe less the discount: in percent, of the row, or of each.
    pub(super) fn makes_total(&self, quantity: i64, price: i64) -> bool {
        let Some(total) = self.value(Column::LineTotal) else { return false };
        let discount = self.value(Column::Discount).unwrap_or_default();
        is_product(quantity, price, total)
            || is_discounted_product(quantity, price, discount, total)
            || is_product(quantity, price, total + discount)
            || is_product(quantity, price - discount, total)
    }

    pub(super) fn is_proven(&self) -> bool {
        let (Some(quantity), Some(price)) = (self.cell(Column::Quantity), self.cell(Column::UnitPrice)) else { return false };
        // Nothing of anything proves nothing.
        let some = |quantity: &i64| *quantity != 0;
        quantity.readings().filter(some).any(|quantity| price.readings().any(|price| self.makes_total(quantity, price)))
    }

    /// `[KEG30-PA] Pale Ale`: a code in brackets before the description.
    pub(super) fn part_bracketed_code(&mut self) {
        if self.has(Column::Code) {
            return;
        }
        let Some(description) = self.cells.iter_mut().find(|cell| cell.column == Column::Description && cell.words.len() > 1) else {
            return;
        };
        let code = &description.words[0];
        let inner = code.text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        let Some(inner) = inner.filter(|inner| !inner.is_empty() && !inner.contains(char::is_lowercase)) else { return };
        let start = code.range.start + 1;
        let code = Word { text: inner, range: start..start + inner.len(), ..code.clone() };
        description.words.remove(0);
        self.cells.push(Cell { column: Column::Code, words: vec![code] });
    }

    /// Numbers that stand alone in lines behind the description, those of the days of a week say, are none of its words.
    pub(super) fn drop_numbers_behind(&mut self) {
        let Some(description) = self.cells.iter_mut().find(|cell| cell.column == Column::Description) else { return };
        let is_alone = |word: &Word| word.number().is_some() && word.whole.trim() == word.text;
        let numbers = description.words.iter().rev().take_while(|word| is_alone(word)).count();
        // One may be its own: `Abrechnungskreis 1`.
        if numbers > 1 && numbers < description.words.len() {
            description.words.truncate(description.words.len() - numbers);
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
        if factors.is_some_and(|(price, number)| self.makes_total(number.thousandths, price)) {
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
        const BEFORE_PRICE: [&str; 11] = ["à", "zu", "je", "a", "@", "(à", "(zu", "(je", "x", "×", "="];
        let Some(description) = self.cells.iter_mut().find(|cell| cell.column == Column::Description) else { return };
        while description.words.len() > 1 && description.words.last().is_some_and(|word| BEFORE_PRICE.contains(&word.text)) {
            description.words.pop();
        }
    }

    pub(super) fn item(&self, order: &ReadingOrder) -> Item {
        let probability = if self.is_proven() { self.probability.max(PROVEN_PROBABILITY) } else { self.probability };
        Item { cells: self.cells.iter().filter_map(|cell| Some((cell.column, cell.span(order, probability)?))).collect() }
    }
}

pub(super) fn is_caption_of_code(word: &Word) -> bool {
    CODE_CAPTION.is_match(word.text)
}
