//! What was sealed, to a coordinator who gave a reason.

use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::Ctx;
use crate::actions::reveal::{RevealedOffer, RevealedRequest};
use crate::domain::ids::RequestId;
use crate::domain::note::{Note, PrivateNote};
use crate::domain::place::GeoPoint;
use crate::domain::secret::VolunteerSecret;
use crate::http::bodies::contact::ContactBody;
use crate::http::bodies::location::LocationBody;
use crate::http::bodies::offer::SiteBody;
use crate::http::views::matched::{self, NeighborMatchView};
use crate::http::views::request::HandedOverView;
use crate::storage::{Conn, StorageError, areas, matches, requests};

/// What was sealed of a request and of her who asks.
#[derive(Serialize, ToSchema)]
pub struct RevealedRequestView {
    /// How she is reached.
    pub contact: ContactBody,
    /// Who posted for her.
    pub caller: Option<ContactBody>,
    /// Where she is.
    #[schema(example = json!({"lat": 44.95, "lon": -93.26, "address": "2410 Example Ave"}))]
    pub location: LocationBody,
    /// What may be shown before anything is agreed.
    #[schema(example = "Two adults, two children")]
    pub note: Option<String>,
    /// What is released with the contact.
    pub private_note: Option<String>,
    /// Who has said yes, and how to reach them where that was released to her: as she sees it herself.
    pub helpers: Vec<NeighborMatchView>,
    /// Who looks after it now, once it was handed over.
    pub handed_over: Option<HandedOverView>,
}

/// What was sealed of an offer and of its volunteer.
#[derive(Serialize, ToSchema)]
pub struct RevealedOfferView {
    /// How the volunteer is reached.
    #[schema(example = json!({"name": "Ana", "email": "ana@example.org"}))]
    pub contact: ContactBody,
    /// Where the help stands.
    pub location: LocationBody,
    /// What may be shown before anything is agreed.
    pub note: Option<String>,
    /// What is released with the contact.
    pub private_note: Option<String>,
    /// What becomes public of it once it is listed.
    pub site: Option<SiteBody>,
}

/// What was sealed of a volunteer.
#[derive(Serialize, ToSchema)]
pub struct RevealedVolunteerView {
    /// How the volunteer is reached.
    #[schema(example = json!({"name": "Ana", "email": "ana@example.org"}))]
    pub contact: ContactBody,
}

impl RevealedRequestView {
    /// What was sealed, and who helps.
    #[must_use]
    pub fn of(revealed: RevealedRequest, helpers: Vec<NeighborMatchView>) -> Self {
        let RevealedRequest { neighbor, request } = revealed;
        Self {
            contact: (&neighbor.contact).into(),
            caller: neighbor.caller.as_ref().map(Into::into),
            location: LocationBody {
                address: neighbor.address.map(|a| a.expose().to_owned()),
                ..at(neighbor.place)
            },
            note: note(request.note),
            handed_over: request.handed_over.as_ref().map(Into::into),
            private_note: private_note(request.private_note),
            helpers,
        }
    }
}

/// What a neighbor sees of who has said yes to her request.
///
/// # Errors
/// A failed query, or a secret that does not open.
pub fn helpers(
    ctx: &Ctx,
    conn: &mut Conn,
    id: RequestId,
) -> Result<Vec<NeighborMatchView>, StorageError> {
    let Some(request) = requests::find(conn, id)? else {
        return Ok(Vec::new());
    };
    let all = matches::of_request(conn, id)?;
    let frozen = areas::frozen(conn)?;
    matched::of_request(ctx, conn, &request, &all, &frozen)
}

impl From<RevealedOffer> for RevealedOfferView {
    fn from(revealed: RevealedOffer) -> Self {
        let RevealedOffer { volunteer, offer } = revealed;
        Self {
            contact: (&volunteer.contact).into(),
            location: at(offer.place),
            note: note(offer.note),
            private_note: private_note(offer.private_note),
            site: offer.site.as_ref().map(Into::into),
        }
    }
}

impl From<VolunteerSecret> for RevealedVolunteerView {
    fn from(revealed: VolunteerSecret) -> Self {
        Self {
            contact: (&revealed.contact).into(),
        }
    }
}

fn at(place: GeoPoint) -> LocationBody {
    LocationBody {
        lat: Some(place.lat()),
        lon: Some(place.lon()),
        ..LocationBody::default()
    }
}

fn note(note: Option<Note>) -> Option<String> {
    note.map(|n| n.expose().to_owned())
}

fn private_note(note: Option<PrivateNote>) -> Option<String> {
    note.map(|n| n.expose().to_owned())
}
