//! How well clusters that are learned of different pins agree (after Lange, Roth, Braun and Buhmann 2004).

use domain::hash64;

use crate::kmeans::{Space, kmeans};

/// Most vectors of each half.
const HALF_MAX: usize = 20_000;
/// With fewer vectors for each cluster nothing can be said.
const PER_CLUSTER_MIN: usize = 8;

/// Two halves of the vectors (rows of unit length) are clustered each for itself: the share of all vectors that both
/// put into the same cluster, where clusters are matched by what most of their vectors say. 1 where there are too few.
pub(super) fn agreement(units: &[f32], dim: usize, count: usize, seed: u64) -> f32 {
    let rows = units.len() / dim;
    if rows < PER_CLUSTER_MIN * count.max(4) {
        return 1.0;
    }
    let step = rows.div_ceil(2 * HALF_MAX);
    let looked_at = || units.chunks_exact(dim).step_by(step);
    // By chance, not in turn: a catalogue may have an order.
    let half = |which: u64| -> Vec<f32> {
        let rows = looked_at().zip(0u64..).filter(|(_, row)| hash64(row ^ hash64(seed)) & 1 == which);
        rows.flat_map(|(vector, _)| vector).copied().collect()
    };
    let halves = [0, 1].map(half);
    if halves.iter().any(Vec::is_empty) {
        return 1.0;
    }
    let [one, other] = halves.map(|half| kmeans(&half, dim, count, Space::Sphere, seed));
    let both = |vector: &[f32]| (one.nearest(vector).0, other.nearest(vector).0);
    let seen: Vec<(usize, usize)> = looked_at().map(both).collect();
    let mut shared = vec![0u32; one.count() * other.count()];
    seen.iter().for_each(|(a, b)| shared[b * one.count() + a] += 1);
    let agreed: u32 = shared.chunks_exact(one.count()).filter_map(|row| row.iter().max()).sum();
    agreed as f32 / seen.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    #[test]
    fn clear_clusters_agree_and_a_cloud_does_not() {
        let mut rng = Rng::new(4);
        let mut made = |noise: f32| -> Vec<f32> {
            let place = |i: usize| f32::from(u8::from(i % 8 == i / 8 % 8)) + noise * rng.normal();
            (0..2_000 * 8).map(place).collect()
        };
        let (clear, cloud) = (made(0.05), made(5.0));
        assert!(agreement(&clear, 8, 8, 1) > 0.97);
        assert!(agreement(&cloud, 8, 8, 1) < 0.8);
        assert_eq!(agreement(&cloud[..80], 8, 8, 1), 1.0);
    }
}
