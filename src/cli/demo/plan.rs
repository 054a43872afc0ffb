//! The story before it happens: who posts what, and when. All of it is drawn from the seed and the
//! categories.

use std::time::Duration;

use super::attributes::{provided, required};
use super::dice::Dice;
use super::people;
use super::taste::{self, Taste};
use super::town::Town;
use crate::actions::post_offers::{NewOffer, PostOffers};
use crate::actions::post_requests::{NewNeed, PostRequests};
use crate::domain::availability::{Availability, OpeningHours, TimeZoneName, Window};
use crate::domain::category::{Catalog, Category, Travels};
use crate::domain::clock::Ts;
use crate::domain::limits::AskLimits;
use crate::domain::need::{LeadTime, Quantity, Reach, Renews, Urgency};
use crate::domain::secret::SiteDetails;

/// For how long posts keep arriving.
pub(super) const ARRIVALS: Duration = Duration::from_hours(10);

/// Somebody posts something.
#[derive(Clone, Debug)]
pub(super) enum Post {
    /// A volunteer, or a site.
    Offers(Box<PostOffers>),
    /// A neighbor.
    Requests(Box<PostRequests>),
}

/// How large the city is, and which one of all possible.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Offers, all together.
    pub offers: usize,
    /// Needs, all together.
    pub requests: usize,
    /// Which story.
    pub seed: u64,
}

/// Makes up the posts.
#[derive(Debug)]
pub(super) struct Planner<'a> {
    catalog: &'a Catalog,
    town: Town,
    zone: TimeZoneName,
    start: Ts,
    size: Size,
}

fn parsed<T>(result: Result<T, &'static str>) -> anyhow::Result<T> {
    result.map_err(anyhow::Error::msg)
}

impl<'a> Planner<'a> {
    /// A planner for a story that begins at `start`.
    pub fn new(
        catalog: &'a Catalog,
        zone: TimeZoneName,
        start: Ts,
        size: Size,
    ) -> anyhow::Result<Self> {
        let town = Town::shipped()?;
        Ok(Self {
            catalog,
            town,
            zone,
            start,
            size,
        })
    }

    /// Every post with its instant.
    pub fn posts(&self) -> anyhow::Result<Vec<(Ts, Post)>> {
        let categories: Vec<(&Category, Taste)> =
            self.catalog.iter().map(|c| (c, taste::of(c))).collect();
        let offered: Vec<f64> = categories.iter().map(|(_, taste)| taste.offered).collect();
        let needed: Vec<f64> = categories.iter().map(|(_, taste)| taste.weight).collect();
        let mut posts = Vec::new();
        let mut nth = 0;
        for ((category, taste), share) in categories
            .iter()
            .zip(taste::shares(&offered, self.size.offers))
        {
            for _ in 0..share {
                nth += 1;
                posts.push(self.offer(nth, category, *taste)?);
            }
        }
        for ((category, taste), share) in categories
            .iter()
            .zip(taste::shares(&needed, self.size.requests))
        {
            for _ in 0..share {
                nth += 1;
                posts.push(self.request(nth, category, *taste)?);
            }
        }
        posts.sort_by_key(|(at, _)| *at);
        Ok(posts)
    }

    fn offer(&self, nth: usize, category: &Category, taste: Taste) -> anyhow::Result<(Ts, Post)> {
        let dice = Dice::of(self.size.seed, &format!("offer {nth}"));
        let policy = &category.policy;
        let spot = self.town.draw(&dice)?;
        // Where people come to and nothing is to be kept from the public, it is mostly a site.
        let is_site = policy.travels == Travels::Neighbor && !policy.sensitive && dice.chance(0.85);
        // Most of those who help are there before the worst comes; sites first.
        let (soonest, latest) = match dice.fraction() {
            _ if is_site => (0, 90),
            ..0.65 => (0, 60),
            _ => (60, 540),
        };
        let after = dice.minutes(soonest, latest);
        let usual = i64::from(policy.default_reach);
        let reach = dice.whole(taste.reach.unwrap_or((usual * 8 / 10, usual * 2)));
        let site = if is_site {
            Some(SiteDetails {
                title: people::site(&dice, &spot)?,
                address: people::address(&dice, &spot)?,
                walk_in: dice.chance(0.35),
            })
        } else {
            None
        };
        let offer = NewOffer {
            category: category.key.clone(),
            capacity: parsed(Quantity::try_from(dice.whole(taste.capacity)))?,
            renews: *dice.one(&[Renews::None, Renews::None, Renews::Daily]),
            reach: parsed(Reach::try_from(reach.min(policy.max_reach.into())))?,
            lead: LeadTime::NONE,
            availability: self.availability(&dice)?,
            provides: provided(&dice, category)?,
            note: people::note_of_offer(&dice)?,
            private_note: people::private_note(&dice)?,
            site,
        };
        let post = PostOffers {
            contact: people::contact(&dice, "v", nth, true)?,
            place: spot.point,
            languages: people::languages(&dice),
            locale: "en".to_owned(),
            limits: limits(&dice, is_site),
            offers: vec![offer],
        };
        Ok((self.start.after(after), Post::Offers(Box::new(post))))
    }

    fn availability(&self, dice: &Dice) -> anyhow::Result<Availability> {
        let hours = match dice.fraction() {
            ..0.65 => None,
            ..0.80 => Some("Mo-Su 07:00-22:00"),
            ..0.90 => Some("Mo-Fr 16:00-23:00; Sa-Su 08:00-23:00"),
            _ => Some("Mo-Sa 08:00-18:00"),
        };
        Ok(Availability {
            from: None,
            until: None,
            opening_hours: hours.map(|h| parsed(OpeningHours::parse(h))).transpose()?,
            timezone: self.zone.clone(),
        })
    }

    fn request(&self, nth: usize, category: &Category, taste: Taste) -> anyhow::Result<(Ts, Post)> {
        let dice = Dice::of(self.size.seed, &format!("request {nth}"));
        let spot = self.town.draw(&dice)?;
        let minutes = u32::try_from(ARRIVALS.as_secs() / 60).unwrap_or(u32::MAX);
        let at = self.start.after(dice.minutes(20, minutes));
        let has_email = dice.chance(0.75);
        let address = if dice.chance(0.6) {
            Some(people::address(&dice, &spot)?)
        } else {
            None
        };
        let post = PostRequests {
            contact: people::contact(&dice, "n", nth, has_email)?,
            caller: if !has_email && dice.chance(0.3) {
                Some(people::contact(&dice, "c", nth, false)?)
            } else {
                None
            },
            place: spot.point,
            address,
            languages: people::languages(&dice),
            locale: "en".to_owned(),
            agree_first: dice.chance(0.1),
            needs: vec![need(&dice, category, taste, at)?],
            entered_by: None,
        };
        Ok((at, Post::Requests(Box::new(post))))
    }
}

/// Mostly as the settings begin; a site is there to be asked.
fn limits(dice: &Dice, is_site: bool) -> AskLimits {
    let of_person = AskLimits {
        open_asks: *dice.one(&[3, 3, 4, 6]),
        weekly_asks: *dice.one(&[3, 5, 8]),
        nights: dice.chance(0.5),
        quiet: None,
    };
    if is_site {
        AskLimits {
            open_asks: 20,
            weekly_asks: 50,
            nights: true,
            ..of_person
        }
    } else {
        of_person
    }
}

fn need(dice: &Dice, category: &Category, taste: Taste, at: Ts) -> anyhow::Result<NewNeed> {
    let policy = &category.policy;
    let drawn = dice.fraction();
    let urgency = match drawn {
        _ if drawn < taste.urgency.0 => Urgency::Now,
        _ if drawn < taste.urgency.0 + taste.urgency.1 => Urgency::Today,
        _ => Urgency::Soon,
    };
    let open_for = match urgency {
        Urgency::Now => Duration::from_hours(8),
        Urgency::Today => Duration::from_hours(16),
        Urgency::Soon => policy.default_duration.max(Duration::from_hours(24)),
    };
    let handover = if dice.chance(0.8) {
        policy.handover
    } else {
        *dice.one(&policy.handovers)
    };
    // Some take the bus.
    let usual = i64::from(policy.default_travel);
    let travel = match dice.fraction() {
        ..0.5 => usual,
        _ if usual > 0 => dice.whole((usual, usual * 2)),
        _ => dice.whole((0, 5_000)),
    };
    Ok(NewNeed {
        category: category.key.clone(),
        quantity: parsed(Quantity::try_from(dice.whole(taste.quantity)))?,
        splittable: policy.splittable,
        max_helpers: if policy.splittable { 3 } else { 1 },
        urgency,
        travel: parsed(Reach::try_from(travel.min(Reach::MAX.into())))?,
        handover,
        windows: vec![parsed(Window::parse(at, at.after(open_for)))?],
        throughout: false,
        requires: required(dice, category)?,
        language_must: dice.chance(0.05),
        note: people::note_of_need(dice)?,
        private_note: people::private_note(dice)?,
    })
}
