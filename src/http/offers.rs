//! `/v1/offers`: posting help, confirming it, and one offer in its volunteer's hands; a coordinator
//! may read it.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::auth::{AsConfirmer, EnteredBy, VolunteerOrCoordinator};
use super::bodies::contact::ContactBody;
use super::bodies::location::LocationBody;
use super::bodies::need::{attributes, limited};
use super::bodies::offer::{AvailableBody, LimitsBody, OfferBody, SiteBody, lead, reach};
use super::bodies::text;
use super::body::Body;
use super::fields::{FieldErrors, read_body};
use super::limits::Limits;
use super::openapi::Problems;
use super::problem::Problem;
use super::views::coordinator::offer::OfferSheet;
use super::views::offer::OfferView;
use super::{coordinator, idempotency, merge};
use crate::actions::confirm_offers::confirm_by_link;
use crate::actions::move_offer::{Move, move_offer};
use crate::actions::post_offers::{NewOffer, PostOffers, post_offers};
use crate::actions::renew::renew_offer;
use crate::actions::update_offer::{ChangedOffer, update_offer};
use crate::actions::{Ctx, Refusal};
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::secret::OfferSecret;
use crate::storage::offers::Offer;
use crate::storage::{StorageError, offers};

/// Who offers, where, and what.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "contact": {"name": "Ana", "email": "ana@example.org"},
    "location": {"lat": 44.95, "lon": -93.26}, "languages": ["en", "es"],
    "offers": [{"category": "food", "capacity": 10, "reach_m": 5000, "provides": {"diet": ["halal", "vegan"], "delivery": true}}]
}))]
pub struct PostOffersBody {
    /// How to reach the volunteer; the e-mail address is a must and is confirmed by a letter.
    #[schema(required = true, nullable = false, example = json!({"name": "Ana", "email": "ana@example.org"}))]
    contact: Option<ContactBody>,
    /// Where the help stands.
    #[schema(required = true, nullable = false)]
    location: Option<LocationBody>,
    /// What the volunteer speaks, best first: language tags.
    #[schema(example = json!(["en", "es"]))]
    languages: Option<Vec<String>>,
    /// The language of the letters.
    #[schema(example = "en")]
    locale: Option<String>,
    /// How often and when the volunteer may be asked.
    limits: Option<LimitsBody>,
    /// What is offered: 1 to 20.
    #[schema(required = true, nullable = false, min_items = 1, max_items = 20)]
    offers: Option<Vec<OfferBody>>,
}

/// The offers as they were posted.
#[derive(Serialize, ToSchema)]
pub struct PostedOffers {
    /// Unconfirmed until the letter's link is used.
    pub offers: Vec<OfferView>,
}

/// Posts offers. The answer is the same for known and unknown addresses; a letter goes out, and
/// nothing is matched before its link is used. A volunteer needs an e-mail address, because asks are
/// letters: who offers by phone is entered with a coordinator's token, and confirms by the letter.
#[utoipa::path(post, path = "/v1/offers", tag = "anyone", request_body = PostOffersBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeated call with the same key makes nothing twice")),
    responses((status = 201, description = "Posted", body = PostedOffers), Problems), security((), ("coordinator" = ["intake"])))]
pub async fn post(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    entered_by: EnteredBy,
    limits: web::Data<Limits>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let call = idempotency::call(&ctx, &request, b"", &body)?;
    let (parsed, mut errors) = read_body::<PostOffersBody>(&request, &body)?;
    let post = parsed.parse(&ctx, &mut errors);
    let post = errors.finish(post)?;
    // A desk that posts for many gives its own number for all of them.
    if entered_by.0.is_none() {
        limits.contact(&ctx, &post.contact)?;
    }
    let rows = post_offers(&ctx, post, call, entered_by.for_volunteer()).await?;
    Ok(HttpResponse::Created().json(PostedOffers {
        offers: rows.iter().map(OfferView::posted).collect(),
    }))
}

impl PostOffersBody {
    /// The post, if nothing is wrong with it.
    pub(crate) fn parse(self, ctx: &Ctx, errors: &mut FieldErrors) -> Option<PostOffers> {
        let contact = errors.require("/contact", self.contact);
        let contact = contact.and_then(|contact| {
            errors.require("/contact/email", contact.email.as_ref());
            contact.parse("/contact", ctx, errors)
        });
        let location = errors.require("/location", self.location);
        let place = location.and_then(|l| l.parse("/location", ctx, errors));
        let languages = text::languages(self.languages, "/languages", errors);
        let locale = text::locale(self.locale, "/locale", errors);
        let limits = self
            .limits
            .unwrap_or_default()
            .parse("/limits", ctx, errors);
        let offers = offers_in(self.offers, ctx, errors);
        Some(PostOffers {
            contact: contact?,
            place: place?,
            languages,
            locale,
            limits: limits?,
            offers: offers?,
        })
    }
}

/// 1 to 20 offers.
pub fn offers_in(
    list: Option<Vec<OfferBody>>,
    ctx: &Ctx,
    errors: &mut FieldErrors,
) -> Option<Vec<NewOffer>> {
    let list = errors.require("/offers", list)?;
    if !(1..=20).contains(&list.len()) {
        errors.push("/offers", "must be 1 to 20 offers");
        return None;
    }
    let count = list.len();
    let offers: Vec<_> = list
        .into_iter()
        .enumerate()
        .filter_map(|(i, o)| o.parse(&format!("/offers/{i}"), ctx, errors))
        .collect();
    (offers.len() == count).then_some(offers)
}

/// What the owner of a confirmed address gets.
#[derive(Serialize, ToSchema)]
pub struct ConfirmedOffers {
    /// Lets its holder manage everything the volunteer offers. Earlier ones stop working.
    #[schema(example = "mhv_0123456789ABCDEFGHJKMNPQRSTV")]
    manage_token: String,
    /// Every offer of the volunteer.
    offers: Vec<OfferView>,
}

/// Confirms the address a post was made with; the offers are open from now on. The token works three times.
#[utoipa::path(post, path = "/v1/confirm", tag = "anyone",
    responses((status = 200, description = "Confirmed", body = ConfirmedOffers), Problems), security(("confirm" = [])))]
pub async fn confirm(ctx: web::Data<Ctx>, who: AsConfirmer) -> Result<HttpResponse, Problem> {
    let confirmed = confirm_by_link(&ctx, who.0, who.1).await?;
    let offers = confirmed
        .offers
        .iter()
        .map(|o| OfferView::of(&ctx, o))
        .collect::<Result<_, _>>()?;
    Ok(HttpResponse::Ok().json(ConfirmedOffers {
        manage_token: confirmed.token.expose().to_owned(),
        offers,
    }))
}

/// The offer, if it is this volunteer's; anybody's where none is named.
pub(super) async fn own(
    ctx: &web::Data<Ctx>,
    id: OfferId,
    of: Option<VolunteerId>,
) -> Result<Offer, Problem> {
    let found = ctx
        .db
        .read(move |conn| Ok::<_, StorageError>(offers::find(conn, id)?))
        .await?;
    found
        .filter(|o| of.is_none_or(|of| o.volunteer_id == of))
        .ok_or_else(Problem::not_found)
}

async fn shown(
    ctx: &web::Data<Ctx>,
    id: OfferId,
    of: VolunteerId,
) -> Result<HttpResponse, Problem> {
    let offer = own(ctx, id, Some(of)).await?;
    Ok(HttpResponse::Ok().json(OfferView::of(ctx, &offer)?))
}

/// An offer as its caller sees it.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the document is made from it")]
pub(super) enum OfferOfCaller {
    /// To its volunteer.
    Volunteer(OfferView),
    /// To a coordinator.
    Coordinator(OfferSheet),
}

/// One offer: to its volunteer with all she wrote, to a coordinator without what is sealed.
#[utoipa::path(get, path = "/v1/offers/{id}", tags = ["volunteer", "coordinator"], params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The offer", body = OfferOfCaller), Problems),
    security(("volunteer" = []), ("coordinator" = [])))]
pub async fn get(
    ctx: web::Data<Ctx>,
    who: VolunteerOrCoordinator,
    id: web::Path<OfferId>,
) -> Result<HttpResponse, Problem> {
    shown_to(&ctx, *id, who).await
}

/// The offer as its caller sees it.
///
/// # Errors
/// An offer that is not there, or not the caller's.
pub(super) async fn shown_to(
    ctx: &web::Data<Ctx>,
    id: OfferId,
    who: VolunteerOrCoordinator,
) -> Result<HttpResponse, Problem> {
    match who {
        VolunteerOrCoordinator::Owner(who) => shown(ctx, id, who.0).await,
        VolunteerOrCoordinator::Coordinator(_) => coordinator::offers::shown(ctx, id).await,
    }
}

/// What may be patched of an offer.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"capacity": 12, "note": null}))]
pub struct PatchOfferBody {
    /// How much, in the category's unit: in each period that is not over, if it renews. No less than is promised.
    #[schema(nullable = false, minimum = 1, maximum = 100_000)]
    capacity: Option<i64>,
    /// How far the volunteer travels, in meters.
    #[schema(minimum = 0, maximum = 1_000_000)]
    reach_m: Option<i64>,
    /// How long before helping the volunteer must know, in minutes.
    #[schema(minimum = 0, maximum = 10_080)]
    lead_minutes: Option<i64>,
    /// When it stands.
    available: Option<AvailableBody>,
    /// What it is like.
    #[schema(value_type = Option<Object>)]
    provides: Option<Map<String, Value>>,
    /// Where it stands; a patch gives a whole point or postal code.
    location: Option<LocationBody>,
    /// May be shown before anything is agreed.
    #[schema(min_length = 1, max_length = 500)]
    note: Option<String>,
    /// Released with the contact.
    #[schema(min_length = 1, max_length = 2000)]
    private_note: Option<String>,
    /// Its public face; a listed site that changes is checked again.
    site: Option<SiteBody>,
}

/// Changes an offer: a JSON merge patch (RFC 7396). The category cannot change. The capacity goes
/// down to what is promised in each period, and no further; places that are free now are offered to whoever waits.
#[utoipa::path(patch, path = "/v1/offers/{id}", tags = ["volunteer", "coordinator"], params(("id" = String, Path, format = Uuid)),
    request_body(content = PatchOfferBody, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The offer as it is now", body = OfferOfCaller), Problems),
    security(("volunteer" = []), ("coordinator" = [])))]
pub async fn patch(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: VolunteerOrCoordinator,
    id: web::Path<OfferId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let of = who.volunteer();
    let row = own(&ctx, *id, of).await?;
    let new = patched(&ctx, &request, &row, &body)?;
    let actor = who.for_volunteer();
    update_offer(&ctx, *id, of, row.sealed_version, new, actor).await?;
    shown_to(&ctx, *id, who).await
}

/// The offer as the patch makes it.
///
/// # Errors
/// Everything that is wrong with it.
fn patched(
    ctx: &Ctx,
    request: &HttpRequest,
    row: &Offer,
    patch: &[u8],
) -> Result<ChangedOffer, Problem> {
    let secret: OfferSecret = match &row.sealed {
        Some(sealed) => ctx
            .vault
            .open(row.id, row.sealed_version, sealed)
            .map_err(StorageError::from)?,
        None => return Err(Refusal::NotPossible.into()),
    };
    let current = PatchOfferBody {
        capacity: Some(row.capacity.into()),
        reach_m: Some(row.reach_m.into()),
        lead_minutes: Some(row.lead_minutes.minutes().into()),
        available: Some(OfferView::posted(row).available),
        provides: serde_json::to_value(&row.provides.0)
            .ok()
            .and_then(|v| v.as_object().cloned()),
        location: None,
        note: secret.note.as_ref().map(|n| n.expose().to_owned()),
        private_note: secret.private_note.as_ref().map(|n| n.expose().to_owned()),
        site: secret.site.as_ref().map(Into::into),
    };
    let merged = merge::patch(&current, patch)?;
    let (body, mut errors) = read_body::<PatchOfferBody>(request, &merged)?;
    let new = body.parse(ctx, row, &secret, &mut errors);
    errors.finish(new)
}

impl PatchOfferBody {
    fn parse(
        self,
        ctx: &Ctx,
        row: &Offer,
        old: &OfferSecret,
        errors: &mut FieldErrors,
    ) -> Option<ChangedOffer> {
        let category = ctx.catalog.get(row.category.as_str())?;
        let policy = &category.policy;
        let capacity = errors
            .require("/capacity", self.capacity)
            .and_then(|n| limited(n, policy.max_capacity, "/capacity", errors));
        let reach = reach(
            self.reach_m,
            "",
            policy.default_reach,
            policy.max_reach,
            errors,
        );
        let lead = lead(self.lead_minutes, "", errors);
        let availability = self
            .available
            .unwrap_or_default()
            .parse("/available", ctx, errors);
        let provides = category.parse_provided(&self.provides.unwrap_or_default());
        let provides = attributes(provides, "/provides", errors);
        let place = match self.location {
            Some(location) => location.parse("/location", ctx, errors)?,
            None => old.place,
        };
        let site = match self.site {
            Some(site) if row.is_site => Some(site.parse("/site", errors)?),
            Some(_) => {
                errors.push("/site", "an offer becomes a site only when it is posted");
                None
            }
            None => None,
        };
        let secret = OfferSecret {
            place,
            note: text::note(self.note, "", errors),
            private_note: text::private_note(self.private_note, "", errors),
            site,
        };
        Some(ChangedOffer {
            capacity: capacity?,
            reach: reach?,
            lead: lead?,
            availability: availability?,
            provides: provides?,
            secret,
        })
    }
}

async fn moved(
    ctx: web::Data<Ctx>,
    who: VolunteerOrCoordinator,
    id: OfferId,
    to: Move,
) -> Result<HttpResponse, Problem> {
    move_offer(&ctx, id, who.volunteer(), to, who.for_volunteer()).await?;
    shown_to(&ctx, id, who).await
}

/// Stops asks for an offer; promises stay.
#[utoipa::path(post, path = "/v1/offers/{id}/pause", tags = ["volunteer", "coordinator"], params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The offer as it is now", body = OfferOfCaller), Problems),
    security(("volunteer" = []), ("coordinator" = [])))]
pub async fn pause(
    ctx: web::Data<Ctx>,
    who: VolunteerOrCoordinator,
    id: web::Path<OfferId>,
) -> Result<HttpResponse, Problem> {
    moved(ctx, who, *id, Move::Pause).await
}

/// Lets asks come again.
#[utoipa::path(post, path = "/v1/offers/{id}/resume", tags = ["volunteer", "coordinator"], params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The offer as it is now", body = OfferOfCaller), Problems),
    security(("volunteer" = []), ("coordinator" = [])))]
pub async fn resume(
    ctx: web::Data<Ctx>,
    who: VolunteerOrCoordinator,
    id: web::Path<OfferId>,
) -> Result<HttpResponse, Problem> {
    moved(ctx, who, *id, Move::Resume).await
}

/// Ends an offer; those who count on it are told at once.
#[utoipa::path(post, path = "/v1/offers/{id}/close", tags = ["volunteer", "coordinator"], params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The offer as it is now", body = OfferOfCaller), Problems),
    security(("volunteer" = []), ("coordinator" = [])))]
pub async fn close(
    ctx: web::Data<Ctx>,
    who: VolunteerOrCoordinator,
    id: web::Path<OfferId>,
) -> Result<HttpResponse, Problem> {
    moved(ctx, who, *id, Move::Close).await
}

/// Says that an offer still stands, for another full term.
#[utoipa::path(post, path = "/v1/offers/{id}/renew", tags = ["volunteer", "coordinator"], params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The offer as it is now", body = OfferOfCaller), Problems),
    security(("volunteer" = []), ("coordinator" = [])))]
pub async fn renew(
    ctx: web::Data<Ctx>,
    who: VolunteerOrCoordinator,
    id: web::Path<OfferId>,
) -> Result<HttpResponse, Problem> {
    renew_offer(&ctx, *id, who.volunteer(), who.for_volunteer()).await?;
    shown_to(&ctx, *id, who).await
}
