//! What the rows of goods may sum to, over the ways to read them.

use super::rows::Row;

/// Sums kept after each row, the likeliest. Rows that read in one way only, the usual case, keep a single sum.
const SUMS_MAX: usize = 256;

/// One sum of all rows and how it comes about.
#[derive(Debug, Clone, PartialEq)]
pub struct LineSum {
    /// Minor units.
    pub sum: i64,
    /// Natural logarithm of how likely these readings are, relative to the rows' best.
    pub weight: f32,
    /// For each row, which of its readings.
    pub picks: Vec<usize>,
}

/// The likeliest sums, the best first. `None` unless every row has a total, for then the sum says nothing.
pub fn of(rows: &[Vec<Row>]) -> Option<Vec<LineSum>> {
    if rows.is_empty() {
        return None;
    }
    let mut sums = vec![LineSum { sum: 0, weight: 0.0, picks: Vec::new() }];
    for readings in rows {
        let best = readings.first()?.weight;
        let mut next: Vec<LineSum> = Vec::new();
        for sum in &sums {
            for (pick, reading) in readings.iter().enumerate() {
                let Some(total) = reading.total.and_then(|total| sum.sum.checked_add(total.value())) else { continue };
                let picks = sum.picks.iter().copied().chain([pick]).collect();
                next.push(LineSum { sum: total, weight: sum.weight + reading.weight - best, picks });
            }
        }
        sums = likeliest(next);
    }
    (!sums.is_empty()).then_some(sums)
}

/// One entry for each sum, the likeliest first.
fn likeliest(mut sums: Vec<LineSum>) -> Vec<LineSum> {
    sums.sort_by(|a, b| a.sum.cmp(&b.sum).then(b.weight.total_cmp(&a.weight)));
    sums.dedup_by_key(|s| s.sum);
    sums.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    sums.truncate(SUMS_MAX);
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::{fields::Evidence, number::Reading, rows::Known};

    fn row(total: Option<i64>, weight: f32) -> Row {
        let total = total.map(|value| Known::Read(Reading { value, certainty: 1.0 }));
        Row { quantity: None, price: None, discount: None, total, arithmetic: Evidence::Open, weight }
    }

    #[test]
    fn sums_come_with_the_readings_behind_them() {
        let rows = [vec![row(Some(900), 0.0), row(Some(90), -2.0)], vec![row(Some(100), 0.0)]];
        let sums = of(&rows).unwrap();
        assert_eq!(sums.iter().map(|s| (s.sum, s.picks.clone())).collect::<Vec<_>>(), [(1000, vec![0, 0]), (190, vec![1, 0])]);
        assert!(sums[0].weight > sums[1].weight);
    }

    #[test]
    fn a_row_without_a_total_makes_the_sum_unknown() {
        assert_eq!(of(&[vec![row(Some(900), 0.0)], vec![row(None, 0.0)]]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn the_number_of_sums_is_limited() {
        let rows: Vec<_> = (0..20).map(|i| vec![row(Some(1 << i), 0.0), row(Some(0), -0.1)]).collect();
        let sums = of(&rows).unwrap();
        assert_eq!(sums.len(), SUMS_MAX);
        assert_eq!(sums[0].sum, (1 << 20) - 1);
    }
}
