//! A second look at a doubtful line. It is cut out again a little higher and a little lower, and of all texts that a look finds
//! probable the one wins that language model and looks together find the most probable: the mean over the looks of the logarithm of
//! CTC's probability (Graves et al. 2006, "Connectionist Temporal Classification", section 4.1).

use super::beam::Candidate;
use super::charset::BLANK;
use crate::geometry::{Point, Quad};
use crate::kernels::FeatureMap;

/// A line with a character that the network is less sure of is looked at again: one line in six of a receipt.
const DOUBTFUL: f32 = 0.75;
/// How far the further looks lie below the first, as a share of the line's height.
pub const SHIFTS: [f32; 2] = [-0.06, 0.06];
/// Texts of a look that are weighed.
const CANDIDATES_OF_LOOK: usize = 6;

/// What the network says of a line in one cut of it.
pub struct Look {
    /// The most probable first.
    candidates: Vec<Candidate>,
    logits: FeatureMap,
}

impl Look {
    /// `candidates` are those of a search, of which there is one at least.
    pub fn new(logits: FeatureMap, mut candidates: Vec<Candidate>) -> Self {
        candidates.truncate(CANDIDATES_OF_LOOK);
        Self { candidates, logits }
    }

    pub fn best(&self) -> &Candidate {
        &self.candidates[0]
    }

    pub fn is_doubtful(&self) -> bool {
        self.best().least_sure < DOUBTFUL
    }
}

/// The quad moved down by a share of its height.
pub fn moved(quad: &Quad, share: f32) -> Quad {
    let Quad([a, b, c, d]) = *quad;
    let along = |from: Point, to: Point| Point { x: (to.x - from.x) * share, y: (to.y - from.y) * share };
    let (left, right) = (along(a, d), along(b, c));
    let plus = |p: Point, by: Point| Point { x: p.x + by.x, y: p.y + by.y };
    Quad([plus(a, left), plus(b, right), plus(c, right), plus(d, left)])
}

/// The candidate that all looks together find the most probable.
pub fn agreed(looks: &[Look]) -> &Candidate {
    let probabilities: Vec<Vec<f32>> = looks.iter().map(|look| softmax(look.logits.values(), look.logits.shape.c)).collect();
    let mut candidates: Vec<&Candidate> = Vec::new();
    for candidate in looks.iter().flat_map(|look| &look.candidates) {
        if candidates.iter().all(|known| known.classes != candidate.classes) {
            candidates.push(candidate);
        }
    }
    let score = |candidate: &Candidate| {
        let looks = looks.iter().zip(&probabilities);
        let sum: f32 = looks.map(|(look, columns)| log_probability(columns, look.logits.shape.c, &candidate.classes)).sum();
        sum / probabilities.len() as f32 + candidate.prior
    };
    let better = |best: (f32, _), candidate| {
        let score = score(candidate);
        if score > best.0 { (score, candidate) } else { best }
    };
    candidates.iter().skip(1).copied().fold((score(candidates[0]), candidates[0]), better).1
}

fn softmax(logits: &[f32], classes: usize) -> Vec<f32> {
    let mut probabilities = Vec::with_capacity(logits.len());
    for column in logits.chunks_exact(classes) {
        let largest = column.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let start = probabilities.len();
        probabilities.extend(column.iter().map(|score| (score - largest).exp()));
        let sum: f32 = probabilities[start..].iter().sum();
        probabilities[start..].iter_mut().for_each(|probability| *probability /= sum);
    }
    probabilities
}

/// The logarithm of the probability that the columns, `[columns, classes]`, spell a text: the sum over all paths that do, by the
/// forward variables of section 4.1, each column's scaled to a sum of one.
fn log_probability(columns: &[f32], classes: usize, text: &[usize]) -> f32 {
    // Blanks lie around and between the characters.
    let class = |state: usize| if state.is_multiple_of(2) { BLANK } else { text[state / 2] };
    let may_skip = |state: usize| state % 2 == 1 && state > 1 && class(state) != class(state - 2);
    let mut forward = vec![0.0f32; 2 * text.len() + 1];
    let mut log_sum = 0.0;
    for (t, column) in columns.chunks_exact(classes).enumerate() {
        // From the last state on, so that those before still are of the column before.
        for state in (0..forward.len()).rev() {
            let arriving = match (t, state) {
                (0, 0 | 1) => 1.0,
                (0, _) => 0.0,
                (_, 0) => forward[0],
                _ => forward[state] + forward[state - 1] + if may_skip(state) { forward[state - 2] } else { 0.0 },
            };
            forward[state] = arriving * column[class(state)];
        }
        let sum: f32 = forward.iter().sum();
        if sum == 0.0 {
            return f32::NEG_INFINITY;
        }
        forward.iter_mut().for_each(|value| *value /= sum);
        log_sum += sum.ln();
    }
    let ends: f32 = forward.iter().rev().take(2).sum();
    log_sum + ends.ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::charset;
    use super::*;
    use crate::kernels::Shape;

    /// The sum over all paths, written out.
    fn by_paths(columns: &[f32], classes: usize, text: &[usize]) -> f32 {
        let count = columns.len() / classes;
        let spells = |path: &[usize]| {
            let mut said = Vec::new();
            for (t, &class) in path.iter().enumerate() {
                if class != BLANK && (t == 0 || path[t - 1] != class) {
                    said.push(class);
                }
            }
            said == text
        };
        let path = |mut number: usize| -> Vec<usize> {
            (0..count)
                .map(|_| {
                    let class = number % classes;
                    number /= classes;
                    class
                })
                .collect()
        };
        let paths = (0..classes.pow(count as u32)).map(path).filter(|path| spells(path));
        paths.map(|path| path.iter().enumerate().map(|(t, class)| columns[t * classes + class]).product::<f32>()).sum()
    }

    proptest! {
        #[test]
        fn the_forward_variables_sum_over_all_paths(
            logits in prop::collection::vec(-3.0f32..3.0, 5 * 3),
            text in prop::collection::vec(1usize..3, 0..4),
        ) {
            let columns = softmax(&logits, 3);
            let (found, expected) = (log_probability(&columns, 3, &text).exp(), by_paths(&columns, 3, &text));
            prop_assert!((found - expected).abs() < 1e-4, "{found}, not {expected}");
        }
    }

    #[test]
    fn what_does_not_fit_into_the_columns_is_impossible() {
        let columns = softmax(&[0.0; 4], 2);
        assert_eq!(log_probability(&columns, 2, &[1, 1]), f32::NEG_INFINITY, "a repeated character needs a blank between");
        assert_eq!(log_probability(&columns, 2, &[1, 1, 1]), f32::NEG_INFINITY);
    }

    /// A look at one column with shares for some characters.
    fn look(shares: &[(char, f32)]) -> Look {
        let mut logits = vec![-30.0; charset::classes()];
        for &(character, share) in shares {
            logits[charset::class(character).unwrap()] = share.ln();
        }
        let candidate = |&(character, share): &(char, f32)| Candidate {
            classes: vec![charset::class(character).unwrap()],
            prior: 0.0,
            confidence: share,
            least_sure: share,
        };
        let shape = Shape { n: 1, h: 1, w: 1, c: charset::classes() };
        Look::new(FeatureMap::from_slice(shape, &logits), shares.iter().map(candidate).collect())
    }

    #[test]
    fn the_text_wins_that_all_looks_find_probable() {
        let looks = [look(&[('8', 0.55), ('B', 0.45)]), look(&[('B', 0.6), ('8', 0.4)]), look(&[('B', 0.7), ('3', 0.3)])];
        assert!(looks[0].is_doubtful());
        assert_eq!(agreed(&looks[..1]).reading().text, "8");
        assert_eq!(agreed(&looks).reading().text, "B");
        assert!(!look(&[('8', 0.9)]).is_doubtful());
    }

    #[test]
    fn a_quad_moves_along_its_own_height() {
        assert_eq!(moved(&Quad::from_edges(10.0, 20.0, 110.0, 40.0), 0.1), Quad::from_edges(10.0, 22.0, 110.0, 42.0));
        let upwards = moved(&Quad::from_coordinates([0.0, 100.0, 0.0, 0.0, 20.0, 0.0, 20.0, 100.0]), -0.5);
        assert_eq!(upwards, Quad::from_coordinates([-10.0, 100.0, -10.0, 0.0, 10.0, 0.0, 10.0, 100.0]));
    }
}
