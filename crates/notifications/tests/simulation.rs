//! A closed loop with planted truth: pinners who come by themselves or because they were notified, tire of it and leave.
//!
//! The model learns from weeks of other pinners whose volume was drawn at random, and sees only what a product sees:
//! visits, sends, opens. Then each policy has the same pinners and the same dice for four weeks. Figures:
//! `cargo test --release -p bowerbird-notifications --test simulation -- --nocapture`.

use domain::Rng;
use notifications::{Allocation, ValueModel, ValueParams, Weeks, allocate_streamed};

const PINNERS: usize = 30_000;
/// Weeks that are remembered of a pinner, under business as usual.
const PAST: usize = 12;
const VOLUMES: usize = 8;
/// Everybody's volume before.
const USUAL: u8 = 3;
const SEEDS: u64 = 3;

#[derive(Clone)]
struct Pinner {
    /// Chance of a visit in a week without notifications.
    activity: f32,
    /// Chance that one notification, when rested, brings a visit.
    response: f32,
    /// Whether they look at notifications at all.
    looks: bool,
    /// So many recent notifications make one count a third as much.
    patience: f32,
    /// Recent notifications.
    fatigue: f32,
    subscribed: bool,
    /// Of the last weeks: visited, sent, opened.
    weeks: [(bool, u8, u8); PAST],
}

/// What came of a week.
struct Outcome {
    visited: bool,
    unsubscribed: bool,
    sent: u8,
}

impl Pinner {
    fn new(rng: &mut Rng) -> Pinner {
        let activity = (0.02 + 0.96 * rng.uniform()).powf(1.3);
        // Those who come anyway need no notification, those who are gone do not hear it.
        let looks = rng.uniform() < 0.65;
        let response = if looks { 1.4 * activity * (1.0 - activity) * (0.5 + rng.uniform()) } else { 0.0 };
        // Who is there often bears more.
        let patience = 2.0 + 8.0 * activity + 4.0 * rng.uniform();
        Pinner { activity, response, looks, patience, fatigue: 0.0, subscribed: true, weeks: [(false, 0, 0); PAST] }
    }

    /// Chances of a visit, and of leaving after one notification more.
    fn chances(&self, volume: u8) -> (f32, f32) {
        let felt = self.response * (-self.fatigue / self.patience).exp();
        let visits = 1.0 - (1.0 - self.activity) * (1.0 - felt).powi(i32::from(volume));
        let tired = (self.fatigue + f32::from(volume)) / self.patience;
        let ignored = if self.looks { 1.0 } else { 2.0 };
        (visits, 0.0015 * ignored * (1.3 - self.activity) * (1.0 + tired * tired))
    }

    /// Lives a week in which `volume` was allocated; who leaves gets no more of it.
    fn live(&mut self, volume: u8, rng: &mut Rng) -> Outcome {
        let dice = rng.uniform();
        let volume = if self.subscribed { volume } else { 0 };
        let (_, leaves) = self.chances(volume);
        let mut sent = 0;
        let mut unsubscribed = false;
        for _ in 0..volume {
            sent += 1;
            unsubscribed = rng.uniform() < leaves;
            if unsubscribed {
                break;
            }
        }
        let (visits, _) = self.chances(sent);
        let visited = dice < visits;
        // Opens say who likes to tap, and those are the ones who come anyway.
        let taps = 0.05 + 0.35 * self.activity * if self.looks { 1.0 } else { 0.4 };
        let opened = (0..sent).filter(|_| rng.uniform() < taps).count() as u8;
        if unsubscribed {
            self.subscribed = false;
            self.activity *= 0.5;
        }
        // Habits: a visit makes the next one likelier.
        self.activity = if visited { self.activity + 0.03 * (1.0 - self.activity) } else { self.activity * 0.97 };
        self.fatigue = 0.5 * self.fatigue + f32::from(sent);
        self.weeks.rotate_right(1);
        self.weeks[0] = (visited, sent, opened);
        Outcome { visited, unsubscribed, sent }
    }

    /// Business as usual.
    fn past(&mut self, rng: &mut Rng) {
        for _ in 0..PAST {
            self.live(USUAL, rng);
        }
    }

    /// What a product sees.
    fn features(&self) -> [f32; 5] {
        let visits = self.weeks.iter().filter(|week| week.0).count() as f32;
        let sent: u32 = self.weeks.iter().map(|week| u32::from(week.1)).sum();
        let last = self.weeks.iter().position(|week| week.0).unwrap_or(PAST) as f32;
        [visits, last, self.open_rate(), sent as f32, f32::from(self.weeks[0].1)]
    }

    fn open_rate(&self) -> f32 {
        let sum = |of: fn(&(bool, u8, u8)) -> u8| self.weeks.iter().map(|week| f32::from(of(week))).sum::<f32>();
        (sum(|week| week.2) + 1.0) / (sum(|week| week.1) + 4.0)
    }
}

/// Weeks of other pinners at random volumes, and the fourth week after for those who left.
fn learned(seed: u64) -> ValueModel {
    let mut rng = Rng::new(seed);
    let names = ["visits", "last_visit", "open_rate", "sent", "sent_last"].map(str::to_owned).to_vec();
    let mut weeks = Weeks { names, ..Weeks::default() };
    for _ in 0..8 * PINNERS {
        let mut pinner = Pinner::new(&mut rng);
        pinner.past(&mut rng);
        if !pinner.subscribed {
            continue;
        }
        // Held for four weeks: a volume tires only who gets it again and again.
        let volume = rng.below(VOLUMES as u32) as u8;
        weeks.features.extend(pinner.features());
        weeks.allocated.push(volume);
        for _ in 0..3 {
            pinner.live(volume, &mut rng);
        }
        weeks.visited.push(pinner.live(volume, &mut rng).visited);
        weeks.unsubscribed.push(!pinner.subscribed);
        for _ in 0..3 {
            pinner.live(0, &mut rng);
        }
        weeks.active_later.push(pinner.live(0, &mut rng).visited);
    }
    ValueModel::fit(&ValueParams::default(), &weeks).expect("enough rows")
}

/// Volumes of a week.
type Policy<'a> = &'a dyn Fn(&[Pinner]) -> Vec<u8>;

fn fixed(cap: u8, pinners: &[Pinner]) -> Vec<u8> {
    pinners.iter().map(|pinner| if pinner.subscribed { cap } else { 0 }).collect()
}

/// As many as under a fixed cap, all to those who open most.
fn click_greedy(cap: u8, pinners: &[Pinner]) -> Vec<u8> {
    let mut order: Vec<usize> = (0..pinners.len()).filter(|&at| pinners[at].subscribed).collect();
    let mut left = order.len() * usize::from(cap);
    order.sort_by(|&a, &b| pinners[b].open_rate().total_cmp(&pinners[a].open_rate()).then(a.cmp(&b)));
    let mut volumes = vec![0; pinners.len()];
    for at in order {
        volumes[at] = left.min(VOLUMES - 1) as u8;
        left -= usize::from(volumes[at]);
    }
    volumes
}

/// The allocation, with so many notifications a subscriber.
fn allocated(model: &ValueModel, each: f64, pinners: &[Pinner]) -> Vec<u8> {
    let features: Vec<f32> = pinners.iter().flat_map(Pinner::features).collect();
    let budget = pinners.iter().filter(|pinner| pinner.subscribed).count() as f64 * each;
    let fill = |first: usize, rows: &mut [f32]| {
        model.fill(&features, VOLUMES, first, rows);
        for (row, pinner) in rows.chunks_exact_mut(VOLUMES).zip(&pinners[first..]) {
            if !pinner.subscribed {
                row[1..].fill(f32::NAN);
            }
        }
    };
    let made: Allocation = allocate_streamed(pinners.len(), VOLUMES, budget as u64, &fill).expect("rows");
    assert!(made.gap() < 0.01, "within a hundredth of the bound: {}", made.gap());
    made.volumes
}

/// What four weeks of a policy bring.
#[derive(Clone, Copy, Default)]
struct Figures {
    /// Part of the pinners who are active in the fourth week.
    active: f64,
    sends: f64,
    left: f64,
    opens: f64,
}

impl Figures {
    fn add(&mut self, other: &Figures, part: f64) {
        self.active += other.active * part;
        self.sends += other.sends * part;
        self.left += other.left * part;
        self.opens += other.opens * part;
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Figures { active, sends, left, opens } = self;
        write!(f, "active {active:.4}, sends {sends:>6.0}, left {left:>4.0}, opened {:.3}", opens / sends.max(1.0))
    }
}

fn four_weeks(start: &[Pinner], policy: Policy, seed: u64) -> Figures {
    let mut pinners = start.to_vec();
    let mut figures = Figures::default();
    for week in 0..4 {
        let volumes = policy(&pinners);
        figures.active = 0.0;
        for (place, (pinner, volume)) in pinners.iter_mut().zip(volumes).enumerate() {
            // The same dice for everybody's policy.
            let mut rng = Rng::new(seed ^ (place as u64) << 8 ^ week);
            let outcome = pinner.live(volume, &mut rng);
            figures.active += f64::from(u8::from(outcome.visited)) / start.len() as f64;
            figures.sends += f64::from(outcome.sent);
            figures.left += f64::from(u8::from(outcome.unsubscribed));
            figures.opens += f64::from(pinner.weeks[0].2);
        }
    }
    figures
}

#[test]
fn more_pinners_are_active_after_four_weeks_with_fewer_notifications() {
    let mut sums = [Figures::default(); 5];
    for seed in 1..=SEEDS {
        let model = learned(seed);
        let mut rng = Rng::new(seed + 100);
        let mut start: Vec<Pinner> = (0..PINNERS).map(|_| Pinner::new(&mut rng)).collect();
        start.iter_mut().for_each(|pinner| pinner.past(&mut rng));
        let caps = (1..VOLUMES as u8).map(|cap| four_weeks(&start, &|pinners| fixed(cap, pinners), seed));
        let caps: Vec<Figures> = caps.collect();
        let (cap, best) = (1..).zip(caps).max_by(|a, b| a.1.active.total_cmp(&b.1.active)).expect("a cap");
        let policies: [(&str, Policy); 4] = [
            ("nothing", &|pinners| fixed(0, pinners)),
            ("click-greedy", &|pinners| click_greedy(cap, pinners)),
            ("allocation, 90 %", &|pinners| allocated(&model, 0.9 * f64::from(cap), pinners)),
            ("allocation, 75 %", &|pinners| allocated(&model, 0.75 * f64::from(cap), pinners)),
        ];
        let [nothing, greedy, ours, fewer] = policies.map(|(name, policy)| (name, four_weeks(&start, policy, seed)));
        let all = [nothing, ("best fixed cap", best), greedy, ours, fewer];
        for (sum, (name, figures)) in sums.iter_mut().zip(all) {
            println!("seed {seed}, cap {cap}: {name:<16} {figures}");
            sum.add(&figures, 1.0 / SEEDS as f64);
        }
    }
    let names = ["nothing", "best fixed cap", "click-greedy", "allocation, 90 %", "allocation, 75 %"];
    names.iter().zip(sums).for_each(|(name, sum)| println!("mean: {name:<16} {sum}"));
    let [nothing, fixed, greedy, ours, fewer] = sums;
    assert!(ours.active > fixed.active && fixed.active > nothing.active, "more than under any fixed cap");
    assert!(ours.active > greedy.active + 0.02, "more than with click-greedy");
    assert!(ours.sends < 0.93 * fixed.sends && ours.sends < 0.93 * greedy.sends, "with fewer notifications");
    assert!(ours.left < 0.8 * fixed.left && ours.left < 0.8 * greedy.left, "and fewer leave");
    assert!(fewer.active > fixed.active - 0.002 && fewer.active > greedy.active + 0.02, "as many with a quarter fewer");
    assert!(fewer.sends < 0.78 * fixed.sends && fewer.left < 0.6 * fixed.left, "of whom half as many leave");
}
