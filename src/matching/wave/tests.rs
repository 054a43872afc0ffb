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

#[test]
fn a_wave_runs_until_its_time_and_then_comes_the_next() {
    let (settings, entropy) = (settings(), SeededEntropy::new(1));
    let policy = &settings.waves.now;
    let now = at("2026-12-07T18:00:00Z");
    let asked = [earlier(&entropy, MatchState::Notified, None)];
    let round = |wave, next_wave_at| {
        let standing = Standing {
            next_wave_at: Some(next_wave_at),
            ..standing(wave)
        };
        let round = round(policy, &settings, standing, &asked, now);
        (round.wave, round.next_wave_at)
    };
    let soon = now.after(MINUTE);
    assert_eq!(round(1, soon), (1, soon));
    let fresh = now.after(policy.next_wave_after);
    assert_eq!(round(1, now), (2, fresh));
    // It was less urgent when the wave began.
    assert_eq!(round(1, now.after(HOUR * 9)), (1, fresh));
    assert_eq!(round(0, soon), (1, fresh), "before the first none runs");
}

#[test]
fn who_is_not_asked_again_and_who_is_when_the_request_has_changed() {
    use MatchState as S;
    let (settings, entropy) = (settings(), SeededEntropy::new(1));
    let now = at("2026-12-07T18:00:00Z");
    let refused = Some(FallReason::Refused);
    let released = Some(FallReason::Released);
    let not_again = Some(Passed::CameToNothing);
    for (state, fall_reason, same, changed) in [
        (S::Proposed, None, Some(Passed::Asked), Some(Passed::Asked)),
        (S::Notified, None, Some(Passed::Asked), Some(Passed::Asked)),
        (S::Accepted, None, Some(Passed::Asked), Some(Passed::Asked)),
        (S::Vetoed, None, Some(Passed::Vetoed), Some(Passed::Vetoed)),
        (S::FellThrough, refused, not_again, not_again),
        (S::FellThrough, released, not_again, None),
        (S::Fulfilled, None, not_again, None),
        (S::Declined, None, Some(Passed::Declined), None),
        (S::Lapsed, None, Some(Passed::Lapsed), None),
        (S::Superseded, None, None, None),
    ] {
        let earlier = Earlier {
            fall_reason,
            ..earlier(&entropy, state, Some(now))
        };
        let why = |version| rest(&earlier, version, &settings, now).map(|passed| passed.why);
        assert_eq!((why(1), why(2)), (same, changed), "{state} {fall_reason:?}");
    }
}

#[test]
fn of_several_reasons_the_one_counts_that_lasts_longest() {
    let (settings, entropy) = (settings(), SeededEntropy::new(1));
    let now = at("2026-12-07T18:00:00Z");
    let lapsed = |ended| earlier(&entropy, MatchState::Lapsed, Some(ended));
    let first = lapsed(now.before(MINUTE));
    let of_same = |other: Earlier| Earlier {
        volunteer: first.volunteer,
        ..other
    };
    let later = of_same(lapsed(now));
    let no = of_same(earlier(&entropy, MatchState::Declined, Some(now)));
    let known = |all: &[Earlier]| {
        let round = round(&settings.waves.now, &settings, standing(1), all, now);
        round.not_again[&first.volunteer].clone()
    };
    let until = Some(now.after(settings.second_round_after));
    for all in [[first, later], [later, first]] {
        assert_eq!(known(&all), PassedOver::until(Passed::Lapsed, until));
    }
    for all in [[first, no], [no, first]] {
        assert_eq!(known(&all), PassedOver::new(Passed::Declined));
    }
}

#[test]
fn those_who_rest_and_those_who_do_not_fit_are_counted() {
    let now = at("2026-12-07T18:00:00Z");
    let [first, second, third] = [1, 2, 3].map(|hours| Some(now.after(HOUR * hours)));
    let mut sight = Sight::default();
    for passed in [
        PassedOver::until(Passed::OpenAsks, first),
        PassedOver::until(Passed::Hours, third),
        PassedOver::until(Passed::DailyAsks, second),
        // Its own second round, of which the round knows.
        PassedOver::until(Passed::Lapsed, Some(now)),
        PassedOver::new(Passed::NoCapacity),
        PassedOver::new(Passed::Declined),
    ] {
        sight.pass(&passed);
    }
    let seen = Sight {
        resting: 3,
        unfit: 1,
        rests_until: first,
        // The first ends by an answer.
        wakes_at: second,
        ..Sight::default()
    };
    assert_eq!(sight, seen);
    sight.add(&Sight {
        rests_until: Some(now),
        wakes_at: third,
        ..seen
    });
    let both = Sight {
        resting: 6,
        unfit: 2,
        rests_until: Some(now),
        ..seen
    };
    assert_eq!(sight, both);
}

#[test]
fn a_round_that_asked_looks_again_with_the_next_wave_and_one_that_found_nobody_does_not() {
    let (settings, entropy) = (settings(), SeededEntropy::new(1));
    let now = at("2026-12-07T18:00:00Z");
    let busy = [earlier(&entropy, MatchState::Notified, None)];
    let due = |size, earlier: &[Earlier], asked, in_reach| {
        let policy = Wave {
            size,
            ..settings.waves.now.clone()
        };
        let standing = Standing {
            next_wave_at: Some(now.after(MINUTE)),
            ..standing(1)
        };
        let round = round(&policy, &settings, standing, earlier, now);
        let sight = Sight {
            in_reach,
            ..Sight::default()
        };
        after(&round, &settings, asked, &sight, &posted(now), now).due
    };
    let next_wave = Some(now.after(MINUTE));
    assert_eq!(due(2, &busy, 1, 1), next_wave, "it asked");
    assert_eq!(due(2, &busy, 0, 1), None, "it could ask and found nobody");
    assert_eq!(due(1, &busy, 0, 1), next_wave, "it was full");
    assert_eq!(due(1, &busy, 0, 0), None, "nobody is there");
    assert_eq!(due(0, &[], 0, 1), None, "nobody is asked");
}

#[test]
fn a_proposal_is_looked_at_when_its_review_is_late_and_not_for_that_again() {
    let (settings, entropy) = (settings(), SeededEntropy::new(1));
    let policy = &settings.waves.now;
    let posted_at = at("2026-12-07T18:00:00Z");
    let proposal = Earlier {
        created_at: posted_at,
        ..earlier(&entropy, MatchState::Proposed, None)
    };
    let late = posted_at.after(policy.respond_within);
    let due = |now| {
        let round = round(policy, &settings, standing(1), &[proposal], now);
        let sight = Sight::default();
        after(&round, &settings, 0, &sight, &posted(posted_at), now).due
    };
    assert_eq!(due(posted_at), Some(late));
    assert_eq!(due(late), None);
}

#[test]
fn those_who_rest_are_a_hope_up_to_an_instant() {
    let settings = settings();
    let now = at("2026-12-07T18:00:00Z");
    let round = round(&settings.waves.today, &settings, standing(0), &[], now);
    let next = |urgency, since, resting, rests_until| {
        let sight = Sight {
            in_reach: 2,
            resting,
            rests_until,
            ..Sight::default()
        };
        let request = RequestCard {
            urgency,
            ..posted(since)
        };
        after(&round, &settings, 0, &sight, &request, now)
    };
    let latest = now.after(settings.sweep_every.min(round.respond_within * 2));
    let over = now.before(settings.second_round_after);
    let last_minute = over.after(MINUTE);
    let ends = Some(now.after(MINUTE));
    let all_asked = Some(Attention::AllAsked);

    let hope = next(Urgency::Today, last_minute, 1, None);
    assert_eq!((hope.due, hope.attention), (ends, None));
    let gone = next(Urgency::Today, over, 1, None);
    assert_eq!((gone.due, gone.attention), (Some(latest), all_asked));
    let nobody = next(Urgency::Today, last_minute, 0, None);
    assert_eq!((nobody.due, nobody.attention), (None, all_asked));

    // What cannot wait can wait until then, and not longer.
    assert_eq!(next(Urgency::Now, last_minute, 1, ends).attention, None);
    let longer = ends.map(|at| at.after(MINUTE));
    let attention = next(Urgency::Now, last_minute, 1, longer).attention;
    assert_eq!(attention, all_asked);

    // A rest that should be over says nothing of when somebody is asked.
    assert_eq!(next(Urgency::Today, now, 1, Some(now)).asks_at, None);
    assert_eq!(next(Urgency::Today, now, 1, ends).asks_at, ends);
}
