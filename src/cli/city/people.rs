//! Made-up people: names, reserved addresses and numbers, languages, and what they write.

use super::dice::Dice;
use super::town::Spot;
use crate::domain::contact::{
    Channel, Contact, ContactLine, EmailAddress, PersonName, PhoneNumber, StreetAddress,
};
use crate::domain::note::{Note, PrivateNote};

const FIRST: &[&str] = &[
    "Aisha", "Ana", "Ayaan", "Beatriz", "Bo", "Carlos", "Chue", "Dawit", "Deqa", "Elena", "Emma",
    "Fadumo", "Grace", "Hodan", "Ingrid", "Jamal", "Jorge", "Kaying", "Lars", "Leyla", "Linh",
    "Lucia", "Mai", "Malik", "Mariam", "Mo", "Nasra", "Nora", "Olga", "Omar", "Paw", "Pedro",
    "Rosa", "Ruth", "Sahra", "Sam", "Tesfaye", "Tou", "Wren", "Yusuf",
];
const LAST: &[&str] = &[
    "Abdi", "Alvarez", "Anderson", "Bekele", "Carlson", "Castillo", "Farah", "Garcia", "Haji",
    "Hassan", "Her", "Htoo", "Johnson", "Kowalski", "Larson", "Lee", "Lopez", "Moua", "Nguyen",
    "Nelson", "Olson", "Osman", "Reyes", "Rivera", "Thao", "Tran", "Vang", "Warsame", "Xiong",
    "Yang",
];
/// Where numbers of the made-up people begin; 555-0100 to 555-0199 belong to nobody.
const AREA_CODES: &[&str] = &["612", "651", "763", "952"];
/// What is spoken beside English; the frequent ones stand there more than once.
const OTHER_LANGUAGES: &[&str] = &[
    "es", "es", "es", "so", "so", "hmn", "hmn", "om", "am", "vi", "ar", "kar", "ru",
];
const STREETS: &[&str] = &[
    "Imaginary Ave",
    "Nowhere St",
    "Sample Blvd",
    "Paper Ln",
    "Snowdrift Ct",
    "Invented Pkwy",
];
const NEEDS: &[&str] = &[
    "Two adults and three children, the youngest is one.",
    "The heat has been off since last night.",
    "I cannot take the stairs at the moment.",
    "Please knock softly, the baby sleeps.",
    "We are new here and do not know whom to ask.",
    "My car does not start in this cold.",
    "I look after my grandmother and cannot leave her.",
    "Anything helps. Thank you for being there.",
    "A text is better than a call, I work nights.",
    "The bus does not run to us today.",
];
const OFFERS: &[&str] = &[
    "Glad to help, just ask.",
    "I have a car with winter tires.",
    "Best after work and on weekends.",
    "We are a small team of neighbors.",
    "I have done this for some years.",
    "Happy to come along and stay a while.",
    "We speak slowly and listen well.",
];
const PRIVATE: &[&str] = &[
    "The bell does not work, please knock.",
    "Side door, up the ramp.",
    "Ask for me at the desk.",
    "The dog is loud and friendly.",
];
const SITES: &[&str] = &[
    "Corner Bakery",
    "Lutheran Hall",
    "Community Library",
    "Mosque Annex",
    "Neighborhood Gym",
    "Union Hall",
    "Bookshop",
    "Coffee Roastery",
    "School Cafeteria",
    "Brewery Taproom",
];

fn parsed<T>(result: Result<T, &'static str>) -> anyhow::Result<T> {
    result.map_err(anyhow::Error::msg)
}

fn name(dice: &Dice) -> (&'static str, &'static str) {
    (dice.text(FIRST), dice.text(LAST))
}

fn phone(dice: &Dice) -> anyhow::Result<PhoneNumber> {
    let text = format!("{} 555 01{:02}", dice.text(AREA_CODES), dice.whole((0, 99)));
    parsed(PhoneNumber::parse(&text, "US"))
}

/// The contact of number `nth` of their kind; without an e-mail address only a phone is given.
pub(in crate::cli) fn contact(
    dice: &Dice,
    kind: &str,
    nth: usize,
    email: bool,
) -> anyhow::Result<Contact> {
    let (first, last) = name(dice);
    let address = format!("{first}.{last}.{kind}{nth}@example.org").to_lowercase();
    let has_phone = !email || dice.chance(0.6);
    Ok(Contact {
        name: parsed(PersonName::parse(&format!("{first} {last}")))?,
        email: email
            .then(|| parsed(EmailAddress::parse(&address)))
            .transpose()?,
        phone: has_phone.then(|| phone(dice)).transpose()?,
        other: None,
        channels: if has_phone && dice.chance(0.3) {
            vec![Channel::Text]
        } else {
            Vec::new()
        },
        note: if dice.chance(0.15) {
            Some(parsed(ContactLine::parse("text only, after six"))?)
        } else {
            None
        },
    })
}

/// What somebody speaks, best first. Nearly everyone has some English.
pub(in crate::cli) fn languages(dice: &Dice) -> Vec<String> {
    let other = dice.text(OTHER_LANGUAGES).to_owned();
    match dice.fraction() {
        ..0.60 => vec!["en".to_owned()],
        ..0.80 => vec!["en".to_owned(), other],
        ..0.95 => vec![other, "en".to_owned()],
        _ => vec![other],
    }
}

/// A street address that is none.
pub(in crate::cli) fn address(dice: &Dice, spot: &Spot) -> anyhow::Result<StreetAddress> {
    let number = dice.whole((100, 4999));
    let text = format!("{number} {}, {}, MN", dice.text(STREETS), spot.city);
    parsed(StreetAddress::parse(&text))
}

/// The name of a site.
pub(in crate::cli) fn site(dice: &Dice, spot: &Spot) -> anyhow::Result<ContactLine> {
    parsed(ContactLine::parse(&format!(
        "{} {}",
        spot.city,
        dice.text(SITES)
    )))
}

/// What a neighbor writes for everyone to read, if anything.
pub(in crate::cli) fn note_of_need(dice: &Dice) -> anyhow::Result<Option<Note>> {
    note(dice, NEEDS)
}

/// What a volunteer writes for everyone to read, if anything.
pub(in crate::cli) fn note_of_offer(dice: &Dice) -> anyhow::Result<Option<Note>> {
    note(dice, OFFERS)
}

fn note(dice: &Dice, all: &[&'static str]) -> anyhow::Result<Option<Note>> {
    dice.chance(0.5)
        .then(|| parsed(Note::parse(dice.text(all))))
        .transpose()
}

/// What is written for the other side of an accepted match only, if anything.
pub(in crate::cli) fn private_note(dice: &Dice) -> anyhow::Result<Option<PrivateNote>> {
    dice.chance(0.3)
        .then(|| parsed(PrivateNote::parse(dice.text(PRIVATE))))
        .transpose()
}
