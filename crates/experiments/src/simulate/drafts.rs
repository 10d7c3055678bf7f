use super::{normal_pair, refused, uniform};
use crate::interleaving::{Team, team_draft};
use crate::{Baseline, ExperimentError, Moments, Plan, lift, preference};
use domain::Rng;
use serde::{Deserialize, Serialize};

/// Most sessions that are drawn in all.
const SESSIONS_MAX: u64 = 100_000_000;

/// Two rankings of the same quality but for how noisily they see it, and people who click down a page.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SensitivityConfig {
    /// Items to rank in a session.
    pub items: u32,
    /// Places that are shown.
    pub places: u32,
    /// How noisily ranking A sees what is relevant, in standard deviations of relevance.
    pub noise_a: f64,
    /// How noisily ranking B does.
    pub noise_b: f64,
    /// How much sessions differ in how often they click at all: the standard deviation of the logarithm of a factor.
    pub eagerness: f64,
    /// Sessions of each kind that effects and variances are measured on.
    pub sessions: u32,
    /// Experiments that the power at the found sizes is measured on; 0 measures none.
    pub checks: u32,
    /// Error rate and power that both are planned for.
    pub plan: Plan,
}

impl Default for SensitivityConfig {
    fn default() -> Self {
        SensitivityConfig {
            items: 50,
            places: 10,
            noise_a: 1.0,
            noise_b: 0.9,
            eagerness: 1.0,
            sessions: 200_000,
            checks: 200,
            plan: Plan::default(),
        }
    }
}

/// How many sessions each way to compare needs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sensitivity {
    /// Clicks per session of ranking A, as an A/B test sees them.
    pub clicks_a: f64,
    /// Clicks per session of ranking B.
    pub clicks_b: f64,
    /// Score of interleaving, positive where B is preferred.
    pub score: f64,
    /// Sessions, both arms together, that an A/B test of clicks needs.
    pub sessions_ab: f64,
    /// Sessions that interleaving needs.
    pub sessions_interleaving: f64,
    /// How many times as many the A/B test needs.
    pub times: f64,
    /// Measured power of the A/B test with its sessions.
    pub power_ab: f64,
    /// Measured power of interleaving with its sessions.
    pub power_interleaving: f64,
}

/// Plans both ways to compare two rankings for the same power, from what `sessions` sessions of each kind show, then
/// measures the power at the planned sizes.
pub fn interleaving_sensitivity(config: &SensitivityConfig, seed: u64) -> Result<Sensitivity, ExperimentError> {
    checked(config)?;
    let mut world = World { config: *config, rng: Rng::new(seed) };
    let arms: [Moments; 2] = [Team::A, Team::B].map(|team| world.clicks_of(team, config.sessions));
    let scores = Moments::of((0..config.sessions).map(|_| score(world.interleaved())).collect::<Vec<f64>>());
    let both = Baseline::mean(&Moments { mean: arms[0].mean, ..arms[0].merged(&arms[1]) });
    let sessions_ab = config.plan.units_needed(&both, arms[1].mean - arms[0].mean)?;
    // One sample against 0 needs a quarter of what two halves of a sample against each other do.
    let half = Plan { treated: 0.5, ..config.plan };
    let sessions_interleaving = (half.units_needed(&Baseline::mean(&scores), scores.mean)? / 4.0).ceil().max(2.0);
    if u64::from(config.checks) as f64 * (sessions_ab + sessions_interleaving) > SESSIONS_MAX as f64 {
        return Err(refused(format!("{} checks of {sessions_ab} sessions; the rankings are too alike", config.checks)));
    }
    let mut found = [0u32; 2];
    for _ in 0..config.checks {
        found[0] += u32::from(world.ab_finds(sessions_ab)?);
        let sessions: Vec<(u32, u32)> = (0..sessions_interleaving as u64).map(|_| world.interleaved()).collect();
        found[1] += u32::from(preference(sessions, config.plan.alpha)?.score.excludes(0.0));
    }
    let power = found.map(|found| f64::from(found) / f64::from(config.checks.max(1)));
    Ok(Sensitivity {
        clicks_a: arms[0].mean,
        clicks_b: arms[1].mean,
        score: scores.mean,
        sessions_ab,
        sessions_interleaving,
        times: sessions_ab / sessions_interleaving,
        power_ab: power[0],
        power_interleaving: power[1],
    })
}

fn checked(config: &SensitivityConfig) -> Result<(), ExperimentError> {
    let SensitivityConfig { items, places, noise_a, noise_b, eagerness, sessions, .. } = *config;
    let noises = [noise_a, noise_b, eagerness].iter().all(|noise| (0.0..=100.0).contains(noise));
    let counts = places > 0 && places <= items && items <= 1_000;
    if !noises || !counts || sessions < 2 || u64::from(sessions) > SESSIONS_MAX {
        return Err(refused(format!("{config:?}: 1 to 1,000 items, no more places than those, noise of 0 to 100")));
    }
    Ok(())
}

fn score((a, b): (u32, u32)) -> f64 {
    match b.cmp(&a) {
        std::cmp::Ordering::Less => -0.5,
        std::cmp::Ordering::Equal => 0.0,
        std::cmp::Ordering::Greater => 0.5,
    }
}

struct World {
    config: SensitivityConfig,
    rng: Rng,
}

impl World {
    /// A new session: how eagerly it clicks, and the relevance of each item to it.
    fn session(&mut self) -> (f64, Vec<f64>) {
        let [eager, _] = normal_pair(&mut self.rng);
        let relevance = (0..self.config.items).map(|_| normal_pair(&mut self.rng)[0]).collect();
        ((self.config.eagerness * eager).exp(), relevance)
    }

    /// The best places of a ranking that sees relevance with noise.
    fn ranking(&mut self, relevance: &[f64], team: Team) -> Vec<u32> {
        let noise = if team == Team::A { self.config.noise_a } else { self.config.noise_b };
        let seen = relevance.iter().enumerate();
        let mut seen: Vec<(f64, u32)> =
            seen.map(|(item, truth)| (truth + noise * normal_pair(&mut self.rng)[0], item as u32)).collect();
        seen.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        seen.iter().take(self.config.places as usize).map(|(_, item)| *item).collect()
    }

    /// Whether what stands at a place is clicked: places are looked at as 1 / √place, and a relevant item is clicked
    /// more often (a logistic of its relevance, 5 % at the average).
    fn clicked(&mut self, eager: f64, relevance: f64, place: usize) -> bool {
        let chance = eager / (1.0 + (3.0 - relevance).exp()) / (place as f64 + 1.0).sqrt();
        uniform(&mut self.rng) < chance
    }

    fn clicks(&mut self, team: Team) -> f64 {
        let (eager, relevance) = self.session();
        let shown = self.ranking(&relevance, team);
        shown.iter().enumerate().filter(|(place, item)| self.clicked(eager, relevance[**item as usize], *place)).count()
            as f64
    }

    fn clicks_of(&mut self, team: Team, sessions: u32) -> Moments {
        let mut moments = Moments::default();
        (0..sessions).for_each(|_| moments.add(self.clicks(team)));
        moments
    }

    fn interleaved(&mut self) -> (u32, u32) {
        let (eager, relevance) = self.session();
        let rankings = [self.ranking(&relevance, Team::A), self.ranking(&relevance, Team::B)];
        let seed = self.rng.next_u64();
        let (mut a, mut b) = (0, 0);
        let shown = team_draft(&rankings[0], &rankings[1], self.config.places as usize, seed);
        for (place, (item, team)) in shown.into_iter().enumerate() {
            let clicks = u32::from(self.clicked(eager, relevance[item as usize], place));
            *if team == Team::A { &mut a } else { &mut b } += clicks;
        }
        (a, b)
    }

    fn ab_finds(&mut self, sessions: f64) -> Result<bool, ExperimentError> {
        let treated = (sessions * self.config.plan.treated).round();
        let control = self.clicks_of(Team::A, (sessions - treated) as u32).estimate();
        let treatment = self.clicks_of(Team::B, treated as u32).estimate();
        Ok(lift(&control, &treatment, self.config.plan.alpha)?.p < self.config.plan.alpha)
    }
}
