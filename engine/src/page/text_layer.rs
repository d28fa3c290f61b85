//! The text layer of a PDF page: glyphs with their Unicode and places, grouped to lines as the localiser would find them.

use std::collections::BTreeMap;

use hayro::{
    hayro_interpret::{
        BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache, InterpreterSettings, SoftMask,
        font::{Glyph, GlyphRun},
        hayro_cmap::BfString,
        interpret_page,
    },
    hayro_syntax::{
        object::{Dict, String as PdfString},
        page::Page as PdfPage,
    },
    kurbo::{Affine, BezPath, Point as KurboPoint, Rect, Vec2},
};

use super::pdf::page_to_pixels;
use crate::{
    geometry::{Point, Quad},
    text::TextLine,
};

/// Fewer characters are a stamp or a page number over a scan.
const MIN_CHARACTERS: usize = 16;
/// Fonts without a way back to Unicode leave holes; with more holes than this the page is read from its picture.
const MIN_KNOWN_SHARE: f32 = 0.95;
/// Of the em, above and below the baseline: what a line's box spans.
const ASCENT_EM: f64 = 0.76;
const DESCENT_EM: f64 = 0.22;
/// Baselines that differ by less, in em, are one row.
const SAME_BASELINE_EM: f64 = 0.3;
/// A gap wider than this between two glyphs, in em, and beyond the letter spacing, is a space even where none is written.
const WORD_GAP_EM: f64 = 0.16;
/// A gap wider than this parts columns, which are lines of their own.
const COLUMN_GAP_EM: f64 = 0.8;
/// The same glyph drawn again within this distance, in em, is bold face by double printing.
const DOUBLE_PRINT_EM: f64 = 0.12;

/// The lines of a page in reading order; none where the page has no text layer that can be trusted.
/// Their index of the page is left at 0.
pub(super) fn lines(page: &PdfPage<'_>, scale: f32, settings: &InterpreterSettings) -> Option<Vec<TextLine>> {
    let layer = TextLayer::of(page, scale, settings);
    let known_share = layer.letters.len() as f32 / (layer.letters.len() + layer.unknown).max(1) as f32;
    if layer.letters.len() < MIN_CHARACTERS || known_share < MIN_KNOWN_SHARE {
        return None;
    }
    Some(group(layer.letters))
}

/// A visible character.
#[derive(Debug, Clone)]
struct Letter {
    text: String,
    /// Left end of the baseline, in pixels.
    origin: KurboPoint,
    /// To the right end of the baseline.
    advance: Vec2,
    /// Height of the em square, in pixels.
    em: f64,
    /// Whether a space was written before it.
    after_space: bool,
}

/// What the interpreter is asked to draw on: keeps letters, drops the rest.
struct TextLayer {
    bounds: Rect,
    letters: Vec<Letter>,
    /// Visible glyphs without Unicode.
    unknown: usize,
    /// Whether the last glyph was a space.
    after_space: bool,
    /// Of each stretch of marked content that is open: what its glyphs say together, where that is written, and how many letters stood before it.
    marked: Vec<Option<(String, usize)>>,
}

impl TextLayer {
    fn of<'a>(page: &PdfPage<'a>, scale: f32, settings: &InterpreterSettings) -> Self {
        let (width, height) = page.render_dimensions();
        let bounds = Rect::new(0.0, 0.0, f64::from(width * scale), f64::from(height * scale));
        let mut layer = Self { bounds, letters: Vec::new(), unknown: 0, after_space: false, marked: Vec::new() };
        let cache = InterpreterCache::new();
        let mut context = Context::new(page_to_pixels(page, scale), bounds, &cache, page.xref(), settings.clone());
        interpret_page(page, &mut context, &mut layer);
        layer
    }

    fn add(&mut self, glyph: &Glyph<'_>, to_pixels: Affine) {
        let [a, b, c, d, _, _] = to_pixels.as_coeffs();
        let (along, upward) = (Vec2::new(a, b), Vec2::new(c, d));
        let advance = match glyph {
            Glyph::Outline(glyph) => glyph.advance_width(),
            Glyph::Type3(glyph) => glyph.advance_width(),
        };
        let letter = Letter {
            text: String::new(),
            origin: to_pixels * KurboPoint::ORIGIN,
            advance: along * f64::from(advance.unwrap_or(0.0)),
            em: upward.hypot() * UNITS_PER_EM,
            after_space: self.after_space,
        };
        let readable = letter.em.is_finite() && letter.em > 0.0 && letter.advance.is_finite() && self.bounds.contains(letter.origin);
        if !readable {
            return;
        }
        let text = glyph.as_unicode().map(printable);
        self.after_space = matches!(text, Some(None));
        match text {
            Some(Some(text)) => self.letters.push(Letter { text, ..letter }),
            Some(None) => {}
            // Its place counts, for what it says is written elsewhere.
            None if self.marked.iter().any(Option::is_some) => self.letters.push(letter),
            None => self.unknown += 1,
        }
    }

    /// The letters of a stretch that says something else than its glyphs do, ligatures in the main: one that says it and is as wide as all.
    fn replace(&mut self, text: String, from: usize) {
        let Some(last) = self.letters.get(from..).and_then(<[Letter]>::last).cloned() else { return };
        self.letters.truncate(from + 1);
        let first = &mut self.letters[from];
        first.advance = last.origin + last.advance - first.origin;
        first.text = text;
    }
}

/// `ActualText` of marked content (ISO 32000-2, 14.9.4): UTF-16 behind a byte order mark, or one byte a character.
fn actual_text(properties: &Dict<'_>) -> Option<String> {
    let text = properties.get::<PdfString<'_>>("ActualText")?;
    let text = match text.as_bytes() {
        [0xFE, 0xFF, units @ ..] => {
            let units = units.as_chunks::<2>().0.iter().map(|unit| u16::from_be_bytes(*unit));
            char::decode_utf16(units).collect::<Result<String, _>>().ok()?
        }
        [0xEF, 0xBB, 0xBF, text @ ..] => String::from_utf8(text.to_vec()).ok()?,
        bytes => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    printable(BfString::String(text))
}

/// Of glyph space, as the interpreter scales it.
const UNITS_PER_EM: f64 = 1000.0;

impl<'a> Device<'a> for TextLayer {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        // Invisible text is somebody else's reading of a scan: ours is made from the scan itself.
        if matches!(mode, DrawMode::Invisible) {
            return;
        }
        self.after_space = false;
        for glyph in run.glyphs() {
            self.add(glyph, props.transform * glyph.transform());
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}

    fn begin_marked_content(&mut self, _: &[u8], properties: Option<&Dict<'_>>) {
        let text = properties.and_then(actual_text);
        self.marked.push(text.map(|text| (text, self.letters.len())));
    }

    fn end_marked_content(&mut self) {
        if let Some((text, from)) = self.marked.pop().flatten() {
            self.replace(text, from);
        }
    }
}

/// Text as it is read: ligatures taken apart, soft hyphens visible; none for spaces.
fn printable(unicode: BfString) -> Option<String> {
    let raw = match unicode {
        BfString::Char(char) => char.to_string(),
        BfString::String(string) => string,
    };
    let mut text = String::with_capacity(raw.len());
    for char in raw.chars().filter(|char| !char.is_whitespace() && !char.is_control()) {
        match char {
            '\u{FB00}' => text.push_str("ff"),
            '\u{FB01}' => text.push_str("fi"),
            '\u{FB02}' => text.push_str("fl"),
            '\u{FB03}' => text.push_str("ffi"),
            '\u{FB04}' => text.push_str("ffl"),
            // A minus is read as the hyphen that pictures show.
            '\u{00AD}' | '\u{2010}' | '\u{2011}' | '\u{2212}' => text.push('-'),
            '\u{200B}'..='\u{200F}' | '\u{FEFF}' => {}
            char => text.push(char),
        }
    }
    (!text.is_empty()).then_some(text)
}

/// Letters of one writing direction, in coordinates along the line (`start`, `end`) and across it (`baseline`).
struct Placed {
    start: f64,
    end: f64,
    baseline: f64,
    em: f64,
    text: String,
    after_space: bool,
}

/// Lines of all writing directions, the upright ones first, each from top to bottom and from left to right.
fn group(letters: Vec<Letter>) -> Vec<TextLine> {
    let mut directions: BTreeMap<i64, Vec<Placed>> = BTreeMap::new();
    for letter in letters {
        let degrees = letter.advance.atan2().to_degrees().round() as i64;
        directions.entry(degrees.rem_euclid(360)).or_default().push(place(letter, degrees));
    }
    let lines = |(degrees, placed)| {
        let rotation = Affine::rotate((degrees as f64).to_radians());
        rows(placed).into_iter().flat_map(columns).map(move |column| line(&column, rotation))
    };
    directions.into_iter().flat_map(lines).collect()
}

fn place(letter: Letter, degrees: i64) -> Placed {
    let upright = Affine::rotate(-(degrees as f64).to_radians());
    let (start, end) = (upright * letter.origin, upright * (letter.origin + letter.advance));
    let Letter { text, em, after_space, .. } = letter;
    Placed { start: start.x.min(end.x), end: start.x.max(end.x), baseline: start.y, em, text, after_space }
}

/// Letters on one baseline, from the top row to the bottom one.
fn rows(mut letters: Vec<Placed>) -> Vec<Vec<Placed>> {
    letters.sort_by(|a, b| a.baseline.total_cmp(&b.baseline));
    let mut rows: Vec<Vec<Placed>> = Vec::new();
    for letter in letters {
        match rows.last_mut() {
            Some(row) if letter.baseline - row[0].baseline < SAME_BASELINE_EM * row[0].em.max(letter.em) => row.push(letter),
            _ => rows.push(vec![letter]),
        }
    }
    rows
}

/// The parts of a row between wide gaps, from left to right.
fn columns(mut row: Vec<Placed>) -> Vec<Vec<Placed>> {
    row.sort_by(|a, b| a.start.total_cmp(&b.start));
    let mut columns: Vec<Vec<Placed>> = Vec::new();
    for letter in row {
        match columns.last_mut() {
            Some(column) if is_double_print(column, &letter) => {}
            Some(column) if gap_em(column, &letter) < COLUMN_GAP_EM => column.push(letter),
            _ => columns.push(vec![letter]),
        }
    }
    columns
}

fn is_double_print(column: &[Placed], letter: &Placed) -> bool {
    column.iter().rev().take(2).any(|last| last.text == letter.text && letter.start - last.start < DOUBLE_PRINT_EM * letter.em)
}

/// Distance between the end of a column and a letter after it, in em.
fn gap_em(column: &[Placed], letter: &Placed) -> f64 {
    column.last().map_or(0.0, |last| (letter.start - last.end) / last.em.max(letter.em))
}

/// The gap that half of the letters of a word keep at least, in em: titles are spaced out.
fn letter_spacing(column: &[Placed]) -> f64 {
    const LETTERS_MIN: usize = 4;
    let gaps = (1..column.len()).filter(|index| !column[*index].after_space).map(|index| gap_em(&column[..index], &column[index]));
    let mut gaps: Vec<f64> = gaps.collect();
    gaps.sort_by(f64::total_cmp);
    if gaps.len() < LETTERS_MIN { 0.0 } else { gaps[gaps.len() / 2].max(0.0) }
}

/// One line of text; a column is never empty.
fn line(column: &[Placed], rotation: Affine) -> TextLine {
    let mut text = String::new();
    let word_gap = WORD_GAP_EM + letter_spacing(column);
    for (index, letter) in column.iter().enumerate() {
        if index > 0 && (letter.after_space || gap_em(&column[..index], letter) > word_gap) {
            text.push(' ');
        }
        text.push_str(&letter.text);
    }
    let end = column.iter().map(|letter| letter.end).fold(f64::NEG_INFINITY, f64::max);
    let top = column.iter().map(|letter| letter.baseline - ASCENT_EM * letter.em).fold(f64::INFINITY, f64::min);
    let bottom = column.iter().map(|letter| letter.baseline + DESCENT_EM * letter.em).fold(f64::NEG_INFINITY, f64::max);
    let corner = |x, y| {
        let point = rotation * KurboPoint::new(x, y);
        Point { x: point.x as f32, y: point.y as f32 }
    };
    let start = column[0].start;
    let quad = Quad([corner(start, top), corner(end, top), corner(end, bottom), corner(start, bottom)]);
    TextLine { page: 0, quad, text, confidence: 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EM: f64 = 10.0;
    const WIDTH: f64 = 0.6 * EM;

    /// Letters of one width, so far apart, in em; a blank of `text` is a wider gap, in which nothing is written.
    fn printed(text: &str, spacing: f64) -> Vec<Placed> {
        let mut at = 0.0;
        let mut place = |letter: char| {
            let start = at;
            at += if letter == ' ' { 0.3 * EM } else { WIDTH + spacing * EM };
            (letter != ' ').then(|| Placed { start, end: start + WIDTH, baseline: 0.0, em: EM, text: letter.into(), after_space: false })
        };
        text.chars().filter_map(&mut place).collect()
    }

    #[test]
    fn words_part_where_the_gap_is_wider_than_the_spacing_of_the_letters() {
        for spacing in [-0.02, 0.0, 0.1, 0.25, 0.4] {
            assert_eq!(line(&printed("TAX INVOICE", spacing), Affine::IDENTITY).text, "TAX INVOICE", "letters {spacing} em apart");
        }
        // Two letters do not tell how a title is spaced.
        assert_eq!(line(&printed("No", 0.3), Affine::IDENTITY).text, "N o");
    }
}
