//! One direction of the graph.

/// Stands for the entry of a node without neighbours, and for what lies there.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// Where a node's neighbours lie.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    len: u32,
}

/// Neighbours of all nodes in one array (CSR). A node that outgrows its place moves to the end of the array, with room
/// to grow, so reading never has to look in two places; [`Adjacency::compact`] packs the array again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Adjacency {
    spans: Vec<Span>,
    /// Room of each node's place.
    room: Vec<u32>,
    to: Vec<u32>,
}

impl Adjacency {
    /// From edges without duplicates; `of` gives (node, neighbour) of one. Neighbours keep the order of the edges.
    pub(crate) fn from_edges<E>(nodes: usize, edges: &[E], of: impl Fn(&E) -> (u32, u32)) -> Adjacency {
        let mut room = vec![0; nodes];
        edges.iter().for_each(|edge| room[of(edge).0 as usize] += 1);
        let mut start = 0;
        let place = |&len: &u32| {
            let span = Span { start, len: 0 };
            start += len;
            span
        };
        let spans = room.iter().map(place).collect();
        let mut made = Adjacency { spans, room, to: vec![0; edges.len()] };
        for (node, neighbour) in edges.iter().map(of) {
            let span = &mut made.spans[node as usize];
            made.to[(span.start + span.len) as usize] = neighbour;
            span.len += 1;
        }
        made
    }

    pub(crate) fn nodes(&self) -> usize {
        self.spans.len()
    }

    #[inline]
    pub(crate) fn of(&self, node: u32) -> &[u32] {
        let span = self.spans.get(node as usize).copied().unwrap_or_default();
        &self.to[span.start as usize..(span.start + span.len) as usize]
    }

    /// Draws one of the node's entries by a uniform chance. What is left of the chance is uniform again, for the next
    /// draw.
    #[inline]
    pub(crate) fn draw(&self, node: u32, chance: u64) -> (u32, u64) {
        let span = self.spans.get(node as usize).copied().unwrap_or_default();
        let wide = u128::from(chance) * u128::from(span.len);
        let entry = if span.len == 0 { NOWHERE } else { span.start + (wide >> 64) as u32 };
        (entry, wide as u64)
    }

    /// The neighbour in an entry.
    #[inline]
    pub(crate) fn entry(&self, entry: u32) -> u32 {
        self.to.get(entry as usize).copied().unwrap_or(NOWHERE)
    }

    /// Makes sure that the node exists and that the array can take one more neighbour of it.
    pub(crate) fn has_room(&mut self, node: u32) -> bool {
        self.grow(node as usize + 1);
        let len = self.spans[node as usize].len;
        len < self.room[node as usize] || self.to.len() + grown(len) as usize <= u32::MAX as usize
    }

    /// Adds a neighbour. The caller has asked [`Adjacency::has_room`] and knows that it is new.
    pub(crate) fn push(&mut self, node: u32, neighbour: u32) {
        let (span, room) = (&mut self.spans[node as usize], &mut self.room[node as usize]);
        if span.len == *room {
            let old = span.start as usize..(span.start + span.len) as usize;
            *room = grown(span.len);
            span.start = self.to.len() as u32;
            self.to.extend_from_within(old);
            self.to.resize(span.start as usize + *room as usize, 0);
        }
        self.to[(span.start + span.len) as usize] = neighbour;
        span.len += 1;
    }

    /// Packs the array.
    pub(crate) fn compact(&mut self) {
        let mut to = Vec::with_capacity(self.spans.iter().map(|span| span.len as usize).sum());
        for (span, room) in self.spans.iter_mut().zip(&mut self.room) {
            let old = span.start as usize..(span.start + span.len) as usize;
            *span = Span { start: to.len() as u32, len: span.len };
            *room = span.len;
            to.extend_from_slice(&self.to[old]);
        }
        self.to = to;
        self.spans.shrink_to_fit();
        self.room.shrink_to_fit();
    }

    fn grow(&mut self, nodes: usize) {
        if self.spans.len() < nodes {
            self.spans.resize(nodes, Span::default());
            self.room.resize(nodes, 0);
        }
    }
}

/// The room that a node with `len` neighbours moves to.
fn grown(len: u32) -> u32 {
    len.saturating_add(len / 2).saturating_add(2)
}
