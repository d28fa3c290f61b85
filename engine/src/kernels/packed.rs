//! The backend of inference: packed weights, fused layers, plain buffers.

use candle_core::{Result, bail};
use candle_nn::VarBuilder;
use rayon::prelude::*;

use super::dense::Dense;
use super::depthwise::Depthwise;
use super::map::{Buffer, FeatureMap, Shape};
use super::ops;
use super::simd::Isa;
use super::window::Axis;
use crate::layers::{Backend, Connection, ConvSpec};

/// Pixels between the two halves of a perceptron: their hidden values stay in the second-level cache.
const PIXELS_OF_PERCEPTRON: usize = 48;
/// Floats of the output in a band of work: it and the input that it comes from stay in the second-level cache.
const FLOATS_OF_BAND: usize = 16 * 1024;

/// How the work on one map is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// All on the calling thread: for many small maps, each on a thread of its own.
    One,
    /// Bands of rows on all of rayon's threads: for a large map.
    All,
}

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Packed {
    isa: Isa,
    threads: Threads,
}

impl Packed {
    pub fn new(threads: Threads) -> Self {
        Self::with_isa(Isa::detect(), threads)
    }

    pub fn with_isa(isa: Isa, threads: Threads) -> Self {
        Self { isa, threads }
    }

    /// Cuts `out` into bands of whole rows of `row` floats and calls `work` with the index of the first row and the band, and with
    /// `scratch`, made once a thread.
    fn bands<T>(
        &self,
        out: &mut [f32],
        row: usize,
        scratch: impl Fn() -> T + Sync + Send,
        work: impl Fn(&mut T, usize, &mut [f32]) + Sync + Send,
    ) {
        if out.is_empty() {
            return;
        }
        let rows = (FLOATS_OF_BAND / row).max(1);
        match self.threads {
            Threads::One => {
                let mut scratch = scratch();
                out.chunks_mut(rows * row).enumerate().for_each(|(i, band)| work(&mut scratch, i * rows, band));
            }
            Threads::All => {
                let bands = out.par_chunks_mut(rows * row).enumerate();
                bands.for_each_init(scratch, |scratch, (i, band)| work(scratch, i * rows, band));
            }
        }
    }

    fn pointwise(&self, conv: &Dense, x: &FeatureMap) -> FeatureMap {
        let ConvSpec { cin, cout, .. } = conv.spec;
        let shape = Shape { c: cout, ..x.shape };
        let mut out = Buffer::unset(shape.len());
        self.bands(
            out.as_mut_slice(),
            cout,
            || (),
            |(), first, band| {
                conv.pixels(&x.values()[first * cin..][..band.len() / cout * cin], None, band);
            },
        );
        FeatureMap::new(shape, out)
    }

    fn spatial(
        &self,
        spec: &ConvSpec,
        x: &FeatureMap,
        work: impl Fn(&[f32], (Axis, Axis), usize, &mut [f32]) + Sync + Send,
    ) -> Result<FeatureMap> {
        let Some(axes) = Axis::both(spec, x.shape.h, x.shape.w) else {
            bail!("a map of {:?} is smaller than the kernel of {spec:?}", x.shape);
        };
        let shape = Shape { n: x.shape.n, h: axes.0.outputs, w: axes.1.outputs, c: spec.cout };
        let mut out = Buffer::unset(shape.len());
        for (i, image) in out.as_mut_slice().chunks_mut(shape.image().max(1)).enumerate() {
            self.bands(image, shape.row(), || (), |(), first, band| work(x.image(i), axes, first, band));
        }
        Ok(FeatureMap::new(shape, out))
    }
}

/// A convolution with its weights packed.
#[derive(Debug)]
pub enum Conv {
    Dense(Dense),
    Depthwise(Depthwise),
}

impl Conv {
    fn spec(&self) -> &ConvSpec {
        match self {
            Self::Dense(conv) => &conv.spec,
            Self::Depthwise(conv) => &conv.spec,
        }
    }

    /// `x` must have the input channels.
    fn check(&self, x: &FeatureMap) -> Result<()> {
        let spec = self.spec();
        if x.shape.c != spec.cin {
            bail!("a map of {:?} has not the {} channels of {spec:?}", x.shape, spec.cin);
        }
        Ok(())
    }
}

impl Backend for Packed {
    type Map = FeatureMap;
    type Conv = Conv;

    fn conv(&self, spec: ConvSpec, weights: VarBuilder) -> Result<Conv> {
        let ConvSpec { kernel: (kh, kw), cin, cout, .. } = spec;
        let values = |tensor: candle_core::Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        let bias = if spec.bias { values(weights.get(cout, "bias")?)? } else { Vec::new() };
        Ok(match spec.connection {
            Connection::Dense => Conv::Dense(Dense::new(spec, &values(weights.get((kh, kw, cin, cout), "weight")?)?, &bias, self.isa)),
            Connection::Depthwise => {
                Conv::Depthwise(Depthwise::new(spec, &values(weights.get((kh, kw, cout), "weight")?)?, &bias, self.isa))
            }
        })
    }

    fn forward(&self, conv: &Conv, x: &FeatureMap) -> Result<FeatureMap> {
        conv.check(x)?;
        match conv {
            Conv::Dense(conv) if conv.is_pointwise() => Ok(self.pointwise(conv, x)),
            Conv::Dense(conv) => self.spatial(&conv.spec, x, |x, axes, first, out| conv.rows(x, axes, first, out)),
            Conv::Depthwise(conv) => self.spatial(&conv.spec, x, |x, axes, first, out| conv.rows(x, axes, first, out)),
        }
    }

    fn perceptron(&self, expand: &Conv, project: &Conv, x: &FeatureMap, residual: bool) -> Result<FeatureMap> {
        expand.check(x)?;
        let (Conv::Dense(expand), Conv::Dense(project)) = (expand, project) else { bail!("a perceptron is made of dense layers") };
        let (cin, hidden, cout) = (expand.spec.cin, expand.spec.cout, project.spec.cout);
        if !expand.is_pointwise() || !project.is_pointwise() || project.spec.cin != hidden || (residual && cin != cout) {
            bail!("{:?} and {:?} make no perceptron", expand.spec, project.spec);
        }
        let shape = Shape { c: cout, ..x.shape };
        let mut out = Buffer::unset(shape.len());
        let scratch = || Buffer::zeros(PIXELS_OF_PERCEPTRON * hidden);
        self.bands(out.as_mut_slice(), cout, scratch, |scratch, first, band| {
            let x = &x.values()[first * cin..][..band.len() / cout * cin];
            for (x, out) in x.chunks(PIXELS_OF_PERCEPTRON * cin).zip(band.chunks_mut(PIXELS_OF_PERCEPTRON * cout)) {
                let between = &mut scratch.as_mut_slice()[..x.len() / cin * hidden];
                expand.pixels(x, None, between);
                project.pixels(between, residual.then_some(x), out);
            }
        });
        Ok(FeatureMap::new(shape, out))
    }

    fn add(&self, a: &FeatureMap, b: &FeatureMap) -> Result<FeatureMap> {
        if a.shape != b.shape {
            bail!("can't add maps of {:?} and {:?}", a.shape, b.shape);
        }
        Ok(ops::add(a, b))
    }

    fn scale(&self, x: &FeatureMap, gate: &FeatureMap) -> Result<FeatureMap> {
        if gate.shape != (Shape { h: 1, w: 1, ..x.shape }) {
            bail!("a gate of {:?} doesn't fit a map of {:?}", gate.shape, x.shape);
        }
        Ok(ops::scale(x, gate))
    }

    fn mean(&self, x: &FeatureMap) -> Result<FeatureMap> {
        Ok(ops::mean(x))
    }

    fn concat(&self, maps: &[&FeatureMap]) -> Result<FeatureMap> {
        let shapes = || maps.iter().map(|m| m.shape).collect::<Vec<_>>();
        ops::concat(maps).ok_or_else(|| candle_core::Error::Msg(format!("can't join maps of {:?}", shapes())))
    }

    fn upsample(&self, x: &FeatureMap, factor: usize) -> Result<FeatureMap> {
        Ok(ops::upsample(x, factor))
    }

    fn max_pool_2x2(&self, x: &FeatureMap) -> Result<FeatureMap> {
        Ok(ops::max_pool_2x2(x))
    }

    fn average_pool(&self, x: &FeatureMap, size: (usize, usize)) -> Result<FeatureMap> {
        Ok(ops::average_pool(x, size))
    }

    fn depth_to_space(&self, x: &FeatureMap) -> Result<FeatureMap> {
        let shape = x.shape;
        ops::depth_to_space(x).ok_or_else(|| candle_core::Error::Msg(format!("the channels of {shape:?} are no multiple of four")))
    }
}
