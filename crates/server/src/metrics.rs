//! Figures about what the server does, for Prometheus and for the operator console.

use domain::Trace;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use serving::Recall;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

type Labels<const N: usize> = [(&'static str, String); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;
type Timings = Family<Labels<1>, Histogram>;

/// Upper bounds of the latency buckets (s): fine where a feed should be, coarse beyond.
const SECONDS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// What is measured. Every label has few values: routes, statuses, stages, sources, filters, kinds of rows.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Counters<3>,
    latency: Timings,
    stages: Timings,
    candidates: Counters<1>,
    dropped: Counters<1>,
    degraded: Counter,
    rows: Counters<2>,
    lag: Family<Labels<1>, Gauge>,
    records_lost: Gauge,
    memory: Gauge,
    pins: Gauge,
    pinners: Gauge,
    content_space: Gauge,
    recall: Family<Labels<1>, Gauge<f64, AtomicU64>>,
    unkept: Gauge,
    params_taken: Gauge,
    params_refused: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let timings = || Timings::new_with_constructor(|| Histogram::new(SECONDS));
        let mut metrics = Metrics {
            registry: Registry::with_prefix("bowerbird"),
            requests: Counters::default(),
            latency: timings(),
            stages: timings(),
            candidates: Counters::default(),
            dropped: Counters::default(),
            degraded: Counter::default(),
            rows: Counters::default(),
            lag: Family::default(),
            records_lost: Gauge::default(),
            memory: Gauge::default(),
            pins: Gauge::default(),
            content_space: Gauge::default(),
            pinners: Gauge::default(),
            recall: Family::default(),
            unkept: Gauge::default(),
            params_taken: Gauge::default(),
            params_refused: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let to = &mut self.registry;
        to.register("requests", "Requests by method, route and status", self.requests.clone());
        to.register("request_seconds", "Time from request to answer by route", self.latency.clone());
        to.register("stage_seconds", "Time of each stage of the funnel", self.stages.clone());
        to.register("candidates", "Candidates offered by each source", self.candidates.clone());
        to.register("candidates_dropped", "Candidates dropped by each filter and cut", self.dropped.clone());
        to.register("degraded_slates", "Slates that left something out to be in time", self.degraded.clone());
        to.register("rows", "Rows taken in by kind and outcome", self.rows.clone());
        to.register("consumer_lag", "Facts of each topic that the views have not seen", self.lag.clone());
        to.register("request_records_lost", "Request records that were not written", self.records_lost.clone());
        to.register("resident_memory_bytes", "Memory of this process", self.memory.clone());
        to.register("pins", "Pins that have an id", self.pins.clone());
        to.register("pinners", "Pinners that have an id", self.pinners.clone());
        to.register("content_space", "Version of the space that contents are embedded in", self.content_space.clone());
        to.register("ann_recall", "Part of the truly nearest pins that each index finds, sampled", self.recall.clone());
        to.register("facts_since_snapshot", "Facts in the views since they were last kept", self.unkept.clone());
        to.register("params_taken", "Times that other parameters were taken over", self.params_taken.clone());
        to.register("params_refused", "1 while the wanted parameters cannot be used", self.params_refused.clone());
    }

    /// One answered request.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let labels = [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
        self.requests.get_or_create(&labels).inc();
        self.latency.get_or_create(&[("route", route.to_owned())]).observe(took.as_secs_f64());
    }

    /// One run of the funnel.
    pub(crate) fn ranked(&self, trace: &Trace) {
        for stage in &trace.stages {
            let seconds = f64::from(stage.took_us) / 1e6;
            self.stages.get_or_create(&[("stage", stage.name.clone())]).observe(seconds);
        }
        for (source, offered) in count(offered(trace)) {
            self.candidates.get_or_create(&[("source", source.to_owned())]).inc_by(offered);
        }
        for (by, dropped) in count(trace.dropped.iter().map(|drop| drop.by)) {
            self.dropped.get_or_create(&[("by", by.to_owned())]).inc_by(dropped);
        }
        if !trace.degraded.is_empty() {
            self.degraded.inc();
        }
    }

    /// Rows of one body.
    pub(crate) fn took_in(&self, kind: &'static str, accepted: u64, duplicates: u64, refused: u64) {
        for (outcome, rows) in [("accepted", accepted), ("duplicate", duplicates), ("refused", refused)] {
            let labels = [("kind", kind.to_owned()), ("outcome", outcome.to_owned())];
            self.rows.get_or_create(&labels).inc_by(rows);
        }
    }

    /// The text that Prometheus reads.
    pub(crate) fn expose(&self, now: &Snapshot) -> Result<String, std::fmt::Error> {
        for (topic, lag) in &now.lag {
            self.lag.get_or_create(&[("topic", (*topic).to_owned())]).set(whole(*lag));
        }
        self.records_lost.set(whole(now.records_lost));
        self.memory.set(whole(resident_bytes()));
        self.pins.set(whole(now.pins as u64));
        self.pinners.set(whole(now.pinners as u64));
        self.content_space.set(i64::from(now.content_space));
        for recall in &now.recall {
            self.recall.get_or_create(&[("index", recall.index.to_owned())]).set(recall.mean.into());
        }
        self.unkept.set(whole(now.unkept));
        self.params_taken.set(whole(now.params_taken));
        self.params_refused.set(i64::from(now.params_refused));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// What is looked up at the moment somebody asks.
pub(crate) struct Snapshot {
    /// Facts behind the log's end, per topic.
    pub(crate) lag: Vec<(&'static str, u64)>,
    /// Request records that could not be written.
    pub(crate) records_lost: u64,
    pub(crate) pins: usize,
    pub(crate) pinners: usize,
    /// Version of the space of contents.
    pub(crate) content_space: u32,
    /// How good vector searches were of late.
    pub(crate) recall: Vec<Recall>,
    /// Facts in the views that are in no snapshot.
    pub(crate) unkept: u64,
    pub(crate) params_taken: u64,
    pub(crate) params_refused: bool,
}

/// The source names of every offer of a request, kept or dropped.
pub(crate) fn offered(trace: &Trace) -> impl Iterator<Item = &'static str> {
    let ranked = trace.ranked.iter().map(|item| item.sources);
    let dropped = trace.dropped.iter().map(|drop| drop.sources);
    ranked.chain(dropped).flat_map(|sources| sources.iter().map(|source| source.as_str()).collect::<Vec<_>>())
}

/// How often each name comes.
pub(crate) fn count<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, u64> {
    names.fold(BTreeMap::new(), |mut counts, name| {
        *counts.entry(name).or_insert(0) += 1;
        counts
    })
}

fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Resident memory of this process (bytes), 0 where the system does not say.
pub(crate) fn resident_bytes() -> u64 {
    let kib = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    kib.unwrap_or(0) << 10
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Drop, PinId, Source, SourceSet, StageTrace};

    #[test]
    fn the_exposition_names_stages_sources_and_filters() {
        let metrics = Metrics::new();
        metrics.answered("GET", "/v1/feed/{pinner}", 200, Duration::from_millis(7));
        metrics.took_in("events", 3, 1, 2);
        metrics.ranked(&Trace {
            stages: vec![StageTrace { name: "generate/walks".into(), took_us: 900, ..StageTrace::default() }],
            dropped: vec![Drop { pin: PinId(1), by: "seen", sources: SourceSet::default().with(Source::Walks) }],
            degraded: vec!["no model".into()],
            ..Trace::default()
        });
        let recall = vec![Recall { index: "vectors", mean: 0.5, questions: 3 }];
        let (lag, params_taken, params_refused) = (vec![("events", 5)], 7, true);
        let (pins, pinners, content_space) = (3, 4, 2);
        let (records_lost, unkept) = (2, 6);
        let now =
            Snapshot { lag, records_lost, pins, pinners, content_space, recall, unkept, params_taken, params_refused };
        let text = metrics.expose(&now).expect("text");
        for line in [
            "bowerbird_requests_total{method=\"GET\",route=\"/v1/feed/{pinner}\",status=\"200\"} 1",
            "bowerbird_request_seconds_bucket{le=\"0.01\",route=\"/v1/feed/{pinner}\"} 1",
            "bowerbird_stage_seconds_count{stage=\"generate/walks\"} 1",
            "bowerbird_candidates_total{source=\"walks\"} 1",
            "bowerbird_candidates_dropped_total{by=\"seen\"} 1",
            "bowerbird_degraded_slates_total 1",
            "bowerbird_content_space 2",
            "bowerbird_rows_total{kind=\"events\",outcome=\"refused\"} 2",
            "bowerbird_consumer_lag{topic=\"events\"} 5",
            "bowerbird_request_records_lost 2",
            "bowerbird_ann_recall{index=\"vectors\"} 0.5",
            "bowerbird_facts_since_snapshot 6",
            "bowerbird_params_taken 7",
            "bowerbird_params_refused 1",
        ] {
            assert!(text.contains(line), "{line}\nin\n{text}");
        }
    }
}
