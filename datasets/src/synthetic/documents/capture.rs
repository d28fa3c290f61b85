//! How a printed document comes to the reader: as it is, from a printer, a scanner or a camera.

use engine::geometry::{Point, Quad};
use image::{GrayImage, Luma};
use imageproc::geometric_transformations::{Border, Interpolation, Projection, warp_into};

use super::sheet::{Page, PrintedLine};
use crate::synthetic::dice::Dice;
use crate::synthetic::wear::{self, Clouds, Exposure};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// Straight from the computer.
    Clean,
    /// A printer's ink on white paper, well copied.
    Print,
    /// Slightly turned, noisy, worn, compressed.
    Scan,
    /// Taken by hand on a table: perspective, shadow, blur.
    Photo,
}

/// The picture of a page and its lines where the picture shows them.
pub fn capture(dice: &mut Dice, page: Page, how: Capture) -> (GrayImage, Vec<PrintedLine>) {
    match how {
        Capture::Clean => (wear::expose(&page.ink, dice, Exposure { paper: 255.0, ink: 10.0, noise: 0.0 }, None), page.lines),
        Capture::Print => print(dice, page),
        Capture::Scan => scan(dice, page),
        Capture::Photo => photo(dice, page),
    }
}

fn print(dice: &mut Dice, mut page: Page) -> (GrayImage, Vec<PrintedLine>) {
    let sigma = dice.within(0.3..0.8);
    page.ink.blur(sigma);
    let exposure = Exposure { paper: dice.within(225.0..255.0), ink: dice.within(10.0..80.0), noise: dice.within(0.0..4.0) };
    (wear::expose(&page.ink, dice, exposure, None), page.lines)
}

fn scan(dice: &mut Dice, mut page: Page) -> (GrayImage, Vec<PrintedLine>) {
    wear_page(dice, &mut page);
    let sigma = dice.within(0.4..1.0);
    page.ink.blur(sigma);
    let exposure = Exposure { paper: dice.within(200.0..252.0), ink: dice.within(20.0..110.0), noise: dice.within(1.0..9.0) };
    let picture = wear::expose(&page.ink, dice, exposure, None);
    let (width, height) = picture.dimensions();
    let angle = dice.within(-0.018..0.018f32);
    let (cx, cy) = (width as f32 / 2.0, height as f32 / 2.0);
    let turn = Projection::translate(-cx, -cy).and_then(Projection::rotate(angle)).and_then(Projection::translate(cx, cy));
    let mut turned = GrayImage::new(width, height);
    warp_into(&picture, turn, Interpolation::Bilinear, Border::Constant(Luma([exposure.paper as u8])), &mut turned);
    let quality = dice.within(45..90);
    (wear::jpeg(turned, quality), moved(page.lines, turn, width, height))
}

fn photo(dice: &mut Dice, mut page: Page) -> (GrayImage, Vec<PrintedLine>) {
    wear_page(dice, &mut page);
    let exposure = Exposure { paper: dice.within(190.0..245.0), ink: dice.within(25.0..100.0), noise: 0.0 };
    let shade = Clouds::new(dice, page.ink.width, page.ink.height, page.ink.width as f32 / 2.5, 0.62, 1.04);
    let paper = wear::expose(&page.ink, dice, exposure, Some(&shade));
    let (w, h) = (paper.width() as f32, paper.height() as f32);
    let border = dice.within(0.02..0.09) * w;
    let (out_w, out_h) = ((w + 2.0 * border) as u32, (h + 2.0 * border) as u32);
    let mut corner = |x: f32, y: f32| (x + border + dice.within(-0.6..0.6) * border, y + border + dice.within(-0.6..0.6) * border);
    let to = [corner(0.0, 0.0), corner(w, 0.0), corner(w, h), corner(0.0, h)];
    let Some(lay) = Projection::from_control_points([(0.0, 0.0), (w, 0.0), (w, h), (0.0, h)], to) else {
        return (paper, page.lines); // four corners on a line: cannot come from so small a jitter
    };
    let mut picture = table(dice, out_w, out_h, &paper, lay);
    picture = image::imageops::blur(&picture, dice.within(0.5..1.1));
    let noise = dice.within(1.0..5.0);
    picture.iter_mut().for_each(|pixel| *pixel = (f32::from(*pixel) + dice.bell() * noise).clamp(0.0, 255.0) as u8);
    let quality = dice.within(55..90);
    (wear::jpeg(picture, quality), moved(page.lines, lay, out_w, out_h))
}

/// The paper, laid on a table of uneven grey.
fn table(dice: &mut Dice, width: u32, height: u32, paper: &GrayImage, lay: Projection) -> GrayImage {
    let dark = dice.within(30.0..130.0f32);
    let cell = width as f32 / dice.within(3.0..40.0);
    let clouds = Clouds::new(dice, width as usize, height as usize, cell, dark * 0.75, dark * 1.25);
    let back = lay.invert();
    let mut picture = GrayImage::new(width, height);
    warp_into(paper, lay, Interpolation::Bilinear, Border::Constant(Luma([0])), &mut picture);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let (px, py) = back * (x as f32, y as f32);
        if !(0.0..paper.width() as f32).contains(&px) || !(0.0..paper.height() as f32).contains(&py) {
            pixel.0[0] = clouds.at(x as usize, y as usize) as u8;
        }
    }
    picture
}

/// The wear of paper in use; every effect is rare, so that most pages show one or none.
fn wear_page(dice: &mut Dice, page: &mut Page) {
    let ink = &mut page.ink;
    if dice.chance(0.4) {
        let weight = dice.within(-0.15..0.4);
        wear::spread(ink, weight);
    }
    if dice.chance(0.25) {
        let cell = ink.width as f32 / dice.within(2.0..8.0);
        wear::fade(ink, dice, cell, 0.45);
    }
    if dice.chance(0.08) {
        let count = dice.within(1..4);
        wear::dead_elements(ink, dice, count);
    }
    if dice.chance(0.12) {
        let share = dice.within(0.02..0.08);
        wear::crumble(ink, dice, share);
    }
    if dice.chance(0.2) {
        wear::soil(ink, dice, 0.0003);
    }
}

fn moved(lines: Vec<PrintedLine>, projection: Projection, width: u32, height: u32) -> Vec<PrintedLine> {
    let place = |quad: Quad| {
        Quad(quad.0.map(|p| {
            let (x, y) = projection * (p.x, p.y);
            Point { x: x.clamp(0.0, width as f32), y: y.clamp(0.0, height as f32) }
        }))
    };
    let move_line = |mut line: PrintedLine| {
        line.quad = place(line.quad);
        line.marks.iter_mut().for_each(|marked| marked.quad = place(marked.quad));
        line
    };
    lines.into_iter().map(move_line).collect()
}
