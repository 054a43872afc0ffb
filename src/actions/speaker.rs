//! Who says what became of a match, and of whose matches they may speak.

use super::{Outcome, Refusal, Tx, refuse};
use crate::domain::ids::MatchId;
use crate::domain::remit::Remit;
use crate::storage::audit::Actor;
use crate::storage::matches;

/// Who says something of a match.
#[derive(Clone, Copy, Debug)]
pub struct Speaker {
    /// As the audit names them.
    pub actor: Actor,
    /// Whose matches are there for them, at the instant at which they speak.
    pub remit: Remit,
}

/// Somebody whose match it is, as their token has shown, or who may speak of all.
impl From<Actor> for Speaker {
    fn from(actor: Actor) -> Self {
        Self {
            actor,
            remit: Remit::All,
        }
    }
}

impl Tx<'_> {
    /// Nothing is there of a match of which they may not speak.
    pub(super) fn refuse_unheard(&mut self, speaker: Speaker, id: MatchId) -> Outcome<()> {
        match matches::find_within(self.conn, speaker.remit, id)? {
            Some(_) => Ok(()),
            None => refuse(Refusal::NotFound),
        }
    }
}
