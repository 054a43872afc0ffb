//! The numbers on `/metrics`: which there are, what they say, and how they are collected.
//!
//! To add a metric: a constant for its name, and a line in [`METRICS`]. Write it with the macros of the
//! `metrics` crate: `counter!(LETTERS, "outcome" => "sent").increment(1)`.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

/// Why nothing is measured.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// A histogram has no buckets.
    #[error("a histogram has no buckets")]
    Buckets(#[from] BuildError),
    /// Other code of this process collects the metrics already.
    #[error("the metrics are collected by other code in this process")]
    Taken,
}

/// Counter: requests answered, by `route` (its pattern), `method` and `status`.
pub const HTTP_REQUESTS: &str = "manyhands_http_requests_total";
/// Histogram: seconds until the answer, by `route` and `method`.
pub const HTTP_REQUEST_SECONDS: &str = "manyhands_http_request_seconds";
/// Counter: calls answered 429, by `class` (read, post, guess, contact); never by source.
pub const LIMITED: &str = "manyhands_limited_total";
/// Counter: calls answered 503 because too many wait for the database, by `rank` (reads, offers, requests, answers).
pub const SHED: &str = "manyhands_shed_total";
/// Histogram: seconds from asking for a write transaction to its commit.
pub const WRITE_SECONDS: &str = "manyhands_write_seconds";
/// Counter: writes that were run again, because another one was in their way or their connection broke.
pub const WRITE_RERUNS: &str = "manyhands_write_reruns_total";
/// Gauge: 1, or 0 from the first failure of the database on until a second has passed without any.
pub const DATABASE_AVAILABLE: &str = "manyhands_database_available";
/// Gauge: by how many seconds this machine's clock is ahead of the database server's.
pub const CLOCK_OFFSET_SECONDS: &str = "manyhands_clock_offset_seconds";
/// Histogram: operations committed together.
pub const WRITE_BATCH_SIZE: &str = "manyhands_write_batch_size";
/// Counter: attempts to send a letter, by `outcome`.
pub const LETTERS: &str = "manyhands_letters_total";
/// Gauge: letters that wait to be sent.
pub const LETTERS_WAITING: &str = "manyhands_letters_waiting";
/// Gauge: mail domains that take no letters for now, by `lane`.
pub const MAIL_DOMAINS_RESTING: &str = "manyhands_mail_domains_resting";
/// Counter: transitions of matches, by `event`.
pub const MATCHES: &str = "manyhands_matches_total";
/// Gauge: posts in the index, by `kind`.
pub const INDEX_POSTS: &str = "manyhands_index_posts";
/// Gauge: 1 while the index is complete, 0 while it is loaded and nothing is matched here.
pub const INDEX_COMPLETE: &str = "manyhands_index_complete";
/// Gauge: changes that the index has not applied yet.
pub const INDEX_LAG_CHANGES: &str = "manyhands_index_lag_changes";
/// Gauge: posts about which the index was wrong when it was compared with the database the last time.
pub const INDEX_DRIFT: &str = "manyhands_index_drift";
/// Counter: ticks of the workers, by `worker` and `outcome`.
pub const WORKER_TICKS: &str = "manyhands_worker_ticks_total";

/// How a metric is collected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counted in buckets with these upper bounds.
    Histogram(&'static [f64]),
}

/// Seconds of an answer: half a millisecond to the longest time-out that is usual.
const ANSWER: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0,
];
/// Seconds of a commit: one takes 0.2 ms on a fast disk, and waits 5 s for a locked database.
const COMMIT: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0,
];
/// Operations of a commit, up to the most the writer takes.
const BATCH: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Every metric there is, with how it is collected and what it says.
pub const METRICS: [(&str, Kind, &str); 18] = [
    (
        HTTP_REQUESTS,
        Kind::Counter,
        "Requests answered, by route pattern, method and status.",
    ),
    (
        HTTP_REQUEST_SECONDS,
        Kind::Histogram(ANSWER),
        "Time until the answer, in seconds.",
    ),
    (LIMITED, Kind::Counter, "Calls answered 429, by class."),
    (
        SHED,
        Kind::Counter,
        "Calls answered 503 because too many wait for the database, by rank.",
    ),
    (
        WRITE_SECONDS,
        Kind::Histogram(COMMIT),
        "Time from asking for a write to its commit, in seconds.",
    ),
    (
        WRITE_BATCH_SIZE,
        Kind::Histogram(BATCH),
        "Operations committed together.",
    ),
    (
        WRITE_RERUNS,
        Kind::Counter,
        "Writes that were run again, because another was in their way or their connection broke.",
    ),
    (
        DATABASE_AVAILABLE,
        Kind::Gauge,
        "1, or 0 from the first failure of the database on until a second has passed without any.",
    ),
    (
        CLOCK_OFFSET_SECONDS,
        Kind::Gauge,
        "By how many seconds this machine's clock is ahead of the database server's.",
    ),
    (
        LETTERS,
        Kind::Counter,
        "Attempts to send a letter, by outcome.",
    ),
    (
        LETTERS_WAITING,
        Kind::Gauge,
        "Letters that wait to be sent.",
    ),
    (
        MAIL_DOMAINS_RESTING,
        Kind::Gauge,
        "Mail domains that take no letters for now, by lane.",
    ),
    (MATCHES, Kind::Counter, "Transitions of matches, by event."),
    (INDEX_POSTS, Kind::Gauge, "Posts in the index, by kind."),
    (
        INDEX_LAG_CHANGES,
        Kind::Gauge,
        "Changes that the index has not applied yet.",
    ),
    (
        INDEX_COMPLETE,
        Kind::Gauge,
        "1 while the index is complete; 0 while it is loaded, and nothing is matched here.",
    ),
    (
        INDEX_DRIFT,
        Kind::Gauge,
        "Posts about which the index was wrong when it was last compared with the database; put right since.",
    ),
    (
        WORKER_TICKS,
        Kind::Counter,
        "Ticks of the workers, by worker and outcome.",
    ),
];

/// What has been measured so far.
#[derive(Clone, Debug)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// How often [`Metrics::upkeep`] wants to be called.
    pub const UPKEEP_EVERY: Duration = Duration::from_secs(5);

    /// Measures from now on, for the rest of the process.
    ///
    /// The `metrics` macros write to the one recorder of the process, which can be set once and not be
    /// asked for afterward. So its reading end is kept here, beside it, and every further call, as tests
    /// make them, gets the same one: they share their numbers. A test that wants numbers of its own uses
    /// [`recorder`] with `metrics::with_local_recorder`.
    ///
    /// # Errors
    /// If other code of this process has set a recorder.
    pub fn install() -> Result<Self, MetricsError> {
        static INSTALLED: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
        let recorder = recorder()?;
        let handle = INSTALLED.get_or_init(|| {
            let handle = recorder.handle();
            metrics::set_global_recorder(recorder).ok().map(|()| handle)
        });
        handle.clone().map(Self).ok_or(MetricsError::Taken)
    }

    /// All numbers in Prometheus' text format, `text/plain; version=0.0.4`.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Moves what was measured to where it is rendered from. Without it memory grows with every
    /// measurement until the next rendering.
    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

/// A recorder that knows [`METRICS`] and is not installed anywhere.
///
/// # Errors
/// Never, as long as every histogram has buckets.
pub fn recorder() -> Result<PrometheusRecorder, MetricsError> {
    let mut builder = PrometheusBuilder::new();
    for (name, kind, _) in METRICS {
        if let Kind::Histogram(buckets) = kind {
            builder = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), buckets)?;
        }
    }
    let recorder = builder.build_recorder();
    metrics::with_local_recorder(&recorder, describe);
    Ok(recorder)
}

fn describe() {
    for (name, kind, help) in METRICS {
        let unit = if name.ends_with("_seconds") {
            Unit::Seconds
        } else {
            Unit::Count
        };
        match kind {
            Kind::Counter => describe_counter!(name, unit, help),
            Kind::Gauge => describe_gauge!(name, unit, help),
            Kind::Histogram(_) => describe_histogram!(name, unit, help),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_are_installed_once_and_shared_by_who_comes_later() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| Metrics::install().unwrap()))
            .collect();
        let handles: Vec<_> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        metrics::gauge!(INDEX_POSTS, "kind" => "shared_by_tests").set(7.0);
        for handle in handles {
            handle.upkeep();
            assert!(
                handle
                    .render()
                    .contains("manyhands_index_posts{kind=\"shared_by_tests\"} 7")
            );
        }
    }

    #[test]
    fn every_metric_is_rendered_under_its_name_with_its_description() {
        let recorder = recorder().unwrap();
        metrics::with_local_recorder(&recorder, || {
            for (name, kind, _) in METRICS {
                match kind {
                    Kind::Counter => metrics::counter!(name).increment(1),
                    Kind::Gauge => metrics::gauge!(name).set(1.0),
                    Kind::Histogram(_) => metrics::histogram!(name).record(1.0),
                }
            }
        });
        let text = recorder.handle().render();
        for (name, kind, help) in METRICS {
            let (kind, sample) = match kind {
                Kind::Counter => ("counter", format!("\n{name} 1\n")),
                Kind::Gauge => ("gauge", format!("\n{name} 1\n")),
                Kind::Histogram(buckets) => {
                    assert!(buckets.is_sorted() && buckets.contains(&1.0), "{name}");
                    ("histogram", format!("\n{name}_bucket{{le=\"1\"}} 1\n"))
                }
            };
            assert!(
                text.contains(&format!("# HELP {name} {help}\n")),
                "{name} in\n{text}"
            );
            assert!(
                text.contains(&format!("# TYPE {name} {kind}\n")),
                "{name} in\n{text}"
            );
            assert!(text.contains(&sample), "{sample} in\n{text}");
        }
    }
}
