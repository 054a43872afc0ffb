//! Where somebody lives: two worlds that differ in nothing but exact points within the same cells look
//! the same to everybody but the people themselves.

mod world;

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use self::world::World;
use crate::support::people::{Volunteer, food, offer_of, with};
use crate::support::{DAY, HOUR, MINUTE};

const ACCEPT: &str = "/v1/matches/self/accept";

/// Everything that may depend on a place: asking, order, bands, counts, pages, letters, moves.
async fn story(world: &mut World) {
    let meals = json!({"category": "food", "capacity": 9, "reach_m": 6000});
    let ana = world.volunteer("ana", 1.2, meals.clone()).await;
    let ben = world.volunteer("ben", 3.1, meals.clone()).await;
    let cem = world.volunteer("cem", 5.3, meals.clone()).await;
    // Far enough that a few hundred meters would decide, were they looked at.
    let far = world.volunteer("far", 6.6, meals.clone()).await;
    let meet = |quantity| with(food(quantity), json!({"handover": "meet"}));
    let (mo, request) = world
        .neighbor(
            0.0,
            json!({}),
            &[meet(4), json!({"category": "towing", "quantity": 1})],
        )
        .await;
    for (n, km) in [0.0, 0.1, 2.0, 2.1, 2.2].into_iter().enumerate() {
        let contact = json!({"contact": {"name": "Lin", "phone": format!("612 555 02{n}0")}});
        world.neighbor(km, contact, &[meet(1)]).await;
    }
    world.anyone().await;
    world.wait(MINUTE).await;
    for who in [&ana, &ben, &cem] {
        world.look(who).await;
    }
    world.page("/manage", &mo).await;
    let path = format!("/v1/requests/{request}");
    world.call(Method::GET, &path, &mo, Value::Null).await;

    steps(world, &mo, &request, &ana, &ben).await;
    // More offers of the same person from nearly the same place.
    let place = world.step(3.1);
    let more = json!({"location": place, "offers": [&meals]});
    world
        .own(Method::POST, "/v1/volunteers/self/offers", &ben.token, more)
        .await;
    // A post without her code is anybody's, with a cell of its own, until the letter shows whose it is.
    let place = world.step(3.1);
    let again = with(offer_of(&ben.email, &[meals]), json!({"location": place}));
    let path = "/v1/offers";
    let posted = world.app.call(Method::POST, path, None, Some(&again));
    posted.await.ok();
    world.wait(MINUTE).await;
    let confirm = world.app.letter_to(&ben.email, "mho_");
    world
        .own(Method::POST, "/v1/confirm", &confirm, Value::Null)
        .await;
    world.wait(10 * MINUTE).await;

    // A real move, into the same cell in both worlds.
    let place = with(world.point(9.0), json!({"address": "1 Other Ave"}));
    world
        .own(
            Method::PATCH,
            "/v1/neighbors/self",
            &mo,
            json!({"location": place}),
        )
        .await;
    world.wait(10 * MINUTE).await;
    world.look(&far).await;
    door(world, &ana).await;
    world.anyone().await;
    for days in 0..3 {
        world.wait(HOUR).await;
        world.wait(DAY * days).await;
        world.page("/manage", &mo).await;
        world.anyone().await;
    }
}

/// Steps within the ring: nothing may come of them, for anybody.
async fn steps(world: &mut World, mo: &str, request: &str, ana: &Volunteer, ben: &Volunteer) {
    let path = format!("/v1/requests/{request}");
    // While asked.
    let place = world.step(0.0);
    let moved = json!({"location": with(place, json!({"address": "2412 Secret Ave"}))});
    world
        .own(Method::PATCH, "/v1/neighbors/self", mo, moved)
        .await;
    let place = world.step(1.2);
    let offer = format!("/v1/offers/{}", ana.offers[0]);
    world
        .own(
            Method::PATCH,
            &offer,
            &ana.token,
            json!({"location": place}),
        )
        .await;
    world.wait(MINUTE).await;
    world.page("/manage", mo).await;

    let no = world.look(ben).await;
    world
        .call(
            Method::POST,
            "/v1/matches/self/decline",
            &no,
            json!({"reason": "too_far"}),
        )
        .await;
    let yes = world.look(ana).await;
    world.call(Method::POST, ACCEPT, &yes, json!({})).await;
    world.wait(MINUTE).await;
    world.call(Method::GET, &path, mo, Value::Null).await;
    // And while promised.
    let place = world.step(1.2);
    world
        .own(
            Method::PATCH,
            &offer,
            &ana.token,
            json!({"location": place}),
        )
        .await;
    world.call(Method::GET, &path, mo, Value::Null).await;
    world.page("/manage", &ana.token).await;
    world
        .call(Method::POST, "/v1/matches/self/release", &yes, json!({}))
        .await;
    world.wait(10 * MINUTE).await;
}

/// Help that is brought: the one who is to come is told where, on purpose, once the neighbor agreed.
async fn door(world: &mut World, ana: &Volunteer) {
    let (token, request) = world
        .neighbor(1.3, json!({"agree_first": true}), &[food(2)])
        .await;
    world.wait(HOUR).await;
    let code = world.look(ana).await;
    world.call(Method::POST, ACCEPT, &code, json!({})).await;
    let path = format!("/v1/requests/{request}");
    let shown = world.call(Method::GET, &path, &token, Value::Null).await;
    let id = shown["matches"][0]["id"]
        .as_str()
        .expect("a match")
        .to_owned();
    let agree = format!("{path}/matches/{id}/agree");
    world.call(Method::POST, &agree, &token, json!({})).await;
    let told = world
        .own(Method::GET, "/v1/matches/self", &code, Value::Null)
        .await;
    assert!(told["contact"]["point"].is_array(), "{told}");
    world
        .call(Method::POST, "/v1/matches/self/done", &code, json!({}))
        .await;
    world
        .call(Method::GET, "/v1/matches/self", &code, Value::Null)
        .await;
    world.wait(MINUTE).await;
}

#[actix_web::test]
async fn nobody_can_tell_two_worlds_apart_that_differ_within_their_cells() {
    let (mut one, mut other) = (World::new(0), World::new(1));
    story(&mut one).await;
    story(&mut other).await;
    let differs = |(a, b): (&[f64; 2], &[f64; 2])| a.map(f64::to_bits) != b.map(f64::to_bits);
    assert!(one.points.iter().zip(&other.points).all(differs));
    for (a, b) in one.seen.lines().zip(other.seen.lines()) {
        assert_eq!(a, b);
    }
    assert_eq!(one.seen.len(), other.seen.len());
    assert!(one.letters() > 20, "{} letters", one.letters());
    assert!(one.seen.contains("page /manage"));

    // What a coordinator is shown on demand does differ: these were two worlds.
    let mut revealed = Vec::new();
    for world in [&mut one, &mut other] {
        let (_, id) = world.neighbor(0.0, json!({}), &[food(1)]).await;
        let (_, token) = world.app.coordinator(Scope::Admin).await;
        let path = format!("/v1/requests/{id}/reveal");
        let why = json!({"reason": "call"});
        revealed.push(world.app.post(&path, &token, &why).await.ok().to_string());
    }
    assert_ne!(revealed[0], revealed[1]);
}
