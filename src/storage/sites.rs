//! Sites: the public face of offers that a coordinator has checked.

use diesel::prelude::*;

use super::areas;
use super::connection::{Conn, with};
use super::dialect::one_of;
use super::offers::Offer;
use super::schema::{offers, sites, volunteers};
use crate::domain::clock::Ts;
use crate::domain::ids::OfferId;
use crate::domain::lifecycle::OfferState;
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
/// blocked, with its offer.
///
/// # Errors
/// A failed query.
pub fn open(conn: &mut Conn, category: Option<&str>) -> QueryResult<Vec<(Site, Offer)>> {
    let frozen = areas::frozen(conn)?;
    let mut open: Vec<(Site, Offer)> = with!(conn, c => {
        let mut query = sites::table
            .inner_join(offers::table.inner_join(volunteers::table))
            .filter(offers::state.eq(OfferState::Open))
            .filter(volunteers::paused_at.is_null())
            .filter(volunteers::blocked_at.is_null())
            .order(sites::offer_id)
            .select((Site::as_select(), Offer::as_select()))
            .into_boxed();
        if let Some(category) = category {
            query = query.filter(offers::category.eq(category.to_owned()));
        }
        query.load(c)
    })?;
    open.retain(|(site, _)| !GeoPoint::parse(site.lat, site.lon).is_ok_and(|at| frozen.holds(at)));
    Ok(open)
}
