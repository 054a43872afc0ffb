//! What people do: one action each, as behind the API.

use super::agenda::{Act, City, Desk, End, unless_refused};
use super::habits::{Habits, Pair};
use super::plan::Post;
use crate::actions::accept_match::{Yes, accept_match};
use crate::actions::agree_match::{agree_match, refuse_match};
use crate::actions::close_request::close_request;
use crate::actions::confirm_offers::confirm_offers;
use crate::actions::decline_match::decline_match;
use crate::actions::finish_match;
use crate::actions::finish_task::finish_task;
use crate::actions::list_site::list_site;
use crate::actions::post_offers::post_offers;
use crate::actions::post_requests::{PostRequests, post_requests};
use crate::actions::prove_address::prove_address;
use crate::actions::release_match::release_match;
use crate::actions::review_match::{approve_match, veto_match};
use crate::actions::tokens;
use crate::actions::vet_volunteer::vet_volunteer;
use crate::crypto::token::Token;
use crate::domain::ids::{MatchId, NeighborId, OfferId, RecordId, TaskId};
use crate::domain::lifecycle::{Agreement, MatchState};
use crate::domain::place::GeoPoint;
use crate::domain::remit::Remit;
use crate::domain::report::Side;
use crate::domain::task::{TaskKind, TaskOrder};
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::matches::{Match, MatchFilter};
use crate::storage::page::Page;
use crate::storage::requests::Request;
use crate::storage::tasks::TaskFilter;
use crate::storage::{StorageError, matches, neighbors, requests, sites, tasks};

/// How long a coordinator vouches for a volunteer.
const VETTED_FOR: std::time::Duration = std::time::Duration::from_hours(24 * 180);

impl<H: Habits> City<H> {
    /// Does one thing. What is refused stays undone, as with people.
    pub(super) async fn perform(&mut self, act: Act) -> anyhow::Result<()> {
        let desk = self.at_desk();
        let ctx = self.ctx.clone();
        match act {
            Act::Post(nth, Post::Offers(post)) => {
                let posted = unless_refused(post_offers(&ctx, *post, None, Actor::ANYONE).await)?;
                for offer in posted.into_iter().flatten() {
                    self.numbers.insert(offer.id.into(), nth);
                    self.numbers.insert(offer.volunteer_id.into(), nth);
                }
            }
            Act::Post(nth, Post::Requests(post)) => self.post_requests(nth, *post).await?,
            Act::Confirm(token) => self.confirm(&token).await?,
            Act::Vet(id) => {
                let until = ctx.now().after(VETTED_FOR);
                unless_refused(vet_volunteer(&ctx, id, Some(until), desk).await)?;
            }
            Act::List(id) => {
                unless_refused(list_site(&ctx, id, desk).await)?;
            }
            Act::Round => self.round().await?,
            Act::Review(id, true) => {
                unless_refused(approve_match(&ctx, id, desk).await)?;
            }
            Act::Review(id, false) => {
                unless_refused(veto_match(&ctx, id, desk).await)?;
            }
            Act::Call(id, outcome) => {
                let who = self.coordinator;
                unless_refused(finish_task(&ctx, id, outcome.into(), None, who).await)?;
            }
            Act::AgreeByPhone(id, yes) => {
                self.agree(id, yes, desk.on_behalf_of(Side::Neighbor))
                    .await?;
            }
            Act::Answer(token, yes) => self.answer(&token, yes).await?,
            Act::Agree(token, id, yes) => {
                if let Some(who) = self.opens(&token).await? {
                    unless_refused(prove_address(&ctx, &token).await)?;
                    self.agree(id, yes, Actor::person(ActorKind::Neighbor, who))
                        .await?;
                }
            }
            Act::End(end) => self.end(end).await?,
            Act::Close(neighbor, request, reason) => {
                let actor = Actor::person(ActorKind::Neighbor, neighbor);
                let hers = Remit::Neighbor(neighbor);
                unless_refused(close_request(&ctx, request, hers, reason, actor).await)?;
            }
        }
        Ok(())
    }

    /// What a token opens, if it still does.
    async fn opens(&self, token: &Token) -> anyhow::Result<Option<RecordId>> {
        unless_refused(tokens::open(&self.ctx, token.expose(), token.purpose()).await)
    }

    async fn post_requests(&mut self, nth: usize, post: PostRequests) -> anyhow::Result<()> {
        let post_place = post.place;
        let Some(posted) = unless_refused(post_requests(&self.ctx, post, None).await)? else {
            return Ok(());
        };
        let id = posted.neighbor.id;
        self.manage.insert(id, posted.token);
        self.numbers.insert(id.into(), nth);
        for request in posted.requests {
            self.numbers.insert(request.id.into(), nth);
            let can_walk_in = H::LOOK_FOR_SITES && self.can_walk_in(&request, post_place).await?;
            if let Some((wait, reason)) = self.habits.gives_up(id, Some(nth), can_walk_in) {
                self.plan_in(wait, Act::Close(id, request.id, reason));
            }
        }
        if self.desk == Desk::Told {
            let found = self
                .ctx
                .db
                .read(move |conn| Ok::<_, StorageError>(tasks::open_call(conn, id)?));
            if let Some(task) = found.await? {
                self.take_call(task.id, Some(nth));
            }
        }
        Ok(())
    }

    /// Whether a listed site that is open to everyone will do: no match is needed then.
    async fn can_walk_in(&self, request: &Request, from: GeoPoint) -> anyhow::Result<bool> {
        let Some(category) = self.ctx.catalog.get(request.category.as_str()) else {
            return Ok(false);
        };
        let key = category.key.to_string();
        let open = self
            .ctx
            .db
            .read(move |conn| Ok::<_, StorageError>(sites::open(conn, Some(&key))?));
        Ok(open.await?.iter().any(|(site, offer)| {
            let near = GeoPoint::parse(site.lat, site.lon)
                .is_ok_and(|at| at.distance_m(from) <= f64::from(request.travel_m.meters()));
            let fits = category
                .unmet(&request.requires.0, &offer.provides.0)
                .is_none();
            site.walk_in && near && fits
        }))
    }

    async fn confirm(&mut self, token: &Token) -> anyhow::Result<()> {
        let Some(who) = self.opens(token).await? else {
            return Ok(());
        };
        let Some(confirmed) = unless_refused(confirm_offers(&self.ctx, who.into()).await)? else {
            return Ok(());
        };
        let id = confirmed.volunteer.id;
        let needed = confirmed.offers.iter().any(|offer| {
            let category = self.ctx.catalog.get(offer.category.as_str());
            category.is_some_and(|c| c.policy.vetted_only)
        });
        let sites: Vec<OfferId> = confirmed
            .offers
            .iter()
            .filter(|offer| offer.is_site)
            .map(|offer| offer.id)
            .collect();
        let number = self.number(id);
        let welcome = self.habits.welcomes(id, number, needed, sites.len());
        if let Some(wait) = welcome.vetted {
            self.plan_in(wait, Act::Vet(id));
        }
        for (site, wait) in sites.into_iter().zip(welcome.listed) {
            self.plan_in(wait, Act::List(site));
        }
        Ok(())
    }

    /// What a coordinator finds in the lists: proposals to review, neighbors to call before anybody is
    /// sent to them, and neighbors to call because they have no e-mail.
    async fn round(&mut self) -> anyhow::Result<()> {
        let page = Page {
            after: None,
            limit: 500,
        };
        let in_state = |state| MatchFilter {
            state: Some(state),
            ..MatchFilter::default()
        };
        let (proposed, to_call, tasks) = self
            .ctx
            .db
            .read(move |conn| {
                let proposed = matches::page(conn, &in_state(MatchState::Proposed), page)?;
                let mut to_call = Vec::new();
                for matched in matches::page(conn, &in_state(MatchState::Accepted), page)? {
                    let Some(request) = requests::find(conn, matched.request_id)? else {
                        continue;
                    };
                    let neighbor = neighbors::find(conn, request.neighbor_id)?;
                    if matched.released_at.is_none()
                        && neighbor.is_some_and(|n| n.email_hash.is_none())
                    {
                        to_call.push(matched);
                    }
                }
                let open = TaskFilter {
                    done: Some(false),
                    kind: Some(TaskKind::Call),
                    ..TaskFilter::default()
                };
                Ok::<_, StorageError>((
                    proposed,
                    to_call,
                    tasks::page(conn, &open, TaskOrder::Newest, page)?,
                ))
            })
            .await?;
        for task in tasks {
            if self.on_desk.insert(task.id.into()) {
                let neighbor = task.neighbor_id.and_then(|id| self.number(id));
                self.take_call(task.id, neighbor);
            }
        }
        for matched in proposed {
            self.take_review(&matched);
        }
        for matched in to_call {
            // The same match was on the desk before, when it was proposed.
            self.take_agreement(&matched);
        }
        Ok(())
    }

    /// The coordinator is going to call a neighbor.
    fn take_call(&mut self, id: TaskId, neighbor: Option<usize>) {
        let (wait, outcome) = self.habits.calls(id, neighbor);
        self.plan_in(wait, Act::Call(id, outcome));
    }

    /// The coordinator is going to decide on a proposal.
    pub(super) fn take_review(&mut self, matched: &Match) {
        if self.on_desk.insert(matched.id.into()) {
            let (wait, yes) = self.habits.reviews(matched.id, self.pair(matched));
            self.plan_in(wait, Act::Review(matched.id, yes));
        }
    }

    /// The coordinator is going to ask a neighbor on the phone.
    fn take_agreement(&mut self, matched: &Match) {
        let (wait, yes) = self.habits.agrees_by_phone(matched.id, self.pair(matched));
        self.plan_in(wait, Act::AgreeByPhone(matched.id, yes));
    }

    fn pair(&self, matched: &Match) -> Pair {
        Pair {
            volunteer: self.number(matched.offer_id),
            neighbor: self.number(matched.request_id),
        }
    }

    async fn agree(&mut self, id: MatchId, yes: bool, actor: Actor) -> anyhow::Result<()> {
        let outcome = if yes {
            agree_match(&self.ctx, id, actor).await
        } else {
            refuse_match(&self.ctx, id, actor).await
        };
        unless_refused(outcome).map(drop)
    }

    async fn answer(&mut self, token: &Token, yes: bool) -> anyhow::Result<()> {
        let Some(id) = self.opens(token).await? else {
            return Ok(());
        };
        let actor = Actor::person(ActorKind::Volunteer, id);
        let id = MatchId::from(id);
        if yes {
            unless_refused(accept_match(&self.ctx, id, Yes::default(), actor).await)?;
            if self.desk == Desk::Told {
                self.ask_by_phone(id).await?;
            }
        } else {
            let reason = self.habits.why_not(id);
            unless_refused(decline_match(&self.ctx, id, reason, actor).await)?;
        }
        Ok(())
    }

    /// A neighbor who gets no letters is called when somebody wants to come.
    async fn ask_by_phone(&mut self, id: MatchId) -> anyhow::Result<()> {
        let found = self.ctx.db.read(move |conn| {
            let Some(matched) = matches::find(conn, id)?.filter(is_pending) else {
                return Ok::<_, StorageError>(None);
            };
            let Some(request) = requests::find(conn, matched.request_id)? else {
                return Ok(None);
            };
            let neighbor = neighbors::find(conn, request.neighbor_id)?;
            Ok(neighbor
                .is_some_and(|n| n.email_hash.is_none())
                .then_some(matched))
        });
        if let Some(matched) = found.await? {
            self.take_agreement(&matched);
        }
        Ok(())
    }

    async fn end(&mut self, end: End) -> anyhow::Result<()> {
        let ctx = self.ctx.clone();
        let outcome = match end {
            End::DoneByVolunteer(token) => {
                let Some(id) = self.opens(&token).await? else {
                    return Ok(());
                };
                let actor = Actor::person(ActorKind::Volunteer, id);
                finish_match::done(&ctx, id.into(), actor).await
            }
            End::Release(token) => {
                let Some(id) = self.opens(&token).await? else {
                    return Ok(());
                };
                let actor = Actor::person(ActorKind::Volunteer, id);
                release_match(&ctx, id.into(), actor).await
            }
            End::DoneByNeighbor(who, id) => match self.as_neighbor(who).await? {
                Some(actor) => finish_match::done(&ctx, id, actor).await,
                None => return Ok(()),
            },
            End::NoShow(who, id) => match self.as_neighbor(who).await? {
                Some(actor) => finish_match::no_show(&ctx, id, actor).await,
                None => return Ok(()),
            },
        };
        unless_refused(outcome).map(drop)
    }

    /// A neighbor, by the token that the page showed when the need was posted.
    async fn as_neighbor(&self, id: NeighborId) -> anyhow::Result<Option<Actor>> {
        let Some(token) = self.manage.get(&id) else {
            return Ok(None);
        };
        let opened = self.opens(token).await?;
        Ok(opened.map(|who| Actor::person(ActorKind::Neighbor, who)))
    }
}

fn is_pending(matched: &Match) -> bool {
    matched.state == MatchState::Accepted && matched.agreement == Agreement::Pending
}
