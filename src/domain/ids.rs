//! Public ids: random (UUID version 4), so that none tells when or in which order people posted.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::entropy::Entropy;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new random id.
            #[must_use]
            pub fn new(entropy: &dyn Entropy) -> Self {
                Self(uuid::Builder::from_random_bytes(entropy.bytes()).into_uuid())
            }

            /// The id as it stands in the database.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// Who asks.
    NeighborId;
    /// One need.
    RequestId;
    /// Who offers.
    VolunteerId;
    /// One kind of help by one volunteer.
    OfferId;
    /// One request with one offer.
    MatchId;
    /// A letter in the outbox.
    LetterId;
    /// A person with an API token.
    CoordinatorId;
    /// What one side of a match reported of the other.
    ReportId;
    /// Something a person must do.
    TaskId;
    /// An area where nothing is matched for now.
    AreaId;
    /// Who would help whom, made for all at once.
    PlanId;
    /// A request with an offer in a plan.
    PlanPairId;
    /// One import of a spreadsheet.
    ImportId;
    /// Where what changes is told.
    WebhookId;
    /// A record whose kind stands beside the id.
    RecordId;
    /// One taking of a piece of work by a worker.
    LeaseId;
}

macro_rules! records {
    ($($name:ident),*) => {$(
        impl From<$name> for RecordId {
            fn from(id: $name) -> Self {
                Self(id.0)
            }
        }

        impl From<RecordId> for $name {
            fn from(id: RecordId) -> Self {
                Self(id.0)
            }
        }
    )*};
}

records!(
    NeighborId,
    RequestId,
    VolunteerId,
    OfferId,
    MatchId,
    LetterId,
    CoordinatorId,
    ReportId,
    TaskId,
    AreaId,
    PlanId,
    PlanPairId,
    ImportId,
    WebhookId
);
