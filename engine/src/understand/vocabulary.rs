//! Words and character n-grams as the numbers that the network's tables are indexed by.

use tokenizers::Tokenizer;

/// Id of a word that is not in the vocabulary.
pub const UNKNOWN_WORD: u32 = 0;

/// Rows of the table of character n-grams.
pub const GRAM_BUCKETS: usize = 8192;

/// Lengths of the n-grams, in characters.
const GRAM_LENGTHS: std::ops::RangeInclusive<usize> = 2..=5;

/// Only the beginning of a very long line counts.
const LINE_CHARACTERS_MAX: usize = 120;

/// A vocabulary trained beside the network; its JSON form is kept with the weights.
pub struct Vocabulary {
    tokenizer: Tokenizer,
}

impl Vocabulary {
    /// From the `tokenizers` JSON form.
    pub fn from_json(json: &str) -> tokenizers::Result<Self> {
        Ok(Self { tokenizer: Tokenizer::from_bytes(json)? })
    }

    /// The ids of the words of `text`, [`UNKNOWN_WORD`] among them.
    pub fn words(&self, text: &str) -> tokenizers::Result<Vec<u32>> {
        Ok(self.tokenizer.encode_fast(text, false)?.get_ids().to_vec())
    }
}

/// Hashed n-grams of the line in upper case with digits as `0` and a space at both ends (the hashing trick of fastText).
pub fn grams(text: &str) -> Vec<u32> {
    let shape = |c: char| if c.is_numeric() { '0' } else { c };
    let inner = text.trim().chars().take(LINE_CHARACTERS_MAX).flat_map(char::to_uppercase).map(shape);
    let characters: Vec<char> = std::iter::once(' ').chain(inner).chain(std::iter::once(' ')).collect();
    GRAM_LENGTHS.flat_map(|length| characters.windows(length).map(bucket)).collect()
}

/// FNV-1a over the characters.
fn bucket(gram: &[char]) -> u32 {
    let hash = gram.iter().fold(0x811c_9dc5_u32, |hash, c| (hash ^ *c as u32).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 16)) % GRAM_BUCKETS as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grams_see_neither_case_nor_digits() {
        assert_eq!(grams("Total 12"), grams(" TOTAL 98 "));
        assert_ne!(grams("TOTAL"), grams("TOTEL"));
        // " AB " has three pairs, two triples, one quadruple.
        assert_eq!(grams("AB").len(), 3 + 2 + 1);
    }
}
