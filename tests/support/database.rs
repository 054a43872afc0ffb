//! The database of a test, its own: a file, or, where `MANYHANDS_TEST_DATABASE` is `postgres`, a database on the
//! server that `MANYHANDS_TEST_POSTGRES` names.
//!
//! There it is copied from one that has every table already, which is made once for each state of the
//! migrations, by whichever test comes first; and it is dropped at the test's end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::server::{self, ServerDatabase, server_url, url_of};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use manyhands::storage::{DatabaseUrl, Db};

/// The tests that are about the ways of SQLite, each with the reason why it says nothing of a server. The same
/// promises are kept there by other means, which have tests of their own.
const SQLITE_ONLY: &[(&str, &str)] = &[
    (
        "what_is_erased_is_in_no_file_after_the_next_checkpoint",
        "the files of a server are not ours to search; there the key is destroyed",
    ),
    (
        "an_erased_note_is_gone_from_the_files",
        "the files of a server are not ours to search; there the key is destroyed",
    ),
    (
        "a_checkpoint_empties_the_log",
        "the log of a server is not ours to empty",
    ),
    (
        "many_writes_share_one_commit",
        "a server commits every write by itself, many at a time",
    ),
    (
        "who_waits_to_write_is_not_overtaken_by_a_busy_process",
        "a server lets writers of several processes work at the same time",
    ),
    (
        "a_write_that_was_given_up_waits_like_the_others_and_is_left_out",
        "a server has no line of writes: whoever is let in is at work",
    ),
    (
        "what_runs_by_the_clock_finds_its_rows_by_an_index",
        "how a server finds rows depends on what is in its tables; it has the same indexes",
    ),
    (
        "sqlite_is_built_as_the_project_asks",
        "a server is somebody else's to build",
    ),
    (
        "no_file_holds_an_address_or_a_key_in_clear",
        "reads the files of a database",
    ),
];

/// Whether this test has nothing to say, because it is about SQLite and runs on a server; `tests/run`
/// counts those. Its name has to be in the list above.
#[track_caller]
pub fn is_left_out() -> bool {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or_default();
    let short = name.rsplit("::").next().unwrap_or_default();
    assert!(
        SQLITE_ONLY.iter().any(|(listed, _)| *listed == short),
        "{name} is not in the list of tests/support/database.rs"
    );
    if !on_postgres() {
        return false;
    }
    if let Some(list) = std::env::var_os("MANYHANDS_TEST_SQLITE_ONLY") {
        use std::io::Write;
        let mut list = std::fs::File::options()
            .append(true)
            .create(true)
            .open(list)
            .unwrap();
        // In one piece, because others write there too.
        list.write_all(format!("{name}\n").as_bytes()).unwrap();
    }
    true
}

/// Whether tests run on a server.
pub fn on_postgres() -> bool {
    match std::env::var("MANYHANDS_TEST_DATABASE").as_deref() {
        Ok("postgres") => true,
        Ok("sqlite") | Err(_) => false,
        Ok(other) => panic!("MANYHANDS_TEST_DATABASE is {other}: it must be sqlite or postgres"),
    }
}

/// What differs in a statement that a test writes itself.
pub fn sql<'a>(sqlite: &'a str, postgres: &'a str) -> &'a str {
    if on_postgres() { postgres } else { sqlite }
}

/// A database that nobody else uses.
pub struct TestDatabase {
    url: String,
    kind: Kind,
}

enum Kind {
    File(PathBuf),
    Server(ServerDatabase),
}

impl TestDatabase {
    /// One with all tables and no rows; a file is made below `dir` when it is opened.
    pub fn new(dir: &Path) -> Self {
        if on_postgres() {
            return Self::on_server(ServerDatabase::copied_from(&template()));
        }
        Self::file(dir.join("data/manyhands.db"))
    }

    /// One without any table.
    pub fn empty(dir: &Path) -> Self {
        if on_postgres() {
            return Self::on_server(ServerDatabase::empty());
        }
        Self::file(dir.join("empty.db"))
    }

    fn file(path: PathBuf) -> Self {
        Self {
            url: format!("sqlite:{}", path.display()),
            kind: Kind::File(path),
        }
    }

    fn on_server(database: ServerDatabase) -> Self {
        Self {
            url: database.url.clone(),
            kind: Kind::Server(database),
        }
    }

    /// Another one that holds the same. Whoever is connected to this one is cut off, if it is a server's.
    pub fn copy(&self) -> Self {
        match &self.kind {
            Kind::File(path) => {
                static COUNT: AtomicU32 = AtomicU32::new(0);
                let count = COUNT.fetch_add(1, Ordering::Relaxed);
                let to = path.with_extension(format!("copy{count}"));
                for ending in ["", "-wal"] {
                    let file = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
                    std::fs::copy(file(path), file(&to)).unwrap();
                }
                Self::file(to)
            }
            Kind::Server(ServerDatabase { name, .. }) => {
                let cut_off = format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
                );
                server::execute(&mut server::connect(&server_url()), &cut_off);
                Self::on_server(ServerDatabase::copied_from(name))
            }
        }
    }

    /// As the settings have it.
    pub fn setting(&self) -> String {
        self.url.clone()
    }

    pub fn url(&self) -> DatabaseUrl {
        self.url.parse().unwrap()
    }

    /// Opens its doors.
    pub fn open(&self) -> Db {
        Db::open(&self.url()).unwrap()
    }

    /// A connection that knows no doors, as somebody has it who has got hold of the database.
    pub fn connect(&self) -> Raw {
        match &self.kind {
            Kind::File(path) => {
                assert!(path.exists(), "{}", path.display());
                Raw::Sqlite(SqliteConnection::establish(&path.to_string_lossy()).unwrap())
            }
            Kind::Server(database) => Raw::Postgres(database.connect()),
        }
    }

    /// The first connection to one that nobody has opened yet.
    pub fn connect_new(&self) -> Raw {
        if let Kind::File(path) = &self.kind {
            std::fs::File::create_new(path).unwrap();
        }
        self.connect()
    }

    /// Every row of every table, each column with its name, sorted.
    pub fn rows(&self) -> BTreeSet<String> {
        let mut conn = self.connect();
        let mut all = BTreeSet::new();
        for table in conn.tables() {
            let columns = conn.columns(&table);
            let quoted = |c: &String| match &conn {
                Raw::Sqlite(_) => format!("'{c}=' || quote({c})"),
                // As JSON has it, in which an instant is one word.
                Raw::Postgres(_) => format!("'{c}=' || quote_nullable(to_jsonb({c}) #>> '{{}}')"),
            };
            let row: Vec<String> = columns.iter().map(quoted).collect();
            let row = row.join(" || ' ' || ");
            let rows = conn.lines(&format!("SELECT {row} AS line FROM {table}"));
            all.extend(rows.into_iter().map(|r| format!("{table}: {r}")));
        }
        all
    }
}

/// A connection past the doors.
pub enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Raw {
    pub fn try_execute(&mut self, sql: &str) -> QueryResult<()> {
        match self {
            Self::Sqlite(c) => c.batch_execute(sql),
            Self::Postgres(c) => c.batch_execute(sql),
        }
    }

    #[track_caller]
    pub fn execute(&mut self, sql: &str) {
        self.try_execute(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// What a query gives for its only column, `line`.
    #[track_caller]
    pub fn lines(&mut self, sql: &str) -> Vec<String> {
        let query = diesel::sql_query(sql);
        let lines: QueryResult<Vec<Line>> = match self {
            Self::Sqlite(c) => query.load(c),
            Self::Postgres(c) => query.load(c),
        };
        let lines = lines.unwrap_or_else(|error| panic!("{sql}: {error}"));
        lines.into_iter().map(|l| l.line).collect()
    }

    /// The names of a table's columns, in their order.
    pub fn columns(&mut self, table: &str) -> Vec<String> {
        let all = match self {
            Self::Sqlite(_) => {
                format!("SELECT name AS line FROM pragma_table_info('{table}') ORDER BY cid")
            }
            Self::Postgres(_) => format!(
                "SELECT column_name::text AS line FROM information_schema.columns
                 WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
            ),
        };
        self.lines(&all)
    }

    /// The names of the tables, without those that a backend or diesel keeps for itself.
    pub fn tables(&mut self) -> Vec<String> {
        let all = match self {
            Self::Sqlite(_) => {
                "SELECT name AS line FROM sqlite_master WHERE type = 'table'
                                AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
            }
            Self::Postgres(_) => {
                "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = 'public'"
            }
        };
        let all = self.lines(all).into_iter();
        all.filter(|name| !name.starts_with("__diesel")).collect()
    }
}

/// The name of the database that all others are copied from; makes it where there is none. Programs that
/// come at the same time wait for each other.
fn template() -> String {
    /// Any number that nothing else takes.
    const TURN: i64 = 0x6d61_6e79_7465_7374;
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let name = format!("manyhands_template_{}", fingerprint());
        let mut server = server::connect(&server_url());
        server::execute(&mut server, &format!("SELECT pg_advisory_lock({TURN})"));
        let known =
            format!("SELECT datname::text AS line FROM pg_database WHERE datname = '{name}'");
        let known: Vec<Line> = diesel::sql_query(known).load(&mut server).unwrap();
        if known.is_empty() {
            // Under another name until it is whole.
            let making = format!("{name}_new");
            server::execute(
                &mut server,
                &format!("DROP DATABASE IF EXISTS {making} WITH (FORCE)"),
            );
            server::execute(
                &mut server,
                &format!("CREATE DATABASE {making} TEMPLATE template0"),
            );
            Db::migrate(&url_of(&making).parse().unwrap()).unwrap();
            server::execute(
                &mut server,
                &format!("ALTER DATABASE {making} RENAME TO {name}"),
            );
        }
        // The turn ends with the connection.
        name
    })
    .clone()
}

/// What the migrations say, in short: a server that outlives the tests must not serve old tables.
fn fingerprint() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
    let mut files: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|folder| folder.unwrap().path().join("up.sql"))
        .collect();
    files.sort();
    let mut hasher = blake3::Hasher::new();
    for file in files {
        hasher.update(&std::fs::read(file).unwrap());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}
