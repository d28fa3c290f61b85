//! A linear layer, `x w^T + b`.
//!
//! At each of its matrix products candle asks for the number of cores, which on Linux means reading all of `/proc/cpuinfo`: that
//! takes longer than the product itself for the few lines of a document, and the longer the more cores there are.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use candle_nn::{Linear, Module};

use super::matrix::{Matrix, Target, multiply};
use super::values;

/// `[n, cin]` to `[n, cout]`, on one thread.
pub fn affine(layer: &Linear, x: &Tensor) -> Result<Tensor> {
    match layer.bias() {
        Some(bias) if x.device().is_cpu() => x.contiguous()?.apply_op3(layer.weight(), bias, Affine),
        _ => layer.forward(x),
    }
}

/// Of `x [n, cin]`, `w [cout, cin]` and `b [cout]`.
struct Affine;

impl CustomOp3 for Affine {
    fn name(&self) -> &'static str {
        "affine"
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
        let ((n, cin), (cout, inner)) = (x_layout.shape().dims2()?, weight_layout.shape().dims2()?);
        if inner != cin || bias_layout.shape().elem_count() != cout {
            bail!("{n} rows of {cin} values do not fit a linear layer {:?}", weight_layout.shape());
        }
        let (x, weight) = (values::argument(x, x_layout)?, values::argument(weight, weight_layout)?);
        let mut out = values::argument(bias, bias_layout)?.repeat(n);
        multiply(Matrix::new(x, cin), Matrix::new(weight, cin).transposed(), &mut out, Target::Accumulate);
        Ok((CpuStorage::F32(out), (n, cout).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let dx = gradient.matmul(weight)?;
        let dweight = gradient.t()?.matmul(x)?;
        Ok((Some(dx), Some(dweight), Some(gradient.sum(0)?)))
    }
}
