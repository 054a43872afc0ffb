//! What a coordinator reaches who is limited to a part of the work: some categories, some areas.
//!
//! Every call with a coordinator's token goes through [`refuse_outside`] before its handler runs, by the extractors of
//! `http::auth`. What an id stands for must be in their part, or it is not there for them: the one 404. Lists are
//! named here when they are narrowed by [`Within`], and any other call is refused, so that one that nobody has thought
//! of is closed to them.
//!
//! To open a call to them: its path begins with a resource of [`Kind`] and an id; or it is a list in [`NARROWED`]
//! whose handler takes [`Within`].

use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest, HttpRequest};

use super::auth::{Extraction, part_of};
use super::problem::Problem;
use crate::actions::Ctx;
use crate::domain::ids::RequestId;
use crate::domain::part::Part;
use crate::domain::word::words;
use crate::storage::{Conn, StorageError, reach};

/// The calls without an id whose handlers narrow what they show, or look at what their body names, or that are about the
/// caller alone.
const NARROWED: [&str; 9] = [
    "/v1/coordinators/self",
    "/v1/matches",
    "/v1/offers",
    "/v1/reports",
    "/v1/requests",
    "/v1/stats",
    "/v1/tasks",
    "/v1/tasks/counts",
    "/v1/volunteers",
];

words! {
    /// What the id in a path stands for.
    Kind {
        /// A match.
        Match = "matches",
        /// A neighbor.
        Neighbor = "neighbors",
        /// An offer.
        Offer = "offers",
        /// A report.
        Report = "reports",
        /// A request.
        Request = "requests",
        /// A task.
        Task = "tasks",
        /// A volunteer.
        Volunteer = "volunteers",
    }
}

/// What a call is to somebody who is limited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// It shows or does what is in their part.
    In,
    /// There is nothing here for them.
    Outside,
    /// It is about a person of whom something is outside.
    NotAlone,
}

/// How far a call reaches beyond what its id stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    /// It changes nothing.
    Read,
    /// It is about a person, by whatever they are known.
    Block,
    /// Of a call, the outcome may be about all that the neighbor asks.
    Finish,
    /// Anything else.
    Change,
}

impl Act {
    fn of(method: &Method, pattern: &str) -> Self {
        match pattern.rsplit('/').next() {
            _ if *method == Method::GET => Self::Read,
            Some("reveal") => Self::Read,
            Some("block" | "unblock") => Self::Block,
            Some("done") => Self::Finish,
            _ => Self::Change,
        }
    }
}

impl Problem {
    /// The call is not for somebody who is limited to a part.
    #[must_use]
    pub fn beyond_part(detail: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "part",
            "Your part of the work does not include this",
        )
        .detail(detail)
    }
}

/// Whether a call is in a coordinator's part.
///
/// # Errors
/// 404 for what is outside, 403 for what a part has no meaning for, or what would touch more than it.
pub(super) async fn refuse_outside(
    ctx: &Ctx,
    request: &HttpRequest,
    part: &Arc<Part>,
) -> Result<(), Problem> {
    if part.is_all() {
        return Ok(());
    }
    let pattern = request.match_pattern().unwrap_or_default();
    if NARROWED.contains(&pattern.as_str()) {
        return Ok(());
    }
    let Some(kind) = kind_of(&pattern) else {
        return Err(Problem::beyond_part(
            "It is about everything. Ask a coordinator who has no limits.",
        ));
    };
    let id = request
        .match_info()
        .get("id")
        .unwrap_or_default()
        .to_owned();
    let act = Act::of(request.method(), &pattern);
    let part = Arc::clone(part);
    let reach = ctx
        .db
        .read(move |conn| look(conn, &part, kind, &id, act))
        .await?;
    match reach {
        Reach::In => Ok(()),
        Reach::Outside => Err(Problem::not_found()),
        Reach::NotAlone => Err(Problem::beyond_part(
            "It would change something for all that this person asks or offers, and some of it is not in your part. Ask a coordinator who has no limits.",
        )),
    }
}

/// Of a path such as `/v1/requests/{id}/hold`.
fn kind_of(pattern: &str) -> Option<Kind> {
    let mut parts = pattern.strip_prefix("/v1/")?.split('/');
    let kind = parts.next()?.parse().ok()?;
    (parts.next() == Some("{id}")).then_some(kind)
}

fn look(
    conn: &mut Conn,
    part: &Part,
    kind: Kind,
    id: &str,
    act: Act,
) -> Result<Reach, StorageError> {
    macro_rules! find {
        ($find:path) => {
            match id.parse() {
                Ok(id) => $find(conn, part, id)?,
                Err(_) => false,
            }
        };
    }
    let is_there = match kind {
        Kind::Match => find!(reach::matched),
        Kind::Neighbor => find!(reach::neighbor),
        Kind::Offer => find!(reach::offer),
        Kind::Report => find!(reach::report),
        Kind::Request => find!(reach::request),
        Kind::Task => find!(reach::task),
        Kind::Volunteer => find!(reach::volunteer),
    };
    let is_alone = match (act, kind) {
        (Act::Read, _) => true,
        (Act::Block, Kind::Neighbor) => find!(reach::all_of_person),
        (_, Kind::Neighbor) => find!(reach::all_of_neighbor),
        (_, Kind::Volunteer) => find!(reach::all_of_volunteer),
        (Act::Finish, Kind::Task) => find!(reach::all_of_call),
        _ => true,
    };
    Ok(match (is_there, is_alone) {
        (false, _) => Reach::Outside,
        (true, false) => Reach::NotAlone,
        (true, true) => Reach::In,
    })
}

/// The part that the calling coordinator is limited to; everything for most.
#[derive(Clone, Debug)]
pub struct Within(pub Arc<Part>);

impl FromRequest for Within {
    type Error = Problem;
    type Future = Extraction<Self>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(Self(part_of(&request).await?)) })
    }
}

impl Within {
    /// What of that part is theirs.
    #[must_use]
    pub fn narrow(&self, part: Part) -> Part {
        part.and(&self.0)
    }

    /// A request that a body names.
    ///
    /// # Errors
    /// 404 for one outside.
    pub async fn refuse_request(&self, ctx: &Ctx, id: RequestId) -> Result<(), Problem> {
        if self.0.is_all() {
            return Ok(());
        }
        let part = Arc::clone(&self.0);
        let read = ctx
            .db
            .read(move |conn| Ok::<_, StorageError>(reach::request(conn, &part, id)?));
        match read.await? {
            true => Ok(()),
            false => Err(Problem::not_found()),
        }
    }
}
