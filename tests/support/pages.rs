//! A small town for the tests of the pages: a database in a temporary directory, a clock that stands
//! still, neighbors and volunteers who post by the use cases, and the letters they get.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use manyhands::actions::claim_letters::claim_letters;
use manyhands::actions::post_offers::{NewOffer, PostOffers, post_offers};
use manyhands::actions::post_requests::{NewNeed, PostRequests, post_requests};
use manyhands::actions::propose_match::propose_match;
use manyhands::actions::settle_letter::{Attempt, settle_letter};
use manyhands::actions::{Ctx, confirm_offers};
use manyhands::crypto::token::{Purpose, Token};
use manyhands::domain::attribute::Attributes;
use manyhands::domain::availability::{Availability, Window};
use manyhands::domain::category::{Catalog, CategoryKey};
use manyhands::domain::clock::{Clock, ManualClock, Ts};
use manyhands::domain::contact::{Contact, EmailAddress, PersonName, PhoneNumber, StreetAddress};
use manyhands::domain::entropy::OsEntropy;
use manyhands::domain::gazetteer::Gazetteer;
use manyhands::domain::ids::{LeaseId, MatchId, NeighborId, OfferId, RequestId, VolunteerId};
use manyhands::domain::letter::{Lane, LetterKind};
use manyhands::domain::limits::AskLimits;
use manyhands::domain::need::{Handover, LeadTime, Quantity, Reach, Renews, Urgency, Verified};
use manyhands::domain::note::{Note, PrivateNote};
use manyhands::domain::place::GeoPoint;
use manyhands::mail::letter::LetterToSend;
use manyhands::matching::index::PostIndex;
use manyhands::settings::{Settings, Sources};
use manyhands::storage::audit::Actor;
use manyhands::storage::matches::Match;
use manyhands::storage::requests::Request;
use manyhands::storage::{Db, StorageError, matches, requests};
use tempfile::TempDir;

use crate::ring;

/// Noon in Chicago.
pub const START: i64 = 1_768_500_000_000_000;

/// The one postal code that is known there.
const ZIP: &str = "US\t55407\tMinneapolis\tMinnesota\tMN\tHennepin\t053\t\t\t44.95\t-93.26\t4";

pub struct Town {
    pub ctx: Ctx,
    pub clock: Arc<ManualClock>,
    _dir: TempDir,
}

/// A volunteer with one offer.
pub struct Helper {
    pub id: VolunteerId,
    pub offer: OfferId,
    pub code: String,
}

/// A neighbor with her requests.
pub struct Asker {
    pub id: NeighborId,
    pub requests: Vec<RequestId>,
    pub code: String,
}

impl Town {
    pub fn new(settings: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("data/town.db").display());
        let mut overrides = vec![("area.timezone".to_owned(), "America/Chicago".to_owned())];
        overrides.extend(
            settings
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
        );
        let settings = Settings::load(Sources {
            overrides,
            ..Sources::default()
        })
        .unwrap();
        let clock = Arc::new(ManualClock::at(Ts::from_micros(START)));
        let db = Db::open(&url.parse().unwrap()).unwrap();
        let path = dir.path().join("keys/keyring.toml");
        let vault = ring::vault(&db, &path, &OsEntropy, clock.now());
        let ctx = Ctx {
            db,
            clock: clock.clone(),
            entropy: Arc::new(OsEntropy),
            vault: Arc::new(vault),
            catalog: Arc::new(Catalog::shipped().unwrap()),
            gazetteer: Arc::new(Gazetteer::parse(ZIP).unwrap()),
            settings: Arc::new(settings),
            index: Arc::new(RwLock::new(PostIndex::default())),
            timetables: Arc::default(),
            planning: Arc::default(),
        };
        Self {
            ctx,
            clock,
            _dir: dir,
        }
    }

    /// How many transactions were committed so far. What writes nothing does not move it.
    pub fn commits(&self) -> u64 {
        *self.ctx.db.committed().borrow()
    }

    /// Delivers every letter that waits.
    pub async fn deliver(&self) -> Vec<LetterToSend> {
        let lease = LeaseId::new(&OsEntropy);
        let mut claimed = Vec::new();
        for lane in Lane::ALL {
            claimed.extend(claim_letters(&self.ctx, lane, lease, 200).await.unwrap().0);
        }
        let mut letters = Vec::new();
        for one in claimed {
            settle_letter(&self.ctx, one.letter, lease, Attempt::Sent)
                .await
                .unwrap();
            letters.push(one.to_send);
        }
        letters
    }

    /// Posts an offer, and gives the code of the letter that asks to confirm it.
    pub async fn offers(&self, name: &str, category: &str, capacity: i64) -> String {
        post_offers(
            &self.ctx,
            offer(name, category, capacity, self.ctx.now()),
            None,
            Actor::ANYONE,
        )
        .await
        .unwrap();
        let letters = self.deliver().await;
        code(&letters, LetterKind::Confirm, None)
    }

    /// A volunteer with a confirmed offer.
    pub async fn volunteer(&self, name: &str, category: &str, capacity: i64) -> Helper {
        let confirm = self.offers(name, category, capacity).await;
        let id = self.subject(&confirm).await;
        let confirmed = confirm_offers::confirm_offers(&self.ctx, id.into())
            .await
            .unwrap();
        self.deliver().await;
        let offer = confirmed.offers[0].id;
        Helper {
            id: confirmed.volunteer.id,
            offer,
            code: confirmed.token.expose().to_owned(),
        }
    }

    /// A neighbor with one need for each quantity.
    pub async fn neighbor(&self, category: &str, quantities: &[i64], agree_first: bool) -> Asker {
        let post = request(category, quantities, agree_first, self.ctx.now());
        let posted = post_requests(&self.ctx, post, None).await.unwrap();
        self.deliver().await;
        Asker {
            id: posted.neighbor.id,
            requests: posted.requests.iter().map(|r| r.id).collect(),
            code: posted.token.expose().to_owned(),
        }
    }

    /// Asks the volunteer for the request; gives the match and the code of the letter.
    pub async fn ask(&self, request: RequestId, of: &Helper) -> (MatchId, String) {
        let id = propose_match(&self.ctx, request, of.offer, None, Actor::OPERATOR)
            .await
            .unwrap();
        let letters = self.deliver().await;
        (id, code(&letters, LetterKind::Asked, Some(id)))
    }

    pub async fn subject(&self, code: &str) -> manyhands::domain::ids::RecordId {
        let token = Token::parse(code).unwrap();
        manyhands::actions::tokens::subject_of(&self.ctx, &token)
            .await
            .unwrap()
            .unwrap()
    }

    pub async fn matched(&self, id: MatchId) -> Match {
        self.ctx
            .db
            .read(move |c| Ok::<_, StorageError>(matches::find(c, id)?))
            .await
            .unwrap()
            .unwrap()
    }

    pub async fn request(&self, id: RequestId) -> Request {
        self.ctx
            .db
            .read(move |c| Ok::<_, StorageError>(requests::find(c, id)?))
            .await
            .unwrap()
            .unwrap()
    }
}

/// The code of the letter of that kind, about that match.
pub fn code(letters: &[LetterToSend], kind: LetterKind, about: Option<MatchId>) -> String {
    let is_it = |l: &&LetterToSend| {
        l.kind == kind && (about.is_none() || l.about.as_ref().and_then(|a| a.match_id) == about)
    };
    let letter = letters
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("no {kind} letter among {}", letters.len()));
    letter.link.as_ref().unwrap().expose().to_owned()
}

/// The unsubscribe code of the first letter.
pub fn unsubscribe_code(letters: &[LetterToSend]) -> String {
    letters[0].unsubscribe.as_ref().unwrap().expose().to_owned()
}

/// A code of the right form that was never given to anybody.
pub fn stranger(purpose: Purpose) -> String {
    Token::mint(purpose, &OsEntropy).expose().to_owned()
}

pub fn contact(name: &str) -> Contact {
    let first = name.split(' ').next().unwrap().to_lowercase();
    Contact {
        name: PersonName::parse(name).unwrap(),
        email: Some(EmailAddress::parse(&format!("{first}@example.org")).unwrap()),
        phone: Some(PhoneNumber::parse("+1 612 555 0123", "US").unwrap()),
        other: None,
        channels: vec![],
        note: None,
    }
}

fn offer(name: &str, category: &str, capacity: i64, _now: Ts) -> PostOffers {
    PostOffers {
        contact: contact(name),
        place: GeoPoint::parse(44.95, -93.26).unwrap(),
        languages: vec!["en".into(), "es".into()],
        locale: "en".into(),
        limits: AskLimits {
            open_asks: 3,
            weekly_asks: 3,
            daily_asks: 8,
            nights: false,
            quiet: None,
        },
        offers: vec![NewOffer {
            category: CategoryKey::parse(category).unwrap(),
            capacity: Quantity::try_from(capacity).unwrap(),
            renews: Renews::None,
            reach: Reach::try_from(8000).unwrap(),
            lead: LeadTime::NONE,
            availability: Availability {
                from: None,
                until: None,
                opening_hours: None,
                timezone: "America/Chicago".parse().unwrap(),
            },
            provides: Attributes::default(),
            note: Some(Note::parse("Soup & bread, <fresh>").unwrap()),
            private_note: None,
            site: None,
        }],
    }
}

fn request(category: &str, quantities: &[i64], agree_first: bool, now: Ts) -> PostRequests {
    let need = |quantity: &i64| NewNeed {
        category: CategoryKey::parse(category).unwrap(),
        quantity: Quantity::try_from(*quantity).unwrap(),
        splittable: *quantity > 5,
        max_helpers: if *quantity > 5 { 5 } else { 1 },
        urgency: Urgency::Today,
        travel: Reach::ZERO,
        handover: Handover::Door,
        windows: vec![Window::parse(now, now.after(Duration::from_hours(6))).unwrap()],
        throughout: false,
        requires: Attributes::default(),
        language_must: false,
        note: Some(Note::parse("Two adults <and> two children").unwrap()),
        private_note: Some(PrivateNote::parse("Ring twice").unwrap()),
    };
    PostRequests {
        contact: contact("Mo Farah"),
        caller: None,
        place: GeoPoint::parse(44.951, -93.261).unwrap(),
        address: Some(StreetAddress::parse("2410 Example Ave").unwrap()),
        languages: vec!["so".into(), "en".into()],
        locale: "en".into(),
        agree_first,
        needs: quantities.iter().map(need).collect(),
        entered_by: None,
        verified: Verified::None,
    }
}
