//! JSON merge patch (RFC 7396): what a PATCH says, over what is there.

use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::problem::Problem;

/// `current` with `patch` merged into it, as bytes for `read_body`.
///
/// # Errors
/// A patch that is no JSON object.
pub fn patch(current: &impl Serialize, patch: &[u8]) -> Result<Vec<u8>, Problem> {
    let malformed = || {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed-json",
            "The body is no JSON object, or nested too deeply",
        )
    };
    let patch: Value = serde_json::from_slice(patch).map_err(|_| malformed())?;
    if !patch.is_object() {
        return Err(malformed());
    }
    let mut value = serde_json::to_value(current).map_err(|_| Problem::internal())?;
    merge(&mut value, patch);
    serde_json::to_vec(&value).map_err(|_| Problem::internal())
}

/// RFC 7396, section 2: objects are merged, null takes away, everything else replaces.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(members) = target else {
        return;
    };
    for (name, change) in patch {
        if change.is_null() {
            members.remove(&name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_examples_of_the_rfc_hold() {
        for (original, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (
                json!({"a":{"b":"c"}}),
                json!({"a":{"b":"d","c":null}}),
                json!({"a":{"b":"d"}}),
            ),
            (
                json!({}),
                json!({"a":{"bb":{"ccc":null}}}),
                json!({"a":{"bb":{}}}),
            ),
        ] {
            let mut value = original;
            merge(&mut value, patch);
            assert_eq!(value, result);
        }
    }
}
