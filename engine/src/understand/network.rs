//! The understanding network: a small transformer over the lines of a document.
//!
//! After LayoutLM (Xu et al. 2020, arXiv:1912.13318): text and place are embedded and added; here a unit is a line, not a
//! token, as in segment-level PICK (Yu et al. 2021, arXiv:2004.07464). Attention is local (Beltagy et al. 2020,
//! arXiv:2004.05150) with a learned bias for each neighbour. Words come as bags of a learned vocabulary and of hashed character
//! n-grams (Bojanowski et al. 2017, arXiv:1607.04606). Four heads: a tag for each line, a role for each candidate (ranked
//! against the others of the document, with "absent" as one more choice), a field for each run of lines, ranked alike (span ranking:
//! Lee et al. 2017, arXiv:1707.07045), and the document's type.

use std::ops::Range;

use candle_core::{DType, Result, Tensor};
use candle_nn::{Init, Linear, VarBuilder, linear, ops};
use serde::{Deserialize, Serialize};

use super::batch::{Batch, RUN_ENDS};
use super::features::{CANDIDATE_SIGNS, DOCUMENT_SIGNS, LINE_SIGNS, NEIGHBOURS, PLACE_BINS, RUN_SIGNS, WINDOW};
use super::labels::{BlockField, DOCUMENT_TYPES, Role, Tag};
use super::vocabulary::GRAM_BUCKETS;
use crate::kernels::gradients::affine;

const EPSILON: f32 = 1e-5;

/// Values that attention may multiply at once: candle hands more than 64 Ki to a second pool of threads, which wait for each other
/// spinning, two thirds of the network's time on a busy machine.
const ONE_THREAD_MAX: usize = 60 * 1024;

/// Probabilities of tags are kept this far from 0 and 1 when they become log odds.
const TAG_MARGIN: f32 = 1e-4;

/// How a line learns of its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mixing {
    /// What matters depends on the lines.
    Attention,
    /// What matters depends on where the neighbour is: a convolution over the neighbours (after Kim 2014, arXiv:1408.5882).
    Convolution,
}

/// The form and the sizes of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    pub mixing: Mixing,
    /// Whether n-grams of a line and of those around it also speak for its tag directly, as in a linear model beside the network
    /// (Cheng et al. 2016, arXiv:1606.07792).
    pub wide: bool,
    /// Whether the places of lines count; only for the ablation they don't.
    #[serde(default = "yes")]
    pub layout: bool,
    /// Size of the vocabulary.
    pub words: usize,
    /// Width of the word and n-gram tables.
    pub table: usize,
    /// Width of the transformer.
    pub width: usize,
    pub heads: usize,
    pub layers: usize,
    /// Width that a line's context is narrowed to beside a candidate's own signs.
    pub context: usize,
    /// Hidden width of the candidates' and the runs' heads.
    pub ranker: usize,
}

fn yes() -> bool {
    true
}

/// What training does to values on their way, to regularise; serving does nothing.
pub trait Noise {
    /// The embedded input of a line.
    fn input(&mut self, x: Tensor) -> Result<Tensor> {
        Ok(x)
    }

    /// Values between layers.
    fn hidden(&mut self, x: Tensor) -> Result<Tensor> {
        Ok(x)
    }
}

/// No noise.
pub struct Serving;

impl Noise for Serving {}

/// What the network answers, before any softmax.
pub struct Logits {
    /// `[n, Tag::COUNT]`
    pub tags: Tensor,
    /// `[c + 1, Role::COUNT]`; a role compares candidates of its kind only.
    pub roles: Tensor,
    /// `[d, Role::COUNT]`: that no candidate plays the role
    pub absent: Tensor,
    /// `[r + 1, BlockField::COUNT]`: a field compares the runs of a document.
    pub runs: Tensor,
    /// `[d, BlockField::COUNT]`: that no run is the field
    pub no_run: Tensor,
    /// `[d, DOCUMENT_TYPES.len()]`
    pub types: Tensor,
}

pub struct Network {
    words: Tensor,
    grams: Tensor,
    words_in: Linear,
    grams_in: Linear,
    signs_in: Linear,
    places: Option<Tensor>,
    embedded: Norm,
    blocks: Vec<Block>,
    out: Norm,
    tags: Linear,
    wide: Option<Wide>,
    context: Linear,
    ranker: Linear,
    roles: Linear,
    absent: Linear,
    run_ends: Linear,
    run_ranker: Linear,
    runs: Linear,
    no_run: Linear,
    types: Linear,
}

impl Network {
    pub fn new(config: &Config, weights: VarBuilder) -> Result<Self> {
        let Config { words, table, width, context, ranker, .. } = *config;
        let rows = |name: &str, rows, columns| {
            weights.get_with_hints((rows, columns), name, Init::Randn { mean: 0.0, stdev: 0.3 / (columns as f64).sqrt() })
        };
        let document = width + DOCUMENT_SIGNS;
        Ok(Self {
            words: rows("words", words, table)?,
            grams: rows("grams", GRAM_BUCKETS, table)?,
            words_in: linear(table, width, weights.pp("words_in"))?,
            grams_in: linear(table, width, weights.pp("grams_in"))?,
            signs_in: linear(LINE_SIGNS, width, weights.pp("signs_in"))?,
            places: config.layout.then(|| rows("places", PLACE_BINS.iter().sum(), width)).transpose()?,
            embedded: Norm::new(width, weights.pp("embedded"))?,
            blocks: (0..config.layers).map(|i| Block::new(config, weights.pp(format!("blocks.{i}")))).collect::<Result<_>>()?,
            out: Norm::new(width, weights.pp("out"))?,
            tags: linear(width, Tag::COUNT, weights.pp("tags"))?,
            wide: config.wide.then(|| Wide::new(weights.pp("wide"))).transpose()?,
            context: linear(width, context, weights.pp("context"))?,
            ranker: linear(CANDIDATE_SIGNS + context, ranker, weights.pp("ranker"))?,
            roles: linear(ranker, Role::COUNT, weights.pp("roles"))?,
            absent: linear(document, Role::COUNT, weights.pp("absent"))?,
            run_ends: linear(width, context, weights.pp("run_ends"))?,
            run_ranker: linear(RUN_SIGNS + RUN_ENDS * context, ranker, weights.pp("run_ranker"))?,
            runs: linear(ranker, BlockField::COUNT, weights.pp("runs"))?,
            no_run: linear(document, BlockField::COUNT, weights.pp("no_run"))?,
            types: linear(document, DOCUMENT_TYPES.len(), weights.pp("types"))?,
        })
    }

    pub fn forward(&self, batch: &Batch, noise: &mut dyn Noise) -> Result<Logits> {
        let mut lines = self.embed(batch, noise)?;
        for block in &self.blocks {
            lines = block.forward(&lines, batch, noise)?;
        }
        let lines = noise.hidden(self.out.forward(&lines)?)?;
        let context = affine(&self.context, &lines)?.index_select(&batch.candidate_lines, 0)?;
        let seen = Tensor::cat(&[&noise.hidden(batch.candidate_signs.clone())?, &noise.hidden(context)?], 1)?;
        let ranked = noise.hidden(affine(&self.ranker, &seen)?.relu()?)?;
        let documents = Tensor::cat(&[batch.means(&lines)?, noise.hidden(batch.documents.clone())?], 1)?;
        let mut tags = affine(&self.tags, &lines)?;
        if let Some(wide) = &self.wide {
            tags = (tags + wide.forward(batch)?)?;
        }
        Ok(Logits {
            roles: affine(&self.roles, &ranked)?,
            absent: affine(&self.absent, &documents)?,
            runs: self.rank_runs(&lines, &tags, batch, noise)?,
            no_run: affine(&self.no_run, &documents)?,
            tags,
            types: affine(&self.types, &documents)?,
        })
    }

    /// The log odds of a run's lines, summed, and what its ends and its form add to them: `[r + 1, BlockField::COUNT]`.
    fn rank_runs(&self, lines: &Tensor, tags: &Tensor, batch: &Batch, noise: &mut dyn Noise) -> Result<Tensor> {
        let runs = batch.run_signs.dim(0)?;
        let context = affine(&self.run_ends, lines)?;
        let nobody = Tensor::zeros((1, context.dim(1)?), DType::F32, context.device())?;
        let ends = Tensor::cat(&[&context, &nobody], 0)?.index_select(&batch.run_ends, 0)?.reshape((runs, ()))?;
        let seen = Tensor::cat(&[&noise.hidden(batch.run_signs.clone())?, &noise.hidden(ends)?], 1)?;
        let ranked = affine(&self.runs, &noise.hidden(affine(&self.run_ranker, &seen)?.relu()?)?)?;
        let (lines, owners) = &batch.run_lines;
        if lines.elem_count() == 0 {
            return Ok(ranked);
        }
        let tag = Tensor::new(BlockField::ALL.map(|field| field.tag() as u32).as_slice(), tags.device())?;
        let probability = ops::softmax(tags, 1)?.index_select(&tag, 1)?.clamp(TAG_MARGIN, 1.0 - TAG_MARGIN)?;
        let odds = (probability.log()? - probability.affine(-1.0, 1.0)?.log()?)?;
        ranked.index_add(owners, &odds.index_select(lines, 0)?, 0)
    }

    /// `[n, width]`
    fn embed(&self, batch: &Batch, noise: &mut dyn Noise) -> Result<Tensor> {
        let n = batch.signs.dim(0)?;
        let words = affine(&self.words_in, &batch.words.sum(&self.words)?)?;
        let grams = affine(&self.grams_in, &batch.grams.sum(&self.grams)?)?;
        let mut sum = ((words + grams)? + affine(&self.signs_in, &batch.signs)?)?;
        if let Some(places) = &self.places {
            sum = (sum + places.index_select(&batch.places, 0)?.reshape((n, PLACE_BINS.len(), ()))?.sum(1)?)?;
        }
        noise.input(self.embedded.forward(&sum)?)
    }
}

/// Tags by a linear model: each n-gram of a line and of the lines around it adds to each tag.
struct Wide {
    /// `[GRAM_BUCKETS, WIDE_SLOTS * Tag::COUNT]`
    grams: Tensor,
}

/// The neighbours that a line's tag is read from: two before it, itself, two after it.
const WIDE_SLOTS: Range<usize> = WINDOW - 2..WINDOW + 3;

impl Wide {
    fn new(weights: VarBuilder) -> Result<Self> {
        let grams = weights.get_with_hints((GRAM_BUCKETS, WIDE_SLOTS.len() * Tag::COUNT), "grams", Init::Const(0.0))?;
        Ok(Self { grams })
    }

    /// `[n, Tag::COUNT]`
    fn forward(&self, batch: &Batch) -> Result<Tensor> {
        let n = batch.signs.dim(0)?;
        let spoken = batch.grams.sum(&self.grams)?;
        let neighbours = batch.neighbours.reshape((n, NEIGHBOURS))?;
        let there = batch.there()?;
        let mut tags = Tensor::zeros((n, Tag::COUNT), DType::F32, spoken.device())?;
        for (i, slot) in WIDE_SLOTS.enumerate() {
            let of_slot = spoken.narrow(1, i * Tag::COUNT, Tag::COUNT)?.contiguous()?;
            let ids = neighbours.narrow(1, slot, 1)?.flatten_all()?;
            tags = (tags + of_slot.index_select(&ids, 0)?.broadcast_mul(&there.narrow(1, slot, 1)?.squeeze(2)?)?)?;
        }
        Ok(tags)
    }
}

/// What a line learns of its neighbours and a hidden layer, each behind a norm and added to what came in.
struct Block {
    mixer_norm: Norm,
    mixer: Mixer,
    hidden_norm: Norm,
    widen: Linear,
    narrow: Linear,
}

enum Mixer {
    Attention(Attention),
    Convolution(Convolution),
}

impl Block {
    fn new(config: &Config, weights: VarBuilder) -> Result<Self> {
        let width = config.width;
        Ok(Self {
            mixer_norm: Norm::new(width, weights.pp("attention_norm"))?,
            mixer: match config.mixing {
                Mixing::Attention => Mixer::Attention(Attention::new(config, weights.pp("attention"))?),
                Mixing::Convolution => Mixer::Convolution(Convolution::new(width, weights.pp("convolution"))?),
            },
            hidden_norm: Norm::new(width, weights.pp("hidden_norm"))?,
            widen: linear(width, 2 * width, weights.pp("widen"))?,
            narrow: linear(2 * width, width, weights.pp("narrow"))?,
        })
    }

    fn forward(&self, x: &Tensor, batch: &Batch, noise: &mut dyn Noise) -> Result<Tensor> {
        let seen = self.mixer_norm.forward(x)?;
        let mixed = match &self.mixer {
            Mixer::Attention(attention) => attention.forward(&seen, batch)?,
            Mixer::Convolution(convolution) => convolution.forward(&seen, batch)?,
        };
        let x = (x + noise.hidden(mixed)?)?;
        let hidden = affine(&self.widen, &self.hidden_norm.forward(&x)?)?.gelu()?;
        x + noise.hidden(affine(&self.narrow, &hidden)?)?
    }
}

/// A filter as long as there are neighbours, over lines narrowed first.
struct Convolution {
    narrow: Linear,
    out: Linear,
}

/// Values of a line that its neighbours get to see, as a share of its width.
const CONVOLVED_SHARE: usize = 4;

impl Convolution {
    fn new(width: usize, weights: VarBuilder) -> Result<Self> {
        let narrow = width / CONVOLVED_SHARE;
        Ok(Self { narrow: linear(width, narrow, weights.pp("narrow"))?, out: linear(NEIGHBOURS * narrow, width, weights.pp("out"))? })
    }

    fn forward(&self, x: &Tensor, batch: &Batch) -> Result<Tensor> {
        let n = x.dim(0)?;
        let around = affine(&self.narrow, x)?.index_select(&batch.neighbours, 0)?.reshape((n, NEIGHBOURS, ()))?;
        affine(&self.out, &around.broadcast_mul(&batch.there()?)?.reshape((n, ()))?)
    }
}

/// Each line attends to its [`NEIGHBOURS`] only.
struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    /// `[NEIGHBOURS, heads]`
    bias: Tensor,
    heads: usize,
}

impl Attention {
    fn new(config: &Config, weights: VarBuilder) -> Result<Self> {
        let project = |name: &str| linear(config.width, config.width, weights.pp(name));
        Ok(Self {
            query: project("query")?,
            key: project("key")?,
            value: project("value")?,
            out: project("out")?,
            bias: weights.get_with_hints((NEIGHBOURS, config.heads), "bias", Init::Const(0.0))?,
            heads: config.heads,
        })
    }

    fn forward(&self, x: &Tensor, batch: &Batch) -> Result<Tensor> {
        let (n, width) = x.dims2()?;
        let query = (affine(&self.query, x)? / ((width / self.heads) as f64).sqrt())?;
        let (key, value) = (affine(&self.key, x)?, affine(&self.value, x)?);
        let lines = (ONE_THREAD_MAX / (NEIGHBOURS * width)).max(1);
        let some = |first| self.mix(&query, &key, &value, batch, first..(first + lines).min(n));
        let mixed = (0..n).step_by(lines).map(some).collect::<Result<Vec<_>>>()?;
        affine(&self.out, &Tensor::cat(&mixed, 0)?)
    }

    /// The neighbours' values of these lines, by the shares of attention that they get.
    fn mix(&self, query: &Tensor, key: &Tensor, value: &Tensor, batch: &Batch, lines: Range<usize>) -> Result<Tensor> {
        let (first, n, width) = (lines.start, lines.len(), query.dim(1)?);
        let (heads, size) = (self.heads, width / self.heads);
        let neighbours = batch.neighbours.narrow(0, first * NEIGHBOURS, n * NEIGHBOURS)?;
        let around = |projected: &Tensor| projected.index_select(&neighbours, 0)?.reshape((n, NEIGHBOURS, heads, size));
        let query = query.narrow(0, first, n)?.reshape((n, 1, heads, size))?;
        let scores = around(key)?.broadcast_mul(&query)?.sum(3)?;
        let scores = scores.broadcast_add(&self.bias)?.broadcast_add(&batch.mask.narrow(0, first, n)?)?;
        let shares = ops::softmax(&scores, 1)?.unsqueeze(3)?;
        around(value)?.broadcast_mul(&shares)?.sum(1)?.reshape((n, width))
    }
}

/// Layer norm of primitive operations: candle's fused one has no gradient.
struct Norm {
    gain: Tensor,
    bias: Tensor,
}

impl Norm {
    fn new(width: usize, weights: VarBuilder) -> Result<Self> {
        Ok(Self {
            gain: weights.get_with_hints(width, "gain", Init::Const(1.0))?,
            bias: weights.get_with_hints(width, "bias", Init::Const(0.0))?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        ops::layer_norm_slow(x, &self.gain, &self.bias, EPSILON)
    }
}
