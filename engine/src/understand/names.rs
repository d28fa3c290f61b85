//! Names and addresses: blocks of whole lines, cut where a registration number or a telephone begins.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::beliefs::Beliefs;
use super::draft::Span;
use super::labels::Tag;
use super::rows::{ReadingOrder, around, horizontal_overlap, part_of};

/// A block is found where its most probable line is at least so probable.
const SEED_PROBABILITY_MIN: f32 = 0.05;

/// Probabilities are kept this far from 0 and 1 when they become log odds.
const PROBABILITY_MARGIN: f32 = 1e-4;

/// Blocks a field: the best, and the best without its lines.
const BLOCKS_MAX: usize = 3;

/// A name is not cut shorter than this many characters.
const NAME_CHARACTERS_MIN: usize = 3;

/// From here on a line no longer is the supplier's name: registration numbers, owners.
static AFTER_NAME: LazyLock<Regex> = LazyLock::new(|| {
    let number = r"(?:NO\.?:? ?)?(?:\b[A-Z]{2}\d{6,}|\d{4,9} ?-? ?[A-Z])\b";
    let word = r"\b(?:(?:CO(?:MPANY)?\.? ?)?REG(?:ISTRATION)?\.? ?(?:NO|:)|CO(?:MPANY)?\.? ?NO\b|ROC\b|OWN(?:ED)? BY|GST\b|VAT (?:NO|REG))";
    Regex::new(&format!(r"(?i)\s*[(\[]?\s*(?:{number}|{word}).*$")).expect("the pattern is a constant that a test compiles")
});

/// From here on a line no longer is an address.
static AFTER_ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\s*\b(?:TEL(?:EPHONE)?|PHONE|FAX|H/P|E-?MAIL)\b.*$").expect("the pattern is a constant that a test compiles")
});

/// Candidates for a field that is a block of lines of one tag, the most probable first.
pub(super) fn blocks(order: &ReadingOrder, beliefs: &Beliefs, tag: Tag) -> Vec<Span> {
    let mut odds: Vec<f32> = beliefs.tags.iter().map(|tags| log_odds(tags[tag as usize])).collect();
    let mut spans = Vec::new();
    while spans.len() < BLOCKS_MAX {
        let Some(seed) = (0..odds.len()).max_by(|a, b| odds[*a].total_cmp(&odds[*b])) else { break };
        if odds[seed] < log_odds(SEED_PROBABILITY_MIN) {
            break;
        }
        let lines = block_around(order, &odds, seed);
        spans.extend(span(order, beliefs, tag, &lines));
        lines.iter().for_each(|line| odds[*line] = f32::NEG_INFINITY);
    }
    spans
}

fn log_odds(probability: f32) -> f32 {
    let p = probability.clamp(PROBABILITY_MARGIN, 1.0 - PROBABILITY_MARGIN);
    (p / (1.0 - p)).ln()
}

/// The run of lines around `seed` with the largest sum of log odds; improbable lines beside its column do not count.
fn block_around(order: &ReadingOrder, odds: &[f32], seed: usize) -> Vec<usize> {
    let home = order.lines[seed];
    let in_column = |line: &usize| {
        let other = order.lines[*line];
        other.page == home.page && (odds[*line] > 0.0 || horizontal_overlap(&home.quad, &other.quad) > 0.0)
    };
    let before: Vec<usize> = (0..seed).rev().filter(in_column).collect();
    let after: Vec<usize> = (seed + 1..odds.len()).filter(in_column).collect();
    let mut lines = best_prefix(&before, odds).to_vec();
    lines.reverse();
    lines.push(seed);
    lines.extend(best_prefix(&after, odds));
    lines
}

/// The beginning of `lines` with the largest positive sum; empty where there is none.
fn best_prefix<'a>(lines: &'a [usize], odds: &[f32]) -> &'a [usize] {
    let sums = lines.iter().scan(0.0, |sum, line| {
        *sum += odds[*line];
        Some(*sum)
    });
    let (length, _) = sums.enumerate().fold((0, 0.0), |best, (i, sum)| if sum > best.1 { (i + 1, sum) } else { best });
    &lines[..length]
}

fn span(order: &ReadingOrder, beliefs: &Beliefs, tag: Tag, lines: &[usize]) -> Option<Span> {
    let joined = lines.iter().map(|line| order.lines[*line].text.trim()).collect::<Vec<_>>().join(" ");
    let text = cut(tag, &joined);
    let quads: Vec<_> = parts(order, lines, text.len()).map(|(line, range)| part_of(order.lines[line], &range)).collect();
    let count = lines.len() as f32;
    let certainty = lines.iter().map(|line| beliefs.tags[*line][tag as usize].ln()).sum::<f32>() / count;
    let reading = lines.iter().map(|line| order.lines[*line].confidence).sum::<f32>() / count;
    Some(Span {
        text: text.to_string(),
        page: order.lines[*lines.first()?].page,
        quad: around(&quads)?,
        probability: certainty.exp() * reading,
    })
}

fn cut(tag: Tag, text: &str) -> &str {
    let after = match tag {
        Tag::SupplierName | Tag::CustomerName => &AFTER_NAME,
        _ => &AFTER_ADDRESS,
    };
    match after.find(text) {
        Some(rest) if rest.start() >= NAME_CHARACTERS_MIN => &text[..rest.start()],
        _ => text,
    }
}

/// The parts of the lines that the first `length` bytes of their joined text cover.
fn parts<'a>(order: &'a ReadingOrder, lines: &'a [usize], length: usize) -> impl Iterator<Item = (usize, Range<usize>)> + 'a {
    let part = move |left: &mut usize, line: &usize| {
        let text = &order.lines[*line].text;
        let trimmed = text.trim();
        let start = text.len() - text.trim_start().len();
        let taken = trimmed.len().min(*left);
        *left = left.saturating_sub(trimmed.len() + 1);
        Some((taken > 0).then_some((*line, start..start + taken)))
    };
    lines.iter().scan(length, part).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Quad;
    use crate::text::{PageSize, TextLine};
    use crate::understand::labels::{DOCUMENT_TYPES, Role};

    #[test]
    fn names_end_before_registration_numbers() {
        let cases = [
            ("MR. D.I.Y. (M) SDN BHD (CO. REG : 860671-D)", "MR. D.I.Y. (M) SDN BHD"),
            ("99 SPEED MART S/B (519537-X)", "99 SPEED MART S/B"),
            ("POPULAR BOOK CO. (M) SDN BHD 113825-W", "POPULAR BOOK CO. (M) SDN BHD"),
            ("LIAN HING STATIONERY SDN BHD (162761-M) OWN BY: X", "LIAN HING STATIONERY SDN BHD"),
            ("SHELL ISNI PETRO TRADING OWNED BY: SHELL", "SHELL ISNI PETRO TRADING"),
            ("THE COFFEE BEAN & TEA LEAF (M) SDN. BHD.", "THE COFFEE BEAN & TEA LEAF (M) SDN. BHD."),
            ("B & B 2000 SDN BHD", "B & B 2000 SDN BHD"),
            ("1234-X", "1234-X"),
        ];
        for (line, name) in cases {
            assert_eq!(cut(Tag::SupplierName, line), name);
        }
        assert_eq!(cut(Tag::SupplierAddress, "12 QUAY ROAD, CORK TEL: 021 123"), "12 QUAY ROAD, CORK");
    }

    #[test]
    fn an_address_is_the_most_probable_run_of_its_column() {
        let line = |left: f32, top: f32, text: &str| TextLine {
            page: 0,
            quad: Quad::from_edges(left, top, left + 100.0, top + 20.0),
            text: text.into(),
            confidence: 1.0,
        };
        let lines = [
            line(0.0, 0.0, "ACME WINES LTD"),
            line(0.0, 30.0, "1 HIGH STREET,"),
            line(400.0, 30.0, "INVOICE"),
            line(0.0, 60.0, "GALWAY"),
            line(0.0, 90.0, "TOTAL"),
        ];
        let pages = [PageSize { width: 600, height: 600 }];
        let order = ReadingOrder::new(&lines, &pages);
        let tags = [0.1, 0.9, 0.2, 0.7, 0.1].map(|address| {
            let mut tags = [0.0; Tag::COUNT];
            tags[Tag::SupplierAddress as usize] = address;
            tags[Tag::Other as usize] = 1.0 - address;
            tags
        });
        let beliefs = Beliefs { tags: tags.to_vec(), roles: vec![[0.0; Role::COUNT]; 0], types: [0.0; DOCUMENT_TYPES.len()] };
        let found = blocks(&order, &beliefs, Tag::SupplierAddress);
        assert_eq!(found[0].text, "1 HIGH STREET, GALWAY");
        assert_eq!(found[0].quad.to_pixels(), [0, 30, 100, 30, 100, 80, 0, 80]);
    }
}
