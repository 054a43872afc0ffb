//! What importing requests and importing offers have in common: rows that were parsed, who is the same
//! person, and what is remembered.
//!
//! A row is remembered by keyed hashes in the transaction that makes its post, so that a file may be sent
//! again at any time: what was taken is not taken twice, and what was not is taken now. Imports take turns.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use super::{Ctx, Tx};
use crate::crypto::lookup::{Hasher, KeyedHash};
use crate::domain::clock::Ts;
use crate::domain::contact::Contact;
use crate::domain::ids::{CoordinatorId, ImportId, RecordId};
use crate::domain::need::Verified;
use crate::storage::audit::{Actor, ActorKind};
use crate::storage::imports::ImportedRow;
use crate::storage::{Conn, imports};

/// Rows that one transaction takes at the most.
pub const AT_ONCE: usize = 200;

/// A row of a sheet, parsed.
#[derive(Clone, Debug)]
pub struct Row<P> {
    /// What it is known by: its own id where the sheet has one, else all it holds.
    pub key: KeyedHash,
    /// All it holds.
    pub content: KeyedHash,
    /// From when, if it says so; else the usual time was taken, which is another one each day.
    pub from: Option<Ts>,
    /// Until when, if it says so.
    pub until: Option<Ts>,
    /// What it posts.
    pub post: P,
}

/// On which terms rows are taken.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The coordinator who imports; none: the operator, on the command line.
    pub by: Option<CoordinatorId>,
    /// What the audit calls the import.
    pub run: RecordId,
    /// How far the neighbors' contacts were checked.
    pub verified: Verified,
    /// Whether the volunteers have agreed already, on an earlier form: their offers are open at once.
    pub confirmed: bool,
    /// Whether coordinators are told by letter that neighbors are to be called: once an import.
    pub tells_callers: bool,
}

/// What became of a row, and its posts: those that were made of it, or the one that was there.
pub type Judged = (Fate, Vec<RecordId>);

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is a new post.
    New,
    /// The person has the same post already.
    Duplicate,
    /// It was taken before.
    Unchanged,
    /// It was taken before and holds something else now.
    Differs,
    /// It is not taken, for this reason.
    Refused(&'static str),
}

pub(super) const TOO_MANY: Fate =
    Fate::Refused("the person has as many open posts as one may have");
pub(super) const IS_BLOCKED: Fate =
    Fate::Refused("the person is blocked here; a coordinator has to unblock them first");

impl Terms {
    /// What its posts and its rows are known by.
    pub(super) fn import(&self) -> ImportId {
        ImportId::from(self.run)
    }

    pub(super) fn actor(&self) -> Actor {
        match self.by {
            Some(id) => Actor::person(ActorKind::Coordinator, id),
            None => Actor::OPERATOR,
        }
    }
}

/// By what a person is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    /// The keyed hash of the e-mail address.
    pub email: Option<KeyedHash>,
    /// The keyed hash of the phone number.
    pub phone: Option<KeyedHash>,
}

impl Person {
    /// Of a contact.
    #[must_use]
    pub fn of(contact: &Contact, hasher: &Hasher) -> Self {
        Self {
            email: contact.email.as_ref().map(|e| hasher.email(e)),
            phone: contact.phone.as_ref().map(|p| hasher.phone(p)),
        }
    }

    /// Whether posts of a row may be added to this record: both have the address, or both have none and the
    /// same number. Whoever puts a number of somebody else beside an address of their own must not be told
    /// what its owner asks for.
    #[must_use]
    pub fn may_join(&self, record: &Self) -> bool {
        self.email == record.email && self.is(record)
    }

    /// Whether both are one, as far as one post of two goes: by the address; by the number, where one of them
    /// gives no address, for a household shares its phone.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (self.email, other.email) {
            (Some(one), Some(other)) => one == other,
            _ => self.phone.is_some() && self.phone == other.phone,
        }
    }
}

/// People, found by address or number, each with something.
#[derive(Clone, Debug)]
pub struct Roll<T> {
    people: Vec<(Person, T)>,
    by: HashMap<KeyedHash, Vec<usize>>,
}

impl<T> Default for Roll<T> {
    fn default() -> Self {
        Self {
            people: Vec::new(),
            by: HashMap::new(),
        }
    }
}

impl<T> Roll<T> {
    /// One more.
    pub fn add(&mut self, person: Person, what: T) {
        for hash in [person.email, person.phone].into_iter().flatten() {
            self.by.entry(hash).or_default().push(self.people.len());
        }
        self.people.push((person, what));
    }

    /// Everybody.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.people.iter().map(|(_, what)| what)
    }

    /// Everybody who is this person, in the order in which they came.
    pub fn find(&self, person: Person) -> impl Iterator<Item = &T> {
        let near: BTreeSet<usize> = [person.email, person.phone]
            .into_iter()
            .flatten()
            .filter_map(|hash| self.by.get(&hash))
            .flatten()
            .copied()
            .collect();
        near.into_iter()
            .map(|at| &self.people[at])
            .filter(move |(known, _)| known.is(&person))
            .map(|(_, what)| what)
    }
}

/// The addresses and the numbers of people, for looking them up together.
pub(super) fn hashes(people: impl Iterator<Item = Person>) -> (Vec<KeyedHash>, Vec<KeyedHash>) {
    let (mut emails, mut phones) = (BTreeSet::new(), BTreeSet::new());
    for person in people {
        emails.extend(person.email);
        phones.extend(person.phone);
    }
    (Vec::from_iter(emails), Vec::from_iter(phones))
}

/// What is remembered of rows.
pub(super) struct Memory(HashMap<KeyedHash, (KeyedHash, RecordId)>);

impl Memory {
    /// # Errors
    /// A failed query.
    pub(super) fn of(
        conn: &mut Conn,
        keys: impl Iterator<Item = KeyedHash>,
    ) -> Result<Self, crate::storage::StorageError> {
        let keys: Vec<KeyedHash> = keys.collect();
        let known = imports::known(conn, &keys)?;
        Ok(Self(
            known
                .into_iter()
                .map(|r| (r.row_hash, (r.content_hash, r.subject_id)))
                .collect(),
        ))
    }

    /// What becomes of a row that was taken before, and its post.
    pub(super) fn seen<P>(&self, row: &Row<P>) -> Option<(Fate, RecordId)> {
        let (before, post) = self.0.get(&row.key)?;
        let fate = match *before == row.content {
            true => Fate::Unchanged,
            false => Fate::Differs,
        };
        Some((fate, *post))
    }

    /// From now on this one was taken.
    pub(super) fn note<P>(&mut self, row: &Row<P>, post: impl Into<RecordId>) {
        self.0.insert(row.key, (row.content, post.into()));
    }
}

impl<P> Row<P> {
    pub(super) fn taken(
        &self,
        subject: impl Into<RecordId>,
        terms: &Terms,
        now: Ts,
    ) -> ImportedRow {
        ImportedRow {
            row_hash: self.key,
            content_hash: self.content,
            subject_id: subject.into(),
            created_at: now,
            import_id: Some(terms.import()),
        }
    }
}

/// How many posts people have, with those that they get meanwhile.
pub(super) struct Counts<K>(HashMap<K, usize>);

impl<K: Eq + Hash> Counts<K> {
    pub(super) fn of(ids: impl Iterator<Item = K>) -> Self {
        let mut counts = HashMap::new();
        for id in ids {
            *counts.entry(id).or_insert(0) += 1;
        }
        Self(counts)
    }

    /// Adds some, unless there are more than `most` then.
    pub(super) fn add(&mut self, id: K, more: usize, most: usize) -> bool {
        let count = self.0.entry(id).or_insert(0);
        let has_room = *count + more <= most;
        if has_room {
            *count += more;
        }
        has_room
    }
}

/// The letter goes once to each.
pub(super) type Told<K> = HashSet<K>;

impl Tx<'_> {
    /// Remembers rows and leaves one entry for all of them.
    pub(super) fn note_import(
        &mut self,
        terms: &Terms,
        action: &'static str,
        taken: &[ImportedRow],
        new: usize,
    ) -> super::Outcome<()> {
        if taken.is_empty() {
            return Ok(());
        }
        imports::remember(self.conn, taken)?;
        let detail = [
            ("posts", new.into()),
            ("rows", taken.len().into()),
            (
                "confirmed",
                crate::domain::fact::Fact::Flag(terms.confirmed),
            ),
            ("verified", terms.verified.into()),
        ];
        self.audit(action, ("import", terms.run), &detail)
    }
}

/// The keys of the present moment, for whoever parses rows.
///
/// # Errors
/// A service that is locked.
pub fn hasher(ctx: &Ctx) -> Result<Hasher, crate::storage::StorageError> {
    Ok(ctx.vault.keys()?.hasher.clone())
}
