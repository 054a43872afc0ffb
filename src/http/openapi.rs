//! The OpenAPI 3.1 document, made from the handlers and their types.
//!
//! To add a call: its handler in `paths` below. A test tells when a route is missing here, or one that
//! is here is not routed.

mod complete;
mod links;
mod patches;
mod problems;

use std::sync::LazyLock;

use utoipa::OpenApi;

use self::complete::Complete;
pub use self::problems::Problems;
use super::problem::Problem;
use super::{answers, categories, coordinator, needs, neighbors, occupancy, offers, reopen};
use super::{requests, sites, unsubscribe, volunteers};
use crate::domain::task::{TaskOrder, TaskState};
use crate::sheets::export::Exported;
use crate::storage::page::Order;

/// What is said before the calls.
const INTRODUCTION: &str = "Mutual aid: matches neighbors who need something with neighbors who can give it.

**Tokens** are sent as `Authorization: Bearer TOKEN`. Whatever a token does not open is answered as if it were not there (404).

**Problems** are `application/problem+json` (RFC 9457). `type` is `urn:manyhands:problem:` and a name that stays; `errors` has a JSON pointer for every field that is wrong, all at once.

**Lists** are `{items, next}`, newest first. `next` is the `cursor` of the next page, with the same filters.

**Bodies** are JSON in UTF-8, nested 127 levels deep at the most. Of a field that comes twice, the last one counts. HEAD is answered wherever GET is.

**Repeating** a call is safe: creating calls take an `Idempotency-Key`, and a step that was taken already is answered 200.

**Limits** are answered 429 with `Retry-After`. Calls with a working token are not limited by the address that they come from.

**Instants** are RFC 3339 in UTC, distances meters, languages BCP 47 tags, cells H3 indexes.";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Manyhands",
        description = INTRODUCTION,
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "This instance")),
    modifiers(&Complete),
    // Those that only parameters refer to are named here.
    components(schemas(Problem, Order, TaskOrder, TaskState, Exported, coordinator::exports::ExportFormat)),
    tags(
        (name = "anyone", description = "Without a token"),
        (name = "neighbor", description = "A neighbor with her manage token"),
        (name = "volunteer", description = "A volunteer with a manage token"),
        (name = "answer", description = "A volunteer with the answer token of one match"),
        (name = "coordinator", description = "A coordinator with an API token of scope `coordinator` or `admin`. Where it says so, the scope `intake` is enough: it sees what its holder has entered and the tasks given to it, and nothing else is there for it"),
    ),
    paths(
        categories::list, sites::list, needs::list, requests::post, offers::post, offers::confirm,
        unsubscribe::get, unsubscribe::post,
        neighbors::get, neighbors::patch, neighbors::delete, neighbors::add, neighbors::hide, neighbors::show,
        neighbors::rotate, requests::get, requests::patch, requests::close, reopen::request, requests::renew, neighbors::agree,
        neighbors::refuse, neighbors::done, neighbors::no_show, neighbors::report,
        volunteers::get, volunteers::patch, volunteers::delete, volunteers::add, volunteers::pause,
        volunteers::resume, volunteers::rotate, volunteers::matches, offers::get, offers::patch, offers::pause, offers::resume,
        offers::close, reopen::offer, offers::renew, occupancy::post, occupancy::delete,
        answers::get, answers::accept, answers::decline, answers::release, answers::done, answers::no_show,
        answers::report,
        coordinator::matches::list, coordinator::matches::get, coordinator::matches::post,
        coordinator::answers::accept, coordinator::answers::decline, coordinator::answers::release,
        coordinator::answers::agree, coordinator::answers::refuse, coordinator::answers::done, coordinator::answers::no_show,
        coordinator::people::find, coordinator::intake::add, coordinator::intake::verify, coordinator::intake::unverify,
        coordinator::intake::rotate_neighbors, coordinator::intake::rotate_volunteers, coordinator::intake::pause,
        coordinator::intake::resume,
        coordinator::matches::approve, coordinator::matches::veto, coordinator::matches::unveto,
        coordinator::matches::unpart, coordinator::matches::undo_done, coordinator::matches::undo_no_show,
        coordinator::matches::reassign, coordinator::reports::post,
        coordinator::reports::list, coordinator::reports::get, coordinator::reports::close, coordinator::reveals::report,
        coordinator::requests::list, coordinator::requests::hold, coordinator::requests::unhold,
        coordinator::requests::merge, coordinator::requests::distinct, coordinator::requests::indistinct,
        coordinator::requests::hand_over,
        coordinator::reveals::request, coordinator::requests::why, coordinator::stats::get,
        coordinator::offers::list, coordinator::offers::list_site, coordinator::offers::unlist_site,
        coordinator::reveals::offer,
        coordinator::neighbors::list, coordinator::neighbors::get, coordinator::neighbors::patch, coordinator::neighbors::block,
        coordinator::neighbors::unblock, coordinator::neighbors::delete, coordinator::neighbors::hide,
        coordinator::neighbors::show, coordinator::intake::offer, coordinator::volunteers::delete,
        coordinator::volunteers::patch,
        coordinator::volunteers::list, coordinator::volunteers::get, coordinator::volunteers::vet,
        coordinator::volunteers::unvet, coordinator::volunteers::block, coordinator::volunteers::unblock,
        coordinator::reveals::volunteer,
        coordinator::tasks::list, coordinator::tasks::get, coordinator::tasks::claim, coordinator::tasks::done,
        coordinator::tasks::counts, coordinator::tasks::patch, coordinator::tasks::unclaim, coordinator::tasks::assign,
        coordinator::tasks::reopen, coordinator::letters::retry,
        coordinator::colleagues::list, coordinator::colleagues::own,
        coordinator::plans::list, coordinator::plans::get, coordinator::plans::post, coordinator::plans::pairs,
        coordinator::plans::apply,
        coordinator::imports::list, coordinator::imports::get, coordinator::imports::rows, coordinator::imports::undo, coordinator::imports::post,
        coordinator::exports::get, coordinator::exports::post,
        coordinator::areas::list, coordinator::areas::post, coordinator::areas::lift,
        coordinator::events::stream, coordinator::letters::list, coordinator::letters::get, coordinator::audit::list, coordinator::wipe::post,
        coordinator::webhooks::list, coordinator::webhooks::get, coordinator::webhooks::post, coordinator::webhooks::patch,
        coordinator::webhooks::rotate, coordinator::webhooks::test, coordinator::webhooks::delete,
    )
)]
struct Document;

/// Made once; it never changes while the program runs.
static DOCUMENT: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(Document::openapi);

/// The document as JSON, for people to read.
#[must_use]
pub fn openapi_json() -> String {
    DOCUMENT.to_pretty_json().unwrap_or_default()
}

/// The methods that a path of the document takes; for any other path, only reading is sure.
#[must_use]
pub fn methods_at(path: &str) -> Vec<&'static str> {
    let Some(item) = DOCUMENT.paths.paths.get(path) else {
        return vec!["GET"];
    };
    complete::methods(item).collect()
}
