//! Pictures in clusters: union-find, each cluster a ring that can be walked.

/// Clusters of slots 0, 1, 2 …; the representative of a cluster is the oldest slot of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Clusters {
    parents: Vec<u32>,
    /// The next slot of the same cluster, in a ring.
    ring: Vec<u32>,
}

impl Clusters {
    /// One more slot, a cluster of its own.
    pub(super) fn push(&mut self) -> u32 {
        let slot = self.parents.len() as u32;
        self.parents.push(slot);
        self.ring.push(slot);
        slot
    }

    /// The representative of a slot's cluster.
    pub(super) fn find(&self, mut slot: u32) -> u32 {
        while self.parents[slot as usize] != slot {
            slot = self.parents[slot as usize];
        }
        slot
    }

    /// Makes one cluster of the two of which these are the representatives.
    pub(super) fn join(&mut self, one: u32, other: u32) {
        let (older, younger) = (one.min(other), one.max(other));
        if older != younger {
            self.ring.swap(older as usize, younger as usize);
            // The younger's ring now follows upon the older one, and ends with the younger one itself.
            let mut at = self.ring[older as usize];
            while self.parents[at as usize] != older {
                self.parents[at as usize] = older;
                at = self.ring[at as usize];
            }
        }
    }

    /// All slots of a slot's cluster, itself first.
    pub(super) fn members(&self, slot: u32) -> impl Iterator<Item = u32> {
        let next = move |&at: &u32| Some(self.ring[at as usize]).filter(|&next| next != slot);
        std::iter::successors(Some(slot), next)
    }

    /// Takes a slot out of its cluster; those that stay.
    pub(super) fn take_out(&mut self, slot: u32) -> Vec<u32> {
        let others: Vec<u32> = self.members(slot).skip(1).collect();
        let lead = others.iter().copied().min();
        if let (Some(&last), Some(&next), Some(lead)) = (others.last(), others.first(), lead) {
            self.ring[last as usize] = next;
            others.iter().for_each(|&other| self.parents[other as usize] = lead);
        }
        self.ring[slot as usize] = slot;
        self.parents[slot as usize] = slot;
        others
    }
}
