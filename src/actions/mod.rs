//! What can be done: one use case, one file, one write transaction with its letters.
//!
//! An action takes parsed domain values, decides inside the transaction, and leaves rows, letters,
//! change-feed entries and audit entries behind, all or none. It never sends mail and never renders.
//! To add one: a file named after it with one `pub async fn` over [`Ctx::write`].

use std::sync::{Arc, RwLock};

use crate::crypto::vault::Vault;
use crate::domain::availability::Timetables;
use crate::domain::category::Catalog;
use crate::domain::clock::{Clock, Ts};
use crate::domain::entropy::Entropy;
use crate::domain::gazetteer::Gazetteer;
use crate::domain::task::TaskKind;
use crate::matching::index::PostIndex;
use crate::settings::Settings;
use crate::storage::audit::Actor;
use crate::storage::{Db, TxError};

pub mod accept_match;
pub mod activate_key;
pub mod add_coordinator;
pub mod add_key;
pub mod add_offers;
pub mod add_requests;
pub mod add_webhook;
pub mod aftermath;
pub mod agree_match;
pub mod apply_plan;
pub mod assign_task;
pub mod block_neighbor;
pub mod block_volunteer;
mod call_again;
pub mod call_first;
pub mod cards;
pub mod claim_events;
pub mod claim_letters;
pub mod claim_posts;
pub mod claim_task;
pub mod close_report;
pub mod close_request;
pub mod come_back;
pub mod confirm_offers;
pub mod count_site;
pub mod decline_match;
pub mod destroy_keys;
mod disable_webhook;
mod end_tasks;
mod ending;
pub mod erase_neighbor;
pub mod erase_volunteer;
pub mod escalate_tasks;
pub mod expire;
pub mod export_persons;
pub mod find_people;
mod finish_call;
mod finish_follow_up;
pub mod finish_match;
pub mod finish_task;
pub mod forget;
pub mod freeze_area;
pub mod frozen;
pub mod hand_over;
pub mod hide_neighbor;
pub mod hold_request;
pub mod import_offers;
pub mod import_requests;
pub mod import_rows;
pub mod know_by;
mod leave_tasks;
mod letter_subject;
pub mod limit_coordinator;
pub mod list_coordinators;
pub mod list_site;
pub mod lock;
mod locks;
pub mod mail_limits;
pub mod make_plan;
pub mod match_offer;
pub mod match_request;
pub mod merge_request;
pub mod morning_digest;
pub mod move_offer;
mod new_match;
pub mod pair;
pub mod pause_volunteer;
pub mod post_offers;
pub mod post_requests;
mod pressing;
pub mod propose_match;
pub mod prove_address;
pub mod queue_events;
mod read_digest;
pub mod read_stats;
pub mod reassign_match;
pub mod register_keys;
pub mod release_match;
pub mod remove_webhook;
pub mod renew;
pub mod reopen_offer;
pub mod reopen_request;
pub mod reopen_task;
pub mod report_instance;
pub mod report_match;
pub mod retry_letter;
pub mod return_letters;
pub mod reveal;
pub mod review_match;
pub mod revoke_coordinator;
pub mod rewrap;
pub mod rotate_coordinator;
pub mod rotate_token;
pub mod rotate_webhook;
pub mod run_import;
pub mod seal_audit;
pub mod set_digest;
pub mod settle_event;
pub mod settle_letter;
pub mod speaker;
pub mod tell_apart;
pub mod tokens;
pub mod trust_clock;
pub mod try_webhook;
mod tx;
pub mod unclaim_task;
pub mod undo_done;
pub mod undo_import;
pub mod undo_no_show;
pub mod unpart_match;
pub mod unsubscribe;
pub mod update_neighbor;
pub mod update_offer;
pub mod update_request;
pub mod update_task;
pub mod update_volunteer;
pub mod update_webhook;
pub mod verify_audit;
pub mod verify_neighbor;
pub mod vet_volunteer;
pub mod why_request;
pub mod wipe_closed;
mod write_letter;

pub use leave_tasks::NO_SHOWS_WITHIN;
pub use tx::{Call, Tx};

/// What every action needs; passed in, never global. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The keys.
    pub vault: Arc<Vault>,
    /// The categories of aid.
    pub catalog: Arc<Catalog>,
    /// Where postal codes are.
    pub gazetteer: Arc<Gazetteer>,
    /// The settings.
    pub settings: Arc<Settings>,
    /// What is open, by place.
    pub index: Arc<RwLock<PostIndex>>,
    /// Opening hours that were read before.
    pub timetables: Arc<Timetables>,
    /// Held while this process makes a plan, which takes a processor for some seconds: one at a time.
    pub planning: Arc<tokio::sync::Mutex<()>>,
}

/// Every way in which a use case says no. Each has one problem type at the HTTP edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not there, or not for this caller: one answer for both.
    #[error("there is nothing here for you")]
    NotFound,
    /// It was erased.
    #[error("it was erased")]
    Gone,
    /// The idempotency key was used for another call.
    #[error("this Idempotency-Key was used for another call")]
    KeyReused,
    /// Its state does not allow it.
    #[error("this is not possible any more")]
    NotPossible,
    /// Somebody changed it meanwhile.
    #[error("somebody changed it meanwhile; read it again")]
    ChangedMeanwhile,
    /// Others cover the need already.
    #[error("somebody else was quicker: the need is covered")]
    AlreadyCovered,
    /// The offer has nothing left for that time.
    #[error("the offer has not enough left for that time")]
    NoCapacity,
    /// The volunteer has as many unfinished matches as one may have.
    #[error("finish one of your open matches first")]
    TooManyOpen,
    /// The category asks for a vetted volunteer.
    #[error("this needs a volunteer whom a coordinator has vetted")]
    NotVetted,
    /// An accepted match stands in the way.
    #[error("an accepted match depends on it; release that first")]
    HasAcceptedMatch,
    /// The two do not fit together.
    #[error("the request and the offer do not fit together")]
    DoesNotFit,
    /// One active match at most per request and offer; or a pair never to be proposed again.
    #[error("this pair has a match already, or is not to be proposed again")]
    PairTaken,
    /// The neighbor is to be called first.
    #[error("the neighbor is to be called first")]
    CallFirst,
    /// Nothing is matched in that area for now.
    #[error("nothing is matched in that area for now")]
    AreaFrozen,
    /// The offer is no site.
    #[error("the offer has no public place to list")]
    NoSite,
    /// The site is not on the public list.
    #[error("the site is not listed")]
    NotListed,
    /// Nobody can be at a site that is closed.
    #[error("the site was not open at that time")]
    SiteClosed,
    /// Too many posts.
    #[error("one person may have that many open posts and no more")]
    TooManyPosts,
    /// More posts, or pairs of them, than one plan may hold.
    #[error("that is too much for one plan")]
    PlanTooLarge,
    /// Another plan is being made.
    #[error("another plan is being made right now")]
    PlanUnderWay,
    /// Too much has changed since.
    #[error("the plan is too old to be applied")]
    PlanTooOld,
    /// The time of arrival is none at which help is needed.
    #[error("the time of arrival must lie within the time of the need, and not in the past")]
    ArrivalOutside,
    /// A task of that kind ends by a call of its own.
    #[error("this is done by a call of its own, and ends with it")]
    HasItsAct(TaskKind),
    /// Nobody who coordinates now has that id.
    #[error("nobody who coordinates has that id")]
    NobodyThere,
    /// Another import is under way.
    #[error("another import is under way right now")]
    ImportUnderWay,
    /// Exporting personal data too often.
    #[error("too many exports with persons within the day")]
    TooManyExports,
    /// As many webhooks as there may be.
    #[error("there are as many webhooks as there may be")]
    TooManyWebhooks,
    /// Reading personal data too often; seconds after which it is possible again.
    #[error("too many reveals within the hour")]
    TooManyReveals(u32),
    /// Looking for people too often; seconds after which it is possible again.
    #[error("too many searches for people within the hour")]
    TooManySearches(u32),
    /// So much of an offer is promised in one of its periods that it cannot have less.
    #[error("more of it is promised already")]
    MoreTaken(i32),
}

/// How an action ends.
pub type Outcome<T> = Result<T, TxError<Refusal>>;

/// Says no.
pub(crate) fn refuse<T>(refusal: Refusal) -> Outcome<T> {
    Err(TxError::Refused(refusal))
}

impl Ctx {
    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Ts {
        self.clock.now()
    }

    /// One write transaction on behalf of `actor`.
    ///
    /// # Errors
    /// The closure's refusal, or why the database could not do it.
    pub async fn write<T, F>(&self, actor: Actor, mut f: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Outcome<T> + Send + 'static,
    {
        let ctx = self.clone();
        // The same keys for the whole transaction, whatever happens to the vault meanwhile.
        let keys = self.vault.keys()?;
        let now = self.now();
        self.db
            .write(move |conn| {
                f(&mut Tx {
                    conn,
                    ctx: &ctx,
                    keys: &keys,
                    now,
                    actor,
                })
            })
            .await
    }
}
