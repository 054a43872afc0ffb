//! What needs and offers say of themselves, made from nothing but the category's own types and rules:
//! a category that an operator adds takes part without a line of code.

use serde_json::{Map, Value, json};

use super::dice::Dice;
use crate::domain::attribute::{Attribute, Attributes, Bounds, Rule, Values};
use crate::domain::category::Category;

/// What an offer of the category provides.
pub(in crate::cli) fn provided(dice: &Dice, category: &Category) -> anyhow::Result<Attributes> {
    let mut map = Map::new();
    for attribute in &category.attributes {
        if let Some(value) = provide(dice, attribute) {
            map.insert(attribute.name.clone(), value);
        }
    }
    category
        .parse_provided(&map)
        .map_err(|faults| wrong(category, &faults))
}

/// What a request of the category requires: seldom more than two things.
pub(in crate::cli) fn required(dice: &Dice, category: &Category) -> anyhow::Result<Attributes> {
    let mut map = Map::new();
    for attribute in &category.attributes {
        // A set with the rule `subset` mostly says what the need is about.
        let probability = match attribute.rule {
            Rule::Subset => 0.35,
            _ => 0.08,
        };
        if map.len() < 2 && dice.chance(probability) {
            map.insert(attribute.name.clone(), require(dice, attribute));
        }
    }
    category
        .parse_required(&map)
        .map_err(|faults| wrong(category, &faults))
}

fn wrong(
    category: &Category,
    faults: &[crate::domain::attribute::AttributeError],
) -> anyhow::Error {
    let first = faults
        .first()
        .map(|f| format!("{} {}", f.pointer, f.message));
    anyhow::anyhow!(
        "no attributes could be made for {}: {}",
        category.key,
        first.unwrap_or_default()
    )
}

fn provide(dice: &Dice, attribute: &Attribute) -> Option<Value> {
    match &attribute.values {
        Values::Bool => dice.chance(0.88).then_some(Value::Bool(true)),
        Values::Number(bounds) if attribute.rule == Rule::AtMost => {
            Some(json!(within(*bounds, dice.between(0.4, 1.0))))
        }
        Values::Number(bounds) => Some(json!(within(*bounds, 0.5))),
        Values::Enum(options) if attribute.rule == Rule::AtMost => {
            let middle = options.len() / 2;
            Some(json!(dice.one(&options[middle..])))
        }
        Values::Enum(options) => Some(json!(dice.one(options))),
        Values::Set(options) => {
            let some: Vec<&String> = options.iter().filter(|_| dice.chance(0.8)).collect();
            Some(if some.is_empty() {
                json!(options)
            } else {
                json!(some)
            })
        }
        Values::Range(bounds) => Some(json!([
            within(*bounds, dice.between(0.0, 0.2)),
            within(*bounds, dice.between(0.8, 1.0))
        ])),
    }
}

fn require(dice: &Dice, attribute: &Attribute) -> Value {
    match &attribute.values {
        Values::Bool => json!(true),
        Values::Number(bounds) if attribute.rule == Rule::AtMost => {
            json!(within(*bounds, dice.between(0.02, 0.3)))
        }
        Values::Number(bounds) => json!(within(*bounds, 0.5)),
        Values::Enum(options) if attribute.rule == Rule::AtMost => {
            let half = options.len().div_ceil(2);
            json!(dice.one(&options[..half]))
        }
        Values::Enum(options) => json!(dice.one(options)),
        Values::Set(options) => json!([dice.one(options)]),
        Values::Range(bounds) => {
            let at = dice.between(0.2, 0.7);
            json!([within(*bounds, at), within(*bounds, at + 0.1)])
        }
    }
}

/// The number that lies so far between the bounds, whole where whole numbers are meant.
fn within(bounds: Bounds, share: f64) -> f64 {
    let exact = bounds.min + share * (bounds.max - bounds.min);
    exact.round().clamp(bounds.min, bounds.max)
}
