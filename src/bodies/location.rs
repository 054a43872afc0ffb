//! Where somebody is: a point, or a postal code.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::faults::FieldErrors;
use crate::actions::Ctx;
use crate::domain::contact::StreetAddress;
use crate::domain::place::GeoPoint;

/// A point, or a postal code that stands for its middle; for neighbors also a street address, which is
/// sealed and never looked up.
#[derive(Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"lat": 44.95, "lon": -93.26}))]
pub struct LocationBody {
    /// Degrees north, -90 to 90.
    #[schema(minimum = -90, maximum = 90)]
    pub lat: Option<f64>,
    /// Degrees east, -180 to 180.
    #[schema(minimum = -180, maximum = 180)]
    pub lon: Option<f64>,
    /// Instead of a point.
    #[schema(example = "55407")]
    pub postal_code: Option<String>,
    /// Of the postal code; the instance's own where it is left out.
    #[schema(example = "US")]
    pub country: Option<String>,
    /// Street address: told only to a helper who must come there, after everybody has agreed.
    #[schema(min_length = 1, max_length = 300)]
    pub address: Option<String>,
}

impl LocationBody {
    /// The point, if nothing is wrong with it.
    pub fn parse(&self, at: &str, ctx: &Ctx, errors: &mut FieldErrors) -> Option<GeoPoint> {
        match (self.lat, self.lon, &self.postal_code) {
            (Some(lat), Some(lon), None) => match GeoPoint::parse(lat, lon) {
                Ok(point) => Some(point),
                Err((field, detail)) => {
                    errors.push(format!("{at}/{field}"), detail);
                    None
                }
            },
            (None, None, Some(code)) => {
                let country = self
                    .country
                    .as_deref()
                    .unwrap_or_else(|| ctx.settings.area.country.as_str());
                let point = ctx.gazetteer.locate(country, code);
                errors.check(
                    format!("{at}/postal_code"),
                    point
                        .ok_or("is not a postal code that is known here; give lat and lon instead"),
                )
            }
            (None, None, None) => {
                errors.require::<()>(&format!("{at}/lat"), None);
                errors.require::<()>(&format!("{at}/lon"), None);
                None
            }
            (_, _, Some(_)) => {
                errors.push(
                    format!("{at}/postal_code"),
                    "give either a postal code or lat and lon",
                );
                None
            }
            (lat, lon, None) => {
                errors.require(&format!("{at}/lat"), lat);
                errors.require(&format!("{at}/lon"), lon);
                None
            }
        }
    }

    /// The street address, if one is given.
    pub fn address(&self, at: &str, errors: &mut FieldErrors) -> Option<StreetAddress> {
        errors.optional(
            format!("{at}/address"),
            self.address.as_deref(),
            StreetAddress::parse,
        )
    }
}
