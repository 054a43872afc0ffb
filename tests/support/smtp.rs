//! The real mail server that tests talk to over real sockets: `tests/smtp/server.py`, whose head
//! lists what each recipient brings about.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mail_parser::{HeaderForm, HeaderValue, MessageParser};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

/// What [`start`] gives a server to show, and its key.
pub const CERTIFICATE: &str = "server.pem";
pub const CERTIFICATE_KEY: &str = "server.key";
/// Longest wait for a mail.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail server of one test's own. It ends with the test, also with a killed one.
pub struct SmtpServer {
    process: Child,
    dir: TempDir,
    ports: Ports,
}

/// Where it listens, on 127.0.0.1; the certificate is for `localhost`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Ports {
    /// Wants STARTTLS, then the login.
    pub starttls: u16,
    /// Encrypted from the first byte, wants the login.
    pub tls: u16,
    /// Neither encryption nor login.
    pub plain: u16,
}

/// A mail that the server took.
#[derive(Debug)]
pub struct ReceivedMail {
    /// Sender, recipients and connection.
    pub envelope: ReceivedEnvelope,
    /// Names and values of the headers, in their order, unfolded but not decoded.
    pub headers: Vec<(String, String)>,
    /// The subject, decoded.
    pub subject: String,
    /// The part for programs without HTML, decoded.
    pub text: String,
    /// The HTML part, decoded.
    pub html: String,
    /// Every byte as it came.
    pub raw: Vec<u8>,
}

/// What the server knows of a mail beside its content.
#[derive(Debug, Deserialize)]
pub struct ReceivedEnvelope {
    /// MAIL FROM.
    pub from: String,
    /// RCPT TO.
    pub to: Vec<String>,
    /// Whether the connection was encrypted.
    pub tls: bool,
    /// Whether there was a login.
    pub authenticated: bool,
    /// Which connection it came by.
    pub connection: u32,
}

impl SmtpServer {
    /// The name and the password that it wants.
    pub const LOGIN: (&str, &str) = ("app", "s3cret");

    /// Starts a server with certificates of its own, and waits until it listens.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("mails")).unwrap();
        let (process, ports) = start(
            dir.path(),
            "server.py",
            &["mails", CERTIFICATE, CERTIFICATE_KEY],
        );
        Self {
            process,
            dir,
            ports,
        }
    }

    /// Where it listens.
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// The certificate to trust, as a file in PEM.
    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// The mails taken so far, in their order.
    pub fn mails(&self) -> Vec<ReceivedMail> {
        let mut notes: Vec<_> = fs::read_dir(self.dir.path().join("mails"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
            .collect();
        notes.sort();
        notes.iter().map(|note| ReceivedMail::read(note)).collect()
    }

    /// The mails taken, as soon as there are `count` of them.
    pub async fn wait_for(&self, count: usize) -> Vec<ReceivedMail> {
        let start = Instant::now();
        loop {
            let mails = self.mails();
            if mails.len() >= count {
                return mails;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{} mails came, {count} were awaited",
                mails.len()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        // It ends when its input does; the wait leaves no zombie behind.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

impl ReceivedMail {
    fn read(note: &Path) -> Self {
        let envelope = serde_json::from_slice(&fs::read(note).unwrap()).unwrap();
        let raw = fs::read(note.with_extension("eml")).unwrap();
        let parsed = MessageParser::default().parse(&raw).unwrap();
        assert_eq!(
            (parsed.text_body_count(), parsed.html_body_count()),
            (1, 1),
            "the parts of a letter"
        );
        let headers = parsed.root_part().headers().iter().map(|header| {
            let value = parsed.header_as(header.name.clone(), HeaderForm::Raw);
            let value = value
                .into_iter()
                .next()
                .and_then(HeaderValue::into_text)
                .unwrap_or_default();
            (
                header.name().to_owned(),
                value.replace("\r\n", "").trim().to_owned(),
            )
        });
        Self {
            headers: headers.collect(),
            subject: parsed.subject().unwrap_or_default().to_owned(),
            text: parsed.body_text(0).unwrap().into_owned(),
            html: parsed.body_html(0).unwrap().into_owned(),
            envelope,
            raw: raw.clone(),
        }
    }

    /// The value of the one header with this name.
    pub fn header(&self, name: &str) -> &str {
        let mut values = self
            .headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let value = values
            .next()
            .unwrap_or_else(|| panic!("there is no header {name}"));
        assert!(values.next().is_none(), "there are several headers {name}");
        &value.1
    }
}

/// Starts one of the mail servers of `tests/smtp` in `dir`, with certificates of its own; gives what it says as soon
/// as it listens. It ends when its input does.
pub fn start<Ports: DeserializeOwned>(
    dir: &Path,
    script: &str,
    arguments: &[&str],
) -> (Child, Ports) {
    make_certificates(dir);
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/smtp");
    let mut process = Command::new(python())
        .arg(here.join(script))
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    let mut said = BufReader::new(process.stdout.take().unwrap());
    said.read_line(&mut ready).unwrap();
    let ports = serde_json::from_str(&ready)
        .unwrap_or_else(|_| panic!("the mail server {script} did not start: {ready:?}"));
    (process, ports)
}

/// A Python that has aiosmtpd.
fn python() -> PathBuf {
    if let Some(python) = std::env::var_os("MANYHANDS_TEST_PYTHON") {
        return python.into();
    }
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/venv/bin/python");
    assert!(
        python.exists(),
        "the SMTP server for tests is missing: run `tests/run`, which installs it, or name a Python that has \
         aiosmtpd in MANYHANDS_TEST_PYTHON"
    );
    python
}

/// An authority and a certificate from it for `localhost`, by the `openssl` command.
pub fn make_certificates(dir: &Path) {
    const CONFIG: &str = "[req]\nprompt = no\ndistinguished_name = name\n[name]\nCN = localhost\n\
        [authority]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = keyCertSign\n\
        [server]\nbasicConstraints = CA:FALSE\nsubjectAltName = DNS:localhost\n";
    const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config openssl.cnf";
    fs::write(dir.join("openssl.cnf"), CONFIG).unwrap();
    let openssl = |arguments: String| {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(dir)
            .output()
            .unwrap_or_else(|error| panic!("tests need the command openssl: {error}"));
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    openssl(format!(
        "req -x509 {KEY} -days 2 -extensions authority -subj /CN=authority -keyout ca.key -out ca.pem"
    ));
    openssl(format!("req {KEY} -keyout server.key -out server.csr"));
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -set_serial 1 -days 2 -extfile openssl.cnf \
         -extensions server -out server.pem"
            .to_owned(),
    );
}
