//! Records of people: one for an address, one token after a change of tokens, one call.

use std::future::Future;
use std::pin::Pin;

use manyhands::actions::Outcome;
use manyhands::actions::add_requests::add_requests;
use manyhands::actions::claim_task::claim_task;
use manyhands::actions::close_request::close_request;
use manyhands::actions::confirm_offers::confirm_offers;
use manyhands::actions::rotate_token::rotate_token;
use manyhands::domain::ids::{TaskId, VolunteerId};
use manyhands::domain::lifecycle::CloseReason;
use manyhands::domain::need::Handover;
use manyhands::domain::remit::Remit;
use manyhands::storage::audit::Actor;
use serde_json::{Value, json};

use super::acts::another_need;
use super::world::{World, meals, need, won};
use crate::support::people::with;

#[actix_web::test]
async fn posts_of_one_address_that_are_confirmed_at_once_become_one_record() {
    let mut world = World::new();
    for round in 0..8 {
        let email = format!("same{round}@example.org");
        let mut posts: Vec<VolunteerId> = Vec::new();
        for _ in 0..4 {
            posts.push(world.unconfirmed(&email, &[meals(1)]).await.0);
        }
        let confirms = posts.iter().zip(world.turns()).map(|(id, ctx)| {
            let id = *id;
            async move { confirm_offers(&ctx, id).await }
        });
        let outcomes = world.at_once(confirms.collect()).await;
        assert_eq!(won(&outcomes), 4);
        let live = "SELECT count(*) FROM volunteers WHERE erased_at IS NULL";
        assert_eq!(world.raw.number(live), round + 1);
        let owners = "SELECT count(*) FROM offers o JOIN volunteers v ON v.id = o.volunteer_id
            WHERE o.state = 'open' AND v.erased_at IS NULL AND v.confirmed_at IS NOT NULL";
        assert_eq!(world.raw.number(owners), 4 * (round + 1));
        let tokens = "SELECT count(*) FROM tokens WHERE purpose = 'volunteer'";
        assert_eq!(world.raw.number(tokens), round + 1);
    }
}

#[actix_web::test]
async fn of_tokens_that_are_made_new_at_once_one_works() {
    let mut world = World::new();
    let (neighbor, _) = world.neighbor(&[need(1)], Value::Null).await;
    let news = world
        .turns()
        .take(4)
        .map(|ctx| async move { rotate_token(&ctx, neighbor, Remit::All, Actor::OPERATOR).await });
    assert_eq!(won(&world.at_once(news.collect()).await), 4);
    let tokens = format!(
        "SELECT count(*) FROM tokens WHERE subject_id = '{neighbor}' AND purpose = 'neighbor'"
    );
    assert_eq!(world.raw.number(&tokens), 1);
}

#[actix_web::test]
async fn a_task_that_one_takes_twice_at_once_is_taken() {
    let mut world = World::new();
    let (one, other) = (world.coordinator().await, world.coordinator().await);
    let id = TaskId::new(world.app.ctx.entropy.as_ref());
    world.raw.execute(&format!(
        "INSERT INTO tasks (id, kind, created_at, due_at) VALUES ('{id}', 'call', now(), now())"
    ));
    let both = world
        .turns()
        .take(2)
        .map(|ctx| async move { claim_task(&ctx, id, one).await });
    assert_eq!(won(&world.at_once(both.collect()).await), 2);
    let audited = "SELECT count(*) FROM audit WHERE action = 'task_claimed'";
    assert_eq!(world.raw.number(audited), 1);
    let ctx = &world.app.ctx;
    assert_eq!(won(&[claim_task(ctx, id, other).await]), 0);
}

/// She closes what waits for a call and asks for something else that does.
#[actix_web::test]
async fn whatever_waits_for_a_call_has_one() {
    let mut world = World::new();
    for _ in 0..10 {
        let at_home = with(
            json!({"category": "pet_care", "quantity": 1, "urgency": "now"}),
            json!({"handover": "home"}),
        );
        let (neighbor, requests) = world.neighbor(&[at_home], Value::Null).await;
        let waits = "SELECT count(*) FROM requests WHERE attention = 'call_back'";
        assert_eq!(world.raw.number(waits), 1, "the scene");
        let mut turns = world.turns();
        let (closer, adder) = (turns.next().unwrap(), turns.next().unwrap());
        let id = requests[0];
        let close: Pin<Box<dyn Future<Output = Outcome<()>>>> = Box::pin(async move {
            let by = Actor::OPERATOR;
            close_request(&closer, id, Remit::All, CloseReason::NotNeeded, by).await
        });
        let add: Pin<Box<dyn Future<Output = Outcome<()>>>> = Box::pin(async move {
            let mut need = another_need(&adder);
            need.category = "pet_care".parse().unwrap();
            need.handover = Handover::Home;
            let by = Actor::OPERATOR;
            add_requests(&adder, neighbor, Remit::All, vec![need], None, by)
                .await
                .map(drop)
        });
        assert_eq!(won(&world.at_once(vec![close, add]).await), 2);
        let calls = format!(
            "SELECT count(*) FROM tasks WHERE neighbor_id = '{neighbor}' AND kind = 'call' AND done_at IS NULL"
        );
        assert_eq!(world.raw.number(&calls), 1);
        world.raw.execute("UPDATE requests SET attention = NULL");
    }
}
