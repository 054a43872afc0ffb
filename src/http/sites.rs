//! `GET /v1/sites`: places open to the public, as GeoJSON (RFC 7946) for any map.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::FieldErrors;
use super::openapi::Problems;
use super::problem::Problem;
use crate::actions::Ctx;
use crate::domain::place::GeoPoint;
use crate::storage::offers::Offer;
use crate::storage::requests::Request;
use crate::storage::sites::Site;
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
        .read(move |conn| Ok::<_, StorageError>(sites::open(conn, category.as_deref())?))
        .await?;
    let mut features: Vec<SiteFeature> = open
        .into_iter()
        .map(|(site, offer)| feature(&ctx, site, &offer, near))
        .collect();
    if query.open_now == Some(true) {
        features.retain(|f| f.properties.open_now);
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
        .read(|conn| Ok::<_, StorageError>(sites::open(conn, None)?))
        .await?;
    let mut features: Vec<SiteFeature> = open
        .into_iter()
        .map(|(site, offer)| feature(ctx, site, &offer, None))
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

fn feature(ctx: &Ctx, site: Site, offer: &Offer, near: Option<GeoPoint>) -> SiteFeature {
    let open_now = offer.availability().is_some_and(|a| a.open_at(ctx.now()));
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
            opening_hours: offer.opening_hours.clone(),
            timezone: offer.timezone.clone(),
            open_now,
            distance_m,
        },
    }
}

/// Up to three open walk-in sites of the requests' categories, nearest to the requests' cell first.
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
        let open = sites::open(conn, Some(category.as_str()))?;
        let mut features: Vec<SiteFeature> = open
            .into_iter()
            .filter(|(site, _)| site.walk_in)
            .map(|(site, offer)| feature(ctx, site, &offer, Some(from)))
            .filter(|f| f.properties.open_now)
            .collect();
        sort(&mut features);
        features.truncate(3);
        nearest.extend(features);
    }
    Ok(nearest)
}
