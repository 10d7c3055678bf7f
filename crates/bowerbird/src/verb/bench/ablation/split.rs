//! What a model is told, and who is asked for what.

use super::Args;
use super::tables::Table;
use crate::engine::{Reading, tell};
use crate::evaluate::{Target, sample, sequence_cases};
use crate::import::{WITHHELD, read_withheld};
use crate::learn::{Acts, WasShown, dataset, read_acts};
use crate::moment::readable;
use crate::setup::Setup;
use ::train::{Asked, Dataset, holdout_row};
use anyhow::{Context, Result, ensure};
use domain::{Act, Fact, PinId, PinnerId, hash64};
use models::Reach;
use serving::Views;
use std::collections::HashSet;

/// Where neither times nor an order part the acts, this share of each pinner's pins is looked for.
const SHARE: f64 = 0.2;
/// The part of all pins that nobody is told about, for the table of fresh pins.
const FRESH: f64 = 0.1;
/// Seed of what is drawn here.
const SEED: u64 = 42;
const DAY_MS: u64 = 24 * 3_600_000;

/// How acts are parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// At a moment (ms, UTC).
    Time(u64),
    /// The last pin of each sequence.
    Order,
    /// By chance.
    Chance,
}

/// One pinner.
pub(super) struct Case {
    /// What they had done, newest last.
    before: Vec<Act>,
    asked_ms: u64,
    known: Vec<PinId>,
    /// What is looked for, sorted.
    pub(super) right: Vec<PinId>,
}

/// What a model is told, and who is asked.
pub(super) struct Halves {
    pub(super) data: Dataset,
    pub(super) cases: Vec<Case>,
    pub(super) way: Way,
    fresh: bool,
}

/// What is not told: acts from a moment on, drawn ones, and all on pins that are kept fresh.
struct Untold {
    way: Way,
    drawn: HashSet<(PinnerId, PinId)>,
    fresh: bool,
}

/// Parts what the data directory holds.
pub(super) fn halves(table: Table, args: &Args, setup: &Setup) -> Result<Halves> {
    let reading = Reading::open(setup)?;
    let acts = read_acts(reading.log.as_ref(), &reading.views.catalogue(), &setup.stop)?;
    let sequences = setup.folder(WITHHELD).exists();
    let way = match acts.split_ms(args.later) {
        _ if sequences => Way::Order,
        Some(from_ms) => Way::Time(from_ms),
        None => Way::Chance,
    };
    ensure!(way != Way::Chance || table != Table::Targets, "nothing here tells what came next: it needs times");
    let untold = Untold::of(way, table == Table::Fresh, &acts);
    let views = untold.views(&reading, setup)?;
    let told = untold.told(&acts);
    let data = dataset(&views, &told, WasShown::default(), u64::MAX, &setup.config.train)?;
    ensure!(table != Table::Fresh || data.content_dim > 0, "no pin has contents: nothing is known of fresh ones");
    let mut cases = match (way, untold.fresh) {
        (Way::Order, false) => last_pins(&reading, &acts, setup)?,
        _ => untold.cases(&acts, &told),
    };
    if table == Table::Targets {
        let oldest = ages(way).last().copied().unwrap_or_default();
        cases.retain(|case| !case.at(oldest, Reach::Later, way).before.is_empty());
    }
    ensure!(!cases.is_empty(), "there is nobody to ask for: nothing was held out");
    let cases = sample(cases, args.pinners, SEED);
    Ok(Halves { data, cases, way, fresh: untold.fresh })
}

fn ages(way: Way) -> Vec<u64> {
    match way {
        Way::Time(_) => vec![0, 1, 3, 7],
        Way::Order => vec![0, 1, 2, 4],
        Way::Chance => vec![0],
    }
}

impl Untold {
    fn of(way: Way, fresh: bool, acts: &Acts) -> Untold {
        let mut drawn = HashSet::new();
        if way == Way::Chance && !fresh {
            for (pinner, own) in (0u32..).zip(&acts.by_pinner) {
                let pins: Vec<PinId> = own.iter().map(|act| act.pin).collect();
                let (_, held) = holdout_row(&pins, u64::from(pinner), SHARE, SEED);
                drawn.extend(held.into_iter().map(|pin| (PinnerId(pinner), pin)));
            }
        }
        Untold { way, drawn, fresh }
    }

    fn is_fresh(&self, pin: PinId) -> bool {
        self.fresh && (hash64(SEED ^ hash64(u64::from(pin.0))) as f64 / u64::MAX as f64) < FRESH
    }

    fn tells(&self, pinner: PinnerId, pin: PinId, ts_ms: u64) -> bool {
        let later = matches!(self.way, Way::Time(from_ms) if ts_ms >= from_ms);
        !later && !self.is_fresh(pin) && !self.drawn.contains(&(pinner, pin))
    }

    fn told(&self, acts: &Acts) -> Acts {
        let own = |(pinner, own): (u32, &Vec<Act>)| {
            own.iter().filter(|act| self.tells(PinnerId(pinner), act.pin, act.ts_ms)).copied().collect()
        };
        Acts { by_pinner: (0..).zip(&acts.by_pinner).map(own).collect(), range_ms: acts.range_ms }
    }

    /// Views of what is told: neighbours know nothing of the rest.
    fn views(&self, reading: &Reading, setup: &Setup) -> Result<Views> {
        let views = Views::sealed(reading.log.as_ref()).context("cannot read the numbers of ids")?;
        let catalogue = reading.views.catalogue();
        let wanted = |fact: &Fact| {
            let Fact::Event(event) = fact else { return true };
            let pin = event.pin.as_deref().and_then(|pin| catalogue.pin(pin));
            catalogue.pinner(&event.pinner).zip(pin).is_none_or(|(pinner, pin)| self.tells(pinner, pin, event.ts_ms))
        };
        tell(&views, reading.log.as_ref(), &setup.stop, &wanted)?;
        Ok(views)
    }

    /// What was not told of each pinner of whom something was.
    fn cases(&self, acts: &Acts, told: &Acts) -> Vec<Case> {
        let case = |(own, told): (&Vec<Act>, &Vec<Act>)| {
            let before: Vec<Act> = told.iter().filter(|act| act.action.is_positive()).copied().collect();
            let last_ms = before.last()?.ts_ms;
            let (asked_ms, from_ms) = if let Way::Time(ms) = self.way { (ms, ms) } else { (last_ms, 0) };
            let told: HashSet<PinId> = told.iter().map(|act| act.pin).collect();
            let earlier = own.iter().filter(|act| act.ts_ms < from_ms).map(|act| act.pin);
            let known: HashSet<PinId> = told.iter().copied().chain(earlier).collect();
            let looked_for = |act: &&Act| act.action.is_positive() && (!self.fresh || self.is_fresh(act.pin));
            let right = own.iter().filter(looked_for).map(|act| act.pin).filter(|pin| !known.contains(pin));
            let mut right: Vec<PinId> = right.collect();
            right.sort_unstable();
            right.dedup();
            (!right.is_empty()).then(|| Case { before, asked_ms, known: known.into_iter().collect(), right })
        };
        acts.by_pinner.iter().zip(&told.by_pinner).filter_map(case).collect()
    }
}

/// The last pin of each sequence.
fn last_pins(reading: &Reading, acts: &Acts, setup: &Setup) -> Result<Vec<Case>> {
    let sequences = read_withheld(&setup.folder(WITHHELD))?;
    let (cases, _) = sequence_cases(&sequences.rows, Target::Test, acts, &reading.views.catalogue());
    let case = |case: crate::evaluate::Case| {
        let past = case.past?;
        let known = past.acts.iter().map(|act| act.pin).collect();
        Some(Case { before: past.acts, asked_ms: past.now_ms, known, right: case.right })
    };
    Ok(cases.into_iter().filter_map(case).filter(|case| !case.before.is_empty()).collect())
}

impl Case {
    /// The question as it was asked some days or acts before.
    fn at(&self, age: u64, reach: Reach, way: Way) -> Asked {
        let (before, asked_ms) = match way {
            _ if age == 0 => (&self.before[..], self.asked_ms),
            Way::Time(_) => {
                let asked_ms = self.asked_ms.saturating_sub(age * DAY_MS);
                (&self.before[..self.before.partition_point(|act| act.ts_ms < asked_ms)], asked_ms)
            }
            _ => {
                let place = self.before.len().saturating_sub(age as usize);
                (&self.before[..place], self.before.get(place).map_or(self.asked_ms, |act| act.ts_ms))
            }
        };
        Asked { before: before.to_vec(), asked_ms, known: self.known.clone(), reach }
    }
}

impl Halves {
    /// How old user vectors are, from new on: days or acts.
    pub(super) fn ages(&self) -> Vec<u64> {
        ages(self.way)
    }

    /// The questions of all cases, of an age.
    pub(super) fn asked(&self, age: u64, reach: Reach) -> Vec<Asked> {
        self.cases.iter().map(|case| case.at(age, reach, self.way)).collect()
    }

    /// What is looked for, in words.
    pub(super) fn protocol(&self, args: &Args) -> String {
        let what = match self.way {
            Way::Time(from_ms) => format!("what was done from {} UTC on ({} of all)", readable(from_ms), args.later),
            Way::Order => "the last pin of each sequence".to_owned(),
            Way::Chance => format!("{SHARE} of each pinner's pins, drawn"),
        };
        let what = match self.fresh {
            true => format!("a tenth of all pins, of which no act is told: {what}"),
            false => what,
        };
        format!("{what}; all pins ranked by user vector · pin vector, known ones left out, mean over pinners")
    }
}

impl Way {
    /// How old a user vector is, in words.
    pub(super) fn age(self, age: u64) -> String {
        let unit = if matches!(self, Way::Time(_)) { "day" } else { "act" };
        format!("{age} {unit}{} old", if age == 1 { "" } else { "s" })
    }
}
