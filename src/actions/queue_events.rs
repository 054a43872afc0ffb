//! What has changed is put into the outbox for a webhook: one message for each record, however often it changed.
//!
//! The change feed is followed from where it was read last; whoever writes to it does nothing for webhooks. Where more
//! has changed than may wait, or the place in the feed is lost, one message says so in the place of all others.

use std::collections::{HashMap, HashSet};

use super::{Ctx, Outcome, Tx};
use crate::domain::clock::Ts;
use crate::domain::event::EventType;
use crate::domain::ids::{RecordId, WebhookId};
use crate::domain::webhook::Notice;
use crate::storage::audit::Actor;
use crate::storage::changes::{Change, Pass, Place};
use crate::storage::notices::Waiting;
use crate::storage::webhooks::Webhook;
use crate::storage::{Conn, StorageError, letters, notices, webhooks};

/// Changes read together.
const PAGE: i64 = 500;
/// Pages read one after the other. Who is further behind is not told one by one.
const PAGES: usize = 20;

/// What is new in the feed.
enum News {
    /// These have changed; a record is here once, as it changed first.
    Some(Vec<(Notice, RecordId, Ts)>, Place),
    /// More than is told one by one, or nobody knows what.
    Many(Place),
}

/// Reads what is new for a webhook and leaves it in the outbox. Nothing is written where nothing has changed.
///
/// # Errors
/// A failed query.
pub async fn queue_events(ctx: &Ctx, id: WebhookId) -> Outcome<()> {
    let too_long = ctx.settings.retention.changes / 2;
    let most = usize::try_from(ctx.settings.webhooks.waiting).unwrap_or(usize::MAX);
    let now = ctx.now();
    let read = move |conn: &mut Conn| {
        let Some(webhook) = webhooks::find(conn, id)?.filter(|w| w.disabled_at.is_none()) else {
            return Ok(None);
        };
        let has_rested = now.since(webhook.placed_at) > too_long;
        let news = news(conn, &webhook, has_rested, most)?;
        Ok::<_, StorageError>(news.map(|news| (webhook.place.0, news)))
    };
    let Some((from, news)) = ctx.db.read(read).await? else {
        return Ok(());
    };
    ctx.write(Actor::SYSTEM, move |tx| {
        match webhooks::lock(tx.conn, id)? {
            // Somebody else has read that far, or it is told nothing any more.
            Some(webhook) if webhook.disabled_at.is_some() || webhook.place.0 != from => Ok(()),
            Some(_) => leave(tx, id, &news, most),
            None => Ok(()),
        }
    })
    .await
}

/// What has changed since the place; none if nothing has, even if transactions have come and gone.
fn news(
    conn: &mut Conn,
    webhook: &Webhook,
    has_rested: bool,
    most: usize,
) -> Result<Option<News>, StorageError> {
    let place = &webhook.place.0;
    // As in the feed of the index: after a long rest an empty feed is nothing to hold on to.
    let begun = match has_rested {
        true => Pass::begin(conn, place)?,
        false => Pass::begin_anywhere(conn, place)?,
    };
    let Ok(mut pass) = begun else {
        return Ok(Some(News::Many(Place::now(conn)?)));
    };
    let mut first: HashMap<(Notice, RecordId), Ts> = HashMap::new();
    let mut is_any = false;
    for _ in 0..PAGES {
        let Ok(page) = pass.next(conn, PAGE)? else {
            return Ok(Some(News::Many(Place::now(conn)?)));
        };
        if page.is_empty() {
            let mut events: Vec<_> = first.into_iter().map(|((n, id), at)| (n, id, at)).collect();
            events.sort_unstable_by_key(|(notice, id, at)| (*at, *notice, *id));
            return Ok(is_any.then(|| News::Some(events, pass.end())));
        }
        is_any = true;
        for Change {
            entity,
            entity_id,
            at,
            ..
        } in page
        {
            let event = EventType::from(entity);
            if webhook.types.0.contains(&event) {
                first.entry((event.into(), entity_id)).or_insert(at);
            }
        }
        if first.len() > most {
            break;
        }
    }
    Ok(Some(News::Many(Place::now(conn)?)))
}

fn leave(tx: &mut Tx<'_>, id: WebhookId, news: &News, most: usize) -> Outcome<()> {
    let waiting = notices::waiting(tx.conn, id)?;
    let untried = || waiting.iter().filter(|w| w.is_untried());
    let says_many = untried().any(|w| w.event == Some(Notice::Many));
    let due = tx.now.after(tx.ctx.settings.webhooks.gather);
    let place = match news {
        News::Some(events, place) => {
            let known: HashSet<_> = untried().map(key).collect();
            let is_new = |(notice, of, _): &&(Notice, RecordId, Ts)| {
                !says_many && !known.contains(&(Some(*notice), Some(*of)))
            };
            let new: Vec<_> = events
                .iter()
                .filter(is_new)
                .map(|(notice, of, at)| tx.new_notice(id, *notice, Some(*of), *at, due))
                .collect();
            if waiting.len() + new.len() > most {
                say_many(tx, id, due)?;
            } else {
                for some in new.chunks(100) {
                    letters::insert(tx.conn, some)?;
                }
            }
            place
        }
        News::Many(place) => {
            say_many(tx, id, due)?;
            place
        }
    };
    webhooks::set_place(tx.conn, id, place.clone(), tx.now)?;
    Ok(())
}

fn key(waiting: &Waiting) -> (Option<Notice>, Option<RecordId>) {
    (waiting.event, waiting.event_id)
}

/// One message in the place of all that wait.
fn say_many(tx: &mut Tx<'_>, id: WebhookId, due: Ts) -> Outcome<()> {
    notices::drop_waiting(tx.conn, id, tx.now)?;
    let many = tx.new_notice(id, Notice::Many, None, tx.now, due);
    Ok(letters::insert(tx.conn, &[many])?)
}
