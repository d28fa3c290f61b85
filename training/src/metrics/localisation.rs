//! Task 1: places of text lines.
//!
//! - [`deteval`]: C. Wolf and J.-M. Jolion, "Object Count / Area Graphs for the Evaluation of Object Detection and Segmentation
//!   Algorithms", IJDAR 2006, with the constants of the ICDAR 2013 and SROIE 2019 scripts. As there, a line that is split over several
//!   boxes earns 0.8 (and each of its boxes 0.8), a box over several lines earns full marks.
//! - [`at_iou`]: one-to-one at an intersection over union of quads, the stricter view.

use engine::geometry::{Point, Quad};

use super::Tally;

/// Share of a line's area that its boxes must cover.
const AREA_RECALL_MIN: f64 = 0.8;
/// Share of a box's area that must lie on its lines.
const AREA_PRECISION_MIN: f64 = 0.4;
/// Largest distance of centres in a one-to-one match, as a share of the mean diagonal.
const CENTRE_DISTANCE_MAX: f64 = 1.0;
/// What a line earns that was found in several pieces, and each of the pieces.
const SPLIT_CREDIT: f64 = 0.8;
/// Sums of shares are rounded to four decimals before they are compared, as in the official script.
const SHARE_SCALE: f64 = 1e4;
/// The usual threshold for [`at_iou`].
pub const IOU_MIN: f64 = 0.5;

/// Upright rectangle in whole pixels, edges inclusive: what the script makes of eight coordinates.
#[derive(Debug, Clone, Copy)]
struct Rectangle {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
}

impl Rectangle {
    fn around(quad: &Quad) -> Self {
        let [left, top, right, bottom] = [quad.left(), quad.top(), quad.right(), quad.bottom()].map(|edge| edge.round() as i32);
        Self { left, top, right, bottom }
    }

    fn area(self) -> f64 {
        f64::from(self.right - self.left + 1) * f64::from(self.bottom - self.top + 1)
    }

    fn intersection(self, other: Self) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left) + 1;
        let height = self.bottom.min(other.bottom) - self.top.max(other.top) + 1;
        if width <= 0 || height <= 0 { 0.0 } else { f64::from(width) * f64::from(height) }
    }

    fn diagonal(self) -> f64 {
        f64::from(self.right - self.left + 1).hypot(f64::from(self.bottom - self.top + 1))
    }

    fn centre_distance(self, other: Self) -> f64 {
        f64::from(self.left + self.right - other.left - other.right).hypot(f64::from(self.top + self.bottom - other.top - other.bottom))
            / 2.0
    }
}

/// Areas shared by each line (row) and each box (column), and who is matched already.
struct Overlaps {
    lines: Vec<Rectangle>,
    boxes: Vec<Rectangle>,
    /// Share of line `t` that box `d` covers, at `t * boxes.len() + d`.
    recall: Vec<f64>,
    /// Share of box `d` that lies on line `t`.
    precision: Vec<f64>,
    line_matched: Vec<bool>,
    box_matched: Vec<bool>,
}

impl Overlaps {
    fn new(truth: &[Quad], found: &[Quad]) -> Self {
        let lines: Vec<_> = truth.iter().map(Rectangle::around).collect();
        let boxes: Vec<_> = found.iter().map(Rectangle::around).collect();
        let shares = |whole: fn(Rectangle, Rectangle) -> f64| {
            let boxes = &boxes;
            lines.iter().flat_map(|&line| boxes.iter().map(move |&b| line.intersection(b) / whole(line, b))).collect::<Vec<_>>()
        };
        let (recall, precision) = (shares(|line, _| line.area()), shares(|_, b| b.area()));
        Self { line_matched: vec![false; lines.len()], box_matched: vec![false; boxes.len()], lines, boxes, recall, precision }
    }

    fn recall(&self, line: usize, b: usize) -> f64 {
        self.recall[line * self.boxes.len() + b]
    }

    fn precision(&self, line: usize, b: usize) -> f64 {
        self.precision[line * self.boxes.len() + b]
    }

    fn agree(&self, line: usize, b: usize) -> bool {
        self.recall(line, b) >= AREA_RECALL_MIN && self.precision(line, b) >= AREA_PRECISION_MIN
    }

    fn boxes_on(&self, line: usize) -> usize {
        (0..self.boxes.len()).filter(|&b| self.recall(line, b) > 0.0).count()
    }

    fn lines_under(&self, b: usize) -> usize {
        (0..self.lines.len()).filter(|&line| self.recall(line, b) > 0.0).count()
    }

    /// The two belong together, and nothing else so much as touches them.
    fn is_one_to_one(&self, line: usize, b: usize) -> bool {
        let (l, r) = (self.lines[line], self.boxes[b]);
        self.agree(line, b)
            && self.boxes_on(line) == 1
            && self.lines_under(b) == 1
            && l.centre_distance(r) * 2.0 / (l.diagonal() + r.diagonal()) < CENTRE_DISTANCE_MAX
    }

    fn mark(&mut self, lines: &[usize], boxes: &[usize]) {
        lines.iter().for_each(|&line| self.line_matched[line] = true);
        boxes.iter().for_each(|&b| self.box_matched[b] = true);
    }

    fn one_to_one(&mut self) -> Tally {
        let mut tally = Tally::default();
        for line in 0..self.lines.len() {
            for b in 0..self.boxes.len() {
                if !self.line_matched[line] && !self.box_matched[b] && self.is_one_to_one(line, b) {
                    self.mark(&[line], &[b]);
                    tally.found_truths += 1.0;
                    tally.right_predictions += 1.0;
                }
            }
        }
        tally
    }

    /// Lines that were found in pieces. A single piece counts in full: a match that a neighbour's box touches.
    fn one_to_many(&mut self) -> Tally {
        let mut tally = Tally::default();
        for line in (0..self.lines.len()).filter(|&line| self.boxes_on(line) >= 2).collect::<Vec<_>>() {
            if self.line_matched[line] {
                continue;
            }
            let pieces: Vec<_> =
                (0..self.boxes.len()).filter(|&b| !self.box_matched[b] && self.precision(line, b) >= AREA_PRECISION_MIN).collect();
            if is_enough(pieces.iter().map(|&b| self.recall(line, b)).sum(), AREA_RECALL_MIN) {
                let credit = if pieces.len() == 1 { 1.0 } else { SPLIT_CREDIT };
                tally.found_truths += credit;
                tally.right_predictions += credit * pieces.len() as f64;
                self.mark(&[line], &pieces);
            }
        }
        tally
    }

    /// Boxes over several lines.
    fn many_to_one(&mut self) -> Tally {
        let mut tally = Tally::default();
        for b in (0..self.boxes.len()).filter(|&b| self.lines_under(b) >= 2).collect::<Vec<_>>() {
            if self.box_matched[b] {
                continue;
            }
            let covered: Vec<_> =
                (0..self.lines.len()).filter(|&line| !self.line_matched[line] && self.recall(line, b) >= AREA_RECALL_MIN).collect();
            if is_enough(covered.iter().map(|&line| self.precision(line, b)).sum(), AREA_PRECISION_MIN) {
                tally.found_truths += covered.len() as f64;
                tally.right_predictions += 1.0;
                self.mark(&covered, &[b]);
            }
        }
        tally
    }
}

fn is_enough(share: f64, at_least: f64) -> bool {
    (share * SHARE_SCALE).round() / SHARE_SCALE >= at_least
}

/// One page under the DetEval protocol; [`Tally::f1`] of the summed pages is the Hmean.
pub fn deteval(truth: &[Quad], found: &[Quad]) -> Tally {
    let mut overlaps = Overlaps::new(truth, found);
    let mut tally = Tally { predictions: found.len(), truths: truth.len(), ..Tally::default() };
    tally += overlaps.one_to_one();
    tally += overlaps.one_to_many();
    tally += overlaps.many_to_one();
    tally
}

/// Pairs (line, box) of at least `iou_min`, one-to-one, the closest pairs first.
pub fn pairs_at_iou(truth: &[Quad], found: &[Quad], iou_min: f64) -> Vec<(usize, usize)> {
    let mut pairs: Vec<_> = truth
        .iter()
        .enumerate()
        .flat_map(|(t, line)| found.iter().enumerate().map(move |(f, b)| (intersection_over_union(line, b), t, f)))
        .filter(|&(iou, ..)| iou >= iou_min)
        .collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut line_free, mut box_free) = (vec![true; truth.len()], vec![true; found.len()]);
    pairs.retain(|&(_, t, f)| {
        let both_free = line_free[t] && box_free[f];
        if both_free {
            (line_free[t], box_free[f]) = (false, false);
        }
        both_free
    });
    pairs.into_iter().map(|(_, t, f)| (t, f)).collect()
}

/// One page, one-to-one at `iou_min` (0 to 1).
pub fn at_iou(truth: &[Quad], found: &[Quad], iou_min: f64) -> Tally {
    Tally::of_pairs(pairs_at_iou(truth, found, iou_min).len(), found.len(), truth.len())
}

/// Of two convex quads, 0 to 1.
pub fn intersection_over_union(a: &Quad, b: &Quad) -> f64 {
    if a.right() < b.left() || b.right() < a.left() || a.bottom() < b.top() || b.bottom() < a.top() {
        return 0.0;
    }
    let shared = polygon_area(&clip(&a.0, &b.0));
    let union = polygon_area(&a.0) + polygon_area(&b.0) - shared;
    if union > 0.0 { shared / union } else { 0.0 }
}

/// The part of a convex polygon inside a convex clockwise window.
/// I. E. Sutherland and G. W. Hodgman, "Reentrant Polygon Clipping", CACM 1974.
fn clip(polygon: &[Point], window: &[Point; 4]) -> Vec<Point> {
    (0..4).fold(polygon.to_vec(), |polygon, i| {
        let (from, to) = (window[i], window[(i + 1) % 4]);
        let side = |p: Point| (to.x - from.x) * (p.y - from.y) - (to.y - from.y) * (p.x - from.x);
        let mut kept = Vec::with_capacity(polygon.len() + 1);
        for (j, &p) in polygon.iter().enumerate() {
            let q = polygon[(j + 1) % polygon.len()];
            let (p_side, q_side) = (side(p), side(q));
            if p_side >= 0.0 {
                kept.push(p);
            }
            if (p_side >= 0.0) != (q_side >= 0.0) {
                let t = p_side / (p_side - q_side);
                kept.push(Point { x: p.x + t * (q.x - p.x), y: p.y + t * (q.y - p.y) });
            }
        }
        kept
    })
}

/// By the shoelace formula, in square pixels.
fn polygon_area(polygon: &[Point]) -> f64 {
    let doubled: f64 = (0..polygon.len())
        .map(|i| (polygon[i], polygon[(i + 1) % polygon.len()]))
        .map(|(p, q)| f64::from(p.x) * f64::from(q.y) - f64::from(q.x) * f64::from(p.y))
        .sum();
    doubled.abs() / 2.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quads(edges: &[[f32; 4]]) -> Vec<Quad> {
        edges.iter().map(|&[l, t, r, b]| Quad::from_edges(l, t, r, b)).collect()
    }

    /// Edges are inclusive, so `[0, 0, 99, 19]` is 100 by 20 pixels.
    #[test]
    fn deteval_by_hand() {
        type Case<'a> = (&'a str, &'a [[f32; 4]], &'a [[f32; 4]], f64, f64);
        let line = [0.0, 0.0, 99.0, 19.0];
        let cases: &[Case] = &[
            ("the same box", &[line], &[line], 1.0, 1.0),
            ("80 of 100 columns covered is enough", &[line], &[[0.0, 0.0, 79.0, 19.0]], 1.0, 1.0),
            ("79 of 100 are not", &[line], &[[0.0, 0.0, 78.0, 19.0]], 0.0, 0.0),
            ("a box 2.5 times the line is just precise enough", &[line], &[[0.0, 0.0, 99.0, 49.0]], 1.0, 1.0),
            ("a larger one is not", &[line], &[[0.0, 0.0, 99.0, 50.0]], 0.0, 0.0),
            ("two pieces earn 0.8 each, the line 0.8", &[line], &[[0.0, 0.0, 49.0, 19.0], [50.0, 0.0, 99.0, 19.0]], 0.8, 1.6),
            (
                "a box over two lines earns one, the lines one each",
                &[[0.0, 0.0, 99.0, 19.0], [0.0, 20.0, 99.0, 39.0]],
                &[[0.0, 0.0, 99.0, 39.0]],
                2.0,
                1.0,
            ),
            (
                "a match that a neighbour's box touches still counts in full",
                &[[0.0, 0.0, 99.0, 19.0], [0.0, 20.0, 99.0, 39.0]],
                &[[0.0, 0.0, 99.0, 20.0], [0.0, 20.0, 99.0, 39.0]],
                2.0,
                2.0,
            ),
            ("a false box costs precision only", &[line], &[line, [0.0, 500.0, 99.0, 519.0]], 1.0, 1.0),
            ("nothing found", &[line], &[], 0.0, 0.0),
            ("nothing there", &[], &[line], 0.0, 0.0),
        ];
        for (name, truth, found, found_truths, right_predictions) in cases {
            let tally = deteval(&quads(truth), &quads(found));
            assert!((tally.found_truths - found_truths).abs() < 1e-9, "{name}: {tally:?}");
            assert!((tally.right_predictions - right_predictions).abs() < 1e-9, "{name}: {tally:?}");
            assert_eq!((tally.truths, tally.predictions), (truth.len(), found.len()), "{name}");
        }
    }

    #[test]
    fn iou_by_hand() {
        let square = Quad::from_edges(0.0, 0.0, 10.0, 10.0);
        let diamond = Quad::from_coordinates([5.0, 0.0, 10.0, 5.0, 5.0, 10.0, 0.0, 5.0]);
        let cases = [
            ("itself", square, 1.0),
            ("half of it beside", Quad::from_edges(5.0, 0.0, 15.0, 10.0), 50.0 / 150.0),
            ("the inscribed diamond", diamond, 0.5),
            ("apart", Quad::from_edges(20.0, 0.0, 30.0, 10.0), 0.0),
            ("touching", Quad::from_edges(10.0, 0.0, 20.0, 10.0), 0.0),
        ];
        for (name, other, expected) in cases {
            assert!((intersection_over_union(&square, &other) - expected).abs() < 1e-6, "{name}");
        }
    }

    #[test]
    fn the_closest_pair_is_taken_first() {
        let truth = quads(&[[0.0, 0.0, 10.0, 10.0]]);
        let found = quads(&[[0.0, 0.0, 10.0, 6.0], [0.0, 0.0, 10.0, 9.0]]);
        assert_eq!(pairs_at_iou(&truth, &found, IOU_MIN), [(0, 1)]);
        let tally = at_iou(&truth, &found, IOU_MIN);
        assert_eq!((tally.precision(), tally.recall()), (0.5, 1.0));
    }

    fn page() -> impl Strategy<Value = Vec<Quad>> {
        let edges = (0..200i32, 0..200i32, 5..80i32, 5..20i32);
        let quad = edges.prop_map(|(x, y, w, h)| Quad::from_edges(x as f32, y as f32, (x + w) as f32, (y + h) as f32));
        proptest::collection::vec(quad, 0..12)
    }

    proptest! {
        #[test]
        fn credit_never_exceeds_what_is_there(truth in page(), found in page()) {
            for tally in [deteval(&truth, &found), at_iou(&truth, &found, IOU_MIN)] {
                prop_assert!((0.0..=1.0 + 1e-9).contains(&tally.precision()), "{tally:?}");
                prop_assert!((0.0..=1.0 + 1e-9).contains(&tally.recall()), "{tally:?}");
            }
        }

        #[test]
        fn iou_is_symmetric(a in page(), b in page()) {
            for (a, b) in a.iter().zip(&b) {
                prop_assert!((intersection_over_union(a, b) - intersection_over_union(b, a)).abs() < 1e-4);
            }
        }
    }
}
