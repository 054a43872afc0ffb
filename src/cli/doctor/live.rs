//! Asks a running service, as its container does every half minute: no client, no TLS, no database.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::Finding;

/// For each step of the conversation.
const PATIENCE: Duration = Duration::from_secs(3);
/// More than any answer has.
const LONGEST_ANSWER: u64 = 65_536;

/// Whether the service whose admin address this is says that it is ready.
pub(super) fn ask(address: SocketAddr) -> Finding {
    const NAME: &str = "service";
    let address = reachable(address);
    match get_readyz(address) {
        Err(error) => Finding::fail(NAME, format!("{address} does not answer: {error}")),
        Ok(answer) => match answer.split_once("\r\n\r\n") {
            Some((head, _)) if head.split(' ').nth(1) == Some("200") => Finding::ok(NAME, "ready"),
            Some((_, body)) => Finding::fail(NAME, why(body)),
            None => Finding::fail(NAME, format!("{address} does not speak HTTP")),
        },
    }
}

/// An address that listens on all networks is asked on this machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

fn get_readyz(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(LONGEST_ANSWER).read_to_string(&mut answer)?;
    Ok(answer)
}

/// The detail of a problem.
fn why(body: &str) -> String {
    let problem: Option<Value> = serde_json::from_str(body).ok();
    let detail = problem.as_ref().and_then(|p| p.get("detail")?.as_str());
    detail.unwrap_or("not ready").to_owned()
}
