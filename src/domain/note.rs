//! Free text in two fields: a `note` that a stranger may read before anything is agreed, and a
//! `private_note` that is released with the contact.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Text that may be shown before acceptance, 1 to 500 characters. It refuses what would lead a
/// stranger to the door: phone numbers, e-mail addresses, street addresses and ID numbers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Note(String);

/// Text that is released with the contact, 1 to 2 000 characters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrivateNote(String);

impl Note {
    /// Longest note taken, in characters.
    pub const MAX: usize = 500;

    /// # Errors
    /// Says what the note must not hold, without repeating it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = free_text(text, Self::MAX)?;
        if text.contains('@') {
            return Err("must not hold an e-mail address: strangers may read it; use private_note");
        }
        if has_long_number(&text) {
            return Err(
                "must not hold a phone or ID number: strangers may read it; use private_note",
            );
        }
        if has_street_address(&text) {
            return Err("must not hold a street address: strangers may read it; use private_note");
        }
        Ok(Self(text))
    }

    /// The text, for the person it is shown to.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PrivateNote {
    /// Longest private note taken, in characters.
    pub const MAX: usize = 2_000;

    /// # Errors
    /// Says what is wrong, without repeating the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        free_text(text, Self::MAX).map(Self)
    }

    /// The text, for the person it is released to.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Note(redacted)")
    }
}

impl fmt::Debug for PrivateNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateNote(redacted)")
    }
}

fn free_text(text: &str, max: usize) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("must not be empty; leave it out instead");
    }
    if text.chars().count() > max {
        return Err("is too long");
    }
    if text
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\t')
    {
        return Err("must not hold control characters");
    }
    Ok(text.to_owned())
}

/// Seven or more digits with at most two other characters between neighbors: a phone number, an
/// ID number. Dates ("2026-11-22") pass where a separator is followed by a short group and the
/// whole has at most eight digits in the form of a date.
fn has_long_number(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_digit() || "+-.() /".contains(c)))
        .flat_map(|run| run.split("  "))
        .any(|run| {
            let run = run.trim_matches(|c: char| !c.is_ascii_digit());
            run.bytes().filter(u8::is_ascii_digit).count() >= 7 && !is_date_or_times(run)
        })
}

/// `2026-11-22`, `11/22/2026`, or such dates and hours one after another ("12-14 16-18 20-22").
fn is_date_or_times(run: &str) -> bool {
    run.split_whitespace().all(|part| {
        let groups: Vec<&str> = part.split(['-', '/', '.']).collect();
        match groups.as_slice() {
            [a] => a.len() <= 2,
            [a, b] => a.len() <= 2 && b.len() <= 2,
            [a, b, c] => matches!(
                (a.len(), b.len(), c.len()),
                (4, 1..=2, 1..=2) | (1..=2, 1..=2, 2 | 4)
            ),
            _ => false,
        }
    })
}

/// A house number followed within three words by a word that names a kind of street.
fn has_street_address(text: &str) -> bool {
    const KINDS: [&str; 26] = [
        "st",
        "street",
        "ave",
        "avenue",
        "av",
        "rd",
        "road",
        "blvd",
        "boulevard",
        "ln",
        "lane",
        "dr",
        "drive",
        "ct",
        "court",
        "pl",
        "place",
        "pkwy",
        "parkway",
        "hwy",
        "highway",
        "way",
        "ter",
        "terrace",
        "cir",
        "circle",
    ];
    let words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || c == ',')
        .map(|w| {
            w.trim_matches(|c: char| !c.is_alphanumeric())
                .to_lowercase()
        })
        .filter(|w| !w.is_empty())
        .collect();
    words.iter().enumerate().any(|(i, word)| {
        let is_house_number = word.starts_with(|c: char| c.is_ascii_digit())
            && word.len() <= 6
            && word.bytes().filter(u8::is_ascii_digit).count() + 1 >= word.len();
        is_house_number
            && words[i + 1..]
                .iter()
                .take(4)
                .skip(1)
                .any(|w| KINDS.contains(&w.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_to_the_door_is_refused() {
        for text in [
            "call 612-555-0123",
            "call (612) 555 0123 after six",
            "+1.612.555.0123",
            "ssn 078-05-1120",
            "passport 123456789",
            "mo@example.org",
            "2410 Nicollet Ave",
            "I live at 12b East 24th Street, second floor",
            "come to 44 Oak Park Blvd.",
        ] {
            assert!(Note::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ordinary_needs_are_told() {
        for text in [
            "Two adults and 3 children, ages 2, 5 and 11. No stairs please.",
            "Needed 2026-11-22, 18:00 to 22:00",
            "Between 12-14 16-18 20-22",
            "Two cats, 1 old dog; 40 kg of food",
            "1 way to reach the 2nd floor is the elevator",
        ] {
            assert!(Note::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(Note::parse(&"ö".repeat(Note::MAX)).is_ok());
        assert!(Note::parse(&"ö".repeat(Note::MAX + 1)).is_err());
        assert!(PrivateNote::parse("  ").is_err());
    }
}
