//! One span, one line and one measurement for each call: route, status, time. Never an address, a
//! token, a body, or a path as it was sent (it may hold a token).

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use tracing::Instrument;

/// Watches a call.
///
/// # Errors
/// Those of the handler.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let started = Instant::now();
    let method = request.method().to_string();
    let route = request.match_pattern().unwrap_or_else(|| "none".to_owned());
    let span = tracing::info_span!("http", http.method = %method, http.route = %route);
    let result = next.call(request).instrument(span.clone()).await;
    let status = match &result {
        Ok(response) => response.status().as_u16(),
        Err(error) => error.as_response_error().status_code().as_u16(),
    };
    let elapsed = started.elapsed();
    span.in_scope(|| {
        tracing::info!(
            http.status = status,
            elapsed_ms = elapsed.as_secs_f64() * 1000.0,
            "answered a call"
        );
    });
    metrics::counter!("manyhands_http_requests_total", "route" => route.clone(), "method" => method, "status" => status.to_string())
        .increment(1);
    metrics::histogram!("manyhands_http_request_seconds", "route" => route)
        .record(elapsed.as_secs_f64());
    result
}
