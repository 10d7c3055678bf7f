//! Which segments are joined, and when.

use std::collections::HashSet;
use tantivy::index::{SegmentId, SegmentMeta};
use tantivy::indexer::{LogMergePolicy, MergePolicy};

/// Segments of similar size that are joined into one.
pub(super) const SEGMENTS_TO_MERGE: usize = 6;

/// Part of a segment's pins that may be dead before it is written anew.
const DEAD_SHARE_MAX: f32 = 0.3;

/// Segments up to this size (pins) count as of one size.
const LEAST_LAYER: u32 = 1_000;

/// Most pins that a commit joins while searchers wait for it; more are joined beside.
const AT_COMMIT_MAX: u32 = 4_000;

/// What a commit should join.
pub(super) struct Plan {
    /// Small segments: at once.
    pub(super) now: Vec<Vec<SegmentId>>,
    /// Large ones, the smallest work first: one after the other, beside.
    pub(super) beside: Vec<Vec<SegmentId>>,
}

/// Joins segments of about the same size into one of the next larger, and writes anew what is mostly dead.
pub(super) struct Merging {
    policy: LogMergePolicy,
}

impl Merging {
    pub(super) fn new() -> Merging {
        let mut policy = LogMergePolicy::default();
        policy.set_min_num_segments(SEGMENTS_TO_MERGE);
        policy.set_min_layer_size(LEAST_LAYER);
        policy.set_del_docs_ratio_before_merge(DEAD_SHARE_MAX);
        Merging { policy }
    }

    /// What to join of `segments`, leaving alone those that are `busy`.
    pub(super) fn plan(&self, segments: &[SegmentMeta], busy: &[SegmentId]) -> Plan {
        let busy: HashSet<SegmentId> = busy.iter().copied().collect();
        let free: Vec<SegmentMeta> = segments.iter().filter(|segment| !busy.contains(&segment.id())).cloned().collect();
        let pins = |ids: &[SegmentId]| -> u32 {
            free.iter().filter(|segment| ids.contains(&segment.id())).map(SegmentMeta::num_docs).sum()
        };
        let candidates = self.policy.compute_merge_candidates(&free).into_iter().map(|candidate| candidate.0);
        let (now, mut beside): (Vec<_>, Vec<_>) = candidates.partition(|ids| pins(ids) <= AT_COMMIT_MAX);
        beside.sort_by_key(|ids| pins(ids));
        Plan { now, beside }
    }
}
