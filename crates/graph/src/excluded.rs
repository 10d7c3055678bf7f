//! Boards that may not be stepped onto.

use domain::hash64;

/// Bits of the filter a board.
const BITS: usize = 64;

/// A set of a few boards: nearly every question is answered by one bit of a small filter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Excluded {
    /// In order.
    boards: Vec<u32>,
    filter: Vec<u64>,
}

impl Excluded {
    pub(crate) fn fill(&mut self, boards: impl Iterator<Item = u32>) {
        self.boards.clear();
        self.boards.extend(boards);
        self.boards.sort_unstable();
        self.filter.clear();
        self.filter.resize((self.boards.len() * BITS).div_ceil(64).next_power_of_two(), 0);
        for &board in &self.boards {
            let (word, bit) = place(&self.filter, board);
            self.filter[word] |= bit;
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.boards.is_empty()
    }

    #[inline]
    pub(crate) fn has(&self, board: u32) -> bool {
        let (word, bit) = place(&self.filter, board);
        self.filter.get(word).is_some_and(|word| word & bit != 0) && self.boards.binary_search(&board).is_ok()
    }
}

/// A board's word and bit of the filter.
#[inline]
fn place(filter: &[u64], board: u32) -> (usize, u64) {
    let hash = hash64(u64::from(board));
    ((hash >> 6) as usize & filter.len().wrapping_sub(1), 1 << (hash % 64))
}
