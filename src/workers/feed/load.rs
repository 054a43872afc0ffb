//! Reads every open post, page by page.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use crate::actions::Ctx;
use crate::actions::cards::{offer_cards, request_cards};
use crate::domain::clock::Ts;
use crate::matching::card::{OfferCard, RequestCard};
use crate::matching::index::PostIndex;
use crate::storage::changes::Place;
use crate::storage::{StorageError, offers, requests};
use crate::workers::WorkerError;

/// Rows of a page.
const AT_ONCE: i64 = 1000;

/// The index as the database stands, and the place in the feed up to which it surely holds everything.
pub(super) async fn load(ctx: &Ctx, now: Ts) -> Result<(Place, PostIndex), WorkerError> {
    let place = |conn: &mut _| Ok::<_, StorageError>(Place::now(conn)?);
    let place = ctx.db.read(place).await?;
    let offers = all_offers(ctx, now).await?;
    let requests = all_requests(ctx, now).await?;
    let catalog = Arc::clone(&ctx.catalog);
    let index = spawn_blocking(move || PostIndex::load(&catalog, offers, requests))
        .await
        .map_err(|_| WorkerError::CutOff)?;
    Ok((place, index))
}

async fn all_offers(ctx: &Ctx, now: Ts) -> Result<Vec<OfferCard>, StorageError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let shared = ctx.clone();
        let page = move |conn: &mut _| {
            let rows = offers::open_after(conn, after, AT_ONCE)?;
            let last = rows.last().map(|row| row.id);
            Ok::<_, StorageError>((offer_cards(&shared, conn, rows, now)?, last))
        };
        let (cards, last) = ctx.db.read(page).await?;
        all.extend(cards);
        if last.is_none() {
            return Ok(all);
        }
        after = last;
    }
}

async fn all_requests(ctx: &Ctx, now: Ts) -> Result<Vec<RequestCard>, StorageError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let shared = ctx.clone();
        let page = move |conn: &mut _| {
            let rows = requests::open_after(conn, after, AT_ONCE)?;
            let last = rows.last().map(|row| row.id);
            Ok::<_, StorageError>((request_cards(&shared, conn, rows, now)?, last))
        };
        let (cards, last) = ctx.db.read(page).await?;
        all.extend(cards);
        if last.is_none() {
            return Ok(all);
        }
        after = last;
    }
}
