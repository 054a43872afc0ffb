//! When something is needed: one time, several, or one that comes again.

use std::time::Duration;

use serde::Deserialize;
use utoipa::ToSchema;

use super::faults::FieldErrors;
use super::offer::zone;
use super::text::WindowBody;
use crate::actions::Ctx;
use crate::domain::availability::{Every, Repeats, Window};
use crate::domain::category::Category;

/// How often a time comes again, at the same local time also when clocks are changed: a series.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"every": "day", "times": 7, "timezone": "America/Chicago"}))]
pub struct RepeatsBody {
    /// After how long.
    #[schema(required = true, nullable = false)]
    pub every: Option<Every>,
    /// How many times in all, with the first.
    #[schema(required = true, nullable = false, minimum = 2, maximum = 60)]
    pub times: Option<i32>,
    /// IANA time zone; the instance's own where it is left out.
    #[schema(example = "America/Chicago")]
    pub timezone: Option<String>,
}

/// How long a helper may be asked to be there throughout: such a stay takes its place in each period.
pub const LONGEST_STAY: Duration = Duration::from_hours(31 * 24);
/// What is said of a longer one.
pub const STAYS_TOO_LONG: &str = "must be at most 31 days where the helper is there throughout";
/// Slots that one need may have.
const MAX_SLOTS: usize = 60;
/// How far ahead a need may reach.
const FARTHEST: Duration = Duration::from_hours(366 * 24);

impl RepeatsBody {
    fn parse(self, at: &str, ctx: &Ctx, errors: &mut FieldErrors) -> Option<Repeats> {
        let every = errors.require(&format!("{at}/every"), self.every);
        let times = errors.require(&format!("{at}/times"), self.times);
        let is_known = times.filter(|times| Repeats::TIMES.contains(times));
        if times != is_known {
            errors.push(format!("{at}/times"), "must be from 2 to 60");
        }
        let timezone = zone(self.timezone, at, ctx, errors);
        Some(Repeats {
            every: every?,
            times: is_known?,
            timezone: timezone?,
        })
    }
}

/// The slots, if nothing is wrong with them; from now on for the category's usual time where none is
/// given.
pub fn windows(
    needed: Option<Vec<WindowBody>>,
    repeats: Option<RepeatsBody>,
    at: &str,
    category: Option<&Category>,
    ctx: &Ctx,
    errors: &mut FieldErrors,
) -> Option<Vec<Window>> {
    let given = needed.unwrap_or_default();
    let Some(repeats) = repeats else {
        return if given.is_empty() {
            let now = ctx.now();
            let until = now.after(category?.policy.default_duration);
            Window::parse(now, until).ok().map(|w| vec![w])
        } else {
            slots(&given, at, ctx, errors)
        };
    };
    let at_repeats = format!("{at}/repeats");
    let repeats = repeats.parse(&at_repeats, ctx, errors);
    if given.len() != 1 {
        errors.push(at_repeats, "needs exactly one time in needed, the first");
        return None;
    }
    let first = slots(&given, at, ctx, errors)?.pop()?;
    let all = repeats?.of(first);
    let is_near = |last: &Window| last.until() <= ctx.now().after(FARTHEST);
    if !all.last().is_some_and(is_near) {
        errors.push(
            format!("{at_repeats}/times"),
            "the last must be within a year",
        );
        return None;
    }
    Some(all)
}

fn slots(
    given: &[WindowBody],
    at: &str,
    ctx: &Ctx,
    errors: &mut FieldErrors,
) -> Option<Vec<Window>> {
    if given.len() > MAX_SLOTS {
        errors.push(
            format!("{at}/needed"),
            format!("must be at most {MAX_SLOTS} slots"),
        );
        return None;
    }
    let now = ctx.now();
    let mut windows = Vec::with_capacity(given.len());
    for (i, body) in given.iter().enumerate() {
        let at = format!("{at}/needed/{i}");
        if let Some(window) = body.parse(&at, errors) {
            if window.until() <= now {
                errors.push(format!("{at}/until"), "is in the past");
            } else if window.until() > now.after(FARTHEST) {
                errors.push(format!("{at}/until"), "must be within a year");
            }
            windows.push(window);
        }
    }
    (windows.len() == given.len()).then_some(windows)
}
