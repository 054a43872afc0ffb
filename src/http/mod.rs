//! The REST API and the pages behind the links.
//!
//! A handler takes extractors that have authenticated the caller, parses the body into domain values,
//! runs one action, and shows a view. It decides nothing itself, and reads storage only to show it.
//! To add a call: a handler in the file of its resource, a line in [`routes`], a line in `openapi`.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError, web};

use self::coordinator::events::Streams;
use self::limits::Limits;
use self::problem::Problem;
use crate::actions::Ctx;
use crate::bodies;
use crate::settings::server::ServerSettings;

pub mod admin;
mod answers;
pub(crate) mod auth;
mod body;
mod categories;
mod coordinator;
pub mod deadline;
mod desk;
mod docs;
pub(crate) mod fields;
mod filters;
pub mod guard;
pub mod head;
pub mod headers;
mod idempotency;
pub mod limits;
pub mod locked;
pub(crate) mod merge;
mod needs;
mod neighbors;
mod objects;
pub mod observe;
mod occupancy;
pub(crate) mod offers;
pub mod openapi;
mod pages;
mod paging;
mod part;
pub mod problem;
mod reopen;
pub(crate) mod requests;
pub mod shed;
pub(crate) mod sites;
pub mod source;
mod turned_away;
mod unsubscribe;
mod views;
mod volunteers;

/// The media type of a stream of server-sent events.
pub const EVENT_STREAM: &str = "text/event-stream";
/// Whoever takes nothing of an answer that is written while it is taken for so long is gone.
const PATIENCE: Duration = Duration::from_secs(30);
/// The media type of an export, which is written while it is taken.
pub const SHEET: &str = "text/csv; charset=utf-8";

/// A response that everybody may see and caches may keep for a minute.
fn public(mut response: HttpResponseBuilder) -> HttpResponseBuilder {
    response.insert_header(("Cache-Control", "public, max-age=60"));
    response
}

/// Every route of the public listener. Shared by the server and the tests.
pub fn routes(ctx: Ctx) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    let limits = web::Data::new(Limits::new(&ctx));
    let data = web::Data::new(ctx);
    let counts = web::Data::new(needs::Snapshot::default());
    let streams = web::Data::new(Streams::default());
    let told = web::Data::new(shed::Told::default());
    move |cfg| {
        let limit = data.settings.server.body_limit_bytes;
        cfg.app_data(data.clone())
            .app_data(limits.clone())
            .app_data(counts.clone())
            .app_data(streams.clone())
            .app_data(told.clone())
            .app_data(web::PayloadConfig::new(
                usize::try_from(limit).unwrap_or(usize::MAX),
            ))
            .app_data(web::PathConfig::default().error_handler(|_, _| Problem::not_found().into()))
            .app_data(
                web::QueryConfig::default().error_handler(|error, _| query_problem(&error).into()),
            )
            .configure(anyone)
            .configure(neighbor)
            .configure(volunteer)
            .configure(answer)
            .configure(pages::routes)
            .configure(coordinator)
            .configure(|cfg| office(cfg, &data.settings.server))
            .configure(administrator)
            .configure(documents)
            .default_service(web::to(|| async { Problem::not_found().error_response() }));
    }
}

/// A query parameter that cannot be read. What was sent is not repeated.
fn query_problem(error: &actix_web::error::QueryPayloadError) -> Problem {
    let text = error.to_string();
    let expected = text
        .rsplit_once("expected ")
        .map(|(_, expected)| expected.replace('`', ""));
    let problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "query",
        "A query parameter cannot be read",
    );
    match expected {
        Some(expected) if text.contains("unknown field") => problem.detail(format!(
            "Allowed are {}.",
            expected.trim_start_matches("one of ")
        )),
        _ => problem,
    }
}

/// A resource that answers other methods with 405, as a problem.
fn at(path: &str) -> actix_web::Resource {
    web::resource(path.to_owned()).default_service(web::to(other_method))
}

/// RFC 9110, section 15.5.6: the answer names the methods that there are. The document knows them.
async fn other_method(request: HttpRequest) -> HttpResponse {
    let mut response = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method",
        "This address does not take that method",
    )
    .error_response();
    let mut allowed = openapi::methods_at(&request.match_pattern().unwrap_or_default());
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    if let Ok(allowed) = HeaderValue::try_from(allowed.join(", ")) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

fn anyone(cfg: &mut web::ServiceConfig) {
    cfg.service(at("/v1/categories").route(web::get().to(categories::list)))
        .service(at("/v1/sites").route(web::get().to(sites::list)))
        .service(at("/v1/needs").route(web::get().to(needs::list)))
        .service(at("/v1/confirm").route(web::post().to(offers::confirm)))
        .service(
            at("/v1/unsubscribe/{token}")
                .route(web::get().to(unsubscribe::get))
                .route(web::post().to(unsubscribe::post)),
        );
}

fn neighbor(cfg: &mut web::ServiceConfig) {
    cfg.service(
        at("/v1/neighbors/self")
            .route(web::get().to(neighbors::get))
            .route(web::patch().to(neighbors::patch))
            .route(web::delete().to(neighbors::delete)),
    )
    .service(at("/v1/neighbors/self/requests").route(web::post().to(neighbors::add)))
    .service(at("/v1/neighbors/self/hide").route(web::post().to(neighbors::hide)))
    .service(at("/v1/neighbors/self/show").route(web::post().to(neighbors::show)))
    .service(at("/v1/neighbors/self/rotate-token").route(web::post().to(neighbors::rotate)))
    .service(
        at("/v1/requests")
            .route(web::post().to(requests::post))
            .route(web::get().to(coordinator::requests::list)),
    )
    .service(
        at("/v1/requests/{id}")
            .route(web::get().to(requests::get))
            .route(web::patch().to(requests::patch)),
    )
    .service(at("/v1/requests/{id}/close").route(web::post().to(requests::close)))
    .service(at("/v1/requests/{id}/reopen").route(web::post().to(reopen::request)))
    .service(at("/v1/requests/{id}/renew").route(web::post().to(requests::renew)))
    .service(at("/v1/requests/{id}/matches/{mid}/agree").route(web::post().to(neighbors::agree)))
    .service(at("/v1/requests/{id}/matches/{mid}/refuse").route(web::post().to(neighbors::refuse)))
    .service(at("/v1/requests/{id}/matches/{mid}/done").route(web::post().to(neighbors::done)))
    .service(
        at("/v1/requests/{id}/matches/{mid}/no-show").route(web::post().to(neighbors::no_show)),
    )
    .service(at("/v1/requests/{id}/matches/{mid}/report").route(web::post().to(neighbors::report)));
}

fn volunteer(cfg: &mut web::ServiceConfig) {
    cfg.service(
        at("/v1/volunteers/self")
            .route(web::get().to(volunteers::get))
            .route(web::patch().to(volunteers::patch))
            .route(web::delete().to(volunteers::delete)),
    )
    .service(at("/v1/volunteers/self/offers").route(web::post().to(volunteers::add)))
    .service(at("/v1/volunteers/self/pause").route(web::post().to(volunteers::pause)))
    .service(at("/v1/volunteers/self/resume").route(web::post().to(volunteers::resume)))
    .service(at("/v1/volunteers/self/rotate-token").route(web::post().to(volunteers::rotate)))
    .service(at("/v1/volunteers/self/matches").route(web::get().to(volunteers::matches)))
    .service(
        at("/v1/offers")
            .route(web::post().to(offers::post))
            .route(web::get().to(coordinator::offers::list)),
    )
    .service(
        at("/v1/offers/{id}")
            .route(web::get().to(offers::get))
            .route(web::patch().to(offers::patch)),
    )
    .service(at("/v1/offers/{id}/pause").route(web::post().to(offers::pause)))
    .service(at("/v1/offers/{id}/resume").route(web::post().to(offers::resume)))
    .service(at("/v1/offers/{id}/close").route(web::post().to(offers::close)))
    .service(at("/v1/offers/{id}/reopen").route(web::post().to(reopen::offer)))
    .service(at("/v1/offers/{id}/renew").route(web::post().to(offers::renew)))
    .service(
        at("/v1/offers/{id}/occupancy")
            .route(web::post().to(occupancy::post))
            .route(web::delete().to(occupancy::delete)),
    );
}

fn answer(cfg: &mut web::ServiceConfig) {
    cfg.service(at("/v1/matches/self").route(web::get().to(answers::get)))
        .service(at("/v1/matches/self/accept").route(web::post().to(answers::accept)))
        .service(at("/v1/matches/self/decline").route(web::post().to(answers::decline)))
        .service(at("/v1/matches/self/release").route(web::post().to(answers::release)))
        .service(at("/v1/matches/self/done").route(web::post().to(answers::done)))
        .service(at("/v1/matches/self/no-show").route(web::post().to(answers::no_show)))
        .service(at("/v1/matches/self/report").route(web::post().to(answers::report)));
}

/// Comes after the others: `{id}` would take `self` too.
fn coordinator(cfg: &mut web::ServiceConfig) {
    use self::coordinator::{
        answers, intake, matches, neighbors, offers, people, reports, requests, reveals, volunteers,
    };
    cfg.service(
        at("/v1/matches")
            .route(web::get().to(matches::list))
            .route(web::post().to(matches::post)),
    )
    .service(at("/v1/matches/{id}").route(web::get().to(matches::get)))
    .service(at("/v1/matches/{id}/approve").route(web::post().to(matches::approve)))
    .service(at("/v1/matches/{id}/veto").route(web::post().to(matches::veto)))
    .service(at("/v1/matches/{id}/accept").route(web::post().to(answers::accept)))
    .service(at("/v1/matches/{id}/decline").route(web::post().to(answers::decline)))
    .service(at("/v1/matches/{id}/release").route(web::post().to(answers::release)))
    .service(at("/v1/matches/{id}/agree").route(web::post().to(answers::agree)))
    .service(at("/v1/matches/{id}/refuse").route(web::post().to(answers::refuse)))
    .service(at("/v1/matches/{id}/done").route(web::post().to(answers::done)))
    .service(at("/v1/matches/{id}/no-show").route(web::post().to(answers::no_show)))
    .service(at("/v1/matches/{id}/unveto").route(web::post().to(matches::unveto)))
    .service(at("/v1/matches/{id}/unpart").route(web::post().to(matches::unpart)))
    .service(at("/v1/matches/{id}/undo-done").route(web::post().to(matches::undo_done)))
    .service(at("/v1/matches/{id}/undo-no-show").route(web::post().to(matches::undo_no_show)))
    .service(at("/v1/matches/{id}/reassign").route(web::post().to(matches::reassign)))
    .service(at("/v1/matches/{id}/report").route(web::post().to(reports::post)))
    .service(at("/v1/reports").route(web::get().to(reports::list)))
    .service(at("/v1/reports/{id}").route(web::get().to(reports::get)))
    .service(at("/v1/reports/{id}/reveal").route(web::post().to(reveals::report)))
    .service(at("/v1/reports/{id}/close").route(web::post().to(reports::close)))
    .service(at("/v1/requests/{id}/hold").route(web::post().to(requests::hold)))
    .service(at("/v1/requests/{id}/unhold").route(web::post().to(requests::unhold)))
    .service(at("/v1/requests/{id}/merge").route(web::post().to(requests::merge)))
    .service(at("/v1/requests/{id}/distinct").route(web::post().to(requests::distinct)))
    .service(at("/v1/requests/{id}/distinct/{other}").route(web::delete().to(requests::indistinct)))
    .service(at("/v1/requests/{id}/hand-over").route(web::post().to(requests::hand_over)))
    .service(at("/v1/requests/{id}/why").route(web::get().to(requests::why)))
    .service(at("/v1/requests/{id}/reveal").route(web::post().to(reveals::request)))
    .service(at("/v1/people/find").route(web::post().to(people::find)))
    .service(at("/v1/neighbors/{id}/requests").route(web::post().to(intake::add)))
    .service(at("/v1/neighbors/{id}/verify").route(web::post().to(intake::verify)))
    .service(at("/v1/neighbors/{id}/unverify").route(web::post().to(intake::unverify)))
    .service(at("/v1/neighbors/{id}/rotate-token").route(web::post().to(intake::rotate_neighbors)))
    .service(at("/v1/volunteers/{id}/offers").route(web::post().to(intake::offer)))
    .service(at("/v1/volunteers/{id}/pause").route(web::post().to(intake::pause)))
    .service(at("/v1/volunteers/{id}/resume").route(web::post().to(intake::resume)))
    .service(
        at("/v1/volunteers/{id}/rotate-token").route(web::post().to(intake::rotate_volunteers)),
    )
    .service(at("/v1/offers/{id}/list").route(web::post().to(offers::list_site)))
    .service(at("/v1/offers/{id}/unlist").route(web::post().to(offers::unlist_site)))
    .service(at("/v1/offers/{id}/reveal").route(web::post().to(reveals::offer)))
    .service(at("/v1/volunteers").route(web::get().to(volunteers::list)))
    .service(at("/v1/neighbors").route(web::get().to(neighbors::list)))
    .service(
        at("/v1/neighbors/{id}")
            .route(web::get().to(neighbors::get))
            .route(web::patch().to(neighbors::patch))
            .route(web::delete().to(neighbors::delete)),
    )
    .service(at("/v1/neighbors/{id}/hide").route(web::post().to(neighbors::hide)))
    .service(at("/v1/neighbors/{id}/show").route(web::post().to(neighbors::show)))
    .service(at("/v1/neighbors/{id}/block").route(web::post().to(neighbors::block)))
    .service(at("/v1/neighbors/{id}/unblock").route(web::post().to(neighbors::unblock)))
    .service(
        at("/v1/volunteers/{id}")
            .route(web::get().to(volunteers::get))
            .route(web::patch().to(volunteers::patch))
            .route(web::delete().to(volunteers::delete)),
    )
    .service(at("/v1/volunteers/{id}/vet").route(web::post().to(volunteers::vet)))
    .service(at("/v1/volunteers/{id}/unvet").route(web::post().to(volunteers::unvet)))
    .service(at("/v1/volunteers/{id}/block").route(web::post().to(volunteers::block)))
    .service(at("/v1/volunteers/{id}/unblock").route(web::post().to(volunteers::unblock)))
    .service(at("/v1/volunteers/{id}/reveal").route(web::post().to(reveals::volunteer)));
}

/// What coordinators do for all posts at once.
fn office(cfg: &mut web::ServiceConfig, settings: &ServerSettings) {
    use self::coordinator::{
        areas, audit, colleagues, events, exports, imports, letters, plans, stats, tasks, wipe,
    };
    let largest_import = usize::try_from(settings.import_limit_bytes).unwrap_or(usize::MAX);
    cfg.service(
        at("/v1/areas")
            .route(web::get().to(areas::list))
            .route(web::post().to(areas::post)),
    )
    .service(
        at("/v1/plans")
            .route(web::get().to(plans::list))
            .route(web::post().to(plans::post)),
    )
    .service(at("/v1/plans/{id}").route(web::get().to(plans::get)))
    .service(at("/v1/plans/{id}/pairs").route(web::get().to(plans::pairs)))
    .service(at("/v1/plans/{id}/apply").route(web::post().to(plans::apply)))
    .service(
        at("/v1/imports")
            .app_data(web::PayloadConfig::new(largest_import))
            .route(web::get().to(imports::list))
            .route(web::post().to(imports::post)),
    )
    .service(at("/v1/imports/{id}").route(web::get().to(imports::get)))
    .service(at("/v1/imports/{id}/undo").route(web::post().to(imports::undo)))
    .service(at("/v1/imports/{id}/rows").route(web::get().to(imports::rows)))
    .service(
        at("/v1/exports/{what}")
            .route(web::get().to(exports::get))
            .route(web::post().to(exports::post)),
    )
    .service(at("/v1/areas/{id}/lift").route(web::post().to(areas::lift)))
    .service(at("/v1/coordinators").route(web::get().to(colleagues::list)))
    .service(at("/v1/coordinators/self").route(web::get().to(colleagues::own)))
    .service(at("/v1/tasks").route(web::get().to(tasks::list)))
    .service(at("/v1/tasks/counts").route(web::get().to(tasks::counts)))
    .service(
        at("/v1/tasks/{id}")
            .route(web::get().to(tasks::get))
            .route(web::patch().to(tasks::patch)),
    )
    .service(at("/v1/tasks/{id}/claim").route(web::post().to(tasks::claim)))
    .service(at("/v1/tasks/{id}/unclaim").route(web::post().to(tasks::unclaim)))
    .service(at("/v1/tasks/{id}/assign").route(web::post().to(tasks::assign)))
    .service(at("/v1/tasks/{id}/done").route(web::post().to(tasks::done)))
    .service(at("/v1/tasks/{id}/reopen").route(web::post().to(tasks::reopen)))
    .service(at("/v1/letters").route(web::get().to(letters::list)))
    .service(at("/v1/letters/{id}").route(web::get().to(letters::get)))
    .service(at("/v1/letters/{id}/retry").route(web::post().to(letters::retry)))
    .service(at("/v1/wipe-closed").route(web::post().to(wipe::post)))
    .service(at("/v1/stats").route(web::get().to(stats::get)))
    .service(at("/v1/events").route(web::get().to(events::stream)))
    .service(at("/v1/audit").route(web::get().to(audit::list)));
}

/// What changes, told to other programs.
fn administrator(cfg: &mut web::ServiceConfig) {
    use self::coordinator::webhooks;
    cfg.service(
        at("/v1/webhooks")
            .route(web::get().to(webhooks::list))
            .route(web::post().to(webhooks::post)),
    )
    .service(
        at("/v1/webhooks/{id}")
            .route(web::get().to(webhooks::get))
            .route(web::patch().to(webhooks::patch))
            .route(web::delete().to(webhooks::delete)),
    )
    .service(at("/v1/webhooks/{id}/rotate-secret").route(web::post().to(webhooks::rotate)))
    .service(at("/v1/webhooks/{id}/test").route(web::post().to(webhooks::test)));
}

fn documents(cfg: &mut web::ServiceConfig) {
    cfg.service(at("/openapi.json").route(web::get().to(docs::json)))
        .service(at("/docs").route(web::get().to(docs::redirect)))
        .service(at("/docs/{file:.*}").route(web::get().to(docs::reader)));
}

#[cfg(test)]
mod tests;
