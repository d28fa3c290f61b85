//! Receipts of tills: a narrow strip, the shop on top, items in one of several forms, totals, tax, payment.

use engine::understand::draft::{Column, HeaderField};

use super::table::cell;
use super::{Side, bold_style, caption, plain_style, tax_number, title_and_number};
use crate::synthetic::dice::Dice;
use crate::synthetic::documents::deal::{Deal, Item};
use crate::synthetic::documents::figures::Figures;
use crate::synthetic::documents::sheet::{Anchor, Face, Faces, Mark, Page, Piece, Sheet, Style, VatColumn, header, marked, plain};
use crate::synthetic::grammar::wording;
use crate::synthetic::typefaces::within_charset;

/// Room for the longest receipt; what is not used is cut off.
const HEIGHT_MAX_PX: f32 = 4200.0;

/// How an item is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemForm {
    /// `2 Pint of Stout        11.80`
    QuantityFirst,
    /// The name with the amount; above one piece a row `2 @ 5.90` under it.
    NameThenAmount,
    /// The name in a row of its own, then `2 x 5.90` and the amount.
    NameAbove,
    /// Code and name, then quantity, price and amount in columns.
    CodeAbove,
    /// Four columns: name, quantity, price, amount.
    Columns,
}

#[derive(Debug, Clone, Copy)]
pub struct TillLayout {
    pub name: &'static str,
    pub head: Side,
    pub items: ItemForm,
    /// A table of tax by rate at the end.
    pub tax_table: bool,
    /// The tax number at the top, else at the bottom.
    pub tax_number_on_top: bool,
    pub upper_case: bool,
}

pub const LAYOUTS: [TillLayout; 6] = [
    TillLayout {
        name: "pub till",
        head: Side::Centre,
        items: ItemForm::QuantityFirst,
        tax_table: true,
        tax_number_on_top: true,
        upper_case: false,
    },
    TillLayout {
        name: "corner shop",
        head: Side::Centre,
        items: ItemForm::NameThenAmount,
        tax_table: false,
        tax_number_on_top: false,
        upper_case: true,
    },
    TillLayout {
        name: "supermarket",
        head: Side::Left,
        items: ItemForm::NameThenAmount,
        tax_table: true,
        tax_number_on_top: true,
        upper_case: true,
    },
    TillLayout {
        name: "hardware shop",
        head: Side::Centre,
        items: ItemForm::CodeAbove,
        tax_table: true,
        tax_number_on_top: true,
        upper_case: true,
    },
    TillLayout {
        name: "restaurant",
        head: Side::Centre,
        items: ItemForm::NameAbove,
        tax_table: false,
        tax_number_on_top: true,
        upper_case: false,
    },
    TillLayout {
        name: "cash bill",
        head: Side::Left,
        items: ItemForm::Columns,
        tax_table: true,
        tax_number_on_top: true,
        upper_case: true,
    },
];

impl TillLayout {
    pub fn mixed(dice: &mut Dice) -> Self {
        Self {
            name: "mixed till",
            head: *dice.pick(&[Side::Centre, Side::Centre, Side::Left]),
            items: *dice.pick(&[
                ItemForm::QuantityFirst,
                ItemForm::NameThenAmount,
                ItemForm::NameAbove,
                ItemForm::CodeAbove,
                ItemForm::Columns,
            ]),
            tax_table: dice.chance(0.5),
            tax_number_on_top: dice.chance(0.75),
            upper_case: dice.chance(0.5),
        }
    }

    pub fn print(&self, dice: &mut Dice, deal: &Deal, figures: &Figures, faces: Faces) -> Vec<Page> {
        let width = dice.within(480.0..860.0f32).floor();
        let margin = width * dice.within(0.03..0.1);
        let letters = dice.within(34.0..46.0);
        // A strip takes so many figures of the face's width.
        let cap = (width - 2.0 * margin) / (letters * faces.text.width("0", crate::synthetic::typefaces::Setting::plain(1.0)));
        let mut strip = Strip {
            sheet: Sheet::new(width, HEIGHT_MAX_PX, faces),
            deal,
            figures,
            layout: *self,
            y: cap * dice.within(2.0..5.0),
            step: cap * dice.within(1.65..2.1),
            style: plain_style(cap),
            left: margin,
            right: width - margin,
            dice,
        };
        strip.print();
        strip.sheet.pages
    }
}

/// One receipt being printed, from top to bottom.
struct Strip<'a, 'd> {
    sheet: Sheet<'a>,
    dice: &'d mut Dice,
    deal: &'d Deal,
    figures: &'d Figures,
    layout: TillLayout,
    y: f32,
    step: f32,
    style: Style,
    left: f32,
    right: f32,
}

impl Strip<'_, '_> {
    fn print(&mut self) {
        self.head();
        self.references();
        self.separator();
        self.items();
        self.separator();
        self.totals();
        self.payment();
        if self.layout.tax_table {
            self.tax_table();
        }
        if !self.layout.tax_number_on_top {
            self.tax_number();
        }
        self.close();
        let bottom = self.y + self.style.cap_height_px * self.dice.within(1.0..4.0);
        self.sheet.cut_below(bottom);
    }

    fn cased(&self, text: &str) -> String {
        if self.layout.upper_case { within_charset(&text.to_uppercase()) } else { text.to_owned() }
    }

    fn caption(&mut self, name: &str) -> String {
        caption(self.dice, self.deal.country, name)
    }

    /// One line over the strip's width, then the next baseline; cut where it is too long.
    fn row(&mut self, side: Side, style: Style, pieces: &[Piece]) {
        self.sheet.write(side.anchor(self.left, self.right), self.y, style, pieces);
        self.y += self.step * (style.cap_height_px / self.style.cap_height_px).max(1.0);
    }

    fn fitted(&self, text: &str, style: Style) -> String {
        self.sheet.fit(text, style, self.right - self.left)
    }

    /// Words at the left, an amount at the right.
    fn caption_and_amount(&mut self, style: Style, words: &[Piece], amount: Piece) {
        self.sheet.write(Anchor::Left(self.left), self.y, style, words);
        self.row(Side::Right, style, &[amount]);
    }

    fn head(&mut self) {
        let side = self.layout.head;
        let large = Style { cap_height_px: self.style.cap_height_px * self.dice.within(1.0..1.7), face: Face::Title, ..self.style };
        let name = self.cased(&self.deal.supplier.name);
        for line in self.wrapped(&name, large) {
            self.row(side, large, &[header(line, HeaderField::SupplierName)]);
        }
        let last = self.deal.supplier.address.len() - 1;
        for (i, line) in self.deal.supplier.address.iter().enumerate() {
            let text = self.cased(line) + if i < last { "," } else { "" };
            let text = self.fitted(&text, self.style);
            self.row(side, self.style, &[header(text, HeaderField::SupplierAddress)]);
        }
        if self.dice.chance(0.75) {
            let caption = self.caption("phone");
            let colon = *self.dice.pick(&[": ", ":", " : ", " "]);
            let phone = header(&self.deal.supplier.phone, HeaderField::SupplierPhone);
            self.row(side, self.style, &[plain(format!("{caption}{colon}")), phone]);
        }
        if self.layout.tax_number_on_top {
            self.tax_number();
        }
        self.y += self.step * 0.5;
    }

    /// `text` in as many lines as it needs.
    fn wrapped(&self, text: &str, style: Style) -> Vec<String> {
        let mut lines = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let line = self.fitted(rest, style);
            if line.is_empty() {
                break;
            }
            rest = rest[line.len()..].trim_start();
            lines.push(line);
        }
        lines
    }

    fn tax_number(&mut self) {
        let caption = self.caption("tax number");
        let number = tax_number(self.dice, self.deal);
        let colon = *self.dice.pick(&[": ", ":", " : ", " "]);
        self.row(self.layout.head, self.style, &[plain(format!("{caption}{colon}")), header(number, HeaderField::SupplierVatId)]);
    }

    fn references(&mut self) {
        let (title, number) = title_and_number(self.dice, self.deal);
        if self.dice.chance(0.6) {
            self.row(Side::Centre, bold_style(self.style.cap_height_px), &[plain(title)]);
        }
        let colon = *self.dice.pick(&[": ", ":", " : ", " "]);
        let number = [plain(format!("{number}{colon}")), header(&self.deal.number, HeaderField::InvoiceNumber)];
        let time = within_charset(&wording(self.dice, "time"));
        let date = header(self.figures.date(self.deal.issued), HeaderField::IssueDate);
        let dated = if self.dice.chance(0.5) { vec![plain(format!("{}{colon}", self.caption("date"))), date] } else { vec![date] };
        match self.dice.within(0..3) {
            0 => {
                self.row(Side::Left, self.style, &number);
                self.row(Side::Left, self.style, &[dated, vec![plain(format!(" {time}"))]].concat());
            }
            1 => {
                self.sheet.write(Anchor::Left(self.left), self.y, self.style, &dated);
                self.row(Side::Right, self.style, &[plain(time)]);
                self.row(Side::Left, self.style, &number);
            }
            _ => {
                self.row(Side::Left, self.style, &dated);
                self.row(Side::Left, self.style, &number);
            }
        }
        if self.dice.chance(0.6) {
            let cashier = self.caption("cashier");
            self.row(Side::Left, self.style, &[plain(cashier)]);
        }
    }

    fn separator(&mut self) {
        if self.dice.chance(0.75) {
            let (y, cap) = (self.y - self.style.cap_height_px * 0.5, self.style.cap_height_px);
            if self.dice.chance(0.7) {
                self.sheet.dashes(self.left, self.right, y, cap * 0.6)
            } else {
                self.sheet.rule(self.left, self.right, y, 2.0)
            }
        }
        self.y += self.step * 0.6;
    }

    fn items(&mut self) {
        if self.layout.items == ItemForm::Columns {
            self.column_captions();
        }
        let tax_letter = self.dice.chance(0.3);
        for (i, item) in self.deal.items.iter().enumerate() {
            match self.layout.items {
                ItemForm::QuantityFirst => self.quantity_first(i, item, tax_letter),
                ItemForm::NameThenAmount => self.name_then_amount(i, item, tax_letter),
                ItemForm::NameAbove => self.name_above(i, item),
                ItemForm::CodeAbove => self.code_above(i, item, tax_letter),
                ItemForm::Columns => self.columns(i, item),
            }
        }
    }

    /// The amount at the right, with a letter for its rate where the till prints one.
    fn amount(&mut self, i: usize, item: &Item, tax_letter: bool) -> f32 {
        let rate = self.deal.vat.iter().position(|row| row.rate_permille == item.rate_permille).unwrap_or(0);
        let letter = if tax_letter { format!(" {}", char::from(b'A' + rate as u8)) } else { String::new() };
        let pieces = [self.piece(i, item, Column::LineTotal), plain(letter)];
        self.sheet.write(Anchor::Right(self.right), self.y, self.style, &pieces).0
    }

    fn piece(&self, i: usize, item: &Item, column: Column) -> Piece {
        marked(cell(self.figures, item, column), Mark::Item(i, column))
    }

    fn description(&self, i: usize, item: &Item, width: f32) -> Piece {
        marked(self.sheet.fit(&self.cased(&item.description), self.style, width), Mark::Item(i, Column::Description))
    }

    fn quantity_first(&mut self, i: usize, item: &Item, tax_letter: bool) {
        let edge = self.amount(i, item, tax_letter);
        let quantity = self.piece(i, item, Column::Quantity);
        let room = edge - self.left - self.sheet.text_width(&format!("{}   ", quantity.text), self.style);
        let description = self.description(i, item, room);
        self.row(Side::Left, self.style, &[quantity, plain(" "), description]);
    }

    fn name_then_amount(&mut self, i: usize, item: &Item, tax_letter: bool) {
        let edge = self.amount(i, item, tax_letter);
        let description = self.description(i, item, edge - self.left - 2.0 * self.style.cap_height_px);
        self.row(Side::Left, self.style, &[description]);
        if item.quantity_milli != 1000 {
            let at = *self.dice.pick(&[" @ ", " x ", " X "]);
            let pieces = [plain("  "), self.piece(i, item, Column::Quantity), plain(at), self.piece(i, item, Column::UnitPrice)];
            self.row(Side::Left, self.style, &pieces);
        }
    }

    fn name_above(&mut self, i: usize, item: &Item) {
        let description = self.description(i, item, self.right - self.left);
        self.row(Side::Left, self.style, &[description]);
        self.amount(i, item, false);
        let pieces = [self.piece(i, item, Column::Quantity), plain(" x "), self.piece(i, item, Column::UnitPrice)];
        let indent = self.left + self.style.cap_height_px * 2.0;
        self.sheet.write(Anchor::Left(indent), self.y, self.style, &pieces);
        self.y += self.step;
    }

    fn code_above(&mut self, i: usize, item: &Item, tax_letter: bool) {
        let code = self.piece(i, item, Column::Code);
        let room = self.right - self.left - self.sheet.text_width(&format!("{} ", code.text), self.style);
        let description = self.description(i, item, room);
        self.row(Side::Left, self.style, &[code, plain(" "), description]);
        self.amount(i, item, tax_letter);
        let span = self.right - self.left;
        let mut pieces = vec![self.piece(i, item, Column::Quantity)];
        if !item.unit.is_empty() {
            pieces.extend([plain(" "), self.piece(i, item, Column::Unit)]);
        }
        self.sheet.write(Anchor::Right(self.left + span * 0.35), self.y, self.style, &pieces);
        let price = self.piece(i, item, Column::UnitPrice);
        self.sheet.write(Anchor::Right(self.left + span * 0.62), self.y, self.style, &[price]);
        self.y += self.step;
    }

    fn column_captions(&mut self) {
        let captions = ["description", "quantity", "unit price", "line total"].map(|name| self.caption(name));
        let room = (self.right - self.left) * 0.2;
        for (anchor, caption) in self.column_anchors().into_iter().zip(captions) {
            let text = self.sheet.fit(&caption, self.style, room);
            self.sheet.write(anchor, self.y, self.style, &[plain(text)]);
        }
        self.y += self.step;
        self.separator();
    }

    fn column_anchors(&self) -> [Anchor; 4] {
        let span = self.right - self.left;
        [Anchor::Left(self.left), Anchor::Right(self.left + span * 0.56), Anchor::Right(self.left + span * 0.78), Anchor::Right(self.right)]
    }

    fn columns(&mut self, i: usize, item: &Item) {
        let [name, quantity, price, _] = self.column_anchors();
        let short = (self.right - self.left) * 0.44;
        let whole = self.description(i, item, self.right - self.left);
        if self.sheet.text_width(&whole.text, self.style) > short {
            self.row(Side::Left, self.style, &[whole]);
        } else {
            self.sheet.write(name, self.y, self.style, &[whole]);
        }
        let (count, each) = (self.piece(i, item, Column::Quantity), self.piece(i, item, Column::UnitPrice));
        self.sheet.write(quantity, self.y, self.style, &[count]);
        self.sheet.write(price, self.y, self.style, &[each]);
        self.amount(i, item, false);
        self.y += self.step;
    }

    fn totals(&mut self) {
        let (deal, figures) = (self.deal, self.figures);
        let colon = *self.dice.pick(&["", ":", " :"]);
        if self.dice.chance(0.35) {
            let count = self.caption("item count");
            self.caption_and_amount(self.style, &[plain(format!("{count}{colon}"))], plain(deal.items.len().to_string()));
        }
        let shows_net = deal.vat_cents != 0 && self.dice.chance(0.35);
        if shows_net {
            let (net, vat) = (self.caption("net"), self.caption("vat amount"));
            self.caption_and_amount(self.style, &[plain(format!("{net}{colon}"))], header(figures.money(deal.net_cents), HeaderField::Net));
            self.caption_and_amount(self.style, &[plain(format!("{vat}{colon}"))], header(figures.money(deal.vat_cents), HeaderField::Vat));
        } else if self.dice.chance(0.4) {
            let subtotal = self.caption("subtotal");
            self.caption_and_amount(self.style, &[plain(format!("{subtotal}{colon}"))], plain(figures.money(deal.gross_cents)));
        }
        let cap = self.style.cap_height_px * *self.dice.pick(&[1.0, 1.0, 1.25, 1.6]);
        let caption = self.caption("receipt gross");
        let gross = header(figures.total(deal.gross_cents), HeaderField::Gross);
        self.y += self.step * if cap > self.style.cap_height_px { 0.5 } else { 0.0 };
        let style = if self.dice.chance(0.6) { bold_style(cap) } else { plain_style(cap) };
        self.caption_and_amount(style, &[plain(format!("{caption}{colon}"))], gross);
    }

    fn payment(&mut self) {
        let figures = self.figures;
        let gross = self.deal.gross_cents;
        if self.dice.chance(0.55) {
            let note = *self.dice.pick(&[500, 1000, 2000, 5000]);
            let tendered = (gross + note - 1) / note * note;
            let (cash, change) = (self.caption("tendered"), self.caption("change"));
            self.caption_and_amount(self.style, &[plain(cash)], plain(figures.money(tendered)));
            self.caption_and_amount(self.style, &[plain(change)], plain(figures.money(tendered - gross)));
        } else if self.dice.chance(0.7) {
            let card = self.caption("card");
            self.caption_and_amount(self.style, &[plain(card)], plain(figures.money(gross)));
        }
        self.y += self.step * 0.5;
    }

    fn tax_table(&mut self) {
        let title = self.caption("vat summary");
        let span = self.right - self.left;
        let edges = [self.left + span * 0.3, self.left + span * 0.65, self.right];
        self.row(Side::Left, self.style, &[plain(title)]);
        for (i, row) in self.deal.vat.iter().enumerate() {
            let cells = [
                (self.figures.rate(row.rate_permille), VatColumn::Rate),
                (self.figures.money(row.net_cents), VatColumn::Net),
                (self.figures.money(row.vat_cents), VatColumn::Amount),
            ];
            for (edge, (text, column)) in edges.into_iter().zip(cells) {
                self.sheet.write(Anchor::Right(edge), self.y, self.style, &[marked(text, Mark::Vat(i, column))]);
            }
            self.y += self.step;
        }
        self.y += self.step * 0.5;
    }

    fn close(&mut self) {
        let rule = format!("{} closing", self.deal.country.language().code());
        for _ in 0..self.dice.within(1..=3) {
            let text = within_charset(&wording(self.dice, &rule));
            let text = self.fitted(&self.cased(&text), self.style);
            self.row(Side::Centre, self.style, &[plain(text)]);
        }
    }
}
