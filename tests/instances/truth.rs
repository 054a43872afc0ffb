//! What holds at every instant, asked of the database behind everybody's back.

use diesel::PgConnection;

use super::database::{lines, number};
use crate::support::promises::PROMISES;

/// Beside what is promised. Each counts what must not be: one statement, so that it sees one instant.
const NEVER: &[(&str, &str)] = &[
    (
        "somebody is asked for what is not open",
        "SELECT count(*) AS n FROM matches m JOIN requests r ON r.id = m.request_id
            WHERE m.state IN ('proposed', 'notified') AND r.state <> 'open'",
    ),
    (
        "a letter without an end that nobody is to send",
        "SELECT count(*) AS n FROM letters WHERE (state = 'queued') = (settled_at IS NOT NULL)",
    ),
];

/// Panics if anything is not as it must be.
///
/// # Errors
/// The server is away.
#[track_caller]
pub fn check(conn: &mut PgConnection) -> diesel::QueryResult<()> {
    for (holds, wrong) in PROMISES {
        let rows = lines(conn, wrong)?;
        assert!(rows.is_empty(), "{holds}, but not of {rows:?}");
    }
    for (what, sql) in NEVER {
        let found = number(conn, sql)?;
        assert_eq!(found, 0, "{what}");
    }
    Ok(())
}

/// Of each letter that was sent: its id, and how often it was begun.
pub fn sent(conn: &mut PgConnection) -> Vec<(String, usize)> {
    let sql = "SELECT id || ' ' || attempts AS line FROM letters WHERE state = 'sent'";
    let split = |line: String| {
        let (id, attempts) = line.split_once(' ').unwrap();
        (id.to_owned(), attempts.parse().unwrap())
    };
    lines(conn, sql).unwrap().into_iter().map(split).collect()
}
