//! Receipts as our networks read them: the text that understanding will meet, with its lost spaces and odd lines.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use datasets::sroie::Receipt;
use engine::engine::Engine;
use engine::geometry::{Point, Quad};
use engine::page;
use engine::text::TextLine;
use indicatif::{ParallelProgressIterator, ProgressBar};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Lines by receipt.
pub type Readings = BTreeMap<String, Vec<TextLine>>;

/// A line as it is kept in a file.
#[derive(Serialize, Deserialize)]
struct Kept {
    corners: [[f32; 2]; 4],
    text: String,
    confidence: f32,
}

/// Keeps readings for runs to come: reading takes minutes.
pub fn keep(readings: &Readings, path: &Path) -> Result<()> {
    let kept = |line: &TextLine| Kept { corners: line.quad.0.map(|p| [p.x, p.y]), text: line.text.clone(), confidence: line.confidence };
    let all: BTreeMap<&String, Vec<Kept>> = readings.iter().map(|(id, lines)| (id, lines.iter().map(kept).collect())).collect();
    let json = serde_json::to_vec(&all).context("readings cannot be written as JSON")?;
    fs::write(path, json).with_context(|| format!("{}: cannot be written", path.display()))
}

/// What an earlier run kept.
pub fn kept(path: &Path) -> Result<Readings> {
    let json = fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))?;
    let all: BTreeMap<String, Vec<Kept>> = serde_json::from_slice(&json).with_context(|| format!("{}: no readings", path.display()))?;
    let line = |kept: Kept| TextLine {
        page: 0,
        quad: Quad(kept.corners.map(|[x, y]| Point { x, y })),
        text: kept.text,
        confidence: kept.confidence,
    };
    Ok(all.into_iter().map(|(id, lines)| (id, lines.into_iter().map(line).collect())).collect())
}

/// Reads the receipts; one on which nothing was found is left out.
pub fn read(engine: &Engine, receipts: &[Receipt]) -> Result<Readings> {
    let bar = ProgressBar::new(receipts.len() as u64).with_message("reading receipts");
    let read = |receipt: &Receipt| Ok((receipt.id.clone(), lines(engine, receipt)?));
    let readings: Result<Readings> = receipts.par_iter().progress_with(bar).map(read).collect();
    readings.map(|readings| readings.into_iter().filter(|(_, lines)| !lines.is_empty()).collect())
}

fn lines(engine: &Engine, receipt: &Receipt) -> Result<Vec<TextLine>> {
    let name = || format!("{}: cannot be read", receipt.image.display());
    let file = fs::read(&receipt.image).with_context(name)?;
    let pages = page::read(&[file]).with_context(name)?.pages;
    let mut lines = Vec::new();
    if let Some(page) = pages.first() {
        lines.extend(engine.read_text(page).with_context(name)?);
    }
    Ok(lines)
}
