use super::*;
use crate::domain::attribute::Attributes;
use crate::domain::availability::Window;
use crate::domain::category::CategoryKey;
use crate::domain::entropy::SeededEntropy;
use crate::domain::ids::{NeighborId, RequestId};
use crate::domain::need::{Reach, Urgency};
use crate::domain::place::GeoPoint;
use crate::settings::{Settings, Sources};

fn settings() -> MatchingSettings {
    Settings::load(Sources::default()).unwrap().matching
}

fn at(text: &str) -> Ts {
    Ts::from(text.parse::<jiff::Timestamp>().unwrap())
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn standing(wave: i32) -> Standing {
    Standing {
        wave,
        next_wave_at: None,
        version: 1,
    }
}

#[test]
fn each_wave_may_be_wider_than_the_one_before() {
    let settings = settings();
    let now = at("2026-12-07T18:00:00Z");
    let asks = |policy: &Wave| {
        let wave = |before| round(policy, &settings, standing(before), &[], now).ask;
        [0, 1, 2, 1000].map(wave)
    };
    let mut policy = settings.waves.now.clone();
    (policy.size, policy.widen_by) = (7, 2);
    assert_eq!(asks(&policy), [7, 9, 11, 50]);
    policy.widen_by = 0;
    assert_eq!(asks(&policy), [7, 7, 7, 7], "0 means: as before");
}

#[test]
fn sizes_and_times_are_those_of_the_urgency() {
    let settings = settings();
    let now = at("2026-12-07T18:00:00Z");
    for (urgency, ask, next) in [
        (Urgency::Now, 7, MINUTE * 5),
        (Urgency::Today, 5, MINUTE * 30),
        (Urgency::Soon, 3, HOUR * 4),
    ] {
        let policy = settings.waves.of(urgency);
        let round = round(policy, &settings, standing(0), &[], now);
        assert_eq!((round.ask, round.next_wave_at), (ask, now.after(next)));
    }
}

fn earlier(entropy: &SeededEntropy, state: MatchState, ended_at: Option<Ts>) -> Earlier {
    Earlier {
        offer: OfferId::new(entropy),
        volunteer: VolunteerId::new(entropy),
        state,
        fall_reason: None,
        wave: 1,
        planned: false,
        version: 1,
        created_at: Ts::EPOCH,
        ended_at,
    }
}

#[test]
fn the_lapsed_have_a_second_round_and_the_others_none() {
    let (settings, entropy) = (settings(), SeededEntropy::new(1));
    let now = at("2026-12-07T18:00:00Z");
    let all = [
        earlier(&entropy, MatchState::Lapsed, Some(now)),
        earlier(&entropy, MatchState::Declined, Some(now)),
        earlier(&entropy, MatchState::Superseded, Some(now)),
    ];
    let after = |now| round(&settings.waves.now, &settings, standing(1), &all, now);
    let first = after(now);
    assert_eq!(
        first.second_round_at,
        Some(now.after(settings.second_round_after))
    );
    assert_eq!(first.not_again[&all[0].volunteer].why, Passed::Lapsed);
    assert_eq!(first.not_again[&all[1].volunteer].why, Passed::Declined);
    assert!(!first.not_again.contains_key(&all[2].volunteer));
    let second = after(now.after(settings.second_round_after));
    assert!(!second.not_again.contains_key(&all[0].volunteer));
    assert_eq!(second.not_again[&all[1].volunteer].why, Passed::Declined);
}

/// A request that was posted then, for a day.
fn posted(since: Ts) -> RequestCard {
    let entropy = SeededEntropy::new(2);
    RequestCard {
        id: RequestId::new(&entropy),
        neighbor: NeighborId::new(&entropy),
        category: CategoryKey::parse("food").unwrap(),
        at: GeoPoint::parse(44.95, -93.26).unwrap(),
        travel: Reach::ZERO,
        needed: 1,
        splittable: false,
        helpers_left: 1,
        urgency: Urgency::Now,
        said: Urgency::Now,
        since,
        window: Window::parse(since, since.after(HOUR * 24)).unwrap(),
        throughout: false,
        requires: Attributes::default(),
        languages: [].into(),
        language_must: false,
    }
}

#[test]
fn proposals_that_wait_for_a_review_hold_the_waves_and_are_late_in_the_end() {
    let (settings, entropy) = (settings(), SeededEntropy::new(1));
    let posted_at = at("2026-12-07T18:00:00Z");
    let policy = &settings.waves.now;
    let proposal = Earlier {
        created_at: posted_at,
        ..earlier(&entropy, MatchState::Proposed, None)
    };
    let all = [proposal; 7];
    let at_time = |now: Ts| {
        let standing = Standing {
            next_wave_at: Some(posted_at.after(policy.next_wave_after)),
            ..standing(1)
        };
        let round = round(policy, &settings, standing, &all, now);
        let sight = Sight {
            in_reach: 9,
            ..Sight::default()
        };
        (
            round.wave,
            round.ask,
            after(&round, &settings, 0, &sight, &posted(posted_at), now),
        )
    };
    let (wave, ask, next) = at_time(posted_at.after(policy.next_wave_after));
    assert_eq!((wave, ask, next.attention), (1, 0, None));
    let late = posted_at.after(policy.respond_within);
    let (wave, ask, next) = at_time(late);
    assert_eq!(
        (wave, ask, next.attention),
        (1, 0, Some(Attention::ReviewLate))
    );
    assert_eq!(next.due, Some(late.after(policy.next_wave_after)));
}

#[test]
fn for_some_day_a_rest_that_ends_in_good_time_is_a_hope() {
    let settings = settings();
    let since = at("2026-12-07T02:30:00Z");
    let now = since.after(HOUR * 7);
    let sight = |until| Sight {
        in_reach: 2,
        resting: 2,
        rests_until: Some(until),
        ..Sight::default()
    };
    let attention = |urgency, days: u32, until| {
        let round = round(settings.waves.of(urgency), &settings, standing(0), &[], now);
        let request = RequestCard {
            urgency,
            said: urgency,
            window: Window::parse(since, since.after(HOUR * 24 * days)).unwrap(),
            ..posted(since)
        };
        after(&round, &settings, 0, &sight(until), &request, now).attention
    };
    let morning = now.after(HOUR * 4);
    assert_eq!(attention(Urgency::Soon, 3, morning), None);
    let all_asked = Some(Attention::AllAsked);
    assert_eq!(attention(Urgency::Soon, 1, morning), all_asked, "too late");
    assert_eq!(attention(Urgency::Today, 3, morning), all_asked);
}

#[test]
fn a_round_that_finds_only_the_resting_looks_again_when_the_first_may_be_asked() {
    let settings = settings();
    let now = at("2026-12-07T18:00:00Z");
    let round = round(&settings.waves.now, &settings, standing(0), &[], now);
    let sight = |until| Sight {
        in_reach: 2,
        resting: 2,
        rests_until: until,
        wakes_at: until,
        ..Sight::default()
    };
    let soon = now.after(MINUTE * 4);
    let next = after(&round, &settings, 0, &sight(Some(soon)), &posted(now), now);
    assert_eq!(
        (next.due, next.asks_at, next.attention),
        (Some(soon), Some(soon), None)
    );
    let unknown = after(&round, &settings, 0, &sight(None), &posted(now), now);
    assert_eq!(
        (unknown.due, unknown.asks_at),
        (Some(now.after(MINUTE * 30)), None)
    );
    // What cannot wait is looked at by a person at once when the first rest ends only tomorrow.
    let tomorrow = now.after(HOUR * 20);
    let next = after(
        &round,
        &settings,
        0,
        &sight(Some(tomorrow)),
        &posted(now),
        now,
    );
    assert_eq!(next.attention, Some(Attention::AllAsked));
    // Who waited for a rest for too long is looked at by a person.
    let long_ago = now.before(settings.second_round_after);
    let late = after(
        &round,
        &settings,
        0,
        &sight(Some(soon)),
        &posted(long_ago),
        now,
    );
    assert_eq!(late.attention, Some(Attention::AllAsked));
    assert_eq!(late.due, Some(soon));
}

#[test]
fn a_wave_that_a_plan_opened_is_as_large_as_the_plan_made_it() {
    let (settings, entropy) = (settings(), SeededEntropy::new(1));
    let now = at("2026-12-07T18:00:00Z");
    let ask = |all: &[Earlier], wave, next_wave_at| {
        let standing = Standing {
            next_wave_at,
            ..standing(wave)
        };
        round(&settings.waves.now, &settings, standing, all, now).ask
    };
    let running = Some(now.after(MINUTE));
    let asked = earlier(&entropy, MatchState::Notified, None);
    let planned = Earlier {
        planned: true,
        ..asked
    };
    assert_eq!(ask(&[asked], 1, running), 6, "a round's own is filled up");
    assert_eq!(ask(&[planned], 1, running), 0);
    let no = Earlier {
        state: MatchState::Declined,
        ..planned
    };
    assert_eq!(ask(&[no], 1, running), 1, "a no is replaced");
    assert_eq!(ask(&[no, asked], 1, running), 0, "once");
    assert_eq!(ask(&[planned, no], 1, running), 1);
    assert_eq!(ask(&[planned], 1, Some(now)), 9, "its time is over");
    assert_eq!(ask(&[planned], 2, running), 9, "another wave's");
}
