//! The published protocol for sequences: everything but the last pin is known, the last pin is looked for.

use super::cases::{Case, Past};
use crate::import::{self, Withheld};
use crate::learn::Acts;
use clap::ValueEnum;
use domain::{Act, Action, PinId, Surface};
use serving::Catalogue;

/// Which withheld pin is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// The last one; the second last is known then.
    #[default]
    Test,
    /// The second last one.
    Validation,
}

impl Target {
    /// In words, for the protocol.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Target::Test => "the last pin",
            Target::Validation => "the second last pin",
        }
    }
}

/// A case for each sequence that pins were withheld from, and of how many the log tells the pin that is looked for.
pub(crate) fn sequence_cases(
    rows: &[Withheld],
    target: Target,
    acts: &Acts,
    catalogue: &Catalogue,
) -> (Vec<Case>, usize) {
    let case = |row: &Withheld| {
        let pinner = catalogue.pinner(&row.pinner);
        let (right, between) = match target {
            Target::Test => (&row.test, Some(&row.validation)),
            Target::Validation => (&row.validation, None),
        };
        let done = pinner.and_then(|pinner| acts.by_pinner.get(pinner.index()));
        let done = done.into_iter().flatten().filter(|act| act.ts_ms < right.ts_ms).copied();
        let acts = done.chain(between.and_then(|target| save(target, catalogue))).collect();
        let right_pin = catalogue.pin(&right.pin).unwrap_or(PinId(u32::MAX));
        let past = Some(Past { acts, now_ms: right.ts_ms });
        Case { pinner, key: row.pinner.clone(), right: vec![right_pin], past }
    };
    let cases: Vec<Case> = rows.iter().map(case).collect();
    let told = |case: &&Case| {
        let done = case.pinner.and_then(|pinner| acts.by_pinner.get(pinner.index()));
        done.into_iter().flatten().any(|act| case.right.contains(&act.pin))
    };
    let told = cases.iter().filter(told).count();
    (cases, told)
}

/// The save of a pin that is not in the log.
fn save(target: &import::Target, catalogue: &Catalogue) -> Option<Act> {
    let pin = catalogue.pin(&target.pin)?;
    let (action, surface) = (Action::Save, Surface::Home);
    Some(Act { pin, board: None, action, surface, ts_ms: target.ts_ms, value: 0.0 })
}
