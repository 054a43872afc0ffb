//! `GET /v1/sites`: places open to the public, as GeoJSON (RFC 7946) for any map.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::FieldErrors;
use super::occupancy::OccupancyView;
use super::openapi::Problems;
use super::problem::Problem;
use crate::actions::Ctx;
use crate::domain::availability::Window;
use crate::domain::clock::Ts;
use crate::domain::place::GeoPoint;
use crate::storage::requests::Request;
use crate::storage::sites::{Host, Site};
use crate::storage::{Conn, StorageError, sites};

/// A GeoJSON feature collection.
#[derive(Serialize, ToSchema)]
pub struct SiteCollection {
    /// Always `FeatureCollection`.
    #[serde(rename = "type")]
    #[schema(example = "FeatureCollection")]
    kind: &'static str,
    /// The sites; nearest first, where `near` was given.
    features: Vec<SiteFeature>,
}

/// A site as a GeoJSON feature.
#[derive(Serialize, ToSchema)]
pub struct SiteFeature {
    /// Always `Feature`.
    #[serde(rename = "type")]
    #[schema(example = "Feature")]
    kind: &'static str,
    /// The offer's id.
    #[schema(value_type = String, format = Uuid)]
    id: String,
    /// Where it is.
    geometry: PointGeometry,
    /// What it is.
    pub properties: SiteProperties,
}

/// A GeoJSON point.
#[derive(Serialize, ToSchema)]
pub struct PointGeometry {
    /// Always `Point`.
    #[serde(rename = "type")]
    #[schema(example = "Point")]
    kind: &'static str,
    /// Longitude, latitude.
    coordinates: [f64; 2],
}

/// What a site is.
#[derive(Serialize, ToSchema)]
pub struct SiteProperties {
    /// Its name.
    pub title: String,
    /// Its street address.
    pub address: String,
    /// Its category.
    #[schema(example = "warming_space")]
    category: String,
    /// Whether people may come without a match.
    walk_in: bool,
    /// How many it takes.
    capacity: i32,
    /// OpenStreetMap opening hours, in the time zone below.
    opening_hours: Option<String>,
    /// IANA time zone.
    timezone: String,
    /// Whether it is open now.
    open_now: bool,
    /// Until when it is open, if it closes within a week.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    open_until: Option<Ts>,
    /// When it opens, if it is closed and opens within a week.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    opens_at: Option<Ts>,
    /// How full it is; left out where nobody has counted in this opening.
    #[serde(skip_serializing_if = "Option::is_none")]
    occupancy: Option<OccupancyView>,
    /// How far from the point asked for, in meters.
    #[serde(skip_serializing_if = "Option::is_none")]
    distance_m: Option<f64>,
}

/// Which sites.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteQuery {
    near: Option<String>,
    category: Option<String>,
    open_now: Option<bool>,
    has_room: Option<bool>,
    limit: Option<usize>,
}

/// Sites that one answer holds at the most.
const MOST: usize = 500;

/// Places open to the public that a coordinator has checked.
#[utoipa::path(get, path = "/v1/sites", tag = "anyone",
    params(
        ("near" = Option<String>, Query, description = "lat,lon: nearest first", example = "44.95,-93.26"),
        ("category" = Option<String>, Query, description = "Only of this category", example = "warming_space"),
        ("open_now" = Option<bool>, Query, description = "Only those open now"),
        ("has_room" = Option<bool>, Query, description = "`true`: leaves out those that are full by the newest count"),
        ("limit" = Option<usize>, Query, description = "At most so many, up to 500", minimum = 1, maximum = 500)),
    responses((status = 200, description = "The sites", body = SiteCollection, content_type = "application/geo+json"), Problems))]
pub async fn list(
    ctx: web::Data<Ctx>,
    query: web::Query<SiteQuery>,
) -> Result<HttpResponse, Problem> {
    let mut errors = FieldErrors::default();
    let near = errors.optional("near", query.near.as_deref(), parse_near);
    if query
        .category
        .as_deref()
        .is_some_and(|c| ctx.catalog.get(c).is_none())
    {
        errors.push("category", format!("must be one of {}", ctx.catalog.keys()));
    }
    let limit = query.limit.unwrap_or(MOST);
    if !(1..=MOST).contains(&limit) {
        errors.push("limit", format!("must be from 1 to {MOST}"));
    }
    errors.finish(Some(()))?;
    let category = query.category.clone();
    let open = ctx
        .db
        .read(move |conn| Ok::<_, StorageError>(sites::shown(conn, category.as_deref())?))
        .await?;
    let mut features: Vec<SiteFeature> = open
        .into_iter()
        .map(|(site, offer)| feature(&ctx, site, offer, near))
        .collect();
    if query.open_now == Some(true) {
        features.retain(|f| f.properties.open_now);
    }
    if query.has_room == Some(true) {
        features.retain(|f| !f.is_full());
    }
    sort(&mut features);
    features.truncate(limit);
    Ok(super::public(HttpResponse::Ok())
        .content_type("application/geo+json")
        .json(collected(features)))
}

fn collected(features: Vec<SiteFeature>) -> SiteCollection {
    SiteCollection {
        kind: "FeatureCollection",
        features,
    }
}

/// Every open site.
///
/// # Errors
/// A failed query.
pub async fn all(ctx: &Ctx) -> Result<SiteCollection, StorageError> {
    let open = ctx
        .db
        .read(|conn| Ok::<_, StorageError>(sites::shown(conn, None)?))
        .await?;
    let mut features: Vec<SiteFeature> = open
        .into_iter()
        .map(|(site, offer)| feature(ctx, site, offer, None))
        .collect();
    sort(&mut features);
    Ok(collected(features))
}

fn parse_near(text: &str) -> Result<GeoPoint, &'static str> {
    const WRONG: &str = "must be lat,lon such as 44.95,-93.26";
    let (lat, lon) = text.split_once(',').ok_or(WRONG)?;
    let number = |t: &str| t.trim().parse::<f64>().map_err(|_| WRONG);
    GeoPoint::parse(number(lat)?, number(lon)?).map_err(|_| WRONG)
}

fn sort(features: &mut [SiteFeature]) {
    features.sort_by(|a, b| {
        let far = |f: &SiteFeature| f.properties.distance_m.unwrap_or(0.0);
        far(a)
            .total_cmp(&far(b))
            .then_with(|| a.properties.title.cmp(&b.properties.title))
            .then_with(|| a.id.cmp(&b.id))
    });
}

impl SiteFeature {
    /// Whether nothing is left, by the newest count.
    fn is_full(&self) -> bool {
        self.properties
            .occupancy
            .as_ref()
            .is_some_and(|o| o.free == 0)
    }
}

/// How far ahead the hours of a site are looked up.
const AHEAD: Duration = Duration::from_hours(7 * 24);

/// The opening that a site is in, or its next one.
fn opening(ctx: &Ctx, host: &Host, now: Ts) -> Option<Window> {
    let week = Window::parse(now, now.after(AHEAD)).ok()?;
    ctx.timetables.opening(host.written(), week)
}

fn feature(ctx: &Ctx, site: Site, offer: Host, near: Option<GeoPoint>) -> SiteFeature {
    let now = ctx.now();
    let opening = opening(ctx, &offer, now);
    let open_now = opening.is_some_and(|o| o.contains(now));
    let occupancy = site.occupancy(now);
    let distance_m = near.and_then(|from| {
        Some(
            from.distance_m(GeoPoint::parse(site.lat, site.lon).ok()?)
                .round(),
        )
    });
    SiteFeature {
        kind: "Feature",
        id: site.offer_id.to_string(),
        geometry: PointGeometry {
            kind: "Point",
            coordinates: [site.lon, site.lat],
        },
        properties: SiteProperties {
            title: site.title,
            address: site.address,
            category: offer.category.to_string(),
            walk_in: site.walk_in,
            capacity: offer.capacity.get(),
            opening_hours: offer.opening_hours,
            timezone: offer.timezone,
            open_now,
            open_until: opening
                .map(Window::until)
                .filter(|until| open_now && *until < now.after(AHEAD)),
            opens_at: opening.map(Window::from).filter(|_| !open_now),
            occupancy: occupancy.map(|o| OccupancyView::of(o, offer.capacity)),
            distance_m,
        },
    }
}

/// Up to three open walk-in sites of the requests' categories that are not full, nearest to the requests' cell first.
///
/// # Errors
/// A failed query.
pub fn nearest_walk_in(
    ctx: &Ctx,
    conn: &mut Conn,
    requests: &[Request],
) -> Result<Vec<SiteFeature>, StorageError> {
    let Some(from) = requests.first().map(|r| r.cell.center()) else {
        return Ok(Vec::new());
    };
    let mut categories: Vec<_> = requests.iter().map(|r| r.category.clone()).collect();
    categories.sort();
    categories.dedup();
    let mut nearest = Vec::new();
    for category in categories {
        let open = sites::shown(conn, Some(category.as_str()))?;
        let mut features: Vec<SiteFeature> = open
            .into_iter()
            .filter(|(site, _)| site.walk_in)
            .map(|(site, offer)| feature(ctx, site, offer, Some(from)))
            .filter(|f| f.properties.open_now && !f.is_full())
            .collect();
        sort(&mut features);
        features.truncate(3);
        nearest.extend(features);
    }
    Ok(nearest)
}
