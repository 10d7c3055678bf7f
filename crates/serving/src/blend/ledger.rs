//! Who overtook whom, and why: the moves of each row.

use super::spacing::Set;
use domain::{Move, Source};
use std::borrow::Cow;

/// Why a row was placed before one of higher utility: a place in [`NAMES`], or behind them a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reason(usize);

const NAMES: [&str; 14] = [
    "ssd",
    "spacing/creator",
    "spacing/topic",
    "spacing/near_duplicate",
    "spacing/source",
    "quota/retrieval",
    "quota/walks",
    "quota/text",
    "quota/content",
    "quota/fresh",
    "quota/popular",
    "quota/exploration",
    "fresh",
    "explore",
];

impl Reason {
    pub(super) const SSD: Reason = Reason(0);
    pub(super) const FRESH: Reason = Reason(12);
    pub(super) const EXPLORE: Reason = Reason(13);

    pub(super) fn spacing(set: Set) -> Reason {
        Reason(1 + set as usize)
    }

    pub(super) fn quota(source: Source) -> Reason {
        Reason(5 + source.index())
    }

    pub(super) fn rule(rule: usize) -> Reason {
        Reason(NAMES.len() + rule)
    }
}

/// Counts overtakings. Each has one reason, so that the places which a row won and lost add up to the way from its rank
/// by utility to its place.
pub(super) struct Ledger<'a> {
    /// Names of the rules.
    rules: Vec<&'a str>,
    /// Places won (or lost, below 0) by each row for each reason; `[row][reason]`.
    won: Vec<i32>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(rows: usize, rules: Vec<&'a str>) -> Ledger<'a> {
        let won = vec![0; rows * (NAMES.len() + rules.len())];
        Ledger { rules, won }
    }

    /// `row` is placed before `other`, whose utility is higher.
    pub(super) fn overtook(&mut self, row: usize, other: usize, why: Reason) {
        let reasons = self.reasons();
        self.won[row * reasons + why.0] += 1;
        self.won[other * reasons + why.0] -= 1;
    }

    /// The moves of a row from its rank to its place: what set it back first, then what brought it forward.
    pub(super) fn moves(&self, row: usize) -> Vec<Move> {
        let won = &self.won[row * self.reasons()..][..self.reasons()];
        let mut moves = Vec::new();
        let mut at = row as i32;
        for forward in [false, true] {
            for (reason, &won) in won.iter().enumerate().filter(|(_, won)| (**won > 0) == forward && **won != 0) {
                moves.push(Move { by: self.name(reason), from: place(at), to: place(at - won) });
                at -= won;
            }
        }
        moves
    }

    fn reasons(&self) -> usize {
        NAMES.len() + self.rules.len()
    }

    fn name(&self, reason: usize) -> Cow<'static, str> {
        match NAMES.get(reason) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(format!("rule/{}", self.rules[reason - NAMES.len()])),
        }
    }
}

fn place(at: i32) -> u16 {
    at.clamp(0, i32::from(u16::MAX)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_the_names_of_what_they_are_about() {
        let ledger = Ledger::new(0, vec!["spring"]);
        let name = |reason: Reason| ledger.name(reason.0);
        for source in Source::ALL {
            assert_eq!(name(Reason::quota(source)), format!("quota/{}", source.as_str()));
        }
        let sets = ["creator", "topic", "near_duplicate", "source"];
        for (set, word) in Set::ALL.into_iter().zip(sets) {
            assert_eq!(name(Reason::spacing(set)), format!("spacing/{word}"));
        }
        let others = [Reason::SSD, Reason::FRESH, Reason::EXPLORE, Reason::rule(0)].map(name);
        assert_eq!(others, ["ssd", "fresh", "explore", "rule/spring"]);
    }

    #[test]
    fn moves_follow_each_other() {
        let mut ledger = Ledger::new(9, Vec::new());
        [7, 8].into_iter().for_each(|row| ledger.overtook(row, 4, Reason::EXPLORE));
        [0, 1, 2].into_iter().for_each(|other| ledger.overtook(4, other, Reason::SSD));
        let told: Vec<(String, u16, u16)> =
            ledger.moves(4).into_iter().map(|moved| (moved.by.into_owned(), moved.from, moved.to)).collect();
        assert_eq!(told, [("explore".to_owned(), 4, 6), ("ssd".to_owned(), 6, 3)]);
    }
}
