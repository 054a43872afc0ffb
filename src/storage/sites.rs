//! Sites: the public face of offers that a coordinator has checked.

use diesel::prelude::*;
use uuid::Uuid;

use super::areas;
use super::connection::{Conn, with};
use super::dialect::one_of;
use super::offers::Offer;
use super::schema::{offers, sites, volunteers};
use crate::domain::availability::Written;
use crate::domain::category::CategoryKey;
use crate::domain::clock::Ts;
use crate::domain::ids::OfferId;
use crate::domain::lifecycle::OfferState;
use crate::domain::need::Quantity;
use crate::domain::occupancy::Occupancy;
use crate::domain::place::GeoPoint;

/// A listed site, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = sites)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct Site {
    pub offer_id: OfferId,
    pub title: String,
    pub address: String,
    pub lat: f64,
    pub lon: f64,
    pub walk_in: bool,
    pub listed_at: Ts,
    pub taken: Option<i32>,
    pub counted_at: Option<Ts>,
    pub counts_until: Option<Ts>,
}

impl Site {
    /// How full it is, as far as anybody knows now.
    #[must_use]
    pub fn occupancy(&self, now: Ts) -> Option<Occupancy> {
        let occupancy = Occupancy {
            taken: self.taken?,
            counted_at: self.counted_at?,
            counts_until: self.counts_until?,
        };
        (now < occupancy.counts_until).then_some(occupancy)
    }
}

/// What of its offer the public sees of a site.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = offers)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct Host {
    pub category: CategoryKey,
    pub capacity: Quantity,
    pub opening_hours: Option<String>,
    pub timezone: String,
    pub available_from: Option<Ts>,
    pub available_until: Option<Ts>,
}

impl Host {
    /// When it is open, as it is written.
    #[must_use]
    pub fn written(&self) -> Written<'_> {
        Written {
            from: self.available_from,
            until: self.available_until,
            opening_hours: self.opening_hours.as_deref(),
            timezone: &self.timezone,
        }
    }
}

/// Lists a site, or lists it anew with what it says now.
///
/// # Errors
/// A failed query.
pub fn list(conn: &mut Conn, site: &Site) -> QueryResult<()> {
    unlist(conn, site.offer_id)?;
    with!(conn, c => diesel::insert_into(sites::table).values(site).execute(c))?;
    Ok(())
}

/// Takes a site off the list.
///
/// # Errors
/// A failed query.
pub fn unlist(conn: &mut Conn, offer: OfferId) -> QueryResult<bool> {
    let gone = with!(conn, c => diesel::delete(sites::table.find(offer)).execute(c))?;
    Ok(gone == 1)
}

/// Writes down how full a listed site is, unless somebody counted later.
///
/// # Errors
/// A failed query.
pub fn count(conn: &mut Conn, offer: OfferId, counted: Occupancy) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(sites::table
            .find(offer)
            .filter(sites::counted_at.is_null().or(sites::counted_at.le(counted.counted_at))))
        .set((
            sites::taken.eq(counted.taken),
            sites::counted_at.eq(counted.counted_at),
            sites::counts_until.eq(counted.counts_until),
        ))
        .execute(c))?;
    Ok(done == 1)
}

/// Takes the count of a site back: nobody knows how full it is.
///
/// # Errors
/// A failed query.
pub fn uncount(conn: &mut Conn, offer: OfferId) -> QueryResult<bool> {
    let none = (None::<i32>, None::<Ts>, None::<Ts>);
    let done = with!(conn, c => diesel::update(sites::table
            .find(offer)
            .filter(sites::counted_at.is_not_null()))
        .set((sites::taken.eq(none.0), sites::counted_at.eq(none.1), sites::counts_until.eq(none.2)))
        .execute(c))?;
    Ok(done == 1)
}

/// The listed site of an offer.
///
/// # Errors
/// A failed query.
pub fn find(conn: &mut Conn, offer: OfferId) -> QueryResult<Option<Site>> {
    with!(conn, c => sites::table.find(offer).select(Site::as_select()).first(c).optional())
}

/// The listed sites of several offers.
///
/// # Errors
/// A failed query.
pub fn find_all(conn: &mut Conn, offers: &[OfferId]) -> QueryResult<Vec<Site>> {
    if offers.is_empty() {
        return Ok(Vec::new());
    }
    with!(conn, c => sites::table.filter(one_of(sites::offer_id, offers)).select(Site::as_select()).load(c))
}

/// Every listed site whose offer is open and not in a frozen area, of volunteers who are not paused or
/// blocked, with what is selected of its offer.
macro_rules! open_with {
    ($conn:expr, $category:expr, $of_offer:ty) => {{
        let (conn, category): (&mut Conn, Option<&str>) = ($conn, $category);
        let frozen = areas::frozen(conn)?;
        let mut open: Vec<(Site, $of_offer)> = with!(conn, c => {
            let mut query = sites::table
                .inner_join(offers::table.inner_join(volunteers::table))
                // From the first on: else SQLite walks through all offers, of which there may be a million.
                .filter(sites::offer_id.ge(OfferId::from(Uuid::nil())))
                .filter(offers::state.eq(OfferState::Open))
                .filter(volunteers::paused_at.is_null())
                .filter(volunteers::blocked_at.is_null())
                .order(sites::offer_id)
                .select((Site::as_select(), <$of_offer>::as_select()))
                .into_boxed();
            if let Some(category) = category {
                query = query.filter(offers::category.eq(category.to_owned()));
            }
            query.load(c)
        })?;
        open.retain(|(site, _)| {
            !GeoPoint::parse(site.lat, site.lon).is_ok_and(|at| frozen.holds(at))
        });
        Ok(open)
    }};
}

/// The open sites with their offers.
///
/// # Errors
/// A failed query.
pub fn open(conn: &mut Conn, category: Option<&str>) -> QueryResult<Vec<(Site, Offer)>> {
    open_with!(conn, category, Offer)
}

/// The open sites as the public sees them: everybody looks at these, so no more is read than is shown.
///
/// # Errors
/// A failed query.
pub fn shown(conn: &mut Conn, category: Option<&str>) -> QueryResult<Vec<(Site, Host)>> {
    open_with!(conn, category, Host)
}
