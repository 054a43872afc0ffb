//! What runs by the clock runs in every process: at the same instant, and while people act.

use std::time::Duration;

use manyhands::actions::confirm_offers::confirm_offers;
use manyhands::actions::wipe_closed::wipe_closed;
use manyhands::actions::{Ctx, Outcome, aftermath, expire, forget};
use manyhands::storage::audit::Actor;
use serde_json::Value;

use super::acts::Act;
use super::scene::{Scene, Stage};
use super::world::{World, meals, need, won};
use crate::support::{DAY, HOUR};

async fn everything(ctx: Ctx) -> Outcome<()> {
    expire::overdue_matches(&ctx).await?;
    aftermath::reminders(&ctx).await?;
    aftermath::questions(&ctx).await?;
    aftermath::believed(&ctx).await?;
    aftermath::silence(&ctx).await?;
    expire::past_requests(&ctx).await?;
    expire::past_offers(&ctx).await?;
    expire::ending_offers(&ctx).await?;
    expire::unconfirmed(&ctx).await?;
    expire::sealed_parts(&ctx).await?;
    expire::evidence(&ctx).await?;
    expire::leftovers(&ctx).await?;
    expire::sweep(&ctx).await?;
    forget::old_requests(&ctx).await?;
    forget::old_offers(&ctx).await?;
    forget::old_volunteers(&ctx).await?;
    forget::old_letters(&ctx).await?;
    forget::old_work(&ctx).await?;
    wipe_closed(&ctx, Actor::OPERATOR, |_| {}).await.map(drop)
}

#[actix_web::test]
async fn housekeeping_in_every_process_at_once_does_everything_once() {
    let mut world = World::new();
    for stage in [
        Stage::Asked,
        Stage::Accepted,
        Stage::Pending,
        Stage::Accepted,
    ] {
        Scene::set(&mut world, stage).await;
        let number = world.next();
        let email = format!("nobody{number}@example.org");
        world.unconfirmed(&email, &[meals(1)]).await;
    }
    let steps = [
        HOUR,
        30 * HOUR,
        3 * DAY,
        84 * DAY,
        10 * DAY,
        40 * DAY,
        40 * DAY,
    ];
    for step in steps {
        world.app.clock.advance(step);
        let all = world.turns().take(6).map(everything).collect();
        won(&world.at_once(all).await);
        // As long as nothing is forgotten that adds up to something.
        if world.raw.number("SELECT count(*) FROM requests") == 8 {
            world.check();
        }
        let twice = "SELECT count(*) FROM (SELECT subject_id FROM audit WHERE action IN
            ('offer_expired', 'neighbor_erased', 'volunteer_erased', 'request_closed')
            GROUP BY subject_id, action HAVING count(*) > 1) AS twice";
        assert_eq!(world.raw.number(twice), 0);
        let twice = "SELECT count(*) FROM (SELECT to_id FROM letters WHERE kind = 'expiring'
            GROUP BY to_id HAVING count(*) > 1) AS twice";
        assert_eq!(world.raw.number(twice), 0);
    }
    assert_eq!(world.raw.number("SELECT count(*) FROM requests"), 0);
    assert_eq!(world.raw.number("SELECT sum(requests) FROM statistics"), 8);
    world.no_deadlocks();
}

#[actix_web::test]
async fn an_address_that_is_confirmed_just_in_time_is_not_erased() {
    let mut world = World::new();
    let (id, _) = world.unconfirmed("late@example.org", &[meals(1)]).await;
    world.app.clock.advance(Duration::from_secs(25 * 3600));
    let ctx = world.app.ctx.clone();
    let held = format!("SELECT FROM volunteers WHERE id = '{id}' FOR UPDATE");
    let meanwhile = format!("UPDATE volunteers SET confirmed_at = created_at WHERE id = '{id}'");
    let sweep = async move { expire::unconfirmed(&ctx).await };
    won(&world.behind(&held, &meanwhile, vec![sweep]).await);
    let erased = "SELECT count(*) FROM volunteers WHERE erased_at IS NOT NULL";
    assert_eq!(world.raw.number(erased), 0);
    confirm_offers(&world.app.ctx, id).await.unwrap();
}

#[actix_web::test]
async fn an_answer_that_arrives_just_in_time_is_no_lapse() {
    let mut world = World::new();
    let scene = Scene::set(&mut world, Stage::Asked).await;
    let late = scene.matches[0];
    world.app.clock.advance(HOUR);
    let ctx = world.app.ctx.clone();
    // Somebody else settles it while the sweep waits for it.
    let held = format!("SELECT FROM matches WHERE id = '{late}' FOR UPDATE");
    let meanwhile =
        format!("UPDATE matches SET respond_by = NULL, max_wait_at = NULL WHERE id = '{late}'");
    let sweep = async move { expire::overdue_matches(&ctx).await };
    won(&world.behind(&held, &meanwhile, vec![sweep]).await);
    let lapsed = format!(
        "SELECT count(*) FROM audit WHERE action = 'match_lapsed' AND subject_id = '{late}'"
    );
    assert_eq!(world.raw.number(&lapsed), 0);
    Act::Accept.done_by(&world.app.ctx, &scene).await.unwrap();
    world.check();
}

#[actix_web::test]
async fn what_is_forgotten_by_several_at_once_is_counted_once() {
    let mut world = World::new();
    for _ in 0..10 {
        world.neighbor(&[need(1)], Value::Null).await;
    }
    world.raw.execute(
        "UPDATE requests SET state = 'closed', close_reason = 'unmet', closed_at = '2020-01-01Z',
            match_due_at = NULL, sealed = NULL, sealed_epoch = NULL",
    );
    let all = world
        .turns()
        .take(3)
        .map(|ctx| async move { forget::old_requests(&ctx).await });
    won(&world.at_once(all.collect()).await);
    assert_eq!(world.raw.number("SELECT sum(requests) FROM statistics"), 10);
    assert_eq!(world.raw.number("SELECT count(*) FROM requests"), 0);
}
