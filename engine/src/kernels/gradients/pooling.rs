//! Pooling, and the gate of squeeze-and-excitation.

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

/// The largest of the window whose top left is (y, x): its value and where it is; `None` for the zero beyond the edge.
fn largest(map: &[f32], (h, w, c): (usize, usize, usize), y: usize, x: usize, channel: usize) -> (f32, Option<usize>) {
    let inside = [(y, x), (y, x + 1), (y + 1, x), (y + 1, x + 1)].into_iter().filter(|&(y, x)| y < h && x < w);
    let beyond = if y + 1 < h && x + 1 < w { (f32::NEG_INFINITY, None) } else { (0.0, None) };
    inside.map(|(y, x)| (y * w + x) * c + channel).fold(beyond, |best, i| if map[i] > best.0 { (map[i], Some(i)) } else { best })
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
            for (i, out) in out.iter_mut().enumerate() {
                *out = largest(x, (h, w, c), i / (w * c), i / c % w, i % c).0;
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
            for (i, dy) in dy.iter().enumerate() {
                if let Some(source) = largest(x, (h, w, c), i / (w * c), i / c % w, i % c).1 {
                    dx[source] += dy;
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
