//! Synthetic documents in layouts that training never saw, measured as supplier invoices are ([`super::invoices`]): every printed field
//! has a label.

use datasets::{
    splits::HELD_OUT_LAYOUTS,
    synthetic::documents::{DocumentGenerator, SyntheticDocument},
    zugferd::LabelledInvoice,
};
use engine::{engine::Engine, page::Page};
use image::{DynamicImage, ImageFormat};
use proto::Invoice;

use super::{invoices::ReadError, sroie::TextSource};

/// The first `count` documents of the generator in held-out layouts.
pub fn documents(generator: &DocumentGenerator, count: usize) -> Vec<SyntheticDocument> {
    let held_out = (0..).filter(|index| HELD_OUT_LAYOUTS.contains(&generator.text(*index).layout));
    held_out.take(count).map(|index| generator.document(index)).collect()
}

/// Reads a document from its pictures, or from what is printed on them.
pub fn predict(engine: &Engine, document: &SyntheticDocument, text: TextSource) -> Result<Invoice, ReadError> {
    let id = &document.truth.source;
    let failed = |source| ReadError::Extract { id: id.clone(), source };
    let pages = || document.pages.iter().cloned();
    match text {
        TextSource::Given => {
            let pages: Vec<Page> = pages().map(|image| Page { image, rotation_degrees: 0, native_text: None }).collect();
            engine.understand_lines(id, &document.lines, &pages).map_err(failed)
        }
        TextSource::Own => {
            let files = pages().map(encode).collect::<Result<Vec<_>, _>>();
            let files = files.map_err(|source| ReadError::Encode { id: id.clone(), source })?;
            engine.extract(id, &files).map_err(failed)
        }
    }
}

fn encode(page: image::GrayImage) -> image::ImageResult<Vec<u8>> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::from(page).write_to(&mut bytes, ImageFormat::Bmp)?;
    Ok(bytes.into_inner())
}

/// The document with its labels, all of which stand on the page.
pub fn labelled(document: &SyntheticDocument) -> LabelledInvoice {
    LabelledInvoice {
        id: document.truth.source.clone(),
        images: Vec::new(),
        lines: document.lines.clone(),
        truth: document.truth.clone(),
        trusted: true,
        lines_trusted: true,
    }
}
