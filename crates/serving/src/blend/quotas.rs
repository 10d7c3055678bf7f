//! How much of a page may be of one kind, and how long it may go without a fresh pin.

use domain::{Params, Source};
use std::collections::VecDeque;

const SOURCES: usize = Source::ALL.len();

/// What the last places hold: one place less than a page has, so that the next makes it whole.
pub(super) struct Quotas {
    page: usize,
    /// Sources and capped rules of the last picks, as bits.
    recent: VecDeque<(u8, u32)>,
    of_source: [Count; SOURCES],
    of_rule: Vec<Count>,
    full_sources: u8,
    full_rules: u32,
    /// Places since the last fresh pick, and how many there may be.
    without_fresh: usize,
    fresh_every: usize,
}

#[derive(Clone, Copy)]
struct Count {
    now: usize,
    most: usize,
}

impl Quotas {
    /// Before any pick; `caps` are the most pins of each rule, where it has a cap.
    pub(super) fn new(params: &Params, fresh_every: usize, caps: impl Iterator<Item = Option<usize>>) -> Quotas {
        let page = params.diversity.page.max(1);
        let most = |share: f32| if share < 1.0 { (share * page as f32) as usize } else { usize::MAX };
        let count = |most| Count { now: 0, most };
        let mut quotas = Quotas {
            page,
            recent: VecDeque::with_capacity(page),
            of_source: Source::ALL.map(|source| count(most(params.generator(source).share_max))),
            of_rule: caps.map(|cap| count(cap.unwrap_or(usize::MAX))).collect(),
            full_sources: 0,
            full_rules: 0,
            without_fresh: 0,
            fresh_every,
        };
        quotas.look();
        quotas
    }

    /// The sources of which no further pin may come next, as bits.
    pub(super) fn full_sources(&self) -> u8 {
        self.full_sources
    }

    /// The rules of which no further pin may come next, as bits.
    pub(super) fn full_rules(&self) -> u32 {
        self.full_rules
    }

    /// Whether the next pin should be a fresh one.
    pub(super) fn fresh_due(&self) -> bool {
        self.fresh_every > 0 && self.without_fresh + 1 >= self.fresh_every
    }

    /// A pin was placed: its source as a bit, and the rules that it counts for.
    pub(super) fn push(&mut self, source: u8, rules: u32, fresh: bool) {
        self.without_fresh = if fresh { 0 } else { self.without_fresh + 1 };
        self.recent.push_back((source, rules));
        self.count(source, rules, 1);
        if self.recent.len() >= self.page
            && let Some((source, rules)) = self.recent.pop_front()
        {
            self.count(source, rules, -1);
        }
        self.look();
    }

    fn look(&mut self) {
        self.full_sources = full(&self.of_source) as u8;
        self.full_rules = full(&self.of_rule);
    }

    fn count(&mut self, source: u8, rules: u32, by: isize) {
        let add = |counts: &mut [Count], bits: u32| {
            let with = counts.iter_mut().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
            with.for_each(|(_, count)| count.now = count.now.saturating_add_signed(by));
        };
        add(&mut self.of_source, u32::from(source));
        add(&mut self.of_rule, rules);
    }
}

fn full(counts: &[Count]) -> u32 {
    counts.iter().enumerate().fold(0, |bits, (at, count)| bits | u32::from(count.now >= count.most) << at)
}
