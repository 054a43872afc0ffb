//! Letters in memory, for tests and the demo. Bounded: the oldest go first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, broadcast};

use crate::domain::clock::Ts;

use super::Message;

/// A letter that was "sent". Its `Debug` shows the id and the time only.
#[derive(Clone)]
pub struct StoredMail {
    /// The letter.
    pub message: Message,
    /// When it was sent.
    pub sent_at: Ts,
    /// The bytes a mail server would have received.
    pub eml: Vec<u8>,
}

impl std::fmt::Debug for StoredMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredMail")
            .field("id", &self.message.id)
            .field("sent_at", &self.sent_at)
            .finish_non_exhaustive()
    }
}

/// The letters kept, oldest first. A repeated letter stands there twice. Clones share the letters.
#[derive(Clone, Debug)]
pub struct Memory(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    mails: Mutex<VecDeque<Arc<StoredMail>>>,
    arrived: Notify,
    feed: broadcast::Sender<Arc<StoredMail>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self(Arc::new(Shared {
            mails: Mutex::default(),
            arrived: Notify::new(),
            feed: broadcast::Sender::new(Self::FEED),
        }))
    }
}

impl Memory {
    /// Most letters kept.
    pub const KEPT: usize = 10_000;
    /// Most letters a subscriber may lag behind before it misses the oldest.
    pub const FEED: usize = 256;

    /// The letters kept.
    #[must_use]
    pub fn mails(&self) -> Vec<Arc<StoredMail>> {
        self.lock().iter().cloned().collect()
    }

    /// The letters kept, which are forgotten by this.
    #[must_use]
    pub fn take(&self) -> Vec<Arc<StoredMail>> {
        self.lock().drain(..).collect()
    }

    /// The letters kept as soon as `wanted` holds for them, or nothing after `patience`.
    pub async fn wait_for(
        &self,
        patience: Duration,
        mut wanted: impl FnMut(&[Arc<StoredMail>]) -> bool,
    ) -> Option<Vec<Arc<StoredMail>>> {
        let waiting = async {
            loop {
                let arrived = self.0.arrived.notified();
                let mails = self.mails();
                if wanted(&mails) {
                    return mails;
                }
                arrived.await;
            }
        };
        tokio::time::timeout(patience, waiting).await.ok()
    }

    /// Every letter from now on, as it is stored.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<StoredMail>> {
        self.0.feed.subscribe()
    }

    pub(super) fn store(&self, mail: StoredMail) {
        let mail = Arc::new(mail);
        {
            let mut mails = self.lock();
            if mails.len() == Self::KEPT {
                mails.pop_front();
            }
            mails.push_back(Arc::clone(&mail));
        }
        // An error means that nobody listens, which is as good.
        let _ = self.0.feed.send(mail);
        self.0.arrived.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<StoredMail>>> {
        self.0.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
