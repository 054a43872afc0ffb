//! Each morning coordinators get one letter that says in numbers how it stands.

use super::{Ctx, Outcome};
use crate::domain::clock::Ts;
use crate::domain::letter::LetterKind;
use crate::domain::morning::Morning;
use crate::storage::audit::Actor;
use crate::storage::coordinators;

impl Ctx {
    /// The morning that it is now, if letters are written in the morning.
    pub(super) fn morning(&self, now: Ts) -> Option<Morning> {
        let settings = &self.settings.digest;
        let morning = Morning::at(&self.settings.area.timezone, settings.at, now);
        morning.filter(|_| settings.enabled)
    }
}

/// Leaves the morning's letter for each coordinator who has not had it, whoever asks how often: the day is noted
/// with the letter. What it says is read when it leaves. Gives how many.
///
/// # Errors
/// A failed query.
pub async fn morning_digest(ctx: &Ctx) -> Outcome<usize> {
    if ctx.morning(ctx.now()).is_none() {
        return Ok(0);
    }
    ctx.write(Actor::SYSTEM, |tx| {
        let Some(morning) = tx.ctx.morning(tx.now) else {
            return Ok(0);
        };
        let day = morning.date.to_string();
        let mut left = 0;
        for id in coordinators::lock_without_digest(tx.conn, &day, morning.began_at)? {
            if coordinators::mark_digest(tx.conn, id, &day)? {
                tx.letter_to_coordinator(LetterKind::Digest, id)?;
                left += 1;
            }
        }
        Ok(left)
    })
    .await
}
