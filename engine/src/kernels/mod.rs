//! The arithmetic that the networks run on: NHWC maps of 32-bit floats, convolutions with packed weights and fused activations for
//! inference ([`Packed`]).
//!
//! Architecture invariant: `unsafe` is allowed here and nowhere else in the engine, each block with its reason and each kernel
//! tested against its definition (`plain`).
#![allow(unsafe_code)]

mod activation;
mod dense;
mod depthwise;
mod fused;
pub mod gradients;
mod map;
mod ops;
mod packed;
#[cfg(test)]
mod plain;
mod pointwise;
mod quantised;
mod simd;
#[cfg(test)]
mod testing;
mod window;

pub use dense::Dense;
pub use depthwise::Depthwise;
pub use map::{Buffer, FeatureMap, Shape};
pub use packed::{Conv, Packed, Threads};
pub use simd::Isa;
