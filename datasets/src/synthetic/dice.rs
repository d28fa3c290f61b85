//! The random source of the generators.

use rand::distr::uniform::{SampleRange, SampleUniform};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One stream of random numbers an item: item `index` is the same whatever was made before it, and on any thread.
pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64, index: u64) -> Self {
        let mut stream = ChaCha8Rng::seed_from_u64(seed);
        stream.set_stream(index);
        Self(stream)
    }

    /// True with this probability, 0 to 1.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.0.random_bool(probability)
    }

    pub fn within<T: SampleUniform, R: SampleRange<T>>(&mut self, range: R) -> T {
        self.0.random_range(range)
    }

    /// One of `options`, which are not empty.
    pub fn pick<'a, T>(&mut self, options: &'a [T]) -> &'a T {
        options.choose(&mut self.0).expect("options to pick from are never empty")
    }

    /// One of `options` by weight; at least one weight is positive.
    pub fn pick_weighted<'a, T>(&mut self, options: &'a [(u32, T)]) -> &'a T {
        let total = options.iter().map(|(weight, _)| weight).sum();
        let mut point = self.within(0..total);
        for (weight, option) in options {
            if point < *weight {
                return option;
            }
            point -= weight;
        }
        unreachable!("the point lies below the sum of the weights")
    }

    pub fn digit(&mut self) -> char {
        char::from(b'0' + self.within(0..10u8))
    }

    pub fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| self.digit()).collect()
    }

    /// 32 random bits.
    pub fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Roughly normal, mean 0, deviation 1, within +-2.5: the sum of four bytes.
    pub fn bell(&mut self) -> f32 {
        let sum: i32 = self.bits().to_le_bytes().into_iter().map(i32::from).sum();
        (sum - 510) as f32 / 147.8
    }
}
