//! Ten thousand posts beside a million: how long the service takes to start, what it holds in memory, and how long
//! calls take while few are made. And what a service holds that nobody has posted to.
//!
//! Nobody posts a million posts by calls for a bench. A few are posted as people do, and their rows are copied, each copy
//! with an owner, ids, hashes, a cell and a time of its own; the sealed parts are copies that open for nobody, and
//! nobody asks for them. Three of four are requests.

use std::fmt;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use manyhands::crypto::lookup::KeyedHash;
use manyhands::domain::clock::{Clock, SystemClock, Ts};
use manyhands::domain::entropy::{Entropy, SeededEntropy};
use manyhands::domain::ids::{NeighborId, OfferId, RequestId, VolunteerId};
use manyhands::domain::lifecycle::{OfferState, RequestState};
use manyhands::domain::place::{Cell, CellSize};
use manyhands::domain::remit::Remit;
use manyhands::storage::neighbors::{self, Neighbor};
use manyhands::storage::offers::{self, Offer, OfferFilter};
use manyhands::storage::page::Page;
use manyhands::storage::requests::{self, Request, RequestFilter};
use manyhands::storage::volunteers::{self, Volunteer};
use manyhands::storage::{Conn, Db, TxError};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::client::Load;
use super::figures::Figures;
use super::people::{People, below};
use super::service::Service;

/// As many as a neighborhood has on a bad day.
const FEW: usize = 10_000;
/// Posts of each kind that are copied.
const TEMPLATES: u64 = 60;
/// Copies written at once.
const AT_ONCE: usize = 200;
/// How long a service rests before its memory is looked at.
const REST: Duration = Duration::from_secs(10);
/// Calls a second: few, so that what is measured is how long a call takes, and not how long it waits for others.
const RATE: f64 = 20.0;
/// The size of the cells that the service is set to.
const CELLS: u8 = 8;

/// What is copied.
struct Templates {
    requests: Vec<(Neighbor, Request)>,
    offers: Vec<(Volunteer, Offer)>,
}

impl Templates {
    fn read(conn: &mut Conn) -> Result<Self, TxError<()>> {
        let page = Page {
            after: None,
            limit: 200,
        };
        let filter = RequestFilter {
            state: Some(RequestState::Open),
            ..RequestFilter::default()
        };
        let mut of_requests = Vec::new();
        for request in requests::page(conn, Remit::All, &filter, page)? {
            let owner = neighbors::find(conn, request.neighbor_id)?;
            of_requests.extend(owner.map(|owner| (owner, request)));
        }
        let filter = OfferFilter {
            state: Some(OfferState::Open),
            site: Some(false),
            ..OfferFilter::default()
        };
        let mut of_offers = Vec::new();
        for offer in offers::page(conn, &filter, page)? {
            let owner = volunteers::find(conn, offer.volunteer_id)?;
            of_offers.extend(owner.map(|owner| (owner, offer)));
        }
        Ok(Self {
            requests: of_requests,
            offers: of_offers,
        })
    }

    fn copy_request(&self, entropy: &dyn Entropy, cell: Cell, at: Ts) -> (Neighbor, Request) {
        let (owner, request) = &self.requests[below(self.requests.len(), entropy)];
        let owner = Neighbor {
            id: NeighborId::new(entropy),
            cell,
            email_hash: Some(KeyedHash::from(entropy.bytes::<32>())),
            phone_hash: Some(KeyedHash::from(entropy.bytes::<32>())),
            created_at: at,
            ..owner.clone()
        };
        let request = Request {
            id: RequestId::new(entropy),
            neighbor_id: owner.id,
            cell,
            // It has been looked at, and waits for the next wave.
            match_due_at: None,
            created_at: at,
            ..request.clone()
        };
        (owner, request)
    }

    fn copy_offer(&self, entropy: &dyn Entropy, cell: Cell, at: Ts) -> (Volunteer, Offer) {
        let (owner, offer) = &self.offers[below(self.offers.len(), entropy)];
        let owner = Volunteer {
            id: VolunteerId::new(entropy),
            email_hash: Some(KeyedHash::from(entropy.bytes::<32>())),
            phone_hash: Some(KeyedHash::from(entropy.bytes::<32>())),
            created_at: at,
            ..owner.clone()
        };
        let offer = Offer {
            id: OfferId::new(entropy),
            volunteer_id: owner.id,
            cell,
            match_due_at: None,
            created_at: at,
            ..offer.clone()
        };
        (owner, offer)
    }
}

/// Copies until there are so many more posts, while the service is not running.
async fn fill(database: &str, seed: u64, posts: usize) {
    let db = Db::open(&database.parse().expect("a database")).expect("it opens");
    let templates = db.read(Templates::read).await.expect("posts to copy");
    assert!(!templates.requests.is_empty() && !templates.offers.is_empty());
    let templates = std::sync::Arc::new(templates);
    let people = People::of_the_city();
    let size = CellSize::try_from(CELLS).expect("a size");
    let entropy = SeededEntropy::new(seed);
    let now = SystemClock.now();
    let bar = ProgressBar::new(posts as u64);
    let mut done = 0;
    while done < posts {
        let number = AT_ONCE.min(posts - done);
        let mut copies = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for nth in done..done + number {
            // The first a day ago, the last now.
            let age = Duration::from_hours(24).mul_f64(1.0 - nth as f64 / posts as f64);
            let (at, cell) = (now.before(age), Cell::of(people.home(&entropy), size));
            if nth % 4 < 3 {
                let (owner, request) = templates.copy_request(&entropy, cell, at);
                copies.0.push(owner);
                copies.1.push(request);
            } else {
                let (owner, offer) = templates.copy_offer(&entropy, cell, at);
                copies.2.push(owner);
                copies.3.push(offer);
            }
        }
        let write = move |conn: &mut Conn| -> Result<(), TxError<()>> {
            let (neighbors, requests, volunteers, offers) = &copies;
            for neighbor in neighbors {
                neighbors::insert(conn, neighbor)?;
            }
            requests::insert(conn, requests)?;
            for volunteer in volunteers {
                volunteers::insert(conn, volunteer)?;
            }
            offers::insert(conn, offers)?;
            Ok(())
        };
        db.write(write).await.expect("copies are written");
        done += number;
        bar.set_position(done as u64);
    }
    bar.finish_and_clear();
    db.close();
}

/// What a service with so many posts is like.
struct Seen {
    posts: usize,
    started_in: Duration,
    complete_in: Duration,
    memory_mb: u64,
    memory_after_mb: u64,
    figures: Figures,
}

impl Seen {
    fn json(&self) -> Value {
        json!({
            "posts": self.posts, "started_in_seconds": self.started_in.as_secs_f64(),
            "complete_in_seconds": self.complete_in.as_secs_f64(),
            "memory_mb": self.memory_mb, "memory_after_calls_mb": self.memory_after_mb,
            "figures": self.figures.json(),
        })
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} posts: takes calls after {:.2} s, matches after {:.2} s; holds {} MB at rest, {} MB after these calls\n{}",
            self.posts,
            self.started_in.as_secs_f64(),
            self.complete_in.as_secs_f64(),
            self.memory_mb,
            self.memory_after_mb,
            self.figures
        )
    }
}

async fn see(service: &mut Service, load: &Load, posts: usize, lasts: Duration) -> Seen {
    let begun = Instant::now();
    let started_in = service.start_again().await;
    service.complete().await;
    let complete_in = begun.elapsed();
    sleep(REST).await;
    let memory_mb = service.process.memory_mb();
    let figures = load.open(RATE, lasts, true).await;
    Seen {
        posts,
        started_in,
        complete_in,
        memory_mb,
        memory_after_mb: service.process.memory_mb(),
        figures,
    }
}

/// Compares few posts with many.
pub async fn compare(database: &str, seed: u64, many: usize, lasts: Duration) -> Value {
    let mut service = Service::start(database, "all").await;
    sleep(REST).await;
    let empty_mb = service.process.memory_mb();
    println!("empty: holds {empty_mb} MB at rest");
    let load = Load::of_city(&service, seed).await;
    load.open_templates(TEMPLATES).await;
    service.process.end("-TERM").await;
    let url = match database {
        "sqlite" => format!("sqlite:{}", service.file().display()),
        url => url.to_owned(),
    };
    fill(&url, seed, FEW).await;
    let few = see(&mut service, &load, FEW, lasts).await;
    println!("{few}");
    service.process.end("-TERM").await;
    fill(&url, seed + 1, many.saturating_sub(FEW)).await;
    let much = see(&mut service, &load, many, lasts).await;
    println!("{much}");
    service.process.end("-TERM").await;
    let times = much.figures.times(&few.figures);
    for (kind, p50, p99) in &times {
        println!(
            "{kind:<13} takes {p50:.1} times as long in the median, {p99:.1} times at the 99th percentile"
        );
    }
    json!({"empty_memory_mb": empty_mb, "few": few.json(), "many": much.json()})
}
