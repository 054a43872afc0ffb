//! Volunteers: who offers.

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::connection::{Conn, insert_rows, with};
use super::dialect::{load_for_update, one_of};
use super::letters::LetterState;
use super::page::{Page, page_of};
use super::part::in_part;
use super::schema::{letters, matches, offers, volunteers};
use super::sql_types::Json;
use crate::crypto::lookup::KeyedHash;
use crate::crypto::seal::Sealed;
use crate::domain::clock::Ts;
use crate::domain::ids::{RecordId, VolunteerId};
use crate::domain::lifecycle::{MatchState, OfferState};
use crate::domain::limits::AskLimits;
use crate::domain::part::Part;

/// A volunteer, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = volunteers, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct Volunteer {
    pub id: VolunteerId,
    pub email_hash: Option<KeyedHash>,
    pub phone_hash: Option<KeyedHash>,
    pub confirmed_at: Option<Ts>,
    pub vetted_until: Option<Ts>,
    pub blocked_at: Option<Ts>,
    pub paused_at: Option<Ts>,
    pub mail_stopped_at: Option<Ts>,
    pub erased_at: Option<Ts>,
    pub last_asked_at: Option<Ts>,
    pub languages: Json<Vec<String>>,
    pub locale: String,
    pub limits: Json<AskLimits>,
    pub created_at: Ts,
    pub updated_at: Ts,
    pub group_id: Option<RecordId>,
    pub sealed: Option<Sealed>,
    pub sealed_version: i32,
    pub sealed_epoch: Option<i32>,
}

impl Volunteer {
    /// Whether the volunteer is vetted now.
    #[must_use]
    pub fn is_vetted(&self, now: Ts) -> bool {
        self.vetted_until.is_some_and(|until| until > now)
    }

    /// Whether the volunteer may be asked at all.
    #[must_use]
    pub fn is_askable(&self) -> bool {
        let stops = [
            self.blocked_at,
            self.paused_at,
            self.mail_stopped_at,
            self.erased_at,
        ];
        is_askable(self.confirmed_at, stops)
    }
}

/// Whether somebody may be asked who has confirmed then, and whom these may have stopped: a block, a pause, an end of
/// all mail, the erasure.
pub(super) fn is_askable(confirmed_at: Option<Ts>, stops: [Option<Ts>; 4]) -> bool {
    confirmed_at.is_some() && stops.iter().all(Option::is_none)
}

/// What a volunteer may change of herself.
#[derive(Clone, Debug, AsChangeset)]
#[diesel(table_name = volunteers, treat_none_as_null = true)]
#[expect(missing_docs, reason = "as in `Volunteer`")]
pub struct VolunteerEdit {
    pub phone_hash: Option<KeyedHash>,
    pub languages: Json<Vec<String>>,
    pub locale: String,
    pub limits: Json<AskLimits>,
    pub updated_at: Ts,
    pub sealed: Option<Sealed>,
    pub sealed_version: i32,
    pub sealed_epoch: Option<i32>,
}

/// Which volunteers a coordinator wants to see.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is the fact it filters by")]
pub struct VolunteerFilter {
    pub confirmed: Option<bool>,
    pub vetted: Option<bool>,
    pub blocked: Option<bool>,
    pub vetting_ends_before: Option<Ts>,
    /// With an offer there, whatever became of it.
    pub part: Part,
}

/// Writes a new volunteer.
///
/// # Errors
/// A failed query.
pub fn insert(conn: &mut Conn, volunteer: &Volunteer) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(volunteers::table).values(volunteer).execute(c))?;
    Ok(())
}

/// Writes new volunteers who come from a spreadsheet.
///
/// # Errors
/// A failed query.
pub fn insert_imported(conn: &mut Conn, new: &[Volunteer]) -> QueryResult<()> {
    insert_rows!(conn, volunteers::table, new)?;
    let ids: Vec<VolunteerId> = new.iter().map(|v| v.id).collect();
    with!(conn, c => diesel::update(volunteers::table.filter(one_of(volunteers::id, &ids)))
        .set(volunteers::imported.eq(true))
        .execute(c))?;
    Ok(())
}

/// Whether a volunteer came from a spreadsheet.
///
/// # Errors
/// A failed query.
pub fn is_imported(conn: &mut Conn, id: VolunteerId) -> QueryResult<bool> {
    let found = with!(conn, c => volunteers::table.find(id).select(volunteers::imported).first(c).optional())?;
    Ok(found.unwrap_or(false))
}

/// Everybody with one of these addresses or numbers, erased or not, and whether they came from a
/// spreadsheet.
///
/// # Errors
/// A failed query.
pub fn by_contact(
    conn: &mut Conn,
    emails: &[KeyedHash],
    phones: &[KeyedHash],
) -> QueryResult<Vec<(Volunteer, bool)>> {
    let mut all: Vec<(Volunteer, bool)> = with!(conn, c => volunteers::table
        .filter(one_of(volunteers::email_hash, emails))
        .select((Volunteer::as_select(), volunteers::imported))
        .load(c))?;
    let more: Vec<(Volunteer, bool)> = with!(conn, c => volunteers::table
        .filter(one_of(volunteers::phone_hash, phones))
        .select((Volunteer::as_select(), volunteers::imported))
        .load(c))?;
    all.extend(more);
    all.sort_by_key(|(volunteer, _)| volunteer.id);
    all.dedup_by_key(|(volunteer, _)| volunteer.id);
    Ok(all)
}

/// The volunteer, erased or not.
///
/// # Errors
/// A failed query.
pub fn find(conn: &mut Conn, id: VolunteerId) -> QueryResult<Option<Volunteer>> {
    with!(conn, c => volunteers::table.find(id).select(Volunteer::as_select()).first(c).optional())
}

/// The volunteer, which nobody else changes until the transaction ends.
///
/// # Errors
/// A failed query.
pub fn lock(conn: &mut Conn, id: VolunteerId) -> QueryResult<Option<Volunteer>> {
    Ok(lock_all(conn, &[id])?.pop())
}

/// As [`lock`], for several, by id.
///
/// # Errors
/// A failed query.
pub fn lock_all(conn: &mut Conn, ids: &[VolunteerId]) -> QueryResult<Vec<Volunteer>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    load_for_update!(
        conn,
        volunteers::table
            .filter(one_of(volunteers::id, ids))
            .order(volunteers::id)
            .select(Volunteer::as_select())
    )
}

/// Several volunteers at once, in the order of their ids.
///
/// # Errors
/// A failed query.
pub fn find_all(conn: &mut Conn, ids: &[VolunteerId]) -> QueryResult<Vec<Volunteer>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    with!(conn, c => volunteers::table.filter(one_of(volunteers::id, ids)).order(volunteers::id).select(Volunteer::as_select()).load(c))
}

/// Whether a volunteer with that address wants no mail.
///
/// # Errors
/// A failed query.
pub fn wants_no_mail(conn: &mut Conn, email: KeyedHash) -> QueryResult<bool> {
    with!(conn, c => diesel::select(exists(volunteers::table
            .filter(volunteers::email_hash.eq(email))
            .filter(volunteers::mail_stopped_at.is_not_null())))
        .get_result(c))
}

/// Whether somebody with that address or that number is blocked, erased or not.
///
/// # Errors
/// A failed query.
pub fn is_blocked(
    conn: &mut Conn,
    email: Option<KeyedHash>,
    phone: Option<KeyedHash>,
) -> QueryResult<bool> {
    let known = volunteers::email_hash
        .nullable()
        .eq(email)
        .or(volunteers::phone_hash.nullable().eq(phone));
    with!(conn, c => diesel::select(exists(volunteers::table
            .filter(volunteers::blocked_at.is_not_null())
            .filter(known)))
        .get_result(c))
}

/// Those who gave that address or that number and are not erased, confirmed or not; newest first.
///
/// # Errors
/// A failed query.
pub fn known_by(
    conn: &mut Conn,
    email: Option<KeyedHash>,
    phone: Option<KeyedHash>,
    limit: i64,
) -> QueryResult<Vec<Volunteer>> {
    let known = volunteers::email_hash
        .nullable()
        .eq(email)
        .or(volunteers::phone_hash.nullable().eq(phone));
    with!(conn, c => volunteers::table
        .filter(known)
        .filter(volunteers::erased_at.is_null())
        .order((volunteers::created_at.desc(), volunteers::id.desc()))
        .limit(limit)
        .select(Volunteer::as_select())
        .load(c))
}

/// Lets those of an address be blocked no more who were erased meanwhile.
///
/// # Errors
/// A failed query.
pub fn unblock_erased(conn: &mut Conn, email: KeyedHash) -> QueryResult<usize> {
    with!(conn, c => diesel::update(volunteers::table
            .filter(volunteers::email_hash.eq(email))
            .filter(volunteers::erased_at.is_not_null()))
        .set((
            volunteers::blocked_at.eq(None::<Ts>),
            volunteers::email_hash.eq(None::<KeyedHash>),
            volunteers::phone_hash.eq(None::<KeyedHash>),
        ))
        .execute(c))
}

/// The confirmed record of an address.
///
/// # Errors
/// A failed query.
pub fn confirmed_by_email(conn: &mut Conn, email: KeyedHash) -> QueryResult<Option<Volunteer>> {
    with!(conn, c => volunteers::table
        .filter(volunteers::email_hash.eq(email))
        .filter(volunteers::confirmed_at.is_not_null())
        .filter(volunteers::erased_at.is_null())
        .select(Volunteer::as_select())
        .first(c)
        .optional())
}

/// One page for coordinators.
///
/// # Errors
/// A failed query.
pub fn page(
    conn: &mut Conn,
    filter: &VolunteerFilter,
    now: Ts,
    page: Page,
) -> QueryResult<Vec<Volunteer>> {
    with!(conn, c => {
        let mut query = volunteers::table
            .filter(volunteers::erased_at.is_null())
            .select(Volunteer::as_select())
            .into_boxed();
        match filter.confirmed {
            Some(true) => query = query.filter(volunteers::confirmed_at.is_not_null()),
            Some(false) => query = query.filter(volunteers::confirmed_at.is_null()),
            None => {}
        }
        match filter.blocked {
            Some(true) => query = query.filter(volunteers::blocked_at.is_not_null()),
            Some(false) => query = query.filter(volunteers::blocked_at.is_null()),
            None => {}
        }
        match filter.vetted {
            Some(true) => query = query.filter(volunteers::vetted_until.gt(now)),
            Some(false) => {
                query = query.filter(volunteers::vetted_until.is_null().or(volunteers::vetted_until.le(now)));
            }
            None => {}
        }
        if let Some(before) = filter.vetting_ends_before {
            query = query.filter(volunteers::vetted_until.lt(before));
        }
        if !filter.part.is_all() {
            query = query.filter(exists(
                offers::table
                    .filter(offers::volunteer_id.eq(volunteers::id))
                    .filter(in_part(offers::category, offers::cell, &filter.part)),
            ));
        }
        page_of!(query, volunteers, page).load(c)
    })
}

/// Marks the address as confirmed, once.
///
/// # Errors
/// A failed query; a unique violation if the address has a confirmed record already.
pub fn confirm(conn: &mut Conn, id: VolunteerId, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(volunteers::table
            .filter(volunteers::id.eq(id))
            .filter(volunteers::confirmed_at.is_null())
            .filter(volunteers::erased_at.is_null()))
        .set((volunteers::confirmed_at.eq(now), volunteers::updated_at.eq(now)))
        .execute(c))?;
    Ok(done == 1)
}

/// Changes a volunteer if nobody changed the record since `read_version` was read.
///
/// # Errors
/// A failed query.
pub fn edit(
    conn: &mut Conn,
    id: VolunteerId,
    read_version: i32,
    edit: &VolunteerEdit,
) -> QueryResult<bool> {
    let changed = with!(conn, c => diesel::update(volunteers::table
            .filter(volunteers::id.eq(id))
            .filter(volunteers::sealed_version.eq(read_version))
            .filter(volunteers::erased_at.is_null()))
        .set(edit)
        .execute(c))?;
    Ok(changed == 1)
}

/// Vets a volunteer until an instant, or no longer.
///
/// # Errors
/// A failed query.
pub fn set_vetted(
    conn: &mut Conn,
    id: VolunteerId,
    until: Option<Ts>,
    now: Ts,
) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(volunteers::table.find(id).filter(volunteers::erased_at.is_null()))
        .set((volunteers::vetted_until.eq(until), volunteers::updated_at.eq(now)))
        .execute(c))?;
    Ok(done == 1)
}

/// Blocks or unblocks a volunteer.
///
/// # Errors
/// A failed query.
pub fn set_blocked(conn: &mut Conn, id: VolunteerId, at: Option<Ts>, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(volunteers::table.find(id).filter(volunteers::erased_at.is_null()))
        .set((volunteers::blocked_at.eq(at), volunteers::updated_at.eq(now)))
        .execute(c))?;
    Ok(done == 1)
}

/// Pauses or resumes everything a volunteer offers.
///
/// # Errors
/// A failed query.
pub fn set_paused(conn: &mut Conn, id: VolunteerId, at: Option<Ts>, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(volunteers::table.find(id).filter(volunteers::erased_at.is_null()))
        .set((volunteers::paused_at.eq(at), volunteers::updated_at.eq(now)))
        .execute(c))?;
    Ok(done == 1)
}

/// Remembers that a volunteer was asked.
///
/// # Errors
/// A failed query.
pub fn set_asked(conn: &mut Conn, ids: &[VolunteerId], now: Ts) -> QueryResult<()> {
    if ids.is_empty() {
        return Ok(());
    }
    with!(conn, c => diesel::update(volunteers::table.filter(one_of(volunteers::id, ids)))
        .set(volunteers::last_asked_at.eq(now))
        .execute(c))?;
    Ok(())
}

/// Stops all mail to the volunteer, who is not asked any more then.
///
/// # Errors
/// A failed query.
pub fn stop_mail(conn: &mut Conn, id: VolunteerId, now: Ts) -> QueryResult<()> {
    with!(conn, c => diesel::update(volunteers::table.find(id).filter(volunteers::mail_stopped_at.is_null()))
        .set(volunteers::mail_stopped_at.eq(now))
        .execute(c))?;
    Ok(())
}

/// Lets mail go again, when the volunteer asks for it.
///
/// # Errors
/// A failed query.
pub fn allow_mail(conn: &mut Conn, id: VolunteerId) -> QueryResult<()> {
    with!(conn, c => diesel::update(volunteers::table.find(id))
        .set(volunteers::mail_stopped_at.eq(None::<Ts>))
        .execute(c))?;
    Ok(())
}

/// Destroys the sealed part and the hashes; what remains is a number without a person. Of one who is
/// blocked the hashes stay, as of blocked pairs: erasing oneself is no way around a block.
///
/// # Errors
/// A failed query.
pub fn erase(conn: &mut Conn, id: VolunteerId, now: Ts) -> QueryResult<bool> {
    let erased = with!(conn, c => diesel::update(volunteers::table.find(id).filter(volunteers::erased_at.is_null()))
        .set((
            volunteers::sealed.eq(None::<Sealed>),
            volunteers::sealed_epoch.eq(None::<i32>),
            volunteers::erased_at.eq(now),
            volunteers::updated_at.eq(now),
        ))
        .execute(c))?;
    with!(conn, c => diesel::update(volunteers::table.find(id).filter(volunteers::blocked_at.is_null()))
        .set((
            volunteers::email_hash.eq(None::<KeyedHash>),
            volunteers::phone_hash.eq(None::<KeyedHash>),
        ))
        .execute(c))?;
    Ok(erased == 1)
}

/// Confirmed volunteers of whom nothing is open: every offer closed, no match active, no letter on its
/// way to them; and who are not blocked, because erasure would let them in again. Of all, or among some.
///
/// # Errors
/// A failed query.
pub fn without_duty(
    conn: &mut Conn,
    among: Option<&[VolunteerId]>,
    limit: i64,
) -> QueryResult<Vec<VolunteerId>> {
    let offers_left = || {
        exists(
            offers::table
                .filter(offers::volunteer_id.eq(volunteers::id))
                .filter(offers::state.ne(OfferState::Closed)),
        )
    };
    let matches_left = || {
        exists(
            offers::table
                .inner_join(matches::table)
                .filter(offers::volunteer_id.eq(volunteers::id))
                .filter(one_of(matches::state, &MatchState::ACTIVE)),
        )
    };
    let letters_left = || {
        exists(
            letters::table
                .filter(letters::to_id.eq(volunteers::id))
                .filter(letters::state.eq(LetterState::Queued)),
        )
    };
    with!(conn, c => {
        let mut query = volunteers::table
            .filter(volunteers::confirmed_at.is_not_null())
            .filter(volunteers::erased_at.is_null())
            .filter(volunteers::blocked_at.is_null())
            .filter(not(offers_left()))
            .filter(not(matches_left()))
            .filter(not(letters_left()))
            .limit(limit)
            .select(volunteers::id)
            .into_boxed();
        if let Some(ids) = among {
            query = query.filter(one_of(volunteers::id, ids));
        }
        query.load(c)
    })
}

/// Records that were never confirmed and are older than `before`; those from spreadsheets, than
/// `imported_before`.
///
/// # Errors
/// A failed query.
pub fn unconfirmed_before(
    conn: &mut Conn,
    before: Ts,
    imported_before: Ts,
    limit: i64,
) -> QueryResult<Vec<VolunteerId>> {
    let is_over = || {
        (volunteers::imported
            .eq(false)
            .and(volunteers::created_at.le(before)))
        .or(volunteers::imported
            .eq(true)
            .and(volunteers::created_at.le(imported_before)))
    };
    with!(conn, c => volunteers::table
        .filter(volunteers::confirmed_at.is_null())
        .filter(volunteers::erased_at.is_null())
        .filter(volunteers::created_at.le(before.max(imported_before)))
        .filter(is_over())
        .limit(limit)
        .select(volunteers::id)
        .load(c))
}

/// Confirmed volunteers who posted, and whose last offer ended, before an instant; none who is blocked.
/// Of all, or among some.
///
/// # Errors
/// A failed query.
pub fn idle_since(
    conn: &mut Conn,
    before: Ts,
    among: Option<&[VolunteerId]>,
    limit: i64,
) -> QueryResult<Vec<VolunteerId>> {
    with!(conn, c => {
        let mut query = volunteers::table
            .filter(volunteers::confirmed_at.le(before))
            .filter(volunteers::erased_at.is_null())
            .filter(volunteers::blocked_at.is_null())
            .filter(not(exists(
                offers::table
                    .filter(offers::volunteer_id.eq(volunteers::id))
                    .filter(offers::closed_at.is_null().or(offers::closed_at.gt(before))),
            )))
            .limit(limit)
            .select(volunteers::id)
            .into_boxed();
        if let Some(ids) = among {
            query = query.filter(one_of(volunteers::id, ids));
        }
        query.load(c)
    })
}

/// Deletes volunteers who are erased and have no offer any more, some at a time. Of those who are blocked
/// the record stays: it keeps them out.
///
/// # Errors
/// A failed query.
pub fn delete_forgotten(conn: &mut Conn, limit: i64) -> QueryResult<usize> {
    let forgotten: Vec<VolunteerId> = with!(conn, c => volunteers::table
        .filter(volunteers::erased_at.is_not_null())
        .filter(volunteers::blocked_at.is_null())
        .filter(diesel::dsl::not(diesel::dsl::exists(
            offers::table.filter(offers::volunteer_id.eq(volunteers::id)),
        )))
        .limit(limit)
        .select(volunteers::id)
        .load(c))?;
    with!(conn, c => diesel::delete(volunteers::table.filter(one_of(volunteers::id, &forgotten))).execute(c))
}
