//! What a coordinator does for somebody who calls: more needs of a neighbor, how far her contact was
//! checked, more offers of a volunteer, a rest for them, and a new manage token for who has lost it.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answers::volunteer;
use super::found;
use crate::actions::Ctx;
use crate::actions::add_offers::add_offers;
use crate::actions::add_requests::add_requests;
use crate::actions::pause_volunteer::pause_volunteer;
use crate::actions::rotate_token::{rotate_token, rotate_volunteers_token};
use crate::actions::verify_neighbor::verify_neighbor;
use crate::crypto::token::Token;
use crate::domain::ids::{NeighborId, VolunteerId};
use crate::domain::need::Verified;
use crate::domain::part::Part;
use crate::domain::word::words;
use crate::http::auth::AsCoordinator;
use crate::http::body::Body;
use crate::http::desk::Desk;
use crate::http::fields::read_optional;
use crate::http::idempotency;
use crate::http::neighbors::{AddedRequests, MoreNeedsBody, more_needs, shown_added};
use crate::http::offers::PostedOffers;
use crate::http::openapi::Problems;
use crate::http::problem::Problem;
use crate::http::views::coordinator::request::NeighborSummary;
use crate::http::views::coordinator::volunteer::{VolunteerFile, file};
use crate::http::views::offer::OfferView;
use crate::http::volunteers::{MoreOffersBody, more_offers};
use crate::storage::neighbors;

async fn shown(ctx: &web::Data<Ctx>, id: NeighborId) -> Result<HttpResponse, Problem> {
    found(ctx, move |conn| {
        let row = neighbors::find(conn, id)?.filter(|n| n.erased_at.is_none());
        Ok(row.as_ref().map(NeighborSummary::from))
    })
    .await
}

/// Adds needs of a neighbor who calls again. With the scope `intake`, of whom the caller has entered, or
/// is to call by an open task.
#[utoipa::path(post, path = "/v1/neighbors/{id}/requests", tag = "coordinator", params(("id" = String, Path, format = Uuid),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeated call with the same key makes nothing twice")),
    request_body = MoreNeedsBody,
    responses((status = 201, description = "Added", body = AddedRequests), Problems), security(("coordinator" = ["intake"])))]
pub async fn add(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    desk: Desk,
    id: web::Path<NeighborId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let call = idempotency::call(&ctx, &request, desk.id.as_bytes(), &body)?;
    let needs = more_needs(&ctx, &request, &body)?;
    let added = add_requests(&ctx, *id, desk.remit, needs, call, desk.for_neighbor()).await?;
    shown_added(&ctx, added).await
}

/// Adds offers of a volunteer who calls; they are open at once, or as soon as the address is confirmed.
#[utoipa::path(post, path = "/v1/volunteers/{id}/offers", tag = "coordinator", params(("id" = String, Path, format = Uuid),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeated call with the same key makes nothing twice")),
    request_body = MoreOffersBody,
    responses((status = 201, description = "Added", body = PostedOffers), Problems), security(("coordinator" = [])))]
pub async fn offer(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    id: web::Path<VolunteerId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let call = idempotency::call(&ctx, &request, who.0.as_bytes(), &body)?;
    let (place, new) = more_offers(&ctx, &request, &body)?;
    let rows = add_offers(&ctx, *id, place, new, call, volunteer(who)).await?;
    // Without what is sealed: of a repeated call, the volunteer may have changed it since.
    let offers = rows.iter().map(OfferView::posted).collect();
    Ok(HttpResponse::Created().json(PostedOffers { offers }))
}

words! {
    /// How a coordinator knows a neighbor.
    Checked {
        /// They have spoken with her.
        Called = "called",
        /// They know her.
        Vouched = "vouched",
    }
}

/// How a neighbor's contact was checked.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"how": "called"}))]
pub struct VerifyBody {
    /// How.
    #[schema(required = true, nullable = false)]
    how: Option<Checked>,
}

/// Says that a coordinator has spoken with a neighbor, or knows her: what waited for a call is matched now.
#[utoipa::path(post, path = "/v1/neighbors/{id}/verify", tag = "coordinator", params(("id" = String, Path, format = Uuid)), request_body = VerifyBody,
    responses((status = 200, description = "The neighbor as she is now", body = NeighborSummary), Problems), security(("coordinator" = [])))]
pub async fn verify(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsCoordinator,
    id: web::Path<NeighborId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (body, mut errors) = read_optional::<VerifyBody>(&request, &body)?;
    let how = errors.require("/how", body.how);
    let how = match errors.finish(how)? {
        Checked::Called => Verified::Called,
        Checked::Vouched => Verified::Vouched,
    };
    verify_neighbor(&ctx, *id, how, who.actor()).await?;
    shown(&ctx, *id).await
}

/// Takes back that a neighbor's contact was checked. What needs a call waits for it again.
#[utoipa::path(post, path = "/v1/neighbors/{id}/unverify", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The neighbor as she is now", body = NeighborSummary), Problems), security(("coordinator" = [])))]
pub async fn unverify(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<NeighborId>,
) -> Result<HttpResponse, Problem> {
    verify_neighbor(&ctx, *id, Verified::None, who.actor()).await?;
    shown(&ctx, *id).await
}

/// A new manage token for somebody on the phone.
#[derive(Serialize, ToSchema)]
pub struct TokenToReadOut {
    /// Replaces every earlier one. Shown once.
    #[schema(example = "mhn_0123456789ABCDEFGHJKMNPQRSTV")]
    manage_token: String,
    /// The same in groups, to read out. It is taken as it is heard.
    #[schema(example = "mhn 0123 4567 89AB CDEF GHJK MNPQ RSTV")]
    manage_token_spoken: String,
}

impl From<Token> for TokenToReadOut {
    fn from(token: Token) -> Self {
        Self {
            manage_token: token.expose().to_owned(),
            manage_token_spoken: token.spoken(),
        }
    }
}

/// Ends every manage token of a neighbor who has lost hers, and gives a new one to read out to her. With the scope
/// `intake`, to whom the caller has entered.
#[utoipa::path(post, path = "/v1/neighbors/{id}/rotate-token", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The new token", body = TokenToReadOut), Problems), security(("coordinator" = ["intake"])))]
pub async fn rotate_neighbors(
    ctx: web::Data<Ctx>,
    desk: Desk,
    id: web::Path<NeighborId>,
) -> Result<HttpResponse, Problem> {
    let token = rotate_token(&ctx, *id, desk.remit, desk.for_neighbor()).await?;
    Ok(HttpResponse::Ok().json(TokenToReadOut::from(token)))
}

/// Ends every manage token of a volunteer who has lost it, and gives a new one to read out.
#[utoipa::path(post, path = "/v1/volunteers/{id}/rotate-token", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The new token", body = TokenToReadOut), Problems), security(("coordinator" = [])))]
pub async fn rotate_volunteers(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<VolunteerId>,
) -> Result<HttpResponse, Problem> {
    let token = rotate_volunteers_token(&ctx, *id, volunteer(who)).await?;
    Ok(HttpResponse::Ok().json(TokenToReadOut::from(token)))
}

async fn rest(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: VolunteerId,
    paused: bool,
) -> Result<HttpResponse, Problem> {
    pause_volunteer(&ctx, id, paused, volunteer(who)).await?;
    let inner = ctx.clone();
    found(&ctx, move |conn| file(&inner, conn, &Part::ALL, id)).await
}

/// Stops asks for everything a volunteer offers, who says so by phone; promises stay.
#[utoipa::path(post, path = "/v1/volunteers/{id}/pause", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The volunteer as she is now", body = VolunteerFile), Problems), security(("coordinator" = [])))]
pub async fn pause(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<VolunteerId>,
) -> Result<HttpResponse, Problem> {
    rest(ctx, who, *id, true).await
}

/// Lets asks come again to a volunteer who says so by phone.
#[utoipa::path(post, path = "/v1/volunteers/{id}/resume", tag = "coordinator", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The volunteer as she is now", body = VolunteerFile), Problems), security(("coordinator" = [])))]
pub async fn resume(
    ctx: web::Data<Ctx>,
    who: AsCoordinator,
    id: web::Path<VolunteerId>,
) -> Result<HttpResponse, Problem> {
    rest(ctx, who, *id, false).await
}
