//! A stalker who may offer and ask as often as he likes, from anywhere, with any reach, and sees who is
//! asked, in which order, and how far it is said to be, finds the middle of a cell and nothing more.

use std::collections::HashMap;

use manyhands::actions::cards::{offer_cards_by_id, request_cards_by_id};
use manyhands::domain::entropy::{Entropy, SeededEntropy};
use manyhands::domain::ids::{OfferId, RequestId};
use manyhands::domain::need::Reach;
use manyhands::domain::place::{DistanceBand, GeoPoint};
use manyhands::matching::card::{OfferCard, RequestCard};
use manyhands::matching::eligible::eligible;
use manyhands::matching::index::PostIndex;
use manyhands::storage::StorageError;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::people::{HOME, food, offer_of, post_of, with};

/// Homes of neighbors; those of volunteers are fewer, for each must confirm an address.
const NEIGHBORS: usize = 240;
const VOLUNTEERS: usize = 60;
/// Where the stalker probes from, and his step from one radius to the next, in meters.
const PLACES: usize = 36;
const STEP: usize = 120;
const FARTHEST: usize = 26_000;

/// Meters north and east of home.
type Meters = (f64, f64);

fn point((north, east): Meters) -> GeoPoint {
    GeoPoint::parse(HOME.0 + north / 111_195.0, HOME.1 + east / 78_668.0).unwrap()
}

fn anywhere(entropy: &dyn Entropy, within: f64) -> Meters {
    let span = || (2.0 * entropy.fraction() - 1.0) * within;
    (span(), span())
}

fn location(at: Meters) -> Value {
    json!({"lat": point(at).lat(), "lon": point(at).lon()})
}

/// The city: what matching knows of each home, and where it really is.
struct City {
    app: TestApp,
    requests: Vec<(RequestCard, Meters)>,
    offers: Vec<(OfferCard, Meters)>,
}

async fn city() -> City {
    let mut app = TestApp::new();
    let entropy = SeededEntropy::new(11);
    let mut homes: HashMap<RequestId, Meters> = HashMap::new();
    for n in 0..NEIGHBORS {
        let home = anywhere(&entropy, 9000.0);
        let who = json!({"location": location(home), "contact": {"name": "Mo", "phone": format!("612 555 {n:04}")}});
        let posted = app.neighbor_who(with(post_of(&[food(1)]), who)).await;
        homes.insert(posted.requests[0].parse().unwrap(), home);
    }
    let mut bases: HashMap<OfferId, Meters> = HashMap::new();
    for n in 0..VOLUNTEERS {
        let home = anywhere(&entropy, 9000.0);
        let email = format!("v{n}@example.org");
        // A reach of nothing: only who travels to them finds them.
        let offer = json!({"category": "food", "capacity": 9, "reach_m": 0});
        let body = with(
            offer_of(&email, &[offer]),
            json!({"location": location(home)}),
        );
        let posted = app.volunteer_who(&email, body).await;
        bases.insert(posted.offers[0].parse().unwrap(), home);
    }
    let (asked, offered): (Vec<_>, Vec<_>) = (
        homes.keys().copied().collect(),
        bases.keys().copied().collect(),
    );
    let (ctx, now) = (app.ctx.clone(), app.now());
    let (requests, offers) = app
        .ctx
        .db
        .read(move |conn| {
            Ok::<_, StorageError>((
                request_cards_by_id(&ctx, conn, &asked, now)?,
                offer_cards_by_id(&ctx, conn, &offered, now)?,
            ))
        })
        .await
        .unwrap();
    let mut requests: Vec<_> = requests.into_iter().map(|c| (homes[&c.id], c)).collect();
    let mut offers: Vec<_> = offers.into_iter().map(|c| (bases[&c.id], c)).collect();
    requests.sort_by_key(|(_, c)| c.id);
    offers.sort_by_key(|(_, c)| c.id);
    assert_eq!((requests.len(), offers.len()), (NEIGHBORS, VOLUNTEERS));
    City {
        app,
        requests: requests.into_iter().map(|(at, c)| (c, at)).collect(),
        offers: offers.into_iter().map(|(at, c)| (c, at)).collect(),
    }
}

/// What the stalker knows of one home: from each place, the last radius that did not reach it, the
/// first that did, and what he was told the distance is.
#[derive(Clone, Default)]
struct Clues(Vec<(Meters, f64, f64)>);

impl Clues {
    fn add(&mut self, from: Meters, reached: usize, told: Option<DistanceBand>) {
        let (least, most): (f64, f64) = match told {
            Some(DistanceBand::Under2Km) => (0.0, 2000.0),
            Some(DistanceBand::Under5Km) => (2000.0, 5000.0),
            Some(DistanceBand::Under10Km) => (5000.0, 10_000.0),
            Some(DistanceBand::Under25Km) => (10_000.0, 25_000.0),
            _ => (0.0, f64::INFINITY),
        };
        let reached = reached as f64;
        self.0
            .push((from, least.max(reached - STEP as f64), most.min(reached)));
    }

    /// The point that fits the rings best (Gauss-Newton over their middles).
    fn estimate(&self) -> Meters {
        let (mut north, mut east) = (0.0, 0.0);
        for _ in 0..30 {
            // The normal equations of the step: a symmetric matrix and the right side.
            let (mut matrix, mut right) = ([1e-9, 0.0, 1e-9], [0.0, 0.0]);
            for (from, least, most) in &self.0 {
                let far = point(*from).distance_m(point((north, east))).max(1.0);
                let slope = [(north - from.0) / far, (east - from.1) / far];
                let miss = f64::midpoint(*least, *most) - far;
                matrix[0] += slope[0] * slope[0];
                matrix[1] += slope[0] * slope[1];
                matrix[2] += slope[1] * slope[1];
                right[0] += slope[0] * miss;
                right[1] += slope[1] * miss;
            }
            let det = matrix[0] * matrix[2] - matrix[1] * matrix[1];
            north += (matrix[2] * right[0] - matrix[1] * right[1]) / det;
            east += (matrix[0] * right[1] - matrix[1] * right[0]) / det;
        }
        (north, east)
    }
}

/// Thousands of offers, each seen by whom it could help.
fn offers_probe(city: &City, cards: &[RequestCard], entropy: &dyn Entropy) -> Vec<Clues> {
    let now = city.app.now();
    let catalog = &city.app.ctx.catalog;
    let nth: HashMap<_, _> = cards.iter().enumerate().map(|(n, c)| (c.id, n)).collect();
    let index = PostIndex::load(catalog, Vec::new(), cards.to_vec());
    let mut clues = vec![Clues::default(); cards.len()];
    for _ in 0..PLACES {
        let from = anywhere(entropy, 11_000.0);
        let mut known = Vec::new();
        for reach in (STEP..FARTHEST).step_by(STEP) {
            // The best a stalker can get: a place open to the public stands at its exact point.
            let probe = OfferCard {
                at: point(from),
                reach: Reach::try_from(i64::try_from(reach).unwrap()).unwrap(),
                ..city.offers[0].0.clone()
            };
            let seen = index.requests_for(catalog, &probe, now, cards.len());
            assert_eq!(seen[..known.len()], known, "the order says nothing new");
            for id in &seen[known.len()..] {
                let n = nth[id];
                let told = DistanceBand::of(point(from).distance_m(cards[n].at));
                clues[n].add(from, reach, Some(told));
            }
            known = seen;
            if known.len() == cards.len() {
                break;
            }
        }
    }
    clues
}

/// Thousands of requests, each seen by whom it finds.
fn requests_probe(city: &City, cards: &[OfferCard], entropy: &dyn Entropy) -> Vec<Clues> {
    let now = city.app.now();
    let catalog = &city.app.ctx.catalog;
    let nth: HashMap<_, _> = cards.iter().enumerate().map(|(n, c)| (c.id, n)).collect();
    let index = PostIndex::load(catalog, cards.to_vec(), Vec::new());
    let mut clues = vec![Clues::default(); cards.len()];
    for _ in 0..PLACES {
        let from = anywhere(entropy, 11_000.0);
        let mut known = 0;
        for travel in (STEP..FARTHEST).step_by(STEP) {
            let probe = RequestCard {
                at: point(from),
                travel: Reach::try_from(i64::try_from(travel).unwrap()).unwrap(),
                ..city.requests[0].0.clone()
            };
            let category = catalog.get(probe.category.as_str()).unwrap();
            let fits = |(offer, distance_m): (&OfferCard, f64)| {
                let fit = eligible(category, &probe, offer, distance_m, now).ok()?;
                Some((offer.id, fit.band))
            };
            let seen: Vec<_> = index.in_reach(catalog, &probe).filter_map(fits).collect();
            for (id, band) in &seen[known..] {
                clues[nth[id]].add(from, travel, Some(*band));
            }
            known = seen.len();
            if known == cards.len() {
                break;
            }
        }
    }
    clues
}

/// How far the estimates are from the homes, on average and at worst, in meters.
fn errors(clues: &[Clues], homes: impl Iterator<Item = Meters>) -> (f64, f64) {
    let all: Vec<f64> = clues
        .iter()
        .zip(homes)
        .map(|(clues, home)| point(clues.estimate()).distance_m(point(home)))
        .collect();
    let worst = all.iter().copied().fold(0.0, f64::max);
    (all.iter().sum::<f64>() / all.len() as f64, worst)
}

/// How far the middles of the cells are from the homes, on average, in meters.
fn centers<'a>(all: impl Iterator<Item = (GeoPoint, &'a Meters)>) -> f64 {
    let all: Vec<f64> = all.map(|(at, home)| at.distance_m(point(*home))).collect();
    all.iter().sum::<f64>() / all.len() as f64
}

#[actix_web::test]
async fn no_number_of_probes_finds_more_than_the_middle_of_a_cell() {
    let city = city().await;
    let entropy = SeededEntropy::new(23);
    let tolerance = 5.0;

    let cards: Vec<_> = city.requests.iter().map(|(c, _)| c.clone()).collect();
    let homes = || city.requests.iter().map(|(_, home)| *home);
    let clues = offers_probe(&city, &cards, &entropy);
    assert!(clues.iter().all(|c| c.0.len() > PLACES / 2));
    let (found, _) = errors(&clues, homes());
    let center = centers(city.requests.iter().map(|(c, home)| (c.at, home)));
    assert!(center > 200.0, "{center} m");
    assert!(found >= center - tolerance, "{found} m, {center} m");

    // He is no fool: where exact points were matched, he would stand at the door.
    let exact = city.requests.iter().map(|(card, home)| RequestCard {
        at: point(*home),
        ..card.clone()
    });
    let clues = offers_probe(&city, &exact.collect::<Vec<_>>(), &entropy);
    let (found, worst) = errors(&clues, homes());
    assert!(found < 15.0 && worst < 60.0, "{found} m, {worst} m");

    let cards: Vec<_> = city.offers.iter().map(|(c, _)| c.clone()).collect();
    let homes = || city.offers.iter().map(|(_, home)| *home);
    let clues = requests_probe(&city, &cards, &entropy);
    let (found, _) = errors(&clues, homes());
    let center = centers(city.offers.iter().map(|(c, home)| (c.at, home)));
    assert!(found >= center - tolerance, "{found} m, {center} m");
}
