//! `manyhands doctor`: whether everything is there that the service needs.
//!
//! To add a check: a function in `checks` that gives a [`Finding`], and a line in [`examine`].

mod checks;
mod live;
mod server;

use clap::Args;
use serde_json::json;

use super::{Config, Failure, print};
use crate::actions::trust_clock::trust_clock;
use crate::app::{Parts, open};
use crate::settings::Settings;
use crate::storage::audit::Actor;
use crate::storage::{Db, TxError};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only ask the running service whether it is ready: 0 if so, else 1.
    #[arg(long, conflicts_with = "clock_is_right")]
    live: bool,
    /// Confirm, after the clock has leapt, that it is right: closing and erasing go on.
    #[arg(long)]
    clock_is_right: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// What a check has found.
#[derive(Clone, Debug)]
struct Finding {
    /// What was looked at.
    name: &'static str,
    /// How it is.
    level: Level,
    /// More about it.
    detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Ok,
    Warn,
    Fail,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl Finding {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        let (level, detail) = (Level::Ok, detail.into());
        Self {
            name,
            level,
            detail,
        }
    }

    fn warn(name: &'static str, detail: impl Into<String>) -> Self {
        let level = Level::Warn;
        Self {
            level,
            ..Self::ok(name, detail)
        }
    }

    fn fail(name: &'static str, detail: impl Into<String>) -> Self {
        let level = Level::Fail;
        Self {
            level,
            ..Self::ok(name, detail)
        }
    }
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let settings = config.settings()?;
    if arguments.live {
        let finding = live::ask(settings.server.admin_bind);
        return show(&[finding], arguments.json);
    }
    if arguments.clock_is_right {
        confirm_clock(settings.clone()).await?;
    }
    show(&examine(&settings).await, arguments.json)
}

async fn confirm_clock(settings: Settings) -> Result<(), Failure> {
    let ctx = open(settings, &Parts::default()).await?;
    trust_clock(&ctx, Actor::OPERATOR)
        .await
        .map_err(|error| match error {
            TxError::Refused(refusal) => anyhow::Error::from(refusal),
            TxError::Storage(error) => error.into(),
        })?;
    Ok(())
}

async fn examine(settings: &Settings) -> Vec<Finding> {
    let mut findings = checks::settings(settings);
    findings.extend([
        checks::categories(settings),
        checks::postal_codes(settings),
        checks::key_ring(settings),
    ]);
    let url = settings.database.url();
    let schema = if let Some(server) = url.server() {
        let (told, has_tables) = server::examine(server).await;
        findings.extend(told);
        has_tables.map(|has_tables| checks::schema(settings, has_tables))
    } else {
        findings.push(checks::disk(settings));
        Some(checks::schema(settings, true))
    };
    let is_there = schema
        .as_ref()
        .is_some_and(|schema| schema.level == Level::Ok);
    findings.extend(schema);
    if is_there {
        findings.extend(checks::integrity(settings).await);
        // The schema is up to date, so that opening it changes nothing.
        match Db::open(&url) {
            Ok(db) => {
                findings.extend(checks::contents(&db, settings).await);
                if let Some(server) = url.server() {
                    findings.push(server::connections(&db, server).await);
                }
            }
            Err(error) => findings.push(Finding::fail("database", error.to_string())),
        }
    }
    findings.push(checks::mail(settings).await);
    findings
}

fn show(findings: &[Finding], as_json: bool) -> Result<(), Failure> {
    if as_json {
        let all: Vec<_> = findings
            .iter()
            .map(|f| json!({ "check": f.name, "level": f.level.as_str(), "detail": f.detail }))
            .collect();
        print::json(&all.into());
    } else {
        for finding in findings {
            print::line(format_args!(
                "{:4}  {:12}  {}",
                finding.level.as_str(),
                finding.name,
                finding.detail
            ));
        }
    }
    if findings.iter().any(|f| f.level == Level::Fail) {
        Err(Failure::Said)
    } else {
        Ok(())
    }
}
