//! Rows of goods: which rows hold an item, and which of their words are its code, description, quantity, price and total.
//!
//! Where captions announce columns, words go to the nearest one. Where they do not, as on most till receipts, the last amount of a
//! row is the total, and arithmetic (quantity x price) finds the rest, in the same row or in one beside it.

mod announced;
mod arithmetic;
mod captioned;
mod captions;
mod cells;
mod columns;
mod goods;
mod rate_codes;
mod uncaptioned;

use crate::pattern::pattern;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::beliefs::Beliefs;
use super::draft::{Column, Item, RateCode, VatRow};
use super::keywords::{Keyword, KeywordSet};
use super::labels::Tag;
use super::rows::ReadingOrder;
use captioned::Captioned;
use cells::{CENT, ONE, Word, plain_words, words};
use columns::Columns;
use goods::{Goods, drop_positions};
use uncaptioned::{Uncaptioned, bare_words};

/// Texts that begin within this of each other are aligned, in heights of a line.
const INDENT_MAX: f32 = 0.4;

/// What this share of the goods has is a column of their table, though no caption explains it.
const MOST: f32 = 0.6;

/// How far an item under captions is believed at least.
const CAPTIONED_PROBABILITY_MIN: f32 = 0.5;

/// Captions within a table that begin another one, at least.
const KNOWN_CAPTIONS_MIN: usize = 3;

/// Codes of goods hold at least this many digits.
const CODE_DIGITS_MIN: usize = 4;

/// An item of the next group stands at most this many rows below the last one of a group.
const GROUP_GAP_ROWS_MAX: usize = 8;

/// Sums carried to the next page, and from the one before.
static CARRIED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:übertrag|à reporter|report|(?:carr(?:y|ied)|brought) (?:over|forward)|over(?:ge)?(?:bracht|dracht)|transporteren|riporto|suma y sigue|suma anterior|suma de la p[aá]gina|report à nouveau|saldo a riporto|von seite|da pagina|van pagina|from page)\b",
    )
});

/// `VAT 23%`, alone in its line: a caption of sums.
static TAX_ALONE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^\W*(?:total )?(?:VAT|MwSt|USt|TVA|BTW|IVA|GST)\.?\W{0,3}(?:at |@ ?)?\d{1,2}(?:[.,]\d{1,2})?\s?%\W*$"));

/// Goods beyond this many rows are not read.
const ITEMS_MAX: usize = 1000;

/// The items in reading order, and the codes of VAT beside them that are explained, also by the rows of the VAT summary. Each item has a description
/// or a code, and a total, or a quantity where the document is not `priced`.
pub(super) fn items(order: &ReadingOrder, beliefs: &Beliefs, priced: bool, vat: &[VatRow]) -> (Vec<Item>, Vec<RateCode>) {
    let mut reader = Reader { order, beliefs, priced, captioned: None, items: Vec::new(), uncaptioned: Uncaptioned::default() };
    let mut row = 0;
    while row < order.rows.len() {
        row += reader.read(row);
    }
    reader.end_table();
    // A bare amount at the end is of the sums, and would hide where descriptions stand.
    let is_bare = |goods: &mut Goods| ![Column::Description, Column::Code, Column::Quantity].iter().any(|column| goods.has(*column));
    while reader.items.pop_if(is_bare).is_some() {}
    reader.describe_from_below();
    drop_sums(&mut reader.items);
    reader.items.iter_mut().for_each(Goods::trim_description);
    reader.items.iter_mut().for_each(Goods::drop_numbers_behind);
    reader.items.iter_mut().for_each(Goods::drop_batch);
    drop_positions(&mut reader.items.iter_mut().collect::<Vec<_>>());
    drop_sidebars(&mut reader.items);
    for goods in &mut reader.items {
        goods.part_bracketed_code();
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

/// Lines of a sidebar stand in the goods' rows, left of where their descriptions begin.
fn drop_sidebars(items: &mut [Goods]) {
    const APART_MIN: f32 = 2.0;
    let last_line = |goods: &Goods| {
        let words = &goods.cell(Column::Description)?.words;
        let last = words.iter().rev().find(|word| word.has_letters())?.line;
        words.iter().find(|word| word.line == last).map(|word| (word.quad.left(), word.quad.height()))
    };
    let begins: Vec<(f32, f32)> = items.iter().filter_map(last_line).collect();
    let alike = |left: f32, height: f32| begins.iter().filter(|(other, _)| (other - left).abs() <= INDENT_MAX * height).count();
    let Some((left, height)) = begins.iter().copied().max_by_key(|(left, height)| alike(*left, *height)) else { return };
    if alike(left, height) < 2 || 2 * alike(left, height) < items.len() {
        return;
    }
    // What stands left of most descriptions is of a column.
    let is_apart = |word: &Word| word.quad.right() <= left - APART_MIN * height;
    let with_more =
        items.iter().filter(|goods| goods.cell(Column::Description).is_some_and(|cell| cell.words.iter().any(is_apart))).count();
    if with_more as f32 >= MOST * items.len() as f32 {
        return;
    }
    for goods in items.iter_mut().filter(|goods| last_line(goods).is_some_and(|(own, _)| (own - left).abs() <= INDENT_MAX * height)) {
        let description = goods.cells.iter_mut().find(|cell| cell.column == Column::Description);
        let right =
            |line: usize, words: &[Word]| words.iter().filter(|word| word.line == line).map(|word| word.quad.right()).fold(0.0, f32::max);
        if let Some(cell) = description {
            let words = cell.words.clone();
            cell.words.retain(|word| right(word.line, &words) > left - APART_MIN * height);
        }
    }
}

/// Where one column of amounts is all there is, it holds totals if their sum is printed, and the sum of quantity x amount is not.
fn tell_totals_from_prices(order: &ReadingOrder, items: &mut [Goods]) {
    let factors =
        |goods: &Goods| Some((goods.value(Column::Quantity)?, goods.value(Column::UnitPrice)?)).filter(|_| !goods.has(Column::LineTotal));
    let count = items.len();
    let factors: Vec<(i64, i64)> = items.iter().filter_map(factors).collect();
    if factors.is_empty() || (factors.len() as f32) < MOST * count as f32 {
        return;
    }
    let as_totals: i64 = factors.iter().map(|(_, price)| price).sum();
    let as_prices: i64 =
        factors.iter().map(|(quantity, price)| (i128::from(*quantity) * i128::from(*price) / i128::from(ONE)) as i64).sum();
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
    uncaptioned: Uncaptioned<'a>,
}

impl<'a> Reader<'a, '_> {
    /// Reads the row of this index, or all rows of captions that begin with it; how many rows these are.
    fn read(&mut self, index: usize) -> usize {
        let row = self.order.rows[index].clone();
        // Within a table, captions of another one are known at least in part.
        let known_min = if self.captioned.is_some() { KNOWN_CAPTIONS_MIN } else { 0 };
        let proven = || self.priced.then(|| Columns::proven(self.order, index, known_min)).flatten().map(|columns| (columns, 1));
        if let Some((columns, rows)) = Columns::announced(self.order, index, self.priced).or_else(proven) {
            self.end_table();
            self.captioned = Some(Captioned::new(columns));
            return rows;
        }
        let (page, probability) = (self.order.lines[row.start].page, self.tag(row.clone(), Tag::Item));
        if let Some(mut table) = self.captioned.take() {
            let read = table.row(plain_words(self.order, row.clone()), page, probability.max(CAPTIONED_PROBABILITY_MIN));
            // A row whose arithmetic holds is one of goods, however near the sums it stands.
            let is_interim = self.is_interim_sum(row.clone(), &read);
            let goes_on = table.is_item(&read) || !self.ends_table(row) && !is_interim;
            if table.is_empty() && is_interim {
                // Carried from the page before.
                self.captioned = Some(table);
                return 1;
            }
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
            self.uncaptioned.forget();
        } else {
            let of_goods = (!self.is_summary(row)).then_some(probability);
            self.uncaptioned.read(&mut self.items, self.order, index, of_goods);
        }
        1
    }

    /// Where each row of numbers has a text above it and one below, the last row tells which of them describes it.
    fn describe_from_below(&mut self) {
        let order = self.order;
        let row_of = |goods: &Goods| Some(order.row_of[goods.cell(Column::LineTotal)?.words.first()?.line]);
        let rows: Vec<Option<usize>> = self.items.iter().map(row_of).collect();
        let alternate = |at: usize| {
            let above = self.items[at].above.first().map(|word| order.row_of[word.line]);
            rows[at - 1].zip(rows[at]).zip(above).is_some_and(|((before, row), above)| before + 1 == above && above + 1 == row)
        };
        let [first, ..] = self.items.as_slice() else { return };
        let is_lone = self.items.len() == 1 && (!first.above.is_empty() || first.has(Column::Description));
        let last = self.items.len() - 1;
        if is_lone || !(1..=last).all(alternate) {
            return;
        }
        let Some(below) = rows[last].map(|row| row + 1).filter(|row| *row < order.rows.len()) else { return };
        let words = bare_words(order, order.rows[below].clone());
        // Texts that describe goods begin below each other.
        let aligned = |a: &[Word], b: &[Word]| {
            a.first().zip(b.first()).is_some_and(|(a, b)| (a.quad.left() - b.quad.left()).abs() <= INDENT_MAX * a.quad.height())
        };
        let second = self.items.get(1).map(|second| second.above.as_slice());
        if second.is_some_and(|second| aligned(&first.above, second) || !aligned(&words, second)) {
            return;
        }
        let says_sums = KeywordSet::find(&order.text(order.rows[below].clone())).has_any(&[
            Keyword::Total,
            Keyword::Subtotal,
            Keyword::Quantity,
            Keyword::Items,
        ]);
        let is_text = words.iter().any(Word::has_letters) && !words.iter().any(|word| word.amount().is_some());
        if !is_text || says_sums || self.is_summary(order.rows[below].clone()) {
            return;
        }
        let texts: Vec<Vec<Word>> = self.items.iter().skip(1).map(|goods| goods.above.clone()).chain([words]).collect();
        self.items.iter_mut().zip(texts).for_each(|(goods, text)| goods.describe_anew(text));
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
        let (lines, text) = (row.clone(), self.order.text(row));
        let said = KeywordSet::find(&text);
        let is_tax = self.order.lines[lines].iter().any(|line| TAX_ALONE.is_match(&line.text));
        let sums = said.has_any(&[Keyword::Total, Keyword::Net, Keyword::Gross]) || is_tax;
        said.has(Keyword::Subtotal) || CARRIED.is_match(&text) || sums && read.is_bare_amount()
    }

    /// Whether an item beyond doubt follows a row that is none, before another table begins: goods stand in groups, each with its sum.
    fn goes_on_below(&self, table: &Captioned<'a>, index: usize) -> bool {
        let rows = self.order.rows.iter().enumerate().skip(index).take(GROUP_GAP_ROWS_MAX + 1);
        let same_table = rows.take_while(|(at, row)| {
            Columns::announced(self.order, *at, self.priced).is_none() && !Columns::announce_another_table(self.order, (*row).clone())
        });
        let item =
            |(_, row): (usize, &Range<usize>)| (table.row(plain_words(self.order, row.clone()), 0, 0.0), self.is_summary(row.clone()));
        same_table.skip(1).map(item).any(|(row, is_summary)| table.is_item(&row) || !is_summary && table.is_like_last(&row))
    }
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
