//! Where one call leads: what a list shows or a post makes can be looked at and acted upon, by its id.
//!
//! Programs follow them (so do the tests); nothing must be written at the handlers. To add a call whose answer holds
//! ids in another place: a line in [`PLACES`].

use utoipa::openapi::link::Link;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Paths, RefOr};

/// Whose answer holds the id of a record in another place than its own `id` or, of lists, the first item's: the method,
/// the path, the place in the body, and the collection of the record.
const PLACES: [(&str, &str, &str, &str); 8] = [
    ("post", "/v1/requests", "requests/0/id", "/v1/requests"),
    ("get", "/v1/neighbors/self", "requests/0/id", "/v1/requests"),
    (
        "post",
        "/v1/neighbors/self/requests",
        "requests/0/id",
        "/v1/requests",
    ),
    (
        "post",
        "/v1/neighbors/{id}/requests",
        "requests/0/id",
        "/v1/requests",
    ),
    ("post", "/v1/offers", "offers/0/id", "/v1/offers"),
    ("get", "/v1/volunteers/self", "offers/0/id", "/v1/offers"),
    (
        "post",
        "/v1/volunteers/self/offers",
        "offers/0/id",
        "/v1/offers",
    ),
    (
        "post",
        "/v1/volunteers/{id}/offers",
        "offers/0/id",
        "/v1/offers",
    ),
];

/// The call whose answer names the matches of a request, and where.
const MATCHES: (&str, &str) = ("/v1/requests/{id}", "matches/0/id");

/// A call that may be led to.
struct Target {
    path: String,
    id: String,
    opened_by: Vec<String>,
}

/// Adds them to every answer that leads somewhere.
pub(super) fn add(paths: &mut Paths) {
    let targets = targets(paths);
    for (path, item) in &mut paths.paths {
        for (method, operation) in super::complete::operations(item) {
            let opened_by = schemes(operation);
            let leads_to = |target: &&Target| {
                target
                    .opened_by
                    .iter()
                    .any(|scheme| opened_by.contains(scheme))
            };
            if let Some((place, collection)) = place(method, path) {
                let prefix = format!("{collection}/{{id}}");
                let of_it = targets.iter().filter(|t| is_of(&t.path, &prefix));
                for target in of_it.filter(leads_to) {
                    let id = ("id", format!("$response.body#/{place}"));
                    link(operation, target, [id]);
                }
            }
            if (method, path.as_str()) == ("get", MATCHES.0) {
                let of_it = targets.iter().filter(|t| t.path.contains("{mid}"));
                for target in of_it.filter(leads_to) {
                    let id = ("id", "$request.path.id".to_owned());
                    let mid = ("mid", format!("$response.body#/{}", MATCHES.1));
                    link(operation, target, [id, mid]);
                }
            }
        }
    }
}

/// Everything that is about one record.
fn targets(paths: &mut Paths) -> Vec<Target> {
    let mut targets = Vec::new();
    for (path, item) in &mut paths.paths {
        for (_, operation) in super::complete::operations(item) {
            if path.contains("{id}") {
                targets.push(Target {
                    path: path.clone(),
                    id: operation.operation_id.clone().unwrap_or_default(),
                    opened_by: schemes(operation),
                });
            }
        }
    }
    targets
}

/// Whether a path is about one record of the collection, and about nothing else.
fn is_of(path: &str, prefix: &str) -> bool {
    let rest = path.strip_prefix(prefix);
    rest.is_some_and(|rest| !rest.contains('{') && (rest.is_empty() || rest.starts_with('/')))
}

/// Where an answer holds an id, and of which collection.
fn place<'p>(method: &str, path: &'p str) -> Option<(&'static str, &'p str)> {
    let known = PLACES.iter().find(|(m, p, ..)| (*m, *p) == (method, path));
    if let Some((_, _, place, collection)) = known {
        return Some((place, collection));
    }
    let is_collection = path
        .strip_prefix("/v1/")
        .is_some_and(|name| !name.contains('/'));
    match method {
        "get" if is_collection => Some(("items/0/id", path)),
        "post" if is_collection => Some(("id", path)),
        _ => None,
    }
}

/// Whose tokens open a call.
fn schemes(operation: &Operation) -> Vec<String> {
    let all = operation.security.iter().flatten();
    let all = all.filter_map(|requirement| serde_json::to_value(requirement).ok());
    all.filter_map(|value| {
        value
            .as_object()
            .map(|o| o.keys().cloned().collect::<Vec<_>>())
    })
    .flatten()
    .collect()
}

fn link<const N: usize>(operation: &mut Operation, to: &Target, parameters: [(&str, String); N]) {
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.into()));
    let mut link = Link::default();
    link.operation_id.clone_from(&to.id);
    link.parameters = parameters.into();
    for status in ["200", "201", "202"] {
        if let Some(RefOr::T(response)) = operation.responses.responses.get_mut(status) {
            response.links.insert(to.id.clone(), RefOr::T(link.clone()));
        }
    }
}
