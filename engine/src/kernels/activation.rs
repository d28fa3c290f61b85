//! The activations on vectors, made of polynomials: no table, no exponential, no branch.

use super::simd::{MAX_LANES, Simd};
use crate::layers::Activation;

/// Where the GELU differs from a ReLU by less than 1e-6.
const GELU_FLAT: f32 = 5.5;

/// # Safety
/// The machine must have the instructions of `S`.
#[inline(always)]
pub(super) unsafe fn activate<S: Simd>(x: S::Vector, activation: Activation) -> S::Vector {
    // SAFETY: handed on to the caller.
    unsafe {
        match activation {
            Activation::None => x,
            Activation::Relu => S::max(x, S::splat(0.0)),
            Activation::Gelu => gelu::<S>(x),
            Activation::HardSwish => S::mul(x, ramp::<S>(x, 1.0 / 6.0)),
            Activation::HardSigmoid { slope } => ramp::<S>(x, slope),
            Activation::Sigmoid => S::mul_add(tanh::<S>(S::mul(x, S::splat(0.5))), S::splat(0.5), S::splat(0.5)),
        }
    }
}

/// Replaces all values by their activations. A pass of its own costs less than a copy of every activation in each unrolled
/// tile of sums.
///
/// # Safety
/// The machine must have the instructions of `S`.
#[inline(always)]
pub(super) unsafe fn activate_all<S: Simd>(values: &mut [f32], activation: Activation) {
    let mut whole = values.chunks_exact_mut(S::LANES);
    // SAFETY: handed on to the caller; each load and store is `LANES` floats of a chunk or of `last`.
    unsafe {
        for chunk in whole.by_ref() {
            S::store(chunk.as_mut_ptr(), activate::<S>(S::load(chunk.as_ptr()), activation));
        }
        let rest = whole.into_remainder();
        let mut last = [0.0; MAX_LANES];
        last[..rest.len()].copy_from_slice(rest);
        S::store(last.as_mut_ptr(), activate::<S>(S::load(last.as_ptr()), activation));
        rest.copy_from_slice(&last[..rest.len()]);
    }
}

/// `clamp(slope * x + 0.5, 0, 1)`
#[inline(always)]
unsafe fn ramp<S: Simd>(x: S::Vector, slope: f32) -> S::Vector {
    // SAFETY: handed on to the caller.
    unsafe { S::min(S::max(S::mul_add(x, S::splat(slope), S::splat(0.5)), S::splat(0.0)), S::splat(1.0)) }
}

/// `x (1 + erf(x / sqrt 2)) / 2 = max(x, 0) - t p(t)^16` with `t = |x|`; off by at most 1e-6. `p` is the sixteenth root of
/// `erfc(t / sqrt 2) / 2`, which is smooth where that itself falls by seven orders of magnitude, as a polynomial: minimax on 0 to
/// [`GELU_FLAT`], each point weighed by what it does to the result. The division of Abramowitz and Stegun 7.1.28, which has the same
/// form, takes longer than all of this.
#[inline(always)]
unsafe fn gelu<S: Simd>(x: S::Vector) -> S::Vector {
    // From the highest power down, for `-t`.
    const P: [f32; 7] = [-1.175_370_1e-6, 3.522_336e-5, 6.584_168e-4, 1.344_031_2e-3, -1.780_594_3e-2, 4.776_73e-2, 9.576_044e-1];
    // SAFETY: handed on to the caller.
    unsafe {
        let negative = S::max(S::min(x, S::mul(x, S::splat(-1.0))), S::splat(-GELU_FLAT));
        let mut p = S::splat(P[0]);
        for &c in &P[1..] {
            p = S::mul_add(p, negative, S::splat(c));
        }
        for _ in 0..4 {
            p = S::mul(p, p);
        }
        S::mul_add(negative, p, S::max(x, S::splat(0.0)))
    }
}

/// The hyperbolic tangent; off by at most 5e-7. Minimax rational of degrees 13 / 6, the coefficients that Eigen and XLA use.
#[inline(always)]
unsafe fn tanh<S: Simd>(x: S::Vector) -> S::Vector {
    const ODD: [f32; 7] = [-2.760_768_5e-16, 2.000_188e-13, -8.604_672e-11, 5.122_297e-8, 1.485_722_4e-5, 6.372_619e-4, 4.893_525e-3];
    const EVEN: [f32; 4] = [1.198_258_4e-6, 1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3];
    // SAFETY: handed on to the caller.
    unsafe { odd_rational::<S, 7, 4>(x, 7.905_311, ODD, EVEN) }
}

/// `x p(x^2) / q(x^2)`, `x` clamped to `limit`; coefficients from the highest power down.
#[inline(always)]
unsafe fn odd_rational<S: Simd, const P: usize, const Q: usize>(x: S::Vector, limit: f32, p: [f32; P], q: [f32; Q]) -> S::Vector {
    // SAFETY: handed on to the caller.
    unsafe {
        let x = S::min(S::max(x, S::splat(-limit)), S::splat(limit));
        let square = S::mul(x, x);
        let mut above = S::splat(p[0]);
        for &c in &p[1..] {
            above = S::mul_add(above, square, S::splat(c));
        }
        let mut below = S::splat(q[0]);
        for &c in &q[1..] {
            below = S::mul_add(below, square, S::splat(c));
        }
        S::div(S::mul(x, above), below)
    }
}

#[cfg(test)]
mod tests {
    use super::super::plain;
    use super::super::simd::{Isa, Kernel, Simd};
    use super::*;

    struct Apply<'a>(&'a mut [f32], Activation);

    impl Kernel for Apply<'_> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            for chunk in self.0.chunks_exact_mut(S::LANES) {
                // SAFETY: a chunk has as many floats as a vector.
                unsafe { S::store(chunk.as_mut_ptr(), activate::<S>(S::load(chunk.as_ptr()), self.1)) };
            }
        }
    }

    #[test]
    fn activations_equal_their_formulas() {
        let inputs: Vec<f32> = (-4096..4096).map(|i| i as f32 / 256.0).collect();
        for isa in Isa::available() {
            for activation in [
                Activation::None,
                Activation::Relu,
                Activation::Gelu,
                Activation::HardSwish,
                Activation::HardSigmoid { slope: 0.2 },
                Activation::Sigmoid,
            ] {
                let mut outputs = inputs.clone();
                isa.run(Apply(&mut outputs, activation));
                for (&x, &y) in inputs.iter().zip(&outputs) {
                    let expected = plain::activate(f64::from(x), activation);
                    let tolerance = 2e-6 * expected.abs().max(1.0);
                    assert!((f64::from(y) - expected).abs() < tolerance, "{isa:?} {activation:?}({x}) = {y}, not {expected}");
                }
            }
        }
    }
}
