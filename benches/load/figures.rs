//! How long what took, and what became of it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::mix::Kind;

/// The calls of one kind that had one answer: latencies in microseconds.
type Latencies = Histogram<u64>;

/// What a run has shown.
pub struct Figures {
    /// From the first call to the last answer that was waited for.
    pub lasted: Duration,
    /// Calls that were never begun: as many were open as this machine has sockets for.
    pub unsent: u64,
    /// Only what was meant to begin later counts.
    pub begun: Instant,
    calls: BTreeMap<(Kind, u16), Latencies>,
    /// Of each second in which calls were meant to begin: latencies, and how many were not answered with success.
    seconds: BTreeMap<u64, (Latencies, u64)>,
}

/// No answer at all: the connection was refused or broke, or nothing came in time.
pub const NOTHING: u16 = 0;

fn latencies() -> Latencies {
    Histogram::new(3).expect("three digits")
}

impl Figures {
    pub fn new() -> Self {
        Self {
            lasted: Duration::ZERO,
            unsent: 0,
            begun: Instant::now(),
            calls: BTreeMap::new(),
            seconds: BTreeMap::new(),
        }
    }

    /// A call that was meant to begin then, and is answered so now.
    pub fn add(&mut self, kind: Kind, status: u16, intended: Instant) {
        let micros = u64::try_from(intended.elapsed().as_micros()).unwrap_or(u64::MAX);
        let calls = self.calls.entry((kind, status)).or_insert_with(latencies);
        calls.record(micros).expect("it grows");
        let second = intended.saturating_duration_since(self.begun).as_secs();
        let (calls, refused) = self
            .seconds
            .entry(second)
            .or_insert_with(|| (latencies(), 0));
        calls.record(micros).expect("it grows");
        *refused += u64::from(status == NOTHING || status >= 500 || status == 429);
    }

    /// A call that could not even begin.
    pub fn unsent(&mut self, intended: Instant) {
        self.unsent += 1;
        let second = intended.saturating_duration_since(self.begun).as_secs();
        self.seconds
            .entry(second)
            .or_insert_with(|| (latencies(), 0))
            .1 += 1;
    }

    /// The 99th percentile of the worst of the seconds from `from` on.
    pub fn worst_second(&self, from: u64) -> Duration {
        let seconds = self
            .seconds
            .range(from..)
            .map(|(_, (latencies, _))| latencies);
        let worst = seconds
            .map(|latencies| latencies.value_at_quantile(0.99))
            .max();
        Duration::from_micros(worst.unwrap_or(0))
    }

    /// After how many seconds everything was as it should be until the end: nobody refused, and 99 of 100 answered
    /// within `well`. None if it never was.
    pub fn well_after(&self, well: Duration) -> Option<u64> {
        let well = u64::try_from(well.as_micros()).unwrap_or(u64::MAX);
        let is_ill = |(latencies, refused): &(Latencies, u64)| {
            *refused > 0 || latencies.value_at_quantile(0.99) > well
        };
        let last_ill = self.seconds.iter().rfind(|(_, second)| is_ill(second));
        let after = last_ill.map_or(0, |(second, _)| second + 1);
        (after <= *self.seconds.keys().last()?).then_some(after)
    }

    /// Of each second: the 99th percentile in milliseconds, and how many were refused.
    pub fn by_second(&self) -> String {
        let told = self.seconds.values().map(|(latencies, refused)| {
            let p99 = Duration::from_micros(latencies.value_at_quantile(0.99)).as_millis();
            match refused {
                0 => p99.to_string(),
                refused => format!("{p99} ({refused} refused)"),
            }
        });
        told.collect::<Vec<_>>().join(" ")
    }

    /// Calls that were answered with success, a second.
    pub fn rate(&self) -> f64 {
        let done = self.done() as f64;
        done / self.lasted.as_secs_f64().max(0.001)
    }

    /// Calls that were answered with success.
    pub fn done(&self) -> u64 {
        self.of(None).len()
    }

    /// Latencies of what was answered with success: of a kind, or of all.
    fn of(&self, kind: Option<Kind>) -> Latencies {
        let mut all = latencies();
        for ((of, status), latencies) in &self.calls {
            if kind.is_none_or(|kind| kind == *of) && (200..300).contains(status) {
                all.add(latencies).expect("of one make");
            }
        }
        all
    }

    /// How many times as long calls took as those of `other`, by each kind that both had: in the median, and at the 99th
    /// percentile.
    pub fn times(&self, other: &Self) -> Vec<(&'static str, f64, f64)> {
        let of = |kind: Kind| {
            let (ours, theirs) = (self.of(Some(kind)), other.of(Some(kind)));
            let at = |quantile| {
                let theirs = theirs.value_at_quantile(quantile).max(1);
                ours.value_at_quantile(quantile) as f64 / theirs as f64
            };
            (kind.name(), at(0.5), at(0.99))
        };
        let both = |kind: &Kind| {
            let had = |figures: &Self| !figures.of(Some(*kind)).is_empty();
            had(self) && had(other)
        };
        Kind::ALL.into_iter().filter(both).map(of).collect()
    }

    /// How many calls of a kind had which answer.
    fn answers(&self, kind: Kind) -> BTreeMap<String, u64> {
        let calls = self.calls.iter().filter(|((of, _), _)| *of == kind);
        calls
            .map(|((_, status), latencies)| {
                let name = match *status {
                    NOTHING => "none".to_owned(),
                    status => status.to_string(),
                };
                (name, latencies.len())
            })
            .collect()
    }

    pub fn json(&self) -> Value {
        let of = |kind: Option<Kind>| {
            let latencies = self.of(kind);
            json!({
                "done": latencies.len(),
                "p50_us": latencies.value_at_quantile(0.5),
                "p95_us": latencies.value_at_quantile(0.95),
                "p99_us": latencies.value_at_quantile(0.99),
                "max_us": latencies.max(),
                "answers": kind.map(|kind| self.answers(kind)),
            })
        };
        let kinds: BTreeMap<&str, Value> = Kind::ALL
            .into_iter()
            .map(|kind| (kind.name(), of(Some(kind))))
            .collect();
        json!({
            "seconds": self.lasted.as_secs_f64(),
            "per_second": self.rate(),
            "unsent": self.unsent,
            "all": of(None),
            "kinds": kinds,
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.rate();
        let seconds = self.lasted.as_secs_f64();
        let sent: u64 = self.calls.values().map(Histogram::len).sum();
        writeln!(
            f,
            "{rate:.0} calls a second with success, of {:.0} sent, {seconds:.1} s; {} could not be sent",
            sent as f64 / seconds.max(0.001),
            self.unsent
        )?;
        writeln!(
            f,
            "{:<13} {:>8} {:>9} {:>9} {:>9} {:>9}  answers",
            "ms", "done", "p50", "p95", "p99", "max"
        )?;
        for kind in Kind::ALL {
            let latencies = self.of(Some(kind));
            let ms = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1_000.0;
            let at = |quantile| ms(latencies.value_at_quantile(quantile));
            let answers = self.answers(kind);
            let answers: Vec<String> = answers.iter().map(|(a, n)| format!("{a}: {n}")).collect();
            writeln!(
                f,
                "{:<13} {:>8} {:>9.1} {:>9.1} {:>9.1} {:>9.1}  {}",
                kind.name(),
                latencies.len(),
                at(0.5),
                at(0.95),
                at(0.99),
                ms(latencies.max()),
                answers.join(", ")
            )?;
        }
        Ok(())
    }
}
