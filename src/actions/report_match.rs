//! Either side reports a problem: the pair is parted for good, and coordinators are told at once.

use super::ending::Tell;
use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::MatchId;
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{FallReason, MatchState};
use crate::domain::word::words;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::requests;

words! {
    /// What is reported.
    #[schema(as = ReportedProblem)]
    Problem {
        /// Somebody felt unsafe.
        Unsafe = "unsafe",
        /// The person is not who they said.
        NotWhoTheySaid = "not_who_they_said",
        /// Money was asked for.
        AskedForMoney = "asked_for_money",
        /// Anything else.
        Other = "other",
    }
}

/// Reports a problem with the other side of a match.
///
/// # Errors
/// A match in which the two never came near each other.
pub async fn report_match(ctx: &Ctx, id: MatchId, problem: Problem, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let (matched, request, offer) = tx.matched(id)?;
        let met = matches!(
            matched.state,
            MatchState::Notified
                | MatchState::Accepted
                | MatchState::Fulfilled
                | MatchState::FellThrough
        );
        if !met {
            return refuse(Refusal::NotPossible);
        }
        let neighbor = tx.neighbor(request.neighbor_id)?;
        let volunteer = tx.volunteer(offer.volunteer_id)?;
        tx.block_pair(&neighbor, &volunteer)?;
        match matched.state {
            MatchState::Notified => {
                tx.supersede(&matched, &offer, false)?;
                requests::make_due(tx.conn, &[request.id], tx.now)?;
            }
            MatchState::Accepted => {
                let tell = if actor.kind == ActorKind::Neighbor {
                    Tell::Volunteer
                } else {
                    Tell::Neighbor
                };
                tx.fall_through(&matched, &request, &offer, FallReason::CalledOff, tell)?;
            }
            _ => {}
        }
        tx.audit(
            "match_reported",
            ("match", id),
            &[("problem", problem.into())],
        )?;
        tx.letter_to_reviewers(LetterKind::Reported, request.id, Some(id))
    })
    .await
}
