//! A letter as coordinators see it: whether it left, and never to which address.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::clock::Ts;
use crate::domain::letter::LetterKind;
use crate::domain::webhook::Notice;
use crate::storage::letters::{Letter, LetterState, RecipientKind};

/// A letter, to a coordinator.
#[derive(Debug, Serialize, ToSchema)]
pub struct LetterSheet {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// What it is about.
    pub kind: LetterKind,
    /// Where it stands.
    pub state: LetterState,
    /// To whom it goes.
    pub to: Recipient,
    /// The request it is about.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub request: Option<String>,
    /// The match it is about.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub r#match: Option<String>,
    /// Of a webhook's: what has happened.
    pub event: Option<Notice>,
    /// How often it was tried.
    #[schema(example = 1)]
    pub attempts: i32,
    /// What went wrong the last time: a class of errors, never a mail server's own words.
    #[schema(example = "451")]
    pub last_error: Option<String>,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// When it is, or was, to be tried next.
    #[schema(value_type = String, format = DateTime)]
    pub due_at: Ts,
    /// When it was sent, dropped or given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub settled_at: Option<Ts>,
}

/// Whom a letter goes to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recipient {
    /// What kind of person, or a webhook.
    pub kind: RecipientKind,
    /// Which one.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
}

impl From<Letter> for LetterSheet {
    fn from(row: Letter) -> Self {
        Self {
            id: row.id.to_string(),
            kind: row.kind,
            state: row.state,
            to: Recipient {
                kind: row.to_kind,
                id: row.to_id.to_string(),
            },
            request: row.request_id.map(|id| id.to_string()),
            r#match: row.match_id.map(|id| id.to_string()),
            event: row.event,
            attempts: row.attempts,
            last_error: row.last_error,
            created_at: row.created_at,
            due_at: row.due_at,
            settled_at: row.settled_at,
        }
    }
}
