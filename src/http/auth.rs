//! Who is calling: bearer tokens as extractors. A handler that names one in its arguments runs only
//! for its holder; no token is 401, and any other that does not open this door is the one 404.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use super::part::refuse_outside;
use super::problem::Problem;
use crate::actions::prove_address::prove_address;
use crate::actions::{Ctx, tokens};
use crate::crypto::token::{Purpose, Token};
use crate::domain::ids::{CoordinatorId, MatchId, NeighborId, RecordId, VolunteerId};
use crate::domain::part::Part;
use crate::domain::report::Side;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::coordinators::Scope;

pub(super) type Extraction<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// The token of the call.
///
/// # Errors
/// 401 without one, 404 for what is no token.
pub fn bearer(request: &HttpRequest) -> Result<Token, Problem> {
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .ok_or_else(Problem::unauthorized)?;
    let text = header.to_str().map_err(|_| Problem::not_found())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(Problem::unauthorized)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::unauthorized());
    }
    Token::parse(token).ok_or_else(Problem::not_found)
}

/// Who holds the token of a call. Looked up once, however many ask.
#[derive(Clone)]
enum Holder {
    /// Somebody with a token for one purpose.
    Of(Purpose, RecordId),
    /// A person with an API token, and what they reach.
    Coordinator(CoordinatorId, Scope, Arc<Part>),
    /// It opens nothing.
    Nobody,
}

/// What a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opens {
    /// A coordinator's calls.
    Everything,
    /// What is the holder's own.
    Own,
    /// Nothing.
    Nothing,
}

async fn holder(request: &HttpRequest) -> Result<Holder, Problem> {
    let token = bearer(request)?;
    let known = request.extensions().get::<Holder>().cloned();
    if let Some(known) = known {
        return Ok(known);
    }
    let ctx = ctx(request)?.into_inner();
    let found = match token.purpose() {
        Purpose::Coordinator => tokens::coordinator_of(&ctx, &token)
            .await?
            .map(|who| Holder::Coordinator(who.id, who.scope, Arc::new(who.part))),
        purpose => tokens::subject_of(&ctx, &token)
            .await?
            .map(|subject| Holder::Of(purpose, subject)),
    };
    let holder = found.unwrap_or(Holder::Nobody);
    request.extensions_mut().insert(holder.clone());
    Ok(holder)
}

/// Whether the call's token opens anything at all; `None` for a call without one.
///
/// # Errors
/// A failed query.
pub async fn opens(request: &HttpRequest) -> Result<Option<Opens>, Problem> {
    if !request.headers().contains_key(AUTHORIZATION) {
        return Ok(None);
    }
    match holder(request).await {
        Ok(Holder::Coordinator(..)) => Ok(Some(Opens::Everything)),
        Ok(Holder::Of(..)) => Ok(Some(Opens::Own)),
        Ok(Holder::Nobody) => Ok(Some(Opens::Nothing)),
        Err(problem) if problem.status < 500 => Ok(Some(Opens::Nothing)),
        Err(problem) => Err(problem),
    }
}

/// What the coordinator reaches who calls.
///
/// # Errors
/// 401 without a token, 404 for any other.
pub(super) async fn part_of(request: &HttpRequest) -> Result<Arc<Part>, Problem> {
    match holder(request).await? {
        Holder::Coordinator(.., part) => Ok(part),
        Holder::Of(..) | Holder::Nobody => Err(Problem::not_found()),
    }
}

/// The state of the app that the call came to.
fn ctx(request: &HttpRequest) -> Result<web::Data<Ctx>, Problem> {
    request
        .app_data::<web::Data<Ctx>>()
        .cloned()
        .ok_or_else(Problem::internal)
}

async fn subject(request: HttpRequest, purpose: Purpose) -> Result<RecordId, Problem> {
    let Holder::Of(held, subject) = holder(&request).await? else {
        return Err(Problem::not_found());
    };
    if held != purpose {
        return Err(Problem::not_found());
    }
    if held == Purpose::Neighbor && !request.method().is_safe() {
        let (ctx, token) = (ctx(&request)?, bearer(&request)?);
        prove_address(&ctx, &token).await?;
    }
    Ok(subject)
}

macro_rules! holders {
    ($($(#[$doc:meta])* $name:ident($id:ty) = $purpose:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name(pub $id);

        impl FromRequest for $name {
            type Error = Problem;
            type Future = Extraction<Self>;
            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let request = request.clone();
                Box::pin(async move { Ok(Self(subject(request, $purpose).await?.into())) })
            }
        }
    )*};
}

holders! {
    /// A neighbor with her manage token.
    AsNeighbor(NeighborId) = Purpose::Neighbor;
    /// A volunteer with a manage token.
    AsVolunteer(VolunteerId) = Purpose::Volunteer;
    /// A volunteer with the answer token of one match.
    AsAnswerer(MatchId) = Purpose::Answer;
}

/// Whoever holds the confirm token of a post; it is used up by what is done with it.
#[derive(Clone, Debug)]
pub struct AsConfirmer(pub VolunteerId, pub Token);

impl FromRequest for AsConfirmer {
    type Error = Problem;
    type Future = Extraction<Self>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let token = bearer(&request)?;
            let id = subject(request, Purpose::Confirm).await?;
            Ok(Self(id.into(), token))
        })
    }
}

impl AsNeighbor {
    /// The neighbor as the audit names her.
    #[must_use]
    pub fn actor(self) -> Actor {
        Actor::person(ActorKind::Neighbor, RecordId::from(self.0))
    }
}

impl AsVolunteer {
    /// The volunteer as the audit names her.
    #[must_use]
    pub fn actor(self) -> Actor {
        Actor::person(ActorKind::Volunteer, RecordId::from(self.0))
    }
}

impl AsAnswerer {
    /// The volunteer as the audit names her: by the match.
    #[must_use]
    pub fn actor(self) -> Actor {
        Actor::person(ActorKind::Volunteer, RecordId::from(self.0))
    }
}

/// A person with an API token, whose part the call is in if they are limited to one.
#[derive(Clone, Copy, Debug)]
pub struct AnyCoordinator {
    /// Who.
    pub id: CoordinatorId,
    /// What they may do.
    pub scope: Scope,
}

impl FromRequest for AnyCoordinator {
    type Error = Problem;
    type Future = Extraction<Self>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            match holder(&request).await? {
                Holder::Coordinator(id, scope, part) => {
                    refuse_outside(ctx(&request)?.get_ref(), &request, &part).await?;
                    Ok(Self { id, scope })
                }
                Holder::Of(..) | Holder::Nobody => Err(Problem::not_found()),
            }
        })
    }
}

/// A coordinator: reviews matches, manages posts and people.
#[derive(Clone, Copy, Debug)]
pub struct AsCoordinator(pub CoordinatorId);

/// An administrator.
#[derive(Clone, Copy, Debug)]
pub struct AsAdmin(pub CoordinatorId);

async fn of_scope(
    who: Extraction<AnyCoordinator>,
    least: Scope,
) -> Result<AnyCoordinator, Problem> {
    let who = who.await?;
    if who.scope < least {
        Err(Problem::forbidden())
    } else {
        Ok(who)
    }
}

impl FromRequest for AsCoordinator {
    type Error = Problem;
    type Future = Extraction<Self>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let who = AnyCoordinator::from_request(request, payload);
        Box::pin(async move { Ok(Self(of_scope(who, Scope::Coordinator).await?.id)) })
    }
}

impl FromRequest for AsAdmin {
    type Error = Problem;
    type Future = Extraction<Self>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let who = AnyCoordinator::from_request(request, payload);
        Box::pin(async move { Ok(Self(of_scope(who, Scope::Admin).await?.id)) })
    }
}

impl AsAdmin {
    /// The administrator as the audit names them.
    #[must_use]
    pub fn actor(self) -> Actor {
        Actor::person(ActorKind::Coordinator, RecordId::from(self.0))
    }
}

impl AsCoordinator {
    /// The coordinator as the audit names them.
    #[must_use]
    pub fn actor(self) -> Actor {
        Actor::person(ActorKind::Coordinator, RecordId::from(self.0))
    }
}

/// One address for two kinds of callers, told apart by the token.
#[derive(Clone, Copy, Debug)]
pub enum OwnerOrCoordinator<H, C = AsCoordinator> {
    /// Whose it is.
    Owner(H),
    /// A coordinator, for whom it may be anybody's.
    Coordinator(C),
}

/// A volunteer with a manage token, or a coordinator.
pub type VolunteerOrCoordinator = OwnerOrCoordinator<AsVolunteer>;

impl<H, C> FromRequest for OwnerOrCoordinator<H, C>
where
    H: FromRequest<Error = Problem, Future = Extraction<H>> + 'static,
    C: FromRequest<Error = Problem, Future = Extraction<C>> + 'static,
{
    type Error = Problem;
    type Future = Extraction<Self>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let purpose = bearer(request).map(|token| token.purpose());
        if purpose.is_ok_and(|purpose| purpose == Purpose::Coordinator) {
            let who = C::from_request(request, payload);
            Box::pin(async move { Ok(Self::Coordinator(who.await?)) })
        } else {
            let who = H::from_request(request, payload);
            Box::pin(async move { Ok(Self::Owner(who.await?)) })
        }
    }
}

impl VolunteerOrCoordinator {
    /// Whose offers alone this caller may see; none for a coordinator, who may see all.
    #[must_use]
    pub fn volunteer(self) -> Option<VolunteerId> {
        match self {
            Self::Owner(who) => Some(who.0),
            Self::Coordinator(_) => None,
        }
    }

    /// The caller as the audit names them.
    #[must_use]
    pub fn actor(self) -> Actor {
        match self {
            Self::Owner(who) => who.actor(),
            Self::Coordinator(who) => who.actor(),
        }
    }

    /// As [`VolunteerOrCoordinator::actor`]; a coordinator says what the volunteer has told them.
    #[must_use]
    pub fn for_volunteer(self) -> Actor {
        match self {
            Self::Owner(who) => who.actor(),
            Self::Coordinator(who) => who.actor().on_behalf_of(Side::Volunteer),
        }
    }
}

/// The coordinator that enters a post for a caller, where a coordinator's token was sent at all.
#[derive(Clone, Copy, Debug)]
pub struct EnteredBy(pub Option<CoordinatorId>);

impl EnteredBy {
    /// Whoever posts as the audit names them: a coordinator enters what a volunteer has told them.
    #[must_use]
    pub fn for_volunteer(self) -> Actor {
        match self.0 {
            Some(id) => Actor::person(ActorKind::Coordinator, id).on_behalf_of(Side::Volunteer),
            None => Actor::ANYONE,
        }
    }
}

impl FromRequest for EnteredBy {
    type Error = Problem;
    type Future = Extraction<Self>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if !request.headers().contains_key(AUTHORIZATION) {
            return Box::pin(async { Ok(Self(None)) });
        }
        let any = AnyCoordinator::from_request(request, payload);
        Box::pin(async move { Ok(Self(Some(any.await?.id))) })
    }
}
