//! Depthwise convolution: one filter a channel, vectorised over the channels.

use super::Sizes;
use super::multiversion::multiversion;
use crate::layers::ConvSpec;
use rayon::prelude::*;

pub(super) fn forward(spec: &ConvSpec, sizes: Sizes, x: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
    let c = spec.cout;
    out.par_chunks_mut(sizes.oh * sizes.ow * c).zip(x.par_chunks(sizes.h * sizes.w * c)).for_each(|(out, x)| {
        for pixel in out.chunks_exact_mut(c) {
            pixel.copy_from_slice(bias);
        }
        for (tap, weight) in weight.chunks_exact(c).enumerate() {
            for run in runs(spec, sizes, tap) {
                add_products(&mut out[run.output..][..run.pixels * c], &x[run.input..], weight, run.stride * c);
            }
        }
    });
}

/// Gradients of the input, the weights and the bias, from the gradient of the convolution's sum (before the activation).
pub(super) fn backward(spec: &ConvSpec, sizes: Sizes, x: &[f32], weight: &[f32], dy: &[f32]) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let c = spec.cout;
    let mut dx = vec![0.0; x.len()];
    let zeros = || (vec![0.0; weight.len()], vec![0.0; c]);
    let (dweight, dbias) = dx
        .par_chunks_mut(sizes.h * sizes.w * c)
        .zip(x.par_chunks(sizes.h * sizes.w * c))
        .zip(dy.par_chunks(sizes.oh * sizes.ow * c))
        .fold(zeros, |(mut dweight, mut dbias), ((dx, x), dy)| {
            for pixel in dy.chunks_exact(c) {
                dbias.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
            }
            for (tap, (weight, dweight)) in weight.chunks_exact(c).zip(dweight.chunks_exact_mut(c)).enumerate() {
                for run in runs(spec, sizes, tap) {
                    let dy = &dy[run.output..][..run.pixels * c];
                    gradients_of_run(dy, &x[run.input..], &mut dx[run.input..], weight, dweight, run.stride * c);
                }
            }
            (dweight, dbias)
        })
        .reduce(zeros, |mut a, b| {
            a.0.iter_mut().zip(b.0).for_each(|(a, b)| *a += b);
            a.1.iter_mut().zip(b.1).for_each(|(a, b)| *a += b);
            a
        });
    (dx, dweight, dbias)
}

/// Pixels of one output row that one tap of the kernel serves from inside the image. Offsets are in values.
struct Run {
    output: usize,
    input: usize,
    pixels: usize,
    /// Input pixels from one output pixel to the next.
    stride: usize,
}

fn runs(spec: &ConvSpec, sizes: Sizes, tap: usize) -> impl Iterator<Item = Run> + use<> {
    let Sizes { h, w, oh, ow } = sizes;
    let (ky, kx) = (tap / spec.kernel.1, tap % spec.kernel.1);
    let (sy, sx) = spec.stride;
    let (padding, c) = (spec.padding, spec.cout);
    // Output columns whose input column, ox * sx + kx - left, lies in [0, w).
    let from = padding.left.saturating_sub(kx).div_ceil(sx);
    let to = (w + padding.left).saturating_sub(kx).div_ceil(sx).min(ow);
    (0..oh).filter_map(move |oy| {
        let y = (oy * sy + ky).checked_sub(padding.top).filter(|&y| y < h)?;
        let input = (y * w + (from * sx + kx).checked_sub(padding.left)?) * c;
        (to > from).then(|| Run { output: (oy * ow + from) * c, input, pixels: to - from, stride: sx })
    })
}

multiversion! {
    /// `out[p, i] += x[p * step + i] * weight[i]`
    fn add_products(out: &mut [f32], x: &[f32], weight: &[f32], step: usize) {
        let c = weight.len();
        for (out, x) in out.chunks_exact_mut(c).zip(x.chunks(step)) {
            for ((out, x), weight) in out.iter_mut().zip(&x[..c]).zip(weight) {
                *out += x * weight;
            }
        }
    }
}

multiversion! {
    /// `dx[p * step + i] += dy[p, i] * weight[i]` and `dweight[i] += dy[p, i] * x[p * step + i]`
    fn gradients_of_run(dy: &[f32], x: &[f32], dx: &mut [f32], weight: &[f32], dweight: &mut [f32], step: usize) {
        let c = weight.len();
        for ((dy, x), dx) in dy.chunks_exact(c).zip(x.chunks(step)).zip(dx.chunks_mut(step)) {
            let (x, dx) = (&x[..c], &mut dx[..c]);
            for i in 0..c {
                dx[i] += dy[i] * weight[i];
                dweight[i] += dy[i] * x[i];
            }
        }
    }
}
