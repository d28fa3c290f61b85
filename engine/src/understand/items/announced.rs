//! Rows of captions, and whether they announce a table of goods together.

mod naming;

use std::ops::Range;

use super::captions::{Caption, captions, is_caption, is_price};
use super::cells::{Word, plain_words};
use crate::understand::draft::Column;
use crate::understand::keywords::{Keyword, KeywordSet};
use crate::understand::rows::{ReadingOrder, horizontal_overlap};
pub(super) use naming::is_year;

/// Rows below captions that tell what stands in the columns.
pub(super) const ROWS_LOOKED_AT: usize = 24;

/// At least this share of a caption row's words are captions.
pub(super) const CAPTION_SHARE_MIN: f32 = 0.5;

/// ... or this share, where goods, quantities, prices and totals are all announced.
const WHOLE_SHARE_MIN: f32 = 0.35;

/// Rows that captions may be set in.
const CAPTION_ROWS_MAX: usize = 6;

/// Rows of captions follow each other at most this far apart, in heights of a line.
const CAPTION_GAP_MAX: f32 = 1.2;

/// Rows of one table follow each other at most this far apart, in heights of a line.
const TABLE_GAP_MAX: f32 = 4.5;

/// A line below captions of this many words is the heading of a group of goods: `GROCERY & DRY GOODS`.
const HEADING_WORDS_MIN: usize = 4;

/// Captions of amounts that say their currency alone.
const CURRENCIES: [&str; 9] = ["€", "£", "$", "EUR", "GBP", "USD", "£ p", "€ c", "$ c"];

/// Titles are at least this much higher than captions.
const TITLE_HEIGHT_MIN: f32 = 1.4;

/// What stands beside a table is at least this far from its captions, in heights of a line.
const APART_MIN: f32 = 2.5;

/// The words of a row of captions, without what a sidebar has beside them: a line with digits that stands apart at its left, a date at its right.
pub(super) fn caption_words<'a>(order: &ReadingOrder<'a>, row: &Range<usize>) -> Vec<Word<'a>> {
    let line = |at: usize| order.lines[at];
    let is_apart = |at: usize, gap: f32| line(at).text.contains(|c: char| c.is_ascii_digit()) && gap > APART_MIN * line(at).quad.height();
    let gap = |left: usize| line(left + 1).quad.left() - line(left).quad.right();
    let start = row.start + usize::from(row.len() > 2 && is_apart(row.start, gap(row.start)));
    let is_date = || plain_words(order, row.end - 1..row.end).iter().all(Word::is_date);
    let end = row.end - usize::from(row.len() > 2 && is_apart(row.end - 1, gap(row.end - 2)) && is_date());
    plain_words(order, start..end)
}

/// The rows from `first` on that may be captions together: close to each other, without digits, the first of them mostly known.
pub(super) fn caption_rows(order: &ReadingOrder, first: usize) -> Vec<Range<usize>> {
    let mut rows: Vec<Range<usize>> = Vec::new();
    for offset in 0..CAPTION_ROWS_MAX {
        let Some(row) = order.row_at(first, offset as isize) else { break };
        let words = caption_words(order, &row);
        // A lone digit is a letter that was misread: `Sconto 0 magg.`
        let digits = words.iter().any(|word| word.text.len() > 1 && word.text.contains(|c: char| c.is_ascii_digit()));
        let far = rows.last().is_some_and(|above| gap(order, above, &row) > CAPTION_GAP_MAX);
        let known = words.iter().filter(|word| is_caption(word) || word.text.starts_with('(')).count() as f32;
        let captions = captions(&words);
        let known_captions = captions.iter().filter(|(_, caption)| caption.known).count() as f32;
        // A single line with one caption in it may be a sentence.
        let of_several = row.len() > 1 && known_captions >= WHOLE_SHARE_MIN * captions.len() as f32;
        let are_known = known >= WHOLE_SHARE_MIN * words.len() as f32 || of_several;
        let is_heading = row.len() == 1 && words.len() >= HEADING_WORDS_MIN && rows.last().is_some_and(|above| above.len() > row.len());
        if digits || far || !are_known || is_heading {
            break;
        }
        rows.push(row);
    }
    if rows.len() > 1 && is_title(order, &rows[0], &rows[1]) { Vec::new() } else { rows }
}

/// Whether a row is a line in a larger print than the captions below it, or above several of them: `Itemised charges`.
fn is_title(order: &ReadingOrder, row: &Range<usize>, below: &Range<usize>) -> bool {
    const CAPTIONS_MIN: usize = 4;
    let height = |row: &Range<usize>| order.lines[row.clone()].iter().map(|line| line.quad.height()).fold(0.0, f32::max);
    let title = order.lines[row.start].quad;
    let covered = order.lines[below.clone()].iter().filter(|line| horizontal_overlap(&title, &line.quad) > 0.5).count();
    row.len() == 1 && below.len() > 1 && (height(row) > TITLE_HEIGHT_MIN * height(below) || covered > 1 && below.len() >= CAPTIONS_MIN)
}

/// The space between two rows, in heights of a line.
fn gap(order: &ReadingOrder, above: &Range<usize>, below: &Range<usize>) -> f32 {
    let bottom = order.lines[above.clone()].iter().map(|line| line.quad.bottom()).fold(f32::NEG_INFINITY, f32::max);
    let top = order.lines[below.clone()].iter().map(|line| line.quad.top()).fold(f32::INFINITY, f32::min);
    let height = order.lines[below.clone()].iter().map(|line| line.quad.height()).fold(1.0, f32::max);
    (top - bottom) / height
}

/// Captions of one table, those that we don't know among them.
#[derive(Default)]
pub(super) struct Announced {
    captions: Vec<(KeywordSet, Caption)>,
    words: usize,
    known: usize,
}

impl Announced {
    /// What rows announce together.
    pub(super) fn of(order: &ReadingOrder, rows: &[Range<usize>]) -> Self {
        let mut announced = Self::default();
        rows.iter().for_each(|row| announced.add(&caption_words(order, row)));
        announced
    }

    /// Takes a row of captions; what stands below a caption belongs to it.
    pub(super) fn add(&mut self, words: &[Word]) {
        self.words += words.len();
        self.known += words.iter().filter(|word| is_caption(word)).count();
        let above = self.captions.len();
        for (keywords, caption) in captions(words) {
            match self.captions[..above].iter_mut().find(|(_, other)| other.overlaps(&caption)) {
                Some((known, stacked)) => {
                    *known = known.union(keywords);
                    stacked.stack(caption, *known);
                }
                None => self.captions.push((keywords, caption)),
            }
        }
    }

    /// The sign of a currency behind all captions is one of totals, where no other is: `Details .. Quantity .. €`.
    pub(super) fn add_currency(&mut self, order: &ReadingOrder, row: &Range<usize>) {
        let last = &order.lines[row.end - 1];
        let right = self.captions.iter().map(|(_, caption)| caption.right).fold(0.0, f32::max);
        if CURRENCIES.contains(&last.text.trim()) && last.quad.left() > right {
            let total = (!self.has(Column::LineTotal)).then_some(Some(Column::LineTotal));
            self.captions.push((KeywordSet::default(), Caption::new(total, &last.quad)));
        }
    }

    /// How many captions there are.
    pub(super) fn count(&self) -> usize {
        self.captions.len()
    }

    /// How many of them we know.
    pub(super) fn count_known(&self) -> usize {
        self.captions.iter().filter(|(_, caption)| caption.known).count()
    }

    /// Whether this share of the words, or of the captions, is known.
    pub(super) fn is_known(&self, share: f32) -> bool {
        self.known as f32 >= share * self.words as f32 || self.count_known() as f32 >= share * self.captions.len() as f32
    }

    /// Goods with prices, or without them as on a delivery docket.
    pub(super) fn is_table(&self, priced: bool) -> bool {
        let goods = [Column::Description, Column::Code, Column::Quantity];
        let has_price = || self.captions.iter().any(is_price);
        let has_goods = || goods.iter().any(|column| self.has(*column)) || self.begins_with_goods();
        let enough = match priced {
            true => has_goods() && (self.has(Column::LineTotal) || has_price()),
            false => self.has(Column::Quantity) && (self.has(Column::Description) || self.has(Column::Code)),
        };
        // `CODE .. RATE .. NET .. VAT`: codes of tax alone are no goods.
        let codes_alone =
            ![Column::Description, Column::Quantity, Column::UnitPrice].iter().any(|column| self.has(*column)) && self.has(Column::Code);
        if codes_alone && self.say_tax() {
            return false;
        }
        enough && (self.is_known(CAPTION_SHARE_MIN) || self.is_whole() && self.is_known(WHOLE_SHARE_MIN))
    }

    /// Whether goods, quantities, prices and totals are all announced.
    pub(super) fn is_whole(&self) -> bool {
        let has_price = || self.captions.iter().any(is_price);
        self.has(Column::Description) && self.has(Column::Quantity) && has_price() && self.has(Column::LineTotal)
    }

    /// Whether prices or totals are announced.
    pub(super) fn has_prices(&self) -> bool {
        self.captions.iter().any(is_price) || self.has(Column::LineTotal)
    }

    /// Whether dates, terms or orders are announced: what a document says of itself.
    pub(super) fn has_dates(&self) -> bool {
        self.captions.iter().any(|(keywords, _)| keywords.has_any(&[Keyword::Date, Keyword::Terms, Keyword::Order]))
    }

    /// Whether amounts stand below: without any, captions of prices are of something else.
    pub(super) fn is_followed_by_amounts(order: &ReadingOrder, below: usize) -> bool {
        rows_below(order, below)
            .any(|row| plain_words(order, row).iter().any(|word| word.number().is_some_and(|number| number.decimals >= 2)))
    }

    /// "What for .. Used .. Rate .. Cost": an unknown caption before two of prices, none of them of tax.
    fn begins_with_goods(&self) -> bool {
        let is_first_unknown =
            self.captions.iter().min_by(|(_, a), (_, b)| a.left.total_cmp(&b.left)).is_some_and(|(_, first)| !first.known);
        let prices = self.places(is_price).len();
        let priced = self.has(Column::UnitPrice) && self.has(Column::LineTotal);
        is_first_unknown && (!self.say_tax() && prices > 1 || priced)
    }

    fn say_tax(&self) -> bool {
        self.captions.iter().any(|(keywords, _)| keywords.has(Keyword::Tax))
    }

    fn has(&self, column: Column) -> bool {
        self.captions.iter().any(|(_, caption)| caption.column == Some(column))
    }

    fn places(&self, is: impl Fn(&(KeywordSet, Caption)) -> bool) -> Vec<usize> {
        (0..self.captions.len()).filter(|&at| is(&self.captions[at])).collect()
    }
}

/// The rows from `below` on that tell what stands in a table; what stands far below is not of it.
fn rows_below(order: &ReadingOrder, below: usize) -> impl Iterator<Item = Range<usize>> {
    let follows = move |offset: &isize| {
        let above = order.row_at(below, offset - 1);
        *offset == 0 || above.zip(order.row_at(below, *offset)).is_some_and(|(above, row)| gap(order, &above, &row) <= TABLE_GAP_MAX)
    };
    (0..ROWS_LOOKED_AT as isize).take_while(follows).map_while(move |offset| order.row_at(below, offset))
}
