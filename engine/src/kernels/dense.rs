//! Dense convolution as a matrix product over pixels: a tile of pixels by one or two vectors of output channels stays in registers
//! while it runs over taps and input channels; bias, activation and residual are applied before it is stored.
//!
//! In NHWC the taps of one kernel row are contiguous, in the map and in the packed weights alike, so that a tile is a short loop
//! over kernel rows of a long loop over `kw * cin` values, whatever the kernel's size. The method is that of Goto and van de Geijn
//! 2008, <https://doi.org/10.1145/1356052.1356053>, without its outermost levels: these maps fit the second-level cache.

use std::ops::Range;

use super::activation::activate;
use super::map::{Buffer, FeatureMap, Shape};
use super::simd::{Isa, Kernel, MAX_LANES, Simd};
use super::window::Axis;
use crate::layers::{Activation, ConvSpec};

/// Pixels in the largest tile, and vectors of output channels beside each other.
const MAX_PIXELS: usize = 12;
const MAX_VECTORS: usize = 2;

/// A dense convolution with packed weights.
#[derive(Debug)]
pub struct Dense {
    pub spec: ConvSpec,
    isa: Isa,
    /// Panels of two vectors of output channels (the last perhaps of one): `[kh, kw, cin, channels of the panel]` each.
    weights: Buffer,
    /// Zero beyond the last output channel.
    bias: Buffer,
}

/// Output channels that are computed together.
#[derive(Debug, Clone, Copy)]
struct Panel {
    first: usize,
    vectors: usize,
}

/// The panels that cover `cout` channels.
fn panels(cout: usize, lanes: usize) -> impl Iterator<Item = Panel> {
    let vectors = cout.div_ceil(lanes);
    (0..vectors).step_by(MAX_VECTORS).map(move |v| Panel { first: v * lanes, vectors: MAX_VECTORS.min(vectors - v) })
}

impl Dense {
    /// `weight` is `[kh, kw, cin, cout]`, `bias` `[cout]` or empty.
    pub fn new(spec: ConvSpec, weight: &[f32], bias: &[f32], isa: Isa) -> Self {
        let lanes = isa.lanes();
        let rows = spec.kernel.0 * spec.kernel.1 * spec.cin;
        assert_eq!(weight.len(), rows * spec.cout, "weights of {spec:?}");
        let padded = spec.cout.next_multiple_of(lanes);
        let (mut weights, mut padded_bias) = (Buffer::zeros(rows * padded), Buffer::zeros(padded));
        padded_bias.as_mut_slice()[..bias.len()].copy_from_slice(bias);
        let mut rest = weights.as_mut_slice();
        for Panel { first, vectors } in panels(spec.cout, lanes) {
            let (panel, after) = rest.split_at_mut(rows * vectors * lanes);
            let live = (spec.cout - first).min(vectors * lanes);
            for (packed, row) in panel.chunks_exact_mut(vectors * lanes).zip(weight.chunks_exact(spec.cout)) {
                packed[..live].copy_from_slice(&row[first..first + live]);
            }
            rest = after;
        }
        Self { spec, isa, weights, bias: padded_bias }
    }

    /// Whether each output pixel depends on its own input pixel alone.
    pub fn is_pointwise(&self) -> bool {
        self.spec.kernel == (1, 1) && self.spec.stride == (1, 1)
    }

    /// Rows of the output from `first` on, as many as `out` holds, of one image.
    pub(super) fn rows(&self, x: &[f32], (vertical, horizontal): (Axis, Axis), first: usize, out: &mut [f32]) {
        assert_eq!(x.len(), vertical.size * horizontal.size * self.spec.cin);
        assert_eq!(out.len() % (horizontal.outputs * self.spec.cout), 0);
        assert!(first + out.len() / (horizontal.outputs * self.spec.cout) <= vertical.outputs);
        self.isa.run(Rows { conv: self, x, vertical, horizontal, first, out, residual: None });
    }

    /// A pointwise convolution of pixels `[pixels, cin] -> [pixels, cout]`; `residual`, shaped as `out`, is added to the result.
    pub(super) fn pixels(&self, x: &[f32], residual: Option<&[f32]>, out: &mut [f32]) {
        assert!(self.is_pointwise());
        let shape = Shape { n: 1, h: 1, w: x.len() / self.spec.cin, c: self.spec.cin };
        assert_eq!(x.len(), shape.len());
        assert_eq!(out.len(), shape.w * self.spec.cout);
        assert!(residual.is_none_or(|residual| residual.len() == out.len()));
        if let Some((vertical, horizontal)) = Axis::both(&self.spec, shape.h, shape.w) {
            self.isa.run(Rows { conv: self, x, vertical, horizontal, first: 0, out, residual });
        }
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
    conv: &'a Dense,
    /// One image.
    x: &'a [f32],
    vertical: Axis,
    horizontal: Axis,
    /// Index of the first output row.
    first: usize,
    out: &'a mut [f32],
    residual: Option<&'a [f32]>,
}

impl Kernel for Rows<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let mut offset = 0;
        for panel in panels(self.conv.spec.cout, S::LANES) {
            let conv = self.conv;
            let weights = &conv.weights.as_slice()[offset..];
            offset += conv.spec.kernel.0 * conv.spec.kernel.1 * conv.spec.cin * panel.vectors * S::LANES;
            // SAFETY: the machine has the instructions (the caller's promise); `rows` and `pixels` have checked the slices.
            unsafe { if panel.vectors == 2 { self.panel::<S, 2>(panel.first, weights) } else { self.panel::<S, 1>(panel.first, weights) } }
        }
    }
}

impl Rows<'_> {
    /// All output rows for the channels of one panel.
    #[inline(always)]
    unsafe fn panel<S: Simd, const VECTORS: usize>(&mut self, channel: usize, weights: &[f32]) {
        let ConvSpec { cin, cout, kernel, stride, activation, .. } = self.conv.spec;
        let (row, interior) = (self.horizontal.outputs * cout, self.horizontal.interior());
        let tap = cin * VECTORS * S::LANES;
        let output = self.out.as_mut_ptr();
        for r in 0..self.out.len() / row {
            let rows = self.vertical.taps(self.first + r);
            // SAFETY: `taps` and `input` stay on the map, so `x` and `weights` are read inside their slices; `out` and `residual` hold
            // whole rows of `cout` channels, of which the tile writes `live`.
            let tile = |column: usize, columns: Range<usize>| unsafe {
                let out = r * row + column * cout + channel;
                let on_map = !rows.is_empty() && !columns.is_empty();
                let (rows, columns) = if on_map { (rows.clone(), columns) } else { (0..0, 0..0) };
                let (y, x) = (self.vertical.input(self.first + r, rows.start), self.horizontal.input(column, columns.start));
                let input = if on_map { (y * self.horizontal.size + x) * cin } else { 0 };
                Tile {
                    x: self.x.as_ptr().add(input),
                    pixel_step: stride.1 * cin,
                    row_step: self.horizontal.size * cin,
                    weights: weights.as_ptr().add((rows.start * kernel.1 + columns.start) * tap),
                    weight_row_step: kernel.1 * tap,
                    rows: rows.len(),
                    run: columns.len() * cin,
                    bias: self.conv.bias.as_slice().as_ptr().add(channel),
                    residual: self.residual.map_or(std::ptr::null(), |residual| residual.as_ptr().add(out)),
                    out: output.add(out),
                    out_step: cout,
                    live: (cout - channel).min(VECTORS * S::LANES),
                    activation,
                }
            };
            for column in (0..interior.start).chain(interior.end..self.horizontal.outputs) {
                // SAFETY: see `tile`.
                unsafe { tile(column, self.horizontal.taps(column)).span::<S, VECTORS>(1) };
            }
            // SAFETY: see `tile`; all taps of the interior lie on the map.
            unsafe {
                if !interior.is_empty() {
                    tile(interior.start, 0..kernel.1).span::<S, VECTORS>(interior.len());
                }
            }
        }
    }
}

/// Pixels side by side, and the channels of one panel.
#[derive(Clone, Copy)]
struct Tile {
    /// The first tap of the first pixel.
    x: *const f32,
    /// Floats from a pixel's first tap to the next pixel's.
    pixel_step: usize,
    row_step: usize,
    weights: *const f32,
    weight_row_step: usize,
    /// Kernel rows on the map.
    rows: usize,
    /// Values of a kernel row on the map: taps times input channels.
    run: usize,
    bias: *const f32,
    /// Null if there is none.
    residual: *const f32,
    out: *mut f32,
    out_step: usize,
    /// Channels of the panel that the output has.
    live: usize,
    activation: Activation,
}

impl Tile {
    /// `count` pixels, in tiles as large as the registers allow.
    #[inline(always)]
    unsafe fn span<S: Simd, const VECTORS: usize>(mut self, mut count: usize) {
        let mut sums = std::mem::MaybeUninit::<[f32; MAX_PIXELS * MAX_VECTORS * MAX_LANES]>::uninit();
        let sums = sums.as_mut_ptr().cast::<f32>();
        while count > 0 {
            // SAFETY: the caller promises `count` pixels; `sums` holds the largest tile.
            let done = unsafe {
                match count {
                    12.. if 12 * VECTORS <= S::SUMS_MAX => self.sum::<S, 12, VECTORS>(sums),
                    6.. if 6 * VECTORS <= S::SUMS_MAX => self.sum::<S, 6, VECTORS>(sums),
                    4.. if 4 * VECTORS <= S::SUMS_MAX => self.sum::<S, 4, VECTORS>(sums),
                    2.. => self.sum::<S, 2, VECTORS>(sums),
                    _ => self.sum::<S, 1, VECTORS>(sums),
                }
            };
            // SAFETY: `sum` has filled `done` pixels; the tile moves at most one past the last pixel.
            unsafe {
                // Here and not in `sum`, where each size of tile would unroll a copy of every activation.
                for pixel in 0..done {
                    self.finish::<S, VECTORS>(sums.add(pixel * VECTORS * S::LANES), pixel);
                }
                self = self.advance(done);
            }
            count -= done;
        }
    }

    #[inline(always)]
    unsafe fn advance(self, pixels: usize) -> Self {
        // SAFETY: the caller promises that these pixels exist; one past the last is never read.
        Self {
            x: self.x.wrapping_add(pixels * self.pixel_step),
            residual: if self.residual.is_null() { self.residual } else { self.residual.wrapping_add(pixels * self.out_step) },
            out: self.out.wrapping_add(pixels * self.out_step),
            ..self
        }
    }

    /// Stores the sums of products of `PIXELS` pixels at `spilled`, and says how many pixels these are.
    #[inline(always)]
    unsafe fn sum<S: Simd, const PIXELS: usize, const VECTORS: usize>(&self, spilled: *mut f32) -> usize {
        // SAFETY: the caller promises that the pointers reach as far as the steps and counts say.
        unsafe {
            let mut sums = [[S::splat(0.0); VECTORS]; PIXELS];
            let (mut x, mut weights) = (self.x, self.weights);
            for _ in 0..self.rows {
                for i in 0..self.run {
                    let w: [S::Vector; VECTORS] = std::array::from_fn(|v| S::load(weights.add((i * VECTORS + v) * S::LANES)));
                    for (pixel, sums) in sums.iter_mut().enumerate() {
                        let value = S::splat(*x.add(pixel * self.pixel_step + i));
                        for (sum, &w) in sums.iter_mut().zip(&w) {
                            *sum = S::mul_add(value, w, *sum);
                        }
                    }
                }
                x = x.wrapping_add(self.row_step);
                weights = weights.wrapping_add(self.weight_row_step);
            }
            // Through memory once, with constant indices: otherwise the sums live there during the loop.
            for (i, &sum) in sums.iter().flatten().enumerate() {
                S::store(spilled.add(i * S::LANES), sum);
            }
        }
        PIXELS
    }

    /// Bias, activation and residual of one pixel, whose sums are at `sums`.
    #[inline(always)]
    unsafe fn finish<S: Simd, const VECTORS: usize>(&self, sums: *mut f32, pixel: usize) {
        // SAFETY: as in `sum`; the bias is padded to whole vectors, the output is written `live` floats wide.
        unsafe {
            let out = self.out.add(pixel * self.out_step);
            let whole = self.live == VECTORS * S::LANES;
            let to = if whole { out } else { sums };
            for lane in (0..VECTORS).map(|v| v * S::LANES) {
                let mut y = activate::<S>(S::add(S::load(sums.add(lane)), S::load(self.bias.add(lane))), self.activation);
                if whole && !self.residual.is_null() {
                    y = S::add(y, S::load(self.residual.add(pixel * self.out_step + lane)));
                }
                S::store(to.add(lane), y);
            }
            if !whole {
                for i in 0..self.live {
                    let residual = if self.residual.is_null() { 0.0 } else { *self.residual.add(pixel * self.out_step + i) };
                    *out.add(i) = *sums.add(i) + residual;
                }
            }
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
            (cin, cout, n) in (1usize..20, 1usize..50, 1usize..3),
            kernel in (1usize..4, 1usize..4),
            stride in (1usize..3, 1usize..3),
            padding in any_padding(2),
            (h, w) in (1usize..8, 1usize..30),
            seed in any::<u64>(),
        ) {
            let spec = ConvSpec { kernel, stride, padding, ..ConvSpec::dense(cin, cout, 1).activation(Activation::Gelu) };
            prop_assume!(spec.output_size(h, w).is_some());
            let weight = values(kernel.0 * kernel.1 * cin * cout, seed);
            let bias = values(cout, seed ^ 1);
            let shape = Shape { n, h, w, c: cin };
            let x = FeatureMap::from_slice(shape, &values(shape.len(), seed ^ 2));
            let expected = plain::conv(&spec, &weight, &bias, &x);
            for isa in Isa::available() {
                assert_close(&Dense::new(spec, &weight, &bias, isa).forward(&x).unwrap(), &expected);
            }
        }

        #[test]
        fn a_residual_is_added_last((cin, cout, pixels) in (1usize..20, 1usize..50, 1usize..40), seed in any::<u64>()) {
            let spec = ConvSpec::dense(cin, cout, 1).activation(Activation::Relu);
            let (weight, bias) = (values(cin * cout, seed), values(cout, seed ^ 1));
            let (x, residual) = (values(pixels * cin, seed ^ 2), values(pixels * cout, seed ^ 3));
            for isa in Isa::available() {
                let conv = Dense::new(spec, &weight, &bias, isa);
                let (mut without, mut with) = (vec![0.0; pixels * cout], vec![0.0; pixels * cout]);
                conv.pixels(&x, None, &mut without);
                conv.pixels(&x, Some(&residual), &mut with);
                prop_assert!(without.iter().zip(&residual).zip(&with).all(|((a, r), sum)| (a + r - sum).abs() < 1e-6));
            }
        }
    }
}
