//! `bowerbird doctor`: is everything as it should be?

use crate::config::{self, Config};
use crate::output::{print_json, thousands};
use crate::registry::Registry;
use crate::setup::{Setup, now_ms};
use crate::stop::Stop;
use anyhow::{Result, bail};
use serde_json::json;
use serving::Opened;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Check the data directory, the configuration and this machine.
///
/// Reads every byte of the event log and opens, repairs or makes nothing. Ends with 1 when something is broken; a
/// remark is no error.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Fine,
    Remark,
    Broken,
}

struct Finding {
    what: &'static str,
    verdict: Verdict,
    words: String,
}

impl Finding {
    fn new(what: &'static str, verdict: Verdict, words: impl Into<String>) -> Finding {
        Finding { what, verdict, words: words.into() }
    }
}

/// Free room below which the disk is remarked (bytes).
const FREE_BYTES_MIN: u64 = 2 << 30;
/// 2024-01-01: a clock before it is wrong.
const CLOCK_MS_MIN: u64 = 1_704_067_200_000;

/// Runs the verb.
pub(crate) fn run(_args: &Args, data: &Path, given: Option<&Path>, json: bool) -> Result<()> {
    let mut findings = vec![Finding::new("version", Verdict::Fine, env!("CARGO_PKG_VERSION")), clock(), machine()];
    let config = match Config::load(data, given) {
        Ok(config) => {
            let file = config::file(data, given).ok().flatten();
            let words = file.map_or("built-in values".to_owned(), |path| path.display().to_string());
            findings.push(Finding::new("configuration", Verdict::Fine, words));
            Some(config)
        }
        Err(error) => {
            findings.push(Finding::new("configuration", Verdict::Broken, format!("{error:#}")));
            None
        }
    };
    if let Some(config) = config {
        findings.push(port(&config));
        let setup =
            Setup { data: data.to_owned(), given: given.map(Path::to_owned), config, json, stop: Stop::default() };
        findings.extend(data_directory(&setup));
    }
    findings.push(chromium());
    tell(&findings, json);
    match findings.iter().filter(|finding| finding.verdict == Verdict::Broken).count() {
        0 => Ok(()),
        broken => bail!("{broken} of {} checks failed", findings.len()),
    }
}

fn tell(findings: &[Finding], json: bool) {
    let word = |verdict| match verdict {
        Verdict::Fine => "ok",
        Verdict::Remark => "remark",
        Verdict::Broken => "broken",
    };
    if json {
        let checks: Vec<_> = findings
            .iter()
            .map(|finding| json!({"check": finding.what, "verdict": word(finding.verdict), "detail": finding.words}))
            .collect();
        return print_json(&json!({ "checks": checks }));
    }
    for finding in findings {
        println!("{:<7} {:<14} {}", word(finding.verdict), finding.what, finding.words);
    }
}

fn data_directory(setup: &Setup) -> Vec<Finding> {
    let data = &setup.data;
    if !data.is_dir() {
        let words = format!("{} does not exist yet (bowerbird init, import or demo makes it)", data.display());
        return vec![Finding::new("data", Verdict::Remark, words)];
    }
    let mut findings = vec![writable(data), disk(data)];
    findings.extend(event_log(setup));
    findings.push(running(setup));
    findings.push(snapshot(setup));
    findings.push(model(setup));
    findings
}

fn writable(data: &Path) -> Finding {
    let probe = data.join(format!(".doctor-{}", std::process::id()));
    let written = std::fs::write(&probe, b"x").and_then(|()| std::fs::remove_file(&probe));
    match written {
        Ok(()) => Finding::new("data", Verdict::Fine, data.display().to_string()),
        Err(error) => Finding::new("data", Verdict::Broken, format!("{} cannot be written: {error}", data.display())),
    }
}

/// Reads the whole log; works beside a running server.
fn event_log(setup: &Setup) -> Vec<Finding> {
    match store::verify_log(&setup.uri(&setup.config.data.events)) {
        Ok(topics) => topics
            .iter()
            .map(|topic| {
                let (name, records) = (topic.topic.as_str(), thousands(topic.records));
                let mut words = format!("{name}: {records} records in {} bytes, all sound", thousands(topic.bytes));
                if topic.torn_bytes > 0 {
                    words.push_str(&format!("; {} bytes of an unfinished write at the end", topic.torn_bytes));
                }
                Finding::new("event log", Verdict::Fine, words)
            })
            .collect(),
        Err(error) => vec![Finding::new("event log", Verdict::Broken, error.to_string())],
    }
}

/// Tries the event log's lock, which whoever works on the data holds, and lets go at once.
fn running(setup: &Setup) -> Finding {
    let lock = directory(setup, &setup.config.data.events).join("lock");
    let tried = match File::open(&lock) {
        Ok(file) => file.try_lock_shared(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(TryLockError::Error(error)),
    };
    match tried {
        Ok(()) => Finding::new("in use", Verdict::Fine, "nobody works on this data"),
        Err(TryLockError::WouldBlock) => Finding::new("in use", Verdict::Fine, "another process works on this data"),
        Err(TryLockError::Error(error)) => {
            Finding::new("in use", Verdict::Broken, format!("{}: {error}", lock.display()))
        }
    }
}

/// The directory of an address.
fn directory(setup: &Setup, uri: &str) -> PathBuf {
    let uri = setup.uri(uri);
    PathBuf::from(uri.strip_prefix("file://").unwrap_or(&uri))
}

fn model(setup: &Setup) -> Finding {
    if !directory(setup, &setup.config.data.blobs).is_dir() {
        return Finding::new("model", Verdict::Remark, "none is live (bowerbird train makes one)");
    }
    let looked = setup.blobs().and_then(|blobs| {
        let registry = Registry::new(blobs);
        let versions = registry.versions()?.len();
        let Some(live) = registry.live()? else { return Ok((versions, None)) };
        registry.model(&live)?;
        registry.card(&live)?;
        Ok((versions, Some(live)))
    });
    match looked {
        Ok((versions, Some(live))) => Finding::new("model", Verdict::Fine, format!("{live} is live, {versions} kept")),
        Ok((_, None)) => Finding::new("model", Verdict::Remark, "none is live (bowerbird train makes one)"),
        Err(error) => Finding::new("model", Verdict::Broken, format!("{error:#}")),
    }
}

/// Opens the newest snapshot, as a start would.
fn snapshot(setup: &Setup) -> Finding {
    let snapshots = setup.snapshots();
    let newest = match snapshots.numbers() {
        Ok(numbers) => numbers.first().copied(),
        Err(error) => return Finding::new("snapshot", Verdict::Remark, error.to_string()),
    };
    let Some(newest) = newest else {
        return Finding::new("snapshot", Verdict::Remark, "none yet: the next start reads the whole log");
    };
    match Opened::newest(&snapshots) {
        Ok(opened) if opened.number == Some(newest) => {
            let seconds = opened.parts.iter().map(|(_, time)| time.as_secs_f64()).fold(0.0, f64::max);
            Finding::new("snapshot", Verdict::Fine, format!("number {newest} is whole, opened in {seconds:.2} s"))
        }
        Ok(_) => Finding::new("snapshot", Verdict::Remark, format!("number {newest} cannot be used; a start goes on")),
        Err(error) => Finding::new("snapshot", Verdict::Remark, error.to_string()),
    }
}

fn clock() -> Finding {
    let now = now_ms();
    let verdict = if now < CLOCK_MS_MIN { Verdict::Broken } else { Verdict::Fine };
    Finding::new("clock", verdict, format!("{} UTC", crate::moment::readable(now)))
}

fn machine() -> Finding {
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let mib = kib.and_then(|kib| kib.split_whitespace().next()?.parse::<u64>().ok()).map(|kib| kib / 1024);
    let memory = mib.map_or(String::new(), |mib| format!(", {} MiB of memory free", thousands(mib)));
    let verdict = if mib.is_some_and(|mib| mib < 1024) { Verdict::Remark } else { Verdict::Fine };
    Finding::new("machine", verdict, format!("{} cores{memory}", crate::engine::cores()))
}

/// Room on the disk, as `df` tells it.
fn disk(data: &Path) -> Finding {
    let output = Command::new("df").arg("-Pk").arg(data).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let kib = text.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    match kib.map(|kib| kib * 1024) {
        Some(free) if free < FREE_BYTES_MIN => {
            Finding::new("disk", Verdict::Remark, format!("only {} MiB are free", thousands(free >> 20)))
        }
        Some(free) => Finding::new("disk", Verdict::Fine, format!("{} MiB are free", thousands(free >> 20))),
        None => Finding::new("disk", Verdict::Remark, "cannot tell how much is free"),
    }
}

fn port(config: &Config) -> Finding {
    let address = &config.server.address;
    match config.server.socket().and_then(|socket| Ok(config.keys()?.allow_bind(socket)?)) {
        Err(error) => Finding::new("address", Verdict::Broken, format!("{error:#}")),
        Ok(()) => match TcpListener::bind(address) {
            Ok(_) => Finding::new("address", Verdict::Fine, format!("{address} is free")),
            Err(error) => Finding::new("address", Verdict::Remark, format!("{address}: {error}")),
        },
    }
}

/// Only the browser test needs it.
fn chromium() -> Finding {
    let found = ["chromedriver", "chromium", "chromium-browser", "google-chrome"]
        .iter()
        .any(|name| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()));
    let words = if found { "there, for the browser test" } else { "not there; only the browser test needs it" };
    Finding::new("chromium", Verdict::Fine, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn setup(data: &Path) -> Setup {
        Setup { data: data.to_owned(), given: None, config: Config::default(), json: false, stop: Stop::default() }
    }

    fn words<'a>(findings: &'a [Finding], what: &str) -> &'a str {
        &findings.iter().find(|finding| finding.what == what).expect(what).words
    }

    /// Every file and folder below `folder`, with its bytes.
    fn everything(folder: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                everything(&path, into);
            }
            into.insert(path.clone(), std::fs::read(&path).unwrap_or_default());
        }
    }

    #[test]
    fn it_leaves_everything_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let setup = setup(folder.path());
        let findings = data_directory(&setup);
        assert!(findings.iter().all(|finding| finding.verdict != Verdict::Broken));
        let mut made = BTreeMap::new();
        everything(folder.path(), &mut made);
        assert!(made.is_empty(), "an empty directory stays empty: {:?}", made.keys());

        let log = setup.log().expect("a log");
        let findings = data_directory(&setup);
        assert_eq!(words(&findings, "in use"), "another process works on this data");
        let pinner = domain::Pinner { id: "ann".into(), ..domain::Pinner::default() };
        log.append(&[(domain::EventId::new(7, 7), domain::Fact::Pinner(pinner))]).expect("appended");
        drop(log);
        let catalogue = folder.path().join("log/catalogue");
        let segment = std::fs::read_dir(&catalogue).expect("a folder").next().expect("one").expect("readable").path();
        let mut bytes = std::fs::read(&segment).expect("the facts");
        bytes.extend(b"the beginning of a fact that was never acknowledged");
        std::fs::write(&segment, bytes).expect("a torn tail");
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        everything(folder.path(), &mut before);
        let findings = data_directory(&setup);
        everything(folder.path(), &mut after);
        assert!(before == after, "nothing was cut off or made");
        assert_eq!(words(&findings, "in use"), "nobody works on this data");
        assert!(findings.iter().any(|finding| finding.words.contains("of an unfinished write at the end")));
    }
}
