//! One attempt at one letter: written, sent, settled.

use std::sync::Arc;

use super::domains::Verdict;
use super::server::Told;
use crate::actions::Ctx;
use crate::actions::claim_letters::Claimed;
use crate::actions::settle_letter::{Attempt, settle_letter};
use crate::domain::ids::LeaseId;
use crate::domain::lease::leaves_time;
use crate::mail::letter::{LetterToSend, render};
use crate::mail::message::{Message, Subject, UnsubscribeUrl, Unwritable};
use crate::mail::transport::{About, SendError, Sent, Transport, Trouble};
use crate::storage::letters::Letter;
use crate::storage::{StorageError, letters};

/// What the database does not know of a letter yet.
pub(super) type Unsettled = (Letter, LeaseId, Attempt);

/// What became of one letter, or of a look for the mail server.
pub(super) enum Done {
    /// It was tried.
    Tried {
        /// What it told of the mail server.
        told: Told,
        /// What it told of the recipient's domain.
        verdict: Verdict,
        /// The attempt, if the database does not know of it.
        unsettled: Option<Box<Unsettled>>,
    },
    /// It may be somebody else's by now.
    NotBegun(Box<Claimed>),
    /// There was no letter, only a connection.
    Knocked(Told),
}

/// Looks whether a letter could leave; sends none.
pub(super) async fn knock(transport: Arc<Transport>) -> Done {
    Done::Knocked(match transport.check().await {
        Ok(()) => Told::There,
        Err(_) => Told::Absent,
    })
}

/// Whether there is time to send it before somebody else may.
pub(super) fn is_in_time(ctx: &Ctx, transport: &Transport, letter: &Letter) -> bool {
    // As the letter says, and not from when it was taken: this process may have been paused since.
    let lease = ctx.settings.outbox.lease;
    leaves_time(
        letter.lease_until,
        ctx.now(),
        lease,
        transport.longest_send(),
    )
}

/// Sends one letter and settles it, unless it is too late to begin, or the database does not say that it is
/// still ours.
pub(super) async fn send_one(
    ctx: Ctx,
    transport: Arc<Transport>,
    claimed: Claimed,
    lease: LeaseId,
) -> Done {
    let id = claimed.letter.id;
    let held = move |conn: &mut _| Ok::<_, StorageError>(letters::held(conn, &[id], lease)?);
    let is_held = ctx.db.read(held).await.is_ok_and(|held| held == [id]);
    if !is_held || !is_in_time(&ctx, &transport, &claimed.letter) {
        return Done::NotBegun(Box::new(claimed));
    }
    let Claimed { letter, to_send } = claimed;
    let sent = match message(&to_send, ctx.settings.server.public_url.as_str()) {
        Some(message) => transport.send(&message, ctx.now()).await,
        None => Err(SendError::Unwritable(Unwritable("its text"))),
    };
    let (told, verdict) = told(&sent);
    let attempt = match sent {
        Ok(_) => Attempt::Sent,
        Err(error) => attempt(&error),
    };
    let settled = settle_letter(&ctx, letter.clone(), lease, attempt.clone()).await;
    Done::Tried {
        told,
        verdict,
        unsettled: settled.is_err().then(|| Box::new((letter, lease, attempt))),
    }
}

/// `None` for a letter that its templates or its link do not allow to be written.
fn message(to_send: &LetterToSend, public_url: &str) -> Option<Message> {
    let rendered = render(to_send, public_url).ok()?;
    let unsubscribe = match &rendered.unsubscribe_url {
        Some(url) => Some(UnsubscribeUrl::parse(url).ok()?),
        None => None,
    };
    Some(Message {
        id: to_send.id,
        to: to_send.to.clone(),
        subject: Subject::new(rendered.subject),
        text: rendered.text,
        html: rendered.html,
        unsubscribe,
    })
}

/// What it told of the mail server, and of the recipient's domain.
fn told(sent: &Result<Sent, SendError>) -> (Told, Verdict) {
    match sent {
        Ok(_) | Err(SendError::Permanent { .. }) => (Told::There, Verdict::Well),
        Err(SendError::Unwritable(_)) => (Told::Nothing, Verdict::Nothing),
        Err(SendError::Temporary {
            about, kind, code, ..
        }) => match about {
            About::Server => (Told::Absent, Verdict::Unasked),
            About::Letter => (Told::There, Verdict::Well),
            About::Domain => {
                let gravely =
                    matches!(kind, Trouble::TimedOut | Trouble::Lost) || *code == Some(421);
                (Told::There, Verdict::Failed { gravely })
            }
        },
    }
}

fn attempt(error: &SendError) -> Attempt {
    let mut why = error.kind().to_owned();
    if let Some(code) = error.code() {
        why = format!("{why} {code}");
    }
    if error.outcome_unknown() {
        why = format!("{why}, outcome unknown");
    }
    if error.is_permanent() {
        Attempt::Refused(why)
    } else if error.about() == About::Server {
        Attempt::Absent(why)
    } else {
        Attempt::Failed(why)
    }
}
