//! Reads every open post, page by page: offers and requests side by side.

use crate::actions::Ctx;
use crate::actions::cards::{offer_cards, request_cards};
use crate::domain::clock::Ts;
use crate::matching::card::{OfferCard, RequestCard};
use crate::matching::index::PostIndex;
use crate::matching::posts::Posts;
use crate::storage::changes::Place;
use crate::storage::facts::{self, Which};
use crate::storage::{Conn, StorageError};
use crate::workers::WorkerError;

/// Rows of a page.
const AT_ONCE: i64 = 1000;

/// The index as the database stands, and the place in the feed up to which it surely holds everything.
pub(super) async fn load(ctx: &Ctx, now: Ts) -> Result<(Place, PostIndex), WorkerError> {
    let place = |conn: &mut _| Ok::<_, StorageError>(Place::now(conn)?);
    let place = ctx.db.read(place).await?;
    let (offers, requests) = tokio::try_join!(all_offers(ctx, now), all_requests(ctx, now))?;
    Ok((place, PostIndex::of(offers, requests)))
}

async fn all_offers(ctx: &Ctx, now: Ts) -> Result<Posts<OfferCard>, StorageError> {
    let (mut all, mut after) = (Posts::default(), None);
    loop {
        let shared = ctx.clone();
        let page = move |conn: &mut Conn| {
            let rows = facts::offers(conn, Which::ByAge(after, AT_ONCE))?;
            let last = rows.last().map(|(row, ..)| (row.created_at, row.id));
            let cards = offer_cards(&shared, conn, rows, now)?;
            all.hold(&shared.catalog, cards);
            if last.is_none() {
                all.plant(&shared.catalog);
            }
            Ok::<_, StorageError>((all, last))
        };
        (all, after) = ctx.db.read(page).await?;
        if after.is_none() {
            return Ok(all);
        }
    }
}

async fn all_requests(ctx: &Ctx, now: Ts) -> Result<Posts<RequestCard>, StorageError> {
    let (mut all, mut after) = (Posts::default(), None);
    loop {
        let shared = ctx.clone();
        let page = move |conn: &mut Conn| {
            let rows = facts::requests(conn, Which::ByAge(after, AT_ONCE))?;
            let last = rows.last().map(|(row, _)| (row.created_at, row.id));
            let cards = request_cards(&shared, conn, rows, now)?;
            all.hold(&shared.catalog, cards);
            if last.is_none() {
                all.plant(&shared.catalog);
            }
            Ok::<_, StorageError>((all, last))
        };
        (all, after) = ctx.db.read(page).await?;
        if after.is_none() {
            return Ok(all);
        }
    }
}
