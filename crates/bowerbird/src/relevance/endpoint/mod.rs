//! An OpenAI-compatible endpoint as a teacher: asked a pair at a time, a few at once, within a budget, each answer kept
//! on disk, so that nothing is paid for twice.

mod budget;
mod cache;
mod client;
mod prompt;
#[cfg(test)]
mod tests;

pub(crate) use prompt::PinWords;

use crate::config::RelevanceConfig;
use crate::progress::Progress;
use crate::stop::Stop;
use anyhow::{Context, Result, bail, ensure};
use budget::Budget;
use cache::Cache;
use client::{Client, Failed};
use prompt::Prompt;
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Pairs in a row without an answer after which nothing more is asked.
const FAILED_MAX: usize = 20;

/// What an endpoint is asked about.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// Place in the caller's list.
    pub place: usize,
    pub query: String,
    pub pin: PinWords,
}

/// How asking went.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Asked {
    /// Answers, those of the cache included.
    pub answered: usize,
    /// Of them, from the cache.
    pub cached: usize,
    /// Pairs that got no answer that could be read.
    pub failed: usize,
    /// Pairs that were not asked about, since the budget is used up.
    pub left: usize,
    /// Tokens that were paid for: asked, answered.
    pub tokens: [u64; 2],
    /// What they cost, in the currency of the prices.
    pub cost: f64,
}

/// A teacher elsewhere.
pub(crate) struct Endpoint {
    client: Client,
    prompt: Arc<Prompt>,
    cache: Arc<Cache>,
    config: RelevanceConfig,
}

impl Endpoint {
    /// The endpoint of a configuration; answers are kept in a folder of the data directory.
    ///
    /// # Errors
    /// When it is not configured, its key is not in the environment, or its prompt cannot be read.
    pub(crate) fn open(config: &RelevanceConfig, folder: &Path) -> Result<Endpoint> {
        ensure!(
            !config.url.is_empty(),
            "relevance.url names no endpoint: set it and relevance.model in bowerbird.toml"
        );
        ensure!(!config.model.is_empty(), "relevance.model names no model of {}", config.url);
        let key = match std::env::var(&config.key_env) {
            Ok(key) if !key.is_empty() => Some(key),
            _ if config.key_env.is_empty() => None,
            _ => bail!("the key of {} is not in the environment: set {}", config.url, config.key_env),
        };
        Endpoint::with_key(config, folder, key)
    }

    fn with_key(config: &RelevanceConfig, folder: &Path, key: Option<String>) -> Result<Endpoint> {
        let prompt = Arc::new(Prompt::read(&config.prompt)?);
        let cache = Arc::new(Cache::open(folder)?);
        Ok(Endpoint { client: Client::new(config, key)?, prompt, cache, config: config.clone() })
    }

    /// Who labels.
    pub(crate) fn name(&self) -> String {
        format!("endpoint {}", self.config.model)
    }

    /// Asks about all of these; `take` gets each level as it comes. What was answered is kept, whoever stops it.
    pub(crate) fn ask(
        &self,
        questions: &[Question],
        progress: &Progress,
        stop: &Stop,
        mut take: impl FnMut(usize, usize) -> Result<()>,
    ) -> Result<Asked> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("cannot start a runtime")?;
        runtime.block_on(self.ask_all(questions, progress, stop, &mut take))
    }

    async fn ask_all(
        &self,
        questions: &[Question],
        progress: &Progress,
        stop: &Stop,
        take: &mut impl FnMut(usize, usize) -> Result<()>,
    ) -> Result<Asked> {
        let (mut asked, mut budget, mut tasks) = (Asked::default(), Budget::new(&self.config), JoinSet::new());
        let (mut waiting, mut in_a_row) = (questions.iter(), 0);
        loop {
            while tasks.len() < self.config.concurrency_max && asked.left == 0 {
                stop.check()?;
                let Some(question) = waiting.next() else { break };
                let text = self.prompt.of(&question.query, &question.pin);
                if let Some(answer) = self.cache.get(&self.config.model, &text)? {
                    (asked.answered, asked.cached) = (asked.answered + 1, asked.cached + 1);
                    take(question.place, answer)?;
                    progress.add(1);
                } else if budget.reserve(&text) {
                    let (client, place) = (self.client.clone(), question.place);
                    tasks.spawn(async move { (place, client.level(&text).await, text) });
                } else {
                    asked.left = 1 + waiting.len();
                }
            }
            let Some(done) = tasks.join_next().await else { break };
            let (place, answer, text) = done.context("a question was dropped")?;
            progress.add(1);
            match answer {
                Ok(answer) => {
                    budget.settle(&text, Some(answer.tokens));
                    self.cache.put(&self.config.model, &text, answer.level)?;
                    take(place, answer.level)?;
                    (asked.answered, in_a_row) = (asked.answered + 1, 0);
                }
                Err(Failed::Refused(why)) => bail!("{why}"),
                Err(Failed::Unread(why, tokens)) => {
                    budget.settle(&text, tokens);
                    (asked.failed, in_a_row) = (asked.failed + 1, in_a_row + 1);
                    tracing::warn!(%why, "a pair was not labelled");
                    ensure!(in_a_row < FAILED_MAX, "{in_a_row} pairs in a row got no answer; the last: {why}");
                }
            }
            stop.check()?;
        }
        (asked.tokens, asked.cost) = (budget.tokens(), budget.cost());
        Ok(asked)
    }
}
