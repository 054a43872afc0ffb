//! `/v1/people/find`: whether somebody who calls is known. What they give never stands in an address, and
//! is compared as a keyed hash.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::actions::Ctx;
use crate::actions::find_people::{Sought, find_people};
use crate::domain::contact::{EmailAddress, PhoneNumber};
use crate::http::body::Body;
use crate::http::desk::Desk;
use crate::http::fields::{FieldErrors, read_body};
use crate::http::openapi::Problems;
use crate::http::problem::Problem;
use crate::http::views::coordinator::found::FoundPeople;

/// What somebody is known by: one of the two.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"phone": "612 555 0123"}))]
pub struct FindBody {
    /// A phone number, as it is said.
    phone: Option<String>,
    /// An e-mail address.
    #[schema(format = Email, max_length = 254)]
    email: Option<String>,
}

impl FindBody {
    fn parse(self, ctx: &Ctx, errors: &mut FieldErrors) -> Option<Sought> {
        let country = ctx.settings.area.country.as_str();
        match (self.phone, self.email) {
            (Some(phone), None) => errors
                .check("/phone", PhoneNumber::parse(&phone, country))
                .map(Sought::Phone),
            (None, Some(email)) => errors
                .check("/email", EmailAddress::parse(&email))
                .map(Sought::Email),
            (Some(_), Some(_)) => {
                errors.push(
                    "/email",
                    "look for one at a time: a phone number or an address",
                );
                None
            }
            (None, None) => errors.require("/phone", None),
        }
    }
}

/// Finds the neighbors and volunteers who gave a phone number or an address, and the neighbors for whom
/// somebody who gave it has called. Every search is in the audit, without what was looked for, and one
/// coordinator may make `limits.searches` within an hour (60 as shipped); `Retry-After` says when the next is possible.
/// With the scope `intake`, only whom the caller has entered, or is to call by an open task.
#[utoipa::path(post, path = "/v1/people/find", tag = "coordinator", request_body = FindBody,
    responses((status = 200, description = "Who is known by it; nobody, if there is none", body = FoundPeople), Problems), security(("coordinator" = ["intake"])))]
pub async fn find(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    desk: Desk,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (parsed, mut errors) = read_body::<FindBody>(&request, &body)?;
    let sought = parsed.parse(&ctx, &mut errors);
    let sought = errors.finish(sought)?;
    let found = find_people(&ctx, sought, desk.id, desk.remit).await?;
    Ok(HttpResponse::Ok().json(FoundPeople::from(found)))
}
