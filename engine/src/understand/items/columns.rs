//! Columns of a table of goods, known by their captions.

use std::ops::Range;

use super::announced::{Announced, CAPTION_SHARE_MIN, ROWS_LOOKED_AT, caption_rows, caption_words};
use super::captions::{Caption, accepts, meets_only};
use super::cells::{Cell, Word, around_words, plain_words, words};
use crate::geometry::Quad;
use crate::text::TextLine;
use crate::understand::draft::Column;
use crate::understand::rows::ReadingOrder;

/// Lines that stand beside the table are at least this far from it, in heights of a line.
const BESIDE_MIN: f32 = 2.0;

/// The columns of a table and where they stand, from left to right.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns(Vec<Caption>);

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
        let mut announced = Announced::of(order, &rows);
        if let Some(first) = rows.first() {
            announced.add_currency(order, first);
        }
        if !announced.is_table(priced) || priced && Self::begin_below(order, &rows) {
            return None;
        }
        let below = first + rows.len();
        let has_amounts = !priced || below >= order.rows.len() || Announced::is_followed_by_amounts(order, below);
        if !has_amounts {
            return None;
        }
        announced.prove(order, below);
        Some((Self::of(announced, order, below), rows.len()))
    }

    /// Whether the first of these rows announces no goods, while those below do by themselves: captions of the document's numbers and dates stand right
    /// above the table.
    fn begin_below(order: &ReadingOrder, rows: &[Range<usize>]) -> bool {
        let [first, below @ ..] = rows else { return false };
        let above = Announced::of(order, std::slice::from_ref(first));
        let is_else = !above.has_prices() || above.has_dates() && !above.is_whole();
        is_else && !below.is_empty() && (Announced::of(order, below).is_whole() || Self::begin_below(order, below))
    }

    fn of(announced: Announced, order: &ReadingOrder, below: usize) -> Self {
        let mut columns = Self(announced.columns(order, below));
        columns.widen_descriptions(order, below);
        columns.widen_numbers(order, below);
        columns
    }

    /// The columns below a row of captions of which we know only so many, where the arithmetic of the rows below tells them.
    pub fn proven(order: &ReadingOrder, first: usize, known_min: usize) -> Option<Self> {
        const LINES_MIN: usize = 3;
        const LETTERED_MIN: usize = 4;
        let row = order.rows[first].clone();
        let words = caption_words(order, &row);
        let begins_with_digit = |line: &&&TextLine| line.text.trim_start().starts_with(|c: char| c.is_ascii_digit());
        let numbers = order.lines[row.clone()].iter().filter(begins_with_digit).count();
        let amounts = words.iter().filter(|word| word.amount().is_some()).count();
        // Columns of days have numbers for captions: `31 1 2 3 total each charge`.
        let are_captions = numbers == 0 && amounts == 0 || row.len() - numbers >= LETTERED_MIN && amounts <= 1;
        if row.len() < LINES_MIN || !are_captions || first + 1 == order.rows.len() {
            return None;
        }
        let mut announced = Announced::of(order, std::slice::from_ref(&row));
        announced.add_currency(order, &row);
        (announced.count_known() >= known_min && announced.prove(order, first + 1)).then(|| Self::of(announced, order, first + 1))
    }

    /// A caption may stand above the middle of its column: that of descriptions begins where the lines do that stand below its caption and no other.
    fn widen_descriptions(&mut self, order: &ReadingOrder, first: usize) {
        let Some(at) = self.0.iter().position(|caption| caption.column == Some(Column::Description)) else { return };
        let alone = |line: &usize| {
            let line = order.lines[*line];
            line.text.contains(char::is_alphabetic) && meets_only(self.0.iter(), at, &line.quad)
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

    /// A caption may begin where its column does, and the numbers end where that ends: narrow ones stand nearer to the next caption. Where numbers end
    /// in one place, they all are of the caption that is nearest to the widest of them.
    fn widen_numbers(&mut self, order: &ReadingOrder, first: usize) {
        const NUMBERS_MIN: usize = 3;
        /// In heights of a number.
        const ALIGNED_MAX: f32 = 0.4;
        let rows = (0..ROWS_LOOKED_AT as isize).map_while(|offset| order.row_at(first, offset));
        let words = rows.flat_map(|row| plain_words(order, row)).filter(|word| word.number().is_some());
        let numbers: Vec<Quad> = words.map(|word| word.quad).collect();
        let ends_with = |like: &Quad, other: &&Quad| (like.right() - other.right()).abs() <= ALIGNED_MAX * like.height();
        for at in 0..self.0.len() {
            let next = self.0.get(at + 1).map_or(f32::INFINITY, |next| next.left);
            let nearest = |quad: &Quad| {
                let distance = |at: &usize| self.0[*at].distance(quad);
                (0..self.0.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)))
            };
            let is_own = |quad: &&Quad| quad.right() > self.0[at].right && quad.right() < next && nearest(quad) == Some(at);
            let column = |quad: &&Quad| numbers.iter().filter(|other| ends_with(quad, other)).count() >= NUMBERS_MIN;
            let widest = |quad: &&Quad| numbers.iter().filter(|other| ends_with(quad, other)).all(|other| other.left() >= quad.left());
            let is_of_text = matches!(self.0[at].column, Some(Column::Code | Column::Description | Column::Unit));
            let right = numbers
                .iter()
                .filter(|quad| is_own(quad) && column(quad) && widest(quad))
                .map(Quad::right)
                .fold(self.0[at].right, f32::max);
            if !is_of_text {
                self.0[at].right = right;
            }
        }
    }

    /// Whether a row of captions announces another table: VAT by rate, payments.
    pub fn announce_another_table(order: &ReadingOrder, row: Range<usize>) -> bool {
        const CAPTIONS_MIN: usize = 3;
        let words = words(order, row);
        let mut announced = Announced::default();
        announced.add(&words);
        let digits = words.iter().any(|word| word.text.contains(|c: char| c.is_ascii_digit()));
        announced.count() >= CAPTIONS_MIN && !digits && announced.is_known(CAPTION_SHARE_MIN) && !announced.is_table(true)
    }

    /// Sorts the words of a row into cells, each to the nearest caption that takes it. Words that no column takes are left out, and so are lines
    /// that stand wholly beside the table.
    pub fn cells<'a>(&self, words: Vec<Word<'a>>) -> Vec<Cell<'a>> {
        let mut cells: Vec<Cell> = Vec::new();
        let mut before: Option<(usize, Place)> = None;
        // `=`, `×` between the columns.
        let is_sign = |line: &[Word]| line.iter().all(|word| !word.whole.contains(char::is_alphanumeric) && !word.whole.contains('*'));
        let lines = words.chunk_by(|a, b| a.line == b.line).filter(|line| !is_sign(line) && !self.are_beside(line));
        let within = lines.flatten().cloned();
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
                // A number that is there already is not a second one of the same column; before a code the number of its item may stand.
                Some(cell)
                    if !matches!(column, Column::Code | Column::Description) && word.number().is_some() && cell.millionths().is_some() => {}
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
            _ if !nearest.known
                && nearest.column != Some(Column::Description)
                && word.is_measure()
                && context.before != Some(Place::In(Column::Description)) =>
            {
                Place::In(Column::Unit)
            }
            // `DSN-HR`, `TRVL`: what stands alone below a caption of codes needs no digit.
            None if context.ends_line && nearest.is_of_codes_without_digits(word) => Place::In(Column::Code),
            _ if nearest.takes(word) => goes(nearest),
            // `3 Std`: a quantity with its unit.
            Some(Place::In(Column::Quantity)) if !is_number && accepts(Column::Unit, word) => Place::In(Column::Unit),
            Some(Place::In(Column::Unit)) if !is_number => Place::Nowhere,
            // `33.70 C`: a code of tax; `6.50 €/kg`.
            Some(Place::In(Column::LineTotal | Column::UnitPrice)) if !is_number => Place::Nowhere,
            // `19 % VAT (S)`: what follows a rate.
            Some(Place::In(Column::VatRate) | Place::Nowhere) if !is_number => Place::Nowhere,
            // Captions of one line are placed by guess: the descriptions may begin further left.
            _ if !is_number && self.is_close_to_descriptions(word) => Place::In(Column::Description),
            // `3.5 | hours`: what begins right of the descriptions is none.
            None if !is_number && self.right_of_descriptions().is_some_and(|right| word.quad.left() > right) => Place::Nowhere,
            // Below a caption that it doesn't suit.
            _ if below => Place::Nowhere,
            _ => {
                // What stands alone, an amount, a rate or a short word wholly beside the descriptions, describes nothing.
                let alone = context.before.is_none()
                    && (word.amount().is_some() || word.text.ends_with('%') || self.is_short_beside_descriptions(word, context));
                let describes = !alone;
                let takes = |caption: &Caption| caption.takes(word) && (describes || caption.column != Some(Column::Description));
                self.nearest(word, takes).map_or(Place::Nowhere, goes)
            }
        }
    }

    /// Whether a line reaches below the caption of descriptions.
    fn meets_descriptions(&self, words: &[Word], line: usize) -> bool {
        let of_line: Vec<Word> = words.iter().filter(|word| word.line == line).cloned().collect();
        let Some(quad) = around_words(&of_line) else { return false };
        self.0.iter().any(|caption| caption.column == Some(Column::Description) && caption.meets(&quad))
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

    /// Whether all lines of a row stand beside the table: a sidebar's.
    pub fn are_all_beside(&self, words: &[Word]) -> bool {
        words.chunk_by(|a, b| a.line == b.line).all(|line| self.are_beside(line))
    }

    /// Whether words of one line end well before the table begins, or begin well behind its end.
    fn are_beside(&self, line: &[Word]) -> bool {
        let (Some(first), Some(last)) = (line.first(), line.last()) else { return false };
        let left = self.0.iter().map(|caption| caption.left).fold(f32::INFINITY, f32::min);
        let right = self.0.iter().map(|caption| caption.right).fold(0.0, f32::max);
        let distance = (left - last.quad.right()).max(first.quad.left() - right);
        distance > BESIDE_MIN * first.quad.height()
    }

    /// Whether a line is a unit or a code of a few letters that ends before the descriptions begin.
    fn is_short_beside_descriptions(&self, word: &Word, context: &Context) -> bool {
        const LETTERS_MAX: usize = 4;
        let before = |caption: &Caption| word.quad.right() < caption.left;
        let descriptions = self.0.iter().find(|caption| caption.column == Some(Column::Description));
        context.ends_line && word.text.chars().count() <= LETTERS_MAX && descriptions.is_some_and(before)
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

    /// Whether a code stands below each description, in the same column.
    pub fn code_below_description(&self) -> bool {
        self.0.iter().any(|caption| caption.code_below)
    }

    /// Says that a code stands above each description, or below.
    pub fn stack_codes(&mut self, above: bool) {
        let descriptions = self.0.iter_mut().filter(|caption| caption.column == Some(Column::Description));
        descriptions.for_each(|caption| (caption.code_above, caption.code_below) = (above, !above));
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
