//! Which pictures were put under a key: chains through plain columns, the newest first.

use domain::hash64;

use super::keys::Key;

/// Most postings of one key that are read, and most that are passed by on the way to them.
const READ_MAX: usize = 32;
const PASSED_MAX: usize = 64;
/// The end of a chain.
const NONE: u32 = u32::MAX;

/// Pictures by key. Appending only; a chain is read no farther than a limit, so that its length costs nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Postings {
    /// The newest posting of each chain; a power of two of them.
    heads: Vec<u32>,
    keys: Vec<u32>,
    slots: Vec<u32>,
    windows: Vec<u8>,
    /// The next older posting of the same chain.
    older: Vec<u32>,
}

impl Postings {
    /// Puts a picture under a key. When there are as many postings as numbers for them, nothing more is posted.
    pub(super) fn push(&mut self, key: Key, slot: u32) {
        if self.keys.len() >= NONE as usize {
            return;
        }
        if self.keys.len() >= self.heads.len() {
            self.grow();
        }
        let head = self.chain(key.hash);
        self.older.push(std::mem::replace(&mut self.heads[head], self.keys.len() as u32));
        self.keys.push(key.hash);
        self.slots.push(slot);
        self.windows.push(key.window);
    }

    /// Slots and windows of the newest postings of a key.
    pub(super) fn read(&self, key: Key) -> impl Iterator<Item = (u32, u8)> {
        let first = if self.heads.is_empty() { NONE } else { self.heads[self.chain(key.hash)] };
        let chain = std::iter::successors(Some(first).filter(|&at| at != NONE), |&at| {
            Some(self.older[at as usize]).filter(|&at| at != NONE)
        });
        let same = chain.take(PASSED_MAX).map(|at| at as usize).filter(move |&at| self.keys[at] == key.hash);
        same.take(READ_MAX).map(|at| (self.slots[at], self.windows[at]))
    }

    /// Bytes of memory held.
    pub(super) fn bytes(&self) -> usize {
        4 * (self.heads.capacity() + self.keys.capacity() + self.slots.capacity() + self.older.capacity())
            + self.windows.capacity()
    }

    fn chain(&self, hash: u32) -> usize {
        hash64(u64::from(hash)) as usize & (self.heads.len() - 1)
    }

    /// Twice as many chains.
    fn grow(&mut self) {
        self.heads = vec![NONE; (self.heads.len() * 2).max(1_024)];
        for at in 0..self.keys.len() {
            let head = self.chain(self.keys[at]);
            self.older[at] = std::mem::replace(&mut self.heads[head], at as u32);
        }
    }
}
