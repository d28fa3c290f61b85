//! What the kernels' tests share.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::map::FeatureMap;
use crate::layers::Padding;

/// Reproducible values between -1 and 1.
pub fn values(count: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

pub fn any_padding(max: usize) -> impl Strategy<Value = Padding> {
    (0..=max, 0..=max, 0..=max, 0..=max).prop_map(|(top, left, bottom, right)| Padding { top, left, bottom, right })
}

pub fn assert_close(found: &FeatureMap, expected: &FeatureMap) {
    assert_eq!(found.shape, expected.shape);
    for (i, (a, b)) in found.values().iter().zip(expected.values()).enumerate() {
        assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "value {i}: {a}, not {b}");
    }
}
