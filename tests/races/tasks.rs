//! Two at one task at the same instant: it is done once, and by its act where it has one.

use std::future::Future;
use std::pin::Pin;

use manyhands::actions::Outcome;
use manyhands::actions::assign_task::assign_task;
use manyhands::actions::claim_task::claim_task;
use manyhands::actions::finish_task::finish_task;
use manyhands::actions::review_match::{approve_match, veto_match};
use manyhands::actions::revoke_coordinator::revoke_coordinator;
use manyhands::domain::ids::{CoordinatorId, RecordId, TaskId};
use manyhands::domain::task::DoneOutcome;
use manyhands::storage::audit::{Actor, ActorKind};

use super::scene::{Scene, Stage};
use super::world::{World, won};

type Deed = Pin<Box<dyn Future<Output = Outcome<()>>>>;

#[actix_web::test]
async fn a_task_that_one_takes_while_another_does_it_is_done_once() {
    let mut world = World::new();
    let (one, other) = (world.coordinator().await, world.coordinator().await);
    for _ in 0..10 {
        let id = TaskId::new(world.app.ctx.entropy.as_ref());
        world.raw.execute(&format!(
            "INSERT INTO tasks (id, kind, created_at, due_at) VALUES ('{id}', 'look', now(), now())"
        ));
        let all: Vec<Deed> = world
            .turns()
            .take(4)
            .enumerate()
            .map(|(nth, ctx)| -> Deed {
                Box::pin(async move {
                    match nth % 2 {
                        0 => claim_task(&ctx, id, one).await,
                        _ => finish_task(&ctx, id, DoneOutcome::Looked, None, other).await,
                    }
                })
            })
            .collect();
        // Whoever comes too late to take it is told so; who says the same again is not.
        assert!(won(&world.at_once(all).await) >= 2);
        let done = format!("SELECT count(*) FROM tasks WHERE id = '{id}' AND done_by = '{other}'");
        assert_eq!(world.raw.number(&done), 1);
        let audited = format!(
            "SELECT count(*) FROM audit WHERE subject_id = '{id}' AND action = 'task_done'"
        );
        assert_eq!(world.raw.number(&audited), 1);
    }
    world.no_deadlocks();
}

#[actix_web::test]
async fn of_two_who_decide_on_a_match_the_review_names_the_first() {
    let mut world = World::new();
    let (one, other) = (world.coordinator().await, world.coordinator().await);
    let by = |id: CoordinatorId| Actor::person(ActorKind::Coordinator, RecordId::from(id));
    for _ in 0..10 {
        let scene = Scene::set(&mut world, Stage::Asked).await;
        let id = scene.matches[3];
        let mut turns = world.turns();
        let (yes, no) = (turns.next().unwrap(), turns.next().unwrap());
        let all: Vec<Deed> = vec![
            Box::pin(async move { approve_match(&yes, id, by(one)).await }),
            Box::pin(async move { veto_match(&no, id, by(other)).await }),
        ];
        won(&world.at_once(all).await);
        let done = format!(
            "SELECT count(*) FROM tasks WHERE match_id = '{id}' AND kind = 'review' AND outcome = 'done'
                AND done_by = (SELECT actor_id FROM audit WHERE subject_id = '{id}'
                    AND action IN ('match_approved', 'match_vetoed') ORDER BY seq LIMIT 1)"
        );
        assert_eq!(world.raw.number(&done), 1);
        world.check();
    }
    world.no_deadlocks();
}

#[actix_web::test]
async fn whose_access_ends_while_they_are_given_tasks_has_none() {
    let mut world = World::new();
    let boss = world.coordinator().await;
    for _ in 0..10 {
        let leaves = world.coordinator().await;
        let mut ids = Vec::new();
        for nth in 0..4 {
            let id = TaskId::new(world.app.ctx.entropy.as_ref());
            let held = if nth % 2 == 0 {
                format!("'{leaves}', now()")
            } else {
                "NULL, NULL".to_owned()
            };
            world.raw.execute(&format!(
                "INSERT INTO tasks (id, kind, created_at, due_at, claimed_by, claimed_at)
                    VALUES ('{id}', 'look', now(), now(), {held})"
            ));
            ids.push(id);
        }
        let mut turns = world.turns();
        let mut next = || turns.next().unwrap();
        let mut all: Vec<Deed> = Vec::new();
        for id in &ids {
            let (ctx, id) = (next(), *id);
            all.push(Box::pin(async move {
                assign_task(&ctx, id, leaves, boss).await
            }));
        }
        let ctx = next();
        all.insert(
            2,
            Box::pin(async move { revoke_coordinator(&ctx, leaves, Actor::OPERATOR).await }),
        );
        won(&world.at_once(all).await);
        let left =
            format!("SELECT count(*) FROM tasks WHERE claimed_by = '{leaves}' AND done_at IS NULL");
        assert_eq!(world.raw.number(&left), 0);
    }
    world.no_deadlocks();
}
