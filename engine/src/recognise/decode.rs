//! Columns of class scores to text: the best class of each column, repetitions joined, blanks dropped (Graves et al. 2006).

use super::charset::{self, BLANK};

/// The text of a line and the mean probability of its characters.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub text: String,
    /// 0 to 1; 0 where nothing was read.
    pub confidence: f32,
}

/// Reads logits `[columns, classes]` along the best path.
pub fn best_path(logits: &[f32], classes: usize) -> Reading {
    let mut text = String::new();
    let mut probabilities: Vec<f32> = Vec::new();
    let mut before = BLANK;
    for column in logits.chunks_exact(classes) {
        let class = argmax(column);
        if let Some(character) = charset::character(class) {
            let probability = softmax_at(column, class);
            if class == before {
                // One character over several columns: as sure as in its best one.
                if let Some(last) = probabilities.last_mut() {
                    *last = last.max(probability);
                }
            } else {
                text.push(character);
                probabilities.push(probability);
            }
        }
        before = class;
    }
    let confidence = if probabilities.is_empty() { 0.0 } else { probabilities.iter().sum::<f32>() / probabilities.len() as f32 };
    Reading { text: text.trim().to_owned(), confidence }
}

fn argmax(values: &[f32]) -> usize {
    let larger = |best: (usize, f32), (i, &v): (usize, &f32)| if v > best.1 { (i, v) } else { best };
    values.iter().enumerate().fold((BLANK, f32::NEG_INFINITY), larger).0
}

fn softmax_at(logits: &[f32], class: usize) -> f32 {
    1.0 / logits.iter().map(|v| (v - logits[class]).exp()).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns in which one class stands out by `margin`; `_` is the blank.
    fn columns(path: &str, margin: f32) -> Vec<f32> {
        let column = |c| {
            let mut scores = vec![0.0; charset::classes()];
            scores[charset::class(c).filter(|_| c != '_').unwrap_or(BLANK)] = margin;
            scores
        };
        path.chars().flat_map(column).collect()
    }

    #[test]
    fn repetitions_are_joined_and_blanks_dropped() {
        for (path, text) in
            [("_aa_b_", "ab"), ("aa_ab", "aab"), ("____", ""), ("", ""), ("T_OO__TT_A_L", "TOTAL"), ("a__ __b", "a b"), ("  _ab_ ", "ab")]
        {
            assert_eq!(best_path(&columns(path, 20.0), charset::classes()).text, text, "{path}");
        }
    }

    #[test]
    fn confidence_is_the_mean_probability_of_the_characters() {
        let classes = charset::classes() as f32;
        let margin = 3f32;
        let expected = margin.exp() / (margin.exp() + classes - 1.0);
        let reading = best_path(&[columns("a_", margin), columns("b", 30.0)].concat(), charset::classes());
        assert!((reading.confidence - (expected + 1.0) / 2.0).abs() < 1e-5, "{reading:?}");
        assert_eq!(best_path(&columns("__", 9.0), charset::classes()).confidence, 0.0);
    }
}
