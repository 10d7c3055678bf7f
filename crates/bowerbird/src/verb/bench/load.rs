//! Load on a server: at a fixed rate, as the world sends it, and as much as it takes.

use crate::client::{Ask, Client};
use anyhow::Result;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc};

/// Requests that may be under way at once; more would measure this program. Those behind wait, which counts as latency.
const UNDER_WAY_MAX: usize = 1_024;
const LATENCY_US_MAX: u64 = 120_000_000;

/// What came of a load.
pub(crate) struct Measured {
    histogram: Histogram<u64>,
    seconds: f64,
    failed: u64,
}

/// Sends `rate` requests a second for `seconds`, whether or not the server keeps up; latency counts from the moment at
/// which a request should have been sent, so that a stalled server cannot hide its stall.
pub(crate) async fn open_loop(client: &Client, asks: &Arc<Vec<Ask>>, rate: f64, seconds: f64) -> Result<Measured> {
    let (sender, mut receiver) = mpsc::channel(UNDER_WAY_MAX);
    let places = Arc::new(Semaphore::new(UNDER_WAY_MAX));
    let started = Instant::now();
    let total = (rate * seconds).max(1.0) as u64;
    let sending = async {
        for number in 0..total {
            let due = started + Duration::from_secs_f64(number as f64 / rate);
            tokio::time::sleep_until(due.into()).await;
            let Ok(place) = places.clone().acquire_owned().await else { break };
            let (client, asks, sender) = (client.clone(), asks.clone(), sender.clone());
            tokio::spawn(async move {
                let _place = place;
                let ask = &asks[number as usize % asks.len()];
                let fine = client.ask(ask).await.is_ok_and(|(status, _)| status.is_success());
                let _ = sender.send((due.elapsed(), fine)).await;
            });
        }
        drop(sender);
    };
    let mut measured = Measured::new()?;
    let receiving = async {
        while let Some((latency, fine)) = receiver.recv().await {
            measured.add(latency, fine);
        }
    };
    tokio::join!(sending, receiving);
    measured.seconds = started.elapsed().as_secs_f64();
    Ok(measured)
}

/// `clients` clients that each ask again as soon as they are answered, for `seconds`.
pub(crate) async fn closed_loop(
    client: &Client,
    asks: &Arc<Vec<Ask>>,
    clients: usize,
    seconds: f64,
) -> Result<Measured> {
    let started = Instant::now();
    let until = started + Duration::from_secs_f64(seconds);
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::with_capacity(clients);
    for _ in 0..clients {
        let (client, asks, next) = (client.clone(), asks.clone(), next.clone());
        tasks.push(tokio::spawn(async move {
            let mut measured = Measured::new()?;
            while Instant::now() < until {
                let ask = &asks[next.fetch_add(1, Ordering::Relaxed) as usize % asks.len()];
                let sent = Instant::now();
                let fine = client.ask(ask).await.is_ok_and(|(status, _)| status.is_success());
                measured.add(sent.elapsed(), fine);
            }
            anyhow::Ok(measured)
        }));
    }
    let mut all = Measured::new()?;
    for task in tasks {
        let one = task.await??;
        all.histogram.add(&one.histogram)?;
        all.failed += one.failed;
    }
    all.seconds = started.elapsed().as_secs_f64();
    Ok(all)
}

impl Measured {
    fn new() -> Result<Measured> {
        let histogram = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3)?;
        Ok(Measured { histogram, seconds: 0.0, failed: 0 })
    }

    fn add(&mut self, latency: Duration, fine: bool) {
        if fine {
            self.histogram.saturating_record(latency.as_micros() as u64);
        } else {
            self.failed += 1;
        }
    }

    /// Requests per second that were answered well.
    pub(crate) fn per_s(&self) -> f64 {
        self.histogram.len() as f64 / self.seconds.max(1e-9)
    }

    /// A quantile of the latency (ms).
    pub(crate) fn ms(&self, quantile: f64) -> f64 {
        self.histogram.value_at_quantile(quantile) as f64 / 1e3
    }

    /// Requests that failed.
    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }

    /// All figures.
    pub(crate) fn json(&self) -> Value {
        json!({
            "requests": self.histogram.len(),
            "failed": self.failed,
            "seconds": self.seconds,
            "requests_per_s": self.per_s(),
            "latency_ms_p50": self.ms(0.5),
            "latency_ms_p90": self.ms(0.9),
            "latency_ms_p99": self.ms(0.99),
            "latency_ms_max": self.histogram.max() as f64 / 1e3,
        })
    }
}
