use super::*;
use crate::{BOARDS_MAX, POPULAR_MAX, SEQUENCE_MAX};
use domain::{Rng, Surface};

const NOW_MS: u64 = 1_800_000_000_000;
const HOUR_MS: u64 = 3_600_000;
const ANN: PinnerId = PinnerId(3);

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
    assert_eq!(signals.counter(PinId(1), Action::Save, Horizon::Hour, NOW_MS), 0.0);
    assert!(signals.popular(NOW_MS, 10).is_empty());
}

#[test]
fn each_action_does_what_it_says() {
    let mut signals = Signals::new();
    signals.apply(ANN, &act(1, Action::Impression, NOW_MS));
    signals.apply(ANN, &act(2, Action::Hide, NOW_MS));
    signals.apply(ANN, &save(3, 9, NOW_MS));
    signals.apply(ANN, &act(4, Action::Closeup, NOW_MS));
    signals.apply(ANN, &act(5, Action::Search, NOW_MS));
    signals.apply(ANN, &act(6, Action::Follow, NOW_MS));
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
        signals.apply(ANN, &save(pin, 0, ts_ms));
    }
    assert_eq!(history(&signals), [(3, 20), (2, 30), (4, 30), (1, 40)]);
    signals.apply(ANN, &act(3, Action::Closeup, 50));
    assert_eq!(history(&signals).len(), 5, "another action on a known pin is another entry");
}

#[test]
fn the_newest_acts_stay_when_the_sequence_is_full() {
    let mut signals = Signals::new();
    let mut order: Vec<u32> = (0..1_000).collect();
    Rng::new(1).shuffle(&mut order);
    for pin in order {
        signals.apply(ANN, &save(pin, pin, u64::from(pin)));
    }
    let expected: Vec<(u32, u64)> = (1_000 - SEQUENCE_MAX as u32..1_000).map(|pin| (pin, u64::from(pin))).collect();
    assert_eq!(history(&signals), expected);
    assert!((0..1_000).all(|pin| signals.saved(ANN, PinId(pin))), "saved outlives the sequence");
    assert_eq!(signals.boards_of(ANN).len(), 1_000.min(BOARDS_MAX));
}

#[test]
fn counters_decay_by_their_half_life() {
    let mut signals = Signals::new();
    signals.apply(ANN, &save(1, 0, NOW_MS));
    signals.apply(ANN, &save(1, 0, NOW_MS - 24 * HOUR_MS));
    let at = |horizon, later_h: u64| signals.counter(PinId(1), Action::Save, horizon, NOW_MS + later_h * HOUR_MS);
    for (found, expected) in [
        (at(Horizon::Hour, 0), 1.0),
        (at(Horizon::Hour, 2), 0.25),
        (at(Horizon::Day, 0), 1.5),
        (at(Horizon::Day, 24), 0.75),
        (at(Horizon::Week, 0), 1.0 + 0.5f32.powf(1.0 / 7.0)),
        (at(Horizon::Month, 28 * 24), (1.0 + 0.5f32.powf(1.0 / 28.0)) / 2.0),
    ] {
        assert!((found - expected).abs() < 1e-3, "{found} is not {expected}");
    }
    assert_eq!(signals.total(PinId(1), Action::Save), 2);
    assert_eq!(signals.total(PinId(1), Action::Hide), 0);
}

#[test]
fn counters_and_popularity_do_not_depend_on_the_order_of_arrival() {
    let mut acts = mixed(5_000, 2);
    let mut orders = Vec::new();
    for seed in 0..2 {
        Rng::new(seed).shuffle(&mut acts);
        let mut signals = Signals::new();
        acts.iter().for_each(|(pinner, act)| signals.apply(*pinner, act));
        orders.push(signals);
    }
    let (a, b) = (&orders[0], &orders[1]);
    for pin in (0..300).map(PinId) {
        for action in Action::ALL {
            assert_eq!(a.total(pin, action), b.total(pin, action));
            for horizon in Horizon::ALL {
                let (x, y) = (a.counter(pin, action, horizon, NOW_MS), b.counter(pin, action, horizon, NOW_MS));
                assert!((x - y).abs() <= 1e-4 * x.max(1e-3), "{pin:?} {action} {horizon:?}: {x} {y}");
            }
        }
    }
    let pins = |signals: &Signals| signals.popular(NOW_MS, 50).into_iter().map(|(pin, _)| pin).collect::<Vec<_>>();
    assert_eq!(pins(a), pins(b));
}

#[test]
fn popular_is_what_counting_everything_says() {
    let acts = mixed(20_000, 3);
    let mut signals = Signals::new();
    acts.iter().for_each(|(pinner, act)| signals.apply(*pinner, act));
    let slow = |pin: PinId| {
        let recent = |action| signals.counter(pin, action, Horizon::Week, NOW_MS);
        recent(Action::Save)
            + 0.5 * (recent(Action::LongClick) + recent(Action::Share) + recent(Action::Download))
            + 0.5 * (recent(Action::Follow) + recent(Action::Comment))
            + 0.2 * (recent(Action::Closeup) + recent(Action::Click))
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
        signals.apply(ANN, &save(pin, 0, NOW_MS));
    }
    signals.apply(PinnerId(0), &save(2_999, 0, NOW_MS));
    let popular = signals.popular(NOW_MS, usize::MAX);
    assert_eq!(popular.len(), POPULAR_MAX);
    assert_eq!(popular[0], (PinId(2_999), 2.0));
    assert!((1..POPULAR_MAX).all(|place| popular[place] == (PinId(place as u32 - 1), 1.0)));
}

#[test]
fn old_data_is_ordered_too() {
    let mut signals = Signals::new();
    for (pin, saves) in [(1, 2), (2, 5), (3, 1)] {
        (0..saves).for_each(|pinner| signals.apply(PinnerId(pinner), &save(pin, 0, 700_000_000_000)));
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
    acts.iter().for_each(|(pinner, act)| signals.apply(*pinner, act));
    let bytes = written(&signals);
    let mut restored = Signals::open(&bytes.clone().into()).expect("intact");
    assert_eq!(written(&restored), bytes);
    for pinner in (0..5).map(PinnerId) {
        assert_eq!(restored.history(pinner), signals.history(pinner));
        assert_eq!(restored.boards_of(pinner), signals.boards_of(pinner));
        for pin in (0..310).map(PinId) {
            assert_eq!(restored.seen(pinner, pin), signals.seen(pinner, pin));
            assert_eq!(restored.saved(pinner, pin), signals.saved(pinner, pin));
            assert_eq!(restored.hidden(pinner, pin), signals.hidden(pinner, pin));
        }
    }
    for (pin, action) in (0..300).map(PinId).flat_map(|pin| Action::ALL.map(|action| (pin, action))) {
        assert_eq!(restored.total(pin, action), signals.total(pin, action));
        let month = |signals: &Signals| signals.counter(pin, action, Horizon::Month, NOW_MS);
        assert_eq!(month(&restored), month(&signals));
    }
    assert_eq!(restored.popular(NOW_MS, 100), signals.popular(NOW_MS, 100));
    for (pinner, act) in &acts[..1_000] {
        signals.apply(*pinner, act);
        restored.apply(*pinner, act);
    }
    assert_eq!(written(&restored), written(&signals));
    assert_eq!(written(&Signals::open(&written(&Signals::new()).into()).expect("empty")), written(&Signals::new()));
}

#[test]
fn a_damaged_pinner_is_refused_or_can_be_used() {
    let mut signals = Signals::new();
    mixed(3_000, 5).iter().for_each(|(pinner, act)| signals.apply(*pinner, act));
    let mut bytes = Vec::new();
    signals.pinner(ANN).expect("known").encode(&mut bytes);
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
