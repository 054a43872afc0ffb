//! How fast the spatial index is beside what it replaces: a plain nearest-neighbor walk over one tree,
//! and one tree for each class of reach. `cargo bench --bench spatial`
//!
//! Every query takes the ten nearest offers in whose own reach the asking neighbor is. Each sample is
//! one query from another point, so "slowest" is the worst of them.
//!
//! * `Mixed`: reaches from 500 m to 40 km, asked from where people live.
//! * `Hidden`: the largest city's offers reach 2 km at most, and one in a thousand of the other cities'
//!   200 km and more; asked from 25 to 35 km outside.
//! * `Almost`: reaches are 33 to 36 km, of one in ten thousand 200 km; asked from 70 to 80 km outside,
//!   so that many almost reach out there.

#![expect(clippy::expect_used, reason = "a bench may panic, as a test may")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::f64::consts::TAU;
use std::fmt;
use std::sync::LazyLock;

use divan::Bencher;
use manyhands::domain::place::{Cell, CellSize, GeoPoint};
use manyhands::matching::spatial::SpatialIndex;
use rstar::RTree;
use rstar::primitives::GeomWithData;

fn main() {
    divan::main();
}

type Key = [u8; 16];
type Offer = (Key, GeoPoint, u32);

const WANTED: usize = 10;
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
const M_PER_DEGREE: f64 = 111_195.0;

#[derive(Clone, Copy, PartialEq)]
enum Reaches {
    Mixed,
    Hidden,
    Almost,
}

impl Reaches {
    fn draw(self, city: usize, dice: &mut Dice) -> u32 {
        let among = |reaches: &[u32], dice: &mut Dice| reaches[dice.below(reaches.len())];
        match self {
            Self::Mixed => among(
                &[
                    500, 1_000, 1_500, 2_000, 3_000, 5_000, 5_000, 8_000, 10_000, 15_000, 25_000,
                    40_000,
                ],
                dice,
            ),
            Self::Hidden if city > 0 && dice.below(1_000) == 0 => {
                among(&[200_000, 300_000, 400_000], dice)
            }
            Self::Hidden => among(&[500, 1_000, 1_500, 2_000], dice),
            Self::Almost if dice.below(10_000) == 0 => 200_000,
            Self::Almost => among(&[33_000, 34_000, 35_000, 36_000], dice),
        }
    }
}

/// A world of `size` offers with such reaches, and where it is asked from.
#[derive(Clone, Copy)]
struct World(usize, Reaches);

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reaches = match self.1 {
            Reaches::Mixed => "mixed",
            Reaches::Hidden => "hidden",
            Reaches::Almost => "almost",
        };
        write!(f, "{reaches} {}", self.0)
    }
}

fn worlds() -> impl Iterator<Item = World> {
    [Reaches::Mixed, Reaches::Hidden, Reaches::Almost]
        .into_iter()
        .flat_map(|reaches| SIZES.into_iter().map(move |size| World(size, reaches)))
}

impl World {
    fn offers(self) -> Vec<Offer> {
        let mut dice = Dice(7);
        (0..self.0).map(|_| self.offer(&mut dice)).collect()
    }

    fn offer(self, dice: &mut Dice) -> Offer {
        let (city, point) = CITIES.cell_center(dice);
        (dice.key(), point, self.1.draw(city, dice))
    }

    fn asked_from(self, dice: &mut Dice) -> GeoPoint {
        let outside_m = match self.1 {
            Reaches::Mixed => return CITIES.cell_center(dice).1,
            Reaches::Hidden => 25_000.0,
            Reaches::Almost => 70_000.0,
        };
        let largest = &CITIES.0[0];
        let (angle, distance_m) = (dice.unit() * TAU, outside_m + dice.unit() * 10_000.0);
        offset(
            largest.center,
            distance_m * angle.cos(),
            distance_m * angle.sin(),
        )
    }
}

/// `SplitMix64`: the same world in every run.
struct Dice(u64);

impl Dice {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 (inclusive) to 1 (exclusive).
    fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.bits() >> 32).expect("32 bits")) / 2_f64.powi(32)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.bits() % n as u64).expect("less than n")
    }

    fn key(&mut self) -> Key {
        (u128::from(self.bits()) << 64 | u128::from(self.bits())).to_be_bytes()
    }

    /// Two independent normal deviates (Box and Muller).
    fn normals(&mut self) -> (f64, f64) {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let angle = self.unit() * TAU;
        (radius * angle.cos(), radius * angle.sin())
    }
}

fn offset(from: GeoPoint, east_m: f64, north_m: f64) -> GeoPoint {
    let lat = from.lat() + north_m / M_PER_DEGREE;
    let lon = from.lon() + east_m / (M_PER_DEGREE * from.lat().to_radians().cos());
    GeoPoint::parse(lat, lon).expect("cities are far from poles and antimeridian")
}

struct City {
    center: GeoPoint,
    spread_m: f64,
    /// The share of this city and all larger ones.
    up_to: f64,
}

/// 300 cities, the n-th with a share of 1/n (Zipf), the largest with a sixth of all.
struct Cities(Vec<City>);

static CITIES: LazyLock<Cities> = LazyLock::new(|| {
    let mut dice = Dice(1);
    let total: f64 = (1..=300).map(|n| 1.0 / f64::from(n)).sum();
    let mut up_to = 0.0;
    let cities = (1..=300).map(|n| {
        up_to += 1.0 / f64::from(n) / total;
        let (lat, lon) = (30.0 + 18.0 * dice.unit(), -120.0 + 45.0 * dice.unit());
        let center = GeoPoint::parse(lat, lon).expect("in range");
        City {
            center,
            spread_m: 10_000.0 / f64::from(n).powf(0.25),
            up_to,
        }
    });
    Cities(cities.collect())
});

impl Cities {
    /// Where a private post stands: in which city, at the center of which cell.
    fn cell_center(&self, dice: &mut Dice) -> (usize, GeoPoint) {
        let draw = dice.unit();
        let number = self
            .0
            .partition_point(|city| city.up_to < draw)
            .min(self.0.len() - 1);
        let city = &self.0[number];
        let (east, north) = dice.normals();
        let home = offset(city.center, east * city.spread_m, north * city.spread_m);
        (
            number,
            Cell::of(home, CellSize::try_from(8).expect("a resolution")).center(),
        )
    }
}

/// What is compared.
trait Index {
    fn build(offers: &[Offer]) -> Self;
    fn nearest(&self, from: GeoPoint) -> Vec<(Key, f64)>;
}

impl Index for SpatialIndex<Key> {
    fn build(offers: &[Offer]) -> Self {
        Self::bulk_load(offers.iter().copied())
    }

    fn nearest(&self, from: GeoPoint) -> Vec<(Key, f64)> {
        self.within(from, 0)
            .take(WANTED)
            .map(|hit| (hit.key, hit.distance_m))
            .collect()
    }
}

type Place = GeomWithData<[f64; 3], (GeoPoint, Vec<(Key, u32)>)>;

/// One tree of places, walked from the nearest to the end of the widest reach of all.
struct NearestWalk {
    places: RTree<Place>,
    widest_chord_2: f64,
}

fn unit(point: GeoPoint) -> [f64; 3] {
    let (sin_lat, cos_lat) = point.lat().to_radians().sin_cos();
    let (sin_lon, cos_lon) = point.lon().to_radians().sin_cos();
    [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat]
}

impl NearestWalk {
    fn walk(&self, from: GeoPoint) -> impl Iterator<Item = (Key, f64)> {
        self.places
            .nearest_neighbor_iter_with_distance_2(unit(from))
            .take_while(|(_, chord_2)| *chord_2 <= self.widest_chord_2)
            .flat_map(move |(place, _)| {
                let (point, posts) = &place.data;
                let distance_m = from.distance_m(*point);
                posts
                    .iter()
                    .filter(move |post| distance_m <= f64::from(post.1))
                    .map(move |post| (post.0, distance_m))
            })
    }
}

impl Index for NearestWalk {
    fn build(offers: &[Offer]) -> Self {
        let mut places = HashMap::<_, (GeoPoint, Vec<_>)>::new();
        for &(key, point, reach_m) in offers {
            let place = places.entry((point.lat().to_bits(), point.lon().to_bits()));
            place.or_insert((point, Vec::new())).1.push((key, reach_m));
        }
        let widest = offers.iter().map(|offer| offer.2).max().unwrap_or(0);
        let widest_chord = 2.0 * (f64::from(widest) / (2.0 * 6_371_008.8)).sin() + 1e-12;
        let places = places
            .into_values()
            .map(|place| GeomWithData::new(unit(place.0), place));
        Self {
            places: RTree::bulk_load(places.collect()),
            widest_chord_2: widest_chord * widest_chord,
        }
    }

    fn nearest(&self, from: GeoPoint) -> Vec<(Key, f64)> {
        self.walk(from).take(WANTED).collect()
    }
}

/// A tree for each power of four of meters, walked side by side.
struct ReachClasses(Vec<NearestWalk>);

impl Index for ReachClasses {
    fn build(offers: &[Offer]) -> Self {
        let mut classes = HashMap::<u32, Vec<Offer>>::new();
        for offer in offers {
            classes.entry(offer.2.ilog(4)).or_default().push(*offer);
        }
        Self(
            classes
                .into_values()
                .map(|offers| NearestWalk::build(&offers))
                .collect(),
        )
    }

    fn nearest(&self, from: GeoPoint) -> Vec<(Key, f64)> {
        let mut walks: Vec<_> = self
            .0
            .iter()
            .map(|class| class.walk(from).peekable())
            .collect();
        let mut nearest = Vec::new();
        while nearest.len() < WANTED {
            let next = walks
                .iter_mut()
                .filter_map(|walk| Some((walk.peek()?.1, walk)));
            let Some((_, walk)) = next.min_by(|a, b| a.0.total_cmp(&b.0)) else {
                break;
            };
            nearest.extend(walk.next());
        }
        nearest
    }
}

#[divan::bench(types = [NearestWalk, ReachClasses, SpatialIndex<Key>], args = worlds(), sample_count = 2000, sample_size = 1)]
fn ten_nearest<I: Index + Sync>(bencher: Bencher, world: World) {
    let index = I::build(&world.offers());
    let mut dice = Dice(3);
    bencher
        .with_inputs(|| world.asked_from(&mut dice))
        .bench_local_refs(|from| index.nearest(*from));
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn bulk_load(bencher: Bencher, size: usize) {
    let offers = World(size, Reaches::Mixed).offers();
    bencher.bench_local(|| SpatialIndex::build(&offers));
}

#[divan::bench(args = SIZES, sample_count = 5000, sample_size = 1)]
fn insert(bencher: Bencher, size: usize) {
    let world = World(size, Reaches::Mixed);
    let mut index = SpatialIndex::build(&world.offers());
    let mut dice = Dice(4);
    bencher
        .with_inputs(|| world.offer(&mut dice))
        .bench_local_values(|(key, point, reach_m)| index.insert(key, point, reach_m));
}

#[divan::bench(args = SIZES, sample_count = 5000, sample_size = 1)]
fn move_away(bencher: Bencher, size: usize) {
    let offers = World(size, Reaches::Mixed).offers();
    let mut index = SpatialIndex::build(&offers);
    let mut dice = Dice(5);
    bencher
        .with_inputs(|| (offers[dice.below(size)], CITIES.cell_center(&mut dice).1))
        .bench_local_values(|((key, _, reach_m), point)| index.insert(key, point, reach_m));
}

#[divan::bench(args = SIZES, sample_count = 5000, sample_size = 1)]
fn remove(bencher: Bencher, size: usize) {
    let offers = World(size, Reaches::Mixed).offers();
    let index = RefCell::new(SpatialIndex::build(&offers));
    let mut dice = Dice(6);
    bencher
        .with_inputs(|| {
            let (key, point, reach_m) = offers[dice.below(size)];
            index.borrow_mut().insert(key, point, reach_m); // back, if an earlier sample took it
            key
        })
        .bench_local_refs(|key| index.borrow_mut().remove(key));
}
