//! Headers of every response, errors too: nothing is kept, framed, sniffed or told to other sites.
//!
//! What actix answers by itself, before there is a request, has none of them: 400 to what is no HTTP,
//! 431 to a head that is too large, 408 to one that is too slow. Those have no body, and end the
//! connection.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::actions::Ctx;

/// Pages load their own script and style and nothing else.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                   form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The API's reader has its icons inside its style. It sends no form: its script calls the API.
const DOCS_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                        connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// What every response carries that does not say otherwise.
const ALWAYS: [(&str, &str); 8] = [
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    // Browsers that do not know `frame-ancestors`.
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-permitted-cross-domain-policies", "none"),
    (
        "permissions-policy",
        "geolocation=(), camera=(), microphone=()",
    ),
];

/// A year: browsers that were here once come back encrypted only.
const ENCRYPTED_ONLY: &str = "max-age=31536000";

/// Adds the headers that are not there yet.
///
/// # Errors
/// Those of the handler, with the headers in their response.
pub async fn secure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let csp = if request.path().starts_with("/docs") {
        DOCS_CSP
    } else {
        CSP
    };
    let is_encrypted = request
        .app_data::<Data<Ctx>>()
        .is_some_and(|ctx| ctx.settings.server.public_url.is_secure());
    let complete = |headers: &mut HeaderMap| {
        let encrypted = is_encrypted.then_some(("strict-transport-security", ENCRYPTED_ONLY));
        let all = ALWAYS.into_iter().chain(encrypted);
        for (name, value) in all.chain([("content-security-policy", csp)]) {
            let name = HeaderName::from_static(name);
            if !headers.contains_key(&name) {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
    };
    match next.call(request).await {
        Ok(mut response) => {
            complete(response.headers_mut());
            Ok(response)
        }
        // A call that was ended before its handler was done.
        Err(error) => {
            let mut response = error.error_response();
            complete(response.headers_mut());
            Err(InternalError::from_response(error, response).into())
        }
    }
}
