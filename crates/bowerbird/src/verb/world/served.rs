//! A server of its own for a world, asked over the public API, and trained as users train.

use super::shelf::{PAGE, Page};
use crate::child::ServerProcess;
use crate::client::{Ask, Client, encoded, told};
use crate::config::{Config, FILE_NAME};
use crate::setup::Setup;
use ::world::{Visit, Want, World};
use anyhow::{Context, Result, bail};
use domain::{Event, EventId, Fact, Pin, hash64};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Rows that are sent together.
const ROWS: usize = 500;
/// Longest until what was told is in the views, or a new model is live.
const SETTLED_S_MAX: u64 = 120;
const LOOK: Duration = Duration::from_millis(20);
const LINES: &str = "application/x-ndjson";
const JSON: &str = "application/json";

/// A running server in the time of a world.
pub(super) struct Served {
    setup: Setup,
    runtime: Runtime,
    client: Client,
    // Ends before its folder is removed.
    _server: ServerProcess,
}

/// What a night's training said.
pub(super) struct Learned {
    /// Version, or why nothing was put live.
    pub said: String,
    pub live: bool,
    pub seconds: f64,
}

impl Served {
    /// Starts a server in an empty folder, at a moment of the world (ms, UTC).
    pub(super) fn start(folder: &Path, config: &Config, setup: &Setup, now_ms: u64) -> Result<Served> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let path = folder.join(FILE_NAME);
        std::fs::write(&path, toml::to_string(config)?).with_context(|| format!("cannot write {}", path.display()))?;
        let setup = Setup { data: folder.to_owned(), given: None, config: config.clone(), ..setup.clone() };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let mut server = ServerProcess::start_with(&setup, Some(&path), &["--clock", "given"])?;
        let client = Client::new(&server.base, None);
        runtime.block_on(async {
            // The data is opened first; until then nothing but that it is alive is answered.
            let until = Instant::now() + Duration::from_secs(SETTLED_S_MAX);
            while clock(&client, now_ms).await.is_err() && Instant::now() < until {
                tokio::time::sleep(LOOK).await;
            }
            clock(&client, now_ms).await.context("the server does not take the time")?;
            server.ready(&client).await
        })?;
        Ok(Served { setup, runtime, client, _server: server })
    }

    /// Puts the server's clock forward (ms, UTC).
    pub(super) fn forward(&self, now_ms: u64) -> Result<()> {
        self.runtime.block_on(clock(&self.client, now_ms))
    }

    /// Adds pins, pinners and boards, pins with their pictures if they are drawn; returns when they are in the views.
    pub(super) fn add(&self, world: &World, facts: Vec<(EventId, Fact)>, drawn: bool) -> Result<()> {
        let mut rows: [Vec<String>; 3] = Default::default();
        let mut pins = Vec::new();
        for (_, fact) in facts {
            match fact {
                Fact::Pin(pin) => {
                    rows[0].push(pin_row(&pin).to_string());
                    pins.extend(world.pin_number(&pin.id).map(|number| (number, pin.id)));
                }
                Fact::Pinner(pinner) => rows[1].push(
                    json!({"id": pinner.id, "name": pinner.name, "language": pinner.language,
                           "created_ms": pinner.created_ms})
                    .to_string(),
                ),
                Fact::Board(board) => rows[2].push(
                    json!({"id": board.id, "title": board.title, "pinner": board.pinner,
                           "created_ms": board.created_ms})
                    .to_string(),
                ),
                _ => {}
            }
        }
        for (path, rows) in ["/v1/pins", "/v1/pinners", "/v1/boards"].into_iter().zip(&rows) {
            rows.chunks(ROWS).try_for_each(|rows| self.take(path, rows))?;
        }
        if drawn {
            pins.par_iter().try_for_each(|(number, id)| self.picture(world, *number, id))?;
        }
        self.settle()
    }

    fn picture(&self, world: &World, number: u32, id: &str) -> Result<()> {
        self.setup.stop.check()?;
        let ask = Ask::put(format!("/v1/pins/{}/image", encoded(id)), "image/png", world.draw(number).to_png());
        self.ask(&ask).map(drop)
    }

    /// The page that a visitor wants.
    pub(super) fn page(&self, world: &World, visit: &Visit<'_>, before: &Page) -> Result<Page> {
        let who = encoded(&world.pinner_id(visit.pinner()));
        let path = match visit.wants() {
            None => return Ok(Page::default()),
            Some(Want::Home) => format!("/v1/feed/{who}?limit={PAGE}"),
            Some(Want::Related(pin)) => {
                format!("/v1/pins/{}/related?pinner={who}&limit={PAGE}", encoded(&world.pin_id(*pin)))
            }
            Some(Want::Search(query)) => format!("/v1/search?q={}&pinner={who}&limit={PAGE}", encoded(&query.text)),
            Some(Want::More) => match &before.cursor {
                Some(cursor) => cursor.clone(),
                None => return Ok(Page { request_id: before.request_id.clone(), ..Page::default() }),
            },
        };
        let list = self.ask(&Ask::get(path.as_str()))?;
        let items = list["items"].as_array().context("a list without items")?;
        let pins = items.iter().map(|item| world.pin_number(item["id"].as_str()?)).collect();
        let first = path.split("&cursor=").next().unwrap_or(&path);
        let cursor = list["next_cursor"].as_str().map(|cursor| format!("{first}&cursor={}", encoded(cursor)));
        let subject = match visit.wants() {
            Some(Want::Related(pin)) => Some(world.pin_id(*pin)),
            Some(Want::More) => before.subject.clone(),
            _ => None,
        };
        let request_id = list["request_id"].as_str().map(str::to_owned);
        Ok(Page { pins, request_id, subject, cursor, rest: Vec::new() })
    }

    /// Tells what a visitor did with a page.
    pub(super) fn tell(&self, page: &Page, events: &[Event]) -> Result<()> {
        let rows: Vec<String> = (0u64..).zip(events).map(|(place, event)| event_row(event, page, place)).collect();
        if rows.is_empty() { Ok(()) } else { self.take("/v1/events", &rows) }
    }

    /// Trains on everything until now (ms, UTC) and waits until the model serves, if it may.
    pub(super) fn learn(&self, now_ms: u64) -> Result<Learned> {
        self.settle()?;
        let began = Instant::now();
        let program = std::env::current_exe().context("cannot find this program's file")?;
        let mut command = Command::new(program);
        command.arg("--data").arg(&self.setup.data).arg("--config").arg(self.setup.data.join(FILE_NAME));
        command.args(["--json", "train", "--now", &now_ms.to_string()]);
        let done = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().context("cannot train")?;
        self.setup.stop.check()?;
        let seconds = began.elapsed().as_secs_f64();
        let words = String::from_utf8_lossy(&done.stderr);
        let said: Option<Value> = serde_json::from_slice(&done.stdout).ok();
        let version = said.as_ref().and_then(|said| said["version"].as_str());
        match version {
            Some(version) if done.status.success() => {
                self.wait_for(version)?;
                Ok(Learned { said: version.to_owned(), live: true, seconds })
            }
            _ => {
                let last = words.lines().rev().find(|line| line.starts_with("error: ")).unwrap_or("no reason given");
                Ok(Learned { said: last.to_owned(), live: false, seconds })
            }
        }
    }

    /// Waits until the server answers with a model.
    fn wait_for(&self, version: &str) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(SETTLED_S_MAX);
        loop {
            self.setup.stop.check()?;
            std::thread::sleep(LOOK * 10);
            if self.ask(&Ask::get("/v1/feed/nobody?limit=1"))?["model"] == *version {
                return Ok(());
            }
            if Instant::now() > until {
                bail!("the server did not take over model {version} within {SETTLED_S_MAX} s");
            }
        }
    }

    /// Waits until the views know all that was told.
    fn settle(&self) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(SETTLED_S_MAX);
        loop {
            self.setup.stop.check()?;
            let ready = self.runtime.block_on(self.client.get("/health/ready"))?;
            let lag: Value = serde_json::from_slice(&ready.1).unwrap_or_default();
            let behind = |topic: &str| lag["lag"][topic].as_u64();
            if behind("catalogue") == Some(0) && behind("events") == Some(0) {
                return Ok(());
            }
            if Instant::now() > until {
                bail!("the views do not follow: {lag}");
            }
            std::thread::sleep(LOOK);
        }
    }

    fn take(&self, path: &str, rows: &[String]) -> Result<()> {
        let taken = self.ask(&Ask::post(path, LINES, rows.join("\n")))?;
        match taken["refused_count"].as_u64() {
            Some(0) => Ok(()),
            _ => bail!("{path} refused rows: {}", taken["refused"]),
        }
    }

    fn ask(&self, ask: &Ask) -> Result<Value> {
        let (status, body) = self.runtime.block_on(self.client.ask(ask))?;
        told(status, &body).with_context(|| format!("{ask:?}").chars().take(200).collect::<String>())
    }
}

async fn clock(client: &Client, now_ms: u64) -> Result<()> {
    let (status, body) = client.ask(&Ask::post("/v1/clock", JSON, json!({"now": now_ms}).to_string())).await?;
    told(status, &body).map(drop)
}

fn pin_row(pin: &Pin) -> Value {
    json!({
        "id": pin.id, "title": pin.title, "description": pin.description, "creator": pin.creator,
        "topics": pin.topics, "language": pin.language, "link": pin.link, "created_ms": pin.created_ms,
    })
}

/// An event as the API takes it, under a name that it always has.
fn event_row(event: &Event, page: &Page, place: u64) -> String {
    let entropy = u128::from(hash64(hash64(event.ts_ms) ^ place)) << 16 | u128::from(event.action as u8);
    let who = event.pinner.bytes().fold(0u64, |hash, byte| hash64(hash ^ u64::from(byte)));
    let id = EventId::new(event.ts_ms, entropy ^ u128::from(who));
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            row.insert(name.to_owned(), value);
        }
    };
    put("event_id", json!(id.to_string()));
    put("ts", json!(event.ts_ms));
    put("pinner", json!(event.pinner));
    put("action", json!(event.action.as_str()));
    put("surface", json!(event.surface.as_str()));
    put("pin", json!(event.pin));
    put("board", json!(event.board));
    put("query", json!(event.query));
    put("position", json!(event.position));
    put("value", json!(event.value));
    put("request_id", json!(page.request_id));
    put("props", page.subject.as_ref().map_or(Value::Null, |subject| json!({"subject": subject})));
    Value::Object(row).to_string()
}
