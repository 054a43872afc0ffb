//! `/v1/neighbors/self`: a neighbor with her manage token, and the matches of her requests.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::AsNeighbor;
use super::bodies::contact::ContactBody;
use super::bodies::location::LocationBody;
use super::bodies::need::NeedBody;
use super::bodies::text;
use super::body::Body;
use super::fields::read_optional;
use super::fields::{FieldErrors, read_body};
use super::openapi::Problems;
use super::problem::Problem;
use super::requests::needs;
use super::views::neighbor::{self, NeighborView, request_view};
use super::views::request::RequestView;
use super::{auth, idempotency, merge};
use crate::actions::post_requests::NewNeed;
use crate::actions::report_match::{NewReport, report_match};
use crate::actions::update_neighbor::{NewNeighbor, update_neighbor};
use crate::actions::{
    Ctx, add_requests, agree_match, erase_neighbor, finish_match, hide_neighbor, rotate_token,
};
use crate::crypto::token::Token;
use crate::domain::ids::{MatchId, NeighborId, RequestId};
use crate::domain::note::PrivateNote;
use crate::domain::remit::Remit;
use crate::domain::report::{Problem as Reported, Side};
use crate::domain::secret::NeighborSecret;
use crate::storage::requests::Request;
use crate::storage::{StorageError, matches, neighbors, requests};

async fn shown(ctx: &web::Data<Ctx>, id: NeighborId) -> Result<HttpResponse, Problem> {
    let inner = ctx.clone();
    let view = ctx
        .db
        .read(move |conn| neighbor::load(&inner, conn, id))
        .await?;
    Ok(HttpResponse::Ok().json(view.ok_or_else(Problem::not_found)?))
}

/// Everything that is known of her, and how her requests stand.
#[utoipa::path(get, path = "/v1/neighbors/self", tag = "neighbor",
    responses((status = 200, description = "The neighbor", body = NeighborView), Problems), security(("neighbor" = [])))]
pub async fn get(ctx: web::Data<Ctx>, who: AsNeighbor) -> Result<HttpResponse, Problem> {
    shown(&ctx, who.0).await
}

/// What may be patched of a neighbor.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"languages": ["so", "en"], "agree_first": true}))]
pub struct PatchNeighborBody {
    /// How she is reached. A name is enough where `caller` can be.
    contact: Option<ContactBody>,
    /// Who calls for her; null where nobody does any more, if she can be reached herself.
    caller: Option<ContactBody>,
    /// Where she is; a patch gives a whole point or postal code.
    location: Option<LocationBody>,
    /// What she speaks, best first.
    languages: Option<Vec<String>>,
    /// The language of her letters.
    locale: Option<String>,
    /// Whether she must agree to each volunteer first.
    agree_first: Option<bool>,
}

/// Changes what she said of herself: a JSON merge patch (RFC 7396).
#[utoipa::path(patch, path = "/v1/neighbors/self", tag = "neighbor",
    request_body(content = PatchNeighborBody, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The neighbor as she is now", body = NeighborView), Problems), security(("neighbor" = [])))]
pub async fn patch(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsNeighbor,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let id = who.0;
    let (version, new) = patched(&ctx, &request, id, &body).await?;
    let token = Some(auth::bearer(&request)?);
    let hers = Remit::Neighbor(id);
    update_neighbor(&ctx, id, hers, token, version, new, who.actor()).await?;
    shown(&ctx, id).await
}

/// The neighbor as the patch makes her, and the version that it is made of.
///
/// # Errors
/// Everything that is wrong with it; a neighbor who is not there.
pub(super) async fn patched(
    ctx: &web::Data<Ctx>,
    request: &HttpRequest,
    id: NeighborId,
    patch: &[u8],
) -> Result<(i32, NewNeighbor), Problem> {
    let row = ctx
        .db
        .read(move |conn| Ok::<_, StorageError>(neighbors::find(conn, id)?))
        .await?;
    let row = row.ok_or_else(Problem::not_found)?;
    let secret = neighbor::secret(ctx, &row)?.ok_or_else(Problem::not_found)?;
    let current = PatchNeighborBody {
        contact: Some((&secret.contact).into()),
        caller: secret.caller.as_ref().map(Into::into),
        location: Some(LocationBody {
            address: secret.address.as_ref().map(|a| a.expose().to_owned()),
            ..LocationBody::default()
        }),
        languages: Some(row.languages.0.clone()),
        locale: Some(row.locale.clone()),
        agree_first: Some(row.agree_first),
    };
    let merged = merge::patch(&current, patch)?;
    let (body, mut errors) = read_body::<PatchNeighborBody>(request, &merged)?;
    let new = body.parse(ctx, &secret, &mut errors);
    Ok((row.sealed_version, errors.finish(new)?))
}

impl PatchNeighborBody {
    fn parse(
        self,
        ctx: &Ctx,
        old: &NeighborSecret,
        errors: &mut FieldErrors,
    ) -> Option<NewNeighbor> {
        let contact = errors.require("/contact", self.contact);
        let contact = contact.and_then(|c| match self.caller {
            Some(_) => c.parse_beside_caller("/contact", ctx, errors),
            None => c.parse("/contact", ctx, errors),
        });
        let caller = self.caller.map(|c| c.parse("/caller", ctx, errors));
        let location = self.location.unwrap_or_default();
        let moves =
            location.lat.is_some() || location.lon.is_some() || location.postal_code.is_some();
        let place = if moves {
            location.parse("/location", ctx, errors)?
        } else {
            old.place
        };
        let secret = NeighborSecret {
            contact: contact?,
            caller: match caller {
                Some(caller) => Some(caller?),
                None => None,
            },
            place,
            address: location.address("/location", errors),
        };
        Some(NewNeighbor {
            secret,
            languages: text::languages(self.languages, "/languages", errors),
            locale: text::locale(self.locale, "/locale", errors),
            agree_first: self.agree_first.unwrap_or(false),
        })
    }
}

/// Erases her: open requests are closed, helpers are told, her data is destroyed. It cannot be undone.
#[utoipa::path(delete, path = "/v1/neighbors/self", tag = "neighbor",
    responses((status = 204, description = "Erased"), Problems), security(("neighbor" = [])))]
pub async fn delete(ctx: web::Data<Ctx>, who: AsNeighbor) -> Result<HttpResponse, Problem> {
    erase_neighbor::erase_neighbor(&ctx, who.0, Remit::Neighbor(who.0), who.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// More needs of a neighbor who is known already.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"needs": [{"category": "transport", "quantity": 1}]}))]
pub struct MoreNeedsBody {
    /// What she needs: 1 to 20.
    #[schema(required = true, nullable = false, min_items = 1, max_items = 20)]
    needs: Option<Vec<NeedBody>>,
}

/// The requests that were added.
#[derive(Serialize, ToSchema)]
pub struct AddedRequests {
    /// One for each need and slot.
    requests: Vec<RequestView>,
}

/// Adds needs.
#[utoipa::path(post, path = "/v1/neighbors/self/requests", tag = "neighbor", request_body = MoreNeedsBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeated call with the same key makes nothing twice")),
    responses((status = 201, description = "Added", body = AddedRequests), Problems), security(("neighbor" = [])))]
pub async fn add(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsNeighbor,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let call = idempotency::call(&ctx, &request, who.0.as_bytes(), &body)?;
    let needs = more_needs(&ctx, &request, &body)?;
    let hers = Remit::Neighbor(who.0);
    let added = add_requests::add_requests(&ctx, who.0, hers, needs, call, who.actor()).await?;
    shown_added(&ctx, added).await
}

/// What she needs beside what she asks already.
///
/// # Errors
/// Everything that is wrong with it.
pub fn more_needs(ctx: &Ctx, request: &HttpRequest, body: &[u8]) -> Result<Vec<NewNeed>, Problem> {
    let (parsed, mut errors) = read_body::<MoreNeedsBody>(request, body)?;
    let needs = needs(parsed.needs, ctx, &mut errors);
    errors.finish(needs)
}

/// The requests that were added.
///
/// # Errors
/// A failed query.
pub async fn shown_added(
    ctx: &web::Data<Ctx>,
    added: Vec<Request>,
) -> Result<HttpResponse, Problem> {
    let inner = ctx.clone();
    let requests = ctx
        .db
        .read(move |conn| {
            added
                .iter()
                .map(|r| request_view(&inner, conn, r))
                .collect::<Result<Vec<_>, StorageError>>()
        })
        .await?;
    Ok(HttpResponse::Created().json(AddedRequests { requests }))
}

/// Hides all her open requests at once; what was only asked is withdrawn.
#[utoipa::path(post, path = "/v1/neighbors/self/hide", tag = "neighbor",
    responses((status = 200, description = "Hidden", body = NeighborView), Problems), security(("neighbor" = [])))]
pub async fn hide(ctx: web::Data<Ctx>, who: AsNeighbor) -> Result<HttpResponse, Problem> {
    hide_neighbor::hide(&ctx, who.0, Remit::Neighbor(who.0), who.actor()).await?;
    shown(&ctx, who.0).await
}

/// Shows again what she had hidden.
#[utoipa::path(post, path = "/v1/neighbors/self/show", tag = "neighbor",
    responses((status = 200, description = "Shown", body = NeighborView), Problems), security(("neighbor" = [])))]
pub async fn show(ctx: web::Data<Ctx>, who: AsNeighbor) -> Result<HttpResponse, Problem> {
    hide_neighbor::show(&ctx, who.0, Remit::Neighbor(who.0), who.actor()).await?;
    shown(&ctx, who.0).await
}

/// A new manage token.
#[derive(Serialize, ToSchema)]
pub struct NewToken {
    /// Replaces every earlier one.
    #[schema(example = "mhn_0123456789ABCDEFGHJKMNPQRSTV")]
    manage_token: String,
}

impl NewToken {
    /// The answer that shows a new token, this once.
    pub(super) fn of(token: &Token) -> Self {
        Self {
            manage_token: token.expose().to_owned(),
        }
    }
}

/// Ends every manage token and gives a new one.
#[utoipa::path(post, path = "/v1/neighbors/self/rotate-token", tag = "neighbor",
    responses((status = 200, description = "The new token", body = NewToken), Problems), security(("neighbor" = [])))]
pub async fn rotate(ctx: web::Data<Ctx>, who: AsNeighbor) -> Result<HttpResponse, Problem> {
    let token =
        rotate_token::rotate_token(&ctx, who.0, Remit::Neighbor(who.0), who.actor()).await?;
    Ok(HttpResponse::Ok().json(NewToken::of(&token)))
}

/// The match, if it belongs to this neighbor's request and the volunteer has said yes once.
pub(super) async fn own_match(
    ctx: &web::Data<Ctx>,
    who: AsNeighbor,
    path: (RequestId, MatchId),
) -> Result<MatchId, Problem> {
    let (request, id) = path;
    let is_own = ctx
        .db
        .read(move |conn| {
            let matched = matches::find_within(conn, Remit::Neighbor(who.0), id)?;
            Ok::<_, StorageError>(matched.is_some_and(|m| m.request_id == request))
        })
        .await?;
    if is_own {
        Ok(id)
    } else {
        Err(Problem::not_found())
    }
}

async fn shown_request(ctx: &web::Data<Ctx>, id: RequestId) -> Result<HttpResponse, Problem> {
    let inner = ctx.clone();
    let view = ctx
        .db
        .read(move |conn| match requests::find(conn, id)? {
            Some(request) => Ok::<_, StorageError>(Some(request_view(&inner, conn, &request)?)),
            None => Ok(None),
        })
        .await?;
    Ok(HttpResponse::Ok().json(view.ok_or_else(Problem::not_found)?))
}

/// Agrees to a volunteer: contacts are released; the address too, where the help is brought there.
#[utoipa::path(post, path = "/v1/requests/{id}/matches/{mid}/agree", tag = "neighbor", params(("id" = String, Path, format = Uuid), ("mid" = String, Path, format = Uuid)),
    responses((status = 200, description = "The request as it is now", body = RequestView), Problems), security(("neighbor" = [])))]
pub async fn agree(
    ctx: web::Data<Ctx>,
    who: AsNeighbor,
    path: web::Path<(RequestId, MatchId)>,
) -> Result<HttpResponse, Problem> {
    let id = own_match(&ctx, who, *path).await?;
    agree_match::agree_match(&ctx, id, who.actor()).await?;
    shown_request(&ctx, path.0).await
}

/// Refuses a volunteer: nothing is released, and they are not asked for this again.
#[utoipa::path(post, path = "/v1/requests/{id}/matches/{mid}/refuse", tag = "neighbor", params(("id" = String, Path, format = Uuid), ("mid" = String, Path, format = Uuid)),
    responses((status = 200, description = "The request as it is now", body = RequestView), Problems), security(("neighbor" = [])))]
pub async fn refuse(
    ctx: web::Data<Ctx>,
    who: AsNeighbor,
    path: web::Path<(RequestId, MatchId)>,
) -> Result<HttpResponse, Problem> {
    let id = own_match(&ctx, who, *path).await?;
    agree_match::refuse_match(&ctx, id, who.actor()).await?;
    shown_request(&ctx, path.0).await
}

/// The help was given.
#[utoipa::path(post, path = "/v1/requests/{id}/matches/{mid}/done", tag = "neighbor", params(("id" = String, Path, format = Uuid), ("mid" = String, Path, format = Uuid)),
    responses((status = 200, description = "The request as it is now", body = RequestView), Problems), security(("neighbor" = [])))]
pub async fn done(
    ctx: web::Data<Ctx>,
    who: AsNeighbor,
    path: web::Path<(RequestId, MatchId)>,
) -> Result<HttpResponse, Problem> {
    let id = own_match(&ctx, who, *path).await?;
    finish_match::done(&ctx, id, who.actor()).await?;
    shown_request(&ctx, path.0).await
}

/// The volunteer did not come: others are asked at once.
#[utoipa::path(post, path = "/v1/requests/{id}/matches/{mid}/no-show", tag = "neighbor", params(("id" = String, Path, format = Uuid), ("mid" = String, Path, format = Uuid)),
    responses((status = 200, description = "The request as it is now", body = RequestView), Problems), security(("neighbor" = [])))]
pub async fn no_show(
    ctx: web::Data<Ctx>,
    who: AsNeighbor,
    path: web::Path<(RequestId, MatchId)>,
) -> Result<HttpResponse, Problem> {
    let id = own_match(&ctx, who, *path).await?;
    finish_match::no_show(&ctx, id, who.actor()).await?;
    shown_request(&ctx, path.0).await
}

/// What is reported.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"problem": "asked_for_money", "statement": "She asked for 20 dollars at the door."}))]
pub struct ReportBody {
    /// What happened.
    #[schema(required = true, nullable = false)]
    problem: Option<Reported>,
    /// What happened, in words: sealed, for the coordinators alone.
    #[schema(max_length = 2000)]
    statement: Option<String>,
}

/// What is reported, out of the body.
///
/// # Errors
/// A missing or unknown word, or a statement that is too long.
pub fn reported(request: &HttpRequest, body: &[u8], about: Side) -> Result<NewReport, Problem> {
    let (body, mut errors) = read_optional::<ReportBody>(request, body)?;
    let statement = statement(body.statement.as_deref(), &mut errors);
    let problem = errors.require("/problem", body.problem);
    Ok(NewReport {
        about,
        problem: errors.finish(problem)?,
        statement,
    })
}

/// What a reporter wrote; nothing where it is empty.
pub fn statement(text: Option<&str>, errors: &mut FieldErrors) -> Option<PrivateNote> {
    let text = text.filter(|text| !text.trim().is_empty());
    errors.optional("/statement", text, PrivateNote::parse)
}

/// Reports a volunteer: the pair is parted for good, and coordinators are told at once.
#[utoipa::path(post, path = "/v1/requests/{id}/matches/{mid}/report", tag = "neighbor", params(("id" = String, Path, format = Uuid), ("mid" = String, Path, format = Uuid)), request_body = ReportBody,
    responses((status = 200, description = "The request as it is now", body = RequestView), Problems), security(("neighbor" = [])))]
pub async fn report(
    ctx: web::Data<Ctx>,
    request: HttpRequest,
    who: AsNeighbor,
    path: web::Path<(RequestId, MatchId)>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let id = own_match(&ctx, who, *path).await?;
    let new = reported(&request, &body, Side::Volunteer)?;
    report_match(&ctx, id, new, who.actor()).await?;
    shown_request(&ctx, path.0).await
}
