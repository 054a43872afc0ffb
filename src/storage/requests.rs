//! Requests: what neighbors need.

use std::time::Duration;

use diesel::connection::DefaultLoadingMode;
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::connection::{Conn, insert_rows, with};
use super::dialect::{load_for_update, load_skip_locked, one_of};
use super::page::{Order, Page, page_of};
use super::part::in_part;
use super::schema::{matches, neighbors, requests, tasks};
use super::sql_types::Json;
use super::{duplicates, neighbors as neighbors_table, rounds};
use crate::crypto::lookup::KeyedHash;
use crate::crypto::seal::Sealed;
use crate::domain::attribute::Attributes;
use crate::domain::category::CategoryKey;
use crate::domain::clock::Ts;
use crate::domain::ids::{ImportId, LeaseId, NeighborId, RecordId, RequestId};
use crate::domain::lifecycle::{Attention, CloseReason, MatchState, RequestState};
use crate::domain::need::{Deadlines, Handover, Quantity, Reach, Urgency, Verified};
use crate::domain::part::Part;
use crate::domain::place::Cell;
use crate::domain::remit::Remit;
use crate::domain::task::TaskKind;
use crate::domain::word::words;

words! {
    /// Who has hidden a request.
    HeldBy {
        /// The neighbor ("hide now").
        Neighbor = "neighbor",
        /// A coordinator.
        Coordinator = "coordinator",
    }
}

/// A request, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = requests, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct Request {
    pub id: RequestId,
    pub neighbor_id: NeighborId,
    pub series_id: Option<RecordId>,
    pub category: CategoryKey,
    pub quantity: Quantity,
    pub covered: i32,
    pub splittable: bool,
    pub max_helpers: i32,
    pub urgency: Urgency,
    pub travel_m: Reach,
    pub handover: Handover,
    pub language_must: bool,
    pub needed_from: Ts,
    pub needed_until: Ts,
    pub requires: Json<Attributes>,
    pub cell: Cell,
    pub state: RequestState,
    pub held_by: Option<HeldBy>,
    pub close_reason: Option<CloseReason>,
    pub closed_at: Option<Ts>,
    pub attention: Option<Attention>,
    pub version: i32,
    pub wave: i32,
    pub next_wave_at: Option<Ts>,
    pub match_due_at: Option<Ts>,
    pub lease_id: Option<LeaseId>,
    pub lease_until: Option<Ts>,
    pub created_at: Ts,
    pub updated_at: Ts,
    pub sealed: Option<Sealed>,
    pub sealed_version: i32,
    pub sealed_epoch: Option<i32>,
    pub throughout: bool,
    pub merged_into: Option<RequestId>,
    /// The import that made it.
    pub import_id: Option<ImportId>,
}

impl Request {
    /// Until when a close can be undone: while what is sealed is there, and before its time is over.
    /// `None` for one that is not closed, or of which nothing is left to open again.
    #[must_use]
    pub fn reopens_until(&self, sealed_after_close: Duration) -> Option<Ts> {
        self.sealed.as_ref()?;
        Some(
            self.closed_at?
                .after(sealed_after_close)
                .min(self.needed_until),
        )
    }

    /// By when somebody must have said yes: when help begins that is needed for the whole time, else
    /// when the time is over.
    #[must_use]
    pub fn deadline(&self) -> Ts {
        if self.throughout {
            self.needed_from
        } else {
            self.needed_until
        }
    }

    /// What is still to be covered.
    #[must_use]
    pub fn still_needed(&self) -> i32 {
        self.quantity.get() - self.covered
    }
}

/// What an edit changes of a request.
#[derive(Clone, Debug, AsChangeset)]
#[diesel(table_name = requests, treat_none_as_null = true)]
#[expect(missing_docs, reason = "as in `Request`")]
pub struct RequestEdit {
    pub quantity: Quantity,
    pub splittable: bool,
    pub max_helpers: i32,
    pub urgency: Urgency,
    pub travel_m: Reach,
    pub handover: Handover,
    pub language_must: bool,
    pub needed_from: Ts,
    pub needed_until: Ts,
    pub requires: Json<Attributes>,
    pub cell: Cell,
    pub version: i32,
    pub updated_at: Ts,
    pub sealed: Option<Sealed>,
    pub sealed_version: i32,
    pub sealed_epoch: Option<i32>,
    pub throughout: bool,
}

/// What a round of matching leaves behind.
#[derive(Clone, Debug, AsChangeset)]
#[diesel(table_name = requests, treat_none_as_null = true)]
#[expect(missing_docs, reason = "as in `Request`")]
pub struct RoundResult {
    pub wave: i32,
    pub next_wave_at: Option<Ts>,
    pub match_due_at: Option<Ts>,
    pub attention: Option<Attention>,
}

/// Which requests a coordinator wants to see.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is the column it filters by")]
pub struct RequestFilter {
    pub state: Option<RequestState>,
    pub category: Option<String>,
    pub urgency: Option<Urgency>,
    pub attention: Option<Attended>,
    pub verified: Option<Verified>,
    /// Its time is over before.
    pub needed_before: Option<Ts>,
    pub neighbor: Option<NeighborId>,
    pub part: Part,
    pub duplicates: bool,
    pub import: Option<ImportId>,
    pub order: Order,
}

/// Whether a person must look at it.
#[derive(Clone, Copy, Debug)]
pub enum Attended {
    /// Nobody must.
    No,
    /// Somebody must, whatever for.
    Yes,
    /// Somebody must, for this.
    For(Attention),
}

/// Writes new requests.
///
/// # Errors
/// A failed query.
pub fn insert(conn: &mut Conn, new: &[Request]) -> QueryResult<()> {
    insert_rows!(conn, requests::table, new)?;
    Ok(())
}

/// The request.
///
/// # Errors
/// A failed query.
pub fn find(conn: &mut Conn, id: RequestId) -> QueryResult<Option<Request>> {
    with!(conn, c => requests::table.find(id).select(Request::as_select()).first(c).optional())
}

/// The request, if the remit holds it.
///
/// # Errors
/// A failed query.
pub fn find_within(conn: &mut Conn, remit: Remit, id: RequestId) -> QueryResult<Option<Request>> {
    match find(conn, id)? {
        Some(found) if neighbors_table::is_within(conn, remit, found.neighbor_id)? => {
            Ok(Some(found))
        }
        _ => Ok(None),
    }
}

/// The request, which nobody else changes until the transaction ends.
///
/// # Errors
/// A failed query.
pub fn lock(conn: &mut Conn, id: RequestId) -> QueryResult<Option<Request>> {
    Ok(lock_all(conn, &[id])?.pop())
}

/// As [`lock`], for several, by id.
///
/// # Errors
/// A failed query.
pub fn lock_all(conn: &mut Conn, ids: &[RequestId]) -> QueryResult<Vec<Request>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    load_for_update!(
        conn,
        requests::table
            .filter(one_of(requests::id, ids))
            .order(requests::id)
            .select(Request::as_select())
    )
}

/// Several requests at once, in the order of their ids.
///
/// # Errors
/// A failed query.
pub fn find_all(conn: &mut Conn, ids: &[RequestId]) -> QueryResult<Vec<Request>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    with!(conn, c => requests::table.filter(one_of(requests::id, ids)).order(requests::id).select(Request::as_select()).load(c))
}

/// All requests of a neighbor, oldest first.
///
/// # Errors
/// A failed query.
pub fn of_neighbor(conn: &mut Conn, neighbor: NeighborId) -> QueryResult<Vec<Request>> {
    with!(conn, c => requests::table
        .filter(requests::neighbor_id.eq(neighbor))
        .order((requests::created_at, requests::id))
        .select(Request::as_select())
        .load(c))
}

/// The ids of the requests of several neighbors.
///
/// # Errors
/// A failed query.
pub fn ids_of(conn: &mut Conn, neighbors: &[NeighborId]) -> QueryResult<Vec<RequestId>> {
    with!(conn, c => requests::table
        .filter(one_of(requests::neighbor_id, neighbors))
        .select(requests::id)
        .load(c))
}

/// What several neighbors have posted that is not closed.
///
/// # Errors
/// A failed query.
pub fn live_of(conn: &mut Conn, neighbors: &[NeighborId]) -> QueryResult<Vec<Request>> {
    if neighbors.is_empty() {
        return Ok(Vec::new());
    }
    with!(conn, c => requests::table
        .filter(one_of(requests::neighbor_id, neighbors))
        .filter(requests::state.ne(RequestState::Closed))
        .select(Request::as_select())
        .load(c))
}

/// How many there are whose personal parts are still there.
///
/// # Errors
/// A failed query.
pub fn with_persons(conn: &mut Conn, filter: &RequestFilter) -> QueryResult<i64> {
    with!(conn, c => {
        let mut query = requests::table.filter(requests::sealed.is_not_null()).count().into_boxed();
        if !filter.part.is_all() {
            query = query.filter(in_part(requests::category, requests::cell, &filter.part));
        }
        if let Some(state) = filter.state {
            query = query.filter(requests::state.eq(state));
        }
        query.get_result(c)
    })
}

/// A request in the shortest.
#[derive(Clone, Debug, Queryable)]
#[expect(missing_docs, reason = "as in `Request`")]
pub struct RequestHead {
    pub id: RequestId,
    pub neighbor_id: NeighborId,
    pub state: RequestState,
    pub category: CategoryKey,
}

/// The requests of several neighbors in the shortest, oldest first.
///
/// # Errors
/// A failed query.
pub fn heads_of(conn: &mut Conn, neighbors: &[NeighborId]) -> QueryResult<Vec<RequestHead>> {
    if neighbors.is_empty() {
        return Ok(Vec::new());
    }
    with!(conn, c => requests::table
        .filter(one_of(requests::neighbor_id, neighbors))
        .order((requests::created_at, requests::id))
        .select((requests::id, requests::neighbor_id, requests::state, requests::category))
        .load(c))
}

/// One page for coordinators, of what the remit holds.
///
/// # Errors
/// A failed query.
pub fn page(
    conn: &mut Conn,
    remit: Remit,
    filter: &RequestFilter,
    page: Page,
) -> QueryResult<Vec<Request>> {
    let through_callers = match filter.duplicates {
        true => duplicates::through_callers(conn)?,
        false => Vec::new(),
    };
    with!(conn, c => {
        let mut query = requests::table.select(Request::as_select()).into_boxed();
        if !filter.part.is_all() {
            query = query.filter(in_part(requests::category, requests::cell, &filter.part));
        }
        query = match remit {
            Remit::All => query,
            Remit::Neighbor(id) => query.filter(requests::neighbor_id.eq(id)),
            Remit::EnteredBy(id) => query.filter(
                requests::neighbor_id
                    .eq_any(
                        neighbors::table.filter(neighbors::entered_by.eq(id)).select(neighbors::id),
                    )
                    .or(requests::neighbor_id.nullable().eq_any(
                        tasks::table
                            .filter(tasks::claimed_by.eq(id))
                            .filter(tasks::done_at.is_null())
                            .select(tasks::neighbor_id),
                    )),
            ),
        };
        if let Some(state) = filter.state {
            query = query.filter(requests::state.eq(state));
        }
        if let Some(category) = &filter.category {
            query = query.filter(requests::category.eq(category.clone()));
        }
        if let Some(urgency) = filter.urgency {
            query = query.filter(requests::urgency.eq(urgency));
        }
        query = match filter.attention {
            Some(Attended::No) => query.filter(requests::attention.is_null()),
            Some(Attended::Yes) => query.filter(requests::attention.is_not_null()),
            Some(Attended::For(what)) => query.filter(requests::attention.eq(what)),
            None => query,
        };
        if let Some(verified) = filter.verified {
            query = query.filter(requests::neighbor_id.eq_any(
                neighbors::table.filter(neighbors::verified.eq(verified)).select(neighbors::id),
            ));
        }
        if let Some(at) = filter.needed_before {
            query = query.filter(requests::needed_until.lt(at));
        }
        if let Some(neighbor) = filter.neighbor {
            query = query.filter(requests::neighbor_id.eq(neighbor));
        }
        if let Some(import) = filter.import {
            query = query.filter(requests::import_id.eq(import));
        }
        if filter.duplicates {
            query = query.filter(duplicates::has_one().or(one_of(requests::id, &through_callers)));
        }
        match filter.order {
            Order::Newest => page_of!(query, requests, page).load(c),
            Order::Oldest => page_of!(oldest: query, requests, page).load(c),
        }
    })
}

/// Open requests from `after` on, in the order of their ids: for loading the index.
///
/// # Errors
/// A failed query.
pub fn open_after(
    conn: &mut Conn,
    after: Option<RequestId>,
    limit: i64,
) -> QueryResult<Vec<Request>> {
    with!(conn, c => {
        let mut query = requests::table
            .filter(requests::state.eq(RequestState::Open))
            .order(requests::id)
            .limit(limit)
            .select(Request::as_select())
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(requests::id.gt(after));
        }
        query.load(c)
    })
}

/// That somebody needs something somewhere, for the public counts.
#[derive(Clone, Debug, Queryable)]
pub struct OpenNeed {
    /// What is needed.
    pub category: CategoryKey,
    /// Where, as far as anybody may know.
    pub cell: Cell,
    /// Who; never shown, only told apart.
    pub neighbor_id: NeighborId,
    /// By what else she is the same person.
    pub email_hash: Option<KeyedHash>,
    /// By what else she is the same person.
    pub phone_hash: Option<KeyedHash>,
}

/// Shows every open request of these categories, one after the other: there may be more than fit in memory.
///
/// # Errors
/// A failed query.
pub fn each_open_need(
    conn: &mut Conn,
    categories: &[CategoryKey],
    mut show: impl FnMut(OpenNeed),
) -> QueryResult<()> {
    with!(conn, c => {
        let needs = requests::table
            .inner_join(neighbors::table)
            .filter(requests::state.eq(RequestState::Open))
            .filter(one_of(requests::category, categories))
            .select((
                requests::category,
                requests::cell,
                requests::neighbor_id,
                neighbors::email_hash,
                neighbors::phone_hash,
            ))
            .load_iter::<OpenNeed, DefaultLoadingMode>(c)?;
        for need in needs {
            show(need?);
        }
        Ok(())
    })
}

/// Takes due requests for matching: those first that are most urgent now, as they were said to be or
/// because their deadline is near, then those that wait longest. They stay taken until `lease_until`,
/// after which another worker may take them.
///
/// # Errors
/// A failed query.
pub fn claim_due(
    conn: &mut Conn,
    now: Ts,
    near: Deadlines,
    lease: LeaseId,
    lease_until: Ts,
    limit: i64,
) -> QueryResult<Vec<Request>> {
    let is_by = |line: Ts| {
        let begins = requests::throughout.and(requests::needed_from.le(line));
        begins.or(not(requests::throughout).and(requests::needed_until.le(line)))
    };
    let ids: Vec<RequestId> = load_skip_locked!(
        conn,
        requests::table
            .filter(requests::match_due_at.le(now))
            .filter(requests::state.eq(RequestState::Open))
            .filter(
                requests::lease_until
                    .is_null()
                    .or(requests::lease_until.le(now))
            )
            .order((
                // As `Urgency::at` has it.
                (requests::urgency
                    .eq(Urgency::Now)
                    .or(is_by(now.after(near.now))))
                .desc(),
                (requests::urgency
                    .eq(Urgency::Today)
                    .or(is_by(now.after(near.today))))
                .desc(),
                requests::created_at,
                requests::id,
            ))
            .limit(limit)
            .select(requests::id)
    )?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    with!(conn, c => diesel::update(requests::table.filter(one_of(requests::id, &ids)))
        .set((requests::lease_id.eq(lease), requests::lease_until.eq(lease_until)))
        .execute(c))?;
    let mut claimed = find_all(conn, &ids)?;
    claimed.sort_by_key(|r| (r.urgency.at(r.deadline(), now, near), r.created_at, r.id));
    Ok(claimed)
}

/// When the next request may be taken: it is due, and nobody holds it any more.
///
/// # Errors
/// A failed query.
pub fn next_due(conn: &mut Conn) -> QueryResult<Option<Ts>> {
    let free: Option<Ts> = with!(conn, c => requests::table
        .filter(requests::match_due_at.is_not_null())
        .filter(requests::state.eq(RequestState::Open))
        .filter(requests::lease_until.is_null())
        .order(requests::match_due_at)
        .select(requests::match_due_at.assume_not_null())
        .first(c)
        .optional())?;
    let held: Option<Ts> = with!(conn, c => requests::table
        .filter(requests::match_due_at.is_not_null())
        .filter(requests::state.eq(RequestState::Open))
        .filter(requests::lease_until.is_not_null())
        .order(requests::lease_until)
        .select(requests::lease_until.assume_not_null())
        .first(c)
        .optional())?;
    Ok(free.into_iter().chain(held).min())
}

/// Settles a round of matching, if the lease is still held and nothing made the request due anew.
///
/// # Errors
/// A failed query.
pub fn finish_round(
    conn: &mut Conn,
    id: RequestId,
    lease: LeaseId,
    read_due: Ts,
    result: &RoundResult,
) -> QueryResult<bool> {
    let settled = with!(conn, c => diesel::update(requests::table
            .filter(requests::id.eq(id))
            .filter(requests::lease_id.eq(lease))
            .filter(requests::match_due_at.eq(read_due)))
        .set((
            result,
            requests::lease_id.eq(None::<LeaseId>),
            requests::lease_until.eq(None::<Ts>),
        ))
        .execute(c))?;
    Ok(settled == 1)
}

/// Volunteers are asked for a request outside its rounds: one that is under way comes to nothing, and the
/// next is due when this wave has had its time.
///
/// # Errors
/// A failed query.
pub fn set_wave(conn: &mut Conn, id: RequestId, wave: i32, next_wave_at: Ts) -> QueryResult<bool> {
    let set = with!(conn, c => diesel::update(requests::table
            .filter(requests::id.eq(id))
            .filter(requests::state.eq(RequestState::Open)))
        .set((
            requests::wave.eq(wave),
            requests::next_wave_at.eq(next_wave_at),
            requests::match_due_at.eq(next_wave_at),
            requests::attention.eq(None::<Attention>),
            requests::lease_id.eq(None::<LeaseId>),
            requests::lease_until.eq(None::<Ts>),
        ))
        .execute(c))?;
    Ok(set == 1)
}

/// Makes open requests due for matching, none later than it was. A round that is under way comes to
/// nothing: it may have looked before what makes the request due was there.
///
/// # Errors
/// A failed query.
pub fn make_due(conn: &mut Conn, ids: &[RequestId], due: Ts) -> QueryResult<usize> {
    let is_open = || requests::state.eq(RequestState::Open);
    let is_later = || {
        requests::match_due_at
            .is_null()
            .or(requests::match_due_at.gt(due))
            .or(requests::lease_id.is_not_null())
    };
    if ids.len() > 1 {
        // In the order of their ids, as everybody locks them.
        let _: Vec<RequestId> = load_for_update!(
            conn,
            requests::table
                .filter(one_of(requests::id, ids))
                .filter(is_open())
                .filter(is_later())
                .order(requests::id)
                .select(requests::id)
        )?;
    }
    with!(conn, c => diesel::update(requests::table
            .filter(one_of(requests::id, ids))
            .filter(is_open())
            .filter(is_later()))
        .set((requests::match_due_at.eq(due), requests::lease_id.eq(None::<LeaseId>), requests::lease_until.eq(None::<Ts>)))
        .execute(c))
}

/// Says why a person must look at live requests, or that nobody needs to.
///
/// # Errors
/// A failed query.
pub fn set_attention(
    conn: &mut Conn,
    ids: &[RequestId],
    attention: Option<Attention>,
) -> QueryResult<()> {
    with!(conn, c => diesel::update(requests::table
            .filter(one_of(requests::id, ids))
            .filter(requests::state.ne(RequestState::Closed)))
        .set(requests::attention.eq(attention))
        .execute(c))?;
    Ok(())
}

/// Makes every open request due that no round will look at again: the safety net under the clock.
///
/// # Errors
/// A failed query.
pub fn sweep(conn: &mut Conn, untouched_since: Ts, now: Ts, limit: i64) -> QueryResult<usize> {
    let is_untouched = || {
        requests::state
            .eq(RequestState::Open)
            .and(requests::match_due_at.is_null())
            .and(requests::closed_at.is_null())
            .and(requests::updated_at.le(untouched_since))
    };
    let ids: Vec<RequestId> = with!(conn, c => requests::table
        .filter(is_untouched())
        .limit(limit)
        .select(requests::id)
        .load(c))?;
    lock_all(conn, &ids)?;
    with!(conn, c => diesel::update(requests::table.filter(one_of(requests::id, &ids)).filter(is_untouched()))
        .set((requests::match_due_at.eq(now), requests::updated_at.eq(now)))
        .execute(c))
}

/// Covers `taken` more of an open request, if so much is still needed; covered whole, it leaves
/// matching. When that was first is remembered.
///
/// # Errors
/// A failed query.
pub fn take_cover(conn: &mut Conn, id: RequestId, taken: i32, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(requests::table
            .filter(requests::id.eq(id))
            .filter(requests::state.eq(RequestState::Open))
            .filter((requests::covered + taken).le(requests::quantity)))
        .set((requests::covered.eq(requests::covered + taken), requests::attention.eq(None::<Attention>), requests::updated_at.eq(now)))
        .execute(c))?;
    let covered = with!(conn, c => diesel::update(requests::table
            .filter(requests::id.eq(id))
            .filter(requests::state.eq(RequestState::Open))
            .filter(requests::covered.eq(requests::quantity)))
        .set((requests::state.eq(RequestState::Covered), requests::match_due_at.eq(None::<Ts>), requests::next_wave_at.eq(None::<Ts>)))
        .execute(c))?;
    if covered == 1 {
        rounds::set_covered(conn, id, now)?;
    }
    Ok(done == 1)
}

/// Takes cover back; an open or covered request is open again and due at once.
///
/// # Errors
/// A failed query.
pub fn give_back(conn: &mut Conn, id: RequestId, taken: i32, now: Ts) -> QueryResult<()> {
    with!(conn, c => diesel::update(requests::table.filter(requests::id.eq(id)).filter(requests::covered.ge(taken)))
        .set((requests::covered.eq(requests::covered - taken), requests::updated_at.eq(now)))
        .execute(c))?;
    with!(conn, c => diesel::update(requests::table
            .filter(requests::id.eq(id))
            .filter(one_of(requests::state, &[RequestState::Open, RequestState::Covered])))
        .set((
            requests::state.eq(RequestState::Open),
            requests::match_due_at.eq(now),
            requests::next_wave_at.eq(None::<Ts>),
            requests::lease_id.eq(None::<LeaseId>),
            requests::lease_until.eq(None::<Ts>),
        ))
        .execute(c))?;
    Ok(())
}

/// Closes a request that is not closed yet.
///
/// # Errors
/// A failed query.
pub fn close(conn: &mut Conn, id: RequestId, reason: CloseReason, now: Ts) -> QueryResult<bool> {
    let closed = with!(conn, c => diesel::update(requests::table
            .filter(requests::id.eq(id))
            .filter(requests::state.ne(RequestState::Closed)))
        .set((
            requests::state.eq(RequestState::Closed),
            requests::held_by.eq(None::<HeldBy>),
            requests::close_reason.eq(reason),
            requests::closed_at.eq(now),
            requests::attention.eq(None::<Attention>),
            requests::match_due_at.eq(None::<Ts>),
            requests::next_wave_at.eq(None::<Ts>),
            requests::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(closed == 1)
}

/// Remembers of which request a closed one is a duplicate.
///
/// # Errors
/// A failed query.
pub fn set_merged(conn: &mut Conn, id: RequestId, into: RequestId) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(requests::table
            .filter(requests::id.eq(id))
            .filter(requests::close_reason.eq(CloseReason::Duplicate)))
        .set(requests::merged_into.eq(into))
        .execute(c))?;
    Ok(done == 1)
}

/// What a reopening writes: who looks after it now is none of the sealed part any more.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as in `Request`")]
pub struct Reopening {
    pub state: RequestState,
    pub attention: Option<Attention>,
    pub sealed: Sealed,
    pub sealed_version: i32,
    pub sealed_epoch: i32,
    /// Its time must end later than this.
    pub ends_after: Ts,
}

/// Opens a closed request again whose sealed part is still there, and whose time is not over for too long.
///
/// # Errors
/// A failed query.
pub fn reopen(conn: &mut Conn, id: RequestId, new: &Reopening, now: Ts) -> QueryResult<bool> {
    let waits = new.state != RequestState::Open || new.attention.is_some();
    let done = with!(conn, c => diesel::update(requests::table
            .filter(requests::id.eq(id))
            .filter(requests::state.eq(RequestState::Closed))
            .filter(requests::sealed.is_not_null())
            .filter(requests::needed_until.gt(new.ends_after)))
        .set((
            requests::state.eq(new.state),
            requests::attention.eq(new.attention),
            requests::close_reason.eq(None::<CloseReason>),
            requests::closed_at.eq(None::<Ts>),
            requests::merged_into.eq(None::<RequestId>),
            requests::match_due_at.eq((!waits).then_some(now)),
            requests::next_wave_at.eq(None::<Ts>),
            requests::lease_id.eq(None::<LeaseId>),
            requests::lease_until.eq(None::<Ts>),
            requests::updated_at.eq(now),
            requests::sealed.eq(&new.sealed),
            requests::sealed_version.eq(new.sealed_version),
            requests::sealed_epoch.eq(new.sealed_epoch),
        ))
        .execute(c))?;
    Ok(done == 1)
}

/// Seals a request's secret part anew, if nobody did since `read_version` was read.
///
/// # Errors
/// A failed query.
pub fn reseal(
    conn: &mut Conn,
    id: RequestId,
    read_version: i32,
    sealed: &Sealed,
    epoch: i32,
) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(requests::table
            .filter(requests::id.eq(id))
            .filter(requests::sealed_version.eq(read_version))
            .filter(requests::sealed.is_not_null()))
        .set((
            requests::sealed.eq(sealed),
            requests::sealed_version.eq(read_version + 1),
            requests::sealed_epoch.eq(epoch),
        ))
        .execute(c))?;
    Ok(done == 1)
}

/// Hides an open request. A coordinator also takes over what the neighbor has hidden, so that she
/// cannot show it again by herself.
///
/// # Errors
/// A failed query.
pub fn hold(conn: &mut Conn, id: RequestId, by: HeldBy, now: Ts) -> QueryResult<bool> {
    let from = match by {
        HeldBy::Neighbor => vec![],
        HeldBy::Coordinator => vec![HeldBy::Neighbor],
    };
    let held = with!(conn, c => diesel::update(requests::table
            .filter(requests::id.eq(id))
            .filter(requests::state.eq(RequestState::Open).or(one_of(requests::held_by.assume_not_null(), &from))))
        .set((
            requests::state.eq(RequestState::Held),
            requests::held_by.eq(by),
            requests::match_due_at.eq(None::<Ts>),
            requests::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(held == 1)
}

/// Shows a request again that the same kind of person had hidden.
///
/// # Errors
/// A failed query.
pub fn unhold(conn: &mut Conn, id: RequestId, by: HeldBy, now: Ts) -> QueryResult<bool> {
    let shown = with!(conn, c => diesel::update(requests::table
            .filter(requests::id.eq(id))
            .filter(requests::held_by.eq(by)))
        .set((
            requests::state.eq(RequestState::Open),
            requests::held_by.eq(None::<HeldBy>),
            requests::match_due_at.eq(now),
            requests::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(shown == 1)
}

/// Changes a request if nobody changed it since `read_version` was read and it is not closed.
///
/// # Errors
/// A failed query.
pub fn edit(
    conn: &mut Conn,
    id: RequestId,
    read_version: i32,
    edit: &RequestEdit,
) -> QueryResult<bool> {
    let changed = with!(conn, c => diesel::update(requests::table
            .filter(requests::id.eq(id))
            .filter(requests::sealed_version.eq(read_version))
            .filter(requests::state.ne(RequestState::Closed)))
        .set(edit)
        .execute(c))?;
    Ok(changed == 1)
}

/// Moves the end of the need.
///
/// # Errors
/// A failed query.
pub fn renew(conn: &mut Conn, id: RequestId, until: Ts, now: Ts) -> QueryResult<bool> {
    let renewed = with!(conn, c => diesel::update(requests::table
            .filter(requests::id.eq(id))
            .filter(requests::state.ne(RequestState::Closed)))
        .set((requests::needed_until.eq(until), requests::updated_at.eq(now)))
        .execute(c))?;
    Ok(renewed == 1)
}

/// Live requests whose time has gone by; those for which help is promised only if it went by before
/// `promised_before`, and not while a neighbor has time to say whether it was given, as her volunteer says.
///
/// # Errors
/// A failed query.
pub fn past(
    conn: &mut Conn,
    now: Ts,
    promised_before: Ts,
    limit: i64,
) -> QueryResult<Vec<Request>> {
    let is_promised = || {
        exists(
            matches::table
                .filter(matches::request_id.eq(requests::id))
                .filter(matches::state.eq(MatchState::Accepted)),
        )
    };
    let said_done = exists(
        matches::table
            .filter(matches::request_id.eq(requests::id))
            .filter(matches::state.eq(MatchState::Accepted))
            .filter(matches::done_at.is_not_null()),
    );
    with!(conn, c => requests::table
        .filter(requests::closed_at.is_null())
        .filter(requests::needed_until.le(now))
        .filter(requests::needed_until.le(promised_before).or(not(is_promised())))
        .filter(not(said_done))
        .order((requests::needed_until, requests::id))
        .limit(limit)
        .select(Request::as_select())
        .load(c))
}

/// Whether a request is one of those of [`past`].
///
/// # Errors
/// A failed query.
pub fn is_past(conn: &mut Conn, id: RequestId, now: Ts, promised_before: Ts) -> QueryResult<bool> {
    let promises = matches::table
        .filter(matches::request_id.eq(id))
        .filter(matches::state.eq(MatchState::Accepted));
    let said_done = promises.filter(matches::done_at.is_not_null());
    let is_past: bool = with!(conn, c => diesel::select(exists(requests::table
            .filter(requests::id.eq(id))
            .filter(requests::closed_at.is_null())
            .filter(requests::needed_until.le(now))
            .filter(requests::needed_until.le(promised_before).or(not(exists(promises))))
            .filter(not(exists(said_done)))))
        .get_result(c))?;
    Ok(is_past)
}

/// Narrows requests to live ones whose time went by before an instant, of which a promise is left that nobody has
/// said anything of, and of which nobody was asked to find out yet.
macro_rules! silent {
    ($before:expr) => {
        requests::closed_at
            .is_null()
            .and(requests::needed_until.le($before))
            .and(exists(
                matches::table
                    .filter(matches::request_id.eq(requests::id))
                    .filter(matches::state.eq(MatchState::Accepted))
                    .filter(matches::done_at.is_null()),
            ))
            .and(not(exists(
                tasks::table
                    .filter(tasks::request_id.eq(requests::id.nullable()))
                    .filter(tasks::kind.eq(TaskKind::FollowUp))
                    // One from before it was renewed is over, and tells nothing of what came after.
                    .filter(
                        tasks::done_at
                            .is_null()
                            .or(tasks::created_at.ge(requests::needed_until)),
                    ),
            )))
    };
}

/// Live requests whose time went by before `before`, of which a promise is left that nobody has said anything of, and
/// of which nobody was asked to find out yet.
///
/// # Errors
/// A failed query.
pub fn silent(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<Vec<RequestId>> {
    with!(conn, c => requests::table
        .filter(silent!(before))
        .order((requests::needed_until, requests::id))
        .limit(limit)
        .select(requests::id)
        .load(c))
}

/// Those of these requests that [`silent`] would find.
///
/// # Errors
/// A failed query.
pub fn silent_among(conn: &mut Conn, before: Ts, ids: &[RequestId]) -> QueryResult<Vec<RequestId>> {
    with!(conn, c => requests::table
        .filter(one_of(requests::id, ids))
        .filter(silent!(before))
        .order(requests::id)
        .select(requests::id)
        .load(c))
}

/// Destroys the sealed part of those of these requests that are closed.
///
/// # Errors
/// A failed query.
pub fn erase_secrets(conn: &mut Conn, ids: &[RequestId]) -> QueryResult<usize> {
    with!(conn, c => diesel::update(requests::table.filter(one_of(requests::id, ids)).filter(requests::closed_at.is_not_null()))
        .set((requests::sealed.eq(None::<Sealed>), requests::sealed_epoch.eq(None::<i32>)))
        .execute(c))
}

/// Closed requests that still have a sealed part, closed before `before`.
///
/// # Errors
/// A failed query.
pub fn closed_with_secrets(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<Vec<Request>> {
    with!(conn, c => requests::table
        .filter(requests::closed_at.le(before))
        .filter(requests::sealed.is_not_null())
        .limit(limit)
        .select(Request::as_select())
        .load(c))
}

/// Moves a request to another cell, which is a material change.
///
/// # Errors
/// A failed query.
pub fn move_to(conn: &mut Conn, id: RequestId, cell: Cell, now: Ts) -> QueryResult<()> {
    with!(conn, c => diesel::update(requests::table.find(id))
        .set((
            requests::cell.eq(cell),
            requests::version.eq(requests::version + 1),
            requests::next_wave_at.eq(None::<Ts>),
            requests::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

/// Starts a request's matching again after a material change.
///
/// # Errors
/// A failed query.
pub fn restart(conn: &mut Conn, id: RequestId, now: Ts) -> QueryResult<()> {
    with!(conn, c => diesel::update(requests::table
            .filter(requests::id.eq(id))
            .filter(requests::state.eq(RequestState::Open)))
        .set((
            requests::next_wave_at.eq(None::<Ts>),
            requests::match_due_at.eq(now),
            requests::lease_id.eq(None::<LeaseId>),
            requests::lease_until.eq(None::<Ts>),
        ))
        .execute(c))?;
    Ok(())
}

/// Requests that were closed before an instant and of whose secrets nothing is left.
///
/// # Errors
/// A failed query.
pub fn to_forget(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<Vec<Request>> {
    with!(conn, c => requests::table
        .filter(requests::closed_at.le(before))
        .filter(requests::sealed.is_null())
        .order(requests::closed_at)
        .limit(limit)
        .select(Request::as_select())
        .load(c))
}

/// Deletes requests to which nothing belongs any more.
///
/// # Errors
/// A failed query.
pub fn delete(conn: &mut Conn, ids: &[RequestId]) -> QueryResult<usize> {
    rounds::delete(conn, ids)?;
    with!(conn, c => diesel::delete(requests::table.filter(one_of(requests::id, ids))).execute(c))
}
