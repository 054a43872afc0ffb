//! Where a plan's posts come from: the index, or the database where this process has none.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::task::spawn_blocking;

use super::{MOST_REQUESTS, Scope, failed};
use crate::actions::cards::{offer_cards, request_cards};
use crate::actions::{Ctx, Outcome, Refusal, refuse};
use crate::domain::clock::Ts;
use crate::matching::card::{OfferCard, RequestCard};
use crate::matching::index::PostIndex;
use crate::storage::Conn;
use crate::storage::facts::{self, Span, Which, each_page};

/// Posts that a plan is made of.
pub(super) type Posts = Arc<RwLock<PostIndex>>;

/// Rows that one read takes.
const PAGE: i64 = 500;
/// Offers that are loaded for one plan, at the most.
const MOST_OFFERS: usize = 200_000;

/// The index; or one of the scope's posts alone, where this process only answers, or has not loaded it yet.
pub(super) async fn posts(ctx: &Ctx, scope: &Scope, now: Ts) -> Outcome<Posts> {
    let is_empty = {
        let index = ctx.index.read().unwrap_or_else(PoisonError::into_inner);
        index.is_empty()
    };
    if !is_empty {
        return Ok(Arc::clone(&ctx.index));
    }
    let requests = load_requests(ctx, scope, now).await?;
    if requests.is_empty() {
        return Ok(Posts::default());
    }
    let offers = load_offers(ctx, scope, now).await?;
    let catalog = Arc::clone(&ctx.catalog);
    let index = spawn_blocking(move || PostIndex::load(&catalog, offers, requests))
        .await
        .map_err(failed)?;
    Ok(Arc::new(RwLock::new(index)))
}

/// The requests of the scope, one more than a plan may hold at the most.
pub(super) fn requests(posts: &Posts, scope: &Scope) -> Vec<RequestCard> {
    let index = posts.read().unwrap_or_else(PoisonError::into_inner);
    let cards = index.request_ids().into_iter();
    let cards = cards
        .filter_map(|id| index.request(id))
        .filter(|card| scope.holds(card))
        .take(MOST_REQUESTS + 1);
    cards.cloned().collect()
}

async fn load_requests(ctx: &Ctx, scope: &Scope, now: Ts) -> Outcome<Vec<RequestCard>> {
    let shared = (ctx.clone(), scope.clone());
    let page = move |conn: &mut Conn, span, all: &mut Vec<RequestCard>| {
        let (ctx, scope) = &shared;
        let rows = facts::requests(conn, Which::ByAge(span, PAGE))?;
        let last = rows.last().map(|(row, _)| (row.created_at, row.id));
        let mut cards = request_cards(ctx, conn, rows, now)?;
        cards.retain(|card| scope.holds(card));
        all.extend(cards);
        Ok(last.filter(|_| all.len() <= MOST_REQUESTS))
    };
    let all = each_page(&ctx.db, Span::all(), Vec::new(), page).await?;
    match all.len() > MOST_REQUESTS {
        true => refuse(Refusal::PlanTooLarge),
        false => Ok(all),
    }
}

async fn load_offers(ctx: &Ctx, scope: &Scope, now: Ts) -> Outcome<Vec<OfferCard>> {
    let shared = (ctx.clone(), scope.category.clone());
    let page = move |conn: &mut Conn, span, all: &mut Vec<OfferCard>| {
        let (ctx, category) = &shared;
        let mut rows = facts::offers(conn, Which::ByAge(span, PAGE))?;
        let last = rows.last().map(|(row, ..)| (row.created_at, row.id));
        rows.retain(|(o, ..)| category.as_ref().is_none_or(|c| *c == o.category));
        all.extend(offer_cards(ctx, conn, rows, now)?);
        Ok(last.filter(|_| all.len() <= MOST_OFFERS))
    };
    let all = each_page(&ctx.db, Span::all(), Vec::new(), page).await?;
    match all.len() > MOST_OFFERS {
        true => refuse(Refusal::PlanTooLarge),
        false => Ok(all),
    }
}
