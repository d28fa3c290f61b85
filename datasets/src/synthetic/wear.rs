//! What printers, time and cameras do to a text: each effect a function of its own, drawn by the caller's dice.

use std::io::Cursor;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::{DynamicImage, GrayImage};

use super::dice::Dice;
use super::ink::Ink;

/// Random values on a coarse grid with smooth passage between: folds, shadows, fading.
pub struct Clouds {
    columns: usize,
    cell_px: f32,
    values: Vec<f32>,
}

impl Clouds {
    /// Values from `low` to `high`, changing over about `cell_px` pixels.
    pub fn new(dice: &mut Dice, width: usize, height: usize, cell_px: f32, low: f32, high: f32) -> Self {
        let columns = (width as f32 / cell_px) as usize + 2;
        let rows = (height as f32 / cell_px) as usize + 2;
        Self { columns, cell_px, values: (0..columns * rows).map(|_| dice.within(low..=high)).collect() }
    }

    pub fn at(&self, x: usize, y: usize) -> f32 {
        let (x, y) = (x as f32 / self.cell_px, y as f32 / self.cell_px);
        let (column, row) = (x as usize, y as usize);
        let (fx, fy) = (x - column as f32, y - row as f32);
        let corner = row * self.columns + column;
        let upper = self.values[corner] * (1.0 - fx) + self.values[corner + 1] * fx;
        let lower = self.values[corner + self.columns] * (1.0 - fx) + self.values[corner + self.columns + 1] * fx;
        upper * (1.0 - fy) + lower * fy
    }
}

/// Ink that runs (`weight` above 0) or dries up (below), as if strokes grew or shrank by about `weight` pixels, -0.7 to 0.7.
pub fn spread(ink: &mut Ink, weight: f32) {
    ink.blur(0.6);
    let threshold = 0.5 - 0.45 * weight;
    ink.coverage.iter_mut().for_each(|c| *c = ((*c - threshold) * 2.2 + 0.5).clamp(0.0, 1.0));
}

/// Prints by needles: round dots on a grid of `pitch_px`, one where the strokes cover enough of its cell.
pub fn dot_matrix(ink: &mut Ink, pitch_px: f32) {
    let (columns, rows) = ((ink.width as f32 / pitch_px) as usize, (ink.height as f32 / pitch_px) as usize);
    let struck: Vec<bool> = (0..rows * columns)
        .map(|i| {
            let (x, y) = ((i % columns) as f32 * pitch_px, (i / columns) as f32 * pitch_px);
            (0..9).map(|k| ink.at(x + pitch_px * (k % 3) as f32 / 3.0, y + pitch_px * (k / 3) as f32 / 3.0)).sum::<f32>() > 3.6
        })
        .collect();
    let radius = 0.58 * pitch_px;
    for y in 0..ink.height {
        for x in 0..ink.width {
            let (column, row) = ((x as f32 / pitch_px) as usize, (y as f32 / pitch_px) as usize);
            let dot = column < columns && row < rows && struck[row * columns + column];
            let (dx, dy) = (x as f32 - (column as f32 + 0.4) * pitch_px, y as f32 - (row as f32 + 0.4) * pitch_px);
            ink.coverage[y * ink.width + x] = if dot { (radius - dx.hypot(dy) + 0.5).clamp(0.0, 1.0) } else { 0.0 };
        }
    }
}

/// Fades the print unevenly, down to `low` of its density.
pub fn fade(ink: &mut Ink, dice: &mut Dice, cell_px: f32, low: f32) {
    let clouds = Clouds::new(dice, ink.width, ink.height, cell_px, low, 1.0);
    for (i, coverage) in ink.coverage.iter_mut().enumerate() {
        *coverage *= clouds.at(i % ink.width, i / ink.width);
    }
}

/// White lines along the paper's feed, where a heating element of a thermal printer is dead.
pub fn dead_elements(ink: &mut Ink, dice: &mut Dice, count: usize) {
    for _ in 0..count {
        let (column, left_over) = (dice.within(0..ink.width), dice.within(0.0..0.6));
        ink.coverage.iter_mut().skip(column).step_by(ink.width).for_each(|c| *c *= left_over);
    }
}

/// Strokes that break: about `share` of the ink's pixels are lost, in specks.
pub fn crumble(ink: &mut Ink, dice: &mut Dice, share: f32) {
    let threshold = (share * 256.0) as u32;
    for pair in ink.coverage.chunks_mut(2) {
        if dice.bits() & 0xff < threshold {
            pair.iter_mut().for_each(|c| *c *= 0.25);
        }
    }
}

/// Specks of dirt: each pixel's chance is `share`.
pub fn soil(ink: &mut Ink, dice: &mut Dice, share: f64) {
    let count = (share * ink.coverage.len() as f64) as usize;
    for _ in 0..count {
        let (x, y) = (dice.within(0..ink.width as i64), dice.within(0..ink.height as i64));
        let (w, h) = (dice.within(1..=2), dice.within(1..=2));
        let density = dice.within(0.2..0.9);
        ink.fill(x, y, x + w, y + h, density);
    }
}

/// Grey levels of the paper and of full ink, 0 black to 255 white, and the deviation of the noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposure {
    pub paper: f32,
    pub ink: f32,
    pub noise: f32,
}

/// The picture that a sensor takes of the ink; `shade` multiplies the light by place.
pub fn expose(ink: &Ink, dice: &mut Dice, exposure: Exposure, shade: Option<&Clouds>) -> GrayImage {
    let mut picture = GrayImage::new(ink.width as u32, ink.height as u32);
    for (i, (pixel, coverage)) in picture.iter_mut().zip(&ink.coverage).enumerate() {
        let light = shade.map_or(1.0, |shade| shade.at(i % ink.width, i / ink.width));
        let grey = (exposure.paper + (exposure.ink - exposure.paper) * coverage) * light;
        let noise = if exposure.noise > 0.0 { dice.bell() * exposure.noise } else { 0.0 };
        *pixel = (grey + noise).clamp(0.0, 255.0) as u8;
    }
    picture
}

/// A scanner that wants black on white: greys are driven apart, `gain` times, around `level`.
pub fn harden(picture: &mut GrayImage, level: f32, gain: f32) {
    for pixel in picture.iter_mut() {
        *pixel = (127.5 + (f32::from(*pixel) - level) * gain).clamp(0.0, 255.0) as u8;
    }
}

/// The picture after JPEG at `quality`, 1 to 100.
pub fn jpeg(picture: GrayImage, quality: u8) -> GrayImage {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(&picture).expect("a grey picture in memory can be encoded");
    let decoder = JpegDecoder::new(Cursor::new(bytes)).expect("what was just encoded is a JPEG");
    DynamicImage::from_decoder(decoder).expect("what was just encoded can be decoded").into_luma8()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Ink {
        let mut ink = Ink::blank(60, 40);
        ink.fill(10, 10, 50, 30, 1.0);
        ink
    }

    fn amount(ink: &Ink) -> f32 {
        ink.coverage.iter().sum()
    }

    #[test]
    fn ink_spreads_and_shrinks_with_the_weight() {
        let amounts: Vec<f32> = [-0.5, 0.0, 0.5]
            .into_iter()
            .map(|weight| {
                let mut ink = block();
                spread(&mut ink, weight);
                amount(&ink)
            })
            .collect();
        assert!(amounts[0] < amounts[1] && amounts[1] < amounts[2], "{amounts:?}");
    }

    #[test]
    fn wear_takes_ink_away_and_never_adds_beyond_full() {
        type Effect = fn(&mut Ink, &mut Dice);
        let effects: [Effect; 4] =
            [|i, d| fade(i, d, 12.0, 0.3), |i, d| dead_elements(i, d, 5), |i, d| crumble(i, d, 0.2), |i, _| dot_matrix(i, 3.0)];
        for effect in effects {
            let mut ink = block();
            effect(&mut ink, &mut Dice::new(3, 0));
            assert!(amount(&ink) < amount(&block()) && amount(&ink) > 0.2 * amount(&block()));
            assert!(ink.coverage.iter().all(|c| (0.0..=1.0).contains(c)));
        }
    }

    #[test]
    fn exposure_keeps_the_levels() {
        let exposure = Exposure { paper: 200.0, ink: 40.0, noise: 0.0 };
        let picture = expose(&block(), &mut Dice::new(0, 0), exposure, None);
        assert_eq!((picture.get_pixel(0, 0).0[0], picture.get_pixel(30, 20).0[0]), (200, 40));
        let coded = jpeg(picture, 90);
        assert!(coded.get_pixel(30, 20).0[0].abs_diff(40) < 8);
    }
}
