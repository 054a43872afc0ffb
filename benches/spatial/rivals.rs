//! What is compared. Everyone answers the same question: the ten nearest offers in whose own reach the
//! point is, with their distances in meters, nearest first.

use std::collections::HashMap;

use manyhands::domain::place::GeoPoint;
use manyhands::matching::spatial::SpatialIndex;
use rstar::RTree;
use rstar::primitives::GeomWithData;

use super::world::{Key, Offer, number};

pub const WANTED: usize = 10;

/// An index of offers.
pub trait Rival {
    /// The numbers of the nearest, with their distances.
    fn nearest(&mut self, from: GeoPoint) -> Vec<(usize, f64)>;
}

/// The product's own.
pub struct Ours(pub SpatialIndex<Key>);

impl Ours {
    pub fn new(offers: &[Offer]) -> Self {
        let posts = offers.iter().map(|o| (o.key, o.point, o.reach_m));
        Self(SpatialIndex::bulk_load(posts))
    }
}

impl Rival for Ours {
    fn nearest(&mut self, from: GeoPoint) -> Vec<(usize, f64)> {
        self.0
            .within(from, 0)
            .take(WANTED)
            .map(|hit| (number(hit.key), hit.distance_m))
            .collect()
    }
}

/// Looks at every offer.
pub struct Scan(Vec<Offer>);

impl Scan {
    pub fn new(offers: &[Offer]) -> Self {
        Self(offers.to_vec())
    }
}

impl Rival for Scan {
    fn nearest(&mut self, from: GeoPoint) -> Vec<(usize, f64)> {
        let mut hits: Vec<_> = self
            .0
            .iter()
            .map(|offer| (offer, from.distance_m(offer.point)))
            .filter(|(offer, distance_m)| *distance_m <= f64::from(offer.reach_m))
            .map(|(offer, distance_m)| (number(offer.key), distance_m))
            .collect();
        let wanted = WANTED.min(hits.len());
        if wanted < hits.len() {
            hits.select_nth_unstable_by(wanted, |a, b| a.1.total_cmp(&b.1));
            hits.truncate(wanted);
        }
        hits.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
        hits
    }
}

type Place = GeomWithData<[f64; 3], (GeoPoint, Vec<(usize, u32)>)>;

/// One tree of places, walked from the nearest to the end of the widest reach of all.
pub struct NearestWalk {
    places: RTree<Place>,
    widest_chord_2: f64,
}

fn unit(point: GeoPoint) -> [f64; 3] {
    let (sin_lat, cos_lat) = point.lat().to_radians().sin_cos();
    let (sin_lon, cos_lon) = point.lon().to_radians().sin_cos();
    [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat]
}

impl NearestWalk {
    pub fn new(offers: &[Offer]) -> Self {
        let mut places = HashMap::<_, (GeoPoint, Vec<_>)>::new();
        for offer in offers {
            let bits = (offer.point.lat().to_bits(), offer.point.lon().to_bits());
            let (_, posts) = places.entry(bits).or_insert((offer.point, Vec::new()));
            posts.push((number(offer.key), offer.reach_m));
        }
        let widest = offers.iter().map(|o| o.reach_m).max().unwrap_or(0);
        let widest_chord = 2.0 * (f64::from(widest) / (2.0 * 6_371_008.8)).sin() + 1e-12;
        let places = places
            .into_values()
            .map(|place| GeomWithData::new(unit(place.0), place));
        Self {
            places: RTree::bulk_load(places.collect()),
            widest_chord_2: widest_chord * widest_chord,
        }
    }

    fn walk(&self, from: GeoPoint) -> impl Iterator<Item = (usize, f64)> {
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

impl Rival for NearestWalk {
    fn nearest(&mut self, from: GeoPoint) -> Vec<(usize, f64)> {
        self.walk(from).take(WANTED).collect()
    }
}

/// A tree for each power of four of meters, walked side by side.
pub struct ReachClasses(Vec<NearestWalk>);

impl ReachClasses {
    pub fn new(offers: &[Offer]) -> Self {
        let mut classes = HashMap::<u32, Vec<Offer>>::new();
        for offer in offers {
            let class = classes.entry(offer.reach_m.ilog(4));
            class.or_default().push(*offer);
        }
        let trees = classes.into_values();
        Self(trees.map(|offers| NearestWalk::new(&offers)).collect())
    }
}

impl Rival for ReachClasses {
    fn nearest(&mut self, from: GeoPoint) -> Vec<(usize, f64)> {
        let walks = self.0.iter().map(|class| class.walk(from).peekable());
        let mut walks: Vec<_> = walks.collect();
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
