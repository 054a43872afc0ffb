//! Opens what everything works with: the database and the key ring that belongs to it, the categories,
//! the postal codes. Shared by the service and the command line.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use tokio::task::spawn_blocking;

use super::Parts;
use crate::actions::Ctx;
use crate::actions::register_keys::{WrongRing, register_keys};
use crate::crypto::keyring::{KeyRing, KeyRingError};
use crate::crypto::vault::Vault;
use crate::domain::category::{Catalog, CatalogError};
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::gazetteer::{Gazetteer, GazetteerError};
use crate::mail::transport::SetupError;
use crate::matching::index::PostIndex;
use crate::settings::Settings;
use crate::storage::clocks::ClocksDiffer;
use crate::storage::db::OpenError;
use crate::storage::{Conn, DatabaseUrl, Db, StorageError, TxError, meta};
use crate::telemetry::metrics::MetricsError;

/// Why the service, or a command, cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file that a setting names cannot be read.
    #[error("{key}: {}: {source}", path.display())]
    File {
        /// The setting.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The categories are not right.
    #[error("categories.path: {origin}:\n{source}")]
    Catalog {
        /// The file, or that they are the shipped ones.
        origin: String,
        /// Every fault.
        source: CatalogError,
    },
    /// The postal codes are not right.
    #[error("gazetteer.path: {origin}: {source}")]
    Gazetteer {
        /// The file, or that they are the shipped ones.
        origin: String,
        /// The first line that is wrong.
        source: GazetteerError,
    },
    /// The key ring cannot be used.
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
    /// The database was made with a ring, and that ring is gone.
    #[error(
        "key ring {} is not there, but the database was made with one; put your copy of it there (without it nothing personal in the database can be read)",
        .0.display()
    )]
    RingMissing(PathBuf),
    /// The ring is not the database's, or not all of it.
    #[error("key ring {} {why}; set keys.path to the ring that the database was made with, as it was last", path.display())]
    WrongRing {
        /// Where the ring is.
        path: PathBuf,
        /// What is wrong with it.
        why: WrongRing,
    },
    /// The database does not open.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The database does not answer.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Leases, and who lives, would be judged by a wrong clock.
    #[error(transparent)]
    Clocks(#[from] ClocksDiffer),
    /// The way for letters cannot be set up.
    #[error(transparent)]
    Mail(#[from] SetupError),
    /// Nothing would be measured.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// A port cannot be had.
    #[error("{key}: cannot listen on {address}: {source}")]
    Bind {
        /// The setting.
        key: &'static str,
        /// What it says.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Opening was cut off.
    #[error("the start was cut off")]
    CutOff,
}

impl StartError {
    /// Whether a setting, or a file that one names, has to be changed.
    #[must_use]
    pub fn is_about_settings(&self) -> bool {
        matches!(
            self,
            Self::File { .. } | Self::Catalog { .. } | Self::Gazetteer { .. } | Self::Mail(_)
        )
    }
}

/// Opens everything that the settings name. What is missing of database and key ring is made, unless
/// only one of them is missing that belongs to the other.
///
/// # Errors
/// Says which part cannot be had.
pub async fn open(settings: Settings, parts: &Parts) -> Result<Ctx, StartError> {
    let (clock, entropy) = (Arc::clone(&parts.clock), Arc::clone(&parts.entropy));
    spawn_blocking(move || Opened::new(settings, clock, entropy))
        .await
        .map_err(|_| StartError::CutOff)??
        .into_ctx()
        .await
}

/// As [`open`], without any keys, whatever the ring is like: for what must work while they are away.
///
/// # Errors
/// As [`open`].
pub async fn open_locked(settings: Settings, parts: &Parts) -> Result<Ctx, StartError> {
    let (clock, entropy) = (Arc::clone(&parts.clock), Arc::clone(&parts.entropy));
    let opened = spawn_blocking(move || Opened::without_ring(settings, clock, entropy))
        .await
        .map_err(|_| StartError::CutOff)??;
    Ok(opened.with_vault(Vault::locked()))
}

/// The directory of an embedded database, in which no key ring may lie.
#[must_use]
pub fn data_dir(url: &DatabaseUrl) -> Option<PathBuf> {
    Some(match url.file()?.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_owned(),
        _ => PathBuf::from("."),
    })
}

/// The categories that the settings name, or those that come with the program.
///
/// # Errors
/// A file that cannot be read, or every fault in it.
pub fn read_catalog(settings: &Settings) -> Result<Catalog, StartError> {
    let path = settings.categories.path.as_deref();
    let read = match path {
        Some(path) => Catalog::parse(&read_file("categories.path", path)?),
        None => Catalog::shipped(),
    };
    read.map_err(|source| StartError::Catalog {
        origin: origin(path),
        source,
    })
}

/// The postal codes that the settings name, or those that come with the program.
///
/// # Errors
/// A file that cannot be read, or its first line that is wrong.
pub fn read_gazetteer(settings: &Settings) -> Result<Gazetteer, StartError> {
    let path = settings.gazetteer.path.as_deref();
    let read = match path {
        Some(path) => Gazetteer::parse(&read_file("gazetteer.path", path)?),
        None => Gazetteer::shipped(),
    };
    read.map_err(|source| StartError::Gazetteer {
        origin: origin(path),
        source,
    })
}

fn read_file(key: &'static str, path: &Path) -> Result<String, StartError> {
    fs::read_to_string(path).map_err(|source| StartError::File {
        key,
        path: path.to_owned(),
        source,
    })
}

fn origin(path: Option<&Path>) -> String {
    path.map_or_else(
        || "what comes with the program".to_owned(),
        |path| path.display().to_string(),
    )
}

/// What opens without waiting for anybody.
struct Opened {
    settings: Settings,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    catalog: Catalog,
    gazetteer: Gazetteer,
    ring: Option<KeyRing>,
    db: Db,
}

impl Opened {
    fn new(
        settings: Settings,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        // Before the database: a ring that is refused must not leave an empty one behind.
        let data_dir = data_dir(&settings.database.url());
        let ring = match KeyRing::load(&settings.keys.path, data_dir.as_deref()) {
            Ok(ring) => Some(ring),
            Err(error) if error.is_missing() => None,
            Err(error) => return Err(error.into()),
        };
        let opened = Self::without_ring(settings, clock, entropy)?;
        Ok(Self { ring, ..opened })
    }

    fn without_ring(
        settings: Settings,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        Ok(Self {
            catalog: read_catalog(&settings)?,
            gazetteer: read_gazetteer(&settings)?,
            db: Db::open(&settings.database.url())?,
            ring: None,
            settings,
            clock,
            entropy,
        })
    }

    async fn into_ctx(self) -> Result<Ctx, StartError> {
        let vault = self.vault().await?;
        Ok(self.with_vault(vault))
    }

    fn with_vault(self, vault: Vault) -> Ctx {
        Ctx {
            db: self.db,
            clock: self.clock,
            entropy: self.entropy,
            vault: Arc::new(vault),
            catalog: Arc::new(self.catalog),
            gazetteer: Arc::new(self.gazetteer),
            settings: Arc::new(self.settings),
            index: Arc::new(RwLock::new(PostIndex::default())),
            timetables: Arc::default(),
            planning: Arc::default(),
        }
    }

    /// The keys that the database is sealed under; for a new database those of the ring that is there,
    /// or of a new one. None while an operator has locked the service.
    async fn vault(&self) -> Result<Vault, StartError> {
        let path = &self.settings.keys.path;
        let read = |conn: &mut Conn| Ok((meta::is_locked(conn)?, meta::key_check(conn)?.is_some()));
        let (is_locked, has_ring) = self.db.read::<_, StorageError, _>(read).await?;
        if is_locked {
            return Ok(Vault::locked());
        }
        let now = self.clock.now();
        let ring = match &self.ring {
            Some(ring) => ring.clone(),
            None if has_ring => return Err(StartError::RingMissing(path.clone())),
            None => {
                let data_dir = data_dir(&self.settings.database.url());
                KeyRing::load_or_create(path, data_dir.as_deref(), self.entropy.as_ref(), now)?
            }
        };
        match register_keys(&self.db, ring, now).await {
            Ok(keys) => Ok(Vault::new(keys)),
            Err(TxError::Storage(error)) => Err(error.into()),
            Err(TxError::Refused(why)) => Err(StartError::WrongRing {
                path: path.clone(),
                why,
            }),
        }
    }
}
