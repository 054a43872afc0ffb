//! Errors as RFC 9457 problem details: a stable `type`, a title, and a JSON pointer for every bad field.
//!
//! Nothing a person sent is repeated in a problem.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::Refusal;
pub use crate::bodies::faults::FieldError;
use crate::crypto::seal::SealError;
use crate::domain::task::TaskKind;
use crate::storage::{StorageError, TxError};

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An answer that is not what was asked for (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Stable name of the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:manyhands:problem:invalid")]
    pub kind: String,
    /// The kind in words.
    #[schema(example = "Some fields are not right")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Every field that is wrong, all at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    #[serde(skip)]
    #[schema(ignore)]
    retry_after_s: Option<u32>,
}

impl Problem {
    /// A problem of a kind (the last part of its `type`).
    #[must_use]
    pub fn new(status: StatusCode, kind: &str, title: &str) -> Self {
        Self {
            kind: format!("urn:manyhands:problem:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: None,
            errors: Vec::new(),
            retry_after_s: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same with a time after which to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Some fields are wrong.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self {
            errors,
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "Some fields are not right",
            )
        }
    }

    /// The one answer for unknown, expired, of another purpose, and not yours.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is nothing here for you",
        )
    }

    /// No token was given.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "no-token", "This needs a token")
            .detail("Send it as Authorization: Bearer TOKEN.")
    }

    /// The token's scope is too small.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "scope",
            "The scope of your token does not allow this",
        )
    }

    /// The database cannot answer now.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The service cannot do this right now",
        )
        .detail("Nothing was lost; try again in a moment.")
        .retry_after(5)
    }

    /// Our fault; the cause is in the log, not here.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something is wrong on our side",
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.kind)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CONTENT_TYPE, PROBLEM_JSON));
        if let Some(seconds) = self.retry_after_s {
            response.insert_header((RETRY_AFTER, seconds));
        }
        if self.status_code() == StatusCode::UNAUTHORIZED {
            response.insert_header(("WWW-Authenticate", "Bearer"));
        }
        response.body(serde_json::to_vec(self).unwrap_or_default())
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Sealed(SealError::Locked) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "locked",
                "This service is locked for now",
            )
            .detail("Nothing is lost. Try again later.")
            .retry_after(300),
            StorageError::Unavailable(why) => {
                // The storage tells of an outage, and not once for every call.
                tracing::debug!(why, "a call failed: the database is unavailable");
                Self::unavailable()
            }
            other => {
                tracing::error!(error = %other, cause = ?std::error::Error::source(&other).map(ToString::to_string), "a request failed");
                Self::internal()
            }
        }
    }
}

impl From<TxError<Refusal>> for Problem {
    fn from(error: TxError<Refusal>) -> Self {
        match error {
            TxError::Refused(refusal) => refusal.into(),
            TxError::Storage(error) => error.into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let conflict = |kind| Self::new(StatusCode::CONFLICT, kind, &sentence(refusal));
        match refusal {
            Refusal::NotFound => Self::not_found(),
            Refusal::Gone => Self::new(StatusCode::GONE, "gone", "This was erased"),
            Refusal::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "key-reused",
                &sentence(refusal),
            ),
            Refusal::NotPossible => conflict("not-possible"),
            Refusal::ChangedMeanwhile => conflict("changed-meanwhile"),
            Refusal::AlreadyCovered => conflict("already-covered").detail(
                "Somebody else helps already. Thank you for being there; you need to do nothing.",
            ),
            Refusal::NoCapacity => conflict("no-capacity"),
            Refusal::MoreTaken(taken) => conflict("more-taken").detail(format!(
                "{taken} of it are promised in one of its periods, so it cannot have less."
            )),
            Refusal::TooManyOpen => conflict("too-many-open"),
            Refusal::NotVetted => conflict("not-vetted"),
            Refusal::HasAcceptedMatch => conflict("has-accepted-match"),
            Refusal::DoesNotFit => conflict("does-not-fit"),
            Refusal::PairTaken => conflict("pair-taken"),
            Refusal::CallFirst => conflict("call-first"),
            Refusal::AreaFrozen => conflict("area-frozen").detail(
                "Coordinators have stopped all help in the area, for everybody's safety. Please do not go there.",
            ),
            Refusal::NoSite => conflict("no-site"),
            Refusal::NotListed => conflict("not-listed")
                .detail("A coordinator checks it first, and lists it then."),
            Refusal::SiteClosed => conflict("site-closed"),
            Refusal::TooManyPosts => conflict("too-many-posts"),
            Refusal::PlanTooLarge => conflict("plan-too-large")
                .detail("Make one plan for each category, or for a smaller area."),
            Refusal::PlanUnderWay => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "plan-under-way",
                &sentence(refusal),
            )
            .detail("Plans are made one at a time. Try again in a moment.")
            .retry_after(10),
            Refusal::PlanTooOld => {
                conflict("plan-too-old").detail("Too much has changed since. Make a new one.")
            }
            Refusal::ArrivalOutside => Self::invalid(vec![FieldError {
                pointer: "/arrival_at".to_owned(),
                detail: "must lie within the time of the need, and not in the past".to_owned(),
            }]),
            Refusal::HasItsAct(kind) => conflict("has-its-act").detail(act_of(kind)),
            Refusal::NobodyThere => Self::invalid(vec![FieldError {
                pointer: "/to".to_owned(),
                detail: "must be the id of somebody who coordinates".to_owned(),
            }]),
            Refusal::ImportUnderWay => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "import-under-way",
                &sentence(refusal),
            )
            .detail("Files are imported one at a time. Try again when it is done.")
            .retry_after(30),
            Refusal::TooManyExports => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-exports",
                &sentence(refusal),
            )
            .retry_after(3600),
            Refusal::TooManyWebhooks => conflict("too-many-webhooks")
                .detail("Remove one that nobody needs. The setting is webhooks.max."),
            Refusal::TooManyReveals(wait_s) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-reveals",
                &sentence(refusal),
            )
            .retry_after(wait_s),
            Refusal::TooManySearches(wait_s) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-searches",
                &sentence(refusal),
            )
            .retry_after(wait_s),
        }
    }
}

/// Which call does what a task of that kind asks for; the task's `act` names it with its id.
fn act_of(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Review => "POST /v1/matches/{id}/approve or POST /v1/matches/{id}/veto.",
        TaskKind::Ask => "POST /v1/matches/{id}/agree or POST /v1/matches/{id}/refuse.",
        TaskKind::SiteCheck => "POST /v1/offers/{id}/list.",
        TaskKind::Report => "POST /v1/reports/{id}/close.",
        TaskKind::DeadLetter => "POST /v1/letters/{id}/retry.",
        TaskKind::Call
        | TaskKind::Tell
        | TaskKind::Look
        | TaskKind::FollowUp
        | TaskKind::Dispute
        | TaskKind::VolunteerCheck => "POST /v1/tasks/{id}/done.",
    }
}

/// The refusal as a sentence that begins with a capital letter.
fn sentence(refusal: Refusal) -> String {
    let text = refusal.to_string();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
