//! What is told to whoever watches: that something has changed, and what. It holds nothing of anybody; what it is
//! about is read by its id.

use serde::Serialize;
use utoipa::ToSchema;

use super::clock::Ts;
use super::ids::RecordId;
use super::word::words;

words! {
    /// What has happened.
    EventType {
        /// A request is new, or has changed: its state, its cover, what is asked.
        Request = "request.changed",
        /// An offer is new, or has changed, or something of its volunteer has.
        Offer = "offer.changed",
        /// A match is new, or has changed its state.
        Match = "match.changed",
        /// A task is new, or was taken, moved or done.
        Task = "task.changed",
    }
}

/// An event, in the shape of <https://www.standardwebhooks.com>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Event {
    /// What has happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Ts,
    /// To what.
    pub data: Subject,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Subject {
    /// The id of the request, offer, match or task.
    #[schema(value_type = String, format = Uuid)]
    pub id: RecordId,
}
