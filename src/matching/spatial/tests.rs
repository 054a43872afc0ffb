//! The index beside a scan over all posts: same posts, same order, same distances to the last bit.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rstar::RTreeObject;

use super::tree::{Leaf, SLACK, chord_2, chord_2_of, unit};
use super::{Hit, SpatialIndex};
use crate::domain::place::{Cell, CellSize, GeoPoint};

/// The same questions answered by looking at every post.
#[derive(Default)]
struct Scan(BTreeMap<u32, (GeoPoint, u32)>);

impl Scan {
    fn within(&self, from: GeoPoint, radius_m: u32) -> Vec<Hit<u32>> {
        let mut hits: Vec<_> = self
            .0
            .iter()
            .map(|(&key, &(point, reach_m))| (key, from.distance_m(point), reach_m))
            .collect();
        hits.retain(|&(_, distance_m, reach_m)| {
            distance_m <= f64::from(radius_m) || distance_m <= f64::from(reach_m)
        });
        hits.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        hits.into_iter()
            .map(|(key, distance_m, _)| Hit { key, distance_m })
            .collect()
    }
}

/// The index and the scan with the same posts.
#[derive(Default)]
struct Both {
    index: SpatialIndex<u32>,
    scan: Scan,
}

impl Both {
    fn loaded(posts: &[(u32, GeoPoint, u32)]) -> Self {
        let scan = Scan(
            posts
                .iter()
                .map(|&(key, point, reach_m)| (key, (point, reach_m)))
                .collect(),
        );
        Self {
            index: SpatialIndex::bulk_load(
                scan.0
                    .iter()
                    .map(|(&key, &(point, reach_m))| (key, point, reach_m)),
            ),
            scan,
        }
    }

    fn insert(&mut self, key: u32, point: GeoPoint, reach_m: u32) {
        if let Some((was, reached_m)) = self.scan.0.insert(key, (point, reach_m)) {
            assert!(self.index.remove(key, was, reached_m));
        }
        self.index.insert(key, point, reach_m);
    }

    fn remove(&mut self, key: u32) {
        if let Some((point, reach_m)) = self.scan.0.remove(&key) {
            assert!(self.index.remove(key, point, reach_m));
            assert!(!self.index.remove(key, point, reach_m), "it is out");
        }
    }

    /// Whether the tree knows every occupied place once, with the widest reach there is; else walks
    /// would still be right but go too far.
    #[track_caller]
    fn assert_tight(&self) {
        let mut widest = BTreeMap::<_, u32>::new();
        for &(point, reach_m) in self.scan.0.values() {
            let widest = widest.entry(super::bits(point)).or_default();
            *widest = reach_m.max(*widest);
        }
        let known = self.index.tree.iter().map(|leaf| {
            let place = &self.index.places[leaf.place as usize];
            let reach_m = place.widest_reach_m().unwrap();
            assert_eq!(
                leaf.reach_chord_2.to_bits(),
                chord_2_of(f64::from(reach_m)).to_bits()
            );
            (super::bits(place.point), reach_m)
        });
        let known: Vec<_> = known.collect();
        assert_eq!(known.len(), widest.len());
        assert_eq!(known.into_iter().collect::<BTreeMap<_, _>>(), widest);
    }

    #[track_caller]
    fn agree(&self, from: GeoPoint, radius_m: u32) -> usize {
        let (lat, lon) = (from.lat(), from.lon());
        let hits: Vec<_> = self.index.within(from, radius_m).collect();
        assert_eq!(
            hits,
            self.scan.within(from, radius_m),
            "within {radius_m} m of {lat:?}, {lon:?}"
        );
        assert_eq!(self.index.len(), self.scan.0.len());
        assert_eq!(self.index.is_empty(), self.scan.0.is_empty());
        hits.len()
    }
}

fn at(lat: f64, lon: f64) -> GeoPoint {
    GeoPoint::parse(lat, lon).unwrap()
}

/// A point some meters from another, by the flat approximation; clamped at the edges of the map.
fn beside(point: GeoPoint, east_m: f64, north_m: f64) -> GeoPoint {
    let lat = (point.lat() + north_m / 111_195.0).clamp(-90.0, 90.0);
    let lon = point.lon() + east_m / (111_195.0 * point.lat().to_radians().cos().max(1e-3));
    at(lat, lon.clamp(-180.0, 180.0))
}

fn city() -> GeoPoint {
    at(44.98, -93.27)
}

fn any_point() -> impl Strategy<Value = GeoPoint> {
    prop_oneof![
        // anywhere
        (-90.0..=90.0, -180.0..=180.0).prop_map(|(lat, lon)| at(lat, lon)),
        // in a city, and so near one another that rounding decides who is nearer
        (-20_000.0..20_000.0, -20_000.0..20_000.0).prop_map(|(east, north)| beside(
            city(),
            east,
            north
        )),
        (-2..=2, -2..=2).prop_map(|(east, north)| beside(
            city(),
            f64::from(east) * 1e-9,
            f64::from(north) * 1e-9
        )),
        // in shared cells
        (-5_000.0..5_000.0, -5_000.0..5_000.0).prop_map(|(east, north)| {
            Cell::of(beside(city(), east, north), CellSize::try_from(7).unwrap()).center()
        }),
        // at a pole under many longitudes, and around it
        (prop::bool::ANY, -180..=180)
            .prop_map(|(north, lon)| at(if north { 90.0 } else { -90.0 }, f64::from(lon))),
        (89.9..=90.0, -180.0..=180.0).prop_map(|(lat, lon)| at(lat, lon)),
        // on both sides of the antimeridian, and on it under both its names
        (-0.1..=0.1, 179.9..=180.0, prop::bool::ANY)
            .prop_map(|(lat, lon, east)| at(lat, if east { lon } else { -lon })),
        (-1..=1, prop::bool::ANY)
            .prop_map(|(lat, east)| at(f64::from(lat), if east { 180.0 } else { -180.0 })),
        // at the other end of the earth, where distances are least exact
        (-3..=3, -3..=3).prop_map(|(east, north)| {
            beside(
                at(-city().lat(), city().lon() + 180.0),
                f64::from(east) * 0.1,
                f64::from(north) * 0.1,
            )
        }),
    ]
}

fn any_reach() -> impl Strategy<Value = u32> {
    prop_oneof![
        Just(0),
        1..100_u32,
        500..5_000_u32,
        5_000..50_000_u32,
        0..=1_000_000_u32
    ]
}

fn any_radius() -> impl Strategy<Value = u32> {
    prop_oneof![2 => Just(0), 2 => any_reach(), 1 => 0..20_100_000_u32, 1 => Just(u32::MAX)]
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u32, GeoPoint, u32),
    /// Changes only the reach, if the post is there.
    Reach(u32, u32),
    Remove(u32),
    Ask(GeoPoint, u32),
    /// Asks where a post stands, with the radius that another one is just within or just beyond.
    AskAtEdge(u32, u32),
}

fn any_step() -> impl Strategy<Value = Step> {
    let key = || 0..120_u32;
    prop_oneof![
        6 => (key(), any_point(), any_reach()).prop_map(|(key, point, reach)| Step::Insert(key, point, reach)),
        1 => (key(), any_reach()).prop_map(|(key, reach)| Step::Reach(key, reach)),
        2 => key().prop_map(Step::Remove),
        2 => (any_point(), any_radius()).prop_map(|(point, radius)| Step::Ask(point, radius)),
        1 => (key(), key()).prop_map(|(from, to)| Step::AskAtEdge(from, to)),
    ]
}

proptest! {
    #[test]
    fn any_history_agrees_with_a_scan(
        before in prop::collection::vec((0..120_u32, any_point(), any_reach()), 0..200),
        steps in prop::collection::vec(any_step(), 1..150),
    ) {
        let mut both = Both::loaded(&before);
        for step in steps {
            match step {
                Step::Insert(key, point, reach_m) => both.insert(key, point, reach_m),
                Step::Reach(key, reach_m) => {
                    if let Some(&(point, _)) = both.scan.0.get(&key) {
                        both.insert(key, point, reach_m);
                    }
                }
                Step::Remove(key) => both.remove(key),
                Step::Ask(from, radius_m) => {
                    both.agree(from, radius_m);
                }
                Step::AskAtEdge(from, to) => {
                    if let (Some(&(from, _)), Some(&(to, _))) = (both.scan.0.get(&from), both.scan.0.get(&to)) {
                        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most half the earth's girth")]
                        let just_short = from.distance_m(to) as u32;
                        both.agree(from, just_short);
                        both.agree(from, just_short + 1);
                    }
                }
            }
        }
        both.assert_tight();
    }

    #[test]
    fn a_chord_is_what_its_distance_says_within_a_hundredth_of_the_slack(a in any_point(), b in any_point()) {
        let chord = chord_2(&unit(a), &unit(b)).sqrt();
        let distance_m = a.distance_m(b);
        let expected = 2.0 * (distance_m / (2.0 * 6_371_008.8)).sin();
        prop_assert!(distance_m.is_nan() || (chord - expected).abs() < SLACK / 100.0, "{chord} but {expected}");
    }

    /// Else walks would still be right but go too far.
    #[test]
    fn what_is_cut_off_is_hardly_farther_than_what_is_in_reach(a in any_point(), b in any_point()) {
        let chord = chord_2(&unit(a), &unit(b)).sqrt();
        let cut_off = chord_2_of(a.distance_m(b)).sqrt();
        prop_assert!(a.distance_m(b).is_nan() || (chord..chord + 2.0 * SLACK).contains(&cut_off));
        let boxed = Leaf::new(0, a, 0).envelope().chord_2_to(&unit(b));
        prop_assert_eq!(boxed.to_bits(), chord_2(&unit(a), &unit(b)).to_bits());
    }
}

/// A number sequence that looks random enough (Knuth's MMIX generator).
fn scattered(seed: u64) -> impl Iterator<Item = f64> {
    let step = |x: &u64| {
        Some(
            x.wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407),
        )
    };
    std::iter::successors(Some(seed), step)
        .skip(1)
        .map(|x| f64::from(u32::try_from(x >> 32).unwrap()) / f64::from(u32::MAX))
}

#[test]
fn thousands_at_one_point_come_by_key_and_leave_one_by_one() {
    let reaches = [0, 400, 600, 2_000, 9_000, 9_001, 30_000];
    let crowd: Vec<_> = (0..5_000_u32)
        .map(|key| (key * 7_919 % 5_000, city(), reaches[key as usize % 7]))
        .collect();
    let mut both = Both::loaded(&crowd);
    let places = [
        city(),
        beside(city(), 500.0, 0.0),
        beside(city(), 0.0, 9_000.0),
        beside(city(), 20_000.0, 0.0),
    ];
    assert_eq!(both.agree(city(), 0), 5_000);
    for key in (0..5_000).filter(|key| key % 50 != 3) {
        both.remove(key);
    }
    for from in places {
        both.agree(from, 0);
        both.agree(from, 10_000);
    }
    for key in 0..5_000 {
        both.remove(key);
    }
    assert_eq!(both.agree(city(), 1_000_000), 0);
}

#[test]
fn many_near_ones_with_a_small_reach_do_not_hide_the_far_one() {
    let mut numbers = scattered(1);
    let mut both = Both::default();
    for key in 0..3_000 {
        let (Some(east), Some(north)) = (numbers.next(), numbers.next()) else {
            break;
        };
        both.insert(
            key,
            beside(city(), 2_000.0 + east * 20_000.0, north * 20_000.0),
            1_000,
        );
    }
    let truck = beside(city(), 300_000.0, 0.0);
    both.insert(9_999, truck, 400_000);
    assert_eq!(
        both.index
            .within(city(), 0)
            .map(|hit| hit.key)
            .collect::<Vec<_>>(),
        [9_999]
    );
    both.agree(city(), 0);

    both.insert(9_999, truck, 200_000);
    assert_eq!(both.index.within(city(), 0).count(), 0);
    both.insert(9_999, truck, 1_000_000);
    assert_eq!(both.agree(city(), 0), 1);
    assert!(both.agree(city(), 10_000) > 1);
}

#[test]
fn a_large_world_agrees_before_and_after_everybody_moved() {
    let mut numbers = scattered(2);
    let mut draw = || numbers.next().unwrap_or_default();
    let mut home = |key: u32| {
        let town = at(40.0 + f64::from(key % 7), 170.0 + f64::from(key % 11));
        let exact = beside(
            town,
            (draw() + draw() - 1.0) * 15_000.0,
            (draw() + draw() - 1.0) * 15_000.0,
        );
        Cell::of(exact, CellSize::try_from(8).unwrap()).center()
    };
    let reach = |key: u32| [500, 2_000, 5_000, 20_000, 150_000][key as usize % 5];
    let posts: Vec<_> = (0..20_000)
        .map(|key| (key, home(key), reach(key)))
        .collect();
    let mut both = Both::loaded(&posts);
    for key in 0..10 {
        both.agree(posts[key * 31].1, 3_000);
        both.agree(beside(posts[key * 31].1, 17_000.0, 9_000.0), 0);
    }
    for key in 0..20_000 {
        both.insert(key, home(key + 1), reach(key / 5));
    }
    for key in 0..10 {
        both.agree(posts[key * 31].1, 3_000);
        both.agree(beside(posts[key * 31].1, 17_000.0, 9_000.0), 0);
    }
}

#[test]
fn both_bounds_are_inclusive() {
    // Two points exactly 1 000 000 m apart, to the last bit: found by halving, from here or there.
    let exact = (0..1_000).find_map(|step| {
        let from = at(f64::from(step) / 1_000.0, 0.0);
        let (mut near, mut far) = (8.9_f64, 10.1_f64);
        for _ in 0..60 {
            let middle = f64::midpoint(near, far);
            if from.distance_m(at(middle, 0.0)) < 1_000_000.0 {
                near = middle;
            } else {
                far = middle;
            }
        }
        let to = at(far, 0.0);
        (from.distance_m(to).to_bits() == 1_000_000_f64.to_bits()).then_some((from, to))
    });
    let (from, to) = exact.unwrap();
    let by_radius = SpatialIndex::bulk_load([((), to, 0)]);
    assert_eq!(by_radius.within(from, 1_000_000).count(), 1);
    assert_eq!(by_radius.within(from, 999_999).count(), 0);
    let by_reach = SpatialIndex::bulk_load([((), to, 1_000_000)]);
    assert_eq!(by_reach.within(from, 0).count(), 1);
    assert_eq!(
        SpatialIndex::bulk_load([((), to, 999_999)])
            .within(from, 0)
            .count(),
        0
    );
    // no reach and no radius, yet at the same place
    assert_eq!(by_radius.within(to, 0).count(), 1);
}

#[test]
fn room_that_is_left_is_used_again() {
    let mut index = SpatialIndex::new();
    for lap in 0..100 {
        let point = at(f64::from(lap % 90), f64::from(lap));
        index.insert("a", point, 10);
        index.insert("b", point, 20);
        assert_eq!((index.len(), index.tree.size()), (2, 1));
        assert!(index.remove("a", point, 10) && index.remove("b", point, 20));
    }
    assert_eq!(index.places.len(), 1);
    assert_eq!((index.len(), index.tree.size()), (0, 0));
}
