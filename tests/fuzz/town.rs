//! An instance to read with: the shipped categories, some postal codes, a clock that stands still.

use std::sync::Arc;

use crate::actions::Ctx;
use crate::actions::register_keys::register_keys;
use crate::crypto::keyring::KeyRing;
use crate::crypto::vault::Vault;
use crate::domain::category::Catalog;
use crate::domain::clock::{Clock, ManualClock, Ts};
use crate::domain::entropy::{Entropy, SeededEntropy};
use crate::domain::gazetteer::Gazetteer;
use crate::settings::{Settings, Sources};
use crate::storage::Db;

/// Two postal codes in the format of GeoNames.
const POSTAL: &str =
    "US\t55407\tMinneapolis\tMinnesota\tMN\tHennepin\t053\t\t\t44.9378\t-93.2545\t4
US\t55409\tMinneapolis\tMinnesota\tMN\tHennepin\t053\t\t\t44.9264\t-93.2818\t4
";

/// Noon of a Monday in winter.
pub fn now() -> Ts {
    let noon: jiff::Timestamp = "2026-12-07T18:00:00Z".parse().unwrap();
    noon.into()
}

/// An instance with an empty database, which is gone with the directory.
pub async fn town() -> (Ctx, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", dir.path().join("db/manyhands.db").display());
    let overrides = [
        ("database.url", &*database),
        ("mail.transport", "memory"),
        ("area.timezone", "America/Chicago"),
        ("limits.mode", "off"),
    ];
    let overrides = overrides.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let settings = Settings::load(Sources {
        overrides: overrides.to_vec(),
        ..Sources::default()
    });
    let settings = settings.unwrap();
    let clock = Arc::new(ManualClock::at(now()));
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(7));
    let ring = KeyRing::generate(entropy.as_ref(), clock.now());
    let db = Db::open(&settings.database.url()).unwrap();
    let keys = register_keys(&db, ring, clock.now()).await.unwrap();
    let ctx = Ctx {
        db,
        clock,
        entropy,
        vault: Arc::new(Vault::new(keys)),
        catalog: Arc::new(Catalog::shipped().unwrap()),
        gazetteer: Arc::new(Gazetteer::parse(POSTAL).unwrap()),
        settings: Arc::new(settings),
        index: Arc::default(),
        timetables: Arc::default(),
        planning: Arc::default(),
    };
    (ctx, dir)
}

thread_local! {
    static READING: (Ctx, tempfile::TempDir) = {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(town())
    };
}

/// One that is only read with, the same for all of a thread.
pub fn with<T>(run: impl FnOnce(&Ctx) -> T) -> T {
    READING.with(|(ctx, _)| run(ctx))
}
