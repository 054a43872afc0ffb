//! `GET /v1/events`: what changes, as it changes, for coordinators who watch: server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>) out of the change feed.
//!
//! The id of an event is a place in the feed. Nothing behind it is told twice on one stream, and nothing is missed
//! by who comes back with it; where the feed was trimmed meanwhile, `reset` says so. A place is told at the end of
//! what was committed together, so what lies before it may come once more after a broken connection.

use std::convert::Infallible;
use std::fmt::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::ContentEncoding;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, rt, web};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::actions::{Ctx, tokens};
use crate::crypto::token::Token;
use crate::domain::event::{Event, EventType, Subject};
use crate::http::auth::{AsCoordinator, bearer};
use crate::http::openapi::Problems;
use crate::http::problem::Problem;
use crate::http::{EVENT_STREAM, PATIENCE};
use crate::storage::changes::{Change, Pass, Place};
use crate::storage::{Conn, StorageError};

/// Streams of one process at a time.
const STREAMS: usize = 64;
/// Changes read together.
const AT_ONCE: i64 = 500;
/// How often the feed is looked at, because other processes may write too.
const LOOK: Duration = Duration::from_secs(1);
/// Rest after a commit, so that a burst of them is told together.
const BURST: Duration = Duration::from_millis(100);
/// After so long without an event a comment keeps the connection open, and the token is looked at again.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// What places are bound to.
const CONTEXT: &str = "events";

/// The streams that one process may have.
#[derive(Debug)]
pub struct Streams(Arc<Semaphore>);

impl Default for Streams {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(STREAMS)))
    }
}

/// Tells what changes, until the caller goes.
///
/// Each event has the type `request.changed`, `offer.changed`, `match.changed` or `task.changed` and the id of what has
/// changed; read that to see how it stands. Come back with the last id in `Last-Event-ID`, and nothing is missed; an
/// event may come twice. After `reset` read the lists anew: what happened before is not known any more.
#[utoipa::path(get, path = "/v1/events", tag = "coordinator",
    params(("Last-Event-ID" = Option<String>, Header, description = "The id that came last: what happened since is told first")),
    responses((status = 200, description = "The stream", body = Event, content_type = "text/event-stream"), Problems),
    security(("coordinator" = [])))]
pub async fn stream(
    ctx: web::Data<Ctx>,
    streams: web::Data<Streams>,
    stopping: Option<web::Data<watch::Receiver<bool>>>,
    _: AsCoordinator,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let permit = Arc::clone(&streams.0).try_acquire_owned();
    let permit = permit.map_err(|_| too_many())?;
    let asked = match request.headers().get("Last-Event-ID") {
        Some(id) => Some(place_of(&ctx, id.to_str().unwrap_or_default())?),
        None => None,
    };
    let place = match asked {
        Some(place) => place,
        None => end_of_feed(&ctx).await?,
    };
    let (sender, chunks) = mpsc::channel(1);
    let stream = Stream {
        ctx: ctx.get_ref().clone(),
        token: bearer(&request)?,
        sender,
        place,
        _permit: permit,
    };
    let stopping = stopping.map(|s| s.get_ref().clone());
    rt::spawn(async move {
        tokio::select! {
            () = stream.run() => {}
            () = stopped(stopping) => {}
        }
    });
    Ok(HttpResponse::Ok()
        .content_type(EVENT_STREAM)
        // A compressor would wait for more.
        .insert_header(ContentEncoding::Identity)
        .insert_header(("X-Accel-Buffering", "no"))
        .body(Chunks(chunks)))
}

fn too_many() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "too-many-streams",
        "Too many others are watching",
    )
    .retry_after(30)
}

/// Until the process is told to stop; never, where nobody tells.
async fn stopped(stopping: Option<watch::Receiver<bool>>) {
    match stopping {
        Some(mut stopping) => drop(stopping.wait_for(|stopping| *stopping).await),
        None => std::future::pending().await,
    }
}

async fn end_of_feed(ctx: &Ctx) -> Result<Place, StorageError> {
    ctx.db
        .read(|conn| Ok::<_, StorageError>(Place::now(conn)?))
        .await
}

fn place_of(ctx: &Ctx, id: &str) -> Result<Place, Problem> {
    let keys = ctx.vault.keys().map_err(StorageError::from)?;
    keys.opaque.show(CONTEXT, id).ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "last-event-id",
            "This Last-Event-ID is none of this stream's",
        )
        .detail("Begin again without it.")
    })
}

/// The body of the answer: what the stream sends.
struct Chunks(mpsc::Receiver<Bytes>);

impl MessageBody for Chunks {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.0.poll_recv(cx).map(|chunk| chunk.map(Ok))
    }
}

/// One caller who watches.
struct Stream {
    ctx: Ctx,
    token: Token,
    sender: mpsc::Sender<Bytes>,
    place: Place,
    _permit: OwnedSemaphorePermit,
}

/// Why a stream ends: the caller has gone, or may not watch any more, or there is no database. Whoever is still there
/// comes back by itself.
struct Over;

impl From<StorageError> for Over {
    fn from(error: StorageError) -> Self {
        tracing::debug!(error = %error, "a stream of events ends");
        Self
    }
}

impl Stream {
    async fn run(mut self) {
        // Ends when the caller is gone, which is no failure.
        let _: Result<(), Over> = self.tell().await;
    }

    async fn tell(&mut self) -> Result<(), Over> {
        let mut commits = self.ctx.db.committed();
        let beginning = format!("retry: 3000\n{}", self.id()?);
        self.send(beginning).await?;
        let mut told_at = Instant::now();
        loop {
            commits.mark_unchanged();
            if end_of_feed(&self.ctx).await? != self.place {
                self.still_may().await?;
                self.tell_news().await?;
                told_at = Instant::now();
            } else if told_at.elapsed() >= HEARTBEAT {
                self.still_may().await?;
                self.send(":\n\n".to_owned()).await?;
                told_at = Instant::now();
            }
            tokio::select! {
                changed = commits.changed() => {
                    changed.map_err(|_| Over)?;
                    sleep(BURST).await;
                }
                // Others may commit too.
                () = sleep(LOOK) => {}
                () = self.sender.closed() => return Err(Over),
            }
        }
    }

    /// Everything that has become visible since the place, and then the new place.
    async fn tell_news(&mut self) -> Result<(), Over> {
        let mut pass = None;
        loop {
            let place = self.place.clone();
            let begun = pass.take();
            let page = self
                .ctx
                .db
                .read(move |conn| read(conn, &place, begun))
                .await?;
            match page {
                Page::Some(changes, on) => {
                    self.send(frames(&changes)).await?;
                    pass = Some(on);
                }
                Page::End(place) => {
                    if place != self.place {
                        self.place = place;
                        let id = self.id()?;
                        self.send(id).await?;
                    }
                    return Ok(());
                }
                Page::Lost => {
                    self.place = end_of_feed(&self.ctx).await?;
                    let reset = format!("event: reset\ndata: {{}}\n{}", self.id()?);
                    self.send(reset).await?;
                }
            }
        }
    }

    /// Where the stream is, as the last line of a block.
    fn id(&self) -> Result<String, Over> {
        let keys = self.ctx.vault.keys().map_err(|_| Over)?;
        let entropy = self.ctx.entropy.as_ref();
        let id = keys.opaque.hide(entropy, CONTEXT, &self.place);
        Ok(format!("id: {}\n\n", id.ok_or(Over)?))
    }

    async fn still_may(&self) -> Result<(), Over> {
        match tokens::coordinator_of(&self.ctx, &self.token).await? {
            // Whoever is limited meanwhile hears of everything no longer.
            Some(who) if who.part.is_all() => Ok(()),
            Some(_) | None => Err(Over),
        }
    }

    async fn send(&self, text: String) -> Result<(), Over> {
        let sent = timeout(PATIENCE, self.sender.send(Bytes::from(text)));
        sent.await.map_err(|_| Over)?.map_err(|_| Over)
    }
}

/// A page of the feed.
enum Page {
    Some(Vec<Change>, Pass),
    End(Place),
    Lost,
}

fn read(conn: &mut Conn, place: &Place, begun: Option<Pass>) -> Result<Page, StorageError> {
    let mut pass = match begun {
        Some(pass) => pass,
        None => match Pass::begin_anywhere(conn, place)? {
            Ok(pass) => pass,
            Err(_) => return Ok(Page::Lost),
        },
    };
    Ok(match pass.next(conn, AT_ONCE)? {
        Err(_) => Page::Lost,
        Ok(page) if page.is_empty() => Page::End(pass.end()),
        Ok(page) => Page::Some(page, pass),
    })
}

/// The changes as the stream tells them. What changed several times is told once, as it was last.
fn frames(changes: &[Change]) -> String {
    let mut text = String::new();
    for (at, change) in changes.iter().enumerate() {
        let same =
            |later: &Change| (later.entity, later.entity_id) == (change.entity, change.entity_id);
        if changes[at + 1..].iter().any(same) {
            continue;
        }
        let kind = EventType::from(change.entity);
        let event = Event {
            kind,
            timestamp: change.at,
            data: Subject {
                id: change.entity_id,
            },
        };
        // Ids, instants and words: this never fails.
        if let Ok(data) = serde_json::to_string(&event) {
            let _ = write!(text, "event: {kind}\ndata: {data}\n\n");
        }
    }
    text
}
