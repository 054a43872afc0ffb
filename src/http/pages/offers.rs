//! A volunteer's offers and matches, in words.

use super::words::{self, Fact, fact};
use crate::actions::Ctx;
use crate::domain::ids::OfferId;
use crate::domain::lifecycle::{Agreement, MatchState, OfferState};
use crate::domain::need::Renews;
use crate::http::views::answer::AnswerView;
use crate::http::views::offer::OfferView;
use crate::http::views::released::ReleasedView;

/// Offers shown in full at a time.
const SHOWN: usize = 8;

/// One offer.
pub(super) struct Shown {
    pub id: String,
    pub title: String,
    pub standing: &'static str,
    pub facts: Vec<Fact>,
    pub state: OfferState,
    /// Whether it has a public place, where somebody may count who is there.
    pub is_site: bool,
}

impl Shown {
    /// Whether it can still be changed; read by the template.
    pub fn is_live(&self) -> bool {
        self.state != OfferState::Closed
    }

    /// Whether it is asked now.
    pub fn is_open(&self) -> bool {
        self.state == OfferState::Open
    }

    /// Whether it waits to be resumed.
    pub fn is_paused(&self) -> bool {
        self.state == OfferState::Paused
    }
}

/// A match in the list.
pub(super) struct Asked {
    pub title: String,
    pub when: String,
    pub standing: &'static str,
    pub contact: Option<ReleasedView>,
}

/// The offers to be shown in full, and ids and names of the rest: first the one asked for, then those
/// that are not closed.
pub(super) fn of(
    ctx: &Ctx,
    mut offers: Vec<OfferView>,
    first: Option<OfferId>,
) -> (Vec<Shown>, Vec<(String, String)>) {
    let first = first.map(|id| id.to_string());
    offers.sort_by_key(|o| {
        (
            first.as_ref() != Some(&o.id),
            o.state == OfferState::Closed,
            o.created_at,
        )
    });
    let rest = offers.split_off(offers.len().min(SHOWN));
    let rest = rest.iter().map(|o| (o.id.clone(), title(ctx, o))).collect();
    (offers.into_iter().map(|o| shown(ctx, o)).collect(), rest)
}

fn title(ctx: &Ctx, o: &OfferView) -> String {
    let often = match o.renews {
        Renews::None => "",
        Renews::Daily => " a day",
        Renews::Weekly => " a week",
    };
    format!(
        "{}: {}{often}",
        words::category(ctx, &o.category),
        words::amount(ctx, &o.category, o.capacity)
    )
}

fn shown(ctx: &Ctx, o: OfferView) -> Shown {
    let zone = &ctx.settings.area.timezone;
    let mut facts = Vec::new();
    facts.extend(
        o.available
            .opening_hours
            .as_ref()
            .map(|hours| fact("Hours", hours)),
    );
    facts.extend(
        o.available
            .until
            .map(|until| fact("Until", words::instant(until, zone))),
    );
    facts.extend(words::attributes(ctx.catalog.get(&o.category), &o.provides));
    facts.extend(o.note.as_ref().map(|n| fact("Your note to everybody", n)));
    facts.extend(
        o.private_note
            .as_ref()
            .map(|n| fact("Your note to whom you help", n)),
    );
    if o.state != OfferState::Closed {
        facts.push(fact("Ends by itself", words::instant(o.expires_at, zone)));
    }
    let standing = match o.state {
        OfferState::Unconfirmed => "Waits to be confirmed by the link in our e-mail.",
        OfferState::Open => "Open.",
        OfferState::Paused => "Paused: you are not asked for it.",
        OfferState::Closed => "Closed.",
    };
    Shown {
        title: title(ctx, &o),
        id: o.id,
        standing,
        facts,
        state: o.state,
        is_site: o.site.is_some(),
    }
}

/// A match, as the list tells of it.
pub(super) fn asked(ctx: &Ctx, view: AnswerView) -> Asked {
    let standing = match (view.state, view.agreement) {
        (MatchState::Proposed | MatchState::Notified, _) => {
            "You are asked. Please answer by the link in the e-mail."
        }
        (MatchState::Accepted, Agreement::Pending) => "You said yes. The neighbor is asked now.",
        (MatchState::Accepted, _) if view.done_at.is_some() => {
            "You said it is done. We have asked the neighbor too."
        }
        (MatchState::Accepted, _) => "You said yes, and it is settled.",
        (MatchState::Fulfilled, _) => "The help was given. Thank you!",
        (MatchState::Declined, _) => "You said no.",
        (MatchState::Lapsed, _) => "The time for your answer went by.",
        (MatchState::Superseded | MatchState::Vetoed, _) => "You were not needed.",
        (MatchState::FellThrough, _) => "It came to nothing.",
    };
    Asked {
        title: format!(
            "{}: {}",
            words::category(ctx, &view.category),
            words::amount(ctx, &view.category, view.quantity)
        ),
        when: words::span(
            view.needed.from,
            view.needed.until,
            &ctx.settings.area.timezone,
        ),
        standing,
        contact: view.contact,
    }
}
