//! What a clock that was ahead has left behind: leases that would be held for years, instants at which something
//! would be done, and things that happened in the future and would count as recent until then, or be kept for as long.
//!
//! One table at a time, each in a transaction of its own: rows of different kinds are thus never locked together, and
//! those of one kind by id. Each statement changes what it looks for, so that repeating it comes to an end.
//!
//! What stays as it was written decides nothing but an order (when a neighbor or a request was made), or is what
//! somebody has said (when help is needed, when somebody arrives).

use std::time::Duration;

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::dialect::{load_for_update, one_of};
use super::key_epochs;
use super::schema::{
    coordinators, departures, instances, key_epochs as keys, letters, matches, offers, reports,
    requests, tasks, tokens, volunteers, webhooks,
};
use crate::crypto::keyring::Epoch;
use crate::crypto::lookup::KeyedHash;
use crate::domain::clock::Ts;
use crate::domain::ids::{
    CoordinatorId, LetterId, MatchId, OfferId, RecordId, ReportId, RequestId, TaskId, VolunteerId,
    WebhookId,
};

const DAY: Duration = Duration::from_hours(24);

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
    /// The term of an offer.
    pub offer: Duration,
    /// How long the evidence of a report is kept that nobody closes,
    pub evidence: Duration,
    /// and of one that somebody has closed.
    pub closed: Duration,
}

/// Where such things stand.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is the table it is named after")]
pub enum Table {
    Volunteers,
    Requests,
    Offers,
    Matches,
    Tasks,
    Reports,
    Letters,
    Departures,
    Webhooks,
    Instances,
    Tokens,
    Keys,
    Coordinators,
}

impl Table {
    /// Each of them.
    pub const ALL: [Self; 13] = [
        Self::Volunteers,
        Self::Requests,
        Self::Offers,
        Self::Matches,
        Self::Tasks,
        Self::Reports,
        Self::Letters,
        Self::Departures,
        Self::Webhooks,
        Self::Instances,
        Self::Tokens,
        Self::Keys,
        Self::Coordinators,
    ];
}

/// In some rows of a table, sets what stands beside each `$column` that lies beyond an instant; gives how many rows.
macro_rules! bring_back {
    ($conn:expr, $limit:expr, $table:ident.$key:ident: $id:ty,
        $column:ident > $beyond:expr => $set:expr
        $(, $more:ident > $more_beyond:expr => $more_set:expr)* $(,)?
    ) => {{
        let ids: Vec<$id> = load_for_update!(
            $conn,
            $table::table
                .filter($table::$column.gt($beyond)$(.or($table::$more.gt($more_beyond)))*)
                .order($table::$key)
                .limit($limit)
                .select($table::$key)
        )?;
        bring_back!(@set $conn, ids, $table.$key, $column > $beyond => $set);
        $(bring_back!(@set $conn, ids, $table.$key, $more > $more_beyond => $more_set);)*
        Ok(ids.len())
    }};
    (@set $conn:expr, $ids:ident, $table:ident.$key:ident, $column:ident > $beyond:expr => $set:expr) => {
        if !$ids.is_empty() {
            with!($conn, c => diesel::update($table::table
                    .filter(one_of($table::$key, &$ids))
                    .filter($table::$column.gt($beyond)))
                .set($set)
                .execute(c))?;
        }
    };
}

/// Brings back to `now` what lies farther ahead in a table than it may, in up to `limit` rows; gives how many.
///
/// # Errors
/// A failed query.
pub fn bring_back(
    conn: &mut Conn,
    table: Table,
    now: Ts,
    reach: Reach,
    limit: i64,
) -> QueryResult<usize> {
    let event = now.after(reach.event);
    match table {
        Table::Volunteers => bring_back!(conn, limit, volunteers.id: VolunteerId,
            last_asked_at > now => volunteers::last_asked_at.eq(now),
            // Whoever never confirms is erased some time after it.
            created_at > event => volunteers::created_at.eq(now)),
        Table::Requests => bring_back!(conn, limit, requests.id: RequestId,
            lease_until > now.after(reach.round) => requests::lease_until.eq(now),
            match_due_at > now.after(reach.wave) => requests::match_due_at.eq(now),
            next_wave_at > now.after(reach.wave) => requests::next_wave_at.eq(now),
            updated_at > event => requests::updated_at.eq(now),
            closed_at > event => requests::closed_at.eq(now)),
        Table::Offers => bring_back!(conn, limit, offers.id: OfferId,
            lease_until > now.after(reach.round) => offers::lease_until.eq(now),
            match_due_at > now.after(reach.wave) => offers::match_due_at.eq(now),
            expires_at > event.after(reach.offer) => offers::expires_at.eq(now.after(reach.offer)),
            closed_at > event => offers::closed_at.eq(now)),
        Table::Matches => bring_back!(conn, limit, matches.id: MatchId,
            asked_at > event => (
                matches::asked_at.eq(now),
                matches::respond_by.eq(now.after(reach.answer)),
            ),
            answered_at > event => matches::answered_at.eq(now),
            agree_by > now.after(reach.agreement) => matches::agree_by.eq(now.after(reach.answer)),
            // Believed some time after it, unless the neighbor says otherwise.
            done_at > event => matches::done_at.eq(now),
            // From the one a review is late, from the other the volunteer may be asked again.
            created_at > event => matches::created_at.eq(now),
            ended_at > event => matches::ended_at.eq(now)),
        Table::Tasks => bring_back!(conn, limit, tasks.id: TaskId,
            claimed_at > now => tasks::claimed_at.eq(now),
            created_at > event => (tasks::created_at.eq(now), tasks::due_at.eq(now)),
            // Its note is destroyed some time after it.
            done_at > event => tasks::done_at.eq(now)),
        Table::Reports => bring_back!(conn, limit, reports.id: ReportId,
            closed_at > event => (
                reports::closed_at.eq(now),
                reports::erase_at.eq(now.after(reach.closed)),
            ),
            erase_at > event.after(reach.evidence) => reports::erase_at.eq(now.after(reach.evidence)),
            created_at > event => reports::created_at.eq(now)),
        Table::Letters => bring_back!(conn, limit, letters.id: LetterId,
            lease_until > now.after(reach.letter) => letters::lease_until.eq(now),
            due_at > now.after(reach.attempt) => letters::due_at.eq(now),
            // From these a letter is given up, and its link ends.
            created_at > event => letters::created_at.eq(now),
            retried_at > event => letters::retried_at.eq(now),
            settled_at > event => letters::settled_at.eq(now)),
        Table::Departures => bring_back!(conn, limit, departures.letter_id: LetterId,
            at > now => departures::at.eq(now)),
        Table::Webhooks => bring_back!(conn, limit, webhooks.id: WebhookId,
            rest_until > now.after(reach.attempt) => webhooks::rest_until.eq(now)),
        Table::Instances => bring_back!(conn, limit, instances.id: RecordId,
            seen_at > now => instances::seen_at.eq(now)),
        Table::Tokens => tokens(conn, now, event, limit),
        Table::Keys => {
            key_epochs::lock(conn)?;
            // A key is destroyed some time after the one, and gets a successor some time after the other.
            bring_back!(conn, limit, keys.epoch: Epoch,
                retired_at > event => keys::retired_at.eq(now),
                activated_at > event => keys::activated_at.eq(now))
        }
        Table::Coordinators => {
            // Of which day somebody has the morning's letter; of yesterday is early enough in every zone.
            let (beyond, yesterday) = (day(event), day(now.before(DAY)));
            bring_back!(conn, limit, coordinators.id: CoordinatorId,
                digest_on > &beyond => coordinators::digest_on.eq(&yesterday))
        }
    }
}

fn day(at: Ts) -> String {
    at.to_jiff().strftime("%Y-%m-%d").to_string()
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
