//! Columns of class scores to the text that network and language model agree on: prefix beam search (Hannun et al. 2014,
//! "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs",
//! <https://arxiv.org/abs/1408.2873>). A prefix is a text that may yet go on; paths of classes that spell it add up.

use super::charset::{self, BLANK};
use super::decode::Reading;
use super::language::{Context, LanguageModel};

/// Prefixes that are kept from column to column.
const PREFIXES_MAX: usize = 8;
/// Classes that are followed in a column.
const CLASSES_MAX: usize = 6;
/// Classes this much less probable than the best (natural logarithm; 1 in 400) are not followed.
const BEHIND_MAX: f32 = 6.0;

/// What the language model counts for beside the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Of its logarithm, for letters after letters and for spaces.
    pub words: f32,
    /// Of its logarithm, for all else: codes, amounts and signs follow no language.
    pub codes: f32,
    /// Added for each character: without it short texts would win, since each character costs.
    pub character: f32,
}

impl Weights {
    fn of(&self, before: char, character: char) -> f32 {
        let in_word = before.is_alphabetic() && character.is_alphabetic();
        if in_word || character == ' ' { self.words } else { self.codes }
    }
}

impl Default for Weights {
    fn default() -> Self {
        Self { words: 0.3, codes: 0.12, character: 0.2 }
    }
}

/// A text by its last character and what comes before: an arena holds all of a line.
struct Prefix {
    parent: usize,
    class: usize,
    context: Context,
    /// What language model and length give it.
    prior: f32,
    /// Probability of its last character in the column that shows it best.
    probability: f32,
    first_child: Option<usize>,
    next_sibling: Option<usize>,
}

/// How probable the paths are that spell a prefix and end in the blank or in its last character, as logarithms.
#[derive(Clone, Copy)]
struct Hypothesis {
    prefix: usize,
    blank: f32,
    character: f32,
}

impl Hypothesis {
    fn both(&self) -> f32 {
        add(self.blank, self.character)
    }
}

/// A text that a line may say.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Of its characters.
    pub classes: Vec<usize>,
    /// What language model and length give it: to be added to the logarithm of its probability.
    pub prior: f32,
    /// The mean probability of its characters.
    pub confidence: f32,
    /// The least of them.
    pub least_sure: f32,
}

impl Candidate {
    pub fn reading(&self) -> Reading {
        let text: String = self.classes.iter().filter_map(|&class| charset::character(class)).collect();
        Reading { text: text.trim().to_owned(), confidence: self.confidence }
    }
}

/// Reads logits `[columns, classes]`: what the line may say, the most probable first; never nothing, but perhaps an empty text.
pub fn search(logits: &[f32], classes: usize, model: &LanguageModel, weights: Weights) -> Vec<Candidate> {
    let mut search = Search::new(model, weights);
    let mut followed = Vec::with_capacity(CLASSES_MAX);
    for column in logits.chunks_exact(classes) {
        follow(column, &mut followed);
        search.column(&followed);
    }
    search.hypotheses.iter().map(|hypothesis| search.candidate(hypothesis.prefix)).collect()
}

/// The classes of a column that are worth following, with the logarithms of their probabilities.
fn follow(column: &[f32], followed: &mut Vec<(usize, f32)>) {
    let best = column.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    followed.clear();
    followed.extend(column.iter().copied().enumerate().filter(|(_, score)| *score >= best - BEHIND_MAX));
    followed.sort_by(|a, b| b.1.total_cmp(&a.1));
    followed.truncate(CLASSES_MAX);
    // What is not followed is less than a hundredth of the sum.
    let sum: f32 = column.iter().map(|score| (score - best).exp()).sum();
    followed.iter_mut().for_each(|(_, score)| *score -= best + sum.ln());
}

struct Search<'a> {
    model: &'a LanguageModel,
    weights: Weights,
    arena: Vec<Prefix>,
    hypotheses: Vec<Hypothesis>,
    /// Where in `next` a prefix of the arena stands.
    places: Vec<Option<usize>>,
    next: Vec<Hypothesis>,
}

/// The empty text.
const EMPTY: usize = 0;

impl<'a> Search<'a> {
    fn new(model: &'a LanguageModel, weights: Weights) -> Self {
        let empty = Prefix {
            parent: EMPTY,
            class: BLANK,
            context: Context::LINE_START,
            prior: 0.0,
            probability: 1.0,
            first_child: None,
            next_sibling: None,
        };
        Self {
            model,
            weights,
            arena: vec![empty],
            hypotheses: vec![Hypothesis { prefix: EMPTY, blank: 0.0, character: f32::NEG_INFINITY }],
            places: vec![None],
            next: Vec::new(),
        }
    }

    fn column(&mut self, followed: &[(usize, f32)]) {
        for hypothesis in std::mem::take(&mut self.hypotheses) {
            let Hypothesis { prefix, blank, character } = hypothesis;
            for &(class, score) in followed {
                if class == BLANK {
                    self.add(prefix, |h| &mut h.blank, hypothesis.both() + score);
                } else if class == self.arena[prefix].class {
                    self.add(prefix, |h| &mut h.character, character + score);
                    self.arena[prefix].probability = self.arena[prefix].probability.max(score.exp());
                    self.append(prefix, class, blank, score);
                } else {
                    self.append(prefix, class, hypothesis.both(), score);
                }
            }
        }
        for hypothesis in &self.next {
            self.places[hypothesis.prefix] = None;
        }
        let arena = &self.arena;
        let score = |hypothesis: &Hypothesis| hypothesis.both() + arena[hypothesis.prefix].prior;
        self.next.sort_by(|a, b| score(b).total_cmp(&score(a)));
        self.next.truncate(PREFIXES_MAX);
        std::mem::swap(&mut self.hypotheses, &mut self.next);
        self.next.clear();
    }

    fn append(&mut self, prefix: usize, class: usize, paths: f32, score: f32) {
        if paths == f32::NEG_INFINITY {
            return;
        }
        let child = self.child(prefix, class);
        self.arena[child].probability = self.arena[child].probability.max(score.exp());
        self.add(child, |h| &mut h.character, paths + score);
    }

    fn add(&mut self, prefix: usize, of: impl Fn(&mut Hypothesis) -> &mut f32, paths: f32) {
        let place = self.places[prefix].unwrap_or_else(|| {
            self.next.push(Hypothesis { prefix, blank: f32::NEG_INFINITY, character: f32::NEG_INFINITY });
            self.next.len() - 1
        });
        self.places[prefix] = Some(place);
        let sum = of(&mut self.next[place]);
        *sum = add(*sum, paths);
    }

    /// The prefix with one more character, made if it is new.
    fn child(&mut self, parent: usize, class: usize) -> usize {
        let mut known = self.arena[parent].first_child;
        while let Some(child) = known {
            if self.arena[child].class == class {
                return child;
            }
            known = self.arena[child].next_sibling;
        }
        let Prefix { context, prior, first_child, .. } = self.arena[parent];
        let (context, prior) = match charset::character(class) {
            Some(character) => {
                let before = charset::character(self.arena[parent].class).unwrap_or(' ');
                let language = self.weights.of(before, character) * self.model.log_probability(&context, character);
                (context.then(character), prior + language + self.weights.character)
            }
            None => (context, prior),
        };
        let child = self.arena.len();
        self.arena.push(Prefix { parent, class, context, prior, probability: 0.0, first_child: None, next_sibling: first_child });
        self.places.push(None);
        self.arena[parent].first_child = Some(child);
        child
    }

    fn candidate(&self, prefix: usize) -> Candidate {
        let (mut classes, mut sum, mut least_sure) = (Vec::new(), 0.0, 1.0f32);
        let mut at = prefix;
        while at != EMPTY {
            let Prefix { parent, class, probability, .. } = self.arena[at];
            classes.push(class);
            sum += probability;
            least_sure = least_sure.min(probability);
            at = parent;
        }
        classes.reverse();
        let confidence = if classes.is_empty() { 0.0 } else { sum / classes.len() as f32 };
        Candidate { classes, prior: self.arena[prefix].prior, confidence, least_sure }
    }
}

/// `ln(e^a + e^b)`
fn add(a: f32, b: f32) -> f32 {
    let (larger, smaller) = if a > b { (a, b) } else { (b, a) };
    if smaller == f32::NEG_INFINITY { larger } else { larger + (smaller - larger).exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::decode::best_path;
    use super::super::language::Entry;
    use super::*;

    fn indifferent() -> LanguageModel {
        LanguageModel::from_entries(std::iter::empty::<(&[u8], Entry)>())
    }

    fn best(logits: &[f32], model: &LanguageModel, weights: Weights) -> Reading {
        search(logits, charset::classes(), model, weights)[0].reading()
    }

    const NETWORK_ALONE: Weights = Weights { words: 0.0, codes: 0.0, character: 0.0 };

    /// Logits of columns, each the logarithms of a few classes' probabilities.
    fn columns(columns: &[&[(char, f32)]]) -> Vec<f32> {
        let column = |shares: &&[(char, f32)]| {
            let mut scores = vec![-30.0; charset::classes()];
            for &(character, share) in *shares {
                scores[charset::class(character).filter(|_| character != '_').unwrap_or(BLANK)] = share.ln();
            }
            scores
        };
        columns.iter().flat_map(column).collect()
    }

    #[test]
    fn paths_of_one_text_add_up() {
        // The best path is blank, blank (0.36); but "A" has A_, _A and AA: 0.24 + 0.24 + 0.16.
        let logits = columns(&[&[('_', 0.6), ('A', 0.4)], &[('_', 0.6), ('A', 0.4)]]);
        assert_eq!(best_path(&logits, charset::classes()).text, "");
        let reading = best(&logits, &indifferent(), NETWORK_ALONE);
        assert_eq!(reading.text, "A");
        assert!((reading.confidence - 0.4).abs() < 1e-3);
    }

    #[test]
    fn a_repeated_character_needs_a_blank_between() {
        let sure = |c: char| [(c, 1.0f32)];
        for (path, text) in [("AA_B", "AB"), ("A_AB", "AAB"), ("_AA__A", "AA")] {
            let shares: Vec<[(char, f32); 1]> = path.chars().map(sure).collect();
            let logits = columns(&shares.iter().map(|s| s.as_slice()).collect::<Vec<_>>());
            assert_eq!(best(&logits, &indifferent(), NETWORK_ALONE).text, text, "{path}");
        }
    }

    #[test]
    fn language_decides_between_look_alikes() {
        let entry = |log_probability| Entry { log_probability, log_backoff: -1.0 };
        let model = LanguageModel::from_entries(
            [("T".as_bytes(), entry(-2.0)), ("TO".as_bytes(), entry(-0.1)), ("T0".as_bytes(), entry(-4.0))].into_iter(),
        );
        let logits = columns(&[&[('T', 1.0)], &[('_', 1.0)], &[('0', 0.6), ('O', 0.4)]]);
        let read = |weights| best(&logits, &model, weights).text;
        assert_eq!(read(NETWORK_ALONE), "T0");
        assert_eq!(read(Weights { words: 0.5, codes: 0.5, character: 0.0 }), "TO");
    }

    proptest! {
        #[test]
        fn where_the_network_is_sure_language_changes_nothing(path in "[_A-D 0-3]{0,24}") {
            let shares: Vec<[(char, f32); 2]> = path.chars().map(|c| [(c, 0.9999), ('~', 0.0001)]).collect();
            let logits = columns(&shares.iter().map(|s| s.as_slice()).collect::<Vec<_>>());
            let read = best(&logits, &indifferent(), Weights::default());
            prop_assert_eq!(read.text, best_path(&logits, charset::classes()).text);
        }
    }
}
