//! Where there is not enough: a plan for everybody at once, beside what one after the other would do, and
//! applied as far as it is still true.

use std::time::Duration;

use actix_web::http::Method;
use manyhands::actions::apply_plan::apply_some;
use manyhands::domain::ids::{CoordinatorId, PlanId};
use manyhands::domain::plan::SkipReason;
use manyhands::storage::coordinators::Scope;
use manyhands::workers::Worker;
use manyhands::workers::feed::Feed;
use serde_json::{Value, json};

use crate::support::people::{Neighbor, Volunteer, food, north, offer_of, post_of, with};
use crate::support::{HOUR, TestApp};

/// Two who need a meal each, and two who have one each: only Ben reaches Lin, and both reach Mo.
pub struct Town {
    pub app: TestApp,
    by: CoordinatorId,
    pub token: String,
    pub ana: Volunteer,
    pub ben: Volunteer,
    pub mo: Neighbor,
    pub lin: Neighbor,
}

pub async fn cook(app: &mut TestApp, email: &str, km: f64, reach_m: i64) -> Volunteer {
    let offer = json!({"category": "food", "capacity": 1, "reach_m": reach_m});
    let body = with(offer_of(email, &[offer]), json!({"location": north(km)}));
    app.volunteer_who(email, body).await
}

async fn neighbor(app: &TestApp, name: &str, phone: &str, km: f64) -> Neighbor {
    let contact = json!({"name": name, "phone": phone});
    let body = json!({"contact": contact, "location": north(km)});
    app.neighbor_who(with(post_of(&[food(1)]), body)).await
}

/// The index knows of everybody, and no round has asked anybody.
pub async fn no_round_yet(app: &TestApp) {
    let mut feed = Feed::new(app.ctx.clone());
    feed.tick(app.now()).await.expect("index");
}

impl Town {
    pub async fn new() -> Self {
        let mut app = TestApp::new();
        let (by, token) = app.coordinator(Scope::Coordinator).await;
        let ana = cook(&mut app, "ana@example.org", 4.0, 5_000).await;
        let ben = cook(&mut app, "ben@example.org", -1.0, 15_000).await;
        let mo = neighbor(&app, "Mo", "612 555 0123", 0.0).await;
        // Mo is first, and Ben is nearest to him.
        app.clock.advance(Duration::from_mins(1));
        let lin = neighbor(&app, "Lin", "612 555 0111", -8.0).await;
        no_round_yet(&app).await;
        Self {
            app,
            by,
            token,
            ana,
            ben,
            mo,
            lin,
        }
    }

    pub async fn plan(&self) -> Value {
        let body = json!({"category": "food"});
        self.app.post("/v1/plans", &self.token, &body).await.ok()
    }

    pub async fn apply(&self, plan: &Value) -> Value {
        let path = format!("/v1/plans/{}/apply", id(plan));
        self.app.post(&path, &self.token, &json!({})).await.ok()
    }

    async fn pairs(&self, plan: &Value, query: &str) -> Vec<Value> {
        let path = format!("/v1/plans/{}/pairs{query}", id(plan));
        let page = self.app.get(&path, &self.token).await.ok();
        page["items"].as_array().expect("items").clone()
    }
}

pub fn id(of: &Value) -> &str {
    of["id"].as_str().expect("id")
}

pub fn asks(app: &TestApp, email: &str) -> usize {
    let all = app.subjects_to(email);
    all.iter().filter(|s| s.starts_with("Can you help")).count()
}

#[actix_web::test]
async fn nobody_is_stranded_by_whoever_came_first() {
    let mut town = Town::new().await;
    let plan = town.plan().await;
    assert_eq!(
        (&plan["exact"], &plan["gap"], &plan["ready"]),
        (&json!(true), &json!(0.0), &json!(true))
    );
    assert_eq!(
        (&plan["plan"]["requests"], &plan["greedy"]["requests"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(
        (&plan["gain"], &plan["stranded"], &plan["requests"]),
        (&json!(1), &json!(0), &json!(2))
    );
    assert_eq!(plan["plan"]["weighted"], plan["bound"]);
    let meters = plan["plan"]["distance_m"].as_i64().expect("meters");
    assert!((9_000..13_000).contains(&meters), "{meters}");
    let pairs = town.pairs(&plan, "").await;
    let partner = |of: &Neighbor| {
        let pair = pairs.iter().find(|p| p["request"] == of.requests[0]);
        pair.expect("pair")["offer"].clone()
    };
    assert_eq!(partner(&town.mo), town.ana.offers[0]);
    assert_eq!(partner(&town.lin), town.ben.offers[0]);
    assert_eq!(
        asks(&town.app, &town.ana.email),
        0,
        "nobody is asked by a plan"
    );

    let applied = town.apply(&plan).await;
    assert_eq!(
        applied,
        json!({"applied": 2, "skipped": [], "waiting": [], "left": 0})
    );
    town.app.settle().await;
    for email in [&town.ana.email, &town.ben.email] {
        assert_eq!(asks(&town.app, email), 1, "{email}: and the rounds wait");
    }
    for (who, whom) in [(&town.ana, &town.mo), (&town.ben, &town.lin)] {
        town.app.accept(who).await.ok();
        assert_eq!(town.app.request(whom, 0).await["state"], "covered");
    }
    let again = town.apply(&plan).await;
    assert_eq!(
        again,
        json!({"applied": 0, "skipped": [], "waiting": [], "left": 0})
    );
    let matched = town
        .app
        .get("/v1/matches?state=accepted", &town.token)
        .await
        .ok();
    for m in matched["items"].as_array().expect("items") {
        assert_eq!((&m["wave"], &m["by_hand"]), (&json!(1), &json!(false)));
        assert!(m["parts"]["proximity"].as_f64().expect("part") > 0.0);
    }
}

#[actix_web::test]
async fn the_rounds_go_on_where_the_plan_meets_a_no() {
    let mut town = Town::new().await;
    let plan = town.plan().await;
    town.apply(&plan).await;
    town.app.settle().await;
    let ask = town.app.letter_to(&town.ana.email, "mha_");
    let no = json!({});
    town.app
        .post("/v1/matches/self/decline", &ask, &no)
        .await
        .ok();
    town.app.settle().await;
    assert_eq!(asks(&town.app, &town.ben.email), 2, "for Mo too");
}

#[actix_web::test]
async fn what_is_not_true_any_more_is_skipped_and_told() {
    let mut town = Town::new().await;
    let plan = town.plan().await;
    let close = format!("/v1/requests/{}/close", town.mo.requests[0]);
    let body = json!({"reason": "helped_elsewhere"});
    town.app.post(&close, &town.mo.token, &body).await.ok();
    town.app
        .post("/v1/volunteers/self/pause", &town.ben.token, &json!({}))
        .await
        .ok();
    let applied = town.apply(&plan).await;
    assert_eq!(
        (&applied["applied"], &applied["left"]),
        (&json!(0), &json!(0))
    );
    let why: Vec<&Value> = applied["skipped"]
        .as_array()
        .expect("list")
        .iter()
        .map(|s| &s["reason"])
        .collect();
    assert_eq!(why, ["request_not_open", "offer_not_open"]);
    let pairs = town.pairs(&plan, "?state=skipped").await;
    assert!(
        pairs
            .iter()
            .all(|p| p["reason"].is_string() && p["match"].is_null())
    );
    let shown = town
        .app
        .get(&format!("/v1/plans/{}", id(&plan)), &town.token)
        .await
        .ok();
    assert_eq!(shown["pairs"]["planned"], 0);
    assert_eq!(shown["pairs"]["skipped"], applied["skipped"]);
    town.app.settle().await;
    assert_eq!(asks(&town.app, &town.ana.email), 0);
}

#[actix_web::test]
async fn a_changed_request_and_a_volunteer_asked_meanwhile_are_skipped() {
    let mut town = Town::new().await;
    let plan = town.plan().await;
    // The rounds come first: they ask both for Mo, and Ben for Lin.
    town.app.settle().await;
    let patch = format!("/v1/requests/{}", town.lin.requests[0]);
    town.app
        .patch(&patch, &town.lin.token, &json!({"quantity": 2}))
        .await
        .ok();
    let applied = town.apply(&plan).await;
    let skipped = json!([{"reason": SkipReason::RequestChanged, "pairs": 1}, {"reason": SkipReason::PairTaken, "pairs": 1}]);
    assert_eq!(
        (&applied["applied"], &applied["skipped"]),
        (&json!(0), &skipped)
    );
}

#[actix_web::test]
async fn a_plan_goes_on_where_it_was_interrupted_and_is_applied_once_by_several() {
    let town = Town::new().await;
    let plan = town.plan().await;
    let plan_id: PlanId = id(&plan).parse().expect("id");
    let first = apply_some(&town.app.ctx, plan_id, town.by, 1)
        .await
        .expect("applied");
    assert_eq!(first.applied, 1);
    assert_eq!(town.pairs(&plan, "?state=planned").await.len(), 1);
    // Several at once finish it.
    let calls = (0..4).map(|_| apply_some(&town.app.ctx, plan_id, town.by, 50));
    let rest = futures_util::future::join_all(calls).await;
    let applied: usize = rest
        .into_iter()
        .map(|some| some.expect("applied").applied)
        .sum();
    assert_eq!(applied, 1);
    let matches = town.app.get("/v1/matches", &town.token).await.ok();
    assert_eq!(matches["items"].as_array().map(Vec::len), Some(2));
}

#[actix_web::test]
async fn an_old_plan_is_not_applied_and_goes_after_some_days() {
    let mut town = Town::new().await;
    let plan = town.plan().await;
    town.app.sleep_over(HOUR).await;
    let path = format!("/v1/plans/{}/apply", id(&plan));
    let refused = town.app.post(&path, &town.token, &json!({})).await;
    assert_eq!(refused.problem(409), "plan-too-old");
    for _ in 0..8 {
        town.app.sleep_over(Duration::from_hours(24)).await;
    }
    let list = town.app.get("/v1/plans", &town.token).await.ok();
    assert_eq!(list["items"], json!([]));
}

#[actix_web::test]
async fn a_plan_is_made_once_under_its_key_and_told_what_is_wrong() {
    let town = Town::new().await;
    let wrong = json!({"category": "gold", "area": "Minneapolis", "candidates": 0});
    let answer = town.app.post("/v1/plans", &town.token, &wrong).await;
    assert_eq!(answer.pointers(), ["/area", "/candidates", "/category"]);
    let key = [("Idempotency-Key", "once")];
    let body = serde_json::to_vec(&json!({"area": "882649b2d3fffff"})).expect("json");
    let call = || {
        town.app.raw(
            Method::POST,
            "/v1/plans",
            Some(&town.token),
            Some(body.clone()),
            &key,
        )
    };
    let (first, second) = (call().await.ok(), call().await.ok());
    assert_eq!(first, second);
    assert!(
        first["requests"].as_i64().expect("count") < 2,
        "only within the cell"
    );
    let list = town.app.get("/v1/plans", &town.token).await.ok();
    assert_eq!(list["items"], json!([first]));
    let (_, admin) = town.app.coordinator(Scope::Admin).await;
    let made = town
        .app
        .get("/v1/audit?action=plan_made", &admin)
        .await
        .ok();
    assert_eq!(made["items"].as_array().map(Vec::len), Some(1));
}
