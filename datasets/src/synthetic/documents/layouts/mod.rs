//! The layouts that documents are printed in: each a value that says which blocks stand where; a new one is a new value.

pub mod designs;
pub mod invoice;
pub mod table;
pub mod till;

use engine::understand::draft::DocumentType;

use self::designs::InvoiceLayout;
use self::till::TillLayout;
use super::deal::Deal;
use super::figures::Figures;
use super::region::Country;
use super::sheet::{Anchor, Face, Faces, Page, Style};
use crate::synthetic::dice::Dice;
use crate::synthetic::grammar::wording;
use crate::synthetic::typefaces::within_charset;

#[derive(Debug, Clone, Copy)]
pub enum Layout {
    Till(TillLayout),
    Invoice(InvoiceLayout),
}

impl Layout {
    /// The named layout.
    pub fn named(name: &str) -> Option<Self> {
        let till = till::LAYOUTS.iter().find(|layout| layout.name == name).map(|layout| Self::Till(*layout));
        till.or_else(|| designs::LAYOUTS.iter().find(|layout| layout.name == name).map(|layout| Self::Invoice(*layout)))
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Till(layout) => layout.name,
            Self::Invoice(layout) => layout.name,
        }
    }

    /// How likely the layout is set in letters of one width.
    pub fn fixed_pitch(&self, deal: &Deal) -> f64 {
        match self {
            Self::Till(_) if deal.document_type == DocumentType::Receipt => 0.75,
            Self::Till(_) => 0.5,
            Self::Invoice(_) => 0.15,
        }
    }

    pub fn print(&self, dice: &mut Dice, deal: &Deal, figures: &Figures, faces: Faces) -> Vec<Page> {
        match self {
            Self::Till(layout) => layout.print(dice, deal, figures, faces),
            Self::Invoice(layout) => layout.print(dice, deal, figures, faces),
        }
    }
}

/// A layout for a document of this type: one of the named ones, or one whose blocks are mixed anew.
pub fn draw(dice: &mut Dice, document_type: DocumentType) -> Layout {
    if document_type == DocumentType::Receipt {
        return Layout::Till(if dice.chance(0.5) { *dice.pick(&till::LAYOUTS) } else { TillLayout::mixed(dice) });
    }
    Layout::Invoice(if dice.chance(0.5) { *dice.pick(&designs::LAYOUTS) } else { InvoiceLayout::mixed(dice) })
}

/// A caption in the document's language; Malaysia has its own words for its tax.
fn caption(dice: &mut Dice, country: Country, name: &str) -> String {
    let rule = match (country, name) {
        (Country::Malaysia, "tax number") => "gst number".to_owned(),
        (Country::Malaysia, "vat amount") => "gst amount".to_owned(),
        (Country::Malaysia, "vat summary") => "gst summary".to_owned(),
        (Country::Malaysia, "receipt gross") => "my receipt gross".to_owned(),
        (_, "credit number" | "docket number") if country.decimal_comma() => format!("{} number", country.language().code()),
        _ => format!("{} {name}", country.language().code()),
    };
    within_charset(&wording(dice, &rule))
}

/// The captions of the document's name and number.
fn title_and_number(dice: &mut Dice, deal: &Deal) -> (String, String) {
    let (title, number) = match deal.document_type {
        DocumentType::CreditNote => ("credit title", "credit number"),
        DocumentType::DeliveryDocket => ("docket title", "docket number"),
        DocumentType::Receipt => ("receipt title", "receipt number"),
        _ => ("invoice title", "number"),
    };
    (caption(dice, deal.country, title), caption(dice, deal.country, number))
}

/// A tax number as printed: `IE 1234567T`, `IE1234567T`, without the country's letters.
fn tax_number(dice: &mut Dice, deal: &Deal) -> String {
    let number = &deal.supplier.vat_id;
    match (number.is_char_boundary(2) && number.starts_with(|c: char| c.is_ascii_alphabetic()), dice.within(0..5)) {
        (true, 0) => format!("{} {}", &number[..2], &number[2..]),
        _ => number.clone(),
    }
}

fn plain_style(cap_height_px: f32) -> Style {
    Style { cap_height_px, face: Face::Text, stretch: 1.0, density: 1.0 }
}

fn bold_style(cap_height_px: f32) -> Style {
    Style { face: Face::Bold, ..plain_style(cap_height_px) }
}

fn title_style(cap_height_px: f32) -> Style {
    Style { face: Face::Title, ..plain_style(cap_height_px) }
}

/// The side of a block that its lines begin or end at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Centre,
    Right,
}

impl Side {
    fn anchor(self, left: f32, right: f32) -> Anchor {
        match self {
            Self::Left => Anchor::Left(left),
            Self::Centre => Anchor::Centre((left + right) / 2.0),
            Self::Right => Anchor::Right(right),
        }
    }
}
