//! How the city stands, in numbers read from the database.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::postbag::Postbag;
use crate::actions::Ctx;
use crate::domain::ids::RequestId;
use crate::domain::lifecycle::{Attention, CloseReason, MatchState, RequestState};
use crate::domain::remit::Remit;
use crate::storage::matches::{Match, MatchFilter};
use crate::storage::offers::{Offer, OfferFilter};
use crate::storage::page::Page;
use crate::storage::requests::{Request, RequestFilter};
use crate::storage::{StorageError, matches, offers, requests};

const ALL: Page = Page {
    after: None,
    limit: 1_000_000,
};

/// The numbers of one category.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    offers: usize,
    requests: usize,
    open: usize,
    covered: usize,
    helped: usize,
    unmet: usize,
    ended: usize,
    out_of_reach: usize,
    asked: usize,
    yes: usize,
    waiting: usize,
}

/// The numbers of all.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    rows: BTreeMap<String, Row>,
    /// From each post to the first time that contacts were released for it, sorted.
    waits: Vec<Duration>,
}

impl Figures {
    /// Counts everything.
    pub async fn read(ctx: &Ctx) -> anyhow::Result<Self> {
        let (offers, requests, matches) = ctx
            .db
            .read(|conn| {
                Ok::<_, StorageError>((
                    offers::page(conn, &OfferFilter::default(), ALL)?,
                    requests::page(conn, Remit::All, &RequestFilter::default(), ALL)?,
                    matches::page(conn, &MatchFilter::default(), ALL)?,
                ))
            })
            .await?;
        let mut figures = Self::default();
        for category in ctx.catalog.iter() {
            figures
                .rows
                .insert(category.key.to_string(), Row::default());
        }
        figures.count(&offers, &requests, &matches);
        Ok(figures)
    }

    fn row(&mut self, category: &str) -> &mut Row {
        self.rows.entry(category.to_owned()).or_default()
    }

    fn count(&mut self, offers: &[Offer], requests: &[Request], matches: &[Match]) {
        for offer in offers {
            self.row(offer.category.as_str()).offers += 1;
        }
        for request in requests {
            let row = self.row(request.category.as_str());
            row.requests += 1;
            row.out_of_reach += usize::from(request.attention == Some(Attention::NoneInReach));
            match (request.state, request.close_reason) {
                (RequestState::Open | RequestState::Held, _) => row.open += 1,
                (RequestState::Covered, _) => row.covered += 1,
                (_, Some(CloseReason::HelpedHere)) => row.helped += 1,
                (_, Some(CloseReason::Unmet)) => row.unmet += 1,
                (RequestState::Closed, _) => row.ended += 1,
            }
        }
        let by_id: HashMap<RequestId, &Request> = requests.iter().map(|r| (r.id, r)).collect();
        let mut waits: HashMap<RequestId, Duration> = HashMap::new();
        for matched in matches {
            let Some(request) = by_id.get(&matched.request_id) else {
                continue;
            };
            let row = self.row(request.category.as_str());
            row.asked += usize::from(matched.asked_at.is_some());
            row.yes += usize::from(matched.answered_at.is_some() && said_yes(matched.state));
            row.waiting += usize::from(matches!(
                matched.state,
                MatchState::Proposed | MatchState::Notified
            ));
            if let Some(at) = matched.released_at {
                let wait = at.since(request.created_at);
                let first = waits.entry(request.id).or_insert(wait);
                *first = wait.min(*first);
            }
        }
        self.waits = waits.into_values().collect();
        self.waits.sort_unstable();
    }

    fn total(&self) -> Row {
        self.rows.values().fold(Row::default(), |a, b| Row {
            offers: a.offers + b.offers,
            requests: a.requests + b.requests,
            open: a.open + b.open,
            covered: a.covered + b.covered,
            helped: a.helped + b.helped,
            unmet: a.unmet + b.unmet,
            ended: a.ended + b.ended,
            out_of_reach: a.out_of_reach + b.out_of_reach,
            asked: a.asked + b.asked,
            yes: a.yes + b.yes,
            waiting: a.waiting + b.waiting,
        })
    }

    /// Of all requests, how many are covered or were helped.
    fn served_percent(&self) -> f64 {
        let total = self.total();
        tenths(100.0 * (total.covered + total.helped) as f64 / total.requests.max(1) as f64)
    }

    fn wait_minutes(&self, share: f64) -> Option<f64> {
        let below = |wait: &Duration| {
            let rank = self.waits.partition_point(|w| w <= wait);
            rank as f64 >= share * self.waits.len() as f64
        };
        let wait = self.waits.iter().find(|wait| below(wait))?;
        Some(tenths(wait.as_secs_f64() / 60.0))
    }

    /// One line a category.
    pub fn table(&self, head: &str) -> String {
        let mut text = format!(
            "{head}\n{:<16}{:>7}{:>10}{:>7}{:>9}{:>8}{:>7}{:>7}{:>7}{:>6}{:>9}",
            "category",
            "offers",
            "requests",
            "open",
            "covered",
            "helped",
            "unmet",
            "ended",
            "asked",
            "yes",
            "waiting"
        );
        let total = self.total();
        let rows = self.rows.iter().map(|(key, row)| (key.as_str(), row));
        for (key, row) in rows.chain([("all", &total)]) {
            // Writing into a text does not fail.
            let _ = write!(
                text,
                "\n{key:<16}{:>7}{:>10}{:>7}{:>9}{:>8}{:>7}{:>7}{:>7}{:>6}{:>9}",
                row.offers,
                row.requests,
                row.open,
                row.covered,
                row.helped,
                row.unmet,
                row.ended,
                row.asked,
                row.yes,
                row.waiting
            );
        }
        text
    }

    /// The end of the story, for people.
    pub fn summary(&self, letters: &Postbag) -> String {
        let of = |share| {
            self.wait_minutes(share)
                .map_or("-".to_owned(), |m| format!("{m} min"))
        };
        let kinds: Vec<String> = letters
            .counts()
            .iter()
            .map(|(kind, n)| format!("{kind} {n}"))
            .collect();
        format!(
            "{}\n\nServed: {} % of {} requests. Half of those were helped waited up to {}, nine of ten up to {}.\nLetters: {}",
            self.table("How it ended"),
            self.served_percent(),
            self.total().requests,
            of(0.5),
            of(0.9),
            kinds.join(", ")
        )
    }

    /// The end of the story, for programs.
    pub fn json(&self, letters: &Postbag) -> Value {
        let categories: BTreeMap<&str, Value> = self
            .rows
            .iter()
            .map(|(key, row)| (key.as_str(), row.json()))
            .collect();
        let letters: BTreeMap<&str, u64> = letters
            .counts()
            .iter()
            .map(|(kind, n)| (kind.as_str(), *n))
            .collect();
        json!({
            "served_percent": self.served_percent(),
            "median_wait_minutes": self.wait_minutes(0.5),
            "p90_wait_minutes": self.wait_minutes(0.9),
            "letters": letters,
            "all": self.total().json(),
            "categories": categories,
        })
    }
}

impl Row {
    fn json(&self) -> Value {
        json!({
            "offers": self.offers,
            "requests": self.requests,
            "open": self.open,
            "covered": self.covered,
            "helped": self.helped,
            "unmet": self.unmet,
            "ended": self.ended,
            "out_of_reach": self.out_of_reach,
            "asked": self.asked,
            "yes": self.yes,
            "waiting": self.waiting,
        })
    }
}

fn said_yes(state: MatchState) -> bool {
    matches!(
        state,
        MatchState::Accepted | MatchState::Fulfilled | MatchState::FellThrough
    )
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
