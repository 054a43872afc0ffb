//! Intervals of time, and sorted lists of them.

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

/// Windows in order of time with a gap between each two: those that overlap or touch are one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Window>", into = "Vec<Window>")]
pub struct Windows(Vec<Window>);

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

    /// Whether there is an instant that is in both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.first_overlap(other).is_some()
    }

    /// How long the instants last that are in both.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> Duration {
        self.common(other).map(Window::length).sum()
    }

    /// The first window of time that is in both.
    #[must_use]
    pub fn first_overlap(&self, other: &Self) -> Option<Window> {
        self.common(other).next()
    }

    /// Every window of time that is in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        Self(self.common(other).collect())
    }

    /// What of them is in `window`.
    #[must_use]
    pub fn clip(&self, window: Window) -> Self {
        self.intersect(&window.into())
    }

    /// The common windows in order, found in one pass that starts near the first of them. Does not
    /// allocate.
    fn common(&self, other: &Self) -> impl Iterator<Item = Window> {
        let (mut ours, mut theirs) = (
            starting_near(&self.0, &other.0),
            starting_near(&other.0, &self.0),
        );
        std::iter::from_fn(move || {
            while let ([our, ..], [their, ..]) = (ours, theirs) {
                // The one that ends first has nothing in common with what follows in the other
                // list.
                if our.until <= their.until {
                    ours = &ours[1..];
                } else {
                    theirs = &theirs[1..];
                }
                if let Some(both) = our.intersect(*their) {
                    return Some(both);
                }
            }
            None
        })
    }
}

/// `list` without the windows that end before `other` begins.
fn starting_near<'a>(list: &'a [Window], other: &[Window]) -> &'a [Window] {
    other.first().map_or(&[], |first| {
        &list[list.partition_point(|w| w.until <= first.from)..]
    })
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
        Self(list)
    }
}

impl From<Window> for Windows {
    fn from(window: Window) -> Self {
        Self(vec![window])
    }
}

impl From<Vec<Window>> for Windows {
    fn from(windows: Vec<Window>) -> Self {
        windows.into_iter().collect()
    }
}

impl From<Windows> for Vec<Window> {
    fn from(windows: Windows) -> Self {
        windows.0
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
        assert!(!windows(&[(0, 2)]).overlaps(&windows(&[(2, 4)])));
        assert_eq!(
            windows(&[(0, 3), (5, 9)]).first_overlap(&windows(&[(4, 6), (8, 9)])),
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
        fn windows_are_the_sets_of_their_instants(a in any_windows(), b in any_windows()) {
            let in_b = instants(&b);
            let both: Vec<i64> = instants(&a).into_iter().filter(|t| in_b.contains(t)).collect();
            let (a, b) = (windows(&a), windows(&b));
            let common = a.intersect(&b);
            let is_in = |w: &Window, t: i64| w.contains(Ts::from_micros(t));
            let is_common = |t: &i64| common.as_slice().iter().any(|w| is_in(w, *t));
            prop_assert_eq!((0..80).filter(is_common).collect::<Vec<_>>(), both.clone());
            prop_assert!(common.as_slice().is_sorted_by(|x, y| x.until() < y.from()));
            prop_assert_eq!(a.overlap(&b), Duration::from_micros(both.len() as u64));
            prop_assert_eq!(a.overlap(&b), common.length());
            prop_assert_eq!(a.overlaps(&b), !both.is_empty());
            prop_assert_eq!(a.first_overlap(&b), common.as_slice().first().copied());
            prop_assert_eq!(b.intersect(&a), common);
        }
    }
}
