//! Who posts, and where: as the population is spread around a city.

use std::collections::HashMap;

use manyhands::domain::entropy::Entropy;
use manyhands::domain::place::GeoPoint;
use serde_json::{Value, json};

/// The middle of the city, and how far it goes, in meters.
const CENTER: (f64, f64) = (44.9778, -93.2650);
const REACH_M: f64 = 60_000.0;

const CATEGORIES: [&str; 8] = [
    "food",
    "supplies",
    "transport",
    "pet_care",
    "cleanup",
    "towing",
    "warming_space",
    "watch_shift",
];
const URGENCIES: [&str; 3] = ["now", "today", "soon"];

/// A postal code.
struct Area {
    code: String,
    lat: f64,
    lon: f64,
    /// The share of all people who live there or in an area before.
    up_to: f64,
}

/// Everybody who may post.
pub struct People(Vec<Area>);

impl People {
    pub fn of_the_city() -> Self {
        let root = env!("CARGO_MANIFEST_DIR");
        let read =
            |path: &str| std::fs::read_to_string(format!("{root}/{path}")).expect("is shipped");
        let center = GeoPoint::parse(CENTER.0, CENTER.1).expect("a point");
        let mut places = HashMap::new();
        let gazetteer = read("config/gazetteer/us.tsv");
        for line in gazetteer.lines() {
            let columns: Vec<&str> = line.split('\t').collect();
            let degrees = |n: usize| columns[n].parse::<f64>().expect("degrees");
            places.insert(columns[1], (degrees(9), degrees(10)));
        }
        let (mut areas, mut people) = (Vec::new(), 0.0);
        for line in read("benches/population.tsv").lines() {
            let columns: Vec<&str> = line.split('\t').collect();
            let (lat, lon) = places[columns[0]];
            let point = GeoPoint::parse(lat, lon).expect("a point");
            if point.distance_m(center) > REACH_M {
                continue;
            }
            people += columns[1].parse::<f64>().expect("a count");
            let code = columns[0].to_owned();
            areas.push(Area {
                code,
                lat,
                lon,
                up_to: people,
            });
        }
        for area in &mut areas {
            area.up_to /= people;
        }
        Self(areas)
    }

    fn area(&self, entropy: &dyn Entropy) -> &Area {
        let share = entropy.fraction();
        let number = self.0.partition_point(|area| area.up_to < share);
        &self.0[number.min(self.0.len() - 1)]
    }

    /// Somebody who needs something. Nobody is there twice.
    pub fn request(&self, nth: u64, entropy: &dyn Entropy) -> Value {
        json!({
            "contact": {"name": format!("Mo {nth}"), "phone": phone(nth), "email": format!("mo{nth}@example.org")},
            "location": {"postal_code": self.area(entropy).code, "address": format!("{nth} Example Avenue")},
            "languages": ["en", "es"],
            "needs": [{
                "category": one_of(&CATEGORIES, entropy), "quantity": 1 + nth % 5,
                "urgency": one_of(&URGENCIES, entropy), "note": "Two adults and two children",
            }],
        })
    }

    /// Somebody who gives something.
    pub fn offer(&self, nth: u64, entropy: &dyn Entropy) -> Value {
        let area = self.area(entropy);
        let near = |degrees: f64| degrees + (entropy.fraction() - 0.5) * 0.02;
        json!({
            "contact": {"name": format!("Ana {nth}"), "phone": phone(nth), "email": format!("ana{nth}@example.org")},
            "location": {"lat": near(area.lat), "lon": near(area.lon)},
            "languages": ["en"],
            "offers": [{"category": one_of(&CATEGORIES, entropy), "capacity": 1 + nth % 10, "reach_m": 8000}],
        })
    }

    /// A place that is open to the public by day.
    pub fn site(&self, nth: u64, entropy: &dyn Entropy) -> Value {
        let area = self.area(entropy);
        let category = ["warming_space", "food"][below(2, entropy)];
        json!({
            "contact": {"name": format!("Sue {nth}"), "email": format!("site{nth}@example.org")},
            "location": {"lat": area.lat, "lon": area.lon},
            "offers": [{
                "category": category, "capacity": 40,
                "available": {"opening_hours": "Mo-Fr 07:00-22:00; Sa,Su 09:00-20:00", "timezone": "America/Chicago"},
                "site": {"title": format!("Corner Books {nth}"), "address": format!("{nth} Example Street"), "walk_in": true},
            }],
        })
    }

    /// Where somebody lives: within a few kilometers of the middle of a postal code.
    pub fn home(&self, entropy: &dyn Entropy) -> GeoPoint {
        let area = self.area(entropy);
        let near = |degrees: f64| degrees + (entropy.fraction() - 0.5) * 0.06;
        GeoPoint::parse(near(area.lat), near(area.lon)).expect("a point")
    }

    /// Somebody who gives something at the hours at which others do, and of the kinds that are asked for.
    pub fn shop(&self, nth: u64, entropy: &dyn Entropy) -> Value {
        let mut offer = self.offer(nth, entropy);
        let hours = [
            "Mo-Fr 08:00-18:00",
            "Mo-Su 17:00-22:00",
            "Sa,Su 10:00-16:00",
        ];
        offer["offers"][0]["category"] = json!("food");
        offer["offers"][0]["provides"] = json!({"diet": ["halal", "vegan"]});
        offer["offers"][0]["available"] =
            json!({"opening_hours": one_of(&hours, entropy), "timezone": "America/Chicago"});
        offer
    }

    /// Somebody who needs food of a kind.
    pub fn eater(&self, nth: u64, entropy: &dyn Entropy) -> Value {
        let mut request = self.request(nth, entropy);
        request["needs"][0]["category"] = json!("food");
        request["needs"][0]["requires"] = json!({"diet": [one_of(&["halal", "vegan"], entropy)]});
        request
    }

    /// Where somebody looks for a warm place.
    pub fn place(&self, entropy: &dyn Entropy) -> String {
        let area = self.area(entropy);
        format!("{:.4},{:.4}", area.lat, area.lon)
    }
}

fn phone(nth: u64) -> String {
    format!("(612) {}-{:04}", 220 + nth / 10_000 % 700, nth % 10_000)
}

pub fn one_of<'a>(words: &[&'a str], entropy: &dyn Entropy) -> &'a str {
    words[below(words.len(), entropy)]
}

/// A number below `end`.
pub fn below(end: usize, entropy: &dyn Entropy) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "small and not negative"
    )]
    let number = (entropy.fraction() * end as f64) as usize;
    number.min(end - 1)
}
