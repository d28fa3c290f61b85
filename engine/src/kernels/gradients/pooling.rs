//! Pooling, and the gate of squeeze-and-excitation.

use super::multiversion::multiversion;
use super::values::{self, argument};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Mean over windows of (height, width), stride equal to the size.
pub(super) struct AveragePool {
    pub size: (usize, usize),
}

impl AveragePool {
    /// Calls `f(output offset, input offset)` for each pixel of each window; offsets in values.
    fn pixels(&self, (h, w, c): (usize, usize, usize), mut f: impl FnMut(usize, usize)) {
        let (kh, kw) = self.size;
        let (oh, ow) = (h / kh, w / kw);
        for y in 0..oh * kh {
            for x in 0..ow * kw {
                f(((y / kh) * ow + x / kw) * c, (y * w + x) * c);
            }
        }
    }
}

impl CustomOp1 for AveragePool {
    fn name(&self) -> &'static str {
        "nhwc-average-pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, h, w, c) = layout.shape().dims4()?;
        let (kh, kw) = self.size;
        if kh == 0 || kw == 0 || h < kh || w < kw {
            candle_core::bail!("an average over {kh}x{kw} of a map of {h}x{w}");
        }
        let (oh, ow) = (h / kh, w / kw);
        let x = argument(x, layout)?;
        let share = 1.0 / (kh * kw) as f32;
        let mut out = vec![0.0; n * oh * ow * c];
        out.par_chunks_mut(oh * ow * c).zip(x.par_chunks(h * w * c)).for_each(|(out, x)| {
            self.pixels((h, w, c), |to, from| {
                out[to..][..c].iter_mut().zip(&x[from..][..c]).for_each(|(sum, value)| *sum += value * share);
            });
        });
        Ok((CpuStorage::F32(out), (n, oh, ow, c).into()))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (_, h, w, c) = x.dims4()?;
        let (_, oh, ow, _) = gradient.dims4()?;
        let gradient = gradient.contiguous()?;
        let dy = values::of(&gradient)?;
        let share = 1.0 / (self.size.0 * self.size.1) as f32;
        let mut dx = vec![0.0; x.elem_count()];
        dx.par_chunks_mut(h * w * c).zip(dy.par_chunks(oh * ow * c)).for_each(|(dx, dy)| {
            self.pixels((h, w, c), |from, to| {
                dx[to..][..c].iter_mut().zip(&dy[from..][..c]).for_each(|(sum, value)| *sum += value * share);
            });
        });
        Tensor::from_vec(dx, x.shape(), x.device()).map(Some)
    }
}

/// 2x2 maximum of stride 1, zeros beyond the bottom and right edge.
pub(super) struct MaxPool;

/// A row of pixels, each with its right neighbour; the last one's is zero.
fn neighbours(row: &[f32], c: usize) -> impl Iterator<Item = (&[f32], Option<&[f32]>)> {
    let right = row.chunks_exact(c).skip(1).map(Some).chain([None]);
    row.chunks_exact(c).zip(right)
}

/// The windows' pixels in their order: this row's two, the next row's two; zeros stand for what lies beyond the edge.
fn windows<'a>(rows: [&'a [f32]; 2], c: usize, zeros: &'a [f32]) -> impl Iterator<Item = ([&'a [f32]; 4], bool)> {
    neighbours(rows[0], c).zip(neighbours(rows[1], c)).map(|((a, b), (below, d))| {
        let at_edge = b.is_none();
        ([a, b.unwrap_or(zeros), below, d.unwrap_or(zeros)], at_edge)
    })
}

multiversion! {
    fn maxima(out: &mut [f32], window: [&[f32]; 4]) {
        let n = out.len();
        let [a, b, c, d] = window.map(|pixel| &pixel[..n]);
        for i in 0..n {
            out[i] = a[i].max(b[i]).max(c[i].max(d[i]));
        }
    }
}

multiversion! {
    /// Adds each gradient to the first of the window's pixels that is the largest, if it is above `floor`. `upper` and `lower` are
    /// two pixels each, of which the second may be missing.
    fn to_largest(dy: &[f32], window: [&[f32]; 4], floor: f32, upper: &mut [f32], lower: &mut [f32]) {
        let n = dy.len();
        let [a, b, c, d] = window.map(|pixel| &pixel[..n]);
        let share = |taken: bool, value: f32, largest: f32, dy: f32| if !taken && value == largest && largest > floor { dy } else { 0.0 };
        let largest = |i: usize| a[i].max(b[i]).max(c[i].max(d[i]));
        let (first, second) = upper.split_at_mut(n);
        for i in 0..n {
            first[i] += share(false, a[i], largest(i), dy[i]);
        }
        for i in 0..second.len() {
            second[i] += share(a[i] == largest(i), b[i], largest(i), dy[i]);
        }
        if lower.is_empty() {
            return;
        }
        let (first, second) = lower.split_at_mut(n);
        for i in 0..n {
            first[i] += share(a[i] == largest(i) || b[i] == largest(i), c[i], largest(i), dy[i]);
        }
        for i in 0..second.len() {
            second[i] += share(a[i] == largest(i) || b[i] == largest(i) || c[i] == largest(i), d[i], largest(i), dy[i]);
        }
    }
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "nhwc-max-pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, h, w, c) = layout.shape().dims4()?;
        let x = argument(x, layout)?;
        let mut out = vec![0.0; x.len()];
        out.par_chunks_mut(h * w * c).zip(x.par_chunks(h * w * c)).for_each(|(out, x)| {
            let zeros = vec![0.0; w * c];
            for (y, out) in out.chunks_exact_mut(w * c).enumerate() {
                let below = x.get((y + 1) * w * c..(y + 2) * w * c).unwrap_or(&zeros);
                let windows = windows([&x[y * w * c..][..w * c], below], c, &zeros);
                out.chunks_exact_mut(c).zip(windows).for_each(|(out, (window, _))| maxima(out, window));
            }
        });
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (_, h, w, c) = x.dims4()?;
        let gradient = gradient.contiguous()?;
        let (values, dy) = (values::of(x)?, values::of(&gradient)?);
        let mut dx = vec![0.0; x.elem_count()];
        let image = h * w * c;
        dx.par_chunks_mut(image).zip(values.par_chunks(image)).zip(dy.par_chunks(image)).for_each(|((dx, x), dy)| {
            let zeros = vec![0.0; w * c];
            for (y, dy) in dy.chunks_exact(w * c).enumerate() {
                let (upper, lower) = dx[y * w * c..].split_at_mut(w * c);
                let lower = lower.get_mut(..w * c).unwrap_or_default();
                let below = x.get((y + 1) * w * c..(y + 2) * w * c).unwrap_or(&zeros);
                let windows = windows([&x[y * w * c..][..w * c], below], c, &zeros);
                for (column, (dy, (window, at_edge))) in dy.chunks_exact(c).zip(windows).enumerate() {
                    let two = column * c..(column * c + 2 * c).min(w * c);
                    // Where zeros stand in the window nothing below them counts.
                    let floor = if at_edge || lower.is_empty() { 0.0 } else { f32::NEG_INFINITY };
                    let lower = lower.get_mut(two.clone()).unwrap_or_default();
                    to_largest(dy, window, floor, &mut upper[two], lower);
                }
            }
        });
        Tensor::from_vec(dx, x.shape(), x.device()).map(Some)
    }
}

/// `x * gate`, one gate a channel and image: `[n, h, w, c] * [n, 1, 1, c]`.
pub(super) struct Scale;

impl CustomOp2 for Scale {
    fn name(&self) -> &'static str {
        "nhwc-scale"
    }

    fn cpu_fwd(&self, x: &CpuStorage, x_layout: &Layout, gate: &CpuStorage, gate_layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, h, w, c) = x_layout.shape().dims4()?;
        if gate_layout.shape().dims() != [n, 1, 1, c] {
            candle_core::bail!("a gate {:?} for a map {:?}", gate_layout.shape(), x_layout.shape());
        }
        let mut out = argument(x, x_layout)?.to_vec();
        let gate = argument(gate, gate_layout)?;
        out.par_chunks_mut(h * w * c).zip(gate.par_chunks(c)).for_each(|(out, gate)| {
            for pixel in out.chunks_exact_mut(c) {
                pixel.iter_mut().zip(gate).for_each(|(value, gate)| *value *= gate);
            }
        });
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, gate: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (_, h, w, c) = x.dims4()?;
        let gradient = gradient.contiguous()?;
        let (values, gates) = (values::of(x)?, values::of(gate)?);
        let mut dx = values::of(&gradient)?.to_vec();
        let mut dgate = vec![0.0; gates.len()];
        let image = h * w * c;
        dx.par_chunks_mut(image).zip(values.par_chunks(image)).zip(gates.par_chunks(c)).zip(dgate.par_chunks_mut(c)).for_each(
            |(((dx, x), gate), dgate)| {
                for (dx, x) in dx.chunks_exact_mut(c).zip(x.chunks_exact(c)) {
                    for i in 0..c {
                        dgate[i] += dx[i] * x[i];
                        dx[i] *= gate[i];
                    }
                }
            },
        );
        Ok((Some(Tensor::from_vec(dx, x.shape(), x.device())?), Some(Tensor::from_vec(dgate, gate.shape(), gate.device())?)))
    }
}
