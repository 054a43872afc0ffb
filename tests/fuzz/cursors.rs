//! Opaque values that clients give back: nobody can make one.

use serde_json::Value;

use crate::crypto::keyring::KeyRing;
use crate::crypto::opaque::OpaqueKey;
use crate::domain::clock::Ts;
use crate::domain::entropy::SeededEntropy;

/// One that was given out for the context `list`.
const GIVEN: &str = "{GIVEN}";

pub fn run(bytes: &[u8]) {
    let entropy = SeededEntropy::new(7);
    let key = OpaqueKey::new(&KeyRing::generate(&entropy, Ts::EPOCH));
    let value = Value::from(vec![1, 2, 3]);
    let given = key.hide(&entropy, "list", &value).unwrap();
    // The examples hold a place for it: it depends on the seed.
    let text = String::from_utf8_lossy(bytes).replace(GIVEN, &given);
    let read: Option<Value> = key.show("list", &text);
    assert_eq!(read, (text == given).then_some(value));
    assert_eq!(key.show::<Value>("other", &text), None);
}
