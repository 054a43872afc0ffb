//! Opaque values handed to clients and taken back, such as page cursors: encrypted, so that they tell
//! nothing, and bound to a context, so that they work nowhere else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::keyring::{KeyRing, SecretKey};
use crate::domain::entropy::Entropy;

/// Makes and reads opaque values.
#[derive(Clone, Debug)]
pub struct OpaqueKey(SecretKey);

impl OpaqueKey {
    /// The ring's key for opaque values.
    #[must_use]
    pub fn new(ring: &KeyRing) -> Self {
        Self(ring.root().derive("manyhands 2026 opaque cursor"))
    }

    /// Hides `value`; it opens only with the same `context`. `None` if it cannot be written as JSON.
    pub fn hide<T: Serialize>(
        &self,
        entropy: &dyn Entropy,
        context: &str,
        value: &T,
    ) -> Option<String> {
        let nonce = entropy.bytes::<24>();
        let msg = serde_json::to_vec(value).ok()?;
        let hidden = XChaCha20Poly1305::new(self.0.bytes().into())
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: &msg,
                    aad: context.as_bytes(),
                },
            )
            .ok()?;
        Some(BASE64URL.encode([nonce.as_slice(), &hidden].concat()))
    }

    /// Reads what [`OpaqueKey::hide`] made for the same `context`; `None` for anything else.
    #[must_use]
    pub fn show<T: DeserializeOwned>(&self, context: &str, text: &str) -> Option<T> {
        let bytes = BASE64URL.decode(text).ok()?;
        let (nonce, msg) = bytes.split_at_checked(24)?;
        let nonce: [u8; 24] = nonce.try_into().ok()?;
        let plain = XChaCha20Poly1305::new(self.0.bytes().into())
            .decrypt(
                &XNonce::from(nonce),
                Payload {
                    msg,
                    aad: context.as_bytes(),
                },
            )
            .ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Ts;
    use crate::domain::entropy::OsEntropy;

    #[test]
    fn it_opens_only_in_its_own_context() {
        let key = OpaqueKey::new(&KeyRing::generate(&OsEntropy, Ts::EPOCH));
        let hidden = key.hide(&OsEntropy, "matches?state=open", &42).unwrap();
        assert_eq!(key.show::<i32>("matches?state=open", &hidden), Some(42));
        assert_eq!(key.show::<i32>("matches?state=all", &hidden), None);
        assert_eq!(key.show::<i32>("matches?state=open", "nonsense!"), None);
    }
}
