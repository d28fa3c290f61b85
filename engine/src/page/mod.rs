//! Files to upright grey pages, and to the e-invoice that comes with them or stands for them.
//!
//! Every limit is checked on a file's header, before the memory for its pixels is asked for.

mod inflation;
mod jpeg;
mod pdf;
mod raster;
mod text_layer;
mod tiff_pages;

use image::{GrayImage, ImageError, ImageFormat};

use crate::e_invoice::{self, EInvoice, EInvoiceError};
use crate::text::{PageSize, TextLine};

pub use pdf::{PdfError, silence_panics};

/// Larger files are refused unread.
pub const MAX_FILE_BYTES: usize = 64 << 20;
/// Of one page: A3 at 600 dpi, a 64-megapixel phone.
pub const MAX_PAGE_PIXELS: u64 = 70_000_000;
/// Of all pages of a document together; a decoded page takes one byte a pixel.
pub const MAX_DOCUMENT_PIXELS: u64 = 256_000_000;
pub const MAX_PAGES: usize = 50;
/// Of a decoder: the pixels in the file's own colours and what it keeps beside them.
pub const MAX_DECODED_BYTES: u64 = 512 << 20;
/// A page must be able to hold a character.
pub const MIN_PAGE_EDGE: u32 = 8;

/// One page, upright.
#[derive(Debug, Clone)]
pub struct Page {
    /// In the file's own resolution, so that quads are in pixels that the file's owner can find; a PDF page is drawn at
    /// 200 dots an inch.
    pub image: GrayImage,
    /// Clockwise rotation that was applied to make the page upright: 0, 90, 180 or 270.
    pub rotation_degrees: u32,
    /// The lines of a PDF's text layer, where it has one that can be trusted.
    pub native_text: Option<Vec<TextLine>>,
}

impl Page {
    /// Width and height in pixels, upright.
    pub fn size(&self) -> PageSize {
        PageSize { width: self.image.width(), height: self.image.height() }
    }
}

/// What the files of a document hold.
#[derive(Debug, Default)]
pub struct Document {
    pub pages: Vec<Page>,
    /// An XML file's, or what a PDF carries (Factur-X, ZUGFeRD); the latter may be damaged while the pages are not.
    pub e_invoice: Option<Result<EInvoice, EInvoiceError>>,
}

/// Why a file gives no pages.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error("the file is empty")]
    Empty,
    #[error("the file has {bytes} bytes, more than the limit of {MAX_FILE_BYTES}")]
    FileTooLarge { bytes: u64 },
    #[error("{found}, where a JPEG, PNG, TIFF, WebP, BMP or PDF file or an e-invoice in XML is needed")]
    UnknownFormat { found: &'static str },
    #[error("the {} picture is damaged or of a kind that is not supported", format_name(*.format))]
    Decode { format: ImageFormat, source: ImageError },
    #[error("the JPEG picture is cut off: its end is missing")]
    TruncatedJpeg,
    #[error("the TIFF file's list of pages is damaged")]
    TiffPages(#[source] tiff::TiffError),
    #[error("a page of {width} x {height} pixels is over the limit of {MAX_PAGE_PIXELS} pixels")]
    TooManyPixels { width: u32, height: u32 },
    #[error("a page of {width} x {height} pixels is too small to hold text")]
    TooSmall { width: u32, height: u32 },
    #[error("decoding takes {bytes} bytes of memory, more than the limit of {MAX_DECODED_BYTES}")]
    TooMuchMemory { bytes: u64 },
    #[error("the document has more than {MAX_PAGES} pages")]
    TooManyPages,
    #[error("the document's pages have more than {MAX_DOCUMENT_PIXELS} pixels together")]
    DocumentTooLarge,
    #[error("the document holds more than one e-invoice")]
    SecondEInvoice,
    #[error(transparent)]
    Pdf(#[from] PdfError),
    #[error(transparent)]
    EInvoice(#[from] EInvoiceError),
}

/// The file of a document that gives no pages, and why.
#[derive(Debug, thiserror::Error)]
#[error("file {} of the document", .file + 1)]
pub struct DocumentError {
    /// Index of the file, from 0.
    pub file: usize,
    pub source: PageError,
}

/// The pages of a document's `files`, in order.
pub fn read(files: &[Vec<u8>]) -> Result<Document, DocumentError> {
    let mut document = Document::default();
    for (file, bytes) in files.iter().enumerate() {
        let fail = |source| DocumentError { file, source };
        let Document { pages, e_invoice } = read_file(bytes).map_err(fail)?;
        if document.e_invoice.is_some() && e_invoice.is_some() {
            return Err(fail(PageError::SecondEInvoice));
        }
        document.pages.extend(pages);
        document.e_invoice = document.e_invoice.or(e_invoice);
        check_document(&document.pages).map_err(fail)?;
    }
    for (index, page) in document.pages.iter_mut().enumerate() {
        page.native_text.iter_mut().flatten().for_each(|line| line.page = index);
    }
    Ok(document)
}

fn check_document(pages: &[Page]) -> Result<(), PageError> {
    let pixels: u64 = pages.iter().map(|page| page.image.len() as u64).sum();
    if pages.len() > MAX_PAGES {
        return Err(PageError::TooManyPages);
    }
    if pixels > MAX_DOCUMENT_PIXELS {
        return Err(PageError::DocumentTooLarge);
    }
    Ok(())
}

fn read_file(bytes: &[u8]) -> Result<Document, PageError> {
    if bytes.is_empty() {
        return Err(PageError::Empty);
    }
    if bytes.len() > MAX_FILE_BYTES {
        return Err(PageError::FileTooLarge { bytes: bytes.len() as u64 });
    }
    if pdf::is_pdf(bytes) {
        return Ok(pdf::read(bytes)?);
    }
    if e_invoice::is_xml(bytes) {
        return Ok(Document { pages: Vec::new(), e_invoice: Some(Ok(e_invoice::read(bytes)?)) });
    }
    Ok(Document { pages: read_picture(bytes)?, e_invoice: None })
}

fn read_picture(bytes: &[u8]) -> Result<Vec<Page>, PageError> {
    match image::guess_format(bytes) {
        Ok(ImageFormat::Tiff) => tiff_pages::read(bytes),
        Ok(ImageFormat::Jpeg) if !jpeg::is_complete(bytes) => Err(PageError::TruncatedJpeg),
        Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP | ImageFormat::Bmp)) => {
            Ok(vec![raster::decode(bytes, format)?])
        }
        _ => Err(PageError::UnknownFormat { found: describe(bytes) }),
    }
}

/// What a file without a known format seems to be, for the message.
fn describe(bytes: &[u8]) -> &'static str {
    const START: usize = 512;
    let start = &bytes[..bytes.len().min(START)];
    match start {
        [_, _, _, _, b'f', b't', b'y', b'p', b'h' | b'm', b'e' | b'i', ..] => "this is a HEIC photo",
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', ..] => "this is an AVIF picture",
        [b'G', b'I', b'F', b'8', ..] => "this is a GIF picture",
        [b'P', b'K', 3, 4, ..] => "this is a ZIP archive or an office document",
        _ if start.iter().all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace()) => "this is a text file",
        _ => "this is no picture",
    }
}

fn format_name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Png => "PNG",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::WebP => "WebP",
        ImageFormat::Bmp => "BMP",
        _ => "unknown",
    }
}
