//! Names of filters and of what moves pins, which are `&'static str` in memory, read back from disk.

use super::BadFact;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Most different names that a process will read. They are words of the code, so that there are a few dozen at most;
/// the bound keeps foreign files from growing the table for ever.
const NAMES_MAX: usize = 1_024;

/// Longest name in bytes.
const NAME_BYTES_MAX: usize = 128;

static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The name that lives as long as the process.
pub(super) fn keep(name: &str) -> Result<&'static str, BadFact> {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return Ok(known);
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(BadFact::new(format!("a rule's name of {} bytes, at most {NAME_BYTES_MAX}", name.len())));
    }
    if names.len() >= NAMES_MAX {
        return Ok("(one of too many rules)");
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(kept);
    Ok(kept)
}
