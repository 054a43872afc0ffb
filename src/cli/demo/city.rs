//! The people of the city. They do what people do, through the same actions, and know no more than
//! their letters and answers tell them: tokens come out of letters.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::dice::Dice;
use super::plan::Post;
use super::postbag::Postbag;
use super::screen::Screen;
use crate::actions::add_coordinator::{NewCoordinator, add_coordinator};
use crate::actions::{Ctx, Outcome, Refusal};
use crate::crypto::token::Token;
use crate::domain::clock::Ts;
use crate::domain::contact::{EmailAddress, PersonName};
use crate::domain::ids::{
    CoordinatorId, MatchId, NeighborId, OfferId, RecordId, RequestId, TaskId, VolunteerId,
};
use crate::domain::lifecycle::CloseReason;
use crate::domain::task::CallOutcome;
use crate::mail::transport::{Memory, StoredMail, Transport};
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::coordinators::Scope;
use crate::storage::{StorageError, TxError, letters};

/// How often the coordinator looks at what waits.
const ROUND: Duration = Duration::from_mins(5);

/// What somebody is going to do.
#[derive(Debug)]
pub(super) enum Act {
    /// Somebody posts.
    Post(Post),
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

/// Everybody, and what they are going to do.
#[derive(Debug)]
pub(super) struct City {
    pub(super) ctx: Ctx,
    pub(super) screen: Screen,
    pub(super) letters: Postbag,
    pub(super) seed: u64,
    pub(super) coordinator: CoordinatorId,
    pub(super) coordinator_token: Token,
    transport: Arc<Transport>,
    agenda: BTreeMap<(Ts, u64), Act>,
    planned: u64,
    /// How often each volunteer was asked.
    pub(super) asks: HashMap<String, u32>,
    /// The manage tokens that the page showed after posting.
    pub(super) manage: HashMap<NeighborId, Token>,
    /// What the coordinator is at already.
    pub(super) on_desk: HashSet<RecordId>,
    /// Links that were shown.
    pub(super) shown: HashSet<&'static str>,
}

impl City {
    /// A city in which these posts are going to be made.
    pub async fn new(
        ctx: Ctx,
        transport: Arc<Transport>,
        screen: Screen,
        seed: u64,
        posts: Vec<(Ts, Post)>,
    ) -> anyhow::Result<Self> {
        let new = NewCoordinator {
            name: PersonName::parse("Casey Coordinator").map_err(anyhow::Error::msg)?,
            email: EmailAddress::parse("coordinator@example.org").map_err(anyhow::Error::msg)?,
            scope: Scope::Admin,
            expires: None,
        };
        let added = add_coordinator(&ctx, new, Actor::OPERATOR).await;
        let (coordinator, coordinator_token) = added.map_err(|error| match error {
            TxError::Refused(refusal) => anyhow::Error::from(refusal),
            TxError::Storage(error) => error.into(),
        })?;
        let now = ctx.now();
        let mut city = Self {
            ctx,
            screen,
            letters: Postbag::default(),
            seed,
            coordinator,
            coordinator_token,
            transport,
            agenda: BTreeMap::new(),
            planned: 0,
            asks: HashMap::new(),
            manage: HashMap::new(),
            on_desk: HashSet::new(),
            shown: HashSet::new(),
        };
        for (at, post) in posts {
            city.plan(at, Act::Post(post));
        }
        city.plan(now.after(ROUND), Act::Round);
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

    /// The draws that belong to a name.
    pub(super) fn dice(&self, name: &str) -> Dice {
        Dice::of(self.seed, name)
    }

    /// The coordinator as the audit names them.
    pub(super) fn desk(&self) -> Actor {
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
        let zone = self.ctx.settings.area.timezone.clone();
        for mail in &mails {
            let id = mail.message.id;
            let letter = self
                .ctx
                .db
                .read(move |conn| Ok::<_, StorageError>(letters::find(conn, id)?))
                .await?;
            let Some(letter) = letter else {
                continue;
            };
            self.letters.show(mail, letter.kind, &zone, &self.screen);
            self.react(&mail.message, &letter).await?;
        }
        Ok(!mails.is_empty())
    }
}

/// A no is part of life: somebody else was quicker, or it was called off meanwhile.
pub(super) fn unless_refused<T>(outcome: Outcome<T>) -> anyhow::Result<Option<T>> {
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
