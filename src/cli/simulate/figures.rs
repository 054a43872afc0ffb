//! What one day came to, in numbers that are read from its database.

use std::collections::HashMap;
use std::time::Duration;

use crate::actions::Ctx;
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, RequestId, VolunteerId};
use crate::domain::lifecycle::MatchState;
use crate::domain::place::GeoPoint;
use crate::domain::remit::Remit;
use crate::matching::fairness::{gini, percentile};
use crate::storage::matches::{Match, MatchFilter};
use crate::storage::offers::{Offer, OfferFilter};
use crate::storage::page::Page;
use crate::storage::requests::{Request, RequestFilter};
use crate::storage::sites::Site;
use crate::storage::volunteers::{Volunteer, VolunteerFilter};
use crate::storage::{StorageError, matches, offers, requests, sites, volunteers};

const ALL: Page = Page {
    after: None,
    limit: 10_000_000,
};

/// The numbers of one day. What cannot be told, because there was none of it, is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figures {
    pub requests: usize,
    /// Volunteers who could be asked.
    pub volunteers: usize,
    /// Requests of which everything was accepted in time, by people who came.
    pub served: usize,
    pub asks: usize,
    /// Asks that somebody said yes to.
    pub acceptances: usize,
    /// Acceptances that came to nothing.
    pub fell_through: usize,
    /// From posting to full cover, of the served.
    pub wait_p50: Option<Duration>,
    pub wait_p95: Option<Duration>,
    /// Requests that were not served within `wait_p95`, and had that long.
    pub waited_longer: usize,
    /// Between cells, or sites, of the acceptances that stood, in meters.
    pub distance_m: Option<f64>,
    /// Of the asks among the volunteers who could be asked.
    pub gini: f64,
}

/// Everything there is.
struct Rows {
    offers: Vec<Offer>,
    sites: Vec<Site>,
    requests: Vec<Request>,
    matches: Vec<Match>,
    volunteers: Vec<Volunteer>,
}

impl Figures {
    /// Counts everything, at the end of the day.
    pub async fn read(ctx: &Ctx) -> anyhow::Result<Self> {
        let now = ctx.now();
        let read = ctx.db.read(move |conn| {
            Ok::<_, StorageError>(Rows {
                offers: offers::page(conn, &OfferFilter::default(), ALL)?,
                sites: sites::open(conn, None)?
                    .into_iter()
                    .map(|(site, _)| site)
                    .collect(),
                requests: requests::page(conn, Remit::All, &RequestFilter::default(), ALL)?,
                matches: matches::page(conn, &MatchFilter::default(), ALL)?,
                volunteers: volunteers::page(conn, &VolunteerFilter::default(), now, ALL)?,
            })
        });
        Ok(read.await?.count(now))
    }

    pub fn served_percent(&self) -> f64 {
        100.0 * self.served as f64 / self.requests.max(1) as f64
    }

    pub fn asks_per_acceptance(&self) -> Option<f64> {
        (self.acceptances > 0).then(|| self.asks as f64 / self.acceptances as f64)
    }
}

/// Somebody came, or is still expected.
fn stands(matched: &Match) -> bool {
    matches!(matched.state, MatchState::Accepted | MatchState::Fulfilled)
}

fn said_yes(matched: &Match) -> bool {
    matched.answered_at.is_some() && (stands(matched) || matched.state == MatchState::FellThrough)
}

impl Rows {
    fn count(&self, now: Ts) -> Figures {
        let mut by_request: HashMap<RequestId, Vec<&Match>> = HashMap::new();
        for matched in self.matches.iter().filter(|m| stands(m)) {
            by_request
                .entry(matched.request_id)
                .or_default()
                .push(matched);
        }
        let covered: Vec<(&Request, Option<Ts>)> = self
            .requests
            .iter()
            .map(|r| (r, by_request.get_mut(&r.id).and_then(|m| covered_at(r, m))))
            .collect();
        let mut waits: Vec<Duration> = covered
            .iter()
            .filter_map(|(r, at)| Some(at.as_ref()?.since(r.created_at)))
            .collect();
        waits.sort_unstable();
        let wait_p95 = percentile(&waits, 95.0);
        let waited_longer = |(request, at): &&(&Request, Option<Ts>)| {
            let until = at.unwrap_or_else(|| {
                let closed = request.closed_at.unwrap_or(now);
                closed.min(request.needed_until).min(now)
            });
            wait_p95.is_none_or(|p95| until.since(request.created_at) > p95)
        };
        Figures {
            requests: self.requests.len(),
            volunteers: self.volunteers.iter().filter(|v| v.is_askable()).count(),
            served: waits.len(),
            asks: self.matches.iter().filter(|m| m.asked_at.is_some()).count(),
            acceptances: self.matches.iter().filter(|m| said_yes(m)).count(),
            fell_through: self
                .matches
                .iter()
                .filter(|m| said_yes(m) && !stands(m))
                .count(),
            wait_p50: percentile(&waits, 50.0),
            wait_p95,
            waited_longer: covered.iter().filter(waited_longer).count(),
            distance_m: self.distance_m(),
            gini: gini(&self.asks_by_volunteer()),
        }
    }

    /// How often each volunteer who could be asked was asked.
    fn asks_by_volunteer(&self) -> Vec<u32> {
        let mut asks: HashMap<VolunteerId, u32> = self
            .volunteers
            .iter()
            .filter(|v| v.is_askable())
            .map(|v| (v.id, 0))
            .collect();
        let owner: HashMap<OfferId, VolunteerId> =
            self.offers.iter().map(|o| (o.id, o.volunteer_id)).collect();
        for matched in self.matches.iter().filter(|m| m.asked_at.is_some()) {
            if let Some(asks) = owner.get(&matched.offer_id).and_then(|v| asks.get_mut(v)) {
                *asks += 1;
            }
        }
        asks.into_values().collect()
    }

    /// The mean over acceptances that stood.
    fn distance_m(&self) -> Option<f64> {
        let mut at: HashMap<OfferId, GeoPoint> = self
            .offers
            .iter()
            .map(|o| (o.id, o.cell.center()))
            .collect();
        for site in &self.sites {
            if let Ok(point) = GeoPoint::parse(site.lat, site.lon) {
                at.insert(site.offer_id, point);
            }
        }
        let needed: HashMap<RequestId, GeoPoint> = self
            .requests
            .iter()
            .map(|r| (r.id, r.cell.center()))
            .collect();
        let distances: Vec<f64> = self
            .matches
            .iter()
            .filter(|m| stands(m))
            .filter_map(|m| Some(at.get(&m.offer_id)?.distance_m(*needed.get(&m.request_id)?)))
            .collect();
        let sum: f64 = distances.iter().sum();
        (!distances.is_empty()).then(|| sum / distances.len() as f64)
    }
}

/// When the last of a request was accepted, if all of it was, and in time.
fn covered_at(request: &Request, accepted: &mut Vec<&Match>) -> Option<Ts> {
    accepted.sort_by_key(|m| (m.answered_at, m.id));
    let mut taken = 0;
    let whole = accepted.iter().find(|m| {
        taken += m.taken;
        taken >= request.quantity.get()
    })?;
    whole.answered_at.filter(|at| *at <= request.needed_until)
}
