//! Imports, as coordinators see them. Columns are named by their heads; nothing of a cell is told.

use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::run_import::state_of;
use crate::domain::clock::Ts;
use crate::domain::import::{ImportKind, ImportState, RowReport, Tally, UndoTally};
use crate::http::views::undo::{self, UndoView};
use crate::storage::imports::Import;

/// An import.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportSheet {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// What the rows become.
    pub kind: ImportKind,
    /// How far it is. Of one that was broken off, what it took is there: send the file again.
    pub state: ImportState,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// What became of how many rows.
    pub tally: Tally,
    /// Who imports; null: the operator, on the command line.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub created_by: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// When it last went on.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Ts,
    /// What became of its posts, where it is taken back: how many were closed, and how many stay.
    pub undone: Option<UndoTally>,
    /// When nothing of it was left to close.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub undone_at: Option<Ts>,
    /// What can be undone now.
    pub undo: Vec<UndoView>,
}

impl ImportSheet {
    /// As it stands at `now`.
    #[must_use]
    pub fn of(import: &Import, now: Ts) -> Self {
        Self {
            id: import.id.to_string(),
            kind: import.kind,
            state: state_of(import, now),
            dry_run: import.dry_run,
            tally: import.tally.0,
            created_by: import.created_by.map(|id| id.to_string()),
            created_at: import.created_at,
            updated_at: import.updated_at,
            undone: import.undone.as_ref().map(|undone| undone.0.tally),
            undone_at: import.undone_at,
            undo: undo::of_import(import, now),
        }
    }
}

/// An import that began.
#[derive(Debug, Serialize, ToSchema)]
pub struct BegunImport {
    /// The import.
    #[serde(flatten)]
    pub import: ImportSheet,
    /// The mapping that is used, as TOML: to put right and send along, or to keep.
    #[schema(example = "[columns]\nname = \"Your name\"\n")]
    pub mapping: String,
    /// Heads of columns that are not imported.
    #[schema(example = json!(["Timestamp"]))]
    pub unmapped: Vec<String>,
}

/// What became of some rows.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportPage {
    /// The rows, in the order of the file.
    pub items: Vec<RowReport>,
    /// The line to send as `after` for what follows. Null where nothing is known to follow.
    #[schema(example = 201)]
    pub next: Option<u64>,
}
