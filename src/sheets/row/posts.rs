//! What a row says, put into the bodies that calls have.

use super::texts::Cells;
use super::{Post, Times};
use crate::actions::post_offers::PostOffers;
use crate::actions::post_requests::PostRequests;
use crate::bodies::need::NeedBody;
use crate::bodies::offer::{AvailableBody, LimitsBody, OfferBody, SiteBody};
use crate::bodies::text::{self, WindowBody};
use crate::domain::clock::Ts;
use crate::domain::need::{Urgency, Verified};
use crate::sheets::dates::{self, When};
use crate::sheets::fields::plain;

impl Cells<'_> {
    fn when(&mut self, field: &str) -> Option<When> {
        let zone = self.reader.plan.zone.clone();
        let zone = zone.unwrap_or_else(|| self.reader.ctx.settings.area.timezone.clone());
        let order = self.reader.order;
        self.parsed(field, |text| dates::read(text, order, &zone))
    }

    /// From when, and until when. Whoever names a day means all of it.
    fn times(&mut self) -> (Option<Ts>, Option<Ts>) {
        let (from, until) = (self.when("from"), self.when("until"));
        let begins = from.map(|when| match when {
            When::At(at) | When::Day(at, _) => at,
        });
        let ends = match (from, until) {
            (_, Some(When::At(at) | When::Day(_, at))) => Some(at),
            (Some(When::Day(_, end)), None) => Some(end),
            _ => None,
        };
        (begins, ends)
    }

    pub(super) fn request(&mut self) -> (Option<Post>, Times) {
        let ctx = &self.reader.ctx;
        let (contact, caller) = (self.contact(), self.caller());
        let location = self.location();
        let languages = self.languages();
        let category = self.category();
        let (from, until) = self.times();
        let usual = || {
            let category = ctx.catalog.get(category.as_ref()?)?;
            Some(from?.after(category.policy.default_duration))
        };
        let until = until.or_else(usual);
        let needed = match (from, until) {
            (None, None) => None,
            (from, until) => Some(vec![WindowBody {
                from: Some(from.unwrap_or_else(|| ctx.now())),
                until,
            }]),
        };
        let need = NeedBody {
            quantity: self.number("quantity"),
            splittable: self.flag("splittable"),
            max_helpers: self
                .number("max_helpers")
                .and_then(|n| i32::try_from(n).ok()),
            urgency: self.urgency(),
            travel_m: self.number("travel_m"),
            handover: self.word("handover"),
            needed,
            repeats: None,
            throughout: self.flag("throughout"),
            requires: self.attributes("requires", category.as_ref()),
            language_must: self.flag("language_must"),
            note: self.take("note"),
            private_note: self.take("private_note"),
            category,
        };
        let agree_first = self.flag("agree_first").unwrap_or(false);
        let locale = self.line("locale");
        let by = self.reader.by;
        let errors = &mut self.errors;
        let contact = contact.parse("/contact", ctx, errors);
        let caller = caller.map(|caller| caller.parse("/caller", ctx, errors));
        let place = location
            .as_ref()
            .and_then(|l| l.parse("/location", ctx, errors));
        let address = location
            .as_ref()
            .and_then(|l| l.address("/location", errors));
        let languages = text::languages(languages, "/languages", errors);
        let locale = text::locale(locale, "/locale", errors);
        let need = need.parse("/need", ctx, errors);
        let post = || {
            Some(Post::Request(Box::new(PostRequests {
                contact: contact?,
                caller: caller.flatten(),
                place: place?,
                address,
                languages,
                locale,
                agree_first,
                needs: vec![need?],
                entered_by: by,
                // The import says it for all rows.
                verified: Verified::None,
            })))
        };
        (post(), (from, until))
    }

    fn urgency(&mut self) -> Option<Urgency> {
        self.parsed("urgency", |text| match plain(text).as_str() {
            "asap" | "urgent" | "immediately" | "rightnow" | "emergency" | "high" | "ahora"
            | "urgente" => Ok(Urgency::Now),
            "within24hours" | "medium" | "hoy" => Ok(Urgency::Today),
            "thisweek" | "nexttime" | "nexfewdays" | "low" | "whenever" | "pronto" => {
                Ok(Urgency::Soon)
            }
            word => word.parse::<Urgency>(),
        })
    }

    pub(super) fn offer(&mut self) -> (Option<Post>, Times) {
        let ctx = &self.reader.ctx;
        let contact = self.contact();
        let site_address = self.line("site_address");
        let location = self.location();
        let languages = self.languages();
        let category = self.category();
        let (from, until) = self.times();
        let site = self.line("site_title").map(|title| SiteBody {
            title: Some(title),
            address: site_address.or_else(|| location.as_ref().and_then(|l| l.address.clone())),
            walk_in: None,
        });
        let walk_in = self.flag("walk_in");
        let offer = OfferBody {
            capacity: self.number("capacity"),
            renews: self.word("renews"),
            reach_m: self.number("reach_m"),
            lead_minutes: self.number("lead_minutes"),
            available: Some(AvailableBody {
                from,
                until,
                opening_hours: self.line("opening_hours"),
                timezone: self
                    .line("timezone")
                    .or_else(|| self.reader.plan.mapping.timezone.clone()),
            }),
            provides: self.attributes("provides", category.as_ref()),
            note: self.take("note"),
            private_note: self.take("private_note"),
            site: site.map(|site| SiteBody { walk_in, ..site }),
            category,
        };
        let locale = self.line("locale");
        let errors = &mut self.errors;
        errors.require("/contact/email", contact.email.as_ref());
        let contact = contact.parse("/contact", ctx, errors);
        let place = location
            .as_ref()
            .and_then(|l| l.parse("/location", ctx, errors));
        let languages = text::languages(languages, "/languages", errors);
        let locale = text::locale(locale, "/locale", errors);
        let limits = LimitsBody::default().parse("/limits", ctx, errors);
        let offer = offer.parse("/offer", ctx, errors);
        let post = || {
            Some(Post::Offer(Box::new(PostOffers {
                contact: contact?,
                place: place?,
                languages,
                locale,
                limits: limits?,
                offers: vec![offer?],
            })))
        };
        (post(), (from, until))
    }
}
