//! A list is brought in by the operator, and taken out.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::program::Place;

const GOOGLE: &str = include_str!("../imports/google_forms.csv");
const MAPPING: &str = include_str!("../../config/mappings/groceries.toml");

fn place() -> Place {
    let place = Place::new();
    place.run(["migrate"]).code(0);
    std::fs::write(place.path("answers.csv"), GOOGLE).unwrap();
    // Whatever the day is on which this runs.
    let timeless = MAPPING.replace("until = \"When do you need it?\"", "");
    std::fs::write(place.path("groceries.toml"), timeless).unwrap();
    place
}

fn is_private(path: &Path) -> bool {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777 == 0o600
}

#[test]
fn a_form_is_tried_repaired_and_imported() {
    let place = place();
    let with = [
        "import",
        "requests",
        "answers.csv",
        "--mapping",
        "groceries.toml",
        "--json",
    ];
    let files = ["--report", "report.csv", "--faulty", "repair.csv"];
    let tried = place
        .run(with.iter().copied().chain(["--dry-run"]).chain(files))
        .code(3);
    let told = tried.json();
    assert_eq!(
        (told["encoding"].as_str(), told["delimiter"].as_str()),
        (Some("UTF-8"), Some(","))
    );
    assert_eq!(
        (told["tally"]["rows"].as_i64(), told["dry_run"].as_bool()),
        (Some(8), Some(true))
    );
    let report = std::fs::read_to_string(place.path("report.csv")).unwrap();
    assert!(report.contains("10,faulty,,Phone number,"), "{report}");
    for secret in ["mo@", "555-", "Mo", "call me"] {
        assert!(!report.contains(secret), "{secret} in {report}");
    }
    let faulty = std::fs::read_to_string(place.path("repair.csv")).unwrap();
    assert!(
        faulty.starts_with("Timestamp,Email Address,") && faulty.contains("call me"),
        "{faulty}"
    );
    assert!(is_private(&place.path("repair.csv")) && is_private(&place.path("report.csv")));

    let repaired = faulty
        .replace("call me", "612 555 0107")
        .replace("not an address", "kim@example.org");
    let first = place.run(with).code(3).json();
    assert_eq!(first["tally"]["duplicate"], 1);
    let again = place.run(with).code(3).json();
    assert_eq!(again["tally"]["new"], 0);
    assert_eq!(again["tally"]["unchanged"], first["tally"]["new"]);
    std::fs::write(
        place.path("repaired.csv"),
        repaired.replace(",00000,", ",55407,"),
    )
    .unwrap();
    let last = [
        "import",
        "requests",
        "repaired.csv",
        "--mapping",
        "groceries.toml",
    ];
    let text = place.run(last).code(0).out();
    assert!(text.starts_with("Imported: 3 of 3 rows."), "{text}");
}

#[test]
fn a_mapping_is_guessed_shown_and_kept() {
    let place = place();
    let list = "Name,E-mail,ZIP,Category,Capacity,Shirt size\nAna,ana@example.org,55407,Food,5,L\n";
    std::fs::write(place.path("list.csv"), list).unwrap();
    let tried = place
        .run(["import", "offers", "list.csv", "--dry-run"])
        .code(0);
    let said = tried.err();
    assert!(
        said.contains("email = \"E-mail\"") && said.contains("not imported: \"Shirt size\""),
        "{said}"
    );
    assert!(
        tried.out().starts_with("Would be imported: 1 of 1 rows"),
        "{}",
        tried.out()
    );
    let keep = [
        "import",
        "offers",
        "list.csv",
        "--dry-run",
        "--save-mapping",
        "list.toml",
    ];
    place.run(keep).code(0);
    let kept = std::fs::read_to_string(place.path("list.toml")).unwrap();
    std::fs::write(place.path("list.toml"), kept.replace("Capacity", "Capcity")).unwrap();
    let wrong = place
        .run(["import", "offers", "list.csv", "--mapping", "list.toml"])
        .code(2);
    assert!(
        wrong.err().contains("no column \"Capcity\""),
        "{}",
        wrong.err()
    );
    std::fs::write(place.path("list.csv"), b"PK\x03\x04").unwrap();
    let workbook = place.run(["import", "offers", "list.csv"]).code(1);
    assert!(
        workbook.err().contains("save it as CSV"),
        "{}",
        workbook.err()
    );
}

#[test]
fn what_was_imported_is_exported_with_its_persons_for_a_reason_only() {
    let place = place();
    let list = "Name,Email,ZIP,Category,Capacity\nAna,ana@example.org,55407,Food,5\n";
    std::fs::write(place.path("list.csv"), list).unwrap();
    place
        .run(["import", "offers", "list.csv", "--confirmed"])
        .code(0);
    let clear = place.run(["export", "offers"]).code(0).out();
    assert!(
        clear.contains(",open,food,5,") && !clear.contains("ana@"),
        "{clear}"
    );
    place.run(["export", "offers", "--persons"]).code(2);
    place
        .run(["export", "matches", "--persons", "--reason", "field"])
        .code(2);
    place.run(["export", "offers", "--format", "hsds"]).code(2);
    let whole = place
        .run(["export", "offers", "--persons", "--reason", "field"])
        .code(0);
    assert!(
        whole.out().contains("Ana,ana@example.org,"),
        "{}",
        whole.out()
    );
    let sites = place
        .run(["export", "sites", "--format", "geojson"])
        .code(0)
        .json();
    assert_eq!(sites["type"], "FeatureCollection");
    place
        .run(["export", "sites", "--format", "hsds"])
        .code(0)
        .json();
}
