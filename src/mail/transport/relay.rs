//! The conversation with a mail server (RFC 5321), one letter and one recipient at a time.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Noop, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::settings::mail::{SmtpSettings, Tls};

use super::pool::Pool;
use super::refusal::{Step, classify};
use super::{About, SendError, Trouble};

/// A mail server, with the connections to it.
pub struct Relay {
    host: String,
    port: u16,
    encryption: Encryption,
    login: Option<(String, SecretString)>,
    hello: ClientId,
    timeout: Duration,
    size: usize,
    pool: Arc<Pool>,
}

enum Encryption {
    None,
    Upgrade(TlsParameters),
    Immediate(TlsParameters),
}

/// How long a connection rests before it is closed. Servers close theirs after five minutes
/// (RFC 5321, 4.5.3.2.7), many far earlier.
const REST: Duration = Duration::from_mins(1);

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Why there is no transport. Names the key.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No server is named.
    #[error("mail.smtp.host: must name the mail server")]
    NoHost,
    /// The password is in a file that cannot be read.
    #[error("mail.smtp.password_file: cannot be read")]
    PasswordFile(#[source] io::Error),
    /// The certificates are in a file that cannot be read.
    #[error("mail.smtp.ca_file: cannot be read")]
    CaFile(#[source] io::Error),
    /// There is no certificate in that file, or a damaged one.
    #[error("mail.smtp.ca_file: must hold certificates in PEM")]
    CaContent,
    /// The encryption cannot be set up.
    #[error("mail.smtp.tls: cannot be set up")]
    Tls(#[source] Error),
}

impl Relay {
    /// The server that `settings` name; we introduce ourselves as `domain`, that of the sender, since
    /// the name of a container means nothing to anyone.
    ///
    /// # Errors
    /// When a file they name cannot be read.
    pub fn new(settings: &SmtpSettings, domain: &str) -> Result<Self, SetupError> {
        let host = settings.host.clone().ok_or(SetupError::NoHost)?;
        let encryption = match settings.tls {
            Tls::None => Encryption::None,
            Tls::Starttls => Encryption::Upgrade(tls_parameters(&host, settings)?),
            Tls::Tls => Encryption::Immediate(tls_parameters(&host, settings)?),
        };
        let password = match &settings.password_file {
            Some(path) => Some(read_password(path)?),
            None => settings.password.clone(),
        };
        Ok(Self {
            port: settings.port(),
            host,
            encryption,
            login: settings.username.clone().zip(password),
            hello: ClientId::Domain(domain.to_owned()),
            timeout: settings.timeout,
            size: settings.pool_size,
            pool: Pool::new(settings.pool_size, REST),
        })
    }

    /// Hands over one letter. All up to the server's "go ahead" shares one time-out; the answer to
    /// the body has one of its own, because giving up there makes a second copy (RFC 5321, 4.5.3.2.6).
    pub(super) async fn deliver(&self, envelope: &Envelope, eml: &[u8]) -> Result<(), SendError> {
        // Whether the recipient was named: before, silence is the server's.
        let named = AtomicBool::new(false);
        let ready = async {
            let permit = self.pool.permit().await?;
            Ok((permit, self.announce(envelope, &named).await?))
        };
        let (_permit, mut connection) = match self.in_time(ready).await {
            Err(error) if named.load(Ordering::Relaxed) => return Err(of_domain(error)),
            ready => ready?,
        };
        let Ok(answer) = timeout(self.timeout, connection.command(content(eml))).await else {
            return Err(SendError::Temporary {
                code: None,
                kind: Trouble::TimedOut,
                about: About::Domain,
                outcome_unknown: true,
            });
        };
        let connection = self.proceed(connection, Step::Body, answer)?;
        self.pool.rest(connection);
        Ok(())
    }

    /// Connects anew, logs in, says NOOP and goodbye.
    pub(super) async fn check(&self) -> Result<(), SendError> {
        let conversation = async {
            let _permit = self.pool.permit().await?;
            let mut connection = self.connect().await?;
            let answer = connection.command(Noop).await;
            answer.map_err(|e| classify(Step::Sender, &e))?;
            connection.abort().await;
            Ok(())
        };
        self.in_time(conversation).await
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) fn longest_delivery(&self) -> Duration {
        self.timeout * 2
    }

    pub(super) fn parallel(&self) -> usize {
        self.size
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, SendError>>,
    ) -> Result<T, SendError> {
        let Ok(result) = timeout(self.timeout, work).await else {
            return Err(SendError::temporary(Trouble::TimedOut));
        };
        result
    }

    /// A connection whose server waits for the letter; `named` once it was told for whom.
    async fn announce(
        &self,
        envelope: &Envelope,
        named: &AtomicBool,
    ) -> Result<AsyncSmtpConnection, SendError> {
        let mut connection = self.rested_or_new().await?;
        let answer = connection
            .command(Mail::new(envelope.from().cloned(), vec![]))
            .await;
        connection = self.proceed(connection, Step::Sender, answer)?;
        named.store(true, Ordering::Relaxed);
        for recipient in envelope.to() {
            let answer = connection
                .command(Rcpt::new(recipient.clone(), vec![]))
                .await;
            connection = self.proceed(connection, Step::Recipient, answer)?;
        }
        let answer = connection.command(Data).await;
        self.proceed(connection, Step::Data, answer)
    }

    /// A rested connection that is still alive, or a new one. RSET shows the former and also clears
    /// what a refused letter left behind.
    async fn rested_or_new(&self) -> Result<AsyncSmtpConnection, SendError> {
        while let Some(mut connection) = self.pool.wake() {
            if connection.command(Rset).await.is_ok() {
                return Ok(connection);
            }
        }
        self.connect().await
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let immediate = match &self.encryption {
            Encryption::Immediate(tls) => Some(tls.clone()),
            Encryption::None | Encryption::Upgrade(_) => None,
        };
        // A third for each address, so that a dead one among several does not use up the time.
        let patience = Some(self.timeout / 3);
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, patience, &self.hello, immediate, None)
                .await
                .map_err(|e| classify(Step::Connect, &e))?;
        if let Encryption::Upgrade(tls) = &self.encryption {
            let upgraded = connection.starttls(tls.clone(), &self.hello).await;
            upgraded.map_err(|e| classify(Step::StartTls, &e))?;
        }
        if let Some((name, password)) = &self.login {
            let credentials = Credentials::new(name.clone(), password.expose_secret().to_owned());
            let welcome = connection.auth(DEFAULT_MECHANISMS, &credentials).await;
            welcome.map_err(|e| classify(Step::Login, &e))?;
        }
        Ok(connection)
    }

    /// Goes on with the connection if the answer is the one that `step` hopes for. A refusal lets it
    /// rest for the next letter; whatever leaves doubt about what is still to come closes it.
    fn proceed(
        &self,
        connection: AsyncSmtpConnection,
        step: Step,
        answer: Result<Response, Error>,
    ) -> Result<AsyncSmtpConnection, SendError> {
        match answer {
            Ok(answer) if step.hopes_for(answer.code()) => Ok(connection),
            Ok(_) => Err(SendError::Temporary {
                code: None,
                kind: Trouble::Lost,
                about: step.about(),
                outcome_unknown: step == Step::Body,
            }),
            Err(error) => {
                let code = error.status().map(u16::from);
                if code.is_some_and(|code| code != SHUTTING_DOWN) {
                    self.pool.rest(connection);
                }
                Err(classify(step, &error))
            }
        }
    }
}

/// Silence after the recipient was named.
fn of_domain(error: SendError) -> SendError {
    match error {
        SendError::Temporary {
            code: None,
            kind: kind @ Trouble::TimedOut,
            outcome_unknown,
            ..
        } => SendError::Temporary {
            code: None,
            kind,
            about: About::Domain,
            outcome_unknown,
        },
        error => error,
    }
}

/// The letter as it follows DATA: dots at the start of a line doubled, a lone dot at the end
/// (RFC 5321, 4.5.2). lettre would send that dot as a packet of its own, which waits for the
/// server's delayed acknowledgement: 40 ms a letter.
fn content(eml: &[u8]) -> String {
    let lines = String::from_utf8_lossy(eml).replace("\r\n.", "\r\n..");
    let first = if lines.starts_with('.') { "." } else { "" };
    format!(
        "{first}{}\r\n.\r\n",
        lines.strip_suffix("\r\n").unwrap_or(&lines)
    )
}

/// "Service not available, closing transmission channel."
const SHUTTING_DOWN: u16 = 421;

fn tls_parameters(host: &str, settings: &SmtpSettings) -> Result<TlsParameters, SetupError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = &settings.ca_file {
        let pem = fs::read(path).map_err(SetupError::CaFile)?;
        let mut certificates = CertificateDer::pem_slice_iter(&pem).peekable();
        certificates.peek().ok_or(SetupError::CaContent)?;
        for certificate in certificates {
            let der = certificate.map_err(|_| SetupError::CaContent)?.to_vec();
            builder =
                builder.add_root_certificate(Certificate::from_der(der).map_err(SetupError::Tls)?);
        }
    }
    builder.build_rustls().map_err(SetupError::Tls)
}

fn read_password(path: &Path) -> Result<SecretString, SetupError> {
    let text = fs::read_to_string(path).map_err(SetupError::PasswordFile)?;
    Ok(SecretString::from(text.lines().next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::content;

    #[test]
    fn no_line_of_a_letter_ends_it() {
        assert_eq!(
            content(b"a: b\r\n\r\n.\r\n..\r\n.x\r\n"),
            "a: b\r\n\r\n..\r\n...\r\n..x\r\n.\r\n"
        );
        assert_eq!(content(b"."), "..\r\n.\r\n");
        assert_eq!(content(b"x\r\n."), "x\r\n..\r\n.\r\n");
    }
}
