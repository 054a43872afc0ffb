//! Counts that say where help is needed and nothing of anybody.
//!
//! * **People are counted, not requests**: a neighbor with a watch plan of thirty slots is one, and so is
//!   one who posted three times with the same contact.
//! * **Fewer than three are merged** into the next larger cell, together with the other small ones there.
//!   A larger cell never includes what a smaller one shows, so nothing can be subtracted.
//! * **Counts are rounded down** to a multiple of three, so that the step by which a count changes when a
//!   cell appears or vanishes does not tell how many were hidden in it.
//! * **They change once an hour**: who polls does not see the instant at which somebody posts or is helped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::NeedCount;
use crate::actions::Ctx;
use crate::crypto::lookup::KeyedHash;
use crate::domain::area::Frozen;
use crate::domain::category::CategoryKey;
use crate::domain::clock::Ts;
use crate::domain::ids::NeighborId;
use crate::domain::place::Cell;
use crate::domain::upward::merge_upward;
use crate::storage::requests::OpenNeed;
use crate::storage::{Conn, StorageError, areas, requests};

/// A cell shows the needs of at least so many people, and multiples of it.
const LEAST: usize = 3;

/// How long counts stay as they are.
const EVERY_S: i64 = 3600;

/// The counts of the present hour; one for the whole server.
#[derive(Debug, Default)]
pub struct Snapshot {
    latest: Mutex<Option<(Time, Vec<NeedCount>)>>,
    counting: tokio::sync::Mutex<()>,
}

/// What the counts are of: an hour, and the areas that are left out, which go at once.
type Time = (i64, Frozen);

impl std::fmt::Debug for NeedCount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in {:?}: {}", self.category, self.cell, self.open)
    }
}

impl Snapshot {
    /// The counts of the present hour, of all categories that may be counted.
    ///
    /// # Errors
    /// A failed query.
    pub async fn counts(&self, ctx: &Ctx) -> Result<Vec<NeedCount>, StorageError> {
        let frozen = ctx
            .db
            .read(|conn| Ok::<_, StorageError>(areas::frozen(conn)?))
            .await?;
        let time = (hour(ctx.now()), frozen);
        if let Some(counts) = self.of(&time) {
            return Ok(counts);
        }
        // Of callers who arrive together one counts, and the others wait for that.
        let _alone = self.counting.lock().await;
        if let Some(counts) = self.of(&time) {
            return Ok(counts);
        }
        let left_out = time.1.clone();
        let mut categories = Vec::new();
        for category in ctx.catalog.iter().filter(|c| !c.policy.sensitive) {
            categories.push(category.key.clone());
        }
        let count = move |conn: &mut Conn| {
            let mut people = People::default();
            requests::each_open_need(conn, &categories, |need| {
                if !left_out.holds(need.cell.center()) {
                    people.add(need);
                }
            })?;
            Ok::<_, StorageError>(people.counts())
        };
        let counts = ctx.db.read(count).await?;
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = Some((time, counts.clone()));
        Ok(counts)
    }

    fn of(&self, time: &Time) -> Option<Vec<NeedCount>> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, counts) = latest.as_ref().filter(|(known, _)| known == time)?;
        Some(counts.clone())
    }
}

fn hour(now: Ts) -> i64 {
    now.as_secs().div_euclid(EVERY_S)
}

/// One person, as far as can be told: by contact, where there is one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Person {
    Contact(KeyedHash),
    Record(NeighborId),
}

/// Who needs something, by category and cell: each once, however much she needs.
#[derive(Default)]
struct People(BTreeMap<CategoryKey, BTreeMap<Cell, BTreeSet<Person>>>);

impl People {
    fn add(&mut self, need: OpenNeed) {
        let person = match need.email_hash.or(need.phone_hash) {
            Some(contact) => Person::Contact(contact),
            None => Person::Record(need.neighbor_id),
        };
        let cells = self.0.entry(need.category).or_default();
        cells.entry(need.cell).or_default().insert(person);
    }

    fn counts(self) -> Vec<NeedCount> {
        let mut counts = Vec::new();
        for (category, cells) in self.0 {
            counts.extend(merged(cells).into_iter().map(|(cell, people)| NeedCount {
                category: category.to_string(),
                cell: cell.map(|c| c.to_string()),
                open: people - people % LEAST,
            }));
        }
        counts
    }
}

/// Moves the people of every cell that has fewer than [`LEAST`] to the parent cell, level by level.
/// What is still too small over all the world is left out.
fn merged(cells: BTreeMap<Cell, BTreeSet<Person>>) -> BTreeMap<Option<Cell>, usize> {
    let is_enough = |people: &BTreeSet<Person>| people.len() >= LEAST;
    let (done, rest) = merge_upward(cells, is_enough, BTreeSet::extend);
    let done = done.into_iter().map(|(cell, people)| (Some(cell), people));
    let rest = is_enough(&rest).then_some((None, rest));
    let counts = done.chain(rest).map(|(cell, people)| (cell, people.len()));
    counts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::SeededEntropy;
    use crate::domain::place::{CellSize, GeoPoint};

    fn counted(open: Vec<OpenNeed>) -> Vec<NeedCount> {
        let mut people = People::default();
        for need in open {
            people.add(need);
        }
        people.counts()
    }

    fn cell(lat: f64) -> Cell {
        let size = CellSize::try_from(8).unwrap();
        Cell::of(GeoPoint::parse(lat, -93.26).unwrap(), size)
    }

    /// So many requests of so many different neighbors in a cell.
    fn needs(entropy: &SeededEntropy, cell: Cell, people: usize, each: usize) -> Vec<OpenNeed> {
        let mut all = Vec::new();
        for _ in 0..people {
            let need = OpenNeed {
                category: "food".parse().unwrap(),
                cell,
                neighbor_id: NeighborId::new(entropy),
                email_hash: None,
                phone_hash: None,
            };
            all.extend(std::iter::repeat_n(need, each));
        }
        all
    }

    #[test]
    fn no_cell_shows_fewer_than_three_people_and_none_is_counted_twice() {
        let entropy = SeededEntropy::new(1);
        let mut open = Vec::new();
        for (at, people) in [(44.95, 5), (44.96, 1), (44.97, 2), (10.0, 1)] {
            open.extend(needs(&entropy, cell(at), people, 1));
        }
        let counts = counted(open);
        assert!(counts.iter().all(|c| c.open >= LEAST && c.open % 3 == 0));
        let at_home = counts
            .iter()
            .find(|c| c.cell == Some(cell(44.95).to_string()));
        assert_eq!(at_home.map(|c| c.open), Some(3), "five, rounded down");
        assert!(counts.iter().map(|c| c.open).sum::<usize>() <= 9);
    }

    #[test]
    fn one_neighbor_with_thirty_slots_is_one() {
        let entropy = SeededEntropy::new(1);
        let mut open = needs(&entropy, cell(44.95), 1, 30);
        open.extend(needs(&entropy, cell(44.95), 1, 1));
        assert_eq!(counted(open.clone()).len(), 0);
        // Nor do three posts with one contact make three people.
        let mut thrice = needs(&entropy, cell(44.95), 3, 1);
        for need in &mut thrice {
            need.phone_hash = Some(KeyedHash::from([7; 32]));
        }
        assert_eq!(counted(thrice.clone()).len(), 0);
        open.extend(thrice);
        assert_eq!(counted(open)[0].open, 3);
    }

    #[test]
    fn larger_cells_do_not_include_what_smaller_ones_show() {
        let entropy = SeededEntropy::new(1);
        let home = cell(44.95);
        let mut alone = needs(&entropy, home, 9, 1);
        let before = counted(alone.clone());
        // Two more, hidden next door, change nothing that is shown anywhere.
        alone.extend(needs(&entropy, cell(44.96), 2, 1));
        assert_eq!(format!("{before:?}"), format!("{:?}", counted(alone)));
    }
}
