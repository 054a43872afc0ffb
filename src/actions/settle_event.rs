//! What became of a message to a webhook.

use std::time::Duration;

use super::settle_letter::backoff;
use super::{Ctx, Outcome, Tx};
use crate::domain::ids::{LeaseId, WebhookId};
use crate::domain::webhook::DisabledBecause;
use crate::storage::audit::Actor;
use crate::storage::letters::{Letter, LetterState};
use crate::storage::webhooks::Webhook;
use crate::storage::{letters, notices, webhooks};

/// How an attempt ended. The texts are classes of errors, never a receiver's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The receiver took it.
    Taken,
    /// The receiver wants no more.
    Gone(String),
    /// Anything else: to be tried again.
    Failed(String),
}

/// How long a webhook rests after a message has not arrived; doubled with every further one in a row,
const FIRST_REST: Duration = Duration::from_secs(5);
/// up to this long. The messages keep their own, longer waits.
const LONGEST_REST: Duration = Duration::from_mins(10);
/// A webhook that has failed so often in a row,
const MOST_FAILURES: i32 = 50;
/// and for so long, is told nothing any more.
const FAILING_FOR: Duration = Duration::from_hours(72);

/// Settles a claimed message, if the lease is still held.
///
/// # Errors
/// A failed query; the lease then runs out and the message is sent again.
pub async fn settle_event(
    ctx: &Ctx,
    id: WebhookId,
    letter: Letter,
    lease: LeaseId,
    told: Told,
) -> Outcome<()> {
    let jitter = ctx.entropy.fraction();
    let settle = move |tx: &mut Tx<'_>| {
        let Some(webhook) = webhooks::lock(tx.conn, id)? else {
            return Ok(None);
        };
        match &told {
            Told::Taken => taken(tx, &webhook, &letter, lease),
            Told::Gone(why) => {
                let because = Some(DisabledBecause::Gone);
                failed(tx, &webhook, &letter, lease, (why, because, jitter))
            }
            Told::Failed(why) => {
                let because = is_hopeless(tx, &webhook).then_some(DisabledBecause::Failing);
                failed(tx, &webhook, &letter, lease, (why, because, jitter))
            }
        }
    };
    if let Some(outcome) = ctx.write(Actor::SYSTEM, settle).await? {
        metrics::counter!("manyhands_letters_total", "outcome" => outcome).increment(1);
    }
    Ok(())
}

fn taken(
    tx: &mut Tx<'_>,
    webhook: &Webhook,
    letter: &Letter,
    lease: LeaseId,
) -> Outcome<Option<&'static str>> {
    let (id, sent) = (letter.id, LetterState::Sent);
    if !letters::settle(tx.conn, id, lease, sent, None, tx.now)? {
        return Ok(None);
    }
    webhooks::succeeded(tx.conn, webhook.id, tx.now)?;
    if webhook.failing_since.is_some() {
        notices::hurry(tx.conn, webhook.id, tx.now)?;
    }
    Ok(Some("sent"))
}

/// Whether this failure is one too many.
fn is_hopeless(tx: &Tx<'_>, webhook: &Webhook) -> bool {
    let Some(since) = webhook.failing_since else {
        return false;
    };
    let failing = tx.now.since(since);
    failing >= tx.ctx.settings.outbox.give_up_after
        || (failing >= FAILING_FOR && webhook.failures + 1 >= MOST_FAILURES)
}

/// Notes why it failed, and until when nothing is tried; gives the message up where it is too old, and the webhook for
/// `because`: with it goes everything that waits, and one task tells that it did.
fn failed(
    tx: &mut Tx<'_>,
    webhook: &Webhook,
    letter: &Letter,
    lease: LeaseId,
    (why, because, jitter): (&str, Option<DisabledBecause>, f64),
) -> Outcome<Option<&'static str>> {
    let settings = &tx.ctx.settings.outbox;
    let age = tx.now.since(letter.retried_at.unwrap_or(letter.created_at));
    let is_dead = because.is_some() || age >= settings.give_up_after;
    let is_held = if is_dead {
        let (id, dead) = (letter.id, LetterState::Dead);
        letters::settle(tx.conn, id, lease, dead, Some(why), tx.now)?
    } else {
        let (first, longest) = (settings.retry_first, settings.retry_max);
        let due = tx
            .now
            .after(backoff(first, longest, letter.attempts, jitter));
        letters::postpone(tx.conn, letter.id, lease, why, due)?
    };
    if !is_held {
        return Ok(None);
    }
    let rest = backoff(FIRST_REST, LONGEST_REST, webhook.failures + 1, jitter);
    webhooks::failed(tx.conn, webhook, why, tx.now.after(rest), tx.now)?;
    if let Some(because) = because {
        tx.disable_webhook(webhook.id, because)?;
    }
    if !is_dead {
        return Ok(Some("postponed"));
    }
    let detail = [("kind", letter.kind.into())];
    tx.audit("letter_dead", ("letter", letter.id), &detail)?;
    tx.ask_about_dead_letter(letter)?;
    Ok(Some("dead"))
}
