//! The recogniser's language model, counted from transcripts and from what the line generator says.
//!
//! Interpolated smoothing after Witten and Bell 1991, <https://doi.org/10.1109/18.87000>: of an n-gram that was seen `c` times, whose
//! context was seen `n` times with `t` different symbols behind it, `p = (c + t q) / (n + t)`, `q` being the probability in the next
//! shorter context; what was never seen there gets `t q / (n + t)`.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Device, Result, Tensor};
use engine::recognise::language::{Entry, LanguageModel, ORDER, START, SYMBOLS, symbol};

/// n-grams longer than this are left out where they are seen less than [`SEEN_MIN`] times: they are names, and most of the table.
const KEPT_IF_RARE_MAX: usize = 3;
const SEEN_MIN: u32 = 3;
/// What stands before a line is only a context, never looked up for its probability.
const NEVER: f32 = -15.0;

type Counts = HashMap<Vec<u8>, Count>;

/// How often an n-gram was seen.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    seen: u32,
    /// The same, each time by the weight of its line.
    times: f32,
}

/// How often a context was seen, and with how many different symbols behind it.
#[derive(Debug, Clone, Copy, Default)]
struct Followed {
    times: f32,
    kinds: f32,
}

impl Followed {
    /// Share of what is left to the next shorter context.
    fn backoff(self) -> f32 {
        self.kinds / (self.times + self.kinds)
    }
}

/// Counts the lines, each as often as it weighs, and smooths the counts.
pub fn model<'a>(lines: impl IntoIterator<Item = (&'a str, f32)>) -> LanguageModel {
    let counts = count(lines);
    let mut entries: BTreeMap<Vec<u8>, Entry> = BTreeMap::new();
    for (order, counts) in (1..).zip(&counts) {
        let contexts = contexts(counts);
        for (context, followed) in &contexts {
            // Contexts that were left out as n-grams are unknown; none at all and those before a line are no n-grams, and are needed.
            if context.iter().all(|&symbol| symbol == START) {
                entries.insert(context.to_vec(), Entry { log_probability: NEVER, log_backoff: 0.0 });
            }
            if let Some(entry) = entries.get_mut(*context) {
                entry.log_backoff = followed.backoff().ln();
            }
        }
        for (ngram, &Count { times, .. }) in counts.iter().filter(|(_, count)| count.seen >= SEEN_MIN || order <= KEPT_IF_RARE_MAX) {
            let followed = contexts[&ngram[..order - 1]];
            let shorter = if order == 1 { 1.0 / SYMBOLS } else { probability(&entries, &ngram[1..]) };
            let smoothed = (times + followed.kinds * shorter) / (followed.times + followed.kinds);
            entries.insert(ngram.clone(), Entry { log_probability: smoothed.ln(), log_backoff: 0.0 });
        }
    }
    LanguageModel::from_entries(entries.iter().map(|(ngram, entry)| (ngram.as_slice(), *entry)))
}

/// Of every n-gram, by its length.
fn count<'a>(lines: impl IntoIterator<Item = (&'a str, f32)>) -> [Counts; ORDER] {
    let mut counts: [Counts; ORDER] = Default::default();
    for (line, weight) in lines {
        let symbols: Vec<u8> = std::iter::repeat_n(START, ORDER - 1).chain(line.chars().map(symbol)).collect();
        for end in ORDER..=symbols.len() {
            for (order, counts) in (1..).zip(&mut counts) {
                let count = counts.entry(symbols[end - order..end].to_vec()).or_default();
                count.seen += 1;
                count.times += weight;
            }
        }
    }
    counts
}

fn contexts(counts: &Counts) -> HashMap<&[u8], Followed> {
    let mut contexts: HashMap<&[u8], Followed> = HashMap::new();
    for (ngram, Count { times, .. }) in counts {
        let followed = contexts.entry(&ngram[..ngram.len() - 1]).or_default();
        followed.times += times;
        followed.kinds += 1.0;
    }
    contexts
}

/// Of the last symbol after the others, as far as `entries` know: what was left out is looked up in shorter contexts.
fn probability(entries: &BTreeMap<Vec<u8>, Entry>, ngram: &[u8]) -> f32 {
    match entries.get(ngram) {
        Some(entry) => entry.log_probability.exp(),
        _ if ngram.len() <= 1 => 1.0 / SYMBOLS,
        _ => {
            let backoff = entries.get(&ngram[..ngram.len() - 1]).map_or(0.0, |context| context.log_backoff);
            backoff.exp() * probability(entries, &ngram[1..])
        }
    }
}

/// Writes the table as safetensors.
pub fn write(model: &LanguageModel, path: &Path) -> Result<()> {
    let (keys, steps) = model.parts();
    let flat: Vec<u8> = steps.iter().flatten().copied().collect();
    let tensors =
        HashMap::from([("keys", Tensor::new(keys, &Device::Cpu)?), ("steps", Tensor::from_vec(flat, (keys.len(), 2), &Device::Cpu)?)]);
    candle_core::safetensors::save(&tensors, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::recognise::language::{BEYOND_ASCII, Context};

    const LINES: [&str; 6] = ["TOTAL 9.00", "Sub Total 12.50", "TOTAL", "tax invoice", "TOM & CO", "Total 7.10"];

    fn once(lines: &[&'static str]) -> impl Iterator<Item = (&'static str, f32)> {
        lines.iter().map(|&line| (line, 1.0))
    }

    fn after(text: &str) -> Context {
        text.chars().fold(Context::LINE_START, Context::then)
    }

    #[test]
    fn what_was_seen_more_often_is_more_probable() {
        let model = model(once(&LINES));
        let p = |context: &str, character| model.log_probability(&after(context), character);
        assert!(p("TOT", 'A') > p("TOT", 'O') + 1.0);
        assert!(p("t", 'o') > p("t", '0') + 1.0);
        assert!(p("Total ", '4') > p("Total ", 'A'), "a digit that was never seen, where digits were");
        assert!(p("TO", 'T') > p("TO", 'M') && p("TO", 'M') > p("TO", 'X'));
    }

    #[test]
    fn a_line_counts_as_often_as_it_weighs() {
        let lines = (0..SEEN_MIN).flat_map(|_| [("CART", 1.0), ("CARD", 3.0)]);
        let model = model(lines);
        let p = |character| model.log_probability(&after("CAR"), character).exp();
        assert!((2.5..3.5).contains(&(p('D') / p('T'))), "{} {}", p('D'), p('T'));
    }

    #[test]
    fn probabilities_sum_to_one() {
        let characters = (' '..='~').filter(|c| !c.is_ascii_lowercase()).chain(BEYOND_ASCII.chars()).chain(['©']);
        // Every n-gram of these lines is seen often enough to be kept.
        let model = model((0..SEEN_MIN).flat_map(|_| once(&LINES)));
        for context in ["", "T", "TOTA", "Q", "TOTAL 9", "zzz"] {
            let sum: f32 = characters.clone().map(|c| model.log_probability(&after(context), c).exp()).sum();
            // Logarithms are kept in steps of a sixteenth.
            assert!((sum - 1.0).abs() < 0.05, "{context}: {sum}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("language.safetensors");
        let model = model(once(&LINES));
        write(&model, &path).unwrap();
        let read = LanguageModel::from_safetensors(&std::fs::read(path).unwrap()).unwrap();
        for (context, character) in [("TOT", 'A'), ("", 'X'), ("9.", '0')] {
            assert_eq!(read.log_probability(&after(context), character), model.log_probability(&after(context), character));
        }
    }
}
