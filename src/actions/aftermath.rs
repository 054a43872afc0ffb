//! What time brings about between a yes and its end: both sides are reminded, asked how it went, and believed; and
//! where neither says anything, a person is to find out.

use std::time::Duration;

use super::expire::AT_ONCE;
use super::finish_match::close_if_helped;
use super::tx::To;
use super::{Ctx, Outcome, Tx};
use crate::domain::clock::Ts;
use crate::domain::ids::MatchId;
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::MatchState;
use crate::domain::task::TaskOutcome;
use crate::storage::audit::Actor;
use crate::storage::matches::{DoneBy, Match};
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::{matches, requests, tasks};

/// After the time of a need, how long both sides have to say how it went before somebody is to find out, and then
/// how long that person has before it counts as helped.
pub const SILENCE: Duration = Duration::from_hours(48);
/// How long after the time of a need both sides are asked: who is a little late is not asked in vain.
const GRACE: Duration = Duration::from_mins(30);

/// Reminds both sides of help that is due soon. Gives how many matches there were.
///
/// # Errors
/// A failed query.
pub async fn reminders(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let due = matches::to_remind(tx.conn, tx.now, AT_ONCE)?;
        for matched in &tx.lock_matches(&due)? {
            if !matches::remind(tx.conn, matched.id, tx.now)? {
                continue;
            }
            let (_, request, offer) = tx.matched(matched.id)?;
            let is_ahead = matched.arrival_at.unwrap_or(request.needed_from) > tx.now;
            // Whoever agrees later than this hears of it then.
            if is_ahead && matched.is_released_to_volunteer() {
                tx.letter_to_both(LetterKind::Reminder, matched, &request, &offer)?;
            }
        }
        Ok(due.len())
    })
    .await
}

/// Ends tasks to remind of help that has begun, or does not come. Gives how many there were.
///
/// # Errors
/// A failed query.
pub async fn past_reminders(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let ending = tx.ending(TaskOutcome::NotNeeded);
        Ok(tasks::end_past_reminders(tx.conn, &ending, AT_ONCE)?)
    })
    .await
}

/// Asks both sides of promises whose time is over how it went, once. Gives how many there were.
///
/// # Errors
/// A failed query.
pub async fn questions(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let over = matches::to_follow_up(tx.conn, tx.now.before(GRACE), AT_ONCE)?;
        for matched in &tx.lock_matches(&over)? {
            if matches::set_followed_up(tx.conn, matched.id, tx.now)? {
                let (_, request, offer) = tx.matched(matched.id)?;
                tx.letter_to_both(LetterKind::DidItWork, matched, &request, &offer)?;
            }
        }
        Ok(over.len())
    })
    .await
}

/// Takes volunteers by their word whose neighbors have not said otherwise in time. Gives how many.
///
/// # Errors
/// A failed query.
pub async fn believed(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let before = tx.now.before(tx.ctx.settings.matching.done_wait);
        let all = matches::believed(tx.conn, before, AT_ONCE)?;
        for matched in &tx.lock_matches(&all)? {
            // She may have answered before it was locked.
            let waits = matched.state == MatchState::Accepted
                && matched.done_at.is_some_and(|at| at <= before);
            if waits {
                let (_, request, offer) = tx.matched(matched.id)?;
                tx.fulfil(matched, &request, &offer, Some(DoneBy::Volunteer))?;
                close_if_helped(tx, request.id)?;
            }
        }
        Ok(all.len())
    })
    .await
}

/// Leaves a task to find out about each request of which neither side says how it went. Gives how many there were.
///
/// # Errors
/// A failed query.
pub async fn silence(ctx: &Ctx) -> Outcome<usize> {
    ctx.write(Actor::SYSTEM, |tx| {
        let before = tx.now.before(SILENCE);
        let silent = requests::silent(tx.conn, before, AT_ONCE)?;
        requests::lock_all(tx.conn, &silent)?;
        // Not those of whom something was heard before they were locked.
        let still = requests::silent_among(tx.conn, before, &silent)?;
        for id in still {
            let request = tx.request(id, None)?;
            let all = matches::of_request(tx.conn, id)?;
            if let Some(matched) = all.iter().find(|m| m.is_silent()) {
                let offer = tx.offer(matched.offer_id, None)?;
                tx.ask_to_follow_up(&request, matched, offer.volunteer_id)?;
            }
        }
        Ok(silent.len())
    })
    .await
}

impl Tx<'_> {
    fn letter_to_both(
        &mut self,
        kind: LetterKind,
        matched: &Match,
        request: &Request,
        offer: &Offer,
    ) -> Outcome<()> {
        let (of, about): (_, Option<MatchId>) = (Some(request.id), Some(matched.id));
        self.letter(kind, To::Neighbor(request.neighbor_id), of, about)?;
        self.letter(kind, To::Volunteer(offer.volunteer_id), of, about)
    }

    /// When both sides are to be reminded of help that begins then; not of what was promised later than that.
    pub(super) fn remind_at(&self, begins: Ts) -> Option<Ts> {
        let at = begins.before(self.ctx.settings.matching.remind_before);
        (at > self.now).then_some(at)
    }
}
