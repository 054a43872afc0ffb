//! Somebody takes names and contacts out of the service: an administrator with a reason, or the operator.
//! It is in the audit before the first of them is told, and not without limit.

use std::time::Duration;

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::fact::Fact;
use crate::domain::ids::{CoordinatorId, RecordId};
use crate::domain::import::ImportKind;
use crate::domain::word::words;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::offers::OfferFilter;
use crate::storage::requests::RequestFilter;
use crate::storage::{audit, coordinators, offers, requests};

words! {
    /// Why names and contacts are taken out.
    ExportReason {
        /// To go on in another service.
        Move = "move",
        /// For helpers who work from a list: the network or the power is out.
        Field = "field",
        /// To repair what is wrong with many posts.
        Repair = "repair",
        /// An authority may demand it.
        Authority = "authority",
        /// The people asked for it.
        OwnWish = "own_wish",
    }
}

/// Exports with persons that one administrator may make within a day.
const DAILY: usize = 5;

/// Which of them, and what the audit tells of that.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// Of requests.
    pub requests: RequestFilter,
    /// Of offers.
    pub offers: OfferFilter,
    /// What the audit tells.
    pub facts: Vec<(&'static str, Fact)>,
}

/// Lets somebody export the persons of requests or of offers, all or some. Gives how many posts there are.
///
/// # Errors
/// Too many such exports.
pub async fn export_persons(
    ctx: &Ctx,
    kind: ImportKind,
    by: Option<CoordinatorId>,
    reason: ExportReason,
    chosen: Chosen,
) -> Outcome<usize> {
    let actor = match by {
        Some(id) => Actor::person(ActorKind::Coordinator, id),
        None => Actor::OPERATOR,
    };
    ctx.write(actor, move |tx| {
        if let Some(by) = by {
            // One after the other, so that none is left out of the count.
            coordinators::lock(tx.conn, by)?;
            let day_ago = tx.now.before(Duration::from_hours(24));
            let lately = audit::count_since(tx.conn, by.into(), "persons_exported", day_ago)?;
            if lately >= DAILY {
                return refuse(Refusal::TooManyExports);
            }
        }
        let count = match kind {
            ImportKind::Requests => requests::with_persons(tx.conn, &chosen.requests)?,
            ImportKind::Offers => offers::with_persons(tx.conn, &chosen.offers)?,
        };
        let mut detail = vec![
            ("kind", Fact::Word(kind.as_str())),
            ("posts", count.into()),
            ("reason", reason.into()),
        ];
        detail.extend(chosen.facts.iter().cloned());
        let export = RecordId::new(tx.ctx.entropy.as_ref());
        tx.audit("persons_exported", ("export", export), &detail)?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    })
    .await
}
