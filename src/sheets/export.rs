//! Tables as CSV (RFC 4180, UTF-8), a page of rows at a time. Heads are the names of our fields, so that
//! what was exported with its persons can be imported elsewhere without a mapping.
//!
//! A spreadsheet that opens the file must not take a text for a formula: one that begins like it gets an
//! apostrophe, which an import takes off again.

mod choice;
mod lines;

use std::collections::HashMap;

use csv::{Terminator, WriterBuilder};

pub use self::choice::Choice;
use crate::actions::Ctx;
use crate::crypto::keys::Keys;
use crate::domain::ids::{NeighborId, RecordId, VolunteerId};
use crate::domain::remit::Remit;
use crate::domain::word::words;
use crate::storage::page::{Page, Position};
use crate::storage::{Conn, StorageError};
use crate::storage::{matches, neighbors, offers, requests, sites, volunteers};

words! {
    /// What is exported.
    Exported {
        /// What neighbors need.
        Requests = "requests",
        /// What volunteers offer.
        Offers = "offers",
        /// Who was asked, and what came of it.
        Matches = "matches",
        /// Places open to the public.
        Sites = "sites",
    }
}

/// Rows of a page.
const AT_ONCE: i64 = 200;

/// An export that goes on for as long as its next part is asked for.
#[derive(Debug)]
pub struct Export {
    ctx: Ctx,
    what: Exported,
    persons: bool,
    choice: Choice,
    after: Option<Position>,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    New,
    GoingOn,
    Over,
}

/// Lines, and where the next page begins.
type Rows = (Vec<Vec<String>>, Option<Position>);

impl Export {
    /// Whoever asks for `persons` has asked `actions::export_persons` before.
    #[must_use]
    pub fn new(ctx: &Ctx, what: Exported, persons: bool, choice: Choice) -> Self {
        Self {
            ctx: ctx.clone(),
            what,
            persons,
            choice,
            after: None,
            state: State::New,
        }
    }

    /// The next part of the file; none at its end.
    ///
    /// # Errors
    /// A failed query, or a record that does not open.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StorageError> {
        if self.state == State::Over {
            return Ok(None);
        }
        let keys = self.ctx.vault.keys()?;
        let (what, persons, choice) = (self.what, self.persons, self.choice.clone());
        let page = Page {
            after: self.after,
            limit: AT_ONCE,
        };
        let read = move |conn: &mut Conn| rows(conn, (what, persons), &choice, page, &keys);
        let (mut rows, last) = self.ctx.db.read(read).await?;
        if self.state == State::New {
            rows.insert(0, lines::heads(what, persons));
        }
        self.after = last;
        self.state = match last {
            Some(_) => State::GoingOn,
            None => State::Over,
        };
        Ok(Some(written(&rows)))
    }
}

/// The rows as CSV.
#[must_use]
pub fn written(rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .flexible(true)
        .from_writer(Vec::new());
    for row in rows {
        let guarded = row.iter().map(|cell| guarded(cell));
        // Writing to memory cannot fail.
        let _ = writer.write_record(guarded);
    }
    writer.into_inner().unwrap_or_default()
}

/// A cell that no spreadsheet takes for a formula.
fn guarded(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    match is_formula && cell.parse::<f64>().is_err() || cell.starts_with('+') {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}

/// A page of rows: one more is read than is shown, which tells whether there is another page.
fn rows(
    conn: &mut Conn,
    (what, persons): (Exported, bool),
    choice: &Choice,
    page: Page,
    keys: &Keys,
) -> Result<Rows, StorageError> {
    match what {
        Exported::Requests => {
            let mut all = requests::page(conn, Remit::All, &choice.requests(), page)?;
            let has_more = cut(&mut all);
            let ids: Vec<NeighborId> = all.iter().map(|r| r.neighbor_id).collect();
            let owners = neighbors::find_all(conn, &ids)?;
            let owners: HashMap<_, _> = owners.into_iter().map(|n| (n.id, n)).collect();
            let keys = persons.then_some(keys);
            let lines = all.iter().filter_map(|request| {
                let owner = owners.get(&request.neighbor_id)?;
                Some(lines::request(request, owner, keys))
            });
            let lines = lines.collect::<Result<_, _>>()?;
            let last = all.last().filter(|_| has_more);
            Ok((lines, last.map(|r| position(r.created_at, r.id))))
        }
        Exported::Offers => {
            let mut all = offers::page(conn, &choice.offers(), page)?;
            let has_more = cut(&mut all);
            let ids: Vec<VolunteerId> = all.iter().map(|o| o.volunteer_id).collect();
            let owners = volunteers::find_all(conn, &ids)?;
            let owners: HashMap<_, _> = owners.into_iter().map(|v| (v.id, v)).collect();
            let keys = persons.then_some(keys);
            let lines = all.iter().filter_map(|offer| {
                let owner = owners.get(&offer.volunteer_id)?;
                Some(lines::offer(offer, owner, keys))
            });
            let lines = lines.collect::<Result<_, _>>()?;
            let last = all.last().filter(|_| has_more);
            Ok((lines, last.map(|o| position(o.created_at, o.id))))
        }
        Exported::Matches => {
            let mut all = matches::page(conn, &choice.matches(), page)?;
            let has_more = cut(&mut all);
            let last = all.last().filter(|_| has_more);
            let last = last.map(|m| position(m.created_at, m.id));
            Ok((all.iter().map(lines::matched).collect(), last))
        }
        Exported::Sites => {
            let mut all = sites::open(conn, None)?;
            let part = choice.part();
            all.retain(|(_, offer)| part.holds(offer.category.as_str(), offer.cell));
            let lines = all.iter().map(|(site, offer)| lines::site(site, offer));
            Ok((lines.collect(), None))
        }
    }
}

/// Whether there were more rows than a page has; they are gone then.
fn cut<T>(rows: &mut Vec<T>) -> bool {
    let most = usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
    let has_more = rows.len() > most;
    rows.truncate(most);
    has_more
}

fn position(created_at: crate::domain::clock::Ts, id: impl Into<RecordId>) -> Position {
    Position {
        created_at,
        id: id.into(),
    }
}
