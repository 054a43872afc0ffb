use super::*;
use crate::domain::area::{Circle, Radius};
use crate::domain::availability::TimeZoneName;
use crate::domain::category::Catalog;
use crate::domain::limits::QuietHours;
use crate::domain::place::{Cell, CellSize, DistanceBand};
use crate::matching::eligible::tests::{noon, offer, request};
use crate::matching::wave::{Standing, round};
use crate::settings::{Settings, Sources};

fn settings() -> MatchingSettings {
    Settings::load(Sources::default()).unwrap().matching
}

fn limits() -> AskLimits {
    AskLimits {
        open_asks: 5,
        weekly_asks: 2,
        daily_asks: 3,
        nights: false,
        quiet: None,
    }
}

fn asks(count: usize) -> Vec<Ts> {
    let ago = [3, 2, 1].map(|hours| noon().before(DAY / 24 * hours));
    ago[..count].to_vec()
}

/// Why there is no room, if there is none, and for how many requests there is.
fn room_of(load: &Load, urgency: Urgency) -> (Option<PassedOver>, usize) {
    let (settings, limits) = (settings(), limits());
    (
        no_room(&settings, &limits, load, urgency),
        room(&settings, &limits, load, urgency),
    )
}

#[test]
fn a_volunteer_has_few_open_asks_at_a_time_and_more_only_for_what_cannot_wait() {
    let with = |open_asks| Load {
        open_asks,
        open_until: Some(noon()),
        ..Load::default()
    };
    for urgency in [Urgency::Today, Urgency::Soon] {
        assert_eq!(room_of(&with(2), urgency), (None, 1), "{urgency}");
        let full = PassedOver::until(Passed::OpenAsks, Some(noon()));
        assert_eq!(room_of(&with(3), urgency), (Some(full), 0), "{urgency}");
    }
    assert_eq!(room_of(&with(3), Urgency::Now), (None, 2));
    assert_eq!(room_of(&with(5), Urgency::Now).1, 0);
    let shy = AskLimits {
        open_asks: 1,
        ..limits()
    };
    let none = Load::default();
    assert_eq!(
        room(&settings(), &shy, &none, Urgency::Soon),
        1,
        "who wants fewer gets fewer"
    );
}

#[test]
fn asks_of_a_day_and_calm_ones_of_a_week_are_counted_until_they_are_old() {
    let days = |count| Load {
        days_asks: asks(count),
        ..Load::default()
    };
    assert_eq!(
        room_of(&days(2), Urgency::Now),
        (None, 1),
        "what is left of the day"
    );
    let first = noon().before(DAY / 24 * 3).after(DAY);
    let full = PassedOver::until(Passed::DailyAsks, Some(first));
    assert_eq!(room_of(&days(3), Urgency::Now), (Some(full), 0));
    let calm = |count| Load {
        calm_asks: asks(count),
        ..Load::default()
    };
    assert_eq!(room_of(&calm(1), Urgency::Soon).0, None);
    // Of three with a limit of two, two must be gone.
    let second = noon().before(DAY / 24 * 2).after(WEEK);
    let full = PassedOver::until(Passed::WeeklyAsks, Some(second));
    assert_eq!(room_of(&calm(3), Urgency::Soon), (Some(full), 0));
    assert_eq!(room_of(&calm(3), Urgency::Today).0, None);
}

#[test]
fn promises_are_kept_before_there_are_more_asks() {
    let with = |open_releases| Load {
        open_releases,
        ..Load::default()
    };
    assert_eq!(room_of(&with(1), Urgency::Now).0, None);
    let full = PassedOver::new(Passed::OpenReleases);
    assert_eq!(room_of(&with(2), Urgency::Now), (Some(full), 0));
}

/// What is judged: who asks for what, and who would be asked.
struct Story {
    request: RequestCard,
    offer: OfferCard,
    category: &'static str,
    round: Round,
    frozen: Frozen,
    series: Option<Vec<VolunteerId>>,
    limits: AskLimits,
    load: Load,
    is_askable: bool,
    is_parted: bool,
}

impl Story {
    fn new() -> Self {
        let standing = Standing {
            wave: 0,
            next_wave_at: None,
            version: 1,
        };
        let settings = settings();
        Self {
            request: request(),
            offer: offer(),
            category: "food",
            round: round(&settings.waves.today, &settings, standing, &[], noon()),
            frozen: Frozen::default(),
            series: None,
            limits: limits(),
            load: Load::default(),
            is_askable: true,
            is_parted: false,
        }
    }

    fn judge(&self) -> Result<Choice, PassedOver> {
        let (settings, catalog) = (settings(), Catalog::shipped().unwrap());
        let asking = Asking {
            settings: &settings,
            category: catalog.get(self.category).unwrap(),
            request: &self.request,
            round: &self.round,
            series: self.series.as_deref(),
            frozen: &self.frozen,
            now: noon(),
        };
        let person = Person {
            is_askable: self.is_askable,
            is_parted: self.is_parted,
            limits: &self.limits,
            load: &self.load,
            last_asked: None,
        };
        asking.judge(&self.offer, 1000.0, &person)
    }

    #[track_caller]
    fn passed(&self) -> Passed {
        self.judge().unwrap_err().why
    }
}

#[test]
fn who_fits_and_rests_from_nothing_is_a_choice_with_its_score() {
    let choice = Story::new().judge().unwrap();
    assert_eq!(choice.fit.quantity, 2);
    assert_eq!(choice.fit.band, DistanceBand::Under2Km);
    assert!(
        choice.score > 0.5 && choice.score <= 1.0,
        "{}",
        choice.score
    );
    assert!((choice.parts.proximity - 0.8).abs() < 1e-9);
}

#[test]
fn who_is_not_to_be_asked_is_passed_over_with_the_reason() {
    let mut story = Story::new();
    story.is_askable = false;
    assert_eq!(story.passed(), Passed::NotAskable);
    let mut story = Story::new();
    story.is_parted = true;
    assert_eq!(story.passed(), Passed::Parted);
    let mut story = Story::new();
    story.load.open_releases = 2;
    assert_eq!(story.passed(), Passed::OpenReleases);
    let mut story = Story::new();
    let vetoed = PassedOver::new(Passed::Vetoed);
    story.round.not_again.insert(story.offer.volunteer, vetoed);
    assert_eq!(story.passed(), Passed::Vetoed);
    let mut story = Story::new();
    story.frozen = Frozen(vec![Circle {
        cell: Cell::of(story.offer.at, CellSize::try_from(8).unwrap()),
        radius: Radius::try_from(500).unwrap(),
    }]);
    assert_eq!(story.passed(), Passed::Frozen);
}

#[test]
fn an_attribute_that_is_not_met_is_named_and_nothing_else_is() {
    let mut story = Story::new();
    let catalog = Catalog::shipped().unwrap();
    let halal = serde_json::json!({"diet": ["halal"]});
    let required = catalog
        .get("food")
        .unwrap()
        .parse_required(halal.as_object().unwrap());
    story.request.requires = required.unwrap();
    let passed = story.judge().unwrap_err();
    assert_eq!(
        (passed.why, passed.attribute.as_deref()),
        (Passed::AttributeUnmet, Some("diet"))
    );
    story.offer.taken = vec![(Ts::EPOCH, 4)];
    story.request.requires = request().requires;
    let passed = story.judge().unwrap_err();
    assert_eq!((passed.why, passed.attribute), (Passed::NoCapacity, None));
}

#[test]
fn nobody_is_woken_but_a_proposal_wakes_nobody() {
    let mut story = Story::new();
    let at = |hour| jiff::civil::time(hour, 0, 0, 0);
    story.limits.quiet = Some(QuietHours {
        from: at(11),
        until: at(15),
        timezone: TimeZoneName::parse("UTC").unwrap(),
    });
    let passed = story.judge().unwrap_err();
    assert_eq!(
        (passed.why, passed.until),
        (Passed::Hours, Some(noon().after(DAY / 8)))
    );
    story.category = "childcare";
    story.offer.vetted_until = Some(noon().after(DAY));
    assert!(story.judge().is_ok());
}

#[test]
fn who_helps_already_in_a_series_is_the_same_helper() {
    let mut story = Story::new();
    let part = |story: &Story| story.judge().unwrap().parts.same_helper.to_bits();
    assert_eq!(part(&story), 1.0_f64.to_bits(), "nobody can be");
    story.series = Some(Vec::new());
    assert_eq!(part(&story), 0.0_f64.to_bits());
    story.series = Some(vec![story.offer.volunteer]);
    assert_eq!(part(&story), 1.0_f64.to_bits());
}
