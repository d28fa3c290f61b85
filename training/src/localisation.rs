//! Training of the localiser: probability maps of shrunken lines of text.
//!
//! Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", 2020, <https://arxiv.org/abs/1911.08947>:
//! a line's quad is shrunk, so that neighbouring lines stay apart; the loss on the probability map is binary cross-entropy over
//! all text and the hardest of the rest (three times as many), and the Dice loss. Shrunk not as in the paper (by
//! `area * (1 - r^2) / perimeter`, r = 0.4) but by what the localiser's unclipping undoes, so that a perfect map gives perfect quads.

use crate::checkpoint;
use crate::fit::{Loss, Source, Task};
use crate::metrics::{Tally, localisation::deteval};
use crate::receipts::Receipts;
use candle_core::{Device, Result, Tensor};
use candle_nn::VarMap;
use datasets::synthetic::documents::{DocumentGenerator, SyntheticDocument};
use engine::geometry::{Point, Quad};
use engine::kernels::gradients::Gradients;
use engine::localise::network::{Config, Network};
use engine::localise::{Localiser, Settings, input_value};
use engine::resample::{Region, ResampleError, resample};
use engine::text::TextLine;
use image::GrayImage;
use imageproc::filter::gaussian_blur_f32;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Pixels without text that count, for each pixel of text.
const NEGATIVES_PER_POSITIVE: usize = 3;
/// Where a cut-out holds no text, this many of its pixels count all the same.
const NEGATIVES_MIN: usize = 1000;
/// Probabilities are kept this far from 0 and 1 in the logarithm.
const PROBABILITY_MARGIN: f32 = 1e-4;
/// Side of the square cut-outs, in pixels of the network's input.
const SIDE: u32 = 512;
const CUT_OUTS_A_BATCH: usize = 4;
/// Share of batches from synthetic documents: invoices, dense tables, photographs, which receipts alone would unlearn.
const SYNTHETIC_SHARE: f64 = 0.25;
const BATCHES_A_WINDOW: usize = 8;
/// Light text on dark.
const INVERTED_SHARE: f64 = 0.04;
/// The page is seen at this many times the size at which the product sees it.
const SCALE: std::ops::Range<f64> = 0.75..1.35;

/// The localiser in training.
pub struct Localisation {
    network: Network<Gradients>,
    device: Device,
    held_back: Receipts,
}

impl Localisation {
    /// A network with the weights `init` (safetensors) in `variables`, or with random ones.
    pub fn new(variables: &VarMap, init: Option<&[u8]>, device: Device, held_back: Receipts) -> Result<Self> {
        let init = init.map(checkpoint::decode_tensors).transpose()?;
        let network =
            checkpoint::network(variables, init.as_ref(), &device, |weights| Network::new(&Gradients, &Config::pp_ocrv6_tiny(), weights))?;
        Ok(Self { network, device, held_back })
    }
}

impl Task for Localisation {
    type Batch = PageBatch;

    fn loss(&self, batch: &PageBatch) -> Result<Loss> {
        let side = SIDE as usize;
        let samples = batch.pixels.len() / (side * side);
        let pages = Tensor::from_slice(&batch.pixels, (samples, side, side, 1), &self.device)?;
        let probabilities = self.network.forward(&Gradients, &pages)?;
        let values = probabilities.detach().flatten_all()?.to_vec1::<f32>()?;
        let mut gradient = vec![0.0; values.len()];
        let value = map_loss(&values, &batch.text, &mut gradient);
        let gradient = Tensor::from_vec(gradient, probabilities.shape(), &self.device)?;
        Ok(Loss { value, tensor: (probabilities * gradient)?.sum_all()?, samples })
    }

    /// Hmean of task 1 (DetEval), with precision and recall.
    fn validate(&self, weights: &[u8]) -> std::result::Result<Vec<(&'static str, f64)>, Box<dyn std::error::Error + Send + Sync>> {
        let localiser = Localiser::from_safetensors(weights)?;
        let mut tally = Tally::default();
        for (receipt, page) in self.held_back.iter() {
            let truth: Vec<Quad> = receipt.lines.iter().map(|line| line.quad).collect();
            tally += deteval(&truth, &localiser.quads(page)?);
        }
        Ok(vec![("Hmean", tally.f1()), ("precision", tally.precision()), ("recall", tally.recall())])
    }
}

/// Cross-entropy and Dice loss of a batch; `gradient` receives the derivative with respect to the probabilities.
fn map_loss(probabilities: &[f32], text: &[bool], gradient: &mut [f32]) -> f32 {
    let clamped = |p: f32| p.clamp(PROBABILITY_MARGIN, 1.0 - PROBABILITY_MARGIN);
    let positives = text.iter().filter(|&&t| t).count();
    let hardest = hardest_negatives(probabilities, text, (positives * NEGATIVES_PER_POSITIVE).max(NEGATIVES_MIN));
    let counted = (positives + hardest.len()) as f32;

    let mut entropy = 0.0;
    for i in hardest.iter().copied().chain((0..text.len()).filter(|&i| text[i])) {
        let p = clamped(probabilities[i]);
        let (loss, slope) = if text[i] { (-p.ln(), -1.0 / p) } else { (-(1.0 - p).ln(), 1.0 / (1.0 - p)) };
        entropy += loss / counted;
        gradient[i] += slope / counted;
    }

    // Dice: 1 - 2 sum(p y) / (sum(p) + sum(y)).
    let both: f32 = probabilities.iter().zip(text).filter(|(_, t)| **t).map(|(p, _)| p).sum();
    let either = probabilities.iter().sum::<f32>() + positives as f32 + f32::EPSILON;
    for (gradient, &text) in gradient.iter_mut().zip(text) {
        *gradient += 2.0 * both / (either * either) - if text { 2.0 / either } else { 0.0 };
    }
    entropy + 1.0 - 2.0 * both / either
}

/// Indices of the `count` most probable pixels without text.
fn hardest_negatives(probabilities: &[f32], text: &[bool], count: usize) -> Vec<usize> {
    let mut negatives: Vec<usize> = (0..text.len()).filter(|&i| !text[i]).collect();
    if negatives.len() > count {
        negatives.select_nth_unstable_by(count, |&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        negatives.truncate(count);
    }
    negatives
}

/// Cut-outs of pages with what of them is text.
#[derive(Default)]
pub struct PageBatch {
    /// `[n, SIDE, SIDE]`, normalised as the localiser does.
    pub pixels: Vec<f32>,
    /// `[n, SIDE, SIDE]`: within a shrunken line.
    pub text: Vec<bool>,
}

impl PageBatch {
    /// Adds a cut-out of the page of document `id`.
    fn add(&mut self, id: &str, page: &GrayImage, lines: &[TextLine], rng: &mut impl Rng) -> std::result::Result<(), PageError> {
        let quads: Vec<Quad> = lines.iter().map(|line| line.quad).collect();
        let (mut cut, text) = cut_out(page, &quads, rng).map_err(|source| PageError { id: id.to_owned(), source })?;
        if rng.random_bool(INVERTED_SHARE) {
            image::imageops::invert(&mut cut);
        }
        self.pixels.extend(cut.as_raw().iter().map(|&grey| input_value(grey)));
        self.text.extend(text);
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("cannot cut out a part of document {id}")]
pub struct PageError {
    id: String,
    source: ResampleError,
}

/// The source of batches: random parts of receipts and of synthetic pages at random sizes.
pub struct Pages {
    receipts: Receipts,
    generator: Option<DocumentGenerator>,
    seed: u64,
}

impl Pages {
    pub fn new(receipts: Receipts, generator: Option<DocumentGenerator>, seed: u64) -> Self {
        Self { receipts, generator, seed }
    }

    fn receipts_batch(&self, rng: &mut impl Rng) -> std::result::Result<PageBatch, PageError> {
        let mut batch = PageBatch::default();
        for _ in 0..CUT_OUTS_A_BATCH {
            let (receipt, page) = self.receipts.get(rng.random_range(0..self.receipts.len()));
            batch.add(&receipt.id, page, &receipt.lines, rng)?;
        }
        Ok(batch)
    }
}

fn synthetic_batch(document: &SyntheticDocument, rng: &mut impl Rng) -> std::result::Result<PageBatch, PageError> {
    let mut batch = PageBatch::default();
    for _ in 0..CUT_OUTS_A_BATCH {
        let page = rng.random_range(0..document.pages.len());
        let lines: Vec<TextLine> = document.lines.iter().filter(|line| line.page == page).cloned().collect();
        batch.add(&document.truth.source, &document.pages[page], &lines, rng)?;
    }
    Ok(batch)
}

impl Source for Pages {
    type Batch = PageBatch;
    type Error = PageError;

    fn window(&mut self, index: u64) -> std::result::Result<Vec<PageBatch>, PageError> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(index);
        // One document is enough for a window: its picture costs more than all cut-outs.
        let document = self.generator.as_ref().map(|generator| generator.document(rng.random()));
        let batch = |_| match &document {
            Some(document) if rng.random_bool(SYNTHETIC_SHARE) => synthetic_batch(document, &mut rng),
            _ => self.receipts_batch(&mut rng),
        };
        (0..BATCHES_A_WINDOW).map(batch).collect()
    }
}

/// A square part of the page at a random size, worn, and which of its pixels are text.
fn cut_out(page: &GrayImage, quads: &[Quad], rng: &mut impl Rng) -> std::result::Result<(GrayImage, Vec<bool>), ResampleError> {
    let longer = f64::from(page.width().max(page.height()));
    let shrink = (f64::from(Settings::default().longer_side_max) / longer).min(1.0) * rng.random_range(SCALE);
    // Up to a tenth flatter or taller.
    let (across, down) = (shrink * rng.random_range(0.95..1.05), shrink * rng.random_range(0.95..1.05));
    let (width, height) = (f64::from(SIDE) / across, f64::from(SIDE) / down);
    let mut start = |page: u32, part: f64| if f64::from(page) > part { rng.random_range(0.0..f64::from(page) - part) } else { 0.0 };
    let (left, top) = (start(page.width(), width), start(page.height(), height));
    let region = Region { left, top, width, height };
    // Beyond the page's edge lies paper of the page's own grey.
    let paper = if rng.random_bool(0.5) { 255 } else { rng.random_range(0..255) };
    let mut cut = GrayImage::from_pixel(SIDE, SIDE, image::Luma([paper]));
    if let Some(visible) = region.on(page) {
        let (w, h) = ((visible.width * across).round().max(1.0) as u32, (visible.height * down).round().max(1.0) as u32);
        let part = resample(page, visible, w.min(SIDE), h.min(SIDE))?;
        image::imageops::replace(&mut cut, &part, 0, 0);
    }
    let to_cut = |p: Point| Point { x: (f64::from(p.x) - left) as f32 * across as f32, y: (f64::from(p.y) - top) as f32 * down as f32 };
    let mut text = vec![false; (SIDE * SIDE) as usize];
    for quad in quads {
        mark(&mut text, &shrunken(&Quad(quad.0.map(to_cut))));
    }
    Ok((wear(cut, rng), text))
}

/// The quad whose unclipping gives this one.
fn shrunken(quad: &Quad) -> Quad {
    let (width, height) = (quad.width(), quad.height());
    let by = shrink_distance(width, height, Settings::default().unclip as f32);
    let Quad([a, b, c, d]) = *quad;
    let toward = |from: Point, to: Point, by: f32, length: f32| {
        let share = by / length.max(f32::EPSILON);
        Point { x: (to.x - from.x) * share, y: (to.y - from.y) * share }
    };
    // Along the line and across it, from each corner.
    let moved = |corner: Point, along: Point, across: Point| {
        let (u, v) = (toward(corner, along, by, width), toward(corner, across, by, height));
        Point { x: corner.x + u.x + v.x, y: corner.y + u.y + v.y }
    };
    Quad([moved(a, b, d), moved(b, a, c), moved(c, d, b), moved(d, c, a)])
}

/// The d of `d = ratio * area / perimeter` (unclipping) for the rectangle that is smaller by d on each side: the smaller root of
/// `(4 ratio + 8) d^2 - 2 (1 + ratio) (width + height) d + ratio * width * height = 0`.
fn shrink_distance(width: f32, height: f32, ratio: f32) -> f32 {
    let half = (1.0 + ratio) * (width + height);
    let square = 4.0 * ratio + 8.0;
    (half - (half * half - square * ratio * width * height).max(0.0).sqrt()) / square
}

/// Marks the pixels whose centres lie in the convex quad (clockwise).
fn mark(text: &mut [bool], quad: &Quad) {
    let side = SIDE as usize;
    let range = |from: f32, to: f32| (from.floor().max(0.0) as usize).min(side)..(to.ceil().max(0.0) as usize).min(side);
    for y in range(quad.top(), quad.bottom()) {
        for x in range(quad.left(), quad.right()) {
            let p = Point { x: x as f32 + 0.5, y: y as f32 + 0.5 };
            let inside = (0..4).all(|i| {
                let (a, b) = (quad.0[i], quad.0[(i + 1) % 4]);
                (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x) >= 0.0
            });
            text[y * side + x] |= inside;
        }
    }
}

fn wear(mut cut: GrayImage, rng: &mut impl Rng) -> GrayImage {
    if rng.random_bool(0.2) {
        cut = gaussian_blur_f32(&cut, rng.random_range(0.4..1.0));
    }
    let gain = rng.random_range(0.6..1.2f32);
    let shift = rng.random_range(-30.0..30.0f32);
    let noise = if rng.random_bool(0.3) { rng.random_range(2.0..14.0f32) } else { 0.0 };
    for pixel in cut.iter_mut() {
        let grain = if noise > 0.0 { noise * rng.random_range(-1.0..1.0f32) } else { 0.0 };
        *pixel = ((f32::from(*pixel) - 128.0) * gain + 128.0 + shift + grain).clamp(0.0, 255.0) as u8;
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unclipping_gives_back_what_was_shrunk() {
        for (width, height) in [(100.0, 20.0), (600.0, 18.0), (9.0, 15.0), (12.0, 12.0)] {
            for ratio in [1.2, 1.5, 2.0] {
                let by = shrink_distance(width, height, ratio);
                let (w, h) = (width - 2.0 * by, height - 2.0 * by);
                assert!(w > 0.0 && h > 0.0 && (ratio * w * h / (2.0 * (w + h)) - by).abs() < 1e-3, "{width} {height} {ratio}: {by}");
            }
        }
        // 100 x 20 with the product's ratio of 1.2: (264 - sqrt(264^2 - 12.8 * 2400)) / 12.8 = 5.2013.
        let small = shrunken(&Quad::from_edges(10.0, 10.0, 110.0, 30.0));
        let edges = [small.left(), small.top(), small.right(), small.bottom()];
        let expected = [15.2013, 15.2013, 104.7987, 24.7987];
        assert!(edges.iter().zip(expected).all(|(edge, expected)| (edge - expected).abs() < 1e-3), "{small:?}");
    }

    #[test]
    fn marked_are_the_pixels_inside() {
        let mut text = vec![false; (SIDE * SIDE) as usize];
        mark(&mut text, &Quad::from_edges(2.0, 3.0, 6.0, 5.0));
        mark(&mut text, &Quad::from_edges(-50.0, -50.0, -10.0, -10.0));
        mark(&mut text, &Quad::from_edges(510.0, 100.0, 900.0, 101.0));
        assert_eq!(text.iter().filter(|&&t| t).count(), 4 * 2 + 2);
        assert!(text[3 * SIDE as usize + 2] && !text[3 * SIDE as usize + 6]);
    }

    #[test]
    fn the_loss_has_the_gradient_that_it_says() {
        let text: Vec<bool> = (0..40).map(|i| i % 5 == 0).collect();
        let probabilities: Vec<f32> = (1..=40).map(|i| 0.05 + 0.9 * (i as f32 * 0.618_034).fract()).collect();
        let mut gradient = vec![0.0; 40];
        map_loss(&probabilities, &text, &mut gradient);
        for i in 0..40 {
            let shifted = |by: f32| {
                let mut p = probabilities.clone();
                p[i] += by;
                map_loss(&p, &text, &mut [0.0; 40])
            };
            let numeric = (shifted(1e-3) - shifted(-1e-3)) / 2e-3;
            assert!((gradient[i] - numeric).abs() < 2e-3 * (1.0 + numeric.abs()), "{i}: {} {numeric}", gradient[i]);
        }
    }

    #[test]
    fn only_the_hardest_of_what_is_no_text_counts() {
        let mut found = hardest_negatives(&[0.9, 0.1, 0.8, 0.2, 0.7], &[true, false, false, false, false], 2);
        found.sort_unstable();
        assert_eq!(found, [2, 4]);
    }

    #[test]
    fn the_truth_follows_the_picture() {
        // A dark bar for each line: what is marked as text is dark.
        let mut page = GrayImage::from_pixel(900, 1800, image::Luma([250]));
        let quads: Vec<Quad> = (0..40).map(|i| Quad::from_edges(100.0, 40.0 + 44.0 * i as f32, 700.0, 70.0 + 44.0 * i as f32)).collect();
        for quad in &quads {
            for y in quad.top() as u32..quad.bottom() as u32 {
                (100..700).for_each(|x| page.put_pixel(x, y, image::Luma([5])));
            }
        }
        for seed in 0..5 {
            let (cut, text) = cut_out(&page, &quads, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
            let (mut inside, mut outside) = (0.0f64, 0.0f64);
            let marked = text.iter().filter(|&&t| t).count();
            for (&grey, &text) in cut.as_raw().iter().zip(&text) {
                if text {
                    inside += f64::from(grey)
                } else {
                    outside += f64::from(grey)
                };
            }
            let (inside, outside) = (inside / marked as f64, outside / (text.len() - marked) as f64);
            assert!(marked > 1000 && inside + 40.0 < outside, "{seed}: {marked} {inside} {outside}");
        }
    }
}
