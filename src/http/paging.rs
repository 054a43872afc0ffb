//! Pages of lists: `{items, next}`, newest first. The cursor is encrypted and bound to the list and
//! its filters, so that it tells nothing and works nowhere else.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{Schema, SchemaType};
use utoipa::openapi::{Array, ObjectBuilder, Ref, RefOr, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::problem::Problem;
use crate::actions::Ctx;
use crate::crypto::keys::Keys;
use crate::domain::clock::Ts;
use crate::domain::ids::RecordId;
use crate::storage::page::{Page, Position};
use crate::storage::{Conn, StorageError};

/// Rows on a page where the call does not say.
pub const DEFAULT: i64 = 50;
/// Rows on a page at the most.
pub const MAX: i64 = 200;

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct Listing<T> {
    /// The rows, newest first.
    pub items: Vec<T>,
    /// Where the next page begins: send it as `cursor` with the same filters. Null on the last page.
    pub next: Option<String>,
}

// By hand, because the derived one would write the whole row out instead of referring to it.
impl<T: ToSchema> PartialSchema for Listing<T> {
    fn schema() -> RefOr<Schema> {
        let items = Array::new(Ref::from_schema_name(T::name()));
        let next = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some(
                "Where the next page begins: send it as `cursor` with the same filters. Null on the last page.",
            ));
        ObjectBuilder::new()
            .description(Some("One page of a list, newest first."))
            .property("items", items)
            .required("items")
            .property("next", next)
            .required("next")
            .into()
    }
}

impl<T: ToSchema> ToSchema for Listing<T> {
    fn name() -> Cow<'static, str> {
        format!("{}List", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

/// The page that a call asks for.
#[derive(Clone, Debug)]
pub struct Asked<P = Position> {
    /// The list with its filters, to which cursors are bound.
    pub context: String,
    /// Where the page before ended; none for the first page.
    pub after: Option<P>,
    /// Rows on the page.
    pub limit: i64,
    /// What hides the next cursor as it has opened this one.
    pub(super) keys: Arc<Keys>,
}

impl Asked {
    /// The page as storage takes it.
    fn page(&self) -> Page {
        Page {
            after: self.after,
            limit: self.limit,
        }
    }

    /// Answers with the page: `read` takes its rows from storage, `place` tells where in the list a row
    /// stands, `show` makes the views.
    ///
    /// # Errors
    /// A failed query.
    pub async fn answer<R: 'static, V: Serialize + Send + 'static>(
        self,
        ctx: &Ctx,
        read: impl FnOnce(&mut Conn, Page) -> Result<Vec<R>, StorageError> + Send + 'static,
        place: fn(&R) -> Position,
        show: impl FnOnce(&mut Conn, Vec<R>) -> Result<Vec<V>, StorageError> + Send + 'static,
    ) -> Result<HttpResponse, Problem> {
        let page = self.page();
        let (items, last) = ctx
            .db
            .read(move |conn| {
                let mut rows = read(conn, page)?;
                let last = cut(page.limit, &mut rows, place);
                Ok::<_, StorageError>((show(conn, rows)?, last))
            })
            .await?;
        Ok(HttpResponse::Ok().json(self.listing(ctx, items, last)))
    }
}

impl<P: Serialize + for<'de> Deserialize<'de>> Asked<P> {
    /// The answer: the views of the page's rows, and a cursor if `last`, where the page ends, is not
    /// where the list ends.
    pub fn listing<T>(&self, ctx: &Ctx, items: Vec<T>, last: Option<P>) -> Listing<T> {
        let hide = |position| {
            let opaque = &self.keys.opaque;
            opaque.hide(ctx.entropy.as_ref(), &self.context, &position)
        };
        Listing {
            items,
            next: last.and_then(hide),
        }
    }
}

/// Cuts the one row off that storage gives beyond the page; tells where the page ends if there was one.
pub fn cut<R, P>(limit: i64, rows: &mut Vec<R>, position: impl Fn(&R) -> P) -> Option<P> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| has_more).map(position)
}

/// The position of a row in a list that is kept by its instant of creation.
#[must_use]
pub fn position(created_at: Ts, id: impl Into<RecordId>) -> Position {
    Position {
        created_at,
        id: id.into(),
    }
}

/// What every list takes, for the document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it only describes; `Filters` reads")]
pub struct Pages {
    /// Rows on a page.
    #[param(minimum = 1, maximum = 200, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: the `next` of the page before, with the same filters.
    pub cursor: Option<String>,
}
