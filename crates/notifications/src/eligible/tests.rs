use super::*;
use crate::{KINDS_MAX, NotifyError, QuietHours};
use domain::Rng;

const NOW: u64 = 1_780_000_000_000;
const HOUR: u64 = 3_600_000;

fn params() -> EligibilityParams {
    EligibilityParams { holdout_share: 0.0, quiet: QuietHours::NONE, ..EligibilityParams::default() }
}

fn ask(n: u64) -> Ask {
    Ask { key: Key(u128::from(n)), kind: Kind(0), channel: ChannelKind::Webhook, pin: PinId(n as u32) }
}

fn sent(n: u64, at_ms: u64) -> Sent {
    Sent { key: ask(n).key, kind: Kind(0), pin: PinId(n as u32), at_ms }
}

fn pinner() -> PinnerState {
    let consent = Consent::default().with(Kind(0), ChannelKind::Webhook).with(Kind(0), ChannelKind::Email);
    PinnerState { consent, ..PinnerState::new("ann", Zone::UTC) }
}

/// What is changed, of the parameters or of the pinner, and the refusal that it brings.
type Case = (fn(&mut EligibilityParams, &mut PinnerState, &mut Ask), Refusal);

#[test]
fn each_guard_refuses_by_its_name() {
    let cases: [Case; 15] = [
        (|params, _, _| params.on = false, Refusal::Off),
        (|_, _, ask| ask.kind = Kind(9), Refusal::UnknownKind),
        (|params, _, _| params.holdout_share = 1.0, Refusal::Holdout),
        (|_, pinner, _| pinner.unsubscribed = true, Refusal::Unsubscribed),
        (|_, _, ask| ask.channel = ChannelKind::InApp, Refusal::NoConsent),
        (|_, _, ask| ask.channel = ChannelKind::Email, Refusal::NoAddress),
        (|_, pinner, _| pinner.history.record(sent(1, NOW - 300 * HOUR)), Refusal::AlreadySent),
        (|_, pinner, _| pinner.seen = vec![PinId(0), PinId(1)], Refusal::AlreadySeen),
        (|_, pinner, _| pinner.in_app = vec![(PinId(1), NOW - HOUR)], Refusal::ShownInApp),
        (|params, _, _| params.quiet = QuietHours { from_minute: 0, until_minute: 1_439 }, Refusal::QuietHours),
        (|_, pinner, _| pinner.history.record(sent(2, NOW - 23 * HOUR)), Refusal::KindDayCap),
        (|_, pinner, _| (2..7).for_each(|n| pinner.history.record(sent(n, NOW - n * 24 * HOUR))), Refusal::KindWeekCap),
        (
            |_, pinner, _| {
                (2..4).for_each(|n| pinner.history.record(Sent { kind: Kind(1), ..sent(n, NOW - n * 5 * HOUR) }));
            },
            Refusal::DayCap,
        ),
        (
            |_, pinner, _| {
                (2..9).for_each(|n| pinner.history.record(Sent { kind: Kind(1), ..sent(n, NOW - n * 17 * HOUR) }));
            },
            Refusal::WeekCap,
        ),
        (|_, pinner, _| pinner.history.record(Sent { kind: Kind(1), ..sent(2, NOW - 3 * HOUR) }), Refusal::Spacing),
    ];
    assert_eq!(eligible(&params(), &pinner(), &ask(1), NOW), Ok(()));
    for (change, refusal) in cases {
        let (mut params, mut pinner, mut ask) = (params(), pinner(), ask(1));
        change(&mut params, &mut pinner, &mut ask);
        assert_eq!(eligible(&params, &pinner, &ask, NOW), Err(refusal));
    }
}

#[test]
fn windows_end_to_the_millisecond_and_what_is_planned_may_go() {
    let mut pinner = pinner();
    pinner.history.record(sent(2, NOW));
    assert_eq!(eligible(&params(), &pinner, &ask(1), NOW + 24 * HOUR - 1), Err(Refusal::KindDayCap));
    assert_eq!(eligible(&params(), &pinner, &ask(1), NOW + 24 * HOUR), Ok(()));
    pinner.history.record(sent(1, NOW + 24 * HOUR));
    assert_eq!(eligible(&params(), &pinner, &ask(1), NOW + 24 * HOUR), Err(Refusal::AlreadySent));
    assert_eq!(may_go(&params(), &pinner, &ask(1), NOW + 24 * HOUR), Ok(()));
    // A clock that was set back: what lies ahead counts.
    assert_eq!(eligible(&params(), &pinner, &ask(3), NOW - HOUR), Err(Refusal::KindDayCap));
}

#[test]
fn the_holdout_has_its_share_and_stays() {
    let mut params = EligibilityParams { holdout_share: 0.1, ..params() };
    let held = |params: &EligibilityParams| {
        (0..20_000).filter(|n| is_held_out(params, &format!("pinner-{n}"))).collect::<Vec<u32>>()
    };
    let first = held(&params);
    assert!((1_850..2_150).contains(&first.len()), "{}", first.len());
    params.holdout_share = 0.2;
    let wider = held(&params);
    assert!(first.iter().all(|n| wider.contains(n)), "a larger share keeps who was in it");
    params.holdout_salt = 1;
    let other = held(&params).iter().filter(|n| wider.contains(n)).count();
    assert!((650..950).contains(&other), "another salt draws others: {other} of both");
}

#[test]
fn whatever_is_recorded_no_window_holds_more_than_its_cap() {
    let mut rng = Rng::new(5);
    for _ in 0..50 {
        let params = EligibilityParams { day_max: 3, week_max: 6, spacing_ms: HOUR, ..params() };
        let (mut pinner, mut now) = (pinner(), NOW);
        for n in 0..400 {
            // Mostly forward, at times the clock is set back by up to three days.
            now += u64::from(rng.below(6 * HOUR as u32));
            if rng.below(40) == 0 {
                now -= u64::from(rng.below(72 * HOUR as u32));
            }
            let ask = Ask { kind: Kind((n % 2) as u8), ..ask(n) };
            let consent = pinner.consent.with(Kind(1), ChannelKind::Webhook);
            pinner.consent = consent;
            if eligible(&params, &pinner, &ask, now).is_ok() {
                pinner.history.record(Sent { key: ask.key, kind: ask.kind, pin: ask.pin, at_ms: now });
            }
        }
        let mut at: Vec<u64> = pinner.history.sent().iter().map(|sent| sent.at_ms).collect();
        at.sort_unstable();
        assert!(at.len() > 10, "something is sent at all: {}", at.len());
        for (window, most) in [(DAY_MS, 3), (WEEK_MS, 6), (HOUR, 1)] {
            for start in &at {
                let inside = at.iter().filter(|&&at| at >= *start && at < start + window).count();
                assert!(inside <= most, "{inside} in {window} ms");
            }
        }
    }
}

#[test]
fn what_is_wrong_with_the_parameters_is_named() {
    let mut params = params();
    assert!(params.validate().is_ok());
    params.kinds[1].name = params.kinds[0].name.clone();
    let named = |params: &EligibilityParams| match params.validate() {
        Err(NotifyError::Invalid { what, .. }) => what,
        other => format!("{other:?}"),
    };
    assert_eq!(named(&params), "eligibility.kinds[1].name");
    params.week_max = WEEK_CAP_MAX + 1;
    assert_eq!(named(&params), "eligibility.week_max");
    params.holdout_share = f64::NAN;
    assert_eq!(named(&params), "eligibility.holdout_share");
    params = EligibilityParams { kinds: vec![KindParams::default(); KINDS_MAX + 1], ..self::params() };
    assert_eq!(named(&params), "eligibility.kinds");
}

#[test]
fn what_was_sent_again_under_a_clock_set_back_counts_from_the_first_time() {
    let mut pinner = pinner();
    pinner.history.record(sent(2, NOW));
    pinner.history.record(sent(2, NOW - 2 * HOUR));
    assert_eq!(eligible(&params(), &pinner, &ask(1), NOW + 23 * HOUR), Err(Refusal::KindDayCap));
    pinner.history.record(sent(2, NOW + HOUR));
    assert_eq!(eligible(&params(), &pinner, &ask(1), NOW + 24 * HOUR), Err(Refusal::KindDayCap));
    assert_eq!(pinner.history.sent().len(), 1);
}

#[test]
fn the_history_is_bounded_and_forgets_the_oldest() {
    let mut history = History::default();
    (0..SENT_MAX as u64 + 10).for_each(|n| history.record(sent(n, n)));
    assert_eq!(history.sent().len(), SENT_MAX);
    assert!(history.sent().iter().all(|sent| sent.at_ms >= 10));
    history.withdraw(ask(20).key);
    assert_eq!(history.sent().len(), SENT_MAX - 1);
}
