//! A task as coordinators see it. Whom to call is revealed with the request.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::clock::Ts;
use crate::domain::task::{TaskKind, TaskOutcome};
use crate::storage::tasks::Task;

/// Something a person must do.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskSheet {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// What is to be done.
    pub kind: TaskKind,
    /// The request it is about: reveal that to learn whom to call.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub request: Option<String>,
    /// The neighbor it is about.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub neighbor: Option<String>,
    /// When it came up.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// By when it should be done.
    #[schema(value_type = String, format = DateTime)]
    pub due_at: Ts,
    /// Which coordinator has taken it on.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub claimed_by: Option<String>,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub claimed_at: Option<Ts>,
    /// When it was done.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub done_at: Option<Ts>,
    /// By which coordinator; null where it was not needed any more.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub done_by: Option<String>,
    /// What came of it.
    pub outcome: Option<TaskOutcome>,
}

impl From<&Task> for TaskSheet {
    fn from(row: &Task) -> Self {
        Self {
            id: row.id.to_string(),
            kind: row.kind,
            request: row.request_id.map(|id| id.to_string()),
            neighbor: row.neighbor_id.map(|id| id.to_string()),
            created_at: row.created_at,
            due_at: row.due_at,
            claimed_by: row.claimed_by.map(|id| id.to_string()),
            claimed_at: row.claimed_at,
            done_at: row.done_at,
            done_by: row.done_by.map(|id| id.to_string()),
            outcome: row.outcome,
        }
    }
}
