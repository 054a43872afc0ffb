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

    /// What is in both. Cells lie within one another or apart.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        let categories = match (self.categories, &other.categories) {
            (Some(mut named), Some(allowed)) => {
                named.retain(|key| allowed.contains(key));
                Some(named)
            }
            (named, allowed) => named.or_else(|| allowed.clone()),
        };
        let areas = match (self.areas, &other.areas) {
            (Some(named), Some(allowed)) => {
                let finer = |(one, two): (Cell, Cell)| match one.is_within(two) {
                    true => Some(one),
                    false => Some(two).filter(|two| two.is_within(one)),
                };
                let pairs = named
                    .iter()
                    .flat_map(|one| allowed.iter().map(|two| (*one, *two)));
                Some(pairs.filter_map(finer).collect())
            }
            (named, allowed) => named.or_else(|| allowed.clone()),
        };
        Self { categories, areas }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn part(categories: &[&str], areas: &[Cell]) -> Part {
        let keys: Vec<String> = categories.iter().map(|key| (*key).to_owned()).collect();
        Part {
            categories: Some(keys).filter(|keys| !keys.is_empty()),
            areas: Some(areas.to_vec()).filter(|areas| !areas.is_empty()),
        }
    }

    #[test]
    fn what_is_in_both_is_in_each() {
        let fine: Cell = "882649b2d3fffff".parse().unwrap();
        let coarse = fine.parent().unwrap();
        let elsewhere: Cell = "860326237ffffff".parse().unwrap();
        assert_eq!(Part::ALL.and(&Part::ALL), Part::ALL);
        let food = part(&["food", "towing"], &[coarse]);
        assert_eq!(Part::ALL.and(&food), food);
        assert_eq!(food.clone().and(&Part::ALL), food);
        assert_eq!(
            food.clone()
                .and(&part(&["food", "legal"], &[fine, elsewhere])),
            part(&["food"], &[fine])
        );
        assert_eq!(Part::from(fine).and(&food).areas, Some(vec![fine]));
        let nothing = food.and(&part(&["legal"], &[elsewhere]));
        assert_eq!(
            (nothing.categories, nothing.areas),
            (Some(vec![]), Some(vec![]))
        );
    }

    #[test]
    fn a_part_holds_what_is_of_its_categories_in_its_areas() {
        let here: Cell = "882649b2d3fffff".parse().unwrap();
        let elsewhere: Cell = "860326237ffffff".parse().unwrap();
        let food = part(&["food"], &[here.parent().unwrap()]);
        assert!(food.holds("food", here) && Part::ALL.holds("legal", elsewhere));
        assert!(!food.holds("food", elsewhere) && !food.holds("legal", here));
    }
}
