//! How a person is called and reached. Every type here hides its content from `Debug`, and none has
//! a `Display`: what leaves goes through `expose`, which is easy to search for.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! private_text {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The content, for sealing, for a letter, or for the person it was released to.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    )*};
}

private_text! {
    /// What a person wants to be called, 1 to 80 characters on one line.
    PersonName;
    /// An e-mail address: ASCII, as RFC 5321 lets it stand in an envelope.
    EmailAddress;
    /// A phone number in E.164 form (`+16125550123`).
    PhoneNumber;
    /// A line of text that says how to reach somebody, 1 to 200 characters.
    ContactLine;
    /// A street address, 1 to 300 characters.
    StreetAddress;
}

/// `text` without surrounding space, if it is 1 to `max` characters without control characters.
fn one_line(text: &str, max: usize) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("must not be empty");
    }
    if text.chars().count() > max {
        return Err("is too long");
    }
    if text.chars().any(char::is_control) {
        return Err("must be one line without control characters");
    }
    Ok(text.to_owned())
}

impl PersonName {
    /// Longest name taken, in characters.
    pub const MAX: usize = 80;

    /// # Errors
    /// Says what is wrong with the text, without repeating it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        one_line(text, Self::MAX).map(Self)
    }

    /// The first word of the name: all that is released of it.
    #[must_use]
    pub fn first(&self) -> &str {
        self.0.split_whitespace().next().unwrap_or_default()
    }
}

impl EmailAddress {
    /// # Errors
    /// Says what is wrong with the text, without repeating it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "must be an e-mail address such as ana@example.org";
        let text = one_line(text, 254)?;
        if !text.is_ascii() {
            return Err("must be an e-mail address in ASCII (a domain in its xn-- form)");
        }
        let options = email_address::Options::default()
            .without_display_text()
            .without_domain_literal()
            .with_required_tld();
        email_address::EmailAddress::parse_with_options(&text, options).map_err(|_| WRONG)?;
        Ok(Self(text))
    }

    /// The form in which two spellings of one address are equal, for keyed hashes.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Where its mailbox is.
    #[must_use]
    pub fn domain(&self) -> MailDomain {
        let domain = self.0.rsplit_once('@').map_or("", |(_, domain)| domain);
        MailDomain(domain.to_ascii_lowercase())
    }
}

/// What stands behind the `@` of an address: who takes its letters. Kept in memory only, and not shown: a small
/// domain is one family's.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MailDomain(String);

impl fmt::Debug for MailDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailDomain(redacted)")
    }
}

impl PhoneNumber {
    /// Reads a number as people write it; `country` (ISO 3166, `"US"`) is assumed where the text
    /// has no international prefix.
    ///
    /// # Errors
    /// Says what is wrong with the text, without repeating it.
    pub fn parse(text: &str, country: &str) -> Result<Self, &'static str> {
        const WRONG: &str =
            "must be a phone number such as +1 612 555 0123; anything else belongs in `other`";
        let text = one_line(text, 40)?;
        let country = country.parse().ok();
        let e164 = |country, text: &str| {
            let number = phonenumber::parse(country, text).map_err(|_| WRONG)?;
            Ok::<_, &str>(number.format().mode(phonenumber::Mode::E164).to_string())
        };
        let first = e164(country, &text)?;
        // Zeros in front of a number stay in it until it is read once more. One number has one form, by which it is found:
        // what is another number each time it is read is none.
        let number = e164(None, &first)?;
        let stays = |country| e164(country, &number).is_ok_and(|again| again == number);
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        if (7..=15).contains(&digits) && stays(country) && stays(None) {
            Ok(Self(number))
        } else {
            Err(WRONG)
        }
    }
}

impl ContactLine {
    /// # Errors
    /// Says what is wrong with the text, without repeating it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        one_line(text, 200).map(Self)
    }
}

impl StreetAddress {
    /// # Errors
    /// Says what is wrong with the text, without repeating it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        one_line(text, 300).map(Self)
    }
}

/// A way of reaching somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A letter by e-mail.
    Email,
    /// A text message to the phone.
    Text,
    /// A phone call.
    Call,
    /// As `other` says.
    Other,
}

/// A person's name and ways of being reached. Sealed wherever it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// What they want to be called.
    pub name: PersonName,
    /// Where letters go.
    pub email: Option<EmailAddress>,
    /// Where calls and text messages go.
    pub phone: Option<PhoneNumber>,
    /// Any other way: a messenger's name, "ask at the desk of the shelter".
    pub other: Option<ContactLine>,
    /// The ways they prefer; empty means any that is given.
    #[serde(default)]
    pub channels: Vec<Channel>,
    /// How to use them: "text only, after six".
    pub note: Option<ContactLine>,
}

impl Contact {
    /// Somebody who is known by name and cannot be reached.
    #[must_use]
    pub fn only(name: PersonName) -> Self {
        Self {
            name,
            email: None,
            phone: None,
            other: None,
            channels: Vec::new(),
            note: None,
        }
    }

    /// Whether any way of reaching the person is given.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        self.email.is_some() || self.phone.is_some() || self.other.is_some()
    }

    /// The contact reduced to the ways its owner chose, with the first name only: what an accepted
    /// match releases.
    #[must_use]
    pub fn released(&self) -> ReleasedContact {
        let wants =
            |c: &[Channel]| self.channels.is_empty() || c.iter().any(|c| self.channels.contains(c));
        let all = ReleasedContact {
            name: PersonName(self.name.first().to_owned()),
            email: self.email.clone().filter(|_| wants(&[Channel::Email])),
            phone: self
                .phone
                .clone()
                .filter(|_| wants(&[Channel::Text, Channel::Call])),
            other: self.other.clone().filter(|_| wants(&[Channel::Other])),
            note: self.note.clone(),
        };
        if all.email.is_some() || all.phone.is_some() || all.other.is_some() {
            return all;
        }
        // The chosen way was not given: any way is better than none at all.
        ReleasedContact {
            email: self.email.clone(),
            phone: self.phone.clone(),
            other: self.other.clone(),
            ..all
        }
    }
}

/// What the other side of an accepted match is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleasedContact {
    /// The first name.
    pub name: PersonName,
    /// E-mail, if it is a chosen way.
    pub email: Option<EmailAddress>,
    /// Phone, if text or call is a chosen way.
    pub phone: Option<PhoneNumber>,
    /// Another way, if it is a chosen way.
    pub other: Option<ContactLine>,
    /// How to use them.
    pub note: Option<ContactLine>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(channels: Vec<Channel>) -> Contact {
        Contact {
            name: PersonName::parse("Mo Farah").unwrap(),
            email: Some(EmailAddress::parse("mo@example.org").unwrap()),
            phone: Some(PhoneNumber::parse("612 555 0123", "US").unwrap()),
            other: None,
            channels,
            note: None,
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_person() {
        let shown = format!("{:?}", contact(vec![]));
        for secret in ["Mo", "Farah", "mo@", "612", "555"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }

    #[test]
    fn one_number_has_one_form() {
        for text in [
            "612-555-0123",
            "(612) 555 0123",
            "+1 612 555 0123",
            "1.612.555.0123",
        ] {
            assert_eq!(
                PhoneNumber::parse(text, "US").unwrap().expose(),
                "+16125550123"
            );
        }
        // Read once, a zero would stay: 00049 for 049.
        let dialed = PhoneNumber::parse("0004 91323456", "DE").unwrap();
        assert_eq!(PhoneNumber::parse(dialed.expose(), "DE"), Ok(dialed));
        let rome = PhoneNumber::parse("06 698 12345", "IT").unwrap();
        assert_eq!(rome.expose(), "+390669812345", "this zero is a part of it");
        for text in ["ask Mo", "12", "", "555\r\n0123", "1111111111111tc"] {
            assert!(PhoneNumber::parse(text, "US").is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_cannot_carry_a_header() {
        for text in [
            "a@b.org\r\nBcc: c@d.org",
            "a@b.org\n",
            "Ana <a@b.org>",
            "a@b",
            "@b.org",
            "a b@c.org",
            "a@[127.0.0.1]",
        ] {
            let parsed = EmailAddress::parse(text);
            assert!(
                parsed.is_err() || !parsed.unwrap().expose().contains(['\r', '\n']),
                "{text}"
            );
        }
        assert!(EmailAddress::parse("a@b.org\r\nBcc: c@d.org").is_err());
        assert!(EmailAddress::parse("Ana <a@b.org>").is_err());
    }

    #[test]
    fn only_chosen_ways_are_released() {
        let released = contact(vec![Channel::Text]).released();
        assert_eq!(released.name.expose(), "Mo");
        assert!(released.phone.is_some() && released.email.is_none());
        let released = contact(vec![Channel::Other]).released();
        assert!(
            released.phone.is_some(),
            "a chosen way that was not given leaves the others"
        );
    }
}
