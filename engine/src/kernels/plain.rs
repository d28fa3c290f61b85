//! Convolutions as their definition says, for tests to compare with: slow, in double precision.

use super::map::{Buffer, FeatureMap, Shape};
use crate::layers::{Activation, Connection, ConvSpec};

/// One value through an activation.
pub fn activate(x: f64, activation: Activation) -> f64 {
    match activation {
        Activation::None => x,
        Activation::Relu => x.max(0.0),
        Activation::Gelu => 0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2)),
        Activation::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        Activation::HardSigmoid { slope } => (f64::from(slope) * x + 0.5).clamp(0.0, 1.0),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
    }
}

/// The error function by its series of positive terms (Abramowitz and Stegun 7.1.6).
fn erf(x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-17 * sum.abs() {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    sum * 2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp()
}

/// `act(conv(x) + bias)`, weights as in [`crate::layers`].
pub fn conv(spec: &ConvSpec, weight: &[f32], bias: &[f32], x: &FeatureMap) -> FeatureMap {
    let (h, w) = spec.output_size(x.shape.h, x.shape.w).expect("the map is at least as large as the kernel");
    let shape = Shape { n: x.shape.n, h, w, c: spec.cout };
    let mut out = Buffer::zeros(shape.len());
    for (i, value) in out.as_mut_slice().iter_mut().enumerate() {
        let (o, pixel) = (i % spec.cout, i / spec.cout);
        let (image, y, column) = (pixel / (w * h), pixel / w % h, pixel % w);
        let sum = f64::from(bias.get(o).copied().unwrap_or(0.0)) + taps(spec, weight, x, (image, y, column, o));
        *value = activate(sum, spec.activation) as f32;
    }
    FeatureMap::new(shape, out)
}

fn taps(spec: &ConvSpec, weight: &[f32], x: &FeatureMap, (image, y, column, o): (usize, usize, usize, usize)) -> f64 {
    let mut sum = 0.0;
    for (ky, kx) in (0..spec.kernel.0).flat_map(|ky| (0..spec.kernel.1).map(move |kx| (ky, kx))) {
        let at = |position: usize, stride: usize, k: usize, padding: usize| (position * stride + k).checked_sub(padding);
        let (Some(iy), Some(ix)) = (at(y, spec.stride.0, ky, spec.padding.top), at(column, spec.stride.1, kx, spec.padding.left)) else {
            continue;
        };
        if iy >= x.shape.h || ix >= x.shape.w {
            continue;
        }
        let pixel = &x.image(image)[(iy * x.shape.w + ix) * spec.cin..][..spec.cin];
        let tap = ky * spec.kernel.1 + kx;
        sum += match spec.connection {
            Connection::Dense => {
                (0..spec.cin).map(|i| f64::from(pixel[i]) * f64::from(weight[(tap * spec.cin + i) * spec.cout + o])).sum::<f64>()
            }
            Connection::Depthwise => f64::from(pixel[o]) * f64::from(weight[tap * spec.cout + o]),
        };
    }
    sum
}
