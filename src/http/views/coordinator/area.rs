//! An area in which nothing is matched for now, as coordinators see it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::area::AreaReason;
use crate::domain::clock::Ts;
use crate::http::views::undo::{self, UndoView};
use crate::storage::areas::Area;

/// An area that is or was frozen.
#[derive(Debug, Serialize, ToSchema)]
pub struct AreaSheet {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// The H3 cell around whose middle it lies.
    #[schema(example = "882649b2d3fffff")]
    pub cell: String,
    /// How far around that, in meters.
    #[schema(example = 2000)]
    pub radius_m: i32,
    /// Why.
    pub reason: AreaReason,
    /// Whether it is frozen now.
    pub frozen: bool,
    /// Whether everything that the freeze, or its end, brings about was carried out.
    pub settled: bool,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// By which coordinator.
    #[schema(value_type = String, format = Uuid)]
    pub created_by: String,
    /// When it was lifted.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub lifted_at: Option<Ts>,
    /// By which coordinator.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub lifted_by: Option<String>,
    /// What can be undone now.
    pub undo: Vec<UndoView>,
}

impl From<&Area> for AreaSheet {
    fn from(row: &Area) -> Self {
        Self {
            id: row.id.to_string(),
            cell: row.cell.to_string(),
            radius_m: row.radius_m.meters(),
            reason: row.reason,
            frozen: row.lifted_at.is_none(),
            settled: row.settling.is_none(),
            created_at: row.created_at,
            created_by: row.created_by.to_string(),
            lifted_at: row.lifted_at,
            lifted_by: row.lifted_by.map(|id| id.to_string()),
            undo: undo::of_area(row),
        }
    }
}
