//! Receipts to learn from: pages in memory with their labels.

use datasets::sroie::Receipt;
use engine::geometry::{Point, Quad};
use engine::localise::{LocaliseError, Localiser, UPRIGHT_MAX, median};
use image::GrayImage;
use rayon::prelude::*;
use std::path::PathBuf;

/// A quad this many times wider than high shows its line's direction.
const ELONGATION_MIN: f32 = 4.0;
/// A turned label is at least this share of the page's usual line height: upright boxes were not drawn so carefully that the height
/// that a long one leaves to its text could be trusted.
const HEIGHT_SHARE_MIN: f32 = 0.7;

#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    #[error("{}: cannot read the picture", path.display())]
    Picture { path: PathBuf, source: image::ImageError },
    #[error("cannot find the lines of receipt {id}")]
    Localise { id: String, source: LocaliseError },
}

/// Receipts with their pages in memory.
pub struct Receipts(Vec<(Receipt, GrayImage)>);

impl From<Vec<(Receipt, GrayImage)>> for Receipts {
    fn from(receipts: Vec<(Receipt, GrayImage)>) -> Self {
        Self(receipts)
    }
}

impl Receipts {
    pub fn load(receipts: Vec<Receipt>) -> Result<Self, ReceiptError> {
        let load = |receipt: Receipt| match image::open(&receipt.image) {
            Ok(page) => Ok((receipt, page.into_luma8())),
            Err(source) => Err(ReceiptError::Picture { path: receipt.image, source }),
        };
        receipts.into_par_iter().map(load).collect::<Result<_, _>>().map(Self)
    }

    /// The quads that a localiser draws on each page.
    pub fn localised(&self, localiser: &Localiser) -> Result<Vec<Vec<Quad>>, ReceiptError> {
        let quads = |(receipt, page): &(Receipt, GrayImage)| {
            localiser.quads(page).map_err(|source| ReceiptError::Localise { id: receipt.id.clone(), source })
        };
        self.0.iter().map(quads).collect()
    }

    /// SROIE's boxes are upright even where the paper lay askew: turns them along their text, whose direction the localiser sees.
    pub fn along_text(mut self, seen: &[Vec<Quad>]) -> Self {
        for ((receipt, _), seen) in self.0.iter_mut().zip(seen) {
            turn(receipt, direction(seen));
        }
        self
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Panics beyond the last.
    pub fn get(&self, index: usize) -> (&Receipt, &GrayImage) {
        let (receipt, page) = &self.0[index];
        (receipt, page)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Receipt, &GrayImage)> {
        self.0.iter().map(|(receipt, page)| (receipt, page))
    }
}

/// The median direction of the long lines, in radians, clockwise on the page.
fn direction(lines: &[Quad]) -> f32 {
    let long = lines.iter().filter(|quad| quad.width() > ELONGATION_MIN * quad.height());
    median(long.map(|Quad([a, b, ..])| (b.y - a.y).atan2(b.x - a.x).into())).unwrap_or(0.0) as f32
}

fn turn(receipt: &mut Receipt, angle: f32) {
    if f64::from(angle.abs()) < UPRIGHT_MAX {
        return;
    }
    let usual = median(receipt.lines.iter().map(|line| within(&line.quad, angle).1.into())).unwrap_or(0.0) as f32;
    for line in &mut receipt.lines {
        line.quad = turned(&line.quad, angle, HEIGHT_SHARE_MIN * usual);
    }
}

/// Width and height of the rectangle turned by `angle` around which this upright box fits: `w cos - h sin` and `h cos - w sin`, both
/// over `cos 2 angle`.
fn within(upright: &Quad, angle: f32) -> (f32, f32) {
    let (sin, cos) = angle.abs().sin_cos();
    let (width, height) = (upright.width(), upright.height());
    ((width * cos - height * sin) / (2.0 * angle).cos(), (height * cos - width * sin) / (2.0 * angle).cos())
}

/// The turned rectangle that the upright box fits around, between `height_min` and the box's height high.
fn turned(upright: &Quad, angle: f32, height_min: f32) -> Quad {
    let (width, height) = within(upright, angle);
    let height = height.max(height_min).min(upright.height());
    let width = width.clamp(upright.width() / 2.0, upright.width());
    let (sin, cos) = angle.sin_cos();
    let centre = upright.centre();
    let corner = |along: f32, across: f32| Point { x: centre.x + along * cos - across * sin, y: centre.y + along * sin + across * cos };
    let (x, y) = (width / 2.0, height / 2.0);
    Quad([corner(-x, -y), corner(x, -y), corner(x, y), corner(-x, y)])
}

/// Receipts whose id is or is not in the committed validation split.
pub fn split(receipts: Vec<Receipt>) -> (Vec<Receipt>, Vec<Receipt>) {
    let validation = datasets::splits::sroie_validation();
    receipts.into_iter().partition(|receipt| !validation.contains(receipt.id.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::text::TextLine;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_upright_box_around_a_turned_label_is_the_old_one(width in 60.0f32..800.0, height in 16.0f32..60.0, angle in -0.05f32..0.05) {
            let (w, h) = (width * angle.cos() + height * angle.sin().abs(), height * angle.cos() + width * angle.sin().abs());
            let upright = Quad::from_edges(100.0, 200.0, 100.0 + w, 200.0 + h);
            let turned = turned(&upright, angle, 0.0);
            for (edge, old) in [(turned.left(), 100.0), (turned.top(), 200.0), (turned.right(), 100.0 + w), (turned.bottom(), 200.0 + h)] {
                prop_assert!((edge - old).abs() < 0.5, "{turned:?}");
            }
            prop_assert!((turned.height() - height).abs() < 0.5);
        }
    }

    fn receipt(lines: &[Quad]) -> Receipt {
        let line = |&quad| TextLine { page: 0, quad, text: "TOTAL".into(), confidence: 1.0 };
        Receipt { id: "a".into(), image: PathBuf::new(), lines: lines.iter().map(line).collect(), keys: Default::default() }
    }

    #[test]
    fn labels_of_upright_text_stay_as_they_are() {
        let upright = [Quad::from_edges(10.0, 10.0, 400.0, 40.0)];
        let mut receipt = receipt(&upright);
        turn(&mut receipt, 0.005);
        assert_eq!(receipt.lines[0].quad, upright[0]);
    }

    #[test]
    fn a_long_label_that_leaves_no_room_keeps_the_usual_height() {
        let short = |y: f32| Quad::from_edges(10.0, y, 70.0, y + 30.0);
        // 600 pixels at 0.05 radians rise by 30: nothing would be left of it.
        let mut receipt = receipt(&[short(10.0), short(60.0), short(110.0), Quad::from_edges(10.0, 200.0, 610.0, 230.0)]);
        turn(&mut receipt, 0.05);
        let heights: Vec<f32> = receipt.lines.iter().map(|line| line.quad.height()).collect();
        assert!((heights[0] - 27.0).abs() < 0.5 && (heights[3] - 0.7 * heights[0]).abs() < 0.1, "{heights:?}");
    }

    #[test]
    fn the_direction_is_that_of_most_long_lines() {
        let slanted = |rise: f32| Quad::from_coordinates([0.0, 0.0, 200.0, rise, 200.0, rise + 20.0, 0.0, 20.0]);
        let lines = [slanted(4.0), slanted(4.0), slanted(40.0), Quad::from_edges(0.0, 0.0, 20.0, 20.0)];
        assert!((direction(&lines) - 0.02).abs() < 1e-3);
        assert_eq!(direction(&lines[3..]), 0.0);
    }
}
