//! Supplier invoices, credit notes and receipts of many trades and countries, drawn as web pages without knowledge of this program and printed to PDF:
//! the lines of their text layers and what they say, without pictures. Companies, persons and numbers are invented.
//!
//! A file is gzip of JSON lines, one document a line. Beside them, lines of text that such paper has, in ten languages, written just so.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use engine::geometry::Quad;
use engine::text::TextLine;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use proto::Invoice;
use serde::{Deserialize, Serialize};

use crate::zugferd::LabelledInvoice;

/// How the name of a file of lines ends.
const PLAIN: &str = ".txt.gz";

#[derive(Debug, thiserror::Error)]
pub enum DrawnError {
    #[error("{}: cannot read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: line {line} is not a drawn document", path.display())]
    Json { path: PathBuf, line: usize, source: serde_json::Error },
    #[error("{}: cannot write", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// A document as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    id: String,
    /// Page, left, top, right and bottom in pixels, text.
    lines: Vec<(usize, [i32; 4], String)>,
    truth: Invoice,
}

/// All documents of a file, in its order; they have no pictures, and all their labels stand on the page.
pub fn read(path: &Path) -> Result<Vec<LabelledInvoice>, DrawnError> {
    let failed = |source| DrawnError::Read { path: path.to_owned(), source };
    let document = |(at, line): (usize, io::Result<String>)| {
        let kept: Kept = serde_json::from_str(&line.map_err(failed)?).map_err(|source| DrawnError::Json {
            path: path.to_owned(),
            line: at + 1,
            source,
        })?;
        Ok(kept.labelled())
    };
    lines(path).map_err(failed)?.enumerate().map(document).collect()
}

/// The lines of a gzip file.
fn lines(path: &Path) -> io::Result<impl Iterator<Item = io::Result<String>>> {
    Ok(BufReader::new(GzDecoder::new(File::open(path)?)).lines())
}

/// What the lines of a file say, in its order: of documents ([`read`]), or as they are in a file of plain lines (`.txt.gz`).
pub fn texts(path: &Path) -> Result<Vec<String>, DrawnError> {
    if !path.to_string_lossy().ends_with(PLAIN) {
        return Ok(read(path)?.into_iter().flat_map(|document| document.lines).map(|line| line.text).collect());
    }
    let plain = lines(path).and_then(Iterator::collect);
    plain.map_err(|source| DrawnError::Read { path: path.to_owned(), source })
}

/// Keeps documents without their pictures.
pub fn write(path: &Path, documents: &[LabelledInvoice]) -> Result<(), DrawnError> {
    let failed = |source| DrawnError::Write { path: path.to_owned(), source };
    let mut file = GzEncoder::new(File::create(path).map_err(failed)?, Compression::best());
    for document in documents {
        let line = serde_json::to_string(&Kept::of(document)).map_err(|source| failed(source.into()))?;
        writeln!(file, "{line}").map_err(failed)?;
    }
    file.finish().map(drop).map_err(failed)
}

impl Kept {
    fn of(document: &LabelledInvoice) -> Self {
        let edges = |quad: &Quad| [quad.left(), quad.top(), quad.right(), quad.bottom()].map(|edge| edge.round() as i32);
        let lines = document.lines.iter().map(|line| (line.page, edges(&line.quad), line.text.clone())).collect();
        Self { id: document.id.clone(), lines, truth: document.truth.clone() }
    }

    fn labelled(self) -> LabelledInvoice {
        let line = |(page, [left, top, right, bottom], text): (usize, [i32; 4], String)| {
            let quad = Quad::from_edges(left as f32, top as f32, right as f32, bottom as f32);
            TextLine { page, quad, text, confidence: 1.0 }
        };
        let lines = self.lines.into_iter().map(line).collect();
        LabelledInvoice { id: self.id, images: Vec::new(), lines, truth: self.truth, trusted: true, lines_trusted: true }
    }
}

#[cfg(test)]
mod tests {
    use proto::Field;

    use super::*;

    fn document() -> LabelledInvoice {
        let number = Field { text: "INV-7".into(), value: "INV-7".into(), confidence: 1.0, ..Field::default() };
        let page = proto::Page { width: 1240, height: 1754, rotation_degrees: 0 };
        LabelledInvoice {
            id: "a".into(),
            images: vec!["a.jpg".into()],
            lines: vec![TextLine {
                page: 0,
                quad: Quad::from_edges(10.0, 20.0, 90.0, 40.0),
                text: "Invoice INV-7".into(),
                confidence: 1.0,
            }],
            truth: Invoice { source: "a".into(), pages: vec![page], invoice_number: Some(number), ..Invoice::default() },
            trusted: true,
            lines_trusted: true,
        }
    }

    #[test]
    fn documents_are_kept_without_their_pictures() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("drawn.ndjson.gz");
        write(&path, &[document(), document()]).unwrap();
        let expected = LabelledInvoice { images: Vec::new(), ..document() };
        assert_eq!(read(&path).unwrap(), [expected.clone(), expected]);
        assert_eq!(texts(&path).unwrap(), ["Invoice INV-7"; 2]);
        let path = folder.path().join("lines.txt.gz");
        let mut file = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        writeln!(file, "Übertrag\nVAT 23 %").unwrap();
        file.finish().unwrap();
        assert_eq!(texts(&path).unwrap(), ["Übertrag", "VAT 23 %"]);
    }

    #[test]
    fn what_is_no_document_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("drawn.ndjson.gz");
        assert!(matches!(read(&path), Err(DrawnError::Read { .. })));
        let mut file = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        writeln!(file, "{{}}").unwrap();
        file.finish().unwrap();
        assert!(matches!(read(&path), Err(DrawnError::Json { line: 1, .. })));
        std::fs::write(&path, "no gzip").unwrap();
        assert!(matches!(read(&path), Err(DrawnError::Read { .. })));
    }
}
