//! Tables of goods: columns with captions, rows, rules, page breaks.

use engine::understand::draft::Column;

use super::designs::Extras;
use super::{bold_style, caption, plain_style};
use crate::synthetic::dice::Dice;
use crate::synthetic::documents::deal::{Deal, Item};
use crate::synthetic::documents::figures::Figures;
use crate::synthetic::documents::sheet::{Anchor, Mark, Sheet, Style, marked, plain};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    None,
    /// A rule under the captions and one at the end.
    Header,
    /// A rule under each row.
    Rows,
    /// Boxes.
    Grid,
    /// The captions in white on black.
    InverseHeader,
    /// Every other row on grey.
    Zebra,
}

/// Of the column of items' numbers, in heights of a capital.
const NUMBERS_WIDTH: f32 = 4.5;

/// The text in lines that fit, broken between words.
fn wrapped(sheet: &Sheet, text: &str, style: Style, width: f32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let line = sheet.fit(rest, style, width);
        if line.is_empty() {
            break;
        }
        rest = rest[line.len()..].trim_start();
        lines.push(line);
    }
    lines
}

/// A table in the making: where its columns stand.
pub struct Table<'d> {
    columns: Vec<(Column, f32, f32)>,
    captions: Vec<String>,
    /// The caption of the items' numbers, which stand in the margin.
    numbers: Option<String>,
    /// For each item what stands below it, if anything does.
    notes: Vec<Option<String>>,
    rules: Rules,
    cap: f32,
    step: f32,
    left: f32,
    right: f32,
    deal: &'d Deal,
    figures: &'d Figures,
}

/// The columns that make sense for the deal, of those the layout wants.
pub fn fitting_columns(deal: &Deal, wanted: &[Column]) -> Vec<Column> {
    let priced = deal.document_type != engine::understand::draft::DocumentType::DeliveryDocket;
    let discounted = deal.items.iter().any(|item| item.discount_permille != 0);
    let makes_sense = |column: &Column| match column {
        Column::UnitPrice | Column::LineTotal | Column::VatRate => priced,
        Column::Discount => priced && discounted,
        Column::Unit => deal.items.iter().any(|item| !item.unit.is_empty()),
        _ => true,
    };
    let mut columns: Vec<Column> = wanted.iter().copied().filter(makes_sense).collect();
    if priced && discounted && !columns.contains(&Column::Discount) {
        let before = columns.iter().position(|column| *column == Column::LineTotal).unwrap_or(columns.len());
        columns.insert(before, Column::Discount);
    }
    columns
}

/// Relative widths.
fn share(column: Column) -> f32 {
    match column {
        Column::Code => 1.2,
        Column::Description => 4.2,
        Column::Quantity => 0.9,
        Column::Unit => 0.9,
        Column::UnitPrice => 1.25,
        Column::Discount => 0.9,
        Column::VatRate => 0.9,
        Column::LineTotal => 1.4,
    }
}

fn caption_rule(column: Column) -> &'static str {
    match column {
        Column::Code => "code",
        Column::Description => "description",
        Column::Quantity => "quantity",
        Column::Unit => "unit",
        Column::UnitPrice => "unit price",
        Column::Discount => "discount",
        Column::VatRate => "vat rate",
        Column::LineTotal => "line total",
    }
}

/// What a cell says; blank where the item has nothing to say there.
pub fn cell(figures: &Figures, item: &Item, column: Column) -> String {
    match column {
        Column::Code => item.code.clone(),
        Column::Description => item.description.clone(),
        Column::Quantity => figures.quantity(item.quantity_milli),
        Column::Unit => item.unit.clone(),
        Column::UnitPrice => figures.money(item.unit_price_cents),
        Column::Discount if item.discount_permille == 0 => String::new(),
        Column::Discount => figures.rate(item.discount_permille),
        Column::VatRate => figures.rate(item.rate_permille),
        Column::LineTotal => figures.money(item.total_cents),
    }
}

impl<'d> Table<'d> {
    #[allow(clippy::too_many_arguments)] // a table is where all of these meet; a struct of them would only be taken apart here
    pub fn new(
        dice: &mut Dice,
        deal: &'d Deal,
        figures: &'d Figures,
        columns: &[Column],
        rules: Rules,
        extras: Extras,
        cap: f32,
        left: f32,
        right: f32,
    ) -> Self {
        let numbers = extras.are_numbered().then(|| caption(dice, deal.country, "position"));
        let note = |dice: &mut Dice| (extras.are_noted() && dice.chance(0.5)).then(|| caption(dice, deal.country, "item note"));
        let notes = deal.items.iter().map(|_| note(dice)).collect();
        let columns = fitting_columns(deal, columns);
        let total: f32 = columns.iter().map(|column| share(*column)).sum();
        let margin = if numbers.is_some() { NUMBERS_WIDTH * cap } else { 0.0 };
        let (margin_left, left) = (left, left + margin);
        let mut x = left;
        let mut placed = Vec::with_capacity(columns.len());
        for column in &columns {
            let width = share(*column) / total * (right - left);
            placed.push((*column, x, x + width));
            x += width;
        }
        let captions = columns.iter().map(|column| caption(dice, deal.country, caption_rule(*column))).collect();
        let step = cap * dice.within(2.0..2.7);
        Self { columns: placed, captions, numbers, notes, rules, cap, step, left: margin_left, right, deal, figures }
    }

    /// Prints captions and rows from `top` on, on further pages beyond `bottom`; returns where the table ends.
    pub fn print(&self, sheet: &mut Sheet, top: f32, bottom: f32) -> f32 {
        let mut head = top;
        let mut y = self.print_captions(sheet, top);
        for (i, item) in self.deal.items.iter().enumerate() {
            let height = self.height(i, sheet);
            if y + height > bottom {
                self.close(sheet, head, y);
                sheet.new_page();
                head = sheet.height * 0.06;
                y = self.print_captions(sheet, head);
            }
            if self.rules == Rules::Zebra && i % 2 == 0 {
                sheet.fill(self.left, y, self.right, y + height, 0.1);
            }
            self.print_row(sheet, i, item, y);
            y += height;
            if matches!(self.rules, Rules::Rows | Rules::Grid) {
                sheet.rule(self.left, self.right, y, 1.0);
            }
        }
        self.close(sheet, head, y);
        y + self.step * 0.5
    }

    fn print_captions(&self, sheet: &mut Sheet, top: f32) -> f32 {
        let end = top + self.step * 1.1;
        let inverse = self.rules == Rules::InverseHeader;
        if inverse {
            sheet.fill(self.left, top, self.right, end, 0.85);
        }
        let style = Style { density: if inverse { -1.0 } else { 1.0 }, ..bold_style(self.cap) };
        if let Some(numbers) = &self.numbers {
            sheet.write(Anchor::Left(self.left + self.cap * 0.4), self.baseline(top), style, &[plain(numbers)]);
        }
        for (&(column, left, right), caption) in self.columns.iter().zip(&self.captions) {
            let text = sheet.fit(caption, style, right - left - self.cap * 0.8);
            sheet.write(self.anchor(column, left, right), self.baseline(top), style, &[plain(text)]);
        }
        if self.rules != Rules::None && !inverse {
            sheet.rule(self.left, self.right, end, self.cap / 8.0);
        }
        end
    }

    fn print_row(&self, sheet: &mut Sheet, i: usize, item: &Item, top: f32) {
        let style = plain_style(self.cap);
        if self.numbers.is_some() {
            sheet.write(Anchor::Left(self.left + self.cap * 0.4), self.baseline(top), style, &[plain((i + 1).to_string())]);
        }
        for &(column, left, right) in &self.columns {
            let anchor = self.anchor(column, left, right);
            let width = right - left - self.cap * 0.8;
            let text = cell(self.figures, item, column);
            if column != Column::Description {
                let text = sheet.fit(&text, style, width);
                if !text.is_empty() {
                    sheet.write(anchor, self.baseline(top), style, &[marked(text, Mark::Item(i, column))]);
                }
                continue;
            }
            let mut y = self.baseline(top);
            for line in wrapped(sheet, &text, style, width) {
                sheet.write(anchor, y, style, &[marked(line, Mark::Item(i, column))]);
                y += self.line_step();
            }
            if let Some(note) = &self.notes[i] {
                let small = plain_style(self.cap * 0.85);
                let note = sheet.fit(note, small, self.right - left);
                sheet.write(anchor, y, small, &[plain(note)]);
            }
        }
    }

    /// Of an item's row: its description may take several lines, and a note one more.
    fn height(&self, i: usize, sheet: &Sheet) -> f32 {
        let described = self.columns.iter().find(|(column, ..)| *column == Column::Description);
        let lines = described.map_or(1, |&(column, left, right)| {
            let text = cell(self.figures, &self.deal.items[i], column);
            wrapped(sheet, &text, plain_style(self.cap), right - left - self.cap * 0.8).len().max(1)
        });
        let more = lines - 1 + usize::from(described.is_some() && self.notes[i].is_some());
        self.step + more as f32 * self.line_step()
    }

    /// From one line of an item to the next.
    fn line_step(&self) -> f32 {
        self.cap * 1.7
    }

    fn close(&self, sheet: &mut Sheet, top: f32, bottom: f32) {
        match self.rules {
            Rules::Grid => {
                sheet.frame(self.left, top, self.right, bottom, self.cap / 10.0);
                for &(_, left, _) in &self.columns[1..] {
                    sheet.fill(left, top, left + 1.0, bottom, 0.8);
                }
            }
            Rules::None | Rules::Zebra => {}
            _ => sheet.rule(self.left, self.right, bottom, self.cap / 8.0),
        }
    }

    fn baseline(&self, top: f32) -> f32 {
        top + (self.step + self.cap) / 2.0
    }

    /// Words stand left, numbers right.
    fn anchor(&self, column: Column, left: f32, right: f32) -> Anchor {
        match column {
            Column::Code | Column::Description | Column::Unit => Anchor::Left(left + self.cap * 0.4),
            _ => Anchor::Right(right - self.cap * 0.4),
        }
    }
}
