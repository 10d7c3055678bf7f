//! Who would get what, when, by which channel, and why not: a week, without sending anything.
//!
//! Pinners with something to send get a volume (the allocation); each of its notifications has its part of what is left
//! of the week, in which channel and moment are chosen, the best candidate first. Every candidate is planned or refused
//! by a reason, and counted once. The same arguments give the same plan with the same keys: who plans again after a
//! restart plans nothing twice, and what is planned or sent already counts in volumes and caps.

mod report;

pub use report::{Plan, Planned};

use crate::eligible::standing;
use crate::zone::{HOUR_MS, WEEK_MS};
use crate::{
    Allocation, Ask, ChannelKind, EligibilityParams, Key, Kind, NotifyError, NotifyParams, Opens, PinnerState, Refusal,
    Sent, ValueModel, Window, allocate_streamed, choose, eligible,
};
use domain::{PinId, Rng, hash64};
use rayon::prelude::*;

/// Moments that are tried for one notification.
const TRIES_MAX: usize = 12;
/// Most candidates of one pinner that are looked at: the best.
const CANDIDATES_MAX: usize = 64;

/// Something that could be sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The pinner's place among those given.
    pub pinner: usize,
    /// Its kind.
    pub kind: Kind,
    /// The pin that it is about.
    pub pin: PinId,
    /// How good it is for the pinner: higher ones go first.
    pub score: f32,
}

/// What a plan is made of.
#[derive(Clone, Copy)]
pub struct PlanInput<'a> {
    /// Parameters.
    pub params: &'a NotifyParams,
    /// When the week begins (ms, UTC).
    pub week_ms: u64,
    /// The moment from which on things are sent (ms, UTC).
    pub now_ms: u64,
    /// The pinners.
    pub pinners: &'a [PinnerState],
    /// What each of them was sent and opened; as long as `pinners`.
    pub opens: &'a [Opens],
    /// What all of them were sent and opened.
    pub all: &'a Opens,
    /// What sending is worth.
    pub model: &'a ValueModel,
    /// Features of the pinners, row by row.
    pub features: &'a [f32],
    /// What could be sent, in any order.
    pub candidates: &'a [Candidate],
}

/// Plans what is left of a week.
///
/// # Errors
/// [`NotifyError::Invalid`] where parameters are wrong or columns do not fit together.
pub fn plan(input: &PlanInput) -> Result<Plan, NotifyError> {
    input.params.validate()?;
    let PlanInput { params, pinners, features, model, candidates, .. } = *input;
    let width = model.features.len();
    let strange = candidates.iter().any(|candidate| candidate.pinner >= pinners.len());
    if input.opens.len() != pinners.len() || features.len() != pinners.len() * width || strange {
        let reason = format!("{} pinners need as many opens and rows of {width} features", pinners.len());
        return Err(NotifyError::invalid("plan", reason));
    }
    let theirs = by_pinner(pinners.len(), candidates);
    let sent: Vec<u8> = pinners.iter().map(|pinner| sent_since(pinner, input.week_ms)).collect();
    let budget = (params.plan.per_pinner * pinners.len() as f64) as u64;
    let budget = budget.saturating_sub(sent.iter().map(|&sent| u64::from(sent)).sum());
    let allocation = volumes(input, &theirs, &sent, budget)?;
    let days: Vec<Days> = (0..pinners.len())
        .into_par_iter()
        .map(|place| {
            let days = Days::new(input, place, sent[place], &allocation);
            days.with(&theirs[place], allocation.volumes[place])
        })
        .collect();
    Ok(told(input, budget, &allocation, days))
}

/// The places of each pinner's candidates, the best first; of equal ones the lower pin.
fn by_pinner(pinners: usize, candidates: &[Candidate]) -> Vec<Vec<usize>> {
    let mut theirs = vec![Vec::new(); pinners];
    candidates.iter().enumerate().for_each(|(place, candidate)| theirs[candidate.pinner].push(place));
    let worth =
        |place: usize| if candidates[place].score.is_nan() { f32::NEG_INFINITY } else { candidates[place].score };
    theirs.par_iter_mut().for_each(|places| {
        places.sort_by(|&a, &b| {
            worth(b).total_cmp(&worth(a)).then_with(|| (candidates[a].pin, a).cmp(&(candidates[b].pin, b)))
        });
    });
    theirs
}

/// How many are planned or sent of this week.
fn sent_since(pinner: &PinnerState, week_ms: u64) -> u8 {
    let since = pinner.history.sent().iter().filter(|sent| sent.at_ms >= week_ms).count();
    since.min(usize::from(u8::MAX)) as u8
}

/// Volumes beyond what was sent, for pinners who may get something at all.
fn volumes(input: &PlanInput, theirs: &[Vec<usize>], sent: &[u8], budget: u64) -> Result<Allocation, NotifyError> {
    let PlanInput { params, pinners, features, model, .. } = *input;
    let width = model.features.len();
    let most = params.plan.volume_max;
    let possible = |(place, (pinner, &sent)): (usize, (&PinnerState, &u8))| {
        let left = most.min(params.eligibility.week_max as u8).saturating_sub(sent);
        let open = theirs[place].iter().take(CANDIDATES_MAX).map(|&candidate| &input.candidates[candidate]);
        let open = open.filter(|candidate| barred(&params.eligibility, pinner, candidate).is_none());
        let mut pins: Vec<PinId> = open.map(|candidate| candidate.pin).collect();
        pins.sort_unstable();
        pins.dedup();
        pins.len().min(usize::from(left)) as u8
    };
    let possible: Vec<u8> = pinners.par_iter().zip(sent).enumerate().map(possible).collect();
    let columns = usize::from(most) + 1;
    let fill = |first: usize, rows: &mut [f32]| {
        for (row, pinner) in rows.chunks_exact_mut(columns).zip(first..) {
            model.row(&features[pinner * width..][..width], sent[pinner], row);
            row[usize::from(possible[pinner]) + 1..].fill(f32::NAN);
        }
    };
    allocate_streamed(pinners.len(), columns, budget, &fill)
}

/// The channels by which a candidate may go, at some moment.
fn channels(params: &EligibilityParams, pinner: &PinnerState, candidate: &Candidate) -> Vec<ChannelKind> {
    let asks = |&channel: &ChannelKind| standing(params, pinner, &ask(Key(0), candidate, channel)).is_ok();
    ChannelKind::ALL.into_iter().filter(asks).collect()
}

fn ask(key: Key, candidate: &Candidate, channel: ChannelKind) -> Ask {
    Ask { key, kind: candidate.kind, channel, pin: candidate.pin }
}

/// Why a candidate cannot go at any moment.
fn barred(params: &EligibilityParams, pinner: &PinnerState, candidate: &Candidate) -> Option<Refusal> {
    let refused = ChannelKind::ALL.map(|channel| standing(params, pinner, &ask(Key(0), candidate, channel)));
    if refused.iter().all(Result::is_err) {
        // The furthest that any channel came says most.
        return refused.into_iter().filter_map(Result::err).max();
    }
    let sent = pinner.history.sent().iter().any(|sent| sent.pin == candidate.pin);
    let seen = pinner.seen.binary_search(&candidate.pin).is_ok();
    sent.then_some(Refusal::AlreadySent).or(seen.then_some(Refusal::AlreadySeen))
}

/// One pinner's week while it is planned.
struct Days<'a> {
    input: &'a PlanInput<'a>,
    place: usize,
    /// What is known of the pinner, with what is planned here.
    pinner: PinnerState,
    rng: Rng,
    value: f64,
    uplift: f64,
    volume: u8,
    threshold: f32,
    planned: Vec<Planned>,
    refused: Vec<Refusal>,
}

impl<'a> Days<'a> {
    fn new(input: &'a PlanInput<'a>, place: usize, sent: u8, allocation: &Allocation) -> Days<'a> {
        let PlanInput { params, pinners, features, model, .. } = *input;
        let width = model.features.len();
        let own = &features[place * width..][..width];
        let more = allocation.volumes[place];
        let volume = sent.saturating_add(more);
        let value = model.returns(own, volume).value;
        let uplift = (value - model.returns(own, sent).value) / f64::from(more.max(1));
        // Not by place: who is given beside a pinner changes nothing for them.
        let name = pinners[place].id.bytes().fold(0, |hash, byte| hash64(hash ^ u64::from(byte)));
        let rng = Rng::new(hash64(params.plan.seed ^ hash64(input.week_ms)) ^ name);
        let (pinner, threshold) = (pinners[place].clone(), allocation.threshold);
        Days { input, place, pinner, rng, value, uplift, volume, threshold, planned: Vec::new(), refused: Vec::new() }
    }

    /// Gives each of `volume` parts of the week its best candidate.
    fn with(mut self, places: &[usize], volume: u8) -> Days<'a> {
        let mut open: Vec<usize> = Vec::new();
        for &place in places.iter().take(CANDIDATES_MAX) {
            match barred(&self.input.params.eligibility, &self.pinner, &self.input.candidates[place]) {
                Some(refusal) => self.refused.push(refusal),
                None => open.push(place),
            }
        }
        let (from_ms, until_ms) = (self.input.now_ms.max(self.input.week_ms), self.input.week_ms + WEEK_MS);
        let left_ms = until_ms.saturating_sub(from_ms);
        let mut unplaced = 0;
        for part in 0..u64::from(volume) {
            let from = from_ms + left_ms * part / u64::from(volume);
            let until = from_ms + left_ms * (part + 1) / u64::from(volume);
            match open.iter().position(|&place| self.place(place, from, until)) {
                Some(at) => {
                    open.remove(at);
                }
                None => unplaced += 1,
            }
        }
        let reason = |at: usize| if at < unplaced { Refusal::NoMoment } else { Refusal::NotWorthIt };
        self.refused.extend((0..open.len()).map(reason));
        self.refused.extend(places.iter().skip(CANDIDATES_MAX).map(|_| Refusal::NotWorthIt));
        self
    }

    /// Plans a candidate for a moment of a part of the week; false where none fits.
    fn place(&mut self, place: usize, from_ms: u64, until_ms: u64) -> bool {
        let PlanInput { params, all, .. } = *self.input;
        let candidate = &self.input.candidates[place];
        let (own, guards) = (&self.input.opens[self.place], &params.eligibility);
        // Two candidates of one pin: the better one.
        if self.pinner.history.sent().iter().any(|sent| sent.pin == candidate.pin) {
            return false;
        }
        let channels = channels(guards, &self.pinner, candidate);
        let mut window = Window { zone: self.pinner.zone, quiet: guards.quiet, from_ms, until_ms };
        let kind = &guards.kinds[usize::from(candidate.kind.0)].name;
        for turn in 0..TRIES_MAX {
            // The last tries take the earliest moment rather than the best.
            let narrow = Window { until_ms: until_ms.min(window.from_ms + HOUR_MS), ..window };
            let tried = if turn < TRIES_MAX / 2 { &window } else { &narrow };
            let Some(choice) = choose(&params.choose, all, own, &channels, tried, &mut self.rng) else {
                window.from_ms += HOUR_MS;
                continue;
            };
            let key = Key::new(&self.pinner.id, kind, choice.at_ms);
            if eligible(guards, &self.pinner, &ask(key, candidate, choice.channel), choice.at_ms).is_err() {
                window.from_ms = choice.at_ms - choice.at_ms % HOUR_MS + HOUR_MS;
                continue;
            }
            self.pinner.history.record(Sent { key, kind: candidate.kind, pin: candidate.pin, at_ms: choice.at_ms });
            self.planned.push(Planned {
                candidate: place,
                pinner: self.pinner.id.clone(),
                key,
                kind: kind.clone(),
                pin: candidate.pin.0,
                channel: choice.channel,
                at_ms: choice.at_ms,
                volume: self.volume,
                value: self.value,
                uplift: self.uplift,
                threshold: self.threshold,
                open_rate: choice.open_rate,
            });
            return true;
        }
        false
    }
}

/// Puts the pinners' weeks together.
fn told(input: &PlanInput, budget: u64, allocation: &Allocation, days: Vec<Days>) -> Plan {
    let mut plan = Plan {
        week_ms: input.week_ms,
        pinners: input.pinners.len(),
        candidates: input.candidates.len(),
        budget,
        allocated: allocation.sends,
        threshold: allocation.threshold,
        value: allocation.value,
        baseline: allocation.baseline,
        bound: allocation.bound,
        ..Plan::default()
    };
    for days in days {
        let volume = days.planned.len();
        plan.by_volume.resize(plan.by_volume.len().max(volume + 1), 0);
        plan.by_volume[volume] += 1;
        days.planned.iter().for_each(|planned| *plan.by_channel.entry(planned.channel).or_default() += 1);
        days.refused.into_iter().for_each(|refusal| *plan.refused.entry(refusal).or_default() += 1);
        plan.planned.extend(days.planned);
    }
    plan.planned.sort_by_key(|planned| (planned.at_ms, planned.key));
    plan
}

#[cfg(test)]
mod tests;
