//! Who coordinates food in one district, against everything else.

use std::collections::BTreeSet;

use actix_web::http::Method;
use manyhands::actions::Refusal;
use manyhands::actions::add_coordinator::{NewCoordinator, add_coordinator};
use manyhands::actions::limit_coordinator::limit_coordinator;
use manyhands::domain::contact::{EmailAddress, PersonName};
use manyhands::domain::ids::CoordinatorId;
use manyhands::domain::part::Part;
use manyhands::domain::place::Cell;
use manyhands::storage::TxError;
use manyhands::storage::audit::Actor;
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{Neighbor, Volunteer, food, north, offer_of, post_of, with};
use crate::support::{HOUR, TestApp};

/// Somebody who coordinates that part only, and their token.
async fn limited(app: &TestApp, email: &str, part: Part) -> (CoordinatorId, String) {
    let new = NewCoordinator {
        name: PersonName::parse("Fay").unwrap(),
        email: EmailAddress::parse(email).unwrap(),
        scope: Scope::Coordinator,
        expires: None,
        digest: true,
        part,
    };
    let (id, token) = add_coordinator(&app.ctx, new, Actor::OPERATOR)
        .await
        .unwrap();
    (id, token.expose().to_owned())
}

fn part(categories: &[&str], areas: &[&str]) -> Part {
    let keys: Vec<String> = categories.iter().map(|key| (*key).to_owned()).collect();
    let cells: Vec<Cell> = areas.iter().map(|cell| cell.parse().unwrap()).collect();
    Part {
        categories: Some(keys).filter(|keys| !keys.is_empty()),
        areas: Some(cells).filter(|cells| !cells.is_empty()),
    }
}

fn towing() -> Value {
    json!({"category": "towing", "quantity": 1, "urgency": "now"})
}

fn legal() -> Value {
    json!({"category": "legal", "quantity": 1, "urgency": "now"})
}

async fn rows(app: &TestApp, token: &str, path: &str) -> Vec<Value> {
    let list = app.get(path, token).await.ok();
    list["items"].as_array().unwrap().clone()
}

fn id(row: &Value) -> String {
    row["id"].as_str().unwrap().to_owned()
}

/// A town, and in it somebody who coordinates food around Mo.
struct Town {
    app: TestApp,
    all: String,
    fay: String,
    fays: CoordinatorId,
    /// Needs food, and a lawyer of whom nobody else must know.
    mo: Neighbor,
    /// Needs a tow next door.
    lin: Neighbor,
    /// Needs food far north.
    nia: Neighbor,
    /// Gives food to Mo.
    ana: Volunteer,
    /// Gives food to Nia.
    ben: Volunteer,
    /// Gives food and tows next door to Mo.
    dee: Volunteer,
    area: String,
}

impl Town {
    async fn new() -> Self {
        let mut app = TestApp::new();
        let (_, all) = app.coordinator(Scope::Admin).await;
        let there = json!({"location": north(40.0)});
        let meals = json!({"category": "food", "capacity": 9, "reach_m": 5000});
        let tows = json!({"category": "towing", "capacity": 1, "reach_m": 10});
        let ana = app
            .volunteer("ana@example.org", std::slice::from_ref(&meals))
            .await;
        let bens = offer_of("ben@example.org", std::slice::from_ref(&meals));
        let ben = app
            .volunteer_who("ben@example.org", with(bens, there.clone()))
            .await;
        let mo = app.neighbor(&[food(1), legal()]).await;
        app.settle().await;
        app.accept(&ana).await.ok();
        let dee = app.volunteer("dee@example.org", &[meals, tows]).await;
        let lin = app.neighbor(&[towing()]).await;
        let who = json!({"contact": {"name": "Nia", "phone": "612 555 0177", "email": "nia@example.org"}});
        let nias = with(post_of(&[food(1), towing()]), there);
        let nia = app.neighbor_who(with(nias, who)).await;
        app.settle().await;
        app.accept(&ben).await.ok();
        app.settle().await;
        for (who, nth) in [(&mo, 0), (&nia, 0)] {
            let request = &who.requests[nth];
            let matched = app.newest_match(&all, request).await;
            let path = format!("/v1/requests/{request}/matches/{}/report", id(&matched));
            let problem = json!({"problem": "other"});
            app.post(&path, &who.token, &problem).await.ok();
        }
        app.settle().await;
        let path = format!("/v1/requests/{}", mo.requests[0]);
        let cell = app.get(&path, &all).await.ok()["cell"].clone();
        let cell: Cell = cell.as_str().unwrap().parse().unwrap();
        let area = cell.parent().and_then(Cell::parent).unwrap().to_string();
        let only = part(&["food"], &[&area]);
        let (fays, fay) = limited(&app, "fay@example.org", only).await;
        Self {
            app,
            all,
            fay,
            fays,
            mo,
            lin,
            nia,
            ana,
            ben,
            dee,
            area,
        }
    }

    /// Something of that kind, as whoever sees everything finds it.
    async fn one(&self, path: &str) -> String {
        let found = rows(&self.app, &self.all, path).await;
        id(found.first().unwrap_or_else(|| panic!("nothing at {path}")))
    }

    async fn volunteer_of(&self, offer: &str) -> String {
        let path = format!("/v1/offers/{offer}");
        let offer = self.app.get(&path, &self.all).await.ok();
        offer["volunteer"]["id"].as_str().unwrap().to_owned()
    }

    async fn neighbor_of(&self, request: &str) -> String {
        let path = format!("/v1/requests/{request}");
        let request = self.app.get(&path, &self.all).await.ok();
        request["neighbor"]["id"].as_str().unwrap().to_owned()
    }
}

#[actix_web::test]
async fn lists_hold_what_is_in_the_part() {
    let town = Town::new().await;
    let (app, fay) = (&town.app, &town.fay);
    let found = rows(app, fay, "/v1/requests").await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(id(&found[0]), town.mo.requests[0]);
    let of = |rows: Vec<Value>| rows.iter().map(id).collect::<BTreeSet<String>>();
    let offers = of(rows(app, fay, "/v1/offers").await);
    let theirs = [&town.ana.offers[0], &town.dee.offers[0]];
    assert_eq!(offers, theirs.into_iter().cloned().collect());
    let matches = rows(app, fay, "/v1/matches").await;
    assert!(!matches.is_empty());
    for one in &matches {
        assert_eq!(one["request"]["id"], json!(town.mo.requests[0]));
    }
    for (list, count) in [("volunteers", 2), ("reports", 1)] {
        let theirs = of(rows(app, fay, &format!("/v1/{list}")).await);
        let all = of(rows(app, &town.all, &format!("/v1/{list}")).await);
        assert_eq!(theirs.len(), count, "{list}");
        assert!(theirs.is_subset(&all) && theirs.len() < all.len(), "{list}");
    }
    let tasks = rows(app, fay, "/v1/tasks").await;
    assert!(!tasks.is_empty());
    for task in &tasks {
        assert_eq!(task["request"], json!(town.mo.requests[0]), "{task}");
    }
    let counts = app.get("/v1/tasks/counts", fay).await.ok();
    assert_eq!(counts["total"], json!(tasks.len()));
    let stats = app.get("/v1/stats", fay).await.ok();
    assert_eq!(stats["total"]["posted"], 1);
    assert_eq!(
        stats["categories"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["food"]
    );
    // No filter leads out of it.
    let nia = town.neighbor_of(&town.nia.requests[0]).await;
    for path in [
        "/v1/requests?category=towing".to_owned(),
        format!("/v1/requests?neighbor={nia}"),
        "/v1/requests?area=860326237ffffff".to_owned(),
        format!("/v1/matches?request={}", town.nia.requests[0]),
        format!(
            "/v1/offers?volunteer={}",
            town.volunteer_of(&town.ben.offers[0]).await
        ),
        format!("/v1/tasks?request={}", town.nia.requests[0]),
        format!("/v1/tasks?neighbor={nia}"),
        format!("/v1/reports?neighbor={nia}"),
    ] {
        assert!(rows(app, fay, &path).await.is_empty(), "{path}");
    }
    let within = format!("/v1/requests?area={}", town.area);
    assert_eq!(rows(app, fay, &within).await.len(), 1);
}

/// Every call that the document has for coordinators, with the ids of what is outside: it is as if nothing were there,
/// to the byte; and what is about everything is refused.
#[actix_web::test]
async fn nothing_outside_is_there_whatever_is_called() {
    const NARROWED: [&str; 9] = [
        "/v1/coordinators/self",
        "/v1/matches",
        "/v1/offers",
        "/v1/reports",
        "/v1/requests",
        "/v1/stats",
        "/v1/tasks",
        "/v1/tasks/counts",
        "/v1/volunteers",
    ];
    let town = Town::new().await;
    let (app, fay) = (&town.app, &town.fay);
    let nias = &town.nia.requests[0];
    let outside: Vec<(&str, Vec<String>)> = vec![
        (
            "requests",
            vec![
                nias.clone(),
                town.lin.requests[0].clone(),
                town.mo.requests[1].clone(),
            ],
        ),
        (
            "offers",
            vec![town.ben.offers[0].clone(), town.dee.offers[1].clone()],
        ),
        (
            "matches",
            vec![town.one(&format!("/v1/matches?request={nias}")).await],
        ),
        (
            "tasks",
            vec![town.one(&format!("/v1/tasks?request={nias}")).await],
        ),
        ("neighbors", vec![town.neighbor_of(nias).await]),
        (
            "volunteers",
            vec![town.volunteer_of(&town.ben.offers[0]).await],
        ),
        (
            "reports",
            vec![
                town.one(&format!(
                    "/v1/reports?neighbor={}",
                    town.neighbor_of(nias).await
                ))
                .await,
            ],
        ),
    ];
    let document = app
        .call(Method::GET, "/openapi.json", None, None)
        .await
        .ok();
    let nobody = "00000000-0000-4000-8000-000000000000";
    let (mut hidden, mut refused) = (0, 0);
    for (path, calls) in document["paths"].as_object().unwrap() {
        for (method, call) in calls.as_object().unwrap() {
            let doors = call["security"].as_array().cloned().unwrap_or_default();
            let scope = doors.iter().find_map(|door| door.get("coordinator"));
            if scope.is_none_or(|scope| *scope == json!(["admin"])) {
                continue;
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            let kind = path.split('/').nth(2).unwrap();
            let ids = outside.iter().find(|(of, _)| *of == kind);
            let ids = ids.filter(|_| path.contains("{id}"));
            let Some((_, ids)) = ids else {
                if !NARROWED.contains(&path.as_str()) && path != "/v1/requests" {
                    let body = json!({});
                    let body = (method != Method::GET).then_some(&body);
                    let path = path.replace("{id}", nobody);
                    let answer = app.call(method.clone(), &path, Some(fay), body).await;
                    assert_eq!(answer.problem(403), "part", "{method} {path}");
                    refused += 1;
                }
                continue;
            };
            let body = json!({});
            let body = (method != Method::GET).then_some(&body);
            let nothing = path.replace("{id}", nobody);
            let nothing = app.call(method.clone(), &nothing, Some(fay), body).await;
            for id in ids {
                let path = path.replace("{id}", id);
                let answer = app.call(method.clone(), &path, Some(fay), body).await;
                assert_eq!(answer.problem(404), "not-found", "{method} {path}");
                assert_eq!(answer.bytes, nothing.bytes, "{method} {path}");
                hidden += 1;
            }
        }
    }
    assert!(hidden > 60 && refused > 8, "{hidden} {refused}");
}

#[actix_web::test]
async fn what_is_in_the_part_is_worked_on_as_by_anybody() {
    let town = Town::new().await;
    let (app, fay) = (&town.app, &town.fay);
    let mo = &town.mo.requests[0];
    for act in ["hold", "unhold"] {
        app.press(&format!("/v1/requests/{mo}/{act}"), fay)
            .await
            .ok();
    }
    let why = json!({"reason": "other"});
    let shown = app
        .post(&format!("/v1/requests/{mo}/reveal"), fay, &why)
        .await;
    assert_ne!(shown.status, 404, "{shown:?}");
    let task = id(&rows(app, fay, "/v1/tasks").await[0]);
    app.press(&format!("/v1/tasks/{task}/claim"), fay).await;
    assert_eq!(app.get(&format!("/v1/tasks/{task}"), fay).await.status, 200);
    let ana = town.volunteer_of(&town.ana.offers[0]).await;
    app.post(&format!("/v1/volunteers/{ana}/vet"), fay, &json!({}))
        .await
        .ok();
    for list in ["matches", "reports", "offers", "volunteers"] {
        let first = id(&rows(app, fay, &format!("/v1/{list}")).await[0]);
        app.get(&format!("/v1/{list}/{first}"), fay).await.ok();
    }
}

#[actix_web::test]
async fn of_people_they_see_their_part_and_change_nothing_beyond_it() {
    let town = Town::new().await;
    let (app, fay) = (&town.app, &town.fay);
    let mo = format!(
        "/v1/neighbors/{}",
        town.neighbor_of(&town.mo.requests[0]).await
    );
    let file = app.get(&mo, fay).await.ok();
    let needs = file["requests"].as_array().unwrap();
    assert_eq!(needs.len(), 1, "not the lawyer: {needs:#?}");
    assert_eq!(file["same_contact"], json!([]), "{file}");
    assert_eq!(
        app.get(&mo, &town.all).await.ok()["requests"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let dee = format!(
        "/v1/volunteers/{}",
        town.volunteer_of(&town.dee.offers[0]).await
    );
    let offers = app.get(&dee, fay).await.ok()["offers"].clone();
    assert_eq!(
        offers.as_array().unwrap().len(),
        1,
        "not the tow: {offers:#?}"
    );
    // A code opens everything of hers, and a block ends everything.
    for path in [
        format!("{mo}/rotate-token"),
        format!("{mo}/block"),
        format!("{dee}/rotate-token"),
        format!("{dee}/pause"),
        format!("{dee}/block"),
    ] {
        assert_eq!(
            app.post(&path, fay, &json!({})).await.problem(403),
            "part",
            "{path}"
        );
    }
    for path in [&mo, &dee] {
        let patch = json!({"locale": "es"});
        assert_eq!(app.patch(path, fay, &patch).await.problem(403), "part");
    }
}

#[actix_web::test]
async fn by_hand_the_request_counts() {
    let town = Town::new().await;
    let (app, fay) = (&town.app, &town.fay);
    let body = |request: &str, offer: &str| json!({"request": request, "offer": offer});
    let nobody = "00000000-0000-4000-8000-000000000000";
    let nothing = app
        .post("/v1/matches", fay, &body(nobody, &town.dee.offers[0]))
        .await;
    let theirs = body(&town.lin.requests[0], &town.dee.offers[1]);
    let answer = app.post("/v1/matches", fay, &theirs).await;
    assert_eq!(answer.problem(404), "not-found");
    assert_eq!(answer.bytes, nothing.bytes);
    // Over the border it is only too far.
    let over = body(&town.mo.requests[0], &town.ben.offers[0]);
    assert_eq!(
        app.post("/v1/matches", fay, &over).await.problem(409),
        "does-not-fit"
    );
    let merge = format!("/v1/requests/{}/merge", town.mo.requests[0]);
    let into = json!({"into": town.nia.requests[0]});
    assert_eq!(app.post(&merge, fay, &into).await.problem(404), "not-found");
}

#[actix_web::test]
async fn letters_go_to_those_whose_part_it_is() {
    let mut app = TestApp::new();
    let (_, all) = app.coordinator(Scope::Coordinator).await;
    let her = app.neighbor(&[food(1)]).await;
    let request = app
        .get(&format!("/v1/requests/{}", her.requests[0]), &all)
        .await
        .ok();
    let cell = request["cell"].as_str().unwrap();
    limited(&app, "pets@example.org", part(&["pet_care"], &[cell])).await;
    limited(&app, "near@example.org", part(&[], &[cell])).await;
    limited(&app, "food@example.org", part(&["food"], &[])).await;
    limited(
        &app,
        "far@example.org",
        part(&["pet_care"], &["860326237ffffff"]),
    )
    .await;
    limited(&app, "child@example.org", part(&["childcare"], &[cell])).await;
    app.settle().await;
    app.mails();
    let who = |name: &str, phone: &str| json!({"contact": {"name": name, "phone": phone}});
    let pets = json!({"category": "pet_care", "quantity": 1, "urgency": "now", "handover": "home"});
    app.neighbor_who(with(post_of(&[pets]), who("Pim", "612 555 0111")))
        .await;
    app.settle().await;
    let told = |app: &TestApp| -> BTreeSet<String> {
        let mails = app.mails().into_iter();
        let due = mails.filter(|m| m.message.subject.as_str() == "A neighbor waits for your call");
        due.map(|m| m.message.to.expose().to_owned()).collect()
    };
    let pets: Vec<String> = told(&app).into_iter().collect();
    assert_eq!(
        pets,
        ["coo@example.org", "near@example.org", "pets@example.org"]
    );
    // Of what is sensitive, only those hear who are named for it.
    let child = json!({"category": "childcare", "quantity": 1, "urgency": "now"});
    app.neighbor_who(with(post_of(&[child]), who("Sam", "612 555 0112")))
        .await;
    app.settle().await;
    let children: Vec<String> = told(&app).into_iter().collect();
    assert_eq!(children, ["child@example.org", "coo@example.org"]);
}

#[actix_web::test]
async fn the_mornings_numbers_are_of_the_part() {
    let mut town = Town::new().await;
    town.app.mails();
    town.app.sleep_over(19 * HOUR).await;
    let mails = town.app.mails();
    let to = |email: &str| {
        let mail = mails.iter().find(|m| {
            m.message.to.expose() == email
                && m.message.subject.as_str() == "Good morning: how it stands"
        });
        mail.map(|m| m.message.text.clone()).unwrap()
    };
    let posted = |email| to(email).contains("Yesterday: 1 posted");
    assert!(posted("fay@example.org"), "{}", to("fay@example.org"));
    assert!(
        to("coo@example.org").contains("Yesterday: 5 posted"),
        "{}",
        to("coo@example.org")
    );
}

#[actix_web::test]
async fn limits_hold_from_the_next_call_on() {
    let town = Town::new().await;
    let (app, fay) = (&town.app, &town.fay);
    let lin = format!("/v1/requests/{}", town.lin.requests[0]);
    assert_eq!(app.get(&lin, fay).await.problem(404), "not-found");
    let limit = async |part: Part| {
        limit_coordinator(&app.ctx, town.fays, part, Actor::OPERATOR)
            .await
            .unwrap();
    };
    limit(part(&["towing"], &[])).await;
    app.get(&lin, fay).await.ok();
    let mo = format!("/v1/requests/{}", town.mo.requests[0]);
    assert_eq!(app.get(&mo, fay).await.problem(404), "not-found");
    // All but what is sensitive, here.
    limit(part(&[], &[&town.area])).await;
    app.get(&mo, fay).await.ok();
    let lawyer = format!("/v1/requests/{}", town.mo.requests[1]);
    assert_eq!(app.get(&lawyer, fay).await.problem(404), "not-found");
    limit(Part::ALL).await;
    app.get(&lawyer, fay).await.ok();
    app.get("/v1/letters", fay).await.ok();
    for scope in [Scope::Intake, Scope::Admin] {
        let (id, _) = app.coordinator(scope).await;
        let refused = limit_coordinator(&app.ctx, id, part(&["food"], &[]), Actor::OPERATOR);
        let refused = refused.await.unwrap_err();
        assert!(matches!(refused, TxError::Refused(Refusal::NotPossible)));
    }
}

/// She takes a call: what she enters is public to post, and then as anybody's.
#[actix_web::test]
async fn whoever_is_limited_may_enter_posts() {
    let town = Town::new().await;
    let her = town
        .app
        .entered_by(&town.fay, post_of(&[food(2), towing()]))
        .await;
    let path = |nth: usize| format!("/v1/requests/{}", her.requests[nth]);
    town.app.get(&path(0), &town.fay).await.ok();
    assert_eq!(
        town.app.get(&path(1), &town.fay).await.problem(404),
        "not-found"
    );
}

#[actix_web::test]
async fn whoever_is_known_by_one_number_is_blocked_by_who_reaches_all_of_it() {
    let app = TestApp::new();
    let (_, all) = app.coordinator(Scope::Coordinator).await;
    let (_, fay) = limited(&app, "fay@example.org", part(&["food"], &[])).await;
    let of = |name: &str, need: Value| {
        let who = json!({"contact": {"name": name, "phone": "612 555 0188"}});
        with(post_of(&[need]), who)
    };
    let mo = app.neighbor_who(of("Mo", food(1))).await;
    app.neighbor_who(of("Zoe", towing())).await;
    let path = format!("/v1/requests/{}", mo.requests[0]);
    let neighbor = app.get(&path, &fay).await.ok()["neighbor"]["id"].clone();
    let neighbor = format!("/v1/neighbors/{}", neighbor.as_str().unwrap());
    for act in ["block", "unblock"] {
        let path = format!("{neighbor}/{act}");
        assert_eq!(app.press(&path, &fay).await.problem(403), "part", "{act}");
        app.press(&path, &all).await.ok();
    }
}

#[actix_web::test]
async fn a_call_about_more_than_their_part_is_ended_by_somebody_else() {
    let mut app = TestApp::new();
    let (_, all) = app.coordinator(Scope::Coordinator).await;
    let (_, kay) = limited(&app, "kay@example.org", part(&["childcare"], &[])).await;
    let child = json!({"category": "childcare", "quantity": 1, "urgency": "now"});
    app.neighbor(&[child, towing()]).await;
    app.settle().await;
    let calls = rows(&app, &kay, "/v1/tasks?kind=call").await;
    let path = format!("/v1/tasks/{}", id(&calls[0]));
    app.press(&format!("{path}/claim"), &kay).await.ok();
    let refused = json!({"outcome": "refused"});
    let done = format!("{path}/done");
    assert_eq!(app.post(&done, &kay, &refused).await.problem(403), "part");
    app.press(&format!("{path}/unclaim"), &kay).await.ok();
    app.post(&done, &all, &refused).await.ok();
}
