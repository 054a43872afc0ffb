//! Whether this machine's clock may decide anything. While it is not the database server's, the workers rest:
//! by a clock that is ahead, the leases of others would be over and the others dead.
//!
//! The key watch compares the two, because it never rests; calls are answered meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::storage::clocks::Comparison;

/// What the last comparison said. Shared by the workers of a process.
#[derive(Debug, Default)]
pub struct ClockWatch {
    differs: AtomicBool,
}

impl ClockWatch {
    /// Whether the workers rest.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.differs.load(Ordering::SeqCst)
    }

    #[cfg(test)]
    pub(super) fn set(&self, differs: bool) {
        self.differs.store(differs, Ordering::SeqCst);
    }

    /// Remembers a comparison, and tells when what it says is new.
    pub(super) fn note(&self, compared: Comparison) {
        metrics::gauge!("manyhands_clock_offset_seconds").set(compared.seconds_ahead());
        let verdict = compared.verdict();
        let differed = self.differs.swap(verdict.is_err(), Ordering::SeqCst);
        match verdict {
            Err(why) if !differed => {
                tracing::error!(error = %why, "the workers rest: the clocks differ");
            }
            Ok(()) if differed => {
                tracing::info!("the clocks agree again: the workers go on");
            }
            _ => {}
        }
    }
}
