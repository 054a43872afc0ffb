//! What ends tasks, in the transaction of the act that does what they ask for, or takes their cause away.

use super::leave_tasks::told_by;
use super::letter_subject::is_still_true;
use super::tx::To;
use super::{Outcome, Tx};
use crate::domain::ids::{
    CoordinatorId, LetterId, MatchId, NeighborId, OfferId, ReportId, RequestId, VolunteerId,
};
use crate::domain::task::{TaskKind, TaskOutcome};
use crate::storage::audit::ActorKind;
use crate::storage::matches::Match;
use crate::storage::requests::Request;
use crate::storage::tasks::Ending;
use crate::storage::{letters, matches, requests, tasks};

/// What a neighbor is called for.
const CALLS: [TaskKind; 3] = [TaskKind::Call, TaskKind::Tell, TaskKind::Ask];

impl Tx<'_> {
    /// That ending, now; by whoever acts, if that is a coordinator who did it.
    pub(super) fn ending(&self, outcome: TaskOutcome) -> Ending {
        let is_done = outcome != TaskOutcome::NotNeeded;
        let by = self
            .actor
            .id
            .filter(|_| is_done && self.actor.kind == ActorKind::Coordinator);
        Ending {
            outcome,
            by: by.map(CoordinatorId::from),
            at: self.now,
        }
    }

    /// The match waits for no review any more.
    pub(super) fn end_review(&mut self, id: MatchId, outcome: TaskOutcome) -> Outcome<()> {
        let ending = self.ending(outcome);
        tasks::end_of_matches(self.conn, &[id], &[TaskKind::Review], &ending)?;
        Ok(())
    }

    /// The match waits for no agreement any more.
    pub(super) fn end_ask(&mut self, id: MatchId, outcome: TaskOutcome) -> Outcome<()> {
        let ending = self.ending(outcome);
        tasks::end_of_matches(self.conn, &[id], &[TaskKind::Ask], &ending)?;
        Ok(())
    }

    /// The request, which is locked, waits for nobody's word any more, if no promise is left of which nothing is
    /// known.
    pub(super) fn end_needless_follow_up(&mut self, id: RequestId) -> Outcome<()> {
        let waits = matches::of_request(self.conn, id)?
            .iter()
            .any(Match::is_silent);
        if waits {
            return Ok(());
        }
        self.end_follow_up(id)
    }

    /// Nobody need find out how it went with the request.
    pub(super) fn end_follow_up(&mut self, id: RequestId) -> Outcome<()> {
        let outcome = match self.actor.kind {
            ActorKind::Coordinator => TaskOutcome::Done,
            _ => TaskOutcome::NotNeeded,
        };
        let ending = self.ending(outcome);
        tasks::end_of_requests(self.conn, &[id], &[TaskKind::FollowUp], &ending)?;
        Ok(())
    }

    /// Nobody says any more of the match that its volunteer, who is locked, did not come: nobody need find out what
    /// happened, nor look at her for what is not so.
    pub(super) fn end_no_show_tasks(&mut self, id: MatchId, volunteer: VolunteerId) -> Outcome<()> {
        let ending = self.ending(TaskOutcome::NotNeeded);
        tasks::end_of_matches(self.conn, &[id], &[TaskKind::Dispute], &ending)?;
        if !self.has_no_shows(volunteer)? {
            let kinds = [TaskKind::VolunteerCheck];
            tasks::end_of_volunteers(self.conn, &[volunteer], &kinds, &ending)?;
        }
        Ok(())
    }

    /// The public place of the offer was checked, or is there no more.
    pub(super) fn end_site_check(&mut self, id: OfferId, outcome: TaskOutcome) -> Outcome<()> {
        let ending = self.ending(outcome);
        tasks::end_of_offers(self.conn, &[id], &[TaskKind::SiteCheck], &ending)?;
        Ok(())
    }

    /// Reports were dealt with, or are gone.
    pub(super) fn end_reports(&mut self, ids: &[ReportId], outcome: TaskOutcome) -> Outcome<()> {
        let ending = self.ending(outcome);
        tasks::end_of_reports(self.conn, ids, &[TaskKind::Report], &ending)?;
        Ok(())
    }

    /// Letters are sent again, or gone.
    pub(super) fn end_dead_letters(
        &mut self,
        ids: &[LetterId],
        outcome: TaskOutcome,
    ) -> Outcome<()> {
        let ending = self.ending(outcome);
        tasks::end_of_letters(self.conn, ids, &[TaskKind::DeadLetter], &ending)?;
        Ok(())
    }

    /// A request was closed: nobody need tell of it what is not true any more, nor a neighbor who waits for
    /// nothing else.
    pub(super) fn end_tasks_of_closed(&mut self, request: &Request) -> Outcome<()> {
        self.drop_needless_look(request.id)?;
        self.end_needless_follow_up(request.id)?;
        let all = requests::of_neighbor(self.conn, request.neighbor_id)?;
        if !all.iter().any(|r| r.state.is_live()) {
            let ending = self.ending(TaskOutcome::NotNeeded);
            tasks::end_needless_news(self.conn, request.neighbor_id, &ending)?;
        }
        for id in tasks::dead_letters_of(self.conn, request.id)? {
            let is_true = match letters::find(self.conn, id)? {
                Some(letter) => is_still_true(self, &letter)?,
                None => false,
            };
            if !is_true {
                self.end_dead_letters(&[id], TaskOutcome::NotNeeded)?;
            }
        }
        Ok(())
    }

    /// A request is open again: nobody need tell that it has ended.
    pub(super) fn end_news_of_closing(&mut self, id: RequestId) -> Outcome<()> {
        let ending = self.ending(TaskOutcome::NotNeeded);
        Ok(tasks::end_news_of_closing(self.conn, id, &ending)?)
    }

    /// Requests are forgotten, and with them everything that was to be done for them.
    pub(super) fn end_tasks_of_forgotten(&mut self, ids: &[RequestId]) -> Outcome<()> {
        let ending = self.ending(TaskOutcome::NotNeeded);
        let kinds = [
            TaskKind::Tell,
            TaskKind::Look,
            TaskKind::Review,
            TaskKind::DeadLetter,
            TaskKind::FollowUp,
            TaskKind::Dispute,
        ];
        tasks::end_of_requests(self.conn, ids, &kinds, &ending)?;
        Ok(())
    }

    /// A neighbor is erased, with these requests: nobody calls her any more, and what was noted of her goes.
    pub(super) fn forget_tasks_of_neighbor(
        &mut self,
        id: NeighborId,
        of: &[RequestId],
    ) -> Outcome<()> {
        let ending = self.ending(TaskOutcome::NotNeeded);
        tasks::end_of_neighbors(self.conn, &[id], &CALLS, &ending)?;
        tasks::end_of_neighbors(self.conn, &[id], &[TaskKind::DeadLetter], &ending)?;
        tasks::erase_notes_of_neighbor(self.conn, id)?;
        tasks::erase_notes_of_requests(self.conn, of)?;
        Ok(())
    }

    /// A volunteer is erased: her places need no check, her letters reach nobody, and what was noted of her goes.
    pub(super) fn forget_tasks_of_volunteer(&mut self, id: VolunteerId) -> Outcome<()> {
        let ending = self.ending(TaskOutcome::NotNeeded);
        let kinds = [
            TaskKind::SiteCheck,
            TaskKind::DeadLetter,
            TaskKind::VolunteerCheck,
        ];
        tasks::end_of_volunteers(self.conn, &[id], &kinds, &ending)?;
        tasks::erase_notes_of_volunteer(self.conn, id)?;
        Ok(())
    }

    /// A neighbor, who is locked, has another address, or wants no mail any more: what waits to be told to her
    /// goes by the other way.
    pub(super) fn follow_mail(&mut self, id: NeighborId) -> Outcome<()> {
        if let Some(neighbor) = self.out_of_mail(id)? {
            for letter in letters::lock_waiting(self.conn, id.into())? {
                if told_by(letter.kind).is_some()
                    && letters::drop_waiting(self.conn, letter.id, self.now)?
                    && is_still_true(self, &letter)?
                {
                    self.leave_word(&neighbor, letter.kind, letter.request_id, letter.match_id)?;
                }
            }
            return Ok(());
        }
        let mut waiting = tasks::open_of(self.conn, id, TaskKind::Tell)?;
        waiting.extend(tasks::open_of(self.conn, id, TaskKind::Ask)?);
        for task in waiting {
            // What no letter tells is still told by phone.
            if let Some(about) = task.about {
                tasks::finish(self.conn, task.id, TaskOutcome::NotNeeded, None, self.now)?;
                self.letter(about, To::Neighbor(id), task.request_id, task.match_id)?;
            }
        }
        Ok(())
    }
}
