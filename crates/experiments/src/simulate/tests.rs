use super::*;

#[test]
fn nothing_is_found_where_nothing_is() {
    let report = aa(&AaConfig::default(), 1).expect("a simulation");
    assert!((report.fixed - 0.05).abs() <= 0.005, "{report:?}");
    assert!((report.cuped - 0.05).abs() <= 0.005, "{report:?}");
    assert!(report.peeking_sequential <= 0.05, "{report:?}");
    assert!(report.peeking_fixed > 0.2, "peeking at fixed intervals does harm: {report:?}");
    let off = report.variance_ratio / report.variance_ratio_expected - 1.0;
    assert!(off.abs() < 0.02, "{report:?}");
}

#[test]
fn what_was_planted_is_covered() {
    for (metric, effect) in [(Metric::Normal, 0.1), (Metric::Conversion(0.1), 0.0), (Metric::Spend, 0.3)] {
        let config = AaConfig { simulations: 4_000, metric, effect, ..AaConfig::default() };
        let report = aa(&config, 2).expect("a simulation");
        assert!((report.covered_fixed - 0.95).abs() <= 0.012, "{metric:?} {report:?}");
        assert!((report.covered_cuped - 0.95).abs() <= 0.012, "{metric:?} {report:?}");
        assert!(report.covered_sequential >= 0.94, "{metric:?} {report:?}");
    }
}

#[test]
fn a_large_effect_stops_early() {
    let config = AaConfig { simulations: 500, effect: 0.3, ..AaConfig::default() };
    let report = aa(&config, 3).expect("a simulation");
    assert!(report.fixed > 0.99 && report.peeking_sequential > 0.99 && report.stopped_at < 0.5, "{report:?}");
    assert!(report.cuped >= report.fixed);
    assert_eq!(report, aa(&config, 3).expect("a simulation"), "a seed replays");
}

#[test]
fn interleaving_needs_far_fewer_sessions() {
    let config = SensitivityConfig { sessions: 60_000, noise_b: 0.6, checks: 60, ..SensitivityConfig::default() };
    let found = interleaving_sensitivity(&config, 4).expect("a simulation");
    assert!(found.clicks_b > found.clicks_a && found.score > 0.0, "{found:?}");
    assert!(found.times > 5.0, "{found:?}");
    assert!(found.power_ab > 0.6 && found.power_interleaving > 0.6, "{found:?}");
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let wrong: [fn(&mut AaConfig); 6] = [
        |c| c.simulations = 0,
        |c| c.units = u32::MAX,
        |c| c.first_look = 1,
        |c| c.first_look = 2_000,
        |c| c.correlation = 1.0,
        |c| c.metric = Metric::Conversion(0.0),
    ];
    for change in wrong {
        let mut config = AaConfig::default();
        change(&mut config);
        assert!(aa(&config, 1).is_err(), "{config:?}");
    }
    let config = SensitivityConfig { places: 60, ..SensitivityConfig::default() };
    assert!(interleaving_sensitivity(&config, 1).is_err());
}
