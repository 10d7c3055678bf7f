//! Making the rows of a graph from its edges, in two passes and without a copy of them.

use crate::csr::Csr;
use crate::packed::{PAD, Packed, width_of};

/// Most different edges of a graph, so that an entry's place fits 32 bits.
pub(crate) const EDGES_MAX: u64 = u32::MAX as u64;

/// Lists up to here are searched for duplicates pair by pair.
const SHORT_LIST: usize = 24;

/// Both directions, pins to boards and boards to pins, of at least `pins` and `boards` nodes. `edges` is asked twice
/// and says the same both times. Of each edge only the first counts; edges after the first 2³² - 1 are left out.
pub(crate) fn build<E>(pins: u32, boards: u32, edges: impl Fn() -> E) -> (Csr, Csr)
where
    E: Iterator<Item = (u32, u32)>,
{
    let edges = || edges().take(EDGES_MAX as usize);
    let (mut pin_counts, mut board_counts) = (vec![0u32; pins as usize + 1], vec![0u32; boards as usize + 1]);
    for (pin, board) in edges() {
        count(&mut pin_counts, pin);
        count(&mut board_counts, board);
    }
    let (pins, boards) = (pin_counts.len() as u32 - 1, board_counts.len() as u32 - 1);
    let (mut to_boards, mut to_pins) = (Lists::new(pin_counts, boards), Lists::new(board_counts, pins));
    for (pin, board) in edges() {
        to_boards.put(pin, board);
        to_pins.put(board, pin);
    }
    (to_boards.finish(), to_pins.finish())
}

/// Counts a neighbour of `node`; the last number stays 0.
fn count(counts: &mut Vec<u32>, node: u32) {
    if node as usize + 1 >= counts.len() {
        counts.resize(node as usize + 2, 0);
    }
    counts[node as usize] += 1;
}

/// Lists that are being filled.
struct Lists {
    /// Where the next neighbour of each node goes.
    next: Vec<u32>,
    bytes: Vec<u8>,
    width: usize,
}

impl Lists {
    fn new(mut counts: Vec<u32>, others: u32) -> Lists {
        let mut start = 0u32;
        for count in &mut counts {
            (*count, start) = (start, start + *count);
        }
        let width = width_of(others);
        Lists { next: counts, bytes: vec![0; start as usize * width + PAD], width }
    }

    #[inline]
    fn put(&mut self, node: u32, neighbour: u32) {
        let at = self.next[node as usize] as usize;
        self.next[node as usize] += 1;
        write(&mut self.bytes, at, self.width, neighbour);
    }

    /// Drops what came before in its list and closes the gaps. `next` now says where each list ends.
    fn finish(mut self) -> Csr {
        let (mut from, mut to) = (0, 0);
        let (mut list, mut seen) = (Vec::new(), Vec::new());
        let last = self.next.len() - 1;
        for end in &mut self.next[..last] {
            list.clear();
            list.extend((from..*end as usize).map(|at| read(&self.bytes, at, self.width)));
            from = *end as usize;
            keep_first(&mut list, &mut seen);
            *end = to as u32;
            for &neighbour in &list {
                write(&mut self.bytes, to, self.width, neighbour);
                to += 1;
            }
        }
        self.next[last] = to as u32;
        self.bytes.truncate(to * self.width);
        self.bytes.resize(to * self.width + PAD, 0);
        self.bytes.shrink_to_fit();
        self.next.shrink_to_fit();
        Csr { offsets: self.next, packed: Packed { bytes: self.bytes.into(), width: self.width } }
    }
}

/// Each neighbour once, where it came first.
fn keep_first(list: &mut Vec<u32>, seen: &mut Vec<(u32, u32)>) {
    if list.len() <= SHORT_LIST {
        let mut kept = 0;
        for at in 0..list.len() {
            if !list[..kept].contains(&list[at]) {
                list[kept] = list[at];
                kept += 1;
            }
        }
        list.truncate(kept);
        return;
    }
    seen.clear();
    seen.extend(list.iter().zip(0..).map(|(&neighbour, at)| (neighbour, at)));
    seen.sort_unstable();
    let count = seen.len();
    seen.dedup_by_key(|&mut (neighbour, _)| neighbour);
    if seen.len() < count {
        seen.sort_unstable_by_key(|&(_, at)| at);
        list.clear();
        list.extend(seen.iter().map(|&(neighbour, _)| neighbour));
    }
}

#[inline(always)]
fn read(bytes: &[u8], at: usize, width: usize) -> u32 {
    let word: [u8; 4] = bytes[at * width..at * width + 4].try_into().expect("invariant: 4 bytes");
    u32::from_le_bytes(word) & (u64::MAX >> (64 - 8 * width)) as u32
}

#[inline(always)]
fn write(bytes: &mut [u8], at: usize, width: usize, neighbour: u32) {
    let (entry, [a, b, c, _]) = (&mut bytes[at * width..(at + 1) * width], neighbour.to_le_bytes());
    // Copies of known sizes are single stores.
    match entry {
        [x] => *x = a,
        [x, y] => (*x, *y) = (a, b),
        [x, y, z] => (*x, *y, *z) = (a, b, c),
        _ => entry.copy_from_slice(&neighbour.to_le_bytes()),
    }
}
