//! The audit is sealed, in batches, by one chain.

use std::time::Duration;

use futures_util::future::join;
use manyhands::actions::Ctx;
use manyhands::actions::seal_audit::{AT_ONCE, seal_audit};
use manyhands::actions::verify_audit::{FaultKind, Verification, verify_audit};
use manyhands::domain::ids::RecordId;
use manyhands::storage::audit::{Actor, ActorKind};
use manyhands::storage::audit_chain::Head;
use manyhands::storage::coordinators::Scope;
use manyhands::storage::{TxError, audit};
use manyhands::workers::sealing::Sealing;
use manyhands::workers::{Next, Stop, Worker};
use uuid::Uuid;

use crate::support::database::{on_postgres, sql};
use crate::support::people::food;
use crate::support::{DAY, HOUR, MINUTE, TestApp};

/// Writes so many entries, of which no two are equal.
pub async fn record(app: &TestApp, count: u128) {
    app.clock.advance(Duration::from_micros(1));
    let now = app.now();
    let write = move |conn: &mut _| {
        for n in 1..=count {
            let id = RecordId::from(Uuid::from_u128(n));
            let actor = Actor::person(ActorKind::Coordinator, id);
            let facts = [("requests", usize::try_from(n).expect("few").into())];
            audit::record(conn, now, actor, "tested", ("request", id), &facts)?;
        }
        Ok::<_, TxError<()>>(())
    };
    app.ctx.db.write(write).await.expect("written");
}

/// Lets the worker seal whatever is there.
pub async fn seal(app: &TestApp) {
    let mut worker = Sealing::new(app.ctx.clone(), Stop::never());
    while worker.tick(app.now()).await.expect("sealed") == Next::Now {}
}

/// Entries 1 to 4 and 11 to 14, sealed by the links 1 to 8. The gap is as a database may leave it.
pub async fn sealed() -> TestApp {
    let app = TestApp::new();
    record(&app, 4).await;
    tamper(
        &app,
        sql(
            "UPDATE sqlite_sequence SET seq = 10 WHERE name = 'audit'",
            "ALTER TABLE audit ALTER COLUMN seq RESTART WITH 11",
        ),
    );
    record(&app, 4).await;
    seal(&app).await;
    app
}

/// Does what somebody does to whom the database belongs: no trigger and no constraint is in the way.
pub fn tamper(app: &TestApp, statements: &str) {
    let mut conn = app.database.connect();
    conn.execute(sql(
        "PRAGMA busy_timeout = 5000; PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF;
         DROP TRIGGER IF EXISTS audit_keeps_its_content; DROP TRIGGER IF EXISTS audit_keeps_its_entries;
         DROP TRIGGER IF EXISTS audit_chain_keeps_its_content; DROP TRIGGER IF EXISTS audit_chain_keeps_its_links;",
        "SET session_replication_role = replica;
         ALTER TABLE audit DROP CONSTRAINT IF EXISTS audit_actor_check;
         ALTER TABLE audit_chain DROP CONSTRAINT IF EXISTS audit_chain_hash_check;",
    ));
    conn.execute(statements);
}

pub async fn verify(app: &TestApp, noted: Option<Head>) -> Verification {
    verify_audit(&app.ctx, noted, |_, _| ())
        .await
        .expect("it is read")
}

#[actix_web::test]
async fn what_nobody_touched_verifies() {
    let app = sealed().await;
    let found = verify(&app, None).await;
    assert_eq!((found.fault, found.verified, found.waiting), (None, 8, 0));
    let head = found.head.expect("a head");
    assert_eq!(head.number, 8);
    assert_eq!(verify(&app, Some(head)).await.fault, None);

    // What comes later leaves it as it is.
    record(&app, 3).await;
    let found = verify(&app, Some(head)).await;
    assert_eq!((found.fault, found.verified, found.waiting), (None, 8, 3));
    seal(&app).await;
    let found = verify(&app, Some(head)).await;
    assert_eq!((found.fault, found.verified, found.waiting), (None, 11, 0));
}

#[actix_web::test]
async fn an_empty_audit_verifies() {
    let app = TestApp::new();
    seal(&app).await;
    let found = verify(&app, None).await;
    assert_eq!((found.fault, found.verified, found.head), (None, 0, None));
}

#[actix_web::test]
async fn what_waits_too_long_while_the_workers_work_is_found() {
    let mut app = sealed().await;
    tamper(&app, "DELETE FROM audit_chain WHERE number = 8");
    assert_eq!(verify(&app, None).await.fault, None);
    // A service that rests seals nothing, and that is no fault.
    app.clock.advance(DAY);
    assert_eq!(verify(&app, None).await.fault, None);
    app.sleep_over(HOUR).await;
    let fault = verify(&app, None).await.fault.expect("found");
    assert_eq!(
        (fault.kind, fault.number, fault.seq),
        (FaultKind::NotSealed, 8, Some(14))
    );
}

#[actix_web::test]
async fn a_sealer_that_was_killed_is_followed_by_another() {
    let app = TestApp::new();
    let all = u128::try_from(AT_ONCE).expect("few") * 2 + 50;
    record(&app, all).await;
    app.clock.advance(MINUTE);
    let mut first = Sealing::new(app.ctx.clone(), Stop::never());
    assert_eq!(first.tick(app.now()).await.expect("sealed"), Next::Now);
    drop(first);
    let found = verify(&app, None).await;
    assert_eq!(
        (found.fault, found.verified, found.waiting),
        (None, 200, 250)
    );
    seal(&app).await;
    let found = verify(&app, None).await;
    assert_eq!((found.fault, found.verified, found.waiting), (None, 450, 0));
}

#[actix_web::test]
async fn sealers_at_the_same_time_make_one_chain() {
    let app = TestApp::new();
    let other = Ctx {
        db: app.database.open(),
        ..app.ctx.clone()
    };
    let mut sealed = 0;
    let mut both = 0;
    for _ in 0..20 {
        record(&app, 7).await;
        app.clock.advance(MINUTE);
        let (one, two) = join(seal_audit(&app.ctx), seal_audit(&other)).await;
        let (one, two) = (one.expect("no fault").links, two.expect("no fault").links);
        sealed += one + two;
        both += usize::from(one > 0 && two > 0);
    }
    assert_eq!((sealed, both), (140, 0));
    let found = verify(&app, None).await;
    assert_eq!((found.fault, found.verified), (None, 140));
}

#[actix_web::test]
async fn the_database_refuses_to_change_what_was_done() {
    let app = sealed_through_the_doors().await;
    let mut conn = app.database.connect();
    let mut refused = vec![
        "UPDATE audit SET action = 'nothing'",
        "DELETE FROM audit",
        "UPDATE audit_chain SET seq = 2",
        "DELETE FROM audit_chain",
    ];
    if on_postgres() {
        // There a table can be emptied without deleting a row.
        refused.extend(["TRUNCATE audit CASCADE", "TRUNCATE audit_chain"]);
    }
    for sql in refused {
        let error = conn.try_execute(sql).expect_err(sql).to_string();
        assert!(error.contains("never"), "{sql}: {error}");
    }
}

async fn sealed_through_the_doors() -> TestApp {
    let app = TestApp::new();
    record(&app, 2).await;
    seal(&app).await;
    app
}

#[actix_web::test]
async fn administrators_see_what_is_sealed() {
    let app = TestApp::new();
    let (_, admin) = app.coordinator(Scope::Admin).await;
    app.neighbor(&[food(1)]).await;
    seal(&app).await;
    app.neighbor(&[food(1)]).await;
    let listed = app.get("/v1/audit", &admin).await.ok();
    assert_eq!(listed["items"][0]["sealed"], false);
    assert_eq!(listed["items"][1]["sealed"], true);
}
