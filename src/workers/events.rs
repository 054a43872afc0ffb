//! Follows the change feed for every webhook, and leaves in the outbox what each is to be told.

use super::{Next, Stop, Worker, WorkerError};
use crate::actions::Ctx;
use crate::actions::queue_events::queue_events;
use crate::domain::clock::Ts;
use crate::storage::{StorageError, webhooks};

/// Queues what webhooks are told. It remembers nothing: how far it has come stands with each webhook.
#[derive(Debug)]
pub struct Events {
    ctx: Ctx,
    stop: Stop,
}

impl Events {
    /// A worker over the database of `ctx`.
    #[must_use]
    pub fn new(ctx: Ctx, stop: Stop) -> Self {
        Self { ctx, stop }
    }
}

impl Worker for Events {
    async fn tick(&mut self, _: Ts) -> Result<Next, WorkerError> {
        let read = |conn: &mut _| Ok::<_, StorageError>(webhooks::enabled(conn)?);
        for (id, _) in self.ctx.db.read(read).await? {
            if self.stop.is_set() {
                break;
            }
            queue_events(&self.ctx, id).await?;
        }
        Ok(Next::Later)
    }
}
