//! Receipts as our networks read them: the text that understanding will meet, with its lost spaces and odd lines.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use datasets::sroie::Receipt;
use engine::engine::Engine;
use engine::page;
use engine::text::TextLine;
use indicatif::{ParallelProgressIterator, ProgressBar};
use rayon::prelude::*;

/// Lines by receipt; a receipt on which nothing was found is left out.
pub fn read(engine: &Engine, receipts: &[Receipt]) -> Result<BTreeMap<String, Vec<TextLine>>> {
    let bar = ProgressBar::new(receipts.len() as u64).with_message("reading receipts");
    let read = |receipt: &Receipt| Ok((receipt.id.clone(), lines(engine, receipt)?));
    let readings: Result<BTreeMap<_, _>> = receipts.par_iter().progress_with(bar).map(read).collect();
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
