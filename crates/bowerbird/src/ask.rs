//! Asks for an answer: a running server, or the same server made for this one question.

use crate::client::{Client, told};
use crate::config::check_params;
use crate::engine::Engine;
use crate::setup::Setup;
use anyhow::{Context, Result};
use content::Annotating;
use serde_json::Value;
use server::{App, CheckParams, Engines, Keys, Settings};
use std::net::SocketAddr;
use store::StoreError;

/// Which server is asked.
#[derive(Debug, clap::Args)]
pub(crate) struct Whom {
    /// Ask this server [default: the data directory itself, or the server that runs on it].
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Secret of a key, when the server asks for one.
    #[arg(long, env = "BOWERBIRD_KEY", hide_env_values = true, value_name = "SECRET")]
    key: Option<String>,
}

/// The JSON that a GET of `path` answers.
pub(crate) fn ask(setup: &Setup, whom: &Whom, path: &str) -> Result<Value> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    if let Some(server) = &whom.server {
        let base = if server.contains("://") { server.clone() } else { format!("http://{server}") };
        return runtime.block_on(Client::new(&base, whom.key.clone()).json(path));
    }
    match Engine::open(setup) {
        Ok(engine) => {
            engine.install_live()?;
            runtime.block_on(ask_here(setup, engine, path))
        }
        Err(error) if is_locked(&error) => {
            let Some(address) = served_at(setup) else {
                return Err(error).context("no server runs on it that could be asked instead");
            };
            let base = format!("http://{}", reachable(&address));
            let answer = runtime.block_on(Client::new(&base, whom.key.clone()).json(path));
            answer.with_context(|| format!("{error:#}; asked {base} instead (--server names another)"))
        }
        Err(error) => Err(error),
    }
}

/// Where in the data directory a server says at which address it listens.
const ADDRESS: &str = "server.address";

/// Says at which address a server on the data directory listens.
pub(crate) fn serves_at(setup: &Setup, address: SocketAddr) -> Result<()> {
    let path = setup.folder(ADDRESS);
    std::fs::write(&path, address.to_string()).with_context(|| format!("cannot write {}", path.display()))
}

/// Nobody listens for the data directory (any more).
pub(crate) fn serves_nowhere(setup: &Setup) {
    _ = std::fs::remove_file(setup.folder(ADDRESS));
}

fn served_at(setup: &Setup) -> Option<String> {
    std::fs::read_to_string(setup.folder(ADDRESS)).ok().filter(|address| !address.is_empty())
}

/// Whether another process works on the data directory.
pub(crate) fn is_locked(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref(), Some(StoreError::Locked { .. })))
}

/// An address that listens everywhere is reached on this machine.
fn reachable(address: &str) -> String {
    address.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:")
}

/// Answers one question as the server would, without listening anywhere; it is recorded like any other.
async fn ask_here(setup: &Setup, engine: Engine, path: &str) -> Result<Value> {
    let engines = Engines {
        consumer: engine.consumer.clone(),
        pipeline: engine.pipeline(),
        log: engine.log.clone(),
        blobs: engine.blobs.clone(),
        embedder: engine.embedder()?,
        annotating: Annotating::default(),
    };
    let settings = Settings {
        keys: Keys::default(),
        limits: setup.config.limits.clone(),
        params: setup.config.params.clone(),
        check_params: CheckParams(check_params),
        clock: server::ClockKind::Wall,
    };
    let app = App::new(engines, settings)?;
    let (status, body) = server::ask(app, path).await?;
    // What was recorded is brought into the views' state, so that `explain` finds it.
    tokio::task::spawn_blocking(move || engine.consumer.catch_up()).await??;
    told(status, &body)
}
