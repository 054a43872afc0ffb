//! What a volunteer offers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::faults::FieldErrors;
use super::need::{attributes, category, limited};
use super::text::{note, private_note};
use crate::actions::Ctx;
use crate::actions::post_offers::NewOffer;
use crate::domain::availability::{Availability, OpeningHours, TimeZoneName, Window};
use crate::domain::clock::Ts;
use crate::domain::contact::{ContactLine, StreetAddress};
use crate::domain::limits::{AskLimits, QuietHours};
use crate::domain::need::{LeadTime, Reach, Renews};
use crate::domain::secret::SiteDetails;

/// One kind of help. Only the category and the capacity are a must.
#[derive(Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"category": "food", "capacity": 10, "reach_m": 5000, "provides": {"diet": ["halal", "vegan"], "delivery": true}}))]
pub struct OfferBody {
    /// One of the categories of `GET /v1/categories`.
    #[schema(required = true, nullable = false, example = "food")]
    pub category: Option<String>,
    /// How much, in the category's unit (in each period, if it renews).
    #[schema(required = true, nullable = false, minimum = 1, maximum = 100_000)]
    pub capacity: Option<i64>,
    /// When it comes back.
    pub renews: Option<Renews>,
    /// How far the volunteer travels, in meters.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub reach_m: Option<i64>,
    /// How long before helping the volunteer must know, in minutes; not at all, where it is left out.
    #[schema(minimum = 0, maximum = 10_080, example = 60)]
    pub lead_minutes: Option<i64>,
    /// When it stands; always, where it is left out.
    pub available: Option<AvailableBody>,
    /// What it is like: the category's attributes.
    #[schema(value_type = Option<Object>, example = json!({"diet": ["halal", "vegan"]}))]
    pub provides: Option<Map<String, Value>>,
    /// May be shown before anything is agreed; no phone number, address or ID number.
    #[schema(min_length = 1, max_length = 500)]
    pub note: Option<String>,
    /// Released with the contact.
    #[schema(min_length = 1, max_length = 2000)]
    pub private_note: Option<String>,
    /// For places open to the public: listed once a coordinator has checked it.
    pub site: Option<SiteBody>,
}

/// When an offer stands.
#[derive(Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AvailableBody {
    /// Not before.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Ts>,
    /// Not after.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Ts>,
    /// OpenStreetMap opening hours, in the time zone below.
    #[schema(example = "Mo-Fr 08:00-18:00", max_length = 255)]
    pub opening_hours: Option<String>,
    /// IANA time zone; the instance's own where it is left out.
    #[schema(example = "America/Chicago")]
    pub timezone: Option<String>,
}

/// The public face of a site.
#[derive(Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Corner Books warming space", "address": "2410 Example Ave", "walk_in": true}))]
pub struct SiteBody {
    /// Its name.
    #[schema(required = true, nullable = false, min_length = 1, max_length = 200)]
    pub title: Option<String>,
    /// Its street address.
    #[schema(required = true, nullable = false, min_length = 1, max_length = 300)]
    pub address: Option<String>,
    /// Whether people may come without a match.
    pub walk_in: Option<bool>,
}

/// How often and when a volunteer may be asked.
#[derive(Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"open_asks": 3, "nights": true, "quiet": {"from": "22:00", "until": "07:00", "timezone": "America/Chicago"}}))]
pub struct LimitsBody {
    /// Asks that may be open at a time.
    #[schema(minimum = 1, maximum = 20)]
    pub open_asks: Option<u8>,
    /// Asks a week that are not urgent.
    #[schema(minimum = 1, maximum = 50)]
    pub weekly_asks: Option<u8>,
    /// Asks within 24 hours, however urgent.
    #[schema(minimum = 1, maximum = 100)]
    pub daily_asks: Option<u8>,
    /// Whether an ask of urgency `now` may come at night.
    pub nights: Option<bool>,
    /// When not to be asked.
    pub quiet: Option<QuietBody>,
}

/// A daily span, local; it may run over midnight.
#[derive(Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietBody {
    /// When it begins.
    #[schema(required = true, nullable = false, example = "22:00")]
    pub from: Option<String>,
    /// When it ends.
    #[schema(required = true, nullable = false, example = "07:00")]
    pub until: Option<String>,
    /// IANA time zone; the instance's own where it is left out.
    pub timezone: Option<String>,
}

impl OfferBody {
    /// The offer, if nothing is wrong with it.
    pub fn parse(self, at: &str, ctx: &Ctx, errors: &mut FieldErrors) -> Option<NewOffer> {
        let category = category(self.category, at, ctx, errors);
        let capacity = errors.require(&format!("{at}/capacity"), self.capacity);
        let availability =
            self.available
                .unwrap_or_default()
                .parse(&format!("{at}/available"), ctx, errors);
        let site = self.site.map(|s| s.parse(&format!("{at}/site"), errors));
        let note = note(self.note, at, errors);
        let private_note = private_note(self.private_note, at, errors);
        let category = category?;
        let policy = &category.policy;
        let capacity = capacity
            .and_then(|n| limited(n, policy.max_capacity, &format!("{at}/capacity"), errors));
        let reach = reach(
            self.reach_m,
            at,
            policy.default_reach,
            policy.max_reach,
            errors,
        );
        if site.is_some() && policy.sensitive {
            errors.push(
                format!("{at}/site"),
                "offers of this category are never listed publicly",
            );
        }
        let lead = lead(self.lead_minutes, at, errors);
        let provides = category.parse_provided(&self.provides.unwrap_or_default());
        let provides = attributes(provides, &format!("{at}/provides"), errors);
        Some(NewOffer {
            category: category.key.clone(),
            capacity: capacity?,
            renews: self.renews.unwrap_or(Renews::None),
            reach: reach?,
            lead: lead?,
            availability: availability?,
            provides: provides?,
            note,
            private_note,
            site: match site {
                Some(site) => Some(site?),
                None => None,
            },
        })
    }
}

/// A reach within the category's limit.
pub fn reach(
    m: Option<i64>,
    at: &str,
    default: Reach,
    max: Reach,
    errors: &mut FieldErrors,
) -> Option<Reach> {
    let Some(m) = m else { return Some(default) };
    let reach = Reach::try_from(m).ok().filter(|r| *r <= max);
    errors.check(
        format!("{at}/reach_m"),
        reach.ok_or_else(|| format!("must be whole meters from 0 to {}", max.meters())),
    )
}

/// How long before helping the volunteer must know; not at all where nothing is said.
pub fn lead(minutes: Option<i64>, at: &str, errors: &mut FieldErrors) -> Option<LeadTime> {
    let minutes = minutes.unwrap_or_default();
    errors.check(format!("{at}/lead_minutes"), LeadTime::try_from(minutes))
}

impl AvailableBody {
    /// When it stands, if nothing is wrong with it.
    pub fn parse(self, at: &str, ctx: &Ctx, errors: &mut FieldErrors) -> Option<Availability> {
        if let (Some(from), Some(until)) = (self.from, self.until) {
            errors.check(format!("{at}/until"), Window::parse(from, until));
        }
        if self.until.is_some_and(|until| until <= ctx.now()) {
            errors.push(format!("{at}/until"), "is in the past");
        }
        let has_hours = self.opening_hours.is_some();
        let opening_hours =
            errors.optional(format!("{at}/opening_hours"), self.opening_hours, |t| {
                OpeningHours::parse(&t)
            });
        let timezone = zone(self.timezone, at, ctx, errors);
        if has_hours && opening_hours.is_none() {
            return None;
        }
        Some(Availability {
            from: self.from,
            until: self.until,
            opening_hours,
            timezone: timezone?,
        })
    }
}

/// The time zone of that name; the instance's own where nothing is said.
pub fn zone(
    name: Option<String>,
    at: &str,
    ctx: &Ctx,
    errors: &mut FieldErrors,
) -> Option<TimeZoneName> {
    match name {
        Some(name) => errors.check(format!("{at}/timezone"), TimeZoneName::parse(&name)),
        None => Some(ctx.settings.area.timezone.clone()),
    }
}

impl SiteBody {
    /// The public face, if nothing is wrong with it.
    pub fn parse(self, at: &str, errors: &mut FieldErrors) -> Option<SiteDetails> {
        let title = errors.require(&format!("{at}/title"), self.title);
        let address = errors.require(&format!("{at}/address"), self.address);
        let title = title.and_then(|t| errors.check(format!("{at}/title"), ContactLine::parse(&t)));
        let address =
            address.and_then(|t| errors.check(format!("{at}/address"), StreetAddress::parse(&t)));
        Some(SiteDetails {
            title: title?,
            address: address?,
            walk_in: self.walk_in.unwrap_or(true),
        })
    }
}

impl LimitsBody {
    /// The limits, if nothing is wrong with them.
    pub fn parse(self, at: &str, ctx: &Ctx, errors: &mut FieldErrors) -> Option<AskLimits> {
        let settings = &ctx.settings.matching;
        let open_asks = self.open_asks.unwrap_or(settings.open_asks);
        let weekly_asks = self.weekly_asks.unwrap_or(settings.weekly_asks);
        let daily_asks = self.daily_asks.unwrap_or(settings.daily_asks);
        if !(1..=20).contains(&open_asks) {
            errors.push(format!("{at}/open_asks"), "must be from 1 to 20");
        }
        if !(1..=50).contains(&weekly_asks) {
            errors.push(format!("{at}/weekly_asks"), "must be from 1 to 50");
        }
        if !(1..=100).contains(&daily_asks) {
            errors.push(format!("{at}/daily_asks"), "must be from 1 to 100");
        }
        let quiet = match self.quiet {
            Some(quiet) => Some(quiet.parse(&format!("{at}/quiet"), ctx, errors)?),
            None => None,
        };
        Some(AskLimits {
            open_asks,
            weekly_asks,
            daily_asks,
            nights: self.nights.unwrap_or(false),
            quiet,
        })
    }
}

impl QuietBody {
    fn parse(self, at: &str, ctx: &Ctx, errors: &mut FieldErrors) -> Option<QuietHours> {
        let mut time = |field: &str, text: Option<String>| {
            let at = format!("{at}/{field}");
            let text = errors.require(&at, text)?;
            errors.check(
                at,
                text.parse()
                    .map_err(|_| "must be a time of day such as 22:00"),
            )
        };
        let from = time("from", self.from);
        let until = time("until", self.until);
        let timezone = zone(self.timezone, at, ctx, errors);
        Some(QuietHours {
            from: from?,
            until: until?,
            timezone: timezone?,
        })
    }
}

impl From<&AskLimits> for LimitsBody {
    fn from(limits: &AskLimits) -> Self {
        Self {
            open_asks: Some(limits.open_asks),
            weekly_asks: Some(limits.weekly_asks),
            daily_asks: Some(limits.daily_asks),
            nights: Some(limits.nights),
            quiet: limits.quiet.as_ref().map(|q| QuietBody {
                from: Some(q.from.strftime("%H:%M").to_string()),
                until: Some(q.until.strftime("%H:%M").to_string()),
                timezone: Some(q.timezone.to_string()),
            }),
        }
    }
}

impl From<&SiteDetails> for SiteBody {
    fn from(site: &SiteDetails) -> Self {
        Self {
            title: Some(site.title.expose().to_owned()),
            address: Some(site.address.expose().to_owned()),
            walk_in: Some(site.walk_in),
        }
    }
}
