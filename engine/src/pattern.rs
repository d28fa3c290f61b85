//! The regular expressions that this crate is written with.

use std::iter::once;

use regex::Regex;

/// `\w` of the scripts that the documents come in: Latin, Greek and Cyrillic.
const WORD: &str = r"0-9A-Z_a-zªµºÀ-ÖØ-öø-ˁ\u{300}-\u{36f}\u{386}\u{388}-\u{481}\u{48a}-\u{52f}";

/// Compiles a constant of the code. Its digits are those of ASCII and its word characters those of Europe's scripts: with all of
/// Unicode's, which are hundreds of ranges, most of a first document's time went into compiling them.
///
/// # Panics
/// If it is no regular expression, which a test would see.
pub(crate) fn pattern(text: &str) -> Regex {
    Regex::new(&narrowed(text)).expect("the pattern is a constant that a test compiles")
}

/// The same pattern with classes of fewer characters.
fn narrowed(text: &str) -> String {
    let mut narrowed = String::with_capacity(text.len());
    let mut in_class = false;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let next = if character == '\\' { characters.next() } else { None };
        match (character, next) {
            ('\\', Some('d')) if in_class => narrowed.push_str("0-9"),
            ('\\', Some('d')) => narrowed.push_str("[0-9]"),
            // Both cases of letters stand in the class: it need not be folded.
            ('\\', Some('w')) if in_class => narrowed.push_str(WORD),
            ('\\', Some('w')) => narrowed.push_str(&format!("(?-i:[{WORD}])")),
            ('\\', Some('W')) if in_class => narrowed.push_str(&format!("[^{WORD}]")),
            ('\\', Some('W')) => narrowed.push_str(&format!("(?-i:[^{WORD}])")),
            _ => {
                in_class = (in_class || character == '[') && character != ']';
                narrowed.extend(once(character).chain(next));
            }
        }
    }
    narrowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrowed_patterns_find_what_they_found() {
        let texts = ["Übertrag: 12,50", "N°7 / réf. 0012-A", "\\d [x] é", "Œuf_1", "Ίσως 5", "– 3 –", "К 9", "a×b÷c", "²³ 1", "(n° d)"];
        for text in
            [r"\w+", r"\W+", r"(?i)^\W*\w", r"[\w.-]+", r"[^\w ]+", r"[^\d]{2}", r"[\d \-()/.]+", r"\\d", r"[\[\w]", r"[\W_]*$", r"\bd\b"]
        {
            let (wide, narrow) = (Regex::new(text).unwrap(), pattern(text));
            for said in texts {
                let found = |regex: &Regex| regex.find_iter(said).map(|found| found.range()).collect::<Vec<_>>();
                assert_eq!(found(&narrow), found(&wide), "{text} in {said}");
            }
        }
    }
}
