use super::*;
use crate::zone::DAY_MS;
use crate::{Consent, Delivery, Entry, Gate, Journal, Message, Outbox, ValueParams, Weeks, Zone, is_held_out};

const WEEK: u64 = 1_780_272_000_000;

/// A model in which those in the middle of the one feature gain from being notified.
fn model() -> ValueModel {
    let mut rng = Rng::new(1);
    let mut weeks = Weeks { names: vec!["activity".to_owned()], ..Weeks::default() };
    for _ in 0..20_000 {
        let (activity, volume) = (rng.uniform(), rng.below(8) as u8);
        let lift = 0.4 * (1.0 - (2.0 * activity - 1.0).abs());
        let active = 1.0 - (1.0 - activity) * (1.0 - lift).powf(f32::from(volume).sqrt());
        weeks.features.push(activity);
        weeks.allocated.push(volume);
        weeks.visited.push(rng.uniform() < active);
        weeks.unsubscribed.push(rng.uniform() < 0.002 * f32::from(volume));
        weeks.active_later.push(rng.uniform() < activity * 0.5);
    }
    ValueModel::fit(&ValueParams { periods: 4.0, ..ValueParams::default() }, &weeks).expect("enough rows")
}

struct World {
    params: NotifyParams,
    pinners: Vec<PinnerState>,
    opens: Vec<Opens>,
    all: Opens,
    model: ValueModel,
    features: Vec<f32>,
    candidates: Vec<Candidate>,
}

impl World {
    fn new(pinners: usize) -> World {
        let mut rng = Rng::new(2);
        let zones = ["Europe/Berlin", "America/New_York", "Asia/Kolkata"];
        let agreed = Consent::default().with(Kind(0), ChannelKind::Webhook).with(Kind(1), ChannelKind::Email);
        let pinner = |n: usize| PinnerState {
            consent: if n.is_multiple_of(5) { Consent::default() } else { agreed },
            unsubscribed: n.is_multiple_of(11),
            address: "a@b.example".to_owned(),
            seen: vec![PinId(3)],
            ..PinnerState::new(format!("pinner-{n}"), Zone::parse(zones[n % 3]).expect("a zone"))
        };
        let candidate = |pinner: usize, rng: &mut Rng| Candidate {
            pinner,
            kind: Kind(rng.below(3) as u8),
            pin: PinId(rng.below(50)),
            score: rng.uniform(),
        };
        World {
            params: NotifyParams::default(),
            pinners: (0..pinners).map(pinner).collect(),
            opens: vec![Opens::default(); pinners],
            all: Opens::default(),
            model: model(),
            features: (0..pinners).map(|_| rng.uniform()).collect(),
            candidates: (0..pinners * 12).map(|n| candidate(n / 12, &mut rng)).collect(),
        }
    }

    fn input(&self, now_ms: u64) -> PlanInput<'_> {
        PlanInput {
            params: &self.params,
            week_ms: WEEK,
            now_ms,
            pinners: &self.pinners,
            opens: &self.opens,
            all: &self.all,
            model: &self.model,
            features: &self.features,
            candidates: &self.candidates,
        }
    }
}

#[test]
fn each_candidate_is_planned_or_refused_by_a_reason() {
    let world = World::new(2_000);
    let made = plan(&world.input(WEEK)).expect("columns that fit");
    let refused: usize = made.refused.values().sum();
    assert_eq!(made.planned.len() + refused, world.candidates.len());
    assert_eq!((made.budget, made.candidates), (3_000, 24_000));
    assert!(made.planned.len() as u64 <= made.allocated && made.allocated <= made.budget);
    assert!(made.planned.len() as u64 * 10 > made.allocated * 9, "most find a moment: {made}");
    assert_eq!(made.by_volume.iter().sum::<usize>(), 2_000);
    for reason in
        [Refusal::Holdout, Refusal::Unsubscribed, Refusal::NoConsent, Refusal::AlreadySeen, Refusal::NotWorthIt]
    {
        assert!(made.refused.get(&reason).is_some_and(|&count| count > 0), "{reason}: {made}");
    }
    assert_eq!(made.refused.get(&Refusal::Unsubscribed), Some(&count_of(&world, |pinner| pinner.unsubscribed)));
    // In the middle of activity there is most to gain.
    let place = |pinner: &str| pinner.trim_start_matches("pinner-").parse::<usize>().expect("a number");
    let middle = made.planned.iter().filter(|sent| (0.25..0.75).contains(&world.features[place(&sent.pinner)])).count();
    assert!(middle * 10 > made.planned.len() * 6, "{middle} of {}", made.planned.len());
    let text = made.to_string();
    assert!(text.contains("not sent, holdout: ") && text.contains("… and "), "{text}");
    let json = serde_json::to_value(&made).expect("it serialises");
    assert!(
        json["refused"]["not_worth_it"].is_u64() && json["planned"][0]["channel"].is_string(),
        "{}",
        json["refused"]
    );
}

/// Candidates of pinners who are not held out and of whom `holds`.
fn count_of(world: &World, holds: impl Fn(&PinnerState) -> bool) -> usize {
    let held = |pinner: &PinnerState| is_held_out(&world.params.eligibility, &pinner.id);
    world.pinners.iter().filter(|pinner| holds(pinner) && !held(pinner)).count() * 12
}

#[test]
fn what_is_planned_holds_to_every_guard() {
    let world = World::new(1_500);
    let made = plan(&world.input(WEEK + 5 * HOUR_MS)).expect("columns that fit");
    assert!(made.planned.len() > 500);
    let (mut known, guards) = (world.pinners.clone(), &world.params.eligibility);
    for sent in &made.planned {
        let candidate = &world.candidates[sent.candidate];
        let pinner = &mut known[candidate.pinner];
        let asked = ask(sent.key, candidate, sent.channel);
        assert_eq!(eligible(guards, pinner, &asked, sent.at_ms), Ok(()), "{sent:?}");
        assert!((WEEK + 5 * HOUR_MS..WEEK + WEEK_MS).contains(&sent.at_ms));
        pinner.history.record(Sent { key: sent.key, kind: candidate.kind, pin: candidate.pin, at_ms: sent.at_ms });
    }
}

#[test]
fn planning_again_repeats_or_adds_nothing() {
    let mut world = World::new(1_000);
    let made = plan(&world.input(WEEK)).expect("columns that fit");
    assert_eq!(plan(&world.input(WEEK)).expect("columns that fit"), made, "the same arguments, the same plan");
    // Everything is planned, a day has gone: what is left of the budget is what found no moment.
    for sent in &made.planned {
        let candidate = world.candidates[sent.candidate];
        let record = Sent { key: sent.key, kind: candidate.kind, pin: candidate.pin, at_ms: sent.at_ms };
        world.pinners[candidate.pinner].history.record(record);
    }
    let again = plan(&world.input(WEEK + DAY_MS)).expect("columns that fit");
    assert_eq!(again.budget, made.budget - made.planned.len() as u64);
    assert!(again.planned.len() as u64 <= again.budget);
    assert!(again.planned.iter().all(|sent| made.planned.iter().all(|before| before.key != sent.key)));
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let world = World::new(10);
    let error = |input: &PlanInput| plan(input).expect_err("refused").to_string();
    let short = PlanInput { features: &world.features[1..], ..world.input(WEEK) };
    assert_eq!(error(&short), "plan: 10 pinners need as many opens and rows of 1 features");
    let strange = [Candidate { pinner: 10, ..world.candidates[0] }];
    assert!(error(&PlanInput { candidates: &strange, ..world.input(WEEK) }).starts_with("plan:"));
    let nobody = PlanInput { pinners: &[], opens: &[], features: &[], candidates: &[], ..world.input(WEEK) };
    assert_eq!(plan(&nobody).expect("nobody").planned.len(), 0);
    let late = plan(&world.input(WEEK + 2 * WEEK_MS)).expect("the week is over");
    assert_eq!(late.planned.len(), 0);
}

/// A journal in memory.
struct Kept(Vec<Entry>);

impl Journal for Kept {
    fn append(&mut self, entries: &[Entry]) -> Result<(), String> {
        self.0.extend_from_slice(entries);
        Ok(())
    }
}

#[tokio::test]
async fn a_plan_goes_through_the_outbox() {
    let world = World::new(300);
    let made = plan(&world.input(WEEK)).expect("columns that fit");
    let mut delivery = Delivery::new(world.params.deliver.clone(), Outbox::default(), Vec::new()).expect("sound");
    let mut journal = Kept(Vec::new());
    for sent in &made.planned {
        let message = Message {
            key: sent.key,
            pinner: sent.pinner.clone(),
            kind: sent.kind.clone(),
            channel: sent.channel,
            address: String::new(),
            pin: sent.pin.to_string(),
            title: String::new(),
            body: String::new(),
            link: String::new(),
            unsubscribe: String::new(),
            zone: Zone::UTC,
            at_ms: sent.at_ms,
            expires_ms: sent.at_ms + DAY_MS,
        };
        assert!(delivery.plan(&mut journal, message.clone()).expect("room"));
        assert!(!delivery.plan(&mut journal, message).expect("room"), "once");
    }
    assert_eq!(delivery.outbox().next_ms(), made.planned.first().map(|sent| sent.at_ms));
    let step = delivery.step(&mut journal, &mut |_, _| Gate::Go, &|| WEEK).await.expect("the journal keeps");
    assert_eq!(step.sent + step.dead, 0, "nothing is due before its moment");
}
