//! The index follows the database whoever writes to it, in whatever order they commit.

use diesel::connection::SimpleConnection;
use manyhands::domain::ids::OfferId;
use manyhands::storage::changes::{Lost, Pass, Place};
use manyhands::storage::{Conn, StorageError};
use manyhands::workers::Worker;
use manyhands::workers::feed::Feed;
use serde_json::json;

use super::database::{Database, number};
use crate::support::people::{Volunteer, food};
use crate::support::{MINUTE, TestApp};

struct Stage {
    app: TestApp,
    feed: Feed,
    ana: Volunteer,
}

/// An offer and a request in an index that has been loaded.
async fn stage(database: &Database) -> Stage {
    let mut app = TestApp::with(&[("database.url", &database.url)]);
    let ana = json!({"category": "food", "capacity": 5});
    let ana = app.volunteer("ana@example.org", &[ana]).await;
    app.neighbor(&[food(2)]).await;
    let mut feed = Feed::new(app.ctx.clone());
    feed.tick(app.now()).await.unwrap();
    let stage = Stage { app, feed, ana };
    assert_eq!(stage.indexed(), (1, 1));
    stage
}

impl Stage {
    fn indexed(&self) -> (usize, usize) {
        self.app.ctx.index.read().unwrap().len()
    }

    async fn follow(&mut self) {
        self.feed.tick(self.app.now()).await.unwrap();
    }

    /// What somebody else does with the offer, and tells.
    fn pause(&self) -> String {
        let id = &self.ana.offers[0];
        format!(
            "UPDATE offers SET state = 'paused' WHERE id = '{id}';
             INSERT INTO changes (entity, entity_id, at) VALUES ('offer', '{id}', now())"
        )
    }

    async fn place(&self) -> Place {
        let read = |conn: &mut Conn| Ok::<_, StorageError>(Place::now(conn)?);
        self.app.ctx.db.read(read).await.unwrap()
    }

    /// How many changes are new since `place`, and where that leads.
    async fn new_since(&self, place: &Place) -> Result<(usize, Place), Lost> {
        let place = place.clone();
        let read = move |conn: &mut Conn| {
            let mut pass = match Pass::begin(conn, &place)? {
                Ok(pass) => pass,
                Err(lost) => return Ok(Err(lost)),
            };
            let mut all = 0;
            loop {
                // In small pages, so that there are many.
                match pass.next(conn, 2)? {
                    Err(lost) => return Ok(Err(lost)),
                    Ok(page) if page.is_empty() => return Ok(Ok((all, pass.end()))),
                    Ok(page) => all += page.len(),
                }
            }
        };
        self.app
            .ctx
            .db
            .read::<_, StorageError, _>(read)
            .await
            .unwrap()
    }
}

#[actix_web::test]
async fn a_change_is_seen_however_late_it_is_committed() {
    let database = Database::empty();
    let mut stage = stage(&database).await;
    // One has taken its number and waits; another has begun and writes last; a third is undone.
    let (mut early, mut late, mut none) =
        (database.connect(), database.connect(), database.connect());
    early.batch_execute("BEGIN").unwrap();
    early.batch_execute(&stage.pause()).unwrap();
    late.batch_execute("BEGIN; SELECT pg_current_xact_id()")
        .unwrap();
    none.batch_execute("BEGIN; INSERT INTO changes (entity, entity_id, at) SELECT entity, entity_id, at FROM changes").unwrap();

    for _ in 0..3 {
        stage.app.neighbor(&[food(1)]).await;
        stage.follow().await;
    }
    assert_eq!(stage.indexed(), (1, 4));
    early.batch_execute("COMMIT").unwrap();
    none.batch_execute("ROLLBACK").unwrap();
    stage.follow().await;
    assert_eq!(stage.indexed(), (0, 4));
    stage.app.neighbor(&[food(1)]).await;
    stage.follow().await;
    late.batch_execute(&stage.pause().replace("paused", "open"))
        .unwrap();
    stage.follow().await;
    assert_eq!(stage.indexed(), (0, 5));
    late.batch_execute("COMMIT").unwrap();
    stage.follow().await;
    assert_eq!(stage.indexed(), (1, 5));
    assert_eq!(stage.feed.loads(), 1, "it was not loaded anew for that");
}

#[actix_web::test]
async fn what_was_read_is_not_read_again_while_somebody_takes_long() {
    let database = Database::empty();
    let stage = stage(&database).await;
    let mut long = database.connect();
    long.batch_execute("BEGIN").unwrap();
    long.batch_execute(&stage.pause()).unwrap();
    let mut place = stage.place().await;
    for _ in 0..5 {
        stage.app.neighbor(&[food(1), food(2), food(3)]).await;
        let (new, next) = stage.new_since(&place).await.unwrap();
        assert_eq!(new, 3);
        place = next;
        let (new, next) = stage.new_since(&place).await.unwrap();
        assert_eq!(new, 0);
        place = next;
    }
    long.batch_execute("COMMIT").unwrap();
    assert_eq!(stage.new_since(&place).await.unwrap().0, 1);
}

#[actix_web::test]
async fn marks_of_another_server_neither_hide_anything_nor_come_again_and_again() {
    let database = Database::empty();
    let mut stage = stage(&database).await;
    // As a dump restores them: the server that it came from was far ahead.
    let mut conn = database.connect();
    conn.batch_execute("UPDATE changes SET mark = mark + 1000000")
        .unwrap();
    let brought = number(&mut conn, "SELECT max(seq) AS n FROM changes").unwrap();
    stage.feed = Feed::new(stage.app.ctx.clone());
    stage.follow().await;
    let mut place = stage.place().await;
    for round in 1..=5 {
        stage.app.neighbor(&[food(1)]).await;
        let (new, next) = stage.new_since(&place).await.unwrap();
        assert_eq!(new, 1);
        place = next;
        stage.follow().await;
        assert_eq!(stage.indexed(), (1, 1 + round));
    }
    // Once this server gets there.
    conn.batch_execute(&format!(
        "UPDATE changes SET mark = pg_current_xact_id()::text::bigint + 3 WHERE seq <= {brought}"
    ))
    .unwrap();
    let mut again = 0;
    for _ in 0..5 {
        conn.batch_execute("SELECT pg_current_xact_id()").unwrap();
        let (new, next) = stage.new_since(&place).await.unwrap();
        again += new;
        place = next;
    }
    let old = super::database::number(&mut conn, "SELECT count(*) AS n FROM changes").unwrap() - 5;
    assert_eq!(i64::try_from(again).unwrap(), old, "each once");
}

#[actix_web::test]
async fn a_gap_is_no_loss_and_a_loss_is_noticed() {
    let database = Database::empty();
    let mut stage = stage(&database).await;
    let mut conn = database.connect();
    conn.batch_execute("SELECT setval(pg_get_serial_sequence('changes', 'seq'), 5000)")
        .unwrap();
    let place = stage.place().await;
    stage.app.neighbor(&[food(1)]).await;
    stage.follow().await;
    assert_eq!(stage.indexed(), (1, 2));
    // Rows that were read are forgotten up to the newest.
    conn.batch_execute("DELETE FROM changes WHERE seq < 5001")
        .unwrap();
    assert_eq!(stage.new_since(&place).await.unwrap_err(), Lost::Trimmed);
    stage.app.neighbor(&[food(1)]).await;
    stage.follow().await;
    assert_eq!(stage.feed.loads(), 1, "it had read them");
    // Rows that it has not read.
    stage.app.neighbor(&[food(1), food(1)]).await;
    conn.batch_execute("DELETE FROM changes WHERE seq < (SELECT max(seq) FROM changes)")
        .unwrap();
    stage.follow().await;
    assert_eq!(stage.feed.loads(), 2, "it is loaded anew");
    assert_eq!(stage.indexed(), (1, 5));
}

#[actix_web::test]
async fn what_was_never_told_is_found_and_put_right() {
    let database = Database::empty();
    let mut stage = stage(&database).await;
    let id = stage.ana.offers[0].clone();
    let offer: OfferId = id.parse().unwrap();
    let reach = |stage: &Stage| {
        let index = stage.app.ctx.index.read().unwrap();
        index.offer(offer).map(|o| o.reach.meters())
    };
    let mut conn = database.connect();
    conn.batch_execute(&format!(
        "UPDATE offers SET reach_m = 4321 WHERE id = '{id}';
         UPDATE requests SET state = 'held', held_by = 'coordinator', match_due_at = NULL"
    ))
    .unwrap();
    // Told, but not read yet: no drift.
    stage.app.neighbor(&[food(1)]).await;
    stage.follow().await;
    assert_ne!(reach(&stage), Some(4321));
    assert_eq!(stage.indexed(), (1, 2));
    stage.app.clock.advance(5 * MINUTE);
    stage.app.neighbor(&[food(1)]).await;
    for _ in 0..3 {
        stage.follow().await;
    }
    assert_eq!(reach(&stage), Some(4321));
    assert_eq!(stage.indexed(), (1, 2));
}
