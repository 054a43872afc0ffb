//! The operator lets somebody coordinate: a record, and a token that is shown once.

use std::time::Duration;

use super::{Ctx, Outcome, Refusal, refuse};
use crate::crypto::token::{Purpose, Token};
use crate::domain::contact::{EmailAddress, PersonName};
use crate::domain::ids::CoordinatorId;
use crate::domain::part::Part;
use crate::domain::secret::CoordinatorSecret;
use crate::storage::audit::Actor;
use crate::storage::coordinators;
use crate::storage::coordinators::{Coordinator, Scope};
use crate::storage::sql_types::Json;

/// Who is to coordinate.
#[derive(Clone, Debug)]
pub struct NewCoordinator {
    /// What the audit's readers call them.
    pub name: PersonName,
    /// Where reviews are announced.
    pub email: EmailAddress,
    /// What they may do.
    pub scope: Scope,
    /// For how long their token works; for good where it is left out.
    pub expires: Option<Duration>,
    /// Whether they get the morning's letter.
    pub digest: bool,
    /// What they are limited to; only of the scope `coordinator`.
    pub part: Part,
}

/// Adds a coordinator. The token is in no other place than in what this returns.
///
/// # Errors
/// [`Refusal::NotPossible`] for limits to a scope that cannot be limited.
pub async fn add_coordinator(
    ctx: &Ctx,
    new: NewCoordinator,
    actor: Actor,
) -> Outcome<(CoordinatorId, Token)> {
    ctx.write(actor, move |tx| {
        if !new.part.is_all() && new.scope != Scope::Coordinator {
            return refuse(Refusal::NotPossible);
        }
        let id = CoordinatorId::new(tx.ctx.entropy.as_ref());
        let secret = CoordinatorSecret {
            name: new.name.clone(),
            email: new.email.clone(),
        };
        let row = Coordinator {
            id,
            scope: new.scope,
            created_at: tx.now,
            revoked_at: None,
            group_id: None,
            sealed: tx.seal(id, 1, &secret)?,
            sealed_version: 1,
            sealed_epoch: Some(tx.epoch()),
            digest: new.digest,
            digest_on: None,
            part: Some(Json(new.part.clone())).filter(|part| !part.0.is_all()),
        };
        coordinators::insert(tx.conn, &row)?;
        let until = new.expires.map(|time| tx.now.after(time));
        let token = tx.mint(Purpose::Coordinator, id, until)?;
        tx.audit(
            "coordinator_added",
            ("coordinator", id),
            &[("scope", new.scope.into())],
        )?;
        Ok((id, token))
    })
    .await
}
