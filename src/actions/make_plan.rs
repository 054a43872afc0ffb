//! A coordinator plans for everybody at once, where there is not enough for all.
//!
//! The plan is made of what the index and the database say now; it promises nothing to anybody.
//! `apply_plan` looks at each of its pairs again. It takes some seconds, so one process makes one at a time.

mod facts;
mod gather;
mod posts;

use std::collections::HashSet;
use std::sync::Arc;

use tokio::task::spawn_blocking;
use tracing::Instrument;

use self::gather::{Gathered, Gathering};
use super::{Call, Ctx, Outcome, Refusal, refuse};
use crate::domain::category::CategoryKey;
use crate::domain::clock::Ts;
use crate::domain::ids::{CoordinatorId, OfferId, PlanId, PlanPairId, RecordId, RequestId};
use crate::domain::place::Cell;
use crate::domain::plan::{PairState, Reckoning};
use crate::matching::card::RequestCard;
use crate::matching::flow::FlowError;
use crate::matching::plan::{self, Plan};
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::idempotency::{self, Seen};
use crate::storage::plans::{self, PlanPair};
use crate::storage::sql_types::Json;
use crate::storage::{Conn, StorageError, TxError, offers, requests};

/// For whom a plan is made.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Only requests of this category.
    pub category: Option<CategoryKey>,
    /// Only requests within this cell; offers may be outside.
    pub area: Option<Cell>,
    /// How many of the nearest offers are looked at for each request.
    pub candidates: usize,
}

/// Requests that one plan looks at, at the most.
const MOST_REQUESTS: usize = 20_000;
/// Pairs among which it chooses, at the most.
const MOST_PAIRS: usize = 400_000;
/// Looks of the solver at a pair: some seconds, at 15 ns each.
const STEPS: u64 = 400_000_000;
/// Pairs that are written in one transaction.
const AT_ONCE: usize = 200;

impl Scope {
    fn holds(&self, request: &RequestCard) -> bool {
        let in_area = |area: Cell| {
            let size = area.resolution().try_into();
            size.is_ok_and(|size| Cell::of(request.at, size) == area)
        };
        self.category
            .as_ref()
            .is_none_or(|c| *c == request.category)
            && self.area.is_none_or(in_area)
    }
}

/// Makes a plan. A repeated call shows what the first made.
///
/// # Errors
/// A key used for another call, another plan that is being made, or more than one plan may hold.
pub async fn make_plan(
    ctx: &Ctx,
    scope: Scope,
    by: CoordinatorId,
    call: Option<Call>,
) -> Outcome<PlanId> {
    if let Some(made) = made_before(ctx, call).await? {
        return Ok(made);
    }
    let Ok(turn) = Arc::clone(&ctx.planning).try_lock_owned() else {
        return refuse(Refusal::PlanUnderWay);
    };
    let ctx = ctx.clone();
    // Whoever asked may hang up. It is finished all the same, and nobody else's turn comes before.
    let work = async move {
        let _turn = turn;
        let now = ctx.now();
        let (gathered, made) = solve(&ctx, &scope, now).await?;
        let row = row(&ctx, &scope, &gathered, &made, by, now);
        let pairs = pairs(&ctx, &row, &gathered, &made);
        write(&ctx, row, pairs, by, call).await
    };
    tokio::spawn(work.in_current_span()).await.map_err(failed)?
}

/// What the same call made before.
async fn made_before(ctx: &Ctx, call: Option<Call>) -> Outcome<Option<PlanId>> {
    let Some(call) = call else { return Ok(None) };
    let look = move |conn: &mut Conn| {
        let seen = idempotency::seen(conn, call.key, call.body)?;
        Ok::<_, StorageError>(seen)
    };
    match ctx.db.read(look).await? {
        Seen::First => Ok(None),
        Seen::Again(made) => Ok(Some(made.into())),
        Seen::OtherBody => refuse(Refusal::KeyReused),
    }
}

/// Gathers and solves, off the async threads.
async fn solve(ctx: &Ctx, scope: &Scope, now: Ts) -> Outcome<(Gathered, Plan)> {
    let posts = posts::posts(ctx, scope, now).await?;
    let cards = posts::requests(&posts, scope);
    let most = cards.len().saturating_mul(scope.candidates);
    if cards.len() > MOST_REQUESTS || most > MOST_PAIRS {
        return refuse(Refusal::PlanTooLarge);
    }
    let gathering = Gathering::begin(ctx, posts, scope.candidates, now).await?;
    let gathered = gathering.run(cards).await?;
    let work = move || {
        let made = plan::plan(&gathered.town, STEPS);
        made.map(|made| (gathered, made))
    };
    match spawn_blocking(work).await.map_err(failed)? {
        Ok(made) => Ok(made),
        Err(FlowError::TooLarge | FlowError::TooLong) => refuse(Refusal::PlanTooLarge),
        Err(FlowError::Malformed) => Err(TxError::Storage(StorageError::Unavailable(
            "a plan was made of nonsense",
        ))),
    }
}

/// A thread that panicked or was not run.
fn failed(_: tokio::task::JoinError) -> TxError<Refusal> {
    TxError::Storage(StorageError::Unavailable("a plan was not finished"))
}

/// Writes the plan in pieces. Only when it is whole does its call count as made: a plan that was broken
/// off stands for nothing, and the call is carried out anew.
async fn write(
    ctx: &Ctx,
    row: plans::Plan,
    pairs: Vec<PlanPair>,
    by: CoordinatorId,
    call: Option<Call>,
) -> Outcome<PlanId> {
    let actor = Actor::person(ActorKind::Coordinator, RecordId::from(by));
    let new = row.clone();
    ctx.write(actor, move |tx| Ok(plans::insert(tx.conn, &new)?))
        .await?;
    for some in pairs.chunks(AT_ONCE) {
        let some = some.to_vec();
        ctx.write(actor, move |tx| Ok(insert_still_there(tx.conn, &some)?))
            .await?;
    }
    let id = row.id;
    let finish = move |tx: &mut super::Tx<'_>| {
        if let Some(known) = tx.repeated(call, id)? {
            return Ok(PlanId::from(known));
        }
        plans::set_ready(tx.conn, id, tx.now)?;
        let figures = row.figures.0.plan;
        let detail = [
            ("requests", figures.requests.into()),
            ("units", figures.units.into()),
            ("exact", row.exact.into()),
        ];
        tx.audit("plan_made", ("plan", id), &detail)?;
        Ok(id)
    };
    let made = ctx.write(actor, finish).await;
    if !matches!(made, Ok(made) if made == id) {
        // The same call was quicker by way of another process.
        discard(ctx, actor, id).await?;
    }
    made
}

async fn discard(ctx: &Ctx, actor: Actor, id: PlanId) -> Outcome<()> {
    let most = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    let some = move |tx: &mut super::Tx<'_>| Ok(plans::discard(tx.conn, id, most)?);
    while ctx.write(actor, some).await? > 0 {}
    Ok(())
}

fn row(
    ctx: &Ctx,
    scope: &Scope,
    gathered: &Gathered,
    made: &Plan,
    by: CoordinatorId,
    now: Ts,
) -> plans::Plan {
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    plans::Plan {
        id: PlanId::new(ctx.entropy.as_ref()),
        category: scope.category.clone(),
        area: scope.area,
        exact: made.exact && !gathered.is_simpler,
        bound: made.bound,
        figures: Json(Reckoning {
            plan: made.figures,
            greedy: made.greedy,
            requests: count(gathered.requests.len()),
            stranded: count(gathered.stranded),
        }),
        created_at: now,
        created_by: by,
        ready_at: None,
    }
}

fn pairs(ctx: &Ctx, plan: &plans::Plan, gathered: &Gathered, made: &Plan) -> Vec<PlanPair> {
    let pairs = made.pairs.iter().zip(0..);
    pairs
        .map(|((link, quantity), position)| {
            let link = &gathered.town.links[*link];
            let (request_id, request_version) = gathered.requests[link.need];
            PlanPair {
                id: PlanPairId::new(ctx.entropy.as_ref()),
                plan_id: plan.id,
                request_id,
                offer_id: gathered.offers[link.supply],
                position,
                request_version,
                quantity: *quantity,
                distance_m: link.distance_m,
                state: PairState::Planned,
                reason: None,
                match_id: None,
                created_at: plan.created_at,
            }
        })
        .collect()
}

/// Without those whose request or offer is gone: forgotten while the plan was made.
fn insert_still_there(conn: &mut Conn, pairs: &[PlanPair]) -> Result<(), StorageError> {
    let ids: Vec<RequestId> = pairs.iter().map(|p| p.request_id).collect();
    let rows = requests::find_all(conn, &ids)?;
    let requests: HashSet<RequestId> = rows.into_iter().map(|r| r.id).collect();
    let ids: Vec<OfferId> = pairs.iter().map(|p| p.offer_id).collect();
    let rows = offers::find_all(conn, &ids)?;
    let offers: HashSet<OfferId> = rows.into_iter().map(|o| o.id).collect();
    let is_there = |p: &&PlanPair| requests.contains(&p.request_id) && offers.contains(&p.offer_id);
    let there: Vec<PlanPair> = pairs.iter().filter(is_there).cloned().collect();
    Ok(plans::insert_pairs(conn, &there)?)
}
