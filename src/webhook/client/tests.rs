use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;
use std::thread::{self, JoinHandle};

use super::*;
use crate::domain::entropy::SeededEntropy;
use crate::settings::{Settings, Sources};

fn settings(allow_insecure: bool, allow_private: bool) -> WebhookSettings {
    let overrides = [
        ("webhooks.timeout", "2s".to_owned()),
        ("webhooks.allow_insecure", allow_insecure.to_string()),
        ("webhooks.allow_private", allow_private.to_string()),
    ];
    let overrides = overrides.map(|(key, value)| (key.to_owned(), value));
    let sources = Sources {
        overrides: overrides.into(),
        ..Sources::default()
    };
    Settings::load(sources).unwrap().webhooks
}

fn message(to: &str) -> Message {
    Message {
        id: LetterId::new(&SeededEntropy::new(1)),
        to: WebhookUrl::parse(to, true).unwrap(),
        keys: vec![SigningKey::new(&SeededEntropy::new(2))],
        body: b"{}".to_vec(),
    }
}

/// Answers one connection with those bytes; gives what came first.
fn answering(answer: &'static [u8]) -> (u16, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut first = vec![0; 2048];
        let read = stream.read(&mut first).unwrap();
        first.truncate(read);
        // A caller that has gone is none of our business.
        let _ = stream.write_all(answer);
        first
    });
    (port, heard)
}

/// What a name leads to, each time it is asked for.
#[derive(Debug)]
struct Names(Mutex<VecDeque<SocketAddr>>);

impl Resolver for Names {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut found = self.empty();
        let next = self.0.lock().unwrap().pop_front();
        found.push(next.ok_or(Error::HostNotFound)?);
        Ok(found)
    }
}

#[test]
fn what_a_name_leads_to_is_looked_at_each_time() {
    let (port, heard) = answering(b"HTTP/1.1 204 No Content\r\n\r\n");
    let inside = |ip: &str| SocketAddr::new(ip.parse().unwrap(), port);
    let names = ["127.0.0.1", "169.254.169.254", "0.0.0.0"].map(inside);
    let resolver = Guarded {
        inner: Names(Mutex::new(names.into())),
        allow_private: true,
    };
    let agent = agent(&settings(true, true), resolver);
    let message = message(&format!("http://hook.example.org:{port}/"));
    assert_eq!(post(&agent, &message, Ts::EPOCH), Ok(()));
    assert!(heard.join().unwrap().starts_with(b"POST / HTTP/1.1\r\n"));
    for expected in [
        Undelivered::Refused,
        Undelivered::Refused,
        Undelivered::NoName,
    ] {
        assert_eq!(post(&agent, &message, Ts::EPOCH), Err(expected));
    }
}

#[test]
fn this_machine_is_not_reached_unless_that_is_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = Client::new(&settings(true, false));
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"] {
        let message = message(&format!("http://{host}:{port}/"));
        assert_eq!(
            client.post(&message, Ts::EPOCH),
            Err(Undelivered::Refused),
            "{host}"
        );
    }
    assert!(listener.accept().is_err());
    // What was registered while it was allowed.
    let client = Client::new(&settings(false, true));
    let message = message(&format!("http://127.0.0.1:{port}/"));
    assert_eq!(client.post(&message, Ts::EPOCH), Err(Undelivered::Refused));
    assert!(listener.accept().is_err());
}

#[test]
fn every_failure_has_its_class() {
    let client = Client::new(&settings(true, true));
    let post = |scheme: &str, answer| {
        let (port, heard) = answering(answer);
        let message = message(&format!("{scheme}://127.0.0.1:{port}/"));
        let posted = client.post(&message, Ts::EPOCH);
        heard.join().unwrap();
        posted
    };
    for (answer, expected) in [
        (
            &b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\nx"[..],
            Ok(()),
        ),
        (b"HTTP/1.1 410 Gone\r\n\r\n", Err(Undelivered::Gone)),
        (
            b"HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:1/\r\n\r\n",
            Err(Undelivered::Redirected(307)),
        ),
        (b"HTTP/1.1 404 Gone\r\n\r\n", Err(Undelivered::Status(404))),
        (b"HTTP/1.1 503 Busy\r\n\r\n", Err(Undelivered::Status(503))),
        (b"", Err(Undelivered::Broken)),
        (b"what is no HTTP\r\n\r\n", Err(Undelivered::Broken)),
    ] {
        let text = String::from_utf8_lossy(answer);
        assert_eq!(post("http", answer), expected, "{text}");
    }
    let no_tls = post("https", b"HTTP/1.1 200 OK\r\n\r\n");
    assert_eq!(no_tls, Err(Undelivered::Tls));
    // Nobody listens on the port of a listener that is gone.
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let nobody = message(&format!("http://{gone}/"));
    assert_eq!(
        client.post(&nobody, Ts::EPOCH),
        Err(Undelivered::NoConnection)
    );
    let no_name = message("http://nobody.invalid/");
    assert_eq!(client.post(&no_name, Ts::EPOCH), Err(Undelivered::NoName));
}

#[test]
fn who_does_not_answer_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = Client::new(&settings(true, true));
    let message = message(&format!("http://127.0.0.1:{port}/"));
    assert_eq!(client.post(&message, Ts::EPOCH), Err(Undelivered::TimedOut));
}
