//! `bowerbird eval`: quality through the real funnel.

use crate::engine::{Reading, views_before};
use crate::evaluate::{
    Case, Figures, OFFER_CUTOFFS, baselines, held_cases, later_cases, measure, measure_ranking, sample,
};
use crate::import::read_holdout;
use crate::learn::{Acts, Task, read_acts, train};
use crate::moment::readable;
use crate::output::print_json;
use crate::setup::{Setup, now_ms};
use anyhow::{Result, bail};
use clap::ValueEnum;
use serving::{Pipeline, Views};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use store::EventLog;

/// Measure the quality of what would be served.
///
/// With --holdout: asks for the feed of every pinner in a file of held-out saves (`pinner pin pin …`, as `import
/// pinterest --holdout` writes it) and looks how many of them come back.
///
/// With --protocol ranking --holdout LOG: goes through a log of later events (as `import kuairand` reads it, or JSON
/// lines) in order of time, asks the live model for the chance of every action for every impression as of its moment,
/// and looks what came of it. Nothing is imported.
///
/// Without: splits by time. Everything before a moment is known, what pinners saved afterwards is looked for. The live
/// model answers when it was trained before that moment; otherwise a throwaway model is trained on the time before.
///
/// Nothing is sampled: all pins are ranked by the funnel that serves, with exploration off.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How is measured.
    #[arg(long, value_enum, default_value_t = Protocol::Feed)]
    protocol: Protocol,
    /// Held-out saves in the format of `import pinterest`; for --protocol ranking a log of later events.
    #[arg(long, value_name = "FILE")]
    holdout: Option<PathBuf>,
    /// With --protocol ranking: features stay those of the end of the log, whatever happens later.
    #[arg(long)]
    frozen: bool,
    /// Without --holdout: this share of what was done, the latest, is looked for.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, conflicts_with = "holdout")]
    later: f64,
    /// Without --holdout: use no model instead of training a throwaway one.
    #[arg(long, conflicts_with = "holdout")]
    no_model: bool,
    /// Measure popularity, item-kNN (cosine) and EASE (λ = 500) on the same split too.
    #[arg(long)]
    baselines: bool,
    /// Look at the candidates: each generator alone and all together, a thousand pins deep, beside the baselines.
    #[arg(long)]
    generators: bool,
    /// Ask for so many pinners only, drawn by --seed.
    #[arg(long, value_name = "N")]
    pinners: Option<usize>,
    /// Seed of the draw.
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Protocol {
    /// Rankings of the whole catalogue for the home feed.
    Feed,
    /// Chances of actions for what was shown.
    Ranking,
}

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    if args.protocol == Protocol::Ranking {
        let Some(file) = &args.holdout else { bail!("--protocol ranking needs --holdout LOG") };
        let ranking = measure_ranking(file, args.frozen, setup)?;
        match setup.json {
            true => print_json(&serde_json::to_value(&ranking)?),
            false => ranking.print(),
        }
        return Ok(());
    }
    let figures = match &args.holdout {
        Some(file) => {
            // A file that cannot be read is told before anything long begins.
            let held = read_holdout(file)?;
            let data = Reading::open(setup)?;
            let model = data.install_live()?.unwrap_or_default();
            let cases = held_cases(&held, &data.views.catalogue());
            let acts = match args.baselines || args.generators {
                true => Some(read_acts(data.log.as_ref(), &data.views.catalogue(), &setup.stop)?),
                false => None,
            };
            let split = format!("held-out saves of {}", file.display());
            figures(args, setup, &data.pipeline(), cases, acts.as_ref(), now_ms(), (split, model))?
        }
        None => by_time(args, setup)?,
    };
    if setup.json {
        print_json(&figures.json());
    } else {
        figures.print(args.generators);
    }
    Ok(())
}

fn figures(
    args: &Args,
    setup: &Setup,
    pipeline: &Pipeline,
    cases: Vec<Case>,
    acts: Option<&Acts>,
    now_ms: u64,
    (split, model): (String, String),
) -> Result<Figures> {
    let started = Instant::now();
    let cases = sample(cases, args.pinners, args.seed);
    if cases.is_empty() {
        bail!("there is nobody to ask for: nothing was held out");
    }
    let params = match args.generators {
        true => setup.config.params.clone().with_quotas(OFFER_CUTOFFS[OFFER_CUTOFFS.len() - 1]),
        false => setup.config.params.clone(),
    };
    let measured = measure(pipeline, &params, &cases, now_ms, &setup.stop)?;
    let mut figures = Figures::new(&measured, split, model, started.elapsed().as_secs_f64());
    if let (true, Some(acts)) = (args.baselines || args.generators, acts) {
        setup.stop.check()?;
        let pins = pipeline.views().catalogue().pins();
        figures.baselines = baselines(&acts.rows(), &cases, pins, &setup.stop);
    }
    Ok(figures)
}

/// The split by time: fresh views of the time before, and cases of the time after.
fn by_time(args: &Args, setup: &Setup) -> Result<Figures> {
    if !(args.later > 0.0 && args.later < 1.0) {
        bail!("--later: {} is not between 0 and 1", args.later);
    }
    let data = Reading::open(setup)?;
    let log = data.log.clone();
    let all = read_acts(log.as_ref(), &data.views.catalogue(), &setup.stop)?;
    let Some(from_ms) = all.split_ms(args.later) else {
        bail!("everything happened at one moment, so time cannot split it: use --holdout FILE");
    };
    let registry = data.registry();
    let live = registry.live()?.map(|version| anyhow::Ok((registry.card(&version)?, version))).transpose()?;
    let live = live.filter(|(card, _)| card.data_range_ms.1 < from_ms).map(|(_, version)| version);
    drop(data);

    let views = Arc::new(views_before(log.as_ref(), from_ms, setup)?);
    let pipeline = Pipeline::new(views.clone(), crate::engine::cores());
    let cases = later_cases(&all, from_ms, &views.catalogue());
    let before = all.before(from_ms);
    let model = match live {
        Some(version) => {
            views.install(Arc::new(registry.model(&version)?))?;
            version
        }
        None if args.no_model => String::new(),
        None => throwaway(setup, &views, log.as_ref(), &before, from_ms)?,
    };
    let split = format!("what was done from {} UTC on, after what was done before", readable(from_ms));
    figures(args, setup, &pipeline, cases, Some(&before), from_ms, (split, model))
}

fn throwaway(setup: &Setup, views: &Arc<Views>, log: &dyn EventLog, before: &Acts, now_ms: u64) -> Result<String> {
    let task = Task {
        views,
        log,
        params: &setup.config.params,
        config: &setup.config.train,
        checkpoint: None,
        registry: None,
        lake: None,
        now_ms,
        stop: &setup.stop,
    };
    let outcome = train(&task, before)?;
    Ok(format!("throwaway {}", outcome.model.version()))
}
