//! Free text.

use super::says_nothing_of_it;
use crate::domain::note::{Note, PrivateNote};

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Note::parse(&text) {
        Ok(note) => {
            // What is fit to be shown stays so: it is read again with each patch.
            assert_eq!(Note::parse(note.expose()).unwrap().expose(), note.expose());
            assert!(PrivateNote::parse(note.expose()).is_ok());
        }
        Err(error) => says_nothing_of_it(error),
    }
    match PrivateNote::parse(&text) {
        Ok(note) => {
            let again = PrivateNote::parse(note.expose()).unwrap();
            assert_eq!(again.expose(), note.expose());
        }
        Err(error) => says_nothing_of_it(error),
    }
}
