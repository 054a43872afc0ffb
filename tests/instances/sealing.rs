//! The audit's chain follows its numbers, however late an entry becomes visible.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use manyhands::actions::Ctx;
use manyhands::actions::seal_audit::seal_audit;
use manyhands::actions::verify_audit::verify_audit;
use manyhands::storage::audit;
use manyhands::storage::{Conn, StorageError};

use super::database::Database;
use crate::support::TestApp;
use crate::support::people::food;

const ENTRY: &str = "INSERT INTO audit (at, actor, action, subject, subject_id, detail)
    VALUES (now(), 'operator', 'tested', 'clock', '00000000-0000-0000-0000-000000000000', '{}')";

async fn newest(ctx: &Ctx) -> i64 {
    let read = |conn: &mut Conn| Ok::<_, StorageError>(audit::newest(conn)?);
    ctx.db.read(read).await.unwrap().unwrap_or(0)
}

#[actix_web::test]
async fn an_entry_that_becomes_visible_late_is_sealed_before_those_behind_it() {
    let database = Database::empty();
    let app = TestApp::with(&[("database.url", &database.url)]);
    app.neighbor(&[food(1)]).await;
    seal_audit(&app.ctx).await.unwrap();
    let before = newest(&app.ctx).await;

    let (mut kept, mut undone) = (database.connect(), database.connect());
    for paused in [&mut kept, &mut undone] {
        paused.batch_execute("BEGIN").unwrap();
        paused.batch_execute(ENTRY).unwrap();
    }
    // Writers do not notice that others are paused, nor that somebody waits for them.
    app.neighbor(&[food(1)]).await;
    let behind = newest(&app.ctx).await;
    assert!(behind > before + 2);
    let ctx = app.ctx.clone();
    let sealing = tokio::spawn(async move { seal_audit(&ctx).await.unwrap().links });
    let mut sealing = std::pin::pin!(sealing);
    let early = tokio::time::timeout(Duration::from_millis(300), &mut sealing).await;
    assert!(early.is_err(), "nothing is sealed past what may still come");
    app.neighbor(&[food(1)]).await;
    kept.batch_execute("COMMIT").unwrap();
    undone.batch_execute("ROLLBACK").unwrap();
    let sealed = i64::try_from(sealing.await.unwrap()).unwrap();
    assert_eq!(
        sealed,
        behind - before - 1,
        "one number is of an entry that never was"
    );
    while seal_audit(&app.ctx).await.unwrap().links > 0 {}
    let found = verify_audit(&app.ctx, None, |_, _| ()).await.unwrap();
    assert_eq!((found.fault, found.waiting), (None, 0));
}

#[actix_web::test]
async fn of_several_who_seal_at_once_nobody_forks_the_chain() {
    let database = Database::empty();
    let app = TestApp::with(&[("database.url", &database.url)]);
    for _ in 0..5 {
        app.neighbor(&[food(1), food(2)]).await;
        let all = futures_util::future::join_all((0..4).map(|_| seal_audit(&app.ctx))).await;
        let links: usize = all.into_iter().map(|sealed| sealed.unwrap().links).sum();
        assert!(links > 0);
    }
    let found = verify_audit(&app.ctx, None, |_, _| ()).await.unwrap();
    assert_eq!((found.fault, found.waiting), (None, 0));
}
