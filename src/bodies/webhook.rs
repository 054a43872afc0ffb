//! What is said of a webhook.

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::faults::FieldErrors;
use crate::actions::add_webhook::NewWebhook;
use crate::actions::update_webhook::WebhookEdit;
use crate::domain::event::EventType;
use crate::domain::note::PrivateNote;
use crate::domain::webhook::WebhookUrl;

/// A new webhook.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://example.org/hook", "types": ["request.changed", "task.changed"], "description": "The screen at the depot"}))]
pub struct WebhookBody {
    /// Where messages go: `https`, without a user name.
    #[schema(required = true, nullable = false, max_length = 2000)]
    url: Option<String>,
    /// What it is told; everything, if left out.
    types: Option<Vec<EventType>>,
    /// For whoever looks after it, sealed.
    #[schema(min_length = 1, max_length = 2000)]
    description: Option<String>,
}

impl WebhookBody {
    /// The webhook; faults are noted.
    pub fn parse(self, allow_insecure: bool, errors: &mut FieldErrors) -> Option<NewWebhook> {
        let url = errors.require("/url", self.url);
        let url = url.and_then(|url| errors.check("/url", WebhookUrl::parse(&url, allow_insecure)));
        let types = match self.types {
            Some(list) => types(list, errors),
            None => Some(EventType::ALL.to_vec()),
        };
        let description = self.description.as_deref();
        let description = errors.optional("/description", description, PrivateNote::parse);
        Some(NewWebhook {
            url: url?,
            types: types?,
            description,
        })
    }
}

/// Each once, and at least one.
fn types(mut list: Vec<EventType>, errors: &mut FieldErrors) -> Option<Vec<EventType>> {
    list.sort_unstable();
    list.dedup();
    if list.is_empty() {
        errors.push("/types", "must not be empty; disable it instead");
        return None;
    }
    Some(list)
}

/// What is given, be it null; what is left out stays none.
#[expect(clippy::option_option, reason = "left out and null are not the same")]
fn given<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(d).map(Some)
}

/// What is changed; what is left out stays as it is.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"types": ["task.changed"], "enabled": true}))]
pub struct WebhookPatch {
    /// What it is told from now on.
    types: Option<Vec<EventType>>,
    /// Whether it is told anything.
    enabled: Option<bool>,
    /// Another description; null takes it away.
    #[expect(clippy::option_option, reason = "left out and null are not the same")]
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 2000)]
    description: Option<Option<String>>,
}

impl WebhookPatch {
    /// The changes; faults are noted.
    pub fn parse(self, errors: &mut FieldErrors) -> WebhookEdit {
        let description = self.description.and_then(|text| match text {
            Some(text) => errors
                .check("/description", PrivateNote::parse(&text))
                .map(Some),
            None => Some(None),
        });
        WebhookEdit {
            types: self.types.and_then(|list| types(list, errors)),
            enabled: self.enabled,
            description,
        }
    }
}
