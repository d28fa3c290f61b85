//! Whole documents with truth: receipts and suppliers' invoices, credit notes and delivery dockets.
//!
//! A [`deal::Deal`] says what a document is about, in whole cents; a layout prints it on a [`sheet::Sheet`], which remembers where
//! each field's value stands; [`capture`] makes the picture that a scanner or camera would.

pub mod capture;
pub mod catalogue;
pub mod deal;
pub mod figures;
pub mod layouts;
pub mod region;
pub mod sheet;
pub mod truth;
pub mod ubl;

use std::path::Path;

use engine::text::TextLine;
use engine::understand::draft::DocumentType;
use image::GrayImage;
use proto::Invoice;

use self::capture::Capture;
use self::deal::Deal;
use self::figures::Figures;
use self::layouts::Layout;
use self::region::Country;
use self::sheet::{Faces, Page, PrintedLine};
use super::dice::Dice;
use super::typefaces::{Typeface, TypefaceError, Typefaces};

/// Letters that a document's face has to have, for names from all over Europe stand on any of them.
const LETTERS: &str = "ÁÉÍÓÚáéíóúÄÖÜäöüßàâçèêëîïôûŁłŚśŻżŃńąęČčĚěŘřŠšŽžÅåØø€£°½";

/// A document as pictures, what is printed on it, and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticDocument {
    /// The layout's name: measure on layouts that were not trained on.
    pub layout: &'static str,
    pub pages: Vec<GrayImage>,
    /// All printed lines, page by page.
    pub lines: Vec<TextLine>,
    /// The fields that are printed, each with its quad.
    pub truth: Invoice,
}

/// Makes documents; document `index` depends on nothing but the seed, the index and the fonts.
pub struct DocumentGenerator {
    typefaces: Typefaces,
    seed: u64,
}

impl DocumentGenerator {
    /// `fonts` is searched for TrueType and OpenType files: [`super::typefaces::SYSTEM_FONTS`] on Debian.
    pub fn new(fonts: &Path, seed: u64) -> Result<Self, TypefaceError> {
        Ok(Self { typefaces: Typefaces::find(fonts)?, seed })
    }

    pub fn document(&self, index: u64) -> SyntheticDocument {
        let mut dice = Dice::new(self.seed, index);
        let captures = [(3, Capture::Clean), (3, Capture::Print), (4, Capture::Scan), (2, Capture::Photo)];
        let how = *dice.pick_weighted(&captures);
        self.print(dice, &format!("synthetic-{}-{index}", self.seed)).captured(how)
    }

    /// The printed lines and the truth alone, without the cost of pictures; those of a page that came clean.
    pub fn text(&self, index: u64) -> SyntheticDocument {
        let mut dice = Dice::new(self.seed, index);
        // The same draw as `document` makes, so that both speak of the same deal.
        dice.pick_weighted(&[(12, ())]);
        self.print(dice, &format!("synthetic-{}-{index}", self.seed)).without_pictures()
    }

    fn print(&self, mut dice: Dice, source: &str) -> Printed {
        let country = Country::draw(&mut dice);
        let kinds =
            [(9, DocumentType::Receipt), (9, DocumentType::Invoice), (2, DocumentType::CreditNote), (2, DocumentType::DeliveryDocket)];
        let document_type = *dice.pick_weighted(&kinds);
        let deal = Deal::draw(&mut dice, document_type, country);
        let layout = layouts::draw(&mut dice, document_type);
        let faces = self.faces(&mut dice, layout.fixed_pitch(&deal));
        let figures = Figures::draw(&mut dice, deal.country);
        Printed::new(dice, source, deal, layout, &figures, faces)
    }

    /// The document `deal` in this layout and in the faces of one family; none where the machine lacks the family.
    pub fn set_in(&self, family: &str, dice: Dice, source: &str, deal: Deal, layout: Layout) -> Option<Printed> {
        let cut = |bold: bool| self.typefaces.iter().find(|face| face.family == family && face.bold == bold && !face.italic);
        let (text, bold) = (cut(false)?, cut(true)?);
        let figures = Figures::usual(deal.country);
        Some(Printed::new(dice, source, deal, layout, &figures, Faces { text, bold, title: bold }))
    }

    fn faces(&self, dice: &mut Dice, fixed_pitch_share: f64) -> Faces<'_> {
        let fixed_pitch = dice.chance(fixed_pitch_share);
        let fits = |face: &Typeface| face.fixed_pitch == fixed_pitch && !face.italic && face.covers(LETTERS);
        let text = self.typefaces.pick(dice, |face| fits(face) && !face.bold);
        let bold = self.typefaces.iter().find(|face| face.family == text.family && face.bold && fits(face)).unwrap_or(text);
        let title = if dice.chance(0.5) { bold } else { self.typefaces.pick(dice, |face| !face.italic && face.covers(LETTERS)) };
        Faces { text, bold, title }
    }
}

/// A document on paper, before anybody took its picture.
pub struct Printed {
    source: String,
    layout: &'static str,
    deal: Deal,
    pages: Vec<Page>,
    dice: Dice,
}

impl Printed {
    fn new(mut dice: Dice, source: &str, deal: Deal, layout: Layout, figures: &Figures, faces: Faces) -> Self {
        let pages = layout.print(&mut dice, &deal, figures, faces);
        Self { source: source.to_owned(), layout: layout.name(), deal, pages, dice }
    }

    pub fn captured(mut self, how: Capture) -> SyntheticDocument {
        let (pictures, lines): (Vec<GrayImage>, Vec<Vec<PrintedLine>>) =
            self.pages.into_iter().map(|page| capture::capture(&mut self.dice, page, how)).unzip();
        let truth = truth::invoice(&self.source, &self.deal, &lines, &pictures);
        SyntheticDocument { layout: self.layout, pages: pictures, lines: truth::text_lines(&lines), truth }
    }

    fn without_pictures(self) -> SyntheticDocument {
        let sizes: Vec<(usize, usize)> = self.pages.iter().map(|page| (page.ink.width, page.ink.height)).collect();
        let lines: Vec<Vec<PrintedLine>> = self.pages.into_iter().map(|page| page.lines).collect();
        let mut truth = truth::invoice(&self.source, &self.deal, &lines, &[]);
        let page = |&(width, height): &(usize, usize)| proto::Page { width: width as u32, height: height as u32, rotation_degrees: 0 };
        truth.pages = sizes.iter().map(page).collect();
        SyntheticDocument { layout: self.layout, pages: Vec::new(), lines: truth::text_lines(&lines), truth }
    }
}

#[cfg(test)]
mod tests;
