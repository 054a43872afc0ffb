//! Takes due requests and offers for matching, so that no other worker matches them meanwhile.

use super::{Ctx, Outcome};
use crate::domain::ids::LeaseId;
use crate::storage::audit::Actor;
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::{offers, requests};

/// Posts taken under one lease.
#[derive(Debug)]
pub struct ClaimedPosts {
    /// What they are held by.
    pub lease: LeaseId,
    /// Requests, most urgent and longest waiting first.
    pub requests: Vec<Request>,
    /// Offers, longest waiting first.
    pub offers: Vec<Offer>,
}

/// Takes up to `limit` due requests and as many due offers. Who does not finish them in time loses
/// them to the next claim.
///
/// # Errors
/// A failed query.
pub async fn claim_posts(ctx: &Ctx, limit: i64) -> Outcome<ClaimedPosts> {
    let lease = LeaseId::new(ctx.entropy.as_ref());
    ctx.write(Actor::SYSTEM, move |tx| {
        let until = tx.now.after(tx.ctx.settings.matching.lease);
        let near = tx.ctx.settings.matching.deadlines;
        Ok(ClaimedPosts {
            lease,
            requests: requests::claim_due(tx.conn, tx.now, near, lease, until, limit)?,
            offers: offers::claim_due(tx.conn, tx.now, lease, until, limit)?,
        })
    })
    .await
}
