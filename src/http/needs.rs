//! `GET /v1/needs`: how many requests are open, by cell. Small counts are merged into larger cells, so
//! that none points at a home.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::FieldErrors;
use super::openapi::Problems;
use super::problem::Problem;
use crate::actions::Ctx;
use crate::domain::place::Cell;
use crate::storage::{StorageError, requests};

/// Counts below this are merged into the parent cell.
const LEAST: i64 = 3;

/// Open requests by category and cell.
#[derive(Serialize, ToSchema)]
pub struct NeedCounts {
    /// Sorted by category, then by cell.
    items: Vec<NeedCount>,
}

/// The open requests of one category in one cell.
#[derive(Serialize, ToSchema)]
pub struct NeedCount {
    /// The category; sensitive ones are never counted.
    #[schema(example = "food")]
    category: String,
    /// The H3 cell; null for all the rest of the world.
    #[schema(example = "872649b2dffffff")]
    cell: Option<String>,
    /// How many: three or more.
    open: i64,
}

/// Which needs.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeedQuery {
    category: Option<String>,
}

/// How many requests are open, by category and cell.
#[utoipa::path(get, path = "/v1/needs", tag = "anyone",
    params(("category" = Option<String>, Query, description = "Only of this category", example = "food")),
    responses((status = 200, description = "The counts", body = NeedCounts), Problems))]
pub async fn list(
    ctx: web::Data<Ctx>,
    query: web::Query<NeedQuery>,
) -> Result<HttpResponse, Problem> {
    let mut errors = FieldErrors::default();
    if query
        .category
        .as_deref()
        .is_some_and(|c| ctx.catalog.get(c).is_none())
    {
        errors.push("category", format!("must be one of {}", ctx.catalog.keys()));
    }
    errors.finish(Some(()))?;
    let categories: Vec<String> = ctx
        .catalog
        .iter()
        .filter(|c| {
            !c.policy.sensitive
                && query
                    .category
                    .as_deref()
                    .is_none_or(|wanted| wanted == c.key.as_str())
        })
        .map(|c| c.key.to_string())
        .collect();
    let items = ctx
        .db
        .read(move |conn| {
            let mut items = Vec::new();
            for category in categories {
                let counts = merged(requests::open_by_cell(conn, &category)?);
                items.extend(counts.into_iter().map(|(cell, open)| NeedCount {
                    category: category.clone(),
                    cell: cell.map(|c| c.to_string()),
                    open,
                }));
            }
            Ok::<_, StorageError>(items)
        })
        .await?;
    Ok(super::public(HttpResponse::Ok()).json(NeedCounts { items }))
}

/// Moves every count below [`LEAST`] to the parent cell, level by level. What is still too small over
/// all the world is left out.
fn merged(counts: Vec<(Cell, i64)>) -> BTreeMap<Option<Cell>, i64> {
    let mut done: BTreeMap<Option<Cell>, i64> = BTreeMap::new();
    let mut level: BTreeMap<Cell, i64> = BTreeMap::new();
    for (cell, open) in counts {
        *level.entry(cell).or_default() += open;
    }
    let mut rest = 0;
    while let Some(finest) = level.keys().map(|c| c.resolution()).max() {
        let (now, mut coarser): (BTreeMap<_, _>, BTreeMap<_, _>) = level
            .into_iter()
            .partition(|(cell, _)| cell.resolution() == finest);
        for (cell, open) in now {
            match cell.parent() {
                _ if open >= LEAST => {
                    done.insert(Some(cell), open);
                }
                Some(parent) => *coarser.entry(parent).or_default() += open,
                None => rest += open,
            }
        }
        level = coarser;
    }
    if rest >= LEAST {
        done.insert(None, rest);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::place::{CellSize, GeoPoint};

    #[test]
    fn no_cell_shows_fewer_than_three_and_none_is_counted_twice() {
        let size = CellSize::try_from(8).unwrap();
        let cell = |lat: f64| Cell::of(GeoPoint::parse(lat, -93.26).unwrap(), size);
        let counts = vec![
            (cell(44.95), 5),
            (cell(44.96), 1),
            (cell(44.97), 2),
            (cell(10.0), 1),
        ];
        let merged = merged(counts);
        assert!(merged.values().all(|n| *n >= LEAST));
        assert_eq!(merged.get(&Some(cell(44.95))), Some(&5));
        assert!(merged.values().sum::<i64>() <= 9);
    }
}
