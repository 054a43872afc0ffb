//! One round of matching for one due request: who is near, who may be asked, who is asked first.
//!
//! The index proposes; the write transaction decides again about every one it chose. `candidates` looks,
//! `choose` judges by `matching::judge`, `write` decides.

use std::sync::PoisonError;

pub(super) mod candidates;
pub(super) mod choose;
mod write;

use self::candidates::{Candidate, Known, page, read_facts, read_known, search};
use self::choose::{Chosen, judge, rank};
use super::{Ctx, Outcome};
use crate::domain::category::Category;
use crate::domain::clock::Ts;
use crate::domain::ids::{LeaseId, VolunteerId};
use crate::matching::wave::Sight;
use crate::storage::StorageError;
use crate::storage::audit::Actor;
use crate::storage::requests;
use crate::storage::requests::{Request, RoundResult};

/// How many pages of candidates a round looks at, at the most: near ones who rest must not hide farther ones
/// who could be asked.
const PAGES: usize = 4;

/// What a round has found out.
struct Findings {
    /// When the request becomes more urgent by itself.
    rises_at: Option<Ts>,
    known: Known,
    chosen: Vec<Chosen>,
    sight: Sight,
}

/// Asks the next volunteers for a request that was claimed under `lease`. Gives how many were asked.
///
/// # Errors
/// A failed query; the lease then runs out and the request is taken again.
pub async fn match_request(ctx: &Ctx, request: Request, lease: LeaseId) -> Outcome<usize> {
    let now = ctx.now();
    let rises_at = ctx.rises_at(&request, now);
    let Some(category) = ctx.catalog.get(request.category.as_str()).cloned() else {
        return leave(ctx, &request, lease, None).await;
    };
    // Hours are read so far ahead and no farther; who is asked for a day months away has forgotten it.
    let looks_at = request.needed_from.before(ctx.settings.matching.horizon);
    if looks_at > now {
        return leave(ctx, &request, lease, Some(looks_at)).await;
    }
    let Some(known) = read(ctx, request.clone(), now).await? else {
        return leave(ctx, &request, lease, None).await;
    };
    let (chosen, sight) = look(ctx, &category, &known, now).await?;
    let findings = Findings {
        rises_at,
        known,
        chosen,
        sight,
    };
    write::write_round(ctx, request, lease, category, findings).await
}

/// A request that cannot be matched at all leaves the clock, and whatever changes it makes it due again;
/// one that cannot be matched yet is due then.
async fn leave(ctx: &Ctx, request: &Request, lease: LeaseId, due: Option<Ts>) -> Outcome<usize> {
    let (id, read_due) = (request.id, request.match_due_at.unwrap_or(Ts::EPOCH));
    let result = RoundResult {
        wave: request.wave,
        next_wave_at: None,
        match_due_at: due,
        attention: request.attention,
    };
    ctx.write(Actor::SYSTEM, move |tx| {
        requests::finish_round(tx.conn, id, lease, read_due, &result)?;
        Ok(0)
    })
    .await
}

async fn read(ctx: &Ctx, request: Request, now: Ts) -> Result<Option<Known>, StorageError> {
    let inner = ctx.clone();
    let known = ctx
        .db
        .read(move |conn| read_known(&inner, conn, &request, now))
        .await?;
    Ok(known.filter(|known| !known.frozen.holds(known.card.at)))
}

/// The best whom the round may ask, and what it saw.
async fn look(
    ctx: &Ctx,
    category: &Category,
    known: &Known,
    now: Ts,
) -> Result<(Vec<Chosen>, Sight), StorageError> {
    let asking = known.asking(ctx, category, now);
    let (mut seen, mut sight, mut rested) = (Vec::new(), Sight::default(), Sight::default());
    for nth in 0..PAGES {
        let (found, on_the_way) = {
            let index = ctx.index.read().unwrap_or_else(PoisonError::into_inner);
            search(ctx, &index, &asking, nth * page(ctx))
        };
        sight = on_the_way;
        let ids: Vec<VolunteerId> = found
            .iter()
            .map(|c: &Candidate| c.offer.volunteer)
            .collect();
        let (inner, neighbor) = (ctx.clone(), known.neighbor.clone());
        let facts = ctx
            .db
            .read(move |conn| read_facts(&inner, conn, &neighbor, &ids, now))
            .await?;
        seen.extend(judge(&asking, &found, &facts, &mut rested));
        seen = rank(seen);
        if seen.len() >= known.round.ask || found.len() < page(ctx) {
            break;
        }
    }
    sight.add(&rested);
    sight.left = u32::try_from(seen.len().saturating_sub(known.round.ask)).unwrap_or(u32::MAX);
    seen.truncate(known.round.ask);
    Ok((seen, sight))
}
