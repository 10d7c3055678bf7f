//! Ctrl-C and SIGTERM ask; work stops at its next safe point.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often who waits looks whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Whether somebody asked to stop. Clones share the answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

/// The work ended early because somebody asked; exit code 130, as shells expect after Ctrl-C.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted; what was finished is kept")
    }
}

impl std::error::Error for Interrupted {}

impl Stop {
    /// Listens for Ctrl-C and SIGTERM. The first asks to stop, the second ends the process at once.
    pub(crate) fn listen() -> anyhow::Result<Stop> {
        let stop = Stop::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let told = stop.clone();
        std::thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(watch(told)))?;
        Ok(stop)
    }

    /// Whether somebody asked to stop.
    pub(crate) fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Asks to stop.
    pub(crate) fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// An error when somebody asked to stop.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        if self.asked() { Err(Interrupted) } else { Ok(()) }
    }

    /// Waits; false when somebody asked to stop meanwhile.
    pub(crate) fn rest(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while Instant::now() < until && !self.asked() {
            std::thread::sleep(LOOK.min(time));
        }
        !self.asked()
    }

    /// The flag itself, for rooms that poll one.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        self.0.clone()
    }
}

async fn watch(stop: Stop) {
    wait().await;
    stop.ask();
    eprintln!("\nstopping (once more ends at once)");
    wait().await;
    std::process::exit(130);
}

#[cfg(unix)]
async fn wait() {
    let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn wait() {
    let _ = tokio::signal::ctrl_c().await;
}
