//! One write transaction as the actions see it: a connection, one instant, who acts, and short ways
//! to leave letters, audit entries and changes behind.

use super::leave_tasks::told_by;
use super::{Ctx, Outcome, Refusal, refuse};
use crate::crypto::keys::Keys;
use crate::crypto::lookup::KeyedHash;
use crate::crypto::seal::Sealed;
use crate::domain::clock::Ts;
use crate::domain::ids::{
    CoordinatorId, LetterId, MatchId, NeighborId, OfferId, RecordId, RequestId, VolunteerId,
};
use crate::domain::letter::{Lane, LetterKind};
use crate::domain::need::Verified;
use crate::domain::secret::Secret;
use crate::storage::audit::{Actor, Detail};
use crate::storage::idempotency::Seen;
use crate::storage::letters::{Letter, LetterState, RecipientKind};
use crate::storage::matches::Match;
use crate::storage::neighbors::Neighbor;
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::volunteers::Volunteer;
use crate::storage::{
    Conn, audit, changes, coordinators, idempotency, letters, matches, neighbors, offers, requests,
    volunteers,
};

/// An open write transaction.
#[expect(missing_debug_implementations, reason = "connections have none")]
pub struct Tx<'a> {
    /// The connection.
    pub conn: &'a mut Conn,
    /// Everything else.
    pub ctx: &'a Ctx,
    /// The keys of the whole transaction.
    pub keys: &'a Keys,
    /// The instant of the whole transaction.
    pub now: Ts,
    /// Who acts.
    pub actor: Actor,
}

/// A call that may be repeated: keyed hashes of its `Idempotency-Key` and of its body.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Which call.
    pub key: KeyedHash,
    /// What it says.
    pub body: KeyedHash,
}

/// Whom a letter goes to.
#[derive(Clone, Copy, Debug)]
pub(super) enum To {
    Neighbor(NeighborId),
    Volunteer(VolunteerId),
}

impl Tx<'_> {
    /// Leaves a letter in the outbox; or, for a neighbor whom no letter reaches, a task to tell her by phone.
    pub(super) fn letter(
        &mut self,
        kind: LetterKind,
        to: To,
        request: Option<RequestId>,
        about: Option<MatchId>,
    ) -> Outcome<()> {
        if let To::Neighbor(id) = to
            && told_by(kind).is_some()
            && let Some(neighbor) = self.out_of_mail(id)?
        {
            return self.leave_word(&neighbor, kind, request, about);
        }
        let (to_kind, to_id) = match to {
            To::Neighbor(id) => (RecipientKind::Neighbor, RecordId::from(id)),
            To::Volunteer(id) => (RecipientKind::Volunteer, RecordId::from(id)),
        };
        let lane = self.lane(kind, to)?;
        let letter = Letter {
            unconfirmed: lane.is_unconfirmed(),
            ..self.new_letter(kind, to_kind, to_id, request, about)
        };
        Ok(letters::insert(self.conn, &[letter])?)
    }

    /// Leaves one letter for each of many, who are told apart by whether their addresses are unconfirmed.
    pub(super) fn letters(&mut self, kind: LetterKind, to: &[(To, bool)]) -> Outcome<()> {
        let letter = |(to, unconfirmed): &(To, bool)| {
            let (to_kind, to_id) = match *to {
                To::Neighbor(id) => (RecipientKind::Neighbor, RecordId::from(id)),
                To::Volunteer(id) => (RecipientKind::Volunteer, RecordId::from(id)),
            };
            Letter {
                unconfirmed: *unconfirmed,
                ..self.new_letter(kind, to_kind, to_id, None, None)
            }
        };
        let letters: Vec<Letter> = to.iter().map(letter).collect();
        Ok(letters::insert(self.conn, &letters)?)
    }

    /// Volunteers get nothing but the first letter before they have confirmed their address.
    fn lane(&mut self, kind: LetterKind, to: To) -> Outcome<Lane> {
        let is_unconfirmed = match to {
            To::Volunteer(_) => kind == LetterKind::Confirm,
            To::Neighbor(id) => neighbors::verified(self.conn, id)? == Verified::None,
        };
        Ok(match is_unconfirmed {
            true => Lane::Unconfirmed,
            false => Lane::Confirmed,
        })
    }

    /// Leaves a letter for every coordinator who reviews, and whose part the request is of.
    pub(super) fn letter_to_reviewers(
        &mut self,
        kind: LetterKind,
        request: RequestId,
        about: Option<MatchId>,
    ) -> Outcome<()> {
        let Some(of) = requests::find(self.conn, request)? else {
            return Ok(());
        };
        let rows: Vec<Letter> = coordinators::reviewers(self.conn)?
            .iter()
            .filter(|to| self.ctx.part_of(to).holds(of.category.as_str(), of.cell))
            .map(|to| {
                self.new_letter(
                    kind,
                    RecipientKind::Coordinator,
                    to.id.into(),
                    Some(request),
                    about,
                )
            })
            .collect();
        Ok(letters::insert(self.conn, &rows)?)
    }

    /// Leaves a letter for one coordinator, about no request.
    pub(super) fn letter_to_coordinator(
        &mut self,
        kind: LetterKind,
        to: CoordinatorId,
    ) -> Outcome<()> {
        let letter = self.new_letter(kind, RecipientKind::Coordinator, to.into(), None, None);
        Ok(letters::insert(self.conn, &[letter])?)
    }

    pub(super) fn new_letter(
        &self,
        kind: LetterKind,
        to_kind: RecipientKind,
        to_id: RecordId,
        request_id: Option<RequestId>,
        match_id: Option<MatchId>,
    ) -> Letter {
        Letter {
            id: LetterId::new(self.ctx.entropy.as_ref()),
            kind,
            to_kind,
            to_id,
            request_id,
            match_id,
            priority: kind.priority(),
            state: LetterState::Queued,
            due_at: self.now,
            attempts: 0,
            lease_id: None,
            lease_until: None,
            last_error: None,
            settled_at: None,
            created_at: self.now,
            unconfirmed: false,
            retried_at: None,
            event: None,
            event_id: None,
            event_at: None,
        }
    }

    /// Leaves an audit entry.
    pub(super) fn audit(
        &mut self,
        action: &'static str,
        subject: (&'static str, impl Into<RecordId>),
        detail: Detail<'_>,
    ) -> Outcome<()> {
        Ok(audit::record(
            self.conn,
            self.now,
            self.actor,
            action,
            (subject.0, subject.1.into()),
            detail,
        )?)
    }

    /// Tells every index to look at requests again.
    pub(super) fn requests_changed(&mut self, ids: &[RequestId]) -> Outcome<()> {
        Ok(changes::requests(self.conn, ids, self.now)?)
    }

    /// Tells every index to look at offers again.
    pub(super) fn offers_changed(&mut self, ids: &[OfferId]) -> Outcome<()> {
        Ok(changes::offers(self.conn, ids, self.now)?)
    }

    /// Remembers a call under its key. `Some` if it was made before: then nothing more is to be written.
    pub(super) fn repeated(
        &mut self,
        call: Option<Call>,
        subject: impl Into<RecordId>,
    ) -> Outcome<Option<RecordId>> {
        let Some(call) = call else { return Ok(None) };
        match idempotency::remember(self.conn, call.key, call.body, subject.into(), self.now)? {
            Seen::First => Ok(None),
            Seen::Again(made) => Ok(Some(made)),
            Seen::OtherBody => refuse(Refusal::KeyReused),
        }
    }

    /// Seals the secret part of a record.
    pub(super) fn seal<S: Secret>(
        &self,
        id: impl Into<uuid::Uuid>,
        version: i32,
        secret: &S,
    ) -> Outcome<Sealed> {
        Ok(self
            .keys
            .seal(self.ctx.entropy.as_ref(), id, version, secret)?)
    }

    /// The epoch that seals new records.
    pub(super) fn epoch(&self) -> i32 {
        self.keys.active()
    }

    /// The neighbor; gone if erased.
    pub(super) fn neighbor(&mut self, id: NeighborId) -> Outcome<Neighbor> {
        match neighbors::find(self.conn, id)? {
            Some(neighbor) if neighbor.erased_at.is_none() => Ok(neighbor),
            _ => refuse(Refusal::NotFound),
        }
    }

    /// The volunteer; not found if erased.
    pub(super) fn volunteer(&mut self, id: VolunteerId) -> Outcome<Volunteer> {
        match volunteers::find(self.conn, id)? {
            Some(volunteer) if volunteer.erased_at.is_none() => Ok(volunteer),
            _ => refuse(Refusal::NotFound),
        }
    }

    /// The request, of this neighbor if one is named.
    pub(super) fn request(&mut self, id: RequestId, of: Option<NeighborId>) -> Outcome<Request> {
        match requests::find(self.conn, id)? {
            Some(request) if of.is_none_or(|n| n == request.neighbor_id) => Ok(request),
            _ => refuse(Refusal::NotFound),
        }
    }

    /// The offer, of this volunteer if one is named.
    pub(super) fn offer(&mut self, id: OfferId, of: Option<VolunteerId>) -> Outcome<Offer> {
        match offers::find(self.conn, id)? {
            Some(offer) if of.is_none_or(|v| v == offer.volunteer_id) => Ok(offer),
            _ => refuse(Refusal::NotFound),
        }
    }

    /// The match with its request and its offer.
    pub(super) fn matched(&mut self, id: MatchId) -> Outcome<(Match, Request, Offer)> {
        let Some(matched) = matches::find(self.conn, id)? else {
            return refuse(Refusal::NotFound);
        };
        let request = self.request(matched.request_id, None)?;
        let offer = self.offer(matched.offer_id, None)?;
        Ok((matched, request, offer))
    }
}
