//! One direction of the graph while it is read: packed rows and what came since, as if they were one. Nodes go by
//! their places here.

use crate::groups::Preferred;
use crate::overlay::Overlay;
use crate::packed::NOWHERE;
use crate::rows::RowsView;
use domain::hash64;

/// An entry of the overlay, not of the rows.
const OVERLAY: u64 = 1 << 32;
/// An entry of the rows by group.
const GROUPED: u64 = 1 << 33;
/// No entry at all.
pub(crate) const NO_ENTRY: u64 = u64::MAX;

/// From pins to boards or from boards to pins. A node's neighbours are those of the rows and then those that came
/// since, so packing changes neither their order nor what is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Direction<'a> {
    rows: RowsView<'a>,
    /// `None` when nothing came since.
    overlay: Option<&'a Overlay>,
    /// Neighbours of which group are preferred.
    preferred: Option<Preferred<'a>>,
}

impl<'a> Direction<'a> {
    pub(crate) fn new(rows: RowsView<'a>, overlay: &'a Overlay) -> Direction<'a> {
        Direction { rows, overlay: (!overlay.is_empty()).then_some(overlay), preferred: None }
    }

    pub(crate) fn preferring(self, preferred: Option<Preferred<'a>>) -> Direction<'a> {
        Direction { preferred, ..self }
    }

    /// How many neighbours the node has.
    #[inline]
    pub(crate) fn degree(self, node: u32) -> u32 {
        self.rows.span(node).1 + self.overlay.map_or(0, |overlay| overlay.span(node).1)
    }

    /// Draws one of the node's entries by a uniform chance. What is left of the chance is uniform again, for the next
    /// draw.
    #[inline(always)]
    pub(crate) fn draw(self, node: u32, chance: u64) -> (u64, u64) {
        if self.overlay.is_some() || self.preferred.is_some() {
            return self.draw_of_all(node, chance);
        }
        let (start, len) = self.rows.span(node);
        draw(chance, len, |at| u64::from(start + at))
    }

    #[inline(never)]
    fn draw_of_all(self, node: u32, chance: u64) -> (u64, u64) {
        if let Some((start, len)) = self.preferred.and_then(|preferred| preferred.span(node, hash64(chance))) {
            return draw(chance, len, |at| GROUPED + u64::from(start + at));
        }
        let (start, len) = self.rows.span(node);
        let (new, more) = self.overlay.map_or((0, 0), |overlay| overlay.span(node));
        let entry = |at| if at < len { u64::from(start + at) } else { OVERLAY + u64::from(new + (at - len)) };
        draw(chance, len + more, entry)
    }

    /// The neighbour in an entry.
    #[inline(always)]
    pub(crate) fn entry(self, entry: u64) -> u32 {
        if entry < OVERLAY { self.rows.entries.get(entry as usize) } else { self.far_entry(entry) }
    }

    #[inline(never)]
    fn far_entry(self, entry: u64) -> u32 {
        let found = match entry {
            NO_ENTRY => None,
            GROUPED.. => self.preferred.map(|preferred| preferred.entry((entry - GROUPED) as usize)),
            _ => self.overlay.and_then(|overlay| overlay.entry((entry - OVERLAY) as usize)),
        };
        found.unwrap_or(NOWHERE)
    }

    /// Asks for an entry that will be looked at.
    #[inline(always)]
    pub(crate) fn prefetch(self, entry: u64) {
        if entry < OVERLAY {
            self.rows.entries.prefetch(entry as usize);
        }
    }

    /// The node's `at`th neighbour.
    pub(crate) fn get(self, node: u32, at: u64) -> Option<u32> {
        let (start, len) = self.rows.span(node);
        match at.checked_sub(u64::from(len)) {
            None => Some(self.rows.entries.get(start as usize + at as usize)),
            Some(at) => self.overlay?.list(node).get(at as usize).copied(),
        }
    }

    /// The node's neighbours, in the order in which they came.
    pub(crate) fn list(self, node: u32) -> Neighbours<'a, impl ExactSizeIterator<Item = u32> + use<'a>> {
        let new = self.overlay.map_or(&[][..], |overlay| overlay.list(node));
        Neighbours { packed: self.rows.list(node), new: new.iter() }
    }
}

#[inline(always)]
fn draw(chance: u64, len: u32, entry: impl Fn(u32) -> u64) -> (u64, u64) {
    let wide = u128::from(chance) * u128::from(len);
    (if len == 0 { NO_ENTRY } else { entry((wide >> 64) as u32) }, wide as u64)
}

/// A node's neighbours.
pub(crate) struct Neighbours<'a, I> {
    packed: I,
    new: std::slice::Iter<'a, u32>,
}

impl<I: ExactSizeIterator<Item = u32>> Iterator for Neighbours<'_, I> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.packed.next().or_else(|| self.new.next().copied())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.packed.len() + self.new.len();
        (len, Some(len))
    }
}

impl<I: ExactSizeIterator<Item = u32>> ExactSizeIterator for Neighbours<'_, I> {}
