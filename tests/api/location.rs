//! Where somebody lives: two worlds that differ in nothing but exact points within the same cells look
//! the same to everybody but the people themselves.

use std::fmt::Write;

use actix_web::http::Method;
use manyhands::domain::place::{Cell, CellSize, GeoPoint};
use manyhands::storage::coordinators::Scope;
use serde_json::{Value, json};

use crate::support::people::{HOME, Volunteer, food, offer_of, post_of, with};
use crate::support::{Answer, DAY, HOUR, MINUTE, TestApp};

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
struct World {
    app: TestApp,
    number: usize,
    points: Vec<[f64; 2]>,
    seen: String,
}

impl World {
    fn new(number: usize) -> Self {
        Self {
            app: TestApp::new(),
            number,
            points: Vec::new(),
            seen: String::new(),
        }
    }

    /// Somebody's exact point in this world: in the same cell as in the other.
    fn point(&mut self, km: f64) -> Value {
        let point = within(cell_at(km), self.number, self.points.len());
        self.points.push(point);
        location(point)
    }

    /// A step within the ring: here into the cell next door, there not even out of the own one.
    fn step(&mut self, km: f64) -> Value {
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
    async fn call(&mut self, method: Method, path: &str, token: &str, body: Value) -> Value {
        let token = Some(token).filter(|t| !t.is_empty());
        let body = Some(&body).filter(|b| !b.is_null());
        let answer = self.app.call(method.clone(), path, token, body).await;
        self.note(&format!("{method} {path}"), &answer, false)
    }

    /// A call whose answer holds the caller's own place, or one that she was told on purpose.
    async fn own(&mut self, method: Method, path: &str, token: &str, body: Value) -> Value {
        let body = Some(&body).filter(|b| !b.is_null());
        let answer = self.app.call(method.clone(), path, Some(token), body).await;
        self.note(&format!("{method} {path}"), &answer, true)
    }

    /// A page behind a code.
    async fn page(&mut self, path: &str, code: &str) {
        let (method, form) = match code {
            "" => (Method::GET, None),
            code => (Method::POST, Some(format!("code={code}").into_bytes())),
        };
        let form_type = [("Content-Type", "application/x-www-form-urlencoded")];
        let answer = self.app.raw(method, path, None, form, &form_type).await;
        self.note(&format!("page {path}"), &answer, false);
    }

    /// Time goes by; the letters that leave meanwhile are read by everybody.
    async fn wait(&mut self, time: std::time::Duration) {
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

    fn letters(&self) -> usize {
        self.seen.matches("\nLETTER ").count()
    }

    async fn volunteer(&mut self, name: &str, km: f64, offer: Value) -> Volunteer {
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
    async fn neighbor(&mut self, km: f64, more: Value, needs: &[Value]) -> (String, String) {
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
    async fn look(&mut self, who: &Volunteer) -> String {
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

    async fn anyone(&mut self) {
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

const ACCEPT: &str = "/v1/matches/self/accept";

/// Everything that may depend on a place: asking, order, bands, counts, pages, letters, moves.
async fn story(world: &mut World) {
    let meals = json!({"category": "food", "capacity": 9, "reach_m": 6000});
    let ana = world.volunteer("ana", 1.2, meals.clone()).await;
    let ben = world.volunteer("ben", 3.1, meals.clone()).await;
    let cem = world.volunteer("cem", 5.3, meals.clone()).await;
    // Far enough that a few hundred meters would decide, were they looked at.
    let far = world.volunteer("far", 6.6, meals.clone()).await;
    let meet = |quantity| with(food(quantity), json!({"handover": "meet"}));
    let (mo, request) = world
        .neighbor(
            0.0,
            json!({}),
            &[meet(4), json!({"category": "towing", "quantity": 1})],
        )
        .await;
    for (n, km) in [0.0, 0.1, 2.0, 2.1, 2.2].into_iter().enumerate() {
        let contact = json!({"contact": {"name": "Lin", "phone": format!("612 555 02{n}0")}});
        world.neighbor(km, contact, &[meet(1)]).await;
    }
    world.anyone().await;
    world.wait(MINUTE).await;
    for who in [&ana, &ben, &cem] {
        world.look(who).await;
    }
    world.page("/manage", &mo).await;
    let path = format!("/v1/requests/{request}");
    world.call(Method::GET, &path, &mo, Value::Null).await;

    // Steps within the ring, while asked: nothing may come of them.
    let place = world.step(0.0);
    let moved = json!({"location": with(place, json!({"address": "2412 Secret Ave"}))});
    world
        .own(Method::PATCH, "/v1/neighbors/self", &mo, moved)
        .await;
    let place = world.step(1.2);
    let offer = format!("/v1/offers/{}", ana.offers[0]);
    world
        .own(
            Method::PATCH,
            &offer,
            &ana.token,
            json!({"location": place}),
        )
        .await;
    world.wait(MINUTE).await;
    world.page("/manage", &mo).await;

    let no = world.look(&ben).await;
    world
        .call(
            Method::POST,
            "/v1/matches/self/decline",
            &no,
            json!({"reason": "too_far"}),
        )
        .await;
    let yes = world.look(&ana).await;
    world.call(Method::POST, ACCEPT, &yes, json!({})).await;
    world.wait(MINUTE).await;
    world.call(Method::GET, &path, &mo, Value::Null).await;
    // And while promised.
    let place = world.step(1.2);
    world
        .own(
            Method::PATCH,
            &offer,
            &ana.token,
            json!({"location": place}),
        )
        .await;
    world.call(Method::GET, &path, &mo, Value::Null).await;
    world.page("/manage", &ana.token).await;
    world
        .call(Method::POST, "/v1/matches/self/release", &yes, json!({}))
        .await;
    world.wait(10 * MINUTE).await;

    // More offers of the same person from nearly the same place.
    let place = world.step(3.1);
    let more = json!({"location": place, "offers": [&meals]});
    world
        .own(Method::POST, "/v1/volunteers/self/offers", &ben.token, more)
        .await;
    // A post without her code is anybody's, with a cell of its own, until the letter shows whose it is.
    let place = world.step(3.1);
    let again = with(offer_of(&ben.email, &[meals]), json!({"location": place}));
    let path = "/v1/offers";
    let posted = world.app.call(Method::POST, path, None, Some(&again));
    posted.await.ok();
    world.wait(MINUTE).await;
    let confirm = world.app.letter_to(&ben.email, "mho_");
    world
        .own(Method::POST, "/v1/confirm", &confirm, Value::Null)
        .await;
    world.wait(10 * MINUTE).await;

    // A real move, into the same cell in both worlds.
    let place = with(world.point(9.0), json!({"address": "1 Other Ave"}));
    world
        .own(
            Method::PATCH,
            "/v1/neighbors/self",
            &mo,
            json!({"location": place}),
        )
        .await;
    world.wait(10 * MINUTE).await;
    world.look(&far).await;
    door(world, &ana).await;
    world.anyone().await;
    for days in 0..3 {
        world.wait(HOUR).await;
        world.wait(DAY * days).await;
        world.page("/manage", &mo).await;
        world.anyone().await;
    }
}

/// Help that is brought: the one who is to come is told where, on purpose, once the neighbor agreed.
async fn door(world: &mut World, ana: &Volunteer) {
    let (token, request) = world
        .neighbor(1.3, json!({"agree_first": true}), &[food(2)])
        .await;
    world.wait(HOUR).await;
    let code = world.look(ana).await;
    world.call(Method::POST, ACCEPT, &code, json!({})).await;
    let path = format!("/v1/requests/{request}");
    let shown = world.call(Method::GET, &path, &token, Value::Null).await;
    let id = shown["matches"][0]["id"]
        .as_str()
        .expect("a match")
        .to_owned();
    let agree = format!("{path}/matches/{id}/agree");
    world.call(Method::POST, &agree, &token, json!({})).await;
    let told = world
        .own(Method::GET, "/v1/matches/self", &code, Value::Null)
        .await;
    assert!(told["contact"]["point"].is_array(), "{told}");
    world
        .call(Method::POST, "/v1/matches/self/done", &code, json!({}))
        .await;
    world
        .call(Method::GET, "/v1/matches/self", &code, Value::Null)
        .await;
    world.wait(MINUTE).await;
}

#[actix_web::test]
async fn nobody_can_tell_two_worlds_apart_that_differ_within_their_cells() {
    let (mut one, mut other) = (World::new(0), World::new(1));
    story(&mut one).await;
    story(&mut other).await;
    assert!(one.points.iter().zip(&other.points).all(|(a, b)| a != b));
    for (a, b) in one.seen.lines().zip(other.seen.lines()) {
        assert_eq!(a, b);
    }
    assert_eq!(one.seen.len(), other.seen.len());
    assert!(one.letters() > 20, "{} letters", one.letters());
    assert!(one.seen.contains("page /manage"));

    // What a coordinator is shown on demand does differ: these were two worlds.
    let mut revealed = Vec::new();
    for world in [&mut one, &mut other] {
        let (_, id) = world.neighbor(0.0, json!({}), &[food(1)]).await;
        let (_, token) = world.app.coordinator(Scope::Admin).await;
        let path = format!("/v1/requests/{id}/reveal");
        let why = json!({"reason": "call"});
        revealed.push(world.app.post(&path, &token, &why).await.ok().to_string());
    }
    assert_ne!(revealed[0], revealed[1]);
}
