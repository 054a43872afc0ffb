//! How long a spreadsheet of 100,000 rows takes to come in, by the program itself on SQLite with synced writes:
//! `cargo bench --bench import [-- ROWS]`
//!
//! Each list is tried (`--dry-run`), brought in, and brought in once more, when nothing is new. Nobody in it is there
//! twice, so that every row costs all that a row can cost: keyed hashes, its own keys, a sealed part, a token.

#![expect(clippy::expect_used, reason = "a bench may panic, as a test may")]
#![expect(clippy::print_stdout, reason = "a table is what is asked for")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const ROWS: usize = 100_000;

fn main() {
    let rows = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(ROWS);
    let place = tempfile::tempdir().expect("a directory");
    manyhands(place.path(), &["migrate"]);
    println!(
        "{:<9} {:<8} {:>8} {:>9}",
        "list", "turn", "seconds", "rows/s"
    );
    for (what, amount) in [("requests", "Quantity"), ("offers", "Capacity")] {
        let file = format!("{what}.csv");
        std::fs::write(place.path().join(&file), list(amount, rows)).expect("a list");
        for (turn, more) in [("tried", &["--dry-run"][..]), ("new", &[]), ("again", &[])] {
            let begun = Instant::now();
            let told = manyhands(
                place.path(),
                &[&["import", what, &file, "--json"], more].concat(),
            );
            let took = begun.elapsed().as_secs_f64();
            let told: serde_json::Value = serde_json::from_slice(&told).expect("a report");
            let as_expected = match turn {
                "again" => "unchanged",
                _ => "new",
            };
            assert_eq!(told["tally"][as_expected], rows, "{told}");
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52 rows")]
            let speed = rows as f64 / took;
            println!("{what:<9} {turn:<8} {took:>8.1} {speed:>9.0}");
        }
    }
}

/// Everybody in it has a name, an address and a number of their own, and a note.
fn list(amount: &str, rows: usize) -> String {
    let mut file = format!("Name,Email,Phone,ZIP,Category,{amount},Notes\n");
    for n in 0..rows {
        let zip = ["55407", "55406", "55408", "55404"][n % 4];
        let (area, line) = (201 + n / 10_000, n % 10_000);
        let units = n % 9 + 1;
        writeln!(
            file,
            "Person {n},n{n}@example.org,({area}) 555-{line:04},{zip},food,{units},row {n}"
        )
        .expect("a string takes everything");
    }
    file
}

fn manyhands(place: &Path, arguments: &[&str]) -> Vec<u8> {
    let ended = Command::new(env!("CARGO_BIN_EXE_manyhands"))
        .args(arguments)
        .current_dir(place)
        .env("LOG__FILTER", "warn")
        .output()
        .expect("the program starts");
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    ended.stdout
}
