//! `bowerbird eval`: quality through the real funnel, a protocol a file.

mod by_time;
mod held_out;
mod judged;
mod leave_one_out;
mod ope;
mod relevance;
mod uplift;
mod visual;

use crate::evaluate::{
    About, Case, Figures, OFFER_CUTOFFS, Slicer, Target, baselines, measure, measure_ranking, sample,
};
use crate::learn::Acts;
use crate::output::print_json;
use crate::setup::Setup;
use anyhow::{Result, bail, ensure};
use clap::ValueEnum;
use serving::Pipeline;
use std::path::PathBuf;
use std::time::Instant;

/// Measure the quality of what would be served.
///
///   holdout        asks for the feed of every pinner in a file of held-out saves (`pinner pin pin …`, as `import
///                  pinterest --holdout` writes it) and looks how many of them come back
///   time           splits by time. Everything before a moment is known, what pinners saved afterwards is looked for.
///                  The live model answers when it was trained before that moment; otherwise a throwaway model is
///                  trained on the time before
///   leave-one-out  asks for the feed of every pinner whose last two pins `import sequences` withheld, and looks for
///                  the last one when all before it is known
///   ranking        goes through a log of later events (as `import kuairand` reads it, or JSON lines) in order of time,
///                  asks the live model for the chance of every action for every impression as of its moment, and
///                  looks what came of it. Nothing is imported
///   search         asks every query of --queries that --qrels has an answer for, and looks where the answers stand:
///                  in what the words alone find (BM25), in what lies near by meaning (vectors), in both through the
///                  funnel (hybrid) and, where a model is live, in what it serves. A grade is the gain, as trec_eval
///                  counts it. Where no encoder was learned yet, one is
///   relevance      judges every pin that --qrels grades (0 to 4) for a query of --queries by its words alone, by the
///                  live relevance student and by its teacher: nDCG@20, P@8, five-level accuracy, calibration, cost
///   visual         looks for pins like the pictures of the pins named in --queries (an id a line): how many of the ten
///                  nearest have the same attributes (what `traits` say); whether a title finds its own picture; and
///                  what attributes in words find. Import with --exclude the same file, so that no encoder has learned
///                  from them. Where no encoder was learned yet, one is
///   ope            judges policies by each other's logs (--log, CSV with item_id, position, click, propensity_score):
///                  IPS, SNIPS, the direct method, doubly robust and SWITCH with intervals, whether the rows can carry
///                  them, and what the judged policy's own log says. Where files in several folders share a name, a
///                  folder is a policy (random/men.csv bts/men.csv), else a file is
///   uplift         learns whom a message brings who would not have come without (--train, columns of Hillstrom's
///                  e-mail experiment), and measures the order on --test, or on half of the file: Qini against an
///                  order at random, and against who would visit when they get one
///
/// The last two read their files and no data directory. In all others nothing is sampled: all pins are ranked by the
/// funnel that serves, with exploration off. Variety and rules are on: what is measured is what is served. --no-variety
/// leaves variety out, as published figures of rankers do (so does leave-one-out always); the difference is what it
/// costs.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// What is looked for and what is known [default: holdout with --holdout, search with --queries, ope with --log,
    /// uplift with --train, else time].
    #[arg(long)]
    protocol: Option<Protocol>,
    /// Held-out saves in the format of `import pinterest`; for ranking a log of later events.
    #[arg(long, value_name = "FILE")]
    holdout: Option<PathBuf>,
    /// search: what was typed: `id`, a tab and the text a line, or JSON lines with `_id` and `text`; visual: ids of
    /// pins, one a line.
    #[arg(long, value_name = "FILE")]
    queries: Option<PathBuf>,
    /// search: which documents answer, `query 0 document grade` a line.
    #[arg(long, value_name = "FILE", requires = "queries")]
    qrels: Option<PathBuf>,
    /// relevance: also the distillation table: students of these labels of people, and of as many, three times and ten
    /// times as many labels that the teacher gives …
    #[arg(long, value_name = "LABELS", requires = "pool")]
    distil: Option<PathBuf>,
    /// … for queries of this file.
    #[arg(long, value_name = "FILE", requires = "distil")]
    pool: Option<PathBuf>,
    /// ope: logs of two policies or more, such as random/men.csv.gz bts/men.csv.gz.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    log: Vec<PathBuf>,
    /// uplift: who got a message, and what came of it.
    #[arg(long, value_name = "FILE")]
    train: Option<PathBuf>,
    /// uplift: others, who are measured [default: a half of --train, dealt by --seed].
    #[arg(long, value_name = "FILE", requires = "train")]
    test: Option<PathBuf>,
    /// ranking: features stay those of the end of the log, whatever happens later.
    #[arg(long)]
    frozen: bool,
    /// time: this share of what was done, the latest, is looked for.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, conflicts_with = "holdout")]
    later: f64,
    /// time: use no model instead of training a throwaway one.
    #[arg(long, conflicts_with = "holdout")]
    no_model: bool,
    /// Rank by utility alone: no variety, no places for fresh pins.
    #[arg(long)]
    no_variety: bool,
    /// leave-one-out: which of the two withheld pins is looked for.
    #[arg(long, default_value = "test")]
    target: Target,
    /// Measure popularity, item-kNN (cosine), the linear filter GF-CF and EASE (λ = 500) on the same split too.
    #[arg(long)]
    baselines: bool,
    /// Look at the candidates: each generator alone and all together, a thousand pins deep, beside the baselines.
    #[arg(long)]
    generators: bool,
    /// The same figures by slice: pinners with a longer history than the median (core) and the others, pins with at
    /// most five saves (fresh) and the others. And how much alike the pins of a slate are.
    #[arg(long)]
    slices: bool,
    /// Ask for so many pinners only, drawn by --seed.
    #[arg(long, value_name = "N")]
    pinners: Option<usize>,
    /// Seed of the draw, and of uplift's halves.
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

/// What is looked for and what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    Holdout,
    Time,
    LeaveOneOut,
    Ranking,
    Search,
    Relevance,
    Visual,
    Ope,
    Uplift,
}

/// Chances instead of rankings.
fn ranking(args: &Args, setup: &Setup) -> Result<()> {
    let Some(file) = &args.holdout else { bail!("--protocol ranking needs --holdout LOG") };
    let ranking = measure_ranking(file, args.frozen, setup)?;
    match setup.json {
        true => print_json(&serde_json::to_value(&ranking)?),
        false => ranking.print(),
    }
    Ok(())
}

/// Runs the verb.
pub(crate) fn run(args: &Args, setup: &Setup) -> Result<()> {
    let setup = &asked(args, setup);
    let figures = match args.protocol() {
        Protocol::Holdout => held_out::figures(args, setup)?,
        Protocol::Time => by_time::figures(args, setup)?,
        Protocol::LeaveOneOut => leave_one_out::figures(args, setup)?,
        Protocol::Ranking => return ranking(args, setup),
        Protocol::Search => return judged::run(args, setup),
        Protocol::Relevance => return relevance::run(args, setup),
        Protocol::Visual => return visual::run(args, setup),
        Protocol::Ope => return ope::run(args, setup),
        Protocol::Uplift => return uplift::run(args, setup),
    };
    if setup.json {
        print_json(&figures.json());
    } else {
        figures.print(args.generators);
    }
    Ok(())
}

/// The setup with the parameters that are asked for.
fn asked(args: &Args, setup: &Setup) -> Setup {
    let mut setup = setup.clone();
    if args.no_variety || args.protocol() == Protocol::LeaveOneOut {
        setup.config.params = setup.config.params.without_variety();
    }
    setup
}

impl Args {
    fn protocol(&self) -> Protocol {
        let implied = match (&self.holdout, &self.queries) {
            (Some(_), _) => Protocol::Holdout,
            (None, Some(_)) => Protocol::Search,
            _ if !self.log.is_empty() => Protocol::Ope,
            _ if self.train.is_some() => Protocol::Uplift,
            (None, None) => Protocol::Time,
        };
        self.protocol.unwrap_or(implied)
    }

    /// Whether what pinners did must be read besides what the views hold.
    fn needs_acts(&self) -> bool {
        self.baselines || self.generators || self.slices
    }

    /// An error when there is a file of held-out saves that the protocol does not read.
    fn no_holdout(&self) -> Result<()> {
        ensure!(self.holdout.is_none(), "--holdout is for the protocol holdout");
        Ok(())
    }
}

/// Asks for all cases, at `now_ms` where they have no moment of their own.
fn measured(
    args: &Args,
    setup: &Setup,
    pipeline: &Pipeline,
    cases: Vec<Case>,
    acts: Option<&Acts>,
    now_ms: u64,
    mut about: About,
) -> Result<Figures> {
    if args.no_variety {
        about.protocol = about.protocol.replacen(';', ", without variety;", 1);
    }
    let started = Instant::now();
    let cases = sample(cases, args.pinners, args.seed);
    if cases.is_empty() {
        bail!("there is nobody to ask for: nothing was held out");
    }
    let params = match args.generators {
        true => setup.config.params.clone().with_quotas(OFFER_CUTOFFS[OFFER_CUTOFFS.len() - 1]),
        false => setup.config.params.clone(),
    };
    let pins = pipeline.views().catalogue().pins();
    let slicer = acts.filter(|_| args.slices).map(|acts| Slicer::new(acts, &cases, pins));
    let measured = measure(pipeline, &params, &cases, now_ms, slicer.as_ref(), &setup.stop)?;
    let mut figures = Figures::new(&measured, about, started.elapsed().as_secs_f64());
    if let (true, Some(acts)) = (args.baselines || args.generators, acts) {
        setup.stop.check()?;
        figures.baselines = baselines(&acts.rows(), &cases, pins, &setup.stop);
    }
    Ok(figures)
}
