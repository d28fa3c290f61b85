//! Changes of resolution that only move values.

use super::values::{self, argument};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Nearest neighbour by a whole factor.
pub(super) struct Upsample {
    pub factor: usize,
}

impl CustomOp1 for Upsample {
    fn name(&self) -> &'static str {
        "nhwc-upsample"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, h, w, c) = layout.shape().dims4()?;
        let x = argument(x, layout)?;
        let (oh, ow) = (h * self.factor, w * self.factor);
        let mut out = vec![0.0; n * oh * ow * c];
        out.par_chunks_mut(ow * c).enumerate().for_each(|(row, out)| {
            let from = &x[(row / oh * h + row % oh / self.factor) * w * c..][..w * c];
            for (column, pixel) in out.chunks_exact_mut(c).enumerate() {
                pixel.copy_from_slice(&from[column / self.factor * c..][..c]);
            }
        });
        Ok((CpuStorage::F32(out), (n, oh, ow, c).into()))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (_, _, w, c) = x.dims4()?;
        let gradient = gradient.contiguous()?;
        let dy = values::of(&gradient)?;
        let (factor, ow) = (self.factor, w * self.factor);
        let mut dx = vec![0.0; x.elem_count()];
        // Row r of the input (counted through the batch) became rows r * factor .. (r + 1) * factor.
        dx.par_chunks_mut(w * c).zip(dy.par_chunks(factor * ow * c)).for_each(|(dx, dy)| {
            for (i, pixel) in dy.chunks_exact(c).enumerate() {
                let target = &mut dx[i % ow / factor * c..][..c];
                target.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
            }
        });
        Tensor::from_vec(dx, x.shape(), x.device()).map(Some)
    }
}

/// `[n, h, w, 4c] -> [n, 2h, 2w, c]`, channel `(dy * 2 + dx) * c + i`.
pub(super) struct DepthToSpace;

/// Calls `f(offset in the deep map, offset in the wide map, values)` for each stretch that moves as one.
fn moves((n, h, w, c): (usize, usize, usize, usize), mut f: impl FnMut(usize, usize, usize)) {
    for row in 0..n * h {
        for column in 0..w {
            for dy in 0..2 {
                // (dx = 0, 1) x c values are neighbours in both maps.
                f(((row * w + column) * 4 + dy * 2) * c, ((row * 2 + dy) * 2 * w + column * 2) * c, 2 * c);
            }
        }
    }
}

impl CustomOp1 for DepthToSpace {
    fn name(&self) -> &'static str {
        "nhwc-depth-to-space"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, h, w, deep) = layout.shape().dims4()?;
        if !deep.is_multiple_of(4) {
            candle_core::bail!("depth to space of {deep} channels, no multiple of 4");
        }
        let c = deep / 4;
        let x = argument(x, layout)?;
        let mut out = vec![0.0; x.len()];
        moves((n, h, w, c), |from, to, length| out[to..][..length].copy_from_slice(&x[from..][..length]));
        Ok((CpuStorage::F32(out), (n, 2 * h, 2 * w, c).into()))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (n, h, w, deep) = x.dims4()?;
        let gradient = gradient.contiguous()?;
        let dy = values::of(&gradient)?;
        let mut dx = vec![0.0; x.elem_count()];
        moves((n, h, w, deep / 4), |to, from, length| dx[to..][..length].copy_from_slice(&dy[from..][..length]));
        Tensor::from_vec(dx, x.shape(), x.device()).map(Some)
    }
}
