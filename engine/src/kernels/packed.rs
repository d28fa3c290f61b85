//! The backend of inference: packed weights, fused layers, plain buffers.

use candle_core::{Result, bail};
use candle_nn::VarBuilder;
use rayon::prelude::*;

use super::dense::Dense;
use super::depthwise::Depthwise;
use super::fused::Perceptron;
use super::map::{Buffer, FeatureMap, Shape};
use super::ops;
use super::pointwise::Pointwise;
use super::quantised::{CIN_MAX, Quantised};
use super::simd::Isa;
use super::window::Axis;
use crate::layers::{Backend, Connection, ConvSpec, Level, Precision, StemOf};

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
    /// What layers of [`Precision::Bytes`] are computed in.
    precision: Precision,
}

impl Packed {
    pub fn new(threads: Threads) -> Self {
        Self::with_isa(Isa::detect(), threads)
    }

    pub fn with_isa(isa: Isa, threads: Threads) -> Self {
        Self { isa, threads, precision: Precision::Floats }
    }

    /// Computes in bytes what may be.
    pub fn in_bytes(self) -> Self {
        Self { precision: Precision::Bytes, ..self }
    }

    /// How many rows of so many floats make a band of work.
    pub(super) fn rows_of_band(&self, row: usize) -> usize {
        (FLOATS_OF_BAND / row.max(1)).max(1)
    }

    /// Makes a map, image by image, in bands of `rows` rows of `row` floats: calls `work` with the image, the scratch that is made
    /// once a thread, the index of the first row and the band.
    pub(super) fn by_image<T>(
        &self,
        shape: Shape,
        row: usize,
        rows: usize,
        scratch: impl Fn() -> T + Sync + Send,
        work: impl Fn(usize, &mut T, usize, &mut [f32]) + Sync + Send,
    ) -> FeatureMap {
        let mut out = Buffer::unset(shape.len());
        if !shape.is_empty() {
            for (i, image) in out.as_mut_slice().chunks_mut(shape.image()).enumerate() {
                match self.threads {
                    Threads::One => {
                        let mut scratch = scratch();
                        let bands = image.chunks_mut(rows * row).enumerate();
                        bands.for_each(|(band, out)| work(i, &mut scratch, band * rows, out));
                    }
                    Threads::All => {
                        let bands = image.par_chunks_mut(rows * row).enumerate();
                        bands.for_each_init(&scratch, |scratch, (band, out)| work(i, scratch, band * rows, out));
                    }
                }
            }
        }
        FeatureMap::new(shape, out)
    }

    fn pointwise(&self, conv: Pointwise, x: &FeatureMap) -> FeatureMap {
        let ConvSpec { cin, cout, .. } = *conv.spec();
        self.by_image(
            Shape { c: cout, ..x.shape },
            cout,
            self.rows_of_band(cout),
            || (),
            |image, (), first, band| {
                conv.pixels(&x.image(image)[first * cin..][..band.len() / cout * cin], None, band);
            },
        )
    }

    fn spatial(
        &self,
        spec: &ConvSpec,
        x: &FeatureMap,
        work: impl Fn(&[f32], (Axis, Axis), usize, &mut [f32]) + Sync + Send,
    ) -> Result<FeatureMap> {
        let axes = axes(spec, x.shape)?;
        let shape = Shape { n: x.shape.n, h: axes.0.outputs, w: axes.1.outputs, c: spec.cout };
        let rows = self.rows_of_band(shape.row());
        Ok(self.by_image(shape, shape.row(), rows, || (), |image, (), first, band| work(x.image(image), axes, first, band)))
    }

    /// Sums of rows by channel `[n, h, 1, c]`.
    fn row_sums(&self, x: &FeatureMap) -> FeatureMap {
        let Shape { c, .. } = x.shape;
        self.by_image(
            Shape { w: 1, ..x.shape },
            c,
            self.rows_of_band(x.shape.row()),
            || (),
            |image, (), first, band| {
                for (y, sums) in (first..).zip(band.chunks_exact_mut(c)) {
                    ops::sum_pixels(x.row(image, y), sums);
                }
            },
        )
    }
}

/// The vertical and the horizontal axis of a convolution over a map of this shape.
pub(super) fn axes(spec: &ConvSpec, shape: Shape) -> Result<(Axis, Axis)> {
    match Axis::both(spec, shape.h, shape.w) {
        Some(axes) => Ok(axes),
        None => bail!("a map of {shape:?} is smaller than the kernel of {spec:?}"),
    }
}

/// A convolution with its weights packed.
#[derive(Debug)]
pub enum Conv {
    Dense(Dense),
    Depthwise(Depthwise),
    Quantised(Quantised),
}

impl Conv {
    fn spec(&self) -> &ConvSpec {
        match self {
            Self::Dense(conv) => &conv.spec,
            Self::Depthwise(conv) => &conv.spec,
            Self::Quantised(conv) => &conv.spec,
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

impl Conv {
    fn dense(&self) -> Result<&Dense> {
        match self {
            Self::Dense(conv) => Ok(conv),
            _ => bail!("{:?} should be dense and in floats", self.spec()),
        }
    }

    fn pointwise(&self) -> Result<Pointwise<'_>> {
        match self {
            Self::Quantised(conv) => Ok(Pointwise::Bytes(conv)),
            _ => Pointwise::in_floats(self.dense()?),
        }
    }

    /// A depthwise layer whose output goes into `next`, a pointwise one.
    fn depthwise_before(&self, next: &Self) -> Result<&Depthwise> {
        match self {
            Self::Depthwise(conv) if next.pointwise()?.spec().cin == conv.spec.cout => Ok(conv),
            _ => bail!("{:?} should be depthwise, for {:?} to follow", self.spec(), next.spec()),
        }
    }
}

fn check_gate(x: &FeatureMap, gate: &FeatureMap) -> Result<()> {
    if gate.shape != (Shape { h: 1, w: 1, ..x.shape }) {
        bail!("a gate of {:?} doesn't fit a map of {:?}", gate.shape, x.shape);
    }
    Ok(())
}

impl Backend for Packed {
    type Map = FeatureMap;
    type Conv = Conv;

    fn conv(&self, spec: ConvSpec, weights: VarBuilder) -> Result<Conv> {
        let ConvSpec { kernel: (kh, kw), cin, cout, .. } = spec;
        let values = |tensor: candle_core::Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        let bias = if spec.bias { values(weights.get(cout, "bias")?)? } else { Vec::new() };
        let in_bytes = [spec.precision, self.precision] == [Precision::Bytes; 2] && spec.is_pointwise() && cin <= CIN_MAX;
        Ok(match spec.connection {
            Connection::Dense => {
                let weight = values(weights.get((kh, kw, cin, cout), "weight")?)?;
                if in_bytes {
                    Conv::Quantised(Quantised::new(spec, &weight, &bias, self.isa))
                } else {
                    Conv::Dense(Dense::new(spec, &weight, &bias, self.isa))
                }
            }
            Connection::Depthwise => {
                Conv::Depthwise(Depthwise::new(spec, &values(weights.get((kh, kw, cout), "weight")?)?, &bias, self.isa))
            }
        })
    }

    fn forward(&self, conv: &Conv, x: &FeatureMap) -> Result<FeatureMap> {
        conv.check(x)?;
        match conv {
            Conv::Quantised(conv) => Ok(self.pointwise(Pointwise::Bytes(conv), x)),
            Conv::Dense(conv) if conv.is_pointwise() => Ok(self.pointwise(Pointwise::Floats(conv), x)),
            Conv::Dense(conv) => self.spatial(&conv.spec, x, |x, axes, first, out| conv.rows(x, axes, first, out)),
            Conv::Depthwise(conv) => self.spatial(&conv.spec, x, |x, axes, first, out| conv.rows(x, axes, first, out)),
        }
    }

    fn perceptron(&self, expand: &Conv, project: &Conv, x: &FeatureMap, residual: bool) -> Result<FeatureMap> {
        expand.check(x)?;
        Ok(self.perceptron_of(Perceptron::new(expand.pointwise()?, project.pointwise()?, residual)?, x, None))
    }

    fn gated_perceptron(&self, expand: &Conv, project: &Conv, x: &FeatureMap, gate: &FeatureMap, residual: bool) -> Result<FeatureMap> {
        expand.check(x)?;
        check_gate(x, gate)?;
        Ok(self.perceptron_of(Perceptron::new(expand.pointwise()?, project.pointwise()?, residual)?, x, Some(gate)))
    }

    fn mixed_perceptron(&self, depthwise: &Conv, expand: &Conv, project: &Conv, x: &FeatureMap, residual: bool) -> Result<FeatureMap> {
        depthwise.check(x)?;
        let perceptron = Perceptron::new(expand.pointwise()?, project.pointwise()?, residual)?;
        self.mixed_perceptron_of(depthwise.depthwise_before(expand)?, perceptron, x)
    }

    fn separable(&self, depthwise: &Conv, pointwise: &Conv, x: &FeatureMap) -> Result<FeatureMap> {
        depthwise.check(x)?;
        self.separable_of(depthwise.depthwise_before(pointwise)?, pointwise.pointwise()?, x)
    }

    fn stem(&self, stem: StemOf<&Conv>, x: &FeatureMap) -> Result<FeatureMap> {
        let StemOf { first, branch: [narrow, widen], join } = stem;
        first.check(x)?;
        self.stem_of(StemOf { first: first.dense()?, branch: [narrow.dense()?, widen.dense()?], join: join.dense()? }, x)
    }

    fn excited(&self, conv: &Conv, x: &FeatureMap, gate: &FeatureMap, coarser: Option<&FeatureMap>) -> Result<FeatureMap> {
        conv.check(x)?;
        self.excited_of(conv.dense()?, x, gate, coarser)
    }

    fn joined(&self, levels: &[Level<FeatureMap>], conv: &Conv) -> Result<FeatureMap> {
        self.joined_of(levels, conv.dense()?)
    }

    fn quadruple(&self, [first, second]: [&Conv; 2], x: &FeatureMap) -> Result<FeatureMap> {
        first.check(x)?;
        self.quadruple_of(first.dense()?, second.dense()?, x)
    }

    fn add(&self, a: &FeatureMap, b: &FeatureMap) -> Result<FeatureMap> {
        if a.shape != b.shape {
            bail!("can't add maps of {:?} and {:?}", a.shape, b.shape);
        }
        Ok(ops::add(a, b))
    }

    fn scale(&self, x: &FeatureMap, gate: &FeatureMap) -> Result<FeatureMap> {
        check_gate(x, gate)?;
        Ok(ops::scale(x, gate))
    }

    fn mean(&self, x: &FeatureMap) -> Result<FeatureMap> {
        Ok(ops::mean(&self.row_sums(x), x.shape))
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
