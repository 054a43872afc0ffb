//! How a match comes into being, in a round of matching or by a coordinator's hand.

use super::Outcome;
use super::Tx;
use super::cards::{offer_cards_by_id, request_cards_by_id};
use crate::domain::ids::{MatchId, OfferId};
use crate::domain::lifecycle::{Agreement, MatchState};
use crate::domain::need::Quantity;
use crate::domain::score::ScoreParts;
use crate::matching::eligible::{Fit, eligible};
use crate::storage::matches::Match;
use crate::storage::requests::Request;
use crate::storage::sql_types::Json;

impl Tx<'_> {
    /// A match that is born: proposed where a coordinator must look at it, else notified.
    pub(super) fn new_match(
        &self,
        request: &Request,
        offer: OfferId,
        fit: &Fit,
        needs_review: bool,
    ) -> Match {
        let policy = self.ctx.wave(request, self.now);
        let quantity = Quantity::try_from(i64::from(fit.quantity)).unwrap_or(Quantity::ONE);
        Match {
            id: MatchId::new(self.ctx.entropy.as_ref()),
            request_id: request.id,
            offer_id: offer,
            quantity,
            taken: 0,
            period_start: fit.period,
            state: if needs_review {
                MatchState::Proposed
            } else {
                MatchState::Notified
            },
            decline_reason: None,
            fall_reason: None,
            agreement: Agreement::None,
            agree_by: None,
            band: fit.band,
            score: 0.0,
            parts: Json(ScoreParts::default()),
            wave: request.wave,
            request_version: request.version,
            by_hand: false,
            max_wait_at: (!needs_review).then(|| self.now.after(policy.max_wait)),
            asked_at: None,
            respond_by: None,
            answered_at: None,
            arrival_at: None,
            released_at: None,
            done_by: None,
            ended_at: None,
            created_at: self.now,
            updated_at: self.now,
            further_periods: Json(fit.further_periods.clone()),
            veto_undone_at: None,
            done_at: None,
            followed_up_at: None,
            no_show_by: None,
            returned_at: None,
            remind_at: None,
            no_show_undone_at: None,
        }
    }
}

/// Whether a request may be matched with an offer by hand, and how.
pub(super) fn fit_by_hand(
    tx: &mut Tx<'_>,
    request: &Request,
    offer: OfferId,
) -> Outcome<Option<Fit>> {
    let Some(category) = tx.ctx.catalog.get(request.category.as_str()).cloned() else {
        return Ok(None);
    };
    let offer = offer_cards_by_id(tx.ctx, tx.conn, &[offer], tx.now)?.pop();
    let request = request_cards_by_id(tx.ctx, tx.conn, &[request.id], tx.now)?.pop();
    let (Some(offer), Some(request)) = (offer, request) else {
        return Ok(None);
    };
    if offer.category != request.category {
        return Ok(None);
    }
    let distance_m = offer.at.distance_m(request.at);
    Ok(eligible(&category, &request, &offer, distance_m, tx.now).ok())
}
