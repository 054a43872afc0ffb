//! The file of keys.

use super::says_nothing_of_it;
use crate::crypto::keyring::KeyRing;

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match KeyRing::parse(&text) {
        Ok(ring) => {
            let written = ring.to_text().unwrap();
            let again = KeyRing::parse(&written).unwrap();
            assert_eq!(again.check(), ring.check());
            assert!(again.epochs().eq(ring.epochs()));
            assert!(ring.epochs().all(|(epoch, _)| again.key_check(epoch) == ring.key_check(epoch)));
        }
        Err(error) => says_nothing_of_it(error),
    }
}
