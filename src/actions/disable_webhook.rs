//! A webhook is told nothing any more, by whatever act: what waited for it is dropped.

use super::{Outcome, Tx};
use crate::domain::clock::Ts;
use crate::domain::ids::{RecordId, WebhookId};
use crate::domain::letter::LetterKind;
use crate::domain::webhook::{DisabledBecause, Notice};
use crate::storage::letters::{Letter, RecipientKind};
use crate::storage::{notices, webhooks};

impl Tx<'_> {
    /// Disables a webhook, which is locked. False if it was before.
    pub(super) fn disable_webhook(
        &mut self,
        id: WebhookId,
        because: DisabledBecause,
    ) -> Outcome<bool> {
        if !webhooks::disable(self.conn, id, because, self.now)? {
            return Ok(false);
        }
        notices::drop_all(self.conn, id, self.now)?;
        self.audit(
            "webhook_disabled",
            ("webhook", id),
            &[("because", because.into())],
        )?;
        Ok(true)
    }

    /// What a webhook is to be told, as it waits in the outbox.
    pub(super) fn new_notice(
        &self,
        to: WebhookId,
        event: Notice,
        of: Option<RecordId>,
        at: Ts,
        due_at: Ts,
    ) -> Letter {
        let (kind, to_kind) = (LetterKind::Event, RecipientKind::Webhook);
        Letter {
            due_at,
            event: Some(event),
            event_id: of,
            event_at: Some(at),
            ..self.new_letter(kind, to_kind, to.into(), None, None)
        }
    }
}
