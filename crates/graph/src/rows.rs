//! One direction of the graph, packed so that a node's entries are found without looking into memory.

use crate::order::Order;
use crate::packed::{Entries, Packed, Packing};
use domain::Column;

/// Bits of a place that choose its bucket, below its leading one.
const BUCKET_BITS: u32 = 8;

/// Neighbours of all nodes in one array, in the order of their places, which is that of falling degree. Nodes of one
/// degree have lists of one length side by side: a few thousand degrees say where every list lies, and they fit the
/// cache, which offsets of millions of nodes do not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    /// For each degree, the largest first: the first place, its first entry, the degree.
    pub(crate) classes: Column<[u32; 3]>,
    pub(crate) packed: Packed,
    /// The class of the first place of each bucket.
    buckets: Vec<u32>,
    nodes: u32,
}

impl Rows {
    /// From the lists of `own`'s nodes by id; `list` gives ids of the other side, which `others` places. There are
    /// about `count` entries.
    pub(crate) fn new<L>(own: &Order, others: &Order, list: impl Fn(u32) -> L, count: usize) -> Rows
    where
        L: Iterator<Item = u32>,
    {
        let mut classes: Vec<[u32; 3]> = Vec::new();
        let mut packed = Packing::new(others.ids.len() as u32, count);
        for (place, &id) in (0..).zip(own.ids.iter()) {
            let start = packed.len();
            list(id).for_each(|neighbour| packed.push(others.place(neighbour)));
            let degree = packed.len() - start;
            if classes.last().is_none_or(|&[_, _, last]| last != degree) {
                classes.push([place, start, degree]);
            }
        }
        Rows::of(classes.into(), packed.finish(), own.ids.len() as u32)
    }

    /// From parts that fit each other.
    pub(crate) fn of(classes: Column<[u32; 3]>, packed: Packed, nodes: u32) -> Rows {
        let mut buckets = Vec::new();
        let mut class = 0;
        for bucket in 0..=bucket_of(nodes.saturating_sub(1)) {
            let first = first_of(bucket);
            while classes.get(class + 1).is_some_and(|&[place, ..]| place <= first) {
                class += 1;
            }
            buckets.push(class as u32);
        }
        Rows { classes, packed, buckets, nodes }
    }

    /// The rows, for reading.
    #[inline]
    pub(crate) fn view(&self) -> RowsView<'_> {
        RowsView { classes: &self.classes, buckets: &self.buckets, nodes: self.nodes, entries: self.packed.entries() }
    }

    pub(crate) fn nodes(&self) -> u32 {
        self.nodes
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> u32 {
        self.classes.last().map_or(0, |&[place, start, degree]| start + (self.nodes - place) * degree)
    }

    /// The largest degree.
    pub(crate) fn degree_max(&self) -> u32 {
        self.classes.first().map_or(0, |&[_, _, degree]| degree)
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.classes) + self.packed.bytes.len() + size_of_val(&*self.buckets)
    }
}

/// Rows while they are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowsView<'a> {
    classes: &'a [[u32; 3]],
    buckets: &'a [u32],
    nodes: u32,
    pub(crate) entries: Entries<'a>,
}

impl<'a> RowsView<'a> {
    /// Where the entries of the node at `place` begin, and how many there are.
    #[inline(always)]
    pub(crate) fn span(self, place: u32) -> (u32, u32) {
        if place >= self.nodes {
            return (0, 0);
        }
        let mut class = self.buckets[bucket_of(place) as usize] as usize;
        while self.classes.get(class + 1).is_some_and(|&[first, ..]| first <= place) {
            class += 1;
        }
        let [first, start, degree] = self.classes[class];
        (start + (place - first) * degree, degree)
    }

    /// The node's neighbours, in order.
    pub(crate) fn list(self, place: u32) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        let (start, len) = self.span(place);
        self.entries.range(start..start + len)
    }
}

/// Places that share their leading bits share a bucket; the smallest have one each.
#[inline(always)]
fn bucket_of(place: u32) -> u32 {
    let shift = (u32::BITS - place.leading_zeros()).saturating_sub(BUCKET_BITS + 1);
    (shift << BUCKET_BITS) + (place >> shift)
}

/// The first place of a bucket.
fn first_of(bucket: u32) -> u32 {
    let shift = (bucket >> BUCKET_BITS).saturating_sub(1);
    (bucket - (shift << BUCKET_BITS)) << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_part_all_places_in_order() {
        let mut last = 0;
        for place in (0..5_000_000).step_by(7).chain([u32::MAX - 1]) {
            let bucket = bucket_of(place);
            assert!(bucket >= last && first_of(bucket) <= place);
            assert_eq!(bucket_of(first_of(bucket)), bucket);
            last = bucket;
        }
    }
}
