//! The text detector of PP-OCRv6, tiny form: where on a page there is text.
//!
//! - Differentiable binarisation, whose probability map of shrunken text regions this computes: Liao et al. 2020,
//!   <https://arxiv.org/abs/1911.08947>
//! - PP-OCR: Du et al. 2020, <https://arxiv.org/abs/2009.09941>
//! - The pyramid of features: Lin et al. 2017, <https://arxiv.org/abs/1612.03144>, with squeeze-excite in its laterals as in
//!   PP-OCRv3, <https://arxiv.org/abs/2206.03001>
//! - The blocks: see [`crate::blocks`].
//!
//! The three equal channels of the grey input are folded into one.

use candle_core::Result;
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use crate::blocks::{Downsample, SqueezeExcite, Stage, StageConfig};
use crate::layers::{Activation, Backend, ConvSpec, Level, Padding, StemOf};

/// Height and width of the input must be multiples of this: the coarsest features are that much smaller.
pub const SIDE_MULTIPLE: usize = 32;

const STRIDE_BETWEEN_STAGES: (usize, usize) = (2, 2);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Channels of the first convolution.
    pub stem: usize,
    /// Four, each at half the resolution of the one before; the first at a quarter of the page's.
    pub stages: [StageConfig; 4],
    /// Channels of the pyramid; each of its four levels gives a quarter of them to the head.
    pub pyramid: usize,
}

impl Config {
    pub fn pp_ocrv6_tiny() -> Self {
        Self {
            stem: 16,
            stages: [
                StageConfig::new(32, &[true, false]),
                StageConfig::new(48, &[true, false]),
                StageConfig::new(64, &[true, false, true, false]),
                StageConfig::new(160, &[true, false]),
            ],
            pyramid: 64,
        }
    }
}

/// Stem, four stages, a pyramid over them and a head at a quarter of the resolution, doubled twice.
pub struct Network<B: Backend> {
    stem: Stem<B>,
    stages: Vec<Stage<B>>,
    pyramid: Pyramid<B>,
    head: Head<B>,
}

impl<B: Backend> Network<B> {
    pub fn new(backend: &B, config: &Config, weights: VarBuilder) -> Result<Self> {
        let stem = Stem::new(backend, config.stem, config.stages[0].channels, weights.pp("stem"))?;
        let mut cin = None;
        let mut stages = Vec::with_capacity(config.stages.len());
        for (i, stage) in config.stages.iter().enumerate() {
            let downsample = cin.map(|cin| Downsample { cin, stride: STRIDE_BETWEEN_STAGES });
            stages.push(Stage::new(backend, stage, downsample, weights.pp("stages").pp(i))?);
            cin = Some(stage.channels);
        }
        let pyramid = Pyramid::new(backend, config, weights.pp("pyramid"))?;
        let head = Head::new(backend, config.pyramid, weights.pp("head"))?;
        Ok(Self { stem, stages, pyramid, head })
    }

    /// Grey pages `[n, h, w, 1]` (normalised, sides multiples of 32) to the probability `[n, h, w, 1]` that a pixel lies in a
    /// shrunken line of text.
    pub fn forward(&self, backend: &B, pages: &B::Map) -> Result<B::Map> {
        let mut x = self.stem.forward(backend, pages)?;
        let mut features = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            x = stage.forward(backend, &x)?;
            features.push(x.clone());
        }
        self.head.forward(backend, &self.pyramid.forward(backend, &features)?)
    }
}

/// To a quarter of the resolution: 3x3 of stride 2, then two 2x2 convolutions beside a maximum, joined by 3x3 of stride 2.
struct Stem<B: Backend> {
    first: B::Conv,
    branch: [B::Conv; 2],
    join: B::Conv,
    pointwise: B::Conv,
}

impl<B: Backend> Stem<B> {
    fn new(backend: &B, channels: usize, cout: usize, weights: VarBuilder) -> Result<Self> {
        let relu = |spec: ConvSpec| spec.activation(Activation::Relu);
        let halve = |cin, cout| relu(ConvSpec::dense(cin, cout, 3).stride((2, 2)));
        let even = |cin, cout| relu(ConvSpec { padding: Padding::EVEN, ..ConvSpec::dense(cin, cout, 2) });
        Ok(Self {
            first: backend.conv(halve(1, channels), weights.pp("first"))?,
            branch: [
                backend.conv(even(channels, channels / 2), weights.pp("branch.0"))?,
                backend.conv(even(channels / 2, channels), weights.pp("branch.1"))?,
            ],
            join: backend.conv(halve(2 * channels, channels), weights.pp("join"))?,
            pointwise: backend.conv(relu(ConvSpec::dense(channels, cout, 1)), weights.pp("pointwise"))?,
        })
    }

    fn forward(&self, backend: &B, x: &B::Map) -> Result<B::Map> {
        let branch = [&self.branch[0], &self.branch[1]];
        backend.forward(&self.pointwise, &backend.stem(StemOf { first: &self.first, branch, join: &self.join }, x)?)
    }
}

/// `conv(x)`, and to it `conv(x)` gated by squeeze-excite added.
struct Excited<B: Backend> {
    conv: B::Conv,
    squeeze: SqueezeExcite<B>,
}

impl<B: Backend> Excited<B> {
    /// The slope of the HardSigmoid in the pyramid, as the imported network was trained.
    const SLOPE: f32 = 0.2;

    fn new(backend: &B, cin: usize, cout: usize, weights: VarBuilder) -> Result<Self> {
        let conv = backend.conv(ConvSpec::dense(cin, cout, 1).without_bias(), weights.pp("conv"))?;
        Ok(Self { conv, squeeze: SqueezeExcite::new(backend, cout, Self::SLOPE, weights.pp("squeeze"))? })
    }

    /// Of a map, and a coarser one added.
    fn forward(&self, backend: &B, x: &B::Map, coarser: Option<&B::Map>) -> Result<B::Map> {
        // The mean of what a linear layer gives is what it gives for the mean.
        let mean = backend.forward(&self.conv, &backend.mean(x)?)?;
        backend.excited(&self.conv, x, &self.squeeze.gate(backend, &mean)?, coarser)
    }
}

/// Coarse features added to finer ones level by level; then each level smoothed and narrowed.
/// All its layers go from the coarsest level to the finest.
struct Pyramid<B: Backend> {
    laterals: Vec<Excited<B>>,
    smoothing: Vec<(B::Conv, Excited<B>)>,
}

impl<B: Backend> Pyramid<B> {
    fn new(backend: &B, config: &Config, weights: VarBuilder) -> Result<Self> {
        let channels = config.pyramid;
        let laterals = (config.stages.iter().rev().enumerate())
            .map(|(i, stage)| Excited::new(backend, stage.channels, channels, weights.pp("laterals").pp(i)));
        let laterals = laterals.collect::<Result<Vec<_>>>()?;
        let levels = laterals.len();
        let smoothing = (0..levels).map(|i| {
            let weights = weights.pp("smoothing").pp(i);
            let depthwise = backend.conv(ConvSpec::depthwise(channels, (5, 5)), weights.pp("depthwise"))?;
            Ok((depthwise, Excited::new(backend, channels, channels / levels, weights.pp("narrow"))?))
        });
        Ok(Self { laterals, smoothing: smoothing.collect::<Result<_>>()? })
    }

    /// `features` from the finest to the coarsest, to levels from the coarsest to the finest.
    fn forward(&self, backend: &B, features: &[B::Map]) -> Result<Vec<Level<B::Map>>> {
        let mut levels: Vec<B::Map> = Vec::with_capacity(features.len());
        for (lateral, feature) in self.laterals.iter().zip(features.iter().rev()) {
            levels.push(lateral.forward(backend, feature, levels.last())?);
        }
        let mut smoothed = Vec::with_capacity(levels.len());
        for (i, ((depthwise, narrow), level)) in self.smoothing.iter().zip(&levels).enumerate() {
            let map = backend.separable(depthwise, &narrow.conv, level)?;
            let gate = narrow.squeeze.gate(backend, &backend.mean(&map)?)?;
            smoothed.push(Level { map, gate, factor: 1 << (levels.len() - 1 - i) });
        }
        Ok(smoothed)
    }
}

/// The levels at the finest resolution beside each other, 3x3, then two transposed 2x2 convolutions of stride 2.
struct Head<B: Backend> {
    narrow: B::Conv,
    double: [B::Conv; 2],
}

impl<B: Backend> Head<B> {
    fn new(backend: &B, channels: usize, weights: VarBuilder) -> Result<Self> {
        let narrow = channels / 4;
        let transposed = |cout: usize| ConvSpec::dense(narrow, 4 * cout, 1);
        Ok(Self {
            narrow: backend.conv(ConvSpec::dense(channels, narrow, 3).activation(Activation::Relu), weights.pp("narrow"))?,
            double: [
                backend.conv(transposed(narrow).activation(Activation::Relu), weights.pp("double.0"))?,
                backend.conv(transposed(1).activation(Activation::Sigmoid), weights.pp("double.1"))?,
            ],
        })
    }

    fn forward(&self, backend: &B, levels: &[Level<B::Map>]) -> Result<B::Map> {
        backend.quadruple([&self.double[0], &self.double[1]], &backend.joined(levels, &self.narrow)?)
    }
}
