//! Who the supplier is, and what the document calls itself, at the top of an invoice or at its foot.

use engine::understand::draft::HeaderField;

use super::super::designs::Letterhead;
use super::super::{Side, bold_style, plain_style, tax_number, title_style};
use super::Press;
use crate::synthetic::documents::sheet::{Anchor, Piece, Style, header, plain};
use crate::synthetic::typefaces::within_charset;

impl Press<'_, '_> {
    pub(super) fn letterhead(&mut self, letterhead: Letterhead, title: &str) -> f32 {
        let top = self.sheet.height * self.dice.within(0.04..0.07);
        let name_cap = self.cap * self.dice.within(1.5..2.3);
        let title_cap = self.cap * self.dice.within(1.4..2.4);
        let middle = (self.left + self.right) / 2.0;
        match letterhead {
            Letterhead::Block(side) => {
                let y = self.supplier(side, self.left, self.right, top, name_cap);
                let (anchor, title_y) = match side {
                    Side::Left => (Anchor::Right(self.right), top + name_cap),
                    Side::Right => (Anchor::Left(self.left), top + name_cap),
                    Side::Centre => (Anchor::Centre(middle), y + title_cap * 1.2),
                };
                let title_y = if self.collides(title, title_cap, name_cap) { y + title_cap * 1.2 } else { title_y };
                self.write(anchor, title_y, title_style(title_cap), &[plain(title)]);
                y.max(title_y) + self.step * 1.5
            }
            Letterhead::Split => {
                let name = self.name(self.right - self.left, name_cap);
                self.write(Anchor::Left(self.left), top + name_cap, title_style(name_cap), &[name]);
                let y = self.address_and_contacts(Side::Right, self.left, self.right, top + name_cap + self.step * 1.2);
                self.write(Anchor::Left(self.left), y, title_style(title_cap), &[plain(title)]);
                y + self.step * 1.5
            }
            Letterhead::Logo => {
                let size = name_cap * 2.6;
                self.logo(self.left, top, size);
                let left = self.left + size + self.cap;
                let y = self.supplier(Side::Left, left, self.right, top, name_cap);
                let title_y = y + title_cap;
                self.write(Anchor::Right(self.right), title_y, title_style(title_cap), &[plain(title)]);
                title_y + self.step
            }
            Letterhead::Band => {
                let bottom = top + name_cap * 2.6;
                self.sheet.fill(0.0, top, self.sheet.width, bottom, 0.8);
                let name = self.name((self.right - self.left) * 0.7, name_cap);
                let style = Style { density: -1.0, ..title_style(name_cap) };
                self.write(Anchor::Left(self.left), (top + bottom + name_cap) / 2.0, style, &[name]);
                let y = self.address_and_contacts(Side::Left, self.left, self.right, bottom + self.step * 1.5);
                let title_y = bottom + self.step + title_cap;
                self.write(Anchor::Right(self.right), title_y, title_style(title_cap), &[plain(title)]);
                y.max(title_y) + self.step
            }
            Letterhead::Headed => {
                self.write(Anchor::Right(self.right), top + title_cap, title_style(title_cap), &[plain(title)]);
                let heading = self.caption("seller");
                let y = top + title_cap + self.step;
                self.write(Anchor::Left(self.left), y, bold_style(self.cap), &[plain(heading)]);
                self.supplier(Side::Left, self.left, middle, y + self.step * 0.2, self.cap) + self.step
            }
            Letterhead::Form => {
                self.write(Anchor::Left(self.left), top + title_cap, title_style(title_cap), &[plain(title)]);
                self.form(top + title_cap + self.step * 1.5) + self.step
            }
            Letterhead::Sender => {
                let small = plain_style(self.cap * 0.75);
                let sign = *self.dice.pick(&[" - ", ", ", " | ", " / "]);
                let supplier = &self.deal.supplier;
                let sender = format!("{}{sign}{}", supplier.name, supplier.address.join(sign));
                let sender = self.sheet.fit(&sender, small, middle - self.left);
                self.write(Anchor::Right(self.right), top + title_cap, title_style(title_cap), &[plain(title)]);
                let y = top + title_cap + self.step * 2.0;
                self.write(Anchor::Left(self.left), y, small, &[plain(sender)]);
                y + self.step * 1.2
            }
        }
    }

    /// The supplier as captions and values.
    fn form(&mut self, top: f32) -> f32 {
        let supplier = &self.deal.supplier;
        let mut y = top;
        let heading = self.caption("seller");
        self.write(Anchor::Left(self.left), y, bold_style(self.cap), &[plain(heading)]);
        let mut rows = vec![("party name", header(&supplier.name, HeaderField::SupplierName))];
        rows.extend(supplier.address.iter().map(|line| ("party address", header(line, HeaderField::SupplierAddress))));
        rows.push(("phone", header(&supplier.phone, HeaderField::SupplierPhone)));
        if !self.tax_below {
            let number = tax_number(self.dice, self.deal);
            rows.push(("tax number", header(number, HeaderField::SupplierVatId)));
        }
        y = self.form_rows(&rows, self.left, y + self.step);
        y
    }

    /// A caption stands at the first of the rows that it is of.
    pub(super) fn form_rows(&mut self, rows: &[(&'static str, Piece)], left: f32, top: f32) -> f32 {
        let values = left + (self.right - self.left) * 0.22;
        let colon = self.colon().trim_end();
        let mut y = top;
        let mut before = "";
        for (name, piece) in rows {
            if *name != before {
                let caption = self.caption(name);
                self.write(Anchor::Left(left), y, plain_style(self.cap), &[plain(format!("{caption}{colon}"))]);
            }
            before = name;
            let text = self.sheet.fit(&piece.text, plain_style(self.cap), self.right - values);
            self.write(Anchor::Left(values), y, plain_style(self.cap), &[Piece { text, mark: piece.mark }]);
            y += self.step;
        }
        y
    }

    /// Who the supplier is, at the foot of the page: name and address, how to reach it, its numbers, side by side.
    pub(super) fn imprint(&mut self) {
        let style = plain_style(self.cap * 0.85);
        let (top, width, step) = (self.sheet.height * 0.87, (self.right - self.left) / 2.0, self.step * 0.85);
        let supplier = &self.deal.supplier;
        let name = self.sheet.fit(&supplier.name, style, width - self.cap);
        self.sheet.rule(self.left, self.right, top - self.step, 1.0);
        self.write(Anchor::Left(self.left), top, style, &[header(name, HeaderField::SupplierName)]);
        for (i, line) in supplier.address.iter().enumerate().take(4) {
            let line = self.sheet.fit(line, style, width - self.cap);
            let y = top + step * (i + 1) as f32;
            self.write(Anchor::Left(self.left), y, style, &[header(line, HeaderField::SupplierAddress)]);
        }
        let (phone, colon) = (self.caption("phone"), self.colon());
        let mut rows = vec![vec![plain(format!("{phone}{colon}")), header(&supplier.phone, HeaderField::SupplierPhone)]];
        rows.push(vec![plain(&supplier.email)]);
        if !self.tax_below {
            rows.push(self.tax_number().to_vec());
        }
        for (i, pieces) in rows.iter().enumerate() {
            self.write(Anchor::Left(self.left + width), top + step * i as f32, style, pieces);
        }
    }

    /// Whether name and title would not both fit into the width.
    fn collides(&self, title: &str, title_cap: f32, name_cap: f32) -> bool {
        let wide =
            self.sheet.text_width(title, title_style(title_cap)) + self.sheet.text_width(&self.deal.supplier.name, title_style(name_cap));
        wide + 4.0 * self.cap > self.right - self.left
    }

    fn name(&mut self, width: f32, cap: f32) -> Piece {
        let name =
            if self.dice.chance(0.2) { within_charset(&self.deal.supplier.name.to_uppercase()) } else { self.deal.supplier.name.clone() };
        header(self.sheet.fit(&name, title_style(cap), width), HeaderField::SupplierName)
    }

    /// Name, address, phone and tax number below each other; returns the next baseline.
    fn supplier(&mut self, side: Side, left: f32, right: f32, top: f32, name_cap: f32) -> f32 {
        let name = self.name(right - left, name_cap);
        self.write(side.anchor(left, right), top + name_cap, title_style(name_cap), &[name]);
        self.address_and_contacts(side, left, right, top + name_cap + self.step * 1.1)
    }

    fn address_and_contacts(&mut self, side: Side, left: f32, right: f32, mut y: f32) -> f32 {
        let style = plain_style(self.cap * 0.95);
        let anchor = side.anchor(left, right);
        let address = |text: String| header(text, HeaderField::SupplierAddress);
        if self.dice.chance(0.3) {
            let joined = self.sheet.fit(&self.deal.supplier.address.join(", "), style, right - left);
            self.write(anchor, y, style, &[address(joined)]);
            y += self.step;
        } else {
            let comma = if self.dice.chance(0.5) { "," } else { "" };
            let last = self.deal.supplier.address.len() - 1;
            for (i, line) in self.deal.supplier.address.iter().enumerate() {
                let text = if i < last { format!("{line}{comma}") } else { line.clone() };
                self.write(anchor, y, style, &[address(text)]);
                y += self.step;
            }
        }
        let colon = self.colon();
        let phone = self.caption("phone");
        self.write(anchor, y, style, &[plain(format!("{phone}{colon}")), header(&self.deal.supplier.phone, HeaderField::SupplierPhone)]);
        y += self.step;
        if self.dice.chance(0.5) {
            self.write(anchor, y, style, &[plain(&self.deal.supplier.email)]);
            y += self.step;
        }
        if !self.tax_below {
            let pieces = self.tax_number();
            self.write(anchor, y, style, &pieces);
            y += self.step;
        }
        y
    }

    pub(super) fn tax_number(&mut self) -> [Piece; 2] {
        let (caption, colon) = (self.caption("tax number"), self.colon());
        let number = tax_number(self.dice, self.deal);
        [plain(format!("{caption}{colon}")), header(number, HeaderField::SupplierVatId)]
    }

    fn logo(&mut self, left: f32, top: f32, size: f32) {
        self.sheet.fill(left, top, left + size, top + size, 0.75);
        let inner = size * self.dice.within(0.15..0.3);
        self.sheet.fill(left + inner, top + inner, left + size - inner, top + inner * 1.2, 1.0);
        self.sheet.frame(left - 3.0, top - 3.0, left + size + 3.0, top + size + 3.0, 2.0);
    }
}
