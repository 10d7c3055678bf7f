//! `bowerbird world`: a planted world as a closed loop. Pinners of known taste visit a server of their own over the
//! public API, days pass in minutes, every night a model is trained on what they did, and the report says what their
//! visits were truly worth, against the best that could have been shown.
//!
//! [`days`] lets days pass, [`shelf`] is whoever shows pages (a server, a peer, or who knows the truth), [`figures`] is
//! what is told. Nobody who shows pages learns anything of the truth but what pinners do.

mod days;
mod figures;
mod page;
mod peers;
mod policy;
mod served;
mod shelf;

use crate::output::print_json;
use crate::setup::Setup;
use ::world::{Growth, World, WorldConfig};
use anyhow::{Context, Result, bail};
use domain::hash64;
use figures::{Course, json, print};
use policy::Policy;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Live in a planted world whose truth is known.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Let days pass under each policy, and say what visits were worth.
    Run(Run),
}

/// Lets the days of a planted world pass, once under each policy: the same pins, pinners and tastes, from a cold start.
///
/// Pinners come at their hours, scroll as far as their patience reaches, act by their taste of that day and by what
/// they are tired of, and come back by what the visit was worth. New pins and pinners join every day. Policies that are
/// served run on a server of their own, in its time (`serve --clock given`), over the public API; at the end of each
/// day
/// `bowerbird train` learns from what happened. A stopped run begins anew: its days are not kept.
#[derive(Debug, clap::Args)]
struct Run {
    /// Another seed is another world.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Pinners at the beginning.
    #[arg(long, default_value_t = 1_000)]
    pinners: u32,
    /// Pins at the beginning.
    #[arg(long, default_value_t = 3_000)]
    pins: u32,
    /// Days.
    #[arg(long, default_value_t = 14)]
    days: u32,
    /// Pins that are new every day [default: one for 50 at the beginning].
    #[arg(long)]
    new_pins: Option<u32>,
    /// Pinners who join every day [default: one for 100 at the beginning].
    #[arg(long)]
    new_pinners: Option<u32>,
    /// Who shows the pages, in turn.
    #[arg(
        long,
        value_delimiter = ',',
        default_values_t = [Policy::Ours, Policy::Popularity, Policy::ItemKnn, Policy::NoExploration]
    )]
    policies: Vec<Policy>,
    /// Draw no pictures: pins have words only.
    #[arg(long)]
    no_pictures: bool,
    /// Visits that are under way at once.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Train at the end of so many days, not of every one.
    #[arg(long, default_value_t = 1)]
    train_every: u32,
    /// Write a report: one HTML file that needs nothing else.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Where the servers keep their data, one folder a policy; it stays there [default: a folder that is removed].
    #[arg(long, value_name = "DIR")]
    at: Option<PathBuf>,
}

/// The first midnight of the world (ms, UTC): the beginning of 2026.
const FIRST_MS: u64 = 1_767_225_600_000;

impl Run {
    fn check(&self) -> Result<()> {
        if !(1..=366).contains(&self.days) {
            bail!("--days must be 1 to 366");
        }
        if !(100..=10_000_000).contains(&self.pins) || !(10..=2_000_000).contains(&self.pinners) {
            bail!("a world has 100 to 10,000,000 pins and 10 to 2,000,000 pinners");
        }
        if !(1..=256).contains(&self.connections) || self.train_every == 0 || self.policies.is_empty() {
            bail!("--connections must be 1 to 256, --train-every 1 at least, and one policy must be named");
        }
        Ok(())
    }

    fn world(&self) -> World {
        let config =
            WorldConfig { seed: self.seed, pins: self.pins, pinners: self.pinners, events: 0, now_ms: FIRST_MS };
        let (pins, pinners) = (self.new_pins.unwrap_or(self.pins / 50), self.new_pinners.unwrap_or(self.pinners / 100));
        World::growing(config, Growth { days: self.days, pins, pinners })
    }
}

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    let What::Run(args) = &args.what;
    args.check()?;
    let world = args.world();
    let scratch = Scratch::new(args.at.as_deref())?;
    let mut courses: Vec<Course> = Vec::new();
    for &policy in &args.policies {
        let began = Instant::now();
        let folder = scratch.folder.join(policy.name());
        if folder.exists() {
            bail!("{} is there already: a run begins in an empty folder", folder.display());
        }
        let mut course = days::pass(args, &world, policy, &folder, setup)?;
        course.seconds = began.elapsed().as_secs_f64();
        courses.push(course);
        // What is known so far is on disk, should a later policy be stopped.
        if let Some(path) = &args.report {
            let text = page::html(args, &courses);
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    if setup.json {
        print_json(&json(args, &courses))
    } else {
        print(&courses)
    }
    Ok(())
}

/// Where servers keep their data: removed with this value, unless somebody named it.
struct Scratch {
    folder: PathBuf,
    stays: bool,
}

impl Scratch {
    fn new(named: Option<&Path>) -> Result<Scratch> {
        let of_its_own = || {
            let name = hash64(u64::from(std::process::id()) << 32 ^ crate::setup::now_ms());
            std::env::temp_dir().join(format!("bowerbird-world-{name:016x}"))
        };
        let folder = named.map_or_else(of_its_own, Path::to_owned);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Scratch { folder, stays: named.is_some() })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.stays {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
