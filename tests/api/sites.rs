//! Places open to the public: listed, open, full, and full no more.

use actix_web::http::Method;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::Volunteer;
use crate::support::{Answer, DAY, HOUR, MINUTE, TestApp};

struct Shop {
    app: TestApp,
    ana: Volunteer,
    coordinator: String,
}

impl Shop {
    /// A shop with 30 chairs, open in the evening, that a coordinator has listed. It is noon.
    async fn open(hours: &str) -> Self {
        let mut app = TestApp::new();
        let (_, coordinator) = app.coordinator(Scope::Coordinator).await;
        let site = json!({"category": "warming_space", "capacity": 30,
            "site": {"title": "Corner Books", "address": "2410 Public Ave", "walk_in": true},
            "available": {"opening_hours": hours}});
        let ana = app.volunteer("ana@example.org", &[site]).await;
        let shop = Self {
            app,
            ana,
            coordinator,
        };
        shop.list().await;
        shop
    }

    async fn list(&self) {
        let path = format!("/v1/offers/{}/list", self.ana.offers[0]);
        self.app
            .post(&path, &self.coordinator, &json!({}))
            .await
            .ok();
    }

    fn path(&self) -> String {
        format!("/v1/offers/{}/occupancy", self.ana.offers[0])
    }

    async fn count(&self, body: Value) -> Value {
        self.count_as(&self.ana.token, &body).await.ok()
    }

    async fn count_as(&self, token: &str, body: &Value) -> Answer {
        self.app.post(&self.path(), token, body).await
    }

    async fn uncount(&self) -> Answer {
        self.app
            .call(Method::DELETE, &self.path(), Some(&self.ana.token), None)
            .await
    }

    /// What everybody sees.
    async fn seen(&self) -> Value {
        let sites = self.sites("").await;
        sites["features"][0]["properties"].clone()
    }

    async fn sites(&self, query: &str) -> Value {
        let path = format!("/v1/sites?near=44.97,-93.26{query}");
        self.app.call(Method::GET, &path, None, None).await.ok()
    }
}

const BY_DAY: &str = "Mo-Su 08:00-22:00";

#[actix_web::test]
async fn everybody_sees_how_full_a_place_is_until_it_closes() {
    let shop = Shop::open(BY_DAY).await;
    assert_eq!(
        shop.seen().await["occupancy"],
        json!(null),
        "nobody counted"
    );
    let counted = shop.count(json!({"taken": 23})).await;
    assert_eq!(counted["free"], 7);
    assert_eq!(counted["counts_until"], "2026-12-08T04:00:00Z", "10 PM");
    assert_eq!(shop.seen().await["occupancy"], counted);
    assert_eq!(shop.seen().await["open_until"], "2026-12-08T04:00:00Z");

    shop.app.clock.advance(10 * HOUR);
    let closed = shop.seen().await;
    assert_eq!(closed["open_now"], false);
    assert_eq!(closed["opens_at"], "2026-12-08T14:00:00Z");
    assert_eq!(closed["occupancy"], json!(null));
    let late = shop.count_as(&shop.ana.token, &json!({"taken": 1})).await;
    assert_eq!(late.problem(409), "site-closed");
    shop.app.clock.advance(10 * HOUR);
    let next = shop.seen().await;
    assert_eq!(
        (&next["open_now"], &next["occupancy"]),
        (&json!(true), &json!(null))
    );
}

#[actix_web::test]
async fn a_count_that_comes_late_does_not_replace_a_newer_one() {
    let shop = Shop::open(BY_DAY).await;
    let noon = shop.app.now();
    shop.app.clock.advance(HOUR);
    shop.count(json!({"taken": 12})).await;
    let late = shop.count(json!({"taken": 30, "at": noon})).await;
    assert_eq!(late["taken"], 12);
    assert_eq!(shop.seen().await["occupancy"]["taken"], 12);
    // A phone that was without a network since yesterday.
    let yesterday = json!({"taken": 30, "at": noon.before(DAY)});
    assert_eq!(shop.count(yesterday).await["taken"], 12);
    shop.app.clock.advance(MINUTE);
    assert_eq!(shop.count(json!({"taken": 13})).await["taken"], 13);
}

#[actix_web::test]
async fn nobody_is_sent_to_a_place_that_is_full() {
    let mut shop = Shop::open(BY_DAY).await;
    let named = async |app: &mut TestApp| {
        let need = json!({"category": "warming_space", "quantity": 2});
        app.neighbor(&[need]).await.posted["sites"].clone()
    };
    assert_eq!(named(&mut shop.app).await.as_array().map(Vec::len), Some(1));
    assert_eq!(shop.count(json!({"taken": 34})).await["free"], 0);
    assert_eq!(named(&mut shop.app).await, json!([]));
    assert_eq!(shop.sites("&has_room=true").await["features"], json!([]));
    assert_eq!(shop.seen().await["occupancy"]["taken"], 34);

    // A mistake is taken back, twice if need be.
    for _ in 0..2 {
        assert_eq!(shop.uncount().await.status, 204);
    }
    assert_eq!(named(&mut shop.app).await.as_array().map(Vec::len), Some(1));
    shop.app.settle().await;
}

#[actix_web::test]
async fn a_coordinator_counts_by_phone_and_the_audit_says_so() {
    let shop = Shop::open(BY_DAY).await;
    let (_, admin) = shop.app.coordinator(Scope::Admin).await;
    let entries = async || {
        let entries = shop.app.get("/v1/audit?action=site_counted", &admin).await;
        entries.ok()["items"].as_array().map(Vec::len)
    };
    shop.count(json!({"taken": 5})).await;
    assert_eq!(entries().await, Some(0), "whoever keeps it counts all day");
    shop.app.clock.advance(MINUTE);
    let counted = shop.count_as(&shop.coordinator, &json!({"taken": 6})).await;
    assert_eq!(counted.ok()["taken"], 6);
    assert_eq!(entries().await, Some(1));
    let path = format!("/v1/offers/{}", shop.ana.offers[0]);
    let sheet = shop.app.get(&path, &shop.coordinator).await.ok();
    assert_eq!(sheet["listed"]["taken"], 6);
}

#[actix_web::test]
async fn what_cannot_be_a_count_is_told() {
    let mut shop = Shop::open(BY_DAY).await;
    let tomorrow = shop.app.now().after(DAY);
    for (body, pointer) in [
        (json!({}), "/taken"),
        (json!({"taken": -1}), "/taken"),
        (json!({"taken": 100_001}), "/taken"),
        (json!({"taken": 1, "at": tomorrow}), "/at"),
    ] {
        let refused = shop.count_as(&shop.ana.token, &body).await;
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{body}");
    }
    let unlist = format!("/v1/offers/{}/unlist", shop.ana.offers[0]);
    shop.app
        .post(&unlist, &shop.coordinator, &json!({}))
        .await
        .ok();
    let unlisted = shop.count_as(&shop.ana.token, &json!({"taken": 1})).await;
    assert_eq!(unlisted.problem(409), "not-listed");
    let ben = json!({"category": "food", "capacity": 3});
    let ben = shop.app.volunteer("ben@example.org", &[ben]).await;
    let others = shop.count_as(&ben.token, &json!({"taken": 1})).await;
    assert_eq!(others.problem(404), "not-found");
    shop.app.settle().await;
}
