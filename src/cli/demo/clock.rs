//! Time that runs faster than the real one.

use std::time::{Duration, Instant};

use crate::domain::clock::{Clock, Ts};

/// A clock that shows `start` at first and then runs `speed` times as fast as the machine's.
#[derive(Debug)]
pub(super) struct ScaledClock {
    start: Ts,
    began: Instant,
    speed: f64,
}

impl ScaledClock {
    /// A clock that begins to run now.
    pub fn new(start: Ts, speed: f64) -> Self {
        Self {
            start,
            began: Instant::now(),
            speed,
        }
    }

    /// How long `virtually` takes in real time.
    pub fn really(&self, virtually: Duration) -> Duration {
        virtually.div_f64(self.speed)
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> Ts {
        let passed = self.began.elapsed().as_secs_f64() * self.speed;
        self.start
            .after(Duration::try_from_secs_f64(passed).unwrap_or(Duration::MAX))
    }
}
