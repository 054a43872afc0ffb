//! A coordinator, or the operator, brings in the needs of many neighbors from a spreadsheet.
//!
//! Somebody who is known already gets the need added to her record; but only to one that was checked or
//! imported: whoever posted under her address on the web holds the token of that record, and must not see
//! what she asks for.

use std::collections::HashMap;
use std::time::Duration;

use super::import_rows::{
    Counts, Fate, Judged, Memory, Person, Roll, Row, TOO_MANY, Terms, Told, hashes,
};
use super::post_requests::{MAX_OPEN, NewNeed, PostRequests, new_neighbor, new_request};
use super::tx::To;
use super::{Ctx, Outcome, Tx};
use crate::crypto::keys::Keys;
use crate::domain::ids::{NeighborId, RecordId, RequestId};
use crate::domain::letter::LetterKind;
use crate::domain::lifecycle::Attention;
use crate::domain::need::Verified;
use crate::domain::task::TaskKind;
use crate::storage::imports::ImportedRow;
use crate::storage::neighbors::Neighbor;
use crate::storage::requests::Request;
use crate::storage::tasks::Task;
use crate::storage::{Conn, StorageError, imports, neighbors, requests, tasks};

/// A row with what one neighbor needs: one need.
pub type RequestRow = Row<PostRequests>;

/// What is there already.
struct Known {
    memory: Memory,
    /// Everybody; with her id where needs may be added to her record.
    people: Roll<(Neighbor, bool)>,
    live: HashMap<NeighborId, Vec<Request>>,
    counts: Counts<NeighborId>,
}

/// Takes up to [`super::import_rows::AT_ONCE`] rows; tells what became of each, in their order, and whether
/// coordinators were told to call.
///
/// # Errors
/// A failed query.
pub async fn import_requests(
    ctx: &Ctx,
    rows: Vec<RequestRow>,
    terms: Terms,
) -> Outcome<(Vec<Judged>, bool)> {
    ctx.write(terms.actor(), move |tx| take(tx, &rows, &terms))
        .await
}

/// What would become of rows.
///
/// # Errors
/// A failed query.
pub async fn try_requests(ctx: &Ctx, rows: Vec<RequestRow>) -> Outcome<Vec<Judged>> {
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
    fn read(conn: &mut Conn, keys: &Keys, rows: &[RequestRow]) -> Result<Self, StorageError> {
        let memory = Memory::of(conn, rows.iter().map(|row| row.key))?;
        let of = |row: &RequestRow| Person::of(&row.post.contact, &keys.hasher);
        let (emails, phones) = hashes(rows.iter().map(of));
        let all = neighbors::by_contact(conn, &emails, &phones)?;
        let ids: Vec<NeighborId> = all.iter().map(|(neighbor, _)| neighbor.id).collect();
        let live = requests::live_of(conn, &ids)?;
        let counts = Counts::of(live.iter().map(|request| request.neighbor_id));
        let mut known = Self {
            memory,
            people: Roll::default(),
            live: HashMap::new(),
            counts,
        };
        for request in live {
            known
                .live
                .entry(request.neighbor_id)
                .or_default()
                .push(request);
        }
        for (neighbor, imported) in all {
            let was_checked = neighbor.entered_by.is_some() || neighbor.verified != Verified::None;
            known.add(neighbor, imported || was_checked);
        }
        Ok(known)
    }

    fn add(&mut self, neighbor: Neighbor, may_get_more: bool) {
        self.people
            .add(known_by(&neighbor), (neighbor, may_get_more));
    }

    /// What becomes of a row, with the post that is the same, and the neighbor to whom it is added.
    fn judge(
        &mut self,
        row: &RequestRow,
        keys: &Keys,
    ) -> (Fate, Option<RecordId>, Option<Neighbor>) {
        if let Some((fate, post)) = self.memory.seen(row) {
            return (fate, Some(post), None);
        }
        let person = Person::of(&row.post.contact, &keys.hasher);
        let same = self.people.find(person).find_map(|(neighbor, _)| {
            let live = self.live.get(&neighbor.id)?;
            live.iter()
                .find(|request| is_same(row, request))
                .map(|r| r.id.into())
        });
        if same.is_some() {
            return (Fate::Duplicate, same, None);
        }
        let is_hers =
            |(neighbor, may): &&(Neighbor, bool)| *may && person.may_join(&known_by(neighbor));
        let hers = self.people.find(person).find(is_hers);
        let hers = hers.map(|(neighbor, _)| neighbor.clone());
        if let Some(neighbor) = &hers {
            let more = row.post.needs.iter().map(|need| need.windows.len()).sum();
            if !self.counts.add(neighbor.id, more, MAX_OPEN) {
                return (TOO_MANY, None, None);
            }
        }
        (Fate::New, None, hers)
    }
}

fn known_by(neighbor: &Neighbor) -> Person {
    Person {
        email: neighbor.email_hash,
        phone: neighbor.phone_hash,
    }
}

/// Whether the request is what the row asks for.
fn is_same(row: &RequestRow, request: &Request) -> bool {
    let is = |need: &NewNeed| {
        need.category == request.category
            && need.quantity == request.quantity
            && row.from.is_none_or(|from| from == request.needed_from)
            && row.until.is_none_or(|until| until == request.needed_until)
    };
    row.post.needs.iter().any(is)
}

/// What one transaction makes.
#[derive(Default)]
struct Made {
    neighbors: Vec<Neighbor>,
    requests: Vec<Request>,
    rows: Vec<ImportedRow>,
}

fn take(tx: &mut Tx<'_>, rows: &[RequestRow], terms: &Terms) -> Outcome<(Vec<Judged>, bool)> {
    imports::lock(tx.conn)?;
    // Whom to lock; what is known of them is read again then.
    let mut known = Known::read(tx.conn, tx.keys, rows)?;
    let ids: Vec<NeighborId> = known
        .people
        .all()
        .map(|(neighbor, _)| neighbor.id)
        .collect();
    if !ids.is_empty() {
        tx.lock_neighbors(ids)?;
        known = Known::read(tx.conn, tx.keys, rows)?;
    }
    let mut made = Made::default();
    let mut fates = Vec::with_capacity(rows.len());
    for row in rows {
        let (fate, same, hers) = known.judge(row, tx.keys);
        let mut posts: Vec<RecordId> = same.into_iter().collect();
        match (fate, same) {
            (Fate::New, _) => {
                posts = bring(tx, row, hers, &mut known, &mut made, terms)?;
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
    let told = write(tx, &made, terms)?;
    Ok((fates, told))
}

/// Makes the requests of a row, at least one, and the neighbor if nobody is she. Gives them in their order.
fn bring(
    tx: &mut Tx<'_>,
    row: &RequestRow,
    hers: Option<Neighbor>,
    known: &mut Known,
    made: &mut Made,
    terms: &Terms,
) -> Outcome<Vec<RecordId>> {
    let neighbor = if let Some(neighbor) = hers {
        neighbor
    } else {
        let id = NeighborId::new(tx.ctx.entropy.as_ref());
        let neighbor = Neighbor {
            verified: terms.verified,
            ..new_neighbor(tx, id, &row.post)?
        };
        made.neighbors.push(neighbor.clone());
        known.add(neighbor.clone(), true);
        let posts = row.post.needs.iter().map(|need| need.windows.len()).sum();
        known.counts.add(id, posts, MAX_OPEN);
        neighbor
    };
    let mut posts = Vec::new();
    for need in &row.post.needs {
        let series =
            (need.windows.len() > 1).then(|| RequestId::new(tx.ctx.entropy.as_ref()).into());
        for window in &need.windows {
            // A microsecond apart, so that every list keeps the order of the sheet.
            let later = Duration::from_micros(made.requests.len() as u64);
            let at = tx.now.after(later);
            let request = Request {
                import_id: Some(terms.import()),
                ..new_request(tx, &neighbor, need, *window, series, at)?
            };
            posts.push(request.id.into());
            known
                .live
                .entry(neighbor.id)
                .or_default()
                .push(request.clone());
            made.requests.push(request);
        }
    }
    Ok(posts)
}

fn write(tx: &mut Tx<'_>, made: &Made, terms: &Terms) -> Outcome<bool> {
    if !made.requests.is_empty() {
        if !made.neighbors.is_empty() {
            neighbors::insert_imported(tx.conn, &made.neighbors)?;
        }
        requests::insert(tx.conn, &made.requests)?;
        let ids: Vec<RequestId> = made.requests.iter().map(|r| r.id).collect();
        tx.requests_changed(&ids)?;
    }
    let told = ask_for_calls(tx, &made.requests, terms)?;
    let to: Vec<_> = made
        .neighbors
        .iter()
        .filter(|neighbor| neighbor.email_hash.is_some())
        .map(|neighbor| {
            (
                To::Neighbor(neighbor.id),
                neighbor.verified == Verified::None,
            )
        })
        .collect();
    tx.letters(LetterKind::Received, &to)?;
    tx.note_import(terms, "requests_imported", &made.rows, made.requests.len())?;
    Ok(told)
}

/// A task for each neighbor who is to be called first; and one letter to those who call, not one for each.
fn ask_for_calls(tx: &mut Tx<'_>, made: &[Request], terms: &Terms) -> Outcome<bool> {
    let mut asked = Told::new();
    let mut new = Vec::new();
    let waits = |r: &&Request| r.attention == Some(Attention::CallBack);
    for request in made.iter().filter(waits) {
        if !asked.insert(request.neighbor_id) {
            continue;
        }
        let within = tx.ctx.wave(request, tx.now).respond_within;
        if let Some(task) = tasks::open_call(tx.conn, request.neighbor_id)? {
            tasks::hurry(tx.conn, task.id, tx.now.after(within), tx.now)?;
            continue;
        }
        new.push(Task {
            request_id: Some(request.id),
            neighbor_id: Some(request.neighbor_id),
            ..tx.new_task(TaskKind::Call, tx.now.after(within))
        });
    }
    for task in &new {
        tasks::insert(tx.conn, task)?;
    }
    match new.first().and_then(|task| task.request_id) {
        Some(first) if terms.tells_callers => {
            tx.letter_to_reviewers(LetterKind::CallDue, first, None)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}
