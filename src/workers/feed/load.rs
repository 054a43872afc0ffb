//! Reads every open post: the older half and the younger one side by side.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::spawn_blocking;

use crate::actions::Ctx;
use crate::actions::cards::{offer_cards, request_cards};
use crate::domain::clock::Ts;
use crate::matching::index::PostIndex;
use crate::storage::changes::Place;
use crate::storage::facts::{self, Span, Which, each_page};
use crate::storage::{Conn, StorageError};
use crate::workers::WorkerError;

/// Rows of a page.
const AT_ONCE: i64 = 1000;

type Growing = Arc<Mutex<PostIndex>>;

/// The index as the database stands, and the place in the feed up to which it surely holds everything.
pub(super) async fn load(ctx: &Ctx, now: Ts) -> Result<(Place, PostIndex), WorkerError> {
    let begin = |conn: &mut Conn| {
        Ok::<_, StorageError>((Place::now(conn)?, facts::middle_of_requests(conn)?))
    };
    let (place, middle) = ctx.db.read(begin).await?;
    let middle = middle.unwrap_or(Ts::EPOCH);
    let index = Growing::default();
    tokio::try_join!(
        hold(ctx, &index, (Ts::EPOCH, middle), now),
        hold(ctx, &index, (middle, Ts::LAST), now),
    )?;
    let catalog = Arc::clone(&ctx.catalog);
    let plant = move || {
        let mut index = std::mem::take(&mut *grow(&index));
        index.plant(&catalog);
        index
    };
    let index = spawn_blocking(plant).await;
    Ok((place, index.map_err(|_| WorkerError::CutOff)?))
}

fn grow(index: &Growing) -> std::sync::MutexGuard<'_, PostIndex> {
    index.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts what was posted between two instants into the index.
async fn hold(
    ctx: &Ctx,
    index: &Growing,
    (from, until): (Ts, Ts),
    now: Ts,
) -> Result<(), StorageError> {
    let shared = ctx.clone();
    let offers = move |conn: &mut Conn, span, index: &mut Growing| {
        let rows = facts::offers(conn, Which::ByAge(span, AT_ONCE))?;
        let last = rows.last().map(|(row, ..)| (row.created_at, row.id));
        let cards = offer_cards(&shared, conn, rows, now)?;
        grow(index).hold_offers(&shared.catalog, cards);
        Ok(last)
    };
    let index = each_page(
        &ctx.db,
        Span::between(from, until),
        Arc::clone(index),
        offers,
    )
    .await?;
    let shared = ctx.clone();
    let requests = move |conn: &mut Conn, span, index: &mut Growing| {
        let rows = facts::requests(conn, Which::ByAge(span, AT_ONCE))?;
        let last = rows.last().map(|(row, _)| (row.created_at, row.id));
        let cards = request_cards(&shared, conn, rows, now)?;
        grow(index).hold_requests(&shared.catalog, cards);
        Ok(last)
    };
    each_page(&ctx.db, Span::between(from, until), index, requests).await?;
    Ok(())
}
