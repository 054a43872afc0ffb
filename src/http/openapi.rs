//! The OpenAPI 3.1 document, made from the handlers and their types.

use std::collections::BTreeMap;

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};

use super::problem::{PROBLEM_JSON, Problem};
use super::{
    answers, categories, needs, neighbors, offers, requests, sites, unsubscribe, volunteers,
};

/// Every way in which a call can go wrong, for the document.
pub struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            (
                "400",
                "The body is no JSON, or a path or query parameter cannot be read",
            ),
            ("401", "No token"),
            ("403", "The scope of the token does not allow it"),
            (
                "404",
                "Not there, or not for this caller: one answer for both",
            ),
            ("409", "Its state does not allow it; `type` says why"),
            ("410", "Erased"),
            ("413", "The body is too large"),
            ("415", "The body is of another media type"),
            (
                "422",
                "Some fields are not right; `errors` names all of them",
            ),
            ("429", "Too often; `Retry-After` says when to try again"),
            (
                "503",
                "Not possible right now; `Retry-After` says when to try again",
            ),
        ]
        .into_iter()
        .map(|(status, description)| {
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build();
            let response = ResponseBuilder::new()
                .description(description)
                .content(PROBLEM_JSON, content)
                .build();
            (status.to_owned(), RefOr::T(response))
        })
        .collect()
    }
}

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_with(Components::new);
        for (name, description) in [
            ("neighbor", "Manage token of a neighbor (`mhn_…`)"),
            ("volunteer", "Manage token of a volunteer (`mhv_…`)"),
            ("confirm", "Confirm token out of a letter (`mho_…`)"),
            ("answer", "Answer token out of a letter (`mha_…`)"),
            ("coordinator", "API token of a coordinator (`mhc_…`)"),
        ] {
            let mut scheme = Http::new(HttpAuthScheme::Bearer);
            scheme.description = Some(description.to_owned());
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Manyhands",
        description = "Mutual aid: matches neighbors who need something with neighbors who can give it."
    ),
    modifiers(&Tokens),
    components(schemas(Problem)),
    tags(
        (name = "anyone", description = "Without a token"),
        (name = "neighbor", description = "A neighbor with her manage token"),
        (name = "volunteer", description = "A volunteer with a manage token"),
        (name = "answer", description = "A volunteer with the answer token of one match"),
        (name = "coordinator", description = "A coordinator with an API token"),
    ),
    paths(
        categories::list, sites::list, needs::list, requests::post, offers::post, offers::confirm, unsubscribe::post,
        neighbors::get, neighbors::patch, neighbors::delete, neighbors::add, neighbors::hide, neighbors::show,
        neighbors::rotate, requests::get, requests::patch, requests::close, requests::renew, neighbors::agree,
        neighbors::refuse, neighbors::done, neighbors::no_show, neighbors::report,
        volunteers::get, volunteers::patch, volunteers::delete, volunteers::add, volunteers::pause,
        volunteers::resume, volunteers::matches, offers::get, offers::patch, offers::pause, offers::resume,
        offers::close, offers::renew,
        answers::get, answers::accept, answers::decline, answers::release, answers::done, answers::no_show,
        answers::report,
    )
)]
struct Document;

/// The document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
