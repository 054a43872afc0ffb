//! What becomes of a match after its volunteer has said yes, until it ends.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::{DoneBy, announced};
use crate::domain::clock::Ts;
use crate::domain::ids::{MatchId, RequestId, VolunteerId};
use crate::domain::lifecycle::{Agreement, FallReason, MatchState};
use crate::domain::report::Side;
use crate::storage::connection::{Conn, with};
use crate::storage::dialect::one_of;
use crate::storage::schema::{matches, offers, requests};

/// The volunteer says, or has another say, that the help was given: the neighbor has some time to tell otherwise.
///
/// # Errors
/// A failed query.
pub fn say_done(conn: &mut Conn, id: MatchId, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(matches::table
            .filter(matches::id.eq(id))
            .filter(matches::state.eq(MatchState::Accepted))
            .filter(one_of(matches::agreement, &[Agreement::None, Agreement::Agreed]))
            .filter(matches::done_at.is_null()))
        .set((
            matches::done_at.eq(now),
            matches::done_by.eq(DoneBy::Volunteer),
            matches::remind_at.eq(None::<Ts>),
            matches::updated_at.eq(now),
        ))
        .execute(c))?;
    announced(conn, id, done, now)
}

/// The place that the match holds is free again; the caller gives it back in the same transaction.
///
/// # Errors
/// A failed query.
pub fn return_place(conn: &mut Conn, id: MatchId, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(matches::table
            .filter(matches::id.eq(id))
            .filter(matches::returned_at.is_null()))
        .set(matches::returned_at.eq(now))
        .execute(c))?;
    Ok(done == 1)
}

/// The volunteer arrives at another time than she has said, and both are reminded before that.
///
/// # Errors
/// A failed query.
pub fn set_arrival(
    conn: &mut Conn,
    id: MatchId,
    arrival_at: Ts,
    remind_at: Option<Ts>,
    now: Ts,
) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(matches::table
            .filter(matches::id.eq(id))
            .filter(matches::state.eq(MatchState::Accepted))
            .filter(matches::done_at.is_null()))
        .set((
            matches::arrival_at.eq(arrival_at),
            matches::remind_at.eq(remind_at),
            matches::updated_at.eq(now),
        ))
        .execute(c))?;
    announced(conn, id, done, now)
}

/// Which side says that the other did not come.
///
/// # Errors
/// A failed query.
pub fn set_no_show_by(conn: &mut Conn, id: MatchId, by: Side) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(matches::table
            .filter(matches::id.eq(id))
            .filter(matches::state.eq(MatchState::FellThrough))
            .filter(matches::fall_reason.eq(FallReason::NoShow))
            .filter(matches::no_show_by.is_null()))
        .set(matches::no_show_by.eq(by))
        .execute(c))?;
    Ok(done == 1)
}

/// That somebody did not come is taken back; the match stays ended.
///
/// # Errors
/// A failed query.
pub fn undo_no_show(conn: &mut Conn, id: MatchId, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(matches::table
            .filter(matches::id.eq(id))
            .filter(matches::state.eq(MatchState::FellThrough))
            .filter(matches::fall_reason.eq(FallReason::NoShow))
            .filter(matches::no_show_by.is_not_null()))
        .set((
            matches::fall_reason.eq(FallReason::CalledOff),
            matches::no_show_by.eq(None::<Side>),
            matches::no_show_undone_at.eq(now),
            matches::updated_at.eq(now),
        ))
        .execute(c))?;
    announced(conn, id, done, now)
}

/// That the help was given is taken back, whoever has said so: it is promised as before. The caller has taken the place
/// again in the same transaction, where it was given back.
///
/// # Errors
/// A failed query.
pub fn undo_done(
    conn: &mut Conn,
    id: MatchId,
    remind_at: Option<Ts>,
    now: Ts,
) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(matches::table
            .filter(matches::id.eq(id))
            .filter(matches::state.eq(MatchState::Fulfilled)))
        .set((
            matches::state.eq(MatchState::Accepted),
            matches::done_by.eq(None::<DoneBy>),
            matches::done_at.eq(None::<Ts>),
            matches::returned_at.eq(None::<Ts>),
            matches::ended_at.eq(None::<Ts>),
            matches::remind_at.eq(remind_at),
            matches::updated_at.eq(now),
        ))
        .execute(c))?;
    announced(conn, id, done, now)
}

/// How often neighbors said since an instant that this volunteer did not come.
///
/// # Errors
/// A failed query.
pub fn no_shows_of(conn: &mut Conn, volunteer: VolunteerId, since: Ts) -> QueryResult<i64> {
    with!(conn, c => matches::table
        .inner_join(offers::table)
        .filter(offers::volunteer_id.eq(volunteer))
        .filter(matches::fall_reason.eq(FallReason::NoShow))
        .filter(matches::no_show_by.eq(Side::Neighbor))
        .filter(matches::ended_at.ge(since))
        .count()
        .get_result(c))
}

/// Promises whose volunteers said before `before` that they were kept, and whose neighbors have said nothing. What has
/// not ended since is accepted.
///
/// # Errors
/// A failed query.
pub fn believed(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<Vec<MatchId>> {
    with!(conn, c => matches::table
        .filter(matches::ended_at.is_null())
        .filter(matches::done_at.le(before))
        .order(matches::done_at)
        .limit(limit)
        .select(matches::id)
        .load(c))
}

/// Narrows matches to promises of which nothing is known, and nobody was asked.
macro_rules! unasked {
    () => {
        matches::state
            .eq(MatchState::Accepted)
            .and(one_of(
                matches::agreement,
                &[Agreement::None, Agreement::Agreed],
            ))
            .and(matches::done_at.is_null())
            .and(matches::followed_up_at.is_null())
    };
}

/// Promises of live requests whose time went by before `before`, and of which nobody was asked how they went, of some
/// requests at a time.
///
/// # Errors
/// A failed query.
pub fn to_follow_up(conn: &mut Conn, before: Ts, limit: i64) -> QueryResult<Vec<MatchId>> {
    // The requests first: few of them are over and live, and each has few matches.
    let over: Vec<RequestId> = with!(conn, c => requests::table
        .filter(requests::closed_at.is_null())
        .filter(requests::needed_until.le(before))
        .filter(exists(matches::table
            .filter(matches::request_id.eq(requests::id))
            .filter(unasked!())))
        .order((requests::needed_until, requests::id))
        .limit(limit)
        .select(requests::id)
        .load(c))?;
    with!(conn, c => matches::table
        .filter(one_of(matches::request_id, &over))
        .filter(unasked!())
        .select(matches::id)
        .load(c))
}

/// Both sides are asked how it went, once.
///
/// # Errors
/// A failed query.
pub fn set_followed_up(conn: &mut Conn, id: MatchId, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(matches::table
            .filter(matches::id.eq(id))
            .filter(matches::state.eq(MatchState::Accepted))
            .filter(matches::done_at.is_null())
            .filter(matches::followed_up_at.is_null()))
        .set(matches::followed_up_at.eq(now))
        .execute(c))?;
    Ok(done == 1)
}

/// The request stands for longer: both sides of its promises are asked how it went when that is over.
///
/// # Errors
/// A failed query.
pub fn ask_again(conn: &mut Conn, of: RequestId) -> QueryResult<usize> {
    with!(conn, c => diesel::update(matches::table
            .filter(matches::request_id.eq(of))
            .filter(matches::state.eq(MatchState::Accepted))
            .filter(matches::done_at.is_null()))
        .set(matches::followed_up_at.eq(None::<Ts>))
        .execute(c))
}

/// Promises of which both sides are to be reminded by now.
///
/// # Errors
/// A failed query.
pub fn to_remind(conn: &mut Conn, now: Ts, limit: i64) -> QueryResult<Vec<MatchId>> {
    with!(conn, c => matches::table
        .filter(matches::ended_at.is_null())
        .filter(matches::remind_at.le(now))
        .order(matches::remind_at)
        .limit(limit)
        .select(matches::id)
        .load(c))
}

/// Both are reminded, if they are to be by now: once.
///
/// # Errors
/// A failed query.
pub fn remind(conn: &mut Conn, id: MatchId, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(matches::table
            .filter(matches::id.eq(id))
            .filter(matches::remind_at.le(now)))
        .set(matches::remind_at.eq(None::<Ts>))
        .execute(c))?;
    Ok(done == 1)
}
