//! The address by which people reach the server.

use std::net::IpAddr;
use std::str::FromStr;

use serde::Deserialize;

use crate::domain::host::host_of;

/// An origin: scheme, host and perhaps a port, in lower case and without a slash at the end, so that a
/// link is this text and a path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl {
    text: String,
    host: String,
}

/// Why a text is no [`PublicUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be http:// or https://, a host and perhaps a port, nothing behind them: https://help.example.org"
)]
pub struct BadPublicUrl;

impl PublicUrl {
    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host's name or IP address; one of version 6 without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the way is encrypted.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// Whether only this machine can follow it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.ends_with(".localhost")
            || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl FromStr for PublicUrl {
    type Err = BadPublicUrl;

    fn from_str(text: &str) -> Result<Self, BadPublicUrl> {
        let text = text.to_ascii_lowercase();
        let authority = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .ok_or(BadPublicUrl)?;
        let host = host_of(authority).ok_or(BadPublicUrl)?;
        Ok(Self {
            host: host.to_owned(),
            text,
        })
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = BadPublicUrl;

    fn try_from(text: String) -> Result<Self, BadPublicUrl> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_kept_as_links_need_it() {
        for (text, host) in [
            ("https://help.example.org", "help.example.org"),
            ("HTTPS://Help.Example.ORG:8443", "help.example.org"),
            ("http://127.0.0.1:8080", "127.0.0.1"),
            ("http://[::1]:8080", "::1"),
            ("http://localhost", "localhost"),
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!(
                (url.as_str(), url.host()),
                (text.to_lowercase().as_str(), host)
            );
            assert_eq!(url.is_secure(), host == "help.example.org");
            assert_eq!(url.is_loopback(), host != "help.example.org");
        }
    }

    #[test]
    fn anything_more_or_less_than_an_origin_is_refused() {
        for text in [
            "",
            "help.example.org",
            "ftp://a.org",
            "https://",
            "https://a.org/",
            "https://a.org/help",
            "https://a.org?x",
            "https://a.org#x",
            "https://me:secret@a.org",
            "https://a.org:",
            "https://a.org:0",
            "https://a.org:65536",
            "https://a.org:+80",
            "https://a..org",
            "https://-a.org",
            "https://a b.org",
            "https://1.2.3",
            "https://[::1",
            "https://[nothing]",
            "https://[::1]x",
            "https://ä.org",
        ] {
            assert_eq!(text.parse::<PublicUrl>(), Err(BadPublicUrl), "{text}");
        }
    }
}
