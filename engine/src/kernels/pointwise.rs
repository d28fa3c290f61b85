//! A pointwise convolution, in floats or in bytes.

use candle_core::{Result, bail};

use super::dense::Dense;
use super::quantised::Quantised;
use crate::layers::ConvSpec;

#[derive(Clone, Copy)]
pub(super) enum Pointwise<'a> {
    Floats(&'a Dense),
    Bytes(&'a Quantised),
}

impl<'a> Pointwise<'a> {
    pub fn in_floats(conv: &'a Dense) -> Result<Self> {
        if !conv.is_pointwise() {
            bail!("{:?} should be pointwise", conv.spec);
        }
        Ok(Self::Floats(conv))
    }

    pub fn spec(&self) -> &ConvSpec {
        match self {
            Self::Floats(conv) => &conv.spec,
            Self::Bytes(conv) => &conv.spec,
        }
    }

    /// Pixels `[pixels, cin] -> [pixels, cout]`; `residual`, shaped as `out`, is added to the result.
    pub fn pixels(&self, x: &[f32], residual: Option<&[f32]>, out: &mut [f32]) {
        match self {
            Self::Floats(conv) => conv.pixels(x, residual, out),
            Self::Bytes(conv) => conv.pixels(x, residual, out),
        }
    }
}
