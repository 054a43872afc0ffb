//! The audit is sealed: whoever changes it afterward is found out, whatever he changes.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use futures_util::future::join;
use manyhands::actions::Ctx;
use manyhands::actions::seal_audit::{AT_ONCE, REST, seal_audit};
use manyhands::actions::verify_audit::{Fault, FaultKind, Verification, verify_audit};
use manyhands::domain::ids::RecordId;
use manyhands::storage::audit::{Actor, ActorKind};
use manyhands::storage::audit_chain::Head;
use manyhands::storage::coordinators::Scope;
use manyhands::storage::{DatabaseUrl, Db, TxError, audit};
use manyhands::workers::sealing::Sealing;
use manyhands::workers::{Next, Stop, Worker};
use uuid::Uuid;

use crate::support::people::food;
use crate::support::{DAY, HOUR, MINUTE, TestApp};

/// Writes so many entries, of which no two are equal.
async fn record(app: &TestApp, count: u128) {
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

/// Lets the worker seal whatever has rested.
async fn seal(app: &TestApp) {
    app.clock.advance(REST);
    let mut worker = Sealing::new(app.ctx.clone(), Stop::never());
    while worker.tick(app.now()).await.expect("sealed") == Next::Now {}
}

/// Entries 1 to 4 and 11 to 14, sealed by the links 1 to 8. The gap is as a database may leave it.
async fn sealed() -> TestApp {
    let app = TestApp::new();
    record(&app, 4).await;
    tamper(
        &app,
        "UPDATE sqlite_sequence SET seq = 10 WHERE name = 'audit'",
    );
    record(&app, 4).await;
    seal(&app).await;
    app
}

/// Does what somebody does who can write to the file.
fn tamper(app: &TestApp, sql: &str) {
    let path = app.ctx.db.path().display().to_string();
    let mut conn = SqliteConnection::establish(&path).expect("opened");
    conn.batch_execute(&format!(
        "PRAGMA busy_timeout = 5000; PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF;
         DROP TRIGGER IF EXISTS audit_keeps_its_content; DROP TRIGGER IF EXISTS audit_keeps_its_entries;
         DROP TRIGGER IF EXISTS audit_chain_keeps_its_content; DROP TRIGGER IF EXISTS audit_chain_keeps_its_links;
         {sql};"
    ))
    .expect(sql);
}

async fn verify(app: &TestApp, noted: Option<Head>) -> Verification {
    verify_audit(&app.ctx, noted, |_, _| ())
        .await
        .expect("it is read")
}

/// What is found after somebody did `sql`.
async fn fault_after(sql: &str) -> (FaultKind, i64, Option<i64>) {
    let app = sealed().await;
    tamper(&app, sql);
    let found = verify(&app, None).await;
    let Fault { kind, number, seq } = found.fault.expect(sql);
    assert_eq!(found.verified, number - 1, "{sql}");
    (kind, number, seq)
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
async fn the_edit_of_any_column_of_any_row_is_found() {
    for (number, seq) in [(1, 1), (3, 3), (5, 11), (8, 14)] {
        for edit in [
            "at = at + 1",
            "actor = 'system'",
            "actor_id = NULL",
            "actor_id = zeroblob(16)",
            "action = 'Tested'",
            "subject = 'offer'",
            "subject_id = zeroblob(16)",
            "detail = '{\"requests\": 99}'",
            "detail = '{\"requests\": 1, \"more\": true}'",
            "detail = '{}'",
            "subject = 'requesttested', action = ''",
        ] {
            let sql = format!("UPDATE audit SET {edit} WHERE seq = {seq}");
            let found = fault_after(&sql).await;
            assert_eq!(found, (FaultKind::Edited, number, Some(seq)), "{sql}");
        }
        for nonsense in [
            "detail = 'no JSON'",
            "actor = 'nobody'",
            "subject_id = x'00'",
        ] {
            let sql = format!("UPDATE audit SET {nonsense} WHERE seq = {seq}");
            let found = fault_after(&sql).await;
            assert_eq!(found, (FaultKind::Unreadable, number, Some(seq)), "{sql}");
        }
        let sql = format!("UPDATE audit SET seq = 7 WHERE seq = {seq}");
        let (_, at, _) = fault_after(&sql).await;
        assert!(at == number || at == 5, "{sql}: {at}");
    }
}

#[actix_web::test]
async fn the_spelling_of_a_detail_is_the_databases_business() {
    let app = sealed().await;
    tamper(
        &app,
        "UPDATE audit SET detail = replace(detail, ':', ' : ')",
    );
    assert_eq!(verify(&app, None).await.fault, None);
}

#[actix_web::test]
async fn a_removed_row_is_found() {
    for (number, seq) in [(1, 1), (4, 4), (5, 11), (8, 14)] {
        let sql = format!("DELETE FROM audit WHERE seq = {seq}");
        let found = fault_after(&sql).await;
        assert_eq!(found, (FaultKind::Removed, number, Some(seq)));
    }
}

#[actix_web::test]
async fn swapped_rows_are_found() {
    let swap = "UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 12;
                UPDATE audit SET seq = 12 WHERE seq = 99";
    assert_eq!(fault_after(swap).await, (FaultKind::Reordered, 2, Some(2)));
    let links = "UPDATE audit_chain SET seq = 99 WHERE number = 2; UPDATE audit_chain SET seq = 2 WHERE number = 3;
                 UPDATE audit_chain SET seq = 3 WHERE number = 2";
    assert_eq!(fault_after(links).await, (FaultKind::Relinked, 2, Some(2)));
    let numbers = "UPDATE audit_chain SET number = 99 WHERE number = 2; UPDATE audit_chain SET number = 2 WHERE number = 3;
                   UPDATE audit_chain SET number = 3 WHERE number = 99";
    assert_eq!(
        fault_after(numbers).await,
        (FaultKind::Reordered, 2, Some(2))
    );
}

#[actix_web::test]
async fn a_forged_row_is_found() {
    let forged = |seq: i64| {
        format!(
            "INSERT INTO audit SELECT {seq}, at, actor, actor_id, action, subject, subject_id, detail FROM audit WHERE seq = 1"
        )
    };
    for (number, seq) in [(1, -5), (1, 0), (5, 5), (5, 10)] {
        let found = fault_after(&forged(seq)).await;
        assert_eq!(found, (FaultKind::Inserted, number, Some(seq)));
    }
    // Where there is no gap, the others have to move.
    let shift = "UPDATE audit SET seq = -seq - 1 WHERE seq >= 3; UPDATE audit SET seq = -seq WHERE seq < 0;";
    let found = fault_after(&format!("{shift} {}", forged(3))).await;
    assert_eq!(found, (FaultKind::Reordered, 3, Some(3)));
    // Time does not make it right: it is never sealed, because its place is behind the end of the chain.
    let app = sealed().await;
    tamper(&app, &forged(7));
    seal(&app).await;
    let fault = verify(&app, None).await.fault.expect("found");
    assert_eq!((fault.kind, fault.seq), (FaultKind::Inserted, Some(7)));
}

#[actix_web::test]
async fn links_that_are_removed_renumbered_or_edited_are_found() {
    for (sql, expected) in [
        (
            "DELETE FROM audit_chain WHERE number = 1",
            (FaultKind::LinkRemoved, 1, Some(1)),
        ),
        (
            "DELETE FROM audit_chain WHERE number = 5",
            (FaultKind::LinkRemoved, 5, Some(11)),
        ),
        (
            "UPDATE audit_chain SET number = 50 WHERE number = 5",
            (FaultKind::LinkRemoved, 5, Some(11)),
        ),
        (
            "UPDATE audit_chain SET number = number + 100 WHERE number > 2; UPDATE audit_chain SET number = number - 99 WHERE number > 2",
            (FaultKind::LinkRemoved, 3, Some(3)),
        ),
        // The entry goes with its link, and the others close the gap.
        (
            "DELETE FROM audit WHERE seq = 3; DELETE FROM audit_chain WHERE seq = 3; UPDATE audit_chain SET number = number - 1 WHERE number > 3",
            (FaultKind::Edited, 3, Some(4)),
        ),
        (
            "UPDATE audit_chain SET hash = zeroblob(32) WHERE number = 4",
            (FaultKind::Edited, 4, Some(4)),
        ),
        (
            "UPDATE audit_chain SET hash = x'00' WHERE number = 4",
            (FaultKind::Unreadable, 4, Some(4)),
        ),
        (
            "UPDATE audit_chain SET seq = 900 WHERE number = 4",
            (FaultKind::Relinked, 4, Some(4)),
        ),
    ] {
        assert_eq!(fault_after(sql).await, expected, "{sql}");
    }
}

#[actix_web::test]
async fn a_chain_that_was_cut_off_is_found_by_a_head_that_was_noted() {
    let app = sealed().await;
    let head = verify(&app, None).await.head;
    tamper(
        &app,
        "DELETE FROM audit WHERE seq > 11; DELETE FROM audit_chain WHERE seq > 11",
    );
    let alone = verify(&app, None).await;
    assert_eq!(
        (alone.fault, alone.verified),
        (None, 5),
        "the chain alone cannot tell"
    );
    let fault = verify(&app, head).await.fault.expect("found");
    assert_eq!((fault.kind, fault.number), (FaultKind::Cut, 8));
}

#[actix_web::test]
async fn a_chain_that_was_made_anew_is_found_by_a_head_that_was_noted() {
    let app = sealed().await;
    let head = verify(&app, None).await.head;
    // The service itself seals what it finds.
    tamper(
        &app,
        "DELETE FROM audit_chain; UPDATE audit SET actor = 'system' WHERE seq = 3",
    );
    seal(&app).await;
    assert_eq!(verify(&app, None).await.verified, 8);
    let fault = verify(&app, head).await.fault.expect("found");
    assert_eq!((fault.kind, fault.number), (FaultKind::Rewritten, 8));
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
async fn entries_rest_before_they_are_sealed() {
    let app = TestApp::new();
    record(&app, 2).await;
    assert_eq!(seal_audit(&app.ctx).await.expect("no fault").links, 0);
    app.clock.advance(REST / 2);
    record(&app, 1).await;
    app.clock.advance(REST / 2);
    assert_eq!(seal_audit(&app.ctx).await.expect("sealed").links, 2);
    app.clock.advance(REST / 2);
    assert_eq!(seal_audit(&app.ctx).await.expect("sealed").links, 1);
    // An entry of a clock that was wrong holds nobody up.
    app.clock.advance(HOUR);
    record(&app, 1).await;
    app.clock.set(app.now().before(HOUR));
    assert_eq!(seal_audit(&app.ctx).await.expect("sealed").links, 1);
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
    let url = DatabaseUrl::Sqlite(app.ctx.db.path().to_owned());
    let other = Ctx {
        db: Db::open(&url).expect("opened"),
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
    let path = app.ctx.db.path().display().to_string();
    let mut conn = SqliteConnection::establish(&path).expect("opened");
    for sql in [
        "UPDATE audit SET action = 'nothing'",
        "DELETE FROM audit",
        "UPDATE audit_chain SET seq = 2",
        "DELETE FROM audit_chain",
    ] {
        let error = conn.batch_execute(sql).expect_err(sql).to_string();
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
