//! A key ring for a test, and the database that belongs to it.

use std::path::Path;
use std::thread;

use manyhands::actions::register_keys::register_keys;
use manyhands::crypto::keyring::KeyRing;
use manyhands::crypto::vault::Vault;
use manyhands::domain::clock::Ts;
use manyhands::domain::entropy::Entropy;
use manyhands::storage::Db;

/// The vault over the ring at `path`, which is made if it is not there.
pub fn vault(db: &Db, path: &Path, entropy: &dyn Entropy, now: Ts) -> Vault {
    let ring = KeyRing::load_or_create(path, None, entropy, now).unwrap();
    // On a thread of its own, so that a test may call it whether or not it runs asynchronously.
    let keys = thread::scope(|scope| {
        let register = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap()
                .block_on(register_keys(db, ring, now))
                .unwrap()
        };
        scope.spawn(register).join().unwrap()
    });
    Vault::new(keys)
}
