//! Lines of text for the recogniser: what receipts and invoices say, as printers print it and cameras see it.

use std::collections::BTreeSet;
use std::path::Path;

use ab_glyph::{Rect, point};
use image::GrayImage;
use image::imageops;
use imageproc::geometric_transformations::{Border, Interpolation, Projection, warp_into};

use super::dice::Dice;
use super::grammar::wording;
use super::ink::Ink;
use super::typefaces::{Setting, Typeface, TypefaceError, Typefaces, union, within_charset};
use super::wear::{self, Clouds, Exposure};

/// Height of a line's picture.
pub const LINE_HEIGHT_PX: u32 = engine::recognise::network::LINE_HEIGHT as u32;
/// Longer texts are cut at a word.
const TEXT_CHARACTERS_MAX: usize = 48;
/// Narrowest picture: lone digits keep their shape, the network some columns.
const LINE_WIDTH_MIN_PX: u32 = 16;
/// Share of lines that say what a given document says, where texts are given; the grammar says the others.
const GIVEN_SHARE: f64 = 0.6;
/// Share of given texts whose numbers are drawn anew, so that no price is learnt by heart.
const RENUMBERED_SHARE: f64 = 0.6;
/// Share of lines whose spaces do not stand where language has them.
const RESPACED_SHARE: f64 = 0.4;
/// Share of lines that signs stand around, or around one of their words.
const ADORNED_SHARE: f64 = 0.1;
/// What tills set around a text: before it and after it.
const ADORNMENTS: [(&str, &str); 22] = [
    ("==", "=="),
    ("=", "="),
    ("===", "==="),
    ("**", "**"),
    ("*", "*"),
    ("***", "***"),
    ("[", "]"),
    ("(", ")"),
    ("<", ">"),
    ("<<", ">>"),
    ("{", "}"),
    ("--", "--"),
    ("-", "-"),
    ("~", "~"),
    ("#", "#"),
    ("\"", "\""),
    ("|", "|"),
    ("/", ""),
    ("\\", ""),
    ("", "^^"),
    ("", "_"),
    ("::", "::"),
];
/// Signs beside which tills save a space or waste one.
const SIGNS: &str = ".,:;()/-#&@+%*";
/// Share of lines whose scanner drives greys to black and white, which frays letters and lets them touch.
const HARDENED_SHARE: f64 = 0.25;
/// Share of proportional lines whose letters are joined where the font can: `fi` as one letter.
const LIGATURES_SHARE: f64 = 0.6;
/// Share of the ink that wear has to leave.
const LEGIBLE_INK_MIN: f32 = 0.3;
/// Distance of the text's drift from the box's middle that a detector's box allows, in box heights.
const DRIFT_MAX: f32 = 0.1;

/// A line of text as the recogniser gets it, [`LINE_HEIGHT_PX`] high, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticLine {
    pub image: GrayImage,
    /// Within the recogniser's charset, words parted by single spaces.
    pub text: String,
}

/// Makes lines; line `index` depends on nothing but the seed, the index and the fonts.
pub struct LineGenerator {
    typefaces: Typefaces,
    seed: u64,
    /// Texts of documents to print lines of; may be none.
    given: Vec<String>,
}

impl LineGenerator {
    /// `fonts` is searched for TrueType and OpenType files: [`super::typefaces::SYSTEM_FONTS`] on Debian.
    pub fn new(fonts: &Path, seed: u64) -> Result<Self, TypefaceError> {
        Ok(Self { typefaces: Typefaces::find(fonts)?, seed, given: Vec::new() })
    }

    /// Lets a part of the lines say these texts or parts of them; texts that the charset cannot write are left out.
    pub fn saying(self, texts: impl IntoIterator<Item = String>) -> Self {
        let texts = texts.into_iter().map(|text| within_charset(&text)).filter(|text| !text.is_empty());
        Self { given: texts.collect::<BTreeSet<_>>().into_iter().collect(), ..self }
    }

    pub fn line(&self, index: u64) -> SyntheticLine {
        let mut dice = Dice::new(self.seed, index);
        let text = text(&mut dice, &self.given);
        let text = if dice.chance(ADORNED_SHARE) { adorn(&mut dice, &text) } else { text };
        let text = if dice.chance(RESPACED_SHARE) { respace(&mut dice, &text) } else { text };
        let fixed_pitch = dice.chance(0.5);
        let italic = dice.chance(0.07);
        let face = self.typefaces.pick(&mut dice, |face| face.fixed_pitch == fixed_pitch && (italic || !face.italic) && face.covers(&text));
        let text: String = if face.covers(&text) { text } else { text.chars().filter(|c| c.is_ascii()).collect() };
        let print = Print::new(&mut dice, face, &text);
        SyntheticLine { image: print.photograph(&mut dice), text }
    }
}

/// What line `index` of a seed says, without the cost of its picture.
pub fn line_text(seed: u64, index: u64) -> String {
    text(&mut Dice::new(seed, index), &[])
}

/// Something to say, never empty.
fn text(dice: &mut Dice, given: &[String]) -> String {
    loop {
        let said = if !given.is_empty() && dice.chance(GIVEN_SHARE) { part(dice, given) } else { within_charset(&wording(dice, "line")) };
        let text = change_case(dice, said);
        let cut = first_words(&text);
        if !cut.is_empty() {
            return cut.to_owned();
        }
    }
}

/// One of the texts, from its start or from one of its words on, with its own numbers or others.
fn part(dice: &mut Dice, given: &[String]) -> String {
    let text = dice.pick(given);
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices(' ').map(|(space, _)| space + 1)).collect();
    let text = if text.chars().count() > TEXT_CHARACTERS_MAX { &text[*dice.pick(&starts)..] } else { text };
    if !dice.chance(RENUMBERED_SHARE) {
        return text.to_owned();
    }
    text.chars().map(|c| if c.is_ascii_digit() { dice.digit() } else { c }).collect()
}

/// As many whole words as [`TEXT_CHARACTERS_MAX`] allows, or the start of a longer one.
fn first_words(text: &str) -> &str {
    let end_of = |characters: usize| text.char_indices().nth(characters).map_or(text.len(), |(end, _)| end);
    let end = end_of(TEXT_CHARACTERS_MAX);
    let whole = if text[end..].starts_with(' ') || end == text.len() { Some(end) } else { text[..end].rfind(' ') };
    text[..whole.unwrap_or(end)].trim()
}

/// Signs around the text or one of its words: a network that never met them reads letters into them.
fn adorn(dice: &mut Dice, text: &str) -> String {
    let &(before, after) = dice.pick(&ADORNMENTS);
    let gap = if dice.chance(0.3) { " " } else { "" };
    let around = |text: &str| format!("{before}{gap}{text}{gap}{after}").trim().to_owned();
    if dice.chance(0.5) {
        return around(text);
    }
    let words: Vec<&str> = text.split(' ').collect();
    let chosen = dice.within(0..words.len());
    let words: Vec<String> = words.iter().enumerate().map(|(i, &word)| if i == chosen { around(word) } else { word.to_owned() }).collect();
    words.join(" ")
}

/// The same characters with other spaces, so that the network reads the gaps of the print, not those it expects.
fn respace(dice: &mut Dice, text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let is_sign = |at: usize| characters.get(at).is_some_and(|&c| SIGNS.contains(c));
    let mut spaced = String::new();
    for (i, &character) in characters.iter().enumerate() {
        let beside_sign = i > 0 && is_sign(i - 1) || is_sign(i + 1);
        if character == ' ' && dice.chance(if beside_sign { 0.4 } else { 0.1 }) {
            continue;
        }
        let parted = i > 0 && character != ' ' && characters[i - 1] != ' ';
        if parted && dice.chance(if is_sign(i) || is_sign(i - 1) { 0.2 } else { 0.01 }) {
            spaced.push(' ');
        }
        spaced.push(character);
    }
    spaced
}

/// Tills print much in capitals.
fn change_case(dice: &mut Dice, text: String) -> String {
    let changed = match dice.within(0..20) {
        0..8 => text.to_uppercase(),
        8 => text.to_lowercase(),
        _ => return text,
    };
    within_charset(&changed)
}

/// A printed line with paper around it.
struct Print {
    ink: Ink,
    /// What a good detector would cut out, in pixels of `ink`.
    extent: Rect,
    cap_height_px: f32,
}

impl Print {
    fn new(dice: &mut Dice, face: &Typeface, text: &str) -> Self {
        let setting = setting(dice, face);
        let cap = setting.cap_height_px;
        let margin = (1.6 * cap).ceil();
        let measured = face.set(text, setting, 0.0, 0.0);
        // Dashes and dots are cut out with the height of the letters that could stand there.
        let letters = Rect { min: point(0.0, -cap), max: point(measured.advance.max(0.3 * cap), 0.0) };
        let bounds = measured.ink.map_or(letters, |ink| union(ink, letters));
        let (x, y) = (margin - bounds.min.x, margin - bounds.min.y);
        let size = |from: f32, to: f32| (to - from + 2.0 * margin).ceil() as usize;
        let mut ink = Ink::blank(size(bounds.min.x, bounds.max.x), size(bounds.min.y, bounds.max.y));
        let density = if dice.chance(0.3) { dice.within(0.5..1.0) } else { 1.0 };
        ink.draw(&face.set(text, setting, x, y).glyphs, density);
        let extent = Rect { min: point(bounds.min.x + x, bounds.min.y + y), max: point(bounds.max.x + x, bounds.max.y + y) };
        let mut print = Self { ink, extent, cap_height_px: cap };
        print.wear_legibly(dice);
        print.surround(dice, face, setting);
        print
    }

    /// Wears the print, or leaves it as it is where too little of thin strokes would be left to read.
    fn wear_legibly(&mut self, dice: &mut Dice) {
        let fresh = self.ink.clone();
        self.wear(dice);
        if self.ink.strength() < LEGIBLE_INK_MIN * fresh.strength() {
            self.ink = fresh;
        }
    }

    /// What the printer does.
    fn wear(&mut self, dice: &mut Dice) {
        let cap = self.cap_height_px;
        if cap >= 11.0 && dice.chance(0.1) {
            let pitch = cap / dice.within(6.5..9.5);
            wear::dot_matrix(&mut self.ink, pitch);
        } else if dice.chance(0.6) {
            let weight = dice.within(-0.35..0.6) * (cap / 20.0).min(1.0);
            wear::spread(&mut self.ink, weight);
        }
        if dice.chance(0.3) {
            let cell = cap * dice.within(1.0..6.0);
            wear::fade(&mut self.ink, dice, cell, 0.35);
        }
        if dice.chance(0.12) {
            let count = dice.within(1..=1 + self.ink.width / 40);
            wear::dead_elements(&mut self.ink, dice, count);
        }
        if dice.chance(0.12) {
            let share = dice.within(0.03..0.2);
            wear::crumble(&mut self.ink, dice, share);
        }
        if dice.chance(0.1) {
            wear::soil(&mut self.ink, dice, 0.004);
        }
    }

    /// Rules of tables and pieces of the lines above and below.
    fn surround(&mut self, dice: &mut Dice, face: &Typeface, setting: Setting) {
        let (width, cap) = (self.ink.width as i64, self.cap_height_px);
        let thickness = dice.within(1..=(cap / 9.0).max(1.0) as i64);
        let density = dice.within(0.4..1.0);
        let near = dice.within(0.12..0.45) * cap;
        match dice.within(0..40) {
            0..2 => {
                let y = (self.extent.max.y + near) as i64;
                self.ink.fill(0, y, width, y + thickness, density);
            }
            2 => {
                let y = (self.extent.min.y - near) as i64;
                self.ink.fill(0, y - thickness, width, y, density);
            }
            3 => {
                let x = (if dice.chance(0.5) { self.extent.min.x - near } else { self.extent.max.x + near }) as i64;
                self.ink.fill(x, 0, x + thickness, self.ink.height as i64, density);
            }
            4 => {
                let y = dice.within(self.extent.min.y..self.extent.max.y) as i64;
                self.ink.fill(0, y, width, y + 1, density * 0.6);
            }
            5..10 => {
                let neighbour = within_charset(&wording(dice, "line"));
                let line_height = dice.within(1.5..2.0) * cap;
                let baseline = self.extent.max.y + if dice.chance(0.5) { line_height } else { -line_height - cap * 0.3 };
                let x = self.extent.min.x - dice.within(0.0..cap);
                self.ink.draw(&face.set(&neighbour, setting, x, baseline).glyphs, density);
            }
            _ => {}
        }
    }

    /// What the camera sees, and the detector's box cut out of it, levelled and scaled to the line's height.
    fn photograph(mut self, dice: &mut Dice) -> GrayImage {
        let sigma = if dice.chance(0.75) { dice.within(0.3..0.35 + self.cap_height_px / 24.0) } else { 0.0 };
        self.ink.blur(sigma);
        let paper = dice.within(150.0..=255.0f32);
        let contrast = if dice.chance(0.15) { dice.within(45.0..100.0f32) } else { dice.within(100.0..=230.0) };
        let noise = if dice.chance(0.6) { dice.within(0.5..9.0) } else { 0.0 };
        let exposure = Exposure { paper, ink: (paper - contrast).max(0.0), noise };
        let shade = dice.chance(0.3).then(|| Clouds::new(dice, self.ink.width, self.ink.height, 3.0 * self.cap_height_px, 0.7, 1.05));
        let mut picture = wear::expose(&self.ink, dice, exposure, shade.as_ref());
        if dice.chance(HARDENED_SHARE) {
            let level = exposure.ink + (exposure.paper - exposure.ink) * dice.within(0.35..0.7f32);
            wear::harden(&mut picture, level, dice.within(1.5..6.0) * 100.0 / contrast);
        }
        if dice.chance(0.06) {
            imageops::invert(&mut picture);
        }
        if dice.chance(0.35) {
            let quality = dice.within(30..92);
            picture = wear::jpeg(picture, quality);
        }
        self.cut_out(dice, &picture)
    }

    fn cut_out(&self, dice: &mut Dice, picture: &GrayImage) -> GrayImage {
        let cap = self.cap_height_px;
        let mut edge = |low: f32, high: f32| dice.within(low..high) * cap;
        let (left, right) = (self.extent.min.x - edge(-0.02, 0.45), self.extent.max.x + edge(-0.02, 0.45));
        let (top, bottom) = (self.extent.min.y - edge(0.02, 0.4), self.extent.max.y + edge(0.02, 0.4));
        let (width, height) = (right - left, bottom - top);
        let angle = dice.within(-1.0..1.0f32) * (DRIFT_MAX * height / width).min(0.03);
        let shear = if dice.chance(0.2) { dice.within(-0.15..0.15f32) } else { 0.0 };
        let scale = LINE_HEIGHT_PX as f32 / height;
        let out_width = ((width * scale).round() as u32).max(LINE_WIDTH_MIN_PX);
        let lay = Projection::translate(-(left + right) / 2.0, -(top + bottom) / 2.0);
        let turn = Projection::from_matrix([1.0, shear, 0.0, angle, 1.0, 0.0, 0.0, 0.0, 1.0]).expect("nearly the identity, so invertible");
        let grow = Projection::scale(scale, scale).and_then(Projection::translate(out_width as f32 / 2.0, LINE_HEIGHT_PX as f32 / 2.0));
        let mut line = GrayImage::new(out_width, LINE_HEIGHT_PX);
        warp_into(picture, lay.and_then(turn).and_then(grow), Interpolation::Bilinear, Border::Replicate, &mut line);
        line
    }
}

/// How the text is set: the sizes of real crops (a receipt's line is 18 to 40 pixels high), condensed and wide tills, narrow and
/// wide word spaces, touching letters.
fn setting(dice: &mut Dice, face: &Typeface) -> Setting {
    let cap_height_px = if dice.chance(0.85) { dice.within(10.0..24.0) } else { dice.within(24.0..34.0) };
    let stretch = if dice.chance(0.6) { dice.within(0.72..1.3) } else { 1.0 };
    let tracking = if dice.chance(0.35) { dice.within(-0.06..0.14) } else { 0.0 };
    let word_space = match (face.fixed_pitch, dice.within(0..10)) {
        (_, 0) => dice.within(1.5..3.0),
        (true, 1..4) => dice.within(0.55..1.0),
        (false, 1..3) => dice.within(0.75..1.0),
        (false, 3..5) => dice.within(1.0..2.0),
        _ => 1.0,
    };
    // Letters are joined as long as they stand at their own distance.
    let ligatures = !face.fixed_pitch && tracking == 0.0 && dice.chance(LIGATURES_SHARE);
    Setting { cap_height_px, stretch, tracking, word_space, ligatures }
}

#[cfg(test)]
mod tests {
    use engine::recognise::charset;

    use super::super::typefaces::SYSTEM_FONTS;
    use super::*;

    #[test]
    fn texts_are_trimmed_short_and_within_the_charset() {
        let mut dice = Dice::new(7, 0);
        let given = ["Getränkekiste 20 x 0,50 l".to_owned(), "word ".repeat(40), "x".repeat(90), "Prix H.T. 10,00".repeat(5)];
        for _ in 0..3000 {
            let text = text(&mut dice, &given);
            assert!(!text.is_empty() && text.chars().count() <= TEXT_CHARACTERS_MAX, "{text:?}");
            assert!(text.trim() == text && !text.contains("  "), "{text:?}");
            assert!(text.chars().all(|c| charset::class(c).is_some()), "{text:?}");
        }
    }

    #[test]
    fn given_texts_are_said_in_part_and_with_other_numbers() {
        let given = ["Getränkekiste 20 x 0,50 l".to_owned()];
        let mut dice = Dice::new(8, 0);
        let said: Vec<String> = (0..400).map(|_| text(&mut dice, &given)).collect();
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let of_given: Vec<&String> = said.iter().filter(|said| said.to_lowercase().starts_with("getränkekiste ")).collect();
        assert!((0.5..0.7).contains(&(of_given.len() as f64 / said.len() as f64)), "{}", of_given.len());
        assert!(of_given.iter().any(|said| digits(said) == "20050") && of_given.iter().any(|said| digits(said) != "20050"));
        assert!(of_given.iter().all(|said| digits(said).len() == 5));
    }

    #[test]
    fn words_are_cut_off_whole() {
        let long = "a".repeat(TEXT_CHARACTERS_MAX);
        for (text, expected) in [
            ("two words".to_owned(), "two words".to_owned()),
            (format!("{long} next"), long.clone()),
            (format!("{long}a"), long.clone()),
            (format!("é {long}"), "é".to_owned()),
        ] {
            assert_eq!(first_words(&text), expected);
        }
    }

    #[test]
    fn respaced_texts_keep_their_characters() {
        let mut dice = Dice::new(9, 0);
        let text = "TEL: 01-234 567, AMOUNT (RM)";
        let dense = |text: &str| text.replace(' ', "");
        let respaced: Vec<String> = (0..50).map(|_| respace(&mut dice, text)).collect();
        assert!(respaced.iter().all(|r| dense(r) == dense(text) && r.trim() == r && !r.contains("  ")), "{respaced:?}");
        assert!(respaced.iter().any(|r| r.contains("TEL:0")) && respaced.iter().any(|r| r.contains("( RM")), "{respaced:?}");
    }

    #[test]
    fn adorned_texts_keep_their_words() {
        let mut dice = Dice::new(9, 0);
        let text = "SR 9.00 EACH";
        let adorned: Vec<String> = (0..200).map(|_| adorn(&mut dice, text)).collect();
        let words = |text: &str| {
            text.replace(|c: char| !c.is_alphanumeric() && c != '.' && c != ' ', "").split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert!(adorned.iter().all(|a| words(a) == text && a.trim() == a), "{adorned:?}");
        for shown in ["==SR 9.00 EACH==", "[SR] 9.00 EACH", "SR 9.00 EACH^^"] {
            assert!(adorned.iter().any(|a| a == shown), "{shown} in {adorned:?}");
        }
    }

    #[test]
    fn lines_are_legible_and_depend_on_seed_and_index_only() {
        let Ok(generator) = LineGenerator::new(Path::new(SYSTEM_FONTS), 1) else {
            println!("skipped: no fonts on this machine");
            return;
        };
        let again = LineGenerator::new(Path::new(SYSTEM_FONTS), 1).unwrap();
        for index in (0..60).rev() {
            let line = generator.line(index);
            assert_eq!(line, again.line(index));
            assert_eq!(line.image.height(), LINE_HEIGHT_PX);
            let (low, high) = line.image.iter().fold((255, 0), |(low, high), &p| (p.min(low), p.max(high)));
            assert!(high - low > 20, "{index} {}: {low} to {high}", line.text);
        }
        assert_ne!(generator.line(0), generator.line(1));
    }
}
