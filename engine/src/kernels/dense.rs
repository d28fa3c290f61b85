//! Dense convolution as a matrix product over pixels: a tile of pixels by one or two vectors of output channels stays in registers
//! while it runs over taps and input channels. A ReLU and the residual are applied before it is stored, the curved activations
//! once a row of pixels is there, in the first-level cache.
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
/// Pixels in the largest tile of one vector: each has a pointer in a register.
const MAX_PIXELS_OF_ONE: usize = 8;

/// What the sums of one pixel start from where there is no residual.
static NOTHING: [f32; MAX_VECTORS * MAX_LANES] = [0.0; MAX_VECTORS * MAX_LANES];

/// Where the output goes: into all channels of a map, or into some of a wider one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    /// Channels of the map.
    pub channels: usize,
    /// The first that is written.
    pub first: usize,
}

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

    /// See [`ConvSpec::is_pointwise`].
    pub fn is_pointwise(&self) -> bool {
        self.spec.is_pointwise()
    }

    /// The slot of a map that holds this output alone.
    fn slot(&self) -> Slot {
        Slot { channels: self.spec.cout, first: 0 }
    }

    /// Rows of the output from `first` on, as many as `out` holds, of one image.
    pub(super) fn rows(&self, x: &[f32], axes: (Axis, Axis), first: usize, out: &mut [f32]) {
        self.rows_into(self.slot(), x, axes, first, out);
    }

    /// As [`Dense::rows`], into some channels of `out`.
    pub(super) fn rows_into(&self, slot: Slot, x: &[f32], (vertical, horizontal): (Axis, Axis), first: usize, out: &mut [f32]) {
        assert_eq!(x.len(), vertical.size * horizontal.size * self.spec.cin);
        assert!(slot.first + self.spec.cout <= slot.channels);
        assert_eq!(out.len() % (horizontal.outputs * slot.channels), 0);
        assert!(first + out.len() / (horizontal.outputs * slot.channels) <= vertical.outputs);
        self.isa.run(Rows { conv: self, x, vertical, horizontal, first, out, slot, residual: None });
    }

    /// A pointwise convolution of pixels `[pixels, cin] -> [pixels, cout]`; `residual`, shaped as `out`, is added to the result.
    pub(super) fn pixels(&self, x: &[f32], residual: Option<&[f32]>, out: &mut [f32]) {
        assert!(self.is_pointwise());
        let shape = Shape { n: 1, h: 1, w: x.len() / self.spec.cin, c: self.spec.cin };
        assert_eq!(x.len(), shape.len());
        assert_eq!(out.len(), shape.w * self.spec.cout);
        assert!(residual.is_none_or(|residual| residual.len() == out.len()));
        if let Some((vertical, horizontal)) = Axis::both(&self.spec, shape.h, shape.w) {
            self.isa.run(Rows { conv: self, x, vertical, horizontal, first: 0, out, slot: self.slot(), residual });
        }
    }

    /// Weights as [`Dense::new`] takes them.
    fn plain_weights(&self) -> Vec<f32> {
        let ConvSpec { kernel, cin, cout, .. } = self.spec;
        let (rows, lanes) = (kernel.0 * kernel.1 * cin, self.isa.lanes());
        let mut plain = vec![0.0; rows * cout];
        let mut packed = self.weights.as_slice();
        for Panel { first, vectors } in panels(cout, lanes) {
            let (panel, after) = packed.split_at(rows * vectors * lanes);
            let live = (cout - first).min(vectors * lanes);
            for (packed, row) in panel.chunks_exact(vectors * lanes).zip(plain.chunks_exact_mut(cout)) {
                row[first..first + live].copy_from_slice(&packed[..live]);
            }
            packed = after;
        }
        plain
    }

    /// With each output channel multiplied by its gain, which must come before any activation.
    pub(super) fn scaled(&self, gains: &[f32]) -> Self {
        let mut weight = self.plain_weights();
        weight.chunks_exact_mut(self.spec.cout).for_each(|row| row.iter_mut().zip(gains).for_each(|(w, gain)| *w *= gain));
        let bias: Vec<f32> = self.bias.as_slice().iter().zip(gains).map(|(b, gain)| b * gain).collect();
        Self::new(self.spec, &weight, &bias, self.isa)
    }

    /// A pointwise convolution on `copies` pixels that lie behind each other in the channels: `[copies * cin]` to
    /// `[copies * cout]`, each copy from its own input.
    pub(super) fn side_by_side(&self, copies: usize) -> Self {
        let ConvSpec { cin, cout, .. } = self.spec;
        let spec = ConvSpec { cin: copies * cin, cout: copies * cout, ..self.spec };
        let mut weight = vec![0.0; spec.cin * spec.cout];
        let one = self.plain_weights();
        for (i, row) in weight.chunks_exact_mut(spec.cout).enumerate() {
            row[i / cin * cout..][..cout].copy_from_slice(&one[i % cin * cout..][..cout]);
        }
        Self::new(spec, &weight, &self.bias.as_slice()[..cout].repeat(copies), self.isa)
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
    slot: Slot,
    /// Shaped as `out`.
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
            // SAFETY: the machine has the instructions (the caller's promise); `rows_into` and `pixels` have checked the slices.
            unsafe { if panel.vectors == 2 { self.panel::<S, 2>(panel.first, weights) } else { self.panel::<S, 1>(panel.first, weights) } }
        }
    }
}

impl Rows<'_> {
    /// All output rows for the channels of one panel.
    #[inline(always)]
    unsafe fn panel<S: Simd, const VECTORS: usize>(&mut self, channel: usize, weights: &[f32]) {
        let ConvSpec { cin, cout, kernel, stride, activation, .. } = self.conv.spec;
        let Slot { channels, first } = self.slot;
        let (row, interior) = (self.horizontal.outputs * channels, self.horizontal.interior());
        let tap = cin * VECTORS * S::LANES;
        let output = self.out.as_mut_ptr();
        for r in 0..self.out.len() / row {
            let rows = self.vertical.taps(self.first + r);
            // SAFETY: `taps` and `input` stay on the map, so `x` and `weights` are read inside their slices; `out` and `residual` hold
            // whole rows of the slot's channels, of which the tile writes `live`.
            let tile = |column: usize, columns: Range<usize>| unsafe {
                let out = r * row + column * channels + first + channel;
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
                    out_step: channels,
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

/// How many of `rest` pixels go next, so that no small tile is left at the end: small ones wait for their own sums.
// Not inlined: its cases would be threaded into those of the tiles, whose sums then don't stay in registers.
#[inline(never)]
fn tile_size(rest: usize, max: usize) -> usize {
    match rest {
        _ if rest >= 2 * max || rest == max => max,
        7 | 8 | 11 if max == 6 => 4,
        _ if rest > max => max,
        8.. => 8,
        6.. => 6,
        5 => 3,
        _ => rest,
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
    /// `count` pixels, in tiles as large as the registers allow and about equal, since small ones wait for their own sums.
    #[inline(always)]
    unsafe fn span<S: Simd, const VECTORS: usize>(self, count: usize) {
        let pixels_max = if VECTORS == 1 { S::SUMS_MAX.min(MAX_PIXELS_OF_ONE) } else { S::SUMS_MAX / VECTORS };
        let (mut tile, mut rest) = (self, count);
        while rest > 0 {
            let pixels = tile_size(rest, pixels_max);
            // SAFETY: the caller promises `count` pixels; the tile moves at most one past the last.
            unsafe {
                match pixels {
                    12 if 12 <= pixels_max => tile.sum::<S, 12, VECTORS>(),
                    8 if 8 <= pixels_max => tile.sum::<S, 8, VECTORS>(),
                    6 if 6 <= pixels_max => tile.sum::<S, 6, VECTORS>(),
                    4 if 4 <= pixels_max => tile.sum::<S, 4, VECTORS>(),
                    3 if 3 <= pixels_max => tile.sum::<S, 3, VECTORS>(),
                    2 if 2 <= pixels_max => tile.sum::<S, 2, VECTORS>(),
                    _ => tile.sum::<S, 1, VECTORS>(),
                }
                tile = tile.advance(pixels);
            }
            rest -= pixels;
        }
        if !matches!(self.activation, Activation::None | Activation::Relu) {
            // SAFETY: these are the pixels just stored.
            unsafe { self.curve::<S, VECTORS>(count) };
        }
        if !self.residual.is_null() && !self.starts_from_residual::<S, VECTORS>() {
            for at in (0..count).flat_map(|pixel| (0..self.live).map(move |i| pixel * self.out_step + i)) {
                // SAFETY: the caller promises as much residual as output.
                unsafe { *self.out.add(at) += *self.residual.add(at) };
            }
        }
    }

    /// The tile this many pixels on; it may lie one past the last, where nothing is read.
    fn advance(self, pixels: usize) -> Self {
        Self {
            x: self.x.wrapping_add(pixels * self.pixel_step),
            residual: if self.residual.is_null() { self.residual } else { self.residual.wrapping_add(pixels * self.out_step) },
            out: self.out.wrapping_add(pixels * self.out_step),
            ..self
        }
    }

    fn is_whole<S: Simd, const VECTORS: usize>(&self) -> bool {
        self.live == VECTORS * S::LANES
    }

    /// Whether the residual is what the sums start from; otherwise it is added at the end, after the activation.
    fn starts_from_residual<S: Simd, const VECTORS: usize>(&self) -> bool {
        self.activation == Activation::None && self.is_whole::<S, VECTORS>() && !self.residual.is_null()
    }

    /// Sums of products of `PIXELS` pixels, from the bias (and the residual) on, through a ReLU perhaps, to their place.
    #[inline(always)]
    unsafe fn sum<S: Simd, const PIXELS: usize, const VECTORS: usize>(&self) {
        let mut values = std::mem::MaybeUninit::<[f32; MAX_PIXELS * MAX_VECTORS * MAX_LANES]>::uninit();
        let values = values.as_mut_ptr().cast::<f32>();
        let whole = self.is_whole::<S, VECTORS>();
        let (to, to_step) = if whole { (self.out, self.out_step) } else { (values, VECTORS * S::LANES) };
        let residual = self.starts_from_residual::<S, VECTORS>();
        let (from, from_step) = if residual { (self.residual, self.out_step) } else { (NOTHING.as_ptr(), 0) };
        // SAFETY: the caller promises that the pointers reach as far as the steps and counts say; the bias is padded.
        unsafe {
            // Loops, for the closures of `array::from_fn` are compiled without the instructions of `S`.
            let mut sums = [[S::splat(0.0); VECTORS]; PIXELS];
            for (pixel, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = S::add(S::load(self.bias.add(v * S::LANES)), S::load(from.add(pixel * from_step + v * S::LANES)));
                }
            }
            let (mut x, mut weights) = (self.x, self.weights);
            for _ in 0..self.rows {
                for i in 0..self.run {
                    let mut w = [S::splat(0.0); VECTORS];
                    for (v, w) in w.iter_mut().enumerate() {
                        *w = S::load(weights.add((i * VECTORS + v) * S::LANES));
                    }
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
            let floor = S::splat(if self.activation == Activation::Relu { 0.0 } else { f32::NEG_INFINITY });
            // Two loops of constant length, which are unrolled early: as one over both, the sums of some tiles lived in memory while they
            // were summed, and the localiser took a third longer.
            for (pixel, &sums) in sums.iter().enumerate() {
                for (v, &sum) in sums.iter().enumerate() {
                    S::store(to.add(pixel * to_step + v * S::LANES), S::max(sum, floor));
                }
            }
            if !whole {
                for pixel in 0..PIXELS {
                    let values = values.add(pixel * to_step);
                    std::ptr::copy_nonoverlapping(values, self.out.add(pixel * self.out_step), self.live);
                }
            }
        }
    }

    /// Replaces `count` stored pixels by their activations.
    #[inline(always)]
    unsafe fn curve<S: Simd, const VECTORS: usize>(&self, count: usize) {
        // SAFETY: the caller promises `count` pixels. The activation is chosen outside of the loop.
        unsafe {
            match self.activation {
                Activation::Gelu => self.curve_as::<S, VECTORS>(count, Activation::Gelu),
                other => self.curve_as::<S, VECTORS>(count, other),
            }
        }
    }

    #[inline(always)]
    unsafe fn curve_as<S: Simd, const VECTORS: usize>(&self, count: usize, activation: Activation) {
        let mut last = [0.0f32; MAX_VECTORS * MAX_LANES];
        let whole = self.is_whole::<S, VECTORS>();
        for pixel in 0..count {
            // SAFETY: as in `curve`, `live` floats each; `last` holds a whole pixel.
            unsafe {
                let out = self.out.add(pixel * self.out_step);
                let at = if whole { out } else { last.as_mut_ptr() };
                if !whole {
                    std::ptr::copy_nonoverlapping(out, at, self.live);
                }
                for lane in (0..VECTORS).map(|v| v * S::LANES) {
                    S::store(at.add(lane), activate::<S>(S::load(at.add(lane)), activation));
                }
                if !whole {
                    std::ptr::copy_nonoverlapping(at, out, self.live);
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
