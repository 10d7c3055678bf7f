//! The funnel.

use crate::context::Context;
use crate::filter::{self, Filter};
use crate::generate::{Content, Exploration, Fresh, Popular, Retrieval, Text, Walks};
use crate::generator::{CandidateGenerator, GeneratorError, Offers};
use crate::rows::Rows;
use crate::run::{Cpu, Run, block_on};
use crate::scorer::{FirstPass, FirstPassOnly, Heads, Scorer};
use crate::spare::Spare;
use crate::views::Views;
use domain::{Params, Request, Slate, Source, Surface};
use futures::future::join_all;
use models::Scratch;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How `trace.degraded` begins to tell that no pin matches the words of a search.
pub const UNMATCHED: &str = "no pin matches the words";

/// How `trace.degraded` begins to tell that pins have some of the words of a search and none answers it.
pub const UNANSWERED: &str = "no pin answers the words";

/// The request path: one funnel for every surface.
///
/// ```text
/// context → generate → merge → filter → features → L1 → features → relevance → L2 → blend → slate + trace
/// ```
#[derive(Clone)]
pub struct Pipeline {
    parts: Arc<Parts>,
    cpu: Cpu,
    /// Whether deadlines are kept.
    paced: bool,
}

/// The components.
#[derive(Clone)]
struct Parts {
    views: Arc<Views>,
    generators: Vec<Arc<dyn CandidateGenerator>>,
    /// Asked when no generator found anything.
    fallback: Arc<dyn CandidateGenerator>,
    filters: Arc<Vec<Box<dyn Filter>>>,
    first_pass: Arc<dyn Scorer>,
    second_pass: Arc<dyn Scorer>,
    short_of_time: Arc<dyn Scorer>,
    scratches: Arc<Spare<Scratch>>,
}

impl Parts {
    fn second_pass(&self, late: bool) -> &dyn Scorer {
        if late { &*self.short_of_time } else { &*self.second_pass }
    }
}

impl Pipeline {
    /// The funnel over `views` with all generators, filters and scorers of this room. `places` bounds how many stages
    /// compute at a time; the number of processors is a good one.
    pub fn new(views: Arc<Views>, places: usize) -> Pipeline {
        let parts = Parts {
            views,
            generators: vec![
                Arc::new(Retrieval),
                Arc::new(Walks::default()),
                Arc::new(Text),
                Arc::new(Content),
                Arc::new(Fresh),
                Arc::new(Popular),
                Arc::new(Exploration),
            ],
            fallback: Arc::new(Popular),
            filters: Arc::new(filter::all()),
            first_pass: Arc::new(FirstPass),
            second_pass: Arc::new(Heads::default()),
            short_of_time: Arc::new(FirstPassOnly),
            scratches: Arc::default(),
        };
        Pipeline { parts: Arc::new(parts), cpu: Cpu::pool(places), paced: true }
    }

    /// The same funnel with `generator` in the place of the one of its source.
    #[must_use]
    pub fn with_generator(&self, generator: Arc<dyn CandidateGenerator>) -> Pipeline {
        let mut parts = Parts::clone(&self.parts);
        parts.generators.retain(|known| known.source() != generator.source());
        parts.generators.push(generator);
        parts.generators.sort_by_key(|generator| generator.source());
        Pipeline { parts: Arc::new(parts), ..self.clone() }
    }

    /// The same funnel with `scorer` as L2.
    #[must_use]
    pub fn with_scorer(&self, scorer: Arc<dyn Scorer>) -> Pipeline {
        let parts = Parts { second_pass: scorer, ..Parts::clone(&self.parts) };
        Pipeline { parts: Arc::new(parts), ..self.clone() }
    }

    /// The same funnel on the calling thread, without a runtime and without deadlines.
    #[must_use]
    pub(crate) fn unpaced(&self) -> Pipeline {
        Pipeline { parts: self.parts.clone(), cpu: Cpu::here(), paced: false }
    }

    /// The views that it reads.
    pub fn views(&self) -> &Arc<Views> {
        &self.parts.views
    }

    /// Answers a request. It never fails: what could not be had in time is left out and told in `trace.degraded`.
    pub async fn serve(&self, request: Request, params: &Params) -> Slate {
        let mut run = Run::start(&request, params, self.paced);
        let context = self.context(&mut run, request, params).await;
        let offers = self.generate(&mut run, &context).await;
        let parts = self.parts.clone();
        let rank = move || {
            let rows = run.merge(&offers);
            let rows = run.stage("filter", rows, |rows| rows.filter(&parts.filters, &context));
            let rows = run.stage("features/l1", rows, |rows| rows.first_features(&context));
            let rows = run.stage("l1", rows, |rows| rows.first_pass(&*parts.first_pass, &context));
            let rows = run.stage("features/l2", rows, |rows| rows.other_features(&context));
            let rows = run.floor(rows, &context);
            let late = run.late();
            let rows = run.stage("l2", rows, |rows| {
                rows.second_pass(parts.second_pass(late), &context).one_of_a_picture(&context)
            });
            let placed = run.blend(&context, &rows);
            run.finish(&context, rows, placed)
        };
        self.cpu.run(rank).await
    }

    /// [`Pipeline::serve`] on the calling thread, without a runtime and without deadlines: for evaluation in bulk.
    pub fn rank_now(&self, request: Request, params: &Params) -> Slate {
        block_on(self.unpaced().serve(request, params))
    }

    /// The first half of the funnel on the calling thread: the candidates that filters left, with their features.
    pub(crate) fn gather_now(&self, request: Request, params: &Params) -> (Arc<Context>, Rows) {
        let pipeline = self.unpaced();
        block_on(async {
            let mut run = Run::start(&request, params, false);
            let context = pipeline.context(&mut run, request, params).await;
            let offers = pipeline.generate(&mut run, &context).await;
            let rows = Rows::merge(&offers).filter(&self.parts.filters, &context).all_features(&context);
            (context, rows)
        })
    }

    /// What is known of a request, on the calling thread.
    pub(crate) fn context_now(&self, request: Request, params: &Params) -> Arc<Context> {
        let mut run = Run::start(&request, params, false);
        block_on(self.unpaced().context(&mut run, request, params))
    }

    pub(crate) fn cpu(&self) -> &Cpu {
        &self.cpu
    }

    pub(crate) fn filters(&self) -> &[Box<dyn Filter>] {
        &self.parts.filters
    }

    pub(crate) fn passes(&self) -> (&dyn Scorer, &dyn Scorer) {
        (&*self.parts.first_pass, &*self.parts.second_pass)
    }

    pub(crate) async fn context(&self, run: &mut Run, request: Request, params: &Params) -> Arc<Context> {
        let (since, parts, params) = (Instant::now(), self.parts.clone(), params.clone());
        let cpu = self.cpu.clone();
        let look_up = move || Arc::new(Context::read(parts.views.clone(), request, params, cpu, &parts.scratches));
        let context = self.cpu.run(look_up).await;
        run.note("context", since.elapsed(), 0, 0, None);
        context
    }

    /// Asks all enabled generators at once, each within its deadline.
    pub(crate) async fn generate(&self, run: &mut Run, context: &Arc<Context>) -> Vec<(Source, Offers)> {
        let since = Instant::now();
        let on = |generator: &&Arc<dyn CandidateGenerator>| {
            context.params.generator(generator.source()).on && generator.enabled(context)
        };
        let asked = self.parts.generators.iter().filter(on);
        let answers = join_all(asked.map(|generator| self.ask(run, generator, context))).await;
        let mut offers = Vec::new();
        for answer in answers {
            answer.note(run);
            offers.push((answer.source, answer.offers));
        }
        let nothing = offers.iter().all(|(_, offers)| offers.is_empty());
        let unmatched = |(source, offers): &(Source, Offers)| *source == Source::Text && offers.is_empty();
        let searched = context.request.surface == Surface::Search && run.trace.degraded.is_empty();
        match (searched && offers.iter().any(unmatched), nothing) {
            (true, false) => run.degrade(format!("{UNMATCHED}: the nearest instead")),
            (true, true) => run.degrade(format!("{UNMATCHED}: popular pins instead")),
            (false, true) => run.degrade("no generator found a pin: popular pins instead".to_owned()),
            (false, false) => {}
        }
        if nothing {
            let answer = self.ask(run, &self.parts.fallback, context).await;
            answer.note(run);
            offers.push((answer.source, answer.offers));
        }
        run.note("generate", since.elapsed(), 0, offers.iter().map(|(_, offers)| offers.len()).sum(), None);
        offers
    }

    async fn ask(&self, run: &Run, generator: &Arc<dyn CandidateGenerator>, context: &Arc<Context>) -> Answer {
        let (since, source) = (Instant::now(), generator.source());
        let deadline_ms = context.params.generator(source).deadline_ms;
        let (generator, context) = (generator.clone(), context.clone());
        let made = self.cpu.try_run(move || block_on(generator.generate(context)));
        let made = match self.paced {
            true => tokio::time::timeout(run.generator_time(deadline_ms), made).await,
            false => Ok(made.await),
        };
        let (offers, trouble) = match made {
            Ok(Ok(Ok(offers))) => (offers, None),
            Ok(Ok(Err(error))) => (Offers::default(), Some(trouble(&error))),
            Ok(Err(_)) => (Offers::default(), Some("failed".to_owned())),
            Err(_) => (Offers::default(), Some("missed its deadline".to_owned())),
        };
        Answer { source, took: since.elapsed(), offers, trouble }
    }
}

/// What a generator answered.
struct Answer {
    source: Source,
    took: Duration,
    offers: Offers,
    trouble: Option<String>,
}

impl Answer {
    fn note(&self, run: &mut Run) {
        let name = self.source.as_str();
        if let Some(trouble) = &self.trouble {
            run.degrade(format!("{name}: {trouble}"));
        }
        let note = self.trouble.clone().or_else(|| self.offers.note.clone());
        run.note(&format!("generate/{name}"), self.took, 0, self.offers.len(), note);
    }
}

fn trouble(error: &GeneratorError) -> String {
    tracing::warn!(%error, "a generator failed");
    error.to_string()
}
