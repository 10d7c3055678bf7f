use domain::hash64;

/// Buckets of a layer: shares are whole ten-thousandths.
pub const BUCKETS: u32 = 10_000;

/// 64 stable bits of a salt and a unit: the same on every machine and in every version, uniform in the unit for each
/// salt, and independent for different salts. Both are mixed eight bytes at a time, with their lengths.
pub fn unit_hash(salt: &str, unit: &str) -> u64 {
    mixed(mixed(0, salt), unit)
}

fn mixed(from: u64, text: &str) -> u64 {
    let mut state = hash64(from ^ text.len() as u64);
    for chunk in text.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = hash64(state ^ u64::from_le_bytes(word));
    }
    state
}

/// The bucket of a unit's hash, 0 to [`BUCKETS`] − 1.
pub(super) fn bucket(hash: u64) -> u32 {
    ((u128::from(hash) * u128::from(BUCKETS)) >> 64) as u32
}

/// The place of a hash, in [0, 1).
pub(super) fn place(hash: u64) -> f64 {
    (hash >> 11) as f64 / (1u64 << 53) as f64
}
