//! Published experiments, against what is known of them.

#[path = "../examples/public_data/figures.rs"]
mod figures;
#[path = "../examples/public_data/table.rs"]
mod table;

use std::io::Write;
use std::path::PathBuf;

fn root() -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    std::env::var("BOWERBIRD_DATASETS").unwrap_or_else(|_| root.to_owned()).into()
}

fn present<T>(found: Option<T>, name: &str) -> Option<T> {
    if found.is_none() {
        // Straight to stderr: what a passing test prints is not shown.
        _ = writeln!(std::io::stderr(), "skipped: {} is not there", root().join(name).display());
    }
    found
}

#[test]
fn the_weeks_that_were_not_randomised_raise_the_alarm() {
    let Some(found) = present(figures::headlines(&root()), "upworthy_headlines") else { return };
    let outside = found.tests - found.tests_inside;
    let parts = [found.alarms_inside as f64 / found.tests_inside as f64, found.alarms_outside as f64 / outside as f64];
    assert!((parts[0] - 0.67).abs() < 0.03 && parts[1] < 0.012, "{parts:?} {found:?}");
}

#[test]
fn looking_early_needs_sequential_intervals() {
    let Some(found) = present(figures::snapshots(&root()), "asos_experiments") else { return };
    assert_eq!((found.tests, found.called_at_the_end), (396, 105));
    assert!(found.called_by_peeking > found.called_at_the_end && found.peeking_and_not_the_end > 0, "{found:?}");
    assert!(found.stopped_early > 40 && found.called_sequentially < found.called_by_peeking, "{found:?}");
    assert!(found.stopped_early_and_agree as f64 > 0.6 * found.stopped_early as f64, "{found:?}");
}

#[test]
fn a_later_gate_keeps_fewer_players() {
    let Some(found) = present(figures::cats(&root()), "cookie_cats") else { return };
    assert!((found.z + 2.627).abs() < 0.001 && !found.sample_ratio.is_mismatch(), "{found:?}");
    assert_eq!(found.read.decision, experiments::Decision::DoNotShip);
    assert!((figures::cats_p(&found) - 0.0015565).abs() < 1e-6, "{}", figures::cats_p(&found));
    let text = found.read.to_string();
    assert!(text.contains("7-day retention: 0.1902 to 0.182"), "{text}");
}
