//! Contacts, as an accepted match releases them; gone when it ends.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::contact::{Contact, ReleasedContact};
use crate::domain::secret::NeighborSecret;

/// How to reach the other side of an accepted match.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasedView {
    /// The first name.
    pub name: String,
    /// E-mail, if they chose it.
    pub email: Option<String>,
    /// Phone, if they chose it.
    pub phone: Option<String>,
    /// Another way, if they chose it.
    pub other: Option<String>,
    /// How to use them.
    pub contact_note: Option<String>,
    /// Whom one reaches by it: the first name of who called for a neighbor who has no contact of her own.
    pub through: Option<String>,
    /// Where to come, if the help is brought there and that was agreed.
    pub address: Option<String>,
    /// The exact point, under the same condition: latitude and longitude.
    pub point: Option<[f64; 2]>,
    /// What they wrote for whoever helps.
    pub private_note: Option<String>,
}

impl ReleasedView {
    /// A neighbor's contact alone: under her name, her caller's where she has none.
    #[must_use]
    pub fn of_neighbor(who: &NeighborSecret) -> Self {
        let reached = who.reached_by();
        let is_hers = who.contact.is_reachable();
        Self {
            name: who.contact.name.first().to_owned(),
            through: (!is_hers).then(|| reached.name.first().to_owned()),
            ..Self::of(reached)
        }
    }

    /// The contact alone.
    #[must_use]
    pub fn of(contact: &Contact) -> Self {
        let ReleasedContact {
            name,
            email,
            phone,
            other,
            note,
        } = contact.released();
        Self {
            name: name.expose().to_owned(),
            email: email.map(|e| e.expose().to_owned()),
            phone: phone.map(|p| p.expose().to_owned()),
            other: other.map(|o| o.expose().to_owned()),
            contact_note: note.map(|n| n.expose().to_owned()),
            through: None,
            address: None,
            point: None,
            private_note: None,
        }
    }
}
