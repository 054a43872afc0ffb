//! One who waits for another, and then sees what that one has done.

use manyhands::actions::Refusal;
use manyhands::actions::claim_posts::claim_posts;
use manyhands::actions::freeze_area::{NewArea, freeze_area};
use manyhands::actions::match_request::{match_request, settle_idle};
use manyhands::actions::{Call, Ctx};
use manyhands::crypto::lookup::KeyedHash;
use manyhands::domain::area::{AreaReason, Radius};
use manyhands::domain::place::GeoPoint;
use manyhands::storage::TxError;
use serde_json::Value;

use super::acts::Act;
use super::scene::{Scene, Stage};
use super::world::{World, meals, need};

/// An acceptance waits for `held` while `meanwhile` is done; gives how it is refused.
async fn accept_behind(held: &str, meanwhile: &str) -> Refusal {
    let mut world = World::new();
    let scene = Scene::set(&mut world, Stage::Asked).await;
    let fill = |sql: &str| {
        sql.replace("REQUEST", &scene.requests[0].to_string())
            .replace("VOLUNTEER", &scene.volunteers[0].to_string())
            .replace("OFFER", &scene.offers[0].to_string())
    };
    let ctx = world.app.ctx.clone();
    let accept = async move { Act::Accept.done_by(&ctx, &scene).await };
    let outcomes = world
        .behind(&fill(held), &fill(meanwhile), vec![accept])
        .await;
    match outcomes.into_iter().next() {
        Some(Err(TxError::Refused(refusal))) => refusal,
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn an_acceptance_sees_the_request_that_was_closed_while_it_waited() {
    let refusal = accept_behind(
        "SELECT FROM requests WHERE id = 'REQUEST' FOR UPDATE",
        "UPDATE requests SET state = 'closed', closed_at = created_at, close_reason = 'not_needed' WHERE id = 'REQUEST'",
    );
    assert_eq!(refusal.await, Refusal::NotPossible);
}

#[actix_web::test]
async fn an_acceptance_sees_the_cover_that_another_took_while_it_waited() {
    let refusal = accept_behind(
        "SELECT FROM requests WHERE id = 'REQUEST' FOR UPDATE",
        "UPDATE requests SET state = 'covered', covered = quantity WHERE id = 'REQUEST'",
    );
    assert_eq!(refusal.await, Refusal::AlreadyCovered);
}

#[actix_web::test]
async fn an_acceptance_sees_that_the_volunteer_was_blocked_while_it_waited() {
    let refusal = accept_behind(
        "SELECT FROM volunteers WHERE id = 'VOLUNTEER' FOR UPDATE",
        "UPDATE volunteers SET blocked_at = created_at WHERE id = 'VOLUNTEER'",
    );
    assert_eq!(refusal.await, Refusal::NotPossible);
}

#[actix_web::test]
async fn an_acceptance_sees_that_the_offer_was_closed_while_it_waited() {
    let refusal = accept_behind(
        "SELECT FROM offers WHERE id = 'OFFER' FOR UPDATE",
        "UPDATE offers SET state = 'closed', closed_at = created_at WHERE id = 'OFFER'",
    );
    assert_eq!(refusal.await, Refusal::NotPossible);
}

/// A round has looked whom to ask when somebody declines: it must not end with what it saw before.
#[actix_web::test]
async fn a_decline_while_a_round_is_under_way_is_not_lost() {
    let mut world = World::new();
    let (neighbor, requests) = world.neighbor(&[need(4)], Value::Null).await;
    let (_, offers) = world.volunteer(&[meals(4)]).await;
    let asked = world.ask(requests[0], offers[0]).await;
    let mut due = claim_posts(&world.app.ctx, 32).await.unwrap();
    let request = due.requests.pop().unwrap();
    let (ctx, other) = (world.instances[0].clone(), world.instances[1].clone());
    let mut holder = world.database.connect();
    holder.execute(&format!(
        "BEGIN; SELECT FROM neighbors WHERE id = '{neighbor}' FOR UPDATE"
    ));
    let decline = async {
        holder.until_waiting(1).await;
        let by = manyhands::storage::audit::Actor::OPERATOR;
        manyhands::actions::decline_match::decline_match(&other, asked, None, by)
            .await
            .unwrap();
        holder.execute("COMMIT");
    };
    let round = async {
        let idle = match_request(&ctx, request, due.lease).await.unwrap();
        settle_idle(&ctx, idle.into_iter().collect(), due.lease)
            .await
            .unwrap();
    };
    futures_util::future::join(round, decline).await;
    let due = "SELECT count(*) FROM requests WHERE match_due_at IS NOT NULL AND lease_id IS NULL";
    assert_eq!(world.raw.number(due), 1);
}

/// The same call waits for one that is under way. Gives how many areas there are then.
async fn repeated_behind(end: &str) -> i64 {
    let mut world = World::new();
    let coordinator = world.coordinator().await;
    let keys = world.app.ctx.vault.keys().unwrap();
    let call = Call {
        key: keys.hasher.call(&[b"key"]),
        body: keys.hasher.call(&[b"body"]),
    };
    let hex = |hash: &KeyedHash| blake3::Hash::from_bytes(*hash.as_bytes()).to_hex();
    let (key, body) = (hex(&call.key), hex(&call.body));
    let held = format!(
        "INSERT INTO idempotency VALUES ('\\x{key}', '\\x{body}', gen_random_uuid(), now())"
    );
    let freeze = async |ctx: Ctx| {
        let area = NewArea {
            place: GeoPoint::parse(44.98, -93.265).unwrap(),
            radius: Radius::try_from(5000).unwrap(),
            reason: AreaReason::Threat,
        };
        freeze_area(&ctx, area, coordinator, Some(call)).await
    };
    let ctx = world.app.ctx.clone();
    for outcome in world.behind(&held, end, vec![freeze(ctx)]).await {
        outcome.unwrap();
    }
    world.raw.number("SELECT count(*) FROM areas")
}

#[actix_web::test]
async fn a_call_that_waited_for_the_same_call_shows_what_that_one_made() {
    assert_eq!(repeated_behind("").await, 0);
}

#[actix_web::test]
async fn a_call_that_waited_for_the_same_call_in_vain_takes_effect() {
    assert_eq!(repeated_behind("ROLLBACK; BEGIN").await, 1);
}
