//! Synthetic documents in layouts that training never saw, measured as supplier invoices are ([`super::invoices`]): every printed field
//! has a label.

use datasets::{
    splits::HELD_OUT_LAYOUTS,
    synthetic::documents::{DocumentGenerator, SyntheticDocument},
    zugferd::LabelledInvoice,
};
use engine::engine::Engine;
use image::{DynamicImage, ImageFormat};
use proto::Invoice;

use super::{
    invoices::{self, ReadError},
    sroie::TextSource,
};

/// The first `count` documents of the generator in held-out layouts.
pub fn documents(generator: &DocumentGenerator, count: usize) -> Vec<SyntheticDocument> {
    let held_out = (0..).filter(|index| HELD_OUT_LAYOUTS.contains(&generator.text(*index).layout));
    held_out.take(count).map(|index| generator.document(index)).collect()
}

/// Reads a document from its pictures, or from what is printed on them.
pub fn predict(engine: &Engine, document: &SyntheticDocument, text: TextSource) -> Result<Invoice, ReadError> {
    let id = &document.truth.source;
    match text {
        TextSource::Given => invoices::predict(engine, &labelled(document), text),
        TextSource::Own => {
            let files = document.pages.iter().cloned().map(encode).collect::<Result<Vec<_>, _>>();
            let files = files.map_err(|source| ReadError::Encode { id: id.clone(), source })?;
            engine.extract(id, &files).map_err(|source| ReadError::Extract { id: id.clone(), source })
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
