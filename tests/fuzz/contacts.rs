//! Names, e-mail addresses, phone numbers, addresses of streets.

use super::says_nothing_of_it;
use crate::domain::contact::{ContactLine, EmailAddress, PersonName, PhoneNumber, StreetAddress};

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match EmailAddress::parse(&text) {
        Ok(address) => {
            let kept = address.expose();
            assert_eq!(EmailAddress::parse(kept).unwrap(), address);
            assert!(kept.is_ascii() && !kept.contains(char::is_control) && kept.contains('@'));
            assert_eq!(address.canonical(), address.canonical().to_ascii_lowercase());
            // What is no address for whoever sends the letter would wait for ever.
            assert!(kept.parse::<lettre::Address>().is_ok(), "{kept}");
        }
        Err(error) => says_nothing_of_it(error),
    }
    for country in ["US", "DE", "nowhere"] {
        match PhoneNumber::parse(&text, country) {
            Ok(number) => {
                let kept = number.expose();
                let digits = kept.strip_prefix('+').unwrap();
                assert!(digits.bytes().all(|b| b.is_ascii_digit()), "{kept}");
                assert!((7..=15).contains(&digits.len()), "{kept}");
                assert_eq!(PhoneNumber::parse(kept, country).unwrap(), number, "{kept}");
            }
            Err(error) => says_nothing_of_it(error),
        }
    }
    if let Ok(name) = PersonName::parse(&text) {
        assert_eq!(PersonName::parse(name.expose()).unwrap(), name);
        assert!(!name.first().is_empty() && !name.first().contains(char::is_whitespace));
    }
    for line in [
        ContactLine::parse(&text).map(|line| line.expose().to_owned()),
        StreetAddress::parse(&text).map(|line| line.expose().to_owned()),
    ] {
        match line {
            Ok(line) => assert!(!line.is_empty() && !line.contains(char::is_control)),
            Err(error) => says_nothing_of_it(error),
        }
    }
}
