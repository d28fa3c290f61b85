//! Depthwise convolution: one filter a channel. A vector of channels of a few neighbouring pixels stays in registers over all taps.

use std::ops::Range;

use super::activation::activate_all;
use super::map::{Buffer, FeatureMap, Shape};
use super::simd::{Isa, Kernel, MAX_LANES, Simd};
use super::window::Axis;
use crate::layers::{Activation, ConvSpec};

/// Pixels whose sums are in registers together.
const PIXELS: usize = 6;

/// A depthwise convolution with weights padded to whole vectors.
#[derive(Debug)]
pub struct Depthwise {
    pub spec: ConvSpec,
    isa: Isa,
    /// `[kh, kw, channels rounded up]`
    weights: Buffer,
    bias: Buffer,
}

impl Depthwise {
    /// `weight` is `[kh, kw, channels]`, `bias` `[channels]` or empty.
    pub fn new(spec: ConvSpec, weight: &[f32], bias: &[f32], isa: Isa) -> Self {
        let taps = spec.kernel.0 * spec.kernel.1;
        assert_eq!(weight.len(), taps * spec.cout, "weights of {spec:?}");
        let padded = spec.cout.next_multiple_of(isa.lanes());
        let (mut weights, mut padded_bias) = (Buffer::zeros(taps * padded), Buffer::zeros(padded));
        padded_bias.as_mut_slice()[..bias.len()].copy_from_slice(bias);
        for (to, from) in weights.as_mut_slice().chunks_exact_mut(padded).zip(weight.chunks_exact(spec.cout)) {
            to[..spec.cout].copy_from_slice(from);
        }
        Self { spec, isa, weights, bias: padded_bias }
    }

    /// Rows of the output from `first` on, as many as `out` holds, of one image.
    pub(super) fn rows(&self, x: &[f32], (vertical, horizontal): (Axis, Axis), first: usize, out: &mut [f32]) {
        assert_eq!(x.len(), vertical.size * horizontal.size * self.spec.cin);
        assert_eq!(out.len() % (horizontal.outputs * self.spec.cout), 0);
        assert!(first + out.len() / (horizontal.outputs * self.spec.cout) <= vertical.outputs);
        self.isa.run(Rows { conv: self, x, vertical, horizontal, first, out });
    }

    /// The map `x` in one go, on the calling thread.
    pub fn forward(&self, x: &FeatureMap) -> Option<FeatureMap> {
        let axes = Axis::both(&self.spec, x.shape.h, x.shape.w)?;
        let shape = Shape { n: x.shape.n, h: axes.0.outputs, w: axes.1.outputs, c: self.spec.cout };
        let mut out = Buffer::unset(shape.len());
        for (i, image) in out.as_mut_slice().chunks_mut(shape.image().max(1)).enumerate() {
            self.rows(x.image(i), axes, 0, image);
        }
        Some(FeatureMap::new(shape, out))
    }
}

struct Rows<'a> {
    conv: &'a Depthwise,
    /// One image.
    x: &'a [f32],
    vertical: Axis,
    horizontal: Axis,
    /// Index of the first output row.
    first: usize,
    out: &'a mut [f32],
}

impl Kernel for Rows<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let ConvSpec { cout: channels, kernel, stride, activation, .. } = self.conv.spec;
        let (row, interior) = (self.horizontal.outputs * channels, self.horizontal.interior());
        let padded = channels.next_multiple_of(S::LANES);
        let output = self.out.as_mut_ptr();
        for r in 0..self.out.len() / row {
            let rows = self.vertical.taps(self.first + r);
            // SAFETY: `taps` and `input` stay on the map, so `x` and `weights` are read inside their slices; `out` holds whole rows.
            let group = |column: usize, columns: Range<usize>| unsafe {
                let on_map = !rows.is_empty() && !columns.is_empty();
                let (rows, columns) = if on_map { (rows.clone(), columns) } else { (0..0, 0..0) };
                let (y, x) = (self.vertical.input(self.first + r, rows.start), self.horizontal.input(column, columns.start));
                let input = if on_map { (y * self.horizontal.size + x) * channels } else { 0 };
                Group {
                    x: self.x.as_ptr().add(input),
                    pixel_step: stride.1 * channels,
                    row_step: self.horizontal.size * channels,
                    weights: self.conv.weights.as_slice().as_ptr().add((rows.start * kernel.1 + columns.start) * padded),
                    weight_row_step: kernel.1 * padded,
                    rows: rows.len(),
                    columns: columns.len(),
                    bias: self.conv.bias.as_slice().as_ptr(),
                    out: output.add(r * row + column * channels),
                    channels,
                    padded,
                }
            };
            for column in (0..interior.start).chain(interior.end..self.horizontal.outputs) {
                // SAFETY: see `group`.
                unsafe { group(column, self.horizontal.taps(column)).compute::<S, 1>() };
            }
            let groups = interior.len() / PIXELS * PIXELS;
            for column in (interior.start..interior.start + groups).step_by(PIXELS) {
                // SAFETY: see `group`; all taps of the interior lie on the map.
                unsafe { group(column, 0..kernel.1).compute::<S, PIXELS>() };
            }
            for column in interior.start + groups..interior.end {
                // SAFETY: as above.
                unsafe { group(column, 0..kernel.1).compute::<S, 1>() };
            }
        }
        if activation != Activation::None {
            // SAFETY: the machine has the instructions (the caller's promise).
            unsafe { activate_all::<S>(self.out, activation) };
        }
    }
}

/// Pixels side by side, all channels.
struct Group {
    /// The first tap of the first pixel.
    x: *const f32,
    pixel_step: usize,
    row_step: usize,
    weights: *const f32,
    weight_row_step: usize,
    /// Kernel rows and columns on the map.
    rows: usize,
    columns: usize,
    bias: *const f32,
    out: *mut f32,
    channels: usize,
    /// Channels rounded up to whole vectors.
    padded: usize,
}

impl Group {
    #[inline(always)]
    unsafe fn compute<S: Simd, const N: usize>(&self) {
        let whole = self.channels / S::LANES * S::LANES;
        // SAFETY: the caller promises that the pointers reach as far as the steps and counts say.
        unsafe {
            for channel in (0..whole).step_by(S::LANES) {
                let mut sums = [S::load(self.bias.add(channel)); N];
                for ky in 0..self.rows {
                    let x = self.x.add(ky * self.row_step + channel);
                    let weights = self.weights.add(ky * self.weight_row_step + channel);
                    for kx in 0..self.columns {
                        let w = S::load(weights.add(kx * self.padded));
                        for (pixel, sum) in sums.iter_mut().enumerate() {
                            *sum = S::mul_add(S::load(x.add(pixel * self.pixel_step + kx * self.channels)), w, *sum);
                        }
                    }
                }
                for (pixel, &sum) in sums.iter().enumerate() {
                    S::store(self.out.add(pixel * self.channels + channel), sum);
                }
            }
            if whole < self.channels {
                (0..N).for_each(|pixel| self.remainder::<S>(pixel, whole));
            }
        }
    }

    /// The channels of one pixel that don't fill a vector.
    #[inline(always)]
    unsafe fn remainder<S: Simd>(&self, pixel: usize, first: usize) {
        let live = self.channels - first;
        let mut x = [0.0; MAX_LANES];
        // SAFETY: as in `compute`; weights and bias are padded to whole vectors, the map is read and written `live` floats wide.
        unsafe {
            let mut sum = S::load(self.bias.add(first));
            for (ky, kx) in (0..self.rows).flat_map(|ky| (0..self.columns).map(move |kx| (ky, kx))) {
                let from = self.x.add(pixel * self.pixel_step + ky * self.row_step + kx * self.channels + first);
                x[..live].copy_from_slice(std::slice::from_raw_parts(from, live));
                let w = S::load(self.weights.add(ky * self.weight_row_step + kx * self.padded + first));
                sum = S::mul_add(S::load(x.as_ptr()), w, sum);
            }
            let mut y = [0.0; MAX_LANES];
            S::store(y.as_mut_ptr(), sum);
            std::slice::from_raw_parts_mut(self.out.add(pixel * self.channels + first), live).copy_from_slice(&y[..live]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::plain;
    use super::super::testing::{any_padding, assert_close, values};
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn equals_the_definition(
            (channels, n) in (1usize..40, 1usize..3),
            kernel in (1usize..6, 1usize..6),
            stride in (1usize..3, 1usize..3),
            padding in any_padding(2),
            (h, w) in (1usize..9, 1usize..24),
            seed in any::<u64>(),
        ) {
            let spec = ConvSpec { stride, padding, ..ConvSpec::depthwise(channels, kernel).activation(Activation::HardSwish) };
            prop_assume!(spec.output_size(h, w).is_some());
            let weight = values(kernel.0 * kernel.1 * channels, seed);
            let bias = values(channels, seed ^ 1);
            let shape = Shape { n, h, w, c: channels };
            let x = FeatureMap::from_slice(shape, &values(shape.len(), seed ^ 2));
            let expected = plain::conv(&spec, &weight, &bias, &x);
            for isa in Isa::available() {
                assert_close(&Depthwise::new(spec, &weight, &bias, isa).forward(&x).unwrap(), &expected);
            }
        }
    }
}
