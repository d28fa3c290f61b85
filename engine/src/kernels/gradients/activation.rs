//! Activations and their slopes in one pass over the pre-activations.

use super::multiversion::multiversion;
use crate::layers::Activation;
use rayon::prelude::*;
use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

/// Replaces the pre-activations `z` by their activations, and fills `slopes` with the derivatives there.
/// `slopes` is as long as `z`, or empty when nobody will ask for gradients.
pub(super) fn activate(activation: Activation, z: &mut [f32], slopes: &mut [f32]) {
    match activation {
        Activation::None => slopes.fill(1.0),
        Activation::Relu => relu(z, slopes),
        Activation::Gelu => gelu(z, slopes),
        Activation::HardSwish => hard_swish(z, slopes),
        Activation::HardSigmoid { slope } => hard_sigmoid(z, slopes, slope),
        Activation::Sigmoid => sigmoid(z, slopes),
    }
}

/// Values a thread works on at a time.
const CHUNK: usize = 1 << 14;

/// [`activate`] on all threads.
pub(super) fn activate_all(activation: Activation, z: &mut [f32], slopes: &mut [f32]) {
    if slopes.is_empty() {
        return z.par_chunks_mut(CHUNK).for_each(|z| activate(activation, z, &mut []));
    }
    z.par_chunks_mut(CHUNK).zip(slopes.par_chunks_mut(CHUNK)).for_each(|(z, slopes)| activate(activation, z, slopes));
}

/// `values *= factors`, on all threads.
pub(super) fn multiply(values: &mut [f32], factors: &[f32]) {
    values.par_chunks_mut(CHUNK).zip(factors.par_chunks(CHUNK)).for_each(|(values, factors)| {
        values.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor);
    });
}

/// `f` gives value and slope.
#[inline(always)]
fn each(z: &mut [f32], slopes: &mut [f32], f: impl Fn(f32) -> (f32, f32)) {
    if slopes.is_empty() {
        z.iter_mut().for_each(|z| *z = f(*z).0);
    } else {
        z.iter_mut().zip(slopes).for_each(|(z, slope)| (*z, *slope) = f(*z));
    }
}

multiversion! {
    fn relu(z: &mut [f32], slopes: &mut [f32]) {
        each(z, slopes, |z| if z > 0.0 { (z, 1.0) } else { (0.0, 0.0) });
    }
}

multiversion! {
    fn gelu(z: &mut [f32], slopes: &mut [f32]) {
        each(z, slopes, gelu_at);
    }
}

multiversion! {
    fn hard_swish(z: &mut [f32], slopes: &mut [f32]) {
        each(z, slopes, |z| {
            let gate = (z / 6.0 + 0.5).clamp(0.0, 1.0);
            let slope = if z > 3.0 { 1.0 } else if z < -3.0 { 0.0 } else { z / 3.0 + 0.5 };
            (z * gate, slope)
        });
    }
}

multiversion! {
    fn hard_sigmoid(z: &mut [f32], slopes: &mut [f32], gain: f32) {
        each(z, slopes, |z| {
            let line = gain * z + 0.5;
            (line.clamp(0.0, 1.0), if line > 0.0 && line < 1.0 { gain } else { 0.0 })
        });
    }
}

multiversion! {
    fn sigmoid(z: &mut [f32], slopes: &mut [f32]) {
        each(z, slopes, |z| {
            let s = 1.0 / (1.0 + exp(-z));
            (s, s * (1.0 - s))
        });
    }
}

/// GELU, `z * Phi(z)`, with Phi by Abramowitz and Stegun 7.1.26 (absolute error below 1e-6), whose exponential the slope
/// `Phi(z) + z * phi(z)` shares.
#[inline(always)]
fn gelu_at(z: f32) -> (f32, f32) {
    const INV_SQRT_2PI: f32 = 0.398_942_3;
    let bell = exp(-0.5 * z * z);
    let t = 1.0 / (1.0 + 0.327_591_1 * FRAC_1_SQRT_2 * z.abs());
    let polynomial = t * (0.254_829_6 + t * (-0.284_496_72 + t * (1.421_413_8 + t * (-1.453_152 + t * 1.061_405_4))));
    let tail = 0.5 * polynomial * bell;
    let phi = if z < 0.0 { tail } else { 1.0 - tail };
    (z * phi, phi + z * bell * INV_SQRT_2PI)
}

/// e^x, good to about 2e-7 relative, in operations that vectorise: 2^n by the exponent's bits, the rest by a polynomial.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding it rounds to a whole number, which then sits in the low bits of the mantissa.
    const ROUNDER: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * LOG2_E + ROUNDER;
    let n = shifted - ROUNDER;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let p = 1.0 + r * (1.0 + r * (0.5 + r * (0.166_666_57 + r * (0.041_666_4 + r * (0.008_369_48 + r * 0.001_381_2)))));
    f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23)) * p
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definitions, in f64.
    fn reference(activation: Activation, z: f64) -> f64 {
        match activation {
            Activation::None => z,
            Activation::Relu => z.max(0.0),
            Activation::Gelu => z * standard_normal(z),
            Activation::HardSwish => z * (z / 6.0 + 0.5).clamp(0.0, 1.0),
            Activation::HardSigmoid { slope } => (f64::from(slope) * z + 0.5).clamp(0.0, 1.0),
            Activation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
        }
    }

    /// The normal distribution function by its Taylor series, exact enough for |z| < 6.
    fn standard_normal(z: f64) -> f64 {
        let mut term = z;
        let mut sum = z;
        for k in 1..120 {
            term *= -z * z / 2.0 / f64::from(k);
            sum += term / f64::from(2 * k + 1);
        }
        0.5 + sum / (2.0 * std::f64::consts::PI).sqrt()
    }

    #[test]
    fn values_and_slopes_follow_the_definitions() {
        let activations = [
            Activation::None,
            Activation::Relu,
            Activation::Gelu,
            Activation::HardSwish,
            Activation::HardSigmoid { slope: 0.2 },
            Activation::HardSigmoid { slope: 1.0 / 6.0 },
            Activation::Sigmoid,
        ];
        // Off the kinks at 0, 2.5 and 3, where a slope is a matter of taste.
        let inputs: Vec<f32> = (-55..55).map(|i| i as f32 * 0.1 + 0.037).collect();
        for activation in activations {
            let mut values = inputs.clone();
            let mut slopes = vec![0.0; inputs.len()];
            activate(activation, &mut values, &mut slopes);
            for ((&z, value), slope) in inputs.iter().zip(values).zip(slopes) {
                let (z, step) = (f64::from(z), 1e-4);
                let expected = reference(activation, z);
                let expected_slope = (reference(activation, z + step) - reference(activation, z - step)) / (2.0 * step);
                assert!((f64::from(value) - expected).abs() < 2e-6, "{activation:?}({z}) = {value}, not {expected}");
                assert!((f64::from(slope) - expected_slope).abs() < 2e-6, "{activation:?}'({z}) = {slope}, not {expected_slope}");
            }
        }
    }

    #[test]
    fn far_out_values_stay_finite() {
        for activation in [Activation::Gelu, Activation::Sigmoid, Activation::HardSwish] {
            let mut values = [-1e4, -90.0, 90.0, 1e4];
            let mut slopes = [0.0; 4];
            activate(activation, &mut values, &mut slopes);
            assert!(values.iter().chain(&slopes).all(|v| v.is_finite()), "{activation:?}: {values:?} {slopes:?}");
        }
    }
}
