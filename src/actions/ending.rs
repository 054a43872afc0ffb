//! How matches end, and what an end gives back: shared by every use case that ends one.

use super::tx::To;
use super::{Outcome, Tx};
use crate::domain::fact::Fact;
use crate::domain::ids::RequestId;
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{FallReason, MatchState, RequestState};
use crate::domain::need::Urgency;
use crate::domain::task::TaskOutcome;
use crate::matching::judge::open_asks;
use crate::storage::matches::{DoneBy, Match};
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::{capacity, matches, offers, requests, volunteers};

/// Who is told that an accepted match has come to nothing. The one who ended it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tell {
    Neighbor,
    Volunteer,
    Both,
    Nobody,
}

/// Which promises end with an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promises {
    /// None.
    Kept,
    /// Those of which the volunteer has not said that they were kept: these wait for the neighbor's word alone.
    Unfulfilled,
    /// All: nobody takes the volunteer by their word.
    All,
}

impl Promises {
    fn includes(self, matched: &Match) -> bool {
        match self {
            Self::Kept => false,
            Self::Unfulfilled => matched.done_at.is_none(),
            Self::All => true,
        }
    }
}

impl Tx<'_> {
    /// Ends an accepted match that has come to nothing: need and capacity are free again, the request
    /// is due at once, and whoever does not know it yet is told.
    pub(super) fn fall_through(
        &mut self,
        matched: &Match,
        request: &Request,
        offer: &Offer,
        reason: FallReason,
        tell: Tell,
    ) -> Outcome<bool> {
        if !matches::fall_through(self.conn, matched.id, reason, self.now)? {
            return Ok(false);
        }
        let asked = match reason {
            FallReason::Refused => TaskOutcome::Done,
            _ => TaskOutcome::NotNeeded,
        };
        self.end_ask(matched.id, asked)?;
        if matched.returned_at.is_none() {
            capacity::give_back_all(self.conn, matched)?;
        }
        requests::give_back(self.conn, request.id, matched.taken, self.now)?;
        offers::make_due(self.conn, &[offer.id], self.now)?;
        self.end_needless_follow_up(request.id)?;
        if matches!(tell, Tell::Neighbor | Tell::Both) {
            let kind = if reason == FallReason::CalledOff {
                LetterKind::CalledOff
            } else {
                LetterKind::Changed
            };
            self.letter(
                kind,
                To::Neighbor(request.neighbor_id),
                Some(request.id),
                Some(matched.id),
            )?;
        }
        if matches!(tell, Tell::Volunteer | Tell::Both) {
            self.letter(
                LetterKind::CalledOff,
                To::Volunteer(offer.volunteer_id),
                Some(request.id),
                Some(matched.id),
            )?;
        }
        self.audit(
            "match_fell_through",
            ("match", matched.id),
            &[("reason", reason.into())],
        )?;
        self.requests_changed(&[request.id])?;
        self.offers_changed(&[offer.id])?;
        Ok(true)
    }

    /// Ends a proposal or an ask that is not needed, or not possible, any more. A volunteer who was
    /// asked is thanked.
    pub(super) fn supersede(&mut self, matched: &Match, offer: &Offer, thank: bool) -> Outcome<()> {
        let was_asked = matched.state == MatchState::Notified && matched.asked_at.is_some();
        if !matches::supersede(self.conn, matched.id, self.now)? {
            return Ok(());
        }
        self.end_review(matched.id, TaskOutcome::NotNeeded)?;
        self.make_room(offer)?;
        if was_asked && thank {
            self.letter(
                LetterKind::Covered,
                To::Volunteer(offer.volunteer_id),
                Some(matched.request_id),
                Some(matched.id),
            )?;
        }
        Ok(())
    }

    /// An ask or a promise of the offer, which is locked, has ended. Where its volunteer could be asked for
    /// nothing more because of it, those who waited for that are looked at again: through the offer, which
    /// knows who is most pressing.
    pub(super) fn make_room(&mut self, offer: &Offer) -> Outcome<()> {
        let Some(volunteer) = volunteers::find(self.conn, offer.volunteer_id)? else {
            return Ok(());
        };
        let loads = matches::load_of(self.conn, &[volunteer.id], self.now)?;
        let settings = &self.ctx.settings.matching;
        let limits = &volunteer.limits.0;
        // At least, not exactly: others may have ended at the same instant.
        let was_full = loads.first().is_some_and(|load| {
            load.open_asks + 1 >= open_asks(settings, limits, Urgency::Soon)
                || load.days_asks.len() + 1 >= usize::from(limits.daily_asks)
                || load.calm_asks.len() + 1 >= usize::from(limits.weekly_asks)
                || load.open_releases + 1 >= u32::from(settings.open_releases)
        });
        if was_full {
            offers::make_due(self.conn, &[offer.id], self.now)?;
        }
        Ok(())
    }

    /// Ends all asks of a request.
    pub(super) fn supersede_asks_of(&mut self, request: RequestId) -> Outcome<()> {
        for matched in matches::of_request(self.conn, request)? {
            if matches!(matched.state, MatchState::Proposed | MatchState::Notified) {
                let offer = self.offer(matched.offer_id, None)?;
                self.supersede(&matched, &offer, true)?;
            }
        }
        Ok(())
    }

    /// After an acceptance: asks that cannot come to anything any more, because the need is covered or
    /// nothing is left of the offer in that period, are ended, and nobody need look at the request.
    pub(super) fn supersede_hopeless(&mut self, request: RequestId, offer: &Offer) -> Outcome<()> {
        self.drop_needless_look(request)?;
        self.make_room(offer)?;
        let covered =
            requests::find(self.conn, request)?.is_none_or(|r| r.state != RequestState::Open);
        if covered {
            self.supersede_asks_of(request)?;
        }
        self.supersede_unfit(offer)
    }

    /// Ends the asks of an offer that has too little left for them.
    pub(super) fn supersede_unfit(&mut self, offer: &Offer) -> Outcome<()> {
        for other in matches::of_offer(self.conn, offer.id)? {
            if !matches!(other.state, MatchState::Proposed | MatchState::Notified) {
                continue;
            }
            let free = capacity::free(self.conn, offer, &other)?;
            let other_request = self.request(other.request_id, None)?;
            let least = if other_request.splittable {
                1
            } else {
                other.quantity.get()
            };
            if free < least {
                self.supersede(&other, offer, false)?;
                requests::make_due(self.conn, &[other.request_id], self.now)?;
            }
        }
        Ok(())
    }

    /// Ends everything that depends on an offer that can serve no more: asks are superseded, and of the accepted
    /// matches those fall through that `promises` names.
    pub(super) fn end_matches_of_offer(
        &mut self,
        offer: &Offer,
        promises: Promises,
        tell: Tell,
    ) -> Outcome<()> {
        for matched in matches::of_offer(self.conn, offer.id)? {
            match matched.state {
                MatchState::Proposed | MatchState::Notified => {
                    self.supersede(&matched, offer, false)?;
                    requests::make_due(self.conn, &[matched.request_id], self.now)?;
                }
                MatchState::Accepted if promises.includes(&matched) => {
                    let request = self.request(matched.request_id, None)?;
                    self.fall_through(&matched, &request, offer, FallReason::CalledOff, tell)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The help was given, as somebody says or, `by` nobody, as nobody denies. A place that returns is free again; a request that is covered, and has no
    /// accepted match left, is over.
    pub(super) fn fulfil(
        &mut self,
        matched: &Match,
        request: &Request,
        offer: &Offer,
        by: Option<DoneBy>,
    ) -> Outcome<bool> {
        if !matches::fulfil(self.conn, matched.id, by, self.now)? {
            return Ok(false);
        }
        self.end_needless_follow_up(request.id)?;
        if matched.done_at.is_none() {
            self.let_go(matched, request, offer)?;
        }
        self.audit(
            "match_fulfilled",
            ("match", matched.id),
            &[("by", by.map_or(Fact::Word("nobody"), Fact::from))],
        )?;
        Ok(true)
    }

    /// The volunteer is free for others, and so is the place that the match held, where places return: whether
    /// another believes it does not matter for that.
    pub(super) fn let_go(
        &mut self,
        matched: &Match,
        request: &Request,
        offer: &Offer,
    ) -> Outcome<()> {
        self.make_room(offer)?;
        let returns = self
            .ctx
            .catalog
            .get(request.category.as_str())
            .is_some_and(|c| c.policy.place_returns);
        if returns && matches::return_place(self.conn, matched.id, self.now)? {
            capacity::give_back_all(self.conn, matched)?;
            offers::make_due(self.conn, &[offer.id], self.now)?;
            self.offers_changed(&[offer.id])?;
        }
        Ok(())
    }

    /// Calls a promise off; one of which its volunteer has said that it was kept counts as kept.
    pub(super) fn call_off(
        &mut self,
        matched: &Match,
        request: &Request,
        offer: &Offer,
        tell: Tell,
    ) -> Outcome<()> {
        if matched.done_at.is_some() {
            self.fulfil(matched, request, offer, Some(DoneBy::Volunteer))?;
        } else {
            self.fall_through(matched, request, offer, FallReason::CalledOff, tell)?;
        }
        Ok(())
    }
}
