//! Lines in reading order: rows from top to bottom, and from left to right within a row.

use std::ops::Range;

use crate::geometry::{Point, Quad};
use crate::text::{PageSize, TextLine};

/// A line joins a row when their middles differ by less than this share of the smaller height.
const SAME_ROW_HEIGHT_SHARE: f32 = 0.5;

/// Lines at least this many times as wide as high tell the slope of the page.
const SLOPE_WIDTH_TO_HEIGHT_MIN: f32 = 3.0;

/// Rows that are searched for a line's neighbours in its column.
const COLUMN_ROWS_MAX: isize = 12;

/// Two quads stand in one column when they share this much of the narrower one's width.
const SAME_COLUMN_OVERLAP: f32 = 0.3;

/// The lines of a document in reading order, grouped into rows; all indices of this module's users refer to this order.
#[derive(Debug)]
pub struct ReadingOrder<'a> {
    pub lines: Vec<&'a TextLine>,
    /// Ranges of `lines`; they follow each other without a gap, and never cross a page.
    pub rows: Vec<Range<usize>>,
    /// The row of each line.
    pub row_of: Vec<usize>,
    /// Sizes of the pages; a line's page always has one.
    pub pages: &'a [PageSize],
}

impl<'a> ReadingOrder<'a> {
    /// Lines without a visible character, or on a page that has no size, are left out.
    pub fn new(lines: &'a [TextLine], pages: &'a [PageSize]) -> Self {
        let mut order = Self { lines: Vec::with_capacity(lines.len()), rows: Vec::new(), row_of: Vec::new(), pages };
        for page in 0..pages.len() {
            let on_page: Vec<&TextLine> = lines.iter().filter(|line| line.page == page && !line.text.trim().is_empty()).collect();
            for row in rows_of(on_page) {
                let start = order.lines.len();
                order.row_of.extend(std::iter::repeat_n(order.rows.len(), row.len()));
                order.lines.extend(row);
                order.rows.push(start..order.lines.len());
            }
        }
        order
    }

    /// The lines of the row that `line` stands in.
    pub fn row(&self, line: usize) -> Range<usize> {
        self.rows[self.row_of[line]].clone()
    }

    /// The row `offset` rows away, if both are there and on the same page.
    pub fn row_at(&self, row: usize, offset: isize) -> Option<Range<usize>> {
        let (row, other) = (self.rows.get(row)?, self.rows.get(row.checked_add_signed(offset)?)?);
        (self.lines[other.start].page == self.lines[row.start].page).then_some(other.clone())
    }

    /// The lines above (`step` -1) or below (1) a line in its column, the nearest first, one a row.
    pub fn in_column(&self, line: usize, step: isize) -> impl Iterator<Item = usize> {
        let quad = self.lines[line].quad;
        (1..=COLUMN_ROWS_MAX).map_while(move |distance| self.row_at(self.row_of[line], step * distance)).filter_map(move |row| {
            let overlap = |other: usize| horizontal_overlap(&quad, &self.lines[other].quad);
            row.filter(|other| overlap(*other) > SAME_COLUMN_OVERLAP).max_by(|a, b| overlap(*a).total_cmp(&overlap(*b)))
        })
    }

    /// The texts of these lines, joined by spaces.
    pub fn text(&self, lines: Range<usize>) -> String {
        self.lines[lines].iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The typical height of a line, in pixels; 1 where there are no lines.
    pub fn line_height(&self) -> f32 {
        median(self.lines.iter().map(|line| line.quad.height()).collect()).unwrap_or(1.0).max(1.0)
    }
}

fn rows_of(lines: Vec<&TextLine>) -> Vec<Vec<&TextLine>> {
    let slope = slope(&lines);
    let level = |line: &TextLine| {
        let centre = line.quad.centre();
        centre.y - slope * centre.x
    };
    let mut sorted = lines;
    sorted.sort_by(|a, b| level(a).total_cmp(&level(b)));
    let mut rows: Vec<Vec<&TextLine>> = Vec::new();
    for line in sorted {
        match rows.last_mut() {
            Some(row) if belongs(row, line, &level) => row.push(line),
            _ => rows.push(vec![line]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.quad.left().total_cmp(&b.quad.left()));
    }
    rows
}

fn belongs(row: &[&TextLine], line: &TextLine, level: &impl Fn(&TextLine) -> f32) -> bool {
    let count = row.len() as f32;
    let middle = row.iter().map(|member| level(member)).sum::<f32>() / count;
    let height = row.iter().map(|member| member.quad.height()).sum::<f32>() / count;
    (level(line) - middle).abs() < SAME_ROW_HEIGHT_SHARE * height.min(line.quad.height())
}

/// Median slope of the long lines' upper edges: 0 on an upright scan.
fn slope(lines: &[&TextLine]) -> f32 {
    let long = lines.iter().filter(|line| line.quad.width() > SLOPE_WIDTH_TO_HEIGHT_MIN * line.quad.height());
    let slopes = long.map(|line| {
        let [a, b, ..] = line.quad.0;
        (b.y - a.y) / (b.x - a.x).abs().max(1.0)
    });
    median(slopes.collect()).unwrap_or(0.0)
}

pub(super) fn median(mut values: Vec<f32>) -> Option<f32> {
    let middle = values.len() / 2;
    values.sort_by(f32::total_cmp);
    values.get(middle).copied()
}

/// The part of a line's quad that its bytes `range` cover, taking all characters as equally wide.
pub fn part_of(line: &TextLine, range: &Range<usize>) -> Quad {
    let total = line.text.chars().count().max(1) as f32;
    let share = |end: usize| line.text.char_indices().take_while(|(at, _)| *at < end).count() as f32 / total;
    let (from, to) = (share(range.start), share(range.end));
    let [a, b, c, d] = line.quad.0;
    Quad([between(a, b, from), between(a, b, to), between(d, c, to), between(d, c, from)])
}

fn between(a: Point, b: Point, share: f32) -> Point {
    Point { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share }
}

/// The smallest quad around several, upright unless there is only one.
pub fn around(quads: &[Quad]) -> Option<Quad> {
    match quads {
        [] => None,
        [one] => Some(*one),
        many => {
            let edge = |side: fn(&Quad) -> f32, pick: fn(f32, f32) -> f32| many.iter().map(side).reduce(pick);
            Some(Quad::from_edges(
                edge(Quad::left, f32::min)?,
                edge(Quad::top, f32::min)?,
                edge(Quad::right, f32::max)?,
                edge(Quad::bottom, f32::max)?,
            ))
        }
    }
}

/// Share of the narrower quad's width that both cover horizontally.
pub fn horizontal_overlap(a: &Quad, b: &Quad) -> f32 {
    let shared = a.right().min(b.right()) - a.left().max(b.left());
    let narrower = (a.right() - a.left()).min(b.right() - b.left());
    (shared / narrower.max(1.0)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(left: f32, top: f32, text: &str) -> TextLine {
        TextLine {
            page: 0,
            quad: Quad::from_edges(left, top, left + 10.0 * text.len() as f32, top + 20.0),
            text: text.into(),
            confidence: 1.0,
        }
    }

    fn texts(order: &ReadingOrder) -> Vec<String> {
        order.rows.iter().map(|row| order.text(row.clone())).collect()
    }

    const PAGE: [PageSize; 1] = [PageSize { width: 500, height: 500 }];

    #[test]
    fn rows_go_down_and_right() {
        let lines = [
            line(200.0, 64.0, "1.00"),
            line(10.0, 100.0, "TOTAL"),
            line(10.0, 60.0, "BEER"),
            line(10.0, 10.0, "SHOP"),
            line(0.0, 0.0, " "),
        ];
        assert_eq!(texts(&ReadingOrder::new(&lines, &PAGE)), ["SHOP", "BEER 1.00", "TOTAL"]);
    }

    #[test]
    fn a_sloping_page_keeps_its_rows() {
        let tilt = |l: TextLine| TextLine { quad: Quad(l.quad.0.map(|p| Point { x: p.x, y: p.y + 0.08 * p.x })), ..l };
        let lines =
            [line(10.0, 60.0, "GUINNESS 50L"), line(400.0, 60.0, "180.00"), line(10.0, 85.0, "HEINEKEN 50L"), line(400.0, 85.0, "170.00")]
                .map(tilt);
        assert_eq!(texts(&ReadingOrder::new(&lines, &PAGE)), ["GUINNESS 50L 180.00", "HEINEKEN 50L 170.00"]);
    }

    #[test]
    fn lines_of_unknown_pages_are_left_out() {
        let lines = [TextLine { page: 3, ..line(0.0, 0.0, "LOST") }];
        assert!(ReadingOrder::new(&lines, &PAGE).lines.is_empty());
    }

    #[test]
    fn a_part_is_interpolated() {
        let part = part_of(&line(100.0, 0.0, "DATE 1/1/26"), &(5..11));
        assert_eq!((part.left(), part.right()), (150.0, 210.0));
    }
}
