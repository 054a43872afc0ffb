//! Work is shared by leases: nothing is taken twice, and who comes too late has nothing to say any more.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use manyhands::actions::claim_letters::claim_letters;
use manyhands::actions::claim_posts::claim_posts;
use manyhands::actions::return_letters::return_letters;
use manyhands::actions::settle_letter::{Attempt, settle_letter};
use manyhands::domain::ids::LeaseId;
use manyhands::domain::letter::Lane;
use manyhands::storage::letters::LetterState;
use manyhands::storage::{StorageError, letters};
use serde_json::json;

use super::database::{Database, number};
use crate::support::people::{food, post_of, with};
use crate::support::{HOUR, TestApp};

const PEOPLE: usize = 24;

/// An instance in which many have just posted.
async fn busy(database: &Database) -> TestApp {
    let app = TestApp::with(&[("database.url", &database.url)]);
    for n in 0..PEOPLE {
        let contact = json!({"contact": {"name": "Mo", "email": format!("mo{n}@example.org")}});
        app.neighbor_who(with(post_of(&[food(1)]), contact)).await;
    }
    app
}

fn lease(app: &TestApp) -> LeaseId {
    LeaseId::new(app.ctx.entropy.as_ref())
}

#[actix_web::test]
async fn of_those_who_take_work_at_once_no_two_take_the_same() {
    let database = Database::empty();
    let app = busy(&database).await;
    let claims = (0..4).map(|_| claim_letters(&app.ctx, Lane::Unconfirmed, lease(&app), 9));
    let mut ids = Vec::new();
    for claim in join_all(claims).await {
        ids.extend(
            claim
                .unwrap()
                .0
                .into_iter()
                .map(|claimed| claimed.letter.id),
        );
    }
    let distinct: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!((ids.len(), distinct.len()), (PEOPLE, PEOPLE));

    let mut ids = Vec::new();
    for claim in join_all((0..4).map(|_| claim_posts(&app.ctx, 9))).await {
        ids.extend(
            claim
                .unwrap()
                .requests
                .into_iter()
                .map(|request| request.id),
        );
    }
    let distinct: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!((ids.len(), distinct.len()), (PEOPLE, PEOPLE));
}

#[actix_web::test]
async fn who_was_paused_past_the_lease_settles_nothing() {
    let database = Database::empty();
    let app = busy(&database).await;
    let (paused, quick) = (lease(&app), lease(&app));
    let take = |lease| claim_letters(&app.ctx, Lane::Unconfirmed, lease, 1);
    let mut mine = take(paused).await.unwrap().0;
    let mine = mine.pop().unwrap().letter;
    app.clock.advance(HOUR / 2);
    let all = claim_letters(&app.ctx, Lane::Unconfirmed, quick, 100)
        .await
        .unwrap()
        .0;
    assert!(all.iter().any(|claimed| claimed.letter.id == mine.id));

    let id = mine.id;
    let held = move |conn: &mut _| Ok::<_, StorageError>(letters::held(conn, &[id], paused)?);
    assert!(app.ctx.db.read(held).await.unwrap().is_empty());
    let noted = || {
        number(
            &mut database.connect(),
            "SELECT count(*) AS n FROM departures",
        )
        .unwrap()
    };
    let before = noted();
    assert_eq!(return_letters(&app.ctx, vec![id], paused).await.unwrap(), 0);
    assert_eq!(noted(), before, "the one that is on its way still counts");
    for attempt in [
        Attempt::Sent,
        Attempt::Failed("late".to_owned()),
        Attempt::Refused("late".to_owned()),
    ] {
        settle_letter(&app.ctx, mine.clone(), paused, attempt)
            .await
            .unwrap();
    }
    let find = move |conn: &mut _| Ok::<_, StorageError>(letters::find(conn, id)?);
    let letter = app.ctx.db.read(find).await.unwrap().unwrap();
    assert_eq!(
        (letter.state, letter.lease_id),
        (LetterState::Queued, Some(quick))
    );
    settle_letter(&app.ctx, letter, quick, Attempt::Sent)
        .await
        .unwrap();
    let letter = app.ctx.db.read(find).await.unwrap().unwrap();
    assert_eq!(letter.state, LetterState::Sent);
}
