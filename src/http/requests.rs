//! `/v1/requests`: posting needs, and one request in the hands of its neighbor or of a coordinator.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::auth::{AsNeighbor, EnteredBy};
use super::bodies::contact::ContactBody;
use super::bodies::entry::{self, Known};
use super::bodies::location::LocationBody;
use super::bodies::need::NeedBody;
use super::bodies::slots::{LONGEST_STAY, STAYS_TOO_LONG};
use super::bodies::text;
use super::body::Body;
use super::desk::{NeighborOrDesk, OnBehalfBody};
use super::fields::{FieldErrors, read_body, read_optional};
use super::limits::Limits;
use super::openapi::Problems;
use super::problem::Problem;
use super::sites::{SiteFeature, nearest_walk_in};
use super::views::coordinator::request::RequestFile;
use super::views::neighbor::request_view;
use super::views::request::RequestView;
use super::{coordinator, idempotency, merge};
use crate::actions::close_request::close_request;
use crate::actions::post_requests::{PostRequests, Posted, post_requests};
use crate::actions::renew::renew_request;
use crate::actions::update_request::{NewRequest, update_request};
use crate::actions::{Ctx, Refusal};
use crate::domain::availability::Window;
use crate::domain::clock::Ts;
use crate::domain::contact::Contact;
use crate::domain::ids::RequestId;
use crate::domain::lifecycle::CloseReason;
use crate::domain::remit::Remit;
use crate::domain::report::Side;
use crate::domain::secret::RequestSecret;
use crate::storage::audit::Actor;
use crate::storage::requests::Request;
use crate::storage::{StorageError, requests};

/// Who asks, where, and for what.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "contact": {"name": "Mo", "phone": "+1 612 555 0123", "channels": ["text"], "note": "text only"},
    "location": {"lat": 44.95, "lon": -93.26}, "languages": ["so", "en"],
    "needs": [{"category": "food", "quantity": 4, "urgency": "today", "requires": {"diet": ["halal"], "delivery": true}}]
}))]
pub struct PostRequestsBody {
    /// How to reach her. A must, with one way of being reached; where `caller` has one, a name is enough, and
    /// nothing is a must.
    contact: Option<ContactBody>,
    /// Somebody who posts for her: a contact of its own. Where she has none, this one is released to helpers.
    caller: Option<ContactBody>,
    /// Where she is.
    #[schema(required = true, nullable = false)]
    location: Option<LocationBody>,
    /// What she speaks, best first: language tags.
    #[schema(example = json!(["so", "en"]))]
    languages: Option<Vec<String>>,
    /// The language of her letters.
    #[schema(example = "en")]
    locale: Option<String>,
    /// Whether she must agree to each volunteer before any contact is released.
    agree_first: Option<bool>,
    /// What she needs: 1 to 20.
    #[schema(required = true, nullable = false, min_items = 1, max_items = 20)]
    needs: Option<Vec<NeedBody>>,
    /// For coordinators who enter a post for a caller: how far they know her. `called` where it is left out.
    #[schema(value_type = Option<Known>)]
    verified: Option<Known>,
}

/// What came of a post.
#[derive(Serialize, ToSchema)]
pub struct PostedRequests {
    /// Lets its holder manage everything posted here. Shown once; keep it.
    #[schema(example = "mhn_0123456789ABCDEFGHJKMNPQRSTV")]
    manage_token: String,
    /// For whoever takes the call: the same in groups, to read out. It is taken as it is heard.
    #[schema(example = "mhn 0123 4567 89AB CDEF GHJK MNPQ RSTV")]
    #[serde(skip_serializing_if = "Option::is_none")]
    manage_token_spoken: Option<String>,
    /// One for each need and slot.
    requests: Vec<RequestView>,
    /// The nearest open places of these categories where one may just walk in.
    sites: Vec<SiteFeature>,
}

/// Posts what a neighbor needs. With a coordinator's token it is entered for somebody who calls: `verified`
/// says how far they know her, and `manage_token_spoken` is hers to write down.
#[utoipa::path(post, path = "/v1/requests", tag = "anyone", request_body = PostRequestsBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeated call with the same key makes nothing twice")),
    responses((status = 201, description = "Posted", body = PostedRequests), Problems), security((), ("coordinator" = ["intake"])))]
pub async fn post(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    entered_by: EnteredBy,
    limits: web::Data<Limits>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let is_entered = entered_by.0.is_some();
    let call = idempotency::call(&ctx, &request, b"", &body)?;
    let (parsed, mut errors) = read_body::<PostRequestsBody>(&request, &body)?;
    let post = parsed.parse(&ctx, entered_by, &mut errors);
    let post = errors.finish(post)?;
    // A desk that posts for many gives its own number for all of them.
    if !is_entered {
        limits.contact(&ctx, &post.contact)?;
    }
    let Posted {
        token, requests, ..
    } = post_requests(&ctx, post, call).await?;
    let shown = ctx.clone();
    let (requests, sites) = ctx
        .db
        .read(move |conn| {
            let mut views = Vec::with_capacity(requests.len());
            for request in &requests {
                views.push(request_view(&shown, conn, request)?);
            }
            Ok::<_, StorageError>((views, nearest_walk_in(&shown, conn, &requests)?))
        })
        .await?;
    Ok(HttpResponse::Created().json(PostedRequests {
        manage_token: token.expose().to_owned(),
        manage_token_spoken: is_entered.then(|| token.spoken()),
        requests,
        sites,
    }))
}

impl PostRequestsBody {
    /// The post, if nothing is wrong with it.
    pub(crate) fn parse(
        self,
        ctx: &Ctx,
        entered_by: EnteredBy,
        errors: &mut FieldErrors,
    ) -> Option<PostRequests> {
        let contact = entry::contact(self.contact, self.caller.as_ref(), ctx, errors);
        let caller = self.caller.and_then(|c| c.parse("/caller", ctx, errors));
        let location = errors.require("/location", self.location);
        let place = location
            .as_ref()
            .and_then(|l| l.parse("/location", ctx, errors));
        let address = location
            .as_ref()
            .and_then(|l| l.address("/location", errors));
        let languages = text::languages(self.languages, "/languages", errors);
        let locale = text::locale(self.locale, "/locale", errors);
        let needs = needs(self.needs, ctx, errors);
        let verified = entry::verified(self.verified, entered_by.0, errors);
        Some(PostRequests {
            // Who is not named is asked for by the name of who calls for her.
            contact: match contact {
                Some(contact) => contact,
                None => Contact::only(caller.as_ref()?.name.clone()),
            },
            caller,
            place: place?,
            address,
            languages,
            locale,
            agree_first: self.agree_first.unwrap_or(false),
            needs: needs?,
            entered_by: entered_by.0,
            verified,
        })
    }
}

/// 1 to 20 needs.
pub fn needs(
    list: Option<Vec<NeedBody>>,
    ctx: &Ctx,
    errors: &mut FieldErrors,
) -> Option<Vec<crate::actions::post_requests::NewNeed>> {
    let list = errors.require("/needs", list)?;
    if !(1..=20).contains(&list.len()) {
        errors.push("/needs", "must be 1 to 20 needs");
        return None;
    }
    let count = list.len();
    let needs: Vec<_> = list
        .into_iter()
        .enumerate()
        .filter_map(|(i, need)| need.parse(&format!("/needs/{i}"), ctx, errors))
        .collect();
    let slots: usize = needs.iter().map(|n| n.windows.len()).sum();
    if slots > crate::actions::post_requests::MAX_OPEN {
        errors.push("/needs", "must be at most 100 slots in all");
    }
    (needs.len() == count).then_some(needs)
}

/// The request, if the remit holds it.
///
/// # Errors
/// The one 404 otherwise.
pub(super) async fn own(
    ctx: &web::Data<Ctx>,
    id: RequestId,
    remit: Remit,
) -> Result<Request, Problem> {
    let found = ctx
        .db
        .read(move |conn| Ok::<_, StorageError>(requests::find_within(conn, remit, id)?))
        .await?;
    found.ok_or_else(Problem::not_found)
}

/// A request as its caller sees it.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the document is made from it")]
pub(super) enum RequestOfCaller {
    /// To its neighbor.
    Neighbor(RequestView),
    /// To a coordinator.
    Coordinator(RequestFile),
}

/// The request as its caller sees it.
///
/// # Errors
/// A request that is not there, or not the caller's.
pub(super) async fn shown(
    ctx: &web::Data<Ctx>,
    id: RequestId,
    who: NeighborOrDesk,
) -> Result<HttpResponse, Problem> {
    match who {
        NeighborOrDesk::Owner(who) => shown_to_neighbor(ctx, id, who).await,
        NeighborOrDesk::Coordinator(desk) => {
            coordinator::requests::shown(ctx, id, desk.remit).await
        }
    }
}

async fn shown_to_neighbor(
    ctx: &web::Data<Ctx>,
    id: RequestId,
    who: AsNeighbor,
) -> Result<HttpResponse, Problem> {
    let request = own(ctx, id, Remit::Neighbor(who.0)).await?;
    let inner = ctx.clone();
    let view = ctx
        .db
        .read(move |conn| request_view(&inner, conn, &request))
        .await?;
    Ok(HttpResponse::Ok().json(view))
}

/// One request: to its neighbor with all she wrote, to a coordinator with all its matches and without
/// what is sealed.
#[utoipa::path(get, path = "/v1/requests/{id}", tags = ["neighbor", "coordinator"], params(("id" = String, Path, format = Uuid)),
    responses((status = 200, description = "The request", body = RequestOfCaller), Problems),
    security(("neighbor" = []), ("coordinator" = ["intake"])))]
pub async fn get(
    ctx: web::Data<Ctx>,
    who: NeighborOrDesk,
    id: web::Path<RequestId>,
) -> Result<HttpResponse, Problem> {
    shown(&ctx, *id, who).await
}

/// Changes a request: a JSON merge patch (RFC 7396) over it. The category cannot change.
#[utoipa::path(patch, path = "/v1/requests/{id}", tags = ["neighbor", "coordinator"], params(("id" = String, Path, format = Uuid)),
    request_body(content = PatchNeedBody, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The request as it is now", body = RequestOfCaller), Problems),
    security(("neighbor" = []), ("coordinator" = ["intake"])))]
pub async fn patch(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: NeighborOrDesk,
    id: web::Path<RequestId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let row = own(&ctx, *id, who.remit()).await?;
    let version = row.sealed_version;
    let new = patched(&ctx, &request, &row, &body)?;
    update_request(&ctx, *id, who.remit(), version, new, who.for_neighbor()).await?;
    shown(&ctx, *id, who).await
}

/// What may be patched of a request.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"quantity": 6, "note": null}))]
pub struct PatchNeedBody {
    /// How much, in the category's unit.
    #[schema(nullable = false, minimum = 1, maximum = 100_000)]
    quantity: Option<i64>,
    /// Whether several volunteers may share it.
    splittable: Option<bool>,
    /// How many at the most.
    #[schema(minimum = 1, maximum = 20)]
    max_helpers: Option<i32>,
    /// How soon.
    urgency: Option<crate::domain::need::Urgency>,
    /// How far the neighbor travels, in meters.
    #[schema(minimum = 0, maximum = 1_000_000)]
    travel_m: Option<i64>,
    /// Where it changes hands.
    handover: Option<crate::domain::need::Handover>,
    /// When.
    #[schema(nullable = false)]
    needed: Option<super::views::request::WindowView>,
    /// Whether the helper must be there for the whole of that time.
    throughout: Option<bool>,
    /// What it must be like.
    #[schema(value_type = Option<Object>)]
    requires: Option<serde_json::Map<String, Value>>,
    /// Whether the helper must speak one of the neighbor's languages.
    language_must: Option<bool>,
    /// May be shown before anything is agreed.
    #[schema(min_length = 1, max_length = 500)]
    note: Option<String>,
    /// Released with the contact.
    #[schema(min_length = 1, max_length = 2000)]
    private_note: Option<String>,
}

/// The request as the patch makes it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn patched(
    ctx: &Ctx,
    request: &HttpRequest,
    row: &Request,
    patch: &[u8],
) -> Result<NewRequest, Problem> {
    let secret: RequestSecret = match &row.sealed {
        Some(sealed) => ctx
            .vault
            .open(row.id, row.sealed_version, sealed)
            .map_err(StorageError::from)?,
        None => return Err(Refusal::NotPossible.into()),
    };
    let current = PatchNeedBody {
        quantity: Some(row.quantity.into()),
        splittable: Some(row.splittable),
        max_helpers: Some(row.max_helpers),
        urgency: Some(row.urgency),
        travel_m: Some(row.travel_m.into()),
        handover: Some(row.handover),
        needed: Some(super::views::request::WindowView {
            from: row.needed_from,
            until: row.needed_until,
        }),
        throughout: Some(row.throughout),
        requires: serde_json::to_value(&row.requires.0)
            .ok()
            .and_then(|v| v.as_object().cloned()),
        language_must: Some(row.language_must),
        note: secret.note.map(|n| n.expose().to_owned()),
        private_note: secret.private_note.map(|n| n.expose().to_owned()),
    };
    let merged = merge::patch(&current, patch)?;
    let (body, mut errors) = read_body::<PatchNeedBody>(request, &merged)?;
    let window = body
        .needed
        .as_ref()
        .and_then(|w| errors.check("/needed/until", Window::parse(w.from, w.until)));
    let need = NeedBody {
        category: Some(row.category.to_string()),
        quantity: body.quantity,
        splittable: body.splittable,
        max_helpers: body.max_helpers,
        urgency: body.urgency,
        travel_m: body.travel_m,
        handover: body.handover,
        needed: None,
        repeats: None,
        throughout: None,
        requires: body.requires,
        language_must: body.language_must,
        note: body.note,
        private_note: body.private_note,
    }
    .parse("", ctx, &mut errors);
    if window.is_some_and(|w| w.until() <= ctx.now())
        && window.map(Window::until) != Some(row.needed_until)
    {
        errors.push("/needed/until", "is in the past");
    }
    if body.throughout == Some(true) && window.is_some_and(|w| w.length() > LONGEST_STAY) {
        errors.push("/needed/until", STAYS_TOO_LONG);
    }
    let window = errors.require("/needed", window);
    let new = need.zip(window).map(|(need, window)| NewRequest {
        quantity: need.quantity,
        splittable: need.splittable,
        max_helpers: need.max_helpers,
        urgency: need.urgency,
        travel: need.travel,
        handover: need.handover,
        window,
        throughout: body.throughout.unwrap_or(false),
        requires: need.requires,
        language_must: need.language_must,
        secret: RequestSecret {
            note: need.note,
            private_note: need.private_note,
            // Only a closed request was handed over.
            handed_over: None,
        },
    });
    errors.finish(new)
}

/// Why a request is closed.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "helped_elsewhere"}))]
pub struct CloseBody {
    /// Why. A neighbor says `helped_here`, `helped_elsewhere` or `not_needed`; a coordinator also `unmet` or
    /// `unreachable`.
    #[schema(required = true, nullable = false)]
    pub reason: Option<CloseReason>,
    /// `neighbor`, where a coordinator says what she told them by phone: a reason of hers then. In the coordinator's
    /// own right, where it is left out.
    r#for: Option<Side>,
}

/// Closes a request. Accepted helpers are told at once.
#[utoipa::path(post, path = "/v1/requests/{id}/close", tags = ["neighbor", "coordinator"], params(("id" = String, Path, format = Uuid)), request_body = CloseBody,
    responses((status = 200, description = "The request as it is now", body = RequestOfCaller), Problems),
    security(("neighbor" = []), ("coordinator" = ["intake"])))]
pub async fn close(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: NeighborOrDesk,
    id: web::Path<RequestId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    // What is not there for this caller is not, whatever the body says.
    own(&ctx, *id, who.remit()).await?;
    let (reason, actor) = close_reason(&request, &body, who)?;
    close_request(&ctx, *id, who.remit(), reason, actor).await?;
    shown(&ctx, *id, who).await
}

/// The reason in the body, one that is theirs to give who says so, and the caller.
fn close_reason(
    request: &HttpRequest,
    body: &[u8],
    who: NeighborOrDesk,
) -> Result<(CloseReason, Actor), Problem> {
    let (body, mut errors) = read_optional::<CloseBody>(request, body)?;
    let actor = who.saying(&OnBehalfBody { r#for: body.r#for }, &mut errors);
    let is_neighbor = actor.side() == Some(Side::Neighbor);
    let reason = errors.require("/reason", body.reason);
    let why_not = match reason {
        None
        | Some(CloseReason::HelpedHere | CloseReason::HelpedElsewhere | CloseReason::NotNeeded) => {
            None
        }
        Some(_) if is_neighbor => Some("must be helped_here, helped_elsewhere or not_needed"),
        Some(CloseReason::Duplicate) => Some("comes of POST /v1/requests/{id}/merge"),
        Some(CloseReason::HandedOver) => Some("comes of POST /v1/requests/{id}/hand-over"),
        Some(CloseReason::Unmet | CloseReason::Unreachable) => None,
    };
    if let Some(why_not) = why_not {
        errors.push("/reason", why_not);
    }
    errors.finish(reason.map(|reason| (reason, actor)))
}

/// Until when a request is needed.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"until": "2026-12-09T18:00:00Z"}))]
pub struct RenewBody {
    /// Until when; as long again as it stood at first, where it is left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Ts>,
}

/// Says that a request is still needed.
#[utoipa::path(post, path = "/v1/requests/{id}/renew", tags = ["neighbor", "coordinator"], params(("id" = String, Path, format = Uuid)), request_body = RenewBody,
    responses((status = 200, description = "The request as it is now", body = RequestOfCaller), Problems),
    security(("neighbor" = []), ("coordinator" = ["intake"])))]
pub async fn renew(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: NeighborOrDesk,
    id: web::Path<RequestId>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (body, errors) = read_optional::<RenewBody>(&request, &body)?;
    let body = errors.finish(Some(body))?;
    renew_request(&ctx, *id, who.remit(), body.until, who.for_neighbor()).await?;
    shown(&ctx, *id, who).await
}
