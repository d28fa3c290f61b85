//! Features of lines: words, n-grams, hand-made signs, and a coarse place on the page.

use crate::understand::candidates::{Candidate, Kind};
use crate::understand::keywords::{Keyword, KeywordSet};
use crate::understand::rows::{ReadingOrder, median};
use crate::understand::vocabulary::{Vocabulary, grams};

/// Hand-made numbers a line.
pub const LINE_SIGNS: usize = 13 + Kind::ALL.len() + KEYWORDS.len();

/// Bins of each coarse place: left edge, right edge, height on the page, size of print, rows from the top, rows from the
/// bottom, page (first, middle, last).
pub const PLACE_BINS: [usize; 7] = [12, 12, 16, 6, 16, 8, 3];

/// Keyword groups that a line's own signs tell apart; the finer words are for the tables.
const KEYWORDS: [&[Keyword]; 11] = [
    &[Keyword::Legal],
    &[Keyword::Place],
    &[Keyword::Invoice, Keyword::Receipt, Keyword::CreditNote, Keyword::Statement, Keyword::Delivery],
    &[Keyword::Tax, Keyword::Registration],
    &[Keyword::Phone, Keyword::Fax, Keyword::Mail],
    &[Keyword::Date, Keyword::Time],
    &[Keyword::Total, Keyword::Subtotal, Keyword::Cash, Keyword::Change],
    &[Keyword::Description, Keyword::Quantity, Keyword::Price],
    &[Keyword::Recipient, Keyword::Customer],
    &[Keyword::Seller],
    &[Keyword::Thanks],
];

/// What the network sees of one line.
#[derive(Debug, Clone)]
pub struct LineFeatures {
    /// Ids of the vocabulary's words.
    pub words: Vec<u32>,
    /// Buckets of the hashed n-grams.
    pub grams: Vec<u32>,
    pub signs: [f32; LINE_SIGNS],
    /// One bin of each of [`PLACE_BINS`].
    pub places: [usize; PLACE_BINS.len()],
}

pub(super) fn features(
    order: &ReadingOrder,
    candidates: &[Candidate],
    keywords: &[KeywordSet],
    vocabulary: &Vocabulary,
) -> tokenizers::Result<Vec<LineFeatures>> {
    let pages: Vec<Extent> = (0..order.pages.len()).map(|page| Extent::of(order, page)).collect();
    let mut kinds = vec![[false; Kind::ALL.len()]; order.lines.len()];
    for candidate in candidates {
        kinds[candidate.line][candidate.kind as usize] = true;
    }
    order
        .lines
        .iter()
        .enumerate()
        .map(|(i, line)| {
            let mut signs = [0.0; LINE_SIGNS];
            let all = text_signs(&line.text)
                .into_iter()
                .chain(row_signs(order, i))
                .chain(kinds[i].map(f32::from))
                .chain(KEYWORDS.map(|group| f32::from(keywords[i].has_any(group))));
            signs.iter_mut().zip(all).for_each(|(sign, value)| *sign = value);
            Ok(LineFeatures {
                words: vocabulary.words(&line.text)?,
                grams: grams(&line.text),
                signs,
                places: places(order, i, &pages[line.page]),
            })
        })
        .collect()
}

fn text_signs(text: &str) -> [f32; 9] {
    let length = text.chars().count().max(1) as f32;
    let share = |count: usize| count as f32 / length;
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let longest_run = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    let postcode = text.split(|c: char| !c.is_alphanumeric()).any(is_postcode);
    [
        (length / 40.0).min(1.5),
        share(digits),
        (longest_run as f32 / 12.0).min(1.0),
        (text.matches(',').count() as f32 / 4.0).min(1.0),
        f32::from(text.ends_with([',', '.'])),
        f32::from(postcode),
        share(text.chars().filter(|c| c.is_alphabetic()).count()),
        (text.split_whitespace().count() as f32 / 8.0).min(1.0),
        f32::from(text.contains(':')),
    ]
}

/// Five digits (Malaysia, Germany, France), or a routing key or outward code of Ireland and Britain.
pub(super) fn is_postcode(word: &str) -> bool {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { 'A' }).collect();
    matches!(shape.as_str(), "00000" | "A00" | "AA0" | "AA00" | "A0A" | "A00AA00" | "A00A000")
}

fn row_signs(order: &ReadingOrder, line: usize) -> [f32; 4] {
    let row = order.row(line);
    let height = order.line_height();
    let gap = |offset: isize| {
        let other = order.row_at(order.row_of[line], offset).map(|other| &order.lines[other.start].quad);
        other.map_or(1.0, |other| ((other.centre().y - order.lines[line].quad.centre().y).abs() / height / 4.0).min(1.0))
    };
    [f32::from(row.len() == 1), (row.len() as f32 / 6.0).min(1.0), gap(-1), gap(1)]
}

/// The part of a page that text stands on.
struct Extent {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
    height: f32,
    rows: std::ops::Range<usize>,
}

impl Extent {
    fn of(order: &ReadingOrder, page: usize) -> Self {
        let quads: Vec<_> = order.lines.iter().filter(|line| line.page == page).map(|line| line.quad).collect();
        let start = order.rows.partition_point(|row| order.lines[row.start].page < page);
        let end = order.rows.partition_point(|row| order.lines[row.start].page <= page);
        Self {
            left: quads.iter().map(|q| q.left()).fold(f32::INFINITY, f32::min),
            top: quads.iter().map(|q| q.top()).fold(f32::INFINITY, f32::min),
            right: quads.iter().map(|q| q.right()).fold(f32::NEG_INFINITY, f32::max),
            bottom: quads.iter().map(|q| q.bottom()).fold(f32::NEG_INFINITY, f32::max),
            height: median(quads.iter().map(|q| q.height()).collect()).unwrap_or(1.0).max(1.0),
            rows: start..end,
        }
    }
}

fn places(order: &ReadingOrder, line: usize, page: &Extent) -> [usize; PLACE_BINS.len()] {
    let quad = &order.lines[line].quad;
    let bin = |share: f32, bins: usize| ((share * bins as f32).max(0.0) as usize).min(bins - 1);
    let across = |x: f32| (x - page.left) / (page.right - page.left).max(1.0);
    let row = order.row_of[line];
    let page_place = match order.lines[line].page {
        0 => 0,
        last if last + 1 == order.pages.len() => 2,
        _ => 1,
    };
    [
        bin(across(quad.left()), PLACE_BINS[0]),
        bin(across(quad.right()), PLACE_BINS[1]),
        bin((quad.centre().y - page.top) / (page.bottom - page.top).max(1.0), PLACE_BINS[2]),
        bin(quad.height() / page.height / 2.0, PLACE_BINS[3]),
        (row - page.rows.start).min(PLACE_BINS[4] - 1),
        (page.rows.end - 1 - row).min(PLACE_BINS[5] - 1),
        page_place,
    ]
}
