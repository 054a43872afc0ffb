//! The sealed parts of records: everything that says who, how to reach, exactly where, and free text.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::contact::{Contact, ContactLine, EmailAddress, PersonName, StreetAddress};
use super::note::{Note, PrivateNote};
use super::place::GeoPoint;

/// The sealed part of a record of one table.
pub trait Secret: Serialize + DeserializeOwned {
    /// The table whose `sealed` column holds it.
    const TABLE: &'static str;
}

/// Who asks, and where she is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NeighborSecret {
    /// How to reach her.
    pub contact: Contact,
    /// Who posted for her, if somebody did.
    pub caller: Option<Contact>,
    /// Where she is: a point she gave, or the center of her postal code.
    pub place: GeoPoint,
    /// Her street address, if she gave it.
    pub address: Option<StreetAddress>,
}

impl NeighborSecret {
    /// The contact by which she is reached: the caller's, where she has no way of her own.
    #[must_use]
    pub fn reached_by(&self) -> &Contact {
        let caller = self.caller.as_ref().filter(|c| c.is_reachable());
        match caller {
            Some(caller) if !self.contact.is_reachable() => caller,
            _ => &self.contact,
        }
    }
}

/// The free text of a request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RequestSecret {
    /// May be shown before acceptance.
    pub note: Option<Note>,
    /// Released with the contact.
    pub private_note: Option<PrivateNote>,
    /// Who looks after it now, once it was handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_over: Option<HandedOver>,
}

/// Another group that looks after a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedOver {
    /// What the group is called.
    pub to: ContactLine,
    /// By what they know it: their number, or whom to ask for.
    pub reference: ContactLine,
}

/// Who offers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VolunteerSecret {
    /// How to reach the volunteer.
    pub contact: Contact,
}

/// Where an offer stands, and its free text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OfferSecret {
    /// The exact point.
    pub place: GeoPoint,
    /// May be shown before acceptance.
    pub note: Option<Note>,
    /// Released with the contact.
    pub private_note: Option<PrivateNote>,
    /// What will be public of a site once a coordinator has checked it.
    pub site: Option<SiteDetails>,
}

/// The public face of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteDetails {
    /// Its name.
    pub title: ContactLine,
    /// Its street address.
    pub address: StreetAddress,
    /// Whether people may come without a match.
    pub walk_in: bool,
}

/// The evidence of a report: what a coordinator needs to act, never where somebody lives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReportSecret {
    /// How to reach the person who is reported; none where they were erased before.
    pub reported: Option<Contact>,
    /// What the reporter wrote.
    pub statement: Option<PrivateNote>,
}

/// What a coordinator notes of a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TaskSecret {
    /// For whoever goes on with it.
    pub note: PrivateNote,
}

/// Who coordinates.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CoordinatorSecret {
    /// What the audit's readers call them.
    pub name: PersonName,
    /// Where reviews are announced.
    pub email: EmailAddress,
}

impl Secret for NeighborSecret {
    const TABLE: &'static str = "neighbors";
}
impl Secret for RequestSecret {
    const TABLE: &'static str = "requests";
}
impl Secret for VolunteerSecret {
    const TABLE: &'static str = "volunteers";
}
impl Secret for OfferSecret {
    const TABLE: &'static str = "offers";
}
impl Secret for ReportSecret {
    const TABLE: &'static str = "reports";
}
impl Secret for TaskSecret {
    const TABLE: &'static str = "tasks";
}
impl Secret for CoordinatorSecret {
    const TABLE: &'static str = "coordinators";
}
