//! Who calls twice for her mother is flagged, and people who share a shelter's number are told apart for good.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::hands::{desk, undo};
use super::merging::{flagged, sorted, twins};
use super::phone::{audited, through_sara};
use crate::support::people::{food, north, post_of, with};
use crate::support::{MINUTE, TestApp};

#[actix_web::test]
async fn a_daughter_who_calls_twice_is_flagged_where_her_mother_is() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let post = |need: Value, km: f64| with(through_sara(&[need]), json!({"location": north(km)}));
    let first = app.entered_by(&coo, post(food(4), 0.0)).await;
    app.advance(MINUTE).await;
    // In the next cell: one address is never twice at the same point.
    let again = app.entered_by(&coo, post(food(3), 0.9)).await;
    assert_ne!(
        first.posted["requests"][0]["cell"],
        again.posted["requests"][0]["cell"]
    );
    let far = app.entered_by(&coo, post(food(4), 9.0)).await;
    let other = json!({"category": "towing", "quantity": 1});
    let other = app.entered_by(&coo, post(other, 0.0)).await;
    let (first, again) = (&first.requests[0], &again.requests[0]);
    assert_eq!(flagged(&app, &coo).await, sorted(&[first, again]));
    assert_eq!(twins(&app, &coo, first).await, json!([again]));
    assert_eq!(twins(&app, &coo, again).await, json!([first]));
    for none in [&far, &other] {
        assert_eq!(twins(&app, &coo, &none.requests[0]).await, json!([]));
    }
    // Sara needs food herself: that is hers.
    let sara = json!({"contact": {"name": "Sara Ahmed", "phone": super::phone::SARA}});
    let sara = app.neighbor_who(with(post_of(&[food(1)]), sara)).await;
    assert_eq!(twins(&app, &coo, &sara.requests[0]).await, json!([]));
    let why = json!({"reason": "not_needed"});
    app.post(&format!("/v1/requests/{first}/close"), &coo, &why)
        .await
        .ok();
    assert!(flagged(&app, &coo).await.is_empty());
}

#[actix_web::test]
async fn who_shares_a_number_is_told_apart_and_that_can_be_taken_back() {
    let mut app = TestApp::new();
    let coo = desk(&app).await;
    let shelter = |name: &str| json!({"contact": {"name": name, "phone": "612 555 0160"}});
    let post = |name: &str| with(post_of(&[food(1)]), shelter(name));
    let mut people = Vec::new();
    for name in ["Ada", "Bo", "Cy"] {
        people.push(app.neighbor_who(post(name)).await.requests[0].clone());
        app.advance(MINUTE).await;
    }
    let [ada, bo, cy] = &people[..] else {
        panic!("three")
    };
    assert_eq!(flagged(&app, &coo).await, sorted(&[ada, bo, cy]));
    let distinct = async |one: &str, from: Value| {
        let path = format!("/v1/requests/{one}/distinct");
        app.post(&path, &coo, &json!({ "from": from })).await
    };
    // Either way round, and again.
    for (one, from) in [(ada, bo), (bo, ada), (ada, bo)] {
        let file = distinct(one, json!(from)).await.ok();
        assert_eq!(file["distinct_from"], json!([from]));
        assert_eq!(file["possible_duplicates"], json!([cy]));
        assert_eq!(
            undo(&file),
            [format!("DELETE /v1/requests/{one}/distinct/{from}")]
        );
    }
    assert_eq!(twins(&app, &coo, cy).await, json!([ada, bo]));
    distinct(ada, json!(cy)).await.ok();
    assert_eq!(flagged(&app, &coo).await, sorted(&[bo, cy]));
    distinct(cy, json!(bo)).await.ok();
    assert!(flagged(&app, &coo).await.is_empty());
    assert_eq!(twins(&app, &coo, ada).await, json!([]));

    for path in [
        format!("/v1/requests/{bo}/distinct/{ada}"),
        format!("/v1/requests/{ada}/distinct/{bo}"),
    ] {
        let file = app.call(Method::DELETE, &path, Some(&coo), None).await.ok();
        assert_eq!(file["state"], "open");
    }
    assert_eq!(flagged(&app, &coo).await, sorted(&[ada, bo]));
    let all = audited(&app, ada).await;
    let count = |action: &str| all.iter().filter(|(a, _)| a == action).count();
    assert_eq!(
        (count("request_told_apart"), count("request_untold_apart")),
        (2, 1),
        "once each"
    );

    assert_eq!(distinct(ada, json!(ada)).await.pointers(), ["/from"]);
    assert_eq!(distinct(ada, Value::Null).await.pointers(), ["/from"]);
    let nobody = json!("3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a");
    assert_eq!(distinct(ada, nobody).await.problem(404), "not-found");
}

#[actix_web::test]
async fn calls_that_were_told_apart_are_flagged_no_more() {
    let app = TestApp::new();
    let coo = desk(&app).await;
    let first = app.entered_by(&coo, through_sara(&[food(4)])).await;
    let aunt = app.entered_by(&coo, through_sara(&[food(2)])).await;
    let (first, aunt) = (&first.requests[0], &aunt.requests[0]);
    assert_eq!(flagged(&app, &coo).await, sorted(&[first, aunt]));
    let path = format!("/v1/requests/{first}/distinct");
    app.post(&path, &coo, &json!({"from": aunt})).await.ok();
    assert!(flagged(&app, &coo).await.is_empty());
    assert_eq!(twins(&app, &coo, aunt).await, json!([]));
}
