//! What a pinner has to do with creators, topics and pins, by their own acts and impressions.

use crate::catalogue::Catalogue;
use domain::{Act, HEAD_COUNT, HEADS, PinId};
use signals::{SHOWN_MAX, Shown};
use std::collections::HashMap;

/// How long a session looks back.
const SESSION_S: u64 = 30 * 60;

/// What a pinner was shown of something, and what they did to it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Own {
    /// Share of the history.
    pub(crate) share: f32,
    /// Impressions of late.
    pub(crate) shown: f32,
    /// Acts of each head since the first of these impressions.
    pub(crate) acts: [f32; HEAD_COUNT],
}

/// A pinner's acts and impressions, summed up for one request. Bounded as they are: what lies further back does not
/// count.
#[derive(Debug, Default)]
pub(crate) struct Tastes {
    pub(crate) all: Own,
    creators: HashMap<u32, Own>,
    topics: HashMap<u32, Own>,
    /// Per pin how often it was shown and when last (seconds).
    pins: HashMap<PinId, (f32, u32)>,
    /// When the pinner was last shown something (ms).
    pub(crate) shown_ms: Option<u64>,
    /// Impressions of the session.
    pub(crate) session: f32,
}

impl Tastes {
    /// Sums up positive acts, negative acts and impressions, each in order of time.
    pub(crate) fn of(
        catalogue: &Catalogue,
        history: &[Act],
        negatives: &[Act],
        shown: &[Shown],
        now_ms: u64,
    ) -> Tastes {
        let mut tastes = Tastes::default();
        let share = 1.0 / history.len().max(1) as f32;
        history.iter().for_each(|act| tastes.each(catalogue, act.pin, |own| own.share += share));
        // A full list of impressions has lost older ones, so acts on those do not count either.
        let since_s = if shown.len() < SHOWN_MAX { 0 } else { u64::from(shown[0].at_s) };
        for act in history.iter().chain(negatives).filter(|act| act.ts_ms / 1_000 >= since_s) {
            let Some(head) = HEADS.iter().position(|head| *head == act.action) else { continue };
            tastes.each(catalogue, act.pin, |own| own.acts[head] += 1.0);
        }
        for shown in shown {
            tastes.each(catalogue, shown.pin, |own| own.shown += 1.0);
            let (times, last_s) = tastes.pins.entry(shown.pin).or_default();
            (*times, *last_s) = (*times + 1.0, shown.at_s);
        }
        tastes.shown_ms = shown.last().map(|shown| u64::from(shown.at_s) * 1_000);
        let session_s = (now_ms / 1_000).saturating_sub(SESSION_S);
        tastes.session = shown.iter().rev().take_while(|shown| u64::from(shown.at_s) >= session_s).count() as f32;
        tastes
    }

    fn each(&mut self, catalogue: &Catalogue, pin: PinId, mut count: impl FnMut(&mut Own)) {
        count(&mut self.all);
        let Some(row) = catalogue.row(pin) else { return };
        row.creator().iter().for_each(|&creator| count(self.creators.entry(creator).or_default()));
        row.topics().iter().for_each(|&topic| count(self.topics.entry(topic).or_default()));
    }

    pub(crate) fn creator(&self, creator: u32) -> Own {
        self.creators.get(&creator).copied().unwrap_or_default()
    }

    pub(crate) fn topic(&self, topic: u32) -> Own {
        self.topics.get(&topic).copied().unwrap_or_default()
    }

    /// How often the pin was shown to the pinner, and when last (ms).
    pub(crate) fn pin(&self, pin: PinId) -> Option<(f32, u64)> {
        self.pins.get(&pin).map(|&(times, last_s)| (times, u64::from(last_s) * 1_000))
    }
}
