//! The tables that are copied, each with the columns that a row is found by.

use std::cmp::Ordering;
use std::collections::VecDeque;

use diesel::prelude::*;
use diesel::query_builder::AsQuery;

use super::row::{Assign, Canonical, Columns, Key};
use super::{Difference, Kind};
use crate::storage::connection::{Conn, with};
use crate::storage::schema;

/// Rows that are read together.
const PAGE: i64 = 250;
/// Rows that one statement writes; `SQLite` takes 32 766 values.
const AT_ONCE: usize = 250;

/// How many rows a table has.
type Count = fn(&mut Conn) -> QueryResult<i64>;
/// Writes all rows of one database's table into the other's; tells how many each time.
type Copy = fn(&mut Conn, &mut Conn, Told<'_, usize>) -> QueryResult<()>;
/// Reads both; tells how many rows of the first it has looked at each time, and what differs.
type Compare = fn(&mut Conn, &mut Conn, Told<'_, usize>, Told<'_, Difference>) -> QueryResult<()>;
/// Whoever hears of it.
type Told<'a, T> = &'a mut dyn FnMut(T);

/// A table, and what is done with it.
pub(super) struct Table {
    pub name: &'static str,
    pub count: Count,
    pub copy: Copy,
    pub compare: Compare,
}

/// What [`Table`] is made of.
trait Copied {
    type Row: Canonical;
    const NAME: &'static str;
    /// The rows after `after` in the order of their keys: a page of them, or all where a key is a text,
    /// because servers order texts by language.
    fn page(conn: &mut Conn, after: Option<&Self::Row>) -> QueryResult<Vec<Self::Row>>;
    fn insert(conn: &mut Conn, rows: Vec<Self::Row>) -> QueryResult<usize>;
    fn key(row: &Self::Row) -> Vec<&dyn Key>;
}

macro_rules! tables {
    ($($table:ident by $($key:ident $n:tt)+ $(, $paged:ident)?;)*) => {
        /// Every table of the town, those before others that they refer to.
        pub(super) const TABLES: &[Table] = &[$(Table {
            name: stringify!($table),
            count: |conn| with!(conn, c => schema::$table::table.count().get_result(c)),
            copy: copy::<$table>,
            compare: compare::<$table>,
        }),*];

        $(
            #[expect(non_camel_case_types, reason = "named as its table is")]
            struct $table;

            impl Copied for $table {
                type Row = <<schema::$table::table as AsQuery>::SqlType as Columns>::Row;
                const NAME: &'static str = stringify!($table);

                fn page(conn: &mut Conn, after: Option<&Self::Row>) -> QueryResult<Vec<Self::Row>> {
                    tables!(@page conn after $table ($($key $n)+) $($paged)?)
                }

                fn insert(conn: &mut Conn, rows: Vec<Self::Row>) -> QueryResult<usize> {
                    let rows: Vec<_> = rows
                        .into_iter()
                        .map(|row| schema::$table::all_columns.assign(row))
                        .collect();
                    with!(conn, c => diesel::insert_into(schema::$table::table).values(rows).execute(c))
                }

                fn key(row: &Self::Row) -> Vec<&dyn Key> {
                    vec![$(&row.$n),+]
                }
            }
        )*
    };
    (@page $conn:ident $after:ident $table:ident ($($key:ident $n:tt)+)) => {{
        if $after.is_some() {
            return Ok(Vec::new());
        }
        with!($conn, c => schema::$table::table.load::<Self::Row>(c))
    }};
    (@page $conn:ident $after:ident $table:ident ($key:ident $n:tt) paged) => {{
        use schema::$table::$key as key;
        let after = $after.map(|row| row.$n.clone());
        with!($conn, c => {
            let mut query = schema::$table::table.into_boxed();
            if let Some(after) = after {
                query = query.filter(key.gt(after));
            }
            query.order(key).limit(PAGE).load::<Self::Row>(c)
        })
    }};
    (@page $conn:ident $after:ident $table:ident ($key:ident $n:tt $second:ident $m:tt) paged) => {{
        use schema::$table::{$key as key, $second as second};
        let after = $after.map(|row| (row.$n.clone(), row.$m.clone()));
        with!($conn, c => {
            let mut query = schema::$table::table.into_boxed();
            if let Some((first, then)) = after {
                query = query.filter(key.gt(first).or(key.eq(first).and(second.gt(then))));
            }
            query.order((key, second)).limit(PAGE).load::<Self::Row>(c)
        })
    }};
}

tables! {
    meta by key 0;
    key_epochs by epoch 0, paged;
    coordinators by id 0, paged;
    neighbors by id 0, paged;
    requests by id 0, paged;
    rounds by request_id 0, paged;
    distinct_requests by request_id 0 other_id 1, paged;
    volunteers by id 0, paged;
    offers by id 0, paged;
    offer_capacity by offer_id 0 period_start 1, paged;
    sites by offer_id 0, paged;
    matches by id 0, paged;
    blocks by pair_hash 0, paged;
    letters by id 0, paged;
    departures by letter_id 0, paged;
    tokens by hash 0, paged;
    audit by seq 0, paged;
    audit_chain by number 0, paged;
    idempotency by key_hash 0, paged;
    statistics by day 0 category 1 close_reason 2;
    reports by id 0, paged;
    tasks by id 0, paged;
    areas by id 0, paged;
    plans by id 0, paged;
    plan_pairs by id 0, paged;
    imported_rows by row_hash 0, paged;
    imports by id 0, paged;
    import_parts by import_id 0 first_line 1, paged;
    webhooks by id 0, paged;
}

/// Tables about running processes. They stay behind: a process that starts reads everything anew, and says
/// that it is there.
pub(super) const LEFT: &[(&str, Count)] = &[
    (
        "changes",
        |conn| with!(conn, c => schema::changes::table.count().get_result(c)),
    ),
    (
        "instances",
        |conn| with!(conn, c => schema::instances::table.count().get_result(c)),
    ),
];

fn copy<T: Copied>(from: &mut Conn, to: &mut Conn, told: Told<'_, usize>) -> QueryResult<()> {
    let mut rows = T::page(from, None)?;
    while let Some(last) = rows.last() {
        // Before the rows are given away: the next page begins behind the last of them.
        let next = T::page(from, Some(last))?;
        let mut rest = rows.into_iter();
        loop {
            let some: Vec<_> = rest.by_ref().take(AT_ONCE).collect();
            if some.is_empty() {
                break;
            }
            told(T::insert(to, some)?);
        }
        rows = next;
    }
    Ok(())
}

fn compare<T: Copied>(
    from: &mut Conn,
    to: &mut Conn,
    told: Told<'_, usize>,
    found: Told<'_, Difference>,
) -> QueryResult<()> {
    let (mut ours, mut theirs) = (Walk::<T>::new(), Walk::<T>::new());
    let (mut one, mut other) = (ours.next(from)?, theirs.next(to)?);
    loop {
        let order = match (&one, &other) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.key.cmp(&other.key),
        };
        let fault = match order {
            Ordering::Less => one.as_ref().map(|row| (row, Kind::Missing)),
            Ordering::Greater => other.as_ref().map(|row| (row, Kind::Added)),
            Ordering::Equal => one
                .as_ref()
                .filter(|row| Some(row.hash) != other.as_ref().map(|row| row.hash))
                .map(|row| (row, Kind::Differs)),
        };
        if let Some((row, kind)) = fault {
            found(Difference {
                table: T::NAME,
                key: row.shown.clone(),
                kind,
            });
        }
        if order.is_le() {
            told(1);
            one = ours.next(from)?;
        }
        if order.is_ge() {
            other = theirs.next(to)?;
        }
    }
}

/// A table's rows one after the other, in the order of their keys.
struct Walk<T: Copied> {
    page: VecDeque<Seen>,
    last: Option<T::Row>,
    is_over: bool,
}

/// What is compared of a row.
struct Seen {
    key: Vec<u8>,
    shown: String,
    hash: blake3::Hash,
}

impl Seen {
    fn new<T: Copied>(row: &T::Row) -> Self {
        let columns = T::key(row);
        let mut key = Vec::new();
        for column in &columns {
            column.ordered(&mut key);
        }
        let shown: Vec<_> = columns.iter().map(|column| column.shown()).collect();
        let mut hasher = blake3::Hasher::new();
        row.feed(&mut hasher);
        Self {
            key,
            shown: shown.join(", "),
            hash: hasher.finalize(),
        }
    }
}

impl<T: Copied> Walk<T> {
    fn new() -> Self {
        Self {
            page: VecDeque::new(),
            last: None,
            is_over: false,
        }
    }

    fn next(&mut self, conn: &mut Conn) -> QueryResult<Option<Seen>> {
        if self.page.is_empty() && !self.is_over {
            let mut rows = T::page(conn, self.last.as_ref())?;
            let mut page: Vec<_> = rows.iter().map(Seen::new::<T>).collect();
            // Where not all databases order them alike, they came all at once.
            page.sort_unstable_by(|one, other| one.key.cmp(&other.key));
            self.page = page.into();
            self.last = rows.pop();
            self.is_over = self.last.is_none();
        }
        Ok(self.page.pop_front())
    }
}
