//! `Idempotency-Key`: a creating call that is sent again makes nothing twice.

use actix_web::HttpRequest;

use super::fields::FieldErrors;
use super::problem::Problem;
use crate::actions::{Call, Ctx};
use crate::storage::StorageError;

/// Longest key taken.
pub const MAX: usize = 255;

/// The call's identity, if it names one. `on_behalf` keeps the keys of different callers apart.
///
/// # Errors
/// A key that is empty, too long, or not plain ASCII.
pub fn call(
    ctx: &Ctx,
    request: &HttpRequest,
    on_behalf: &[u8],
    body: &[u8],
) -> Result<Option<Call>, Problem> {
    let Some(header) = request.headers().get("Idempotency-Key") else {
        return Ok(None);
    };
    let key = header.as_bytes();
    if key.is_empty() || key.len() > MAX || !key.iter().all(u8::is_ascii_graphic) {
        let mut errors = FieldErrors::default();
        errors.push(
            "Idempotency-Key",
            "must be 1 to 255 visible ASCII characters without spaces",
        );
        return errors.finish(None);
    }
    let route = request.path().as_bytes();
    let keys = ctx.vault.keys().map_err(StorageError::from)?;
    let hasher = &keys.hasher;
    Ok(Some(Call {
        key: hasher.call(&[b"key", route, on_behalf, key]),
        // What is asked for may stand in the query too.
        body: hasher.call(&[b"body", request.query_string().as_bytes(), body]),
    }))
}
