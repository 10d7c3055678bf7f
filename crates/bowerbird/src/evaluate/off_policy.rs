//! What would a policy have earned, told from the log of another one?

use crate::import::Table;
use crate::output::{print_table, thousands};
use crate::progress::Progress;
use anyhow::{Context, Result, bail, ensure};
use experiments::{
    Interval, LoggedRow, Moments, OffPolicy, OffPolicyChecks, direct, doubly_robust, ips, normal_quantile,
    off_policy_checks, self_normalised_ips, switch_doubly_robust,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const COLUMNS: [&str; 4] = ["item_id", "position", "click", "propensity_score"];
const ALPHA: f64 = 0.05;
/// Impressions that draw an item's click rate towards the mean.
const PRIOR: f64 = 100.0;
/// The weight above which SWITCH trusts the model instead.
const SWITCH: f64 = 1.5;
/// Most pairs of an item and a position.
const PLACES_MAX: usize = 4_000_000;
/// Fewer rows than this say too little for a normal interval.
const EFFECTIVE_ROWS_MIN: f64 = 100.0;
/// Below this p propensities do not add up to 1.
const CHECK_P: f64 = 0.001;

/// What one policy did.
pub(crate) struct PolicyLog {
    policy: String,
    campaign: String,
    rows: Vec<Impression>,
}

struct Impression {
    item: String,
    position: u32,
    click: f64,
    propensity: f64,
}

/// Every policy judged by the log of every other one.
#[derive(Debug, Serialize)]
pub(crate) struct OffPolicyFigures {
    protocol: String,
    alpha: f64,
    switch_at: f64,
    cases: Vec<Case>,
}

/// One policy judged by the log of another.
#[derive(Debug, Serialize)]
struct Case {
    campaign: String,
    logged: String,
    judged: String,
    rows: usize,
    items: usize,
    positions: usize,
    /// How the judged policy's chances are known.
    chances: String,
    /// Clicks per row in the judged policy's own log, and how many rows that has.
    on_policy: Interval,
    on_policy_rows: usize,
    ips: Estimated,
    snips: Estimated,
    dm: Estimated,
    dr: Estimated,
    switch: Estimated,
    checks: OffPolicyChecks,
    /// What a careful reader should know before believing a figure.
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Estimated {
    #[serde(flatten)]
    value: Interval,
    error: f64,
    /// Whether the interval holds the click rate of the judged policy's own log.
    covers: bool,
}

impl Estimated {
    fn of(found: OffPolicy, truth: f64) -> Estimated {
        Estimated { value: found.value, error: found.error, covers: !found.value.excludes(truth) }
    }
}

/// Reads logs, each of one policy. Where files in several folders share a name, a folder is a policy and the name what
/// they logged (`random/men.csv`, `bts/men.csv`); else each file is a policy.
pub(crate) fn read_policy_logs(files: &[PathBuf]) -> Result<Vec<PolicyLog>> {
    let stems: Vec<String> = files.iter().map(|file| stem(file)).collect();
    let shared = stems.iter().collect::<BTreeSet<_>>().len() < stems.len();
    let mut known = BTreeSet::new();
    let mut logs = Vec::new();
    for (file, stem) in files.iter().zip(stems) {
        let folder = file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let (policy, campaign) = match (shared, folder) {
            (true, Some(folder)) => (folder, stem),
            (true, None) => bail!("{}: its folder must name the policy, as in random/men.csv", file.display()),
            (false, _) => (stem, "all".to_owned()),
        };
        let named = (policy.clone(), campaign.clone());
        ensure!(known.insert(named), "{}: the log of `{policy}` for `{campaign}` is there twice", file.display());
        let rows = read_log(file).with_context(|| format!("cannot read the log {}", file.display()))?;
        logs.push(PolicyLog { policy, campaign, rows });
    }
    Ok(logs)
}

fn stem(file: &Path) -> String {
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.strip_suffix(".csv").unwrap_or(name).to_owned()
}

fn read_log(file: &Path) -> Result<Vec<Impression>> {
    let [item, position, click, propensity] = COLUMNS;
    Table::open(file, &COLUMNS, &Arc::new(Progress::quiet()))?.read_all(|row| {
        let chance = row.finite(propensity)?;
        if chance <= 0.0 || chance > 1.0 + 1e-9 {
            return Err(format!("{propensity}: {chance} is not above 0 and at most 1"));
        }
        let place = u32::try_from(row.count(position)?).map_err(|_| format!("{position}: too large"))?;
        Ok(Impression {
            item: row.text(item)?.to_owned(),
            position: place,
            click: row.finite(click)?,
            propensity: chance,
        })
    })
}

/// Judges every policy by the log of every other one of its campaign.
pub(crate) fn judge_policies(logs: &[PolicyLog]) -> Result<OffPolicyFigures> {
    let mut campaigns: BTreeMap<&str, Vec<&PolicyLog>> = BTreeMap::new();
    logs.iter().for_each(|log| campaigns.entry(&log.campaign).or_default().push(log));
    let mut cases = Vec::new();
    for (campaign, logs) in campaigns {
        if let [alone] = logs[..] {
            bail!("{campaign}: only `{}` has a log, and one policy is judged by the log of another", alone.policy);
        }
        let places = Places::of(&logs)?;
        for logged in &logs {
            for judged in logs.iter().filter(|judged| judged.policy != logged.policy) {
                let case = case(campaign, logged, judged, &places);
                cases.push(case.with_context(|| format!("{campaign}: `{}` by `{}`", judged.policy, logged.policy))?);
            }
        }
    }
    let protocol = format!(
        "each policy judged by another one's log: clicks per row, {:.0} % intervals; a policy whose propensities are \
         all 1 / items chooses evenly, of any other the chance of an item at a position is how often its own log has \
         it there, one added to each count; the model is the log's own click rate of item and position, drawn towards \
         the mean by {PRIOR} rows",
        100.0 * (1.0 - ALPHA)
    );
    Ok(OffPolicyFigures { protocol, alpha: ALPHA, switch_at: SWITCH, cases })
}

/// Items and positions of a campaign, numbered.
struct Places<'a> {
    items: BTreeMap<&'a str, usize>,
    positions: BTreeMap<u32, usize>,
    /// All items, those that no log has shown included.
    items_all: usize,
}

impl<'a> Places<'a> {
    fn of(logs: &[&'a PolicyLog]) -> Result<Places<'a>> {
        let rows = || logs.iter().flat_map(|log| &log.rows);
        let items: BTreeSet<&str> = rows().map(|row| row.item.as_str()).collect();
        let positions: BTreeSet<u32> = rows().map(|row| row.position).collect();
        let evenly = logs.iter().filter_map(|log| even_items(log)).max().unwrap_or(0);
        let items_all = evenly.max(items.len());
        ensure!(
            items_all.saturating_mul(positions.len()) <= PLACES_MAX,
            "{items_all} items at {} positions, {PLACES_MAX} together are the most",
            positions.len()
        );
        let items = items.into_iter().zip(0..).collect();
        Ok(Places { items, positions: positions.into_iter().zip(0..).collect(), items_all })
    }

    /// The place of a row in a table of positions and items.
    fn at(&self, row: &Impression) -> usize {
        self.positions[&row.position] * self.items_all + self.items[row.item.as_str()]
    }

    fn table(&self, value: f64) -> Vec<f64> {
        vec![value; self.positions.len() * self.items_all]
    }

    /// The chance of every item at every position under a policy, and how it is known.
    fn chances(&self, log: &PolicyLog) -> (Vec<f64>, String) {
        if even_items(log) == Some(self.items_all) {
            let chances = self.table(1.0 / self.items_all as f64);
            return (chances, format!("even over {} items, as its own propensities say", self.items_all));
        }
        let mut chances = self.table(1.0);
        log.rows.iter().for_each(|row| chances[self.at(row)] += 1.0);
        for position in chances.chunks_mut(self.items_all) {
            let sum: f64 = position.iter().sum();
            position.iter_mut().for_each(|chance| *chance /= sum);
        }
        (chances, "how often its own log has the item at the position, one added to each count".to_owned())
    }

    /// The clicks that the log makes expect, for every item at every position.
    fn expected(&self, log: &PolicyLog) -> Vec<f64> {
        let mean = log.rows.iter().map(|row| row.click).sum::<f64>() / log.rows.len() as f64;
        let (mut clicks, mut seen) = (self.table(PRIOR * mean), self.table(PRIOR));
        for row in &log.rows {
            clicks[self.at(row)] += row.click;
            seen[self.at(row)] += 1.0;
        }
        clicks.iter().zip(seen).map(|(clicks, seen)| clicks / seen).collect()
    }
}

/// How many items a policy chooses evenly among, where its propensities say that it does.
fn even_items(log: &PolicyLog) -> Option<usize> {
    let first = log.rows.first()?.propensity;
    let items = (1.0 / first).round();
    let close = |chance: f64| (chance * items - 1.0).abs() < 1e-3;
    let even = items as usize <= PLACES_MAX && log.rows.iter().all(|row| close(row.propensity));
    even.then_some(items as usize)
}

fn case(campaign: &str, logged: &PolicyLog, judged: &PolicyLog, places: &Places<'_>) -> Result<Case> {
    let (chances, known) = places.chances(judged);
    let expected = places.expected(logged);
    let of_policy: Vec<f64> = chances
        .chunks(places.items_all)
        .zip(expected.chunks(places.items_all))
        .map(|(chances, expected)| chances.iter().zip(expected).map(|(chance, value)| chance * value).sum())
        .collect();
    let row = |row: &Impression| LoggedRow {
        action: places.items[row.item.as_str()] as u32,
        position: row.position,
        reward: row.click,
        propensity: row.propensity,
        probability: chances[places.at(row)],
        expected_logged: expected[places.at(row)],
        expected_policy: of_policy[places.positions[&row.position]],
    };
    let rows: Vec<LoggedRow> = logged.rows.iter().map(row).collect();
    let own = Moments::of(judged.rows.iter().map(|row| row.click)).estimate();
    let truth = own.value;
    let checks = off_policy_checks(&rows, u32::try_from(places.items_all).ok())?;
    Ok(Case {
        campaign: campaign.to_owned(),
        logged: logged.policy.clone(),
        judged: judged.policy.clone(),
        rows: rows.len(),
        items: places.items_all,
        positions: places.positions.len(),
        chances: known,
        on_policy: Interval::around(truth, normal_quantile(1.0 - ALPHA / 2.0) * own.error()),
        on_policy_rows: judged.rows.len(),
        ips: Estimated::of(ips(&rows, ALPHA)?, truth),
        snips: Estimated::of(self_normalised_ips(&rows, ALPHA)?, truth),
        dm: Estimated::of(direct(&rows, ALPHA)?, truth),
        dr: Estimated::of(doubly_robust(&rows, ALPHA)?, truth),
        switch: Estimated::of(switch_doubly_robust(&rows, SWITCH, ALPHA)?, truth),
        warnings: warnings(&checks),
        checks,
    })
}

fn warnings(checks: &OffPolicyChecks) -> Vec<String> {
    let mut warnings = Vec::new();
    if checks.effective_rows < EFFECTIVE_ROWS_MIN {
        warnings.push(format!(
            "{} rows say as much as {:.1} of equal weight: IPS, SNIPS, DR and their intervals are not to be believed",
            thousands(checks.rows as u64),
            checks.effective_rows
        ));
    }
    if checks.heaviest_hundredth > 0.5 {
        warnings
            .push(format!("a hundredth of the rows carries {:.0} % of the weight", 100.0 * checks.heaviest_hundredth));
    }
    if checks.weights.p < CHECK_P {
        warnings.push(format!(
            "the mean weight is {:.3} where 1 is due: chances or propensities are wrong",
            checks.weights.mean
        ));
    }
    for (position, check) in checks.even.iter().filter(|(_, check)| check.p < CHECK_P) {
        warnings.push(format!("at position {position} propensities do not add up to 1 (mean {:.3})", check.mean));
    }
    warnings
}

impl OffPolicyFigures {
    /// Prints them as an analyst would.
    pub(crate) fn print(&self) {
        println!("{}", self.protocol);
        for case in &self.cases {
            let Interval { value, low, high } = case.on_policy;
            println!(
                "\n{}: `{}` judged by {} rows of `{}`, {} items at {} positions; chances: {}",
                case.campaign,
                case.judged,
                thousands(case.rows as u64),
                case.logged,
                case.items,
                case.positions,
                case.chances
            );
            println!(
                "its own log ({} rows): {value:.5} [{low:.5}, {high:.5}]; worth {:.1} rows, largest weight {:.1}\n",
                thousands(case.on_policy_rows as u64),
                case.checks.effective_rows,
                case.checks.weight_max
            );
            let found = [
                ("IPS", &case.ips),
                ("SNIPS", &case.snips),
                ("DM", &case.dm),
                ("DR", &case.dr),
                ("SWITCH", &case.switch),
            ];
            let rows = found.map(|(name, found)| {
                let bounds = [found.value.value, found.value.low, found.value.high].map(|bound| format!("{bound:.5}"));
                let holds = if found.covers { "yes" } else { "no" };
                std::iter::once(name.to_owned()).chain(bounds).chain([holds.to_owned()]).collect()
            });
            print_table(
                &["estimate", "clicks per row", "low", "high", "holds its own log's"].map(str::to_owned),
                &rows,
            );
            case.warnings.iter().for_each(|warning| println!("LOOK: {warning}."));
        }
    }
}
