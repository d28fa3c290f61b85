//! Rows of goods: which rows hold an item, and which of their words are its code, description, quantity, price and total.
//!
//! Where captions announce columns, words go to the nearest one. Where they do not, as on most till receipts, the last amount of a
//! row is the total, and arithmetic (quantity x price) finds the rest, in the same row or in one beside it.

mod announced;
mod captioned;
mod captions;
mod cells;
mod columns;
mod goods;
mod rate_codes;

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::beliefs::Beliefs;
use super::draft::{Column, Item, RateCode, VatRow};
use super::keywords::{Keyword, KeywordSet};
use super::labels::Tag;
use super::rows::ReadingOrder;
use captioned::Captioned;
use cells::{Cell, Word, is_product, plain_words, words};
use columns::Columns;
use goods::{Goods, is_caption_of_code};

/// A row is one of goods where a line of it is so with this probability.
const ITEM_PROBABILITY_MIN: f32 = 0.5;

/// What this share of the goods has is a column of their table, though no caption explains it.
const MOST: f32 = 0.6;

/// How far an item under captions is believed at least.
const CAPTIONED_PROBABILITY_MIN: f32 = 0.5;

/// Codes of goods hold at least this many digits.
const CODE_DIGITS_MIN: usize = 4;

/// A quantity without a caption is a whole number below this, in thousandths.
const BARE_QUANTITY_MAX: i64 = 1000 * 1000;

/// An item of the next group stands at most this many rows below the last one of a group.
const GROUP_GAP_ROWS_MAX: usize = 8;

/// Sums carried to the next page, and from the one before.
static CARRIED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:übertrag|à reporter|report|(?:carr(?:y|ied)|brought) (?:over|forward)|over(?:ge)?(?:bracht|dracht)|transporteren|riporto|suma y sigue)\b").expect("the pattern is a constant that a test compiles")
});

/// Goods beyond this many rows are not read.
const ITEMS_MAX: usize = 1000;

/// The items in reading order, and the codes of VAT beside them that are explained, also by the rows of the VAT summary. Each item has a description
/// or a code, and a total, or a quantity where the document is not `priced`.
pub(super) fn items(order: &ReadingOrder, beliefs: &Beliefs, priced: bool, vat: &[VatRow]) -> (Vec<Item>, Vec<RateCode>) {
    let mut reader = Reader { order, beliefs, priced, captioned: None, items: Vec::new(), waiting: None };
    let mut row = 0;
    while row < order.rows.len() {
        row += reader.read(row);
    }
    reader.end_table();
    drop_sums(&mut reader.items);
    for goods in &mut reader.items {
        goods.part_bracketed_code();
        goods.trim_description();
    }
    tell_totals_from_prices(order, &mut reader.items);
    let codes = rate_codes::resolve(order, &mut reader.items, vat);
    let last_page = reader.items.iter().filter(|goods| goods.captioned).map(|goods| goods.page).max();
    let items = reader
        .items
        .iter()
        .filter(|goods| goods.has(Column::Description) || goods.has(Column::Code))
        // Beside a table with captions, what else looks like goods is sums, terms or opening hours, unless it goes on over the page.
        .filter(|goods| goods.captioned || last_page.is_none_or(|page| goods.page > page && goods.is_proven()))
        .take(ITEMS_MAX)
        .map(|row| row.item(order))
        .collect();
    (items, codes)
}

/// A row without a price whose amount is the sum of all goods before it is no goods: `CASES/UNITS 32 | 486.63`.
fn drop_sums(items: &mut Vec<Goods>) {
    let mut before: Vec<i64> = Vec::new();
    items.retain(|goods| {
        let is_sum = goods.is_sum_of(&before);
        if !is_sum {
            before.push(goods.value(Column::LineTotal).unwrap_or_default());
        }
        !is_sum
    });
}

/// Where one column of amounts is all there is, it holds totals if their sum is printed, and the sum of quantity x amount is not.
fn tell_totals_from_prices(order: &ReadingOrder, items: &mut [Goods]) {
    const CENT: i64 = 10;
    let factors =
        |goods: &Goods| Some((goods.value(Column::Quantity)?, goods.value(Column::UnitPrice)?)).filter(|_| !goods.has(Column::LineTotal));
    let count = items.len();
    let factors: Vec<(i64, i64)> = items.iter().filter_map(factors).collect();
    if factors.is_empty() || (factors.len() as f32) < MOST * count as f32 {
        return;
    }
    let as_totals: i64 = factors.iter().map(|(_, price)| price).sum();
    let as_prices: i64 = factors.iter().map(|(quantity, price)| quantity.saturating_mul(*price) / 1000).sum();
    let of_goods = |line: usize| items.iter().flat_map(|goods| &goods.cells).flat_map(|cell| &cell.words).any(|word| word.line == line);
    let others = (0..order.lines.len()).filter(|line| !of_goods(*line)).flat_map(|line| plain_words(order, line..line + 1));
    let amounts: Vec<i64> = others.filter_map(|word| word.amount()).collect();
    let is_printed = |sum: i64| amounts.iter().any(|amount| (amount - sum).abs() <= CENT);
    if as_totals != as_prices && is_printed(as_totals) && !is_printed(as_prices) {
        let items = items.iter_mut().filter(|goods| !goods.has(Column::LineTotal) && goods.has(Column::Quantity));
        let prices = items.flat_map(|goods| &mut goods.cells).filter(|cell| cell.column == Column::UnitPrice);
        prices.for_each(|cell| cell.column = Column::LineTotal);
    }
}

/// The reading of a document, row by row.
struct Reader<'a, 'b> {
    order: &'b ReadingOrder<'a>,
    beliefs: &'b Beliefs,
    /// Whether the document prints prices.
    priced: bool,
    /// The table whose captions were read last.
    captioned: Option<Captioned<'a>>,
    items: Vec<Goods<'a>>,
    /// Without captions: the words of the row before, if it may describe the item that follows.
    waiting: Option<Vec<Word<'a>>>,
}

impl<'a> Reader<'a, '_> {
    /// Reads the row of this index, or all rows of captions that begin with it; how many rows these are.
    fn read(&mut self, index: usize) -> usize {
        let row = self.order.rows[index].clone();
        if let Some((columns, rows)) = Columns::announced(self.order, index, self.priced) {
            self.end_table();
            self.captioned = Some(Captioned::new(columns));
            return rows;
        }
        let (page, probability) = (self.order.lines[row.start].page, self.tag(row.clone(), Tag::Item));
        if let Some(mut table) = self.captioned.take() {
            let read = table.row(plain_words(self.order, row.clone()), page, probability.max(CAPTIONED_PROBABILITY_MIN));
            // A row whose arithmetic holds is one of goods, however near the sums it stands.
            let goes_on = table.is_item(&read) || !self.ends_table(row.clone()) && !self.is_interim_sum(row, &read);
            if table.completes(&read) || !table.is_over_before(&read) && goes_on {
                table.read(read);
                self.captioned = Some(table);
                return 1;
            }
            if self.goes_on_below(&table, index) {
                self.captioned = Some(table);
                return 1;
            }
            self.items.extend(table.finish());
        } else if !self.is_summary(row.clone()) && probability >= ITEM_PROBABILITY_MIN {
            self.read_uncaptioned(words(self.order, row), page, probability);
            return 1;
        }
        self.waiting = None;
        1
    }

    fn end_table(&mut self) {
        self.items.extend(self.captioned.take().into_iter().flat_map(Captioned::finish));
    }

    fn tag(&self, row: Range<usize>, tag: Tag) -> f32 {
        self.beliefs.tags[row].iter().map(|tags| tags[tag as usize]).fold(0.0, f32::max)
    }

    fn ends_table(&self, row: Range<usize>) -> bool {
        self.is_summary(row.clone()) || Columns::announce_another_table(self.order, row)
    }

    fn is_summary(&self, row: Range<usize>) -> bool {
        let (summary, item) = (self.tag(row.clone(), Tag::Summary), self.tag(row.clone(), Tag::Item));
        let text = self.order.text(row.clone());
        let sums = KeywordSet::find(&text).has_any(&[Keyword::Subtotal, Keyword::Total, Keyword::Cash, Keyword::Change]);
        // Between priced goods, a row without an amount says more of one of them.
        let may_be = !self.priced || self.captioned.is_none() || words(self.order, row).iter().any(|word| word.amount().is_some());
        summary > item && (summary > 0.5 && may_be || sums)
    }

    /// A sum of the goods so far: of a group, or carried to the next page.
    fn is_interim_sum(&self, row: Range<usize>, read: &captioned::Row) -> bool {
        let text = self.order.text(row);
        let said = KeywordSet::find(&text);
        let sums = said.has_any(&[Keyword::Total, Keyword::Net, Keyword::Gross]);
        said.has(Keyword::Subtotal) || CARRIED.is_match(&text) || sums && read.is_bare_amount()
    }

    /// Whether an item beyond doubt follows a row that is none: goods stand in groups, each with its sum.
    fn goes_on_below(&self, table: &Captioned<'a>, index: usize) -> bool {
        let below = self.order.rows.iter().enumerate().skip(index + 1).take(GROUP_GAP_ROWS_MAX);
        let same_table = below.take_while(|(at, _)| Columns::announced(self.order, *at, self.priced).is_none());
        let item = |(_, row): (usize, &Range<usize>)| table.row(plain_words(self.order, row.clone()), 0, 0.0);
        same_table.map(item).any(|row| table.is_item(&row))
    }

    fn read_uncaptioned(&mut self, mut words: Vec<Word<'a>>, page: usize, probability: f32) {
        // Bullets.
        words.retain(|word| word.text.contains(char::is_alphanumeric) || word.text.contains('*'));
        let mut goods = Goods { cells: uncaptioned(words.clone()), probability, page, captioned: false };
        if let Some(last) = self.items.last_mut()
            && let Some(factors) = last.factors_below(&words)
        {
            last.cells.extend(factors);
        } else if goods.restates(self.items.last()) {
            if let Some(last) = self.items.last_mut() {
                last.take(goods);
            }
        } else if goods.has(Column::LineTotal) && !words.iter().any(Word::is_date) {
            let above = self.waiting.take();
            // `Quant. 6,000 Prix unit. HT 4,210 TVA 21 % | 25,26`: captions and numbers describe nothing.
            let is_said =
                |word: &Word| word.number().is_some() || word.text.ends_with('%') || word.is_measure() || captions::is_caption(word);
            let says_nothing = goods.is_proven() && goods.cell(Column::Description).is_some_and(|cell| cell.words.iter().all(is_said));
            if says_nothing && above.is_some() {
                goods.cells.retain(|cell| cell.column != Column::Description);
            }
            if !goods.has(Column::Description) {
                goods.describe(above);
            }
            self.items.push(goods);
        } else if words.iter().any(Word::has_letters) {
            self.waiting = Some(words);
        }
    }
}

/// Cells of a row without captions: the last amount is the total; two numbers whose product it is are quantity and price; a long
/// number in front is a code; words are the description. Without a total, two numbers are quantity and price.
fn uncaptioned(words: Vec<Word>) -> Vec<Cell> {
    let total = words.iter().rposition(|word| word.amount().is_some());
    let factors = factors(&words, total);
    let total = total.filter(|_| !matches!(factors, Some((_, price)) if Some(price) == total));
    let mut cells: Vec<Cell> = Vec::new();
    let mut text = Vec::new();
    for (i, word) in words.into_iter().enumerate() {
        let column = match factors {
            Some((quantity, _)) if i == quantity => Column::Quantity,
            Some((_, price)) if i == price => Column::UnitPrice,
            Some((quantity, _)) if i == quantity + 1 && word.is_measure() => Column::Unit,
            _ if Some(i) == total => Column::LineTotal,
            _ => {
                // What follows the total is a tax code or a mark.
                if total.is_none_or(|total| i < total) {
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
    let total = words[total_index].number()?.thousandths;
    let numbers: Vec<(usize, i64)> = (0..total_index).flat_map(|i| words[i].thousandths().map(move |value| (i, value))).collect();
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

fn is_bare_quantity(word: &Word) -> bool {
    word.number().is_some_and(|number| number.decimals == 0 && (1..BARE_QUANTITY_MAX).contains(&number.thousandths))
}

/// A code in front of other words, or alone.
fn split_code(mut words: Vec<Word>) -> (Vec<Word>, Vec<Word>) {
    let digits = |word: &Word| word.text.bytes().filter(u8::is_ascii_digit).count();
    let is_code = words.first().is_some_and(|word| digits(word) >= CODE_DIGITS_MIN && 2 * digits(word) > word.text.len());
    let rest = words.split_off(usize::from(is_code));
    (words, rest)
}

#[cfg(test)]
mod tests;
