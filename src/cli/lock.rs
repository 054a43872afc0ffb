//! `manyhands lock` and `manyhands unlock`: for when somebody is at the door.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Config, Failure, existing, failed, print, waiting};
use crate::actions::activate_key::ALIVE;
use crate::actions::register_keys::register_keys;
use crate::actions::{Ctx, lock};
use crate::app::{Parts, data_dir, open_locked};
use crate::crypto::keyring::KeyRing;
use crate::storage::{Conn, StorageError, TxError, clocks, instances};

/// How long the processes may take to drop their keys, or to find them again.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(super) struct LockArguments {
    /// Take the key ring away as well: copy it to this file, which must not be there yet, overwrite the
    /// one here and remove it.
    #[arg(long, value_name = "FILE")]
    take_ring: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct UnlockArguments {
    /// Bring the key ring back: copy it from this file to where it belongs.
    #[arg(long, value_name = "FILE")]
    ring: Option<PathBuf>,
}

pub(super) async fn lock(config: &Config, arguments: LockArguments) -> Result<(), Failure> {
    // Without the ring: it may be damaged or gone, and this must work all the same.
    let ctx = open_locked(existing(config)?, &Parts::default()).await?;
    if !lock::lock(&ctx).await.map_err(failed)? {
        print::line("It is locked already.");
    }
    let left = wait_until(&ctx, "Locking", false).await?;
    if left > 0 {
        print::note(format_args!(
            "warning: {left} processes have not said that they dropped their keys: stop them, unless one was killed just now"
        ));
    } else {
        print::line("Locked: no process holds a key, and nobody is answered.");
    }
    let path = ctx.settings.keys.path.clone();
    if let Some(target) = arguments.take_ring {
        let data_dir = data_dir(&ctx.settings.database.url());
        let ring = KeyRing::load(&path, None).map_err(anyhow::Error::from)?;
        ring.put(&target, data_dir.as_deref())
            .map_err(anyhow::Error::from)?;
        KeyRing::shred(&path).map_err(anyhow::Error::from)?;
        print::line(format_args!(
            "The key ring of this machine is in {} alone.",
            target.display()
        ));
        if ctx.db.is_on_server() {
            print::note(
                "Other machines that serve this database have key rings of their own: take them away there too.",
            );
        }
    } else if path.exists() {
        print::note(format_args!(
            "The key ring is still in {}: who has this machine has it (--take-ring FILE takes it away).",
            path.display()
        ));
    }
    if left > 0 { Err(Failure::Said) } else { Ok(()) }
}

pub(super) async fn unlock(config: &Config, arguments: UnlockArguments) -> Result<(), Failure> {
    let ctx = open_locked(existing(config)?, &Parts::default()).await?;
    let path = &ctx.settings.keys.path;
    let data_dir = data_dir(&ctx.settings.database.url());
    let ring = match &arguments.ring {
        Some(source) => KeyRing::read_stick(source),
        None => KeyRing::load(path, data_dir.as_deref()),
    };
    let ring = ring.map_err(anyhow::Error::from)?;
    // Before it is put in its place: another one must not end there.
    register_keys(&ctx.db, ring.clone(), ctx.now())
        .await
        .map_err(|error| match error {
            TxError::Refused(why) => {
                let from = arguments.ring.as_ref().unwrap_or(path);
                anyhow::anyhow!("key ring {} {why}", from.display())
            }
            TxError::Storage(error) => error.into(),
        })?;
    if arguments.ring.is_some() {
        ring.put(path, data_dir.as_deref())
            .map_err(anyhow::Error::from)?;
    }
    if !lock::unlock(&ctx).await.map_err(failed)? {
        print::line("It is not locked.");
        return Ok(());
    }
    let left = wait_until(&ctx, "Unlocking", true).await?;
    if left > 0 {
        print::note(format_args!(
            "warning: {left} processes have not said that they found their keys: see their logs, unless one was killed just now"
        ));
    }
    print::line("Unlocked.");
    Ok(())
}

/// Waits until every process has keys, or none has; gives how many are left.
async fn wait_until(ctx: &Ctx, what: &'static str, with_keys: bool) -> Result<usize, Failure> {
    waiting(what, PATIENCE, async || {
        let own = ctx.now();
        let read = move |conn: &mut Conn| {
            let since = clocks::judge(conn, own)?.before(ALIVE);
            Ok::<_, StorageError>(instances::seen_since(conn, since)?)
        };
        let present = ctx.db.read(read).await.map_err(anyhow::Error::from)?;
        Ok(present
            .iter()
            .filter(|instance| instance.active_epoch.is_some() != with_keys)
            .count())
    })
    .await
}
