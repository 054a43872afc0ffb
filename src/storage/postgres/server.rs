//! Where a server is and how it is spoken to.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// Whether this program can speak TLS to a server; a matter of how it was built.
pub const HAS_TLS: bool = cfg!(feature = "postgres-tls");

/// How a server is spoken to, beside its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// A file with the password on its first line; read for every new connection, so that it may change.
    pub password_file: Option<PathBuf>,
    /// Whether a server on another machine may be spoken to without TLS.
    pub plaintext: bool,
    /// Connections for calls, at the most.
    pub connections: u32,
    /// Connections for workers, at the most.
    pub worker_connections: u32,
    /// How long one statement may take.
    pub statement_timeout: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            password_file: None,
            plaintext: false,
            connections: 12,
            worker_connections: 4,
            statement_timeout: Duration::from_secs(5),
        }
    }
}

/// Why a server is not spoken to.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// It is on another machine, and this program cannot speak TLS.
    #[error(
        "the server is on another machine, and this program was built without TLS to databases: build it with `--features postgres-tls`, or set database.plaintext to true where the network in between is yours alone"
    )]
    NoTls,
    /// Its URL asks for less than TLS with the server that it names.
    #[error(
        "the server is on another machine, and its URL says sslmode={0}, which does not make sure that it is the one that is meant: leave it out, say sslmode=verify-full, or set database.plaintext to true where the network in between is yours alone"
    )]
    WeakMode(String),
    /// Its URL can be read in more than one way, and what is meant to be a password could be taken for
    /// something else and shown.
    #[error(
        "the URL of the server has a blank, a second @, a % that begins no code, or a parameter twice: write such signs as codes (@ is %40, % is %25), or put the password into database.password_file"
    )]
    Malformed,
    /// It agreed to speak without TLS only.
    #[error(
        "the server is on another machine and does not encrypt the connection: set up TLS there, or set database.plaintext to true where the network in between is yours alone"
    )]
    NotEncrypted,
    /// The password's file cannot be read.
    #[error("database.password_file: {}: {source}", path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// A server's URL and how it is spoken to. The URL may hold a password and is never shown.
#[derive(Clone)]
pub struct Server {
    url: SecretString,
    /// How it is spoken to.
    pub options: ServerOptions,
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        self.url.expose_secret() == other.url.expose_secret() && self.options == other.options
    }
}

impl Eq for Server {}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Server {
    pub(in crate::storage) fn new(url: &str) -> Self {
        Self {
            url: SecretString::from(url),
            options: ServerOptions::default(),
        }
    }

    /// The same server, spoken to in another way.
    #[must_use]
    pub fn with(mut self, options: ServerOptions) -> Self {
        self.options = options;
        self
    }

    /// Whether this URL can be used as it is.
    ///
    /// # Errors
    /// Says what would let it be spoken to without TLS over a network, or be misread.
    pub fn check(&self) -> Result<(), ServerError> {
        if !self.is_well_formed() {
            return Err(ServerError::Malformed);
        }
        if self.options.plaintext || self.is_local() {
            return Ok(());
        }
        match (HAS_TLS, self.parameter("sslmode")) {
            (false, _) => Err(ServerError::NoTls),
            (true, None | Some("verify-full")) => Ok(()),
            (true, Some(weak)) => Err(ServerError::WeakMode(weak.to_owned())),
        }
    }

    /// What is given to libpq: the URL, the password from its file, and limits on everything that may
    /// take long.
    pub(super) fn connection_string(&self) -> Result<Zeroizing<String>, ServerError> {
        self.check()?;
        let mut url = Zeroizing::new(self.url.expose_secret().to_owned());
        let mut add = |name: &str, value: &str| {
            let separator = match (url.ends_with('?'), url.contains('?')) {
                (true, _) => "",
                (_, true) => "&",
                (_, false) => "?",
            };
            if self.parameter(name).is_none() {
                url.push_str(separator);
                url.push_str(name);
                url.push('=');
                url.push_str(value);
            }
        };
        add("application_name", "manyhands");
        add("connect_timeout", "5");
        add("keepalives_idle", "10");
        add("keepalives_interval", "5");
        add("keepalives_count", "3");
        add("tcp_user_timeout", "15000");
        if HAS_TLS && !self.options.plaintext && !self.is_local() {
            add("sslmode", "verify-full");
            if self.parameter("sslmode").is_none() {
                // Whoever the machine trusts, unless the URL names somebody.
                add("sslrootcert", "system");
            }
        }
        if let Some(path) = &self.options.password_file {
            let password = std::fs::read_to_string(path).map(Zeroizing::new);
            let password = password.map_err(|source| ServerError::PasswordFile {
                path: path.clone(),
                source,
            })?;
            add(
                "password",
                &escaped(password.lines().next().unwrap_or_default()),
            );
        }
        Ok(url)
    }

    /// Whether libpq and we read the same in it: it takes the first @ for the end of user and password.
    fn is_well_formed(&self) -> bool {
        let url = self.url.expose_secret();
        let (_, rest) = url.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let is_code = |rest: &str| {
            let code = rest.as_bytes().get(..2);
            code.is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit))
        };
        let names = || {
            let query = url.split_once('?').map_or("", |(_, query)| query);
            query.split('&').filter_map(|pair| pair.split('=').next())
        };
        let signs = authority.matches('@').count();
        signs <= 1
            && rest.matches('@').count() == signs
            && url.split('%').skip(1).all(is_code)
            && !url.contains(|c: char| c.is_whitespace() || c.is_control())
            && names().all(|name| names().filter(|other| *other == name).count() == 1)
    }

    /// Whether every host of the URL is this machine: a socket, or a loopback address; and nothing around
    /// the program leads libpq elsewhere.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let elsewhere = ["PGHOST", "PGHOSTADDR", "PGSERVICE"];
        if elsewhere
            .iter()
            .any(|name| std::env::var_os(name).is_some())
        {
            return false;
        }
        let url = self.url.expose_secret();
        let (_, rest) = url.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let hosts = authority.rsplit('@').next().unwrap_or_default();
        let named = ["host", "hostaddr"]
            .into_iter()
            .filter_map(|name| self.parameter(name));
        named
            .chain([hosts])
            .all(|list| list.split(',').all(is_local_host))
            && self.parameter("service").is_none()
    }

    /// Where it is, without a password and whatever else may be in the URL.
    #[must_use]
    pub fn shown(&self) -> String {
        let url = self.url.expose_secret();
        let (_, rest) = url.split_once("://").unwrap_or_default();
        let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        if parameters.contains('@') {
            // It may be a password with a ? in it that goes on there.
            return "postgres://…".to_owned();
        }
        // A password may have an @ of its own that should have been written as %40.
        let (user, place) = rest.rsplit_once('@').unwrap_or_default();
        match user.split(':').next().filter(|user| !user.is_empty()) {
            Some(user) => format!("postgres://{user}@{place}"),
            None => format!("postgres://{}", rest.rsplit('@').next().unwrap_or_default()),
        }
    }

    /// A parameter of the URL, as it is written there.
    fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.url.expose_secret().split_once('?')?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key == name).then_some(value)
        })
    }
}

/// Nothing but an address or name that stands for this machine counts; what cannot be told does not.
fn is_local_host(host: &str) -> bool {
    let is_socket =
        host.is_empty() || host.starts_with('/') || host.to_ascii_lowercase().starts_with("%2f");
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or_default(),
        None => host,
    };
    is_socket
        || name.is_empty()
        || name == "localhost"
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Every byte in a form that needs no quoting in a URL.
fn escaped(text: &str) -> Zeroizing<String> {
    use std::fmt::Write;
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 3));
    for byte in text.bytes() {
        // Writing to a string cannot fail.
        let _ = write!(out, "%{byte:02X}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
        for url in [
            "postgres://u@localhost/d",
            "postgres://u:p@127.0.0.1:5432/d",
            "postgres://u@[::1]:5432/d",
            "postgres:///d",
            "postgres://u@/d?host=/run/postgresql",
            "postgres://%2Frun%2Fpostgresql/d",
            "postgres://u@localhost,127.0.0.2:5433/d",
        ] {
            assert!(Server::new(url).is_local(), "{url}");
        }
        for url in [
            "postgres://u@db/d",
            "postgres://u@10.0.0.1/d",
            "postgres://u@localhost,db/d",
            "postgres://localhost@db/d",
            "postgres://u@localhost/d?host=db",
            "postgres://u@localhost/d?hostaddr=10.0.0.1",
            "postgres://u@localhost/d?service=other",
            "postgres://u@localhost.evil.example/d",
            "postgres://u@[2001:db8::1]/d",
        ] {
            assert!(!Server::new(url).is_local(), "{url}");
        }
    }

    #[test]
    fn it_is_shown_without_a_password() {
        for (url, shown) in [
            ("postgres://u:hunter2@db:5432/d", "postgres://u@db:5432/d"),
            ("postgresql://u:hun@ter2@db/d", "postgres://u@db/d"),
            ("postgres://u@db/d?password=hunter2", "postgres://u@db/d"),
            ("postgres:///d?user=u", "postgres:///d"),
            ("postgres://:hunter2@db/d", "postgres://db/d"),
            ("postgres://u:hunt?er2@db/d", "postgres://…"),
        ] {
            assert_eq!(Server::new(url).shown(), shown, "{url}");
        }
    }

    #[test]
    fn a_url_that_libpq_would_read_otherwise_is_refused() {
        for url in [
            "postgres://u:pa%ss@db/d",
            "postgres://u:hun@ter2@localhost/d",
            "postgres://u:pa/ss@localhost/d",
            "postgres://u:pa?ss@localhost/d",
            "postgres://u:pa ss@localhost/d",
            "postgres://u@localhost/d?sslmode=disable&sslmode=require",
        ] {
            let refused = Server::new(url).check();
            assert!(matches!(refused, Err(ServerError::Malformed)), "{url}");
        }
        for url in [
            "postgres://u:pa%25ss%40@localhost/d",
            "postgres://localhost",
            "postgres://u@localhost/d?",
        ] {
            assert!(Server::new(url).check().is_ok(), "{url}");
        }
        let open = Server::new("postgres://u@localhost/d?").connection_string();
        assert!(
            open.unwrap()
                .starts_with("postgres://u@localhost/d?application_name=")
        );
    }

    #[test]
    fn a_server_elsewhere_is_refused_without_tls_unless_asked_for() {
        let far = Server::new("postgres://u@db/d?sslmode=prefer");
        assert!(far.check().is_err());
        let options = ServerOptions {
            plaintext: true,
            ..ServerOptions::default()
        };
        assert!(far.with(options).check().is_ok());
        assert!(Server::new("postgres://u@localhost/d").check().is_ok());
        assert_eq!(Server::new("postgres://u@db/d").check().is_ok(), HAS_TLS);
    }

    #[test]
    fn the_password_comes_from_its_file_and_needs_no_quoting() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a&b=c?/ü\n").unwrap();
        let options = ServerOptions {
            password_file: Some(file.path().to_owned()),
            ..ServerOptions::default()
        };
        let server = Server::new("postgres://u@localhost/d").with(options);
        let string = server.connection_string().unwrap();
        assert!(
            string.ends_with("&password=%61%26%62%3D%63%3F%2F%C3%BC"),
            "{}",
            *string
        );
        assert!(string.starts_with("postgres://u@localhost/d?application_name=manyhands&"));
    }
}
