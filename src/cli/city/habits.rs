//! What people decide, and how long they take for it. The city asks; whoever tells a story answers.

use std::time::Duration;

use crate::actions::Ctx;
use crate::domain::clock::Ts;
use crate::domain::ids::{MatchId, NeighborId, TaskId, VolunteerId};
use crate::domain::lifecycle::{CloseReason, DeclineReason};
use crate::domain::task::CallOutcome;
use crate::mail::transport::StoredMail;
use crate::storage::letters::Letter;
use crate::storage::requests::Request;

/// The two people of a match, by their numbers; a stranger has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::cli) struct Pair {
    /// Who offers.
    pub volunteer: Option<usize>,
    /// Who needs.
    pub neighbor: Option<usize>,
}

/// An ask as it is read.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Ask<'a> {
    /// To which address.
    pub to: &'a str,
    /// For which request.
    pub request: &'a Request,
    /// Of whom by whom.
    pub pair: Pair,
    /// When it is read.
    pub at: Ts,
}

/// How an accepted match ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Ending {
    /// The volunteer says that the help was given.
    DoneByVolunteer,
    /// The neighbor does.
    DoneByNeighbor,
    /// The neighbor waits in vain.
    NoShow,
    /// The volunteer cannot come after all.
    Released,
}

/// What coordinators do about somebody who offers.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Welcome {
    /// When the volunteer is vetted.
    pub vetted: Option<Duration>,
    /// When each site is checked and listed.
    pub listed: Vec<Duration>,
}

/// The habits of a city. Each answer says after how long something is done; `None` is never.
pub(in crate::cli) trait Habits: Send {
    /// Whether neighbors look for a listed site before they wait for anybody.
    const LOOK_FOR_SITES: bool;

    /// A letter arrives.
    fn reads(&mut self, _ctx: &Ctx, _mail: &StoredMail, _letter: &Letter) {}

    /// A volunteer opens the first letter's link.
    fn confirms(&mut self, to: &str, volunteer: Option<usize>) -> Option<Duration>;

    /// Coordinators get to know a volunteer with so many sites.
    fn welcomes(
        &mut self,
        id: VolunteerId,
        volunteer: Option<usize>,
        must_be_vetted: bool,
        sites: usize,
    ) -> Welcome;

    /// A neighbor does not wait any longer.
    fn gives_up(
        &mut self,
        id: NeighborId,
        neighbor: Option<usize>,
        can_walk_in: bool,
    ) -> Option<(Duration, CloseReason)>;

    /// A coordinator decides on a proposal.
    fn reviews(&mut self, id: MatchId, pair: Pair) -> (Duration, bool);

    /// A coordinator calls a neighbor before anybody is sent to her.
    fn calls(&mut self, id: TaskId, neighbor: Option<usize>) -> (Duration, CallOutcome);

    /// A neighbor without e-mail is asked on the phone whether the volunteer may come.
    fn agrees_by_phone(&mut self, id: MatchId, pair: Pair) -> (Duration, bool);

    /// A volunteer says yes or no to an ask.
    fn answers(&mut self, ask: Ask<'_>) -> Option<(Duration, bool)>;

    /// What a volunteer who declines says about it.
    fn why_not(&mut self, id: MatchId) -> Option<DeclineReason>;

    /// A neighbor answers whether the volunteer may come.
    fn agrees(&mut self, id: MatchId, request: &Request, pair: Pair) -> Option<(Duration, bool)>;

    /// What becomes of an accepted match.
    fn ends(&mut self, id: MatchId, request: &Request, pair: Pair) -> Option<(Duration, Ending)>;

    /// A neighbor says the same as her volunteer, who says that the help was given.
    fn confirms_help(&mut self, _id: MatchId) -> Option<Duration> {
        None
    }
}
