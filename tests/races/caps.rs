//! What there is only so much of: the last place, an offer's capacity, and what is counted.

use std::sync::Arc;

use manyhands::actions::Refusal;
use manyhands::actions::accept_match::{Yes, accept_match};
use manyhands::actions::claim_letters::claim_letters;
use manyhands::actions::claim_posts::claim_posts;
use manyhands::actions::match_request::match_request;
use manyhands::actions::reveal::{RevealReason, reveal_request};
use manyhands::actions::{Ctx, Outcome};
use manyhands::domain::ids::{LeaseId, MatchId};
use manyhands::domain::letter::Lane;
use manyhands::domain::remit::Remit;
use manyhands::settings::limits::LimitsMode;
use manyhands::storage::TxError;
use manyhands::storage::audit::Actor;
use serde_json::{Value, json};

use super::world::{World, meals, need, won};
use crate::support::people::with;

/// Everybody says yes at the same instant.
async fn all_accept(world: &World, matches: &[MatchId]) -> Vec<Outcome<()>> {
    let yes = |(id, ctx): (&MatchId, Ctx)| {
        let id = *id;
        async move { accept_match(&ctx, id, Yes::default(), Actor::OPERATOR).await }
    };
    world
        .at_once(matches.iter().zip(world.turns()).map(yes).collect())
        .await
}

#[track_caller]
fn refused_as(outcomes: &[Outcome<()>], expected: Refusal) {
    for outcome in outcomes {
        if let Err(TxError::Refused(refusal)) = outcome {
            assert_eq!(*refusal, expected);
        }
    }
}

#[actix_web::test]
async fn of_those_who_take_the_last_place_one_succeeds_and_nobody_else_is_confirmed() {
    let mut world = World::new();
    for _ in 0..10 {
        let (_, requests) = world.neighbor(&[need(2)], Value::Null).await;
        let mut matches = Vec::new();
        for _ in 0..6 {
            let (_, offers) = world.volunteer(&[meals(2)]).await;
            matches.push(world.ask(requests[0], offers[0]).await);
        }
        let outcomes = all_accept(&world, &matches).await;
        assert_eq!(won(&outcomes), 1);
        refused_as(&outcomes, Refusal::AlreadyCovered);
        world.check();
    }
    world.no_deadlocks();
}

#[actix_web::test]
async fn a_need_that_is_shared_is_covered_and_no_more_than_that() {
    let mut world = World::new();
    for _ in 0..5 {
        let shared = with(need(10), json!({"splittable": true, "max_helpers": 10}));
        let (_, requests) = world.neighbor(&[shared], Value::Null).await;
        let mut matches = Vec::new();
        for _ in 0..6 {
            let (_, offers) = world.volunteer(&[meals(3)]).await;
            matches.push(world.ask(requests[0], offers[0]).await);
        }
        let outcomes = all_accept(&world, &matches).await;
        assert_eq!(won(&outcomes), 4);
        refused_as(&outcomes, Refusal::AlreadyCovered);
        world.check();
    }
    world.no_deadlocks();
}

#[actix_web::test]
async fn an_offer_is_not_promised_twice() {
    let mut world = World::with(&[("matching.open_releases", "20")]);
    for _ in 0..5 {
        let (_, offers) = world.volunteer(&[meals(7)]).await;
        let mut matches = Vec::new();
        for _ in 0..6 {
            let (_, requests) = world.neighbor(&[need(2)], Value::Null).await;
            matches.push(world.ask(requests[0], offers[0]).await);
        }
        let outcomes = all_accept(&world, &matches).await;
        assert_eq!(won(&outcomes), 3);
        let taken = "SELECT sum(taken) FROM matches WHERE state = 'accepted'";
        assert_eq!(world.raw.number(taken) % 6, 0);
    }
    world.no_deadlocks();
}

#[actix_web::test]
async fn nobody_promises_more_at_once_than_one_may() {
    let mut world = World::new();
    let (_, offers) = world.volunteer(&[meals(50), meals(50)]).await;
    let mut matches = Vec::new();
    for number in 0..6 {
        let (_, requests) = world.neighbor(&[need(1)], Value::Null).await;
        matches.push(world.ask(requests[0], offers[number % 2]).await);
    }
    let outcomes = all_accept(&world, &matches).await;
    assert_eq!(won(&outcomes), 2);
    refused_as(&outcomes, Refusal::TooManyOpen);
    world.check();
}

#[actix_web::test]
async fn rounds_at_the_same_instant_ask_nobody_more_than_they_take() {
    let mut world = World::new();
    let (volunteer, _) = world.volunteer(&[meals(50)]).await;
    world.app.settle().await;
    for _ in 0..6 {
        world.neighbor(&[need(1)], Value::Null).await;
    }
    let due = claim_posts(&world.app.ctx, 32).await.unwrap();
    assert_eq!(due.requests.len(), 6);
    let rounds = due.requests.into_iter().zip(world.turns());
    let rounds =
        rounds.map(|(request, ctx)| async move { match_request(&ctx, request, due.lease).await });
    // All have chosen her before the first asks her.
    let held = format!("SELECT FROM volunteers WHERE id = '{volunteer}' FOR UPDATE");
    let outcomes = world.behind(&held, "", rounds.collect()).await;
    let idle: Vec<_> = outcomes.into_iter().filter_map(Result::unwrap).collect();
    assert!(idle.is_empty(), "{idle:?}");
    let open = "SELECT count(*) FROM matches WHERE state = 'notified'";
    assert_eq!(world.raw.number(open), 3);
    // Those who came too late are not told that nobody is left.
    let due = "SELECT count(*) FROM requests WHERE match_due_at IS NOT NULL AND attention IS NULL";
    assert_eq!(world.raw.number(due), 6);
}

#[actix_web::test]
async fn instances_that_claim_letters_at_once_keep_to_one_budget() {
    let mut world = World::new();
    for _ in 0..12 {
        world.neighbor(&[need(1)], Value::Null).await;
    }
    for ctx in &mut world.instances {
        let mut settings = (*ctx.settings).clone();
        settings.limits.mode = LimitsMode::On;
        settings.mail.hourly_budget = 20;
        ctx.settings = Arc::new(settings);
    }
    let claims = world.turns().take(3).map(|ctx| async move {
        let lease = LeaseId::new(ctx.entropy.as_ref());
        claim_letters(&ctx, Lane::Unconfirmed, lease, 4).await
    });
    let outcomes = world.at_once(claims.collect()).await;
    won(&outcomes);
    assert_eq!(world.raw.number("SELECT count(*) FROM departures"), 5);
}

#[actix_web::test]
async fn nobody_looks_at_more_than_one_may_by_looking_at_once() {
    let mut world = World::new();
    let coordinator = world.coordinator().await;
    let (_, requests) = world.neighbor(&[need(1)], Value::Null).await;
    let now = world.app.now();
    world.raw.execute(&format!(
        "INSERT INTO audit (at, actor, actor_id, action, subject, subject_id, detail)
            SELECT '{now}', 'coordinator', '{coordinator}', 'revealed', 'request', '{0}', '{{}}'
            FROM generate_series(1, 59)",
        requests[0]
    ));
    let id = requests[0];
    let looks = world.turns().take(4).map(|ctx| async move {
        reveal_request(&ctx, id, Remit::All, coordinator, RevealReason::Call)
            .await
            .map(drop)
    });
    // Whoever has counted waits before it is one more.
    let held = "LOCK TABLE audit IN EXCLUSIVE MODE";
    let outcomes = world.behind(held, "", looks.collect()).await;
    assert_eq!(won(&outcomes), 1);
    refused_as(&outcomes, Refusal::TooManyReveals(3600));
}
