//! Small towns against everything that could be done in them.

use proptest::prelude::*;

use super::place::Placing;
use super::{Figures, Link, Need, Placed, Supply, Town, is_better, plan};

const ENOUGH: u64 = 10_000_000;

/// Whether everybody could do that.
fn holds(town: &Town, pairs: &[Placed]) -> bool {
    let sum = |of: &dyn Fn(&Link) -> bool| -> i32 {
        let over = pairs.iter().filter(|(at, _)| of(&town.links[*at]));
        over.map(|(_, amount)| *amount).sum()
    };
    let count =
        |of: &dyn Fn(&Link) -> bool| pairs.iter().filter(|(at, _)| of(&town.links[*at])).count();
    let volunteer = |link: &Link| town.supplies[link.supply].volunteer;
    let is_whole = |n: usize, need: &Need| {
        let served = sum(&|l| l.need == n);
        need.helpers > 1 || served == 0 || served == need.quantity
    };
    let needs = town.needs.iter().enumerate().all(|(n, need)| {
        let of = |l: &Link| l.need == n;
        let met_once = (0..town.rooms.len()).all(|v| count(&|l| of(l) && volunteer(l) == v) <= 1);
        let helpers = i32::try_from(count(&of)).unwrap();
        met_once && helpers <= need.helpers && sum(&of) <= need.quantity && is_whole(n, need)
    });
    let mut supplies = town.supplies.iter().enumerate();
    let mut rooms = town.rooms.iter().enumerate();
    needs
        && supplies.all(|(s, supply)| sum(&|l| l.supply == s) <= supply.free)
        && rooms.all(|(v, room)| i32::try_from(count(&|l| volunteer(l) == v)).unwrap() <= *room)
}

/// The best of all plans.
fn best(town: &Town, at: usize, pairs: &mut Vec<Placed>) -> Figures {
    let Some(link) = town.links.get(at) else {
        return match holds(town, pairs) {
            true => town.figures(pairs),
            false => Figures {
                weighted: -1,
                ..Figures::default()
            },
        };
    };
    let mut found = best(town, at + 1, pairs);
    for amount in 1..=town.most(link) {
        pairs.push((at, amount));
        let other = best(town, at + 1, pairs);
        pairs.pop();
        if is_better(&other, &found) {
            found = other;
        }
    }
    found
}

fn towns(quantity: i32, helpers: i32) -> impl Strategy<Value = Town> {
    let index = any::<prop::sample::Index>;
    let needs = prop::collection::vec((1..=quantity, 1..=helpers, 1..4_i64), 1..5);
    let supplies = prop::collection::vec((1..=quantity + 1, index()), 1..4);
    let rooms = prop::collection::vec(0..3_i32, 1..4);
    let links =
        prop::collection::btree_map((0..4_usize, 0..3_usize), (0..50_i64, 0.0..1.0_f64), 0..7);
    (needs, supplies, rooms, links).prop_map(|(needs, supplies, rooms, links)| {
        let needs = needs.into_iter().map(|(quantity, helpers, weight)| Need {
            quantity,
            helpers,
            weight,
        });
        let needs = Vec::from_iter(needs);
        let supplies = supplies.into_iter().map(|(free, of)| Supply {
            free,
            volunteer: of.index(rooms.len()),
        });
        let supplies = Vec::from_iter(supplies);
        let links = links
            .into_iter()
            .map(|((need, supply), (distance_m, score))| Link {
                need,
                supply,
                distance_m,
                score,
            });
        let links = links.filter(|l| l.need < needs.len() && l.supply < supplies.len());
        let links = links.filter(|l| {
            needs[l.need].helpers > 1 || supplies[l.supply].free >= needs[l.need].quantity
        });
        Town {
            links: links.collect(),
            needs,
            supplies,
            rooms,
        }
    })
}

/// Feasible, never beyond the bound, never worse than greedy; and best where it says so.
fn is_sound(town: &Town) -> bool {
    let made = plan(town, ENOUGH).expect("made");
    let best = best(town, 0, &mut Vec::new());
    assert!(holds(town, &made.pairs), "{town:?} {made:?}");
    assert_eq!(made.figures, town.figures(&made.pairs));
    assert!(best.weighted <= made.bound, "{town:?} {made:?}");
    assert!(!is_better(&made.figures, &best), "{town:?} {made:?}");
    assert!(!is_better(&made.greedy, &made.figures), "{town:?} {made:?}");
    if made.exact {
        assert!(!is_better(&best, &made.figures), "{town:?} {made:?}");
    }
    made.exact
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn single_needs_get_the_best_plan(town in towns(1, 1)) {
        prop_assert!(is_sound(&town), "{:?}", town);
    }

    #[test]
    fn whole_and_shared_needs_get_a_sound_plan(town in towns(3, 3)) {
        is_sound(&town);
    }
}

fn link(need: usize, supply: usize, distance_m: i64, score: f64) -> Link {
    Link {
        need,
        supply,
        distance_m,
        score,
    }
}

#[test]
fn whoever_can_be_reached_by_one_only_is_not_stranded() {
    let single = Need {
        quantity: 1,
        helpers: 1,
        weight: 1,
    };
    let supply = |volunteer| Supply { free: 1, volunteer };
    let town = Town {
        needs: vec![single, single],
        supplies: vec![supply(0), supply(1)],
        rooms: vec![3, 3],
        // The first likes the one best whom alone the second can reach.
        links: vec![
            link(0, 0, 100, 0.9),
            link(0, 1, 300, 0.5),
            link(1, 0, 200, 0.8),
        ],
    };
    let made = plan(&town, ENOUGH).expect("made");
    assert_eq!(made.greedy.requests, 1);
    assert_eq!((made.figures.requests, made.figures.distance_m), (2, 500));
    assert!(made.exact);
    assert_eq!(made.bound, 2);
}

#[test]
fn what_a_flow_cannot_say_leaves_a_gap_and_says_so() {
    // Two halves do not cover a need that one must cover whole.
    let whole = Need {
        quantity: 2,
        helpers: 1,
        weight: 1,
    };
    let town = Town {
        needs: vec![whole, whole],
        supplies: vec![Supply {
            free: 3,
            volunteer: 0,
        }],
        rooms: vec![3],
        links: vec![link(0, 0, 10, 0.5), link(1, 0, 20, 0.5)],
    };
    let made = plan(&town, ENOUGH).expect("made");
    assert_eq!((made.figures.units, made.bound, made.exact), (2, 3, false));
}

#[test]
fn more_served_is_better_then_less_way() {
    let figures = |weighted, distance_m| Figures {
        weighted,
        distance_m,
        ..Figures::default()
    };
    assert!(is_better(&figures(2, 900), &figures(1, 100)));
    assert!(!is_better(&figures(1, 100), &figures(2, 900)));
    assert!(is_better(&figures(1, 100), &figures(1, 900)));
    assert!(!is_better(&figures(1, 900), &figures(1, 100)));
    assert!(!is_better(&figures(1, 100), &figures(1, 100)));
}

#[test]
fn a_pair_of_nothing_serves_nobody() {
    let town = Town {
        needs: vec![Need {
            quantity: 1,
            helpers: 1,
            weight: 1,
        }],
        supplies: vec![Supply {
            free: 1,
            volunteer: 0,
        }],
        rooms: vec![1],
        links: vec![link(0, 0, 10, 0.5)],
    };
    assert_eq!(town.figures(&[(0, 0)]), Figures::default());
    assert_eq!(town.figures(&[(0, 1)]).requests, 1);
}

/// Needs of a quantity and a weight, each for one helper; what each volunteer has free; who could help whom.
fn town_of(needs: &[(i32, i64)], free: &[i32], links: &[(usize, usize)]) -> Town {
    let need = |(quantity, weight): &(i32, i64)| Need {
        quantity: *quantity,
        helpers: 1,
        weight: *weight,
    };
    let supply = |(volunteer, free): (usize, &i32)| Supply {
        free: *free,
        volunteer,
    };
    Town {
        needs: needs.iter().map(need).collect(),
        supplies: free.iter().enumerate().map(supply).collect(),
        rooms: vec![1; free.len()],
        links: Vec::from_iter(
            (10..)
                .zip(links)
                .map(|(way, (n, s))| link(*n, *s, way, 0.5)),
        ),
    }
}

/// Everybody is placed, the nearest first, and moved aside where that makes room.
fn improved(town: &Town) -> Vec<Placed> {
    let mut placing = Placing::empty(town, |one, other| one.distance_m.cmp(&other.distance_m));
    placing.fill();
    placing.improve();
    placing.finish().0
}

#[test]
fn who_can_be_helped_elsewhere_moves_aside() {
    let town = town_of(&[(1, 1), (1, 1)], &[1, 1], &[(0, 0), (0, 1), (1, 0)]);
    assert_eq!(improved(&town), [(1, 1), (2, 1)]);
}

#[test]
fn who_was_put_out_is_placed_again_where_another_moves_aside() {
    let links = [(0, 0), (0, 2), (1, 1), (1, 0), (2, 1)];
    let town = town_of(&[(1, 1), (1, 1), (1, 5)], &[1, 1, 1], &links);
    assert_eq!(improved(&town), [(1, 1), (3, 1), (4, 1)]);
}

#[test]
fn the_heavier_need_takes_the_place_of_a_lighter_one() {
    // Two of a weight of 2 are more than one of 3, and one of 2 is less than three of 1.
    let heavier = town_of(&[(1, 3), (2, 2)], &[2], &[(0, 0), (1, 0)]);
    assert_eq!(improved(&heavier), [(1, 2)]);
    let lighter = town_of(&[(3, 1), (1, 2)], &[3], &[(0, 0), (1, 0)]);
    assert_eq!(improved(&lighter), [(0, 3)]);
}

#[test]
fn nobody_moves_aside_for_nothing() {
    let mut town = town_of(&[(1, 1), (1, 1)], &[1, 1, 0], &[(0, 0), (0, 1), (1, 2)]);
    town.supplies[2].volunteer = 0;
    town.needs[1].helpers = 2;
    assert_eq!(improved(&town), [(0, 1)]);
}

#[test]
fn as_many_share_a_need_as_it_allows() {
    let mut town = town_of(&[(3, 1)], &[1, 1, 1], &[(0, 0), (0, 1), (0, 2)]);
    town.needs[0].helpers = 2;
    assert_eq!(improved(&town), [(0, 1), (1, 1)]);
}

#[test]
fn of_a_flow_the_heavier_needs_and_the_larger_pairs_are_kept() {
    let mut asked_twice = town_of(&[(1, 1), (1, 5)], &[1, 1], &[(0, 0), (1, 1)]);
    asked_twice.supplies[1].volunteer = 0;
    let kept = Placing::keeping(&asked_twice, &[(0, 1), (1, 1)]).finish().0;
    assert_eq!(kept, [(1, 1)]);

    let mut shared = town_of(&[(4, 1)], &[1, 1, 2], &[(0, 0), (0, 1), (0, 2)]);
    shared.needs[0].helpers = 2;
    let kept = Placing::keeping(&shared, &[(0, 1), (1, 1), (2, 2)])
        .finish()
        .0;
    assert_eq!(kept, [(0, 1), (2, 2)]);
}
