//! What became of a letter at the mail server.

use std::time::Duration;

use super::{Ctx, Outcome, Tx};
use crate::domain::ids::LeaseId;
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::MatchState;
use crate::storage::audit::Actor;
use crate::storage::letters::{Letter, LetterState};
use crate::storage::{departures, letters, matches, requests};

/// How an attempt to send ended. The texts are classes of errors, never a server's own words, which
/// may repeat the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The server took it.
    Sent,
    /// The server said no for good (5xx).
    Refused(String),
    /// Anything else: to be tried again.
    Failed(String),
    /// The same, and no fault of the letter: the mail server was not there for any.
    Absent(String),
}

/// Settles a claimed letter, if the lease is still held.
///
/// # Errors
/// A failed query; the lease then runs out and the letter is taken again.
pub async fn settle_letter(
    ctx: &Ctx,
    letter: Letter,
    lease: LeaseId,
    attempt: Attempt,
) -> Outcome<()> {
    let jitter = ctx.entropy.fraction();
    let (id, kind, attempts) = (letter.id, letter.kind, letter.attempts);
    let why = match &attempt {
        Attempt::Sent => None,
        Attempt::Refused(why) | Attempt::Failed(why) | Attempt::Absent(why) => Some(why.clone()),
    };
    let settle = move |tx: &mut Tx<'_>| match &attempt {
        Attempt::Sent => sent(tx, &letter, lease),
        Attempt::Refused(why) => dead(tx, &letter, lease, why),
        Attempt::Failed(why) | Attempt::Absent(why) => {
            if tx.now.since(letter.retried_at.unwrap_or(letter.created_at))
                >= tx.ctx.settings.outbox.give_up_after
            {
                return dead(tx, &letter, lease, why);
            }
            let settings = &tx.ctx.settings.outbox;
            // Whoever sends rests while the server is away: when it is back, no letter waits for having been tried.
            let attempts = match &attempt {
                Attempt::Absent(_) => 1,
                _ => letter.attempts,
            };
            let wait = backoff(settings.retry_first, settings.retry_max, attempts, jitter);
            let due = tx.now.after(wait);
            let is_held = letters::postpone(tx.conn, letter.id, lease, why, due)?;
            if is_held && matches!(attempt, Attempt::Absent(_)) {
                // It has used up nothing of what may leave within an hour.
                departures::cancel(tx.conn, &[letter.id])?;
            }
            Ok(is_held.then_some("postponed"))
        }
    };
    let Some(outcome) = ctx.write(Actor::SYSTEM, settle).await? else {
        return Ok(());
    };
    metrics::counter!("manyhands_letters_total", "outcome" => outcome).increment(1);
    if outcome == DEAD {
        tracing::warn!(letter.id = %id, letter.kind = %kind, letter.attempts = attempts, why, "a letter cannot be delivered");
    }
    Ok(())
}

/// What is counted of a letter; nothing if its lease was not held any more.
type Counted = Option<&'static str>;

const DEAD: &str = "dead";

fn sent(tx: &mut Tx<'_>, letter: &Letter, lease: LeaseId) -> Outcome<Counted> {
    if !letters::settle(tx.conn, letter.id, lease, LetterState::Sent, None, tx.now)? {
        return Ok(None);
    }
    departures::left(tx.conn, letter.id, tx.now)?;
    if let (LetterKind::Asked, Some(id), Some(request)) =
        (letter.kind, letter.match_id, letter.request_id)
    {
        let request = tx.request(request, None)?;
        let within = tx.ctx.wave(&request, tx.now).respond_within;
        matches::set_asked(tx.conn, id, tx.now, tx.now.after(within))?;
    }
    Ok(Some("sent"))
}

/// The letter will not arrive: an operator sees it, and a volunteer who cannot be asked is not waited
/// for.
fn dead(tx: &mut Tx<'_>, letter: &Letter, lease: LeaseId, why: &str) -> Outcome<Counted> {
    let ask = letter.match_id.filter(|_| letter.kind == LetterKind::Asked);
    let ask = match ask {
        Some(id) => Some(tx.lock_match(id)?),
        None => None,
    };
    if !letters::settle(
        tx.conn,
        letter.id,
        lease,
        LetterState::Dead,
        Some(why),
        tx.now,
    )? {
        return Ok(None);
    }
    tx.audit(
        "letter_dead",
        ("letter", letter.id),
        &[("kind", letter.kind.into())],
    )?;
    tx.ask_about_dead_letter(letter)?;
    if let Some((matched, request, offer)) = ask
        && matched.state == MatchState::Notified
    {
        tx.supersede(&matched, &offer, false)?;
        requests::make_due(tx.conn, &[request.id], tx.now)?;
    }
    Ok(Some(DEAD))
}

/// Doubles from attempt to attempt up to a limit; the jitter (0 to 1) spreads it over the second half,
/// so that letters that failed together do not all come back together.
pub(crate) fn backoff(first: Duration, max: Duration, attempts: i32, jitter: f64) -> Duration {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(20);
    let full = first
        .saturating_mul(2_u32.saturating_pow(doublings))
        .min(max);
    full.mul_f64(0.5 + 0.5 * jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_a_limit_and_spreads() {
        let (first, max) = (Duration::from_secs(30), Duration::from_secs(3600));
        assert_eq!(backoff(first, max, 1, 1.0), Duration::from_secs(30));
        assert_eq!(backoff(first, max, 3, 1.0), Duration::from_secs(120));
        assert_eq!(backoff(first, max, 3, 0.0), Duration::from_secs(60));
        assert_eq!(backoff(first, max, 1000, 1.0), max);
    }
}
