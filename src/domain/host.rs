//! The part of an address of the web that says whom it leads to.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The host of an authority (RFC 3986, 3.2) that is a host and perhaps a port: a name, an IPv4 address, or one of
/// version 6 without its brackets. `None` where it is anything else, or names a user: two readers might then
/// read two hosts out of it.
#[must_use]
pub fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = if let Some(bracketed) = authority.strip_prefix('[') {
        let (host, port) = bracketed.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        (host, port)
    } else {
        let (name, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        if !is_name(name) {
            return None;
        }
        (name, port)
    };
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(host)
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_from_what_is_nothing_but_a_host_and_a_port() {
        for (authority, host) in [
            ("help.example.org", "help.example.org"),
            ("Help.Example.org:8443", "Help.Example.org"),
            ("192.0.2.7:80", "192.0.2.7"),
            ("[2001:db8::1]:8443", "2001:db8::1"),
            ("[::1]", "::1"),
        ] {
            assert_eq!(host_of(authority), Some(host));
        }
    }

    #[test]
    fn whatever_could_be_read_as_two_hosts_is_none() {
        for authority in [
            "",
            ":80",
            "a.org:",
            "a.org:0",
            "a.org:65536",
            "a.org:+1",
            "a.org:80:80",
            "a..org",
            "-a.org",
            "a_b.org",
            "ana@a.org",
            "a.org[::1]:443",
            "[::1]a.org",
            "[a.org]",
            "[::1",
            "::1",
            "1.2.3",
            "1.2.3.256",
        ] {
            assert_eq!(host_of(authority), None, "{authority}");
        }
    }
}
