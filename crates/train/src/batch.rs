//! Examples: from what a pinner did to histories, questions and what came later.

use domain::{Act, HEAD_COUNT, HEADS, PinId, Rng, Surface};
use models::{Reach, SubjectKind, gap_bucket, mean_content};

use std::collections::HashSet;

use crate::{Dataset, History, Shown, TrainConfig};

/// Part of the questions that are asked later than they were: data that ends, or whose moments tie, holds no long
/// absence, but whoever is asked about it may come back at any time.
const LATER_SHARE: f32 = 0.15;

/// A question to the trunk and the pins that answer it.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// How many acts of the window came before.
    pub(crate) prefix: usize,
    pub(crate) surface: Surface,
    pub(crate) kind: SubjectKind,
    pub(crate) pins: Vec<PinId>,
    pub(crate) content: Vec<f32>,
    pub(crate) gap: u8,
    pub(crate) reach: Reach,
    /// Pins that answer, with their weights, which sum to one; none for a question that only has rows.
    pub(crate) targets: Vec<(PinId, f32)>,
    /// Pins that were shown for it, and per head 1 where it was done, not a number where nobody knows.
    pub(crate) rows: Vec<(PinId, [f32; HEAD_COUNT])>,
}

/// A window of one pinner's acts with questions at several places.
#[derive(Clone, Debug)]
pub(crate) struct Example {
    pub(crate) acts: Vec<Act>,
    pub(crate) before_ms: Option<u64>,
    pub(crate) questions: Vec<Question>,
    /// All pins the pinner ever acted on, sorted: never negatives.
    pub(crate) positives: Vec<PinId>,
}

/// Draws an example; none when there are fewer than two pins.
pub(crate) fn example(data: &Dataset, story: &History, config: &TrainConfig, rng: &mut Rng) -> Option<Example> {
    let mut positives: Vec<PinId> = story.acts.iter().map(|act| act.pin).collect();
    positives.sort_unstable();
    positives.dedup();
    if positives.len() < 2 {
        return None;
    }
    let acts = shuffle_ties(&story.acts, rng);
    // The last act has nothing after it: at most all but one are read.
    let readable = acts.len() - 1;
    let start = match readable.checked_sub(config.history_max) {
        Some(extra) if extra > 0 => rng.below(extra as u32 + 1) as usize,
        _ => 0,
    };
    let room = (readable - start).min(config.history_max);
    let mut questions = Vec::with_capacity(config.questions);
    for prefix in places(room, config, rng) {
        questions.extend(question(data, &acts, start, prefix, config, rng));
    }
    let read = questions.iter().map(|question: &Question| question.prefix).max()?;
    let before_ms = start.checked_sub(1).map(|i| acts[i].ts_ms);
    Some(Example { acts: acts[start..start + read].to_vec(), before_ms, questions, positives })
}

/// Draws an example of what a pinner was shown: a question per moment, with the pins shown then; none when they were
/// shown nothing.
pub(crate) fn shown(data: &Dataset, story: &History, config: &TrainConfig, rng: &mut Rng) -> Option<Example> {
    let groups: Vec<&[Shown]> = story.shown.chunk_by(|a, b| (a.ts_ms, a.surface) == (b.ts_ms, b.surface)).collect();
    let last = rng.below(groups.len() as u32) as usize;
    // Moments before the last one, and around the other end, so that each comes as often.
    let mut chosen: Vec<usize> =
        (0..groups.len().min(config.requests)).map(|i| (last + groups.len() - i) % groups.len()).collect();
    chosen.sort_unstable();
    let place = |group: usize| story.acts.partition_point(|act| act.ts_ms < groups[group][0].ts_ms);
    let end = place(*chosen.last()?);
    let start = end.saturating_sub(config.history_max);
    let question = |&group: &usize| {
        let (first, prefix) = (groups[group][0], place(group).checked_sub(start)?);
        let newest = (start + prefix).checked_sub(1).filter(|_| prefix > 0).map(|at| story.acts[at].ts_ms);
        let gap = newest.map_or(0, |newest| gap_bucket(newest, first.ts_ms));
        Some(Question {
            prefix,
            surface: first.surface,
            kind: SubjectKind::None,
            pins: Vec::new(),
            content: Vec::new(),
            gap,
            reach: Reach::Next,
            targets: Vec::new(),
            rows: groups[group].iter().map(|shown| (shown.pin, labels(data, shown))).collect(),
        })
    };
    let questions: Vec<Question> = chosen.iter().filter_map(question).collect();
    let before_ms = start.checked_sub(1).map(|i| story.acts[i].ts_ms);
    Some(Example { acts: story.acts[start..end].to_vec(), before_ms, questions, positives: Vec::new() })
}

fn labels(data: &Dataset, shown: &Shown) -> [f32; HEAD_COUNT] {
    std::array::from_fn(|head| match shown.ts_ms >= data.known_from_ms[head] {
        true => f32::from(u8::from(shown.done.has(HEADS[head]))),
        false => f32::NAN,
    })
}

/// After how many acts of the window questions stand: different places, as many as there are and are wanted.
fn places(room: usize, config: &TrainConfig, rng: &mut Rng) -> Vec<usize> {
    let low = ((config.prefix_min * room as f32) as usize).clamp(1, room);
    let mut places: Vec<usize> = (low..=room).collect();
    rng.shuffle(&mut places);
    places.truncate(config.questions);
    places
}

/// Acts of one moment carry no order: they are shuffled anew each time.
fn shuffle_ties(acts: &[Act], rng: &mut Rng) -> Vec<Act> {
    let mut acts = acts.to_vec();
    for tied in acts.chunk_by_mut(|a, b| a.ts_ms == b.ts_ms) {
        rng.shuffle(tied);
    }
    acts
}

fn question(
    data: &Dataset,
    acts: &[Act],
    start: usize,
    prefix: usize,
    config: &TrainConfig,
    rng: &mut Rng,
) -> Option<Question> {
    let (before, after) = acts.split_at(start + prefix);
    let before = &before[start..];
    let mut gap = gap_bucket(before.last()?.ts_ms, after.first()?.ts_ms);
    if rng.uniform() < LATER_SHARE {
        let longest = gap_bucket(0, u64::MAX);
        gap += rng.below(u32::from(longest - gap) + 1) as u8;
    }
    let mut question = Question {
        prefix,
        surface: Surface::Home,
        kind: SubjectKind::None,
        pins: Vec::new(),
        content: Vec::new(),
        gap,
        reach: if rng.uniform() < config.next_share { Reach::Next } else { Reach::Later },
        targets: Vec::new(),
        rows: Vec::new(),
    };
    let mut answers: Vec<Act> = after.to_vec();
    if rng.uniform() < config.subject_share {
        subject(data, before, &mut answers, &mut question, config, rng);
    }
    question.targets = targets(&answers, before, &question, config);
    (!question.targets.is_empty()).then_some(question)
}

/// The pins of the first answers that are new, with weights that fall with how much happened before them: answers of
/// one moment weigh alike. Who asks for what comes next gets those of the first such moment: all of them where all
/// answers tie. They sum to one.
fn targets(answers: &[Act], before: &[Act], question: &Question, config: &TrainConfig) -> Vec<(PinId, f32)> {
    let known: HashSet<PinId> = before.iter().map(|act| act.pin).chain(question.pins.iter().copied()).collect();
    let mut found: Vec<(PinId, f32)> = Vec::new();
    let (mut earlier, mut here) = (0.0f32, 0.0f32);
    let mut moment = None;
    for act in answers {
        if found.len() == config.targets_max {
            break;
        }
        if known.contains(&act.pin) || found.iter().any(|(pin, _)| *pin == act.pin) {
            continue;
        }
        if moment != Some(act.ts_ms) {
            if moment.is_some() && question.reach == Reach::Next {
                break;
            }
            (moment, earlier, here) = (Some(act.ts_ms), earlier + here, 0.0);
        }
        here += 1.0;
        found.push((act.pin, (1.0 + earlier).powf(-config.nearness)));
    }
    let total: f32 = found.iter().map(|(_, weight)| weight).sum();
    found.iter_mut().for_each(|(_, weight)| *weight /= total);
    found
}

/// Gives the question a subject (a later pin, a board, a topic, words) and keeps the answers that fit it.
fn subject(
    data: &Dataset,
    before: &[Act],
    answers: &mut Vec<Act>,
    question: &mut Question,
    config: &TrainConfig,
    rng: &mut Rng,
) {
    let chosen = answers[rng.below(answers.len() as u32) as usize];
    let content = data.content_of(chosen.pin);
    match rng.below(10) {
        0..4 => {
            question.surface = Surface::Related;
            question.kind = SubjectKind::Pin;
            question.pins = vec![chosen.pin];
            question.content = content.to_vec();
            if chosen.board.is_some() {
                answers.retain(|act| act.board == chosen.board);
            }
            // Half of related-pin questions come without a history: visitors from outside.
            if rng.below(2) == 0 {
                question.prefix = 0;
                question.gap = 0;
            }
        }
        4..7 => {
            let on_board = |act: &Act| act.board.is_some() && act.board == chosen.board;
            if about(data, before, answers, question, (SubjectKind::Board, config), on_board) {
                question.surface = Surface::Board;
            }
        }
        7..9 => {
            let topics = data.topics_of(chosen.pin);
            let Some(topic) = topics.get(rng.below(topics.len().max(1) as u32) as usize) else { return };
            let of_topic = |act: &Act| data.topics_of(act.pin).contains(topic);
            about(data, before, answers, question, (SubjectKind::Topic, config), of_topic);
        }
        // The model does not read words: a search is answered by taste, and what matches the words is the index's.
        _ => (question.surface, question.kind) = (Surface::Search, SubjectKind::Query),
    }
}

/// Asks about the latest pins of something, answered by later pins of it; unless nothing of it came before.
fn about(
    data: &Dataset,
    before: &[Act],
    answers: &mut Vec<Act>,
    question: &mut Question,
    (kind, config): (SubjectKind, &TrainConfig),
    is_of_it: impl Fn(&Act) -> bool,
) -> bool {
    let of_it: Vec<PinId> = before.iter().filter(|act| is_of_it(act)).map(|act| act.pin).collect();
    // Each once, where it was acted on last.
    let is_last = |(at, pin): &(usize, &PinId)| !of_it[at + 1..].contains(pin);
    let mut pins: Vec<PinId> = of_it.iter().enumerate().filter(is_last).map(|(_, pin)| *pin).collect();
    if pins.is_empty() {
        return false;
    }
    pins.drain(..pins.len().saturating_sub(config.neighbours_max));
    question.content = mean_content(pins.iter().map(|&pin| data.content_of(pin)).filter(|row| !row.is_empty()));
    (question.kind, question.pins) = (kind, pins);
    answers.retain(is_of_it);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Action, PinnerId};
    use std::collections::BTreeMap;

    fn questions(step_ms: u64, content_dim: usize) -> Vec<Question> {
        let save = |i: u32| {
            let ts_ms = 1_000_000_000_000 + u64::from(i) * step_ms;
            Act { pin: PinId(i), board: None, action: Action::Save, surface: Surface::Home, ts_ms, value: 0.0 }
        };
        let story = History { pinner: PinnerId(0), acts: (0..20).map(save).collect(), shown: vec![] };
        let data = Dataset { pins: 20, content_dim, content: vec![1.0; 20 * content_dim], ..Dataset::default() };
        let mut rng = Rng::new(1);
        let config = TrainConfig::default();
        let examples = (0..2_000).filter_map(|_| example(&data, &story, &config, &mut rng));
        examples.flat_map(|example| example.questions).collect()
    }

    #[test]
    fn a_search_is_asked_as_it_is_served() {
        for content_dim in [0, 4] {
            let questions = questions(0, content_dim);
            let searches = || questions.iter().filter(|question| question.kind == SubjectKind::Query);
            assert!(searches().count() > 20);
            assert!(searches().all(|question| question.surface == Surface::Search));
            assert!(searches().all(|question| question.pins.is_empty() && question.content.is_empty()));
            assert!(searches().any(|question| question.targets.len() > 1), "words point to no pin");
        }
    }

    #[test]
    fn a_topic_is_asked_about_by_its_pins_and_answered_by_them() {
        let save = |i: u32| {
            let ts_ms = 1_000_000_000_000 + u64::from(i);
            Act { pin: PinId(i), board: None, action: Action::Save, surface: Surface::Home, ts_ms, value: 0.0 }
        };
        let topics = (0..30u32).map(|pin| [pin % 3].into()).collect();
        let data = Dataset { pins: 30, topics, ..Dataset::default() };
        let story = History { pinner: PinnerId(0), acts: (0..30).map(save).collect(), shown: vec![] };
        let (mut rng, config) = (Rng::new(1), TrainConfig::default());
        let examples: Vec<Example> = (0..500).filter_map(|_| example(&data, &story, &config, &mut rng)).collect();
        let questions = || examples.iter().flat_map(|example| &example.questions);
        let asked: Vec<&Question> = questions().filter(|question| question.kind == SubjectKind::Topic).collect();
        assert!(asked.len() > 50);
        for question in asked {
            let of = |pin: &PinId| pin.0 % 3 == question.pins[0].0 % 3;
            assert!(question.pins.iter().all(of) && question.targets.iter().all(|(pin, _)| of(pin)), "{question:?}");
        }
        let next = |question: &&Question| question.reach == Reach::Next && question.kind == SubjectKind::None;
        assert!(questions().filter(next).all(|question| question.targets.len() == 1), "what comes next is one pin");
        assert!(questions().any(|question| question.reach == Reach::Later && question.targets.len() > 1));
    }

    #[test]
    fn every_absence_is_asked_about_and_most_are_as_they_were() {
        for (step_ms, truth) in [(0, 0), (3 * 3_600_000, 4)] {
            let mut counts = BTreeMap::<u8, usize>::new();
            let questions = questions(step_ms, 0);
            let home = questions.iter().filter(|question| question.surface == Surface::Home);
            home.for_each(|question| *counts.entry(question.gap).or_default() += 1);
            assert!(counts.keys().copied().eq(truth..=gap_bucket(0, u64::MAX)), "{counts:?}");
            assert!(counts[&truth] > questions.len() / 2, "{counts:?}");
            assert!(
                questions.iter().all(|question| question.prefix > 0 || question.gap == 0),
                "no history: no absence"
            );
        }
    }
}
