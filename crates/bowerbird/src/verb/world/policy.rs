//! Who shows the pages.

use crate::config::Config;

/// Who shows the pages of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Policy {
    /// A server as it is.
    Ours,
    /// A server without exploration: no pins of uncertain worth are tried.
    NoExploration,
    /// A server that ranks by utility alone: no sliding spectrum, no spacing.
    NoSsd,
    /// What most people liked of late.
    Popularity,
    /// What was liked by those who liked the same (cosine of pins, as of the night before).
    ItemKnn,
    /// Who knows the truth: the greedy best of every page.
    Oracle,
}

impl std::fmt::Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Policy {
    /// Its name on the command line and in reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Policy::Ours => "ours",
            Policy::NoExploration => "no-exploration",
            Policy::NoSsd => "no-ssd",
            Policy::Popularity => "popularity",
            Policy::ItemKnn => "item-knn",
            Policy::Oracle => "oracle",
        }
    }

    /// What its server is configured with, made of what the user configured; nothing where no server shows the pages.
    pub(super) fn config(self, usual: &Config) -> Option<Config> {
        let mut config = usual.clone();
        match self {
            Policy::Ours => {}
            Policy::NoExploration => config.params = config.params.for_evaluation(),
            Policy::NoSsd => {
                let params = &mut config.params;
                for surface in [&mut params.home, &mut params.related, &mut params.search, &mut params.board] {
                    surface.variety = 0.0;
                }
            }
            Policy::Popularity | Policy::ItemKnn | Policy::Oracle => return None,
        }
        (config.data, config.keys) = (crate::config::DataConfig::default(), Vec::new());
        config.server.model_check_s = 1;
        // A day passes in seconds, on a machine that draws, trains and serves at once: nothing is left out to be in
        // time.
        let params = &mut config.params;
        params.deadline_ms = params.deadline_ms.max(DEADLINE_MS);
        let all = &mut params.generators;
        for generator in [
            &mut all.retrieval,
            &mut all.walks,
            &mut all.text,
            &mut all.content,
            &mut all.fresh,
            &mut all.popular,
            &mut all.exploration,
        ] {
            generator.deadline_ms = generator.deadline_ms.max(DEADLINE_MS);
        }
        Some(config)
    }
}

const DEADLINE_MS: u64 = 4_000;
