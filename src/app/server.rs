//! The two HTTP servers, with bounds on everything that a stranger could use up.

use std::io;
use std::net::TcpListener;
use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::attendance::{attend, count};
use crate::actions::Ctx;
use crate::http::{self, admin, deadline, guard, head, headers, locked, observe, shed};
use crate::telemetry::metrics::Metrics;

/// For the head of a request, and no longer than for all of it; old phones on bad networks are slow.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// For a connection without a request, and no longer than for one.
const IDLE: Duration = Duration::from_secs(15);
/// For the end of a connection that we close, and of a server that waits for nobody.
const GOODBYE: Duration = Duration::from_secs(1);
/// Connections of each thread; one more waits.
const CONNECTIONS: usize = 4096;
/// Connections of the admin address.
const ADMIN_CONNECTIONS: usize = 64;

/// A server at work.
pub(super) struct Serving {
    handle: ServerHandle,
    task: JoinHandle<io::Result<()>>,
}

impl Serving {
    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> io::Result<()> {
        (&mut self.task)
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    /// Takes no more connections, waits for open requests as long as `grace`, and ends. Actix looks at
    /// the time only once a second; what is still open when `grace` is over ends with the process.
    pub async fn finish(self, grace: Duration) {
        if timeout(grace, self.handle.stop(true)).await.is_err() {
            tracing::warn!("calls were cut off");
        }
        self.task.abort();
    }

    /// Ends without waiting for anybody.
    pub async fn end(self) {
        // Where it takes too long to end, it ends with the process.
        let _ = timeout(GOODBYE, self.handle.stop(false)).await;
        self.task.abort();
    }
}

/// How long a client may take, as the settings say how long a call may take.
#[derive(Clone, Copy)]
struct Patience {
    /// For the first head.
    head: Duration,
    /// Between two calls, when the answer has been taken.
    idle: Duration,
    /// From an answer to the next call: for taking it, for the pause, and for the head.
    between: Duration,
}

impl Patience {
    fn new(longest_call: Duration) -> Self {
        let (head, idle) = (HEAD_WITHIN.min(longest_call), IDLE.min(longest_call));
        Self {
            head,
            idle,
            between: longest_call + idle + head,
        }
    }
}

/// Answers people.
pub(super) fn public(
    listener: TcpListener,
    ctx: &Ctx,
    stopping: &watch::Receiver<bool>,
    grace: Duration,
) -> io::Result<Serving> {
    let routes = http::routes(ctx.clone());
    let stopping = Data::new(stopping.clone());
    let patience = Patience::new(ctx.settings.server.request_timeout);
    let threads = match ctx.settings.server.workers {
        0 => available_parallelism().map_or(2, NonZero::get),
        some => usize::try_from(some).unwrap_or(usize::MAX),
    };
    let server = HttpServer::new(move || {
        App::new()
            .wrap(Compress::default())
            .wrap(from_fn(guard::limit))
            .wrap(from_fn(head::as_get))
            .wrap(from_fn(locked::refuse))
            .wrap(from_fn(shed::shed))
            .wrap(from_fn(deadline::bound))
            .wrap(from_fn(headers::secure))
            .wrap(from_fn(observe::observe))
            .wrap(from_fn(count))
            .app_data(stopping.clone())
            .configure(routes.clone())
    })
    .workers(threads)
    .max_connections(CONNECTIONS)
    .on_connect(move |socket, data| attend(socket, data, patience.between))
    .client_request_timeout(patience.head)
    .client_disconnect_timeout(GOODBYE)
    .keep_alive(patience.idle)
    .shutdown_timeout(grace.as_secs())
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(spawn(server))
}

/// Answers operators.
pub(super) fn admin(
    listener: TcpListener,
    ctx: &Ctx,
    stopping: watch::Receiver<bool>,
    metrics: Metrics,
) -> io::Result<Serving> {
    let patience = Patience::new(ctx.settings.server.request_timeout);
    let routes = admin::routes(ctx.clone(), stopping, metrics);
    let server = HttpServer::new(move || {
        App::new()
            .wrap(from_fn(head::as_get))
            .wrap(from_fn(headers::secure))
            .wrap(from_fn(count))
            .configure(routes.clone())
    })
    .workers(1)
    .max_connections(ADMIN_CONNECTIONS)
    .on_connect(move |socket, data| attend(socket, data, patience.between))
    .client_request_timeout(patience.head)
    .client_disconnect_timeout(GOODBYE)
    .keep_alive(patience.idle)
    .shutdown_timeout(0)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(spawn(server))
}

fn spawn(server: actix_web::dev::Server) -> Serving {
    Serving {
        handle: server.handle(),
        task: tokio::spawn(server),
    }
}
