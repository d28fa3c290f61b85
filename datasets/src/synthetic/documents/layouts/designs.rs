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
    /// A heading ("Seller"), below it name and address in the size of all other text.
    Headed,
    /// Captions in one column, values in another: name, address, telephone, tax number; the customer's too.
    Form,
    /// A small line with the sender above the customer's window (DIN 5008); who the supplier is stands at the foot of the page.
    Sender,
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
    /// All sums side by side, captions above them; where there are several rates, as a summary.
    Row,
}

/// What stands in a table of goods beside its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extras {
    None,
    /// A number for each item.
    Numbered,
    /// Below some items a note: a batch, a date, where they come from.
    Noted,
    Both,
}

impl Extras {
    pub fn are_numbered(self) -> bool {
        matches!(self, Self::Numbered | Self::Both)
    }

    pub fn are_noted(self) -> bool {
        matches!(self, Self::Noted | Self::Both)
    }
}

#[derive(Debug, Clone, Copy)]
pub struct InvoiceLayout {
    pub name: &'static str,
    pub letterhead: Letterhead,
    pub references: References,
    pub customer: Side,
    pub columns: &'static [Column],
    pub rules: Rules,
    pub extras: Extras,
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
pub const LAYOUTS: [InvoiceLayout; 19] = [
    InvoiceLayout {
        name: "wholesaler",
        letterhead: Letterhead::Block(Side::Left),
        references: References::Columns,
        customer: Side::Left,
        columns: COLUMNS[0],
        rules: Rules::Header,
        extras: Extras::None,
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
        extras: Extras::None,
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
        extras: Extras::None,
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
        extras: Extras::None,
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
        extras: Extras::None,
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
        extras: Extras::None,
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
        extras: Extras::None,
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
        extras: Extras::None,
        vat: VatPlace::Total,
        framed_totals: true,
    },
    InvoiceLayout {
        name: "importer",
        letterhead: Letterhead::Form,
        references: References::Columns,
        customer: Side::Left,
        columns: COLUMNS[0],
        rules: Rules::Grid,
        extras: Extras::Numbered,
        vat: VatPlace::Summary,
        framed_totals: false,
    },
    InvoiceLayout {
        name: "utility",
        letterhead: Letterhead::Form,
        references: References::Lines,
        customer: Side::Left,
        columns: COLUMNS[4],
        rules: Rules::None,
        extras: Extras::None,
        vat: VatPlace::Row,
        framed_totals: false,
    },
    InvoiceLayout {
        name: "studio",
        letterhead: Letterhead::Sender,
        references: References::Columns,
        customer: Side::Left,
        columns: COLUMNS[6],
        rules: Rules::Header,
        extras: Extras::Numbered,
        vat: VatPlace::ByRate,
        framed_totals: false,
    },
    InvoiceLayout {
        name: "butcher",
        letterhead: Letterhead::Sender,
        references: References::Row,
        customer: Side::Left,
        columns: COLUMNS[1],
        rules: Rules::None,
        extras: Extras::None,
        vat: VatPlace::Total,
        framed_totals: false,
    },
    InvoiceLayout {
        name: "dairy",
        letterhead: Letterhead::Headed,
        references: References::Boxes,
        customer: Side::Right,
        columns: COLUMNS[2],
        rules: Rules::Rows,
        extras: Extras::Noted,
        vat: VatPlace::Summary,
        framed_totals: true,
    },
    InvoiceLayout {
        name: "fish market",
        letterhead: Letterhead::Headed,
        references: References::Lines,
        customer: Side::Left,
        columns: COLUMNS[7],
        rules: Rules::InverseHeader,
        extras: Extras::Both,
        vat: VatPlace::ByRate,
        framed_totals: false,
    },
    InvoiceLayout {
        name: "coffee roaster",
        letterhead: Letterhead::Logo,
        references: References::Row,
        customer: Side::Right,
        columns: COLUMNS[3],
        rules: Rules::Zebra,
        extras: Extras::Noted,
        vat: VatPlace::Row,
        framed_totals: true,
    },
    InvoiceLayout {
        name: "linen hire",
        letterhead: Letterhead::Band,
        references: References::Columns,
        customer: Side::Right,
        columns: COLUMNS[5],
        rules: Rules::Grid,
        extras: Extras::Numbered,
        vat: VatPlace::Total,
        framed_totals: true,
    },
    InvoiceLayout {
        name: "bakery",
        letterhead: Letterhead::Split,
        references: References::Lines,
        customer: Side::Left,
        columns: COLUMNS[4],
        rules: Rules::Header,
        extras: Extras::Noted,
        vat: VatPlace::Row,
        framed_totals: false,
    },
    InvoiceLayout {
        name: "gas and ice",
        letterhead: Letterhead::Block(Side::Centre),
        references: References::Boxes,
        customer: Side::Right,
        columns: COLUMNS[0],
        rules: Rules::InverseHeader,
        extras: Extras::Both,
        vat: VatPlace::Row,
        framed_totals: true,
    },
    InvoiceLayout {
        name: "greengrocer",
        letterhead: Letterhead::Block(Side::Right),
        references: References::Row,
        customer: Side::Left,
        columns: COLUMNS[6],
        rules: Rules::Rows,
        extras: Extras::None,
        vat: VatPlace::ByRate,
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
                Letterhead::Headed,
                Letterhead::Form,
                Letterhead::Sender,
            ]),
            references: *dice.pick(&[References::Lines, References::Columns, References::Boxes, References::Row]),
            customer: *dice.pick(&[Side::Left, Side::Left, Side::Right]),
            columns: dice.pick::<&[Column]>(&COLUMNS),
            rules: *dice.pick(&[Rules::None, Rules::Header, Rules::Rows, Rules::Grid, Rules::InverseHeader, Rules::Zebra]),
            extras: *dice.pick(&[Extras::None, Extras::None, Extras::Numbered, Extras::Noted, Extras::Both]),
            vat: *dice.pick(&[VatPlace::Total, VatPlace::ByRate, VatPlace::Summary, VatPlace::Summary, VatPlace::Row]),
            framed_totals: dice.chance(0.3),
        }
    }
}
