//! A coordinator, or the operator, brings in the offers of many volunteers from a spreadsheet.
//!
//! They have not confirmed their addresses here: each gets the letter that asks for it, and nothing is
//! matched before. Where they have agreed on an earlier form, an administrator may say so: then their offers
//! are open at once, and a letter tells them and how to leave.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::import_rows::{
    Counts, Fate, IS_BLOCKED, Judged, Memory, Person, Roll, Row, TOO_MANY, Terms, Told, hashes,
};
use super::post_offers::{MAX_OPEN, NewOffer, PostOffers, new_offer, new_volunteer, sticky_cell};
use super::tx::To;
use super::{Ctx, Outcome, Tx};
use crate::crypto::keys::Keys;
use crate::domain::ids::{OfferId, RecordId, VolunteerId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::OfferState;
use crate::storage::imports::ImportedRow;
use crate::storage::offers::Offer;
use crate::storage::volunteers::Volunteer;
use crate::storage::{Conn, StorageError, imports, offers, volunteers};

/// A row with what one volunteer offers: one offer.
pub type OfferRow = Row<PostOffers>;

/// What is there already.
struct Known {
    memory: Memory,
    /// Everybody; and whether offers may be added to their record.
    people: Roll<(Volunteer, bool)>,
    live: HashMap<VolunteerId, Vec<Offer>>,
    counts: Counts<VolunteerId>,
}

/// Takes up to [`super::import_rows::AT_ONCE`] rows; tells what became of each, in their order.
///
/// # Errors
/// A failed query.
pub async fn import_offers(ctx: &Ctx, rows: Vec<OfferRow>, terms: Terms) -> Outcome<Vec<Judged>> {
    ctx.write(terms.actor(), move |tx| take(tx, &rows, &terms))
        .await
}

/// What would become of rows.
///
/// # Errors
/// A failed query.
pub async fn try_offers(ctx: &Ctx, rows: Vec<OfferRow>) -> Outcome<Vec<Judged>> {
    let keys = ctx.vault.keys()?;
    let judged = ctx.db.read(move |conn| {
        let mut known = Known::read(conn, &keys, &rows)?;
        let judge = |row| {
            let (fate, same, _) = known.judge(row, &keys);
            (fate, same.into_iter().collect())
        };
        Ok::<_, StorageError>(rows.iter().map(judge).collect())
    });
    Ok(judged.await?)
}

impl Known {
    fn read(conn: &mut Conn, keys: &Keys, rows: &[OfferRow]) -> Result<Self, StorageError> {
        let memory = Memory::of(conn, rows.iter().map(|row| row.key))?;
        let of = |row: &OfferRow| Person::of(&row.post.contact, &keys.hasher);
        let (emails, phones) = hashes(rows.iter().map(of));
        let all = volunteers::by_contact(conn, &emails, &phones)?;
        let ids: Vec<VolunteerId> = all.iter().map(|(volunteer, _)| volunteer.id).collect();
        let live = offers::live_of(conn, &ids)?;
        let mut known = Self {
            memory,
            people: Roll::default(),
            live: HashMap::new(),
            counts: Counts::of(live.iter().map(|offer| offer.volunteer_id)),
        };
        for offer in live {
            known
                .live
                .entry(offer.volunteer_id)
                .or_default()
                .push(offer);
        }
        for (volunteer, imported) in all {
            // Of the erased only those count who are blocked.
            let is_there = volunteer.erased_at.is_none();
            if is_there || volunteer.blocked_at.is_some() {
                let has_proof = volunteer.confirmed_at.is_some();
                known.add(volunteer, is_there && (has_proof || imported));
            }
        }
        Ok(known)
    }

    fn add(&mut self, volunteer: Volunteer, may_get_more: bool) {
        self.people
            .add(known_by(&volunteer), (volunteer, may_get_more));
    }

    /// What becomes of a row, with the post that is the same, and the volunteer to whom it is added.
    fn judge(
        &mut self,
        row: &OfferRow,
        keys: &Keys,
    ) -> (Fate, Option<RecordId>, Option<Volunteer>) {
        if let Some((fate, post)) = self.memory.seen(row) {
            return (fate, Some(post), None);
        }
        let person = Person::of(&row.post.contact, &keys.hasher);
        if self
            .people
            .find(person)
            .any(|(v, _)| v.blocked_at.is_some())
        {
            return (IS_BLOCKED, None, None);
        }
        let same = self.people.find(person).find_map(|(volunteer, _)| {
            let live = self.live.get(&volunteer.id)?;
            live.iter()
                .find(|offer| is_same(row, offer))
                .map(|o| o.id.into())
        });
        if same.is_some() {
            return (Fate::Duplicate, same, None);
        }
        // The confirmed record first: the address can have one only.
        let theirs = self
            .people
            .find(person)
            .filter(|(volunteer, may)| *may && person.may_join(&known_by(volunteer)))
            .max_by_key(|(volunteer, _)| volunteer.confirmed_at.is_some());
        let theirs = theirs.map(|(volunteer, _)| volunteer.clone());
        if let Some(volunteer) = &theirs
            && !self
                .counts
                .add(volunteer.id, row.post.offers.len(), MAX_OPEN)
        {
            return (TOO_MANY, None, None);
        }
        (Fate::New, None, theirs)
    }
}

fn known_by(volunteer: &Volunteer) -> Person {
    Person {
        email: volunteer.email_hash,
        phone: volunteer.phone_hash,
    }
}

/// Whether the offer is what the row offers.
fn is_same(row: &OfferRow, offer: &Offer) -> bool {
    let is = |new: &NewOffer| {
        let hours = new
            .availability
            .opening_hours
            .as_ref()
            .map(ToString::to_string);
        new.category == offer.category
            && new.capacity == offer.capacity
            && new.availability.from == offer.available_from
            && new.availability.until == offer.available_until
            && hours == offer.opening_hours
    };
    row.post.offers.iter().any(is)
}

/// What one transaction makes.
#[derive(Default)]
struct Made {
    volunteers: Vec<Volunteer>,
    offers: Vec<Offer>,
    rows: Vec<ImportedRow>,
    /// Imported before and not confirmed, now known to have agreed.
    agreed: BTreeSet<VolunteerId>,
    to: Vec<(LetterKind, To, bool)>,
    told: Told<VolunteerId>,
}

fn take(tx: &mut Tx<'_>, rows: &[OfferRow], terms: &Terms) -> Outcome<Vec<Judged>> {
    imports::lock(tx.conn)?;
    // Whom to lock; what is known of them is read again then.
    let mut known = Known::read(tx.conn, tx.keys, rows)?;
    let ids: BTreeSet<VolunteerId> = known.people.all().map(|(v, _)| v.id).collect();
    if !ids.is_empty() {
        volunteers::lock_all(tx.conn, &Vec::from_iter(ids))?;
        known = Known::read(tx.conn, tx.keys, rows)?;
    }
    let mut made = Made::default();
    let mut fates = Vec::with_capacity(rows.len());
    for row in rows {
        let (fate, same, theirs) = known.judge(row, tx.keys);
        let mut posts: Vec<RecordId> = same.into_iter().collect();
        match (fate, same) {
            (Fate::New, _) => {
                posts = bring(tx, row, theirs, &mut known, &mut made, terms)?;
                if let Some(first) = posts.first() {
                    known.memory.note(row, *first);
                    made.rows.push(row.taken(*first, terms, tx.now));
                }
            }
            (Fate::Duplicate, Some(same)) => {
                known.memory.note(row, same);
                made.rows.push(row.taken(same, terms, tx.now));
            }
            _ => {}
        }
        fates.push((fate, posts));
    }
    write(tx, &made, terms)?;
    Ok(fates)
}

/// Makes the offers of a row, at least one, and the volunteer if nobody is they. Gives them in their order.
fn bring(
    tx: &mut Tx<'_>,
    row: &OfferRow,
    theirs: Option<Volunteer>,
    known: &mut Known,
    made: &mut Made,
    terms: &Terms,
) -> Outcome<Vec<RecordId>> {
    let was_known = theirs.is_some();
    let mut volunteer = match theirs {
        Some(volunteer) => volunteer,
        None => new_volunteer(tx, VolunteerId::new(tx.ctx.entropy.as_ref()), &row.post)?,
    };
    if terms.confirmed && volunteer.confirmed_at.is_none() {
        volunteer.confirmed_at = Some(tx.now);
        if was_known {
            made.agreed.insert(volunteer.id);
        }
    }
    let is_open = volunteer.confirmed_at.is_some();
    if !was_known {
        made.volunteers.push(volunteer.clone());
        known.add(volunteer.clone(), true);
        known
            .counts
            .add(volunteer.id, row.post.offers.len(), MAX_OPEN);
    }
    let is_new_here = !was_known || is_open;
    if is_new_here && made.told.insert(volunteer.id) {
        let kind = match is_open {
            true => LetterKind::Imported,
            false => LetterKind::Confirm,
        };
        made.to.push((kind, To::Volunteer(volunteer.id), !is_open));
    }
    let state = match is_open {
        true => OfferState::Open,
        false => OfferState::Unconfirmed,
    };
    let mut posts = Vec::new();
    for new in &row.post.offers {
        let earlier = known.live.entry(volunteer.id).or_default();
        let size = tx.ctx.settings.area.cell_resolution;
        let cell = sticky_cell(earlier, row.post.place, size);
        let id = OfferId::new(tx.ctx.entropy.as_ref());
        // A microsecond apart, so that every list keeps the order of the sheet.
        let later = Duration::from_micros(made.offers.len() as u64);
        let offer = Offer {
            cell,
            created_at: tx.now.after(later),
            import_id: Some(terms.import()),
            ..new_offer(tx, id, volunteer.id, row.post.place, new, state)?
        };
        posts.push(id.into());
        earlier.push(offer.clone());
        made.offers.push(offer);
    }
    Ok(posts)
}

fn write(tx: &mut Tx<'_>, made: &Made, terms: &Terms) -> Outcome<()> {
    if !made.offers.is_empty() {
        if !made.volunteers.is_empty() {
            volunteers::insert_imported(tx.conn, &made.volunteers)?;
        }
        let mut ids: Vec<OfferId> = made.offers.iter().map(|o| o.id).collect();
        let mut sites: Vec<OfferId> = Vec::new();
        for volunteer in &made.agreed {
            volunteers::confirm(tx.conn, *volunteer, tx.now)?;
            for offer in offers::of_volunteer(tx.conn, *volunteer)? {
                let (from, to) = (OfferState::Unconfirmed, OfferState::Open);
                if offers::set_state(tx.conn, offer.id, from, to, tx.now)? {
                    ids.push(offer.id);
                    sites.extend(offer.is_site.then_some(offer.id));
                }
            }
        }
        offers::insert(tx.conn, &made.offers)?;
        sites.extend(made.offers.iter().filter(|o| o.is_site).map(|o| o.id));
        for site in sites {
            let offer = tx.offer(site, None)?;
            tx.ask_for_site_check(&offer)?;
        }
        tx.offers_changed(&ids)?;
    }
    for kind in [LetterKind::Confirm, LetterKind::Imported] {
        let to: Vec<_> = made
            .to
            .iter()
            .filter(|(of, ..)| *of == kind)
            .map(|(_, to, is_unconfirmed)| (*to, *is_unconfirmed))
            .collect();
        tx.letters(kind, &to)?;
    }
    tx.note_import(terms, "offers_imported", &made.rows, made.offers.len())
}
