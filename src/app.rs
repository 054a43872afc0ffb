//! Puts the service together from its settings, runs it, and stops it.
//!
//! This is the one place that knows every part. Nothing is global: a test builds as many applications
//! as it likes, each with its own clock, randomness, transport and ports.

mod attendance;
mod open;
mod server;

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

use crate::actions::Ctx;
use crate::actions::report_instance::remove_instance;
use crate::domain::clock::{Clock, SystemClock};
use crate::domain::entropy::{Entropy, OsEntropy};
use crate::domain::ids::RecordId;
use crate::mail::transport::Transport;
use crate::settings::Settings;
use crate::storage::{Db, clocks};
use crate::telemetry::metrics::Metrics;
use crate::workers::clocks::ClockWatch;
use crate::workers::{self, Stop};
pub use open::{StartError, data_dir, open, open_locked, read_catalog, read_gazetteer};
use server::Serving;

/// For open requests, after the stop was asked for.
const HTTP_GRACE: Duration = Duration::from_secs(4);
/// For letters being sent, after that. What takes longer is cut off, and its lease runs out.
const MAIL_GRACE: Duration = Duration::from_secs(4);
/// For everything together: ten seconds, after which container engines kill, less some for the rest of
/// the process.
const WHOLE_GRACE: Duration = Duration::from_millis(9_500);
/// For the writer at least, whatever took the time before it.
const WRITER_GRACE: Duration = Duration::from_millis(500);

/// Which part of the work this process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    #[default]
    All,
    /// It answers people.
    Http,
    /// It matches, sends letters and keeps house.
    Worker,
}

impl Role {
    fn answers(self) -> bool {
        self != Self::Worker
    }

    fn works(self) -> bool {
        self != Self::Http
    }
}

/// What a test may want to be another than in production.
#[derive(Debug)]
pub struct Parts {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// How letters leave; `None`: as the settings say.
    pub transport: Option<Arc<Transport>>,
    /// Which part of the work is done.
    pub role: Role,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            transport: None,
            role: Role::default(),
        }
    }
}

/// The service, with its database open and its ports taken, but not answering yet.
#[derive(Debug)]
pub struct Application {
    ctx: Ctx,
    transport: Arc<Transport>,
    metrics: Metrics,
    role: Role,
    public: Option<Listener>,
    admin: Listener,
}

#[derive(Debug)]
struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// Why a running service ended by itself.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP server ended: {0}")]
pub struct RunError(#[from] std::io::Error);

impl Application {
    /// Opens everything and takes the ports.
    ///
    /// # Errors
    /// Says which part cannot be had, and what to do about it where that is known.
    pub async fn build(settings: Settings, parts: Parts) -> Result<Self, StartError> {
        for warning in settings.warnings() {
            tracing::warn!(key = warning.key, warning = warning.expected, "a setting");
        }
        // First of all, so that what is measured while it opens is kept.
        let metrics = Metrics::install()?;
        let ctx = open(settings, &parts).await?;
        if let Some(compared) = clocks::compare_with(&ctx.db, &ctx.clock).await? {
            compared.verdict()?;
        }
        if ctx.vault.keys().is_err() {
            tracing::warn!("locked: nobody is answered until `manyhands unlock`");
        }
        let server = &ctx.settings.server;
        let public = if parts.role.answers() {
            Some(Listener::bind("server.bind", server.bind)?)
        } else {
            None
        };
        let admin = Listener::bind("server.admin_bind", server.admin_bind)?;
        let transport = match parts.transport {
            Some(transport) => transport,
            None => Arc::new(Transport::new(&ctx.settings.mail)?),
        };
        Ok(Self {
            metrics,
            role: parts.role,
            ctx,
            transport,
            public,
            admin,
        })
    }

    /// Where people are answered; `None` for a process that does not.
    #[must_use]
    pub fn public_address(&self) -> Option<SocketAddr> {
        self.public.as_ref().map(|listener| listener.address)
    }

    /// Where operators are answered.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin.address
    }

    /// What the actions work with.
    #[must_use]
    pub fn ctx(&self) -> &Ctx {
        &self.ctx
    }

    /// How letters leave.
    #[must_use]
    pub fn transport(&self) -> &Arc<Transport> {
        &self.transport
    }

    /// Answers and works until `stop`, then finishes what it can within ten seconds.
    ///
    /// # Errors
    /// A server that ends by itself; the rest is stopped all the same.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> Result<(), RunError> {
        let (stopping, is_stopping) = watch::channel(false);
        let http_address = self.public_address().map(tracing::field::display);
        tracing::info!(http.address = http_address, admin.address = %self.admin.address, "listening");

        let mut public = match self.public {
            Some(listener) => Some(server::public(
                listener.socket,
                &self.ctx,
                &is_stopping,
                HTTP_GRACE,
            )?),
            None => None,
        };
        // After the others: it says that they are ready.
        let mut admin = server::admin(
            self.admin.socket,
            &self.ctx,
            is_stopping.clone(),
            self.metrics.clone(),
        )?;
        let instance = RecordId::new(self.ctx.entropy.as_ref());
        let stop_all = Stop::new(is_stopping);
        let clocks = Arc::new(ClockWatch::default());
        let everywhere = workers::start_everywhere(&self.ctx, instance, &stop_all, &clocks);
        let workers = if self.role.works() {
            workers::start(&self.ctx, &self.transport, &stop_all, &clocks)
        } else {
            JoinSet::new()
        };
        let mut upkeep = JoinSet::new();
        upkeep.spawn(keep_up(self.metrics));

        let ended = tokio::select! {
            () = stop => Ok(()),
            ended = admin.ended() => ended,
            ended = ended(public.as_mut()) => ended,
        };
        let begun = Instant::now();
        tracing::info!("stopping");
        stopping.send_replace(true);
        if let Some(public) = public {
            public.finish(HTTP_GRACE).await;
        }
        finish(workers).await;
        finish(everywhere).await;
        // Where it cannot be told any more, the others notice by and by.
        let _ = timeout(WRITER_GRACE, remove_instance(&self.ctx, instance)).await;
        let closed = close(&self.transport, self.ctx.db, begun + WHOLE_GRACE);
        tokio::join!(admin.end(), closed);
        let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(elapsed_ms, "stopped");
        Ok(ended?)
    }
}

impl Listener {
    fn bind(key: &'static str, address: SocketAddr) -> Result<Self, StartError> {
        let failed = |source| StartError::Bind {
            key,
            address,
            source,
        };
        let socket = TcpListener::bind(address).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address })
    }
}

/// The end of a server; never, where there is none.
async fn ended(server: Option<&mut Serving>) -> std::io::Result<()> {
    match server {
        Some(server) => server.ended().await,
        None => std::future::pending().await,
    }
}

/// Lets the workers finish what they have begun, and cuts off what takes too long.
async fn finish(mut workers: JoinSet<()>) {
    let all = async { while workers.join_next().await.is_some() {} };
    if timeout(MAIL_GRACE, all).await.is_err() {
        tracing::warn!(
            workers = workers.len(),
            "work was cut off; it is taken up again when its lease has run out"
        );
        workers.shutdown().await;
    }
}

/// Says goodbye to the mail server, and lets the writer finish: nothing writes any more.
async fn close(transport: &Transport, db: Db, deadline: Instant) {
    let left = deadline
        .saturating_duration_since(Instant::now())
        .max(WRITER_GRACE);
    let drained = timeout(left, spawn_blocking(move || db.close()));
    let (drained, ()) = tokio::join!(drained, transport.close());
    if drained.is_err() {
        tracing::error!("the writer did not finish in time; what was acknowledged is on disk");
    }
}

async fn keep_up(metrics: Metrics) {
    loop {
        tokio::time::sleep(Metrics::UPKEEP_EVERY).await;
        metrics.upkeep();
    }
}
