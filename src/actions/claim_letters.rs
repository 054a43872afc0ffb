//! Takes due letters out of the outbox for sending: drops those whose subject no longer allows them,
//! and commits the hash of a fresh token for each before anything is said to a mail server.

use std::collections::BTreeMap;

use super::letter_subject::{look, readable};
use super::mail_limits::{Departing, Leave, Room, room};
use super::write_letter::{Allowed, write};
use super::{Ctx, Outcome, Tx};
use crate::crypto::seal::SealError;
use crate::domain::clock::Ts;
use crate::domain::ids::{LeaseId, LetterId};
use crate::domain::letter::Lane;
use crate::domain::rests::Rests;
use crate::mail::letter::LetterToSend;
use crate::storage::audit::Actor;
use crate::storage::letters;
use crate::storage::letters::{Letter, LetterState};

/// A letter with everything that its sending needs.
#[derive(Debug)]
pub struct Claimed {
    /// The row.
    pub letter: Letter,
    /// What it says, to whom.
    pub to_send: LetterToSend,
}

/// What a claim has given.
#[derive(Debug)]
pub struct Claim {
    /// To be sent.
    pub letters: Vec<Claimed>,
    /// How many were taken at all.
    pub taken: usize,
    /// The domains that rest, with those in line whose letters were put off.
    pub rests: Rests,
}

/// What became of the letters that were taken together.
#[derive(Default)]
struct Batch {
    rests: Rests,
    to_send: Vec<Claimed>,
    taken: usize,
    put_off: u64,
    dropped: u64,
    /// What they are about opens for nobody.
    unreadable: Vec<(LetterId, SealError)>,
}

/// At least so many letters are looked at where a domain rests, also if the budget lets fewer go: most of them may
/// be for that domain, and a claim for each would be many.
const PASSED_OVER: i64 = 50;

/// Takes up to `limit` due letters of a lane under `lease`, as far as the budget goes; gives those that
/// are to be sent, and how many were taken at all.
///
/// # Errors
/// A failed query.
pub async fn claim_letters(
    ctx: &Ctx,
    lane: Lane,
    lease: LeaseId,
    limit: i64,
) -> Outcome<(Vec<Claimed>, usize)> {
    let claim = claim_letters_past(ctx, lane, lease, limit, Rests::default()).await?;
    Ok((claim.letters, claim.taken))
}

/// As [`claim_letters`], past those to domains that rest: they are put off, as if they had not been taken.
///
/// # Errors
/// A failed query.
pub async fn claim_letters_past(
    ctx: &Ctx,
    lane: Lane,
    lease: LeaseId,
    limit: i64,
    rests: Rests,
) -> Outcome<Claim> {
    let batch = ctx
        .write(Actor::SYSTEM, move |tx| {
            take(tx, lane, lease, limit, rests.clone())
        })
        .await?;
    for (id, error) in &batch.unreadable {
        tracing::error!(letter.id = %id, error = %error, "a letter cannot be written");
    }
    let dead = batch.unreadable.len() as u64;
    for (outcome, count) in [
        ("put_off", batch.put_off),
        ("dropped", batch.dropped),
        ("dead", dead),
    ] {
        if count > 0 {
            metrics::counter!("manyhands_letters_total", "outcome" => outcome).increment(count);
        }
    }
    Ok(Claim {
        letters: batch.to_send,
        taken: batch.taken,
        rests: batch.rests,
    })
}

/// Looks at everything and writes everything before it is decided what leaves: for that, all instances
/// wait for each other.
fn take(tx: &mut Tx<'_>, lane: Lane, lease: LeaseId, limit: i64, rests: Rests) -> Outcome<Batch> {
    let some_rest = !rests.is_empty();
    let mut batch = Batch {
        rests,
        ..Batch::default()
    };
    let Room::For(room) = room(tx.ctx, tx.conn, lane, tx.now)? else {
        return Ok(batch);
    };
    let room = if some_rest {
        room.max(PASSED_OVER)
    } else {
        room
    };
    let until = tx.now.after(tx.ctx.settings.outbox.lease);
    let taken = letters::claim_due(tx.conn, lane, tx.now, lease, until, limit.min(room))?;
    batch.taken = taken.len();
    let mut allowed: Vec<Allowed> = Vec::with_capacity(batch.taken);
    let mut passed: BTreeMap<Ts, Vec<LetterId>> = BTreeMap::new();
    for letter in taken {
        match readable(look(tx, &letter))? {
            Ok(Some((to, matched, request))) => {
                if let Some(due) = batch
                    .rests
                    .put_off(&to.email.domain(), letter.kind.is_urgent())
                {
                    passed.entry(due).or_default().push(letter.id);
                    continue;
                }
                allowed.push(Allowed {
                    letter,
                    to,
                    matched,
                    request,
                });
            }
            Ok(None) => batch.drop(tx, letter.id, lease)?,
            Err(error) => batch.bury(tx, &letter, lease, error)?,
        }
    }
    for (due, ids) in passed {
        letters::put_off(tx.conn, &ids, lease, due)?;
        batch.put_off += ids.len() as u64;
    }
    // What cannot leave anyway need not be written.
    let departing: Vec<Departing> = allowed.iter().map(Allowed::departing).collect();
    let answers = tx.may_leave(lane, &departing)?;
    let mut ready: Vec<(Departing, Claimed)> = Vec::with_capacity(allowed.len());
    for (allowed, answer) in allowed.into_iter().zip(answers) {
        if answer != Leave::Now {
            batch.keep(tx, allowed.letter.id, lease, answer)?;
            continue;
        }
        match readable(write(tx, &allowed))? {
            Ok(to_send) => {
                let departing = allowed.departing();
                let letter = allowed.letter;
                ready.push((departing, Claimed { letter, to_send }));
            }
            Err(error) => batch.bury(tx, &allowed.letter, lease, error)?,
        }
    }
    let departing: Vec<Departing> = ready.iter().map(|(departing, _)| *departing).collect();
    let answers = tx.let_leave(lane, &departing)?;
    for ((_, claimed), answer) in ready.into_iter().zip(answers) {
        if answer == Leave::Now {
            batch.to_send.push(claimed);
        } else {
            batch.keep(tx, claimed.letter.id, lease, answer)?;
        }
    }
    Ok(batch)
}

impl Batch {
    /// It is not to be sent.
    fn drop(&mut self, tx: &mut Tx<'_>, id: LetterId, lease: LeaseId) -> Outcome<()> {
        letters::settle(tx.conn, id, lease, LetterState::Dropped, None, tx.now)?;
        self.dropped += 1;
        Ok(())
    }

    /// It cannot be written.
    fn bury(
        &mut self,
        tx: &mut Tx<'_>,
        letter: &Letter,
        lease: LeaseId,
        error: SealError,
    ) -> Outcome<()> {
        let why = Some("its record does not open");
        if letters::settle(tx.conn, letter.id, lease, LetterState::Dead, why, tx.now)? {
            tx.ask_about_dead_letter(letter)?;
        }
        self.unreadable.push((letter.id, error));
        Ok(())
    }

    /// It may not leave now.
    fn keep(
        &mut self,
        tx: &mut Tx<'_>,
        id: LetterId,
        lease: LeaseId,
        answer: Leave,
    ) -> Outcome<()> {
        if let Leave::NotBefore(due) = answer {
            letters::put_off(tx.conn, &[id], lease, due)?;
            self.put_off += 1;
        } else {
            letters::unclaim(tx.conn, &[id], lease)?;
        }
        Ok(())
    }
}
