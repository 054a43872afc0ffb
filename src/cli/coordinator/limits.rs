//! What a coordinator is limited to: `--category` and `--area`.

use clap::Args;

use super::{Failure, failed, print};
use crate::actions::limit_coordinator::limit_coordinator;
use crate::actions::{Ctx, Refusal};
use crate::domain::ids::CoordinatorId;
use crate::domain::part::Part;
use crate::domain::place::Cell;
use crate::storage::TxError;
use crate::storage::audit::Actor;

/// Why some are refused.
pub(super) const UNLIMITED: &str = "only the scope coordinator can be limited: administrators reach everything, and intake what they have entered";

/// A part of the work.
#[derive(Debug, Args)]
pub(in crate::cli) struct Limits {
    /// Only this category; may be given several times. Without any, all but the sensitive ones.
    #[arg(long, value_name = "KEY")]
    category: Vec<String>,
    /// Only within this H3 cell; may be given several times. Without any, everywhere.
    #[arg(long, value_name = "CELL")]
    area: Vec<Cell>,
}

impl Limits {
    /// The part.
    ///
    /// # Errors
    /// A category that is not there, or an area that no post can be in.
    pub(super) fn part(self, ctx: &Ctx) -> Result<Part, Failure> {
        for key in &self.category {
            if ctx.catalog.get(key).is_none() {
                let keys = ctx.catalog.keys();
                return Err(anyhow::anyhow!("--category must be one of {keys}").into());
            }
        }
        let finest = u8::from(ctx.settings.area.cell_resolution);
        if self.area.iter().any(|area| area.resolution() > finest) {
            return Err(anyhow::anyhow!(
                "--area must be no finer than the cells of posts, which are of resolution {finest}"
            )
            .into());
        }
        Ok(Part {
            categories: Some(self.category).filter(|all| !all.is_empty()),
            areas: Some(self.area).filter(|all| !all.is_empty()),
        })
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct LimitArguments {
    /// Whose, as `coordinator list` shows it.
    id: CoordinatorId,
    #[command(flatten)]
    limits: Limits,
    /// Everything again.
    #[arg(long, conflicts_with_all = ["category", "area"])]
    no_limits: bool,
}

pub(super) async fn limit(ctx: &Ctx, arguments: LimitArguments) -> Result<(), Failure> {
    let id = arguments.id;
    let part = arguments.limits.part(ctx)?;
    if part.is_all() && !arguments.no_limits {
        return Err(anyhow::anyhow!("give --category, --area, or --no-limits").into());
    }
    limit_coordinator(ctx, id, part.clone(), Actor::OPERATOR)
        .await
        .map_err(|error| match error {
            TxError::Refused(Refusal::NotFound) => {
                anyhow::anyhow!("no coordinator has the id {id}").into()
            }
            TxError::Refused(Refusal::NotPossible) => anyhow::anyhow!(UNLIMITED).into(),
            other => failed(other),
        })?;
    print::line(format_args!("{id} reaches {}.", told(&part)));
    Ok(())
}

/// A part in one line.
pub(super) fn told(part: &Part) -> String {
    let categories = part.categories.as_ref().map_or_else(
        || "all but sensitive categories".to_owned(),
        |all| all.join(", "),
    );
    match &part.areas {
        _ if part.is_all() => "everything".to_owned(),
        None => categories,
        Some(areas) => {
            let areas: Vec<String> = areas.iter().map(ToString::to_string).collect();
            format!("{categories} in {}", areas.join(", "))
        }
    }
}
