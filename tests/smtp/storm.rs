//! Thousands of letters through every kind of bad mail server, while the service is killed again and again: none is
//! lost, none repeated but where its outcome was unknown, and recipients who keep a server waiting delay nobody else.
//!
//! Prints figures. By itself it sends a few hundred letters; with `MANYHANDS_TEST_LETTERS=10000` so many, for minutes:
//!
//!     MANYHANDS_TEST_LETTERS=10000 cargo test --features postgres-tls --test smtp storm:: -- --nocapture

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::process::Child;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;
use serde_json::json;

use super::process::{Server, program, wait_for};
use super::smtp::{self, CERTIFICATE, CERTIFICATE_KEY};
use super::support::token_in;

const SEED: u64 = 20_261_207;
/// Letters of the short form, which CI runs.
const SHORT: usize = 300;
/// People who post at the same time.
const POSTERS: usize = 4;
/// Connections to the mail server.
const CONNECTIONS: usize = 8;
/// How long after a letter was taken the service may not have noted so yet, on a machine that has much to do.
const NOTING: f64 = 5.0;
/// Longest delay of a letter by others whose recipients are poison, in seconds.
const DELAY: f64 = 60.0;

/// Who gets the letters: one in ten at good domains, the others poison.
const DOMAINS: [&str; 10] = [
    "good-a.example",
    "tarpit.example",
    "defer.example",
    "closing.example",
    "drop.example",
    "mute.example",
    "refuse.example",
    "tarpit.example",
    "defer.example",
    "drop.example",
];

/// A line of the mail server's log: what happened to one letter.
#[derive(Debug, Deserialize)]
struct Event {
    /// Seconds since 1970.
    at: f64,
    what: String,
    to: String,
    /// The Message-ID, once there was a body.
    id: Option<String>,
}

impl Event {
    fn is_copy(&self) -> bool {
        matches!(&*self.what, "taken" | "lost" | "vanished")
    }
}

/// The mail server: `tests/smtp/storm.py`, whose head says what it does.
struct Storm {
    process: Child,
    dir: tempfile::TempDir,
    ports: BTreeMap<String, u16>,
    /// The log as far as it was read, and how far that is.
    read: RefCell<(u64, Vec<Rc<Event>>)>,
}

impl Storm {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let arguments = ["log", CERTIFICATE, CERTIFICATE_KEY, &SEED.to_string()];
        let (process, ports) = smtp::start(dir.path(), "storm.py", &arguments);
        Self {
            process,
            dir,
            ports,
            read: RefCell::default(),
        }
    }

    fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Every domain takes letters again but the one that refuses.
    fn heal(&mut self) {
        let input = self.process.stdin.as_mut().unwrap();
        writeln!(input, "heal").unwrap();
    }

    fn events(&self) -> Vec<Rc<Event>> {
        let (from, events) = &mut *self.read.borrow_mut();
        let mut log = fs::File::open(self.dir.path().join("log")).unwrap();
        log.seek(SeekFrom::Start(*from)).unwrap();
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        // The last line may be half a line still.
        for line in text.split_inclusive('\n').filter(|l| l.ends_with('\n')) {
            events.push(Rc::new(serde_json::from_str(line).unwrap()));
            *from += u64::try_from(line.len()).unwrap();
        }
        events.clone()
    }

    fn taken(&self) -> usize {
        self.events().iter().filter(|e| e.what == "taken").count()
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// A letter as the service knows it.
#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Text>)]
    last_error: Option<String>,
    #[diesel(sql_type = BigInt)]
    attempts: i64,
    /// Microseconds since 1970.
    #[diesel(sql_type = BigInt)]
    created_at: i64,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// A service that is killed, and what is known about its letters from outside.
struct Service {
    dir: tempfile::TempDir,
    env: Vec<(&'static str, String)>,
    server: Option<Server>,
    random: StdRng,
    /// When it was killed: just before and just after.
    kills: Vec<(f64, f64)>,
}

impl Service {
    /// Not started yet.
    fn new() -> Self {
        let env = [
            ("LIMITS__MODE", "off"),
            ("MAIL__TRANSPORT", "smtp"),
            ("MAIL__FROM", "Manyhands <help@example.net>"),
            ("MAIL__SMTP__HOST", "localhost"),
            ("MAIL__SMTP__TIMEOUT", "4s"),
            ("MAIL__SMTP__TLS", "starttls"),
            ("MAIL__SMTP__USERNAME", "app"),
            ("MAIL__SMTP__PASSWORD", "s3cret"),
            ("OUTBOX__LEASE", "10s"),
            ("OUTBOX__RETRY_FIRST", "1s"),
            ("OUTBOX__RETRY_MAX", "1m"),
            ("WEBHOOKS__TIMEOUT", "4s"),
            ("LOG__FILTER", "warn,manyhands::app=info"),
        ];
        let connections = CONNECTIONS.to_string();
        let mut env: Vec<_> = env.map(|(k, v)| (k, v.to_owned())).to_vec();
        env.push(("OUTBOX__PARALLEL", connections.clone()));
        env.push(("MAIL__SMTP__POOL_SIZE", connections));
        Self {
            dir: tempfile::tempdir().unwrap(),
            env,
            server: None,
            random: StdRng::seed_from_u64(SEED),
            kills: Vec::new(),
        }
    }

    fn set(&mut self, key: &'static str, value: &impl ToString) {
        self.env.retain(|(k, _)| *k != key);
        self.env.push((key, value.to_string()));
    }

    fn env(&self) -> Vec<(&str, &str)> {
        self.env.iter().map(|(k, v)| (*k, &**v)).collect()
    }

    fn start(&mut self) {
        self.server = Some(Server::start(self.dir.path(), &self.env()));
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    fn kill(&mut self) {
        let before = now();
        self.server.take().unwrap().kill();
        self.kills.push((before, now()));
    }

    /// Killed, and started with whatever was set meanwhile.
    fn restart(&mut self) {
        self.kill();
        self.start();
    }

    /// A token of the scope `intake`: who posts with it vouches for the address, which puts letters into the lane of
    /// confirmed ones.
    fn desk(&self) -> String {
        let output = program(self.dir.path(), &self.env())
            .args([
                "coordinator",
                "add",
                "Desk",
                "--email",
                "desk@good-a.example",
            ])
            .args(["--scope", "intake"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        token_in(&said, "mhc_").unwrap_or_else(|| panic!("{output:?}"))
    }

    /// Somebody posts: every third a neighbor by the desk, the others volunteers.
    fn post(&self, n: usize, email: &str, desk: &str) {
        let location = json!({"lat": 44.9778, "lon": -93.2650});
        let contact = json!({"name": "Ana", "email": email});
        let key = format!("post-{n}");
        let bearer = format!("Bearer {desk}");
        let mut headers = vec![("Idempotency-Key", &*key)];
        let (path, body) = if n.is_multiple_of(3) {
            headers.push(("Authorization", &bearer));
            let needs = [json!({"category": "food", "quantity": 1})];
            let body = json!({"contact": contact, "location": location, "needs": needs});
            ("/v1/requests", body)
        } else {
            let offers = [json!({"category": "pet_care", "capacity": 1})];
            let body = json!({"contact": contact, "location": location, "offers": offers});
            ("/v1/offers", body)
        };
        let answer = self.server().post(path, &headers, &body).unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    /// Many post, as `letters` of them are to be; gives their addresses.
    fn fill(&self, letters: usize, desk: &str) -> Vec<String> {
        let emails: Vec<String> = (0..letters)
            .map(|n| format!("p{n}@{}", DOMAINS[n / 3 % DOMAINS.len()]))
            .collect();
        thread::scope(|scope| {
            for poster in 0..POSTERS {
                let emails = &emails;
                scope.spawn(move || {
                    for (n, email) in emails.iter().enumerate().skip(poster).step_by(POSTERS) {
                        self.post(n, email, desk);
                    }
                });
            }
        });
        emails
    }

    fn database(&self) -> SqliteConnection {
        let path = self.dir.path().join("data/manyhands.db");
        SqliteConnection::establish(path.to_str().unwrap()).unwrap()
    }

    fn letters(&self) -> Vec<Row> {
        let sql = "SELECT lower(hex(id)) AS id, state, last_error, attempts, created_at FROM letters WHERE event IS NULL";
        diesel::sql_query(sql).load(&mut self.database()).unwrap()
    }

    fn queued(&self) -> usize {
        let sql = "SELECT count(*) AS n FROM letters WHERE state = 'queued' AND event IS NULL";
        let counted: Count = diesel::sql_query(sql)
            .get_result(&mut self.database())
            .unwrap();
        usize::try_from(counted.n).unwrap()
    }

    fn wait_for_error(&self, error: &str) {
        wait_for(error, || {
            let has_it = |l: &Row| l.last_error.as_deref() == Some(error);
            self.letters().iter().any(has_it).then_some(())
        });
    }

    /// Waits for a moment that nobody has chosen.
    #[expect(clippy::disallowed_methods, reason = "a kill comes at any time")]
    fn let_pass(&mut self, at_most: Duration) {
        thread::sleep(at_most.mul_f64(self.random.random_range(0.1..1.0)));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "two processes and their times are compared"
)]
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs_f64()
}

fn is_good(email: &str) -> bool {
    email.ends_with("@good-a.example")
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are asked for")]
fn no_letter_is_lost_or_repeated_without_need_and_poison_delays_nobody() {
    let size = std::env::var("MANYHANDS_TEST_LETTERS").map_or(SHORT, |n| n.parse().unwrap());
    let is_long = size > SHORT;
    let (kills, parts) = if is_long {
        (10, &[4, 2][..])
    } else {
        (2, &[2][..])
    };
    let mut storm = Storm::start();
    let mut service = Service::new();

    // Nobody listens where the mail server should be, and everybody posts.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = nobody.local_addr().unwrap().port();
    drop(nobody);
    service.set("MAIL__SMTP__PORT", &closed);
    let started = Instant::now();
    service.start();
    let desk = service.desk();
    let mut emails = service.fill(size, &desk);
    let filled_in = started.elapsed();
    service.wait_for_error("connect");

    through_bad_servers(&mut service, &storm);
    let delays = among_poison(&mut service, &storm, size, &desk, &mut emails);

    // Killed again and again in the middle of that.
    for _ in 0..kills {
        service.let_pass(Duration::from_secs(2));
        service.restart();
    }

    // All is well again, but for the kills.
    storm.heal();
    let healed = (Instant::now(), storm.taken());
    for part in parts {
        let left = service.queued() / part;
        wait_patiently("some of the backlog", size, || service.queued() <= left);
        service.restart();
    }
    wait_patiently("the end of the backlog", size, || service.queued() == 0);
    let drained = (healed.0.elapsed(), storm.taken() - healed.1);
    let (status, log) = service.server.take().unwrap().terminate();
    assert!(status.success(), "{log}");

    let sums = check(&storm, &service, &emails);
    let longest = delays.iter().copied().fold(0.0, f64::max);
    println!(
        "{size} posts in {:.1} s; {} letters, {} sent, {} dead (550); repeats: {} after a lost answer, {} after a kill \
         ({} kills), none else; longest delay of {} good letters among poison: {longest:.1} s; then {} letters in {:.1} s, \
         {:.0} a second",
        filled_in.as_secs_f64(),
        sums.letters,
        sums.sent,
        sums.dead,
        sums.after_silence,
        sums.after_kill,
        service.kills.len(),
        delays.len(),
        drained.1,
        drained.0.as_secs_f64(),
        drained.1 as f64 / drained.0.as_secs_f64(),
    );
}

/// Then there is one whose certificate nobody vouches for, one that is too busy, and one that never greets.
fn through_bad_servers(service: &mut Service, storm: &Storm) {
    for (port, error) in [
        ("relay", "tls"),
        ("busy", "deferred 421"),
        ("trickle", "timed_out"),
    ] {
        service.set("MAIL__SMTP__PORT", &storm.ports[port]);
        service.restart();
        service.wait_for_error(error);
    }
    assert_eq!(storm.taken(), 0);
    let tried: i64 = service.letters().iter().map(|l| l.attempts).sum();
    // What a kill interrupts counts as tried: a claim and a half of each lane, for each of the four.
    assert!(
        tried <= 4 * 2 * 75,
        "a dead server was knocked at {tried} times"
    );
}

/// At last the right one; but nine in ten letters go to recipients that it has trouble with. Gives how long those to good
/// domains were delayed.
fn among_poison(
    service: &mut Service,
    storm: &Storm,
    size: usize,
    desk: &str,
    emails: &mut Vec<String>,
) -> Vec<f64> {
    service.set("MAIL__SMTP__PORT", &storm.ports["relay"]);
    service.set("MAIL__SMTP__CA_FILE", &storm.ca_file().display());
    service.restart();
    let poisoned_at = now();
    for n in 0..10 {
        let email = format!("late{n}@good-a.example");
        service.post(size + n, &email, desk);
        emails.push(email);
    }
    let arrived = |storm: &Storm| -> BTreeSet<String> {
        let events = storm.events();
        let good = events
            .into_iter()
            .filter(|e| e.what == "taken" && is_good(&e.to));
        good.map(|e| e.to.clone()).collect()
    };
    let good: BTreeSet<String> = emails.iter().filter(|e| is_good(e)).cloned().collect();
    wait_for("the letters to good domains", || {
        good.is_subset(&arrived(storm)).then_some(())
    });
    // Everybody's trouble was met.
    wait_for("all the poison", || {
        let events = storm.events();
        let met = |what: &str| events.iter().any(|e| e.what == what);
        ["tarpit", "451", "421", "550", "lost", "vanished"]
            .iter()
            .all(|what| met(what))
            .then_some(())
    });
    let delays = delays(storm, service, poisoned_at);
    let longest = delays.iter().copied().fold(0.0, f64::max);
    assert!(
        longest < DELAY,
        "good letters were delayed by up to {longest} s"
    );
    delays
}

/// As long as there are many, letters take their time.
fn wait_patiently(what: &str, letters: usize, mut is_so: impl FnMut() -> bool) {
    for _ in 0..=letters / 1000 {
        let started = Instant::now();
        wait_for(what, || {
            (is_so() || started.elapsed().as_secs() > 100).then_some(())
        });
        if is_so() {
            return;
        }
    }
    panic!("waited in vain for {what}");
}

/// How long letters to good domains took that have arrived, from when they could leave.
fn delays(storm: &Storm, service: &Service, from: f64) -> Vec<f64> {
    let rows = service.letters();
    let created: BTreeMap<&str, f64> = rows
        .iter()
        .map(|row| (&*row.id, row.created_at as f64 / 1e6))
        .collect();
    let events = storm.events();
    let good = events.iter().filter(|e| e.is_copy() && is_good(&e.to));
    good.map(|e| e.at - created[&*letter_id(e)].max(from))
        .collect()
}

/// The letter's id as the database writes it, out of a Message-ID.
fn letter_id(event: &Event) -> String {
    let id = event.id.as_deref().unwrap();
    let (id, domain) = id.trim_matches(['<', '>']).split_once('@').unwrap();
    assert_eq!(domain, "example.net");
    id.replace('-', "")
}

/// What the mail server's log and the database say together.
#[derive(Default)]
struct Sums {
    letters: usize,
    sent: usize,
    dead: usize,
    after_silence: usize,
    after_kill: usize,
}

fn check(storm: &Storm, service: &Service, emails: &[String]) -> Sums {
    let events = storm.events();
    let mut copies: BTreeMap<String, Vec<&Event>> = BTreeMap::new();
    for event in events.iter().filter(|e| e.is_copy()) {
        copies.entry(letter_id(event)).or_default().push(&**event);
    }
    let refused: BTreeSet<&str> = events
        .iter()
        .filter(|e| e.what == "550")
        .map(|e| &*e.to)
        .collect();
    let mut sums = Sums::default();
    let rows = service.letters();
    for row in &rows {
        sums.letters += 1;
        let copies = copies.get(&row.id).map_or(&[][..], Vec::as_slice);
        match &*row.state {
            "sent" => {
                sums.sent += 1;
                let last = copies.last().unwrap_or_else(|| panic!("{row:?} was lost"));
                assert_eq!(last.what, "taken", "{row:?} {copies:?}");
            }
            "dead" => {
                sums.dead += 1;
                assert_eq!(row.last_error.as_deref(), Some("refused 550"), "{row:?}");
                assert!(copies.is_empty(), "{row:?} {copies:?}");
            }
            _ => panic!("{row:?}"),
        }
        for pair in copies.windows(2) {
            let [earlier, later] = pair else { continue };
            assert_eq!(earlier.to, later.to, "one Message-ID, two recipients");
            if earlier.what != "taken" {
                sums.after_silence += 1;
                continue;
            }
            let unknown = |(before, after): &(f64, f64)| {
                earlier.at <= *after && earlier.at >= before - NOTING
            };
            assert!(
                service.kills.iter().any(unknown),
                "{row:?} was repeated, and its outcome was known: {copies:?}"
            );
            sums.after_kill += 1;
        }
    }
    assert!(
        sums.after_kill <= service.kills.len() * CONNECTIONS,
        "more was repeated than was on its way: {}",
        sums.after_kill
    );
    // Whoever was told that the post is there got a letter.
    let reached: BTreeSet<&str> = events
        .iter()
        .filter(|e| e.what == "taken")
        .map(|e| &*e.to)
        .collect();
    for email in emails {
        let is_refused = email.ends_with("@refuse.example");
        assert_eq!(refused.contains(&**email), is_refused, "{email}");
        assert_eq!(reached.contains(&**email), !is_refused, "{email}");
    }
    sums
}

#[test]
fn a_backlog_leaves_no_faster_than_the_budget_also_across_kills() {
    const BUDGET: usize = 60;
    let storm = Storm::start();
    let mut service = Service::new();
    // Nobody listens there.
    service.set("MAIL__SMTP__PORT", &1);
    service.start();
    let desk = service.desk();
    // Ninety of volunteers, whose addresses nobody knows, and forty-five of neighbors whom the desk knows.
    for n in 0..135 {
        let email = format!("p{n}@good-a.example");
        service.post(n, &email, &desk);
    }
    service.set("MAIL__SMTP__PORT", &storm.ports["relay"]);
    service.set("MAIL__SMTP__CA_FILE", &storm.ca_file().display());
    service.set("LIMITS__MODE", &"on");
    service.set("MAIL__HOURLY_BUDGET", &BUDGET);
    service.restart();
    let letters = |storm: &Storm| -> BTreeSet<String> {
        storm.events().iter().map(|e| letter_id(e)).collect()
    };
    wait_for("all of the budget", || {
        (letters(&storm).len() >= BUDGET).then_some(())
    });
    // Twice more from the beginning, and every worker has looked.
    service.restart();
    service.restart();
    for worker in ["outbox", "outbox_unconfirmed"] {
        let line = format!("manyhands_worker_ticks_total{{worker=\"{worker}\",outcome=\"done\"}}");
        wait_for(&line, || {
            let admin = service.server().admin;
            let metrics = super::process::call(admin, "GET", "/metrics", &[], None).ok()?;
            let text = metrics.body.as_str()?.to_owned();
            let count = text
                .lines()
                .find_map(|l| l.strip_prefix(&line))?
                .trim()
                .parse::<f64>();
            (count.ok()? >= 3.0).then_some(())
        });
    }
    let left = letters(&storm);
    assert_eq!(
        left.len(),
        BUDGET,
        "in an hour, over several lives of the service"
    );
    let rows = service.letters();
    assert!(rows.iter().filter(|l| l.state == "queued").count() >= 135 - BUDGET);
}
