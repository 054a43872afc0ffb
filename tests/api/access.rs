//! Who may call what: every documented operation and every kind of caller, published as `ACCESS.md`, and
//! each cell tried. `MANYHANDS_WRITE_ACCESS=1 cargo test --test api access::` writes the file anew.

mod matrix;
mod world;

use std::path::Path;

use actix_web::http::Method;

use self::matrix::Caller::NeighborOwn;
use self::matrix::{CALLERS, Door, Operation, expected, operations, published};
use self::world::World;
use crate::support::Answer;

#[test]
fn the_published_matrix_is_what_the_document_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("ACCESS.md");
    if std::env::var_os("MANYHANDS_WRITE_ACCESS").is_some() {
        std::fs::write(&file, published()).unwrap();
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    for (there, made) in there.lines().zip(published().lines()) {
        assert_eq!(there, made, "{STALE}");
    }
    assert_eq!(there, published(), "{STALE}");
}

const STALE: &str =
    "ACCESS.md is stale: MANYHANDS_WRITE_ACCESS=1 cargo test --test api access:: writes it anew";

/// Status, headers and body: what the one answer for nothing is compared by.
fn whole(answer: &Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let mut headers = answer.headers.clone();
    headers.sort();
    (answer.status, headers, answer.bytes.clone())
}

#[actix_web::test]
async fn every_denied_cell_is_denied_and_changes_nothing() {
    let world = World::new().await;
    let before = world.rows();
    let nowhere = whole(&world.nowhere().await);
    let mut tried = 0;
    for operation in operations() {
        for (caller, name) in CALLERS {
            let door = expected(&operation, caller);
            if door == Door::Open {
                continue;
            }
            let answer = world.call(&operation, caller).await;
            assert_eq!(
                answer.status.to_string(),
                door.text(),
                "{operation} by {name}: {}",
                answer.body
            );
            if door == Door::Nothing {
                assert_eq!(whole(&answer), nowhere, "{operation} by {name}");
            }
            tried += 1;
        }
        assert_eq!(world.rows(), before, "{operation} changed something");
    }
    assert!(tried > 500, "{tried}");
}

#[actix_web::test]
async fn every_open_cell_is_open() {
    let mut world = World::new().await;
    let mut late = Vec::new();
    for operation in operations() {
        world.begin_again();
        let mut succeeded = false;
        for (caller, name) in CALLERS {
            if expected(&operation, caller) != Door::Open {
                continue;
            }
            if operation.method == Method::DELETE {
                // Of what one has deleted the next would find nothing.
                world.begin_again();
            }
            let before = world.rows();
            let answer = world.call(&operation, caller).await;
            // 409: let in, but what is there is in another state.
            assert!(
                (200..400).contains(&answer.status) || answer.status == 409,
                "{operation} by {name}: {} {}",
                answer.status,
                answer.body
            );
            succeeded |= answer.status != 409;
            if operation.method == Method::GET {
                assert_eq!(world.rows(), before, "{operation} by {name} wrote");
            }
        }
        if !succeeded {
            late.push(operation.to_string());
        }
    }
    assert_eq!(
        late,
        world::OF_ANOTHER_STATE,
        "these found nothing they could work on: see tests/api/access/world.rs"
    );
}

#[actix_web::test]
async fn whatever_does_not_open_a_door_is_answered_alike_to_the_byte() {
    let world = World::new().await;
    let nowhere = whole(&world.nowhere().await);
    let before = world.rows();
    for operation in operations().iter().filter(|o| o.doors.is_some()) {
        for (scheme, _) in operation.doors.iter().flatten() {
            for (what, token) in world.dead(scheme) {
                let answer = world.send(operation, Some(token), None).await;
                assert_eq!(whole(&answer), nowhere, "{operation}: {what} {scheme}");
            }
        }
        if !operation.path.contains('{') {
            continue;
        }
        // A match of somebody else's at her own request, and the other way round.
        for (part, of_another) in [
            ("{mid}", &world.matched_other),
            ("{id}", &world.request_other),
        ] {
            if operation.path.contains("{mid}") {
                let path = operation.path.replace(part, of_another);
                let crossed = Operation {
                    path,
                    ..operation.clone()
                };
                let answer = world.call(&crossed, NeighborOwn).await;
                assert_eq!(whole(&answer), nowhere, "{crossed}");
            }
        }
        // Whose token works, but there is no such thing.
        for (caller, _) in CALLERS {
            if expected(operation, caller) != Door::Open {
                continue;
            }
            for id in [world::NOBODY, "17", "%2e%2e", "self"] {
                let answer = world.send(operation, world.token(caller), Some(id)).await;
                // `self` may be another address with methods of its own.
                if id != "self" || answer.status != 405 {
                    assert_eq!(whole(&answer), nowhere, "{operation}: {id} by {caller:?}");
                }
            }
        }
    }
    assert_eq!(world.rows(), before);
}
