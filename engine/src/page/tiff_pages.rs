//! The pages of a TIFF file, which is a linked list of pictures.

use std::io::Cursor;

use image::ImageFormat;
use tiff::{
    TiffError,
    decoder::{Decoder, ifd::Value},
    tags::Tag,
};

use super::{MAX_PAGES, Page, PageError, raster};

/// Bit of the tag NewSubfileType: a smaller copy of another picture of the file.
const REDUCED_RESOLUTION: u64 = 1;

/// Decodes all pages; thumbnails are left out.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Page>, PageError> {
    let directories = directories(bytes).map_err(PageError::TiffPages)?;
    if directories.len() > MAX_PAGES {
        return Err(PageError::TooManyPages);
    }
    let mut file = bytes.to_vec();
    let mut pages = Vec::with_capacity(directories.len());
    for directory in directories {
        put_first(&mut file, directory);
        pages.push(raster::decode(&file, ImageFormat::Tiff)?);
    }
    Ok(pages)
}

/// Offsets of the picture directories, in the file's order; at most one more than the limit of pages.
fn directories(bytes: &[u8]) -> Result<Vec<u64>, TiffError> {
    let mut decoder = Decoder::new(Cursor::new(bytes))?;
    let mut offsets = Vec::new();
    loop {
        let subfile = decoder.find_tag(Tag::NewSubfileType)?.map(Value::into_u64).transpose()?.unwrap_or(0);
        if subfile & REDUCED_RESOLUTION == 0 {
            offsets.extend(decoder.ifd_pointer().map(|pointer| pointer.0));
        }
        if !decoder.more_images() || offsets.len() > MAX_PAGES {
            return Ok(offsets);
        }
        decoder.next_image()?;
    }
}

/// Makes the directory at `offset` the first of the file, the one that a decoder for single pictures reads.
fn put_first(file: &mut [u8], offset: u64) {
    let little_endian = file[0] == b'I';
    let version = if little_endian { file[2] } else { file[3] };
    match (version, little_endian) {
        (43, true) => file[8..16].copy_from_slice(&offset.to_le_bytes()),
        (43, false) => file[8..16].copy_from_slice(&offset.to_be_bytes()),
        // Classic offsets have 32 bits.
        (_, true) => file[4..8].copy_from_slice(&(offset as u32).to_le_bytes()),
        (_, false) => file[4..8].copy_from_slice(&(offset as u32).to_be_bytes()),
    }
}
