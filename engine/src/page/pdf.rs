//! PDF files: pages drawn to grey, their text layer, and the e-invoice that is embedded in them.

use std::{io::Cursor, panic, sync::Arc, thread};

use hayro::{
    RenderCache, RenderSettings,
    hayro_interpret::{InterpreterSettings, RenderContent},
    hayro_syntax::{
        DecryptionError, Filter, LoadPdfError, Pdf,
        object::{Dict, Name, Object, Stream},
        page::Page as PdfPage,
    },
    kurbo::Affine,
    vello_cpu::{Pixmap, RasterizerSettings, RenderContext, Resources, TargetInit, color::palette::css::WHITE},
};
use image::{GrayImage, ImageFormat, ImageReader};

use crate::e_invoice::{self, EInvoice, EInvoiceError};

use super::{
    Document, MAX_PAGE_PIXELS, MAX_PAGES, Page,
    inflation::{self, MAX_STREAM_BYTES},
    text_layer,
};

/// Small print of 6 points is 17 pixels high.
const RENDER_DPI: f32 = 200.0;
/// Larger pages are drawn at fewer dots an inch: A3 at 200 dpi has 7.7 million pixels.
const MAX_RENDER_PIXELS: f32 = 16e6;
/// Of a drawn page; the renderer counts in 16 bits.
const MAX_RENDER_EDGE: f32 = 16_000.0;
const POINTS_PER_INCH: f32 = 72.0;
/// Readers find the signature within the first kilobyte, as the specification's implementation notes allow.
const SIGNATURE_RANGE: usize = 1024;
/// The interpreter recurses into nested forms and patterns, up to 50 deep.
const STACK_BYTES: usize = 64 << 20;

/// Why a PDF file gives no pages.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    #[error("the PDF is encrypted and needs a password")]
    Password,
    #[error("the PDF is encrypted in a way that cannot be undone")]
    Encryption,
    #[error("the PDF is damaged: its structure cannot be read")]
    Structure,
    #[error("the PDF has no pages")]
    NoPages,
    #[error("the PDF has {pages} pages, more than the limit of {MAX_PAGES}")]
    TooManyPages { pages: usize },
    #[error("the PDF holds a picture of {width} x {height} pixels, over the limit of {MAX_PAGE_PIXELS} pixels")]
    PictureTooLarge { width: u32, height: u32 },
    #[error("the PDF holds a stream that unpacks to more than the limit of {MAX_STREAM_BYTES} bytes")]
    StreamTooLarge,
    #[error("the PDF is damaged: drawing it failed")]
    Drawing,
    #[error("no thread for drawing the PDF")]
    Thread(#[source] std::io::Error),
}

pub(super) fn is_pdf(bytes: &[u8]) -> bool {
    const SIGNATURE: &[u8] = b"%PDF-";
    bytes[..bytes.len().min(SIGNATURE_RANGE)].windows(SIGNATURE.len()).any(|window| window == SIGNATURE)
}

/// Draws all pages and looks for an e-invoice.
///
/// Architecture invariant: the PDF library runs on a thread of its own, so that a file that breaks it (a panic, a deep
/// nesting) gives an error like any other damaged file.
pub(super) fn read(bytes: &[u8]) -> Result<Document, PdfError> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name(THREAD_NAME.into()).stack_size(STACK_BYTES);
        let drawing = thread.spawn_scoped(scope, || read_on_this_thread(bytes)).map_err(PdfError::Thread)?;
        drawing.join().unwrap_or(Err(PdfError::Drawing))
    })
}

const THREAD_NAME: &str = "pdf";

/// Keeps the message of a panic inside the PDF library off stderr: it comes back as [`PdfError::Drawing`]. For binaries.
pub fn silence_panics() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if thread::current().name() != Some(THREAD_NAME) {
            report(panic);
        }
    }));
}

fn read_on_this_thread(bytes: &[u8]) -> Result<Document, PdfError> {
    if inflation::is_bomb(bytes) {
        return Err(PdfError::StreamTooLarge);
    }
    let pdf = Pdf::new(Arc::new(bytes.to_vec())).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => PdfError::Password,
        LoadPdfError::Decryption(_) => PdfError::Encryption,
        LoadPdfError::Invalid => PdfError::Structure,
    })?;
    match pdf.pages().len() {
        0 => return Err(PdfError::NoPages),
        pages if pages > MAX_PAGES => return Err(PdfError::TooManyPages { pages }),
        _ => {}
    }
    check_pictures(&pdf)?;
    let cache = RenderCache::new();
    let settings = InterpreterSettings { render_content: RenderContent::all(), ..InterpreterSettings::default() };
    let draw = |page| {
        let scale = scale(page);
        let native_text = text_layer::lines(page, scale, &settings);
        Page { image: draw(page, scale, &cache, &settings), rotation_degrees: 0, native_text }
    };
    Ok(Document { pages: pdf.pages().iter().map(draw).collect(), e_invoice: e_invoice(&pdf) })
}

/// Of the files embedded in the PDF (ISO 32000-1, 7.11.4), the first that is an e-invoice, readable or not.
fn e_invoice(pdf: &Pdf) -> Option<Result<EInvoice, EInvoiceError>> {
    pdf.objects().into_iter().find_map(|object| {
        let Object::Stream(stream) = object else { return None };
        let kind = stream.dict().get::<Name<'_>>(b"Type".as_slice())?;
        let file = (kind.as_ref() == b"EmbeddedFile").then(|| stream.decoded())?.ok()?;
        let read = e_invoice::is_xml(&file).then(|| e_invoice::read(&file))?;
        // Other XML may be embedded too: an order, or what a signature says.
        (!matches!(read, Err(EInvoiceError::Root { .. }))).then_some(read)
    })
}

/// Refuses pictures that would take more memory than a page may, before anything is decoded.
fn check_pictures(pdf: &Pdf) -> Result<(), PdfError> {
    for object in pdf.objects() {
        let Object::Stream(stream) = object else { continue };
        if let Some((width, height)) = picture_size(&stream)
            && u64::from(width) * u64::from(height) > MAX_PAGE_PIXELS
        {
            return Err(PdfError::PictureTooLarge { width, height });
        }
    }
    Ok(())
}

/// The size that a picture's dictionary states, or the larger one that its JPEG data state.
fn picture_size(stream: &Stream<'_>) -> Option<(u32, u32)> {
    let dict: &Dict<'_> = stream.dict();
    if dict.get::<Name<'_>>(b"Subtype".as_slice())?.as_ref() != b"Image" {
        return None;
    }
    let stated = (dict.get::<u32>(b"Width".as_slice())?, dict.get::<u32>(b"Height".as_slice())?);
    if stream.filters().as_slice() != [Filter::DctDecode] {
        return Some(stated);
    }
    let jpeg = ImageReader::with_format(Cursor::new(stream.raw_data()), ImageFormat::Jpeg).into_dimensions();
    jpeg.map_or(Some(stated), |(width, height)| Some((width.max(stated.0), height.max(stated.1))))
}

/// Pixels a point.
fn scale(page: &PdfPage<'_>) -> f32 {
    let (width, height) = page.render_dimensions();
    let by_pixels = (MAX_RENDER_PIXELS / (width * height)).sqrt();
    let by_edge = MAX_RENDER_EDGE / width.max(height);
    (RENDER_DPI / POINTS_PER_INCH).min(by_pixels).min(by_edge)
}

fn draw<'a>(page: &'a PdfPage<'a>, scale: f32, cache: &RenderCache<'a>, settings: &InterpreterSettings) -> GrayImage {
    let (width, height) = page.render_dimensions();
    let pixels = |points: f32| (points * scale).round().max(super::MIN_PAGE_EDGE as f32) as u16;
    let mut context = RenderContext::new(pixels(width), pixels(height));
    hayro::render_into(page, cache, settings, &RenderSettings::default(), &mut context, page_to_pixels(page, scale));
    context.flush();
    let mut pixmap = Pixmap::new(context.width(), context.height());
    let on_white = RasterizerSettings { target_init: TargetInit::Clear(WHITE), ..RasterizerSettings::default() };
    context.render_with(&mut pixmap, &mut Resources::default(), on_white);
    grey(&pixmap)
}

/// From the page's own coordinates (points, y upwards) to pixels of the drawn page.
pub(super) fn page_to_pixels(page: &PdfPage<'_>, scale: f32) -> Affine {
    Affine::scale(f64::from(scale)) * Affine::new(page.initial_transform(true).as_coeffs())
}

/// Luma as in ITU-R BT.709, the weights that the `image` crate uses.
fn grey(pixmap: &Pixmap) -> GrayImage {
    let luma = |[r, g, b]: [u8; 3]| ((2126 * u32::from(r) + 7152 * u32::from(g) + 722 * u32::from(b)) / 10_000) as u8;
    let data = pixmap.data().iter().map(|pixel| luma([pixel.r, pixel.g, pixel.b])).collect();
    GrayImage::from_raw(u32::from(pixmap.width()), u32::from(pixmap.height()), data).expect("a byte for each pixel")
}
