//! Runs of lines that may be a name or an address: one below the other in their column, or one after the other in reading order.

use super::rows::ReadingOrder;

/// Lines of the longest run: an address with a recipient's department and a country.
const LINES_MAX: usize = 7;

/// Some lines, all of one page, and those around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Indices in reading order, ascending.
    pub lines: Vec<usize>,
    /// The line above the first one in its column.
    pub before: Option<usize>,
    /// The line below the last one in its column.
    pub after: Option<usize>,
}

/// All runs of a document. They depend on the places of its lines and on where letters are, not on what is read.
pub fn find(order: &ReadingOrder) -> Vec<Run> {
    (0..order.lines.len()).filter(|start| has_letter(order, *start)).flat_map(|start| from(order, start)).collect()
}

fn has_letter(order: &ReadingOrder, line: usize) -> bool {
    order.lines[line].text.contains(char::is_alphabetic)
}

/// The runs that begin with a line.
fn from(order: &ReadingOrder, start: usize) -> Vec<Run> {
    let page = order.lines[start].page;
    let read: Vec<usize> = (start..order.lines.len()).take(LINES_MAX).take_while(|line| order.lines[*line].page == page).collect();
    let below = |line: &usize| order.in_column(*line, 1).next();
    let column: Vec<usize> = std::iter::successors(Some(start), below).take(LINES_MAX).collect();
    let shared = read.iter().zip(&column).take_while(|(a, b)| a == b).count();
    let lines = (1..=read.len()).map(|n| &read[..n]).chain((shared + 1..=column.len()).map(|n| &column[..n]));
    let before = order.in_column(start, -1).next();
    lines.map(|lines| Run { lines: lines.to_vec(), before, after: below(&lines[lines.len() - 1]) }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::letter;
    use super::*;

    #[test]
    fn runs_go_down_the_column_and_along_the_text() {
        let (lines, pages) = letter("12.00");
        let order = ReadingOrder::new(&lines, &pages);
        let runs = find(&order);
        let of = |lines: &[usize]| runs.iter().filter(|run| run.lines == lines).collect::<Vec<_>>();
        assert_eq!(of(&[1, 3]), [&Run { lines: vec![1, 3], before: Some(0), after: Some(4) }]);
        assert_eq!(of(&[1, 2, 3]).len(), 1);
        assert_eq!(of(&[0, 1]).len(), 1, "both ways give it");
        assert!(runs.iter().all(|run| run.lines[0] != 4), "no name begins with a bare number");
    }
}
