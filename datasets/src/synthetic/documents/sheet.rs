//! Paper that remembers what was printed where, and which of it is a field's value.

use engine::geometry::Quad;
use engine::understand::draft::{Column, HeaderField};

use crate::synthetic::ink::Ink;
use crate::synthetic::typefaces::{Setting, Typeface, within_charset};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VatColumn {
    Rate,
    Net,
    Amount,
}

/// The field that a piece of text is the value of; items and VAT rows by their index in the deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mark {
    Header(HeaderField),
    Item(usize, Column),
    Vat(usize, VatColumn),
}

/// A stretch of a line of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    pub text: String,
    pub mark: Option<Mark>,
}

pub fn plain(text: impl Into<String>) -> Piece {
    Piece { text: text.into(), mark: None }
}

pub fn marked(text: impl Into<String>, mark: Mark) -> Piece {
    Piece { text: text.into(), mark: Some(mark) }
}

pub fn header(text: impl Into<String>, field: HeaderField) -> Piece {
    marked(text, Mark::Header(field))
}

/// A printed value of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkedText {
    pub mark: Mark,
    pub text: String,
    pub quad: Quad,
}

/// A printed line of text.
#[derive(Debug, Clone, PartialEq)]
pub struct PrintedLine {
    pub text: String,
    pub quad: Quad,
    pub marks: Vec<MarkedText>,
}

pub struct Page {
    pub ink: Ink,
    pub lines: Vec<PrintedLine>,
}

/// The faces of one document.
#[derive(Clone, Copy)]
pub struct Faces<'a> {
    pub text: &'a Typeface,
    pub bold: &'a Typeface,
    pub title: &'a Typeface,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    Text,
    Bold,
    Title,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    pub cap_height_px: f32,
    pub face: Face,
    pub stretch: f32,
    /// Ink of a full stroke; negative prints in white on what lies below.
    pub density: f32,
}

/// Where a text stands on its baseline, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Anchor {
    Left(f32),
    Centre(f32),
    Right(f32),
}

/// A document in print: pages of one size.
pub struct Sheet<'a> {
    pub pages: Vec<Page>,
    pub width: f32,
    pub height: f32,
    faces: Faces<'a>,
}

impl<'a> Sheet<'a> {
    /// One blank page of this size in pixels.
    pub fn new(width: f32, height: f32, faces: Faces<'a>) -> Self {
        let mut sheet = Self { pages: Vec::new(), width, height, faces };
        sheet.new_page();
        sheet
    }

    pub fn new_page(&mut self) {
        self.pages.push(Page { ink: Ink::blank(self.width as usize, self.height as usize), lines: Vec::new() });
    }

    /// Cuts the last page off below `y`.
    pub fn cut_below(&mut self, y: f32) {
        let page = self.last_page();
        let height = (y.ceil() as usize).clamp(1, page.ink.height);
        page.ink.coverage.truncate(height * page.ink.width);
        page.ink.height = height;
    }

    fn last_page(&mut self) -> &mut Page {
        self.pages.last_mut().expect("a sheet is made with a page")
    }

    pub fn typeface(&self, face: Face) -> &'a Typeface {
        match face {
            Face::Text => self.faces.text,
            Face::Bold => self.faces.bold,
            Face::Title => self.faces.title,
        }
    }

    fn setting(style: Style) -> Setting {
        Setting { stretch: style.stretch, ..Setting::plain(style.cap_height_px) }
    }

    pub fn text_width(&self, text: &str, style: Style) -> f32 {
        self.typeface(style.face).width(text, Self::setting(style))
    }

    /// Prints one line of text and returns its left and right edge. Blank text prints nothing.
    pub fn write(&mut self, anchor: Anchor, baseline: f32, style: Style, pieces: &[Piece]) -> (f32, f32) {
        let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
        let width = self.text_width(&text, style);
        let left = match anchor {
            Anchor::Left(x) => x,
            Anchor::Centre(x) => x - width / 2.0,
            Anchor::Right(x) => x - width,
        };
        let glyphs = self.typeface(style.face).set(&text, Self::setting(style), left, baseline).glyphs;
        if text.trim().is_empty() || glyphs.is_empty() {
            return (left, left);
        }
        let mut marks = Vec::new();
        let mut before = String::new();
        for piece in pieces {
            let from = left + self.text_width(&before, style);
            before.push_str(&piece.text);
            if let Some(mark) = piece.mark {
                let quad = self.text_box(&piece.text, style, from, left + self.text_width(&before, style), baseline);
                marks.push(MarkedText { mark, text: within_charset(&piece.text), quad });
            }
        }
        let quad = self.text_box(&text, style, left, left + width, baseline);
        let page = self.last_page();
        page.lines.push(PrintedLine { text: within_charset(&text), quad, marks });
        if style.density < 0.0 {
            page.ink.erase(&glyphs, -style.density)
        } else {
            page.ink.draw(&glyphs, style.density)
        }
        (left, left + width)
    }

    /// What a labeller would draw around the text: from the ascenders to the descenders, if it has any, and a little air.
    fn text_box(&self, text: &str, style: Style, left: f32, right: f32, baseline: f32) -> Quad {
        let cap = style.cap_height_px;
        let above = if text.chars().any(|c| "ÀÁÂÃÄÅÈÉÊËÌÍÎÏÒÓÔÕÖÙÚÛÜÝŚŹŻČĎĚŇŘŠŤŽŐŰĞİ".contains(c)) {
            1.38
        } else {
            1.14
        };
        let below = if text.chars().any(|c| "gjpqyçşQ,;()[]{}/@$|_ÇŞĄĘąę".contains(c)) { 0.36 } else { 0.12 };
        let air = 0.08 * cap;
        let x = |x: f32| x.clamp(0.0, self.width);
        Quad::from_edges(x(left - air), (baseline - above * cap).max(0.0), x(right + air), (baseline + below * cap).min(self.height))
    }

    /// A horizontal rule, `thickness` pixels.
    pub fn rule(&mut self, left: f32, right: f32, y: f32, thickness: f32) {
        self.fill(left, y, right, y + thickness.max(1.0), 0.9);
    }

    /// A broken rule as tills print it.
    pub fn dashes(&mut self, left: f32, right: f32, y: f32, dash: f32) {
        let count = ((right - left) / (1.6 * dash)) as usize;
        for i in 0..count {
            let x = left + i as f32 * 1.6 * dash;
            self.fill(x, y, x + dash, y + (dash / 6.0).max(1.0), 0.9);
        }
    }

    pub fn frame(&mut self, left: f32, top: f32, right: f32, bottom: f32, thickness: f32) {
        let t = thickness.max(1.0);
        self.fill(left, top, right, top + t, 0.9);
        self.fill(left, bottom - t, right, bottom, 0.9);
        self.fill(left, top, left + t, bottom, 0.9);
        self.fill(right - t, top, right, bottom, 0.9);
    }

    pub fn fill(&mut self, left: f32, top: f32, right: f32, bottom: f32, density: f32) {
        self.last_page().ink.fill(left as i64, top as i64, right as i64, bottom as i64, density);
    }

    /// `text` as far as it fits into `width` pixels, cut at a word where one ends.
    pub fn fit(&self, text: &str, style: Style, width: f32) -> String {
        let mut end = text.len();
        while end > 0 && self.text_width(&text[..end], style) > width {
            let shorter = text[..end].trim_end();
            end = shorter.rfind(' ').unwrap_or_else(|| shorter.char_indices().last().map_or(0, |(i, _)| i));
        }
        text[..end].trim_end().to_owned()
    }
}
