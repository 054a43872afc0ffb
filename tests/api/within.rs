//! Coordinators' lists of one area: what stands within a cell of any size.

use manyhands::domain::place::Cell;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::people::{Neighbor, food, north, offer_of, post_of, with};

/// Somebody so far north who needs meals and a tow, and somebody beside her who has said yes to the meals.
async fn district(app: &mut TestApp, km: f64, name: &str) -> (Neighbor, String) {
    let there = json!({"location": north(km)});
    let helper = format!("{name}@example.org");
    let meals = json!({"category": "food", "capacity": 9, "reach_m": 5000});
    let offers = offer_of(&helper, &[meals]);
    let helper = app
        .volunteer_who(&helper, with(offers, there.clone()))
        .await;
    let towing = json!({"category": "towing", "quantity": 1, "urgency": "now"});
    let neighbor = app
        .neighbor_who(with(post_of(&[food(1), towing]), there))
        .await;
    app.settle().await;
    app.accept(&helper).await.ok();
    app.settle().await;
    let request = app.request(&neighbor, 0).await;
    let cell: Cell = request["cell"].as_str().unwrap().parse().unwrap();
    let parent = cell.parent().and_then(Cell::parent).unwrap();
    let matched = request["matches"][0]["id"].as_str().unwrap();
    let report = format!(
        "/v1/requests/{}/matches/{matched}/report",
        neighbor.requests[0]
    );
    let problem = json!({"problem": "other"});
    app.post(&report, &neighbor.token, &problem).await.ok();
    app.settle().await;
    (neighbor, parent.to_string())
}

async fn rows(app: &TestApp, token: &str, path: &str) -> Vec<Value> {
    let list = app.get(path, token).await.ok();
    list["items"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn lists_show_what_stands_within_the_area() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let (mo, here) = district(&mut app, 0.0, "ana").await;
    let (nia, there) = district(&mut app, 40.0, "ben").await;
    assert_ne!(here, there);
    for (her, area) in [(&mo, &here), (&nia, &there)] {
        for list in ["matches", "reports", "volunteers"] {
            let found = rows(&app, &token, &format!("/v1/{list}?area={area}")).await;
            let all = rows(&app, &token, &format!("/v1/{list}")).await;
            assert_eq!((found.len(), all.len()), (1, 2), "{list}: {found:#?}");
        }
        let found = rows(&app, &token, &format!("/v1/matches?area={area}")).await;
        assert_eq!(found[0]["request"]["id"], json!(her.requests[0]));
        let found = rows(&app, &token, &format!("/v1/tasks?area={area}")).await;
        let all = rows(&app, &token, "/v1/tasks").await;
        assert!(!found.is_empty() && found.len() < all.len(), "{all:#?}");
        for task in &found {
            let request = task["request"].as_str().unwrap();
            assert!(her.requests.iter().any(|id| id == request), "{task}");
        }
        let counts = format!("/v1/tasks/counts?area={area}");
        let counts = app.get(&counts, &token).await.ok();
        assert_eq!(counts["total"], json!(found.len()));
    }
    let nowhere = "860326237ffffff";
    for list in ["matches", "reports", "volunteers", "tasks"] {
        let path = format!("/v1/{list}?area={nowhere}");
        assert!(rows(&app, &token, &path).await.is_empty(), "{list}");
        let wrong = app.get(&format!("/v1/{list}?area=home"), &token).await;
        assert_eq!(wrong.problem(422), "invalid", "{list}");
    }
}
