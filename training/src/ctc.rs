//! Connectionist temporal classification: the loss that needs no alignment of columns with characters.
//!
//! Graves et al., "Connectionist Temporal Classification", ICML 2006: the probability of a text is the sum over all paths
//! that collapse to it (repetitions joined, blanks dropped), by the forward-backward recursion over the text with blanks
//! between its characters; the gradient with respect to the logits is `softmax - occupancy` (their eq. 16).
//!
//! The **case-folded** form serves transcripts that are upper case whatever the print shows (SROIE): the probability of a
//! letter is the sum of those of its two cases, and the occupancy of a letter is shared between its cases in proportion to
//! their probabilities, so that the network keeps its own opinion of the case.

use candle_core::{DType, Result, Tensor};
use engine::recognise::charset::{self, BLANK};
use rayon::prelude::*;

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// For each character the classes that count as it: one, or both cases of a letter.
    characters: Vec<Characters>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Characters {
    class: usize,
    /// The other case of the letter, where it counts too.
    alternative: Option<usize>,
}

impl Target {
    /// `None` if the text is empty or the recogniser has no class for one of its characters.
    pub fn exact(text: &str) -> Option<Self> {
        Self::of(text, |_| None)
    }

    /// Either case of a letter will do.
    pub fn case_folded(text: &str) -> Option<Self> {
        Self::of(text, |c| {
            let other = if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
            charset::class(other).filter(|_| other != c)
        })
    }

    fn of(text: &str, alternative: impl Fn(char) -> Option<usize>) -> Option<Self> {
        let characters: Option<Vec<_>> =
            text.chars().map(|c| charset::class(c).map(|class| Characters { class, alternative: alternative(c) })).collect();
        characters.filter(|c| !c.is_empty()).map(|characters| Self { characters })
    }

    /// States of a path: blank, character 0, blank, character 1, .., blank.
    fn states(&self) -> usize {
        2 * self.characters.len() + 1
    }

    /// What state `s` stands for; `None` is the blank.
    fn state(&self, s: usize) -> Option<Characters> {
        (s % 2 == 1).then(|| self.characters[s / 2])
    }

    /// How many states back the state before `s` may be: the blank between different characters may be skipped.
    fn steps_max(&self, s: usize) -> usize {
        if s >= 2 && self.state(s).is_some() && self.state(s) != self.state(s - 2) { 2 } else { s.min(1) }
    }

    /// Of state `s` in a column of probabilities.
    fn probability(&self, s: usize, column: &[f32]) -> f32 {
        self.state(s).map_or(column[BLANK], |c| column[c.class] + c.alternative.map_or(0.0, |class| column[class]))
    }

    /// Columns that any path needs: one a character and a blank between equal neighbours.
    pub fn columns_min(&self) -> usize {
        self.characters.len() + self.characters.windows(2).filter(|pair| pair[0] == pair[1]).count()
    }
}

/// Where a text stands in its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Alignment {
    /// For each character the column that shows it best.
    pub columns: Vec<usize>,
    /// Mean probability of the characters in those columns, 0 to 1.
    pub probability: f32,
}

/// The most probable of all paths over logits `[columns, classes]` that spell `target` (Viterbi 1967); `None` where there are too few
/// columns for any.
pub fn align(logits: &[f32], classes: usize, target: &Target) -> Option<Alignment> {
    let columns = logits.len() / classes;
    if columns < target.columns_min() {
        return None;
    }
    let mut softmaxed = vec![0.0; logits.len()];
    for (out, logits) in softmaxed.chunks_exact_mut(classes).zip(logits.chunks_exact(classes)) {
        softmax(logits, out);
    }
    let states = target.states();
    let probability = |t: usize, s: usize| target.probability(s, &softmaxed[t * classes..][..classes]);
    let mut best = vec![f32::NEG_INFINITY; columns * states];
    let mut before = vec![0u8; columns * states];
    for t in 0..columns {
        for s in 0..states {
            let (steps, reached) = match t {
                0 => (0, if s < 2 { 0.0 } else { f32::NEG_INFINITY }),
                _ => (0..=target.steps_max(s)).map(|step| (step, best[(t - 1) * states + s - step])).fold((0, f32::NEG_INFINITY), later),
            };
            best[t * states + s] = reached + probability(t, s).max(f32::MIN_POSITIVE).ln();
            before[t * states + s] = steps as u8;
        }
    }
    let last = &best[(columns - 1) * states..];
    let mut s = if last[states - 1] > last[states - 2] { states - 1 } else { states - 2 };
    let mut shown = vec![(0, 0.0); target.characters.len()];
    for t in (0..columns).rev() {
        if s % 2 == 1 && probability(t, s) > shown[s / 2].1 {
            shown[s / 2] = (t, probability(t, s));
        }
        s -= usize::from(before[t * states + s]);
    }
    let sum: f32 = shown.iter().map(|(_, probability)| probability).sum();
    Some(Alignment { columns: shown.iter().map(|&(column, _)| column).collect(), probability: sum / shown.len() as f32 })
}

fn later(best: (usize, f32), other: (usize, f32)) -> (usize, f32) {
    if other.1 > best.1 { other } else { best }
}

/// Mean loss (nats a character) over logits `[n, columns, classes]`, with its gradient. A line too short for its text counts as 0.
pub fn ctc_loss(logits: &Tensor, targets: &[Target]) -> Result<(f32, Tensor)> {
    let (n, columns, classes) = logits.dims3()?;
    if n != targets.len() {
        candle_core::bail!("{n} lines with {} texts", targets.len());
    }
    let values = logits.detach().to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
    let mut gradient = vec![0.0; values.len()];
    let losses: Vec<f32> = gradient
        .par_chunks_mut(columns * classes)
        .zip(values.par_chunks(columns * classes))
        .zip(targets)
        .map(|((gradient, logits), target)| line_loss(logits, classes, target, gradient))
        .collect();
    let characters: usize = targets.iter().map(|target| target.characters.len()).sum();
    let share = 1.0 / characters.max(1) as f32;
    gradient.iter_mut().for_each(|g| *g *= share);
    let gradient = Tensor::from_vec(gradient, (n, columns, classes), logits.device())?;
    // Its derivative with respect to the logits is the gradient just computed.
    Ok((losses.iter().sum::<f32>() * share, (logits * gradient)?.sum_all()?))
}

/// Loss of one line; `gradient` receives its derivative with respect to the logits.
fn line_loss(logits: &[f32], classes: usize, target: &Target, gradient: &mut [f32]) -> f32 {
    let columns = logits.len() / classes;
    let states = target.states();
    let may_skip = |s: usize| target.steps_max(s) == 2;

    for (gradient, logits) in gradient.chunks_exact_mut(classes).zip(logits.chunks_exact(classes)) {
        softmax(logits, gradient);
    }
    let mut log_p = vec![0.0; columns * states];
    for t in 0..columns {
        for s in 0..states {
            log_p[t * states + s] = target.probability(s, &gradient[t * classes..][..classes]).max(f32::MIN_POSITIVE).ln();
        }
    }

    let mut alpha = vec![f32::NEG_INFINITY; columns * states];
    for t in 0..columns {
        for s in 0..states {
            let reached = if t == 0 {
                if s < 2 { 0.0 } else { f32::NEG_INFINITY }
            } else {
                let before = &alpha[(t - 1) * states..];
                let step = if s > 0 { before[s - 1] } else { f32::NEG_INFINITY };
                let skip = if may_skip(s) { before[s - 2] } else { f32::NEG_INFINITY };
                log_add(log_add(before[s], step), skip)
            };
            alpha[t * states + s] = reached + log_p[t * states + s];
        }
    }
    let last = &alpha[(columns - 1) * states..];
    let total = log_add(last[states - 1], last[states - 2]);
    if !total.is_finite() {
        gradient.fill(0.0);
        return 0.0;
    }

    // Backwards: beta excludes the column's own probability, so alpha + beta - total is the log occupancy.
    let mut beta = vec![f32::NEG_INFINITY; states];
    beta[states - 1] = 0.0;
    beta[states - 2] = 0.0;
    for t in (0..columns).rev() {
        let column = &mut gradient[t * classes..][..classes];
        subtract_occupancy(column, (0..states).map(|s| (target.state(s), alpha[t * states + s] + beta[s] - total)));
        let onward: Vec<f32> = (0..states).map(|s| beta[s] + log_p[t * states + s]).collect();
        for s in 0..states {
            let step = if s + 1 < states { onward[s + 1] } else { f32::NEG_INFINITY };
            let skip = if s + 2 < states && may_skip(s + 2) { onward[s + 2] } else { f32::NEG_INFINITY };
            beta[s] = log_add(log_add(onward[s], step), skip);
        }
    }
    -total
}

/// `column` holds the softmax and becomes the gradient.
fn subtract_occupancy(column: &mut [f32], occupancies: impl Iterator<Item = (Option<Characters>, f32)>) {
    let softmaxed = column.to_vec();
    for (characters, log_occupancy) in occupancies {
        let occupancy = log_occupancy.exp();
        match characters {
            None => column[BLANK] -= occupancy,
            Some(Characters { class, alternative: None }) => column[class] -= occupancy,
            Some(Characters { class, alternative: Some(other) }) => {
                let share = softmaxed[class] / (softmaxed[class] + softmaxed[other]).max(f32::MIN_POSITIVE);
                column[class] -= occupancy * share;
                column[other] -= occupancy * (1.0 - share);
            }
        }
    }
}

fn softmax(logits: &[f32], out: &mut [f32]) {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (out, logit) in out.iter_mut().zip(logits) {
        *out = (logit - largest).exp();
        sum += *out;
    }
    out.iter_mut().for_each(|p| *p /= sum);
}

/// log(e^a + e^b)
fn log_add(a: f32, b: f32) -> f32 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f32::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    fn logits(columns: usize) -> Vec<f32> {
        (0..columns * charset::classes()).map(|i| 2.0 * ((i + 1) as f32 * 0.618_034).fract() - 1.0).collect()
    }

    /// The sum over all paths, by enumeration of the paths over the text's own classes and the blank.
    fn by_enumeration(logits: &[f32], columns: usize, accepts: impl Fn(&str) -> bool, alphabet: &[usize]) -> f32 {
        let classes = charset::classes();
        let mut probabilities = vec![0.0; logits.len()];
        for (p, l) in probabilities.chunks_exact_mut(classes).zip(logits.chunks_exact(classes)) {
            softmax(l, p);
        }
        let mut total = 0.0;
        for code in 0..alphabet.len().pow(columns as u32) {
            let path: Vec<usize> = (0..columns).map(|t| alphabet[code / alphabet.len().pow(t as u32) % alphabet.len()]).collect();
            let mut text = String::new();
            for t in 0..columns {
                if t == 0 || path[t] != path[t - 1] {
                    text.extend(charset::character(path[t]));
                }
            }
            if accepts(&text) {
                total += (0..columns).map(|t| probabilities[t * classes + path[t]]).product::<f32>();
            }
        }
        -total.ln()
    }

    fn loss(logits: &[f32], target: &Target) -> f32 {
        line_loss(logits, charset::classes(), target, &mut vec![0.0; logits.len()])
    }

    #[test]
    fn a_text_is_aligned_with_the_columns_that_show_it() {
        let classes = charset::classes();
        for (path, columns) in [("_a_ab__", vec![1, 3, 4]), ("aa__b", vec![1, 4]), ("__ab", vec![2, 3])] {
            let mut logits = vec![0.0; path.len() * classes];
            for (t, c) in path.chars().enumerate() {
                logits[t * classes + charset::class(c).filter(|_| c != '_').unwrap_or(BLANK)] = 8.0;
            }
            let text: String = if path.starts_with("_a_a") { "AAB".into() } else { "AB".into() };
            let alignment = align(&logits, classes, &Target::case_folded(&text).unwrap()).unwrap();
            assert_eq!(alignment.columns, columns, "{path}");
            assert!(alignment.probability > 0.9);
        }
        assert_eq!(align(&vec![0.0; 2 * classes], classes, &Target::exact("aa").unwrap()), None, "a blank has no room");
    }

    #[test]
    fn the_loss_is_the_sum_over_paths() {
        let class = |c| charset::class(c).unwrap();
        for text in ["a", "ab", "aa", "aba"] {
            let logits = logits(5);
            let expected = by_enumeration(&logits, 5, |t| t == text, &[BLANK, class('a'), class('b')]);
            assert!((loss(&logits, &Target::exact(text).unwrap()) - expected).abs() < 1e-4, "{text}");
        }
    }

    #[test]
    fn the_folded_loss_sums_over_cases() {
        let class = |c| charset::class(c).unwrap();
        let logits = logits(3);
        // A path that changes case inside one letter ("aA") counts as one letter too, as the two form one symbol.
        let collapsed = |t: &str| t.to_uppercase() == "A" || t == "aA" || t == "Aa" || t == "aAa" || t == "AaA";
        let all = by_enumeration(&logits, 3, collapsed, &[BLANK, class('a'), class('A')]);
        // Of those, paths with a blank inside ("a_A") would be two letters: taken away again.
        let p = |t: usize, k: usize| {
            let column = &logits[t * charset::classes()..][..charset::classes()];
            let mut out = vec![0.0; column.len()];
            softmax(column, &mut out);
            out[k]
        };
        let (a, b) = (class('a'), class('A'));
        let split = p(1, BLANK) * (p(0, a) * p(2, b) + p(0, b) * p(2, a));
        let expected = -((-all).exp() - split).ln();
        let got = loss(&logits, &Target::case_folded("A").unwrap());
        assert!((got - expected).abs() < 1e-4, "{got} {expected}");
    }

    #[test]
    fn gradients_equal_finite_differences() {
        for target in [Target::exact("aab1").unwrap(), Target::case_folded("AB A").unwrap()] {
            let values = logits(9);
            let mut gradient = vec![0.0; values.len()];
            line_loss(&values, charset::classes(), &target, &mut gradient);
            for i in (0..values.len()).step_by(7) {
                let shifted = |by: f32| {
                    let mut values = values.clone();
                    values[i] += by;
                    loss(&values, &target)
                };
                let numeric = (shifted(1e-2) - shifted(-1e-2)) / 2e-2;
                assert!((gradient[i] - numeric).abs() < 2e-3, "{i}: {} {numeric}", gradient[i]);
            }
        }
    }

    #[test]
    fn the_tensor_form_averages_and_descends() {
        let classes = charset::classes();
        let x = Var::from_vec(logits(12), (2, 6, classes), &Device::Cpu).unwrap();
        let targets = [Target::exact("ab").unwrap(), Target::case_folded("C").unwrap()];
        let (before, loss) = ctc_loss(x.as_tensor(), &targets).unwrap();
        let gradients = loss.backward().unwrap();
        let gradient = gradients.get(x.as_tensor()).unwrap();
        let after = (x.as_tensor() - (gradient * 0.5).unwrap()).unwrap();
        assert!(ctc_loss(&after, &targets).unwrap().0 < before);
    }

    #[test]
    fn a_line_too_short_for_its_text_teaches_nothing() {
        let target = Target::exact("aaa").unwrap();
        assert_eq!(target.columns_min(), 5);
        let values = logits(4);
        let mut gradient = vec![1.0; values.len()];
        assert_eq!(line_loss(&values, charset::classes(), &target, &mut gradient), 0.0);
        assert!(gradient.iter().all(|&g| g == 0.0));
    }

    #[test]
    fn texts_that_cannot_be_written_are_no_target() {
        assert!(Target::exact("").is_none());
        assert!(Target::exact("漢").is_none());
    }
}
