//! What a coordinator is limited to: some categories, some areas.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::CoordinatorId;
use crate::domain::part::Part;
use crate::storage::audit::Actor;
use crate::storage::coordinators;
use crate::storage::coordinators::{Coordinator, Scope};

impl Ctx {
    /// What a coordinator reaches. Whoever is limited reaches of the sensitive categories those that are named;
    /// administrators are not limited, and the scope `intake` has limits of its own.
    #[must_use]
    pub fn part_of(&self, coordinator: &Coordinator) -> Part {
        match (&coordinator.part, coordinator.scope) {
            (Some(part), Scope::Coordinator) => self.without_sensitive(part.0.clone()),
            _ => Part::ALL,
        }
    }

    fn without_sensitive(&self, part: Part) -> Part {
        let named = part.categories.unwrap_or_else(|| {
            let all = self.catalog.iter().filter(|c| !c.policy.sensitive);
            all.map(|c| c.key.to_string()).collect()
        });
        Part {
            categories: Some(named),
            areas: part.areas,
        }
    }
}

/// Limits a coordinator to that part, from their next call on; or, with [`Part::ALL`], to nothing.
///
/// # Errors
/// [`Refusal::NotFound`] for an id that is nobody's, [`Refusal::NotPossible`] for a scope that cannot be limited.
pub async fn limit_coordinator(
    ctx: &Ctx,
    id: CoordinatorId,
    part: Part,
    actor: Actor,
) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let Some(coordinator) = coordinators::lock(tx.conn, id)? else {
            return refuse(Refusal::NotFound);
        };
        let new = Some(part.clone()).filter(|part| !part.is_all());
        if new.is_some() && coordinator.scope != Scope::Coordinator {
            return refuse(Refusal::NotPossible);
        }
        let limited = new.is_some();
        coordinators::set_part(tx.conn, id, new)?;
        tx.audit(
            "coordinator_limited",
            ("coordinator", id),
            &[("limited", limited.into())],
        )
    })
    .await
}
