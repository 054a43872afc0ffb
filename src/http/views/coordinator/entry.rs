//! An entry of the audit as administrators see it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::clock::Ts;
use crate::storage::audit::{ActorKind, Entry};

/// An entry of the audit.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// Its number; later entries have larger ones.
    #[schema(example = 4711)]
    pub seq: i64,
    /// When it was done.
    #[schema(value_type = String, format = DateTime)]
    pub at: Ts,
    /// Who did it.
    pub actor: ActorView,
    /// What was done.
    #[schema(example = "request_held")]
    pub action: String,
    /// To what it was done.
    pub subject: SubjectView,
    /// Words and numbers that belong to it; never anything that a person wrote.
    #[schema(value_type = Object, example = json!({"reason": "call"}))]
    pub detail: serde_json::Value,
    /// Whether it is sealed: an edit would be found by `manyhands audit verify`. New entries are after
    /// a minute.
    pub sealed: bool,
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActorView {
    /// What kind of person.
    pub kind: ActorKind,
    /// Which one, where it was somebody with a token. Whoever answers a letter is named by the match.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub id: Option<String>,
}

/// What something was done to.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectView {
    /// What kind of record.
    #[schema(example = "request")]
    pub kind: String,
    /// Which one.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
}

impl EntryView {
    /// An entry, where all up to the number `sealed` are sealed.
    #[must_use]
    pub fn new(row: Entry, sealed: i64) -> Self {
        Self {
            seq: row.seq,
            at: row.at,
            actor: ActorView {
                kind: row.actor,
                id: row.actor_id.map(|id| id.to_string()),
            },
            action: row.action,
            subject: SubjectView {
                kind: row.subject,
                id: row.subject_id.to_string(),
            },
            detail: row.detail.0,
            sealed: row.seq <= sealed,
        }
    }
}
