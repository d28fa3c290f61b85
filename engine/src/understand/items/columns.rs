//! Columns of a table of goods, known by their captions.

use std::ops::Range;

use super::cells::{Cell, Word, words};
use crate::geometry::Quad;
use crate::understand::draft::Column;
use crate::understand::keywords::{Keyword, KeywordSet};
use crate::understand::rows::ReadingOrder;

/// At least this share of a caption row's words are captions.
const CAPTION_SHARE_MIN: f32 = 0.5;

/// ... or this share, where goods, quantities, prices and totals are all announced.
const WHOLE_SHARE_MIN: f32 = 0.35;

/// Rows that captions may be set in.
const CAPTION_ROWS_MAX: usize = 6;

/// Rows of captions follow each other at most this far apart, in heights of a line.
const CAPTION_GAP_MAX: f32 = 1.2;

/// Captions that share this much of the narrower one's width name one column, in several rows.
const STACKED_OVERLAP_MIN: f32 = 0.3;

/// Lines that stand beside the table are at least this far from it, in heights of a line.
const BESIDE_MIN: f32 = 2.0;

/// Rows below captions that tell where the descriptions begin.
const ROWS_LOOKED_AT: usize = 24;

/// What stands beside a table is at least this far from its captions, in heights of a line.
const APART_MIN: f32 = 3.0;

/// Captions of amounts that mean something else elsewhere.
const AMOUNTS: [&str; 4] = ["CHARGE", "CHARGES", "FEE", "FEES"];

/// A number is near its caption within this, in heights of a line.
const NEAR_MAX: f32 = 1.0;

/// Captions of quantities that mean something else elsewhere.
const QUANTITIES: [&str; 10] = ["DEL", "ORD", "SHIPPED", "DESP", "DESPATCHED", "DELIVERED", "DELD", "DEL'D", "SUPPLIED", "ORDERED"];

/// The number of an item in its table has captions like these.
const POSITION: [&str; 10] = ["POS", "POSITION", "LINE", "LN", "LFD", "NR", "NO", "#", "S/N", "SL"];

/// The columns of a table and where they stand, from left to right.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns(Vec<Caption>);

#[derive(Debug, Clone, PartialEq)]
struct Caption {
    /// `None`: a caption of something that no column of ours holds, such as the amount of tax, or one that we don't know.
    column: Option<Column>,
    known: bool,
    left: f32,
    right: f32,
    /// Of descriptions: a code stands above each.
    code_above: bool,
}

/// Where a word of a row belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    In(Column),
    Nowhere,
}

/// What stands around a word.
struct Context {
    /// Where the word before it in its line went.
    before: Option<Place>,
    ends_line: bool,
    /// Its line reaches below the caption of descriptions.
    of_description: bool,
}

impl Columns {
    /// The columns that the rows of captions from `first` on announce, and how many rows these are; `None` where there are none.
    /// Of goods with prices, or without them (`priced`).
    pub fn announced(order: &ReadingOrder, first: usize, priced: bool) -> Option<(Self, usize)> {
        let rows = caption_rows(order, first);
        let mut announced = Announced::default();
        rows.iter().for_each(|row| announced.add(&caption_words(order, row)));
        if !announced.is_table(priced) {
            return None;
        }
        let mut columns = Self(announced.columns(order, first + rows.len()));
        columns.widen_descriptions(order, first + rows.len());
        Some((columns, rows.len()))
    }

    /// A caption may stand above the middle of its column: that of descriptions begins where the lines do that stand below its caption and no other.
    fn widen_descriptions(&mut self, order: &ReadingOrder, first: usize) {
        let Some(at) = self.0.iter().position(|caption| caption.column == Some(Column::Description)) else { return };
        let alone = |line: &usize| {
            let line = order.lines[*line];
            let met = self.0.iter().enumerate().filter(|(_, caption)| caption.meets(&line.quad)).map(|(at, _)| at);
            line.text.contains(char::is_alphabetic) && met.eq([at])
        };
        let rows = (0..ROWS_LOOKED_AT as isize).map_while(|offset| order.row_at(first, offset));
        let mut lefts: Vec<f32> =
            rows.flat_map(|row| row.filter(alone).collect::<Vec<_>>()).map(|line| order.lines[line].quad.left()).collect();
        lefts.sort_by(f32::total_cmp);
        // Not the first, which may be a stray one.
        if let Some(left) = lefts.get(lefts.len() / 4) {
            self.0[at].left = self.0[at].left.min(*left);
        }
    }

    /// Whether a row of captions announces another table: VAT by rate, payments.
    pub fn announce_another_table(order: &ReadingOrder, row: Range<usize>) -> bool {
        const CAPTIONS_MIN: usize = 3;
        let words = words(order, row);
        let mut announced = Announced::default();
        announced.add(&words);
        let digits = words.iter().any(|word| word.text.contains(|c: char| c.is_ascii_digit()));
        announced.captions.len() >= CAPTIONS_MIN && !digits && announced.is_known(CAPTION_SHARE_MIN) && !announced.is_table(true)
    }

    /// Sorts the words of a row into cells, each to the nearest caption that takes it. Words that no column takes are left out, and so are lines
    /// that stand wholly beside the table.
    pub fn cells<'a>(&self, words: Vec<Word<'a>>) -> Vec<Cell<'a>> {
        let mut cells: Vec<Cell> = Vec::new();
        let mut before: Option<(usize, Place)> = None;
        let within = words.chunk_by(|a, b| a.line == b.line).filter(|line| !self.are_beside(line)).flatten().cloned();
        let words = self.with_thousands_joined(within);
        for (at, word) in words.iter().enumerate() {
            let context = Context {
                before: before.filter(|(line, _)| *line == word.line).map(|(_, place)| place),
                ends_line: words.get(at + 1).is_none_or(|next| next.line != word.line),
                of_description: self.meets_descriptions(&words, word.line),
            };
            let (place, word) = (self.place(word, &context), word.clone());
            before = Some((word.line, place));
            let Place::In(column) = place else { continue };
            match cells.iter_mut().find(|cell| cell.column == column) {
                // A number that is there already is not a second one of the same column.
                Some(cell) if column != Column::Description && word.number().is_some() && cell.thousandths().is_some() => {}
                Some(cell) => cell.words.push(word),
                None => cells.push(Cell { column, words: vec![word] }),
            }
        }
        cells
    }

    fn place(&self, word: &Word, context: &Context) -> Place {
        let Some(nearest) = self.nearest(word, |_| true) else { return Place::Nowhere };
        let goes = |caption: &Caption| caption.column.map_or(Place::Nowhere, Place::In);
        let is_number = word.number().is_some() || word.text.ends_with('%');
        let is_of_text = matches!(nearest.column, Some(Column::Code | Column::Description | Column::Unit));
        let below = nearest.distance(&word.quad) <= 0.0;
        match context.before {
            // A number close to its own caption is no end of a description.
            Some(Place::In(Column::Description)) if is_number && context.ends_line && nearest.is_near(word) && nearest.takes(word) => {
                goes(nearest)
            }
            // A line of a description goes on, numbers and all, as far as no other caption stands above it.
            Some(Place::In(Column::Description)) if !below => Place::In(Column::Description),
            // What goes on from a column that is of no use, a date's say.
            Some(Place::Nowhere) if !below && !is_number => Place::Nowhere,
            // The number of an item, left of the descriptions.
            None if context.ends_line && !below && nearest.is_left_by_position(word) => Place::Nowhere,
            // Captions may stand above the middle of their column: a line that reaches below that of descriptions is one from its begin.
            None if context.of_description && !below && (nearest.column.is_none() || !nearest.takes(word)) => {
                Place::In(Column::Description)
            }
            // A description that is longer than its column.
            Some(Place::In(Column::Description)) if !is_number && !is_of_text => Place::In(Column::Description),
            // Measures say what their column is.
            _ if !nearest.known && word.is_measure() => Place::In(Column::Unit),
            // `DSN-HR`, `TRVL`: what stands alone below a caption of codes needs no digit.
            None if context.ends_line && nearest.is_of_codes_without_digits(word) => Place::In(Column::Code),
            _ if nearest.takes(word) => goes(nearest),
            // `3 Std`: a quantity with its unit.
            Some(Place::In(Column::Quantity)) if !is_number && accepts(Column::Unit, word) => Place::In(Column::Unit),
            Some(Place::In(Column::Unit)) if !is_number => Place::Nowhere,
            // `19 % VAT (S)`: what follows a rate.
            Some(Place::In(Column::VatRate) | Place::Nowhere) if !is_number => Place::Nowhere,
            // Captions of one line are placed by guess: the descriptions may begin further left.
            _ if !is_number && self.is_close_to_descriptions(word) => Place::In(Column::Description),
            // Below a caption that it doesn't suit.
            _ if below => Place::Nowhere,
            _ => self.nearest(word, |caption| caption.takes(word)).map_or(Place::Nowhere, goes),
        }
    }

    /// Whether a line reaches below the caption of descriptions.
    fn meets_descriptions(&self, words: &[Word], line: usize) -> bool {
        let of_line = || words.iter().filter(|word| word.line == line).map(|word| word.quad);
        let (left, right) = (of_line().map(|quad| quad.left()).reduce(f32::min), of_line().map(|quad| quad.right()).reduce(f32::max));
        let meets = |caption: &Caption| left.is_some_and(|left| left < caption.right) && right.is_some_and(|right| right > caption.left);
        self.0.iter().any(|caption| caption.column == Some(Column::Description) && meets(caption))
    }

    /// Joins numbers whose thousands stand apart, where both parts stand nearest to the same caption of numbers.
    fn with_thousands_joined<'a>(&self, words: impl Iterator<Item = Word<'a>>) -> Vec<Word<'a>> {
        let is_of_numbers = |caption: &&Caption| !matches!(caption.column, Some(Column::Code | Column::Description | Column::Unit));
        let caption = |word: &Word| self.nearest(word, |_| true).filter(is_of_numbers);
        let mut joined: Vec<Word> = Vec::new();
        for word in words {
            let of_same = |last: &&Word| caption(last).is_some() && caption(last) == caption(&word);
            let whole = joined.last().filter(of_same).and_then(|last| last.joined(&word));
            match whole {
                Some(whole) => *joined.last_mut().expect("it was there just now") = whole,
                None => joined.push(word),
            }
        }
        joined
    }

    /// Whether words of one line end well before the table begins, or begin well behind its end.
    fn are_beside(&self, line: &[Word]) -> bool {
        let (Some(first), Some(last)) = (line.first(), line.last()) else { return false };
        let left = self.0.iter().map(|caption| caption.left).fold(f32::INFINITY, f32::min);
        let right = self.0.iter().map(|caption| caption.right).fold(0.0, f32::max);
        let distance = (left - last.quad.right()).max(first.quad.left() - right);
        distance > BESIDE_MIN * first.quad.height()
    }

    fn is_close_to_descriptions(&self, word: &Word) -> bool {
        let descriptions = self.0.iter().find(|caption| caption.column == Some(Column::Description));
        descriptions.is_some_and(|caption| caption.distance(&word.quad) <= word.quad.height())
    }

    fn nearest(&self, word: &Word, may: impl Fn(&Caption) -> bool) -> Option<&Caption> {
        let distance = |caption: &&Caption| caption.distance(&word.quad);
        self.0.iter().filter(|caption| may(caption)).min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }

    /// Whether a code stands above each description, in the same column.
    pub fn code_above_description(&self) -> bool {
        self.0.iter().any(|caption| caption.code_above)
    }

    /// Whether a line has left the column of descriptions at its right.
    pub fn are_left_by(&self, line: &Quad) -> bool {
        /// Numbers stand at the right of their columns, so that a long word may reach below their caption.
        const OVERHANG_MAX: f32 = 0.5;
        self.right_of_descriptions().is_some_and(|next| line.right() - OVERHANG_MAX * line.height() > next)
    }

    /// Where the column of descriptions must have ended.
    pub fn right_of_descriptions(&self) -> Option<f32> {
        let at = self.0.iter().position(|caption| caption.column == Some(Column::Description))?;
        self.0.get(at + 1).map(|next| next.left)
    }

    /// Whether totals are announced.
    pub fn are_totalled(&self) -> bool {
        self.0.iter().any(|caption| caption.column == Some(Column::LineTotal))
    }

    /// Whether prices are announced; a delivery docket has none.
    pub fn are_priced(&self) -> bool {
        self.0.iter().any(|caption| matches!(caption.column, Some(Column::LineTotal | Column::UnitPrice)))
    }
}

impl Caption {
    /// `announced` as [`caption`] has it.
    fn new(announced: Option<Option<Column>>, quad: &Quad) -> Self {
        let (column, known) = (announced.flatten(), announced.is_some());
        Self { column, known, left: quad.left(), right: quad.right(), code_above: false }
    }

    /// Takes a caption below it; `keywords` are those of both.
    fn stack(&mut self, below: Self, keywords: KeywordSet) {
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
            (_, None) => (self.column, false),
            (Some(_), Some(_)) => (caption("", keywords).flatten(), false),
        };
    }

    fn takes(&self, word: &Word) -> bool {
        self.column.is_none_or(|column| accepts(column, word))
    }

    fn is_of_codes_without_digits(&self, word: &Word) -> bool {
        self.column == Some(Column::Code) && self.distance(&word.quad) <= 0.0 && is_in_capitals(word.text)
    }

    /// Whether a word is a small number, alone and left of the descriptions that the caption announces: `1.`.
    fn is_left_by_position(&self, word: &Word) -> bool {
        let digits = word.text.trim_end_matches('.');
        let is_small = (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        self.column == Some(Column::Description) && is_small && word.quad.right() <= self.left
    }

    /// Whether a line reaches below the caption.
    fn meets(&self, line: &Quad) -> bool {
        line.left() < self.right && line.right() > self.left
    }

    fn is_near(&self, word: &Word) -> bool {
        self.distance(&word.quad) <= NEAR_MAX * word.quad.height()
    }

    /// Pixels between the caption and a quad: 0 or less where they overlap, the less the more.
    fn distance(&self, quad: &Quad) -> f32 {
        (quad.left() - self.right).max(self.left - quad.right())
    }

    fn overlaps(&self, other: &Self) -> bool {
        let narrower = (self.right - self.left).min(other.right - other.left);
        self.right.min(other.right) - self.left.max(other.left) >= STACKED_OVERLAP_MIN * narrower
    }
}

fn is_in_capitals(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_uppercase() || b"-/.".contains(&c)) && text.bytes().any(|c| c.is_ascii_uppercase())
}

fn accepts(column: Column, word: &Word) -> bool {
    const UNIT_CHARACTERS_MAX: usize = 8;
    const RATE_MAX: i64 = 100 * 1000;
    match column {
        Column::Description => true,
        // `A 10422`: a letter before a number belongs to it.
        Column::Code => word.text.contains(|c: char| c.is_ascii_digit()) || is_in_capitals(word.text) && word.text.len() <= 2,
        Column::Unit => word.text.chars().count() <= UNIT_CHARACTERS_MAX,
        Column::LineTotal | Column::UnitPrice => word.number().is_some_and(|number| number.decimals >= 2),
        Column::Quantity => word.number().is_some(),
        Column::Discount => word.number().is_some() || word.text.ends_with('%'),
        Column::VatRate => word.number().is_some_and(|n| (0..RATE_MAX).contains(&n.thousandths)) || word.text.ends_with('%'),
    }
}

/// The words of a row of captions, without a line that holds digits and stands apart at its left: a sidebar's.
fn caption_words<'a>(order: &ReadingOrder<'a>, row: &Range<usize>) -> Vec<Word<'a>> {
    let line = |at: usize| order.lines[at];
    let apart = row.len() > 2 && {
        let (first, next) = (line(row.start), line(row.start + 1));
        let gap = next.quad.left() - first.quad.right();
        first.text.contains(|c: char| c.is_ascii_digit()) && gap > APART_MIN * first.quad.height()
    };
    words(order, row.start + usize::from(apart)..row.end)
}

/// The rows from `first` on that may be captions together: close to each other, without digits, the first of them mostly known.
fn caption_rows(order: &ReadingOrder, first: usize) -> Vec<Range<usize>> {
    let mut rows: Vec<Range<usize>> = Vec::new();
    for offset in 0..CAPTION_ROWS_MAX {
        let Some(row) = order.row_at(first, offset as isize) else { break };
        let words = caption_words(order, &row);
        let digits = words.iter().any(|word| word.text.contains(|c: char| c.is_ascii_digit()));
        let far = rows.last().is_some_and(|above| gap(order, above, &row) > CAPTION_GAP_MAX);
        let known = words.iter().filter(|word| is_caption(word) || word.text.starts_with('(')).count() as f32;
        let captions = captions(&words);
        let known_captions = captions.iter().filter(|(_, caption)| caption.known).count() as f32;
        let are_known = known >= WHOLE_SHARE_MIN * words.len() as f32 || known_captions >= WHOLE_SHARE_MIN * captions.len() as f32;
        if digits || far || !are_known {
            break;
        }
        rows.push(row);
    }
    rows
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
struct Announced {
    captions: Vec<(KeywordSet, Caption)>,
    words: usize,
    known: usize,
}

impl Announced {
    /// Takes a row of captions; what stands below a caption belongs to it.
    fn add(&mut self, words: &[Word]) {
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

    /// Whether this share of the words, or of the captions, is known.
    fn is_known(&self, share: f32) -> bool {
        let known = self.captions.iter().filter(|(_, caption)| caption.known).count();
        self.known as f32 >= share * self.words as f32 || known as f32 >= share * self.captions.len() as f32
    }

    /// Goods with prices, or without them as on a delivery docket.
    fn is_table(&self, priced: bool) -> bool {
        let goods = [Column::Description, Column::Code, Column::Quantity];
        let has_price = || self.captions.iter().any(is_price);
        let enough = match priced {
            true => goods.iter().any(|column| self.has(*column)) && (self.has(Column::LineTotal) || has_price()),
            false => self.has(Column::Quantity) && (self.has(Column::Description) || self.has(Column::Code)),
        };
        let whole = self.has(Column::Description) && self.has(Column::Quantity) && has_price() && self.has(Column::LineTotal);
        enough && (self.is_known(CAPTION_SHARE_MIN) || whole && self.is_known(WHOLE_SHARE_MIN))
    }

    fn has(&self, column: Column) -> bool {
        self.captions.iter().any(|(_, caption)| caption.column == Some(column))
    }

    /// From left to right.
    fn columns(mut self, order: &ReadingOrder, below: usize) -> Vec<Caption> {
        self.captions.sort_by(|(_, a), (_, b)| a.left.total_cmp(&b.left));
        self.name_goods_before_prices();
        self.name_the_codes();
        self.name_goods_beside_items(order, below);
        self.name_the_quantity();
        if !self.has(Column::LineTotal) {
            self.name_the_total();
        }
        if !self.has(Column::UnitPrice) {
            self.name_the_price(|keywords, column| column == Column::VatRate && !keywords.has(Keyword::Tax), 1);
        }
        if !self.has(Column::Description) {
            self.name_the_goods(order, below);
        }
        if !self.has(Column::UnitPrice) {
            self.name_the_price(|_, column| column == Column::LineTotal, 2);
        }
        self.captions.into_iter().map(|(_, caption)| caption).collect()
    }

    /// "QTY .. RATE .. PRICE", "PRICE .. PRICE", "ITEM .. PRICE": where no caption is one of totals, the last one of prices is, if another price
    /// stands before it or there are no quantities, and nothing but tax stands behind it. The only price beside quantities is one of a piece.
    fn name_the_total(&mut self) {
        let is_rate = |keywords: &KeywordSet, column| column == Some(Column::VatRate) && !keywords.has(Keyword::Tax);
        let prices = self.places(|(keywords, caption)| caption.column == Some(Column::UnitPrice) || is_rate(keywords, caption.column));
        let last = prices.last().copied().filter(|last| self.captions[*last].1.column == Some(Column::UnitPrice));
        let is_tax = |(_, caption): &(KeywordSet, Caption)| matches!(caption.column, Some(Column::VatRate) | None);
        let is_total = |last: &usize| (prices.len() > 1 || !self.has(Column::Quantity)) && self.captions[last + 1..].iter().all(is_tax);
        if let Some(last) = last.filter(is_total) {
            self.captions[last].1.column = Some(Column::LineTotal);
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

    /// "Product .. Goods .. Price .. Goods Value": goods before a price are none that are worth something.
    fn name_goods_before_prices(&mut self) {
        let amounts = self.places(|(_, caption)| caption.column == Some(Column::LineTotal));
        let price = self.places(is_price).first().copied();
        let ([first, _, ..], Some(price)) = (amounts.as_slice(), price) else { return };
        if first < &price {
            self.captions[*first].1.column = Some(Column::Description);
        }
    }

    /// "Artikel .. Beschreibung": the first of two captions of descriptions is one of codes, where no other stands before it; what stands behind
    /// the descriptions then is a customs code or the like.
    fn name_the_codes(&mut self) {
        let descriptions = self.places(|(_, caption)| caption.column == Some(Column::Description));
        let codes = self.places(|(_, caption)| caption.column == Some(Column::Code));
        if let [first, _] = descriptions.as_slice()
            && codes.iter().all(|code| code > first)
        {
            codes.iter().for_each(|code| self.captions[*code].1.column = None);
            self.captions[*first].1.column = Some(Column::Code);
        }
        // A caption of which we know nothing, right before the descriptions.
        if let ([only], []) = (descriptions.as_slice(), codes.as_slice())
            && let Some((_, before)) = only.checked_sub(1).map(|before| &mut self.captions[before])
            && !before.known
        {
            before.column = Some(Column::Code);
        }
    }

    /// "Item .. Equipment": below "item" stand codes, where more letters stand below an unknown caption right behind it.
    fn name_goods_beside_items(&mut self, order: &ReadingOrder, below: usize) {
        let descriptions =
            self.places(|(keywords, caption)| caption.column == Some(Column::Description) && !keywords.has(Keyword::Description));
        let [item] = descriptions.as_slice() else { return };
        let (item, goods) = (*item, item + 1);
        let is_unknown = self.captions.get(goods).is_some_and(|(_, caption)| !caption.known);
        if is_unknown && !self.has(Column::Code) && self.letters_below(order, below, goods) > self.letters_below(order, below, item) {
            self.captions[item].1.column = Some(Column::Code);
            self.captions[goods].1.column = Some(Column::Description);
        }
    }

    /// Letters of the lines that stand below a caption and no other.
    fn letters_below(&self, order: &ReadingOrder, below: usize, at: usize) -> usize {
        let alone = |line: &usize| {
            let meets = |(_, (_, caption)): &(usize, &(KeywordSet, Caption))| caption.meets(&order.lines[*line].quad);
            self.captions.iter().enumerate().filter(meets).map(|(at, _)| at).eq([at])
        };
        let letters = |line: usize| order.lines[line].text.chars().filter(|c| c.is_alphabetic()).count();
        let rows = (0..ROWS_LOOKED_AT as isize).map_while(|offset| order.row_at(below, offset));
        rows.flatten().filter(alone).map(letters).sum()
    }

    /// "Cartons .. Quantity .. Price": of several captions of quantities the last one before the price is it.
    fn name_the_quantity(&mut self) {
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

    fn places(&self, is: impl Fn(&(KeywordSet, Caption)) -> bool) -> Vec<usize> {
        (0..self.captions.len()).filter(|&at| is(&self.captions[at])).collect()
    }
}

/// Whether a caption is one of prices, or a mere "rate", which may be one.
fn is_price((keywords, caption): &(KeywordSet, Caption)) -> bool {
    caption.column == Some(Column::UnitPrice) || caption.column == Some(Column::VatRate) && !keywords.has(Keyword::Tax)
}

fn is_caption(word: &Word) -> bool {
    caption(word.text, KeywordSet::find(word.text)).is_some()
}

/// Captions of a row; neighbouring words of one line may make up one caption ("UNIT PRICE", "List Price").
fn captions(words: &[Word]) -> Vec<(KeywordSet, Caption)> {
    let mut captions: Vec<(usize, KeywordSet, Caption)> = Vec::new();
    for word in words {
        let found = KeywordSet::find(word.text);
        let announced = caption(word.text, found);
        let goes_on = |before: KeywordSet, known: bool| if known { joins(before, word.text, found) } else { true };
        match captions.last_mut().filter(|(line, before, caption)| *line == word.line && goes_on(*before, caption.known)) {
            Some((_, keywords, last)) => {
                *keywords = keywords.union(found);
                last.column = if last.known { caption("", *keywords).flatten() } else { announced.flatten() };
                last.known |= announced.is_some();
                last.right = word.quad.right();
            }
            None => captions.push((word.line, found, Caption::new(announced, &word.quad))),
        }
    }
    captions.into_iter().map(|(_, keywords, caption)| (keywords, caption)).collect()
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
        || pair(&[Amount, Total, Price], &[Tax, Net, Gross, Included, Excluded, Currency])
        || pair(&[Total], &[Amount, Price])
}

/// What a caption announces: `None` no caption, `Some(None)` one that is of no use.
fn caption(text: &str, words: KeywordSet) -> Option<Option<Column>> {
    use Keyword::*;
    let column = if words.has(Tax) && words.has(Code) {
        None
    } else if AMOUNTS.contains(&text.to_uppercase().as_str()) {
        Some(Column::LineTotal)
    } else if text.eq_ignore_ascii_case("art.") {
        Some(Column::Code)
    } else if QUANTITIES.contains(&text.trim_end_matches(['.', ':']).to_uppercase().as_str()) {
        Some(Column::Quantity)
    } else if ["each", "per"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        Some(Column::UnitPrice)
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
    } else if words.has(Tax) && words.has_any(&[Amount, Total]) && !words.has_any(&[Included, Excluded]) {
        None
    } else if words.has_any(&[Amount, Total, Net, Gross]) {
        Some(Column::LineTotal)
    } else if words.has_any(&[Tax, Rate]) {
        Some(Column::VatRate)
    } else if words.has(Unit) {
        Some(Column::Unit)
    } else if words.has(Date) {
        None
    } else if POSITION.contains(&text.trim_end_matches(['.', ':']).to_uppercase().as_str()) {
        None
    } else {
        return None;
    };
    Some(column)
}
