//! What one direction of the graph has gained since it was packed.

use domain::hash64;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Hashes a node by [`hash64`]: numbers of nodes are dense, and nobody outside chooses them.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeHasher(u64);

impl Hasher for NodeHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.0 = hash64(self.0 ^ u64::from(byte)));
    }

    fn write_u32(&mut self, node: u32) {
        self.0 = hash64(u64::from(node));
    }
}

/// Where a node's new neighbours lie.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    len: u32,
    room: u32,
}

/// New neighbours of the nodes that have some; nothing is kept for the others but a bit. A list that outgrows its room
/// moves to the end of the array, so that reading never looks in two places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlay {
    spans: HashMap<u32, Span, BuildHasherDefault<NodeHasher>>,
    /// A bit per node: whether it is in `spans`.
    touched: Vec<u64>,
    to: Vec<u32>,
    /// One more than the largest node.
    nodes: usize,
}

impl Overlay {
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes == 0
    }

    pub(crate) fn nodes(&self) -> usize {
        self.nodes
    }

    /// The node's new neighbours, in the order in which they came.
    #[inline]
    pub(crate) fn list(&self, node: u32) -> &[u32] {
        let (start, len) = self.span(node);
        &self.to[start as usize..(start + len) as usize]
    }

    /// Where the node's new neighbours lie, and how many there are.
    #[inline]
    pub(crate) fn span(&self, node: u32) -> (u32, u32) {
        let touched = self.touched.get(node as usize / 64).is_some_and(|word| word >> (node % 64) & 1 == 1);
        if !touched {
            return (0, 0);
        }
        self.spans.get(&node).map_or((0, 0), |span| (span.start, span.len))
    }

    #[inline]
    pub(crate) fn entry(&self, entry: usize) -> Option<u32> {
        self.to.get(entry).copied()
    }

    /// Whether the array can take one more neighbour of the node.
    pub(crate) fn has_room(&self, node: u32) -> bool {
        let Span { len, room, .. } = self.spans.get(&node).copied().unwrap_or_default();
        len < room || self.to.len() + grown(len) as usize <= u32::MAX as usize
    }

    /// Adds a neighbour. The caller has asked [`Overlay::has_room`] and knows that it is new.
    pub(crate) fn push(&mut self, node: u32, neighbour: u32) {
        let word = node as usize / 64;
        self.touched.resize(self.touched.len().max(word + 1), 0);
        self.touched[word] |= 1 << (node % 64);
        self.nodes = self.nodes.max(node as usize + 1);
        let span = self.spans.entry(node).or_default();
        if span.len == span.room {
            let old = span.start as usize..(span.start + span.len) as usize;
            *span = Span { start: self.to.len() as u32, len: span.len, room: grown(span.len) };
            self.to.extend_from_within(old);
            self.to.resize((span.start + span.room) as usize, 0);
        }
        self.to[(span.start + span.len) as usize] = neighbour;
        span.len += 1;
    }

    /// Bytes of memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.spans.capacity() * (size_of::<(u32, Span)>() + 1) + self.touched.capacity() * 8 + self.to.capacity() * 4
    }
}

/// The room that a list of `len` neighbours moves to.
fn grown(len: u32) -> u32 {
    len.saturating_add(len / 2).saturating_add(2)
}
