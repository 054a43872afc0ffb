//! Offers where people live, and where they are asked from; the same in every run.

use std::collections::HashMap;
use std::f64::consts::TAU;
use std::fmt;
use std::sync::LazyLock;

use manyhands::domain::place::{Cell, CellSize, GeoPoint};

/// As wide as an offer's id; its number in the list stands in the last bytes.
pub type Key = [u8; 16];

/// Where it stands and how far it reaches, in meters.
#[derive(Clone, Copy)]
pub struct Offer {
    pub key: Key,
    pub point: GeoPoint,
    pub reach_m: u32,
}

/// Its number in the list.
pub fn number(key: Key) -> usize {
    let [.., a, b, c, d] = key;
    u32::from_be_bytes([a, b, c, d]) as usize
}

const M_PER_DEGREE: f64 = 111_195.0;

/// How reaches are spread, and so what makes a search hard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Where people live (`population.tsv`), reaches from 500 m to 40 km; asked from where they live.
    Mixed,
    /// Of 300 made-up cities the largest has a sixth of all offers, which reach 2 km at most; one in a
    /// thousand of the others reaches 200 km and more. Asked from 25 to 35 km outside the largest.
    Hidden,
    /// Reaches in those cities are 33 to 36 km, of one in ten thousand 200 km. Asked from 70 to 80 km
    /// outside the largest, so that many almost reach out there.
    Almost,
}

/// A world of `size` offers.
#[derive(Clone, Copy)]
pub struct World {
    pub size: usize,
    pub kind: Kind,
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, {} offers", self.kind, self.size)
    }
}

impl World {
    pub fn offers(self) -> Vec<Offer> {
        let mut dice = Dice(7);
        (0..self.size).map(|n| self.offer(n, &mut dice)).collect()
    }

    /// The `number`th offer.
    pub fn offer(self, number: usize, dice: &mut Dice) -> Offer {
        let (city, point) = self.home(dice);
        let reach_m = self.reach_m(city, dice);
        Offer {
            key: dice.key(number),
            point,
            reach_m,
        }
    }

    /// Where an offer stands: in which city, at the center of which cell.
    pub fn home(self, dice: &mut Dice) -> (usize, GeoPoint) {
        match self.kind {
            Kind::Mixed => (0, PEOPLE.cell_center(dice)),
            Kind::Hidden | Kind::Almost => CITIES.cell_center(dice),
        }
    }

    fn reach_m(self, city: usize, dice: &mut Dice) -> u32 {
        let reaches: &[u32] = match self.kind {
            Kind::Mixed => &[
                500, 1_000, 1_500, 2_000, 3_000, 5_000, 5_000, 8_000, 10_000, 15_000, 25_000,
                40_000,
            ],
            Kind::Hidden if city > 0 && dice.below(1_000) == 0 => &[200_000, 300_000, 400_000],
            Kind::Hidden => &[500, 1_000, 1_500, 2_000],
            Kind::Almost if dice.below(10_000) == 0 => &[200_000],
            Kind::Almost => &[33_000, 34_000, 35_000, 36_000],
        };
        reaches[dice.below(reaches.len())]
    }

    /// Where somebody asks from.
    pub fn asked_from(self, dice: &mut Dice) -> GeoPoint {
        let outside_m = match self.kind {
            Kind::Mixed => return PEOPLE.cell_center(dice),
            Kind::Hidden => 25_000.0,
            Kind::Almost => 70_000.0,
        };
        let (angle, distance_m) = (dice.unit() * TAU, outside_m + dice.unit() * 10_000.0);
        offset(
            CITIES.0[0].center,
            distance_m * angle.cos(),
            distance_m * angle.sin(),
        )
    }
}

/// `SplitMix64`: the same world in every run.
pub struct Dice(pub u64);

impl Dice {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 (inclusive) to 1 (exclusive).
    pub fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.bits() >> 32).expect("32 bits")) / 2_f64.powi(32)
    }

    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.bits() % n as u64).expect("less than n")
    }

    fn key(&mut self, number: usize) -> Key {
        let number = u32::try_from(number).expect("fewer than 2^32 offers");
        let random = u128::from(self.bits()) << 64 | u128::from(self.bits() >> 32 << 32);
        (random | u128::from(number)).to_be_bytes()
    }

    /// Two independent normal deviates (Box and Muller).
    fn normals(&mut self) -> (f64, f64) {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let angle = self.unit() * TAU;
        (radius * angle.cos(), radius * angle.sin())
    }

    /// Somewhere around `center`, more often near it, at the center of its cell.
    fn around(&mut self, center: GeoPoint, spread_m: f64) -> GeoPoint {
        let (east, north) = self.normals();
        let home = offset(center, east * spread_m, north * spread_m);
        Cell::of(home, CellSize::try_from(8).expect("a resolution")).center()
    }
}

fn offset(from: GeoPoint, east_m: f64, north_m: f64) -> GeoPoint {
    let lat = from.lat() + north_m / M_PER_DEGREE;
    let lon = from.lon() + east_m / (M_PER_DEGREE * from.lat().to_radians().cos());
    GeoPoint::parse(lat, lon.clamp(-180.0, 180.0)).expect("people live far from the poles")
}

/// Around where some live.
struct Town {
    center: GeoPoint,
    spread_m: f64,
    /// The share of all offers that this one and those before it have.
    up_to: f64,
}

fn draw<'a>(towns: &'a [Town], dice: &mut Dice) -> (usize, &'a Town) {
    let share = dice.unit();
    let number = towns
        .partition_point(|town| town.up_to < share)
        .min(towns.len() - 1);
    (number, &towns[number])
}

/// The ZIP code areas of the United States, each with its share of the population and as wide as its
/// population density makes it. Centroids: `config/gazetteer`, from the same sources.
struct People(Vec<Town>);

static PEOPLE: LazyLock<People> = LazyLock::new(|| {
    let root = env!("CARGO_MANIFEST_DIR");
    let read = |path: &str| std::fs::read_to_string(format!("{root}/{path}")).expect("is shipped");
    let gazetteer = read("config/gazetteer/us.tsv");
    let centroids: HashMap<&str, GeoPoint> = gazetteer
        .lines()
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let degrees = |n: usize| columns[n].parse().expect("degrees");
            let point = GeoPoint::parse(degrees(9), degrees(10)).expect("a point");
            (columns[1], point)
        })
        .collect();
    let table = read("benches/population.tsv");
    let areas: Vec<(GeoPoint, f64, f64)> = table
        .lines()
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let count = |n: usize| columns[n].parse::<f64>().expect("a count");
            (centroids[columns[0]], count(1), count(2))
        })
        .collect();
    let total: f64 = areas.iter().map(|(_, people, _)| people).sum();
    let mut up_to = 0.0;
    let towns = areas.into_iter().map(|(center, people, per_km2)| {
        up_to += people / total;
        // A disk of that area has this as the standard deviation of each coordinate.
        let radius_m = (people / per_km2 / std::f64::consts::PI).sqrt() * 1_000.0;
        Town {
            center,
            spread_m: radius_m / 2.0,
            up_to,
        }
    });
    People(towns.collect())
});

impl People {
    fn cell_center(&self, dice: &mut Dice) -> GeoPoint {
        let (_, town) = draw(&self.0, dice);
        dice.around(town.center, town.spread_m)
    }
}

/// 300 cities, the n-th with a share of 1/n (Zipf), the largest with a sixth of all.
struct Cities(Vec<Town>);

static CITIES: LazyLock<Cities> = LazyLock::new(|| {
    let mut dice = Dice(1);
    let total: f64 = (1..=300).map(|n| 1.0 / f64::from(n)).sum();
    let mut up_to = 0.0;
    let cities = (1..=300).map(|n| {
        up_to += 1.0 / f64::from(n) / total;
        let (lat, lon) = (30.0 + 18.0 * dice.unit(), -120.0 + 45.0 * dice.unit());
        Town {
            center: GeoPoint::parse(lat, lon).expect("in range"),
            spread_m: 10_000.0 / f64::from(n).powf(0.25),
            up_to,
        }
    });
    Cities(cities.collect())
});

impl Cities {
    fn cell_center(&self, dice: &mut Dice) -> (usize, GeoPoint) {
        let (number, town) = draw(&self.0, dice);
        (number, dice.around(town.center, town.spread_m))
    }
}
