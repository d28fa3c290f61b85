//! The measures of the SROIE protocol and what we report beside them: places of lines ([`localisation`]), words and characters
//! ([`recognition`]), key fields ([`fields`]).

use std::ops::AddAssign;

pub mod fields;
pub mod localisation;
pub mod recognition;

/// The sums behind precision and recall. Tallies of documents add up to the tally of the set (micro average).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tally {
    /// Credit of the predictions; a whole number except where a protocol gives part of a point.
    pub right_predictions: f64,
    pub predictions: usize,
    /// Credit of the truths; differs from `right_predictions` where one prediction stands for several truths.
    pub found_truths: f64,
    pub truths: usize,
}

impl Tally {
    /// Of a protocol where each match is one prediction for one truth.
    pub fn of_pairs(pairs: usize, predictions: usize, truths: usize) -> Self {
        Self { right_predictions: pairs as f64, predictions, found_truths: pairs as f64, truths }
    }

    /// 0 to 1; without predictions 0, as the official scripts have it.
    pub fn precision(&self) -> f64 {
        ratio(self.right_predictions, self.predictions)
    }

    /// 0 to 1; without truths 0.
    pub fn recall(&self) -> f64 {
        ratio(self.found_truths, self.truths)
    }

    /// Harmonic mean of precision and recall ("Hmean" in task 1), 0 to 1.
    pub fn f1(&self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        if precision + recall == 0.0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.right_predictions += other.right_predictions;
        self.predictions += other.predictions;
        self.found_truths += other.found_truths;
        self.truths += other.truths;
    }
}

impl std::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |mut sum, tally| {
            sum += tally;
            sum
        })
    }
}

fn ratio(part: f64, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_add_up_before_they_are_divided() {
        // 1 of 1 and 1 of 3 predictions: micro precision 2/4, not the mean of 1 and 1/3.
        let tally: Tally = [Tally::of_pairs(1, 1, 2), Tally::of_pairs(1, 3, 2)].into_iter().sum();
        assert_eq!((tally.precision(), tally.recall(), tally.f1()), (0.5, 0.5, 0.5));
    }

    #[test]
    fn nothing_predicted_or_nothing_to_find_is_zero_not_a_division() {
        assert_eq!((Tally::default().precision(), Tally::default().recall(), Tally::default().f1()), (0.0, 0.0, 0.0));
    }
}
