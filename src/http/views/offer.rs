//! An offer as its volunteer sees it.

use serde::Serialize;
use utoipa::ToSchema;

use super::undo::{self, UndoView};
use crate::actions::Ctx;
use crate::domain::attribute::Attributes;
use crate::domain::clock::Ts;
use crate::domain::lifecycle::OfferState;
use crate::domain::need::Renews;
use crate::domain::secret::OfferSecret;
use crate::http::bodies::location::LocationBody;
use crate::http::bodies::offer::{AvailableBody, SiteBody};
use crate::storage::StorageError;
use crate::storage::offers::Offer;

/// An offer, to its volunteer.
#[derive(Serialize, ToSchema)]
pub struct OfferView {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// Where it stands.
    pub state: OfferState,
    /// Its category.
    #[schema(example = "food")]
    pub category: String,
    /// The H3 cell that stands for its place.
    #[schema(example = "882649b2d3fffff")]
    pub cell: String,
    /// How much, in the category's unit.
    pub capacity: i32,
    /// When that comes back.
    pub renews: Renews,
    /// How far the volunteer travels, in meters.
    pub reach_m: i32,
    /// How long before helping the volunteer must know, in minutes.
    pub lead_minutes: i32,
    /// When it stands.
    pub available: AvailableBody,
    /// What it is like.
    #[schema(value_type = Object)]
    pub provides: Attributes,
    /// Its exact place; only its volunteer sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationBody>,
    /// What may be shown before anything is agreed.
    pub note: Option<String>,
    /// What is released with the contact.
    pub private_note: Option<String>,
    /// Its public face, if it is a site.
    pub site: Option<SiteBody>,
    /// What the volunteer can undo now.
    pub undo: Vec<UndoView>,
    /// When it ends by itself, unless it is renewed.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Ts,
    /// When it was posted.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
}

impl OfferView {
    /// What the poster gets back before the address is confirmed: nothing that was sealed.
    #[must_use]
    pub fn posted(row: &Offer) -> Self {
        Self {
            id: row.id.to_string(),
            state: row.state,
            category: row.category.to_string(),
            cell: row.cell.to_string(),
            capacity: row.capacity.get(),
            renews: row.renews,
            reach_m: row.reach_m.meters(),
            lead_minutes: row.lead_minutes.minutes(),
            available: AvailableBody {
                from: row.available_from,
                until: row.available_until,
                opening_hours: row.opening_hours.clone(),
                timezone: Some(row.timezone.clone()),
            },
            provides: row.provides.0.clone(),
            location: None,
            note: None,
            private_note: None,
            site: None,
            undo: Vec::new(),
            expires_at: row.expires_at,
            created_at: row.created_at,
        }
    }

    /// Everything, to its volunteer.
    ///
    /// # Errors
    /// A secret that does not open.
    pub fn of(ctx: &Ctx, row: &Offer) -> Result<Self, StorageError> {
        let Some(sealed) = &row.sealed else {
            return Ok(Self::posted(row));
        };
        let secret: OfferSecret = ctx.vault.open(row.id, row.sealed_version, sealed)?;
        Ok(Self {
            location: Some(LocationBody {
                lat: Some(secret.place.lat()),
                lon: Some(secret.place.lon()),
                ..LocationBody::default()
            }),
            note: secret.note.map(|n| n.expose().to_owned()),
            private_note: secret.private_note.map(|n| n.expose().to_owned()),
            site: secret.site.as_ref().map(Into::into),
            undo: undo::of_own_offer(ctx, row),
            ..Self::posted(row)
        })
    }
}
