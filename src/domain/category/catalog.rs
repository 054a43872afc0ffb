//! All categories of an instance, read from `config/categories.toml`.

use std::collections::BTreeMap;
use std::fmt;

use toml::{Table, Value};

use super::reader::Reader;
use super::waves::CategoryWaves;
use super::{
    AgreePolicy, CallFirst, Category, CategoryKey, NAME, Policy, Review, Travels, is_name,
};
use crate::domain::attribute::{Attribute, AttributeType, Attributes, Bounds, Rule, Values};
use crate::domain::need::{Handover, Quantity, Reach};

/// Every category of an instance, by key.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    categories: BTreeMap<CategoryKey, Category>,
}

/// Everything that is wrong with a catalog, one fault a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct CatalogError {
    /// At least one.
    pub faults: Vec<CatalogFault>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogFault {
    /// The category's key; empty where the text is not TOML.
    pub category: String,
    /// The field (`attributes.diet.rule`); empty where it is about the whole category.
    pub field: String,
    /// What was expected.
    pub message: String,
}

impl fmt::Display for CatalogFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.category.as_str(), self.field.as_str()) {
            ("", _) => f.write_str(&self.message),
            (category, "") => write!(f, "[{category}] {}", self.message),
            (category, field) => write!(f, "[{category}] {field} {}", self.message),
        }
    }
}

impl Catalog {
    /// Reads the categories from TOML.
    ///
    /// # Errors
    /// Every fault, with its category and field; unknown fields are faults.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        let whole = |message: String| CatalogFault {
            category: String::new(),
            field: String::new(),
            message,
        };
        let table: Table = toml::from_str(text).map_err(|e| CatalogError {
            faults: vec![whole(e.to_string())],
        })?;
        let mut faults = Vec::new();
        if table.is_empty() {
            faults.push(whole("must have at least one category".to_owned()));
        }
        let mut categories = BTreeMap::new();
        for (name, value) in table {
            let mut fault = |message: &str| {
                let (category, message) = (name.clone(), message.to_owned());
                faults.push(CatalogFault {
                    category,
                    field: String::new(),
                    message,
                });
            };
            match (CategoryKey::parse(&name), value) {
                (Err(expected), _) => fault(expected),
                (Ok(_), Value::Table(table)) => {
                    let reader = Reader::new(&name, String::new(), table, &mut faults);
                    categories.extend(category(&name, reader).map(|c| (c.key.clone(), c)));
                }
                (Ok(_), _) => fault("must be a table"),
            }
        }
        if faults.is_empty() {
            Ok(Self { categories })
        } else {
            Err(CatalogError { faults })
        }
    }

    /// The categories that Manyhands comes with.
    ///
    /// # Errors
    /// Never, as long as the test that reads the file passes.
    pub fn shipped() -> Result<Self, CatalogError> {
        Self::parse(include_str!("../../../config/categories.toml"))
    }

    /// The category of that key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Category> {
        self.categories.get(key)
    }

    /// All categories, by key.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Category> {
        self.categories.values()
    }

    /// All keys, for messages: "childcare, cleanup, food".
    #[must_use]
    pub fn keys(&self) -> String {
        self.categories
            .keys()
            .map(CategoryKey::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// `None` where a fault was added.
fn category(name: &str, mut reader: Reader<'_>) -> Option<Category> {
    let title = reader.text("title", 60);
    let description = reader.text("description", 200);
    let unit = reader.text("unit", 30);
    let units = reader.text("units", 30);
    let policy = policy(&mut reader);
    let attributes = attributes(&mut reader);
    reader.finish();
    Some(Category {
        key: CategoryKey::parse(name).ok()?,
        title: title?,
        description: description?,
        unit: unit?,
        units: units?,
        policy: policy?,
        attributes,
    })
}

fn policy(reader: &mut Reader<'_>) -> Option<Policy> {
    let travels = reader.word("travels", Travels::ALL);
    let review = reader.word("review", Review::ALL);
    let vetted_only = reader.flag("vetted_only");
    let agree = reader.word("agree", AgreePolicy::ALL);
    let call_first = reader.word_or("call_first", CallFirst::ALL, CallFirst::Home);
    let sensitive = reader.flag("sensitive");
    let handover = reader.word("handover", Handover::ALL);
    let handovers = reader.words("handovers", Handover::ALL);
    let default_reach = reader.whole("default_reach_m", 0..=Reach::MAX);
    let max_reach = reader.whole("max_reach_m", 0..=Reach::MAX);
    let default_travel = reader.whole("default_travel_m", 0..=Reach::MAX);
    let max_quantity = reader.whole("max_quantity", 1..=Quantity::MAX);
    let max_capacity = reader.whole("max_capacity", 1..=Quantity::MAX);
    let splittable = reader.flag("splittable");
    let place_returns = reader.flag("place_returns");
    let default_duration = reader.duration("default_duration", 90);
    let throughout = reader.flag_or("throughout", false);
    let waves = CategoryWaves::read(reader);
    let policy = Policy {
        travels: travels?,
        review: review?,
        vetted_only: vetted_only?,
        agree: agree?,
        call_first: call_first?,
        sensitive: sensitive?,
        handover: handover?,
        handovers: handovers?,
        default_reach: default_reach?,
        max_reach: max_reach?,
        default_travel: default_travel?,
        max_quantity: max_quantity?,
        max_capacity: max_capacity?,
        splittable: splittable?,
        place_returns: place_returns?,
        default_duration: default_duration?,
        throughout: throughout?,
        waves,
    };
    for (field, message) in contradictions(&policy) {
        reader.fault(field, message);
    }
    Some(policy)
}

/// Fields that are right each for itself and wrong together.
fn contradictions(policy: &Policy) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut check = |holds: bool, field, message: String| {
        if !holds {
            found.push((field, message));
        }
    };
    check(
        !policy.sensitive || policy.vetted_only,
        "vetted_only",
        "must be true in a sensitive category".into(),
    );
    check(
        !policy.sensitive || policy.review == Review::Required,
        "review",
        "must be required in a sensitive category".into(),
    );
    check(
        !policy.sensitive || policy.agree == AgreePolicy::Always,
        "agree",
        "must be always in a sensitive category".into(),
    );
    check(
        policy.handovers.contains(&policy.handover),
        "handover",
        "must be one of this category's handovers".into(),
    );
    for handover in &policy.handovers {
        let traveler = match handover {
            Handover::Door | Handover::Home => Travels::Volunteer,
            Handover::Pickup => Travels::Neighbor,
            Handover::Meet => continue,
        };
        check(
            policy.travels == Travels::Either || policy.travels == traveler,
            "handovers",
            format!("must not have {handover} unless travels is {traveler} or either"),
        );
    }
    check(
        policy.default_reach <= policy.max_reach,
        "default_reach_m",
        format!("must be at most max_reach_m, {}", policy.max_reach.meters()),
    );
    check(
        policy.travels == Travels::Neighbor || policy.default_reach > Reach::ZERO,
        "default_reach_m",
        "must be more than 0 where the volunteer travels".into(),
    );
    check(
        policy.travels != Travels::Neighbor || policy.default_travel > Reach::ZERO,
        "default_travel_m",
        "must be more than 0 where only the neighbor travels".into(),
    );
    found
}

fn attributes(reader: &mut Reader<'_>) -> Vec<Attribute> {
    let tables = reader.tables("attributes");
    if tables.len() > Attributes::MAX {
        reader.fault("attributes", format!("must be at most {}", Attributes::MAX));
    }
    tables
        .into_iter()
        .filter_map(|(name, table)| attribute(name, table, reader))
        .collect()
}

fn attribute(name: String, table: Table, parent: &mut Reader<'_>) -> Option<Attribute> {
    if !is_name(&name) {
        parent.fault(&format!("attributes.{name}"), NAME);
        return None;
    }
    let mut reader = parent.child(format!("attributes.{name}."), table);
    let title = reader.text("title", 80);
    let kind = reader.word("type", AttributeType::ALL);
    let rule = reader.word("rule", Rule::ALL);
    let values = kind.and_then(|kind| values(kind, &mut reader));
    if let (Some(kind), Some(rule)) = (kind, rule)
        && !kind.takes(rule)
    {
        let allowed: Vec<_> = Rule::ALL
            .iter()
            .filter(|r| kind.takes(**r))
            .map(|r| r.as_str())
            .collect();
        reader.fault(
            "rule",
            format!("must be one of {} for the type {kind}", allowed.join(", ")),
        );
    }
    // Which other fields there may be depends on the type.
    if kind.is_some() {
        reader.finish();
    }
    Some(Attribute {
        name,
        title: title?,
        values: values?,
        rule: rule?,
    })
}

fn values(kind: AttributeType, reader: &mut Reader<'_>) -> Option<Values> {
    let mut bounds = || {
        let (min, max) = (
            reader.number("min", Bounds::MAX),
            reader.number("max", Bounds::MAX),
        );
        let bounds = Bounds {
            min: min?,
            max: max?,
        };
        if bounds.min > bounds.max {
            reader.fault("min", "must not be above max");
        }
        Some(bounds)
    };
    match kind {
        AttributeType::Bool => Some(Values::Bool),
        AttributeType::Number => bounds().map(Values::Number),
        AttributeType::Range => bounds().map(Values::Range),
        AttributeType::Enum => reader
            .options("options", Attributes::MAX_LIST)
            .map(Values::Enum),
        AttributeType::Set => reader
            .options("options", Attributes::MAX_LIST)
            .map(Values::Set),
    }
}

#[cfg(test)]
mod tests;
