//! Many at the same instant, as several processes over one PostgreSQL server: whoever meets whom, what is
//! promised adds up, one of them wins, and the others are told properly.
//!
//! Needs a server: `MANYHANDS_TEST_POSTGRES=postgres://USER@127.0.0.1:PORT/postgres`, a role that may make
//! databases.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod races {
    mod acts;
    mod areas;
    mod caps;
    mod checks;
    mod database;
    mod doors;
    mod keys;
    mod pairs;
    mod people;
    mod scene;
    mod sweeps;
    mod tasks;
    mod waits;
    mod world;
}
mod support;
