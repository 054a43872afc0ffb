//! Offers: what volunteers give.

use std::time::Duration;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::connection::{Conn, insert_rows, with};
use super::dialect::{load_for_update, load_skip_locked, one_of};
use super::page::{Page, page_of};
use super::part::in_part;
use super::schema::{letters, matches, offer_capacity, offers, sites};
use super::sql_types::Json;
use crate::crypto::seal::Sealed;
use crate::domain::attribute::Attributes;
use crate::domain::availability::Availability;
use crate::domain::category::CategoryKey;
use crate::domain::clock::Ts;
use crate::domain::ids::{ImportId, LeaseId, OfferId, VolunteerId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::OfferState;
use crate::domain::need::{LeadTime, Quantity, Reach, Renews};
use crate::domain::part::Part;
use crate::domain::place::Cell;

/// An offer, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = offers, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct Offer {
    pub id: OfferId,
    pub volunteer_id: VolunteerId,
    pub category: CategoryKey,
    pub capacity: Quantity,
    pub renews: Renews,
    pub reach_m: Reach,
    pub available_from: Option<Ts>,
    pub available_until: Option<Ts>,
    pub opening_hours: Option<String>,
    pub timezone: String,
    pub provides: Json<Attributes>,
    pub is_site: bool,
    pub cell: Cell,
    pub state: OfferState,
    pub closed_at: Option<Ts>,
    pub expires_at: Ts,
    pub match_due_at: Option<Ts>,
    pub lease_id: Option<LeaseId>,
    pub lease_until: Option<Ts>,
    pub created_at: Ts,
    pub updated_at: Ts,
    pub sealed: Option<Sealed>,
    pub sealed_version: i32,
    pub sealed_epoch: Option<i32>,
    pub lead_minutes: LeadTime,
    /// The import that made it.
    pub import_id: Option<ImportId>,
}

impl Offer {
    /// When the offer stands; `None` if the row holds hours or a zone that do not parse any more.
    #[must_use]
    pub fn availability(&self) -> Option<Availability> {
        let opening_hours = match &self.opening_hours {
            Some(text) => Some(text.parse().ok()?),
            None => None,
        };
        Some(Availability {
            from: self.available_from,
            until: self.available_until,
            opening_hours,
            timezone: self.timezone.parse().ok()?,
        })
    }
}

impl Offer {
    /// Whether its day has come, or its time is over, as [`past`] sees it.
    #[must_use]
    pub fn is_past(&self, now: Ts) -> bool {
        self.closed_at.is_none()
            && (self.expires_at <= now || self.available_until.is_some_and(|at| at <= now))
    }

    /// Until when a close can be undone: while what is sealed is there, and before its time is over.
    /// `None` for one that is not closed, or of which nothing is left to open again.
    #[must_use]
    pub fn reopens_until(&self, sealed_after_close: Duration) -> Option<Ts> {
        self.sealed.as_ref()?;
        let ends = self.available_until.unwrap_or(self.expires_at);
        Some(
            self.closed_at?
                .after(sealed_after_close)
                .min(self.expires_at)
                .min(ends),
        )
    }
}

/// What an edit changes of an offer.
#[derive(Clone, Debug, AsChangeset)]
#[diesel(table_name = offers, treat_none_as_null = true)]
#[expect(missing_docs, reason = "as in `Offer`")]
pub struct OfferEdit {
    pub capacity: Quantity,
    pub reach_m: Reach,
    pub available_from: Option<Ts>,
    pub available_until: Option<Ts>,
    pub opening_hours: Option<String>,
    pub timezone: String,
    pub provides: Json<Attributes>,
    pub cell: Cell,
    pub updated_at: Ts,
    pub sealed: Option<Sealed>,
    pub sealed_version: i32,
    pub sealed_epoch: Option<i32>,
    pub lead_minutes: LeadTime,
}

/// Which offers a coordinator wants to see.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is the column it filters by")]
pub struct OfferFilter {
    pub state: Option<OfferState>,
    pub category: Option<String>,
    pub site: Option<bool>,
    pub volunteer: Option<VolunteerId>,
    pub part: Part,
    pub listed: Option<bool>,
    pub import: Option<ImportId>,
}

/// An offer in the shortest.
#[derive(Clone, Debug, Queryable)]
#[expect(missing_docs, reason = "as in `Offer`")]
pub struct OfferHead {
    pub id: OfferId,
    pub volunteer_id: VolunteerId,
    pub state: OfferState,
    pub category: CategoryKey,
}

/// The offers of several volunteers in the shortest, oldest first.
///
/// # Errors
/// A failed query.
pub fn heads_of(conn: &mut Conn, volunteers: &[VolunteerId]) -> QueryResult<Vec<OfferHead>> {
    if volunteers.is_empty() {
        return Ok(Vec::new());
    }
    with!(conn, c => offers::table
        .filter(one_of(offers::volunteer_id, volunteers))
        .order((offers::created_at, offers::id))
        .select((offers::id, offers::volunteer_id, offers::state, offers::category))
        .load(c))
}

/// Writes new offers.
///
/// # Errors
/// A failed query.
pub fn insert(conn: &mut Conn, new: &[Offer]) -> QueryResult<()> {
    insert_rows!(conn, offers::table, new)?;
    Ok(())
}

/// The offer.
///
/// # Errors
/// A failed query.
pub fn find(conn: &mut Conn, id: OfferId) -> QueryResult<Option<Offer>> {
    with!(conn, c => offers::table.find(id).select(Offer::as_select()).first(c).optional())
}

/// The offer, which nobody else changes until the transaction ends.
///
/// # Errors
/// A failed query.
pub fn lock(conn: &mut Conn, id: OfferId) -> QueryResult<Option<Offer>> {
    Ok(lock_all(conn, &[id])?.pop())
}

/// As [`lock`], for several, by id.
///
/// # Errors
/// A failed query.
pub fn lock_all(conn: &mut Conn, ids: &[OfferId]) -> QueryResult<Vec<Offer>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    load_for_update!(
        conn,
        offers::table
            .filter(one_of(offers::id, ids))
            .order(offers::id)
            .select(Offer::as_select())
    )
}

/// Whose these offers are.
///
/// # Errors
/// A failed query.
pub fn owners(conn: &mut Conn, ids: &[OfferId]) -> QueryResult<Vec<(OfferId, VolunteerId)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    with!(conn, c => offers::table
        .filter(one_of(offers::id, ids))
        .select((offers::id, offers::volunteer_id))
        .load(c))
}

/// Several offers at once, in the order of their ids.
///
/// # Errors
/// A failed query.
pub fn find_all(conn: &mut Conn, ids: &[OfferId]) -> QueryResult<Vec<Offer>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    with!(conn, c => offers::table.filter(one_of(offers::id, ids)).order(offers::id).select(Offer::as_select()).load(c))
}

/// All offers of a volunteer, oldest first.
///
/// # Errors
/// A failed query.
pub fn of_volunteer(conn: &mut Conn, volunteer: VolunteerId) -> QueryResult<Vec<Offer>> {
    with!(conn, c => offers::table
        .filter(offers::volunteer_id.eq(volunteer))
        .order((offers::created_at, offers::id))
        .select(Offer::as_select())
        .load(c))
}

/// The ids of the offers of several volunteers.
///
/// # Errors
/// A failed query.
pub fn ids_of(conn: &mut Conn, volunteers: &[VolunteerId]) -> QueryResult<Vec<OfferId>> {
    with!(conn, c => offers::table
        .filter(one_of(offers::volunteer_id, volunteers))
        .select(offers::id)
        .load(c))
}

/// What several volunteers have posted that is not closed.
///
/// # Errors
/// A failed query.
pub fn live_of(conn: &mut Conn, volunteers: &[VolunteerId]) -> QueryResult<Vec<Offer>> {
    if volunteers.is_empty() {
        return Ok(Vec::new());
    }
    with!(conn, c => offers::table
        .filter(one_of(offers::volunteer_id, volunteers))
        .filter(offers::state.ne(OfferState::Closed))
        .select(Offer::as_select())
        .load(c))
}

/// How many there are whose personal parts are still there.
///
/// # Errors
/// A failed query.
pub fn with_persons(conn: &mut Conn, filter: &OfferFilter) -> QueryResult<i64> {
    with!(conn, c => {
        let mut query = offers::table.filter(offers::sealed.is_not_null()).count().into_boxed();
        if !filter.part.is_all() {
            query = query.filter(in_part(offers::category, offers::cell, &filter.part));
        }
        if let Some(state) = filter.state {
            query = query.filter(offers::state.eq(state));
        }
        query.get_result(c)
    })
}

/// One page for coordinators.
///
/// # Errors
/// A failed query.
pub fn page(conn: &mut Conn, filter: &OfferFilter, page: Page) -> QueryResult<Vec<Offer>> {
    with!(conn, c => {
        let mut query = offers::table.select(Offer::as_select()).into_boxed();
        if !filter.part.is_all() {
            query = query.filter(in_part(offers::category, offers::cell, &filter.part));
        }
        if let Some(state) = filter.state {
            query = query.filter(offers::state.eq(state));
        }
        if let Some(category) = &filter.category {
            query = query.filter(offers::category.eq(category.clone()));
        }
        if let Some(site) = filter.site {
            query = query.filter(offers::is_site.eq(site));
        }
        if let Some(volunteer) = filter.volunteer {
            query = query.filter(offers::volunteer_id.eq(volunteer));
        }
        if let Some(import) = filter.import {
            query = query.filter(offers::import_id.eq(import));
        }
        let is_listed = || exists(sites::table.filter(sites::offer_id.eq(offers::id)));
        match filter.listed {
            Some(true) => query = query.filter(is_listed()),
            Some(false) => query = query.filter(not(is_listed())),
            None => {}
        }
        page_of!(query, offers, page).load(c)
    })
}

/// Open offers from `after` on, in the order of their ids: for loading the index.
///
/// # Errors
/// A failed query.
pub fn open_after(conn: &mut Conn, after: Option<OfferId>, limit: i64) -> QueryResult<Vec<Offer>> {
    with!(conn, c => {
        let mut query = offers::table
            .filter(offers::state.eq(OfferState::Open))
            .order(offers::id)
            .limit(limit)
            .select(Offer::as_select())
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(offers::id.gt(after));
        }
        query.load(c)
    })
}

/// Takes due offers, longest waiting first. They stay taken until `lease_until`.
///
/// # Errors
/// A failed query.
pub fn claim_due(
    conn: &mut Conn,
    now: Ts,
    lease: LeaseId,
    lease_until: Ts,
    limit: i64,
) -> QueryResult<Vec<Offer>> {
    let ids: Vec<OfferId> = load_skip_locked!(
        conn,
        offers::table
            .filter(offers::match_due_at.le(now))
            .filter(
                offers::lease_until
                    .is_null()
                    .or(offers::lease_until.le(now))
            )
            .order((offers::match_due_at, offers::id))
            .limit(limit)
            .select(offers::id)
    )?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    with!(conn, c => diesel::update(offers::table.filter(one_of(offers::id, &ids)))
        .set((offers::lease_id.eq(lease), offers::lease_until.eq(lease_until)))
        .execute(c))?;
    let mut claimed = find_all(conn, &ids)?;
    claimed.sort_by_key(|o| (o.match_due_at, o.id));
    Ok(claimed)
}

/// When the next offer may be taken: it is due, and nobody holds it any more.
///
/// # Errors
/// A failed query.
pub fn next_due(conn: &mut Conn) -> QueryResult<Option<Ts>> {
    let free: Option<Ts> = with!(conn, c => offers::table
        .filter(offers::match_due_at.is_not_null())
        .filter(offers::lease_until.is_null())
        .order(offers::match_due_at)
        .select(offers::match_due_at.assume_not_null())
        .first(c)
        .optional())?;
    let held: Option<Ts> = with!(conn, c => offers::table
        .filter(offers::match_due_at.is_not_null())
        .filter(offers::lease_until.is_not_null())
        .order(offers::lease_until)
        .select(offers::lease_until.assume_not_null())
        .first(c)
        .optional())?;
    Ok(free.into_iter().chain(held).min())
}

/// Settles a due offer, which is due again then, if the lease is still held and nothing made it due anew.
///
/// # Errors
/// A failed query.
pub fn finish_round(
    conn: &mut Conn,
    id: OfferId,
    lease: LeaseId,
    read_due: Ts,
    again_at: Option<Ts>,
) -> QueryResult<bool> {
    let settled = with!(conn, c => diesel::update(offers::table
            .filter(offers::id.eq(id))
            .filter(offers::lease_id.eq(lease))
            .filter(offers::match_due_at.eq(read_due)))
        .set((
            offers::match_due_at.eq(again_at),
            offers::lease_id.eq(None::<LeaseId>),
            offers::lease_until.eq(None::<Ts>),
        ))
        .execute(c))?;
    Ok(settled == 1)
}

/// Makes offers due: their volunteers' requests are looked for, by any of their offers. So a closed one may be
/// due as well, when a match of it ends and its volunteer has room for another.
///
/// # Errors
/// A failed query.
pub fn make_due(conn: &mut Conn, ids: &[OfferId], due: Ts) -> QueryResult<usize> {
    if ids.len() > 1 {
        // In the order of their ids, as everybody locks them.
        let _: Vec<OfferId> = load_for_update!(
            conn,
            offers::table
                .filter(one_of(offers::id, ids))
                .order(offers::id)
                .select(offers::id)
        )?;
    }
    with!(conn, c => diesel::update(offers::table
            .filter(one_of(offers::id, ids)))
        .set((offers::match_due_at.eq(due), offers::lease_id.eq(None::<LeaseId>), offers::lease_until.eq(None::<Ts>)))
        .execute(c))
}

/// Moves an offer from one state to another; an offer that opens is due at once, and one that was due stays so.
///
/// # Errors
/// A failed query.
pub fn set_state(
    conn: &mut Conn,
    id: OfferId,
    from: OfferState,
    to: OfferState,
    now: Ts,
) -> QueryResult<bool> {
    let due = (to == OfferState::Open).then_some(now);
    let closed_at = (to == OfferState::Closed).then_some(now);
    let done = with!(conn, c => diesel::update(offers::table.filter(offers::id.eq(id)).filter(offers::state.eq(from)))
        .set((
            offers::state.eq(to),
            offers::closed_at.eq(closed_at),
            due.map(|at| offers::match_due_at.eq(at)),
            offers::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(done == 1)
}

/// Moves all offers of one volunteer to another, when the second post of an address is confirmed.
///
/// # Errors
/// A failed query.
pub fn move_to(conn: &mut Conn, from: VolunteerId, to: VolunteerId) -> QueryResult<usize> {
    with!(conn, c => diesel::update(offers::table.filter(offers::volunteer_id.eq(from)))
        .set(offers::volunteer_id.eq(to))
        .execute(c))
}

/// Puts an offer into another cell: that of its owner's earlier offers, when she is recognized.
///
/// # Errors
/// A failed query.
pub fn set_cell(conn: &mut Conn, id: OfferId, cell: Cell) -> QueryResult<()> {
    with!(conn, c => diesel::update(offers::table.find(id)).set(offers::cell.eq(cell)).execute(c))?;
    Ok(())
}

/// Changes an offer if nobody changed it since `read_version` was read and it is not closed.
///
/// # Errors
/// A failed query.
pub fn edit(
    conn: &mut Conn,
    id: OfferId,
    read_version: i32,
    edit: &OfferEdit,
) -> QueryResult<bool> {
    let changed = with!(conn, c => diesel::update(offers::table
            .filter(offers::id.eq(id))
            .filter(offers::sealed_version.eq(read_version))
            .filter(offers::state.ne(OfferState::Closed)))
        .set(edit)
        .execute(c))?;
    Ok(changed == 1)
}

/// Moves the day on which an offer ends by itself.
///
/// # Errors
/// A failed query.
pub fn renew(conn: &mut Conn, id: OfferId, expires_at: Ts, now: Ts) -> QueryResult<bool> {
    let renewed = with!(conn, c => diesel::update(offers::table
            .filter(offers::id.eq(id))
            .filter(offers::state.ne(OfferState::Closed)))
        .set((offers::expires_at.eq(expires_at), offers::updated_at.eq(now)))
        .execute(c))?;
    Ok(renewed == 1)
}

/// Live offers whose day has come, or whose time is over, in the order of their ids.
///
/// # Errors
/// A failed query.
pub fn past(conn: &mut Conn, now: Ts, limit: i64) -> QueryResult<Vec<Offer>> {
    let mut past: Vec<Offer> = with!(conn, c => offers::table
        // Each arm by itself finds its index, on every backend.
        .filter(
            offers::closed_at.is_null().and(offers::expires_at.le(now))
                .or(offers::closed_at.is_null().and(offers::available_until.le(now))),
        )
        .limit(limit)
        .select(Offer::as_select())
        .load(c))?;
    // Not by the query, which would walk through all of them in that order.
    past.sort_by_key(|offer| offer.id);
    Ok(past)
}

/// Destroys the sealed part of closed offers.
///
/// # Errors
/// A failed query.
pub fn erase_secrets(conn: &mut Conn, ids: &[OfferId]) -> QueryResult<usize> {
    with!(conn, c => diesel::update(offers::table.filter(one_of(offers::id, ids)).filter(offers::closed_at.is_not_null()))
        .set((offers::sealed.eq(None::<Sealed>), offers::sealed_epoch.eq(None::<i32>)))
        .execute(c))
}

/// Closed offers that still have a sealed part, closed before `before`.
///
/// # Errors
/// A failed query.
pub fn closed_with_secrets(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<Vec<OfferId>> {
    with!(conn, c => offers::table
        .filter(offers::closed_at.le(before))
        .filter(offers::sealed.is_not_null())
        .limit(limit)
        .select(offers::id)
        .load(c))
}

/// Volunteers whose offers end before an instant, of those who have not been asked since another whether
/// they still stand.
///
/// # Errors
/// A failed query.
pub fn owners_to_ask(
    conn: &mut Conn,
    before: Ts,
    since: Ts,
    limit: i64,
) -> QueryResult<Vec<VolunteerId>> {
    let asked = letters::table
        .filter(letters::to_id.eq(offers::volunteer_id))
        .filter(letters::kind.eq(LetterKind::Expiring))
        .filter(letters::created_at.gt(since));
    with!(conn, c => offers::table
        .filter(offers::state.eq(OfferState::Open))
        .filter(offers::closed_at.is_null())
        .filter(offers::expires_at.le(before))
        .filter(diesel::dsl::not(diesel::dsl::exists(asked)))
        .order(offers::volunteer_id)
        .limit(limit)
        .select(offers::volunteer_id)
        .distinct()
        .load(c))
}

/// Offers that were closed before an instant, of whose secrets nothing is left, and to which no match
/// belongs.
///
/// # Errors
/// A failed query.
pub fn to_forget(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<Vec<OfferId>> {
    with!(conn, c => offers::table
        .filter(offers::closed_at.le(before))
        .filter(offers::sealed.is_null())
        .filter(diesel::dsl::not(diesel::dsl::exists(
            matches::table.filter(matches::offer_id.eq(offers::id)),
        )))
        .order(offers::closed_at)
        .limit(limit)
        .select(offers::id)
        .load(c))
}

/// Deletes offers with what they had free and their public face.
///
/// # Errors
/// A failed query, or an offer to which a match belongs.
pub fn delete(conn: &mut Conn, ids: &[OfferId]) -> QueryResult<()> {
    with!(conn, c => diesel::delete(offer_capacity::table.filter(one_of(offer_capacity::offer_id, ids))).execute(c))?;
    with!(conn, c => diesel::delete(sites::table.filter(one_of(sites::offer_id, ids))).execute(c))?;
    with!(conn, c => diesel::delete(offers::table.filter(one_of(offers::id, ids))).execute(c))?;
    Ok(())
}
