//! A line of text cut out of its page, upright, at the height that the recogniser reads.

use image::{GrayImage, Luma};

use super::network::{COLUMN_WIDTH, LINE_HEIGHT};
use crate::geometry::{Point, Quad};
use crate::resample::{Region, ResampleError, resample};

/// The widest line that is read, in pixels at [`LINE_HEIGHT`]: about 300 characters. A wider one is squeezed to this.
pub const LINE_WIDTH_MAX: usize = 4096;
/// The narrowest: two columns, so that a lone character has a blank beside it.
pub const LINE_WIDTH_MIN: usize = 2 * COLUMN_WIDTH;
/// Corners may lie this far from an upright rectangle, in pixels, and are still cut out as one.
const UPRIGHT_TOLERANCE: f32 = 1.0;
/// The largest side of a quad that is straightened, in pixels; larger than any page.
const QUAD_SIDE_MAX: f32 = 20_000.0;

/// Shares of a line's height by which a localiser's quad is cut back above and below, and at both ends. Its edges leave paper around
/// the text and touch its neighbours; without that letters are read larger.
const CUT_BACK_ACROSS: f32 = 0.07;
const CUT_BACK_ALONG: f32 = 0.02;

/// What of a localiser's quad is read.
pub fn cut_back(quad: &Quad) -> Quad {
    let (width, height) = (quad.width(), quad.height());
    let (u, v) = ((CUT_BACK_ALONG * height / width).min(0.25), CUT_BACK_ACROSS);
    let Quad([a, b, c, d]) = *quad;
    let corner = |u: f32, v: f32| between(between(a, b, u), between(d, c, u), v);
    Quad([corner(u, v), corner(1.0 - u, v), corner(1.0 - u, 1.0 - v), corner(u, 1.0 - v)])
}

/// The line in `quad`: [`LINE_HEIGHT`] high, its width in proportion, a multiple of [`COLUMN_WIDTH`]. `None` where less than a
/// pixel of it lies on the page.
pub fn line_image(page: &GrayImage, quad: &Quad) -> Result<Option<GrayImage>, ResampleError> {
    if !quad.0.iter().all(|p| p.x.is_finite() && p.y.is_finite()) {
        return Ok(None);
    }
    if is_upright(quad) {
        let region = Region {
            left: quad.left().into(),
            top: quad.top().into(),
            width: (quad.right() - quad.left()).into(),
            height: (quad.bottom() - quad.top()).into(),
        };
        return region.on(page).map(|region| to_line(page, region)).transpose();
    }
    let Some(straight) = straighten(page, quad) else { return Ok(None) };
    to_line(&straight, Region::whole(&straight)).map(Some)
}

fn to_line(image: &GrayImage, region: Region) -> Result<GrayImage, ResampleError> {
    resample(image, region, line_width(region.width, region.height) as u32, LINE_HEIGHT as u32)
}

/// The width at which a line of this size is read.
fn line_width(width: f64, height: f64) -> usize {
    let columns = (width * LINE_HEIGHT as f64 / height / COLUMN_WIDTH as f64).round() as usize;
    (columns * COLUMN_WIDTH).clamp(LINE_WIDTH_MIN, LINE_WIDTH_MAX)
}

fn is_upright(quad: &Quad) -> bool {
    let Quad([a, b, c, d]) = quad;
    let near = |p: f32, q: f32| (p - q).abs() <= UPRIGHT_TOLERANCE;
    near(a.y, b.y) && near(c.y, d.y) && near(a.x, d.x) && near(b.x, c.x) && a.x < b.x && a.y < d.y
}

/// The inside of a turned or slanted quad in its own size, corners mapped bilinearly; `None` if it is less than a pixel.
fn straighten(page: &GrayImage, quad: &Quad) -> Option<GrayImage> {
    let (width, height) = (quad.width().round(), quad.height().round());
    let sides = 1.0..QUAD_SIDE_MAX;
    if !sides.contains(&width) || !sides.contains(&height) || page.width() == 0 || page.height() == 0 {
        return None;
    }
    let Quad([a, b, c, d]) = *quad;
    // The points of the upper and of the lower edge that a column lies between.
    let column = |x: u32| {
        let u = (x as f32 + 0.5) / width;
        (between(a, b, u), between(d, c, u))
    };
    let columns: Vec<_> = (0..width as u32).map(column).collect();
    Some(GrayImage::from_fn(width as u32, height as u32, |x, y| {
        let (upper, lower) = columns[x as usize];
        Luma([sample(page, between(upper, lower, (y as f32 + 0.5) / height))])
    }))
}

fn between(p: Point, q: Point, share: f32) -> Point {
    Point { x: p.x + (q.x - p.x) * share, y: p.y + (q.y - p.y) * share }
}

/// The grey value at a point, between the centres of the four pixels around it; the page's border goes on beyond it.
fn sample(page: &GrayImage, at: Point) -> u8 {
    let (width, height) = (page.width() as usize, page.height() as usize);
    // Not below zero: a cast then rounds down, where `floor` is a call on older machines.
    let inside = |v: f32, size: usize| (v - 0.5).clamp(0.0, (size - 1) as f32);
    let (x, y) = (inside(at.x, width), inside(at.y, height));
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
    let (u, v) = (x - left as f32, y - top as f32);
    let row = |y: usize| {
        let row = &page.as_raw()[y * width..][..width];
        f32::from(row[left]) * (1.0 - u) + f32::from(row[right]) * u
    };
    (row(top) * (1.0 - v) + row(bottom) * v + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Grey grows to the right: a picture in which a straightened line can be recognised.
    fn ramp() -> GrayImage {
        GrayImage::from_fn(200, 100, |x, _| Luma([x as u8]))
    }

    #[test]
    fn width_follows_the_aspect_within_limits() {
        for ((width, height), expected) in
            [((320.0, 32.0), 320), ((100.0, 16.0), 200), ((5.0, 30.0), 8), ((1e6, 10.0), 4096), ((101.0, 32.0), 100)]
        {
            assert_eq!(line_width(width, height), expected);
        }
    }

    #[test]
    fn a_quad_is_cut_back_by_shares_of_its_height() {
        assert_eq!(cut_back(&Quad::from_edges(10.0, 20.0, 310.0, 70.0)), Quad::from_edges(11.0, 23.5, 309.0, 66.5));
        let slanted = cut_back(&Quad::from_coordinates([0.0, 0.0, 300.0, 30.0, 297.0, 80.0, -3.0, 50.0]));
        let rise = (slanted.0[1].y - slanted.0[0].y) / (slanted.0[1].x - slanted.0[0].x);
        assert!((rise - 0.1).abs() < 1e-3 && (slanted.height() - 0.86 * 50.09).abs() < 0.1, "{slanted:?}");
        // A dot keeps its middle.
        assert_eq!(cut_back(&Quad::from_edges(0.0, 0.0, 1.0, 50.0)).centre(), Point { x: 0.5, y: 25.0 });
    }

    #[test]
    fn an_upright_line_is_cut_out() {
        let line = line_image(&ramp(), &Quad::from_edges(20.0, 10.0, 120.0, 34.0)).unwrap().unwrap();
        assert_eq!(line.dimensions(), (132, 32));
        assert!(line.get_pixel(0, 20).0[0].abs_diff(20) <= 1 && line.get_pixel(131, 20).0[0].abs_diff(119) <= 1);
    }

    #[test]
    fn a_line_upside_down_is_turned() {
        let quad = Quad::from_coordinates([120.0, 34.0, 20.0, 34.0, 20.0, 10.0, 120.0, 10.0]);
        let line = line_image(&ramp(), &quad).unwrap().unwrap();
        assert!(line.get_pixel(0, 20).0[0] > 115 && line.get_pixel(131, 20).0[0] < 25);
    }

    #[test]
    fn a_slanted_line_is_straightened() {
        let quad = Quad::from_coordinates([20.0, 10.0, 120.0, 30.0, 116.0, 50.0, 16.0, 30.0]);
        let line = line_image(&ramp(), &quad).unwrap().unwrap();
        let (first, last) = (line.get_pixel(0, 24).0[0], line.get_pixel(line.width() - 1, 24).0[0]);
        assert!(first.abs_diff(18) <= 2 && last.abs_diff(118) <= 2, "{first} {last}");
    }

    #[test]
    fn what_is_not_on_the_page_is_no_line() {
        for quad in [
            Quad::from_edges(300.0, 10.0, 400.0, 30.0),
            Quad::from_edges(10.0, 10.0, 10.2, 10.3),
            Quad::from_coordinates([f32::NAN; 8]),
            Quad::from_coordinates([5.0; 8]),
        ] {
            assert!(line_image(&ramp(), &quad).unwrap().is_none(), "{quad:?}");
        }
    }
}
