//! What a match and a durable write cost: `cargo bench --bench hot_paths`.
//!
//! `candidates` looks for fifty eligible offers around a request among many; `writes` commits audit
//! entries through the one write door, by that many callers at once, 1 000 in all.

#![expect(clippy::unwrap_used, reason = "a bench may stop at the first surprise")]

use divan::Bencher;
use manyhands::crypto::keyring::KeyRing;
use manyhands::crypto::keys::Keys;
use manyhands::domain::attribute::Attributes;
use manyhands::domain::availability::{Availability, TimeZoneName, Window};
use manyhands::domain::category::Catalog;
use manyhands::domain::clock::Ts;
use manyhands::domain::entropy::{Entropy, SeededEntropy};
use manyhands::domain::ids::{NeighborId, OfferId, RecordId, RequestId, VolunteerId};
use manyhands::domain::need::{LeadTime, Reach, Renews, Urgency};
use manyhands::domain::place::{Cell, CellSize, GeoPoint};
use manyhands::domain::secret::RequestSecret;
use manyhands::matching::card::{OfferCard, RequestCard};
use manyhands::matching::eligible::eligible;
use manyhands::matching::index::PostIndex;
use manyhands::storage::audit::{self, Actor};
use manyhands::storage::{Db, TxError};

fn main() {
    divan::main();
}

const NOW: i64 = 1_796_000_000_000_000;

fn somewhere(entropy: &dyn Entropy, spread: f64) -> GeoPoint {
    let offset = |e: &dyn Entropy| (e.fraction() + e.fraction() + e.fraction() - 1.5) * spread;
    let exact = GeoPoint::parse(44.96 + offset(entropy), -93.2 + offset(entropy)).unwrap();
    Cell::of(exact, CellSize::try_from(8).unwrap()).center()
}

fn city(count: usize) -> (Catalog, PostIndex, RequestCard) {
    let entropy = SeededEntropy::new(1);
    let entropy: &dyn Entropy = &entropy;
    let catalog = Catalog::shipped().unwrap();
    let now = Ts::from_micros(NOW);
    let horizon =
        Window::parse(now, now.after(std::time::Duration::from_secs(14 * 86_400))).unwrap();
    let availability = Availability {
        from: None,
        until: None,
        opening_hours: None,
        timezone: TimeZoneName::UTC,
    };
    let category = catalog.get("food").unwrap().key.clone();
    let offers = (0..count)
        .map(|_| OfferCard {
            id: OfferId::new(entropy),
            volunteer: VolunteerId::new(entropy),
            category: category.clone(),
            at: somewhere(entropy, 0.4),
            reach: Reach::try_from(3_000).unwrap(),
            capacity: 10,
            renews: Renews::None,
            lead: LeadTime::NONE,
            taken: Vec::new(),
            windows: availability.windows(horizon),
            availability: availability.clone(),
            provides: Attributes::default(),
            vetted_until: None,
            languages: ["en".into()].into(),
        })
        .collect();
    let request = RequestCard {
        id: RequestId::new(entropy),
        neighbor: NeighborId::new(entropy),
        category,
        at: somewhere(entropy, 0.0),
        travel: Reach::ZERO,
        needed: 4,
        splittable: false,
        helpers_left: 1,
        said: Urgency::Today,
        urgency: Urgency::Today,
        since: now,
        window: Window::parse(now, now.after(std::time::Duration::from_secs(86_400))).unwrap(),
        throughout: false,
        requires: Attributes::default(),
        languages: ["en".into()].into(),
        language_must: false,
    };
    let index = PostIndex::load(&catalog, offers, Vec::new());
    (catalog, index, request)
}

#[divan::bench(args = [1_000, 10_000, 100_000])]
fn candidates(bencher: Bencher<'_, '_>, offers: usize) {
    let (catalog, index, request) = city(offers);
    bencher.bench_local(|| {
        let category = catalog.get(request.category.as_str()).unwrap();
        index
            .in_reach(&catalog, &request)
            .filter_map(|(offer, distance_m)| {
                eligible(category, &request, offer, distance_m, Ts::from_micros(NOW)).ok()
            })
            .take(50)
            .count()
    });
}

#[divan::bench]
fn sealing(bencher: Bencher<'_, '_>) {
    let entropy = SeededEntropy::new(1);
    let keys = Keys::new(KeyRing::generate(&entropy, Ts::EPOCH), 1);
    let id = RequestId::new(&entropy);
    bencher.bench_local(|| {
        keys.seal(&entropy, id, 1, &RequestSecret::default())
            .unwrap()
    });
}

#[divan::bench(args = [1, 64], sample_count = 5)]
fn writes(bencher: Bencher<'_, '_>, callers: usize) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("bench.db").display())
        .parse()
        .unwrap();
    let db = Db::open(&url).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    bencher.bench_local(|| {
        runtime.block_on(async {
            let each = 1_000 / callers;
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..callers {
                let db = db.clone();
                tasks.spawn(async move {
                    for _ in 0..each {
                        db.write(|conn| -> Result<(), TxError<()>> {
                            let subject = ("bench", RecordId::from(uuid::Uuid::nil()));
                            Ok(audit::record(
                                conn,
                                Ts::EPOCH,
                                Actor::SYSTEM,
                                "bench",
                                subject,
                                &[],
                            )?)
                        })
                        .await
                        .unwrap();
                    }
                });
            }
            while tasks.join_next().await.is_some() {}
        });
    });
}
