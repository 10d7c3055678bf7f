//! A real server as a child process, for as long as it is measured or lived with.

use crate::client::Client;
use crate::setup::Setup;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Longest that a server may take until it is ready.
const READY_S_MAX: u64 = 600;
/// Longest that it may take to end.
const END_S_MAX: u64 = 30;
/// How often it is looked whether somebody asked to stop.
const LOOK: Duration = Duration::from_millis(100);

/// A running `bowerbird serve`; it ends with this value.
pub(crate) struct ServerProcess {
    child: Child,
    /// Where it answers: `http://127.0.0.1:PORT`.
    pub base: String,
}

impl ServerProcess {
    /// Starts a server of this binary on the same data, on a free port of this machine.
    pub(crate) fn start(setup: &Setup, config: Option<&std::path::Path>) -> Result<ServerProcess> {
        ServerProcess::start_with(setup, config, &[])
    }

    /// The same with more words on its command line.
    pub(crate) fn start_with(setup: &Setup, config: Option<&std::path::Path>, words: &[&str]) -> Result<ServerProcess> {
        let program = std::env::current_exe().context("cannot find this program's file")?;
        let mut command = Command::new(program);
        command.arg("--data").arg(&setup.data).arg("serve").args(["--address", "127.0.0.1:0"]).args(words);
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        command.env("BOWERBIRD_LOG", "warn").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start the server")?;
        let stdout = child.stdout.take().context("the server has no output")?;
        let mut process = ServerProcess { child, base: String::new() };
        let address = address(stdout);
        loop {
            setup.stop.check()?;
            match address.recv_timeout(LOOK) {
                Ok(base) => {
                    process.base = base;
                    return Ok(process);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => bail!("the server ended before it answered"),
            }
        }
    }

    /// Waits until the server says that it is ready; gives the seconds that it took.
    pub(crate) async fn ready(&mut self, client: &Client) -> Result<f64> {
        let started = Instant::now();
        loop {
            if client.get("/health/ready").await.is_ok_and(|(status, _)| status.is_success()) {
                return Ok(started.elapsed().as_secs_f64());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended: {status}");
            }
            if started.elapsed() > Duration::from_secs(READY_S_MAX) {
                bail!("the server was not ready within {READY_S_MAX} s");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Memory of the process: resident now and at most so far (bytes), where the system tells.
    pub(crate) fn memory(&self) -> (Option<u64>, Option<u64>) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
        };
        (value("VmRSS:"), value("VmHWM:"))
    }
}

/// The address that the server says on its output, once it does. What it says after that is read and forgotten.
fn address(stdout: ChildStdout) -> Receiver<String> {
    let (found, address) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(base) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                let _ = found.send(base.to_owned());
            }
        }
    });
    address
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // SIGTERM lets the server finish what it holds; the standard library only knows SIGKILL.
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let until = Instant::now() + Duration::from_secs(if asked.is_ok_and(|s| s.success()) { END_S_MAX } else { 0 });
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
