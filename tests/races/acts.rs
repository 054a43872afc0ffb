//! What people do to each other's posts.

use std::sync::Arc;

use manyhands::actions::accept_match::{Yes, accept_match};
use manyhands::actions::add_offers::add_offers;
use manyhands::actions::add_requests::add_requests;
use manyhands::actions::add_webhook::{NewWebhook, add_webhook};
use manyhands::actions::agree_match::{agree_match, refuse_match};
use manyhands::actions::apply_plan::apply_plan;
use manyhands::actions::block_neighbor::{block_neighbor, unblock_neighbor};
use manyhands::actions::block_volunteer::block_volunteer;
use manyhands::actions::claim_events::claim_events;
use manyhands::actions::claim_letters::claim_letters;
use manyhands::actions::claim_task::claim_task;
use manyhands::actions::close_request::close_request;
use manyhands::actions::come_back::come_back;
use manyhands::actions::decline_match::decline_match;
use manyhands::actions::erase_neighbor::erase_neighbor;
use manyhands::actions::erase_volunteer::erase_volunteer;
use manyhands::actions::escalate_tasks::escalate_tasks;
use manyhands::actions::expire::{overdue_matches, sweep};
use manyhands::actions::find_people::{Sought, find_people};
use manyhands::actions::finish_match::{done, no_show};
use manyhands::actions::finish_task::finish_task;
use manyhands::actions::hand_over::hand_over;
use manyhands::actions::hide_neighbor::{hide, show};
use manyhands::actions::hold_request::{hold_request, unhold_request};
use manyhands::actions::import_offers::import_offers;
use manyhands::actions::import_requests::import_requests;
use manyhands::actions::import_rows::{Row, Terms};
use manyhands::actions::make_plan::{Scope, make_plan};
use manyhands::actions::merge_request::merge_request;
use manyhands::actions::morning_digest::morning_digest;
use manyhands::actions::move_offer::{Move, move_offer};
use manyhands::actions::pause_volunteer::pause_volunteer;
use manyhands::actions::post_offers::{NewOffer, PostOffers};
use manyhands::actions::post_requests::{NewNeed, PostRequests};
use manyhands::actions::propose_match::propose_match;
use manyhands::actions::queue_events::queue_events;
use manyhands::actions::reassign_match::reassign_match;
use manyhands::actions::release_match::release_match;
use manyhands::actions::remove_webhook::remove_webhook;
use manyhands::actions::renew::renew_request;
use manyhands::actions::reopen_offer::reopen_offer;
use manyhands::actions::reopen_request::reopen_request;
use manyhands::actions::reopen_task::reopen_task;
use manyhands::actions::report_match::{NewReport, report_match};
use manyhands::actions::return_letters::put_off_letters;
use manyhands::actions::review_match::{approve_match, unveto_match, veto_match};
use manyhands::actions::rotate_webhook::rotate_webhook;
use manyhands::actions::run_import::{NewImport, begin_import, end_import};
use manyhands::actions::settle_event::{Told, settle_event};
use manyhands::actions::tell_apart::{tell_apart, untell_apart};
use manyhands::actions::try_webhook::try_webhook;
use manyhands::actions::unclaim_task::unclaim_task;
use manyhands::actions::undo_done::undo_done;
use manyhands::actions::undo_import::undo_some;
use manyhands::actions::undo_no_show::undo_no_show;
use manyhands::actions::unpart_match::unpart_match;
use manyhands::actions::unsubscribe::unsubscribe;
use manyhands::actions::update_neighbor::{NewNeighbor, update_neighbor};
use manyhands::actions::update_offer::{ChangedOffer, update_offer};
use manyhands::actions::update_request::{NewRequest, update_request};
use manyhands::actions::update_task::{TaskEdit, update_task};
use manyhands::actions::update_webhook::{WebhookEdit, update_webhook};
use manyhands::actions::verify_neighbor::verify_neighbor;
use manyhands::actions::{Ctx, Outcome, aftermath};
use manyhands::domain::attribute::Attributes;
use manyhands::domain::availability::{Availability, Window};
use manyhands::domain::clock::ManualClock;
use manyhands::domain::contact::{Contact, ContactLine, PersonName, PhoneNumber};
use manyhands::domain::event::EventType;
use manyhands::domain::ids::{
    CoordinatorId, LeaseId, NeighborId, OfferId, RecordId, RequestId, VolunteerId,
};
use manyhands::domain::import::{ImportKind, ImportState};
use manyhands::domain::letter::Lane;
use manyhands::domain::lifecycle::{CloseReason, DeclineReason};
use manyhands::domain::limits::AskLimits;
use manyhands::domain::need::{Handover, LeadTime, Quantity, Reach, Renews, Urgency, Verified};
use manyhands::domain::note::PrivateNote;
use manyhands::domain::place::GeoPoint;
use manyhands::domain::remit::Remit;
use manyhands::domain::report::{Problem, Side};
use manyhands::domain::secret::{HandedOver, NeighborSecret, RequestSecret, VolunteerSecret};
use manyhands::domain::task::{DoneOutcome, TaskKind, TaskOrder};
use manyhands::domain::webhook::WebhookUrl;
use manyhands::storage::audit::{Actor, ActorKind};
use manyhands::storage::page::Page;
use manyhands::storage::tasks::TaskFilter;
use manyhands::storage::{StorageError, TxError, neighbors, offers, tasks, volunteers, webhooks};

use super::scene::Scene;
use super::world::of;
use crate::support::{DAY, HOUR};

macro_rules! acts {
    ($($act:ident),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Act { $($act),* }
        impl Act { pub const ALL: &[Self] = &[$(Self::$act),*]; }
    };
}

acts!(
    Accept,
    AcceptOfOther,
    AcceptForSecond,
    Decline,
    Part,
    Release,
    Done,
    NeighborsDone,
    NoShow,
    Arrive,
    Time,
    Agree,
    Refuse,
    CloseHelped,
    CloseNotNeeded,
    Reopen,
    Merge,
    TellApart,
    HandOver,
    Reassign,
    Unveto,
    UndoDone,
    UndoNoShow,
    Unpart,
    BlockNeighbor,
    UnblockNeighbor,
    ReopenOffer,
    Hold,
    Unhold,
    Hide,
    Show,
    Edit,
    EditCaller,
    Renew,
    EraseNeighbor,
    MoreNeeds,
    Vouch,
    Unverify,
    Find,
    ImportNeed,
    PauseOffer,
    CloseOffer,
    Pause,
    Block,
    EraseVolunteer,
    MoreOffers,
    Capacity,
    ImportOffer,
    UndoImports,
    Report,
    Approve,
    Veto,
    ProposeAgain,
    Plan,
    Overdue,
    Sweep,
    StopMail,
    MailRests,
    ComeBack,
    AtTheDesk,
    Webhooks,
);

impl Act {
    #[expect(clippy::too_many_lines, reason = "one arm an act")]
    pub async fn done_by(self, ctx: &Ctx, scene: &Scene) -> Outcome<()> {
        let Scene {
            neighbor,
            requests: [request, second],
            volunteers: [volunteer, other],
            offers: [offer, _],
            matches: [matched, of_other, for_second, proposed],
        } = *scene;
        let answer = of(ActorKind::Volunteer, volunteer);
        let wish = of(ActorKind::Neighbor, neighbor);
        let yes = Yes::default();
        match self {
            Self::Accept => accept_match(ctx, matched, yes, answer).await,
            Self::AcceptOfOther => {
                accept_match(ctx, of_other, yes, of(ActorKind::Volunteer, other)).await
            }
            Self::AcceptForSecond => accept_match(ctx, for_second, yes, answer).await,
            Self::Decline => decline_match(ctx, matched, None, answer).await,
            Self::Part => {
                let why = Some(DeclineReason::NotThisPerson);
                decline_match(ctx, for_second, why, answer).await
            }
            Self::Release => release_match(ctx, matched, answer).await,
            Self::Done => done(ctx, matched, answer).await,
            Self::NeighborsDone => done(ctx, matched, wish).await,
            Self::NoShow => no_show(ctx, matched, wish).await,
            Self::Arrive => {
                let yes = Yes {
                    arrival_at: Some(ctx.now().after(HOUR)),
                    ..yes
                };
                accept_match(ctx, matched, yes, answer).await
            }
            Self::Time => time_goes_by(ctx).await,
            Self::Agree => agree_match(ctx, matched, wish).await,
            Self::Refuse => refuse_match(ctx, matched, wish).await,
            Self::CloseHelped => close(ctx, request, CloseReason::HelpedHere, wish).await,
            Self::CloseNotNeeded => close(ctx, request, CloseReason::NotNeeded, wish).await,
            Self::Reopen => reopen_request(ctx, request, Remit::All, Actor::OPERATOR).await,
            Self::Merge => merge_request(ctx, second, request, Actor::OPERATOR).await,
            Self::TellApart => {
                tell_apart(ctx, request, second, Actor::OPERATOR).await?;
                untell_apart(ctx, second, request, Actor::OPERATOR).await
            }
            Self::HandOver => {
                let line = |text| ContactLine::parse(text).unwrap();
                let to = HandedOver {
                    to: line("Food Shelf"),
                    reference: line("4711"),
                };
                hand_over(ctx, request, to, true, Actor::OPERATOR).await
            }
            Self::Reassign => reassign_match(ctx, of_other, offer, Actor::OPERATOR)
                .await
                .map(drop),
            Self::Unveto => unveto_match(ctx, matched, Actor::OPERATOR).await,
            Self::UndoDone => undo_done(ctx, matched, Actor::OPERATOR).await,
            Self::UndoNoShow => undo_no_show(ctx, matched, Actor::OPERATOR).await,
            Self::Unpart => unpart_match(ctx, for_second, Actor::OPERATOR).await,
            Self::BlockNeighbor => block_neighbor(ctx, neighbor, None, Actor::OPERATOR).await,
            Self::UnblockNeighbor => unblock_neighbor(ctx, neighbor, Actor::OPERATOR).await,
            Self::ReopenOffer => reopen_offer(ctx, offer, None, Actor::OPERATOR).await,
            Self::Hold => hold_request(ctx, request, Actor::OPERATOR).await,
            Self::Unhold => unhold_request(ctx, request, Actor::OPERATOR).await,
            Self::Hide => hide(ctx, neighbor, Remit::Neighbor(neighbor), wish).await,
            Self::Show => show(ctx, neighbor, Remit::Neighbor(neighbor), wish).await,
            Self::Edit => edit(ctx, request, neighbor).await,
            Self::EditCaller => edit_caller(ctx, neighbor).await,
            Self::Renew => renew_request(ctx, second, Remit::Neighbor(neighbor), None, wish).await,
            Self::EraseNeighbor => {
                erase_neighbor(ctx, neighbor, Remit::Neighbor(neighbor), wish).await
            }
            Self::MoreNeeds => {
                let (hers, needs) = (Remit::Neighbor(neighbor), vec![another_need(ctx)]);
                let added = add_requests(ctx, neighbor, hers, needs, None, wish).await;
                added.map(drop)
            }
            Self::Vouch => verify_neighbor(ctx, neighbor, Verified::Vouched, Actor::OPERATOR).await,
            Self::Unverify => verify_neighbor(ctx, neighbor, Verified::None, Actor::OPERATOR).await,
            Self::Find => {
                let by = CoordinatorId::new(ctx.entropy.as_ref());
                let number = PhoneNumber::parse("612 555 0123", "US").unwrap();
                let found = find_people(ctx, Sought::Phone(number), by, Remit::All).await;
                found.map(drop)
            }
            Self::ImportNeed => import_need(ctx, neighbor, terms(ctx)).await,
            Self::PauseOffer => move_offer(ctx, offer, None, Move::Pause, answer).await,
            Self::CloseOffer => move_offer(ctx, offer, None, Move::Close, answer).await,
            Self::Pause => pause_volunteer(ctx, volunteer, true, answer).await,
            Self::Block => block_volunteer(ctx, volunteer, true, Actor::OPERATOR).await,
            Self::EraseVolunteer => erase_volunteer(ctx, volunteer, answer).await,
            Self::MoreOffers => {
                let place = manyhands::domain::place::GeoPoint::parse(44.98, -93.26).unwrap();
                let new = vec![another_offer()];
                add_offers(ctx, volunteer, place, new, None, answer)
                    .await
                    .map(drop)
            }
            Self::Capacity => {
                // More than is promised, perhaps; then enough for everybody.
                give(ctx, offer, 2).await?;
                give(ctx, offer, 8).await
            }
            Self::ImportOffer => import_offer(ctx, volunteer, terms(ctx)).await,
            Self::UndoImports => undo_imports(ctx, neighbor, volunteer).await,
            Self::Report => {
                let new = NewReport {
                    about: Side::Volunteer,
                    problem: Problem::Other,
                    statement: None,
                };
                report_match(ctx, matched, new, wish).await
            }
            Self::Approve => approve_match(ctx, proposed, Actor::OPERATOR).await,
            Self::Veto => veto_match(ctx, matched, Actor::OPERATOR).await,
            Self::ProposeAgain => propose_match(ctx, second, offer, None, Actor::OPERATOR)
                .await
                .map(drop),
            Self::Plan => plan(ctx).await,
            Self::Overdue => overdue_matches(ctx).await.map(drop),
            Self::Sweep => sweep(ctx).await.map(drop),
            Self::StopMail => unsubscribe(ctx, neighbor.into()).await,
            Self::MailRests => mail_rests(ctx).await,
            Self::ComeBack => come_back(ctx).await.map(drop),
            Self::AtTheDesk => at_the_desk(ctx).await,
            Self::Webhooks => webhooks_told(ctx).await,
        }
    }
}

fn terms(ctx: &Ctx) -> Terms {
    Terms {
        by: None,
        run: RecordId::new(ctx.entropy.as_ref()),
        verified: Verified::Called,
        confirmed: true,
        tells_callers: true,
    }
}

fn row<P>(ctx: &Ctx, post: P) -> Row<P> {
    let id = RecordId::new(ctx.entropy.as_ref());
    let key = ctx.vault.keys().unwrap().hasher.call(&[id.as_bytes()]);
    Row {
        key,
        content: key,
        from: None,
        until: None,
        post,
    }
}

fn place() -> GeoPoint {
    GeoPoint::parse(44.98, -93.26).unwrap()
}

/// A sheet names her, as long as she is there.
async fn import_need(ctx: &Ctx, id: NeighborId, terms: Terms) -> Outcome<()> {
    let look = move |conn: &mut _| Ok::<_, StorageError>(neighbors::find(conn, id)?);
    let neighbor = ctx.db.read(look).await?.unwrap();
    let Some(sealed) = &neighbor.sealed else {
        return Ok(());
    };
    let keys = ctx.vault.keys().unwrap();
    let secret: NeighborSecret = keys.open(id, neighbor.sealed_version, sealed).unwrap();
    let post = PostRequests {
        contact: secret.contact,
        caller: None,
        place: place(),
        address: None,
        languages: Vec::new(),
        locale: "en".to_owned(),
        agree_first: false,
        needs: vec![another_need(ctx)],
        entered_by: None,
        verified: Verified::None,
    };
    import_requests(ctx, vec![row(ctx, post)], terms)
        .await
        .map(drop)
}

/// A sheet names her, as long as she is there.
async fn import_offer(ctx: &Ctx, id: VolunteerId, terms: Terms) -> Outcome<()> {
    let look = move |conn: &mut _| Ok::<_, StorageError>(volunteers::find(conn, id)?);
    let volunteer = ctx.db.read(look).await?.unwrap();
    let Some(sealed) = &volunteer.sealed else {
        return Ok(());
    };
    let keys = ctx.vault.keys().unwrap();
    let secret: VolunteerSecret = keys.open(id, volunteer.sealed_version, sealed).unwrap();
    let limits: AskLimits = volunteer.limits.0;
    let post = PostOffers {
        contact: secret.contact,
        place: place(),
        languages: Vec::new(),
        locale: "en".to_owned(),
        limits,
        offers: vec![another_offer()],
    };
    import_offers(ctx, vec![row(ctx, post)], terms)
        .await
        .map(drop)
}

/// Sheets name both, and are taken back as soon as they were taken in.
async fn undo_imports(ctx: &Ctx, neighbor: NeighborId, volunteer: VolunteerId) -> Outcome<()> {
    for kind in [ImportKind::Requests, ImportKind::Offers] {
        let new = NewImport {
            kind,
            dry_run: false,
            rows: 1,
            by: None,
        };
        let (id, _) = begin_import(ctx, new, None).await?;
        let terms = Terms {
            run: id.into(),
            ..terms(ctx)
        };
        match kind {
            ImportKind::Requests => import_need(ctx, neighbor, terms).await?,
            ImportKind::Offers => import_offer(ctx, volunteer, terms).await?,
        }
        end_import(ctx, id, ImportState::Done).await?;
        while !undo_some(ctx, id, Actor::OPERATOR).await?.is_over {}
    }
    Ok(())
}

async fn close(ctx: &Ctx, id: RequestId, reason: CloseReason, by: Actor) -> Outcome<()> {
    close_request(ctx, id, Remit::All, reason, by).await
}

/// What runs by the clock, five days later, when everything is due: only for whoever is at it.
async fn time_goes_by(ctx: &Ctx) -> Outcome<()> {
    let ctx = &Ctx {
        clock: Arc::new(ManualClock::at(ctx.now().after(5 * DAY))),
        ..ctx.clone()
    };
    aftermath::reminders(ctx).await?;
    aftermath::past_reminders(ctx).await?;
    aftermath::questions(ctx).await?;
    aftermath::believed(ctx).await?;
    aftermath::silence(ctx).await.map(drop)
}

/// Letters are taken, and their domains turn out to rest.
async fn mail_rests(ctx: &Ctx) -> Outcome<()> {
    for lane in Lane::ALL {
        let lease = LeaseId::new(ctx.entropy.as_ref());
        let (claimed, _) = claim_letters(ctx, lane, lease, 2).await?;
        let due = claimed.iter().map(|c| (c.letter.id, ctx.now())).collect();
        put_off_letters(ctx, due, lease).await?;
    }
    Ok(())
}

/// Makes a plan for everybody, and applies it: in a process of its own, for each makes one at a time.
async fn plan(ctx: &Ctx) -> Outcome<()> {
    let ctx = &Ctx {
        timetables: Arc::default(),
        planning: Arc::default(),
        ..ctx.clone()
    };
    let by = CoordinatorId::new(ctx.entropy.as_ref());
    let everybody = Scope {
        category: None,
        area: None,
        candidates: 20,
    };
    let id = make_plan(ctx, everybody, by, None).await?;
    apply_plan(ctx, id, by).await.map(drop)
}

/// Somebody does with every task what can be done with it, and takes it back where that can be.
/// Everything that is done to a webhook, to one that others see to as well where there is one.
async fn webhooks_told(ctx: &Ctx) -> Outcome<()> {
    let by = CoordinatorId::new(ctx.entropy.as_ref());
    let enabled = ctx
        .db
        .read(|conn| Ok::<_, StorageError>(webhooks::enabled(conn)?));
    let id = if let Some((id, _)) = enabled.await?.first() {
        *id
    } else {
        let new = NewWebhook {
            url: WebhookUrl::parse("https://example.org/hook", false).unwrap(),
            types: EventType::ALL.to_vec(),
            description: None,
        };
        add_webhook(ctx, new, by, None).await?.0
    };
    let edit = |enabled| WebhookEdit {
        enabled: Some(enabled),
        ..WebhookEdit::default()
    };
    let lease = LeaseId::new(ctx.entropy.as_ref());
    let mut tried = vec![
        queue_events(ctx, id).await,
        try_webhook(ctx, id, Actor::OPERATOR).await.map(drop),
        rotate_webhook(ctx, id, Actor::OPERATOR).await.map(drop),
    ];
    match claim_events(ctx, id, lease, 2).await {
        Ok(claimed) => {
            for letter in claimed.map_or(Vec::new(), |claimed| claimed.letters) {
                let told = Told::Failed("status 500".to_owned());
                tried.push(settle_event(ctx, id, letter, lease, told).await);
            }
        }
        Err(error) => tried.push(Err(error)),
    }
    tried.extend([
        update_webhook(ctx, id, edit(false), Actor::OPERATOR).await,
        update_webhook(ctx, id, edit(true), Actor::OPERATOR).await,
        remove_webhook(ctx, id, Actor::OPERATOR).await,
    ]);
    for outcome in tried {
        if let Err(TxError::Storage(error)) = outcome {
            return Err(error.into());
        }
    }
    Ok(())
}

async fn at_the_desk(ctx: &Ctx) -> Outcome<()> {
    let by = CoordinatorId::new(ctx.entropy.as_ref());
    let all = ctx.db.read(|conn| {
        let page = Page {
            after: None,
            limit: 20,
        };
        let filter = TaskFilter::default();
        Ok::<_, StorageError>(tasks::page(conn, &filter, TaskOrder::Newest, page)?)
    });
    for task in all.await? {
        let note = PrivateNote::parse("Nobody answers").unwrap();
        let edit = TaskEdit {
            note: Some(Some(note.clone())),
            due_at: Some(ctx.now()),
        };
        let how = match task.kind {
            TaskKind::Tell => DoneOutcome::Unreachable,
            TaskKind::FollowUp => DoneOutcome::NotHelped,
            _ => DoneOutcome::Looked,
        };
        let again = DoneOutcome::NoAnswer;
        let tried = [
            finish_task(ctx, task.id, again, Some(note.clone()), by).await,
            claim_task(ctx, task.id, by).await,
            update_task(ctx, task.id, edit, by).await,
            finish_task(ctx, task.id, how, Some(note), by).await,
            reopen_task(ctx, task.id, by).await,
            unclaim_task(ctx, task.id, by).await,
        ];
        for outcome in tried {
            if let Err(TxError::Storage(error)) = outcome {
                return Err(error.into());
            }
        }
    }
    escalate_tasks(ctx).await?;
    morning_digest(ctx).await.map(drop)
}

fn window(ctx: &Ctx) -> Window {
    Window::parse(ctx.now(), ctx.now().after(24 * HOUR)).unwrap()
}

async fn edit(ctx: &Ctx, id: RequestId, neighbor: NeighborId) -> Outcome<()> {
    let new = NewRequest {
        quantity: Quantity::try_from(2).unwrap(),
        splittable: false,
        max_helpers: 1,
        urgency: Urgency::Now,
        travel: Reach::try_from(0).unwrap(),
        handover: Handover::Door,
        window: window(ctx),
        throughout: false,
        requires: Attributes::default(),
        language_must: false,
        secret: RequestSecret {
            note: None,
            private_note: None,
            handed_over: None,
        },
    };
    let by = of(ActorKind::Neighbor, neighbor);
    update_request(ctx, id, Remit::Neighbor(neighbor), 1, new, by)
        .await
        .map(drop)
}

/// Somebody else calls for her from now on.
async fn edit_caller(ctx: &Ctx, id: NeighborId) -> Outcome<()> {
    let look = move |conn: &mut _| Ok::<_, StorageError>(neighbors::find(conn, id)?);
    let neighbor = ctx.db.read(look).await?.unwrap();
    let Some(sealed) = &neighbor.sealed else {
        return Ok(());
    };
    let keys = ctx.vault.keys().unwrap();
    let secret: NeighborSecret = keys.open(id, neighbor.sealed_version, sealed).unwrap();
    let new = NewNeighbor {
        secret: NeighborSecret {
            caller: Some(Contact {
                phone: Some(PhoneNumber::parse("612 555 0142", "US").unwrap()),
                ..Contact::only(PersonName::parse("Sara").unwrap())
            }),
            ..secret
        },
        languages: vec!["so".to_owned()],
        locale: "en".to_owned(),
        agree_first: neighbor.agree_first,
    };
    let (version, by) = (neighbor.sealed_version, Actor::OPERATOR);
    let changed = update_neighbor(ctx, id, Remit::All, None, version, new, by).await;
    changed.map(drop)
}

/// The volunteer can give so much.
async fn give(ctx: &Ctx, id: OfferId, capacity: i64) -> Outcome<()> {
    let look = move |conn: &mut _| Ok::<_, StorageError>(offers::find(conn, id)?);
    let offer = ctx.db.read(look).await?.unwrap();
    let Some(sealed) = &offer.sealed else {
        return Ok(());
    };
    let keys = ctx.vault.keys().unwrap();
    let new = ChangedOffer {
        capacity: Quantity::try_from(capacity).unwrap(),
        reach: offer.reach_m,
        lead: offer.lead_minutes,
        availability: offer.availability().unwrap(),
        provides: offer.provides.0.clone(),
        secret: keys.open(id, offer.sealed_version, sealed).unwrap(),
    };
    let (version, by) = (offer.sealed_version, Actor::OPERATOR);
    update_offer(ctx, id, None, version, new, by)
        .await
        .map(drop)
}

pub fn another_need(ctx: &Ctx) -> NewNeed {
    NewNeed {
        category: ctx.catalog.get("food").unwrap().key.clone(),
        quantity: Quantity::ONE,
        splittable: false,
        max_helpers: 1,
        urgency: Urgency::Now,
        travel: Reach::try_from(0).unwrap(),
        handover: Handover::Door,
        windows: vec![window(ctx)],
        throughout: false,
        requires: Attributes::default(),
        language_must: false,
        note: None,
        private_note: None,
    }
}

fn another_offer() -> NewOffer {
    NewOffer {
        category: "food".parse().unwrap(),
        capacity: Quantity::ONE,
        renews: Renews::None,
        reach: Reach::try_from(5000).unwrap(),
        lead: LeadTime::NONE,
        availability: Availability {
            from: None,
            until: None,
            opening_hours: None,
            timezone: "America/Chicago".parse().unwrap(),
        },
        provides: Attributes::default(),
        note: None,
        private_note: None,
        site: None,
    }
}
