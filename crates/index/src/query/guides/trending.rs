//! Queries that are asked more than they used to be.

/// Most trends of an answer.
const TRENDS_MAX: usize = 1_000;

/// How often a query was asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueryCounts {
    /// The query, as the caller numbers them.
    pub query: u32,
    /// In the recent window.
    pub recent: u32,
    /// In the base, the longer time before that window.
    pub base: u32,
}

/// What a trend is.
#[derive(Clone, Debug, PartialEq)]
pub struct TrendingParams {
    /// How long the base is, in lengths of the recent window.
    pub base_windows: f32,
    /// The least that it was asked in the recent window.
    pub recent_min: u32,
    /// Added to what was asked and to what was expected, so that small numbers are no sensation.
    pub smoothing: f32,
    /// By how many standard deviations of a Poisson count it exceeds what was expected, at least.
    pub z_min: f32,
}

impl Default for TrendingParams {
    fn default() -> TrendingParams {
        TrendingParams { base_windows: 28.0, recent_min: 10, smoothing: 5.0, z_min: 3.0 }
    }
}

/// A query that is asked more than it used to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// The query.
    pub query: u32,
    /// So many times as often as expected, smoothed.
    pub ratio: f32,
    /// By so many standard deviations.
    pub z: f32,
}

/// The `k` strongest trends (at most 1,000), by how many times as often they are asked as in the base.
pub fn trending(counts: &[QueryCounts], k: usize, params: &TrendingParams) -> Vec<Trend> {
    let trend = |counts: &QueryCounts| {
        let expected = counts.base as f32 / params.base_windows + params.smoothing;
        let recent = counts.recent as f32 + params.smoothing;
        Trend { query: counts.query, ratio: recent / expected, z: (recent - expected) / expected.sqrt() }
    };
    let asked = counts.iter().filter(|counts| counts.recent >= params.recent_min);
    let mut trends: Vec<Trend> = asked.map(trend).filter(|trend| trend.z >= params.z_min).collect();
    trends.sort_by(|a, b| b.ratio.total_cmp(&a.ratio).then(a.query.cmp(&b.query)));
    trends.truncate(k.min(TRENDS_MAX));
    trends
}
