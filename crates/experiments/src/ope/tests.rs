use super::*;
use domain::Rng;

/// Three actions whose rewards, propensities and model depend on a context of two values.
fn logged(count: usize, seed: u64) -> Vec<LoggedRow> {
    let mut rng = Rng::new(seed);
    let truth = [[0.1, 0.4, 0.2], [0.5, 0.1, 0.3]];
    let logs = [[0.6, 0.1, 0.3], [0.2, 0.5, 0.3]];
    let judged = [[0.1, 0.8, 0.1], [0.7, 0.1, 0.2]];
    let model = [[0.15, 0.3, 0.25], [0.4, 0.2, 0.2]];
    let draw = |chances: &[f64; 3], at: f64| usize::from(at >= chances[0]) + usize::from(at >= chances[0] + chances[1]);
    (0..count)
        .map(|_| {
            let context = rng.below(2) as usize;
            let action = draw(&logs[context], f64::from(rng.uniform()));
            LoggedRow {
                action: action as u32,
                position: 0,
                reward: f64::from(u8::from(f64::from(rng.uniform()) < truth[context][action])),
                propensity: logs[context][action],
                probability: judged[context][action],
                expected_logged: model[context][action],
                expected_policy: (0..3).map(|a| judged[context][a] * model[context][a]).sum(),
            }
        })
        .collect()
}

/// ½ (.1·.1 + .8·.4 + .1·.2) + ½ (.7·.5 + .1·.1 + .2·.3).
const TRUTH: f64 = 0.385;

#[test]
fn estimators_cover_the_truth_and_the_model_does_not() {
    type Estimator = fn(&[LoggedRow]) -> OffPolicy;
    let estimators: [(&str, Estimator); 4] = [
        ("ips", |rows| ips(rows, 0.05).expect("rows")),
        ("snips", |rows| self_normalised_ips(rows, 0.05).expect("rows")),
        ("dr", |rows| doubly_robust(rows, 0.05).expect("rows")),
        ("switch", |rows| switch_doubly_robust(rows, 10.0, 0.05).expect("rows")),
    ];
    let mut widths = Vec::new();
    for (name, estimator) in estimators {
        let found: Vec<OffPolicy> = (0..1_000).map(|seed| estimator(&logged(1_000, seed))).collect();
        let covered = found.iter().filter(|found| !found.value.excludes(TRUTH)).count();
        assert!((930..=970).contains(&covered), "{name}: {covered} of 1,000");
        widths.push(found.iter().map(|found| found.error).sum::<f64>());
    }
    assert!(widths[2] < widths[0] && widths[1] < widths[0], "{widths:?}");
    let model = direct(&logged(100_000, 1), 0.05).expect("rows");
    assert!(model.value.excludes(TRUTH), "{model:?}");
}

#[test]
fn switching_at_nothing_is_the_model_and_never_switching_is_doubly_robust() {
    let rows = logged(500, 3);
    let switched = |at| switch_doubly_robust(&rows, at, 0.05).expect("rows");
    assert_eq!(switched(0.0), direct(&rows, 0.05).expect("rows"));
    assert_eq!(switched(f64::INFINITY), doubly_robust(&rows, 0.05).expect("rows"));
    assert!(switch_doubly_robust(&rows, f64::NAN, 0.05).is_err());
}

#[test]
fn wrong_propensities_show() {
    let mut rows = logged(20_000, 5);
    let right = off_policy_checks(&rows, Some(3)).expect("rows");
    assert!(right.weights.p > 0.001 && right.even[&0].p > 0.001, "{right:?}");
    assert!((right.weights.mean - 1.0).abs() < 0.05 && right.weight_max == 8.0);
    assert!(right.effective_rows > 4_000.0 && right.effective_rows < 10_000.0, "{right:?}");
    rows.iter_mut().filter(|row| row.action == 1).for_each(|row| row.propensity *= 0.8);
    let wrong = off_policy_checks(&rows, Some(3)).expect("rows");
    assert!(wrong.weights.p < 1e-6 && wrong.even[&0].p < 1e-6, "{wrong:?}");
}

#[test]
fn equal_policies_have_weight_one() {
    let mut rows = logged(100, 6);
    rows.iter_mut().for_each(|row| row.probability = row.propensity);
    let checks = off_policy_checks(&rows, None).expect("rows");
    assert!((checks.effective_rows - 100.0).abs() < 1e-9);
    assert_eq!((checks.weights.z, checks.weights.p, checks.never), (0.0, 1.0, 0));
    let mean = rows.iter().map(|row| row.reward).sum::<f64>() / 100.0;
    assert!((ips(&rows, 0.05).expect("rows").value.value - mean).abs() < 1e-12);
    assert!((self_normalised_ips(&rows, 0.05).expect("rows").value.value - mean).abs() < 1e-12);
}

#[test]
fn rows_that_cannot_be_used_are_named() {
    let error = |change: &dyn Fn(&mut LoggedRow)| {
        let mut rows = logged(10, 7);
        change(&mut rows[4]);
        ips(&rows, 0.05).expect_err("a wrong row").to_string()
    };
    let zero = error(&|row| row.propensity = 0.0);
    assert_eq!(zero, "off-policy evaluation, row 4: the propensity 0 is not above 0 and at most 1");
    assert!(error(&|row| row.propensity = 1.2).contains("row 4: the propensity 1.2"));
    assert!(error(&|row| row.propensity = f64::NAN).contains("row 4: the propensity NaN"));
    assert!(error(&|row| row.probability = -0.1).contains("row 4: the probability -0.1"));
    assert!(error(&|row| row.reward = f64::INFINITY).contains("row 4: the reward is inf"));
    assert!(error(&|row| row.expected_policy = f64::NAN).contains("row 4: the expected rewards"));
    assert!(ips(&logged(1, 1), 0.05).is_err() && ips(&logged(9, 1), 0.0).is_err());
}
