//! Whether a JPEG file is whole. Decoders fill what is missing with grey; an invoice with a grey half must not pass as read.

const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;

/// Walks the segments (ITU T.81, annex B) to the end-of-image marker. A thumbnail's end inside a segment doesn't count, and
/// neither does what a camera appends after the end.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    loop {
        let Some((marker, after)) = next_marker(rest) else { return false };
        rest = match marker {
            END_OF_IMAGE => return true,
            START_OF_IMAGE | 0x01 | 0xD0..=0xD7 => after,
            _ => {
                let [high, low, ..] = *after else { return false };
                let length = usize::from(u16::from_be_bytes([high, low]));
                let Some(after_segment) = after.get(length..) else { return false };
                if marker == START_OF_SCAN { skip_entropy_coded(after_segment) } else { after_segment }
            }
        };
    }
}

/// The next marker and what follows it; fill bytes before it are skipped.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let start = bytes.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xFF))?;
    Some((bytes[start + 1], &bytes[start + 2..]))
}

/// From the first marker on that is neither a stuffed byte nor a restart marker.
fn skip_entropy_coded(bytes: &[u8]) -> &[u8] {
    let end = bytes.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xD0..=0xD7 | 0xFF));
    &bytes[end.unwrap_or(bytes.len())..]
}
