//! The section `mail`: how letters leave, and in whose name.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use super::values;
use crate::domain::contact::{EmailAddress, PersonName};

/// Keys with what is wrong about their values, all at once.
pub type Faults = Vec<(&'static str, &'static str)>;

/// The section `mail`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailSettings {
    /// How letters leave.
    pub transport: TransportKind,
    /// Where the transport `file` writes; made with mode 0700 if it is missing.
    pub file_dir: PathBuf,
    /// The sender of every letter, `Name <address>` or only the address. Bounces come back here.
    pub from: Sender,
    /// Letters that may leave within any hour; 0: any number.
    pub hourly_budget: u32,
    /// The relay of the transport `smtp`.
    pub smtp: SmtpSettings,
}

/// How letters leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransportKind {
    /// To a mail server, which brings them to people.
    Smtp,
    /// Into a directory, one file a letter: for trying things out.
    File,
    /// Into memory: for tests and the demo.
    Memory,
}

/// The mail server that takes our letters.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmtpSettings {
    /// Name or IP address; its certificate must be valid for it.
    #[serde(deserialize_with = "values::filled")]
    pub host: Option<String>,
    /// Without one: 587 for `starttls`, 465 for `tls`, 25 for `none`.
    pub port: Option<u16>,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// A file in PEM with certificates to trust beside those of the machine: a private authority.
    #[serde(deserialize_with = "values::filled")]
    pub ca_file: Option<PathBuf>,
    /// Without one there is no login.
    #[serde(deserialize_with = "values::filled")]
    pub username: Option<String>,
    /// The password itself; `password_file` keeps it out of the environment.
    #[serde(deserialize_with = "values::filled")]
    pub password: Option<SecretString>,
    /// A file that holds the password on its first line.
    #[serde(deserialize_with = "values::filled")]
    pub password_file: Option<PathBuf>,
    /// How long the server may take until it asks for the body, and again until it answers the body.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How many connections may be open at a time.
    pub pool_size: usize,
}

/// How the connection to the relay is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Not at all: for a relay on the same machine.
    None,
    /// Plain at first, upgraded before anything is said; refused if the server cannot.
    Starttls,
    /// From the first byte.
    Tls,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            transport: TransportKind::File,
            file_dir: PathBuf::from("mail"),
            from: Sender::placeholder(),
            hourly_budget: 10_000,
            smtp: SmtpSettings::default(),
        }
    }
}

impl Default for SmtpSettings {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            tls: Tls::Starttls,
            ca_file: None,
            username: None,
            password: None,
            password_file: None,
            timeout: Duration::from_secs(30),
            pool_size: 8,
        }
    }
}

impl MailSettings {
    /// Refuses what cannot work and what would hand a password to whoever listens.
    ///
    /// # Errors
    /// Every key with a wrong value, and what was expected.
    pub fn validate(&self) -> Result<(), Faults> {
        let mut faults = Faults::new();
        match self.transport {
            TransportKind::Smtp => self.smtp.collect_faults(&mut faults),
            TransportKind::File if self.file_dir.as_os_str().is_empty() => {
                faults.push(("mail.file_dir", "must name a directory"));
            }
            TransportKind::File | TransportKind::Memory => {}
        }
        if !matches!(self.hourly_budget, 0 | 20..=1_000_000) {
            faults.push(("mail.hourly_budget", "must be 0, or from 20 to 1000000"));
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    /// What an operator should hear at the start although it may be meant.
    #[must_use]
    pub fn warnings(&self) -> Faults {
        let mut warnings = Faults::new();
        match self.transport {
            TransportKind::Smtp => {
                if self.smtp.tls == Tls::None && !self.smtp.is_loopback() {
                    warnings.push((
                        "mail.smtp.tls",
                        "letters travel unencrypted; set `starttls` or `tls`",
                    ));
                }
                if self.from == Sender::placeholder() {
                    warnings.push((
                        "mail.from",
                        "is still the placeholder, which many servers refuse; set your address",
                    ));
                }
            }
            TransportKind::File => warnings.push((
                "mail.transport",
                "letters are written to files and reach nobody; set `smtp`",
            )),
            TransportKind::Memory => warnings.push((
                "mail.transport",
                "letters are kept in memory and reach nobody; set `smtp`",
            )),
        }
        warnings
    }
}

impl SmtpSettings {
    /// Longest time-out that can be set.
    pub const MAX_TIMEOUT: Duration = Duration::from_mins(5);
    /// Most connections that can be set.
    pub const MAX_POOL: usize = 64;

    /// The port to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            Tls::None => 25,
            Tls::Starttls => 587,
            Tls::Tls => 465,
        })
    }

    /// Whether the relay is this machine.
    fn is_loopback(&self) -> bool {
        self.host.as_deref().is_some_and(|host| {
            host.eq_ignore_ascii_case("localhost")
                || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        })
    }

    fn collect_faults(&self, faults: &mut Faults) {
        let mut refuse = |wrong: bool, key, expected| {
            if wrong {
                faults.push((key, expected));
            }
        };
        let passwords =
            usize::from(self.password.is_some()) + usize::from(self.password_file.is_some());
        refuse(
            self.host.is_none(),
            "mail.smtp.host",
            "must name the mail server when mail.transport is `smtp`",
        );
        refuse(
            self.port == Some(0),
            "mail.smtp.port",
            "must be between 1 and 65535",
        );
        refuse(
            self.tls == Tls::None
                && self.username.is_some()
                && self.host.is_some()
                && !self.is_loopback(),
            "mail.smtp.tls",
            "must be `starttls` or `tls` where a password is sent to another machine",
        );
        refuse(
            self.tls == Tls::None && self.ca_file.is_some(),
            "mail.smtp.ca_file",
            "has no use while mail.smtp.tls is `none`",
        );
        refuse(
            passwords == 2,
            "mail.smtp.password_file",
            "must not be set together with mail.smtp.password",
        );
        refuse(
            self.username.is_some() && passwords == 0,
            "mail.smtp.password",
            "must be set (or mail.smtp.password_file) where mail.smtp.username is",
        );
        refuse(
            self.username.is_none() && passwords > 0,
            "mail.smtp.username",
            "must be set where a password is",
        );
        refuse(
            self.timeout.is_zero() || self.timeout > Self::MAX_TIMEOUT,
            "mail.smtp.timeout",
            "must be longer than nothing and at most 5m, such as 30s",
        );
        refuse(
            !(1..=Self::MAX_POOL).contains(&self.pool_size),
            "mail.smtp.pool_size",
            "must be between 1 and 64",
        );
    }
}

/// Who letters come from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Sender {
    name: Option<String>,
    address: String,
}

/// Why a text is no [`Sender`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSender;

impl fmt::Display for BadSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an address such as `Manyhands <help@example.org>`")
    }
}

impl std::error::Error for BadSender {}

impl Sender {
    /// The sender nobody has set yet. Its domain never exists (RFC 2606).
    fn placeholder() -> Self {
        Self {
            name: Some("Manyhands".to_owned()),
            address: "manyhands@example.invalid".to_owned(),
        }
    }

    /// The name shown before the address.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address, also that of the envelope.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What stands behind the `@`: the right side of our Message-IDs, and our name in EHLO.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.address
            .rsplit_once('@')
            .map_or("", |(_, domain)| domain)
    }
}

impl FromStr for Sender {
    type Err = BadSender;

    fn from_str(text: &str) -> Result<Self, BadSender> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|t| t.rsplit_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"').trim(), address),
            None => ("", text),
        };
        let name = match name {
            "" => None,
            name => Some(
                PersonName::parse(name)
                    .map_err(|_| BadSender)?
                    .expose()
                    .to_owned(),
            ),
        };
        let address = EmailAddress::parse(address).map_err(|_| BadSender)?;
        Ok(Self {
            name,
            address: address.expose().to_owned(),
        })
    }
}

impl TryFrom<String> for Sender {
    type Error = BadSender;

    fn try_from(text: String) -> Result<Self, BadSender> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> MailSettings {
        toml::from_str(toml).unwrap()
    }

    fn faulty_keys(toml: &str) -> Vec<&'static str> {
        let faults = read(toml).validate().err().unwrap_or_default();
        faults.into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn the_defaults_write_files_and_say_so() {
        let settings = read("");
        assert_eq!(settings.transport, TransportKind::File);
        assert_eq!(settings.from.domain(), "example.invalid");
        assert_eq!(settings.smtp.port(), 587);
        assert!(settings.validate().is_ok());
        assert_eq!(settings.warnings().len(), 1);
    }

    #[test]
    fn every_key_of_the_contract_is_read() {
        let settings = read(
            "transport = 'smtp'\nfile_dir = 'out'\nfrom = 'Help, Inc. <help@example.org>'\n[smtp]\nhost = 'mx.example.org'\n\
             port = 2525\ntls = 'tls'\nca_file = 'ca.pem'\nusername = 'app'\npassword = 'p'\ntimeout = '5s'\npool_size = 2\n",
        );
        assert!(settings.validate().is_ok() && settings.warnings().is_empty());
        assert_eq!(settings.from.name(), Some("Help, Inc."));
        assert_eq!(settings.smtp.port(), 2525);
        assert_eq!(settings.smtp.timeout, Duration::from_secs(5));
        assert!(
            !format!("{settings:?}").contains("\"p\""),
            "the password shows"
        );
        assert!(
            toml::from_str::<MailSettings>("smpt = 1").is_err(),
            "an unknown key"
        );
        assert!(toml::from_str::<MailSettings>("from = 'nobody'").is_err());
        assert!(toml::from_str::<MailSettings>("transport = 'pigeon'").is_err());
    }

    #[test]
    fn values_of_the_environment_are_text() {
        let from_environment = config::Config::builder()
            .set_override("transport", "smtp")
            .and_then(|c| c.set_override("smtp.host", "mx.example.org"))
            .and_then(|c| c.set_override("smtp.port", "2525"))
            .and_then(|c| c.set_override("smtp.pool_size", "2"))
            .and_then(|c| c.set_override("smtp.username", ""))
            .and_then(|c| c.set_override("smtp.timeout", "1m"))
            .and_then(config::ConfigBuilder::<config::builder::DefaultState>::build);
        let settings: MailSettings = from_environment.unwrap().try_deserialize().unwrap();
        assert_eq!((settings.smtp.port(), settings.smtp.pool_size), (2525, 2));
        assert_eq!(settings.smtp.timeout, Duration::from_mins(1));
        assert_eq!(settings.smtp.username, None, "an empty variable is none");
        assert!(settings.validate().is_ok());
    }

    #[test]
    fn a_password_never_leaves_the_machine_in_the_clear() {
        let login = "username = 'a'\npassword = 'b'\ntls = 'none'\n";
        for near in ["localhost", "127.0.0.1", "::1"] {
            assert!(
                faulty_keys(&format!(
                    "transport = 'smtp'\n[smtp]\nhost = '{near}'\n{login}"
                ))
                .is_empty()
            );
        }
        for far in ["mx.example.org", "10.0.0.1", "localhost.example.org"] {
            assert_eq!(
                faulty_keys(&format!(
                    "transport = 'smtp'\n[smtp]\nhost = '{far}'\n{login}"
                )),
                ["mail.smtp.tls"]
            );
        }
    }

    #[test]
    fn what_cannot_work_is_named() {
        let cases = [
            ("", "mail.smtp.host"),
            ("host = ''", "mail.smtp.host"),
            ("host = 'h'\nport = 0", "mail.smtp.port"),
            ("host = 'h'\nusername = 'a'", "mail.smtp.password"),
            ("host = 'h'\npassword = 'a'", "mail.smtp.username"),
            (
                "host = 'h'\nusername = 'a'\npassword = 'a'\npassword_file = 'f'",
                "mail.smtp.password_file",
            ),
            ("host = 'h'\ntimeout = '0s'", "mail.smtp.timeout"),
            ("host = 'h'\ntimeout = '6m'", "mail.smtp.timeout"),
            ("host = 'h'\npool_size = 0", "mail.smtp.pool_size"),
            (
                "host = 'localhost'\ntls = 'none'\nca_file = 'c'",
                "mail.smtp.ca_file",
            ),
        ];
        for (smtp, key) in cases {
            assert_eq!(
                faulty_keys(&format!("transport = 'smtp'\n[smtp]\n{smtp}\n")),
                [key],
                "{smtp}"
            );
        }
        assert_eq!(faulty_keys("file_dir = ''"), ["mail.file_dir"]);
    }

    #[test]
    fn a_sender_is_one_address_and_no_header() {
        for text in [
            "a@b.org",
            " a@b.org ",
            "<a@b.org>",
            "Ana <a@b.org>",
            "\"Ana, of B\" <a@b.org>",
            "Añá <a@b.org>",
        ] {
            assert_eq!(
                text.parse::<Sender>().unwrap().address(),
                "a@b.org",
                "{text}"
            );
        }
        for text in [
            "",
            "Ana",
            "Ana <a@b>",
            "Ana\r\nBcc: x@y.org <a@b.org>",
            "a@b.org, c@d.org",
            "Ana <a@b.org> x",
        ] {
            assert!(text.parse::<Sender>().is_err(), "{text}");
        }
    }
}
