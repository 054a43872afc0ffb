//! What leaves a task for a person, in the transaction of its cause.
//!
//! One cause leaves one open task. `call_first` and `finish_task` leave those for calls and looks, which are as
//! old as a request; what ends all of them is in `end_tasks`.

use std::time::Duration;

use super::{Outcome, Tx};
use crate::domain::clock::Ts;
use crate::domain::ids::{MatchId, NeighborId, RequestId, TaskId, VolunteerId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::OfferState;
use crate::domain::need::Verified;
use crate::domain::secret::OfferSecret;
use crate::domain::task::TaskKind;
use crate::storage::letters::{Letter, RecipientKind};
use crate::storage::matches::Match;
use crate::storage::neighbors::Neighbor;
use crate::storage::offers::Offer;
use crate::storage::reports::Report;
use crate::storage::requests::{HeldBy, Request};
use crate::storage::tasks::Task;
use crate::storage::{matches, neighbors, requests, sites, tasks, volunteers};

/// How long a no-show counts against the next one.
pub const NO_SHOWS_WITHIN: Duration = Duration::from_hours(30 * 24);

/// By which task a person tells a neighbor what that letter would have told her; none where it is no news: what
/// she has posted she knows.
pub(super) fn told_by(kind: LetterKind) -> Option<TaskKind> {
    match kind {
        LetterKind::Agree => Some(TaskKind::Ask),
        LetterKind::Accepted
        | LetterKind::Contact
        | LetterKind::Changed
        | LetterKind::CalledOff
        | LetterKind::HandedOver
        | LetterKind::Arrival
        | LetterKind::Reminder
        | LetterKind::DidItWork
        | LetterKind::NobodyYet => Some(TaskKind::Tell),
        _ => None,
    }
}

impl Tx<'_> {
    /// A new task that nobody has.
    pub(super) fn new_task(&self, kind: TaskKind, due_at: Ts) -> Task {
        let id = TaskId::new(self.ctx.entropy.as_ref());
        Task::new(id, kind, self.now, due_at)
    }

    /// The neighbor, where no letter reaches her: she gave no address, or its owner wants no mail.
    pub(super) fn out_of_mail(&mut self, id: NeighborId) -> Outcome<Option<Neighbor>> {
        let found = neighbors::find(self.conn, id)?;
        let Some(neighbor) = found.filter(|n| n.erased_at.is_none()) else {
            return Ok(None);
        };
        let is_reached = match neighbor.email_hash {
            Some(_) if neighbor.mail_stopped_at.is_some() => false,
            Some(address) if neighbor.verified == Verified::None => {
                !neighbors::wants_no_mail(self.conn, address)?
                    && !volunteers::wants_no_mail(self.conn, address)?
            }
            Some(_) => true,
            None => false,
        };
        Ok((!is_reached).then_some(neighbor))
    }

    /// Leaves a task to tell a neighbor by phone what a letter cannot. Several news are one task, which names the
    /// newest: her page shows all of it.
    pub(super) fn leave_word(
        &mut self,
        to: &Neighbor,
        about: LetterKind,
        request: Option<RequestId>,
        matched: Option<MatchId>,
    ) -> Outcome<()> {
        match (told_by(about), matched) {
            (Some(TaskKind::Ask), Some(matched)) => self.ask_by_phone(to, request, matched),
            (Some(_), _) => self.tell_by_phone(to, Some(about), request, matched),
            (None, _) => Ok(()),
        }
    }

    /// Leaves a task to tell a neighbor by phone that the time of her request, which is closed, went by without help,
    /// unless she has hidden it. Of this there is no letter.
    pub(super) fn tell_unmet(&mut self, request: &Request) -> Outcome<()> {
        if request.held_by != Some(HeldBy::Neighbor)
            && let Some(to) = self.out_of_mail(request.neighbor_id)?
        {
            self.tell_by_phone(&to, None, Some(request.id), None)?;
        }
        Ok(())
    }

    fn tell_by_phone(
        &mut self,
        to: &Neighbor,
        about: Option<LetterKind>,
        request: Option<RequestId>,
        matched: Option<MatchId>,
    ) -> Outcome<()> {
        let reminds = |about| about == Some(LetterKind::Reminder);
        let mut within = self.ctx.settings.tasks.tell_within;
        if let Some(id) = request
            && let Some(request) = requests::find(self.conn, id)?
        {
            within = within.min(self.ctx.wave(&request, self.now).respond_within);
        }
        if reminds(about) {
            within = Duration::ZERO;
        }
        let due_at = self.now.after(within);
        if let Some(open) = tasks::open_of(self.conn, to.id, TaskKind::Tell)?.pop() {
            // A reminder is over when the help begins; what else is to be told is not.
            if !reminds(about) || reminds(open.about) {
                tasks::tell_newer(self.conn, open.id, about, request, matched, self.now)?;
            }
            tasks::hurry(self.conn, open.id, due_at, self.now)?;
            return Ok(());
        }
        let task = Task {
            neighbor_id: Some(to.id),
            request_id: request,
            match_id: matched,
            about,
            ..self.new_task(TaskKind::Tell, due_at)
        };
        Ok(tasks::insert(self.conn, &task)?)
    }

    /// It is due at half of the time that she has: who is called at the end of it has none left.
    fn ask_by_phone(
        &mut self,
        to: &Neighbor,
        request: Option<RequestId>,
        matched: MatchId,
    ) -> Outcome<()> {
        let open = tasks::open_of(self.conn, to.id, TaskKind::Ask)?;
        if open.iter().any(|t| t.match_id == Some(matched)) {
            return Ok(());
        }
        let agree_by = matches::find(self.conn, matched)?.and_then(|m| m.agree_by);
        let within = agree_by.map_or(self.ctx.settings.tasks.tell_within, |by| {
            by.since(self.now) / 2
        });
        let task = Task {
            neighbor_id: Some(to.id),
            request_id: request,
            match_id: Some(matched),
            about: Some(LetterKind::Agree),
            ..self.new_task(TaskKind::Ask, self.now.after(within))
        };
        Ok(tasks::insert(self.conn, &task)?)
    }

    /// Leaves a task to decide on a match that was just proposed. It is late when the request says so
    /// (`review_late`).
    pub(super) fn ask_for_review(
        &mut self,
        matched: &Match,
        request: &Request,
        volunteer: VolunteerId,
    ) -> Outcome<()> {
        let within = self.ctx.wave(request, self.now).respond_within;
        let task = Task {
            match_id: Some(matched.id),
            request_id: Some(request.id),
            neighbor_id: Some(request.neighbor_id),
            offer_id: Some(matched.offer_id),
            volunteer_id: Some(volunteer),
            ..self.new_task(TaskKind::Review, self.now.after(within))
        };
        Ok(tasks::insert(self.conn, &task)?)
    }

    /// Leaves a task to check a public place, where there is one that may be listed and is not, unless somebody is
    /// to check it already.
    pub(super) fn ask_for_site_check(&mut self, offer: &Offer) -> Outcome<()> {
        let is_sensitive = self
            .ctx
            .catalog
            .get(offer.category.as_str())
            .is_none_or(|c| c.policy.sensitive);
        let is_there = matches!(offer.state, OfferState::Open | OfferState::Paused);
        if is_sensitive
            || !is_there
            || !self.has_site(offer)
            || sites::find(self.conn, offer.id)?.is_some()
            || tasks::has_open_of_offer(self.conn, offer.id, TaskKind::SiteCheck)?
        {
            return Ok(());
        }
        let within = self.ctx.settings.tasks.site_check_within;
        let task = Task {
            offer_id: Some(offer.id),
            volunteer_id: Some(offer.volunteer_id),
            ..self.new_task(TaskKind::SiteCheck, self.now.after(within))
        };
        Ok(tasks::insert(self.conn, &task)?)
    }

    /// Whether the offer names a public place now: it may have been added since it was posted. What does not open
    /// has none that could be listed.
    fn has_site(&self, offer: &Offer) -> bool {
        offer.sealed.as_ref().is_some_and(|sealed| {
            let secret = self
                .keys
                .open::<OfferSecret>(offer.id, offer.sealed_version, sealed);
            secret.is_ok_and(|secret| secret.site.is_some())
        })
    }

    /// Leaves a task to find out whether help was given of which neither side says anything, unless somebody was asked
    /// to before: one a request. The request is locked.
    pub(super) fn ask_to_follow_up(
        &mut self,
        request: &Request,
        silent: &Match,
        volunteer: VolunteerId,
    ) -> Outcome<()> {
        let within = self.ctx.settings.tasks.follow_up_within;
        let task = Task {
            match_id: Some(silent.id),
            request_id: Some(request.id),
            neighbor_id: Some(request.neighbor_id),
            offer_id: Some(silent.offer_id),
            volunteer_id: Some(volunteer),
            ..self.new_task(TaskKind::FollowUp, self.now.after(within))
        };
        Ok(tasks::insert(self.conn, &task)?)
    }

    /// Leaves a task to find out what happened: the volunteer says that the help was given, the neighbor that nobody
    /// came.
    pub(super) fn ask_about_dispute(
        &mut self,
        matched: &Match,
        request: &Request,
        offer: &Offer,
    ) -> Outcome<()> {
        let within = self.ctx.settings.tasks.follow_up_within;
        let task = Task {
            match_id: Some(matched.id),
            request_id: Some(request.id),
            neighbor_id: Some(request.neighbor_id),
            offer_id: Some(offer.id),
            volunteer_id: Some(offer.volunteer_id),
            ..self.new_task(TaskKind::Dispute, self.now.after(within))
        };
        Ok(tasks::insert(self.conn, &task)?)
    }

    /// Whether a volunteer, who is locked, did not come more than once lately.
    pub(super) fn has_no_shows(&mut self, volunteer: VolunteerId) -> Outcome<bool> {
        let since = self.now.before(NO_SHOWS_WITHIN);
        Ok(matches::no_shows_of(self.conn, volunteer, since)? > 1)
    }

    /// Leaves a task to look at a volunteer, who is locked, if she did not come more than once lately, unless somebody
    /// is to look already.
    pub(super) fn ask_about_no_shows(
        &mut self,
        matched: &Match,
        volunteer: VolunteerId,
    ) -> Outcome<()> {
        if !self.has_no_shows(volunteer)?
            || tasks::has_open_of_volunteer(self.conn, volunteer, TaskKind::VolunteerCheck)?
        {
            return Ok(());
        }
        let within = self.ctx.settings.tasks.follow_up_within;
        let task = Task {
            match_id: Some(matched.id),
            request_id: Some(matched.request_id),
            volunteer_id: Some(volunteer),
            ..self.new_task(TaskKind::VolunteerCheck, self.now.after(within))
        };
        Ok(tasks::insert(self.conn, &task)?)
    }

    /// Leaves a task to look into a report.
    pub(super) fn ask_about_report(&mut self, report: &Report) -> Outcome<()> {
        let within = self.ctx.settings.tasks.report_within;
        let task = Task {
            report_id: Some(report.id),
            match_id: Some(report.match_id),
            request_id: Some(report.request_id),
            neighbor_id: Some(report.neighbor_id),
            volunteer_id: Some(report.volunteer_id),
            ..self.new_task(TaskKind::Report, self.now.after(within))
        };
        Ok(tasks::insert(self.conn, &task)?)
    }

    /// Leaves a task to see to a letter that has just been given up. Not to the one that tells of such tasks, which
    /// would go on for ever.
    pub(super) fn ask_about_dead_letter(&mut self, letter: &Letter) -> Outcome<()> {
        if letter.kind == LetterKind::TasksLate {
            return Ok(());
        }
        let within = self.ctx.settings.tasks.dead_letter_within;
        let to = |kind| (letter.to_kind == kind).then_some(letter.to_id);
        let task = Task {
            letter_id: Some(letter.id),
            about: Some(letter.kind),
            request_id: letter.request_id,
            match_id: letter.match_id,
            neighbor_id: to(RecipientKind::Neighbor).map(Into::into),
            volunteer_id: to(RecipientKind::Volunteer).map(Into::into),
            ..self.new_task(TaskKind::DeadLetter, self.now.after(within))
        };
        Ok(tasks::insert(self.conn, &task)?)
    }
}
