//! The story before it happens: who posts what, and when. All of it is drawn from the seed and the
//! categories, and depends on nothing that happens.

use std::time::Duration;

use super::attributes::{provided, required};
use super::dice::Dice;
use super::people;
use super::taste::{self, Taste};
use super::town::Town;
use crate::actions::post_offers::{NewOffer, PostOffers};
use crate::actions::post_requests::{NewNeed, PostRequests};
use crate::domain::availability::{Availability, OpeningHours, TimeZoneName, Window};
use crate::domain::category::{Category, Travels};
use crate::domain::clock::Ts;
use crate::domain::limits::AskLimits;
use crate::domain::need::{LeadTime, Quantity, Reach, Renews, Urgency, Verified};
use crate::domain::place::GeoPoint;
use crate::domain::secret::SiteDetails;
use crate::settings::matching::MatchingSettings;

/// Somebody posts something.
#[derive(Clone, Debug)]
pub(in crate::cli) enum Post {
    /// A volunteer, or a site.
    Offers(Box<PostOffers>),
    /// A neighbor.
    Requests(Box<PostRequests>),
}

impl Post {
    /// Where whoever posts it is.
    pub fn place(&self) -> GeoPoint {
        match self {
            Self::Offers(post) => post.place,
            Self::Requests(post) => post.place,
        }
    }
}

/// When posts arrive, after the story's begin.
pub(in crate::cli) trait Arrivals {
    /// A post of an offer.
    fn of_offer(&self, dice: &Dice, is_site: bool) -> Duration;
    /// A post of a request.
    fn of_request(&self, dice: &Dice) -> Duration;
}

/// How large the city is, and which one of all possible.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Day {
    /// Offers, all together.
    pub offers: usize,
    /// Needs, all together.
    pub requests: usize,
    /// Which story.
    pub seed: u64,
    /// When it begins.
    pub start: Ts,
    /// Where.
    pub zone: TimeZoneName,
    /// The share of people who may be asked at night.
    pub nights: f64,
    /// How often they let themselves be asked unless they say otherwise.
    pub usual: MatchingSettings,
}

/// Makes up the posts.
pub(in crate::cli) struct Planner<'a> {
    tastes: Vec<(&'a Category, Taste)>,
    arrivals: &'a dyn Arrivals,
    town: Town,
    day: Day,
}

fn parsed<T>(result: Result<T, &'static str>) -> anyhow::Result<T> {
    result.map_err(anyhow::Error::msg)
}

impl<'a> Planner<'a> {
    /// A planner for a day on which these categories are asked for and offered.
    pub fn new(
        day: Day,
        tastes: Vec<(&'a Category, Taste)>,
        arrivals: &'a dyn Arrivals,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            tastes,
            arrivals,
            town: Town::shipped()?,
            day,
        })
    }

    /// Every post with its instant, in the order of time.
    pub fn posts(&self) -> anyhow::Result<Vec<(Ts, Post)>> {
        let categories = &self.tastes;
        let offered: Vec<f64> = categories.iter().map(|(_, taste)| taste.offered).collect();
        let needed: Vec<f64> = categories.iter().map(|(_, taste)| taste.weight).collect();
        let mut posts = Vec::new();
        let mut nth = 0;
        for ((category, taste), share) in categories
            .iter()
            .zip(taste::shares(&offered, self.day.offers))
        {
            for _ in 0..share {
                nth += 1;
                posts.push(self.offer(nth, category, *taste)?);
            }
        }
        for ((category, taste), share) in categories
            .iter()
            .zip(taste::shares(&needed, self.day.requests))
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
        let dice = Dice::of(self.day.seed, &format!("offer {nth}"));
        let policy = &category.policy;
        let spot = self.town.draw(&dice)?;
        // Where people come to and nothing is to be kept from the public, it is mostly a site.
        let is_site = policy.travels == Travels::Neighbor && !policy.sensitive && dice.chance(0.85);
        let after = self.arrivals.of_offer(&dice, is_site);
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
            limits: limits(&dice, is_site, &self.day),
            offers: vec![offer],
        };
        Ok((self.day.start.after(after), Post::Offers(Box::new(post))))
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
            timezone: self.day.zone.clone(),
        })
    }

    fn request(&self, nth: usize, category: &Category, taste: Taste) -> anyhow::Result<(Ts, Post)> {
        let dice = Dice::of(self.day.seed, &format!("request {nth}"));
        let spot = self.town.draw(&dice)?;
        let at = self.day.start.after(self.arrivals.of_request(&dice));
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
            verified: Verified::None,
        };
        Ok((at, Post::Requests(Box::new(post))))
    }
}

/// As the settings begin, and one in four twice as much; a site is there to be asked.
fn limits(dice: &Dice, is_site: bool, day: &Day) -> AskLimits {
    let usual = &day.usual;
    let times = *dice.one(&[1, 1, 1, 2]);
    let of_person = AskLimits {
        open_asks: usual.open_asks.saturating_mul(times).min(20),
        weekly_asks: usual.weekly_asks.saturating_mul(times).min(50),
        daily_asks: usual.daily_asks.saturating_mul(times).min(100),
        nights: dice.chance(day.nights),
        quiet: None,
    };
    if is_site {
        AskLimits {
            open_asks: 20,
            weekly_asks: 50,
            daily_asks: 100,
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
