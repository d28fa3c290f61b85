//! What happens to a line between the paper and the reader: boxes that fit badly, blur, low resolution, fading, noise.

use engine::geometry::{Point, Quad};
use image::GrayImage;
use image::imageops::{FilterType, resize};
use imageproc::filter::gaussian_blur_f32;
use imageproc::morphology::{Mask, grayscale_dilate, grayscale_erode};
use rand::{Rng, RngExt};

/// Shares of the line's height by which an edge of the box may move outwards and inwards.
const OUTWARDS_MAX: f32 = 0.14;
const INWARDS_MAX: f32 = 0.08;
/// Share of the height by which the right end may stand higher or lower than the left.
const SLANT_MAX: f32 = 0.12;

/// How much wider than it is printed a line may be set.
const STRETCH: std::ops::Range<f32> = 0.75..1.35;
/// Share of the line's height by which a corner of a localiser's box is moved.
const NUDGE_MAX: f32 = 0.05;

/// A box as another person or a localiser might have drawn it.
pub fn redraw(quad: &Quad, rng: &mut impl Rng) -> Quad {
    let height = quad.height();
    let mut edge = || height * rng.random_range(-INWARDS_MAX..OUTWARDS_MAX);
    let (left, top, right, bottom) = (edge(), edge(), edge(), edge());
    let slant = if rng.random_bool(0.3) { height * rng.random_range(-SLANT_MAX..SLANT_MAX) } else { 0.0 };
    let [a, b, c, d] = quad.0;
    let moved = |p: Point, dx: f32, dy: f32| Point { x: p.x + dx, y: p.y + dy };
    Quad([moved(a, -left, -top), moved(b, right, slant - top), moved(c, right, slant + bottom), moved(d, -left, bottom)])
}

/// A localiser's box, as it might have come out on another scan of the page.
pub fn nudge(quad: &Quad, rng: &mut impl Rng) -> Quad {
    let height = quad.height();
    Quad(quad.0.map(|p| {
        let mut by = || height * rng.random_range(-NUDGE_MAX..NUDGE_MAX);
        Point { x: p.x + by(), y: p.y + by() }
    }))
}

/// The same text from a printer with wider or narrower, bolder or lighter type.
pub fn reset(line: GrayImage, rng: &mut impl Rng) -> GrayImage {
    let line = if rng.random_bool(0.5) {
        let width = (line.width() as f32 * rng.random_range(STRETCH)).round().max(8.0) as u32;
        resize(&line, width, line.height(), FilterType::Triangle)
    } else {
        line
    };
    let neighbours = Mask::square(1);
    match rng.random_range(0..10) {
        0 => blend(&line, &grayscale_erode(&line, &neighbours), rng.random_range(0.2..0.7)),
        1 => blend(&line, &grayscale_dilate(&line, &neighbours), rng.random_range(0.2..0.6)),
        _ => line,
    }
}

/// `share` of the other picture, the rest of the first.
fn blend(first: &GrayImage, other: &GrayImage, share: f32) -> GrayImage {
    let mut mixed = first.clone();
    for (to, &from) in mixed.iter_mut().zip(other.as_raw()) {
        *to = (f32::from(*to) * (1.0 - share) + f32::from(from) * share).round() as u8;
    }
    mixed
}

/// Wear of the print and of the picture; the size stays.
pub fn wear(mut line: GrayImage, rng: &mut impl Rng) -> GrayImage {
    if rng.random_bool(0.25) {
        line = coarsen(&line, rng.random_range(0.35..0.8));
    }
    if rng.random_bool(0.2) {
        line = gaussian_blur_f32(&line, rng.random_range(0.4..1.4));
    }
    let gain = rng.random_range(0.6..1.25f32);
    let shift = rng.random_range(-30.0..30.0f32);
    let noise = if rng.random_bool(0.3) { rng.random_range(2.0..16.0f32) } else { 0.0 };
    let inverted = rng.random_bool(0.03);
    for pixel in line.iter_mut() {
        let grain = if noise > 0.0 { noise * rng.random_range(-1.0..1.0f32) } else { 0.0 };
        let grey = (f32::from(*pixel) - 128.0) * gain + 128.0 + shift + grain;
        let grey = grey.clamp(0.0, 255.0) as u8;
        *pixel = if inverted { 255 - grey } else { grey };
    }
    line
}

/// As if photographed at `share` of the resolution.
fn coarsen(line: &GrayImage, share: f32) -> GrayImage {
    let (width, height) = line.dimensions();
    let small = resize(line, (width as f32 * share).ceil() as u32, (height as f32 * share).ceil() as u32, FilterType::Triangle);
    resize(&small, width, height, FilterType::Triangle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn a_redrawn_box_still_holds_the_middle_of_the_line() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let quad = Quad::from_edges(100.0, 50.0, 300.0, 80.0);
        for _ in 0..200 {
            let drawn = redraw(&quad, &mut rng);
            assert!(drawn.left() < 103.0 && drawn.right() > 297.0 && drawn.top() < 56.0 && drawn.bottom() > 74.0, "{drawn:?}");
            assert!(drawn.height() < 30.0 * 1.4);
        }
    }

    #[test]
    fn type_may_be_wider_and_bolder_but_says_the_same() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let line = GrayImage::from_fn(120, 32, |x, _| image::Luma([if x / 10 % 2 == 0 { 20 } else { 235 }]));
        for _ in 0..100 {
            let set = reset(line.clone(), &mut rng);
            assert_eq!(set.height(), 32);
            assert!((89..=163).contains(&set.width()), "{}", set.width());
            let bars = set.rows().next().unwrap().collect::<Vec<_>>().windows(2).filter(|w| w[0].0[0] < 128 && w[1].0[0] >= 128).count();
            assert_eq!(bars, 6);
        }
    }

    #[test]
    fn wear_keeps_the_size_and_the_contrast() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let line = GrayImage::from_fn(120, 48, |x, _| image::Luma([if x / 10 % 2 == 0 { 20 } else { 235 }]));
        for _ in 0..50 {
            let worn = wear(line.clone(), &mut rng);
            assert_eq!(worn.dimensions(), line.dimensions());
            assert!(worn.get_pixel(5, 24).0[0].abs_diff(worn.get_pixel(15, 24).0[0]) > 50);
        }
    }
}
