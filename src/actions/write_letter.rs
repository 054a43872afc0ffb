//! What a letter says that may leave, with fresh tokens: minted by each attempt, for the letter of an earlier one may be
//! lost.

use super::know_by::knows_by;
use super::letter_subject::Recipient;
use super::mail_limits::Departing;
use super::{Outcome, Tx};
use crate::crypto::token::{Purpose, Token};
use crate::domain::clock::Ts;
use crate::domain::ids::{CoordinatorId, NeighborId, RecordId, VolunteerId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::Agreement;
use crate::domain::secret::RequestSecret;
use crate::mail::letter::{About, LetterToSend};
use crate::storage::letters::{Letter, RecipientKind};
use crate::storage::matches::Match;
use crate::storage::requests::Request;
use crate::storage::{tasks, volunteers};

/// A letter that may be sent, and what it is about.
pub(super) struct Allowed {
    pub letter: Letter,
    pub to: Recipient,
    pub matched: Option<Match>,
    pub request: Option<Request>,
}

impl Allowed {
    /// What the limits want to know of it.
    pub(super) fn departing(&self) -> Departing {
        let unconfirmed = self.to.address.filter(|_| self.to.is_unconfirmed);
        (self.letter.id, unconfirmed)
    }
}

/// What it says, with fresh tokens.
pub(super) fn write(tx: &mut Tx<'_>, allowed: &Allowed) -> Outcome<LetterToSend> {
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
