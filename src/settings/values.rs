//! Readers of single values that say what they expected, and never what they got.

use std::fmt::Display;
use std::net::SocketAddr;
use std::str::FromStr;

use jiff::civil::Time;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A text that its type reads itself; the type's error is what was expected.
pub(super) fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(
    deserializer: D,
) -> Result<T, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(Error::custom)
}

/// A list of such texts.
pub(super) fn list<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts
        .iter()
        .map(|text| text.trim().parse().map_err(Error::custom))
        .collect()
}

/// An IP address and a port.
pub(super) fn socket_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<SocketAddr, D::Error> {
    const EXPECTED: &str = "must be an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080";
    String::deserialize(deserializer)?
        .parse()
        .map_err(|_| Error::custom(EXPECTED))
}

/// A time of day to the minute; empty: none.
pub(super) fn time_of_day<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Time>, D::Error> {
    const EXPECTED: &str = "must be a time of day such as 08:00, or empty";
    Option::<String>::deserialize(deserializer)?
        .filter(|text| !text.is_empty())
        .map(|text| Time::strptime("%H:%M", &text).map_err(|_| Error::custom(EXPECTED)))
        .transpose()
}

/// An empty value counts as none: that is how an unset variable arrives from a compose file.
pub(super) fn filled<'de, D: Deserializer<'de>, T: From<String>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|t| !t.is_empty()).map(T::from))
}
