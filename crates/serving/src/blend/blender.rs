//! Place by place: which row comes next, and why not another.

use super::Placed;
use super::columns::Columns;
use super::explore::Explorer;
use super::ledger::{Ledger, Reason};
use super::quotas::Quotas;
use super::rules::Rules;
use super::spacing::{Set, Spacing};
use super::ssd::{Window, blocks};
use crate::context::Context;
use crate::scorer::{HEAD, spread};
use domain::{Candidates, Source};

/// Utility of what has none (spreads).
const NOTHING: f32 = -1e6;

/// How far a band of relevance is from the next (spreads): more than anything else may count.
const BAND: f32 = 1e3;

/// Rows on their way into places.
pub(super) struct Blender<'a> {
    columns: &'a Columns,
    rules: Rules<'a>,
    ledger: Ledger<'a>,
    quotas: Quotas,
    explorer: Explorer,
    spacing: Spacing,
    /// Where vectors count for anything.
    window: Option<Window<'a>>,
    /// What a share of its own is worth (spreads), and where cosines are near duplicates.
    gamma: f32,
    near_duplicate_from: f32,
    /// Utility of each row (spreads), less that of the first.
    utility: Vec<f32>,
    /// Whether exploration offered each row.
    offered: Vec<bool>,
    /// Whether each row has no place yet.
    open: Vec<bool>,
    /// Each row's share of its own, for the place that is next.
    shares: Vec<f32>,
}

/// The row for a place.
#[derive(Clone, Copy)]
struct Pick {
    row: usize,
    /// Why, if its worth is not the reason.
    by: Option<Reason>,
    propensity: f32,
}

/// How far a row is held back: rows of a lower tier come first.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Tier(u8);

impl Tier {
    const FREE: Tier = Tier(0);
    const QUOTA_FULL: u8 = 1;
    const BURIED: u8 = 2;
}

impl<'a> Blender<'a> {
    pub(super) fn new(
        context: &'a Context,
        (candidates, bands): (&Candidates, &[u8]),
        columns: &'a Columns,
        rules: Rules<'a>,
    ) -> Self {
        let (params, surface) = (&context.params, context.params.surface(context.request.surface));
        let (diversity, rows) = (&params.diversity, candidates.len());
        let spacing = Spacing::new(diversity, surface.variety, rows);
        let gamma = diversity.ssd * surface.variety;
        let size = if gamma > 0.0 { diversity.ssd_window } else { 1 };
        Blender {
            ledger: Ledger::new(rows, rules.names()),
            quotas: Quotas::new(params, surface.fresh_every, rules.caps()),
            explorer: Explorer::new(context.request.seed, surface.explore_every, surface.explore_any),
            window: (columns.vectors.count() > 0).then(|| Window::new(&columns.vectors, size)),
            spacing,
            gamma,
            near_duplicate_from: if columns.looks { diversity.near_duplicate_from } else { f32::INFINITY },
            utility: in_spreads(&candidates.utility, bands),
            offered: candidates.sources.iter().map(|sources| sources.has(Source::Exploration)).collect(),
            open: vec![true; rows],
            shares: vec![0.0; rows],
            columns,
            rules,
        }
    }

    /// Fills at most `count` places. Fewer are filled when what is left must not be placed.
    pub(super) fn place_all(mut self, count: usize) -> Vec<Placed> {
        let mut placed = Vec::with_capacity(count);
        while placed.len() < count {
            let Some(pick) = self.pick(placed.len(), count) else { break };
            self.place(pick);
            let Pick { row, propensity, .. } = pick;
            placed.push(Placed { row, moves: Vec::new(), propensity });
        }
        placed.iter_mut().for_each(|placed| placed.moves = self.ledger.moves(placed.row));
        placed
    }

    fn pick(&mut self, place: usize, count: usize) -> Option<Pick> {
        let pinned = |(row, by)| Pick { row, by: Some(by), propensity: 1.0 };
        if let Some(due) = self.rules.due(place, count - place) {
            return Some(pinned(due));
        }
        let Some(best) = self.best(None) else { return self.rules.due(place, 0).map(pinned) };
        let mut pick = Pick { row: best, by: None, propensity: 1.0 };
        if self.quotas.fresh_due() {
            pick.row = self.best(Some(&self.columns.fresh)).unwrap_or(best);
            pick.by = (pick.row != best).then_some(Reason::FRESH);
        }
        Some(if self.explorer.is_slot(place) { self.explore(pick) } else { pick })
    }

    /// What exploration makes of a place for which there was a pick.
    fn explore(&mut self, pick: Pick) -> Pick {
        let free = |row: &usize| self.tier(*row).is_some_and(|tier| tier.0 < Tier::BURIED);
        let all: Vec<usize> = (0..self.open.len()).filter(free).collect();
        let offered: Vec<usize> = all.iter().copied().filter(|&row| self.offered[row]).collect();
        let drawn = self.explorer.draw(pick.row, &all, &offered);
        let by = if drawn.row == pick.row { pick.by } else { Some(Reason::EXPLORE) };
        Pick { row: drawn.row, by, propensity: drawn.propensity }
    }

    /// The row of the lowest tier that is worth most, of the first [`HEAD`] that are left and those that a rule boosts:
    /// of all, or of those `wanted`.
    fn best(&mut self, wanted: Option<&[bool]>) -> Option<usize> {
        let free = self.all_free();
        let mut best: Option<(usize, Tier, f32)> = None;
        let mut looked_at = 0;
        for (block, rows) in blocks(&self.open) {
            // Rows come by utility: nobody from this one on is worth more.
            let boost = self.rules.boost_max(block);
            let most = self.utility[rows.start] + boost + self.gamma;
            let enough = |worth| most <= worth || (looked_at >= HEAD && boost == 0.0);
            if best.is_some_and(|(_, tier, worth)| tier == Tier::FREE && enough(worth)) {
                continue;
            }
            if let Some(window) = &mut self.window {
                window.look(block, &self.open, &mut self.shares, |row, ago, cosine| {
                    if cosine >= self.near_duplicate_from {
                        self.spacing.mark(Set::NearDuplicate, row, ago);
                    }
                });
            }
            for row in rows.filter(|&row| self.open[row] && wanted.is_none_or(|wanted| wanted[row])) {
                let tier = if free { Some(Tier::FREE) } else { self.tier(row) };
                let Some(tier) = tier else { continue };
                let worth = self.worth(row);
                looked_at += 1;
                if best.is_none_or(|(_, lowest, most)| tier < lowest || (tier == lowest && worth > most)) {
                    best = Some((row, tier, worth));
                }
            }
        }
        best.map(|(row, ..)| row)
    }

    /// Whether nothing holds any row back.
    fn all_free(&self) -> bool {
        self.rules.is_empty() && self.quotas.full_sources() == 0
    }

    /// `None` for a row that must not be placed now.
    fn tier(&self, row: usize) -> Option<Tier> {
        let barred = !self.open[row]
            || self.rules.claimed(row).is_some()
            || self.rules.capped(row) & self.quotas.full_rules() != 0;
        let quota = if self.quotas.full_sources() & self.source(row) != 0 { Tier::QUOTA_FULL } else { 0 };
        let buried = if self.rules.buried(row).is_some() { Tier::BURIED } else { 0 };
        (!barred).then_some(Tier(quota + buried))
    }

    /// What a row is worth next (spreads).
    fn worth(&self, row: usize) -> f32 {
        self.utility[row] + self.rules.boost(row) + self.gamma * self.shares[row] - self.spacing.total(row)
    }

    fn place(&mut self, pick: Pick) {
        let costs = self.spacing.costs(pick.row);
        for other in (0..pick.row).filter(|&other| self.open[other]) {
            self.ledger.overtook(pick.row, other, self.why(pick, other, &costs));
        }
        let row = pick.row;
        self.open[row] = false;
        self.quotas.push(self.source(row), self.rules.capped(row), self.columns.fresh[row]);
        self.spacing.next();
        let members = [&self.columns.creators, &self.columns.topics, &self.columns.sources];
        for (set, members) in [Set::Creator, Set::Topic, Set::Source].into_iter().zip(members) {
            if self.spacing.counts(set) {
                members.sharing(row, |other| self.spacing.mark(set, other, 1));
            }
        }
        if let Some(window) = &mut self.window {
            window.push(row);
        }
    }

    /// Why a pick, which spacing costs so much, comes before a row of higher utility.
    fn why(&self, pick: Pick, other: usize, costs: &[f32; Set::ALL.len()]) -> Reason {
        let held = |row| (self.rules.claimed(row), self.rules.buried(row));
        let full = self.rules.capped(other) & self.quotas.full_rules();
        match (pick.by, held(other), held(pick.row)) {
            (Some(by), ..) => by,
            (None, ..) if self.all_free() => self.advantage(pick.row, other, costs),
            (None, (Some(claim), _), _) => claim,
            (None, ..) if full != 0 => Reason::rule(full.trailing_zeros() as usize),
            (None, (_, Some(bury)), (_, None)) => bury,
            (None, ..) if self.tier(other) > self.tier(pick.row) => {
                self.columns.source[other].map_or(Reason::SSD, Reason::quota)
            }
            (None, ..) => self.advantage(pick.row, other, costs),
        }
    }

    /// What of its worth a row has most over another.
    fn advantage(&self, row: usize, other: usize, costs: &[f32; Set::ALL.len()]) -> Reason {
        let mut most = (self.gamma * (self.shares[row] - self.shares[other]), Reason::SSD);
        let others = self.spacing.costs(other);
        for (set, (other, own)) in Set::ALL.into_iter().zip(others.iter().zip(costs)) {
            if other - own > most.0 {
                most = (other - own, Reason::spacing(set));
            }
        }
        let boosts = [row, other].map(|row| self.rules.boost(row));
        if boosts[0] - boosts[1] > most.0 {
            let booster = if boosts[0].abs() >= boosts[1].abs() { row } else { other };
            most.1 = self.rules.booster(booster);
        }
        most.1
    }

    /// The row's source as a bit.
    fn source(&self, row: usize) -> u8 {
        self.columns.source[row].map_or(0, |source| 1 << source.index())
    }
}

/// Utilities of rows that come by utility, less that of the first, in spreads of the head of the list. Rows that tie
/// came in an order too: each is as far behind the one before as if the head were spread evenly. Each band begins far
/// behind the one before.
fn in_spreads(utility: &[f32], bands: &[u8]) -> Vec<f32> {
    // The deviation of n values that are a step apart is about n / √12 steps.
    let step = 12.0f32.sqrt() / HEAD as f32;
    let spread = spread(utility);
    let mut at = 0.0;
    let mut before = utility.first().copied().unwrap_or_default();
    let place = |(&utility, &band): (&f32, &u8)| {
        if !utility.is_finite() {
            return NOTHING;
        }
        let gap = (before - utility) / spread;
        at -= if gap > 0.0 && gap.is_finite() { gap } else { step };
        before = utility;
        at - BAND * f32::from(band)
    };
    utility.iter().zip(bands).map(place).collect()
}
