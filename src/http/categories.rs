//! `GET /v1/categories`: the kinds of aid, with their attributes, as this instance has them.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::Problems;
use super::problem::Problem;
use crate::actions::Ctx;
use crate::domain::attribute::{Attribute, AttributeType, Rule, Values};
use crate::domain::category::{CallFirst, Category, Review, Travels};
use crate::domain::need::Handover;

/// All kinds of aid.
#[derive(Serialize, ToSchema)]
pub struct CategoryList {
    /// In the operator's order.
    items: Vec<CategoryView>,
}

/// A kind of aid.
#[derive(Serialize, ToSchema)]
pub struct CategoryView {
    /// Its name in calls.
    #[schema(example = "food")]
    key: String,
    /// Its name for people.
    title: String,
    /// What it is.
    description: String,
    /// What is counted.
    #[schema(example = "meal")]
    unit: String,
    /// Who travels.
    travels: Travels,
    /// Whether a coordinator looks at every match.
    review: Review,
    /// Whether only vetted volunteers are asked.
    vetted_only: bool,
    /// When a neighbor whose contact nobody has checked is called before anybody is asked.
    call_first: CallFirst,
    /// Whether it is kept out of everything public.
    sensitive: bool,
    /// Where it changes hands where the request does not say.
    handover: Handover,
    /// Where it may change hands.
    handovers: Vec<Handover>,
    /// The reach of an offer that does not say, in meters.
    default_reach_m: i32,
    /// The largest reach of an offer, in meters.
    max_reach_m: i32,
    /// How far a neighbor travels who does not say, in meters.
    default_travel_m: i32,
    /// The largest quantity of a request.
    max_quantity: i32,
    /// The largest capacity of an offer.
    max_capacity: i32,
    /// Whether the helper must be there for the whole of a time that a request names, if it does not say.
    throughout: bool,
    /// What may be required and provided.
    attributes: Vec<AttributeView>,
}

/// An attribute of a category.
#[derive(Serialize, ToSchema)]
pub struct AttributeView {
    /// Its name in calls.
    #[schema(example = "diet")]
    name: String,
    /// Its name for people.
    title: String,
    /// What kind of value it takes.
    #[serde(rename = "type")]
    kind: AttributeType,
    /// How a requirement is met.
    rule: Rule,
    /// The words it takes, for `enum` and `set`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<String>,
}

impl From<&Category> for CategoryView {
    fn from(c: &Category) -> Self {
        let policy = &c.policy;
        Self {
            key: c.key.to_string(),
            title: c.title.clone(),
            description: c.description.clone(),
            unit: c.unit.clone(),
            travels: policy.travels,
            review: policy.review,
            vetted_only: policy.vetted_only,
            call_first: policy.call_first,
            sensitive: policy.sensitive,
            handover: policy.handover,
            handovers: policy.handovers.clone(),
            default_reach_m: policy.default_reach.meters(),
            max_reach_m: policy.max_reach.meters(),
            default_travel_m: policy.default_travel.meters(),
            max_quantity: policy.max_quantity.get(),
            max_capacity: policy.max_capacity.get(),
            throughout: policy.throughout,
            attributes: c.attributes.iter().map(AttributeView::from).collect(),
        }
    }
}

impl From<&Attribute> for AttributeView {
    fn from(a: &Attribute) -> Self {
        let options = match &a.values {
            Values::Enum(words) | Values::Set(words) => words.clone(),
            Values::Bool | Values::Number(_) | Values::Range(_) => Vec::new(),
        };
        Self {
            name: a.name.clone(),
            title: a.title.clone(),
            kind: a.values.kind(),
            rule: a.rule,
            options,
        }
    }
}

/// The kinds of aid.
#[utoipa::path(get, path = "/v1/categories", tag = "anyone",
    responses((status = 200, description = "The kinds of aid", body = CategoryList), Problems))]
pub async fn list(ctx: web::Data<Ctx>) -> Result<HttpResponse, Problem> {
    let items = ctx.catalog.iter().map(CategoryView::from).collect();
    Ok(super::public(HttpResponse::Ok()).json(CategoryList { items }))
}
