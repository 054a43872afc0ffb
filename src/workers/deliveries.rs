//! Takes messages out of the outbox to the webhooks.
//!
//! Each webhook has a line of its own: one that answers slowly, or not at all, delays neither another nor any mail. As
//! with letters, a message is taken by a lease that is committed first, and what became of it is settled afterward; a
//! message whose outcome is unknown is sent again, with the same id.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet, spawn_blocking};
use tokio::time::sleep;

use super::supervise::BURST;
use super::{Next, Stop, Worker, WorkerError};
use crate::actions::Ctx;
use crate::actions::claim_events::{ClaimedEvents, claim_events};
use crate::actions::return_letters::return_letters;
use crate::actions::settle_event::{Told, settle_event};
use crate::domain::clock::Ts;
use crate::domain::ids::{LeaseId, WebhookId};
use crate::domain::lease::leaves_time;
use crate::domain::webhook::{self, ToldOf};
use crate::storage::letters::Letter;
use crate::storage::{Conn, StorageError, letters, notices, webhooks};
use crate::webhook::client::{Client, Message, Undelivered};

/// Messages taken together for one webhook.
const BATCH: i64 = 20;
/// Webhooks that are posted to at the same time.
const AT_ONCE: usize = 16;
/// How often it looks while somebody is slow, in real time.
const LOOK: Duration = Duration::from_secs(1);

/// Posts messages.
#[derive(Debug)]
pub struct Deliveries {
    ctx: Ctx,
    client: Arc<Client>,
    stop: Stop,
    commits: watch::Receiver<u64>,
    running: JoinSet<Result<usize, WorkerError>>,
    /// To whom each of those is posting.
    busy: HashMap<Id, WebhookId>,
}

impl Worker for Deliveries {
    async fn tick(&mut self, _: Ts) -> Result<Next, WorkerError> {
        // Those for whom there was nothing after all: another process was quicker.
        let mut idle = HashSet::new();
        loop {
            self.commits.mark_unchanged();
            let due = self.due().await?;
            let now = self.ctx.now();
            for (id, _) in due.iter().filter(|(_, at)| *at <= now) {
                let is_busy = self.busy.values().any(|busy| busy == id);
                if !is_busy && !idle.contains(id) && self.running.len() < AT_ONCE {
                    self.begin(*id);
                }
            }
            if self.running.is_empty() {
                let next = due.into_iter().filter(|(id, _)| !idle.contains(id));
                return Ok(Next::due(next.map(|(_, at)| at).min()));
            }
            tokio::select! {
                Some(ended) = self.running.join_next_with_id() => {
                    if let Some(id) = self.note(ended)? {
                        idle.insert(id);
                    }
                }
                // One look for many commits.
                _ = self.commits.changed() => sleep(BURST).await,
                () = sleep(LOOK) => {}
            }
        }
    }
}

impl Deliveries {
    /// A worker that posts by `client`.
    #[must_use]
    pub fn new(ctx: Ctx, client: Arc<Client>, stop: Stop) -> Self {
        Self {
            commits: ctx.db.committed(),
            ctx,
            client,
            stop,
            running: JoinSet::new(),
            busy: HashMap::new(),
        }
    }

    /// For whom something waits, and when it is due.
    async fn due(&self) -> Result<Vec<(WebhookId, Ts)>, StorageError> {
        if self.stop.is_set() {
            return Ok(Vec::new());
        }
        let read = |conn: &mut Conn| {
            let mut due = Vec::new();
            for (id, rests_until) in webhooks::enabled(conn)? {
                if let Some(at) = notices::next_due(conn, id)? {
                    due.push((id, rests_until.map_or(at, |until| at.max(until))));
                }
            }
            Ok::<_, StorageError>(due)
        };
        self.ctx.db.read(read).await
    }

    fn begin(&mut self, id: WebhookId) {
        let line = Line {
            ctx: self.ctx.clone(),
            client: Arc::clone(&self.client),
            stop: self.stop.clone(),
            id,
        };
        let task = self.running.spawn(line.go());
        self.busy.insert(task.id(), id);
    }

    /// Who is not posted to any more; gives whom nothing waited for.
    fn note(
        &mut self,
        ended: Result<(Id, Result<usize, WorkerError>), JoinError>,
    ) -> Result<Option<WebhookId>, WorkerError> {
        let (task, result) = match ended {
            Ok((task, result)) => (task, result),
            Err(error) => {
                tracing::error!("the posting to a webhook panicked");
                (error.id(), Ok(0))
            }
        };
        let id = self.busy.remove(&task);
        match result {
            Ok(0) => Ok(id),
            Ok(_) => Ok(None),
            Err(error) if error.is_outage() => Err(error),
            Err(error) => {
                tracing::error!(error = %error, "messages to a webhook could not be settled");
                Ok(id)
            }
        }
    }
}

/// What goes to one webhook, one message after the other.
struct Line {
    ctx: Ctx,
    client: Arc<Client>,
    stop: Stop,
    id: WebhookId,
}

impl Line {
    /// Posts what is due, some of it; gives how much was taken. After one that did not arrive the others go back.
    async fn go(self) -> Result<usize, WorkerError> {
        let lease = LeaseId::new(self.ctx.entropy.as_ref());
        let Some(claimed) = claim_events(&self.ctx, self.id, lease, BATCH).await? else {
            return Ok(0);
        };
        let ClaimedEvents { url, keys, letters } = claimed;
        let taken = letters.len();
        let mut waiting = VecDeque::from(letters);
        let mut goes_on = true;
        while let Some(letter) = waiting.pop_front() {
            if !goes_on || !self.may_begin(&letter, lease).await {
                waiting.push_front(letter);
                break;
            }
            let message = Message {
                id: letter.id,
                to: url.clone(),
                keys: keys.clone(),
                body: body(&letter),
            };
            let told = self.post(message).await;
            goes_on = told == Told::Taken;
            settle_event(&self.ctx, self.id, letter, lease, told).await?;
        }
        if !waiting.is_empty() {
            let ids = waiting.iter().map(|letter| letter.id).collect();
            return_letters(&self.ctx, ids, lease).await?;
        }
        Ok(taken)
    }

    /// Not if the service stops, the lease might end before the attempt does, or the message was dropped meanwhile.
    async fn may_begin(&self, letter: &Letter, lease: LeaseId) -> bool {
        let settings = &self.ctx.settings;
        let (lease_lasts, attempt) = (settings.outbox.lease, settings.webhooks.timeout);
        let has_time = leaves_time(letter.lease_until, self.ctx.now(), lease_lasts, attempt);
        if self.stop.is_set() || !has_time {
            return false;
        }
        let id = letter.id;
        let held = move |conn: &mut Conn| Ok::<_, StorageError>(letters::held(conn, &[id], lease)?);
        self.ctx.db.read(held).await.is_ok_and(|held| held == [id])
    }

    async fn post(&self, message: Message) -> Told {
        let (client, now) = (Arc::clone(&self.client), self.ctx.now());
        let posted = spawn_blocking(move || client.post(&message, now)).await;
        match posted.unwrap_or(Err(Undelivered::NotTried)) {
            Ok(()) => Told::Taken,
            Err(why @ Undelivered::Gone) => Told::Gone(why.to_string()),
            Err(why) => Told::Failed(why.to_string()),
        }
    }
}

/// What a message says: the same whenever it is written, for its receiver knows it by its id.
fn body(letter: &Letter) -> Vec<u8> {
    let told = letter.event.map(|kind| webhook::Told {
        kind,
        timestamp: letter.event_at.unwrap_or(letter.created_at),
        data: ToldOf {
            id: letter.event_id,
        },
    });
    // Ids, instants and words: this never fails.
    told.and_then(|told| serde_json::to_vec(&told).ok())
        .unwrap_or_default()
}
