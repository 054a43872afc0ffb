//! Where a call comes from: lines of `X-Forwarded-For`, an empty line, lines of `Forwarded`.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{FORWARDED, HeaderValue, X_FORWARDED_FOR};
use actix_web::test::TestRequest;

use crate::http::source::Source;
use crate::settings::server::Network;

pub fn run(bytes: &[u8]) {
    let at = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (list, pairs) = bytes.split_at(at.unwrap_or(bytes.len()));
    let peer: SocketAddr = "10.0.0.1:443".parse().unwrap();
    let mut request = TestRequest::default().peer_addr(peer);
    for (name, lines) in [(X_FORWARDED_FOR, list), (FORWARDED, pairs)] {
        let lines = lines.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        for value in lines.filter_map(|line| HeaderValue::from_bytes(line).ok()) {
            request = request.append_header((name.clone(), value));
        }
    }
    let request = request.to_http_request();
    let network = |text: &str| text.parse::<Network>().unwrap();
    // Whom nobody trusts is nobody but himself.
    let unknown = Source::of(&request, &[network("192.0.2.0/24")]);
    assert_eq!(unknown.network(), peer_network(peer.ip()));
    let trusted = [network("10.0.0.0/8"), network("fd00::/8")];
    let source = Source::of(&request, &trusted);
    assert_eq!(format!("{source:?}"), "Source(redacted)");
    // Who sends no header of the kind that a proxy writes stays the proxy.
    if request.headers().is_empty() {
        assert_eq!(source, unknown);
    }
}

fn peer_network(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}
