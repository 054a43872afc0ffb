//! What only coordinators call: lists of everything, reviews, and the care for posts and people.
//!
//! Reads omit whatever is sealed; `reveals` alone shows it, for a reason that goes into the audit. An
//! address that a neighbor or a volunteer calls too (`GET /v1/requests/{id}`) has its handler in the
//! file of its resource, one level up, and comes here for the coordinators' view.

use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::problem::Problem;
use crate::actions::Ctx;
use crate::storage::{Conn, StorageError};

pub mod answers;
pub mod areas;
pub mod audit;
pub mod colleagues;
pub mod events;
pub mod exports;
pub mod imports;
pub mod intake;
pub mod letters;
pub mod matches;
pub mod neighbors;
pub mod offers;
pub mod people;
pub mod plans;
pub mod reports;
pub mod requests;
pub mod reveals;
pub mod stats;
pub mod tasks;
pub mod volunteers;
pub mod webhooks;
pub mod wipe;

/// Shows what is read, or that it is not there.
async fn found<T, F>(ctx: &web::Data<Ctx>, read: F) -> Result<HttpResponse, Problem>
where
    T: Serialize + Send + 'static,
    F: FnOnce(&mut Conn) -> Result<Option<T>, StorageError> + Send + 'static,
{
    let view = ctx.db.read(read).await?;
    Ok(HttpResponse::Ok().json(view.ok_or_else(Problem::not_found)?))
}
