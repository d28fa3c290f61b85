//! A table of goods under captions. An item begins with the row that prints its total, or with the one whose total stands half a row
//! lower; the rows below it may go on with its description and its codes. A delivery docket prints no totals: there an item begins
//! with each quantity.

mod inference;

use std::sync::LazyLock;

use regex::Regex;

use super::cells::{Cell, Word, around_words};
use super::columns::Columns;
use super::{Goods, MOST, is_caption_of_code};
use crate::geometry::Quad;
use crate::understand::draft::Column;
use inference::factors;

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
    Regex::new(&format!(r"(?i)^\W*(?:{note})\b(?:[^\d]{{0,12}})\S*\d")).expect("the pattern is a constant that a test compiles")
});

/// Whether a cell is one word that is a code: `NDS-PY6`, `H26/28`, `VATR60`.
fn is_code_alone(cell: &Cell) -> bool {
    cell.words.len() == 1 && is_code(&cell.words[0])
}

fn is_code(word: &Word) -> bool {
    let text = word.text.trim_end_matches([',', ';']);
    let has = |is: fn(char) -> bool| text.contains(is);
    text.len() > 2 && has(|c| c.is_ascii_digit()) && has(|c| c.is_ascii_uppercase()) && !has(char::is_lowercase)
}

/// `NAP-W`.
fn is_hyphened(word: &Word) -> bool {
    word.text.len() > 3 && word.text.contains('-') && word.text.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'-')
}

/// `981783`, `4361107347084`.
fn is_long_number(word: &Word) -> bool {
    const DIGITS_MIN: usize = 5;
    word.is_digits() && word.text.len() >= DIGITS_MIN
}

/// `FF`, `BOS`, `PAK`: a unit in capitals.
fn is_abbreviation(word: &Word) -> bool {
    (2..=3).contains(&word.text.len()) && word.text.bytes().all(|c| c.is_ascii_uppercase())
}

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
    Regex::new(&format!(r"(?i)^\W*(?:(?:{dated})\b[.:]?\s*\d|(?:{numbered})\b[.:]?\s*\S*\d|(?:{said})\b\s*:?)|\b(?:lot|batch|use by|best before)\b[.:]?\s*\S*\d"))
        .expect("the pattern is a constant that a test compiles")
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

    /// Whether the row prints the total of the one before it.
    pub fn completes(&self, row: &Row<'a>) -> bool {
        let Some(open) = &self.open else { return false };
        let (Some(quad), Some(below)) = (open.quad(), row.quad()) else { return false };
        let shares = row.cells.iter().any(|cell| !is_of_text(cell) && open.cell(cell.column).is_some());
        let close = below.top() - quad.bottom() <= TOTAL_GAP_MAX * quad.height();
        row.cell(Column::LineTotal).is_some() && !shares && close && open.page == row.page
    }

    pub fn read(&mut self, row: Row<'a>) {
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
        self.drop_what_is_no_rate();
        self.drop_positions();
        self.move_out(Column::Code, |word| is_code(word) || is_long_number(word) || is_hyphened(word));
        self.move_out(Column::VatRate, |word| word.text.ends_with('%'));
        self.move_out(Column::Unit, |word| word.is_measure() || is_abbreviation(word));
        self.find_stacked_codes();
        let limit = self.right_edge_of_descriptions();
        let Self { columns, entries, .. } = self;
        entries.into_iter().map(|entry| entry.resolve(&columns, limit)).collect()
    }

    /// Below a caption of tax, 1 and 2 are codes that a legend explains, and numbers with odd hundredths amounts: no rates.
    fn drop_what_is_no_rate(&mut self) {
        const TENTH: i64 = 100;
        let rates = || self.entries.iter().filter_map(|entry| entry.goods.cell(Column::VatRate));
        let is_code = |cell: &Cell| matches!(cell.words.as_slice(), [word] if word.text.len() == 1 && word.is_digits());
        let is_amount = |cell: &Cell| !cell.words[0].text.ends_with('%') && cell.thousandths().is_some_and(|value| value % TENTH != 0);
        let (codes, some) = (rates().all(is_code), rates().any(|cell| matches!(cell.words[0].text, "1" | "2")));
        if codes && some || rates().any(is_amount) {
            self.entries.iter_mut().for_each(|entry| entry.goods.cells.retain(|cell| cell.column != Column::VatRate));
        }
    }

    /// Numbers of items that stand before each description: `A.1`, `A.2`, `B.1`.
    fn drop_positions(&mut self) {
        const POSITIONS_MIN: usize = 3;
        let number = |word: &Word| -> Option<u32> {
            let digits =
                word.text.trim_start_matches(|c: char| c.is_ascii_uppercase()).trim_start_matches('.').trim_end_matches(['.', ')']);
            (word.text.len() - digits.len() <= 3).then(|| digits.parse().ok()).flatten()
        };
        let first = |entry: &Entry| {
            let words = entry.goods.cell(Column::Description).map(|cell| cell.words.as_slice()).filter(|words| words.len() > 1)?;
            number(&words[0])
        };
        let numbers: Vec<Option<u32>> = self.entries.iter().map(first).collect();
        let follows = |pair: &[Option<u32>]| pair[1] == Some(1) || pair[0].zip(pair[1]).is_some_and(|(a, b)| b == a + 1);
        if numbers.len() >= POSITIONS_MIN && numbers[0] == Some(1) && numbers.windows(2).all(follows) {
            let descriptions =
                self.entries.iter_mut().flat_map(|entry| &mut entry.goods.cells).filter(|cell| cell.column == Column::Description);
            descriptions.for_each(|cell| cell.words = cell.words.split_off(1));
        }
    }

    /// Words of a column that no caption explains stand among the descriptions, each a line of its own: where most items have one, it is that column.
    fn move_out(&mut self, column: Column, is: impl Fn(&Word) -> bool) {
        let is_own = |word: &Word| word.whole.trim() == word.text && is(word);
        let place = |entry: &Entry| {
            let words = &entry.description()?.words;
            words.iter().position(is_own).filter(|_| words.len() > 1)
        };
        let places: Vec<Option<usize>> = self.entries.iter().map(place).collect();
        let found = places.iter().flatten().count();
        let is_known = self.entries.iter().any(|entry| entry.goods.has(column));
        if is_known || found < 2 || (found as f32) < MOST * places.len() as f32 {
            return;
        }
        for (entry, place) in self.entries.iter_mut().zip(places) {
            let description = entry.goods.cells.iter_mut().find(|cell| cell.column == Column::Description);
            if let Some(word) = description.zip(place).map(|(cell, place)| cell.words.remove(place)) {
                entry.goods.cells.push(Cell { column, words: vec![word] });
            }
        }
    }

    /// Where most descriptions are single codes, each with a text below it, those texts are the descriptions; where a code stands below most, it is theirs.
    fn find_stacked_codes(&mut self) {
        let has_code = self.entries.iter().any(|entry| entry.goods.has(Column::Code));
        if has_code || self.columns.code_above_description() || self.columns.code_below_description() {
            return;
        }
        let above = |entry: &Entry<'a>| entry.description().is_some_and(is_code_alone) && entry.below_description().is_some();
        let beneath = |entry: &Entry<'a>| {
            entry.description().is_some_and(|cell| !is_code_alone(cell)) && entry.below_description().is_some_and(begins_with_code)
        };
        let most = |is: &dyn Fn(&Entry<'a>) -> bool| {
            let count = self.entries.iter().filter(|entry| is(entry)).count();
            count > 0 && count as f32 >= MOST * self.entries.len() as f32
        };
        let (above, beneath) = (most(&above), self.entries.len() > 1 && most(&beneath));
        if above || beneath {
            self.columns.stack_codes(above);
        }
    }

    fn push(&mut self, row: Row<'a>) {
        let Some(quad) = row.quad() else { return };
        let mut goods = row.goods();
        let before: Vec<i64> = self.entries.iter().filter_map(|entry| entry.goods.value(Column::LineTotal)).collect();
        if goods.is_sum_of(&before) {
            return;
        }
        goods.part_unit();
        if !goods.has(Column::Description) && !self.columns.code_above_description() {
            let before = self.entries.last_mut().map_or(&mut self.above, |last| &mut last.below);
            goods.describe(before.pop_if(|row| !row.is_delivery()).map(|row| row.words));
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
        Goods { cells: self.cells.clone(), probability: self.probability, page: self.page, captioned: true }
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
        goods.drop_numbers_behind();
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

/// The code that a row below an item begins with, behind its caption: `Ref. QMAN-3M · Lote Q8841`, `SKU CS-CORK`.
fn code_below<'a>(below: &[Row<'a>]) -> Option<Cell<'a>> {
    let of_code = |row: &Row<'a>| {
        // `Art. / Code: AL-274`.
        let captions = row.words.iter().take_while(|word| is_caption_of_code(word) || !word.text.contains(char::is_alphanumeric)).count();
        let code = row.words.get(captions).filter(|_| captions > 0)?;
        let is_code =
            code.text.contains(|c: char| c.is_ascii_digit()) || code.text.contains('-') && !code.text.contains(char::is_lowercase);
        is_code.then(|| Cell { column: Column::Code, words: vec![code.clone()] })
    };
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
