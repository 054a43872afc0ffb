//! Sheds load. While many calls wait for the database, some are refused at once with 503 and a time after which to
//! come again, so that the others are answered in time and nothing that waits grows without a bound.
//!
//! The less is lost by coming again later, the sooner a call is refused: what anybody may look at first, then new
//! offers, then new requests and what neighbors and volunteers look at of their own. Answers (confirming, accepting,
//! agreeing, taking back), coordinators' calls, and the pages that lead to them are refused only when `server.waiting_calls`
//! wait already: somebody stands behind each of them, and is waited for.
//!
//! What counts is the queue and not the calls being read: a client that sends its body a byte a second takes nobody's
//! place.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::auth::bearer;
use super::problem::Problem;
use super::turned_away::turned_away;
use crate::actions::Ctx;
use crate::crypto::token::Purpose;
use crate::domain::clock::Ts;
use crate::telemetry::metrics::SHED;

/// How often a flood is told of in the log.
const TELL_EVERY: Duration = Duration::from_mins(1);
/// Whoever is refused comes again after so many seconds at the least,
const SOONEST_S: u8 = 2;
/// and up to so many more, by chance: not all at the same time.
const SPREAD_S: u8 = 8;

/// What calls are for, from those that are refused first to those that are refused last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rank {
    Reads,
    Offers,
    Requests,
    Answers,
}

impl Rank {
    fn of(request: &HttpRequest) -> Self {
        // As the routes see it, whatever of it was written in percents.
        let path = request.match_info().as_str();
        let is_read = matches!(
            *request.method(),
            Method::GET | Method::HEAD | Method::OPTIONS
        );
        // Whatever token comes along: anybody can make one up, and nobody needs one there.
        if matches!(
            path,
            "/v1/sites" | "/v1/needs" | "/v1/categories" | "/sites"
        ) {
            return Self::Reads;
        }
        let token = bearer(request).ok();
        match token.map(|token| token.purpose()) {
            Some(Purpose::Coordinator | Purpose::Answer) => Self::Answers,
            _ if path.starts_with("/offer") => Self::Offers,
            _ if path.starts_with("/need") => Self::Requests,
            Some(_) if is_read => Self::Requests,
            None if is_read && path.starts_with("/v1/") => Self::Reads,
            _ if is_read => Self::Answers,
            _ => match path {
                "/v1/offers" | "/v1/volunteers/self/offers" => Self::Offers,
                "/v1/requests" | "/v1/neighbors/self/requests" => Self::Requests,
                _ => Self::Answers,
            },
        }
    }

    /// How many quarters of the queue may be taken when one more comes.
    const fn quarters(self) -> usize {
        match self {
            Self::Reads => 1,
            Self::Offers => 2,
            Self::Requests => 3,
            Self::Answers => 4,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Offers => "offers",
            Self::Requests => "requests",
            Self::Answers => "answers",
        }
    }
}

/// When this process has told last that it refuses calls, in microseconds.
#[derive(Debug, Default)]
pub struct Told(AtomicI64);

impl Told {
    /// A line now and then, and not one for each call.
    fn tell(&self, now: Ts, waiting: usize) {
        let last = self.0.load(Ordering::Relaxed);
        let at = Ts::from_micros(last);
        let is_due = now.since(at) >= TELL_EVERY || now < at;
        let (new, relaxed) = (now.as_micros(), Ordering::Relaxed);
        // One of the threads does it.
        if is_due && self.0.compare_exchange(last, new, relaxed, relaxed).is_ok() {
            tracing::warn!(waiting, "more comes than can be done; calls are refused");
        }
    }
}

/// Refuses a call if more wait for the database than one of its rank may find.
///
/// # Errors
/// Those of the handler, or that it is refused.
pub async fn shed(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match refusal(request.request()) {
        None => next.call(request).await,
        Some(problem) => Err(turned_away(request.request(), problem)),
    }
}

/// What a call is told that must come again later. Asked once more when a body has arrived: who sends one slowly has
/// waited for nobody yet.
pub(super) fn refusal(request: &HttpRequest) -> Option<Problem> {
    let ctx = request.app_data::<Data<Ctx>>()?;
    let waiting = ctx.db.waiting_calls();
    let most = usize::try_from(ctx.settings.server.waiting_calls).unwrap_or(usize::MAX);
    // Nearly always nobody needs to know the rank.
    if waiting < most / 4 {
        return None;
    }
    let rank = Rank::of(request);
    if waiting < most / 4 * rank.quarters() {
        return None;
    }
    metrics::counter!(SHED, "rank" => rank.name()).increment(1);
    if let Some(told) = request.app_data::<Data<Told>>() {
        told.tell(ctx.now(), waiting);
    }
    let [chance] = ctx.entropy.bytes();
    Some(too_busy(u32::from(SOONEST_S + chance % SPREAD_S)))
}

fn too_busy(wait_s: u32) -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "too-busy",
        "More comes than can be done right now",
    )
    .detail("Nothing was changed. Try again after the seconds in Retry-After.")
    .retry_after(wait_s)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::crypto::token::Token;
    use crate::domain::entropy::SeededEntropy;

    /// Every kind of call, by how soon it is refused.
    #[test]
    fn who_is_waited_for_is_refused_last() {
        let rank = |method: Method, path: &str, holds: Option<Purpose>| {
            let mut request = TestRequest::with_uri(path).method(method);
            if let Some(purpose) = holds {
                let token = Token::mint(purpose, &SeededEntropy::new(1));
                let bearer = format!("Bearer {}", token.expose());
                request = request.insert_header(("Authorization", bearer));
            }
            let request = request.to_srv_request();
            Rank::of(request.request())
        };
        let (neighbor, volunteer) = (Some(Purpose::Neighbor), Some(Purpose::Volunteer));
        let (answer, desk) = (Some(Purpose::Answer), Some(Purpose::Coordinator));
        let get = Method::GET;
        for path in [
            "/v1/sites?category=food",
            "/v1/needs",
            "/v1/categories",
            "/sites",
        ] {
            assert_eq!(rank(get.clone(), path, None), Rank::Reads, "{path}");
            assert_eq!(rank(Method::HEAD, path, None), Rank::Reads, "{path}");
            // A token that is made up helps nobody.
            assert_eq!(rank(get.clone(), path, desk), Rank::Reads, "{path}");
        }
        for (path, holds) in [
            ("/v1/offers", None),
            ("/offer", None),
            ("/v1/%6fffers", None),
            ("/v1/volunteers/self/offers", volunteer),
        ] {
            assert_eq!(rank(Method::POST, path, holds), Rank::Offers, "{path}");
        }
        for (method, path, holds) in [
            (Method::POST, "/v1/requests", None),
            (Method::POST, "/need", None),
            (get.clone(), "/need/food", None),
            (Method::POST, "/v1/%72equests", None),
            (Method::POST, "/v1/neighbors/self/requests", neighbor),
            (get.clone(), "/v1/neighbors/self", neighbor),
            (get.clone(), "/v1/volunteers/self/matches", volunteer),
        ] {
            assert_eq!(rank(method, path, holds), Rank::Requests, "{path}");
        }
        for (method, path, holds) in [
            (Method::POST, "/v1/confirm", Some(Purpose::Confirm)),
            (Method::POST, "/v1/matches/self/accept", answer),
            (get.clone(), "/v1/matches/self", answer),
            (Method::POST, "/v1/requests/1/matches/2/agree", neighbor),
            (Method::POST, "/v1/requests/1/close", neighbor),
            (Method::DELETE, "/v1/neighbors/self", neighbor),
            (Method::POST, "/v1/unsubscribe/mhu", None),
            (Method::POST, "/answer", None),
            (get.clone(), "/answer", None),
            (get.clone(), "/v1/tasks", desk),
            (Method::POST, "/v1/requests", desk),
        ] {
            assert_eq!(rank(method, path, holds), Rank::Answers, "{path}");
        }
    }
}
