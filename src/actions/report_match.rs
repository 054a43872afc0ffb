//! Either side reports a problem, or a coordinator who heard of it: the two are parted for good, in
//! everything they had together, coordinators are told at once, and the evidence is sealed for a while.

use super::ending::Tell;
use super::finish_match::close_if_helped;
use super::speaker::Speaker;
use super::{Ctx, Outcome, Refusal, Tx, refuse};
use crate::crypto::seal::SealError;
use crate::domain::contact::Contact;
use crate::domain::ids::{MatchId, RecordId, ReportId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::{FallReason, MatchState};
use crate::domain::note::PrivateNote;
use crate::domain::report::{Problem, Reporter, Side};
use crate::domain::secret::{NeighborSecret, ReportSecret, VolunteerSecret};
use crate::storage::audit::ActorKind;
use crate::storage::matches::Match;
use crate::storage::neighbors::Neighbor;
use crate::storage::reports::Report;
use crate::storage::requests::Request;
use crate::storage::volunteers::Volunteer;
use crate::storage::{matches, neighbors, reports, requests, volunteers};

/// What is reported.
#[derive(Clone, Debug)]
pub struct NewReport {
    /// Whom it is about.
    pub about: Side,
    /// What happened.
    pub problem: Problem,
    /// What the reporter wrote.
    pub statement: Option<PrivateNote>,
}

/// Reports a problem with one side of a match. Reporting it again changes nothing.
///
/// # Errors
/// A match of which the caller may not speak, or in which the two never came near each other.
pub async fn report_match(
    ctx: &Ctx,
    id: MatchId,
    new: NewReport,
    who: impl Into<Speaker>,
) -> Outcome<()> {
    let who = who.into();
    let actor = who.actor;
    let by = match actor.kind {
        ActorKind::Neighbor => Reporter::Neighbor,
        ActorKind::Volunteer => Reporter::Volunteer,
        _ => Reporter::Coordinator,
    };
    ctx.write(actor, move |tx| {
        let (matched, request, offer) = tx.lock_pair(id)?;
        tx.refuse_unheard(who, id)?;
        if reports::of_match(tx.conn, id, by)?.is_some() {
            return Ok(());
        }
        let met = matches!(
            matched.state,
            MatchState::Notified
                | MatchState::Accepted
                | MatchState::Fulfilled
                | MatchState::FellThrough
        );
        if !met {
            return refuse(Refusal::NotPossible);
        }
        // Whoever was erased meanwhile can be reported all the same.
        let (Some(neighbor), Some(volunteer)) = (
            neighbors::find(tx.conn, request.neighbor_id)?,
            volunteers::find(tx.conn, offer.volunteer_id)?,
        ) else {
            return refuse(Refusal::NotFound);
        };
        tx.block_pair(&neighbor, &volunteer)?;
        tx.part(&neighbor, &volunteer, by)?;
        insert(tx, &matched, &request, (&neighbor, &volunteer), by, &new)?;
        tx.audit(
            "match_reported",
            ("match", id),
            &[("problem", new.problem.into()), ("by", by.into())],
        )?;
        tx.letter_to_reviewers(LetterKind::Reported, request.id, Some(id))
    })
    .await
}

impl Tx<'_> {
    /// Ends everything that is open between the two. The other side is told only that it was called
    /// off, never why.
    fn part(&mut self, neighbor: &Neighbor, volunteer: &Volunteer, by: Reporter) -> Outcome<()> {
        let tell = match by {
            Reporter::Neighbor => Tell::Volunteer,
            Reporter::Volunteer => Tell::Neighbor,
            Reporter::Coordinator => Tell::Both,
        };
        for matched in matches::active_between(self.conn, neighbor.id, volunteer.id)? {
            let (_, request, offer) = self.matched(matched.id)?;
            if matched.state == MatchState::Accepted && by == Reporter::Volunteer {
                // What she has done is done, whatever happened there.
                self.call_off(&matched, &request, &offer, tell)?;
                close_if_helped(self, request.id)?;
            } else if matched.state == MatchState::Accepted {
                self.fall_through(&matched, &request, &offer, FallReason::CalledOff, tell)?;
            } else {
                self.supersede(&matched, &offer, false)?;
                requests::make_due(self.conn, &[request.id], self.now)?;
            }
        }
        Ok(())
    }

    /// Takes what the person wrote out of the reports she made: her own words go with her. What she
    /// reported of the other stays until its time is over, and so does what others reported of her:
    /// nobody erases the evidence against herself.
    pub(super) fn forget_statements(&mut self, by: Side, id: impl Into<RecordId>) -> Outcome<()> {
        for report in reports::made_by(self.conn, by, id.into())? {
            let Some(sealed) = &report.sealed else {
                continue;
            };
            let version = report.sealed_version;
            let secret: ReportSecret = match self.keys.open(report.id, version, sealed) {
                // Damaged: it opens for nobody, and must not keep her from going.
                Err(SealError::DoesNotOpen) => {
                    reports::erase_secrets(self.conn, &[report.id])?;
                    continue;
                }
                opened => opened?,
            };
            let without = ReportSecret {
                statement: None,
                ..secret
            };
            let sealed = self.seal(report.id, version + 1, &without)?;
            let epoch = self.epoch();
            reports::reseal(self.conn, report.id, version, sealed, epoch)?;
        }
        Ok(())
    }
}

fn insert(
    tx: &mut Tx<'_>,
    matched: &Match,
    request: &Request,
    (neighbor, volunteer): (&Neighbor, &Volunteer),
    by: Reporter,
    new: &NewReport,
) -> Outcome<()> {
    let id = ReportId::new(tx.ctx.entropy.as_ref());
    let secret = ReportSecret {
        reported: contact(tx, neighbor, volunteer, new.about)?,
        statement: new.statement.clone(),
    };
    let report = Report {
        id,
        match_id: matched.id,
        request_id: request.id,
        neighbor_id: neighbor.id,
        volunteer_id: volunteer.id,
        reported_by: by,
        about: new.about,
        problem: new.problem,
        created_at: tx.now,
        closed_at: None,
        closed_by: None,
        erase_at: tx.now.after(tx.ctx.settings.retention.reports),
        sealed: Some(tx.seal(id, 1, &secret)?),
        sealed_version: 1,
        sealed_epoch: Some(tx.epoch()),
    };
    reports::insert(tx.conn, &report)?;
    tx.ask_about_report(&report)
}

/// How to reach the one who is reported: what a coordinator needs to act, and no place or address.
fn contact(
    tx: &Tx<'_>,
    neighbor: &Neighbor,
    volunteer: &Volunteer,
    about: Side,
) -> Outcome<Option<Contact>> {
    let vault = tx.keys;
    Ok(match about {
        Side::Neighbor => match &neighbor.sealed {
            Some(sealed) => {
                let secret: NeighborSecret =
                    vault.open(neighbor.id, neighbor.sealed_version, sealed)?;
                Some(secret.reached_by().clone())
            }
            None => None,
        },
        Side::Volunteer => match &volunteer.sealed {
            Some(sealed) => {
                let secret: VolunteerSecret =
                    vault.open(volunteer.id, volunteer.sealed_version, sealed)?;
                Some(secret.contact)
            }
            None => None,
        },
    })
}
