//! What the database knows beside the index: of each request, who is not to be asked again; of each
//! volunteer, how much there is to bear.

use std::collections::{HashMap, HashSet};

use crate::actions::Ctx;
use crate::actions::match_request::candidates::{earlier, load, standing};
use crate::actions::pair::pair_hashes;
use crate::crypto::lookup::KeyedHash;
use crate::domain::area::Frozen;
use crate::domain::clock::Ts;
use crate::domain::ids::{NeighborId, OfferId, RequestId, VolunteerId};
use crate::matching::judge::{Load, Person};
use crate::matching::wave::{self, Round};
use crate::storage::matches::Match;
use crate::storage::neighbors::Neighbor;
use crate::storage::requests::Request;
use crate::storage::volunteers::Volunteer;
use crate::storage::{
    Conn, StorageError, areas, blocks, matches, neighbors, offers, requests, volunteers,
};

/// Records that one query reads.
const AT_ONCE: usize = 200;

/// Everything that a plan must know of those whom it looks at now.
#[derive(Debug)]
pub(super) struct Facts {
    /// Of one piece of the plan's requests.
    pub requests: HashMap<RequestId, (Request, Round)>,
    neighbors: HashMap<NeighborId, Neighbor>,
    /// Of everybody who was met; none: they are gone.
    volunteers: HashMap<VolunteerId, Option<(Volunteer, Load)>>,
    blocked: HashSet<KeyedHash>,
    pub frozen: Frozen,
}

impl Facts {
    /// What holds for all.
    pub(super) async fn begin(ctx: &Ctx) -> Result<Self, StorageError> {
        let read = |conn: &mut Conn| {
            Ok::<_, StorageError>(Self {
                requests: HashMap::new(),
                neighbors: HashMap::new(),
                volunteers: HashMap::new(),
                blocked: blocks::all(conn)?.into_iter().collect(),
                frozen: areas::frozen(conn)?,
            })
        };
        ctx.db.read(read).await
    }

    /// Reads the next piece of requests in the place of the last.
    pub(super) async fn read_requests(
        &mut self,
        ctx: &Ctx,
        ids: Vec<RequestId>,
        now: Ts,
    ) -> Result<(), StorageError> {
        let shared = ctx.clone();
        let read = move |conn: &mut Conn| requests_and_neighbors(&shared, conn, &ids, now);
        (self.requests, self.neighbors) = ctx.db.read(read).await?;
        Ok(())
    }

    /// Reads those of the volunteers whom nobody has asked for yet, some at a time.
    pub(super) async fn read_volunteers(
        &mut self,
        ctx: &Ctx,
        ids: HashSet<VolunteerId>,
        now: Ts,
    ) -> Result<(), StorageError> {
        let is_new = |id: &VolunteerId| !self.volunteers.contains_key(id);
        let new: Vec<VolunteerId> = ids.into_iter().filter(is_new).collect();
        for some in new.chunks(AT_ONCE) {
            self.volunteers.extend(some.iter().map(|id| (*id, None)));
            let some = some.to_vec();
            let read = move |conn: &mut Conn| with_loads(conn, &some, now);
            let found = ctx.db.read(read).await?.into_iter();
            self.volunteers
                .extend(found.map(|(volunteer, load)| (volunteer.id, Some((volunteer, load)))));
        }
        Ok(())
    }

    /// The volunteer; whether they and a neighbor are parted is asked [for itself](Self::is_blocked).
    pub(super) fn person(&self, id: VolunteerId) -> Option<Person<'_>> {
        let (volunteer, load) = self.volunteers.get(&id)?.as_ref()?;
        Some(Person {
            is_askable: volunteer.is_askable(),
            is_parted: false,
            limits: &volunteer.limits.0,
            load,
            last_asked: volunteer.last_asked_at,
        })
    }

    /// Whether the two are never to be brought together again. Dear: asked last.
    pub(super) fn is_blocked(&self, ctx: &Ctx, of: NeighborId, id: VolunteerId) -> bool {
        let is_shut_out = |n: &Neighbor| n.blocked_at.is_some();
        if self.neighbors.get(&of).is_some_and(is_shut_out) {
            return true;
        }
        if self.blocked.is_empty() {
            return false;
        }
        let volunteer = self.volunteers.get(&id).and_then(Option::as_ref);
        let (Some(neighbor), Some((volunteer, _)), Ok(keys)) =
            (self.neighbors.get(&of), volunteer, ctx.vault.keys())
        else {
            return true;
        };
        let pairs = pair_hashes(&keys.hasher, neighbor, volunteer);
        pairs.iter().any(|pair| self.blocked.contains(pair))
    }
}

type OfRequests = (
    HashMap<RequestId, (Request, Round)>,
    HashMap<NeighborId, Neighbor>,
);

fn requests_and_neighbors(
    ctx: &Ctx,
    conn: &mut Conn,
    ids: &[RequestId],
    now: Ts,
) -> Result<OfRequests, StorageError> {
    let rows = requests::find_all(conn, ids)?;
    let people: Vec<NeighborId> = rows.iter().map(|r| r.neighbor_id).collect();
    let people = neighbors::find_all(conn, &people)?;
    let mut past: HashMap<RequestId, Vec<Match>> = HashMap::new();
    for matched in matches::of_requests(conn, ids)? {
        past.entry(matched.request_id).or_default().push(matched);
    }
    let of: Vec<OfferId> = past.values().flatten().map(|m| m.offer_id).collect();
    let owner: HashMap<OfferId, VolunteerId> = offers::find_all(conn, &of)?
        .into_iter()
        .map(|o| (o.id, o.volunteer_id))
        .collect();
    let with_round = |row: Request| {
        let past = past.get(&row.id).map(Vec::as_slice).unwrap_or_default();
        let round = round(ctx, &row, past, &owner, now);
        (row.id, (row, round))
    };
    let found = rows.into_iter().map(with_round).collect();
    Ok((found, people.into_iter().map(|n| (n.id, n)).collect()))
}

fn with_loads(
    conn: &mut Conn,
    ids: &[VolunteerId],
    now: Ts,
) -> Result<Vec<(Volunteer, Load)>, StorageError> {
    let loads = matches::load_of(conn, ids, now)?;
    let mut loads: HashMap<_, _> = loads.into_iter().map(|l| (l.volunteer, load(l))).collect();
    let found = volunteers::find_all(conn, ids)?.into_iter();
    Ok(found
        .filter_map(|v| Some((loads.remove(&v.id)?, v)))
        .map(|(load, v)| (v, load))
        .collect())
}

/// The round that would be next: it knows whom it would not ask.
fn round(
    ctx: &Ctx,
    request: &Request,
    past: &[Match],
    owner: &HashMap<OfferId, VolunteerId>,
    now: Ts,
) -> Round {
    let standing = standing(request);
    let earlier: Vec<_> = past
        .iter()
        .filter_map(|m| Some(earlier(m, *owner.get(&m.offer_id)?)))
        .collect();
    let policy = &ctx.wave(request, now);
    wave::round(policy, &ctx.settings.matching, standing, &earlier, now)
}
