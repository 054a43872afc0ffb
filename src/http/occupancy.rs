//! `/v1/offers/{id}/occupancy`: how full a site is, from whoever keeps it or a coordinator on the phone with them.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::VolunteerOrCoordinator;
use super::body::Body;
use super::fields::read_body;
use super::offers::own;
use super::openapi::Problems;
use super::problem::Problem;
use crate::actions::Ctx;
use crate::actions::count_site::{count_site, uncount_site};
use crate::domain::clock::Ts;
use crate::domain::ids::OfferId;
use crate::domain::need::Quantity;
use crate::domain::occupancy::Occupancy;

/// What is counted at the most.
const MOST: i32 = 100_000;
/// By how much the clock of a phone may be ahead.
const AHEAD: Duration = Duration::from_mins(5);

/// What was counted.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"taken": 23}))]
pub struct CountBody {
    /// How much is taken, in the category's unit: people by the heater, meals given out. May be more than the
    /// capacity.
    #[schema(required = true, nullable = false, minimum = 0, maximum = 100_000)]
    taken: Option<i32>,
    /// When it was counted; now, where it is left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Ts>,
}

/// How full a site is.
#[derive(Serialize, ToSchema)]
pub struct OccupancyView {
    /// How much was taken, in the category's unit.
    #[schema(example = 23)]
    pub taken: i32,
    /// How much was left.
    #[schema(example = 7)]
    pub free: i32,
    /// When it was counted.
    #[schema(value_type = String, format = DateTime)]
    pub counted_at: Ts,
    /// Until when the count stands: the end of that opening, a day later at the most.
    #[schema(value_type = String, format = DateTime)]
    pub counts_until: Ts,
}

impl OccupancyView {
    /// What was counted at a site of that capacity.
    #[must_use]
    pub fn of(counted: Occupancy, capacity: Quantity) -> Self {
        Self {
            taken: counted.taken,
            free: counted.free(capacity),
            counted_at: counted.counted_at,
            counts_until: counted.counts_until,
        }
    }
}

/// Says how full a listed site is. Everybody sees it in `GET /v1/sites`, until the opening ends in which it was
/// counted. A count that is older than the one that is known changes nothing.
#[utoipa::path(post, path = "/v1/offers/{id}/occupancy", tags = ["volunteer", "coordinator"], params(("id" = String, Path, format = Uuid)), request_body = CountBody,
    responses((status = 200, description = "The newest count that stands; null if none does", body = Option<OccupancyView>), Problems),
    security(("volunteer" = []), ("coordinator" = [])))]
pub async fn post(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: VolunteerOrCoordinator,
    id: web::Path<OfferId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    own(&ctx, *id, who.volunteer()).await?;
    let (body, mut errors) = read_body::<CountBody>(&request, &body)?;
    let taken = errors.require("/taken", body.taken);
    if taken.is_some_and(|n| !(0..=MOST).contains(&n)) {
        errors.push("/taken", format!("must be from 0 to {MOST}"));
    }
    let at = body.at.unwrap_or_else(|| ctx.now());
    if at > ctx.now().after(AHEAD) {
        errors.push("/at", "is in the future");
    }
    let taken = errors.finish(taken)?;
    let at = at.min(ctx.now());
    let counted = count_site(&ctx, *id, who.volunteer(), taken, at, who.for_volunteer()).await?;
    let view = counted.map(|(counted, capacity)| OccupancyView::of(counted, capacity));
    Ok(HttpResponse::Ok().json(view))
}

/// Takes the count back: nobody knows how full it is.
#[utoipa::path(delete, path = "/v1/offers/{id}/occupancy", tags = ["volunteer", "coordinator"], params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "No count is known now"), Problems),
    security(("volunteer" = []), ("coordinator" = [])))]
pub async fn delete(
    ctx: web::Data<Ctx>,
    who: VolunteerOrCoordinator,
    id: web::Path<OfferId>,
) -> Result<HttpResponse, Problem> {
    uncount_site(&ctx, *id, who.volunteer(), who.for_volunteer()).await?;
    Ok(HttpResponse::NoContent().finish())
}
