//! Reads one table of the settings field by field and keeps a list of all that is wrong with it.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use toml::{Table, Value};

use super::CatalogFault;

/// A table whose fields are taken out one after another; what is left at the end nobody knows.
pub(super) struct Reader<'f> {
    category: String,
    /// `""`, or `attributes.diet.`: before the field's name in a fault.
    prefix: String,
    table: Table,
    known: Vec<&'static str>,
    faults: &'f mut Vec<CatalogFault>,
}

impl<'f> Reader<'f> {
    pub fn new(
        category: &str,
        prefix: String,
        table: Table,
        faults: &'f mut Vec<CatalogFault>,
    ) -> Self {
        Self {
            category: category.to_owned(),
            prefix,
            table,
            known: Vec::new(),
            faults,
        }
    }

    /// A reader of a table within this one.
    pub fn child(&mut self, prefix: String, table: Table) -> Reader<'_> {
        Reader::new(&self.category, prefix, table, self.faults)
    }

    pub fn fault(&mut self, field: &str, message: impl Into<String>) {
        self.faults.push(CatalogFault {
            category: self.category.clone(),
            field: format!("{}{field}", self.prefix),
            message: message.into(),
        });
    }

    fn take(&mut self, field: &'static str) -> Option<Value> {
        self.known.push(field);
        self.table.remove(field)
    }

    /// A field that must be there and that `read` understands; `expected` completes "must be".
    fn required<T>(
        &mut self,
        field: &'static str,
        expected: impl Display,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let problem = match self.take(field) {
            None => "is missing: it",
            Some(value) => match read(&value) {
                Some(read) => return Some(read),
                None => "",
            },
        };
        self.fault(field, format!("{problem} must be {expected}").trim_start());
        None
    }

    pub fn text(&mut self, field: &'static str, max: usize) -> Option<String> {
        self.required(
            field,
            format!("one line of 1 to {max} characters"),
            |value| {
                let text = value.as_str()?.trim();
                let fits = !text.is_empty()
                    && text.chars().count() <= max
                    && !text.chars().any(char::is_control);
                fits.then(|| text.to_owned())
            },
        )
    }

    pub fn flag(&mut self, field: &'static str) -> Option<bool> {
        self.required(field, "true or false", Value::as_bool)
    }

    /// As [`Self::flag`], or `default` where the field is left out.
    pub fn flag_or(&mut self, field: &'static str, default: bool) -> Option<bool> {
        if self.table.contains_key(field) {
            return self.flag(field);
        }
        self.known.push(field);
        Some(default)
    }

    /// What `read` makes of the field; `None` where it is left out, or wrong.
    pub fn optional<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        if self.table.contains_key(field) {
            return read(self, field);
        }
        self.known.push(field);
        None
    }

    pub fn whole<T: TryFrom<i64>>(
        &mut self,
        field: &'static str,
        allowed: RangeInclusive<i32>,
    ) -> Option<T> {
        let expected = format!(
            "a whole number from {} to {}",
            allowed.start(),
            allowed.end()
        );
        self.required(field, expected, |value| {
            let number = value.as_integer()?;
            let allowed = i64::from(*allowed.start())..=i64::from(*allowed.end());
            allowed
                .contains(&number)
                .then(|| T::try_from(number).ok())?
        })
    }

    pub fn number(&mut self, field: &'static str, farthest: f64) -> Option<f64> {
        self.required(
            field,
            format!("a number from {} to {farthest}", -farthest),
            |value| {
                let number = match value {
                    Value::Float(number) => *number,
                    Value::Integer(number) => f64::from(i32::try_from(*number).ok()?),
                    _ => return None,
                };
                (number.abs() <= farthest).then_some(number)
            },
        )
    }

    pub fn word<T: FromStr + Copy + Display>(
        &mut self,
        field: &'static str,
        all: &[T],
    ) -> Option<T> {
        self.required(field, format!("one of {}", list(all)), |value| {
            value.as_str()?.parse().ok()
        })
    }

    /// A word, or `default` where the field is left out.
    pub fn word_or<T: FromStr + Copy + Display>(
        &mut self,
        field: &'static str,
        all: &[T],
        default: T,
    ) -> Option<T> {
        if self.table.contains_key(field) {
            return self.word(field, all);
        }
        self.known.push(field);
        Some(default)
    }

    /// One or more of the words, each once.
    pub fn words<T: FromStr + Copy + Display + PartialEq>(
        &mut self,
        field: &'static str,
        all: &[T],
    ) -> Option<Vec<T>> {
        self.required(
            field,
            format!("a list of some of {}, each once", list(all)),
            |value| {
                let words: Option<Vec<T>> = value
                    .as_array()?
                    .iter()
                    .map(|w| w.as_str()?.parse().ok())
                    .collect();
                distinct(words?)
            },
        )
    }

    /// One or more words of the operator's own, each once.
    pub fn options(&mut self, field: &'static str, max: usize) -> Option<Vec<String>> {
        let expected = format!(
            "a list of 1 to {max} words of lower-case letters, digits and underscores, each once"
        );
        self.required(field, expected, |value| {
            let words = value.as_array()?.iter().map(|word| {
                let word = word.as_str()?;
                let is_word = (1..=40).contains(&word.len())
                    && word
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
                is_word.then(|| word.to_owned())
            });
            distinct(words.collect::<Option<Vec<_>>>()?).filter(|words| words.len() <= max)
        })
    }

    /// A time such as `"2 days"`, from an hour to this many days.
    pub fn duration(&mut self, field: &'static str, max_days: u32) -> Option<Duration> {
        let expected = format!("a time from 1 hour to {max_days} days, such as \"2 days\"");
        self.time(field, expected, Duration::from_hours(1), max_days)
    }

    /// A time such as `"20 minutes"`, from a minute to this many days.
    pub fn minutes(&mut self, field: &'static str, max_days: u32) -> Option<Duration> {
        let expected = format!("a time from 1 minute to {max_days} days, such as \"20 minutes\"");
        self.time(field, expected, Duration::from_mins(1), max_days)
    }

    fn time(
        &mut self,
        field: &'static str,
        expected: String,
        shortest: Duration,
        max_days: u32,
    ) -> Option<Duration> {
        use humantime_serde::re::humantime::parse_duration;
        let allowed = shortest..=Duration::from_hours(24) * max_days;
        self.required(field, expected, |value| {
            parse_duration(value.as_str()?)
                .ok()
                .filter(|d| allowed.contains(d))
        })
    }

    /// A table of tables; empty where it is not given.
    pub fn tables(&mut self, field: &'static str) -> Vec<(String, Table)> {
        match self.take(field) {
            None => Vec::new(),
            Some(Value::Table(table)) => table
                .into_iter()
                .filter_map(|(name, value)| {
                    let Value::Table(table) = value else {
                        self.fault(&format!("{field}.{name}"), "must be a table");
                        return None;
                    };
                    Some((name, table))
                })
                .collect(),
            Some(_) => {
                self.fault(field, "must be a table");
                Vec::new()
            }
        }
    }

    /// Reports every field that was not asked for.
    pub fn finish(mut self) {
        let known = self.known.join(", ");
        for field in std::mem::take(&mut self.table).keys() {
            self.fault(field, format!("is unknown; allowed: {known}"));
        }
    }
}

fn list<T: Display>(words: &[T]) -> String {
    words
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The words, if there is one at least and none twice.
fn distinct<T: PartialEq>(words: Vec<T>) -> Option<Vec<T>> {
    let repeats = words
        .iter()
        .enumerate()
        .any(|(i, word)| words[..i].contains(word));
    (!words.is_empty() && !repeats).then_some(words)
}
