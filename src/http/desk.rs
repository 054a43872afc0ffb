//! Who takes calls: any coordinator, with what they may see. Whoever has the scope `intake` sees what they
//! have entered themselves, and whom an open task is about that they have; of everything else the one 404.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::auth::{
    AnyCoordinator, AsNeighbor, Extraction, OwnerOrCoordinator, VolunteerOrCoordinator,
};
use super::fields::FieldErrors;
use super::problem::Problem;
use crate::actions::Ctx;
use crate::actions::speaker::Speaker;
use crate::domain::ids::NeighborId;
use crate::domain::ids::{CoordinatorId, RecordId};
use crate::domain::remit::Remit;
use crate::domain::report::Side;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::coordinators::Scope;
use crate::storage::{StorageError, neighbors};

/// A coordinator of any scope.
#[derive(Clone, Copy, Debug)]
pub struct Desk {
    /// Who.
    pub id: CoordinatorId,
    /// Whose requests they may see: every read and every action asks for it.
    pub remit: Remit,
}

impl FromRequest for Desk {
    type Error = Problem;
    type Future = Extraction<Self>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let who = AnyCoordinator::from_request(request, payload);
        Box::pin(async move {
            let AnyCoordinator { id, scope } = who.await?;
            let remit = match scope {
                Scope::Intake => Remit::EnteredBy(id),
                Scope::Coordinator | Scope::Admin => Remit::All,
            };
            Ok(Self { id, remit })
        })
    }
}

impl Desk {
    /// The coordinator as the audit names them.
    #[must_use]
    pub fn actor(self) -> Actor {
        Actor::person(ActorKind::Coordinator, RecordId::from(self.id))
    }

    /// As [`Desk::actor`], who says what a neighbor has told them.
    #[must_use]
    pub fn for_neighbor(self) -> Actor {
        self.actor().on_behalf_of(Side::Neighbor)
    }

    /// What that actor says, who may be this caller speaking for somebody, of matches that the caller may see.
    #[must_use]
    pub fn says(self, actor: Actor) -> Speaker {
        Speaker {
            actor,
            remit: self.remit,
        }
    }

    /// As [`Desk::actor`], who says what one side of a match has told them. What a volunteer says is for
    /// those who see volunteers.
    ///
    /// # Errors
    /// 403.
    pub fn speaking_for(self, side: Side) -> Result<Actor, Problem> {
        if side == Side::Volunteer && self.remit != Remit::All {
            return Err(Problem::forbidden());
        }
        Ok(self.actor().on_behalf_of(side))
    }

    /// Before anything else is said of the call: what is not there for this caller is not, whatever the body says.
    ///
    /// # Errors
    /// The one 404 for a neighbor outside the remit.
    pub async fn sees(self, ctx: &web::Data<Ctx>, id: NeighborId) -> Result<(), Problem> {
        let remit = self.remit;
        let read = ctx.db.read(move |conn| {
            Ok::<_, StorageError>(neighbors::find_within(conn, remit, id)?.is_some())
        });
        match read.await? {
            true => Ok(()),
            false => Err(Problem::not_found()),
        }
    }
}

/// For whom a coordinator speaks, of what is theirs to do in their own right too.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"for": "neighbor"}))]
pub struct OnBehalfBody {
    /// Whoever told a coordinator so by phone: `neighbor` of a request, `volunteer` of an offer. In the coordinator's
    /// own right, where it is left out.
    pub r#for: Option<Side>,
}

impl OnBehalfBody {
    /// Whether that side said so, which alone can.
    fn said_by(&self, side: Side, errors: &mut FieldErrors) -> bool {
        if self.r#for.is_some_and(|said| said != side) {
            errors.push("/for", format!("can only be {side} here"));
        }
        self.r#for.is_some()
    }
}

impl VolunteerOrCoordinator {
    /// The caller as the audit names them, who may say what the volunteer has told them.
    pub fn saying(self, body: &OnBehalfBody, errors: &mut FieldErrors) -> Actor {
        match body.said_by(Side::Volunteer, errors) {
            true => self.for_volunteer(),
            false => self.actor(),
        }
    }
}

/// A neighbor with her manage token, or whoever takes calls.
pub type NeighborOrDesk = OwnerOrCoordinator<AsNeighbor, Desk>;

impl NeighborOrDesk {
    /// Whose requests this caller may see.
    #[must_use]
    pub fn remit(self) -> Remit {
        match self {
            Self::Owner(who) => Remit::Neighbor(who.0),
            Self::Coordinator(desk) => desk.remit,
        }
    }

    /// The caller as the audit names them.
    #[must_use]
    pub fn actor(self) -> Actor {
        match self {
            Self::Owner(who) => who.actor(),
            Self::Coordinator(desk) => desk.actor(),
        }
    }

    /// The caller as the audit names them, who may say what the neighbor has told them.
    pub fn saying(self, body: &OnBehalfBody, errors: &mut FieldErrors) -> Actor {
        match body.said_by(Side::Neighbor, errors) {
            true => self.for_neighbor(),
            false => self.actor(),
        }
    }

    /// As [`NeighborOrDesk::actor`]; a coordinator says what the neighbor has told them.
    #[must_use]
    pub fn for_neighbor(self) -> Actor {
        match self {
            Self::Owner(who) => who.actor(),
            Self::Coordinator(desk) => desk.for_neighbor(),
        }
    }
}
