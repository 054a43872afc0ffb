//! `/v1/volunteers/self`: a volunteer with a manage token.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::AsVolunteer;
use super::bodies::contact::ContactBody;
use super::bodies::location::LocationBody;
use super::bodies::offer::{LimitsBody, OfferBody};
use super::bodies::text;
use super::body::Body;
use super::fields::{FieldErrors, read_body};
use super::neighbors::NewToken;
use super::offers::{PostedOffers, offers_in};
use super::openapi::Problems;
use super::problem::Problem;
use super::views::answer::{self, AnswerView};
use super::views::offer::OfferView;
use super::views::volunteer::{self, VolunteerView};
use super::{idempotency, merge};
use crate::actions::post_offers::NewOffer;
use crate::actions::rotate_token::rotate_volunteers_token;
use crate::actions::update_volunteer::{NewVolunteer, update_volunteer};
use crate::actions::{Ctx, add_offers, erase_volunteer, pause_volunteer};
use crate::domain::contact::EmailAddress;
use crate::domain::ids::VolunteerId;
use crate::domain::place::GeoPoint;
use crate::domain::secret::VolunteerSecret;
use crate::storage::{StorageError, volunteers};

/// Matches shown to a volunteer, newest first.
const SHOWN: i64 = 100;

async fn shown(ctx: &web::Data<Ctx>, id: VolunteerId) -> Result<HttpResponse, Problem> {
    let inner = ctx.clone();
    let view = ctx
        .db
        .read(move |conn| volunteer::load(&inner, conn, id))
        .await?;
    Ok(HttpResponse::Ok().json(view.ok_or_else(Problem::not_found)?))
}

/// Everything that is known of her, and what she offers.
#[utoipa::path(get, path = "/v1/volunteers/self", tag = "volunteer",
    responses((status = 200, description = "The volunteer", body = VolunteerView), Problems), security(("volunteer" = [])))]
pub async fn get(ctx: web::Data<Ctx>, who: AsVolunteer) -> Result<HttpResponse, Problem> {
    shown(&ctx, who.0).await
}

/// What may be patched of a volunteer.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"limits": {"open_asks": 2}, "mail": true}))]
pub struct PatchVolunteerBody {
    /// How she is reached; the e-mail address cannot change.
    #[schema(nullable = false)]
    contact: Option<ContactBody>,
    /// What she speaks, best first.
    languages: Option<Vec<String>>,
    /// The language of her letters.
    locale: Option<String>,
    /// How often and when she may be asked.
    limits: Option<LimitsBody>,
    /// Whether letters may go to her: `true` allows them again after they were stopped.
    mail: Option<bool>,
}

/// Changes what she said of herself: a JSON merge patch (RFC 7396).
#[utoipa::path(patch, path = "/v1/volunteers/self", tag = "volunteer",
    request_body(content = PatchVolunteerBody, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The volunteer as she is now", body = VolunteerView), Problems), security(("volunteer" = [])))]
pub async fn patch(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsVolunteer,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let id = who.0;
    let (version, new) = patched(&ctx, &request, id, &body).await?;
    update_volunteer(&ctx, id, version, new, who.actor()).await?;
    shown(&ctx, id).await
}

/// The volunteer as the patch makes her, and the version that it is made of.
///
/// # Errors
/// Everything that is wrong with it; a volunteer who is not there.
pub(super) async fn patched(
    ctx: &web::Data<Ctx>,
    request: &HttpRequest,
    id: VolunteerId,
    patch: &[u8],
) -> Result<(i32, NewVolunteer), Problem> {
    let row = ctx
        .db
        .read(move |conn| Ok::<_, StorageError>(volunteers::find(conn, id)?))
        .await?;
    let row = row.ok_or_else(Problem::not_found)?;
    let sealed = row.sealed.as_ref().ok_or_else(Problem::not_found)?;
    let old: VolunteerSecret = ctx
        .vault
        .open(id, row.sealed_version, sealed)
        .map_err(StorageError::from)?;
    let current = PatchVolunteerBody {
        contact: Some((&old.contact).into()),
        languages: Some(row.languages.0.clone()),
        locale: Some(row.locale.clone()),
        limits: Some((&row.limits.0).into()),
        mail: Some(row.mail_stopped_at.is_none()),
    };
    let merged = merge::patch(&current, patch)?;
    let (body, mut errors) = read_body::<PatchVolunteerBody>(request, &merged)?;
    let new = body.parse(ctx, &old, &mut errors);
    Ok((row.sealed_version, errors.finish(new)?))
}

impl PatchVolunteerBody {
    fn parse(
        self,
        ctx: &Ctx,
        old: &VolunteerSecret,
        errors: &mut FieldErrors,
    ) -> Option<NewVolunteer> {
        let contact = errors
            .require("/contact", self.contact)
            .and_then(|c| c.parse("/contact", ctx, errors));
        let is_same = |c: &EmailAddress| {
            old.contact.email.as_ref().map(EmailAddress::canonical) == Some(c.canonical())
        };
        if contact
            .as_ref()
            .is_some_and(|c| !c.email.as_ref().is_some_and(is_same))
        {
            errors.push(
                "/contact/email",
                "cannot change: post again with the other address and confirm it",
            );
        }
        let limits = self
            .limits
            .unwrap_or_default()
            .parse("/limits", ctx, errors);
        Some(NewVolunteer {
            secret: VolunteerSecret { contact: contact? },
            languages: text::languages(self.languages, "/languages", errors),
            locale: text::locale(self.locale, "/locale", errors),
            limits: limits?,
            mail: self.mail.unwrap_or(true),
        })
    }
}

/// Erases her: offers are closed, neighbors are told, her data is destroyed. It cannot be undone.
#[utoipa::path(delete, path = "/v1/volunteers/self", tag = "volunteer",
    responses((status = 204, description = "Erased"), Problems), security(("volunteer" = [])))]
pub async fn delete(ctx: web::Data<Ctx>, who: AsVolunteer) -> Result<HttpResponse, Problem> {
    erase_volunteer::erase_volunteer(&ctx, who.0, who.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// More offers of a volunteer whose address is confirmed.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"location": {"lat": 44.95, "lon": -93.26}, "offers": [{"category": "towing", "capacity": 2}]}))]
pub struct MoreOffersBody {
    /// Where the help stands.
    #[schema(required = true, nullable = false)]
    location: Option<LocationBody>,
    /// What is offered: 1 to 20.
    #[schema(required = true, nullable = false, min_items = 1, max_items = 20)]
    offers: Option<Vec<OfferBody>>,
}

/// Adds offers; they are open at once.
#[utoipa::path(post, path = "/v1/volunteers/self/offers", tag = "volunteer", request_body = MoreOffersBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeated call with the same key makes nothing twice")),
    responses((status = 201, description = "Added", body = PostedOffers), Problems), security(("volunteer" = [])))]
pub async fn add(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsVolunteer,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let call = idempotency::call(&ctx, &request, who.0.as_bytes(), &body)?;
    let (place, offers) = more_offers(&ctx, &request, &body)?;
    let rows = add_offers::add_offers(&ctx, who.0, place, offers, call, who.actor()).await?;
    let offers = rows
        .iter()
        .map(|o| OfferView::of(&ctx, o))
        .collect::<Result<_, _>>()?;
    Ok(HttpResponse::Created().json(PostedOffers { offers }))
}

/// What she offers beside what she offers already, and where.
///
/// # Errors
/// Everything that is wrong with it.
pub fn more_offers(
    ctx: &Ctx,
    request: &HttpRequest,
    body: &[u8],
) -> Result<(GeoPoint, Vec<NewOffer>), Problem> {
    let (parsed, mut errors) = read_body::<MoreOffersBody>(request, body)?;
    let location = errors.require("/location", parsed.location);
    let place = location.and_then(|l| l.parse("/location", ctx, &mut errors));
    let offers = offers_in(parsed.offers, ctx, &mut errors);
    errors.finish(place.zip(offers))
}

/// Stops asks for everything; promises stay.
#[utoipa::path(post, path = "/v1/volunteers/self/pause", tag = "volunteer",
    responses((status = 200, description = "Paused", body = VolunteerView), Problems), security(("volunteer" = [])))]
pub async fn pause(ctx: web::Data<Ctx>, who: AsVolunteer) -> Result<HttpResponse, Problem> {
    pause_volunteer::pause_volunteer(&ctx, who.0, true, who.actor()).await?;
    shown(&ctx, who.0).await
}

/// Lets asks come again.
#[utoipa::path(post, path = "/v1/volunteers/self/resume", tag = "volunteer",
    responses((status = 200, description = "Resumed", body = VolunteerView), Problems), security(("volunteer" = [])))]
pub async fn resume(ctx: web::Data<Ctx>, who: AsVolunteer) -> Result<HttpResponse, Problem> {
    pause_volunteer::pause_volunteer(&ctx, who.0, false, who.actor()).await?;
    shown(&ctx, who.0).await
}

/// A volunteer's matches.
#[derive(Serialize, ToSchema)]
pub struct VolunteerMatches {
    /// Newest first, up to 100.
    items: Vec<AnswerView>,
}

/// Ends every manage token and gives a new one.
#[utoipa::path(post, path = "/v1/volunteers/self/rotate-token", tag = "volunteer",
    responses((status = 200, description = "The new token", body = NewToken), Problems), security(("volunteer" = [])))]
pub async fn rotate(ctx: web::Data<Ctx>, who: AsVolunteer) -> Result<HttpResponse, Problem> {
    let token = rotate_volunteers_token(&ctx, who.0, who.actor()).await?;
    Ok(HttpResponse::Ok().json(NewToken::of(&token)))
}

/// What the volunteer was asked, and how it stands. Answers are given with the token of each letter.
#[utoipa::path(get, path = "/v1/volunteers/self/matches", tag = "volunteer",
    responses((status = 200, description = "The matches", body = VolunteerMatches), Problems), security(("volunteer" = [])))]
pub async fn matches(ctx: web::Data<Ctx>, who: AsVolunteer) -> Result<HttpResponse, Problem> {
    let inner = ctx.clone();
    let items = ctx
        .db
        .read(move |conn| answer::of_volunteer(&inner, conn, who.0, SHOWN))
        .await?;
    Ok(HttpResponse::Ok().json(VolunteerMatches { items }))
}
