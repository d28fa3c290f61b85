//! Connected regions of a probability map, and the rectangles of text that they stand for.

use crate::geometry::{Point, Quad};

/// Rectangles that share this much of the higher one's height may lie in one row.
const SAME_ROW_MIN: f64 = 0.6;

/// Edges less far apart, in heights of the lower rectangle, are in one place.
const SAME_EDGE_MAX: f64 = 0.3;

/// A map of probabilities, row by row.
#[derive(Debug, Clone, Copy)]
pub struct ProbabilityMap<'a> {
    pub width: usize,
    pub values: &'a [f32],
}

/// Pixels of one row, side by side: `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    y: usize,
    start: usize,
    end: usize,
}

/// Pixels that hang together over edges or corners.
#[derive(Debug, Clone, Default)]
pub struct Region {
    runs: Vec<Run>,
    probability_sum: f64,
}

/// Regions where the probability exceeds `threshold`, by the row in which they start.
pub fn regions(map: &ProbabilityMap, threshold: f32) -> Vec<Region> {
    let rows = map.values.chunks_exact(map.width.max(1)).enumerate();
    connected(map, rows.flat_map(|(y, row)| runs_of(row, y, threshold, 0)))
}

/// The regions that runs make up, which come row by row from left to right.
fn connected(map: &ProbabilityMap, all: impl Iterator<Item = Run>) -> Vec<Region> {
    let mut labels = Labels::default();
    let mut runs: Vec<Run> = Vec::new();
    // Runs of this row start at `this`; those of the row before that may still touch one start at `touching`.
    let (mut this, mut touching) = (0, 0);
    for run in all {
        if runs.last().is_some_and(|last| last.y != run.y) {
            let adjoins = runs.last().is_some_and(|last| last.y + 1 == run.y);
            (this, touching) = (runs.len(), if adjoins { this } else { runs.len() });
        }
        let label = labels.push();
        // Corners count: a run reaches one pixel further to both sides.
        while touching < this && runs[touching].end < run.start {
            touching += 1;
        }
        for (i, _) in runs.iter().enumerate().take(this).skip(touching).take_while(|(_, r)| r.start <= run.end) {
            labels.join(i, label);
        }
        runs.push(run);
    }
    collect(map, &runs, &mut labels)
}

/// From the column `from` on.
fn runs_of(row: &[f32], y: usize, threshold: f32, mut from: usize) -> impl Iterator<Item = Run> {
    std::iter::from_fn(move || {
        let start = from + row[from..].iter().position(|&p| p > threshold)?;
        let end = row[start..].iter().position(|&p| p <= threshold).map_or(row.len(), |n| start + n);
        from = end;
        Some(Run { y, start, end })
    })
}

fn collect(map: &ProbabilityMap, runs: &[Run], labels: &mut Labels) -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    let mut region_of_root: Vec<Option<usize>> = vec![None; runs.len()];
    for (i, run) in runs.iter().enumerate() {
        let index = *region_of_root[labels.root(i)].get_or_insert(regions.len());
        if index == regions.len() {
            regions.push(Region::default());
        }
        let region = &mut regions[index];
        region.runs.push(*run);
        let row = &map.values[run.y * map.width..][run.start..run.end];
        region.probability_sum += row.iter().map(|&p| f64::from(p)).sum::<f64>();
    }
    regions
}

/// Disjoint sets of runs.
#[derive(Default)]
struct Labels {
    parents: Vec<usize>,
}

impl Labels {
    fn push(&mut self) -> usize {
        self.parents.push(self.parents.len());
        self.parents.len() - 1
    }

    fn root(&mut self, mut i: usize) -> usize {
        while self.parents[i] != i {
            self.parents[i] = self.parents[self.parents[i]];
            i = self.parents[i];
        }
        i
    }

    /// The smaller index, which lies higher up, becomes the root.
    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }
}

/// How a region lies: its longest direction, and how many times longer than wide it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// Radians from the horizontal, clockwise on the page, between -pi/2 and pi/2.
    pub angle: f64,
    pub elongation: f64,
}

impl Region {
    /// In pixels.
    pub fn area(&self) -> usize {
        self.runs.iter().map(|r| r.end - r.start).sum()
    }

    /// Mean probability of its pixels.
    pub fn score(&self) -> f32 {
        (self.probability_sum / self.area().max(1) as f64) as f32
    }

    /// The principal axis of its pixels.
    pub fn axis(&self) -> Axis {
        let n = self.area() as f64;
        let centre = |r: &Run| (r.start + r.end - 1) as f64 / 2.0;
        let (mut mean_x, mut mean_y) = (0.0, 0.0);
        for r in &self.runs {
            let len = (r.end - r.start) as f64;
            mean_x += len * centre(r) / n;
            mean_y += len * r.y as f64 / n;
        }
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for r in &self.runs {
            let len = (r.end - r.start) as f64;
            let (dx, dy) = (centre(r) - mean_x, r.y as f64 - mean_y);
            // The variance of `len` consecutive whole numbers is (len^2 - 1) / 12; a pixel's own extent adds another 1 / 12.
            xx += len * (dx * dx + len * len / 12.0) / n;
            xy += len * dx * dy / n;
            yy += len * (dy * dy + 1.0 / 12.0) / n;
        }
        let (mean, spread) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
        let elongation = ((mean + spread) / (mean - spread).max(f64::MIN_POSITIVE)).sqrt();
        Axis { angle: (2.0 * xy).atan2(xx - yy) / 2.0, elongation }
    }

    /// What of the region exceeds a higher threshold, as regions of their own.
    pub fn above(&self, map: &ProbabilityMap, threshold: f32) -> Vec<Self> {
        let row_of = |run: &Run| &map.values[run.y * map.width..][..run.end];
        let parts = |run: &Run| runs_of(row_of(run), run.y, threshold, run.start).collect::<Vec<_>>();
        connected(map, self.runs.iter().flat_map(parts))
    }

    /// Joins what belongs to one line.
    pub fn join(&mut self, other: Self) {
        self.runs.extend(other.runs);
        // Row by row, as `connected` wants them.
        self.runs.sort_unstable_by_key(|run| (run.y, run.start));
        self.probability_sum += other.probability_sum;
    }

    /// The rectangle in this direction around all its pixels.
    pub fn rectangle(&self, angle: f64) -> Rectangle {
        let (sin, cos) = angle.sin_cos();
        let mut rectangle = Rectangle::around_nothing(angle);
        for r in &self.runs {
            for (x, y) in [(r.start, r.y), (r.end, r.y), (r.start, r.y + 1), (r.end, r.y + 1)] {
                let (x, y) = (x as f64, y as f64);
                rectangle.include(x * cos + y * sin, y * cos - x * sin);
            }
        }
        rectangle
    }
}

/// A rectangle turned by an angle; its edges are distances along and across that direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rectangle {
    angle: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Rectangle {
    fn around_nothing(angle: f64) -> Self {
        Self { angle, left: f64::INFINITY, right: f64::NEG_INFINITY, top: f64::INFINITY, bottom: f64::NEG_INFINITY }
    }

    fn include(&mut self, along: f64, across: f64) {
        self.left = self.left.min(along);
        self.right = self.right.max(along);
        self.top = self.top.min(across);
        self.bottom = self.bottom.max(across);
    }

    /// Whether two rectangles of one direction stand side by side: in one row, and less than a line's height apart.
    pub fn is_beside(&self, other: &Self) -> bool {
        let rows = shared((self.top, self.bottom), (other.top, other.bottom));
        let lower = self.height().min(other.height());
        rows > lower / 2.0 && shared((self.left, self.right), (other.left, other.right)).abs() < lower
    }

    /// How far two rectangles of one direction run into each other, in heights of the lower one; negative where they stand apart, or in
    /// different rows.
    pub fn overlap_in_row(&self, other: &Self) -> f64 {
        let rows = shared((self.top, self.bottom), (other.top, other.bottom));
        let (lower, higher) = (self.height().min(other.height()), self.height().max(other.height()));
        if rows < SAME_ROW_MIN * higher { -1.0 } else { shared((self.left, self.right), (other.left, other.right)) / lower }
    }

    /// Whether two rectangles of one direction begin or end in one place.
    pub fn is_aligned_with(&self, other: &Self) -> bool {
        let apart = (self.left - other.left).abs().min((self.right - other.right).abs());
        apart < SAME_EDGE_MAX * self.height().min(other.height())
    }

    /// Of two rectangles of one direction that which begins further right.
    pub fn right_of<'a>(&'a self, other: &'a Self) -> &'a Self {
        if self.left > other.left { self } else { other }
    }

    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Moves every edge outwards by `ratio * area / perimeter`: undoes the shrinking of the training's maps (Liao et al. 2020,
    /// section 3.4).
    pub fn unclip(self, ratio: f64) -> Self {
        let distance = ratio * self.width() * self.height() / (2.0 * (self.width() + self.height()));
        Self { left: self.left - distance, right: self.right + distance, top: self.top - distance, bottom: self.bottom + distance, ..self }
    }

    /// Its corners, clockwise from the top left, with the map's pixels as large as given.
    pub fn quad(&self, pixel_width: f64, pixel_height: f64) -> Quad {
        let (sin, cos) = self.angle.sin_cos();
        let corner = |along: f64, across: f64| Point {
            x: ((along * cos - across * sin) * pixel_width) as f32,
            y: ((along * sin + across * cos) * pixel_height) as f32,
        };
        Quad([corner(self.left, self.top), corner(self.right, self.top), corner(self.right, self.bottom), corner(self.left, self.bottom)])
    }
}

/// How much two ranges have in common; negative where they lie apart.
fn shared((from, to): (f64, f64), (other_from, other_to): (f64, f64)) -> f64 {
    to.min(other_to) - from.max(other_from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `#` is 0.9, `+` is 0.5, all else 0.
    fn draw(rows: &[&str]) -> (usize, Vec<f32>) {
        let value = |c| match c {
            '#' => 0.9,
            '+' => 0.5,
            _ => 0.0,
        };
        (rows[0].len(), rows.iter().flat_map(|row| row.chars().map(value)).collect())
    }

    fn regions_of(rows: &[&str]) -> Vec<Region> {
        let (width, values) = draw(rows);
        regions(&ProbabilityMap { width, values: &values }, 0.3)
    }

    #[test]
    fn regions_hang_together_over_edges_and_corners() {
        for (rows, expected) in [
            (["##..", "...."].as_slice(), vec![2]),
            (&["#.#.", "...."], vec![1, 1]),
            (&["#.#.", ".#.."], vec![3]),
            (&["#..#", "#..#", "####"], vec![8]),
            (&["#...", "..##", "...."], vec![1, 2]),
            (&["#...#...", ".#.#.#..", "..#....#"], vec![6, 1]),
            (&["....", "...."], vec![]),
            (&["#...", "....", "#..."], vec![1, 1]),
        ] {
            let areas: Vec<usize> = regions_of(rows).iter().map(Region::area).collect();
            assert_eq!(areas, expected, "{rows:#?}");
        }
    }

    #[test]
    fn what_was_joined_falls_apart_again_in_its_own_places() {
        let (width, values) = draw(&["##.##", "##.##", "++.++", "##.##"]);
        let map = ProbabilityMap { width, values: &values };
        let [mut left, right] = <[Region; 2]>::try_from(regions(&map, 0.3)).unwrap();
        left.join(right);
        let areas: Vec<usize> = left.above(&map, 0.7).iter().map(Region::area).collect();
        assert_eq!(areas, [4, 4, 2, 2]);
    }

    #[test]
    fn the_score_is_the_mean_probability() {
        assert!((regions_of(&["##++"])[0].score() - 0.7).abs() < 1e-6);
    }

    #[test]
    fn a_line_lies_along_its_pixels() {
        let flat = regions_of(&["########", "########"])[0].axis();
        assert!(flat.angle.abs() < 1e-9 && (flat.elongation - 4.0).abs() < 0.1, "{flat:?}");
        let stairs = regions_of(&["##......", "..##....", "....##..", "......##"])[0].axis();
        assert!((stairs.angle - 0.5f64.atan()).abs() < 0.02, "{stairs:?}");
    }

    #[test]
    fn the_rectangle_reaches_the_outer_edges_of_the_pixels() {
        let quad = regions_of(&["....", ".##.", ".##."])[0].rectangle(0.0).quad(2.0, 10.0);
        assert_eq!(quad, Quad::from_edges(2.0, 10.0, 6.0, 30.0));
    }

    #[test]
    fn unclipping_undoes_shrinking() {
        // A line of 100 x 10, shrunk by area * (1 - 0.4^2) / perimeter, comes back to within a pixel with the ratio for its shape.
        let shrink = 1000.0 * (1.0 - 0.16) / 220.0;
        let shrunk = Rectangle { angle: 0.0, left: shrink, right: 100.0 - shrink, top: shrink, bottom: 10.0 - shrink };
        let ratio = shrink * 2.0 * (shrunk.width() + shrunk.height()) / (shrunk.width() * shrunk.height());
        let whole = shrunk.unclip(ratio);
        assert!((whole.width() - 100.0).abs() < 1e-9 && (whole.height() - 10.0).abs() < 1e-9);
    }

    #[test]
    fn a_turned_rectangle_keeps_its_corners_clockwise() {
        let region = &regions_of(&["##......", "..##....", "....##..", "......##"])[0];
        let quad = region.rectangle(region.axis().angle).quad(1.0, 1.0);
        assert!(quad.0[0].x < quad.0[1].x && quad.0[1].y > quad.0[0].y);
        assert!(quad.height() < 3.0 && quad.width() > 8.0, "{quad:?}");
    }
}
