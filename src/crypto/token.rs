//! Tokens: secrets that let their holder manage, confirm, answer or unsubscribe.
//!
//! `mhn_` and the like, then 26 Crockford base32 characters (130 random bits) and two that check
//! them, so that a code read out over the phone is known to be right before it is looked up. The
//! database holds only a keyed hash.
//!
//! No token is ever compared with another, and a [`Token`] has no `==`. What somebody sends is hashed
//! with a key that is in the ring alone, and the hash is looked up in an index. How long that takes may
//! depend on how many leading bytes of the hash some row shares; but whoever does not have the key
//! cannot tell which token has which hash, let alone choose one, so that learning it byte by byte,
//! which is what a comparison in constant time is to prevent, has nothing to begin with. The checksum
//! is no secret: anybody can compute it.

use std::fmt;

use crate::crypto::lookup::{Hasher, KeyedHash};
use crate::domain::entropy::Entropy;
use crate::domain::word::words;

words! {
    /// What a token is for.
    Purpose {
        /// Manage a neighbor's posts (`mhn_`).
        Neighbor = "neighbor",
        /// Manage a volunteer's posts (`mhv_`).
        Volunteer = "volunteer",
        /// Confirm an address and its offers (`mho_`).
        Confirm = "confirm",
        /// Answer one match (`mha_`).
        Answer = "answer",
        /// Stop mail (`mhu_`).
        Unsubscribe = "unsubscribe",
        /// A coordinator's API token (`mhc_`).
        Coordinator = "coordinator",
    }
}

impl Purpose {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Neighbor => "mhn_",
            Self::Volunteer => "mhv_",
            Self::Confirm => "mho_",
            Self::Answer => "mha_",
            Self::Unsubscribe => "mhu_",
            Self::Coordinator => "mhc_",
        }
    }
}

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BODY: usize = 26;
/// The largest prime below 32²: every wrong character and every swap of two changes the remainder.
const MODULUS: u32 = 1021;

/// A token in clear: in the hands of its owner, never in the database or a log.
#[derive(Clone)]
pub struct Token {
    purpose: Purpose,
    text: String,
}

impl Token {
    /// A new random token.
    #[must_use]
    pub fn mint(purpose: Purpose, entropy: &dyn Entropy) -> Self {
        let digits = entropy.bytes::<BODY>().map(|b| b & 31);
        let check = checksum(purpose, &digits);
        let mut text = String::with_capacity(32);
        text.push_str(purpose.prefix());
        for digit in digits.iter().copied().chain(check) {
            text.push(char::from(ALPHABET[usize::from(digit)]));
        }
        Self { purpose, text }
    }

    /// Reads a token as people paste or type it: any case, with spaces or dashes in it, with or without
    /// the underscore, O for 0, I or L for 1. `None` if it cannot be a token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > 100 || !text.is_ascii() {
            return None;
        }
        let (prefix, rest) = text.split_at_checked(3)?;
        // Read out, `mho` sounds like its third letter is a zero.
        let prefix = prefix.to_ascii_lowercase().replace('0', "o");
        let purpose = Purpose::ALL
            .iter()
            .copied()
            .find(|p| p.prefix().strip_suffix('_') == Some(&prefix))?;
        let digits: Vec<u8> = rest
            .trim_start_matches(['_', ' ', '-'])
            .bytes()
            .filter(|b| !matches!(b, b' ' | b'-'))
            .map(digit)
            .collect::<Option<_>>()?;
        let (body, check) = digits.split_at_checked(BODY)?;
        let body: [u8; BODY] = body.try_into().ok()?;
        let [high, low] = check else { return None };
        if checksum(purpose, &body) != [*high, *low] {
            return None;
        }
        let text = purpose
            .prefix()
            .chars()
            .chain(digits.iter().map(|d| char::from(ALPHABET[usize::from(*d)])))
            .collect();
        Some(Self { purpose, text })
    }

    /// What the token is for.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The token in clear, for its owner.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The token in groups of four, as it is read out; [`Token::parse`] takes it so.
    #[must_use]
    pub fn spoken(&self) -> String {
        let (prefix, body) = self.text.split_at(3);
        let mut spoken = prefix.to_owned();
        for (nth, digit) in body.trim_start_matches('_').chars().enumerate() {
            if nth % 4 == 0 {
                spoken.push(' ');
            }
            spoken.push(digit);
        }
        spoken
    }

    /// What the database knows it by.
    #[must_use]
    pub fn hash(&self, hasher: &Hasher) -> KeyedHash {
        hasher.token(&self.text)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}, redacted)", self.purpose)
    }
}

fn digit(byte: u8) -> Option<u8> {
    let byte = match byte.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    ALPHABET
        .iter()
        .position(|a| *a == byte)
        .and_then(|i| u8::try_from(i).ok())
}

/// The token's number modulo 1021 in two digits, as Crockford's check symbol is modulo 37; the purpose
/// counts too.
fn checksum(purpose: Purpose, digits: &[u8]) -> [u8; 2] {
    let start = purpose
        .prefix()
        .bytes()
        .fold(0, |sum, b| (sum * 256 + u32::from(b)) % MODULUS);
    let sum = digits
        .iter()
        .fold(start, |sum, d| (sum * 32 + u32::from(*d)) % MODULUS);
    // Both are below 32.
    [sum / 32, sum % 32].map(|digit| u8::try_from(digit).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::{OsEntropy, SeededEntropy};

    /// What a text is read as.
    fn read(text: &str) -> Option<String> {
        Token::parse(text).map(|token| token.expose().to_owned())
    }

    #[test]
    fn a_token_is_read_back_as_people_type_it() {
        for purpose in Purpose::ALL {
            let token = Token::mint(*purpose, &OsEntropy);
            assert_eq!(token.expose().len(), 4 + 26 + 2);
            let (prefix, body) = token.expose().split_at(4);
            let typed = format!(
                " {prefix}{}-{} ",
                body[..9].to_lowercase(),
                body[9..].replace('0', "O").replace('1', "l")
            );
            assert_eq!(read(&typed).as_deref(), Some(token.expose()), "{typed}");
            assert_eq!(read(&token.spoken()).as_deref(), Some(token.expose()));
            assert_eq!(token.spoken().split(' ').count(), 8);
            let short = &prefix[..3];
            for gap in ["", " ", "-", " - ", "_ ", "__"] {
                let typed = format!("{}{gap}{body}", short.to_uppercase());
                assert_eq!(read(&typed).as_deref(), Some(token.expose()), "{typed}");
            }
        }
        let confirm = Token::mint(Purpose::Confirm, &OsEntropy);
        let typed = confirm.expose().replacen("mho_", "mh0 ", 1);
        assert_eq!(read(&typed).as_deref(), Some(confirm.expose()));
    }

    #[test]
    fn every_single_typo_and_swap_is_noticed() {
        let token = Token::mint(Purpose::Answer, &SeededEntropy::new(7));
        let text = token.expose().as_bytes();
        for i in 4..text.len() {
            for wrong in ALPHABET.iter().filter(|a| **a != text[i]) {
                let mut typo = text.to_vec();
                typo[i] = *wrong;
                assert_eq!(read(std::str::from_utf8(&typo).unwrap()), None);
            }
            if i + 1 < text.len() && text[i] != text[i + 1] {
                let mut swapped = text.to_vec();
                swapped.swap(i, i + 1);
                assert_eq!(read(std::str::from_utf8(&swapped).unwrap()), None);
            }
        }
        let other_purpose = token.expose().replacen("mha_", "mhn_", 1);
        assert_eq!(read(&other_purpose), None);
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in [
            "",
            "mha_",
            "mh",
            "mha00000000000000000000000000",
            "mhx_00000000000000000000000000",
            "mha_é",
            &"mha_0".repeat(50),
        ] {
            assert_eq!(read(text), None);
        }
        assert_eq!(
            format!("{:?}", Token::mint(Purpose::Neighbor, &OsEntropy)),
            "Token(neighbor, redacted)"
        );
    }
}
