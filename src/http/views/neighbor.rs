//! A neighbor as she sees herself.

use serde::Serialize;
use utoipa::ToSchema;

use super::matched;
use super::request::RequestView;
use crate::actions::Ctx;
use crate::domain::ids::NeighborId;
use crate::domain::need::Verified;
use crate::domain::secret::NeighborSecret;
use crate::http::bodies::contact::ContactBody;
use crate::http::bodies::location::LocationBody;
use crate::storage::neighbors::Neighbor;
use crate::storage::requests::Request;
use crate::storage::{Conn, StorageError, areas, matches, neighbors, requests, rounds};

/// Everything that is known of a neighbor, to herself.
#[derive(Serialize, ToSchema)]
pub struct NeighborView {
    /// Her id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// How she is reached.
    pub contact: ContactBody,
    /// Who posted for her.
    pub caller: Option<ContactBody>,
    /// Where she is.
    pub location: LocationBody,
    /// The H3 cell that stands for it.
    #[schema(example = "882649b2d3fffff")]
    pub cell: String,
    /// What she speaks, best first.
    pub languages: Vec<String>,
    /// The language of her letters.
    pub locale: String,
    /// Whether she must agree to each volunteer first.
    pub agree_first: bool,
    /// How far her contact was checked.
    pub verified: Verified,
    /// Whether letters go to her; she stopped them, or has no e-mail.
    pub mail: bool,
    /// What she needs.
    pub requests: Vec<RequestView>,
}

/// The neighbor with everything; `None` once erased.
///
/// # Errors
/// A failed query, or a secret that does not open.
pub fn load(
    ctx: &Ctx,
    conn: &mut Conn,
    id: NeighborId,
) -> Result<Option<NeighborView>, StorageError> {
    let Some(row) = neighbors::find(conn, id)? else {
        return Ok(None);
    };
    let Some(secret) = secret(ctx, &row)? else {
        return Ok(None);
    };
    let mut views = Vec::new();
    for request in requests::of_neighbor(conn, id)? {
        views.push(request_view(ctx, conn, &request)?);
    }
    Ok(Some(NeighborView {
        id: row.id.to_string(),
        mail: row.mail_stopped_at.is_none() && secret.contact.email.is_some(),
        contact: (&secret.contact).into(),
        caller: secret.caller.as_ref().map(Into::into),
        location: LocationBody {
            lat: Some(secret.place.lat()),
            lon: Some(secret.place.lon()),
            address: secret.address.map(|a| a.expose().to_owned()),
            ..LocationBody::default()
        },
        cell: row.cell.to_string(),
        languages: row.languages.0,
        locale: row.locale,
        agree_first: row.agree_first,
        verified: row.verified,
        requests: views,
    }))
}

/// Her sealed part; `None` once erased.
///
/// # Errors
/// A secret that does not open.
pub fn secret(ctx: &Ctx, row: &Neighbor) -> Result<Option<NeighborSecret>, StorageError> {
    match &row.sealed {
        Some(sealed) => Ok(Some(ctx.vault.open(row.id, row.sealed_version, sealed)?)),
        None => Ok(None),
    }
}

/// One of her requests, with what she sees of its matches.
///
/// # Errors
/// A failed query, or a secret that does not open.
pub fn request_view(
    ctx: &Ctx,
    conn: &mut Conn,
    request: &Request,
) -> Result<RequestView, StorageError> {
    let all = matches::of_request(conn, request.id)?;
    let frozen = areas::frozen(conn)?;
    let shown = matched::of_request(ctx, conn, request, &all, &frozen)?;
    let seen = rounds::seen(conn, request.id)?;
    let mut view = RequestView::of(ctx, request, &all, seen.as_ref(), shown)?;
    if let Some(into) = request.merged_into {
        let other = requests::find(conn, into)?;
        let own = other.filter(|r| r.neighbor_id == request.neighbor_id);
        view.merged_into = own.map(|r| r.id.to_string());
    }
    if frozen.holds(request.cell.center()) {
        // Nobody is asked there, whatever was planned.
        (view.progress.next_ask_at, view.progress.know_by) = (None, None);
    }
    view.progress.frozen = frozen.holds(request.cell.center());
    Ok(view)
}
