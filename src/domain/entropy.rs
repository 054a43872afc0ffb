//! Randomness, passed in wherever it is needed.

use std::fmt;
use std::sync::Mutex;

use rand::rand_core::UnwrapErr;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Where random bytes come from. Passed in, never ambient, so that tests and simulations own it.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills `bytes` with random bytes fit for keys.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Entropy + '_ {
    /// `N` random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// A number from 0 (inclusive) to 1 (exclusive), for jitter.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        let bits = u32::from_le_bytes(self.bytes::<4>());
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }
}

/// The operating system's generator, asked each time: a generator of the process would keep in its buffer
/// what it has given out, keys among them.
#[derive(Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    // The one place that reads ambient randomness.
    fn fill(&self, bytes: &mut [u8]) {
        UnwrapErr(rand::rngs::SysRng).fill_bytes(bytes);
    }
}

/// A generator that repeats itself from its seed: for tests and simulations, never for a service.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<StdRng>);

impl SeededEntropy {
    /// The generator that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .fill_bytes(bytes);
    }
}
