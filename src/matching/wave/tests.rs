use super::*;
use crate::domain::entropy::SeededEntropy;
use crate::domain::need::Urgency;
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

#[test]
fn a_round_that_finds_only_the_resting_looks_again_when_the_first_may_be_asked() {
    let settings = settings();
    let now = at("2026-12-07T18:00:00Z");
    let round = round(&settings.waves.now, &settings, standing(0), &[], now);
    let sight = |until| Sight {
        in_reach: 2,
        resting: 2,
        rests_until: until,
        ..Sight::default()
    };
    let soon = now.after(MINUTE * 4);
    let next = after(&round, &settings, 0, &sight(Some(soon)), now, now);
    assert_eq!(
        (next.due, next.asks_at, next.attention),
        (Some(soon), Some(soon), None)
    );
    let unknown = after(&round, &settings, 0, &sight(None), now, now);
    assert_eq!(
        (unknown.due, unknown.asks_at),
        (Some(now.after(REST)), None)
    );
    // Who waited for a rest for too long is looked at by a person.
    let long_ago = now.before(settings.second_round_after);
    let late = after(&round, &settings, 0, &sight(Some(soon)), long_ago, now);
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
