//! The floor under posting a request: what it costs to write the same rows, and nothing else.
//!
//! A handler of actix that takes a body without looking at it, writes copies of the rows that the service
//! has written for a post, with ids and hashes of their own, through the same door and so with the same group
//! commit, and answers as many bytes. What the service does beside that is what the comparison shows: reading
//! and checking the post, sealing, looking whether it came before, and who posts, and showing what was made.
//!
//! Both are processes of their own, and are loaded in turns by the same callers with the same bodies. The service
//! runs as `--role http`, so that nothing of what it does later falls into the turn of the floor.

use std::fmt;
use std::process::Command;
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use clap::Args;
use manyhands::crypto::lookup::KeyedHash;
use manyhands::crypto::token::Purpose;
use manyhands::domain::clock::{Clock, SystemClock, Ts};
use manyhands::domain::entropy::{Entropy, OsEntropy};
use manyhands::domain::ids::{LetterId, NeighborId, RecordId, RequestId};
use manyhands::storage::audit::{self, Actor};
use manyhands::storage::letters::{self, Letter};
use manyhands::storage::neighbors::{self, Neighbor};
use manyhands::storage::page::Page;
use manyhands::storage::requests::{self, Request};
use manyhands::storage::tokens::{self, TokenRow};
use manyhands::storage::{Conn, Db, TxError, changes, idempotency, key_epochs};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::client::{Load, Mix};
use super::figures::Figures;
use super::mix::Kind;
use super::service::{Process, Service, port};

/// The process that is the floor.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Where it answers, on loopback.
    #[arg(long)]
    port: u16,
    /// The database whose rows it copies.
    #[arg(long)]
    like: String,
    /// The database that it writes to.
    #[arg(long)]
    database: String,
    /// How many bytes it answers.
    #[arg(long)]
    answers: usize,
}

/// The rows of one post.
#[derive(Clone)]
struct Rows {
    neighbor: Neighbor,
    request: Request,
    letter: Letter,
}

impl Rows {
    fn read(conn: &mut Conn) -> Option<Self> {
        let page = Page {
            after: None,
            limit: 1,
        };
        let letter = letters::page(conn, &letters::LetterFilter::default(), page)
            .ok()?
            .pop()?;
        let neighbor = neighbors::find(conn, NeighborId::from(letter.to_id)).ok()??;
        let request = requests::of_neighbor(conn, neighbor.id).ok()?.pop()?;
        Some(Self {
            neighbor,
            request,
            letter,
        })
    }

    /// As many bytes, of somebody else.
    fn another(&self, entropy: &dyn Entropy, now: Ts) -> Self {
        let hash = || KeyedHash::from(entropy.bytes::<32>());
        let neighbor = Neighbor {
            id: NeighborId::new(entropy),
            email_hash: self.neighbor.email_hash.map(|_| hash()),
            phone_hash: self.neighbor.phone_hash.map(|_| hash()),
            created_at: now,
            updated_at: now,
            ..self.neighbor.clone()
        };
        let request = Request {
            id: RequestId::new(entropy),
            neighbor_id: neighbor.id,
            match_due_at: Some(now),
            created_at: now,
            updated_at: now,
            ..self.request.clone()
        };
        let letter = Letter {
            id: LetterId::new(entropy),
            to_id: RecordId::from(neighbor.id),
            due_at: now,
            created_at: now,
            ..self.letter.clone()
        };
        Self {
            neighbor,
            request,
            letter,
        }
    }

    fn write(&self, conn: &mut Conn, entropy: &dyn Entropy) -> Result<(), TxError<()>> {
        let hash = || KeyedHash::from(entropy.bytes::<32>());
        let Self {
            neighbor,
            request,
            letter,
        } = self;
        let now = neighbor.created_at;
        idempotency::remember(conn, hash(), hash(), neighbor.id.into(), now)?;
        neighbors::insert(conn, neighbor)?;
        requests::insert(conn, std::slice::from_ref(request))?;
        changes::requests(conn, &[request.id], now)?;
        let token = TokenRow {
            hash: hash(),
            purpose: Purpose::Neighbor,
            subject_id: neighbor.id.into(),
            created_at: now,
            expires_at: None,
        };
        tokens::insert(conn, &token)?;
        letters::insert(conn, std::slice::from_ref(letter))?;
        let subject = ("neighbor", neighbor.id.into());
        let detail = [("requests", 1.into())];
        audit::record(
            conn,
            now,
            Actor::ANYONE,
            "requests_posted",
            subject,
            &detail,
        )?;
        Ok(())
    }
}

struct Floor {
    db: Db,
    rows: Rows,
    answer: Vec<u8>,
}

async fn post(floor: web::Data<Floor>, body: web::Bytes) -> HttpResponse {
    drop(body);
    let rows = floor.rows.another(&OsEntropy, SystemClock.now());
    let written = floor
        .db
        .write(move |conn| rows.write(conn, &OsEntropy))
        .await;
    match written {
        Ok(()) => HttpResponse::Created()
            .content_type("application/json")
            .body(floor.answer.clone()),
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

/// Is the floor, until it is killed.
pub async fn serve(arguments: Arguments) {
    let open = |url: &str| Db::open(&url.parse().expect("a database")).expect("it opens");
    let like = open(&arguments.like);
    let read = |conn: &mut Conn| {
        let epochs = key_epochs::all(conn)?;
        Ok::<_, TxError<()>>((epochs, Rows::read(conn).expect("a post to copy")))
    };
    let (epochs, rows) = like.read(read).await.expect("its rows");
    let db = if arguments.like == arguments.database {
        like
    } else {
        like.close();
        let db = open(&arguments.database);
        // The rows name the key by which they are sealed.
        let known = move |conn: &mut Conn| -> Result<(), TxError<()>> {
            Ok(key_epochs::insert(conn, &epochs)?)
        };
        db.write(known).await.expect("keys");
        db
    };
    let floor = web::Data::new(Floor {
        db,
        rows,
        answer: vec![b' '; arguments.answers],
    });
    HttpServer::new(move || {
        App::new()
            .app_data(floor.clone())
            .route("/v1/requests", web::post().to(post))
    })
    .bind(("127.0.0.1", arguments.port))
    .expect("a free port")
    .run()
    .await
    .expect("it runs until it is killed");
}

/// What one of both has done in all of its turns.
#[derive(Default)]
struct Turns {
    rates: Vec<f64>,
    posts: u64,
    worked: Duration,
    last: Option<Figures>,
}

impl Turns {
    async fn take(&mut self, load: &Load, process: &Process, callers: usize, lasts: Duration) {
        let before = process.worked();
        let figures = load.closed(Mix::Only(Kind::Request), callers, lasts).await;
        self.worked += process.worked().saturating_sub(before);
        self.posts += figures.done();
        self.rates.push(figures.rate());
        self.last = Some(figures);
    }

    /// Processor time of one post, in microseconds.
    fn work_us(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let posts = self.posts.max(1) as f64;
        self.worked.as_secs_f64() * 1e6 / posts
    }

    fn median(&self) -> f64 {
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    }

    fn json(&self) -> Value {
        json!({
            "per_second": self.rates, "median_per_second": self.median(), "work_us": self.work_us(),
            "last": self.last.as_ref().map(Figures::json),
        })
    }
}

impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rates: Vec<String> = self.rates.iter().map(|rate| format!("{rate:.0}")).collect();
        let (median, work) = (self.median(), self.work_us());
        writeln!(
            f,
            "{median:.0} posts a second (the median of {}), {work:.0} us of processor time each",
            rates.join(", ")
        )?;
        self.last.as_ref().map_or(Ok(()), |last| last.fmt(f))
    }
}

/// Loads the service and the floor in turns.
pub async fn compare(
    database: &str,
    seed: u64,
    rounds: usize,
    callers: usize,
    lasts: Duration,
) -> Value {
    let service = Service::start(database, "http").await;
    let full = Load::at(&service.url, seed);
    let answers = full.post_one().await;
    let own = format!(
        "sqlite:{}",
        service.file().with_file_name("floor.db").display()
    );
    let (like, written) = match database {
        "sqlite" => (format!("sqlite:{}", service.file().display()), own),
        url => (url.to_owned(), url.to_owned()),
    };
    let (port, program) = (port(), std::env::current_exe().expect("this program"));
    let mut floor = Command::new(program);
    floor
        .args(["serve-floor", "--like", &like, "--database", &written])
        .args([
            "--port",
            &port.to_string(),
            "--answers",
            &answers.to_string(),
        ]);
    let mut floor = Process(floor.spawn().expect("it starts"));
    let bare = Load::at(&format!("http://127.0.0.1:{port}"), seed);
    while bare.post_one().await == 0 {
        sleep(Duration::from_millis(50)).await;
    }
    let (mut full_turns, mut bare_turns) = (Turns::default(), Turns::default());
    for _ in 0..rounds.max(1) {
        bare_turns.take(&bare, &floor, callers, lasts).await;
        full_turns
            .take(&full, &service.process, callers, lasts)
            .await;
    }
    floor.end("-KILL").await;
    service.stop().await;
    let rate = full_turns.median() / bare_turns.median();
    let work = full_turns.work_us() / bare_turns.work_us();
    println!("the floor: {bare_turns}the service: {full_turns}");
    println!("the service reaches {rate:.2} of the floor's rate, with {work:.2} of its work");
    json!({"floor": bare_turns.json(), "service": full_turns.json(), "rate": rate, "work": work})
}
