//! Which letters are taken next: as many as there is room for, past the domains that rest; and when all that were taken
//! wait for others to their domains while a connection is free, others behind these.

use tokio::time::Instant;

use super::{LOOK, Outbox};
use crate::actions::claim_letters::claim_letters_past;
use crate::actions::mail_limits::{Room, room};
use crate::domain::clock::Ts;
use crate::domain::ids::LeaseId;
use crate::storage::{StorageError, letters};
use crate::workers::WorkerError;

/// How many letters are looked at each time that others are looked for behind those which wait for their domain.
const LOOK_BEHIND: i64 = 200;

/// What to take.
pub(super) struct Wanted {
    /// At most so many.
    limit: i64,
    /// Whether past the domains that have as many letters on their way as they may.
    behind: bool,
}

impl Outbox {
    /// What to take, if there is a connection for it.
    pub(super) fn wanted(&self) -> Option<Wanted> {
        if self.running.len() >= self.parallel {
            return None;
        }
        // One at a time, as long as it is not known whether the server is there.
        if self.server.is_doubted() {
            let one = Wanted {
                limit: 1,
                behind: false,
            };
            return self.running.is_empty().then_some(one);
        }
        let batch = i64::from(self.ctx.settings.outbox.batch);
        let taken = i64::try_from(self.taken.len()).unwrap_or(batch);
        if taken <= batch / 2 {
            return Some(Wanted {
                limit: (batch - taken).max(1),
                behind: false,
            });
        }
        // There is a connection, and none of these may use it. If they are gone soon it is not worth the trouble.
        (self.claimed_at.elapsed() >= LOOK).then_some(Wanted {
            limit: LOOK_BEHIND,
            behind: true,
        })
    }

    /// When the next letter is due and the budget lets it go. What the budget keeps is not claimed at
    /// all, since a claim is a commit, and a commit would wake this worker again.
    pub(super) async fn next_due(&self, now: Ts) -> Result<Option<Ts>, StorageError> {
        let (ctx, lane) = (self.ctx.clone(), self.lane);
        self.ctx
            .db
            .read(move |conn| {
                let due = letters::next_due(conn, lane)?;
                Ok(match room(&ctx, conn, lane, now)? {
                    Room::For(_) => due,
                    Room::From(at) => due.map(|due| due.max(at)),
                })
            })
            .await
    }

    /// Takes due letters past the domains that rest; gives how many it looked at.
    pub(super) async fn claim(&mut self, wanted: Wanted, now: Ts) -> Result<usize, WorkerError> {
        let Wanted { limit, behind } = wanted;
        let lease = LeaseId::new(self.ctx.entropy.as_ref());
        let rests = match behind {
            true => {
                let taken = self.taken.iter().map(|claimed| claimed.to_send.to.domain());
                self.domains.rests_and_busy(taken, now)
            }
            false => self.domains.rests(now),
        };
        self.claimed_at = Instant::now();
        let claim = claim_letters_past(&self.ctx, self.lane, lease, limit, rests).await?;
        self.domains.keep_lines(claim.rests, now);
        self.taken.extend(claim.letters);
        Ok(claim.taken)
    }
}
