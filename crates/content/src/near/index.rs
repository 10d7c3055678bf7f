//! The index: who may be alike, who is, and who belongs together.

use std::collections::BTreeMap;

use super::align::{Aligned, Warp};
use super::clusters::Clusters;
use super::keys::{Key, embedding_keys, warp_between, window_keys};
use super::likeness::{Likeness, likeness};
use super::postings::Postings;
use super::signature::Signature;

/// Most pictures that one is laid over.
const CANDIDATES_MAX: usize = 48;
/// Most clusters that one picture may join to one.
const CLUSTERS_MAX: usize = 8;

/// Near-duplicate pictures in clusters.
#[derive(Clone, Debug, Default)]
pub struct NearDuplicates {
    pub(super) clusters: Clusters,
    pub(super) slots: Vec<Slot>,
    slot_of: BTreeMap<u32, u32>,
    postings: Postings,
}

/// A picture of the index.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) id: u32,
    pub(super) signature: Signature,
    pub(super) embedding_keys: Vec<Key>,
    /// Whether it can be found by its keys. One that is as good as equal to another is found by that one's.
    pub(super) is_posted: bool,
    pub(super) is_live: bool,
}

/// A picture that may be a near-duplicate: how often its keys met those of the new one, and where it would lie.
struct Candidate {
    slot: u32,
    is_mirrored: bool,
    meetings: usize,
    start: Warp,
}

impl NearDuplicates {
    /// Adds a picture, or replaces the one of this id; `embedding` (may be empty) is one more way to be found. Returns
    /// the id of its cluster's representative, its own when there is nothing like it.
    pub fn insert(&mut self, id: u32, signature: Signature, embedding: &[f32]) -> u32 {
        self.remove(id);
        let sides = Sides::new(&signature);
        let embedding_keys = embedding_keys(embedding);
        let (found, is_equal) = self.alike(&sides, &embedding_keys);
        let slot = self.add(Slot { id, signature, embedding_keys, is_posted: false, is_live: true });
        self.join(slot, &sides, &found);
        if !is_equal {
            self.post(slot, window_keys(&sides.straight.grids));
        }
        self.slots[self.clusters.find(slot) as usize].id
    }

    /// Takes a picture out; whether it was here. Its cluster stays together. Memory of it is given back when the index
    /// next comes back from bytes.
    pub fn remove(&mut self, id: u32) -> bool {
        let Some(slot) = self.slot_of.remove(&id) else { return false };
        let others = self.clusters.take_out(slot);
        self.slots[slot as usize].is_live = false;
        // Pictures equal to it were found by its keys; now one of them is.
        let heir = others.into_iter().filter(|&other| !self.slots[other as usize].is_posted).min();
        if let Some(heir) = heir.filter(|_| self.slots[slot as usize].is_posted) {
            self.post(heir, window_keys(&self.slots[heir as usize].signature.grids()));
        }
        true
    }

    /// The id of the representative of a picture's cluster; nothing when the picture is not here.
    pub fn cluster_of(&self, id: u32) -> Option<u32> {
        self.slot_of.get(&id).map(|&slot| self.slots[self.clusters.find(slot) as usize].id)
    }

    /// The ids of a picture's cluster, its own first.
    pub fn members_of(&self, id: u32) -> Vec<u32> {
        let slot = self.slot_of.get(&id).copied();
        slot.map_or_else(Vec::new, |slot| {
            self.clusters.members(slot).map(|slot| self.slots[slot as usize].id).collect()
        })
    }

    /// How many pictures there are.
    pub fn len(&self) -> usize {
        self.slot_of.len()
    }

    /// Whether there is no picture.
    pub fn is_empty(&self) -> bool {
        self.slot_of.is_empty()
    }

    /// Bytes of memory held.
    pub fn bytes(&self) -> usize {
        let slots = self.slots.capacity() * (size_of::<Slot>() + 2 * size_of::<u32>());
        // A tree of pairs of numbers: about three quarters full.
        self.postings.bytes() + slots + self.slot_of.len() * 12
    }

    /// The slots of all pictures that were not taken out, oldest first.
    pub(super) fn live(&self) -> Vec<u32> {
        (0u32..).zip(&self.slots).filter(|(_, slot)| slot.is_live).map(|(number, _)| number).collect()
    }

    pub(super) fn add(&mut self, slot: Slot) -> u32 {
        let number = self.clusters.push();
        self.slot_of.insert(slot.id, number);
        self.slots.push(slot);
        number
    }

    pub(super) fn post(&mut self, slot: u32, mut keys: Vec<Key>) {
        let kept = &mut self.slots[slot as usize];
        kept.is_posted = true;
        keys.extend(&kept.embedding_keys);
        keys.into_iter().for_each(|key| self.postings.push(key, slot));
    }

    /// Pictures that are like the new one, the most alike first, and whether one is as good as equal to it: then it is
    /// the only one, for whatever else is alike was found when that one came.
    fn alike(&self, sides: &Sides, embedding_keys: &[Key]) -> (Vec<Found>, bool) {
        let mut found: Vec<Found> = Vec::new();
        for candidate in self.candidates(sides, embedding_keys) {
            let other = Aligned::new(self.slots[candidate.slot as usize].signature.grids());
            let side = sides.side(candidate.is_mirrored);
            let Some(likeness) = likeness(side, &other, candidate.start) else { continue };
            let like = Found { slot: candidate.slot, is_mirrored: candidate.is_mirrored, likeness };
            if likeness.is_equal() {
                return (vec![like], true);
            }
            if likeness.is_near() {
                found.push(like);
            }
        }
        found.sort_by(|a, b| b.likeness.evidence.total_cmp(&a.likeness.evidence));
        (found, false)
    }

    /// Those that share most keys with the new picture or its mirror image.
    fn candidates(&self, sides: &Sides, embedding_keys: &[Key]) -> Vec<Candidate> {
        let mut meetings: Vec<(u32, bool, u8, u8)> = Vec::new();
        for is_mirrored in [false, true] {
            for key in window_keys(&sides.side(is_mirrored).grids).iter().chain(embedding_keys) {
                let live = self.postings.read(*key).filter(|&(slot, _)| self.slots[slot as usize].is_live);
                meetings.extend(live.map(|(slot, window)| (slot, is_mirrored, key.window, window)));
            }
        }
        meetings.sort_unstable();
        let same = |a: &(u32, bool, u8, u8), b: &(u32, bool, u8, u8)| (a.0, a.1) == (b.0, b.1);
        let mut candidates: Vec<Candidate> = meetings.chunk_by(same).map(Candidate::new).collect();
        candidates.sort_by_key(|candidate| (std::cmp::Reverse(candidate.meetings), candidate.slot));
        candidates.truncate(CANDIDATES_MAX);
        candidates
    }

    /// Joins the new picture to the clusters that it belongs to. Being like one member is not enough, or a chain of
    /// pictures each a little different would become one cluster: it must be somewhat like the representative too.
    fn join(&mut self, slot: u32, sides: &Sides, found: &[Found]) {
        let mut joined: Vec<u32> = Vec::new();
        let mut refused: Vec<u32> = Vec::new();
        for like in found {
            let lead = self.clusters.find(like.slot);
            if joined.contains(&lead) || refused.contains(&lead) || joined.len() + refused.len() >= CLUSTERS_MAX {
                continue;
            }
            let fits = like.slot == lead || self.is_akin(sides.side(like.is_mirrored), lead, like.likeness.warp);
            let fits = fits && joined.first().is_none_or(|&home| self.are_akin(home, lead));
            if !fits {
                refused.push(lead);
                continue;
            }
            joined.push(lead);
        }
        for lead in joined {
            let own = self.clusters.find(slot);
            self.clusters.join(own, self.clusters.find(lead));
        }
    }

    /// Whether a picture is somewhat like one of the index.
    fn is_akin(&self, side: &Aligned, slot: u32, start: Warp) -> bool {
        let other = Sides::new(&self.slots[slot as usize].signature);
        let likenesses = [(&other.straight, start), (&other.straight, Warp::NONE), (&other.mirrored, Warp::NONE)];
        likenesses.into_iter().any(|(other, start)| likeness(side, other, start).is_some_and(|found| found.is_akin()))
    }

    fn are_akin(&self, one: u32, other: u32) -> bool {
        let side = Aligned::new(self.slots[one as usize].signature.grids());
        self.is_akin(&side, other, Warp::NONE)
    }
}

/// A picture that is like the new one.
struct Found {
    slot: u32,
    is_mirrored: bool,
    likeness: Likeness,
}

impl Candidate {
    /// From all meetings of one picture.
    fn new(meetings: &[(u32, bool, u8, u8)]) -> Candidate {
        let (slot, is_mirrored, ..) = meetings[0];
        let mut start = Warp::NONE;
        for &(_, _, one, other) in meetings {
            let warp = warp_between(one, other);
            for axis in 0..2 {
                start.shift[axis] += warp.shift[axis] / meetings.len() as f32;
                start.grow[axis] += warp.grow[axis] / meetings.len() as f32;
            }
        }
        Candidate { slot, is_mirrored, meetings: meetings.len(), start }
    }
}

/// A picture and its mirror image.
struct Sides {
    straight: Aligned,
    mirrored: Aligned,
}

impl Sides {
    fn new(signature: &Signature) -> Sides {
        let grids = signature.grids();
        Sides { mirrored: Aligned::new(grids.mirrored()), straight: Aligned::new(grids) }
    }

    fn side(&self, is_mirrored: bool) -> &Aligned {
        if is_mirrored { &self.mirrored } else { &self.straight }
    }
}
