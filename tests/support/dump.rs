//! Everything that a database holds, as text: to see that nothing changed, or what did.

use std::collections::BTreeSet;
use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::Text;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(conn: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let lines: Vec<Line> = diesel::sql_query(sql).load(conn).unwrap();
    lines.into_iter().map(|l| l.line).collect()
}

/// Every row of every table, each column with its name, sorted.
pub fn rows(database: &Path) -> BTreeSet<String> {
    assert!(database.exists(), "{}", database.display());
    let mut conn = SqliteConnection::establish(&database.to_string_lossy()).unwrap();
    let conn = &mut conn;
    let tables = lines(
        conn,
        "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    );
    let mut all = BTreeSet::new();
    for table in tables {
        let columns = lines(
            conn,
            &format!("SELECT name AS line FROM pragma_table_info('{table}')"),
        );
        let row: Vec<String> = columns
            .iter()
            .map(|c| format!("'{c}=' || quote({c})"))
            .collect();
        let row = row.join(" || ' ' || ");
        let rows = lines(conn, &format!("SELECT {row} AS line FROM {table}"));
        all.extend(rows.into_iter().map(|r| format!("{table}: {r}")));
    }
    all
}
