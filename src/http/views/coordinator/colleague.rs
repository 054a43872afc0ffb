//! Who coordinates, as their colleagues see them: by name, without an address.

use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::Ctx;
use crate::actions::list_coordinators::name_of;
use crate::domain::clock::Ts;
use crate::domain::part::Part;
use crate::storage::StorageError;
use crate::storage::coordinators::{Coordinator, Scope};

/// A part of the work.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartSheet {
    /// These categories.
    #[schema(example = json!(["food", "towing"]))]
    pub categories: Option<Vec<String>>,
    /// These areas, as H3 cells; null for everywhere.
    #[schema(example = json!(["862649b2fffffff"]))]
    pub areas: Option<Vec<String>>,
}

impl PartSheet {
    /// None for everything.
    fn of(part: Part) -> Option<Self> {
        (!part.is_all()).then(|| Self {
            categories: part.categories,
            areas: part
                .areas
                .map(|areas| areas.iter().map(ToString::to_string).collect()),
        })
    }
}

/// Somebody who coordinates, or did.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColleagueSheet {
    /// Their id: tasks are given to it, and name it.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// What they are called.
    #[schema(example = "Ana Reyes")]
    pub name: String,
    /// What they may do.
    pub scope: Scope,
    /// What they are limited to; null for everything.
    pub part: Option<PartSheet>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Ts,
    /// When their access was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Ts>,
}

impl ColleagueSheet {
    /// The coordinator, by name.
    ///
    /// # Errors
    /// A name that does not open.
    pub fn of(ctx: &Ctx, row: &Coordinator) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id.to_string(),
            name: name_of(ctx, row)?.expose().to_owned(),
            scope: row.scope,
            part: PartSheet::of(ctx.part_of(row)),
            since: row.created_at,
            revoked_at: row.revoked_at,
        })
    }
}

/// Whoever calls.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnSheet {
    /// Their id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// What they are called.
    #[schema(example = "Ana Reyes")]
    pub name: String,
    /// What they may do.
    pub scope: Scope,
    /// What they are limited to; null for everything.
    pub part: Option<PartSheet>,
    /// Whether they get a letter each morning that says in numbers how it stands.
    #[schema(example = true)]
    pub digest: bool,
    /// When their token ends; null where it works for good.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Ts>,
}

impl OwnSheet {
    /// The coordinator, whose token ends then.
    ///
    /// # Errors
    /// A name that does not open.
    pub fn of(ctx: &Ctx, row: &Coordinator, expires: Option<Ts>) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id.to_string(),
            name: name_of(ctx, row)?.expose().to_owned(),
            scope: row.scope,
            part: PartSheet::of(ctx.part_of(row)),
            digest: row.gets_digest(),
            expires,
        })
    }
}
