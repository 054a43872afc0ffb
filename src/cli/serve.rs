//! `manyhands serve`: the service, until it is told to stop.

use std::io;
use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::{Config, Failure};
use crate::app::{Application, Parts, Role};
use crate::settings::Settings;
use crate::telemetry;

#[derive(Debug, Default, Args)]
pub(super) struct Arguments {
    /// Which part of the work this process does.
    #[arg(long, value_enum, default_value_t, value_name = "ROLE")]
    role: RoleArgument,
    /// Where people are answered; stronger than the setting.
    #[arg(long, value_name = "ADDRESS:PORT")]
    bind: Option<SocketAddr>,
    /// Where health checks and metrics are answered; stronger than the setting.
    #[arg(long, value_name = "ADDRESS:PORT")]
    admin_bind: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum RoleArgument {
    /// Everything.
    #[default]
    All,
    /// Answers people.
    Http,
    /// Matches, sends letters, keeps house.
    Worker,
}

impl From<RoleArgument> for Role {
    fn from(role: RoleArgument) -> Self {
        match role {
            RoleArgument::All => Self::All,
            RoleArgument::Http => Self::Http,
            RoleArgument::Worker => Self::Worker,
        }
    }
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let addresses = [
        ("server.bind", arguments.bind),
        ("server.admin_bind", arguments.admin_bind),
    ];
    let flags = addresses
        .into_iter()
        .filter_map(|(key, address)| Some((key.to_owned(), address?.to_string())))
        .collect();
    let settings = Settings::load(config.sources(flags))?;
    telemetry::log_to_stderr(&settings.log).map_err(anyhow::Error::from)?;
    log_panics();
    // From here on, so that a stop is heard during the start as well, and by process 1, for which the
    // system does nothing by itself.
    let mut stop = stop_signal().map_err(anyhow::Error::from)?;
    let parts = Parts {
        role: arguments.role.into(),
        ..Parts::default()
    };
    let application = tokio::select! {
        built = Application::build(settings, parts) => built?,
        _ = &mut stop => return Ok(()),
    };
    let stop = async {
        // The sender waits for a signal as long as the process lives.
        let _ = stop.await;
    };
    let ran = application.run_until_stopped(stop).await;
    Ok(ran.map_err(anyhow::Error::from)?)
}

/// Told by the first SIGTERM or SIGINT. The second one ends the process at once, which loses nothing
/// that was acknowledged.
pub(super) fn stop_signal() -> io::Result<oneshot::Receiver<()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        either(&mut terminate, &mut interrupt).await;
        // Nobody listens where the service has ended by itself.
        let _ = tell.send(());
        either(&mut terminate, &mut interrupt).await;
        tracing::warn!("a second signal: ended at once");
        std::process::exit(1);
    });
    Ok(told)
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

/// Logs where the program panicked and not with which words: those may hold what somebody wrote.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(panic.location = location, "the program panicked");
    }));
}
