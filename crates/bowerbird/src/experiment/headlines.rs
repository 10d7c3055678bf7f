//! Tests of headlines (Upworthy Research Archive): was who saw which headline left to chance?

use super::{percent, table};
use crate::output::{print_table, thousands};
use anyhow::{Context, Result, bail};
use experiments::{SRM_ALPHA, sample_ratio};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

const TEST: &str = "clickability_test_id";
const WEEK: &str = "test_week";
const SHOWN: &str = "impressions";

/// The weeks (year and week) that the archive's publishers say were not randomised.
const BROKEN_WEEKS: RangeInclusive<u32> = 201_325..=201_402;

/// Sample ratios of all tests of a file.
#[derive(Debug, Serialize)]
pub(crate) struct Headlines {
    /// Tests with two arms or more that somebody saw, and the arms of all tests.
    tests: usize,
    arms: usize,
    /// Tests that cannot be tested: one arm only, or seen by nobody.
    left_out: usize,
    /// A test is an alarm when the chance of its impressions under an even split is below this.
    alarm_below: f64,
    /// First and last week of `inside`.
    broken_weeks: [u32; 2],
    inside: Alarms,
    outside: Alarms,
    weeks: Vec<Week>,
}

#[derive(Debug, Default, Serialize)]
struct Alarms {
    tests: usize,
    alarms: usize,
    /// alarms / tests; nothing where there is no test.
    share: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Week {
    week: u32,
    inside: bool,
    #[serde(flatten)]
    alarms: Alarms,
}

impl Alarms {
    fn add(&mut self, is_alarm: bool) {
        self.tests += 1;
        self.alarms += usize::from(is_alarm);
        self.share = Some(self.alarms as f64 / self.tests as f64);
    }
}

impl Headlines {
    /// Reads a file of arms, a row each.
    pub(crate) fn read(path: &Path) -> Result<Headlines> {
        let rows = table(path, &[TEST, SHOWN, WEEK])?.read_all(|row| {
            let week = u32::try_from(row.count(WEEK)?).ok().filter(|week| (0..=53).contains(&(week % 100)));
            let week = week.ok_or_else(|| format!("{WEEK}: not a year and a week, such as 201325"))?;
            Ok((row.text(TEST)?.to_owned(), week, row.count(SHOWN)?))
        })?;
        let arms = rows.len();
        // A test's week is that of its first arm.
        let mut tests: BTreeMap<String, (u32, Vec<u64>)> = BTreeMap::new();
        for (test, week, shown) in rows {
            tests.entry(test).or_insert_with(|| (week, Vec::new())).1.push(shown);
        }
        let broken_weeks = [*BROKEN_WEEKS.start(), *BROKEN_WEEKS.end()];
        let (mut inside, mut outside) = (Alarms::default(), Alarms::default());
        let (mut weeks, mut left_out): (BTreeMap<u32, Alarms>, usize) = (BTreeMap::new(), 0);
        for (name, (week, counts)) in tests {
            if counts.len() < 2 || counts.iter().sum::<u64>() == 0 {
                left_out += 1;
                continue;
            }
            let ratio = sample_ratio(&counts, &vec![1.0; counts.len()]).with_context(|| format!("test {name}"))?;
            let is_alarm = ratio.is_mismatch();
            if BROKEN_WEEKS.contains(&week) { &mut inside } else { &mut outside }.add(is_alarm);
            weeks.entry(week).or_default().add(is_alarm);
        }
        if weeks.is_empty() {
            bail!("{}: no test has two arms that somebody saw", path.display());
        }
        let tests = inside.tests + outside.tests;
        let weeks = weeks.into_iter().map(|(week, alarms)| Week { week, inside: BROKEN_WEEKS.contains(&week), alarms });
        let weeks = weeks.collect();
        Ok(Headlines { tests, arms, left_out, alarm_below: SRM_ALPHA, broken_weeks, inside, outside, weeks })
    }

    /// Prints them as an analyst would.
    pub(crate) fn print(&self) {
        let [from, to] = self.broken_weeks;
        let weeks = self.weeks.iter().map(|week| week.week);
        let (first, last) = (weeks.clone().min().unwrap_or(0), weeks.max().unwrap_or(0));
        let tests = thousands(self.tests as u64);
        println!("{tests} tests of headlines in weeks {first} to {last}, {} arms", thousands(self.arms as u64));
        println!("An alarm: the arms' impressions have a chance below {SRM_ALPHA} under an even split (χ²).\n");
        let row = |name: String, alarms: &Alarms| {
            let part = percent(alarms.alarms, alarms.tests);
            vec![name, alarms.tests.to_string(), alarms.alarms.to_string(), part]
        };
        let mut rows = vec![row(format!("{from} to {to}"), &self.inside), row("all others".into(), &self.outside)];
        let loud = self.weeks.iter().filter(|week| week.alarms.alarms > 0);
        rows.extend(loud.map(|week| row(format!("  {}", week.week), &week.alarms)));
        print_table(&["weeks", "tests", "alarms", "part"].map(str::to_owned), &rows);
        println!("\n{}", self.sentences());
    }

    fn sentences(&self) -> String {
        let [from, to] = self.broken_weeks;
        let (inside, outside) = (&self.inside, &self.outside);
        let said = match inside.tests {
            0 => format!("No test is of the weeks {from} to {to}, which the publishers say were not randomised."),
            tests => format!(
                "In weeks {from} to {to}, which the publishers say were not randomised, {} of {} tests ({}) raise the \
                 alarm: read nothing of any test of these weeks.",
                thousands(inside.alarms as u64),
                thousands(tests as u64),
                percent(inside.alarms, tests),
            ),
        };
        format!(
            "{said} Elsewhere {} of {} do, where chance alone makes {:.1}: leave these out, too. Weeks without an \
             alarm are not listed.",
            thousands(outside.alarms as u64),
            thousands(outside.tests as u64),
            outside.tests as f64 * SRM_ALPHA,
        )
    }
}
