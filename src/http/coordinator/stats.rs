//! `GET /v1/stats`: how the work goes, in counts and times, by category and area.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::actions::Ctx;
use crate::actions::read_stats::{Of, StatsView, Tallies};
use crate::domain::lifecycle::CloseReason;
use crate::domain::part::Part;
use crate::http::auth::AsCoordinator;
use crate::http::fields::FieldErrors;
use crate::http::openapi::Problems;
use crate::http::part::Within;
use crate::http::problem::Problem;
use crate::storage::{Conn, StorageError, activity};

/// Days that are looked back at the most: longer than closed requests are kept.
const LONGEST: i64 = 90;
/// By how many sizes areas are coarser than the cells of posts.
const COARSER: u8 = 2;
const DAY: Duration = Duration::from_hours(24);

/// Of which days, and of what.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatsQuery {
    days: Option<String>,
    category: Option<String>,
    area: Option<String>,
}

/// How the work goes: for each category and in total.
///
/// What is counted happened in the last `days` times 24 hours, and is known of what is kept: a request is
/// forgotten some time after it was closed (30 days by default). **Percentiles** are by nearest rank: the
/// smallest value that at least so many percent of the values do not exceed; null where there are none.
/// **`gini`** is the Gini coefficient (C. Gini, *Variabilità e mutabilità*, 1912) of asks over the volunteers
/// who could be asked: `2 Σ i·x_i / (n Σ x_i) − (n + 1) / n` with each one's asks `x_1 <= … <= x_n`. 0: all
/// are asked alike; near 1: a few carry everything. Who could be asked and never was counts as 0; who can be
/// asked now, or was asked in these days, could be asked. In an area are the requests and asks of its requests, and
/// who could be asked for an offer that stands there.
#[utoipa::path(get, path = "/v1/stats", tag = "coordinator",
    params(
        ("days" = Option<i64>, Query, description = "The last so many days, 1 to 90; 7 if left out", minimum = 1, maximum = 90, example = 7),
        ("category" = Option<String>, Query, description = "Only of this category", example = "food"),
        ("area" = Option<String>, Query, description = "Only within this H3 cell, of any resolution", example = "862649b2fffffff")),
    responses((status = 200, description = "The counts", body = StatsView), Problems), security(("coordinator" = [])))]
pub async fn get(
    ctx: web::Data<Ctx>,
    _: AsCoordinator,
    within: Within,
    query: web::Query<StatsQuery>,
) -> Result<HttpResponse, Problem> {
    let mut errors = FieldErrors::default();
    let days = errors.optional("days", query.days.as_ref(), |text| {
        let days = text
            .parse::<i64>()
            .ok()
            .filter(|n| (1..=LONGEST).contains(n));
        days.ok_or_else(|| format!("must be a whole number from 1 to {LONGEST}"))
    });
    let category = errors.optional("category", query.category.as_ref(), |text| {
        let known = ctx.catalog.get(text).map(|c| c.key.clone());
        known.ok_or_else(|| format!("must be one of {}", ctx.catalog.keys()))
    });
    let area = errors.optional("area", query.area.as_ref(), |text| text.parse());
    errors.finish(Some(()))?;
    let days = u32::try_from(days.unwrap_or(7)).unwrap_or(7);
    let now = ctx.now();
    let of = Of {
        days,
        from: now.before(DAY * days),
        until: now,
        category,
        area,
        part: within.narrow(Part::ALL),
        fineness: ctx.settings.area.cell_resolution.coarser(COARSER),
    };
    let tallies = ctx.db.read(move |conn| read(conn, of)).await?;
    Ok(HttpResponse::Ok().json(tallies.view()))
}

fn read(conn: &mut Conn, of: Of) -> Result<Tallies, StorageError> {
    let (since, now) = (of.from, of.until);
    let mut all = Tallies::new(of);
    for (category, cell, count) in activity::posted(conn, since)? {
        all.each(&category, cell, |t| t.posted += count);
    }
    for reason in CloseReason::ALL {
        for (category, cell, count) in activity::closed(conn, *reason, since)? {
            all.each(&category, cell, |t| {
                *t.closed.entry(*reason).or_default() += count;
            });
        }
    }
    let open = activity::open(conn, now)?;
    all.saw(open.len());
    for request in open {
        all.each(&request.category, request.cell, |t| {
            t.open.push(now.since(request.created_at));
            t.waiting += usize::from(request.covered == 0);
        });
    }
    let covered = activity::covered(conn, since)?;
    all.saw(covered.len());
    for (category, cell, posted, at) in covered {
        all.each(&category, cell, |t| t.waits.push(at.since(posted)));
    }
    let asks = activity::asks(conn, since)?;
    all.saw(asks.len());
    for ask in asks {
        all.ask(&ask);
    }
    let askable = activity::askable(conn, now)?;
    all.saw(askable.len());
    for (category, cell, volunteer) in askable {
        all.each(&category, cell, |t| {
            t.asked.entry(volunteer).or_default();
        });
    }
    Ok(all)
}
