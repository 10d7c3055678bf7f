use super::*;
use domain::Rng;

/// People of whom a trait says how much treatment helps, another what they do anyway, and a word who is harmed.
fn people(count: usize, seed: u64) -> Vec<UpliftRow> {
    let mut rng = Rng::new(seed);
    (0..count)
        .map(|_| {
            let (helps, anyway, treated) = (rng.uniform(), rng.uniform(), rng.below(3) > 0);
            let word = ["shop", "phone", "web"][rng.below(3) as usize];
            let effect = 0.3 * helps - if word == "phone" { 0.2 } else { 0.0 };
            let chance = 0.2 + 0.2 * anyway + if treated { effect } else { 0.0 };
            UpliftRow {
                traits: UpliftTraits {
                    numbers: vec![f64::from(helps), f64::from(anyway), f64::from(rng.below(2))],
                    words: vec![word.to_owned()],
                },
                treated,
                outcome: f64::from(u8::from(rng.uniform() < chance)),
            }
        })
        .collect()
}

fn scored(rows: &[UpliftRow], score: impl Fn(&UpliftRow) -> f64) -> Vec<QiniRow> {
    let of = |row: &UpliftRow| QiniRow { score: score(row), treated: row.treated, outcome: row.outcome > 0.5 };
    rows.iter().map(of).collect()
}

#[test]
fn a_response_model_finds_who_comes_and_not_whom_it_helps() {
    // Half of them are old friends, who come anyway; others come when they are asked.
    let made = |seed: u64| -> Vec<UpliftRow> {
        let mut rng = Rng::new(seed);
        (0..6_000)
            .map(|_| {
                let (friend, treated) = (rng.below(2) == 1, rng.below(2) == 1);
                let chance = if friend { 0.8 } else { 0.1 + f32::from(u8::from(treated)) * 0.3 };
                let traits = UpliftTraits { numbers: vec![f64::from(u8::from(friend))], words: Vec::new() };
                UpliftRow { traits, treated, outcome: f64::from(u8::from(rng.uniform() < chance)) }
            })
            .collect()
    };
    let (rows, others) = (made(1), made(2));
    let (response, uplift) = (ResponseModel::fit(&rows).expect("rows"), UpliftModel::fit(&rows, 3).expect("rows"));
    let traits = |friend: f64| UpliftTraits { numbers: vec![friend], words: Vec::new() };
    for (friend, chance) in [(1.0, 0.8), (0.0, 0.4)] {
        let found = response.score(&traits(friend));
        assert!((found - chance).abs() < 0.03, "{found} for {chance}");
    }
    let qini_of = |score: &dyn Fn(&UpliftRow) -> f64| qini(&scored(&others, score)).expect("rows");
    let found = [qini_of(&|row| response.score(&row.traits)), qini_of(&|row| uplift.score(&row.traits))];
    assert!(found[0] < -0.05 && found[1] > 0.05, "{found:?}");
    let error = ResponseModel::fit(&rows[..150]).expect_err("too few").to_string();
    assert!(error.contains("each arm wants 100"), "{error}");
}

#[test]
fn a_model_finds_whom_it_helps() {
    let (rows, others) = (people(8_000, 1), people(8_000, 2));
    let model = UpliftModel::fit(&rows, 3).expect("rows");
    assert_eq!(model, UpliftModel::fit(&rows, 3).expect("rows"));
    let found = scored(&others, |row| model.score(&row.traits));
    let truth = |row: &UpliftRow| 0.3 * row.traits.numbers[0] - if row.traits.words[0] == "phone" { 0.2 } else { 0.0 };
    let best = qini(&scored(&others, truth)).expect("rows");
    let ours = qini(&found).expect("rows");
    assert!(ours > 0.9 * best && best > 0.1, "{ours} of {best}");
    let interval = qini_interval(&found, 200, 0.05, 4).expect("rows");
    assert!(interval.low > 0.0 && interval.value == ours && interval.high > ours, "{interval:?}");
    let anyway: Vec<f64> = others.iter().map(|row| row.traits.numbers[1]).collect();
    let better = qini_difference(&found, &anyway, 200, 0.05, 5).expect("rows");
    assert!(better.low > 0.0, "{better:?}");
    let mean = others.iter().map(|row| model.score(&row.traits)).sum::<f64>() / 8_000.0;
    assert!((mean - (0.15 - 0.2 / 3.0)).abs() < 0.03, "{mean}");
    assert!(model.learners.iter().any(|learner| learner.used && learner.gain > 0.0));
}

#[test]
fn whom_it_never_saw_it_still_scores() {
    let model = UpliftModel::fit(&people(2_000, 1), 1).expect("rows");
    let odd = UpliftTraits { numbers: vec![f64::NAN], words: vec!["moon".into(), "sun".into()] };
    assert!(model.score(&odd).is_finite() && model.score(&UpliftTraits::default()).is_finite());
}

#[test]
fn a_step_is_found_by_trees() {
    let mut rng = Rng::new(9);
    let rows: Vec<UpliftRow> = (0..6_000)
        .map(|_| {
            let (x, treated) = (rng.uniform() * 2.0 - 1.0, rng.below(2) == 0);
            let effect = if x.abs() > 0.5 { 1.0 } else { -1.0 };
            let outcome = f64::from(rng.normal()) + if treated { effect } else { 0.0 };
            UpliftRow { traits: UpliftTraits { numbers: vec![f64::from(x)], words: Vec::new() }, treated, outcome }
        })
        .collect();
    let model = UpliftModel::fit(&rows, 1).expect("rows");
    let used: Vec<&str> = model.learners.iter().filter(|l| l.used).map(|l| l.name.as_str()).collect();
    assert_eq!(used, ["trees"]);
    let at = |x: f64| model.score(&UpliftTraits { numbers: vec![x], words: Vec::new() });
    assert!(at(0.8) > 0.4 && at(-0.8) > 0.4 && at(0.1) < -0.4, "{} {} {}", at(0.8), at(-0.8), at(0.1));
}

/// `sklift.metrics.qini_auc_score` 0.5.1 of the same rows.
#[test]
fn the_coefficient_is_scikit_uplifts() {
    let rows: Vec<QiniRow> = (0..200u32)
        .map(|row| QiniRow {
            score: f64::from(row * 37 % 41),
            treated: row * 7 % 10 < 6,
            outcome: row * 13 % 17 < if row * 7 % 10 < 6 { 9 } else { 6 },
        })
        .collect();
    assert!((qini(&rows).expect("rows") - SKLIFT).abs() < 1e-12, "{:?}", qini(&rows));
    let curve = qini_curve(&rows).expect("rows");
    assert_eq!((curve.len(), curve[0], curve[41].0), (42, (0.0, 0.0), 200.0));
}

const SKLIFT: f64 = 0.03819853790983186;

#[test]
fn what_cannot_be_measured_is_refused() {
    let rows = scored(&people(100, 1), |_| 1.0);
    assert_eq!(qini(&rows).expect("rows"), 0.0, "one score for all is chance");
    let treated: Vec<QiniRow> = rows.iter().map(|row| QiniRow { treated: true, ..*row }).collect();
    let unsure: Vec<QiniRow> = rows.iter().map(|row| QiniRow { score: f64::NAN, ..*row }).collect();
    assert!(qini(&treated).is_err() && qini(&unsure).is_err() && qini(&[]).is_err());
    assert!(qini_interval(&rows, 1, 0.05, 1).is_err() && qini_difference(&rows, &[1.0], 100, 0.05, 1).is_err());
    assert!(UpliftModel::fit(&people(150, 1), 1).expect_err("few").to_string().contains("each arm wants 100"));
    let mut odd = people(500, 1);
    odd[7].traits.numbers.pop();
    assert!(
        UpliftModel::fit(&odd, 1).expect_err("columns").to_string().ends_with("row 7 has other columns than row 0")
    );
    let mut odd = people(500, 1);
    odd[9].outcome = f64::NAN;
    assert!(UpliftModel::fit(&odd, 1).expect_err("outcome").to_string().contains("row 9"));
}
