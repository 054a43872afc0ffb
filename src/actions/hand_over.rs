//! Another group looks after a request from now on: it is closed here, and the neighbor learns who has it
//! and by which number they know it.

use super::tx::To;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::domain::ids::RequestId;
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::CloseReason;
use crate::domain::secret::{HandedOver, RequestSecret};
use crate::storage::audit::Actor;
use crate::storage::requests;
use crate::storage::requests::Request;

/// Closes a request that another group has taken over; accepted matches are called off. `tell`: she gets a
/// letter, where she has an address. Doing so again with the same words changes nothing.
///
/// # Errors
/// A request that is closed for another reason, or was handed over to somebody else.
pub async fn hand_over(
    ctx: &Ctx,
    id: RequestId,
    to: HandedOver,
    tell: bool,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let request = tx.lock_request_and_matches(id, None)?;
        let Some(sealed) = &request.sealed else {
            return refuse(Refusal::Gone);
        };
        let secret: RequestSecret = tx.keys.open(id, request.sealed_version, sealed)?;
        if !request.state.is_live() {
            return match secret.handed_over == Some(to.clone()) {
                true => Ok(()),
                false => refuse(Refusal::NotPossible),
            };
        }
        let secret = RequestSecret {
            handed_over: Some(to.clone()),
            ..secret
        };
        reseal(tx, &request, &secret)?;
        tx.close_request(&request, CloseReason::HandedOver)?;
        if tell {
            let to = To::Neighbor(request.neighbor_id);
            tx.letter(LetterKind::HandedOver, to, Some(id), None)?;
        }
        Ok(())
    })
    .await
}

fn reseal(tx: &mut Tx<'_>, request: &Request, secret: &RequestSecret) -> Outcome<()> {
    let (read, epoch) = (request.sealed_version, tx.epoch());
    let sealed = tx.seal(request.id, read + 1, secret)?;
    match requests::reseal(tx.conn, request.id, read, &sealed, epoch)? {
        true => Ok(()),
        false => refuse(Refusal::ChangedMeanwhile),
    }
}
