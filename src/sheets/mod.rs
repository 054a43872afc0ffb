//! From and to spreadsheets.
//!
//! A file becomes text (`text`), the text a table (`table`); a mapping (`mapping`), given or guessed from the
//! heads (`guess`), says which column holds which of our fields; and each row goes through the very parsing
//! that the bodies of calls go through (`row`), so that limits and messages are the same. `run` takes the
//! rows in, some at a time. `export` writes tables, with heads that are read again without a mapping.
//!
//! Nothing here repeats what a cell says: reports name columns and what was expected. To add a field: its
//! name and the heads it goes by in `fields`, and its place in `row`.

mod cells;
mod dates;
pub mod export;
mod fields;
pub mod guess;
pub mod hsds;
pub mod mapping;
mod opening;
mod phone;
pub mod plan;
pub mod row;
pub mod run;
mod seen;
pub mod table;
mod text;

#[cfg(test)]
mod tests;
