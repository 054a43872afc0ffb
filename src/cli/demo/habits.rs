//! What the people of the demo decide, and what of their letters is shown. Whoever watches sees a day on
//! which most things go well.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::postbag::Postbag;
use super::screen::Screen;
use crate::actions::Ctx;
use crate::cli::city::dice::Dice;
use crate::cli::city::habits::{Ask, Ending, Habits, Pair, Welcome};
use crate::cli::city::letters::token_in;
use crate::crypto::token::Purpose;
use crate::domain::ids::{MatchId, NeighborId, TaskId, VolunteerId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{CloseReason, DeclineReason};
use crate::domain::need::Urgency;
use crate::domain::task::CallOutcome;
use crate::mail::message::Message;
use crate::mail::transport::StoredMail;
use crate::storage::letters::{Letter, RecipientKind};
use crate::storage::requests::Request;

/// People who are watched.
#[derive(Debug)]
pub(super) struct Watched {
    pub screen: Screen,
    pub letters: Postbag,
    seed: u64,
    /// How often each volunteer was asked.
    asks: HashMap<String, u32>,
    /// Links that were shown.
    shown: HashSet<&'static str>,
}

impl Watched {
    /// The people of that story, on that screen.
    pub fn new(seed: u64, screen: Screen) -> Self {
        Self {
            screen,
            letters: Postbag::default(),
            seed,
            asks: HashMap::new(),
            shown: HashSet::new(),
        }
    }

    /// The draws that belong to a name.
    fn dice(&self, name: &str) -> Dice {
        Dice::of(self.seed, name)
    }

    /// The first link of its kind, for whoever watches.
    fn show_link(&mut self, ctx: &Ctx, whose: &'static str, message: &Message, purpose: Purpose) {
        let Some(token) = token_in(&message.text, purpose) else {
            return;
        };
        if self.shown.insert(whose) {
            let public_url = ctx.settings.server.public_url.as_str();
            let base = public_url.trim_end_matches('/');
            let link = format!("{base}/manage#{}", token.expose());
            self.screen
                .line(&format!("\nThe manage link of one {whose}: {link}\n"));
        }
    }
}

impl Habits for Watched {
    const LOOK_FOR_SITES: bool = true;

    fn reads(&mut self, ctx: &Ctx, mail: &StoredMail, letter: &Letter) {
        let zone = &ctx.settings.area.timezone;
        self.letters.show(mail, letter.kind, zone, &self.screen);
        let message = &mail.message;
        match (letter.kind, letter.to_kind) {
            (LetterKind::Received, RecipientKind::Neighbor) => {
                self.show_link(ctx, "neighbor", message, Purpose::Neighbor);
            }
            (LetterKind::Received, RecipientKind::Volunteer) => {
                self.show_link(ctx, "volunteer", message, Purpose::Volunteer);
            }
            _ => {}
        }
    }

    fn confirms(&mut self, to: &str, _: Option<usize>) -> Option<Duration> {
        let dice = self.dice(&format!("confirm {to}"));
        dice.chance(0.96).then(|| dice.minutes(1, 20))
    }

    fn welcomes(
        &mut self,
        id: VolunteerId,
        _: Option<usize>,
        must_be_vetted: bool,
        sites: usize,
    ) -> Welcome {
        let dice = self.dice(&format!("vet {id}"));
        Welcome {
            vetted: (must_be_vetted || dice.chance(0.4)).then(|| dice.minutes(10, 60)),
            listed: (0..sites).map(|_| dice.minutes(10, 45)).collect(),
        }
    }

    fn gives_up(
        &mut self,
        id: NeighborId,
        _: Option<usize>,
        can_walk_in: bool,
    ) -> Option<(Duration, CloseReason)> {
        let dice = self.dice(&format!("close {id}"));
        if can_walk_in && dice.chance(0.7) {
            Some((dice.minutes(20, 90), CloseReason::HelpedElsewhere))
        } else if dice.chance(0.04) {
            let reason = *dice.one(&[CloseReason::NotNeeded, CloseReason::HelpedElsewhere]);
            Some((dice.minutes(30, 400), reason))
        } else {
            None
        }
    }

    fn reviews(&mut self, id: MatchId, _: Pair) -> (Duration, bool) {
        let dice = self.dice(&format!("review {id}"));
        let yes = dice.chance(0.93);
        (dice.minutes(1, 12), yes)
    }

    fn calls(&mut self, id: TaskId, _: Option<usize>) -> (Duration, CallOutcome) {
        let dice = self.dice(&format!("call back {id}"));
        let outcome = match dice.chance(0.9) {
            true => CallOutcome::Reached,
            false => CallOutcome::Unreachable,
        };
        (dice.minutes(2, 15), outcome)
    }

    fn agrees_by_phone(&mut self, id: MatchId, _: Pair) -> (Duration, bool) {
        let dice = self.dice(&format!("call {id}"));
        let yes = dice.chance(0.85);
        (dice.minutes(1, 4), yes)
    }

    /// About a third says yes, a quarter no, the others nothing.
    fn answers(&mut self, ask: Ask<'_>) -> Option<(Duration, bool)> {
        let nth = self.asks.entry(ask.to.to_owned()).or_default();
        *nth += 1;
        let name = format!("ask {} {nth}", ask.to);
        let dice = self.dice(&name);
        let (yes, wait) = match ask.request.urgency {
            Urgency::Now => (0.40, dice.minutes(1, 12)),
            Urgency::Today => (0.35, dice.minutes(3, 100)),
            Urgency::Soon => (0.30, dice.minutes(10, 600)),
        };
        match dice.fraction() {
            drawn if drawn < yes => Some((wait, true)),
            drawn if drawn < yes + 0.25 => Some((wait, false)),
            _ => None,
        }
    }

    fn why_not(&mut self, id: MatchId) -> Option<DeclineReason> {
        let reasons = [
            None,
            None,
            Some(DeclineReason::NotNow),
            Some(DeclineReason::TooFar),
        ];
        *self.dice(&format!("why {id}")).one(&reasons)
    }

    fn agrees(&mut self, id: MatchId, request: &Request, _: Pair) -> Option<(Duration, bool)> {
        let dice = self.dice(&format!("agree {id}"));
        let wait = match request.urgency {
            Urgency::Now => dice.minutes(1, 12),
            Urgency::Today => dice.minutes(2, 90),
            Urgency::Soon => dice.minutes(5, 480),
        };
        match dice.fraction() {
            ..0.84 => Some((wait, true)),
            ..0.94 => Some((wait, false)),
            _ => None,
        }
    }

    fn ends(&mut self, id: MatchId, request: &Request, _: Pair) -> Option<(Duration, Ending)> {
        let dice = self.dice(&format!("end {id}"));
        let wait = match request.urgency {
            Urgency::Now => dice.minutes(25, 120),
            Urgency::Today => dice.minutes(45, 300),
            Urgency::Soon => dice.minutes(120, 800),
        };
        let ending = match dice.fraction() {
            ..0.45 => Ending::DoneByVolunteer,
            ..0.90 => Ending::DoneByNeighbor,
            ..0.94 => Ending::NoShow,
            ..0.98 => Ending::Released,
            // Nobody says anything.
            _ => return None,
        };
        Some((wait, ending))
    }

    fn confirms_help(&mut self, id: MatchId) -> Option<Duration> {
        let dice = self.dice(&format!("confirm help {id}"));
        dice.chance(0.7).then(|| dice.minutes(5, 90))
    }
}
