//! What is left of a document may be anything: a corner of a page, lines that were lost, characters that were misread. Whatever it is, it is
//! understood without a panic.

#![allow(clippy::unwrap_used, reason = "in a test the place of the panic says what is wrong")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use datasets::drawn;
use datasets::zugferd::LabelledInvoice;
use engine::engine::Engine;
use engine::text::TextLine;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use training::evaluation::invoices;
use training::evaluation::sroie::TextSource;

const PIECES_OF_DOCUMENT: usize = 1;
/// Share of the lines that a piece loses, and share of the pieces whose characters are misread.
const LOST: f64 = 0.1;
const MISREAD_PIECES: f64 = 0.5;
/// Share of such a piece's characters, and what they are taken for.
const MISREAD: f64 = 0.05;
const TAKEN_FOR: [char; 14] = ['0', '1', '9', '.', ',', '-', '/', ':', '%', '€', ' ', 'A', 'ß', 'x'];

fn piece(document: &LabelledInvoice, rng: &mut impl Rng) -> LabelledInvoice {
    let all = &document.lines;
    let from = rng.random_range(0..all.len());
    let to = rng.random_range(from..all.len()) + 1;
    let mut lines: Vec<TextLine> = all[from..to].iter().filter(|_| !rng.random_bool(LOST)).cloned().collect();
    if rng.random_bool(MISREAD_PIECES) {
        for line in &mut lines {
            let misread = |c: char| if rng.random_bool(MISREAD) { TAKEN_FOR[rng.random_range(0..TAKEN_FOR.len())] } else { c };
            line.text = line.text.chars().map(misread).collect();
        }
    }
    LabelledInvoice { lines, ..document.clone() }
}

#[test]
fn any_piece_of_a_document_is_understood() {
    let engine = Engine::built_in().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/drawn");
    let files = ["documents.ndjson.gz", "held-out.ndjson.gz"];
    let documents: Vec<_> = files.iter().flat_map(|file| drawn::read(&folder.join(file)).unwrap()).collect();
    assert!(documents.len() > 900, "{} documents", documents.len());
    let pieces = (0..PIECES_OF_DOCUMENT).flat_map(|seed| documents.iter().enumerate().map(move |(at, document)| ((seed, at), document)));
    let understood = |((seed, at), document): ((usize, usize), &LabelledInvoice)| {
        let mut rng = ChaCha8Rng::seed_from_u64((seed * documents.len() + at) as u64);
        let piece = piece(document, &mut rng);
        let lines: Vec<&str> = piece.lines.iter().map(|line| line.text.as_str()).collect();
        let invoice = catch_unwind(AssertUnwindSafe(|| invoices::predict(&engine, &piece, TextSource::Given)));
        assert!(matches!(invoice, Ok(Ok(_))), "piece {seed} of {}: {lines:#?}", document.id);
    };
    pieces.collect::<Vec<_>>().into_par_iter().for_each(understood);
}
