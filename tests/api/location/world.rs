//! One of two worlds: the same people and the same clock, other exact points within the same cells.

use std::fmt::Write;

use actix_web::http::Method;
use manyhands::domain::place::{Cell, CellSize, GeoPoint};
use serde_json::{Value, json};

use crate::support::people::{HOME, Volunteer, offer_of, post_of, with};
use crate::support::{Answer, MINUTE, TestApp};

/// The cell around a place some kilometers north of home.
fn cell_at(km: f64) -> Cell {
    let size = CellSize::try_from(8).unwrap();
    Cell::of(GeoPoint::parse(HOME.0 + km / 111.2, HOME.1).unwrap(), size)
}

/// A point of the cell, other in each world and each time, with as many digits in each.
fn within(cell: Cell, world: usize, nth: usize) -> [f64; 2] {
    let turn = std::f64::consts::TAU * (nth as f64 / 7.0 + world as f64 / 2.0);
    let radius_m = 140.0 + 150.0 * world as f64;
    let center = cell.center();
    let point = [
        digits(center.lat() + radius_m * turn.sin() / 111_200.0),
        digits(center.lon() + radius_m * turn.cos() / 78_700.0),
    ];
    assert_eq!(of(point), cell, "within the cell");
    point
}

/// Degrees with seven digits after the point, the last of which is never zero.
fn digits(degrees: f64) -> f64 {
    format!("{degrees:.6}3").parse().unwrap()
}

fn of(point: [f64; 2]) -> Cell {
    let size = CellSize::try_from(8).unwrap();
    Cell::of(GeoPoint::parse(point[0], point[1]).unwrap(), size)
}

/// The middle of a cell next to this one.
fn next_door(cell: Cell) -> [f64; 2] {
    let center = cell.center();
    let size = CellSize::try_from(8).unwrap();
    (0..60)
        .map(|i| f64::from(i) * 0.1)
        .map(|turn: f64| {
            let lat = center.lat() + 900.0 * turn.sin() / 111_200.0;
            let lon = center.lon() + 900.0 * turn.cos() / 78_700.0;
            [digits(lat), digits(lon)]
        })
        .find(|p| {
            let new = GeoPoint::parse(p[0], p[1]).unwrap();
            of(*p) != cell && cell.moved_to(new, size) == cell
        })
        .expect("a neighboring cell")
}

fn location(point: [f64; 2]) -> Value {
    json!({"lat": point[0], "lon": point[1]})
}

/// One of the two worlds, and everything that anybody in it saw.
pub struct World {
    pub app: TestApp,
    number: usize,
    pub points: Vec<[f64; 2]>,
    pub seen: String,
}

impl World {
    pub fn new(number: usize) -> Self {
        Self {
            app: TestApp::new(),
            number,
            points: Vec::new(),
            seen: String::new(),
        }
    }

    /// Somebody's exact point in this world: in the same cell as in the other.
    pub fn point(&mut self, km: f64) -> Value {
        let point = within(cell_at(km), self.number, self.points.len());
        self.points.push(point);
        location(point)
    }

    /// A step within the ring: here into the cell next door, there not even out of the own one.
    pub fn step(&mut self, km: f64) -> Value {
        let cell = cell_at(km);
        let point = if self.number == 0 {
            next_door(cell)
        } else {
            within(cell, self.number, self.points.len())
        };
        self.points.push(point);
        location(point)
    }

    fn note(&mut self, what: &str, answer: &Answer, own: bool) -> Value {
        let mut headers = answer.headers.clone();
        headers.sort();
        let mut body = String::from_utf8_lossy(&answer.bytes).into_owned();
        for [lat, lon] in &self.points {
            for (number, name) in [(lat, "lat"), (lon, "lon")] {
                if own {
                    body = body.replace(&number.to_string(), &format!("<{name}>"));
                }
                assert!(!body.contains(&number.to_string()), "{what} tells {body}");
            }
        }
        writeln!(self.seen, "{what}\n{} {headers:?}\n{body}", answer.status).unwrap();
        answer.body.clone()
    }

    /// A call by somebody, whose answer may depend on nobody's exact point.
    pub async fn call(&mut self, method: Method, path: &str, token: &str, body: Value) -> Value {
        let token = Some(token).filter(|t| !t.is_empty());
        let body = Some(&body).filter(|b| !b.is_null());
        let answer = self.app.call(method.clone(), path, token, body).await;
        self.note(&format!("{method} {path}"), &answer, false)
    }

    /// A call whose answer holds the caller's own place, or one that she was told on purpose.
    pub async fn own(&mut self, method: Method, path: &str, token: &str, body: Value) -> Value {
        let body = Some(&body).filter(|b| !b.is_null());
        let answer = self.app.call(method.clone(), path, Some(token), body).await;
        self.note(&format!("{method} {path}"), &answer, true)
    }

    /// A page behind a code.
    pub async fn page(&mut self, path: &str, code: &str) {
        let (method, form) = match code {
            "" => (Method::GET, None),
            code => (Method::POST, Some(format!("code={code}").into_bytes())),
        };
        let form_type = [("Content-Type", "application/x-www-form-urlencoded")];
        let answer = self.app.raw(method, path, None, form, &form_type).await;
        self.note(&format!("page {path}"), &answer, false);
    }

    /// Time goes by; the letters that leave meanwhile are read by everybody.
    pub async fn wait(&mut self, time: std::time::Duration) {
        self.app.sleep_over(time).await;
        let memory = self.app.transport.memory().expect("memory");
        for mail in memory.mails().iter().skip(self.letters()) {
            let eml = String::from_utf8_lossy(&mail.eml);
            writeln!(self.seen, "LETTER {} {eml}", mail.sent_at).unwrap();
        }
        for [lat, lon] in &self.points {
            assert!(!self.seen.contains(&lat.to_string()));
            assert!(!self.seen.contains(&lon.to_string()));
        }
    }

    pub fn letters(&self) -> usize {
        self.seen.matches("\nLETTER ").count()
    }

    pub async fn volunteer(&mut self, name: &str, km: f64, offer: Value) -> Volunteer {
        let email = format!("{name}@example.org");
        let place = self.point(km);
        let body = with(offer_of(&email, &[offer]), json!({"location": place}));
        self.call(Method::POST, "/v1/offers", "", body).await;
        self.wait(MINUTE).await;
        let confirm = self.app.letter_to(&email, "mho_");
        self.page("/confirm", &confirm).await;
        let confirmed = self
            .own(Method::POST, "/v1/confirm", &confirm, Value::Null)
            .await;
        self.wait(MINUTE).await;
        let id = |o: &Value| o["id"].as_str().expect("id").to_owned();
        Volunteer {
            email,
            token: confirmed["manage_token"].as_str().expect("token").into(),
            offers: confirmed["offers"]
                .as_array()
                .unwrap()
                .iter()
                .map(id)
                .collect(),
        }
    }

    /// Posts needs; gives the token and the first request.
    pub async fn neighbor(&mut self, km: f64, more: Value, needs: &[Value]) -> (String, String) {
        let place = with(self.point(km), json!({"address": "2410 Secret Ave"}));
        let body = with(with(post_of(needs), json!({"location": place})), more);
        let posted = self.call(Method::POST, "/v1/requests", "", body).await;
        let text = |v: &Value| v.as_str().expect("text").to_owned();
        (
            text(&posted["manage_token"]),
            text(&posted["requests"][0]["id"]),
        )
    }

    /// What the newest ask of a volunteer shows her, as JSON and as a page.
    pub async fn look(&mut self, who: &Volunteer) -> String {
        let code = self.app.letter_to(&who.email, "mha_");
        self.call(Method::GET, "/v1/matches/self", &code, Value::Null)
            .await;
        self.page("/answer", &code).await;
        self.call(
            Method::GET,
            "/v1/volunteers/self/matches",
            &who.token,
            Value::Null,
        )
        .await;
        code
    }

    pub async fn anyone(&mut self) {
        for path in [
            "/v1/needs",
            "/v1/needs?category=food",
            "/v1/sites?near=44.95,-93.26",
            "/v1/categories",
        ] {
            self.call(Method::GET, path, "", Value::Null).await;
        }
        for path in ["/", "/sites", "/need/food", "/offer/food"] {
            self.page(path, "").await;
        }
    }
}
