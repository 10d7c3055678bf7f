//! Lists of neighbours as they come: node by node, with where each list begins.

use crate::packed::{Entries, Packed, Packing};

/// Neighbours of all nodes in one array, in the order of the nodes (compressed sparse rows).
#[derive(Clone, Debug)]
pub(crate) struct Csr {
    /// Where each node's entries begin, and where the last one's end.
    pub(crate) offsets: Vec<u32>,
    pub(crate) packed: Packed,
}

impl Csr {
    /// From lists of neighbours below `others`, of about `count` together. The caller has checked that they are fewer
    /// than 2³².
    pub(crate) fn from_lists<L>(lists: impl Iterator<Item = L>, others: u32, count: usize) -> Csr
    where
        L: Iterator<Item = u32>,
    {
        let mut offsets = vec![0];
        let mut packed = Packing::new(others, count);
        for list in lists {
            list.for_each(|neighbour| packed.push(neighbour));
            offsets.push(packed.len());
        }
        Csr { offsets, packed: packed.finish() }
    }

    pub(crate) fn nodes(&self) -> u32 {
        self.offsets.len() as u32 - 1
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.offsets.last().map_or(0, |&end| end as usize)
    }

    /// Where the node's entries begin, and how many there are.
    #[inline]
    pub(crate) fn span(&self, node: u32) -> (u32, u32) {
        match self.offsets.get(node as usize..node as usize + 2) {
            Some(ends) => (ends[0], ends[1] - ends[0]),
            None => (0, 0),
        }
    }

    #[inline]
    pub(crate) fn entries(&self) -> Entries<'_> {
        self.packed.entries()
    }

    /// The node's neighbours, in order.
    pub(crate) fn list(&self, node: u32) -> impl ExactSizeIterator<Item = u32> + use<'_> {
        let (start, len) = self.span(node);
        self.entries().range(start..start + len)
    }
}
