//! What reading yields: lines of text with their places.

use crate::geometry::Quad;

/// A line of text: words that stand together in one row (columns with a wide gap are separate lines).
#[derive(Debug, Clone, PartialEq)]
pub struct TextLine {
    /// Index of the page in the document, from 0.
    pub page: usize,
    pub quad: Quad,
    pub text: String,
    /// 0 to 1: the recogniser's mean probability a character; 1 where the text came with the document.
    pub confidence: f32,
}

/// Width and height of an upright page, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize {
    pub width: u32,
    pub height: u32,
}
