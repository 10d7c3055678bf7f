//! Ids side by side, in as many bytes as the largest of them needs.

use crate::prefetch::prefetch;
use domain::Column;
use std::ops::Range;

/// Stands for a node or an entry that is not there.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// Bytes after the last entry, so that each can be read as a whole word.
pub(crate) const PAD: usize = 3;

/// Entries of a fixed width: the walk waits for memory, and fewer bytes are more of them in the cache.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    /// Little-endian, `width` bytes each, and [`PAD`] bytes.
    pub(crate) bytes: Column<u8>,
    pub(crate) width: usize,
}

impl Default for Packed {
    fn default() -> Self {
        Packing::new(0, 0).finish()
    }
}

impl Packed {
    /// The entries, for reading.
    #[inline]
    pub(crate) fn entries(&self) -> Entries<'_> {
        let mask = (1u64 << (8 * self.width)) - 1;
        Entries { bytes: &self.bytes, width: self.width, mask: mask as u32 }
    }
}

/// Entries that are being packed.
pub(crate) struct Packing {
    bytes: Vec<u8>,
    width: usize,
}

impl Packing {
    /// For ids below `others`, about `count` of them.
    pub(crate) fn new(others: u32, count: usize) -> Packing {
        let width = width_of(others);
        Packing { bytes: Vec::with_capacity(count * width + PAD), width }
    }

    pub(crate) fn push(&mut self, id: u32) {
        self.bytes.extend_from_slice(&id.to_le_bytes());
        self.bytes.truncate(self.bytes.len() - (size_of::<u32>() - self.width));
    }

    pub(crate) fn len(&self) -> u32 {
        (self.bytes.len() / self.width) as u32
    }

    pub(crate) fn finish(mut self) -> Packed {
        self.bytes.extend_from_slice(&[0; PAD]);
        self.bytes.shrink_to_fit();
        Packed { bytes: self.bytes.into(), width: self.width }
    }
}

/// Bytes that the ids below `others` need.
pub(crate) fn width_of(others: u32) -> usize {
    let bits = u32::BITS - others.saturating_sub(1).leading_zeros();
    bits.div_ceil(8).max(1) as usize
}

/// Packed entries while they are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entries<'a> {
    bytes: &'a [u8],
    width: usize,
    mask: u32,
}

impl<'a> Entries<'a> {
    #[inline(always)]
    pub(crate) fn get(self, entry: usize) -> u32 {
        let at = entry * self.width;
        match self.bytes.get(at..at + size_of::<u32>()) {
            Some(word) => u32::from_le_bytes([word[0], word[1], word[2], word[3]]) & self.mask,
            None => NOWHERE,
        }
    }

    /// Asks for an entry that will be looked at.
    #[inline(always)]
    pub(crate) fn prefetch(self, entry: usize) {
        prefetch(self.bytes, entry * self.width);
    }

    /// Some entries in order.
    pub(crate) fn range(self, entries: Range<u32>) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        let bytes = &self.bytes[entries.start as usize * self.width..];
        let (width, mask) = (self.width, self.mask);
        (0..entries.len()).map(move |at| {
            let word: [u8; 4] = bytes[at * width..at * width + 4].try_into().expect("invariant: 4 bytes");
            u32::from_le_bytes(word) & mask
        })
    }
}
