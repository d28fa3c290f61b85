//! Which way up a page lies. A photo without EXIF orientation, or a sheet that went into the scanner sideways, shows it by its
//! lines: they stand upright, or they read badly and read well when turned round.

use image::imageops;

use crate::{
    geometry::{Point, Quad},
    page::Page,
    recognise::Reading,
};

/// A line this many times longer than high shows a direction.
const ELONGATION_MIN: f32 = 3.0;
/// Fewer lines say nothing of a page.
const LINES_MIN: usize = 4;
/// Characters upside down are still read as some characters, with less confidence than this.
const DOUBTFUL_CONFIDENCE: f32 = 0.75;
/// Lines that are read turned round before the whole page is.
const TELLING_LINES_MAX: usize = 8;
/// Turned round, a page must read so much better.
const CONFIDENCE_GAIN_MIN: f32 = 0.1;

/// Whether most lines run up or down the page.
pub fn lies_sideways(quads: &[Quad]) -> bool {
    let sizes = quads.iter().map(|quad| (quad.right() - quad.left(), quad.bottom() - quad.top()));
    let directed = sizes.filter(|(width, height)| width.max(*height) > ELONGATION_MIN * width.min(*height));
    let (vertical, horizontal): (Vec<_>, Vec<_>) = directed.partition(|(width, height)| height > width);
    vertical.len() >= LINES_MIN && vertical.len() > horizontal.len()
}

/// Whether a page reads so badly that it may lie upside down.
pub fn is_doubtful(readings: &[Reading]) -> bool {
    readings.len() >= LINES_MIN && confidence(readings) < DOUBTFUL_CONFIDENCE
}

/// The longest lines, a few, with their readings: enough to tell which way up a page lies.
pub fn longest<'a>(quads: &[Quad], readings: impl Iterator<Item = &'a Reading>) -> (Vec<Quad>, Vec<Reading>) {
    let mut lines: Vec<(Quad, &Reading)> = quads.iter().copied().zip(readings).collect();
    lines.sort_by(|a, b| b.0.width().total_cmp(&a.0.width()));
    lines.into_iter().take(TELLING_LINES_MAX).map(|(quad, reading)| (quad, reading.clone())).unzip()
}

/// Whether a page reads clearly better turned round.
pub fn reads_better(turned: &[Reading], before: &[Reading]) -> bool {
    confidence(turned) > confidence(before) + CONFIDENCE_GAIN_MIN
}

/// Mean confidence of a page's characters.
fn confidence(readings: &[Reading]) -> f32 {
    let characters = |reading: &Reading| reading.text.chars().count() as f32;
    let sum: f32 = readings.iter().map(|reading| reading.confidence * characters(reading)).sum();
    sum / readings.iter().map(characters).sum::<f32>().max(1.0)
}

/// A page that lies on its left side, set upright.
pub fn turn_clockwise(page: &Page) -> Page {
    Page { image: imageops::rotate90(&page.image), rotation_degrees: (page.rotation_degrees + 90) % 360, native_text: None }
}

/// A page upside down, turned round.
pub fn turn_round(page: &Page) -> Page {
    Page { image: imageops::rotate180(&page.image), rotation_degrees: (page.rotation_degrees + 180) % 360, native_text: None }
}

/// The quads of a page after [`turn_round`], again from top to bottom.
pub fn turn_quads_round(page: &Page, quads: &[Quad]) -> Vec<Quad> {
    let (width, height) = (page.image.width() as f32, page.image.height() as f32);
    let turn = |point: Point| Point { x: width - point.x, y: height - point.y };
    // The corner that was the lower right one is the upper left one now.
    let turn_quad = |quad: &Quad| Quad(std::array::from_fn(|corner| turn(quad.0[(corner + 2) % 4])));
    quads.iter().rev().map(turn_quad).collect()
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};

    use super::*;

    fn reading(text: &str, confidence: f32) -> Reading {
        Reading { text: text.into(), confidence }
    }

    #[test]
    fn a_page_lies_sideways_when_most_long_lines_do() {
        let lying = Quad::from_edges(0.0, 0.0, 100.0, 10.0);
        let standing = Quad::from_edges(0.0, 0.0, 10.0, 100.0);
        let short = Quad::from_edges(0.0, 0.0, 12.0, 14.0);
        // (lying, standing, short, sideways)
        for (l, s, o, expected) in [(9, 0, 3, false), (9, 5, 0, false), (0, 3, 9, false), (2, 4, 9, true), (0, 30, 0, true)] {
            let quads = [vec![lying; l], vec![standing; s], vec![short; o]].concat();
            assert_eq!(lies_sideways(&quads), expected, "{l} lying, {s} standing, {o} short");
        }
    }

    #[test]
    fn confidence_counts_characters() {
        let good = [reading("A LONG AND CLEAR LINE", 0.98), reading("x", 0.2), reading("TOTAL", 0.9), reading("", 0.0)];
        let bad = [reading("qoou", 0.4), reading("b8", 0.5), reading("lll", 0.7), reading("o", 0.9)];
        assert!(!is_doubtful(&good));
        assert!(is_doubtful(&bad));
        assert!(!is_doubtful(&bad[..3]), "too few lines");
        assert!(reads_better(&good, &bad) && !reads_better(&bad, &good) && !reads_better(&bad, &bad));
    }

    #[test]
    fn the_longest_lines_come_with_their_readings() {
        let quads: Vec<Quad> = (0..20).map(|i| Quad::from_edges(0.0, 0.0, 10.0 + ((i * 7) % 20) as f32, 8.0)).collect();
        let readings: Vec<Reading> = (0..20).map(|i| reading(&format!("{}", 10 + (i * 7) % 20), 0.5)).collect();
        let (longest, read) = longest(&quads, readings.iter());
        let widths: Vec<String> = longest.iter().map(|quad| quad.width().to_string()).collect();
        assert_eq!(widths, read.iter().map(|r| r.text.clone()).collect::<Vec<_>>());
        assert_eq!(widths, ["29", "28", "27", "26", "25", "24", "23", "22"]);
    }

    #[test]
    fn turned_quads_lie_on_the_same_ink() {
        let mut image = GrayImage::from_pixel(40, 30, Luma([255]));
        image.put_pixel(3, 4, Luma([0]));
        let page = Page { image, rotation_degrees: 270, native_text: None };
        let turned = turn_round(&page);
        assert_eq!(turned.rotation_degrees, 90);
        let [quad] = turn_quads_round(&page, &[Quad::from_edges(3.0, 4.0, 4.0, 5.0)])[..] else { panic!("one quad") };
        assert_eq!((quad.left(), quad.top(), quad.right(), quad.bottom()), (36.0, 25.0, 37.0, 26.0));
        assert_eq!(quad.0[0], Point { x: 36.0, y: 25.0 });
        assert_eq!(turned.image.get_pixel(36, 25)[0], 0);
        assert_eq!(turn_clockwise(&page).rotation_degrees, 0);
    }
}
