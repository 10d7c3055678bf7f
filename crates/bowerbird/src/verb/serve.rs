//! `bowerbird serve`: the API and the pinner app.

use crate::ask::{serves_at, serves_nowhere};
use crate::config::{Looked, Watched, check_params};
use crate::engine::{Engine, keep};
use crate::lake_roll;
use crate::relevance::Kept;
use crate::setup::Setup;
use crate::stop::Stop;
use crate::understand::{Contents, ContentsWatch, Encoders, Renewal};
use anyhow::{Context, Result};
use server::{App, CheckParams, ClockKind, Engines, Settings};
use serving::{Consumer, Views};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use store::{EventLog, Snapshots};

/// Serve the API and the pinner app over HTTP.
///
/// The pinner app is at /, the API under /v1 (described at /openapi.json), health at /health/live and /health/ready,
/// metrics at /metrics. Without a model it serves by walks, words, content and popularity; a model that `bowerbird
/// train` puts live is taken over without a pause, and so is a changed [params] part of bowerbird.toml. Ctrl-C or
/// SIGTERM finishes what is under way and loses nothing.
///
/// Anybody on this machine may ask. To listen elsewhere, make a key first: bowerbird init --key NAME:ROLE
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Where to listen [default: server.address].
    #[arg(long, value_name = "HOST:PORT")]
    pub address: Option<String>,
    /// Where the time comes from: the machine, or whoever may post it to /v1/clock (for simulated time).
    #[arg(long, value_enum, default_value_t)]
    pub clock: Clock,
}

/// Where a server's time comes from.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub(crate) enum Clock {
    #[default]
    Wall,
    Given,
}

impl From<Clock> for ClockKind {
    fn from(clock: Clock) -> ClockKind {
        match clock {
            Clock::Wall => ClockKind::Wall,
            Clock::Given => ClockKind::Given,
        }
    }
}

/// How often threads look whether they should stop.
const LOOK_MS: u64 = 100;
/// How often it is looked whether parameters have changed.
const PARAMS_EVERY: Duration = Duration::from_secs(1);

/// Runs the verb.
pub(crate) fn run(args: &Args, mut setup: Setup) -> Result<()> {
    if let Some(address) = &args.address {
        setup.config.server.address.clone_from(address);
    }
    let address = setup.config.server.socket()?;
    // What can be refused at once is refused before anything long begins.
    setup.config.keys()?.allow_bind(address)?;
    setup.config.content.rules(&setup.data)?;
    let listener = TcpListener::bind(address);
    let listener = listener.with_context(|| format!("cannot listen on {address} (is something running there?)"))?;
    std::fs::create_dir_all(&setup.data).with_context(|| format!("cannot make {}", setup.data.display()))?;
    let (engine, model) = open(&setup, &listener)?;
    serve(&setup, engine, listener, model, args.clock.into())
}

/// Opens the data. That can take a while; whoever asks meanwhile is told that the server is alive and not ready.
fn open(setup: &Setup, listener: &TcpListener) -> Result<(Engine, Option<String>)> {
    tracing::info!(address = %listener.local_addr()?, "opening the data");
    let runtime = runtime(1)?;
    let (opened, wait) = tokio::sync::oneshot::channel::<()>();
    let (ours, limits) = (listener.try_clone()?, setup.config.limits.clone());
    let greeting = runtime.spawn(async move {
        server::greet(listening(ours)?, &limits, async { drop(wait.await) }).await;
        anyhow::Ok(())
    });
    let engine = Engine::open(setup)?;
    let model = engine.install_live()?;
    drop(opened);
    // Nobody else takes connections when the server begins to.
    runtime.block_on(greeting)??;
    Ok((engine, model))
}

fn listening(listener: TcpListener) -> Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    Ok(tokio::net::TcpListener::from_std(listener)?)
}

/// Serves on a listener until somebody asks to stop.
pub(crate) fn serve(
    setup: &Setup,
    engine: Engine,
    listener: TcpListener,
    model: Option<String>,
    clock: ClockKind,
) -> Result<()> {
    // The helpers work on while requests under way are finished: these may wait for what they wrote to be in the views.
    let helped = Setup { stop: Stop::default(), ..setup.clone() };
    let app = app(setup, &engine, clock)?;
    let threads = Threads::start(&helped, &engine, &app, model.clone())?;
    let runtime = runtime(setup.config.server.threads)?;
    let served = runtime.block_on(async {
        let listener = listening(listener)?;
        serves_at(setup, listener.local_addr()?)?;
        announce(setup, listener.local_addr()?, &engine, model.as_deref());
        let stop = setup.stop.clone();
        server::serve(listener, app, async move { asked(&stop).await }).await?;
        anyhow::Ok(())
    });
    serves_nowhere(setup);
    helped.stop.ask();
    threads.join();
    engine.keep();
    // The records of the last requests are written: the lake gets them too.
    roll(setup, engine.log.as_ref(), &engine.views);
    served
}

fn runtime(threads: usize) -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if threads > 0 {
        builder.worker_threads(threads);
    }
    builder.enable_all().build().context("cannot start the server's threads")
}

fn app(setup: &Setup, engine: &Engine, clock: ClockKind) -> Result<App> {
    let engines = Engines {
        consumer: engine.consumer.clone(),
        pipeline: engine.pipeline(),
        log: engine.log.clone(),
        blobs: engine.blobs.clone(),
        embedder: engine.embedder()?,
        annotating: Contents::new(engine.blobs.clone()).annotating(&setup.config.content.rules(&setup.data)?)?,
    };
    let settings = Settings {
        keys: setup.config.keys()?,
        limits: setup.config.limits.clone(),
        params: setup.config.params.clone(),
        check_params: CheckParams(check_params),
        clock,
    };
    Ok(App::new(engines, settings)?)
}

/// Says where the server is: one line on stdout, so that whoever started it can read the port; where JSON was asked
/// for, nothing else may stand there.
fn announce(setup: &Setup, address: SocketAddr, engine: &Engine, model: Option<&str>) {
    let (pins, pinners) = {
        let catalogue = engine.views.catalogue();
        (catalogue.pins(), catalogue.pinners())
    };
    let model = model.map_or("no model yet".to_owned(), |version| format!("model {version}"));
    let words = format!("bowerbird serves {pins} pins to {pinners} pinners ({model}): http://{address}");
    if setup.json { eprintln!("{words}") } else { println!("{words}") }
}

async fn asked(stop: &Stop) {
    while !stop.asked() {
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
    }
}

/// What runs beside the server.
struct Threads(Vec<JoinHandle<()>>);

impl Threads {
    fn start(setup: &Setup, engine: &Engine, app: &App, model: Option<String>) -> Result<Threads> {
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new().name(name.to_owned()).spawn(work).context("cannot start a thread")
        };
        let (consumer, stop) = (engine.consumer.clone(), setup.stop.clone());
        let follow = spawn("consumer", Box::new(move || follow(&consumer, &stop)))?;
        let (registry, views, stop) = (engine.registry(), engine.views.clone(), setup.stop.clone());
        let every = Duration::from_secs(setup.config.server.model_check_s);
        let watch = spawn("models", Box::new(move || watch_models(&registry, &views, model, every, &stop)))?;
        let renewal = Renewal {
            encoders: Encoders::new(engine.blobs.clone()),
            log: engine.log.clone(),
            blobs: engine.blobs.clone(),
            views: engine.views.clone(),
            app: app.clone(),
            stop: setup.stop.clone(),
        };
        let renew = spawn("encoders", Box::new(move || renewal.watch(every)))?;
        let (kept, views, stop) = (Kept::new(engine.blobs.clone()), engine.views.clone(), setup.stop.clone());
        let students = spawn("relevance", Box::new(move || kept.watch(&views, every, &stop)))?;
        let contents = ContentsWatch {
            contents: Contents::new(engine.blobs.clone()),
            rules: setup.config.content.rules(&setup.data)?,
            log: engine.log.clone(),
            blobs: engine.blobs.clone(),
            consumer: engine.consumer.clone(),
            app: app.clone(),
            setup: setup.clone(),
        };
        let annotate = spawn("contents", Box::new(move || contents.watch(every)))?;
        let (file, app, stop) = (watched(setup), app.clone(), setup.stop.clone());
        let tune = spawn("params", Box::new(move || watch_params(file, &app, &stop)))?;
        let (log, views, roller) = (engine.log.clone(), engine.views.clone(), setup.clone());
        let roll = spawn("lake-roll", Box::new(move || keep_rolling(&roller, log.as_ref(), &views)))?;
        let (consumer, snapshots, setup) = (engine.consumer.clone(), engine.snapshots.clone(), setup.clone());
        let log = engine.log.clone();
        let work = move || {
            // Nobody has to wait for the log to be ready who does not write to it in the first moment.
            if let Err(error) = log.append(&[]) {
                tracing::error!(%error, "the event log takes nothing");
            }
            keep_on(&setup, &consumer, &snapshots);
        };
        let keep = spawn("snapshots", Box::new(work))?;
        Ok(Threads(vec![follow, watch, renew, annotate, students, tune, roll, keep]))
    }

    fn join(self) {
        for thread in self.0 {
            // A panic there was already told by its thread.
            let _ = thread.join();
        }
    }
}

fn follow(consumer: &Arc<Consumer>, stop: &Stop) {
    consumer.run(&stop.flag());
}

/// Installs the model that is live whenever it is another one.
fn watch_models(
    registry: &crate::registry::Registry,
    views: &Views,
    mut installed: Option<String>,
    every: Duration,
    stop: &Stop,
) {
    while stop.rest(every) {
        let live = match registry.live() {
            Ok(live) => live,
            Err(error) => {
                tracing::warn!(error = %format!("{error:#}"), "cannot look which model is live");
                continue;
            }
        };
        if live == installed {
            continue;
        }
        let Some(version) = &live else {
            views.uninstall();
            installed = None;
            continue;
        };
        let swapped = registry.model(version).and_then(|model| Ok(views.install(Arc::new(model))?));
        match swapped {
            Ok(_) => tracing::info!(%version, "a new model is live"),
            Err(error) => tracing::error!(%version, error = %format!("{error:#}"), "a new model cannot be used"),
        }
        // A model that cannot be used is not tried again until another one is named.
        installed = live;
    }
}

fn watched(setup: &Setup) -> Watched {
    Watched::new(setup.data.clone(), setup.given.clone(), setup.config.params.clone())
}

/// Takes over what changes among the parameters in the configuration's file.
fn watch_params(mut file: Watched, app: &App, stop: &Stop) {
    while stop.rest(PARAMS_EVERY) {
        match file.look() {
            Looked::Nothing => {}
            Looked::Changed(params, keys) => {
                tracing::info!(changed = keys.join(" "), "parameters are taken over");
                app.offer_params(Ok(*params));
            }
            Looked::Unusable(error) => {
                tracing::error!(%error, "the configuration cannot be used: everything stays as it was");
                app.offer_params(Err(error));
            }
        }
    }
}

/// Keeps the views as a snapshot every so often, when enough is new.
fn keep_on(setup: &Setup, consumer: &Consumer, snapshots: &Snapshots) {
    let every = Duration::from_secs(setup.config.server.snapshot_every_s);
    while setup.stop.rest(every) {
        if consumer.since_kept() >= setup.config.server.snapshot_facts_min {
            keep(consumer, snapshots);
        }
    }
}

/// Brings the lake up to the log every so often.
fn keep_rolling(setup: &Setup, log: &dyn EventLog, views: &Views) {
    let every = Duration::from_secs(setup.config.lake.roll_every_s);
    while setup.stop.rest(every) {
        roll(setup, log, views);
    }
}

/// Brings the lake up to the log. The log has everything: what was not rolled is rolled the next time.
fn roll(setup: &Setup, log: &dyn EventLog, views: &Views) {
    let rolled = lake_roll::open(setup).and_then(|lake| lake_roll::roll(&lake, log, views, &mut |_| ()));
    if let Err(error) = rolled {
        tracing::warn!(error = %format!("{error:#}"), "the lake was not rolled");
    }
}
