//! `GET /v1/needs`: how many neighbors need something, by cell. Small counts are merged into larger
//! cells, so that none points at a home; `counts` has the rules.

mod counts;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::counts::Snapshot;
use super::fields::FieldErrors;
use super::openapi::Problems;
use super::problem::Problem;
use crate::actions::Ctx;

/// Open needs by category and cell, as they were at some time of the present hour.
#[derive(Serialize, ToSchema)]
pub struct NeedCounts {
    /// Sorted by category, then by cell.
    items: Vec<NeedCount>,
}

/// How many neighbors need something of one category in one cell.
#[derive(Clone, Serialize, ToSchema)]
pub struct NeedCount {
    /// The category; sensitive ones are never counted.
    #[schema(example = "food")]
    category: String,
    /// The H3 cell; null for all the rest of the world.
    #[schema(example = "872649b2dffffff")]
    cell: Option<String>,
    /// At least so many different neighbors have open requests: a multiple of three.
    #[schema(example = 6)]
    open: usize,
}

/// Which needs.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeedQuery {
    category: Option<String>,
}

/// How many neighbors need something, by category and cell. Counted once an hour.
#[utoipa::path(get, path = "/v1/needs", tag = "anyone",
    params(("category" = Option<String>, Query, description = "Only of this category", example = "food")),
    responses((status = 200, description = "The counts", body = NeedCounts), Problems))]
pub async fn list(
    ctx: web::Data<Ctx>,
    snapshot: web::Data<Snapshot>,
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
    let wanted = query.category.as_deref();
    let mut items = snapshot.counts(&ctx).await?;
    items.retain(|item| wanted.is_none_or(|wanted| wanted == item.category));
    Ok(super::public(HttpResponse::Ok()).json(NeedCounts { items }))
}
