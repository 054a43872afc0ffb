//! Whether a match touches an area in which nothing is matched for now. Every use case that brings
//! people together asks it inside its own transaction.

use super::{Outcome, Refusal, Tx, refuse};
use crate::domain::area::Frozen;
use crate::domain::place::GeoPoint;
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::{Conn, StorageError, areas, sites};

/// Where an offer stands: a listed site at its point, any other at its cell.
///
/// # Errors
/// A failed query.
pub fn offer_place(conn: &mut Conn, offer: &Offer) -> Result<GeoPoint, StorageError> {
    let site = sites::find(conn, offer.id)?;
    let point = site.and_then(|site| GeoPoint::parse(site.lat, site.lon).ok());
    Ok(point.unwrap_or_else(|| offer.cell.center()))
}

/// Whether one of the two is in one of the areas.
///
/// # Errors
/// A failed query.
pub fn touches(
    conn: &mut Conn,
    frozen: &Frozen,
    request: &Request,
    offer: &Offer,
) -> Result<bool, StorageError> {
    Ok(!frozen.is_empty()
        && (frozen.holds(request.cell.center()) || frozen.holds(offer_place(conn, offer)?)))
}

/// Whether one of the two is in an area that is frozen now.
///
/// # Errors
/// A failed query.
pub fn is_frozen(conn: &mut Conn, request: &Request, offer: &Offer) -> Result<bool, StorageError> {
    let frozen = areas::frozen(conn)?;
    touches(conn, &frozen, request, offer)
}

impl Tx<'_> {
    /// Refuses to bring the two closer together where one of them is in a frozen area.
    pub(super) fn refuse_if_frozen(&mut self, request: &Request, offer: &Offer) -> Outcome<()> {
        let frozen = areas::frozen_until_end(self.conn)?;
        if touches(self.conn, &frozen, request, offer)? {
            return refuse(Refusal::AreaFrozen);
        }
        Ok(())
    }
}
