//! The tables: the same on both backends, as the schema in Rust has them, and gone without a trace when
//! the migrations are undone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use diesel::prelude::*;
use diesel_migrations::MigrationHarness;
use manyhands::storage::connection::{POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS};
use manyhands::storage::schema;

use crate::database::{Raw, TestDatabase};

/// Applies all migrations.
fn up(conn: &mut Raw) -> usize {
    match conn {
        Raw::Sqlite(c) => c.run_pending_migrations(SQLITE_MIGRATIONS).unwrap().len(),
        Raw::Postgres(c) => c.run_pending_migrations(POSTGRES_MIGRATIONS).unwrap().len(),
    }
}

/// Applies the next one, if there is one.
fn step_up(conn: &mut Raw) -> bool {
    let done = match conn {
        Raw::Sqlite(c) => c
            .has_pending_migration(SQLITE_MIGRATIONS)
            .map(|any| any && c.run_next_migration(SQLITE_MIGRATIONS).is_ok()),
        Raw::Postgres(c) => c
            .has_pending_migration(POSTGRES_MIGRATIONS)
            .map(|any| any && c.run_next_migration(POSTGRES_MIGRATIONS).is_ok()),
    };
    done.unwrap()
}

/// Undoes the last one.
fn step_down(conn: &mut Raw) {
    match conn {
        Raw::Sqlite(c) => c.revert_last_migration(SQLITE_MIGRATIONS).map(drop),
        Raw::Postgres(c) => c.revert_last_migration(POSTGRES_MIGRATIONS).map(drop),
    }
    .unwrap();
}

/// Everything that the migrations have made, by its kind and name, as the database describes it. What a
/// backend and diesel keep for themselves is not ours.
fn description(conn: &mut Raw) -> BTreeMap<String, String> {
    const SQLITE: &str = "
        SELECT type || ' ' || name || char(9) || coalesce(sql, '') AS line FROM sqlite_master
        WHERE tbl_name NOT LIKE 'sqlite!_%' ESCAPE '!' AND tbl_name NOT LIKE '!_!_diesel%' ESCAPE '!'";
    const POSTGRES: &str = "
        WITH ours AS (SELECT oid, relname FROM pg_class
                      WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT LIKE '\\_\\_diesel%')
        SELECT 'column ' || relname || '.' || attname || E'\\t'
            || row_number() OVER (PARTITION BY attrelid ORDER BY attnum) || ' ' || format_type(atttypid, atttypmod)
            || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END || ' ' || attidentity::text
            || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '') AS line
        FROM pg_attribute JOIN ours ON ours.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT 'constraint ' || relname || '.' || conname || E'\\t' || pg_get_constraintdef(pg_constraint.oid)
        FROM pg_constraint JOIN ours ON ours.oid = conrelid
        UNION ALL
        SELECT 'index ' || indexrelid::regclass::text || E'\\t' || pg_get_indexdef(indexrelid)
        FROM pg_index JOIN ours ON ours.oid = indrelid
        UNION ALL
        SELECT 'trigger ' || relname || '.' || tgname || E'\\t' || pg_get_triggerdef(pg_trigger.oid)
        FROM pg_trigger JOIN ours ON ours.oid = tgrelid WHERE NOT tgisinternal
        UNION ALL
        SELECT 'function ' || proname || E'\\t' || pg_get_functiondef(pg_proc.oid)
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname NOT LIKE 'diesel\\_%'
        UNION ALL
        SELECT 'sequence ' || relname || E'\\t' FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'";
    let sql = match conn {
        Raw::Sqlite(_) => SQLITE,
        Raw::Postgres(_) => POSTGRES,
    };
    let split = |line: String| {
        let (name, what) = line.split_once('\t').unwrap();
        (name.to_owned(), what.to_owned())
    };
    conn.lines(sql).into_iter().map(split).collect()
}

#[test]
fn migrations_go_up_down_and_up_again() {
    let dir = tempfile::tempdir().unwrap();
    let database = TestDatabase::empty(dir.path());
    let mut conn = database.connect_new();
    let mut levels = vec![description(&mut conn)];
    assert_eq!(levels[0], BTreeMap::new());
    while step_up(&mut conn) {
        levels.push(description(&mut conn));
    }
    let up_to_date = levels.pop().unwrap();
    assert!(up_to_date.keys().any(|name| name.contains("letters_turn")));
    // Each is undone alone, and leaves what was there before it.
    for before in levels.iter().rev() {
        step_down(&mut conn);
        let after = description(&mut conn);
        if matches!(conn, Raw::Postgres(_)) {
            assert_eq!(after, *before);
        }
        // SQLite keeps the text of a table, to which a column that comes back gives another form.
        let (after, before) = (after.keys(), before.keys());
        assert!(after.eq(before.clone()), "{before:?}");
    }
    assert_eq!(description(&mut conn), BTreeMap::new(), "left behind");
    assert_eq!(up(&mut conn), levels.len());
    assert_eq!(description(&mut conn), up_to_date);
}

/// The names of the columns of each table, in their order, by the schema in Rust; and the proof that the
/// database can be asked for them.
macro_rules! columns_by_schema {
    ($conn:expr, $($table:ident)*) => {
        BTreeMap::from([$({
            let query = schema::$table::table.limit(0);
            match $conn {
                Raw::Sqlite(c) => query.execute(c),
                Raw::Postgres(c) => query.execute(c),
            }
            .unwrap();
            let text = diesel::debug_query::<diesel::sqlite::Sqlite, _>(&query).to_string();
            (stringify!($table).to_owned(), selected(&text))
        }),*])
    };
}

/// The columns in ``SELECT `t`.`a`, `t`.`b` FROM …``.
fn selected(sql: &str) -> Vec<String> {
    let (list, _) = sql.split_once(" FROM ").unwrap();
    let columns = list.strip_prefix("SELECT ").unwrap().split(", ");
    let name = |column: &str| {
        column
            .rsplit('.')
            .next()
            .unwrap()
            .trim_matches('`')
            .to_owned()
    };
    columns.map(name).collect()
}

#[test]
fn the_tables_are_what_the_schema_says() {
    let dir = tempfile::tempdir().unwrap();
    let database = TestDatabase::empty(dir.path());
    let mut conn = database.connect_new();
    up(&mut conn);
    let mut by_database = BTreeMap::new();
    for table in conn.tables() {
        let columns = conn.columns(&table);
        by_database.insert(table, columns);
    }
    let by_schema = columns_by_schema!(
        &mut conn,
        meta coordinators neighbors requests rounds volunteers offers offer_capacity sites matches blocks letters departures tokens
        changes audit audit_chain idempotency key_epochs instances statistics reports tasks areas
        plans plan_pairs imported_rows imports import_parts webhooks distinct_requests
    );
    assert_eq!(by_schema, by_database);
}

fn migrations(of: &str) -> BTreeMap<String, PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(of);
    let folders = fs::read_dir(root).unwrap().map(|folder| folder.unwrap());
    folders
        .map(|folder| (folder.file_name().into_string().unwrap(), folder.path()))
        .collect()
}

/// The indexes there are, by name.
type Indexes = BTreeMap<String, String>;

/// What a file of statements makes of the indexes that were there. A table takes its own along.
fn run(file: &Path, mut indexes: Indexes) -> Indexes {
    for line in fs::read_to_string(file).unwrap().lines() {
        let words: Vec<&str> = line.trim_end_matches(';').split(' ').collect();
        match words.as_slice() {
            // The change feed is followed by another column on PostgreSQL.
            ["CREATE" | "DROP", "INDEX", "changes_mark", ..] => {}
            ["CREATE", "INDEX", name, ..] | ["CREATE", "UNIQUE", "INDEX", name, ..] => {
                let before = indexes.insert((*name).to_owned(), line.to_owned());
                assert_eq!(before, None, "{}", file.display());
            }
            ["DROP", "INDEX", name] => {
                assert!(indexes.remove(*name).is_some(), "{name} {}", file.display());
            }
            ["DROP", "TABLE", table] => {
                indexes.retain(|_, made| !made.contains(&format!(" ON {table} (")));
            }
            _ => {}
        }
    }
    indexes
}

#[test]
fn both_backends_have_the_same_migrations_with_the_same_indexes() {
    let (sqlite, postgres) = (migrations("sqlite"), migrations("postgres"));
    assert!(sqlite.keys().eq(postgres.keys()), "{sqlite:?} {postgres:?}");
    assert!(sqlite.len() > 11);
    let mut before = Indexes::new();
    for (name, folder) in &sqlite {
        let other = &postgres[name];
        let after = run(&folder.join("up.sql"), before.clone());
        assert_eq!(after, run(&other.join("up.sql"), before.clone()), "{name}");
        for folder in [folder, other] {
            let undone = run(&folder.join("down.sql"), after.clone());
            assert_eq!(undone, before, "{}", folder.display());
        }
        before = after;
    }
    assert!(before.len() > 40);
}
