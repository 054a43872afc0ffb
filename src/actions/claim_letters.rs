//! Takes due letters out of the outbox for sending: drops those whose subject no longer allows them,
//! and commits the hash of a fresh token for each before anything is said to a mail server.

use std::collections::BTreeMap;

use super::know_by::knows_by;
use super::mail_limits::{Departing, Leave, Room, room};
use super::{Ctx, Outcome, Tx, frozen};
use crate::crypto::lookup::KeyedHash;
use crate::crypto::seal::SealError;
use crate::crypto::token::{Purpose, Token};
use crate::domain::clock::Ts;
use crate::domain::contact::{EmailAddress, PersonName};
use crate::domain::ids::{
    CoordinatorId, LeaseId, LetterId, NeighborId, RecordId, VolunteerId, WebhookId,
};
use crate::domain::letter::{Lane, LetterKind};
use crate::domain::lifecycle::{Agreement, CloseReason, MatchState, RequestState};
use crate::domain::need::Verified;
use crate::domain::rests::Rests;
use crate::domain::secret::{CoordinatorSecret, NeighborSecret, RequestSecret, VolunteerSecret};
use crate::mail::letter::{About, LetterToSend};
use crate::storage::audit::Actor;
use crate::storage::letters::{Letter, LetterState, RecipientKind};
use crate::storage::matches::Match;
use crate::storage::requests::Request;
use crate::storage::{
    StorageError, TxError, coordinators, letters, matches, neighbors, requests, tasks, volunteers,
    webhooks,
};

/// A letter with everything that its sending needs.
#[derive(Debug)]
pub struct Claimed {
    /// The row.
    pub letter: Letter,
    /// What it says, to whom.
    pub to_send: LetterToSend,
}

/// A letter that may be sent, and what it is about.
struct Allowed {
    letter: Letter,
    to: Recipient,
    matched: Option<Match>,
    request: Option<Request>,
}

impl Allowed {
    fn departing(&self) -> Departing {
        let unconfirmed = self.to.address.filter(|_| self.to.is_unconfirmed);
        (self.letter.id, unconfirmed)
    }
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
                if let Some(due) = batch.rests.put_off(&to.email.domain()) {
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

/// What it is about may open for nobody. The other letters must not wait for that.
fn readable<T>(result: Outcome<T>) -> Outcome<Result<T, SealError>> {
    match result {
        Err(TxError::Storage(StorageError::Sealed(error))) => Ok(Err(error)),
        result => result.map(Ok),
    }
}

struct Recipient {
    email: EmailAddress,
    name: PersonName,
    manage: Option<Purpose>,
    /// The keyed hash of the address.
    address: Option<KeyedHash>,
    /// Whether the owner has not used a link of a letter yet.
    is_unconfirmed: bool,
}

/// Who gets a letter, and what it is about.
type Subject = (Recipient, Option<Match>, Option<Request>);

/// Whether a letter that waits no more would be allowed to leave; not if what it is about opens for nobody.
pub(super) fn may_leave_again(tx: &mut Tx<'_>, letter: &Letter) -> Outcome<bool> {
    if letter.to_kind == RecipientKind::Webhook {
        return is_still_true(tx, letter);
    }
    Ok(matches!(readable(look(tx, letter))?, Ok(Some(_))))
}

/// Whether what a letter says is still true, whoever it reaches.
pub(super) fn is_still_true(tx: &mut Tx<'_>, letter: &Letter) -> Outcome<bool> {
    let matched = match letter.match_id {
        Some(id) => matches::find(tx.conn, id)?,
        None => None,
    };
    let request = match letter.request_id {
        Some(id) => requests::find(tx.conn, id)?,
        None => None,
    };
    is_allowed(tx, letter, matched.as_ref(), request.as_ref())
}

/// Who gets it, and what it is about; `None` if it is not to be sent.
fn look(tx: &mut Tx<'_>, letter: &Letter) -> Outcome<Option<Subject>> {
    let Some(recipient) = recipient(tx, letter)? else {
        return Ok(None);
    };
    if is_suppressed(tx, &recipient)? {
        return Ok(None);
    }
    let matched = match letter.match_id {
        Some(id) => matches::find(tx.conn, id)?,
        None => None,
    };
    let request = match letter.request_id {
        Some(id) => requests::find(tx.conn, id)?,
        None => None,
    };
    let is_allowed = is_allowed(tx, letter, matched.as_ref(), request.as_ref())?;
    Ok(is_allowed.then_some((recipient, matched, request)))
}

/// What it says, with fresh tokens.
fn write(tx: &mut Tx<'_>, allowed: &Allowed) -> Outcome<LetterToSend> {
    let Allowed {
        letter,
        to,
        matched,
        request,
    } = allowed;
    let about = match request {
        Some(request) => Some(about(tx, letter.kind, matched.as_ref(), request)?),
        None => None,
    };
    let call_first = letter.kind == LetterKind::Received
        && letter.to_kind == RecipientKind::Neighbor
        && tasks::open_call(tx.conn, NeighborId::from(letter.to_id))?.is_some();
    let link = link_token(tx, letter, to)?;
    let unsubscribe = match letter.to_kind {
        RecipientKind::Coordinator => None,
        _ => Some(tx.mint(Purpose::Unsubscribe, letter.to_id, None)?),
    };
    let expires = match letter.kind {
        LetterKind::Confirm => Some(confirmable_until(tx, letter)?),
        _ => None,
    };
    let know_by = knows_by(tx, letter, request.as_ref())?;
    let late_tasks = match letter.kind {
        LetterKind::TasksLate => tasks::escalated(tx.conn)?.0,
        _ => 0,
    };
    let digest = match letter.kind {
        LetterKind::Digest => tx.digest(CoordinatorId::from(letter.to_id))?,
        _ => None,
    };
    Ok(LetterToSend {
        id: letter.id,
        kind: letter.kind,
        to_volunteer: letter.to_kind == RecipientKind::Volunteer,
        to: to.email.clone(),
        name: to.name.clone(),
        about,
        link,
        unsubscribe,
        call_first,
        link_expires: expires,
        know_by,
        late_tasks,
        digest,
    })
}

/// Until when the post can be confirmed: as long as it is there.
fn confirmable_until(tx: &mut Tx<'_>, letter: &Letter) -> Outcome<Ts> {
    let retention = &tx.ctx.settings.retention;
    let (posted, imported) = (retention.unconfirmed, retention.imported);
    let volunteer = VolunteerId::from(letter.to_id);
    let within = match volunteers::is_imported(tx.conn, volunteer)? {
        true => imported,
        false => posted,
    };
    Ok(letter.created_at.after(within))
}

/// Whether the owner of an address that nobody has confirmed in this record wants no mail, as another
/// record tells: whoever posts under her address must not make us write to her again.
fn is_suppressed(tx: &mut Tx<'_>, to: &Recipient) -> Outcome<bool> {
    let Some(address) = to.address.filter(|_| to.is_unconfirmed) else {
        return Ok(false);
    };
    Ok(neighbors::wants_no_mail(tx.conn, address)? || volunteers::wants_no_mail(tx.conn, address)?)
}

/// Who gets it; `None` if they have no address, want no mail, or are gone.
fn recipient(tx: &mut Tx<'_>, letter: &Letter) -> Outcome<Option<Recipient>> {
    let vault = tx.keys;
    Ok(match letter.to_kind {
        RecipientKind::Neighbor => {
            let Some(row) = neighbors::find(tx.conn, NeighborId::from(letter.to_id))? else {
                return Ok(None);
            };
            let (None, Some(sealed)) = (row.mail_stopped_at, &row.sealed) else {
                return Ok(None);
            };
            let secret: NeighborSecret = vault.open(row.id, row.sealed_version, sealed)?;
            secret.contact.email.map(|email| Recipient {
                email,
                name: secret.contact.name,
                manage: Some(Purpose::Neighbor),
                address: row.email_hash,
                is_unconfirmed: row.verified == Verified::None,
            })
        }
        RecipientKind::Volunteer => {
            let Some(row) = volunteers::find(tx.conn, VolunteerId::from(letter.to_id))? else {
                return Ok(None);
            };
            let (None, Some(sealed)) = (row.mail_stopped_at, &row.sealed) else {
                return Ok(None);
            };
            let secret: VolunteerSecret = vault.open(row.id, row.sealed_version, sealed)?;
            secret.contact.email.map(|email| Recipient {
                email,
                name: secret.contact.name,
                manage: Some(Purpose::Volunteer),
                address: row.email_hash,
                is_unconfirmed: row.confirmed_at.is_none(),
            })
        }
        RecipientKind::Coordinator => {
            let Some(row) = coordinators::find(tx.conn, CoordinatorId::from(letter.to_id))? else {
                return Ok(None);
            };
            if row.revoked_at.is_some() {
                return Ok(None);
            }
            let secret: CoordinatorSecret = vault.open(row.id, row.sealed_version, &row.sealed)?;
            Some(Recipient {
                email: secret.email,
                name: secret.name,
                manage: None,
                address: None,
                is_unconfirmed: false,
            })
        }
        // It is told in another way (`claim_events`).
        RecipientKind::Webhook => None,
    })
}

/// Whether what the letter says is still true and still of use.
fn is_allowed(
    tx: &mut Tx<'_>,
    letter: &Letter,
    matched: Option<&Match>,
    request: Option<&Request>,
) -> Outcome<bool> {
    let state = matched.map(|m| m.state);
    let is_open = request.is_some_and(|r| r.state == RequestState::Open);
    Ok(match letter.kind {
        LetterKind::Confirm => volunteers::find(tx.conn, VolunteerId::from(letter.to_id))?
            .is_some_and(|v| v.confirmed_at.is_none() && v.erased_at.is_none()),
        LetterKind::Asked => {
            state == Some(MatchState::Notified) && is_open && !is_frozen(tx, matched, request)?
        }
        LetterKind::Accepted => matches!(state, Some(MatchState::Accepted | MatchState::Fulfilled)),
        LetterKind::Agree => {
            state == Some(MatchState::Accepted)
                && matched.is_some_and(|m| m.agreement == Agreement::Pending)
        }
        LetterKind::Contact => matched.is_some_and(Match::is_released),
        // Of the time the volunteer is not told what she has said herself.
        LetterKind::Arrival | LetterKind::Reminder => {
            matched.is_some_and(Match::is_silent) && !is_frozen(tx, matched, request)?
        }
        LetterKind::DidItWork => match letter.to_kind {
            RecipientKind::Volunteer => matched.is_some_and(Match::is_silent),
            _ => state == Some(MatchState::Accepted),
        },
        LetterKind::HandedOver => request
            .is_some_and(|r| r.close_reason == Some(CloseReason::HandedOver) && r.sealed.is_some()),
        LetterKind::Covered => state == Some(MatchState::Superseded),
        LetterKind::NobodyYet => is_open && request.is_some_and(|r| r.attention.is_some()),
        LetterKind::Changed => request.is_some_and(|r| r.state.is_live()),
        LetterKind::ReviewDue => match letter.request_id {
            Some(id) => matches::of_request(tx.conn, id)?
                .iter()
                .any(|m| m.state == MatchState::Proposed),
            None => false,
        },
        LetterKind::CallDue => match request {
            Some(request) => tasks::open_call(tx.conn, request.neighbor_id)?.is_some(),
            None => false,
        },
        LetterKind::TasksLate => tasks::escalated(tx.conn)?.0 > 0,
        LetterKind::Imported => volunteers::find(tx.conn, VolunteerId::from(letter.to_id))?
            .is_some_and(|v| v.confirmed_at.is_some() && v.erased_at.is_none()),
        LetterKind::Digest => is_of_today(tx, letter)?,
        LetterKind::Event => webhooks::find(tx.conn, WebhookId::from(letter.to_id))?
            .is_some_and(|webhook| webhook.disabled_at.is_none()),
        LetterKind::Received
        | LetterKind::CalledOff
        | LetterKind::Reported
        | LetterKind::Expiring => true,
    })
}

/// Whether it is still the day that the morning's letter is of, and whoever gets it still wants it.
fn is_of_today(tx: &mut Tx<'_>, letter: &Letter) -> Outcome<bool> {
    let zone = &tx.ctx.settings.area.timezone;
    let is_today = zone.date_at(letter.created_at) == zone.date_at(tx.now);
    let to = coordinators::find(tx.conn, CoordinatorId::from(letter.to_id))?;
    Ok(is_today && to.is_some_and(|to| to.gets_digest()))
}

/// Whether the match touches an area in which nothing is asked for now.
fn is_frozen(tx: &mut Tx<'_>, matched: Option<&Match>, request: Option<&Request>) -> Outcome<bool> {
    let (Some(matched), Some(request)) = (matched, request) else {
        return Ok(false);
    };
    let offer = tx.offer(matched.offer_id, None)?;
    Ok(frozen::is_frozen(tx.conn, request, &offer)?)
}

/// What the letter may tell of the request: nothing that is sealed but the note, and that only to the
/// volunteer who is asked; and who looks after it now, only to the neighbor.
fn about(
    tx: &mut Tx<'_>,
    kind: LetterKind,
    matched: Option<&Match>,
    request: &Request,
) -> Outcome<About> {
    let category = tx.ctx.catalog.get(request.category.as_str());
    let quantity = matched.map_or(request.quantity.get(), |m| {
        if m.taken > 0 {
            m.taken
        } else {
            m.quantity.get()
        }
    });
    let secret: RequestSecret = match &request.sealed {
        Some(sealed) if matches!(kind, LetterKind::Asked | LetterKind::HandedOver) => {
            tx.keys.open(request.id, request.sealed_version, sealed)?
        }
        _ => RequestSecret::default(),
    };
    Ok(About {
        category: category.map_or_else(|| request.category.to_string(), |c| c.title.clone()),
        amount: format!(
            "{quantity} {}",
            category.map_or("", |c| c.unit_for(quantity))
        ),
        urgency: tx.ctx.urgency(request, tx.now),
        from: request.needed_from,
        until: request.needed_until,
        timezone: tx.ctx.settings.area.timezone.clone(),
        band: matched.map(|m| m.band),
        note: secret.note.filter(|_| kind == LetterKind::Asked),
        respond_within: tx.ctx.wave(request, tx.now).respond_within,
        agreement: matched.map_or(Agreement::None, |m| m.agreement),
        arrival: matched.and_then(|m| m.arrival_at),
        said_done: matched.is_some_and(|m| m.done_at.is_some()),
        done_wait: tx.ctx.settings.matching.done_wait,
        attention: request.attention,
        match_id: matched.map(|m| m.id),
        handed_over: secret.handed_over,
    })
}

/// The token behind the letter's link: minted anew by each attempt, for an earlier one may be lost.
fn link_token(tx: &mut Tx<'_>, letter: &Letter, to: &Recipient) -> Outcome<Option<Token>> {
    let (purpose, subject, expires) = match (letter.kind, letter.to_kind, letter.match_id) {
        (LetterKind::Confirm, ..) => {
            let expires = confirmable_until(tx, letter)?;
            (Purpose::Confirm, letter.to_id, Some(expires))
        }
        (_, RecipientKind::Volunteer, Some(id)) => {
            let until = tx.answerable_until(id)?;
            (Purpose::Answer, RecordId::from(id), until)
        }
        _ => match (to.manage, to.address) {
            (Some(purpose), Some(address)) => {
                return Ok(Some(tx.mint_mailed(purpose, letter.to_id, address)?));
            }
            (Some(purpose), None) => (purpose, letter.to_id, None),
            (None, _) => return Ok(None),
        },
    };
    Ok(Some(tx.mint(purpose, subject, expires)?))
}
