//! HEAD wherever there is GET (RFC 9110, section 9.3.2): the same answer without its body.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;

/// Answers HEAD as GET. A GET changes nothing, so nothing else is to be considered; the server sends
/// the head of the answer only.
///
/// # Errors
/// Those of the handler.
pub async fn as_get(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    next.call(request).await
}
