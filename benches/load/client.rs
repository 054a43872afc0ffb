//! Makes the calls.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use awc::{Client, ClientRequest, Connector};
use indicatif::{ProgressBar, ProgressStyle};
use manyhands::domain::entropy::{Entropy, SeededEntropy};
use serde_json::{Value, json};
use tokio::task::{JoinSet, spawn_local};
use tokio::time::{sleep, sleep_until};

use super::figures::{Figures, NOTHING};
use super::letters::{Answer, Letters};
use super::mix::Kind;
use super::people::{People, below, one_of};
use super::service::Service;

/// Public places in the city.
const SITES: u64 = 100;
/// How often a post is asked for while the service says nothing of it: it has just begun, or a connection broke.
const TRIES: u32 = 40;
/// How many look at a time for what was acknowledged.
const LOOKING: usize = 16;

/// Which calls are made.
#[derive(Clone, Copy)]
pub enum Mix {
    /// As on a city's worst day.
    City,
    /// Of one kind only.
    Only(Kind),
}

impl Mix {
    fn next(self, entropy: &dyn Entropy) -> Kind {
        match self {
            Self::City => Kind::next(entropy),
            Self::Only(kind) => kind,
        }
    }
}

/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Calls that may be open at once: sockets are files.
const OPEN: usize = 4_000;

/// What makes the calls; all of it in one thread, so that the service has the others.
pub struct Load(Rc<Inner>);

struct Inner {
    client: Client,
    url: String,
    desk: String,
    people: People,
    letters: Letters,
    entropy: SeededEntropy,
    count: Cell<u64>,
    open: Cell<usize>,
    figures: RefCell<Figures>,
    /// What the neighbors hold whose posts were acknowledged.
    tokens: RefCell<Vec<String>>,
}

impl Load {
    /// What calls at `url`, and does nothing before it is told to.
    pub fn at(url: &str, seed: u64) -> Self {
        Self(Rc::new(Inner::new(url, "", Letters::none(), seed)))
    }

    /// What calls at a service with a hundred public places, with people to ask and letters to answer.
    pub async fn of_city(service: &Service, seed: u64) -> Self {
        let letters = Letters::of(&service.letters());
        let inner = Inner::new(&service.url, &service.desk, letters, seed);
        let load = Self(Rc::new(inner));
        let reader = Rc::clone(&load.0);
        spawn_local(async move { reader.letters.read().await });
        load.open_sites().await;
        load.warm_up().await;
        load
    }

    /// Posts public places, confirms them by their letters, and lists them.
    async fn open_sites(&self) {
        let inner = &self.0;
        let site = |nth| inner.people.site(nth, &inner.entropy);
        for id in self.open_offers((0..SITES).map(site)).await {
            let path = inner.at(&format!("/v1/offers/{id}/list"));
            let request = inner.client.post(path).bearer_auth(&inner.desk);
            assert_eq!(sent(request, Some(&json!({}))).await.0, 200, "it is listed");
        }
    }

    /// Posts offers and requests of which copies can be made: as the others, and half of them with hours, and with
    /// what is required and provided.
    pub async fn open_templates(&self, number: u64) {
        let inner = &self.0;
        // Beyond those that the others have, so that nobody is there twice.
        let nth = |nth| 1_000_000 + nth;
        let offers = (0..number).map(|n| match n % 2 {
            0 => inner.people.offer(nth(n), &inner.entropy),
            _ => inner.people.shop(nth(n), &inner.entropy),
        });
        self.open_offers(offers).await;
        for n in 0..number {
            let body = match n % 2 {
                0 => inner.people.request(nth(n), &inner.entropy),
                _ => inner.people.eater(nth(n), &inner.entropy),
            };
            let posted = sent(inner.client.post(inner.at("/v1/requests")), Some(&body)).await;
            assert_eq!(posted.0, 201, "a request is posted");
        }
    }

    /// Posts offers and confirms them by their letters; gives their ids.
    async fn open_offers(&self, offers: impl Iterator<Item = Value>) -> Vec<String> {
        let inner = &self.0;
        let mut posted = 0;
        for offer in offers {
            let request = inner.client.post(inner.at("/v1/offers"));
            let answer = sent(request, Some(&offer)).await;
            assert_eq!(answer.0, 201, "an offer is posted: {}", answer.1);
            posted += 1;
        }
        let mut ids = Vec::new();
        while ids.len() < posted {
            // Whoever is asked meanwhile does not answer.
            let Some(Answer::Confirm(code)) = inner.letters.next() else {
                sleep(Duration::from_millis(5)).await;
                continue;
            };
            let request = inner.client.post(inner.at("/v1/confirm"));
            let (status, body) = sent(request.bearer_auth(code), None).await;
            assert_eq!(status, 200, "an offer is confirmed");
            let id = body["offers"][0]["id"].as_str().expect("an id");
            ids.push(id.to_owned());
        }
        ids
    }

    /// Somebody to ask, and something to answer.
    async fn warm_up(&self) {
        for _ in 0..100 {
            self.0.call(Kind::Offer, Instant::now()).await;
        }
        sleep(Duration::from_secs(2)).await;
        for kind in [Kind::Answer, Kind::Request].repeat(100) {
            self.0.call(kind, Instant::now()).await;
        }
        sleep(Duration::from_secs(2)).await;
        self.0.figures.replace(Figures::new());
    }

    /// Posts one request; gives the length of the answer, or 0 if there was none.
    pub async fn post_one(&self) -> usize {
        let body = self.0.people.request(0, &self.0.entropy);
        let request = self.0.client.post(self.0.at("/v1/requests"));
        match request.send_json(&body).await {
            Ok(mut answer) => answer.body().await.map_or(0, |bytes| bytes.len()),
            Err(_) => 0,
        }
    }

    /// How many of the posts that were acknowledged are there, and what was answered for the others, each asked for
    /// until something is said of it.
    pub async fn look_for_acknowledged(&self) -> (usize, BTreeMap<u16, usize>) {
        let tokens = Rc::new(RefCell::new(self.0.tokens.take()));
        let missing = Rc::new(RefCell::new(BTreeMap::new()));
        let all = tokens.borrow().len();
        let mut looking = JoinSet::new();
        for _ in 0..LOOKING {
            let (inner, tokens) = (Rc::clone(&self.0), Rc::clone(&tokens));
            let missing = Rc::clone(&missing);
            looking.spawn_local(async move {
                loop {
                    let Some(token) = tokens.borrow_mut().pop() else {
                        return;
                    };
                    let (status, body) = inner.looked_at(&token).await;
                    if status != 200 || !body["requests"][0]["id"].is_string() {
                        *missing.borrow_mut().entry(status).or_default() += 1;
                    }
                }
            });
        }
        while looking.join_next().await.is_some() {}
        let missing = missing.take();
        (all - missing.values().sum::<usize>(), missing)
    }

    /// So many callers, each of whom calls again when they are answered.
    pub async fn closed(&self, mix: Mix, callers: usize, lasts: Duration) -> Figures {
        let begun = Instant::now();
        let bar = bar(lasts);
        let mut all = JoinSet::new();
        for _ in 0..callers {
            let inner = Rc::clone(&self.0);
            all.spawn_local(async move {
                while begun.elapsed() < lasts {
                    let kind = mix.next(&inner.entropy);
                    inner.call(kind, Instant::now()).await;
                }
            });
        }
        while !all.is_empty() {
            tokio::select! {
                _ = all.join_next() => {}
                () = sleep(Duration::from_millis(200)) => bar.set_position(begun.elapsed().as_secs()),
            }
        }
        self.taken(begun, &bar)
    }

    /// Calls that begin by chance, so many a second (a Poisson process), whatever becomes of those before. Those that
    /// are still open at the end are waited for only if `drained`: else what comes next finds them.
    pub async fn open(&self, rate: f64, lasts: Duration, drained: bool) -> Figures {
        let begun = Instant::now();
        let bar = bar(lasts);
        let mut due = Duration::ZERO;
        while due < lasts {
            sleep_until((begun + due).into()).await;
            let (kind, intended) = (Mix::City.next(&self.0.entropy), begun + due);
            if self.0.open.get() >= OPEN {
                self.0.figures.borrow_mut().unsent(intended);
            } else {
                let inner = Rc::clone(&self.0);
                spawn_local(async move { inner.call(kind, intended).await });
            }
            let entropy: &dyn Entropy = &self.0.entropy;
            due += Duration::from_secs_f64(-(1.0 - entropy.fraction()).ln() / rate);
            bar.set_position(due.as_secs());
        }
        let took = begun.elapsed();
        while drained && self.0.open.get() > 0 {
            sleep(Duration::from_millis(20)).await;
        }
        let mut figures = self.taken(begun, &bar);
        figures.lasted = took;
        figures
    }

    fn taken(&self, begun: Instant, bar: &ProgressBar) -> Figures {
        bar.finish_and_clear();
        let mut figures = self.0.figures.replace(Figures::new());
        figures.lasted = begun.elapsed();
        figures
    }
}

fn bar(lasts: Duration) -> ProgressBar {
    let bar = ProgressBar::new(lasts.as_secs());
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} s");
    bar.with_style(style.expect("a constant that is right"))
}

/// The status and the body of an answer; no status where none came.
async fn sent(request: ClientRequest, body: Option<&Value>) -> (u16, Value) {
    let sent = match body {
        Some(body) => request.send_json(body).await,
        None => request.send().await,
    };
    let Ok(mut answer) = sent else {
        return (NOTHING, Value::Null);
    };
    match answer.body().limit(16 << 20).await {
        Ok(bytes) => {
            let body = serde_json::from_slice(&bytes).unwrap_or_default();
            (answer.status().as_u16(), body)
        }
        Err(_) => (NOTHING, Value::Null),
    }
}

impl Inner {
    /// What a neighbor's own record says, once there is an answer that is about it.
    async fn looked_at(&self, token: &str) -> (u16, Value) {
        let mut tries = 0;
        loop {
            let request = self.client.get(self.at("/v1/neighbors/self"));
            let answer = sent(request.bearer_auth(token), None).await;
            tries += 1;
            if !matches!(answer.0, NOTHING | 503) || tries == TRIES {
                return answer;
            }
            sleep(Duration::from_millis(250)).await;
        }
    }

    fn new(url: &str, desk: &str, letters: Letters, seed: u64) -> Self {
        let connector = Connector::new().limit(OPEN).timeout(PATIENCE);
        Self {
            client: Client::builder()
                .connector(connector)
                .timeout(PATIENCE)
                .finish(),
            url: url.to_owned(),
            desk: desk.to_owned(),
            people: People::of_the_city(),
            letters,
            entropy: SeededEntropy::new(seed),
            count: Cell::new(0),
            open: Cell::new(0),
            figures: RefCell::new(Figures::new()),
            tokens: RefCell::default(),
        }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// One call, its latency from when it should have begun.
    async fn call(&self, kind: Kind, intended: Instant) {
        let nth = self.count.get();
        self.count.set(nth + 1);
        self.open.set(self.open.get() + 1);
        let (kind, request, body) = self.next(kind, nth);
        let (status, answer) = sent(request, body.as_ref()).await;
        self.open.set(self.open.get() - 1);
        let mut figures = self.figures.borrow_mut();
        // What was meant for an earlier load has been counted by nobody, and is not this one's.
        if intended >= figures.begun {
            figures.add(kind, status, intended);
        }
        drop(figures);
        if let Some(token) = answer["manage_token"].as_str()
            && kind == Kind::Request
        {
            self.tokens.borrow_mut().push(token.to_owned());
        }
    }

    fn next(&self, kind: Kind, nth: u64) -> (Kind, ClientRequest, Option<Value>) {
        let entropy: &dyn Entropy = &self.entropy;
        // As the pages do, so that a second press of the button makes nothing twice.
        let post = |path: &str| {
            let key = (
                "Idempotency-Key",
                format!("load-{nth}-{}", entropy.fraction()),
            );
            self.client.post(self.at(path)).insert_header(key)
        };
        match kind {
            Kind::Request => {
                let body = self.people.request(nth, entropy);
                (kind, post("/v1/requests"), Some(body))
            }
            Kind::Offer => {
                let body = self.people.offer(nth, entropy);
                (kind, post("/v1/offers"), Some(body))
            }
            Kind::Answer | Kind::Own => self.answer(),
            Kind::Sites => {
                let path = format!("/v1/sites?near={}", self.people.place(entropy));
                (kind, self.client.get(self.at(&path)), None)
            }
            Kind::Desk => {
                let paths = [
                    "/v1/tasks?state=open&sort=due",
                    "/v1/requests?state=open&order=oldest",
                    "/v1/matches?state=accepted",
                    "/v1/tasks/counts",
                ];
                let request = self.client.get(self.at(one_of(&paths, entropy)));
                (kind, request.bearer_auth(&self.desk), None)
            }
        }
    }

    /// Whoever has a letter answers it: confirms, says yes, or says no. Where there is none, a neighbor looks how
    /// her request stands.
    fn answer(&self) -> (Kind, ClientRequest, Option<Value>) {
        let entropy: &dyn Entropy = &self.entropy;
        let post = |path: &str, code: String| {
            let request = self.client.post(self.at(path)).bearer_auth(code);
            (Kind::Answer, request, None)
        };
        match self.letters.next() {
            Some(Answer::Confirm(code)) => post("/v1/confirm", code),
            Some(Answer::Ask(code)) if below(2, entropy) == 0 => {
                post("/v1/matches/self/accept", code)
            }
            Some(Answer::Ask(code)) => post("/v1/matches/self/decline", code),
            None => {
                let tokens = self.tokens.borrow();
                let token = match tokens.len() {
                    0 => "",
                    some => &tokens[below(some, entropy)],
                };
                let request = self.client.get(self.at("/v1/neighbors/self"));
                (Kind::Own, request.bearer_auth(token), None)
            }
        }
    }
}
