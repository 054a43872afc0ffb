//! A neighbor as coordinators see her: without name, contact and exact place.

use serde::Serialize;
use utoipa::ToSchema;

use super::request::{self, RequestSheet};
use crate::actions::Ctx;
use crate::domain::clock::Ts;
use crate::domain::ids::NeighborId;
use crate::domain::need::Verified;
use crate::domain::part::Part;
use crate::domain::remit::Remit;
use crate::http::views::undo::{self, UndoView};
use crate::storage::requests::HeldBy;
use crate::storage::{Conn, StorageError, neighbors, reach, requests};

/// A neighbor with everything that she needs, to a coordinator.
#[derive(Serialize, ToSchema)]
pub struct NeighborFile {
    /// Her id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// The H3 cell that stands for her place.
    #[schema(example = "882649b2d3fffff")]
    pub cell: String,
    /// What she speaks, best first.
    #[schema(example = json!(["so", "en"]))]
    pub languages: Vec<String>,
    /// The language of her letters.
    #[schema(example = "en")]
    pub locale: String,
    /// How far her contact was checked.
    pub verified: Verified,
    /// Whether she must agree to each volunteer first.
    pub agree_first: bool,
    /// Whether letters go to her; without them she must be called.
    pub mail: bool,
    /// The coordinator who entered it for her.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub entered_by: Option<String>,
    /// Since when she is blocked: nobody is asked for what she needs.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub blocked_at: Option<Ts>,
    /// Other neighbors with the same e-mail address or phone number: perhaps she, posting once more.
    #[schema(value_type = Vec<String>)]
    pub same_contact: Vec<String>,
    /// When she first posted.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// When something of her last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Ts,
    /// What can be undone now.
    pub undo: Vec<UndoView>,
    /// What she needs, oldest first.
    pub requests: Vec<RequestSheet>,
}

/// The neighbor with her requests of that part; `None` once erased, or if the remit does not hold her.
///
/// # Errors
/// A failed query.
pub fn file(
    ctx: &Ctx,
    conn: &mut Conn,
    part: &Part,
    remit: Remit,
    id: NeighborId,
) -> Result<Option<NeighborFile>, StorageError> {
    let row = neighbors::find_within(conn, remit, id)?.filter(|n| n.erased_at.is_none());
    let Some(row) = row else {
        return Ok(None);
    };
    let alike = neighbors::of_contacts(conn, &row.contact_hashes())?;
    let mut others = Vec::new();
    for other in alike.iter().filter(|n| n.id != id) {
        let is_seen = neighbors::is_within(conn, remit, other.id)?
            && (part.is_all() || reach::neighbor(conn, part, other.id)?);
        if is_seen {
            others.push(other.id.to_string());
        }
    }
    let mut needs = requests::of_neighbor(conn, id)?;
    let hides = needs.iter().any(|r| r.held_by == Some(HeldBy::Neighbor));
    needs.retain(|r| part.holds(r.category.as_str(), r.cell));
    Ok(Some(NeighborFile {
        id: row.id.to_string(),
        cell: row.cell.to_string(),
        undo: undo::of_neighbor(&row, hides),
        verified: row.verified,
        agree_first: row.agree_first,
        mail: row.email_hash.is_some() && row.mail_stopped_at.is_none(),
        entered_by: row.entered_by.map(|id| id.to_string()),
        blocked_at: row.blocked_at,
        same_contact: others,
        created_at: row.created_at,
        updated_at: row.updated_at,
        languages: row.languages.0,
        locale: row.locale,
        requests: request::sheets(ctx, conn, needs)?,
    }))
}
