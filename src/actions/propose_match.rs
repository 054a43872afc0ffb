//! A coordinator brings a request and an offer together by hand.

use super::call_first::waits_for_call;
use super::new_match::fit_by_hand;
use super::tx::To;
use super::{Call, Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::{MatchId, OfferId, RequestId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::RequestState;
use crate::storage::audit::Actor;
use crate::storage::matches::Match;
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::volunteers::Volunteer;
use crate::storage::{matches, offers, requests, volunteers};

/// Asks the offer's volunteer for the request, outside any wave. A coordinator's own proposal needs no
/// review; everything else must fit as in any match. A repeated call shows what the first made.
///
/// # Errors
/// A key used for another call, posts that do not fit, a pair with an active match, or one that is
/// blocked or vetoed.
pub async fn propose_match(
    ctx: &Ctx,
    request: RequestId,
    offer: OfferId,
    call: Option<Call>,
    actor: Actor,
) -> Outcome<MatchId> {
    ctx.write(actor, move |tx| {
        let id = MatchId::new(tx.ctx.entropy.as_ref());
        if let Some(made) = tx.repeated(call, id)? {
            return Ok(made.into());
        }
        let owner = tx.offer(offer, None)?.volunteer_id;
        let volunteer = tx.lock_volunteer(owner)?;
        let request = tx.lock_request(request, None)?;
        let Some(offer) = offers::lock(tx.conn, offer)? else {
            return refuse(Refusal::NotFound);
        };
        tx.propose(id, &request, &offer, &volunteer)
    })
    .await
}

impl Tx<'_> {
    /// As [`propose_match`]; volunteer, request and offer are locked, in whatever state they are.
    pub(super) fn propose(
        &mut self,
        id: MatchId,
        request: &Request,
        offer: &Offer,
        volunteer: &Volunteer,
    ) -> Outcome<MatchId> {
        if request.state != RequestState::Open {
            return refuse(Refusal::NotPossible);
        }
        let neighbor = self.neighbor(request.neighbor_id)?;
        if waits_for_call(self.ctx, request, neighbor.verified) {
            return refuse(Refusal::CallFirst);
        }
        let earlier = matches::of_request(self.conn, request.id)?;
        let taken = earlier
            .iter()
            .any(|m| m.offer_id == offer.id && (m.state.is_active() || m.is_vetoed()));
        if taken || self.is_blocked(&neighbor, volunteer)? {
            return refuse(Refusal::PairTaken);
        }
        self.refuse_if_frozen(request, offer)?;
        let Some(fit) = fit_by_hand(self, request, offer.id)? else {
            return refuse(Refusal::DoesNotFit);
        };
        let row = Match {
            id,
            by_hand: true,
            score: 1.0,
            ..self.new_match(request, offer.id, &fit, false)
        };
        matches::insert(self.conn, std::slice::from_ref(&row))?;
        volunteers::set_asked(self.conn, &[volunteer.id], self.now)?;
        requests::set_attention(self.conn, &[request.id], None)?;
        self.drop_needless_look(request.id)?;
        self.letter(
            LetterKind::Asked,
            To::Volunteer(volunteer.id),
            Some(request.id),
            Some(id),
        )?;
        self.audit("match_made_by_hand", ("match", id), &[])?;
        Ok(id)
    }
}
