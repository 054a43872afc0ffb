//! What the doors promise of a write: all of it or nothing, and again where others were in its way.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};

use futures_util::future::join;
use manyhands::domain::ids::NeighborId;
use manyhands::storage::error::Never;
use manyhands::storage::{Db, StorageError, TxError, key_epochs, meta, neighbors};
use serde_json::Value;

use super::world::{World, need};

#[actix_web::test]
async fn a_write_that_went_on_after_a_failed_statement_is_not_taken_for_kept() {
    let mut world = World::new();
    let now = world.app.now();
    let outcome: Result<(), TxError<Never>> = world
        .app
        .ctx
        .db
        .write(move |conn| {
            meta::lock(conn, now)?;
            let known = key_epochs::all(conn)?;
            // The same key once more; that it fails is not told.
            let _ = key_epochs::insert(conn, &known);
            Ok(())
        })
        .await;
    assert!(
        matches!(outcome, Err(TxError::Storage(StorageError::Unavailable(_)))),
        "{outcome:?}"
    );
    let locked = "SELECT count(*) FROM meta WHERE key = 'locked_at'";
    assert_eq!(world.raw.number(locked), 0);
    // The connection is as good as before.
    let outcome: Result<bool, TxError<Never>> = world
        .app
        .ctx
        .db
        .write(move |conn| Ok(meta::lock(conn, now)?))
        .await;
    assert!(outcome.unwrap());
    assert_eq!(world.raw.number(locked), 1);
}

#[actix_web::test]
async fn of_two_that_wait_for_each_other_both_succeed_and_one_runs_again() {
    let mut world = World::new();
    let (one, _) = world.neighbor(&[need(1)], Value::Null).await;
    let (other, _) = world.neighbor(&[need(1)], Value::Null).await;
    let runs = Arc::new(AtomicU32::new(0));
    let meet = Arc::new(Barrier::new(2));
    let crossing = |db: Db, first: NeighborId, second: NeighborId| {
        let (runs, meet) = (runs.clone(), meet.clone());
        async move {
            let mut has_met = false;
            db.write(move |conn| -> Result<(), TxError<Never>> {
                runs.fetch_add(1, Ordering::Relaxed);
                neighbors::lock(conn, first)?;
                if !has_met {
                    has_met = true;
                    meet.wait();
                }
                neighbors::lock(conn, second)?;
                Ok(())
            })
            .await
        }
    };
    let [a, b, ..] = &world.instances[..] else {
        panic!("two instances");
    };
    let (a, b) = join(
        crossing(a.db.clone(), one, other),
        crossing(b.db.clone(), other, one),
    )
    .await;
    a.unwrap();
    b.unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 3);
}
