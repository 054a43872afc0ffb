//! `/v1/volunteers`: every volunteer, corrections and erasure by phone, vetting and blocking. `/v1/volunteers/self` is the volunteer's
//! own and is in `http::volunteers`.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answers::volunteer;
use super::found;
use crate::actions::Ctx;
use crate::actions::block_volunteer::block_volunteer;
use crate::actions::erase_volunteer::erase_volunteer;
use crate::actions::update_volunteer::update_volunteer;
use crate::actions::vet_volunteer::vet_volunteer;
use crate::domain::clock::Ts;
use crate::domain::ids::VolunteerId;
use crate::http::auth::AsCoordinator;
use crate::http::body::Body;
use crate::http::fields::FieldErrors;
use crate::http::fields::read_optional;
use crate::http::filters::Filters;
use crate::http::openapi::Problems;
use crate::http::paging::{Listing, Pages, position};
use crate::http::part::Within;
use crate::http::problem::Problem;
use crate::http::views::coordinator::volunteer::{VolunteerFile, VolunteerSheet, file};
use crate::http::volunteers::{PatchVolunteerBody, patched};
use crate::storage::volunteers;
use crate::storage::volunteers::VolunteerFilter;

/// How long a vetting holds where the coordinator does not say.
const VETTED_FOR: Duration = Duration::from_hours(365 * 24);
/// How long it holds at the most.
const VETTED_AT_MOST: Duration = Duration::from_hours(5 * 366 * 24);

async fn shown(
    ctx: &web::Data<Ctx>,
    part: Within,
    id: VolunteerId,
) -> Result<HttpResponse, Problem> {
    let inner = ctx.clone();
    found(ctx, move |conn| file(&inner, conn, &part.0, id)).await
}

/// A page of them.
type VolunteerList = Listing<VolunteerSheet>;

/// All volunteers, newest first.
#[utoipa::path(get, path = "/v1/volunteers", tag = "coordinator",
    params(
        ("confirmed" = Option<bool>, Query, description = "Whether the address is confirmed"),
        ("vetted" = Option<bool>, Query, description = "Whether they are vetted now"),
        ("blocked" = Option<bool>, Query, description = "Whether they are blocked"),
        ("vetting_ends_before" = Option<String>, Query, format = DateTime, description = "Only those whose vetting ends, or has ended, before then"),
        ("area" = Option<String>, Query, description = "Only those who have, or had, an offer that stands within this area, an H3 cell of any resolution", example = "862649b2fffffff"),
        Pages),
    responses((status = 200, description = "A page of volunteers", body = VolunteerList), Problems), security(("coordinator" = [])))]
pub async fn list(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    within: Within,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let known = [
        "confirmed",
        "vetted",
        "blocked",
        "vetting_ends_before",
        "area",
    ];
    let mut filters = Filters::read("volunteers", &known, &request)?;
    let filter = VolunteerFilter {
        confirmed: filters.flag("confirmed"),
        vetted: filters.flag("vetted"),
        blocked: filters.flag("blocked"),
        vetting_ends_before: filters.instant("vetting_ends_before"),
        part: within.narrow(filters.area()),
    };
    let asked = filters.finish(&ctx)?;
    let now = ctx.now();
    asked
        .answer(
            &ctx,
            move |conn, page| Ok(volunteers::page(conn, &filter, now, page)?),
            |v| position(v.created_at, v.id),
            |_, rows| Ok(rows.iter().map(VolunteerSheet::from).collect()),
        )
        .await
}

/// One volunteer, with what she offers.
#[utoipa::path(get, path = "/v1/volunteers/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The volunteer", body = VolunteerFile), Problems), security(("coordinator" = [])))]
pub async fn get(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    within: Within,
    id: web::Path<VolunteerId>,
) -> Result<HttpResponse, Problem> {
    shown(&ctx, within, *id).await
}

/// Changes what a volunteer said of herself, as she told it by phone: a JSON merge patch (RFC 7396), as her
/// own. The answer shows nothing that is sealed. `mail`: `false` takes her off all letters, `true` allows them again.
#[utoipa::path(patch, path = "/v1/volunteers/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    request_body(content = PatchVolunteerBody, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The volunteer as she is now", body = VolunteerFile), Problems), security(("coordinator" = [])))]
pub async fn patch(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    within: Within,
    id: web::Path<VolunteerId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (version, new) = patched(&ctx, &request, *id, &body).await?;
    update_volunteer(&ctx, *id, version, new, volunteer(who)).await?;
    shown(&ctx, within, *id).await
}

/// Erases a volunteer who says so by phone, as her own page does: offers are closed, neighbors are told, her data is
/// destroyed. It cannot be undone.
#[utoipa::path(delete, path = "/v1/volunteers/{id}", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Erased"), Problems), security(("coordinator" = [])))]
pub async fn delete(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<VolunteerId>,
) -> Result<HttpResponse, Problem> {
    erase_volunteer(&ctx, *id, volunteer(who)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// For how long a volunteer is vouched for.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"until": "2027-12-01T00:00:00Z"}))]
pub struct VetBody {
    /// Until when; a year from now where it is left out, five years at the most.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Ts>,
}

impl VetBody {
    fn parse(self, now: Ts, errors: &mut FieldErrors) -> Ts {
        let until = self.until.unwrap_or_else(|| now.after(VETTED_FOR));
        if until <= now {
            errors.push("/until", "is in the past");
        } else if until > now.after(VETTED_AT_MOST) {
            errors.push("/until", "must be within five years");
        }
        until
    }
}

/// Vouches for a volunteer whom a coordinator has met.
#[utoipa::path(post, path = "/v1/volunteers/{id}/vet", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = VetBody,
    responses((status = 200, description = "The volunteer as she is now", body = VolunteerFile), Problems), security(("coordinator" = [])))]
pub async fn vet(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    within: Within,
    id: web::Path<VolunteerId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (body, mut errors) = read_optional::<VetBody>(&request, &body)?;
    let until = body.parse(ctx.now(), &mut errors);
    let until = errors.finish(Some(until))?;
    vet_volunteer(&ctx, *id, Some(until), who.actor()).await?;
    shown(&ctx, within, *id).await
}

/// Vouches for a volunteer no longer. What was accepted meanwhile stays.
#[utoipa::path(post, path = "/v1/volunteers/{id}/unvet", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The volunteer as she is now", body = VolunteerFile), Problems), security(("coordinator" = [])))]
pub async fn unvet(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    within: Within,
    id: web::Path<VolunteerId>,
) -> Result<HttpResponse, Problem> {
    vet_volunteer(&ctx, *id, None, who.actor()).await?;
    shown(&ctx, within, *id).await
}

/// Blocks a volunteer: asks are withdrawn, promises fall through and both sides are told, sites are
/// taken off the list.
#[utoipa::path(post, path = "/v1/volunteers/{id}/block", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The volunteer as she is now", body = VolunteerFile), Problems), security(("coordinator" = [])))]
pub async fn block(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    within: Within,
    id: web::Path<VolunteerId>,
) -> Result<HttpResponse, Problem> {
    block_volunteer(&ctx, *id, true, who.actor()).await?;
    shown(&ctx, within, *id).await
}

/// Lets a blocked volunteer in again. Her sites must be checked again before they are listed.
#[utoipa::path(post, path = "/v1/volunteers/{id}/unblock", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The volunteer as she is now", body = VolunteerFile), Problems), security(("coordinator" = [])))]
pub async fn unblock(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    within: Within,
    id: web::Path<VolunteerId>,
) -> Result<HttpResponse, Problem> {
    block_volunteer(&ctx, *id, false, who.actor()).await?;
    shown(&ctx, within, *id).await
}
