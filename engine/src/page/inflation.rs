//! How large a PDF's streams grow when they are inflated. A kilobyte can hold a megabyte, and the PDF library sets no limit.

use std::io::{self, Read};

use flate2::bufread::ZlibDecoder;

/// Of one stream inflated: an A4 page in colours at 600 dpi takes 105 MB.
pub const MAX_STREAM_BYTES: u64 = 256 << 20;

const KEYWORD: &[u8] = b"stream";

/// Whether a stream of the file inflates to more than [`MAX_STREAM_BYTES`]. Looks at the bytes alone, before anything that
/// builds on them is believed; what isn't deflated, or is damaged, counts as far as it inflates.
pub(super) fn is_bomb(pdf: &[u8]) -> bool {
    let ends = pdf.windows(KEYWORD.len()).enumerate().filter(|(_, window)| *window == KEYWORD);
    ends.map(|(start, _)| &pdf[start + KEYWORD.len()..]).any(|after| inflates_beyond_limit(skip_line_end(after)))
}

fn skip_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\r").unwrap_or(bytes);
    bytes.strip_prefix(b"\n").unwrap_or(bytes)
}

fn inflates_beyond_limit(stream: &[u8]) -> bool {
    let mut inflated = ZlibDecoder::new(stream).take(MAX_STREAM_BYTES + 1);
    let mut counted = Counted(0);
    // An error ends the stream for the PDF library too.
    let _ = io::copy(&mut inflated, &mut counted);
    counted.0 > MAX_STREAM_BYTES
}

/// Counts what is written to it.
struct Counted(u64);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
