//! What a clock that was ahead has left behind: leases that would be held for years, instants at which something
//! would be done, and things that happened in the future and would count as recent until then.
//!
//! Each statement changes what it looks for, so that repeating it comes to an end.

use std::time::Duration;

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::dialect::{load_for_update, one_of};
use super::schema::{
    departures, instances, letters, matches, offers, requests, tasks, tokens, volunteers, webhooks,
};
use crate::crypto::lookup::KeyedHash;
use crate::domain::clock::Ts;
use crate::domain::ids::{
    LetterId, MatchId, OfferId, RecordId, RequestId, TaskId, VolunteerId, WebhookId,
};

/// How far ahead things may lie.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// What has happened: by a clock that nobody trusted. What a trusted one has written stays as it is.
    pub event: Duration,
    /// The lease of a round of matching.
    pub round: Duration,
    /// The lease of a letter.
    pub letter: Duration,
    /// The next attempt at a letter.
    pub attempt: Duration,
    /// The next wave of a request.
    pub wave: Duration,
    /// By when the neighbor agrees.
    pub agreement: Duration,
    /// What an ask that was sent meanwhile gets for its answer.
    pub answer: Duration,
}

/// Sets `$set` in some rows of a table whose `$column` lies beyond an instant; gives how many.
macro_rules! bring_back {
    ($conn:expr, $limit:expr, $table:ident.$key:ident: $id:ty, $column:ident > $beyond:expr => $set:expr) => {{
        let beyond = $beyond;
        let ids: Vec<$id> = load_for_update!(
            $conn,
            $table::table
                .filter($table::$column.gt(beyond))
                .order($table::$key)
                .limit($limit)
                .select($table::$key)
        )?;
        if ids.is_empty() {
            0
        } else {
            with!($conn, c => diesel::update($table::table
                    .filter(one_of($table::$key, &ids))
                    .filter($table::$column.gt(beyond)))
                .set($set)
                .execute(c))?
        }
    }};
}

/// Brings back to `now` what lies farther ahead than it may, up to `limit` rows of each kind; gives how many.
///
/// # Errors
/// A failed query.
pub fn bring_back(conn: &mut Conn, now: Ts, reach: Reach, limit: i64) -> QueryResult<usize> {
    let people = bring_back!(conn, limit, volunteers.id: VolunteerId,
        last_asked_at > now => volunteers::last_asked_at.eq(now));
    let posts = posts(conn, now, reach, limit)?;
    let event = now.after(reach.event);
    let asks = bring_back!(conn, limit, matches.id: MatchId, asked_at > event => (
        matches::asked_at.eq(now),
        matches::respond_by.eq(now.after(reach.answer)),
    )) + bring_back!(conn, limit, matches.id: MatchId,
            answered_at > event => matches::answered_at.eq(now))
        + bring_back!(conn, limit, matches.id: MatchId,
            agree_by > now.after(reach.agreement) => matches::agree_by.eq(now.after(reach.answer)));
    let tasks = bring_back!(conn, limit, tasks.id: TaskId,
            claimed_at > now => tasks::claimed_at.eq(now))
        + bring_back!(conn, limit, tasks.id: TaskId,
            created_at > event => (tasks::created_at.eq(now), tasks::due_at.eq(now)));
    let mail = letters(conn, now, reach, limit)?;
    let others = bring_back!(conn, limit, instances.id: RecordId,
            seen_at > now => instances::seen_at.eq(now))
        + bring_back!(conn, limit, webhooks.id: WebhookId,
            rest_until > now.after(reach.attempt) => webhooks::rest_until.eq(now));
    let tokens = self::tokens(conn, now, event, limit)?;
    Ok(people + posts + asks + tasks + mail + others + tokens)
}

fn posts(conn: &mut Conn, now: Ts, reach: Reach, limit: i64) -> QueryResult<usize> {
    let requests = bring_back!(conn, limit, requests.id: RequestId,
            lease_until > now.after(reach.round) => requests::lease_until.eq(now))
        + bring_back!(conn, limit, requests.id: RequestId,
            match_due_at > now.after(reach.wave) => requests::match_due_at.eq(now))
        + bring_back!(conn, limit, requests.id: RequestId,
            next_wave_at > now.after(reach.wave) => requests::next_wave_at.eq(now))
        + bring_back!(conn, limit, requests.id: RequestId,
            updated_at > now.after(reach.event) => requests::updated_at.eq(now))
        + bring_back!(conn, limit, requests.id: RequestId,
            closed_at > now.after(reach.event) => requests::closed_at.eq(now));
    let offers = bring_back!(conn, limit, offers.id: OfferId,
            lease_until > now.after(reach.round) => offers::lease_until.eq(now))
        + bring_back!(conn, limit, offers.id: OfferId,
            match_due_at > now.after(reach.wave) => offers::match_due_at.eq(now))
        + bring_back!(conn, limit, offers.id: OfferId,
            closed_at > now.after(reach.event) => offers::closed_at.eq(now));
    Ok(requests + offers)
}

fn letters(conn: &mut Conn, now: Ts, reach: Reach, limit: i64) -> QueryResult<usize> {
    let letters = bring_back!(conn, limit, letters.id: LetterId,
            lease_until > now.after(reach.letter) => letters::lease_until.eq(now))
        + bring_back!(conn, limit, letters.id: LetterId,
            due_at > now.after(reach.attempt) => letters::due_at.eq(now))
        + bring_back!(conn, limit, letters.id: LetterId,
            settled_at > now.after(reach.event) => letters::settled_at.eq(now));
    let gone = bring_back!(conn, limit, departures.letter_id: LetterId,
        at > now => departures::at.eq(now));
    Ok(letters + gone)
}

/// Tokens that were made meanwhile and end: they work as long as they would have.
fn tokens(conn: &mut Conn, now: Ts, event: Ts, limit: i64) -> QueryResult<usize> {
    let found: Vec<(KeyedHash, Ts, Ts)> = load_for_update!(
        conn,
        tokens::table
            .filter(tokens::created_at.gt(event))
            .filter(tokens::expires_at.is_not_null())
            .order(tokens::hash)
            .limit(limit)
            .select((
                tokens::hash,
                tokens::created_at,
                tokens::expires_at.assume_not_null(),
            ))
    )?;
    for (hash, created, expires) in &found {
        let ends = now.after(expires.since(*created));
        with!(conn, c => diesel::update(tokens::table.find(*hash))
            .set((tokens::created_at.eq(now), tokens::expires_at.eq(ends)))
            .execute(c))?;
    }
    Ok(found.len())
}
