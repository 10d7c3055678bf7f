//! Asks for an answer: a running server, or the same server made for this one question.

use crate::client::{Client, told};
use crate::engine::Engine;
use crate::setup::Setup;
use anyhow::{Context, Result};
use serde_json::Value;
use server::{App, Engines, Keys, Settings};
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
            let base = format!("http://{}", reachable(&setup.config.server.address));
            let answer = runtime.block_on(Client::new(&base, whom.key.clone()).json(path));
            answer.with_context(|| format!("{error:#}; asked {base} instead (--server names another)"))
        }
        Err(error) => Err(error),
    }
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
    };
    let settings =
        Settings { keys: Keys::default(), limits: setup.config.limits.clone(), params: setup.config.params.clone() };
    let app = App::new(engines, settings)?;
    let (status, body) = server::ask(app, path).await?;
    // What was recorded is brought into the views' state, so that `explain` finds it.
    tokio::task::spawn_blocking(move || engine.consumer.catch_up()).await??;
    told(status, &body)
}
