//! The signature of a message: HMAC-SHA256 over its id, the instant of the attempt and its body
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::webhook::SigningKey;

/// The header `webhook-signature`: one signature a key, with a space between them.
#[must_use]
pub fn signatures(keys: &[SigningKey], id: &str, timestamp: i64, body: &[u8]) -> String {
    let each = keys.iter().filter_map(|key| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key.bytes()).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        let signed = STANDARD.encode(mac.finalize().into_bytes());
        Some(format!("v1,{signed}"))
    });
    Vec::from_iter(each).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_signs_as_the_reference_does() {
        // The example of the reference libraries.
        let key: SigningKey = serde_json::from_str("\"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signed = signatures(
            std::slice::from_ref(&key),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            body,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let both = signatures(&[key.clone(), key], "a", 1, b"{}");
        assert_eq!(both.split(' ').count(), 2);
    }
}
