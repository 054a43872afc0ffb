//! How often one may read, post and guess: GCRA, in memory only.
//!
//! A source is known by a keyed hash of its network, under a random salt that is renewed every day and
//! with which everything counted so far is forgotten. The hash is cut so short that there is a bound on
//! what a flood from millions of addresses can occupy; who shares a count with somebody else by chance
//! cannot be chosen by anyone, since nobody knows the salt. Contacts are counted the same way, by
//! calls alone: whether an address is known makes no difference.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix_web::http::StatusCode;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::problem::Problem;
use super::source::Source;
use crate::actions::Ctx;
use crate::crypto::lookup::KeyedHash;
use crate::domain::clock::{Clock, Ts};
use crate::domain::contact::Contact;
use crate::domain::entropy::Entropy;
use crate::settings::limits::{LimitSettings, LimitsMode, Rate};
use crate::settings::server::Network;
use crate::telemetry::metrics::LIMITED;

/// How long a salt lives, and with it what was counted.
const DAY: Duration = Duration::from_hours(24);
/// How often what counts no more is forgotten.
const FORGET_EVERY: Duration = Duration::from_mins(1);
/// How far a clock may go back before all counts begin anew: they would last that much longer.
const BACKWARD: Duration = Duration::from_mins(1);
/// Counts of sources in each class, as a power of two: about 8 MB at the most.
const SOURCES: u32 = 18;
/// Counts of contacts.
const CONTACTS: u32 = 20;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Looking at what is public.
    Read,
    /// Posting without a token.
    Post,
    /// A token that opens nothing.
    Guess,
}

/// It was too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooOften {
    /// Seconds after which to try again.
    pub wait_s: u32,
}

/// The limits of this process. Shared by all threads that answer.
pub struct Limits {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: LimitSettings,
    trusted: Vec<Network>,
    today: RwLock<Option<Arc<Day>>>,
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Limits")
    }
}

impl Limits {
    /// Limits as the settings say, with nothing counted yet.
    #[must_use]
    pub fn new(ctx: &Ctx) -> Self {
        Self {
            clock: Arc::clone(&ctx.clock),
            entropy: Arc::clone(&ctx.entropy),
            settings: ctx.settings.limits.clone(),
            trusted: ctx.settings.server.trusted_proxies.clone(),
            today: RwLock::default(),
        }
    }

    /// Whether anything is limited.
    #[must_use]
    pub fn are_on(&self) -> bool {
        self.settings.mode == LimitsMode::On
    }

    /// Whose forwarding headers are believed.
    #[must_use]
    pub fn trusted(&self) -> &[Network] {
        &self.trusted
    }

    /// Counts a call of a source.
    ///
    /// # Errors
    /// It is over the limit of its class; then it does not count.
    pub fn source(&self, class: Class, source: Source) -> Result<(), TooOften> {
        if !self.are_on() {
            return Ok(());
        }
        let day = self.today();
        let (limiter, word) = match class {
            Class::Read => (&day.read, "read"),
            Class::Post => (&day.post, "post"),
            Class::Guess => (&day.guess, "guess"),
        };
        limiter.check(&day.salt, &source.network(), word)
    }

    /// Counts a post under each way of reaching its person by which she may be known again.
    ///
    /// # Errors
    /// It is over the limit.
    pub fn contact(&self, ctx: &Ctx, contact: &Contact) -> Result<(), TooOften> {
        if !self.are_on() {
            return Ok(());
        }
        // Without keys nothing can be posted anyhow.
        let Ok(keys) = ctx.vault.keys() else {
            return Ok(());
        };
        let hasher = &keys.hasher;
        let email = contact.email.as_ref().map(|e| hasher.email(e));
        let phone = contact.phone.as_ref().map(|p| hasher.phone(p));
        let day = self.today();
        email
            .iter()
            .chain(&phone)
            .map(KeyedHash::as_bytes)
            .try_for_each(|hash| day.contact.check(&day.salt, hash, "contact"))
    }

    /// The counts of today, begun anew when their day is over or the clock has gone back.
    fn today(&self) -> Arc<Day> {
        let now = self.clock.now();
        let read = self.today.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(day) = read.as_ref().filter(|day| day.is(now)) {
            return Arc::clone(day);
        }
        drop(read);
        let mut write = self.today.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(day) = write.as_ref().filter(|day| day.is(now)) {
            return Arc::clone(day);
        }
        let day = Arc::new(Day::new(self, now));
        *write = Some(Arc::clone(&day));
        day
    }
}

/// What is counted under one salt.
struct Day {
    salt: [u8; 32],
    began: Ts,
    /// The latest instant at which it was asked, in microseconds.
    latest: AtomicI64,
    read: Limiter,
    post: Limiter,
    guess: Limiter,
    contact: Limiter,
}

impl Day {
    fn new(limits: &Limits, now: Ts) -> Self {
        let LimitSettings {
            reads,
            posts,
            guesses,
            contacts,
            ..
        } = &limits.settings;
        let of = |rate: Rate, bits| Limiter::new(rate, bits, &limits.clock, now);
        Self {
            salt: limits.entropy.bytes(),
            began: now,
            latest: AtomicI64::new(now.as_micros()),
            read: of(*reads, SOURCES),
            post: of(*posts, SOURCES),
            guess: of(*guesses, SOURCES),
            contact: of(*contacts, CONTACTS),
        }
    }

    fn is(&self, now: Ts) -> bool {
        let latest = self.latest.fetch_max(now.as_micros(), Ordering::Relaxed);
        now.since(self.began) < DAY && now >= Ts::from_micros(latest).before(BACKWARD)
    }
}

/// One GCRA for each key.
struct Limiter {
    cells: RateLimiter<u32, DashMapStateStore<u32>, Beat, NoOpMiddleware<Duration>>,
    bits: u32,
    forgot_at: AtomicI64,
}

impl Limiter {
    fn new(rate: Rate, bits: u32, clock: &Arc<dyn Clock>, now: Ts) -> Self {
        let least_one = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_hour(least_one(rate.per_hour)).allow_burst(least_one(rate.burst));
        Self {
            cells: RateLimiter::dashmap_with_clock(quota, Beat(Arc::clone(clock))),
            bits,
            forgot_at: AtomicI64::new(now.as_micros()),
        }
    }

    fn check(&self, salt: &[u8; 32], who: &[u8], class: &'static str) -> Result<(), TooOften> {
        self.forget();
        let hash = blake3::keyed_hash(salt, who);
        let [a, b, c, d, ..] = *hash.as_bytes();
        let key = u32::from_le_bytes([a, b, c, d]) >> (u32::BITS - self.bits);
        self.cells.check_key(&key).map_err(|until| {
            metrics::counter!(LIMITED, "class" => class).increment(1);
            let wait = until.wait_time_from(self.cells.clock().now());
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            TooOften {
                wait_s: u32::try_from(seconds).unwrap_or(u32::MAX).max(1),
            }
        })
    }

    /// Forgets, now and then, whoever could begin anew anyway.
    fn forget(&self) {
        let now = Ts::from_micros(i64::try_from(self.cells.clock().now().as_micros()).unwrap_or(0));
        let last = self.forgot_at.load(Ordering::Relaxed);
        let is_due = now.since(Ts::from_micros(last)) >= FORGET_EVERY;
        let (old, new) = (last, now.as_micros());
        let relaxed = Ordering::Relaxed;
        // One of the threads does it.
        if is_due
            && self
                .forgot_at
                .compare_exchange(old, new, relaxed, relaxed)
                .is_ok()
        {
            self.cells.retain_recent();
        }
    }
}

/// The domain's clock as the limiter reads it: the time since 1970.
#[derive(Debug)]
struct Beat(Arc<dyn Clock>);

impl governor::clock::Clock for Beat {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.now().as_micros()).unwrap_or(0))
    }
}

impl From<TooOften> for Problem {
    fn from(TooOften { wait_s }: TooOften) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-often",
            "Too much came in a short time",
        )
        .detail(
            "It came from where you are, or with this contact; many may share both. Nothing was changed. \
             Try again after the seconds in Retry-After.",
        )
        .retry_after(wait_s)
    }
}

#[cfg(test)]
mod tests;
