//! Room to work in, kept from request to request.

use crate::views::lock;
use std::sync::Mutex;

/// Most that are kept: as many as requests compute at a time.
const KEPT_MAX: usize = 8;

/// Values that whoever works takes and gives back.
#[derive(Default)]
pub(crate) struct Spare<T>(Mutex<Vec<T>>);

impl<T: Default> Spare<T> {
    /// Works with one that is free, or with a new one.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        let mut one = lock(&self.0).pop().unwrap_or_default();
        let done = work(&mut one);
        let mut kept = lock(&self.0);
        if kept.len() < KEPT_MAX {
            kept.push(one);
        }
        done
    }
}
