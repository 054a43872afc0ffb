//! Neighbors: who asks.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::connection::{Conn, insert_rows, with};
use super::dialect::{load_for_update, one_of};
use super::page::{Page, page_of};
use super::schema::{neighbors, requests, tasks};
use super::sql_types::Json;
use crate::crypto::lookup::KeyedHash;
use crate::crypto::seal::Sealed;
use crate::domain::clock::Ts;
use crate::domain::ids::{CoordinatorId, NeighborId, RecordId};
use crate::domain::need::Verified;
use crate::domain::place::Cell;
use crate::domain::remit::Remit;

/// A neighbor, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = neighbors, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct Neighbor {
    pub id: NeighborId,
    pub cell: Cell,
    pub email_hash: Option<KeyedHash>,
    pub phone_hash: Option<KeyedHash>,
    pub verified: Verified,
    pub languages: Json<Vec<String>>,
    pub locale: String,
    pub agree_first: bool,
    pub entered_by: Option<CoordinatorId>,
    pub mail_stopped_at: Option<Ts>,
    pub erased_at: Option<Ts>,
    pub created_at: Ts,
    pub updated_at: Ts,
    pub group_id: Option<RecordId>,
    pub sealed: Option<Sealed>,
    pub sealed_version: i32,
    pub sealed_epoch: Option<i32>,
    pub caller_email_hash: Option<KeyedHash>,
    pub caller_phone_hash: Option<KeyedHash>,
    pub blocked_at: Option<Ts>,
}

/// What a neighbor may change of herself.
#[derive(Clone, Debug, AsChangeset)]
#[diesel(table_name = neighbors, treat_none_as_null = true)]
#[expect(missing_docs, reason = "as in `Neighbor`")]
pub struct NeighborEdit {
    pub cell: Cell,
    pub email_hash: Option<KeyedHash>,
    pub phone_hash: Option<KeyedHash>,
    pub languages: Json<Vec<String>>,
    pub locale: String,
    pub agree_first: bool,
    pub updated_at: Ts,
    pub sealed: Option<Sealed>,
    pub sealed_version: i32,
    pub sealed_epoch: Option<i32>,
    pub caller_email_hash: Option<KeyedHash>,
    pub caller_phone_hash: Option<KeyedHash>,
}

impl Neighbor {
    /// All by which the person is known again: e-mail address and phone number.
    #[must_use]
    pub fn contact_hashes(&self) -> Vec<KeyedHash> {
        self.email_hash.into_iter().chain(self.phone_hash).collect()
    }

    /// All by which who calls for her is known again.
    #[must_use]
    pub fn caller_hashes(&self) -> Vec<KeyedHash> {
        self.caller_email_hash
            .into_iter()
            .chain(self.caller_phone_hash)
            .collect()
    }

    /// Something by which the person is known again where there is one: e-mail first, then phone.
    #[must_use]
    pub fn contact_hash(&self) -> Option<KeyedHash> {
        self.email_hash.or(self.phone_hash)
    }
}

/// Writes a new neighbor.
///
/// # Errors
/// A failed query.
pub fn insert(conn: &mut Conn, neighbor: &Neighbor) -> QueryResult<()> {
    with!(conn, c => diesel::insert_into(neighbors::table).values(neighbor).execute(c))?;
    Ok(())
}

/// Writes new neighbors who come from a spreadsheet.
///
/// # Errors
/// A failed query.
pub fn insert_imported(conn: &mut Conn, new: &[Neighbor]) -> QueryResult<()> {
    insert_rows!(conn, neighbors::table, new)?;
    let ids: Vec<NeighborId> = new.iter().map(|n| n.id).collect();
    with!(conn, c => diesel::update(neighbors::table.filter(one_of(neighbors::id, &ids)))
        .set(neighbors::imported.eq(true))
        .execute(c))?;
    Ok(())
}

/// Everybody with one of these addresses or numbers, and whether they came from a spreadsheet.
///
/// # Errors
/// A failed query.
pub fn by_contact(
    conn: &mut Conn,
    emails: &[KeyedHash],
    phones: &[KeyedHash],
) -> QueryResult<Vec<(Neighbor, bool)>> {
    let mut all: Vec<(Neighbor, bool)> = with!(conn, c => neighbors::table
        .filter(one_of(neighbors::email_hash, emails))
        .select((Neighbor::as_select(), neighbors::imported))
        .load(c))?;
    let more: Vec<(Neighbor, bool)> = with!(conn, c => neighbors::table
        .filter(one_of(neighbors::phone_hash, phones))
        .select((Neighbor::as_select(), neighbors::imported))
        .load(c))?;
    all.extend(more);
    all.sort_by_key(|(neighbor, _)| neighbor.id);
    all.dedup_by_key(|(neighbor, _)| neighbor.id);
    Ok(all)
}

/// The neighbor, erased or not.
///
/// # Errors
/// A failed query.
pub fn find(conn: &mut Conn, id: NeighborId) -> QueryResult<Option<Neighbor>> {
    with!(conn, c => neighbors::table.find(id).select(Neighbor::as_select()).first(c).optional())
}

/// The neighbor, which nobody else changes until the transaction ends.
///
/// # Errors
/// A failed query.
pub fn lock(conn: &mut Conn, id: NeighborId) -> QueryResult<Option<Neighbor>> {
    Ok(lock_all(conn, &[id])?.pop())
}

/// As [`lock`], for several, by id.
///
/// # Errors
/// A failed query.
pub fn lock_all(conn: &mut Conn, ids: &[NeighborId]) -> QueryResult<Vec<Neighbor>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    load_for_update!(
        conn,
        neighbors::table
            .filter(one_of(neighbors::id, ids))
            .order(neighbors::id)
            .select(Neighbor::as_select())
    )
}

/// Several neighbors at once, in the order of their ids.
///
/// # Errors
/// A failed query.
pub fn find_all(conn: &mut Conn, ids: &[NeighborId]) -> QueryResult<Vec<Neighbor>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    with!(conn, c => neighbors::table.filter(one_of(neighbors::id, ids)).order(neighbors::id).select(Neighbor::as_select()).load(c))
}

/// Whom a coordinator reaches who does not reach everybody: whom they have entered, and whom an open task is about that
/// they have.
macro_rules! reached_by {
    ($by:expr) => {
        neighbors::entered_by.eq($by).or(exists(
            tasks::table
                .filter(tasks::neighbor_id.eq(neighbors::id.nullable()))
                .filter(tasks::claimed_by.eq($by))
                .filter(tasks::done_at.is_null()),
        ))
    };
}

/// One page for coordinators, of those within the remit; only blocked ones, or only others, if it says so.
///
/// # Errors
/// A failed query.
pub fn page(
    conn: &mut Conn,
    remit: Remit,
    blocked: Option<bool>,
    page: Page,
) -> QueryResult<Vec<Neighbor>> {
    with!(conn, c => {
        let mut query = neighbors::table
            .filter(neighbors::erased_at.is_null())
            .select(Neighbor::as_select())
            .into_boxed();
        query = match remit {
            Remit::All => query,
            Remit::Neighbor(id) => query.filter(neighbors::id.eq(id)),
            Remit::EnteredBy(id) => query.filter(reached_by!(id)),
        };
        match blocked {
            Some(true) => query = query.filter(neighbors::blocked_at.is_not_null()),
            Some(false) => query = query.filter(neighbors::blocked_at.is_null()),
            None => {}
        }
        page_of!(query, neighbors, page).load(c)
    })
}

/// Whether the remit holds the neighbor.
///
/// # Errors
/// A failed query.
pub fn is_within(conn: &mut Conn, remit: Remit, id: NeighborId) -> QueryResult<bool> {
    match remit {
        Remit::All => Ok(true),
        Remit::Neighbor(own) => Ok(own == id),
        Remit::EnteredBy(by) => with!(conn, c => diesel::select(exists(neighbors::table
                .filter(neighbors::id.eq(id))
                .filter(reached_by!(by))))
            .get_result(c)),
    }
}

/// The neighbor, if the remit holds her.
///
/// # Errors
/// A failed query.
pub fn find_within(conn: &mut Conn, remit: Remit, id: NeighborId) -> QueryResult<Option<Neighbor>> {
    match is_within(conn, remit, id)? {
        true => find(conn, id),
        false => Ok(None),
    }
}

/// Those within the remit who gave that address or that number, or for whom somebody who gave it has
/// called; newest first.
///
/// # Errors
/// A failed query.
pub fn known_by(
    conn: &mut Conn,
    remit: Remit,
    email: Option<KeyedHash>,
    phone: Option<KeyedHash>,
    limit: i64,
) -> QueryResult<Vec<Neighbor>> {
    let hers = neighbors::email_hash
        .nullable()
        .eq(email)
        .or(neighbors::phone_hash.nullable().eq(phone));
    let callers = neighbors::caller_email_hash
        .nullable()
        .eq(email)
        .or(neighbors::caller_phone_hash.nullable().eq(phone));
    with!(conn, c => {
        let mut query = neighbors::table
            .filter(hers.or(callers))
            .filter(neighbors::erased_at.is_null())
            .order((neighbors::created_at.desc(), neighbors::id.desc()))
            .limit(limit)
            .select(Neighbor::as_select())
            .into_boxed();
        query = match remit {
            Remit::All => query,
            Remit::Neighbor(id) => query.filter(neighbors::id.eq(id)),
            Remit::EnteredBy(id) => query.filter(reached_by!(id)),
        };
        query.load(c)
    })
}

/// Changes a neighbor if nobody changed her since `read_version` was read.
///
/// # Errors
/// A failed query.
pub fn edit(
    conn: &mut Conn,
    id: NeighborId,
    read_version: i32,
    edit: &NeighborEdit,
) -> QueryResult<bool> {
    let changed = with!(conn, c => diesel::update(neighbors::table
            .filter(neighbors::id.eq(id))
            .filter(neighbors::sealed_version.eq(read_version))
            .filter(neighbors::erased_at.is_null()))
        .set(edit)
        .execute(c))?;
    Ok(changed == 1)
}

/// How a neighbor was verified; none for one who is not there.
///
/// # Errors
/// A failed query.
pub fn verified(conn: &mut Conn, id: NeighborId) -> QueryResult<Verified> {
    let found = with!(conn, c => neighbors::table.find(id).select(neighbors::verified).first(c).optional())?;
    Ok(found.unwrap_or(Verified::None))
}

/// Notes that the address of that keyed hash works, where the neighbor still has it.
///
/// # Errors
/// A failed query.
pub fn prove_address(
    conn: &mut Conn,
    id: NeighborId,
    address: KeyedHash,
    now: Ts,
) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(neighbors::table
            .find(id)
            .filter(neighbors::email_hash.eq(address))
            .filter(neighbors::verified.eq(Verified::None)))
        .set((neighbors::verified.eq(Verified::Email), neighbors::updated_at.eq(now)))
        .execute(c))?;
    Ok(done == 1)
}

/// Notes that somebody has spoken with a neighbor, or knows her.
///
/// # Errors
/// A failed query.
pub fn verify(conn: &mut Conn, id: NeighborId, how: Verified, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(neighbors::table
            .filter(neighbors::id.eq(id))
            .filter(one_of(neighbors::verified, &[Verified::None, Verified::Email]))
            .filter(neighbors::erased_at.is_null()))
        .set((neighbors::verified.eq(how), neighbors::updated_at.eq(now)))
        .execute(c))?;
    Ok(done == 1)
}

/// Says anew how far a neighbor's contact was checked, where it stands as it was read.
///
/// # Errors
/// A failed query.
pub fn set_verified(
    conn: &mut Conn,
    id: NeighborId,
    read: Verified,
    how: Verified,
    now: Ts,
) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(neighbors::table
            .find(id)
            .filter(neighbors::verified.eq(read))
            .filter(neighbors::erased_at.is_null()))
        .set((neighbors::verified.eq(how), neighbors::updated_at.eq(now)))
        .execute(c))?;
    Ok(done == 1)
}

/// The address has changed: that the former one worked says nothing of it.
///
/// # Errors
/// A failed query.
pub fn forget_proof(conn: &mut Conn, id: NeighborId) -> QueryResult<()> {
    with!(conn, c => diesel::update(neighbors::table
            .find(id)
            .filter(neighbors::verified.eq(Verified::Email)))
        .set(neighbors::verified.eq(Verified::None))
        .execute(c))?;
    Ok(())
}

/// Whether a neighbor with that address wants no mail.
///
/// # Errors
/// A failed query.
pub fn wants_no_mail(conn: &mut Conn, email: KeyedHash) -> QueryResult<bool> {
    with!(conn, c => diesel::select(diesel::dsl::exists(neighbors::table
            .filter(neighbors::email_hash.eq(email))
            .filter(neighbors::mail_stopped_at.is_not_null())))
        .get_result(c))
}

/// Records of the same person, by e-mail address or phone number, in the order of their ids; none that is
/// erased.
///
/// # Errors
/// A failed query.
pub fn of_contacts(conn: &mut Conn, contacts: &[KeyedHash]) -> QueryResult<Vec<Neighbor>> {
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    // One after the other, so that each finds its index.
    let mut found: Vec<Neighbor> = with!(conn, c => neighbors::table
        .filter(one_of(neighbors::email_hash.assume_not_null(), contacts))
        .filter(neighbors::email_hash.is_not_null())
        .filter(neighbors::erased_at.is_null())
        .select(Neighbor::as_select())
        .load(c))?;
    let by_phone: Vec<Neighbor> = with!(conn, c => neighbors::table
        .filter(one_of(neighbors::phone_hash.assume_not_null(), contacts))
        .filter(neighbors::phone_hash.is_not_null())
        .filter(neighbors::erased_at.is_null())
        .select(Neighbor::as_select())
        .load(c))?;
    found.extend(by_phone);
    found.sort_by_key(|n| n.id);
    found.dedup_by_key(|n| n.id);
    Ok(found)
}

/// For whom somebody with one of these contacts has called.
///
/// # Errors
/// A failed query.
pub fn called_for_by(conn: &mut Conn, callers: &[KeyedHash]) -> QueryResult<Vec<NeighborId>> {
    if callers.is_empty() {
        return Ok(Vec::new());
    }
    // One after the other, so that each finds its index.
    let mut found: Vec<NeighborId> = with!(conn, c => neighbors::table
        .filter(one_of(neighbors::caller_email_hash.assume_not_null(), callers))
        .filter(neighbors::caller_email_hash.is_not_null())
        .select(neighbors::id)
        .load(c))?;
    let by_phone: Vec<NeighborId> = with!(conn, c => neighbors::table
        .filter(one_of(neighbors::caller_phone_hash.assume_not_null(), callers))
        .filter(neighbors::caller_phone_hash.is_not_null())
        .select(neighbors::id)
        .load(c))?;
    found.extend(by_phone);
    Ok(found)
}

/// Blocks or unblocks a neighbor.
///
/// # Errors
/// A failed query.
pub fn set_blocked(conn: &mut Conn, id: NeighborId, at: Option<Ts>, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(neighbors::table.find(id).filter(neighbors::erased_at.is_null()))
        .set((neighbors::blocked_at.eq(at), neighbors::updated_at.eq(now)))
        .execute(c))?;
    Ok(done == 1)
}

/// Stops all mail to the neighbor.
///
/// # Errors
/// A failed query.
pub fn stop_mail(conn: &mut Conn, id: NeighborId, now: Ts) -> QueryResult<()> {
    with!(conn, c => diesel::update(neighbors::table.find(id).filter(neighbors::mail_stopped_at.is_null()))
        .set(neighbors::mail_stopped_at.eq(now))
        .execute(c))?;
    Ok(())
}

/// Destroys the sealed part and the hashes; what remains is a number without a person.
///
/// # Errors
/// A failed query.
pub fn erase(conn: &mut Conn, id: NeighborId, now: Ts) -> QueryResult<bool> {
    let erased = with!(conn, c => diesel::update(neighbors::table.find(id).filter(neighbors::erased_at.is_null()))
        .set((
            neighbors::sealed.eq(None::<Sealed>),
            neighbors::sealed_epoch.eq(None::<i32>),
            neighbors::email_hash.eq(None::<KeyedHash>),
            neighbors::phone_hash.eq(None::<KeyedHash>),
            neighbors::caller_email_hash.eq(None::<KeyedHash>),
            neighbors::caller_phone_hash.eq(None::<KeyedHash>),
            neighbors::erased_at.eq(now),
            neighbors::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(erased == 1)
}

/// Deletes those of these neighbors who are erased and have no request any more.
///
/// # Errors
/// A failed query.
pub fn delete_forgotten(conn: &mut Conn, ids: &[NeighborId]) -> QueryResult<usize> {
    with!(conn, c => diesel::delete(neighbors::table
            .filter(one_of(neighbors::id, ids))
            .filter(neighbors::erased_at.is_not_null())
            .filter(diesel::dsl::not(diesel::dsl::exists(
                requests::table.filter(requests::neighbor_id.eq(neighbors::id)),
            ))))
        .execute(c))
}
