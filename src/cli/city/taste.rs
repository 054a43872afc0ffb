//! How much of each category there is in the city. A category that is not listed gets a share as well.

use crate::domain::category::Category;

/// What is usual in a category.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Taste {
    /// Its part of all requests, relative to the others.
    pub weight: f64,
    /// Its part of all offers, relative to the others.
    pub offered: f64,
    /// How much one offer holds.
    pub capacity: (i64, i64),
    /// How much one request asks for.
    pub quantity: (i64, i64),
    /// How far an offer reaches, in meters; `None`: about as far as the category's default.
    pub reach: Option<(i64, i64)>,
    /// How many of a hundred requests are for `now`, and how many for `today`; the rest is for `soon`.
    pub urgency: (f64, f64),
}

const USUAL: Taste = Taste {
    weight: 1.0,
    offered: 1.0,
    capacity: (2, 6),
    quantity: (1, 2),
    reach: None,
    urgency: (0.25, 0.45),
};

/// The taste of a category, within what its policy allows.
pub(in crate::cli) fn of(category: &Category) -> Taste {
    let taste = match category.key.as_str() {
        "food" => Taste {
            weight: 2.0,
            offered: 2.0,
            capacity: (10, 60),
            quantity: (1, 6),
            ..USUAL
        },
        "warming_space" => Taste {
            weight: 1.4,
            // They reach no farther than people can walk in the cold.
            offered: 3.0,
            capacity: (15, 60),
            quantity: (1, 4),
            urgency: (0.6, 0.35),
            ..USUAL
        },
        "supplies" => Taste {
            weight: 1.5,
            offered: 1.5,
            capacity: (15, 60),
            quantity: (1, 6),
            ..USUAL
        },
        "pet_care" => Taste {
            offered: 1.4,
            reach: Some((2_000, 6_500)),
            ..USUAL
        },
        "towing" => Taste {
            weight: 0.8,
            quantity: (1, 1),
            reach: Some((25_000, 80_000)),
            urgency: (0.5, 0.4),
            ..USUAL
        },
        "transport" => Taste {
            weight: 1.2,
            quantity: (1, 3),
            ..USUAL
        },
        "shelter" => Taste {
            quantity: (1, 3),
            urgency: (0.4, 0.4),
            ..USUAL
        },
        "legal" | "medical" => Taste {
            weight: 0.8,
            quantity: (1, 1),
            ..USUAL
        },
        "cleanup" => Taste {
            quantity: (1, 3),
            urgency: (0.1, 0.5),
            ..USUAL
        },
        _ => USUAL,
    };
    let up_to = |(low, high): (i64, i64), most: i64| (low.min(most), high.min(most));
    let policy = &category.policy;
    Taste {
        capacity: up_to(taste.capacity, policy.max_capacity.into()),
        quantity: up_to(taste.quantity, policy.max_quantity.into()),
        reach: taste
            .reach
            .map(|reach| up_to(reach, policy.max_reach.into())),
        ..taste
    }
}

/// Shares `total` posts among the categories by their weight: at least one each, as far as there are
/// enough, and all together exactly `total`.
pub(in crate::cli) fn shares(weights: &[f64], total: usize) -> Vec<usize> {
    let mut shares = vec![usize::from(total >= weights.len()); weights.len()];
    let given: usize = shares.iter().sum();
    for _ in given..total {
        // Whoever is farthest below what the weight says is next.
        let next = (0..weights.len()).min_by(|a, b| {
            let fill = |i: usize| shares[i] as f64 / weights[i];
            fill(*a).total_cmp(&fill(*b))
        });
        if let Some(share) = next.and_then(|i| shares.get_mut(i)) {
            *share += 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_has_a_share_and_nothing_is_lost() {
        let weights = [2.0, 1.0, 0.5];
        assert_eq!(shares(&weights, 7), [4, 2, 1]);
        assert_eq!(shares(&weights, 3), [1, 1, 1]);
        assert_eq!(shares(&weights, 1).iter().sum::<usize>(), 1);
    }
}
