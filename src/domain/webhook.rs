//! Webhooks: where what changes is told to other programs, signed as <https://www.standardwebhooks.com> says.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::clock::Ts;
use super::entropy::Entropy;
use super::event::EventType;
use super::host::host_of;
use super::ids::RecordId;
use super::note::PrivateNote;
use super::secret::Secret;
use super::word::words;

words! {
    /// What a message to a webhook tells.
    Notice {
        /// A request is new, or has changed.
        Request = "request.changed",
        /// An offer is new, or has changed, or something of its volunteer has.
        Offer = "offer.changed",
        /// A match is new, or has changed its state.
        Match = "match.changed",
        /// A task is new, or was taken, moved or done.
        Task = "task.changed",
        /// More has changed than is told one by one: read the lists anew.
        Many = "many.changed",
        /// Somebody tries whether messages arrive.
        Test = "webhook.test",
    }
    /// Why a webhook is told nothing.
    DisabledBecause {
        /// An administrator wants it so.
        ByHand = "by_hand",
        /// Its receiver said that it is gone (410).
        Gone = "gone",
        /// It has failed for too long.
        Failing = "failing",
    }
}

impl From<EventType> for Notice {
    fn from(event: EventType) -> Self {
        match event {
            EventType::Request => Self::Request,
            EventType::Offer => Self::Offer,
            EventType::Match => Self::Match,
            EventType::Task => Self::Task,
        }
    }
}

/// What a message says: ids and words, nothing of anybody.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Told {
    /// What has happened.
    #[serde(rename = "type")]
    pub kind: Notice,
    /// When.
    pub timestamp: Ts,
    /// To what.
    pub data: ToldOf,
}

/// What a message is about.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ToldOf {
    /// The request, offer, match or task; none where it is about many, or about nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RecordId>,
}

/// Where messages go. It may hold a password of the receiver's, and is shown to administrators only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WebhookUrl(String);

impl WebhookUrl {
    /// Longest address taken, in bytes.
    pub const MAX: usize = 2_000;

    /// An `https` address without a user name and without a fragment; `http` too where that is allowed.
    ///
    /// # Errors
    /// Says what is wrong, without repeating the text.
    pub fn parse(text: &str, allow_insecure: bool) -> Result<Self, &'static str> {
        const FORM: &str = "must be an address such as https://example.org/hook";
        let text = text.trim();
        if text.len() > Self::MAX {
            return Err("must have at most 2000 characters");
        }
        let odd = |c: char| !c.is_ascii_graphic() || "\\\"<>^`{|}".contains(c);
        if text.contains(odd) {
            return Err(FORM);
        }
        let (scheme, rest) = text.split_once("://").ok_or(FORM)?;
        match scheme.to_ascii_lowercase().as_str() {
            "https" => {}
            "http" if allow_insecure => {}
            "http" => return Err("must begin with https://"),
            _ => return Err(FORM),
        }
        if text.contains('#') {
            return Err("must have no fragment (#)");
        }
        if authority(rest).contains('@') {
            return Err("must hold no user name and no password before the host");
        }
        host_of(authority(rest)).ok_or(FORM)?;
        Ok(Self(format!("{}://{rest}", scheme.to_ascii_lowercase())))
    }

    /// The whole of it, for whoever posts there.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The host's name or address, without a port.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        host_of(authority(rest)).unwrap_or_default()
    }
}

/// What stands between the scheme and the path or the query.
fn authority(rest: &str) -> &str {
    rest.split(['/', '?']).next().unwrap_or_default()
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookUrl(redacted)")
    }
}

/// The key by which a receiver knows that a message is ours: 32 random bytes, in base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct SigningKey(String);

impl SigningKey {
    /// A new one.
    #[must_use]
    pub fn new(entropy: &dyn Entropy) -> Self {
        let bytes = Zeroizing::new(entropy.bytes::<32>());
        Self(STANDARD.encode(bytes.as_slice()))
    }

    /// As its receiver keeps it: `whsec_` and the bytes in base64.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("whsec_{}", self.0)
    }

    /// The bytes; none of what is no base64, which is never made.
    #[must_use]
    pub fn bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(STANDARD.decode(&self.0).unwrap_or_default())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(redacted)")
    }
}

/// The sealed part of a webhook.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WebhookSecret {
    /// Where messages go.
    pub url: WebhookUrl,
    /// What signs them.
    pub key: SigningKey,
    /// What signs them too, for a while after the key was changed.
    pub old_key: Option<OldKey>,
    /// For whoever looks after it.
    pub description: Option<PrivateNote>,
}

/// A key that was replaced.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OldKey {
    /// The key.
    pub key: SigningKey,
    /// Until when it signs beside the new one.
    pub until: Ts,
}

impl WebhookSecret {
    /// Everything that signs at an instant, the newest first.
    #[must_use]
    pub fn keys_at(&self, now: Ts) -> Vec<&SigningKey> {
        let old = self.old_key.iter().filter(|old| now < old.until);
        std::iter::once(&self.key)
            .chain(old.map(|old| &old.key))
            .collect()
    }
}

impl Secret for WebhookSecret {
    const TABLE: &'static str = "webhooks";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_encrypted_has_a_host_and_no_user() {
        for (text, host) in [
            ("https://example.org/hook?key=1", "example.org"),
            ("HTTPS://Example.org:8443", "Example.org"),
            ("https://[2001:db8::1]:8443/x", "2001:db8::1"),
        ] {
            assert_eq!(WebhookUrl::parse(text, false).unwrap().host(), host);
        }
        for text in [
            "",
            "example.org",
            "http://example.org",
            "ftp://example.org",
            "https://",
            "https:///hook",
            "https://:80/",
            "https://example.org[::1]:443/hook",
            "https://ana:secret@example.org/",
            "https://example.org/#part",
            "https://example.org/a b",
            "https://example.org\\@inside",
            "https://exämple.org/",
        ] {
            let error = WebhookUrl::parse(text, false).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(WebhookUrl::parse("http://127.0.0.1:8/x", true).is_ok());
        let long = format!("https://example.org/{}", "x".repeat(2_000));
        assert!(WebhookUrl::parse(&long, false).is_err());
    }

    #[test]
    fn nothing_of_it_is_shown_by_accident() {
        let key = SigningKey::new(&crate::domain::entropy::SeededEntropy::new(1));
        let url = WebhookUrl::parse("https://example.org/secret", false).unwrap();
        let shown = format!("{key:?} {url:?}");
        assert_eq!(shown, "SigningKey(redacted) WebhookUrl(redacted)");
        assert_eq!(key.bytes().len(), 32);
    }
}
