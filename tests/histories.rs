//! Random histories of everybody at once, over the real actions: whatever people do in whatever order,
//! what is promised adds up, and nobody sees a contact that is not released.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod histories {
    mod releases;
}
mod support;

use std::collections::HashMap;
use std::time::Duration;

use actix_web::http::Method;
use manyhands::domain::lifecycle::{MatchState, RequestState};
use manyhands::domain::remit::Remit;
use manyhands::storage::coordinators::Scope;
use manyhands::storage::page::Page;
use manyhands::storage::{StorageError, capacity, matches, neighbors, offers, requests};
use proptest::prelude::*;
use serde_json::json;
use support::TestApp;
use support::people::{Neighbor, Volunteer, food, with};

/// What somebody does.
#[derive(Clone, Debug)]
enum Act {
    Post {
        quantity: i64,
        splittable: bool,
        agree_first: bool,
        /// For so many days: no meal but a place in each of them, or in one of them.
        days: u64,
        throughout: bool,
    },
    Answer {
        volunteer: usize,
        what: &'static str,
    },
    Neighbor {
        neighbor: usize,
        what: &'static str,
    },
    Offer {
        volunteer: usize,
        nth: usize,
        what: &'static str,
    },
    /// A coordinator, with the newest match of a request, or the request itself.
    Desk {
        neighbor: usize,
        other: usize,
        what: &'static str,
    },
    Wait {
        minutes: u64,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let answers = prop::sample::select(vec![
        "accept", "accept", "accept", "decline", "release", "done", "no-show",
    ]);
    let wishes = prop::sample::select(vec![
        "agree", "agree", "refuse", "done", "no-show", "close", "reopen", "hide", "show", "more",
    ]);
    let hands = prop::sample::select(vec![
        "merge",
        "hand-over",
        "reopen",
        "reassign",
        "reassign",
        "veto",
        "unveto",
        "unpart",
        "undo-done",
        "undo-done",
        "undo-no-show",
        "block",
        "unblock",
        "hold",
        "unhold",
    ]);
    prop_oneof![
        3 => (1..6_i64, any::<bool>(), any::<bool>(), 0..4_u64, any::<bool>())
            .prop_map(|(quantity, splittable, agree_first, days, throughout)| Act::Post {
                quantity, splittable, agree_first, days, throughout,
            }),
        8 => (0..4_usize, answers).prop_map(|(volunteer, what)| Act::Answer { volunteer, what }),
        4 => (0..8_usize, wishes).prop_map(|(neighbor, what)| Act::Neighbor { neighbor, what }),
        1 => (0..4_usize, 0..2_usize, prop::sample::select(vec!["pause", "resume", "close", "reopen"]))
            .prop_map(|(volunteer, nth, what)| Act::Offer { volunteer, nth, what }),
        4 => (0..8_usize, 0..8_usize, hands)
            .prop_map(|(neighbor, other, what)| Act::Desk { neighbor, other, what }),
        2 => (1..90_u64).prop_map(|minutes| Act::Wait { minutes }),
    ]
}

async fn play(
    app: &mut TestApp,
    volunteers: &[Volunteer],
    neighbors: &mut Vec<Neighbor>,
    act: &Act,
) {
    match act {
        Act::Post {
            quantity,
            splittable,
            agree_first,
            days,
            throughout,
        } => {
            let kind = if *days == 0 {
                food(*quantity)
            } else {
                stay(app, *quantity, *days, *throughout)
            };
            let need = with(
                kind,
                json!({"splittable": splittable, "max_helpers": if *splittable { 3 } else { 1 }}),
            );
            let body = with(
                support::people::post_of(&[need]),
                json!({"agree_first": agree_first}),
            );
            neighbors.push(app.neighbor_who(body).await);
        }
        Act::Answer { volunteer, what } => {
            if let Some(token) = app.find_letter(&volunteers[*volunteer].email, "mha_") {
                let answer = app
                    .post(&format!("/v1/matches/self/{what}"), &token, &json!({}))
                    .await;
                assert!(
                    [200, 409].contains(&answer.status),
                    "{what}: {}",
                    answer.body
                );
                let seen = app.get("/v1/matches/self", &token).await.ok();
                contacts_only_when_released(&seen, seen["done_at"].is_null());
            }
        }
        Act::Neighbor { neighbor, what } => {
            let Some(neighbor) = neighbors.get(*neighbor).cloned() else {
                return;
            };
            wish(app, &neighbor, what).await;
        }
        Act::Offer {
            volunteer,
            nth,
            what,
        } => {
            let who = &volunteers[*volunteer];
            let path = format!("/v1/offers/{}/{what}", who.offers[*nth]);
            let answer = app.press(&path, &who.token).await;
            assert!(
                [200, 409].contains(&answer.status),
                "{what}: {}",
                answer.body
            );
        }
        Act::Desk {
            neighbor,
            other,
            what,
        } => {
            let (Some(who), Some(twin)) = (neighbors.get(*neighbor), neighbors.get(*other)) else {
                return;
            };
            let offer = &volunteers[*other % volunteers.len()].offers;
            hand(app, (who, twin), offer, what).await;
        }
        Act::Wait { minutes } => app.clock.advance(Duration::from_secs(minutes * 60)),
    }
    app.settle().await;
}

/// Places to stay at, from when the last of those who want notice has it.
fn stay(app: &TestApp, quantity: i64, days: u64, throughout: bool) -> serde_json::Value {
    let from = app.now().after(2 * support::HOUR);
    let until = from.after(Duration::from_secs(days * 86_400));
    json!({"category": "warming_space", "quantity": quantity, "urgency": "now",
        "needed": [{"from": from, "until": until}], "throughout": throughout})
}

async fn wish(app: &TestApp, neighbor: &Neighbor, what: &str) {
    let path = format!("/v1/requests/{}", neighbor.requests[0]);
    let answer = match what {
        "hide" | "show" => {
            app.post(
                &format!("/v1/neighbors/self/{what}"),
                &neighbor.token,
                &json!({}),
            )
            .await
        }
        "close" => {
            let why = json!({"reason": "not_needed"});
            app.post(&format!("{path}/close"), &neighbor.token, &why)
                .await
        }
        "more" => {
            app.patch(&path, &neighbor.token, &json!({"quantity": 4}))
                .await
        }
        "reopen" => app.press(&format!("{path}/reopen"), &neighbor.token).await,
        _ => {
            let seen = app.get(&path, &neighbor.token).await.ok();
            let Some(id) = seen["matches"]
                .as_array()
                .and_then(|m| m.last())
                .and_then(|m| m["id"].as_str())
            else {
                return;
            };
            app.post(
                &format!("{path}/matches/{id}/{what}"),
                &neighbor.token,
                &json!({}),
            )
            .await
        }
    };
    assert!(
        [200, 409].contains(&answer.status),
        "{what}: {}",
        answer.body
    );
    for matched in app.get(&path, &neighbor.token).await.ok()["matches"]
        .as_array()
        .unwrap()
    {
        contacts_only_when_released(matched, true);
    }
}

/// What a coordinator does to somebody's request, or to its newest match.
async fn hand(app: &TestApp, (who, twin): (&Neighbor, &Neighbor), offers: &[String], what: &str) {
    let (_, desk) = app.coordinator(Scope::Coordinator).await;
    let request = &who.requests[0];
    let body = match what {
        "merge" => json!({"into": twin.requests[0]}),
        "hand-over" => json!({"to": "Food Shelf", "reference": "4711"}),
        "reassign" => json!({"offer": offers[0]}),
        _ => json!({}),
    };
    let path = match what {
        "reassign" | "veto" | "unveto" | "unpart" | "undo-done" | "undo-no-show" => {
            let newest = app.newest_match(&desk, request).await;
            let Some(id) = newest["id"].as_str() else {
                return;
            };
            format!("/v1/matches/{id}/{what}")
        }
        "block" | "unblock" => {
            let file = app
                .get(&format!("/v1/requests/{request}"), &desk)
                .await
                .ok();
            format!(
                "/v1/neighbors/{}/{what}",
                file["neighbor"]["id"].as_str().unwrap()
            )
        }
        _ => format!("/v1/requests/{request}/{what}"),
    };
    let body = matches!(what, "merge" | "hand-over" | "reassign").then_some(&body);
    let answer = app.call(Method::POST, &path, Some(&desk), body).await;
    let into_itself = answer.status == 422 && what == "merge" && who.requests == twin.requests;
    assert!(
        into_itself || [200, 409].contains(&answer.status),
        "{what}: {}",
        answer.body
    );
}

/// A contact is there exactly while an accepted match waits for no agreement, and for its volunteer until she has said
/// that the help was given.
fn contacts_only_when_released(matched: &serde_json::Value, is_needed: bool) {
    let released = matched["state"] == "accepted"
        && is_needed
        && (matched["agreement"] == "none" || matched["agreement"] == "agreed");
    assert_eq!(!matched["contact"].is_null(), released, "{matched}");
}

/// What must hold after every act.
async fn everything_adds_up(app: &TestApp) {
    let catalog = app.ctx.catalog.clone();
    app.ctx
        .db
        .read(move |conn| {
            let all = requests::page(
                conn,
                Remit::All,
                &requests::RequestFilter::default(),
                Page {
                    after: None,
                    limit: 1000,
                },
            )?;
            let mut held: HashMap<_, i32> = HashMap::new();
            for request in &all {
                let of_request = matches::of_request(conn, request.id)?;
                let holding = |m: &&matches::Match| {
                    matches!(m.state, MatchState::Accepted | MatchState::Fulfilled)
                };
                let covered: i32 = of_request.iter().filter(holding).map(|m| m.taken).sum();
                assert_eq!(covered, request.covered, "cover is what the matches hold");
                assert!((0..=request.quantity.get()).contains(&covered));
                if request.state == RequestState::Covered {
                    assert_eq!(covered, request.quantity.get());
                }
                let neighbor = neighbors::find(conn, request.neighbor_id)?.unwrap();
                if request.state != RequestState::Open || neighbor.blocked_at.is_some() {
                    let asks = of_request
                        .iter()
                        .filter(|m| matches!(m.state, MatchState::Notified | MatchState::Proposed));
                    assert_eq!(
                        asks.count(),
                        0,
                        "nobody is asked for a request that is {}, or of one who is blocked",
                        request.state
                    );
                }
                let mut active: Vec<_> = of_request
                    .iter()
                    .filter(|m| m.state.is_active())
                    .map(|m| m.offer_id)
                    .collect();
                let count = active.len();
                active.sort();
                active.dedup();
                assert_eq!(
                    count,
                    active.len(),
                    "one active match at most per request and offer"
                );
                // A place that returns is free again when the help was given.
                let category = catalog.get(request.category.as_str()).unwrap();
                let returns = |m: &&matches::Match| {
                    let is_given = m.state == MatchState::Fulfilled || m.done_at.is_some();
                    assert_eq!(
                        m.returned_at.is_some(),
                        is_given && category.policy.place_returns
                    );
                    m.returned_at.is_some()
                };
                for m in of_request.iter().filter(holding).filter(|m| !returns(m)) {
                    for period in m.periods() {
                        *held.entry((m.offer_id, period)).or_default() += m.taken;
                    }
                }
            }
            for offer in offers::page(
                conn,
                &offers::OfferFilter::default(),
                Page {
                    after: None,
                    limit: 1000,
                },
            )? {
                for (id, period, taken) in capacity::taken_of(conn, &[offer.id])? {
                    assert!(taken <= offer.capacity.get());
                    assert_eq!(
                        held.remove(&(id, period)),
                        Some(taken),
                        "capacity is what the matches hold"
                    );
                }
            }
            assert!(held.values().all(|n| *n == 0), "{held:?}");
            Ok::<_, StorageError>(())
        })
        .await
        .unwrap();
}

/// Each gives meals, and places for days.
async fn volunteers(app: &mut TestApp) -> Vec<Volunteer> {
    let mut all = Vec::new();
    for i in 0..4 {
        let offers = [
            json!({"category": "food", "capacity": 3 + i, "lead_minutes": 10 * i}),
            json!({"category": "warming_space", "capacity": 3 + i, "renews": "daily",
                "lead_minutes": 30 * i}),
        ];
        let email = format!("v{i}@example.org");
        all.push(app.volunteer(&email, &offers).await);
    }
    all
}

/// What the histories below are to meet.
#[actix_web::test]
async fn a_stay_is_held_in_each_of_its_days_until_it_is_over() {
    let mut app = TestApp::new();
    let volunteers = volunteers(&mut app).await;
    let mut neighbors = Vec::new();
    let post = Act::Post {
        quantity: 2,
        splittable: false,
        agree_first: false,
        days: 2,
        throughout: true,
    };
    let answer = |what| Act::Answer { volunteer: 3, what };
    for (act, periods) in [(post, 0), (answer("accept"), 3), (answer("done"), 0)] {
        play(&mut app, &volunteers, &mut neighbors, &act).await;
        everything_adds_up(&app).await;
        let offer = volunteers[3].offers[1].parse().unwrap();
        let taken = app
            .ctx
            .db
            .read(move |conn| Ok::<_, StorageError>(capacity::taken_of(conn, &[offer])?));
        assert_eq!(taken.await.unwrap().len(), periods, "{act:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_people_do_it_adds_up(acts in prop::collection::vec(act(), 1..40)) {
        actix_web::rt::System::new().block_on(async {
            let mut app = TestApp::new();
            let volunteers = volunteers(&mut app).await;
            let mut neighbors = Vec::new();
            for act in &acts {
                play(&mut app, &volunteers, &mut neighbors, act).await;
                everything_adds_up(&app).await;
            }
        });
    }
}
