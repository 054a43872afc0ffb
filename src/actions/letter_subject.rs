//! Who gets a letter, what it is about, and whether what it says is still true: looked up anew whenever it is to leave,
//! for its row holds ids only.

use super::{Outcome, Tx, frozen};
use crate::crypto::lookup::KeyedHash;
use crate::crypto::seal::SealError;
use crate::crypto::token::Purpose;
use crate::domain::contact::{EmailAddress, PersonName};
use crate::domain::ids::{CoordinatorId, NeighborId, VolunteerId, WebhookId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{Agreement, CloseReason, MatchState, RequestState};
use crate::domain::need::Verified;
use crate::domain::secret::{CoordinatorSecret, NeighborSecret, VolunteerSecret};
use crate::storage::letters::{Letter, RecipientKind};
use crate::storage::matches::Match;
use crate::storage::requests::Request;
use crate::storage::{
    StorageError, TxError, coordinators, matches, neighbors, requests, tasks, volunteers, webhooks,
};

/// What it is about may open for nobody. The other letters must not wait for that.
pub(super) fn readable<T>(result: Outcome<T>) -> Outcome<Result<T, SealError>> {
    match result {
        Err(TxError::Storage(StorageError::Sealed(error))) => Ok(Err(error)),
        result => result.map(Ok),
    }
}

/// Who gets a letter.
pub(super) struct Recipient {
    pub email: EmailAddress,
    pub name: PersonName,
    pub manage: Option<Purpose>,
    /// The keyed hash of the address.
    pub address: Option<KeyedHash>,
    /// Whether the owner has not used a link of a letter yet.
    pub is_unconfirmed: bool,
}

/// Who gets a letter, and what it is about.
pub(super) type Subject = (Recipient, Option<Match>, Option<Request>);

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
pub(super) fn look(tx: &mut Tx<'_>, letter: &Letter) -> Outcome<Option<Subject>> {
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
