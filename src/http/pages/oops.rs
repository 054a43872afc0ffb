//! What goes wrong, as a page: kind, short, with the right status, and a way on.

use std::fmt;

use actix_web::error::UrlencodedError;
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use askama::Template;

use super::Notice;
use crate::actions::Refusal;
use crate::http::limits::TooOften;
use crate::http::problem::Problem;
use crate::storage::{StorageError, TxError};

/// An error as a person is told it.
#[derive(Debug)]
pub struct Oops {
    status: StatusCode,
    title: &'static str,
    text: &'static str,
    /// Whether another code may help.
    asks_code: bool,
    /// Seconds after which to try again.
    retry_after_s: Option<u32>,
}

#[derive(Template)]
#[template(path = "oops.html")]
struct OopsPage<'a> {
    oops: &'a Oops,
}

impl Oops {
    /// The one answer for a code that is unknown, expired, replaced, or of another page.
    #[must_use]
    pub fn not_found() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            title: "This code opens nothing",
            text: "It may be mistyped, too old, or replaced by a newer one. \
                   Please use the link in the newest e-mail, or enter the code once more.",
            asks_code: true,
            retry_after_s: None,
        }
    }

    /// An address that leads nowhere.
    pub(super) fn no_page() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            title: "There is no such page",
            text: "Please begin at the front page.",
            asks_code: false,
            retry_after_s: None,
        }
    }

    /// Our fault; the cause is in the log, not here.
    #[must_use]
    pub fn internal() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            title: "Something is wrong on our side",
            text: "Please try again later. We are sorry.",
            asks_code: false,
            retry_after_s: None,
        }
    }

    fn unavailable() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "We cannot do this right now",
            text: "Please go back and try again in a moment.",
            asks_code: false,
            retry_after_s: Some(5),
        }
    }
}

impl fmt::Display for Oops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.title)
    }
}

impl ResponseError for Oops {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.content_type(ContentType::html());
        if let Some(seconds) = self.retry_after_s {
            response.insert_header((RETRY_AFTER, seconds));
        }
        response.body(OopsPage { oops: self }.render().unwrap_or_default())
    }
}

impl From<UrlencodedError> for Oops {
    fn from(error: UrlencodedError) -> Self {
        let too_large = matches!(error, UrlencodedError::Overflow { .. });
        Self {
            status: if too_large {
                StatusCode::PAYLOAD_TOO_LARGE
            } else {
                StatusCode::BAD_REQUEST
            },
            title: "We could not read that",
            text: "What was sent is not a form of this page. Nothing was changed. Please open the page again.",
            asks_code: false,
            retry_after_s: None,
        }
    }
}

impl From<StorageError> for Oops {
    fn from(error: StorageError) -> Self {
        // By way of the problem, which logs the cause once.
        Problem::from(error).into()
    }
}

impl From<TooOften> for Oops {
    fn from(TooOften { wait_s }: TooOften) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            title: "Too much came at once",
            text: "Many people may share your way to us, or the contact that you gave. \
                   Nothing was changed. Please go back, wait a little, and try again.",
            asks_code: false,
            retry_after_s: Some(wait_s),
        }
    }
}

impl From<Problem> for Oops {
    fn from(problem: Problem) -> Self {
        match StatusCode::from_u16(problem.status) {
            Ok(StatusCode::NOT_FOUND) => Self::not_found(),
            Ok(StatusCode::SERVICE_UNAVAILABLE) => Self::unavailable(),
            _ => Self::internal(),
        }
    }
}

impl From<TxError<Refusal>> for Oops {
    fn from(error: TxError<Refusal>) -> Self {
        match error {
            TxError::Refused(Refusal::NotFound) => Self::not_found(),
            TxError::Refused(refusal) => Self {
                status: Problem::from(refusal).status_code(),
                title: "That did not work",
                text: told(refusal),
                asks_code: false,
                retry_after_s: None,
            },
            TxError::Storage(error) => error.into(),
        }
    }
}

impl Notice {
    /// What became of a choice: `done`, or why not, to be told above the page as it stands now.
    ///
    /// # Errors
    /// Where there is no page any more to tell it on.
    pub(super) fn after(
        result: Result<(), TxError<Refusal>>,
        done: &'static str,
    ) -> Result<Self, Oops> {
        match result {
            Ok(()) => Ok(Self::good(done)),
            Err(TxError::Refused(refusal)) if refusal != Refusal::NotFound => Ok(Self {
                status: Problem::from(refusal).status_code(),
                text: told(refusal).into(),
            }),
            Err(error) => Err(error.into()),
        }
    }
}

/// The refusal in kind words.
fn told(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::AlreadyCovered => {
            "Somebody else was a little quicker, and the help is covered. \
             You need to do nothing. Thank you for being there!"
        }
        Refusal::NoCapacity => {
            "Your offer does not have enough left for that time, so nothing was promised."
        }
        Refusal::TooManyOpen => {
            "You have promised as much help at a time as one person should. \
             Please say first how one of your other promises went, or give one back."
        }
        Refusal::NotVetted => {
            "This kind of help needs a volunteer whom a coordinator has met. \
             Please ask your group how to become one."
        }
        Refusal::ChangedMeanwhile => {
            "Somebody changed this in the meantime. This is how it stands now; please choose again."
        }
        Refusal::AreaFrozen => {
            "Coordinators have stopped all help in that area for now, for everybody's safety. \
             Nothing was changed. Please do not go there."
        }
        Refusal::NotListed => {
            "That place is not on the public list yet: a coordinator checks it first. Nothing was changed."
        }
        Refusal::SiteClosed => {
            "That place is closed now, by the hours you gave. Nothing was changed."
        }
        Refusal::ArrivalOutside => {
            "Please give a time at which the help is needed, and that has not gone by. Nothing was changed."
        }
        Refusal::NotPossible | Refusal::NotFound | Refusal::Gone => {
            "That is not possible any more. This is how it stands now."
        }
        Refusal::HasAcceptedMatch
        | Refusal::DoesNotFit
        | Refusal::PairTaken
        | Refusal::CallFirst
        | Refusal::NoSite
        | Refusal::KeyReused
        | Refusal::TooManyPosts
        | Refusal::PlanTooLarge
        | Refusal::PlanUnderWay
        | Refusal::PlanTooOld
        | Refusal::ImportUnderWay
        | Refusal::TooManyExports
        | Refusal::HasItsAct(_)
        | Refusal::NobodyThere
        | Refusal::MoreTaken(_)
        | Refusal::TooManyReveals(_)
        | Refusal::TooManySearches(_)
        | Refusal::TooManyWebhooks => "That is not possible as it stands now.",
    }
}
