//! Every way in which a call can go wrong, for the document.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use utoipa::IntoResponses;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Type};

use crate::actions::Refusal;
use crate::http::limits::TooOften;
use crate::http::problem::{FieldError, PROBLEM_JSON, Problem};

/// The problems that any call may be answered with; `complete` takes those away that an operation
/// cannot have.
#[derive(Debug)]
pub struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        known()
            .into_iter()
            .map(|(_, problem)| {
                let name = name(problem.status);
                (
                    problem.status.to_string(),
                    RefOr::Ref(Ref::from_response_name(name)),
                )
            })
            .collect()
    }
}

/// The responses that the operations refer to, by name.
pub fn components() -> impl Iterator<Item = (String, Response)> {
    known()
        .into_iter()
        .map(|(description, problem)| (name(problem.status), response(description, &problem)))
}

fn name(status: u16) -> String {
    format!("Problem{status}")
}

/// What each status means, with the last part of every `type` it comes with, and an example.
fn known() -> [(&'static str, Problem); 13] {
    let other = Problem::new;
    let field = FieldError {
        pointer: "/needs/0/category".to_owned(),
        detail: "must be one of food, towing".to_owned(),
    };
    [
        (
            "The body is no JSON or no sheet that can be read, or did not arrive whole, or a query parameter is unknown: `malformed-json`, `sheet`, `body`, `query`",
            other(
                StatusCode::BAD_REQUEST,
                "malformed-json",
                "The body is no JSON, or nested too deeply",
            ),
        ),
        ("There is no token: `no-token`", Problem::unauthorized()),
        (
            "The scope of the token does not allow it: `scope`. Or its holder is limited to a part of the work, and the call is about everything, or touches more: `part`",
            Problem::forbidden(),
        ),
        (
            "It is not there, or not for this caller; one answer for both, and for every token that is unknown, has ended or is for something else: `not-found`",
            Problem::not_found(),
        ),
        (
            "The call took too long to arrive: `too-slow`",
            other(
                StatusCode::REQUEST_TIMEOUT,
                "too-slow",
                "The request took too long",
            ),
        ),
        (
            "The state of things does not allow it: `not-possible`, `changed-meanwhile`, `already-covered`, `no-capacity`, `more-taken`: with how much, `too-many-open`, `not-vetted`, `has-accepted-match`, `does-not-fit`, `pair-taken`, `call-first`, `area-frozen`, `no-site`, `not-listed`, `site-closed`, `too-many-posts`, `plan-too-large`, `plan-too-old`, `too-many-webhooks`, `has-its-act`: of a task that ends by another call",
            Refusal::NotPossible.into(),
        ),
        ("It was erased: `gone`", Refusal::Gone.into()),
        (
            "The body is too large: `too-large`",
            other(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "The body is too large",
            ),
        ),
        (
            "The body is of another media type than JSON, or than a spreadsheet where one is expected: `media-type`",
            other(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "Send JSON",
            ),
        ),
        (
            "Some fields or parameters are not right, and `errors` names all of them: `invalid`. Or the `Idempotency-Key` came with another body before: `key-reused`",
            Problem::invalid(vec![field]),
        ),
        (
            "Too often. `too-often`: too much came in a short time from the same address, or with the same contact; who holds a valid token is not limited by the address. `too-many-reveals`, `too-many-searches`, `too-many-exports`: of one coordinator",
            TooOften { wait_s: 30 }.into(),
        ),
        ("Our fault: `internal`", Problem::internal()),
        (
            "Not possible right now, and nothing was changed: `unavailable`; `too-busy`: more comes than can be done, and what can wait is refused first; `plan-under-way`, `import-under-way`: plans are made, and files imported, one at a time",
            Problem::unavailable(),
        ),
    ]
}

fn response(description: &str, problem: &Problem) -> Response {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .example(serde_json::to_value(problem).ok())
        .build();
    let response = ResponseBuilder::new()
        .description(description)
        .content(PROBLEM_JSON, content);
    match problem.status {
        401 => response.header(
            "WWW-Authenticate",
            header("How to send a token", Type::String),
        ),
        429 | 503 => response.header(
            "Retry-After",
            header("Seconds after which to try again", Type::Integer),
        ),
        _ => response,
    }
    .build()
}

fn header(description: &str, of: Type) -> utoipa::openapi::header::Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(of)))
        .description(Some(description))
        .build()
}
