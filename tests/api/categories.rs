//! A kind of aid is data: what an operator writes into a file is posted, matched and accepted.

use actix_web::http::Method;
use manyhands::domain::category::Catalog;
use serde_json::{Value, json};

use crate::support::people::{offer_of, post_of};
use crate::support::{MINUTE, TestApp};

const REPAIRS: &str = r#"
[repairs]
title = "Repairs"
description = "Heating, locks and windows."
unit = "job"
units = "jobs"
travels = "volunteer"
review = "none"
vetted_only = false
agree = "never"
sensitive = false
handover = "door"
handovers = ["door"]
default_reach_m = 6000
max_reach_m = 9000
default_travel_m = 0
max_quantity = 3
max_capacity = 8
splittable = false
place_returns = false
default_duration = "6 hours"
throughout = true

[repairs.waves.now]
size = 2
next_wave_after = "20 minutes"
respond_within = "1 hour"

[repairs.attributes.own_tools]
title = "Brings tools"
type = "bool"
rule = "equal"

[repairs.attributes.ladder_m]
title = "Ladder, in meters"
type = "number"
rule = "at_most"
min = 1
max = 12

[repairs.attributes.skill]
title = "Skill"
type = "enum"
rule = "at_most"
options = ["handy", "trained", "licensed"]

[repairs.attributes.trades]
title = "Trades"
type = "set"
rule = "subset"
options = ["heating", "locks", "windows"]

[repairs.attributes.floors]
title = "Floors"
type = "range"
rule = "within"
min = -2
max = 40
"#;

fn app() -> TestApp {
    TestApp::of(Catalog::parse(REPAIRS).expect("categories"), &[])
}

fn job(requires: &Value) -> Value {
    json!({"category": "repairs", "quantity": 1, "urgency": "now", "requires": requires})
}

fn help(provides: &Value) -> Value {
    json!({"category": "repairs", "capacity": 2, "provides": provides})
}

#[actix_web::test]
async fn a_new_kind_of_aid_is_posted_matched_and_accepted() {
    let mut app = app();
    let listed = app
        .call(Method::GET, "/v1/categories", None, None)
        .await
        .ok();
    assert_eq!(listed["items"][0]["key"], "repairs");
    assert_eq!(listed["items"][0]["throughout"], true);
    let able = json!({"own_tools": true, "ladder_m": 6, "skill": "licensed",
        "trades": ["heating", "locks"], "floors": [0, 5]});
    let ana = app.volunteer("ana@example.org", &[help(&able)]).await;
    // Each of the others falls short in one thing.
    for (name, less) in [
        ("own_tools", json!(false)),
        ("ladder_m", json!(2)),
        ("skill", json!("handy")),
        ("trades", json!(["locks"])),
        ("floors", json!([0, 1])),
    ] {
        let mut provides = able.clone();
        provides[name] = less;
        app.volunteer(&format!("{name}@example.org"), &[help(&provides)])
            .await;
    }
    let mo = app
        .neighbor(&[job(
            &json!({"own_tools": true, "ladder_m": 3.5, "skill": "trained",
            "trades": ["heating"], "floors": 2}),
        )])
        .await;
    app.settle().await;
    assert_eq!(app.request(&mo, 0).await["progress"]["asked"], 1);
    app.accept(&ana).await.ok();
    assert_eq!(app.request(&mo, 0).await["state"], "covered");
}

#[actix_web::test]
async fn it_has_waves_of_its_own() {
    let mut app = app();
    for n in 0..8 {
        app.volunteer(&format!("v{n}@example.org"), &[help(&json!({}))])
            .await;
    }
    let mo = app.neighbor(&[job(&json!({}))]).await;
    app.settle().await;
    assert_eq!(app.request(&mo, 0).await["progress"]["asked"], 2);
    app.advance(19 * MINUTE).await;
    assert_eq!(app.request(&mo, 0).await["progress"]["asked"], 2);
    // What it does not change is as the settings say: a later wave is wider by two.
    app.advance(MINUTE).await;
    assert_eq!(app.request(&mo, 0).await["progress"]["asked"], 6);
}

#[test]
fn a_wave_that_cannot_be_is_a_fault_of_the_file() {
    let wrong = REPAIRS
        .replace("size = 2", "size = 0\nspeed = 3")
        .replace("20 minutes", "9 days");
    let told = Catalog::parse(&(wrong + "[repairs.waves.tonight]\n")).unwrap_err();
    let told = told.to_string();
    for fault in [
        "waves.now.size must be a whole number from 1 to 50",
        "waves.now.next_wave_after must be a time from 1 minute to 7 days",
        "waves.now.speed is unknown; allowed: size, widen_by, next_wave_after",
        "waves.tonight is unknown; allowed: now, today, soon",
    ] {
        assert!(told.contains(fault), "{told}");
    }
}

#[actix_web::test]
async fn what_its_attributes_do_not_allow_is_told_with_what_they_do() {
    let app = app();
    let wrong = json!({"own_tools": "yes", "ladder_m": 13, "skill": "expert",
        "trades": ["locks", "roofs"], "floors": [3, 50], "color": "red"});
    let expected = [
        (
            "color",
            "allowed: floors, ladder_m, own_tools, skill, trades",
        ),
        ("floors/1", "from -2 to 40"),
        ("ladder_m", "from 1 to 12"),
        ("own_tools", "true or false"),
        ("skill", "one of handy, trained, licensed"),
        ("trades/1", "one of heating, locks, windows"),
    ];
    for (path, at, body) in [
        ("/v1/requests", "/needs/0/requires", post_of(&[job(&wrong)])),
        (
            "/v1/offers",
            "/offers/0/provides",
            offer_of("ana@example.org", &[help(&wrong)]),
        ),
    ] {
        let answer = app.call(Method::POST, path, None, Some(&body)).await;
        assert_eq!(answer.problem(422), "invalid");
        let mut told: Vec<(String, String)> = answer.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| {
                let text = |name: &str| e[name].as_str().unwrap().to_owned();
                (text("pointer"), text("detail"))
            })
            .collect();
        told.sort();
        assert_eq!(told.len(), expected.len(), "{told:?}");
        for ((pointer, detail), (name, allowed)) in told.iter().zip(expected) {
            assert_eq!(*pointer, format!("{at}/{name}"));
            assert!(detail.contains(allowed), "{detail}");
        }
    }
    let many = json!({"category": "repairs", "quantity": 4});
    let answer = app
        .call(Method::POST, "/v1/requests", None, Some(&post_of(&[many])))
        .await;
    assert_eq!(answer.pointers(), ["/needs/0/quantity"]);
}
