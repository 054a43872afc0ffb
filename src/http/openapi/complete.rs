//! What can be said of every operation alike, so that no handler must repeat it: its id, its path
//! parameters, the scope a coordinator needs, and which problems it cannot have.

use serde_json::Value;
use utoipa::Modify;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, RefOr, Required, Schema};

use super::{links, patches, problems};
use crate::http::idempotency;

/// An id, for examples.
const ID: &str = "3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a";

/// Parameters of lists that are `true` or left out: there is no list of all the others.
const NARROWINGS: [&str; 4] = ["duplicates", "escalated", "overdue", "revoked"];

/// The name of the coordinators' scheme, and of the scope that most of their calls need.
const COORDINATOR: &str = "coordinator";

/// Completes the document.
pub(super) struct Complete;

impl Modify for Complete {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_with(Components::new);
        for (name, description) in [
            ("neighbor", "Manage token of a neighbor (`mhn_…`)"),
            ("volunteer", "Manage token of a volunteer (`mhv_…`)"),
            ("confirm", "Confirm token out of a letter (`mho_…`)"),
            ("answer", "Answer token out of a letter (`mha_…`)"),
            (COORDINATOR, "API token of a coordinator (`mhc_…`)"),
        ] {
            let mut scheme = Http::new(HttpAuthScheme::Bearer);
            scheme.description = Some(description.to_owned());
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
        for (name, response) in problems::components() {
            components.responses.insert(name, RefOr::T(response));
        }
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                operation.operation_id = Some(operation_id(method, path));
                split_summary(operation);
                name_scope(operation);
                if let ("post", Some(RefOr::T(body))) = (method, &mut operation.request_body) {
                    require_body(components, body);
                }
                for parameter in operation.parameters.iter_mut().flatten() {
                    if let RefOr::T(parameter) = parameter {
                        describe(path, parameter);
                    }
                }
                let cannot = impossible(method, path, operation);
                let responses = &mut operation.responses.responses;
                responses.retain(|status, _| !cannot.contains(&status.as_str()));
            }
        }
        patches::add(&document.paths, components);
        links::add(&mut document.paths);
    }
}

/// The operations of a path, with their methods. The API uses no other methods.
pub(super) fn operations(
    item: &mut PathItem,
) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// The methods that a path takes.
pub(super) fn methods(item: &PathItem) -> impl Iterator<Item = &'static str> {
    [
        ("GET", item.get.is_some()),
        ("POST", item.post.is_some()),
        ("PATCH", item.patch.is_some()),
        ("DELETE", item.delete.is_some()),
    ]
    .into_iter()
    .filter_map(|(method, is_taken)| is_taken.then_some(method))
}

/// `get /v1/requests/{id}` is `get_requests_by_id`: unique, because method and path are.
fn operation_id(method: &str, path: &str) -> String {
    let name = path.trim_start_matches("/v1/").replace('-', "_");
    let name = name.replace('{', "by_").replace('}', "").replace('/', "_");
    format!("{method}_{name}")
}

/// A coordinator's call asks for the scope `coordinator`, unless it names another (`intake`, `admin`).
/// OpenAPI 3.1 lets any scheme list the roles that it needs.
fn name_scope(operation: &mut Operation) {
    let unnamed = SecurityRequirement::new(COORDINATOR, [""; 0]);
    for requirement in operation.security.iter_mut().flatten() {
        if *requirement == unnamed {
            *requirement = SecurityRequirement::new(COORDINATOR, [COORDINATOR]);
        }
    }
}

/// The first sentence is the summary, which is shown in one line; the others describe.
fn split_summary(operation: &mut Operation) {
    let Some(text) = operation.summary.take() else {
        return;
    };
    let text = text.replace('\n', " ");
    let (summary, more) = match text.split_once(". ") {
        Some((summary, more)) => (summary, Some(more.to_owned())),
        None => (text.trim_end_matches('.'), None),
    };
    operation.summary = Some(summary.to_owned());
    operation.description = more.or(operation.description.take());
}

/// The body of a step may be left out where nothing in it is a must.
fn require_body(components: &Components, body: &mut RequestBody) {
    let all_optional = body.content.values().all(|content| {
        let RefOr::T(content) = content else {
            return false;
        };
        let Some(RefOr::Ref(reference)) = &content.schema else {
            return false;
        };
        let name = reference.ref_location.rsplit('/').next();
        let schema = name.and_then(|name| components.schemas.get(name));
        matches!(schema, Some(RefOr::T(Schema::Object(object))) if object.required.is_empty())
    });
    if all_optional {
        body.required = Some(Required::False);
    }
}

/// Says what an id in a path is the id of, and what a key may be.
fn describe(path: &str, parameter: &mut Parameter) {
    if let ("Idempotency-Key", Some(RefOr::T(Schema::Object(schema)))) =
        (parameter.name.as_str(), &mut parameter.schema)
    {
        schema.min_length = Some(1);
        schema.max_length = Some(idempotency::MAX);
        schema.pattern = Some("^[!-~]+$".to_owned());
        schema.examples = vec![Value::from(ID)];
    }
    let is_narrowing = parameter.parameter_in == ParameterIn::Query
        && NARROWINGS.contains(&parameter.name.as_str());
    if let (true, Some(RefOr::T(Schema::Object(schema)))) = (is_narrowing, &mut parameter.schema) {
        schema.enum_values = Some(vec![true.into()]);
    }
    if parameter.parameter_in != ParameterIn::Path || parameter.description.is_some() {
        return;
    }
    let of = match (parameter.name.as_str(), path.split('/').nth(2)) {
        ("mid", _) | (_, Some("matches")) => "match",
        (_, Some("requests")) => "request",
        (_, Some("offers")) => "offer",
        (_, Some("volunteers")) => "volunteer",
        (_, Some("neighbors")) => "neighbor",
        (_, Some("letters")) => "letter",
        (_, Some("reports")) => "report",
        (_, Some("tasks")) => "task",
        (_, Some("areas")) => "area",
        (_, Some("imports")) => "import",
        (_, Some("webhooks")) => "webhook",
        _ => "record",
    };
    parameter.description = Some(format!("The id of the {of}"));
    if let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema {
        schema.examples = vec![Value::from(ID)];
    }
}

/// The statuses of problems that an operation never has.
fn impossible(method: &str, path: &str, operation: &Operation) -> Vec<&'static str> {
    let has = |wanted: ParameterIn| {
        let all = operation.parameters.iter().flatten();
        all.filter_map(|p| match p {
            RefOr::T(parameter) => Some(parameter),
            RefOr::Ref(_) => None,
        })
        .any(|p| p.parameter_in == wanted)
    };
    let is_signed = operation.security.is_some();
    let has_body = operation.request_body.is_some();
    let is_for = |tag: &str| operation.tags.iter().flatten().any(|t| t == tag);
    let mut cannot = Vec::new();
    if !is_signed {
        cannot.push("401");
    }
    if !is_for("coordinator") {
        cannot.push("403");
    }
    if !is_signed && !has(ParameterIn::Path) {
        cannot.push("404");
    }
    if method == "get" {
        cannot.push("409");
    }
    let wants_what_was_sealed = ["/reveal", "/reopen", "/hand-over"];
    if !has(ParameterIn::Header) && !wants_what_was_sealed.iter().any(|end| path.ends_with(end)) {
        cannot.push("410");
    }
    if !has_body {
        cannot.extend(["413", "415"]);
    }
    if !has_body && !has(ParameterIn::Query) {
        cannot.push("400");
        if !has(ParameterIn::Header) {
            cannot.push("422");
        }
    }
    cannot
}
