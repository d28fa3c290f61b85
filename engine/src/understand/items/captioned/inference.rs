//! What the arithmetic of a row says of its numbers: which are quantity, price and discount, and which one is its total.

use super::super::Goods;
use super::super::cells::{Cell, ONE, Word};
use super::Entry;
use crate::understand::draft::Column;

impl<'a> Entry<'a> {
    /// A percentage that no caption explains is a discount if the arithmetic says so.
    pub(super) fn infer_discount(&mut self) {
        let below = self.below.first().into_iter().flat_map(|row| &row.words);
        let percents = || self.words.iter().chain(below.clone()).filter(|word| word.text.ends_with('%'));
        let is_known = self.goods.has(Column::Discount) || percents().next().is_none();
        if is_known || self.goods.is_proven() || factors(&self.goods, &self.words).is_some() {
            return;
        }
        let with = |word: &Word<'a>| {
            let mut goods = self.goods.clone();
            goods.cells.retain(|cell| !cell.words.contains(word));
            goods.set(Cell { column: Column::Discount, words: vec![word.clone()] });
            (goods.is_proven() || factors(&goods, &self.words).is_some()).then_some(goods)
        };
        if let Some(goods) = percents().filter_map(with).next() {
            self.goods = goods;
        }
    }

    /// Numbers that no caption explains, or explains wrongly, are quantity and price if the arithmetic says so.
    pub(super) fn infer_factors(&mut self) {
        if self.goods.is_proven() {
            return;
        }
        if let Some(found) = factors(&self.goods, &self.words).or_else(|| self.factors_in_description()) {
            self.goods.take_factors(found);
        }
    }

    /// Numbers before or behind a description, in one line with it: `-3 Ginger & turmeric`, `STANDING CHARGE (DAYS) 28.00 1.1936`.
    fn factors_in_description(&self) -> Option<(Word<'a>, Word<'a>)> {
        let description = self.goods.cell(Column::Description)?;
        // `Teh Tarik (2.10)`
        let is_number = |word: &&Word| word.unbracketed().number().is_some();
        let first = description.words.iter().take(1).filter(is_number).count();
        let last = description.words.iter().rev().take(2).take_while(is_number).count();
        let middle = description.words.get(first..description.words.len().checked_sub(last)?)?;
        if first + last == 0 || !middle.iter().any(Word::has_letters) {
            return None;
        }
        let cells = self.goods.cells.iter().filter(|cell| cell.column != Column::Description).cloned();
        let cells = cells.chain([Cell { column: Column::Description, words: middle.to_vec() }]).collect();
        let words: Vec<Word> = self.words.iter().map(Word::unbracketed).collect();
        let (quantity, price) = factors(&Goods { cells, ..self.goods.clone() }, &words)?;
        // One piece at the price of the total proves nothing.
        (quantity.number().is_some_and(|number| number.millionths != ONE)).then_some((quantity, price))
    }

    /// Pieces are whole where prices have cents: of two numbers that are right in either order, in columns that nothing tells apart.
    pub(super) fn order_factors(&mut self) {
        let number = |column: Column| self.goods.cell(column).filter(|cell| cell.words.len() == 1).map(|cell| cell.words[0].clone());
        let (Some(quantity), Some(price)) = (number(Column::Quantity), number(Column::UnitPrice)) else { return };
        let has_cents = quantity.number().is_some_and(|number| number.decimals > 1) && !looks_counted(&quantity);
        if self.goods.is_proven() && has_cents && looks_counted(&price) {
            self.goods.set(Cell { column: Column::Quantity, words: vec![price] });
            self.goods.set(Cell { column: Column::UnitPrice, words: vec![quantity] });
        }
    }

    /// Where quantity x price is another amount of the row than the total, the total has the tax in it: the other one is the row's. Where quantity x what
    /// seemed to be the total is, that is the price.
    pub(super) fn infer_total(&mut self) {
        if self.goods.is_proven() {
            return;
        }
        let taken = |word: &Word| self.goods.cells.iter().any(|cell| cell.words.contains(word));
        let proves = |word: &&Word| {
            let total = Cell { column: Column::LineTotal, words: vec![(*word).clone()] };
            let mut goods = self.goods.clone();
            goods.set(total);
            goods.is_proven()
        };
        let total = self.words.iter().filter(|word| word.amount().is_some() && !taken(word)).find(proves).cloned();
        if let Some(total) = total {
            self.goods.set(Cell { column: Column::LineTotal, words: vec![total] });
            return;
        }
        let Some(price) = self.goods.cell(Column::LineTotal).cloned() else { return };
        let of_price = |word: &Word| self.goods.cell(Column::UnitPrice).is_some_and(|cell| cell.words.contains(word));
        let with_price = |word: &Word<'a>| -> Option<Goods<'a>> {
            let mut goods = self.goods.clone();
            goods.set(Cell { column: Column::UnitPrice, words: price.words.clone() });
            goods.set(Cell { column: Column::LineTotal, words: vec![word.clone()] });
            goods.is_proven().then_some(goods)
        };
        let amounts =
            self.words.iter().filter(|word| word.amount().is_some() && !price.words.contains(word) && (!taken(word) || of_price(word)));
        if let Some(goods) = amounts.filter_map(with_price).next() {
            self.goods = goods;
        }
    }
}

/// Two numbers of a row, in no column of texts or totals, whose product the total is, maybe less its discount. Factors that are known stay: both, if
/// that can be, else one.
pub(super) fn factors<'a>(goods: &Goods<'a>, words: &[Word<'a>]) -> Option<(Word<'a>, Word<'a>)> {
    goods.value(Column::LineTotal).filter(|total| *total != 0)?;
    let is_taken = |cell: &Cell| matches!(cell.column, Column::Code | Column::Description | Column::LineTotal | Column::VatRate);
    let is_free = |word: &&Word| word.number().is_some() && !goods.cells.iter().any(|cell| is_taken(cell) && cell.words.contains(word));
    let free: Vec<&Word> = words.iter().filter(is_free).collect();
    let agrees = |column: Column, value: i64| goods.value(column).is_none_or(|known| known == value);
    let proven = |known_min: usize| {
        let pairs = free.iter().flat_map(|quantity| free.iter().map(move |price| (*quantity, *price)));
        let is_proven = |(quantity, price): &(&Word, &Word)| {
            let known = |value, price| usize::from(agrees(Column::Quantity, value)) + usize::from(agrees(Column::UnitPrice, price));
            let makes = |value: i64, price: i64| goods.makes_total(value, price) && known(value, price) >= known_min;
            quantity != price && price.millionths().any(|price| quantity.millionths().any(|value| makes(value, price)))
        };
        let mut pairs: Vec<_> = pairs.filter(is_proven).collect();
        // Pieces are whole, prices have cents.
        pairs.sort_by_key(|(quantity, price)| !looks_counted(quantity) || looks_counted(price));
        pairs.into_iter().next()
    };
    proven(2).or_else(|| proven(1)).map(|(quantity, price)| (quantity.clone(), price.clone()))
}

/// A number that is no amount: without decimals, or with noughts that are no cents: `14`, `14,0`, `3,000`.
fn looks_counted(word: &Word) -> bool {
    let decimals = word.text.rsplit_once([',', '.']).map(|(_, decimals)| decimals);
    word.number().is_some() && decimals.is_none_or(|decimals| decimals.len() != 2 && decimals.bytes().all(|digit| digit == b'0'))
}
