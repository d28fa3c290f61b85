//! The layers composed of candle's own operations: what runs on a GPU, and what the custom operations are tested against.

use crate::layers::{Activation, Connection, ConvSpec};
use candle_core::{Result, Tensor};

/// `act(conv(x, weight) + bias)` over `[n, h, w, c]`.
pub fn convolution(spec: &ConvSpec, x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let pad = spec.padding;
    let x = x.pad_with_zeros(1, pad.top, pad.bottom)?.pad_with_zeros(2, pad.left, pad.right)?;
    let (sy, sx) = spec.stride;
    let (_, h, w, _) = x.dims4()?;
    let (kh, kw) = spec.kernel;
    let (oh, ow) = ((h - kh) / sy + 1, (w - kw) / sx + 1);
    // A sum over the kernel's taps, each a shifted and strided view: exact, and its gradient is candle's own for
    // index_select and matmul, unlike conv2d with uneven strides, which candle lacks.
    let rows = |ky: usize| Tensor::from_iter((0..oh).map(|y| (y * sy + ky) as u32), x.device());
    let columns = |kx: usize| Tensor::from_iter((0..ow).map(|x| (x * sx + kx) as u32), x.device());
    let mut sum: Option<Tensor> = None;
    for ky in 0..kh {
        let row = x.index_select(&rows(ky)?, 1)?;
        for kx in 0..kw {
            let tap = row.index_select(&columns(kx)?, 2)?;
            let filter = weight.get(ky)?.get(kx)?;
            let product = match spec.connection {
                Connection::Dense => tap.contiguous()?.broadcast_matmul(&filter)?,
                Connection::Depthwise => tap.broadcast_mul(&filter)?,
            };
            sum = Some(match sum {
                Some(sum) => (sum + product)?,
                None => product,
            });
        }
    }
    let Some(sum) = sum else { candle_core::bail!("a kernel without taps") };
    activate(spec.activation, &sum.broadcast_add(bias)?)
}

fn activate(activation: Activation, z: &Tensor) -> Result<Tensor> {
    match activation {
        Activation::None => Ok(z.clone()),
        Activation::Relu => z.relu(),
        Activation::Gelu => z.gelu_erf(),
        Activation::HardSwish => z * z.affine(1.0 / 6.0, 0.5)?.clamp(0.0, 1.0)?,
        Activation::HardSigmoid { slope } => z.affine(f64::from(slope), 0.5)?.clamp(0.0, 1.0),
        Activation::Sigmoid => candle_nn::ops::sigmoid(z),
    }
}

pub fn upsample(x: &Tensor, factor: usize) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    x.reshape((n, h, 1, w, 1, c))?.broadcast_as((n, h, factor, w, factor, c))?.contiguous()?.reshape((n, h * factor, w * factor, c))
}

pub fn max_pool_2x2(x: &Tensor) -> Result<Tensor> {
    let (_, h, w, _) = x.dims4()?;
    let padded = x.pad_with_zeros(1, 0, 1)?.pad_with_zeros(2, 0, 1)?;
    let shifted = |dy: usize, dx: usize| padded.narrow(1, dy, h)?.narrow(2, dx, w);
    shifted(0, 0)?.maximum(&shifted(0, 1)?)?.maximum(&shifted(1, 0)?.maximum(&shifted(1, 1)?)?)
}

pub fn average_pool(x: &Tensor, (kh, kw): (usize, usize)) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    let (oh, ow) = (h / kh, w / kw);
    let x = x.narrow(1, 0, oh * kh)?.narrow(2, 0, ow * kw)?.contiguous()?;
    x.reshape((n, oh, kh, ow, kw, c))?.mean(4)?.mean(2)
}

pub fn depth_to_space(x: &Tensor) -> Result<Tensor> {
    let (n, h, w, deep) = x.dims4()?;
    let c = deep / 4;
    x.reshape((n, h, w, 2, 2, c))?.permute((0, 1, 3, 2, 4, 5))?.contiguous()?.reshape((n, 2 * h, 2 * w, c))
}
