//! Columns told by the rows below their captions: where quantity x price is the total in nearly all rows, these three columns are known, whatever
//! their captions say.

use super::cells::{ONE, Word, is_discounted_product, is_product};

/// Rows whose arithmetic holds, at least, of those that have a number in each of the three columns.
const PROVEN_SHARE_MIN: f32 = 0.8;
/// Numbers of a column stand this closely below each other, in their heights.
const ALIGNED_MAX: f32 = 0.7;
/// Rows that tell, at least: of one piece, each total is its price.
const TELLING_ROWS_MIN: usize = 2;

/// Where the numbers stand that make up the totals, by the indices of their columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Factors {
    pub quantity: usize,
    pub price: usize,
    pub total: usize,
}

/// The number of each column in a row, where it has exactly one.
pub(super) type Numbers<'a> = Vec<Option<Word<'a>>>;

/// The columns of the factors, and how many rows prove it; `None`: the rows prove nothing. Of two that as many rows prove, the one that comes first.
pub(super) fn proven(rows: &[Numbers], columns: usize) -> Option<(Factors, usize)> {
    let pairs = (0..columns).flat_map(|first| (first + 1..columns).map(move |second| (first, second)));
    let triples = pairs.flat_map(|(first, second)| (second + 1..columns).map(move |total| (first, second, total)));
    let mut best: Option<(Factors, usize)> = None;
    for (first, second, total) in triples {
        let count = proving(rows, first, second, total);
        if count > best.map_or(0, |(_, count)| count) {
            let is_after = match (are_prices(rows, first), are_prices(rows, second)) {
                (true, true) => whole_numbers(rows, second) > whole_numbers(rows, first),
                (first, second) => first && !second,
            };
            let (quantity, price) = if is_after { (second, first) } else { (first, second) };
            best = Some((Factors { quantity, price, total }, count));
        }
    }
    best
}

/// Rows that prove that the numbers of two columns make up the totals of a third; none where others contradict or too few tell.
pub(super) fn proving(rows: &[Numbers], first: usize, second: usize, total: usize) -> usize {
    let whole = rows.iter().filter(|row| [first, second, total].iter().all(|at| row[*at].is_some()));
    if ![first, second, total].iter().all(|at| are_aligned(whole.clone().filter_map(|row| row[*at].as_ref()))) {
        return 0;
    }
    let (mut all, mut proven, mut telling) = (0, 0, 0);
    for row in whole {
        all += 1;
        if makes(row, first, second, total) {
            proven += 1;
            let is_one = |at: usize| row[at].iter().any(|word| word.millionths().any(|value| value == ONE));
            telling += usize::from(!is_one(first) && !is_one(second));
        }
    }
    if telling >= TELLING_ROWS_MIN && proven as f32 >= PROVEN_SHARE_MIN * all as f32 { proven } else { 0 }
}

/// Whether numbers stand below each other: most of them end, begin or have their middle in one place.
fn are_aligned<'w, 'a: 'w>(words: impl Iterator<Item = &'w Word<'a>> + Clone) -> bool {
    let edges: [fn(&Word) -> f32; 3] = [|word| word.quad.right(), |word| word.quad.left(), |word| word.quad.centre().x];
    let count = words.clone().count();
    edges.iter().any(|edge| {
        let near = |like: &Word| words.clone().filter(|word| (edge(word) - edge(like)).abs() <= ALIGNED_MAX * word.quad.height()).count();
        words.clone().any(|like| near(like) as f32 >= PROVEN_SHARE_MIN * count as f32)
    })
}

/// Whether two numbers of a row make up its total, maybe less a discount that another column says.
fn makes(row: &Numbers, first: usize, second: usize, total: usize) -> bool {
    let (Some(a), Some(b), Some(total_word)) = (&row[first], &row[second], &row[total]) else { return false };
    let Some(sum) = total_word.amount().filter(|sum| *sum != 0) else { return false };
    let others = row.iter().enumerate().filter(|(at, _)| ![first, second, total].contains(at)).filter_map(|(_, word)| word.as_ref());
    let percents: Vec<i64> = others.filter_map(|word| word.percentage()).map(|number| number.millionths.abs()).filter(|p| *p > 0).collect();
    let is_total = |a: i64, b: i64| is_product(a, b, sum) || percents.iter().any(|percent| is_discounted_product(a, b, *percent, sum));
    a.millionths().any(|a| b.millionths().any(|b| is_total(a, b)))
}

/// Of the numbers of a column those without a fraction: `2.00`.
fn whole_numbers(rows: &[Numbers], column: usize) -> usize {
    let numbers = rows.iter().filter_map(|row| row[column].as_ref()).filter_map(Word::number);
    numbers.filter(|number| number.millionths % ONE == 0).count()
}

/// Whether most numbers of a column have cents.
fn are_prices(rows: &[Numbers], column: usize) -> bool {
    let numbers = || rows.iter().filter_map(|row| row[column].as_ref());
    2 * numbers().filter(|word| word.number().is_some_and(|number| number.decimals >= 2)).count() > numbers().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Quad;

    /// Rows of numbers, `-` where there is none.
    fn rows<'a>(rows: &[&[&'a str]]) -> Vec<Numbers<'a>> {
        let word = |text: &&'a str| Word { line: 0, range: 0..text.len(), text, whole: text, quad: Quad::from_edges(0.0, 0.0, 10.0, 10.0) };
        rows.iter().map(|row| row.iter().map(|text| (*text != "-").then(|| word(text))).collect()).collect()
    }

    #[test]
    fn rows_prove_where_quantity_price_and_total_stand() {
        let of = |quantity, price, total, count| Some((Factors { quantity, price, total }, count));
        for (table, expected) in [
            // A week of deliveries, their sum, the price, a rate, the total.
            (vec![&["12", "30", "42", "0.78", "23", "32.76"][..], &["4", "8", "12", "1.05", "23", "12.60"]], of(2, 3, 5, 2)),
            // The price before the quantity.
            (vec![&["8.40", "6", "50.40"][..], &["7.65", "2", "15.30"]], of(1, 0, 2, 2)),
            // Pieces with noughts behind their prices.
            (vec![&["35.40", "2.00", "70.80"][..], &["44.10", "8.00", "352.80"]], of(1, 0, 2, 2)),
            // Less a discount.
            (vec![&["32", "1.84", "5", "55.94"][..], &["12", "3.92", "-", "47.04"]], of(0, 1, 3, 2)),
            // Of one piece each total is its price.
            (vec![&["1", "5.00", "5.00"][..], &["1", "7.00", "7.00"]], None),
            // One row is chance.
            (vec![&["2", "5.00", "10.00"][..], &["3", "7.00", "9.00"]], None),
        ] {
            assert_eq!(proven(&rows(&table), table[0].len()), expected, "{table:?}");
        }
    }
}
