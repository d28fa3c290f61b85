//! The blocks that the detector and the recogniser are made of: a mobile network whose blocks mix first over places, then over
//! channels (RepViT, Wang et al. 2024, <https://arxiv.org/abs/2307.09283>), some with squeeze-excite (Hu et al. 2018,
//! <https://arxiv.org/abs/1709.01507>).
//!
//! Invariant: layers are constructed in the order in which data passes them. The import of foreign weights relies on it.

use candle_core::Result;
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use crate::layers::{Activation, Backend, ConvSpec};

/// Channels that a block's hidden layer has for each of its input's.
pub const EXPANSION: usize = 2;
/// Channels of the input for each of a squeeze-excite's hidden layer.
const REDUCTION: usize = 4;

/// Blocks at one resolution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageConfig {
    pub channels: usize,
    /// One entry a block: whether it has squeeze-excite.
    pub squeeze: Vec<bool>,
}

impl StageConfig {
    pub fn new(channels: usize, squeeze: &[bool]) -> Self {
        Self { channels, squeeze: squeeze.to_vec() }
    }
}

/// Gates each channel by what the whole map holds: mean, 1x1 with ReLU, 1x1 with HardSigmoid.
pub struct SqueezeExcite<B: Backend> {
    reduce: B::Conv,
    expand: B::Conv,
}

impl<B: Backend> SqueezeExcite<B> {
    /// `slope` is that of the HardSigmoid.
    pub fn new(backend: &B, channels: usize, slope: f32, weights: VarBuilder) -> Result<Self> {
        let hidden = channels / REDUCTION;
        let reduce = ConvSpec::dense(channels, hidden, 1).activation(Activation::Relu);
        let expand = ConvSpec::dense(hidden, channels, 1).activation(Activation::HardSigmoid { slope });
        Ok(Self { reduce: backend.conv(reduce, weights.pp("reduce"))?, expand: backend.conv(expand, weights.pp("expand"))? })
    }

    /// The gates `[n, 1, 1, c]` of a map with this mean `[n, 1, 1, c]`.
    pub fn gate(&self, backend: &B, mean: &B::Map) -> Result<B::Map> {
        backend.forward(&self.expand, &backend.forward(&self.reduce, mean)?)
    }
}

/// Depthwise, 3x3 or along the rows, squeeze-excite perhaps, then 1x1, GELU, 1x1, which is added to its input where the channels agree.
pub struct Block<B: Backend> {
    depthwise: B::Conv,
    squeeze: Option<SqueezeExcite<B>>,
    expand: B::Conv,
    project: B::Conv,
    residual: bool,
}

impl<B: Backend> Block<B> {
    /// The slope of the HardSigmoid inside a block, as the imported networks were trained.
    const SLOPE: f32 = 0.16667;

    pub fn new(backend: &B, cin: usize, cout: usize, stride: (usize, usize), squeeze: bool, weights: VarBuilder) -> Result<Self> {
        let depthwise = backend.conv(ConvSpec::depthwise(cin, (3, 3)).stride(stride), weights.pp("depthwise"))?;
        let squeeze = squeeze.then(|| SqueezeExcite::new(backend, cin, Self::SLOPE, weights.pp("squeeze"))).transpose()?;
        Self::with_perceptron(backend, depthwise, squeeze, (cin, cout), weights)
    }

    /// A block that mixes along rows only, over `kernel` columns.
    pub fn along(backend: &B, channels: usize, kernel: usize, weights: VarBuilder) -> Result<Self> {
        let depthwise = backend.conv(ConvSpec::depthwise(channels, (1, kernel)), weights.pp("depthwise"))?;
        Self::with_perceptron(backend, depthwise, None, (channels, channels), weights)
    }

    fn with_perceptron(
        backend: &B,
        depthwise: B::Conv,
        squeeze: Option<SqueezeExcite<B>>,
        (cin, cout): (usize, usize),
        weights: VarBuilder,
    ) -> Result<Self> {
        let hidden = cin * EXPANSION;
        let expand = backend.conv(ConvSpec::dense(cin, hidden, 1).activation(Activation::Gelu).in_bytes(), weights.pp("expand"))?;
        let project = backend.conv(ConvSpec::dense(hidden, cout, 1).in_bytes(), weights.pp("project"))?;
        Ok(Self { depthwise, squeeze, expand, project, residual: cin == cout })
    }

    /// `[n, h, w, cin] -> [n, h / stride, w / stride, cout]`, rounded up.
    pub fn forward(&self, backend: &B, x: &B::Map) -> Result<B::Map> {
        let Some(squeeze) = &self.squeeze else {
            return backend.mixed_perceptron(&self.depthwise, &self.expand, &self.project, x, self.residual);
        };
        let mixed = backend.forward(&self.depthwise, x)?;
        let gate = squeeze.gate(backend, &backend.mean(&mixed)?)?;
        backend.gated_perceptron(&self.expand, &self.project, &mixed, &gate, self.residual)
    }
}

/// A block that changes resolution and channels, if `downsample` is given, then the blocks of one resolution.
pub struct Stage<B: Backend> {
    blocks: Vec<Block<B>>,
}

/// How a stage comes from the one before it: that one's channels, and the stride.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Downsample {
    pub cin: usize,
    pub stride: (usize, usize),
}

impl<B: Backend> Stage<B> {
    pub fn new(backend: &B, config: &StageConfig, downsample: Option<Downsample>, weights: VarBuilder) -> Result<Self> {
        let StageConfig { channels, ref squeeze } = *config;
        let first =
            downsample.map(|Downsample { cin, stride }| Block::new(backend, cin, channels, stride, false, weights.pp("downsample")));
        let rest = squeeze
            .iter()
            .enumerate()
            .map(|(i, &squeeze)| Block::new(backend, channels, channels, (1, 1), squeeze, weights.pp("blocks").pp(i)));
        Ok(Self { blocks: first.into_iter().chain(rest).collect::<Result<_>>()? })
    }

    pub fn forward(&self, backend: &B, x: &B::Map) -> Result<B::Map> {
        self.blocks.iter().try_fold(x.clone(), |x, block| block.forward(backend, &x))
    }
}
