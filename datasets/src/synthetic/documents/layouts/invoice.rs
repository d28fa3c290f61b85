//! Invoices, credit notes and dockets on A4: letterhead, references, customer, table of goods, VAT summary, totals, footer.

use engine::understand::draft::{DocumentType, HeaderField};

mod letterhead;

use super::designs::{InvoiceLayout, Letterhead, References, VatPlace};
use super::table::Table;
use super::{Side, bold_style, caption, plain_style, title_and_number};
use crate::synthetic::dice::Dice;
use crate::synthetic::documents::deal::Deal;
use crate::synthetic::documents::figures::Figures;
use crate::synthetic::documents::sheet::{Anchor, Faces, Mark, Page, Piece, Sheet, Style, VatColumn, header, marked, plain};
use crate::synthetic::grammar::wording;
use crate::synthetic::typefaces::within_charset;

/// Width of A4 at about 150 dots an inch; the height follows.
const WIDTH_PX: f32 = 1240.0;
const A4_RATIO: f32 = std::f32::consts::SQRT_2;

impl InvoiceLayout {
    pub fn print(&self, dice: &mut Dice, deal: &Deal, figures: &Figures, faces: Faces) -> Vec<Page> {
        let width = WIDTH_PX * dice.within(0.85..1.15);
        let cap = width * dice.within(0.0098..0.0125);
        let margin = width * dice.within(0.05..0.09);
        let sheet = Sheet::new(width, width * A4_RATIO, faces);
        let step = cap * dice.within(1.75..2.2);
        let tax_below = dice.chance(0.25);
        let mut press = Press { sheet, dice, deal, figures, cap, step, left: margin, right: width - margin, tax_below };
        press.print(self);
        press.sheet.pages
    }
}

/// One document being printed.
struct Press<'a, 'd> {
    sheet: Sheet<'a>,
    dice: &'d mut Dice,
    deal: &'d Deal,
    figures: &'d Figures,
    cap: f32,
    /// From one baseline to the next.
    step: f32,
    left: f32,
    right: f32,
    /// The supplier's tax number stands in the footer.
    tax_below: bool,
}

impl Press<'_, '_> {
    fn print(&mut self, layout: &InvoiceLayout) {
        let (title, number) = title_and_number(self.dice, self.deal);
        let y = self.letterhead(layout.letterhead, &title);
        let as_form = layout.letterhead == Letterhead::Form;
        let y = self.parties_and_references(layout, &number, as_form, y);
        // The foot of a letter is higher where it says who sends it.
        let bottom = self.sheet.height * if layout.letterhead == Letterhead::Sender { 0.84 } else { 0.93 };
        let table =
            Table::new(self.dice, self.deal, self.figures, layout.columns, layout.rules, layout.extras, self.cap, self.left, self.right);
        let y = table.print(&mut self.sheet, y, bottom);
        let priced = self.deal.document_type != DocumentType::DeliveryDocket;
        let wanted = self.step * (7.0 + self.deal.vat.len() as f32);
        let y = if priced && y + wanted > bottom {
            self.sheet.new_page();
            self.sheet.height * 0.07
        } else {
            y
        };
        if priced {
            self.totals(layout, y + self.step);
        }
        if layout.letterhead == Letterhead::Sender {
            self.imprint();
        }
        self.footer();
    }

    fn caption(&mut self, name: &str) -> String {
        caption(self.dice, self.deal.country, name)
    }

    /// `Caption: ` as one document always ends its captions.
    fn colon(&mut self) -> &'static str {
        self.dice.pick::<&str>(&[": ", " ", ": ", " : ", ". "])
    }

    fn write(&mut self, anchor: Anchor, y: f32, style: Style, pieces: &[Piece]) {
        self.sheet.write(anchor, y, style, pieces);
    }

    fn parties_and_references(&mut self, layout: &InvoiceLayout, number: &str, as_form: bool, top: f32) -> f32 {
        let references = self.reference_pieces(number);
        let middle = (self.left + self.right) / 2.0 + self.cap;
        if as_form {
            let below = self.customer_form(top);
            return self.references(&references, self.left, below + self.step, true) + self.step;
        }
        match layout.references {
            References::Lines | References::Columns => {
                let (customer, side) = if layout.customer == Side::Right { (middle, self.left) } else { (self.left, middle) };
                let below_customer = self.customer(customer, customer + (self.right - self.left) / 2.0 - 2.0 * self.cap, top);
                let below = self.references(&references, side, top, layout.references == References::Columns);
                below_customer.max(below) + self.step
            }
            References::Boxes => {
                let left = if layout.customer == Side::Right { middle } else { self.left };
                let y = self.customer(left, left + (self.right - self.left) / 2.0, top) + self.step * 0.5;
                self.reference_boxes(&references, y)
            }
            References::Row => {
                let left = if layout.customer == Side::Right { middle } else { self.left };
                let y = self.customer(left, left + (self.right - self.left) / 2.0, top) + self.step;
                self.reference_row(&references, y)
            }
        }
    }

    /// Caption and value of number, date and the like, the number and the date first as a rule.
    fn reference_pieces(&mut self, number: &str) -> Vec<(String, Piece)> {
        let deal = self.deal;
        let mut pieces = vec![
            (number.to_owned(), header(&deal.number, HeaderField::InvoiceNumber)),
            (self.caption("date"), header(self.figures.date(deal.issued), HeaderField::IssueDate)),
        ];
        if self.dice.chance(0.3) {
            pieces.swap(0, 1);
        }
        if deal.document_type == DocumentType::Invoice && self.dice.chance(0.5) {
            pieces.push((self.caption("due"), header(self.figures.date(deal.due), HeaderField::DueDate)));
        }
        for name in ["account", "order"] {
            if self.dice.chance(0.4) {
                let value = within_charset(&wording(self.dice, "reference number"));
                pieces.push((self.caption(name), plain(value)));
            }
        }
        pieces
    }

    fn customer(&mut self, left: f32, right: f32, top: f32) -> f32 {
        let (style, caption) = (plain_style(self.cap), self.caption("customer"));
        let colon = if self.dice.chance(0.5) { ":" } else { "" };
        let mut y = top;
        self.write(Anchor::Left(left), y, bold_style(self.cap), &[plain(format!("{caption}{colon}"))]);
        y += self.step;
        let name = self.sheet.fit(&self.deal.customer.name, style, right - left);
        self.write(Anchor::Left(left), y, style, &[header(name, HeaderField::CustomerName)]);
        for line in &self.deal.customer.address {
            y += self.step;
            self.write(Anchor::Left(left), y, style, &[plain(line)]);
        }
        y + self.step
    }

    fn customer_form(&mut self, top: f32) -> f32 {
        let heading = self.caption("customer");
        self.write(Anchor::Left(self.left), top, bold_style(self.cap), &[plain(heading)]);
        let customer = &self.deal.customer;
        let mut rows = vec![("party name", header(&customer.name, HeaderField::CustomerName))];
        rows.extend(customer.address.iter().map(|line| ("party address", plain(line))));
        self.form_rows(&rows, self.left, top + self.step)
    }

    fn references(&mut self, references: &[(String, Piece)], left: f32, top: f32, columns: bool) -> f32 {
        let (style, colon) = (plain_style(self.cap), self.colon());
        let widest = references.iter().map(|(caption, _)| self.sheet.text_width(caption, bold_style(self.cap))).fold(0.0, f32::max);
        let mut y = top;
        for (caption, piece) in references {
            if columns {
                self.write(Anchor::Left(left), y, bold_style(self.cap), &[plain(format!("{caption}{}", colon.trim_end()))]);
                self.write(Anchor::Left(left + widest + 3.0 * self.cap), y, style, std::slice::from_ref(piece));
            } else {
                self.write(Anchor::Left(left), y, style, &[plain(format!("{caption}{colon}")), piece.clone()]);
            }
            y += self.step;
        }
        y
    }

    fn reference_boxes(&mut self, references: &[(String, Piece)], top: f32) -> f32 {
        let width = (self.right - self.left) / references.len() as f32;
        let (inner, bottom) = (top + self.step * 1.3, top + self.step * 2.7);
        for (i, (caption, piece)) in references.iter().enumerate() {
            let left = self.left + i as f32 * width;
            let middle = Anchor::Centre(left + width / 2.0);
            self.sheet.frame(left, top, left + width, bottom, 1.0);
            let caption = self.sheet.fit(caption, bold_style(self.cap * 0.9), width - self.cap);
            self.write(middle, top + self.step * 0.95, bold_style(self.cap * 0.9), &[plain(caption)]);
            self.write(middle, inner + self.step, plain_style(self.cap), std::slice::from_ref(piece));
        }
        self.sheet.rule(self.left, self.right, inner, 1.0);
        bottom + self.step
    }

    fn reference_row(&mut self, references: &[(String, Piece)], y: f32) -> f32 {
        let (style, colon) = (plain_style(self.cap), self.colon());
        let mut x = self.left;
        for (caption, piece) in references {
            let pieces = [plain(format!("{caption}{colon}")), piece.clone()];
            let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
            let width = self.sheet.text_width(&text, style);
            if x + width > self.right {
                break;
            }
            self.write(Anchor::Left(x), y, style, &pieces);
            x += width + 4.0 * self.cap;
        }
        y + self.step * 1.5
    }

    fn totals(&mut self, layout: &InvoiceLayout, top: f32) {
        let left = self.left + (self.right - self.left) * 0.6;
        if layout.vat == VatPlace::Row && self.deal.vat.len() == 1 {
            return self.sums_in_a_row(top);
        }
        if matches!(layout.vat, VatPlace::Summary | VatPlace::Row) {
            self.vat_summary(top, left - 3.0 * self.cap);
        }
        let net = header(self.figures.total(self.deal.net_cents), HeaderField::Net);
        let mut rows: Vec<(Vec<Piece>, Vec<Piece>, bool)> = vec![(vec![plain(self.caption("net"))], vec![net], false)];
        if layout.vat == VatPlace::ByRate {
            rows.extend(self.rate_rows());
        }
        if layout.vat != VatPlace::ByRate || self.deal.vat.len() > 1 {
            let vat = header(self.figures.total(self.deal.vat_cents), HeaderField::Vat);
            rows.push((vec![plain(self.caption("vat amount"))], vec![vat], false));
        }
        rows.push((vec![plain(self.caption("gross"))], vec![header(self.figures.total(self.deal.gross_cents), HeaderField::Gross)], true));
        let mut y = top;
        for (caption, pieces, heavy) in &rows {
            let style = if *heavy { bold_style(self.cap * 1.15) } else { plain_style(self.cap) };
            self.write(Anchor::Left(left), y, style, caption);
            self.write(Anchor::Right(self.right - self.cap * 0.4), y, style, pieces);
            y += self.step * 1.15;
        }
        if layout.framed_totals {
            self.sheet.frame(left - self.cap, top - self.step * 1.1, self.right, y - self.step * 0.4, 2.0);
        }
        self.currency(left, y);
    }

    /// Net, rate, VAT and gross below their captions; for deals with one rate.
    fn sums_in_a_row(&mut self, top: f32) {
        let vat = self.deal.vat[0];
        let cells = [
            ("net", marked(self.figures.total(self.deal.net_cents), Mark::Header(HeaderField::Net))),
            ("vat rate", marked(self.figures.rate(vat.rate_permille), Mark::Vat(0, VatColumn::Rate))),
            ("vat amount", header(self.figures.total(self.deal.vat_cents), HeaderField::Vat)),
            ("gross", header(self.figures.total(self.deal.gross_cents), HeaderField::Gross)),
        ];
        let width = (self.right - self.left) / cells.len() as f32;
        for (i, (caption, piece)) in cells.iter().enumerate() {
            let edge = Anchor::Right(self.left + width * (i + 1) as f32 - self.cap * 0.4);
            let caption = self.caption(caption);
            let caption = self.sheet.fit(&caption, bold_style(self.cap), width - self.cap);
            self.write(edge, top, bold_style(self.cap), &[plain(caption)]);
            self.write(edge, top + self.step, plain_style(self.cap), std::slice::from_ref(piece));
        }
        self.sheet.rule(self.left, self.right, top + self.step * 1.5, 1.0);
        self.currency(self.left, top + self.step * 2.5);
    }

    /// `VAT @ 23%` and its amount, rate by rate.
    fn rate_rows(&mut self) -> Vec<(Vec<Piece>, Vec<Piece>, bool)> {
        let name = self.deal.country.tax_name();
        let deal = self.deal;
        let row = |(i, row): (usize, &crate::synthetic::documents::deal::VatRow)| {
            let amount = marked(self.figures.money(row.vat_cents), Mark::Vat(i, VatColumn::Amount));
            let rate = marked(self.figures.rate(row.rate_permille), Mark::Vat(i, VatColumn::Rate));
            (vec![plain(format!("{name} ")), rate], vec![amount], false)
        };
        deal.vat.iter().enumerate().map(row).collect()
    }

    fn vat_summary(&mut self, top: f32, right: f32) {
        let title = self.caption("vat summary");
        self.write(Anchor::Left(self.left), top, bold_style(self.cap), &[plain(title)]);
        let width = (right - self.left) / 3.0;
        let captions = [self.caption("vat rate"), self.caption("net"), self.caption("vat amount")];
        let mut y = top + self.step;
        for (i, caption) in captions.iter().enumerate() {
            let edge = self.left + width * (i + 1) as f32 - self.cap;
            let caption = self.sheet.fit(caption, bold_style(self.cap), width - 2.0 * self.cap);
            self.write(Anchor::Right(edge), y, bold_style(self.cap), &[plain(caption)]);
        }
        self.sheet.rule(self.left, right - self.cap * 0.5, y + self.step * 0.35, 1.0);
        for (i, row) in self.deal.vat.iter().enumerate() {
            y += self.step;
            let cells = [
                (self.figures.rate(row.rate_permille), VatColumn::Rate),
                (self.figures.money(row.net_cents), VatColumn::Net),
                (self.figures.money(row.vat_cents), VatColumn::Amount),
            ];
            for (k, (text, column)) in cells.into_iter().enumerate() {
                let edge = self.left + width * (k + 1) as f32 - self.cap;
                self.write(Anchor::Right(edge), y, plain_style(self.cap), &[marked(text, Mark::Vat(i, column))]);
            }
        }
    }

    /// The currency in words of its own, where the amounts don't show it.
    fn currency(&mut self, left: f32, y: f32) {
        if !self.figures.shows_currency() && self.dice.chance(0.6) {
            let pieces = [
                plain(*self.dice.pick(&["Currency: ", "All amounts in ", "Currency "])),
                header(self.deal.country.currency(), HeaderField::Currency),
            ];
            self.write(Anchor::Left(left), y, plain_style(self.cap * 0.9), &pieces);
        }
    }

    fn footer(&mut self) {
        let side = *self.dice.pick(&[Side::Left, Side::Centre]);
        let anchor = side.anchor(self.left, self.right);
        let style = plain_style(self.cap * 0.85);
        let rule = format!("{} footer", self.deal.country.language().code());
        let mut y = self.sheet.height * 0.945;
        if self.dice.chance(0.5) {
            self.sheet.rule(self.left, self.right, y - self.step, 1.0);
        }
        for _ in 0..self.dice.within(1..=2) {
            let text = within_charset(&wording(self.dice, &rule));
            let text = self.sheet.fit(&text, style, self.right - self.left);
            self.write(anchor, y, style, &[plain(text)]);
            y += self.step * 0.9;
        }
        if self.tax_below {
            let pieces = self.tax_number();
            self.write(anchor, y, style, &pieces);
        }
    }
}
