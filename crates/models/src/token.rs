//! Tokens: what the trunk reads. Built here, from the same acts, for training and for serving.

use domain::{Act, Action, PinId, Surface};

/// Buckets of dwell time.
pub(crate) const DWELLS: usize = 8;
/// Buckets of the time between two actions.
pub(crate) const GAPS: usize = 12;
/// Buckets of the distance between two positions.
pub const DISTANCES: usize = 10;
/// One-hot facts of a history token: action, surface, dwell, gap.
pub const TOKEN_FACTS: usize = Action::ALL.len() + Surface::ALL.len() + DWELLS + GAPS;
/// One-hot facts of a condition token: surface, kind, gap, reach.
pub const CONDITION_FACTS: usize = Surface::ALL.len() + SubjectKind::COUNT + GAPS + Reach::COUNT;

/// One action of the history, newest last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token<'a> {
    /// The pin acted on.
    pub pin: PinId,
    /// Its content vector; empty when there is none.
    pub content: &'a [f32],
    /// What was done.
    pub action: Action,
    /// Where.
    pub surface: Surface,
    /// Bucket of the dwell time, `0..DWELLS`.
    pub dwell: u8,
    /// Bucket of the time since the action before, `0..GAPS`.
    pub gap: u8,
}

/// What a question is about besides the pinner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)] // the variants are the vocabulary itself
pub enum SubjectKind {
    None,
    Pin,
    Board,
    Query,
    Topic,
}

impl SubjectKind {
    /// How many kinds there are.
    pub const COUNT: usize = 5;
}

/// How far into the future is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reach {
    /// What comes next: for an answer that is shown now.
    Next,
    /// Much of what comes later (dense all-action: Pancha et al., KDD 2022): for a vector that will be used for long.
    Later,
}

impl Reach {
    /// How many there are.
    pub const COUNT: usize = 2;
}

/// What is asked: the last token that the trunk reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition<'a> {
    /// Where the answer will be shown.
    pub surface: Surface,
    /// What it is about.
    pub kind: SubjectKind,
    /// The subject pin, pins of the subject board, or the pinner's latest pins of the topic; empty for other kinds.
    pub pins: &'a [PinId],
    /// Content of the subject: the pin's, that of all these pins ([`mean_content`]), the query's; empty when there is
    /// none.
    pub content: &'a [f32],
    /// Bucket of the time since the newest action, see [`gap_bucket`].
    pub gap: u8,
    /// Whether the answer is what comes next or what comes later.
    pub reach: Reach,
}

impl Condition<'static> {
    /// The home feed's condition; `newest_ms` is the time of the newest action, if there is one.
    pub fn home(newest_ms: Option<u64>, now_ms: u64, reach: Reach) -> Condition<'static> {
        let gap = newest_ms.map_or(0, |newest| gap_bucket(newest, now_ms));
        Condition { surface: Surface::Home, kind: SubjectKind::None, pins: &[], content: &[], gap, reach }
    }
}

/// The content of several pins: their mean at unit length, of those that have one; empty when none has, or when they
/// cancel out.
pub fn mean_content<C: AsRef<[f32]>>(contents: impl IntoIterator<Item = C>) -> Vec<f32> {
    let mut sum: Vec<f32> = Vec::new();
    for content in contents {
        let content = content.as_ref();
        if sum.is_empty() {
            sum = content.to_vec();
        } else {
            sum.iter_mut().zip(content).for_each(|(sum, value)| *sum += value);
        }
    }
    let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length < 1e-6 {
        return Vec::new();
    }
    sum.iter_mut().for_each(|value| *value /= length);
    sum
}

/// The newest `history_max` positive acts as tokens, newest last. `content` gives a pin's vector, empty when there is
/// none.
pub fn tokens<'a>(acts: &[Act], history_max: usize, content: impl Fn(PinId) -> &'a [f32]) -> Vec<Token<'a>> {
    let positive: Vec<&Act> = acts.iter().filter(|act| act.action.is_positive()).collect();
    let start = positive.len().saturating_sub(history_max);
    let mut before = start.checked_sub(1).map(|i| positive[i].ts_ms);
    let mut tokens = Vec::with_capacity(positive.len() - start);
    for act in &positive[start..] {
        tokens.push(token(act, before, content(act.pin)));
        before = Some(act.ts_ms);
    }
    tokens
}

/// One act as a token; `before_ms` is the time of the act before it.
pub fn token<'a>(act: &Act, before_ms: Option<u64>, content: &'a [f32]) -> Token<'a> {
    Token {
        pin: act.pin,
        content,
        action: act.action,
        surface: act.surface,
        dwell: dwell_bucket(act.value),
        gap: before_ms.map_or(0, |before| gap_bucket(before, act.ts_ms)),
    }
}

impl Token<'_> {
    /// The rows of the fact table that this token adds.
    pub fn facts(&self) -> [usize; 4] {
        let surface = Action::ALL.len() + usize::from(self.surface.code());
        let dwell = Action::ALL.len() + Surface::ALL.len() + usize::from(self.dwell).min(DWELLS - 1);
        let gap = Action::ALL.len() + Surface::ALL.len() + DWELLS + usize::from(self.gap).min(GAPS - 1);
        [usize::from(self.action.code()), surface, dwell, gap]
    }
}

impl Condition<'_> {
    /// The rows of the condition's fact table that this condition adds.
    pub fn facts(&self) -> [usize; 4] {
        let gaps = Surface::ALL.len() + SubjectKind::COUNT;
        let gap = gaps + usize::from(self.gap).min(GAPS - 1);
        [
            usize::from(self.surface.code()),
            Surface::ALL.len() + self.kind as usize,
            gap,
            gaps + GAPS + self.reach as usize,
        ]
    }
}

/// Bucket of a dwell time in ms: 0 when unknown, then steps of a factor of e from 1 s.
pub(crate) fn dwell_bucket(dwell_ms: f32) -> u8 {
    if dwell_ms.is_nan() || dwell_ms <= 0.0 {
        return 0;
    }
    1 + (dwell_ms / 1_000.0).max(1.0).ln().min((DWELLS - 2) as f32) as u8
}

/// Bucket of the time between two moments (ms): 0 when they tie (their order says nothing), then from under a minute to
/// over half a year.
pub fn gap_bucket(before_ms: u64, after_ms: u64) -> u8 {
    const MINUTE: u64 = 60_000;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    const EDGES: [u64; GAPS - 2] =
        [MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 28 * DAY, 90 * DAY, 180 * DAY];
    match after_ms.saturating_sub(before_ms) {
        0 => 0,
        gap => 1 + EDGES.iter().filter(|&&edge| gap >= edge).count() as u8,
    }
}

/// Bucket of a distance in positions: 0, 1, 2, 3-4, 5-8, … , over 128.
pub fn distance_bucket(distance: usize) -> usize {
    match distance {
        0 => 0,
        1 => 1,
        _ => (2 + (distance - 1).ilog2() as usize).min(DISTANCES - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(pin: u32, action: Action, ts_ms: u64) -> Act {
        Act { pin: PinId(pin), board: None, action, surface: Surface::Home, ts_ms, value: 0.0 }
    }

    #[test]
    fn the_newest_positive_acts_become_tokens() {
        let acts = [
            act(1, Action::Save, 0),
            act(2, Action::Impression, 5),
            act(3, Action::Click, 30_000),
            act(4, Action::Save, 30_000),
        ];
        let tokens = tokens(&acts, 2, |_| &[]);
        assert_eq!(tokens.iter().map(|token| token.pin.0).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(
            tokens.iter().map(|token| token.gap).collect::<Vec<_>>(),
            [1, 0],
            "the gap to an act cut off counts"
        );
    }

    #[test]
    fn buckets_stay_inside_their_tables() {
        for value in [f32::NAN, -1.0, 0.0, 1.0, 1e9, f32::INFINITY] {
            assert!(usize::from(dwell_bucket(value)) < DWELLS, "{value}");
        }
        for gap in [0, 1, 60_000, u64::MAX] {
            assert!(usize::from(gap_bucket(0, gap)) < GAPS, "{gap}");
        }
        let buckets: Vec<usize> = [0, 1, 2, 3, 4, 5, 8, 9, 128, 129, 1_000_000].map(distance_bucket).to_vec();
        assert_eq!(buckets, [0, 1, 2, 3, 3, 4, 4, 5, 8, 9, 9]);
    }
}
