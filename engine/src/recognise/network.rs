//! A line of text to characters in one pass of convolutions: the recogniser of PP-OCRv6, tiny form, made to read lines at the
//! height that scans have, with columns half as wide and blocks that look along the line.
//!
//! - PP-OCR: Du et al. 2020, <https://arxiv.org/abs/2009.09941>
//! - Context along the line before the classes, there by attention: SVTR, Du et al. 2022, <https://arxiv.org/abs/2205.00159>
//! - CRNN, which reads a line as a sequence of columns: Shi et al. 2015, <https://arxiv.org/abs/1507.05717>
//! - CTC, which aligns columns with characters: Graves et al. 2006, <https://doi.org/10.1145/1143844.1143891>
//! - The blocks: see [`crate::blocks`].
//!
//! Batch normalisation is folded into the convolutions, and the three equal channels of the grey input into one.

use candle_core::Result;
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use super::charset;
use crate::blocks::{Block, Downsample, Stage, StageConfig};
use crate::layers::{Activation, Backend, ConvSpec};

/// Height of a line as the shipped network ([`Config::cellarbook`]) sees it, in pixels.
pub const LINE_HEIGHT: usize = 32;
/// Pixels along the line for each column of its output.
pub const COLUMN_WIDTH: usize = 4;

/// Only the rows shrink between stages: characters stand side by side.
const STRIDE_BETWEEN_STAGES: (usize, usize) = (2, 1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Channels of the first convolution; the second has those of the first stage.
    pub stem: usize,
    pub stages: Vec<StageConfig>,
    /// Rows and columns that the pooling joins; the rows are all that are left of the line's height.
    pub pool: (usize, usize),
    /// Blocks along the line after the pooling, and the width of their filters.
    pub context: usize,
    pub context_kernel: usize,
    /// Width of the neck's 1x5 filter along the line.
    pub neck_kernel: usize,
    /// Rank of the map from features to classes.
    pub head: usize,
    /// The blank included.
    pub classes: usize,
}

impl Config {
    /// As published: lines 48 pixels high, a column every 8 pixels.
    pub fn pp_ocrv6_tiny() -> Self {
        Self {
            stem: 24,
            stages: vec![
                StageConfig::new(48, &[true, false]),
                StageConfig::new(96, &[true, false]),
                StageConfig::new(160, &[true, false, false]),
            ],
            pool: (3, 2),
            context: 0,
            context_kernel: 9,
            neck_kernel: 5,
            head: 80,
            classes: charset::classes(),
        }
    }

    /// As shipped: lines [`LINE_HEIGHT`] pixels high, a column every [`COLUMN_WIDTH`] pixels.
    pub fn cellarbook() -> Self {
        Self { pool: (2, 1), context: 3, ..Self::pp_ocrv6_tiny() }
    }
}

/// Two 3x3 convolutions of stride 2, stages of blocks, a pooling to one row, blocks and a neck along the line, two linear layers.
pub struct Network<B: Backend> {
    stem: [B::Conv; 2],
    stages: Vec<Stage<B>>,
    pool: (usize, usize),
    context: Vec<Block<B>>,
    neck: [B::Conv; 2],
    head: [B::Conv; 2],
}

impl<B: Backend> Network<B> {
    pub fn new(backend: &B, config: &Config, weights: VarBuilder) -> Result<Self> {
        let Some((first, last)) = config.stages.first().zip(config.stages.last()) else {
            candle_core::bail!("a recogniser needs at least one stage of blocks");
        };
        let halve = |cin, cout| ConvSpec::dense(cin, cout, 3).stride((2, 2));
        let stem = [
            backend.conv(halve(1, config.stem).activation(Activation::Gelu), weights.pp("stem.0"))?,
            backend.conv(halve(config.stem, first.channels), weights.pp("stem.1"))?,
        ];
        let mut cin = None;
        let mut stages = Vec::with_capacity(config.stages.len());
        for (i, stage) in config.stages.iter().enumerate() {
            let downsample = cin.map(|cin| Downsample { cin, stride: STRIDE_BETWEEN_STAGES });
            stages.push(Stage::new(backend, stage, downsample, weights.pp("stages").pp(i))?);
            cin = Some(stage.channels);
        }
        let channels = last.channels;
        let context = (0..config.context)
            .map(|i| Block::along(backend, channels, config.context_kernel, weights.pp("context").pp(i)))
            .collect::<Result<_>>()?;
        let neck = [
            backend.conv(
                ConvSpec::depthwise(channels, (1, config.neck_kernel)).activation(Activation::HardSwish),
                weights.pp("neck.depthwise"),
            )?,
            backend.conv(ConvSpec::dense(channels, channels, 1).activation(Activation::HardSwish), weights.pp("neck.pointwise"))?,
        ];
        let head = [
            backend.conv(ConvSpec::dense(channels, config.head, 1), weights.pp("head.reduce"))?,
            backend.conv(ConvSpec::dense(config.head, config.classes, 1), weights.pp("head.classify"))?,
        ];
        Ok(Self { stem, stages, pool: config.pool, context, neck, head })
    }

    /// Grey lines `[n, h, w, 1]`, black -1 and white 1, to logits `[n, 1, columns, classes]`; of the shipped network `[n, 32, w, 1]`
    /// to `[n, 1, w / 4, classes]` (rounded as the strides do).
    pub fn forward(&self, backend: &B, lines: &B::Map) -> Result<B::Map> {
        let through = |convs: &[B::Conv; 2], x: &B::Map| backend.forward(&convs[1], &backend.forward(&convs[0], x)?);
        let mut x = through(&self.stem, lines)?;
        for stage in &self.stages {
            x = stage.forward(backend, &x)?;
        }
        let mut columns = backend.average_pool(&x, self.pool)?;
        for block in &self.context {
            columns = block.forward(backend, &columns)?;
        }
        through(&self.head, &through(&self.neck, &columns)?)
    }
}
