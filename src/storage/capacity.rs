//! What is free of an offer in a period: the place where over-booking is impossible.

use diesel::prelude::*;

use super::connection::{Conn, with};
use super::dialect::one_of;
use super::matches::Match;
use super::offers::Offer;
use super::schema::offer_capacity;
use crate::domain::clock::Ts;
use crate::domain::ids::OfferId;
use crate::domain::need::Quantity;

/// Takes `amount` of an offer in each of the periods, if so much is free in all of them. If not, what
/// was taken until then is the caller's to undo, by not committing.
///
/// # Errors
/// A failed query.
pub fn take_all(
    conn: &mut Conn,
    offer: &Offer,
    periods: impl Iterator<Item = Ts>,
    amount: i32,
) -> QueryResult<bool> {
    for period in periods {
        if !take(conn, offer, period, amount)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes `amount` of an offer in a period if so much is free.
///
/// # Errors
/// A failed query.
pub fn take(conn: &mut Conn, offer: &Offer, period: Ts, amount: i32) -> QueryResult<bool> {
    with!(conn, c => diesel::insert_into(offer_capacity::table)
        .values((
            offer_capacity::offer_id.eq(offer.id),
            offer_capacity::period_start.eq(period),
            offer_capacity::capacity.eq(offer.capacity),
            offer_capacity::taken.eq(0),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    let taken = with!(conn, c => diesel::update(offer_capacity::table
            .filter(offer_capacity::offer_id.eq(offer.id))
            .filter(offer_capacity::period_start.eq(period))
            .filter((offer_capacity::taken + amount).le(offer_capacity::capacity)))
        .set(offer_capacity::taken.eq(offer_capacity::taken + amount))
        .execute(c))?;
    Ok(taken == 1)
}

/// Gives back what a match holds.
///
/// # Errors
/// A failed query.
pub fn give_back_all(conn: &mut Conn, held: &Match) -> QueryResult<()> {
    for period in held.periods() {
        give_back(conn, held.offer_id, period, held.taken)?;
    }
    Ok(())
}

/// Gives `amount` back.
///
/// # Errors
/// A failed query.
pub fn give_back(conn: &mut Conn, offer: OfferId, period: Ts, amount: i32) -> QueryResult<()> {
    with!(conn, c => diesel::update(offer_capacity::table
            .filter(offer_capacity::offer_id.eq(offer))
            .filter(offer_capacity::period_start.eq(period))
            .filter(offer_capacity::taken.ge(amount)))
        .set(offer_capacity::taken.eq(offer_capacity::taken - amount))
        .execute(c))?;
    Ok(())
}

/// Gives an offer another capacity in the periods from `since` on, where no more than that is taken. What was
/// never taken of has no row yet.
///
/// # Errors
/// A failed query.
pub fn set(conn: &mut Conn, offer: OfferId, since: Ts, capacity: Quantity) -> QueryResult<()> {
    with!(conn, c => diesel::update(offer_capacity::table
            .filter(offer_capacity::offer_id.eq(offer))
            .filter(offer_capacity::period_start.ge(since))
            .filter(offer_capacity::taken.le(capacity.get())))
        .set(offer_capacity::capacity.eq(capacity))
        .execute(c))?;
    Ok(())
}

/// What is taken of an offer in the fullest of its periods from `since` on.
///
/// # Errors
/// A failed query.
pub fn most_taken(conn: &mut Conn, offer: OfferId, since: Ts) -> QueryResult<i32> {
    let most: Option<i32> = with!(conn, c => offer_capacity::table
        .filter(offer_capacity::offer_id.eq(offer))
        .filter(offer_capacity::period_start.ge(since))
        .select(diesel::dsl::max(offer_capacity::taken))
        .first(c))?;
    Ok(most.unwrap_or(0))
}

/// What is free of an offer in the fullest of a match's periods.
///
/// # Errors
/// A failed query.
pub fn free(conn: &mut Conn, offer: &Offer, matched: &Match) -> QueryResult<i32> {
    let mut most = 0;
    for period in matched.periods() {
        most = most.max(taken(conn, offer.id, period)?);
    }
    Ok(offer.capacity.get() - most)
}

/// What is taken of an offer in a period.
///
/// # Errors
/// A failed query.
pub fn taken(conn: &mut Conn, offer: OfferId, period: Ts) -> QueryResult<i32> {
    let taken: Option<i32> = with!(conn, c => offer_capacity::table
        .find((offer, period))
        .select(offer_capacity::taken)
        .first(c)
        .optional())?;
    Ok(taken.unwrap_or(0))
}

/// What is taken of several offers, by offer and period.
///
/// # Errors
/// A failed query.
pub fn taken_of(conn: &mut Conn, offers: &[OfferId]) -> QueryResult<Vec<(OfferId, Ts, i32)>> {
    if offers.is_empty() {
        return Ok(Vec::new());
    }
    with!(conn, c => offer_capacity::table
        .filter(one_of(offer_capacity::offer_id, offers))
        .filter(offer_capacity::taken.gt(0))
        .select((offer_capacity::offer_id, offer_capacity::period_start, offer_capacity::taken))
        .load(c))
}
