//! What is open now, by place: offers for requests, and requests for offers.

use super::card::{OfferCard, RequestCard};
use super::eligible::eligible;
use super::posts::{Posts, radius};
use crate::domain::availability::{Availability, Windows};
use crate::domain::category::{Catalog, Travels};
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, RequestId};
use crate::domain::need::{Deadlines, Urgency};

/// Every open post, for both directions of matching. Proposes; the database decides.
#[derive(Debug, Default)]
pub struct PostIndex {
    offers: Posts<OfferCard>,
    requests: Posts<RequestCard>,
}

/// Requests in reach of one offer among which the most pressing are looked for. A city has fewer in one
/// volunteer's reach, but for its worst days.
const LOOKED_AT: usize = 2000;
/// How far offers are looked for that are out of reach: twice 50 km.
const FARTHEST_M: u32 = 100_000;

impl PostIndex {
    /// An index of many posts at once.
    #[must_use]
    pub fn load(catalog: &Catalog, offers: Vec<OfferCard>, requests: Vec<RequestCard>) -> Self {
        let mut index = Self::default();
        index.hold_offers(catalog, offers);
        index.hold_requests(catalog, requests);
        index.plant(catalog);
        index
    }

    /// Takes many offers in, which are found when [`Self::plant`] has given them their places.
    pub fn hold_offers(&mut self, catalog: &Catalog, cards: Vec<OfferCard>) {
        self.offers.hold(catalog, cards);
    }

    /// Takes many requests in, which are found when [`Self::plant`] has given them their places.
    pub fn hold_requests(&mut self, catalog: &Catalog, cards: Vec<RequestCard>) {
        self.requests.hold(catalog, cards);
    }

    /// Gives everything that is held its place, after the last of them.
    pub fn plant(&mut self, catalog: &Catalog) {
        self.offers.plant(catalog);
        self.requests.plant(catalog);
    }

    /// Open offers and open requests in the index.
    #[must_use]
    pub fn len(&self) -> (usize, usize) {
        (self.offers.len(), self.requests.len())
    }

    /// Whether nothing is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offers.is_empty() && self.requests.is_empty()
    }

    /// Adds an offer, or puts what it says now in the place of what it said.
    pub fn put_offer(&mut self, catalog: &Catalog, card: OfferCard) {
        self.offers.put(catalog, card);
    }

    /// Takes an offer out.
    pub fn remove_offer(&mut self, catalog: &Catalog, id: OfferId) {
        self.offers.remove(catalog, id);
    }

    /// Adds a request, or puts what it says now in the place of what it said.
    pub fn put_request(&mut self, catalog: &Catalog, card: RequestCard) {
        self.requests.put(catalog, card);
    }

    /// Takes a request out.
    pub fn remove_request(&mut self, catalog: &Catalog, id: RequestId) {
        self.requests.remove(catalog, id);
    }

    /// The offer as the index knows it.
    #[must_use]
    pub fn offer(&self, id: OfferId) -> Option<&OfferCard> {
        self.offers.get(id)
    }

    /// The request as the index knows it.
    #[must_use]
    pub fn request(&self, id: RequestId) -> Option<&RequestCard> {
        self.requests.get(id)
    }

    /// Every offer, by id.
    #[must_use]
    pub fn offer_ids(&self) -> Vec<OfferId> {
        self.offers.ids()
    }

    /// Every request, by id.
    #[must_use]
    pub fn request_ids(&self) -> Vec<RequestId> {
        self.requests.ids()
    }

    /// Offers that stand longer than their intervals reach: as time goes by, these must be made anew.
    #[must_use]
    pub fn offers_to_extend(&self) -> Vec<OfferId> {
        let reaches_its_end = |o: &OfferCard| {
            o.availability.opening_hours.is_none()
                && o.availability.until.is_some()
                && o.availability.until == o.windows.end()
        };
        self.offers
            .iter()
            .filter(|o| !reaches_its_end(o))
            .map(|o| o.id)
            .collect()
    }

    /// Puts intervals made anew in the place of those that `availability` gave before; an offer that
    /// has other hours by now keeps its own.
    pub fn extend_offer(
        &mut self,
        catalog: &Catalog,
        id: OfferId,
        availability: &Availability,
        windows: Windows,
    ) {
        self.offers.change(catalog, id, |card| {
            if card.availability == *availability {
                card.windows = windows;
            }
        });
    }

    /// Every offer in reach of a request, near first, with its distance in meters. Lazy.
    pub fn in_reach<'a>(
        &'a self,
        catalog: &Catalog,
        request: &'a RequestCard,
    ) -> impl Iterator<Item = (&'a OfferCard, f64)> + use<'a> {
        let travels = catalog
            .get(request.category.as_str())
            .map(|c| c.policy.travels);
        let near = self.offers.near(&request.category);
        travels
            .zip(near)
            .into_iter()
            .flat_map(move |(travels, near)| {
                let radius = radius(travels, Travels::Neighbor, request.travel);
                near.within(request.at, radius)
                    .filter_map(|hit| Some((self.offers.get(hit.key)?, hit.distance_m)))
            })
    }

    /// Offers of the request's category that are just too far, near first, with their distances: out of
    /// reach, but within twice of what would be in reach, among the nearest `look_at`.
    #[must_use]
    pub fn just_too_far(
        &self,
        catalog: &Catalog,
        request: &RequestCard,
        look_at: usize,
    ) -> Vec<(&OfferCard, f64)> {
        let (Some(category), Some(near)) = (
            catalog.get(request.category.as_str()),
            self.offers.near(&request.category),
        ) else {
            return Vec::new();
        };
        let travels = category.policy.travels;
        near.within(request.at, FARTHEST_M)
            .take(look_at)
            .filter_map(|hit| Some((self.offers.get(hit.key)?, hit.distance_m)))
            .filter(|(offer, distance_m)| {
                let (reach, travel) = (offer.reach, request.travel);
                !travels.in_reach(*distance_m, reach, travel)
                    && travels.in_reach(distance_m / 2.0, reach, travel)
            })
            .collect()
    }

    /// Up to `limit` requests that one of the offers could serve and that `counts` lets through, with how urgent they
    /// are by now: the most pressing first, and of them those that wait longest, among the nearest that each offer could
    /// serve at all.
    #[must_use]
    pub fn pressing_for(
        &self,
        catalog: &Catalog,
        offers: &[OfferId],
        now: Ts,
        deadlines: Deadlines,
        limit: usize,
        counts: impl Fn(RequestId, Urgency) -> bool,
    ) -> Vec<RequestId> {
        let mut waiting: Vec<(Urgency, Ts, RequestId)> = offers
            .iter()
            .filter_map(|id| self.offers.get(*id))
            .flat_map(|offer| self.requests_for(catalog, offer, now, LOOKED_AT))
            .filter_map(|id| self.requests.get(id))
            .map(|r| (r, r.urgency_at(now, deadlines)))
            .filter(|(r, urgency)| counts(r.id, *urgency))
            .map(|(r, urgency)| (urgency, r.since, r.id))
            .collect();
        waiting.sort_unstable();
        // A request may suit several of the offers.
        waiting.dedup();
        waiting
            .into_iter()
            .take(limit)
            .map(|(_, _, id)| id)
            .collect()
    }

    /// Up to `limit` requests that an offer could serve, near first.
    #[must_use]
    pub fn requests_for(
        &self,
        catalog: &Catalog,
        offer: &OfferCard,
        now: Ts,
        limit: usize,
    ) -> Vec<RequestId> {
        let Some(category) = catalog.get(offer.category.as_str()) else {
            return Vec::new();
        };
        let Some(near) = self.requests.near(&offer.category) else {
            return Vec::new();
        };
        let radius = radius(category.policy.travels, Travels::Volunteer, offer.reach);
        near.within(offer.at, radius)
            .filter_map(|hit| self.requests.get(hit.key).map(|r| (r, hit.distance_m)))
            .filter(|(request, distance_m)| {
                eligible(category, request, offer, *distance_m, now).is_ok()
            })
            .map(|(request, _)| request.id)
            .take(limit)
            .collect()
    }
}

#[cfg(test)]
mod tests;
