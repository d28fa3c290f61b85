//! Which blocks of an invoice stand where: designs that a supplier might keep to, and mixtures of them.

use engine::understand::draft::Column;

use super::Side;
use super::table::Rules;
use crate::synthetic::dice::Dice;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letterhead {
    /// All at one side, the document's title at the other (or in the middle).
    Block(Side),
    /// The name large at the left, how to reach it small at the right.
    Split,
    /// A mark of shapes, then the name.
    Logo,
    /// The name in white on a dark band over the page's width.
    Band,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum References {
    /// `Invoice No: 123`, a line each.
    Lines,
    /// Captions in one column, values in another.
    Columns,
    /// A row of boxes, the caption above the value.
    Boxes,
    /// All in one row.
    Row,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VatPlace {
    /// Only the total of VAT, among the totals.
    Total,
    /// A line a rate among the totals.
    ByRate,
    /// A table of rate, net and VAT at the left of the totals.
    Summary,
}

#[derive(Debug, Clone, Copy)]
pub struct InvoiceLayout {
    pub name: &'static str,
    pub letterhead: Letterhead,
    pub references: References,
    pub customer: Side,
    pub columns: &'static [Column],
    pub rules: Rules,
    pub vat: VatPlace,
    /// Totals in a frame.
    pub framed_totals: bool,
}

use Column::{Code, Description, LineTotal, Quantity, Unit, UnitPrice, VatRate};

const COLUMNS: [&[Column]; 8] = [
    &[Code, Description, Quantity, UnitPrice, VatRate, LineTotal],
    &[Quantity, Description, UnitPrice, LineTotal],
    &[Code, Description, Unit, Quantity, UnitPrice, LineTotal],
    &[Quantity, Unit, Code, Description, UnitPrice, VatRate, LineTotal],
    &[Description, Quantity, UnitPrice, LineTotal],
    &[Code, Quantity, Description, UnitPrice, LineTotal, VatRate],
    &[Description, VatRate, Quantity, UnitPrice, LineTotal],
    &[Quantity, Code, Description, Unit, UnitPrice, LineTotal],
];

/// Designs that a supplier might keep to.
pub const LAYOUTS: [InvoiceLayout; 8] = [
    InvoiceLayout {
        name: "wholesaler",
        letterhead: Letterhead::Block(Side::Left),
        references: References::Columns,
        customer: Side::Left,
        columns: COLUMNS[0],
        rules: Rules::Header,
        vat: VatPlace::Summary,
        framed_totals: false,
    },
    InvoiceLayout {
        name: "brewery",
        letterhead: Letterhead::Logo,
        references: References::Boxes,
        customer: Side::Left,
        columns: COLUMNS[2],
        rules: Rules::Grid,
        vat: VatPlace::Summary,
        framed_totals: true,
    },
    InvoiceLayout {
        name: "vintner",
        letterhead: Letterhead::Block(Side::Centre),
        references: References::Lines,
        customer: Side::Left,
        columns: COLUMNS[1],
        rules: Rules::Rows,
        vat: VatPlace::ByRate,
        framed_totals: false,
    },
    InvoiceLayout {
        name: "cash and carry",
        letterhead: Letterhead::Split,
        references: References::Row,
        customer: Side::Right,
        columns: COLUMNS[5],
        rules: Rules::None,
        vat: VatPlace::Summary,
        framed_totals: false,
    },
    InvoiceLayout {
        name: "office",
        letterhead: Letterhead::Band,
        references: References::Lines,
        customer: Side::Left,
        columns: COLUMNS[4],
        rules: Rules::InverseHeader,
        vat: VatPlace::Total,
        framed_totals: false,
    },
    InvoiceLayout {
        name: "web shop",
        letterhead: Letterhead::Split,
        references: References::Columns,
        customer: Side::Left,
        columns: COLUMNS[6],
        rules: Rules::Zebra,
        vat: VatPlace::ByRate,
        framed_totals: false,
    },
    InvoiceLayout {
        name: "distributor",
        letterhead: Letterhead::Block(Side::Right),
        references: References::Boxes,
        customer: Side::Left,
        columns: COLUMNS[3],
        rules: Rules::Grid,
        vat: VatPlace::Summary,
        framed_totals: true,
    },
    InvoiceLayout {
        name: "tradesman",
        letterhead: Letterhead::Block(Side::Left),
        references: References::Lines,
        customer: Side::Left,
        columns: COLUMNS[7],
        rules: Rules::Header,
        vat: VatPlace::Total,
        framed_totals: true,
    },
];

impl InvoiceLayout {
    /// Blocks drawn one by one.
    pub fn mixed(dice: &mut Dice) -> Self {
        Self {
            name: "mixed invoice",
            letterhead: *dice.pick(&[
                Letterhead::Block(Side::Left),
                Letterhead::Block(Side::Centre),
                Letterhead::Block(Side::Right),
                Letterhead::Split,
                Letterhead::Logo,
                Letterhead::Band,
            ]),
            references: *dice.pick(&[References::Lines, References::Columns, References::Boxes, References::Row]),
            customer: *dice.pick(&[Side::Left, Side::Left, Side::Right]),
            columns: dice.pick::<&[Column]>(&COLUMNS),
            rules: *dice.pick(&[Rules::None, Rules::Header, Rules::Rows, Rules::Grid, Rules::InverseHeader, Rules::Zebra]),
            vat: *dice.pick(&[VatPlace::Total, VatPlace::ByRate, VatPlace::Summary, VatPlace::Summary]),
            framed_totals: dice.chance(0.3),
        }
    }
}
