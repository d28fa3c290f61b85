//! Pointwise layers in 8 bits: weights in steps of their output channel, activations in 127 steps from the least to the
//! largest of their pixel, which is found as the layer runs, so that nothing needs calibration (Jacob et al. 2018,
//! <https://arxiv.org/abs/1712.05877>, without their fixed ranges).
//!
//! With `x = low + step * q` the sum over inputs is `step * sum(q * w) + low * sum(w)`: whole numbers in the long loop, of which the
//! oldest vector instructions do four a lane, and two multiplications at its end. AVX2 sums four products in 16 bits, so `q` has 7 of
//! them, and a channel's step is large enough for its heaviest four weights ([`WEIGHTS_OF_LANE`]). All instructions give the same whole
//! numbers.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::activation::activate_all;
use super::simd::{Isa, Kernel, Simd};
use crate::layers::{Activation, ConvSpec};

/// Output channels that are computed together.
const PANEL: usize = 16;
/// Input channels of one 32-bit sum, and of one step of the long loop.
const FOUR: usize = 4;
const EIGHT: usize = 2 * FOUR;
/// The largest step of an activation and of a weight.
const STEPS: f32 = 127.0;
/// Of eight weights, those whose products AVX2 sums in 16 bits.
const LANES: [[usize; 4]; 2] = [[0, 1, 4, 5], [2, 3, 6, 7]];
/// What their steps may sum to before they are rounded, each by a half at most: 258 times [`STEPS`] is below the largest of 16 bits, 32767.
const WEIGHTS_OF_LANE: f32 = 256.0;
/// Pixels whose activations are in bytes at a time, [`EIGHT`] of the one beside those of the next, and room for them.
const PIXELS_OF_BLOCK: usize = 24;
const BYTES_OF_EIGHT: usize = PIXELS_OF_BLOCK * EIGHT;
const BYTES_OF_BLOCK: usize = PIXELS_OF_BLOCK * CIN_MAX;
/// Input channels that a layer may have.
pub const CIN_MAX: usize = 512;

/// A pointwise convolution with weights in bytes.
#[derive(Debug)]
pub struct Quantised {
    pub spec: ConvSpec,
    isa: Isa,
    multiplier: Multiplier,
    /// `[panels, cin / 4, PANEL, 4]`, zero beyond the last channel; an even number of fours.
    weights: Vec<i8>,
    panels: Vec<Panel>,
}

/// What the sums of output channels become values by.
#[derive(Debug, Clone, Copy, Default)]
struct Panel {
    steps: [f32; PANEL],
    /// Of their weights.
    sums: [f32; PANEL],
    biases: [f32; PANEL],
}

/// The pixel's value of step 0, and what a step is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Scale {
    low: f32,
    step: f32,
}

/// The instructions that multiply bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Multiplier {
    Vnni,
    Avx2,
    Portable,
}

impl Multiplier {
    /// The best that goes with the instructions of `isa`.
    fn beside(isa: Isa) -> Self {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 if is_x86_feature_detected!("avx512vnni") => Self::Vnni,
            Isa::Avx512 | Isa::Avx2 => Self::Avx2,
            Isa::Portable => Self::Portable,
        }
    }
}

impl Quantised {
    /// `weight` is `[cin, cout]`, `bias` `[cout]` or empty.
    ///
    /// # Panics
    /// If the layer is not pointwise, has more than [`CIN_MAX`] input channels, or the weights are not its own.
    pub fn new(spec: ConvSpec, weight: &[f32], bias: &[f32], isa: Isa) -> Self {
        let ConvSpec { cin, cout, .. } = spec;
        assert!(spec.is_pointwise() && cin <= CIN_MAX, "{spec:?} in bytes");
        assert_eq!(weight.len(), cin * cout, "weights of {spec:?}");
        let fours = cin.next_multiple_of(EIGHT) / FOUR;
        let mut panels = vec![Panel::default(); cout.div_ceil(PANEL)];
        let mut weights = vec![0; panels.len() * PANEL * fours * FOUR];
        for c in 0..cout {
            let column: Vec<f32> = weight.iter().skip(c).step_by(cout).copied().collect();
            let step = step(&column);
            let mut sum = 0;
            for (i, &w) in column.iter().enumerate() {
                let whole = (w / step).round() as i8;
                weights[((c / PANEL * fours + i / FOUR) * PANEL + c % PANEL) * FOUR + i % FOUR] = whole;
                sum += i32::from(whole);
            }
            let (panel, c_of_panel) = (&mut panels[c / PANEL], c % PANEL);
            panel.steps[c_of_panel] = step;
            panel.sums[c_of_panel] = sum as f32 * step;
            panel.biases[c_of_panel] = bias.get(c).copied().unwrap_or(0.0);
        }
        Self { spec, isa, multiplier: Multiplier::beside(isa), weights, panels }
    }

    /// Pixels `[pixels, cin] -> [pixels, cout]`; `residual`, shaped as `out`, is added to the result.
    pub(super) fn pixels(&self, x: &[f32], residual: Option<&[f32]>, out: &mut [f32]) {
        let ConvSpec { cin, cout, activation, .. } = self.spec;
        assert_eq!(x.len() / cin * cout, out.len());
        assert!(residual.is_none_or(|residual| residual.len() == out.len()));
        let mut bytes = [0; BYTES_OF_BLOCK];
        for (x, out) in x.chunks(PIXELS_OF_BLOCK * cin).zip(out.chunks_mut(PIXELS_OF_BLOCK * cout)) {
            self.multiply(Block { conv: self, x, bytes: &mut bytes, scales: [Scale::default(); PIXELS_OF_BLOCK], out });
        }
        if activation != Activation::None {
            self.isa.run(Activate { values: out, activation });
        }
        for (out, x) in out.iter_mut().zip(residual.unwrap_or_default()) {
            *out += x;
        }
    }

    fn multiply(&self, block: Block) {
        match self.multiplier {
            // SAFETY: a `Multiplier` other than `Portable` only comes from `beside`, which asked the machine.
            #[cfg(target_arch = "x86_64")]
            Multiplier::Vnni => unsafe { run_vnni(block) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Multiplier::Avx2 => unsafe { run_avx2(block) },
            // SAFETY: plain arithmetic, which every machine has.
            _ => unsafe { block.run::<Portable>() },
        }
    }

    /// Bytes of a pixel's activations.
    fn row(&self) -> usize {
        self.spec.cin.next_multiple_of(EIGHT)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vnni,avx2")]
fn run_vnni(block: Block) {
    // SAFETY: the attribute's promise.
    unsafe { block.run::<Vnni>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_avx2(block: Block) {
    // SAFETY: the attribute's promise.
    unsafe { block.run::<Avx2>() }
}

struct Activate<'a> {
    values: &'a mut [f32],
    activation: Activation,
}

impl Kernel for Activate<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: handed on to the caller. GELU, which nearly all layers have, is chosen outside of the loop.
        unsafe {
            match self.activation {
                Activation::Gelu => activate_all::<S>(self.values, Activation::Gelu),
                other => activate_all::<S>(self.values, other),
            }
        }
    }
}

/// Instructions that multiply activations, 0 to 127, with weights, -127 to 127.
trait Multiply {
    /// Pixels and panels of the largest tile: their sums stay in registers.
    const PIXELS_MAX: usize;
    const PANELS_MAX: usize;
    /// Of one pixel and the channels of a panel.
    type Sums: Copy;

    unsafe fn zero() -> Self::Sums;
    /// `sums + x * weights`: [`EIGHT`] activations by `[2, PANEL, 4]` weights.
    unsafe fn add(sums: Self::Sums, x: *const u8, weights: *const i8) -> Self::Sums;
    /// Writes the values of a panel that a pixel's sums stand for.
    unsafe fn store(sums: Self::Sums, scale: Scale, panel: &Panel, to: *mut f32);
    /// The steps of a pixel's activations, and what they are steps of: [`EIGHT`] of them at the start of each [`BYTES_OF_EIGHT`].
    unsafe fn quantise(x: &[f32], to: &mut [u8]) -> Scale;
}

/// Up to [`PIXELS_OF_BLOCK`] pixels.
struct Block<'a> {
    conv: &'a Quantised,
    x: &'a [f32],
    bytes: &'a mut [u8; BYTES_OF_BLOCK],
    scales: [Scale; PIXELS_OF_BLOCK],
    out: &'a mut [f32],
}

impl Block<'_> {
    #[inline(always)]
    unsafe fn run<M: Multiply>(mut self) {
        for (pixel, x) in self.x.chunks_exact(self.conv.spec.cin).enumerate() {
            // SAFETY: the machine has the instructions (the caller's promise).
            self.scales[pixel] = unsafe { M::quantise(x, &mut self.bytes[pixel * EIGHT..]) };
        }
        let panels = self.conv.panels.len();
        let mut first = 0;
        while first < panels {
            // SAFETY: as above.
            first += unsafe {
                match (panels - first).min(M::PANELS_MAX) {
                    2.. => self.panels::<M, 2>(first),
                    _ => self.panels::<M, 1>(first),
                }
            };
        }
    }

    /// All pixels and the channels of some panels; gives the number of panels.
    #[inline(always)]
    unsafe fn panels<M: Multiply, const PANELS: usize>(&mut self, panel: usize) -> usize {
        let pixels = self.x.len() / self.conv.spec.cin;
        let mut first = 0;
        while first < pixels {
            // SAFETY: the machine has the instructions (the caller's promise).
            first += unsafe {
                match (pixels - first).min(M::PIXELS_MAX) {
                    12.. => self.tile::<M, 12, PANELS>(first, panel),
                    8.. => self.tile::<M, 8, PANELS>(first, panel),
                    4.. => self.tile::<M, 4, PANELS>(first, panel),
                    3 => self.tile::<M, 3, PANELS>(first, panel),
                    2 => self.tile::<M, 2, PANELS>(first, panel),
                    _ => self.tile::<M, 1, PANELS>(first, panel),
                }
            };
        }
        PANELS
    }

    /// Some pixels and the channels of some panels; gives the number of pixels.
    #[inline(always)]
    unsafe fn tile<M: Multiply, const PIXELS: usize, const PANELS: usize>(&mut self, first: usize, panel: usize) -> usize {
        let row = self.conv.row();
        let weights = &self.conv.weights[panel * PANEL * row..][..PANELS * PANEL * row];
        let bytes = &self.bytes[..row * PIXELS_OF_BLOCK][first * EIGHT..];
        // SAFETY: the slices hold a row of weights for each channel of the panels and of bytes for each pixel of the block, of which
        // `at` is the start of eight; the machine has the instructions (the caller's promise).
        unsafe {
            let mut sums = [[M::zero(); PANELS]; PIXELS];
            for at in (0..row).step_by(EIGHT) {
                let (bytes, weights) = (bytes.as_ptr().add(at * PIXELS_OF_BLOCK), weights.as_ptr().add(at * PANEL));
                for (pixel, sums) in sums.iter_mut().enumerate() {
                    for (panel, sums) in sums.iter_mut().enumerate() {
                        *sums = M::add(*sums, bytes.add(pixel * EIGHT), weights.add(panel * PANEL * row));
                    }
                }
            }
            for (pixel, sums) in (first..).zip(sums) {
                for (panel, sums) in (panel..).zip(sums) {
                    self.store::<M>(pixel, panel, sums);
                }
            }
        }
        PIXELS
    }

    #[inline(always)]
    unsafe fn store<M: Multiply>(&mut self, pixel: usize, panel: usize, sums: M::Sums) {
        let (cout, channel) = (self.conv.spec.cout, panel * PANEL);
        let (scale, panel) = (self.scales[pixel], &self.conv.panels[panel]);
        let out = &mut self.out[pixel * cout..][..cout][channel..];
        // SAFETY: there is room for a panel in what is written to; the machine has the instructions (the caller's promise).
        unsafe {
            if out.len() >= PANEL {
                M::store(sums, scale, panel, out.as_mut_ptr());
            } else {
                let mut values = [0.0; PANEL];
                M::store(sums, scale, panel, values.as_mut_ptr());
                out.copy_from_slice(&values[..out.len()]);
            }
        }
    }
}

/// The step of an output channel's weights.
fn step(weights: &[f32]) -> f32 {
    let largest = weights.iter().fold(0.0f32, |largest, w| largest.max(w.abs()));
    let lane = |eight: &[f32], lane: [usize; 4]| lane.iter().filter_map(|&i| eight.get(i)).map(|w| w.abs()).sum::<f32>();
    let heaviest = weights.chunks(EIGHT).flat_map(|eight| LANES.map(|four| lane(eight, four))).fold(0.0, f32::max);
    let step = f32::max(largest / STEPS, heaviest / WEIGHTS_OF_LANE);
    if step > 0.0 { step } else { 1.0 }
}

/// The steps from one value to the other, and how many there are in 1.
fn scale(low: f32, high: f32) -> (Scale, f32) {
    let step = (high - low) / STEPS;
    (Scale { low, step }, if step > 0.0 { 1.0 / step } else { 0.0 })
}

/// The steps of activations, `(x - low) / step`, rounded as the vector instructions do, where [`Multiply::quantise`] puts them. What is
/// no number is step 0.
fn wholes(x: &[f32], low: f32, steps_a_unit: f32, to: &mut [u8]) {
    for (x, to) in x.chunks(EIGHT).zip(to.chunks_mut(BYTES_OF_EIGHT)) {
        for (to, &x) in to.iter_mut().zip(x) {
            *to = ((x - low) * steps_a_unit).round_ties_even() as u8;
        }
    }
}

/// What any machine can do.
struct Portable;

impl Multiply for Portable {
    const PIXELS_MAX: usize = 4;
    const PANELS_MAX: usize = 1;
    type Sums = [i32; PANEL];

    #[inline(always)]
    unsafe fn zero() -> [i32; PANEL] {
        [0; PANEL]
    }
    #[inline(always)]
    unsafe fn add(sums: [i32; PANEL], x: *const u8, weights: *const i8) -> [i32; PANEL] {
        // SAFETY: the caller promises eight activations and the weights of a panel.
        let (x, weights) = unsafe { (x.cast::<[[u8; FOUR]; 2]>().read(), weights.cast::<[[[i8; FOUR]; PANEL]; 2]>().read()) };
        let product = |c: usize, four: usize| (0..FOUR).map(|i| i32::from(x[four][i]) * i32::from(weights[four][c][i])).sum::<i32>();
        std::array::from_fn(|c| sums[c] + product(c, 0) + product(c, 1))
    }
    #[inline(always)]
    unsafe fn store(sums: [i32; PANEL], Scale { low, step }: Scale, panel: &Panel, to: *mut f32) {
        let value = |c: usize| sums[c] as f32 * (step * panel.steps[c]) + (low * panel.sums[c] + panel.biases[c]);
        // SAFETY: the caller promises room for a panel.
        unsafe { to.cast::<[f32; PANEL]>().write_unaligned(std::array::from_fn(value)) }
    }
    #[inline(always)]
    unsafe fn quantise(x: &[f32], to: &mut [u8]) -> Scale {
        let (scale, steps_a_unit) =
            scale(x.iter().copied().fold(f32::INFINITY, f32::min), x.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        wholes(x, scale.low, steps_a_unit, to);
        scale
    }
}

/// Products of bytes summed by two, then by two again.
#[cfg(target_arch = "x86_64")]
struct Avx2;

#[cfg(target_arch = "x86_64")]
impl Multiply for Avx2 {
    const PIXELS_MAX: usize = 4;
    const PANELS_MAX: usize = 1;
    type Sums = [__m256i; 2];

    #[inline(always)]
    unsafe fn zero() -> [__m256i; 2] {
        // SAFETY: the caller promises the instructions.
        unsafe { [_mm256_setzero_si256(); 2] }
    }
    #[inline(always)]
    unsafe fn add(sums: [__m256i; 2], x: *const u8, weights: *const i8) -> [__m256i; 2] {
        // SAFETY: the caller promises the instructions, eight activations and 128 weights.
        unsafe {
            let four = |x: *const u8| _mm256_set1_epi32(x.cast::<i32>().read_unaligned());
            let (first, second) = (four(x), four(x.add(FOUR)));
            let half = |sums: __m256i, weights: *const i8| {
                let twos = _mm256_maddubs_epi16(first, _mm256_loadu_si256(weights.cast()));
                let other_twos = _mm256_maddubs_epi16(second, _mm256_loadu_si256(weights.add(FOUR * PANEL).cast()));
                _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_add_epi16(twos, other_twos), _mm256_set1_epi16(1)))
            };
            [half(sums[0], weights), half(sums[1], weights.add(32))]
        }
    }
    #[inline(always)]
    unsafe fn store(sums: [__m256i; 2], Scale { low, step }: Scale, panel: &Panel, to: *mut f32) {
        for (half, sums) in sums.into_iter().enumerate() {
            // SAFETY: the caller promises the instructions and room for a panel, of which this is a half.
            unsafe {
                let of = |values: &[f32; PANEL]| _mm256_loadu_ps(values.as_ptr().add(half * PANEL / 2));
                let least = _mm256_add_ps(_mm256_mul_ps(_mm256_set1_ps(low), of(&panel.sums)), of(&panel.biases));
                let steps = _mm256_mul_ps(_mm256_set1_ps(step), of(&panel.steps));
                let values = _mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sums), steps), least);
                _mm256_storeu_ps(to.add(half * PANEL / 2), values);
            }
        }
    }
    #[inline(always)]
    unsafe fn quantise(x: &[f32], to: &mut [u8]) -> Scale {
        let (chunks, rest) = x.as_chunks::<EIGHT>();
        // SAFETY: the caller promises the instructions; loads and stores are of whole arrays.
        unsafe {
            let (mut low, mut high) = (_mm256_set1_ps(f32::INFINITY), _mm256_set1_ps(f32::NEG_INFINITY));
            for chunk in chunks {
                let x = _mm256_loadu_ps(chunk.as_ptr());
                (low, high) = (_mm256_min_ps(x, low), _mm256_max_ps(x, high));
            }
            // No lane is NaN, which the second operand of the instructions replaces.
            let halves = |v| (_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
            let (low, other_low) = halves(low);
            let (high, other_high) = halves(high);
            let (low, high) = (_mm_min_ps(low, other_low), _mm_max_ps(high, other_high));
            let (low, high) = (_mm_min_ps(low, _mm_movehl_ps(low, low)), _mm_max_ps(high, _mm_movehl_ps(high, high)));
            let (low, high) = (_mm_min_ss(low, _mm_movehdup_ps(low)), _mm_max_ss(high, _mm_movehdup_ps(high)));
            let least = rest.iter().copied().fold(_mm_cvtss_f32(low), f32::min);
            let (scale, steps_a_unit) = scale(least, rest.iter().copied().fold(_mm_cvtss_f32(high), f32::max));

            let (low, steps) = (_mm256_set1_ps(scale.low), _mm256_set1_ps(steps_a_unit));
            // Packing works on halves of a vector: this puts them in order again.
            let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
            let mut eights = to.chunks_mut(BYTES_OF_EIGHT);
            for (chunk, to) in chunks.iter().zip(&mut eights) {
                let to = &mut to[..EIGHT];
                let wholes = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_sub_ps(_mm256_loadu_ps(chunk.as_ptr()), low), steps));
                let words = _mm256_packs_epi32(wholes, wholes);
                let bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(words, words), order);
                _mm_storel_epi64(to.as_mut_ptr().cast(), _mm256_castsi256_si128(bytes));
            }
            wholes(rest, scale.low, steps_a_unit, eights.next().unwrap_or_default());
            scale
        }
    }
}

/// Products of bytes summed by four, in one instruction.
#[cfg(target_arch = "x86_64")]
struct Vnni;

#[cfg(target_arch = "x86_64")]
impl Multiply for Vnni {
    const PIXELS_MAX: usize = 12;
    const PANELS_MAX: usize = 2;
    type Sums = __m512i;

    #[inline(always)]
    unsafe fn zero() -> __m512i {
        // SAFETY: the caller promises the instructions.
        unsafe { _mm512_setzero_si512() }
    }
    #[inline(always)]
    unsafe fn add(sums: __m512i, x: *const u8, weights: *const i8) -> __m512i {
        // SAFETY: the caller promises the instructions, eight activations and 128 weights.
        unsafe {
            let four = |sums: __m512i, x: *const u8, weights: *const i8| {
                _mm512_dpbusd_epi32(sums, _mm512_set1_epi32(x.cast::<i32>().read_unaligned()), _mm512_loadu_si512(weights.cast()))
            };
            four(four(sums, x, weights), x.add(FOUR), weights.add(FOUR * PANEL))
        }
    }
    #[inline(always)]
    unsafe fn store(sums: __m512i, Scale { low, step }: Scale, panel: &Panel, to: *mut f32) {
        // SAFETY: the caller promises the instructions and room for a panel. No multiplication is fused with its addition, as on all
        // machines.
        unsafe {
            let of = |values: &[f32; PANEL]| _mm512_loadu_ps(values.as_ptr());
            let least = _mm512_add_ps(_mm512_mul_ps(_mm512_set1_ps(low), of(&panel.sums)), of(&panel.biases));
            let steps = _mm512_mul_ps(_mm512_set1_ps(step), of(&panel.steps));
            _mm512_storeu_ps(to, _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), steps), least));
        }
    }
    #[inline(always)]
    unsafe fn quantise(x: &[f32], to: &mut [u8]) -> Scale {
        let (chunks, rest) = x.as_chunks::<{ 2 * EIGHT }>();
        // SAFETY: the caller promises the instructions; loads and stores are of whole arrays.
        unsafe {
            let (mut low, mut high) = (_mm512_set1_ps(f32::INFINITY), _mm512_set1_ps(f32::NEG_INFINITY));
            for chunk in chunks {
                let x = _mm512_loadu_ps(chunk.as_ptr());
                (low, high) = (_mm512_min_ps(x, low), _mm512_max_ps(x, high));
            }
            let least = rest.iter().copied().fold(_mm512_reduce_min_ps(low), f32::min);
            let (scale, steps_a_unit) = scale(least, rest.iter().copied().fold(_mm512_reduce_max_ps(high), f32::max));

            let (low, steps) = (_mm512_set1_ps(scale.low), _mm512_set1_ps(steps_a_unit));
            for (chunk, at) in chunks.iter().zip((0..).step_by(2 * BYTES_OF_EIGHT)) {
                let wholes = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_sub_ps(_mm512_loadu_ps(chunk.as_ptr()), low), steps));
                // What is no number has become the least of 32 bits.
                let bytes = _mm512_cvtepi32_epi8(_mm512_max_epi32(wholes, _mm512_setzero_si512()));
                _mm_storel_epi64(to[at..][..EIGHT].as_mut_ptr().cast(), bytes);
                _mm_storel_epi64(to[at + BYTES_OF_EIGHT..][..EIGHT].as_mut_ptr().cast(), _mm_unpackhi_epi64(bytes, bytes));
            }
            wholes(rest, scale.low, steps_a_unit, to.get_mut(2 * BYTES_OF_EIGHT * chunks.len()..).unwrap_or_default());
            scale
        }
    }
}

#[cfg(test)]
mod tests;
