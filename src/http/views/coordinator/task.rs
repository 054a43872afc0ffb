//! A task as coordinators see it. Whom to call is revealed with the request; the note stands only where one task is
//! read.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::clock::Ts;
use crate::domain::letter::LetterKind;
use crate::domain::task::{TaskKind, TaskOutcome};
use crate::storage::tasks::{Counts, Task};

/// Something a person must do.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskSheet {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// What is to be done.
    pub kind: TaskKind,
    /// The kind of the letter that would have told the news, or that cannot be delivered. Null of other tasks, and of news
    /// (`tell`) of which there is no letter: that the time of her request went by without help.
    pub about: Option<LetterKind>,
    /// The call that does it, while it is open.
    #[schema(example = "POST /v1/matches/3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a/approve")]
    pub act: Option<String>,
    /// Another call that does it, where there are two ways.
    #[schema(example = "POST /v1/matches/3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a/veto")]
    pub alternative: Option<String>,
    /// The call that takes back that it was done, where one can.
    pub undo: Option<String>,
    /// The request it is about: reveal that to learn whom to call. Whoever has the scope `intake` may, as long as they have
    /// the task and it is open.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub request: Option<String>,
    /// The neighbor it is about.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub neighbor: Option<String>,
    /// The match it is about.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub r#match: Option<String>,
    /// The offer it is about.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub offer: Option<String>,
    /// The volunteer it is about.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub volunteer: Option<String>,
    /// The report it is about.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub report: Option<String>,
    /// The letter it is about.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub letter: Option<String>,
    /// When it came up.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// By when it should be done.
    #[schema(value_type = String, format = DateTime)]
    pub due_at: Ts,
    /// Since when administrators know that it is late.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub escalated_at: Option<Ts>,
    /// How often nobody answered.
    #[schema(example = 1)]
    pub attempts: i32,
    /// When nobody answered last.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub tried_at: Option<Ts>,
    /// Which coordinator has it; null where nobody has, or not any more: anybody may take it.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub claimed_by: Option<String>,
    /// Which coordinator had it last, where they have had it for so long that anybody may take it.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub lapsed_claim: Option<String>,
    /// When that coordinator took it, or was given it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub claimed_at: Option<Ts>,
    /// Which coordinator gave it to them; null where they took it themselves.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub assigned_by: Option<String>,
    /// When it was done.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub done_at: Option<Ts>,
    /// By which coordinator; null where it was not needed any more, or others did it.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub done_by: Option<String>,
    /// What came of it.
    pub outcome: Option<TaskOutcome>,
    /// Whether something is noted of it.
    pub has_note: bool,
    /// What is noted, where this one task is read; null in lists.
    #[schema(example = "Call again at five")]
    pub note: Option<String>,
}

/// The calls that do what a task asks for.
fn acts(row: &Task) -> (Option<String>, Option<String>) {
    let call = |of: &str, id: String, act: &str| Some(format!("POST /v1/{of}/{id}/{act}"));
    let done = || call("tasks", row.id.to_string(), "done");
    match row.kind {
        TaskKind::Call
        | TaskKind::Tell
        | TaskKind::Look
        | TaskKind::FollowUp
        | TaskKind::Dispute
        | TaskKind::VolunteerCheck => (done(), None),
        TaskKind::Ask | TaskKind::Review => {
            let (yes, no) = match row.kind {
                TaskKind::Ask => ("agree", "refuse"),
                _ => ("approve", "veto"),
            };
            let of = |act| {
                row.match_id
                    .and_then(|id| call("matches", id.to_string(), act))
            };
            (of(yes), of(no))
        }
        TaskKind::SiteCheck => {
            let of = |act| {
                row.offer_id
                    .and_then(|id| call("offers", id.to_string(), act))
            };
            (of("list"), of("close"))
        }
        TaskKind::Report => {
            let id = row.report_id;
            (
                id.and_then(|id| call("reports", id.to_string(), "close")),
                None,
            )
        }
        TaskKind::DeadLetter => {
            let id = row.letter_id;
            (
                id.and_then(|id| call("letters", id.to_string(), "retry")),
                done(),
            )
        }
    }
}

impl TaskSheet {
    /// The task, without its note. Whoever took it at `stale`, or before, has it no more.
    #[must_use]
    pub fn of(row: &Task, stale: Ts) -> Self {
        let is_open = row.done_at.is_none();
        let is_lapsed = is_open && row.is_free(stale);
        let (held, lapsed) = match is_lapsed {
            true => (None, row.claimed_by),
            false => (row.claimed_by, None),
        };
        let (act, alternative) = if is_open { acts(row) } else { (None, None) };
        let may_undo =
            row.kind.is_marked() && row.done_by.is_some() && row.outcome != Some(TaskOutcome::Done);
        Self {
            id: row.id.to_string(),
            kind: row.kind,
            about: row.about,
            act,
            alternative,
            undo: may_undo.then(|| format!("POST /v1/tasks/{}/reopen", row.id)),
            request: row.request_id.map(|id| id.to_string()),
            neighbor: row.neighbor_id.map(|id| id.to_string()),
            r#match: row.match_id.map(|id| id.to_string()),
            offer: row.offer_id.map(|id| id.to_string()),
            volunteer: row.volunteer_id.map(|id| id.to_string()),
            report: row.report_id.map(|id| id.to_string()),
            letter: row.letter_id.map(|id| id.to_string()),
            created_at: row.created_at,
            due_at: row.due_at,
            escalated_at: row.escalated_at,
            attempts: row.attempts,
            tried_at: row.tried_at,
            claimed_by: held.map(|id| id.to_string()),
            lapsed_claim: lapsed.map(|id| id.to_string()),
            claimed_at: row.claimed_at,
            assigned_by: row.assigned_by.map(|id| id.to_string()),
            done_at: row.done_at,
            done_by: row.done_by.map(|id| id.to_string()),
            outcome: row.outcome,
            has_note: row.sealed.is_some(),
            note: None,
        }
    }
}

/// How many tasks the filters find.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskCounts {
    /// All of them: as many as the list has.
    #[schema(example = 31)]
    pub total: i64,
    /// Those to be done.
    #[schema(example = 12)]
    pub open: i64,
    /// Of those to be done, those whose time has gone by.
    #[schema(example = 2)]
    pub overdue: i64,
    /// Of those to be done, those that administrators know to be late.
    #[schema(example = 1)]
    pub escalated: i64,
    /// Of those to be done, those that nobody has, or not any more.
    #[schema(example = 9)]
    pub unclaimed: i64,
    /// Those to be done, by kind.
    #[schema(example = json!({"review": 5, "tell": 7}))]
    pub by_kind: BTreeMap<String, i64>,
}

impl From<Counts> for TaskCounts {
    fn from(counts: Counts) -> Self {
        let of = |kind: &TaskKind| counts.by_kind.get(kind).copied().unwrap_or(0);
        let by_kind = TaskKind::ALL.iter();
        Self {
            total: counts.total,
            open: counts.open,
            overdue: counts.overdue,
            escalated: counts.escalated,
            unclaimed: counts.unclaimed,
            by_kind: by_kind.map(|kind| (kind.to_string(), of(kind))).collect(),
        }
    }
}
