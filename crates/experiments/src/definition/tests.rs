use super::*;
use crate::{ExperimentError, sample_ratio};

fn experiment(id: &str, layer: &str, first: u32, count: u32) -> Experiment {
    let arm = |name: &str, share| Arm { name: name.into(), share, overrides: Overrides::new() };
    Experiment {
        id: id.into(),
        salt: format!("{id}-2026"),
        layer: layer.into(),
        buckets: Buckets { first, count },
        arms: vec![arm("control", 0.5), arm("a", 0.3), arm("b", 0.2)],
        targeting: Targeting::default(),
        state: State::Running { ramp: 1.0 },
    }
}

fn units(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|unit| format!("pinner-{unit}"))
}

fn wrong(experiment: &Experiment) -> String {
    experiment.check(|_, _| Ok(())).expect_err("something is wrong").to_string()
}

fn arm_in<'a>(layers: &'a Layers, unit: &str, experiment: &str) -> Option<&'a str> {
    layers.assign(unit, &[]).arms.iter().find(|arm| arm.experiment == experiment).map(|arm| arm.arm)
}

#[test]
fn the_hash_is_uniform_and_never_changes() {
    assert_eq!(unit_hash("salt", "pinner-1"), 3_988_842_405_050_498_574);
    assert_ne!(unit_hash("ab", "c"), unit_hash("a", "bc"));
    assert_ne!(unit_hash("a", ""), unit_hash("a", "\0"));
    let mut counts = [0u64; 100];
    units(200_000).for_each(|unit| counts[hash::bucket(unit_hash("layer", &unit)) as usize / 100] += 1);
    let ratio = sample_ratio(&counts, &[1.0; 100]).expect("counts");
    assert!(ratio.p > 0.001 && ratio.p < 0.999, "p {}", ratio.p);
}

#[test]
fn arms_get_their_shares() {
    let layers = Layers::new(None, &[experiment("one", "ranking", 1_000, 6_000)]).expect("right");
    let mut counts = [0u64; 3];
    let mut outside = 0;
    for unit in units(200_000) {
        match arm_in(&layers, &unit, "one") {
            None => outside += 1,
            Some(arm) => counts[["control", "a", "b"].iter().position(|name| *name == arm).expect("an arm")] += 1,
        }
    }
    assert!(sample_ratio(&counts, &[0.5, 0.3, 0.2]).expect("counts").p > 0.001, "{counts:?}");
    assert!(sample_ratio(&[outside, counts.iter().sum()], &[0.4, 0.6]).expect("counts").p > 0.001);
}

#[test]
fn layers_are_independent() {
    let both = [experiment("one", "ranking", 0, 10_000), experiment("two", "looks", 0, 10_000)];
    let layers = Layers::new(None, &both).expect("right");
    let mut counts = [0u64; 9];
    for unit in units(200_000) {
        let assignment = layers.assign(&unit, &[]);
        let at = |arm: &str| ["control", "a", "b"].iter().position(|name| *name == arm).expect("an arm");
        // Layers come in the order of their names: `looks`, `ranking`.
        counts[at(assignment.arms[0].arm) * 3 + at(assignment.arms[1].arm)] += 1;
    }
    let shares = [0.5, 0.3, 0.2];
    let products: Vec<f64> = shares.iter().flat_map(|a| shares.iter().map(move |b| a * b)).collect();
    assert!(sample_ratio(&counts, &products).expect("counts").p > 0.001, "{counts:?}");
}

#[test]
fn one_layer_shares_no_unit_and_what_ended_makes_room() {
    let (one, mut two) = (experiment("one", "ranking", 0, 4_000), experiment("two", "ranking", 4_000, 6_000));
    let layers = Layers::new(None, &[one.clone(), two.clone()]).expect("right");
    let (mut first, mut second) = (0, 0);
    for unit in units(20_000) {
        let arms = layers.assign(&unit, &[]).arms.len();
        assert_eq!(arms, 1, "{unit}");
        first += usize::from(arm_in(&layers, &unit, "one").is_some());
        second += usize::from(arm_in(&layers, &unit, "two").is_some());
    }
    assert!(first > 7_500 && second > 11_500 && first + second == 20_000);
    two.buckets.first = 3_999;
    let error = Layers::new(None, &[one.clone(), two.clone()]).expect_err("they meet").to_string();
    assert_eq!(error, "experiment `two`: it shares buckets of layer `ranking` with `one`");
    for ended in [State::Stopped, State::Killed] {
        let over = Experiment { state: ended, ..one.clone() };
        assert!(Layers::new(None, &[over, two.clone()]).is_ok());
    }
    let held = [one, experiment("two", "ranking", 4_500, 5_000)];
    assert_eq!(free_buckets(&held, "ranking", 500), Some(Buckets { first: 4_000, count: 500 }));
    assert_eq!(free_buckets(&held, "ranking", 501), None);
    assert_eq!(free_buckets(&held, "other", 10_000), Some(Buckets { first: 0, count: 10_000 }));
}

#[test]
fn a_wider_ramp_keeps_everybody_and_the_kill_switch_nobody() {
    let at =
        |state| Layers::new(None, &[Experiment { state, ..experiment("one", "ranking", 0, 10_000) }]).expect("right");
    let steps: Vec<Layers> = [0.05, 0.2, 0.5, 1.0].map(|ramp| at(State::Running { ramp })).into();
    let (mut inside, mut at_first) = ([0usize; 4], [0u64; 3]);
    for unit in units(50_000) {
        let arms: Vec<Option<&str>> = steps.iter().map(|layers| arm_in(layers, &unit, "one")).collect();
        for step in 0..3 {
            assert!(arms[step].is_none() || arms[step] == arms[step + 1], "{unit}: {arms:?}");
        }
        (0..4).for_each(|step| inside[step] += usize::from(arms[step].is_some()));
        if let Some(arm) = arms[0] {
            at_first[["control", "a", "b"].iter().position(|name| *name == arm).expect("an arm")] += 1;
        }
    }
    assert!(sample_ratio(&at_first, &[0.5, 0.3, 0.2]).expect("counts").p > 0.001, "{at_first:?}");
    for (found, ramp) in inside.iter().zip([0.05, 0.2, 0.5, 1.0]) {
        assert!((*found as f64 / 50_000.0 - ramp).abs() < 0.01, "{inside:?}");
    }
    for state in [State::Killed, State::Stopped, State::Draft] {
        assert!(units(1_000).all(|unit| at(state).assign(&unit, &[]).arms.is_empty()));
    }
}

#[test]
fn the_holdout_comes_before_all_layers() {
    let both = [experiment("one", "ranking", 0, 10_000), experiment("two", "looks", 0, 10_000)];
    let layers = Layers::new(Some(Holdout { salt: "2026".into(), share: 0.02 }), &both).expect("right");
    let held: Vec<_> = units(50_000).map(|unit| layers.assign(&unit, &[])).collect();
    assert!(held.iter().all(|assignment| assignment.arms.len() == if assignment.holdout { 0 } else { 2 }));
    let share = held.iter().filter(|assignment| assignment.holdout).count() as f64 / 50_000.0;
    assert!((share - 0.02).abs() < 0.003, "{share}");
    assert!(Layers::new(Some(Holdout { salt: "x".into(), share: f64::NAN }), &both).is_err());
}

#[test]
fn targeting_reads_traits() {
    let condition = |name: &str, not| Condition { name: name.into(), any_of: vec!["de".into(), "fr".into()], not };
    let aimed = Targeting { conditions: vec![condition("language", false), condition("country", true)] };
    assert!(aimed.holds(&[("language", "fr"), ("country", "ch")]) && aimed.holds(&[("language", "de")]));
    assert!(!aimed.holds(&[("language", "de"), ("country", "de")]) && !aimed.holds(&[]));
    let layers = Layers::new(None, &[Experiment { targeting: aimed, ..experiment("one", "ranking", 0, 10_000) }])
        .expect("right");
    assert_eq!(layers.assign("u", &[("language", "de")]).arms.len(), 1);
    assert_eq!(layers.assign("u", &[("language", "en")]).arms.len(), 0);
}

#[test]
fn what_is_wrong_is_named() {
    let right = experiment("one", "ranking", 0, 100);
    let change = |change: &dyn Fn(&mut Experiment)| {
        let mut changed = right.clone();
        change(&mut changed);
        wrong(&changed)
    };
    assert_eq!(
        change(&|e| e.arms[0].share = 0.25),
        "experiment `one`: the shares of the arms add up to 0.75, not to 1"
    );
    assert_eq!(change(&|e| e.arms[1].name = "b".into()), "experiment `one`: two arms are called `b`");
    assert!(change(&|e| e.arms.truncate(1)).ends_with("1 arms; there are 2 to 32"));
    assert!(change(&|e| e.salt = "a b".into()).ends_with("salt `a b` has a ' '"));
    assert!(change(&|e| e.id = String::new()).ends_with("id has 0 bytes; it has 1 to 128"));
    assert!(change(&|e| e.buckets.count = u32::MAX).contains("are not among the 10000 of a layer"));
    assert!(change(&|e| e.state = State::Running { ramp: f64::NAN }).ends_with("not above 0 and at most 1"));
    assert!(change(&|e| _ = e.arms[1].overrides.insert("x".into(), Value::Number(f64::NAN))).contains("no number"));
    let nobody = Condition { name: "language".into(), any_of: Vec::new(), not: false };
    let nobody = change(&|e| e.targeting.conditions.push(nobody.clone()));
    assert!(nobody.ends_with("the condition on `language` has 0 values; it has 1 to 1000"));
    let mut set = right.clone();
    set.arms[1].overrides.insert("home.varieti".into(), Value::Number(2.0));
    let tunable = |name: &str, _: &Value| if name == "home.variety" { Ok(()) } else { Err("no such parameter".into()) };
    let error = set.check(tunable).expect_err("no such parameter").to_string();
    assert_eq!(error, "experiment `one`: arm `a` overrides `home.varieti`: no such parameter");
    let error = Layers::new(None, &[right.clone(), right]).expect_err("two").to_string();
    assert_eq!(error, "experiment `one`: there are two of this id");
}

/// The parameters of the request path, by dotted name, are what an experiment can override.
#[test]
fn overrides_name_parameters_that_there_are() {
    let params = serde_json::to_value(domain::Params::default()).expect("parameters are configuration");
    let tunable = |name: &str, value: &Value| {
        let found = params.pointer(&format!("/{}", name.replace('.', "/"))).ok_or("no such parameter")?;
        let same = match value {
            Value::Switch(_) => found.is_boolean(),
            Value::Number(_) => found.is_number(),
            Value::Text(_) => found.is_string(),
        };
        if same { Ok(()) } else { Err(format!("it is {found} by default")) }
    };
    let with = |name: &str, value: Value| {
        let mut made = experiment("one", "ranking", 0, 100);
        made.arms[1].overrides.insert(name.into(), value);
        made.check(tunable).map_err(|error| error.to_string())
    };
    assert_eq!(with("home.variety", Value::Number(2.0)), Ok(()));
    assert_eq!(with("generators.walks.on", Value::Switch(false)), Ok(()));
    let error = with("home.hide_seen", Value::Number(1.0)).expect_err("another kind");
    assert_eq!(error, "experiment `one`: arm `a` overrides `home.hide_seen`: it is true by default");
    assert!(with("home.varieti", Value::Number(2.0)).expect_err("unknown").ends_with("no such parameter"));
}

#[test]
fn two_layers_do_not_turn_one_knob() {
    let with = |id: &str, layer: &str, name: &str| {
        let mut made = experiment(id, layer, 0, 10_000);
        made.arms[1].overrides.insert(name.into(), Value::Number(2.0));
        made
    };
    let one = with("one", "ranking", "home.variety");
    assert!(Layers::new(None, &[one.clone(), with("two", "looks", "home.variety_of")]).is_ok());
    for name in ["home.variety", "home", "home.variety.x"] {
        assert!(Layers::new(None, &[one.clone(), with("two", "looks", name)]).is_err(), "{name}");
    }
    let layers = Layers::new(None, &[one, with("two", "looks", "search.variety")]).expect("right");
    let found = units(50).map(|unit| layers.assign(&unit, &[]).overrides().len()).max();
    assert_eq!(found, Some(2));
}

#[test]
fn what_deals_the_arms_stays_while_it_runs() {
    let runs = Experiment { state: State::Running { ramp: 0.2 }, ..experiment("one", "ranking", 0, 100) };
    let to = |change: &dyn Fn(&mut Experiment)| {
        let mut next = runs.clone();
        change(&mut next);
        runs.may_become(&next)
    };
    assert!(to(&|e| e.state = State::Running { ramp: 0.5 }).is_ok() && to(&|e| e.state = State::Killed).is_ok());
    assert!(to(&|e| e.state = State::Running { ramp: 0.1 }).is_err() && to(&|e| e.state = State::Draft).is_err());
    let changes: [fn(&mut Experiment); 3] =
        [|e| e.salt.push('x'), |e| e.arms[0].share = 0.4, |e| e.buckets.count = 200];
    for change in changes {
        assert!(matches!(to(&change), Err(ExperimentError::Definition { .. })));
    }
    let draft = Experiment { state: State::Draft, ..runs.clone() };
    assert!(draft.may_become(&Experiment { salt: "new".into(), ..runs.clone() }).is_ok());
    assert!(Experiment { state: State::Killed, ..runs.clone() }.may_become(&runs).is_err());
}

#[test]
fn who_was_seen_in_two_arms_is_in_none() {
    let saw = |unit: &str, arm: &str, at_ms| Exposure { unit: unit.into(), arm: arm.into(), at_ms };
    let day = 86_400_000;
    let rows =
        [saw("a", "x", day), saw("b", "y", 5), saw("a", "x", 7), saw("c", "x", 1), saw("c", "y", 2), saw("c", "x", 3)];
    let exposures = Exposures::of(rows);
    assert_eq!((exposures.counts(&["x", "y"]), exposures.crossed.clone()), (vec![1, 1], vec!["c".to_owned()]));
    let first = &exposures.units["a"];
    assert_eq!([first.day_of(6), first.day_of(7), first.day_of(7 + day)], [None, Some(0), Some(1)]);
}

#[test]
fn definitions_are_configuration() {
    let text = r#"{"id":"one","salt":"s","layer":"ranking","buckets":{"first":0,"count":500},
        "arms":[{"name":"control","share":0.5},
                {"name":"more","share":0.5,"overrides":{"home.variety":2,"home.hide_seen":false,"x":"y"}}],
        "targeting":[{"trait":"language","any_of":["de"]}],"state":{"running":{"ramp":0.5}}}"#;
    let read: Experiment = serde_json::from_str(text).expect("JSON");
    assert_eq!(read.state, State::Running { ramp: 0.5 });
    let values: Vec<Value> = read.arms[1].overrides.values().cloned().collect();
    assert_eq!(values, [Value::Switch(false), Value::Number(2.0), Value::Text("y".into())]);
    let again: Experiment = serde_json::from_str(&serde_json::to_string(&read).expect("JSON")).expect("JSON");
    assert_eq!(read, again);
}
