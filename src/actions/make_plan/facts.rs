//! What the database knows beside the index: of each request, who is not to be asked again; of each
//! volunteer, how much there is to bear.

use std::collections::{HashMap, HashSet};

use crate::actions::Ctx;
use crate::actions::match_request::candidates::{earlier, load};
use crate::actions::pair::pair_hashes;
use crate::crypto::lookup::KeyedHash;
use crate::domain::area::Frozen;
use crate::domain::clock::Ts;
use crate::domain::ids::{NeighborId, OfferId, RequestId, VolunteerId};
use crate::matching::card::RequestCard;
use crate::matching::judge::{Load, Person, WEEK};
use crate::matching::wave::{self, Round, Standing};
use crate::storage::matches::Match;
use crate::storage::neighbors::Neighbor;
use crate::storage::requests::Request;
use crate::storage::volunteers::Volunteer;
use crate::storage::{
    Conn, StorageError, areas, blocks, matches, neighbors, offers, requests, volunteers,
};

/// Records that one query reads.
const AT_ONCE: usize = 200;

/// Everything that a plan must know.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub requests: HashMap<RequestId, (Request, Round)>,
    neighbors: HashMap<NeighborId, Neighbor>,
    volunteers: HashMap<VolunteerId, (Volunteer, Load)>,
    blocked: HashSet<KeyedHash>,
    pub frozen: Frozen,
}

/// Reads them, of the volunteers of all offers that the index has.
pub(super) async fn read_facts(
    ctx: &Ctx,
    cards: &[RequestCard],
    now: Ts,
) -> Result<Facts, StorageError> {
    let ids: Vec<RequestId> = cards.iter().map(|card| card.id).collect();
    let owners: HashSet<VolunteerId> = {
        let index = ctx
            .index
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let offers = index.offer_ids().into_iter();
        offers
            .filter_map(|id| index.offer(id))
            .map(|offer| offer.volunteer)
            .collect()
    };
    let owners = Vec::from_iter(owners);
    let ctx = ctx.clone();
    let db = ctx.db.clone();
    db.read(move |conn| {
        let mut facts = Facts {
            frozen: areas::frozen(conn)?,
            blocked: blocks::all(conn)?.into_iter().collect(),
            ..Facts::default()
        };
        for some in ids.chunks(AT_ONCE) {
            facts.add_requests(&ctx, conn, some, now)?;
        }
        for some in owners.chunks(AT_ONCE) {
            facts.add_volunteers(conn, some, now)?;
        }
        Ok(facts)
    })
    .await
}

impl Facts {
    fn add_requests(
        &mut self,
        ctx: &Ctx,
        conn: &mut Conn,
        ids: &[RequestId],
        now: Ts,
    ) -> Result<(), StorageError> {
        let rows = requests::find_all(conn, ids)?;
        let people: Vec<NeighborId> = rows.iter().map(|r| r.neighbor_id).collect();
        let people = neighbors::find_all(conn, &people)?;
        self.neighbors.extend(people.into_iter().map(|n| (n.id, n)));
        let mut past: HashMap<RequestId, Vec<Match>> = HashMap::new();
        for matched in matches::of_requests(conn, ids)? {
            past.entry(matched.request_id).or_default().push(matched);
        }
        let of: Vec<OfferId> = past.values().flatten().map(|m| m.offer_id).collect();
        let owner: HashMap<OfferId, VolunteerId> = offers::find_all(conn, &of)?
            .into_iter()
            .map(|o| (o.id, o.volunteer_id))
            .collect();
        for row in rows {
            let past = past.get(&row.id).map(Vec::as_slice).unwrap_or_default();
            let round = round(ctx, &row, past, &owner, now);
            self.requests.insert(row.id, (row, round));
        }
        Ok(())
    }

    fn add_volunteers(
        &mut self,
        conn: &mut Conn,
        ids: &[VolunteerId],
        now: Ts,
    ) -> Result<(), StorageError> {
        let loads = matches::load_of(conn, ids, now.before(WEEK))?;
        let mut loads: HashMap<_, _> = loads.into_iter().map(|l| (l.volunteer, l)).collect();
        for volunteer in volunteers::find_all(conn, ids)? {
            if let Some(row) = loads.remove(&volunteer.id) {
                self.volunteers.insert(volunteer.id, (volunteer, load(row)));
            }
        }
        Ok(())
    }

    /// The volunteer, as one may be asked by that neighbor.
    pub(super) fn person(
        &self,
        ctx: &Ctx,
        neighbor: NeighborId,
        id: VolunteerId,
    ) -> Option<Person<'_>> {
        let (volunteer, load) = self.volunteers.get(&id)?;
        Some(Person {
            is_askable: volunteer.is_askable(),
            is_parted: self.is_blocked(ctx, neighbor, volunteer),
            limits: &volunteer.limits.0,
            load,
            last_asked: volunteer.last_asked_at,
        })
    }

    /// How often the volunteer may be asked.
    pub(super) fn room(&self, ctx: &Ctx, id: VolunteerId) -> i32 {
        let Some((volunteer, load)) = self.volunteers.get(&id) else {
            return 0;
        };
        let most = volunteer.limits.0.open_asks;
        let most = u32::from(most.min(ctx.settings.matching.open_asks));
        i32::try_from(most.saturating_sub(load.open_asks)).unwrap_or(i32::MAX)
    }

    /// Whether the two are never to be brought together again.
    fn is_blocked(&self, ctx: &Ctx, of: NeighborId, volunteer: &Volunteer) -> bool {
        if self.blocked.is_empty() {
            return false;
        }
        let (Some(neighbor), Ok(keys)) = (self.neighbors.get(&of), ctx.vault.keys()) else {
            return true;
        };
        let pairs = pair_hashes(&keys.hasher, neighbor, volunteer);
        pairs.iter().any(|pair| self.blocked.contains(pair))
    }
}

/// The round that would be next: it knows whom it would not ask.
fn round(
    ctx: &Ctx,
    request: &Request,
    past: &[Match],
    owner: &HashMap<OfferId, VolunteerId>,
    now: Ts,
) -> Round {
    let standing = Standing {
        wave: request.wave,
        next_wave_at: request.next_wave_at,
        version: request.version,
    };
    let earlier: Vec<_> = past
        .iter()
        .filter_map(|m| Some(earlier(m, *owner.get(&m.offer_id)?)))
        .collect();
    let policy = &ctx.wave(request, now);
    wave::round(policy, &ctx.settings.matching, standing, &earlier, now)
}
