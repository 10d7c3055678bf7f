//! The first pass, distilled from the second on candidates of the funnel.
//!
//! Impressions are what a ranking chose: a plane that fits them says little of the thousands of candidates that it must
//! tell apart. Here it is fitted to the second pass's own utilities of all candidates of sampled requests, where the
//! best count most, and judged by how many of the second pass's best survive it.

use models::{FEATURE_COUNT, FIRST_FEATURES, RankPart, Ranker, feature};

use super::calibrate::{First, linear};

/// The second pass's best that should survive the first.
const BEST: usize = 50;
/// At this rank a candidate counts half as much as the best one.
const HALF_RANK: f32 = 50.0;

/// Candidates of one request, as the first pass sees them, and what the second thinks of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunnelRequest {
    features: Vec<First>,
    utility: Vec<f32>,
}

impl FunnelRequest {
    /// `features` holds a row of [`models::FEATURES`] for each utility; what is no number counts as 0.
    pub fn new(features: &[f32], utility: Vec<f32>) -> FunnelRequest {
        let rows = features.as_chunks::<FEATURE_COUNT>().0;
        let first =
            |row: &[f32; FEATURE_COUNT]| FIRST_FEATURES.map(|at| if row[at].is_finite() { row[at] } else { 0.0 });
        FunnelRequest { features: rows.iter().map(first).collect(), utility }
    }

    /// Rows by utility, best first.
    fn order(&self) -> Vec<usize> {
        best_first(&self.utility)
    }
}

/// What distilling gave.
#[derive(Clone, Debug)]
pub struct Distilled {
    /// The ranking head with the better first pass of both.
    pub ranker: Ranker,
    /// Part of the second pass's best 50 that the first keeps, on requests that it was not fitted to: of the first pass
    /// that the head had, and of the distilled one.
    pub survival: [f64; 2],
}

/// Fits the first pass to every second request and judges it on the others, where it keeps `kept` candidates, at most
/// half of them. None when there are too few.
pub fn distil_first_pass(ranker: &Ranker, requests: &[FunnelRequest], kept: usize) -> Option<Distilled> {
    let of_parity =
        |odd: usize| requests.iter().skip(odd).step_by(2).filter(|request| request.utility.len() > 2 * BEST);
    let (mut features, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for request in of_parity(0) {
        let own = centred(request)?;
        features.extend(own.0);
        targets.extend(own.1);
        weights.extend(own.2);
    }
    of_parity(1).next().filter(|_| !targets.is_empty())?;
    let mut distilled = ranker.clone();
    let plane = &mut distilled.part_mut(RankPart::L1).values;
    plane.fill(0.0);
    FIRST_FEATURES.into_iter().zip(linear(&features, &targets, &weights).0).for_each(|(at, weight)| plane[at] = weight);
    plane[feature("dot")] = plane[feature("dot")].max(1e-3);
    let survival = [ranker, &distilled].map(|ranker| {
        let (sum, count) =
            of_parity(1).fold((0.0, 0.0), |(sum, count), request| (sum + survives(ranker, request, kept), count + 1.0));
        sum / count
    });
    let ranker = if survival[1] >= survival[0] { distilled } else { ranker.clone() };
    Some(Distilled { ranker, survival })
}

/// Features and utilities around their means, since only the order within a request counts, in deviations of the
/// utility; and weights.
fn centred(request: &FunnelRequest) -> Option<(Vec<First>, Vec<f32>, Vec<f32>)> {
    let mut weights = vec![0.0; request.utility.len()];
    request
        .order()
        .into_iter()
        .enumerate()
        .for_each(|(rank, row)| weights[row] = HALF_RANK / (HALF_RANK + rank as f32));
    let total: f32 = weights.iter().sum();
    let mean = |of: &dyn Fn(usize) -> f32| (0..weights.len()).map(|row| weights[row] * of(row)).sum::<f32>() / total;
    let utility = mean(&|row| request.utility[row]);
    let deviation = mean(&|row| (request.utility[row] - utility).powi(2)).sqrt();
    let means: First = std::array::from_fn(|at| mean(&|row| request.features[row][at]));
    let around = |row: &First| -> First { std::array::from_fn(|at| row[at] - means[at]) };
    (deviation.is_finite() && deviation > 0.0).then(|| {
        let targets = request.utility.iter().map(|value| (value - utility) / deviation).collect();
        (request.features.iter().map(around).collect(), targets, weights)
    })
}

/// Part of the best that are among the `kept` best of the first pass.
fn survives(ranker: &Ranker, request: &FunnelRequest, kept: usize) -> f64 {
    let plane = &ranker.part(RankPart::L1).values;
    let score = |row: &First| FIRST_FEATURES.iter().zip(row).map(|(at, value)| plane[*at] * value).sum();
    let scores: Vec<f32> = request.features.iter().map(score).collect();
    let mut stays = vec![false; scores.len()];
    best_first(&scores).into_iter().take(kept.min(scores.len() / 2)).for_each(|row| stays[row] = true);
    request.order()[..BEST].iter().filter(|row| stays[**row]).count() as f64 / BEST as f64
}

fn best_first(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rng;

    /// Requests whose utility follows walks more than vectors, and something that the first pass cannot see.
    fn requests(count: usize) -> Vec<FunnelRequest> {
        let mut rng = Rng::new(1);
        let request = |_| {
            let mut features = vec![0.0; 400 * FEATURE_COUNT];
            let of_request = 5.0 * rng.normal();
            let rows = features.as_chunks_mut::<FEATURE_COUNT>().0.iter_mut();
            let utility = rows.map(|row| {
                (row[feature("dot")], row[feature("walk_share")]) = (rng.normal(), rng.normal());
                of_request + (0.3 * row[feature("dot")] + 2.0 * row[feature("walk_share")] + 0.3 * rng.normal()).exp()
            });
            let utility = utility.collect();
            FunnelRequest::new(&features, utility)
        };
        (0..count).map(request).collect()
    }

    #[test]
    fn more_of_the_best_survive_and_a_worse_plane_is_not_taken() {
        let requests = requests(40);
        let found = distil_first_pass(Ranker::prior(), &requests, 100).expect("enough requests");
        assert!(found.survival[0] < 0.7 && found.survival[1] > 0.95, "{:?}", found.survival);
        let again = distil_first_pass(&found.ranker, &requests, 100).expect("enough requests");
        assert_eq!(again.survival[0], found.survival[1]);
        assert_eq!(again.ranker, found.ranker);
        assert!(distil_first_pass(Ranker::prior(), &requests[..1], 100).is_none(), "nobody to judge by");
    }
}
