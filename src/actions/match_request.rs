//! One round of matching for one due request: who is near, who may be asked, who is asked first.
//!
//! The index proposes; the write transaction decides again about every one it chose. `candidates` looks,
//! `choose` judges by `matching::judge`, `write` decides.

use std::sync::{Arc, PoisonError};

pub(super) mod candidates;
pub(super) mod choose;
mod write;

use self::candidates::{Candidate, Known, page, read_facts, read_known, search};
use self::choose::{Chosen, judge, rank};
use super::{Ctx, Outcome};
use crate::domain::category::Category;
use crate::domain::clock::Ts;
use crate::domain::ids::{LeaseId, RequestId, VolunteerId};
use crate::matching::wave::Sight;
use crate::storage::audit::Actor;
use crate::storage::requests;
use crate::storage::requests::{Request, RoundResult};
use crate::storage::{Conn, StorageError};

/// How many pages of candidates a round looks at, at the most: near ones who rest must not hide farther ones
/// who could be asked.
const PAGES: usize = 4;

/// What a round has found out.
#[derive(Debug)]
struct Findings {
    /// As it was claimed.
    request: Request,
    category: Category,
    /// When the request becomes more urgent by itself.
    rises_at: Option<Ts>,
    known: Known,
    chosen: Vec<Chosen>,
    sight: Sight,
}

/// A round that found nobody to ask and is not settled yet.
#[derive(Clone, Debug)]
pub struct IdleRound(Arc<Findings>);

impl IdleRound {
    /// For which request.
    #[must_use]
    pub fn request(&self) -> RequestId {
        self.0.request.id
    }
}

/// Asks the next volunteers for a request that was claimed under `lease`. If there is nobody to ask, that is left to
/// [`settle_idle`]: most rounds of a city in which help is scarce are such, and many are settled by one write.
///
/// # Errors
/// A failed query; the lease then runs out and the request is taken again.
pub async fn match_request(
    ctx: &Ctx,
    request: Request,
    lease: LeaseId,
) -> Outcome<Option<IdleRound>> {
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
    let (inner, of, kind) = (ctx.clone(), request.clone(), category.clone());
    let seen = ctx
        .db
        .read(move |conn| look(&inner, conn, &kind, &of, now))
        .await?;
    let Some((known, chosen, sight)) = seen else {
        return leave(ctx, &request, lease, None).await;
    };
    let findings = Box::new(Findings {
        request,
        category,
        rises_at,
        known,
        chosen,
        sight,
    });
    if findings.chosen.is_empty() {
        return Ok(Some(IdleRound(findings.into())));
    }
    write::write_round(ctx, lease, findings).await?;
    Ok(None)
}

/// Settles rounds that found nobody to ask, of requests that were claimed together under `lease`.
///
/// # Errors
/// A failed query; the lease then runs out and the requests are taken again.
pub async fn settle_idle(ctx: &Ctx, rounds: Vec<IdleRound>, lease: LeaseId) -> Outcome<()> {
    if rounds.is_empty() {
        return Ok(());
    }
    let findings = rounds
        .into_iter()
        .map(|IdleRound(findings)| findings)
        .collect();
    write::write_idle(ctx, lease, findings).await
}

/// A request that cannot be matched at all leaves the clock, and whatever changes it makes it due again;
/// one that cannot be matched yet is due then.
async fn leave(
    ctx: &Ctx,
    request: &Request,
    lease: LeaseId,
    due: Option<Ts>,
) -> Outcome<Option<IdleRound>> {
    let (id, read_due) = (request.id, request.match_due_at.unwrap_or(Ts::EPOCH));
    let result = RoundResult {
        wave: request.wave,
        next_wave_at: None,
        match_due_at: due,
        attention: request.attention,
    };
    ctx.write(Actor::SYSTEM, move |tx| {
        requests::finish_round(tx.conn, id, lease, read_due, &result)?;
        Ok(None)
    })
    .await
}

/// The best whom the round may ask, and what it saw on the way; `None` if the request looks for nobody now.
fn look(
    ctx: &Ctx,
    conn: &mut Conn,
    category: &Category,
    request: &Request,
    now: Ts,
) -> Result<Option<(Known, Vec<Chosen>, Sight)>, StorageError> {
    let known = read_known(ctx, conn, request, now)?;
    let Some(known) = known.filter(|known| !known.frozen.holds(known.card.at)) else {
        return Ok(None);
    };
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
        let facts = read_facts(ctx, conn, &known.neighbor, &ids, now)?;
        seen.extend(judge(&asking, &found, &facts, &mut rested));
        seen = rank(seen);
        if seen.len() >= known.round.ask || found.len() < page(ctx) {
            break;
        }
    }
    sight.add(&rested);
    sight.left = u32::try_from(seen.len().saturating_sub(known.round.ask)).unwrap_or(u32::MAX);
    seen.truncate(known.round.ask);
    Ok(Some((known, seen, sight)))
}
