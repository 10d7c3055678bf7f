use super::*;
use crate::zone::{DAY_MS, MINUTE_MS, WEEK_MS};
use crate::{Consent, History, Key, Kind, QuietHours, Sent, Zone, eligible, is_held_out};
use domain::{PinId, Rng};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

const NOW: u64 = 1_780_000_000_000;

fn message(n: u64, channel: ChannelKind) -> Message {
    Message {
        key: Key::new("ann", "ideas", n),
        pinner: "ann".to_owned(),
        kind: "ideas".to_owned(),
        channel,
        address: String::new(),
        pin: format!("pin-{n}"),
        title: "A title".to_owned(),
        body: String::new(),
        link: String::new(),
        unsubscribe: String::new(),
        zone: Zone::UTC,
        at_ms: NOW,
        expires_ms: NOW + WEEK_MS,
    }
}

fn planned(outbox: &mut Outbox, message: Message) -> Key {
    let key = message.key;
    let entry = outbox.plan(&DeliverParams::default(), message).expect("there is room").expect("a new key");
    outbox.apply(&entry).expect("it follows");
    key
}

fn sending(key: Key) -> Entry {
    Entry::Sending { key, at_ms: NOW }
}

#[test]
fn a_message_goes_through_its_states_and_no_others() {
    let (mut outbox, params) = (Outbox::default(), DeliverParams::default());
    let key = planned(&mut outbox, message(1, ChannelKind::Webhook));
    assert_eq!(outbox.plan(&params, message(1, ChannelKind::Email)).expect("room"), None, "its key is known");
    assert!(outbox.due(NOW - 1, 9).is_empty());
    assert_eq!(outbox.due(NOW, 9).len(), 1);
    let early = Entry::Sent { key, at_ms: NOW };
    let error = outbox.apply(&early).expect_err("not begun").to_string();
    assert_eq!(error, format!("outbox: {key}: sent cannot follow planned"));
    outbox.apply(&sending(key)).expect("it follows");
    assert!(outbox.due(NOW, 9).is_empty() && outbox.unsettled() == [key]);
    let failed = Outcome::Failed { reason: "no\r\nroute".to_owned(), after_ms: None };
    let entry = outbox.settle(&params, key, &failed, NOW).expect("it was under way");
    let Entry::Failed { retry_ms, ref reason, .. } = entry else { panic!("{entry:?}") };
    assert!((NOW + 15_000..=NOW + 30_000).contains(&retry_ms) && reason == "noroute");
    outbox.apply(&entry).expect("it follows");
    assert_eq!((outbox.due(retry_ms - 1, 9).len(), outbox.next_ms()), (0, Some(retry_ms)));
    outbox.apply(&sending(key)).expect("it follows");
    let entry = outbox.settle(&params, key, &Outcome::Accepted, NOW).expect("under way");
    outbox.apply(&entry).expect("it follows");
    assert_eq!(outbox.state(key), Some((State::Sent, 2)));
    for entry in [
        sending(key),
        entry,
        Entry::Postponed { key, until_ms: 0 },
        Entry::Dead { key, at_ms: 0, reason: String::new() },
    ] {
        assert!(outbox.apply(&entry).is_err(), "{entry:?} after it was sent");
    }
    assert_eq!((outbox.open(), outbox.due(u64::MAX, 9).len()), (0, 0));
}

#[test]
fn waits_double_with_jitter_up_to_a_limit_and_the_last_attempt_is_the_last() {
    let params = DeliverParams { attempts_max: 9, ..DeliverParams::default() };
    let mut outbox = Outbox::default();
    let key = planned(&mut outbox, message(1, ChannelKind::Webhook));
    let failed = Outcome::Failed { reason: "busy".to_owned(), after_ms: None };
    let mut waits = Vec::new();
    let end = loop {
        outbox.apply(&sending(key)).expect("it follows");
        let entry = outbox.settle(&params, key, &failed, NOW).expect("under way");
        outbox.apply(&entry).expect("it follows");
        match entry {
            Entry::Failed { retry_ms, .. } => waits.push(retry_ms - NOW),
            end => break end,
        }
    };
    assert!(matches!(&end, Entry::Dead { reason, .. } if reason == "attempt 9: busy"), "{end:?}");
    assert_eq!(waits.len(), 8);
    for (place, wait) in waits.iter().enumerate() {
        let most = (30_000 << place).min(3_600_000);
        assert!((most / 2..=most).contains(wait), "{waits:?}");
    }
    let asked = Outcome::Failed { reason: String::new(), after_ms: Some(7_200_000) };
    assert!(params.wait_ms(key, 1, &asked) >= 7_200_000, "the channel asked for more");
    assert_eq!(params.wait_ms(key, 3, &failed), params.wait_ms(key, 3, &failed), "a restart waits as long");
    assert_ne!(params.wait_ms(key, 3, &failed), params.wait_ms(Key(1), 3, &failed), "others wait otherwise");
}

#[test]
fn the_outbox_is_bounded_and_what_it_forgets_cannot_come_again() {
    let params = DeliverParams { open_max: 3, ..DeliverParams::default() };
    let mut outbox = Outbox::default();
    for n in 0..3 {
        planned(&mut outbox, message(n, ChannelKind::Webhook));
    }
    let full = outbox.plan(&params, message(9, ChannelKind::Webhook)).expect_err("full").to_string();
    assert_eq!(full, "outbox: full, 3 messages are under way");
    let key = message(0, ChannelKind::Webhook).key;
    outbox.apply(&Entry::Dead { key, at_ms: NOW, reason: String::new() }).expect("it follows");
    outbox.forget(NOW);
    assert!(outbox.state(key).is_some(), "it has not expired");
    outbox.forget(NOW + WEEK_MS);
    assert_eq!((outbox.state(key), outbox.open()), (None, 2), "what is open stays");
    let error = outbox.plan(&params, message(0, ChannelKind::Webhook)).expect_err("forgotten").to_string();
    assert!(error.contains("are forgotten"), "{error}");
}

/// All that happens in a world in which everything fails now and then.
#[derive(Default)]
struct World {
    rng: Option<Rng>,
    /// What arrived: the message and the moment. A receiver drops keys that it has seen, the mail program does not.
    arrived: Vec<(Message, u64)>,
    repeats: usize,
    entries: Vec<Entry>,
    /// The process ends before it can write another entry.
    dying: bool,
}

impl World {
    fn chance(&mut self, part: f32) -> bool {
        self.rng.as_mut().is_some_and(|rng| rng.uniform() < part)
    }
}

/// A channel that takes, refuses, fails, and leaves open whether it took.
struct Flaky(Arc<Mutex<World>>, ChannelKind);

#[async_trait]
impl Channel for Flaky {
    fn kind(&self) -> ChannelKind {
        self.1
    }

    async fn send(&self, message: &Message, now_ms: u64) -> Outcome {
        let mut world = self.0.lock().expect("one thread");
        if world.chance(0.25) {
            return Outcome::Failed { reason: "busy".to_owned(), after_ms: None };
        }
        let broken = world.chance(0.2);
        if broken && world.chance(0.5) {
            return Outcome::Unknown("lost on the way".to_owned());
        }
        let seen = world.arrived.iter().any(|(known, _)| known.key == message.key);
        if seen && self.1 == ChannelKind::Webhook {
            world.repeats += 1;
        } else {
            world.arrived.push((message.clone(), now_ms));
        }
        world.dying = world.dying || world.chance(0.05);
        if broken { Outcome::Unknown("the answer was lost".to_owned()) } else { Outcome::Accepted }
    }
}

/// A journal that at times does not write, or writes and says that it did not.
struct Shaky(Arc<Mutex<World>>);

impl Journal for Shaky {
    fn append(&mut self, entries: &[Entry]) -> Result<(), String> {
        let mut world = self.0.lock().expect("one thread");
        if world.dying || world.chance(0.02) {
            return Err("not written".to_owned());
        }
        world.entries.extend_from_slice(entries);
        if world.chance(0.02) { Err("written, but nobody knows".to_owned()) } else { Ok(()) }
    }
}

fn params() -> EligibilityParams {
    EligibilityParams {
        holdout_share: 0.2,
        day_max: 2,
        week_max: 5,
        spacing_ms: 2 * HOUR_MS,
        ..EligibilityParams::default()
    }
}

const ZONES: [&str; 4] = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"];

fn pinners() -> Vec<PinnerState> {
    let consent = Consent::default().with(Kind(0), ChannelKind::Webhook).with(Kind(0), ChannelKind::Email);
    let pinner = |n: usize| {
        let zone = Zone::parse(ZONES[n % 4]).expect("a zone");
        let address = "ann@example.com".to_owned();
        PinnerState {
            consent,
            address,
            unsubscribed: n.is_multiple_of(7),
            ..PinnerState::new(format!("pinner-{n}"), zone)
        }
    };
    (0..24).map(pinner).collect()
}

fn ask_of(message: &Message) -> Ask {
    let pin = message.pin.trim_start_matches("pin-").parse().map(PinId).expect("a pin's number");
    Ask { key: message.key, kind: Kind(0), channel: message.channel, pin }
}

fn sent_of(message: &Message, at_ms: u64) -> Sent {
    let Ask { key, kind, pin, .. } = ask_of(message);
    Sent { key, kind, pin, at_ms }
}

fn number(pinner: &str) -> usize {
    pinner.trim_start_matches("pinner-").parse().expect("a pinner's number")
}

/// What a process knows when it starts: the outbox and the histories, made of the journal alone.
fn started(world: &Arc<Mutex<World>>) -> (Delivery, Vec<PinnerState>) {
    let mut known = world.lock().expect("one thread");
    known.dying = false;
    let (mut outbox, mut pinners) = (Outbox::default(), pinners());
    outbox.replay(&known.entries).expect("entries that were made here");
    let mut messages = std::collections::BTreeMap::new();
    for entry in &known.entries {
        if let Entry::Planned { message } = entry {
            messages.insert(message.key, message.clone());
            pinners[number(&message.pinner)].history.record(sent_of(message, message.at_ms));
        }
        if let Entry::Sending { key, at_ms } = entry {
            let message = &messages[key];
            pinners[number(&message.pinner)].history.record(sent_of(message, *at_ms));
        }
    }
    drop(known);
    let channel = |kind| Box::new(Flaky(world.clone(), kind)) as Box<dyn Channel>;
    let channels = vec![channel(ChannelKind::Webhook), channel(ChannelKind::Email)];
    let params = DeliverParams { backoff_ms: 5 * MINUTE_MS, in_flight_max: 5, ..DeliverParams::default() };
    (Delivery::new(params, outbox, channels).expect("sound parameters"), pinners)
}

/// Plans whatever the guards let through, for now or a later moment.
fn plan(delivery: &mut Delivery, pinners: &mut [PinnerState], journal: &mut Shaky, rng: &mut Rng, now_ms: u64, n: u32) {
    let at_ms = now_ms + u64::from(rng.below(6 * HOUR_MS as u32));
    let pinner = &mut pinners[rng.below(24) as usize];
    let channel = [ChannelKind::Webhook, ChannelKind::Email][rng.below(2) as usize];
    let message = Message {
        // Now and then a key comes twice.
        key: Key::new(&pinner.id, "ideas", u64::from(n / 2)),
        pinner: pinner.id.clone(),
        pin: format!("pin-{}", rng.below(4_000)),
        at_ms,
        expires_ms: at_ms + 2 * DAY_MS,
        zone: pinner.zone,
        ..message(0, channel)
    };
    if eligible(&params(), pinner, &ask_of(&message), at_ms).is_ok() {
        let sent = sent_of(&message, at_ms);
        // Where the journal failed it may be written all the same, and a known key counts already.
        let _ = delivery.plan(journal, message);
        pinner.history.record(sent);
    }
}

/// Four weeks around a night in which clocks are moved.
async fn live(seed: u64) -> Arc<Mutex<World>> {
    let world = Arc::new(Mutex::new(World { rng: Some(Rng::new(seed)), ..World::default() }));
    let mut rng = Rng::new(seed + 1_000);
    let clock = Arc::new(AtomicU64::new([1_774_742_400_000, 1_792_886_400_000][(seed % 2) as usize] - 2 * WEEK_MS));
    let (mut delivery, mut known) = started(&world);
    let mut journal = Shaky(world.clone());
    for n in 0..4_000u32 {
        let step = u64::from(rng.below(20 * MINUTE_MS as u32));
        let now_ms = clock.fetch_add(step, Ordering::Relaxed) + step;
        if rng.below(300) == 0 {
            clock.store(now_ms - u64::from(rng.below(5 * HOUR_MS as u32)), Ordering::Relaxed);
        }
        let now_ms = clock.load(Ordering::Relaxed);
        plan(&mut delivery, &mut known, &mut journal, &mut rng, now_ms, n);
        let mut guard = |message: &Message, now_ms: u64| {
            let pinner = &mut known[number(&message.pinner)];
            let said = gate(&params(), pinner, &ask_of(message), now_ms);
            if said == Gate::Go {
                pinner.history.record(sent_of(message, now_ms));
            }
            said
        };
        let told = || clock.load(Ordering::Relaxed);
        let failed = delivery.step(&mut journal, &mut guard, &told).await.is_err();
        let dying = world.lock().expect("one thread").dying;
        // A process may go on after its journal failed, but not after its end.
        if dying || (failed && rng.below(2) == 0) || rng.below(100) == 0 {
            (delivery, known) = started(&world);
        }
    }
    world
}

#[tokio::test]
async fn whatever_fails_nobody_is_disturbed_twice_or_at_the_wrong_time() {
    let (mut arrived, mut repeats, mut dead) = (0, 0, 0);
    for seed in 0..12 {
        let world = live(seed).await;
        let world = world.lock().expect("one thread");
        let (params, known) = (params(), pinners());
        arrived += world.arrived.len();
        repeats += world.repeats;
        dead += world.entries.iter().filter(|entry| matches!(entry, Entry::Dead { .. })).count();
        let mut keys: Vec<Key> = world.arrived.iter().map(|(message, _)| message.key).collect();
        keys.sort_unstable();
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "seed {seed}: a key arrived twice");
        for (place, pinner) in known.iter().enumerate() {
            let own = world.arrived.iter().filter(|(message, _)| number(&message.pinner) == place);
            let mut at: Vec<u64> = own.map(|(_, at_ms)| *at_ms).collect();
            at.sort_unstable();
            assert!(at.is_empty() || !(pinner.unsubscribed || is_held_out(&params, &pinner.id)), "{}", pinner.id);
            assert!(at.iter().all(|&at_ms| !params.quiet.is_quiet(pinner.zone, at_ms)), "quiet hours of {}", pinner.id);
            for (window, most) in [(DAY_MS, 1), (WEEK_MS, 5), (params.spacing_ms, 1)] {
                for &from in &at {
                    let inside = at.iter().filter(|&&at_ms| at_ms >= from && at_ms < from + window).count();
                    assert!(inside <= most, "seed {seed}: {inside} within {window} ms for {}", pinner.id);
                }
            }
        }
    }
    // The test can fail: a lot arrives, much of it at the second attempt, and much is given up.
    assert!(arrived > 1_000 && repeats > 20 && dead > 100, "{arrived} arrived, {repeats} again, {dead} dead");
}

#[test]
fn guards_say_when_to_come_again() {
    let mut pinner = pinners().swap_remove(1);
    let message = message(1, ChannelKind::Webhook);
    let params = EligibilityParams { holdout_share: 0.0, ..params() };
    let night = NOW - NOW % DAY_MS + 3 * HOUR_MS;
    let open = params.quiet.next_open(pinner.zone, night);
    assert_eq!(gate(&params, &pinner, &ask_of(&message), night), Gate::Wait(open));
    assert_eq!(gate(&params, &pinner, &ask_of(&message), open), Gate::Go);
    pinner.history = History::default();
    pinner.history.record(Sent { key: Key(7), ..sent_of(&message, open) });
    assert_eq!(gate(&params, &pinner, &ask_of(&message), open + 1), Gate::Wait(open + 1 + HOUR_MS));
    pinner.unsubscribed = true;
    assert_eq!(gate(&params, &pinner, &ask_of(&message), open), Gate::Drop(Refusal::Unsubscribed));
    let never = EligibilityParams { quiet: QuietHours::NONE, on: false, ..params };
    assert_eq!(gate(&never, &pinner, &ask_of(&message), open), Gate::Drop(Refusal::Off));
}

#[test]
fn the_list_takes_each_key_once() {
    let mut inbox = Inbox::default();
    let added = |n| InboxEntry::Added { message: Box::new(message(n, ChannelKind::InApp)), at_ms: NOW + n };
    for n in [1, 2, 1] {
        inbox.apply(&added(n));
    }
    let keys = |inbox: &Inbox| inbox.list("ann").map(|(message, read)| (message.pin.clone(), read)).collect::<Vec<_>>();
    assert_eq!(keys(&inbox), [("pin-2".to_owned(), false), ("pin-1".to_owned(), false)]);
    let (pinner, key) = ("ann".to_owned(), message(2, ChannelKind::InApp).key);
    inbox.apply(&InboxEntry::Read { pinner: pinner.clone(), key });
    assert!(keys(&inbox)[0].1);
    inbox.apply(&InboxEntry::Removed { pinner, key });
    inbox.apply(&added(2));
    assert_eq!(keys(&inbox).len(), 1, "what was removed does not come again");
    (0..300).for_each(|n| inbox.apply(&added(n)));
    assert!(inbox.list("ann").count() <= 100);
    assert_eq!(inbox.list("bob").count(), 0);
}

#[test]
fn what_is_wrong_is_named() {
    assert!(DeliverParams::default().validate().is_ok());
    let wrong = DeliverParams { backoff_max_ms: 1, ..DeliverParams::default() };
    let error = wrong.validate().expect_err("shorter than the first").to_string();
    assert!(error.starts_with("deliver.backoff_max_ms"), "{error}");
}
