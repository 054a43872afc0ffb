//! Posts from spreadsheets: which rows were taken, and how far imports over the API are.

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::connection::{Conn, insert_rows, with};
use super::dialect::{Turn, one_of, take_turn};
use super::page::{Page, page_of};
use super::schema::{import_parts, imported_rows, imports, offers, requests};
use super::sql_types::Json;
use crate::crypto::lookup::KeyedHash;
use crate::domain::clock::Ts;
use crate::domain::ids::{CoordinatorId, ImportId, OfferId, RecordId, RequestId};
use crate::domain::import::{ImportKind, ImportState, RowReport, Tally, UndoTally};

/// A row that was taken, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = imported_rows, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct ImportedRow {
    pub row_hash: KeyedHash,
    pub content_hash: KeyedHash,
    pub subject_id: RecordId,
    pub created_at: Ts,
    /// The import that took it.
    pub import_id: Option<ImportId>,
}

/// How far it is that an import is taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undoing {
    /// What became of its posts.
    #[serde(flatten)]
    pub tally: UndoTally,
    /// The last of them that was looked at.
    pub after: Option<RecordId>,
}

/// An import, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = imports, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct Import {
    pub id: ImportId,
    pub kind: ImportKind,
    pub state: ImportState,
    pub dry_run: bool,
    pub tally: Json<Tally>,
    pub created_by: Option<CoordinatorId>,
    pub created_at: Ts,
    pub updated_at: Ts,
    pub undone: Option<Json<Undoing>>,
    pub undone_at: Option<Ts>,
}

/// Lets nobody else import rows until the transaction ends: who is new is decided by who is not there.
///
/// # Errors
/// A failed query.
pub fn lock(conn: &mut Conn) -> QueryResult<()> {
    take_turn(conn, Turn::Imports)
}

/// Those of these rows that were taken before.
///
/// # Errors
/// A failed query.
pub fn known(conn: &mut Conn, rows: &[KeyedHash]) -> QueryResult<Vec<ImportedRow>> {
    with!(conn, c => imported_rows::table
        .filter(one_of(imported_rows::row_hash, rows))
        .select(ImportedRow::as_select())
        .load(c))
}

/// Remembers rows.
///
/// # Errors
/// A failed query.
pub fn remember(conn: &mut Conn, rows: &[ImportedRow]) -> QueryResult<()> {
    insert_rows!(conn, imported_rows::table, rows)?;
    Ok(())
}

/// Forgets up to `limit` rows that were taken before an instant.
///
/// # Errors
/// A failed query.
pub fn trim_rows(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<usize> {
    let old: Vec<KeyedHash> = with!(conn, c => imported_rows::table
        .filter(imported_rows::created_at.lt(before))
        .select(imported_rows::row_hash)
        .limit(limit)
        .load(c))?;
    with!(conn, c => diesel::delete(imported_rows::table.filter(one_of(imported_rows::row_hash, &old))).execute(c))
}

/// Writes a new import.
///
/// # Errors
/// A failed query.
pub fn insert(conn: &mut Conn, new: &Import) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(imports::table).values(new).execute(c))?;
    Ok(())
}

/// The import.
///
/// # Errors
/// A failed query.
pub fn find(conn: &mut Conn, id: ImportId) -> QueryResult<Option<Import>> {
    with!(conn, c => imports::table.find(id).select(Import::as_select()).first(c).optional())
}

/// One page for coordinators.
///
/// # Errors
/// A failed query.
pub fn page(conn: &mut Conn, page: Page) -> QueryResult<Vec<Import>> {
    with!(conn, c => {
        let query = imports::table.select(Import::as_select()).into_boxed();
        page_of!(query, imports, page).load(c)
    })
}

/// Whether an import is under way that went on after `since`.
///
/// # Errors
/// A failed query.
pub fn is_running(conn: &mut Conn, since: Ts) -> QueryResult<bool> {
    with!(conn, c => diesel::select(diesel::dsl::exists(imports::table
            .filter(imports::state.eq(ImportState::Running))
            .filter(imports::updated_at.gt(since))))
        .get_result(c))
}

/// Notes how far an import is.
///
/// # Errors
/// A failed query.
pub fn go_on(conn: &mut Conn, id: ImportId, tally: Tally, now: Ts) -> QueryResult<()> {
    with!(conn, c => diesel::update(imports::table
            .find(id)
            .filter(imports::state.eq(ImportState::Running)))
        .set((imports::tally.eq(Json(tally)), imports::updated_at.eq(now)))
        .execute(c))?;
    Ok(())
}

/// Notes that an import is over, and how it ended.
///
/// # Errors
/// A failed query.
pub fn end(conn: &mut Conn, id: ImportId, state: ImportState, now: Ts) -> QueryResult<()> {
    with!(conn, c => diesel::update(imports::table
            .find(id)
            .filter(imports::state.eq(ImportState::Running)))
        .set((imports::state.eq(state), imports::updated_at.eq(now)))
        .execute(c))?;
    Ok(())
}

/// Writes what became of some rows, of which there is one at least.
///
/// # Errors
/// A failed query.
pub fn add_part(conn: &mut Conn, id: ImportId, report: &[RowReport]) -> QueryResult<()> {
    let first = report.first().map_or(0, |row| row.line);
    with!(conn, c => diesel::insert_into(import_parts::table)
        .values((
            import_parts::import_id.eq(id),
            import_parts::first_line.eq(i64::try_from(first).unwrap_or(i64::MAX)),
            import_parts::report.eq(Json(report.to_vec())),
        ))
        .execute(c))?;
    Ok(())
}

/// What became of the rows that are reported together, the next after line `after`.
///
/// # Errors
/// A failed query.
pub fn part_after(
    conn: &mut Conn,
    id: ImportId,
    after: i64,
) -> QueryResult<Option<Vec<RowReport>>> {
    let part: Option<Json<Vec<RowReport>>> = with!(conn, c => import_parts::table
        .filter(import_parts::import_id.eq(id))
        .filter(import_parts::first_line.gt(after))
        .order(import_parts::first_line)
        .select(import_parts::report)
        .first(c)
        .optional())?;
    Ok(part.map(|part| part.0))
}

/// Its requests that are not closed, after one of them, in the order of their ids.
///
/// # Errors
/// A failed query.
pub fn live_requests(
    conn: &mut Conn,
    id: ImportId,
    after: Option<RecordId>,
    limit: i64,
) -> QueryResult<Vec<RequestId>> {
    with!(conn, c => {
        let mut query = requests::table
            .filter(requests::import_id.eq(id))
            .filter(requests::closed_at.is_null())
            .order(requests::id)
            .limit(limit)
            .select(requests::id)
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(requests::id.gt(RequestId::from(after)));
        }
        query.load(c)
    })
}

/// Its offers that are not closed, after one of them, in the order of their ids.
///
/// # Errors
/// A failed query.
pub fn live_offers(
    conn: &mut Conn,
    id: ImportId,
    after: Option<RecordId>,
    limit: i64,
) -> QueryResult<Vec<OfferId>> {
    with!(conn, c => {
        let mut query = offers::table
            .filter(offers::import_id.eq(id))
            .filter(offers::closed_at.is_null())
            .order(offers::id)
            .limit(limit)
            .select(offers::id)
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(offers::id.gt(OfferId::from(after)));
        }
        query.load(c)
    })
}

/// Notes how far it is that an import is taken back; it is over at `over`.
///
/// # Errors
/// A failed query.
pub fn set_undone(
    conn: &mut Conn,
    id: ImportId,
    undone: Undoing,
    over: Option<Ts>,
) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(imports::table
            .find(id)
            .filter(imports::undone_at.is_null()))
        .set((imports::undone.eq(Some(Json(undone))), imports::undone_at.eq(over)))
        .execute(c))?;
    Ok(done == 1)
}

/// Forgets the rows of an import of which these posts were made.
///
/// # Errors
/// A failed query.
pub fn forget_rows(conn: &mut Conn, id: ImportId, posts: &[RecordId]) -> QueryResult<usize> {
    with!(conn, c => diesel::delete(imported_rows::table
            .filter(imported_rows::import_id.eq(id))
            .filter(one_of(imported_rows::subject_id, posts)))
        .execute(c))
}

/// Forgets up to `limit` rows of an import whose posts were there before it.
///
/// # Errors
/// A failed query.
pub fn forget_duplicates(conn: &mut Conn, id: ImportId, limit: i64) -> QueryResult<usize> {
    let old: Vec<KeyedHash> = with!(conn, c => imported_rows::table
        .filter(imported_rows::import_id.eq(id))
        .filter(not(exists(requests::table
            .filter(requests::id.eq(imported_rows::subject_id))
            .filter(requests::import_id.eq(id)))))
        .filter(not(exists(offers::table
            .filter(offers::id.eq(imported_rows::subject_id))
            .filter(offers::import_id.eq(id)))))
        .select(imported_rows::row_hash)
        .limit(limit)
        .load(c))?;
    with!(conn, c => diesel::delete(imported_rows::table.filter(one_of(imported_rows::row_hash, &old))).execute(c))
}

/// Deletes what is told of the rows of up to `limit` imports that last went on before an instant.
///
/// # Errors
/// A failed query.
pub fn trim_parts(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<usize> {
    let has_parts = exists(import_parts::table.filter(import_parts::import_id.eq(imports::id)));
    let old: Vec<ImportId> = with!(conn, c => imports::table
        .filter(imports::updated_at.lt(before))
        .filter(has_parts)
        .select(imports::id)
        .limit(limit)
        .load(c))?;
    with!(conn, c => diesel::delete(import_parts::table.filter(one_of(import_parts::import_id, &old))).execute(c))
}

/// Deletes up to `limit` imports that last went on before an instant, with what they report.
///
/// # Errors
/// A failed query.
pub fn trim(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<usize> {
    let old: Vec<ImportId> = with!(conn, c => imports::table
        .filter(imports::updated_at.lt(before))
        .select(imports::id)
        .limit(limit)
        .load(c))?;
    with!(conn, c => diesel::delete(imports::table.filter(one_of(imports::id, &old))).execute(c))
}
