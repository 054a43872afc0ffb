//! How long people take.

use std::time::Duration;

use serde::Deserialize;

use crate::cli::city::dice::Dice;
use crate::domain::availability::TimeZoneName;
use crate::domain::clock::Ts;

/// Log-normal: half are quicker than the median, nine of ten quicker than `slow`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Delay {
    #[serde(with = "humantime_serde")]
    median: Duration,
    #[serde(with = "humantime_serde")]
    slow: Duration,
}

/// The standard normal distribution's ninetieth percentile.
const Z90: f64 = 1.281_551_565_544_6;
/// Nobody comes back to something after that long.
const LONGEST: Duration = Duration::from_hours(24 * 14);

impl Delay {
    /// Whether it makes sense.
    pub fn is_possible(&self) -> bool {
        self.median >= Duration::from_secs(1) && self.slow >= self.median && self.slow <= LONGEST
    }

    /// One of them.
    pub fn draw(&self, dice: &Dice) -> Duration {
        let spread = (self.slow.as_secs_f64() / self.median.as_secs_f64()).ln() / Z90;
        // Box and Muller, 1958. The first is never 0.
        let (u, v) = (1.0 - dice.fraction(), dice.fraction());
        let z = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        let seconds = self.median.as_secs_f64() * (spread * z).exp();
        // Instants have microseconds; nobody is more punctual than to the second.
        Duration::from_secs_f64(seconds.round().clamp(1.0, LONGEST.as_secs_f64()))
    }
}

/// How quickly people get to something, by the hour of their day.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// From midnight on; 1 is the pace that delays are meant at.
    pub by_hour: Vec<f64>,
    /// Whose day.
    pub zone: TimeZoneName,
}

impl Pace {
    /// How long that takes from `at` on: hours in which nobody looks make it longer.
    pub fn stretch(&self, at: Ts, delay: Duration) -> Duration {
        let local = self.zone.to_local(at);
        let mut hour = usize::try_from(local.hour()).unwrap_or(0);
        let passed = f64::from(local.minute()) * 60.0 + f64::from(local.second());
        let mut left_of_hour = 3600.0 - passed;
        let mut effort = delay.as_secs_f64();
        let mut taken = 0.0;
        while taken < LONGEST.as_secs_f64() {
            let pace = self.by_hour.get(hour % 24).copied().unwrap_or(1.0);
            if effort <= left_of_hour * pace {
                taken += effort / pace;
                break;
            }
            effort -= left_of_hour * pace;
            taken += left_of_hour;
            left_of_hour = 3600.0;
            hour += 1;
        }
        Duration::from_secs_f64(taken.round())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(n: u64) -> Duration {
        Duration::from_mins(n)
    }

    #[test]
    fn half_are_quicker_than_the_median_and_nine_of_ten_than_the_slow_end() {
        let delay = Delay {
            median: minutes(10),
            slow: minutes(60),
        };
        let dice = Dice::of(1, "delays");
        let drawn: Vec<Duration> = (0..4000).map(|_| delay.draw(&dice)).collect();
        let below = |limit| drawn.iter().filter(|d| **d < limit).count();
        assert!((1850..2150).contains(&below(minutes(10))));
        assert!((3520..3680).contains(&below(minutes(60))));
    }

    #[test]
    fn at_night_it_takes_longer() {
        let mut by_hour = vec![1.0; 24];
        by_hour[0] = 0.1;
        let pace = Pace {
            by_hour,
            zone: TimeZoneName::parse("UTC").unwrap(),
        };
        let at = |hour: i64, minute: i64| Ts::from_micros((hour * 60 + minute) * 60_000_000);
        assert_eq!(pace.stretch(at(12, 30), minutes(90)), minutes(90));
        // Half an hour before midnight; the hour after it is worth six minutes.
        assert_eq!(pace.stretch(at(23, 30), minutes(50)), minutes(30 + 60 + 14));
        assert_eq!(pace.stretch(at(24, 0), minutes(3)), minutes(30));
    }
}
