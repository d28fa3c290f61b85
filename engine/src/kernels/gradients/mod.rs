//! The training backend: the layers as operations on candle tensors `[n, h, w, c]`, with hand-written gradients.
//!
//! candle's own convolutions are ten times too slow on a CPU and several of its gradients are wrong or missing, so on the
//! CPU every layer is a custom operation whose gradient is checked against finite differences; on other devices the layers
//! are composed of candle's operations ([`plain`]), which the tests hold the custom ones against.

mod activation;
mod affine;
mod dense;
mod depthwise;
mod matrix;
mod multiversion;
pub mod plain;
mod pooling;
mod sampling;
#[cfg(test)]
mod tests;
mod values;

use crate::layers::{Activation, Backend, Connection, ConvSpec};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use candle_nn::VarBuilder;
use std::sync::Mutex;

pub use affine::affine;

/// Layers on candle tensors, with gradients.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gradients;

/// A convolution whose weights are variables of the [`VarBuilder`] it came from.
#[derive(Debug, Clone)]
pub struct Conv {
    spec: ConvSpec,
    weight: Tensor,
    bias: Tensor,
}

impl Backend for Gradients {
    type Map = Tensor;
    type Conv = Conv;

    fn conv(&self, spec: ConvSpec, weights: VarBuilder) -> Result<Conv> {
        let (kh, kw) = spec.kernel;
        let weight = match spec.connection {
            Connection::Dense => weights.get((kh, kw, spec.cin, spec.cout), "weight")?,
            Connection::Depthwise => weights.get((kh, kw, spec.cout), "weight")?,
        };
        let bias = if spec.bias { weights.get(spec.cout, "bias")? } else { Tensor::zeros(spec.cout, weight.dtype(), weight.device())? };
        Ok(Conv { spec, weight, bias })
    }

    fn forward(&self, conv: &Conv, x: &Tensor) -> Result<Tensor> {
        if !x.device().is_cpu() {
            return plain::convolution(&conv.spec, x, &conv.weight, &conv.bias);
        }
        let op = Convolution { spec: conv.spec, slopes: Mutex::new(Vec::new()) };
        x.contiguous()?.apply_op3(&conv.weight, &conv.bias, op)
    }

    fn add(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        a + b
    }

    fn scale(&self, x: &Tensor, gate: &Tensor) -> Result<Tensor> {
        if x.device().is_cpu() { x.contiguous()?.apply_op2(&gate.contiguous()?, pooling::Scale) } else { x.broadcast_mul(gate) }
    }

    fn mean(&self, x: &Tensor) -> Result<Tensor> {
        let (_, h, w, _) = x.dims4()?;
        self.average_pool(x, (h, w))
    }

    fn concat(&self, maps: &[&Tensor]) -> Result<Tensor> {
        Tensor::cat(maps, 3)?.contiguous()
    }

    fn upsample(&self, x: &Tensor, factor: usize) -> Result<Tensor> {
        if x.device().is_cpu() { x.contiguous()?.apply_op1(sampling::Upsample { factor }) } else { plain::upsample(x, factor) }
    }

    fn max_pool_2x2(&self, x: &Tensor) -> Result<Tensor> {
        if x.device().is_cpu() { x.contiguous()?.apply_op1(pooling::MaxPool) } else { plain::max_pool_2x2(x) }
    }

    fn average_pool(&self, x: &Tensor, size: (usize, usize)) -> Result<Tensor> {
        if x.device().is_cpu() { x.contiguous()?.apply_op1(pooling::AveragePool { size }) } else { plain::average_pool(x, size) }
    }

    fn depth_to_space(&self, x: &Tensor) -> Result<Tensor> {
        if x.device().is_cpu() { x.contiguous()?.apply_op1(sampling::DepthToSpace) } else { plain::depth_to_space(x) }
    }
}

/// `act(conv(x, weight) + bias)`; keeps the activation's slopes of the forward pass for the backward one.
struct Convolution {
    spec: ConvSpec,
    slopes: Mutex<Vec<f32>>,
}

/// Sizes of one image's input and output maps.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    h: usize,
    w: usize,
    oh: usize,
    ow: usize,
}

impl Convolution {
    fn sizes(&self, shape: &Shape) -> Result<(usize, Sizes)> {
        let (n, h, w, c) = shape.dims4()?;
        match self.spec.output_size(h, w) {
            Some((oh, ow)) if c == self.spec.cin => Ok((n, Sizes { h, w, oh, ow })),
            _ => candle_core::bail!("a map {shape:?} does not fit the convolution {:?}", self.spec),
        }
    }

    fn is_linear(&self) -> bool {
        self.spec.activation == Activation::None
    }
}

impl CustomOp3 for Convolution {
    fn name(&self) -> &'static str {
        "nhwc-convolution"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (n, sizes) = self.sizes(x_layout.shape())?;
        let x = values::argument(x, x_layout)?;
        let weight = values::argument(weight, weight_layout)?;
        let bias = values::argument(bias, bias_layout)?;
        let mut out = vec![0.0; n * sizes.oh * sizes.ow * self.spec.cout];
        match self.spec.connection {
            Connection::Dense => dense::forward(&self.spec, sizes, x, weight, bias, &mut out),
            Connection::Depthwise => depthwise::forward(&self.spec, sizes, x, weight, bias, &mut out),
        }
        let mut slopes = if self.is_linear() { Vec::new() } else { vec![0.0; out.len()] };
        activation::activate_all(self.spec.activation, &mut out, &mut slopes);
        *self.slopes.lock().expect("no panic while it is held") = slopes;
        Ok((CpuStorage::F32(out), (n, sizes.oh, sizes.ow, self.spec.cout).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (_, sizes) = self.sizes(x.shape())?;
        let gradient = gradient.contiguous()?;
        let mut dy = values::of(&gradient)?.to_vec();
        if !self.is_linear() {
            activation::multiply(&mut dy, &self.slopes.lock().expect("no panic while it is held"));
        }
        let (x_values, weight_values) = (values::of(x)?, values::of(weight)?);
        let backward = match self.spec.connection {
            Connection::Dense => dense::backward,
            Connection::Depthwise => depthwise::backward,
        };
        let (dx, dweight, dbias) = backward(&self.spec, sizes, &x_values, &weight_values, &dy);
        let device = x.device();
        Ok((
            Some(Tensor::from_vec(dx, x.shape(), device)?),
            Some(Tensor::from_vec(dweight, weight.shape(), device)?),
            Some(Tensor::from_vec(dbias, bias.shape(), device)?),
        ))
    }
}
