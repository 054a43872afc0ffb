//! What a category lets people say of a need or an offer (diet, size, ages), and when an offer
//! meets a need in it.
//!
//! | type | rule | a request gives | an offer gives | met when |
//! |---|---|---|---|---|
//! | `bool` | `equal` | true or false | true or false | not required, or provided |
//! | `number` | `equal` | a number | a number | they are the same |
//! | `number` | `at_most` | a number | a number | the required is at most the provided |
//! | `enum` | `equal` | an option | an option | they are the same |
//! | `enum` | `at_most` | an option | an option | the required stands no later in the list of options |
//! | `set` | `subset` | options | options | every required one is provided |
//! | `range` | `within` | a number or `[lowest, highest]` | `[lowest, highest]` | the required lies within the provided |
//! | any | `info` | as above | as above | always: it is shown and excludes nobody |
//!
//! Any other pair of type and rule is refused. To add a type or a rule, add its word here, its row
//! above, and its arm in [`Attribute::is_met`].

mod read;
mod value;

use super::word::words;
pub use read::AttributeError;
pub(super) use read::{Side, pointer};
pub use value::{AttributeValue, Attributes};

words! {
    /// What the values of an attribute are.
    AttributeType {
        /// Yes or no.
        Bool = "bool",
        /// A number, kept to thousandths.
        Number = "number",
        /// One of some options.
        Enum = "enum",
        /// Some of some options.
        Set = "set",
        /// From a number to a number, both included.
        Range = "range",
    }
    /// How an offer meets a requirement.
    Rule {
        /// Provided as required.
        Equal = "equal",
        /// All that is required is among what is provided.
        Subset = "subset",
        /// No more is required than is provided.
        AtMost = "at_most",
        /// What is required lies within what is provided.
        Within = "within",
        /// For people to read; excludes nobody.
        Info = "info",
    }
}

impl AttributeType {
    /// Whether the rule says something about values of this type.
    #[must_use]
    pub fn takes(self, rule: Rule) -> bool {
        match self {
            Self::Bool => matches!(rule, Rule::Equal | Rule::Info),
            Self::Number | Self::Enum => matches!(rule, Rule::Equal | Rule::AtMost | Rule::Info),
            Self::Set => matches!(rule, Rule::Subset | Rule::Info),
            Self::Range => matches!(rule, Rule::Within | Rule::Info),
        }
    }
}

/// Which values an attribute may have.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Yes or no.
    Bool,
    /// A number within bounds.
    Number(Bounds),
    /// One of these words; where the rule is `at_most`, in rising order.
    Enum(Vec<String>),
    /// Some of these words.
    Set(Vec<String>),
    /// A range within bounds.
    Range(Bounds),
}

/// The lowest and the highest number an attribute may have; at most [`Bounds::MAX`] from
/// zero, and the lowest is not above the highest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The lowest, included.
    pub min: f64,
    /// The highest, included.
    pub max: f64,
}

impl Values {
    /// The word for this kind of values.
    #[must_use]
    pub fn kind(&self) -> AttributeType {
        match self {
            Self::Bool => AttributeType::Bool,
            Self::Number(_) => AttributeType::Number,
            Self::Enum(_) => AttributeType::Enum,
            Self::Set(_) => AttributeType::Set,
            Self::Range(_) => AttributeType::Range,
        }
    }
}

/// One thing that requests of a category may require and offers may provide.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Its name in JSON.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Which values it may have.
    pub values: Values,
    /// How a requirement is met; one that [`AttributeType::takes`].
    pub rule: Rule,
}

impl Attribute {
    /// Whether `provided` meets `required`. False where they are of different types, which happens
    /// only when the operator changed the attribute's type after they were written. Does not
    /// allocate.
    #[must_use]
    pub fn is_met(&self, required: &AttributeValue, provided: Option<&AttributeValue>) -> bool {
        use AttributeValue as V;
        if self.rule == Rule::Info || *required == V::Bool(false) {
            return true;
        }
        let Some(provided) = provided else {
            return false;
        };
        match (self.rule, required, provided) {
            (Rule::Equal, required, provided) => required == provided,
            (Rule::AtMost, V::Number(required), V::Number(provided)) => required <= provided,
            (Rule::AtMost, V::Word(required), V::Word(provided)) => {
                match (self.rank(required), self.rank(provided)) {
                    (Some(required), Some(provided)) => required <= provided,
                    _ => false,
                }
            }
            (Rule::Subset, V::Words(required), V::Words(provided)) => is_subset(required, provided),
            (Rule::Within, V::Number(required), V::Range(min, max)) => {
                (*min..=*max).contains(required)
            }
            (Rule::Within, V::Range(from, to), V::Range(min, max)) => min <= from && to <= max,
            _ => false,
        }
    }

    fn rank(&self, option: &str) -> Option<usize> {
        match &self.values {
            Values::Enum(options) => options.iter().position(|o| o == option),
            _ => None,
        }
    }
}

impl Bounds {
    /// No bound is farther from zero than this.
    pub const MAX: f64 = 1e9;
}

impl std::fmt::Display for Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "from {} to {}", self.min, self.max)
    }
}

/// Both sorted, without repetition.
fn is_subset(part: &[String], whole: &[String]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|word| whole.any(|w| w == word))
}

#[cfg(test)]
mod tests;
