//! What time it is for the server: the machine's time, or one that it is told.
//!
//! A server that was started for it lives in somebody else's time: days of a planted world pass in minutes, and
//! answers, records and new facts carry the time of that world. It is not ready before it was told the time once.

use crate::app::App;
use crate::body;
use crate::problem::{Kind, Problem};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Later than any moment that is taken: the year 2500 (ms, UTC).
const LATEST_MS: u64 = 16_725_225_600_000;

/// Where a server's time comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockKind {
    /// The machine's clock.
    #[default]
    Wall,
    /// What `POST /v1/clock` says; it only goes forwards.
    Given,
}

/// The time of a server (ms, UTC).
#[derive(Debug)]
pub(crate) enum Clock {
    Wall,
    /// 0 until it is told.
    Given(AtomicU64),
}

impl Clock {
    pub(crate) fn new(kind: ClockKind) -> Clock {
        match kind {
            ClockKind::Wall => Clock::Wall,
            ClockKind::Given => Clock::Given(AtomicU64::new(0)),
        }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        match self {
            Clock::Wall => wall_ms(),
            Clock::Given(now) => now.load(Ordering::Relaxed),
        }
    }

    /// The time that the server was told, if it is one that is told.
    pub(crate) fn given_ms(&self) -> Option<u64> {
        match self {
            Clock::Wall => None,
            Clock::Given(now) => Some(now.load(Ordering::Relaxed)),
        }
    }

    /// Puts a given clock forward; a moment that has passed changes nothing. Gives the time that it was before.
    fn forward(&self, to_ms: u64) -> Option<u64> {
        match self {
            Clock::Wall => None,
            Clock::Given(now) => Some(now.fetch_max(to_ms, Ordering::Relaxed)),
        }
    }
}

/// The machine's clock.
pub(crate) fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    now: u64,
}

/// `POST /v1/clock`
pub(crate) async fn set(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Json<Value>, Problem> {
    if app.clock().given_ms().is_none() {
        let detail = "this server goes by the machine's clock (`serve --clock given` starts one that is told the time)";
        return Err(Problem::new(Kind::NotFound, detail));
    }
    body::layout(&headers)?;
    let bytes = body::read(app.room(), &headers, body, app.limits().row_bytes_max).await?;
    let Told { now } =
        serde_json::from_slice(&bytes).map_err(|error| Problem::new(Kind::BadBody, error.to_string()).on("now"))?;
    if now == 0 || now > LATEST_MS {
        let detail = format!("{now} is no moment in milliseconds since 1970, at most {LATEST_MS}");
        return Err(Problem::new(Kind::BadBody, detail).on("now"));
    }
    match app.clock().forward(now) {
        Some(before) if before > now => {
            let detail = format!("{now} has passed: it is {before}, and time only goes forwards");
            Err(Problem::new(Kind::BadBody, detail).on("now"))
        }
        _ => Ok(Json(json!({"now": now}))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_clock_only_goes_forwards() {
        let clock = Clock::new(ClockKind::Given);
        assert_eq!((clock.now_ms(), clock.forward(70)), (0, Some(0)));
        assert_eq!((clock.forward(50), clock.now_ms()), (Some(70), 70));
        let wall = Clock::new(ClockKind::Wall);
        assert_eq!((wall.forward(50), wall.given_ms()), (None, None));
        assert!(wall.now_ms() > 1_700_000_000_000);
    }
}
