//! The people of the city. They do what people do, through the same actions, and know no more than
//! their letters and answers tell them: tokens come out of letters. What they decide, their habits say.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::habits::Habits;
use super::plan::Post;
use crate::actions::add_coordinator::{NewCoordinator, add_coordinator};
use crate::actions::{Ctx, Outcome, Refusal};
use crate::crypto::token::Token;
use crate::domain::clock::Ts;
use crate::domain::contact::{EmailAddress, PersonName};
use crate::domain::ids::{
    CoordinatorId, LetterId, MatchId, NeighborId, OfferId, RecordId, RequestId, TaskId, VolunteerId,
};
use crate::domain::lifecycle::CloseReason;
use crate::domain::part::Part;
use crate::domain::task::CallOutcome;
use crate::mail::transport::{Memory, StoredMail, Transport};
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::coordinators::Scope;
use crate::storage::letters::Letter;
use crate::storage::matches::Match;
use crate::storage::requests::Request;
use crate::storage::{Conn, StorageError, TxError, letters, matches, requests};

/// How often a coordinator looks at what waits, who looks at lists.
const ROUND: Duration = Duration::from_mins(5);

/// What somebody is going to do.
#[derive(Debug)]
pub(super) enum Act {
    /// The person of that number posts.
    Post(usize, Post),
    /// A volunteer opens the link of the first letter.
    Confirm(Token),
    /// The coordinator has met a volunteer.
    Vet(VolunteerId),
    /// The coordinator has checked a site.
    List(OfferId),
    /// The coordinator looks at what waits.
    Round,
    /// The coordinator decides on a proposal.
    Review(MatchId, bool),
    /// The coordinator calls a neighbor who waits for it.
    Call(TaskId, CallOutcome),
    /// The coordinator passes on what a neighbor said on the phone.
    AgreeByPhone(MatchId, bool),
    /// A volunteer answers an ask.
    Answer(Token, bool),
    /// A neighbor answers whether the volunteer may come.
    Agree(Token, MatchId, bool),
    /// The help was given, or not.
    End(End),
    /// A neighbor does not need it any more.
    Close(NeighborId, RequestId, CloseReason),
}

/// How an accepted match ends, and who says so.
#[derive(Debug)]
pub(super) enum End {
    /// The volunteer, by the link of the letter.
    DoneByVolunteer(Token),
    /// The neighbor, on the manage page.
    DoneByNeighbor(NeighborId, MatchId),
    /// The neighbor waited in vain.
    NoShow(NeighborId, MatchId),
    /// The volunteer cannot come after all.
    Release(Token),
}

/// How the coordinator learns of what waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Desk {
    /// By looking through the lists every few minutes: strangers may have posted as well.
    Lists,
    /// By letters, and by what the city's people do: nothing waits that these do not tell of. In a large
    /// city the lists would be read over and over.
    Told,
}

/// Everybody, and what they are going to do.
#[derive(Debug)]
pub(in crate::cli) struct City<H> {
    pub(in crate::cli) ctx: Ctx,
    pub(in crate::cli) habits: H,
    pub(in crate::cli) coordinator: CoordinatorId,
    pub(in crate::cli) coordinator_token: Token,
    pub(super) desk: Desk,
    transport: Arc<Transport>,
    agenda: BTreeMap<(Ts, u64), Act>,
    planned: u64,
    /// The numbers of people, by what they posted and were called in the database.
    pub(super) numbers: HashMap<RecordId, usize>,
    /// The manage tokens that the page showed after posting.
    pub(super) manage: HashMap<NeighborId, Token>,
    /// What the coordinator is at already.
    pub(super) on_desk: HashSet<RecordId>,
}

impl<H: Habits> City<H> {
    /// A city in which these posts are going to be made. Whoever makes the n-th is person n.
    pub async fn new(
        ctx: Ctx,
        transport: Arc<Transport>,
        habits: H,
        desk: Desk,
        posts: Vec<(Ts, Post)>,
    ) -> anyhow::Result<Self> {
        let new = NewCoordinator {
            name: PersonName::parse("Casey Coordinator").map_err(anyhow::Error::msg)?,
            email: EmailAddress::parse("coordinator@example.org").map_err(anyhow::Error::msg)?,
            scope: Scope::Admin,
            expires: None,
            digest: false,
            part: Part::ALL,
        };
        let added = add_coordinator(&ctx, new, Actor::OPERATOR).await;
        let (coordinator, coordinator_token) = added.map_err(|error| match error {
            TxError::Refused(refusal) => anyhow::Error::from(refusal),
            TxError::Storage(error) => error.into(),
        })?;
        let now = ctx.now();
        let mut city = Self {
            ctx,
            habits,
            coordinator,
            coordinator_token,
            desk,
            transport,
            agenda: BTreeMap::new(),
            planned: 0,
            numbers: HashMap::new(),
            manage: HashMap::new(),
            on_desk: HashSet::new(),
        };
        for (nth, (at, post)) in posts.into_iter().enumerate() {
            city.plan(at, Act::Post(nth, post));
        }
        if desk == Desk::Lists {
            city.plan(now.after(ROUND), Act::Round);
        }
        Ok(city)
    }

    /// Somebody is going to do something at that instant.
    pub(super) fn plan(&mut self, at: Ts, act: Act) {
        self.planned += 1;
        self.agenda.insert((at, self.planned), act);
    }

    /// Somebody is going to do something after that time.
    pub(super) fn plan_in(&mut self, wait: Duration, act: Act) {
        self.plan(self.ctx.now().after(wait), act);
    }

    /// The number of whoever posted that, or is called so; strangers have none.
    pub(super) fn number(&self, id: impl Into<RecordId>) -> Option<usize> {
        self.numbers.get(&id.into()).copied()
    }

    /// The coordinator as the audit names them.
    pub(super) fn at_desk(&self) -> Actor {
        Actor::person(ActorKind::Coordinator, self.coordinator)
    }

    /// When the next thing is going to be done.
    pub fn next(&self) -> Option<Ts> {
        self.agenda.first_key_value().map(|((at, _), _)| *at)
    }

    /// Does what is due; false if nothing was.
    pub async fn act(&mut self) -> anyhow::Result<bool> {
        let mut acted = false;
        while self.next().is_some_and(|at| at <= self.ctx.now()) {
            let Some((_, act)) = self.agenda.pop_first() else {
                break;
            };
            if matches!(act, Act::Round) {
                self.plan_in(ROUND, Act::Round);
            }
            self.perform(act).await?;
            acted = true;
        }
        Ok(acted)
    }

    /// Reads the letters that came; false if none did.
    pub async fn read_letters(&mut self) -> anyhow::Result<bool> {
        let mails: Vec<Arc<StoredMail>> = self
            .transport
            .memory()
            .map(Memory::take)
            .unwrap_or_default();
        let ids: Vec<LetterId> = mails.iter().map(|mail| mail.message.id).collect();
        for (mail, about) in mails.iter().zip(self.about(ids).await?) {
            if let Some(about) = about {
                self.habits.reads(&self.ctx, mail, &about.letter);
                self.react(&mail.message, about).await?;
            }
        }
        Ok(!mails.is_empty())
    }

    /// What letters are about. All at once: in a large city these are the most of all that is read.
    async fn about(&self, ids: Vec<LetterId>) -> Result<Vec<Option<About>>, StorageError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let read = move |conn: &mut Conn| {
            let mut all = Vec::with_capacity(ids.len());
            for id in ids {
                let Some(letter) = letters::find(conn, id)? else {
                    all.push(None);
                    continue;
                };
                let request = match letter.request_id {
                    Some(id) => requests::find(conn, id)?,
                    None => None,
                };
                let matched = match letter.match_id {
                    Some(id) => matches::find(conn, id)?,
                    None => None,
                };
                all.push(Some(About {
                    letter,
                    request,
                    matched,
                }));
            }
            Ok(all)
        };
        self.ctx.db.read(read).await
    }
}

/// A letter with what it is about.
#[derive(Debug)]
pub(super) struct About {
    pub letter: Letter,
    pub request: Option<Request>,
    pub matched: Option<Match>,
}

/// A no is part of life: somebody else was quicker, or it was called off meanwhile.
pub(in crate::cli) fn unless_refused<T>(outcome: Outcome<T>) -> anyhow::Result<Option<T>> {
    match outcome {
        Ok(done) => Ok(Some(done)),
        Err(TxError::Refused(refusal)) => {
            let refusal: Refusal = refusal;
            tracing::debug!(refusal = %refusal, "refused");
            Ok(None)
        }
        Err(TxError::Storage(error)) => Err(error.into()),
    }
}
