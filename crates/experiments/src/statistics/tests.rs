use super::*;
use domain::Rng;

fn near(found: f64, expected: f64, off: f64) {
    assert!((found - expected).abs() <= off * expected.abs().max(1e-300), "{found}, not {expected}");
}

fn normals(rng: &mut Rng, count: usize) -> Vec<f64> {
    (0..count).map(|_| f64::from(rng.normal())).collect()
}

#[test]
fn parts_of_an_arm_add_up() {
    let mut rng = Rng::new(1);
    let pairs: Vec<(f64, f64)> =
        (0..1_000).map(|_| (f64::from(rng.normal()) + 1e6, f64::from(rng.uniform()))).collect();
    let whole = PairMoments::of(pairs.iter().copied());
    let parts = pairs.chunks(70).map(|part| PairMoments::of(part.iter().copied()));
    let merged = parts.fold(PairMoments::default(), |sum, part| sum.merged(&part));
    near(merged.x.variance(), whole.x.variance(), 1e-9);
    near(merged.covariance(), whole.covariance(), 1e-6);
    let (mean, n) = (pairs.iter().map(|(_, y)| y).sum::<f64>() / 1_000.0, 1_000.0);
    near(whole.y.variance(), pairs.iter().map(|(_, y)| (y - mean).powi(2)).sum::<f64>() / (n - 1.0), 1e-10);
    let (sum, squares) = pairs.iter().fold((0.0, 0.0), |(sum, squares), (_, y)| (sum + y, squares + y * y));
    near(Moments::of_sums(n, sum, squares).expect("sums").variance(), whole.y.variance(), 1e-10);
    near(Moments::of_successes(200, 50).expect("part").estimate().variance, 0.25 * 0.75 / 199.0, 1e-10);
    assert!(Moments::of_successes(1, 2).is_err() && Moments::of_variance(5.0, 1.0, -1.0).is_err());
}

/// Against R's `t.test(extra ~ group, sleep)`: t = −1.8608, df = 17.776, p = 0.07939, −3.3654832 to 0.2054832.
#[test]
fn welch_as_published() {
    let control = Moments::of([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]).estimate();
    let treatment = Moments::of([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]).estimate();
    let lift = lift(&control, &treatment, 0.05).expect("arms");
    near(lift.degrees, 17.776473516, 1e-8);
    near(lift.p, 0.0793941402, 1e-7);
    near(lift.difference.low, -0.2054832, 1e-6);
    near(lift.difference.high, 3.3654832, 1e-6);
    assert_eq!(lift.relative, None, "control is not told from 0");
}

#[test]
fn relative_lifts_and_ratios_cover_the_truth() {
    let mut rng = Rng::new(2);
    let (mut relative, mut ratios, mut quantiles, mut exact) = (0, 0, 0, 0);
    for _ in 0..2_000 {
        let mut arm = |mean: f64| {
            let pairs = PairMoments::of((0..60).map(|_| {
                let views = 1.0 + f64::from(rng.below(20));
                let taste = mean + 0.1 * f64::from(rng.normal());
                (views, views * taste + f64::from(rng.normal()))
            }));
            (Moments::of((0..60).map(|_| 4.0 * mean + f64::from(rng.normal()))).estimate(), ratio(&pairs).expect("arm"))
        };
        let ((control, control_ratio), (treatment, treatment_ratio)) = (arm(0.5), arm(0.6));
        let lifted = lift(&control, &treatment, 0.05).expect("arms").relative.expect("control is not 0");
        relative += usize::from(!lifted.excludes(0.2));
        let ratio_lift = lift(&control_ratio, &treatment_ratio, 0.05).expect("arms");
        ratios += usize::from(!ratio_lift.difference.excludes(0.1));
        let mut values: Vec<f64> = normals(&mut rng, 500).iter().map(|x| x.exp()).collect();
        let truth = (1.2815515655446004f64).exp();
        let estimate = quantile(&mut values, 0.9).expect("values");
        quantiles += usize::from((estimate.value - truth).abs() < 1.96 * estimate.error());
        let interval = quantile_interval(&mut values, 0.9, 0.05).expect("values");
        exact += usize::from(!interval.excludes(truth));
    }
    for (name, covered) in [("relative", relative), ("ratio", ratios)] {
        assert!((1_870..=1_930).contains(&covered), "{name}: {covered} of 2,000");
    }
    assert!((1_820..=1_940).contains(&quantiles), "quantiles: {quantiles} of 2,000");
    assert!((1_890..=1_970).contains(&exact), "order statistics: {exact} of 2,000");
}

#[test]
fn a_quantile_of_units_knows_that_their_values_are_alike() {
    let mut rng = Rng::new(3);
    let (mut of_units, mut alone, mut spread) = (0.0, 0.0, Moments::default());
    for _ in 0..300 {
        let rows: Vec<(u64, f64)> = (0..200)
            .flat_map(|unit| {
                let taste = f64::from(rng.normal());
                normals(&mut rng, 5).into_iter().map(move |noise| (unit, taste + 0.3 * noise)).collect::<Vec<_>>()
            })
            .collect();
        let estimate = quantile_of_units(&rows, 0.5).expect("rows");
        of_units += estimate.error() / 300.0;
        alone += quantile(&mut rows.iter().map(|row| row.1).collect::<Vec<_>>(), 0.5).expect("rows").error() / 300.0;
        spread.add(estimate.value);
    }
    near(of_units, spread.variance().sqrt(), 0.12);
    assert!(alone < 0.7 * of_units, "{alone} {of_units}");
}

#[test]
fn cuped_leaves_what_the_past_does_not_explain() {
    let mut rng = Rng::new(4);
    let mut arm = |lift: f64| {
        PairMoments::of((0..50_000).map(|_| {
            let before = f64::from(rng.normal());
            (before, lift + 0.7 * before + 0.51f64.sqrt() * f64::from(rng.normal()))
        }))
    };
    let arms = [arm(0.0), arm(0.05)];
    let corrected = cuped(&arms).expect("arms");
    near(corrected.theta, 0.7, 0.02);
    near(corrected.variance_ratio, 0.51, 0.02);
    let found = lift(&corrected.arms[0], &corrected.arms[1], 0.05).expect("arms").difference;
    assert!(!found.excludes(0.05) && found.excludes(0.0), "{found:?}");
    let constant = [PairMoments::of([(1.0, 2.0), (1.0, 3.0)]), PairMoments::of([(1.0, 2.0), (1.0, 5.0)])];
    let same = cuped(&constant).expect("arms");
    assert_eq!((same.theta, same.variance_ratio, same.arms[1].value), (0.0, 1.0, 3.5));
    assert!(cuped(&[]).is_err());
}

#[test]
fn caps_draw_in_the_largest() {
    let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
    let cap = cap_at(&mut values, 0.99).expect("values");
    assert_eq!(cap, 99.0);
    near(winsorised(values.iter().copied(), 50.0).mean, (50.0 * 51.0 / 2.0 + 50.0 * 50.0) / 100.0, 1e-12);
    assert!(cap_at(&mut [1.0, f64::NAN, 2.0], 0.5).expect_err("NaN").to_string().contains("value 1 is no number"));
    assert!(cap_at(&mut [], 0.5).is_err() && cap_at(&mut values, 1.0).is_err());
}

#[test]
fn sample_ratios_as_published() {
    let cats = sample_ratio(&[44_700, 45_489], &[0.5, 0.5]).expect("counts");
    near(cats.z(), -2.6272, 1e-4);
    near(cats.p, 0.008606, 1e-3);
    assert!(!cats.is_mismatch());
    assert!(sample_ratio(&[98_750, 101_250], &[1.0, 1.0]).expect("counts").is_mismatch());
    assert!(!sample_ratio(&[1_000, 9_000], &[0.1, 0.9]).expect("counts").is_mismatch());
    assert!(sample_ratio(&[1, 2], &[1.0]).is_err() && sample_ratio(&[0, 0], &[1.0, 1.0]).is_err());
    let slices = [("ios".to_owned(), vec![5_200, 4_800]), ("web".to_owned(), vec![4_800, 5_200])];
    let slices = sample_ratio_by_slice(&slices, &[1.0, 1.0]).expect("counts");
    assert!(slices.iter().all(|slice| slice.ratio.is_mismatch() && slice.adjusted_p < 0.001));
}

#[test]
fn sequential_intervals_agree_with_their_p() {
    let sequential = Sequential::planned(0.05, 1e-4).expect("a plan");
    for variance in [1e-2, 1e-3, 1e-4, 1e-5] {
        let reach = sequential.reach(variance);
        near(sequential.p(reach, variance), 0.05, 1e-9);
        assert!(reach > 1.96 * variance.sqrt());
    }
    // At the planned variance no other width of the mixture is tighter.
    let at_plan = sequential.reach(1e-4);
    for tau in [0.005, 0.01, 0.02, 0.04, 0.08] {
        assert!(Sequential::with_tau(0.05, tau).expect("τ").reach(1e-4) > 0.999 * at_plan, "{tau}");
    }
    assert!(Sequential::planned(0.05, 0.0).is_err() && Sequential::with_tau(0.7, 1.0).is_err());
    let arm = |value, variance| Estimate { value, variance, units: 1_000.0 };
    let looks: Vec<Look> = [(0.5, 1e-3), (0.7, 5e-4), (0.52, 1e-4)]
        .map(|(value, variance)| sequential.look(&arm(0.5, variance), &arm(value, variance)).expect("arms"))
        .into();
    let all = running(&looks).expect("looks");
    assert!(all.p < 0.05 && looks[2].p > 0.05, "a p that was reached stays");
    assert!(all.difference.low >= looks[2].difference.low && running(&[]).is_none());
    assert!(looks[2].relative.expect("control is not 0").low < 0.04);
}

/// As R's `p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "BH")` and a mixed one.
#[test]
fn adjusted_p_as_published() {
    adjusted_p(&[0.01, 0.02, 0.03, 0.04, 0.05]).iter().for_each(|p| near(*p, 0.05, 1e-12));
    let mixed = adjusted_p(&[0.9, 0.001, f64::NAN, 0.04]);
    near(mixed[1], 0.004, 1e-12);
    near(mixed[3], 0.08, 1e-12);
    assert!(mixed[0] == 1.0 && mixed[2].is_nan());
}

#[test]
fn plans_find_what_they_promise() {
    let plan = Plan::default();
    // The textbook's 10 % to 11 %: 16 σ² / δ² an arm is 14,400; exactly 2 · 7.8489 · .09 / .0001.
    let units = plan.units_needed(&Baseline::proportion(0.1), 0.01).expect("a plan");
    near(units, 2.0 * 2.0 * 7.848879734 * 0.09 / 0.0001, 1e-4);
    near(plan.detectable_effect(&Baseline::proportion(0.1), units).expect("a plan"), 0.01, 1e-4);
    let uneven = Plan { treated: 0.1, ..plan }.units_needed(&Baseline::proportion(0.1), 0.01).expect("a plan");
    near(uneven, units * 0.25 / 0.09, 1e-3);
    assert_eq!(Plan::days_needed(1_000.0, &[400.0, 300.0, 100.0]), Some(5));
    assert_eq!(Plan::days_needed(700.0, &[400.0, 300.0, 100.0]), Some(2));
    assert_eq!((Plan::days_needed(9.0, &[1.0, 0.0]), Plan::days_needed(9.0, &[])), (None, None));
    assert!(plan.units_needed(&Baseline::proportion(0.1), 0.0).is_err());
    assert!(Plan { power: 0.01, ..plan }.units_needed(&Baseline::proportion(0.1), 0.1).is_err());
    let mut rng = Rng::new(5);
    let mean = Moments { units: 100.0, mean: 3.0, squares: 99.0 };
    let units = plan.units_needed(&Baseline::mean(&mean), 0.5).expect("a plan") as usize / 2;
    let found = (0..2_000).filter(|_| {
        let control = Moments::of(normals(&mut rng, units)).estimate();
        let treatment = Moments::of(normals(&mut rng, units).iter().map(|x| x + 0.5)).estimate();
        lift(&control, &treatment, 0.05).expect("arms").p < 0.05
    });
    let power = found.count() as f64 / 2_000.0;
    assert!((power - 0.8).abs() < 0.03, "{power}");
}

#[test]
fn slices_that_disagree_are_found_and_others_are_not() {
    let arm = |value: f64| Estimate { value, variance: 1e-4, units: 1e4 };
    let slice = |name: &str, lift| Slice { name: name.into(), control: arm(1.0), treatment: arm(1.0 + lift) };
    let agree = heterogeneity(&[slice("a", 0.05), slice("b", 0.06), slice("c", 0.045)], 0.05).expect("slices");
    assert!(agree.p > 0.5 && agree.beyond_chance == 0.0, "{agree:?}");
    near(agree.pooled.value, 0.155 / 3.0, 1e-9);
    let apart = heterogeneity(&[slice("a", 0.05), slice("b", -0.06), slice("c", 0.05)], 0.05).expect("slices");
    assert!(apart.p < 0.001 && apart.beyond_chance > 0.9, "{apart:?}");
    assert!(apart.slices[1].adjusted_p < 0.001 && apart.slices[1].lift.difference.high < 0.0);
    assert!(heterogeneity(&[slice("a", 0.0)], 0.05).is_err());
}

#[test]
fn novelty_wears_off() {
    let arm = |value: f64| Estimate { value, variance: 1e-5, units: 1e4 };
    let days = |lift: &dyn Fn(f64) -> f64| -> Vec<Day> {
        (0..14).map(|day| Day { day, control: arm(1.0), treatment: arm(1.0 + lift(f64::from(day))) }).collect()
    };
    let fades = day_curve(&days(&|day| 0.1 - 0.005 * day), 0.05).expect("days");
    near(fades.slope.value, -0.005, 1e-9);
    assert!(fades.slope_p < 0.001 && fades.slope.high < 0.0);
    let stays = day_curve(&days(&|day| if (day as u32).is_multiple_of(2) { 0.1 } else { 0.099 }), 0.05).expect("days");
    assert!(stays.slope_p > 0.2, "{stays:?}");
    assert!(day_curve(&days(&|_| 0.0)[..2], 0.05).is_err());
}
