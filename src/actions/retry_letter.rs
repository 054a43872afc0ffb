//! A coordinator has a letter sent again that was given up: the mailbox was full, or the mail server wrong.

use super::letter_subject::may_leave_again;
use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::LetterId;
use crate::domain::task::TaskOutcome;
use crate::storage::audit::Actor;
use crate::storage::letters;
use crate::storage::letters::LetterState;

/// Puts a dead letter back into the outbox, with all its attempts before it. Asking for it again changes nothing.
///
/// # Errors
/// A letter that is not dead, or that says what is not true any more.
pub async fn retry_letter(ctx: &Ctx, id: LetterId, actor: Actor) -> Outcome<()> {
    ctx.write(actor, move |tx| {
        let Some(letter) = letters::lock(tx.conn, id)? else {
            return refuse(Refusal::NotFound);
        };
        if letter.state != LetterState::Dead {
            return match letter.retried_at {
                Some(_) => Ok(()),
                None => refuse(Refusal::NotPossible),
            };
        }
        if !may_leave_again(tx, &letter)? || !letters::retry(tx.conn, id, tx.now)? {
            return refuse(Refusal::NotPossible);
        }
        tx.end_dead_letters(&[id], TaskOutcome::Done)?;
        tx.audit(
            "letter_retried",
            ("letter", id),
            &[("kind", letter.kind.into())],
        )
    })
    .await
}
