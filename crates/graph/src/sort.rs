//! Sorting many small numbers.

/// Up to here comparing is quicker.
const FEW: usize = 1_024;
/// Bits of a digit: counts of all digits fit the first-level cache.
const DIGIT: u32 = 11;

/// Sorts keys of at most `bits` bits, by digits from the last to the first; `spare` is scratch.
pub(crate) fn sort_keys(keys: &mut Vec<u64>, spare: &mut Vec<u64>, bits: u32) {
    if keys.len() <= FEW {
        keys.sort_unstable();
        return;
    }
    spare.clear();
    spare.resize(keys.len(), 0);
    let mut places = [0u32; 1 << DIGIT];
    for shift in (0..bits).step_by(DIGIT as usize) {
        let digit = |key: u64| (key >> shift) as usize & ((1 << DIGIT) - 1);
        places.fill(0);
        keys.iter().for_each(|&key| places[digit(key)] += 1);
        let mut before = 0;
        for place in &mut places {
            (*place, before) = (before, before + *place);
        }
        for &key in keys.iter() {
            let place = &mut places[digit(key)];
            spare[*place as usize] = key;
            *place += 1;
        }
        std::mem::swap(keys, spare);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::hash64;

    #[test]
    fn digits_sort_as_comparing_does() {
        for (count, bits) in [(0u64, 10), (5, 64), (3_000, 1), (3_000, 11), (5_000, 33), (5_000, 64)] {
            let mut keys: Vec<u64> = (0..count).map(|i| hash64(i % 2_000) >> (64 - bits)).collect();
            let mut expected = keys.clone();
            expected.sort_unstable();
            sort_keys(&mut keys, &mut Vec::new(), bits);
            assert_eq!(keys, expected);
        }
    }
}
