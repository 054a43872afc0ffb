//! How evenly what is asked of people is spread, and how long people wait: plain formulas over numbers.
//!
//! Used by what coordinators see and by simulations, so that both mean the same by the same word.

use std::time::Duration;

/// The Gini coefficient of how often each of several people was asked: 0 where all are asked alike, near
/// 1 where one carries everything. (C. Gini, *Variabilità e mutabilità*, 1912.)
///
/// In the form over order statistics: with `x_1 <= x_2 <= … <= x_n`,
/// `G = 2 Σ i·x_i / (n Σ x_i) − (n + 1) / n`. People who were never asked count as 0 and belong in `counts`.
/// 0 where there is nobody, or nobody was asked. The greatest value is `(n − 1) / n`. The order of `counts`
/// makes no difference. Cost: O(n log n).
///
/// ```
/// use manyhands::matching::fairness::gini;
///
/// assert_eq!(gini(&[2, 2, 2, 2]), 0.0);
/// assert_eq!(gini(&[0, 0, 0, 8]), 0.75); // (n - 1) / n
/// ```
#[must_use]
pub fn gini(counts: &[u32]) -> f64 {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let sum: u128 = sorted.iter().map(|x| u128::from(*x)).sum();
    if sum == 0 {
        return 0.0;
    }
    let weighted: u128 = (1_u128..)
        .zip(&sorted)
        .map(|(i, x)| i * u128::from(*x))
        .sum();
    let n = sorted.len() as u128;
    // (2 Σ i·x_i − (n + 1) Σ x_i) / (n Σ x_i), whole until the last step: equal shares give 0 and not nearly 0.
    let above = (2 * weighted).saturating_sub((n + 1) * sum);
    above as f64 / (n * sum) as f64
}

/// The `p`-th percentile (0 to 100) by nearest rank: the smallest value that at least `p` percent of the
/// values are not greater than. `None` where there are no values.
///
/// `sorted` is in rising order. It is always one of the values, never between two.
///
/// ```
/// use std::time::Duration;
/// use manyhands::matching::fairness::percentile;
///
/// let waits = [1, 2, 3, 4].map(Duration::from_secs);
/// assert_eq!(percentile(&waits, 50.0), Some(Duration::from_secs(2)));
/// assert_eq!(percentile(&waits, 95.0), Some(Duration::from_secs(4)));
/// assert_eq!(percentile(&[], 50.0), None);
/// ```
#[must_use]
pub fn percentile(sorted: &[Duration], p: f64) -> Option<Duration> {
    let rank = (p.clamp(0.0, 100.0) / 100.0 * sorted.len() as f64).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to the length"
    )]
    let rank = rank as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gini's own definition: the mean difference of all pairs, relative to twice the mean.
    fn by_pairs(counts: &[u32]) -> f64 {
        let sum: f64 = counts.iter().map(|x| f64::from(*x)).sum();
        if sum == 0.0 {
            return 0.0;
        }
        let differences: f64 = counts
            .iter()
            .flat_map(|x| counts.iter().map(|y| f64::from(x.abs_diff(*y))))
            .sum();
        differences / (2.0 * counts.len() as f64 * sum)
    }

    #[test]
    fn nobody_and_nothing_are_even() {
        assert_eq!((gini(&[]), gini(&[0, 0])), (0.0, 0.0));
        assert_eq!(gini(&[7; 10]), 0.0);
    }

    #[test]
    fn ranks_are_the_nearest_ones() {
        let waits: Vec<Duration> = (1..=20).map(Duration::from_secs).collect();
        for (p, expected) in [
            (0.0, 1),
            (5.0, 1),
            (5.1, 2),
            (50.0, 10),
            (95.0, 19),
            (100.0, 20),
        ] {
            assert_eq!(
                percentile(&waits, p),
                Some(Duration::from_secs(expected)),
                "{p}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_order_statistics_give_what_the_pairs_give(counts in prop::collection::vec(0..50_u32, 1..40)) {
            prop_assert!((gini(&counts) - by_pairs(&counts)).abs() < 1e-9);
        }
    }
}
