//! Clients that are too slow, by carelessness or on purpose: each is dropped, and leaves nothing behind.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::program::{PATIENCE, Place, Service, get};

/// How long a connection may have no call, where a call may take a second.
const IDLE: Duration = Duration::from_secs(1);
/// Pause between two bytes of a client that is slow on purpose.
const DRIP: Duration = Duration::from_millis(50);

fn service() -> (Place, Service) {
    let place = Place::new().with("SERVER__REQUEST_TIMEOUT", "1s");
    let service = place.serve();
    (place, service)
}

/// Writes a byte after the other until the server has enough of it; gives what it said.
fn drip(stream: &mut TcpStream, byte: u8) -> String {
    stream.set_read_timeout(Some(DRIP)).unwrap();
    let started = Instant::now();
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    loop {
        assert!(started.elapsed() < PATIENCE, "it is never dropped");
        if stream.write_all(&[byte]).is_err() {
            break;
        }
        // The time that reading may take is the pause.
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => heard.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&heard).into_owned()
}

/// Waits until the server holds no more sockets than `before`.
fn is_left_alone(service: &Service, before: usize) {
    let started = Instant::now();
    while service.sockets() > before {
        assert!(started.elapsed() < PATIENCE, "a socket is left behind");
        std::thread::yield_now();
    }
    assert_eq!(get(service.public, "/v1/categories").0, 200);
}

fn connect(service: &Service, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(service.public).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

#[test]
fn a_head_that_drips_is_dropped() {
    let (_place, service) = service();
    let before = service.sockets();
    let mut stream = connect(&service, "GET / HTTP/1.1\r\nX: ");
    let heard = drip(&mut stream, b'x');
    assert!(heard.starts_with("HTTP/1.1 408"), "{heard}");
    is_left_alone(&service, before);
}

#[test]
fn a_later_head_that_drips_is_dropped() {
    let (_place, service) = service();
    let before = service.sockets();
    let mut stream = connect(
        &service,
        "GET /v1/nowhere HTTP/1.1\r\nHost: test\r\n\r\nGET / HTTP/1.1\r\nX: ",
    );
    let heard = drip(&mut stream, b'x');
    assert!(heard.starts_with("HTTP/1.1 404"), "{heard}");
    is_left_alone(&service, before);
}

#[test]
fn a_client_that_says_nothing_is_dropped() {
    let (_place, service) = service();
    let before = service.sockets();
    let mut streams = [
        TcpStream::connect(service.public).unwrap(),
        connect(&service, "GET /v1/nowhere HTTP/1.1\r\nHost: test\r\n\r\n"),
    ];
    for stream in &mut streams {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).unwrap();
    }
    is_left_alone(&service, before);
}

#[test]
fn a_body_that_drips_is_dropped() {
    let (_place, service) = service();
    let before = service.sockets();
    for (path, status) in [("/v1/requests", 408), ("/v1/nowhere", 404)] {
        for length in ["Content-Length: 10000", "Transfer-Encoding: chunked"] {
            let request = format!(
                "POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
            );
            let mut stream = connect(&service, &request);
            if length.starts_with("Transfer") {
                stream.write_all(b"2710\r\n").unwrap();
            }
            let heard = drip(&mut stream, b' ');
            assert!(
                heard.starts_with(&format!("HTTP/1.1 {status}")),
                "{path} {length}: {heard}"
            );
        }
    }
    is_left_alone(&service, before);
}

#[test]
fn a_client_that_never_takes_the_answer_is_dropped() {
    let (_place, service) = service();
    let before = service.sockets();
    // Together far more than the system keeps on the way.
    let request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: test\r\n\r\n";
    let stream = connect(&service, &request.repeat(40));
    is_left_alone(&service, before);
    drop(stream);
}

#[test]
fn a_client_that_goes_on_calling_is_not_dropped() {
    let (_place, service) = service();
    let started = Instant::now();
    // One that is held up for too long may be dropped, and begins again.
    while let Err(pause) = goes_on_calling(&service) {
        assert!(pause >= IDLE, "it was dropped after {pause:?}");
        assert!(started.elapsed() < PATIENCE, "this machine is too slow");
    }
}

/// Calls again and again, for longer than all the patience there is with one that does nothing; how long the last
/// pause was at the most, if the connection was dropped.
fn goes_on_calling(service: &Service) -> Result<(), Duration> {
    let mut stream = connect(service, "");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let started = Instant::now();
    let mut called = started;
    while started.elapsed() < Duration::from_secs(5) {
        let before = std::mem::replace(&mut called, Instant::now());
        let call = stream.write_all(b"HEAD /v1/nowhere HTTP/1.1\r\nHost: test\r\n\r\n");
        let mut heard = Vec::new();
        let mut byte = [0];
        while !heard.ends_with(b"\r\n\r\n") {
            if call.is_err() || stream.read(&mut byte).unwrap_or(0) == 0 {
                return Err(before.elapsed());
            }
            heard.push(byte[0]);
        }
    }
    Ok(())
}
