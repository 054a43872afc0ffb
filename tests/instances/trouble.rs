//! The server goes away, comes back, cuts connections, swallows what is sent, or is blocked: whoever calls is
//! told so in time, the log stays readable, and everything goes on by itself.

use diesel::Connection;
use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use super::database::{number, run};
use crate::cluster::{self, Cluster, Stop};
use crate::process::{Answer, Server, call, wait_for};
use crate::proxy::{Proxy, Way};

struct Stage {
    cluster: Cluster,
    proxy: Proxy,
    server: Server,
    _dir: tempfile::TempDir,
}

fn stage() -> Stage {
    let cluster = Cluster::start();
    cluster.create("trouble");
    let proxy = Proxy::to(cluster.port());
    let dir = tempfile::tempdir().unwrap();
    let env = [
        ("DATABASE__URL", cluster::url(proxy.port(), "trouble")),
        ("DATABASE__CONNECTIONS", "3".to_owned()),
        ("DATABASE__STATEMENT_TIMEOUT", "1s".to_owned()),
        ("LIMITS__MODE", "off".to_owned()),
        ("LOG__FILTER", "info".to_owned()),
    ];
    let env: Vec<(&str, &str)> = env.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let server = Server::start(dir.path(), &env);
    Stage {
        cluster,
        proxy,
        server,
        _dir: dir,
    }
}

fn body() -> Value {
    json!({"contact": {"name": "Mo", "phone": "+16125550123"}, "location": {"lat": 44.97, "lon": -93.26},
           "needs": [{"category": "food", "quantity": 2}]})
}

impl Stage {
    fn post(&self) -> Answer {
        self.server.post("/v1/requests", &[], &body()).unwrap()
    }

    fn admin(&self, path: &str) -> Answer {
        call(self.server.admin, "GET", path, &[], None).unwrap()
    }

    fn url(&self) -> String {
        self.cluster.url("trouble")
    }

    /// Everybody who calls is told to come back, and nobody is sent here; but it is not to be restarted.
    #[track_caller]
    fn is_away(&self) {
        wait_for("unreadiness", || {
            (self.admin("/readyz").status == 503).then_some(())
        });
        let server = &self.server;
        let answers = std::thread::scope(|scope| {
            let post = || server.post("/v1/requests", &[], &body()).unwrap();
            let all: Vec<_> = (0..5).map(|_| scope.spawn(post)).collect();
            all.into_iter()
                .map(|one| one.join().unwrap())
                .collect::<Vec<_>>()
        });
        for answer in answers {
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(answer.header("Retry-After").is_some(), "{answer:?}");
            assert!(
                answer.body["type"]
                    .as_str()
                    .unwrap()
                    .ends_with(":unavailable")
            );
        }
        assert_eq!(self.admin("/healthz").status, 200);
    }

    /// By itself everything works again, the workers as well.
    #[track_caller]
    fn is_back(&self) {
        wait_for("readiness", || {
            (self.admin("/readyz").status == 200).then_some(())
        });
        wait_for("an answer", || (self.post().status == 201).then_some(()));
        wait_for("the end of the outage", || {
            let metrics = self.admin("/metrics");
            let line = "\nmanyhands_database_available 1\n";
            metrics.body.as_str()?.contains(line).then_some(())
        });
        let mut conn = PgConnection::establish(&self.url()).unwrap();
        wait_for("an index like the database", || {
            let sql = "SELECT count(*) AS n FROM requests WHERE state = 'open'";
            let open = number(&mut conn, sql).unwrap();
            let line = format!("manyhands_index_posts{{kind=\"request\"}} {open}\n");
            let metrics = self.admin("/metrics");
            metrics.body.as_str()?.contains(&line).then_some(())
        });
    }
}

#[test]
fn an_outage_is_told_and_survived() {
    let stage = stage();
    assert_eq!(stage.post().status, 201);
    for stop in [Stop::Fast, Stop::Immediate] {
        stage.cluster.down(stop);
        stage.is_away();
        stage.cluster.up();
        stage.is_back();
    }
    for way in [Way::Cut, Way::Swallow] {
        stage.proxy.set(way);
        stage.is_away();
        stage.proxy.set(Way::Open);
        stage.is_back();
    }
    // A connection that is ended is replaced before anybody notices.
    // Told and waited for: none of them is still there to take what comes next.
    let end_all = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = 'trouble' AND pid <> pg_backend_pid()";
    run(&stage.cluster.url("postgres"), end_all);
    let answer = stage.post();
    assert_eq!(answer.status, 201, "{answer:?}");

    let (status, log) = stage.server.terminate();
    assert!(status.success());
    let is_bad =
        |line: &&str| line.contains("\"level\":\"ERROR\"") || line.contains("\"level\":\"WARN\"");
    let bad: Vec<&str> = log.lines().filter(is_bad).collect();
    let told = |words: &str| log.lines().filter(|line| line.contains(words)).count();
    assert!(
        (1..=8).contains(&told("the database is unavailable")),
        "{log}"
    );
    assert!(
        (1..=8).contains(&told("the database is available again")),
        "{log}"
    );
    assert!(bad.len() <= 16, "{} lines: {bad:#?}", bad.len());
}

#[test]
fn whoever_waits_for_a_blocked_table_is_told_so_in_time() {
    let stage = stage();
    assert_eq!(stage.post().status, 201);
    let mut conn = PgConnection::establish(&stage.url()).unwrap();
    conn.batch_execute("BEGIN; LOCK TABLE requests IN ACCESS EXCLUSIVE MODE")
        .unwrap();
    let server = &stage.server;
    std::thread::scope(|scope| {
        // More than there are connections.
        let all: Vec<_> = (0..10)
            .map(|_| scope.spawn(move || server.post("/v1/requests", &[], &body()).unwrap()))
            .collect();
        for answer in all {
            let answer = answer.join().unwrap();
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(answer.header("Retry-After").is_some(), "{answer:?}");
        }
    });
    conn.batch_execute("COMMIT").unwrap();
    stage.is_back();
}
