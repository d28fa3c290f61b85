//! What the network sees of a document: numbers of lines, of candidates, and of the document as a whole.

mod amounts;
mod candidate;
mod line;
mod party;
mod run;

pub use candidate::CANDIDATE_SIGNS;
pub use line::{LINE_SIGNS, LineFeatures, PLACE_BINS};
pub use run::RUN_SIGNS;

use super::candidates::{Candidate, Kind};
use super::keywords::{Keyword, KeywordSet};
use super::rows::ReadingOrder;
use super::runs::Run;
use super::vocabulary::Vocabulary;

/// A line attends to this many lines before and after it in reading order.
pub const WINDOW: usize = 4;

/// A line attends to this many lines above and below it in its column.
const COLUMN: usize = 2;

/// Lines that a line may attend to: the window with itself in the middle, then its column.
pub const NEIGHBOURS: usize = 2 * WINDOW + 1 + 2 * COLUMN;

/// Numbers that describe the document: which keywords stand in it anywhere, and its form.
pub const DOCUMENT_SIGNS: usize = Keyword::COUNT + 5;

/// The features of one document; all indices are in reading order.
#[derive(Debug, Clone)]
pub struct Features {
    pub lines: Vec<LineFeatures>,
    /// For each line the lines it may attend to; `None` beyond the document's ends.
    pub neighbours: Vec<[Option<usize>; NEIGHBOURS]>,
    pub candidates: Vec<CandidateFeatures>,
    pub runs: Vec<RunFeatures>,
    pub document: Vec<f32>,
}

/// The features of one candidate.
#[derive(Debug, Clone)]
pub struct CandidateFeatures {
    pub kind: Kind,
    pub line: usize,
    /// [`CANDIDATE_SIGNS`] numbers about 0 to 1.
    pub signs: Vec<f32>,
}

/// A run of lines with its features.
#[derive(Debug, Clone)]
pub struct RunFeatures {
    pub run: Run,
    pub signs: [f32; RUN_SIGNS],
}

impl Features {
    pub fn new(order: &ReadingOrder, candidates: &[Candidate], runs: &[Run], vocabulary: &Vocabulary) -> tokenizers::Result<Self> {
        let keywords: Vec<KeywordSet> = order.lines.iter().map(|line| KeywordSet::find(&line.text)).collect();
        let lines = line::features(order, candidates, &keywords, vocabulary)?;
        let neighbours = (0..order.lines.len()).map(|line| neighbours(order, line)).collect();
        let signs = candidate::signs(order, candidates);
        let features = candidates.iter().zip(signs).map(|(c, signs)| CandidateFeatures { kind: c.kind, line: c.line, signs }).collect();
        let signs = run::signs(order, &keywords, runs);
        let runs = runs.iter().zip(signs).map(|(run, signs)| RunFeatures { run: run.clone(), signs }).collect();
        Ok(Self { lines, neighbours, candidates: features, runs, document: document_signs(order, candidates, &keywords) })
    }
}

fn neighbours(order: &ReadingOrder, line: usize) -> [Option<usize>; NEIGHBOURS] {
    let mut slots = [None; NEIGHBOURS];
    for (slot, offset) in slots.iter_mut().zip(-(WINDOW as isize)..=WINDOW as isize) {
        *slot = line.checked_add_signed(offset).filter(|other| *other < order.lines.len());
    }
    let above = order.in_column(line, -1).take(COLUMN);
    let below = order.in_column(line, 1).take(COLUMN);
    for (slot, other) in slots[2 * WINDOW + 1..].iter_mut().zip(above) {
        *slot = Some(other);
    }
    for (slot, other) in slots[2 * WINDOW + 1 + COLUMN..].iter_mut().zip(below) {
        *slot = Some(other);
    }
    slots
}

fn document_signs(order: &ReadingOrder, candidates: &[Candidate], keywords: &[KeywordSet]) -> Vec<f32> {
    let all = keywords.iter().fold(KeywordSet::default(), |all, set| all.union(*set));
    let aspect = order.pages.first().map_or(1.0, |page| page.width as f32 / page.height.max(1) as f32);
    let amounts = candidates.iter().filter(|candidate| candidate.kind == Kind::Amount).count();
    let lines_per_row = order.lines.len() as f32 / order.rows.len().max(1) as f32;
    let form = [
        aspect.min(2.0),
        (order.lines.len() as f32).ln_1p() / 6.0,
        (amounts as f32).ln_1p() / 5.0,
        (lines_per_row / 6.0).min(1.0),
        order.pages.len().min(5) as f32 / 5.0,
    ];
    all.indicators().chain(form).collect()
}
