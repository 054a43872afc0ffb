//! A part of what there is: some categories, some areas, or some categories there.

use serde::{Deserialize, Serialize};

use super::place::Cell;

/// What is of these categories and lies in these areas. Matches, tasks and reports are where their request is;
/// people are wherever something of theirs is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Their keys; `None` for all.
    pub categories: Option<Vec<String>>,
    /// H3 cells of any size; `None` for everywhere.
    pub areas: Option<Vec<Cell>>,
}

impl Part {
    /// All categories, everywhere.
    pub const ALL: Self = Self {
        categories: None,
        areas: None,
    };

    /// Whether nothing is outside.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::ALL
    }

    /// Whether something of that category in that cell is in it.
    #[must_use]
    pub fn holds(&self, category: &str, cell: Cell) -> bool {
        let is_named = |named: &Vec<String>| named.iter().any(|key| key == category);
        let is_there = |areas: &Vec<Cell>| areas.iter().any(|area| cell.is_within(*area));
        self.categories.as_ref().is_none_or(is_named) && self.areas.as_ref().is_none_or(is_there)
    }
}

impl From<Cell> for Part {
    fn from(area: Cell) -> Self {
        Self {
            categories: None,
            areas: Some(vec![area]),
        }
    }
}
