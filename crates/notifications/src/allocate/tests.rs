use super::*;
use domain::Rng;

/// The best sum of returns with at most `budget` notifications, by dynamic programming over all pinners.
fn best_sum(returns: &[f32], volumes: usize, budget: usize) -> f64 {
    let mut best = vec![0.0f64; budget + 1];
    for row in returns.chunks_exact(volumes) {
        best = (0..=budget)
            .map(|used| {
                let reach = |k: usize| best[used - k] + f64::from(row[k]);
                let ks = (0..volumes.min(used + 1)).filter(|&k| row[k].is_finite());
                ks.map(reach).fold(f64::NEG_INFINITY, f64::max)
            })
            .collect();
    }
    best.into_iter().fold(f64::NEG_INFINITY, f64::max)
}

/// The linear relaxation's optimum: all steps of all envelopes in order, the last one in part.
fn relaxed_sum(returns: &[f32], volumes: usize, budget: u64) -> f64 {
    let mut steps: Vec<Step> = Vec::new();
    for row in returns.chunks_exact(volumes) {
        steps.extend(Envelope::default().of(row));
    }
    steps.sort_by(|a, b| b.slope.total_cmp(&a.slope));
    let mut left = budget;
    let base: f64 = returns.chunks_exact(volumes).map(|row| f64::from(row[0])).sum();
    let gain = steps.iter().map(|step| {
        let sends = step.sends().min(left);
        left -= sends;
        f64::from(step.slope) * sends as f64
    });
    base + gain.sum::<f64>()
}

fn drawn(rng: &mut Rng, pinners: usize, volumes: usize, coarse: bool) -> Vec<f32> {
    let mut returns = Vec::new();
    for _ in 0..pinners {
        let mut sum = rng.uniform();
        for k in 0..volumes {
            let step = rng.uniform() - 0.25;
            // Coarse steps tie often.
            sum += if k == 0 {
                0.0
            } else if coarse {
                (step * 4.0).round() * 0.25
            } else {
                step
            };
            let missing = k > 0 && rng.below(12) == 0;
            returns.push(if missing { f32::NAN } else { sum });
        }
    }
    returns
}

#[test]
fn the_bound_is_the_relaxation_and_less_than_a_step_is_missed() {
    let mut rng = Rng::new(11);
    for round in 0..600 {
        let (pinners, volumes) = (1 + rng.below(12) as usize, 2 + rng.below(7) as usize);
        let returns = drawn(&mut rng, pinners, volumes, round % 2 == 0);
        let budget = u64::from(rng.below(pinners as u32 * 4 + 2));
        let made = allocate(&returns, volumes, budget).expect("whole rows");
        let value: f64 =
            returns.chunks_exact(volumes).zip(&made.volumes).map(|(row, &k)| f64::from(row[usize::from(k)])).sum();
        assert!((made.value - value).abs() < 1e-9, "the value is that of the volumes");
        assert_eq!(made.sends, made.volumes.iter().map(|&k| u64::from(k)).sum::<u64>());
        assert!(made.sends <= budget, "{} of {budget}", made.sends);
        let best = best_sum(&returns, volumes, budget as usize);
        assert!(made.value <= best + 1e-6 && best <= made.bound + 1e-6, "{} {best} {}", made.value, made.bound);
        let relaxed = relaxed_sum(&returns, volumes, budget);
        assert!((relaxed - made.bound).abs() < 1e-4, "{relaxed} is not {}", made.bound);
        let longest = returns.chunks_exact(volumes).flat_map(|row| {
            Envelope::default().of(row).iter().map(|step| step.slope * step.sends() as f32).collect::<Vec<f32>>()
        });
        let longest = f64::from(longest.fold(0.0, f32::max));
        assert!(best - made.value <= longest + 1e-6, "{best} - {} is more than a step", made.value);
    }
}

#[test]
fn concave_returns_are_solved_to_the_optimum() {
    let mut rng = Rng::new(12);
    for _ in 0..200 {
        let (pinners, volumes) = (1 + rng.below(20) as usize, 2 + rng.below(7) as usize);
        let mut returns = Vec::new();
        for _ in 0..pinners {
            let mut gains: Vec<f32> = (1..volumes).map(|_| (rng.uniform() * 8.0).round() / 8.0 - 0.125).collect();
            gains.sort_by(|a, b| b.total_cmp(a));
            let mut sum = 0.5;
            returns.push(sum);
            returns.extend(gains.iter().map(|gain| {
                sum += gain;
                sum
            }));
        }
        let budget = u64::from(rng.below(pinners as u32 * 5));
        let made = allocate(&returns, volumes, budget).expect("whole rows");
        assert_eq!(made.value, best_sum(&returns, volumes, budget as usize));
        let worth: usize =
            returns.chunks_exact(volumes).map(|row| row.windows(2).filter(|at| at[1] > at[0]).count()).sum();
        assert_eq!(made.sends, budget.min(worth as u64), "the budget is used as far as it is worth it");
        assert!(made.gap() < 1e-6, "{}", made.gap());
    }
}

#[test]
fn equal_pinners_use_the_budget_to_the_last_notification() {
    // All alike, steps of three: 10 = 3 + 3 + 3, and one that goes one volume up, off the envelope.
    let returns = [0.0f32, 0.1, 0.2, 0.9].repeat(40_000);
    for (budget, value) in [(10, 2.8), (11, 2.9), (12, 3.6), (30_001, 9_000.1)] {
        let made = allocate(&returns, 4, budget).expect("whole rows");
        assert_eq!(made.sends, budget);
        assert!((made.value - value).abs() < 1e-3, "{} is not {value}", made.value);
        assert!((made.threshold - 0.3).abs() < 1e-6, "{}", made.threshold);
    }
    // Points on one line are climbed one by one.
    let made = allocate(&[0.0f32, 1.0, 2.0, 3.0].repeat(40_000), 4, 50_001).expect("whole rows");
    assert_eq!((made.sends, made.value, made.gap()), (50_001, 50_001.0, 0.0));
}

#[test]
fn what_is_not_worth_it_is_not_sent_and_no_number_is_no_volume() {
    let falling = [0.5f32, 0.4, 0.3, f32::NAN, 0.6, f32::INFINITY, f32::NAN, 0.6];
    let made = allocate(&falling, 4, 100).expect("whole rows");
    assert_eq!((made.volumes.as_slice(), made.threshold, made.sends), ([0, 0].as_slice(), 0.0, 0));
    let mut other = falling;
    other[6] = 0.7;
    let made = allocate(&other, 4, 100).expect("whole rows");
    assert_eq!(made.volumes, [0, 2]);
    // A pinner without a return for nothing counts nowhere.
    let made = allocate(&[f32::NAN, 5.0, 0.1, 0.2], 2, 9).expect("whole rows");
    assert_eq!((made.volumes.as_slice(), made.sends), ([0, 1].as_slice(), 1));
    assert!((made.bound - 0.2).abs() < 1e-6);
    assert_eq!(allocate(&[], 3, 5).expect("nobody").sends, 0);
}

#[test]
fn rows_that_are_none_are_refused() {
    let error = |returns: &[f32], volumes| allocate(returns, volumes, 1).expect_err("refused").to_string();
    assert_eq!(error(&[0.0; 7], 3), "allocate.returns: 7 numbers are no whole rows of 3");
    assert!(error(&[0.0; 4], 1).starts_with("allocate.volumes: 4 pinners with 1 volumes"));
    assert!(error(&[0.0; 66], 33).starts_with("allocate.volumes"));
}

#[test]
fn many_pinners_come_within_a_hundredth_of_the_bound() {
    let figures = bench_allocate(200_000, 3).expect("pinners");
    assert_eq!(figures.sends, figures.budget);
    assert!(figures.gap < 1e-4 && figures.value > figures.baseline, "{figures}");
    assert!(figures.bent > 0.2, "returns that bend upwards are among them: {}", figures.bent);
    let again = bench_allocate(200_000, 3).expect("pinners");
    assert_eq!((again.value, again.threshold), (figures.value, figures.threshold), "a seed replays");
}
