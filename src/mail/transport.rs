//! How a letter leaves: to a mail server, into a directory or into memory.
//!
//! Every call ends within [`Transport::longest_send`], and dropping one midway is safe: a connection
//! in the middle of a conversation is closed, never used again.

mod file;
mod memory;
mod pool;
pub(crate) mod refusal;
mod relay;

use std::fmt;
use std::time::Duration;

use crate::domain::clock::Ts;
use crate::settings::mail::{MailSettings, Sender, TransportKind};

use super::message::{Message, Unwritable};
pub use file::FileDrop;
pub use memory::{Memory, StoredMail};
pub use relay::{Relay, SetupError};

/// The way out, with the sender of all letters.
#[derive(Debug)]
pub struct Transport {
    from: Sender,
    way: Way,
}

/// The ways there are.
#[derive(Debug)]
enum Way {
    Smtp(Relay),
    File(FileDrop),
    Memory(Memory),
}

/// A letter that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its `Message-ID`, by which an operator finds it in the relay's log.
    pub message_id: String,
}

/// Why a letter was not sent, without anything of the person or of the server's words: those often
/// repeat the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The server said 5xx to this recipient or this letter: repeating cannot help.
    #[error("the server refused the letter for good ({code})")]
    Permanent {
        /// The SMTP reply code, 500 to 599.
        code: u16,
    },
    /// No e-mail can be made of the letter: repeating cannot help.
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
    /// Anything else: to be tried again.
    #[error("the letter could not be sent for now ({kind}{})", code.map(|c| format!(", {c}")).unwrap_or_default())]
    Temporary {
        /// The SMTP reply code, if the server said one.
        code: Option<u16>,
        /// What went wrong.
        kind: Trouble,
        /// Whom it says something of.
        about: About,
        /// The whole letter may have reached the server, only its answer did not reach us: a repeat
        /// may be a second copy, with the same `Message-ID`.
        outcome_unknown: bool,
    },
}

/// Of whom a failure tells, and so which other letters would fare no better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The server as a whole: it failed before any recipient was named, so every letter would.
    Server,
    /// The domain of the recipient, or whoever takes its letters: letters to others may well be taken.
    Domain,
    /// This one mailbox or letter; it was answered at once, by a server that is well.
    Letter,
}

/// What can go wrong on the way, as one word for logs, metrics and the list of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No connection: a wrong name or port, or the server is down.
    Connect,
    /// No encryption: not offered, or a certificate that is not trusted.
    Tls,
    /// The login was refused (also with 535), or no kind of login is shared.
    Login,
    /// The server refuses us, not the letter: our sender, our rights, our commands.
    Relay,
    /// The server asks to come back later (4xx).
    Deferred,
    /// It took too long.
    TimedOut,
    /// The connection broke, or what came was no SMTP.
    Lost,
    /// The file could not be written.
    File,
    /// The transport was closed.
    Closed,
}

impl Trouble {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Login => "login",
            Self::Relay => "relay",
            Self::Deferred => "deferred",
            Self::TimedOut => "timed_out",
            Self::Lost => "lost",
            Self::File => "file",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl SendError {
    /// Whether repeating cannot help.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::Temporary { .. })
    }

    /// Whether the letter may have been taken all the same.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        matches!(
            self,
            Self::Temporary {
                outcome_unknown: true,
                ..
            }
        )
    }

    /// The SMTP reply code, if the server said one.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        match *self {
            Self::Permanent { code } => Some(code),
            Self::Unwritable(_) => None,
            Self::Temporary { code, .. } => code,
        }
    }

    /// One word for logs, metrics and the list of letters.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Permanent { .. } => "refused",
            Self::Unwritable(_) => "unwritable",
            Self::Temporary { kind, .. } => kind.as_str(),
        }
    }

    /// Of whom it tells; an end for good was answered at once.
    #[must_use]
    pub fn about(&self) -> About {
        match *self {
            Self::Permanent { .. } | Self::Unwritable(_) => About::Letter,
            Self::Temporary { about, .. } => about,
        }
    }

    /// Nothing was taken, and nothing can be for now.
    fn temporary(kind: Trouble) -> Self {
        Self::Temporary {
            code: None,
            kind,
            about: About::Server,
            outcome_unknown: false,
        }
    }
}

impl Transport {
    /// The transport that the settings ask for. Reads the files they name, but connects to nothing.
    ///
    /// # Errors
    /// When a password or a certificate cannot be read.
    pub fn new(settings: &MailSettings) -> Result<Self, SetupError> {
        let from = settings.from.clone();
        let way = match settings.transport {
            TransportKind::Smtp => Way::Smtp(Relay::new(&settings.smtp, from.domain())?),
            TransportKind::File => Way::File(FileDrop::new(settings.file_dir.clone())),
            TransportKind::Memory => Way::Memory(Memory::default()),
        };
        Ok(Self { from, way })
    }

    /// Sends one letter, dated `now`.
    ///
    /// # Errors
    /// See [`SendError`]; only a temporary one should be repeated.
    pub async fn send(&self, message: &Message, now: Ts) -> Result<Sent, SendError> {
        let mime = message.to_mime(&self.from, now)?;
        let eml = mime.formatted();
        match &self.way {
            Way::Smtp(relay) => relay.deliver(mime.envelope(), &eml).await?,
            Way::File(dir) => dir.write(message.id, now, eml).await?,
            Way::Memory(memory) => memory.store(StoredMail {
                message: message.clone(),
                sent_at: now,
                eml,
            }),
        }
        Ok(Sent {
            message_id: message.message_id(&self.from),
        })
    }

    /// Whether a letter could leave now: connects, encrypts and logs in, or makes the directory and
    /// writes to it. Sends nothing.
    ///
    /// # Errors
    /// What would stop a letter.
    pub async fn check(&self) -> Result<(), SendError> {
        match &self.way {
            Way::Smtp(relay) => relay.check().await,
            Way::File(dir) => dir.check().await,
            Way::Memory(_) => Ok(()),
        }
    }

    /// Says goodbye on resting connections, in a second at most. Letters on their way go on to their
    /// end; further ones fail with [`Trouble::Closed`].
    pub async fn close(&self) {
        if let Way::Smtp(relay) = &self.way {
            relay.close().await;
        }
    }

    /// The longest that [`Transport::send`] takes, for the lease of who calls it.
    #[must_use]
    pub fn longest_send(&self) -> Duration {
        match &self.way {
            Way::Smtp(relay) => relay.longest_delivery(),
            Way::File(_) | Way::Memory(_) => file::PATIENCE,
        }
    }

    /// How many letters should be on their way at a time; further ones would wait for a connection.
    #[must_use]
    pub fn parallel(&self) -> usize {
        match &self.way {
            Way::Smtp(relay) => relay.parallel(),
            Way::File(_) | Way::Memory(_) => 8,
        }
    }

    /// The letters, where they go into memory.
    #[must_use]
    pub fn memory(&self) -> Option<&Memory> {
        match &self.way {
            Way::Memory(memory) => Some(memory),
            Way::Smtp(_) | Way::File(_) => None,
        }
    }
}
