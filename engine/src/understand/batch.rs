//! Documents as the tensors that the [`super::network`] takes.

use candle_core::{DType, Device, Result, Tensor};

use super::features::{CANDIDATE_SIGNS, DOCUMENT_SIGNS, Features, LINE_SIGNS, NEIGHBOURS, PLACE_BINS, RUN_SIGNS};

/// Score of a neighbour that is not there.
const NOWHERE: f32 = -1e9;

/// Lines that tell of a run: its first, its last, the one before and the one after.
pub(super) const RUN_ENDS: usize = 4;

/// Documents one after the other, as tensors: `n` lines, `c` candidates, `r` runs and `d` documents in all. After the candidates and
/// after the runs comes a row of zeros that is nobody's, so that there is one.
pub struct Batch {
    pub(super) words: Bag,
    pub(super) grams: Bag,
    /// `[n, LINE_SIGNS]`
    pub(super) signs: Tensor,
    /// `[n * PLACE_BINS.len()]`, rows of one table that holds the bins of all places
    pub(super) places: Tensor,
    /// `[n * NEIGHBOURS]`; the line itself stands in for a neighbour that is not there
    pub(super) neighbours: Tensor,
    /// `[n, NEIGHBOURS, 1]`: 0, or [`NOWHERE`]
    pub(super) mask: Tensor,
    /// `[c + 1]`
    pub(super) candidate_lines: Tensor,
    /// `[c + 1, CANDIDATE_SIGNS]`
    pub(super) candidate_signs: Tensor,
    /// The lines of each run, and which of the `r` owns them
    pub(super) run_lines: (Tensor, Tensor),
    /// `[(r + 1) * RUN_ENDS]`; `n` where there is no such line
    pub(super) run_ends: Tensor,
    /// `[r + 1, RUN_SIGNS]`
    pub(super) run_signs: Tensor,
    /// `[n]`, the document of each line
    owners: Tensor,
    /// `[d, 1]`, what a line is of its document
    shares: Tensor,
    /// `[d, DOCUMENT_SIGNS]`
    pub(super) documents: Tensor,
}

/// Rows of a table to be summed up for each line.
pub(super) struct Bag {
    ids: Tensor,
    owners: Tensor,
    /// `[lines, 1]`
    weights: Tensor,
}

impl Bag {
    /// Each line's sum is divided by the square root of the number of its rows: longer lines are longer vectors, but not by much.
    fn new<'a>(lines: impl Iterator<Item = &'a [u32]>, device: &Device) -> Result<Self> {
        let (mut ids, mut owners, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for (owner, line) in lines.enumerate() {
            ids.extend_from_slice(line);
            owners.extend(std::iter::repeat_n(owner as u32, line.len()));
            weights.push(1.0 / (line.len().max(1) as f32).sqrt());
        }
        let count = weights.len();
        Ok(Self {
            ids: Tensor::new(ids, device)?,
            owners: Tensor::new(owners, device)?,
            weights: Tensor::from_vec(weights, (count, 1), device)?,
        })
    }

    /// `[lines, width]`. A bag holds hundreds of rows a line: only their sums are multiplied, as candle hands large
    /// products to a second pool of threads, which wait for each other spinning.
    pub(super) fn sum(&self, table: &Tensor) -> Result<Tensor> {
        let zeros = Tensor::zeros((self.weights.dim(0)?, table.dim(1)?), DType::F32, table.device())?;
        if self.ids.elem_count() == 0 {
            return Ok(zeros);
        }
        zeros.index_add(&self.owners, &table.index_select(&self.ids, 0)?, 0)?.broadcast_mul(&self.weights)
    }
}

impl Batch {
    /// Every document must have a line.
    pub fn new(documents: &[&Features], device: &Device) -> Result<Self> {
        let lines = || documents.iter().flat_map(|document| &document.lines);
        let candidates = || documents.iter().flat_map(|document| &document.candidates);
        let (n, c) = (lines().count(), candidates().count());
        let starts: Vec<usize> =
            documents.iter().scan(0, |next, document| Some(std::mem::replace(next, *next + document.lines.len()))).collect();
        let offsets: Vec<usize> = PLACE_BINS.iter().scan(0, |next, bins| Some(std::mem::replace(next, *next + bins))).collect();
        let places: Vec<u32> =
            lines().flat_map(|line| line.places.iter().zip(&offsets).map(|(bin, offset)| (bin + offset) as u32)).collect();
        let (mut neighbours, mut mask) = (Vec::with_capacity(n * NEIGHBOURS), Vec::with_capacity(n * NEIGHBOURS));
        for (document, start) in documents.iter().zip(&starts) {
            for (i, slots) in document.neighbours.iter().enumerate() {
                neighbours.extend(slots.iter().map(|slot| (start + slot.unwrap_or(i)) as u32));
                mask.extend(slots.iter().map(|slot| if slot.is_some() { 0.0 } else { NOWHERE }));
            }
        }
        let owners = documents.iter().enumerate().flat_map(|(d, document)| std::iter::repeat_n(d as u32, document.lines.len())).collect();
        let shares = documents.iter().map(|document| 1.0 / document.lines.len() as f32).collect();
        let on_lines =
            documents.iter().zip(&starts).flat_map(|(document, start)| document.candidates.iter().map(move |c| (start + c.line) as u32));
        let candidate_lines: Vec<u32> = on_lines.chain([0]).collect();
        let candidate_signs: Vec<f32> = candidates().flat_map(|c| c.signs.iter().copied()).chain([0.0; CANDIDATE_SIGNS]).collect();
        let runs = || documents.iter().zip(&starts).flat_map(|(document, start)| document.runs.iter().map(move |run| (*start, run)));
        let r = runs().count();
        let run_lines: Vec<u32> = runs().flat_map(|(start, run)| run.run.lines.iter().map(move |line| (start + line) as u32)).collect();
        let run_owners: Vec<u32> =
            runs().enumerate().flat_map(|(i, (_, run))| std::iter::repeat_n(i as u32, run.run.lines.len())).collect();
        let ends = runs().flat_map(|(start, run)| {
            let run = &run.run;
            let ends = [run.lines.first().copied(), run.lines.last().copied(), run.before, run.after];
            ends.map(|line| line.map_or(n, |line| start + line) as u32)
        });
        let run_ends: Vec<u32> = ends.chain([n as u32; RUN_ENDS]).collect();
        let run_signs: Vec<f32> = runs().flat_map(|(_, run)| run.signs).chain([0.0; RUN_SIGNS]).collect();
        Ok(Self {
            words: Bag::new(lines().map(|line| line.words.as_slice()), device)?,
            grams: Bag::new(lines().map(|line| line.grams.as_slice()), device)?,
            signs: Tensor::from_vec(lines().flat_map(|line| line.signs).collect(), (n, LINE_SIGNS), device)?,
            places: Tensor::new(places, device)?,
            neighbours: Tensor::new(neighbours, device)?,
            mask: Tensor::from_vec(mask, (n, NEIGHBOURS, 1), device)?,
            candidate_lines: Tensor::new(candidate_lines, device)?,
            candidate_signs: Tensor::from_vec(candidate_signs, (c + 1, CANDIDATE_SIGNS), device)?,
            run_lines: (Tensor::new(run_lines, device)?, Tensor::new(run_owners, device)?),
            run_ends: Tensor::new(run_ends, device)?,
            run_signs: Tensor::from_vec(run_signs, (r + 1, RUN_SIGNS), device)?,
            owners: Tensor::from_vec(owners, n, device)?,
            shares: Tensor::from_vec(shares, (documents.len(), 1), device)?,
            documents: Tensor::from_vec(
                documents.iter().flat_map(|d| d.document.iter().copied()).collect(),
                (documents.len(), DOCUMENT_SIGNS),
                device,
            )?,
        })
    }

    /// Of the documents' lines, `[n, width]`: `[d, width]`
    pub(super) fn means(&self, lines: &Tensor) -> Result<Tensor> {
        let zeros = Tensor::zeros((self.shares.dim(0)?, lines.dim(1)?), DType::F32, lines.device())?;
        zeros.index_add(&self.owners, lines, 0)?.broadcast_mul(&self.shares)
    }

    /// `[n, NEIGHBOURS, 1]`: 1 for a neighbour, 0 where there is none.
    pub(super) fn there(&self) -> Result<Tensor> {
        self.mask.affine(-1.0 / f64::from(NOWHERE), 1.0)
    }
}
