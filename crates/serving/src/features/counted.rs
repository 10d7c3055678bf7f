//! Features of counts: what happened to pins, their creators and topics, and what the pinner has to do with them.

use super::lifts::Base;
use super::logarithm::ln_1p;
use super::{Row, gap, ln_days};
use crate::catalogue::Catalogue;
use crate::context::Context;
use crate::tastes::Own;
use crate::views::read;
use domain::{Action, HEAD_COUNT, HEADS, PinId, Subject};
use models::feature;
use signals::{Horizon, Signals, Tally, query_key};
use std::collections::HashMap;

/// Impressions with which a pinner is believed to act as everybody does.
const PINNER_BELIEF: f32 = 20.0;

/// Pins whose counters are read before they are computed with.
const BLOCK: usize = 64;

/// Impressions, look and lifts of a tally, or share, impressions and lifts of a pinner's own: features side by side.
type Block = [f32; 2 + HEAD_COUNT];

const PINNER: usize = feature("pinner_impressions");
const CREATOR: usize = feature("creator_impressions");
const OWN_CREATOR: usize = feature("creator_known");
const TOPIC: usize = feature("topic_impressions");
const OWN_TOPIC: usize = feature("topic_known");
const PIN: usize = feature("pin_save");
/// Lifts within the week are those of the first heads.
const PIN_WEEK: std::ops::Range<usize> = feature("pin_week_save")..feature("pin_week_long_click") + 1;

pub(super) fn fill_counted(rows: &mut [Row], context: &Context, pins: &[PinId]) {
    const DAYS: usize = feature("ln_pinner_days");
    const AGE: usize = feature("ln_age_days");
    const SEEN: usize = feature("ln_seen");
    let now_ms = context.request.now_ms;
    let catalogue = read(&context.views.catalogue);
    let signals = read(&context.views.signals);
    let mut counted = Counted::new(context, &signals);
    let subject = Subjects::of(context, &catalogue);
    let (mut pinner, mut days, mut seen) = (Block::default(), 0.0, 0.0);
    if let Some(id) = context.known_pinner() {
        seen = signals.known(id).1 as f32;
        pinner = counted.pinner(&signals.pinner(id, now_ms), seen);
        days = catalogue.pinner_view(id).map_or(0.0, |view| ln_days(now_ms, view.created_ms));
    }
    // One short loop a column, so that the processor waits for many pins at once.
    for values in rows.iter_mut() {
        values[DAYS] = days;
        values[SEEN] = ln_1p(seen);
        put(values, PINNER, &pinner);
    }
    for (rows, pins) in rows.chunks_mut(BLOCK).zip(pins.chunks(BLOCK)) {
        let tallies: Vec<Tally> = pins.iter().map(|&pin| signals.pin(pin, now_ms)).collect();
        for ((values, &pin), tally) in rows.iter_mut().zip(pins).zip(&tallies) {
            counted.pin(pin, tally, values);
        }
    }
    let known = pins.iter().map(|&pin| catalogue.row(pin).map(|row| (row.created_ms(), row.creator(), row.topics())));
    let known: Vec<_> = known.collect();
    for (values, row) in rows.iter_mut().zip(known) {
        let Some((created_ms, creator, topics)) = row else { continue };
        values[AGE] = ln_days(now_ms, created_ms);
        if let Some(creator) = creator {
            counted.creator(creator, values);
            values[const { feature("subject_creator") }] = subject.creator(creator);
        }
        counted.topics(topics, values);
        values[const { feature("subject_topic") }] = subject.topic(topics);
    }
}

fn put(values: &mut Row, at: usize, block: &Block) {
    values[at..at + block.len()].copy_from_slice(block);
}

/// What the pins of a request's subject have in common: the share that has each creator and each topic.
#[derive(Default)]
struct Subjects {
    creators: HashMap<u32, f32>,
    topics: HashMap<u32, f32>,
}

impl Subjects {
    fn of(context: &Context, catalogue: &Catalogue) -> Subjects {
        let mut subjects = Subjects::default();
        let pins = &context.subject_pins;
        let share = 1.0 / pins.len().max(1) as f32;
        for row in pins.iter().filter_map(|&pin| catalogue.row(pin)) {
            row.creator().iter().for_each(|&creator| *subjects.creators.entry(creator).or_default() += share);
            row.topics().iter().for_each(|&topic| *subjects.topics.entry(topic).or_default() += share);
        }
        subjects
    }

    fn creator(&self, creator: u32) -> f32 {
        self.creators.get(&creator).copied().unwrap_or(0.0)
    }

    fn topic(&self, topics: &[u32]) -> f32 {
        topics.iter().filter_map(|topic| self.topics.get(topic)).copied().fold(0.0, f32::max)
    }
}

/// The counters for the candidates of one request; each creator and each topic is looked up once.
struct Counted<'a> {
    context: &'a Context,
    signals: &'a Signals,
    now_ms: u64,
    base: Base,
    /// What the pinner does for an impression.
    own_rates: [f32; HEAD_COUNT],
    query: Option<u64>,
    creators: HashMap<u32, [Block; 2]>,
    topics: HashMap<u32, [Block; 2]>,
}

impl<'a> Counted<'a> {
    fn new(context: &'a Context, signals: &'a Signals) -> Counted<'a> {
        let (request, own) = (&context.request, &context.tastes.all);
        let base = Base::new(signals, request.now_ms);
        let rates = base.rates(request.surface);
        let rate = |head: usize| (own.acts[head] + PINNER_BELIEF * rates[head]) / (own.shown + PINNER_BELIEF);
        let query = match &request.subject {
            Subject::Query(words) => Some(query_key(words)),
            _ => None,
        };
        let own_rates = std::array::from_fn(rate);
        let (creators, topics) = Default::default();
        Counted { context, signals, now_ms: request.now_ms, base, own_rates, query, creators, topics }
    }

    fn block(&self, tally: &Tally) -> Block {
        let mut block = Block::default();
        block[0] = ln_1p(tally.impressions(Horizon::Ever));
        block[1] = self.base.look(tally);
        block[2..].copy_from_slice(&self.base.lifts(tally, Horizon::Ever));
        block
    }

    /// The pinner's. What they acted on but were never shown, as far as was recorded, lies among what they were shown:
    /// else who acted much long ago would seem to act at every impression.
    fn pinner(&self, tally: &Tally, seen: f32) -> Block {
        let mut block = self.block(tally);
        let times = seen / tally.impressions(Horizon::Ever);
        if times.is_finite() && times > 1.0 {
            block[2..].copy_from_slice(&self.base.lifts_of(tally, Horizon::Ever, times));
        }
        block
    }

    fn own_block(&self, own: &Own) -> Block {
        let mut block = Block::default();
        (block[0], block[1]) = (own.share, ln_1p(own.shown));
        for (head, to) in block[2..].iter_mut().enumerate() {
            *to = self.base.lift(head, own.acts[head], own.shown * self.own_rates[head]);
        }
        block
    }

    fn pin(&self, pin: PinId, tally: &Tally, values: &mut Row) {
        values[const { feature("ln_saves") }] = ln_1p(tally.count(Action::Save, Horizon::Ever));
        values[const { feature("ln_saves_week") }] = ln_1p(tally.count(Action::Save, Horizon::Week));
        values[const { feature("ln_impressions") }] = ln_1p(tally.impressions(Horizon::Ever));
        values[const { feature("ln_impressions_week") }] = ln_1p(tally.impressions(Horizon::Week));
        values[const { feature("pin_look") }] = self.base.look(tally);
        values[PIN..PIN + HEAD_COUNT].copy_from_slice(&self.base.lifts(tally, Horizon::Ever));
        values[PIN_WEEK].copy_from_slice(&self.base.lifts(tally, Horizon::Week)[..PIN_WEEK.len()]);
        let own = self.context.tastes.pin(pin);
        values[const { feature("pin_shown") }] = own.map_or(0.0, |(times, _)| ln_1p(times));
        values[const { feature("pin_gap") }] = gap(self.now_ms, own.map(|(_, last_ms)| last_ms));
        if let Some(query) = self.query {
            let tally = self.signals.query_pin(query, pin, self.now_ms);
            let liked = HEADS.iter().filter(|head| head.is_positive());
            let acts: f32 = liked.map(|&head| tally.count(head, Horizon::Ever)).sum();
            values[const { feature("query_impressions") }] = ln_1p(tally.impressions(Horizon::Ever));
            values[const { feature("query_acts") }] = ln_1p(acts);
        }
    }

    fn creator(&mut self, creator: u32, values: &mut Row) {
        if !self.creators.contains_key(&creator) {
            let all = self.block(&self.signals.creator(creator, self.now_ms));
            let own = self.own_block(&self.context.tastes.creator(creator));
            self.creators.insert(creator, [all, own]);
        }
        let [all, own] = &self.creators[&creator];
        put(values, CREATOR, all);
        put(values, OWN_CREATOR, own);
    }

    /// The mean over the topics, since a sum would hear of the most frequent one only; of shares the best one, since
    /// those overlap.
    fn topics(&mut self, topics: &[u32], values: &mut Row) {
        let (mut all, mut own, mut share) = (Block::default(), Block::default(), 0.0f32);
        let part = 1.0 / topics.len().max(1) as f32;
        for topic in topics {
            if !self.topics.contains_key(topic) {
                let all = self.block(&self.signals.topic(*topic, self.now_ms));
                let own = self.own_block(&self.context.tastes.topic(*topic));
                self.topics.insert(*topic, [all, own]);
            }
            let [of_all, of_own] = &self.topics[topic];
            all.iter_mut().zip(of_all).for_each(|(all, value)| *all += part * value);
            own.iter_mut().zip(of_own).for_each(|(own, value)| *own += part * value);
            share = share.max(of_own[0]);
        }
        own[0] = share;
        put(values, TOPIC, &all);
        put(values, OWN_TOPIC, &own);
    }
}
