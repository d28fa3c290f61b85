//! A table of goods under captions. An item begins with the row that prints its total, or with the one whose total stands half a row
//! lower; the rows below it may go on with its description and its codes. A delivery docket prints no totals: there an item begins
//! with each quantity.

use super::Goods;
use super::cells::{Cell, Word, around_words, is_product};
use super::columns::Columns;
use crate::geometry::Quad;
use crate::understand::draft::Column;

/// Lines of one item follow each other at most this far apart, in heights of a line.
const LINE_GAP_MAX: f32 = 0.8;
/// A total may stand this much lower than the rest of its row.
const TOTAL_GAP_MAX: f32 = 0.3;
/// Lines of one description begin at most this far apart.
const INDENT_MAX: f32 = 1.0;
/// The width of a space.
const SPACE: f32 = 0.3;
/// Digits of a GTIN, the number that an article has in all shops: the seller's own is preferred.
const GTIN_DIGITS_MIN: usize = 12;

/// A row of the table, its words in cells.
pub(super) struct Row<'a> {
    pub words: Vec<Word<'a>>,
    pub cells: Vec<Cell<'a>>,
    pub page: usize,
    /// How far it is believed to be one of goods.
    pub probability: f32,
}

/// An item, and the rows below it that print no total.
struct Entry<'a> {
    goods: Goods<'a>,
    words: Vec<Word<'a>>,
    quad: Quad,
    below: Vec<Row<'a>>,
}

/// The reading of a table, row by row.
pub(super) struct Captioned<'a> {
    columns: Columns,
    entries: Vec<Entry<'a>>,
    /// A row of goods whose total may stand lower.
    open: Option<Row<'a>>,
    /// Rows before the first item.
    above: Vec<Row<'a>>,
}

impl<'a> Captioned<'a> {
    pub fn new(columns: Columns) -> Self {
        Self { columns, entries: Vec::new(), open: None, above: Vec::new() }
    }

    /// What makes a row an item.
    fn mark(&self) -> Column {
        if self.columns.are_priced() { Column::LineTotal } else { Column::Quantity }
    }

    /// Sorts a row's words into the columns.
    pub fn row(&self, words: Vec<Word<'a>>, page: usize, probability: f32) -> Row<'a> {
        Row { cells: self.columns.cells(words.clone()), words, page, probability }
    }

    /// Whether the row prints the total of the one before it.
    pub fn completes(&self, row: &Row<'a>) -> bool {
        let Some(open) = &self.open else { return false };
        let (Some(quad), Some(below)) = (open.quad(), row.quad()) else { return false };
        let shares = row.cells.iter().any(|cell| cell.column != Column::Code && open.cell(cell.column).is_some());
        let close = below.top() - quad.bottom() <= TOTAL_GAP_MAX * quad.height();
        row.cell(Column::LineTotal).is_some() && !shares && close && open.page == row.page
    }

    pub fn read(&mut self, row: Row<'a>) {
        if self.completes(&row)
            && let Some(open) = self.open.take()
        {
            self.push(open.with(row));
        } else if row.cell(self.mark()).is_some() {
            self.close();
            match self.entries.last_mut().filter(|last| row.goods().restates(Some(&last.goods))) {
                Some(last) => last.goods.take(row.goods()),
                None => self.push(row),
            }
        } else if row.cell(Column::UnitPrice).is_some() && row.cell(Column::Description).is_some() {
            self.close();
            self.open = Some(row);
        } else {
            self.close();
            self.add_below(row);
        }
    }

    /// The items in order.
    pub fn finish(mut self) -> Vec<Goods<'a>> {
        self.close();
        let limit = self.right_edge_of_descriptions();
        let Self { columns, entries, .. } = self;
        entries.into_iter().map(|entry| entry.resolve(&columns, limit)).collect()
    }

    fn push(&mut self, row: Row<'a>) {
        let Some(quad) = row.quad() else { return };
        let mut goods = row.goods();
        if !goods.has(Column::Description) && !self.columns.code_above_description() {
            let before = self.entries.last_mut().map_or(&mut self.above, |last| &mut last.below);
            goods.describe(before.pop().map(|row| row.words));
        }
        self.entries.push(Entry { goods, words: row.words, quad, below: Vec::new() });
    }

    /// An open row whose total never came is text below the item before.
    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.add_below(open);
        }
    }

    fn add_below(&mut self, row: Row<'a>) {
        self.entries.last_mut().map_or(&mut self.above, |last| &mut last.below).push(row);
    }

    /// How far to the right the descriptions go that stay in their column.
    fn right_edge_of_descriptions(&self) -> f32 {
        let lines = self.entries.iter().flat_map(|entry| entry.lines(&self.columns)).filter_map(Cell::quad);
        lines.filter(|quad| !self.columns.end_descriptions_before(quad)).map(|quad| quad.right()).fold(0.0, f32::max)
    }
}

impl<'a> Row<'a> {
    fn cell(&self, column: Column) -> Option<&Cell<'a>> {
        self.cells.iter().find(|cell| cell.column == column)
    }

    fn quad(&self) -> Option<Quad> {
        around_words(&self.words)
    }

    fn goods(&self) -> Goods<'a> {
        Goods { cells: self.cells.clone(), probability: self.probability, page: self.page, captioned: true }
    }

    /// This row and what stands half a row lower.
    fn with(mut self, lower: Self) -> Self {
        self.words.extend(lower.words);
        for cell in lower.cells {
            if self.cell(cell.column).is_none() {
                self.cells.push(cell);
            }
        }
        self
    }
}

impl<'a> Entry<'a> {
    /// The lines that may describe the item: each begins where the one above it does, close below it, and stays in the column.
    fn lines<'c>(&'c self, columns: &Columns) -> Vec<&'c Cell<'a>> {
        let mut lines: Vec<&Cell> = self.goods.cell(Column::Description).into_iter().collect();
        let mut above = lines.first().and_then(|cell| cell.quad());
        for row in self.below.iter().filter(|row| row.page == self.goods.page) {
            let Some((cell, quad)) = row.cell(Column::Description).and_then(|cell| Some((cell, cell.quad()?))) else { continue };
            let above = above.replace(quad).unwrap_or(self.quad);
            let height = quad.height();
            let aligned = lines.is_empty() || (above.left() - quad.left()).abs() <= INDENT_MAX * height;
            let close = quad.top() - above.bottom() <= LINE_GAP_MAX * height;
            if !aligned || !close || columns.end_descriptions_before(&quad) {
                break;
            }
            lines.push(cell);
        }
        lines
    }

    /// The item with what the rows below say of it.
    fn resolve(mut self, columns: &Columns, limit: f32) -> Goods<'a> {
        self.choose_code();
        self.infer_quantity();
        let lines: Vec<Cell> = self.lines(columns).into_iter().cloned().collect();
        let mut goods = self.goods;
        // Where codes stand above descriptions, what seemed to be one was the code.
        let (above, lines) = lines.split_at(usize::from(columns.code_above_description() && goods.has(Column::Description)).min(lines.len()));
        if let Some(above) = above.first() {
            goods.set(Cell { column: Column::Code, ..above.clone() });
        }
        if let Some((first, rest)) = lines.split_first() {
            let mut words = first.words.clone();
            let mut last = first;
            for line in rest {
                if !wraps(last, line, limit) {
                    break;
                }
                words.extend(line.words.iter().cloned());
                last = line;
            }
            goods.set(Cell { column: Column::Description, words });
        }
        goods
    }

    /// A number that no caption explains is the quantity if the arithmetic says so.
    fn infer_quantity(&mut self) {
        let goods = &self.goods;
        let (None, Some(price), Some(total)) =
            (goods.cell(Column::Quantity), goods.value(Column::UnitPrice), goods.value(Column::LineTotal))
        else {
            return;
        };
        let is_free = |word: &&Word| !goods.cells.iter().any(|cell| cell.words.contains(word));
        let is_quantity = |word: &&Word| word.number().is_some_and(|number| is_product(number.thousandths, price, total));
        if let Some(word) = self.words.iter().filter(is_free).find(is_quantity).cloned() {
            self.goods.cells.push(Cell { column: Column::Quantity, words: vec![word] });
        }
    }

    /// Of codes that stand below each other the last is the seller's own: the buyer's stands above it, and a GTIN is nobody's own.
    fn choose_code(&mut self) {
        let mut bottom = self.quad;
        let mut codes: Vec<Cell> = self.goods.cell(Column::Code).into_iter().cloned().collect();
        for row in self.below.iter().filter(|row| row.page == self.goods.page) {
            let Some((cell, quad)) = row.cell(Column::Code).and_then(|cell| Some((cell, cell.quad()?))) else { continue };
            if quad.top() - bottom.bottom() > LINE_GAP_MAX * quad.height() {
                break;
            }
            bottom = quad;
            codes.push(cell.clone());
        }
        let is_gtin = |cell: &&Cell| cell.words.iter().any(|word| word.text.len() >= GTIN_DIGITS_MIN && word.is_digits());
        let own = codes.iter().rev().find(|cell| !is_gtin(cell)).or(codes.first()).cloned();
        self.goods.cells.retain(|cell| cell.column != Column::Code);
        self.goods.cells.extend(own);
    }
}

/// Whether a line goes on with the one above it: its first word would not have fitted behind the last one.
fn wraps(above: &Cell, below: &Cell, limit: f32) -> bool {
    let (Some(above), Some(first)) = (above.quad(), below.words.first()) else { return false };
    above.right() + SPACE * above.height() + first.quad.width() > limit
}
