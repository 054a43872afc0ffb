//! Takes a table in: read off the async threads, written some rows at a time, each with its report.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::dates::Evidence;
use super::guess::guess;
use super::mapping::Mapping;
use super::plan::Plan;
use super::row::{Post, Reader};
use super::seen::{Seen, Signature};
use super::table::{Record, Table};
use crate::actions::import_offers::{OfferRow, import_offers, try_offers};
use crate::actions::import_requests::{RequestRow, import_requests, try_requests};
use crate::actions::import_rows::{AT_ONCE, Fate, Judged, Person, Row, Terms, hasher};
use crate::actions::{Ctx, Outcome};
use crate::crypto::lookup::{Hasher, KeyedHash};
use crate::domain::clock::Ts;
use crate::domain::import::{CellNote, ImportKind, RowOutcome, RowReport, Tally};
use crate::storage::StorageError;

/// A table with what stands where.
#[derive(Clone, Debug)]
pub struct Job {
    /// The table.
    pub table: Arc<Table>,
    plan: Plan,
}

impl Job {
    /// Lays a mapping over a table; guessed from its heads, if none is given.
    ///
    /// # Errors
    /// Everything that is wrong with the mapping.
    pub fn new(kind: ImportKind, table: Table, mapping: Option<Mapping>) -> Result<Self, String> {
        let mapping = mapping.unwrap_or_else(|| guess(kind, &table.heads));
        let plan = Plan::of(kind, mapping, &table.heads)?;
        Ok(Self {
            table: Arc::new(table),
            plan,
        })
    }

    /// The mapping.
    #[must_use]
    pub fn mapping(&self) -> &Mapping {
        &self.plan.mapping
    }

    /// What the rows become.
    #[must_use]
    pub fn kind(&self) -> ImportKind {
        self.plan.kind
    }

    /// Heads of columns that are not imported.
    #[must_use]
    pub fn unmapped(&self) -> &[String] {
        &self.plan.unmapped
    }
}

/// A row that was read.
struct Line {
    report: RowReport,
    row: Option<Parsed>,
}

enum Parsed {
    Request(RequestRow),
    Offer(OfferRow),
}

/// An import that goes on for as long as its next part is asked for.
#[derive(Debug)]
pub struct Run {
    ctx: Ctx,
    writes: bool,
    terms: Terms,
    lines: mpsc::Receiver<Vec<Line>>,
    /// Who reads them, for as long as it is not known that all were read.
    reading: Option<JoinHandle<()>>,
    tally: Tally,
}

impl Run {
    /// Begins.
    ///
    /// # Errors
    /// A service that is locked.
    pub fn begin(ctx: &Ctx, job: &Job, dry_run: bool, terms: Terms) -> Outcome<Self> {
        let hasher = hasher(ctx)?;
        // Two parts are read ahead while one is written.
        let (send, lines) = mpsc::channel(2);
        let tally = Tally {
            rows: job.table.rows.len() as u64,
            ..Tally::default()
        };
        let reading = Reading {
            reader: Reader {
                plan: job.plan.clone(),
                order: None,
                by: terms.by,
                ctx: ctx.clone(),
            },
            hasher,
            table: Arc::clone(&job.table),
            seen: Seen::default(),
        };
        let reading = tokio::task::spawn_blocking(move || reading.run(&send));
        Ok(Self {
            ctx: ctx.clone(),
            writes: !dry_run,
            terms,
            lines,
            reading: Some(reading),
            tally,
        })
    }

    /// How far it is.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// What became of the next rows; none when all are through.
    ///
    /// # Errors
    /// A failed query, or rows that could not be read to their end. What was taken before stays.
    pub async fn next(&mut self) -> Outcome<Option<Vec<RowReport>>> {
        let Some(lines) = self.lines.recv().await else {
            // No more lines is the end only where the reader came to it.
            if let Some(reading) = self.reading.take()
                && reading.await.is_err()
            {
                return Err(StorageError::Unavailable("the reading of a table broke off").into());
            }
            return Ok(None);
        };
        let mut reports = Vec::with_capacity(lines.len());
        let (mut requests, mut offers, mut at) = (Vec::new(), Vec::new(), Vec::new());
        for line in lines {
            match line.row {
                Some(Parsed::Request(row)) => {
                    at.push(reports.len());
                    requests.push(row);
                }
                Some(Parsed::Offer(row)) => {
                    at.push(reports.len());
                    offers.push(row);
                }
                None => {}
            }
            reports.push(line.report);
        }
        let fates = match requests.is_empty() {
            true => self.offers(offers).await?,
            false => self.requests(requests).await?,
        };
        for (at, (fate, posts)) in at.into_iter().zip(fates) {
            tell(&mut reports[at], fate);
            reports[at].posts = posts;
        }
        for report in &reports {
            self.tally.count(report.outcome);
        }
        Ok(Some(reports))
    }

    async fn requests(&mut self, rows: Vec<RequestRow>) -> Outcome<Vec<Judged>> {
        if !self.writes {
            return try_requests(&self.ctx, rows).await;
        }
        let (fates, told) = import_requests(&self.ctx, rows, self.terms).await?;
        self.terms.tells_callers &= !told;
        Ok(fates)
    }

    async fn offers(&mut self, rows: Vec<OfferRow>) -> Outcome<Vec<Judged>> {
        match (rows.is_empty(), self.writes) {
            (true, _) => Ok(Vec::new()),
            (_, false) => try_offers(&self.ctx, rows).await,
            (_, true) => import_offers(&self.ctx, rows, self.terms).await,
        }
    }
}

fn tell(report: &mut RowReport, fate: Fate) {
    report.outcome = match fate {
        Fate::New => RowOutcome::New,
        Fate::Duplicate => RowOutcome::Duplicate,
        Fate::Unchanged => RowOutcome::Unchanged,
        Fate::Differs => RowOutcome::Differs,
        Fate::Refused(why) => {
            report.faults.push(CellNote {
                column: "the row".to_owned(),
                reason: why.to_owned(),
            });
            RowOutcome::Faulty
        }
    };
}

struct Reading {
    reader: Reader,
    hasher: Hasher,
    table: Arc<Table>,
    seen: Seen,
}

impl Reading {
    /// Reads all rows; ends early where nobody asks any more.
    fn run(mut self, send: &mpsc::Sender<Vec<Line>>) {
        let table = Arc::clone(&self.table);
        self.reader.order = self.reader.plan.mapping.dates.or_else(|| self.order());
        for records in table.rows.chunks(AT_ONCE) {
            let lines = records.iter().map(|record| self.line(record)).collect();
            if send.blocking_send(lines).is_err() {
                return;
            }
        }
    }

    /// In which order dates stand, as far as the file itself shows it.
    fn order(&self) -> Option<super::mapping::DateOrder> {
        let mut evidence = Evidence::default();
        for record in &self.table.rows {
            let texts = self.reader.plan.texts(&record.cells);
            for field in ["from", "until"] {
                if let Some(text) = texts.get(field) {
                    evidence.look(text);
                }
            }
        }
        evidence.order()
    }

    fn line(&mut self, record: &Record) -> Line {
        let read = self.reader.read(&record.cells);
        let mut report = RowReport {
            line: record.line,
            outcome: RowOutcome::Faulty,
            posts: Vec::new(),
            same_as_line: None,
            faults: Vec::new(),
            warnings: read.warnings,
        };
        let post = match read.post {
            Ok(post) => post,
            Err(faults) => {
                report.faults = faults;
                return Line { report, row: None };
            }
        };
        let (person, signature) = signed(&post, read.times, &self.hasher);
        if let Some(signature) = signature {
            report.same_as_line = self.seen.before(person, signature, record.line);
        }
        if report.same_as_line.is_some() {
            report.outcome = RowOutcome::Duplicate;
            return Line { report, row: None };
        }
        let (key, content) = self.hashes(record);
        let (from, until) = read.times;
        let row = match post {
            Post::Request(post) => Parsed::Request(Row {
                key,
                content,
                from,
                until,
                post: *post,
            }),
            Post::Offer(post) => Parsed::Offer(Row {
                key,
                content,
                from,
                until,
                post: *post,
            }),
        };
        Line {
            report,
            row: Some(row),
        }
    }

    /// What a row is known by, and all it holds.
    fn hashes(&self, record: &Record) -> (KeyedHash, KeyedHash) {
        let plan = &self.reader.plan;
        let kind = plan.kind.as_str().as_bytes();
        let mut parts: Vec<&[u8]> = vec![b"imported row", kind];
        parts.extend(record.cells.iter().map(|cell| cell.trim().as_bytes()));
        let content = self.hasher.call(&parts);
        let id = plan.id.and_then(|at| record.cells.get(at)).map(str::trim);
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            return (content, content);
        };
        // The first answer of another form has another name.
        let source = match &plan.mapping.source {
            Some(source) => source.clone(),
            None => self.table.heads.join("\n"),
        };
        let parts: [&[u8]; 4] = [b"imported id", kind, source.as_bytes(), id.as_bytes()];
        (self.hasher.call(&parts), content)
    }
}

/// By what two rows of a file are the same.
fn signed(
    post: &Post,
    times: (Option<Ts>, Option<Ts>),
    hasher: &Hasher,
) -> (Person, Option<Signature>) {
    match post {
        Post::Request(post) => {
            let signature = post.needs.first().map(|need| Signature {
                category: need.category.clone(),
                amount: need.quantity.get(),
                when: format!("{times:?}"),
            });
            (Person::of(&post.contact, hasher), signature)
        }
        Post::Offer(post) => {
            let signature = post.offers.first().map(|offer| Signature {
                category: offer.category.clone(),
                amount: offer.capacity.get(),
                when: Signature::when(&offer.availability),
            });
            (Person::of(&post.contact, hasher), signature)
        }
    }
}
