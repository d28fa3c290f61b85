//! Task 2: the words of a page as a bag, and the characters of a line.
//!
//! SROIE splits transcripts on spaces and compares exactly; its transcripts are upper case whatever the print shows, so what we read is
//! upper-cased first. Beside it, [`Form::LettersAndDigits`] tells reading errors from conventions of punctuation.

use std::collections::HashMap;

use super::Tally;

/// What of a word is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Every character, upper-cased: SROIE's protocol.
    Exact,
    /// Upper-cased letters and digits; a word without any is not a word.
    LettersAndDigits,
}

impl Form {
    fn of(self, word: &str) -> String {
        let upper = word.to_uppercase();
        match self {
            Self::Exact => upper,
            Self::LettersAndDigits => upper.chars().filter(|c| c.is_alphanumeric()).collect(),
        }
    }
}

/// The words of some lines: split on white space, in `form`, none empty.
pub fn words<'a>(lines: impl IntoIterator<Item = &'a str>, form: Form) -> Vec<String> {
    lines.into_iter().flat_map(str::split_whitespace).map(|word| form.of(word)).filter(|word| !word.is_empty()).collect()
}

/// One page: each word counts as often as it stands there.
pub fn bag_of_words<'a>(truth: impl IntoIterator<Item = &'a str>, read: impl IntoIterator<Item = &'a str>, form: Form) -> Tally {
    let (truth, read) = (words(truth, form), words(read, form));
    let mut missing: HashMap<&str, usize> = HashMap::new();
    for word in &truth {
        *missing.entry(word).or_default() += 1;
    }
    let mut is_missing = |word: &str| match missing.get_mut(word) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    };
    let pairs = read.iter().filter(|word| is_missing(word)).count();
    Tally::of_pairs(pairs, read.len(), truth.len())
}

/// Character errors: insertions, deletions and substitutions (Levenshtein) against the number of true characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CharacterErrors {
    pub errors: usize,
    pub characters: usize,
}

impl CharacterErrors {
    /// Of one line, upper-cased as the transcripts are.
    pub fn of(truth: &str, read: &str) -> Self {
        let (truth, read) = (truth.to_uppercase(), read.to_uppercase());
        Self { errors: strsim::levenshtein(&truth, &read), characters: truth.chars().count() }
    }

    /// CER: errors a true character; may exceed 1.
    pub fn rate(&self) -> f64 {
        super::ratio(self.errors as f64, self.characters)
    }
}

impl std::ops::AddAssign for CharacterErrors {
    fn add_assign(&mut self, other: Self) {
        self.errors += other.errors;
        self.characters += other.characters;
    }
}

impl std::iter::Sum for CharacterErrors {
    fn sum<I: Iterator<Item = Self>>(lines: I) -> Self {
        lines.fold(Self::default(), |mut sum, line| {
            sum += line;
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bags_by_hand() {
        type Case<'a> = (&'a str, &'a [&'a str], &'a [&'a str], Form, (usize, usize, usize));
        let cases: &[Case] = &[
            ("case folds", &["TOTAL 9.00"], &["Total 9.00"], Form::Exact, (2, 2, 2)),
            ("punctuation counts", &["TOTAL: 9.00"], &["Total 9.00"], Form::Exact, (1, 2, 2)),
            ("or does not", &["TOTAL: 9.00"], &["Total 900"], Form::LettersAndDigits, (2, 2, 2)),
            ("a lost space loses both words", &["THANK YOU"], &["THANKYOU"], Form::Exact, (0, 1, 2)),
            ("a word counts as often as it stands", &["1 1 1"], &["1 1"], Form::Exact, (2, 2, 3)),
            ("the order and the lines do not matter", &["A B", "C"], &["C A", "B"], Form::Exact, (3, 3, 3)),
            ("a word of signs only", &["* A"], &["A"], Form::LettersAndDigits, (1, 1, 1)),
            ("runs of spaces make no empty words", &["A  B "], &["A B"], Form::Exact, (2, 2, 2)),
        ];
        for (name, truth, read, form, (pairs, read_words, true_words)) in cases {
            let tally = bag_of_words(truth.iter().copied(), read.iter().copied(), *form);
            assert_eq!(tally, Tally::of_pairs(*pairs, *read_words, *true_words), "{name}");
        }
    }

    #[test]
    fn character_errors_by_hand() {
        let cases = [("TOTAL", "Total", 0, 5), ("TOTAL", "T0TAL", 1, 5), ("A B", "AB", 1, 3), ("", "X", 1, 0), ("CAFÉ", "CAFE", 1, 4)];
        for (truth, read, errors, characters) in cases {
            assert_eq!(CharacterErrors::of(truth, read), CharacterErrors { errors, characters }, "{truth} {read}");
        }
        let sum: CharacterErrors = [("AB", "AX"), ("ABCDEFGH", "ABCDEFGH")].iter().map(|(t, r)| CharacterErrors::of(t, r)).sum();
        assert_eq!(sum.rate(), 0.1);
    }
}
