//! Which posts a file has already had: two rows may say the same of one person.

use crate::actions::import_rows::{Person, Roll};
use crate::domain::availability::Availability;
use crate::domain::category::CategoryKey;

/// What makes two posts of one person the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Of what.
    pub category: CategoryKey,
    /// How much.
    pub amount: i32,
    /// When, as far as the row says so, in one form.
    pub when: String,
}

impl Signature {
    /// When an offer stands, in one form.
    pub fn when(availability: &Availability) -> String {
        let hours = availability.opening_hours.as_ref().map(ToString::to_string);
        format!(
            "{:?} {:?} {}",
            availability.from,
            availability.until,
            hours.unwrap_or_default()
        )
    }
}

/// What was seen, with the lines.
#[derive(Debug, Default)]
pub struct Seen(Roll<(Signature, u64)>);

impl Seen {
    /// The line that says the same; else this one is remembered.
    pub fn before(&mut self, person: Person, post: Signature, line: u64) -> Option<u64> {
        let same = self.0.find(person).find(|(known, _)| *known == post);
        if let Some((_, line)) = same {
            return Some(*line);
        }
        self.0.add(person, (post, line));
        None
    }
}
