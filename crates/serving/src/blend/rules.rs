//! Rules of the business, as they apply to the rows of a request.

use super::kernel::BLOCK;
use super::ledger::Reason;
use domain::{PinId, RULES_MAX, RuleAction, RuleParams, Surface};
use index::{Columns, Filter};

/// What the rules that hold on a surface want.
pub(super) struct Rules<'a> {
    rules: Vec<&'a RuleParams>,
    /// Spreads added to each row, and which rule adds or takes most.
    boosts: Vec<(f32, usize)>,
    /// The most that is added to a row of each block.
    boosts_max: Vec<f32>,
    /// The rule that buries each row.
    buried: Vec<Option<usize>>,
    /// The rules with a cap that count each row, as bits.
    capped: Vec<u32>,
    /// The rule that keeps each row for a place.
    claimed: Vec<Option<usize>>,
    /// The places that are still to come, the next one last.
    pinned: Vec<Pinned>,
    /// Names of rules whose filter cannot be asked here.
    pub(super) unread: Vec<&'a str>,
}

#[derive(Clone, Copy)]
struct Pinned {
    place: usize,
    row: usize,
    rule: usize,
}

impl<'a> Rules<'a> {
    /// The rules of a surface for rows that come by utility.
    pub(super) fn read(all: &'a [RuleParams], surface: Surface, pins: &[PinId], columns: &Columns) -> Rules<'a> {
        let mut made = Rules {
            boosts: vec![(0.0, 0); pins.len()],
            boosts_max: vec![0.0; pins.len().div_ceil(BLOCK)],
            buried: vec![None; pins.len()],
            capped: vec![0; pins.len()],
            claimed: vec![None; pins.len()],
            pinned: Vec::new(),
            unread: Vec::new(),
            rules: all.iter().take(RULES_MAX).filter(|rule| rule.holds_on(surface)).collect(),
        };
        for number in 0..made.rules.len() {
            let rule = made.rules[number];
            match passing(&rule.filter, pins, columns) {
                Some(rows) => made.add(number, rule.action, &rows),
                None => made.unread.push(&rule.name),
            }
        }
        made.pinned.sort_by_key(|pinned| std::cmp::Reverse((pinned.place, pinned.rule)));
        made
    }

    fn add(&mut self, rule: usize, action: RuleAction, rows: &[usize]) {
        match action {
            RuleAction::PinTo(place) => {
                if let Some(&row) = rows.iter().find(|&&row| self.claimed[row].is_none()) {
                    self.claimed[row] = Some(rule);
                    self.pinned.push(Pinned { place: place.saturating_sub(1), row, rule });
                }
            }
            RuleAction::Boost(spreads) => rows.iter().for_each(|&row| {
                let (sum, most) = self.boosts[row];
                let leads = sum == 0.0 || spreads.abs() > self.spreads(most).abs();
                self.boosts[row] = (sum + spreads, if leads { rule } else { most });
                let most = &mut self.boosts_max[row / BLOCK];
                *most = most.max(sum + spreads);
            }),
            RuleAction::Bury => rows.iter().for_each(|&row| _ = self.buried[row].get_or_insert(rule)),
            RuleAction::Cap(_) => rows.iter().for_each(|&row| self.capped[row] |= 1 << rule),
        }
    }

    fn spreads(&self, rule: usize) -> f32 {
        if let RuleAction::Boost(spreads) = self.rules[rule].action { spreads } else { 0.0 }
    }

    pub(super) fn names(&self) -> Vec<&'a str> {
        self.rules.iter().map(|rule| rule.name.as_str()).collect()
    }

    /// The most pins of each rule on a page, where it has a cap.
    pub(super) fn caps(&self) -> impl Iterator<Item = Option<usize>> {
        self.rules.iter().map(|rule| if let RuleAction::Cap(most) = rule.action { Some(most) } else { None })
    }

    /// The row that a rule puts on `place`, and why; of the `left` places from there on, every pinned row gets one.
    pub(super) fn due(&mut self, place: usize, left: usize) -> Option<(usize, Reason)> {
        let all_left = left <= self.pinned.len();
        let next = self.pinned.pop_if(|pinned| pinned.place <= place || all_left)?;
        self.claimed[next.row] = None;
        Some((next.row, Reason::rule(next.rule)))
    }

    /// Spreads that are added to a row.
    pub(super) fn boost(&self, row: usize) -> f32 {
        self.boosts[row].0
    }

    /// No row of the block has more added.
    pub(super) fn boost_max(&self, block: usize) -> f32 {
        self.boosts_max[block]
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rule behind most of a row's boost.
    pub(super) fn booster(&self, row: usize) -> Reason {
        Reason::rule(self.boosts[row].1)
    }

    pub(super) fn buried(&self, row: usize) -> Option<Reason> {
        self.buried[row].map(Reason::rule)
    }

    /// The rules with a cap that count the row, as bits.
    pub(super) fn capped(&self, row: usize) -> u32 {
        self.capped[row]
    }

    /// The rule that keeps the row for a later place.
    pub(super) fn claimed(&self, row: usize) -> Option<Reason> {
        self.claimed[row].map(Reason::rule)
    }
}

/// The rows that pass a filter; `None` when it cannot be read.
fn passing(filter: &str, pins: &[PinId], columns: &Columns) -> Option<Vec<usize>> {
    let filter = Filter::parse(filter).ok()?;
    let bound = filter.bind_roughly(columns).ok()?;
    Some((0..pins.len()).filter(|&row| bound.passes(pins[row])).collect())
}
