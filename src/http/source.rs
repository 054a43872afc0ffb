//! Where a call comes from, for limits and for nothing else: it is never logged, stored or shown.
//!
//! That is the peer of the connection. Where the peer is a proxy that the settings trust, it is the
//! right-most entry of the forwarding header that no trusted proxy stands for: each proxy appends whom
//! it heard, so everything farther left is what a stranger wrote.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR};

use crate::settings::server::Network;

/// The address that a call comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Source(IpAddr);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source(redacted)")
    }
}

impl Source {
    /// Where the call comes from. Calls without a peer, over a socket that has no addresses, are alike.
    #[must_use]
    pub fn of(request: &HttpRequest, trusted: &[Network]) -> Self {
        let peer = request
            .peer_addr()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        Self(forwarded_for(peer, request.headers(), trusted).to_canonical())
    }

    /// What is counted as one: an IPv4 address, or the IPv6 network that one customer gets.
    #[must_use]
    pub fn network(self) -> [u8; 16] {
        match self.0 {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            IpAddr::V6(v6) => {
                const CUSTOMER: u32 = 64;
                Ipv6Addr::from_bits(v6.to_bits() >> CUSTOMER << CUSTOMER).octets()
            }
        }
    }
}

fn forwarded_for(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    if !is_trusted(peer, trusted) {
        return peer;
    }
    let has = |name| headers.contains_key(name);
    let by_list = || {
        walk(peer, &entries(headers, &X_FORWARDED_FOR), trusted, |e| {
            e.to_owned()
        })
    };
    let by_pairs = || walk(peer, &entries(headers, &FORWARDED), trusted, node);
    match (has(&X_FORWARDED_FOR), has(&FORWARDED)) {
        (true, false) => by_list(),
        (false, true) => by_pairs(),
        // A proxy that writes the one lets a stranger's other through: only if they agree they are true.
        (true, true) if by_list() == by_pairs() => by_list(),
        _ => peer,
    }
}

fn is_trusted(address: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// The entries of all lines of a header, in order. What is no text is an entry that nobody can read.
fn entries(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name);
    lines
        .flat_map(|line| line.to_str().unwrap_or_default().split(','))
        .map(|entry| entry.trim().to_owned())
        .collect()
}

/// From the right, past what trusted proxies wrote of each other. An entry that is no address ends the
/// way: whoever wrote it is the last that is known.
fn walk(
    peer: IpAddr,
    entries: &[String],
    trusted: &[Network],
    of: impl Fn(&str) -> String,
) -> IpAddr {
    let mut last = peer;
    for entry in entries.iter().rev() {
        match address(&of(entry)) {
            Some(address) if is_trusted(address, trusted) => last = address,
            Some(address) => return address,
            None => return last,
        }
    }
    last
}

/// The `for` of an element of `Forwarded` (RFC 7239); empty where there is none.
fn node(element: &str) -> String {
    element
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))
        .map(|(_, value)| value.trim().trim_matches('"').to_owned())
        .unwrap_or_default()
}

/// An address with or without a port and brackets. Names and `_hidden` ones are none.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    bare.unwrap_or(text)
        .parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip()))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const PROXIES: [&str; 3] = ["10.0.0.0/8", "fd00::/8", "127.0.0.1"];

    fn source(peer: &str, headers: &[(&str, &str)]) -> String {
        let trusted: Vec<Network> = PROXIES.iter().map(|p| p.parse().unwrap()).collect();
        let mut request = TestRequest::get().peer_addr(SocketAddr::new(peer.parse().unwrap(), 99));
        for (name, value) in headers {
            request = request.append_header((*name, *value));
        }
        Source::of(&request.to_http_request(), &trusted)
            .0
            .to_string()
    }

    #[test]
    fn a_header_of_somebody_untrusted_is_ignored() {
        for header in ["X-Forwarded-For", "Forwarded"] {
            let value = if header == "Forwarded" {
                "for=203.0.113.9"
            } else {
                "203.0.113.9"
            };
            assert_eq!(source("198.51.100.1", &[(header, value)]), "198.51.100.1");
            assert_eq!(source("10.1.2.3", &[(header, value)]), "203.0.113.9");
        }
    }

    #[test]
    fn the_right_most_untrusted_entry_counts() {
        let cases = [
            // What the client wrote itself stands on the left.
            ("1.1.1.1, 203.0.113.9", "203.0.113.9"),
            ("1.1.1.1, 203.0.113.9, 10.0.0.7", "203.0.113.9"),
            ("203.0.113.9,10.0.0.7,fd00::1", "203.0.113.9"),
            // All are proxies: the farthest of them asks for itself.
            ("10.0.0.7, 10.0.0.8", "10.0.0.7"),
            ("203.0.113.9:4711", "203.0.113.9"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            // What cannot be read ends the way.
            ("203.0.113.9, unknown", "10.1.2.3"),
            ("203.0.113.9, _hidden, 10.0.0.7", "10.0.0.7"),
            ("203.0.113.9, 999.1.1.1", "10.1.2.3"),
            ("203.0.113.9,", "10.1.2.3"),
            ("", "10.1.2.3"),
        ];
        for (value, expected) in cases {
            let found = source("10.1.2.3", &[("X-Forwarded-For", value)]);
            assert_eq!(found, expected, "{value}");
        }
    }

    #[test]
    fn forwarded_is_read_as_its_rfc_says() {
        let cases = [
            ("for=203.0.113.9;proto=https;by=10.0.0.1", "203.0.113.9"),
            ("proto=https; For=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("for=1.1.1.1, for=203.0.113.9", "203.0.113.9"),
            ("for=203.0.113.9, by=10.0.0.1", "10.1.2.3"),
            ("for=unknown", "10.1.2.3"),
            ("for=\"203.0.113.9:80\"", "203.0.113.9"),
            ("garbage", "10.1.2.3"),
        ];
        for (value, expected) in cases {
            let found = source("10.1.2.3", &[("Forwarded", value)]);
            assert_eq!(found, expected, "{value}");
        }
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines = [
            ("X-Forwarded-For", "1.1.1.1"),
            ("X-Forwarded-For", "203.0.113.9, 10.0.0.7"),
        ];
        assert_eq!(source("127.0.0.1", &lines), "203.0.113.9");
    }

    #[test]
    fn two_headers_that_disagree_are_not_believed() {
        let one = ("X-Forwarded-For", "203.0.113.9");
        assert_eq!(
            source("10.1.2.3", &[one, ("Forwarded", "for=1.1.1.1")]),
            "10.1.2.3"
        );
        assert_eq!(
            source("10.1.2.3", &[one, ("Forwarded", "for=203.0.113.9")]),
            "203.0.113.9"
        );
    }

    #[test]
    fn a_customer_of_ipv6_is_one_whatever_the_last_half_says() {
        let network = |text: &str| Source(text.parse().unwrap()).network();
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("203.0.113.9"), network("203.0.113.8"));
    }

    #[test]
    fn debug_shows_nothing() {
        let shown = format!("{:?}", Source("203.0.113.9".parse().unwrap()));
        assert_eq!(shown, "Source(redacted)");
    }
}
