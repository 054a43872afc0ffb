//! What the doctor looks at where the database is a server's. Nothing here changes anything.

use tokio::task::spawn_blocking;

use super::Finding;
use crate::actions::activate_key::ALIVE;
use crate::domain::clock::{Clock, SystemClock, Ts};
use crate::storage::clocks::LIMIT;
use crate::storage::postgres::{Server, Survey, survey};
use crate::storage::{Db, StorageError, instances};

/// The oldest version that the program is tried with.
const OLDEST: i32 = 150_000;

/// What the server tells; and whether its database has our tables, if it answers.
pub(super) async fn examine(server: &Server) -> (Vec<Finding>, Option<bool>) {
    let asked = server.clone();
    let before = SystemClock.now();
    let answer = spawn_blocking(move || survey(&asked)).await;
    let after = SystemClock.now();
    match answer {
        Ok(Ok(told)) => (
            vec![
                version(&told),
                encryption(server, &told),
                clocks(before, told.clock, after),
                durability(&told),
            ],
            Some(told.has_tables),
        ),
        Ok(Err(error)) => (vec![Finding::fail("server", error.to_string())], None),
        Err(_) => (vec![Finding::fail("server", "the check was cut off")], None),
    }
}

fn version(told: &Survey) -> Finding {
    const NAME: &str = "server";
    let version = &told.version;
    if told.is_standby {
        return Finding::fail(
            NAME,
            format!(
                "PostgreSQL {version}, which follows another server: nothing can be written to it"
            ),
        );
    }
    if told.version_number < OLDEST {
        let detail = format!("PostgreSQL {version} is older than what Manyhands is tried with: 15");
        return Finding::warn(NAME, detail);
    }
    Finding::ok(NAME, format!("PostgreSQL {version}"))
}

fn encryption(server: &Server, told: &Survey) -> Finding {
    const NAME: &str = "encryption";
    match &told.tls {
        Some(how) => Finding::ok(NAME, format!("the connection is encrypted: {how}")),
        None if server.is_local() => Finding::ok(NAME, "not needed: the server is on this machine"),
        None => Finding::warn(
            NAME,
            "whoever is on the network in between can read along (database.plaintext)",
        ),
    }
}

fn clocks(before: Ts, server: Ts, after: Ts) -> Finding {
    const NAME: &str = "clocks";
    // The server answered at some time in between.
    let (ahead, behind) = (server.since(after), before.since(server));
    match ahead.max(behind) {
        apart if apart > LIMIT => Finding::warn(
            NAME,
            format!(
                "the server's shows {server}, this machine's {after}: let both follow the network's time"
            ),
        ),
        apart => Finding::ok(NAME, format!("less than {} s apart", apart.as_secs() + 1)),
    }
}

fn durability(told: &Survey) -> Finding {
    const NAME: &str = "durability";
    if !told.careless.is_empty() {
        let detail = format!("a power cut may damage the database: {}", told.careless);
        return Finding::fail(NAME, detail);
    }
    match (told.has_checksums, told.damaged_pages) {
        (_, damaged @ 1..) => Finding::fail(NAME, format!("the disk has damaged {damaged} pages")),
        (true, _) => Finding::ok(
            NAME,
            "what is acknowledged is on disk; pages have checksums",
        ),
        (false, _) => Finding::ok(
            NAME,
            "what is acknowledged is on disk; pages have no checksums",
        ),
    }
}

/// Whether the server has room for the processes that are there, and for one more while they are replaced.
pub(super) async fn connections(db: &Db, server: &Server) -> Finding {
    const NAME: &str = "connections";
    let since = SystemClock.now().before(ALIVE);
    let read = move |conn: &mut _| Ok::<_, StorageError>(instances::seen_since(conn, since)?.len());
    let processes = match db.read(read).await {
        Ok(processes) => u32::try_from(processes).unwrap_or(u32::MAX).max(1),
        Err(error) => return Finding::fail(NAME, error.to_string()),
    };
    let asked = server.clone();
    match spawn_blocking(move || survey(&asked)).await {
        Ok(Ok(told)) => room(server, processes, &told),
        _ => Finding::fail(NAME, "the server does not say how many it has"),
    }
}

fn room(server: &Server, processes: u32, told: &Survey) -> Finding {
    const NAME: &str = "connections";
    let options = &server.options;
    let each = options.connections + options.worker_connections;
    let (wanted, there) = (
        each.saturating_mul(processes),
        told.connections.unsigned_abs(),
    );
    let detail = format!(
        "{processes} x ({} + {}) = {wanted} at the most, of {there}; {} in use now, by anybody",
        options.connections, options.worker_connections, told.connections_in_use
    );
    if wanted > there {
        let detail =
            format!("{detail}: too many; lower database.connections or raise max_connections");
        return Finding::fail(NAME, detail);
    }
    if wanted.saturating_add(each) > there {
        let detail = format!("{detail}: no room for one more process while they are replaced");
        return Finding::warn(NAME, detail);
    }
    Finding::ok(NAME, detail)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::doctor::Level;
    use crate::storage::DatabaseUrl;

    fn server(url: &str) -> Server {
        match url.parse() {
            Ok(DatabaseUrl::Postgres(server)) => server,
            _ => panic!("{url}"),
        }
    }

    fn healthy() -> Survey {
        Survey {
            version: "17.2".to_owned(),
            version_number: 170_002,
            tls: None,
            connections: 97,
            connections_in_use: 3,
            clock: Ts::EPOCH,
            has_checksums: true,
            damaged_pages: 0,
            is_standby: false,
            careless: String::new(),
            has_tables: true,
        }
    }

    #[test]
    fn what_is_wrong_with_a_server_is_found() {
        let ok = healthy();
        assert_eq!(version(&ok).level, Level::Ok);
        assert_eq!(durability(&ok).level, Level::Ok);
        let standby = Survey {
            is_standby: true,
            ..ok.clone()
        };
        assert_eq!(version(&standby).level, Level::Fail);
        let old = Survey {
            version_number: 140_009,
            ..ok.clone()
        };
        assert_eq!(version(&old).level, Level::Warn);
        let careless = Survey {
            careless: "fsync = off".to_owned(),
            ..ok.clone()
        };
        assert_eq!(durability(&careless).level, Level::Fail);
        let damaged = Survey {
            damaged_pages: 1,
            ..ok.clone()
        };
        assert_eq!(durability(&damaged).level, Level::Fail);
        let (near, far) = (
            server("postgres://u@localhost/d"),
            server("postgres://u@db/d"),
        );
        assert_eq!(encryption(&near, &ok).level, Level::Ok);
        assert_eq!(encryption(&far, &ok).level, Level::Warn);
        let encrypted = Survey {
            tls: Some("TLSv1.3".to_owned()),
            ..ok
        };
        assert_eq!(encryption(&far, &encrypted).level, Level::Ok);
    }

    #[test]
    fn too_many_connections_and_clocks_that_differ_are_found() {
        // 12 and 4 for each process.
        let (near, told) = (server("postgres://u@localhost/d"), healthy());
        assert_eq!(room(&near, 5, &told).level, Level::Ok);
        assert_eq!(room(&near, 6, &told).level, Level::Warn);
        assert_eq!(room(&near, 7, &told).level, Level::Fail);
        let now = Ts::EPOCH.after(LIMIT * 10);
        assert_eq!(clocks(now, now, now).level, Level::Ok);
        let second = Duration::from_secs(1);
        assert_eq!(clocks(now, now.after(LIMIT), now).level, Level::Ok);
        assert_eq!(
            clocks(now, now.after(LIMIT + second), now).level,
            Level::Warn
        );
        assert_eq!(
            clocks(now, now.before(LIMIT + second), now).level,
            Level::Warn
        );
    }
}
