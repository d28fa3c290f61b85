//! Noise in training: reading errors in the text, words and places made uncertain, values dropped.

use candle_core::{Result, Tensor};
use engine::text::TextLine;
use engine::understand::features::{LineFeatures, PLACE_BINS};
use engine::understand::network::Noise;
use engine::understand::vocabulary::UNKNOWN_WORD;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::initial::normal;

/// Share of documents whose text stays as it is.
const CLEAN_SHARE: f64 = 0.5;
/// Errors a character, in the other half: at most this share.
const ERRORS_MAX: f64 = 0.05;
/// Of all errors, those that are a lost space where there is one, a lost character, a confusion.
const LOST_SPACE: f64 = 0.5;
const LOST_CHARACTER: f64 = 0.1;

/// Words and n-grams that the network does not get to see.
const WORD_DROPOUT: f64 = 0.3;
const GRAM_DROPOUT: f64 = 0.3;
/// Places that move to the bin beside.
const PLACE_JITTER: f64 = 0.3;

/// Standard deviation of the noise on a line's embedding, whose values are about 1.
const INPUT_DEVIATION: f64 = 0.04;
/// Units set to zero.
const INPUT_DROPOUT: f64 = 0.1;
const HIDDEN_DROPOUT: f64 = 0.2;

/// What recognisers take for each other.
const CONFUSIONS: [&str; 12] = ["O0QD", "I1L|", "S5$", "B8", "Z2", "G6C", "UV", "MN", "EF", ".,", "A4", "3987"];

/// The lines as a poor reader might have read them; places stay.
pub fn misread(lines: &[TextLine], rng: &mut ChaCha8Rng) -> Vec<TextLine> {
    if rng.random_bool(CLEAN_SHARE) {
        return lines.to_vec();
    }
    let rate = rng.random_range(0.0..ERRORS_MAX);
    lines.iter().map(|line| TextLine { text: misread_text(&line.text, rate, rng), ..line.clone() }).collect()
}

fn misread_text(text: &str, rate: f64, rng: &mut ChaCha8Rng) -> String {
    let mut read = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' if rng.random_bool((rate / LOST_SPACE).min(1.0)) => {}
            _ if !rng.random_bool(rate) => read.push(c),
            _ if rng.random_bool(LOST_CHARACTER) => {}
            _ => read.push(confused(c, rng)),
        }
    }
    // A line that was found holds something.
    if read.trim().is_empty() { text.to_string() } else { read }
}

fn confused(c: char, rng: &mut ChaCha8Rng) -> char {
    let upper = c.to_ascii_uppercase();
    let groups = CONFUSIONS.iter().filter(|group| group.contains(upper));
    let others: Vec<char> = groups.flat_map(|group| group.chars()).filter(|other| *other != upper).collect();
    if others.is_empty() { c } else { others[rng.random_range(0..others.len())] }
}

/// Hides words and n-grams and moves places.
pub fn blur(lines: &mut [LineFeatures], rng: &mut ChaCha8Rng) {
    for line in lines {
        line.words.iter_mut().filter(|_| rng.random_bool(WORD_DROPOUT)).for_each(|word| *word = UNKNOWN_WORD);
        line.grams.retain(|_| !rng.random_bool(GRAM_DROPOUT));
        for (place, bins) in line.places.iter_mut().zip(PLACE_BINS) {
            if rng.random_bool(PLACE_JITTER) {
                *place = if rng.random_bool(0.5) { (*place + 1).min(bins - 1) } else { place.saturating_sub(1) };
            }
        }
    }
}

/// Dropout (Srivastava et al. 2014) and Gaussian noise from a seeded generator: candle's own cannot be seeded on a CPU.
pub struct Dropout<'a>(pub &'a mut ChaCha8Rng);

impl Dropout<'_> {
    fn drop(&mut self, x: Tensor, rate: f64) -> Result<Tensor> {
        let keep = (1.0 / (1.0 - rate)) as f32;
        let mask: Vec<f32> = (0..x.elem_count()).map(|_| if self.0.random::<f32>() < rate as f32 { 0.0 } else { keep }).collect();
        x.mul(&Tensor::from_vec(mask, x.shape(), x.device())?)
    }
}

impl Noise for Dropout<'_> {
    fn input(&mut self, x: Tensor) -> Result<Tensor> {
        let noise: Vec<f32> = (0..x.elem_count()).map(|_| (INPUT_DEVIATION * normal(self.0)) as f32).collect();
        let noisy = (&x + Tensor::from_vec(noise, x.shape(), x.device())?)?;
        self.drop(noisy, INPUT_DROPOUT)
    }

    fn hidden(&mut self, x: Tensor) -> Result<Tensor> {
        self.drop(x, HIDDEN_DROPOUT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;

    proptest! {
        #[test]
        fn misreading_leaves_no_line_empty_and_is_repeatable(text in "[A-Z0-9 .]{0,30}[A-Z0-9]", rate in 0.0..1.0f64, seed: u64) {
            let read = || misread_text(&text, rate, &mut ChaCha8Rng::seed_from_u64(seed));
            prop_assert!(!read().trim().is_empty());
            prop_assert_eq!(read(), read());
        }
    }

    #[test]
    fn dropout_keeps_the_mean() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let ones = Tensor::ones(20_000, candle_core::DType::F32, &candle_core::Device::Cpu).unwrap();
        let dropped = Dropout(&mut rng).hidden(ones).unwrap().to_vec1::<f32>().unwrap();
        let zeros = dropped.iter().filter(|value| **value == 0.0).count() as f64 / 20_000.0;
        let mean = dropped.iter().sum::<f32>() / 20_000.0;
        assert!((zeros - HIDDEN_DROPOUT).abs() < 0.02 && (mean - 1.0).abs() < 0.02, "{zeros} {mean}");
    }
}
