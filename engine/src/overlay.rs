//! A page with what was read drawn on it: grey quads for lines of text, coloured ones with a name for fields.

use std::collections::HashSet;

use ab_glyph::FontRef;
use image::{DynamicImage, GrayImage, Rgb, RgbImage};
use imageproc::{
    drawing::{draw_filled_rect_mut, draw_line_segment_mut, draw_text_mut, text_size},
    rect::Rect,
};
use proto::Invoice;

/// DejaVu Sans, Latin letters only; its licence stands beside it.
const FONT: &[u8] = include_bytes!("../assets/DejaVuSans-subset.ttf");

const TEXT: Rgb<u8> = Rgb([170, 170, 190]);
const LABEL_INK: Rgb<u8> = Rgb([255, 255, 255]);

/// Labels as a share of the page's shorter edge, and at least legible.
const LABEL_SHARE: f32 = 1.0 / 80.0;
const MIN_LABEL_PIXELS: f32 = 11.0;
/// Stroke as a share of the label's height.
const STROKE_SHARE: f32 = 1.0 / 7.0;

/// Draws the text and fields that `invoice` has on its page number `page` (from 0) over the `image` of that page.
pub fn annotate(image: &GrayImage, page: u32, invoice: &Invoice) -> RgbImage {
    let mut canvas = Canvas::new(image);
    for line in invoice.text.iter().filter(|line| line.page == page) {
        canvas.outline(&line.quad, TEXT, 1);
    }
    let mut labelled = HashSet::new();
    for (path, field) in invoice.fields().into_iter().filter(|(_, field)| field.page == Some(page)) {
        let colour = colour(&path);
        canvas.outline(&field.quad, colour, canvas.stroke);
        let name = name(&path);
        if labelled.insert(name.clone()) {
            canvas.label(&field.quad, colour, &name);
        }
    }
    canvas.image
}

/// The path without the number of its row: only a table's first row on a page is labelled, or labels would hide the rows above.
fn name(path: &str) -> String {
    match path.split_once('[').zip(path.split_once(']')) {
        Some((("lines", _), (_, cell))) => cell.trim_start_matches('.').to_owned(),
        Some(((table, _), (_, cell))) => format!("{table}{cell}"),
        None => path.to_owned(),
    }
}

/// One colour for each part of a document.
fn colour(path: &str) -> Rgb<u8> {
    match path.split(['.', '[']).next() {
        Some("supplier") => Rgb([0, 130, 60]),
        Some("customer") => Rgb([0, 140, 140]),
        Some("lines") => Rgb([205, 90, 0]),
        Some("vat") => Rgb([140, 40, 170]),
        Some("totals") => Rgb([210, 20, 40]),
        _ => Rgb([20, 80, 210]),
    }
}

struct Canvas {
    image: RgbImage,
    font: FontRef<'static>,
    label_pixels: f32,
    stroke: i32,
}

impl Canvas {
    fn new(page: &GrayImage) -> Self {
        let label_pixels = (page.width().min(page.height()) as f32 * LABEL_SHARE).max(MIN_LABEL_PIXELS);
        Self {
            image: DynamicImage::ImageLuma8(page.clone()).into_rgb8(),
            font: FontRef::try_from_slice(FONT).expect("the font in assets is whole"),
            label_pixels,
            stroke: (label_pixels * STROKE_SHARE).round().max(1.0) as i32,
        }
    }

    /// The quad's edges, `stroke` pixels wide; a quad that is none is not drawn.
    fn outline(&mut self, quad: &[i32], colour: Rgb<u8>, stroke: i32) {
        let Some(corners) = corners(quad) else { return };
        for (index, &(x1, y1)) in corners.iter().enumerate() {
            let (x2, y2) = corners[(index + 1) % corners.len()];
            for offset in (0..stroke).map(|pixel| (pixel - stroke / 2) as f32) {
                // Across the edge: beside a steep one, over a flat one.
                let (dx, dy) = if (x2 - x1).abs() < (y2 - y1).abs() { (offset, 0.0) } else { (0.0, offset) };
                draw_line_segment_mut(&mut self.image, (x1 + dx, y1 + dy), (x2 + dx, y2 + dy), colour);
            }
        }
    }

    /// A filled tag above the quad, inside the page.
    fn label(&mut self, quad: &[i32], colour: Rgb<u8>, text: &str) {
        let Some(corners) = corners(quad) else { return };
        let left = corners.iter().map(|corner| corner.0).fold(f32::INFINITY, f32::min) as i32;
        let top = corners.iter().map(|corner| corner.1).fold(f32::INFINITY, f32::min) as i32;
        let (width, height) = text_size(self.label_pixels, &self.font, text);
        let (width, height) = (width + 2 * self.stroke as u32, height + 2 * self.stroke as u32);
        let (page_width, page_height) = (self.image.width() as i32, self.image.height() as i32);
        let x = left.clamp(0, (page_width - width as i32).max(0));
        let y = (top - height as i32).clamp(0, (page_height - height as i32).max(0));
        draw_filled_rect_mut(&mut self.image, Rect::at(x, y).of_size(width, height), colour);
        draw_text_mut(&mut self.image, LABEL_INK, x + self.stroke, y + self.stroke, self.label_pixels, &self.font, text);
    }
}

fn corners(quad: &[i32]) -> Option<[(f32, f32); 4]> {
    let [x1, y1, x2, y2, x3, y3, x4, y4] = *quad else { return None };
    Some([(x1, y1), (x2, y2), (x3, y3), (x4, y4)].map(|(x, y)| (x as f32, y as f32)))
}

#[cfg(test)]
mod tests {
    use image::Luma;
    use proto::{Field, TextLine, Totals};

    use super::*;

    #[test]
    fn fields_and_lines_are_drawn_on_their_page_only() {
        let page = GrayImage::from_pixel(300, 200, Luma([255]));
        let quad = vec![50, 100, 150, 100, 150, 120, 50, 120];
        let gross = Field { page: Some(1), quad: quad.clone(), ..Field::default() };
        let invoice = Invoice {
            totals: Some(Totals { gross: Some(gross), ..Totals::default() }),
            text: vec![TextLine { page: 0, quad, ..TextLine::default() }],
            ..Invoice::default()
        };
        let colours = |page_index| {
            let image = annotate(&page, page_index, &invoice);
            (*image.get_pixel(150, 110), *image.get_pixel(52, 96), *image.get_pixel(100, 110))
        };
        let white = Rgb([255, 255, 255]);
        assert_eq!(colours(0), (TEXT, white, white));
        let (edge, label, inside) = colours(1);
        assert_eq!((edge, inside), (colour("totals.gross"), white));
        assert_ne!(label, white, "the label stands above the quad");
        assert_eq!(colours(2), (white, white, white));
    }

    #[test]
    fn labels_name_columns_once() {
        for (path, expected) in [
            ("totals.gross", "totals.gross"),
            ("lines[12].unit_price", "unit_price"),
            ("vat[0].rate", "vat.rate"),
            ("currency", "currency"),
        ] {
            assert_eq!(name(path), expected);
        }
    }

    #[test]
    fn quads_beyond_the_page_and_broken_quads_are_no_harm() {
        let page = GrayImage::from_pixel(20, 20, Luma([255]));
        let field = |quad: Vec<i32>| Some(Field { page: Some(0), quad, ..Field::default() });
        let invoice = Invoice {
            issue_date: field(vec![-500, -500, 900, -500, 900, 900, -500, 900]),
            due_date: field(vec![1, 2, 3]),
            currency: field(vec![]),
            ..Invoice::default()
        };
        assert_eq!(annotate(&page, 0, &invoice).dimensions(), (20, 20));
    }
}
