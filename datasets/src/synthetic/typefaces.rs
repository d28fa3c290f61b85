//! Typefaces found on the machine, and text set in them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ab_glyph::{Font, FontVec, GlyphId, OutlinedGlyph, PxScale, Rect, point};
use engine::recognise::charset;

use super::dice::Dice;

/// Where Debian keeps fonts.
pub const SYSTEM_FONTS: &str = "/usr/share/fonts";
/// Folders deeper than this under the font folder are not searched.
const FOLDER_DEPTH_MAX: usize = 6;
/// Cuts that no document is set in, and faces that are no letters: parts of file names, in lower case.
const UNFIT: [&str; 19] = [
    "thin",
    "hairline",
    "extralight",
    "ultralight",
    "initials",
    "keyboard",
    "math",
    "chorus",
    "z003",
    "d050000l",
    "symbol",
    "tamil",
    "display",
    "black",
    "-light",
    "ocrbs",
    "ocrbf",
    "ocrbx",
    "ocrbe",
];
/// Words of file names that name a cut, not a family.
const CUTS: [&str; 14] =
    ["bold", "italic", "oblique", "regular", "medium", "light", "semibold", "extrabold", "demi", "book", "heavy", "roman", "webfont", "r"];
/// Letters that an unfit or broken font lacks.
const NEEDED: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:-/()%&'#*@+";

#[derive(Debug, thiserror::Error)]
pub enum TypefaceError {
    #[error("{}: cannot search for fonts", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("{}: cannot read the font", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: no usable TrueType or OpenType font; datasets/fonts.txt lists Debian packages", .0.display())]
    None(PathBuf),
}

/// A font file.
pub struct Typeface {
    pub family: String,
    pub bold: bool,
    pub italic: bool,
    /// All letters are equally wide, as tills and matrix printers print.
    pub fixed_pitch: bool,
    font: FontVec,
    /// Height of `H` in the font's own units.
    cap_height: f32,
}

/// How a text is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Height of `H`, in pixels.
    pub cap_height_px: f32,
    /// Horizontal scale; 1 as designed.
    pub stretch: f32,
    /// Added after each letter, in cap heights.
    pub tracking: f32,
    /// Width of a space as a multiple of the font's own.
    pub word_space: f32,
    /// Where the font has one letter for `fi` and the like, it is set.
    pub ligatures: bool,
}

/// What typesetters join, the longest first, and the letter that it becomes.
const LIGATURES: [(&str, char); 5] = [("ffi", 'ﬃ'), ("ffl", 'ﬄ'), ("ff", 'ﬀ'), ("fi", 'ﬁ'), ("fl", 'ﬂ')];

impl Setting {
    pub fn plain(cap_height_px: f32) -> Self {
        Self { cap_height_px, stretch: 1.0, tracking: 0.0, word_space: 1.0, ligatures: false }
    }
}

/// Text as outlines in their final place.
pub struct SetText {
    pub glyphs: Vec<OutlinedGlyph>,
    /// From the origin to where a next letter would stand, in pixels.
    pub advance: f32,
    /// What the outlines cover; none for blank text.
    pub ink: Option<Rect>,
}

impl Typeface {
    fn load(path: &Path) -> Result<Option<Self>, TypefaceError> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let lower = stem.to_lowercase();
        if UNFIT.iter().any(|part| lower.contains(part)) {
            return Ok(None);
        }
        let bytes = fs::read(path).map_err(|source| TypefaceError::Read { path: path.to_path_buf(), source })?;
        let Ok(font) = FontVec::try_from_vec(bytes) else { return Ok(None) };
        if !NEEDED.chars().all(|c| font.outline(font.glyph_id(c)).is_some_and(|o| o.bounds.width().abs() > 0.0)) {
            return Ok(None);
        }
        let Some(outline) = font.outline(font.glyph_id('H')) else { return Ok(None) };
        let width = |c| font.h_advance_unscaled(font.glyph_id(c));
        Ok(Some(Self {
            family: family(&stem),
            bold: lower.contains("bold") || lower.contains("demi"),
            italic: lower.contains("italic") || lower.contains("oblique"),
            fixed_pitch: (width('i') - width('W')).abs() < 1.0,
            cap_height: outline.bounds.height().abs(),
            font,
        }))
    }

    /// Whether all letters of `text` can be set.
    pub fn covers(&self, text: &str) -> bool {
        text.chars().all(|c| self.has(c))
    }

    /// Sets `text` on a baseline that begins at (`x`, `y`).
    pub fn set(&self, text: &str, setting: Setting, x: f32, y: f32) -> SetText {
        let scale = self.scale(setting);
        let factor = scale.x / self.font.height_unscaled();
        let mut pen = x;
        let mut previous = None;
        let mut glyphs = Vec::with_capacity(text.len());
        for (c, id) in self.letters(text, setting) {
            pen += previous.map_or(0.0, |previous| self.font.kern_unscaled(previous, id) * factor);
            if c != ' ' {
                glyphs.extend(self.font.outline_glyph(id.with_scale_and_position(scale, point(pen, y))));
            }
            pen += self.advance(c, id, setting, factor);
            previous = Some(id);
        }
        let ink = glyphs.iter().map(OutlinedGlyph::px_bounds).reduce(union);
        SetText { glyphs, advance: pen - x, ink }
    }

    /// The advance of `text` set so, in pixels.
    pub fn width(&self, text: &str, setting: Setting) -> f32 {
        let factor = self.scale(setting).x / self.font.height_unscaled();
        let ids = self.letters(text, setting);
        let advances: f32 = ids.iter().map(|&(c, id)| self.advance(c, id, setting, factor)).sum();
        advances + ids.windows(2).map(|pair| self.font.kern_unscaled(pair[0].1, pair[1].1) * factor).sum::<f32>()
    }

    fn letters(&self, text: &str, setting: Setting) -> Vec<(char, GlyphId)> {
        let mut letters = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let joined =
                LIGATURES.iter().filter(|_| setting.ligatures).find(|(apart, joined)| rest.starts_with(apart) && self.has(*joined));
            let (length, letter) = joined.map_or((next.len_utf8(), next), |(apart, joined)| (apart.len(), *joined));
            letters.push((letter, self.font.glyph_id(letter)));
            rest = &rest[length..];
        }
        letters
    }

    fn has(&self, letter: char) -> bool {
        self.font.glyph_id(letter) != GlyphId(0)
    }

    fn advance(&self, c: char, id: GlyphId, setting: Setting, factor: f32) -> f32 {
        let own = self.font.h_advance_unscaled(id) * factor;
        let spaced = if c == ' ' { own * setting.word_space } else { own };
        spaced + setting.tracking * setting.cap_height_px
    }

    fn scale(&self, setting: Setting) -> PxScale {
        let y = setting.cap_height_px * self.font.height_unscaled() / self.cap_height;
        PxScale { x: y * setting.stretch, y }
    }
}

pub(super) fn union(a: Rect, b: Rect) -> Rect {
    Rect { min: point(a.min.x.min(b.min.x), a.min.y.min(b.min.y)), max: point(a.max.x.max(b.max.x), a.max.y.max(b.max.y)) }
}

/// The file's name without the cut: `DejaVuSans-Bold` and `DejaVuSans` are one family.
fn family(stem: &str) -> String {
    let mut name = stem.split(['-', '_']).next().unwrap_or(stem).to_lowercase();
    while let Some(shorter) = CUTS.iter().find_map(|cut| name.strip_suffix(cut)).filter(|shorter| shorter.len() > 3) {
        name = shorter.to_owned();
    }
    name
}

/// All typefaces of a folder, by family.
pub struct Typefaces(Vec<Vec<Typeface>>);

impl Typefaces {
    /// Loads every font under `folder` that can set ordinary text, in the order of their names.
    pub fn find(folder: &Path) -> Result<Self, TypefaceError> {
        let mut paths = Vec::new();
        list(folder, FOLDER_DEPTH_MAX, &mut paths)?;
        paths.sort();
        let mut families: BTreeMap<String, Vec<Typeface>> = BTreeMap::new();
        for path in &paths {
            if let Some(typeface) = Typeface::load(path)? {
                families.entry(typeface.family.clone()).or_default().push(typeface);
            }
        }
        if families.is_empty() {
            return Err(TypefaceError::None(folder.to_path_buf()));
        }
        Ok(Self(families.into_values().collect()))
    }

    /// How many families there are.
    pub fn families(&self) -> usize {
        self.0.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Typeface> {
        self.0.iter().flatten()
    }

    /// A typeface that satisfies `fits`, families being equally likely; any typeface where none fits.
    pub fn pick(&self, dice: &mut Dice, fits: impl Fn(&Typeface) -> bool) -> &Typeface {
        let fitting = |family: &&Vec<Typeface>| family.iter().any(&fits);
        let families: Vec<&Vec<Typeface>> = self.0.iter().filter(fitting).collect();
        if families.is_empty() {
            let family = dice.pick(&self.0);
            return dice.pick(family);
        }
        let faces: Vec<&Typeface> = dice.pick(families.as_slice()).iter().filter(|face| fits(face)).collect();
        dice.pick::<&Typeface>(&faces)
    }
}

fn list(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), TypefaceError> {
    let entries = fs::read_dir(folder).map_err(|source| TypefaceError::Folder { path: folder.to_path_buf(), source })?;
    for entry in entries {
        let path = entry.map_err(|source| TypefaceError::Folder { path: folder.to_path_buf(), source })?.path();
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        if path.is_dir() {
            if depth > 0 {
                list(&path, depth - 1, paths)?;
            }
        } else if ["ttf", "otf"].contains(&extension.as_str()) {
            paths.push(path);
        }
    }
    Ok(())
}

/// `text` with what the recogniser cannot write left out and runs of spaces made one.
pub fn within_charset(text: &str) -> String {
    let kept: String = text.chars().filter(|&c| charset::class(c).is_some()).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_named_without_its_cuts() {
        for (stem, expected) in [
            ("DejaVuSans-Bold", "dejavusans"),
            ("FreeSansBoldOblique", "freesans"),
            ("LeagueMono-NarrowBold", "leaguemono"),
            ("texgyreheroscn-bold", "texgyreheroscn"),
            ("Lato-Regular", "lato"),
            ("3270-Regular", "3270"),
        ] {
            assert_eq!(family(stem), expected);
        }
    }

    #[test]
    fn ligatures_are_set_where_the_font_has_them() {
        let Ok(typefaces) = Typefaces::find(Path::new(SYSTEM_FONTS)) else { return };
        let plain = Setting::plain(20.0);
        let joined = Setting { ligatures: true, ..plain };
        for face in typefaces.iter().filter(|face| LIGATURES.iter().all(|(_, letter)| face.has(*letter))) {
            let letters = |text: &str, setting| face.letters(text, setting).len();
            assert_eq!((letters("office fl", plain), letters("office fl", joined)), (9, 6));
        }
    }

    #[test]
    fn text_is_brought_into_the_charset() {
        assert_eq!(within_charset(" a\u{2014}  b c 漢 é "), "a b c é");
    }

    #[test]
    fn a_folder_without_fonts_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Typefaces::find(folder.path()), Err(TypefaceError::None(_))));
        assert!(matches!(Typefaces::find(&folder.path().join("absent")), Err(TypefaceError::Folder { .. })));
        fs::write(folder.path().join("broken.ttf"), b"not a font").unwrap();
        assert!(matches!(Typefaces::find(folder.path()), Err(TypefaceError::None(_))));
    }
}
