//! People among whom each act means something.

use manyhands::actions::cards::{offer_cards_by_id, request_cards_by_id};
use manyhands::domain::ids::{MatchId, NeighborId, OfferId, RequestId, VolunteerId};
use manyhands::matching::index::PostIndex;
use manyhands::storage::StorageError;
use serde_json::{Value, json};

use super::acts::Act;
use super::world::{World, meals, need};
use crate::support::{DAY, HOUR};

/// One neighbor with two requests, two volunteers, and everybody is asked for everything.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    pub neighbor: NeighborId,
    pub requests: [RequestId; 2],
    pub volunteers: [VolunteerId; 2],
    pub offers: [OfferId; 2],
    /// The first request with each volunteer, then the second; the last waits for a coordinator.
    pub matches: [MatchId; 4],
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Meals,
    /// A place for some days, of which the requests share one or two.
    Stays,
}

/// How far the first match has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The time for the answer is over already.
    Asked,
    Accepted,
    /// She has to agree.
    Pending,
}

impl Scene {
    pub async fn set(world: &mut World, stage: Stage) -> Self {
        Self::of(world, stage, Kind::Meals).await
    }

    pub async fn of(world: &mut World, stage: Stage, kind: Kind) -> Self {
        let agree_first = json!({"agree_first": stage == Stage::Pending});
        let needs = [kind.need(world, 4, 0), kind.need(world, 4, 1)];
        let (neighbor, requests) = world.neighbor(&needs, agree_first).await;
        let (first, offer) = world.volunteer(&[kind.offer(4)]).await;
        let (second, other) = world.volunteer(&[kind.offer(8)]).await;
        let offers = [offer[0], other[0]];
        let mut matches = Vec::new();
        for request in &requests {
            for offer in offers {
                matches.push(world.ask(*request, offer).await);
            }
        }
        let scene = Self {
            neighbor,
            requests: [requests[0], requests[1]],
            volunteers: [first, second],
            offers,
            matches: matches.try_into().unwrap(),
        };
        world.raw.execute(&format!(
            "UPDATE matches SET asked_at = created_at, respond_by = created_at
                WHERE request_id IN ('{}', '{}')",
            requests[0], requests[1]
        ));
        world.raw.execute(&format!(
            "UPDATE matches SET state = 'proposed', asked_at = NULL, respond_by = NULL
                WHERE id = '{0}';
             INSERT INTO tasks (id, kind, match_id, request_id, neighbor_id, created_at, due_at)
                SELECT gen_random_uuid(), 'review', m.id, r.id, r.neighbor_id, now(), now()
                FROM matches m JOIN requests r ON r.id = m.request_id WHERE m.id = '{0}';
             DELETE FROM letters WHERE match_id = '{0}'",
            scene.matches[3]
        ));
        if stage != Stage::Asked {
            Act::Accept.done_by(&world.app.ctx, &scene).await.unwrap();
        }
        scene
    }
}

impl Kind {
    /// What is needed from that day on.
    pub fn need(self, world: &World, quantity: i64, day: u32) -> Value {
        let from = world.app.now().after(2 * HOUR + day * DAY);
        match self {
            Self::Meals => need(quantity),
            Self::Stays => {
                json!({"category": "warming_space", "quantity": quantity, "urgency": "now",
                "needed": [{"from": from, "until": from.after(2 * DAY)}], "throughout": true})
            }
        }
    }

    pub fn offer(self, capacity: i64) -> Value {
        match self {
            Self::Meals => meals(capacity),
            Self::Stays => {
                json!({"category": "warming_space", "capacity": capacity, "renews": "daily",
                "lead_minutes": 60})
            }
        }
    }
}

/// Somebody else who needs the same, and somebody who could give it, whom nobody has asked yet; and the index
/// knows of these people alone. So a plan has something to do.
pub async fn others_join(world: &mut World, scene: &Scene, kind: Kind) {
    let third = [kind.need(world, 2, 0)];
    let (_, mut requests) = world.neighbor(&third, Value::Null).await;
    let (_, mut offers) = world.volunteer(&[kind.offer(8)]).await;
    requests.extend(scene.requests);
    offers.extend(scene.offers);
    let ctx = world.app.ctx.clone();
    let index = ctx.db.read({
        let ctx = ctx.clone();
        move |conn| {
            let now = ctx.now();
            let offers = offer_cards_by_id(&ctx, conn, &offers, now)?;
            let requests = request_cards_by_id(&ctx, conn, &requests, now)?;
            Ok::<_, StorageError>(PostIndex::load(&ctx.catalog, offers, requests))
        }
    });
    *ctx.index.write().unwrap() = index.await.unwrap();
}
