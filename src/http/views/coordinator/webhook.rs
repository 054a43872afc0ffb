//! A webhook as administrators see it: what it is told, and how that goes; never its key, but when it is made.

use serde::Serialize;
use utoipa::ToSchema;

use crate::crypto::keys::Keys;
use crate::domain::clock::Ts;
use crate::domain::event::EventType;
use crate::domain::webhook::{DisabledBecause, SigningKey, WebhookSecret};
use crate::storage::StorageError;
use crate::storage::webhooks::Webhook;

/// A webhook, to an administrator.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookSheet {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// The host that messages go to.
    #[schema(example = "example.org")]
    pub host: String,
    /// The whole address: not in lists, for it may hold a password of the receiver's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://example.org/hook")]
    pub url: Option<String>,
    /// What it is told.
    pub types: Vec<EventType>,
    /// For whoever looks after it. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is told anything.
    pub enabled: bool,
    /// Since when it is not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub disabled_at: Option<Ts>,
    /// Why it is not.
    pub disabled_because: Option<DisabledBecause>,
    /// When a message arrived last.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_success_at: Option<Ts>,
    /// When one did not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_failure_at: Option<Ts>,
    /// Why not: a class of errors, never the receiver's own words.
    #[schema(example = "status 500")]
    pub last_failure: Option<String>,
    /// Since when none has arrived, although they were sent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Ts>,
    /// How often in a row.
    #[schema(example = 0)]
    pub failures: i32,
    /// Until when the key before the present one signs too.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub old_key_until: Option<Ts>,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// By whom.
    #[schema(value_type = String, format = Uuid)]
    pub created_by: String,
}

impl WebhookSheet {
    /// As it stands in a list.
    ///
    /// # Errors
    /// A record that does not open.
    pub fn listed(row: &Webhook, keys: &Keys) -> Result<Self, StorageError> {
        let whole = Self::whole(row, keys)?;
        Ok(Self {
            url: None,
            description: None,
            ..whole
        })
    }

    /// All of it but the key.
    ///
    /// # Errors
    /// A record that does not open.
    pub fn whole(row: &Webhook, keys: &Keys) -> Result<Self, StorageError> {
        let secret: WebhookSecret = keys.open(row.id, row.sealed_version, &row.sealed)?;
        Ok(Self {
            id: row.id.to_string(),
            host: secret.url.host().to_owned(),
            url: Some(secret.url.expose().to_owned()),
            types: row.types.0.clone(),
            description: secret.description.map(|text| text.expose().to_owned()),
            enabled: row.disabled_at.is_none(),
            disabled_at: row.disabled_at,
            disabled_because: row.disabled_because,
            last_success_at: row.last_success_at,
            last_failure_at: row.last_failure_at,
            last_failure: row.last_failure.clone(),
            failing_since: row.failing_since,
            failures: row.failures,
            old_key_until: secret.old_key.map(|old| old.until),
            created_at: row.created_at,
            created_by: row.created_by.to_string(),
        })
    }
}

/// A webhook with its key, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookWithSecret {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: WebhookSheet,
    /// The key that signs: `whsec_` and 32 bytes in base64. Its receiver keeps it.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")]
    pub secret: String,
}

impl WebhookWithSecret {
    /// The webhook with its key.
    #[must_use]
    pub fn new(webhook: WebhookSheet, key: &SigningKey) -> Self {
        Self {
            webhook,
            secret: key.expose(),
        }
    }
}
