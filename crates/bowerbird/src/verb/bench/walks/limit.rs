//! What this machine's memory gives at most: independent random reads.

use domain::hash64;
use std::hint::black_box;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Reads `reads` random cache lines of `bytes`, none of which depends on another, so that as many are under way at once
/// as the processor can hold.
pub(super) fn random_reads(bytes: &[u8], reads: u64, seed: u64) -> u64 {
    let lines = (bytes.len() / LINE) as u64;
    let start = hash64(seed);
    let mut sum = 0u64;
    for read in 0..reads {
        let line = (u128::from(hash64(start ^ read)) * u128::from(lines)) >> 64;
        sum = sum.wrapping_add(u64::from(bytes[line as usize * LINE]));
    }
    black_box(sum)
}
