//! Pages of lists: `{items, next}`, newest first. The cursor is encrypted and bound to the list and
//! its filters, so that it tells nothing and works nowhere else.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::FieldErrors;
use super::problem::Problem;
use crate::actions::Ctx;
use crate::domain::clock::Ts;
use crate::domain::ids::RecordId;
use crate::storage::page::{Page, Position};

/// Rows on a page where the call does not say.
const DEFAULT: i64 = 50;
/// Rows on a page at the most.
const MAX: i64 = 200;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listing<T: ToSchema> {
    /// The rows, newest first.
    pub items: Vec<T>,
    /// Where the next page begins: send it as `cursor` with the same filters. Null on the last page.
    pub next: Option<String>,
}

/// What every list takes.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Paging {
    /// Rows on a page.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
}

impl Paging {
    /// The page asked for. `context` names the list and its filters.
    ///
    /// # Errors
    /// A limit out of range, or a cursor of another list.
    pub fn page(&self, ctx: &Ctx, context: &str) -> Result<Page, Problem> {
        let after = self.position::<Position>(ctx, context)?;
        Ok(Page {
            after,
            limit: self.limit()?,
        })
    }

    /// The limit asked for.
    ///
    /// # Errors
    /// A limit out of range.
    pub fn limit(&self) -> Result<i64, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT);
        let mut errors = FieldErrors::default();
        if !(1..=MAX).contains(&limit) {
            errors.push("limit", format!("must be from 1 to {MAX}"));
        }
        errors.finish(Some(limit))
    }

    /// Where the page before ended.
    ///
    /// # Errors
    /// A cursor of another list.
    pub fn position<P: serde::de::DeserializeOwned>(
        &self,
        ctx: &Ctx,
        context: &str,
    ) -> Result<Option<P>, Problem> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let mut errors = FieldErrors::default();
        let position = ctx.vault.opaque.show(context, cursor);
        if position.is_none() {
            errors.push(
                "cursor",
                "is not of this list with these filters; begin again without it",
            );
        }
        errors.finish(Some(position))
    }
}

/// Makes a page out of one row more than it holds.
pub fn listing<R, T: ToSchema>(
    ctx: &Ctx,
    context: &str,
    limit: i64,
    mut rows: Vec<R>,
    position: impl Fn(&R) -> (Ts, RecordId),
    mut view: impl FnMut(R) -> T,
) -> Listing<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).and_then(|last| {
        let (created_at, id) = position(last);
        ctx.vault
            .opaque
            .hide(ctx.entropy.as_ref(), context, &Position { created_at, id })
    });
    Listing {
        items: rows.into_iter().map(&mut view).collect(),
        next,
    }
}
