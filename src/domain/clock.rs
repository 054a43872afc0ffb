//! Instants, and the clock that is passed in wherever the time is needed.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Serialize};

/// An instant in UTC, cut to microseconds so that every database gives back what was written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Ts(jiff::Timestamp);

impl Ts {
    /// 1970-01-01T00:00:00Z, the period of an offer that never renews.
    pub const EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);
    /// The last instant there is, at the end of the year 9999.
    pub const LAST: Self = Self(jiff::Timestamp::MAX);

    /// The instant that many microseconds after 1970; clamped to the years -9999 to 9999.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(
            jiff::Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 {
                jiff::Timestamp::MIN
            } else {
                jiff::Timestamp::MAX
            }),
        )
    }

    /// Microseconds since 1970.
    #[must_use]
    pub fn as_micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub fn as_secs(self) -> i64 {
        self.0.as_second()
    }

    /// The same instant as the time library's type, for calendar arithmetic.
    #[must_use]
    pub fn to_jiff(self) -> jiff::Timestamp {
        self.0
    }

    /// Later by `d`; stops at the end of time instead of overflowing.
    #[must_use]
    pub fn after(self, d: Duration) -> Self {
        Self(
            jiff::SignedDuration::try_from(d)
                .ok()
                .and_then(|d| self.0.checked_add(d).ok())
                .unwrap_or(jiff::Timestamp::MAX),
        )
    }

    /// Earlier by `d`; stops at the start of time instead of overflowing.
    #[must_use]
    pub fn before(self, d: Duration) -> Self {
        Self(
            jiff::SignedDuration::try_from(d)
                .ok()
                .and_then(|d| self.0.checked_sub(d).ok())
                .unwrap_or(jiff::Timestamp::MIN),
        )
    }

    /// How long from `earlier` to here; zero where `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0.duration_since(earlier.0)).unwrap_or(Duration::ZERO)
    }
}

impl From<jiff::Timestamp> for Ts {
    fn from(t: jiff::Timestamp) -> Self {
        Self::from_micros(t.as_microsecond())
    }
}

impl<'de> Deserialize<'de> for Ts {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        // The parser's own message repeats what was sent.
        let expected = "an instant such as 2026-12-01T18:00:00Z";
        let unexpected = Unexpected::Other("another text");
        text.parse::<jiff::Timestamp>()
            .map(Self::from)
            .map_err(|_| D::Error::invalid_value(unexpected, &expected))
    }
}

impl Ts {
    /// The first instant that is not before this one and a whole number of `step`s after the epoch.
    #[must_use]
    pub fn rounded_up(self, step: Duration) -> Self {
        let step = i64::try_from(step.as_micros()).unwrap_or(i64::MAX).max(1);
        let beyond = self.as_micros().rem_euclid(step);
        if beyond == 0 {
            self
        } else {
            Self::from_micros(self.as_micros().saturating_add(step - beyond))
        }
    }
}

impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where the time comes from. Passed in, never ambient, so that tests and simulations own it.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present instant.
    fn now(&self) -> Ts;
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the ambient clock"
    )]
    fn now(&self) -> Ts {
        jiff::Timestamp::now().into()
    }
}

/// A clock that stands still until it is moved: for tests and for virtual time.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn at(start: Ts) -> Self {
        Self(AtomicI64::new(start.as_micros()))
    }

    /// Moves the clock forward.
    pub fn advance(&self, d: Duration) {
        self.set(self.now().after(d));
    }

    /// Shows another instant, also an earlier one.
    pub fn set(&self, t: Ts) {
        self.0.store(t.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Ts {
        Ts::from_micros(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_out_of_json_is_cut_as_the_databases_cut_it() {
        let sent: Ts = serde_json::from_str(r#""2026-12-01T12:00:00.123456789-06:00""#).unwrap();
        assert_eq!(sent, Ts::from_micros(sent.as_micros()));
        assert_eq!(sent.to_string(), "2026-12-01T18:00:00.123456Z");
        let error = serde_json::from_str::<Ts>(r#""secret""#).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(error.to_string().contains("an instant such as"), "{error}");
    }
}
