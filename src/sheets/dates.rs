//! Dates as form tools and people write them. `03/04/2026` is two dates: which, the mapping says, or any
//! other cell of the file that can be read in one way only.

use jiff::civil::{Date, DateTime, Time};

use super::mapping::DateOrder;
use crate::domain::availability::TimeZoneName;
use crate::domain::clock::Ts;

/// Why a cell is no date.
pub const NO_DATE: &str = "must be a date such as 2026-11-24 or 11/24/2026, with or without a time such as 14:30 or 2:30 PM";
/// Why a cell is two.
pub const AMBIGUOUS: &str =
    "may be two dates: say in the mapping how they stand, such as dates = \"mdy\"";

/// What a cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// An instant.
    At(Ts),
    /// A day.
    Day(Ts, Ts),
}

/// How the numbers of dates stand in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    day_first: bool,
    month_first: bool,
}

impl Evidence {
    /// Looks at one more cell.
    pub fn look(&mut self, text: &str) {
        let (date, _) = halves(text);
        if let Some([a, b, _]) = numbers(date).filter(|n| n[0].1 <= 2) {
            self.day_first |= a.0 > 12 && b.0 <= 12;
            self.month_first |= b.0 > 12 && a.0 <= 12;
        }
    }

    /// What the file shows; nothing where it shows both, or neither.
    pub fn order(self) -> Option<DateOrder> {
        match (self.day_first, self.month_first) {
            (true, false) => Some(DateOrder::Dmy),
            (false, true) => Some(DateOrder::Mdy),
            _ => None,
        }
    }
}

/// Reads a cell.
///
/// # Errors
/// What was expected.
pub fn read(
    text: &str,
    order: Option<DateOrder>,
    zone: &TimeZoneName,
) -> Result<When, &'static str> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(When::At(at.into()));
    }
    if let Some(whole) = serial(text) {
        return day(whole, zone);
    }
    let (date, time) = halves(text);
    let date = match numbers(date) {
        Some(numbers) => by_numbers(numbers, order)?,
        None => by_name(date).ok_or(NO_DATE)?,
    };
    if time.is_empty() {
        return day(date, zone);
    }
    let at = DateTime::from_parts(date, clock(time).ok_or(NO_DATE)?);
    zone.instant(at).map(When::At).ok_or(NO_DATE)
}

fn day(date: Date, zone: &TimeZoneName) -> Result<When, &'static str> {
    let midnight = |date: Date| zone.instant(date.to_datetime(Time::midnight()));
    let tomorrow = date.tomorrow().ok();
    match (midnight(date), tomorrow.and_then(midnight)) {
        (Some(from), Some(until)) => Ok(When::Day(from, until)),
        _ => Err(NO_DATE),
    }
}

/// The number of a day, as Excel keeps it where a column has lost its form: 46 000 is in 2025.
fn serial(text: &str) -> Option<Date> {
    let days: i64 = text
        .parse()
        .ok()
        .filter(|days| (40_000..60_000).contains(days))?;
    let first = jiff::civil::date(1899, 12, 30);
    first.checked_add(jiff::ToSpan::days(days)).ok()
}

/// The date and the time of a cell: the time begins with the last word before the first colon.
fn halves(text: &str) -> (&str, &str) {
    let text = text.trim();
    let at_t = text
        .char_indices()
        .find(|(i, c)| *c == 'T' && text[..*i].ends_with(|c: char| c.is_ascii_digit()));
    if let Some((i, _)) = at_t {
        return (&text[..i], text[i + 1..].trim());
    }
    // What stands before the hour may be any character, of any length.
    let hour = text.find(':').and_then(|colon| {
        let mut before = text[..colon].char_indices().rev();
        before.find(|(_, c)| !c.is_ascii_digit())
    });
    match hour {
        Some((at, c)) => (
            text[..at].trim_end_matches([',', ' ']),
            text[at + c.len_utf8()..].trim(),
        ),
        None => (text, ""),
    }
}

/// Three numbers, each with how many digits it has.
fn numbers(date: &str) -> Option<[(i16, usize); 3]> {
    let mut parts = date.split(['/', '.', '-']).map(|part| {
        let part = part.trim();
        let is_number = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        is_number
            .then(|| part.parse().ok().map(|n| (n, part.len())))
            .flatten()
    });
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

fn by_numbers(
    [a, b, c]: [(i16, usize); 3],
    order: Option<DateOrder>,
) -> Result<Date, &'static str> {
    let year_of = |(n, digits): (i16, usize)| if digits <= 2 { 2000 + n } else { n };
    let of = |year, month: i16, day: i16| {
        let (Ok(month), Ok(day)) = (i8::try_from(month), i8::try_from(day)) else {
            return Err(NO_DATE);
        };
        Date::new(year, month, day).map_err(|_| NO_DATE)
    };
    if a.1 == 4 {
        return of(a.0, b.0, c.0);
    }
    match order {
        Some(DateOrder::Ymd) => of(year_of(a), b.0, c.0),
        _ if a.0 > 12 && b.0 <= 12 => of(year_of(c), b.0, a.0),
        _ if b.0 > 12 && a.0 <= 12 => of(year_of(c), a.0, b.0),
        _ if a.0 == b.0 => of(year_of(c), a.0, b.0),
        Some(DateOrder::Dmy) => of(year_of(c), b.0, a.0),
        Some(DateOrder::Mdy) => of(year_of(c), a.0, b.0),
        None => Err(AMBIGUOUS),
    }
}

/// "Nov 24, 2026", "24 de noviembre de 2026": a day and a year, and a month by the letters it begins with.
fn by_name(date: &str) -> Option<Date> {
    const MONTHS: [&[&str]; 12] = [
        &["jan", "ene"],
        &["feb"],
        &["mar"],
        &["apr", "abr"],
        &["may"],
        &["jun"],
        &["jul"],
        &["aug", "ago"],
        &["sep", "set"],
        &["oct"],
        &["nov"],
        &["dec", "dic"],
    ];
    let lower = date.to_lowercase();
    let (mut day, mut month, mut year) = (None, None, None);
    for word in lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let number = word
            .trim_end_matches("st")
            .trim_end_matches("nd")
            .trim_end_matches("rd")
            .trim_end_matches("th");
        if let Ok(number) = number.parse::<i16>() {
            match number {
                1..=31 if day.is_none() => day = i8::try_from(number).ok(),
                1000..=9999 if year.is_none() => year = Some(number),
                _ => return None,
            }
        } else if let Some(at) = MONTHS
            .iter()
            .position(|names| names.iter().any(|name| word.starts_with(name)))
        {
            if month.is_some() {
                return None;
            }
            month = i8::try_from(at + 1).ok();
        }
    }
    Date::new(year?, month?, day?).ok()
}

/// "14:30", "14:30:22", "2:30 PM", "2:30 p. m.".
fn clock(text: &str) -> Option<Time> {
    let lower = text.to_lowercase().replace(['.', ' ', '\u{202f}'], "");
    let (digits, half) = match lower.strip_suffix("am") {
        Some(rest) => (rest.to_owned(), Some(0)),
        None => match lower.strip_suffix("pm") {
            Some(rest) => (rest.to_owned(), Some(12)),
            None => (lower, None),
        },
    };
    let mut parts = digits.split(':').map(|part| part.parse::<i8>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) => hour % 12 + half,
        None => hour,
    };
    Time::new(hour, minute, second, 0).ok()
}
