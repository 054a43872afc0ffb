//! A mail server that takes everything and keeps it in memory, for tests with more letters than one reads.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use mail_parser::MessageParser;

/// A mail that was taken.
#[derive(Clone, Debug)]
pub struct Mail {
    pub to: String,
    /// Without the brackets.
    pub message_id: String,
    pub text: String,
}

/// Listens on 127.0.0.1 without encryption or login. Its threads end with the process.
pub struct Sink {
    port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl Sink {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&mails);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                // A client that breaks off is none of our business.
                thread::spawn(move || drop(serve(client, &shared)));
            }
        });
        Self { port, mails }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Those after the first `seen`.
    pub fn after(&self, seen: usize) -> Vec<Mail> {
        let mails = self.mails.lock().unwrap();
        mails.get(seen..).unwrap_or_default().to_vec()
    }
}

fn serve(client: TcpStream, mails: &Mutex<Vec<Mail>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(client.try_clone()?);
    let mut client = client;
    let mut say = |line: &str| client.write_all(format!("{line}\r\n").as_bytes());
    say("220 sink ESMTP")?;
    let (mut to, mut line) = (String::new(), String::new());
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let verb = line.split([' ', '\r', ':']).next().unwrap_or_default();
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => say("250 sink")?,
            "RCPT" => {
                let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                address.clone_into(&mut to);
                say("250 ok")?;
            }
            "DATA" => {
                say("354 go on")?;
                let raw = data(&mut lines)?;
                let parsed = MessageParser::default().parse(&raw).unwrap();
                let mail = Mail {
                    to: to.clone(),
                    message_id: parsed.message_id().unwrap_or_default().to_owned(),
                    text: parsed.body_text(0).unwrap_or_default().into_owned(),
                };
                // Taken before it is said so: what a sender hears of is never missing.
                mails.lock().unwrap().push(mail);
                say("250 taken")?;
            }
            "QUIT" => {
                say("221 bye")?;
                return Ok(());
            }
            _ => say("250 ok")?,
        }
    }
}

/// Up to the lone dot; a body that breaks off before is none.
fn data(lines: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(raw);
        }
        let dot = usize::from(line.starts_with(b".."));
        raw.extend_from_slice(&line[dot..]);
    }
}
