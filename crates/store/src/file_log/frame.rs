//! How a record lies in a segment file.
//!
//! A segment begins with a header: magic (8 bytes), version (4), the offset of its first record (8), CRC-32 of all
//! that (4). Frames follow: payload length (4), CRC-32 (4), kind (1), event id (16), payload. The checksum covers
//! everything in the frame but itself. Numbers are little endian.

use domain::EventId;

/// Bytes of a segment's header.
pub(super) const HEADER_BYTES: usize = 24;

/// Bytes of a frame before its payload.
pub(super) const FRAME_HEAD_BYTES: usize = 25;

/// Bytes of a marker's whole frame.
pub(super) const MARKER_BYTES: usize = FRAME_HEAD_BYTES + 16;

/// Longest payload that can be real: more is damage.
pub(super) const PAYLOAD_BYTES_MAX: usize = crate::FACT_BYTES_MAX;

const MAGIC: [u8; 8] = *b"bbirdlog";
const VERSION: u32 = 1;

/// A frame that opens a group. Its payload is its own place in the file and the offset of the record behind it. It is
/// written after everything before it was synced, so it vouches for that.
pub(super) const MARKER: u8 = 0;

/// A frame that holds a fact.
pub(super) const FACT: u8 = 1;

/// A whole frame with a good checksum.
#[derive(Debug, PartialEq)]
pub(super) struct Frame<'a> {
    pub(super) kind: u8,
    pub(super) id: EventId,
    pub(super) payload: &'a [u8],
}

/// What lies at the start of some bytes.
#[derive(Debug, PartialEq)]
pub(super) enum Parsed<'a> {
    /// A frame.
    Frame(Frame<'a>),
    /// Part of a frame; the whole needs so many bytes.
    Short(usize),
    /// No frame: the reason.
    Bad(&'static str),
}

/// Appends a frame whose payload is what `write` appends. Returns the length of the payload.
pub(super) fn push(out: &mut Vec<u8>, kind: u8, id: EventId, write: impl FnOnce(&mut Vec<u8>)) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; 8]);
    out.push(kind);
    out.extend_from_slice(&id.0.to_le_bytes());
    let payload = out.len();
    write(out);
    let length = out.len() - payload;
    seal(&mut out[start..], length);
    length
}

/// The marker of the place `at` before the record `offset`.
pub(super) fn marker(at: u64, offset: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(MARKER_BYTES);
    push(&mut out, MARKER, EventId(0), |out| {
        out.extend_from_slice(&at.to_le_bytes());
        out.extend_from_slice(&offset.to_le_bytes());
    });
    out
}

/// The place and the offset that a marker's payload names.
pub(super) fn read_marker(payload: &[u8]) -> Option<(u64, u64)> {
    let payload: &[u8; 16] = payload.try_into().ok()?;
    let (at, offset) = payload.split_at(8);
    Some((u64::from_le_bytes(at.try_into().ok()?), u64::from_le_bytes(offset.try_into().ok()?)))
}

fn seal(frame: &mut [u8], length: usize) {
    frame[..4].copy_from_slice(&(length as u32).to_le_bytes());
    let sum = checksum(frame);
    frame[4..8].copy_from_slice(&sum.to_le_bytes());
}

fn checksum(frame: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&frame[..4]);
    hasher.update(&frame[8..]);
    hasher.finalize()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Looks at the frame that `bytes` begin with.
pub(super) fn parse(bytes: &[u8]) -> Parsed<'_> {
    if bytes.len() < FRAME_HEAD_BYTES {
        return Parsed::Short(FRAME_HEAD_BYTES);
    }
    let length = u32_at(bytes, 0) as usize;
    if length > PAYLOAD_BYTES_MAX {
        return Parsed::Bad("a record longer than any that is written");
    }
    let whole = FRAME_HEAD_BYTES + length;
    let Some(frame) = bytes.get(..whole) else { return Parsed::Short(whole) };
    if checksum(frame) != u32_at(frame, 4) {
        return Parsed::Bad("the checksum of the record is wrong");
    }
    Parsed::Frame(trusted(bytes))
}

/// The frame that `bytes` begin with, after [`parse`] has found it whole and good.
pub(super) fn trusted(bytes: &[u8]) -> Frame<'_> {
    let mut id = [0; 16];
    id.copy_from_slice(&bytes[9..FRAME_HEAD_BYTES]);
    let whole = FRAME_HEAD_BYTES + u32_at(bytes, 0) as usize;
    Frame { kind: bytes[8], id: EventId(u128::from_le_bytes(id)), payload: &bytes[FRAME_HEAD_BYTES..whole] }
}

/// The header of a segment whose first record has offset `base`.
pub(super) fn header(base: u64) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header[12..20].copy_from_slice(&base.to_le_bytes());
    let sum = crc32fast::hash(&header[..20]);
    header[20..].copy_from_slice(&sum.to_le_bytes());
    header
}

/// Why `bytes` are not the header of the segment of `base`, if they are not.
pub(super) fn check_header(bytes: &[u8; HEADER_BYTES], base: u64) -> Result<(), String> {
    if bytes[..8] != MAGIC {
        return Err("this is no segment of an event log".to_owned());
    }
    if crc32fast::hash(&bytes[..20]) != u32_at(bytes, 20) {
        return Err("the checksum of the header is wrong".to_owned());
    }
    match u32_at(bytes, 8) {
        VERSION if *bytes == header(base) => Ok(()),
        VERSION => Err(format!("the header names another offset than the file's name ({base})")),
        other => Err(format!("version {other}, this build reads {VERSION}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_and_any_flipped_bit_is_seen() {
        let mut bytes = Vec::new();
        push(&mut bytes, FACT, EventId(7), |out| out.extend_from_slice(b"hello"));
        assert_eq!(parse(&bytes), Parsed::Frame(Frame { kind: FACT, id: EventId(7), payload: b"hello" }));
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(parse(&bytes), Parsed::Frame(_)), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(parse(&bytes[..20]), Parsed::Short(FRAME_HEAD_BYTES));
        assert_eq!(parse(&bytes[..27]), Parsed::Short(bytes.len()));
    }

    #[test]
    fn markers_and_headers_come_back() {
        let bytes = marker(99, 12);
        assert_eq!(bytes.len(), MARKER_BYTES);
        let Parsed::Frame(frame) = parse(&bytes) else { panic!("a frame") };
        assert_eq!((frame.kind, read_marker(frame.payload)), (MARKER, Some((99, 12))));
        assert_eq!(check_header(&header(5), 5), Ok(()));
        assert!(check_header(&header(5), 6).expect_err("another base").contains("another offset"));
        assert!(check_header(&[0; HEADER_BYTES], 0).is_err());
    }
}
