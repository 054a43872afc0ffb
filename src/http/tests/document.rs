//! The document says what is there, all of it, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::App;
use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service};
use serde_json::{Map, Value};

use super::{Town, text};
use crate::http::openapi::openapi_json;
use crate::http::routes;

const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

fn document() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

/// Every operation with its method and path.
fn operations(document: &Value) -> Vec<(Method, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let mut all = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            all.push((
                method.to_uppercase().parse().unwrap(),
                path.as_str(),
                operation,
            ));
        }
    }
    all
}

/// What a reference refers to.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(to) => document.pointer(to.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// An address of a path: no id is known, and the token is none.
fn filled(path: &str) -> String {
    let id = "3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a";
    let path = path.replace("{id}", id).replace("{mid}", id);
    path.replace("{token}", "mhu_0123456789ABCDEFGHJKMNPQRSTV")
}

/// Which route a call reaches, and how it is answered, without a token.
async fn reached(town: &Town, calls: Vec<(Method, String)>) -> Vec<(Option<String>, u16, String)> {
    let app = init_service(App::new().configure(routes(town.ctx.clone()))).await;
    let mut all = Vec::new();
    for (method, path) in calls {
        let request = TestRequest::with_uri(&path).method(method);
        let response = call_service(&app, request.to_request()).await;
        let pattern = response.request().match_pattern();
        let allow = response.headers().get("Allow");
        let allow = allow.map_or("", |v| v.to_str().unwrap()).to_owned();
        all.push((pattern, response.status().as_u16(), allow));
    }
    all
}

#[actix_web::test]
async fn every_documented_call_is_routed() {
    let town = Town::new().await;
    let document = document();
    let operations = operations(&document);
    let calls = operations.iter().map(|(m, p, _)| (m.clone(), filled(p)));
    let reached = reached(&town, calls.collect()).await;
    for ((method, path, _), (pattern, status, _)) in operations.iter().zip(reached) {
        assert_eq!(pattern.as_deref(), Some(*path), "{method} {path}");
        assert_ne!(status, 405, "{method} {path}");
    }
}

#[actix_web::test]
async fn every_route_is_documented_with_each_of_its_methods() {
    let source = include_str!("../mod.rs");
    let routed: BTreeSet<&str> = source
        .split("at(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|path| path.starts_with("/v1/"))
        .collect();
    let document = document();
    let mut documented: BTreeMap<&str, Vec<Method>> = BTreeMap::new();
    for (method, path, _) in operations(&document) {
        documented.entry(path).or_default().push(method);
    }
    assert_eq!(routed, documented.keys().copied().collect());
    let town = Town::new().await;
    for (path, methods) in documented {
        let calls = METHODS.map(|method| (method, filled(path))).to_vec();
        let answers = reached(&town, calls).await;
        for (method, (_, status, allow)) in METHODS.iter().zip(answers) {
            let is_documented = methods.contains(method);
            assert_eq!(status != 405, is_documented, "{method} {path}");
            if status == 405 {
                let names: Vec<Method> = allow.split(", ").map(|m| m.parse().unwrap()).collect();
                let (head, names): (Vec<_>, Vec<_>) =
                    names.into_iter().partition(|m| *m == Method::HEAD);
                assert_eq!(!head.is_empty(), methods.contains(&Method::GET), "{path}");
                assert_eq!(names.len(), methods.len(), "{path}: {allow}");
                assert!(names.iter().all(|m| methods.contains(m)), "{path}: {allow}");
            }
        }
    }
}

#[test]
fn every_call_is_described_with_all_its_answers() {
    let document = document();
    let mut ids = BTreeSet::new();
    let tags: BTreeSet<&str> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| text(&tag["name"]))
        .collect();
    for (method, path, operation) in operations(&document) {
        let at = format!("{method} {path}");
        assert!(ids.insert(text(&operation["operationId"])), "{at}");
        assert!(!text(&operation["summary"]).contains('\n'), "{at}");
        let of_call = operation["tags"].as_array().unwrap();
        assert!(of_call.iter().all(|t| tags.contains(text(t))), "{at}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(
                text(&parameter["description"]).len() > 9,
                "{at}: {parameter}"
            );
        }
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses {
            let response = resolved(&document, response);
            assert!(!text(&response["description"]).is_empty(), "{at} {status}");
            if status.as_str() >= "400" {
                let problem = &response["content"]["application/problem+json"];
                assert_eq!(problem["example"]["status"].to_string(), *status);
            }
        }
        let is_signed = operation["security"].is_array();
        assert_eq!(responses.contains_key("401"), is_signed, "{at}");
        assert!(responses.contains_key("503"), "{at}");
        let too_often = resolved(&document, &responses["429"]);
        assert!(too_often["headers"]["Retry-After"].is_object(), "{at}");
    }
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "/");
}

#[test]
fn whatever_is_referred_to_is_there() {
    let document = document();
    let mut waiting = vec![&document];
    while let Some(value) = waiting.pop() {
        if let Some(to) = value["$ref"].as_str() {
            let found = document.pointer(to.trim_start_matches('#'));
            assert!(found.is_some(), "{to}");
        }
        waiting.extend(value.as_array().into_iter().flatten());
        waiting.extend(value.as_object().into_iter().flat_map(Map::values));
    }
}

#[test]
fn a_merge_patch_may_name_any_part_of_what_is_there() {
    let document = document();
    let mut waiting = Vec::new();
    for (_, path, operation) in operations(&document) {
        let content = &operation["requestBody"]["content"]["application/merge-patch+json"];
        waiting.extend(content.get("schema").map(|schema| (path, schema)));
    }
    assert_eq!(waiting.len(), 6);
    let mut seen = 0;
    while let Some((path, schema)) = waiting.pop() {
        let schema = resolved(&document, schema);
        assert!(schema["required"].is_null(), "{path}: {schema}");
        let properties = schema["properties"].as_object();
        let parts = properties.into_iter().flat_map(Map::values);
        let choices = schema["oneOf"].as_array().into_iter().flatten();
        waiting.extend(parts.chain(choices).map(|part| (path, part)));
        seen += 1;
    }
    assert!(seen > 50);
    let posted = &document["components"]["schemas"]["ContactBody"];
    assert_eq!(posted["required"], serde_json::json!(["name"]));
}

#[test]
fn links_lead_to_calls_that_there_are_with_what_they_need() {
    let document = document();
    let operations = operations(&document);
    let mut linked = BTreeSet::new();
    for (method, path, operation) in &operations {
        for response in operation["responses"].as_object().unwrap().values() {
            for (name, link) in response["links"].as_object().into_iter().flatten() {
                let to = operations
                    .iter()
                    .find(|(.., o)| o["operationId"] == link["operationId"]);
                let (_, to, _) = to.unwrap_or_else(|| panic!("{method} {path}: {name}"));
                let given = link["parameters"].as_object().unwrap();
                assert_eq!(
                    to.matches('{').count(),
                    given.len(),
                    "{method} {path}: {name}"
                );
                assert!(
                    given.keys().all(|name| to.contains(&format!("{{{name}}}"))),
                    "{name}"
                );
                linked.insert(text(&link["operationId"]));
            }
        }
    }
    // What nothing leads to takes two ids that no answer has together, or is no record.
    let with_id = operations
        .iter()
        .filter(|(_, path, _)| path.contains("{id}"));
    let ids = with_id.map(|(.., operation)| text(&operation["operationId"]));
    let left: Vec<&str> = ids.filter(|id| !linked.contains(id)).collect();
    assert_eq!(left, ["delete_requests_by_id_distinct_by_other"]);
}

#[test]
fn words_stand_as_they_are_sent_and_no_two_types_share_a_name() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        for word in schema["enum"].as_array().into_iter().flatten() {
            let word = text(word);
            assert_eq!(word, word.to_lowercase(), "{name}");
        }
    }
    assert!(schemas["Problem"]["properties"]["errors"].is_object());
    assert!(schemas["ReportedProblem"]["enum"].is_array());
}

#[test]
fn bodies_show_an_example_and_that_they_take_nothing_unknown() {
    let document = document();
    let mut waiting = Vec::new();
    for (method, path, operation) in operations(&document) {
        let content = operation["requestBody"]["content"].as_object();
        for media in content.into_iter().flat_map(Map::values) {
            let schema = resolved(&document, &media["schema"]);
            let is_shown = schema["example"].is_object() || media["example"].is_string();
            assert!(is_shown, "{method} {path}");
            waiting.push(schema);
        }
    }
    assert!(waiting.len() > 12);
    while let Some(schema) = waiting.pop() {
        if schema["properties"].is_object() {
            assert_eq!(schema["additionalProperties"], false, "{schema}");
        }
        let properties = schema["properties"].as_object();
        let parts = properties.into_iter().flat_map(Map::values);
        let choices = schema["oneOf"].as_array().into_iter().flatten();
        let parts = parts.chain(choices).chain(schema.get("items"));
        waiting.extend(parts.map(|part| resolved(&document, part)));
    }
}

#[actix_web::test]
async fn the_examples_of_posts_can_be_posted() {
    let town = Town::new().await;
    let document = document();
    for path in ["/v1/requests", "/v1/offers"] {
        let content = &document["paths"][path]["post"]["requestBody"]["content"];
        let schema = resolved(&document, &content["application/json"]["schema"]);
        let body = Some(&schema["example"]);
        let answer = town.call(Method::POST, path, None, body, None).await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
    }
}

#[actix_web::test]
async fn the_document_and_its_reader_come_from_here() {
    let town = Town::new().await;
    let get = async |path: &str| town.call(Method::GET, path, None, None, None).await;
    let served = get("/openapi.json").await;
    assert_eq!((served.status, served.body), (200, document()));
    assert_eq!(get("/docs").await.status, 308);
    for file in ["", "swagger-ui.css", "swagger-ui-bundle.js"] {
        assert_eq!(get(&format!("/docs/{file}")).await.status, 200, "{file}");
    }
    let page = get("/docs/").await.bytes;
    assert!(
        !String::from_utf8_lossy(&page).contains("http"),
        "nothing from elsewhere"
    );
    let start = get("/docs/swagger-initializer.js").await.bytes;
    let start = String::from_utf8_lossy(&start).into_owned();
    assert!(
        start.contains("../openapi.json") && start.contains(r#""validatorUrl": "none""#),
        "{start}"
    );
    for nothing in [
        "/docs/nothing.js",
        "/docs/../Cargo.toml",
        "/docs/%2e%2e/Cargo.toml",
    ] {
        assert_eq!(get(nothing).await.problem(404), "not-found", "{nothing}");
    }
}
