//! `/sites`: places open to the public, for people. The same list as `GET /v1/sites`.

use std::cmp::Reverse;

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::oops::Oops;
use super::{Page, words};
use crate::actions::Ctx;
use crate::storage::{StorageError, sites};

/// Sites on the page at the most; all of them are in the API.
const MOST: usize = 40;

struct Row {
    title: String,
    address: String,
    kind: String,
    is_open: bool,
    walk_in: bool,
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

/// The places, open ones first.
///
/// # Errors
/// A failed query.
pub async fn get(ctx: web::Data<Ctx>) -> Page {
    let listed = ctx
        .db
        .read(|conn| Ok::<_, StorageError>(sites::open(conn, None)?))
        .await?;
    let mut rows: Vec<Row> = listed
        .into_iter()
        .map(|(site, offer)| Row {
            is_open: offer.availability().is_some_and(|a| a.open_at(ctx.now())),
            kind: words::category(&ctx, offer.category.as_str()),
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
