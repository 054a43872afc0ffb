//! Matches: one request with one offer.

mod after;

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;

pub use self::after::{
    ask_again, believed, no_shows_of, remind, return_place, say_done, set_arrival, set_followed_up,
    set_no_show_by, to_follow_up, to_remind, undo_done, undo_no_show,
};
use super::changes;
use super::connection::{Conn, insert_rows, with};
use super::dialect::{load_for_update, one_of};
use super::page::{Page, page_of};
use super::part::in_part;
use super::requests as requests_table;
use super::schema::{matches, offers, requests};
use super::sql_types::Json;
use crate::domain::clock::Ts;
use crate::domain::ids::{MatchId, NeighborId, OfferId, RecordId, RequestId, VolunteerId};
use crate::domain::lifecycle::{Agreement, DeclineReason, FallReason, MatchState, RequestState};
use crate::domain::limits::{DAY, WEEK};
use crate::domain::need::{Quantity, Urgency};
use crate::domain::part::Part;
use crate::domain::place::DistanceBand;
use crate::domain::remit::Remit;
use crate::domain::report::Side;
use crate::domain::score::ScoreParts;
use crate::domain::word::words;

words! {
    /// Who said that the help was given.
    DoneBy {
        /// The neighbor.
        Neighbor = "neighbor",
        /// The volunteer.
        Volunteer = "volunteer",
        /// A coordinator, for one of them.
        Coordinator = "coordinator",
    }
}

/// A match, to read and to write.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = matches, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are described in the migration and in the domain"
)]
pub struct Match {
    pub id: MatchId,
    pub request_id: RequestId,
    pub offer_id: OfferId,
    pub quantity: Quantity,
    pub taken: i32,
    pub period_start: Ts,
    pub state: MatchState,
    pub decline_reason: Option<DeclineReason>,
    pub fall_reason: Option<FallReason>,
    pub agreement: Agreement,
    pub agree_by: Option<Ts>,
    pub band: DistanceBand,
    pub score: f64,
    pub parts: Json<ScoreParts>,
    pub wave: i32,
    pub request_version: i32,
    pub by_hand: bool,
    pub max_wait_at: Option<Ts>,
    pub asked_at: Option<Ts>,
    pub respond_by: Option<Ts>,
    pub answered_at: Option<Ts>,
    pub arrival_at: Option<Ts>,
    pub released_at: Option<Ts>,
    pub done_by: Option<DoneBy>,
    pub ended_at: Option<Ts>,
    pub created_at: Ts,
    pub updated_at: Ts,
    /// Beside `period_start`, for help that lasts for several periods.
    pub further_periods: Json<Vec<Ts>>,
    /// When a coordinator took the veto back.
    pub veto_undone_at: Option<Ts>,
    /// When its volunteer said that the help was given; the neighbor is asked from then on.
    pub done_at: Option<Ts>,
    /// When both sides were asked whether it worked.
    pub followed_up_at: Option<Ts>,
    /// Of a no-show: which side said that the other did not come.
    pub no_show_by: Option<Side>,
    /// Since when the place it held is free again, where places return.
    pub returned_at: Option<Ts>,
    /// When both sides are to be reminded.
    pub remind_at: Option<Ts>,
    /// When a coordinator took back that somebody did not come.
    pub no_show_undone_at: Option<Ts>,
}

impl Match {
    /// Whether a coordinator's no keeps the pair apart.
    #[must_use]
    pub fn is_vetoed(&self) -> bool {
        self.state == MatchState::Vetoed && self.veto_undone_at.is_none()
    }

    /// The periods in which it holds, or would hold, some of the offer.
    pub fn periods(&self) -> impl Iterator<Item = Ts> {
        std::iter::once(self.period_start).chain(self.further_periods.0.iter().copied())
    }
    /// Whether the neighbor knows of it: its volunteer has said yes once.
    #[must_use]
    pub fn is_known_to_neighbor(&self) -> bool {
        self.answered_at.is_some() && self.state != MatchState::Declined
    }
    /// Whether contacts may be seen by the two sides now.
    #[must_use]
    pub fn is_released(&self) -> bool {
        self.state == MatchState::Accepted
            && self.released_at.is_some()
            && self.agreement.releases()
    }
    /// Whether its volunteer may see how to reach the neighbor: until she has said that the help was given.
    #[must_use]
    pub fn is_released_to_volunteer(&self) -> bool {
        self.is_released() && self.done_at.is_none()
    }
    /// Whether it is promised, and its volunteer has not said how it went.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.state == MatchState::Accepted && self.done_at.is_none()
    }
}

impl Match {
    /// Whether its time has run out, as [`overdue`] sees it.
    #[must_use]
    pub fn is_overdue(&self, now: Ts) -> bool {
        let is_past = |at: Option<Ts>| at.is_some_and(|at| at <= now);
        match self.state {
            MatchState::Notified => {
                is_past(self.respond_by) || (self.asked_at.is_none() && is_past(self.max_wait_at))
            }
            MatchState::Accepted => self.agreement == Agreement::Pending && is_past(self.agree_by),
            _ => false,
        }
    }
}

/// Which matches a coordinator wants to see.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is the fact it filters by")]
pub struct MatchFilter {
    pub state: Option<MatchState>,
    pub category: Option<String>,
    pub request: Option<RequestId>,
    pub offer: Option<OfferId>,
    pub overdue: Option<Ts>,
    /// By their requests.
    pub part: Part,
}

/// Writes new matches.
///
/// # Errors
/// A failed query.
pub fn insert(conn: &mut Conn, new: &[Match]) -> QueryResult<()> {
    insert_rows!(conn, matches::table, new)?;
    let Some(first) = new.first() else {
        return Ok(());
    };
    let ids: Vec<MatchId> = new.iter().map(|m| m.id).collect();
    changes::matches(conn, &ids, first.created_at)
}

/// The match.
///
/// # Errors
/// A failed query.
pub fn find(conn: &mut Conn, id: MatchId) -> QueryResult<Option<Match>> {
    with!(conn, c => matches::table.find(id).select(Match::as_select()).first(c).optional())
}

/// The match, if the remit holds its request. Who does not see everything knows of it when its neighbor
/// does, and not before.
///
/// # Errors
/// A failed query.
pub fn find_within(conn: &mut Conn, remit: Remit, id: MatchId) -> QueryResult<Option<Match>> {
    let Some(found) = find(conn, id)? else {
        return Ok(None);
    };
    if remit == Remit::All {
        return Ok(Some(found));
    }
    let is_theirs = requests_table::find_within(conn, remit, found.request_id)?.is_some();
    Ok(Some(found).filter(|m| is_theirs && m.is_known_to_neighbor()))
}

/// The match, which nobody else changes until the transaction ends.
///
/// # Errors
/// A failed query.
pub fn lock(conn: &mut Conn, id: MatchId) -> QueryResult<Option<Match>> {
    Ok(lock_all(conn, &[id])?.pop())
}

/// As [`lock`], for several, by id.
///
/// # Errors
/// A failed query.
pub fn lock_all(conn: &mut Conn, ids: &[MatchId]) -> QueryResult<Vec<Match>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    load_for_update!(
        conn,
        matches::table
            .filter(one_of(matches::id, ids))
            .order(matches::id)
            .select(Match::as_select())
    )
}

/// All matches of a request, oldest first.
///
/// # Errors
/// A failed query.
pub fn of_request(conn: &mut Conn, request: RequestId) -> QueryResult<Vec<Match>> {
    with!(conn, c => matches::table
        .filter(matches::request_id.eq(request))
        .order((matches::created_at, matches::id))
        .select(Match::as_select())
        .load(c))
}

/// How many help with each of these requests, by accepted and fulfilled matches; one without any is left out.
///
/// # Errors
/// A failed query.
pub fn helpers_of(conn: &mut Conn, ids: &[RequestId]) -> QueryResult<HashMap<RequestId, i32>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let helping: Vec<RequestId> = with!(conn, c => matches::table
        .filter(one_of(matches::request_id, ids))
        .filter(matches::state.eq_any([MatchState::Accepted, MatchState::Fulfilled]))
        .select(matches::request_id)
        .load(c))?;
    let mut helpers = HashMap::new();
    for request in helping {
        *helpers.entry(request).or_default() += 1;
    }
    Ok(helpers)
}

/// All matches of several requests.
///
/// # Errors
/// A failed query.
pub fn of_requests(conn: &mut Conn, ids: &[RequestId]) -> QueryResult<Vec<Match>> {
    with!(conn, c => matches::table
        .filter(one_of(matches::request_id, ids))
        .select(Match::as_select())
        .load(c))
}

/// All matches of an offer, oldest first.
///
/// # Errors
/// A failed query.
pub fn of_offer(conn: &mut Conn, offer: OfferId) -> QueryResult<Vec<Match>> {
    with!(conn, c => matches::table
        .filter(matches::offer_id.eq(offer))
        .order((matches::created_at, matches::id))
        .select(Match::as_select())
        .load(c))
}

/// All matches of a volunteer's offers, newest first.
///
/// # Errors
/// A failed query.
pub fn of_volunteer(
    conn: &mut Conn,
    volunteer: VolunteerId,
    limit: i64,
) -> QueryResult<Vec<Match>> {
    with!(conn, c => matches::table
        .inner_join(offers::table)
        .filter(offers::volunteer_id.eq(volunteer))
        .order((matches::created_at.desc(), matches::id.desc()))
        .limit(limit)
        .select(Match::as_select())
        .load(c))
}

/// Matches of a volunteer's offers with requests that are open, with the version in which each request stands.
///
/// # Errors
/// A failed query.
pub fn with_open_requests(
    conn: &mut Conn,
    volunteer: VolunteerId,
) -> QueryResult<Vec<(Match, i32)>> {
    with!(conn, c => matches::table
        .inner_join(offers::table)
        .inner_join(requests::table)
        .filter(offers::volunteer_id.eq(volunteer))
        .filter(requests::state.eq(RequestState::Open))
        .select((Match::as_select(), requests::version))
        .load(c))
}

/// Active matches of any request of the neighbor with any offer of the volunteer.
///
/// # Errors
/// A failed query.
pub fn active_between(
    conn: &mut Conn,
    neighbor: NeighborId,
    volunteer: VolunteerId,
) -> QueryResult<Vec<Match>> {
    with!(conn, c => matches::table
        .inner_join(requests::table)
        .inner_join(offers::table)
        .filter(requests::neighbor_id.eq(neighbor))
        .filter(offers::volunteer_id.eq(volunteer))
        .filter(one_of(matches::state, &MatchState::ACTIVE))
        .order((requests::id, offers::id, matches::id))
        .select(Match::as_select())
        .load(c))
}

/// A match and what it brings together.
#[derive(Clone, Copy, Debug, Queryable)]
#[expect(missing_docs, reason = "as in `Match`")]
pub struct Between {
    pub id: MatchId,
    pub request: RequestId,
    pub offer: OfferId,
    pub state: MatchState,
}

/// Active matches of these requests.
///
/// # Errors
/// A failed query.
pub fn active_of_requests(conn: &mut Conn, ids: &[RequestId]) -> QueryResult<Vec<Between>> {
    with!(conn, c => matches::table
        .filter(one_of(matches::request_id, ids))
        .filter(one_of(matches::state, &MatchState::ACTIVE))
        .select((matches::id, matches::request_id, matches::offer_id, matches::state))
        .load(c))
}

/// Active matches of these offers.
///
/// # Errors
/// A failed query.
pub fn active_of_offers(conn: &mut Conn, ids: &[OfferId]) -> QueryResult<Vec<Between>> {
    with!(conn, c => matches::table
        .filter(one_of(matches::offer_id, ids))
        .filter(one_of(matches::state, &MatchState::ACTIVE))
        .select((matches::id, matches::request_id, matches::offer_id, matches::state))
        .load(c))
}

/// Volunteers who have promised, or given, help with another slot of a series.
///
/// # Errors
/// A failed query.
pub fn helpers_of_series(
    conn: &mut Conn,
    series: RecordId,
    slot: RequestId,
) -> QueryResult<Vec<VolunteerId>> {
    with!(conn, c => matches::table
        .inner_join(requests::table)
        .inner_join(offers::table)
        .filter(requests::series_id.eq(series))
        .filter(requests::id.ne(slot))
        .filter(one_of(matches::state, &[MatchState::Accepted, MatchState::Fulfilled]))
        .select(offers::volunteer_id)
        .distinct()
        .load(c))
}

/// One page for coordinators.
///
/// # Errors
/// A failed query.
pub fn page(conn: &mut Conn, filter: &MatchFilter, page: Page) -> QueryResult<Vec<Match>> {
    with!(conn, c => {
        let mut query = matches::table.inner_join(requests::table).select(Match::as_select()).into_boxed();
        if let Some(state) = filter.state {
            query = query.filter(matches::state.eq(state));
        }
        if let Some(category) = &filter.category {
            query = query.filter(requests::category.eq(category.clone()));
        }
        if let Some(request) = filter.request {
            query = query.filter(matches::request_id.eq(request));
        }
        if let Some(offer) = filter.offer {
            query = query.filter(matches::offer_id.eq(offer));
        }
        if !filter.part.is_all() {
            query = query.filter(in_part(requests::category, requests::cell, &filter.part));
        }
        if let Some(now) = filter.overdue {
            query = query.filter(
                matches::state.eq(MatchState::Notified).and(matches::respond_by.le(now))
                    .or(matches::state.eq(MatchState::Accepted).and(matches::agreement.eq(Agreement::Pending)).and(matches::agree_by.le(now))),
            );
        }
        page_of!(query, matches, page).load(c)
    })
}

/// What each of the volunteers carries: open asks, asks since `week_ago` and open releases.
///
/// An ask counts from when its letter has left, and not if it was withdrawn before it was answered: the
/// volunteer has nothing from a limit that is used up by asks that nobody wanted an answer to.
///
/// # Errors
/// A failed query.
pub fn load_of(
    conn: &mut Conn,
    volunteers: &[VolunteerId],
    now: Ts,
) -> QueryResult<Vec<VolunteerLoad>> {
    if volunteers.is_empty() {
        return Ok(Vec::new());
    }
    let week_ago = now.before(WEEK);
    let rows: Vec<LoadRow> = with!(conn, c => matches::table
        .inner_join(offers::table)
        .inner_join(requests::table)
        .filter(one_of(offers::volunteer_id, volunteers))
        .filter(one_of(matches::state, &MatchState::ACTIVE).or(matches::created_at.gt(week_ago)))
        .select(LoadRow::as_select())
        .load(c))?;
    let mut loads: BTreeMap<VolunteerId, VolunteerLoad> = volunteers
        .iter()
        .map(|v| (*v, VolunteerLoad::none(*v)))
        .collect();
    for row in &rows {
        if let Some(load) = loads.get_mut(&row.volunteer_id) {
            load.add(row, now);
        }
    }
    let sorted = |mut load: VolunteerLoad| {
        load.calm_asks.sort_unstable();
        load.days_asks.sort_unstable();
        load
    };
    Ok(loads.into_values().map(sorted).collect())
}

/// What is read of a match for the load of its volunteer.
#[derive(Queryable, Selectable)]
#[diesel(table_name = matches)]
struct LoadRow {
    #[diesel(select_expression = offers::volunteer_id)]
    volunteer_id: VolunteerId,
    #[diesel(select_expression = requests::urgency)]
    urgency: Urgency,
    state: MatchState,
    created_at: Ts,
    max_wait_at: Option<Ts>,
    asked_at: Option<Ts>,
    respond_by: Option<Ts>,
    released_at: Option<Ts>,
    answered_at: Option<Ts>,
    done_at: Option<Ts>,
}

/// How much a volunteer carries.
#[derive(Clone, Debug)]
pub struct VolunteerLoad {
    /// Whose load.
    pub volunteer: VolunteerId,
    /// Asks and proposals without an answer.
    pub open_asks: u32,
    /// When the first of them ends by itself.
    pub open_until: Option<Ts>,
    /// Asks within the week that were not urgent, by when they were asked, oldest first.
    pub calm_asks: Vec<Ts>,
    /// Asks within the week, of any urgency.
    pub recent_asks: u32,
    /// Those of them within a day, by when they were asked, oldest first.
    pub days_asks: Vec<Ts>,
    /// Accepted matches that are not done.
    pub open_releases: u32,
    /// Asks within the week that were answered.
    pub answered: u32,
}

impl VolunteerLoad {
    fn none(volunteer: VolunteerId) -> Self {
        Self {
            volunteer,
            open_asks: 0,
            open_until: None,
            calm_asks: Vec::new(),
            recent_asks: 0,
            days_asks: Vec::new(),
            open_releases: 0,
            answered: 0,
        }
    }

    fn add(&mut self, row: &LoadRow, now: Ts) {
        if matches!(row.state, MatchState::Notified | MatchState::Proposed) {
            self.open_asks += 1;
            let ends = row.respond_by.or(row.max_wait_at);
            self.open_until = [self.open_until, ends].into_iter().flatten().min();
        }
        let asked = match row.state {
            // About to leave.
            MatchState::Notified => Some(row.asked_at.unwrap_or(row.created_at)),
            MatchState::Superseded => None,
            _ => row.asked_at,
        };
        let is_open = row.state == MatchState::Notified;
        if let Some(at) = asked.filter(|at| is_open || *at > now.before(WEEK)) {
            self.recent_asks += 1;
            // How many stand open has a limit of its own.
            if at > now.before(DAY) {
                self.days_asks.push(at);
            }
            if row.urgency == Urgency::Soon {
                self.calm_asks.push(at);
            }
        }
        self.open_releases += u32::from(
            row.state == MatchState::Accepted
                && row.done_at.is_none()
                && (row.released_at.is_some() || row.answered_at.is_some()),
        );
        self.answered += u32::from(row.answered_at.is_some());
    }
}

/// Proposals and asks from `after` on, in the order of their ids.
///
/// # Errors
/// A failed query.
pub fn open_asks_after(
    conn: &mut Conn,
    after: Option<MatchId>,
    limit: i64,
) -> QueryResult<Vec<Match>> {
    with!(conn, c => {
        let mut query = matches::table
            .filter(one_of(matches::state, &[MatchState::Proposed, MatchState::Notified]))
            .filter(matches::ended_at.is_null())
            .order(matches::id)
            .limit(limit)
            .select(Match::as_select())
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(matches::id.gt(after));
        }
        query.load(c)
    })
}

/// Announces a change, if it was made.
fn announced(conn: &mut Conn, id: MatchId, changed: usize, now: Ts) -> QueryResult<bool> {
    if changed == 1 {
        changes::matches(conn, &[id], now)?;
    }
    Ok(changed == 1)
}

/// Moves a match from one of the states given to another.
fn step(
    conn: &mut Conn,
    id: MatchId,
    from: &[MatchState],
    to: MatchState,
    now: Ts,
) -> QueryResult<bool> {
    let ended = matches!(
        to,
        MatchState::Declined | MatchState::Lapsed | MatchState::Vetoed | MatchState::Superseded
    );
    let done = with!(conn, c => diesel::update(matches::table.filter(matches::id.eq(id)).filter(one_of(matches::state, from)))
        .set((
            matches::state.eq(to),
            matches::ended_at.eq(ended.then_some(now)),
            matches::updated_at.eq(now),
        ))
        .execute(c))?;
    announced(conn, id, done, now)
}

/// A coordinator has approved: the volunteer may be asked now.
///
/// # Errors
/// A failed query.
pub fn approve(conn: &mut Conn, id: MatchId, max_wait_at: Ts, now: Ts) -> QueryResult<bool> {
    if !step(conn, id, &[MatchState::Proposed], MatchState::Notified, now)? {
        return Ok(false);
    }
    with!(conn, c => diesel::update(matches::table.find(id)).set(matches::max_wait_at.eq(max_wait_at)).execute(c))?;
    Ok(true)
}

/// A coordinator has refused.
///
/// # Errors
/// A failed query.
pub fn veto(conn: &mut Conn, id: MatchId, now: Ts) -> QueryResult<bool> {
    step(
        conn,
        id,
        &[MatchState::Proposed, MatchState::Notified],
        MatchState::Vetoed,
        now,
    )
}

/// A coordinator takes a veto back (`Some`), or repeats one that was taken back (`None`).
///
/// # Errors
/// A failed query.
pub fn set_veto_undone(conn: &mut Conn, id: MatchId, at: Option<Ts>, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(matches::table
            .filter(matches::id.eq(id))
            .filter(matches::state.eq(MatchState::Vetoed)))
        .set((matches::veto_undone_at.eq(at), matches::updated_at.eq(now)))
        .execute(c))?;
    announced(conn, id, done, now)
}

/// The volunteer has said no.
///
/// # Errors
/// A failed query.
pub fn decline(
    conn: &mut Conn,
    id: MatchId,
    reason: Option<DeclineReason>,
    now: Ts,
) -> QueryResult<bool> {
    if !step(
        conn,
        id,
        &[MatchState::Notified, MatchState::Lapsed],
        MatchState::Declined,
        now,
    )? {
        return Ok(false);
    }
    with!(conn, c => diesel::update(matches::table.find(id))
        .set((matches::decline_reason.eq(reason), matches::answered_at.eq(now)))
        .execute(c))?;
    Ok(true)
}

/// The time for the answer is over.
///
/// # Errors
/// A failed query.
pub fn lapse(conn: &mut Conn, id: MatchId, now: Ts) -> QueryResult<bool> {
    step(conn, id, &[MatchState::Notified], MatchState::Lapsed, now)
}

/// Not needed, or not possible, any more.
///
/// # Errors
/// A failed query.
pub fn supersede(conn: &mut Conn, id: MatchId, now: Ts) -> QueryResult<bool> {
    step(
        conn,
        id,
        &[MatchState::Proposed, MatchState::Notified],
        MatchState::Superseded,
        now,
    )
}

/// What an acceptance writes.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as in `Match`")]
pub struct Acceptance {
    pub taken: i32,
    pub period_start: Ts,
    pub further_periods: Json<Vec<Ts>>,
    pub agreement: Agreement,
    pub agree_by: Option<Ts>,
    pub arrival_at: Option<Ts>,
    pub released_at: Option<Ts>,
    pub remind_at: Option<Ts>,
}

/// The volunteer has said yes; the caller has taken cover and capacity in the same transaction.
///
/// # Errors
/// A failed query.
pub fn accept(conn: &mut Conn, id: MatchId, acceptance: &Acceptance, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(matches::table
            .filter(matches::id.eq(id))
            .filter(one_of(matches::state, &[MatchState::Notified, MatchState::Declined, MatchState::Lapsed])))
        .set((
            matches::state.eq(MatchState::Accepted),
            matches::taken.eq(acceptance.taken),
            matches::period_start.eq(acceptance.period_start),
            matches::further_periods.eq(&acceptance.further_periods),
            matches::agreement.eq(acceptance.agreement),
            matches::agree_by.eq(acceptance.agree_by),
            matches::arrival_at.eq(acceptance.arrival_at),
            matches::released_at.eq(acceptance.released_at),
            matches::remind_at.eq(acceptance.remind_at),
            matches::decline_reason.eq(None::<DeclineReason>),
            matches::answered_at.eq(now),
            matches::ended_at.eq(None::<Ts>),
            matches::updated_at.eq(now),
        ))
        .execute(c))?;
    announced(conn, id, done, now)
}

/// The neighbor has agreed; contacts are released, if they were not yet.
///
/// # Errors
/// A failed query.
pub fn agree(conn: &mut Conn, id: MatchId, released_at: Ts, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(
        matches::table
            .filter(matches::id.eq(id))
            .filter(matches::state.eq(MatchState::Accepted))
            .filter(one_of(matches::agreement, &[Agreement::None, Agreement::Pending])),
    )
    .set((
        matches::agreement.eq(Agreement::Agreed),
        matches::released_at.eq(released_at),
        matches::updated_at.eq(now),
    ))
    .execute(c))?;
    announced(conn, id, done, now)
}

/// An accepted match has come to nothing; the caller gives cover and capacity back in the same
/// transaction.
///
/// # Errors
/// A failed query.
pub fn fall_through(
    conn: &mut Conn,
    id: MatchId,
    reason: FallReason,
    now: Ts,
) -> QueryResult<bool> {
    let agreement = match reason {
        FallReason::Refused => Some(Agreement::Refused),
        _ => None,
    };
    let done = with!(conn, c => diesel::update(matches::table
            .filter(matches::id.eq(id))
            .filter(matches::state.eq(MatchState::Accepted)))
        .set((
            matches::state.eq(MatchState::FellThrough),
            matches::taken.eq(0),
            matches::fall_reason.eq(reason),
            agreement.map(|a| matches::agreement.eq(a)),
            matches::ended_at.eq(now),
            matches::updated_at.eq(now),
        ))
        .execute(c))?;
    announced(conn, id, done, now)
}

/// The help was given, as somebody says, or as nobody denies.
///
/// # Errors
/// A failed query.
pub fn fulfil(conn: &mut Conn, id: MatchId, by: Option<DoneBy>, now: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(matches::table
            .filter(matches::id.eq(id))
            .filter(matches::state.eq(MatchState::Accepted))
            .filter(one_of(matches::agreement, &[Agreement::None, Agreement::Agreed])))
        .set((
            matches::state.eq(MatchState::Fulfilled),
            matches::done_by.eq(by),
            matches::ended_at.eq(now),
            matches::updated_at.eq(now),
        ))
        .execute(c))?;
    announced(conn, id, done, now)
}

/// The ask's letter has left: the time for the answer begins.
///
/// # Errors
/// A failed query.
pub fn set_asked(conn: &mut Conn, id: MatchId, at: Ts, respond_by: Ts) -> QueryResult<bool> {
    let done = with!(conn, c => diesel::update(matches::table
            .filter(matches::id.eq(id))
            .filter(matches::state.eq(MatchState::Notified))
            .filter(matches::asked_at.is_null()))
        .set((matches::asked_at.eq(at), matches::respond_by.eq(respond_by), matches::updated_at.eq(at)))
        .execute(c))?;
    announced(conn, id, done, at)
}

/// Asks whose answer is overdue, asks whose letter did not leave in time, and acceptances that the
/// neighbor did not agree to in time, in the order of their ids.
///
/// # Errors
/// A failed query.
pub fn overdue(conn: &mut Conn, now: Ts, limit: i64) -> QueryResult<Vec<Match>> {
    let (notified, accepted) = (MatchState::Notified, MatchState::Accepted);
    // Each arm by itself finds its index, on every backend.
    let active = || matches::ended_at.is_null();
    let answer = active()
        .and(matches::state.eq(notified))
        .and(matches::respond_by.le(now));
    let letter = active()
        .and(matches::state.eq(notified))
        .and(matches::asked_at.is_null())
        .and(matches::max_wait_at.le(now));
    let agreement = active()
        .and(matches::state.eq(accepted))
        .and(matches::agreement.eq(Agreement::Pending))
        .and(matches::agree_by.le(now));
    let mut overdue: Vec<Match> = with!(conn, c => matches::table
        .filter(answer.or(letter).or(agreement))
        .limit(limit)
        .select(Match::as_select())
        .load(c))?;
    // Not by the query, which would walk through all of them in that order.
    overdue.sort_by_key(|m| m.id);
    Ok(overdue)
}

/// When the next match is overdue, as [`overdue`] sees it.
///
/// # Errors
/// A failed query.
pub fn next_overdue(conn: &mut Conn) -> QueryResult<Option<Ts>> {
    let answer: Option<Ts> = with!(conn, c => matches::table
        .filter(matches::ended_at.is_null())
        .filter(matches::state.eq(MatchState::Notified))
        .filter(matches::respond_by.is_not_null())
        .order(matches::respond_by)
        .select(matches::respond_by.assume_not_null())
        .first(c)
        .optional())?;
    let letter: Option<Ts> = with!(conn, c => matches::table
        .filter(matches::ended_at.is_null())
        .filter(matches::state.eq(MatchState::Notified))
        .filter(matches::asked_at.is_null())
        .filter(matches::max_wait_at.is_not_null())
        .order(matches::max_wait_at)
        .select(matches::max_wait_at.assume_not_null())
        .first(c)
        .optional())?;
    let agreement: Option<Ts> = with!(conn, c => matches::table
        .filter(matches::ended_at.is_null())
        .filter(matches::state.eq(MatchState::Accepted))
        .filter(matches::agreement.eq(Agreement::Pending))
        .filter(matches::agree_by.is_not_null())
        .order(matches::agree_by)
        .select(matches::agree_by.assume_not_null())
        .first(c)
        .optional())?;
    Ok([answer, letter, agreement].into_iter().flatten().min())
}

/// Deletes the matches of these requests.
///
/// # Errors
/// A failed query.
pub fn delete_of_requests(conn: &mut Conn, ids: &[RequestId]) -> QueryResult<usize> {
    with!(conn, c => diesel::delete(matches::table.filter(one_of(matches::request_id, ids))).execute(c))
}
