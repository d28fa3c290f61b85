//! The wording of receipts and invoices: a weighted context-free grammar, kept as text in `wording.txt`.
//!
//! `[name]` opens a rule; the lines under it are its alternatives, parted by ` | ` and chosen by weight (`3* text`, else 1). In an
//! alternative `{name}` stands for a rule, `#` for a digit and `\` takes the next character as it is. Lines that begin with `;`
//! are comments.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::dice::Dice;

static WORDING: LazyLock<Grammar> = LazyLock::new(|| Grammar::parse(include_str!("wording.txt")).expect("wording.txt is tested"));

/// A text that the rule `rule` of the shipped wording makes. Panics on a rule that wording.txt lacks.
pub fn wording(dice: &mut Dice, rule: &str) -> String {
    WORDING.expand(dice, rule)
}

/// Expands `template`, written like an alternative of the grammar, by the shipped wording.
pub fn fill(dice: &mut Dice, template: &str) -> String {
    let mut text = String::new();
    let parts = parse_parts(template).expect("templates in the code are tested");
    WORDING.write(dice, &parts, &mut text);
    text
}

struct Grammar {
    rules: HashMap<String, Vec<(u32, Vec<Part>)>>,
}

enum Part {
    Literal(String),
    Digit,
    Rule(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum GrammarError {
    #[error("line {line}: text before the first rule")]
    NoRule { line: usize },
    #[error("line {line}: a brace is not closed")]
    OpenBrace { line: usize },
    #[error("rule {rule} has no alternative")]
    Empty { rule: String },
    #[error("rule {rule} refers to {missing}, which does not exist")]
    Unknown { rule: String, missing: String },
}

impl Grammar {
    fn parse(text: &str) -> Result<Self, GrammarError> {
        let mut rules: HashMap<String, Vec<(u32, Vec<Part>)>> = HashMap::new();
        let mut current: Option<String> = None;
        for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with(';')) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                rules.entry(name.to_owned()).or_default();
                current = Some(name.to_owned());
                continue;
            }
            let rule = current.as_ref().and_then(|name| rules.get_mut(name)).ok_or(GrammarError::NoRule { line: i + 1 })?;
            for alternative in line.split(" | ") {
                let (weight, body) = split_weight(alternative);
                rule.push((weight, parse_parts(body).ok_or(GrammarError::OpenBrace { line: i + 1 })?));
            }
        }
        let grammar = Self { rules };
        grammar.check()?;
        Ok(grammar)
    }

    fn check(&self) -> Result<(), GrammarError> {
        for (rule, alternatives) in &self.rules {
            if alternatives.is_empty() {
                return Err(GrammarError::Empty { rule: rule.clone() });
            }
            for part in alternatives.iter().flat_map(|(_, parts)| parts) {
                if let Part::Rule(name) = part
                    && !self.rules.contains_key(name)
                {
                    return Err(GrammarError::Unknown { rule: rule.clone(), missing: name.clone() });
                }
            }
        }
        Ok(())
    }

    fn expand(&self, dice: &mut Dice, rule: &str) -> String {
        let mut text = String::new();
        self.write_rule(dice, rule, &mut text);
        text
    }

    fn write_rule(&self, dice: &mut Dice, rule: &str, text: &mut String) {
        let alternatives = self.rules.get(rule).unwrap_or_else(|| panic!("wording.txt has no rule [{rule}]"));
        let parts = dice.pick_weighted(alternatives);
        self.write(dice, parts, text);
    }

    fn write(&self, dice: &mut Dice, parts: &[Part], text: &mut String) {
        for part in parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Digit => text.push(dice.digit()),
                Part::Rule(rule) => self.write_rule(dice, rule, text),
            }
        }
    }
}

/// `3* text` weighs three, any other text one.
fn split_weight(line: &str) -> (u32, &str) {
    line.split_once("* ").and_then(|(weight, body)| Some((weight.parse().ok()?, body))).unwrap_or((1, line))
}

/// None where a brace is not closed.
fn parse_parts(body: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut characters = body.chars();
    while let Some(c) = characters.next() {
        let part = match c {
            '\\' => {
                literal.extend(characters.next());
                continue;
            }
            '#' => Part::Digit,
            '{' => {
                let (name, rest) = characters.as_str().split_once('}')?;
                characters = rest.chars();
                Part::Rule(name.to_owned())
            }
            _ => {
                literal.push(c);
                continue;
            }
        };
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        parts.push(part);
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use engine::recognise::charset;

    use super::*;

    #[test]
    fn alternatives_are_chosen_by_weight() {
        let grammar = Grammar::parse("; comment\n[a]\n9* x{b} | \\#\\{#\n[b]\ny\n").unwrap();
        let mut dice = Dice::new(1, 0);
        let texts: Vec<String> = (0..1000).map(|_| grammar.expand(&mut dice, "a")).collect();
        let heavy = texts.iter().filter(|text| *text == "xy").count();
        assert!((850..950).contains(&heavy), "{heavy}");
        assert!(texts.iter().filter(|text| *text != "xy").all(|text| text.starts_with("#{") && text.len() == 3));
    }

    #[test]
    fn errors_name_the_place() {
        let cases = [
            ("x", GrammarError::NoRule { line: 1 }),
            ("[a]\nx\n{b", GrammarError::OpenBrace { line: 3 }),
            ("[a]", GrammarError::Empty { rule: "a".into() }),
            ("[a]\n{b}", GrammarError::Unknown { rule: "a".into(), missing: "b".into() }),
        ];
        for (text, expected) in cases {
            assert_eq!(Grammar::parse(text).err(), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_shipped_wording_is_sound_and_within_the_charset() {
        let grammar = Grammar::parse(include_str!("wording.txt")).unwrap();
        for (rule, alternatives) in &grammar.rules {
            for (_, parts) in alternatives {
                for part in parts {
                    if let Part::Literal(literal) = part {
                        let odd: Vec<char> = literal.chars().filter(|&c| charset::class(c).is_none()).collect();
                        assert!(odd.is_empty(), "[{rule}] {literal:?}: {odd:?}");
                    }
                }
            }
        }
    }
}
