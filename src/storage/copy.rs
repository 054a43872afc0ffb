//! Carries a town from one database to another, whichever kind each of them is, and compares the two row
//! by row.
//!
//! All of it arrives in one transaction, which is kept only if every row that was read back is what it was:
//! whoever opens the target sees nothing of the town, or all of it, and after an abort the copy simply
//! begins anew. Nobody writes to the source meanwhile, and when it is done the source is locked: two that are
//! served would send every letter twice. What is sealed is carried as it is, without any key.
//!
//! A new table gets its line in `tables`; a test says so.

mod row;
mod tables;

use std::time::Duration;

use self::tables::{LEFT, TABLES};
use super::connection::{Conn, DatabaseUrl};
use super::db::{Db, OpenError};
use super::dialect;
use super::{clocks, instances, meta};
use crate::domain::clock::Ts;

/// Why nothing was copied, or compared.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A database does not open, or its schema cannot be brought up to date.
    #[error("{0}: {1}")]
    Open(Side, #[source] OpenError),
    /// A query failed.
    #[error("{side}, table {table}: {source}")]
    Query {
        /// Where; the target where it may be either.
        side: Side,
        /// The table, or what was done to all.
        table: &'static str,
        /// What the database says.
        source: diesel::result::Error,
    },
    /// Another version of the program made it.
    #[error(
        "the schema of {0} is not up to date: run `manyhands migrate` with it as database.url, then again"
    )]
    Outdated(Side),
    /// A process serves the source.
    #[error(
        "a process was serving {0} as lately as {1}: stop it (systemctl stop manyhands; wait 90 s if it was killed), then again"
    )]
    InUse(Side, Ts),
    /// The copy is complete, but the source stayed open.
    #[error(
        "all of it was copied and is the same, but the source could not be locked: {0}. Let no process serve it (`manyhands lock` with it as database.url)"
    )]
    StillOpen(#[source] diesel::result::Error),
    /// The target has a town already.
    #[error("the target is not empty; nothing was changed. It has rows in: {}. Make a new database for the copy", listed(.0))]
    NotEmpty(Vec<Counted>),
}

/// One of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What is copied.
    Source,
    /// Where it goes.
    Target,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Source => "the source",
            Self::Target => "the target",
        })
    }
}

/// A table, and how many rows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Its name.
    pub table: &'static str,
    /// How many rows.
    pub rows: u64,
}

/// Where a row is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its table.
    pub table: &'static str,
    /// What it is found by; of a hash, the beginning.
    pub key: String,
    /// In what way.
    pub kind: Kind,
}

/// How two databases differ in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The target has it not.
    Missing,
    /// The source has it not.
    Added,
    /// A column has another value.
    Differs,
}

impl Kind {
    /// In one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Added => "added",
            Self::Differs => "differs",
        }
    }
}

/// What was done with two databases.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// How many rows of each table were looked at in the source.
    pub tables: Vec<Counted>,
    /// The first differences.
    pub differences: Vec<Difference>,
    /// How many differences there are in all.
    pub different: u64,
    /// Whether the source was locked before; the copy is then too.
    pub was_locked: bool,
}

/// What a copy has to know beside the databases.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The present instant; a server's own clock is believed more.
    pub now: Ts,
    /// A process that was seen within this time serves the source still.
    pub alive: Duration,
    /// Whether the source is not locked afterward.
    pub keep_open: bool,
}

/// What is going on.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Copying, or comparing.
    pub comparing: bool,
    /// The table.
    pub table: &'static str,
    /// Rows done with, of all tables.
    pub done: u64,
    /// Rows of all tables.
    pub all: u64,
}

/// Differences that are named.
const NAMED: usize = 20;

/// Copies all of `from` into `to`, whose schema is made first, reads everything back, and keeps it only
/// if nothing differs. Then the source is locked, in such a way that the copy is not.
///
/// # Errors
/// A source in use, a target that is not empty, schemas of other versions, a failed query. Nothing of the
/// town is in the target then, unless it is said that only the lock failed.
pub fn copy(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    terms: Terms,
    mut told: impl FnMut(Progress),
) -> Result<Compared, CopyError> {
    let mut source = open(from, Side::Source)?;
    Db::migrate(to).map_err(|error| CopyError::Open(Side::Target, error))?;
    let mut target = open(to, Side::Target)?;
    // Before anything is locked, which would be in the way of whoever serves; and again, when nobody can begin.
    must_be_idle(&mut source, terms)?;
    hold(&mut source, Side::Source)?;
    must_be_idle(&mut source, terms)?;
    hold(&mut target, Side::Target)?;
    must_be_empty(&mut target)?;
    let mut work = Work::new(&mut source, false, &mut told)?;
    for table in TABLES {
        let copied = (table.copy)(&mut source, &mut target, &mut |rows| {
            work.step(table.name, rows);
        });
        copied.map_err(of(Side::Target, table.name))?;
    }
    dialect::number_on(&mut target, "audit", "seq").map_err(of(Side::Target, "audit"))?;
    let mut compared = compare_held(&mut source, &mut target, &mut told)?;
    compared.was_locked = meta::is_locked(&mut source).map_err(of(Side::Source, "meta"))?;
    if compared.different > 0 {
        return Ok(compared);
    }
    // Written before the copy is kept, so that hardly anything can go wrong in between.
    if !terms.keep_open {
        meta::lock(&mut source, terms.now).map_err(of(Side::Source, "meta"))?;
    }
    target.execute("COMMIT").map_err(of(Side::Target, "all"))?;
    source.execute("COMMIT").map_err(CopyError::StillOpen)?;
    Ok(compared)
}

/// Reads both databases and tells how they differ, but for the lock that a copy leaves behind. Changes nothing; what is written to either of them
/// meanwhile is not seen.
///
/// # Errors
/// Schemas of other versions, a failed query.
pub fn compare(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    mut told: impl FnMut(Progress),
) -> Result<Compared, CopyError> {
    let mut source = open(from, Side::Source)?;
    let mut target = open(to, Side::Target)?;
    dialect::look(&mut source).map_err(of(Side::Source, "all"))?;
    dialect::look(&mut target).map_err(of(Side::Target, "all"))?;
    compare_held(&mut source, &mut target, &mut told)
}

fn compare_held(
    source: &mut Conn,
    target: &mut Conn,
    told: &mut dyn FnMut(Progress),
) -> Result<Compared, CopyError> {
    let mut compared = Compared::default();
    let mut work = Work::new(source, true, told)?;
    for table in TABLES {
        let mut rows = 0;
        let mut found = |difference| {
            if is_lock_of_copy(&difference) {
                return;
            }
            compared.different += 1;
            if compared.differences.len() < NAMED {
                compared.differences.push(difference);
            }
        };
        let mut step = |more| {
            rows += more as u64;
            work.step(table.name, more);
        };
        (table.compare)(source, target, &mut step, &mut found)
            .map_err(of(Side::Target, table.name))?;
        compared.tables.push(Counted {
            table: table.name,
            rows,
        });
    }
    Ok(compared)
}

fn is_lock_of_copy(difference: &Difference) -> bool {
    difference.table == "meta"
        && difference.key == meta::LOCKED_AT
        && difference.kind == Kind::Missing
}

/// Opens a database whose schema is that of this program.
fn open(url: &DatabaseUrl, side: Side) -> Result<Conn, CopyError> {
    let mut conn = Conn::open(url).map_err(|error| CopyError::Open(side, error.into()))?;
    match conn.has_pending_migration() {
        Ok(false) => Ok(conn),
        Ok(true) => Err(CopyError::Outdated(side)),
        Err(error) => Err(CopyError::Open(side, OpenError::Migrate(error))),
    }
}

fn of(side: Side, table: &'static str) -> impl FnOnce(diesel::result::Error) -> CopyError {
    move |source| CopyError::Query {
        side,
        table,
        source,
    }
}

fn must_be_idle(source: &mut Conn, terms: Terms) -> Result<(), CopyError> {
    let now = clocks::judge(source, terms.now).map_err(of(Side::Source, "instances"))?;
    let since = now.before(terms.alive);
    let seen = instances::seen_since(source, since).map_err(of(Side::Source, "instances"))?;
    match seen.iter().map(|process| process.seen_at).max() {
        Some(at) => Err(CopyError::InUse(Side::Source, at)),
        None => Ok(()),
    }
}

fn must_be_empty(target: &mut Conn) -> Result<(), CopyError> {
    let mut full = Vec::new();
    let tables = TABLES.iter().map(|table| (table.name, table.count));
    for (table, count) in tables.chain(LEFT.iter().copied()) {
        let rows = count(target).map_err(of(Side::Target, table))?;
        if rows > 0 {
            full.push(Counted {
                table,
                rows: rows.unsigned_abs(),
            });
        }
    }
    match full.is_empty() {
        true => Ok(()),
        false => Err(CopyError::NotEmpty(full)),
    }
}

fn listed(tables: &[Counted]) -> String {
    let tables: Vec<_> = tables
        .iter()
        .map(|table| format!("{} ({})", table.table, table.rows))
        .collect();
    tables.join(", ")
}

/// How far it is.
struct Work<'a> {
    comparing: bool,
    done: u64,
    all: u64,
    told: &'a mut dyn FnMut(Progress),
}

impl<'a> Work<'a> {
    fn new(
        source: &mut Conn,
        comparing: bool,
        told: &'a mut dyn FnMut(Progress),
    ) -> Result<Self, CopyError> {
        let mut all = 0;
        for table in TABLES {
            let rows = (table.count)(source).map_err(of(Side::Source, table.name))?;
            all += rows.unsigned_abs();
        }
        Ok(Self {
            comparing,
            done: 0,
            all,
            told,
        })
    }

    fn step(&mut self, table: &'static str, rows: usize) {
        self.done += rows as u64;
        (self.told)(Progress {
            comparing: self.comparing,
            table,
            done: self.done,
            all: self.all,
        });
    }
}

fn hold(conn: &mut Conn, side: Side) -> Result<(), CopyError> {
    let tables = TABLES.iter().map(|table| table.name);
    let tables: Vec<_> = tables.chain(LEFT.iter().map(|(name, _)| *name)).collect();
    dialect::hold(conn, &tables).map_err(of(side, "all"))
}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;
    use diesel::sql_types::Text;

    use super::*;
    use crate::storage::connection::with;

    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text)]
        line: String,
    }

    fn lines(conn: &mut Conn, sql: &str) -> Vec<String> {
        let lines: QueryResult<Vec<Line>> = with!(conn, c => diesel::sql_query(sql).load(c));
        lines.unwrap().into_iter().map(|row| row.line).collect()
    }

    #[test]
    fn every_table_is_copied_after_those_it_refers_to_or_left_for_a_reason() {
        let dir = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(dir.path().join("test.db"));
        Db::migrate(&url).unwrap();
        let mut conn = Conn::open(&url).unwrap();
        let mut there = lines(
            &mut conn,
            "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%sqlite_%' AND name NOT LIKE '%diesel%' ORDER BY name",
        );
        for (at, table) in TABLES.iter().enumerate() {
            let referred = format!(
                "SELECT DISTINCT \"table\" AS line FROM pragma_foreign_key_list('{}')",
                table.name
            );
            for other in lines(&mut conn, &referred) {
                let before = &TABLES[..at];
                assert!(
                    before.iter().any(|table| table.name == other),
                    "{} before {other}",
                    table.name
                );
            }
        }
        let copied = TABLES.iter().map(|table| table.name);
        let left = LEFT.iter().map(|(name, _)| *name);
        let mut known: Vec<_> = copied.chain(left).map(str::to_owned).collect();
        known.sort();
        there.sort();
        assert_eq!(known, there);
    }
}
