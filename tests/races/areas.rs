//! An area is frozen while somebody in it is just being asked.

use futures_util::future::{Either, join3, select};
use manyhands::actions::claim_posts::claim_posts;
use manyhands::actions::freeze_area::{NewArea, freeze_area};
use manyhands::actions::match_request::match_request;
use manyhands::domain::area::{AreaReason, Radius};
use manyhands::domain::place::GeoPoint;
use serde_json::Value;

use super::world::{World, meals, need};

#[actix_web::test]
async fn an_ask_that_is_under_way_when_its_area_is_frozen_is_withdrawn() {
    let mut world = World::new();
    world.volunteer(&[meals(5)]).await;
    world.app.settle().await;
    world.neighbor(&[need(1)], Value::Null).await;
    let coordinator = world.coordinator().await;
    let mut due = claim_posts(&world.app.ctx, 32).await.unwrap();
    let request = due.requests.pop().unwrap();
    let (asking, freezing) = (world.instances[0].clone(), world.instances[1].clone());
    let mut holder = world.database.connect();
    // The round has looked at the areas, made the match, and stops at its letter.
    holder.execute("BEGIN; LOCK TABLE letters IN ACCESS EXCLUSIVE MODE");
    let round = match_request(&asking, request, due.lease);
    let mut watcher = world.database.connect();
    let freeze = async {
        watcher.until_waiting(1).await;
        let area = NewArea {
            place: GeoPoint::parse(44.98, -93.265).unwrap(),
            radius: Radius::try_from(5000).unwrap(),
            reason: AreaReason::Threat,
        };
        let freeze = Box::pin(freeze_area(&freezing, area, coordinator, None));
        let both_wait = Box::pin(async {
            watcher.until_waiting(2).await;
        });
        match select(freeze, both_wait).await {
            Either::Left((frozen, _)) => {
                holder.execute("COMMIT");
                frozen
            }
            Either::Right(((), freeze)) => {
                holder.execute("COMMIT");
                freeze.await
            }
        }
    };
    let (round, frozen, ()) = join3(round, freeze, async {}).await;
    assert!(round.unwrap().is_none(), "somebody is asked");
    frozen.unwrap();
    let asks = "SELECT count(*) FROM matches WHERE state = 'notified'";
    assert_eq!(world.raw.number(asks), 0);
}
