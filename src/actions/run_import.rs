//! An import: that it began, how far it is, that it is over. What its rows become is in
//! `import_requests` and `import_offers`.
//!
//! One import over the API is under way at a time. One whose process ended is broken off as soon as it has not gone on
//! for a while: what it took is there, and the file is sent again.

use std::time::Duration;

use super::{Call, Ctx, Outcome, Refusal, refuse};
use crate::domain::clock::Ts;
use crate::domain::ids::{CoordinatorId, ImportId, RecordId};
use crate::domain::import::{ImportKind, ImportState, RowReport, Tally};
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::imports;
use crate::storage::imports::Import;
use crate::storage::sql_types::Json;

/// An import that has not gone on for so long is not going on any more.
pub const ALIVE: Duration = Duration::from_mins(1);

/// What is imported.
#[derive(Clone, Copy, Debug)]
pub struct NewImport {
    /// What the rows become.
    pub kind: ImportKind,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// How many rows there are.
    pub rows: u64,
    /// Who imports; none: the operator, on the command line.
    pub by: Option<CoordinatorId>,
}

/// An import begins. `None`: the same call began one before, which is given.
///
/// # Errors
/// A key used for another call, or another import that is under way.
pub async fn begin_import(
    ctx: &Ctx,
    new: NewImport,
    call: Option<Call>,
) -> Outcome<(ImportId, bool)> {
    let actor = match new.by {
        Some(by) => Actor::person(ActorKind::Coordinator, by),
        None => Actor::OPERATOR,
    };
    ctx.write(actor, move |tx| {
        let id = ImportId::new(tx.ctx.entropy.as_ref());
        if let Some(before) = tx.repeated(call, id)? {
            return Ok((before.into(), false));
        }
        imports::lock(tx.conn)?;
        // The operator runs it again at once when it was stopped; the rows take turns anyway.
        if new.by.is_some() && imports::is_running(tx.conn, tx.now.before(ALIVE))? {
            return refuse(Refusal::ImportUnderWay);
        }
        let tally = Tally {
            rows: new.rows,
            ..Tally::default()
        };
        imports::insert(
            tx.conn,
            &Import {
                id,
                kind: new.kind,
                state: ImportState::Running,
                dry_run: new.dry_run,
                tally: Json(tally),
                created_by: new.by,
                created_at: tx.now,
                updated_at: tx.now,
                undone: None,
                undone_at: None,
            },
        )?;
        let detail = [
            (
                "rows",
                crate::domain::fact::Fact::Number(i64::try_from(new.rows).unwrap_or(i64::MAX)),
            ),
            ("dry_run", crate::domain::fact::Fact::Flag(new.dry_run)),
        ];
        tx.audit("import_begun", ("import", RecordId::from(id)), &detail)?;
        Ok((id, true))
    })
    .await
}

/// Notes what became of some more rows.
///
/// # Errors
/// A failed query.
pub async fn note_rows(
    ctx: &Ctx,
    id: ImportId,
    tally: Tally,
    report: Vec<RowReport>,
) -> Outcome<()> {
    ctx.write(Actor::SYSTEM, move |tx| {
        if !report.is_empty() {
            imports::add_part(tx.conn, id, &report)?;
        }
        Ok(imports::go_on(tx.conn, id, tally, tx.now)?)
    })
    .await
}

/// An import is over.
///
/// # Errors
/// A failed query.
pub async fn end_import(ctx: &Ctx, id: ImportId, state: ImportState) -> Outcome<()> {
    ctx.write(Actor::SYSTEM, move |tx| {
        Ok(imports::end(tx.conn, id, state, tx.now)?)
    })
    .await
}

/// How far an import is: broken off, where it has not gone on for a while.
#[must_use]
pub fn state_of(import: &Import, now: Ts) -> ImportState {
    let goes_on = import.updated_at > now.before(ALIVE);
    match import.state {
        ImportState::Running if !goes_on => ImportState::BrokenOff,
        state => state,
    }
}
