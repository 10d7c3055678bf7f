//! A server over real embedded engines in a temporary directory, with a small planted world in it.

use crate::client::{Answer, raw, request};
use domain::{EventId, Fact, TopicKind};
use serde_json::Value;
use server::{App, Engines, Keys, Limits, Settings};
use serving::{Consumer, Opened, Pipeline};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use store::{Appended, Blobs, EventLog, Record, StoreError};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use world::{World, WorldConfig};

/// The log as the server writes it: appending can be held up.
pub struct SlowLog {
    log: Arc<dyn EventLog>,
    held: RwLock<()>,
}

impl SlowLog {
    /// Nothing is appended until this is dropped.
    pub fn hold(&self) -> RwLockWriteGuard<'_, ()> {
        self.held.write().unwrap()
    }
}

impl EventLog for SlowLog {
    fn append(&self, facts: &[(EventId, Fact)]) -> Result<Appended, StoreError> {
        let _free = self.held.read().unwrap_or_else(PoisonError::into_inner);
        self.log.append(facts)
    }

    fn read(&self, topic: TopicKind, from: u64, max: usize) -> Result<Vec<Record>, StoreError> {
        self.log.read(topic, from, max)
    }

    fn end(&self, topic: TopicKind) -> u64 {
        self.log.end(topic)
    }

    fn wait(&self, topic: TopicKind, from: u64, timeout: Duration) -> bool {
        self.log.wait(topic, from, timeout)
    }
}

/// A running server. Stops when dropped.
pub struct Server {
    pub address: SocketAddr,
    pub app: App,
    pub log: Arc<dyn EventLog>,
    pub slow: Arc<SlowLog>,
    pub blobs: Blobs,
    pub consumer: Arc<Consumer>,
    stop_consumer: Arc<AtomicBool>,
    following: Option<std::thread::JoinHandle<()>>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<tokio::task::JoinHandle<Result<(), server::ServerError>>>,
    runtime: Option<Runtime>,
}

pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

impl Server {
    /// A server over what lies in `directory`.
    pub fn open(directory: &Path, settings: Settings) -> Server {
        Server::open_with(directory, settings, content::Annotating::default())
    }

    /// The same where pins that come are annotated so.
    pub fn open_with(directory: &Path, settings: Settings, annotating: content::Annotating) -> Server {
        let part = |name: &str| directory.join(name).to_str().unwrap().to_owned();
        let log = store::open_log(&part("log")).unwrap();
        let state = store::open_state(&part("state")).unwrap();
        let blobs = store::open_blobs(&part("blobs")).unwrap();
        let consumer = Arc::new(Consumer::open(log.clone(), state, Opened::nothing().unwrap()).unwrap());
        let views = consumer.views().clone();
        consumer.catch_up().unwrap();
        let slow = Arc::new(SlowLog { log: log.clone(), held: RwLock::default() });
        let engines = Engines {
            consumer: consumer.clone(),
            pipeline: Pipeline::new(views, 2),
            log: slow.clone(),
            blobs: blobs.clone(),
            embedder: content::Embedder::default(),
            annotating,
        };
        let runtime = Runtime::new().unwrap();
        let app = App::new(engines, settings).unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = runtime.spawn(server::serve(listener, app.clone(), async {
            let _ = stopped.await;
        }));
        let stop_consumer = Arc::new(AtomicBool::new(false));
        let (theirs, flag) = (consumer.clone(), stop_consumer.clone());
        let following = std::thread::spawn(move || theirs.run(&flag));
        Server {
            address,
            app,
            log,
            slow,
            blobs,
            consumer,
            stop_consumer,
            following: Some(following),
            stop: Some(stop),
            serving: Some(serving),
            runtime: Some(runtime),
        }
    }

    /// Asks the server to stop, and waits until it has.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let (Some(serving), Some(runtime)) = (self.serving.take(), self.runtime.as_ref()) {
            runtime.block_on(serving).unwrap().unwrap();
        }
        self.stop_consumer();
    }

    /// From now on the views stand still.
    pub fn stop_consumer(&mut self) {
        self.stop_consumer.store(true, Ordering::Relaxed);
        if let Some(following) = self.following.take() {
            following.join().unwrap();
        }
    }

    /// Tells the server to stop without waiting.
    pub fn begin_stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        raw(self.address, &request(method, path, headers, body))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    /// The JSON of a path that must answer well.
    pub fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    pub fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], body.as_ref())
    }

    /// Waits until the views have seen all that is in the log.
    pub fn settle(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.consumer.lag().iter().sum::<u64>() > 0 {
            assert!(Instant::now() < until, "the consumer does not catch up: {:?}", self.consumer.trouble());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// How many facts a topic holds.
    pub fn end(&self, topic: TopicKind) -> u64 {
        self.log.end(topic)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop();
        }
        self.stop_consumer.store(true, Ordering::Relaxed);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A server in its own directory.
pub struct Nest {
    // Dropped first: the server lets go of the directory.
    pub server: Server,
    pub directory: tempfile::TempDir,
}

impl std::ops::Deref for Nest {
    type Target = Server;
    fn deref(&self) -> &Server {
        &self.server
    }
}

/// An empty server.
pub fn empty() -> Nest {
    start(Settings::default())
}

/// An empty server with keys and limits.
pub fn with(keys: Keys, limits: Limits) -> Nest {
    start(Settings { keys, limits, ..Settings::default() })
}

/// An empty server with settings.
pub fn start(settings: Settings) -> Nest {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::open(directory.path(), settings);
    Nest { server, directory }
}

/// An empty server where pins that come are annotated so.
pub fn annotated_by(annotating: content::Annotating) -> Nest {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::open_with(directory.path(), Settings::default(), annotating);
    Nest { server, directory }
}

/// A small world: enough pins for several pages, enough saves for every generator.
pub fn small_world() -> World {
    World::new(WorldConfig { pins: 400, pinners: 80, events: 6_000, ..WorldConfig::new(11, now_ms() - 60_000) })
}

/// A server with the small world in it, without pictures.
pub fn populated() -> Nest {
    let nest = empty();
    fill(&nest, &small_world());
    nest
}

/// Puts a world's facts into the log and its words into the views.
pub fn fill(server: &Server, world: &World) {
    let facts: Vec<_> = world.facts().collect();
    server.log.append(&facts).unwrap();
    let understood = facts.iter().filter_map(|(id, fact)| match fact {
        Fact::Pin(pin) => {
            let understood = content::Embedder::default().understand(pin, None).unwrap().understood;
            Some((EventId(id.0 ^ 1), Fact::Understood(understood)))
        }
        _ => None,
    });
    server.log.append(&understood.collect::<Vec<_>>()).unwrap();
    server.settle();
}
