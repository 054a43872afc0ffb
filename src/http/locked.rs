//! While an operator has locked the service nobody is answered: without keys there is nothing to say.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::turned_away::turned_away;
use crate::actions::Ctx;
use crate::storage::StorageError;

/// Refuses every call while there are no keys.
///
/// # Errors
/// Those of the handler, or that the service is locked.
pub async fn refuse(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let locked = request
        .app_data::<Data<Ctx>>()
        .and_then(|ctx| ctx.vault.keys().err());
    match locked {
        None => next.call(request).await,
        Some(why) => Err(turned_away(request.request(), StorageError::from(why))),
    }
}
