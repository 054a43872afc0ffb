//! What holds at every instant, asked of the database behind everybody's back.

use diesel::PgConnection;

use super::database::{lines, number};

/// Each counts what must not be: one statement, so that it sees one instant.
const NEVER: &[(&str, &str)] = &[
    (
        "an offer is promised beyond what it has",
        "SELECT count(*) AS n FROM offer_capacity WHERE taken < 0 OR taken > capacity",
    ),
    (
        "a request is covered beyond what it needs",
        "SELECT count(*) AS n FROM requests WHERE covered < 0 OR covered > quantity
            OR (state = 'covered') <> (covered = quantity AND state IN ('open', 'covered'))",
    ),
    (
        "cover is not what the matches hold",
        "SELECT count(*) AS n FROM requests r WHERE state <> 'closed' AND covered <>
            (SELECT coalesce(sum(taken), 0) FROM matches m WHERE m.request_id = r.id AND m.state IN ('accepted', 'fulfilled'))",
    ),
    (
        "capacity is not what the matches hold",
        "SELECT count(*) AS n FROM offer_capacity c WHERE taken <>
            (SELECT coalesce(sum(m.taken), 0) FROM matches m WHERE m.offer_id = c.offer_id
             AND m.period_start = c.period_start AND m.state IN ('accepted', 'fulfilled'))",
    ),
    (
        "two active matches of one pair",
        "SELECT count(*) AS n FROM (SELECT 1 FROM matches WHERE state IN ('proposed', 'notified', 'accepted')
            GROUP BY request_id, offer_id HAVING count(*) > 1) AS doubled",
    ),
    (
        "somebody is asked for what is not open",
        "SELECT count(*) AS n FROM matches m JOIN requests r ON r.id = m.request_id
            WHERE m.state IN ('proposed', 'notified') AND r.state <> 'open'",
    ),
    (
        "a release without its audit, or with more than one",
        "SELECT count(*) AS n FROM matches m WHERE released_at IS NOT NULL AND
            (SELECT count(*) FROM audit a WHERE a.subject_id = m.id AND a.action IN ('contacts_released', 'address_released')) <> 1",
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
