//! Which rows a use case locks before it looks at them in order to decide: those that it changes, and
//! those that let it rely on what it has read. `storage::dialect` has the order and what each kind of
//! row stands for.
//!
//! What is looked up in order to know which rows to lock is looked up again afterward: it may have
//! changed before the lock was there.

use std::collections::BTreeSet;

use super::{Outcome, Refusal, Tx, refuse};
use crate::domain::ids::{MatchId, NeighborId, OfferId, RequestId, VolunteerId};
use crate::domain::lifecycle::MatchState;
use crate::domain::remit::Remit;
use crate::storage::matches::Match;
use crate::storage::neighbors::Neighbor;
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::volunteers::Volunteer;
use crate::storage::{matches, neighbors, offers, requests, volunteers};

/// Posts whose matches may end.
#[derive(Debug, Default)]
struct Posts {
    requests: BTreeSet<RequestId>,
    offers: BTreeSet<OfferId>,
    matches: BTreeSet<MatchId>,
}

impl Tx<'_> {
    /// The neighbor, locked; not found if erased.
    pub(super) fn lock_neighbor(&mut self, id: NeighborId) -> Outcome<Neighbor> {
        match neighbors::lock(self.conn, id)? {
            Some(neighbor) if neighbor.erased_at.is_none() => Ok(neighbor),
            _ => refuse(Refusal::NotFound),
        }
    }

    /// The volunteer, locked; not found if erased.
    pub(super) fn lock_volunteer(&mut self, id: VolunteerId) -> Outcome<Volunteer> {
        match volunteers::lock(self.conn, id)? {
            Some(volunteer) if volunteer.erased_at.is_none() => Ok(volunteer),
            _ => refuse(Refusal::NotFound),
        }
    }

    /// The request, of this neighbor if one is named, locked.
    pub(super) fn lock_request(
        &mut self,
        id: RequestId,
        of: Option<NeighborId>,
    ) -> Outcome<Request> {
        match requests::lock(self.conn, id)? {
            Some(request) if of.is_none_or(|n| n == request.neighbor_id) => Ok(request),
            _ => refuse(Refusal::NotFound),
        }
    }

    /// The offer, of this volunteer if one is named, locked: enough for what concerns no match of it.
    pub(super) fn lock_offer(&mut self, id: OfferId, of: Option<VolunteerId>) -> Outcome<Offer> {
        match offers::lock(self.conn, id)? {
            Some(offer) if of.is_none_or(|v| v == offer.volunteer_id) => Ok(offer),
            _ => refuse(Refusal::NotFound),
        }
    }

    /// Nothing is there of a neighbor who is outside the remit.
    pub(super) fn refuse_outside(&mut self, remit: Remit, neighbor: NeighborId) -> Outcome<()> {
        if neighbors::is_within(self.conn, remit, neighbor)? {
            Ok(())
        } else {
            refuse(Refusal::NotFound)
        }
    }

    /// The match with its request and its offer, all locked: enough for whatever happens between these
    /// two but an acceptance.
    pub(super) fn lock_match(&mut self, id: MatchId) -> Outcome<(Match, Request, Offer)> {
        self.lock_matches(&[id])?;
        self.matched(id)
    }

    /// As [`Tx::lock_match`], with the volunteer: for whoever asks her.
    pub(super) fn lock_ask(&mut self, id: MatchId) -> Outcome<(Match, Request, Offer, Volunteer)> {
        let (_, _, offer) = self.matched(id)?;
        let volunteer = self.lock_volunteer(offer.volunteer_id)?;
        let (matched, request, offer) = self.lock_match(id)?;
        Ok((matched, request, offer, volunteer))
    }

    /// Several matches with their requests and offers; those that are there, as they are now.
    pub(super) fn lock_matches(&mut self, ids: &[MatchId]) -> Outcome<Vec<Match>> {
        let mut posts = Posts::default();
        for id in ids {
            if let Some(matched) = matches::find(self.conn, *id)? {
                posts.requests.insert(matched.request_id);
                posts.offers.insert(matched.offer_id);
                posts.matches.insert(matched.id);
            }
        }
        requests::lock_all(
            self.conn,
            &posts.requests.iter().copied().collect::<Vec<_>>(),
        )?;
        self.lock_rows(&posts)
    }

    /// The match with its request and its offer, for an acceptance: with the volunteer, and with every
    /// ask that it may make hopeless.
    pub(super) fn lock_acceptance(
        &mut self,
        id: MatchId,
    ) -> Outcome<(Match, Request, Offer, Volunteer)> {
        let (matched, request, offer) = self.matched(id)?;
        let volunteer = self.lock_volunteer(offer.volunteer_id)?;
        let mut posts = Posts::default();
        posts.requests.insert(request.id);
        posts.offers.insert(offer.id);
        posts.matches.insert(matched.id);
        for other in matches::active_of_offers(self.conn, &[offer.id])? {
            if other.state != MatchState::Accepted {
                posts.requests.insert(other.request);
                posts.matches.insert(other.id);
            }
        }
        // Of the request only when it is locked, so that none of its asks is missed.
        requests::lock_all(
            self.conn,
            &posts.requests.iter().copied().collect::<Vec<_>>(),
        )?;
        for other in matches::active_of_requests(self.conn, &[request.id])? {
            if other.state != MatchState::Accepted {
                posts.matches.insert(other.id);
            }
        }
        self.lock_rows(&posts)?;
        let (matched, request, offer) = self.matched(id)?;
        Ok((matched, request, offer, volunteer))
    }

    /// The match with its request and its offer, and everything else between its two people, whom no new
    /// match can bring together meanwhile.
    pub(super) fn lock_pair(&mut self, id: MatchId) -> Outcome<(Match, Request, Offer)> {
        let (matched, request, offer) = self.matched(id)?;
        neighbors::lock(self.conn, request.neighbor_id)?;
        volunteers::lock(self.conn, offer.volunteer_id)?;
        let mut all = matches::active_between(self.conn, request.neighbor_id, offer.volunteer_id)?;
        all.push(matched);
        self.lock_matches(&all.iter().map(|m| m.id).collect::<Vec<_>>())?;
        self.matched(id)
    }

    /// The request, of this neighbor if one is named, with everything that ends when it does.
    pub(super) fn lock_request_and_matches(
        &mut self,
        id: RequestId,
        of: Option<NeighborId>,
    ) -> Outcome<Request> {
        let neighbor = self.request(id, of)?.neighbor_id;
        neighbors::lock(self.conn, neighbor)?;
        self.lock_posts([id], [])?;
        self.request(id, of)
    }

    /// Requests with everything that ends when they do, and with those who asked; as they are now.
    pub(super) fn lock_requests_and_matches(&mut self, read: &[Request]) -> Outcome<Vec<Request>> {
        self.lock_neighbors(read.iter().map(|r| r.neighbor_id))?;
        self.lock_posts(read.iter().map(|r| r.id), [])?;
        Ok(requests::lock_all(
            self.conn,
            &read.iter().map(|r| r.id).collect::<Vec<_>>(),
        )?)
    }

    /// The neighbor with all she asks and everything that ends when that does; not found if erased.
    pub(super) fn lock_neighbor_and_requests(&mut self, id: NeighborId) -> Outcome<Neighbor> {
        let neighbor = self.lock_neighbor(id)?;
        let all = requests::ids_of(self.conn, &[id])?;
        self.lock_posts(all, [])?;
        Ok(neighbor)
    }

    /// Neighbors with all they ask and everything that ends when that does; as they are now, erased ones too.
    pub(super) fn lock_neighbors_and_requests(
        &mut self,
        ids: impl IntoIterator<Item = NeighborId>,
    ) -> Outcome<Vec<Neighbor>> {
        let locked = self.lock_neighbors(ids)?;
        let ids: Vec<NeighborId> = locked.iter().map(|n| n.id).collect();
        let all = requests::ids_of(self.conn, &ids)?;
        self.lock_posts(all, [])?;
        Ok(locked)
    }

    /// Neighbors, by id.
    pub(super) fn lock_neighbors(
        &mut self,
        ids: impl IntoIterator<Item = NeighborId>,
    ) -> Outcome<Vec<Neighbor>> {
        let ids = ids.into_iter().collect::<BTreeSet<_>>();
        let ids = ids.into_iter().collect::<Vec<_>>();
        Ok(neighbors::lock_all(self.conn, &ids)?)
    }

    /// The offer, of this volunteer if one is named, with the volunteer and everything that ends when
    /// it does.
    pub(super) fn lock_offer_and_matches(
        &mut self,
        id: OfferId,
        of: Option<VolunteerId>,
    ) -> Outcome<Offer> {
        let owner = self.offer(id, of)?.volunteer_id;
        volunteers::lock(self.conn, owner)?;
        self.lock_posts([], [id])?;
        // It may have joined another volunteer's before she was locked.
        self.offer(id, Some(owner))
    }

    /// Offers with their volunteers and everything that ends when they do; as they are now.
    pub(super) fn lock_offers_and_matches(&mut self, read: &[Offer]) -> Outcome<Vec<Offer>> {
        let owners = read.iter().map(|o| o.volunteer_id).collect::<BTreeSet<_>>();
        volunteers::lock_all(self.conn, &owners.into_iter().collect::<Vec<_>>())?;
        let ids = read.iter().map(|o| o.id).collect::<Vec<_>>();
        self.lock_posts([], ids.iter().copied())?;
        Ok(offers::lock_all(self.conn, &ids)?)
    }

    /// Volunteers with all they offer and everything that ends when that does; erased ones too.
    pub(super) fn lock_volunteers_and_offers(
        &mut self,
        ids: &[VolunteerId],
    ) -> Outcome<Vec<Volunteer>> {
        let locked = volunteers::lock_all(self.conn, ids)?;
        let all = offers::ids_of(self.conn, ids)?;
        self.lock_posts([], all)?;
        Ok(locked)
    }

    /// Posts, the active matches of them, and the other sides of those. Their people are locked already,
    /// as far as new matches of theirs matter.
    fn lock_posts(
        &mut self,
        ids: impl IntoIterator<Item = RequestId>,
        of_offers: impl IntoIterator<Item = OfferId>,
    ) -> Outcome<()> {
        let ids = ids.into_iter().collect::<Vec<_>>();
        let mut posts = Posts {
            requests: ids.iter().copied().collect(),
            offers: of_offers.into_iter().collect(),
            matches: BTreeSet::new(),
        };
        let offers = posts.offers.iter().copied().collect::<Vec<_>>();
        for matched in matches::active_of_offers(self.conn, &offers)? {
            posts.requests.insert(matched.request);
            posts.matches.insert(matched.id);
        }
        requests::lock_all(
            self.conn,
            &posts.requests.iter().copied().collect::<Vec<_>>(),
        )?;
        for matched in matches::active_of_requests(self.conn, &ids)? {
            posts.offers.insert(matched.offer);
            posts.matches.insert(matched.id);
        }
        self.lock_rows(&posts)?;
        Ok(())
    }

    /// The offers and matches; their requests are locked already.
    fn lock_rows(&mut self, posts: &Posts) -> Outcome<Vec<Match>> {
        offers::lock_all(self.conn, &posts.offers.iter().copied().collect::<Vec<_>>())?;
        Ok(matches::lock_all(
            self.conn,
            &posts.matches.iter().copied().collect::<Vec<_>>(),
        )?)
    }
}
