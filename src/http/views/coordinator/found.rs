//! Who is known by a contact: ids and states, and nothing that is sealed.

use serde::Serialize;
use utoipa::ToSchema;

use super::request::NeighborSummary;
use crate::actions::find_people::{Found, FoundNeighbor, FoundVolunteer};
use crate::domain::lifecycle::{OfferState, RequestState};

/// Everybody who is known by a contact, newest first.
#[derive(Serialize, ToSchema)]
pub struct FoundPeople {
    /// Neighbors.
    pub neighbors: Vec<KnownNeighbor>,
    /// Volunteers; none for the scope `intake`.
    pub volunteers: Vec<KnownVolunteer>,
    /// Whether a volunteer with that contact is blocked, also one who was erased since; not told to the
    /// scope `intake`.
    pub blocked: Option<bool>,
    /// Whether a neighbor with that contact is blocked, also one who was erased since; not told to the scope
    /// `intake`.
    pub neighbor_blocked: Option<bool>,
    /// Whether there may be more than the 50 newest of a kind.
    pub more: bool,
}

/// A neighbor who is known.
#[derive(Serialize, ToSchema)]
pub struct KnownNeighbor {
    /// She.
    #[serde(flatten)]
    pub neighbor: NeighborSummary,
    /// Whether it is not her own contact, but that of somebody who called for her.
    pub by_caller: bool,
    /// What she asks, oldest first.
    pub requests: Vec<RequestInShort>,
}

/// A request in the shortest.
#[derive(Serialize, ToSchema)]
pub struct RequestInShort {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// Where it stands.
    pub state: RequestState,
    /// Its category.
    #[schema(example = "food")]
    pub category: String,
}

/// A volunteer who is known.
#[derive(Serialize, ToSchema)]
pub struct KnownVolunteer {
    /// The volunteer's id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// Whether the address is confirmed. Until then anybody may have given it.
    pub confirmed: bool,
    /// Whether they are blocked.
    pub blocked: bool,
    /// What they offer, oldest first.
    pub offers: Vec<OfferInShort>,
}

/// An offer in the shortest.
#[derive(Serialize, ToSchema)]
pub struct OfferInShort {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// Where it stands.
    pub state: OfferState,
    /// Its category.
    #[schema(example = "food")]
    pub category: String,
}

impl From<Found> for FoundPeople {
    fn from(found: Found) -> Self {
        Self {
            neighbors: found.neighbors.iter().map(Into::into).collect(),
            volunteers: found.volunteers.iter().map(Into::into).collect(),
            blocked: found.blocked,
            neighbor_blocked: found.neighbor_blocked,
            more: found.more,
        }
    }
}

impl From<&FoundNeighbor> for KnownNeighbor {
    fn from(found: &FoundNeighbor) -> Self {
        let in_short = |r: &crate::storage::requests::RequestHead| RequestInShort {
            id: r.id.to_string(),
            state: r.state,
            category: r.category.to_string(),
        };
        Self {
            neighbor: (&found.neighbor).into(),
            by_caller: found.by_caller,
            requests: found.requests.iter().map(in_short).collect(),
        }
    }
}

impl From<&FoundVolunteer> for KnownVolunteer {
    fn from(found: &FoundVolunteer) -> Self {
        let in_short = |o: &crate::storage::offers::OfferHead| OfferInShort {
            id: o.id.to_string(),
            state: o.state,
            category: o.category.to_string(),
        };
        Self {
            id: found.volunteer.id.to_string(),
            confirmed: found.volunteer.confirmed_at.is_some(),
            blocked: found.volunteer.blocked_at.is_some(),
            offers: found.offers.iter().map(in_short).collect(),
        }
    }
}
