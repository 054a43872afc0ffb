//! Posts as matching needs them, a page at a time: few columns, nothing that is sealed, and with them what matching
//! must know of whoever posted them. Loading a million posts is mostly this.

use diesel::prelude::*;
use uuid::Uuid;

use super::connection::{Conn, with};
use super::db::Db;
use super::dialect::one_of;
use super::error::StorageError;
use super::schema::{neighbors, offers, requests, sites, volunteers};
use super::sql_types::Json;
use super::volunteers::is_askable;
use crate::domain::attribute::Attributes;
use crate::domain::availability::Written;
use crate::domain::category::CategoryKey;
use crate::domain::clock::Ts;
use crate::domain::ids::{NeighborId, OfferId, RequestId, VolunteerId};
use crate::domain::lifecycle::{OfferState, RequestState};
use crate::domain::need::{Handover, LeadTime, Quantity, Reach, Renews, Urgency, Verified};
use crate::domain::place::Cell;

/// What a request says. The columns of [`super::requests::Request`] of the same names.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = requests)]
#[expect(missing_docs, reason = "as in `Request`")]
pub struct RequestFacts {
    pub id: RequestId,
    pub neighbor_id: NeighborId,
    pub category: CategoryKey,
    pub quantity: Quantity,
    pub covered: i32,
    pub splittable: bool,
    pub max_helpers: i32,
    pub urgency: Urgency,
    pub travel_m: Reach,
    pub handover: Handover,
    pub language_must: bool,
    pub needed_from: Ts,
    pub needed_until: Ts,
    pub requires: Json<Attributes>,
    pub cell: Cell,
    pub state: RequestState,
    pub created_at: Ts,
    pub throughout: bool,
}

/// What matching must know of the neighbor whose request it is.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = neighbors)]
#[expect(missing_docs, reason = "as in `Neighbor`")]
pub struct Asker {
    pub languages: Json<Vec<String>>,
    pub verified: Verified,
}

/// What an offer says. The columns of [`super::offers::Offer`] of the same names.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = offers)]
#[expect(missing_docs, reason = "as in `Offer`")]
pub struct OfferFacts {
    pub id: OfferId,
    pub volunteer_id: VolunteerId,
    pub category: CategoryKey,
    pub capacity: Quantity,
    pub renews: Renews,
    pub reach_m: Reach,
    pub available_from: Option<Ts>,
    pub available_until: Option<Ts>,
    pub opening_hours: Option<String>,
    pub timezone: String,
    pub provides: Json<Attributes>,
    pub cell: Cell,
    pub state: OfferState,
    pub lead_minutes: LeadTime,
    pub created_at: Ts,
}

impl OfferFacts {
    /// When it stands, as it was written.
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

/// What matching must know of the volunteer whose offer it is.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = volunteers)]
#[expect(missing_docs, reason = "as in `Volunteer`")]
pub struct Giver {
    pub languages: Json<Vec<String>>,
    pub vetted_until: Option<Ts>,
    pub confirmed_at: Option<Ts>,
    pub blocked_at: Option<Ts>,
    pub paused_at: Option<Ts>,
    pub mail_stopped_at: Option<Ts>,
    pub erased_at: Option<Ts>,
}

impl Giver {
    /// As [`super::volunteers::Volunteer::is_askable`].
    #[must_use]
    pub fn is_askable(&self) -> bool {
        let stops = [
            self.blocked_at,
            self.paused_at,
            self.mail_stopped_at,
            self.erased_at,
        ];
        is_askable(self.confirmed_at, stops)
    }
}

/// Where an offer stands that is listed as a site.
#[derive(Clone, Copy, Debug, Queryable, Selectable)]
#[diesel(table_name = sites)]
#[expect(missing_docs, reason = "as in `Site`")]
pub struct Spot {
    pub lat: f64,
    pub lon: f64,
    pub walk_in: bool,
}

/// A request with what must be known of its neighbor.
pub type RequestRow = (RequestFacts, Asker);
/// An offer with what must be known of its volunteer, and where it is if it is listed.
pub type OfferRow = (OfferFacts, Giver, Option<Spot>);

/// Which posts.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a, I> {
    /// These, whatever their state.
    Ids(&'a [I]),
    /// Open ones by id, after that one, so many at most.
    ById(Option<I>, i64),
    /// Open ones, first what was posted first, so many at most. Much faster on the disk than by id: what was written
    /// together lies together.
    ByAge(Span<I>, i64),
}

/// Posts of a time: those after that one, and before that instant.
#[derive(Clone, Copy, Debug)]
pub struct Span<I> {
    after: (Ts, I),
    before: Ts,
}

impl<I: From<Uuid>> Span<I> {
    /// What was posted from the one instant until just before the other.
    #[must_use]
    pub fn between(from: Ts, before: Ts) -> Self {
        // An id that no post has.
        let after = (from, Uuid::nil().into());
        Self { after, before }
    }

    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self::between(Ts::EPOCH, Ts::LAST)
    }

    /// What remains after that one.
    #[must_use]
    pub fn after(self, last: (Ts, I)) -> Self {
        Self {
            after: last,
            ..self
        }
    }
}

/// Reads posts page after page, each in a read of its own, for as long as `page` gives the last one of its rows; what is
/// found is kept in `all`.
///
/// # Errors
/// A failed query.
pub async fn each_page<I, T>(
    db: &Db,
    mut span: Span<I>,
    mut all: T,
    page: impl Fn(&mut Conn, Span<I>, &mut T) -> Result<Option<(Ts, I)>, StorageError>
    + Clone
    + Send
    + 'static,
) -> Result<T, StorageError>
where
    I: From<Uuid> + Copy + Send + 'static,
    T: Send + 'static,
{
    loop {
        let page = page.clone();
        let read = move |conn: &mut Conn| {
            let last = page(conn, span, &mut all)?;
            Ok::<_, StorageError>((all, last))
        };
        let last;
        (all, last) = db.read(read).await?;
        match last {
            Some(last) => span = span.after(last),
            None => return Ok(all),
        }
    }
}

/// When the request was posted before and after which there are about as many.
///
/// # Errors
/// A failed query.
pub fn middle_of_requests(conn: &mut Conn) -> QueryResult<Option<Ts>> {
    with!(conn, c => {
        let number: i64 = requests::table.count().get_result(c)?;
        requests::table
            .select(requests::created_at)
            .order((requests::created_at, requests::id))
            .offset(number / 2)
            .limit(1)
            .first(c)
            .optional()
    })
}

/// Requests with what must be known of their neighbors.
///
/// # Errors
/// A failed query.
pub fn requests(conn: &mut Conn, which: Which<'_, RequestId>) -> QueryResult<Vec<RequestRow>> {
    with!(conn, c => {
        let query = requests::table
            .inner_join(neighbors::table)
            .select((RequestFacts::as_select(), Asker::as_select()));
        let open = query.filter(requests::state.eq(RequestState::Open));
        match which {
            Which::Ids(ids) => query.filter(one_of(requests::id, ids)).load(c),
            Which::ById(None, limit) => open.order(requests::id).limit(limit).load(c),
            Which::ById(Some(after), limit) => {
                open.filter(requests::id.gt(after)).order(requests::id).limit(limit).load(c)
            }
            Which::ByAge(Span { after: (at, id), before }, limit) => open
                .filter(requests::created_at.ge(at))
                .filter(requests::created_at.lt(before))
                .filter(requests::created_at.gt(at).or(requests::id.gt(id)))
                .order((requests::created_at, requests::id))
                .limit(limit)
                .load(c),
        }
    })
}

/// Offers with what must be known of their volunteers, and where the listed ones are.
///
/// # Errors
/// A failed query.
pub fn offers(conn: &mut Conn, which: Which<'_, OfferId>) -> QueryResult<Vec<OfferRow>> {
    with!(conn, c => {
        let query = offers::table
            .inner_join(volunteers::table)
            .left_join(sites::table)
            .select((OfferFacts::as_select(), Giver::as_select(), Option::<Spot>::as_select()));
        let open = query.filter(offers::state.eq(OfferState::Open));
        match which {
            Which::Ids(ids) => query.filter(one_of(offers::id, ids)).load(c),
            Which::ById(None, limit) => open.order(offers::id).limit(limit).load(c),
            Which::ById(Some(after), limit) => {
                open.filter(offers::id.gt(after)).order(offers::id).limit(limit).load(c)
            }
            Which::ByAge(Span { after: (at, id), before }, limit) => open
                .filter(offers::created_at.ge(at))
                .filter(offers::created_at.lt(before))
                .filter(offers::created_at.gt(at).or(offers::id.gt(id)))
                .order((offers::created_at, offers::id))
                .limit(limit)
                .load(c),
        }
    })
}
