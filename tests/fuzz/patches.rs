//! JSON merge patches: what is there, an empty line, the patch.

use serde_json::Value;

use super::parted;
use crate::http::merge;

pub fn run(bytes: &[u8]) {
    let (current, patch) = parted(bytes);
    let Ok(current) = serde_json::from_str::<Value>(&current) else {
        return;
    };
    let said = serde_json::from_slice::<Value>(patch).ok();
    let merged = match merge::patch(&current, patch) {
        Ok(merged) => serde_json::from_slice::<Value>(&merged).unwrap(),
        Err(problem) => {
            assert_eq!(problem.status, 400);
            assert!(!said.is_some_and(|said| said.is_object()));
            return;
        }
    };
    // Whoever says it again changes nothing.
    let again = merge::patch(&merged, patch).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&again).unwrap(), merged);
    for (name, value) in said.as_ref().and_then(Value::as_object).unwrap() {
        match value {
            Value::Null => assert!(merged.get(name).is_none()),
            Value::Object(_) => assert!(merged[name].is_object()),
            value => assert_eq!(&merged[name], value),
        }
    }
}
