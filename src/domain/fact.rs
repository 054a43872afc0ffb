//! What may be told of a deed without telling of a person.

use serde::Serialize;

use super::category::CategoryKey;
use super::clock::Ts;
use super::place::Cell;

/// What the audit tells beside who did what to which record: words that stand in the code, counts,
/// instants, and what somebody who works here has narrowed a call to. No text that a person wrote, no contact and no
/// point can become one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// A category of the catalog.
    Category(CategoryKey),
    /// A cell that a call was narrowed to.
    Area(Cell),
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

impl From<CategoryKey> for Fact {
    fn from(key: CategoryKey) -> Self {
        Self::Category(key)
    }
}

impl From<Cell> for Fact {
    fn from(area: Cell) -> Self {
        Self::Area(area)
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
