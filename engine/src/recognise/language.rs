//! A character language model: how probable a character is after those before it. It tells apart what looks alike, where one
//! reading is language and the other is not.
//!
//! n-grams up to [`ORDER`] with interpolated smoothing (Witten and Bell 1991, <https://doi.org/10.1109/18.87000>), looked up with
//! back-off as in the ARPA form: the longest n-gram that is known, at the price of each longer context that does not know the
//! character. The table is open-addressed and is used as it stands in the file.
//!
//! Case is folded, and all digits are one symbol: how a price is written is language, which price is not.

use candle_core::safetensors::load_buffer;
use candle_core::{Device, Error, Result};

/// Symbols in the longest n-gram.
pub const ORDER: usize = 6;
/// Stands before the first character of a line.
pub const START: u8 = 1;
/// All characters that have no symbol of their own.
const OTHER: u8 = 2;
/// Steps of the table's logarithms a nat.
const STEPS_A_NAT: f32 = 16.0;
/// Natural logarithm of the number of digits that share a symbol.
const LN_DIGITS: f32 = std::f32::consts::LN_10;
/// How many symbols there are: what no n-gram knows is one of them. Printable ASCII without small letters, ten digits as one,
/// [`BEYOND_ASCII`] and [`OTHER`].
pub const SYMBOLS: f32 = (95 - 26 - 9 + 57 + 1) as f32;

/// The letters and signs beyond ASCII that have symbols.
pub const BEYOND_ASCII: &str = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßŸŒĄĆĘŁŃŚŹŻČĎĐĚŇŘŠŤŮŽŐŰĞİŞ€£°";
/// The symbol of the first of them.
const FIRST_BEYOND_ASCII: u8 = 128;

/// The symbol of a character.
pub fn symbol(character: char) -> u8 {
    match character {
        '0'..='9' => b'0',
        ' '..='~' => character.to_ascii_uppercase() as u8,
        _ => {
            let upper = if character == 'ß' { character } else { character.to_uppercase().next().unwrap_or(character) };
            let place = BEYOND_ASCII.chars().position(|known| known == upper);
            place.map_or(OTHER, |place| FIRST_BEYOND_ASCII + place as u8)
        }
    }
}

/// The last symbols of a line, the newest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Context([u8; ORDER - 1]);

impl Context {
    /// Of a line's first character.
    pub const LINE_START: Self = Self([START; ORDER - 1]);

    /// The context of the character after `character`.
    pub fn then(self, character: char) -> Self {
        let mut symbols = self.0;
        symbols.copy_within(1.., 0);
        symbols[ORDER - 2] = symbol(character);
        Self(symbols)
    }

    /// The newest `length` symbols.
    pub fn last(&self, length: usize) -> &[u8] {
        &self.0[ORDER - 1 - length..]
    }
}

/// What the table knows of an n-gram, in natural logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// Of its last symbol after the others.
    pub log_probability: f32,
    /// What it costs, as a context, to look a symbol up in the next shorter one.
    pub log_backoff: f32,
}

/// See the module.
pub struct LanguageModel {
    /// 0 where a slot is free. As many as a power of two.
    keys: Vec<u32>,
    /// Steps below 0 of the probability and of the back-off.
    steps: Vec<[u8; 2]>,
}

impl LanguageModel {
    /// From a file with `keys` and `steps` as [`LanguageModel::from_entries`] lays them out.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self> {
        let tensors = load_buffer(bytes, &Device::Cpu)?;
        let tensor = |name: &str| tensors.get(name).ok_or_else(|| Error::Msg(format!("the language model has no {name}")));
        let keys = tensor("keys")?.to_vec1::<u32>()?;
        let steps = tensor("steps")?.flatten_all()?.to_vec1::<u8>()?.as_chunks().0.to_vec();
        if !keys.len().is_power_of_two() || steps.len() != keys.len() || !keys.contains(&0) {
            candle_core::bail!(
                "a language model of {} keys and {} steps: a table is a power of two with a free slot",
                keys.len(),
                steps.len()
            );
        }
        Ok(Self { keys, steps })
    }

    /// A table of these n-grams (1 to [`ORDER`] symbols each).
    pub fn from_entries<'a>(entries: impl ExactSizeIterator<Item = (&'a [u8], Entry)>) -> Self {
        let slots = (entries.len() * 3 / 2 + 1).next_power_of_two();
        let mut model = Self { keys: vec![0; slots], steps: vec![[0; 2]; slots] };
        let steps = |logarithm: f32| (-logarithm * STEPS_A_NAT).round().clamp(0.0, 255.0) as u8;
        for (ngram, entry) in entries {
            let hash = ngram.iter().fold(HASH_START, |hash, &symbol| mix(hash, symbol));
            let (slot, _) = model.find(hash);
            model.keys[slot] = key(hash);
            model.steps[slot] = [steps(entry.log_probability), steps(entry.log_backoff)];
        }
        model
    }

    /// The table: keys and steps.
    pub fn parts(&self) -> (&[u32], &[[u8; 2]]) {
        (&self.keys, &self.steps)
    }

    /// Natural logarithm of the probability of `character` after `context`.
    pub fn log_probability(&self, context: &Context, character: char) -> f32 {
        let next = symbol(character);
        let shared = if next == b'0' { LN_DIGITS } else { 0.0 };
        let mut price = 0.0;
        for length in (0..ORDER).rev() {
            let before = context.last(length).iter().fold(HASH_START, |hash, &symbol| mix(hash, symbol));
            if let Some(entry) = self.entry(mix(before, next)) {
                return price + entry.log_probability - shared;
            }
            price += self.entry(before).map_or(0.0, |context| context.log_backoff);
        }
        price - SYMBOLS.ln() - shared
    }

    fn entry(&self, hash: u64) -> Option<Entry> {
        let (slot, known) = self.find(hash);
        let [probability, backoff] = self.steps[slot].map(|steps| -f32::from(steps) / STEPS_A_NAT);
        known.then_some(Entry { log_probability: probability, log_backoff: backoff })
    }

    /// The slot that holds the n-gram of this hash, or the free one where it would stand.
    fn find(&self, hash: u64) -> (usize, bool) {
        let (mask, key) = (self.keys.len() - 1, key(hash));
        let mut slot = (hash >> 32) as usize & mask;
        loop {
            match self.keys[slot] {
                0 => return (slot, false),
                found if found == key => return (slot, true),
                _ => slot = (slot + 1) & mask,
            }
        }
    }
}

const HASH_START: u64 = 0xcbf2_9ce4_8422_2325;

/// A step of FNV-1a with a wider multiplier, so that high and low bits both depend on all symbols.
fn mix(hash: u64, symbol: u8) -> u64 {
    let product = (hash ^ u64::from(symbol)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 29
}

fn key(hash: u64) -> u32 {
    (hash as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(entries: &[(&str, f32, f32)]) -> LanguageModel {
        LanguageModel::from_entries(
            entries.iter().map(|&(ngram, log_probability, log_backoff)| (ngram.as_bytes(), Entry { log_probability, log_backoff })),
        )
    }

    fn after(text: &str) -> Context {
        text.chars().fold(Context::LINE_START, Context::then)
    }

    #[test]
    fn the_longest_known_ngram_counts() {
        let model = model(&[("A", -2.0, -0.5), ("B", -3.0, -1.0), ("AB", -0.25, -0.125), ("0", -1.0, 0.0)]);
        for (context, character, expected) in [
            ("A", 'B', -0.25),
            ("a", 'b', -0.25),
            ("B", 'B', -1.0 - 3.0),
            ("AB", 'A', -0.125 - 1.0 - 2.0),
            ("", 'A', -2.0),
            ("", 'Á', -SYMBOLS.ln()),
            ("A", 'C', -0.5 - SYMBOLS.ln()),
            ("", '7', -1.0 - LN_DIGITS),
        ] {
            let found = model.log_probability(&after(context), character);
            assert!((found - expected).abs() < 1e-5, "{character} after {context:?}: {found}, not {expected}");
        }
    }

    #[test]
    fn symbols_are_counted() {
        let mut symbols: Vec<u8> = (' '..='~').chain(BEYOND_ASCII.chars()).chain(['漢']).map(symbol).collect();
        symbols.sort_unstable();
        symbols.dedup();
        assert_eq!(symbols.len() as f32, SYMBOLS);
        assert!(!symbols.contains(&START));
        assert_eq!((symbol('ä'), symbol('ß'), symbol('ÿ')), (symbol('Ä'), symbol('ß'), symbol('Ÿ')));
    }

    #[test]
    fn a_context_forgets_what_is_too_long_ago() {
        assert_eq!(after("XXABCDE"), after("YYYabcde"));
        assert_eq!(after("N0 7").last(2), b" 0");
    }

    #[test]
    fn a_full_table_still_finds_everything() {
        let ngrams: Vec<String> =
            (0..3000).map(|i| format!("{i:04}").replace(|c: char| c.is_ascii_digit(), "X") + &format!("{i}")).collect();
        let entry = |i: usize| Entry { log_probability: -((i % 200) as f32) / STEPS_A_NAT, log_backoff: 0.0 };
        let model = LanguageModel::from_entries(ngrams.iter().enumerate().map(|(i, ngram)| (ngram.as_bytes(), entry(i))));
        for (i, ngram) in ngrams.iter().enumerate() {
            let hash = ngram.bytes().fold(HASH_START, mix);
            assert_eq!(model.entry(hash), Some(entry(i)), "{ngram}");
        }
    }
}
