//! Team-draft interleaving (Radlinski, Kurup and Joachims, CIKM 2008): both rankings are shown to everybody, mixed, and
//! clicks choose between them.

use crate::special::{binomial_p, normal_quantile};
use crate::statistics::checked_alpha;
use crate::{ExperimentError, Interval, Moments};
use domain::Rng;
use serde::{Deserialize, Serialize};

/// Whose an item of a mixed ranking is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Team {
    /// The first ranking chose it.
    A,
    /// The second one did.
    B,
}

/// Mixes two rankings to one of at most `length` items: in each round a coin says who chooses first, then each takes
/// its best item that is not there yet. `seed` tosses the coins: one that is the session's own. An item counts once,
/// whatever repeats in a ranking; one that runs out leaves the rest to the other.
pub fn team_draft<T: Copy + Ord>(a: &[T], b: &[T], length: usize, seed: u64) -> Vec<(T, Team)> {
    let mut rng = Rng::new(seed);
    let (mut drafted, mut taken) = (Vec::new(), std::collections::BTreeSet::new());
    let mut left = [a.iter(), b.iter()];
    loop {
        let before = drafted.len();
        let first = (rng.next_u64() >> 63) as usize;
        for team in [first, 1 - first] {
            if drafted.len() >= length {
                return drafted;
            }
            if let Some(item) = left[team].by_ref().find(|item| !taken.contains(*item)) {
                taken.insert(*item);
                drafted.push((*item, if team == 0 { Team::A } else { Team::B }));
            }
        }
        if drafted.len() == before {
            return drafted;
        }
    }
}

/// What many sessions prefer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preference {
    /// Sessions that clicked more of A's items.
    pub wins_a: u64,
    /// Sessions that clicked more of B's.
    pub wins_b: u64,
    /// Sessions that did neither.
    pub ties: u64,
    /// (wins of B + ½ ties) / sessions − ½ (Chapelle et al. 2012): −½ where all prefer A, ½ where all prefer B.
    pub score: Interval,
    /// The sign test's exact two-sided p of no preference, ties left out.
    pub p: f64,
}

/// Counts preferences of sessions, given as (clicks on A's items, clicks on B's items).
pub fn preference(sessions: impl IntoIterator<Item = (u32, u32)>, alpha: f64) -> Result<Preference, ExperimentError> {
    checked_alpha(alpha)?;
    let (mut wins_a, mut wins_b, mut ties, mut scores) = (0, 0, 0, Moments::default());
    for (a, b) in sessions {
        let (count, score) = match b.cmp(&a) {
            std::cmp::Ordering::Less => (&mut wins_a, -0.5),
            std::cmp::Ordering::Equal => (&mut ties, 0.0),
            std::cmp::Ordering::Greater => (&mut wins_b, 0.5),
        };
        *count += 1;
        scores.add(score);
    }
    if scores.units < 2.0 {
        return Err(ExperimentError::statistics("a preference wants two sessions or more"));
    }
    let reach = normal_quantile(1.0 - alpha / 2.0) * scores.estimate().error();
    let score = Interval::around(scores.mean, reach);
    Ok(Preference { wins_a, wins_b, ties, score, p: binomial_p(wins_b, wins_a + wins_b) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_fair_and_holds_what_both_rank_first() {
        let (a, b) = ([1, 2, 3, 4, 5, 6], [3, 1, 7, 8, 2, 2]);
        let (mut firsts, mut of_a) = (0, 0);
        for seed in 0..4_000 {
            let drafted = team_draft(&a, &b, 4, seed);
            assert_eq!(drafted, team_draft(&a, &b, 4, seed));
            let items: std::collections::BTreeSet<i32> = drafted.iter().map(|(item, _)| *item).collect();
            assert!(items.len() == 4 && items.contains(&1) && items.contains(&3), "{drafted:?}");
            assert_eq!(drafted.iter().filter(|(_, team)| *team == Team::A).count(), 2);
            firsts += usize::from(drafted[0].0 == 1);
            // The third choice is 2 for A, 7 for B, whoever comes first.
            of_a += usize::from(drafted[2] == (2, Team::A));
        }
        assert!((1_850..=2_150).contains(&firsts), "{firsts}");
        assert!((1_850..=2_150).contains(&of_a), "{of_a}");
    }

    #[test]
    fn a_draft_ends_with_what_there_is() {
        assert_eq!(team_draft(&[1, 1], &[2, 1], 9, 3).len(), 2);
        assert_eq!(team_draft::<u32>(&[], &[], 5, 1), []);
        assert_eq!(team_draft(&[1, 2, 3], &[], 9, 1), [(1, Team::A), (2, Team::A), (3, Team::A)]);
        assert_eq!(team_draft(&[1, 2, 3], &[4], 0, 1), []);
    }

    #[test]
    fn preferences_are_counted_and_tested() {
        let sessions = [(0, 1); 60].into_iter().chain([(2, 1); 40]).chain([(0, 0); 100]);
        let found = preference(sessions, 0.05).expect("sessions");
        assert_eq!((found.wins_a, found.wins_b, found.ties), (40, 60, 100));
        assert!((found.score.value - 0.05).abs() < 1e-12 && found.score.low > 0.0 && found.score.high < 0.1);
        assert!((found.p - 0.056_887_933_6).abs() < 1e-9);
        assert!(preference([(1, 0)], 0.05).is_err());
    }
}
