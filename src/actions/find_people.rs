//! Somebody calls, and a coordinator looks whether they are known: by the keyed hash of what they give,
//! into the audit, and not without limit.

use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::crypto::lookup::KeyedHash;
use crate::domain::contact::{EmailAddress, PhoneNumber};
use crate::domain::fact::Fact;
use crate::domain::ids::{CoordinatorId, NeighborId, RecordId, VolunteerId};
use crate::domain::remit::Remit;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::neighbors::Neighbor;
use crate::storage::offers::OfferHead;
use crate::storage::requests::RequestHead;
use crate::storage::volunteers::Volunteer;
use crate::storage::{neighbors, offers, requests, volunteers};

/// People of each kind that one search shows: a shelter's phone is that of hundreds.
const SHOWN: i64 = 50;

/// What somebody gives to be known by.
#[derive(Clone, Debug)]
pub enum Sought {
    /// An e-mail address.
    Email(EmailAddress),
    /// A phone number.
    Phone(PhoneNumber),
}

/// Who is known by it, newest first.
#[derive(Debug)]
pub struct Found {
    /// Neighbors with what they ask.
    pub neighbors: Vec<FoundNeighbor>,
    /// Volunteers with what they offer; none for who sees only some neighbors.
    pub volunteers: Vec<FoundVolunteer>,
    /// Whether a volunteer with that contact is blocked, erased or not; not told to who sees only some
    /// neighbors.
    pub blocked: Option<bool>,
    /// The same of a neighbor with that contact.
    pub neighbor_blocked: Option<bool>,
    /// Whether there may be more.
    pub more: bool,
}

/// A neighbor who is known.
#[derive(Debug)]
pub struct FoundNeighbor {
    /// Who.
    pub neighbor: Neighbor,
    /// Whether it is not her own contact but that of somebody who called for her.
    pub by_caller: bool,
    /// What she asks, oldest first.
    pub requests: Vec<RequestHead>,
}

/// A volunteer who is known.
#[derive(Debug)]
pub struct FoundVolunteer {
    /// Who.
    pub volunteer: Volunteer,
    /// What they offer, oldest first.
    pub offers: Vec<OfferHead>,
}

/// Looks for everybody within the remit who gave that contact.
///
/// # Errors
/// Too many searches.
pub async fn find_people(
    ctx: &Ctx,
    sought: Sought,
    by: CoordinatorId,
    remit: Remit,
) -> Outcome<Found> {
    let actor = Actor::person(ActorKind::Coordinator, by);
    ctx.write(actor, move |tx| {
        let hourly = tx.ctx.settings.limits.searches;
        if let Some(wait_s) = tx.must_wait(by, "person_sought", hourly)? {
            return refuse(Refusal::TooManySearches(wait_s));
        }
        let hasher = &tx.keys.hasher;
        let (what, email, phone) = match &sought {
            Sought::Email(email) => ("email", Some(hasher.email(email)), None),
            Sought::Phone(phone) => ("phone", None, Some(hasher.phone(phone))),
        };
        let found = known(tx, remit, email, phone)?;
        tx.audit(
            "person_sought",
            ("coordinator", RecordId::from(by)),
            &[
                ("by", Fact::Word(what)),
                ("neighbors", found.neighbors.len().into()),
                ("volunteers", found.volunteers.len().into()),
            ],
        )?;
        Ok(found)
    })
    .await
}

fn known(
    tx: &mut Tx<'_>,
    remit: Remit,
    email: Option<KeyedHash>,
    phone: Option<KeyedHash>,
) -> Outcome<Found> {
    let known = neighbors::known_by(tx.conn, remit, email, phone, SHOWN)?;
    let (helpers, blocked, neighbor_blocked) = if remit == Remit::All {
        let helpers = volunteers::known_by(tx.conn, email, phone, SHOWN)?;
        let blocked = volunteers::is_blocked(tx.conn, email, phone)?;
        let contacts: Vec<KeyedHash> = email.into_iter().chain(phone).collect();
        let neighbor = tx.is_person_blocked(&contacts)?;
        (helpers, Some(blocked), Some(neighbor))
    } else {
        (Vec::new(), None, None)
    };
    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let more = known.len() == shown || helpers.len() == shown;
    let ids: Vec<NeighborId> = known.iter().map(|n| n.id).collect();
    let asked = requests::heads_of(tx.conn, &ids)?;
    let ids: Vec<VolunteerId> = helpers.iter().map(|v| v.id).collect();
    let offered = offers::heads_of(tx.conn, &ids)?;
    let is_hers = |n: &Neighbor| {
        (email.is_some() && n.email_hash == email) || (phone.is_some() && n.phone_hash == phone)
    };
    let with_requests = |neighbor: Neighbor| FoundNeighbor {
        by_caller: !is_hers(&neighbor),
        requests: asked
            .iter()
            .filter(|r| r.neighbor_id == neighbor.id)
            .cloned()
            .collect(),
        neighbor,
    };
    let with_offers = |volunteer: Volunteer| FoundVolunteer {
        offers: offered
            .iter()
            .filter(|o| o.volunteer_id == volunteer.id)
            .cloned()
            .collect(),
        volunteer,
    };
    Ok(Found {
        neighbors: known.into_iter().map(with_requests).collect(),
        volunteers: helpers.into_iter().map(with_offers).collect(),
        blocked,
        neighbor_blocked,
        more,
    })
}
