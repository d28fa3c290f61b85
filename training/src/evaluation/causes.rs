//! Why words were lost: for each labelled line that was not read right, one cause, and how many of its words that cost.

use std::collections::BTreeMap;

use engine::geometry::Quad;
use engine::recognise::crop::line_image;
use engine::text::TextLine;
use image::GrayImage;
use serde::Serialize;

use crate::metrics::{
    localisation::{IOU_MIN, pairs_at_iou},
    recognition::{Form, bag_of_words, words},
};

/// A box speaks of a line when this share of the smaller of the two lies on the other.
const SHARED_MIN: f32 = 0.3;
/// Lines whose dark and light differ by less (of 255) are faint.
const FAINT_CONTRAST_MAX: u8 = 70;
/// Of a line's pixels, this share is darker than its "dark" and lighter than its "light": specks don't count.
const CONTRAST_TAIL: f32 = 0.03;
/// Characters that look alike, each group one shape.
const LOOK_ALIKES: [&str; 12] = ["O0QD", "I1L|!T", "S5$", "B83", "Z2", "G6", "39", "17", "4A", ".,", ":;", "-_~"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LostBy {
    /// Letters are right, spaces are not.
    Space,
    /// Only characters that look alike were taken for each other.
    LookAlike,
    /// The line was found in several pieces, or an end of it was cut off.
    CutLine,
    /// One box over this line and a neighbour.
    MergedColumn,
    /// Hardly darker than its paper.
    Faint,
    /// No box.
    Missed,
    /// Any other misreading.
    Reading,
}

/// What one cause cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Loss {
    pub lines: usize,
    /// Words, by their letters and digits.
    pub words: usize,
}

/// Losses by cause.
pub type Losses = BTreeMap<LostBy, Loss>;

/// Adds what was lost of the labelled lines `truth` in the reading `found` of `page`.
pub fn add(losses: &mut Losses, page: &GrayImage, truth: &[TextLine], found: &[TextLine]) {
    let quads = |lines: &[TextLine]| lines.iter().map(|line| line.quad).collect::<Vec<_>>();
    let pairs: BTreeMap<usize, usize> = pairs_at_iou(&quads(truth), &quads(found), IOU_MIN).into_iter().collect();
    for (t, line) in truth.iter().enumerate() {
        let on_line: Vec<&TextLine> = found.iter().filter(|f| speaks_of(&f.quad, &line.quad)).collect();
        let lost = words_lost(line, &on_line);
        if lost == 0 {
            continue;
        }
        let cause = match (pairs.get(&t), on_line.as_slice()) {
            (_, []) => LostBy::Missed,
            (Some(&f), _) => misreading(&line.text, &found[f].text).unwrap_or_else(|| by_contrast(page, &line.quad)),
            (None, [one]) if truth.iter().filter(|other| speaks_of(&one.quad, &other.quad)).count() > 1 => LostBy::MergedColumn,
            (None, _) => LostBy::CutLine,
        };
        let loss = losses.entry(cause).or_default();
        loss.lines += 1;
        loss.words += lost;
    }
}

fn words_lost(line: &TextLine, readings: &[&TextLine]) -> usize {
    let read = readings.iter().map(|reading| reading.text.as_str());
    let all = words([line.text.as_str()], Form::LettersAndDigits).len();
    all - bag_of_words([line.text.as_str()], read, Form::LettersAndDigits).found_truths as usize
}

fn speaks_of(found: &Quad, line: &Quad) -> bool {
    let along = |(a, b): (f32, f32), (c, d): (f32, f32)| (b.min(d) - a.max(c)).max(0.0);
    let (f, l) = ([found.left(), found.top(), found.right(), found.bottom()], [line.left(), line.top(), line.right(), line.bottom()]);
    let shared = along((f[0], f[2]), (l[0], l[2])) * along((f[1], f[3]), (l[1], l[3]));
    let area = |[left, top, right, bottom]: [f32; 4]| (right - left) * (bottom - top);
    shared > SHARED_MIN * area(f).min(area(l))
}

/// `None` if more was misread than spaces and characters that look alike.
fn misreading(truth: &str, read: &str) -> Option<LostBy> {
    let letters = |text: &str| text.to_uppercase().chars().filter(|c| !c.is_whitespace()).collect::<Vec<_>>();
    let (truth, read) = (letters(truth), letters(read));
    if truth == read {
        return Some(LostBy::Space);
    }
    let alike = |a: &char, b: &char| a == b || LOOK_ALIKES.iter().any(|group| group.contains(*a) && group.contains(*b));
    (truth.len() == read.len() && truth.iter().zip(&read).all(|(a, b)| alike(a, b))).then_some(LostBy::LookAlike)
}

fn by_contrast(page: &GrayImage, quad: &Quad) -> LostBy {
    let line = line_image(page, quad).ok().flatten();
    if line.is_some_and(|line| contrast(&line) < FAINT_CONTRAST_MAX) { LostBy::Faint } else { LostBy::Reading }
}

/// How much lighter a line's paper is than its ink.
fn contrast(line: &GrayImage) -> u8 {
    let mut pixels = line.as_raw().clone();
    pixels.sort_unstable();
    let tail = (pixels.len() as f32 * CONTRAST_TAIL) as usize;
    pixels.get(pixels.len() - 1 - tail).zip(pixels.get(tail)).map_or(0, |(light, dark)| light - dark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(left: f32, right: f32, text: &str) -> TextLine {
        TextLine { page: 0, quad: Quad::from_edges(left, 10.0, right, 30.0), text: text.into(), confidence: 1.0 }
    }

    #[test]
    fn each_lost_word_has_a_cause() {
        use LostBy::*;
        let dark = GrayImage::from_fn(400, 40, |x, _| image::Luma([if x % 4 == 0 { 20 } else { 240 }]));
        let pale = GrayImage::from_fn(400, 40, |x, _| image::Luma([if x % 4 == 0 { 200 } else { 240 }]));
        let whole = || line(10.0, 200.0, "ICE 2 KG");
        type Case = (Vec<TextLine>, Vec<TextLine>, Vec<(LostBy, usize, usize)>);
        let cases: Vec<Case> = vec![
            (vec![whole()], vec![line(12.0, 198.0, "Ice 2 kg")], vec![]),
            (vec![whole()], vec![line(12.0, 198.0, "ICE 2KG")], vec![(Space, 1, 2)]),
            (vec![whole()], vec![line(12.0, 198.0, "1CE 2 KG")], vec![(LookAlike, 1, 1)]),
            (vec![whole()], vec![line(12.0, 198.0, "MICE 2 KG")], vec![(Reading, 1, 1)]),
            (vec![whole()], vec![], vec![(Missed, 1, 3)]),
            (vec![whole()], vec![line(12.0, 90.0, "ICE"), line(110.0, 198.0, "2KG")], vec![(CutLine, 1, 2)]),
            (vec![line(10.0, 90.0, "ICE"), line(130.0, 200.0, "4.50")], vec![line(8.0, 205.0, "ICE4.50")], vec![(MergedColumn, 2, 2)]),
        ];
        for (truth, found, expected) in cases {
            let mut losses = Losses::new();
            add(&mut losses, &dark, &truth, &found);
            let table: Vec<_> = losses.iter().map(|(cause, loss)| (*cause, loss.lines, loss.words)).collect();
            assert_eq!(table, expected, "{found:?}");
        }
        let mut losses = Losses::new();
        add(&mut losses, &pale, &[whole()], &[line(12.0, 198.0, "MICE 2 KG")]);
        assert_eq!(losses[&Faint], Loss { lines: 1, words: 1 });
    }
}
