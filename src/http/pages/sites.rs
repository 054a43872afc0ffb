//! `/sites`: places open to the public, for people. The same list as `GET /v1/sites`.

use std::cmp::Reverse;

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::oops::Oops;
use super::{Page, words};
use crate::actions::Ctx;
use crate::domain::occupancy::Occupancy;
use crate::storage::sites::Host;
use crate::storage::{StorageError, sites};

/// Sites on the page at the most; all of them are in the API.
const MOST: usize = 40;

struct Row {
    title: String,
    address: String,
    kind: String,
    is_open: bool,
    walk_in: bool,
    /// How full it is, in words.
    room: Option<String>,
    hours: Option<String>,
    lat: f64,
    lon: f64,
}

#[derive(Template)]
#[template(path = "sites.html")]
struct SitesPage {
    rows: Vec<Row>,
    more: usize,
}

/// "Room for 18 people at 6:00 PM."
fn room(ctx: &Ctx, offer: &Host, counted: Occupancy) -> String {
    let zone = &ctx.settings.area.timezone;
    let at = zone.to_local(counted.counted_at).strftime("%-I:%M %p");
    match counted.free(offer.capacity) {
        0 => format!("It was full at {at}."),
        free => {
            let amount = words::amount(ctx, offer.category.as_str(), free);
            format!("Room for {amount} at {at}.")
        }
    }
}

/// The places, open ones first.
///
/// # Errors
/// A failed query.
pub async fn get(ctx: web::Data<Ctx>) -> Page {
    let listed = ctx
        .db
        .read(|conn| Ok::<_, StorageError>(sites::shown(conn, None)?))
        .await?;
    let mut rows: Vec<Row> = listed
        .into_iter()
        .map(|(site, offer)| Row {
            is_open: ctx.timetables.is_open(offer.written(), ctx.now()),
            kind: words::category(&ctx, offer.category.as_str()),
            room: site
                .occupancy(ctx.now())
                .map(|counted| room(&ctx, &offer, counted)),
            title: site.title,
            address: site.address,
            walk_in: site.walk_in,
            hours: offer.opening_hours,
            lat: site.lat,
            lon: site.lon,
        })
        .collect();
    rows.sort_by(|a, b| {
        (Reverse(a.is_open), &a.kind, &a.title).cmp(&(Reverse(b.is_open), &b.kind, &b.title))
    });
    let more = rows.len().saturating_sub(MOST);
    rows.truncate(MOST);
    let body = SitesPage { rows, more }
        .render()
        .map_err(|_| Oops::internal())?;
    Ok(crate::http::public(HttpResponse::Ok())
        .content_type(ContentType::html())
        .body(body))
}
