//! The story in virtual time, told at once. The same seed gives the same story to the last letter.

use std::path::Path;
use std::time::Duration;

use tokio::sync::oneshot;

use super::figures::Figures;
use super::habits::Watched;
use super::screen::Screen;
use super::{Arguments, posts, settings};
use crate::cli::Failure;
use crate::cli::city::agenda::{City, Desk};
use crate::cli::city::{MONDAY, leaps};
use crate::domain::clock::Ts;
use crate::settings::Settings;

/// How much of the city's time is told.
const TOLD: Duration = Duration::from_hours(36);

/// Tells the story to its end, or to the first signal.
pub(super) async fn run(
    own: &Settings,
    home: &Path,
    arguments: &Arguments,
    mut stop: oneshot::Receiver<()>,
) -> Result<(City<Watched>, Figures), Failure> {
    let settings = settings(own, home, &[("outbox.parallel", "1".to_owned())])?;
    let start = Ts::from_micros(MONDAY * 1_000_000);
    let (ctx, transport, mut crew) = leaps::open(settings, start, arguments.seed).await?;
    let posts = posts(&ctx, start, arguments)?;
    let people = Watched::new(arguments.seed, Screen::open(arguments.json));
    let mut city = City::new(ctx, transport, people, Desk::Lists, posts).await?;
    crew.tell(&mut city, start.after(TOLD), |_| stop.try_recv().is_err())
        .await?;
    let figures = Figures::read(&city.ctx).await?;
    city.ctx.db.close();
    Ok((city, figures))
}
