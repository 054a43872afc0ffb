//! What can be undone now, and by which call: the answer of every act says so, and what it does not bring
//! back. What is in no list cannot be undone: a letter that has left, a person or a record that was erased.

use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::Ctx;
use crate::actions::run_import::state_of;
use crate::domain::clock::Ts;
use crate::domain::ids::RequestId;
use crate::domain::import::ImportState;
use crate::domain::lifecycle::{CloseReason, MatchState, OfferState, RequestState};
use crate::domain::need::Verified;
use crate::storage::areas::Area;
use crate::storage::imports::Import;
use crate::storage::matches::Match;
use crate::storage::neighbors::Neighbor;
use crate::storage::offers::Offer;
use crate::storage::requests::{HeldBy, Request};
use crate::storage::volunteers::Volunteer;

/// A call that undoes what was done.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UndoView {
    /// Its method and its path.
    #[schema(example = "POST /v1/requests/3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a/reopen")]
    pub call: String,
    /// Until when; null where only erasure ends it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Ts>,
    /// What it does not bring back.
    #[schema(example = "Matches that were called off stay so.")]
    pub leaves: &'static str,
}

const CALLED_OFF: &str =
    "Matches that were called off and asks that were withdrawn stay so; others are asked.";
const WITHDRAWN: &str = "Asks that were withdrawn stay so; others are asked.";
const ASKED: &str = "The letter that asked has left.";
const ENDED: &str = "The match stays ended; the two may be brought together by another.";
const DONE: &str = "The volunteer's word is taken back as well; others are told nothing.";
const NO_SHOW: &str =
    "The match stays ended, since others may have been asked; only the count is taken back.";
const GIVEN: &str = "What counts as given still does, and nobody comes for it again; where it was not given, a \
     coordinator takes the match's done back instead.";
const IMPORTED: &str =
    "What somebody has said yes to, changed or confirmed since stays, and letters have left.";
const UNLISTED: &str =
    "What was called off stays so, and a site must be checked again before it is listed.";

fn undo(path: &str, until: Option<Ts>, leaves: &'static str) -> UndoView {
    UndoView {
        call: format!("POST /v1/{path}"),
        until,
        leaves,
    }
}

/// Until when a close can be undone, if it still can.
fn reopens(ctx: &Ctx, request: &Request) -> Option<Ts> {
    let kept = ctx.settings.retention.sealed_after_close;
    request.reopens_until(kept).filter(|at| *at > ctx.now())
}

/// Of a request, by a coordinator.
#[must_use]
pub fn of_request(ctx: &Ctx, row: &Request) -> Vec<UndoView> {
    let id = row.id;
    match (row.state, row.held_by) {
        (RequestState::Held, Some(HeldBy::Coordinator)) => {
            vec![undo(&format!("requests/{id}/unhold"), None, WITHDRAWN)]
        }
        (RequestState::Held, Some(HeldBy::Neighbor)) => {
            let hers = row.neighbor_id;
            vec![undo(&format!("neighbors/{hers}/show"), None, WITHDRAWN)]
        }
        (RequestState::Closed, _) => {
            let leaves = match row.close_reason {
                Some(CloseReason::HelpedHere) => GIVEN,
                _ => CALLED_OFF,
            };
            reopens(ctx, row)
                .map(|until| undo(&format!("requests/{id}/reopen"), Some(until), leaves))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Of a request, by its neighbor.
#[must_use]
pub fn of_own_request(ctx: &Ctx, row: &Request) -> Vec<UndoView> {
    if row.held_by == Some(HeldBy::Neighbor) {
        return vec![undo("neighbors/self/show", None, WITHDRAWN)];
    }
    match row.close_reason {
        None | Some(CloseReason::Duplicate | CloseReason::HandedOver) => Vec::new(),
        Some(_) => of_request(ctx, row),
    }
}

/// Of a match, by a coordinator; until when a *done* can be taken back, if it can.
#[must_use]
pub fn of_match(row: &Match, parted: bool, done_until: Option<Ts>) -> Vec<UndoView> {
    let step = match row.state {
        MatchState::Notified => Some(("veto", None, ASKED)),
        MatchState::Vetoed if row.is_vetoed() => Some(("unveto", None, ENDED)),
        MatchState::Fulfilled => done_until.map(|at| ("undo-done", Some(at), DONE)),
        MatchState::FellThrough if row.no_show_by.is_some() => {
            Some(("undo-no-show", None, NO_SHOW))
        }
        _ => None,
    };
    let parted = parted.then_some(("unpart", None, ENDED));
    let call = |(what, until, leaves)| undo(&format!("matches/{}/{what}", row.id), until, leaves);
    step.into_iter().chain(parted).map(call).collect()
}

fn offer_reopens(ctx: &Ctx, row: &Offer) -> Option<UndoView> {
    let kept = ctx.settings.retention.sealed_after_close;
    let until = row.reopens_until(kept).filter(|at| *at > ctx.now())?;
    Some(undo(
        &format!("offers/{}/reopen", row.id),
        Some(until),
        UNLISTED,
    ))
}

/// Of an offer, by a coordinator.
#[must_use]
pub fn of_offer(ctx: &Ctx, row: &Offer, is_listed: bool) -> Vec<UndoView> {
    let listed = is_listed.then(|| {
        let leaves = "Who has read the address has read it.";
        undo(&format!("offers/{}/unlist", row.id), None, leaves)
    });
    let paused = (row.state == OfferState::Paused)
        .then(|| undo(&format!("offers/{}/resume", row.id), None, WITHDRAWN));
    let reopens = offer_reopens(ctx, row).into_iter();
    reopens.chain(paused).chain(listed).collect()
}

/// Of an offer, by its volunteer.
#[must_use]
pub fn of_own_offer(ctx: &Ctx, row: &Offer) -> Vec<UndoView> {
    if row.state == OfferState::Paused {
        return vec![undo(&format!("offers/{}/resume", row.id), None, WITHDRAWN)];
    }
    offer_reopens(ctx, row).into_iter().collect()
}

/// Of a volunteer, by a coordinator.
#[must_use]
pub fn of_volunteer(row: &Volunteer, now: Ts) -> Vec<UndoView> {
    let id = row.id;
    let blocked = row
        .blocked_at
        .map(|_| undo(&format!("volunteers/{id}/unblock"), None, UNLISTED));
    let vetted = row.is_vetted(now).then(|| {
        let leaves = "What was accepted meanwhile stays.";
        undo(&format!("volunteers/{id}/unvet"), row.vetted_until, leaves)
    });
    let paused = row
        .paused_at
        .map(|_| undo(&format!("volunteers/{id}/resume"), None, WITHDRAWN));
    blocked.into_iter().chain(vetted).chain(paused).collect()
}

/// Of an import.
#[must_use]
pub fn of_import(row: &Import, now: Ts) -> Vec<UndoView> {
    let is_over = row.dry_run || row.undone_at.is_some();
    let goes_on = state_of(row, now) == ImportState::Running;
    (!is_over && !goes_on)
        .then(|| undo(&format!("imports/{}/undo", row.id), None, IMPORTED))
        .into_iter()
        .collect()
}

/// Of a neighbor, who may hide what she needs, by a coordinator.
#[must_use]
pub fn of_neighbor(row: &Neighbor, hides: bool) -> Vec<UndoView> {
    let blocked = row
        .blocked_at
        .map(|_| undo(&format!("neighbors/{}/unblock", row.id), None, CALLED_OFF));
    let hidden = hides.then(|| undo(&format!("neighbors/{}/show", row.id), None, WITHDRAWN));
    let is_checked = matches!(row.verified, Verified::Called | Verified::Vouched);
    let checked = (is_checked && row.erased_at.is_none()).then(|| {
        let leaves = "Who was asked meanwhile stays asked.";
        undo(&format!("neighbors/{}/unverify", row.id), None, leaves)
    });
    blocked.into_iter().chain(hidden).chain(checked).collect()
}

/// Of two requests that were told apart.
#[must_use]
pub fn of_distinct(id: RequestId, other: RequestId) -> UndoView {
    UndoView {
        call: format!("DELETE /v1/requests/{id}/distinct/{other}"),
        until: None,
        leaves: "Nothing: the two are flagged again, as long as they look alike.",
    }
}

/// Of an area.
#[must_use]
pub fn of_area(row: &Area) -> Vec<UndoView> {
    let frozen = row.lifted_at.is_none();
    frozen
        .then(|| undo(&format!("areas/{}/lift", row.id), None, WITHDRAWN))
        .into_iter()
        .collect()
}
