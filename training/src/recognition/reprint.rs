//! Receipts' lines as other printers and papers would have shown them: the wear of synthetic print, on real print.
//!
//! The few suppliers of a data set have as few printers; what the network must not learn is theirs.

use datasets::synthetic::dice::Dice;
use datasets::synthetic::ink::Ink;
use datasets::synthetic::wear::{self, Exposure};
use image::imageops::replace;
use image::{GrayImage, Luma};

/// Shares of a line's pixels, dark to light, that are as dark as full ink and no lighter than paper.
const INK_RANK: f32 = 0.02;
const PAPER_RANK: f32 = 0.85;
/// Lines with less contrast, in grey values, are worn enough and do not show where letters end.
pub const CONTRAST_MIN: f32 = 40.0;
/// Share of the ink that has to stay.
const LEGIBLE_INK_MIN: f32 = 0.5;
/// Between two lines that are joined, in heights of a line.
const GAP: std::ops::Range<f32> = 0.15..2.0;

/// The line with one or two more faults; as it was where too little of its strokes would be left to read.
pub fn reprint(line: GrayImage, dice: &mut Dice) -> GrayImage {
    let (dark, paper) = dark_and_paper(&line);
    if paper - dark < CONTRAST_MIN {
        return line;
    }
    let coverage = |&grey: &u8| ((paper - f32::from(grey)) / (paper - dark)).clamp(0.0, 1.0);
    let mut ink =
        Ink { width: line.width() as usize, height: line.height() as usize, coverage: line.as_raw().iter().map(coverage).collect() };
    let fresh = ink.strength();
    for _ in 0..dice.within(1..=2) {
        wear(&mut ink, dice);
    }
    if ink.strength() < LEGIBLE_INK_MIN * fresh {
        return line;
    }
    wear::expose(&ink, dice, Exposure { paper, ink: dark, noise: 0.0 }, None)
}

fn wear(ink: &mut Ink, dice: &mut Dice) {
    let height = ink.height as f32;
    match dice.within(0..12) {
        0..4 => {
            let weight = dice.within(-0.3..0.5);
            wear::spread(ink, weight);
        }
        4..7 => {
            let cell = height * dice.within(0.6..4.0);
            wear::fade(ink, dice, cell, 0.4);
        }
        7 => {
            let count = dice.within(1..=1 + ink.width / 60);
            wear::dead_elements(ink, dice, count);
        }
        8 | 9 => {
            let share = dice.within(0.03..0.2);
            wear::crumble(ink, dice, share);
        }
        10 => wear::soil(ink, dice, 0.004),
        _ => {
            let sigma = dice.within(0.5..1.3);
            ink.blur(sigma);
        }
    }
}

/// Greys as dark as full ink and no lighter than paper.
pub fn dark_and_paper(line: &GrayImage) -> (f32, f32) {
    (rank(line, INK_RANK), rank(line, PAPER_RANK))
}

/// The grey value that this share of the pixels is darker than.
fn rank(line: &GrayImage, share: f32) -> f32 {
    let mut greys = line.as_raw().clone();
    let at = ((greys.len() - 1) as f32 * share) as usize;
    f32::from(*greys.select_nth_unstable(at).1)
}

/// Two lines of one height as one, the second behind a gap.
pub fn join(first: &GrayImage, second: &GrayImage, dice: &mut Dice) -> GrayImage {
    let height = first.height();
    let gap = (height as f32 * dice.within(GAP)) as u32;
    let paper = (rank(first, PAPER_RANK) + rank(second, PAPER_RANK)) / 2.0;
    let mut joined = GrayImage::from_pixel(first.width() + gap + second.width(), height, Luma([paper as u8]));
    replace(&mut joined, first, 0, 0);
    replace(&mut joined, second, i64::from(first.width() + gap), 0);
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars() -> GrayImage {
        GrayImage::from_fn(120, 32, |x, _| Luma([if x / 10 % 2 == 0 { 20 } else { 235 }]))
    }

    #[test]
    fn a_reprinted_line_is_legible_and_as_large() {
        let line = bars();
        let mut changed = 0;
        for index in 0..100 {
            let printed = reprint(line.clone(), &mut Dice::new(1, index));
            assert_eq!(printed.dimensions(), line.dimensions());
            let mean = |picture: &GrayImage, from: usize| {
                let greys =
                    picture.rows().flatten().enumerate().filter(|(i, _)| (i % 120) / 10 % 2 == from).map(|(_, p)| f32::from(p.0[0]));
                greys.sum::<f32>() / (120.0 * 16.0)
            };
            assert!(mean(&printed, 0) + 30.0 < mean(&printed, 1), "{index}: {} {}", mean(&printed, 0), mean(&printed, 1));
            changed += usize::from(printed != line);
        }
        assert!(changed > 60, "{changed}");
    }

    #[test]
    fn faint_lines_stay_as_they_are() {
        let faint = GrayImage::from_fn(60, 32, |x, _| Luma([if x % 4 == 0 { 200 } else { 225 }]));
        assert_eq!(reprint(faint.clone(), &mut Dice::new(1, 0)), faint);
    }

    #[test]
    fn joined_lines_stand_apart_on_their_paper() {
        let line = bars();
        let joined = join(&line, &line, &mut Dice::new(2, 0));
        let gap = joined.width() - 240;
        assert!((4..=64).contains(&gap), "{gap}");
        assert_eq!(joined.get_pixel(120 + gap / 2, 10).0[0], 235);
        assert_eq!((joined.get_pixel(5, 10), joined.get_pixel(120 + gap + 5, 10)), (line.get_pixel(5, 10), line.get_pixel(5, 10)));
    }
}
