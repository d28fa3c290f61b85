//! What the tests of understanding share.

use crate::geometry::Quad;
use crate::text::{PageSize, TextLine};

/// A line of text, 20 pixels high, on the first page.
pub fn line(left: f32, top: f32, width: f32, text: &str) -> TextLine {
    TextLine { page: 0, quad: Quad::from_edges(left, top, left + width, top + 20.0), text: text.into(), confidence: 1.0 }
}

/// The head of a letter, a caption beside its address, and a last line that says `foot`.
pub fn letter(foot: &str) -> ([TextLine; 5], [PageSize; 1]) {
    let line = |left: f32, top: f32, text: &str| line(left, top, 100.0, text);
    let lines = [
        line(0.0, 0.0, "ACME WINES LTD"),
        line(0.0, 30.0, "1 HIGH STREET,"),
        line(400.0, 30.0, "INVOICE"),
        line(0.0, 60.0, "GALWAY"),
        line(0.0, 90.0, foot),
    ];
    (lines, [PageSize { width: 600, height: 600 }])
}
