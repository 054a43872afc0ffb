//! Intervals of time, and sorted lists of them.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::clock::Ts;

/// From an instant to a later one, the second excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Ends", into = "Ends")]
pub struct Window {
    from: Ts,
    until: Ts,
}

#[derive(Serialize, Deserialize)]
struct Ends {
    from: Ts,
    until: Ts,
}

impl Window {
    /// # Errors
    /// If `until` is not later than `from`.
    pub fn parse(from: Ts, until: Ts) -> Result<Self, &'static str> {
        if from < until {
            Ok(Self { from, until })
        } else {
            Err("must end later than it begins")
        }
    }

    /// The first instant.
    #[must_use]
    pub fn from(self) -> Ts {
        self.from
    }

    /// The first instant after it.
    #[must_use]
    pub fn until(self) -> Ts {
        self.until
    }

    /// How long it is.
    #[must_use]
    pub fn length(self) -> Duration {
        self.until.since(self.from)
    }

    /// Whether the instant is in it.
    #[must_use]
    pub fn contains(self, at: Ts) -> bool {
        self.from <= at && at < self.until
    }

    /// What two windows have in common.
    #[must_use]
    pub fn intersect(self, other: Self) -> Option<Self> {
        Self::parse(self.from.max(other.from), self.until.min(other.until)).ok()
    }
}

impl TryFrom<Ends> for Window {
    type Error = &'static str;
    fn try_from(ends: Ends) -> Result<Self, Self::Error> {
        Self::parse(ends.from, ends.until)
    }
}

impl From<Window> for Ends {
    fn from(window: Window) -> Self {
        Self {
            from: window.from,
            until: window.until,
        }
    }
}

/// Windows in order of time with a gap between each two: those that overlap or touch are one. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Window>", into = "Vec<Window>")]
pub struct Windows(Arc<[Window]>);

impl Windows {
    /// The windows, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Window] {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where the last one ends.
    #[must_use]
    pub fn end(&self) -> Option<Ts> {
        self.0.last().map(|w| w.until)
    }

    /// How long they are together.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.0.iter().map(|w| w.length()).sum()
    }

    /// How long the instants of `span` last that are in one of them.
    #[must_use]
    pub fn overlap(&self, span: Window) -> Duration {
        self.within(span).map(Window::length).sum()
    }

    /// The first window of time that is in `span` and in one of them.
    #[must_use]
    pub fn first_overlap(&self, span: Window) -> Option<Window> {
        self.within(span).next()
    }

    /// What of them is in `span`.
    #[must_use]
    pub fn clip(&self, span: Window) -> Self {
        Self(self.within(span).collect())
    }

    /// What of them is in `span`, in order.
    pub fn within(&self, span: Window) -> impl Iterator<Item = Window> {
        let near = self.0.partition_point(|w| w.until <= span.from);
        self.0[near..].iter().map_while(move |w| w.intersect(span))
    }
}

impl FromIterator<Window> for Windows {
    fn from_iter<I: IntoIterator<Item = Window>>(windows: I) -> Self {
        let mut list: Vec<Window> = windows.into_iter().collect();
        list.sort_unstable();
        list.dedup_by(|next, last| {
            let touches = next.from <= last.until;
            if touches {
                last.until = last.until.max(next.until);
            }
            touches
        });
        Self(list.into())
    }
}

impl From<Window> for Windows {
    fn from(window: Window) -> Self {
        Self([window].into())
    }
}

impl From<Vec<Window>> for Windows {
    fn from(windows: Vec<Window>) -> Self {
        windows.into_iter().collect()
    }
}

impl From<Windows> for Vec<Window> {
    fn from(windows: Windows) -> Self {
        windows.0.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(from: i64, until: i64) -> Window {
        Window::parse(Ts::from_micros(from), Ts::from_micros(until)).unwrap()
    }

    fn windows(ends: &[(i64, i64)]) -> Windows {
        ends.iter()
            .map(|(from, until)| window(*from, *until))
            .collect()
    }

    #[test]
    fn a_window_is_not_reversed_and_not_empty() {
        let (early, late) = (Ts::from_micros(1), Ts::from_micros(2));
        assert!(Window::parse(late, early).is_err());
        assert!(Window::parse(early, early).is_err());
        let json = serde_json::to_string(&Window::parse(early, late).unwrap()).unwrap();
        assert_eq!(
            json,
            r#"{"from":"1970-01-01T00:00:00.000001Z","until":"1970-01-01T00:00:00.000002Z"}"#
        );
        assert!(serde_json::from_str::<Window>(&json).is_ok());
        let reversed = json.replace("0001Z", "0003Z");
        assert!(
            serde_json::from_str::<Window>(&reversed)
                .unwrap_err()
                .to_string()
                .contains("must end later than it begins")
        );
    }

    #[test]
    fn windows_that_touch_are_one() {
        assert_eq!(
            windows(&[(5, 9), (0, 2), (2, 4), (6, 7)]),
            windows(&[(0, 4), (5, 9)])
        );
        assert_eq!(windows(&[(0, 2), (2, 4)]).as_slice(), [window(0, 4)]);
    }

    #[test]
    fn half_open_neighbors_have_nothing_in_common() {
        assert_eq!(windows(&[(0, 2)]).first_overlap(window(2, 4)), None);
        assert_eq!(
            windows(&[(0, 3), (5, 9)]).first_overlap(window(4, 6)),
            Some(window(5, 6))
        );
        assert_eq!(
            windows(&[(0, 3), (5, 9)]).clip(window(2, 6)),
            windows(&[(2, 3), (5, 6)])
        );
        assert_eq!(windows(&[(0, 3), (5, 9)]).end(), Some(Ts::from_micros(9)));
        assert_eq!(Windows::default().end(), None);
    }

    fn any_windows() -> impl Strategy<Value = Vec<(i64, i64)>> {
        prop::collection::vec(
            (0..60_i64, 1..8_i64).prop_map(|(from, length)| (from, from + length)),
            0..8,
        )
    }

    /// The microseconds from 0 to 80 that are in one of the windows.
    fn instants(ends: &[(i64, i64)]) -> Vec<i64> {
        (0..80)
            .filter(|t| ends.iter().any(|(from, until)| from <= t && t < until))
            .collect()
    }

    proptest! {
        #[test]
        fn windows_are_the_sets_of_their_instants(a in any_windows(), from in 0..60_i64, length in 1..8_i64) {
            let span = window(from, from + length);
            let both: Vec<i64> = instants(&a).into_iter().filter(|t| (from..from + length).contains(t)).collect();
            let a = windows(&a);
            let common = a.clip(span);
            let is_common = |t: &i64| common.as_slice().iter().any(|w| w.contains(Ts::from_micros(*t)));
            prop_assert_eq!((0..80).filter(is_common).collect::<Vec<_>>(), both.clone());
            prop_assert!(common.as_slice().is_sorted_by(|x, y| x.until() < y.from()));
            prop_assert_eq!(a.overlap(span), Duration::from_micros(both.len() as u64));
            prop_assert_eq!(a.overlap(span), common.length());
            prop_assert_eq!(a.first_overlap(span), common.as_slice().first().copied());
        }
    }
}
