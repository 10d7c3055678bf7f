//! Many parts into one.

use super::geometry::Geometry;
use super::held::Held;
use super::kernel::Kernel;
use super::part::Part;
use super::{LIVE_ROWS, LIVE_SHARE, NOWHERE, ROW_BITS, ROWS_TO_LEARN, Tagged, VectorIndex, lists_for};
use domain::Rng;
use std::sync::Arc;

/// Lists are learned anew when there are this many times as many rows as when they were learned.
const GROWTH: usize = 4;

/// Tags that parts may have, and so the most parts that there may be.
pub(super) const TAGS: usize = 4;

/// What a compaction works on: the rows that were there when it began. It needs no lock, and the index goes on
/// meanwhile.
#[derive(Debug)]
pub struct Compaction {
    dim: usize,
    space: u32,
    kernel: Kernel,
    parts: Vec<Held>,
    rows: usize,
    learned_rows: usize,
    learn: bool,
    seed: u64,
    tag: u32,
    pins: usize,
}

/// One packed part of all the rows, to be [published](VectorIndex::publish) or kept as a snapshot.
#[derive(Debug)]
pub struct Compacted {
    pub(super) space: u32,
    pub(super) held: Held,
    tag: u32,
    places: Vec<u32>,
    pub(super) learned_rows: usize,
}

/// What a published compaction has replaced. Dropping it frees much memory: let go of the index's lock first.
#[must_use = "dropped under the index's lock it keeps everybody waiting"]
#[derive(Debug)]
pub struct Replaced {
    _parts: Vec<Tagged>,
    _places: Vec<u32>,
}

impl VectorIndex {
    /// Whether a compaction is worth its while: the live part has grown, or too many rows of the base are dead.
    pub fn wants_compaction(&self) -> bool {
        let live = self.live().held.rows;
        let dead = self.held.iter().map(|known| known.held.rows - known.held.count).sum::<usize>();
        let limit = (self.len / LIVE_SHARE).max(LIVE_ROWS);
        let unlearned = self.learned_rows == 0 && self.len >= 2 * ROWS_TO_LEARN;
        self.meanwhile.is_none() && (live > limit || dead > limit || unlearned)
    }

    /// Begins a compaction; `None` while another is under way. What is written from now on goes to a new live part.
    pub fn begin_compaction(&mut self, seed: u64) -> Option<Compaction> {
        if self.meanwhile.is_some() || self.held.len() == TAGS {
            return None;
        }
        let compaction = self.compaction(seed);
        self.meanwhile = Some(Vec::new());
        let taken = |tag: &u32| self.held.iter().any(|known| known.tag == *tag);
        let tag = (0..TAGS as u32).find(|tag| !taken(tag)).expect("invariant: more tags than parts");
        let live = Held::loose(self.live().held.part.geometry.clone());
        self.held.push(Tagged { tag, held: live });
        self.version += 1;
        Some(compaction)
    }

    /// Gives up a compaction that will not be published: everything stays as it is, in one part more.
    pub fn abandon_compaction(&mut self) {
        self.meanwhile = None;
    }

    /// All rows in one packed part, for a snapshot; the index stays as it is.
    pub fn compacted(&self, seed: u64) -> Compacted {
        self.compaction(seed).run()
    }

    fn compaction(&self, seed: u64) -> Compaction {
        Compaction {
            dim: self.dim,
            space: self.space,
            kernel: self.kernel,
            parts: self.held.iter().map(|known| known.held.clone()).collect(),
            rows: self.len,
            learned_rows: self.learned_rows,
            learn: self.len >= ROWS_TO_LEARN && self.len >= GROWTH * self.learned_rows,
            seed,
            // The compacted part takes the place, and the tag, of the first one.
            tag: self.held[0].tag,
            pins: self.places.len(),
        }
    }

    /// Takes the compacted part in the place of those that it was made of.
    pub fn publish(&mut self, compacted: Compacted) -> Replaced {
        let Compacted { mut held, tag, mut places, learned_rows, .. } = compacted;
        let live = self.held.pop().expect("invariant: there is a live part");
        places.resize(self.places.len().max(places.len()), NOWHERE);
        for pin in self.meanwhile.take().unwrap_or_default() {
            let Some(now) = self.places.get(pin.index()) else { continue };
            let before = std::mem::replace(&mut places[pin.index()], *now);
            if before != NOWHERE && before >> ROW_BITS == tag {
                held.bury((before & ((1 << ROW_BITS) - 1)) as usize);
            }
        }
        let places = std::mem::replace(&mut self.places, places);
        self.learned_rows = learned_rows;
        let parts = std::mem::replace(&mut self.held, vec![Tagged { tag, held }, live]);
        self.version += 1;
        self.adopt();
        Replaced { _parts: parts, _places: places }
    }

    /// After lists were learned: an empty live part takes them over at once, another one with the next compaction.
    fn adopt(&mut self) {
        let geometry = self.held[0].held.part.geometry.clone();
        let live = self.held.last_mut().expect("invariant: there is a live part");
        if live.held.rows == 0 {
            live.held = Held::loose(geometry);
        }
    }
}

impl Compaction {
    /// Does the work.
    pub fn run(self) -> Compacted {
        let old = self.parts[0].part.geometry.clone();
        let same = !self.learn && self.parts.iter().all(|held| Arc::ptr_eq(&held.part.geometry, &old));
        if same {
            return self.pack(old, |_, list, _| list);
        }
        let geometry = if self.learn { self.learn() } else { self.newest() };
        let geometry = Arc::new(geometry);
        let (kernel, homes) = (self.kernel, geometry.clone());
        self.pack(geometry, move |part, list, row| {
            let vector: Vec<f32> = part.get(row).decode(part.geometry.centre(list)).collect();
            homes.homes(std::iter::once(&vector[..]), kernel)[0] as usize
        })
    }

    fn newest(&self) -> Geometry {
        let of = |held: &Held| held.part.geometry.clone();
        let most = self.parts.iter().map(of).max_by_key(|geometry| geometry.lists);
        most.map_or_else(|| Geometry::flat(self.dim), |geometry| Geometry::clone(&geometry))
    }

    /// Learns lists from a sample of the rows.
    fn learn(&self) -> Geometry {
        let lists = lists_for(self.rows);
        let every = (self.rows / (lists * SAMPLE_PER_LIST_MAX)).max(1);
        let mut sample = Vec::new();
        for (at, (part, list, row)) in self.each().enumerate() {
            if at % every == 0 {
                sample.extend(part.get(row).decode(part.geometry.centre(list)));
            }
        }
        Geometry::learn(self.dim, lists, &sample, self.kernel, &mut Rng::new(self.seed))
    }

    /// The rows that count: part, list and row.
    fn each(&self) -> impl Iterator<Item = (&Part, usize, usize)> {
        self.parts.iter().flat_map(|held| {
            let alive = |&(_, row): &(usize, usize)| held.is_alive(row);
            held.part.rows().filter(alive).map(|(list, row)| (&*held.part, list, row))
        })
    }

    fn pack(self, geometry: Arc<Geometry>, home: impl Fn(&Part, usize, usize) -> usize) -> Compacted {
        let homes: Vec<u32> = self.each().map(|(part, list, row)| home(part, list, row) as u32).collect();
        let mut sizes = vec![0; geometry.lists];
        homes.iter().for_each(|&home| sizes[home as usize] += 1);
        let mut part = Part::packed(geometry.clone(), sizes);
        let mut next: Vec<usize> = (0..geometry.lists).map(|list| part.start(list)).collect();
        let mut places = vec![NOWHERE; self.pins];
        for ((from, list, row), &home) in self.each().zip(&homes) {
            let (home, pin) = (home as usize, from.view().pin(row));
            let coded = match Arc::ptr_eq(&from.geometry, &geometry) {
                true => from.get(row),
                false => {
                    let vector: Vec<f32> = from.get(row).decode(from.geometry.centre(list)).collect();
                    super::row::Row::encode(&vector, geometry.centre(home))
                }
            };
            part.put(next[home], &coded, pin);
            places[pin.index()] = self.tag << ROW_BITS | next[home] as u32;
            next[home] += 1;
        }
        let learned_rows = if self.learn { self.rows } else { self.learned_rows };
        Compacted { space: self.space, held: Held::all(Arc::new(part)), tag: self.tag, places, learned_rows }
    }
}

/// Rows looked at per list when lists are learned.
const SAMPLE_PER_LIST_MAX: usize = 48;

impl Compacted {
    /// How many pins it holds.
    pub fn len(&self) -> usize {
        self.held.count
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.held.count == 0
    }
}
