//! An offer as coordinators see it: without its exact place, unless it is listed publicly, and without
//! what the volunteer wrote.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::matched::VolunteerSummary;
use crate::actions::Ctx;
use crate::domain::attribute::Attributes;
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::lifecycle::OfferState;
use crate::domain::need::Renews;
use crate::http::bodies::offer::AvailableBody;
use crate::http::views::offer::OfferView;
use crate::http::views::undo::{self, UndoView};
use crate::storage::offers::Offer;
use crate::storage::sites::Site;
use crate::storage::volunteers::Volunteer;
use crate::storage::{Conn, StorageError, capacity, offers, sites, volunteers};

/// An offer, to a coordinator.
#[derive(Serialize, ToSchema)]
pub struct OfferSheet {
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
    #[schema(example = 10)]
    pub capacity: i32,
    /// When that comes back.
    pub renews: Renews,
    /// What is promised of it.
    pub taken: Vec<TakenView>,
    /// How far the volunteer travels, in meters.
    #[schema(example = 5000)]
    pub reach_m: i32,
    /// How long before helping the volunteer must know, in minutes.
    #[schema(example = 60)]
    pub lead_minutes: i32,
    /// When it stands.
    pub available: AvailableBody,
    /// What it is like.
    #[schema(value_type = Object, example = json!({"diet": ["halal", "vegan"]}))]
    pub provides: Attributes,
    /// Whether it is open to the public; its title and address are sealed until it is listed.
    pub site: bool,
    /// How everybody sees it, once it is listed.
    pub listed: Option<ListedView>,
    /// What can be undone now.
    pub undo: Vec<UndoView>,
    /// When it ends by itself, unless it is renewed.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Ts,
    /// When it was posted.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Ts,
    /// When it was closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Ts>,
    /// Who gives it.
    pub volunteer: VolunteerSummary,
}

/// What is promised of an offer in one period.
#[derive(Debug, Serialize, ToSchema)]
pub struct TakenView {
    /// When the period begins; 1970 for an offer that never renews.
    #[schema(value_type = String, format = DateTime)]
    pub period_start: Ts,
    /// How much is promised.
    #[schema(example = 4)]
    pub taken: i32,
}

/// A site as everybody sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedView {
    /// Its name.
    #[schema(example = "Corner Books warming space")]
    pub title: String,
    /// Its street address.
    #[schema(example = "2410 Example Ave")]
    pub address: String,
    /// Whether people may come without a match.
    pub walk_in: bool,
    /// When it was listed.
    #[schema(value_type = String, format = DateTime)]
    pub listed_at: Ts,
    /// How much was taken when somebody last counted, in the category's unit.
    #[schema(example = 23)]
    pub taken: Option<i32>,
    /// When that was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub counted_at: Option<Ts>,
}

/// The offers with who gives them, in the order given.
///
/// # Errors
/// A failed query.
pub fn sheets(ctx: &Ctx, conn: &mut Conn, rows: &[Offer]) -> Result<Vec<OfferSheet>, StorageError> {
    let ids: Vec<VolunteerId> = rows.iter().map(|o| o.volunteer_id).collect();
    let owners: HashMap<VolunteerId, Volunteer> = volunteers::find_all(conn, &ids)?
        .into_iter()
        .map(|v| (v.id, v))
        .collect();
    let ids: Vec<OfferId> = rows.iter().map(|o| o.id).collect();
    let mut listed: HashMap<OfferId, Site> = sites::find_all(conn, &ids)?
        .into_iter()
        .map(|s| (s.offer_id, s))
        .collect();
    let mut taken: HashMap<OfferId, Vec<TakenView>> = HashMap::new();
    for (offer, period_start, amount) in capacity::taken_of(conn, &ids)? {
        taken.entry(offer).or_default().push(TakenView {
            period_start,
            taken: amount,
        });
    }
    // A foreign key sees to it that no volunteer is missing.
    let sheet = |row: &Offer| {
        let owner = owners.get(&row.volunteer_id)?;
        let taken = taken.remove(&row.id).unwrap_or_default();
        Some(sheet(ctx, row, owner, listed.remove(&row.id), taken))
    };
    Ok(rows.iter().filter_map(sheet).collect())
}

/// The offer; `None` if there is none.
///
/// # Errors
/// A failed query.
pub fn find(ctx: &Ctx, conn: &mut Conn, id: OfferId) -> Result<Option<OfferSheet>, StorageError> {
    let row = offers::find(conn, id)?;
    Ok(sheets(ctx, conn, row.as_slice())?.pop())
}

fn sheet(
    ctx: &Ctx,
    row: &Offer,
    owner: &Volunteer,
    listed: Option<Site>,
    mut taken: Vec<TakenView>,
) -> OfferSheet {
    taken.sort_by_key(|t| t.period_start);
    // What the poster gets back before the address is confirmed holds nothing that is sealed either.
    let clear = OfferView::posted(row);
    OfferSheet {
        id: clear.id,
        state: clear.state,
        category: clear.category,
        cell: clear.cell,
        capacity: clear.capacity,
        renews: clear.renews,
        taken,
        reach_m: clear.reach_m,
        lead_minutes: clear.lead_minutes,
        available: clear.available,
        provides: clear.provides,
        site: row.is_site,
        undo: undo::of_offer(ctx, row, listed.is_some()),
        listed: listed.map(Into::into),
        expires_at: clear.expires_at,
        created_at: clear.created_at,
        updated_at: row.updated_at,
        closed_at: row.closed_at,
        volunteer: owner.into(),
    }
}

impl From<Site> for ListedView {
    fn from(site: Site) -> Self {
        Self {
            title: site.title,
            address: site.address,
            walk_in: site.walk_in,
            listed_at: site.listed_at,
            taken: site.taken,
            counted_at: site.counted_at,
        }
    }
}
