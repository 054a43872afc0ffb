//! Whether rows are of a part of what there is, as a condition that any query may have.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Text};

use crate::domain::part::Part;
use crate::domain::place::Cell;

/// The columns of a post's category and cell name one of the part.
pub(super) fn in_part<K, C>(category: K, cell: C, part: &Part) -> InPart<K, C> {
    let spans = |areas: &Vec<Cell>| areas.iter().flat_map(|area| area.spans()).collect();
    InPart {
        category,
        cell,
        categories: part.categories.clone(),
        spans: part.areas.as_ref().map(spans),
    }
}

/// See [`in_part`].
#[derive(Clone, Debug)]
pub(super) struct InPart<K, C> {
    category: K,
    cell: C,
    categories: Option<Vec<String>>,
    /// The first and the last number of the cells of each size in each area.
    spans: Option<Vec<(i64, i64)>>,
}

/// Texts of longer conditions are rare, and not worth keeping.
const KEPT_UP_TO: usize = 32;

impl<K: Expression, C: Expression> Expression for InPart<K, C> {
    type SqlType = Bool;
}

impl<K, C, S: ?Sized> AppearsOnTable<S> for InPart<K, C>
where
    K: AppearsOnTable<S>,
    C: AppearsOnTable<S>,
{
}

impl<K, C, S: ?Sized> SelectableExpression<S> for InPart<K, C>
where
    K: SelectableExpression<S>,
    C: SelectableExpression<S>,
{
}

impl<K, C, G> ValidGrouping<G> for InPart<K, C>
where
    K: ValidGrouping<G>,
{
    type IsAggregate = K::IsAggregate;
}

impl<K, C> QueryId for InPart<K, C> {
    type QueryId = ();
    // Its text depends on how much the part names; it is known by that.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<K, C, DB> QueryFragment<DB> for InPart<K, C>
where
    DB: Backend + HasSqlType<Text> + HasSqlType<BigInt>,
    K: QueryFragment<DB>,
    C: QueryFragment<DB>,
    String: ToSql<Text, DB>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("(1=1");
        if let Some(categories) = &self.categories {
            out.push_sql(if categories.is_empty() {
                " AND (1=0"
            } else {
                " AND ("
            });
            for (nth, category) in categories.iter().enumerate() {
                out.push_sql(if nth > 0 { " OR " } else { "" });
                self.category.walk_ast(out.reborrow())?;
                out.push_sql(" = ");
                out.push_bind_param::<Text, String>(category)?;
            }
            out.push_sql(")");
        }
        if let Some(spans) = &self.spans {
            if spans.len() > KEPT_UP_TO {
                out.unsafe_to_cache_prepared();
            }
            out.push_sql(if spans.is_empty() {
                " AND (1=0"
            } else {
                " AND ("
            });
            for (nth, (first, last)) in spans.iter().enumerate() {
                out.push_sql(if nth > 0 { " OR " } else { "" });
                self.cell.walk_ast(out.reborrow())?;
                out.push_sql(" BETWEEN ");
                out.push_bind_param::<BigInt, i64>(first)?;
                out.push_sql(" AND ");
                out.push_bind_param::<BigInt, i64>(last)?;
            }
            out.push_sql(")");
        }
        out.push_sql(")");
        Ok(())
    }
}
