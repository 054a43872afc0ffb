//! A list is brought in by the operator, and taken out.

use std::fs::Permissions;
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
    // What lay there before may have been anybody's to read.
    for old in ["report.csv", "repair.csv"] {
        std::fs::write(place.path(old), "old").unwrap();
        std::fs::set_permissions(place.path(old), Permissions::from_mode(0o644)).unwrap();
    }
    let reader = std::fs::File::open(place.path("repair.csv")).unwrap();
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
    assert!(report.starts_with("line,outcome,same_as_line,column,reason,posts\r\n"));
    for secret in ["mo@", "555-", "Mo", "call me"] {
        assert!(!report.contains(secret), "{secret} in {report}");
    }
    let faulty = std::fs::read_to_string(place.path("repair.csv")).unwrap();
    assert!(
        faulty.starts_with("Timestamp,Email Address,") && faulty.contains("call me"),
        "{faulty}"
    );
    assert!(is_private(&place.path("repair.csv")) && is_private(&place.path("report.csv")));
    assert_eq!(
        std::io::read_to_string(reader).unwrap(),
        "old",
        "whoever had it open reads nothing new"
    );

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

#[test]
fn an_import_is_listed_taken_back_and_made_anew() {
    let place = place();
    let list = "Name,Phone,ZIP,Category,Quantity\nMo,612 555 0101,55407,food,4\nIda,612 555 0102,55407,food,2\n";
    std::fs::write(place.path("list.csv"), list).unwrap();
    let import = ["import", "requests", "list.csv", "--json"];
    let report = ["--report", "report.csv"];
    let made = place.run(import.into_iter().chain(report)).code(0).json();
    let id = made["id"].as_str().unwrap();
    let post = made["rows"][0]["posts"][0].as_str().unwrap();
    let report = std::fs::read_to_string(place.path("report.csv")).unwrap();
    assert!(report.contains(post), "{report}");
    place
        .run(["import", "requests", "list.csv", "--dry-run"])
        .code(0);
    let listed = place.run(["import", "list", "--json"]).code(0).json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "a trial is none");
    assert_eq!(
        (
            &listed[0]["id"],
            &listed[0]["state"],
            &listed[0]["tally"]["new"]
        ),
        (&made["id"], &"done".into(), &2.into())
    );

    let asked = place.run(["import", "undo", id]).code(2);
    assert!(asked.err().contains("--yes"), "{}", asked.err());
    for _ in 0..2 {
        let undone = place.run(["import", "undo", id, "--yes", "--json"]).code(0);
        assert_eq!(
            undone.json(),
            serde_json::json!({"closed": 2, "accepted": 0, "changed": 0})
        );
    }
    let told = place.run(["import", "undo", id]).code(0).out();
    assert!(told.starts_with("Closed: 2. They stay"), "{told}");
    let listed = place.run(["import", "list"]).code(0).out();
    assert!(
        listed.contains(id) && listed.contains("TAKEN BACK"),
        "{listed}"
    );
    let closed = [
        "export",
        "requests",
        "--state",
        "closed",
        "--category",
        "food",
    ];
    assert_eq!(place.run(closed).code(0).out().lines().count(), 3);
    let wrong = place.run(["export", "requests", "--state", "gone"]).code(2);
    assert!(wrong.err().contains("--state"), "{}", wrong.err());
    assert_eq!(place.run(import).code(0).json()["tally"]["new"], 2);
    let nothing = "3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a";
    place.run(["import", "undo", nothing, "--yes"]).code(1);
    place.run(["import"]).code(2);
}
