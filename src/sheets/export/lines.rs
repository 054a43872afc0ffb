//! What stands in each column.

use serde::Serialize;

use super::Exported;
use crate::crypto::keys::Keys;
use crate::domain::contact::{
    Channel, Contact, ContactLine, EmailAddress, PhoneNumber, StreetAddress,
};
use crate::domain::note::{Note, PrivateNote};
use crate::domain::secret::{NeighborSecret, OfferSecret, RequestSecret, VolunteerSecret};
use crate::storage::StorageError;
use crate::storage::matches::Match;
use crate::storage::neighbors::Neighbor;
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::sites::Site;
use crate::storage::volunteers::Volunteer;

const REQUEST: &[&str] = &[
    "id",
    "state",
    "category",
    "quantity",
    "covered",
    "urgency",
    "from",
    "until",
    "throughout",
    "handover",
    "splittable",
    "max_helpers",
    "travel_m",
    "language_must",
    "requires",
    "languages",
    "agree_first",
    "verified",
    "cell",
    "created_at",
    "closed_at",
    "close_reason",
];
const NEIGHBOR: &[&str] = &[
    "name",
    "email",
    "phone",
    "other",
    "channels",
    "contact_note",
    "caller_name",
    "caller_email",
    "caller_phone",
    "address",
    "lat",
    "lon",
    "locale",
    "note",
    "private_note",
];
const OFFER: &[&str] = &[
    "id",
    "state",
    "category",
    "capacity",
    "renews",
    "reach_m",
    "lead_minutes",
    "from",
    "until",
    "opening_hours",
    "timezone",
    "provides",
    "languages",
    "is_site",
    "cell",
    "created_at",
    "expires_at",
    "closed_at",
];
const VOLUNTEER: &[&str] = &[
    "name",
    "email",
    "phone",
    "other",
    "channels",
    "contact_note",
    "lat",
    "lon",
    "locale",
    "site_title",
    "site_address",
    "walk_in",
    "note",
    "private_note",
];
const MATCH: &[&str] = &[
    "id",
    "state",
    "request_id",
    "offer_id",
    "quantity",
    "taken",
    "agreement",
    "band",
    "score",
    "wave",
    "by_hand",
    "asked_at",
    "answered_at",
    "released_at",
    "ended_at",
    "created_at",
];
const SITE: &[&str] = &[
    "id",
    "title",
    "address",
    "lat",
    "lon",
    "category",
    "walk_in",
    "capacity",
    "opening_hours",
    "timezone",
    "listed_at",
];

/// The first line.
pub(super) fn heads(what: Exported, persons: bool) -> Vec<String> {
    let (clear, sealed) = match what {
        Exported::Requests => (REQUEST, NEIGHBOR),
        Exported::Offers => (OFFER, VOLUNTEER),
        Exported::Matches => (MATCH, &[] as &[&str]),
        Exported::Sites => (SITE, &[] as &[&str]),
    };
    let sealed = if persons { sealed } else { &[] };
    clear
        .iter()
        .chain(sealed)
        .map(|head| (*head).to_owned())
        .collect()
}

/// What there is as text, and nothing of what there is not.
fn text<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// As JSON; nothing for an empty object.
fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    match text.as_str() {
        "{}" => String::new(),
        _ => text,
    }
}

pub(super) fn request(
    request: &Request,
    neighbor: &Neighbor,
    keys: Option<&Keys>,
) -> Result<Vec<String>, StorageError> {
    let mut line = vec![
        request.id.to_string(),
        request.state.to_string(),
        request.category.to_string(),
        request.quantity.get().to_string(),
        request.covered.to_string(),
        request.urgency.to_string(),
        request.needed_from.to_string(),
        request.needed_until.to_string(),
        request.throughout.to_string(),
        request.handover.to_string(),
        request.splittable.to_string(),
        request.max_helpers.to_string(),
        request.travel_m.meters().to_string(),
        request.language_must.to_string(),
        json(&request.requires.0),
        neighbor.languages.0.join(","),
        neighbor.agree_first.to_string(),
        neighbor.verified.to_string(),
        request.cell.to_string(),
        request.created_at.to_string(),
        text(request.closed_at),
        text(request.close_reason),
    ];
    let Some(keys) = keys else { return Ok(line) };
    let (Some(hers), Some(its)) = (&neighbor.sealed, &request.sealed) else {
        line.resize(REQUEST.len() + NEIGHBOR.len(), String::new());
        return Ok(line);
    };
    let hers: NeighborSecret = keys.open(neighbor.id, neighbor.sealed_version, hers)?;
    let its: RequestSecret = keys.open(request.id, request.sealed_version, its)?;
    line.extend(contact(&hers.contact));
    let caller = hers.caller.as_ref();
    line.extend([
        text(caller.map(|c| c.name.expose())),
        text(
            caller
                .and_then(|c| c.email.as_ref())
                .map(EmailAddress::expose),
        ),
        text(
            caller
                .and_then(|c| c.phone.as_ref())
                .map(PhoneNumber::expose),
        ),
        text(hers.address.as_ref().map(StreetAddress::expose)),
        hers.place.lat().to_string(),
        hers.place.lon().to_string(),
        neighbor.locale.clone(),
        text(its.note.as_ref().map(Note::expose)),
        text(its.private_note.as_ref().map(PrivateNote::expose)),
    ]);
    Ok(line)
}

pub(super) fn offer(
    offer: &Offer,
    volunteer: &Volunteer,
    keys: Option<&Keys>,
) -> Result<Vec<String>, StorageError> {
    let mut line = vec![
        offer.id.to_string(),
        offer.state.to_string(),
        offer.category.to_string(),
        offer.capacity.get().to_string(),
        offer.renews.to_string(),
        offer.reach_m.meters().to_string(),
        offer.lead_minutes.minutes().to_string(),
        text(offer.available_from),
        text(offer.available_until),
        text(offer.opening_hours.as_ref()),
        offer.timezone.clone(),
        json(&offer.provides.0),
        volunteer.languages.0.join(","),
        offer.is_site.to_string(),
        offer.cell.to_string(),
        offer.created_at.to_string(),
        offer.expires_at.to_string(),
        text(offer.closed_at),
    ];
    let Some(keys) = keys else { return Ok(line) };
    let (Some(theirs), Some(its)) = (&volunteer.sealed, &offer.sealed) else {
        line.resize(OFFER.len() + VOLUNTEER.len(), String::new());
        return Ok(line);
    };
    let theirs: VolunteerSecret = keys.open(volunteer.id, volunteer.sealed_version, theirs)?;
    let its: OfferSecret = keys.open(offer.id, offer.sealed_version, its)?;
    line.extend(contact(&theirs.contact));
    line.extend([
        its.place.lat().to_string(),
        its.place.lon().to_string(),
        volunteer.locale.clone(),
        text(its.site.as_ref().map(|s| s.title.expose())),
        text(its.site.as_ref().map(|s| s.address.expose())),
        text(its.site.as_ref().map(|s| s.walk_in)),
        text(its.note.as_ref().map(Note::expose)),
        text(its.private_note.as_ref().map(PrivateNote::expose)),
    ]);
    Ok(line)
}

fn contact(contact: &Contact) -> [String; 6] {
    let channel = |channel: &Channel| match channel {
        Channel::Email => "email",
        Channel::Text => "text",
        Channel::Call => "call",
        Channel::Other => "other",
    };
    let channels: Vec<_> = contact.channels.iter().map(channel).collect();
    [
        contact.name.expose().to_owned(),
        text(contact.email.as_ref().map(EmailAddress::expose)),
        text(contact.phone.as_ref().map(PhoneNumber::expose)),
        text(contact.other.as_ref().map(ContactLine::expose)),
        channels.join(","),
        text(contact.note.as_ref().map(ContactLine::expose)),
    ]
}

pub(super) fn matched(row: &Match) -> Vec<String> {
    vec![
        row.id.to_string(),
        row.state.to_string(),
        row.request_id.to_string(),
        row.offer_id.to_string(),
        row.quantity.get().to_string(),
        row.taken.to_string(),
        row.agreement.to_string(),
        row.band.as_str().to_owned(),
        format!("{:.3}", row.score),
        row.wave.to_string(),
        row.by_hand.to_string(),
        text(row.asked_at),
        text(row.answered_at),
        text(row.released_at),
        text(row.ended_at),
        row.created_at.to_string(),
    ]
}

pub(super) fn site(site: &Site, offer: &Offer) -> Vec<String> {
    vec![
        site.offer_id.to_string(),
        site.title.clone(),
        site.address.clone(),
        site.lat.to_string(),
        site.lon.to_string(),
        offer.category.to_string(),
        site.walk_in.to_string(),
        offer.capacity.get().to_string(),
        text(offer.opening_hours.as_ref()),
        offer.timezone.clone(),
        site.listed_at.to_string(),
    ]
}
