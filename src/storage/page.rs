//! Keyset pages: newest first by (`created_at`, id), or oldest first, so that no page skips or repeats a row
//! while others are being written.

use crate::domain::clock::Ts;
use crate::domain::ids::RecordId;
use crate::domain::word::words;
use serde::{Deserialize, Serialize};

/// The last row of the page before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// When that row was created.
    pub created_at: Ts,
    /// Its id.
    pub id: RecordId,
}

words! {
    /// What a list begins with.
    #[derive(Default)]
    Order {
        /// What was posted last.
        #[default]
        Newest = "newest",
        /// What has waited longest.
        Oldest = "oldest",
    }
}

/// Which page of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Where the page before ended; none for the first page.
    pub after: Option<Position>,
    /// Rows on a page.
    pub limit: i64,
}

/// Narrows a boxed query to one page; asks for one row more than the page holds, which tells
/// whether there is another page.
macro_rules! page_of {
    ($query:expr, $table:ident, $page:expr) => {{
        let mut query = $query;
        if let Some(after) = $page.after {
            // The first of both lets the index begin where the page before ended.
            query = query
                .filter($table::created_at.le(after.created_at))
                .filter(
                    $table::created_at
                        .lt(after.created_at)
                        .or($table::id.lt(after.id)),
                );
        }
        query
            .order(($table::created_at.desc(), $table::id.desc()))
            .limit($page.limit + 1)
    }};
    (oldest: $query:expr, $table:ident, $page:expr) => {{
        let mut query = $query;
        if let Some(after) = $page.after {
            query = query
                .filter($table::created_at.ge(after.created_at))
                .filter(
                    $table::created_at
                        .gt(after.created_at)
                        .or($table::id.gt(after.id)),
                );
        }
        query
            .order(($table::created_at, $table::id))
            .limit($page.limit + 1)
    }};
}
pub(super) use page_of;
