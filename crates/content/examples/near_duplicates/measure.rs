//! What came of it: pairs that were put together, against pairs that belong together.

use std::collections::{BTreeMap, HashMap};

use content::{NearDuplicates, Picture};

use crate::variants::{CHANGES, Change};

/// A picture that was put into the index.
pub(crate) struct Item {
    /// Position of the catalogue picture that it is or was made of.
    pub(crate) source: usize,
    /// How it was made; nothing for the catalogue picture itself.
    pub(crate) change: Option<Change>,
}

/// Pairs of pictures.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pairs {
    /// In one cluster.
    pub(crate) together: u64,
    /// In one cluster, and of the same picture or of exact duplicates.
    pub(crate) right: u64,
    /// Of the same picture or of exact duplicates.
    pub(crate) wanted: u64,
    /// In one cluster and wrong, but of one photo that is in the catalogue twice (see [`same_photo`]).
    pub(crate) same_photo: u64,
}

/// All that is told.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Of all pictures that were put in.
    pub(crate) all: Pairs,
    /// Of the catalogue's own pictures alone.
    pub(crate) catalogue: Pairs,
    /// Groups of exact duplicates, and how many of them are each in one cluster.
    pub(crate) groups: (usize, usize),
    /// By change: variants, and how many are in a cluster with their source.
    pub(crate) found: BTreeMap<&'static str, (usize, usize)>,
    /// Pictures of the largest cluster.
    pub(crate) largest: usize,
    /// Pairs of catalogue pictures that were wrongly put together and are not of one photo.
    pub(crate) wrong: Vec<(usize, usize)>,
}

impl Pairs {
    /// Share of what was put together that belongs together.
    pub(crate) fn precision(&self) -> f64 {
        self.right as f64 / self.together.max(1) as f64
    }

    /// The same, one photo that is in the catalogue twice not counted as wrong.
    pub(crate) fn precision_by_photo(&self) -> f64 {
        (self.right + self.same_photo) as f64 / self.together.max(1) as f64
    }

    /// Share of what belongs together that was put together.
    pub(crate) fn recall(&self) -> f64 {
        self.right as f64 / self.wanted.max(1) as f64
    }
}

/// Compares the index's clusters with what is known; item `i` was put in as id `i`.
pub(crate) fn report(index: &NearDuplicates, items: &[Item], pictures: &[Picture]) -> Report {
    let truth = exact_groups(pictures);
    let mut report = Report::default();
    let mut clusters: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for number in 0..items.len() {
        clusters.entry(index.cluster_of(number as u32).expect("it was put in")).or_default().push(number);
    }
    report.largest = clusters.values().map(Vec::len).max().unwrap_or(0);
    let mut photos: HashMap<(usize, usize), bool> = HashMap::new();
    for members in clusters.values() {
        for (place, &one) in members.iter().enumerate() {
            for &other in &members[..place] {
                let (a, b) = (items[one].source, items[other].source);
                let right = truth[a] == truth[b];
                let both = (a.min(b), a.max(b));
                let photo =
                    !right && *photos.entry(both).or_insert_with(|| same_photo(&pictures[both.0], &pictures[both.1]));
                let own = items[one].change.is_none() && items[other].change.is_none();
                report.all.count(right, photo);
                if own {
                    report.catalogue.count(right, photo);
                    if !right && !photo {
                        report.wrong.push(both);
                    }
                }
            }
        }
    }
    wanted(&mut report, items, &truth);
    by_change(&mut report, index, items);
    by_group(&mut report, index, items, &truth);
    report
}

impl Pairs {
    /// What is left without those pairs.
    pub(crate) fn without(&self, others: &Pairs) -> Pairs {
        Pairs {
            together: self.together - others.together,
            right: self.right - others.right,
            wanted: self.wanted - others.wanted,
            same_photo: self.same_photo - others.same_photo,
        }
    }

    fn count(&mut self, right: bool, same_photo: bool) {
        self.together += 1;
        self.right += u64::from(right);
        self.same_photo += u64::from(same_photo);
    }
}

/// For each picture the first one that has the same pixels.
fn exact_groups(pictures: &[Picture]) -> Vec<usize> {
    let mut first: HashMap<(u32, &[u8]), usize> = HashMap::new();
    pictures.iter().enumerate().map(|(i, p)| *first.entry((p.width(), p.rgb())).or_insert(i)).collect()
}

fn wanted(report: &mut Report, items: &[Item], truth: &[usize]) {
    let mut sizes: HashMap<usize, (u64, u64)> = HashMap::new();
    for item in items {
        let (all, own) = sizes.entry(truth[item.source]).or_default();
        *all += 1;
        *own += u64::from(item.change.is_none());
    }
    let pairs = |count: u64| count * count.saturating_sub(1) / 2;
    report.all.wanted = sizes.values().map(|&(all, _)| pairs(all)).sum();
    report.catalogue.wanted = sizes.values().map(|&(_, own)| pairs(own)).sum();
}

fn by_change(report: &mut Report, index: &NearDuplicates, items: &[Item]) {
    let own: HashMap<usize, u32> = items
        .iter()
        .zip(0u32..)
        .filter(|(item, _)| item.change.is_none())
        .map(|(item, id)| (item.source, id))
        .collect();
    for change in CHANGES {
        let variants = items.iter().zip(0u32..).filter(|(item, _)| item.change == Some(change));
        let (mut count, mut found) = (0, 0);
        for (item, id) in variants {
            count += 1;
            found += usize::from(index.cluster_of(id) == index.cluster_of(own[&item.source]));
        }
        report.found.insert(change.name(), (count, found));
    }
}

fn by_group(report: &mut Report, index: &NearDuplicates, items: &[Item], truth: &[usize]) {
    let mut groups: BTreeMap<usize, Vec<Option<u32>>> = BTreeMap::new();
    for (item, id) in items.iter().zip(0u32..).filter(|(item, _)| item.change.is_none()) {
        groups.entry(truth[item.source]).or_default().push(index.cluster_of(id));
    }
    groups.retain(|_, clusters| clusters.len() > 1);
    let whole = groups.values().filter(|clusters| clusters.iter().all(|cluster| *cluster == clusters[0])).count();
    report.groups = (groups.len(), whole);
}

/// Whether two pictures of the catalogue are one photo: of the same size, and no block of 8 × 8 pixels differs by more
/// than 6 of 255 on average. Signatures have no part in this judgement.
fn same_photo(one: &Picture, other: &Picture) -> bool {
    const SIDE: u32 = 8;
    const GAP_MAX: u32 = 6;
    if (one.width(), one.height()) != (other.width(), other.height()) {
        return false;
    }
    let mut blocks: HashMap<(u32, u32), (u32, u32)> = HashMap::new();
    for (i, (a, b)) in (0u32..).zip(one.rgb().iter().zip(other.rgb())) {
        let pixel = i / 3;
        let block = blocks.entry((pixel % one.width() / SIDE, pixel / one.width() / SIDE)).or_default();
        block.0 += u32::from(a.abs_diff(*b));
        block.1 += 1;
    }
    blocks.values().all(|&(sum, count)| sum <= GAP_MAX * count)
}
