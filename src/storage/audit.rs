//! The audit: who did what to which record, without any person's data.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::schema::audit;
use super::sql_types::Json;
use crate::domain::clock::Ts;
use crate::domain::fact::Fact;
use crate::domain::ids::RecordId;
use crate::domain::report::Side;
use crate::domain::word::words;

words! {
    /// Who did it.
    ActorKind {
        /// A worker.
        System = "system",
        /// Somebody without a token.
        Anyone = "anyone",
        /// A neighbor.
        Neighbor = "neighbor",
        /// A volunteer.
        Volunteer = "volunteer",
        /// A coordinator.
        Coordinator = "coordinator",
        /// The command line.
        Operator = "operator",
    }
}

/// Who did it, and which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The kind of person.
    pub kind: ActorKind,
    /// Which one.
    pub id: Option<RecordId>,
    /// For whom they speak, where it is not for themselves: every entry says so.
    pub on_behalf_of: Option<Side>,
}

impl Actor {
    /// A worker.
    pub const SYSTEM: Self = Self {
        kind: ActorKind::System,
        id: None,
        on_behalf_of: None,
    };
    /// Somebody without a token.
    pub const ANYONE: Self = Self {
        kind: ActorKind::Anyone,
        id: None,
        on_behalf_of: None,
    };
    /// The command line.
    pub const OPERATOR: Self = Self {
        kind: ActorKind::Operator,
        id: None,
        on_behalf_of: None,
    };

    /// A person known by a token.
    #[must_use]
    pub fn person(kind: ActorKind, id: impl Into<RecordId>) -> Self {
        Self {
            kind,
            id: Some(id.into()),
            on_behalf_of: None,
        }
    }

    /// The same person, who says what somebody else has told them: by phone, mostly.
    #[must_use]
    pub fn on_behalf_of(self, side: Side) -> Self {
        Self {
            on_behalf_of: Some(side),
            ..self
        }
    }

    /// The side of a match that speaks, itself or through somebody else.
    #[must_use]
    pub fn side(self) -> Option<Side> {
        match self.kind {
            ActorKind::Neighbor => Some(Side::Neighbor),
            ActorKind::Volunteer => Some(Side::Volunteer),
            _ => self.on_behalf_of,
        }
    }
}

/// The facts of an entry, each with its name.
pub type Detail<'a> = &'a [(&'static str, Fact)];

/// An entry, to read.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = audit)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct Entry {
    pub seq: i64,
    pub at: Ts,
    pub actor: ActorKind,
    pub actor_id: Option<RecordId>,
    pub action: String,
    pub subject: String,
    pub subject_id: RecordId,
    pub detail: Json<serde_json::Value>,
}

/// Which entries a coordinator wants to see.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is the column it filters by")]
pub struct AuditFilter {
    pub subject: Option<RecordId>,
    pub actor: Option<RecordId>,
    pub action: Option<String>,
}

/// Writes one entry. Whoever speaks for somebody else is told from them by `on_behalf_of`.
///
/// # Errors
/// A failed query.
pub fn record(
    conn: &mut Conn,
    now: Ts,
    actor: Actor,
    action: &'static str,
    (subject, subject_id): (&'static str, RecordId),
    detail: Detail<'_>,
) -> QueryResult<()> {
    let mut detail: BTreeMap<_, _> = detail.iter().cloned().collect();
    if let Some(side) = actor.on_behalf_of {
        detail.insert("on_behalf_of", side.into());
    }
    with!(conn, c => diesel::insert_into(audit::table)
        .values((
            audit::at.eq(now),
            audit::actor.eq(actor.kind),
            audit::actor_id.eq(actor.id),
            audit::action.eq(action),
            audit::subject.eq(subject),
            audit::subject_id.eq(subject_id),
            audit::detail.eq(Json(detail)),
        ))
        .execute(c))?;
    Ok(())
}

/// One page, newest first; `before` is the last sequence number of the page before.
///
/// # Errors
/// A failed query.
pub fn page(
    conn: &mut Conn,
    filter: &AuditFilter,
    before: Option<i64>,
    limit: i64,
) -> QueryResult<Vec<Entry>> {
    with!(conn, c => {
        let mut query = audit::table.select(Entry::as_select()).order(audit::seq.desc()).limit(limit + 1).into_boxed();
        if let Some(subject) = filter.subject {
            query = query.filter(audit::subject_id.eq(subject));
        }
        if let Some(actor) = filter.actor {
            query = query.filter(audit::actor_id.eq(actor));
        }
        if let Some(action) = &filter.action {
            query = query.filter(audit::action.eq(action.clone()));
        }
        if let Some(before) = before {
            query = query.filter(audit::seq.lt(before));
        }
        query.load(c)
    })
}

/// How often a person did something since an instant.
///
/// # Errors
/// A failed query.
pub fn count_since(
    conn: &mut Conn,
    actor: RecordId,
    action: &str,
    since: Ts,
) -> QueryResult<usize> {
    let count: i64 = with!(conn, c => audit::table
        .filter(audit::actor_id.eq(actor))
        .filter(audit::action.eq(action))
        .filter(audit::at.gt(since))
        .count()
        .get_result(c))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// When a person did something for the `nth` time since an instant, counted from the last time on; none where it
/// was less often.
///
/// # Errors
/// A failed query.
pub fn nth_last_since(
    conn: &mut Conn,
    actor: RecordId,
    action: &str,
    since: Ts,
    nth: u32,
) -> QueryResult<Option<Ts>> {
    with!(conn, c => audit::table
        .filter(audit::actor_id.eq(actor))
        .filter(audit::action.eq(action))
        .filter(audit::at.gt(since))
        .order(audit::at.desc())
        .offset(i64::from(nth.saturating_sub(1)))
        .select(audit::at)
        .first(c)
        .optional())
}

/// The largest number there is; none in an empty audit.
///
/// # Errors
/// A failed query.
pub fn newest(conn: &mut Conn) -> QueryResult<Option<i64>> {
    with!(conn, c => audit::table.select(diesel::dsl::max(audit::seq)).first(c))
}

/// Who may have taken a number already and not shown its entry yet. Asked after [`newest`], and again until
/// none of them is left, it makes sure that nothing is still to come below that number.
///
/// # Errors
/// A failed query.
pub fn writers(conn: &mut Conn) -> QueryResult<Vec<String>> {
    super::dialect::writers_of_audit(conn)
}

/// Entries after `seq` up to `last`, in their order.
///
/// # Errors
/// A failed query.
pub fn between(conn: &mut Conn, seq: i64, last: i64, limit: i64) -> QueryResult<Vec<Entry>> {
    with!(conn, c => audit::table
        .filter(audit::seq.gt(seq))
        .filter(audit::seq.le(last))
        .order(audit::seq)
        .limit(limit)
        .select(Entry::as_select())
        .load(c))
}

/// Entries after `seq`, in their order.
///
/// # Errors
/// A failed query.
pub fn after(conn: &mut Conn, seq: i64, limit: i64) -> QueryResult<Vec<Entry>> {
    with!(conn, c => audit::table
        .filter(audit::seq.gt(seq))
        .order(audit::seq)
        .limit(limit)
        .select(Entry::as_select())
        .load(c))
}

/// The first entry after `seq`: its number, and when it was written.
///
/// # Errors
/// A failed query.
pub fn first_after(conn: &mut Conn, seq: i64) -> QueryResult<Option<(i64, Ts)>> {
    with!(conn, c => audit::table
        .filter(audit::seq.gt(seq))
        .order(audit::seq)
        .select((audit::seq, audit::at))
        .first(c)
        .optional())
}

/// How many entries come after `seq`.
///
/// # Errors
/// A failed query.
pub fn count_after(conn: &mut Conn, seq: i64) -> QueryResult<i64> {
    with!(conn, c => audit::table.filter(audit::seq.gt(seq)).count().get_result(c))
}
