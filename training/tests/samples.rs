//! The documents that the repository ships, read as a user reads them with the shipped weights, against their truth.

#![allow(clippy::unwrap_used, reason = "in a test the place of the panic says what is wrong")]

use std::fs;
use std::path::Path;

use engine::engine::Engine;
use proto::{Field, Invoice};

fn value(field: Option<&Field>) -> &str {
    field.map_or("", |field| &field.value)
}

/// What a document cannot be booked without.
fn essentials(invoice: &Invoice) -> [(&'static str, &str); 4] {
    let supplier = invoice.supplier.as_ref();
    [
        ("supplier", value(supplier.and_then(|s| s.name.as_ref()))),
        ("VAT number", value(supplier.and_then(|s| s.vat_id.as_ref()))),
        ("date", value(invoice.issue_date.as_ref())),
        ("total", value(invoice.totals.as_ref().and_then(|t| t.gross.as_ref()))),
    ]
}

#[test]
fn the_samples_are_read_as_they_say() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/samples");
    let engine = Engine::built_in().unwrap();
    let mut read = 0;
    for entry in fs::read_dir(samples.join("truth")).unwrap() {
        let truth: Invoice = serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let file = fs::read(samples.join(&truth.source)).unwrap();
        let invoice = engine.extract(&truth.source, &[file]).unwrap();
        assert_eq!(essentials(&invoice), essentials(&truth), "{}", truth.source);
        assert_eq!(invoice.lines.len(), truth.lines.len(), "{}: rows of goods", truth.source);
        read += 1;
    }
    assert_eq!(read, 6);
}
