//! The section `area`: where the neighbors are.

use std::fmt;

use serde::Deserialize;

use super::fault::{Checks, Fault};
use crate::domain::availability::TimeZoneName;
use crate::domain::place::CellSize;

/// The section `area`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AreaSettings {
    /// What is assumed of phone numbers and postal codes that name no country.
    pub country: Country,
    /// In which local times are told.
    pub timezone: TimeZoneName,
    /// How coarse the location of a private post is.
    pub cell_resolution: CellSize,
}

impl AreaSettings {
    /// The finest cell: 0.1 km². One finer holds a few houses, and would tell which one.
    pub const FINEST_CELL: u8 = 9;
    /// The coarsest cell: 1 770 km². In one coarser nobody is near.
    pub const COARSEST_CELL: u8 = 4;

    /// Cells must neither give a home away nor be useless.
    #[must_use]
    pub fn validate(&self) -> Vec<Fault> {
        let mut checks = Checks::of("area");
        let allowed = Self::COARSEST_CELL..=Self::FINEST_CELL;
        checks.number("cell_resolution", u8::from(self.cell_resolution), allowed);
        checks.done()
    }
}

/// A country that phone numbers are known of, by its two letters of ISO 3166.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Country(phonenumber::country::Id);

impl Country {
    /// The two letters, capital.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Country {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
            .map(Self)
            .map_err(|_| "must be the two capital letters of a country, such as US")
    }
}
