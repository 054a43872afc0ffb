//! What is said of a task.

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::faults::FieldErrors;
use crate::actions::update_task::TaskEdit;
use crate::domain::clock::Ts;
use crate::domain::ids::CoordinatorId;
use crate::domain::note::PrivateNote;
use crate::domain::task::DoneOutcome;

/// How far a task may be put off.
const LONGEST: std::time::Duration = std::time::Duration::from_hours(30 * 24);

/// Who is to do it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a"}))]
pub struct AssignBody {
    /// Somebody who coordinates, of any scope.
    #[schema(required = true, nullable = false, value_type = Option<String>, format = Uuid)]
    pub to: Option<CoordinatorId>,
}

/// What is given, be it null; what is left out stays none.
#[expect(clippy::option_option, reason = "left out and null are not the same")]
fn given<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(d).map(Some)
}

/// What is changed; what is left out stays as it is.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"note": "Nobody answered; call again at five"}))]
pub struct TaskPatch {
    /// For whoever goes on with it, sealed; null takes it away.
    #[expect(clippy::option_option, reason = "left out and null are not the same")]
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 2000)]
    note: Option<Option<String>>,
    /// By when it is to be done from now on, within 30 days.
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Ts>,
}

impl TaskPatch {
    /// The changes; faults are noted.
    pub fn parse(self, now: Ts, errors: &mut FieldErrors) -> TaskEdit {
        let note = self.note.and_then(|note| match note {
            Some(text) => errors.check("/note", PrivateNote::parse(&text)).map(Some),
            None => Some(None),
        });
        let due_at = errors.optional("/due_at", self.due_at, |due| {
            let is_near = now <= due && due <= now.after(LONGEST);
            is_near
                .then_some(due)
                .ok_or("must be within 30 days from now")
        });
        TaskEdit { note, due_at }
    }
}

/// How a task ended.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "reached"}))]
pub struct DoneBody {
    /// How it ended: of a call `reached`, `unreachable` or `refused`, of news (`tell`) one of the first two, of both,
    /// and of a question (`ask`), `no_answer`, with which it stays to be done, and
    /// `looked` of a look, a letter that cannot be delivered, a `dispute` or a `volunteer_check`; of a `follow_up`
    /// `helped`, `not_helped` or `unknown`.
    #[schema(required = true, nullable = false)]
    pub outcome: Option<DoneOutcome>,
    /// For whoever looks at it later, sealed; it takes the place of what was noted before.
    #[schema(min_length = 1, max_length = 2000)]
    note: Option<String>,
}

impl DoneBody {
    /// The note; a fault is noted.
    pub fn note(&self, errors: &mut FieldErrors) -> Option<PrivateNote> {
        errors.optional("/note", self.note.as_deref(), PrivateNote::parse)
    }
}
