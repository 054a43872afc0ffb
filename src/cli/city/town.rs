//! Where the made-up people live: ZIP codes of Minneapolis and Saint Paul by their residents.

use super::dice::Dice;
use crate::domain::place::GeoPoint;

const TWIN_CITIES: &str = include_str!("../../../config/demo/twin_cities.csv");

/// Degrees of latitude in a kilometer.
const KM: f64 = 1.0 / 111.2;

/// The two cities.
#[derive(Debug)]
pub(in crate::cli) struct Town(Vec<Zip>);

#[derive(Debug)]
struct Zip {
    city: &'static str,
    lat: f64,
    lon: f64,
    residents: f64,
}

/// A place in one of the cities.
#[derive(Debug)]
pub(in crate::cli) struct Spot {
    /// Which city.
    pub city: &'static str,
    /// Where in it.
    pub point: GeoPoint,
}

impl Town {
    /// Reads the file that comes with the program.
    ///
    /// # Errors
    /// A line that is not as its head says.
    pub fn shipped() -> anyhow::Result<Self> {
        let mut zips = Vec::new();
        for line in TWIN_CITIES.lines().skip(1) {
            let fields: Vec<&'static str> = line.split(',').collect();
            let [_, city, lat, lon, residents] = fields.as_slice() else {
                anyhow::bail!("twin_cities.csv: {line:?} has not five fields");
            };
            zips.push(Zip {
                city,
                lat: lat.parse()?,
                lon: lon.parse()?,
                residents: residents.parse()?,
            });
        }
        anyhow::ensure!(!zips.is_empty(), "twin_cities.csv is empty");
        Ok(Self(zips))
    }

    /// Somewhere within a kilometer of a ZIP code's center; populous ones more often.
    pub fn draw(&self, dice: &Dice) -> anyhow::Result<Spot> {
        let all: f64 = self.0.iter().map(|zip| zip.residents).sum();
        let mut left = dice.fraction() * all;
        let found = self.0.iter().find(|zip| {
            left -= zip.residents;
            left < 0.0
        });
        let zip = found.unwrap_or(&self.0[0]);
        // The root spreads points evenly over the circle.
        let (radius, angle) = (
            dice.fraction().sqrt(),
            dice.between(0.0, std::f64::consts::TAU),
        );
        let lat = zip.lat + radius * angle.sin() * KM;
        let lon = zip.lon + radius * angle.cos() * KM / zip.lat.to_radians().cos();
        let point = GeoPoint::parse(lat, lon)
            .map_err(|(field, why)| anyhow::anyhow!("twin_cities.csv: {field} {why}"))?;
        Ok(Spot {
            city: zip.city,
            point,
        })
    }
}
