//! Sites as Open Referral's Human Services Data Specification has them (HSDS 3.0,
//! <https://docs.openreferral.org/en/v3.0/>): full services in JSON, each with its organization, its location
//! and its schedules, for directories of a city's help.
//!
//! A site is one service at one location, and all of them have its id. Its address is one line here: HSDS
//! wants a city and a state of their own, which are left empty rather than guessed.

use serde_json::{Value, json};
use uuid::Builder;

use super::opening::recurrences;
use crate::actions::Ctx;
use crate::domain::category::Catalog;
use crate::storage::offers::Offer;
use crate::storage::sites::Site;
use crate::storage::{StorageError, sites};

/// Every open site as a service.
///
/// # Errors
/// A failed query.
pub async fn services(ctx: &Ctx) -> Result<Value, StorageError> {
    let open = ctx
        .db
        .read(|conn| Ok::<_, StorageError>(sites::open(conn, None)?))
        .await?;
    let organization = organization(ctx);
    let all = open
        .iter()
        .map(|(site, offer)| service(ctx, site, offer, &organization));
    Ok(all.collect())
}

/// Whoever runs this instance, known by the address of its pages.
fn organization(ctx: &Ctx) -> Value {
    let url = ctx.settings.server.public_url.as_str().to_owned();
    let hash = blake3::hash(url.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    json!({
        "id": Builder::from_random_bytes(bytes).into_uuid(),
        "name": ctx.settings.mail.from.name().unwrap_or("Manyhands"),
        "description": "Neighbors who help neighbors.",
        "website": url,
    })
}

fn service(ctx: &Ctx, site: &Site, offer: &Offer, organization: &Value) -> Value {
    let id = site.offer_id;
    let known = |catalog: &Catalog| {
        let category = catalog.get(offer.category.as_str())?;
        Some((category.title.clone(), category.description.clone()))
    };
    let (title, description) = known(&ctx.catalog).unwrap_or_default();
    let location = json!({
        "id": id,
        "location_type": "physical",
        "name": site.title,
        "latitude": site.lat,
        "longitude": site.lon,
        "addresses": [{
            "id": id,
            "location_id": id,
            "address_1": site.address,
            "city": "",
            "state_province": "",
            "postal_code": "",
            "country": ctx.settings.area.country.as_str(),
            "address_type": "physical",
        }],
    });
    json!({
        "id": id,
        "organization_id": organization["id"],
        "organization": organization,
        "name": site.title,
        "alternate_name": title,
        "description": description,
        "status": "active",
        "application_process": match site.walk_in {
            true => "Walk in.",
            false => "Ask for it on the website.",
        },
        "url": organization["website"],
        "last_modified": offer.updated_at,
        "service_at_locations": [{
            "id": id,
            "service_id": id,
            "location_id": id,
            "location": location,
            "schedules": schedules(offer),
        }],
    })
}

fn schedules(offer: &Offer) -> Vec<Value> {
    let Some(text) = &offer.opening_hours else {
        return Vec::new();
    };
    let id = offer.id;
    let days = [offer.available_from, offer.available_until]
        .map(|at| at.map(|at| at.to_jiff().strftime("%Y-%m-%d").to_string()));
    let schedule = |nth: usize| {
        // One site may have several; the last bytes of their ids count them.
        let mut bytes = *id.as_bytes();
        bytes[15] = bytes[15].wrapping_add(u8::try_from(nth).unwrap_or(u8::MAX));
        json!({
            "id": Builder::from_bytes(bytes).into_uuid(),
            "service_at_location_id": id,
            "valid_from": days[0],
            "valid_to": days[1],
            "description": text,
            "notes": format!("By the clocks of {}.", offer.timezone),
        })
    };
    let Some(all) = recurrences(text) else {
        return vec![schedule(0)];
    };
    let with_hours = |(nth, one): (usize, super::opening::Recurrence)| {
        let mut schedule = schedule(nth);
        schedule["freq"] = "WEEKLY".into();
        schedule["byday"] = one.by_day.into();
        schedule["opens_at"] = one.opens.into();
        schedule["closes_at"] = one.closes.into();
        schedule
    };
    all.into_iter().enumerate().map(with_hours).collect()
}
