//! Every act against every other, twice each, on the same people at the same instant.

use super::acts::Act;
use super::checks;
use super::scene::{Kind, Scene, Stage, others_join};
use super::world::{World, won};

/// Every pair of acts, each act twice, by as many processes. The acts meet in all stages in turn; with
/// `MANYHANDS_TEST_RACES=all` every pair meets in every stage, which takes minutes.
async fn collide(stage: Stage) {
    let everywhere = std::env::var("MANYHANDS_TEST_RACES").is_ok_and(|which| which == "all");
    let mut world = World::new();
    for (number, first) in Act::ALL.iter().enumerate() {
        for (other, second) in Act::ALL.iter().enumerate().skip(number) {
            if !everywhere && (number * 2 + other) % 3 != stage as usize {
                continue;
            }
            let kind = [Kind::Meals, Kind::Stays][(number / 2 + other) % 2];
            let scene = Scene::of(&mut world, stage, kind).await;
            if [first, second].contains(&&Act::Plan) {
                others_join(&mut world, &scene, kind).await;
            }
            let acts = [first, second, first, second];
            let all: Vec<_> = acts
                .iter()
                .zip(world.turns())
                .map(|(act, ctx)| async move { act.done_by(&ctx, &scene).await })
                .collect();
            let outcomes = world.at_once(all).await;
            won(&outcomes);
            checks::everything(
                &mut world.raw,
                &format!("after {first:?} and {second:?} of {kind:?}"),
            );
        }
    }
    for met in [
        "SELECT count(*) FROM matches WHERE taken > 0 AND further_periods <> '[]'",
        "SELECT count(*) FROM plan_pairs WHERE state = 'applied'",
    ] {
        assert!(world.raw.number(met) > 0, "{met}");
    }
    world.no_deadlocks();
}

#[actix_web::test]
async fn whatever_meets_an_ask_at_the_same_instant_what_is_promised_adds_up() {
    collide(Stage::Asked).await;
}

#[actix_web::test]
async fn whatever_meets_an_acceptance_at_the_same_instant_what_is_promised_adds_up() {
    collide(Stage::Accepted).await;
}

#[actix_web::test]
async fn whatever_meets_a_wait_for_agreement_at_the_same_instant_what_is_promised_adds_up() {
    collide(Stage::Pending).await;
}
