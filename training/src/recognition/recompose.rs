//! Receipts' lines with words and letters in another order and with other spaces: real print that says what no supplier ever printed.
//!
//! What stands where is known from the path that spells the transcript; lines are cut where no ink is. Letters keep the paper
//! around them, so that spaces that come and go leave the pitch of the print as it is: a comma before a letter, its paper about it,
//! is no space.

use candle_core::Result;
use datasets::synthetic::dice::Dice;
use engine::recognise::Recogniser;
use engine::recognise::network::{COLUMN_WIDTH, LINE_HEIGHT};
use image::{GrayImage, imageops};

use super::reprint::{CONTRAST_MIN, dark_and_paper};
use crate::ctc::{Target, align};

/// Characters of a transcript that the network does not find that surely, in the mean, may stand elsewhere.
const PROBABILITY_MIN: f32 = 0.8;
/// Share of the line's contrast that a pixel between letters may be darker than paper.
const BLANK_CONTRAST: f32 = 0.3;
/// A space is at least this much wider than the gaps between letters, in pixels, or the transcript has one that the print lacks.
const SPACE_MIN_PX: usize = 3;
/// Of a space in lines that have none, in pixels: about a letter.
const SPACE_PX: usize = 12;
const SPACE_STRETCH: std::ops::Range<f32> = 0.75..1.5;
/// Signs beside which tills save a space or waste one.
const SIGNS: &str = ".,:;()/-#&@+%*=[]";

/// Tells where in a line its characters stand.
pub struct Recomposer {
    recogniser: Recogniser,
}

/// Some characters that cannot be parted, and the columns of pixels that show them.
#[derive(Debug, Clone, PartialEq)]
struct Piece {
    text: String,
    from: usize,
    to: usize,
    /// Whether a space follows.
    ends_word: bool,
}

/// A line in pieces.
struct Pieces<'a> {
    line: &'a GrayImage,
    pieces: Vec<Piece>,
    space_px: usize,
    /// Columns of pixels that are nothing but paper.
    paper: Vec<u32>,
}

impl Recomposer {
    /// From weights of a [`Recogniser`].
    pub fn from_safetensors(weights: &[u8]) -> Result<Self> {
        Ok(Self { recogniser: Recogniser::from_safetensors(weights)? })
    }

    /// The line, [`LINE_HEIGHT`] high, as if it said something else, and what. `None` where its letters do not stand apart.
    pub fn recompose(&self, line: &GrayImage, text: &str, dice: &mut Dice) -> Result<Option<(GrayImage, String)>> {
        let Some(target) = Target::case_folded(text) else { return Ok(None) };
        let logits = self.recogniser.logits(line)?;
        let Some(alignment) = align(logits.values(), logits.shape.c, &target).filter(|a| a.probability >= PROBABILITY_MIN) else {
            return Ok(None);
        };
        let middles: Vec<usize> = alignment.columns.iter().map(|column| column * COLUMN_WIDTH + COLUMN_WIDTH / 2).collect();
        Ok(pieces(line, text, &middles).map(|pieces| pieces.set_anew(dice)))
    }
}

/// Cuts a line where no ink is between two characters, whose middles are given in pixels.
fn pieces<'a>(line: &'a GrayImage, text: &str, middles: &[usize]) -> Option<Pieces<'a>> {
    let darkest = darkest(line);
    let lightest_ink = lightest_ink(line)?;
    let blank: Vec<bool> = darkest.iter().map(|&grey| f32::from(grey) > lightest_ink).collect();
    let shown: Vec<(char, usize, bool)> = shown(text, middles);
    let gaps: Vec<Option<(usize, usize)>> = shown.windows(2).map(|pair| longest_run(&blank, pair[0].1, pair[1].1)).collect();
    let width = |gap: &Option<(usize, usize)>| gap.map_or(0, |(from, to)| to - from);
    let between = |spaced: bool| gaps.iter().zip(&shown).filter(move |(_, c)| c.2 == spaced).map(|(gap, _)| width(gap));
    let letter_gap = median(between(false).collect()).unwrap_or(2);
    if between(true).any(|gap| gap < letter_gap + SPACE_MIN_PX) {
        return None;
    }
    let space_px = median(between(true).map(|gap| gap - letter_gap).collect()).unwrap_or(SPACE_PX);
    let (mut pieces, mut text, mut from) = (Vec::new(), String::new(), 0);
    for (i, &(character, _, ends_word)) in shown.iter().enumerate() {
        text.push(character);
        match gaps.get(i) {
            None => pieces.push(Piece { text: std::mem::take(&mut text), from, to: line.width() as usize, ends_word: false }),
            Some(None) => {}
            Some(&Some((start, end))) => {
                let beside = if ends_word { letter_gap.div_ceil(2) } else { (end - start) / 2 };
                pieces.push(Piece { text: std::mem::take(&mut text), from, to: start + beside, ends_word });
                from = if ends_word { end - beside } else { start + beside };
            }
        }
    }
    (pieces.len() > 1).then_some(Pieces { line, pieces, space_px, paper: paper(&darkest) })
}

/// The characters of a text but its spaces, with their middles, and whether a space follows.
fn shown(text: &str, middles: &[usize]) -> Vec<(char, usize, bool)> {
    let mut shown: Vec<(char, usize, bool)> = Vec::new();
    for (character, &middle) in text.chars().zip(middles) {
        match shown.last_mut() {
            Some(last) if character == ' ' => last.2 = true,
            _ => shown.push((character, middle, false)),
        }
    }
    shown
}

/// The darkest grey of each column of pixels. Neighbours of the line may reach into its edges, which are left out.
fn darkest(line: &GrayImage) -> Vec<u8> {
    let rows = LINE_HEIGHT as u32 / 10..LINE_HEIGHT as u32 * 9 / 10;
    (0..line.width()).map(|x| rows.clone().map(|y| line.get_pixel(x, y).0[0]).min().unwrap_or(0)).collect()
}

/// What is darker than this is ink; `None` for a line that is too faint to tell.
fn lightest_ink(line: &GrayImage) -> Option<f32> {
    let (dark, paper) = dark_and_paper(line);
    (paper - dark >= CONTRAST_MIN).then_some(paper - BLANK_CONTRAST * (paper - dark))
}

/// The lightest twentieth of the columns.
fn paper(darkest: &[u8]) -> Vec<u32> {
    let mut columns: Vec<u32> = (0..darkest.len() as u32).collect();
    columns.sort_by_key(|&x| std::cmp::Reverse(darkest[x as usize]));
    columns.truncate(darkest.len().div_ceil(20));
    columns
}

/// The longest run of blank columns from `from` to `to`.
fn longest_run(blank: &[bool], from: usize, to: usize) -> Option<(usize, usize)> {
    let mut longest = None;
    let mut start = from;
    for x in from..=to.min(blank.len()) {
        if x == to || x == blank.len() || !blank[x] {
            if x > start && longest.is_none_or(|(from, to)| x - start > to - from) {
                longest = Some((start, x));
            }
            start = x + 1;
        }
    }
    longest
}

fn median(mut values: Vec<usize>) -> Option<usize> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

impl Pieces<'_> {
    fn set_anew(mut self, dice: &mut Dice) -> (GrayImage, String) {
        match dice.within(0..10) {
            0..4 => {}
            4..8 => self.shuffle_words(dice),
            _ => shuffle(&mut self.pieces, dice),
        }
        self.respace(dice);
        self.draw(dice)
    }

    fn shuffle_words(&mut self, dice: &mut Dice) {
        let mut words: Vec<Vec<Piece>> = self.pieces.split_inclusive(|piece| piece.ends_word).map(<[Piece]>::to_vec).collect();
        words.last_mut().and_then(|word| word.last_mut()).expect("a line has pieces").ends_word = true;
        shuffle(&mut words, dice);
        self.pieces = words.concat();
    }

    /// Beside signs more often, for there the network guesses.
    fn respace(&mut self, dice: &mut Dice) {
        for i in 0..self.pieces.len() {
            let after = self.pieces.get(i + 1).and_then(|next| next.text.chars().next());
            let piece = &mut self.pieces[i];
            let is_sign = |c: Option<char>| c.is_some_and(|c| SIGNS.contains(c));
            let beside_sign = is_sign(after) || is_sign(piece.text.chars().last());
            let changed = match (piece.ends_word, beside_sign) {
                (true, true) => 0.4,
                (true, false) => 0.15,
                (false, true) => 0.25,
                (false, false) => 0.04,
            };
            piece.ends_word ^= dice.chance(changed);
        }
    }

    fn draw(&self, dice: &mut Dice) -> (GrayImage, String) {
        let last = self.pieces.len() - 1;
        let spaces: Vec<u32> =
            (0..=last)
                .map(|i| {
                    if self.pieces[i].ends_word && i < last { (self.space_px as f32 * dice.within(SPACE_STRETCH)).ceil() as u32 } else { 0 }
                })
                .collect();
        let width = self.pieces.iter().map(|piece| (piece.to - piece.from) as u32).sum::<u32>() + spaces.iter().sum::<u32>();
        let mut line = GrayImage::new(width.next_multiple_of(COLUMN_WIDTH as u32), self.line.height());
        let (mut text, mut x) = (String::new(), 0);
        for (piece, &space) in self.pieces.iter().zip(&spaces) {
            let shown = imageops::crop_imm(self.line, piece.from as u32, 0, (piece.to - piece.from) as u32, self.line.height());
            imageops::replace(&mut line, &*shown, x.into(), 0);
            x += (piece.to - piece.from) as u32;
            self.lay_paper(&mut line, x..x + space, dice);
            x += space;
            text.push_str(&piece.text);
            text.extend((space > 0).then_some(' '));
        }
        let end = line.width();
        self.lay_paper(&mut line, x..end, dice);
        (line, text)
    }

    fn lay_paper(&self, line: &mut GrayImage, columns: std::ops::Range<u32>, dice: &mut Dice) {
        for x in columns {
            let from = *dice.pick(&self.paper);
            for y in 0..line.height() {
                line.put_pixel(x, y, *self.line.get_pixel(from, y));
            }
        }
    }
}

fn shuffle<T>(items: &mut [T], dice: &mut Dice) {
    for i in (1..items.len()).rev() {
        items.swap(i, dice.within(0..=i));
    }
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    /// Letters are bars, each of its own grey, of 8 pixels in a pitch of 12.
    const PITCH: usize = 12;

    fn line(text: &str) -> (GrayImage, Vec<usize>) {
        let grey = |x: u32| match text.as_bytes().get(x as usize / PITCH) {
            Some(&letter) if letter != b' ' && (2..10).contains(&(x as usize % PITCH)) => letter,
            _ => 235,
        };
        let line = GrayImage::from_fn((text.len() * PITCH) as u32, LINE_HEIGHT as u32, |x, _| Luma([grey(x)]));
        (line, (0..text.len()).map(|i| i * PITCH + PITCH / 2).collect())
    }

    /// What the bars of a line say, spaces left out.
    fn bars(line: &GrayImage) -> String {
        let greys: Vec<u8> = (0..line.width()).map(|x| line.get_pixel(x, 16).0[0]).collect();
        greys
            .chunk_by(|a, b| a == b)
            .filter(|run| run[0] != 235)
            .flat_map(|run| std::iter::repeat_n(char::from(run[0]), run.len() / 8))
            .collect()
    }

    #[test]
    fn a_line_is_cut_between_its_letters_and_spaces_lie_between_pieces() {
        let (line, middles) = line("AB C");
        let cut = pieces(&line, "AB C", &middles).unwrap();
        let piece = |text: &str, from, to, ends_word| Piece { text: text.into(), from, to, ends_word };
        assert_eq!(cut.pieces, [piece("A", 0, 12, false), piece("B", 12, 24, true), piece("C", 36, 48, false)]);
        assert_eq!(cut.space_px, PITCH);
    }

    #[test]
    fn letters_that_touch_stay_together() {
        let (mut line, middles) = line("ABC");
        imageops::replace(&mut line, &GrayImage::from_pixel(4, LINE_HEIGHT as u32, Luma([60])), 10, 0);
        let cut = pieces(&line, "ABC", &middles).unwrap();
        assert_eq!(cut.pieces.iter().map(|piece| piece.text.as_str()).collect::<Vec<_>>(), ["AB", "C"]);
    }

    #[test]
    fn spaces_that_the_print_lacks_and_faint_lines_are_left_alone() {
        let (print, middles) = line("ABC");
        assert!(pieces(&print, "AB C", &[middles[0], middles[1], middles[1] + 6, middles[2]]).is_none());
        assert!(pieces(&GrayImage::from_pixel(48, LINE_HEIGHT as u32, Luma([200])), "AB", &[10, 30]).is_none());
    }

    #[test]
    fn what_is_set_anew_says_what_it_shows() {
        let text = "TAX 6% SR";
        let (line, middles) = line(text);
        let mut said = std::collections::BTreeSet::new();
        for index in 0..200 {
            let (anew, text) = pieces(&line, text, &middles).unwrap().set_anew(&mut Dice::new(3, index));
            assert_eq!(bars(&anew), text.replace(' ', ""), "{text}");
            assert_eq!(anew.width() as usize % COLUMN_WIDTH, 0);
            assert!(text.trim() == text && !text.contains("  "), "{text:?}");
            said.insert(text);
        }
        assert!(["SR TAX 6%", "TAX6% SR", "TAX 6 % SR"].iter().all(|&text| said.contains(text)), "{said:?}");
        assert!(said.len() > 60);
    }
}
