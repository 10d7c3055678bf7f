//! `bowerbird demo`: a small world to look at, on a machine that has nothing.

mod judge;
mod plan;
mod plant;
mod variety;

use super::serve::serve;
use super::train::{learn, promote};
use crate::engine::Engine;
use crate::output::print_json;
use crate::setup::Setup;
use ::train::Device;
use anyhow::{Context, Result, bail};
use plan::Plan;
use serde_json::json;
use std::net::TcpListener;
use std::time::Instant;
use world::World;

/// Make a small world, train on it, measure, serve: no data needed.
///
/// The world is planted from a seed: pins with drawn pictures, boards, and pinners with tastes who browse for a month.
/// The model learns from all but the last three days, is measured on those (against popularity, and against what
/// somebody who knew every taste could do), and then serves. Stopped in the middle, the same command goes on; a second
/// start serves what is there.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many pins.
    #[arg(long, default_value_t = 3_000)]
    pins: u32,
    /// How many pinners.
    #[arg(long, default_value_t = 3_000)]
    pinners: u32,
    /// About how many events in the month.
    #[arg(long, default_value_t = 150_000)]
    events: u32,
    /// Another seed is another world.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Port on this machine; the next free one when it is taken.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Make everything and stop before serving.
    #[arg(long)]
    no_serve: bool,
}

/// Ports that are tried.
const PORTS_TRIED: u16 = 64;

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: Setup) -> Result<()> {
    let started = Instant::now();
    let mut plan = Plan::load(args, &setup)?;
    let engine = if plan.is_ready() { Engine::open(&setup)? } else { make(&mut plan, &setup)? };
    let model = engine.install_live()?;
    let seconds = started.elapsed().as_secs_f64();
    if setup.json {
        print_json(&json!({ "world": plan.json(), "figures": plan.figures(), "seconds": seconds }));
    } else if let Some(words) = plan.figures()["words"].as_str() {
        println!("{words}");
    }
    eprintln!("ready after {seconds:.0} s; everything is in {}", setup.data.display());
    if args.no_serve {
        return Ok(());
    }
    let listener = listen(args.port)?;
    eprintln!("\n  open http://{}\n", listener.local_addr()?);
    serve(&setup, engine, listener, model, server::ClockKind::Wall)
}

/// Plants, learns, measures.
fn make(plan: &mut Plan, setup: &Setup) -> Result<Engine> {
    let world = World::new(plan.world());
    stage(1, "planting a world: pins with drawn pictures, boards, pinners and what they did");
    plant::catalogue(&world, setup)?;
    plant::history(&world, plan.split_ms(), true, setup)?;
    stage(2, "bringing the views up to date");
    let engine = Engine::open(setup)?;
    stage(3, "learning what pinners like");
    let outcome = learn(setup, &engine, Device::Cpu, crate::setup::now_ms())?;
    let refused = promote(setup, &engine.registry(), &outcome, true)?;
    if !refused.is_empty() {
        eprintln!("remark: {}", refused.join("; "));
    }
    stage(4, "measuring on the last three days");
    let figures = judge::judge(&world, plan, setup, &engine, &outcome)?;
    drop(engine);
    stage(5, "playing the last three days");
    plant::history(&world, plan.split_ms(), false, setup)?;
    let engine = Engine::open(setup)?;
    plan.finish(figures)?;
    Ok(engine)
}

fn stage(number: usize, what: &str) {
    eprintln!("[{number}/5] {what}");
}

/// The first free port from `port` on.
fn listen(port: u16) -> Result<TcpListener> {
    let mut trouble = None;
    for port in port..=port.saturating_add(PORTS_TRIED) {
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(listener) => return Ok(listener),
            Err(error) => trouble = Some(error),
        }
    }
    match trouble {
        Some(error) => Err(error).with_context(|| format!("no free port from {port} on")),
        None => bail!("no free port from {port} on"),
    }
}
