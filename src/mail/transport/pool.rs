//! Connections that rest between letters.
//!
//! lettre has a pool too, but it takes back a connection whose caller was cut off in the middle, with
//! an answer still to come: the next letter then reads the answer to the one before. Here a
//! connection comes back only after a whole conversation.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::{SendError, Trouble};

/// Longest wait for goodbyes.
const FAREWELL: Duration = Duration::from_secs(1);

/// As many connections as there are permits, in use or resting.
#[derive(Debug)]
pub(super) struct Pool {
    permits: Semaphore,
    resting: Mutex<Resting>,
    /// How long a connection may rest.
    limit: Duration,
}

#[derive(Default)]
struct Resting {
    connections: Vec<(Instant, AsyncSmtpConnection)>,
    /// Whether a task will close what rests too long.
    watched: bool,
}

impl std::fmt::Debug for Resting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resting({})", self.connections.len())
    }
}

impl Pool {
    pub(super) fn new(size: usize, limit: Duration) -> Arc<Self> {
        Arc::new(Self {
            permits: Semaphore::new(size),
            resting: Mutex::default(),
            limit,
        })
    }

    /// The right to one connection; waits for it.
    pub(super) async fn permit(&self) -> Result<SemaphorePermit<'_>, SendError> {
        let permit = self.permits.acquire().await;
        permit.map_err(|_| SendError::temporary(Trouble::Closed))
    }

    /// The connection that rested shortest, so that a quiet time needs few.
    pub(super) fn wake(&self) -> Option<AsyncSmtpConnection> {
        self.lock()
            .connections
            .pop()
            .map(|(_, connection)| connection)
    }

    /// Lets a connection rest whose last command was answered.
    pub(super) fn rest(self: &Arc<Self>, connection: AsyncSmtpConnection) {
        if self.permits.is_closed() || connection.has_broken() {
            return;
        }
        let mut resting = self.lock();
        resting.connections.push((Instant::now(), connection));
        if !mem::replace(&mut resting.watched, true) {
            tokio::spawn(watch(Arc::downgrade(self), self.limit));
        }
    }

    /// Lets nobody in any more and ends what rests.
    pub(super) async fn close(&self) {
        self.permits.close();
        let resting = mem::take(&mut self.lock().connections);
        farewell(resting).await;
    }

    /// What has rested too long, and whether the watch goes on because something is left.
    fn overdue(&self) -> (Vec<(Instant, AsyncSmtpConnection)>, bool) {
        let mut resting = self.lock();
        let connections = mem::take(&mut resting.connections);
        let (overdue, fresh) = connections
            .into_iter()
            .partition(|(since, _)| since.elapsed() >= self.limit);
        resting.connections = fresh;
        resting.watched = !resting.connections.is_empty();
        (overdue, resting.watched)
    }

    fn lock(&self) -> MutexGuard<'_, Resting> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn watch(pool: Weak<Pool>, limit: Duration) {
    let mut goes_on = true;
    while goes_on {
        tokio::time::sleep(limit).await;
        let Some(pool) = pool.upgrade() else { return };
        let overdue;
        (overdue, goes_on) = pool.overdue();
        farewell(overdue).await;
    }
}

async fn farewell(connections: Vec<(Instant, AsyncSmtpConnection)>) {
    let goodbyes = async {
        for (_, mut connection) in connections {
            connection.abort().await;
        }
    };
    // Past the time the sockets are closed without a word, which servers bear.
    let _ = tokio::time::timeout(FAREWELL, goodbyes).await;
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    use lettre::transport::smtp::extension::ClientId;

    use super::*;

    #[tokio::test]
    async fn a_connection_that_rested_long_enough_is_closed_politely() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let words = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            socket.write_all(b"220 hello\r\n").unwrap();
            let mut heard = Vec::new();
            for line in BufReader::new(socket.try_clone().unwrap()).lines() {
                heard.push(line.unwrap());
                socket.write_all(b"250 fine\r\n").unwrap();
            }
            heard
        });
        let hello = ClientId::Domain("example.org".to_owned());
        let connection =
            AsyncSmtpConnection::connect_tokio1(server, None, &hello, None, None).await;
        let pool = Pool::new(1, Duration::from_millis(1));
        pool.rest(connection.unwrap());
        let words = tokio::task::spawn_blocking(|| words.join().unwrap())
            .await
            .unwrap();
        assert_eq!(words, ["EHLO example.org", "QUIT"]);
        assert!(pool.wake().is_none());
    }
}
