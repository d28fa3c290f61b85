//! Which column each caption of a table names: what one does not say, those beside it and the rows below do.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::CODE_DIGITS_MIN;
use super::super::arithmetic::{self, Factors, Numbers};
use super::super::captions::{Caption, is_price, meets_only};
use super::super::cells::{CENT, Number, Word, plain_words};
use super::{Announced, ROWS_LOOKED_AT, rows_below};
use crate::geometry::Quad;
use crate::understand::draft::Column;
use crate::understand::keywords::{Keyword, KeywordSet};
use crate::understand::rows::ReadingOrder;
use crate::understand::vat;

impl Announced {
    /// The columns, from left to right as [`Self::prove`] has put the captions.
    pub(in crate::understand::items) fn columns(mut self, order: &ReadingOrder, below: usize) -> Vec<Caption> {
        self.name_goods_before_prices();
        self.drop_positions(order, below);
        self.name_the_codes(order, below);
        self.name_goods_beside_items(order, below);
        self.name_codes_by_numbers(order, below);
        self.name_the_quantity(order, below);
        self.name_the_rates(order, below);
        if !self.has(Column::LineTotal) {
            self.name_the_total_with_tax();
        }
        if !self.has(Column::LineTotal) {
            self.name_the_total();
        }
        if !self.has(Column::UnitPrice) {
            self.name_the_price(|keywords, column| column == Column::VatRate && !keywords.has(Keyword::Tax), 1);
        }
        if !self.has(Column::Description) {
            self.name_the_goods(order, below);
        }
        if !self.has(Column::Description) {
            self.add_the_goods(order, below);
        }
        if !self.has(Column::UnitPrice) {
            self.name_the_price(|_, column| column == Column::LineTotal, 2);
        }
        self.captions.into_iter().map(|(_, caption)| caption).collect()
    }

    /// Puts the captions from left to right, and names quantity, price and total as the rows below prove them, where the captions say otherwise or
    /// nothing; whether they do prove them.
    pub(in crate::understand::items) fn prove(&mut self, order: &ReadingOrder, below: usize) -> bool {
        self.captions.sort_by(|(_, a), (_, b)| a.left.total_cmp(&b.left));
        let rows = self.numbers_below(order, below);
        let Some((found, count)) = arithmetic::proven(&rows, self.captions.len()) else { return false };
        let place = |column: Column| self.places(|(_, caption)| caption.column == Some(column)).first().copied();
        let named = (place(Column::Quantity), place(Column::UnitPrice), place(Column::LineTotal));
        if let (Some(quantity), Some(price), Some(total)) = named
            && arithmetic::proving(&rows, quantity, price, total) == count
        {
            return true;
        }
        let Factors { mut quantity, mut price, total } = found;
        let is_announced = |at: usize, column: Column| self.captions[at].1.column == Some(column);
        if is_announced(quantity, Column::UnitPrice) || is_announced(price, Column::Quantity) {
            std::mem::swap(&mut quantity, &mut price);
        }
        for (at, column) in [(quantity, Column::Quantity), (price, Column::UnitPrice), (total, Column::LineTotal)] {
            for other in self.places(|(_, caption)| caption.column == Some(column)) {
                (self.captions[other].1.column, self.captions[other].1.known) = (None, false);
            }
            (self.captions[at].1.column, self.captions[at].1.known) = (Some(column), true);
        }
        true
    }

    /// The numbers of the rows below, each by the caption that it stands nearest to.
    fn numbers_below<'a>(&self, order: &ReadingOrder<'a>, below: usize) -> Vec<Numbers<'a>> {
        let captions: Vec<&Caption> = self.captions.iter().map(|(_, caption)| caption).collect();
        let of_row = |row: Range<usize>| {
            let mut numbers: Vec<Vec<Word>> = vec![Vec::new(); captions.len()];
            for word in plain_words(order, row).into_iter().filter(|word| word.percentage().is_some()) {
                let nearest =
                    captions.iter().enumerate().min_by(|(_, a), (_, b)| a.distance(&word.quad).total_cmp(&b.distance(&word.quad)));
                nearest.into_iter().for_each(|(at, _)| numbers[at].push(word.clone()));
            }
            numbers.into_iter().map(|mut words| if words.len() == 1 { words.pop() } else { None }).collect()
        };
        rows_below(order, below).map(of_row).collect()
    }

    /// "T/C": where no caption is one of rates, that is below which nothing but percentages stand.
    fn name_the_rates(&mut self, order: &ReadingOrder, below: usize) {
        if self.has(Column::VatRate) {
            return;
        }
        let unused = self.places(|(keywords, caption)| caption.column.is_none() && (keywords.has(Keyword::Tax) || !caption.known));
        let totals = self.places(|(_, caption)| caption.column == Some(Column::LineTotal)).last().copied();
        let are_rates = |at: &usize| {
            let texts: Vec<&str> = self.lines_below(order, below, *at).collect();
            let signed =
                !texts.is_empty() && texts.iter().all(|text| text.ends_with('%') && text.starts_with(|c: char| c.is_ascii_digit()));
            // `%` behind the totals: rates without their sign.
            let hundredths = |text: &&str| Number::read(text).map(|number| number.millionths / CENT);
            let bare = || {
                let values: Vec<i64> = texts.iter().map_while(hundredths).collect();
                values.len() >= TELLING_LINES_MIN && values.len() == texts.len() && values.iter().all(|value| vat::is_common(*value))
            };
            signed || totals.is_some_and(|totals| *at > totals) && bare()
        };
        if let Some(rates) = unused.into_iter().find(are_rates) {
            self.captions[rates].1.column = Some(Column::VatRate);
        }
    }

    /// "QTY .. RATE .. PRICE", "PRICE .. PRICE", "ITEM .. PRICE": where no caption is one of totals, the last one of prices is, if another price
    /// stands before it or there are no quantities, and nothing but tax stands behind it. The only price beside quantities is one of a piece.
    fn name_the_total(&mut self) {
        let prices = self.places(is_price);
        let last = prices.last().copied().filter(|last| self.captions[*last].1.column == Some(Column::UnitPrice));
        let is_tax = |(_, caption): &(KeywordSet, Caption)| matches!(caption.column, Some(Column::VatRate) | None);
        let is_total = |last: &usize| (prices.len() > 1 || !self.has(Column::Quantity)) && self.captions[last + 1..].iter().all(is_tax);
        if let Some(last) = last.filter(is_total) {
            self.captions[last].1.column = Some(Column::LineTotal);
        }
    }

    /// "VALUE VAT": amounts, each with its code of tax, where no other caption is one of totals.
    fn name_the_total_with_tax(&mut self) {
        let is_amount = |(keywords, caption): &(KeywordSet, Caption)| {
            caption.column.is_none() && keywords.has(Keyword::Tax) && keywords.has_any(&[Keyword::Amount, Keyword::Total])
        };
        if let [only] = self.places(is_amount)[..] {
            self.captions[only].1.column = Some(Column::LineTotal);
        }
    }

    /// Where no caption is one of descriptions, an unknown one is: that below which most letters stand ("Vintage .. Wine .. Price").
    fn name_the_goods(&mut self, order: &ReadingOrder, below: usize) {
        let unknown = self.places(|(_, caption)| !caption.known);
        let letters = |at: &usize| self.letters_below(order, below, *at);
        if let Some(goods) = unknown.iter().rev().max_by_key(|at| letters(at)) {
            self.captions[*goods].1.column = Some(Column::Description);
        }
    }

    /// Where no caption is one of descriptions, and texts stand below none of them in most rows, those are it.
    fn add_the_goods(&mut self, order: &ReadingOrder, below: usize) {
        const LETTERS_MIN: usize = 3;
        let rows = (0..ROWS_LOOKED_AT as isize).map_while(|offset| order.row_at(below, offset)).filter(|row| row.len() > 1);
        let is_apart = |line: &usize| {
            let line = order.lines[*line];
            line.text.chars().filter(|c| c.is_alphabetic()).count() >= LETTERS_MIN
                && !self.captions.iter().any(|(_, caption)| caption.meets(&line.quad))
        };
        let of_rows: Vec<Option<usize>> = rows.map(|mut row| row.find(is_apart)).collect();
        let lines: Vec<&Quad> = of_rows.iter().flatten().map(|line| &order.lines[*line].quad).collect();
        if lines.len() < TELLING_LINES_MIN || 2 * lines.len() < of_rows.len() {
            return;
        }
        let left = lines.iter().map(|quad| quad.left()).fold(f32::INFINITY, f32::min);
        let right = lines.iter().map(|quad| quad.right()).fold(0.0, f32::max);
        let quad = Quad::from_edges(left, lines[0].top(), right, lines[0].bottom());
        self.captions.push((KeywordSet::default(), Caption::new(Some(Some(Column::Description)), &quad)));
        self.captions.sort_by(|(_, a), (_, b)| a.left.total_cmp(&b.left));
    }

    /// "Product .. Goods .. Price .. Goods Value": goods before a price are none that are worth something.
    fn name_goods_before_prices(&mut self) {
        let amounts = self.places(|(_, caption)| caption.column == Some(Column::LineTotal));
        let price = self.places(is_price).first().copied();
        let ([first, _, ..], Some(price)) = (amounts.as_slice(), price) else { return };
        if first < &price {
            self.captions[*first].1.column = Some(Column::Description);
        }
    }

    /// "Artikel .. Beschreibung": of two captions of descriptions that with fewer letters below it, else the first, is one of codes, where no other
    /// stands before it; what stands behind the descriptions then is a customs code or the like.
    fn name_the_codes(&mut self, order: &ReadingOrder, below: usize) {
        let descriptions = self.places(|(_, caption)| caption.column == Some(Column::Description));
        let codes = self.places(|(_, caption)| caption.column == Some(Column::Code));
        if let [first, second] = descriptions.as_slice()
            && codes.iter().all(|code| code > first)
        {
            let letters = |at: &usize| self.letters_below(order, below, *at);
            let code = if letters(first) > letters(second) { second } else { first };
            codes.iter().for_each(|code| self.captions[*code].1.column = None);
            self.captions[*code].1.column = Some(Column::Code);
        }
        // A caption of which we know nothing, right before the descriptions.
        if let ([only], []) = (descriptions.as_slice(), codes.as_slice())
            && let Some(before) = only.checked_sub(1).filter(|before| !self.captions[*before].1.known)
            && let texts = self.lines_below(order, below, before).collect::<Vec<_>>()
            && may_be_codes(&texts)
        {
            if self.letters_below(order, below, before) > MORE_LETTERS * self.letters_below(order, below, *only) {
                // `Sorte .. Artikel`, with codes below the second.
                self.captions[before].1.column = Some(Column::Description);
                self.captions[*only].1.column = Some(Column::Code);
                return;
            }
            // `Fl./Stk.`
            let counts = !self.has(Column::Quantity) && texts.iter().all(|text| is_count(text)) && !are_counted(&texts);
            self.captions[before].1.column = Some(if counts { Column::Quantity } else { Column::Code });
        }
    }

    /// "Item", "No.": numbers of items stand below.
    fn drop_positions(&mut self, order: &ReadingOrder, below: usize) {
        let may_count = self.places(|(keywords, caption)| caption.known && (caption.column.is_none() || keywords.has(Keyword::Items)));
        for at in may_count {
            if are_counted(&self.lines_below(order, below, at).collect::<Vec<_>>()) {
                self.captions[at].1.column = None;
            }
        }
    }

    /// Where no caption is one of codes, the first is below which they stand.
    fn name_codes_by_numbers(&mut self, order: &ReadingOrder, below: usize) {
        if self.has(Column::Code) {
            return;
        }
        let unused = self.places(|(keywords, caption)| caption.column.is_none() && !keywords.has_any(&NO_CODES));
        let holds_codes = |at: &usize| {
            let texts: Vec<&str> = self.lines_below(order, below, *at).collect();
            are_codes(&texts, self.captions[*at].1.known) && !are_counted(&texts)
        };
        if let Some(codes) = unused.into_iter().find(holds_codes) {
            self.captions[codes].1.column = Some(Column::Code);
        }
    }

    /// "Item .. Equipment": below "item" stand codes, where more letters stand below an unknown caption right behind it.
    fn name_goods_beside_items(&mut self, order: &ReadingOrder, below: usize) {
        let descriptions = self.places(|(_, caption)| caption.column == Some(Column::Description));
        let [item] = descriptions.as_slice() else { return };
        let (item, goods) = (*item, item + 1);
        let is_unknown = self.captions.get(goods).is_some_and(|(_, caption)| !caption.known);
        let more = if self.captions[item].0.has(Keyword::Description) { MORE_LETTERS } else { 1 };
        if is_unknown && !self.has(Column::Code) && self.letters_below(order, below, goods) > more * self.letters_below(order, below, item)
        {
            self.captions[item].1.column = Some(Column::Code);
            self.captions[goods].1.column = Some(Column::Description);
        }
    }

    /// "No.": where no caption is one of quantities, that below which numbers stand that count no items is.
    fn name_numbers(&mut self, order: &ReadingOrder, below: usize) {
        let of_numbers = self.places(|(keywords, caption)| caption.known && caption.column.is_none() && keywords.has(Keyword::Number));
        let are_numbers = |at: &usize| {
            let texts: Vec<&str> = self.lines_below(order, below, *at).collect();
            // Below the table stands something else.
            let counts: Vec<&str> = texts.into_iter().take_while(|text| is_count(text)).collect();
            counts.len() >= TELLING_LINES_MIN && !are_counted(&counts)
        };
        if let Some(at) = of_numbers.into_iter().find(are_numbers) {
            self.captions[at].1.column = Some(Column::Quantity);
        }
    }

    fn letters_below(&self, order: &ReadingOrder, below: usize, at: usize) -> usize {
        self.lines_below(order, below, at).flat_map(str::chars).filter(|c| c.is_alphabetic()).count()
    }

    /// The lines that stand below a caption and no other.
    fn lines_below<'a>(&self, order: &ReadingOrder<'a>, below: usize, at: usize) -> impl Iterator<Item = &'a str> {
        let alone = move |line: &usize| meets_only(self.captions.iter().map(|(_, caption)| caption), at, &order.lines[*line].quad);
        rows_below(order, below).flatten().filter(alone).map(|line| order.lines[line].text.trim())
    }

    /// "Cartons .. Quantity .. Price": of several captions of quantities the last one before the price is it.
    fn name_the_quantity(&mut self, order: &ReadingOrder, below: usize) {
        if !self.has(Column::Quantity) {
            self.name_numbers(order, below);
        }
        let quantities = self.places(|(_, caption)| caption.column == Some(Column::Quantity));
        let price = self.places(|(_, caption)| caption.column == Some(Column::UnitPrice)).first().copied();
        let chosen = quantities.iter().rev().find(|at| price.is_none_or(|price| **at < price)).or(quantities.first()).copied();
        for at in quantities.into_iter().filter(|at| Some(*at) != chosen) {
            self.captions[at].1.column = None;
        }
    }

    /// Where no caption is one of prices: a mere "rate" is, or the first of two amounts. The first caption that may be, if there are
    /// this many.
    fn name_the_price(&mut self, may_be: impl Fn(&KeywordSet, Column) -> bool, count_min: usize) {
        let places = self.places(|(keywords, caption)| caption.column.is_some_and(|column| may_be(keywords, column)));
        if let Some(first) = places.first().filter(|_| places.len() >= count_min) {
            self.captions[*first].1.column = Some(Column::UnitPrice);
        }
    }
}

/// Captions below which no codes of goods stand.
const NO_CODES: [Keyword; 4] = [Keyword::Tax, Keyword::Date, Keyword::Amount, Keyword::Total];

/// Descriptions hold at least so many times the letters of codes.
const MORE_LETTERS: usize = 2;

/// Lines that tell what stands in a column.
const TELLING_LINES_MIN: usize = 2;

/// Whether these are the numbers of items: 1, 2, 3, or 10, 20, 30, also from where another page left off.
fn are_counted(texts: &[&str]) -> bool {
    let numbers: Vec<u32> = texts.iter().map_while(|text| text.trim_end_matches('.').parse().ok()).collect();
    let [first, second, ..] = numbers[..] else { return false };
    let step = second.saturating_sub(first);
    step > 0 && first % step == 0 && numbers.windows(2).all(|pair| pair[1] == pair[0] + step)
}

/// Whether most of these are codes: single words with some digits, or below a caption of numbers with letters and digits.
fn are_codes(texts: &[&str], of_numbers: bool) -> bool {
    let count = |text: &str, is: fn(char) -> bool| text.chars().filter(|c| is(*c)).count();
    let is_code = |text: &&&str| {
        let (digits, letters) = (count(text, |c| c.is_ascii_digit()), count(text, |c| c.is_ascii_uppercase()));
        let is_amount = Number::read(text).is_some_and(|number| number.decimals == 2);
        !is_amount
            && !text.contains([' ', ','])
            && (digits >= CODE_DIGITS_MIN && !text.contains('/') || of_numbers && digits > 0 && letters > 1)
    };
    let codes = texts.iter().filter(is_code).filter(|text| !is_year(text)).count();
    codes >= TELLING_LINES_MIN && 2 * codes > texts.len() || are_short_codes(texts)
}

/// Whether all of these are letters and digits, `W214`, each another one: what measures are not.
fn are_short_codes(texts: &[&str]) -> bool {
    const CODES_MIN: usize = 3;
    const DIGITS_MIN: usize = 2;
    let is_code = |text: &&str| {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        text.starts_with(|c: char| c.is_ascii_uppercase())
            && digits >= DIGITS_MIN
            && text.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    let others: BTreeSet<&str> = texts.iter().copied().collect();
    texts.len() >= CODES_MIN && others.len() == texts.len() && texts.iter().all(is_code)
}

/// Whether a text is a number of pieces: `24`, `2.5`.
fn is_count(text: &str) -> bool {
    text.len() < CODE_DIGITS_MIN && text.parse::<f32>().is_ok()
}

/// Whether these are neither dates nor mere words: `DRY`, `CHILLED`.
fn may_be_codes(texts: &[&str]) -> bool {
    let with_digits = texts.iter().filter(|text| text.contains(|c: char| c.is_ascii_digit())).count();
    !are_dates(texts) && 2 * with_digits >= texts.len()
}

/// Whether most of these are dates, maybe without a year.
fn are_dates(texts: &[&str]) -> bool {
    let is_date =
        |text: &&&str| text.split(['.', '/', '-']).filter(|part| (1..=2).contains(&part.len()) && part.parse::<u8>().is_ok()).count() > 1;
    2 * texts.iter().filter(is_date).count() > texts.len()
}

pub(in crate::understand::items) fn is_year(text: &str) -> bool {
    const DIGITS: usize = 4;
    text.len() == DIGITS && (text.starts_with("19") || text.starts_with("20"))
}
