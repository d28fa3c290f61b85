//! A table of goods under captions. An item begins with the row that prints its total, or with the one whose total stands half a row
//! lower; the rows below it may go on with its description and its codes. A delivery docket prints no totals: there an item begins
//! with each quantity.

mod inference;
mod parting;

use crate::pattern::pattern;
use std::sync::LazyLock;

use regex::Regex;

use super::Goods;
use super::cells::{Cell, Word, around_words};
use super::columns::Columns;
use super::goods::code_behind_caption;
use super::uncaptioned::{factors_alone, is_code_alone};
use crate::geometry::Quad;
use crate::understand::draft::Column;
use inference::factors;
use parting::is_code;

/// Lines of one item follow each other at most this far apart, in heights of a line.
const LINE_GAP_MAX: f32 = 0.8;
/// Rows of a docket's goods follow each other at most this far apart.
const ROW_GAP_MAX: f32 = 4.0;
/// Descriptions that leave more of their column blank are not broken to fit it.
const BLANK_SHARE_MAX: f32 = 0.3;
/// A total may stand this much lower than the rest of its row.
const TOTAL_GAP_MAX: f32 = 0.3;
/// Lines of one description begin at most this far apart.
const INDENT_MAX: f32 = 1.0;
/// Lines of one size are about as high, or their letters about as wide: descenders and narrow letters change one of the two.
const HEIGHT_SHARE_MIN: f32 = 0.92;
const LETTER_WIDTH_SHARE_MIN: f32 = 0.93;
/// Codes below each other begin at most this far apart, in heights of a line.
const CODE_INDENT_MAX: f32 = 2.0;
/// The width of a space.
const SPACE: f32 = 0.3;
/// Rows below an item that may begin with its code.
const CODE_ROWS_BELOW: usize = 2;
/// Digits of a GTIN, the number that an article has in all shops: the seller's own is preferred.
const GTIN_DIGITS_MIN: usize = 12;

/// What was delivered together stands below a line of its own: `Shipment No. SS-118402 / 24-02-26`, `Bon n° 1187 du mardi 3 mars`.
static DELIVERY: LazyLock<Regex> = LazyLock::new(|| {
    let note = r"shipment|delivery(?: note)?|docket|lieferschein|livraison|bon|bl|albar[aá]n|tkt|ticket|(?:y?our |ihre )?(?:order|bestellung)|auftrag|commande|pakbon|ddt|despatch(?: note)?";
    pattern(&format!(r"(?i)^\W*(?:rif\.? )?(?:{note})\b(?:[^\d]{{0,12}})\S*\d"))
});

/// Whether a cell begins with a code: `KOM-GIN-24, batch 0617`.
fn begins_with_code(cell: &Cell) -> bool {
    cell.words
        .first()
        .is_some_and(|word| is_code(word) && (cell.words.len() == 1 || word.text.contains('-') || word.text.ends_with([',', ';'])))
}

/// Notes below an item: `Charge 27694`, `MHD 15.05.26`, `Allergene: A, C, G`, `ASIN: B0C8T4WQ1K`.
static NOTE: LazyLock<Regex> = LazyLock::new(|| {
    let dated = r"mhd|bbe?|exp|scad|tht|tgt|dlc|ddm|best before|use by";
    let numbered = r"charge|lote?|lotto|batch|asin|ean|gtin|sku|mpn|s/n|serial(?: no)?|hs code|zolltarif(?:nummer)?|job ref";
    let said =
        r"allerg[eéè]n[ei]?s?|allergeni|herkunft|origine?|origen|herkomst|ursprung|incl\. travel|billing period|standing order|by the \w+$";
    pattern(&format!(
        r"(?i)^\W*(?:(?:{dated})\b[.:]?\s*\d|(?:{numbered})\b[.:]?\s*\S*\d|\(?l[.-] ?(?:[a-z] )?\S*\d|(?:{said})\b\s*:?)|\b(?:lot|batch|use by|best before|tht|mhd|dlc)\b[.:]?\s*\S*\d"
    ))
});

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

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.open.is_none()
    }

    /// What makes a row an item.
    fn mark(&self) -> Column {
        match (self.columns.are_totalled(), self.columns.are_priced()) {
            (true, _) => Column::LineTotal,
            (false, true) => Column::UnitPrice,
            (false, false) => Column::Quantity,
        }
    }

    /// Sorts a row's words into the columns.
    pub fn row(&self, words: Vec<Word<'a>>, page: usize, probability: f32) -> Row<'a> {
        Row { cells: self.columns.cells(words.clone()), words, page, probability }
    }

    /// Whether the row is an item beyond doubt: quantity x price = total, in their columns or in those that no caption explains.
    pub fn is_item(&self, row: &Row<'a>) -> bool {
        let goods = row.goods();
        goods.is_proven() || goods.has(Column::Description) && factors(&goods, &row.words).is_some()
    }

    /// Whether the row has all that the last item has, of which nothing proves it: a description, a quantity and a total.
    pub fn is_like_last(&self, row: &Row<'a>) -> bool {
        let Some(last) = self.entries.last() else { return false };
        let needed = [Column::Description, Column::Quantity, Column::LineTotal];
        needed.iter().all(|column| row.cell(*column).is_some())
            && last.goods.cells.iter().all(|cell| matches!(cell.column, Column::Unit | Column::Discount) || row.cell(cell.column).is_some())
    }

    /// Whether the row prints the total of the one before it.
    pub fn completes(&self, row: &Row<'a>) -> bool {
        let Some(open) = &self.open else { return false };
        let (Some(quad), Some(below)) = (open.quad(), row.quad()) else { return false };
        let shares = row.cells.iter().any(|cell| !is_of_text(cell) && open.cell(cell.column).is_some());
        let close = below.top() - quad.bottom() <= TOTAL_GAP_MAX * quad.height();
        row.cell(Column::LineTotal).is_some() && !shares && close && open.page == row.page
    }

    pub fn read(&mut self, row: Row<'a>) {
        if self.columns.are_all_beside(&row.words) {
            return;
        }
        // A line drawn with signs.
        if !row.words.iter().any(|word| word.text.contains(char::is_alphanumeric)) {
            self.above.clear();
            return;
        }
        if self.completes(&row)
            && let Some(open) = self.open.take()
        {
            let (numbers, texts) = row.parted();
            self.push(open.with(numbers));
            self.add_below(texts);
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
        self.part_columns();
        let limit = self.right_edge_of_descriptions();
        let Self { columns, entries, .. } = self;
        entries.into_iter().map(|entry| entry.resolve(&columns, limit)).collect()
    }

    fn push(&mut self, row: Row<'a>) {
        let Some(quad) = row.quad() else { return };
        let mut goods = row.goods();
        let before: Vec<i64> = self.entries.iter().filter_map(|entry| entry.goods.value(Column::LineTotal)).collect();
        if goods.is_sum_of(&before) {
            return;
        }
        goods.part_unit();
        if !goods.has(Column::Quantity) && !goods.has(Column::UnitPrice) {
            let before = self.entries.last_mut().map_or(&mut self.above, |last| &mut last.below);
            let factors = before.last().map(|row| factors_alone(&row.words)).unwrap_or_default();
            goods.take_factors_above(factors);
            if goods.has(Column::Quantity) {
                before.pop();
            }
        }
        if let Some(found) = factors(&goods, &row.words).filter(|_| !goods.is_proven()) {
            goods.take_factors(found);
        }
        if !self.columns.code_above_description() {
            goods.count_by_description();
        }
        goods.undescribe();
        if !goods.has(Column::Description) && !self.columns.code_above_description() {
            let before = self.entries.last_mut().map_or(&mut self.above, |last| &mut last.below);
            let above = before.pop_if(|row| !row.is_delivery()).map(|row| row.words);
            let is_code = |row: &mut Row| matches!(row.words.as_slice(), [word] if is_code_alone(word));
            let code = above.as_ref().and_then(|_| before.pop_if(is_code)).map(|row| row.words);
            goods.describe(above.map(|above| code.into_iter().flatten().chain(above).collect()));
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

    /// How far to the right the descriptions go that stay in their column; infinitely far where they leave so much of it blank that none
    /// can have been broken.
    fn right_edge_of_descriptions(&self) -> f32 {
        let lines: Vec<Quad> = self.entries.iter().flat_map(|entry| entry.lines(&self.columns)).filter_map(Cell::quad).collect();
        let inside = lines.iter().filter(|quad| !self.columns.are_left_by(quad));
        let right = inside.map(Quad::right).fold(0.0, f32::max);
        let left = lines.iter().map(Quad::left).fold(f32::INFINITY, f32::min);
        let blank = self.columns.right_of_descriptions().map_or(0.0, |next| (next - right) / (next - left).max(1.0));
        if blank > BLANK_SHARE_MAX { f32::INFINITY } else { right }
    }

    /// Whether a row stands so far below the last item that it belongs to no table of goods. Where prices are printed, sums tell.
    pub fn is_over_before(&self, row: &Row<'a>) -> bool {
        let last = self.entries.last().and_then(|last| last.below.last().and_then(Row::quad).or(Some(last.quad)));
        let far = |last: &Quad, row: &Quad| row.top() - last.bottom() > ROW_GAP_MAX * last.height();
        !self.columns.are_priced() && last.zip(row.quad()).is_some_and(|(last, row)| far(&last, &row))
    }
}

impl<'a> Row<'a> {
    fn cell(&self, column: Column) -> Option<&Cell<'a>> {
        self.cells.iter().find(|cell| cell.column == column)
    }

    /// Whether it has an amount, but neither a quantity nor a price nor a code.
    pub fn is_bare_amount(&self) -> bool {
        let has = |column: Column| self.cell(column).is_some();
        has(Column::LineTotal) && ![Column::Quantity, Column::UnitPrice, Column::Code].into_iter().any(has)
    }

    fn quad(&self) -> Option<Quad> {
        around_words(&self.words)
    }

    /// Whether it says what was delivered, or ordered, together.
    fn is_delivery(&self) -> bool {
        self.words.first().is_some_and(|word| DELIVERY.is_match(word.whole))
    }

    /// Whether it says something about the goods above it that is no part of their name.
    fn is_note(&self) -> bool {
        self.words.first().is_some_and(|word| NOTE.is_match(word.whole))
    }

    fn goods(&self) -> Goods<'a> {
        Goods { cells: self.cells.clone(), probability: self.probability, page: self.page, captioned: true, above: Vec::new() }
    }

    /// The numbers of the row, and its texts.
    fn parted(self) -> (Self, Self) {
        let (texts, numbers) = self.cells.into_iter().partition(is_of_text);
        let part = |cells: Vec<Cell<'a>>| {
            let words = cells.iter().flat_map(|cell| cell.words.iter().cloned()).collect();
            Self { words, cells, page: self.page, probability: self.probability }
        };
        (part(numbers), part(texts))
    }

    /// This row with the numbers that stand half a row lower.
    fn with(mut self, numbers: Self) -> Self {
        self.words.extend(numbers.words);
        self.cells.extend(numbers.cells);
        self
    }
}

/// Texts go on below; numbers do not.
fn is_of_text(cell: &Cell) -> bool {
    matches!(cell.column, Column::Code | Column::Description)
}

impl<'a> Entry<'a> {
    fn description(&self) -> Option<&Cell<'a>> {
        self.goods.cell(Column::Description)
    }

    /// What the row right below it has in the column of descriptions.
    fn below_description(&self) -> Option<&Cell<'a>> {
        self.below.first()?.cell(Column::Description)
    }

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
            // A heading that begins in another column.
            let begins_before = line_start(&row.words, cell) < quad.left() - INDENT_MAX * height;
            if !aligned || !close || begins_before || row.is_delivery() || row.is_note() {
                break;
            }
            // Below its code a description may have the row for itself.
            let has_row = columns.code_above_description() && lines.len() == 1 && row.cells.len() == 1;
            let is_code = columns.code_below_description() && begins_with_code(cell);
            if is_code || !has_row && leaves_column(cell, &quad, columns) {
                break;
            }
            lines.push(cell);
        }
        lines
    }

    /// The code below the description, in the same column.
    fn code_beneath(&self, columns: &Columns) -> Option<Cell<'a>> {
        let cells = self.below.iter().take(CODE_ROWS_BELOW).filter_map(|row| row.cell(Column::Description));
        let code = cells.filter(|_| columns.code_below_description()).find(|cell| begins_with_code(cell))?;
        Some(Cell { column: Column::Code, words: vec![code.words[0].without_bracket()] })
    }

    /// The item with what the rows below say of it.
    fn resolve(mut self, columns: &Columns, limit: f32) -> Goods<'a> {
        self.choose_code();
        self.infer_discount();
        self.infer_factors();
        self.infer_total();
        self.order_factors();
        let lines: Vec<Cell> = self.lines(columns).into_iter().cloned().collect();
        let beneath = self.code_beneath(columns);
        let mut goods = self.goods;
        // Where codes stand above descriptions, what seemed to be one was the code.
        let is_code = |cell: &Cell| cell.words.len() == 1 || cell.words.iter().any(|word| word.text.contains(|c: char| c.is_ascii_digit()));
        let has_code = columns.code_above_description() && goods.has(Column::Description) && lines.len() > 1 && is_code(&lines[0]);
        let (above, lines) = lines.split_at(usize::from(has_code));
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
        goods.part_code();
        if !goods.has(Column::Code) {
            goods.cells.extend(beneath.or_else(|| code_below(&self.below)));
        }
        goods.part_numbers_from_code();
        goods
    }

    /// Of codes that stand below each other the last is the seller's own: the buyer's stands above it, and a GTIN is nobody's own.
    fn choose_code(&mut self) {
        let mut bottom = self.quad;
        let mut codes: Vec<Cell> = self.goods.cell(Column::Code).into_iter().cloned().collect();
        let mut left = codes.first().map(|code| line_start(&self.words, code));
        for row in self.below.iter().filter(|row| row.page == self.goods.page) {
            let Some((cell, quad)) = row.cell(Column::Code).and_then(|cell| Some((cell, cell.quad()?))) else { continue };
            let start = line_start(&row.words, cell);
            let aligned = (*left.get_or_insert(start) - start).abs() <= CODE_INDENT_MAX * quad.height();
            if !aligned || quad.top() - bottom.bottom() > LINE_GAP_MAX * quad.height() {
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

/// The code that a row below an item begins with, behind its caption.
fn code_below<'a>(below: &[Row<'a>]) -> Option<Cell<'a>> {
    let of_code = |row: &Row<'a>| Some(Cell { column: Column::Code, words: vec![row.words[code_behind_caption(&row.words)?].clone()] });
    below.iter().take(CODE_ROWS_BELOW).find_map(of_code)
}

/// Where the line begins that a cell is of: the line that a code ends may begin with a word, `Toolbox 0815`.
fn line_start(words: &[Word], cell: &Cell) -> f32 {
    let of_line = |word: &&Word| cell.words.iter().any(|own| own.line == word.line);
    words.iter().filter(of_line).map(|word| word.quad.left()).fold(f32::INFINITY, f32::min)
}

/// Whether a line reaches below other captions. A long word may: it cannot be broken.
fn leaves_column(line: &Cell, quad: &Quad, columns: &Columns) -> bool {
    line.words.len() > 1 && columns.are_left_by(quad)
}

/// Whether a line goes on with the one above it: its first word would not have fitted behind the last one, or it is a single word in
/// the same size, which is no note of its own.
fn wraps(last: &Cell, below: &Cell, limit: f32) -> bool {
    let (Some(above), Some(first)) = (last.quad(), below.words.first()) else { return false };
    let fitted = above.right() + SPACE * above.height() + first.quad.width() <= limit;
    let height = |cell: &Cell| cell.quad().map_or(0.0, |quad| quad.height());
    let same_size =
        height(below) >= HEIGHT_SHARE_MIN * height(last) || below.letter_width() >= LETTER_WIDTH_SHARE_MIN * last.letter_width();
    same_size && (!fitted || below.words.len() == 1)
}
