//! What a call is told that is turned away before its handler: whoever looks at a page by a page, a program by a problem.

use actix_web::HttpRequest;

use super::pages::oops::Oops;
use super::problem::Problem;

/// The answer to such a call.
pub(super) fn turned_away<E>(request: &HttpRequest, why: E) -> actix_web::Error
where
    Problem: From<E>,
    Oops: From<E>,
{
    let path = request.path();
    if path.starts_with("/v1/") || path == "/openapi.json" {
        Problem::from(why).into()
    } else {
        Oops::from(why).into()
    }
}
