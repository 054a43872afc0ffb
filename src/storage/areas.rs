//! Areas in which nothing is matched for now.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::dialect::{Turn, load_for_update, one_of, share_turn, take_turn};
use super::page::{Page, page_of};
use super::schema::areas;
use crate::domain::area::{AreaReason, Circle, Frozen, Radius, Settling};
use crate::domain::clock::Ts;
use crate::domain::ids::{AreaId, CoordinatorId, RecordId};
use crate::domain::place::Cell;

/// An area, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = areas, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct Area {
    pub id: AreaId,
    pub cell: Cell,
    pub radius_m: Radius,
    pub reason: AreaReason,
    pub created_at: Ts,
    pub created_by: CoordinatorId,
    pub lifted_at: Option<Ts>,
    pub lifted_by: Option<CoordinatorId>,
    pub settling: Option<Settling>,
    pub settled_to: Option<RecordId>,
}

impl Area {
    /// Where it is.
    #[must_use]
    pub fn circle(&self) -> Circle {
        Circle {
            cell: self.cell,
            radius: self.radius_m,
        }
    }
}

/// Writes a new area, after everybody who is just bringing people together has done so.
///
/// # Errors
/// A failed query.
pub fn insert(conn: &mut Conn, new: &Area) -> QueryResult<()> {
    take_turn(conn, Turn::Areas)?;
    with!(conn, c => diesel::insert_into(areas::table).values(new).execute(c))?;
    Ok(())
}

/// The area.
///
/// # Errors
/// A failed query.
pub fn find(conn: &mut Conn, id: AreaId) -> QueryResult<Option<Area>> {
    with!(conn, c => areas::table.find(id).select(Area::as_select()).first(c).optional())
}

/// Where nothing is matched now.
///
/// # Errors
/// A failed query.
pub fn frozen(conn: &mut Conn) -> QueryResult<Frozen> {
    let rows: Vec<(Cell, Radius)> = with!(conn, c => areas::table
        .filter(areas::lifted_at.is_null())
        .select((areas::cell, areas::radius_m))
        .load(c))?;
    let circles = rows.into_iter();
    Ok(Frozen(
        circles
            .map(|(cell, radius)| Circle { cell, radius })
            .collect(),
    ))
}

/// Where nothing is matched now, and until the transaction ends nowhere else: for whoever brings people
/// together. To be asked after rows are locked, for it waits for an area that is being frozen.
///
/// # Errors
/// A failed query.
pub fn frozen_until_end(conn: &mut Conn) -> QueryResult<Frozen> {
    share_turn(conn, Turn::Areas)?;
    frozen(conn)
}

/// One page for coordinators; only those that are frozen, or are not, where that is asked for.
///
/// # Errors
/// A failed query.
pub fn page(conn: &mut Conn, is_frozen: Option<bool>, page: Page) -> QueryResult<Vec<Area>> {
    with!(conn, c => {
        let mut query = areas::table.select(Area::as_select()).into_boxed();
        match is_frozen {
            Some(true) => query = query.filter(areas::lifted_at.is_null()),
            Some(false) => query = query.filter(areas::lifted_at.is_not_null()),
            None => {}
        }
        page_of!(query, areas, page).load(c)
    })
}

/// Lifts a frozen area; what that brings about is still to be carried out.
///
/// # Errors
/// A failed query.
pub fn lift(conn: &mut Conn, id: AreaId, by: CoordinatorId, now: Ts) -> QueryResult<bool> {
    let lifted = with!(conn, c => diesel::update(areas::table
            .filter(areas::id.eq(id))
            .filter(areas::lifted_at.is_null()))
        .set((
            areas::lifted_at.eq(now),
            areas::lifted_by.eq(by),
            areas::settling.eq(Some(Settling::Requests)),
            areas::settled_to.eq(None::<RecordId>),
        ))
        .execute(c))?;
    Ok(lifted == 1)
}

/// The area whose change has been waiting longest to be carried out. Nobody else carries it out, or
/// changes it, until the transaction ends.
///
/// # Errors
/// A failed query.
pub fn next_to_settle(conn: &mut Conn) -> QueryResult<Option<Area>> {
    let mut found: Vec<Area> = load_for_update!(
        conn,
        areas::table
            .filter(areas::settling.is_not_null())
            .order((areas::created_at, areas::id))
            .limit(1)
            .select(Area::as_select())
    )?;
    Ok(found.pop())
}

/// Remembers how far a change was carried out.
///
/// # Errors
/// A failed query.
pub fn set_settled(
    conn: &mut Conn,
    id: AreaId,
    settling: Option<Settling>,
    to: Option<RecordId>,
) -> QueryResult<()> {
    with!(conn, c => diesel::update(areas::table.find(id))
        .set((areas::settling.eq(settling), areas::settled_to.eq(to)))
        .execute(c))?;
    Ok(())
}

/// Deletes areas that were lifted before an instant, some at a time.
///
/// # Errors
/// A failed query.
pub fn delete_old(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<usize> {
    let old: Vec<AreaId> = with!(conn, c => areas::table
        .filter(areas::lifted_at.le(before))
        .filter(areas::settling.is_null())
        .limit(limit)
        .select(areas::id)
        .load(c))?;
    with!(conn, c => diesel::delete(areas::table.filter(one_of(areas::id, &old))).execute(c))
}
