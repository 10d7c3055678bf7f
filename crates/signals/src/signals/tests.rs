use super::*;
use crate::{BOARDS_MAX, NEGATIVES_MAX, POPULAR_MAX, SEQUENCE_MAX, SHOWN_MAX};
use domain::{HEADS, Rng, Surface};

const NOW_MS: u64 = 1_800_000_000_000;
const HOUR_MS: u64 = 3_600_000;
const ANN: PinnerId = PinnerId(3);

const NOTHING: About<'static> = About { creator: None, topics: &[], query: None };

/// A creator, topics and sometimes a query, by the pin.
fn about(act: &Act) -> About<'static> {
    const TOPICS: [u32; 5] = [4, 0, 1, 2, 3];
    let pin = act.pin.0;
    About { creator: Some(pin % 7), topics: &TOPICS[..pin as usize % 3], query: pin.is_multiple_of(4).then_some(9) }
}

fn act(pin: u32, action: Action, ts_ms: u64) -> Act {
    Act { pin: PinId(pin), board: None, action, surface: Surface::Home, ts_ms, value: 0.0 }
}

fn save(pin: u32, board: u32, ts_ms: u64) -> Act {
    Act { board: Some(BoardId(board)), ..act(pin, Action::Save, ts_ms) }
}

fn history(signals: &Signals) -> Vec<(u32, u64)> {
    signals.history(ANN).iter().map(|act| (act.pin.0, act.ts_ms)).collect()
}

/// Acts of a few pinners on a few pins with all actions, times and surfaces mixed.
fn mixed(count: usize, seed: u64) -> Vec<(PinnerId, Act)> {
    let mut rng = Rng::new(seed);
    let mut one = || {
        let action = Action::ALL[rng.below(15) as usize];
        let surface = Surface::ALL[rng.below(5) as usize];
        let ts_ms = NOW_MS - u64::from(rng.below(4_000_000)) * 1_000;
        let board = (rng.below(2) == 0).then(|| BoardId(rng.below(40)));
        let value = rng.uniform() * 1e4;
        (PinnerId(rng.below(5)), Act { pin: PinId(rng.below(300)), board, action, surface, ts_ms, value })
    };
    (0..count).map(|_| one()).collect()
}

#[test]
fn an_unknown_pinner_or_pin_is_empty() {
    let signals = Signals::new();
    assert!(signals.history(ANN).is_empty() && signals.boards_of(ANN).is_empty());
    assert!(!signals.seen(ANN, PinId(1)) && !signals.saved(ANN, PinId(1)) && !signals.hidden(ANN, PinId(1)));
    assert_eq!(signals.pin(PinId(1), NOW_MS), Tally::default());
    assert!(signals.popular(NOW_MS, 10).is_empty());
}

#[test]
fn each_action_does_what_it_says() {
    let mut signals = Signals::new();
    signals.apply(ANN, &act(1, Action::Impression, NOW_MS), &NOTHING);
    signals.apply(ANN, &act(2, Action::Hide, NOW_MS), &NOTHING);
    signals.apply(ANN, &save(3, 9, NOW_MS), &NOTHING);
    signals.apply(ANN, &act(4, Action::Closeup, NOW_MS), &NOTHING);
    signals.apply(ANN, &act(5, Action::Search, NOW_MS), &NOTHING);
    signals.apply(ANN, &act(6, Action::Follow, NOW_MS), &NOTHING);
    let which = |test: &dyn Fn(PinId) -> bool| (0..8).filter(|&pin| test(PinId(pin))).collect::<Vec<u32>>();
    assert_eq!(which(&|pin| signals.seen(ANN, pin)), [1, 2, 3, 4, 6]);
    assert_eq!(which(&|pin| signals.saved(ANN, pin)), [3]);
    assert_eq!(which(&|pin| signals.hidden(ANN, pin)), [2]);
    assert_eq!(signals.boards_of(ANN), [BoardId(9)]);
    assert_eq!(history(&signals), [(3, NOW_MS), (4, NOW_MS), (6, NOW_MS)]);
}

#[test]
fn late_acts_find_their_place_and_repeated_ones_move() {
    let mut signals = Signals::new();
    for (pin, ts_ms) in [(1, 10), (2, 30), (3, 20), (1, 40), (2, 5), (4, 30)] {
        signals.apply(ANN, &save(pin, 0, ts_ms), &NOTHING);
    }
    assert_eq!(history(&signals), [(3, 20), (2, 30), (4, 30), (1, 40)]);
    signals.apply(ANN, &act(3, Action::Closeup, 50), &NOTHING);
    assert_eq!(history(&signals).len(), 5, "another action on a known pin is another entry");
}

#[test]
fn the_newest_acts_stay_when_the_sequence_is_full() {
    let mut signals = Signals::new();
    let mut order: Vec<u32> = (0..1_000).collect();
    Rng::new(1).shuffle(&mut order);
    for pin in order {
        signals.apply(ANN, &save(pin, pin, 1_000 * u64::from(pin)), &NOTHING);
    }
    let first = 1_000 - SEQUENCE_MAX as u32;
    let expected: Vec<(u32, u64)> = (first..1_000).map(|pin| (pin, 1_000 * u64::from(pin))).collect();
    assert_eq!(history(&signals), expected);
    let before: Vec<Shown> = (0..first).map(|pin| Shown { pin: PinId(pin), at_s: pin }).collect();
    assert_eq!(signals.lifelong(ANN), before, "what left the sequence is not forgotten");
    assert!((0..1_000).all(|pin| signals.saved(ANN, PinId(pin))), "saved outlives the sequence");
    assert_eq!(signals.boards_of(ANN).len(), 1_000.min(BOARDS_MAX));
}

/// All tallies that acts of [`mixed`] with [`about`] have made.
fn tallies(signals: &Signals, now_ms: u64) -> Vec<Tally> {
    let mut all: Vec<Tally> = (0..310).map(|pin| signals.pin(PinId(pin), now_ms)).collect();
    all.extend((0..7).map(|creator| signals.creator(creator, now_ms)));
    all.extend((0..5).map(|topic| signals.topic(topic, now_ms)));
    all.extend((0..5).map(|pinner| signals.pinner(PinnerId(pinner), now_ms)));
    all.extend(Surface::ALL.map(|surface| signals.surface(surface, now_ms)));
    all.extend((0..300).map(|pin| signals.query_pin(9, PinId(pin), now_ms)));
    all
}

#[test]
fn counts_decay_by_their_half_life() {
    let mut signals = Signals::new();
    signals.apply(ANN, &save(1, 0, NOW_MS), &NOTHING);
    signals.apply(ANN, &save(1, 0, NOW_MS - 84 * HOUR_MS), &NOTHING);
    let at = |horizon, later_h: u64| signals.pin(PinId(1), NOW_MS + later_h * HOUR_MS).count(Action::Save, horizon);
    for (found, expected) in [
        (at(Horizon::Week, 0), 1.0 + 0.5f32.sqrt()),
        (at(Horizon::Week, 84), 0.5 + 0.5f32.sqrt()),
        (at(Horizon::Week, 168), (1.0 + 0.5f32.sqrt()) / 2.0),
        (at(Horizon::Ever, 10_000), 2.0),
    ] {
        assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
    }
    assert_eq!((signals.total(PinId(1), Action::Save), signals.total(PinId(1), Action::Hide)), (2, 0));
}

#[test]
fn an_act_counts_for_all_that_it_is_about() {
    let mut signals = Signals::new();
    let about = About { creator: Some(5), topics: &[1, 3], query: Some(query_key(" Blue VASE")) };
    let shown = Act { surface: Surface::Search, value: 3_000.0, ..act(2, Action::Impression, NOW_MS) };
    signals.apply(ANN, &shown, &about);
    signals.apply(ANN, &Act { value: f32::NAN, ..act(2, Action::Click, NOW_MS) }, &about);
    signals.apply(PinnerId(0), &Act { value: f32::NAN, ..act(7, Action::Impression, NOW_MS) }, &NOTHING);
    let read = |tally: Tally| {
        let counts = [Action::Impression, Action::Click, Action::Save].map(|action| tally.count(action, Horizon::Ever));
        let (looks, look) = tally.looks(Horizon::Ever);
        (counts, looks, look.exp_m1().round())
    };
    let both = ([1.0, 1.0, 0.0], 1.0, 3.0);
    for tally in [signals.pin(PinId(2), NOW_MS), signals.creator(5, NOW_MS), signals.topic(1, NOW_MS)] {
        assert_eq!(read(tally), both);
    }
    assert_eq!(read(signals.topic(3, NOW_MS)), both);
    assert_eq!(read(signals.pinner(ANN, NOW_MS)), both);
    assert_eq!(read(signals.query_pin(query_key("blue vase"), PinId(2), NOW_MS)), both);
    assert_eq!(read(signals.pin(PinId(7), NOW_MS)), ([1.0, 0.0, 0.0], 0.0, 0.0), "how long is not known");
    assert_eq!(signals.topic(2, NOW_MS), Tally::default());
    assert_eq!(signals.query_pin(query_key("vase"), PinId(2), NOW_MS), Tally::default());
    assert_eq!(signals.pin(PinId(2), NOW_MS).by_surface(Horizon::Ever), [0.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(signals.surface(Surface::Search, NOW_MS).impressions(Horizon::Ever), 1.0);
    assert_eq!(read(signals.surface(Surface::Home, NOW_MS)), ([1.0, 1.0, 0.0], 0.0, 0.0));
}

#[test]
fn each_head_has_its_count() {
    let mut signals = Signals::new();
    for (head, action) in HEADS.into_iter().enumerate() {
        (0..=head).for_each(|_| signals.apply(ANN, &act(1, action, NOW_MS), &NOTHING));
    }
    let tally = signals.pin(PinId(1), NOW_MS);
    for (head, action) in HEADS.into_iter().enumerate() {
        assert_eq!(tally.acts(head, Horizon::Week), head as f32 + 1.0);
        assert_eq!(tally.count(action, Horizon::Ever), head as f32 + 1.0);
    }
}

#[test]
fn what_is_known_does_not_depend_on_the_order_of_arrival() {
    let mut acts = mixed(5_000, 2);
    let mut orders = Vec::new();
    for seed in 0..2 {
        Rng::new(seed).shuffle(&mut acts);
        let mut signals = Signals::new();
        acts.iter().for_each(|(pinner, act)| signals.apply(*pinner, act, &about(act)));
        orders.push(signals);
    }
    let (a, b) = (&orders[0], &orders[1]);
    for (a, b) in tallies(a, NOW_MS).iter().zip(tallies(b, NOW_MS)) {
        for (x, y) in a.values.as_flattened().iter().zip(b.values.as_flattened()) {
            assert!((x - y).abs() <= 1e-4 * x.max(1e-3), "{x} {y}");
        }
    }
    for pinner in (0..5).map(PinnerId) {
        assert_eq!(a.shown(pinner), b.shown(pinner));
        let times = |acts: &[Act]| acts.iter().map(|act| act.ts_ms).collect::<Vec<_>>();
        assert_eq!(times(a.negatives(pinner)), times(b.negatives(pinner)));
    }
    let pins = |signals: &Signals| signals.popular(NOW_MS, 50).into_iter().map(|(pin, _)| pin).collect::<Vec<_>>();
    assert_eq!(pins(a), pins(b));
}

#[test]
fn impressions_and_negatives_stand_in_order_of_time_and_are_bounded() {
    let mut signals = Signals::new();
    let mut order: Vec<u32> = (0..1_000).collect();
    Rng::new(1).shuffle(&mut order);
    for pin in order {
        signals.apply(ANN, &act(pin, Action::Impression, u64::from(pin) * 1_000), &NOTHING);
        signals.apply(ANN, &act(pin, Action::Hide, u64::from(pin) * 1_000), &NOTHING);
    }
    let shown: Vec<u32> = signals.shown(ANN).iter().map(|shown| shown.pin.0).collect();
    assert_eq!(shown, (1_000 - SHOWN_MAX as u32..1_000).collect::<Vec<_>>());
    assert!(signals.shown(ANN).iter().all(|shown| shown.at_s == shown.pin.0));
    let hidden: Vec<u32> = signals.negatives(ANN).iter().map(|act| act.pin.0).collect();
    assert_eq!(hidden, (1_000 - NEGATIVES_MAX as u32..1_000).collect::<Vec<_>>());
    assert!(signals.history(ANN).is_empty());
}

#[test]
fn popular_is_what_counting_everything_says() {
    let acts = mixed(20_000, 3);
    let mut signals = Signals::new();
    acts.iter().for_each(|(pinner, act)| signals.apply(*pinner, act, &about(act)));
    let slow = |pin: PinId| {
        let weighed = |act: &Act| {
            let weight = match act.action {
                Action::Save => 1.0,
                Action::LongClick | Action::Share | Action::Download | Action::Follow | Action::Comment => 0.5,
                Action::Closeup | Action::Click => 0.2,
                _ => 0.0,
            };
            weight * (-((NOW_MS - act.ts_ms) as f32) / (7 * 24 * HOUR_MS) as f32).exp2()
        };
        acts.iter().filter(|(_, act)| act.pin == pin).map(|(_, act)| weighed(act)).sum::<f32>()
    };
    let popular = signals.popular(NOW_MS, 300);
    assert_eq!(popular.len(), 300);
    for window in popular.windows(2) {
        assert!(window[0].1 >= window[1].1);
    }
    for (pin, score) in popular {
        assert!((score - slow(pin)).abs() <= 1e-3 * score, "{pin:?}: {score}, {}", slow(pin));
    }
}

#[test]
fn popular_is_bounded_and_ties_go_to_the_smaller_id() {
    let mut signals = Signals::new();
    for pin in (0..3_000).rev() {
        signals.apply(ANN, &save(pin, 0, NOW_MS), &NOTHING);
    }
    signals.apply(PinnerId(0), &save(2_999, 0, NOW_MS), &NOTHING);
    let popular = signals.popular(NOW_MS, usize::MAX);
    assert_eq!(popular.len(), POPULAR_MAX);
    assert_eq!(popular[0], (PinId(2_999), 2.0));
    assert!((1..POPULAR_MAX).all(|place| popular[place] == (PinId(place as u32 - 1), 1.0)));
}

#[test]
fn old_data_is_ordered_too() {
    let mut signals = Signals::new();
    for (pin, saves) in [(1, 2), (2, 5), (3, 1)] {
        (0..saves).for_each(|pinner| signals.apply(PinnerId(pinner), &save(pin, 0, 700_000_000_000), &NOTHING));
    }
    let pins: Vec<u32> = signals.popular(NOW_MS, 3).iter().map(|(pin, _)| pin.0).collect();
    assert_eq!(pins, [2, 1, 3], "decayed to nothing, in order nevertheless");
}

fn written(signals: &Signals) -> Vec<u8> {
    let mut out = Vec::new();
    signals.write(&mut out).expect("memory takes bytes");
    out
}

#[test]
fn a_snapshot_comes_back_and_goes_on() {
    let mut signals = Signals::new();
    let acts = mixed(20_000, 4);
    acts.iter().for_each(|(pinner, act)| signals.apply(*pinner, act, &about(act)));
    let bytes = written(&signals);
    let mut restored = Signals::open(&bytes.clone().into()).expect("intact");
    assert_eq!(written(&restored), bytes);
    for pinner in (0..5).map(PinnerId) {
        assert_eq!(restored.history(pinner), signals.history(pinner));
        assert_eq!(restored.boards_of(pinner), signals.boards_of(pinner));
        assert_eq!(restored.shown(pinner), signals.shown(pinner));
        assert_eq!(restored.negatives(pinner), signals.negatives(pinner));
        for pin in (0..310).map(PinId) {
            assert_eq!(restored.seen(pinner, pin), signals.seen(pinner, pin));
            assert_eq!(restored.saved(pinner, pin), signals.saved(pinner, pin));
            assert_eq!(restored.hidden(pinner, pin), signals.hidden(pinner, pin));
        }
    }
    assert_eq!(tallies(&restored, NOW_MS), tallies(&signals, NOW_MS));
    assert_eq!(restored.popular(NOW_MS, 100), signals.popular(NOW_MS, 100));
    for (pinner, act) in &acts[..1_000] {
        signals.apply(*pinner, act, &about(act));
        restored.apply(*pinner, act, &about(act));
    }
    assert_eq!(written(&restored), written(&signals));
    assert_eq!(written(&Signals::open(&written(&Signals::new()).into()).expect("empty")), written(&Signals::new()));
}

#[test]
fn a_damaged_pinner_is_refused_or_can_be_used() {
    let mut signals = Signals::new();
    mixed(3_000, 5).iter().for_each(|(pinner, act)| signals.apply(*pinner, act, &about(act)));
    let mut bytes = Vec::new();
    signals.state(ANN).expect("known").encode(&mut bytes);
    for end in 0..bytes.len() {
        assert!(PinnerState::decode(&bytes[..end]).is_err(), "cut at {end}");
    }
    assert!(PinnerState::decode(&[&bytes[..], &[0]].concat()).is_err(), "followed by something");
    let mut rng = Rng::new(6);
    for _ in 0..20_000 {
        let mut bytes = bytes.clone();
        for _ in 0..=rng.below(4) {
            let place = rng.below(bytes.len() as u32) as usize;
            bytes[place] = rng.next_u64() as u8;
        }
        // Whatever is taken is a state like any other: it can be used and stored again.
        let Ok(state) = PinnerState::decode(&bytes) else { continue };
        assert!(state.history.len() <= SEQUENCE_MAX && state.history.is_sorted_by_key(|act| act.ts_ms));
        let mut again = Vec::new();
        state.encode(&mut again);
        assert!(PinnerState::decode(&again).is_ok());
    }
}
