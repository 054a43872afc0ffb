//! `manyhands coordinator`: who has an API token. Works on the database, so the service may be running.

mod limits;

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use humantime_serde::re::humantime::parse_duration;
use serde_json::json;

use self::limits::{LimitArguments, Limits, UNLIMITED, limit, told};
use super::{Config, Failure, failed, open_existing, print};
use crate::actions::add_coordinator::{NewCoordinator, add_coordinator};
use crate::actions::list_coordinators::{Listed, list_coordinators};
use crate::actions::revoke_coordinator::revoke_coordinator;
use crate::actions::rotate_coordinator::rotate_coordinator;
use crate::actions::set_digest::set_digest;
use crate::actions::{Ctx, Refusal};
use crate::app::{Parts, open};
use crate::domain::clock::Ts;
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
    /// Limit somebody of the scope `coordinator` to categories and areas, from their next call on. Replaces earlier limits.
    #[command(
        after_help = "Example:\n  manyhands coordinator limit 7f0c4e0a-5f0e-4b52-9a35-0b1f6c3f3a11 --category food --area 862649b2fffffff"
    )]
    Limit(LimitArguments),
    /// Whether somebody gets a letter each morning that says in numbers how it stands.
    #[command(
        after_help = "Example:\n  manyhands coordinator digest 7f0c4e0a-5f0e-4b52-9a35-0b1f6c3f3a11 off"
    )]
    Digest(DigestArguments),
    /// Give somebody a new token, printed this once. The old one is dead.
    #[command(
        after_help = "Example:\n  manyhands coordinator rotate 7f0c4e0a-5f0e-4b52-9a35-0b1f6c3f3a11 --expires 90d"
    )]
    Rotate(RotateArguments),
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
    /// For how long the token works, as in `90d` or `12h`; for good where it is left out.
    #[arg(long, value_name = "TIME", value_parser = term)]
    expires: Option<Duration>,
    #[command(flatten)]
    limits: Limits,
    /// They get no letter in the morning that says how it stands.
    #[arg(long)]
    no_digest: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct DigestArguments {
    /// Whose, as `coordinator list` shows it.
    id: CoordinatorId,
    /// Whether they get one.
    #[arg(value_enum)]
    wanted: Wanted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Wanted {
    /// One each morning.
    On,
    /// None.
    Off,
}

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RotateArguments {
    /// Whose, as `coordinator list` shows it.
    id: CoordinatorId,
    /// For how long the new token works; as long as the old one would have where it is left out.
    #[arg(long, value_name = "TIME", value_parser = term)]
    expires: Option<Duration>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// A time that is longer than nothing.
fn term(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text)
        .ok()
        .filter(|time| !time.is_zero())
        .ok_or("must be a time such as 90d or 12h")
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
    let ctx = match command {
        Command::Add(_) => open(config.settings()?, &Parts::default()).await?,
        _ => open_existing(config).await?,
    };
    match command {
        Command::Add(arguments) => add(&ctx, arguments).await,
        Command::List(arguments) => list(&ctx, &arguments).await,
        Command::Limit(arguments) => limit(&ctx, arguments).await,
        Command::Digest(arguments) => digest(&ctx, &arguments).await,
        Command::Rotate(arguments) => rotate(&ctx, &arguments).await,
        Command::Revoke(arguments) => revoke(&ctx, arguments.id).await,
    }
}

async fn add(ctx: &Ctx, arguments: AddArguments) -> Result<(), Failure> {
    let scope = Scope::from(arguments.scope);
    let new = NewCoordinator {
        name: arguments.name,
        email: arguments.email,
        scope,
        expires: arguments.expires,
        digest: !arguments.no_digest,
        part: arguments.limits.part(ctx)?,
    };
    let (id, token) =
        add_coordinator(ctx, new, Actor::OPERATOR)
            .await
            .map_err(|error| match error {
                TxError::Refused(Refusal::NotPossible) => anyhow::anyhow!(UNLIMITED).into(),
                other => failed(other),
            })?;
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
            .map(|one| {
                json!({
                    "id": one.row.id,
                    "scope": one.row.scope,
                    "created_at": one.row.created_at,
                    "revoked_at": one.row.revoked_at,
                    "state": state(one),
                    "digest": one.row.gets_digest(),
                    "limits": one.row.part.as_ref().map(|part| &part.0),
                    "expires_at": one.access.flatten(),
                    "name": one.secret.name.expose(),
                    "email": one.secret.email.expose(),
                })
            })
            .collect();
        print::json(&all.into());
        return Ok(());
    }
    let rows: Vec<_> = all
        .iter()
        .map(|one| {
            let day = |at: Ts| at.to_jiff().strftime("%Y-%m-%d").to_string();
            let until = one.access.flatten().map_or_else(|| "-".to_owned(), day);
            [
                one.row.id.to_string(),
                one.row.scope.to_string(),
                state(one).to_owned(),
                day(one.row.created_at),
                until,
                one.row
                    .part
                    .as_ref()
                    .map_or_else(|| "-".to_owned(), |part| told(&part.0)),
                one.secret.name.expose().to_owned(),
                one.secret.email.expose().to_owned(),
            ]
        })
        .collect();
    let heads = [
        "ID", "SCOPE", "STATE", "ADDED", "EXPIRES", "ONLY", "NAME", "E-MAIL",
    ];
    print::table(heads, &rows);
    Ok(())
}

fn state(one: &Listed) -> &'static str {
    match (one.row.revoked_at, one.access) {
        (Some(_), _) => "revoked",
        (None, Some(_)) => "active",
        (None, None) => "expired",
    }
}

async fn rotate(ctx: &Ctx, arguments: &RotateArguments) -> Result<(), Failure> {
    let id = arguments.id;
    let token = rotate_coordinator(ctx, id, arguments.expires, Actor::OPERATOR)
        .await
        .map_err(|error| match error {
            TxError::Refused(Refusal::NotFound) => {
                anyhow::anyhow!("no coordinator has the id {id}").into()
            }
            TxError::Refused(Refusal::NotPossible) => anyhow::anyhow!(
                "the access of {id} was revoked, or has expired: give --expires, or add them again"
            )
            .into(),
            other => failed(other),
        })?;
    if arguments.json {
        print::json(&json!({ "id": id, "token": token.expose() }));
    } else {
        print::note(
            "The old token is dead. The new one, which is shown this once and never again:",
        );
        print::line(token.expose());
    }
    Ok(())
}

async fn digest(ctx: &Ctx, arguments: &DigestArguments) -> Result<(), Failure> {
    let id = arguments.id;
    let wanted = arguments.wanted == Wanted::On;
    set_digest(ctx, id, wanted, Actor::OPERATOR)
        .await
        .map_err(|error| match error {
            TxError::Refused(Refusal::NotFound) => {
                anyhow::anyhow!("no coordinator has the id {id}").into()
            }
            TxError::Refused(Refusal::NotPossible) => {
                anyhow::anyhow!("the access of {id} was revoked").into()
            }
            other => failed(other),
        })?;
    match wanted {
        true => print::line(format_args!("{id} gets a letter each morning.")),
        false => print::line(format_args!("{id} gets no letter in the morning.")),
    }
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
