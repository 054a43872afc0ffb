//! Kinds of aid: their units, their attributes and the policy that every request and offer of the
//! kind follows.
//!
//! A category is data. To add or change one, edit `config/categories.toml`; its header explains
//! every field.

mod catalog;
mod reader;
mod waves;

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::attribute::{Attribute, AttributeError, Attributes, Side, pointer};
use super::need::{Handover, Quantity, Reach, Verified};
use super::word::words;
pub use catalog::{Catalog, CatalogError, CatalogFault};
pub use waves::{CategoryWaves, WaveChange};

/// The name of a category in JSON, in the database and in the settings: `food`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CategoryKey(Arc<str>);

impl CategoryKey {
    /// # Errors
    /// Says what the text must look like: 2 to 40 lower-case letters, digits and underscores, a
    /// letter first.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if is_name(text) {
            Ok(Self(text.into()))
        } else {
            Err(NAME)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const NAME: &str = "must be 2 to 40 lower-case letters, digits and underscores, a letter first";

/// `[a-z][a-z0-9_]{1,39}`: names of categories and of attributes.
fn is_name(text: &str) -> bool {
    (2..=40).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

impl FromStr for CategoryKey {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::parse(s)
    }
}

impl TryFrom<String> for CategoryKey {
    type Error = &'static str;
    fn try_from(s: String) -> Result<Self, Self::Error> {
        Self::parse(&s)
    }
}

impl From<CategoryKey> for String {
    fn from(key: CategoryKey) -> Self {
        key.0.as_ref().to_owned()
    }
}

impl Borrow<str> for CategoryKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CategoryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for CategoryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

words! {
    /// Who makes the way.
    Travels {
        /// The volunteer comes: the offer's reach decides.
        Volunteer = "volunteer",
        /// The neighbor comes: how far the neighbor travels decides.
        Neighbor = "neighbor",
        /// Whoever can: one of the two is enough.
        Either = "either",
    }
    /// Whether a coordinator looks at a match before the volunteer is asked.
    Review {
        /// Nobody does.
        None = "none",
        /// The match waits for a coordinator's approval.
        Required = "required",
    }
    /// When the neighbor must agree to the volunteer before contacts are released.
    AgreePolicy {
        /// Only where the neighbor asked for it.
        Never = "never",
        /// Where the volunteer is not vetted.
        Unvetted = "unvetted",
        /// For every volunteer.
        Always = "always",
    }
}

words! {
    /// When a neighbor whose contact nobody has checked is called before anybody is asked.
    CallFirst {
        /// Never.
        None = "none",
        /// Where the help comes into her home.
        Home = "home",
        /// For every request.
        Always = "always",
    }
}

impl CallFirst {
    /// Whether a request with that handover, of a neighbor checked so far, waits for a call.
    #[must_use]
    pub fn needs_call(self, handover: Handover, verified: Verified) -> bool {
        verified == Verified::None
            && match self {
                Self::None => false,
                Self::Home => handover == Handover::Home,
                Self::Always => true,
            }
    }
}

impl Travels {
    /// Whether request and offer are close enough, `distance_m` meters apart, for an offer that
    /// reaches so far and a neighbor who travels so far.
    #[must_use]
    pub fn in_reach(self, distance_m: f64, reach: Reach, travel: Reach) -> bool {
        let within = |limit: Reach| distance_m <= f64::from(limit.meters());
        match self {
            Self::Volunteer => within(reach),
            Self::Neighbor => within(travel),
            Self::Either => within(reach) || within(travel),
        }
    }
}

impl AgreePolicy {
    /// Whether a match waits for the neighbor's word after acceptance; `agree_first` is the
    /// neighbor's own wish.
    #[must_use]
    pub fn needs_agreement(self, vetted: bool, agree_first: bool) -> bool {
        agree_first
            || match self {
                Self::Never => false,
                Self::Unvetted => !vetted,
                Self::Always => true,
            }
    }
}

/// The rules that every request and offer of a category follows, and the values where they say
/// nothing.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the fields of the settings, one by one"
)]
pub struct Policy {
    /// Who makes the way.
    pub travels: Travels,
    /// Whether a coordinator approves each match.
    pub review: Review,
    /// Whether only vetted volunteers are asked.
    pub vetted_only: bool,
    /// When the neighbor must agree.
    pub agree: AgreePolicy,
    /// Whether an unverified neighbor is called first.
    pub call_first: CallFirst,
    /// Never listed or counted publicly. Always with a review, vetted volunteers and the neighbor's
    /// agreement.
    pub sensitive: bool,
    /// How it changes hands where the request does not say.
    pub handover: Handover,
    /// How it may change hands; has `handover` among them.
    pub handovers: Vec<Handover>,
    /// How far an offer reaches that does not say.
    pub default_reach: Reach,
    /// How far an offer may reach at most.
    pub max_reach: Reach,
    /// How far a neighbor travels who does not say.
    pub default_travel: Reach,
    /// The most that one request may ask for.
    pub max_quantity: Quantity,
    /// The most that one offer may hold (in each period, if it renews).
    pub max_capacity: Quantity,
    /// Whether several volunteers may share a request that does not say.
    pub splittable: bool,
    /// Whether what a fulfilled match took is free again: a bed is, a meal is not.
    pub place_returns: bool,
    /// How long a request stays open that names no time.
    pub default_duration: Duration,
    /// Whether the helper must be there for the whole of a time that a request names, if it does not say.
    pub throughout: bool,
    /// What it changes of the waves in which volunteers are asked.
    pub waves: CategoryWaves,
}

/// A kind of aid.
#[derive(Clone, Debug, PartialEq)]
pub struct Category {
    /// Its name in JSON.
    pub key: CategoryKey,
    /// Its name for people.
    pub title: String,
    /// One line on what it is.
    pub description: String,
    /// What is counted, for one: "bed".
    pub unit: String,
    /// What is counted, for any other number: "beds".
    pub units: String,
    /// The rules it follows.
    pub policy: Policy,
    /// What requests may require and offers provide, by name.
    pub attributes: Vec<Attribute>,
}

impl Category {
    /// The unit that goes with the number: "1 bed", "3 beds".
    #[must_use]
    pub fn unit_for(&self, quantity: i32) -> &str {
        if quantity == 1 {
            &self.unit
        } else {
            &self.units
        }
    }

    /// Reads what a request requires. A `null` is as if it were left out.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn parse_required(
        &self,
        map: &Map<String, Json>,
    ) -> Result<Attributes, Vec<AttributeError>> {
        self.parse(Side::Required, map)
    }

    /// Reads what an offer provides. A `null` is as if it were left out.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn parse_provided(
        &self,
        map: &Map<String, Json>,
    ) -> Result<Attributes, Vec<AttributeError>> {
        self.parse(Side::Provided, map)
    }

    fn parse(
        &self,
        side: Side,
        map: &Map<String, Json>,
    ) -> Result<Attributes, Vec<AttributeError>> {
        if map.len() > Attributes::MAX {
            return Err(vec![AttributeError {
                pointer: String::new(),
                message: format!("must have at most {} attributes", Attributes::MAX),
            }]);
        }
        let mut attributes = Attributes::default();
        let mut errors = Vec::new();
        for (name, json) in map.iter().filter(|(_, json)| !json.is_null()) {
            if let Some(attribute) = self.attributes.iter().find(|a| a.name == *name) {
                if let Some(value) = attribute.read(side, json, &mut errors) {
                    attributes.set(name.clone(), value);
                }
            } else {
                let allowed: Vec<_> = self.attributes.iter().map(|a| a.name.as_str()).collect();
                errors.push(AttributeError {
                    pointer: pointer(name),
                    message: match allowed.as_slice() {
                        [] => format!("unknown attribute; {} has none", self.key),
                        _ => format!("unknown attribute; allowed: {}", allowed.join(", ")),
                    },
                });
            }
        }
        if errors.is_empty() {
            Ok(attributes)
        } else {
            Err(errors)
        }
    }

    /// The first attribute that is required and that the offer does not meet; `None` when it meets
    /// all of them. What the operator has taken out of the category since is not asked for any
    /// more.
    ///
    /// Part of every comparison the matching makes: it neither parses nor allocates.
    #[must_use]
    pub fn unmet(&self, required: &Attributes, provided: &Attributes) -> Option<&str> {
        if required.is_empty() {
            return None;
        }
        self.attributes
            .iter()
            .find(|attribute| {
                required
                    .get(&attribute.name)
                    .is_some_and(|value| !attribute.is_met(value, provided.get(&attribute.name)))
            })
            .map(|attribute| attribute.name.as_str())
    }
}

#[cfg(test)]
mod tests;
