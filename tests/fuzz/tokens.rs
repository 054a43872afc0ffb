//! Tokens as they are pasted, typed or read out.

use crate::crypto::token::Token;

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some(token) = Token::parse(&text) else {
        return;
    };
    for again in [token.expose().to_owned(), token.spoken(), token.expose().to_lowercase()] {
        let again = Token::parse(&again).unwrap();
        assert_eq!((again.expose(), again.purpose()), (token.expose(), token.purpose()));
    }
    assert_eq!(token.expose().len(), "mhn_".len() + 28);
    assert!(!format!("{token:?}").contains(&token.expose()[4..]));
}
