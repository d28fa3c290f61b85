//! One picture to one grey page.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits, Luma, LumaA, metadata::Orientation};

use super::{MAX_DECODED_BYTES, MAX_PAGE_PIXELS, MIN_PAGE_EDGE, Page, PageError};

/// Decodes a picture of a known `format` and turns it upright as its EXIF orientation says.
pub(super) fn decode(bytes: &[u8], format: ImageFormat) -> Result<Page, PageError> {
    let fail = |source| PageError::Decode { format, source };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(fail)?;

    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    if decoder.total_bytes() > MAX_DECODED_BYTES {
        return Err(PageError::TooMuchMemory { bytes: decoder.total_bytes() });
    }

    // A picture with damaged EXIF data is still a picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(fail)?;
    let mut grey = DynamicImage::ImageLuma8(grey(picture));
    grey.apply_orientation(orientation);
    Ok(Page { image: grey.into_luma8(), rotation_degrees: rotation_degrees(orientation), native_text: None })
}

/// Whether a page of this size may be decoded.
pub(super) fn check_size(width: u32, height: u32) -> Result<(), PageError> {
    if u64::from(width) * u64::from(height) > MAX_PAGE_PIXELS {
        return Err(PageError::TooManyPixels { width, height });
    }
    if width.min(height) < MIN_PAGE_EDGE {
        return Err(PageError::TooSmall { width, height });
    }
    Ok(())
}

/// What is transparent is seen as white paper.
fn grey(picture: DynamicImage) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.into_luma8();
    }
    let picture = picture.into_luma_alpha8();
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let LumaA([luma, alpha]) = *picture.get_pixel(x, y);
        let (luma, alpha) = (u32::from(luma), u32::from(alpha));
        Luma([((luma * alpha + 255 * (255 - alpha)) / 255) as u8])
    })
}

/// Clockwise rotation that `orientation` asks for; mirroring comes on top of it.
fn rotation_degrees(orientation: Orientation) -> u32 {
    match orientation {
        Orientation::NoTransforms | Orientation::FlipHorizontal | Orientation::FlipVertical => 0,
        Orientation::Rotate90 | Orientation::Rotate90FlipH => 90,
        Orientation::Rotate180 => 180,
        Orientation::Rotate270 | Orientation::Rotate270FlipH => 270,
    }
}
