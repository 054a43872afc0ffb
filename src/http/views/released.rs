//! Contacts, as an accepted match releases them; gone when it ends.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::contact::{Contact, ReleasedContact};

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
    /// Where to come, if the help is brought there and that was agreed.
    pub address: Option<String>,
    /// The exact point, under the same condition: latitude and longitude.
    pub point: Option<[f64; 2]>,
    /// What they wrote for whoever helps.
    pub private_note: Option<String>,
}

impl ReleasedView {
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
            address: None,
            point: None,
            private_note: None,
        }
    }
}
