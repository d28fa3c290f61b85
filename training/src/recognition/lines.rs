//! Batches of lines of about one width, from receipts and from the generator.

use super::recompose::Recomposer;
use super::{augment, reprint};
use crate::ctc::Target;
use crate::fit::Source;
use crate::receipts::Receipts;
use datasets::sroie::Receipt;
use datasets::synthetic::dice::Dice;
use datasets::synthetic::lines::LineGenerator;
use engine::geometry::Quad;
use engine::recognise::crop::{cut_back, line_image};
use engine::recognise::input_value;
use engine::recognise::network::{COLUMN_WIDTH, LINE_HEIGHT};
use engine::resample::ResampleError;
use engine::text::TextLine;
use image::GrayImage;
use image::imageops::{FilterType, resize};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Lines of a window; they are sorted by width before they are cut into batches.
const LINES_A_WINDOW: usize = 384;
/// Width of all lines of a batch together, in pixels.
const BATCH_WIDTH_MAX: usize = 40 * 320;
const BATCH_LINES_MAX: usize = 64;
/// A batch's widest line is at most this much wider than its narrowest: all are stretched to one width.
const STRETCH_MAX: f32 = 1.12;
/// Wider lines would hold up the rest; there are next to none.
const LINE_WIDTH_MAX: u32 = 1600;
/// Share of receipts' lines that are transcribed in one case only; the rest of a window is synthetic.
const RECEIPT_SHARE: f64 = 0.5;

/// Share of receipts' lines that are shown as another printer would have printed them.
const REPRINTED_SHARE: f64 = 0.4;
/// Share of receipts' lines whose words, letters and spaces are set anew.
const RECOMPOSED_SHARE: f64 = 0.5;
/// Share of receipts' lines that another one of the same receipt is joined to: texts that no supplier prints.
const JOINED_SHARE: f64 = 0.1;
/// Share of lines that are cut out as our localiser sees them, among those that it finds.
const OWN_BOX_SHARE: f64 = 0.5;
/// Ends and edges of two boxes of the same text are at most so many heights of the line apart. A character is about half as wide
/// as its line is high.
const ENDS_APART_MAX: f32 = 0.4;
const EDGES_APART_MAX: f32 = 0.35;

#[derive(Debug, thiserror::Error)]
pub enum LineError {
    #[error("cannot cut a line out of receipt {id}")]
    Cut { id: String, source: ResampleError },
    #[error("cannot take a line of receipt {id} to pieces")]
    Recompose { id: String, source: candle_core::Error },
}

/// Lines of one width with what they say.
pub struct LineBatch {
    /// `[targets, LINE_HEIGHT, width]`, black -1, white 1.
    pub pixels: Vec<f32>,
    pub width: usize,
    pub targets: Vec<Target>,
}

/// The source of batches: receipts' lines and synthetic ones.
pub struct Lines {
    receipts: Receipts,
    /// (receipt, line) with a transcript that can be learnt from; lines that say the same stand together and are drawn as one,
    /// or the few suppliers with many receipts would be learnt by heart.
    labelled: Vec<Vec<(usize, usize)>>,
    /// For each receipt and line the box that our localiser draws around the same text, where it does. Empty if it was not asked.
    own: Vec<Vec<Option<Quad>>>,
    recomposer: Option<Recomposer>,
    generator: Option<LineGenerator>,
    seed: u64,
}

impl Lines {
    pub fn new(receipts: Receipts, generator: Option<LineGenerator>, seed: u64) -> Self {
        let mut by_text: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
        for (r, (receipt, _)) in receipts.iter().enumerate() {
            for (l, line) in receipt.lines.iter().enumerate().filter(|(_, line)| Target::case_folded(line.text.trim()).is_some()) {
                by_text.entry(line.text.trim().to_uppercase()).or_default().push((r, l));
            }
        }
        let labelled = by_text.into_values().collect();
        Self { receipts, labelled, own: Vec::new(), recomposer: None, generator, seed }
    }

    /// Lets every second line be cut out as the localiser sees it, which is how the product will; `seen` holds its quads by receipt.
    pub fn with_own_boxes(mut self, seen: &[Vec<Quad>]) -> Self {
        let own = |((receipt, _), seen): ((&Receipt, &GrayImage), &Vec<Quad>)| {
            let same = |line: &TextLine| seen.iter().copied().find(|quad| is_same_text(&line.quad, quad));
            receipt.lines.iter().map(same).collect()
        };
        self.own = self.receipts.iter().zip(seen).map(own).collect();
        self
    }

    /// Lets lines say something else in the same print.
    pub fn recomposed(self, recomposer: Recomposer) -> Self {
        Self { recomposer: Some(recomposer), ..self }
    }

    /// How many labelled lines there are.
    pub fn labelled(&self) -> usize {
        self.labelled.iter().map(Vec::len).sum()
    }

    fn sample(&self, window: u64, index: u64) -> Result<Option<(GrayImage, Target)>, LineError> {
        let serial = window * LINES_A_WINDOW as u64 + index;
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(serial);
        match &self.generator {
            Some(generator) if self.labelled.is_empty() || !rng.random_bool(RECEIPT_SHARE) => {
                let line = generator.line(serial);
                let target = Target::exact(line.text.trim());
                // The generator has worn it.
                Ok(target.map(|target| (line.image, target)))
            }
            _ if self.labelled.is_empty() => Ok(None),
            _ => self.labelled_line(&mut rng),
        }
    }

    fn labelled_line(&self, rng: &mut ChaCha8Rng) -> Result<Option<(GrayImage, Target)>, LineError> {
        let same = &self.labelled[rng.random_range(0..self.labelled.len())];
        let (r, l) = same[rng.random_range(0..same.len())];
        let Some((mut line, mut text)) = self.cut(r, l, rng)? else { return Ok(None) };
        let mut dice = Dice::new(rng.random(), 0);
        if let Some(recomposer) = self.recomposer.as_ref().filter(|_| dice.chance(RECOMPOSED_SHARE)) {
            let failed = |source| LineError::Recompose { id: self.receipts.get(r).0.id.clone(), source };
            if let Some(anew) = recomposer.recompose(&line, &text, &mut dice).map_err(failed)? {
                (line, text) = anew;
            }
        }
        if dice.chance(JOINED_SHARE) {
            let other = rng.random_range(0..self.receipts.get(r).0.lines.len());
            if let Some((next, said)) = self.cut(r, other, rng)? {
                line = reprint::join(&line, &next, &mut dice);
                text = format!("{text} {said}");
            }
        }
        if dice.chance(REPRINTED_SHARE) {
            line = reprint::reprint(line, &mut dice);
        }
        Ok(Target::case_folded(&text).map(|target| (augment::wear(augment::reset(line, rng), rng), target)))
    }

    /// A line of a receipt with what it says.
    fn cut(&self, r: usize, l: usize, rng: &mut impl Rng) -> Result<Option<(GrayImage, String)>, LineError> {
        let (receipt, page) = self.receipts.get(r);
        let line = &receipt.lines[l];
        let own = self.own.get(r).and_then(|own| own[l]).filter(|_| rng.random_bool(OWN_BOX_SHARE));
        let quad = match own {
            Some(own) => augment::nudge(&cut_back(&own), rng),
            None => augment::redraw(&line.quad, rng),
        };
        let cut = line_image(page, &quad).map_err(|source| LineError::Cut { id: receipt.id.clone(), source })?;
        Ok(cut.map(|cut| (cut, line.text.trim().to_owned())))
    }
}

/// Whether two boxes hold the same characters: their ends agree, and so does most of their height.
fn is_same_text(label: &Quad, own: &Quad) -> bool {
    let height = label.height();
    let near = |a: f32, b: f32, shares: f32| (a - b).abs() <= shares * height;
    near(label.left(), own.left(), ENDS_APART_MAX)
        && near(label.right(), own.right(), ENDS_APART_MAX)
        && near(label.top(), own.top(), EDGES_APART_MAX)
        && near(label.bottom(), own.bottom(), EDGES_APART_MAX)
}

impl Source for Lines {
    type Batch = LineBatch;
    type Error = LineError;

    fn window(&mut self, index: u64) -> Result<Vec<LineBatch>, LineError> {
        let samples: Result<Vec<_>, _> = (0..LINES_A_WINDOW as u64).map(|i| self.sample(index, i)).collect();
        let mut samples: Vec<_> = samples?.into_iter().flatten().map(|(line, target)| (at_line_height(line), target)).collect();
        samples.retain(|(line, target)| line.width() <= LINE_WIDTH_MAX && target.columns_min() <= line.width() as usize / COLUMN_WIDTH);
        samples.sort_by_key(|(line, _)| line.width());
        let mut batches = Vec::new();
        let mut rest = samples.as_slice();
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(batch_size(rest));
            batches.push(pack(batch));
            rest = after;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ index);
        for i in (1..batches.len()).rev() {
            batches.swap(i, rng.random_range(0..=i));
        }
        Ok(batches)
    }
}

fn at_line_height(line: GrayImage) -> GrayImage {
    if line.height() == LINE_HEIGHT as u32 {
        return line;
    }
    let width = (line.width() as f32 * LINE_HEIGHT as f32 / line.height() as f32).round() as u32;
    resize(&line, width.max(1), LINE_HEIGHT as u32, FilterType::Triangle)
}

/// How many of the lines, sorted by width, make the next batch.
fn batch_size(lines: &[(GrayImage, Target)]) -> usize {
    let narrowest = lines[0].0.width() as f32;
    let fits = |(i, (line, _)): (usize, &(GrayImage, Target))| {
        i == 0
            || i < BATCH_LINES_MAX && (i + 1) * line.width() as usize <= BATCH_WIDTH_MAX && line.width() as f32 <= narrowest * STRETCH_MAX
    };
    lines.iter().enumerate().take_while(|&l| fits(l)).count()
}

/// Stretches all lines to the middle one's width.
fn pack(lines: &[(GrayImage, Target)]) -> LineBatch {
    let middle = lines[lines.len() / 2].0.width() as usize;
    let width = middle.div_ceil(COLUMN_WIDTH).max(2) * COLUMN_WIDTH;
    let mut pixels = Vec::with_capacity(lines.len() * LINE_HEIGHT * width);
    for (line, _) in lines {
        let stretched = resize(line, width as u32, LINE_HEIGHT as u32, FilterType::Triangle);
        pixels.extend(stretched.as_raw().iter().map(|&grey| input_value(grey)));
    }
    LineBatch { pixels, width, targets: lines.iter().map(|(_, target)| target.clone()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn receipts() -> Receipts {
        let line = |y: f32, width: f32, text: &str| TextLine {
            page: 0,
            quad: Quad::from_edges(10.0, y, 10.0 + width, y + 24.0),
            text: text.into(),
            confidence: 1.0,
        };
        let receipt = Receipt {
            id: "a".into(),
            image: PathBuf::new(),
            lines: vec![line(10.0, 160.0, "TOTAL 9.00"), line(60.0, 40.0, "9.00"), line(90.0, 100.0, "漢")],
            keys: Default::default(),
        };
        Receipts::from(vec![(receipt, GrayImage::from_fn(300, 200, |x, y| image::Luma([(x * 7 + y * 3) as u8])))])
    }

    #[test]
    fn boxes_of_the_same_text_agree_at_both_ends() {
        let label = Quad::from_edges(100.0, 50.0, 300.0, 80.0);
        for (own, same) in [
            (Quad::from_edges(96.0, 48.0, 306.0, 82.0), true),
            (Quad::from_edges(96.0, 48.0, 270.0, 82.0), false),
            (Quad::from_edges(60.0, 48.0, 306.0, 82.0), false),
            (Quad::from_edges(100.0, 84.0, 300.0, 114.0), false),
        ] {
            assert_eq!(is_same_text(&label, &own), same, "{own:?}");
        }
    }

    #[test]
    fn batches_hold_lines_of_one_width_and_are_the_same_each_time() {
        let mut lines = Lines::new(receipts(), None, 5);
        assert_eq!(lines.labelled(), 2, "what cannot be written is left out");
        let (first, again) = (lines.window(3).unwrap(), lines.window(3).unwrap());
        assert!(first.len() > 4);
        for (a, b) in first.iter().zip(&again) {
            assert_eq!((a.width, &a.targets), (b.width, &b.targets));
            assert_eq!(a.pixels, b.pixels);
            assert_eq!(a.pixels.len(), a.targets.len() * LINE_HEIGHT * a.width);
            assert!(a.targets.iter().all(|t| t.columns_min() <= a.width / COLUMN_WIDTH + 1));
            assert!(a.targets.len() * a.width <= BATCH_WIDTH_MAX + a.targets.len() * 64);
        }
        assert_ne!(lines.window(4).unwrap()[0].pixels, first[0].pixels);
    }
}
