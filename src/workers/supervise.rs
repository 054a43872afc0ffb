//! Keeps one worker at work for the life of the service.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::clocks::ClockWatch;
use super::{Next, Stop, Worker, WorkerError};
use crate::crypto::vault::Vault;
use crate::domain::clock::{Clock, Ts};
use crate::domain::entropy::Entropy;

/// Wait after the first failure; doubled with every further one,
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// up to this long.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// up to this long where it is a server that is away: it is to be used as soon as it is back, and to ask for it
/// costs nothing.
const LONGEST_WAIT_FOR_SERVER: Duration = Duration::from_secs(4);
/// Rest between a commit and the tick that it causes, so that a burst of commits causes few.
pub(super) const BURST: Duration = Duration::from_millis(20);

/// Who keeps a worker at work.
#[derive(Clone, Debug)]
pub(super) struct Supervisor {
    /// The worker's name in logs and metrics.
    pub name: &'static str,
    /// The longest rest, in real time. It also bounds how late a worker is when the clock that was
    /// passed in runs faster than the real one.
    pub look: Duration,
    /// Wakes it, if there are any.
    pub commits: Option<watch::Receiver<u64>>,
    /// What its ticks are told.
    pub clock: Arc<dyn Clock>,
    /// For jitter.
    pub entropy: Arc<dyn Entropy>,
    /// When it ends.
    pub stop: Stop,
    /// Whether the database is a server's.
    pub on_server: bool,
    /// It rests while there are no keys in there.
    pub vault: Option<Arc<Vault>>,
    /// It rests while these differ.
    pub clocks: Option<Arc<ClockWatch>>,
}

impl Supervisor {
    /// Runs the worker that `make` makes until the stop. One that panics is made anew.
    pub async fn keep<W: Worker>(mut self, make: impl Fn() -> W + Send + 'static) {
        let mut panics = 0;
        // A set of one: dropping it cuts the worker off.
        let mut running = JoinSet::new();
        loop {
            running.spawn(self.clone().run(make()));
            match running.join_next().await {
                Some(Err(error)) if error.is_panic() => panics += 1,
                _ => return,
            }
            let wait = backoff(panics, self.entropy.fraction());
            self.count("panicked");
            tracing::error!(
                worker = self.name,
                wait_ms = millis(wait),
                "a worker panicked and is made anew"
            );
            tokio::select! {
                () = self.stop.wait() => return,
                () = sleep(wait) => {}
            }
        }
    }

    async fn run<W: Worker>(mut self, mut worker: W) {
        let mut failures = 0;
        while !self.stop.is_set() {
            // What is committed from here on causes another tick.
            if let Some(commits) = &mut self.commits {
                commits.mark_unchanged();
            }
            if self.must_rest() {
                tokio::select! {
                    () = self.stop.wait() => return,
                    () = sleep(self.look) => continue,
                }
            }
            let result = worker.tick(self.clock.now()).await;
            let rest = match &result {
                Ok(next) => {
                    failures = 0;
                    self.count("done");
                    rest(*next, self.clock.now(), self.look)
                }
                Err(error) => {
                    failures += 1;
                    let mut wait = backoff(failures, self.entropy.fraction());
                    if error.is_outage() && self.on_server {
                        let longest = LONGEST_WAIT_FOR_SERVER;
                        wait = wait.min(longest.mul_f64(0.5 + 0.5 * self.entropy.fraction()));
                    }
                    self.report(error, failures, wait);
                    wait
                }
            };
            // A worker that fails is left alone until it tries again.
            let waking = self.commits.as_mut().filter(|_| result.is_ok());
            tokio::select! {
                () = self.stop.wait() => return,
                () = sleep(rest) => {}
                () = committed(waking) => sleep(BURST).await,
            }
        }
    }

    fn must_rest(&self) -> bool {
        let is_locked = |vault: &Arc<Vault>| vault.keys().is_err();
        self.vault.as_ref().is_some_and(is_locked)
            || self.clocks.as_ref().is_some_and(|clocks| clocks.differs())
    }

    fn report(&self, error: &WorkerError, failures: u32, wait: Duration) {
        self.count("failed");
        if error.is_outage() {
            // The storage tells of an outage, and not once for every worker.
            tracing::debug!(worker = self.name, error = %error, failures, wait_ms = millis(wait), "a worker waits for the database");
            return;
        }
        tracing::error!(
            worker = self.name,
            error = %error,
            failures,
            wait_ms = millis(wait),
            "a worker failed and tries again"
        );
    }

    fn count(&self, outcome: &'static str) {
        metrics::counter!("manyhands_worker_ticks_total", "worker" => self.name, "outcome" => outcome).increment(1);
    }
}

/// Waits for a commit; for ever where there will be none.
async fn committed(commits: Option<&mut watch::Receiver<u64>>) {
    if let Some(commits) = commits
        && commits.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

fn rest(next: Next, now: Ts, look: Duration) -> Duration {
    match next {
        Next::Now => Duration::ZERO,
        // Never at once: what is due and cannot be done would keep the worker spinning.
        Next::At(due) => due.since(now).clamp(BURST, look),
        Next::Later => look,
    }
}

/// Doubles from failure to failure up to a limit; the jitter (0 to 1) spreads it over the second half.
fn backoff(failures: u32, jitter: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(10);
    let full = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    full.mul_f64(0.5 + 0.5 * jitter)
}

fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::domain::clock::ManualClock;
    use crate::domain::entropy::SeededEntropy;
    use crate::storage::StorageError;

    /// What its ticks do, one after the other; then nothing more.
    #[derive(Clone, Debug)]
    struct Scripted {
        ticks: Arc<AtomicU32>,
        script: &'static [Step],
        done: watch::Sender<u32>,
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Rest,
        Fail,
        Panic,
    }

    impl Worker for Scripted {
        async fn tick(&mut self, _: Ts) -> Result<Next, WorkerError> {
            let tick = self.ticks.fetch_add(1, Ordering::SeqCst);
            self.done.send_replace(tick + 1);
            match self.script.get(tick as usize) {
                Some(Step::Panic) => panic!("as the script says"),
                Some(Step::Fail) => Err(StorageError::Unavailable("as the script says").into()),
                Some(Step::Rest) | None => Ok(Next::Later),
            }
        }
    }

    struct Stage {
        worker: Scripted,
        commits: watch::Sender<u64>,
        clocks: Arc<ClockWatch>,
        stop: watch::Sender<bool>,
        kept: JoinSet<()>,
    }

    /// A worker that plays `script`, looked after.
    fn play(script: &'static [Step]) -> Stage {
        let worker = Scripted {
            ticks: Arc::default(),
            script,
            done: watch::Sender::new(0),
        };
        let (commits, committed) = watch::channel(0);
        let (stop, stopped) = watch::channel(false);
        let clocks = Arc::default();
        let supervisor = Supervisor {
            name: "scripted",
            look: Duration::from_secs(1),
            commits: Some(committed),
            clock: Arc::new(ManualClock::at(Ts::EPOCH)),
            entropy: Arc::new(SeededEntropy::new(1)),
            stop: Stop::new(stopped),
            on_server: false,
            vault: None,
            clocks: Some(Arc::clone(&clocks)),
        };
        let mut kept = JoinSet::new();
        let made = worker.clone();
        kept.spawn(supervisor.keep(move || made.clone()));
        Stage {
            worker,
            commits,
            clocks,
            stop,
            kept,
        }
    }

    impl Stage {
        async fn ticked(&self, times: u32) {
            let mut done = self.worker.done.subscribe();
            done.wait_for(|ticks| *ticks >= times).await.unwrap();
        }
    }

    // Time stands still in these tests, and leaps when everything waits for it.

    #[tokio::test(start_paused = true)]
    async fn a_worker_goes_on_after_failures_and_panics_and_ends_with_the_stop() {
        let mut stage = play(&[Step::Fail, Step::Panic, Step::Panic, Step::Rest]);
        stage.ticked(6).await;
        stage.stop.send_replace(true);
        assert!(stage.kept.join_next().await.unwrap().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_commit_wakes_a_worker_early_but_not_a_failing_one() {
        let stage = play(&[Step::Rest, Step::Rest, Step::Fail]);
        let started = tokio::time::Instant::now();
        stage.ticked(1).await;
        stage.commits.send_modify(|c| *c += 1);
        stage.ticked(2).await;
        assert_eq!(started.elapsed(), BURST);
        stage.commits.send_modify(|c| *c += 1);
        stage.ticked(3).await;
        assert_eq!(started.elapsed(), BURST * 2);
        stage.commits.send_modify(|c| *c += 1);
        stage.ticked(4).await;
        assert!(started.elapsed() > FIRST_WAIT / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_database_that_closes_does_not_make_a_worker_spin() {
        let mut stage = play(&[]);
        stage.ticked(1).await;
        stage.commits = watch::Sender::new(0);
        let started = tokio::time::Instant::now();
        stage.ticked(4).await;
        assert_eq!(started.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_rests_while_the_clocks_differ() {
        let stage = play(&[]);
        stage.ticked(1).await;
        stage.clocks.set(true);
        stage.commits.send_modify(|c| *c += 1);
        sleep(Duration::from_mins(5)).await;
        assert_eq!(*stage.worker.done.borrow(), 1);
        stage.clocks.set(false);
        stage.ticked(2).await;
    }

    #[test]
    fn the_wait_doubles_up_to_a_limit_and_spreads() {
        assert_eq!(backoff(1, 1.0), FIRST_WAIT);
        assert_eq!(backoff(1, 0.0), FIRST_WAIT / 2);
        assert_eq!(backoff(4, 1.0), FIRST_WAIT * 8);
        assert_eq!(backoff(u32::MAX, 1.0), LONGEST_WAIT);
    }

    #[test]
    fn the_rest_is_never_longer_than_a_look() {
        let look = Duration::from_secs(1);
        let in_ms = |ms| Next::At(Ts::EPOCH.after(Duration::from_millis(ms)));
        assert_eq!(rest(Next::Now, Ts::EPOCH, look), Duration::ZERO);
        assert_eq!(rest(Next::Later, Ts::EPOCH, look), look);
        assert_eq!(
            rest(in_ms(300), Ts::EPOCH, look),
            Duration::from_millis(300)
        );
        assert_eq!(rest(in_ms(9_000), Ts::EPOCH, look), look);
        assert_eq!(
            rest(Next::At(Ts::EPOCH), Ts::EPOCH.after(look), look),
            BURST
        );
    }
}
