//! The disk answers with errors: to writes and to syncs of the log, of the database's file, of a directory, of a
//! copy, of the key ring. No 201 for what is lost; a kind 503, or an end with one line; and when it is over, or after a
//! kill in the midst of it, everything that was acknowledged is there.

use super::mailbox::files;
use super::place::Place;
use super::stage::Stage;
use super::strace::{to_its_end, under};
use crate::kept::is_a_kind_refusal;
use crate::process::{configured, wait_for};

/// What the log says of the database, and how often.
fn outages(log: &str) -> usize {
    log.lines()
        .filter(|line| line.contains("the database is unavailable"))
        .count()
}

/// Writing or syncing the log fails for a while; later once more, and it is killed meanwhile.
fn the_log_fails(how: &str) {
    let mut stage = Stage::new();
    for _ in 0..3 {
        stage.post().unwrap();
    }
    let fault = stage.fail(&stage.log(), how);
    for _ in 0..6 {
        is_a_kind_refusal(&stage.post().unwrap_err());
        stage.posts -= 1;
    }
    stage.all_is_there();
    assert!(fault.failures() > 0, "{how}: nothing failed");
    fault.leave();
    stage.works_again();

    let fault = stage.fail(&stage.log(), how);
    stage.posts += 1;
    let refused = stage.posts;
    is_a_kind_refusal(&stage.send(refused));
    let log = stage.kill();
    fault.leave();
    // One line for each of the two times, however many were refused; and not another for the same.
    assert!((1..=2).contains(&outages(&log)), "{log}");
    let errors = log
        .lines()
        .filter(|line| line.contains(r#""level":"ERROR""#))
        .count();
    assert!(errors <= 2, "{log}");
    stage.all_is_there();
    // Of what was refused everything is there, or nothing; said again it is there once.
    let again = stage.send(refused);
    stage.keep(again);
    stage.works_again();
    stage.end();
}

#[test]
fn a_log_that_cannot_be_synced_is_answered_503_and_nothing_is_lost() {
    the_log_fails("fsync:error=EIO");
}

#[test]
fn a_log_that_cannot_be_written_is_answered_503_and_nothing_is_lost() {
    the_log_fails("pwrite64:error=EIO");
    the_log_fails("pwrite64:error=ENOSPC");
}

/// What the log holds cannot be brought into the database's file: it stays in the log.
fn a_checkpoint_fails(how: &str) {
    let mut stage = Stage::new();
    stage.post().unwrap();
    let fault = stage.fail(&stage.place.database(), how);
    while fault.failures() == 0 {
        stage.post().unwrap();
        assert!(stage.posts < 400, "{how}: nothing failed");
    }
    for _ in 0..5 {
        stage.post().unwrap();
    }
    stage.kill();
    fault.leave();
    stage.all_is_there();
    stage.works_again();
    stage.end();
}

#[test]
fn a_checkpoint_that_fails_loses_nothing_and_is_made_later() {
    a_checkpoint_fails("fsync:error=EIO");
    a_checkpoint_fails("pwrite64:error=ENOSPC");
}

#[test]
fn letters_that_cannot_be_written_wait() {
    let mut stage = Stage::new();
    stage.post().unwrap();
    let sent = |stage: &Stage| files(stage.place.dir()).len();
    wait_for("the first letter", || (sent(&stage) == 1).then_some(()));
    let token = stage.place.coordinator();
    let fault = stage.fail(&stage.path("mail"), "fsync:error=EIO");
    stage.post().unwrap();
    wait_for("a letter that fails", || {
        (fault.failures() > 0).then_some(())
    });
    let queued = |stage: &Stage| {
        let page = stage
            .server()
            .get("/v1/letters?state=queued&kind=received", Some(&token))
            .unwrap()
            .ok();
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(queued(&stage), 1, "what may not be on the disk is not sent");
    fault.leave();
    wait_for("all letters", || (queued(&stage) == 0).then_some(()));
    let page = stage.server().get("/v1/letters?state=sent", Some(&token));
    let all = page.unwrap().ok()["items"].as_array().unwrap().len();
    assert_eq!(sent(&stage), all, "a repeat takes the place of the first");
    stage.end();
}

/// A command of which calls about a file fail, and which ends for that: gives what it says about it.
#[track_caller]
fn fails(place: &Place, file: &str, how: &str, arguments: &[&str]) -> String {
    let (trace, file) = (place.dir().join("trace"), place.dir().join(file));
    let (calls, inject) = (
        format!("trace={}", how.split(':').next().unwrap()),
        format!("inject={how}"),
    );
    let options = [
        "-e",
        &calls,
        "-e",
        &inject,
        "-P",
        file.to_str().unwrap(),
        env!("CARGO_BIN_EXE_manyhands"),
    ];
    let mut command = configured(under(&trace, &options), place.dir(), &place.env());
    command.args(arguments);
    let (status, said) = to_its_end(command);
    assert!(
        std::fs::read_to_string(&trace)
            .unwrap()
            .contains("(INJECTED)"),
        "nothing failed: {said}"
    );
    assert_eq!(status.code(), Some(1), "{said}");
    said
}

#[test]
fn commands_whose_disk_fails_end_with_one_line_and_leave_nothing_half_done() {
    let mut stage = Stage::new();
    stage.post().unwrap();
    for how in ["fsync:error=EIO", "pwrite64:error=ENOSPC"] {
        let said = fails(
            &stage.place,
            "copy.db.unfinished",
            how,
            &["backup", "copy.db"],
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(!stage.path("copy.db").exists() && !stage.path("copy.db.unfinished").exists());
    }
    stage.place.said(&["backup", "copy.db"]);

    let ring = std::fs::read_to_string(stage.path("keys/keyring.toml")).unwrap();
    let said = fails(
        &stage.place,
        "keys/keyring.new",
        "fsync:error=EIO",
        &["key", "rotate"],
    );
    assert!(said.contains("keyring"), "{said}");
    assert_eq!(
        std::fs::read_to_string(stage.path("keys/keyring.toml")).unwrap(),
        ring
    );
    stage.place.said(&["key", "rotate"]);
    stage.all_is_there();

    let ring = stage.path("keys/keyring.toml").display().to_string();
    let there = Place::new(None).set("KEYS__PATH", &ring);
    let copy = stage.path("copy.db").display().to_string();
    let said = fails(
        &there,
        "data/manyhands.restoring",
        "fsync:error=EIO",
        &["restore", &copy],
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!there.database().exists());
    there.said(&["restore", &copy]);
    stage.end();
}

#[test]
fn a_first_start_whose_disk_fails_ends_with_one_line_and_the_next_one_starts() {
    for (file, how) in [
        ("data", "fsync:error=EIO"),
        ("data/manyhands.db-wal", "fsync:error=EIO:when=9+"),
    ] {
        let place = Place::new(None);
        let any = "127.0.0.1:0";
        let serve = ["serve", "--bind", any, "--admin-bind", any];
        let said = fails(&place, file, how, &serve);
        let told = said
            .lines()
            .filter(|line| !line.contains("WARN") && !line.contains("INFO"));
        assert_eq!(told.count(), 1, "{said}");
        let (status, log) = place.serve().terminate();
        assert!(status.success(), "{log}");
        place.json(&["doctor", "--json"]);
    }
}

#[test]
fn after_a_kill_the_log_is_read_from_the_disk_and_not_from_memory() {
    let mut stage = Stage::new();
    let log = stage.log();
    // The first checkpoint may come between, and empty it again.
    wait_for("something in the log", || {
        stage.post().unwrap();
        std::fs::metadata(&log)
            .is_ok_and(|log| log.len() > 0)
            .then_some(())
    });
    stage.server.take().unwrap().kill();
    let trace = stage.path("trace");
    let calls = "trace=fsync,fadvise64,pread64";
    let options = [
        "-e",
        calls,
        "-P",
        log.to_str().unwrap(),
        env!("CARGO_BIN_EXE_manyhands"),
    ];
    let mut command = configured(
        under(&trace, &options),
        stage.place.dir(),
        &stage.place.env(),
    );
    command.arg("doctor");
    to_its_end(command);
    let trace = std::fs::read_to_string(trace).unwrap();
    let first = |what: &str| {
        trace
            .lines()
            .position(|line| line.contains(what))
            .unwrap_or_else(|| panic!("no {what}: {trace}"))
    };
    assert!(first("fsync(") < first("POSIX_FADV_DONTNEED"), "{trace}");
    assert!(first("POSIX_FADV_DONTNEED") < first("pread64("), "{trace}");
    stage.server = Some(stage.place.serve());
    stage.all_is_there();
    stage.end();
}
