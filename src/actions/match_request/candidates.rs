//! What a round looks at before it decides: the request as matching knows it, who was asked before, who is
//! near, and what is known of them. Reads only; the answer to "why?" looks at the same.

use std::collections::{HashMap, HashSet};

use crate::actions::Ctx;
use crate::actions::cards::request_cards_by_id;
use crate::actions::pair::pair_hashes;
use crate::crypto::lookup::KeyedHash;
use crate::domain::area::Frozen;
use crate::domain::category::Category;
use crate::domain::clock::Ts;
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::lifecycle::MatchState;
use crate::matching::card::{OfferCard, RequestCard};
use crate::matching::eligible::Fit;
use crate::matching::index::PostIndex;
use crate::matching::judge::{Asking, Load, Person};
use crate::matching::wave::{self, Earlier, Round, Sight, Standing};
use crate::storage::matches::{Match, VolunteerLoad};
use crate::storage::neighbors::Neighbor;
use crate::storage::requests::Request;
use crate::storage::volunteers::Volunteer;
use crate::storage::{
    Conn, StorageError, areas, blocks, matches, neighbors, offers, plans, volunteers,
};

/// What is known before the index is asked.
#[derive(Debug)]
pub(in crate::actions) struct Known {
    pub card: RequestCard,
    pub round: Round,
    /// Volunteers asked for the request as it is now, and how many of them said no.
    pub asked: HashSet<VolunteerId>,
    pub declined: u32,
    /// Who helps with other slots of the request's series, if it is of one.
    pub series: Option<Vec<VolunteerId>>,
    pub neighbor: Neighbor,
    pub frozen: Frozen,
}

impl Known {
    pub(in crate::actions) fn asking<'a>(
        &'a self,
        ctx: &'a Ctx,
        category: &'a Category,
        now: Ts,
    ) -> Asking<'a> {
        Asking {
            settings: &ctx.settings.matching,
            category,
            request: &self.card,
            round: &self.round,
            series: self.series.as_deref(),
            frozen: &self.frozen,
            now,
        }
    }
}

/// What is known of volunteers who may be asked.
pub(in crate::actions) struct Facts {
    people: HashMap<VolunteerId, (Volunteer, Load)>,
    parted: HashSet<VolunteerId>,
}

impl Facts {
    /// The volunteer; `None` for one who is not there.
    pub(in crate::actions) fn person(&self, id: VolunteerId) -> Option<Person<'_>> {
        self.people.get(&id).map(|(volunteer, load)| Person {
            is_askable: volunteer.is_askable(),
            is_parted: self.parted.contains(&id),
            limits: &volunteer.limits.0,
            load,
            last_asked: volunteer.last_asked_at,
        })
    }
}

/// An offer that fits.
pub(super) struct Candidate {
    pub offer: OfferCard,
    pub fit: Fit,
}

/// The request, which is as urgent as it is by `now`, with what happened to it; `None` if it looks for
/// nobody now.
pub(in crate::actions) fn read_known(
    ctx: &Ctx,
    conn: &mut Conn,
    request: &Request,
    now: Ts,
) -> Result<Option<Known>, StorageError> {
    let frozen = areas::frozen(conn)?;
    let Some(neighbor) = neighbors::find(conn, request.neighbor_id)? else {
        return Ok(None);
    };
    let past = matches::of_request(conn, request.id)?;
    let ids: Vec<OfferId> = past.iter().map(|m| m.offer_id).collect();
    let owner: HashMap<OfferId, VolunteerId> = offers::owners(conn, &ids)?.into_iter().collect();
    let planned = plans::chosen_for(conn, request.id)?;
    let earlier: Vec<Earlier> = past
        .iter()
        .filter_map(|m| {
            let earlier = earlier(m, *owner.get(&m.offer_id)?);
            Some(Earlier {
                planned: planned.contains(&m.id),
                ..earlier
            })
        })
        .collect();
    let standing = standing(request);
    let settings = &ctx.settings.matching;
    let policy = &ctx.wave(request, now);
    let round = wave::round(policy, settings, standing, &earlier, now);
    let (asked, declined) = so_far(request, &past, &owner);
    let series = match request.series_id {
        Some(series) => Some(matches::helpers_of_series(conn, series, request.id)?),
        None => None,
    };
    let card = request_cards_by_id(ctx, conn, &[request.id], now)?.pop();
    Ok(card.map(|card| Known {
        card: RequestCard {
            urgency: ctx.urgency(request, now),
            ..card
        },
        round,
        asked,
        declined,
        series,
        neighbor,
        frozen,
    }))
}

/// As waves know a request.
pub(in crate::actions) fn standing(request: &Request) -> Standing {
    Standing {
        wave: request.wave,
        next_wave_at: request.next_wave_at,
        version: request.version,
    }
}

/// As waves know a match; whether a plan has chosen it stands elsewhere.
pub(in crate::actions) fn earlier(m: &Match, volunteer: VolunteerId) -> Earlier {
    Earlier {
        offer: m.offer_id,
        volunteer,
        // As if it had not been: the pair may be proposed again.
        state: if m.state == MatchState::Vetoed && !m.is_vetoed() {
            MatchState::Superseded
        } else {
            m.state
        },
        fall_reason: m.fall_reason,
        wave: m.wave,
        planned: false,
        version: m.request_version,
        created_at: m.created_at,
        ended_at: m.ended_at,
    }
}

/// Who was asked, or is to be asked after a review, for the request as it is now.
fn so_far(
    request: &Request,
    past: &[Match],
    owner: &HashMap<OfferId, VolunteerId>,
) -> (HashSet<VolunteerId>, u32) {
    let is_ask = |m: &&Match| {
        m.request_version == request.version && (m.asked_at.is_some() || m.state.is_active())
    };
    let asked = past
        .iter()
        .filter(is_ask)
        .filter_map(|m| owner.get(&m.offer_id).copied())
        .collect();
    let declined = past
        .iter()
        .filter(|m| m.request_version == request.version && m.state == MatchState::Declined)
        .count();
    (asked, u32::try_from(declined).unwrap_or(u32::MAX))
}

/// A page of the offers that fit, near first, and what was seen on the way to them. `skip` of them were
/// looked at before.
pub(super) fn search(
    ctx: &Ctx,
    index: &PostIndex,
    asking: &Asking<'_>,
    skip: usize,
) -> (Vec<Candidate>, Sight) {
    let limit = skip + page(ctx);
    let (mut sight, mut fitting, mut candidates) = (Sight::default(), 0, Vec::new());
    for (offer, distance_m) in index.in_reach(&ctx.catalog, asking.request) {
        sight.in_reach = sight.in_reach.saturating_add(1);
        match asking.fits(offer, distance_m) {
            Ok(fit) => {
                fitting += 1;
                if fitting > skip {
                    let offer = offer.clone();
                    candidates.push(Candidate { offer, fit });
                }
            }
            Err(passed) => sight.pass(&passed),
        }
        if fitting == limit {
            break;
        }
    }
    (candidates, sight)
}

/// How many candidates are looked at together.
pub(super) fn page(ctx: &Ctx) -> usize {
    usize::try_from(ctx.settings.matching.candidates).unwrap_or(usize::MAX)
}

/// What is known of these volunteers, as far as it matters for the neighbor.
pub(in crate::actions) fn read_facts(
    ctx: &Ctx,
    conn: &mut Conn,
    neighbor: &Neighbor,
    ids: &[VolunteerId],
    now: Ts,
) -> Result<Facts, StorageError> {
    let hasher = &ctx.vault.keys()?.hasher;
    let found = volunteers::find_all(conn, ids)?;
    let pairs: HashMap<KeyedHash, VolunteerId> = found
        .iter()
        .flat_map(|v| {
            let of_pair = pair_hashes(hasher, neighbor, v);
            of_pair.into_iter().map(|pair| (pair, v.id))
        })
        .collect();
    let known: Vec<KeyedHash> = pairs.keys().copied().collect();
    // Who is blocked is parted from everybody; what the rounds say of it is what they say where nobody can be
    // asked.
    let parted = if neighbor.blocked_at.is_some() {
        found.iter().map(|v| v.id).collect()
    } else {
        blocks::among(conn, &known)?
            .iter()
            .filter_map(|pair| pairs.get(pair).copied())
            .collect()
    };
    let mut loads: HashMap<VolunteerId, Load> = matches::load_of(conn, ids, now)?
        .into_iter()
        .map(|l| (l.volunteer, load(l)))
        .collect();
    let people = found
        .into_iter()
        .map(|v| {
            let load = loads.remove(&v.id).unwrap_or_default();
            (v.id, (v, load))
        })
        .collect();
    Ok(Facts { people, parted })
}

/// As matching knows it.
pub(in crate::actions) fn load(row: VolunteerLoad) -> Load {
    Load {
        open_asks: row.open_asks,
        open_until: row.open_until,
        calm_asks: row.calm_asks,
        recent_asks: row.recent_asks,
        days_asks: row.days_asks,
        answered: row.answered,
        open_releases: row.open_releases,
    }
}
