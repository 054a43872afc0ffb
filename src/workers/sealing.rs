//! Seals the audit, and tells the log from time to time where its chain ends: somebody who cuts off the
//! end of the chain cannot take back what the log has told.

use std::time::Duration;

use super::{Next, Stop, Worker, WorkerError};
use crate::actions::Ctx;
use crate::actions::seal_audit::{AT_ONCE, seal_audit};
use crate::domain::clock::Ts;
use crate::storage::audit_chain::Link;

/// How often the log is told, while the chain grows.
const TELL_EVERY: Duration = Duration::from_hours(1);

/// Seals what was done.
#[derive(Debug)]
pub struct Sealing {
    ctx: Ctx,
    stop: Stop,
    told: Option<(Ts, i64)>,
}

impl Sealing {
    /// A worker that goes on where the chain ends.
    #[must_use]
    pub fn new(ctx: Ctx, stop: Stop) -> Self {
        Self {
            ctx,
            stop,
            told: None,
        }
    }

    fn tell(&mut self, now: Ts, last: &Link) {
        let is_due = self.told.is_none_or(|(at, number)| {
            number < last.number && (now.since(at) >= TELL_EVERY || now < at)
        });
        if is_due {
            self.told = Some((now, last.number));
            tracing::info!(audit.head = %last.head(), "the audit is sealed up to here");
        }
    }
}

impl Worker for Sealing {
    async fn tick(&mut self, now: Ts) -> Result<Next, WorkerError> {
        let sealed = seal_audit(&self.ctx).await?;
        if let Some(last) = &sealed.last {
            self.tell(now, last);
        }
        Ok(if sealed.links == AT_ONCE && !self.stop.is_set() {
            Next::Now
        } else {
            Next::Later
        })
    }
}
