//! What a value may be. Everything here is refused with its key and the range it must lie in.

use super::Config;
use anyhow::{Result, bail};
use domain::{Source, Surface};
use std::fmt::Display;
use std::ops::RangeInclusive;

/// One day (s).
const DAY_S: u64 = 86_400;
/// Ten minutes (ms).
const WAIT_MS: u64 = 600_000;
/// As far as variety can look back (positions).
const WINDOW: u64 = 16;
/// Longest ranking: each place looks at what is left.
const SLATE: u64 = 2_000;
/// Ranks of candidates are 16 bits wide, and the highest stands for "not offered".
const RANKS: u64 = u16::MAX as u64 - 1;

/// Whether every value of the sections server, limits, lake, content, relevance and params may be.
pub(super) fn check(config: &Config) -> Result<()> {
    let counts = server(config).into_iter().chain(limits(config)).chain(contents(config));
    for (key, value, range) in counts.chain(params(config)).chain(relevance(config)) {
        within(key, value, range)?;
    }
    for (key, value, range) in shares(config) {
        within(key, value, range)?;
    }
    for source in Source::ALL {
        let generator = config.params.generator(source);
        let key = |name| format!("params.generators.{}.{name}", source.as_str());
        within(&key("quota_max"), generator.quota_max as u64, 1..=RANKS)?;
        within(&key("deadline_ms"), generator.deadline_ms, 1..=WAIT_MS)?;
        within(&key("share_max"), generator.share_max, 0.0..=1.0)?;
    }
    for surface in [Surface::Home, Surface::Related, Surface::Search, Surface::Board] {
        let wanted = config.params.surface(surface);
        let key = |name| format!("params.{}.{name}", surface.as_str());
        within(&key("variety"), wanted.variety, 0.0..=100.0)?;
        within(&key("explore_every"), wanted.explore_every as u64, 0..=100_000)?;
        within(&key("explore_any"), wanted.explore_any, 0.0..=1.0)?;
        within(&key("fresh_every"), wanted.fresh_every as u64, 0..=100_000)?;
        within(&key("fresh_days"), wanted.fresh_days, 0.0..=36_500.0)?;
        for weight in wanted.weights {
            within(&key("weights"), weight, -1e3..=1e3)?;
        }
    }
    let labels = &config.content.labels;
    for (key, value) in [
        ("content.labels.safety_review_from", labels.safety_review_from),
        ("content.labels.safety_hide_from", labels.safety_hide_from),
        ("content.labels.quality_review_below", labels.quality_review_below),
        ("content.labels.quality_hide_below", labels.quality_hide_below),
    ] {
        within(key, value, 0.0..=1e6)?;
    }
    let diversity = &config.params.diversity;
    for (set, spacing) in [
        ("creator", &diversity.creator),
        ("topic", &diversity.topic),
        ("near_duplicate", &diversity.near_duplicate),
        ("source", &diversity.source),
    ] {
        let key = |name| format!("params.diversity.{set}.{name}");
        within(&key("cost"), spacing.cost, 0.0..=100.0)?;
        within(&key("window"), spacing.window as u64, 0..=WINDOW)?;
    }
    Ok(())
}

pub(super) fn within<T: PartialOrd + Display>(key: &str, value: T, range: RangeInclusive<T>) -> Result<()> {
    if !range.contains(&value) {
        bail!("{key}: {value} is not between {} and {}", range.start(), range.end());
    }
    Ok(())
}

type Count = (&'static str, u64, RangeInclusive<u64>);

fn server(config: &Config) -> [Count; 6] {
    let (server, lake) = (&config.server, &config.lake);
    [
        ("server.threads", server.threads as u64, 0..=1_024),
        ("server.model_check_s", server.model_check_s, 1..=DAY_S),
        ("server.snapshot_every_s", server.snapshot_every_s, 1..=30 * DAY_S),
        ("server.snapshot_facts_min", server.snapshot_facts_min, 1..=1 << 40),
        ("lake.roll_every_s", lake.roll_every_s, 1..=30 * DAY_S),
        ("lake.sql_rows_max", lake.sql_rows_max as u64, 1..=lake::ROWS_MAX as u64),
    ]
}

fn relevance(config: &Config) -> [Count; 4] {
    let relevance = &config.relevance;
    [
        ("relevance.concurrency_max", relevance.concurrency_max as u64, 1..=256),
        ("relevance.retries_max", relevance.retries_max as u64, 0..=20),
        ("relevance.timeout_s", relevance.timeout_s, 1..=3_600),
        ("relevance.tokens_max", relevance.tokens_max, 0..=1 << 50),
    ]
}

fn contents(config: &Config) -> [Count; 3] {
    let content = &config.content;
    [
        ("content.topics", content.topics as u64, 1..=4_096),
        ("content.learn_pins_min", content.learn_pins_min as u64, 1..=1 << 32),
        ("content.learn_pins_max", content.learn_pins_max as u64, 0..=1 << 32),
    ]
}

fn limits(config: &Config) -> [Count; 16] {
    let limits = &config.limits;
    [
        ("limits.body_bytes_max", limits.body_bytes_max as u64, 1_024..=1 << 30),
        ("limits.picture_bytes_max", limits.picture_bytes_max as u64, 1_024..=1 << 30),
        ("limits.row_bytes_max", limits.row_bytes_max as u64, 256..=1 << 24),
        ("limits.rows_max", limits.rows_max as u64, 1..=10_000_000),
        ("limits.page_max", limits.page_max as u64, 1..=10_000),
        ("limits.deadline_ms_max", limits.deadline_ms_max, 1..=WAIT_MS),
        ("limits.request_ms_max", limits.request_ms_max, 1..=6 * WAIT_MS),
        ("limits.rankings_max", limits.rankings_max as u64, 1..=65_536),
        ("limits.ingests_max", limits.ingests_max as u64, 1..=65_536),
        ("limits.waiting_max", limits.waiting_max as u64, 0..=1_000_000),
        ("limits.wait_ms_max", limits.wait_ms_max, 0..=WAIT_MS),
        ("limits.connections_max", limits.connections_max as u64, 1..=1_000_000),
        ("limits.rankings_kept_max", limits.rankings_kept_max as u64, 1..=10_000_000),
        ("limits.answers_kept_max", limits.answers_kept_max as u64, 1..=100_000),
        ("limits.paging_ms_max", limits.paging_ms_max, 1..=7 * DAY_S * 1_000),
        ("limits.drain_ms_max", limits.drain_ms_max, 0..=6 * WAIT_MS),
    ]
}

fn params(config: &Config) -> [Count; 11] {
    let params = &config.params;
    [
        ("params.l1_keep_max", params.l1_keep_max as u64, 1..=RANKS),
        ("params.relevance.floor_pins", params.relevance.floor_pins as u64, 0..=SLATE),
        ("params.slate_max", params.slate_max as u64, 1..=SLATE),
        ("params.deadline_ms", params.deadline_ms, 1..=WAIT_MS),
        ("params.seeds_max", params.seeds_max as u64, 1..=10_000),
        ("params.retrieval_vectors", params.retrieval_vectors as u64, 1..=8),
        ("params.walk.steps_max", u64::from(params.walk.steps_max), 1..=100_000_000),
        ("params.walk.stop_pins", u64::from(params.walk.stop_pins), 0..=1_000_000),
        ("params.walk.stop_visits", u64::from(params.walk.stop_visits), 1..=1_000_000),
        ("params.diversity.ssd_window", params.diversity.ssd_window as u64, 1..=WINDOW),
        ("params.diversity.page", params.diversity.page as u64, 1..=1_000),
    ]
}

fn shares(config: &Config) -> [(&'static str, f32, RangeInclusive<f32>); 16] {
    let (walk, diversity, answer) = (&config.params.walk, &config.params.diversity, &config.params.answer);
    [
        // Feeds ask for what comes next: a model must have learned that.
        ("train.next_share", config.train.next_share, 0.01..=1.0),
        ("params.walk.continue_chance", walk.continue_chance, 0.0..=1.0),
        ("params.walk.start_half_life_days", walk.start_half_life_days, 0.001..=36_500.0),
        ("params.walk.popularity_discount", walk.popularity_discount, 0.0..=10.0),
        ("params.answer.words", answer.words, 0.0..=100.0),
        ("params.answer.meaning", answer.meaning, 0.0..=100.0),
        ("params.answer.meaning_from", answer.meaning_from, 0.0..=1.0),
        ("params.answer.look_words", answer.look_words, 0.0..=100.0),
        ("params.answer.subject", answer.subject, 0.0..=100.0),
        ("relevance.price_in", config.relevance.price_in, 0.0..=1e9),
        ("relevance.price_out", config.relevance.price_out, 0.0..=1e9),
        ("relevance.cost_max", config.relevance.cost_max, 0.0..=1e12),
        ("params.relevance.floor", config.params.relevance.floor, 0.0..=4.0),
        ("params.relevance.band", config.params.relevance.band, 0.05..=10.0),
        ("params.diversity.ssd", diversity.ssd, 0.0..=100.0),
        ("params.diversity.near_duplicate_from", diversity.near_duplicate_from, 0.0..=1.0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_out_of_bounds_is_named_with_its_range() {
        for (section, value, range) in [
            ("server", "model_check_s = 0", "1 and 86400"),
            ("lake", "roll_every_s = 0", "1 and 2592000"),
            ("limits", "page_max = 0", "1 and 10000"),
            ("limits", "deadline_ms_max = 0", "1 and 600000"),
            ("limits", "body_bytes_max = 0", "1024 and 1073741824"),
            ("limits", "rankings_max = 0", "1 and 65536"),
            ("limits", "connections_max = 2000000", "1 and 1000000"),
            ("params", "slate_max = 0", "1 and 2000"),
            ("params", "l1_keep_max = 70000", "1 and 65534"),
            ("params", "deadline_ms = 0", "1 and 600000"),
            ("params.generators.fresh", "quota_max = 0", "1 and 65534"),
            ("params.walk", "steps_max = 0", "1 and 100000000"),
            ("params.walk", "continue_chance = nan", "0 and 1"),
            ("params.walk", "start_half_life_days = -1.0", "0.001 and 36500"),
            ("params.diversity", "ssd = -0.5", "0 and 100"),
            ("params.diversity", "ssd_window = 17", "1 and 16"),
            ("params.diversity.topic", "cost = -0.5", "0 and 100"),
            ("params.generators.walks", "share_max = 1.5", "0 and 1"),
            ("params.home", "explore_any = 2.0", "0 and 1"),
            ("params.related", "weights = [1.0, inf, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]", "-1000 and 1000"),
        ] {
            let text = format!("[{section}]\n{value}\n");
            let error = format!("{:#}", Config::parse(&text).expect_err(&text));
            let (key, value) = value.split_once(" = ").expect("a pair");
            let value = if value.starts_with('[') { "inf" } else { value };
            let value = value.replace("nan", "NaN").replace("-1.0", "-1").replace("2.0", "2");
            assert_eq!(error, format!("line 2: {section}.{key}: {value} is not between {range}"));
        }
    }
}
