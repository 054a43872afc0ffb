//! `manyhands coordinator`: who has an API token. Works on the database, so the service may be running.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::{Config, Failure, failed, open_existing, print};
use crate::actions::add_coordinator::{NewCoordinator, add_coordinator};
use crate::actions::list_coordinators::list_coordinators;
use crate::actions::revoke_coordinator::revoke_coordinator;
use crate::actions::{Ctx, Refusal};
use crate::app::{Parts, open};
use crate::domain::contact::{EmailAddress, PersonName};
use crate::domain::ids::CoordinatorId;
use crate::storage::TxError;
use crate::storage::audit::Actor;
use crate::storage::coordinators::Scope;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Let somebody coordinate. Prints their token, this once and never again.
    #[command(
        after_help = "Example:\n  manyhands coordinator add \"Ana Reyes\" --email ana@example.org --scope coordinator"
    )]
    Add(AddArguments),
    /// Everybody who coordinates, or did.
    #[command(after_help = "Example:\n  manyhands coordinator list --json")]
    List(ListArguments),
    /// End somebody's access at once.
    #[command(
        after_help = "Example:\n  manyhands coordinator revoke 7f0c4e0a-5f0e-4b52-9a35-0b1f6c3f3a11"
    )]
    Revoke(RevokeArguments),
}

#[derive(Debug, Args)]
pub(super) struct AddArguments {
    /// What the audit's readers call them.
    #[arg(value_parser = PersonName::parse)]
    name: PersonName,
    /// Where reviews are announced.
    #[arg(long, value_parser = EmailAddress::parse)]
    email: EmailAddress,
    /// What they may do; each scope includes those before it.
    #[arg(long, value_enum, default_value_t)]
    scope: ScopeArgument,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RevokeArguments {
    /// Whose, as `coordinator list` shows it.
    id: CoordinatorId,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum ScopeArgument {
    /// Enters posts for callers.
    Intake,
    /// Reviews matches, manages posts and people.
    #[default]
    Coordinator,
    /// Everything.
    Admin,
}

impl From<ScopeArgument> for Scope {
    fn from(scope: ScopeArgument) -> Self {
        match scope {
            ScopeArgument::Intake => Self::Intake,
            ScopeArgument::Coordinator => Self::Coordinator,
            ScopeArgument::Admin => Self::Admin,
        }
    }
}

pub(super) async fn run(config: &Config, command: Command) -> Result<(), Failure> {
    let settings = config.settings()?;
    let ctx = match command {
        Command::Add(_) => open(settings, &Parts::default()).await?,
        _ => open_existing(settings).await?,
    };
    match command {
        Command::Add(arguments) => add(&ctx, arguments).await,
        Command::List(arguments) => list(&ctx, &arguments).await,
        Command::Revoke(arguments) => revoke(&ctx, arguments.id).await,
    }
}

async fn add(ctx: &Ctx, arguments: AddArguments) -> Result<(), Failure> {
    let scope = Scope::from(arguments.scope);
    let new = NewCoordinator {
        name: arguments.name,
        email: arguments.email,
        scope,
    };
    let (id, token) = add_coordinator(ctx, new, Actor::OPERATOR)
        .await
        .map_err(failed)?;
    if arguments.json {
        print::json(&json!({ "id": id, "scope": scope, "token": token.expose() }));
    } else {
        print::note(format_args!("Added with scope {scope}, id {id}."));
        print::note("The token, which is shown this once and never again:");
        print::line(token.expose());
    }
    Ok(())
}

async fn list(ctx: &Ctx, arguments: &ListArguments) -> Result<(), Failure> {
    let all = list_coordinators(ctx).await.map_err(anyhow::Error::from)?;
    if arguments.json {
        let all: Vec<_> = all
            .iter()
            .map(|(row, secret)| {
                json!({
                    "id": row.id,
                    "scope": row.scope,
                    "created_at": row.created_at,
                    "revoked_at": row.revoked_at,
                    "name": secret.name.expose(),
                    "email": secret.email.expose(),
                })
            })
            .collect();
        print::json(&all.into());
        return Ok(());
    }
    let rows: Vec<_> = all
        .iter()
        .map(|(row, secret)| {
            let state = if row.revoked_at.is_some() {
                "revoked"
            } else {
                "active"
            };
            [
                row.id.to_string(),
                row.scope.to_string(),
                state.to_owned(),
                row.created_at.to_jiff().strftime("%Y-%m-%d").to_string(),
                secret.name.expose().to_owned(),
                secret.email.expose().to_owned(),
            ]
        })
        .collect();
    print::table(["ID", "SCOPE", "STATE", "ADDED", "NAME", "E-MAIL"], &rows);
    Ok(())
}

async fn revoke(ctx: &Ctx, id: CoordinatorId) -> Result<(), Failure> {
    revoke_coordinator(ctx, id, Actor::OPERATOR)
        .await
        .map_err(|error| match error {
            TxError::Refused(Refusal::NotFound) => {
                anyhow::anyhow!("no coordinator has the id {id}").into()
            }
            other => failed(other),
        })?;
    print::line(format_args!("Revoked {id}."));
    Ok(())
}
