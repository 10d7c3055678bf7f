use super::*;
use domain::Rng;

/// Planted chances: (active, unsubscribes, active later) by activity from 0 to 1 and volume. Those in the middle gain
/// most, those who never come leave fastest.
fn planted(activity: f32, volume: u8) -> [f32; 3] {
    let k = f32::from(volume);
    let lift = 0.5 * (1.0 - (2.0 * activity - 1.0).abs());
    let active = 1.0 - (1.0 - activity).powi(2).max(0.02) * (1.0 - lift).powf(k.sqrt());
    [active, (0.002 + 0.012 * k * (1.1 - activity)).min(1.0), 0.5 * activity]
}

/// Weeks at random volumes. Who leaves was sent only a part of what was allocated: `sent` says how much.
fn weeks(rows: usize, seed: u64) -> (Weeks, Vec<u8>) {
    let mut rng = Rng::new(seed);
    let names = vec!["activity".to_owned(), "noise".to_owned()];
    let mut weeks = Weeks { names, ..Weeks::default() };
    let mut sent = Vec::new();
    for _ in 0..rows {
        let (activity, volume) = (rng.uniform(), rng.below(8) as u8);
        let [active, unsubscribes, later] = planted(activity, volume);
        let leaves = rng.uniform() < unsubscribes;
        weeks.features.extend([activity, rng.normal()]);
        weeks.allocated.push(volume);
        weeks.visited.push(rng.uniform() < active);
        weeks.unsubscribed.push(leaves);
        weeks.active_later.push(rng.uniform() < later);
        sent.push(if leaves { volume.min(1) } else { volume });
    }
    (weeks, sent)
}

#[test]
fn planted_chances_are_found_and_calibrated() {
    let model = ValueModel::fit(&ValueParams::default(), &weeks(60_000, 1).0).expect("enough rows");
    for activity in [0.05, 0.25, 0.5, 0.75, 0.95] {
        for volume in [0, 2, 5, 7] {
            let [active, unsubscribes, _] = planted(activity, volume);
            let found = model.returns(&[activity, 0.0], volume);
            let off = (found.active - f64::from(active)).abs();
            assert!(off < 0.05, "active at {activity}, {volume}: {} is not {active}", found.active);
            let off = (found.unsubscribes - f64::from(unsubscribes)).abs();
            assert!(off < 0.02, "leaves at {activity}, {volume}: {} is not {unsubscribes}", found.unsubscribes);
        }
    }
    // On rows that it has not seen: in each tenth by chance, as many happen as it says.
    let (fresh, _) = weeks(40_000, 2);
    let mut told: Vec<(f64, bool)> = (0..40_000)
        .filter(|&row| !fresh.unsubscribed[row])
        .map(|row| (model.returns(&fresh.features[2 * row..][..2], fresh.allocated[row]).active, fresh.visited[row]))
        .collect();
    told.sort_by(|a, b| a.0.total_cmp(&b.0));
    let tenth = told.len() / 10;
    for part in told.chunks(tenth).filter(|part| part.len() == tenth) {
        let said = part.iter().map(|told| told.0).sum::<f64>() / tenth as f64;
        let came = part.iter().filter(|told| told.1).count() as f64 / tenth as f64;
        assert!((said - came).abs() < 0.03, "{said} was said, {came} came");
    }
}

#[test]
fn leaving_is_learned_from_what_was_allocated() {
    let (weeks, sent) = weeks(60_000, 3);
    let fit = |weeks: &Weeks| ValueModel::fit(&ValueParams::default(), weeks).expect("enough rows");
    let right = fit(&weeks);
    let wrong = fit(&Weeks { allocated: sent, ..weeks });
    let rise = |model: &ValueModel| {
        let at = |volume| model.returns(&[0.3, 0.0], volume).unsubscribes;
        at(7) - at(1)
    };
    let truth = f64::from(planted(0.3, 7)[1] - planted(0.3, 1)[1]);
    assert!((rise(&right) - truth).abs() < 0.015, "{} is not {truth}", rise(&right));
    assert!(rise(&wrong) < 0.0, "what was sent says that many are safe: {}", rise(&wrong));
}

#[test]
fn the_value_is_the_formula_and_the_middle_gains_most() {
    let (weeks, _) = weeks(60_000, 4);
    let model = ValueModel::fit(&ValueParams { periods: 1.0, ..ValueParams::default() }, &weeks).expect("enough rows");
    let at = |activity: f32, volume| model.returns(&[activity, 0.0], volume);
    let Returns { active, unsubscribes, active_later, value } = at(0.4, 3);
    let paper = (1.0 - unsubscribes) * active + unsubscribes * active_later;
    assert!((value - paper).abs() < 1e-12);
    assert_eq!(model.uplift(&[0.4, 0.0], 3), value - at(0.4, 0).value);
    assert!(model.uplift(&[0.5, 0.0], 2) > model.uplift(&[0.95, 0.0], 2) + 0.05);
    assert!(model.uplift(&[0.5, 0.0], 2) > model.uplift(&[0.05, 0.0], 2) + 0.05);
    // A longer loss makes it worth less.
    let wary = ValueModel::fit(&ValueParams { periods: 20.0, ..ValueParams::default() }, &weeks).expect("enough rows");
    assert!(wary.uplift(&[0.2, 0.0], 7) < model.uplift(&[0.2, 0.0], 7));
}

#[test]
fn a_model_comes_back_and_what_does_not_fit_is_refused() {
    let (rows, _) = weeks(2_000, 5);
    let model = ValueModel::fit(&ValueParams::default(), &rows).expect("enough rows");
    let text = serde_json::to_string(&model).expect("it serialises");
    let back: ValueModel = serde_json::from_str(&text).expect("it comes back");
    assert_eq!(back, model);
    assert!(back.check().is_ok());
    let broken: ValueModel = serde_json::from_str(&text.replace("\"noise\"", "\"noise\",\"more\"")).expect("JSON");
    assert!(broken.check().is_err());
    let mut short = rows.clone();
    short.visited.pop();
    let error = ValueModel::fit(&ValueParams::default(), &short).expect_err("columns differ").to_string();
    assert!(error.starts_with("value model: columns of"), "{error}");
    let same = Weeks { allocated: vec![3; 2_000], ..rows.clone() };
    assert!(ValueModel::fit(&ValueParams::default(), &same).is_err(), "one volume tells nothing");
    // Nobody left, features that are no numbers, missing ones.
    let mut odd = Weeks { unsubscribed: vec![false; 2_000], ..rows };
    odd.features[0] = f32::NAN;
    odd.features[4] = f32::INFINITY;
    let model = ValueModel::fit(&ValueParams::default(), &odd).expect("enough rows");
    for features in [&[f32::NAN, f32::INFINITY][..], &[0.5], &[]] {
        let value = model.returns(features, 255).value;
        assert!((0.0..=1.0).contains(&value), "{value}");
    }
}

#[test]
fn rows_for_the_allocation_are_the_returns() {
    let (rows, _) = weeks(2_000, 6);
    let model = ValueModel::fit(&ValueParams::default(), &rows).expect("enough rows");
    let mut filled = vec![0.0; 3 * 4];
    model.fill(&rows.features, 4, 10, &mut filled);
    let wanted = model.returns(&rows.features[22..24], 3).value as f32;
    assert_eq!(filled[4 + 3], wanted);
    let fill = |first: usize, rows_out: &mut [f32]| model.fill(&rows.features, 4, first, rows_out);
    let made = crate::allocate_streamed(2_000, 4, 500, &fill).expect("rows");
    assert!(made.sends <= 500 && made.value > made.baseline);
}
