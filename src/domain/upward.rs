//! Counts that are too small to be shown where they are move to larger cells, level by level.

use std::collections::BTreeMap;

use super::place::Cell;

/// Moves what is too small in its cell to the parent cell, adds it up there, and goes on with that. A larger cell
/// never holds what a smaller one shows. Gives what is enough, by cell, and what is still too small over all the
/// world.
pub fn merge_upward<T: Default>(
    cells: BTreeMap<Cell, T>,
    is_enough: impl Fn(&T) -> bool,
    add: impl Fn(&mut T, T),
) -> (BTreeMap<Cell, T>, T) {
    let (mut done, mut rest) = (BTreeMap::new(), T::default());
    let mut level = cells;
    while let Some(finest) = level.keys().map(|c| c.resolution()).max() {
        let (now, mut coarser): (BTreeMap<_, _>, BTreeMap<_, _>) = level
            .into_iter()
            .partition(|(cell, _)| cell.resolution() == finest);
        for (cell, counted) in now {
            match cell.parent() {
                _ if is_enough(&counted) => {
                    done.insert(cell, counted);
                }
                Some(parent) => add(coarser.entry(parent).or_default(), counted),
                None => add(&mut rest, counted),
            }
        }
        level = coarser;
    }
    (done, rest)
}
