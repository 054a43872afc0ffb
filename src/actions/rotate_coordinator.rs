//! The operator gives a coordinator a new token, as after a loss; the old one is dead.

use std::time::Duration;

use super::{Ctx, Outcome, Refusal, refuse};
use crate::crypto::token::{Purpose, Token};
use crate::domain::ids::{CoordinatorId, RecordId};
use crate::storage::audit::Actor;
use crate::storage::{coordinators, tokens};

/// Ends every token of a coordinator and gives a new one: for so long, or else until the old one ended.
///
/// # Errors
/// [`Refusal::NotFound`] for an id that is nobody's, [`Refusal::NotPossible`] for somebody whose access
/// was revoked, or has expired where no new term is given.
pub async fn rotate_coordinator(
    ctx: &Ctx,
    id: CoordinatorId,
    expires: Option<Duration>,
    actor: Actor,
) -> Outcome<Token> {
    ctx.write(actor, move |tx| {
        let Some(row) = coordinators::lock(tx.conn, id)? else {
            return refuse(Refusal::NotFound);
        };
        let before = tokens::ends(tx.conn, Purpose::Coordinator, tx.now)?
            .into_iter()
            .find(|(of, _)| *of == RecordId::from(id))
            .map(|(_, until)| until);
        let until = match (expires, before) {
            (Some(time), _) => Some(tx.now.after(time)),
            (None, Some(until)) => until,
            (None, None) => return refuse(Refusal::NotPossible),
        };
        if row.revoked_at.is_some() {
            return refuse(Refusal::NotPossible);
        }
        tokens::revoke(tx.conn, id.into(), Purpose::Coordinator)?;
        tx.audit("token_rotated", ("coordinator", id), &[])?;
        tx.mint(Purpose::Coordinator, id, until)
    })
    .await
}
