//! The funnel's parameters, which may change while the server runs.

use domain::Params;
use std::sync::{Arc, PoisonError, RwLock};

/// What answers are made with, and what became of parameters that were offered since.
#[derive(Clone, Debug)]
pub(crate) struct Tuned {
    pub(crate) params: Arc<Params>,
    /// How often others took their place.
    pub(crate) taken: u64,
    /// Why those that were offered last are not used, if they are not.
    pub(crate) refused: Option<String>,
}

/// The parameters as they are now: replaced as a whole, so that each request has one set of them.
pub(crate) struct LiveParams(RwLock<Tuned>);

impl LiveParams {
    pub(crate) fn new(params: Params) -> LiveParams {
        LiveParams(RwLock::new(Tuned { params: Arc::new(params), taken: 0, refused: None }))
    }

    pub(crate) fn now(&self) -> Tuned {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes parameters over; those that cannot be used leave the old ones, and why.
    pub(crate) fn offer(&self, offered: Result<Params, String>) {
        let mut tuned = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match offered {
            Ok(params) => {
                *tuned = Tuned { params: Arc::new(params), taken: tuned.taken + 1, refused: None };
            }
            Err(why) => tuned.refused = Some(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_leaves_the_old_parameters() {
        let live = LiveParams::new(Params::default());
        let under_way = live.now();
        live.offer(Ok(Params { slate_max: 7, ..Params::default() }));
        live.offer(Err("line 3".into()));
        let now = live.now();
        assert_eq!((now.params.slate_max, now.taken, now.refused.as_deref()), (7, 1, Some("line 3")));
        assert_eq!(under_way.params.slate_max, Params::default().slate_max, "a request keeps what it began with");
        live.offer(Ok(Params::default()));
        assert_eq!((live.now().taken, live.now().refused), (2, None));
    }
}
