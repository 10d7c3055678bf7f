//! Published experiments, off-policy logs and an e-mail experiment: read, measured, refused.

use crate::bowerbird::House;
use domain::Rng;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

/// A file of the public data; where it is not there, one line says so.
fn public(name: &str) -> Option<String> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let root = std::env::var("BOWERBIRD_DATASETS").unwrap_or_else(|_| root.to_owned());
    let path = PathBuf::from(root).join(name);
    if path.exists() {
        return Some(path.display().to_string());
    }
    // Straight to stderr: what a passing test prints is not shown.
    _ = writeln!(std::io::stderr(), "skipped: {} is not there", path.display());
    None
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn headline_tests_raise_alarms_by_week() {
    let house = House::new();
    let analyse = ["experiment", "analyse", "--format", "upworthy"];
    // Of three tests one is uneven, in a week that was not randomised; a fourth has one arm.
    let text = "clickability_test_id,headline,impressions,test_week\n\
                a,\"one, two\",1000,201330\na,two,3000,201330\nb,one,1000,201330\nb,two,1010,201330\n\
                c,one,500,201420\nc,\"two\nlines\",510,201420.0\nd,alone,10,201420\n";
    let file = house.write("headlines.csv", text);
    let found = house.json(&[&analyse[..], &[&file]].concat());
    assert_eq!((&found["tests"], &found["arms"], &found["left_out"]), (&json!(3), &json!(7), &json!(1)), "{found}");
    assert_eq!(found["inside"], json!({ "tests": 2, "alarms": 1, "share": 0.5 }));
    assert_eq!(found["outside"], json!({ "tests": 1, "alarms": 0, "share": 0.0 }));
    assert_eq!(found["weeks"][0], json!({ "week": 201_330, "inside": true, "tests": 2, "alarms": 1, "share": 0.5 }));
    let told = house.run(&[&analyse[..], &[&file]].concat()).out;
    assert!(told.contains("1 of 2 tests (50.00 %) raise the alarm"), "{told}");

    let fails = |text: &str| house.fails(&[&analyse[..], &[&house.write("bad.csv", text)]].concat());
    let header = "clickability_test_id,impressions,test_week\n";
    assert!(fails(&format!("{header}a,1,201330\na,many,201330\n")).contains("bad.csv: line 3: impressions: 'many'"));
    assert!(fails(&format!("{header}a,1,201399\n")).contains("line 2: test_week: not a year and a week"));
    assert!(fails(&format!("{header}a,1\n")).contains("line 2: 2 cells, the header has 3"));
    assert!(fails("clickability_test_id,test_week\na,201330\n").contains("there is no column `impressions`"));
    assert!(fails("").contains("bad.csv is empty"));
    assert!(fails(header).contains("there is no row under the header"));
    assert!(fails(&format!("{header}a,1,201330\n")).contains("no test has two arms"));
    assert!(house.fails(&[&analyse[..], &["nowhere.csv"]].concat()).contains("cannot open nowhere.csv"));

    let Some(file) = public("upworthy_headlines/upworthy_exploratory.csv.gz") else { return };
    let found = house.json(&[&analyse[..], &[&file]].concat());
    assert_eq!((&found["inside"]["tests"], &found["inside"]["alarms"]), (&json!(1102), &json!(736)), "{found}");
    assert!(number(&found["outside"]["share"]) < 0.012 && number(&found["outside"]["tests"]) > 1_000.0);
    let weeks = found["weeks"].as_array().expect("weeks");
    let alarms: u64 = weeks.iter().filter_map(|week| week["alarms"].as_u64()).sum();
    assert_eq!(json!(alarms), json!(736 + found["outside"]["alarms"].as_u64().expect("a count")));
}

#[test]
fn snapshots_tell_what_looking_early_costs() {
    let house = House::new();
    let analyse = ["experiment", "analyse", "--format", "asos"];
    let header = "experiment_id,variant_id,metric_id,time_since_start,count_c,count_t,mean_c,mean_t,variance_c,\
                  variance_t\n";
    // A clear effect that is there from the first day on; one that is gone at the end; one that nobody measured.
    let mut text = header.to_owned();
    for day in [2, 1, 4, 3] {
        let units = 10_000 * day;
        _ = writeln!(text, "e,1,clear,{day},{units},{units},0.5,0.6,0.25,0.25");
        let passing = if day == 1 { 0.52 } else { 0.5 };
        _ = writeln!(text, "e,1,passing,{day},{units},{units},0.5,{passing},0.25,0.25");
        _ = writeln!(text, "e,1,silent,{day},{units},{units},0.5,0.6,,");
    }
    let file = house.write("snapshots.csv", &text);
    let found = house.json(&[&analyse[..], &[&file]].concat());
    let counted = |metric: &str, figure: &str| found["by_metric"][metric][figure].clone();
    assert_eq!((&found["tests"], &found["arms"], &found["incomplete"]), (&json!(3), &json!(1), &json!(4)), "{found}");
    assert_eq!((&found["called_at_the_end"], &found["called_by_peeking"]), (&json!(1), &json!(2)), "{found}");
    assert_eq!((counted("clear", "stopped_early"), counted("clear", "stopped_at")), (json!(1), json!(0.25)));
    assert_eq!(counted("clear", "stopped_early_and_agree"), json!(1));
    // 2.8 standard errors at the first look: who peeks is deceived, and who waits for always-valid intervals is not.
    assert_eq!(counted("passing", "peeking_and_not_the_end"), json!(1));
    assert_eq!(counted("passing", "called_sequentially"), json!(0));
    assert_eq!(counted("silent", "without_variance"), json!(1));

    let fails =
        |row: &str| house.fails(&[&analyse[..], &[&house.write("bad.csv", &format!("{header}{row}\n"))]].concat());
    assert!(fails("e,1,1,1,10,10,0.5,0.5,-1,1").contains("bad.csv: line 2: variance_c: -1 is below 0"));
    assert!(fails("e,1,1,soon,10,10,0.5,0.5,1,1").contains("line 2: time_since_start: 'soon' is not such a number"));
    assert!(fails("e,,1,1,10,10,0.5,0.5,1,1").contains("line 2: variant_id: empty"));

    let Some(file) = public("asos_experiments/asos_digital_experiments.csv.gz") else { return };
    let found = house.json(&[&analyse[..], &[&file]].concat());
    assert_eq!((&found["tests"], &found["called_at_the_end"]), (&json!(396), &json!(105)), "{found}");
    assert_eq!((&found["experiments"], &found["arms"], &found["arms_not_even"]), (&json!(78), &json!(99), &json!(12)));
    assert_eq!((&found["stopped_early"], &found["stopped_early_and_agree"]), (&json!(95), &json!(65)), "{found}");
    assert!((number(&found["stopped_at"]) - 0.36).abs() < 0.01, "{found}");
}

#[test]
fn a_game_is_read_out_with_a_verdict() {
    let house = House::new();
    let analyse = ["experiment", "analyse", "--format", "cookie-cats"];
    let mut text = "userid,version,sum_gamerounds,retention_1,retention_7\n".to_owned();
    // Half of 2,000 stay for a week with the early gate, a quarter with the late one; one player has no life.
    for player in 0..4_000 {
        let late = player % 2;
        let rounds = if player == 5 { 50_000 } else { player % 40 };
        let week = (player / 2) % (2 + 2 * late) == 0;
        _ = writeln!(text, "{player},gate_{},{rounds},{},{week}", 30 + 10 * late, player % 3 == 0);
    }
    let file = house.write("players.csv", &text);
    let found = house.json(&[&analyse[..], &[&file]].concat());
    assert_eq!((&found["control"], &found["treatment"]), (&json!("gate_30"), &json!("gate_40")));
    let seven = &found["retention_7"];
    assert_eq!((&seven["control"], &seven["treatment"]), (&json!(0.5), &json!(0.25)), "{found}");
    assert_eq!((&found["decision"], &found["sample_ratio"]["p"]), (&json!("do_not_ship"), &json!(1.0)), "{found}");
    assert_eq!((&found["rounds"]["cap"], &found["rounds"]["largest"]), (&json!(39.0), &json!(50_000.0)), "{found}");
    assert!(number(&found["rounds"]["treatment"]) < 40.0, "{found}");
    assert!(found["verdict"].as_str().is_some_and(|text| text.contains("Do not ship.")), "{found}");

    let fails = |text: &str| house.fails(&[&analyse[..], &[&house.write("bad.csv", text)]].concat());
    let header = "version,sum_gamerounds,retention_1,retention_7\n";
    assert!(fails(&format!("{header}a,1,TRUE,perhaps\n")).contains("line 2: retention_7: 'perhaps' is neither true"));
    assert!(fails(&format!("{header}a,1,1,0\nb,1,1,0\nc,1,1,0\n")).contains("line 4: version: 'c' is a third one"));
    assert!(fails(&format!("{header}a,1,1,0\na,1,1,0\n")).contains("all players have one version"));
    assert!(fails(&format!("{header}a,1,1,0\nb,1,1,0\n")).contains("`a` has 1 player, two are the fewest"));
    assert!(fails(&format!("{header}a,1.5,1,0\n")).contains("sum_gamerounds: 1.5 is no count"));

    let Some(file) = public("cookie_cats/cookie_cats.csv.gz") else { return };
    let found = house.json(&[&analyse[..], &[&file]].concat());
    assert_eq!(found["sample_ratio"]["counts"], json!([44_700, 45_489]));
    assert!((number(&found["sample_ratio"]["z"]) + 2.627).abs() < 0.001, "{found}");
    assert_eq!((&found["sample_ratio"]["mismatch"], &found["decision"]), (&json!(false), &json!("do_not_ship")));
    assert!((number(&found["retention_7"]["p"]) - 0.0015565).abs() < 1e-6, "{found}");
    assert!((number(&found["retention_1"]["control"]) - 0.4482).abs() < 5e-5, "{found}");
    let told = house.run(&[&analyse[..], &[&file]].concat()).out;
    assert!(told.contains("The arms' sizes are odd") && told.contains("Do not ship."), "{told}");
}

#[test]
fn simulations_keep_their_promises() {
    let house = House::new();
    let found = house.json(&["experiment", "aa", "--simulations", "1000", "--seed", "3"]);
    let cases = found["experiments"].as_array().expect("cases");
    assert_eq!((cases.len(), &found["simulations"], &cases[0]["case"]), (6, &json!(1000), &json!("A/A, normal")));
    let report = &cases[0]["report"];
    // Five standard errors about 5 % and 95 %.
    assert!((number(&report["fixed"]) - 0.05).abs() < 5.0 * number(&found["error"]), "{report}");
    assert!((number(&report["covered_cuped"]) - 0.95).abs() < 5.0 * number(&found["error"]), "{report}");
    assert!(number(&report["peeking_fixed"]) > 0.2 && number(&report["peeking_sequential"]) < 0.05, "{report}");
    let ratios = ["variance_ratio", "variance_ratio_expected"].map(|name| number(&report[name]));
    assert!((ratios[0] - ratios[1]).abs() < 0.01 && (ratios[1] - 0.64).abs() < 0.01, "{report}");
    assert!(number(&cases[4]["report"]["cuped"]) > number(&cases[4]["report"]["fixed"]), "{}", cases[4]);
    assert!(number(&found["interleaving"][0]["found"]["times"]) > 2.0, "{found}");
    let error = house.fails(&["experiment", "aa", "--simulations", "0"]);
    assert!(error.contains("0 experiments"), "{error}");
}

/// A log of items 1 to 4 of which the last is clicked most, chosen with these chances at each of two positions.
fn bandit(rows: usize, chances: [f64; 4], seed: u64) -> String {
    let mut rng = Rng::new(seed);
    let mut text = ",timestamp,item_id,position,click,propensity_score\n".to_owned();
    for row in 0..rows {
        let (mut at, mut item) = (f64::from(rng.uniform()), 0);
        while item < 3 && at >= chances[item] {
            at -= chances[item];
            item += 1;
        }
        let clicked = f64::from(rng.uniform()) < [0.05, 0.1, 0.2, 0.6][item];
        _ = writeln!(text, "{row},now,{},{},{},{}", item + 1, 1 + row % 2, u8::from(clicked), chances[item]);
    }
    text
}

#[test]
fn a_policy_is_judged_by_the_log_of_another() {
    let house = House::new();
    for folder in ["random", "bts"] {
        std::fs::create_dir(house.path(folder)).expect("a folder");
    }
    let random = house.write("random/men.csv", &bandit(4_000, [0.25; 4], 1));
    let bts = house.write("bts/men.csv", &bandit(4_000, [0.1, 0.1, 0.2, 0.6], 2));
    let asked = ["eval", "--protocol", "ope", "--log", &random, &bts];
    let found = house.json(&asked);
    let cases = found["cases"].as_array().expect("cases");
    let named = |case: &Value| [&case["logged"], &case["judged"]].map(|name| name.as_str().map(str::to_owned));
    let names = ["random", "bts"].map(|name| Some(name.to_owned()));
    assert_eq!(cases.iter().map(named).collect::<Vec<_>>(), [names.clone(), [names[1].clone(), names[0].clone()]]);
    // Click rates of the policies: (.05 + .1 + .2 + .6) / 4, and .1 · .05 + .1 · .1 + .2 · .2 + .6 · .6.
    for (case, truth) in cases.iter().zip([0.415, 0.2375]) {
        assert_eq!((&case["rows"], &case["items"], &case["positions"]), (&json!(4000), &json!(4), &json!(2)), "{case}");
        for estimate in ["ips", "snips", "dr"] {
            let [value, low, high] = ["value", "low", "high"].map(|name| number(&case[estimate][name]));
            assert!((value - truth).abs() < 0.04 && low < value && value < high, "{estimate} of {truth}: {case}");
            let covers = (low..=high).contains(&number(&case["on_policy"]["value"]));
            assert_eq!(case[estimate]["covers"], json!(covers), "{estimate}: {case}");
        }
        assert_eq!(case["warnings"], json!([]), "{case}");
    }
    assert!(cases[1]["chances"].as_str().is_some_and(|text| text.starts_with("even over 4 items")), "{}", cases[1]);
    assert!(cases[0]["chances"].as_str().is_some_and(|text| text.starts_with("how often")), "{}", cases[0]);
    let told = house.run(&asked).out;
    assert!(told.contains("men: `bts` judged by 4,000 rows of `random`"), "{told}");

    // Propensities that were logged at half of what they were make every weight twice too large.
    let wrong = house.write("bts/wrong.csv", &bandit(4_000, [0.1, 0.1, 0.2, 0.6], 2).replace(",0.6\n", ",0.3\n"));
    let found = house.json(&["eval", "--log", &random, &wrong]);
    let case = &found["cases"].as_array().expect("cases")[1];
    assert_eq!((&case["logged"], &case["campaign"]), (&json!("wrong"), &json!("all")), "{found}");
    let warnings = case["warnings"].to_string();
    assert!(warnings.contains("the mean weight is") && warnings.contains("at position 1"), "{warnings}");

    let bad = house.write("bts/bad.csv", "item_id,position,click,propensity_score\n1,1,0,0.5\n2,1,1,0\n");
    let error = house.fails(&["eval", "--protocol", "ope", "--log", &random, &bad]);
    assert!(error.contains("bad.csv: line 3: propensity_score: 0 is not above 0 and at most 1"), "{error}");
    let error = house.fails(&["eval", "--protocol", "ope", "--log", &random]);
    assert!(error.contains("two policies or more"), "{error}");
    let error = house.fails(&["eval", "--protocol", "ope", "--log", &random, &random]);
    assert!(error.contains("is there twice"), "{error}");
}

#[test]
fn real_bandit_logs_judge_each_other() {
    let names = ["random/men", "bts/men", "random/women", "bts/women"];
    let files = names.map(|name| public(&format!("open_bandit_sample/{name}.csv.gz")));
    let [Some(a), Some(b), Some(c), Some(d)] = files else { return };
    let found = House::new().json(&["eval", "--protocol", "ope", "--log", &a, &b, &c, &d]);
    let cases = found["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 4);
    let clicks: Vec<f64> = cases.iter().map(|case| number(&case["on_policy"]["value"])).collect();
    for (found, known) in clicks.iter().zip([0.0069, 0.0046, 0.0046, 0.0046]) {
        assert!((found - known).abs() < 1e-9, "{clicks:?}");
    }
    let items: Vec<&Value> = cases.iter().map(|case| &case["items"]).collect();
    assert_eq!(items, [34, 34, 46, 46]);
    // The log of Thompson sampling on women has a propensity of 1e-6.
    assert!(number(&cases[3]["checks"]["effective_rows"]) < 3.0, "{}", cases[3]);
    assert!(cases[3]["warnings"].to_string().contains("not to be believed"), "{}", cases[3]);
    assert!(number(&cases[0]["checks"]["effective_rows"]) > 1_000.0, "{}", cases[0]);
}

/// People of whom those on the phone come when they are written to, and those on the web come anyway.
fn people(count: usize, seed: u64) -> String {
    let mut rng = Rng::new(seed);
    let mut text =
        "recency,history_segment,history,mens,womens,zip_code,newbie,channel,segment,visit,conversion,spend\n"
            .to_owned();
    for _ in 0..count {
        let (web, written) = (rng.below(2) == 1, rng.below(3));
        let chance = if web { 0.6 } else { 0.1 + if written > 0 { 0.3 } else { 0.0 } };
        let visit = u8::from(rng.uniform() < chance);
        let segment = ["No E-Mail", "Mens E-Mail", "Womens E-Mail"][written as usize];
        let channel = if web { "Web" } else { "Phone" };
        let (recency, history) = (1 + rng.below(12), 30 + rng.below(500));
        _ = writeln!(text, "{recency},1) $0 - $100,{history},1,0,Urban,0,{channel},{segment},{visit},0,0");
    }
    text
}

#[test]
fn uplift_orders_people_by_what_a_message_does() {
    let house = House::new();
    let (train, test) = (house.write("train.csv", &people(3_000, 1)), house.write("test.csv", &people(3_000, 2)));
    let found = house.json(&["eval", "--protocol", "uplift", "--train", &train, "--test", &test]);
    assert_eq!((&found["taught"], &found["measured"]), (&json!(3000), &json!(3000)));
    assert!(number(&found["qini"]["low"]) > 0.0 && number(&found["random"]["ours_less"]["low"]) > 0.0, "{found}");
    // Who answers most are those who would have come anyway.
    assert!(number(&found["response"]["qini"]) < 0.0, "{found}");
    assert!(number(&found["response"]["ours_less"]["low"]) > 0.0, "{found}");
    let half = &found["tenths"][4];
    assert!(number(&half["uplift"]) > 1.5 * number(&half["random"]), "{half}");
    let all = &found["tenths"][9];
    assert!((number(&all["uplift"]) - number(&all["response"])).abs() < 1e-6, "{all}");

    // One file alone is halved by the seed; the same seed gives the same halves.
    let halved = |seed: &str| house.json(&["eval", "--train", &train, "--seed", seed]);
    let (one, two) = (halved("1"), halved("2"));
    assert_eq!(number(&one["taught"]) + number(&one["measured"]), 3_000.0);
    assert!(one == halved("1") && one["qini"] != two["qini"], "{one} {two}");

    let fails = |text: &str| house.fails(&["eval", "--train", &house.write("bad.csv", text)]);
    let error = fails(&people(3, 1).replace("E-Mail", "Email"));
    assert!(error.contains("bad.csv: line 2: segment: '"), "{error}");
    assert!(fails(&people(100, 1)).contains("100 of each are the fewest"));
    assert!(fails(&people(3, 1).replace("channel", "route")).contains("there is no column `channel`"));
    let error = house.fails(&["eval", "--train", &train, "--test", &train]);
    assert!(error.contains("--test is the file of --train"), "{error}");

    let Some(file) = public("hillstrom_email/hillstrom_half.csv.gz") else { return };
    let found = house.json(&["eval", "--protocol", "uplift", "--train", &file, "--seed", "1"]);
    assert!((number(&found["qini"]["value"]) - 0.0369).abs() < 5e-4, "{found}");
    assert!(number(&found["qini"]["low"]) > 0.0, "{found}");
}

#[test]
fn a_week_of_notifications_is_allocated() {
    let house = House::new();
    let found = house.json(&["bench", "allocate", "--pinners", "200000"]);
    assert_eq!(
        (&found["bench"], &found["pinners"], &found["budget"]),
        (&json!("allocate"), &json!(200_000), &json!(300_000))
    );
    assert!(number(&found["sends"]) > 299_000.0 && number(&found["sends"]) <= 300_000.0, "{found}");
    assert!((0.0..1e-3).contains(&number(&found["gap"])), "{found}");
    assert!(number(&found["value"]) > number(&found["baseline"]), "{found}");
    assert_eq!(house.run(&["bench", "allocate", "--pinners", "0"]).code, 2);
}
