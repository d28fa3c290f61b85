//! Where on a page there is text: the page to a map of probabilities ([`network`]), the map to regions, the regions to quads
//! ([`regions`]).

pub mod network;
pub mod regions;

use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use image::GrayImage;
use thiserror::Error;

use crate::geometry::Quad;
use crate::kernels::{Buffer, FeatureMap, Packed, Shape, Threads};
use crate::resample::{ResampleError, resample};
use network::{Config, Network, SIDE_MULTIPLE};
use regions::{ProbabilityMap, Rectangle, Region, regions};

/// Mean and deviation of grey values (0 to 1), by which the network's input is normalised: those of ImageNet, averaged over its
/// colours.
const GREY_MEAN: f32 = 0.449;
const GREY_DEVIATION: f32 = 0.226;

/// A region of fewer rows or columns than this holds no text.
const SIDE_MIN: f64 = 3.0;
/// From this on a region shows the direction of its line; a shorter one takes the page's.
const ELONGATION_MIN: f64 = 4.0;
/// Lines turned by less than this (radians; 0.4 degrees) are taken as upright: a long one rises by a fifth of its height.
pub const UPRIGHT_MAX: f64 = 0.007;

/// A region this many times higher than the page's usual line may be several lines that touch.
const TALL: f64 = 1.7;
/// Thresholds at which such a region may fall apart.
const RISING: [f32; 4] = [0.5, 0.7, 0.85, 0.95];

/// Lines that begin or end at one place make a column.
const COLUMN_LINES_MIN: usize = 4;
/// By so much, in heights of the lower one, the boxes of two lines of neighbouring columns do not run into each other.
const OVERLAP_IN_COLUMN_MIN: f64 = 0.4;

/// What makes a quad of a probability map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// A page is shrunk until its longer side has at most so many pixels.
    pub longer_side_max: u32,
    /// A pixel is text above this.
    pub probability: f32,
    /// A region is text if its mean probability is above this.
    pub score: f32,
    /// See [`regions::Rectangle::unclip`].
    pub unclip: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { longer_side_max: 1120, probability: 0.3, score: 0.6, unclip: 1.2 }
    }
}

#[derive(Debug, Error)]
pub enum LocaliseError {
    #[error("can't bring the page to the detector's size")]
    Resample(#[source] ResampleError),
    #[error("the detector failed")]
    Network(#[source] candle_core::Error),
}

/// Finds lines of text.
pub struct Localiser {
    backend: Packed,
    network: Network<Packed>,
    settings: Settings,
}

impl Localiser {
    /// From weights of [`Config::pp_ocrv6_tiny`].
    pub fn from_safetensors(weights: &[u8]) -> candle_core::Result<Self> {
        let backend = Packed::new(Threads::All);
        let weights = VarBuilder::from_slice_safetensors(weights, DType::F32, &Device::Cpu)?;
        let network = Network::new(&backend, &Config::pp_ocrv6_tiny(), weights)?;
        Ok(Self { backend, network, settings: Settings::default() })
    }

    pub fn with_settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// The lines of an upright page, in its pixels, from top to bottom.
    pub fn quads(&self, page: &GrayImage) -> Result<Vec<Quad>, LocaliseError> {
        if page.width() == 0 || page.height() == 0 {
            return Ok(Vec::new());
        }
        let (width, height) = network_size(page.width(), page.height(), self.settings.longer_side_max);
        let probabilities = self.probabilities(page, width, height)?;
        let map = ProbabilityMap { width: width as usize, values: probabilities.values() };
        let pixel = (f64::from(page.width()) / f64::from(width), f64::from(page.height()) / f64::from(height));
        Ok(quads(&map, &self.settings, pixel, page.dimensions()))
    }

    fn probabilities(&self, page: &GrayImage, width: u32, height: u32) -> Result<FeatureMap, LocaliseError> {
        let region = crate::resample::Region::whole(page);
        let small = resample(page, region, width, height).map_err(LocaliseError::Resample)?;
        let shape = Shape { n: 1, h: height as usize, w: width as usize, c: 1 };
        let mut input = Buffer::unset(shape.len());
        for (to, &grey) in input.as_mut_slice().iter_mut().zip(small.as_raw()) {
            *to = input_value(grey);
        }
        self.network.forward(&self.backend, &FeatureMap::new(shape, input)).map_err(LocaliseError::Network)
    }
}

/// A grey value as the network sees it: about 0 in the mean, with a deviation of about 1.
pub fn input_value(grey: u8) -> f32 {
    (f32::from(grey) / 255.0 - GREY_MEAN) / GREY_DEVIATION
}

/// Width and height at which a page goes through the network: shrunk if needed, to multiples of [`SIDE_MULTIPLE`].
fn network_size(width: u32, height: u32, longer_side_max: u32) -> (u32, u32) {
    let scale = (f64::from(longer_side_max) / f64::from(width.max(height))).min(1.0);
    let multiple = SIDE_MULTIPLE as u32;
    let side = |pixels: u32| ((f64::from(pixels) * scale / f64::from(multiple)).round() as u32).max(1) * multiple;
    (side(width), side(height))
}

fn quads(map: &ProbabilityMap, settings: &Settings, pixel: (f64, f64), page: (u32, u32)) -> Vec<Quad> {
    let mut regions = regions(map, settings.probability);
    regions.retain(|region| region.score() > settings.score);
    let skew = skew(&regions);
    let tall = TALL * usual_height(&regions, skew);
    let regions: Vec<Region> = regions.into_iter().flat_map(|region| lines_of(map, region, &RISING, skew, tall)).collect();
    let regions = joined(regions, settings.unclip, skew);
    let rectangles = regions.iter().map(|region| region.rectangle(direction(region, skew)));
    let rectangles = rectangles.filter(|r| r.width().min(r.height()) >= SIDE_MIN);
    rectangles.map(|r| on_page(r.unclip(settings.unclip).quad(pixel.0, pixel.1), page)).collect()
}

/// Regions of one row whose rectangles run into each other are one line, in two pieces; where the right one stands in a column, only if
/// they do so by [`OVERLAP_IN_COLUMN_MIN`].
fn joined(regions: Vec<Region>, unclip: f64, skew: f64) -> Vec<Region> {
    let rectangle = |region: &Region| region.rectangle(skew).unclip(unclip);
    let all: Vec<Rectangle> = regions.iter().map(rectangle).collect();
    let in_column = |piece: &Rectangle| all.iter().filter(|other| other.is_aligned_with(piece)).count() >= COLUMN_LINES_MIN;
    let is_of_line = |other: &Rectangle, piece: &Rectangle| {
        let overlap = other.overlap_in_row(piece);
        overlap > 0.0 && (overlap > OVERLAP_IN_COLUMN_MIN || !in_column(other.right_of(piece)))
    };
    let mut lines: Vec<(Region, Rectangle)> = Vec::with_capacity(regions.len());
    for (mut line, mut piece) in regions.into_iter().zip(all.iter().copied()) {
        let mut place = lines.len();
        while let Some(at) = lines.iter().position(|(_, other)| is_of_line(other, &piece)) {
            line.join(lines.remove(at).0);
            piece = rectangle(&line);
            place = place.min(at);
        }
        lines.insert(place, (line, piece));
    }
    lines.into_iter().map(|(line, _)| line).collect()
}

/// The median height of regions that show a direction.
fn usual_height(regions: &[Region], skew: f64) -> f64 {
    let lines = regions.iter().filter(|region| own_direction(region).is_some());
    median(lines.map(|region| region.rectangle(direction(region, skew)).height())).unwrap_or(f64::INFINITY)
}

/// The lines that a region higher than `tall` falls apart into at one of the `rising` thresholds, or the region itself.
fn lines_of(map: &ProbabilityMap, region: Region, rising: &[f32], skew: f64, tall: f64) -> Vec<Region> {
    let is_tall = |region: &Region| region.rectangle(direction(region, skew)).height() > tall;
    let Some((threshold, higher)) = rising.split_first().filter(|_| is_tall(&region)) else { return vec![region] };
    let parts = rows_of(region.above(map, *threshold), skew);
    match parts.len() {
        0 | 1 => lines_of(map, region, higher, skew, tall),
        _ => parts.into_iter().flat_map(|part| lines_of(map, part, higher, skew, tall)).collect(),
    }
}

/// Joins parts that stand side by side: a higher threshold parts words too.
fn rows_of(parts: Vec<Region>, skew: f64) -> Vec<Region> {
    let mut rows: Vec<Region> = Vec::new();
    for part in parts.into_iter().filter(|part| part.rectangle(skew).height() >= SIDE_MIN) {
        let rectangle = part.rectangle(skew);
        match rows.iter_mut().find(|row| row.rectangle(skew).is_beside(&rectangle)) {
            Some(row) => row.join(part),
            None => rows.push(part),
        }
    }
    rows
}

/// The direction of a line, if the region is long enough to show one, in radians.
fn own_direction(region: &Region) -> Option<f64> {
    let axis = region.axis();
    (axis.elongation >= ELONGATION_MIN && axis.angle.abs() < std::f64::consts::FRAC_PI_4).then_some(axis.angle)
}

/// The median direction of the page's lines.
fn skew(regions: &[Region]) -> f64 {
    median(regions.iter().filter_map(own_direction)).unwrap_or(0.0)
}

/// The upper of the two in the middle, where there are two.
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

fn direction(region: &Region, skew: f64) -> f64 {
    let angle = own_direction(region).unwrap_or(skew);
    if angle.abs() < UPRIGHT_MAX { 0.0 } else { angle }
}

fn on_page(quad: Quad, (width, height): (u32, u32)) -> Quad {
    Quad(quad.0.map(|p| crate::geometry::Point { x: p.x.clamp(0.0, width as f32), y: p.y.clamp(0.0, height as f32) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_shrunk_to_multiples_of_32() {
        for ((width, height), expected) in
            [((874, 1857), (448, 960)), ((1857, 874), (960, 448)), ((100, 50), (96, 64)), ((1, 1), (32, 32)), ((10, 5000), (32, 960))]
        {
            assert_eq!(network_size(width, height, 960), expected);
        }
    }

    /// A map with bars of text: left, top, width, height; turned around their left end by `slope`.
    fn bars(width: usize, height: usize, bars: &[[usize; 4]], slope: f64) -> Vec<f32> {
        let mut values = vec![0.0; width * height];
        for &[left, top, w, h] in bars {
            for (x, y) in (0..w).flat_map(|x| (0..h).map(move |y| (x, y))) {
                let shifted = top + y + (x as f64 * slope).round() as usize;
                values[shifted * width + left + x] = 0.95;
            }
        }
        values
    }

    fn found(values: &[f32], width: usize) -> Vec<Quad> {
        let page = (2 * width as u32, 2 * (values.len() / width) as u32);
        quads(&ProbabilityMap { width, values }, &Settings::default(), (2.0, 2.0), page)
    }

    #[test]
    fn columns_with_a_gap_are_lines_of_their_own() {
        let quads = found(&bars(200, 60, &[[10, 10, 60, 6], [120, 10, 40, 6], [10, 40, 5, 6]], 0.0), 200);
        assert_eq!(quads.len(), 3);
        assert!(quads[0].right() < quads[1].left());
        assert!(quads.iter().all(|q| q.0[0].y == q.0[1].y), "upright");
    }

    #[test]
    fn a_short_word_takes_the_direction_of_the_page() {
        let quads = found(&bars(300, 120, &[[10, 10, 200, 8], [10, 40, 200, 8], [250, 30, 8, 8]], 0.1), 300);
        let slope = |q: &Quad| (q.0[1].y - q.0[0].y) / (q.0[1].x - q.0[0].x);
        assert_eq!(quads.len(), 3);
        assert!(quads.iter().all(|q| (slope(q) - 0.1).abs() < 0.02), "{quads:?}");
    }

    #[test]
    fn pieces_that_run_into_each_other_are_one_line() {
        let quads = found(&bars(200, 60, &[[10, 10, 60, 8], [73, 11, 40, 8], [130, 10, 40, 8], [10, 40, 60, 8]], 0.0), 200);
        assert_eq!(quads.len(), 3, "{quads:?}");
        assert!(quads[0].right() > 226.0 && quads[1].left() > 240.0, "{quads:?}");
        let row = |y: usize| [[10, 10 + 30 * y, 60, 8], [73, 10 + 30 * y, 40, 8]];
        let columns = (0..4).flat_map(row).collect::<Vec<_>>();
        assert_eq!(found(&bars(200, 140, &columns, 0.0), 200).len(), 8, "two columns");
    }

    #[test]
    fn lines_that_touch_are_parted_and_words_stay_together() {
        let lines =
            [[10, 10, 60, 6], [74, 10, 50, 6], [10, 20, 120, 6], [10, 30, 100, 6], [10, 60, 90, 6], [10, 80, 90, 6], [10, 100, 90, 6]];
        let mut values = bars(160, 120, &lines, 0.0);
        // The first three rows hang together, and so do the words of the first.
        let mut bridge = |left: usize, top: usize, w: usize, h: usize| {
            for (x, y) in (0..w).flat_map(|x| (0..h).map(move |y| (x, y))) {
                let p = &mut values[(top + y) * 160 + left + x];
                *p = p.max(0.6);
            }
        };
        bridge(30, 10, 20, 26);
        bridge(66, 11, 10, 4);
        let quads = found(&values, 160);
        assert_eq!(quads.len(), 6, "{quads:?}");
        assert!(quads.iter().all(|q| q.height() < 30.0), "{quads:?}");
        assert!(quads[0].left() < 22.0 && quads[0].right() > 246.0, "both words of the first line: {:?}", quads[0]);
    }

    #[test]
    fn specks_and_doubtful_regions_are_no_text() {
        let mut values = bars(100, 40, &[[5, 5, 2, 2], [30, 10, 30, 6]], 0.0);
        values.iter_mut().skip(100 * 8).for_each(|p| *p *= 0.5);
        assert!(found(&values, 100).is_empty());
    }

    #[test]
    fn quads_stay_on_the_page() {
        let quads = found(&bars(100, 20, &[[0, 0, 100, 8]], 0.0), 100);
        assert_eq!((quads[0].left(), quads[0].top(), quads[0].right()), (0.0, 0.0, 200.0));
    }
}
