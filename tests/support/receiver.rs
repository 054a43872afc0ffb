//! A program that webhooks tell what changes: a real HTTP server on 127.0.0.1 that keeps what comes, and answers as a
//! test says.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// How a message is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// By that status.
    Status(u16),
    /// By leading elsewhere.
    Redirect(String),
    /// Not at all: the line is held until whoever sent it hangs up, and then this is called.
    Silent(Arc<dyn Hung>),
}

/// What happens when somebody has waited for an answer in vain.
pub trait Hung: Send + Sync + std::fmt::Debug {
    fn up(&self);
}

/// A message as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Received {
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }
}

#[derive(Debug, Default)]
struct Shared {
    received: Vec<Received>,
    replies: VecDeque<Reply>,
    /// To what nothing else was said.
    otherwise: Option<Reply>,
}

/// Its threads end with the process.
#[derive(Clone, Debug)]
pub struct Receiver {
    port: u16,
    shared: Arc<Mutex<Shared>>,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Mutex::new(Shared::default()));
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let theirs = Arc::clone(&theirs);
                // A client that breaks off is none of our business.
                thread::spawn(move || drop(serve(client, &theirs)));
            }
        });
        Self { port, shared }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?key=TheirOwnPassword", self.port)
    }

    /// The next messages are answered so, one after the other.
    pub fn then(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.lock().unwrap().replies.extend(replies);
    }

    /// All other messages are answered so.
    pub fn always(&self, reply: Reply) {
        self.shared.lock().unwrap().otherwise = Some(reply);
    }

    /// What came since the last look.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.shared.lock().unwrap().received)
    }

    pub fn count(&self) -> usize {
        self.shared.lock().unwrap().received.len()
    }

    /// The types of what came since the last look, sorted.
    pub fn kinds(&self) -> Vec<String> {
        let mut kinds: Vec<_> = self.take().iter().map(Received::kind).collect();
        kinds.sort();
        kinds
    }
}

fn serve(client: TcpStream, shared: &Mutex<Shared>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    assert!(line.starts_with("POST "), "{line}");
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers["content-length"].parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).unwrap();
    let reply = {
        let mut shared = shared.lock().unwrap();
        shared.received.push(Received { headers, body });
        let reply = shared.replies.pop_front();
        reply.or_else(|| shared.otherwise.clone())
    };
    let mut client = client;
    match reply.unwrap_or(Reply::Status(204)) {
        Reply::Status(status) => {
            write!(client, "HTTP/1.1 {status} So\r\ncontent-length: 0\r\n\r\n")
        }
        Reply::Redirect(to) => write!(
            client,
            "HTTP/1.1 307 Elsewhere\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"
        ),
        Reply::Silent(hung) => {
            // Ends when the other side closes.
            let _ = reader.read(&mut [0; 1]);
            hung.up();
            Ok(())
        }
    }
}
