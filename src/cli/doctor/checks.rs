//! What the doctor looks at. Nothing here changes anything, except a file that is written to try the
//! disk and removed at once.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Finding;
use crate::actions::register_keys::fits;
use crate::app::{data_dir, read_catalog, read_gazetteer};
use crate::crypto::keyring::KeyRing;
use crate::domain::clock::{Clock, SystemClock, Ts};
use crate::mail::transport::Transport;
use crate::settings::Settings;
use crate::settings::mail::TransportKind;
use crate::storage::key_epochs::KeyEpoch;
use crate::storage::letters::{self, LetterState};
use crate::storage::{Db, StorageError, backup, key_epochs, meta};
use crate::workers::housekeeping::LONGEST_LEAP;

/// How late a key may be destroyed, or wait for a process, before somebody should look.
const KEY_PATIENCE: Duration = Duration::from_hours(24);
/// 2026-01-01 in seconds since 1970: no clock that is right shows less.
const EARLIEST: i64 = 1_767_225_600;
/// A letter that waits longer than this waits for a reason.
const LONG_WAIT: Duration = Duration::from_mins(15);
/// How far a clock may be behind what the database has seen.
const BEHIND: Duration = Duration::from_hours(1);
/// The longest that a mail server may take for all steps of a check.
const MAIL_PATIENCE: Duration = Duration::from_mins(1);

/// The settings are read by now; what is left is what may be meant.
pub(super) fn settings(settings: &Settings) -> Vec<Finding> {
    let warnings = settings.warnings();
    if warnings.is_empty() {
        return vec![Finding::ok("settings", "every value is good")];
    }
    warnings
        .into_iter()
        .map(|w| Finding::warn("settings", format!("{} {}", w.key, w.expected)))
        .collect()
}

pub(super) fn categories(settings: &Settings) -> Finding {
    match read_catalog(settings) {
        Ok(catalog) => Finding::ok("categories", format!("{} categories", catalog.iter().len())),
        Err(error) => Finding::fail("categories", error.to_string().replace('\n', "; ")),
    }
}

pub(super) fn postal_codes(settings: &Settings) -> Finding {
    match read_gazetteer(settings) {
        Ok(gazetteer) => Finding::ok("postal codes", format!("{} codes", gazetteer.len())),
        Err(error) => Finding::fail("postal codes", error.to_string()),
    }
}

/// Whether the ring can be read, by nobody else, and belongs to the database.
pub(super) fn key_ring(settings: &Settings) -> Finding {
    const NAME: &str = "key ring";
    let path = settings.keys.path.display();
    let (check, known) = if settings.database.url().file().is_none_or(Path::exists) {
        // A database that cannot be asked has a finding of its own.
        backup::keys_of(&settings.database.url()).unwrap_or_default()
    } else {
        (None, Vec::new())
    };
    let ring = match KeyRing::load(
        &settings.keys.path,
        data_dir(&settings.database.url()).as_deref(),
    ) {
        Ok(ring) => ring,
        Err(error) if error.is_missing() && check.is_none() => {
            return Finding::warn(
                NAME,
                format!("{path} is not there; the first start makes it"),
            );
        }
        Err(error) => return Finding::fail(NAME, error.to_string()),
    };
    if let Err(why) = fits(&ring, check.as_deref(), &known) {
        return Finding::fail(NAME, format!("{path} {why}"));
    }
    match check {
        Some(_) => Finding::ok(NAME, format!("{path}, mode 0600, belongs to this database")),
        None => Finding::ok(NAME, format!("{path}, mode 0600")),
    }
}

/// Whether something can be written beside the database, and reaches the disk.
pub(super) fn disk(settings: &Settings) -> Finding {
    const NAME: &str = "disk";
    let Some(dir) = data_dir(&settings.database.url()) else {
        return Finding::ok(NAME, "the database is on a server");
    };
    if !dir.exists() {
        return Finding::warn(
            NAME,
            format!("{} is not there; the first start makes it", dir.display()),
        );
    }
    let probe = dir.join(format!(".doctor-{}", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&probe)
        .and_then(|mut file| {
            file.write_all(&[0; 4096])?;
            file.sync_all()
        });
    // Nothing is left behind, also where only a part was written.
    let removed = fs::remove_file(&probe);
    match written.and(removed) {
        Ok(()) => Finding::ok(NAME, format!("{} can be written to", dir.display())),
        Err(error) => Finding::fail(NAME, format!("{}: {error}", dir.display())),
    }
}

/// Whether there is a database, of this program's version. One without any tables is left as it is.
pub(super) fn schema(settings: &Settings, has_tables: bool) -> Finding {
    const NAME: &str = "schema";
    let url = settings.database.url();
    if let Some(path) = url.file().filter(|path| !path.exists()) {
        return Finding::warn(
            NAME,
            format!("{} is not there; the first start makes it", path.display()),
        );
    }
    if !has_tables {
        return Finding::warn(
            NAME,
            "there are no tables in the database; the first start makes them",
        );
    }
    match Db::is_up_to_date(&url) {
        Ok(true) => Finding::ok(NAME, "up to date"),
        Ok(false) => Finding::fail(
            NAME,
            "not up to date: run manyhands migrate, or start the service",
        ),
        Err(error) => Finding::fail(NAME, error.to_string()),
    }
}

/// Reads the whole database, where it is a file; a server looks after its own.
pub(super) async fn integrity(settings: &Settings) -> Option<Finding> {
    const NAME: &str = "integrity";
    let path = settings.database.url().file().map(Path::to_owned)?;
    Some(match spawn_blocking(move || backup::check(&path)).await {
        Ok(Ok(())) => Finding::ok(NAME, "the database is whole"),
        Ok(Err(error)) => Finding::fail(NAME, error.to_string()),
        Err(_) => Finding::fail(NAME, "the check was cut off"),
    })
}

/// What the database itself has to tell.
pub(super) async fn contents(db: &Db, settings: &Settings) -> Vec<Finding> {
    let read = |conn: &mut _| {
        Ok::<_, StorageError>((
            meta::housekept_at(conn)?,
            letters::backlog(conn)?,
            letters::count(conn, LetterState::Dead)?,
            key_epochs::all(conn)?,
        ))
    };
    match db.read(read).await {
        Ok((housekept_at, (waiting, oldest), dead, known)) => {
            let now = SystemClock.now();
            vec![
                clock(now, housekept_at),
                backlog(now, waiting, oldest),
                dead_letters(dead),
                master_keys(now, &known, settings.keys.destroy_after),
            ]
        }
        Err(error) => vec![Finding::fail("database", error.to_string())],
    }
}

/// Whether keys are renewed and destroyed as they should be: what was erased is readable until then.
fn master_keys(now: Ts, known: &[KeyEpoch], destroy_after: Duration) -> Finding {
    const NAME: &str = "master keys";
    let since_before = |at: Option<Ts>, time: Duration| at.is_some_and(|at| at.after(time) < now);
    if let Some(late) = known
        .iter()
        .find(|key| since_before(key.retired_at, destroy_after + KEY_PATIENCE))
    {
        return Finding::fail(
            NAME,
            format!(
                "key {} should be destroyed by now: manyhands key prune says what keeps it",
                late.epoch
            ),
        );
    }
    match known
        .iter()
        .find(|key| key.activated_at.is_none() && since_before(Some(key.added_at), KEY_PATIENCE))
    {
        Some(waiting) => Finding::warn(
            NAME,
            format!(
                "key {} waits for processes that do not have it: manyhands key rotate",
                waiting.epoch
            ),
        ),
        None => Finding::ok(NAME, format!("{} in use", known.len())),
    }
}

fn clock(now: Ts, housekept_at: Option<Ts>) -> Finding {
    const NAME: &str = "clock";
    if now.as_secs() < EARLIEST {
        return Finding::fail(NAME, format!("shows {now}, which is long over"));
    }
    let Some(last) = housekept_at else {
        return Finding::ok(NAME, format!("shows {now}"));
    };
    if last.since(now) > BEHIND {
        return Finding::fail(
            NAME,
            format!("shows {now}, but the database has seen {last}"),
        );
    }
    let leap = now.since(last);
    if leap > LONGEST_LEAP {
        let days = leap.as_secs() / 86_400;
        return Finding::fail(
            NAME,
            format!(
                "{days} days since the last housekeeping: nothing is closed or erased until `manyhands doctor --clock-is-right` says that {now} is right"
            ),
        );
    }
    Finding::ok(NAME, format!("shows {now}; last housekeeping {last}"))
}

fn backlog(now: Ts, waiting: i64, oldest: Option<Ts>) -> Finding {
    const NAME: &str = "letters";
    let minutes = oldest.map_or(0, |at| now.since(at).as_secs() / 60);
    let told = format!("{waiting} wait, the oldest for {minutes} min");
    match oldest {
        None => Finding::ok(NAME, "none waits"),
        Some(at) if now.since(at) > LONG_WAIT => Finding::warn(NAME, told),
        Some(_) => Finding::ok(NAME, told),
    }
}

fn dead_letters(dead: i64) -> Finding {
    const NAME: &str = "dead letters";
    match dead {
        0 => Finding::ok(NAME, "none"),
        some => Finding::warn(
            NAME,
            format!("{some} could not be delivered: GET /v1/letters?state=dead"),
        ),
    }
}

/// Whether a letter could leave now; sends none.
pub(super) async fn mail(settings: &Settings) -> Finding {
    const NAME: &str = "mail";
    let transport = match Transport::new(&settings.mail) {
        Ok(transport) => transport,
        Err(error) => return Finding::fail(NAME, error.to_string()),
    };
    match timeout(MAIL_PATIENCE, transport.check()).await {
        Err(_) => Finding::fail(NAME, "the mail server takes too long"),
        Ok(Err(error)) => Finding::fail(NAME, format!("no letter can leave: {}", error.kind())),
        Ok(Ok(())) => Finding::ok(
            NAME,
            match settings.mail.transport {
                TransportKind::Smtp => "the mail server takes letters",
                TransportKind::File => "letters can be written to files",
                TransportKind::Memory => "letters are kept in memory",
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Level;

    #[test]
    fn a_key_that_outlives_its_time_is_found() {
        const DAY: Duration = Duration::from_hours(24);
        let now = Ts::EPOCH.after(DAY * 100);
        let key = |epoch, activated: bool, retired_days_ago: Option<u32>| KeyEpoch {
            epoch,
            key_check: None,
            added_at: now.before(DAY * 50),
            activated_at: activated.then(|| now.before(DAY * 50)),
            retired_at: retired_days_ago.map(|days| now.before(DAY * days)),
        };
        let level = |known: &[KeyEpoch]| master_keys(now, known, DAY * 14).level;
        let active = key(2, true, None);
        assert!(level(&[key(1, true, Some(14)), active.clone()]) == Level::Ok);
        assert!(level(&[key(1, true, Some(16)), active.clone()]) == Level::Fail);
        assert!(level(&[active, key(3, false, None)]) == Level::Warn);
    }
}
