//! Sends the letters that are due.
//!
//! One worker for each lane, with connections of its own: letters to addresses that nobody has confirmed
//! are sent beside the others, never before them, and never keep them waiting.
//!
//! A letter is taken by a lease, which is committed before anything is said to a mail server; what
//! became of it is settled afterward. No transaction is open while talking SMTP. A letter is sent
//! twice only if its outcome is unknown: the process died, or the connection broke after the body.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::{Next, Stop, Worker, WorkerError};
use crate::actions::Ctx;
use crate::actions::claim_letters::{Claimed, claim_letters};
use crate::actions::mail_limits::{Room, room};
use crate::actions::return_letters::return_letters;
use crate::actions::settle_letter::{Attempt, settle_letter};
use crate::domain::clock::Ts;
use crate::domain::ids::LeaseId;
use crate::domain::letter::Lane;
use crate::mail::letter::{LetterToSend, render};
use crate::mail::message::{Message, Subject, UnsubscribeUrl};
use crate::mail::transport::{SendError, Transport, Trouble};
use crate::storage::letters::{Letter, LetterState};
use crate::storage::{StorageError, letters};

/// First rest after the mail server turned out not to be there, doubled with every further time,
const FIRST_REST: Duration = Duration::from_secs(5);
/// up to this long. Letters keep their own, longer waits; this one keeps a dead server from being
/// knocked at, and a wrong password from being tried, by every letter that waits.
const LONGEST_REST: Duration = Duration::from_mins(1);
/// One connection in so many is for the lane of unconfirmed addresses, and one at the least.
const UNCONFIRMED_SHARE: usize = 4;
/// How often the letters that wait are counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);

/// Sends letters.
#[derive(Debug)]
pub struct Outbox {
    ctx: Ctx,
    transport: Arc<Transport>,
    lane: Lane,
    stop: Stop,
    /// What became of letters, as far as the database does not know it yet.
    unsettled: Vec<(Letter, LeaseId, Attempt)>,
    /// Not before this, because the mail server is not there.
    rest_until: Ts,
    /// How often in a row it was not there.
    absences: u32,
    counted_at: Ts,
}

/// What became of one letter.
enum Done {
    /// The mail server was spoken to, or looked for.
    Tried {
        /// Whether it was there at all.
        reached: bool,
        /// The attempt, if the database does not know of it.
        unsettled: Option<Box<(Letter, LeaseId, Attempt)>>,
    },
    /// It may be somebody else's by now.
    NotBegun(Box<Claimed>),
}

impl Worker for Outbox {
    async fn tick(&mut self, now: Ts) -> Result<Next, WorkerError> {
        self.settle_rest().await?;
        self.count(now).await?;
        loop {
            if now < self.rest_until {
                return Ok(Next::At(self.rest_until));
            }
            let due = self.next_due(now).await?;
            if due.is_none_or(|at| at > now) || self.stop.is_set() {
                return Ok(Next::due(due));
            }
            let lease = LeaseId::new(self.ctx.entropy.as_ref());
            let limit = i64::from(self.ctx.settings.outbox.batch);
            let (claimed, taken) = claim_letters(&self.ctx, self.lane, lease, limit).await?;
            if taken == 0 {
                return Ok(Next::Later);
            }
            self.send_all(claimed, lease).await?;
        }
    }
}

impl Outbox {
    /// A worker that sends the letters of `lane` through `transport`.
    #[must_use]
    pub fn new(ctx: Ctx, transport: Arc<Transport>, lane: Lane, stop: Stop) -> Self {
        Self {
            ctx,
            transport,
            lane,
            stop,
            unsettled: Vec::new(),
            rest_until: Ts::EPOCH,
            absences: 0,
            counted_at: Ts::EPOCH,
        }
    }

    /// When the next letter is due and the budget lets it go. What the budget keeps is not claimed at
    /// all, since a claim is a commit, and a commit would wake this worker again.
    async fn next_due(&self, now: Ts) -> Result<Option<Ts>, StorageError> {
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

    /// Sends letters, some at a time. Those that cannot be begun any more go back: the service stops,
    /// the mail server is not there, or the lease might end before the attempt does.
    async fn send_all(&mut self, claimed: Vec<Claimed>, lease: LeaseId) -> Result<(), WorkerError> {
        let parallel = self.parallel();
        // As the letters say, and not from now on: this process may have been paused since it took them.
        let lease_until = claimed.iter().filter_map(|c| c.letter.lease_until).min();
        let last_start = lease_until
            .unwrap_or(Ts::EPOCH)
            .before(self.transport.longest_send());
        let mut waiting = VecDeque::from(claimed);
        let mut running = JoinSet::new();
        let mut not_begun = Vec::new();
        let mut unreached = 0;
        let all = waiting.len();
        loop {
            // After one that did not reach the server, those that run are waited for: only if none of
            // them does either, the server is not there.
            let may_begin = || !self.stop.is_set() && unreached == 0 && self.ctx.now() < last_start;
            while running.len() < parallel && may_begin() {
                let Some(claimed) = waiting.pop_front() else {
                    break;
                };
                let (ctx, transport) = (self.ctx.clone(), Arc::clone(&self.transport));
                running.spawn(send_one(ctx, transport, claimed, lease, last_start));
            }
            match running.join_next().await {
                None => break,
                Some(Ok(Done::Tried { reached, unsettled })) => {
                    unreached = if reached { 0 } else { unreached + 1 };
                    self.unsettled.extend(unsettled.map(|unsettled| *unsettled));
                }
                Some(Ok(Done::NotBegun(claimed))) => not_begun.push(*claimed),
                // Its lease runs out, and it is sent by somebody else.
                Some(Err(_)) => tracing::error!("the sending of a letter panicked"),
            }
        }
        self.note_reach(unreached > 0 && !waiting.is_empty());
        waiting.extend(not_begun);
        if all > 0 && waiting.len() == all && !self.stop.is_set() {
            // Taking them again at once would end the same way.
            self.rest_until = self.ctx.now().after(FIRST_REST);
            tracing::warn!(
                "no letter could be begun before its lease was nearly over; letters wait"
            );
        }
        if !waiting.is_empty() {
            let ids = waiting.iter().map(|c| c.letter.id).collect();
            return_letters(&self.ctx, ids, lease).await?;
        }
        self.settle_rest().await
    }

    fn parallel(&self) -> usize {
        let wanted = usize::try_from(self.ctx.settings.outbox.parallel).unwrap_or(1);
        connections(self.lane, wanted.min(self.transport.parallel()))
    }

    fn note_reach(&mut self, is_absent: bool) {
        if !is_absent {
            self.absences = 0;
            return;
        }
        let rest = FIRST_REST
            .saturating_mul(1 << self.absences.min(10))
            .min(LONGEST_REST);
        self.absences += 1;
        self.rest_until = self.ctx.now().after(rest);
        tracing::warn!(
            rest_ms = u64::try_from(rest.as_millis()).unwrap_or(u64::MAX),
            "the mail server is not there; letters wait"
        );
    }

    /// Settles what could not be settled before. As long as that fails no letter is taken: what was
    /// sent must not be sent again.
    async fn settle_rest(&mut self) -> Result<(), WorkerError> {
        while let Some((letter, lease, attempt)) = self.unsettled.last().cloned() {
            let id = letter.id;
            match settle_letter(&self.ctx, letter, lease, attempt)
                .await
                .map_err(WorkerError::from)
            {
                Err(error) if error.is_outage() => return Err(error),
                // Trying again would not help; the lease runs out, and the letter is taken again.
                Err(error) => {
                    tracing::error!(letter.id = %id, error = %error, "a letter could not be settled");
                }
                Ok(()) => {}
            }
            self.unsettled.pop();
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    async fn count(&mut self, now: Ts) -> Result<(), StorageError> {
        if self.lane != Lane::Confirmed {
            return Ok(());
        }
        if now >= self.counted_at && now.since(self.counted_at) < COUNT_EVERY {
            return Ok(());
        }
        self.counted_at = now;
        let count =
            |conn: &mut _| Ok::<_, StorageError>(letters::count(conn, LetterState::Queued)?);
        let waiting = self.ctx.db.read(count).await?;
        metrics::gauge!("manyhands_letters_waiting").set(waiting as f64);
        Ok(())
    }
}

/// What a lane may use of so many connections.
fn connections(lane: Lane, all: usize) -> usize {
    let unconfirmed = (all / UNCONFIRMED_SHARE).max(1);
    match lane {
        Lane::Confirmed => all.saturating_sub(unconfirmed).max(1),
        Lane::Unconfirmed => unconfirmed,
    }
}

/// Sends one letter and settles it, unless it is too late to begin, or the database does not say that it is
/// still ours.
async fn send_one(
    ctx: Ctx,
    transport: Arc<Transport>,
    claimed: Claimed,
    lease: LeaseId,
    last_start: Ts,
) -> Done {
    let id = claimed.letter.id;
    let held = move |conn: &mut _| Ok::<_, StorageError>(letters::held(conn, &[id], lease)?);
    let is_held = ctx.db.read(held).await.is_ok_and(|held| held == [id]);
    if !is_held || ctx.now() >= last_start {
        return Done::NotBegun(Box::new(claimed));
    }
    let Claimed { letter, to_send } = claimed;
    let sent = match message(&to_send, ctx.settings.server.public_url.as_str()) {
        Some(message) => transport.send(&message, ctx.now()).await.map(|_| ()),
        None => Err(SendError::Unwritable(crate::mail::message::Unwritable(
            "its text",
        ))),
    };
    let reached = !matches!(&sent, Err(error) if is_absence(error));
    let attempt = match sent {
        Ok(()) => Attempt::Sent,
        Err(error) => attempt(&error),
    };
    let settled = settle_letter(&ctx, letter.clone(), lease, attempt.clone()).await;
    Done::Tried {
        reached,
        unsettled: settled.is_err().then(|| Box::new((letter, lease, attempt))),
    }
}

/// `None` for a letter that its templates or its link do not allow to be written.
fn message(to_send: &LetterToSend, public_url: &str) -> Option<Message> {
    let rendered = render(to_send, public_url).ok()?;
    let unsubscribe = match &rendered.unsubscribe_url {
        Some(url) => Some(UnsubscribeUrl::parse(url).ok()?),
        None => None,
    };
    Some(Message {
        id: to_send.id,
        to: to_send.to.clone(),
        subject: Subject::new(rendered.subject),
        text: rendered.text,
        html: rendered.html,
        unsubscribe,
    })
}

/// Whether the next letter would fare no better.
fn is_absence(error: &SendError) -> bool {
    use Trouble::{Closed, Connect, File, Login, TimedOut, Tls};
    matches!(
        error,
        SendError::Temporary {
            kind: Connect | Tls | Login | File | Closed | TimedOut,
            outcome_unknown: false,
            ..
        }
    )
}

fn attempt(error: &SendError) -> Attempt {
    let mut why = error.kind().to_owned();
    if let Some(code) = error.code() {
        why = format!("{why} {code}");
    }
    if error.outcome_unknown() {
        why = format!("{why}, outcome unknown");
    }
    if error.is_permanent() {
        Attempt::Refused(why)
    } else {
        Attempt::Failed(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_never_have_all_connections_unless_there_is_one_only() {
        let shares = |all| Lane::ALL.map(|lane| connections(lane, all));
        assert_eq!(shares(1), [1, 1]);
        assert_eq!(shares(2), [1, 1]);
        assert_eq!(shares(4), [3, 1]);
        assert_eq!(shares(16), [12, 4]);
    }
}
