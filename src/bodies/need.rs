//! What a neighbor needs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::faults::FieldErrors;
use super::slots::{LONGEST_STAY, RepeatsBody, STAYS_TOO_LONG, windows};
use super::text::{WindowBody, note, private_note};
use crate::actions::Ctx;
use crate::actions::post_requests::NewNeed;
use crate::domain::category::Category;
use crate::domain::need::{Handover, Quantity, Reach, Urgency};

/// One need. Only the category and the quantity are a must.
#[derive(Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"category": "food", "quantity": 4, "urgency": "today", "requires": {"diet": ["halal"], "delivery": true}, "note": "Two adults, two children"}))]
pub struct NeedBody {
    /// One of the categories of `GET /v1/categories`.
    #[schema(required = true, nullable = false, example = "food")]
    pub category: Option<String>,
    /// How much, in the category's unit.
    #[schema(required = true, nullable = false, minimum = 1, maximum = 100_000)]
    pub quantity: Option<i64>,
    /// Whether several volunteers may share it.
    pub splittable: Option<bool>,
    /// How many at the most; 1 where it is not splittable.
    #[schema(minimum = 1, maximum = 20)]
    pub max_helpers: Option<i32>,
    /// How soon.
    pub urgency: Option<Urgency>,
    /// How far the neighbor travels, in meters.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub travel_m: Option<i64>,
    /// Where it changes hands.
    pub handover: Option<Handover>,
    /// When; several are a series. From now on for the category's usual time where it is left out.
    #[serde(skip_serializing)]
    pub needed: Option<Vec<WindowBody>>,
    /// That the one time in `needed` comes again.
    #[serde(skip_serializing)]
    pub repeats: Option<RepeatsBody>,
    /// Whether the helper must be there for the whole of the time in `needed`; as is usual in the category,
    /// where it is left out.
    pub throughout: Option<bool>,
    /// What it must be like: the category's attributes.
    #[schema(value_type = Option<Object>, example = json!({"diet": ["halal"]}))]
    pub requires: Option<Map<String, Value>>,
    /// Whether the helper must speak one of the neighbor's languages.
    pub language_must: Option<bool>,
    /// May be shown before anything is agreed; no phone number, address or ID number.
    #[schema(min_length = 1, max_length = 500)]
    pub note: Option<String>,
    /// Released with the contact.
    #[schema(min_length = 1, max_length = 2000)]
    pub private_note: Option<String>,
}

impl NeedBody {
    /// The need, if nothing is wrong with it.
    pub fn parse(self, at: &str, ctx: &Ctx, errors: &mut FieldErrors) -> Option<NewNeed> {
        let category = category(self.category.clone(), at, ctx, errors);
        let quantity = errors.require(&format!("{at}/quantity"), self.quantity);
        let Some(category) = category else {
            // What does not depend on the category is still looked at.
            note(self.note, at, errors);
            private_note(self.private_note, at, errors);
            windows(self.needed, self.repeats, at, None, ctx, errors);
            return None;
        };
        let policy = &category.policy;
        let quantity = quantity
            .and_then(|q| limited(q, policy.max_quantity, &format!("{at}/quantity"), errors));
        let splittable = self.splittable.unwrap_or(policy.splittable);
        let max_helpers = self.max_helpers.unwrap_or(if splittable { 5 } else { 1 });
        if !(1..=20).contains(&max_helpers) {
            errors.push(format!("{at}/max_helpers"), "must be from 1 to 20");
        } else if max_helpers > 1 && !splittable {
            errors.push(
                format!("{at}/max_helpers"),
                "must be 1 unless the need is splittable",
            );
        }
        let handover = self.handover.unwrap_or(policy.handover);
        if !policy.handovers.contains(&handover) {
            let allowed: Vec<_> = policy.handovers.iter().map(|h| h.as_str()).collect();
            errors.push(
                format!("{at}/handover"),
                format!("must be one of {}", allowed.join(", ")),
            );
        }
        let travel = errors.optional(format!("{at}/travel_m"), self.travel_m, Reach::try_from);
        let names_time = self
            .needed
            .as_ref()
            .is_some_and(|needed| !needed.is_empty());
        if self.throughout == Some(true) && !names_time {
            let at = format!("{at}/throughout");
            errors.push(at, "must be false unless a time is given in needed");
        }
        // The usual time of a category says how long to look, not how long to stay.
        let throughout = self.throughout.unwrap_or(names_time && policy.throughout);
        let windows = windows(self.needed, self.repeats, at, Some(category), ctx, errors);
        for (i, slot) in windows.iter().flatten().enumerate() {
            if throughout && slot.length() > LONGEST_STAY {
                errors.push(format!("{at}/needed/{i}/until"), STAYS_TOO_LONG);
            }
        }
        let requires = category.parse_required(&self.requires.unwrap_or_default());
        let requires = attributes(requires, &format!("{at}/requires"), errors);
        let note = note(self.note, at, errors);
        let private_note = private_note(self.private_note, at, errors);
        Some(NewNeed {
            category: category.key.clone(),
            quantity: quantity?,
            splittable,
            max_helpers,
            urgency: self.urgency.unwrap_or(Urgency::Today),
            travel: travel.unwrap_or(policy.default_travel),
            handover,
            windows: windows?,
            throughout,
            requires: requires?,
            language_must: self.language_must.unwrap_or(false),
            note,
            private_note,
        })
    }
}

/// The category of that name; else the ones there are.
pub fn category<'c>(
    name: Option<String>,
    at: &str,
    ctx: &'c Ctx,
    errors: &mut FieldErrors,
) -> Option<&'c Category> {
    let at = format!("{at}/category");
    let name = errors.require(&at, name)?;
    let known = ctx.catalog.get(&name);
    errors.check(
        at,
        known.ok_or_else(|| format!("must be one of {}", ctx.catalog.keys())),
    )
}

/// A quantity within the category's limit.
pub fn limited(n: i64, max: Quantity, at: &str, errors: &mut FieldErrors) -> Option<Quantity> {
    let quantity = Quantity::try_from(n).ok().filter(|q| *q <= max);
    errors.check(
        at,
        quantity.ok_or_else(|| format!("must be a whole number from 1 to {}", max.get())),
    )
}

/// Attributes, or a fault for each that is wrong.
pub fn attributes<T>(
    parsed: Result<T, Vec<crate::domain::attribute::AttributeError>>,
    at: &str,
    errors: &mut FieldErrors,
) -> Option<T> {
    match parsed {
        Ok(parsed) => Some(parsed),
        Err(faults) => {
            for fault in faults {
                errors.push(format!("{at}{}", fault.pointer), fault.message);
            }
            None
        }
    }
}
