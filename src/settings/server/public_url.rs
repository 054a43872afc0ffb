//! The address by which people reach the server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::Deserialize;

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
        let (host, port) = if let Some(bracketed) = authority.strip_prefix('[') {
            let (host, port) = bracketed.split_once(']').ok_or(BadPublicUrl)?;
            host.parse::<Ipv6Addr>().map_err(|_| BadPublicUrl)?;
            (host, port)
        } else {
            authority.split_at(authority.find(':').unwrap_or(authority.len()))
        };
        let is_port = |port: &str| {
            port.bytes().all(|b| b.is_ascii_digit())
                && port.parse::<u16>().is_ok_and(|port| port > 0)
        };
        let port_is_good = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        if !port_is_good || !(host.contains(':') || is_name(host)) {
            return Err(BadPublicUrl);
        }
        Ok(Self {
            host: host.to_owned(),
            text,
        })
    }
}

/// A name of the domain name system, or an IPv4 address: what ends in a number must be one.
fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let ends_in_a_number = host
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    host.len() <= 253
        && host.split('.').all(is_label)
        && (!ends_in_a_number || host.parse::<Ipv4Addr>().is_ok())
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
