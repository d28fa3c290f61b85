//! Goods without captions, as on most till receipts: the last amount of a row is the total, and arithmetic (quantity x price) finds the rest, in the
//! same row or in one beside it.

use std::ops::Range;

use super::cells::{Cell, ONE, Word, is_discounted_product, is_product, words};
use super::goods::Goods;
use super::{CAPTIONED_PROBABILITY_MIN, CODE_DIGITS_MIN, captions, split_code};
use crate::understand::draft::Column;
use crate::understand::rows::ReadingOrder;

/// A row is one of goods where a line of it is so with this probability.
const ITEM_PROBABILITY_MIN: f32 = 0.5;

/// A quantity without a caption is a whole number below this, in millionths.
const BARE_QUANTITY_MAX: i64 = 1000 * ONE;

/// The rows right above the one that is read.
#[derive(Default)]
pub(super) struct Uncaptioned<'a> {
    /// A text without amounts, that may describe what follows.
    text: Option<Text<'a>>,
    /// A code that stands alone.
    code: Option<Word<'a>>,
    /// `3 x 2.50`, of no item above it.
    factors: Vec<Cell<'a>>,
}

struct Text<'a> {
    words: Vec<Word<'a>>,
    /// The network takes it for one of goods; else only what proves itself is described by it.
    of_goods: bool,
}

impl<'a> Uncaptioned<'a> {
    /// What follows has nothing to do with the rows before.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Reads the row of this index, of goods with this probability; `None`: it is one of sums, unless its arithmetic says otherwise.
    pub fn read(&mut self, items: &mut Vec<Goods<'a>>, order: &ReadingOrder<'a>, index: usize, probability: Option<f32>) {
        let row = order.rows[index].clone();
        let (page, words) = (order.lines[row.start].page, bare_words(order, row));
        // A line drawn with signs.
        if words.is_empty() {
            return self.forget();
        }
        let is_sum = probability.is_none();
        let probability = probability.unwrap_or_default();
        let is_proven = is_proven_alone(&words, probability);
        let of_goods = probability >= ITEM_PROBABILITY_MIN;
        if is_sum && !is_proven {
            self.forget();
        } else if of_goods || is_proven {
            let probability = if is_proven { probability.max(CAPTIONED_PROBABILITY_MIN) } else { probability };
            self.read_goods(items, words, page, probability);
        } else {
            self.keep(words, of_goods);
        }
    }

    fn read_goods(&mut self, items: &mut Vec<Goods<'a>>, mut words: Vec<Word<'a>>, page: usize, probability: f32) {
        // The day of a delivery.
        if words.first().is_some_and(Word::is_date) && goods(&words[1..], page, probability).is_proven() {
            words.remove(0);
        }
        let mut goods = goods(&words, page, probability);
        goods.undescribe();
        if let Some(last) = items.last_mut()
            && let Some(factors) = last.factors_below(&words)
        {
            last.cells.extend(factors);
        } else if let Some(last) = items.last_mut()
            && let Some(found) = last.total_below(&words)
        {
            last.reassign(found);
        } else if goods.restates(items.last()) {
            if let Some(last) = items.last_mut() {
                last.take(goods);
            }
        } else if goods.has(Column::LineTotal) && !words.iter().any(Word::is_date) {
            self.describe(&mut goods);
            items.push(goods);
        } else {
            self.factors = factors_alone(&words);
            self.keep(words, true);
        }
    }

    /// Completes an item by what stands above it.
    fn describe(&mut self, goods: &mut Goods<'a>) {
        let factors = std::mem::take(&mut self.factors);
        if !goods.is_proven() && !factors.is_empty() {
            goods.take_factors_above(factors);
        }
        let is_proven = goods.is_proven();
        let above = self.text.take().filter(|text| is_proven || text.of_goods).map(|text| text.words);
        // `Quant. 6,000 Prix unit. HT 4,210 TVA 21 % | 25,26`: captions and numbers describe nothing.
        if is_proven && above.is_some() && goods.cell(Column::Description).is_some_and(says_nothing) {
            goods.cells.retain(|cell| cell.column != Column::Description);
        }
        if !goods.has(Column::Description) {
            goods.describe(above);
        }
        self.code = None;
    }

    /// Keeps a row that may describe the next one, with a code that stands above it.
    fn keep(&mut self, words: Vec<Word<'a>>, of_goods: bool) {
        let is_code = matches!(words.as_slice(), [word] if is_code_alone(word));
        let code = self.code.take();
        if is_code {
            self.code = words.into_iter().next();
            self.text = None;
        } else if words.iter().any(Word::has_letters) && (of_goods || !words.iter().any(|word| word.amount().is_some())) {
            self.text = Some(Text { words: code.into_iter().chain(words).collect(), of_goods });
        } else if !of_goods {
            self.text = None;
        }
    }
}

fn goods<'a>(words: &[Word<'a>], page: usize, probability: f32) -> Goods<'a> {
    Goods { cells: uncaptioned(words.to_vec()), probability, page, captioned: false, above: Vec::new() }
}

/// Whether a word that has a row for itself is a code: `53882039`, `A9212`.
pub(super) fn is_code_alone(word: &Word) -> bool {
    let digits = word.text.bytes().filter(u8::is_ascii_digit).count();
    digits >= CODE_DIGITS_MIN && 2 * digits > word.text.len() && !word.text.contains(['.', ',', '/', ':']) && !word.is_date()
}

/// A quantity and a price that have a row for themselves.
pub(super) fn factors_alone<'a>(words: &[Word<'a>]) -> Vec<Cell<'a>> {
    let numbers: Vec<&Word> = words.iter().filter(|word| word.number().is_some()).collect();
    let is_sign = |word: &Word| matches!(word.text, "x" | "X" | "×" | "*" | "@");
    let others_are_units = words.iter().all(|word| word.number().is_some() || word.is_measure() || is_sign(word));
    match numbers.as_slice() {
        [quantity, price] if others_are_units && price.amount().is_some() => {
            let cell = |column: Column, word: &Word<'a>| Cell { column, words: vec![word.clone()] };
            vec![cell(Column::Quantity, quantity), cell(Column::UnitPrice, price)]
        }
        _ => Vec::new(),
    }
}

/// The words of a row without bullets; what stands between two words of a name is none.
pub(super) fn bare_words<'a>(order: &ReadingOrder<'a>, row: Range<usize>) -> Vec<Word<'a>> {
    let mut words = words(order, row);
    let has_letters: Vec<bool> = words.iter().map(Word::has_letters).collect();
    let mut at = 0;
    words.retain(|word| {
        let between = at > 0 && has_letters[at - 1] && has_letters.get(at + 1) == Some(&true) && matches!(word.text, "&" | "/" | "+");
        at += 1;
        word.text.contains(|c: char| c.is_alphanumeric() || c == '*') || between
    });
    words
}

/// Whether a row without captions is an item whatever the network thinks of it: its total is a quantity times a price. One piece proves little, and an
/// amount times a rate is a tax.
fn is_proven_alone(words: &[Word], probability: f32) -> bool {
    const PROBABILITY_OF_ONE_MIN: f32 = 0.2;
    let goods = goods(words, 0, probability);
    let quantity = goods.value(Column::Quantity);
    let of_percent = words.iter().any(|word| word.text.ends_with('%')) && !goods.has(Column::Discount) && !goods.has(Column::VatRate);
    goods.is_proven() && is_counted(&goods, words) && !of_percent && (quantity != Some(ONE) || probability >= PROBABILITY_OF_ONE_MIN)
}

/// Whether a quantity is no amount of money: it has no cents, or a unit or a sign stands behind it.
fn is_counted(goods: &Goods, words: &[Word]) -> bool {
    let Some(quantity) = goods.cell(Column::Quantity).and_then(|cell| cell.words.first()) else { return false };
    let next = words.iter().skip_while(|word| *word != quantity).nth(1);
    let behind = quantity.whole[quantity.range.end..].trim_start();
    quantity.amount().is_none() || next.is_some_and(Word::is_measure) || behind.starts_with(['x', 'X', '×', '@', '*', 'à'])
}

/// Whether a text is made of captions, measures and numbers: `Quant. 6,000 Prix unit. HT 4,210 TVA 21 %`.
fn says_nothing(cell: &Cell) -> bool {
    const LETTERS_MAX: usize = 5;
    let is_said = |word: &Word| word.number().is_some() || word.text.ends_with('%') || word.is_measure();
    let captions = cell.words.iter().filter(|word| captions::is_caption(word)).count();
    let others = cell.words.iter().filter(|word| !is_said(word) && !captions::is_caption(word));
    let are_short = others.clone().all(|word| word.text.chars().filter(|c| c.is_alphabetic()).count() <= LETTERS_MAX);
    are_short && 2 * others.count() <= captions
}

/// Cells of a row without captions: the last amount is the total; two numbers whose product it is are quantity and price; a long
/// number in front is a code; words are the description. Without a total, two numbers are quantity and price.
fn uncaptioned(words: Vec<Word>) -> Vec<Cell> {
    let total = words.iter().rposition(|word| word.amount().is_some());
    let discount = discounted(&words, total);
    let factors = discount.map(|(quantity, price, _)| (quantity, price)).or_else(|| factors(&words, total));
    let discount = discount.map(|(.., percent)| percent);
    let unit = factors.and_then(|(quantity, _)| unit_behind(&words, quantity));
    let total = total.filter(|_| !matches!(factors, Some((_, price)) if Some(price) == total));
    let mut cells: Vec<Cell> = Vec::new();
    let mut text = Vec::new();
    for (i, word) in words.into_iter().enumerate() {
        let column = match factors {
            Some((quantity, _)) if i == quantity => Column::Quantity,
            Some((_, price)) if i == price => Column::UnitPrice,
            Some((quantity, _)) if i == quantity + 1 && (word.is_measure() || unit == Some(i)) => Column::Unit,
            _ if Some(i) == total => Column::LineTotal,
            // `5 PC @ 14.45 Disc 5% | 68.64`.
            _ if Some(i) == discount => Column::Discount,
            // `13.91 20% 13.91`.
            _ if Some(i + 1) == total && word.text.ends_with('%') && factors.is_some() => Column::VatRate,
            _ => {
                // What follows the total is a tax code or a mark; what stands before a discount, its caption.
                let is_caption = Some(i + 1) == discount && captions::is_caption(&word);
                if !is_caption && total.is_none_or(|total| i < total) {
                    text.push(word);
                }
                continue;
            }
        };
        cells.push(Cell { column, words: vec![word] });
    }
    let (code, mut description) = split_code(text);
    let counts = |words: &[Word]| match words {
        // `2.00 btl Dry gin`.
        [number, measure, _, ..] if measure.is_measure() && number.number().is_some() => 2,
        [number, _, ..] if is_bare_quantity(number) => 1,
        _ => 0,
    };
    if factors.is_none() {
        let counted = description.drain(..counts(&description)).collect::<Vec<_>>();
        let columns = [Column::Quantity, Column::Unit].into_iter();
        cells.extend(columns.zip(counted).map(|(column, word)| Cell { column, words: vec![word] }));
    }
    let texts = [(Column::Code, code), (Column::Description, description)];
    let worded =
        texts.into_iter().filter(|(column, words)| *column == Column::Code && !words.is_empty() || words.iter().any(Word::has_letters));
    cells.extend(worded.map(|(column, words)| Cell { column, words }));
    cells
}

/// The words that are quantity and price: those whose product the total is; without another amount, a whole number before an amount.
fn factors(words: &[Word], total: Option<usize>) -> Option<(usize, usize)> {
    let total_index = total?;
    let total = words[total_index].number()?.millionths;
    let numbers: Vec<(usize, i64)> = (0..total_index).flat_map(|i| words[i].millionths().map(move |value| (i, value))).collect();
    for (i, first) in &numbers {
        for (j, second) in numbers.iter().filter(|(j, _)| j > i) {
            if i != j && is_product(*first, *second, total) {
                let price_first = words[*i].amount().is_some() && words[*j].is_digits();
                return Some(if price_first { (*j, *i) } else { (*i, *j) });
            }
        }
    }
    // A row of two numbers and no words is quantity and price of the item before.
    let lone = words.iter().filter(|word| word.has_letters()).count() == 0 && numbers.len() == 1;
    (lone && is_bare_quantity(&words[numbers[0].0])).then(|| (numbers[0].0, total_index))
}

/// A short word that ends the line of a quantity, where another line describes the goods: `2,00 fût | Blonde 30 L`.
fn unit_behind(words: &[Word], quantity: usize) -> Option<usize> {
    const LETTERS_MAX: usize = 6;
    let (number, unit) = (words.get(quantity)?, words.get(quantity + 1)?);
    let is_next = |next: &Word| next.line != unit.line || next.number().is_some();
    let ends_line = unit.line == number.line && words.get(quantity + 2).is_none_or(is_next);
    let is_short = unit.text.chars().count() <= LETTERS_MAX && unit.number().is_none();
    let described = words.iter().any(|word| word.line != unit.line && word.has_letters());
    (ends_line && is_short && described).then_some(quantity + 1)
}

/// The words that are quantity, price and a discount in percent that make the total.
fn discounted(words: &[Word], total: Option<usize>) -> Option<(usize, usize, usize)> {
    let total_index = total?;
    let total = words[total_index].number()?.millionths;
    let percent = words[..total_index].iter().position(|word| word.text.ends_with('%'))?;
    let off = words[percent].percentage()?.millionths.abs();
    let numbers: Vec<(usize, i64)> = (0..total_index).filter_map(|i| Some((i, words[i].number()?.millionths))).collect();
    let pairs =
        numbers.iter().flat_map(|first| numbers.iter().map(move |second| (first, second))).filter(|(first, second)| first.0 < second.0);
    let makes = |(quantity, price): &(&(usize, i64), &(usize, i64))| off != 0 && is_discounted_product(quantity.1, price.1, off, total);
    pairs.into_iter().find(makes).map(|(quantity, price)| (quantity.0, price.0, percent))
}

fn is_bare_quantity(word: &Word) -> bool {
    word.number().is_some_and(|number| number.decimals == 0 && (1..BARE_QUANTITY_MAX).contains(&number.millionths))
}
