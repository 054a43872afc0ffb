//! Sends the letters that are due.
//!
//! One worker for each lane, with connections of its own: letters to addresses that nobody has confirmed
//! are sent beside the others, never before them, and never keep them waiting.
//!
//! A letter is taken by a lease, which is committed before anything is said to a mail server; what
//! became of it is settled afterward. No transaction is open while talking SMTP. A letter is sent
//! twice only if its outcome is unknown: the process died, or the connection broke after the body.
//!
//! Letters are taken as others end, so that a slow one holds its own connection and nothing else. Whoever
//! does not take letters rests: the mail server, by `server`, or one domain of recipients, by `domains`.
//! Letters keep their own, longer waits; these rests keep a dead server from being knocked at, and a wrong
//! password from being tried, by every letter that waits.
//!
//! Letters whose domain has as many on their way as it may wait here for their turn. When there are so many of these
//! that nothing more would be taken, letters to others are looked for behind them.

mod attempt;
mod breaker;
mod domains;
mod server;
mod shares;
mod take;
mod turned_away;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep};

use super::supervise::BURST;
use super::{Next, Stop, Worker, WorkerError};
use crate::actions::Ctx;
use crate::actions::claim_letters::Claimed;
use crate::actions::return_letters::{put_off_letters, return_letters};
use crate::actions::settle_letter::settle_letter;
use crate::domain::clock::Ts;
use crate::domain::ids::{LeaseId, LetterId};
use crate::domain::letter::Lane;
use crate::mail::transport::Transport;
use crate::storage::letters::LetterState;
use crate::storage::{StorageError, letters};
use attempt::{Done, Unsettled, is_in_time, knock, send_one};
use breaker::Round;
use domains::{Domains, Pass, Turn, Verdict};
use server::{Access, Server, Told};
use shares::connections;

/// How often the letters that wait are counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// How often it looks while letters are on their way, in real time.
const LOOK: Duration = Duration::from_secs(1);

/// Sends letters.
#[derive(Debug)]
pub struct Outbox {
    ctx: Ctx,
    transport: Arc<Transport>,
    lane: Lane,
    stop: Stop,
    commits: watch::Receiver<u64>,
    /// Letters at a time.
    parallel: usize,
    /// Letters taken that are not on their way yet.
    taken: VecDeque<Claimed>,
    running: JoinSet<Done>,
    /// What is under way; without a pass, a look for the mail server.
    begun: HashMap<Id, (Option<Pass>, Round)>,
    /// What became of letters, as far as the database does not know it yet.
    unsettled: Vec<Unsettled>,
    server: Server,
    domains: Domains,
    claimed_at: Instant,
    counted_at: Ts,
}

impl Worker for Outbox {
    async fn tick(&mut self, mut now: Ts) -> Result<Next, WorkerError> {
        loop {
            self.commits.mark_unchanged();
            // What has ended while the database was away is known before anything is taken: it may have been sent.
            while let Some(ended) = self.running.try_join_next_with_id() {
                self.note(ended).await?;
            }
            self.settle_rest().await?;
            self.count(now).await?;
            let next = Box::pin(self.take_and_begin(now)).await?;
            if self.running.is_empty() {
                self.give_back().await?;
                return Ok(next);
            }
            Box::pin(self.wait(next)).await?;
            now = self.ctx.now();
        }
    }
}

impl Outbox {
    /// A worker that sends the letters of `lane` through `transport`.
    #[must_use]
    pub fn new(ctx: Ctx, transport: Arc<Transport>, lane: Lane, stop: Stop) -> Self {
        let count = |number: u32| usize::try_from(number).unwrap_or(1);
        let settings = &ctx.settings.outbox;
        let parallel = connections(lane, count(settings.parallel).min(transport.parallel()));
        Self {
            commits: ctx.db.committed(),
            parallel,
            taken: VecDeque::new(),
            running: JoinSet::new(),
            begun: HashMap::new(),
            unsettled: Vec::new(),
            server: Server::new(),
            domains: Domains::new(count(settings.per_domain), parallel),
            claimed_at: Instant::now(),
            counted_at: Ts::EPOCH,
            ctx,
            transport,
            lane,
            stop,
        }
    }

    /// Begins what may begin, and takes more letters as long as there is a connection for them; gives when
    /// there is more to do, if nothing ends before.
    async fn take_and_begin(&mut self, now: Ts) -> Result<Next, WorkerError> {
        if !self.server.is_doubted() {
            let entropy = &self.ctx.entropy;
            self.domains.note_slow(now, || entropy.fraction());
        }
        loop {
            if self.stop.is_set() {
                self.give_back().await?;
                return Ok(Next::Later);
            }
            self.begin(now).await?;
            let access = self.server.access(now);
            if let Access::Resting(until) = access {
                // Nobody else could send them meanwhile.
                self.give_back().await?;
                return Ok(Next::At(until));
            }
            let Some(wanted) = self.wanted() else {
                return Ok(Next::Now);
            };
            let due = self.next_due(now).await?;
            if due.is_none_or(|at| at > now) {
                return Ok(Next::due(due));
            }
            if access == Access::Knock {
                let task = self.running.spawn(knock(Arc::clone(&self.transport)));
                self.begun.insert(task.id(), (None, self.server.begin()));
                return Ok(Next::Now);
            }
            if self.claim(wanted, now).await? == 0 {
                return Ok(Next::Later);
            }
        }
    }

    /// Begins the letters whose turn it is. Those go back whose domain rests, or whose lease might end before
    /// the attempt does.
    async fn begin(&mut self, now: Ts) -> Result<(), WorkerError> {
        let mut kept = VecDeque::new();
        let (mut late, mut put_off) = (Vec::new(), Vec::new());
        while let Some(claimed) = self.taken.pop_front() {
            let may_begin = matches!(self.server.access(now), Access::Open | Access::OneLetter);
            if self.running.len() >= self.parallel || !may_begin {
                kept.push_back(claimed);
                continue;
            }
            if !is_in_time(&self.ctx, &self.transport, &claimed.letter) {
                late.push(claimed);
                continue;
            }
            let is_urgent = claimed.letter.kind.is_urgent();
            let domain = claimed.to_send.to.domain();
            match self.domains.turn(&domain, is_urgent, now) {
                Turn::Now => self.send(claimed, now),
                Turn::Soon => kept.push_back(claimed),
                Turn::NotBefore(due) => put_off.push((claimed, due)),
            }
        }
        self.taken = kept;
        for (lease, due) in by_lease(put_off) {
            put_off_letters(&self.ctx, due, lease).await?;
        }
        if !late.is_empty() {
            if self.running.is_empty() && self.taken.is_empty() {
                // Taking them again at once would end the same way.
                let round = self.server.begin();
                let jitter = self.ctx.entropy.fraction();
                self.server.letter_ended(round, Told::Absent, now, jitter);
                tracing::warn!(
                    "no letter could be begun before its lease was nearly over; letters wait"
                );
            }
            self.return_all(late).await?;
        }
        Ok(())
    }

    fn send(&mut self, claimed: Claimed, now: Ts) {
        let Some(lease) = claimed.letter.lease_id else {
            return;
        };
        let pass = self.domains.begin(claimed.to_send.to.domain(), now);
        let round = self.server.begin();
        let (ctx, transport) = (self.ctx.clone(), Arc::clone(&self.transport));
        let sending = send_one(ctx, transport, claimed, lease);
        let task = self.running.spawn(sending);
        self.begun.insert(task.id(), (Some(pass), round));
    }

    /// Waits until a letter has ended its way, or it is time to look. Where there is a connection for more, `next`
    /// is not now, and a commit may have brought some.
    async fn wait(&mut self, next: Next) -> Result<(), WorkerError> {
        let Self {
            ctx,
            running,
            commits,
            stop,
            ..
        } = self;
        let look = match next {
            Next::At(at) => at.since(ctx.now()).clamp(BURST, LOOK),
            Next::Now | Next::Later => LOOK,
        };
        let is_stopping = stop.is_set();
        let committed = async {
            // Its end means that the database closes, which the next query tells.
            let _ = commits.changed().await;
            sleep(BURST).await;
        };
        let ended = tokio::select! {
            biased;
            Some(ended) = running.join_next_with_id() => Some(ended),
            () = stop.wait(), if !is_stopping => None,
            () = committed, if next != Next::Now => None,
            () = sleep(look) => None,
        };
        match ended {
            Some(ended) => self.note(ended).await,
            None => Ok(()),
        }
    }

    /// What a letter told of the server and of its domain.
    async fn note(&mut self, ended: Result<(Id, Done), JoinError>) -> Result<(), WorkerError> {
        let (task, done) = match ended {
            Ok((task, done)) => (task, Some(done)),
            Err(error) => {
                // Its lease runs out, and it is sent by somebody else.
                tracing::error!("the sending of a letter panicked");
                (error.id(), None)
            }
        };
        let Some((pass, round)) = self.begun.remove(&task) else {
            return Ok(());
        };
        let (now, jitter) = (self.ctx.now(), self.ctx.entropy.fraction());
        let (told, verdict) = match &done {
            Some(Done::Tried { told, verdict, .. }) => (*told, *verdict),
            Some(Done::Knocked(told)) => (*told, Verdict::Nothing),
            Some(Done::NotBegun(_)) | None => (Told::Nothing, Verdict::Nothing),
        };
        let rest = match pass {
            Some(pass) => {
                self.domains.end(pass, verdict, now, jitter);
                self.server.letter_ended(round, told, now, jitter)
            }
            None => self.server.knock_ended(round, told, now, jitter),
        };
        if let Some(rest) = rest {
            tracing::warn!(
                rest_ms = u64::try_from(rest.as_millis()).unwrap_or(u64::MAX),
                "the mail server is not there; letters wait"
            );
        }
        match done {
            Some(Done::Tried { unsettled, .. }) => {
                self.unsettled.extend(unsettled.map(|unsettled| *unsettled));
                Ok(())
            }
            Some(Done::NotBegun(claimed)) => self.return_all(vec![*claimed]).await,
            Some(Done::Knocked(_)) | None => Ok(()),
        }
    }

    /// Nothing of what was taken is begun any more.
    async fn give_back(&mut self) -> Result<(), WorkerError> {
        let taken = self.taken.drain(..).collect();
        self.return_all(taken).await
    }

    async fn return_all(&self, claimed: Vec<Claimed>) -> Result<(), WorkerError> {
        for (lease, ids) in by_lease(claimed.into_iter().map(|c| (c, ())).collect()) {
            let ids = ids.into_iter().map(|(id, ())| id).collect();
            return_letters(&self.ctx, ids, lease).await?;
        }
        Ok(())
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
        if now >= self.counted_at && now.since(self.counted_at) < COUNT_EVERY {
            return Ok(());
        }
        self.counted_at = now;
        let lane = if self.lane.is_unconfirmed() {
            "unconfirmed"
        } else {
            "confirmed"
        };
        metrics::gauge!("manyhands_mail_domains_resting", "lane" => lane)
            .set(self.domains.how_many_rest(now) as f64);
        if self.lane != Lane::Confirmed {
            return Ok(());
        }
        let count =
            |conn: &mut _| Ok::<_, StorageError>(letters::count(conn, LetterState::Queued)?);
        let waiting = self.ctx.db.read(count).await?;
        metrics::gauge!("manyhands_letters_waiting").set(waiting as f64);
        Ok(())
    }
}

/// Letters with something about each, by the lease they are held under.
fn by_lease<T>(claimed: Vec<(Claimed, T)>) -> HashMap<LeaseId, Vec<(LetterId, T)>> {
    let mut leases: HashMap<LeaseId, Vec<(LetterId, T)>> = HashMap::new();
    for (Claimed { letter, .. }, about) in claimed {
        if let Some(lease) = letter.lease_id {
            leases.entry(lease).or_default().push((letter.id, about));
        }
    }
    leases
}
