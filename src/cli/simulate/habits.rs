//! What the people of a simulated day decide. Each draw belongs to the people it is about and to the
//! how-manieth time it is, never to the order of events: under another policy the same volunteer gives
//! the same neighbor the same answer, and policies are compared on the same day ("common random
//! numbers"; Law, *Simulation Modeling and Analysis*, ch. 11).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::config::Config;
use super::delay::Pace;
use crate::cli::city::dice::Dice;
use crate::cli::city::habits::{Ask, Ending, Habits, Pair, Welcome};
use crate::domain::availability::TimeZoneName;
use crate::domain::clock::{Clock, Ts};
use crate::domain::ids::{MatchId, NeighborId, TaskId, VolunteerId};
use crate::domain::lifecycle::{CloseReason, DeclineReason};
use crate::domain::place::GeoPoint;
use crate::domain::task::CallOutcome;
use crate::storage::requests::Request;

/// How long an ask is remembered.
const DAY: Duration = Duration::from_hours(24);

/// What a draw is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Matter {
    Ask,
    Review,
    Agree,
    Help,
}

/// People as the configuration describes them.
#[derive(Debug)]
pub(super) struct Modeled {
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
    seed: u64,
    /// Where each person is.
    places: Vec<GeoPoint>,
    pace: Pace,
    occasions: HashMap<(Matter, Pair), u32>,
    /// When each volunteer was asked, within the last day.
    asked: HashMap<usize, VecDeque<Ts>>,
}

impl Modeled {
    /// The people at these places.
    pub fn new(
        config: Arc<Config>,
        clock: Arc<dyn Clock>,
        zone: TimeZoneName,
        seed: u64,
        places: Vec<GeoPoint>,
    ) -> Self {
        Self {
            pace: Pace {
                by_hour: config.answers.pace.clone(),
                zone,
            },
            config,
            clock,
            seed,
            places,
            occasions: HashMap::new(),
            asked: HashMap::new(),
        }
    }

    /// The draws of one person.
    fn of_one(&self, matter: &str, who: Option<usize>) -> Dice {
        Dice::of(self.seed, &format!("{matter} {}", told(who)))
    }

    /// The draws of two people, each time they have that to decide.
    fn of_two(&mut self, matter: Matter, pair: Pair) -> Dice {
        let nth = self.occasions.entry((matter, pair)).or_default();
        *nth += 1;
        let name = format!(
            "{matter:?} {} {} {nth}",
            told(pair.volunteer),
            told(pair.neighbor)
        );
        Dice::of(self.seed, &name)
    }

    /// Half as probable with every so many meters.
    fn willing(&self, pair: Pair) -> f64 {
        let place = |who: Option<usize>| who.and_then(|nth| self.places.get(nth));
        match (place(pair.volunteer), place(pair.neighbor)) {
            (Some(one), Some(other)) => {
                0.5_f64.powf(one.distance_m(*other) / self.config.answers.half_distance_m)
            }
            _ => 1.0,
        }
    }

    /// How many asks came to the volunteer within a day before this one.
    fn lately(&mut self, volunteer: Option<usize>, at: Ts) -> i32 {
        let Some(nth) = volunteer else { return 0 };
        let asked = self.asked.entry(nth).or_default();
        while asked.front().is_some_and(|first| at.since(*first) >= DAY) {
            asked.pop_front();
        }
        asked.push_back(at);
        i32::try_from(asked.len() - 1).unwrap_or(i32::MAX)
    }

    fn stretch(&self, delay: Duration) -> Duration {
        self.pace.stretch(self.clock.now(), delay)
    }
}

fn told(who: Option<usize>) -> String {
    who.map_or("-".to_owned(), |nth| nth.to_string())
}

impl Habits for Modeled {
    /// Who walks in somewhere needs no match, whatever the policy.
    const LOOK_FOR_SITES: bool = false;

    fn confirms(&mut self, _: &str, volunteer: Option<usize>) -> Option<Duration> {
        let dice = self.of_one("confirm", volunteer);
        let people = &self.config.volunteers;
        let confirms = dice.chance(people.confirm);
        let wait = people.confirm_after.draw(&dice);
        confirms.then(|| self.stretch(wait))
    }

    fn welcomes(
        &mut self,
        _: VolunteerId,
        volunteer: Option<usize>,
        must_be_vetted: bool,
        sites: usize,
    ) -> Welcome {
        let dice = self.of_one("welcome", volunteer);
        let desk = &self.config.coordinators;
        let is_vetted = dice.chance(desk.vet) || must_be_vetted;
        let wait = self.stretch(desk.vet_after.draw(&dice));
        Welcome {
            vetted: is_vetted.then_some(wait),
            listed: vec![wait; sites],
        }
    }

    fn gives_up(
        &mut self,
        _: NeighborId,
        neighbor: Option<usize>,
        _: bool,
    ) -> Option<(Duration, CloseReason)> {
        let dice = self.of_one("withdraw", neighbor);
        let day = &self.config.day;
        let withdraws = dice.chance(day.withdrawn);
        let wait = day.withdrawn_after.draw(&dice);
        withdraws.then_some((wait, CloseReason::NotNeeded))
    }

    fn reviews(&mut self, _: MatchId, pair: Pair) -> (Duration, bool) {
        let dice = self.of_two(Matter::Review, pair);
        let desk = &self.config.coordinators;
        let yes = dice.chance(desk.approve);
        let wait = desk.review_after.draw(&dice);
        (self.stretch(wait), yes)
    }

    fn calls(&mut self, _: TaskId, neighbor: Option<usize>) -> (Duration, CallOutcome) {
        let dice = self.of_one("call", neighbor);
        let desk = &self.config.coordinators;
        let outcome = match dice.chance(desk.reached) {
            true => CallOutcome::Reached,
            false => CallOutcome::Unreachable,
        };
        let wait = desk.call_after.draw(&dice);
        (self.stretch(wait), outcome)
    }

    fn agrees_by_phone(&mut self, _: MatchId, pair: Pair) -> (Duration, bool) {
        let dice = self.of_two(Matter::Agree, pair);
        let people = &self.config.neighbors;
        let said = people.agree + people.refuse;
        // Whoever is called says something.
        let yes = said <= 0.0 || dice.chance(people.agree / said);
        let wait = self.config.coordinators.call_after.draw(&dice);
        (self.stretch(wait), yes)
    }

    fn answers(&mut self, ask: Ask<'_>) -> Option<(Duration, bool)> {
        let dice = self.of_two(Matter::Ask, ask.pair);
        let usual = self.config.answers.of(ask.request.urgency);
        let earlier = self.lately(ask.pair.volunteer, ask.at);
        let tired = self.config.answers.after_another.powi(earlier);
        let answers = dice.chance(usual.answered * tired);
        let yes = dice.chance(usual.yes * self.willing(ask.pair));
        let wait = usual.delay.draw(&dice);
        answers.then(|| (self.pace.stretch(ask.at, wait), yes))
    }

    fn why_not(&mut self, _: MatchId) -> Option<DeclineReason> {
        None
    }

    fn agrees(&mut self, _: MatchId, _: &Request, pair: Pair) -> Option<(Duration, bool)> {
        let dice = self.of_two(Matter::Agree, pair);
        let people = &self.config.neighbors;
        let drawn = dice.fraction();
        let wait = people.agree_after.draw(&dice);
        let yes = drawn < people.agree;
        (drawn < people.agree + people.refuse).then(|| (self.stretch(wait), yes))
    }

    fn ends(&mut self, _: MatchId, request: &Request, pair: Pair) -> Option<(Duration, Ending)> {
        let dice = self.of_two(Matter::Help, pair);
        let help = &self.config.help;
        let drawn = dice.fraction();
        let wait = help.after(request.urgency).draw(&dice);
        let by_neighbor = dice.chance(0.5);
        let ending = match drawn {
            _ if drawn < help.no_show => Ending::NoShow,
            _ if drawn < help.no_show + help.released => Ending::Released,
            _ if drawn < help.no_show + help.released + help.silent => return None,
            _ if by_neighbor => Ending::DoneByNeighbor,
            _ => Ending::DoneByVolunteer,
        };
        Some((wait, ending))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::category::Catalog;
    use crate::domain::clock::ManualClock;

    fn people() -> Modeled {
        let config = Config::read(None, &Catalog::shipped().unwrap()).unwrap();
        let clock = Arc::new(ManualClock::at(Ts::EPOCH));
        let zone = TimeZoneName::parse("UTC").unwrap();
        let place = |lat| GeoPoint::parse(lat, -93.2).unwrap();
        Modeled::new(
            Arc::new(config),
            clock,
            zone,
            7,
            vec![place(44.9), place(44.92), place(45.9)],
        )
    }

    fn pair(volunteer: usize, neighbor: usize) -> Pair {
        Pair {
            volunteer: Some(volunteer),
            neighbor: Some(neighbor),
        }
    }

    #[test]
    fn what_two_people_decide_does_not_depend_on_what_others_did_before() {
        let id = MatchId::from(uuid::Uuid::nil());
        let (mut one, mut other) = (people(), people());
        let reviews: Vec<_> = (0..40).map(|n| one.reviews(id, pair(0, n))).collect();
        let backward: Vec<_> = (0..40)
            .rev()
            .map(|n| other.reviews(id, pair(0, n)))
            .collect();
        assert!(reviews.iter().eq(backward.iter().rev()));
        // The second time is another time.
        assert_ne!(one.reviews(id, pair(0, 1)), reviews[1]);
    }

    #[test]
    fn far_away_and_often_asked_people_say_yes_less() {
        let mut people = people();
        assert!(people.willing(pair(0, 1)) > 0.8 && people.willing(pair(0, 2)) < 0.001);
        let hour = |n: i64| Ts::from_micros(n * 3_600_000_000);
        let asked = [0, 1, 2, 30].map(|n| people.lately(Some(0), hour(n)));
        assert_eq!(asked, [0, 1, 2, 0]);
    }
}
