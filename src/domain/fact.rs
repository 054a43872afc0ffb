//! What may be told of a deed without telling of a person.

use serde::Serialize;

use super::clock::Ts;

/// What the audit tells beside who did what to which record: words that stand in the code, counts,
/// instants. No text that a person wrote, no contact and no place can become one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Fact {
    /// A word of a closed set.
    Word(&'static str),
    /// A count.
    Number(i64),
    /// Whether or not.
    Flag(bool),
    /// When.
    At(Ts),
    /// That there is none.
    None,
}

impl From<usize> for Fact {
    fn from(count: usize) -> Self {
        Self::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<i64> for Fact {
    fn from(count: i64) -> Self {
        Self::Number(count)
    }
}

impl From<i32> for Fact {
    fn from(count: i32) -> Self {
        Self::Number(count.into())
    }
}

impl From<bool> for Fact {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Ts> for Fact {
    fn from(at: Ts) -> Self {
        Self::At(at)
    }
}

impl<T: Into<Self>> From<Option<T>> for Fact {
    fn from(fact: Option<T>) -> Self {
        fact.map_or(Self::None, Into::into)
    }
}
