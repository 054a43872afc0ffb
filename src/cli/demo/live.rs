//! The story before your eyes: a real server, real workers, and a clock that runs faster.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::clock::ScaledClock;
use super::figures::Figures;
use super::habits::Watched;
use super::screen::Screen;
use super::{Arguments, posts, settings, table};
use crate::app::{Application, Parts};
use crate::cli::Failure;
use crate::cli::city::agenda::{City, Desk};
use crate::domain::availability::TimeZoneName;
use crate::domain::clock::{Clock, SystemClock, Ts};
use crate::settings::Settings;

/// When the story begins, after the city's midnight.
const MORNING: Duration = Duration::from_hours(8);
/// The longest that people look elsewhere, in real time.
const GLANCE: Duration = Duration::from_millis(100);
/// How often the table is drawn anew on a terminal, in real time.
const REDRAW: Duration = Duration::from_millis(500);
/// How often it is printed elsewhere, in the city's time.
const REPRINT: Duration = Duration::from_hours(1);

/// Tells the story until a signal comes.
pub(super) async fn run(
    own: &Settings,
    home: &Path,
    arguments: &Arguments,
    stop: oneshot::Receiver<()>,
) -> Result<(City<Watched>, Figures), Failure> {
    let address = arguments
        .bind
        .map_or_else(free_address, Ok)
        .map_err(anyhow::Error::from)?;
    let settings = settings(
        own,
        home,
        &[
            ("server.bind", address.to_string()),
            ("server.admin_bind", "127.0.0.1:0".to_owned()),
            ("server.public_url", format!("http://{address}")),
        ],
    )?;
    let start = this_morning(&settings.area.timezone);
    let clock = Arc::new(ScaledClock::new(start, arguments.speed * 60.0));
    // Tokens come from the system's randomness: strangers may reach the address.
    let parts = Parts {
        clock: Arc::clone(&clock) as _,
        ..Parts::default()
    };
    let application = Application::build(settings, parts).await?;
    let ctx = application.ctx().clone();
    let posts = posts(&ctx, start, arguments)?;
    let transport = Arc::clone(application.transport());
    let people = Watched::new(arguments.seed, Screen::open(arguments.json));
    let mut city = City::new(ctx, transport, people, Desk::Lists, posts).await?;
    welcome(&city, address, arguments);
    let (end, ended) = oneshot::channel::<()>();
    let serving = tokio::spawn(application.run_until_stopped(async {
        // A sender that is gone means the end as well.
        let _ = ended.await;
    }));
    let told = tokio::select! {
        told = tell(&mut city, &clock) => told,
        _ = stop => Ok(()),
    };
    // Read before the service closes the database, which ends with it.
    let figures = Figures::read(&city.ctx).await;
    drop(end);
    let served = serving.await.map_err(anyhow::Error::from)?;
    told?;
    served.map_err(anyhow::Error::from)?;
    Ok((city, figures?))
}

/// Port 8080 of this machine, or any that is free.
fn free_address() -> std::io::Result<SocketAddr> {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
    match TcpListener::bind(usual) {
        Ok(_) => Ok(usual),
        Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr(),
    }
}

/// Eight o'clock today, so that what is due in the hours of asking is seen at once.
fn this_morning(zone: &TimeZoneName) -> Ts {
    zone.day_start(SystemClock.now()).after(MORNING)
}

fn welcome(city: &City<Watched>, address: SocketAddr, arguments: &Arguments) {
    let lines = [
        format!(
            "A made-up city in deep cold: {} offers and {} needs arrive within ten hours of its time.",
            arguments.offers, arguments.requests
        ),
        format!(
            "One real second is {} of its minutes. Ctrl-C ends it.",
            arguments.speed
        ),
        String::new(),
        format!("  Pages         http://{address}/"),
        format!("  API, by hand  http://{address}/docs"),
        format!("  OpenAPI       http://{address}/openapi.json"),
        format!("  Sites         http://{address}/v1/sites"),
        format!(
            "  Coordinator   Authorization: Bearer {}",
            city.coordinator_token.expose()
        ),
        String::new(),
    ];
    city.habits.screen.line(&lines.join("\n"));
}

/// Lets people live, and shows how they stand.
async fn tell(city: &mut City<Watched>, clock: &ScaledClock) -> anyhow::Result<()> {
    let mut drawn: Option<(std::time::Instant, Ts)> = None;
    loop {
        city.act().await?;
        city.read_letters().await?;
        let now = clock.now();
        let is_stale = drawn.is_none_or(|(real, at)| {
            if city.habits.screen.redraws() {
                real.elapsed() >= REDRAW
            } else {
                now.since(at) >= REPRINT
            }
        });
        if is_stale {
            let table = table(city).await?;
            city.habits.screen.table(&table);
            drawn = Some((std::time::Instant::now(), now));
        }
        let wait = city
            .next()
            .map_or(GLANCE, |at| clock.really(at.since(clock.now())));
        tokio::time::sleep(wait.clamp(Duration::from_millis(5), GLANCE)).await;
    }
}
